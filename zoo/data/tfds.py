"""TensorFlow Datasets: the zoo's files as builds that `tfds.load` and `zoo.load_data` read.

Importing this module registers `zoo_activity`, `zoo_patches` and `zoo_text`:

    import tensorflow_datasets as tfds
    import zoo.data.tfds

    tfds.load("zoo_activity/course", data_dir="builds")

A build is made of a file in the layout of its task, which is checked as it always is, and holds the same rows, in the
same order, with the same splits. Its features are the columns of the task's schema. Its files are ArrayRecord files,
which `tfds.data_source` and the zoo read at any place, in blocks: a build larger than memory needs disk alone.
"""

import contextlib
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.data.dataset import Column, Data, DataSet
from zoo.data.layouts import LAYOUTS
from zoo.errors import ZooError, unknown_name
from zoo.families import TASKS
from zoo.files import exclusive, sha256
from zoo.runtime.metadata import CLASSES

try:
    import tensorflow_datasets as tfds
except ImportError:
    raise ZooError("tensorflow-datasets is not installed: pip install 'pocket-zoo[datasets]'") from None

_BLOCK = 4096
_WIRE = {"i": tf.int64, "f": tf.float32}
"""How `tf.train.Example` stores NumPy's kinds of numbers."""

_KEPT = ("classes", "label_sets", "rate", "words", "axes", "source", "simulated", "notes")
"""Facts that the metadata of a build hold."""


class ZooBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]  # no types
    """The base of the builders, whose rows keep their order.

    A subclass has its `TASK`; the name of the feature that holds each column, `NAMES`; the `SHAPE` of an input and the
    names of `LABELS` that are described before there is data; and `SUPERVISED`, the features of inputs and targets.

    Args:
        source: The file to build from, or its folder, in place of `manual_dir`.
        report: Called with the name of a split and the number of rows written so far.
        **options: Of `tfds.core.GeneratorBasedBuilder`.
    """

    VERSION = tfds.core.Version("4.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"4.0.0": "Windows of any length, any labels; made of files alone."}
    BUILDER_CONFIGS: ClassVar[list[Any]] = [
        tfds.core.BuilderConfig(name="course", description="A file in the layout of the course.")
    ]
    LABELS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.MANUAL_DOWNLOAD_INSTRUCTIONS = (
            f"`{TASKS[cls.TASK].file}`: make it with `zoo data {LAYOUTS[cls.TASK].maker}`"
        )

    def __init__(
        self, *, source: Path | None = None, report: Callable[[str, int], None] | None = None, **options: Any
    ) -> None:
        self._report = report
        self._source = None if source is None else find(self.TASK, source)
        self._data: Data | None = None if self._source is None else opened(self.TASK, self._source)
        super().__init__(**{"file_format": "array_record"} | options)

    def _info(self) -> tfds.core.DatasetInfo:
        place = Path(self.data_path)
        features = (
            tfds.features.FeaturesDict.from_config(place)
            if (place / "features.json").is_file()
            else tfds.features.FeaturesDict(self._features())
        )
        return tfds.core.DatasetInfo(
            builder=self, description=f"{self.builder_config.description}\n", features=features,
            supervised_keys=self.SUPERVISED, disable_shuffling=True, metadata=tfds.core.MetadataDict(),
        )  # fmt: skip

    def _features(self) -> dict[str, Any]:
        """A feature for each column, by the schema of the task and the data, if there is any."""
        labels = self.LABELS if self._data is None or not self.LABELS else self._data.label_names
        shape = self.SHAPE if self._data is None else self._data.train.inputs.shape[1:]
        meanings, features = {column.name: column.meaning for column in LAYOUTS[self.TASK].columns}, dict[str, Any]()
        for column, name in self.NAMES.items():
            doc = meanings.get(column, "what it was cut from; empty if not known")
            if column == "input":
                dtype = np.int32 if self.TASK == "text" else np.float32
                features[name] = tfds.features.Tensor(shape=shape, dtype=dtype, doc=doc)
            elif column == "target":
                features[name] = (
                    tfds.features.ClassLabel(names=labels, doc=doc)
                    if labels else tfds.features.Scalar(np.int32, doc=doc)
                )  # fmt: skip
            else:
                features[name] = tfds.features.Text(doc=doc)
        return features

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

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        source = self._source or find(self.TASK, Path(dl_manager.manual_dir))
        data = self._data or opened(self.TASK, source)
        self.info.metadata.update(
            source=source.name, source_sha256=data.sha256,
            facts={name: data.facts[name] for name in _KEPT if name in data.facts},
            columns={split: list(rows.columns) for split, rows in data.splits().items()},
        )  # fmt: skip
        return {split: self._generate_examples(split, rows) for split, rows in data.splits().items()}

    def _generate_examples(self, split: str, rows: DataSet) -> Iterator[tuple[int, dict[str, Any]]]:
        texts = [column for column in self.NAMES if column not in ("input", "target")]
        known = {column: rows.column(column) for column in texts}
        number = 0
        for inputs, targets in rows.blocks():
            for row in zip(inputs, targets, strict=True):
                example = dict(zip(self.NAMES.values(), row, strict=False))
                for column in texts:
                    values = known[column]
                    example[self.NAMES[column]] = "" if values is None else str(values[number])
                yield number, example
                number += 1
                if self._report is not None:
                    self._report(split, number)


class ZooActivity(ZooBuilder):
    """Windows of acceleration, what the person was doing, and who it was; split by person."""

    TASK, SHAPE, LABELS, SUPERVISED = "activity", (150, 3), CLASSES, ("window", "label")
    NAMES: ClassVar[Mapping[str, str]] = {
        "input": "window", "target": "label", "subject": "subject", "study": "study", "position": "position",
    }  # fmt: skip


class ZooPatches(ZooBuilder):
    """Patches of natural images, and the photograph that each was cut from; what is held out, a recipe says."""

    TASK, SHAPE, SUPERVISED = "patches", (3, 16, 16), None
    NAMES: ClassVar[Mapping[str, str]] = {"input": "patch", "photograph": "photograph"}


class ZooText(ZooBuilder):
    """Three words and the one that followed, as numbers of the vocabulary from 0; split by their place in the text.

    `builder.info.metadata["facts"]["words"]` is the vocabulary.
    """

    TASK, SHAPE, SUPERVISED = "text", (3,), ("context", "next_word")
    NAMES: ClassVar[Mapping[str, str]] = {"input": "context", "target": "next_word"}


BUILDERS: dict[str, type[ZooBuilder]] = {
    f"zoo_{builder.TASK}": builder for builder in (ZooActivity, ZooPatches, ZooText)
}


def opened(task: str, path: Path) -> Data:
    """A file in the layout of a task."""
    data: Data = import_module(f"zoo.{task}.data").from_file(path)
    return data


def find(task: str, place: Path) -> Path:
    """The file of a task: itself, or in a folder by its usual name."""
    path = place / TASKS[task].file if place.is_dir() else place
    if not path.is_file():
        lacks = f"no {path.name} in this folder" if place.is_dir() else "no such file or folder"
        raise ZooError(f"{place}: {lacks}: make it with `zoo data {LAYOUTS[task].maker}`")
    return path


@dataclass
class _Records:
    """Reads a feature of a split of a build, whose folder is `place`."""

    place: Path
    feature: str
    split: str

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        """The feature, and the records of all features."""
        builder, raw = tfds.builder_from_directory(self.place), tfds.decode.DeserializeMethod.RAW_BYTES
        return builder.info.features[self.feature], builder.as_data_source(self.split, deserialize_method=raw)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

    def column(self) -> Column:
        """The feature of all rows, which stays on the disk."""
        feature, records = self._opened
        return Column((len(records), *feature.shape), self)

    def array(self) -> NDArray[Any]:
        """The feature of all rows, in memory."""
        count = len(self._opened[1])
        return np.concatenate([self(slice(start, start + _BLOCK)) for start in range(0, count, _BLOCK)])

    def __call__(self, rows: slice) -> NDArray[Any]:
        feature, records = self._opened
        wanted, dtype = list(range(*rows.indices(len(records)))), np.dtype(feature.np_dtype)
        if not wanted:
            return np.empty((0, *feature.shape), dtype)
        try:
            kind = tf.io.FixedLenFeature(feature.shape, _WIRE.get(dtype.kind, tf.string))
            values = tf.io.parse_example(records.__getitems__(wanted), {self.feature: kind})[self.feature].numpy()
        except (tf.errors.OpError, RuntimeError, OSError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ZooError(f"{self.place}: damaged: delete it and build it again ({reason})") from error
        return values.astype(dtype) if dtype.kind in _WIRE else np.array([text.decode() for text in values.tolist()])


def build(
    name: str, source: Path, folder: Path | None = None, *, report: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Builds a data set such as `zoo_activity/course`, unless it exists already.

    A killed build leaves nothing under its name, and what it leaves is removed by the next.

    Args:
        name: With or without its configuration, `course`.
        source: The file to build from, or a folder that holds it.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets by default.
        report: Called with the name of a split and the number of rows written so far.

    Returns:
        `name`, `version`, `folder`, `built` (false if it existed already), `splits` with rows, files and bytes,
        `features` with their meanings, `source`, `source_sha256`.
    """
    name, cls = _resolve(name)
    builder, expected = cls(config="course", data_dir=_data_dir(folder), source=source, report=report), None
    place, expected = Path(builder.data_path), sha256(find(cls.TASK, source))
    with exclusive(place, "folder"):
        existed = place.is_dir()
        if not existed:
            _prepare(builder, place)
    info = builder.info
    if existed:
        info.read_from_directory(place)
        if info.metadata["source_sha256"] != expected:
            raise ZooError(
                f"{place}: was built from another {info.metadata['source']} (SHA-256 "
                f"{info.metadata['source_sha256'][:12]}, this one {expected[:12]}): delete it, or build elsewhere"
            )
    return {
        "name": name, "version": str(info.version), "folder": str(builder.data_path),
        "splits": {
            split: {"rows": part.num_examples, "files": part.num_shards, "bytes": int(part.num_bytes)}
            for split, part in info.splits.items()
        },
        "features": {feature: str(tensor.doc.desc) for feature, tensor in info.features.items()},
        "source": info.metadata["source"], "source_sha256": info.metadata["source_sha256"], "built": not existed,
    }  # fmt: skip


def _prepare(builder: ZooBuilder, place: Path) -> None:
    """Makes a build, without the words of TFDS and the folders that it makes beside it."""
    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel(logging.ERROR)
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


def load(name: str, folder: Path | None = None) -> Data:
    """Opens a build by its name; inputs stay on the disk."""
    name, cls = _resolve(name)
    return open_build(_data_dir(folder) / name / str(cls.VERSION))


def open_build(place: Path) -> Data:
    """Opens a build by its folder."""
    place = place.absolute()
    name, cls = _resolve("/".join(place.parts[-3:-1]))
    version = str(cls.VERSION)
    if place.name != version or not (place / "dataset_info.json").is_file():
        again = f"build it with `zoo data build {name} --from SOURCE --to {place.parents[2]}`"
        others = sorted({file.parent.name for file in place.parent.glob("*/dataset_info.json")} - {version})
        if others:
            raise ZooError(f"{place.parent}: holds version {', '.join(others)}; this zoo reads {version}: {again}")
        raise ZooError(f"{place.parents[2]}: no build of {name}: {again}, or pass its folder with --data-dir")
    metadata, module = dict(tfds.builder_from_directory(place).info.metadata), import_module(f"zoo.{cls.TASK}.data")
    facts = {key: _as_tuples(value) for key, value in metadata["facts"].items()}
    if hasattr(module, "prepared"):
        facts["prepare"] = module.prepared
    parts = {}
    for split, columns in metadata["columns"].items():
        records = {column: _Records(place, cls.NAMES[column], split) for column in columns}
        # Word numbers are read as often as labels, so only inputs that measure something stay on the disk.
        values = {
            column: reader.column() if column == "input" and cls.TASK != "text" else reader.array()
            for column, reader in records.items()
        }
        parts[split] = DataSet.of(values, **facts)
    return Data.of(cls.TASK, parts, f"tfds:{name}", path=place, fingerprint=metadata["source_sha256"])


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _resolve(name: str) -> tuple[str, type[ZooBuilder]]:
    """The name with its configuration, and its builder."""
    family, _, configuration = name.partition("/")
    if family not in BUILDERS:
        raise unknown_name("data set", family, list(BUILDERS))
    if configuration not in ("", "course"):
        made = LAYOUTS[BUILDERS[family].TASK].maker
        raise ZooError(
            f"{name}: builds are made of files: make one with `zoo data {made}`, and build {family}/course of it"
        )
    return f"{family}/course", BUILDERS[family]


def _data_dir(folder: Path | None) -> Path:
    return Path(folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
