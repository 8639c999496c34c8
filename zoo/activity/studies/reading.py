"""Reading a study from its zip file or folder, and the checks that all studies share."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.activity.archives import names_in, texts_in
from zoo.activity.columns import SECONDS
from zoo.activity.recordings import Recording, check_gravity, stretches, typical_rate
from zoo.activity.studies import STUDIES, Study, reader
from zoo.errors import ZooError
from zoo.runtime.metadata import UNIT

_SHORTEST = 1.0
"""Seconds below which a stretch is left out."""


def read_study(
    name: str, path: Path, dropped: Counter[str] | None = None, *, others: bool = False
) -> Iterator[Recording]:
    """Reads a study in its official layout.

    Args:
        name: A name of `STUDIES`.
        path: The zip file as it is published, or a folder with its contents.
        dropped: Counter of what is left out.
        others: Whether to read the activities that the row `others` of the table names as well.

    Raises:
        ZooError: If it is another study, or a file is missing, truncated or not what the layout says.
    """
    source = Source(name, path, Counter() if dropped is None else dropped, others)
    try:
        for recording in reader(name)(source):
            yield replace(recording, study=name)
    except ZooError as error:
        if str(path) in str(error):
            raise
        # About a file in it.
        raise type(error)(f"{path}: {error}") from error


@dataclass(frozen=True)
class Source:
    """A study while it is read: what a study's function `read` gets.

    Args:
        name: Name of the study.
        path: Zip file or folder.
        dropped: Counter of what is left out.
        others: Whether other activities are wanted as well.
    """

    name: str
    path: Path
    dropped: Counter[str]
    others: bool = False

    @property
    def study(self) -> Study:
        """The row of the table."""
        return STUDIES[self.name]

    def texts(self, member: str | None = None) -> Iterator[tuple[str, str]]:
        """Paths and texts of files, in the order of their paths.

        Args:
            member: The end of the path of a single file; by default those that the table's regular expression matches.

        Raises:
            ZooError: If there is none, one cannot be read, or there are two copies of one.
        """
        names = names_in(self.path)
        found = _matching(names, self.study.members if member is None else re.escape(member))
        if not found:
            wanted = f"files {self.study.layout}" if member is None else f"file {member}"
            raise ZooError(f"{self.path}: no {wanted} in it{self._guess(names)}")
        _check_copies(self.path, found)
        yield from texts_in(self.path, list(found))

    def _guess(self, names: Sequence[str]) -> str:
        """The study whose files these are, for the end of a message."""
        for other, study in STUDIES.items():
            if other != self.name and _matching(names, study.members):
                return f"; it looks like {study.title}: use `zoo data import {study.command or other}`"
        return f"; expected {self.study.title}'s layout"

    def rows(
        self, name: str, text: str, columns: Sequence[str], *, header: bool = False, end: str = ""
    ) -> list[list[str]]:
        """Fields of the lines of a text with commas. Lines that lack fields are counted, but for the last one.

        Args:
            name: Path, for messages.
            text: The text.
            columns: Names of the columns, as many as a line has fields.
            header: Whether they stand in the first line.
            end: What each line ends with.

        Raises:
            ZooError: If there are no lines, other columns, or the last line is not whole.
        """
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if header:
            found = next(csv.reader(lines[:1]), [])
            if list(columns) != found[: len(columns)]:
                raise ZooError(f"{name}: has columns {', '.join(found) or 'none'}; expected {', '.join(columns)}")
            lines = lines[1:]
        if not lines:
            raise ZooError(f"{name}: holds no rows; expected lines of {', '.join(columns)}")
        fields = [line.removesuffix(end).split(",") for line in lines]
        whole = [line.endswith(end) and len(row) == len(columns) for line, row in zip(lines, fields, strict=True)]
        if not whole[-1]:
            raise ZooError(
                f"{name}: ends within line {len(lines) + header}, {lines[-1][-40:]!r}; expected {', '.join(columns)}: "
                "truncated: copy it again"
            )
        if not all(whole):
            self.dropped["lines that are not samples"] += len(whole) - sum(whole)
        return [row for row, is_whole in zip(fields, whole, strict=True) if is_whole]

    def numbers(self, name: str, rows: Sequence[Sequence[str]], *columns: int) -> NDArray[np.float64]:
        """Numbers of some columns, `(rows, columns)`.

        Raises:
            ZooError: If a field is not a number.
        """
        try:
            return np.array([[float(row[column]) for column in columns] for row in rows])
        except ValueError as error:
            raise ZooError(f"{name}: {error}") from None

    def seconds(self, name: str, stamps: NDArray[np.float64], *units: str) -> NDArray[np.float64]:
        """Time stamps in seconds, in the first unit in which the rate is one of the study's.

        Args:
            name: Path, for messages.
            stamps: `(rows,)` as in the file.
            units: Those that the study uses: `ns`, `us`, `ms` or `s`.

        Raises:
            ZooError: If there is none.
        """
        steps = np.diff(stamps)
        forward = steps[steps > 0]
        # The mean without gaps: where samples are delivered in groups or at two intervals, no interval is typical.
        step = float(steps[(steps >= 0) & (steps <= 20 * np.median(forward))].mean()) if len(forward) else np.inf
        low, high = self.study.rates
        for unit in units:
            if low <= 1 / (step * SECONDS[unit]) <= high:
                if unit != units[0]:
                    self.dropped[f"files with time stamps in {unit} in place of {units[0]}, read as such"] += 1
                return stamps * SECONDS[unit]
        raise ZooError(
            f"{name}: time stamps in {units[0]} make {1 / (step * SECONDS[units[0]]):.3g} Hz; expected {low:g} to "
            f"{high:g} Hz in {self.study.title}: copy the file again"
        )

    def recordings(
        self, name: str, subject: str, activity: str, times: NDArray[np.float64], rows: ArrayLike,
        *, position: str = "", device: str = "", orientation: str = "",
    ) -> Iterator[Recording]:  # fmt: skip
        """One performance of an activity as recordings: without its ends, split at gaps, on an even grid.

        Args:
            name: Path, for messages.
            subject: The person.
            activity: The label.
            times: `(rows,)` time stamps in seconds; the rate is measured from them.
            rows: `(rows, 3)` acceleration in m/s^2, gravity included, Android's sign.
            position: Where the phone was.
            device: The phone.
            orientation: How the phone was turned.

        Raises:
            ZooError: If acceleration is in another unit or without gravity.
        """
        values, trim = np.asarray(rows, np.float64), self.study.trim
        try:
            check_gravity(name, values, typical_rate(times))
        except ZooError as error:
            wrong = str(error).rpartition(": ")[0]
            raise ZooError(f"{wrong}; {self.study.title} is {UNIT} with gravity: copy the file again") from None
        # A clock that starts again adds no time.
        elapsed = np.concatenate([[0.0], np.cumsum(np.clip(np.diff(times), 0, None))])
        kept = (elapsed >= trim[0]) & (elapsed <= elapsed[-1] - trim[1])
        if left_out := round(min(sum(trim), float(elapsed[-1]))):
            self.dropped[f"seconds at the ends of {activity}"] += left_out
        if not kept.any():
            self.dropped[f"stretches of {activity} shorter than the ends that are left out"] += 1
            return
        for recording in stretches(name, subject, activity, times[kept], values[kept], None, self.dropped):
            if recording.seconds < _SHORTEST:
                self.dropped[f"stretches of {activity} shorter than {_SHORTEST:g} s"] += 1
                continue
            yield replace(recording, position=position, device=device, orientation=orientation, trimmed=min(trim))


def _matching(names: Sequence[str], members: str) -> dict[str, str]:
    """Paths that a regular expression matches from the right, and what it matches."""
    pattern = re.compile(rf"(?:.*/)?({members})")
    found = {name: pattern.fullmatch(name.replace("\\", "/")) for name in names}
    return {name: match[1] for name, match in found.items() if match}


def _check_copies(path: Path, found: Mapping[str, str]) -> None:
    known: dict[str, str] = {}
    for name, member in found.items():
        if (other := known.setdefault(member, name)) != name:
            raise ZooError(f"{path}: holds {other} and {name}, two copies of one file: leave one of them out")
