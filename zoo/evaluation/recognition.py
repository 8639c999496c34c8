"""How good a recognizer is, on people it never saw: metrics, calibration, baselines, robustness.

Works on NumPy arrays alone: `labels (N,)` class numbers, `probabilities (N, K)`, `subjects (N,)`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


def macro_f1(labels: Labels, predicted: Labels) -> float:
    """Mean over the classes that occur of the F1 score of each.

    Example:
        >>> macro_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
        0.7333333333333334
    """
    present = np.union1d(labels, predicted)
    return float(f1_score(labels, predicted, labels=present, average="macro", zero_division=0))


def reliability(labels: Labels, probabilities: Floats, bins: int = 15) -> list[dict[str, float]]:
    """Confidence, accuracy and share of the windows in each bin of confidence that is not empty.

    Args:
        labels: `(N,)`.
        probabilities: `(N, K)`.
        bins: How many bins of equal width.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(confidence[places == place].mean()),
            "accuracy": float(correct[places == place].mean()),
            "share": float((places == place).mean()),
        }
        for place in np.unique(places)
    ]


def expected_calibration_error(labels: Labels, probabilities: Floats, bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over bins of confidence, weighted by their windows.

    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks, 2017, arXiv:1706.04599, equation 5.

    Args:
        labels: `(N,)`.
        probabilities: `(N, K)`.
        bins: How many bins of equal width.

    Example:
        >>> round(expected_calibration_error(np.array([0, 1]), np.array([[0.9, 0.1], [0.9, 0.1]])), 6)
        0.4
    """
    return sum(
        row["share"] * abs(row["accuracy"] - row["confidence"]) for row in reliability(labels, probabilities, bins)
    )


def fit_temperature(labels: Labels, logits: Floats) -> float:
    """The T that minimizes the cross-entropy of softmax(logits / T), in [0.05, 20].

    Guo et al. 2017, section 4.2. Fit it on validation data.

    Args:
        labels: `(N,)`.
        logits: `(N, K)`.
    """
    rows = np.arange(len(labels))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        return -float(log_softmax(scaled, axis=1)[rows, labels].mean())

    found = minimize_scalar(cross_entropy, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def bootstrap_interval(
    labels: Labels, predicted: Labels, subjects: NDArray[np.str_] | None, seed: int = 0, draws: int = 1000
) -> tuple[float, float]:
    """95 % interval of macro-F1, people (or windows, where people are unknown) drawn with replacement.

    Args:
        labels: `(N,)`.
        predicted: `(N,)`.
        subjects: `(N,)` or None.
        seed: Of the draws.
        draws: How many.
    """
    random = np.random.default_rng(seed)
    classes = int(max(labels.max(), predicted.max())) + 1
    units = np.arange(len(labels)) if subjects is None else np.unique(subjects, return_inverse=True)[1]
    # One confusion matrix a unit: a draw is then a sum, not a pass over all windows.
    matrices = np.zeros((units.max() + 1, classes, classes))
    np.add.at(matrices, (units, labels, predicted), 1)
    chosen = random.integers(0, len(matrices), (draws, len(matrices)))
    scores = [_macro_f1_of(matrices[draw].sum(axis=0)) for draw in chosen]
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def _macro_f1_of(confusion: Floats) -> float:
    totals = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float((2 * np.diag(confusion)[totals > 0] / totals[totals > 0]).mean())


def report(
    labels: Labels,
    logits: Floats,
    classes: Sequence[str],
    subjects: NDArray[np.str_] | None,
    temperature: float,
) -> dict[str, Any]:
    """All numbers of one evaluation.

    Args:
        labels: `(N,)`.
        logits: `(N, K)`, before temperature scaling.
        classes: Names.
        subjects: `(N,)` or None.
        temperature: Fitted on validation.

    Returns:
        `accuracy`, `macro_f1`, `macro_f1_interval`, `confusion` (rows are true classes), `classes`, `per_class`,
        `per_subject`, `worst_subject`, `ece` (`before` and `after` temperature scaling), `reliability`,
        `cross_entropy`, `windows`.
    """
    uncalibrated = softmax(logits.astype(np.float64), axis=1)
    probabilities = softmax(logits.astype(np.float64) / temperature, axis=1)
    predicted = logits.argmax(axis=1)
    numbers = list(range(len(classes)))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    people = by_subject(labels, predicted, subjects)
    likelihood = log_softmax(logits.astype(np.float64) / temperature, axis=1)
    return {
        "windows": len(labels),
        "accuracy": float(accuracy_score(labels, predicted)),
        "macro_f1": macro_f1(labels, predicted),
        "macro_f1_interval": list(bootstrap_interval(labels, predicted, subjects)),
        "cross_entropy": -float(likelihood[np.arange(len(labels)), labels].mean()),
        "classes": list(classes),
        "confusion": confusion_matrix(labels, predicted, labels=numbers).tolist(),
        "per_class": {
            name: {"precision": float(p), "recall": float(r), "f1": float(f), "windows": int(n)}
            for name, p, r, f, n in zip(classes, precision, recall, f1, support, strict=True)
        },
        "per_subject": people,
        "worst_subject": min(people, key=lambda name: people[name]["macro_f1"]) if people else None,
        "ece": {
            "before": expected_calibration_error(labels, uncalibrated),
            "after": expected_calibration_error(labels, probabilities),
            "temperature": temperature,
        },
        "reliability": {
            "before": reliability(labels, uncalibrated),
            "after": reliability(labels, probabilities),
        },
    }


def by_subject(
    labels: Labels, predicted: Labels, subjects: NDArray[np.str_] | None
) -> dict[str, dict[str, float | int]]:
    """Windows, accuracy and macro-F1 of each person; empty where people are unknown."""
    if subjects is None:
        return {}
    people = sorted(set(subjects.tolist()), key=lambda s: (len(s), s))
    return {
        name: {
            "windows": int((subjects == name).sum()),
            "accuracy": float(accuracy_score(labels[subjects == name], predicted[subjects == name])),
            "macro_f1": macro_f1(labels[subjects == name], predicted[subjects == name]),
        }
        for name in people
    }


def features(windows: Floats) -> Floats:
    """Simple features for the random forest: 47 numbers a window.

    Of each axis and of the magnitude: mean, standard deviation, minimum, maximum, 25th and 75th percentile, mean
    absolute difference of neighbors, strongest frequency, its share of the power, and zero crossings about the mean
    (40); correlations of the axes (3); energy, and the direction of the mean (4).

    Args:
        windows: `(N, T, 3)`.

    Returns:
        `(N, 47)`.
    """
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


Predict = Callable[[Floats], Labels]
"""Windows `(N, T, 3)` to class numbers `(N,)`."""


def random_forest(windows: Floats, labels: Labels, seed: int = 0) -> Predict:
    """Fits 300 trees on `features`."""
    forest = RandomForestClassifier(300, random_state=seed, n_jobs=-1, class_weight="balanced_subsample")
    forest.fit(features(windows), labels)
    return lambda test: np.asarray(forest.predict(features(test)), np.int64)


def majority_class(labels: Labels) -> Predict:
    """Always answers the most frequent training class."""
    most = int(np.bincount(labels).argmax())
    return lambda test: np.full(len(test), most, np.int64)


def baselines(
    train: tuple[Floats, Labels], test: tuple[Floats, Labels], subjects: NDArray[np.str_] | None
) -> dict[str, dict[str, Any]]:
    """Accuracy, macro-F1 and its interval of what a model has to beat.

    Args:
        train: Windows and labels to fit on.
        test: Windows and labels to measure on.
        subjects: Who made the test windows.
    """
    scores = {}
    fitted = {"majority_class": majority_class(train[1]), "random_forest": random_forest(*train)}
    for name, predict in fitted.items():
        predicted = predict(test[0])
        scores[name] = {
            "accuracy": float(accuracy_score(test[1], predicted)),
            "macro_f1": macro_f1(test[1], predicted),
            "macro_f1_interval": list(bootstrap_interval(test[1], predicted, subjects)),
        }
    return scores


class Disturbance(Protocol):
    """Something that happens to a phone: a name, what it means, and what it does to windows."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def meaning(self) -> str: ...  # noqa: D102

    def apply(self, windows: Floats, rate: float, random: np.random.Generator) -> Floats: ...  # noqa: D102


def robustness(
    predict: Predict,
    windows: Floats,
    labels: Labels,
    rate: float,
    disturbances: Iterable[Disturbance],
    seed: int = 0,
) -> Mapping[str, dict[str, Any]]:
    """Macro-F1 under each disturbance, and how far it drops.

    Args:
        predict: The model.
        windows: `(N, T, 3)` undisturbed.
        labels: `(N,)`.
        rate: Hz of the rows.
        disturbances: What to try, such as `data.disturbances.DISTURBANCES`.
        seed: Of the random disturbances.
    """
    plain = macro_f1(labels, predict(windows))
    results = {}
    for disturbance in disturbances:
        disturbed = disturbance.apply(windows, rate, np.random.default_rng(seed)).astype(np.float32)
        score = macro_f1(labels, predict(disturbed))
        results[disturbance.name] = {"meaning": disturbance.meaning, "macro_f1": score, "drop": plain - score}
    return results
