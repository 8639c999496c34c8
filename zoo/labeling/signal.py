"""The signal of a recording as a page draws it: an envelope at any scale, the time of day, and what is worth a look."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import __version__
from zoo.activity.annotations import Span, notes_of, read_notes
from zoo.activity.columns import SECONDS, CsvColumns, is_dated, recognized, time_reader
from zoo.activity.importing import read_sensors, recordings_of
from zoo.activity.recordings import Recording
from zoo.activity.sources import beside
from zoo.activity.tables import Table, digest, exists, lines_of
from zoo.errors import ZooError, option
from zoo.files import read_arrays, write_arrays
from zoo.labeling.day import DIGITS
from zoo.report import markdown

_STEP = 8
"""Rows of a level of the pyramid that become one of the next level."""
_FINE = 4
"""Rows of a level in the narrowest column that is drawn of it: one that lies at an edge is a fourth of it."""
_BLOCK = 2.0
"""Seconds of the blocks in which rest and pose are found."""
_REST, _LONG_REST = 0.15, 20.0
"""Standard deviation of |a| in m/s^2, below which the phone is at rest, and the seconds for which it is so at least."""
_TURN = 0.8
"""Radians by which gravity turns from one pose to the next."""

_SIGNS = {"android": "Android's", "ios": "iOS's"}
_DAY = 86_400
_LATEST = 4e9
"""Seconds since 1970 up to which a time of a clock that counts from 1970 lies."""

Floats = NDArray[np.float32]


@dataclass
class Part:
    """An uninterrupted part of a recording: x, y, z and |a| `(rows, 4)`, and minima and maxima of ever more rows."""

    start: float
    rate: float
    rows: Floats
    levels: list[tuple[Floats, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        low = high = self.rows
        self.levels.append((low, high))
        while len(low) > _STEP:
            starts = np.arange(0, len(low), _STEP)
            low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
            self.levels.append((low, high))

    @property
    def end(self) -> float:
        """Seconds after its last row."""
        return round(self.start + len(self.rows) / self.rate, DIGITS)

    def envelope(self, edges: NDArray[np.float64], low: Floats, high: Floats) -> None:
        """Puts minima and maxima between `edges` in seconds, `(N + 1,)`, into two arrays `(N, 4)`."""
        rate, level = self.rate, 0
        while level + 1 < len(self.levels) and (edges[1] - edges[0]) * rate >= _FINE * _STEP:
            rate, level = rate / _STEP, level + 1
        lows, highs = self.levels[level]
        places = np.clip(np.floor((edges - self.start) * rate).astype(np.int64), 0, len(lows))
        # A column without a row of its own shows the one before it.
        starts, stops = np.minimum(places[:-1], len(lows) - 1), places[1:]
        inside = (edges[1:] > self.start) & (edges[:-1] < self.start + len(self.rows) / self.rate)
        if not inside.any():
            return
        first, last = starts[inside], np.maximum(stops[inside], starts[inside] + 1)
        bounds = np.column_stack([first, last]).ravel()
        bounds = bounds[: -1 if bounds[-1] == len(lows) else None]
        low[inside] = np.fmin(low[inside], np.minimum.reduceat(lows, bounds)[::2])
        high[inside] = np.fmax(high[inside], np.maximum.reduceat(highs, bounds)[::2])


@dataclass
class Signal:
    """A recording in parts between its gaps, in seconds since its first row.

    `sha256` is that of what the file holds, and `notes` are what the app noted, or what a column says. `subject` is the
    person, `clock` the time of day of the first row in seconds, and `date` its day, where they are known. `facts` say
    how the file was read.
    """

    file: Path
    sha256: str
    parts: list[Part]
    notes: list[Span]
    subject: str
    clock: float | None
    date: str
    facts: dict[str, str]

    def between(self, start: float, end: float) -> list[Recording]:
        """The parts that lie between two times, or what of them does, as recordings for a model."""
        found = list[Recording]()
        for part in self.parts:
            # In whole seconds, windows of a part of it are windows of all of it, and so are the changes that they see.
            times = np.floor(np.subtract([start, end], part.start))
            first, last = np.clip(times * part.rate, 0, len(part.rows)).astype(int).tolist()
            if first < last:
                rows, begin = part.rows[first:last, :3], part.start + first / part.rate
                found.append(Recording(str(self.file), "-", "-", part.rate, rows, begin))
        return found

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """The start and the end of each part in seconds."""
        return [(part.start, part.end) for part in self.parts]

    @property
    def line(self) -> str:
        """Its length, rate, gaps, unit and sign, and how it was read."""
        gaps = markdown.count(len(self.parts) - 1, "gap") if self.parts[1:] else "no gap"
        notes = f", {markdown.count(len(self.notes), 'note')}" if self.notes else ""
        return (
            f"{self.file}: {markdown.duration(self.seconds)}, {self.parts[0].rate:g} Hz, {gaps}, {self.facts['unit']}, "
            f"{_SIGNS[self.facts['sign']]} sign, read as {self.facts['read_as']}{notes}"
        )

    @property
    def seconds(self) -> float:
        """From the first row to the last one."""
        return self.parts[-1].end

    def envelope(self, start: float, end: float, columns: int) -> dict[str, Any]:
        """Minima and maxima of x, y, z and |a| in columns from `start` to `end`, in cm/s^2; null where nothing is."""
        edges = np.linspace(start, end, columns + 1)
        low, high = (np.full((columns, 4), np.nan, np.float32) for _ in range(2))
        for part in self.parts:
            if part.start < end and part.end > start:
                part.envelope(edges, low, high)
        bounds = np.concatenate([low, high], axis=1)
        empty = np.isnan(bounds[:, 0])
        numbers = np.round(100 * np.nan_to_num(bounds)).astype(int)
        rows = [None if none else row for none, row in zip(empty.tolist(), numbers.tolist(), strict=True)]
        return {"start": start, "end": end, "columns": rows}

    def marks(self) -> dict[str, Any]:
        """Where the phone is at rest, `[start, end]`, and where its pose changes, in seconds."""
        rests, turns = list[list[float]](), list[float]()
        for part in self.parts:
            count = max(1, round(_BLOCK * part.rate))
            blocks = len(part.rows) // count
            if not blocks:
                continue
            rows = part.rows[: blocks * count].reshape(blocks, count, 4)
            still = np.pad(rows[:, :, 3].std(axis=1) < _REST, 1)
            spans = part.start + np.flatnonzero(np.diff(still)).reshape(-1, 2) * count / part.rate
            rests += spans[spans[:, 1] - spans[:, 0] >= _LONG_REST].tolist()
            gravity = rows[:, :, :3].mean(axis=1)
            gravity = gravity / np.maximum(np.linalg.norm(gravity, axis=1, keepdims=True), 1e-6)
            # Between the blocks before and after one, as a turn may lie within it.
            angles = np.arccos(np.clip((gravity[2:] * gravity[:-2]).sum(axis=1), -1, 1))
            for place in np.flatnonzero(angles > _TURN).tolist():
                moment = part.start + (place + 1.5) * count / part.rate
                if not turns or moment - turns[-1] > 3 * _BLOCK:
                    turns.append(moment)
        return {"rests": rests, "turns": turns}


def open_signal(file: Path, columns: CsvColumns, folder: Path) -> Signal:
    """Reads a recording of any app with the checks of an import; its labels and notes are kept beside it.

    What was read is kept in a folder: to read ten hours of CSV takes 5 s, and to read what was kept .2 s. It counts as
    long as the file has the same content and is read in the same way, by the same version, as the same facts.
    """
    # Of some apps, gravity is in a file of its own.
    digests = [digest(each) for each in (file, beside(file, "Gravity")) if exists(each)]
    key = json.dumps([*digests, columns.model_dump(), __version__, *Signal.__annotations__])
    kept = folder / f".signal-{sha256(os.fsencode(file.resolve())).hexdigest()[:16]}.npz"
    arrays = dict[str, NDArray[Any]]()
    with suppress(ZooError):
        arrays = read_arrays(kept)
    if str(arrays.get("key")) != key:
        about, rows = _read(file, columns)
        arrays = {"key": np.array(key), "about": np.array(json.dumps(about)), "rows": rows}
        with suppress(ZooError):
            write_arrays(kept, **arrays)
    about, rows = json.loads(str(arrays["about"])), arrays["rows"]
    split = np.split(rows, np.cumsum([count for _, _, count in about["parts"][:-1]], dtype=int))
    parts = [Part(start, rate, its) for (start, rate, _), its in zip(about["parts"], split, strict=True)]
    notes = [Span(*label) for label in about["labels"] or () if label[0] < label[1]]
    if about["labels"] is None and (other := notes_of(file)):
        found = read_notes(other, np.array([about["first"]]), about["time"], about["time_unit"], columns.annotations)
        notes = [note for each in found if (note := each._replace(activity=_cleaned(each.activity))).activity]
    known = {name: about[name] for name in ("subject", "clock", "date", "facts")}
    return Signal(file, digests[0], parts, notes, **known)


def _read(file: Path, columns: CsvColumns) -> tuple[dict[str, Any], Floats]:
    """What a file says about its parts, and x, y, z and |a| of all their rows, one part after the other."""
    head = Table(str(file), lines_of(file, columns.encoding))
    first = dict(zip(head.names, next(head.blocks(), [[""] * len(head.names)])[0], strict=True))
    subject, activity = (getattr(columns, name) or recognized(name, head.names) for name in ("subject", "activity"))
    table = read_sensors(file, columns.replace(subject=subject or "=-", activity=activity or "=-"))
    if len(people := dict.fromkeys(owner.subject for _, owner in table.owners)) > 1:
        cure = f"write a file for each person, or pass {option('subject')}"
        raise ZooError(f"{file}: is of {' and '.join(people)}; expected one person: {cure}")
    times, stamp = table.seconds(), None if columns.rate else table.columns.time
    recordings = list(recordings_of(replace(table, owners=[(0, table.owners[0][1]._replace(activity="-"))])))
    if not recordings:
        raise ZooError(f"{file}: no two of its rows follow each other")
    clock, date = _clock(first, stamp, comma=head.separator != ",")
    rows, ends = np.concatenate([one.acceleration for one in recordings]), np.append(times, np.inf)
    return {
        "subject": next(iter(people)).removeprefix("-"), "clock": clock, "date": date, "facts": table.about,
        "parts": [(round(one.start, DIGITS), one.rate, len(one.acceleration)) for one in recordings],
        "labels": [(times[part.start], ends[part.stop], owner.activity) for part, owner in table.parts()]
        if activity else None,
        "first": float(table.times[np.isfinite(times).argmax()]), "time": stamp, "time_unit": table.time_unit,
    }, np.column_stack([rows, np.linalg.norm(rows, axis=1)])  # fmt: skip


def _clock(row: Mapping[str, str], stamp: str | None, *, comma: bool) -> tuple[float | None, str]:
    """The time of day of the first row in seconds, and the date; None and empty where no column says so."""
    names = [name for name in row if name != stamp and recognized("time", [name])]
    for name in (stamp, *names) if stamp else names:
        moment, _, is_clock = time_reader(row[name].strip(), comma)
        try:
            (value,) = moment([row[name].strip()])
        except (ValueError, OverflowError):
            continue
        if is_clock and 0 <= value < _DAY:
            return float(value), ""
        for factor in (1.0,) if is_clock else SECONDS.values():
            if is_dated(np.array([value * factor])) and value * factor < _LATEST:
                # A date that is written out is that of its author; seconds since 1970 become those of this computer.
                local = datetime.fromtimestamp(value * factor, tz=UTC if is_clock else None)
                midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
                return (local - midnight).total_seconds(), f"{local:%Y-%m-%d}"
    return None, ""


def _cleaned(text: str) -> str:
    """A note as a label, in which no comma and no control character may be."""
    return " ".join("".join(sign if sign.isprintable() and sign != "," else " " for sign in text).split())[:100]
