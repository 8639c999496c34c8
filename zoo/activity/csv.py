"""Recordings from CSV files of phones and apps, and from DataFrames.

pandas parses the fields, a block of a file at a time, so that a file may be larger than memory: only numbers and the
names of people and activities are kept. What pandas would let pass is refused before: it pads short rows, cuts long
ones, ends a field at a NUL and does not report a quote that is not closed. Whatever it refuses is read again field by
field, which finds the row to name.
"""

import csv
import io
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.checks import (
    ENOUGH_ROWS,
    FASTEST_PACE,
    LARGEST,
    MOST_STEADY,
    TOO_LARGE,
    Copies,
    check_signal,
    enough_rows,
    mean_length,
    pace,
    steady_length,
    typical_rate,
)  # fmt: skip
from zoo.activity.columns import HIGHEST, LOWEST, SECONDS, CsvColumns, is_date, plain_name, resolve, time_unit_of
from zoo.activity.recordings import GAPS, Changed, Recording, misnamed, storable, stretches
from zoo.activity.texts import ABOVE, blocks, csv_rows, exists, number, number_or_nan, opening, separator
from zoo.data.dataset import sort_names
from zoo.errors import ZooError
from zoo.runtime.metadata import STANDARD_GRAVITY, UNIT

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

_LOST = ("", "nan", "NaN", "NAN")
"""Fields of lost samples."""
_PAUSE_STEPS = 5.5
"""Intervals of another sensor that may be interpolated."""
_RESTARTS = 3
"""Jumps back in time that are restarts of a clock; more of them, or smaller ones, are disorder."""
_DISORDER = 0.05
"""The share of rows in which time may go back, beside clocks that restart."""


class Table:
    """A CSV file or a DataFrame: columns, rows in their unit, times in seconds and, with `labels`, whose they are."""

    def __init__(self, source: "Path | pd.DataFrame", columns: CsvColumns, *, labels: bool = True) -> None:
        self.path = source if isinstance(source, Path) else Path("DataFrame")
        self.where = str(self.path)
        parts = blocks(source)
        self.mark, self.header, text, self._lines = opening(self.where, next(parts))
        text = text if text.strip("\n") else next(parts, "")
        if not text.strip("\n"):
            raise ZooError(f"{self.where}: no rows below the line of column names")
        self.columns, self.app = resolve(self.where, self.header, columns, labels=labels)
        self._read(text, parts)

    def _read(self, text: str, parts: Iterator[str]) -> None:
        text = uncommented(text, self.mark)
        axes, gravity, rotation = self.columns.axes, self.columns.gravity or (), self.columns.rotation or ()
        time, named = self.columns.time, [self.columns.subject or "=", self.columns.activity or "="]
        place = self.header.index(time) if time else len(self.header)
        lines = csv_rows(self.where, text, self.mark, self._lines)
        first = next(
            (row for row in lines if place >= len(self.header) or row[place : place + 1] not in ([], [""])), []
        )
        example = first[place].strip() if time and first else ""
        # Where commas separate fields, those of numbers stand within quotes.
        quoted = any(re.fullmatch(r"[+-]?\d+,\d+", field) for field in first) and '"' in text
        self._decimal = "," if self.mark != "," or quoted else "."
        clock = _clock(example)
        numbers = [*axes, *gravity, *rotation, *([time] if time and not clock else [])]
        named.append(self._device(first))
        names = [name for name in named if name[0] != "="]
        # These grow in place, where lists of blocks would need twice the memory.
        times, fields, rows = array("d"), array("d"), 0
        self.starts, self.whose = list[int](), list[tuple[str, str, str]]()
        for block in filter(None, chain([text], (uncommented(part, self.mark) for part in parts))):
            frame = self._frame(block, rows, numbers, names, [time] if time and clock else [])
            values = frame[[*axes, *rotation]].to_numpy(copy=True)
            if gravity:
                values[:, :3] += frame[[*gravity]].to_numpy()
            if time is None:
                stamps = np.arange(rows, rows + len(frame)) / float(self.columns.rate or 1.0)
            elif clock:
                stamps = self._column(frame[time], time, rows, clock, f"a time such as {example}")
            else:
                stamps = frame[time].to_numpy()
            times.frombytes(stamps.tobytes())
            fields.frombytes(values.tobytes())
            self._add_owners(frame, named, rows)
            rows, self._lines = rows + len(frame), self._lines + block.count("\n")
        if not rows:
            raise ZooError(f"{self.where}: no rows below the line of column names")
        self.times, self.values = np.frombuffer(times), np.frombuffer(fields).reshape(rows, -1)
        self.time_unit = "none"
        if time:
            self.time_unit = time_unit_of(self.where, self.times, self.columns.time_unit, is_clock=clock is not None)
        # Hundredths of a second pass as milliseconds, ten times as fast.
        self.is_time_unit_known = (
            not time or clock is not None or self.columns.time_unit != "auto" or self.time_unit == "s"
            or is_date(float(self.times[0]), self.time_unit)
            or typical_rate(self.times) / SECONDS[self.time_unit] < 10 * LOWEST
        )  # fmt: skip
        self.times *= SECONDS.get(self.time_unit, 1.0)

    def _device(self, first: Sequence[str]) -> str:
        """The column in which apps that record several sensors or devices into one file name them, or `=`."""
        owners = (self.columns.subject, self.columns.activity)
        for name, field in zip(self.header, first, strict=False):
            is_coordinate = plain_name(name) == "position" and np.isfinite(number_or_nan(field))
            if plain_name(name) in _DEVICES and name not in owners and not is_coordinate:
                return name
        return "="

    def _add_owners(self, frame: "pd.DataFrame", named: Sequence[str], rows: int) -> None:
        """Adds the rows at which another person, activity or device starts to `starts`, and these to `whose`."""
        found: list[tuple[list[str], NDArray[Any]]] = []
        for name, kind in zip(named, ("subject", "activity", "device"), strict=True):
            if name[0] == "=":
                text = unicodedata.normalize("NFC", name[1:].strip())
                if wrong := misnamed(text, is_label=kind == "activity") if name[1:] else "":
                    raise ZooError(f"{self.where}: {wrong}")
                found.append(([text], np.zeros(len(frame), np.int64)))
                continue
            column = frame[name].astype("category").cat
            # Equal names are equal bytes: macOS writes letters and their accents apart.
            texts = [unicodedata.normalize("NFC", str(text).strip()) for text in column.categories]
            codes = column.codes.to_numpy().astype(np.int64)
            faults = [misnamed(text, is_label=kind == "activity") for text in texts]
            if any(faults) and kind != "device":
                row = int(np.argmax(np.isin(codes, np.flatnonzero(faults))))
                place = f"column {name!r}, row {rows + row + 1} below the names"
                raise ZooError(f"{self.where}: {place}: {faults[codes[row]]}")
            found.append((texts, codes))
        changes = np.any([np.diff(codes, prepend=-1) != 0 for _, codes in found], axis=0)
        for start in np.flatnonzero(changes).tolist():
            person, label, device = (texts[codes[start]] for texts, codes in found)
            if not self.whose or (person, label, device) != self.whose[-1]:
                self.starts.append(rows + start)
                self.whose.append((person, label, device))
        devices = [device for *_, device in self.whose]
        turns = sum(one != other for one, other in pairwise(devices))
        if turns * ENOUGH_ROWS > rows + len(frame):
            raise ZooError(
                f"{self.where}: column {named[-1]!r} says {', '.join(sorted(set(devices))[:4])} by turns, and rows of "
                "several sensors are no signal: write those of each into a file of its own"
            )

    def _frame(
        self, text: str, rows: int, numbers: Sequence[str], names: Sequence[str], texts: Sequence[str]
    ) -> "pd.DataFrame":
        """A block that follows `rows` rows, with columns of float64, of categories and of text."""
        import pandas as pd

        content = np.frombuffer(f"{text}\n".encode(), np.uint8)
        ends = np.flatnonzero(content == ord("\n"))
        lengths = np.diff(ends, prepend=-1)
        if '"' in text or lengths.max() > csv.field_size_limit():
            # Which also finds quotes that are not closed.
            counts = np.array([len(row) for row in csv_rows(self.where, text, self.mark, self._lines) if row])
        else:
            counts = 1 + np.diff(np.searchsorted(np.flatnonzero(content == ord(self.mark)), ends), prepend=0)
            counts = counts[lengths > 1]
        if wrong := np.flatnonzero(counts != len(self.header)).tolist():
            raise ZooError(
                f"{self.where}: {len(self.header)} column names, but row {rows + wrong[0] + 1} below them has "
                f"{counts[wrong[0]]} fields"
            )
        places = {name: self.header.index(name) for name in (*numbers, *names, *texts)}
        kinds = dict.fromkeys(names, "category") | dict.fromkeys(texts, "str") | dict.fromkeys(numbers, "float64")
        with suppress(ValueError):
            if "\0" in text or not text.strip("\n"):
                # A NUL would end a field, and no rows at all are an error in pandas.
                raise ValueError
            frame = pd.read_csv(
                io.StringIO(text), sep=self.mark, header=None, names=range(len(self.header)), index_col=False,
                usecols=list(places.values()), dtype={places[name]: kind for name, kind in kinds.items()},
                keep_default_na=False, na_values={places[name]: _LOST for name in numbers}, low_memory=False,
                decimal="," if self._decimal == "," and "," in text else ".", float_precision="round_trip",
            )  # fmt: skip
            return frame.rename(columns={place: name for name, place in places.items()})
        fields = [row for row in csv_rows(self.where, text, self.mark) if row]
        columns: dict[str, Any] = {name: [row[place] for row in fields] for name, place in places.items()}
        for name in numbers:
            what = f"a number{_TIME_FORMS if name == self.columns.time else ''}"
            columns[name] = self._column(columns[name], name, rows, lambda field: number(field, self._decimal), what)
        return pd.DataFrame(columns).astype(dict.fromkeys(names, "category"))

    def _column(self, fields: Iterable[str], name: str, rows: int, read: Callable[[str], float], what: str) -> Floats:
        """The fields of a column as numbers; a message names the row of a field that is none, below `rows` others."""
        values = []
        for field in map(str.strip, fields):
            try:
                values.append(read(field) if field else np.nan)
            except (ValueError, OverflowError, OSError):
                row = f"row {rows + len(values) + 1} below the names"
                raise ZooError(f"{self.where}: column {name!r}, {row}: {field[:40]!r}; expected {what}") from None
        return np.array(values)


def uncommented(text: str, mark: str) -> str:
    """A text without its comments: lines that begin with # and, unlike rows, have no separator."""
    return re.sub(rf"(?m)^#[^{mark}\n]*(?:\n|\Z)", "", text) if "#" in text else text


_TIME_FORMS = ", or a time as in 2024-06-10 19:21:58.870, 10.06.2024 19:21:58,870 or 19:21:58.870"


def _clock(example: str) -> Callable[[str], float] | None:
    """What reads time stamps such as this one as seconds; None for numbers."""
    if re.fullmatch(r"\d{1,2}:\d{2}:\d{2}[.,:]?\d*", example):

        def seconds(text: str) -> float:
            hours, minutes, rest = text.replace(",", ".").split(":", 2)
            # After a colon are milliseconds, with or without zeros before them.
            whole, colon, part = rest.partition(":")
            return int(hours) * 3600 + int(minutes) * 60 + float(f"{whole}.{part:0>3}" if colon else whole)

        return seconds
    if re.match(r"\d{4}-\d{2}-\d{2}", example):

        def iso(text: str) -> float:
            moment = datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text))
            # The zone of whoever reads would put its change of daylight saving time into the recording.
            return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()

        return iso
    if _GERMAN.fullmatch(example):

        def german(text: str) -> float:
            if (found := _GERMAN.fullmatch(text)) is None:
                raise ValueError(text)
            day, month, year, hour, minute, second = map(int, found.groups()[:6])
            part = float(f"0.{found[7] or 0}")
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() + part

        return german
    return None


_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?")

_DEVICES = ("sensor", "sensorname", "sensortype", "sensorid", "device", "devicename", "devicetype", "deviceid",
            "placement", "position")  # fmt: skip
"""Columns that say which of several sensors or devices measured a row."""

_SENSORS = ("gravity", "gyroscope", "gyroscopeuncalibrated", "magnetometer", "magnetometeruncalibrated", "orientation",
            "compass", "barometer", "location", "pedometer", "light", "brightness", "microphone", "battery",
            "annotation", "metadata", "device", "network", "time", "headmotion", "headphone", "heartrate",
            "wristmotion")  # fmt: skip
_BETTER = {"accelerometer": ("TotalAcceleration",), "accelerometeruncalibrated": ("TotalAcceleration", "Accelerometer")}
"""Files that are read in place of another one, if they are in its folder."""


def is_of_another_sensor(path: Path) -> bool:
    """Whether an app writes something else than acceleration into a file of this name."""
    name = _stem(path).lower()
    return name in _SENSORS or any(exists(_neighbor(path, other)) for other in _BETTER.get(name, ()))


def _stem(path: Path) -> str:
    """The name of a file without its ending, such as .csv.gz."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _neighbor(path: Path, sensor: str) -> Path:
    """The file of another sensor: Sensor Logger puts each into a file of the same folder."""
    return path.with_name(path.name.replace(_stem(path), sensor, 1))


def _values_of(path: Path, beside: Table) -> Floats:
    """Values of another sensor at the times of a table: at those that it states, even if its rate is given."""
    times = beside.times
    if beside.columns.rate:
        times = Table(beside.path, replace(beside.columns, rate=None), labels=False).times
    table = Table(path, CsvColumns(), labels=False)
    order = np.argsort(table.times, kind="stable")
    known, values = table.times[order], table.values[order]
    # Where the other sensor paused, or was not yet or no longer running, its values are not known.
    after = np.searchsorted(known, times).clip(1, max(1, len(known) - 1))
    pause = known[after % len(known)] - known[after - 1]
    outside = (times < known[0]) | (times > known[-1])
    lost = outside | (known[after % len(known)] != times) & (pause > _PAUSE_STEPS / (typical_rate(known) or np.inf))
    if lost.all():
        raise ZooError(
            f"{path}: has no values at the times of the acceleration: leave it out, or copy both files again"
        )
    return np.where(lost[:, None], np.nan, np.stack([np.interp(times, known, axis) for axis in values.T], axis=1))


def _open(source: "Path | pd.DataFrame", columns: CsvColumns) -> tuple[Table, dict[str, str]]:
    """Reads a table, with what belongs to it in other files, in m/s^2 and rad/s; and how it was read."""
    table = Table(source, columns)
    found, about = table.columns, {"gravity": ", ".join(table.columns.gravity or ())}
    if table.app == "Sensor Logger" and (name := _stem(table.path).lower()) in (*_SENSORS, "accelerometer"):
        if name in _SENSORS:
            raise ZooError(f"{source}: is Sensor Logger's file of another sensor: pass its TotalAcceleration.csv")
        if exists(other := _neighbor(table.path, "Gravity")):
            table.app, about["gravity"] = "Sensor Logger with gravity", str(other)
            table.values[:, :3] += _values_of(other, table)
    if found.rotation:
        about["rotation"] = ", ".join(found.rotation)
    elif columns.gyroscope:
        other = _neighbor(table.path, "Gyroscope")
        about["rotation"], table.values = str(other), np.hstack([table.values, _values_of(other, table)])
    table.values *= found.factors[: table.values.shape[1]]
    about["rotation_unit"] = str(found.rotation_unit) if "rotation" in about else ""
    known = {key: text for key, text in about.items() if text}
    return table, {
        "read_as": table.app, "axes": ", ".join(found.axes), "unit": str(found.unit), **known,
        "sign": str(found.convention), "time": found.time or "a fixed rate", "time_unit": table.time_unit,
    }  # fmt: skip


def read_csv(
    sources: "Iterable[Path | pd.DataFrame]", columns: CsvColumns | None = None, dropped: Counter[str] | None = None,
    tables: list[dict[str, Any]] | None = None, copies: Copies | None = None,
) -> Iterator[Recording]:  # fmt: skip
    """Reads recordings from CSV files with a line of column names, or from DataFrames.

    A change of person, activity or device, a gap in time or more than four lost samples in a row end a recording;
    fewer are interpolated. Rows whose time stamp does not rise are left out. If there are time stamps, the rate is
    detected and the rows are interpolated linearly to an even grid. `dropped` counts what is left out or `Changed`, by
    reason; `tables` gets a row of facts of each file. Rows that `copies` knows, or that are there twice, are refused.

    Example:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"time": np.arange(100) / 50, "x": 0.0, "y": 9.8, "z": 0.0, "subject": "ann"})
        >>> (recording,) = read_csv([frame], CsvColumns(activity="=standing"))
        >>> recording.subject, recording.activity, recording.rate, recording.acceleration.shape
        ('ann', 'standing', 50.0, (100, 3))
    """
    columns, copies = columns or CsvColumns(), copies or Copies()
    for source in sources:
        table, about = _open(source, columns)
        _check_values(table)
        of_file, rates, seconds, paces = Counter[str](), set(), 0.0, list[float]()
        typical = typical_rate(table.times)
        is_plausible = columns.rate is None and LOWEST <= typical <= HIGHEST
        bounds = pairwise([*table.starts, len(table.times)])
        for (start, stop), (subject, activity, _) in zip(bounds, table.whose, strict=True):
            if stop - start < 2:
                of_file["rows alone between two others of another person or activity"] += stop - start
                continue
            times, values = _in_order(table, slice(start, stop), of_file)
            place = "" if stop - start == len(table.times) else f", row {start + 1} below the names and following"
            name = f"{table.where}{place}"
            if found := copies.find(object(), name, values[:, :3]):
                raise ZooError(f"{name}: has the same rows as {found[1]}: import each recording once")
            for recording in stretches(table.where, subject, activity, times, values, columns.rate, of_file):
                if is_plausible and not LOWEST / 3 <= recording.rate <= HIGHEST:
                    if len(recording.acceleration) >= ENOUGH_ROWS:
                        raise ZooError(
                            f"{table.where}: {len(recording.acceleration)} rows are at {recording.rate:g} Hz, where "
                            f"most are at {typical:g} Hz: are time stamps in several units? Pass another column with "
                            "--time, or --rate"
                        )
                    of_file["rows between gaps at an implausible rate"] += len(recording.acceleration)
                    continue
                check_signal(f"{table.where}: {subject}, {activity}", recording.rows, recording.rate)
                rates.add(recording.rate)
                if not table.is_time_unit_known:
                    paces.append(pace(recording.acceleration, recording.rate))
                seconds += recording.seconds
                yield replace(recording, study=columns.study or "")
        _check_pace(table, paces, typical)
        if dropped is not None:
            dropped.update(of_file)
        if tables is not None:
            people, labels, _ = zip(*table.whose, strict=True)
            tables.append(
                {"file": table.where, **about, "rows": len(table.times), "rate_hz": sorted(rates),
                 "seconds": round(seconds, 1), "gaps": of_file[GAPS], "time_unit_known": table.is_time_unit_known,
                 "subjects": sort_names(people), "activities": sorted(set(labels))}
            )  # fmt: skip


def _in_order(table: Table, rows: slice, dropped: Counter[str]) -> tuple[Floats, Floats]:
    """Rows of one person and activity, sorted by time where that makes them even; refuses rows without any order."""
    times, values = table.times[rows], table.values[rows]
    steps = np.diff(times)
    back, forward = int((steps < 0).sum()), steps[steps > 0]
    if not back or not len(forward):
        return times, values
    order, step = np.argsort(times, kind="stable"), float(np.median(forward))
    if back <= _RESTARTS and back == int((steps < -_PAUSE_STEPS * step).sum()):
        # Clocks that restart, or a time of day after midnight.
        return times, values
    # Stamps that are lost come last.
    ordered, known = times[order], times[~np.isnan(times)]
    even = np.diff(ordered)
    # Of two trials by clocks that restarted, rows would come to lie between rows.
    if 0.5 < np.nanmedian(even) / step < 1.5 and (even < step / 2).sum() <= ((steps >= 0) & (steps < step / 2)).sum():
        dropped[Changed("rows out of the order of time, sorted")] += int((ordered[: len(known)] != known).sum())
        return ordered, values[order]
    if len(times) >= ENOUGH_ROWS and back > _DISORDER * len(times):
        raise ZooError(
            f"{table.where}: time goes back in {back} of {len(times)} rows: sort them by time, or pass another column "
            "with --time"
        )
    return times, values


def _check_values(table: Table) -> None:
    """Asks about acceleration in another unit, or without gravity."""
    there = storable(table.values).all(axis=1)
    if not there.any():
        axes = ", ".join(table.columns.axes)
        raise ZooError(
            f"{table.where}: no row holds finite numbers of at most {LARGEST:g} in {axes}: choose other columns"
        )
    values, rate = table.values if there.all() else table.values[there], typical_rate(table.times)
    if not enough_rows(values, rate):
        return
    acceleration = values[:, :3]
    magnitude = mean_length(acceleration)
    if magnitude > TOO_LARGE or steady_length(acceleration, rate) > MOST_STEADY:
        in_g = table.columns.unit == "g"
        stated = magnitude / STANDARD_GRAVITY if in_g else magnitude
        wrong = f"{table.where} has a mean magnitude of {stated:.1f}; expected"
        if in_g and stated < MOST_STEADY:
            raise ZooError(f"{wrong} g (about 1): if these are {UNIT}, pass --unit {UNIT}")
        raise ZooError(
            f"{wrong} {UNIT} (about 9.8) or g (about 1), and no known unit fits: convert the columns, or choose "
            "others, for these may be of another sensor"
        )
    check_signal(table.where, values, rate)


def _check_pace(table: Table, paces: Sequence[float], rate: float) -> None:
    """Refuses a unit of time that was assumed where movement is too fast for a person; or notes that movement fits."""
    if table.is_time_unit_known:
        return
    moving = [hertz for hertz in paces if hertz > 0]
    if moving and (hertz := float(np.median(moving))) > FASTEST_PACE:
        raise ZooError(
            f"{table.where}: no unit of time is stated, and time stamps read as {table.time_unit} make {rate:.4g} Hz; "
            f"then half of the movement is faster than {hertz:.0f} Hz, as by no person: pass the rate with --rate, or "
            f"confirm with --time-unit {table.time_unit}; if a stamp counts hundredths of a second, --rate "
            f"{rate / 10:.4g}"
        )
    table.is_time_unit_known = bool(moving)


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
    filled = (line.removeprefix("\N{BYTE ORDER MARK}") for line in lines if line.strip())
    first_line = next((line for line in filled if not ABOVE.fullmatch(line.rstrip() + "\n")), "")
    mark = separator(first_line)
    decimal = "." if mark == "," else ","
    header = [field.strip() for field in _fields(first_line, mark)]
    found, _ = resolve(name, header, columns, labels=False)
    gravity, rotation = found.gravity or (), found.rotation or ()
    if columns.gyroscope and not rotation:
        raise ZooError(f"{name}: no columns of rotation rate; found {', '.join(header)}: pass all six with "
                       "--channels, such as ax,ay,az,gx,gy,gz")  # fmt: skip
    order = [header.index(column) for column in (*found.axes, *gravity, *rotation, *filter(None, [found.time]))]
    factors = found.factors.tolist()

    def sample(row: list[str]) -> list[float]:
        fields = iter(number_or_nan(row[place], decimal) if place < len(row) else np.nan for place in order)
        values = list(islice(fields, 3))
        added = list(islice(fields, 3)) if gravity else [0.0] * 3
        values = [value + more for value, more in zip(values, added, strict=True)] + list(islice(fields, len(rotation)))
        return [*(factor * value for factor, value in zip(factors, values, strict=False)), *fields]

    numbers = (sample(_fields(line, mark)) for line in filled if uncommented(line, mark))
    if columns.rate:
        for count, values in enumerate(numbers):
            yield count / columns.rate, *values
        return
    first = list(islice(numbers, _FIRST))
    unit = found.time_unit
    if len(first) > 1:
        unit = time_unit_of(name, np.array([row[-1] for row in first]), unit)
    for *values, time in chain(first, numbers):
        yield time * SECONDS.get(unit, 1.0), *values


def _fields(line: str, mark: str) -> list[str]:
    """The fields of one line. A quote that is not closed must not swallow the lines after it."""
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return []
