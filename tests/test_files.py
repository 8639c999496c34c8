"""Files and folders are written whole or not at all, by one run at a time."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from running import message

from zoo.errors import ZooError
from zoo.files import (
    atomic_folder,
    atomic_write,
    exclusive,
    exclusive_folder,
    read_json,
    require_empty,
    temporary_folder,
    write_json,
)  # fmt: skip

both = pytest.mark.parametrize("writer", [atomic_write, atomic_folder])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def half(writer, path, then=None):
    """Writes a file or a folder, and raises something if it is given."""
    with writer(path) as temporary:
        (temporary / "weights" if writer is atomic_folder else temporary).write_text("new")
        if then is not None:
            raise then


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that takes no more: flushing to it fails."""

    def fsync(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_file_takes_its_name_when_the_block_ends(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert (path.exists(), temporary.suffix) == (False, ".txt")
    assert (path.read_text(), names(path.parent)) == ("whole", ["a.txt"])


def test_a_folder_takes_its_name_when_the_block_ends_in_place_of_an_empty_one(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "new", tmp_path / "empty"):
        with atomic_folder(path) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / "weights").write_text("whole")
            assert not path.exists() or not names(path)
        assert names(path) == ["sub"]
    assert names(tmp_path) == ["empty", "new"]


@both
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError, ZooError])
def test_what_is_interrupted_leaves_nothing_and_an_old_file_whole(writer, interruption, tmp_path):
    path = tmp_path / "a.txt"
    if writer is atomic_write:
        path.write_text("old")
    before = names(tmp_path)
    with pytest.raises(interruption):
        half(writer, path, interruption)
    assert names(tmp_path) == before
    assert writer is atomic_folder or path.read_text() == "old"


@both
def test_a_full_disk_leaves_nothing_and_an_old_file_whole(writer, tmp_path, full_disk):
    path = tmp_path / "a"
    if writer is atomic_write:
        path.write_text("old")
        assert "the disk is full" in message(lambda: half(writer, tmp_path / "new" / "a.txt"))
    assert message(lambda: half(writer, path)) == f"{path}: the disk is full; nothing was written"
    assert names(tmp_path) == (["a"] if writer is atomic_write else [])
    assert writer is atomic_folder or path.read_text() == "old"


@pytest.mark.parametrize(
    ("raised", "kind", "says"),
    [
        (OSError("Can't write data (error message = 'No space left on device')"), ZooError, "the disk is full"),
        (OSError(errno.EFBIG, "?"), ZooError, "larger than `ulimit -f` or the file system allows; nothing was written"),
        (OSError(errno.EDQUOT, "?"), ZooError, "your quota of the disk is used up; nothing was written"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), ZooError, "no permission to write here"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), ZooError, "no permission to write here"),
        (OSError(errno.EIO, "Input/output error"), OSError, "Input/output error"),
        (PermissionError(errno.EACCES, "Permission denied", "/in.csv"), ZooError, "^/in.csv: cannot be read"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/.zoo-lock-b"), ZooError, "no permission to write here"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/in.csv"), ZooError, "^/in.csv: cannot be read"),
    ],
)
def test_errors_of_the_system_are_one_line_about_the_output_or_about_what_was_read(raised, kind, says, tmp_path):
    with pytest.raises(kind, match=says) as error:
        half(atomic_write, tmp_path / "out" / "a.txt", raised)
    assert "\n" not in str(error.value)
    assert names(tmp_path) == []


def test_a_folder_that_holds_something_is_not_overwritten(tmp_path):
    path = tmp_path / "model"
    require_empty(path)
    path.mkdir()
    require_empty(path)
    (path / "weights").write_text("old")
    for check in (require_empty, lambda path: half(atomic_folder, path)):
        with pytest.raises(ZooError, match=f"{path}: is not empty; choose another folder"):
            check(path)
    with pytest.raises(ZooError, match="is a file; expected a folder"):
        require_empty(path / "weights")
    assert (path / "weights").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_is_filled_meanwhile_stays(tmp_path):
    path = tmp_path / "model"

    def filled():
        with atomic_folder(path):
            path.mkdir()
            (path / "weights").write_text("other")

    assert "is not empty" in message(filled)
    assert (path / "weights").read_text() == "other"
    assert names(tmp_path) == ["model"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from zoo.files import atomic_folder, atomic_write, temporary_folder
folder = Path(sys.argv[1])
with atomic_write(folder / "a.txt") as file, atomic_folder(folder / "model") as model, temporary_folder() as scratch:
    for path in (file, model / "weights", scratch / "graph"):
        path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_leaves_is_deleted_by_the_next(tmp_path, monkeypatch):
    system, folder = tmp_path / "tmp", tmp_path / "out"
    system.mkdir()
    folder.mkdir()
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, folder], check=False, env={**os.environ, "TMPDIR": str(system)}
    )
    assert killed.returncode == -9
    assert (len(names(folder)), len(names(system))) == (2, 1)
    require_empty(folder)
    assert names(folder) == []
    monkeypatch.setattr("tempfile.tempdir", str(system))
    with temporary_folder() as scratch:
        assert names(system) == [scratch.name]
        # A writer that still runs, this one, keeps its files.
        with atomic_write(system / "a.txt"), atomic_write(system / "b.txt"):
            pass
        assert scratch.is_dir()
    assert names(system) == ["a.txt", "b.txt"]


def test_json_comes_back_as_it_was_written(tmp_path):
    document = {"name": "Grüße", "numbers": [1, 2.5, None, True]}
    write_json(tmp_path / "a.json", document)
    assert read_json(tmp_path / "a.json") == document
    assert (tmp_path / "a.json").read_text(encoding="utf-8").endswith("}\n")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"loss": float("nan")})
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b'{"a": ', "not a JSON document"),
        (b'{"a": [' + b"9" * 5000 + b"]}", "not a JSON document"),
        (b'{"a": NaN}', "not a JSON document of the zoo (NaN is no finite number)"),
        (b'{"a": 1e999}', "not a JSON document of the zoo (1e999 is no finite number)"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_file_that_is_not_json_is_named(tmp_path, content, says):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    assert message(lambda: read_json(path)).startswith(f"{path}: {says}")


HOLDER = """
import sys, time
from pathlib import Path
from zoo.files import exclusive, exclusive_folder
with globals()[sys.argv[1]](Path(sys.argv[2])):
    print("mine", flush=True)
    time.sleep(600)
"""


def hold(path, claim):
    """A process that holds a file or folder until it is killed."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, claim, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "mine\n"
    return holder


def claimed(claim, path):
    with claim(path):
        pass


@pytest.mark.parametrize(("claim", "kind"), [(exclusive, "file"), (exclusive_folder, "folder")])
def test_two_processes_do_not_write_the_same_output(tmp_path, claim, kind):
    path = tmp_path / "new" / "out" / "run"
    holder = hold(path, claim.__name__)
    (tmp_path / "link").symlink_to(path.parent)
    for output in (path, path, tmp_path / "link" / "run"):
        refusal = message(lambda output=output: claimed(claim, output))
        assert refusal == f"{output}: another run is writing it: wait for it, or choose another {kind}"
    claimed(claim, path.with_name("another run"))
    holder.kill()
    holder.communicate()
    claimed(claim, path)
    assert list(tmp_path.rglob(".*")) == []
    claimed(claim, tmp_path / "another" / "out" / "run")
    # Folders in which nothing was written are deleted.
    assert names(tmp_path) == ["link", "new"]


def test_a_folder_that_another_run_writes_is_taken_and_what_a_killed_run_leaves_is_deleted(tmp_path):
    folder, file = tmp_path / "run", tmp_path / "data.h5"
    holders = [hold(folder, "exclusive_folder"), hold(file, "exclusive")]
    assert (names(tmp_path), names(folder)) == ([".zoo-lock-data.h5", "run"], [".zoo-lock"])
    assert "run: another run is writing it" in message(lambda: require_empty(folder))
    for holder in holders:
        holder.kill()
        holder.communicate()
    assert names(folder) == [".zoo-lock"]
    require_empty(folder)
    assert names(folder) == []
    claimed(exclusive, file)
    assert names(tmp_path) == ["run"]


def test_the_thread_that_holds_an_output_claims_it_again_and_another_does_not(tmp_path):
    path = tmp_path / "run"
    with exclusive_folder(path), exclusive_folder(path), ThreadPoolExecutor() as threads:
        require_empty(path)
        refusal = threads.submit(message, lambda: claimed(exclusive_folder, path))
        assert "another run is writing it" in refusal.result()
        (path / "a.txt").write_text("result")
    assert names(path) == ["a.txt"]


def test_a_name_as_long_as_the_system_allows_can_be_claimed(tmp_path):
    with exclusive(tmp_path / ("a" * 255)), exclusive(tmp_path / ("a" * 254)):
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize("output", ["link", "new/folder/{name}/data.h5"])
def test_an_output_whose_folder_cannot_be_made_leaves_no_part_of_it(output, tmp_path):
    name = 300 * "x"
    (tmp_path / "link").symlink_to(tmp_path / "new" / "folder" / name / "data.h5")
    with pytest.raises(ZooError, match=r"name (is )?too long"):
        claimed(exclusive, tmp_path / output.format(name=name))
    assert [path.name for path in tmp_path.iterdir()] == ["link"]
