"""Evaluation of training on the device: on a minute of a person's windows, tested on the person's other windows."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import activity
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.evaluation import activity as metrics
from zoo.runtime import PersonalRecognizer
from zoo.runtime.personal import rank_in_class

SECONDS = 60.0
"""Length of the training data."""


def evaluate(file: Path, path: Path, subject: str, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Trains a file on windows of one test person, and evaluates it on that person's other windows.

    Args:
        file: `model.personal.tflite` of a model.
        path: File of windows in the course's layout.
        subject: Subject id of the person.
        seconds: Length of the training data, which are the first windows of each class in turn.

    Returns:
        `subject`, `learned` and `tested` (numbers of windows), and `before` and `after`, each with `accuracy` and
        `macro_f1`.

    Raises:
        ZooError: If the person is not in the test set, or no windows are left to test.
    """
    data = load_as(activity.ActivityData, path)
    test = data.test.of_one_class(len(data.classes))
    if subject not in test.people() or test.subjects is None:
        raise ZooError(f"{path}: no subject {subject} in test; found {', '.join(test.people())}")
    windows, labels = test.where(test.subjects == subject).arrays()
    try:
        return {"subject": subject} | learn_and_test(PersonalRecognizer(file), windows, labels, seconds)
    except ValueError as error:
        raise ZooError(f"{path}: subject {subject}: {error}") from None


def learn_and_test(
    recognizer: PersonalRecognizer, windows: NDArray[np.floating[Any]], labels: NDArray[np.int64],
    seconds: float = SECONDS,
) -> dict[str, Any]:  # fmt: skip
    """Trains a recognizer on the first windows of each class in turn, and evaluates it on the others.

    Args:
        recognizer: It learns.
        windows: Windows of one person, `(N, window, channels)`.
        labels: Class indices `(N,)`.
        seconds: Length of the training data.

    Returns:
        `learned` and `tested` (numbers of windows), and `before` and `after`, each with `accuracy` and `macro_f1`.

    Raises:
        ValueError: If no windows are left to test.
    """
    count = round(seconds * recognizer.metadata.rate / recognizer.metadata.window)
    # The first windows of all classes come first.
    order = np.lexsort((labels, rank_in_class(labels)))
    learned, rest = order[:count], order[count:]
    if not len(rest):
        raise ValueError(f"{len(labels)} windows; learning {count} leaves none to test")

    def measured() -> dict[str, float]:
        predicted = recognizer.predict(windows[rest]).argmax(axis=1)
        return {
            "accuracy": float((predicted == labels[rest]).mean()),
            "macro_f1": metrics.macro_f1(labels[rest], predicted),
        }

    before = measured()
    recognizer.learn(windows[learned], labels[learned])
    return {"learned": len(learned), "tested": len(rest), "before": before, "after": measured()}
