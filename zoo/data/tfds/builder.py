"""The base of the three builders: finds the source, turns it into the layout of the course, and writes its rows."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.data import hdf5
from zoo.data.examples import Data
from zoo.data.tfds.reading import Build
from zoo.errors import ZooError
from zoo.files import sha256

Row = dict[str, Any]

_BLOCK = 1024


@dataclass(frozen=True)
class Part:
    """The rows of a split.

    Args:
        count: The number of rows.
        read: Reads the rows from one number up to another; can be pickled.
    """

    count: int
    read: Callable[[int, int], Iterator[Row]]


class ZooBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]  # no types
    """A builder of one of the zoo's layouts. Rows keep their order.

    Args:
        source: A file or a folder to build from, in place of `manual_dir`.
        report: Called with the name of a split and the number of rows written so far; not by Apache Beam.
        in_beam: Whether Apache Beam reads the rows and writes the shards.
        **options: Of `tfds.core.GeneratorBasedBuilder`.
    """

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "TFRecord.", "2.0.0": "ArrayRecord, for random access."}

    FILE: ClassVar[str]
    """The usual name of a file in this layout."""

    SOURCES: ClassVar[Mapping[str, str | None]]
    """The kinds of sources, and their names in `manual_dir`; None stands for the folder itself."""

    def __init__(
        self, *, source: Path | None = None, report: Callable[[str, int], None] | None = None, in_beam: bool = False,
        **options: Any,
    ) -> None:  # fmt: skip
        self._source, self._report, self._in_beam = source, report, in_beam
        super().__init__(**{"file_format": "array_record"} | options)

    @classmethod
    def configuration(cls, name: str) -> tfds.core.BuilderConfig | None:
        """The configuration of a name that contains all its settings; None if the name has another form."""
        raise NotImplementedError

    def _write_source(self, source: Path, path: Path) -> None:
        """Turns a source into a file in the course's layout."""
        raise NotImplementedError

    def _parts(self, path: Path) -> tuple[Mapping[str, Part], dict[str, Any]]:
        """Checks a file in the course's layout; returns the rows of each split, and metadata of all of them."""
        raise NotImplementedError

    @staticmethod
    def data(build: Build, about: Mapping[str, Any]) -> Data:
        """The data of a build.

        Args:
            build: Reads it.
            about: Arguments of `Data`.
        """
        raise NotImplementedError

    def _as_dataset(
        self, split: Any, decoders: Any = None, read_config: Any = None, shuffle_files: bool = False
    ) -> Any:
        # TFDS reads ArrayRecord files as data sources alone, but `tfds.load` is what everyone knows.
        records = self.as_data_source(split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
        starts = range(0, len(records), _BLOCK)
        blocks = tf.data.Dataset.from_generator(
            lambda: (records.__getitems__(list(range(start, min(start + _BLOCK, len(records))))) for start in starts),
            output_signature=tf.TensorSpec((None,), tf.string),
        )
        counted = blocks.unbatch().apply(tf.data.experimental.assert_cardinality(len(records)))
        return counted.map(lambda record: self.info.features.deserialize_example(record, decoders=decoders))

    def _download_and_prepare(self, *arguments: Any, **options: Any) -> None:
        # In the folder that a killed build leaves, so that the next one deletes it.
        with tempfile.TemporaryDirectory(prefix="source.", dir=self.data_path) as folder:
            self._converted = Path(folder) / self.FILE
            super()._download_and_prepare(*arguments, **options)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        source = self.find(self._source or Path(dl_manager.manual_dir))
        path = source
        if self.builder_config.source != "course":
            path = self._converted
            self._write_source(source, path)
        parts, details = self._parts(path)
        self.info.metadata.update(
            source=source.name, source_sha256=digest(source), attributes=hdf5.attributes(path), **details
        )
        return {split: self._generate_examples(split, part) for split, part in parts.items()}

    def _generate_examples(self, split: str, part: Part) -> Any:
        return _anywhere(part) if self._in_beam else self._one_by_one(split, part)

    def _one_by_one(self, split: str, part: Part) -> Iterator[tuple[int, Row]]:
        for number, row in _numbered(part.read, 0, part.count):
            if self._report is not None:
                self._report(split, number + 1)
            yield number, row

    def find(self, place: Path) -> Path:
        """The source at a place: a file, a folder that is the source, or a file in a folder by its usual name.

        Raises:
            ZooError: If it is missing; says where to get it.
        """
        name = self.SOURCES[self.builder_config.source]
        if place.is_file() or (place.is_dir() and name is None):
            return place
        if name is not None and (place / name).exists():
            return place / name
        lacks = f"no {name} in this folder" if place.is_dir() else "no such file or folder"
        raise ZooError(f"{place}: {lacks}; {self.builder_config.advice}")

    def _info_of(self, features: Mapping[str, Any], supervised: tuple[str, str] | None) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.builder_config.description}\n",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=supervised,
            homepage=self.builder_config.homepage,
            citation=self.builder_config.citation,
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(),
        )


def _numbered(read: Callable[[int, int], Iterator[Row]], start: int, stop: int) -> Iterator[tuple[int, Row]]:
    return zip(range(start, stop), read(start, stop), strict=True)


def _anywhere(part: Part) -> Any:
    """Apache Beam's transform that returns the same numbered rows, read in blocks by any number of workers."""
    import apache_beam as beam

    blocks = [(start, min(start + _BLOCK, part.count)) for start in range(0, part.count, _BLOCK)]
    # Without a shuffle, the worker that made the list would read all of it.
    return beam.Create(blocks) | beam.Reshuffle() | beam.FlatMapTuple(partial(_numbered, part.read))


def digest(source: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the names and hashes of its files."""
    if source.is_file():
        return sha256(source)
    names = sorted(file for file in source.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(source).as_posix()} {sha256(file)}\n" for file in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
