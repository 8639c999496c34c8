"""Comparison of methods on the same people: paired differences with Holm's correction, and ranks.

    d = F1(one) - F1(other)          pooled macro-F1 of all windows
    t = d / s                        s: its deviation over draws of people, the same for both methods
    p = 2 P(T > |t|)                 T: Student's, with one degree of freedom less than people

People are the sample: seeds and folds train on much the same windows, and are no independent repetitions. Holm, 1979,
Scandinavian Journal of Statistics 6. Ranks are those of Demsar, 2006, Journal of Machine Learning Research 7, section
3.2: Friedman's test, and Nemenyi's critical difference of mean ranks.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from zoo.activity.metrics import Labels, paired_difference

Answers = tuple[Labels, Labels, NDArray[np.str_]]
"""Labels, predictions and people of the windows of a method."""

LEVEL = 0.05
"""Of the critical difference."""

_TINY = 1e-12

FEWEST_BLOCKS, FEWEST_METHODS = 6, 3
"""Below them there are no ranks: both tests are approximations for many people, as a rule of thumb more than ten."""


def pairs(answered: Mapping[str, Answers]) -> list[dict[str, Any]]:
    """The differences of all pairs of methods, as `metrics.paired_difference` has them, with p-values.

    `p_alone` is that of the pair, and `p` the one after Holm's correction. Its family are all pairs: the best method is
    chosen by the same scores, which would flatter it in a family of the pairs with the best. Over few people, both are
    None.
    """
    rows = [
        {"one": one, "other": other, **paired_difference(answered[one], answered[other])}
        for one, other in combinations(answered, 2)
    ]
    if any(row["standard_error"] is None for row in rows):
        return [row | {"p_alone": None, "p": None} for row in rows]
    sizes = [abs(row["macro_f1"]) / max(row["standard_error"], _TINY) for row in rows]
    alone = [float(2 * stats.t.sf(size, df=row["of"] - 1)) for size, row in zip(sizes, rows, strict=True)]
    return [row | {"p_alone": one, "p": p} for row, one, p in zip(rows, alone, holm(alone), strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family after Holm's correction: reject those up to 0.05, and one error has a chance of 0.05.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order, corrected = np.argsort(p_values, kind="stable"), np.zeros(len(p_values))
    sizes = np.arange(len(p_values), 0, -1) * np.asarray(p_values)[order]
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, sizes))
    return [float(p) for p in corrected]


def ranks(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The mean ranks of methods over people, from 1 for the best, by the score of each person.

    Args:
        scores: For each method, the score of each person; only those count whom all methods have.

    Returns:
        `people`, `mean` by method, `friedman` (a p-value), `critical_difference` at the level 0.05, and the groups of
        methods that are `alike`; or `people` and `refused`, why there are no ranks.
    """
    people = sorted(set.intersection(*(set(of_method) for of_method in scores.values())))
    for count, fewest, what in ((len(scores), FEWEST_METHODS, "methods"), (len(people), FEWEST_BLOCKS, "people")):
        if count < fewest:
            return {"people": len(people), "refused": f"no ranks of {count} {what}: from {fewest} on"}
    table = np.array([[of_method[person] for of_method in scores.values()] for person in people])
    ranked = stats.rankdata(-table, axis=1)
    # Methods that are equal for everyone are not different.
    friedman = 1.0 if (ranked == ranked[:, :1]).all() else float(stats.friedmanchisquare(*table.T).pvalue)
    size, mean = len(scores), dict(zip(scores, ranked.mean(axis=0).tolist(), strict=True))
    quantile = float(stats.studentized_range.ppf(1 - LEVEL, size, np.inf)) / np.sqrt(2)
    critical = float(quantile * np.sqrt(size * (size + 1) / (6 * len(people))))
    return {
        "people": len(people), "mean": mean, "friedman": friedman, "critical_difference": critical,
        "alike": alike(mean, critical),
    }  # fmt: skip


def alike(mean: Mapping[str, float], critical: float) -> list[list[str]]:
    """Groups of methods whose mean ranks differ by less than the critical difference, without those inside others.

    Example:
        >>> alike({"a": 1.0, "b": 1.5, "c": 2.5, "d": 4.0}, 1.2)
        [['a', 'b'], ['b', 'c']]
    """
    order = sorted(mean, key=mean.__getitem__)
    groups = [[name for name in order if 0 <= mean[name] - mean[first] < critical] for first in order]
    return [
        group for place, group in enumerate(groups)
        if len(group) > 1 and not any(set(group) <= set(wider) for wider in groups[:place])
    ]  # fmt: skip
