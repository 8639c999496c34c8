"""Reads builds through the data sources of TensorFlow Datasets, at any place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from zoo.errors import ZooError

_BLOCK = 4096
_WIRE = {"i": tf.int64, "f": tf.float32}
"""How `tf.train.Example` stores NumPy's kinds of numbers."""


class Build:
    """A build on the disk.

    Args:
        place: Its folder.
    """

    def __init__(self, place: Path) -> None:
        self.place = place

    def __getstate__(self) -> dict[str, Any]:
        return {"place": self.place}

    @cached_property
    def builder(self) -> Any:
        """Its read-only builder."""
        return tfds.builder_from_directory(self.place)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the zoo stored about all rows."""
        return dict(self.builder.info.metadata)

    @cached_property
    def _sources(self) -> dict[str, Any]:
        raw = tfds.decode.DeserializeMethod.RAW_BYTES
        return {split: self.builder.as_data_source(split, deserialize_method=raw) for split in self.builder.info.splits}

    def column(self, feature: str, *splits: str, order: NDArray[np.int64] | None = None) -> "Column":
        """A feature of all rows of some splits, on the disk.

        Args:
            feature: Its name.
            *splits: One after another.
            order: `(rows,)` the place of each row in the column; by default that in the splits.
        """
        counts = [len(self._sources[split]) for split in splits]
        parts = np.repeat(np.arange(len(splits)), counts)
        rows = np.concatenate([np.arange(count) for count in counts])
        order = np.arange(len(rows)) if order is None else np.argsort(order)
        return Column(self, feature, splits, parts[order], rows[order])

    def read(self, split: str, rows: NDArray[np.int64], feature: str) -> NDArray[Any]:
        """A feature of some rows of a split; text comes as objects."""
        tensor = self.builder.info.features[feature]
        kind = _WIRE.get(np.dtype(tensor.np_dtype).kind, tf.string)
        with self._damage():
            records = self._sources[split].__getitems__(rows.tolist())
            parsed = tf.io.parse_example(records, {feature: tf.io.FixedLenFeature(tensor.shape, kind)})
        values = parsed[feature].numpy()
        if kind == tf.string:
            return np.array([text.decode() for text in values.tolist()], object)
        return np.asarray(values, tensor.np_dtype)

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except (tf.errors.OpError, RuntimeError, OSError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ZooError(f"{self.place}: damaged: delete it and build it again ({reason})") from error


@dataclass(frozen=True, eq=False)
class Column:
    """A feature of some rows of a build, which stays on the disk and is read by slices.

    Args:
        build: The build.
        feature: The feature's name.
        splits: Names of splits.
        parts: `(N,)` which of the splits each row is in.
        rows: `(N,)` its place in the split.
    """

    build: Build
    feature: str
    splits: tuple[str, ...]
    parts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows, and the shape of each."""
        return (len(self), *self.build.builder.info.features[self.feature].shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        numbers, parts = self.rows[rows], self.parts[rows]
        dtype = np.dtype(self.build.builder.info.features[self.feature].np_dtype)
        found = np.empty((len(numbers), *self.shape[1:]), dtype if dtype.kind in _WIRE else object)
        for part in np.unique(parts):
            found[parts == part] = self.build.read(self.splits[part], numbers[parts == part], self.feature)
        return found

    def array(self) -> NDArray[Any]:
        """All rows, in memory; text comes as `str`."""
        found = np.concatenate([self[start : start + _BLOCK] for start in range(0, len(self), _BLOCK)])
        return found.astype(np.str_) if found.dtype == object else found
