"""Sets of classes as labels: what a study that only knows "stairs" says of upstairs and downstairs.

Labels from 0 to K - 1 are the K classes. The label K + i means one of the classes in `label_sets[i]`; which one is not
known.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def allowed_classes(classes: int, label_sets: Sequence[Sequence[int]] = ()) -> NDArray[np.bool_]:
    """Returns which classes a label allows: its own, or those of its set.

    Args:
        classes: K, number of classes.
        label_sets: The classes of each label from K on.

    Returns:
        `(K + len(label_sets), K)`.

    Example:
        >>> allowed_classes(2, [(0, 1)]).astype(int).tolist()
        [[1, 0], [0, 1], [1, 1]]
    """
    rows = [np.isin(np.arange(classes), members) for members in label_sets]
    return np.concatenate([np.eye(classes, dtype=bool), np.reshape(rows, (-1, classes))]).astype(bool)


def resolve(
    labels: NDArray[np.int64], scores: NDArray[np.floating[Any]], label_sets: Sequence[Sequence[int]]
) -> NDArray[np.int64]:
    """Replaces each label that is a set by its class with the highest score.

    A prediction in the set is therefore right, and any other wrong.

    Args:
        labels: Labels `(N,)`.
        scores: Logits or probabilities `(N, K)`.
        label_sets: The classes of each label from K on.

    Returns:
        Class indices `(N,)`.

    Example:
        >>> resolve(np.array([3, 3, 1]), np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [1, 0, 0]]), [(0, 1)]).tolist()
        [1, 0, 1]
    """
    resolved = labels.copy()
    for label, members in enumerate(label_sets, start=scores.shape[1]):
        rows = labels == label
        resolved[rows] = np.asarray(members)[scores[rows][:, list(members)].argmax(axis=1)]
    return resolved
