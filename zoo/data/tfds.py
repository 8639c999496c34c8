"""TensorFlow Datasets: the zoo's data as builds that `tfds.load` and `zoo.load_data` read.

| builder | configurations | is made of |
|---|---|---|
| `zoo_activity` | `course`; `motionsense_150_75`, `recordings_150_75`, and others of that form | data3.h5; MotionSense's zip; recordings.h5 |
| `zoo_patches` | `course`; `photographs_10240` and others of that form | data1.h5; photographs |
| `zoo_text` | `course`; `text_250` and others of that form | data2.h5; UTF-8 text, one sentence per line |

Importing this module registers them:

    import tensorflow_datasets as tfds
    import zoo.data.tfds

    tfds.load("zoo_activity/motionsense_150_75", data_dir="builds")

Every source first becomes a file in the course's layout, by the zoo's own writers, and is checked by the zoo's own
readers; so a build holds the same rows, in the same order, with the same splits. Files of a build are ArrayRecord files,
which `tfds.data_source` and the zoo read at any place, in blocks: a build larger than memory needs disk alone.
"""  # noqa: E501

import contextlib
import hashlib
import importlib
import io
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.data import hdf5
from zoo.data.examples import Data, Examples, Sliceable
from zoo.errors import ZooError, unknown_name
from zoo.files import exclusive, sha256

try:
    import tensorflow_datasets as tfds
except ImportError:
    raise ZooError("tensorflow-datasets is not installed: pip install 'pocket-zoo[datasets]'") from None

_TASKS = ("activity", "patches", "text")
_BLOCK = 4096
_WIRE = {"i": tf.int64, "f": tf.float32}
"""How `tf.train.Example` stores NumPy's kinds of numbers."""


class Source(NamedTuple):
    """A kind of sources: its file in `manual_dir` (None: the folder itself), and what to do if it is missing."""

    file: str | None
    advice: str
    homepage: str | None = None
    citation: str | None = None


@dataclass(eq=False)
class Config(tfds.core.BuilderConfig):  # type: ignore[misc]  # TFDS has no types
    """What a build is made of: a source, and the numbers in the configuration's name, which decide how."""

    source: str = "course"
    numbers: tuple[int, ...] = ()


class ZooBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]  # no types
    """The base of the builders, whose rows keep their order.

    A subclass has `FILE`, the usual name of a file in the course's layout; `SOURCES` by name; `NAMES`, a pattern of the
    names of configurations, a source and numbers; `LISTED`, some of these; and `SUPERVISED`, the features of inputs and
    targets. Its methods: `described(source, *numbers)` is a sentence about a configuration; `write_source(source,
    path)` turns a source into a file in the course's layout; `features()` are those of a row; `splits(path)` checks a
    file, and returns of each split the examples and arrays of the other features, and metadata of all rows;
    `data(column, metadata, about)` returns the data of a build, whose features `column` opens.

    Args:
        source: A file or a folder to build from, in place of `manual_dir`.
        report: Called with the name of a split and the number of rows written so far.
        **options: Of `tfds.core.GeneratorBasedBuilder`.
    """

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "TFRecord.", "2.0.0": "ArrayRecord, for random access."}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.BUILDER_CONFIGS = [cls.configuration(name) for name in ("course", *cls.LISTED)]
        cls.MANUAL_DOWNLOAD_INSTRUCTIONS = "\n".join(
            f"`{name}`: {f'{source.file}; ' if source.file else ''}{source.advice}"
            for name, source in cls.SOURCES.items()
        )

    def __init__(
        self, *, source: Path | None = None, report: Callable[[str, int], None] | None = None, **options: Any
    ) -> None:
        self._source, self._report = source, report
        super().__init__(**{"file_format": "array_record"} | options)

    @classmethod
    def configuration(cls, name: str) -> Config | None:
        """The configuration of a name, such as `motionsense_128_64_25hz`; None if the name has another form."""
        if name == "course":
            return Config(name=name, description=f"A file in the layout of {cls.FILE}.")
        if not (found := re.fullmatch(cls.NAMES, name)):
            return None
        source, *numbers = found.groups()
        chosen = tuple(int(number) for number in numbers if number is not None)
        return Config(name=name, description=cls.described(source, *chosen), source=source, numbers=chosen)

    def _info(self) -> tfds.core.DatasetInfo:
        source = self.SOURCES[self.builder_config.source]
        return tfds.core.DatasetInfo(
            builder=self, description=f"{self.builder_config.description}\n",
            features=tfds.features.FeaturesDict(self.features()), supervised_keys=self.SUPERVISED,
            homepage=source.homepage, citation=source.citation, disable_shuffling=True,
            metadata=tfds.core.MetadataDict(),
        )  # fmt: skip

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
        # In the folder of the unfinished build, whose disk has room for its rows.
        with tempfile.TemporaryDirectory(prefix="source.", dir=self.data_path) as folder:
            self._converted = Path(folder) / self.FILE
            super()._download_and_prepare(*arguments, **options)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        path: Path = self.find(self._source or Path(dl_manager.manual_dir))
        source = path
        if self.builder_config.source != "course":
            path = self._converted
            self.write_source(source, path)
        splits, details = self.splits(path)
        self.info.metadata.update(
            source=source.name, source_sha256=digest(source), attributes=hdf5.attributes(path), **details
        )
        return {split: self._generate_examples(split, *parts) for split, parts in splits.items()}

    def _generate_examples(
        self, split: str, examples: Examples, columns: Mapping[str, Any]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        keys, number = [key for key in self.info.features if key not in columns], 0
        for block in examples.blocks():
            here = slice(number, number + len(block[0]))
            known = {key: values[here].tolist() for key, values in columns.items()}
            for row in zip(*block[: len(keys)], *known.values(), strict=True):
                yield number, dict(zip((*keys, *known), row, strict=True))
                number += 1
                if self._report is not None:
                    self._report(split, number)

    def find(self, place: Path) -> Path:
        """The source at a place: a file, a folder that is the source, or a file in a folder by its usual name."""
        source: Source = self.SOURCES[self.builder_config.source]
        name = source.file
        if place.is_file() or (place.is_dir() and name is None):
            return place
        if name is not None and (place / name).exists():
            return place / name
        lacks = f"no {name} in this folder" if place.is_dir() else "no such file or folder"
        raise ZooError(f"{place}: {lacks}; {source.advice}")


def digest(source: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the names and hashes of its files."""
    if source.is_file():
        return sha256(source)
    names = sorted(file for file in source.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(source).as_posix()} {sha256(file)}\n" for file in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Column(Sliceable):
    """A feature of all rows of some splits of a build, which stays on the disk and is read by slices.

    Args:
        place: Folder of the build.
        feature: The feature's name.
        splits: Names of splits, whose rows follow each other.
        order: `(rows,)` the place of each row in the column; by default that in the splits.
    """

    def __init__(
        self, place: Path, feature: str, splits: Sequence[str], order: NDArray[np.int64] | None = None
    ) -> None:
        self.place, self.feature, self.splits = place, feature, splits
        info = self._builder.info
        counts = [info.splits[split].num_examples for split in splits]
        chosen = np.arange(sum(counts)) if order is None else np.argsort(order)
        self._parts = np.repeat(np.arange(len(splits)), counts)[chosen]
        self._rows = np.concatenate([np.arange(count) for count in counts])[chosen]
        self.shape = (len(chosen), *info.features[feature].shape)

    @cached_property
    def _builder(self) -> Any:
        return tfds.builder_from_directory(self.place)

    @cached_property
    def _sources(self) -> list[Any]:
        raw = tfds.decode.DeserializeMethod.RAW_BYTES
        return [self._builder.as_data_source(split, deserialize_method=raw) for split in self.splits]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_builder", "_sources")}

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        numbers, parts = self._rows[rows], self._parts[rows]
        dtype = np.dtype(self._builder.info.features[self.feature].np_dtype)
        found = np.empty((len(numbers), *self.shape[1:]), dtype if dtype.kind in _WIRE else object)
        for part in np.unique(parts):
            found[parts == part] = self._read(part, numbers[parts == part], _WIRE.get(dtype.kind, tf.string))
        return found

    def _read(self, part: int, rows: NDArray[np.int64], kind: tf.DType) -> NDArray[Any]:
        try:
            records = self._sources[part].__getitems__(rows.tolist())
            feature = {self.feature: tf.io.FixedLenFeature(self.shape[1:], kind)}
            values = tf.io.parse_example(records, feature)[self.feature].numpy()
        except (tf.errors.OpError, RuntimeError, OSError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ZooError(f"{self.place}: damaged: delete it and build it again ({reason})") from error
        return np.array([text.decode() for text in values.tolist()], object) if kind == tf.string else values

    def array(self) -> NDArray[Any]:
        """All rows, in memory; text comes as `str`."""
        found = np.concatenate([self[start : start + _BLOCK] for start in range(0, len(self), _BLOCK)])
        return found.astype(np.str_) if found.dtype == object else found


def build(
    name: str, source: Path, folder: Path | None = None, *, report: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Builds a data set such as `zoo_activity/motionsense_150_75`, unless it exists already.

    A killed build leaves nothing under its name, and what it leaves is removed by the next.

    Args:
        name: Without a configuration, that of `course`.
        source: The file or folder to build from, or a folder that holds it.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets by default.
        report: Called with the name of a split and the number of rows written so far.

    Returns:
        `name`, `version`, `folder`, `built` (false if it existed already), `splits` with rows, files and bytes,
        `features` with their meanings, `source`, `source_sha256`.
    """
    name, cls, configuration = _resolve(name)
    # TFDS warns about configurations that are not in its table.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = cls(config=configuration, data_dir=_data_dir(folder), source=source, report=report)
    place, expected = Path(builder.data_path), digest(builder.find(source))
    with exclusive(place, "folder"):
        existed = place.is_dir()
        if existed:
            builder.info.read_from_directory(place)
            known = builder.info.metadata
            if known["source_sha256"] != expected:
                raise ZooError(
                    f"{place}: was built from another {known['source']} (SHA-256 {known['source_sha256'][:12]}, this "
                    f"one {expected[:12]}): delete it, or build in another folder"
                )
        else:
            tfds.disable_progress_bar()
            # What a killed build left: the lock says that no other is at work.
            for left in place.parent.glob(f"incomplete.*_{place.name}"):
                shutil.rmtree(left)
            notes = place.parents[1] / ".config"
            noted = notes.exists()
            try:
                # TFDS prints its progress, and makes a folder for downloads though nothing is downloaded.
                with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as nothing:
                    builder.download_and_prepare(download_dir=nothing)
            except BaseException:
                # Folders that were made for the build are then empty, and deleted by `exclusive`.
                if not noted:
                    shutil.rmtree(notes, ignore_errors=True)
                raise
    info = builder.info
    return {
        "name": name, "version": str(info.version), "folder": str(builder.data_path),
        "splits": {
            split: {"rows": part.num_examples, "files": part.num_shards, "bytes": int(part.num_bytes)}
            for split, part in info.splits.items()
        },
        "features": {feature: str(tensor.doc.desc) for feature, tensor in info.features.items()},
        "source": info.metadata["source"], "source_sha256": info.metadata["source_sha256"], "built": not existed,
    }  # fmt: skip


def load(name: str, folder: Path | None = None) -> Data:
    """Opens a build by its name; inputs stay on the disk."""
    name, cls, _ = _resolve(name)
    return open_build(_data_dir(folder) / name / str(cls.VERSION))


def open_build(place: Path) -> Data:
    """Opens a build by its folder."""
    place = place.absolute()
    name, cls, _ = _resolve("/".join(place.parts[-3:-1]))
    version = str(cls.VERSION)
    if place.name != version or not (place / "dataset_info.json").is_file():
        again = f"build it with `zoo data build {name} --from SOURCE --to {place.parents[2]}`"
        others = sorted({file.parent.name for file in place.parent.glob("*/dataset_info.json")} - {version})
        if others:
            raise ZooError(f"{place.parent}: holds version {', '.join(others)}; this zoo reads {version}: {again}")
        raise ZooError(f"{place.parents[2]}: no build of {name}: {again}, or pass its folder with --data-dir")
    metadata = dict(tfds.builder_from_directory(place).info.metadata)
    fingerprint = metadata["source_sha256"]
    if not name.endswith("/course"):
        # What was made from the source depends on the configuration, and on how builders make it.
        fingerprint = hashlib.sha256(f"{name} {cls.VERSION} {fingerprint}".encode()).hexdigest()
    facts = hdf5.provenance(metadata["attributes"])
    found: Data = cls.data(
        partial(Column, place), metadata, {"name": f"tfds:{name}", "path": place, "fingerprint": fingerprint, **facts}
    )
    return found


def _resolve(name: str) -> tuple[str, type[ZooBuilder], Config | str]:
    """The name with its configuration, the builder's class, and its argument `config`."""
    family, _, configuration = name.partition("/")
    configuration = configuration or "course"
    known = [f"zoo_{task}" for task in _TASKS]
    # Folders of builds of versions before 0.3 keep their name.
    if family not in (*known, "zoo_trigrams"):
        raise unknown_name("data set", family, known)
    cls = tfds.builder_cls("zoo_text" if family == "zoo_trigrams" else family)
    listed = list(cls.builder_configs)
    found = configuration if configuration in listed else cls.configuration(configuration)
    if found is None:
        raise unknown_name(f"configuration of {family}", configuration, listed)
    return f"{family}/{configuration}", cls, found


def _data_dir(folder: Path | None) -> Path:
    return Path(folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


# Each is in the folder of its task. Imports that go up, by name, register them.
for _task in _TASKS:
    importlib.import_module(f"zoo.{_task}.builder")
