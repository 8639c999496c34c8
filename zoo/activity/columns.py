"""What the columns of a table mean: named by the user, or recognized by the names that phones and apps give them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.activity.tables import fields_of, heading, number_or_nan, numbers
from zoo.catalog import split_names
from zoo.errors import ZooError, option, refuse
from zoo.recipe import Columns
from zoo.runtime.metadata import AXES, CONVENTION, ROTATION_UNIT, STANDARD_GRAVITY, UNIT


class Format(NamedTuple):
    """How an app names its columns: lower-case, without units, spaces and signs; `{}` is the axis.

    `gravity` is added where acceleration does not include it; `time` is a column that only this app writes; `unit` is
    taken where the columns do not state it; `has_files` says that the app writes a file a sensor.
    """

    name: str
    axes: str
    gravity: str | None = None
    time: str | None = None
    unit: str = UNIT
    convention: str = CONVENTION
    has_files: bool = False


_NAMED = Format("named columns", "{}")

FORMATS = (
    Format("Sensor Logger", "{}", time="secondselapsed", has_files=True),
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
_UNITS = {"m/s^2": UNIT, "g": "g", "gs": "g", "m/s²": UNIT, "m/s2": UNIT, "m/s/s": UNIT, "ms^-2": UNIT, "ms-2": UNIT,
          "m s^-2": UNIT, "m/sec^2": UNIT, "m/s**2": UNIT, "ms⁻²": UNIT, "m·s⁻²": UNIT, "": None,
          **dict.fromkeys("xyz")}  # fmt: skip
"""Units of acceleration as the names of columns state them. Some write the axis in their brackets."""
_ROTATION_UNITS = {"rad/s": ROTATION_UNIT, "rad/sec": ROTATION_UNIT, "rads/s": ROTATION_UNIT, "rad s^-1": ROTATION_UNIT,
                   "deg/s": "deg/s", "deg/sec": "deg/s", "degrees/s": "deg/s", "°/s": "deg/s", "dps": "deg/s", "": None,
                   **dict.fromkeys("xyz")}  # fmt: skip
_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "usec", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), "ns"),
    **dict.fromkeys(("", "txt", "utc", "gmt", "local", "unix", "epoch", "iso", "iso 8601", "iso8601", "hh:mm:ss")),
}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
LOWEST, HIGHEST = 5.0, 1000.0
"""Hz between which phones record."""
_COMMON = 200.0
"""Hz above which a unit of time that is not stated is not assumed."""
_YEARS = 946_684_800.0, 4_102_444_800.0
"""Seconds since 1970 of the years 2000 and 2100."""
_MOSTLY = 0.5
"""The share of repeated time stamps above which they are too coarse."""
_COUNTED = 0.9
"""The share of steps of 1 above which time stamps may be row numbers."""

_SIGNS = "/,;()"
"""Signs of a list of people, of an id, or of a source, which the name of a study lacks."""


@dataclass(frozen=True)
class CsvColumns:
    """The columns of CSV files and their units, as arguments of `zoo.import_csv`; None is recognized by the names.

    With a `rate` in Hz there are no time stamps. `subject` and `activity` are columns, or `=name` for all rows.
    `gravity` are three columns that are added to x, y and z; `rotation` are those of the rotation rate, which are read
    even if `gyroscope` is False.
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
    study: str | None = None

    def __post_init__(self) -> None:
        words = {"unit": (UNIT, "g"), "convention": ("android", "ios"), "time_unit": ("auto", *SECONDS),
                 "rotation_unit": (ROTATION_UNIT, "deg/s")}  # fmt: skip
        for field, allowed in words.items():
            if (value := getattr(self, field)) not in (None, *allowed):
                raise ZooError(f"{field.replace('_', ' ')} {value!r}: expected {', '.join(allowed)}")
        if self.rate is not None and not 0 < self.rate < np.inf:
            raise ZooError(f"rate {self.rate:g} Hz: expected a number above 0")
        name = self.study
        if name is not None and (not name.strip() == name != "" or not name.isprintable() or set(name) & set(_SIGNS)):
            raise ZooError(f"study {name!r}: expected a name such as lab_a, without {' '.join(_SIGNS)}")
        axes = tuple(name for name in (self.x, self.y, self.z) if name is not None)
        triples = (("columns of x, y and z", axes, len(axes)), (option("gravity"), self.gravity, 3),
                   ("columns of rotation rate", self.rotation, 3))  # fmt: skip
        for what, columns, count in triples:
            if columns is not None and len(set(columns)) != count:
                raise ZooError(f"{what}: {','.join(columns)}; expected three different ones, such as ax,ay,az")
        for field, name in (("subject", self.subject), ("activity", self.activity)):
            if name is not None and not name.removeprefix("=").strip():
                raise ZooError(f"{option(field, repr(name))}: expected the name of a column, or =NAME for all rows")

    @property
    def axes(self) -> tuple[str, ...]:
        """The columns of x, y, z, once they are resolved."""
        return tuple(map(str, (self.x, self.y, self.z)))

    @property
    def factors(self) -> NDArray[np.float64]:
        """The factors from values of the table to m/s^2 in Android's sign, and to rad/s in the sense of either."""
        acceleration = (STANDARD_GRAVITY if self.unit == "g" else 1.0) * (-1.0 if self.convention == "ios" else 1.0)
        return np.repeat([acceleration, float(np.pi / 180) if self.rotation_unit == "deg/s" else 1.0], 3)

    def with_channels(self, text: str) -> "CsvColumns":
        """The same columns, but those of acceleration and, of six names, rotation rate, from a text such as
        ax,ay,az,gx,gy,gz.
        """
        names = tuple(split_names(text))
        if len(names) not in (3, 6) or len(set(names)) < len(names) or not all(names):
            raise ZooError(
                f"{option('channels', text)}: expected three or six different columns, such as ax,ay,az,gx,gy,gz"
            )
        if any((self.x, self.y, self.z)):
            raise ZooError(
                f"{option('channels')} names the columns of x, y and z: leave out {option('x')}, {option('y')} and "
                f"{option('z')}"
            )
        if self.rotation and names[3:]:
            raise ZooError(
                f"{option('channels')} names the columns of the rotation rate: leave out {option('rotation')}"
            )
        x, y, z = names[:3]
        return replace(self, x=x, y=y, z=z, rotation=names[3:] or self.rotation)


def columns_of(columns: Any, rate: float | None, **others: Any) -> CsvColumns:
    """How CSV files are read: a `Columns` or its fields, a rate in place of time stamps, and further fields."""
    known = (columns if isinstance(columns, Columns) else Columns(**(columns or {}))).to_json()
    channels = known.pop("channels")
    if rate:
        refuse(f"does not apply with {option('rate')}, which takes the place of time stamps", time=known["time"])
    rotation = {} if others.get("rotation") is None else {"rotation": others["rotation"]}
    found = CsvColumns(**known | others | rotation | ({"rate": rate, "time": None} if rate else {}))
    return found if channels is None else found.with_channels(channels)


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
    if match := _WITH_UNIT[0].fullmatch(name) or _WITH_UNIT[1].fullmatch(name):
        name, unit = match.groups()
    return re.sub(r"[\W_]", "", name), unit.strip()


_DEVICES = ("sensor", "sensorname", "sensortype", "sensorid", "device", "devicename", "devicetype", "deviceid",
            "placement", "position")  # fmt: skip
"""Columns that say which of several sensors or devices measured a row."""


def device_of(header: Sequence[str], row: Sequence[str], columns: CsvColumns) -> str:
    """The column in which apps that record several sensors or devices into one file name them, or `=`."""
    for name, field in zip(header, row, strict=True):
        plain, _ = _plain(name)
        is_coordinate = plain == "position" and np.isfinite(number_or_nan(field))
        if plain in _DEVICES and name not in (columns.subject, columns.activity) and not is_coordinate:
            return name
    return "="


def resolve(
    where: str, header: Sequence[str], columns: CsvColumns, *, labels: bool = True
) -> tuple[CsvColumns, Format]:
    """Finds the columns of a table, and the app whose names they bear.

    `time` stays None with a fixed rate, `gravity` where acceleration includes it, and `rotation` where none is read, or
    where it is in a file of its own. `labels`: whether person and activity are needed.

    Example:
        >>> resolve("a.csv", ["time", "gFx", "gFy", "gFz"], CsvColumns(subject="=ann", activity="=walking"))[0].axes
        ('gFx', 'gFy', 'gFz')
    """
    # Of columns that differ in signs alone, the first one counts.
    plain = {_plain(column)[0]: column for column in reversed(header)}

    def triple(pattern: str) -> tuple[str, ...] | None:
        names = tuple(plain[name] for name in map(pattern.format, AXES) if name in plain)
        return names if len(names) == len(AXES) else None

    def first(names: Sequence[str]) -> str | None:
        return next((plain[name] for name in names if name in plain), None)

    app = next(
        (row for row in FORMATS if triple(row.axes) and (row.gravity is None or triple(row.gravity))
         and (row.time is None or row.time in plain)),
        _NAMED,
    )  # fmt: skip
    x, y, z = (
        name or plain.get(app.axes.format(axis))
        for name, axis in zip((columns.x, columns.y, columns.z), AXES, strict=True)
    )
    rotation = columns.rotation
    if columns.gyroscope and rotation is None:
        rotation = next(filter(None, map(triple, _ROTATIONS)), None)
        if rotation is None and not app.has_files:
            raise no_rotation(where, header)
    if columns.x or columns.y or columns.z:
        app = _NAMED
    resolved = replace(
        columns, x=x, y=y, z=z, gravity=columns.gravity or (triple(app.gravity) if app.gravity else None),
        rotation=rotation, time=None if columns.rate else columns.time or first(_TIMES),
        subject=(columns.subject or first(_PEOPLE)) if labels else None,
        activity=(columns.activity or first(_LABELS)) if labels else None,
    )  # fmt: skip
    _check_resolved(where, header, resolved, labels)
    time_unit, stamps = columns.time_unit, (resolved.time,) if resolved.time else ()
    if time_unit == "auto":
        time_unit = _stated_unit(where, stamps, _TIME_UNITS, option("time_unit")) or "auto"
    unit = columns.unit or _stated_unit(where, (*resolved.axes, *(resolved.gravity or ())), _UNITS, option("unit"))
    turning = columns.rotation_unit or _stated_unit(where, rotation or (), _ROTATION_UNITS, option("rotation_unit"))
    return replace(
        resolved, unit=unit or app.unit, time_unit=time_unit, convention=columns.convention or app.convention,
        rotation_unit=turning or ROTATION_UNIT,
    ), app  # fmt: skip


def no_rotation(where: str, header: Sequence[str]) -> ZooError:
    """The error for a table that lacks a gyroscope."""
    return ZooError(
        f"{where}: no columns of rotation rate; found {', '.join(header) or 'nothing'}: pass all six with "
        f"{option('channels')}, such as ax,ay,az,gx,gy,gz"
    )


def _stated_unit(where: str, names: Sequence[str], units: Mapping[str, str | None], option: str) -> str | None:
    """The unit that the names of some columns state, in the zoo's words."""
    stated = {name: _plain(name)[1] for name in names}
    for name, unit in stated.items():
        if unit not in units:
            expected = " or ".join(dict.fromkeys(filter(None, units.values())))
            advice = f"choose another column, convert it, or pass {option} if that is no unit"
            raise ZooError(f"{where}: column {name!r} is in {unit!r}; expected {expected}: {advice}")
    different = {units[unit] for unit in stated.values()} - {None}
    if len(different) > 1:
        raise ZooError(f"{where}: columns {', '.join(names)} are in different units; expected one: pass {option}")
    return different.pop() if different else None


def _check_resolved(where: str, header: Sequence[str], columns: CsvColumns, labels: bool) -> None:
    """Refuses columns that are not in the table, all in one message, and those that are in it twice."""
    axes = (columns.x, columns.y, columns.z)
    wanted = [*zip(AXES, axes, strict=True), *(("gravity", name) for name in columns.gravity or ())]
    wanted += [("channels", name) for name in columns.rotation or ()]
    wanted += [] if columns.rate else [("time", columns.time)]
    constant = [("subject", columns.subject), ("activity", columns.activity)] if labels else []
    wanted += [(option, name) for option, name in constant if name is None or not name.startswith("=")]
    if missing := [(option, name) for option, name in wanted if name not in header]:
        options = {option for option, _ in missing}
        named = (f"{f'for {field}' if name is None else repr(name)} ({option(field)})" for field, name in missing)
        advice = "pass its name" if len(missing) == 1 else "pass their names"
        if options & {"subject", "activity"}:
            advice += f", {option('layout')} if folders and file names say who did what, or =NAME for all rows"
        advice += f", or {option('rate', 'HZ')} instead of {option('time')}" if "time" in options else ""
        found = ", ".join(header) or "nothing"
        raise ZooError(f"{where}: no column {', '.join(named)}; found {found}: {advice}")
    if doubled := next((name for _, name in wanted if list(header).count(str(name)) > 1), None):
        raise ZooError(f"{where}: has a column {doubled!r} twice; expected different names: rename one")
    if len(set(axes)) < len(axes):
        raise ZooError(f"{where}: columns {', '.join(map(str, axes))} of x, y and z: expected three different ones")
    if columns.rotation_unit and not (columns.gyroscope or columns.rotation):
        raise ZooError(
            f"{where}: {option('rotation_unit', columns.rotation_unit)}: no rotation rate is read: pass "
            f"{option('channels')}"
        )


_TIME_FORMS = "a number, or a time as in 2024-06-10 19:21:58.870, 10.06.2024 19:21:58,870 or 19:21:58.870"
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2})(:\d{2}:\d{2}(?:[.,]\d+)?)")


def time_reader(example: str, comma: bool) -> tuple[Callable[[Sequence[str]], NDArray[np.float64]], str, bool]:
    """What reads time stamps such as this one as numbers, what it expects, and whether they are those of a clock."""
    if re.fullmatch(r"\d{1,2}:\d{2}:\d{2}[.,:]?\d*", example):
        clock = _time_of_day
    elif re.match(r"\d{4}-\d{2}-\d{2}", example) or _GERMAN.fullmatch(example):
        clock = _date
    else:
        return partial(numbers, comma=comma), _TIME_FORMS, False

    def seconds(fields: Sequence[str]) -> NDArray[np.float64]:
        return np.array([clock(field) if field else np.nan for field in map(str.strip, fields)])

    return seconds, f"a time such as {example}", True


def _time_of_day(text: str) -> float:
    hours, minutes, rest = text.replace(",", ".").split(":", 2)
    # After a colon are milliseconds, with or without zeros before them.
    whole, colon, part = rest.partition(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{whole}.{part:0>3}" if colon else whole)


def _date(text: str) -> float:
    if german := _GERMAN.fullmatch(text):
        day, month, year, hour, rest = german.groups()
        text = f"{year}-{month:0>2}-{day:0>2} {hour:0>2}{rest}"
    moment = datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text))
    # The zone of whoever reads would put its change of daylight saving time into the recording.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def time_unit_of(where: str, stamps: NDArray[np.float64], unit: str, *, is_clock: bool = False) -> tuple[str, bool]:
    """The unit of time stamps, and whether it is known, rather than assumed.

    It is the named one, or with `auto` the one for which the rate is 5 to 1,000 Hz. Times of a clock are seconds.
    """
    finite = stamps if np.isfinite(stamps).all() else stamps[np.isfinite(stamps)]
    if len(stamps) and not len(finite):
        raise ZooError(
            f"{where}: no time stamp is a finite number: pass another column with {option('time')}, or {option('rate')}"
        )
    intervals = np.diff(finite)
    forward = intervals[intervals > 0]
    if len(intervals) > 1 and (intervals < 0).mean() > _MOSTLY:
        back = f"time goes back in {(intervals < 0).sum()} of {len(stamps)} rows"
        raise ZooError(f"{where}: {back}: sort them, or pass another column with {option('time')}")
    step = float(np.median(forward, overwrite_input=True)) if len(forward) else 0.0
    if len(intervals) and (intervals == 0).mean() > _MOSTLY and step:
        rows_a_step = (len(intervals) + 1) / (len(forward) + 1)
        advice = f"pass another {option('time')}, or {option('rate')} ({rows_a_step / step:.3g}, if stamps are seconds)"
        raise ZooError(f"{where}: about {rows_a_step:.0f} rows share a time stamp: {advice}")
    # Clocks count seconds.
    rates = {name: 1 / (step * seconds) for name, seconds in SECONDS.items() if step and (name == "s" or not is_clock)}
    plausible = [name for name, rate in rates.items() if LOWEST <= rate <= HIGHEST]
    if unit != "auto" and not is_clock:
        if plausible and unit not in plausible:
            rate, other = rates[unit], plausible[0]
            raise ZooError(
                f"{where}: time stamps {step:g} {unit} apart make {rate:.3g} Hz; are they {other} ({rates[other]:.3g} "
                f"Hz)? Pass {option('time_unit', other)}, or confirm with {option('rate', f'{rate:.3g}')}"
            )
        return unit, True
    if not plausible:
        between = f"between {LOWEST:g} and {HIGHEST:g} Hz"
        raise ZooError(
            f"{where}: time stamps {step:g} apart give no rate {between}: pass {option('time')}, {option('time_unit')} "
            f"or {option('rate')}"
        )
    assumed, rate = plausible[0], rates[plausible[0]]
    if assumed == "ms" and (intervals == 1).mean() > _COUNTED:
        advice = (
            f"pass {option('rate')} or another {option('time')}, or confirm 1000 Hz with {option('time_unit', 'ms')}"
        )
        raise ZooError(f"{where}: time stamps rise by 1 from row to row, as row numbers do: {advice}")
    # Hundredths of a second pass as milliseconds, ten times as fast.
    is_known = assumed == "s" or is_date(float(finite[0]), assumed)
    if not is_known and rate > _COMMON:
        raise ZooError(
            f"{where}: time stamps {step:g} apart, as {assumed}, make {rate:.3g} Hz, more than most phones do: pass "
            f"{option('rate')} ({rate / 10:.3g} for hundredths of a second), or confirm with "
            f"{option('time_unit', assumed)}"
        )
    return assumed, is_known or rate < 10 * LOWEST


def is_date(stamp: float, unit: str) -> bool:
    """Whether a time stamp, read in a unit, is of this century, by which the unit is known.

    Example:
        >>> is_date(1_718_047_318_870, "ms"), is_date(171_804_731_887, "ms")
        (True, False)
    """
    return _YEARS[0] <= stamp * SECONDS[unit] <= _YEARS[1]


Sample = tuple[float, ...]
"""Seconds, and x, y, z in m/s^2, Android's sign; with a gyroscope, also rotation rate about x, y, z in rad/s."""

_FIRST = 10
"""Lines from which the unit of the time stamps is detected."""


def read_samples(lines: Iterable[str], name: str, columns: CsvColumns) -> Iterator[Sample]:
    """Reads samples from lines of CSV, each as soon as its line arrives.

    A field that is not a number becomes NaN, which streaming counts as a bad sample.

    Example:
        >>> lines = ["time,x,y,z", "0.00,0,0,1", "0.02,0,0,lost"]
        >>> list(read_samples(lines, "here", CsvColumns(unit="g")))
        [(0.0, 0.0, 0.0, 9.80665), (0.02, 0.0, 0.0, nan)]
    """
    line, mark, rest = heading(line.removeprefix("\N{BYTE ORDER MARK}") for line in lines)
    header = [field.strip() for field in fields_of(line, mark)]
    found, _ = resolve(name, header, columns, labels=False)
    gravity, rotation = found.gravity or (), found.rotation or ()
    if columns.gyroscope and not rotation:
        raise no_rotation(name, header)
    order = [header.index(column) for column in (*found.axes, *gravity, *rotation, *filter(None, [found.time]))]
    factors = found.factors.tolist()

    def sample(row: list[str]) -> list[float]:
        fields = [number_or_nan(row[place], comma=mark != ",") if place < len(row) else np.nan for place in order]
        if gravity:
            fields[:6] = [value + more for value, more in zip(fields[:3], fields[3:6], strict=True)]
        count = 3 + len(rotation)
        values = [factor * value for factor, value in zip(factors, fields[:count], strict=False)]
        return values + fields[count:]

    # A quote that is not closed must not swallow the lines after it.
    rows = (fields_of(line, mark) for line in rest if line.strip())
    samples = (sample(row) for row in rows if not (len(row) == 1 and row[0].startswith("#")))
    if columns.rate:
        for count, values in enumerate(samples):
            yield count / columns.rate, *values
        return
    first = list(islice(samples, _FIRST))
    unit = found.time_unit
    if len(first) > 1:
        unit, _ = time_unit_of(name, np.array([row[-1] for row in first]), unit)
    for *values, time in chain(first, samples):
        yield time * SECONDS.get(unit, 1.0), *values
