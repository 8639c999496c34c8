"""Files and folders are written whole or not at all."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.files import (
    atomic_folder,
    atomic_write,
    exclusive,
    exclusive_folder,
    read_json,
    require_empty,
    require_new,
    sha256,
    temporary_folder,
    write_json,
)  # fmt: skip


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
        assert not path.exists()
        assert temporary.suffix == ".txt"
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError, ZooError])
def test_an_interrupted_file_leaves_the_old_one_whole_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def act():
        with atomic_write(path) as temporary:
            temporary.write_text("ha")
            raise interruption

    with pytest.raises(interruption):
        act()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file_whole_and_nothing_else(tmp_path, full_disk):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ZooError) as error:
        write_json(path, {"a": 1})
    assert str(error.value) == f"{path}: the disk is full; nothing was written"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_full_disk_leaves_no_folder_that_was_made_for_the_file(tmp_path, full_disk):
    with pytest.raises(ZooError, match="the disk is full"), atomic_write(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == []


def test_a_full_disk_is_known_by_its_words_where_the_number_is_lost(tmp_path):
    with pytest.raises(ZooError, match="the disk is full"), atomic_write(tmp_path / "a.h5"):
        raise OSError("Can't write data (error message = 'No space left on device')")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "message"), [(errno.EACCES, "no permission to write here"), (errno.EROFS, "no permission to write here")]
)
def test_a_refusal_of_the_system_is_one_line(tmp_path, number, message):
    path = tmp_path / "a.txt"
    with pytest.raises(ZooError) as error, atomic_write(path):
        raise OSError(number, os.strerror(number))
    assert str(error.value) == f"{path}: {message}"
    assert names(tmp_path) == []


def test_another_error_of_the_system_is_not_renamed(tmp_path):
    with pytest.raises(OSError, match="Input/output error"), atomic_write(tmp_path / "a.txt"):
        raise OSError(errno.EIO, "Input/output error")
    assert names(tmp_path) == []


@pytest.mark.parametrize("writer", [atomic_write, atomic_folder])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, writer):
    (tmp_path / "taken").write_text("I am a file")
    path = tmp_path / "taken" / "a.txt"
    with pytest.raises(ZooError) as error, writer(path):
        pass
    assert str(error.value) == f"{path}: a part of this path is a file, not a folder"


@pytest.mark.parametrize("act", [lambda path: write_json(path, {}), read_json])
def test_a_folder_where_a_file_should_be_is_named(tmp_path, act):
    with pytest.raises(ZooError, match=str(tmp_path)):
        act(tmp_path)


def test_a_folder_takes_its_name_when_the_block_ends_in_place_of_an_empty_one(tmp_path):
    for name in ("new", "empty"):
        path = tmp_path / name
        if name == "empty":
            path.mkdir()
        with atomic_folder(path) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / "weights").write_text("whole")
            assert not path.exists() or not names(path)
        assert names(path) == ["sub"]
    assert names(tmp_path) == ["empty", "new"]


def test_a_folder_that_holds_something_is_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").write_text("old")
    with pytest.raises(ZooError, match="is not empty; choose another folder"), atomic_folder(path):
        pytest.fail("the block ran")
    assert (path / "weights").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_is_filled_meanwhile_stays(tmp_path):
    path = tmp_path / "model"

    def act():
        with atomic_folder(path) as temporary:
            (temporary / "weights").write_text("new")
            path.mkdir()
            (path / "weights").write_text("other")

    with pytest.raises(ZooError, match="is not empty"):
        act()
    assert (path / "weights").read_text() == "other"
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interrupted_folder_leaves_nothing(tmp_path, interruption):
    def act():
        with atomic_folder(tmp_path / "model") as temporary:
            (temporary / "weights").write_text("ne")
            raise interruption

    with pytest.raises(interruption):
        act()
    assert names(tmp_path) == []


def test_a_full_disk_leaves_no_folder(tmp_path, full_disk):
    path = tmp_path / "model"
    with pytest.raises(ZooError, match="the disk is full; nothing was written"), atomic_folder(path) as temporary:
        (temporary / "weights").write_text("new")
    assert names(tmp_path) == []


def test_a_folder_interrupted_at_its_rename_leaves_nothing(tmp_path, monkeypatch):
    def replace(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "model") as temporary:
        (temporary / "weights").write_text("new")
    assert names(tmp_path) == []


@pytest.fixture(params=["symbolic link", "dangling link", "FIFO", "device"])
def special(request, tmp_path):
    """A path that is neither a regular file nor a folder, and what its refusal says."""
    path, target = tmp_path / "special", tmp_path / "target"
    if request.param == "FIFO":
        os.mkfifo(path)
        return path, "is a FIFO"
    if request.param == "device":
        # Nothing may be renamed onto it, not even by root.
        return Path(os.devnull), "is a device"
    if request.param == "symbolic link":
        target.write_text("old")
    path.symlink_to(target)
    return path, "is a symbolic link"


@pytest.mark.parametrize("write", [lambda path: write_json(path, {}), lambda path: require_new(path, True)])
def test_a_file_never_replaces_what_is_not_a_regular_file(special, write):
    path, words = special
    before = path.lstat()
    with pytest.raises(ZooError, match=f"{path}: {words}; expected a file"):
        write(path)
    assert path.lstat() == before
    assert not path.is_symlink() or not path.exists() or path.read_text() == "old"


def enter(path):
    with atomic_folder(path):
        pass


@pytest.mark.parametrize("write", [require_empty, enter])
def test_a_folder_never_replaces_what_is_not_a_folder(special, write):
    path, words = special
    before = path.lstat()
    with pytest.raises(ZooError, match=f"{path}: {words}; expected a folder"):
        write(path)
    assert path.lstat() == before


def test_a_link_to_a_folder_is_no_output(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(ZooError, match="link: is a symbolic link; expected a folder"):
        require_empty(tmp_path / "link")


def test_a_file_that_exists_is_replaced_by_force_alone(tmp_path):
    require_new(tmp_path / "a", force=False)
    (tmp_path / "a").write_text("old")
    require_new(tmp_path / "a", force=True)
    with pytest.raises(ZooError, match="a: exists already; choose another name, or --force"):
        require_new(tmp_path / "a", force=False)


def test_an_input_that_cannot_be_read_is_not_reported_as_the_output(tmp_path):
    missing, path = tmp_path / "input.csv", tmp_path / "out" / "a.txt"
    with pytest.raises(ZooError) as error, atomic_write(path):
        missing.read_text()
    assert str(error.value) == f"{missing}: cannot be read (No such file or directory)"
    with pytest.raises(ZooError) as error, atomic_write(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(missing))
    assert str(error.value) == f"{missing}: cannot be read (Permission denied)"
    assert names(tmp_path) == []


@pytest.mark.parametrize("writer", [atomic_write, atomic_folder])
def test_a_name_that_is_too_long_is_one_line(tmp_path, writer):
    with pytest.raises(ZooError, match="the name is too long: choose a shorter one"), writer(tmp_path / ("a" * 300)):
        pass
    assert names(tmp_path) == []


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
    assert len(names(folder)) == 2
    assert len(names(system)) == 1
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


def test_json_refuses_a_number_that_json_lacks(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b'{"a": ', "not a JSON document"), (b"\xff\xfe", "not UTF-8 text")],
)
def test_a_file_that_is_not_json_is_named(tmp_path, content, message):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ZooError) as error:
        read_json(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_a_folder_that_holds_something_is_not_overwritten(tmp_path):
    require_empty(tmp_path)
    require_empty(tmp_path / "missing")
    (tmp_path / "a").write_text("result")
    with pytest.raises(ZooError, match=f"{tmp_path}: is not empty; choose another folder"):
        require_empty(tmp_path)
    with pytest.raises(ZooError, match="is a file; expected a folder"):
        require_empty(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"abc", bytes(300_000)])
def test_a_hash_is_that_of_the_content(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


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


@pytest.mark.parametrize(("claim", "kind"), [(exclusive, "file"), (exclusive_folder, "folder")])
def test_two_processes_do_not_write_the_same_output(tmp_path, claim, kind):
    path = tmp_path / "new" / "out" / "run"
    holder = hold(path, claim.__name__)
    message = rf"^{path}: another run is writing it: wait for it, or choose another {kind}$"
    for _ in range(2):
        with pytest.raises(ZooError, match=message), claim(path):
            pass
    with claim(path.with_name("another run")):
        pass
    (tmp_path / "link").symlink_to(path.parent)
    with pytest.raises(ZooError, match="another run is writing it"), claim(tmp_path / "link" / "run"):
        pass
    holder.kill()
    holder.communicate()
    with claim(path):
        pass
    assert list(tmp_path.rglob(".*")) == []
    with claim(tmp_path / "another" / "out" / "run"):
        pass
    assert names(tmp_path) == ["link", "new"]  # folders in which nothing was written are deleted


def test_an_output_is_waited_for_where_there_is_time(tmp_path):
    holder = hold(tmp_path / "fold.json", "exclusive")
    threading.Timer(1.0, holder.kill).start()
    with exclusive(tmp_path / "fold.json", "fold", seconds=60):
        holder.communicate()
        assert holder.returncode < 0
    assert names(tmp_path) == []


def test_a_folder_that_another_run_writes_is_taken_and_what_a_killed_run_leaves_is_deleted(tmp_path):
    folder, file = tmp_path / "run", tmp_path / "data.h5"
    holders = [hold(folder, "exclusive_folder"), hold(file, "exclusive")]
    assert (names(tmp_path), names(folder)) == ([".zoo-lock-data.h5", "run"], [".zoo-lock"])
    with pytest.raises(ZooError, match="run: another run is writing it"):
        require_empty(folder)
    for holder in holders:
        holder.kill()
        holder.communicate()
    assert names(folder) == [".zoo-lock"]
    require_empty(folder)
    assert names(folder) == []
    with exclusive(file):
        pass
    assert names(tmp_path) == ["run"]


def test_the_thread_that_holds_an_output_claims_it_again_and_another_does_not(tmp_path):
    refusals = []

    def claim():
        try:
            with exclusive_folder(tmp_path / "run"):
                pass
        except ZooError as error:
            refusals.append(str(error))

    with exclusive_folder(tmp_path / "run"), exclusive_folder(tmp_path / "run"):
        require_empty(tmp_path / "run")
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join()
        (tmp_path / "run" / "a.txt").write_text("result")
    assert len(refusals) == 1
    assert "another run is writing it" in refusals[0]
    assert names(tmp_path / "run") == ["a.txt"]


def test_a_name_as_long_as_the_system_allows_can_be_claimed(tmp_path):
    with exclusive(tmp_path / ("a" * 255)), exclusive(tmp_path / ("a" * 254)):
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize("claim", [exclusive, exclusive_folder])
def test_an_output_that_cannot_be_claimed_is_one_line(tmp_path, claim):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, message in (("file/run", "a part of this path is a file"), ("loop/run", "loop of symbolic links"),
                          ("a" * 300 + "/run", "the name is too long")):  # fmt: skip
        with pytest.raises(ZooError, match=message), claim(tmp_path / path):
            pass
    with pytest.raises(ZooError, match="file: is a file; expected a folder"), exclusive_folder(tmp_path / "file"):
        pass
    assert names(tmp_path) == ["file", "loop"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder in which nobody can create files")
def test_a_folder_that_takes_no_files_is_not_taken_for_one_that_another_run_writes():
    with pytest.raises(ZooError, match=r"^/proc/a\.h5: cannot be written here"), exclusive(Path("/proc/a.h5")):
        pass
