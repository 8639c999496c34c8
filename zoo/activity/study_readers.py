"""Readers of published studies in their official layout, from a zip file or a folder.

A reader is a function of a `Source`, which finds the files, splits lines, and turns each performance of an activity
into recordings: without its ends, split at gaps, and with the checks that all studies share.
"""

import csv
import io
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice, pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.activity.checks import check_signal, enough_rows, steady_length, typical_rate
from zoo.activity.columns import SECONDS
from zoo.activity.recordings import Changed, Recording, stretches
from zoo.activity.studies import STUDIES, Study
from zoo.activity.texts import DAMAGE
from zoo.errors import StorageError, ZooError
from zoo.files import require_file
from zoo.runtime.metadata import AXES, STANDARD_GRAVITY, UNIT

_SHORTEST = 1.0
"""Seconds below which a stretch is left out."""

_MOST_LINES, _MOST_BYTES, _LONGEST_LINE = 6_000_000, 1 << 28, 1 << 16
"""Of a text whose numbers fit into a gigabyte of memory. That of the largest study has 60 MB."""
_BUFFER = 1 << 20


def read_study(
    name: str, path: Path, dropped: Counter[str] | None = None, *, others: bool = False
) -> Iterator[Recording]:
    """Reads a study from its zip file as it is published, or from a folder with its contents.

    With `others`, the activities that the row of the table names so are read as well.
    """
    source = Source(name, path, Counter() if dropped is None else dropped, others)
    try:
        for recording in READERS[name](source):
            yield replace(recording, study=name)
    except ZooError as error:
        if str(path) in str(error):
            raise
        # About a file in it.
        raise type(error)(f"{path}: {error}") from error


@dataclass(frozen=True)
class Source:
    """A study while it is read: what a study's reader gets."""

    name: str
    path: Path
    dropped: Counter[str]
    others: bool = False

    @property
    def study(self) -> Study:
        """The row of the table."""
        return STUDIES[self.name]

    def texts(self, member: str | None = None) -> Iterator[tuple[str, Iterator[str]]]:
        """Paths of the study's files, in their order, and the lines of each; or the file whose path ends in `member`.

        The lines are read while they are asked for: a file may be larger than memory.
        """
        with _archive(self.path) as archive:
            for name in self._names(archive, member):
                with closing(self._lines(archive, name)) as lines:
                    yield name, lines

    def _names(self, archive: zipfile.ZipFile | None, member: str | None) -> list[str]:
        if archive is None:
            names = sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir())
        else:
            names = sorted(name for name in archive.namelist() if "__MACOSX" not in name and not name.endswith("/"))
            if twice := next((name for name, other in pairwise(names) if name == other), None):
                raise ZooError(f"{self.path}: holds {twice} twice: leave one of them out")
        found = _matching(names, self.study.members if member is None else re.escape(member))
        if not found:
            wanted = f"files {self.study.layout}" if member is None else f"file {member}"
            advice = f"; expected {self.study.title}'s layout"
            for other, study in STUDIES.items():
                if other != self.name and _matching(names, study.members):
                    advice = f"; it looks like {study.title}: use `zoo data import {study.command or other}`"
                    break
            raise ZooError(f"{self.path}: no {wanted} in it{advice}")
        known: dict[str, str] = {}
        for name, found_member in found.items():
            if (other := known.setdefault(found_member, name)) != name:
                raise ZooError(f"{self.path}: holds {other} and {name}, two copies of one file: leave one of them out")
        return list(found)

    def _lines(self, archive: zipfile.ZipFile | None, name: str) -> Generator[str]:
        count, size = 0, 0
        if archive is None:
            require_file(self.path / name)
        try:
            with (self.path / name).open("rb") if archive is None else archive.open(name) as file:
                buffered = io.BufferedReader(cast(io.RawIOBase, file), _BUFFER)
                while line := buffered.readline(_LONGEST_LINE):
                    # What the archive says about the size may be wrong.
                    count, size = count + 1, size + len(line)
                    if count > _MOST_LINES or size > _MOST_BYTES or len(line) == _LONGEST_LINE:
                        raise ZooError(
                            f"{self.path}: {name}: has more than {_MOST_LINES:,} lines, {_MOST_BYTES:,} bytes or "
                            f"{_LONGEST_LINE:,} bytes in line {count:,}; expected a text of a study"
                        )
                    yield line.decode("utf-8-sig" if count == 1 else "utf-8")
        except UnicodeDecodeError as error:
            place = size - len(line) + error.start
            raise ZooError(f"{self.path}: {name}: not UTF-8 text ({error.reason} at byte {place})") from None
        except DAMAGE as error:
            reason = (
                "is encrypted: unpack it first" if "encrypted" in str(error) else f"damaged: copy {self.path} again"
            )
            raise StorageError(f"{self.path}: {name}: {reason} ({str(error)[:200]})") from error

    def rows(
        self, name: str, lines: Iterable[str], columns: Sequence[str], *, header: bool = False, end: str = ""
    ) -> Iterator[list[str]]:
        """Fields of lines with commas, each closed by `end`. Lines that lack fields are counted, but for the last one:
        a truncated file is refused.
        """
        filled = (line.strip() for line in lines if line.strip())
        if header:
            found = next(csv.reader(islice(filled, 1)), [])
            if list(columns) != found[: len(columns)]:
                raise ZooError(f"{name}: has columns {', '.join(found) or 'none'}; expected {', '.join(columns)}")
        count, lacking, is_whole, line = int(header), 0, False, ""
        for line in filled:
            count += 1
            row = line.removesuffix(end).split(",")
            if is_whole := line.endswith(end) and len(row) == len(columns):
                yield row
            else:
                lacking += 1
        if count == header:
            raise ZooError(f"{name}: holds no rows; expected lines of {', '.join(columns)}")
        if not is_whole:
            raise ZooError(
                f"{name}: ends within line {count}, {line[-40:]!r}; expected {', '.join(columns)}: truncated: copy it "
                "again"
            )
        if lacking:
            self.dropped["lines that are not samples"] += lacking

    def numbers(self, name: str, rows: Iterable[Sequence[Any]], *columns: int) -> NDArray[np.float64]:
        """Numbers of some columns, `(rows, columns)`."""
        try:
            found = np.fromiter((float(row[column]) for row in rows for column in columns), np.float64)
            return found.reshape(-1, len(columns))
        except ValueError as error:
            raise ZooError(f"{name}: {error}") from None

    def seconds(self, name: str, stamps: NDArray[np.float64], *units: str) -> NDArray[np.float64]:
        """Time stamps in seconds, in the first of the study's units in which the rate is one of the study's."""
        steps = np.diff(stamps)
        forward = steps[steps > 0]
        # The mean without gaps: where samples are delivered in groups or at two intervals, no interval is typical.
        step = float(steps[(steps >= 0) & (steps <= 20 * np.median(forward))].mean()) if len(forward) else np.inf
        low, high = self.study.rates
        for unit in units:
            if low <= 1 / (step * SECONDS[unit]) <= high:
                if unit != units[0]:
                    self.dropped[Changed(f"files with time stamps in {unit} in place of {units[0]}, read as such")] += 1
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

        `times` are seconds, `rows` are m/s^2 with gravity and Android's sign; the rate is measured.
        """
        values, trim = np.asarray(rows, np.float64), self.study.trim
        try:
            check_signal(name, values, typical_rate(times))
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


def _archive(source: Path) -> "zipfile.ZipFile | nullcontext[None]":
    """A zip file, opened; None for a folder."""
    if source.is_dir():
        return nullcontext()
    try:
        is_file = stat.S_ISREG(source.stat().st_mode)
    except FileNotFoundError:
        raise ZooError(f"{source}: no such file or folder") from None
    if not is_file or not zipfile.is_zipfile(source):
        raise ZooError(f"{source}: not a zip file or a folder")
    try:
        return zipfile.ZipFile(source)
    except DAMAGE as error:
        raise StorageError(f"{source}: damaged zip file: copy it again ({error})") from error


def _matching(names: Sequence[str], members: str) -> dict[str, str]:
    """Paths that a regular expression matches from the right, and what it matches."""
    pattern = re.compile(rf"(?:.*/)?({members})")
    found = {name: pattern.fullmatch(name.replace("\\", "/")) for name in names}
    return {name: match[1] for name, match in found.items() if match}


_MOTIONSENSE = {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
                "wlk": "walking"}  # fmt: skip
_MOTIONSENSE_HZ = 50.0


def motionsense(source: Source) -> Iterator[Recording]:
    """MotionSense: six activities, an iPhone in the front pocket of the trousers.

    The columns gravity and userAcceleration are in g with iOS's sign: total acceleration in Android's convention is
    -9.80665 (gravity + userAcceleration).
    """
    columns = [f"{sensor}.{axis}" for axis in AXES for sensor in ("gravity", "userAcceleration")]
    for name, lines in source.texts():
        folder, _, file = name.replace("\\", "/").rpartition("/")
        activity = _MOTIONSENSE.get(folder.rpartition("/")[2].partition("_")[0])
        if activity is None:
            source.dropped["files of another activity"] += 1
            continue
        found = next(csv.reader(islice(lines, 1)), [])
        if missing := [column for column in columns if column not in found]:
            raise ZooError(f"{name}: no column {missing[0]!r}; found {', '.join(found)}")
        if not (first := next((line for line in lines if line.strip()), "")):
            raise ZooError(f"{name}: no rows below the line of column names")
        try:
            places = [found.index(column) for column in columns]
            values = np.loadtxt(chain([first], lines), delimiter=",", usecols=places, ndmin=2)
        except ValueError as error:
            raise ZooError(f"{name}: {error}") from None
        acceleration = -STANDARD_GRAVITY * (values[:, 0::2] + values[:, 1::2])
        subject = file.removeprefix("sub_").removesuffix(".csv")
        times = np.arange(len(values)) / _MOTIONSENSE_HZ
        for recording in stretches(name, subject, activity, times, acceleration, _MOTIONSENSE_HZ, source.dropped):
            yield replace(recording, position="front pocket", device="iPhone 6s")


_WISDM = {"A": "walking", "B": "jogging", "C": "stairs", "D": "sitting", "E": "standing"}
_WISDM_OTHERS = {
    "F": "typing", "G": "brushing_teeth", "H": "eating_soup", "I": "eating_chips", "J": "eating_pasta",
    "K": "drinking", "L": "eating_sandwich", "M": "kicking_ball", "O": "catching_ball", "P": "dribbling_ball",
    "Q": "writing", "R": "clapping", "S": "folding_clothes",
}  # fmt: skip


def wisdm(source: Source) -> Iterator[Recording]:
    """WISDM: a phone in the trouser pocket, 18 activities.

    A line of `data_<id>_accel_phone.txt` is `subject,code,nanoseconds,x,y,z;`, in m/s^2 with Android's sign. Phones
    were asked for 20 Hz and delivered 20 to 50; clocks stall. In the first 10 s of sitting and standing, people still
    move to their place (one in ten; the typical one 4 s); at the end, within 2 s, nothing but the last row is unusual.
    Stairs are one activity, up and down.
    """
    activities = _WISDM | _WISDM_OTHERS if source.others else _WISDM
    for name, lines in source.texts():
        subject = re.findall(r"data_(\d+)_", name)[-1]
        rows = source.rows(name, lines, ("subject", "code", "time", "x", "y", "z"), end=";")
        for code, group in groupby(rows, key=lambda row: row[1].strip()):
            if code not in activities:
                source.dropped["performances of other activities"] += 1
                continue
            values = source.numbers(f"{name}, activity {code}", group, 2, 3, 4, 5)
            if len(values) < 2:
                source.dropped["performances of a single row"] += 1
                continue
            times = source.seconds(f"{name}, activity {code}", values[:, 0], "ns")
            yield from source.recordings(
                name, subject, activities[code], times, values[:, 1:], position="trouser pocket"
            )


_GEOTEC = {"SEATED": "sitting", "WALKING": "walking"}
_GEOTEC_EXECUTIONS = ("execution_id", "orientation", "first_turn", "second_turn")
_GEOTEC_COLUMNS = ("x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro", "timestamp", "label")


def geotec(source: Source) -> Iterator[Recording]:
    """GeoTec: getting up, walking, turning and sitting down, with the phone in the left front pocket, four ways around.

    A line of `s<id>_<execution>_sp.csv` is a sample of the accelerometer (m/s^2, Android's sign) and the gyroscope,
    with the time at which it was delivered, in ms, and a label. The samples are even, at 102.4 Hz; they are delivered
    in groups, up to 0.12 s late. A turn between two walks is a part of the walk: without it, no walk is as long as a
    window. Half a second at both ends of a stretch, in which one movement becomes the other, is left out.
    """
    orientations: dict[str, str] = {}
    for name, lines in source.texts("DATA/executions_info.csv"):
        orientations |= {row[0]: row[1] for row in source.rows(name, lines, _GEOTEC_EXECUTIONS, header=True)}
    for name, lines in source.texts():
        execution = name.rpartition("/")[2].removesuffix("_sp.csv")
        # By the numbers of labels, rows are numbers alone.
        known: dict[str, int] = {}
        rows = source.rows(name, lines, _GEOTEC_COLUMNS, header=True)
        numbered = ([*row[:7], known.setdefault(row[7].strip(), len(known))] for row in rows)
        values, labels = source.numbers(name, numbered, 0, 1, 2, 6, 7), list(known)
        stamps = source.seconds(name, values[:, 3], "ms")
        times = np.linspace(stamps[0], stamps[-1], len(stamps))
        start = 0
        for label, group in groupby(_with_turns([labels[int(label)] for label in values[:, 4]])):
            part = slice(start, start := start + len(list(group)))
            if label not in _GEOTEC:
                source.dropped[f"transitions: {label.lower().replace('_', ' ')}"] += 1
                continue
            yield from source.recordings(
                name, execution.partition("_")[0], _GEOTEC[label], times[part], values[part, :3],
                position="left front pocket", device="Xiaomi Poco X2", orientation=orientations.get(execution, ""),
            )  # fmt: skip


def _with_turns(labels: Sequence[str]) -> list[str]:
    """Labels of rows, with WALKING for each TURNING between two of them.

    Example:
        >>> _with_turns(["WALKING", "TURNING", "WALKING", "TURNING", "SITTING_DOWN"])
        ['WALKING', 'WALKING', 'WALKING', 'TURNING', 'SITTING_DOWN']
    """
    runs = [(label, len(list(group))) for label, group in groupby(labels)]
    around = list(zip([("", 0), *runs[:-1]], runs, [*runs[1:], ("", 0)], strict=True))
    return [
        "WALKING" if (before, label, after) == ("WALKING", "TURNING", "WALKING") else label
        for (before, _), (label, count), (after, _) in around for _ in range(count)
    ]  # fmt: skip


_OXFORD_POSITIONS = {
    "inhand": "hand", "hand": "hand", "swingingarm": "swinging arm", "frontpocket": "front pocket",
    "backpocket": "back pocket", "purse": "purse", "bag": "bag", "neckpouch": "neck pouch", "armband": "armband",
}  # fmt: skip
_OPTIMISATION = ("time", "accuracy", "x", "y", "z")
_VALIDATION = ("time", "x", "y", "z", "steps of the algorithm", "true steps", "steps of the phone")


def oxford(source: Source) -> Iterator[Recording]:
    """Oxford step counter: walking alone, with the phone in eight places, at 100 to 406 Hz.

    Files of `optimisation` have no names of columns: nanoseconds, accuracy, x, y, z in m/s^2 with Android's sign. Files
    of `validation` have a time stamp, x, y, z and three counts of steps. Some clocks count microseconds, some files are
    in g. The phone is put away for up to 9 s and taken out for up to 12 s (a bag: 14; one pocket: 18): 12 s are left
    out at both ends.

    It is not documented whether `user1` and `user2` of the validation are among the other three. Keep all five on one
    side of a split.
    """
    for name, lines in source.texts():
        if found := re.search(r"validation/(user\d+)_([a-z]+)_", name):
            subject, position, device = found[1], found[2], "Samsung Galaxy S6"
            values = source.numbers(name, source.rows(name, lines, _VALIDATION), 0, 1, 2, 3)
        else:
            device, subject, _, position, *_ = name.split("/")[-2].split("_")
            values = source.numbers(name, source.rows(name, lines, _OPTIMISATION), 0, 2, 3, 4)
        position = _OXFORD_POSITIONS.get(position.lower(), position.lower())
        times = source.seconds(name, values[:, 0], "ns", "us")
        rows, rate = values[:, 1:], typical_rate(times)
        if enough_rows(rows, rate) and 0.8 < steady_length(rows, rate) < 1.25:
            source.dropped[Changed("files in g, converted to m/s^2")] += 1
            rows = rows * STANDARD_GRAVITY
        yield from source.recordings(
            name, subject.lower(), "walking", times, rows, position=position, device=device
        )  # fmt: skip


READERS: Mapping[str, Callable[[Source], Iterator[Recording]]] = {
    "motionsense": motionsense,
    "wisdm": wisdm,
    "geotec": geotec,
    "oxford": oxford,
}
