"""`zoo_patches`: patches of natural images, split by photograph."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from zoo.data.tfds.builder import Part, Row, ZooBuilder
from zoo.data.tfds.reading import Build
from zoo.errors import ZooError
from zoo.patches import data as patches
from zoo.patches.data import PatchData, Patches
from zoo.patches.photographs import Photographs, write_patches

_NAME = re.compile(r"photographs_(\d+)")
_SEED = 443
_HELD_OUT, _HELD_OUT_BY = 0.25, 12
"""Share and seed of the photographs that the zoo's presets hold out."""
_SPLITS = ("train", "test")


@dataclass(eq=False)
class PatchesConfig(tfds.core.BuilderConfig):  # type: ignore[misc]  # TFDS has no types
    """How patches are made, and from what.

    Args:
        source: `course` or `photographs`.
        count: Number of patches, equally many from each photograph; `course` takes those of the file.
        size: Pixels a side.
    """

    source: str = "course"
    count: int = 10240
    size: int = 16

    @classmethod
    def named(cls, count: int) -> "PatchesConfig":
        """The configuration of patches cut from photographs, named after their number."""
        about = f"{count} patches of 16 x 16 pixels, as many from each photograph; a quarter of these is the test set."
        return cls(name=f"photographs_{count}", description=about, source="photographs", count=count)

    @property
    def advice(self) -> str:
        """What to do if the source is missing."""
        if self.source == "photographs":
            return "expected a folder of photographs in color"
        return "expected patches in the layout of data1.h5: make them with `zoo data make patches`"

    homepage = None
    citation = None


class ZooPatches(ZooBuilder):
    """Patches `(3, size, size)` and the photograph that each was cut from; a quarter of the photographs are the test.

    These are the photographs that the zoo's presets hold out of the same file. The zoo itself trains on both splits,
    and holds out what its recipe says.
    """

    FILE = "data1.h5"
    SOURCES: ClassVar[Mapping[str, str | None]] = {"course": "data1.h5", "photographs": None}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    `course`: data1.h5, as the course has it or `zoo data make patches` makes it.
    `photographs_...`: pictures in color, in any format that Pillow knows.
    """
    BUILDER_CONFIGS: ClassVar[list[PatchesConfig]] = [
        PatchesConfig(name="course", description="A file in the layout of data1.h5: patches of 16 x 16 pixels."),
        PatchesConfig.named(10240),
    ]

    @classmethod
    def configuration(cls, name: str) -> PatchesConfig | None:
        """The configuration of a name such as `photographs_4000`."""
        found = _NAME.fullmatch(name)
        return found and PatchesConfig.named(int(found[1]))

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.size
        return self._info_of(
            {
                "patch": tfds.features.Tensor(
                    shape=(3, size, size), dtype=np.float32,
                    doc="(channel, column, row), red, green, blue; 0 is black, 1 is white",
                ),
                "photograph": tfds.features.Text(doc="what it was cut from; empty if not known"),
                "index": tfds.features.Scalar(np.int64, doc="its row in the file, from 0, over both splits"),
            },
            None,
        )  # fmt: skip

    def _write_source(self, source: Path, path: Path) -> None:
        config = self.builder_config
        write_patches(path, Photographs([source]), config.count, config.size, _SEED)

    def _parts(self, path: Path) -> tuple[Mapping[str, Part], dict[str, Any]]:
        data, size = patches.read(path), self.builder_config.size
        if data.pixels != size**2:
            raise ZooError(f"{path}: patches of {data.pixels} pixels; zoo_patches holds {size**2}")
        splits = dict(zip(_SPLITS, data.hold_out(_HELD_OUT, _HELD_OUT_BY), strict=True))
        names = None if data.photographs is None else list(dict.fromkeys(data.photographs.tolist()))
        parts = {split: Part(len(rows), partial(_rows, data, rows)) for split, rows in splits.items()}
        return parts, {"size": size, "photographs": names}

    @staticmethod
    def data(build: Build, about: Mapping[str, Any]) -> PatchData:
        """The patches of a build, both splits in the order of the file."""
        index = build.column("index", *_SPLITS).array()
        column = build.column("patch", *_SPLITS, order=index)
        known = build.metadata["photographs"] is not None
        groups = build.column("photograph", *_SPLITS, order=index).array() if known else None
        train = Patches.all(column, column, groups)
        return patches.check(PatchData(train=train, validation=train.empty(), test=train.empty(), **about))


def _rows(data: PatchData, rows: NDArray[np.int64], start: int, stop: int) -> Iterator[Row]:
    chosen = rows[start:stop]
    numbers = iter(chosen.tolist())
    for block in data.blocks(chosen):
        for patch in block:
            number = next(numbers)
            photograph = "" if data.photographs is None else str(data.photographs[number])
            yield {"patch": patch, "photograph": photograph, "index": number}
