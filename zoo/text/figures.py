"""Figures of language models: training, and the words in two dimensions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zoo.report.drawing import WIDTH, Figures, History, subplots, title, training

Floats = NDArray[np.floating[Any]]
_SIZE = np.array([WIDTH, 7.0])
_FONT, _LETTER, _LINE = 7, 0.061, 0.115
"""Size of the picture in inches; size of a letter in points, its width and the height of a line in inches."""
_ROUNDS = 2000


def evaluation(report: Mapping[str, Any], history: History, pictures: Mapping[str, Any]) -> Figures:
    """Draws all figures of an evaluation; `pictures` are those of the task, if there are any."""
    drawn = {}
    if history:
        drawn["training"] = training(history, report)
    if pictures:
        drawn["embedding"] = words(pictures["words"], pictures["places"], report)
    return drawn


def words(names: Sequence[str], places: Floats, report: Mapping[str, Any] | None = None) -> Figure:
    """Draws V words at their positions in two dimensions, `(V, 2)`."""
    with subplots(*_SIZE, grid=False) as (figure, axis):
        low, high = places.min(axis=0), places.max(axis=0)
        inches = (places - low) / np.maximum(high - low, 1e-9) * (_SIZE - 0.5)
        sizes = np.array([(_LETTER * len(name) + _LETTER, _LINE) for name in names])
        placed = without_overlaps(inches, sizes)
        for name, (x, y) in zip(names, placed, strict=True):
            axis.text(x, y, name, fontsize=_FONT, ha="center", va="center")
        (left, bottom), (right, top) = (placed - sizes / 2).min(axis=0), (placed + sizes / 2).max(axis=0)
        axis.set(xlim=(left, right), ylim=(bottom, top))
        axis.set_axis_off()
        title(
            figure, {**(report or {}), "split": ""}, f"{len(names)} words by their embedding, t-SNE of cosine distances"
        )
    return figure


def without_overlaps(centers: Floats, sizes: Floats) -> Floats:
    """Moves boxes, by centers and sizes `(N, 2)`, until none overlap, each pair by the shorter way.

    Example:
        >>> without_overlaps(np.array([[0.0, 0.0], [0.0, 0.5]]), np.array([[3.0, 1.0], [3.0, 1.0]])).round(2).tolist()
        [[0.0, -0.25], [0.0, 0.75]]
    """
    moved = centers.astype(np.float64)
    reach = (sizes[:, None] + sizes) / 2
    first = np.arange(len(sizes))[:, None] < np.arange(len(sizes))
    for _ in range(_ROUNDS):
        offset = moved[:, None] - moved
        overlap = reach - np.abs(offset)
        pairs = (overlap > 1e-9).all(axis=2) & ~np.eye(len(sizes), dtype=bool)
        if not pairs.any():
            break
        direction = np.where(offset == 0, np.where(first, -1.0, 1.0)[..., None], np.sign(offset))
        shorter = np.arange(2) == overlap.argmin(axis=2)[..., None]
        moved += np.where(pairs[..., None] & shorter, direction * overlap / 2, 0.0).sum(axis=1)
    return moved
