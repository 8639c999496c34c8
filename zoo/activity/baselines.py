"""Baselines of recognizers: classifiers without a neural network.

Each is fitted on windows `(N, T, C)` and labels `(N,)`, and returns a function from windows to class indices.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo.activity.metrics import Floats, Labels, Predict, scores
from zoo.catalog import unknown_name
from zoo.errors import ZooError

_RIDGE = 1000.0
"""Ridge penalty of MiniRocket. aeon chooses one from 0.001 to 1000."""


def features(windows: Floats) -> Floats:
    """Computes 47 simple features of each window and sensor, for the random forest.

    For each axis and for the magnitude: mean, standard deviation, minimum, maximum, 25th and 75th percentile, mean
    absolute difference of consecutive rows, dominant frequency, its share of the power, and rate of crossings of the
    mean (40); correlations between the axes (3); energy, and direction of the mean (4).

    Args:
        windows: Windows `(N, T, 3)`, or `(N, T, 6)` of an accelerometer and a gyroscope.

    Returns:
        Features `(N, 47)`, or `(N, 94)`.
    """
    return np.hstack([_of_sensor(part) for part in np.split(windows, windows.shape[2] // 3, axis=2)])


def _of_sensor(windows: Floats) -> Floats:
    magnitude = np.linalg.norm(windows, axis=2, keepdims=True)
    signals = np.concatenate([windows, magnitude], axis=2).astype(np.float64)
    mean = signals.mean(axis=1)
    centered = signals - mean[:, None]
    power = np.abs(np.fft.rfft(centered, axis=1))[:, 1:] ** 2
    deviation = signals.std(axis=1)
    crossings = (np.diff(np.sign(centered), axis=1) != 0).mean(axis=1)
    scaled = centered[:, :, :3] / np.maximum(deviation[:, None, :3], 1e-9)
    correlations = [(scaled[:, :, i] * scaled[:, :, j]).mean(axis=1) for i, j in ((0, 1), (0, 2), (1, 2))]
    direction = mean[:, :3] / np.maximum(np.linalg.norm(mean[:, :3], axis=1, keepdims=True), 1e-9)
    return np.column_stack(
        [
            mean, deviation, signals.min(axis=1), signals.max(axis=1),
            *np.percentile(signals, [25, 75], axis=1), np.abs(np.diff(signals, axis=1)).mean(axis=1),
            power.argmax(axis=1), power.max(axis=1) / np.maximum(power.sum(axis=1), 1e-9), crossings,
            *correlations, (centered[:, :, :3] ** 2).mean(axis=(1, 2)), direction,
        ]
    )  # fmt: skip


def random_forest(windows: Floats, labels: Labels, seed: int = 0, jobs: int = -1, trees: int = 300) -> Predict:
    """Fits trees on `features`."""
    forest = RandomForestClassifier(trees, random_state=seed, n_jobs=jobs, class_weight="balanced_subsample")
    forest.fit(features(windows), labels)
    return lambda test: np.asarray(forest.predict(features(test)), np.int64)


def nearest_neighbor(windows: Floats, labels: Labels, seed: int = 0, jobs: int = -1) -> Predict:
    """Fits a nearest-neighbor classifier on standardized `features`."""
    neighbor = make_pipeline(StandardScaler(), KNeighborsClassifier(1, n_jobs=jobs))
    neighbor.fit(features(windows), labels)
    return lambda test: np.asarray(neighbor.predict(features(test)), np.int64)


def minirocket(windows: Floats, labels: Labels, seed: int = 0, jobs: int = -1) -> Predict:
    """Fits MiniRocket: a ridge classifier on about 10,000 convolutional features.

    This is aeon's classifier with a fixed ridge penalty, the largest of those from which aeon chooses by leave-one-out
    cross-validation, which takes minutes for ten thousand windows. On two thousand windows the fixed penalty changed
    three predictions in a hundred, and did not change the score.

    Dempster, Schmidt, Webb: MiniRocket, a very fast (almost) deterministic transform for time series classification,
    KDD 2021, arXiv:2012.08791.
    """
    require("minirocket")
    from aeon.classification.convolution_based import MiniRocketClassifier

    ridge = RidgeClassifier(alpha=_RIDGE)
    rocket = MiniRocketClassifier(n_kernels=10_000, estimator=ridge, n_jobs=jobs, random_state=seed)
    rocket.fit(windows.transpose(0, 2, 1), labels)
    return lambda test: np.asarray(rocket.predict(test.transpose(0, 2, 1)), np.int64)


def majority_class(labels: Labels) -> Predict:
    """Fits nothing: always predicts the most frequent class."""
    most = int(np.bincount(labels).argmax())
    return lambda test: np.full(len(test), most, np.int64)


BASELINES: dict[str, Callable[..., Predict]] = {
    "random_forest": random_forest,
    "nearest_neighbor": nearest_neighbor,
    "minirocket": minirocket,
}
"""Baselines by name: functions `(windows, labels, seed, jobs) -> windows -> class indices`."""

SEEDLESS = ("nearest_neighbor",)
"""Baselines that do not depend on the seed."""


def require(name: str) -> None:
    """Refuses a baseline that does not exist, or whose library is not installed.

    Example:
        >>> require("random_forrest")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: unknown baseline 'random_forrest': did you mean random_forest?
    """
    if name not in BASELINES:
        raise unknown_name("baseline", name, list(BASELINES))
    if name == "minirocket" and find_spec("aeon") is None:
        raise ZooError("minirocket needs aeon: pip install 'pocket-zoo[baselines]'")


def baseline_scores(
    train: tuple[Floats, Labels], test: tuple[Floats, Labels], subjects: NDArray[np.str_] | None
) -> dict[str, dict[str, Any]]:
    """`accuracy`, `macro_f1` and `macro_f1_interval` of the most frequent class and of a random forest."""
    fitted = {"majority_class": majority_class(train[1]), "random_forest": random_forest(*train)}
    return {name: scores(test[1], predict(test[0]), subjects) for name, predict in fitted.items()}
