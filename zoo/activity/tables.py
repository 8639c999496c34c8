"""From bytes to rows of text: CSV files, in folders or zip files, packed or not, in any of several encodings.

Python's `csv` reads each row as it stands. pandas, asked for text, takes twice as long, .45 s of CPU instead of .22 s
for a million fields, and half a second to import; it pads short rows, cuts long ones, ends a field at a NUL, and does
not report a quote that is not closed.
"""

import codecs
import csv
import gzip
import hashlib
import io
import lzma
import os
import re
import struct
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from zoo.errors import StorageError, ZooError, option, printable
from zoo.files import require_file

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 1024
"""Rows that are turned into columns at once. More leave the processor's cache: 16,384 take twice as long."""
_FRAME_ROWS = 100_000
"""Rows of a DataFrame that are written as text at once."""
_PART = 1 << 16
"""Letters of a file that are decoded at once."""
_LONGEST = 1 << 20
"""Letters of the longest line, of which csv refuses a field of more than 131,072."""
_LISTED = 600
"""Letters of the names of columns that a message lists."""
_SEEN = 1000
"""Bytes at the start in which a NUL shows that a file is no text."""
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, NotImplementedError,
    RuntimeError, ValueError, OverflowError, KeyError,
)  # fmt: skip
"""What is raised for packed files that are damaged, encrypted, or packed by an unknown method."""


def is_zip(path: Path) -> bool:
    """Whether a path is that of a zip file, which is read like a folder."""
    # Of a name that is too long, Path.is_file raises.
    return path.suffix.lower() == ".zip" and os.path.isfile(path)  # noqa: PTH113


def files_in(path: Path) -> list[Path]:
    """The files in a folder or, as `ann.zip/walk.csv`, in a zip file, in their order, without hidden ones."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    else:
        require_file(path)
        files = sorted(_opened(path)[1])
    return _visible(path, files)


def dead_links_in(path: Path) -> list[Path]:
    """The links in a folder to other folders, into which `files_in` does not go, or to nothing."""
    return _visible(path, sorted(link for link in path.rglob("*") if link.is_symlink() and not link.is_file()))


def _visible(path: Path, files: Iterable[Path]) -> list[Path]:
    # Systems and editors hide theirs, and so does whoever is still writing one.
    parts = ((file, file.relative_to(path).parts) for file in files)
    return [file for file, names in parts if not any(name[0] == "." or name == "__MACOSX" for name in names)]


def exists(path: Path) -> bool:
    """Whether there is such a file, on the disk or in a zip file."""
    archive = next(filter(is_zip, path.parents), None)
    return os.path.isfile(path) if archive is None else path in _opened(archive)[1]  # noqa: PTH113


_last = threading.local()
"""The zip file that a thread read last, which stays open: reading its directory for each of 300 files takes 1 s."""


def close_archive() -> None:
    """Closes the zip file that was read last, also where an error keeps a file in it open."""
    if "archive" in vars(_last):
        archive, file = _last.archive, _last.archive.fp
        vars(_last).clear()
        archive.close()
        if file is not None:
            file.close()


def _opened(path: Path) -> tuple[zipfile.ZipFile, dict[Path, zipfile.ZipInfo]]:
    if (key := (path, path.stat().st_mtime_ns)) == getattr(_last, "key", None):
        return _last.archive, _last.members
    close_archive()
    try:
        archive = zipfile.ZipFile(path)
    except (*_DAMAGE, OSError) as error:
        raise StorageError(f"{path}: cannot be unpacked ({error}): copy it again, or unpack it first") from error
    members = [(_member_name(entry), entry) for entry in archive.infolist() if not entry.is_dir()]
    for name, count in Counter(name for name, _ in members).items():
        if count > 1:
            raise ZooError(f"{path}: holds {name} twice: leave one of them out")
        if name.startswith("/") or ".." in name.split("/"):
            raise ZooError(f"{path}: holds {name}, which lies outside of it: unpack it first")
    _last.key, _last.archive, _last.members = key, archive, {path / name: entry for name, entry in members}
    return _last.archive, _last.members


def _member_name(entry: zipfile.ZipInfo) -> str:
    # Some programs of Windows write the separator of Windows.
    name = entry.filename.replace("\\", "/")
    if entry.flag_bits & 0x800 or name != entry.orig_filename.replace("\\", "/"):
        return name
    # Not said to be UTF-8, it was read as cp437. Many programs write UTF-8 all the same, others that of their system.
    return name.encode("cp437").decode("utf-8", "surrogateescape")


def _open(path: Path) -> IO[bytes] | gzip.GzipFile:
    if (archive := next(filter(is_zip, (path, *path.parents)), None)) is not None:
        opened, members = _opened(archive)
        if path == archive:
            raise ZooError(f"{path}: a zip file; name a file in it, or import it as a folder")
        member = opened.open(members[path])
        return gzip.open(member) if path.suffix.lower() == ".gz" else member
    require_file(path)
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def digest(path: Path) -> str:
    """The SHA-256 of what a file holds, on the disk or in a zip file."""
    try:
        with _open(path) as file:
            return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except _DAMAGE as error:
        raise StorageError(f"{path}: cannot be unpacked ({str(error)[:200]}): unpack it first") from error


def modified(file: Path) -> float:
    """When a file, or the zip file that it is in, was last changed."""
    real = next(filter(is_zip, file.parents), file)
    return real.stat().st_mtime if real.exists() else 0.0


def name_of(source: "str | Path | pd.DataFrame", number: int | None = None) -> str:
    """What a file is called in messages, or a DataFrame, of which there may be several, from number 1 on."""
    return str(source) if isinstance(source, str | Path) else f"DataFrame {number or ''}".rstrip()


def _is_utf8(path: Path) -> bool:
    with suppress(UnicodeDecodeError), _open(path) as file:
        for _ in codecs.iterdecode(iter(partial(file.read, _PART), b""), "utf-8"):
            pass
        return True
    return False


def _is_unicode(text: str) -> bool:
    """Whether no byte was kept as it stood in the file."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _decoded(text: str, encoding: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode(encoding, "replace")


def named_in(text: str, encoding: str) -> str:
    """A name in a path in the encoding of its files, if there is one and its bytes are not UTF-8."""
    if encoding and not _is_unicode(text):
        with suppress(UnicodeDecodeError):
            return text.encode("utf-8", "surrogateescape").decode(encoding)
    return text


def check_encoding(where: str, text: str) -> None:
    """Refuses a name with bytes that are not UTF-8: the same bytes are other letters in each of several encodings."""
    if not _is_unicode(text):
        # Windows packs files under names of another encoding than that of texts.
        likely = (*(("cp437",) if ".zip" in where.lower() else ()), "cp1252", "cp1250", "cp1251")
        names = ", ".join(f"{_decoded(text, name)!r} in {name}" for name in likely)
        raise ZooError(
            f"{where}: not in UTF-8; it is {names}: pass {option('encoding', 'cp1252')}, or the one that fits"
        )


def lines_of(source: "Path | pd.DataFrame", encoding: str = "") -> Iterator[str]:
    """The lines of a file, with any line ends, with or without a byte order mark; or of a DataFrame.

    A file that is neither UTF-8 nor UTF-16 is in `encoding`. If that is not stated, its bytes are kept, since most
    files have them in the names of columns alone, and `check_encoding` refuses them in other names.
    """
    if not isinstance(source, Path):
        # An index that has a name, such as time, is a column, unless it is one already.
        named = [name for name in source.index.names if name and name not in source.columns]
        source = source.reset_index(named) if named else source
        # Written as text, which keeps all digits, a DataFrame is read and checked like a file.
        for start in range(0, max(1, len(source)), _FRAME_ROWS):
            yield from io.StringIO(source.iloc[start : start + _FRAME_ROWS].to_csv(index=False, header=not start))
        return
    try:
        with _open(source) as file:
            binary = io.BufferedReader(cast(io.RawIOBase, file))
            seen = binary.peek(_SEEN)[:_SEEN]
            marks, errors = seen[:4], "strict"
            if marks[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                encoding = "utf-16" if any(marks[2:]) else "utf-32"
            elif len(marks) == 4 and marks.count(0) == 2 and (not any(marks[::2]) or not any(marks[1::2])):
                encoding = "utf-16-le" if marks[0] else "utf-16-be"
            elif 0 in seen:
                raise ZooError(f"{source}: not text; expected a CSV file")
            elif not encoding or _is_utf8(source):
                encoding, errors = "utf-8-sig", "surrogateescape"
            text, rest = io.TextIOWrapper(binary, encoding, errors), ""
            while part := text.read(_PART):
                # Splitting a part takes half the time of reading its lines.
                *lines, rest = io.StringIO(rest + part)
                yield from lines
                # A file without line ends must not fill the memory.
                if rest[-1] == "\n" or len(rest) > _LONGEST:
                    yield rest
                    rest = ""
            if rest:
                yield rest
    except UnicodeError as error:
        raise ZooError(f"{source}: not text in {encoding} ({error}): save it as UTF-8") from None
    except OSError as error:
        raise StorageError(f"{source}: cannot be read ({error.strerror or error})") from error
    except _DAMAGE as error:
        raise StorageError(f"{source}: cannot be unpacked ({str(error)[:200]}): unpack it first") from error


def fields_of(line: str, mark: str) -> list[str]:
    """The fields of one line. A quote that is not closed ends with it."""
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        # A field is longer than any field may be.
        return []


def listed_names(names: Sequence[str]) -> str:
    """Names of columns in a message; what is no table may have its whole text there."""
    text = printable(", ".join(names)) or "nothing"
    return text if len(text) <= _LISTED else f"{text[:_LISTED]}..."


def numbers(fields: Sequence[str], *, comma: bool = False) -> NDArray[np.float64]:
    """Fields as numbers, with a decimal point or, if `comma`, a comma; NaN where a field is empty."""
    if comma:
        fields = [field.replace(",", ".") for field in fields]
    text = "".join(fields)
    # Python also takes 1_000, and the digits of all scripts.
    if "_" in text or not text.isascii():
        raise ValueError(text[:40])
    fields = fields if all(fields) else [field or "nan" for field in fields]
    return np.fromiter(map(float, fields), np.float64, len(fields))


def number_or_nan(field: str, *, comma: bool = False) -> float:
    """One field as a number, or NaN where it is none."""
    try:
        return float(numbers([field], comma=comma)[0])
    except ValueError:
        return np.nan


_ABOVE = re.compile(r'[ \t]*|(?P<comment>#.*)|"?sep=(?P<mark>[,;\t])"?[,;\t]*', re.IGNORECASE)
"""What may stand above the names of columns: empty lines, comments, and the separator, which Excel takes from there."""


def heading(lines: Iterable[str]) -> tuple[str, str, Iterator[str]]:
    """The line of column names, below comments and empty lines, or empty; the separator; and the lines below it."""
    comment, mark, rest = "", "", iter(lines)
    for line in rest:
        if (above := _ABOVE.fullmatch(line.rstrip("\r\n"))) is None:
            break
        comment, mark = above["comment"] or comment, above["mark"] or mark
    else:
        line = ""
    bare = comment.lstrip("# ")
    if bare and all(np.isfinite(number_or_nan(field)) for field in re.split("[,;\t]", line.strip())):
        # NumPy writes the names as a comment.
        line, rest = bare, chain([line], rest)
    if not _is_unicode(line):
        # Older programs of Windows write the signs of units so.
        line = _decoded(line, "cp1252")
    return line, mark or max(",;\t", key=lambda sign: len(fields_of(line, sign))), rest


class Table:
    """Lines of CSV, from `where`: the names of the columns, and the rows below them as text, read when asked for."""

    def __init__(self, where: str, lines: Iterable[str]) -> None:
        self.where = where
        line, self.separator, rest = heading(lines)
        self._reader = csv.reader(chain([line], rest), delimiter=self.separator, strict=True)
        try:
            self.names = [name.strip() for name in next(self._reader)]
            """The names of the columns."""
        except csv.Error as error:
            raise _unreadable(f"{where}: the line of column names", error) from None
        if not any(self.names):
            raise ZooError(f"{where}: empty; expected a line of column names, and rows")

    def blocks(self) -> Iterator[list[list[str]]]:
        """The rows, some at a time. Empty lines, and comments, which begin with # and have no separator, are none."""
        width, count, block = len(self.names), 0, list[list[str]]()
        while True:
            try:
                # What is appended before an error says which row is wrong.
                block.extend(islice(self._reader, _BLOCK))
            except csv.Error as error:
                raise _unreadable(f"{self.where}: row {count + len(block) + 1} below the names", error) from None
            if not block:
                return
            if {*map(len, block)} != {width}:
                block = [row for row in block if row and not (len(row) == 1 and row[0].startswith("#"))]
                for row, fields in enumerate(block, count + 1):
                    if len(fields) != width:
                        wrong = f"{width} column names, but row {row} below them has {len(fields)} fields"
                        raise ZooError(f"{self.where}: {wrong}")
            if block:
                yield block
            count, block = count + len(block), []

    def records(self, *needed: str, cure: str = "name it so") -> list[dict[str, str]]:
        """All rows, each as its fields by the names of the columns; refuses a table without one of each `needed`."""
        if wrong := [name for name in needed if self.names.count(name) != 1]:
            what, cure = ("two columns", "rename one") if wrong[0] in self.names else ("no column", cure)
            raise ZooError(f"{self.where}: {what} {wrong[0]!r}; found {listed_names(self.names)}: {cure}")
        return [dict(zip(self.names, row, strict=True)) for block in self.blocks() for row in block]


def _unreadable(where: str, error: csv.Error) -> ZooError:
    if "field larger" in str(error):
        most = csv.field_size_limit()
        return ZooError(f"{where} has a field of more than {most} letters: is a quote not closed?")
    return ZooError(f"{where}: {error}: a quote is not closed, or stands within a field")
