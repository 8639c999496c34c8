"""Baselines of recognizers: classifiers without a neural network.

Each is fitted on windows `(N, T, C)` and labels `(N,)`, and returns a function from windows to class indices.
scikit-learn, which takes a second to import, is imported by those that fit.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.metrics import Floats, Labels, Predict, of_known, scores
from zoo.errors import ZooError, unknown_name

POSE = 12
"""Features of a window that depend on how the phone lies."""

_TINY = 1e-9

_RIDGE = 1000.0
"""Ridge penalty of MiniRocket. aeon chooses one from 0.001 to 1000."""


def features(windows: Floats) -> Floats:
    """Describes windows `(N, T, 3)` or `(N, T, 6)` for the random forest, for the most part whichever way a phone lies.

    Of each sensor three signals: its magnitude, its part along gravity (the mean acceleration of the window), and the
    length of the rest. Of each signal: mean, deviation, quantiles, mean absolute difference, skewness, kurtosis, rate
    of crossings of the mean; of its spectrum the logarithm of the power in bands, dominant frequency, its share, center
    and entropy; the highest autocorrelation from a twelfth to half a window, and its lag. Correlations of the signals.
    Last, `POSE` numbers of how the phone lies, by which alone sitting differs from standing: the direction of gravity,
    and quantiles of each axis of the acceleration.
    """
    acceleration = windows[:, :, :3].astype(np.float64)
    gravity = acceleration.mean(axis=1)
    up = gravity / np.maximum(np.linalg.norm(gravity, axis=1, keepdims=True), _TINY)
    sensors = np.split(windows.astype(np.float64), windows.shape[2] // 3, axis=2)
    pose = [up, *np.percentile(acceleration, [5, 50, 95], axis=1)]
    return np.column_stack([*(_of_sensor(sensor, up) for sensor in sensors), *pose])


def _of_sensor(rows: Floats, up: Floats) -> Floats:
    length = rows.shape[1]
    along = np.einsum("ntc,nc->nt", rows, up)
    across = np.linalg.norm(rows - along[:, :, None] * up[:, None], axis=2)
    signals = np.stack([np.linalg.norm(rows, axis=2), along, across], axis=2)
    mean, deviation = signals.mean(axis=1), signals.std(axis=1)
    scaled = (signals - mean[:, None]) / np.maximum(deviation, _TINY)[:, None]
    quantiles = np.percentile(signals, [5, 25, 50, 75, 95], axis=1)
    power = np.abs(np.fft.rfft((signals - mean[:, None]) * np.hanning(length)[:, None], axis=1))[:, 1:] ** 2
    shares = power / np.maximum(power.sum(axis=1, keepdims=True), _TINY)
    places = np.arange(1, power.shape[1] + 1)[:, None]
    bands = np.add.reduceat(power, np.unique(np.geomspace(1, len(places), 10).astype(int)) - 1, axis=1)
    # The spectrum of a signal that is padded to twice its length is that of its autocorrelation.
    lags = np.fft.irfft(np.abs(np.fft.rfft(scaled, 2 * length, axis=1)) ** 2, axis=1)[
        :, length // 12 + 1 : length // 2 + 2
    ]
    return np.column_stack([
        mean, deviation, *quantiles, np.abs(np.diff(signals, axis=1)).mean(axis=1), (scaled**3).mean(axis=1),
        (scaled**4).mean(axis=1), (np.diff(np.sign(scaled), axis=1) != 0).mean(axis=1),
        np.log(bands + 1e-3).reshape(len(rows), -1), power.argmax(axis=1), shares.max(axis=1),
        (shares * places).sum(axis=1), -(shares * np.log(shares + _TINY)).sum(axis=1),
        lags.max(axis=1) / length, lags.argmax(axis=1),
        *((scaled[:, :, one] * scaled[:, :, other]).mean(axis=1) for one, other in ((0, 1), (0, 2), (1, 2))),
    ])  # fmt: skip


def random_forest(windows: Floats, labels: Labels, seed: int = 0, jobs: int = -1, trees: int = 400) -> Predict:
    """Fits trees on `features`."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(trees, random_state=seed, n_jobs=jobs, class_weight="balanced_subsample")
    forest.fit(features(windows), labels)
    return lambda test: np.asarray(forest.predict(features(test)), np.int64)


def nearest_neighbor(windows: Floats, labels: Labels, seed: int = 0, jobs: int = -1) -> Predict:
    """Fits a nearest-neighbor classifier on standardized `features`."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

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
    from sklearn.linear_model import RidgeClassifier

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
    train: tuple[Floats, Labels],
    test: tuple[Floats, Labels],
    subjects: NDArray[np.str_] | None,
    other: int | None = None,
) -> dict[str, dict[str, Any]]:
    """`accuracy`, `macro_f1` and `macro_f1_interval` of the most frequent class and of a random forest.

    Test windows are of known activities; `other` is the number of the class of other movements, if there is one.
    """
    fitted = {"majority_class": majority_class(train[1]), "random_forest": random_forest(*train)}
    return {
        name: scores(test[1], of_known(test[1], predict(test[0]), other)[1], subjects)
        for name, predict in fitted.items()
    }
