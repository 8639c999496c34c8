"""Sets of classes as labels: what a study that only knows "stairs" says of upstairs and downstairs.

Labels `(N,)` from 0 to K - 1 are the K classes. The label K + i means one of the classes in `label_sets[i]`; which one
is not known.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNTED = (
    "a window whose label means one of several classes counts as the one that the model prefers: the numbers of "
    "windows of these classes, and their F1, are not comparable between models"
)
"""What every report on such windows says."""

Sets = Sequence[Sequence[int]]
Labels = NDArray[np.int64]


def allowed_classes(classes: int, label_sets: Sets = ()) -> NDArray[np.bool_]:
    """Returns which of the K classes a label allows, `(K + len(label_sets), K)`: its own, or those of its set.

    Example:
        >>> allowed_classes(2, [(0, 1)]).astype(int).tolist()
        [[1, 0], [0, 1], [1, 1]]
    """
    rows = [np.isin(np.arange(classes), members) for members in label_sets]
    return np.concatenate([np.eye(classes, dtype=bool), np.reshape(rows, (-1, classes))]).astype(bool)


def resolve(labels: Labels, scores: NDArray[np.floating[Any]], label_sets: Sets) -> Labels:
    """Replaces each label that is a set by its class with the highest score `(N, K)`: a prediction in the set is right.

    Example:
        >>> resolve(np.array([3, 3, 1]), np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [1, 0, 0]]), [(0, 1)]).tolist()
        [1, 0, 1]
    """
    resolved = labels.copy()
    for label, members in enumerate(label_sets, start=scores.shape[1]):
        rows = labels == label
        resolved[rows] = np.asarray(members)[scores[rows][:, list(members)].argmax(axis=1)]
    return resolved


def indistinct(labels: Labels, classes: int, label_sets: Sets) -> list[list[int]]:
    """Returns the sets with a class that training labels never name outside a set, so that it cannot be told apart.

    Example:
        >>> indistinct(np.array([0, 2, 3]), 3, [(0, 1)])
        [[0, 1]]
    """
    known = set(labels[labels < classes].tolist())
    return [list(members) for members in label_sets if not known.issuperset(members)]


def forgive(labels: Labels, predicted: Labels, label_sets: Sets) -> Labels:
    """Corrects predictions that take a class for another one of the same set.

    Example:
        >>> forgive(np.array([0, 0, 2]), np.array([1, 2, 1]), [(0, 1)]).tolist()
        [0, 2, 1]
    """
    for members in label_sets:
        predicted = np.where(np.isin(labels, members) & np.isin(predicted, members), labels, predicted)
    return predicted
