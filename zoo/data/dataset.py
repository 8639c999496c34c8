"""Data sets: columns of equally many rows, in memory or in files larger than it, and facts about them.

A *run* is a few dozen neighboring rows, the cheapest thing to read; a *block* is some thousands of rows. A shuffled
block is gathered from runs at random places of the file, so that a file sorted by class still gives mixed batches.
Only one block is in memory, however large the file. A file no larger than a block is shuffled completely.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, partialmethod
from operator import attrgetter, methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from zoo.files import sha256
from zoo.runtime.metadata import other_of

if TYPE_CHECKING:
    import pandas as pd
    import tensorflow as tf

BLOCK_BYTES = 16 << 20
RUN_ROWS = 32
MEMORY_BYTES = 1 << 28
"""Arrays up to this size are read into memory once."""

_CONSTANT = 1e-9
"""Variance of a constant channel at most, relative to its squared mean: no sensor has so little noise."""


@dataclass(frozen=True)
class Column:
    """An array whose rows are read, or computed, when they are asked for, by `read`.

    `run` neighboring rows are read together anyway, because they lie in one compressed chunk.
    """

    shape: tuple[int, ...]
    read: Callable[[slice], NDArray[Any]]
    run: int = 1

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        return self.read(rows)


Values = Column | NDArray[Any]
"""What is read by slices of its first axis."""


@dataclass(frozen=True, repr=False)
class DataSet:
    """Columns, or some of their `rows`, in rising order, and facts about them.

    Columns are `input`, `target` (the input, where there is none), and what else is known of each row, such as
    `subject`, `study`, `position`, `photograph`. Facts are `classes`, `label_sets`, `rate`, `words`, and others;
    `prepare` is a function that makes of this data set one that models read.
    """

    columns: Mapping[str, Values]
    rows: NDArray[np.int64]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Mapping[str, Values | None], **facts: Any) -> Self:
        """All rows of columns, of which those that are None are left out."""
        given = {name: values for name, values in columns.items() if values is not None}
        return cls(given, np.arange(len(given["input"])), facts)

    def __repr__(self) -> str:
        kinds = {"people": "subject", "photographs": "photograph"}
        owners = "".join(f", {len(self.names(key))} {kind}" for kind, key in kinds.items() if key in self.columns)
        return f"<{len(self)} rows of shape {tuple(self.inputs.shape[1:])}{owners}>"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def inputs(self) -> Values:
        """The inputs of all rows of the columns."""
        return self.columns["input"]

    @property
    def targets(self) -> Values:
        """The targets of all rows of the columns."""
        return self.columns.get("target", self.inputs)

    subjects: ClassVar[Any] = property(methodcaller("column", "subject"))
    """The person of each row; None where people are not known."""
    studies: ClassVar[Any] = property(methodcaller("column", "study"))
    """The study of each row, empty if it belongs to none; None if studies are not known."""
    label_sets: ClassVar[Any] = property(lambda data: data.facts.get("label_sets", ()))
    """For each label from K on, the classes that it may stand for."""

    def column(self, name: str) -> NDArray[Any] | None:
        """A column of these rows, in memory; None where it is not known."""
        return None if name not in self.columns else np.asarray(self.columns[name][:])[self.rows]

    @property
    def labels(self) -> NDArray[Any]:
        """The target of each row: class numbers from 0, and from K on, sets of the K classes."""
        return np.asarray(self.targets[:])[self.rows]

    def names(self, column: str) -> list[str]:
        """The different names in a column, as `sort_names` sorts them."""
        values = self.column(column)
        return [] if values is None else sort_names(values)

    people = partialmethod(names, "subject")
    """The different people, sorted."""

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of all rows, in memory."""
        parts = list(self.blocks()) or [(self.inputs[0:0], self.targets[0:0])]
        inputs = np.concatenate([inputs for inputs, _ in parts])
        return inputs, inputs if self.targets is self.inputs else np.concatenate([targets for _, targets in parts])

    def to_frame(self) -> "pd.DataFrame":
        """A table with a row for each input, and what `load_data` needs to make the same data of it in its `attrs`."""
        import pandas as pd

        inputs, targets = self.arrays()
        table: dict[str, Any] = {"input": list(inputs)}
        if targets is not inputs:
            table["target"] = np.array(self.label_names)[targets] if "classes" in self.facts else targets
        frame = pd.DataFrame(table | {name: self.column(name) for name in self.columns if name not in table})
        facts = {name: self.facts[name] for name in ("rate", "words", "other", "simulated") if self.facts.get(name)}
        names = {"classes": self.label_names, "label_sets": self.label_sets} if "classes" in self.facts else {}
        frame.attrs["facts"] = facts | names
        return frame

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of all labels: the classes, and sets as `downstairs+upstairs`."""
        classes: tuple[str, ...] = self.facts["classes"]
        return (*classes, *("+".join(classes[place] for place in members) for members in self.label_sets))

    def dataset(self, batch_size: int, *, seed: int | None = None, epochs: int = 1) -> "tf.data.Dataset":
        """Batches for Keras; rows on the disk are read in blocks, so they may be larger than memory.

        Args:
            batch_size: Rows in a batch; the last batch of an epoch may be smaller.
            seed: Shuffles the rows, anew in each epoch; the seed alone decides how. None keeps their order.
            epochs: Passes over the rows.

        Returns:
            A finite data set of pairs of inputs and targets.
        """
        from zoo.data import pipeline
        from zoo.recipe import Count, Seed, checked

        batch_size, epochs = checked("batch_size", Count, batch_size), checked("epochs", Count, epochs)
        rows = self.facts["prepare"](self) if "prepare" in self.facts else self
        return pipeline.batches(rows, batch_size, seed=checked("seed", Seed | None, seed), epochs=epochs)

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """The rows for which `mask`, `(len(self),)`, is true."""
        return replace(self, rows=self.rows[mask])

    def empty(self) -> Self:
        """None of the rows."""
        return replace(self, rows=self.rows[:0])

    def of_one_class(self, classes: int) -> Self:
        """The rows whose label is one of the K classes, not a set of them."""
        return self.where(self.labels < classes) if self.label_sets else self

    def with_columns(self, columns: Mapping[str, Values], **facts: Any) -> Self:
        """The same rows of other columns, or with other facts."""
        return replace(self, columns={**self.columns, **columns}, facts={**self.facts, **facts})

    def joined(self, other: Self) -> Self:
        """These rows followed by others."""
        both = self.inputs, other.inputs
        shape = (len(both[0]) + len(both[1]), *self.inputs.shape[1:])
        run = max(getattr(part, "run", 1) for part in both)
        columns: dict[str, Values] = {"input": Column(shape, partial(_read_both, *both), run)}
        for name in {name: None for name in (*self.columns, *other.columns) if name != "input"}:
            values = [part.columns.get(name, np.full(len(part.inputs), "")) for part in (self, other)]
            # Where half of the people are known, nobody is; a study or a position may be empty.
            if name != "subject" or all(name in part.columns for part in (self, other)):
                columns[name] = np.concatenate([np.asarray(value[:]) for value in values])
        return replace(self, columns=columns, rows=np.concatenate([self.rows, len(self.inputs) + other.rows]))

    def in_memory(self) -> Self:
        """The same rows with their inputs in memory, unless they are larger than `MEMORY_BYTES`."""
        if 4 * int(np.prod(self.inputs.shape)) > MEMORY_BYTES:
            return self
        return self.with_columns({"input": self.inputs[0 : len(self.inputs)]})

    def centers(self, rows: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs `(len(self), rows, C)`, of longer ones their centers, and targets."""
        inputs, labels = self.arrays()
        return center_crop(inputs, rows), labels

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and variance of each channel over all rows of all inputs, in blocks; 1 for one that is constant."""
        total = rows = squares = np.zeros(self.inputs.shape[-1])
        for inputs, _ in self.blocks():
            flat = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
            rows = rows + len(flat)
            total = total + flat.sum(axis=0)
            squares = squares + (flat**2).sum(axis=0)
        mean = total / rows
        variance = squares / rows - mean**2
        # Rounding leaves a little of a constant channel, even below zero, and divided by it noise would be all.
        return mean.tolist(), np.where(variance > _CONSTANT * np.maximum(mean**2, 1), variance, 1.0).tolist()

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


def _read_both(first: Values, other: Values, rows: slice) -> NDArray[Any]:
    """Rows of two arrays as one: those of the first before those of the other."""
    middle = len(first)
    start, stop, _ = rows.indices(middle + len(other))
    return np.concatenate([first[start : min(stop, middle)], other[max(start - middle, 0) : max(stop - middle, 0)]])


def _read(array: Values, rows: NDArray[np.int64], places: NDArray[np.intp], run: int) -> NDArray[Any]:
    """Rising rows of an array, each at its place; of an array on the disk, runs of rows at a time."""
    first = array[int(rows[0]) : int(rows[0]) + 1]
    values = np.empty((len(rows), *first.shape[1:]), first.dtype)
    if isinstance(array, np.ndarray):
        values[places] = array[rows]
        return values
    starts = np.flatnonzero(np.diff(rows // run, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        low, high = int(rows[start]), int(rows[stop - 1]) + 1
        part = array[low:high]
        values[places[start:stop]] = part if high - low == stop - start else part[rows[start:stop] - low]
    return values


def _spans(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each start, as many consecutive numbers as its length.

    >>> _spans(np.array([3, 10]), np.array([2, 3])).tolist()
    [3, 4, 10, 11, 12]
    """
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def center_crop(windows: Any, rows: int) -> Any:
    """The middle of windows that are longer than what the model reads."""
    start = (windows.shape[1] - rows) // 2
    return windows[:, start : start + rows]


def sort_names(names: Iterable[Any]) -> list[str]:
    """Each name once; numbers by value, before names by letter."""
    return sorted({str(name) for name in names}, key=lambda s: (not s.isdecimal(), int(s) if s.isdecimal() else 0, s))


@dataclass(frozen=True, kw_only=True, repr=False)
class Data:
    """Checked data for a task: what `zoo.load_data` returns. Its facts are those of its training set.

    Its `name` is the path of the file, `tfds:NAME`, or `arrays`. From `path`, the file or the folder of a build,
    `load_data` opens the same data; for arrays it is None, and a `fingerprint` identifies them. Choices, such as when
    to stop, are made on the rows for validation, and the final measurement on those for test; either may be empty.
    """

    task: str
    name: str
    path: Path | None = None
    train: DataSet
    validation: DataSet
    test: DataSet
    fingerprint: str = ""

    @classmethod
    def of(cls, task: str, splits: Mapping[str, DataSet], name: str, **about: Any) -> Self:
        """Data with some splits, whose others are empty."""
        train = splits["train"]
        validation, test = (splits.get(split, train.empty()) for split in ("validation", "test"))
        return cls(task=task, name=name, train=train, validation=validation, test=test, **about)

    facts: ClassVar[Any] = property(attrgetter("train.facts"))
    """What is known of all rows."""
    label_names: ClassVar[Any] = property(attrgetter("train.label_names"))
    """The names of all labels: the classes, and sets as `downstairs+upstairs`."""
    classes: ClassVar[Any] = property(lambda data: data.facts.get("classes"))
    """The names of the classes."""
    label_sets: ClassVar[Any] = property(lambda data: data.facts.get("label_sets", ()))
    """The classes of each label from `len(classes)` on."""
    words: ClassVar[Any] = property(lambda data: data.facts.get("words"))
    """The vocabulary, in the order of the word numbers."""
    rate: ClassVar[Any] = property(lambda data: data.facts.get("rate"))
    """Sampling rate in Hz."""
    axes: ClassVar[Any] = property(lambda data: data.facts.get("axes"))
    """The names of the channels: x, y, z, and with a gyroscope gyro_x, gyro_y, gyro_z."""
    simulated: ClassVar[Any] = property(lambda data: data.facts.get("simulated", False))
    """Whether a program made the data."""
    source: ClassVar[Any] = property(lambda data: data.facts.get("source", "not stated"))
    """Where the data comes from, as the file states it."""

    @property
    def other_class(self) -> int | None:
        """The number of the class that stands for all other movements, the last one. None if there is none."""
        return other_of(self.classes, bool(self.facts.get("other")))

    @property
    def split_by(self) -> str:
        """How training and test are divided: `subject`, or `window` where subjects are not known."""
        return "subject" if "subject" in self.train.columns and "subject" in self.test.columns else "window"

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file, or what else identifies the data."""
        return self.fingerprint if self.path is None or self.fingerprint else sha256(self.path)

    def digest(self) -> str:
        """What distinguishes data of one file: a hash of its facts, of the chosen rows, and of what is in memory."""
        facts = sorted((name, fact) for name, fact in self.facts.items() if not callable(fact))
        digest = hashlib.sha256(repr(facts).encode())
        for part in (self.train, self.validation, self.test):
            columns = [values for values in part.columns.values() if isinstance(values, np.ndarray)]
            for values in (part.rows, *columns):
                digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def splits(self) -> dict[str, DataSet]:
        """Train, validation and test, without those that are empty."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: rows for name, rows in splits.items() if len(rows)}

    def everyone(self) -> Self:
        """The same data with the test rows appended to the training rows."""
        return replace(self, train=self.train.joined(self.test)) if len(self.test) else self

    def with_facts(self, **facts: Any) -> Self:
        """The same data with other facts."""
        return self._changed(lambda part: part.with_columns({}, **facts))

    def _changed(self, change: Callable[[DataSet], DataSet]) -> Self:
        return replace(self, train=change(self.train), validation=change(self.validation), test=change(self.test))

    def with_classes(self, classes: Sequence[str]) -> Self:
        """The same rows with the labels of a model that knows their classes, in any order, and perhaps others."""
        if tuple(classes) == self.classes:
            return self
        places = np.array([classes.index(name) for name in self.classes])
        sets = tuple(tuple(sorted(places[list(members)].tolist())) for members in self.label_sets)
        numbers = np.concatenate([places, len(classes) + np.arange(len(sets))])

        def renumbered(part: DataSet) -> DataSet:
            targets = numbers[np.asarray(part.targets[:])]
            return part.with_columns({"target": targets}, classes=tuple(classes), label_sets=sets)

        return self._changed(renumbered)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        splits = "".join(f"\n  {name}: {rows!r}" for name, rows in self.splits().items())
        simulated = ", simulated" if self.simulated else ""
        return f"<{self.task} data of {self.name}{simulated}{splits}>"
