"""Leaks: what a test part shares with its training part, so that its score claims too much."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.activity import ActivityData, Windows

_RUN = 8
"""Neighboring rows that must agree exactly before two windows are said to share rows."""

_NEAR = 0.05
"""Windows are near duplicates if their difference is below this share of the test window's own spread."""


@dataclass(frozen=True)
class Leaks:
    """What was found, in numbers of test windows and names of people.

    Args:
        shared_rows: Test windows that contain at least 8 consecutive rows of a training window, exactly.
        near_duplicates: Test windows that a training window resembles to 5 % of their spread.
        subjects: People on both sides.
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

    A run of eight rows is known by a 64-bit hash. Any overlap of 15 rows or more contains a run that starts at a
    multiple of eight in the training window, so those are remembered and looked up at every offset of the test
    windows. A sensor at rest repeats its values, so runs without change do not count.

    Args:
        train: Training windows.
        test: Test windows.
    """
    known = np.unique(np.concatenate(list(_runs(train, step=_RUN))))
    shared = [np.isin(hashes, known, assume_unique=False).any(axis=1) for hashes in _runs(test, step=1)]
    return Leaks(
        int(np.concatenate(shared).sum()),
        int(_near_duplicates(train, test).sum()),
        sorted(set(train.people()) & set(test.people())),
    )


def find_in(data: ActivityData) -> Leaks:
    """Looks for leaks between the two parts of a file."""
    return find(data.train, data.test)


def _runs(windows: Windows, step: int) -> Iterator[NDArray[np.uint64]]:
    """Hashes of runs of rows, `(windows of a block, runs)`; 0 for a run whose rows are all equal."""
    random = np.random.default_rng(8)
    width = windows.examples.inputs.shape[-1]
    factors = random.integers(1, 2**63, (_RUN, width), dtype=np.uint64) | np.uint64(1)
    for inputs, _ in windows.examples.blocks():
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
    """Which test windows a training window resembles, by `|a - b|^2 = |a|^2 - 2 a.b + |b|^2`."""
    found = []
    for inputs, _ in test.examples.blocks():
        # In float64: the difference of still windows is far below the square of gravity.
        a = inputs.reshape(len(inputs), -1).astype(np.float64)
        limit = _NEAR**2 * inputs.shape[1] * inputs.var(axis=1, dtype=np.float64).sum(axis=1)
        nearest = np.full(len(a), np.inf)
        for others, _ in train.examples.blocks():
            b = others.reshape(len(others), -1).astype(np.float64)
            squares = (b**2).sum(axis=1)
            for start in range(0, len(a), 256):
                rows = slice(start, start + 256)
                closest = (squares - 2.0 * (a[rows] @ b.T)).argmin(axis=1)
                # The expansion cancels; the closest one is measured again without it.
                exact = ((a[rows] - b[closest]) ** 2).sum(axis=1)
                nearest[rows] = np.minimum(nearest[rows], exact)
        found.append((nearest < limit) & (limit > 1e-9))
    return np.concatenate(found)
