"""`zoo_patches`: patches of natural images, split by photograph."""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from zoo.data import patches
from zoo.data.patches import PatchData
from zoo.data.photographs import Photographs, write_patches
from zoo.data.tfds.builder import Batch, Part, Row, ZooBuilder
from zoo.errors import ZooError

_NAME = re.compile(r"photographs_(\d+)")
_SEED = 443
_HELD_OUT, _HELD_OUT_BY = 0.25, 12
"""Share and seed of the photographs that the zoo's presets hold out."""
_BLOCK = 1024


@dataclass(eq=False)
class PatchesConfig(tfds.core.BuilderConfig):  # type: ignore[misc]  # TFDS has no types
    """What patches are made of.

    Args:
        source: `course` or `photographs`.
        count: Patches in all, as many from each photograph; of `course`, as many as it holds.
        size: Pixels a side.
    """

    source: str = "course"
    count: int = 10240
    size: int = 16

    @classmethod
    def of(cls, count: int) -> "PatchesConfig":
        """The configuration of patches cut from photographs, named after their number."""
        about = f"{count} patches of 16 x 16 pixels, as many from each photograph; a quarter of these is the test part."
        return cls(name=f"photographs_{count}", description=about, source="photographs", count=count)

    @property
    def advice(self) -> str:
        """What to do where the source is not there."""
        if self.source == "photographs":
            return "expected a folder of photographs in color"
        return "expected patches in the layout of data1.h5: make them with `zoo data make patches`"

    homepage = None
    citation = None


class ZooPatches(ZooBuilder):
    """Patches `(3, size, size)` and the photograph that each was cut from; a quarter of the photographs are the test.

    These are the photographs that the zoo's presets hold out of the same file. A training by the zoo reads both splits,
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
        PatchesConfig.of(10240),
    ]

    @classmethod
    def configuration(cls, name: str) -> PatchesConfig | None:
        """The configuration of a name such as `photographs_4000`."""
        found = _NAME.fullmatch(name)
        return found and PatchesConfig.of(int(found[1]))

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.size
        return self._info_of(
            {
                "patch": tfds.features.Tensor(
                    shape=(3, size, size), dtype=np.float32,
                    doc="(channel, column, row), red, green, blue; 0 is black, 1 is white",
                ),
                "photograph": tfds.features.Text(doc="what it was cut from; empty where the file does not tell"),
                "index": tfds.features.Scalar(np.int64, doc="its place in the file, from 0, over both splits"),
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
        splits = dict(zip(("train", "test"), data.hold_out(_HELD_OUT, _HELD_OUT_BY), strict=True))
        names = None if data.photographs is None else list(dict.fromkeys(data.photographs.tolist()))
        parts = {split: Part(len(rows), partial(_rows, data, rows)) for split, rows in splits.items()}
        return parts, {"size": size, "photographs": names}

    @staticmethod
    def write_file(path: Path, parts: Mapping[str, Iterable[Batch]], metadata: Mapping[str, Any]) -> None:
        """Writes the patches of a build in the layout of data1.h5, each at its place."""
        names = metadata["photographs"]
        places = {name: number for number, name in enumerate(names or [""])}
        rows = heapq.merge(*(_unbatched(batches) for batches in parts.values()), key=lambda row: row[0])

        def blocks() -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
            while block := list(islice(rows, _BLOCK)):
                numbers = np.array([places[photograph.decode()] for _, _, photograph in block], np.int32)
                yield np.stack([patch for _, patch, _ in block]), numbers

        patches.write_parts(path, blocks(), metadata["size"], names, metadata["attributes"])


def _rows(data: PatchData, rows: NDArray[np.int64], start: int, stop: int) -> Iterator[Row]:
    chosen = rows[start:stop]
    numbers = iter(chosen.tolist())
    for block in data.blocks(chosen):
        for patch in block:
            number = next(numbers)
            photograph = "" if data.photographs is None else str(data.photographs[number])
            yield {"patch": patch, "photograph": photograph, "index": number}


def _unbatched(batches: Iterable[Batch]) -> Iterator[tuple[int, NDArray[np.float32], bytes]]:
    for batch in batches:
        yield from zip(batch["index"].tolist(), batch["patch"], batch["photograph"], strict=True)
