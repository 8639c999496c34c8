"""Builds on the disk: made whole or not at all, found by name, and copied into a file that the zoo reads."""

import contextlib
import io
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.catalog import unknown_name
from zoo.data.tfds.activity import ZooActivity
from zoo.data.tfds.builder import Batch, ZooBuilder, digest
from zoo.data.tfds.patches import ZooPatches
from zoo.data.tfds.trigrams import ZooTrigrams
from zoo.errors import ZooError
from zoo.files import locked

BUILDERS: dict[str, type[ZooBuilder]] = {
    "zoo_activity": ZooActivity, "zoo_patches": ZooPatches, "zoo_trigrams": ZooTrigrams,
}  # fmt: skip

_BATCH = 1024


def build(
    name: str, source: Path, folder: Path | None = None, *, shards: int | None = None,
    beam: Sequence[str] | None = None, report: Callable[[str, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Builds a data set, or finds that it is there already.

    A build that is killed leaves nothing under its name; the next one clears its remains away and begins anew.

    Args:
        name: Such as `zoo_activity/motionsense_150_75`; `course` where no configuration is named.
        source: The file or folder to build from, or a folder that holds it.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets without.
        shards: Files a split; as many as its size asks for without.
        beam: Options of an Apache Beam pipeline that reads and writes the same rows with many workers, such as
            `["--runner=FlinkRunner"]`; none builds in this process. Workers on other hosts need the folder, and a
            source in the course's layout, under the same paths.
        report: Called with the name of a split and the number of its rows that are written; not by Apache Beam.

    Returns:
        `name`, `version`, `folder`, `built` (false where it was there already), `splits` with rows, files and bytes,
        `features` with what they mean, `source`, `source_sha256`.

    Raises:
        ZooError: If the name is unknown, the source is not there or not as it should be, or the folder holds a build of
            another source.
    """
    name, cls, configuration = _resolve(name)
    folder = _data_dir(folder)
    if shards is not None and shards < 1:
        raise ZooError(f"{shards} shards: expected 1 or more")
    if beam is not None:
        if find_spec("apache_beam") is None:
            raise ZooError("Apache Beam is not installed: pip install 'pocket-zoo[beam]'")
        # A worker elsewhere has another working folder.
        source, folder = source.absolute(), folder.absolute()
    # A configuration that is not in its table is no reason for a warning.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = cls(config=configuration, data_dir=folder, source=source, report=report, in_beam=beam is not None)
    place, expected = Path(builder.data_path), digest(builder.find(source))
    with locked(place.parent / ".lock", 0, f"{place}: another process is building it: wait for it"):
        found = place.is_dir()
        if found:
            builder.info.read_from_directory(place)
            _check_source(place, builder, expected)
        else:
            for remains in place.parent.glob(f"incomplete.*_{place.name}"):
                shutil.rmtree(remains, ignore_errors=True)
            tfds.disable_progress_bar()
            try:
                # TFDS tells on standard output what it does.
                with contextlib.redirect_stdout(io.StringIO()):
                    builder.download_and_prepare(
                        download_config=tfds.download.DownloadConfig(num_shards=shards, beam_options=_pipeline(beam))
                    )
            except Exception as error:
                # A runner can end with anything.
                if beam is None or isinstance(error, ZooError):
                    raise
                raise ZooError(f"Apache Beam: {' '.join(str(error).split())}") from error
    return _summary(name, builder) | {"built": not found}


def _pipeline(options: Sequence[str] | None) -> Any:
    if options is None:
        return None
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(list(options))


def _check_source(place: Path, builder: ZooBuilder, sha256: str) -> None:
    source, found = builder.info.metadata["source"], builder.info.metadata["source_sha256"]
    if found != sha256:
        raise ZooError(
            f"{place}: was built of another {source} (SHA-256 {found[:12]}, this one {sha256[:12]}): delete it, or "
            "build in another folder"
        )


def _summary(name: str, builder: ZooBuilder) -> dict[str, Any]:
    info = builder.info
    return {
        "name": name,
        "version": str(info.version),
        "folder": str(builder.data_path),
        "splits": {
            split: {"rows": part.num_examples, "files": part.num_shards, "bytes": int(part.num_bytes)}
            for split, part in info.splits.items()
        },
        "features": {feature: str(tensor.doc.desc) for feature, tensor in info.features.items()},
        "source": info.metadata["source"],
        "source_sha256": info.metadata["source_sha256"],
    }


def file_of(name: str, folder: Path | None = None) -> Path:
    """A build as a file in the course's layout, with the same rows in the same order: copied once, beside its shards.

    Args:
        name: Such as `zoo_activity/motionsense_150_75`.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets without.

    Raises:
        ZooError: If there is no such build, it is of another version, or it is damaged.
    """
    name, cls, _ = _resolve(name)
    place = _data_dir(folder) / name / str(cls.VERSION)
    _require_build(place, name)
    path = place / cls.FILE
    if not path.is_file():
        builder = tfds.builder_from_directory(place)
        try:
            cls.write_file(
                path, {split: _batches(builder, split) for split in builder.info.splits}, builder.info.metadata
            )
        except tf.errors.DataLossError as error:
            raise ZooError(f"{place}: damaged: delete it and build it again ({error.message})") from None
    return path


def _batches(builder: tfds.core.DatasetBuilder, split: str) -> Iterator[Batch]:
    # One shard after the other, so that rows come in their order.
    order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    yield from tfds.as_numpy(builder.as_dataset(split=split, batch_size=_BATCH, read_config=order))


def _require_build(place: Path, name: str) -> None:
    if (place / "dataset_info.json").is_file():
        return
    again = f"build it with `zoo data build {name} --from SOURCE --to {place.parents[2]}`"
    others = sorted(file.parent.name for file in place.parent.glob("*/dataset_info.json"))
    if others:
        raise ZooError(f"{place.parent}: holds version {', '.join(others)}; this zoo reads {place.name}: {again}")
    raise ZooError(f"{place.parents[2]}: no build of {name}: {again}, or name its folder with --data-dir")


def _resolve(name: str) -> tuple[str, type[ZooBuilder], Any]:
    """A name with its configuration, the builder, and what it takes as `config`."""
    family, _, configuration = name.partition("/")
    if family not in BUILDERS:
        raise unknown_name("data set", family, list(BUILDERS))
    cls, configuration = BUILDERS[family], configuration or "course"
    known = list(cls.builder_configs)
    described = configuration if configuration in known else cls.configuration(configuration)
    if described is None:
        raise unknown_name(f"configuration of {family}", configuration, known)
    return f"{family}/{configuration}", cls, described


def _data_dir(folder: Path | None) -> Path:
    return Path(folder or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
