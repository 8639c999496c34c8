"""Labels of recognizers: sets of classes as labels, and priors, the class frequencies that probabilities assume.

A study that only knows "stairs" names a set. Labels `(N,)` from 0 to K - 1 are the K classes. The label K + i means one
of the classes in `label_sets[i]`; which one is not known.

Other class frequencies are assumed by

    p'(k | x)  ~  p(k | x) prior'_k / prior_k        that is,  logits' = logits + log(prior') - log(prior)

Saerens, Latinne, Decaestecker: Adjusting the outputs of a classifier to new a priori probabilities: a simple procedure,
Neural Computation 14(1), 2002, equation 2.4, doi 10.1162/089976602753284446.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError, shown

COUNTED = (
    "a window whose label means one of several classes counts as the one that the model prefers: the numbers of "
    "windows of these classes, and their F1, are not comparable between models"
)
"""What every report on such windows says."""

_EXACT = 1e-6
"""Difference from 1 that the sum of a prior may have."""

Sets = Sequence[Sequence[int]]
Labels = NDArray[np.int64]


def allowed_classes(classes: int, label_sets: Sets = ()) -> NDArray[np.bool_]:
    """Which of the K classes a label allows, `(K + len(label_sets), K)`: its own, or those of its set."""
    rows = [np.isin(np.arange(classes), members) for members in label_sets]
    return np.concatenate([np.eye(classes, dtype=bool), np.reshape(rows, (-1, classes))]).astype(bool)


def resolve(labels: Labels, scores: NDArray[np.floating[Any]], label_sets: Sets) -> Labels:
    """Each label that is a set as its class with the highest score `(N, K)`: a prediction in the set is right."""
    resolved = labels.copy()
    for label, members in enumerate(label_sets, start=scores.shape[1]):
        rows = labels == label
        resolved[rows] = np.asarray(members)[scores[rows][:, list(members)].argmax(axis=1)]
    return resolved


def indistinct(labels: Labels, classes: int, label_sets: Sets) -> list[list[int]]:
    """The sets with a class that training labels never name outside a set, so that it cannot be told apart."""
    known = set(labels[labels < classes].tolist())
    return [list(members) for members in label_sets if not known.issuperset(members)]


def forgive(labels: Labels, predicted: Labels, label_sets: Sets) -> Labels:
    """Corrects predictions that take a class for another one of the same set."""
    for members in label_sets:
        predicted = np.where(np.isin(labels, members) & np.isin(predicted, members), labels, predicted)
    return predicted


def label_frequencies(
    counts: NDArray[np.floating[Any]], classes: Sequence[str], label_sets: Sets = ()
) -> dict[str, float]:
    """The frequency of each class, from the counts or weights of the windows of each label and set.

    The windows of a set of classes are divided among them as their own windows are, equally if they have none. Empty if
    a class has no windows, since no prior can be adjusted then.
    """
    own = counts[: len(classes)].astype(np.float64)
    total = own.copy()
    for count, members in zip(counts[len(classes) :], label_sets, strict=True):
        places = list(members)
        total[places] += count * (own[places] / own[places].sum() if own[places].any() else 1 / len(places))
    return dict(zip(classes, (total / total.sum()).tolist(), strict=True)) if total.all() else {}


def parse_prior(text: str) -> dict[str, float]:
    """Reads a prior from the command line, such as `walking=0.6,sitting=0.3`."""
    prior: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (word.strip() for word in part.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise ZooError(f"prior {shown(part.strip())}: expected CLASS=SHARE, such as walking=0.6,sitting=0.3")
        if name in prior:
            raise ZooError(f"prior: {name} is named twice")
        prior[name] = value
    return prior


def complete_prior(
    prior: Mapping[str, float], classes: Sequence[str], current: Mapping[str, float]
) -> dict[str, float]:
    """A prior of all classes: those that are not named share the rest in proportion to the current prior."""
    if not isinstance(prior, Mapping):
        raise ZooError(
            f"prior is of the type {type(prior).__name__}; expected the frequency of each class by its name, such as "
            f"{{{classes[0]!r}: 0.6}}"
        )
    for name, share in prior.items():
        if name not in classes:
            raise ZooError(f"prior: unknown class {shown(name)}; expected {', '.join(classes)}")
        if not isinstance(share, int | float | np.number) or not 0 < share < np.inf:
            raise ZooError(
                f"prior of {name} is {shown(share)}; expected a number above 0: leave a class out to share the rest"
            )
    others, total = [name for name in classes if name not in prior], sum(prior.values())
    if others and total >= 1 - _EXACT:
        raise ZooError(f"prior sums to {total:g}, which leaves nothing for {', '.join(others)}: expected less than 1")
    if not others and abs(total - 1) > _EXACT:
        raise ZooError(f"prior sums to {total:g}; expected 1, or leave out a class, which gets the rest")
    rest = sum(current[name] for name in others)
    scale = {name: (1 - total) * current[name] / rest for name in others} if others else {}
    return {name: float(scale[name] if name in scale else prior[name]) for name in classes}


def prior_shift(new: Sequence[float], old: Sequence[float]) -> NDArray[np.float64]:
    """What is added to logits `(K,)`, after their division by a temperature, to assume another prior."""
    return np.log(np.asarray(new, np.float64)) - np.log(np.asarray(old, np.float64))
