"""A filter over time: from the network's answers to probabilities given all answers so far.

The labels are divided into groups, as a tree: the first group divides all labels, each further one divides a part of an
earlier one. In each group, the forward filter of a hidden Markov model follows which of K parts is true, so that each
question has a speed of its own: still or moving is seen at once, walking or stairs only after some seconds. With p the
probabilities of an answer, dt the seconds since the last one, x_k the sum of p over part k, and s = sum_k x_k how far
the network believes in the group:

    predict   b'_k = max(b_k (1 - r_k) + sum_{j != k} b_j r_j / (K - 1), LEAST),    r_k = 1 - exp(-dt / stay_k)
    update    b_k ~ b'_k max(x_k / s, FLOOR)^(evidence dt s)                        normalized; left out where s = 0

    probability of a label = product of b_k over the parts that contain it

b starts from the stationary distribution of the chain, stay_k / sum(stay).

Source: Rabiner, A tutorial on hidden Markov models and selected applications in speech recognition, Proceedings of the
IEEE 77(2), 1989.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import ZooError
from zoo.schema import Field

FLOOR = 0.01
"""Least share of a part in its group: no single answer counts as proof."""

LEAST = 1e-30
"""Least belief in a part: no part is ever impossible, even where exp(-dt / stay) rounds to 0. A float can hold it."""

_NUMBERS = Field("evidence", least=0), Field("stay", "P", positive=True)


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
    """One group in which each label is a part: that of files which state none."""
    if len(classes) < 2:
        return ()
    return (Group(parts=tuple((name,) for name in classes), evidence=1.0, stay=(60.0,) * len(classes)),)


def tree_problem(groups: Sequence[Group], classes: Sequence[str]) -> str:
    """Why groups are no tree of the labels, in words; empty if they are."""
    undivided = {frozenset(classes)}
    for number, group in enumerate(groups):
        for field in _NUMBERS:
            if wrong := field.problem(getattr(group, field.name, None)):
                return f"'streaming.groups[{number}].{field.name}' {wrong}"
        names = [name for part in group.parts for name in part]
        labels = frozenset(names)
        sound = len(group.stay) == len(group.parts) > 1 and all(group.parts) and len(labels) == len(names)
        if not sound or labels not in undivided:
            return (
                f"'streaming.groups[{number}]' divides {', '.join(names)} into {json.dumps(group.parts)} with stay "
                f"{json.dumps(group.stay)}; expected 2 or more parts of {_undivided(undivided) or 'no further label'}, "
                "each with labels and a number in stay"
            )
        undivided = undivided - {labels} | set(map(frozenset, group.parts))
    if left := _undivided(undivided):
        return f"'streaming.groups' leave {left} together; expected a group that divides them"
    return ""


def _undivided(parts: Collection[frozenset[str]]) -> str:
    """The parts that a further group may divide, in words; empty if none is left."""
    return " or ".join(sorted(", ".join(sorted(part)) for part in parts if len(part) > 1))


class Filter:
    """Filters probabilities over time: an answer of the network every few `seconds`, by the tree of its labels' groups.

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
        if wrong := tree_problem(groups, classes):
            raise ZooError(f"streaming: {wrong}")
        count, most = len(groups), max((len(group.parts) for group in groups), default=1)
        # Groups of fewer parts than others are filled up with parts that are never true.
        used = np.array([[k < len(group.parts) for k in range(most)] for group in groups], bool).reshape(count, most)
        stay = np.ones((count, most))
        stay[used] = [seconds for group in groups for seconds in group.stay]
        self._belief = used * stay / (used * stay).sum(axis=1, keepdims=True)
        # For a part that lasts days, 1 - exp would round to nothing.
        self._leave = -np.expm1(-seconds / stay)
        self._least = LEAST * used
        self._others = used / (used.sum(axis=1, keepdims=True) - 1)
        self._weight = np.array([group.evidence * seconds for group in groups])[:, None]
        # Of each label in each group that contains it: the label, and the place of its part.
        places = {name: number for number, name in enumerate(classes)}
        parts = [(number * most + k, part) for number, group in enumerate(groups) for k, part in enumerate(group.parts)]
        self._labels = np.array([places[name] for _, part in parts for name in part], int)
        self._places = np.array([place for place, part in parts for _ in part], int)
        self._classes = len(classes)

    def update(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """The probabilities given all answers of the network, `(classes,)`, after this one."""
        answer = np.asarray(probabilities, np.float64)
        gone = self._belief * self._leave
        belief = self._belief - gone + (gone.sum(axis=1, keepdims=True) - gone) * self._others
        belief = np.maximum(belief, self._least)
        share = np.bincount(self._places, answer[self._labels], belief.size).reshape(belief.shape)
        within = share.sum(axis=1, keepdims=True)
        believed = within > 0
        share = np.maximum(share / np.where(believed, within, 1.0), FLOOR)
        # Relative to the greatest share, no power makes all parts zero, as none is zero before.
        power = np.where(believed, self._weight * within, 0.0)
        belief = belief * (share / share.max(axis=1, keepdims=True)) ** power
        self._belief = belief / belief.sum(axis=1, keepdims=True)
        found = np.ones(self._classes)
        np.multiply.at(found, self._labels, self._belief.ravel()[self._places])
        return found
