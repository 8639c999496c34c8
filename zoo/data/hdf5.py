"""The only module that uses h5py: the layouts, checked reading in blocks, atomic writing.

Layouts are those of the course project, named after their tasks, and one of our own for recordings that are not yet cut
into windows. h5py must not be called by several threads at once, so each access holds one lock.
"""

import errno
import hashlib
import math
import mmap
import os
import shutil
import struct
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from zoo.data.examples import Sliceable
from zoo.errors import StorageError, ZooError
from zoo.families import TASKS
from zoo.files import atomic_write, exclusive, require_file

_LOCK = threading.RLock()
_SPARE_BYTES = 4 << 20
_SOURCE_LETTERS = 1000

TEXT = h5py.string_dtype()
"""The type of a data set of UTF-8 text."""


class Key(NamedTuple):
    """What a layout expects of one data set.

    Args:
        name: Its key in the file.
        shape: A digit for each size that is fixed, a letter where it is free; equal letters are equal sizes.
        kind: A key of `_KINDS`.
        optional: Whether the key may be missing.
    """

    name: str
    shape: str
    kind: str = "number"
    optional: bool = False


LAYOUTS: dict[str, tuple[Key, ...]] = {
    "activity": (
        Key("trX", "NTC"), Key("trY", "NK"), Key("tstX", "MTC", optional=True), Key("tstY", "MK", optional=True),
        Key("trS", "N", "id", True), Key("tstS", "M", "id", True), Key("trStudy", "N", "text", True),
        Key("tstStudy", "M", "text", True), Key("trPosition", "N", "text", True), Key("tstPosition", "M", "text", True),
    ),
    "text": (
        Key("trainx", "N3", "integer"), Key("traind", "N", "integer"), Key("valx", "M3", "integer"),
        Key("vald", "M", "integer"), Key("testx", "L3", "integer"), Key("testd", "L", "integer"),
        Key("words", "V", "text"),
    ),
    "patches": (
        Key("data", "N3SS"), Key("source", "N", "integer", True), Key("source_names", "P", "text", True),
    ),
    "recordings": (
        Key("acceleration", "R3"), Key("rotation", "R3", optional=True), Key("offsets", "O", "integer"),
        Key("subject", "M", "text"), Key("activity", "M", "text"), Key("rate", "M"), Key("name", "M", "text"),
        Key("study", "M", "text", True), Key("position", "M", "text", True), Key("device", "M", "text", True),
        Key("orientation", "M", "text", True), Key("trimmed", "M", optional=True),
    ),
}  # fmt: skip
"""The keys of each layout, as docs/layouts.md explains them. The layout of a task has its name."""


@cache
def layouts() -> dict[str, tuple[Key, ...]]:
    """`LAYOUTS`, and those that other tasks declare: `LAYOUT` in the module `data` of the folder of a task."""
    others = (task for task in TASKS if task not in LAYOUTS)
    return LAYOUTS | {task: import_module(f"zoo.{task}.data").LAYOUT for task in others}


_KINDS = {
    "number": ("fiu", "numbers"), "integer": ("iu", "whole numbers"), "text": ("SOU", "text"),
    "id": ("iuSOU", "whole numbers or text"),
}  # fmt: skip
"""The types that a kind allows, as NumPy's letters and in words."""

_MAKERS = {"activity": "windows", "text": "make text", "patches": "make patches", "recordings": "import"}
"""Commands of `zoo data`."""

_ROW_BYTES, _CHUNK_BYTES, _MEMORY_BYTES, _TEXT_LENGTH, _SEARCHED_BYTES = 1 << 24, 1 << 28, 1 << 30, 1000, 1 << 30
"""The most that a row takes; a chunk, which is read as a whole; a data set of ids or words, likewise, in memory; a
word, in characters; and how much of a file is searched for damage."""

_FROM_CSV = "`zoo data import csv`, then `zoo data windows`"
_RAW = {
    ".csv": f"is a CSV file: make data of it with {_FROM_CSV}",
    ".tsv": f"is a table: make data of it with {_FROM_CSV}",
    ".txt": f"is text: make data of it with `zoo data make text`, or of recordings with {_FROM_CSV}; "
    "patches are made of photographs, with `zoo data make patches`",
    **dict.fromkeys((".png", ".jpg", ".jpeg"), "is a picture: make data of it with `zoo data make patches`"),
}
"""What is not a data file yet, by its suffix, and what makes it one."""


@contextmanager
def open_file(path: Path) -> Iterator[h5py.File]:
    """Opens a file for reading, under the lock. What is missing, no HDF5 or damaged is named in one line."""
    with _LOCK, _damage(path):
        if os.path.isdir(path):  # noqa: PTH112  # of a name that is too long, Path.is_dir raises
            tables = any(next(path.glob(f"{inside}*.[cC][sS][vV]"), None) for inside in ("", "*/"))
            advice = f": make data of its CSV files with {_FROM_CSV}" if tables else ""
            raise ZooError(f"{path}: is a folder, not a file{advice}")
        require_file(path)
        if not h5py.is_hdf5(path):
            expected = f"not an HDF5 file; expected one of the layouts {', '.join(layouts())}"
            raise ZooError(f"{path}: {_RAW.get(path.suffix.lower(), expected)}")
        _check_heaps(path, path.stat().st_mtime_ns)
        with h5py.File(path, "r") as file:
            yield file


@lru_cache(maxsize=64)
def _check_heaps(path: Path, modified: int) -> None:
    """Refuses a file in which HDF5 would read for ever: an entry of no size in a heap, where texts are.

    Of a large file, the start is checked. `modified`, the time of its last change, has a changed one checked again.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = -1
        while (place := content.find(b"GCOL\1\0\0\0", place + 1, _SEARCHED_BYTES)) >= 0:
            entry = place + 16
            end = min(place + int.from_bytes(content[place + 8 : entry], "little"), len(content)) - 16
            while entry <= end:
                number, size = struct.unpack_from("<H6xQ", content, entry)
                # As HDF5 computes it, in 64 bits.
                step = (16 + (size + 7) // 8 * 8 if number else size) % 2**64
                if step == 0:
                    raise ZooError(f"{path}: damaged: copy it again (a heap of text at byte {place})")
                entry += step


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Names the file where HDF5 cannot read a part of it, whatever h5py raises then."""
    try:
        yield
    except (
        OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError, AttributeError,
    ) as error:  # fmt: skip
        if "truncated" in str(error):
            raise StorageError(f"{path}: cannot be read as HDF5 (truncated: copy it again)") from error
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise StorageError(f"{path}: damaged: copy it again ({reason})") from error


def _dataset(path: Path, file: h5py.File, key: str) -> h5py.Dataset:
    """A data set whose values are in the file itself: a file from elsewhere must not read others on this machine."""
    link = file.get(key, getlink=True)
    if link is None:
        raise ZooError(f"{path}: no key '{key}'; found {_listing(file)}")
    if not isinstance(link, h5py.HardLink):
        kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a symbolic link"
        raise ZooError(f"{path}: key '{key}' is {kind}; expected a data set in the file itself")
    item = file[key]
    if not isinstance(item, h5py.Dataset):
        raise ZooError(f"{path}: key '{key}' is a group; expected a data set")
    if item.is_virtual or item.external:
        kind = "a virtual data set" if item.is_virtual else "stored in another file"
        raise ZooError(f"{path}: key '{key}' is {kind}; expected its values in the file itself")
    return item


def _listing(keys: Any) -> str:
    return ", ".join(sorted(keys)) or "nothing"


def is_hdf5(path: Path) -> bool:
    """Whether a file exists and is HDF5."""
    with _LOCK, _damage(path):
        return path.is_file() and bool(h5py.is_hdf5(path))


def identify(path: Path) -> str:
    """The layout of a file: the first of those of which it has the largest share of the keys that are needed."""
    with open_file(path) as file:
        found = {name for name in file if isinstance(name, str)}
    shares = {}
    for name, keys in layouts().items():
        needed = {key.name for key in keys if not key.optional}
        shares[name] = len(needed & found) / len(needed)
    layout = max(shares, key=shares.__getitem__)
    if not shares[layout]:
        raise ZooError(f"{path}: has keys {_listing(found)}; none of the layouts {', '.join(layouts())} uses them")
    return layout


def check(path: Path, layout: str) -> dict[str, int]:
    """Checks keys, shapes and types of a file against a layout, without reading the data.

    Returns the sizes that the layout's letters have in this file.
    """
    sizes: dict[str, int] = {}
    make = f"make it with `zoo data {_MAKERS[layout]}`" if layout in _MAKERS else "make it again"
    with open_file(path) as file:
        there = {name for name in file if isinstance(name, str)}
        for key in layouts()[layout]:
            if key.name not in there:
                if key.optional:
                    continue
                for other, keys in layouts().items():
                    if all(key.name in there or key.optional for key in keys):
                        raise ZooError(f"{path}: is in the {other} layout; expected {layout}: {make}")
                raise ZooError(f"{path}: no key '{key.name}' in the {layout} layout; found {_listing(there)}: {make}")
            item, where = _dataset(path, file, key.name), f"{path}: key '{key.name}'"
            letters, words = _KINDS[key.kind]
            is_text = item.dtype.kind != "O" or h5py.check_string_dtype(item.dtype) is not None
            if item.dtype.kind not in letters or not is_text:
                raise ZooError(f"{where} holds {item.dtype}; expected {words}: {make}")
            if item.shape is None:
                raise ZooError(f"{where} is empty; expected at least one row")
            known = dict(sizes)
            if len(item.shape) != len(key.shape) or any(
                have != (int(size) if size.isdigit() else known.setdefault(size, have))
                for size, have in zip(key.shape, item.shape, strict=True)
            ):
                expected = ", ".join(str(sizes.get(size, size)) for size in key.shape)
                words = f"({expected}{',' if len(key.shape) == 1 else ''})"
                raise ZooError(f"{where} has shape {item.shape}; expected {words}: {_advice(layout, item.shape, make)}")
            if 0 in item.shape:
                raise ZooError(f"{where} is empty (shape {item.shape}); expected at least one row")
            sizes = known
            # Such as 10^9 rows that were declared and never written.
            whole = item.chunks is None or item.id.get_num_chunks() >= -(-item.shape[0] // item.chunks[0])
            if item.id.get_storage_size() == 0 or not whole:
                raise ZooError(f"{where} declares {item.shape[0]} rows that are not in the file: copy it again")
            # A text that is stored elsewhere in the file takes 64 bytes or more as an object.
            size = item.size * (64 if item.dtype.kind == "O" else item.dtype.itemsize)
            most = _MEMORY_BYTES if key.kind != "number" else _ROW_BYTES * item.shape[0]
            if size > most:
                raise ZooError(f"{where} takes {size} bytes; expected at most {most}")
            chunk = math.prod(item.chunks or ()) * item.dtype.itemsize
            if chunk > _CHUNK_BYTES:
                raise ZooError(f"{where} has chunks of {chunk} bytes; expected at most {_CHUNK_BYTES}: use h5repack -l")
    return sizes


def _advice(layout: str, shape: tuple[int, ...], make: str) -> str:
    """What to do about a data set of another shape."""
    if layout == "patches" and len(shape) in (3, 4):
        if shape[-1] in (3, 4):
            return "channels come second: transpose to (patch, channel, column, row)"
        if len(shape) == 3 or shape[1] == 1:
            return "these are gray: cut patches from pictures in color"
        if shape[1] == 4:
            return "the fourth channel, transparency, must go"
    return make


def attributes(path: Path) -> dict[str, Any]:
    """Reads a file's attributes as plain Python values."""
    with open_file(path) as file:
        return {_plain(name): _plain(value) for name, value in file.attrs.items()}


def shortened(source: str) -> str:
    """A text about where data comes from of at most 1,000 letters, which models keep; a hash stands for the rest."""
    if len(source) <= _SOURCE_LETTERS:
        return source
    digest = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:8]
    start = source[: _SOURCE_LETTERS - 50]
    return f"{start.rpartition('; ')[0] or start}; and others, all with the hash #{digest}"


def provenance(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """`simulated` and `source` among the attributes of a file, with their defaults."""
    simulated, source = attributes.get("simulated", False), attributes.get("source", "not stated")
    return {"simulated": simulated is True or simulated == 1, "source": shortened(str(source))}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        # What is copied to another file must not hold the NUL that ends texts there.
        return value.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.ravel()]
    value = value.item() if isinstance(value, np.generic) else value
    known = isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))
    return value if known else repr(value)


def read(path: Path, key: str) -> NDArray[Any]:
    """Reads a whole data set into memory; text comes as `str`."""
    with open_file(path) as file:
        values = _dataset(path, file, key)[:]
    if values.dtype.kind not in "SO":
        return np.asarray(values)
    size = 4 * len(values) * max(map(len, values), default=0)
    if size > _MEMORY_BYTES:
        raise ZooError(
            f"{path}: key '{key}' takes {size} bytes in memory; expected at most {_MEMORY_BYTES}: use short names"
        )
    for place, value in enumerate(values, 1):
        if len(value) > _TEXT_LENGTH:
            raise ZooError(f"{path}: key '{key}' holds {len(value)} bytes at place {place}; expected a word or name")
        try:
            value.decode()
        except UnicodeDecodeError:
            found = f"{bytes(value)!r} at place {place}"
            raise ZooError(f"{path}: key '{key}' holds {found}; expected text in UTF-8: make the file again") from None
    # One spelling of each name: a file may hold an accent as a letter of its own.
    return np.array([unicodedata.normalize("NFC", value.decode()) for value in values], dtype=np.str_)


def has(path: Path, key: str) -> bool:
    """Whether a file has a key."""
    with open_file(path) as file:
        return key in file


class Rows(Sliceable):
    """A data set that stays on the disk and is read by slices of its first axis.

    Args:
        path: The file.
        key: The data set.
        dtype: The type of the slices.
        factor: Multiplies every number.

    Example:
        >>> from zoo.data.hdf5 import Rows, create
        >>> path = Path(getfixture("tmp_path")) / "rows.h5"
        >>> with create(path) as file:
        ...     _ = file.create_dataset("x", data=np.arange(6.0).reshape(3, 2))
        >>> Rows(path, "x")[1:3].tolist()
        [[2.0, 3.0], [4.0, 5.0]]
    """

    def __init__(self, path: Path, key: str, dtype: type[np.generic] = np.float32, factor: float = 1.0) -> None:
        self.path, self.key, self.dtype, self.factor = Path(path), key, dtype, factor
        with open_file(self.path) as file:
            item = _dataset(self.path, file, key)
            self.shape = item.shape
            # Rows that are read together anyway, because they lie in one compressed chunk.
            self.run: int = item.chunks[0] if item.chunks else 1

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        with _LOCK, _damage(self.path):
            part = np.asarray(self._dataset[rows], dtype=self.dtype)
        return part if self.factor == 1.0 else part * self.dtype(self.factor)

    @cached_property
    def _dataset(self) -> h5py.Dataset:
        # One handle for the life of this object: opening costs more than reading a run of rows. The cache holds a
        # column of chunks of the course's files, whose chunks are narrow.
        return h5py.File(self.path, "r", rdcc_nbytes=16 << 20)[self.key]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_dataset"}


@contextmanager
def create(path: Path, layout: str | None = None, inputs: Sequence[Path] = ()) -> Iterator[h5py.File]:
    """Yields a new file that is written whole or not at all, and takes its name at the end of the block.

    Args:
        path: The file.
        layout: What it will hold. A file that exists is replaced only if it has the same layout.
        inputs: Files that the block reads, which are never replaced.
    """
    if path.exists():
        if any(other.exists() and path.samefile(other) for other in inputs):
            raise ZooError(f"{path}: is the input; choose another name for the output")
        if layout is not None and path.is_file():
            found = identify(path) if is_hdf5(path) else "something else"
            if found != layout:
                raise ZooError(f"{path}: holds {found}, not {layout}: choose another name or delete it first")
    with exclusive(path), atomic_write(path) as temporary:
        _reserve(temporary, 0)
        with _LOCK, h5py.File(temporary, "w") as file:
            yield file


def require_space(path: Path, size: int) -> None:
    """Refuses to write `size` bytes where the disk is about to be full."""
    # HDF5 may still have 4 MB in its caches.
    if shutil.disk_usage(path.parent).free < size + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _reserve(path: Path, size: int) -> None:
    """Refuses to let a file grow beyond a limit, a quota or the disk: HDF5 ends with SIGSEGV when it meets one."""
    require_space(path, size)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                os.posix_fallocate(file.fileno(), end, size + _SPARE_BYTES)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error
            finally:
                file.truncate(end)


def append(dataset: h5py.Dataset, rows: NDArray[Any]) -> None:
    """Adds rows at the end of a resizable data set."""
    _reserve(Path(dataset.file.filename), rows.nbytes)
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def growing(file: h5py.File, key: str, shape: tuple[int, ...], dtype: Any, chunk: int = 64) -> h5py.Dataset:
    """Creates an empty data set whose first axis grows, in chunks of whole rows."""
    return file.create_dataset(key, shape=(0, *shape), maxshape=(None, *shape), chunks=(chunk, *shape), dtype=dtype)
