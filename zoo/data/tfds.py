"""TensorFlow Datasets: the zoo's files as builds that `tfds.load` and `zoo.load_data` read.

Importing this module registers `zoo_activity`, `zoo_patches` and `zoo_text`:

    import tensorflow_datasets as tfds
    import zoo.data.tfds

    tfds.load("zoo_activity/course", data_dir="builds")

A build is made of a file in the layout of its task, and holds the same rows, in the same order, with the same splits.
Its features are the columns of the task's schema. Its files are ArrayRecord files, which are read at any place.
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
from zoo.errors import ZooError, option, unknown_name
from zoo.families import TASKS
from zoo.files import exclusive

try:
    import tensorflow_datasets as tfds
except ImportError:
    raise ZooError("tensorflow-datasets is not installed: pip install 'pocket-zoo[datasets]'") from None

_BLOCK = 4096
_SIZES = {"T": 150, "C": 3, "S": 16}
"""What a builder without data says of sizes that the schema leaves free."""
_WIRE = {"i": tf.int64, "f": tf.float32}
"""How `tf.train.Example` stores NumPy's kinds of numbers."""
_RAW = tfds.decode.DeserializeMethod.RAW_BYTES


class ZooBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]  # no types
    """The base of the builders. A subclass has its `TASK`, and the feature of each column in `NAMES`, inputs first.

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
    MANUAL_DOWNLOAD_INSTRUCTIONS = "A file in the layout of the course, which commands of `zoo data` make."

    def __init__(
        self, *, source: Path | None = None, report: Callable[[str, int], None] | None = None, **options: Any
    ) -> None:
        self._report = report
        self._data = None if source is None else open_source(self.TASK, source)
        super().__init__(**{"file_format": "array_record"} | options)

    def _info(self) -> tfds.core.DatasetInfo:
        is_built = (Path(self.data_path) / "features.json").is_file()
        known = tfds.features.FeaturesDict.from_config(self.data_path) if is_built else self._features()
        named = tuple(self.NAMES.values())[:2] if "target" in self.NAMES else None
        return tfds.core.DatasetInfo(
            builder=self, description=self.builder_config.description, features=known, supervised_keys=named,
            disable_shuffling=True, metadata=tfds.core.MetadataDict(),
        )  # fmt: skip

    def _features(self) -> tfds.features.FeaturesDict:
        """A feature for each column, by the schema of the task, and by the data if there is any."""
        features, data = dict[str, Any](), self._data
        for column in LAYOUTS[self.TASK].columns:
            if (name := self.NAMES.get(column.name)) is None:
                continue
            shape = tuple(_SIZES[letter] if letter in _SIZES else int(letter) for letter in column.shape[1:]
                          if letter != "K")  # fmt: skip
            if column.name == "input":
                dtype = np.int32 if column.kind == "integer" else np.float32
                shape = shape if data is None else data.train.inputs.shape[1:]
                features[name] = tfds.features.Tensor(shape=shape, dtype=dtype, doc=column.meaning)
            elif column.name != "target":
                features[name] = tfds.features.Text(doc=f"{column.meaning}; empty if not known")
            elif column.kind == "integer":
                features[name] = tfds.features.Scalar(np.int32, doc=column.meaning)
            else:
                labels = LAYOUTS[self.TASK].fact("classes").default if data is None else data.label_names
                features[name] = tfds.features.ClassLabel(names=labels, doc=column.meaning)
        return tfds.features.FeaturesDict(features)

    def _as_dataset(
        self, split: Any, decoders: Any = None, read_config: Any = None, shuffle_files: bool = False
    ) -> Any:
        # TFDS reads ArrayRecord files as data sources alone, but `tfds.load` is what everyone knows.
        records = self.as_data_source(split, deserialize_method=_RAW)
        starts = range(0, len(records), _BLOCK)
        blocks = tf.data.Dataset.from_generator(
            lambda: (records.__getitems__(list(range(start, min(start + _BLOCK, len(records))))) for start in starts),
            output_signature=tf.TensorSpec((None,), tf.string),
        )
        counted = blocks.unbatch().apply(tf.data.experimental.assert_cardinality(len(records)))
        return counted.map(lambda record: self.info.features.deserialize_example(record, decoders=decoders))

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        data = self._data or open_source(self.TASK, Path(dl_manager.manual_dir))
        self.info.metadata.update(
            source=Path(data.name).name, source_sha256=data.sha256,
            facts={name: value for name, value in data.facts.items() if name != "prepare"},
            columns={split: list(rows.columns) for split, rows in data.splits().items()},
        )  # fmt: skip
        return {split: self._generate_examples(split, rows) for split, rows in data.splits().items()}

    def _generate_examples(self, split: str, rows: DataSet) -> Iterator[tuple[int, dict[str, Any]]]:
        number, unknown = 0, np.full(len(rows), "")
        texts = {
            feature: np.asarray(unknown if (values := rows.column(column)) is None else values)
            for column, feature in self.NAMES.items() if column not in ("input", "target")
        }  # fmt: skip
        for inputs, targets in rows.blocks():
            for row in zip(inputs, targets, strict=True):
                measured = dict(zip(self.NAMES.values(), row[: len(self.NAMES) - len(texts)], strict=False))
                yield number, measured | {feature: str(values[number]) for feature, values in texts.items()}
                number += 1
                if self._report is not None:
                    self._report(split, number)


class ZooActivity(ZooBuilder):
    """Windows of acceleration, what the person was doing, and who it was; split by person."""

    TASK = "activity"
    NAMES: ClassVar[Mapping[str, str]] = {
        "input": "window", "target": "label", "subject": "subject", "study": "study", "position": "position",
    }  # fmt: skip


class ZooPatches(ZooBuilder):
    """Patches of natural images, and the photograph that each was cut from; what is held out, a recipe says."""

    TASK = "patches"
    NAMES: ClassVar[Mapping[str, str]] = {"input": "patch", "photograph": "photograph"}


class ZooText(ZooBuilder):
    """Three words and the one that followed, as numbers from 0 of `info.metadata["facts"]["words"]`."""

    TASK = "text"
    NAMES: ClassVar[Mapping[str, str]] = {"input": "context", "target": "next_word"}


BUILDERS = {f"zoo_{builder.TASK}": builder for builder in (ZooActivity, ZooPatches, ZooText)}


def open_source(task: str, place: Path) -> Data:
    """The data of a file, which may be in a folder by its usual name."""
    path = place / TASKS[task].file if place.is_dir() else place
    if not path.is_file():
        lacks = f"no {path.name} in this folder" if place.is_dir() else "no such file or folder"
        raise ZooError(f"{place}: {lacks}: make it with `zoo data {LAYOUTS[task].maker}`")
    data: Data = import_module(f"zoo.{task}.data").from_file(path)
    return data


@dataclass
class _Records:
    """Reads a feature of a split of a build, whose folder is `place`."""

    place: Path
    feature: str
    split: str

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        """The feature, and the records of all features."""
        builder = tfds.builder_from_directory(self.place)
        return builder.info.features[self.feature], builder.as_data_source(self.split, deserialize_method=_RAW)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

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
    """Builds a data set such as `zoo_activity` in `folder`, the `data_dir` of TensorFlow Datasets, unless it exists.

    A killed build leaves nothing under its name, and what it leaves is removed by the next. Returns `name`, `version`,
    `folder`, `built` (false if it existed already), `splits` with rows, files and bytes, `features` with their
    meanings, `source`, `source_sha256`.
    """
    name, cls = _resolve(name)
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = cls(config="course", data_dir=_data_dir(folder), source=source, report=report)
    place, info = Path(builder.data_path), builder.info
    assert builder._data is not None
    expected = builder._data.sha256
    with exclusive(place, "folder"):
        existed = place.is_dir()
        if not existed:
            _prepare(builder, place)
    if existed:
        info.read_from_directory(place)
    source_name, digest = info.metadata["source"], info.metadata["source_sha256"]
    if digest != expected:
        raise ZooError(
            f"{place}: was built from another {source_name} (SHA-256 {digest[:12]}, this one {expected[:12]}): delete "
            "it, or build in another folder"
        )
    return {
        "name": name, "version": str(info.version), "folder": str(place),
        "splits": {
            split: {"rows": part.num_examples, "files": part.num_shards, "bytes": int(part.num_bytes)}
            for split, part in info.splits.items()
        },
        "features": {feature: str(tensor.doc.desc) for feature, tensor in info.features.items()},
        "source": source_name, "source_sha256": digest, "built": not existed,
    }  # fmt: skip


def _prepare(builder: ZooBuilder, place: Path) -> None:
    """Makes a build, without the words of TFDS and the folders that it makes beside it."""
    tfds.disable_progress_bar()
    # What a killed build left: the lock says that no other is at work.
    for left in place.parent.glob(f"incomplete.*_{place.name}"):
        shutil.rmtree(left)
    notes = place.parents[1] / ".config"
    noted = notes.exists()
    try:
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
        if others := sorted({file.parent.name for file in place.parent.glob("*/dataset_info.json")} - {version}):
            raise ZooError(f"{place.parent}: holds version {', '.join(others)}; this zoo reads {version}: {again}")
        raise ZooError(f"{place.parents[2]}: no build of {name}: {again}, or pass its folder with {option('data_dir')}")
    info, module, parts = tfds.builder_from_directory(place).info, import_module(f"zoo.{cls.TASK}.data"), {}
    facts = {key: _as_tuples(value) for key, value in info.metadata["facts"].items()}
    if hasattr(module, "prepared"):
        facts["prepare"] = module.prepared
    for split, columns in info.metadata["columns"].items():
        shapes = {column: (info.splits[split].num_examples, *info.features[cls.NAMES[column]].shape)
                  for column in columns}  # fmt: skip
        values = {name: Column(shape, _Records(place, cls.NAMES[name], split)) for name, shape in shapes.items()}
        # Word numbers are read as often as labels are, so only inputs that measure something stay on the disk.
        kept = {"input"} if cls.TASK != "text" else set()
        parts[split] = DataSet.of(
            {name: value if name in kept else value[:] for name, value in values.items()}, **facts
        )
    return Data.of(cls.TASK, parts, f"tfds:{name}", path=place, fingerprint=info.metadata["source_sha256"])


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _resolve(name: str) -> tuple[str, type[ZooBuilder]]:
    """The name with its configuration, and its builder."""
    family, _, configuration = name.partition("/")
    if family not in BUILDERS:
        raise unknown_name("data set", family, list(BUILDERS))
    if configuration not in ("", "course"):
        made = LAYOUTS[BUILDERS[family].TASK].maker
        raise ZooError(f"{name}: is made of a file: make one with `zoo data {made}`, and build {family}/course of it")
    return f"{family}/course", BUILDERS[family]


def _data_dir(folder: Path | None) -> Path:
    return Path(folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
