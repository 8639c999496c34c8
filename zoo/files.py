"""Files and folders that are written whole or not at all, by one run at a time.

Everything that the zoo writes goes to a temporary name next to its target, is flushed to the disk, and is renamed. An
interrupted run leaves existing files unchanged. A killed run also leaves its temporary files, whose names contain host
and process: the next writer in the same folder deletes them. It leaves its lock files as well, which lock nothing any
more, and are deleted when the same output is written again.
"""

import errno
import hashlib
import json
import math
import os
import platform
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import StorageError, ZooError, option, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHECKPOINT = "checkpoint.npz"
"""Name of the file in a folder from which a killed training is resumed."""

_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_PREFIX = f".zoo-{_HOST}-"
_TEMPORARY = re.compile(rf"{re.escape(_PREFIX)}(\d{{1,9}})-")

_LOCK = ".zoo-lock"
"""Name of the lock file in a folder, and start of the names of those next to an output."""

_LOCK_SECONDS = 0.5
"""Time to wait for another run: for one that ends just now."""

_LONGEST = 200
"""Number of bytes of a name from which on the name of its lock is a hash."""


@contextmanager
def atomic_write(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """Yields a temporary file, or a `folder`, which becomes `path` when the block ends without an error.

    Missing parent folders are created. Only a regular file, or an empty folder, is replaced.
    """
    if folder:
        require_empty(path)
    else:
        _require_kind(path, stat.S_ISREG)
    with _folders(path, path.parent):
        with _disk_errors(path):
            remove_leftovers(path.parent)
            suffix = "" if folder else path.suffix
            temporary = path.parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}{suffix}"
            # Unlike those of `tempfile`, it has the permissions that the user's umask allows.
            temporary.mkdir() if folder else temporary.touch(exist_ok=False)
        try:
            with _disk_errors(path, temporary):
                yield temporary
                if folder and path.exists():
                    path.rmdir()
                for part in (temporary, *temporary.rglob("*")):
                    if part.is_file():
                        with part.open("rb+") as file:
                            os.fsync(file.fileno())
                temporary.replace(path)
        finally:
            _delete(temporary)


atomic_folder = partial(atomic_write, folder=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yields a folder in the system's temporary folder, deleted afterwards or, after a kill, by the next call."""
    system = Path(tempfile.gettempdir())
    remove_leftovers(system)
    with _disk_errors(system):
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=system))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def library_leftovers() -> Iterator[None]:
    """Deletes the temporary files that libraries leave in the block, and those of commands that were killed.

    TensorFlow Datasets leaves a folder, and Keras one if its writing of a model is stopped.
    """
    before, tempfile.template = tempfile.template, f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-"
    try:
        yield
    finally:
        # Unless nobody asked for the system's temporary folder.
        if tempfile.tempdir is not None:
            with suppress(OSError):
                for path in Path(tempfile.tempdir).glob(f"{tempfile.template}*"):
                    _delete(path)
            remove_leftovers(Path(tempfile.tempdir))
        tempfile.template = before


def remove_leftovers(folder: Path) -> None:
    """Deletes the temporary files and folders of writers on this host that no longer run."""
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            match = _TEMPORARY.match(entry.name)
            if match is not None and not _is_running(int(match[1])):
                _delete(entry)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":
        # Windows has no signal 0: it would end the process.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def exclusive(
    path: Path, kind: str = "file", seconds: float = _LOCK_SECONDS, *, lock_file: Path | None = None, busy: str = ""
) -> Iterator[None]:
    """Keeps other runs from writing the same file, or folder of `atomic_folder`, after a wait of some `seconds`.

    In the block, the same thread can claim `path` again. The lock is a hidden file next to it, deleted at the end.
    """
    # What runs on a device needs NumPy and LiteRT only.
    from filelock import FileLock, Timeout

    if lock_file is None:
        place = Path(os.path.realpath(path))
        name = place.name if len(place.name.encode()) < _LONGEST else hashlib.sha256(place.name.encode()).hexdigest()
        lock_file = place.parent / f"{_LOCK}-{name}"
    with _folders(path, lock_file.parent):
        # One object per file and process, which counts how often its thread has acquired it.
        lock = FileLock(lock_file, is_singleton=True)
        with _disk_errors(path):
            try:
                lock.acquire(seconds, poll_interval=0.05)
            except Timeout:
                if not lock_file.exists():
                    # In a folder that takes no files, filelock waits as if another process held the lock.
                    raise StorageError(f"{path}: cannot be written here: choose another folder") from None
                busy = busy or f"another run is writing it: wait for it, or choose another {kind}"
                raise ZooError(f"{path}: {busy}") from None
        try:
            yield
        finally:
            if lock.lock_counter == 1:
                # Those that wait for it notice, and lock a new file.
                lock_file.unlink(missing_ok=True)
            lock.release()


@contextmanager
def exclusive_folder(folder: Path, busy: str = "") -> Iterator[None]:
    """Keeps other runs from writing to the same folder, where files appear one after another; deletes it if none did.

    They are refused with `busy`. The lock is a hidden file in it, as the folder may be all that this process can write
    to.
    """
    if not os.path.isdir(folder):  # noqa: PTH112  # of a name that is too long, Path.is_dir raises
        _require_kind(folder, stat.S_ISDIR)
    with exclusive(folder, "folder", lock_file=Path(os.path.realpath(folder), _LOCK), busy=busy):
        yield


@contextmanager
def _folders(path: Path, folder: Path) -> Iterator[None]:
    """Creates a folder for an output, and deletes it and its new parents at the end if they are empty."""
    with _disk_errors(path), suppress(FileNotFoundError):
        # Names what is wrong with the path more precisely than the creation of folders does.
        path.lstat()
    created = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        with _disk_errors(path):
            # The first of them may be made before one that cannot be, as when a link names a place with a long name.
            folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in created:
            with suppress(OSError):
                place.rmdir()


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document atomically, indented, with a final newline."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def require_file(path: Path) -> None:
    """Refuses what is missing, unreadable, or no regular file: a device or a FIFO may never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise ZooError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise ZooError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from None
    if not stat.S_ISREG(mode):
        raise ZooError(f"{path}: is {_KINDS.get(stat.S_IFMT(mode), 'a special file')}, not a file")
    if not os.access(path, os.R_OK):
        raise ZooError(f"{path}: no permission to read it")


def read_text(path: Path) -> str:
    """Reads a UTF-8 text with any line ends, with or without a byte order mark."""
    require_file(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ZooError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror})") from error


def read_json(path: Path) -> Any:
    """Reads a JSON document, in which each number is finite."""

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"{number:.80} is no finite number")
        return value

    def whole(number: str) -> int:
        # Beyond the range of a float, no later check could compare it with one.
        finite(number)
        return int(number)

    try:
        return json.loads(read_text(path), parse_float=finite, parse_int=whole, parse_constant=finite)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{path}: not a JSON document of the zoo ({error}): copy the file again") from None


def require_empty(folder: Path, work: str = "") -> None:
    """Refuses a folder that is not new or empty, or that another run writes to: no earlier result is overwritten."""
    if not work and os.path.realpath(folder) == os.path.realpath(Path.cwd()):
        raise ZooError(f"{folder}: is the current folder; choose a new one")
    _require_kind(folder, stat.S_ISDIR)
    if folder.is_dir():
        with _disk_errors(folder):
            remove_leftovers(folder)
        if (folder / _LOCK).exists():
            with exclusive_folder(folder):
                pass
        if any(not entry.name.startswith(_LOCK) for entry in folder.iterdir()):
            lacking = f" and holds no {work}" if work else ""
            raise ZooError(f"{folder}: is not empty{lacking}; choose another folder or delete it first")


def require_startable(folder: Path, resume: bool) -> None:
    """Refuses the folder of another training, and to resume one that has ended or has no checkpoint."""
    unfinished = (folder / CHECKPOINT).is_file()
    if resume and not unfinished:
        is_complete = (folder / "model.keras").is_file()
        other = f"no {CHECKPOINT} to resume from; start without {option('resume')}"
        raise ZooError(f"{folder}: {'is complete; evaluate it' if is_complete else other}")
    if unfinished and not resume:
        raise ZooError(f"{folder}: holds an unfinished training: pass {option('resume')} to go on, or delete it first")
    if not resume:
        require_empty(folder)


def claim_folder(mark: Path, identity: Mapping[str, Any], work: str, growing: str = "") -> None:
    """Claims a folder for work, such as a `search`, which can be resumed: the file `mark` records its identity.

    To what the identity has under the name `growing`, a later call may add.
    """
    if not mark.is_file():
        require_empty(mark.parent, work)
        write_json(mark, identity)
        return
    before, now = read_json(mark), json.loads(json.dumps(identity))
    had, has = before.get(growing, {}), now.get(growing, {})
    if has.keys() | had.keys():
        before, now = before | {growing: has | had}, now | {growing: had | has}
    theirs, mine = flatten(before), flatten(now)
    if differs := [name for name in {**mine, **theirs} if theirs.get(name) != mine.get(name)]:
        words = ", ".join(f"{name} {shown(theirs.get(name))}, now {shown(mine.get(name))}" for name in differs)
        raise ZooError(
            f"{mark.parent}: holds another {work} ({words}): choose another folder, or repeat the same command"
        )
    if has.keys() - had.keys():
        write_json(mark, now)


def flatten(document: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A nested document with keys joined by dots, such as `recipe.epochs`."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        flat |= flatten(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
    return flat


@contextmanager
def new_file(path: Path, force: bool) -> Iterator[None]:
    """Keeps other runs from writing a file, which is new or with `force` a regular one, as long as the block takes."""
    with exclusive(path):
        _require_kind(path, stat.S_ISREG)
        if path.exists() and not force:
            raise ZooError(f"{path}: exists already; choose another name, or pass {option('force')} to replace it")
        yield


_KINDS = {
    stat.S_IFREG: "a file", stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def _require_kind(path: Path, is_kind: Callable[[int], bool]) -> None:
    """Checks that an existing output is of the expected kind, and not a link to it."""
    with _disk_errors(path):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
    if not is_kind(mode):
        expected = "a file" if is_kind(stat.S_IFREG) else "a folder"
        raise ZooError(f"{path}: is {_KINDS.get(stat.S_IFMT(mode), 'a special file')}; expected {expected}")


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal. Reads the file in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_arrays(path: Path) -> "dict[str, NDArray[Any]]":
    """Reads a `.npz` file; objects in it, which could execute code, are refused."""
    import numpy as np

    try:
        # Of a damaged file, `np.load` leaves open what it has opened itself.
        with path.open("rb") as file, np.load(file) as saved:
            return dict(saved.items())
    except FileNotFoundError:
        raise ZooError(f"{path}: no such file") from None
    except Exception as error:
        # A damaged archive can raise exceptions of zipfile, zlib, struct and NumPy; `load` may return an array.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ZooError(f"{path}: damaged, or not a .npz file of arrays ({reason})") from error


def write_arrays(path: Path, **arrays: Any) -> None:
    """Writes a `.npz` file atomically."""
    import numpy as np

    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


_CAUSES = {
    errno.EACCES: "no permission to write here", errno.EPERM: "no permission to write here",
    errno.EROFS: "no permission to write here", errno.EISDIR: "is a folder; expected a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "a part of this path is a file, not a folder",
    errno.ENOTEMPTY: "is not empty; choose another folder or delete it first",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.ELOOP: "a part of this path is a loop of symbolic links",
}  # fmt: skip


@contextmanager
def _disk_errors(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Converts errors of the system to `StorageError`s about the output, or about another file that was read."""
    try:
        yield
    except Exception as error:
        # h5py and TensorFlow pass on the message of the system but not always its number; h5py raises RuntimeError when
        # it cannot write its last bytes, TensorFlow errors of its own.
        if cause := full(error):
            raise StorageError(f"{path}: {cause}; nothing was written") from error
        if not isinstance(error, OSError):
            raise
        file = Path(error.filename) if isinstance(error.filename, str) else path
        is_output = file == path or file in path.parents or file.name.startswith((_PREFIX, _LOCK))
        if not is_output and not (temporary is not None and file.is_relative_to(temporary)):
            raise StorageError(f"{file}: cannot be read ({error.strerror})") from error
        if error.errno not in _CAUSES:
            raise
        raise StorageError(f"{path}: {_CAUSES[error.errno]}") from error


_FULL = {
    errno.ENOSPC: ("no space left", "the disk is full"),
    errno.EDQUOT: ("quota exceeded", "your quota of the disk is used up"),
    errno.EFBIG: ("file too large", "the file is larger than `ulimit -f` or the file system allows"),
}
"""What ends a write, by its number: words of its message in lower case, and the cause."""


def full(error: BaseException) -> str:
    """What ended a write: a full disk, a quota, or a limit of the size of files. Empty for other errors."""
    number, text = getattr(error, "errno", None), str(error).lower()
    return next((cause for code, (words, cause) in _FULL.items() if number == code or words in text), "")
