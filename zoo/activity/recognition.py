"""What training, evaluation and export of recognizers share: windows that fit a model, and its answers to them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zoo.activity import metrics
from zoo.activity.windows import CHANNELS_LAST, ActivityData, Windows, center_crop
from zoo.errors import ZooError
from zoo.loading import Loaded
from zoo.models.recognizer import ActivityRecognizer
from zoo.recipe import Recipe
from zoo.runtime import Recognizer
from zoo.runtime.metadata import AXES, INERTIAL, ActivityMetadata
from zoo.task import log_probabilities

CHUNK = 10
"""Frames that the signature `chunk` reads, of a model whose window has so many."""

LESS = 0.01
"""How much lower than its baseline's the macro-F1 of a model is for a warning."""

BATCH = 2048
"""Windows that a network reads at once: what it computes on the way is many times as large."""

_GOLDEN = 600
"""Windows that artifacts are compared on, at most."""


def hold_out(train: Windows, recipe: Recipe) -> tuple[Windows, Windows | None]:
    """What a recipe leaves for training, and what it holds out for validation, if anything."""
    if not recipe.validation:
        return train, None
    return train.split(recipe.validation, recipe.split_by_seed, recipe.validation_by)


def temperature_of(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
    """The temperature that calibrates logits, by the windows whose label is one class; 1 where there are none."""
    known = labels < logits.shape[1]
    return metrics.fit_temperature(labels[known], logits[known]) if known.any() else 1.0


def metadata_of(loaded: Loaded) -> ActivityMetadata:
    """The metadata of a recognizer.

    Raises:
        ZooError: If the model is not a recognizer.
    """
    if not isinstance(loaded.metadata, ActivityMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a recognizer of activities")
    return loaded.metadata


def recognizer_of(loaded: Loaded) -> ActivityRecognizer:
    """The Keras model of a recognizer.

    Raises:
        ZooError: If this is an exported file, or not a recognizer.
    """
    metadata_of(loaded)
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    return model


def keras_logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the center of longer ones."""
    return np.asarray(model.predict_on_batch(center_crop(windows, model.window)))


def logits_of(loaded: Loaded, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of a Keras model, before temperature scaling; logarithms of a file's probabilities.

    Of windows as long as the model's, or of the center of longer ones. Both assume the model's prior.
    """
    if loaded.model is not None:
        model = recognizer_of(loaded)
        # The prior is added after the division by the temperature.
        return keras_logits(model, windows) + (model.temperature * model.prior_shift).astype(np.float32)
    rows = center_crop(windows, metadata_of(loaded).window)
    return log_probabilities(Recognizer(loaded.name).predict(rows))


def answers(
    logits: Callable[[NDArray[np.float32]], NDArray[np.float32]], windows: Windows
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, read and computed a batch at a time."""
    parts = [
        (logits(inputs[start : start + BATCH]), labels[start : start + BATCH])
        for inputs, labels in windows.blocks()
        for start in range(0, len(inputs), BATCH)
    ]
    found, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not np.isfinite(found).all():
        raise ZooError("the outputs of the network are not finite: its weights are damaged, or its training diverged")
    return found, labels


def check_windows(loaded: Loaded, where: str, shape: tuple[int, ...], rate: float) -> None:
    """Refuses windows of another length, number of axes or rate than the model's.

    Raises:
        ZooError: Names both shapes.
    """
    metadata = metadata_of(loaded)
    expected = (metadata.window, len(metadata.axes))
    if tuple(shape[-2:]) != expected:
        advice = ""
        if shape[-1] == expected[0] and shape[-2] in (len(AXES), len(INERTIAL)):
            advice = f": {CHANNELS_LAST}"
        elif shape[-1] == len(INERTIAL) > expected[1]:
            advice = ": leave the gyroscope out with --channels"
        raise ZooError(f"{where}: windows of shape {tuple(shape[-2:])}; {loaded.name} expects {expected}{advice}")
    if rate != metadata.rate:
        raise ZooError(f"{where}: rows at {rate:g} Hz; {loaded.name} expects {metadata.rate:g}: cut them again")


def for_model(loaded: Loaded, data: ActivityData) -> ActivityData:
    """Returns data with the classes of a model, which may know more of them.

    Windows of the data that it was trained on may be longer: training cuts them, and otherwise their center is read.

    Raises:
        ZooError: Names what was expected and found.
    """
    metadata, path = metadata_of(loaded), str(data)
    rows, axes = data.test.inputs.shape[1:]
    longer = rows > metadata.window and data.sha256 == metadata.data_sha256
    check_windows(loaded, f"{path}: key 'tstX'", (metadata.window if longer else rows, axes), data.rate)
    if unknown := [name for name in data.classes if name not in metadata.classes]:
        raise ZooError(
            f"{path}: {loaded.name} does not know {', '.join(unknown)}, but {', '.join(metadata.classes)}: rename or "
            "select labels with `zoo data windows --classes`, or train the model on yours with `zoo finetune`"
        )
    return data.with_classes(metadata.classes)


def chunk_of(model: ActivityRecognizer) -> int:
    """How many frames the signature `chunk` of a model reads."""
    return min(CHUNK, model.window // model.frame)


def some(windows: Windows, most: int = _GOLDEN) -> Windows:
    """Some windows: of each class its share, evenly spaced."""
    by_class = np.argsort(windows.labels, kind="stable")
    chosen = by_class[np.linspace(0, len(by_class) - 1, min(most, len(by_class))).astype(int)]
    return windows.where(np.isin(np.arange(len(windows)), chosen))
