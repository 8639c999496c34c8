"""Examples: inputs and targets in a file or an array, read in blocks, and data sets that are made of them.

A *run* is a few dozen neighboring rows, the cheapest thing to read; a *block* is some thousands of rows. A shuffled
block is gathered from runs at random places of the file, so that a file sorted by class still gives mixed batches.
Only one block is in memory, however large the file. A file no larger than a block is shuffled completely.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from zoo.files import sha256

if TYPE_CHECKING:
    import tensorflow as tf

BLOCK_BYTES = 16 << 20
RUN_ROWS = 32
MEMORY_BYTES = 1 << 28
"""Arrays up to this size are read into memory once."""


class Sliceable(Protocol):
    """An array, in memory or on the disk, that is read by slices of its first axis."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> Any: ...


class Joined(Sliceable):
    """Two arrays as one, the rows of the first before those of the second.

    Example:
        >>> Joined(np.arange(3), np.arange(10, 13))[1:5].tolist()
        [1, 2, 10, 11]
    """

    def __init__(self, first: Sliceable, second: Sliceable) -> None:
        self.first, self.second = first, second
        self.shape = (len(first) + len(second), *first.shape[1:])
        self.run: int = max(getattr(part, "run", 1) for part in (first, second))

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        start, stop, _ = rows.indices(len(self))
        middle = len(self.first)
        parts = (self.first[start : min(stop, middle)], self.second[max(start - middle, 0) : max(stop - middle, 0)])
        return np.concatenate(parts)


@dataclass(frozen=True, repr=False)
class Examples:
    """Inputs with their targets, or some of their rows.

    Args:
        inputs: `(N, ...)`, in memory or on the disk.
        targets: `(N, ...)`.
        rows: Which rows of both belong to these examples, in rising order.
        groups: `(len(rows),)` where each example comes from, such as a person; None where that is not known.

    Example:
        >>> examples = Examples.all(np.zeros((6, 2), np.float32), np.arange(6))
        >>> inputs, targets = examples.where(examples.rows > 2).arrays()
        >>> inputs.shape, targets.tolist()
        ((3, 2), [3, 4, 5])
    """

    inputs: Sliceable
    targets: Sliceable
    rows: NDArray[np.int64]
    groups: NDArray[np.str_] | None = None

    @classmethod
    def all(cls, inputs: Sliceable, targets: Sliceable, groups: NDArray[np.str_] | None = None) -> Self:
        """All rows of two arrays."""
        return cls(inputs, targets, np.arange(len(targets)), groups)

    def __repr__(self) -> str:
        groups = "" if self.groups is None else f", {len(self.group_names())} groups"
        return f"<{len(self)} examples of shape {tuple(self.inputs.shape[1:])}{groups}>"

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of all examples, in memory."""
        parts = list(self.blocks()) or [(self.inputs[0:0], self.targets[0:0])]
        inputs = np.concatenate([inputs for inputs, _ in parts])
        return inputs, inputs if self.targets is self.inputs else np.concatenate([targets for _, targets in parts])

    def dataset(self, batch_size: int, *, seed: int | None = None, epochs: int = 1) -> "tf.data.Dataset":
        """Batches for Keras; examples on the disk are read in blocks, so they may be larger than memory.

        Args:
            batch_size: Examples in a batch; the last batch of an epoch may be smaller.
            seed: Shuffles the examples, anew in each epoch; the seed alone decides how. None keeps their order.
            epochs: Passes over the examples.

        Returns:
            A finite data set of pairs of inputs and targets.
        """
        from zoo.data import pipeline
        from zoo.recipe import Count, Seed, checked

        batch_size, epochs = checked("batch_size", Count, batch_size), checked("epochs", Count, epochs)
        return pipeline.batches(self, batch_size, seed=checked("seed", Seed | None, seed), epochs=epochs)

    def group_names(self) -> list[str]:
        """The names of the groups: numbers by value, before names by letter."""
        return [] if self.groups is None else sort_names(self.groups)

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """The examples for which `mask`, `(len(self),)`, is true."""
        return replace(self, rows=self.rows[mask], groups=None if self.groups is None else self.groups[mask])

    def empty(self) -> Self:
        """None of the examples."""
        return self.where(np.zeros(len(self), bool))

    def joined(self, other: Self) -> Self:
        """These examples followed by others."""
        rows = np.concatenate([self.rows, len(self.inputs) + other.rows])
        inputs, targets = Joined(self.inputs, other.inputs), np.concatenate([self.targets[:], other.targets[:]])
        known = None if self.groups is None or other.groups is None else np.concatenate([self.groups, other.groups])
        return replace(self, inputs=inputs, targets=targets, rows=rows, groups=known)

    def in_memory(self) -> Self:
        """The same examples with their array in memory, unless it is larger than `MEMORY_BYTES`."""
        if 4 * int(np.prod(self.inputs.shape)) > MEMORY_BYTES:
            return self
        inputs = self.inputs[0 : len(self.inputs)]
        return replace(self, inputs=inputs, targets=inputs if self.targets is self.inputs else self.targets)

    def __len__(self) -> int:
        return len(self.rows)

    def block_rows(self) -> int:
        """How many rows make a block of about `BLOCK_BYTES`."""
        return max(RUN_ROWS, BLOCK_BYTES // (4 * int(np.prod(self.inputs.shape[1:]))))

    def blocks(self, seed: Sequence[int] | None = None) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Reads inputs and targets a block at a time: in their order, or in a random one that the seed decides."""
        size, random = self.block_rows(), None if seed is None else np.random.default_rng(seed)
        # Rows that lie in one compressed chunk are read together, unless a chunk is so long that it would not mix.
        run = min(max(RUN_ROWS, getattr(self.inputs, "run", 1)), max(RUN_ROWS, size // 16))
        if random is None:
            picks: Iterable[Any] = (slice(start, start + size) for start in range(0, len(self), size))
        else:
            starts = np.flatnonzero(np.diff(self.rows // run, prepend=-1))
            lengths, order, count = np.diff(starts, append=len(self)), random.permutation(len(starts)), size // run
            # Read in the file's order, mixed afterwards.
            chosen = (np.sort(order[first : first + count]) for first in range(0, len(order), count))
            picks = (_spans(starts[runs], lengths[runs]) for runs in chosen)
        for pick in picks:
            rows = self.rows[pick]
            places = np.arange(len(rows)) if random is None else random.permutation(len(rows))
            inputs = _read(self.inputs, rows, places, run)
            yield inputs, inputs if self.targets is self.inputs else _read(self.targets, rows, places, run)


def _read(array: Sliceable, rows: NDArray[np.int64], places: NDArray[np.intp], run: int) -> NDArray[Any]:
    """Rising rows of an array, each at its place; of an array on the disk, runs of rows at a time."""
    first = array[int(rows[0]) : int(rows[0]) + 1]
    found = np.empty((len(rows), *first.shape[1:]), first.dtype)
    if isinstance(array, np.ndarray):
        found[places] = array[rows]
        return found
    starts = np.flatnonzero(np.diff(rows // run, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        low, high = int(rows[start]), int(rows[stop - 1]) + 1
        part = array[low:high]
        found[places[start:stop]] = part if high - low == stop - start else part[rows[start:stop] - low]
    return found


def _spans(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each start, as many consecutive numbers as its length.

    Example:
        >>> _spans(np.array([3, 10]), np.array([2, 3])).tolist()
        [3, 4, 10, 11, 12]
    """
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def sort_names(names: Iterable[Any]) -> list[str]:
    """Each name once; numbers by value, before names by letter.

    Example:
        >>> sort_names(["10", "2", "ann", "2"])
        ['2', '10', 'ann']
    """
    return sorted({str(name) for name in names}, key=lambda s: (not s.isdecimal(), int(s) if s.isdecimal() else 0, s))


@dataclass(frozen=True, kw_only=True, repr=False)
class Data:
    """A checked data set: what `zoo.load_data` returns.

    Args:
        name: For messages: the path of the file, `tfds:NAME`, or `arrays`.
        path: The file, or the folder of a build, from which `load_data` opens the same data; None for arrays.
        simulated: Whether a program made the data.
        source: Where the data comes from, as the file states it.
        train: Examples for training.
        validation: Examples for choices, such as when to stop; empty where the data has no such split.
        test: Examples for the final measurement; empty where the data has no such split.
        fingerprint: What identifies the data if `path` is not a file.
    """

    task: ClassVar[str]
    """The task, and the layout of a file of such data."""
    file: ClassVar[str]
    """What holds such data, for messages."""
    name: str
    path: Path | None = None
    simulated: bool = False
    source: str = "not stated"
    train: Examples
    validation: Examples
    test: Examples
    fingerprint: str = ""

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file, or what else identifies the data."""
        return self.fingerprint if self.path is None or self.fingerprint else sha256(self.path)

    @property
    def sizes(self) -> dict[str, int]:
        """What `hdf5.check` finds in a file of the same data."""
        return {"N": len(self.train)}

    def splits(self) -> dict[str, Examples]:
        """Train, validation and test, without those that are empty."""
        splits = {name: getattr(self, name) for name in ("train", "validation", "test")}
        return {name: examples for name, examples in splits.items() if len(examples)}

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        splits = "".join(f"\n  {name}: {examples!r}" for name, examples in self.splits().items())
        simulated = ", simulated" if self.simulated else ""
        return f"<{self.task} data of {self.name}{simulated}{splits}>"
