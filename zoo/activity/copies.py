"""Copies of recordings: the same values again, in another file, of another person, at other times.

A person in training and another one in test would share them. Time stamps do not show it: a copy may be shifted, cut,
or on another clock. So runs of a second are compared, whose starts follow from the values alone.
"""

import hashlib
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.checks import ENOUGH_ROWS, LARGEST

Rows = NDArray[np.floating[Any]]

_STEP = 0.05
"""m/s^2 to which values are rounded: when rows are put on a grid, other time stamps change the last digits."""
_EVERY = 32
"""One row of so many starts a run."""
_DIFFERENT = ENOUGH_ROWS // 2
"""Different rows of a run that is not equal by chance: no two people share one in 4.7 million rows of four studies."""
_BLOCK = 1 << 18
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                     0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5, 0x94D049BB133111EB], np.uint64)  # fmt: skip
POWERS = np.cumprod(np.full(ENOUGH_ROWS, 0x100000001B3, np.uint64))
"""Factors of the hashes of rows in that of a run."""


class Copies:
    """What is known of recordings, to find those that have rows of others.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(500, 3))
        >>> copies = Copies()
        >>> copies.find("ann", "a.csv", rows), copies.find("ben", "b.csv", rows[100:])
        (None, ('ann', 'a.csv'))
    """

    def __init__(self) -> None:
        self._known = dict[int | bytes, tuple[Hashable, str]]()

    def find(self, owner: Hashable, name: str, rows: Rows) -> tuple[Any, str] | None:
        """The owner and the name of a recording with the same rows `(N, 3)` in m/s^2; None if all are of `owner`."""
        if len(rows) < ENOUGH_ROWS or not (rows != rows[0]).any():
            return None
        # At rest, no run has enough different rows.
        whole = hashlib.sha256(np.ascontiguousarray(rows).data).digest()
        keys: Iterator[int | bytes] = chain([whole], chain.from_iterable(_runs(rows)))
        for key in keys:
            known = self._known.setdefault(key, (owner, name))
            if known[0] != owner:
                return known
        return None


def row_hashes(integers: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Hashes `(...)` of rows of integers, `(..., axes)` with up to six axes."""
    hashes = (integers.astype(np.uint64) * _FACTORS[: integers.shape[-1]]).sum(axis=-1, dtype=np.uint64)
    hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(hashes ^ (hashes >> np.uint64(32)))


def _runs(rows: Rows) -> Iterator[list[int]]:
    """Hashes of runs of rows, a block of the rows at a time."""
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK + ENOUGH_ROWS - 1]
        # What no sensor measures is dropped later.
        steps = np.nan_to_num(np.clip(block, -LARGEST, LARGEST) / _STEP)
        hashes = row_hashes(np.round(steps).astype(np.int64))
        starts = np.flatnonzero(hashes[: max(0, len(hashes) - ENOUGH_ROWS + 1)] % np.uint64(_EVERY) == 0)
        runs = hashes[starts[:, None] + np.arange(ENOUGH_ROWS)]
        different = 1 + (np.diff(np.sort(runs, axis=1), axis=1) != 0).sum(axis=1)
        yield np.unique((runs[different >= _DIFFERENT] * POWERS).sum(axis=1, dtype=np.uint64)).tolist()
