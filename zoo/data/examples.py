"""Examples: rows of a file or an array, read in blocks. NumPy alone; `pipeline` makes TensorFlow's batches of them.

A *run* is a few dozen neighboring rows, the cheapest thing to read; a *block* is some thousands of rows. A shuffled
block is gathered from runs at random places of the file, so that a file sorted by class still gives mixed batches.
Only one block is in memory, however large the file. A file no larger than a block is shuffled completely.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 16 << 20
RUN_ROWS = 32


class Sliceable(Protocol):
    """An array, in memory or on the disk, that is read by slices of its first axis."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Any: ...


class Joined:
    """Two arrays as one, the rows of the first before those of the second.

    Args:
        first: `(N, ...)`.
        second: `(M, ...)`.

    Example:
        >>> Joined(np.arange(3), np.arange(10, 13))[1:5].tolist()
        [1, 2, 10, 11]
    """

    def __init__(self, first: Sliceable, second: Sliceable) -> None:
        self.first, self.second = first, second
        self.shape = (len(first) + len(second), *first.shape[1:])
        self.run: int = max(getattr(part, "run", 1) for part in (first, second))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        start, stop, _ = rows.indices(len(self))
        middle = len(self.first)
        parts = (self.first[start : min(stop, middle)], self.second[max(start - middle, 0) : max(stop - middle, 0)])
        return np.concatenate(parts)


@dataclass(frozen=True)
class Examples:
    """Inputs, targets, and which of their rows are meant.

    Args:
        inputs: `(N, ...)`, in memory or on the disk.
        targets: `(N, ...)`.
        rows: Row numbers in rising order.
    """

    inputs: Sliceable
    targets: NDArray[Any]
    rows: NDArray[np.int64]

    @classmethod
    def all(cls, inputs: Sliceable, targets: NDArray[Any]) -> "Examples":
        """All rows of an array."""
        return cls(inputs, targets, np.arange(len(targets)))

    def __len__(self) -> int:
        return len(self.rows)

    def block_rows(self) -> int:
        """How many rows make a block of about `BLOCK_BYTES`."""
        row_bytes = 4 * int(np.prod(self.inputs.shape[1:]))
        return max(RUN_ROWS, BLOCK_BYTES // row_bytes)

    def blocks(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Reads the chosen rows in their order, a block at a time."""
        size = self.block_rows()
        for start in range(0, len(self.rows), size):
            yield self._gather(self.rows[start : start + size])

    def shuffled_blocks(self, seed: int, epoch: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Reads the chosen rows in the random order of one epoch, a block at a time."""
        random = np.random.default_rng([seed, epoch])
        starts = self._run_starts(self.rows)
        lengths = np.diff(starts, append=len(self.rows))
        order = random.permutation(len(starts))
        runs_a_block = max(1, self.block_rows() // self._run_rows())
        for first in range(0, len(starts), runs_a_block):
            # Read in the file's order, mixed afterwards.
            runs = np.sort(order[first : first + runs_a_block])
            yield self._gather(self.rows[_spans(starts[runs], lengths[runs])], random)

    def _run_rows(self) -> int:
        # Rows that lie in one compressed chunk are read together, unless a chunk is so long that it would not mix.
        return min(max(RUN_ROWS, getattr(self.inputs, "run", 1)), max(RUN_ROWS, self.block_rows() // 16))

    def _run_starts(self, rows: NDArray[np.int64]) -> NDArray[np.intp]:
        """Places among rising row numbers at which runs begin."""
        return np.flatnonzero(np.diff(rows // self._run_rows(), prepend=-1))

    def _gather(
        self, rows: NDArray[np.int64], random: np.random.Generator | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of rising row numbers, mixed where `random` says how."""
        places = np.arange(len(rows)) if random is None else random.permutation(len(rows))
        targets = np.empty_like(self.targets, shape=(len(rows), *self.targets.shape[1:]))
        targets[places] = self.targets[rows]
        first = self.inputs[int(rows[0]) : int(rows[0]) + 1]
        inputs = np.empty((len(rows), *first.shape[1:]), first.dtype)
        if isinstance(self.inputs, np.ndarray):
            inputs[places] = self.inputs[rows]
            return inputs, targets
        starts = self._run_starts(rows).tolist()
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
            low, high = int(rows[start]), int(rows[stop - 1]) + 1
            part = self.inputs[low:high]
            inputs[places[start:stop]] = part if high - low == stop - start else part[rows[start:stop] - low]
        return inputs, targets


def _spans(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """The numbers from each start on, as many as its length says.

    Example:
        >>> _spans(np.array([3, 10]), np.array([2, 3])).tolist()
        [3, 4, 10, 11, 12]
    """
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
