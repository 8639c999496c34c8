"""Atomic writing of files and folders.

Everything that the zoo writes goes to a temporary name next to its target, is flushed to the disk, and is renamed. An
interrupted run leaves existing files unchanged. A killed run also leaves its temporary files; their names contain host
and process, so that the next writer in the same folder can delete them.
"""

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from zoo.errors import StorageError, ZooError

_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_TEMPORARY = re.compile(rf"\.zoo-{_HOST}-(\d+)-")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary name to write to, which becomes `path` when the block ends without an error.

    Args:
        path: The file's real name. Missing parent folders are created.

    Raises:
        ZooError: If the disk is full, the folder is not writable, or `path` is anything but a regular file.

    Example:
        >>> with atomic_write(Path(getfixture("tmp_path")) / "a.txt") as temporary:
        ...     _ = temporary.write_text("whole")
    """
    _require_kind(path, stat.S_ISREG)
    created = not path.parent.exists()
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        handle, name = tempfile.mkstemp(prefix=_prefix(), suffix=path.suffix, dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with _disk_errors(path, temporary):
            yield temporary
            _flush(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        if created and not any(path.parent.iterdir()):
            path.parent.rmdir()


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder to fill, which becomes `path` when the block ends without an error.

    Args:
        path: The folder's real name: a new or an empty folder.

    Raises:
        ZooError: If the disk is full, the parent folder is not writable, or `path` is anything but an empty folder.
    """
    require_empty(path)
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        temporary = Path(tempfile.mkdtemp(prefix=_prefix(), dir=path.parent))
    try:
        with _disk_errors(path, temporary):
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
            temporary.chmod(0o755)
            with suppress(FileNotFoundError):
                path.rmdir()
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yields a folder in the system's temporary folder, deleted afterwards or, after a kill, by the next call."""
    system = Path(tempfile.gettempdir())
    remove_leftovers(system)
    with _disk_errors(system):
        folder = Path(tempfile.mkdtemp(prefix=_prefix(), dir=system))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prefix() -> str:
    return f".zoo-{_HOST}-{os.getpid()}-"


def remove_leftovers(folder: Path) -> None:
    """Deletes the temporary files and folders of writers on this host that no longer run."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        match = _TEMPORARY.match(entry.name)
        if match and not _is_running(int(match[1])):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                with suppress(OSError):
                    entry.unlink()


def _is_running(process: int) -> bool:
    if os.name == "nt":
        # Windows has no signal 0: it would end the process.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


@contextmanager
def locked(path: Path, seconds: float = 0.0, message: str = "") -> Iterator[None]:
    """Holds a lock on a file. The lock is released when the process ends, however it ends.

    Args:
        path: Lock file, which is not deleted.
        seconds: Time to wait for another process.
        message: Message of the error if another process still holds the lock.

    Raises:
        ZooError: If another process still holds the lock.
    """
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=seconds)
        try:
            lock.acquire(poll_interval=0.1)
        except Timeout:
            raise ZooError(message or f"{path}: another process holds this lock: wait for it") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Keeps other processes from writing the same file or folder at the same time.

    Args:
        path: The file or folder that the block writes. The lock is a hidden file next to it.

    Raises:
        ZooError: If another process is writing it.
    """
    lock = path.with_name(f".{path.name}.lock")
    created = not path.parent.exists()
    with locked(lock, message=f"{path}: another process is writing it: wait for it, or choose another name"):
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
    if created and path.parent.exists() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document atomically, indented, with a final newline."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Reads a JSON document.

    Raises:
        ZooError: If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ZooError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ZooError(f"{path}: is a folder, not a file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ZooError(f"{path}: not a JSON document ({error})") from None


def require_empty(folder: Path) -> None:
    """Checks that a folder is new or empty, so that no earlier result is overwritten.

    Raises:
        ZooError: If `folder` is not a folder, is a symbolic link, or is not empty.
    """
    if folder.resolve() == Path.cwd():
        raise ZooError(f"{folder}: is the current folder; name a new one")
    _require_kind(folder, stat.S_ISDIR)
    if folder.is_dir():
        with _disk_errors(folder):
            remove_leftovers(folder)
        if any(folder.iterdir()):
            raise ZooError(f"{folder}: is not empty; choose another folder or delete it first")


def claim_folder(mark: Path, identity: Mapping[str, Any], work: str) -> None:
    """Claims a folder for work that can be interrupted and resumed.

    Args:
        mark: File in the folder that records the identity.
        identity: Values that distinguish this work from other work of its kind, as JSON types.
        work: Name of the kind of work in messages, such as `search`.

    Raises:
        ZooError: If the folder holds something else, or other work of this kind. The message names the differences.
    """
    folder = mark.parent
    if not mark.is_file():
        _require_kind(folder, stat.S_ISDIR)
        if folder.is_dir():
            remove_leftovers(folder)
            if any(folder.iterdir()):
                raise ZooError(f"{folder}: is not empty and holds no {work}; choose another folder or delete it first")
        write_json(mark, identity)
        return
    theirs, mine = flatten(read_json(mark)), flatten(json.loads(json.dumps(identity)))
    differs = [name for name in {**mine, **theirs} if theirs.get(name) != mine.get(name)]
    if differs:
        words = ", ".join(f"{name} {_short(theirs.get(name))}, now {_short(mine.get(name))}" for name in differs)
        raise ZooError(f"{folder}: holds another {work} ({words}): name another folder, or repeat the same")


def flatten(document: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Flattens a nested document, with keys joined by dots.

    Example:
        >>> flatten({"seed": 0, "recipe": {"epochs": 3}})
        {'seed': 0, 'recipe.epochs': 3}
    """
    flat: dict[str, Any] = {}
    for name, value in document.items():
        flat |= flatten(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
    return flat


def _short(value: Any, most: int = 40) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def require_new(path: Path, force: bool) -> None:
    """Checks that an output file is new, or a regular file that may be replaced.

    Raises:
        ZooError: If `path` exists and `force` is false, or `path` is anything but a regular file.
    """
    _require_kind(path, stat.S_ISREG)
    if path.exists() and not force:
        raise ZooError(f"{path}: exists already; choose another name, or --force to replace it")


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
        raise ZooError(f"{path}: is {_KINDS.get(stat.S_IFMT(mode), 'a special file')}; name {expected}")


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal. Reads the file in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


_CAUSES = {
    errno.EACCES: "no permission to write here", errno.EPERM: "no permission to write here",
    errno.EROFS: "no permission to write here", errno.EISDIR: "is a folder; name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "a part of this path is a file, not a folder",
    errno.ENOTEMPTY: "is not empty; choose another folder or delete it first",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.ELOOP: "a part of this path is a loop of symbolic links",
}  # fmt: skip


@contextmanager
def _disk_errors(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Converts errors of the operating system to `StorageError`s about the output, or about another file that was read.

    Args:
        path: Output.
        temporary: Temporary name under which the output is written.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        # h5py and TensorFlow pass on the message of the system but not always its number; h5py raises RuntimeError when
        # it cannot write its last bytes.
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise StorageError(f"{path}: the disk is full; nothing was written") from error
        if not isinstance(error, OSError):
            raise
        if isinstance(error.filename, str) and not _is_output(Path(error.filename), path, temporary):
            raise StorageError(f"{error.filename}: cannot be read ({error.strerror})") from error
        if error.errno not in _CAUSES:
            raise
        raise StorageError(f"{path}: {_CAUSES[error.errno]}") from error


def _is_output(file: Path, path: Path, temporary: Path | None) -> bool:
    if file == path or file in path.parents:
        return True
    return file.name.startswith(_prefix()) or (temporary is not None and file.is_relative_to(temporary))
