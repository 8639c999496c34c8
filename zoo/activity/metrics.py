"""Metrics of recognizers: scores with intervals over people, calibration, robustness; and classifiers as baselines.

Scores take NumPy arrays: `labels (N,)` class indices, `probabilities (N, K)`, `subjects (N,)`. Where a label is a set
of classes, `label_sets` are the classes of each label from K on, as in `zoo.models.losses.CrossEntropy`. `other` is the
number of the class of all other movements, the last one, where there is one.

A baseline is fitted on a data set, and is a function from one to scores `(N, K)`. scikit-learn and aeon take a second
to import, so those functions import them that need them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp, softmax

from zoo.errors import ZooError, unknown_name
from zoo.runtime.labels import allowed_classes, resolve

if TYPE_CHECKING:
    from zoo.activity.augmentation import Disturbance
    from zoo.data.dataset import DataSet

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


def macro_f1(labels: Labels, predicted: Labels) -> float:
    """The mean of the F1 scores of all classes that occur in labels or predictions; -1 is a prediction of no class."""
    from sklearn.metrics import f1_score

    present = np.setdiff1d(np.union1d(labels, predicted), [-1])
    return float(f1_score(labels, predicted, labels=present, average="macro", zero_division=0))


def score(labels: Labels, predicted: Labels, other: int | None = None) -> dict[str, float]:
    """`accuracy` and `macro_f1` on the windows of known activities."""
    known, predicted = of_known(labels, predicted, other)
    labels, predicted = labels[known], predicted[known]
    return {"accuracy": float((labels == predicted).mean()), "macro_f1": macro_f1(labels, predicted)}


def cross_entropy(
    labels: Labels, logits: Floats, label_sets: Sequence[Sequence[int]] = (), other: int | None = None
) -> float:
    """The mean cross-entropy of logits; the probability of a set is the sum of those of its classes.
    Windows of the class `other` are left out, and the probabilities of the others are given that one of them is right.
    """
    allowed = allowed_classes(logits.shape[1], label_sets)[labels][:, :other]
    known = allowed.any(axis=1)
    shares = log_softmax(logits[known, :other].astype(np.float64), axis=1)
    return -float(logsumexp(shares, axis=1, b=allowed[known]).mean())


def of_known(labels: Labels, predicted: Labels, other: int | None) -> tuple[NDArray[np.bool_], Labels]:
    """Which windows are of known activities, not other movements, and what is predicted for all, -1 for the latter."""
    # Nothing equals None, so that without the class all windows are known.
    return labels != other, np.where(predicted == other, -1, predicted)


def study_labels(labels: Labels, scores: Floats, label_sets: Sequence[Sequence[int]] = ()) -> tuple[Labels, Labels]:
    """Labels and predictions as a study that has sets as labels tells them apart: the classes of each count as one."""
    truth, predicted = resolve(labels, scores, label_sets), scores.argmax(axis=1)
    for label, members in enumerate(label_sets, start=scores.shape[1]):
        if (labels == label).any():
            truth, predicted = (np.where(np.isin(part, members), label, part) for part in (truth, predicted))
    return truth, predicted


def by_study(
    labels: Labels, scores: Floats, studies: NDArray[np.str_], label_sets: Sequence[Sequence[int]] = (),
    other: int | None = None,
) -> dict[str, dict[str, float | int | None]]:  # fmt: skip
    """`windows`, `accuracy` and `macro_f1` of each study by the labels that it tells apart; of one, no macro-F1."""
    measured: dict[str, dict[str, float | int | None]] = {}
    for name in sorted(set(studies[labels != other].tolist())):
        rows = (studies == name) & (labels != other)
        truth, predicted = study_labels(labels[rows], scores[rows], label_sets)
        measured[name] = {"windows": int(rows.sum()), **score(truth, predicted, other)}
        if len(np.unique(labels[rows])) == 1:
            measured[name]["macro_f1"] = None
    return measured


_BINS = 15
"""Bins of equal width into which confidence is divided."""


def reliability(labels: Labels, probabilities: Floats) -> list[dict[str, float]]:
    """Mean `confidence`, `accuracy` and `share` of the windows of each bin of confidence that is not empty."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = [places == place for place in np.unique(places)]
    means = ((confidence[rows].mean(), correct[rows].mean(), rows.mean()) for rows in bins)
    return [dict(zip(("confidence", "accuracy", "share"), map(float, row), strict=True)) for row in means]


def expected_calibration_error(labels: Labels, probabilities: Floats) -> float:
    """The mean difference between confidence and accuracy over bins of confidence, weighted by their windows.
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks, 2017, arXiv:1706.04599, equation 5.
    """
    return sum(row["share"] * abs(row["accuracy"] - row["confidence"]) for row in reliability(labels, probabilities))


def fit_temperature(labels: Labels, logits: Floats, other: int | None = None) -> float:
    """The temperature T in [0.05, 20] that minimizes the cross-entropy of softmax(logits / T) on validation data.

    Guo et al. 2017, section 4.2. As in Platt's scaling (1999, section 2.2), the targets are (N + 1) / (N + K) for the
    label and 1 / (N + K) for each other class: a model that is right about a few windows would otherwise be certain of
    everything. Windows of other movements and those whose label is a set are left out; without any window, T is 1.
    """
    among = logits[:, :other].astype(np.float64)
    single = labels < among.shape[1]
    if not single.any():
        return 1.0
    labels, among = labels[single], among[single]
    count, classes = among.shape
    targets = (np.eye(classes)[labels] * count + 1) / (count + classes)

    def cost(log_temperature: float) -> float:
        return -float((targets * log_softmax(among / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(cost, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


HIGHEST_THRESHOLD = 0.8
"""Of what validation asks for: on other people a model is less certain than on those who validated it."""


def rejection_threshold(probabilities: Floats, rate: float) -> float | None:
    """The threshold of the highest probability that refuses a share of windows (Chow's reject option).
    It is at most `HIGHEST_THRESHOLD`; None for a rate of 0. A window whose probability equals it is answered.
    """
    if not rate:
        return None
    return min(float(np.quantile(probabilities.max(axis=1), rate, method="higher")), HIGHEST_THRESHOLD)


def bootstrap(labels: Labels, predicted: Labels, subjects: NDArray[np.str_] | None) -> Floats:
    """The macro-F1 of each of 1,000 draws. Other predictions for the same people are drawn alike."""
    classes = int(max(labels.max(), predicted.max())) + 1
    units = np.arange(len(labels)) if subjects is None else np.unique(subjects, return_inverse=True)[1]
    # With one confusion matrix per unit, a draw is a sum instead of a pass over all windows.
    # The last row and column are of no class, which is -1.
    matrices = np.zeros((units.max() + 1, classes + 1, classes + 1))
    np.add.at(matrices, (units, labels, predicted), 1)
    drawn = []
    for draw in np.random.default_rng(0).integers(0, len(matrices), (1000, len(matrices))):
        confusion = matrices[draw].sum(axis=0)
        totals = (confusion.sum(axis=0) + confusion.sum(axis=1))[:-1]
        drawn.append((2 * np.diag(confusion)[:-1][totals > 0] / totals[totals > 0]).mean())
    return np.array(drawn)


FEWEST = 10
"""Over fewer people than this there is no interval: over four, 95% intervals would cover about 77%."""


def scores(labels: Labels, predicted: Labels, subjects: NDArray[np.str_] | None) -> dict[str, Any]:
    """`accuracy`, `macro_f1` and its 95% bootstrap interval over people or else windows, None for fewer than ten."""
    few = len(np.unique(np.arange(len(labels)) if subjects is None else subjects)) < FEWEST
    interval = None if few else np.percentile(bootstrap(labels, predicted, subjects), [2.5, 97.5]).tolist()
    return {**score(labels, predicted), "macro_f1_interval": interval}


def pooled_share(parts: Iterable[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]) -> dict[str, Any]:
    """The share of hits in what is counted, of all people together, and its 95% bootstrap interval over them.

    Args:
        parts: A person, and of each of some moments of theirs whether it is a hit, and whether it is counted.

    Returns:
        `share`, None where nothing is counted, `people`, and `interval`; of fewer than ten people None, and `by_person`
        has the share of each in its place.

    Example:
        >>> pooled_share([("ann", np.array([True, False]), np.array([True, True]))])
        {'share': 0.5, 'people': 1, 'interval': None, 'by_person': {'ann': 0.5}}
    """
    counts: dict[str, NDArray[np.int64]] = {}
    for person, hits, counted in parts:
        counts[person] = counts.get(person, 0) + np.array([(hits & counted).sum(), counted.sum()])
    counts = {person: both for person, both in counts.items() if both[1]}
    if not counts:
        return {"share": None, "people": 0, "interval": None}
    hits, moments = np.array([*counts.values()]).T
    found = {"share": float(hits.sum() / moments.sum()), "people": len(counts)}
    if len(counts) < FEWEST:
        by_person = {person: float(hit / of) for person, (hit, of) in counts.items()}
        return found | {"interval": None, "by_person": by_person}
    drawn = np.random.default_rng(0).integers(0, len(hits), (1000, len(hits)))
    interval = np.percentile(hits[drawn].sum(axis=1) / moments[drawn].sum(axis=1), [2.5, 97.5])
    return found | {"interval": interval.tolist()}


def paired_difference(
    one: tuple[Labels, Labels, NDArray[np.str_]], other: tuple[Labels, Labels, NDArray[np.str_]]
) -> dict[str, Any]:
    """The macro-F1 of one method minus that of another, and for how many people its accuracy is higher, or lower.

    Both are of all windows of the people whom both have, who are drawn alike for the 95% interval and for the standard
    error, which is the deviation of the draws. The mean over people of their own macro-F1 would say little, since many
    a person has a single class.

    Args:
        one: Labels, predictions and people of the windows of one method.
        other: Those of the other.

    Example:
        >>> people = np.repeat(["ann", "bob"], 2)
        >>> paired_difference(*((np.array([0, 1, 0, 1]), np.array(p), people) for p in ([0, 1, 0, 1], [0, 1, 1, 0])))
        {'macro_f1': 0.5, 'interval': None, 'standard_error': None, 'people': 1, 'worse': 0, 'of': 2}
    """
    common, interval, error = np.intersect1d(one[2], other[2]), None, None
    kept = [np.isin(part[2], common) for part in (one, other)]
    one, other = ((part[0][rows], part[1][rows], part[2][rows]) for part, rows in zip((one, other), kept, strict=True))
    if len(common) >= FEWEST:
        drawn = bootstrap(*one) - bootstrap(*other)
        interval, error = np.percentile(drawn, [2.5, 97.5]).tolist(), float(drawn.std(ddof=1))
    shares = [[(part[0] == part[1])[part[2] == name].mean() for name in common] for part in (one, other)]
    return {
        "macro_f1": macro_f1(*one[:2]) - macro_f1(*other[:2]), "interval": interval, "standard_error": error,
        "people": sum(int(mine > theirs) for mine, theirs in zip(*shares, strict=True)),
        "worse": sum(int(mine < theirs) for mine, theirs in zip(*shares, strict=True)), "of": len(common),
    }  # fmt: skip


def classification(
    labels: Labels, predicted: Labels, classes: Sequence[str], subjects: NDArray[np.str_] | None,
    other: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What needs only predicted classes: `scores`, `confusion` (rows are true classes), `per_class`, `per_subject`.
    Scores are of known activities, where one that is taken for another movement is wrong.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    known, among = of_known(labels, predicted, other)
    truth, among = labels[known], among[known]
    owners = None if subjects is None else subjects[known]
    numbers = list(range(len(classes)))
    columns = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    people = {
        name: {"windows": int(mine.sum()), **score(truth[mine], among[mine])}
        for name in ([] if owners is None else sorted(set(owners.tolist()), key=lambda name: (len(name), name)))
        for mine in [owners == name]
    }
    return {
        **scores(truth, among, owners),
        "classes": list(classes),
        "confusion": confusion_matrix(labels, predicted, labels=numbers).tolist(),
        "per_class": {
            name: dict(zip(("precision", "recall", "f1", "windows"), row, strict=True))
            for name, row in zip(classes, rows, strict=True)
        },
        **other_recall(labels, predicted, other),
        "per_subject": people,
        "worst_subject": min(people, key=lambda name: people[name]["accuracy"]) if people else None,
    }


def measured(
    labels: Labels, logits: Floats, temperature: float = 1.0, label_sets: Sequence[Sequence[int]] = (),
    other: int | None = None, threshold: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the answers of a network are worth: those to windows of known activities, a set as its most probable class.

    Logits are those before temperature scaling. With a threshold, `answered` has the share of windows that it has
    `refused`, and the `accuracy` of the rest, None if there is none.
    """
    logits = logits.astype(np.float64)
    truth, predicted = resolve(labels, logits, label_sets), logits.argmax(axis=1)
    known = truth != other
    scaled = {"before": logits[known, :other], "after": logits[known, :other] / temperature}
    probabilities = {name: softmax(part, axis=1) for name, part in scaled.items()}
    errors = {name: expected_calibration_error(truth[known], part) for name, part in probabilities.items()}
    numbers = {
        "windows": int(known.sum()),
        **score(truth, predicted, other),
        **other_recall(truth, predicted, other),
        "cross_entropy": cross_entropy(labels, logits / temperature, label_sets, other),
        "ece": errors | {"temperature": temperature},
        "reliability": {name: reliability(truth[known], part) for name, part in probabilities.items()},
    }
    if threshold is not None:
        kept = softmax(logits[known] / temperature, axis=1).max(axis=1) >= threshold
        right = (predicted == truth)[known][kept]
        accuracy = float(right.mean()) if len(right) else None
        numbers["answered"] = {"threshold": threshold, "refused": float(1 - kept.mean()), "accuracy": accuracy}
    return numbers


def other_recall(labels: Labels, predicted: Labels, other: int | None) -> dict[str, dict[str, float | int]]:
    """As `other`, the `windows` of other movements and their `recall`; empty where there are none, or no such class."""
    answers = predicted[labels == other]
    return {"other": {"windows": len(answers), "recall": float((answers == other).mean())}} if len(answers) else {}


Predict = Callable[[Floats], Labels]
"""Function from windows `(N, T, C)` to class indices `(N,)`."""


def robustness(
    predict: Predict, windows: Floats, labels: Labels, rate: float, disturbances: "Iterable[Disturbance]"
) -> Mapping[str, dict[str, Any]]:
    """The `macro_f1` on windows that are disturbed in different ways, and its `drop` from that on undisturbed ones."""
    plain = macro_f1(labels, predict(windows))
    results = {}
    for name, meaning, apply in disturbances:
        score = macro_f1(labels, predict(apply(windows, rate, np.random.default_rng(0)).astype(np.float32)))
        results[name] = {"meaning": meaning, "macro_f1": score, "drop": plain - score}
    return results


POSE = 12
"""Features of a window that depend on how the phone lies."""
_TINY = 1e-9
_TREES = 400
_PENALTIES, _GROUPS = (10.0, 100.0, 1e3, 1e4, 1e5), 3
"""Penalties of the ridge of MiniRocket, and into how many groups of people it divides to choose one."""


def features(windows: Floats) -> Floats:
    """Describes windows `(N, T, 3)` or `(N, T, 6)` for the random forest, for the most part whichever way a phone lies.

    Of each sensor three signals: its magnitude, its part along gravity (the mean acceleration), and the length of the
    rest; of each, moments, quantiles, spectrum and autocorrelation. Last, `POSE` numbers of how the phone lies, by
    which alone sitting differs from standing.
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


Describe = Callable[[Floats], Floats]
"""Function from windows `(N, T, C)` to features `(N, D)`."""
Scores = Callable[[Floats], Floats]
"""Function from features to scores `(N, K)`: the class with the highest is the answer."""
Fit = Callable[[Floats, Labels, NDArray[Any]], Scores]
"""Function from features, labels and people to scores."""


def random_forest(windows: Floats, classes: int, seed: int, jobs: int) -> tuple[Describe, Fit]:
    """Trees on `features`."""
    from sklearn.ensemble import RandomForestClassifier

    def fit(rows: Floats, labels: Labels, people: NDArray[Any]) -> Scores:
        forest = RandomForestClassifier(_TREES, random_state=seed, n_jobs=jobs, class_weight="balanced_subsample")
        forest.fit(rows, labels)
        return lambda test: _columns(forest.predict_proba(test), forest.classes_, classes)

    return features, fit


def nearest_neighbor(windows: Floats, classes: int, seed: int, jobs: int) -> tuple[Describe, Fit]:
    """The distance to the nearest window of each class, by standardized `features`."""
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    def fit(rows: Floats, labels: Labels, people: NDArray[Any]) -> Scores:
        scaler, present = StandardScaler().fit(rows), np.unique(labels)
        nearest = [NearestNeighbors(n_jobs=jobs).fit(scaler.transform(rows[labels == label])) for label in present]

        def score(test: Floats) -> Floats:
            scaled = scaler.transform(test)
            return _columns(-np.hstack([part.kneighbors(scaled, 1)[0] for part in nearest]), present, classes)

        return score

    return features, fit


def minirocket(windows: Floats, classes: int, seed: int, jobs: int) -> tuple[Describe, Fit]:
    """MiniRocket, a ridge on 10,000 convolutional features: Dempster et al., KDD 2021, arXiv:2012.08791."""
    require_baseline("minirocket")
    from aeon.transformations.collection.convolution_based import MiniRocket

    rocket = MiniRocket(n_kernels=10_000, n_jobs=jobs, random_state=seed).fit(windows.transpose(0, 2, 1))

    def read(windows: Floats) -> Floats:
        return np.asarray(rocket.transform(windows.transpose(0, 2, 1)), np.float32)

    return read, partial(_fit_ridge, classes)


def _fit_ridge(classes: int, rows: Floats, labels: Labels, people: NDArray[Any]) -> Scores:
    """A ridge on a column of 1 and -1 for each class, whose penalty is chosen on people that it was not fitted on.

    aeon chooses it by leaving out single windows, whose neighbors stay, and takes minutes for ten thousand of them.
    """
    from scipy.linalg import solve
    from sklearn.model_selection import GroupKFold

    mean, deviation = rows.mean(axis=0), np.maximum(rows.std(axis=0), _TINY)
    scaled = rows - mean
    scaled /= deviation
    targets = 2 * np.eye(classes)[labels] - 1
    middle = targets.mean(axis=0)
    # In the type of the features, which are otherwise copied for each product.
    targets = (targets - middle).astype(rows.dtype)
    groups = min(_GROUPS, len(np.unique(people)))
    folds = [*GroupKFold(groups).split(rows, groups=people)] if groups > 1 else []
    # Of two equal systems the smaller one; the matrices of the groups of people are also that of all.
    wide = len(scaled) < scaled.shape[1]
    parts = [scaled[held].T @ scaled[held] for _, held in folds] if folds and not wide else []
    gram = sum(parts, np.zeros(())) if parts else np.asarray(scaled @ scaled.T if wide else scaled.T @ scaled, float)
    whole = targets if wide else scaled.T @ targets

    def solved(system: Floats, right: Floats, penalty: float) -> Floats:
        system = system.copy(order="F")
        system.flat[:: len(system) + 1] += penalty
        return np.asarray(solve(system, right, assume_a="pos", overwrite_a=True), rows.dtype)

    hits = np.zeros(len(_PENALTIES))
    for number, (kept, held) in enumerate(folds):
        if wide:
            system, right, reach = gram[np.ix_(kept, kept)], targets[kept], gram[np.ix_(held, kept)]
        else:
            reach = scaled[held]
            system, right = gram - parts[number], whole - reach.T @ targets[held]
        answers = [(reach @ solved(system, right, penalty) + middle).argmax(axis=1) for penalty in _PENALTIES]
        hits += [(answer == labels[held]).sum() for answer in answers]
    chosen = solved(gram, whole, _PENALTIES[int(hits.argmax())])
    weights = scaled.T @ chosen if wide else chosen
    present = np.unique(labels)
    return lambda test: _columns(((test - mean) / deviation @ weights + middle)[:, present], present, classes)


def _columns(scores: Floats, present: Labels, classes: int) -> Floats:
    """Scores of all classes, from those of the classes that were present in the training."""
    whole = np.full((len(scores), classes), -np.inf)
    whole[:, present] = scores
    return whole


BASELINES: dict[str, Callable[[Floats, int, int, int], tuple[Describe, Fit]]] = {
    "random_forest": random_forest,
    "nearest_neighbor": nearest_neighbor,
    "minirocket": minirocket,
}
"""Baselines by name: functions `(windows, classes, seed, jobs)` to a reader of windows and a fit of what it reads."""

SEEDLESS = ("nearest_neighbor",)
"""Baselines that do not depend on the seed."""


def of_estimator(estimator: Any, windows: Floats, classes: int, seed: int, jobs: int) -> tuple[Describe, Fit]:
    """A clone of an estimator of scikit-learn or aeon, whose random states are the seed.

    It reads `features`; one that begins with a step that takes any input, or arrays of three axes, reads windows.
    """
    from sklearn.base import clone
    from sklearn.utils import get_tags

    first = estimator.steps[0][1] if hasattr(estimator, "steps") else estimator
    tags = get_tags(first)
    raw = tags.no_validation or tags.input_tags.three_d_array
    of_aeon = any(kind.__module__.startswith("aeon.") for kind in type(first).__mro__)

    def fit(rows: Floats, labels: Labels, people: NDArray[Any]) -> Scores:
        # One value for each class, not for each pair.
        shapes = [name for name in estimator.get_params() if name.endswith("decision_function_shape")]
        fixed = dict.fromkeys(_random_states(estimator), seed) | dict.fromkeys(shapes, "ovr")
        fitted = clone(estimator).set_params(**fixed).fit(rows, labels)
        tell: Any = getattr(fitted, "predict_proba", getattr(fitted, "decision_function", None))

        def score(test: Floats) -> Floats:
            answers = np.asarray(tell(test), np.float64).reshape(len(test), -1)
            # The decision function of two classes is that of the second.
            two = answers.shape[1] < len(fitted.classes_)
            return _columns(answers * [-1, 1] if two else answers, fitted.classes_, classes)

        return score if tell else lambda test: np.eye(classes)[np.asarray(fitted.predict(test), np.int64)]

    return (lambda part: part.transpose(0, 2, 1) if of_aeon else part) if raw else features, fit


def _random_states(estimator: Any) -> list[str]:
    return [name for name in estimator.get_params() if name.rpartition("__")[2] == "random_state"]


def is_seedless(baseline: Any) -> bool:
    """Whether a baseline, by its name or as an estimator, does not depend on the seed."""
    return baseline in SEEDLESS if isinstance(baseline, str) else not _random_states(baseline)


def fit_baseline(
    baseline: Any, train: "DataSet", rows: int | None = None, *, seed: int = 0, jobs: int = -1
) -> "Callable[[DataSet], Floats]":
    """Fits a baseline, by its name or as an estimator, on the center `rows` of all windows, as a network is.

    A first fit, on the windows of one class, says which class is likelier for each window whose label is a set. Of
    classes with equal scores, as where none of a set is predicted, the more frequent one is preferred.
    """
    rows, classes = rows or train.inputs.shape[1], len(train.facts["classes"])
    windows, labels = train.centers(rows)
    make = BASELINES[baseline] if isinstance(baseline, str) else partial(of_estimator, baseline)
    read, fit = make(windows, classes, seed, jobs)
    described, people = read(windows), np.arange(len(train)) if train.subjects is None else train.subjects

    def fitted(part: Any) -> Scores:
        score, counts = fit(described[part], labels[part], people[part]), np.bincount(labels[part], minlength=classes)
        return lambda some: score(some) + _TINY * counts / counts.sum()

    if not (single := labels < classes).all():
        # Without any of one class, training cannot tell the classes of a set apart.
        first = fitted(single)(described) if single.any() else np.zeros((len(train), classes))
        labels = resolve(labels, first, train.label_sets)
    score = fitted(slice(None))
    return lambda test: score(read(test.centers(rows)[0]))


def require_baseline(name: str) -> None:
    """Refuses a baseline that does not exist, or whose library is not installed."""
    if name not in BASELINES:
        raise unknown_name("baseline", name, list(BASELINES))
    if name == "minirocket" and find_spec("aeon") is None:
        raise ZooError("minirocket needs aeon: pip install 'pocket-zoo[baselines]'")


def baseline_scores(
    train: "DataSet", test: "DataSet", rows: int, other: int | None = None, more: Callable[..., Any] = lambda *_: {},
) -> dict[str, Any]:  # fmt: skip
    """The `scores` of the most frequent class and of a random forest on test windows of known activities.

    They read the center `rows` of windows. A label that is a set counts as its class that the baseline prefers.
    `more` makes further scores of labels and predictions.
    """
    classes, truth = len(train.facts["classes"]), test.labels
    frequencies = np.bincount(train.labels, minlength=classes)[:classes].astype(float)
    forest = fit_baseline("random_forest", train, rows)(test)
    found = {}
    for name, answers in (("majority_class", np.tile(frequencies, (len(test), 1))), ("random_forest", forest)):
        known, predicted = of_known(truth, answers.argmax(axis=1), other)
        people = None if test.subjects is None else test.subjects[known]
        labels = resolve(truth, answers, test.label_sets)[known]
        found[name] = {**scores(labels, predicted[known], people), **more(labels, predicted[known])}
    return found
