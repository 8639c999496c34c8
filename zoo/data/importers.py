"""Importers: read MotionSense or any CSV files as recordings in the zoo's convention."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.recordings import Dropped, Recording, check_unit
from zoo.errors import ZooError
from zoo.metadata import AXES, CONVENTION, STANDARD_GRAVITY, UNIT

_MOTIONSENSE = {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
                "wlk": "walking"}  # fmt: skip
_MOTIONSENSE_HZ = 50.0
_GAP_STEPS = 3
"""A pause longer than this many sampling intervals ends a recording."""

_TOO_LARGE = 50.0
"""A mean in m/s^2, five times gravity, above which values that were said to be g must have been m/s^2."""
_ENOUGH_ROWS = 50
"""Over fewer rows, the mean does not distinguish g from m/s^2."""


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
        yield from _stretches(name, subject, activity, times, acceleration, _MOTIONSENSE_HZ, dropped)


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of all `<act>_<trial>/sub_<id>.csv`, in the order of their names."""
    if source.is_dir():
        paths = sorted(path for path in source.rglob("sub_*.csv"))
        named = ((str(path.relative_to(source)), path.read_text()) for path in paths)
        found = len(paths)
    elif zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)
        names = sorted(
            name for name in archive.namelist()
            if "__MACOSX" not in name and Path(name).match("sub_*.csv")
        )  # fmt: skip
        named = ((name, _member(archive, name)) for name in names)
        found = len(names)
    else:
        raise ZooError(f"{source}: {'not a zip file or a folder' if source.exists() else 'no such file or folder'}")
    if not found:
        raise ZooError(f"{source}: no files <activity>_<trial>/sub_<id>.csv in it; expected MotionSense's layout")
    yield from named


def _member(archive: zipfile.ZipFile, name: str) -> str:
    try:
        return archive.read(name).decode()
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ZooError(f"{name}: damaged, or not UTF-8 text: copy {archive.filename} again ({error})") from error


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


@dataclass(frozen=True)
class CsvColumns:
    """The columns of CSV files and their units.

    Args:
        x: Name of the column of the x axis.
        y: Name of the column of the y axis.
        z: Name of the column of the z axis.
        time: Name of the column of time stamps, unless `rate` is given.
        rate: Sampling rate in Hz, if there are no time stamps.
        subject: Name of the column of the person; or `=name` for one person in all rows.
        activity: Name of the column of the activity; or `=label` for one activity in all rows.
        unit: `m/s^2` or `g`.
        convention: `android` (face up at rest, z is positive) or `ios` (negative).
        time_unit: `s`, `ms`, `us`, `ns`, or `auto`: the one for which the rate is between 5 and 1,000 Hz.
    """

    x: str = "x"
    y: str = "y"
    z: str = "z"
    time: str | None = "time"
    rate: float | None = None
    subject: str = "subject"
    activity: str = "activity"
    unit: str = UNIT
    convention: str = CONVENTION
    time_unit: str = "auto"

    def __post_init__(self) -> None:
        if self.unit not in (UNIT, "g"):
            raise ZooError(f"unit {self.unit!r}: expected '{UNIT}' or 'g'")
        if self.convention not in ("android", "ios"):
            raise ZooError(f"convention {self.convention!r}: expected 'android' or 'ios'")
        if self.rate is not None and not 0 < self.rate < np.inf:
            raise ZooError(f"rate {self.rate:g} Hz: expected a number above 0")
        if self.time_unit != "auto" and self.time_unit not in _SECONDS:
            raise ZooError(f"time unit {self.time_unit!r}: expected auto, {', '.join(_SECONDS)}")
        if self.time is None and self.rate is None:
            raise ZooError("name the column of time stamps (--time) or give a fixed rate (--rate)")
        if len({self.x, self.y, self.z}) < 3:
            raise ZooError(f"columns {self.x}, {self.y}, {self.z} of x, y and z: expected three different ones")
        for option, name in (("subject", self.subject), ("activity", self.activity)):
            if not name.removeprefix("=").strip():
                raise ZooError(f"--{option} {name}: expected the name of a column, or =NAME for all rows")

    @property
    def factor(self) -> float:
        """The factor from values of the file to m/s^2 in Android's sign."""
        return (STANDARD_GRAVITY if self.unit == "g" else 1.0) * (-1.0 if self.convention == "ios" else 1.0)


_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def read_csv(files: Iterable[Path], columns: CsvColumns, dropped: Dropped) -> Iterator[Recording]:
    """Reads recordings from CSV files with a line of column names.

    A change of person or activity, a gap in time or a row that is not finite ends a recording. If there are time
    stamps, the rate is detected and the rows are interpolated linearly to an even grid.

    Args:
        files: Paths of the files.
        columns: Which column is what.
        dropped: Counts what is left out.

    Raises:
        ZooError: If a file or a column is missing, or a field is not a number.
    """
    for path in files:
        subjects, activities, times, values = _csv_table(path, columns)
        if len(values) >= _ENOUGH_ROWS:
            magnitude = float(np.nanmean(np.linalg.norm(values, axis=1)))
            check_unit(str(path), magnitude)
            if columns.unit == "g" and magnitude > _TOO_LARGE:
                raise ZooError(
                    f"{path} has a mean magnitude of {magnitude / STANDARD_GRAVITY:.1f}; expected g (about 1): leave "
                    "--unit g out"
                )
        person_or_activity = np.flatnonzero((subjects[1:] != subjects[:-1]) | (activities[1:] != activities[:-1]))
        bounds = [0, *(person_or_activity + 1).tolist(), len(values)]
        for start, stop in pairwise(bounds):
            part = slice(start, stop)
            if stop - start < 2:
                dropped.add("rows alone between two others of another person or activity", stop - start)
                continue
            yield from _stretches(
                str(path), str(subjects[start]), str(activities[start]), times[part], values[part], columns.rate,
                dropped,
            )  # fmt: skip


def _csv_table(
    path: Path, columns: CsvColumns
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float64], NDArray[np.float64]]:
    """Persons, activities, seconds and accelerations in m/s^2 of one file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ZooError(f"{path}: {'no such file' if not path.exists() else 'is a folder, not a file'}") from error
    except UnicodeDecodeError as error:
        raise ZooError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4096], ",;\t")
    except csv.Error:
        dialect = csv.excel
    reader = csv.reader(io.StringIO(text), dialect)
    header = [name.strip() for name in next(reader, [])]
    rows = [row for row in reader if row]
    if not rows:
        raise ZooError(f"{path}: no rows below the line of column names")

    def column(name: str, option: str) -> int:
        if name not in header:
            raise ZooError(f"{path}: no column {name!r}; found {', '.join(header)}: name it with --{option}")
        return header.index(name)

    def words(name: str, option: str) -> NDArray[np.str_]:
        if name.startswith("="):
            return np.full(len(rows), name[1:])
        place = column(name, option)
        found = np.array([row[place].strip() for row in rows])
        if not found.astype(bool).all():
            row = int(np.flatnonzero(found == "")[0]) + 1
            raise ZooError(
                f"{path}: column {name!r} is empty in row {row} below the names: fill it in, or leave it out"
            )
        return found

    def numbers(name: str, option: str) -> NDArray[np.float64]:
        place = column(name, option)
        try:
            # An empty field is a lost sample: it ends the recording like any other value that is not finite.
            return np.array([float(row[place].strip() or "nan") for row in rows])
        except ValueError as error:
            raise ZooError(f"{path}: column {name!r}: {error}") from None

    widths = {len(row) for row in rows}
    if widths != {len(header)}:
        raise ZooError(f"{path}: {len(header)} column names but rows of {min(widths)} to {max(widths)} fields")
    values = np.stack([numbers(columns.x, "x"), numbers(columns.y, "y"), numbers(columns.z, "z")], axis=1)
    if columns.rate is not None:
        times = np.arange(len(rows)) / columns.rate
    else:
        stamps = numbers(columns.time or "time", "time")
        times = stamps * seconds_of(str(path), stamps, columns.time_unit)
    return (
        words(columns.subject, "subject"),
        words(columns.activity, "activity"),
        times,
        values * columns.factor,
    )


def seconds_of(where: str, stamps: NDArray[np.float64], unit: str) -> float:
    """Seconds in the unit of time stamps: the given one, or with `auto` the one for which the rate is 5 to 1,000 Hz.

    Raises:
        ZooError: If there is none.
    """
    if unit != "auto":
        return _SECONDS[unit]
    intervals = np.diff(stamps)
    forward = intervals[intervals > 0]
    step = float(np.median(forward)) if len(forward) else 0.0
    for seconds in _SECONDS.values():
        if step and 5 <= 1 / (step * seconds) <= 1000:
            return seconds
    raise ZooError(f"{where}: time stamps {step:g} apart give no rate between 5 and 1000 Hz: name --time-unit")


def _stretches(
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
    finite = np.isfinite(rows).all(axis=1) & np.isfinite(times)
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
    dropped.add("gaps at which a recording was split", int(gaps.sum()))
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
        yield Recording(name, subject, activity, hertz, values.astype(np.float32), begin)
