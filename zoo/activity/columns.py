"""What the columns of a table mean: named by the user, or recognized by the names that phones and apps give them."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice, pairwise
from operator import eq
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray
from pydantic import model_validator

from zoo.activity.checks import ENOUGH_ROWS, GAP_STEPS, TableError
from zoo.activity.tables import fields_of, heading, listed_names, number_or_nan, numbers
from zoo.catalog import split_names
from zoo.errors import ZooError, option, refuse, shown
from zoo.recipe import Columns
from zoo.report.screen import say
from zoo.runtime.metadata import AXES, CONVENTION, INERTIAL, ROTATION_UNIT, STANDARD_GRAVITY, UNIT


class Format(NamedTuple):
    """How an app names its columns: lower-case, without units, spaces and signs; `{}` is the axis.
    `gravity` is added to acceleration without it; only this app writes `time`; `has_files` means a file a sensor.
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

_ACCELERATIONS = tuple(dict.fromkeys(row.axes for row in FORMATS if row.gravity is None))[:-3]
"""Columns of which one sensor has no second triple."""
_ROTATIONS = ("gyroscope{}", "gyro{}", "gyr{}", "rotationrate{}", "motionrotationrate{}", "gyrorotation{}",
              "angularvelocity{}", "rotation{}", "w{}", "g{}")  # fmt: skip
"""Columns of rotation rate, read only where a gyroscope is asked for: `g{}` may be gravity elsewhere."""
_RADIANS = ("rotationrate{}", "motionrotationrate{}", "gyrorotation{}")
"""Those of iOS, which is known to write rad/s, as are those of Physics Toolbox and of the phone page."""
_PAGE = ["time", *INERTIAL, "subject", "activity"]

_RECOGNIZED = {
    "time": ("secondselapsed", "elapsed", "time", "times", "timestamp", "timestamps", "t", "ts", "seconds", "epoch",
             "unixtime", "datetime", "date", "loggingtime", "motiontimestampsincereboot",
             "accelerometertimestampsincereboot"),
    "subject": ("subject", "person", "participant", "user", "who"),
    "activity": ("activity", "label", "class"),
    "text": ("text", "tag", "note", "annotation", "label", "activity", "event", "name"),
}  # fmt: skip
"""Names of the other columns, and of what a note says, of which the first that a table has is read."""
_UNITS: Mapping[str, Mapping[str, str | None]] = {
    "unit": {"m/s^2": UNIT, "g": "g", "gs": "g", "m/s²": UNIT, "m/s2": UNIT, "m/s/s": UNIT, "ms^-2": UNIT, "ms-2": UNIT,
             "m s^-2": UNIT, "m/sec^2": UNIT, "m/s**2": UNIT, "ms⁻²": UNIT, "m·s⁻²": UNIT, "": None,
             **dict.fromkeys("xyz")},
    "rotation_unit": {"rad/s": ROTATION_UNIT, "rad/sec": ROTATION_UNIT, "rads/s": ROTATION_UNIT,
                      "rad s^-1": ROTATION_UNIT, "deg/s": "deg/s", "deg/sec": "deg/s", "degrees/s": "deg/s",
                      "°/s": "deg/s", "dps": "deg/s", "": None, **dict.fromkeys("xyz")},
    "time_unit": {
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
        **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "ms"),
        **dict.fromkeys(("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "usec", "microseconds"), "us"),
        **dict.fromkeys(("100ns", "100 ns", "ticks"), "100ns"),
        **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), "ns"),
        **dict.fromkeys(("", "txt", "utc", "gmt", "local", "unix", "epoch", "iso", "iso 8601", "iso8601", "hh:mm:ss")),
    },
}  # fmt: skip
"""Units as the names of columns state them, in the zoo's words; some names have the axis in their brackets."""
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "100ns": 1e-7, "ns": 1e-9}
LOWEST, HIGHEST = 5.0, 1000.0
"""Hz between which phones record."""
_COMMON = 15.0, 200.0
"""Hz below and above which a unit of time that is not stated is not assumed."""
_YEARS = 946_684_800.0, 4_102_444_800.0
"""Seconds since 1970 of the years 2000 and 2100."""
_EPOCHS = 0, 11_644_473_600, 62_135_596_800
"""Seconds before 1970 from which clocks count: of Unix; of Windows, from 1601; of .NET, from the year 1."""
_MOSTLY = 0.5
"""The share of repeated time stamps above which they are too coarse."""
_BURSTS = 0.05
"""The share of pauses between rows above which time stamps say when rows came, not when they were measured."""
_TIMES = 20
"""How many times more often decimals than counts go back in time where fractions of seconds are counts."""
_COUNTED = 0.9
"""The share of steps of 1 above which time stamps may be row numbers."""

_SIGNS = "/,;()"
"""Signs of a list of people, of an id, or of a source, which the name of a study lacks."""


class CsvColumns(Columns):
    """The columns of CSV files and their units, as arguments of `zoo.import_csv`; None is recognized by the names.
    With a `rate` in Hz there are no time stamps. `subject` and `activity` are columns, or `=name` for all rows.
    `gravity` is added to x, y and z; `rotation` is read even if `gyroscope` is False. Of a table without a column of
    activities, notes next to it are read, which stand at the start or the end of what they name, as `annotations` says.
    """

    rate: Annotated[float, Gt(0), Lt(np.inf)] | None = None
    subject: str | None = None
    activity: str | None = None
    gravity: tuple[str, ...] | None = None
    gyroscope: bool = False
    rotation: tuple[str, ...] | None = None
    study: str | None = None
    encoding: str = ""
    annotations: Literal["start", "end"] = "start"

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        study = "lab" if self.study is None else self.study
        if not study.strip() == study != "" or not study.isprintable() or set(study) & set(_SIGNS):
            raise ZooError(f"study {shown(study)}: expected a name such as lab_a, without {' '.join(_SIGNS)}")
        try:
            "a".encode(self.encoding or "utf-8")
        except (LookupError, ValueError):
            raise ZooError(f"encoding {shown(self.encoding)}: expected one of Python, such as cp1251 or gbk") from None
        triples = [part for part in (self.gravity, self.rotation) if part is not None]
        named = [*filter(None, (self.x, self.y, self.z)), *chain(*triples)]
        if len(set(named)) < len(named) or {*map(len, triples)} - {len(AXES)}:
            raise ZooError(f"columns {','.join(named)}: expected different ones, three of a sensor, such as ax,ay,az")
        for field, name in (("subject", self.subject), ("activity", self.activity)):
            if name is not None and not name.removeprefix("=").strip():
                raise ZooError(f"{option(field, repr(name))}: expected the name of a column, or =NAME for all rows")
        return self

    @property
    def axes(self) -> tuple[str, ...]:
        """The columns of x, y, z, once they are resolved."""
        return tuple(map(str, (self.x, self.y, self.z)))

    @property
    def factors(self) -> NDArray[np.float64]:
        """The factors from values of the table to m/s^2 in Android's sign, and to rad/s in the sense of either."""
        acceleration = (STANDARD_GRAVITY if self.unit == "g" else 1.0) * (-1.0 if self.convention == "ios" else 1.0)
        return np.repeat([acceleration, float(np.pi / 180) if self.rotation_unit == "deg/s" else 1.0], 3)


def columns_of(columns: Any, rate: float | None = None, **others: Any) -> CsvColumns:
    """How CSV files are read: a `Columns` or its fields, a rate in place of time stamps, and further fields."""
    given = (columns if isinstance(columns, Columns) else Columns(**(columns or {}))).to_json()
    if rate:
        refuse(f"does not apply with {option('rate')}, which takes the place of time stamps", time=given["time"])
    given |= {"rate": rate or None} | others
    if (text := given.pop("channels")) is not None:
        names = tuple(split_names(text))
        if len(names) not in (3, 6) or len(set(names)) < len(names) or not all(names):
            expected = "expected three or six different columns, such as ax,ay,az,gx,gy,gz"
            raise ZooError(f"{option('channels', text)}: {expected}")
        for field, column in zip((*AXES, "rotation"), (*names[:3], names[3:] or None), strict=True):
            if column and given.get(field):
                raise ZooError(f"{option('channels')} names the columns of {field}, too: leave out {option(field)}")
            given[field] = column or given.get(field)
    return CsvColumns(**given)


def recognized(field: str, header: Sequence[str]) -> str | None:
    """The column of time, subject, activity, or text of a note that is known by its name, if a table has one."""
    return next(iter(candidates(field, header)), None)


def candidates(field: str, header: Sequence[str]) -> list[str]:
    """All columns that have one of its names."""
    plain = _plain_names(header)
    return [plain[name] for name in _RECOGNIZED[field] if name in plain]


def _plain_names(header: Iterable[str]) -> dict[str, str]:
    """Columns by their names without units, spaces and signs, the first of each."""
    return {_plain(column)[0]: column for column in reversed([*header])}


_WITH_UNIT = (
    re.compile(r"(.*?)[\s_]*[(\[]([^)\]]*)[)\]]\s*"),
    # Times and ts are no seconds.
    re.compile(r"(time|timestamp|t|elapsed|epoch)[\s_]?(ms|us|ns|seconds|(?<=[\s_])s)"),
)


def _plain(column: str) -> tuple[str, str]:
    """The name of a column such as `Acceleration x (m/s^2)` in lower case, without signs, and the unit in brackets."""
    name, unit = column.lower(), ""
    if match := _WITH_UNIT[0].fullmatch(name) or _WITH_UNIT[1].fullmatch(name):
        name, unit = match.groups()
    return re.sub(r"[\W_]", "", name), unit.strip()


_DEVICES = ("sensor", "sensorname", "sensortype", "sensorid", "device", "devicename", "devicetype", "deviceid",
            "placement", "position")  # fmt: skip
"""Columns that say which of several sensors or devices measured a row."""
_FEW_WORDS = 4
"""Most words of a column of any name that may be those of sensors."""
_FIRST = 10
"""Rows from which sensors by turns are known, and in a stream the unit of the time stamps."""


def devices_of(header: Sequence[str], row: Sequence[str], columns: CsvColumns) -> list[str]:
    """The columns in which apps that record several sensors or devices into one file name them, by a row."""
    devices = []
    for name, text in zip(header, row, strict=True):
        plain = _plain(name)[0]
        is_coordinate = plain == "position" and np.isfinite(number_or_nan(text))
        if plain in _DEVICES and not is_coordinate and name not in (columns.subject, columns.activity):
            devices.append(name)
    return devices


def check_turns(where: str, names: Sequence[str], block: Sequence[Sequence[str]], wanted: Container[Any] = ()) -> None:
    """Refuses rows of several sensors or devices, which a column that is not wanted names by turns."""
    for name, *texts in zip(names, *block, strict=True):
        # Of a column of numbers, no row names a device.
        if name not in wanted and np.isnan(number_or_nan(texts[0], comma=True)) and _take_turns(texts):
            raise by_turns(where, name, texts)


def _take_turns(texts: Sequence[str]) -> bool:
    """Whether a few words do so in a column, which then names sensors or devices, whatever it is called."""
    words = set(texts)
    if not 1 < len(words) <= _FEW_WORDS or len(texts) < _FIRST:
        return False
    changes = sum(one != other for one, other in pairwise(texts))
    # A sensor at rest shows a few numbers by turns.
    is_number = (not word or np.isfinite(number_or_nan(word, comma=True)) for word in words)
    return changes > len(texts) / 3 and not any(is_number)


def by_turns(where: str, column: str, words: Iterable[str]) -> ZooError:
    """The error for a column that names several sensors or devices by turns."""
    several = ", ".join(sorted(set(words))[:_FEW_WORDS])
    return ZooError(
        f"{where}: column {column!r} says {several} by turns: write a file for each sensor, or leave it out"
    )


def resolve(
    where: str, header: Sequence[str], columns: CsvColumns, *, labels: bool = True
) -> tuple[CsvColumns, Format]:
    """Finds the columns of a table, and the app whose names they bear; `labels`: whether it needs person and activity.
    `time` stays None with a fixed rate, and `rotation` where none is read, or where it is in a file of its own.
    """
    plain = _plain_names(header)

    def triple(pattern: str | None) -> tuple[str, ...] | None:
        names = tuple(plain[name] for name in map(pattern.format, AXES) if name in plain) if pattern else ()
        return names if len(names) == len(AXES) else None

    apps = [row for row in FORMATS if triple(row.axes) and (row.gravity is None or triple(row.gravity))
            and (row.time is None or row.time in plain)]  # fmt: skip
    asked = [getattr(columns, axis) for axis in AXES]
    app = max(apps, key=lambda row: sum(map(eq, asked, triple(row.axes) or ())), default=_NAMED)
    named = {axis: name or plain.get(app.axes.format(axis)) for axis, name in zip(AXES, asked, strict=True)}
    if tuple(named.values()) != triple(app.axes):
        app = _NAMED
    elif not any(asked) and not app.gravity:
        # Physics Toolbox writes linear acceleration as well.
        patterns = [row for row in _ACCELERATIONS if (app.name, row) != ("Physics Toolbox", "a{}")]
        _check_single(where, "acceleration", header, tuple(map(str, named.values())), (app.axes, *patterns))
    rotation = columns.rotation
    if columns.gyroscope and rotation is None and (taken := next(filter(triple, _ROTATIONS), None)):
        rotation = triple(taken) or ()
        _check_single(where, "rotation rate", header, rotation, (taken, *_ROTATIONS[:-3]))
    for field in ("time", "subject", "activity"):
        is_needed = not columns.rate if field == "time" else labels
        named[field] = (getattr(columns, field) or recognized(field, header)) if is_needed else None
        known = candidates(field, header)
        if labels and field != "time" and not getattr(columns, field) and len(known) > 1:
            # SensorLog writes what iOS takes for the activity next to the label.
            problem = f"{where}: columns {' and '.join(known)} may both be the {field}"
            raise TableError(problem, f"pass the one that is with {option(field)}")
    resolved = columns.replace(**named, gravity=columns.gravity or triple(app.gravity), rotation=rotation)
    _check_resolved(where, header, resolved, labels, app)
    stamps = (resolved.time,) if resolved.time else ()
    unit = columns.unit or _stated_unit(where, "unit", (*resolved.axes, *(resolved.gravity or ())))
    time_unit = _stated_unit(where, "time_unit", stamps) if columns.time_unit == "auto" else columns.time_unit
    turning = columns.rotation_unit or _stated_unit(where, "rotation_unit", rotation or ())
    radians = map(triple, (*_RADIANS, "w{}") if app.name == "Physics Toolbox" else _RADIANS)
    named_units = {_UNITS["rotation_unit"].get(_plain(name)[1]) for name in rotation or ()} - {None}
    if rotation and not named_units and (list(header) == _PAGE or rotation in radians):
        named_units = {ROTATION_UNIT}
    if rotation and not (turning or named_units):
        cure = f"pass {option('rotation_unit', ROTATION_UNIT)} or {option('rotation_unit', 'deg/s')}"
        raise TableError(f"{where}: columns {','.join(rotation)} do not state the unit of the rotation rate", cure)
    if turning and named_units - {turning}:
        problem = f"{where}: columns {','.join(rotation or ())} are not in {turning}, by their names"
        raise TableError(problem, f"leave {option('rotation_unit')} out, or rename them")
    if app.convention != CONVENTION and unit == UNIT and not columns.convention:
        problem = f"{where}: columns {','.join(resolved.axes)} are in {unit}, but have the names of iOS, which writes g"
        signs = " or ".join(option("convention", sign) for sign in (CONVENTION, app.convention))
        raise TableError(problem, f"lying face up, does z read 9.8 or -9.8? Pass {signs}")
    return resolved.replace(
        unit=unit or app.unit, time_unit=time_unit or "auto", convention=columns.convention or app.convention,
        rotation_unit=turning or ROTATION_UNIT,
    ), app  # fmt: skip


def _check_single(
    where: str, what: str, header: Sequence[str], taken: Sequence[str], patterns: Sequence[str]
) -> None:  # fmt: skip
    """Refuses columns of a second sensor: of the pattern of those that are `taken`, or of another one."""
    plain = _plain_names(name for name in header if name not in taken)
    # Who joins tables numbers the columns of one name.
    numbered = {re.sub(r"\d+$", "", name): column for name, column in plain.items()}
    other = tuple(plain.get(patterns[0].format(axis), column) for axis, column in zip(AXES, taken, strict=True))
    others = [other, *(tuple(numbered.get(pattern.format(axis), "") for axis in AXES) for pattern in patterns)]
    if second := next((names for names in others if names != taken and all(names)), None):
        both = f"columns {','.join(taken)} and {','.join(second)} may both be {what}"
        raise TableError(f"{where}: {both}", f"pass those of one sensor with {option('channels', ','.join(taken))}")


def _stated_unit(where: str, field: str, names: Sequence[str]) -> str | None:
    units, stated = _UNITS[field], {name: _plain(name)[1] for name in names}
    for name, unit in stated.items():
        if unit not in units:
            expected = " or ".join(dict.fromkeys(filter(None, units.values())))
            cure = f"choose another column, convert it, or pass {option(field)} if that is no unit"
            raise TableError(f"{where}: column {name!r} is in {unit!r}; expected {expected}", cure)
    different = {units[unit] for unit in stated.values()} - {None}
    if len(different) > 1:
        problem = f"{where}: columns {', '.join(names)} are in different units; expected one"
        raise TableError(problem, f"pass {option(field)}")
    return different.pop() if different else None


def _check_resolved(where: str, header: Sequence[str], columns: CsvColumns, labels: bool, app: Format) -> None:
    """Refuses columns that are not in the table, all in one message, and those that are in it twice."""
    if columns.gyroscope and not columns.rotation and not (app.has_files and labels):
        cure = f"pass all six with {option('channels')}, such as ax,ay,az,gx,gy,gz"
        raise TableError(f"{where}: no columns of rotation rate; found {listed_names(header)}", cure)
    fields = (*AXES, *(() if columns.rate else ("time",)), *(("subject", "activity") if labels else ()))
    wanted = [(field, getattr(columns, field)) for field in fields]
    wanted += [("gravity", name) for name in columns.gravity or ()]
    wanted += [("channels", name) for name in columns.rotation or ()]
    wanted = [part for part in wanted if part[0] not in ("subject", "activity") or not str(part[1]).startswith("=")]
    if missing := [(field, name) for field, name in wanted if name not in header]:
        lacking = {field for field, _ in missing}
        named = (f"{f'for {field}' if name is None else repr(name)} ({option(field)})" for field, name in missing)
        cure = "pass its name" if len(missing) == 1 else "pass their names"
        if who := lacking & {"subject", "activity"}:
            # A layout may name the other one already.
            way = option("layout") if len(who) == 2 else f"{{{who.pop()}}} in {option('layout')}"
            cure += f", {way} if folders and file names say who did what, =NAME for all rows, or use `zoo label`"
        cure += f", or {option('rate', 'HZ')} instead of {option('time')}" if "time" in lacking else ""
        if sum(bool(name) and np.isnan(number_or_nan(name)) for name in header) < len(AXES):
            cure = "write the names of the columns into the first line, with commas, semicolons or tabs between them"
        raise TableError(f"{where}: no column {', '.join(named)}; found {listed_names(header)}", cure)
    if doubled := next((name for _, name in wanted if list(header).count(str(name)) > 1), None):
        raise TableError(f"{where}: has a column {doubled!r} twice; expected different names", "rename one")
    if columns.rotation_unit and not (columns.gyroscope or columns.rotation):
        problem = f"{where}: {option('rotation_unit', columns.rotation_unit)}: no rotation rate is read"
        raise TableError(problem, f"pass {option('channels')}")


_TIME_FORMS = "a number, or a time as in 2024-06-10 19:21:58.870, 10.06.2024 19:21:58,870 or 19:21:58.870"
_GERMAN = r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2})(:\d{2}:\d{2}(?:[.,:]\d+)?)"
_CLOCK = re.compile(rf"\d{{1,2}}:\d{{2}}:\d{{2}}[.,:]?\d*$|\d{{4}}-\d{{2}}-\d{{2}}|{_GERMAN}$")
_FRACTION = re.compile(r"(?<=:\d{2}:\d{2})([.,:])(\d*)")


def time_reader(texts: Iterable[str], comma: bool) -> tuple[Callable[[Sequence[str]], NDArray[np.float64]], str, bool]:
    """What reads time stamps such as these, what it expects, and whether they are those of a clock."""
    stamps = [*filter(None, map(str.strip, texts))]
    if not (stamps and _CLOCK.match(stamps[0])):
        return partial(numbers, comma=comma), _TIME_FORMS, False

    def seconds(fields: Sequence[str], digits: int = 0) -> NDArray[np.float64]:
        padded = (_FRACTION.sub(lambda found: f".{found[2]:0>{digits}}", field.strip()) for field in fields)
        return np.array([_clock_seconds(field) if field else np.nan for field in padded])

    return partial(seconds, digits=_digits(stamps, seconds)), _TIME_FORMS.partition(", or ")[2], True


def _digits(stamps: Sequence[str], seconds: Callable[[Sequence[str], int], NDArray[np.float64]]) -> int:
    """To how many digits fractions are filled up with zeros before them: those of hundredths or milliseconds that are
    counted, after a colon or where decimals would go back in time, which a whole second shows; 0 for decimals.
    """
    found = [*filter(None, map(_FRACTION.search, stamps))]
    lengths, texts = {len(one[2]) for one in found}, [one.string for one in found]
    is_whole = len({one.string[: one.start()] for one in found}) > 2
    counted = max(lengths) if is_whole else max(3, *lengths, 0)
    if any(one[1] == ":" for one in found):
        return counted
    with suppress(ValueError):
        if is_whole and len(lengths) > 1:
            decimals, counts = ((np.diff(seconds(texts, digits)) < 0).sum() for digits in (0, counted))
            return counted if decimals > _TIMES * counts else 0
    return 0


def _clock_seconds(text: str) -> float:
    """The seconds of a time of day since midnight, of a date since 1970."""
    if german := re.fullmatch(_GERMAN, text):
        day, month, year, hour, rest = german.groups()
        text = f"{year}-{month:0>2}-{day:0>2} {hour:0>2}{rest}"
    if "-" not in text:
        hours, minutes, rest = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(rest)
    moment = datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text))
    # The zone of whoever reads would put its change of daylight saving time into the recording.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def is_local(texts: Iterable[str]) -> bool:
    """Whether the first of time stamps is that of a clock that does not say in which time zone it is."""
    stamp = next(filter(None, map(str.strip, texts)), "")
    return bool(_CLOCK.match(stamp)) and not re.search(r"(Z|[+-]\d{2}:?\d{2})$", stamp)


def time_unit_of(where: str, stamps: NDArray[np.float64], unit: str, is_clock: bool) -> tuple[str, bool]:
    """The unit of time stamps, with `auto` the one that gives 5 to 1,000 Hz; and whether it is known, not assumed."""
    finite = stamps if np.isfinite(stamps).all() else stamps[np.isfinite(stamps)]
    pass_time, pass_rate = option("time"), option("rate")
    if len(stamps) and not len(finite):
        raise TableError(f"{where}: no time stamp is a finite number", f"pass another {pass_time}, or {pass_rate}")
    intervals = np.diff(finite)
    forward = intervals[intervals > 0]
    if len(intervals) > 1 and (intervals < 0).mean() > _MOSTLY:
        problem = f"{where}: time goes back in {(intervals < 0).sum()} of {len(stamps)} rows"
        raise TableError(problem, f"sort them, or pass another {pass_time}")
    step = float(np.median(forward)) if len(forward) else 0.0
    if len(intervals) and (intervals == 0).mean() > _MOSTLY and step:
        count = (len(intervals) + 1) / (len(forward) + 1)
        cure = f"pass another {pass_time}, or {pass_rate} ({count / step:.3g}, if stamps are seconds)"
        raise TableError(f"{where}: about {count:.0f} rows share a time stamp", cure)
    # A date of this century shows its unit. Clocks count seconds.
    dated = {"s"} if is_clock else {name for name, seconds in SECONDS.items() if is_dated(finite[:1] * seconds)}
    rates = {name: 1 / (step * seconds) for name, seconds in SECONDS.items() if step and (name == "s" or not is_clock)}
    possible = (name for name, rate in rates.items() if LOWEST <= float(f"{rate:.3g}") <= HIGHEST)
    plausible = sorted(possible, key=lambda name: name not in dated)
    pauses, least = 0.0, step
    if len(forward) >= ENOUGH_ROWS:
        # Where rows come in pairs, every other step is a pause, and the median may be either.
        low = float(np.quantile(forward, 0.25))
        least = low if np.diff(forward > GAP_STEPS * low).mean() > 0.9 else step
        pauses = float((forward > GAP_STEPS * least).mean())
    # Where rows are lost, less than half of the time is; in bursts, a pause makes up for all that came at once.
    if pauses > _BURSTS and (intervals >= 0).all() and forward.sum() > 2 * least * len(intervals):
        mean, units = len(intervals) / float(forward.sum()), {unit} - {"auto"} or dated or SECONDS
        known = {name: mean / SECONDS[name] for name in units if LOWEST <= mean / SECONDS[name] <= HIGHEST}
        average = " or".join(f" ({rate:.3g}, if stamps are {name})" for name, rate in known.items())
        cure = f"pass another {pass_time}, or {pass_rate}{average}"
        raise TableError(f"{where}: rows come in bursts of about {1 / pauses:.0f}, with pauses between them", cure)
    stamped = f"{where}: time stamps {step:g}"
    if unit != "auto" and not is_clock:
        if step and unit not in plausible:
            shown = {name: f"{float(f'{rate:.3g}'):g}" for name, rate in rates.items()}
            problem = f"{stamped} {unit} apart make {shown[unit]} Hz; expected {LOWEST:g} to {HIGHEST:g} Hz"
            likely = [f"are they {name} ({shown[name]} Hz)? Pass {option('time_unit', name)}" for name in plausible]
            cure = likely[0] if likely else f"convert them, or pass another {pass_time}"
            raise TableError(problem, f"{cure}, or read {option('rate', shown[unit])} in place of time stamps")
        return unit, True
    # No app counts tenths of microseconds without a date.
    plausible = [name for name in plausible if name != "100ns" or name in dated]
    if not plausible:
        problem = f"{stamped} apart give no rate between {LOWEST:g} and {HIGHEST:g} Hz"
        problem = problem if step else f"{where}: no time stamp is later than the first one, so that no rate is known"
        raise TableError(problem, f"pass {pass_time}, {option('time_unit')} or {pass_rate}")
    assumed, rate = plausible[0], rates[plausible[0]]
    if assumed == "ms" and (intervals == 1).mean() > _COUNTED:
        cure = f"pass {pass_rate} or another {pass_time}, or confirm 1000 Hz with {option('time_unit', 'ms')}"
        raise TableError(f"{where}: time stamps rise by 1 from row to row, as row numbers do", cure)
    made, is_slow = f"{stamped} apart, as {assumed}, make {rate:.3g} Hz", rate < _COMMON[0] and assumed in TENTHS
    # Of two clocks, both units may give a date.
    if dated.intersection(plausible) != {assumed} and (is_slow or round(rate, 3) > _COMMON[1]):
        raise doubtful(f"{made}, {'less' if is_slow else 'more'} than most phones do", rate, assumed, is_slow=is_slow)
    return assumed, assumed == "s" or assumed in dated


def is_dated(seconds: NDArray[np.float64]) -> bool:
    """Whether times in seconds are dates of this century, by the epoch of some clock."""
    return any(_YEARS[0] <= first - epoch <= _YEARS[1] for first in seconds[:1] for epoch in _EPOCHS)


TENTHS = ("ms", "us")
"""Units whose tenths some clocks count."""


def doubtful(problem: str, rate: float, unit: str, *, is_slow: bool = False) -> TableError:
    """The error for a unit of time that was assumed, and that makes a rate, or a movement, too fast or too slow."""
    # Hundredths of a second pass as milliseconds, ten times as fast, and minutes as seconds.
    likely, of = {"s": (rate / 60, "minutes"), "ms": (rate / 10, "hundredths of a second")}.get(unit, (0.0, ""))
    likely, of = (10 * rate, f"tenths of {unit}") if is_slow else (likely, of)
    such = f" ({likely:.4g} for {of})" if of else ""
    return TableError(problem, f"pass {option('rate')}{such}, or confirm with {option('time_unit', unit)}")


def has_commas(mark: str, fields: Iterable[str]) -> bool:
    """Whether numbers have decimal commas: where commas separate fields, within quotes, as the first row shows."""
    return mark != "," or any(re.fullmatch(r"[+-]?\d+,\d+", field) for field in fields)


def unread_times(rate: float, column: str) -> str:
    """What is said where a rate is given in place of time stamps."""
    return f"rows read at {rate:g} Hz in place of their time stamps in {column!r}"


Sample = tuple[float, ...]
"""Seconds, and x, y, z in m/s^2, Android's sign; with a gyroscope, also rotation rate about x, y, z in rad/s."""


def read_samples(lines: Iterable[str], name: str, columns: CsvColumns) -> Iterator[Sample]:
    """Reads samples from lines of CSV, each as its line arrives; a field that is no number becomes NaN."""
    line, mark, rest = heading(line.removeprefix("\N{BYTE ORDER MARK}") for line in lines)
    header = [field.strip() for field in fields_of(line, mark)]
    resolved, _ = resolve(name, header, columns, labels=False)
    gravity, rotation = resolved.gravity or (), resolved.rotation or ()
    names = (*resolved.axes, *gravity, *rotation, *filter(None, [resolved.time]))
    places, factors = [header.index(column) for column in names], resolved.factors.tolist()
    blank, clock = [""] * len(header), places.pop() if resolved.time else 0

    def fitted(row: list[str]) -> list[str]:
        # Of too many fields, none is known to be where it should.
        return [*row, *blank][: len(header)] if not any(row[len(header) :]) else blank

    def sample(row: list[str]) -> list[float]:
        fields = [number_or_nan(row[place].strip(), comma=comma) for place in places]
        if gravity:
            fields[:6] = [value + more for value, more in zip(fields[:3], fields[3:6], strict=True)]
        return [factor * value for factor, value in zip(factors, fields, strict=False)]

    # A quote that is not closed must not swallow the lines after it.
    texts = (fields_of(line, mark) for line in rest if line.strip())
    rows = (fitted(row) for row in texts if not (len(row) == 1 and row[0].startswith("#")))
    first, unit = list(islice(rows, 1 if columns.rate else _FIRST)), str(resolved.time_unit)
    comma = has_commas(mark, chain(*first[:1]))
    if columns.rate:
        if (unread := recognized("time", header)) is not None:
            say(f"{name}: {unread_times(columns.rate, unread)}", "warning")
        yield from ((count / columns.rate, *sample(row)) for count, row in enumerate(chain(first, rows)))
        return
    for column in devices_of(header, first[0], resolved) if first else []:
        if len(words := {row[header.index(column)] for row in first}) > 1:
            raise by_turns(name, column, words)
    check_turns(name, header if first else [], first)
    example = next(filter(None, (row[clock].strip() for row in first)), "")
    moment, expected, is_clock = time_reader((row[clock] for row in first), comma)

    def stamp(row: list[str]) -> float:
        with suppress(ValueError, OverflowError):
            return float(moment([row[clock].strip()])[0])
        return np.nan

    stamps, shift = np.array([stamp(row) for row in first]), 0.0
    if example and not np.isfinite(stamps).any():
        raise ZooError(f"{name}: column {resolved.time!r}: {example[:40]!r}; expected {expected}")
    if len(first) > 1:
        unit, _ = time_unit_of(name, stamps, unit, is_clock)
    if is_dated(stamps) and is_local([example]):
        # A date without a zone is local, in the zone of its first row: its change would be a gap.
        begin = float(stamps[0])
        shift = begin - datetime.fromtimestamp(begin, UTC).replace(tzinfo=None).timestamp()
    for row in chain(first, rows):
        yield stamp(row) * SECONDS.get(unit, 1.0) - shift, *sample(row)
