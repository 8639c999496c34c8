"""MotionSense in its official layout."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.activity.archives import names_in, texts_in
from zoo.activity.recordings import Recording, stretches
from zoo.errors import ZooError
from zoo.runtime.metadata import AXES, STANDARD_GRAVITY

_MOTIONSENSE = {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
                "wlk": "walking"}  # fmt: skip
_MOTIONSENSE_HZ = 50.0


def read_motionsense(source: Path, dropped: Counter[str] | None = None) -> Iterator[Recording]:
    """Reads MotionSense in its official layout, `<act>_<trial>/sub_<id>.csv`, from the zip file or a folder.

    Malekzadeh, Clegg, Cavallaro, Haddadi: Mobile Sensor Data Anonymization, IoTDI 2019, doi 10.1145/3302505.3310068.
    The columns gravity and userAcceleration are in g with iOS's sign: total acceleration in Android's convention is
    -9.80665 (gravity + userAcceleration).

    Args:
        source: `A_DeviceMotion_data.zip` or its extracted folder.
        dropped: Counts what is left out.

    Raises:
        ZooError: If there are no such files, or one lacks a column.
    """
    dropped = Counter() if dropped is None else dropped
    for name, text in _texts(source):
        folder, _, file = name.rpartition("/")
        activity = _MOTIONSENSE.get(folder.rpartition("/")[2].partition("_")[0])
        if activity is None:
            dropped["files of another activity"] += 1
            continue
        columns = [f"{sensor}.{axis}" for axis in AXES for sensor in ("gravity", "userAcceleration")]
        values = _columns(name, text, columns)
        acceleration = -STANDARD_GRAVITY * (values[:, 0::2] + values[:, 1::2])
        subject = file.removeprefix("sub_").removesuffix(".csv")
        times = np.arange(len(acceleration)) / _MOTIONSENSE_HZ
        yield from stretches(name, subject, activity, times, acceleration, _MOTIONSENSE_HZ, dropped)


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of all `<act>_<trial>/sub_<id>.csv`, in the order of their names."""
    names = [name for name in names_in(source) if Path(name).match("sub_*.csv")]
    if not names:
        raise ZooError(f"{source}: no files <activity>_<trial>/sub_<id>.csv in it; expected MotionSense's layout")
    yield from texts_in(source, names)


def _columns(name: str, text: str, columns: Sequence[str]) -> NDArray[np.float64]:
    header = next(csv.reader(io.StringIO(text.partition("\n")[0])), [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise ZooError(f"{name}: no column {missing[0]!r}; found {', '.join(header)}")
    if not text.partition("\n")[2].strip():
        raise ZooError(f"{name}: no rows below the line of column names")
    try:
        return np.loadtxt(
            io.StringIO(text), delimiter=",", skiprows=1, usecols=[header.index(c) for c in columns], ndmin=2
        )
    except ValueError as error:
        raise ZooError(f"{name}: {error}") from None
