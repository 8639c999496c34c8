"""Texts of published studies, from a zip file or a folder: the only module that opens zip files."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import StorageError, ZooError
from zoo.files import read_text

_LONGEST_REASON = 200
_MOST_BYTES = 1 << 29
"""Largest text that is read. That of the largest study has 60 MB."""

_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, NotImplementedError,
    RuntimeError, ValueError, OverflowError, OSError,
)  # fmt: skip
"""What `zipfile` raises for files that are damaged, encrypted, or packed by a method that it does not know."""


def names_in(source: Path) -> list[str]:
    """Lists the files in a zip file or a folder, sorted.

    Raises:
        ZooError: If it is neither.
    """
    if source.is_dir():
        return sorted(str(path.relative_to(source)) for path in source.rglob("*") if not path.is_dir())
    with _opened(source) as archive:
        return sorted(name for name in archive.namelist() if "__MACOSX" not in name and not name.endswith("/"))


def texts_in(source: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Reads files of a zip file or a folder, each with its name.

    Args:
        source: Zip file or folder.
        names: Some of `names_in(source)`.

    Raises:
        ZooError: If a file is damaged, encrypted, too large, or not UTF-8 text.
    """
    if source.is_dir():
        yield from ((name, read_text(source / name, _MOST_BYTES)) for name in names)
        return
    with _opened(source) as archive:
        for name in names:
            yield name, _member(source, archive, name)


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        is_file = stat.S_ISREG(source.stat().st_mode)
    except FileNotFoundError:
        raise ZooError(f"{source}: no such file or folder") from None
    if not is_file or not zipfile.is_zipfile(source):
        raise ZooError(f"{source}: not a zip file or a folder")
    try:
        archive = zipfile.ZipFile(source)
    except _DAMAGE as error:
        raise StorageError(f"{source}: damaged zip file: copy it again ({error})") from error
    with archive:
        yield archive


def _member(source: Path, archive: zipfile.ZipFile, name: str) -> str:
    try:
        with archive.open(name) as file:
            # What the archive says about the size may be wrong.
            content = file.read(_MOST_BYTES + 1)
    except _DAMAGE as error:
        reason = "is encrypted: unpack it first" if "encrypted" in str(error) else f"damaged: copy {source} again"
        raise StorageError(f"{source}: {name}: {reason} ({str(error)[:_LONGEST_REASON]})") from error
    if len(content) > _MOST_BYTES:
        raise ZooError(f"{source}: {name}: more than {_MOST_BYTES} bytes when unpacked; expected a text of a study")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ZooError(f"{source}: {name}: not UTF-8 text ({error.reason} at byte {error.start})") from None
