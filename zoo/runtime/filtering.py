"""A filter over time: from the network's answers to probabilities given all answers so far.

The labels are divided into groups, as a tree: the first group divides all labels, each further one divides a part of an
earlier one. In each group, the forward filter of a hidden Markov model follows which of K parts is true, so that each
question has a speed of its own: still or moving is seen at once, walking or stairs only after some seconds. With p the
probabilities of an answer, dt the seconds since the last one, x_k the sum of p over part k, and s = sum_k x_k how far
the network believes in the group:

    predict   b'_k = b_k (1 - r_k) + sum_{j != k} b_j r_j / (K - 1),    r_k = 1 - exp(-dt / stay_k)
    update    b_k ~ b'_k max(x_k / s, FLOOR)^(evidence dt s)            normalized; left out where s = 0

    probability of a label = product of b_k over the parts that contain it

b starts from the stationary distribution of the chain, stay_k / sum(stay).

Source: Rabiner, A tutorial on hidden Markov models and selected applications in speech recognition, Proceedings of the
IEEE 77(2), 1989.
"""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

FLOOR = 0.01
"""Least share of a part in its group: no single answer counts as proof."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A part of the labels, or all of them, and the parts into which it divides.

    Args:
        parts: Labels of each part. A part of several labels is divided by a later group.
        evidence: How much a second of the network's answers counts; 1 for as much as one independent observation.
        stay: Mean time in seconds for which each part lasts.
    """

    parts: tuple[tuple[str, ...], ...]
    evidence: float
    stay: tuple[float, ...]


def default_groups(classes: Sequence[str]) -> tuple[Group, ...]:
    """Returns one group in which each label is a part: that of files which state none."""
    if len(classes) < 2:
        return ()
    return (Group(parts=tuple((name,) for name in classes), evidence=1.0, stay=(60.0,) * len(classes)),)


def misfit_of(groups: Sequence[Group], classes: Sequence[str]) -> str:
    """Returns why groups are no tree of the labels, in words; empty if they are.

    Example:
        >>> halves = Group(parts=(("sit",), ("walk", "run")), evidence=3.0, stay=(30.0, 30.0))
        >>> misfit_of([halves], ["sit", "walk", "run"])
        "'streaming.groups' leave walk, run together; expected a group that divides them"
    """
    undivided = {frozenset(classes)}
    for number, group in enumerate(groups):
        key, known = f"'streaming.groups[{number}]'", [name for part in group.parts for name in part]
        if len(group.parts) < 2 or not all(group.parts):
            return f"{key} has parts {json.dumps(group.parts)}; expected 2 or more, each with a label"
        if len(group.stay) != len(group.parts):
            return f"{key} has {len(group.stay)} numbers in stay; expected {len(group.parts)}, one for each part"
        if unknown := [name for name in known if name not in classes]:
            return f"{key} has the label {unknown[0]}; expected {', '.join(classes)}"
        if len(set(known)) < len(known):
            return f"{key} has the labels {', '.join(known)}; expected each once"
        if frozenset(known) not in undivided:
            return f"{key} divides {', '.join(known)}; expected {_expected(undivided, classes) or 'no further group'}"
        undivided.remove(frozenset(known))
        undivided.update(map(frozenset, group.parts))
    together = _expected(undivided, classes)
    return f"'streaming.groups' leave {together} together; expected a group that divides them" if together else ""


def _expected(undivided: Collection[frozenset[str]], classes: Sequence[str]) -> str:
    """Returns the parts that a further group may divide, in words. Empty if none is left."""
    parts = [[name for name in classes if name in part] for part in undivided if len(part) > 1]
    return " or ".join(", ".join(part) for part in sorted(parts))


class _Belief:
    """Which part of a group is true."""

    def __init__(self, group: Group, classes: Sequence[str], seconds: float) -> None:
        places = {name: number for number, part in enumerate(group.parts) for name in part}
        self.members = [(label, places[name]) for label, name in enumerate(classes) if name in places]
        self.weight = group.evidence * seconds
        # For a part that lasts days, 1 - exp would round to nothing.
        self.leave = [-math.expm1(-seconds / stay) for stay in group.stay]
        self.start = [stay / sum(group.stay) for stay in group.stay]
        self.parts = self.start

    def update(self, probabilities: Sequence[float]) -> None:
        left = [part * leave for part, leave in zip(self.parts, self.leave, strict=True)]
        total, others = sum(left), len(left) - 1
        parts = [part - gone + (total - gone) / others for part, gone in zip(self.parts, left, strict=True)]
        shares = [0.0] * len(parts)
        for label, part in self.members:
            shares[part] += probabilities[label]
        within = sum(shares)
        if within > 0:
            shares = [max(share / within, FLOOR) for share in shares]
            # Relative to the greatest share, no power makes all parts zero.
            best, power = max(shares), self.weight * within
            parts = [part * (share / best) ** power for part, share in zip(parts, shares, strict=True)]
            total = sum(parts)
            parts = [part / total for part in parts]
        self.parts = parts


class Filter:
    """Filters probabilities over time.

    Args:
        classes: Labels, in the order of the probabilities.
        groups: Groups of the labels. Empty for one group of all labels, see `default_groups`.
        seconds: Time from one answer of the network to the next.

    Raises:
        ZooError: If the groups are no tree of the labels.

    Example:
        >>> group = Group(parts=(("sitting",), ("walking",)), evidence=3.0, stay=(30.0, 30.0))
        >>> filtered = Filter(["sitting", "walking"], [group], seconds=0.5)
        >>> for _ in range(3):
        ...     print(filtered.update([0.2, 0.8]).round(3).tolist())
        [0.111, 0.889]
        [0.017, 0.983]
        [0.004, 0.996]
    """

    def __init__(self, classes: Sequence[str], groups: Sequence[Group], seconds: float) -> None:
        groups = groups or default_groups(classes)
        if wrong := misfit_of(groups, classes):
            raise ZooError(f"streaming: {wrong}")
        self._count = len(classes)
        self._beliefs = [_Belief(group, classes, seconds) for group in groups]

    def restart(self) -> None:
        """Forgets all answers."""
        for belief in self._beliefs:
            belief.parts = belief.start

    def update(self, probabilities: Sequence[float]) -> NDArray[np.float64]:
        """Adds an answer of the network `(classes,)`. Returns the probabilities given all answers, `(classes,)`."""
        found = [1.0] * self._count
        for belief in self._beliefs:
            belief.update(probabilities)
            for label, part in belief.members:
                found[label] *= belief.parts[part]
        return np.array(found)
