"""TensorFlow Datasets: the zoo's files as builds that `tfds.load` and `zoo.load_data` read.

Importing this module registers `zoo_activity`, `zoo_patches` and `zoo_text`. A build is made of a file in the layout of
its task, and holds the same rows, in the same order, with the same splits. Its features are the columns of the task's
schema. Its files are ArrayRecord files, which are read at any place.
"""

import contextlib
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.data import LAYOUTS
from zoo.data.dataset import Column, Data, DataSet
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
    """The base of the builders, which read `source` or a file in `manual_dir`; `NAMES` are features by column."""

    VERSION = tfds.core.Version("4.0.0")
    BUILDER_CONFIGS: ClassVar[list[Any]] = [tfds.core.BuilderConfig(name="course", description="In its layout.")]
    MANUAL_DOWNLOAD_INSTRUCTIONS = "A file in the layout of the course, which commands of `zoo data` make."

    report: Callable[[str, int], None] | None = None
    """Called with the name of a split and the number of rows written so far."""

    def __init__(self, *, source: Data | None = None, **options: Any) -> None:
        self._data = source
        super().__init__(**{"file_format": "array_record"} | options)

    def _info(self) -> tfds.core.DatasetInfo:
        is_built = (Path(self.data_path) / "features.json").is_file()
        return tfds.core.DatasetInfo(
            builder=self, description=self.builder_config.description, disable_shuffling=True,
            features=tfds.features.FeaturesDict.from_config(self.data_path) if is_built else self._features(),
            supervised_keys=tuple(self.NAMES.values())[:2] if "target" in self.NAMES else None,
            metadata=tfds.core.MetadataDict(),
        )  # fmt: skip

    def _features(self) -> tfds.features.FeaturesDict:
        """A feature for each column, by the schema of the task, and by the data if there is any."""
        features, schema, data = dict[str, Any](), LAYOUTS[self.TASK], self._data
        for name, feature in self.NAMES.items():
            column = schema.column(name)
            kinds = {"doc": column.meaning, "dtype": np.int32 if column.kind == "integer" else np.float32}
            if name == "input":
                usual = tuple(_SIZES.get(letter) or int(letter) for letter in column.shape[1:])
                shape = usual if data is None else data.train.inputs.shape[1:]
                features[feature] = tfds.features.Tensor(shape=shape, **kinds)
            elif name != "target":
                features[feature] = tfds.features.Text(doc=f"{column.meaning}; empty if not known")
            elif column.kind == "integer":
                features[feature] = tfds.features.Scalar(**kinds)
            else:
                labels = schema.fact("classes").default if data is None else data.label_names
                features[feature] = tfds.features.ClassLabel(names=labels, doc=column.meaning)
        return tfds.features.FeaturesDict(features)

    def _as_dataset(self, split: Any, decoders: Any = None, **options: Any) -> Any:
        # TFDS reads ArrayRecord files as data sources alone, but `tfds.load` is what everyone knows.
        records = self.as_data_source(split, deserialize_method=_RAW)
        parts = np.array_split(np.arange(len(records)), -(-len(records) // _BLOCK))
        blocks = tf.data.Dataset.from_generator(
            lambda: (records.__getitems__(part.tolist()) for part in parts),
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
        texts = {feature: rows.column(name) for name, feature in self.NAMES.items() if name not in ("input", "target")}
        number = 0
        for block in rows.blocks():
            for measured in zip(*block[: len(self.NAMES) - len(texts)], strict=True):
                known = {feature: "" if names is None else str(names[number]) for feature, names in texts.items()}
                yield number, dict(zip(self.NAMES.values(), measured, strict=False)) | known
                number += 1
                if self.report is not None:
                    self.report(split, number)


class ZooActivity(ZooBuilder):
    """Windows of acceleration, what the person was doing, and who it was; split by person."""

    TASK = "activity"
    NAMES: ClassVar[Mapping[str, str]] = {
        column.name: {"input": "window", "target": "label"}.get(column.name, column.name)
        for column in LAYOUTS[TASK].columns
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
        raise ZooError(f"{place}: no {path.name} in this folder: make it with `zoo data {LAYOUTS[task].maker}`")
    data: Data = import_module(f"zoo.{task}.data").from_file(path)
    return data


@lru_cache(maxsize=64)
def _records(place: Path, split: str, modified: int) -> tuple[Any, Any]:
    """The features and the records of a split of a build, whose folder is `place`, as it was when `modified`."""
    builder = tfds.builder_from_directory(place)
    return builder.info.features, builder.as_data_source(split, deserialize_method=_RAW)


def _read(place: Path, split: str, modified: int, name: str, rows: slice) -> NDArray[Any]:
    """Rows of a feature."""
    features, records = _records(place, split, modified)
    feature, wanted = features[name], list(range(*rows.indices(len(records))))
    dtype = np.dtype(feature.np_dtype)
    kinds = {name: tf.io.FixedLenFeature(feature.shape, _WIRE.get(dtype.kind, tf.string))}
    try:
        examples = tf.constant(records.__getitems__(wanted) if wanted else [], tf.string)
        values = tf.io.parse_example(examples, kinds)[name].numpy()
    except (tf.errors.OpError, RuntimeError, OSError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ZooError(f"{place}: damaged: delete it and build it again ({reason})") from error
    return values.astype(dtype) if dtype.kind in _WIRE else np.array([text.decode() for text in values], np.str_)


def build(
    name: str, source: Path, folder: Path | None = None, *, report: Callable[[str, int], None] | None = None
) -> dict[str, Any]:
    """Builds a data set such as `zoo_activity` in `folder`, the `data_dir` of TensorFlow Datasets, unless it exists.

    A killed build leaves nothing under its name. The result says as `built` whether it is new.
    """
    name, cls, data_dir = _resolve(name, folder)
    logging.getLogger("absl").setLevel(logging.ERROR)
    tfds.disable_progress_bar()
    data = open_source(cls.TASK, source)
    builder = cls(config="course", data_dir=data_dir, source=data)
    builder.report = report
    place, info = Path(builder.data_path), builder.info
    with exclusive(place, "folder"):
        if not (existed := place.is_dir()):
            # What a killed build left: the lock says that no other is at work.
            for incomplete in place.parent.glob(f"incomplete.*_{place.name}"):
                shutil.rmtree(incomplete)
            with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as nothing:
                builder.download_and_prepare(download_dir=nothing)
    info.read_from_directory(place)
    origin, digest = info.metadata["source"], info.metadata["source_sha256"]
    if digest != data.sha256:
        raise ZooError(
            f"{place}: was built from another {origin} (SHA-256 {digest[:12]}, this one {data.sha256[:12]}): delete "
            "it, or build in another folder"
        )
    return {
        "name": name, "version": str(info.version), "folder": str(place),
        "splits": {
            split: {"rows": part.num_examples, "files": part.num_shards, "bytes": int(part.num_bytes)}
            for split, part in info.splits.items()
        },
        "features": {feature: str(tensor.doc.desc) for feature, tensor in info.features.items()},
        "source": origin, "source_sha256": digest, "built": not existed,
    }  # fmt: skip


def load(source: str | Path, folder: Path | None = None) -> Data:
    """Opens a build by its name, in the `folder` of all builds, or by its own folder; inputs stay on the disk."""
    is_place, place = isinstance(source, Path), Path(source).absolute()
    name, cls, data_dir = _resolve("/".join(place.parts[-3:-1]) if is_place else str(source), folder)
    place = place if is_place else data_dir / name / str(cls.VERSION)
    stated = place / "dataset_info.json"
    if place.name != str(cls.VERSION) or not stated.is_file():
        versions = " and ".join(sorted(file.parent.name for file in place.parent.glob("*/dataset_info.json")))
        build_it = f"`zoo data build {name} --from SOURCE --to {place.parents[2]}`, or pass {option('data_dir')}"
        raise ZooError(
            f"{place.parent}: holds {versions or 'no build'}; expected version {cls.VERSION}: build it with {build_it}"
        )
    info, module, parts = tfds.builder_from_directory(place).info, import_module(f"zoo.{cls.TASK}.data"), {}
    facts = {key: _as_tuples(value) for key, value in info.metadata["facts"].items()}
    facts |= {"prepare": module.prepared} if hasattr(module, "prepared") else {}
    for split, keys in info.metadata["columns"].items():
        columns, rows = dict[str, Any](), info.splits[split].num_examples
        # A build of an earlier version may have fewer features.
        for key, feature in ((key, cls.NAMES[key]) for key in keys if cls.NAMES[key] in info.features):
            read = partial(_read, place, split, stated.stat().st_mtime_ns, feature)
            column = Column((rows, *info.features[feature].shape), read)
            # Word numbers are read as often as labels are, so only inputs that measure something stay on the disk.
            columns[key] = column if key == "input" and cls.TASK != "text" else column[:]
        parts[split] = DataSet.of(columns, **facts)
    return Data.of(cls.TASK, parts, f"tfds:{name}", path=place, fingerprint=info.metadata["source_sha256"])


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _resolve(name: str, folder: Path | None = None) -> tuple[str, type[ZooBuilder], Path]:
    """The name with its configuration, its builder, and the folder of all builds."""
    family = name.removesuffix("/course")
    if family not in BUILDERS:
        raise unknown_name("data set", family, list(BUILDERS))
    place = Path(folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    return f"{family}/course", BUILDERS[family], place
