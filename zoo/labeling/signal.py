"""The signal of a recording that is labeled: its parts between gaps, the time of day, and notes next to it."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import __version__
from zoo.activity.annotations import TRACKS, Span, doubtful_from, notes_of, read_notes
from zoo.activity.columns import SECONDS, CsvColumns, is_dated, recognized, time_reader
from zoo.activity.importing import read_sensors, recordings_of
from zoo.activity.recordings import Findings, Recording
from zoo.activity.sources import beside
from zoo.activity.tables import Table, digest, exists, lines_of
from zoo.errors import ZooError, option
from zoo.files import read_arrays, write_arrays
from zoo.labeling.day import DIGITS
from zoo.report import markdown

_SIGNS = {"android": "Android's", "ios": "iOS's"}
_LATEST = 4e9
"""Seconds since 1970 up to which a time of a clock that counts from 1970 lies."""


@dataclass
class Signal:
    """A recording in parts between its gaps, in seconds since its first row.

    `sha256` is that of what the file holds, which is read by `columns`. `notes` are what the app noted, or labels of a
    column or of another program, which are `decided` as exact. `subject` is the person, `clock` the time of day of the
    first row in seconds, and `date` its day, where they are known. `facts` say how the file was read.
    """

    file: Path
    sha256: str
    columns: CsvColumns
    parts: list[Recording]
    notes: list[Span]
    subject: str
    clock: float | None
    date: str
    facts: dict[str, str]

    def between(self, start: float, end: float) -> list[Recording]:
        """What of the parts lies between two times."""
        found = list[Recording]()
        for part in self.parts:
            # In whole seconds, windows of a part of it are windows of all of it, and so are the changes that they see.
            times = np.floor(np.subtract([start, end], part.start))
            first, last = np.clip(times * part.rate, 0, len(part.acceleration)).astype(int).tolist()
            if first < last:
                rows, begin = part.acceleration[first:last], part.start + first / part.rate
                found.append(replace(part, acceleration=rows, start=begin))
        return found

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """The start and the end of each part in seconds."""
        return [(part.start, round(part.start + part.seconds, DIGITS)) for part in self.parts]

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
        return self.bounds[-1][1]

    @property
    def about(self) -> dict[str, Any]:
        """What the page knows of it beside its rows."""
        parts = [(part.start, part.rate, len(part.acceleration)) for part in self.parts]
        about = {"line": self.line, "date": self.date, "clock": self.clock, "seconds": self.seconds}
        return {"file": str(self.file), **about, "doubtful": doubtful_from(self.notes, self.seconds), "parts": parts}

    def rows(self) -> bytes:
        """x, y and z of all rows in cm/s^2, as the page draws them: integers of two bytes, the lower one first."""
        return b"".join(np.round(100 * part.acceleration).astype("<i2").tobytes() for part in self.parts)


def open_signal(file: Path, columns: CsvColumns, folder: Path) -> Signal:
    """Reads a recording of any app with the checks of an import, and its labels or the notes next to it.

    What was read is kept in a folder: to read ten hours of CSV takes 5 s, and to read what was kept .2 s. It counts as
    long as the files have the same content and are read in the same way, by the same version, as the same facts.
    """
    notes = notes_of(file)
    # Of some apps, gravity is in a file of its own.
    digests = [digest(each) for each in (file, beside(file, "Gravity"), notes) if each and exists(each)]
    key = json.dumps([*digests, columns.model_dump(), __version__, *Signal.__annotations__])
    kept = folder / f".signal-{sha256(os.fsencode(file.resolve())).hexdigest()[:16]}.npz"
    arrays = dict[str, NDArray[Any]]()
    with suppress(ZooError):
        arrays = read_arrays(kept)
    if str(arrays.get("key")) != key:
        about, rows = _read(file, columns, notes)
        arrays = {"key": np.array(key), "about": np.array(json.dumps(about)), "rows": rows}
        with suppress(ZooError):
            write_arrays(kept, **arrays)
    about = json.loads(str(arrays["about"]))
    starts, rates, counts = zip(*about.pop("parts"), strict=True)
    split = zip(rates, np.split(arrays["rows"], np.cumsum(counts)[:-1]), starts, strict=True)
    parts = [Recording(str(file), "-", "-", *part) for part in split]
    return Signal(file, digests[0], columns, parts, [Span(*note) for note in about.pop("notes")], **about)


def _read(file: Path, columns: CsvColumns, notes: Path | None) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """What a file and its notes say, and x, y and z of all rows, one part after the other."""
    head = Table(str(file), lines_of(file, columns.encoding))
    first = dict(zip(head.names, next(head.blocks(), [[""] * len(head.names)])[0], strict=True))
    subject, activity = (getattr(columns, name) or recognized(name, head.names) for name in ("subject", "activity"))
    table = read_sensors(file, columns.replace(subject=subject or "=-", activity=activity or "=-"))
    if len(people := dict.fromkeys(owner.subject for _, owner in table.owners)) > 1:
        cure = f"write a file for each person, or pass {option('subject')}"
        raise ZooError(f"{file}: is of {' and '.join(people)}; expected one person: {cure}")
    times, stamp = table.seconds(), None if columns.rate else table.columns.time
    unlabeled = replace(table, owners=[(0, table.owners[0][1]._replace(activity="-"))])
    recordings = list(recordings_of(unlabeled, Findings()))
    ends, spans = np.append(times, np.inf), list[Span]()
    if activity:
        spans = [Span(times[part.start], ends[part.stop], owner.activity) for part, owner in table.parts()]
    elif notes:
        spans = read_notes(notes, table.times, stamp, table.time_unit, columns, table.is_local)
    clock, date = _clock(first, stamp, comma=head.separator != ",")
    exact = "exact" if activity or (notes and notes.suffix in TRACKS.values()) else ""
    return {
        "subject": next(iter(people)).removeprefix("-"), "clock": clock, "date": date, "facts": table.about,
        "parts": [(round(one.start, DIGITS), one.rate, len(one.acceleration)) for one in recordings],
        "notes": [(*np.round(span[:2], DIGITS), span[2], exact) for span in spans if span.start < span.end and span[2]],
    }, np.concatenate([one.acceleration for one in recordings])  # fmt: skip


def _clock(row: Mapping[str, str], stamp: str | None, *, comma: bool) -> tuple[float | None, str]:
    """The time of day of the first row in seconds, and the date; None and empty where no column says so."""
    known = [name for name in row if name == stamp or recognized("time", [name])]
    for name in sorted(known, key=lambda name: name != stamp):
        moment, _, is_clock = time_reader([row[name]], comma)
        with suppress(ValueError, OverflowError):
            (value,) = moment([row[name].strip()])
            if is_clock and 0 <= value < 86_400:
                return float(value), ""
            for factor in (1.0,) if is_clock else SECONDS.values():
                if is_dated(np.array([value * factor])) and value * factor < _LATEST:
                    # A date that is written out is that of its author, and seconds since 1970 of this computer.
                    local = datetime.fromtimestamp(value * factor, tz=UTC if is_clock else None)
                    seconds = 3600 * local.hour + 60 * local.minute + local.second + local.microsecond / 1e6
                    return seconds, f"{local:%Y-%m-%d}"
    return None, ""
