"""What the three builders share: where a source is found, the file in the course's layout that is made of it, and what
a build says of itself.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from numpy.typing import NDArray

from zoo.data import hdf5
from zoo.errors import ZooError
from zoo.files import sha256

Row = dict[str, Any]

Batch = Mapping[str, NDArray[Any]]
"""The same features of some rows."""

_BLOCK = 1024


@dataclass(frozen=True)
class Part:
    """The rows of a split.

    Args:
        count: How many.
        read: Reads those from one number up to another; it can be sent to other processes.
    """

    count: int
    read: Callable[[int, int], Iterator[Row]]


class ZooBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]  # no types
    """A builder of one of the zoo's layouts. Rows keep their order.

    Args:
        source: A file or a folder to build from, in place of `manual_dir`.
        report: Called with the name of a split and the number of its rows that are written; not by Apache Beam.
        in_beam: Whether Apache Beam reads the rows and writes the shards.
        **options: Of `tfds.core.GeneratorBasedBuilder`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The first."}

    FILE: ClassVar[str]
    """What a file in this layout is called."""

    SOURCES: ClassVar[Mapping[str, str | None]]
    """By what a configuration is made of: what that is called in `manual_dir`; None where it is the folder itself."""

    def __init__(
        self, *, source: Path | None = None, report: Callable[[str, int], None] | None = None, in_beam: bool = False,
        **options: Any,
    ) -> None:  # fmt: skip
        self._source, self._report, self._in_beam = source, report, in_beam
        super().__init__(**options)

    @classmethod
    def configuration(cls, name: str) -> tfds.core.BuilderConfig | None:
        """The configuration of a name that tells all of it; None where it is no such name."""
        raise NotImplementedError

    def _write_source(self, source: Path, path: Path) -> None:
        """Makes a file in the course's layout of a source that is not one."""
        raise NotImplementedError

    def _parts(self, path: Path) -> tuple[Mapping[str, Part], dict[str, Any]]:
        """Checks a file in the course's layout; gives the rows of each split, and what holds for all of them."""
        raise NotImplementedError

    @staticmethod
    def write_file(path: Path, parts: Mapping[str, Iterable[Batch]], metadata: Mapping[str, Any]) -> None:
        """Writes the rows of a build as a file in the course's layout.

        Args:
            path: The file, written whole or not at all.
            parts: Batches of each split, in their order.
            metadata: Of the build.
        """
        raise NotImplementedError

    def _download_and_prepare(self, *arguments: Any, **options: Any) -> None:
        # In the folder that a killed build leaves, so that the next one clears it away.
        with tempfile.TemporaryDirectory(prefix="source.", dir=self.data_path) as folder:
            self._made = Path(folder) / self.FILE
            super()._download_and_prepare(*arguments, **options)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        source = self.find(self._source or Path(dl_manager.manual_dir))
        path = source
        if self.builder_config.source != "course":
            path = self._made
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
        """The source at a place: a file, a folder that is one, or what it is called in a folder.

        Raises:
            ZooError: If it is not there; tells where to get it.
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
    """Apache Beam's transform that gives the same numbered rows, read in blocks by whatever workers it has."""
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
