"""Metrics over all folds of a cross-validation: people, spread, calibration, and paired differences of methods."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.activity.metrics import Floats, Labels, expected_calibration_error, fit_temperature, rejection_threshold

_WORST = 3


def people(
    per_subject: Mapping[str, Mapping[str, Any]], right: NDArray[np.bool_], subjects: NDArray[np.str_],
    rows: NDArray[np.int64], seeds: NDArray[np.int64],
) -> dict[str, Any]:  # fmt: skip
    """Adds the number of windows and the accuracy per seed to the scores of people.

    Args:
        per_subject: Result of `activity.by_subject` for all seeds together.
        right: Whether each prediction is correct, `(N,)`.
        subjects: Subject of each window, `(N,)`.
        rows: Row number of each window, `(N,)`. With several seeds each occurs several times.
        seeds: Seed of the model of each prediction, `(N,)`.

    Returns:
        `per_subject` and `worst_subjects`, the names of the three people with the lowest macro-F1.
    """
    table = {}
    for name, row in per_subject.items():
        own = subjects == name
        by_seed = [float(right[own & (seeds == seed)].mean()) for seed in np.unique(seeds[own])]
        table[name] = {**row, "windows": len(np.unique(rows[own])), "accuracy_by_seed": by_seed}
    return {"per_subject": table, "worst_subjects": sorted(table, key=lambda name: table[name]["macro_f1"])[:_WORST]}


def spread(scores: Mapping[tuple[int, int], float]) -> dict[str, float | None]:
    """Computes the mean over folds, and its standard deviation over groups and over seeds.

    Args:
        scores: Scores by seed and group, without folds that failed.

    Returns:
        `mean`, `group_deviation` and `seed_deviation` (None if there is only one), and the score of the `worst_group`.

    Example:
        >>> spread({(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.75, (1, 1): 0.25})["worst_group"]
        0.375
    """
    seeds, groups = (sorted({key[place] for key in scores}) for place in (0, 1))
    table = np.array([[scores.get((seed, group), np.nan) for group in groups] for seed in seeds])
    by_group, by_seed = np.nanmean(table, axis=0), np.nanmean(table, axis=1)
    deviations = [float(means.std(ddof=1)) if len(means) > 1 else None for means in (by_group, by_seed)]
    return {
        "mean": float(np.nanmean(table)), "group_deviation": deviations[0], "seed_deviation": deviations[1],
        "worst_group": float(by_group.min()),
    }  # fmt: skip


def calibration(
    labels: Labels, logits: Sequence[Floats], temperatures: Sequence[float | None], classes: int, rejection_rate: float
) -> dict[str, Any]:
    """Computes the calibration on people that the models were not trained on, by the windows of a known class.

    Args:
        labels: Labels of all folds together, `(N,)`; from K on, sets of classes.
        logits: Logits `(n, K)` of each fold.
        temperatures: Temperature fitted in each fold, or None if its recipe has no validation set.
        classes: K, number of classes.
        rejection_rate: Share of windows that a threshold shall refuse.

    Returns:
        `ece`: the error `before` and `after` temperature scaling with each fold's own temperature, and the mean
        `temperature`. `temperature` and `threshold`: fitted on the logits of all folds, for a model that is trained on
        all people.
    """
    single = labels < classes
    every = np.concatenate(logits).astype(np.float64)
    labels, together = labels[single], every[single]
    known = [value for value in temperatures if value is not None]
    after = None
    if len(known) == len(logits):
        scale = np.repeat(known, [len(part) for part in logits])[single, None]
        after = expected_calibration_error(labels, softmax(together / scale, axis=1))
    temperature = fit_temperature(labels, together)
    return {
        "ece": {
            "before": expected_calibration_error(labels, softmax(together, axis=1)),
            "after": after,
            "temperature": float(np.mean(known)) if known else None,
        },
        "temperature": temperature,
        "threshold": rejection_threshold(softmax(every / temperature, axis=1), rejection_rate),
    }


def paired_difference(leader: Mapping[str, Any], other: Mapping[str, Any], draws: int = 1000) -> dict[str, Any]:
    """Compares two methods on the same people.

    Args:
        leader: `macro_f1` of each person with one method.
        other: `macro_f1` of each person with the other method.
        draws: Number of bootstrap samples of people for the interval.

    Returns:
        The mean difference in `macro_f1` over people, its 95% `interval`, and the number of `people` with a positive
        difference, `of` all people.

    Example:
        >>> one, two = ({"ann": {"macro_f1": a}, "bob": {"macro_f1": b}} for a, b in ((0.75, 1.0), (0.5, 1.0)))
        >>> paired_difference(one, two)
        {'macro_f1': 0.125, 'interval': [0.0, 0.25], 'people': 1, 'of': 2}
    """
    gaps = np.array([leader[name]["macro_f1"] - other[name]["macro_f1"] for name in leader if name in other])
    means = gaps[np.random.default_rng(0).integers(0, len(gaps), (draws, len(gaps)))].mean(axis=1)
    return {
        "macro_f1": float(gaps.mean()), "interval": np.percentile(means, [2.5, 97.5]).tolist(),
        "people": int((gaps > 0).sum()), "of": len(gaps),
    }  # fmt: skip
