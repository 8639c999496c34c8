"""How people move: the groups of labels, and how long each part of them lasts, by which a stream is filtered."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from zoo.data.dataset import DataSet
from zoo.runtime.filtering import Group
from zoo.runtime.metadata import AXES

STILL = 0.5
"""Standard deviation of |a| in m/s^2 below which a window is without movement."""

AT_REST = ("sitting", "standing")
_IN_MOTION = ("walking", "upstairs", "downstairs", "jogging")

Division = tuple[float, Sequence[tuple[Any, float]]]
"""Evidence of a group, and its parts, labels or divisions themselves, with the mean seconds for which each lasts."""


def still_classes(train: DataSet, classes: Sequence[str]) -> list[str]:
    """Returns the labels whose typical training window is without movement. Labels without windows are not among them.

    Example:
        >>> standing, walking = np.full((3, 150, 3), 5.66), np.random.default_rng(0).normal(0, 5, (3, 150, 3))
        >>> inputs, labels = np.concatenate([standing, walking]), np.repeat([0, 1], 3)
        >>> windows = DataSet.of({"input": inputs, "target": labels})
        >>> still_classes(windows, ["standing", "walking"])
        ['standing']
    """
    spreads = [np.empty(0)] * len(classes)
    for inputs, labels in train.of_one_class(len(classes)).blocks():
        spread = np.linalg.norm(inputs[..., : len(AXES)], axis=-1).std(axis=1)
        spreads = [np.append(known, spread[labels == label]) for label, known in enumerate(spreads)]
    return [name for name, spread in zip(classes, spreads, strict=True) if len(spread) and np.median(spread) < STILL]


def groups_of(classes: Sequence[str], still: Collection[str] = (), other_class: int | None = None) -> tuple[Group, ...]:
    """Returns the groups of the labels of a model. Empty for a single label.

    Args:
        classes: Labels of the model.
        still: Those without movement. Sitting and standing always are, the other activities of the course never.
        other_class: The number of the class of all other movements, if there is one.

    Example:
        >>> for group in groups_of(["lying", "sitting", "stairs", "walking"], still=["lying"]):
        ...     print(group.parts)
        (('lying', 'sitting'), ('stairs', 'walking'))
        (('sitting',), ('lying',))
        (('walking',), ('stairs',))
    """
    other = [] if other_class is None else [classes[other_class]]
    own = [name for name in classes if name not in (*AT_REST, *_IN_MOTION, *other)]
    stairs: Division = 1.5, [("upstairs", 15.0), ("downstairs", 15.0)]
    on_foot: Division = 0.3, [("walking", 120.0), (stairs, 20.0)]
    at_rest: Division = 3.0, [(part, 30.0) for part in (*AT_REST, *(name for name in own if name in still))]
    in_motion = [on_foot, "jogging", *(name for name in own if name not in still)]
    known: Division = 20.0, [(at_rest, 30.0), ((3.0, [(part, 30.0) for part in in_motion]), 30.0)]
    return tuple(_divided((2.0, [(known, 120.0), *((name, 20.0) for name in other)]), classes)[1])


def _divided(part: Any, classes: Sequence[str]) -> tuple[list[str], list[Group]]:
    """Returns the labels of a part that a model has, and the groups that divide it. Groups of one part vanish."""
    if isinstance(part, str):
        return [part] if part in classes else [], []
    evidence, parts = part
    found = [(*_divided(below, classes), stay) for below, stay in parts]
    found = [each for each in found if each[0]]
    groups = [group for _, below, _ in found for group in below]
    if len(found) > 1:
        divided = tuple(tuple(sorted(labels, key=classes.index)) for labels, _, _ in found)
        groups = [Group(parts=divided, evidence=evidence, stay=tuple(stay for *_, stay in found)), *groups]
    return [label for labels, _, _ in found for label in labels], groups
