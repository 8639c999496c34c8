"""`zoo_patches` of TensorFlow Datasets: patches of natural images, split by photograph."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.data.tfds import Column, Source, ZooBuilder
from zoo.errors import ZooError
from zoo.patches import data as patches
from zoo.patches.data import PatchData, Patches, Photographs, write_patches

_SIZE, _SEED = 16, 443
_HELD_OUT, _HELD_OUT_BY = 0.25, 12
"""Share and seed of the photographs that the zoo's presets hold out."""
_SPLITS = ("train", "test")


class ZooPatches(ZooBuilder):
    """Patches `(3, 16, 16)` and the photograph that each was cut from; a quarter of the photographs are the test.

    These are the photographs that the zoo's presets hold out of the same file. The zoo itself trains on both splits,
    and holds out what its recipe says.
    """

    FILE, NAMES, LISTED, SUPERVISED = "data1.h5", r"(photographs)_(\d+)", ("photographs_10240",), None
    SOURCES: ClassVar[Mapping[str, Source]] = {
        "course": Source(
            "data1.h5", "expected patches in the layout of data1.h5: make them with `zoo data make patches`"
        ),
        "photographs": Source(None, "expected a folder of photographs in color"),
    }

    @classmethod
    def described(cls, source: str, *numbers: int) -> str:
        """What a configuration holds, in a sentence."""
        return f"{numbers[0]} patches of 16 x 16 pixels, as many from each photograph; a quarter of these is the test."

    def features(self) -> dict[str, Any]:
        """The features of a row."""
        order = "(channel, column, row), red, green, blue; 0 is black, 1 is white"
        return {
            "patch": tfds.features.Tensor(shape=(3, _SIZE, _SIZE), dtype=np.float32, doc=order),
            "photograph": tfds.features.Text(doc="what it was cut from; empty if not known"),
            "index": tfds.features.Scalar(np.int64, doc="its row in the file, from 0, over both splits"),
        }

    def write_source(self, source: Path, path: Path) -> None:
        """Cuts patches from photographs."""
        write_patches(path, Photographs([source]), self.builder_config.numbers[0], _SIZE, _SEED)

    def splits(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Holds out photographs."""
        data = patches.read(path)
        if data.pixels != _SIZE**2:
            raise ZooError(f"{path}: patches of {data.pixels} pixels; zoo_patches holds {_SIZE**2}")
        names = np.full(len(data.patches), "") if data.photographs is None else data.photographs
        parts = {
            split: (data.train.where(np.isin(data.train.rows, rows)), {"photograph": names[rows], "index": rows})
            for split, rows in zip(_SPLITS, data.hold_out(_HELD_OUT, _HELD_OUT_BY), strict=True)
        }
        known = None if data.photographs is None else list(dict.fromkeys(names.tolist()))
        return parts, {"size": _SIZE, "photographs": known}

    @staticmethod
    def data(column: Callable[..., Column], metadata: Mapping[str, Any], about: Mapping[str, Any]) -> PatchData:
        """The patches of a build, both splits in the order of the file."""
        index = column("index", _SPLITS).array()
        found = column("patch", _SPLITS, index)
        known = metadata["photographs"] is not None
        groups = column("photograph", _SPLITS, index).array() if known else None
        train = Patches.all(found, found, groups)
        return patches.check(PatchData(train=train, validation=train.empty(), test=train.empty(), **about))
