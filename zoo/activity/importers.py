"""Importers: read MotionSense or any CSV files as recordings in the zoo's convention."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.archives import names_in, texts_in
from zoo.activity.csv import CsvColumns, Table, facts, read_table
from zoo.activity.recordings import Dropped, Recording, check_gravity, check_rotation, enough_rows, typical_rate
from zoo.data.examples import sort_names
from zoo.errors import ZooError
from zoo.runtime.metadata import AXES, STANDARD_GRAVITY, UNIT

_MOTIONSENSE = {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
                "wlk": "walking"}  # fmt: skip
_MOTIONSENSE_HZ = 50.0
_GAP_STEPS = 3
"""A pause longer than this many sampling intervals ends a recording."""

_TOO_LARGE = 50.0
"""A mean in m/s^2, five times gravity, that no phone measures: the unit is another one."""


def read_motionsense(source: Path, dropped: Dropped) -> Iterator[Recording]:
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
    for name, text in _texts(source):
        folder, _, file = name.rpartition("/")
        activity = _MOTIONSENSE.get(folder.rpartition("/")[2].partition("_")[0])
        if activity is None:
            dropped.add("files of another activity")
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


def read_csv(
    files: Iterable[Path], columns: CsvColumns, dropped: Dropped, tables: list[dict[str, Any]] | None = None
) -> Iterator[Recording]:
    """Reads recordings from CSV files with a line of column names.

    A change of person or activity, a gap in time or a row that is not finite ends a recording; rows whose time stamp
    does not rise are left out. If there are time stamps, the rate is detected and the rows are interpolated linearly to
    an even grid.

    Args:
        files: Paths of the files.
        columns: Which column is what, where the user named it.
        dropped: Counts what is left out.
        tables: Gets a row of facts about each file.

    Raises:
        ZooError: If a file or a column is missing, a field is not a number, or values are not plausible.
    """
    for path in files:
        table = read_table(path, columns)
        _check_values(table)
        of_file, rates, seconds = Dropped(), set(), 0.0
        subjects, activities = table.subjects, table.activities
        person_or_activity = np.flatnonzero((subjects[1:] != subjects[:-1]) | (activities[1:] != activities[:-1]))
        bounds = [0, *(person_or_activity + 1).tolist(), len(subjects)]
        for start, stop in pairwise(bounds):
            part = slice(start, stop)
            if stop - start < 2:
                of_file.add("rows alone between two others of another person or activity", stop - start)
                continue
            for recording in stretches(
                str(path), str(subjects[start]), str(activities[start]), table.times[part], table.values[part],
                columns.rate, of_file,
            ):  # fmt: skip
                rates.add(recording.rate)
                seconds += recording.seconds
                yield recording
        dropped.reasons.update(of_file.reasons)
        if tables is not None:
            tables.append(
                {"file": str(path), **facts(table), "rows": len(subjects), "rate_hz": sorted(rates),
                 "seconds": round(seconds, 1), "gaps": of_file.reasons[_GAPS],
                 "subjects": sort_names(subjects.tolist()), "activities": sorted(set(activities.tolist()))}
            )  # fmt: skip


_GAPS = "gaps at which a recording was split"


def _storable(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows hold numbers alone that recordings can hold, in float32."""
    return np.asarray((np.abs(rows) <= np.finfo(np.float32).max).all(axis=1))


def _check_values(table: Table) -> None:
    """Asks about acceleration in another unit, or without gravity."""
    if not _storable(table.values).any():
        axes = ", ".join(table.layout.axes)
        raise ZooError(f"{table.path}: no row holds finite numbers in {axes}: choose other columns")
    rate = typical_rate(table.times)
    if not enough_rows(table.values, rate):
        return
    acceleration, rotation = table.values[:, :3], table.values[:, 3:]
    magnitude = float(np.nanmean(np.linalg.norm(acceleration, axis=1)))
    if magnitude > _TOO_LARGE and table.layout.unit == "g":
        raise ZooError(
            f"{table.path} has a mean magnitude of {magnitude / STANDARD_GRAVITY:.1f}; expected g (about 1): if these "
            f"are {UNIT}, pass --unit {UNIT}"
        )
    if magnitude > _TOO_LARGE:
        raise ZooError(
            f"{table.path} has a mean magnitude of {magnitude:.0f}; expected {UNIT} (about 9.8), or g with --unit g: "
            "convert the columns"
        )
    check_gravity(str(table.path), acceleration, rate)
    if rotation.size:
        check_rotation(str(table.path), rotation, rate)


def stretches(
    name: str, subject: str, activity: str, times: NDArray[np.float64], rows: NDArray[np.float64],
    rate: float | None, dropped: Dropped,
) -> Iterator[Recording]:  # fmt: skip
    """Splits rows where they are not continuous and resamples each part to an even grid."""
    # A clock that jumps back by more than a gap has restarted: another trial.
    steps = np.diff(times)
    forward = steps[steps > 0]
    gap = _GAP_STEPS * (1 / rate if rate else float(np.median(forward)) if len(forward) else np.inf)
    for trial in np.split(np.arange(len(times)), np.flatnonzero(steps < -gap) + 1):
        yield from _trial(name, subject, activity, times[trial], rows[trial], rate, dropped)


def _trial(
    name: str, subject: str, activity: str, times: NDArray[np.float64], rows: NDArray[np.float64],
    rate: float | None, dropped: Dropped,
) -> Iterator[Recording]:  # fmt: skip
    """Splits one trial at gaps and lost rows."""
    finite = _storable(rows) & np.isfinite(times)
    dropped.add("rows with a value that is not finite", int((~finite).sum()))
    # Which uninterrupted stretch of finite rows a row belongs to.
    stretch = np.cumsum(~finite)[finite]
    times, rows = times[finite], rows[finite]
    later = np.ones(len(times), bool)
    later[1:] = times[1:] > np.maximum.accumulate(times)[:-1]
    dropped.add("rows whose time stamp does not rise", int((~later).sum()))
    times, rows, stretch = times[later], rows[later], stretch[later]
    if len(times) < 2:
        dropped.add("rows left alone", len(times))
        return
    intervals = np.diff(times)
    step = 1 / rate if rate else float(np.median(intervals))
    gaps, losses = intervals > _GAP_STEPS * step, np.diff(stretch) > 0
    dropped.add(_GAPS, int(gaps.sum()))
    cuts = np.flatnonzero(gaps | losses) + 1
    for part in np.split(np.arange(len(times)), cuts):
        if len(part) < 2:
            dropped.add("rows alone between two gaps", len(part))
            continue
        moment, values = times[part], rows[part]
        if rate is None:
            # Stamps jitter by some milliseconds; the mean interval of a stretch does not.
            step = (moment[-1] - moment[0]) / (len(moment) - 1)
            grid = moment[0] + step * np.arange(len(moment))
            values = np.stack([np.interp(grid, moment, axis) for axis in values.T], axis=1)
        # Detected rates that differ by a rounding of the clock are one rate.
        hertz = rate or float(f"{1 / step:.3g}")
        begin = float(moment[0] - times[0])
        even = values.astype(np.float32)
        rotation = even[:, 3:] if even.shape[1] > 3 else None
        yield Recording(name, subject, activity, hertz, even[:, :3], begin, rotation=rotation)
