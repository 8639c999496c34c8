"""Evaluation of training on the device: on a minute of a person's windows, tested on the person's other windows."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import activity
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.evaluation import activity as metrics
from zoo.runtime import PersonalRecognizer

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
        ZooError: If the person is not in the test part, or no windows are left to test.
    """
    data = load_as(activity.ActivityData, path)
    test = data.test.of_one_class(len(data.classes))
    if subject not in test.people() or test.subjects is None:
        raise ZooError(f"{path}: no subject {subject} in test; found {', '.join(test.people())}")
    windows, labels = test.where(test.subjects == subject).arrays()
    recognizer = PersonalRecognizer(file)
    count = round(seconds * recognizer.metadata.rate / recognizer.metadata.window)
    # Rank of each window within its class, so that the first windows of all classes come first.
    place = np.array([int((labels[:i] == label).sum()) for i, label in enumerate(labels)])
    order = np.lexsort((labels, place))
    learned, rest = order[:count], order[count:]
    if not len(rest):
        raise ZooError(f"{path}: {len(labels)} windows of subject {subject}; learning {count} leaves none to test")

    def measured() -> dict[str, float]:
        predicted = recognizer.predict(windows[rest]).argmax(axis=1)
        return {
            "accuracy": float((predicted == labels[rest]).mean()),
            "macro_f1": metrics.macro_f1(labels[rest], predicted),
        }

    before = measured()
    recognizer.learn(windows[learned], labels[learned])
    return {
        "subject": subject, "learned": len(learned), "tested": len(rest), "before": before, "after": measured(),
    }  # fmt: skip
