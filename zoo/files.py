"""Files and folders that are written whole or not at all.

Everything the zoo writes goes to a temporary name beside its target, is flushed to the disk, and takes its real
name in one rename. An interrupted run leaves what was there before.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import ZooError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Gives a temporary name to write to; it becomes `path` when the block ends without an error.

    Args:
        path: The file's real name. Its folder is made where it is missing.

    Raises:
        ZooError: If the disk is full or the folder cannot be written.

    Example:
        >>> with atomic_write(Path(getfixture("tmp_path")) / "a.txt") as temporary:
        ...     _ = temporary.write_text("whole")
    """
    made = not path.parent.exists()
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with _disk_errors(path):
            yield temporary
            _flush(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        if made and not any(path.parent.iterdir()):
            path.parent.rmdir()


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to fill; it becomes `path`, in place of an older one, when the block ends.

    Args:
        path: The folder's real name.

    Raises:
        ZooError: If the disk is full or the parent folder cannot be written.
    """
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with _disk_errors(path):
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
            temporary.chmod(0o755)
            older = temporary.with_name(f"{temporary.name}.older")
            if path.exists():
                path.replace(older)
            try:
                temporary.replace(path)
            except BaseException:
                if older.exists():
                    older.replace(path)
                raise
            shutil.rmtree(older, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def locked(path: Path, seconds: float, refusal: str) -> Iterator[None]:
    """Holds a lock that no other process can hold, and that ends with this process however it ends.

    Args:
        path: The lock's file; it stays.
        seconds: How long to wait for another process.
        refusal: What to say then.

    Raises:
        ZooError: If another process still holds it.
    """
    # Not on every system; whoever locks nothing needs none.
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        stop = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > stop:
                    raise ZooError(refusal) from None
                time.sleep(0.1)
        yield


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document, indented, with a newline at its end, whole or not at all."""
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
    """Refuses a folder that exists and holds something, so that no earlier result is overwritten.

    Raises:
        ZooError: If `folder` is a file or is not empty.
    """
    if folder.resolve() == Path.cwd():
        raise ZooError(f"{folder}: is where you stand; name a new folder")
    if folder.is_file():
        raise ZooError(f"{folder}: is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise ZooError(f"{folder}: is not empty; choose another folder or delete it first")


def claim_folder(mark: Path, identity: Mapping[str, Any], work: str) -> None:
    """Claims a folder for one piece of work that may be killed and go on, or finds it claimed by the same.

    Args:
        mark: The file in the folder that says whose it is.
        identity: What makes the work this one, as JSON types.
        work: What it is called, such as `search`.

    Raises:
        ZooError: If the folder holds something else, or another piece of such work; names what differs.
    """
    folder = mark.parent
    if not mark.is_file():
        if folder.is_file():
            raise ZooError(f"{folder}: is a file; name a folder")
        if folder.is_dir() and any(folder.iterdir()):
            raise ZooError(f"{folder}: is not empty and holds no {work}; choose another folder or delete it first")
        write_json(mark, identity)
        return
    theirs, mine = flatten(read_json(mark)), flatten(json.loads(json.dumps(identity)))
    differs = [name for name in {**mine, **theirs} if theirs.get(name) != mine.get(name)]
    if differs:
        words = ", ".join(f"{name} {_short(theirs.get(name))}, now {_short(mine.get(name))}" for name in differs)
        raise ZooError(f"{folder}: holds another {work} ({words}): name another folder, or repeat the same")


def flatten(document: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Returns a document without documents inside.

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
    """Refuses a file that exists, unless it may be replaced.

    Raises:
        ZooError: If `path` exists and `force` is false.
    """
    if path.exists() and not force:
        raise ZooError(f"{path}: exists already; choose another name, or --force to replace it")


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Turns the operating system's refusals into one line each."""
    try:
        yield
    except RuntimeError as error:
        # What h5py raises where it cannot write its last bytes.
        if "No space left" in str(error):
            raise ZooError(f"{path}: the disk is full; nothing was written") from error
        raise
    except OSError as error:
        # h5py and TensorFlow carry the system's words but not always its number.
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise ZooError(f"{path}: the disk is full; nothing was written") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise ZooError(f"{path}: no permission to write here") from error
        if isinstance(error, IsADirectoryError):
            raise ZooError(f"{path}: is a folder; name a file") from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise ZooError(f"{path}: a part of this path is a file, not a folder") from error
        raise
