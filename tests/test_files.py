"""Files and folders are written whole or not at all."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.files import atomic_folder, atomic_write, locked, read_json, require_empty, sha256, write_json


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


def test_a_folder_replaces_an_older_one_whole(tmp_path):
    path = tmp_path / "model"
    for content in ("old", "new"):
        with atomic_folder(path) as temporary:
            (temporary / content).mkdir()
            (temporary / content / "weights").write_text(content)
    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interrupted_folder_leaves_the_old_one_whole_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").write_text("old")

    def act():
        with atomic_folder(path) as temporary:
            (temporary / "weights").write_text("ne")
            raise interruption

    with pytest.raises(interruption):
        act()
    assert (path / "weights").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_full_disk_leaves_the_old_folder_whole_and_nothing_else(tmp_path, full_disk):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").write_text("old")
    with pytest.raises(ZooError, match="the disk is full; nothing was written"), atomic_folder(path) as temporary:
        (temporary / "weights").write_text("new")
    assert (path / "weights").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_folder_interrupted_at_its_rename_leaves_the_old_one_whole(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").write_text("old")
    rename = Path.replace

    def replace(self, target):
        if Path(target) == path and not (self / "weights").read_text() == "old":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt), atomic_folder(path) as temporary:
        (temporary / "weights").write_text("new")
    assert (path / "weights").read_text() == "old"
    assert names(tmp_path) == ["model"]


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
    [(None, "no such file"), (b'{"a": ', "not a JSON document"), (b"\xff\xfe", "not a JSON document")],
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
    with pytest.raises(ZooError, match="is a file; name a folder"):
        require_empty(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"abc", bytes(300_000)])
def test_a_hash_is_that_of_the_content(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_a_lock_is_held_against_other_processes_and_ends_with_its_own(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from zoo.files import locked\n"
        "with locked(Path(sys.argv[1]), 0.0, 'taken'): print('mine', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, tmp_path / "lock"], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "mine\n"
    with pytest.raises(ZooError, match="taken"), locked(tmp_path / "lock", 0.0, "taken"):
        pass
    holder.kill()
    holder.communicate()
    with locked(tmp_path / "lock", 0.0, "taken"):
        pass
