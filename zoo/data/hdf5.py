"""The only module that uses h5py: checked reading in blocks, atomic writing.

h5py must not be called by several threads at once, so each access holds one lock.
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
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from zoo.data import LAYOUTS
from zoo.data.dataset import Column
from zoo.errors import StorageError, ZooError
from zoo.families import TASKS
from zoo.files import atomic_write, exclusive, require_file
from zoo.schema import Field, Schema

TEXT = h5py.string_dtype()
"""The type of a data set of UTF-8 text."""

_LOCK = threading.RLock()
_SPARE_BYTES, _SEARCHED_BYTES = 4 << 20, 1 << 30
"""How much of a disk stays free, and how much of a file is searched for damage."""
_LETTERS, _MEMORY_BYTES = 1000, 1 << 30
"""The most that a word, a name, or a text about where data comes from has; and what is read at once takes."""

_FROM_CSV = "`zoo data import csv`, then `zoo data windows`"
_RAW = {
    ".csv": f"is a CSV file: make data of it with {_FROM_CSV}; if it has no labels, `zoo label` it first",
    ".tsv": f"is a table: make data of it with {_FROM_CSV}",
    ".txt": f"is text: make data of it with `zoo data make text`, or of recordings with {_FROM_CSV}; "
    "patches are made of photographs, with `zoo data make patches`",
    **dict.fromkeys((".png", ".jpg", ".jpeg"), "is a picture: make data of it with `zoo data make patches`"),
}
"""What is not a data file yet, by its suffix, and what makes it one."""


@cache
def layouts() -> dict[str, Schema]:
    """The layouts of files by name: `LAYOUTS`, and those of further tasks."""
    return LAYOUTS | {task: import_module(f"zoo.{task}.data").SCHEMA for task in TASKS if task not in LAYOUTS}


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
    item = file[key] if isinstance(link, h5py.HardLink) else None
    if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
        raise ZooError(f"{path}: key '{key}' is a link or a group; expected a data set with its values in the file")
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
        there = {name for name in file if isinstance(name, str)}
    needed = {name: set(layout.lacking(())) for name, layout in layouts().items()}
    shares = {name: len(keys & there) / len(keys) for name, keys in needed.items()}
    best = max(shares, key=shares.__getitem__)
    if not shares[best]:
        raise ZooError(f"{path}: has keys {_listing(there)}; none of the layouts {', '.join(layouts())} uses them")
    return best


def check_layout(path: Path, layout: str, name: Path | None = None) -> dict[str, int]:
    """Checks keys, shapes and types of a file, called by its `name` in messages; returns the sizes by their letters."""
    sizes: dict[str, int] = {}
    schema, name = layouts()[layout], name or path
    make = f"make it with `zoo data {schema.maker}`" if schema.maker else "make it again"
    with open_file(path) as file:
        if lacking := schema.lacking(file):
            if other := next((other for other in layouts() if not layouts()[other].lacking(file)), None):
                raise ZooError(f"{name}: is in the {other} layout; expected {layout}: {make}")
            raise ZooError(f"{name}: no key '{lacking[0]}' in the {layout} layout; found {_listing(file)}: {make}")
        for field in schema.fields_in_file():
            wrong, cure = _problem(_dataset(path, file, field.key), field, sizes) if field.key in file else ("", "")
            if wrong:
                raise ZooError(f"{name}: key '{field.key}' {wrong}: {cure or make}")
    return sizes


def _problem(item: h5py.Dataset, field: Field, sizes: dict[str, int]) -> tuple[str, str]:
    """Why a data set does not fit its field, or lacks rows, and what to do, if that is known; empty if it fits."""
    wrong = field.type_problem(item.dtype)
    if wrong or (item.dtype.kind == "O" and h5py.check_string_dtype(item.dtype) is None):
        return wrong or f"holds {item.dtype}; expected {field.kind}", ""
    if wrong := "" if item.shape is None else field.shape_problem(item.shape, sizes):
        return wrong, _advice(field, item.shape)
    if item.shape is None or 0 in item.shape:
        return f"is empty (shape {item.shape}); expected at least one row", ""
    # Such as 10^9 rows that were declared and never written.
    is_whole = item.chunks is None or item.id.get_num_chunks() >= -(-item.shape[0] // item.chunks[0])
    if item.id.get_storage_size() == 0 or not is_whole:
        return f"declares {item.shape[0]} rows that are not in the file", "copy it again"
    # Ids and words are read as a whole, numbers in chunks; a text takes 64 bytes or more as an object.
    count = math.prod((item.chunks or item.shape[1:]) if field.kind == "number" else item.shape)
    if (size := count * (64 if item.dtype.kind == "O" else item.dtype.itemsize)) > _MEMORY_BYTES:
        return f"takes {size} bytes of memory at once; expected at most {_MEMORY_BYTES}", "use h5repack -l"
    return "", ""


def _advice(field: Field, shape: tuple[int, ...]) -> str:
    """What to do about pictures of another shape, as they often are; empty for what else may be wrong."""
    if field.shape != "N3SS" or len(shape) not in (3, 4):
        return ""
    if shape[-1] in (3, 4):
        return "channels come second: transpose to (patch, channel, column, row)"
    is_other = len(shape) == 3 or shape[1] in (1, 4)
    return "these are gray or transparent: cut patches from pictures in color" if is_other else ""


def attributes(path: Path) -> dict[str, Any]:
    """Reads a file's attributes as plain Python values."""
    with open_file(path) as file:
        return {_plain(name): _plain(value) for name, value in file.attrs.items()}


def shortened(source: str) -> str:
    """A text about where data comes from of at most 1,000 letters, which models keep; a hash stands for the rest."""
    if len(source) <= _LETTERS:
        return source
    digest = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:8]
    start = source[: _LETTERS - 50]
    return f"{start.rpartition('; ')[0] or start}; and others, all with the hash #{digest}"


def read_facts(path: Path, layout: str) -> dict[str, Any]:
    """The facts of a layout as a file's attributes state them, or their defaults; commas part those of a list."""
    stated, facts = attributes(path), dict[str, Any]()
    for field in layouts()[layout].facts:
        key = field.key or field.name
        if (value := stated.get(key, field.default)) is None:
            continue
        if field.shape and isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        if key in ("simulated", "source"):
            # Of these, a file may say what it likes.
            value = value == 1 if field.kind == "flag" else shortened(str(value))
        elif wrong := field.problem(value):
            raise ZooError(f"{path}: attribute '{key}' {wrong} {field.unit}".rstrip() + ": make the file again")
        facts[field.name] = tuple(value) if field.shape else value
    return facts


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        # What is copied to another file must not hold the NUL that ends texts there.
        return value.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.ravel()]
    value = value.item() if isinstance(value, np.generic) else value
    is_plain = isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else repr(value)


def read_column(path: Path, key: str, field: Field | None = None) -> NDArray[Any]:
    """Reads a whole data set into memory; text comes as `str`. Values that a `field` does not allow are refused."""
    with open_file(path) as file:
        values = _dataset(path, file, key)[:]
    if values.dtype.kind in "SO":
        values = _decoded(values, f"{path}: key '{key}'")
    if wrong := "" if field is None else field.problem(values):
        raise ZooError(f"{path}: key '{key}' {wrong}: make the file again")
    return np.asarray(values)


def _decoded(values: NDArray[Any], where: str) -> NDArray[np.str_]:
    longest = max(map(len, values), default=0)
    if longest > _LETTERS or 4 * len(values) * longest > _MEMORY_BYTES:
        raise ZooError(f"{where} holds {len(values)} texts of up to {longest} bytes; expected words or names")
    try:
        # One spelling of each name: a file may hold an accent as a letter of its own.
        texts = [unicodedata.normalize("NFC", value.decode()) for value in values]
    except UnicodeDecodeError as error:
        raise ZooError(f"{where} holds {error.object!r}; expected text in UTF-8: make the file again") from None
    return np.array(texts, dtype=np.str_)


def has(path: Path, key: str) -> bool:
    """Whether a file has a key."""
    with open_file(path) as file:
        return key in file


def open_column(path: Path, key: str, dtype: type[np.generic] = np.float32, factor: float = 1.0) -> Column:
    """A data set that stays on the disk. What is read is of a type, and every number is multiplied by `factor`."""
    with open_file(path) as file:
        item = _dataset(path, file, key)
        return Column(item.shape, _Reader(Path(path), key, dtype, factor), item.chunks[0] if item.chunks else 1)


@dataclass
class _Reader:
    path: Path
    key: str
    dtype: type[np.generic]
    factor: float

    def __call__(self, rows: slice) -> NDArray[Any]:
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

    Its layout is checked then. A file that exists is replaced only if it has the same, and never if it is an input.
    """
    if path.exists():
        if any(other.exists() and path.samefile(other) for other in inputs):
            raise ZooError(f"{path}: is the input; choose another name for the output")
        if layout is not None and path.is_file():
            before = identify(path) if is_hdf5(path) else "something else"
            if before != layout:
                raise ZooError(f"{path}: holds {before}, not {layout}: choose another name or delete it first")
    with exclusive(path), atomic_write(path) as temporary:
        _reserve(temporary, 0)
        with _LOCK, h5py.File(temporary, "w") as file:
            try:
                yield file
            finally:
                _AHEAD.pop(file.filename, None)
        if layout is not None:
            check_layout(temporary, layout, name=path)


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


_AHEAD: dict[str, int] = {}
"""Of each file that is being written, the bytes for which there was room when it was last tried."""

_RESERVED_BYTES = 64 << 20
"""How far ahead that is tried: at each append, it would take a quarter to a third of the time of writing."""


_WIDE_BYTES = 256
"""Rows of more bytes are stored in short chunks."""


def add_rows(file: h5py.File, layout: str, columns: Mapping[str, NDArray[Any]], split: str = "train") -> None:
    """Adds rows to columns of a split, by their names in the layout. The first rows decide their types."""
    schema, name = layouts()[layout], file.filename
    for column, rows in columns.items():
        key, shape = schema.in_file(schema.column(column), split).key, rows.shape[1:]
        if key not in file:
            chunk = 64 if rows.itemsize * math.prod(shape) > _WIDE_BYTES else 4096
            dtype = TEXT if rows.dtype.kind in "OU" else rows.dtype
            file.create_dataset(key, shape=(0, *shape), maxshape=(None, *shape), chunks=(chunk, *shape), dtype=dtype)
        if _AHEAD.setdefault(name, 0) < rows.nbytes:
            try:
                _AHEAD[name] = rows.nbytes + _RESERVED_BYTES
                _reserve(Path(name), _AHEAD[name])
            except OSError:
                # Where less is left, these rows may still find room.
                _AHEAD[name] = rows.nbytes
                _reserve(Path(name), _AHEAD[name])
        _AHEAD[name] -= rows.nbytes
        start = len(file[key])
        file[key].resize(start + len(rows), axis=0)
        file[key][start:] = rows.astype(object) if rows.dtype.kind == "U" else rows
