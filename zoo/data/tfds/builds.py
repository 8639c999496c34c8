"""Builds on the disk: written whole or not at all, and opened by name."""

import contextlib
import hashlib
import io
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from zoo.catalog import unknown_name
from zoo.data import hdf5
from zoo.data.examples import Data
from zoo.data.tfds.activity import ZooActivity
from zoo.data.tfds.builder import ZooBuilder, digest
from zoo.data.tfds.patches import ZooPatches
from zoo.data.tfds.reading import Build
from zoo.data.tfds.text import ZooTrigrams
from zoo.errors import ZooError
from zoo.files import exclusive

BUILDERS: dict[str, type[ZooBuilder]] = {
    "zoo_activity": ZooActivity, "zoo_patches": ZooPatches, "zoo_trigrams": ZooTrigrams,
}  # fmt: skip

_MOMENT = 60.0
"""Seconds after which a temporary file of TFDS has been left."""


def build(
    name: str, source: Path, folder: Path | None = None, *, shards: int | None = None,
    beam: Sequence[str] | None = None, report: Callable[[str, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Builds a data set, unless it exists already.

    A killed build leaves nothing under its name; the next one deletes its files and starts again.

    Args:
        name: Such as `zoo_activity/motionsense_150_75`; the default configuration is `course`.
        source: The file or folder to build from, or a folder that holds it.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets by default.
        shards: Files of a split; by default depends on its size.
        beam: Options of an Apache Beam pipeline that reads and writes the same rows with many workers, such as
            `["--runner=FlinkRunner"]`; None builds in this process. Workers on other hosts need the folder, and a
            source in the course's layout, under the same paths.
        report: Called with the name of a split and the number of rows written so far; not by Apache Beam.

    Returns:
        `name`, `version`, `folder`, `built` (false if it existed already), `splits` with rows, files and bytes,
        `features` with their meanings, `source`, `source_sha256`.

    Raises:
        ZooError: If the name is unknown, the source is missing or not as it should be, or the folder holds a build from
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
    # TFDS warns about configurations that are not in its table.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = cls(config=configuration, data_dir=folder, source=source, report=report, in_beam=beam is not None)
    place, expected = Path(builder.data_path), digest(builder.find(source))
    first = not place.parents[1].exists()
    with exclusive(place, "folder"):
        found = place.is_dir()
        if found:
            builder.info.read_from_directory(place)
            _check_source(place, builder, expected)
        else:
            _remove_leftovers(place)
            tfds.disable_progress_bar()
            try:
                # TFDS prints its progress.
                with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as nothing:
                    builder.download_and_prepare(
                        # Nothing is downloaded, but TFDS makes the folder.
                        download_dir=nothing,
                        download_config=tfds.download.DownloadConfig(num_shards=shards, beam_options=_pipeline(beam)),
                    )
            except Exception as error:
                if first:
                    _remove_settings(place)
                # A runner can raise anything.
                if beam is None or isinstance(error, ZooError):
                    raise
                raise ZooError(f"Apache Beam: {' '.join(str(error).split())}") from error
    return _summary(name, builder) | {"built": not found}


def _remove_leftovers(place: Path) -> None:
    """Deletes what killed builds of a data set left."""
    for leftover in place.parent.glob(f"incomplete.*_{place.name}"):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in (place.parents[1] / ".config").glob("incomplete.*"):
        # The file of another configuration, which may be built at this moment, is there for less than a second.
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _MOMENT:
                leftover.unlink()


def _remove_settings(place: Path) -> None:
    """Deletes what TFDS notes of a data set before its first build, unless another configuration is being built."""
    settings = place.parents[1] / ".config"
    if set(place.parents[1].iterdir()) <= {settings, place.parent}:
        shutil.rmtree(settings, ignore_errors=True)


def _pipeline(options: Sequence[str] | None) -> Any:
    if options is None:
        return None
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(list(options))


def _check_source(place: Path, builder: ZooBuilder, sha256: str) -> None:
    source, found = builder.info.metadata["source"], builder.info.metadata["source_sha256"]
    if found != sha256:
        raise ZooError(
            f"{place}: was built from another {source} (SHA-256 {found[:12]}, this one {sha256[:12]}): delete it, or "
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


def load(name: str, folder: Path | None = None) -> Data:
    """Opens a build; inputs stay on the disk.

    Args:
        name: Such as `zoo_activity/motionsense_150_75`.
        folder: `data_dir` of TensorFlow Datasets; TFDS_DATA_DIR or ~/tensorflow_datasets by default.

    Raises:
        ZooError: If there is no such build, it has another version, or it is damaged.
    """
    name, cls, _ = _resolve(name)
    return open_build(_data_dir(folder) / name / str(cls.VERSION))


def open_build(place: Path) -> Data:
    """Opens a build by its folder; errors are those of `load`."""
    name, cls, _ = _resolve("/".join(place.absolute().parts[-3:-1]))
    _require_build(place, name)
    opened = Build(place)
    metadata = opened.metadata
    fingerprint = metadata["source_sha256"]
    if not name.endswith("/course"):
        # What was made from the source depends on the configuration, and on how builders make it.
        fingerprint = hashlib.sha256(f"{name} {cls.VERSION} {fingerprint}".encode()).hexdigest()
    facts = hdf5.provenance(metadata["attributes"])
    return cls.data(opened, {"name": f"tfds:{name}", "path": place, "fingerprint": fingerprint, **facts})


def _require_build(place: Path, name: str) -> None:
    if (place / "dataset_info.json").is_file():
        return
    again = f"build it with `zoo data build {name} --from SOURCE --to {place.parents[2]}`"
    others = sorted(file.parent.name for file in place.parent.glob("*/dataset_info.json"))
    if others:
        raise ZooError(f"{place.parent}: holds version {', '.join(others)}; this zoo reads {place.name}: {again}")
    raise ZooError(f"{place.parents[2]}: no build of {name}: {again}, or pass its folder with --data-dir")


def _resolve(name: str) -> tuple[str, type[ZooBuilder], Any]:
    """The name with its configuration, the builder's class, and its argument `config`."""
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
