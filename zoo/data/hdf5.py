"""The door to HDF5: what each layout holds, checked reading in blocks, whole writing.

Layouts are those of the course project, and one of our own for recordings that are not yet cut into windows:

| layout | file | keys |
|---|---|---|
| `activity` | data3.h5 | `trX (N, T, 3)`, `trY (N, K)` one-hot, `tstX`, `tstY`; `trS (N,)`, `tstS` subjects, optional |
| `trigrams` | data2.h5 | `trainx (N, 3)`, `traind (N,)`, `valx`, `vald`, `testx`, `testd`, `words (V,)` |
| `patches` | data1.h5 | `data (N, 3, 16, 16)`; `source (N,)`, `source_names (P,)` photographs, optional |
| `recordings` | recordings.h5 | `acceleration (R, 3)`, `offsets (M + 1,)`, and of each recording `(M,)`: `subject`, |
| | | `activity`, `rate`, `name` |

h5py must not be entered from several threads at once, so each access holds one lock.
"""

import errno
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import atomic_write

_LOCK = threading.RLock()
_SPARE_BYTES = 4 << 20
"""What HDF5 may still hold in its caches when a file is closed."""


@dataclass(frozen=True)
class Key:
    """What a layout expects of one data set.

    Args:
        name: Its key in the file.
        shape: A number where the size is fixed, a letter where it is free; equal letters must be equal sizes.
        kind: A key of `_KINDS`.
        optional: Whether the key may be missing.
    """

    name: str
    shape: tuple[int | str, ...]
    kind: str = "number"
    optional: bool = False


LAYOUTS: Mapping[str, tuple[Key, ...]] = {
    "activity": (
        Key("trX", ("N", "T", 3)),
        Key("trY", ("N", "K")),
        Key("tstX", ("M", "T", 3)),
        Key("tstY", ("M", "K")),
        Key("trS", ("N",), "id", optional=True),
        Key("tstS", ("M",), "id", optional=True),
    ),
    "trigrams": (
        Key("trainx", ("N", 3), "integer"),
        Key("traind", ("N",), "integer"),
        Key("valx", ("M", 3), "integer"),
        Key("vald", ("M",), "integer"),
        Key("testx", ("L", 3), "integer"),
        Key("testd", ("L",), "integer"),
        Key("words", ("V",), "text"),
    ),
    "patches": (
        Key("data", ("N", 3, "S", "S")),
        Key("source", ("N",), "integer", optional=True),
        Key("source_names", ("P",), "text", optional=True),
    ),
    "recordings": (
        Key("acceleration", ("R", 3)),
        Key("offsets", ("O",), "integer"),
        Key("subject", ("M",), "text"),
        Key("activity", ("M",), "text"),
        Key("rate", ("M",)),
        Key("name", ("M",), "text"),
    ),
}

_KINDS = {
    "number": ("fiu", "numbers"), "integer": ("iu", "whole numbers"), "text": ("SOU", "text"),
    "id": ("iuSOU", "whole numbers or text"),
}  # fmt: skip
"""The types that a kind allows, as NumPy's letters and in words."""

_MAKERS = {
    "activity": "make it with `zoo data windows`",
    "trigrams": "make it with `zoo data make trigrams`",
    "patches": "make it with `zoo data make patches`",
    "recordings": "make it with `zoo data import`",
}


@contextmanager
def open_file(path: Path) -> Iterator[h5py.File]:
    """Opens a file for reading, under the lock, with one clear line for a file that is not what it should be.

    Raises:
        ZooError: If the file is missing, is not HDF5, or is cut short.
    """
    with _LOCK:
        if not path.is_file():
            raise ZooError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}")
        if not h5py.is_hdf5(path):
            raise ZooError(f"{path}: not an HDF5 file; expected one of the layouts {', '.join(LAYOUTS)}")
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            reason = "truncated: copy it again" if "truncated" in str(error) else str(error)
            raise ZooError(f"{path}: cannot be read as HDF5 ({reason})") from error
        with file, _damage(path):
            yield file


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Names the file where HDF5 cannot read a part of it."""
    try:
        yield
    except OSError as error:
        raise ZooError(f"{path}: damaged: copy it again ({str(error).splitlines()[0]})") from error


def is_hdf5(path: Path) -> bool:
    """Whether there is such a file and it is HDF5."""
    with _LOCK:
        return path.is_file() and bool(h5py.is_hdf5(path))


def identify(path: Path) -> str:
    """Tells which layout a file has, by its keys.

    Returns:
        A key of `LAYOUTS`.

    Raises:
        ZooError: If it has none of them.
    """
    with open_file(path) as file:
        found = set(file)
    for layout, keys in LAYOUTS.items():
        if {key.name for key in keys if not key.optional} & found:
            return layout
    raise ZooError(f"{path}: has keys {_listing(found)}; none of the layouts {', '.join(LAYOUTS)} uses them")


def check(path: Path, layout: str) -> dict[str, int]:
    """Checks keys, shapes and types of a file against a layout, without reading the data.

    Returns:
        The sizes that the layout's letters have in this file.

    Raises:
        ZooError: On the first difference.
    """
    sizes: dict[str, int] = {}
    with open_file(path) as file:
        for key in LAYOUTS[layout]:
            if key.name not in file:
                if key.optional:
                    continue
                raise ZooError(
                    f"{path}: no key '{key.name}' in the {layout} layout; found {_listing(file)}: {_MAKERS[layout]}"
                )
            item = file[key.name]
            if not isinstance(item, h5py.Dataset):
                raise ZooError(f"{path}: key '{key.name}' is a group; expected a data set")
            letters, words = _KINDS[key.kind]
            if item.dtype.kind not in letters:
                raise ZooError(f"{path}: key '{key.name}' holds {item.dtype}; expected {words}: {_MAKERS[layout]}")
            _match(path, key, item.shape, sizes, _advice(layout, item.shape))
    return sizes


def _advice(layout: str, shape: tuple[int, ...]) -> str:
    """What to do about a data set of another shape."""
    if layout == "patches" and len(shape) in (3, 4):
        if shape[-1] in (3, 4):
            return "channels come second: transpose to (patch, channel, column, row)"
        if len(shape) == 3 or shape[1] == 1:
            return "these are grey: cut patches from pictures in color"
        if shape[1] == 4:
            return "the fourth channel, transparency, must go"
    return _MAKERS[layout]


def _match(path: Path, key: Key, shape: tuple[int, ...], sizes: dict[str, int], advice: str) -> None:
    expected = tuple(sizes.get(n, n) if isinstance(n, str) else n for n in key.shape)
    if not _fits(shape, expected):
        words = f"({', '.join(map(str, expected))}{',' if len(expected) == 1 else ''})"
        raise ZooError(f"{path}: key '{key.name}' has shape {shape}; expected {words}: {advice}")
    for letter, size in zip(key.shape, shape, strict=True):
        if isinstance(letter, str):
            if size == 0:
                raise ZooError(f"{path}: key '{key.name}' is empty (shape {shape}); expected at least one row")
            sizes.setdefault(letter, size)


def _fits(shape: tuple[int, ...], expected: tuple[int | str, ...]) -> bool:
    """Whether numbers are met and equal letters stand for equal sizes."""
    if len(shape) != len(expected):
        return False
    letters: dict[int | str, int] = {}
    return all(
        have == (letters.setdefault(want, have) if isinstance(want, str) else want)
        for want, have in zip(expected, shape, strict=True)
    )


def _listing(keys: Any) -> str:
    return ", ".join(sorted(keys)) or "nothing"


def attributes(path: Path) -> dict[str, Any]:
    """Reads a file's attributes as plain Python values."""
    with open_file(path) as file:
        return {name: _plain(value) for name, value in file.attrs.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def read(path: Path, key: str) -> NDArray[Any]:
    """Reads a whole data set into memory; text comes as `str`.

    Raises:
        ZooError: If text is not UTF-8.
    """
    with open_file(path) as file:
        item = file[key]
        if item.dtype.kind in "SO":
            return np.array([_text(path, key, place, word) for place, word in enumerate(item[:], 1)], dtype=np.str_)
        return np.asarray(item[:])


def _text(path: Path, key: str, place: int, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ZooError(
            f"{path}: key '{key}' holds {bytes(value)!r} at place {place}; expected text in UTF-8: make the file again"
        ) from None


def has(path: Path, key: str) -> bool:
    """Whether a file has a key."""
    with open_file(path) as file:
        return key in file


class Rows:
    """A data set that stays on the disk and is read by slices of its first axis.

    Args:
        path: The file.
        key: The data set.
        dtype: What slices come as.
        factor: What every number is multiplied by.

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
            item = file[key]
            self.shape: tuple[int, ...] = item.shape
            # Rows that one read brings in anyway, because they lie in one compressed chunk.
            self.run: int = item.chunks[0] if item.chunks else 1

    def __len__(self) -> int:
        return self.shape[0]

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
def create(path: Path) -> Iterator[h5py.File]:
    """Writes a file whole or not at all: gives an open file; on success it gets its name."""
    with atomic_write(path) as temporary:
        _require_space(temporary, 0)
        with _LOCK, h5py.File(temporary, "w") as file:
            yield file


def _require_space(path: Path, size: int) -> None:
    """Refuses to write where the disk is about to be full: HDF5 would not survive it, it crashes when it closes."""
    if shutil.disk_usage(path.parent).free < size + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def append(dataset: h5py.Dataset, rows: NDArray[Any]) -> None:
    """Adds rows at the end of a resizable data set."""
    _require_space(Path(dataset.file.filename), rows.nbytes)
    start = len(dataset)
    dataset.resize(start + len(rows), axis=0)
    dataset[start:] = rows


def text_type() -> Any:
    """The type of a data set of UTF-8 text."""
    return h5py.string_dtype()


def growing(file: h5py.File, key: str, shape: tuple[int, ...], dtype: Any, chunk: int = 64) -> h5py.Dataset:
    """Makes an empty data set whose first axis grows, in chunks of whole rows."""
    return file.create_dataset(key, shape=(0, *shape), maxshape=(None, *shape), chunks=(chunk, *shape), dtype=dtype)
