"""From CSV files, DataFrames and published studies to a file of recordings.

Whose a CSV file is, a layout of folders, a table of files or the file itself says.
"""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from zoo.activity import recordings
from zoo.activity.checks import Copies
from zoo.activity.columns import CsvColumns
from zoo.activity.csv import is_of_another_sensor, read_csv, uncommented
from zoo.activity.studies import STUDIES
from zoo.activity.texts import blocks, csv_rows, exists, members, opening
from zoo.errors import ZooError
from zoo.files import exclusive, new_file

if TYPE_CHECKING:
    import pandas as pd

Files: TypeAlias = "str | Path | pd.DataFrame | Iterable[str | Path | pd.DataFrame]"
"""What is imported."""

Sources: TypeAlias = "Sequence[tuple[Path | pd.DataFrame, CsvColumns]]"
"""Files and DataFrames, and how each is read."""

_FIELDS = ("subject", "activity")
_MOST_STARS = 3
_ENDINGS = (".zip", ".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


class Imported(NamedTuple):
    """What an import wrote: how many recordings, what was left out or changed, how each file was read, and doubts."""

    path: Path
    recordings: int
    dropped: dict[str, int]
    files: Sequence[dict[str, Any]] = ()
    doubts: Sequence[str] = ()


_NAMED = 3
"""Files with the same problem that are named."""
_USABLE = 5.0
"""Seconds of the shortest recording of which a window of 3 s is cut by default, without a second at both ends."""


class _Reading:
    """Reads files, also those that follow a faulty one; once that is done, knows what it left out and what is wrong."""

    def __init__(self, sources: Sources, on_progress: Callable[[int], None] = lambda count: None) -> None:
        self._sources, self._on_progress = sources, on_progress
        self.dropped, self.tables = Counter[str](), list[dict[str, Any]]()
        self.count, self._short, self._faulty = 0, 0, list[tuple[str, ZooError]]()
        # Names of files may say who was recorded, so the source of a file of recordings is a hash.
        self.hash = hashlib.sha256()

    def __iter__(self) -> Iterator[recordings.Recording]:
        copies = Copies()
        for source, columns in self._sources:
            try:
                for recording in read_csv([source], columns, self.dropped, self.tables, copies):
                    recordings.check_recording(recording)
                    self.count += 1
                    self._on_progress(self.count)
                    self._short += recording.seconds < _USABLE
                    self.hash.update(f"{recording.subject}\n{recording.activity}\n{recording.rate}\n".encode())
                    self.hash.update(np.ascontiguousarray(recording.rows).data)
                    yield recording
            except ZooError as error:
                self._faulty.append((str(source) if isinstance(source, Path) else "DataFrame", error))

    def or_refused(self) -> Iterator[recordings.Recording]:
        """The same recordings; what is wrong with any of the files comes at the end, as one error."""
        yield from self
        if len(self._faulty) == 1:
            raise self._faulty[0][1]
        if told := self.problems():
            listed = told[0] if len(told) == 1 else "; ".join(f"({place}) {each}" for place, each in enumerate(told, 1))
            files = f"{len(self._faulty)} of {len(self._sources)} files"
            raise ZooError(f"{files} cannot be read, so nothing was written: {listed}")

    def problems(self) -> list[str]:
        """A sentence for each problem, in the words of the first of the files that have it, as all of an app may."""
        alike: dict[str, tuple[str, list[str]]] = {}
        for file, error in self._faulty:
            why = str(error).removeprefix(f"{file}: ")
            # Which row and which number it is differs from file to file.
            alike.setdefault(re.sub(r"[\d.]+", "", why), (why, []))[1].append(file)
        return [
            f"{', '.join(files[:_NAMED])}{f' and {len(files) - _NAMED} more' * (len(files) > _NAMED)}: {why}"
            for why, files in alike.values()
        ]

    def doubts(self) -> list[str]:
        """Sentences about what may be wrong with what was read."""
        short = [
            f"{self._short} of {self.count} recordings are shorter than {_USABLE:g} s, a window of 3 s and a second at "
            "both ends, and give none by default: gaps and lost values end a recording; if time stamps repeat or come "
            "late, pass the rate with --rate"
        ]
        return [*(short if self._short else []), *_assumed(self.tables)]


def import_csv(
    sources: Sources, out: Path, *, append: bool = False, same_people: bool | None = None, force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Imported:  # fmt: skip
    """Writes a file of recordings of what `find_sources` found; the other arguments are those of `zoo.import_csv`."""
    if not append and not force and out.is_file():
        raise ZooError(f"{out}: exists already; --append adds to it, --force replaces it; or choose another name")
    begun: AbstractContextManager[None] = exclusive(out) if append else new_file(out, force)
    with begun:
        reading = _Reading(sources, on_progress)

        def source() -> str:
            files = f"{len(sources)} CSV file{'s' * (len(sources) > 1)} #{reading.hash.hexdigest()[:8]}"
            return f"{study} ({files})" if (study := sources[0][1].study) else files

        if append and out.exists():
            count = recordings.append_recordings(out, reading.or_refused(), source=source, same_people=same_people)
        else:
            count = recordings.write_recordings(out, reading.or_refused(), source=source)
    return Imported(out, count, dict(reading.dropped), reading.tables, reading.doubts())


def _assumed(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence about files whose unit of time was assumed, and that no movement of files of their kind confirms."""
    kinds = [(table["read_as"], table["time"], table["time_unit"]) for table in tables]
    known = {kind for kind, table in zip(kinds, tables, strict=True) if table["time_unit_known"]}
    if not (doubted := [table for kind, table in zip(kinds, tables, strict=True) if kind not in known]):
        return []
    first, unit = doubted[0], doubted[0]["time_unit"]
    more = f" and {len(doubted) - 1} more" if len(doubted) > 1 else ""
    rates = ", ".join(f"{rate:g}" for rate in first["rate_hz"][:3])
    return [
        f"no unit of time is stated, and nobody moves in {first['file']}{more} to show it: stamps were read as {unit} "
        f"({rates} Hz); confirm with --time-unit {unit}, or pass the rate with --rate if a stamp counts something "
        "else, such as hundredths of a second"
    ]


def import_study(
    name: str, source: str | Path, out: str | Path, *, others: bool = False, force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Imported:  # fmt: skip
    """Writes a file of recordings; arguments are those of `zoo.import_study`."""
    from zoo.activity.study_readers import read_study

    out, dropped = Path(out), Counter[str]()

    def counted() -> Iterator[recordings.Recording]:
        for count, recording in enumerate(read_study(name, Path(source), dropped, others=others), 1):
            on_progress(count)
            yield recording

    with new_file(out, force):
        count = recordings.write_recordings(out, counted(), source=STUDIES[name].source)
    return Imported(out, count, dict(dropped))


def find_sources(
    files: Files, columns: CsvColumns, layout: str | None = None, manifest: str | Path | None = None
) -> tuple[Sources, list[str]]:
    """Finds CSV files, also in folders, and the person and activity of each, and doubts; DataFrames are passed on.

    They are named by `columns`; by a `layout` such as `{subject}/{activity}*.csv`, which the end of each path matches;
    or by a `manifest`, a table with the columns file, subject and activity, of which the last two may be missing.
    """
    several: list[Any] = [files] if isinstance(files, str | Path) or hasattr(files, "columns") else list(files)
    tables = [(each, columns) for each in several if not isinstance(each, str | Path)]
    paths = [Path(each) for each in several if isinstance(each, str | Path)]
    if manifest is not None:
        if layout is not None or paths:
            raise ZooError(f"--manifest {manifest}: names the files itself; leave FILES and --layout out")
        named = _of_manifest(Path(manifest), columns)
        return [*tables, *named], _doubts(named)
    if not paths:
        if tables and layout is None:
            return tables, []
        raise ZooError("no files: pass CSV files or folders, or a table of files with --manifest")
    pattern = None if layout is None else _pattern(layout)
    found: dict[Path, tuple[Path, CsvColumns]] = {}
    unmatched = []
    for path, searched in _files(paths):
        # A path of one part, such as ann.csv, may lie in a folder that the pattern names.
        # macOS writes letters and their accents apart.
        match = pattern and pattern.search(unicodedata.normalize("NFC", path.absolute().as_posix()))
        if pattern and not match:
            unmatched.append(path)
            if not searched:
                raise ZooError(f"{path}: does not match --layout '{layout}'")
            continue
        own = _named(columns, match.groupdict() if match else {})
        known, others = found.setdefault(path.resolve(), (path, own))
        if own != others:
            raise ZooError(f"{path}: is the same file as {known}, of another person or activity: leave one of them out")
    if not found:
        example = f": found {len(unmatched)} others, such as {unmatched[0]}" if unmatched else ""
        wanted = "no CSV file" if layout is None else f"no file that matches --layout '{layout}'"
        raise ZooError(f"{', '.join(map(str, paths))}: {wanted}{example}")
    notes = _doubts(list(found.values()))
    if unmatched:
        many = len(unmatched) > 1
        notes.append(
            f"{len(unmatched)} {'files do' if many else 'file does'} not match --layout '{layout}' and "
            f"{'were' if many else 'was'} left out, such as {unmatched[0]}"
        )
    return [*tables, *found.values()], notes


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Files, and whether each was found in a folder or a zip file, where those of other sensors are passed over."""
    for path in paths:
        # Of a name that is too long, Path.exists raises.
        if not (os.path.exists(path) or exists(path)):  # noqa: PTH110
            raise ZooError(f"{path}: no such file or folder")
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.name.lower().endswith(_ENDINGS) and file.is_file())
        elif path.suffix.lower() == ".zip" and path.is_file():
            inside = [path]
        else:
            yield path, False
            continue
        for outer in inside:
            for file in members(outer) if outer.suffix.lower() == ".zip" and not _is_hidden(outer, path) else [outer]:
                is_table = file.name.lower().endswith(_ENDINGS[1:])
                if is_table and not _is_hidden(file, path) and not is_of_another_sensor(file):
                    yield file, True


def _is_hidden(file: Path, below: Path) -> bool:
    """Whether a file is one of systems and editors, or is being written."""
    return any(part[0] == "." or part == "__MACOSX" for part in file.relative_to(below).parts)


_SIGNS = r"\s_.,;:#~+=@&(\[{-"
"""Signs that stand between a name and a number, in a regular expression."""


def _pattern(layout: str) -> re.Pattern[str]:
    """A layout as a regular expression.

    Example:
        >>> pattern = _pattern("{subject}/{activity}*.csv")
        >>> [pattern.search(f"data/ann/{name}.csv")["activity"] for name in ("walk", "walk_2", "go (up) (3)")]
        ['walk', 'walk', 'go (up)']
    """
    layout = unicodedata.normalize("NFC", layout)
    # Two stars in a row mean what one does, and several of them within a name would take time without end.
    layout = re.sub(r"\*+", "*", layout)
    parts = re.split(r"(\{[^}]*\}\*?|\*|\?)", layout)
    if max(part.count("*") for part in layout.split("/")) > _MOST_STARS:
        raise ZooError(f"--layout '{layout}': expected at most {_MOST_STARS} stars between two slashes")
    fields = [part.strip("{}*") for part in parts if part.startswith("{")]
    if not fields or len(set(fields)) < len(fields) or not set(fields) <= set(_FIELDS):
        raise ZooError(f"--layout '{layout}': expected {{subject}} and {{activity}}, each once, as in "
                       "'{subject}/{activity}*.csv'")  # fmt: skip
    expression = ""
    for part in parts:
        if part.startswith("{"):
            # What a star stands for after a name is a number, with signs before it and what follows it.
            name = rf"[^\W\d_](?:[^\d/]*[^\d/{_SIGNS}])?" if part.endswith("*") else r"[^/]+?"
            rest = rf"(?![^\W\d_])[{_SIGNS}]*(?:\d[^/]*)?" if part.endswith("*") else ""
            expression += f"(?P<{part.strip('{}*')}>{name}){rest}"
        else:
            expression += {"*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(f"(?:^|/){expression}$", re.IGNORECASE)


def _named(columns: CsvColumns, names: Mapping[str, str]) -> CsvColumns:
    """Columns of a file of one person or activity."""
    if twice := [field for field in _FIELDS if field in names and getattr(columns, field)]:
        raise ZooError(
            f"--{twice[0]} '{getattr(columns, twice[0])}': is named by the layout or the table of files, too: leave "
            "one of them out"
        )
    subject, activity = (f"={names[field].strip()}" if field in names else getattr(columns, field) for field in _FIELDS)
    return replace(columns, subject=subject, activity=activity)


def _of_manifest(path: Path, columns: CsvColumns) -> list[tuple[Path, CsvColumns]]:
    _, header, text, _ = begun = opening(str(path), "".join(blocks(path)))
    fields = list(csv_rows(str(path), uncommented(text, begun.mark), begun.mark))
    if not fields or "file" not in header or len(set(header)) < len(header):
        names = ", ".join(header) if fields else "no rows"
        raise ZooError(f"{path}: expected the columns file, subject and activity; found {names}")
    if wrong := next((number for number, row in enumerate(fields, 1) if len(row) != len(header)), None):
        raise ZooError(f"{path}: row {wrong} below the names has {len(fields[wrong - 1])} fields, not {len(header)}")
    rows = [dict(zip(header, row, strict=True)) for row in fields]
    found = []
    for number, row in enumerate(rows, 1):
        if empty := [name for name in ("file", *_FIELDS) if name in row and not (row[name] or "").strip()]:
            raise ZooError(f"{path}: {empty[0]} is empty in row {number} below the names: fill it in")
        found.append((path.parent / row["file"].strip(), _named(columns, row)))
    if missing := [str(file) for file, _ in found if not exists(file)]:
        raise ZooError(f"{path}: no such file: {', '.join(missing)} (paths start at the folder of this table)")
    return found


def _doubts(sources: Sequence[tuple[Path, CsvColumns]]) -> list[str]:
    """Sentences about files that are all said to be of one person or activity, though their names say otherwise."""
    folders = {path.absolute().parent for path, _ in sources}
    notes = []
    for option in _FIELDS:
        names = {getattr(columns, option) for _, columns in sources}
        name = names.pop() if len(names) == 1 else None
        if len(folders) > 1 and name and name.startswith("="):
            kind = "one person" if option == "subject" else "one activity"
            notes.append(
                f"all {len(sources)} files of {len(folders)} folders are read as {kind}, {name[1:]}; if folders or "
                f"file names say otherwise, pass --layout, such as '{_likely_layout(sources[0][0], name[1:])}'"
            )
        elif name and name.startswith("="):
            others = [path.name for path, _ in sources if name[1:].lower() not in path.stem.lower()]
            if 0 < len(others) < len(sources):
                notes.append(
                    f"all {len(sources)} files are read as {name[1:]}, including {others[0]}; if that is wrong, pass "
                    f"--layout, such as '{{{option}}}*.csv'"
                )
    activities = {columns.activity or "" for _, columns in sources}
    labels = sorted(name[1:] for name in activities if name.startswith("="))
    # As where a layout lacks the star after {activity}.
    counted = re.compile(r"[ _-]*\(?\d+\)?$")
    same = (pair for pair in pairwise(labels) if counted.sub("", pair[0]) == counted.sub("", pair[1]) != "")
    if pair := next(same, None):
        notes.append(
            f"{pair[0]} and {pair[1]} are read as two activities; if their numbers count recordings, write a star "
            "after {activity} in --layout, such as '{subject}/{activity}*.csv'"
        )
    return notes


def _likely_layout(path: Path, name: str) -> str:
    """A layout to try where all files are read as one person or activity.

    Example:
        >>> _likely_layout(Path("ann/walk-2026-01-01/TotalAcceleration.csv"), "TotalAcceleration")
        '{subject}/{activity}-*/TotalAcceleration.csv'
        >>> _likely_layout(Path("ann/walk_1.csv"), "me")
        '{subject}/{activity}*.csv'
    """
    if name != path.stem:
        return "{subject}/{activity}*.csv"
    mark = re.match(r"[^\W\d_]+([ _-])", path.absolute().parent.name)
    return f"{{subject}}/{{activity}}{f'{mark[1]}*' if mark else ''}/{path.name}"


def dry_run(sources: Sources) -> tuple[dict[str, Any], list[str]]:
    """How `import_csv` would read each file, with what is wrong with those that it would refuse; and doubts."""
    reading = _Reading(sources)
    for _ in reading:
        pass
    counts = recordings.told_apart(reading.dropped)
    document = {"files": reading.tables, "recordings": reading.count, **counts, "problems": reading.problems()}
    return document, reading.doubts()
