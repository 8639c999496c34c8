"""The files of a published study in its official layout, in a zip file or a folder, and the recordings in them.

A `Source` finds the files, reads their numbers, and turns each performance of an activity into recordings: without its
ends, split at gaps, and with the checks that all studies share. The readers in `zoo.activity.studies` use it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.checks import check_signal, enough_rows, steady_length, typical_rate
from zoo.activity.columns import SECONDS
from zoo.activity.recordings import Counts, Recording, stretches
from zoo.activity.sources import layout_pattern
from zoo.activity.studies import STUDIES
from zoo.activity.tables import Table, files_in, lines_of
from zoo.errors import ZooError
from zoo.runtime.metadata import STANDARD_GRAVITY, UNIT

Floats = NDArray[np.float64]

_SHORTEST = 1.0
"""Seconds below which a stretch is left out."""


def read_study(name: str, path: Path, counts: Counts | None = None, *, others: bool = False) -> Iterator[Recording]:
    """Reads a study from its zip file as it is published, or from a folder with its contents.

    With `others`, the activities that the row of the table names so are read as well.
    """
    source = Source(name, path, Counts() if counts is None else counts, others)
    try:
        for recording in STUDIES[name].read(source):
            yield replace(recording, study=name)
    except ZooError as error:
        if str(path) in str(error):
            raise
        # About a file in it.
        raise type(error)(f"{path}: {error}") from error


@dataclass(frozen=True)
class StudyFile:
    """A file of a study: its path in the study, and what the layout of the study reads from that path."""

    name: str
    path: Path
    fields: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        """A part of the path, such as that of `{subject}`."""
        return self.fields[field]

    def lines(self) -> Iterator[str]:
        """The lines, which are read while they are asked for: a file may be larger than memory."""
        return lines_of(self.path)


@dataclass(frozen=True)
class Source:
    """A study while it is read: what a reader gets. `counts` are what it leaves out or changes."""

    name: str
    path: Path
    counts: Counts
    others: bool = False

    def files(self, *layouts: str) -> list[StudyFile]:
        """The files of the layout of the study, or of other layouts, in their order."""
        layouts = layouts or STUDIES[self.name].layouts
        paths = {str(path.relative_to(self.path)): path for path in files_in(self.path)}
        files, copies = [], dict[str, str]()
        for name, fields, end in _matching(paths, layouts):
            if (other := copies.setdefault(end, name)) != name:
                raise ZooError(f"{self.path}: holds {other} and {name}, two copies of one file: leave one of them out")
            files.append(StudyFile(name, paths[name], fields))
        if files:
            return files
        advice = f"expected {STUDIES[self.name].title}'s layout"
        for other, study in STUDIES.items():
            if other != self.name and any(_matching(paths, study.layouts)):
                advice = f"it looks like {study.title}: use `zoo data import {study.command or other}`"
                break
        raise ZooError(f"{self.path}: no files {' or '.join(layouts)} in it; {advice}")

    def table(self, file: StudyFile, *columns: str) -> Iterator[list[str]]:
        """Fields of some columns of a file that names them."""
        table = Table(file.name, file.lines())
        if missing := [column for column in columns if column not in table.names]:
            raise ZooError(f"{file.name}: no column {missing[0]!r}; found {', '.join(table.names)}")
        places = [table.names.index(column) for column in columns]
        return ([row[place] for place in places] for row in table.rows())

    def rows(self, name: str, lines: Iterable[str], columns: Sequence[str], *, end: str = "") -> Iterator[list[str]]:
        """Fields of lines with commas, each closed by `end`. Lines that lack fields are counted, but for the last one:
        a truncated file is refused.
        """
        count, lacking, is_whole, line = 0, 0, False, ""
        for line in (line.strip() for line in lines if line.strip()):
            count += 1
            row = line.removesuffix(end).split(",")
            if is_whole := line.endswith(end) and len(row) == len(columns):
                yield row
            else:
                lacking += 1
        if not count:
            raise ZooError(f"{name}: holds no rows; expected lines of {', '.join(columns)}")
        if not is_whole:
            wanted = ", ".join(columns)
            raise ZooError(f"{name}: ends within line {count}, {line[-40:]!r}; expected {wanted}: copy it again")
        if lacking:
            self.counts.dropped["lines that are not samples"] += lacking

    def numbers(self, name: str, rows: Iterable[Sequence[Any]], *columns: int) -> Floats:
        """Numbers of some columns, `(rows, columns)`."""
        try:
            # An iterator needs no memory for fields, which take twenty times that of their numbers.
            numbers = np.fromiter((float(row[column]) for row in rows for column in columns), np.float64)
        except ValueError as error:
            raise ZooError(f"{name}: {error}: copy the file again") from None
        if not len(numbers):
            raise ZooError(f"{name}: no rows below the line of column names")
        return numbers.reshape(-1, len(columns))

    def seconds(self, name: str, stamps: Floats, *units: str, hertz: tuple[float, float], even: bool = False) -> Floats:
        """Time stamps in seconds, in the first of the study's units in which the rate is one of the study's.

        With `even`, samples are even, though their stamps are those of their delivery.
        """
        steps = np.diff(stamps)
        forward = steps[steps > 0]
        # The mean without gaps: where samples are delivered in groups or at two intervals, no interval is typical.
        step = float(steps[(steps >= 0) & (steps <= 20 * np.median(forward))].mean()) if len(forward) else np.inf
        for unit in units:
            if hertz[0] <= 1 / (step * SECONDS[unit]) <= hertz[1]:
                if unit != units[0]:
                    self.counts.changed[f"files with time stamps in {unit} in place of {units[0]}, read as such"] += 1
                times = stamps * SECONDS[unit]
                return np.linspace(times[0], times[-1], len(times)) if even else times
        raise ZooError(
            f"{name}: time stamps in {units[0]} make {1 / (step * SECONDS[units[0]]):.3g} Hz; expected {hertz[0]:g} to "
            f"{hertz[1]:g} Hz in {STUDIES[self.name].title}: copy the file again"
        )

    def out_of_g(self, rows: Floats, times: Floats) -> Floats:
        """The same rows, or those of a file in g in m/s^2."""
        rate = typical_rate(times)
        if not enough_rows(rows, rate) or not 0.8 < steady_length(rows, rate) < 1.25:
            return rows
        self.counts.changed["files in g, converted to m/s^2"] += 1
        return rows * STANDARD_GRAVITY

    def recordings(
        self, name: str, subject: str, activity: str, rows: Floats, *, times: Floats | None = None,
        rate: float | None = None, trim: tuple[float, float] = (0.0, 0.0), **circumstances: Any,
    ) -> Iterator[Recording]:  # fmt: skip
        """One performance of an activity as recordings: without its ends, split at gaps, on an even grid.

        Args:
            name: Name of the source, for messages.
            subject: Person.
            activity: What the person did.
            rows: Acceleration, `(rows, 3)` in m/s^2, gravity included, Android's sign.
            times: Seconds of the rows, which measure the rate.
            rate: Rate in Hz of rows without times.
            trim: Seconds at both ends that are left out; zeros leave that to `zoo data windows --trim`.
            circumstances: `position`, `device` and `orientation` of the phone.
        """
        times = np.arange(len(rows)) / (rate or 1.0) if times is None else times
        try:
            check_signal(name, rows, rate or typical_rate(times))
        except ZooError as error:
            wrong, title = str(error).rpartition(": ")[0], STUDIES[self.name].title
            raise ZooError(f"{wrong}; {title} is {UNIT} with gravity: copy the file again") from None
        # A clock that starts again adds no time.
        elapsed = np.concatenate([[0.0], np.cumsum(np.clip(np.diff(times), 0, None))])
        kept = (elapsed >= trim[0]) & (elapsed <= elapsed[-1] - trim[1])
        if left_out := round(min(sum(trim), float(elapsed[-1]))):
            self.counts.dropped[f"seconds at the ends of {activity}"] += left_out
        if not kept.any():
            self.counts.dropped[f"stretches of {activity} shorter than the ends that are left out"] += 1
            return
        for recording in stretches(name, subject, activity, times[kept], rows[kept], rate, self.counts):
            if recording.seconds < _SHORTEST:
                self.counts.dropped[f"stretches of {activity} shorter than {_SHORTEST:g} s"] += 1
                continue
            yield replace(recording, trimmed=min(trim), **circumstances)


def _matching(names: Iterable[str], layouts: Iterable[str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Paths whose ends match a layout, what its fields are, and those ends."""
    patterns = [layout_pattern(layout) for layout in layouts]
    for name in names:
        if match := next(filter(None, (pattern.search(Path(name).as_posix()) for pattern in patterns)), None):
            yield name, match.groupdict(), match[0].strip("/")
