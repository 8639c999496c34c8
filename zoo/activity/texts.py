"""Texts of CSV: files are unpacked, decoded, and read in blocks of whole lines; below the names of columns are rows."""

import codecs
import csv
import gzip
import io
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.errors import StorageError, ZooError
from zoo.files import require_file

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 1 << 23
"""Bytes of a block of a file. Half of it reads as fast, a tenth takes a quarter longer."""
_FRAME_ROWS = 100_000
"""The same for rows of a DataFrame."""
_SEEN = 1000
"""Letters at the start in which a NUL shows that a file is no text."""


def separator(line: str) -> str:
    """The separator of a line of column names: the one that divides it into most fields.

    Example:
        >>> separator('"Time (s)";"Acceleration x (m/s^2)"'), separator("time,x,y,z")
        (';', ',')
    """
    try:
        return max(",;\t", key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))
    except csv.Error:
        # A name is longer than any name may be.
        return ","


def number(field: str, decimal: str) -> float:
    """A number with a decimal point, or, if `decimal` is one, a comma."""
    if "_" in field or not field.isascii():
        raise ValueError(field)
    return float(field.replace(",", ".") if decimal == "," else field)


def number_or_nan(field: str, decimal: str = ".") -> float:
    """The same number, or NaN where there is none."""
    try:
        return number(field, decimal)
    except ValueError:
        return np.nan


def csv_rows(where: str, text: str, mark: str | None = None, line: int = 0) -> Iterator[list[str]]:
    """The rows of a text of CSV, the names of its columns first. `line` lines stand before it."""
    reader = csv.reader(io.StringIO(text), delimiter=mark or separator(text.partition("\n")[0]), strict=True)
    begun = line + 1
    try:
        for row in reader:
            begun = line + reader.line_num + 1
            if row or reader.line_num == 1:
                yield row
    except csv.Error as error:
        if "field larger" in str(error):
            raise ZooError(
                f"{where}: line {begun} has a field of more than {csv.field_size_limit()} letters: is a quote not "
                "closed?"
            ) from None
        raise ZooError(f"{where}: line {begun}: {error}: a quote is not closed, or stands within a field") from None


class Opening(NamedTuple):
    """The separator, the names of the columns, the text below them, and how many lines that is from the first one."""

    mark: str
    names: list[str]
    rows: str
    lines: int


ABOVE = re.compile(r'(?:(?:[ \t]*|(?P<comment>#.*)|"?sep=(?P<mark>[,;\t])"?[,;\t]*)\n)*', re.IGNORECASE)
"""What may stand above the names of columns: empty lines, comments, and the separator, which Excel takes from there."""


def opening(where: str, text: str) -> Opening:
    """The names of columns with which a text of CSV begins, and what is below them."""
    if "\0" in text[:_SEEN]:
        raise ZooError(f"{where}: not text; expected a CSV file")
    above = ABOVE.match(text)
    start = above.end() if above else 0
    line, comment = text[start:].partition("\n")[0], above["comment"] if above else None
    fields = map(number_or_nan, re.split("[,;\t]", line))
    if comment and (bare := comment.lstrip("# ")) and all(map(np.isfinite, fields)):
        # NumPy writes the names as a comment.
        text, start = f"{bare}\n{text[start:]}", 0
        line = bare
    mark = above["mark"] if above and above["mark"] else separator(line)
    reader = csv_rows(where, text[start:], mark)
    names = [name.strip() for name in next(reader, [])]
    if not any(names):
        raise ZooError(f"{where}: empty; expected a line of column names, and rows")
    # A quoted name may hold line ends.
    lines = 1 + sum(name.count("\n") for name in names)
    rest = text[start:].split("\n", lines)
    return Opening(mark, names, rest[lines] if len(rest) > lines else "", text.count("\n", 0, start) + lines)


DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, NotImplementedError,
    RuntimeError, ValueError, OverflowError, KeyError, OSError,
)  # fmt: skip
"""What is raised for packed files that are damaged, encrypted, or packed by a method that is not known."""


def zip_of(path: Path) -> Path | None:
    """The zip file that a path leads through, such as `ann.zip` of `ann.zip/walk.csv`."""
    return next((each for each in path.parents if each.suffix.lower() == ".zip" and os.path.isfile(each)), None)  # noqa: PTH113


def members(path: Path) -> tuple[Path, ...]:
    """The files in a zip file, each as a path that leads through it."""
    return _listed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _listed(path: Path, _: int) -> tuple[Path, ...]:
    with _reading(path), zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ZooError(f"{path}: holds {twice[0]} twice: leave one of them out")
    if outside := [name for name in names if name.startswith("/") or ".." in name.split("/")]:
        raise ZooError(f"{path}: holds {outside[0]}, which lies outside of it: unpack it first")
    return tuple(path / name for name in sorted(names))


def exists(path: Path) -> bool:
    """Whether there is such a file, on the disk or in a zip file."""
    archive = zip_of(path)
    # Of a name that is too long, Path.is_file raises.
    return os.path.isfile(path) if archive is None else path in members(archive)  # noqa: PTH113


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise ZooError(f"{path}: not text in UTF-8, UTF-16 or Windows-1252 ({error}): save it as UTF-8") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except DAMAGE as error:
        raise StorageError(f"{path}: cannot be unpacked ({str(error)[:200]}): unpack it first") from error


@contextmanager
def _unpacked(path: Path) -> Iterator[Any]:
    """A file, unpacked if its name ends in .gz, or one in a zip file."""
    if (archive := zip_of(path)) is not None:
        with zipfile.ZipFile(archive) as packed, packed.open(path.relative_to(archive).as_posix()) as file:
            yield file
        return
    require_file(path)
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        yield file


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Decodes what is not UTF-8 as older programs of Windows write it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    try:
        return error.object[error.start : error.end].decode("cp1252"), error.end
    except UnicodeDecodeError:
        raise error from None


codecs.register_error("zoo.windows", _as_windows)


def blocks(path: "Path | pd.DataFrame") -> Iterator[str]:
    """The text of a file in blocks of whole lines, with any line ends, with or without a byte order mark."""
    if not isinstance(path, Path):
        # Written as text, which keeps all digits, a DataFrame is read and checked like a file.
        for start in range(0, max(1, len(path)), _FRAME_ROWS):
            yield path[start : start + _FRAME_ROWS].to_csv(index=False, header=not start)
        return
    with _reading(path), _unpacked(path) as binary:
        seen = binary.peek(4)[:4]
        encoding = "utf-8-sig"
        if seen[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
        elif len(seen) == 4 and seen.count(0) == 2 and (not any(seen[::2]) or not any(seen[1::2])):
            encoding = "utf-16-le" if seen[0] else "utf-16-be"
        text, is_first = io.TextIOWrapper(binary, encoding, "strict" if "16" in encoding else "zoo.windows"), True
        rest = ""
        while (more := text.read(_BLOCK)) or is_first:
            rest += more
            cut = len(rest) if len(more) < _BLOCK else rest.rfind("\n") + 1
            # A quoted field may hold line ends. One that is not closed is found by whoever reads the block.
            if len(more) == _BLOCK and (not cut or rest.count('"', 0, cut) % 2) and len(rest) < 4 * _BLOCK:
                continue
            yield rest[: cut or None]
            rest, is_first = rest[cut:] if cut else "", False
        if rest:
            yield rest
