"""CSV files of acceleration as phones and apps write them, whose columns are recognized by their names."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import read_text
from zoo.runtime.metadata import AXES, CONVENTION, ROTATION_UNIT, STANDARD_GRAVITY, UNIT

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Format:
    """How an app names its columns. Names are lower-case, without units, spaces and signs; `{}` is the axis.

    Args:
        name: The app, or the kind of names.
        axes: Columns of acceleration.
        gravity: Columns of gravity, where acceleration does not include it.
        time: A column of time that only this app writes.
        unit: `m/s^2` or `g`, where the columns do not state it.
        convention: `android` or `ios`: the sign of the axes.
    """

    name: str
    axes: str
    gravity: str | None = None
    time: str | None = None
    unit: str = UNIT
    convention: str = CONVENTION


FORMATS = (
    Format("Sensor Logger", "{}", time="secondselapsed"),
    Format("Physics Toolbox", "gf{}", unit="g"),
    Format("SensorLog", "accelerometeracceleration{}", unit="g", convention="ios"),
    Format("SensorLog", "motionuseracceleration{}", "motiongravity{}", unit="g", convention="ios"),
    Format("Core Motion", "useracceleration{}", "gravity{}", unit="g", convention="ios"),
    Format("phyphox", "acceleration{}", time="time"),
    Format("linear acceleration and gravity", "linearacceleration{}", "gravity{}"),
    *(
        Format("columns known by their names", name)
        for name in ("{}", "acceleration{}", "accelerometer{}", "accel{}", "acc{}", "a{}", "totalacceleration{}",
                     "linearacceleration{}", "useracceleration{}", "motionuseracceleration{}")
    ),
)  # fmt: skip
"""The first whose columns are all there is taken. The last three find the columns of files that lack gravity."""

_ROTATIONS = ("gyroscope{}", "gyro{}", "gyr{}", "rotationrate{}", "motionrotationrate{}", "gyrorotation{}",
              "angularvelocity{}", "rotation{}", "w{}", "g{}")  # fmt: skip
"""Columns of rotation rate, read only where a gyroscope is asked for: `g{}` may be gravity elsewhere."""

_TIMES = ("secondselapsed", "elapsed", "time", "timestamp", "t", "seconds", "epoch", "unixtime", "datetime", "date",
          "loggingtime", "motiontimestampsincereboot", "accelerometertimestampsincereboot")  # fmt: skip
_PEOPLE = ("subject", "person", "participant", "user", "who")
_LABELS = ("activity", "label", "class")
_UNITS = {"g": "g", "gs": "g", "m/s^2": UNIT, "m/s²": UNIT, "m/s2": UNIT, "m/s/s": UNIT, "ms^-2": UNIT}
_ROTATION_UNITS = {"rad/s": ROTATION_UNIT, "rad/sec": ROTATION_UNIT, "deg/s": "deg/s", "°/s": "deg/s", "dps": "deg/s"}
_TIME_UNITS = {"s": "s", "sec": "s", "seconds": "s", "ms": "ms", "us": "us", "µs": "us", "ns": "ns"}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
LOWEST, HIGHEST = 5.0, 1000.0
"""Hz between which phones record."""
_LONGEST = 200
"""Letters of the longest name of a person or an activity."""
_MOSTLY = 0.5
"""The share of repeated time stamps above which they are too coarse."""


@dataclass(frozen=True)
class CsvColumns:
    """The columns of CSV files and their units. What is None is recognized by the names of the columns.

    Args:
        x: Name of the column of the x axis.
        y: Name of the column of the y axis.
        z: Name of the column of the z axis.
        time: Name of the column of time stamps.
        rate: Sampling rate in Hz, in place of time stamps.
        subject: Name of the column of the person; or `=name` for one person in all rows.
        activity: Name of the column of the activity; or `=label` for one activity in all rows.
        unit: `m/s^2` or `g`.
        convention: `android` (face up at rest, z is positive) or `ios` (negative).
        time_unit: `s`, `ms`, `us`, `ns`, or `auto`: the one for which the rate is between 5 and 1,000 Hz.
        gravity: Names of three columns of gravity, added to the axes; or None.
        gyroscope: Whether to read the rotation rate as well.
        rotation: Names of its three columns. They are read even if `gyroscope` is False.
        rotation_unit: `rad/s` or `deg/s`.
    """

    x: str | None = None
    y: str | None = None
    z: str | None = None
    time: str | None = None
    rate: float | None = None
    subject: str | None = None
    activity: str | None = None
    unit: str | None = None
    convention: str | None = None
    time_unit: str = "auto"
    gravity: tuple[str, ...] | None = None
    gyroscope: bool = False
    rotation: tuple[str, ...] | None = None
    rotation_unit: str | None = None

    def __post_init__(self) -> None:
        if self.unit not in (None, UNIT, "g"):
            raise ZooError(f"unit {self.unit!r}: expected '{UNIT}' or 'g'")
        if self.convention not in (None, "android", "ios"):
            raise ZooError(f"convention {self.convention!r}: expected 'android' or 'ios'")
        if self.rate is not None and not 0 < self.rate < np.inf:
            raise ZooError(f"rate {self.rate:g} Hz: expected a number above 0")
        if self.time_unit != "auto" and self.time_unit not in SECONDS:
            raise ZooError(f"time unit {self.time_unit!r}: expected auto, {', '.join(SECONDS)}")
        named = [name for name in (self.x, self.y, self.z) if name is not None]
        if len(set(named)) < len(named):
            raise ZooError(f"columns {self.x}, {self.y}, {self.z} of x, y and z: expected three different ones")
        if self.gravity is not None and len(set(self.gravity)) != len(AXES):
            raise ZooError(f"--gravity {','.join(self.gravity)}: expected three columns, such as gx,gy,gz")
        if self.rotation is not None and len(set(self.rotation)) != len(AXES):
            raise ZooError(f"columns {', '.join(self.rotation)} of rotation rate: expected three different ones")
        if self.rotation_unit not in (None, *_ROTATION_UNITS.values()):
            raise ZooError(f"rotation unit {self.rotation_unit!r}: expected '{ROTATION_UNIT}' or 'deg/s'")
        for option, name in (("subject", self.subject), ("activity", self.activity)):
            if name is not None and not name.removeprefix("=").strip():
                raise ZooError(f"--{option} {name}: expected the name of a column, or =NAME for all rows")

    def with_channels(self, text: str) -> "CsvColumns":
        """The same columns, but these of the sensors.

        Args:
            text: The names of x, y, z of the acceleration, then those of the rotation rate, if any; comma-separated.

        Raises:
            ZooError: If there are not three or six, or x, y, z are named already.

        Example:
            >>> CsvColumns().with_channels("ax,ay,az,gx,gy,gz").rotation
            ('gx', 'gy', 'gz')
        """
        names = tuple(name.strip() for name in text.split(","))
        if len(names) not in (3, 6) or len(set(names)) < len(names) or not all(names):
            raise ZooError(f"--channels {text}: expected three or six different columns, such as ax,ay,az,gx,gy,gz")
        if any((self.x, self.y, self.z)):
            raise ZooError("--channels names the columns of x, y and z: leave out --x, --y and --z")
        x, y, z = names[:3]
        return replace(self, x=x, y=y, z=z, rotation=names[3:] or None)


@dataclass(frozen=True)
class Layout:
    """Where in a row is what: what `CsvColumns` come to for the columns of one file.

    Args:
        format: The app whose names were recognized, or `named columns`.
        header: All columns.
        axes: The columns of x, y, z.
        gravity: The columns of gravity; empty where acceleration includes it.
        time: The column of time stamps; None with a fixed rate.
        subject: The column of the person, or `=name`; None if nobody asked.
        activity: The same for the activity.
        unit: `m/s^2` or `g`.
        convention: `android` or `ios`.
        time_unit: Of the time stamps, or `auto`.
        rotation: The columns of rotation rate; empty where none are read, or where they are in a file of their own.
        rotation_unit: `rad/s` or `deg/s`.
    """

    format: str
    header: tuple[str, ...]
    axes: tuple[str, ...]
    gravity: tuple[str, ...]
    time: str | None
    subject: str | None
    activity: str | None
    unit: str
    convention: str
    time_unit: str
    rotation: tuple[str, ...] = ()
    rotation_unit: str = ROTATION_UNIT

    @property
    def rotation_factor(self) -> float:
        """The factor from values of the file to rad/s; both conventions have the same sense of rotation."""
        return float(np.pi / 180) if self.rotation_unit == "deg/s" else 1.0

    @property
    def factor(self) -> float:
        """The factor from values of the file to m/s^2 in Android's sign."""
        return (STANDARD_GRAVITY if self.unit == "g" else 1.0) * (-1.0 if self.convention == "ios" else 1.0)

    def place(self, column: str) -> int:
        """The number of a column."""
        return self.header.index(column)


_WITH_UNIT = (
    re.compile(r"(.*?)[\s_]*[(\[]([^)\]]*)[)\]]\s*"),
    re.compile(r"(time|timestamp|t|elapsed|epoch)[\s_]?(ms|us|ns|seconds|s)"),
)


def _plain(column: str) -> tuple[str, str]:
    """The name of a column in lower case, without signs; and the unit in brackets.

    Example:
        >>> _plain("Acceleration x (m/s^2)"), _plain("time_ms"), _plain("gravity.x")
        (('accelerationx', 'm/s^2'), ('time', 'ms'), ('gravityx', ''))
    """
    name, unit = column.lower(), ""
    for pattern in _WITH_UNIT:
        if found := pattern.fullmatch(name):
            name, unit = found.groups()
            break
    return re.sub(r"[\W_]", "", name), unit.strip()


def resolve(where: str, header: Sequence[str], columns: CsvColumns, *, labels: bool = True) -> Layout:
    """Finds the columns of a file.

    Args:
        where: The file, for messages.
        header: Its columns.
        columns: Those that the user named.
        labels: Whether person and activity are needed.

    Raises:
        ZooError: If columns are missing: all of them, with what was found.

    Example:
        >>> resolve("a.csv", ["time", "gFx", "gFy", "gFz"], CsvColumns(subject="=ann", activity="=walking")).axes
        ('gFx', 'gFy', 'gFz')
    """
    twice = [name for place, name in enumerate(header) if name and name in header[:place]]
    plain: dict[str, str] = {}
    for column in header:
        plain.setdefault(_plain(column)[0], column)
    format, recognized = _recognize(plain)
    axes = [named or known for named, known in zip((columns.x, columns.y, columns.z), recognized, strict=True)]
    named_axes = any((columns.x, columns.y, columns.z))
    gravity: Sequence[str] = columns.gravity or ()
    if not gravity and format.gravity and not named_axes:
        gravity = [plain[format.gravity.format(axis)] for axis in AXES]
    rotation = columns.rotation or (_rotation(where, plain, format) if columns.gyroscope else ())
    time = None if columns.rate else columns.time or _first(plain, _TIMES)
    subject = (columns.subject or _first(plain, _PEOPLE)) if labels else None
    activity = (columns.activity or _first(plain, _LABELS)) if labels else None
    wanted = list(zip(("x", "y", "z"), axes, strict=True)) + [("gravity", name) for name in gravity]
    wanted += [("channels", name) for name in rotation]
    wanted += [] if columns.rate else [("time", time)]
    wanted += [("subject", subject), ("activity", activity)] if labels else []
    missing = [
        f"{f'for {option}' if name is None else repr(name)} (--{option})"
        for option, name in wanted
        if name is None or (name not in header and not (option in ("subject", "activity") and name.startswith("=")))
    ]
    if missing:
        advice = "pass its name" if len(missing) == 1 else "pass their names"
        if "subject" in str(missing) or "activity" in str(missing):
            advice += ", --layout if folders and file names say who did what, or =NAME for all rows"
        advice += ", or --rate HZ instead of --time" if "(--time)" in str(missing) else ""
        found = ", ".join(header) or "nothing"
        raise ZooError(f"{where}: no column {', '.join(missing)}; found {found}: {advice}")
    used = {name for _, name in wanted}
    if doubled := next((name for name in twice if name in used), None):
        raise ZooError(f"{where}: has a column {doubled!r} twice; expected different names: rename one")
    if len(set(axes)) < len(axes):
        raise ZooError(f"{where}: columns {', '.join(map(str, axes))} of x, y and z: expected three different ones")
    unit = _UNITS.get(_plain(str(axes[0]))[1]) or (UNIT if named_axes else format.unit)
    time_unit = columns.time_unit
    if time is not None and time_unit == "auto":
        time_unit = _TIME_UNITS.get(_plain(time)[1], "auto")
    return Layout(
        "named columns" if named_axes else format.name, tuple(header), tuple(map(str, axes)), tuple(gravity), time,
        subject, activity, columns.unit or unit,
        columns.convention or (CONVENTION if named_axes else format.convention), time_unit, tuple(rotation),
        columns.rotation_unit or _ROTATION_UNITS.get(_plain(rotation[0])[1] if rotation else "", ROTATION_UNIT),
    )  # fmt: skip


def _rotation(where: str, plain: dict[str, str], format: Format) -> tuple[str, ...]:
    """The columns of rotation rate among those of a file."""
    for name in _ROTATIONS:
        if all(name.format(axis) in plain for axis in AXES):
            return tuple(plain[name.format(axis)] for axis in AXES)
    if format.name == "Sensor Logger":
        return ()
    raise ZooError(
        f"{where}: no columns of rotation rate; found {', '.join(plain.values()) or 'nothing'}: pass all six with "
        "--channels, such as ax,ay,az,gx,gy,gz"
    )


def _recognize(plain: dict[str, str]) -> tuple[Format, list[str | None]]:
    """The first format whose columns are all there, and its columns of the axes."""
    for format in FORMATS:
        axes = [plain.get(format.axes.format(axis)) for axis in AXES]
        others = [] if format.gravity is None else [format.gravity.format(axis) for axis in AXES]
        others += [] if format.time is None else [format.time]
        if all(axes) and all(name in plain for name in others):
            return format, list(axes)
    return Format("named columns", "{}"), [plain.get(axis) for axis in AXES]


def _first(plain: dict[str, str], names: Sequence[str]) -> str | None:
    return next((plain[name] for name in names if name in plain), None)


def separator(line: str) -> str:
    """The separator of a line of column names: the one that divides it into most fields.

    Example:
        >>> separator('"Time (s)";"Acceleration x (m/s^2)"'), separator("time,x,y,z")
        (';', ',')
    """
    try:
        return max(",;\t", key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))
    except csv.Error:
        # A name is longer than any name may be.
        return ","


def number(field: str, mark: str) -> float:
    """A number with a decimal point, or a decimal comma where commas do not separate fields."""
    if "_" in field or not field.isascii():
        raise ValueError(field)
    return float(field if mark == "," else field.replace(",", "."))


@dataclass(frozen=True)
class Table:
    """One file.

    Args:
        path: The file.
        layout: Where in it is what.
        subjects: `(rows,)` the person.
        activities: `(rows,)` the label.
        times: `(rows,)` seconds.
        values: `(rows, 3)` m/s^2, gravity included, Android's sign; with a gyroscope `(rows, 6)`, followed by rad/s.
        time_unit: Of the time stamps.
    """

    path: Path
    layout: Layout
    subjects: NDArray[np.str_]
    activities: NDArray[np.str_]
    times: Floats
    values: Floats
    time_unit: str


def read_table(path: Path, columns: CsvColumns) -> Table:
    """Reads a CSV file.

    Args:
        path: The file.
        columns: Which column is what, where the user named it.

    Raises:
        ZooError: If the file or a column is missing, a field is not a number, or values or time stamps are not
            plausible.
    """
    mark, header, rows = _fields(path)
    layout = _of_one_sensor(path, resolve(str(path), header, columns))
    _check_widths(path, rows, layout)
    column = partial(_numbers, path, rows, mark, layout)
    values = np.stack([column(name) for name in layout.axes], axis=1)
    if layout.gravity:
        values += np.stack([column(name) for name in layout.gravity], axis=1)
    if layout.time is None:
        times, time_unit = np.arange(len(rows)) / float(columns.rate or 1.0), "none"
    else:
        stamps, time_unit = _stamps(path, rows, mark, layout)
        times = stamps * SECONDS[time_unit]
    if layout.format == "Sensor Logger with gravity":
        values += _neighbor(path, "Gravity.csv", times)
    values *= layout.factor
    if layout.rotation:
        values = np.hstack([values, layout.rotation_factor * np.stack([column(n) for n in layout.rotation], axis=1)])
    elif columns.gyroscope:
        values = np.hstack([values, layout.rotation_factor * _neighbor(path, "Gyroscope.csv", times)])
    return Table(
        path, layout, _words(path, rows, layout, layout.subject or ""),
        _words(path, rows, layout, layout.activity or ""), times, values, time_unit,
    )  # fmt: skip


def _fields(path: Path) -> tuple[str, list[str], list[list[str]]]:
    """The separator, the column names and the rows of a file."""
    mark, header, rows = csv_rows(str(path), read_text(path))
    if not rows:
        raise ZooError(f"{path}: no rows below the line of column names")
    return mark, header, rows


def csv_rows(where: str, text: str) -> tuple[str, list[str], list[list[str]]]:
    """The separator, the column names and the rows of a text of CSV.

    Args:
        where: The file, for messages.
        text: The text.

    Raises:
        ZooError: If a field is too long, or a quote is not closed.
    """
    mark = separator(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text), delimiter=mark, strict=True)
    rows: list[list[str]] = []
    begun = 0
    try:
        for row in reader:
            rows.append(row)
            begun = reader.line_num
    except csv.Error as error:
        if "field larger" in str(error):
            raise ZooError(
                f"{where}: line {begun + 1} has a field of more than {csv.field_size_limit()} letters: is a quote not "
                "closed?"
            ) from None
        raise ZooError(f"{where}: line {begun + 1}: {error}: a quote is not closed, or stands within a field") from None
    header = [name.strip() for name in rows[0]] if rows else []
    if not any(header):
        raise ZooError(f"{where}: empty; expected a line of column names, and rows")
    return mark, header, [row for row in rows[1:] if row]


def _check_widths(path: Path, rows: list[list[str]], layout: Layout) -> None:
    count = len(layout.header)
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != count), None)
    if wrong is not None:
        raise ZooError(f"{path}: {count} column names, but row {wrong} below them has {len(rows[wrong - 1])} fields")


def _words(path: Path, rows: list[list[str]], layout: Layout, name: str) -> NDArray[np.str_]:
    if name.startswith("="):
        return np.full(len(rows), name[1:])
    place = layout.place(name)
    found = [row[place].strip() for row in rows]
    for text in dict.fromkeys(found):
        row = f"column {name!r}, row {found.index(text) + 1} below the names"
        if not text:
            raise ZooError(f"{path}: {row}: is empty: fill it in, or leave it out")
        if len(text) > _LONGEST or not text.isprintable() or (name == layout.activity and "," in text):
            raise ZooError(
                f"{path}: {row}: {text[:40]!r}; expected a name of at most {_LONGEST} letters, without "
                + ("control characters" if name == layout.subject else "commas and control characters")
            )
    return np.array(found)


def _numbers(path: Path, rows: list[list[str]], mark: str, layout: Layout, name: str) -> Floats:
    place = layout.place(name)
    # An empty field is a lost sample: it ends the recording like any other value that is not finite.
    return _read(path, rows, place, name, lambda field: number(field or "nan", mark), "a number")


def _read(
    path: Path, rows: list[list[str]], place: int, name: str, read: Callable[[str], float], what: str
) -> Floats:  # fmt: skip
    """The fields of a column as numbers. The message names the row of a field that is none."""
    values = np.empty(len(rows))
    for index, row in enumerate(rows):
        field = row[place].strip()
        try:
            values[index] = read(field)
        except (ValueError, OverflowError, OSError):
            raise ZooError(
                f"{path}: column {name!r}, row {index + 1} below the names: {field[:40]!r}; expected {what}"
            ) from None
    return values


def _stamps(path: Path, rows: list[list[str]], mark: str, layout: Layout) -> tuple[Floats, str]:
    """Time stamps and their unit: numbers, dates and times as in ISO 8601, or times of day."""
    place = layout.place(str(layout.time))
    example = next((row[place].strip() for row in rows if place < len(row) and row[place].strip()), "")
    read = _clock(example)
    if read is None:
        stamps = _numbers(path, rows, mark, layout, str(layout.time))
        return stamps, time_unit_of(str(path), stamps, layout.time_unit)
    what = f"a time such as {example}"
    stamps = _read(path, rows, place, str(layout.time), lambda text: read(text) if text else np.nan, what)
    steps = np.diff(stamps)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if (steps == 0).mean() <= _MOSTLY and step and not LOWEST <= 1 / step <= HIGHEST:
        raise ZooError(
            f"{path}: time stamps {step:g} s apart make {1 / step:.3g} Hz; phones record at {LOWEST:g} to {HIGHEST:g} "
            f"Hz: pass another column with --time, or confirm with --rate {1 / step:.3g}"
        )
    return stamps, time_unit_of(str(path), stamps, "s")


def _clock(example: str) -> Callable[[str], float] | None:
    """What reads time stamps such as this one as seconds; None for numbers."""
    if re.fullmatch(r"\d{1,2}:\d{2}:\d{2}[.,:]?\d*", example):

        def seconds(text: str) -> float:
            hours, minutes, rest = text.replace(",", ".").split(":", 2)
            return int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(":", "."))

        return seconds
    if re.match(r"\d{4}-\d{2}-\d{2}", example):
        return lambda text: datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text)).timestamp()
    return None


def time_unit_of(where: str, stamps: Floats, unit: str) -> str:
    """The unit of time stamps: the named one, or with `auto` the one for which the rate is 5 to 1,000 Hz.

    Raises:
        ZooError: If there is none, or the named one makes an implausible rate and another does not.
    """
    finite = stamps[np.isfinite(stamps)]
    if len(stamps) and not len(finite):
        raise ZooError(f"{where}: no time stamp is a finite number: pass another column with --time, or --rate")
    intervals = np.diff(finite)
    forward = intervals[intervals > 0]
    if len(intervals) > 1 and (intervals < 0).mean() > _MOSTLY:
        raise ZooError(
            f"{where}: time goes back in {(intervals < 0).sum()} of {len(stamps)} rows: sort them by time, or pass "
            "another column with --time"
        )
    step = float(np.median(forward)) if len(forward) else 0.0
    if len(intervals) and (intervals == 0).mean() > _MOSTLY and step:
        rows_a_step = (len(intervals) + 1) / (len(forward) + 1)
        raise ZooError(
            f"{where}: about {rows_a_step:.0f} rows share each time stamp: pass another column with --time, or the "
            f"rate instead (--rate {rows_a_step / step:.3g}, if stamps are seconds)"
        )
    plausible = [name for name, seconds in SECONDS.items() if step and LOWEST <= 1 / (step * seconds) <= HIGHEST]
    if unit == "auto":
        if not plausible:
            raise ZooError(
                f"{where}: time stamps {step:g} apart give no rate between 5 and 1000 Hz: pass --time-unit, or the "
                "rate with --rate"
            )
        return plausible[0]
    if plausible and unit not in plausible:
        rate = 1 / (step * SECONDS[unit])
        other, better = plausible[0], 1 / (step * SECONDS[plausible[0]])
        raise ZooError(
            f"{where}: time stamps {step:g} {unit} apart make {rate:.3g} Hz, and {len(stamps)} rows last "
            f"{len(stamps) / rate:.3g} s; are they {other} ({better:.3g} Hz)? Pass --time-unit {other}, or "
            f"confirm with --rate {rate:.3g}"
        )
    return unit


_SENSORS = ("gravity", "gyroscope", "gyroscopeuncalibrated", "magnetometer", "magnetometeruncalibrated", "orientation",
            "compass", "barometer", "location", "pedometer", "light", "microphone", "battery", "annotation",
            "metadata", "device", "network", "time")  # fmt: skip


def is_of_another_sensor(path: Path) -> bool:
    """Whether an app writes something else than acceleration into a file of this name."""
    name = path.stem.lower()
    total = any((path.with_name(f"TotalAcceleration{end}")).is_file() for end in (".csv", ".CSV"))
    return name in _SENSORS or (name in ("accelerometer", "accelerometeruncalibrated") and total)


def _of_one_sensor(path: Path, layout: Layout) -> Layout:
    """Sensor Logger writes a file a sensor, all with the same columns: which one it is, its name says."""
    if layout.format != "Sensor Logger":
        return layout
    name = path.stem.lower()
    if name in _SENSORS:
        raise ZooError(f"{path}: is Sensor Logger's file of another sensor: pass its TotalAcceleration.csv")
    if name == "accelerometer" and path.with_name("Gravity.csv").is_file():
        return replace(layout, format="Sensor Logger with gravity")
    return layout


def _neighbor(path: Path, name: str, times: Floats) -> Floats:
    """Values of another sensor at the times of a file: Sensor Logger puts each into a file of the same folder."""
    other = path.with_name(name)
    mark, header, rows = _fields(other)
    layout = resolve(str(other), header, CsvColumns(), labels=False)
    stamps, unit = _stamps(other, rows, mark, layout)
    values = [_numbers(other, rows, mark, layout, name) for name in layout.axes]
    order = np.argsort(stamps, kind="stable")
    return np.stack([np.interp(times, stamps[order] * SECONDS[unit], axis[order]) for axis in values], axis=1)


def facts(table: Table) -> dict[str, Any]:
    """How a file was read, for people."""
    layout = table.layout
    gravity = {"gravity": ", ".join(layout.gravity)} if layout.gravity else {}
    if layout.format == "Sensor Logger with gravity":
        gravity = {"gravity": str(table.path.with_name("Gravity.csv"))}
    rotation = {}
    if table.values.shape[1] > len(AXES):
        names = ", ".join(layout.rotation) or str(table.path.with_name("Gyroscope.csv"))
        rotation = {"rotation": names, "rotation_unit": layout.rotation_unit}
    return {
        "read_as": layout.format, "axes": ", ".join(layout.axes), **gravity, "unit": layout.unit, **rotation,
        "sign": layout.convention, "time": layout.time or "a fixed rate", "time_unit": table.time_unit,
    }  # fmt: skip
