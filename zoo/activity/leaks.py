"""Leaks: what test data shares with training data, so that its scores are too good."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zoo.activity.windows import Windows

_RUN = 8
"""Consecutive equal rows by which two windows are found to share rows."""

_NEAR = 0.05
"""Windows are near duplicates if their difference is below this share of the test window's spread."""

_WAVES = 4
"""Projections of each axis, the lowest frequencies, by which near duplicates are searched."""


@dataclass(frozen=True)
class Leaks:
    """Leaks, as numbers of test windows and names of people.

    Args:
        shared_rows: Test windows that contain at least 8 consecutive rows of a training window.
        near_duplicates: Test windows that differ from a training window by less than 5% of their spread.
        subjects: People in both training and test.
    """

    shared_rows: int
    near_duplicates: int
    subjects: list[str]

    @property
    def found(self) -> bool:
        """Whether there is any."""
        return bool(self.shared_rows or self.near_duplicates or self.subjects)


def find(train: Windows, test: Windows) -> Leaks:
    """Looks for leaks, block by block.

    A run of eight rows is represented by a 64-bit hash. Any overlap of 15 rows or more contains a run that starts at a
    multiple of eight in the training window, so those are stored and looked up at every offset of the test windows. A
    sensor at rest repeats its values, so runs without change do not count.

    Args:
        train: Training windows.
        test: Test windows.
    """
    if not len(test):
        return Leaks(0, 0, [])
    known = np.unique(np.concatenate(list(_runs(train, step=_RUN))))
    shared = [np.isin(hashes, known, assume_unique=False).any(axis=1) for hashes in _runs(test, step=1)]
    return Leaks(
        int(np.concatenate(shared).sum()),
        int(_near_duplicates(train, test).sum()),
        sorted(set(train.people()) & set(test.people())),
    )


def _runs(windows: Windows, step: int) -> Iterator[NDArray[np.uint64]]:
    """Hashes of runs of rows, `(windows of a block, runs)`; 0 for a run whose rows are all equal."""
    random = np.random.default_rng(8)
    width = windows.inputs.shape[-1]
    factors = random.integers(1, 2**63, (_RUN, width), dtype=np.uint64) | np.uint64(1)
    for inputs, _ in windows.blocks():
        bits = np.ascontiguousarray(inputs, np.float32).view(np.uint32).astype(np.uint64)
        bits = (bits ^ (bits >> np.uint64(15))) * np.uint64(0x9E3779B97F4A7C15)
        starts = np.arange(0, inputs.shape[1] - _RUN + 1, step)
        hashes = np.zeros((len(inputs), len(starts)), np.uint64)
        moves = np.zeros(hashes.shape, bool)
        for offset in range(_RUN):
            hashes += (bits[:, starts + offset] * factors[offset]).sum(axis=2, dtype=np.uint64)
            moves |= (inputs[:, starts + offset] != inputs[:, starts]).any(axis=2)
        yield np.where(moves, hashes, np.uint64(0)) if step == 1 else hashes[moves]


def _near_duplicates(train: Windows, test: Windows) -> NDArray[np.bool_]:
    """Which test windows are near duplicates of a training window.

    No two windows are closer than their projections on a few orthonormal vectors. A tree of the projections finds the
    few pairs that may be close enough, in much less than quadratic time, and these are compared row by row.
    """
    found = np.zeros(len(test), bool)
    tree = cKDTree(np.concatenate([_project(inputs) for inputs, _ in train.blocks()]))
    done = 0
    for inputs, _ in test.blocks():
        # In float64: the difference of windows at rest is far below the square of gravity.
        limits = _NEAR**2 * inputs.shape[1] * inputs.var(axis=1, dtype=np.float64).sum(axis=1)
        radii = np.where(limits > _LEAST, np.sqrt(limits), -1.0)
        near = tree.query_ball_point(_project(inputs), radii)
        for number, candidates in enumerate(near):
            if radii[number] < 0 or not candidates:
                continue
            others, _ = replace(train, rows=train.rows[np.sort(candidates)], groups=None).arrays()
            squares = ((others.astype(np.float64) - inputs[number]) ** 2).sum(axis=(1, 2))
            found[done + number] = (squares < limits[number]).any()
        done += len(inputs)
    return found


_LEAST = 1e-9
"""The square of a spread below which a window is constant."""


def _project(windows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Windows `(n, rows, axes)` projected on the lowest frequencies of each axis, `(n, waves * axes)`."""
    rows = windows.shape[1]
    waves = np.cos(np.pi * np.outer(np.arange(min(_WAVES, rows)), np.arange(rows) + 0.5) / rows)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    return np.asarray(np.einsum("nta,wt->nwa", windows.astype(np.float64), waves)).reshape(len(windows), -1)
