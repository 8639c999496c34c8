"""The signal of a recording as a page draws it: an envelope at any scale, the time of day, and what is worth a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity import importing
from zoo.activity.annotations import Span, notes_of, read_notes
from zoo.activity.columns import SECONDS, CsvColumns, is_dated, recognized, time_reader
from zoo.activity.recordings import Recording
from zoo.activity.tables import Table, lines_of
from zoo.errors import ZooError
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
    """An uninterrupted part of a recording, with x, y, z and |a| `(rows, 4)`, and the minima and maxima of its rows."""

    start: float
    rate: float
    rows: Floats
    levels: list[tuple[Floats, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        low = high = self.rows
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
        rate, level = self.rate, -1
        while level + 1 < len(self.levels) and (edges[1] - edges[0]) * rate >= _FINE * _STEP:
            rate, level = rate / _STEP, level + 1
        lows, highs = (self.rows, self.rows) if level < 0 else self.levels[level]
        places = np.clip(np.floor((edges - self.start) * rate).astype(np.int64), 0, len(lows))
        # A column without a row of its own shows the one before it.
        starts, stops = np.minimum(places[:-1], len(lows) - 1), places[1:]
        inside = (edges[1:] > self.start) & (edges[:-1] < self.start + len(self.rows) / self.rate)
        if not inside.any():
            return
        first, last = starts[inside], np.maximum(stops[inside], starts[inside] + 1)
        bounds = np.column_stack([first, last]).ravel()
        padded = bounds[-1] == len(lows)
        bounds = bounds[:-1] if padded else bounds
        low[inside] = np.fmin(low[inside], np.minimum.reduceat(lows, bounds)[::2])
        high[inside] = np.fmax(high[inside], np.maximum.reduceat(highs, bounds)[::2])


@dataclass
class Signal:
    """A recording in parts between its gaps, in seconds since its first row.

    `clock` is the time of day of the first row in seconds, and `date` its day, where they are known. `facts` say how
    the file was read, and `notes` are what the app noted, or what a column of the file says.
    """

    file: Path
    recordings: list[Recording]
    clock: float | None
    date: str
    facts: dict[str, Any]
    notes: list[Span]

    @cached_property
    def parts(self) -> list[Part]:
        """The parts with their pyramids."""
        return [
            Part(
                round(one.start, DIGITS), one.rate,
                np.column_stack([one.acceleration, np.linalg.norm(one.acceleration, axis=1)]).astype(np.float32),
            )
            for one in self.recordings
        ]  # fmt: skip

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """The start and the end of each part in seconds."""
        return [(part.start, part.end) for part in self.parts]

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
            still = np.concatenate([[False], rows[:, :, 3].std(axis=1) < _REST, [False]])
            steps = np.flatnonzero(np.diff(still.astype(int)))
            for begin, stop in zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True):
                if (stop - begin) * count / part.rate >= _LONG_REST:
                    rests.append([part.start + edge * count / part.rate for edge in (begin, stop)])
            gravity = rows[:, :, :3].mean(axis=1)
            gravity = gravity / np.maximum(np.linalg.norm(gravity, axis=1, keepdims=True), 1e-6)
            # Between the blocks before and after one, as a turn may lie within it.
            angles = np.arccos(np.clip((gravity[2:] * gravity[:-2]).sum(axis=1), -1, 1))
            for place in np.flatnonzero(angles > _TURN).tolist():
                moment = part.start + (place + 1.5) * count / part.rate
                if not turns or moment - turns[-1] > 3 * _BLOCK:
                    turns.append(moment)
        return {"rests": rests, "turns": turns}


def open_signal(file: Path, columns: CsvColumns) -> Signal:
    """Reads a recording of any app with the checks of an import; its labels and notes are kept beside it."""
    head = Table(str(file), lines_of(file, columns.encoding))
    first = dict(zip(head.names, next(head.blocks(), [[""] * len(head.names)])[0], strict=True))
    labels = columns.activity or recognized("activity", head.names)
    table = importing.read_sensors(file, columns.replace(subject="=-", activity=labels or "=-"))
    notes, beside = list[Span](), None if labels else notes_of(file)
    times, stamp = table.times, None if columns.rate else table.columns.time
    if labels:
        edges = [float(times[row] - times[0]) for row, _ in table.owners] + [float(times[-1] - times[0])]
        notes = [
            Span(start, end, owner.activity)
            for (start, end), (_, owner) in zip(pairwise(edges), table.owners, strict=True)
            if start < end
        ]
    elif beside:
        found = read_notes(beside, times[:1], stamp, table.time_unit, columns.annotations)
        cleaned = (note._replace(activity=_cleaned(note.activity)) for note in found)
        notes = [note for note in cleaned if note.activity]
    table = replace(table, owners=[(0, table.owners[0][1]._replace(activity="-"))])
    tables = list[dict[str, Any]]()
    recordings = list(importing.recordings_of(table, tables=tables))
    if not recordings or any(b.start < a.start + a.seconds - 1 for a, b in pairwise(recordings)):
        raise ZooError(f"{file}: {'its times overlap' if recordings else 'no two of its rows follow each other'}")
    clock, date = _clock(first, stamp, comma=head.separator != ",")
    return Signal(file, recordings, clock, date, tables[0], notes)


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


def summary(signals: Sequence[Signal]) -> list[str]:
    """A line for each recording: its length, rate, gaps, unit and sign."""
    lines = []
    for signal in signals:
        minutes, gaps = round(signal.seconds / 60), len(signal.parts) - 1
        length = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        facts = signal.facts
        holes = markdown.count(gaps, "gap") if gaps else "no gap"
        notes = f", {markdown.count(len(signal.notes), 'note')}" if signal.notes else ""
        lines.append(
            f"{signal.file}: {length}, {signal.parts[0].rate:g} Hz, {holes}, {facts['unit']}, "
            f"{_SIGNS[facts['sign']]} sign, read as {facts['read_as']}{notes}"
        )
    return lines
