"""Which files are read, and whose each is: the path says it by a layout, a table of files, or the file itself."""

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zoo.activity.columns import CsvColumns, recognized, resolve
from zoo.activity.tables import Table, check_encoding, dead_links_in, exists, files_in, is_zip, lines_of, named_in
from zoo.errors import ZooError, option, shown
from zoo.runtime.metadata import UNIT

if TYPE_CHECKING:
    import pandas as pd

Files: TypeAlias = "str | Path | pd.DataFrame | Iterable[str | Path | pd.DataFrame]"
"""What is imported."""

Sources: TypeAlias = "Sequence[tuple[Path | pd.DataFrame, CsvColumns]]"
"""Files and DataFrames, and how each is read."""

_FIELDS = ("subject", "activity")
_OF_ALL = ("convention", "rate", "rotation_unit", "study", "time_unit")
"""What a table of files cannot state of each."""
_MOST_STARS = 3
_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")

_OTHERS = (
    ".xlsx", ".xls", ".ods", ".numbers", ".parquet", ".feather", ".mat", ".npy", ".npz", ".pkl", ".json", ".jsonl",
    ".dat", ".asc", ".tab", ".arff", ".cwa", ".gt3x", ".sqlite", ".zip", ".7z", ".rar", ".tar", ".tgz", ".gz",
    ".bz2", ".xz", ".zst", ".bin", ".edf", ".db", ".bak", ".part", ".crdownload", ".log",
)  # fmt: skip
"""Endings of files that may hold recordings, but are of other programs, packed in another way, or not all there."""

UNDO = ".undo.json"
"""The ending of the file next to a table of answers of `zoo label` in which the changes are that led to it."""

_LABEL = re.compile(r"-?\d+(\.\d+)?\t-?\d+(\.\d+)?(\t[^\t]*)?$")
"""The first line of a label track."""

OTHER_SENSORS = (
    "gravity", "gyroscope", "gyroscopeuncalibrated", "magnetometer", "magnetometeruncalibrated", "orientation",
    "compass", "barometer", "location", "pedometer", "light", "brightness", "microphone", "battery", "annotation",
    "tags", "metadata", "device", "network", "time", "headmotion", "headphone", "heartrate", "wristmotion",
)  # fmt: skip
"""Files into which Sensor Logger writes something else than acceleration, in lower case."""
_BETTER = {"accelerometer": ("TotalAcceleration",), "accelerometeruncalibrated": ("TotalAcceleration", "Accelerometer")}
"""Files that are read in place of another one, if they are in its folder."""
_SENSORS = ("accelerometer", "accelerometeruncalibrated", "totalacceleration", "rawdata")
"""Names that apps give to the files of sensors, in lower case without spaces and signs. No activity is called so."""


def stem(path: Path) -> str:
    """The name of a file without its ending, such as .csv.gz."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def beside(path: Path, sensor: str) -> Path:
    """The file of another sensor: Sensor Logger puts each into a file of the same folder."""
    return path.with_name(path.name.replace(stem(path), sensor, 1))


def has_acceleration(path: Path, columns: CsvColumns) -> bool:
    """Whether a file has columns of acceleration, as texts and tables that lie among recordings have not."""
    with suppress(ZooError):
        names = Table(str(path), lines_of(path, columns.encoding)).names
        return bool(resolve(str(path), names, columns.replace(rate=1.0, gyroscope=False), labels=False))
    return False


def is_label_track(path: Path) -> bool:
    """Whether a file holds labels as Audacity exports them: a start, an end and a text, without names of columns."""
    return path.suffix == ".txt" and _LABEL.match(next(lines_of(path), "")) is not None


def _is_acceleration(path: Path, columns: CsvColumns) -> bool:
    name = stem(path).lower()
    # Activities may be light, too.
    is_other = name in OTHER_SENSORS and not (name == "light" and has_acceleration(path, columns))
    is_table = path.name.lower().endswith(_ENDINGS) and not is_other
    is_beside_table = path.suffix == ".txt" and any(exists(path.with_suffix(ending)) for ending in (".csv", ".csv.gz"))
    if not is_table or (is_beside_table and is_label_track(path)):
        return False
    return not any(exists(beside(path, other)) for other in _BETTER.get(name, ()))


def find_sources(
    files: Files, columns: CsvColumns, layout: str | None = None, manifest: str | Path | None = None
) -> tuple[Sources, list[str]]:
    """Finds CSV files, also in folders, and the person and activity of each, and doubts; DataFrames are passed on.
    `columns` name them, or the end of each path by a `layout`, or a `manifest`: a table of file, subject and activity.
    """
    several: list[Any] = [files] if isinstance(files, str | Path) or hasattr(files, "columns") else list(files)
    frames = [(source, columns) for source in several if not isinstance(source, str | Path)]
    paths = [Path(source) for source in several if isinstance(source, str | Path)]
    if manifest is not None:
        if layout is not None or paths:
            raise ZooError(f"{option('manifest', manifest)}: names the files; leave FILES and {option('layout')} out")
        listed, unread = _read_manifest(Path(manifest), columns)
        said = [f"columns of {manifest} that are not read: {', '.join(unread)}"] if unread else []
        return [*frames, *listed], said + _doubts(listed, is_laid_out=False)
    if not paths:
        if frames and layout is None:
            return frames, []
        raise ZooError(f"no files: pass CSV files or folders, or a table of files with {option('manifest')}")
    pattern = None if layout is None else layout_pattern(layout, _FIELDS)
    sources: dict[Path, tuple[Path, CsvColumns]] = {}
    unmatched, others, links = list[Path](), list[Path](), list[Path]()
    for path in paths:
        depths, files = dict[int, Path](), _files_in(path)
        others += [file for file in files if file != path and _is_of_another_kind(file)]
        links += dead_links_in(path)
        for file in (file for file in files if file == path or is_zip(file) or _is_acceleration(file, columns)):
            match = pattern and _match(pattern, file)
            if pattern and not match and not is_zip(file):
                unmatched.append(file)
                if file == path:
                    raise ZooError(f"{path}: does not match {option('layout', repr(layout))}")
                continue
            names = {} if layout is None or not match else _names_in(file, layout, match, columns.encoding)
            depth = len(file.relative_to(path).parts)
            # A table of people may lie above their folders.
            if match and depth and "/" in str(layout) and (depth in depths or has_acceleration(file, columns)):
                depths.setdefault(depth, file)
                if len(depths) > 1:
                    both = " and ".join(map(str, depths.values()))
                    cure = f"import them apart, or pass {option('manifest')}"
                    raise ZooError(f"{both} lie in folders of different depth, and {layout} fits one: {cure}")
            named = _named(columns, names)
            before, same = sources.setdefault(file.resolve(), (file, named))
            if named != same:
                raise ZooError(f"{file}: is the same file as {before}, of another person or activity: leave one out")
    if not sources:
        example = f": found {len(unmatched)} others, such as {unmatched[0]}" if unmatched else ""
        wanted = "no CSV file" if layout is None else f"no file that matches {option('layout', repr(layout))}"
        raise ZooError(f"{', '.join(map(str, paths))}: {wanted}{example}")
    doubts = _doubts(list(sources.values()), is_laid_out=layout is not None)
    doubts += _left_out_by_stars([file for file, _ in sources.values()], pattern, str(layout)) if pattern else []
    left = {f"{option('layout', repr(layout))} does not match": unmatched, "they are no CSV files": others,
            "they are links to folders, or to nothing": links}  # fmt: skip
    doubts += [f"left out, as {why}: {len(files)}, such as {files[0]}" for why, files in left.items() if files]
    return [*frames, *sources.values()], doubts


def _names_in(file: Path, layout: str, match: re.Match[str], encoding: str) -> dict[str, str]:
    """Who did what by the path of a file; refuses a zip file or a file of a sensor that is taken for one of them."""
    ending = "" if is_zip(file) else file.name.removeprefix(stem(file))
    names = {field: named_in(name.removesuffix(ending), encoding) for field, name in match.groupdict().items()}
    for field, name in names.items():
        taken = f"{file}: {option('layout', repr(layout))} takes {name} for"
        if name.lower().endswith(".zip"):
            raise ZooError(f"{taken} a name: write .zip after the field that it names, or name all folders of the path")
        if re.sub(r"[\W_]", "", name.lower()) in _SENSORS:
            cure = f"write {{{field}}} where the path has it, as in {_likely(file)!r}"
            raise ZooError(f"{taken} the {field}, though apps call the file of a sensor so: {cure}")
    return names


def _match(pattern: re.Pattern[str], file: Path) -> re.Match[str] | None:
    # A path of one part, such as ann.csv, may lie in a folder that the pattern names.
    # macOS writes letters and their accents apart.
    return pattern.search(unicodedata.normalize("NFC", file.absolute().as_posix()))


def _left_out_by_stars(files: Sequence[Path], pattern: re.Pattern[str], layout: str) -> list[str]:
    """Sentences about files that a star after a name reads as one: numbers may tell people apart, words activities."""
    cut: dict[tuple[str, str], dict[str, Path]] = {}
    for field in (field for field in _FIELDS if f"{{{field}}}*" in layout):
        for match, file in ((match, file) for file in files if (match := _match(pattern, file))):
            rest = re.sub(r"(\.\w+)+$", "", match.string[match.end(field) :].partition("/")[0])
            words = re.findall(r"^[\W_]*(\d+)" if field == "subject" else r"[^\W\d_]{2,}", rest)
            # Dates and the numbers of copies tell nobody apart.
            told = "" if re.search(r"\d{4}|^ ?\(\d+\)", rest) else " ".join(words)
            cut.setdefault((field, match[field]), {}).setdefault(told, file)
    wrong = "without what follows: if that is wrong, leave out the star after"
    return [
        f"{' and '.join(map(str, [*of.values()][:2]))} are read as one {field}, {name}, {wrong} {{{field}}}"
        for (field, name), of in cut.items() if len(of) > 1
    ]  # fmt: skip


def _files_in(path: Path) -> list[Path]:
    """The files in a folder and in its zip files, also those that are no tables; or the file itself."""
    # Of a name that is too long, Path.exists raises.
    if not (os.path.exists(path) or exists(path)):  # noqa: PTH110
        raise ZooError(f"{path}: no such file or folder")
    if not path.is_dir() and not is_zip(path):
        return [path]
    files = list[Path]()
    for place in files_in(path) if path.is_dir() else [path]:
        try:
            files += files_in(place) if is_zip(place) else [place]
        except ZooError:
            # Like any other file that cannot be read, it is one to be refused, or left out, when it is read.
            files.append(place)
    return files


def _is_of_another_kind(file: Path) -> bool:
    # Tables and zip files are read, but for a zip file within another one.
    if is_zip(file) or file.name.lower().endswith((*_ENDINGS, UNDO)) or stem(file).lower() in OTHER_SENSORS:
        return False
    # Also a copy of a table under an ending of its own, such as walk.csv.1 or walk.csv~.
    return file.suffix.lower() in _OTHERS or any(ending in file.name.lower() for ending in _ENDINGS)


_SIGNS = r"\s_.,;:#~+=@&(\[{-"
"""Signs that stand between a name and a number, in a regular expression."""


def layout_pattern(layout: str, fields: Sequence[str] = ()) -> re.Pattern[str]:
    """A layout as a regular expression of the end of a path, with groups for some fields, or for any."""
    layout = unicodedata.normalize("NFC", layout)
    # Two stars in a row mean what one does, and several of them within a name would take time without end.
    layout = re.sub(r"\*+", "*", layout)
    if max(part.count("*") for part in layout.split("/")) > _MOST_STARS:
        raise ZooError(f"{option('layout', repr(layout))}: expected at most {_MOST_STARS} stars between two slashes")
    parts = re.split(r"(\{[^}]*\}\*?|\*|\?)", layout)
    named = [part.strip("{}*") for part in parts if part.startswith("{")]
    # Where one of two that touch ends, nobody can say: S01walk1 is of S and walk, or of S01walk and 1.
    touch = re.search(r"\}[*?]*\{", layout)
    if fields and (not named or touch or len(set(named)) < len(named) or not set(named) <= set(fields)):
        raise ZooError(f"{option('layout', repr(layout))}: expected {{subject}} and {{activity}}, each once, with "
                       "a sign between them, as in '{subject}/{activity}*.csv'")  # fmt: skip
    expression = ""
    for part in parts:
        name = part.strip("{}*")
        if part.startswith("{") and part.endswith("*"):
            # What a star stands for after a name is a number, with signs before it and what follows it.
            expression += rf"(?P<{name}>[^\W\d_](?:[^\d/]*[^\d/{_SIGNS}])?)(?![^\W\d_])[{_SIGNS}]*(?:\d[^/]*)?"
        elif part.startswith("{"):
            expression += f"(?P<{name}>[^/]+?)"
        else:
            expression += {"*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(f"(?:^|/){expression}$", re.IGNORECASE)


def _named(columns: CsvColumns, names: Mapping[str, str]) -> CsvColumns:
    fields: dict[str, Any] = {field: f"={names[field].strip()}" for field in _FIELDS if field in names}
    fields |= {"unit": unit} if (unit := names.get("unit", "").strip()) else {}
    for field in fields:
        if named := getattr(columns, field):
            what = option(field, repr(named))
            raise ZooError(f"{what}: is named by the layout or the table of files, too: leave one out")
    return columns.replace(**fields)


def _read_manifest(path: Path, columns: CsvColumns) -> tuple[list[tuple[Path, CsvColumns]], list[str]]:
    """The files that a table lists, and its columns that are not read."""
    sources, table = [], Table(str(path), lines_of(path, columns.encoding))
    known = {recognized(field, table.names): field for field in _FIELDS}
    table.names = [known.get(name, name) for name in table.names]
    if unread := [name for name in _OF_ALL if name in table.names]:
        raise ZooError(f"{path}: column {unread[0]!r} is not read: pass {option(unread[0])}, for all files, without it")
    if not (rows := table.records("file")):
        raise ZooError(f"{path}: no rows below the line of column names: list the files there")
    for number, row in enumerate(rows, 1):
        where = f"{path}: row {number} below the names"
        for name in ("file", *_FIELDS):
            check_encoding(f"{where}: {name}", row.get(name, ""))
            if not row.get(name, "-").strip():
                raise ZooError(f"{where}: {name} is empty: fill it in")
        if (unit := row.get("unit", "").strip()) not in ("", UNIT, "g"):
            raise ZooError(f"{where}: unit is {shown(unit)}; expected {UNIT} or g")
        sources.append((path.parent / row["file"].strip(), _named(columns, row)))
    if missing := [str(file) for file, _ in sources if not exists(file)]:
        raise ZooError(f"{path}: no such file: {', '.join(missing)} (paths start at the folder of this table)")
    return sources, [name for name in table.names if name not in ("file", "unit", *_FIELDS)]


def _likely(path: Path) -> str:
    """A layout for the path of a file that an app has named, whose folder or zip file says who did what."""
    folder, packed = path.absolute().parent.name, ""
    if is_zip(path.parent):
        folder, packed = folder[:-4], folder[-4:]
    # As in ann/walk-2026-01-01/TotalAcceleration.csv and ann-walk-2026-01-01.zip/Raw Data.csv.
    words = re.match(r"[^\W\d_]+([ _-])([^\W\d_])?", folder)
    who = f"{{subject}}{words[1] if words and words[2] else '/'}{{activity}}"
    return f"{who}{(words[1] if not words[2] else '') + '*' if words else ''}{packed}/{path.name}"


def _advice(likely: str, is_laid_out: bool) -> str:
    layout = option("layout", repr(likely))
    return f"change the layout, as to {likely!r}" if is_laid_out else f"pass {layout}"


def all_read_as(field: str, name: str, files: Sequence[Path], *, is_laid_out: bool = False) -> list[str]:
    """A sentence about files of several folders, or some of whose names alone have the name that all are read as."""
    folders = len({path.absolute().parent for path in files})
    # As a word: the person a is not named in walking.csv.
    word = re.compile(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])", re.IGNORECASE)
    others = [path for path in files if folders > 1 or not word.search(path.stem)]
    if folders < 2 and len(others) in (0, len(files)):
        return []
    likely, of = f"{{{field}}}*.csv", ""
    if folders > 1:
        likely, of = "{subject}/{activity}*.csv", f" of {folders} folders"
        likely = _likely(files[0]) if len({path.name for path in files}) == 1 else likely
    elif words := re.match(r"[^\W_]+([ _-])[^\W\d_]", others[0].name):
        likely = f"{{subject}}{words[1]}{{activity}}*.csv"
    example = others[0] if folders > 1 else others[0].name
    what = f"all {len(files)} files{of} are read as the {field} {name}, including {example}"
    return [f"{what}; if that is wrong, {_advice(likely, is_laid_out)}"]


def _doubts(sources: Sequence[tuple[Path, CsvColumns]], *, is_laid_out: bool) -> list[str]:
    """Sentences about files that are all said to be of one person or activity, though their names say otherwise.

    Where paths are laid out already, a layout is not to be passed, but to be changed.
    """
    # A zip file among them cannot be unpacked.
    sources = [(path, columns) for path, columns in sources if not is_zip(path)]
    doubts = []
    for field in _FIELDS:
        names = {getattr(columns, field) or "" for _, columns in sources}
        if len(names) == 1 and (name := names.pop()).startswith("="):
            doubts += all_read_as(field, name[1:], [path for path, _ in sources], is_laid_out=is_laid_out)
    activities = {columns.activity or "" for _, columns in sources}
    labels = sorted(name[1:] for name in activities if name.startswith("="))
    # As where a layout lacks the star after {activity}.
    bare = [re.sub(r"[ _-]*\(?\d+\)?$", "", label) for label in labels]
    pairs = zip(pairwise(labels), pairwise(bare), strict=True)
    if pair := next((pair for pair, (one, two) in pairs if one == two != ""), None):
        advice = f"{_advice('{subject}/{activity}*.csv', is_laid_out)}, with a star"
        doubts.append(f"{' and '.join(pair)} are read as two activities; if their numbers count recordings, {advice}")
    return doubts
