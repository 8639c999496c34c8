"""Outputs that are no place for a result, full disks, and two runs with one output."""

import errno
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from zoo.files import exclusive, exclusive_folder

pytestmark = pytest.mark.hostile

FILES = {
    "data simulate activity": ["--subjects", "2", "--seconds", "8", "-o"],
    "data simulate patches": ["--count", "40", "--pictures", "2", "--size", "8", "-o"],
    "data simulate text": ["--sentences", "1500", "-o"],
    "data windows": ["{recordings}", "-o"],
    "data import csv": ["{csv}", "--layout", "{{subject}}/{{activity}}.csv", "-o"],
    "data make text": ["{text}", "--vocabulary", "9", "-o"],
    "data make patches": ["{picture}", "--count", "20", "--size", "8", "-o"],
    "predict": ["{autoencoder}", "--data", "{patches}", "-o"],
}
"""Commands that write a file."""

FOLDERS = {
    "train": ["activity_gru_course", "--data", "{windows}", "--epochs", "1", "--out"],
    "finetune": ["{recognizer}", "--data", "{windows}", "--epochs", "1", "--out"],
    "crossval": ["activity_gru_course", "--data", "{windows}", "--epochs", "1", "--groups", "2", "--out"],
    "export": ["{recognizer}", "--data", "{windows}", "--formats", "float32", "--to"],
    "tune": ["activity_gru", "--data", "{windows}", "--trials", "1", "--epochs", "1", "--out"],
}
"""Commands that write a folder."""

SPECIAL = {
    "a device": lambda folder: Path("/dev/null"),
    "a full device": lambda folder: Path("/dev/full"),
    "a FIFO": lambda folder: folder / "fifo.npz",
    "a socket": lambda folder: folder / "socket.npz",
    "a link to a file": lambda folder: folder / "link.npz",
    "a link to a folder": lambda folder: folder / "folder_link.npz",
    "a dangling link": lambda folder: folder / "dangling.npz",
    "a link to itself": lambda folder: folder / "loop.npz",
    "below a file": lambda folder: folder / "file.npz" / "x.npz",
    "a name of 300 letters": lambda folder: folder / f"{'n' * 300}.npz",
    "in /proc": lambda folder: Path("/proc/zoo.npz"),
    "something of somebody else": lambda folder: folder / "file.npz",
    "a folder with something": lambda folder: folder / "full.npz",
}


@pytest.fixture
def places(materials, tmp_path) -> Iterator[tuple[Path, dict[str, Path]]]:
    """A folder with special files in it, and the files that commands read."""
    from PIL import Image

    folder = tmp_path / "outputs"
    for name in ("target", "full.npz"):
        (folder / name).mkdir(parents=True)
    (folder / "full.npz" / "mine").write_text("mine")
    (folder / "file.npz").write_text("mine")
    (folder / "link.npz").symlink_to(folder / "file.npz")
    (folder / "folder_link.npz").symlink_to(folder / "target")
    (folder / "dangling.npz").symlink_to(folder / "nowhere")
    (folder / "loop.npz").symlink_to(folder / "loop.npz")
    os.mkfifo(folder / "fifo.npz")
    text, picture = tmp_path / "text.txt", tmp_path / "picture.png"
    text.write_text("he is here now .\nis she there ?\nshe is not here .\n" * 20)
    Image.effect_noise((40, 40), 90).convert("RGB").save(picture)
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        # The names of sockets are short.
        os.chdir(folder)
        listener.bind("socket.npz")
        os.chdir(before)
        yield folder, {**materials._asdict(), "text": text, "picture": picture}


def command(words: str, output: Path, files: dict[str, Path], *more: str) -> list[str]:
    arguments = [each.format(**files) for each in (FILES | FOLDERS)[words]]
    return [*words.split(), *arguments, str(output), *more]


OUTPUTS = [(words, kind, force) for words in (*FILES, *FOLDERS) for kind in SPECIAL for force in (False, True)
           if not force or (words in FILES and words != "predict")]  # fmt: skip


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize(
    ("words", "kind", "force"), OUTPUTS, ids=[f"{w} {k}{' --force' * f}" for w, k, f in OUTPUTS]
)  # fmt: skip
def test_an_output_that_is_no_place_is_refused_and_stays(words, kind, force, places, refused):
    folder, files = places
    line = refused(command(words, SPECIAL[kind](folder), files, *(["--force"] if force else [])))
    assert SPECIAL[kind](folder).name[:60] in line


def refusing(monkeypatch):
    """Makes the disk take no more when a file is flushed to it."""

    def fsync(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


def without_room(monkeypatch):
    """Makes the disk have no room before anything is written."""
    free = shutil.disk_usage(".")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)


FULL = [*((refusing, words) for words in (*FILES, "train", "export")),
        *((without_room, words) for words in FILES if words != "predict")]  # fmt: skip


@pytest.mark.parametrize(("disk", "words"), FULL)
def test_a_full_disk_is_named_and_nothing_is_left(disk, words, places, monkeypatch, refused):
    folder, files = places
    disk(monkeypatch)
    line = refused(command(words, folder / "new.npz", files), "the disk is full")
    # Recordings that are simulated on the way are in the temporary folder.
    assert str(folder / "new.npz") in line or words == "data simulate activity"


@pytest.fixture
def private():
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.parametrize("words", FILES)
def test_what_is_written_is_as_private_as_the_umask_wants(words, places, private, zoo_cli):
    folder, files = places
    status, _, error = zoo_cli(*command(words, folder / "new" / "out.npz", files))
    assert status == 0, error
    made = [folder / "new", *(folder / "new").rglob("*")]
    assert len(made) > 1
    assert [path for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("words", ["export", "bench"])
@pytest.mark.parametrize("where", ["missing", "a file", "a device"])
def test_a_temporary_folder_that_is_none_is_named(words, where, places, tmp_path, monkeypatch, refused):
    folder, files = places
    temporary = {"missing": folder / "missing", "a file": folder / "file.npz", "a device": Path("/dev/null")}[where]
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    arguments = command("export", tmp_path / "out", files) if words == "export" else ["bench", str(files["recognizer"])]
    refused(arguments, temporary.name)


@pytest.mark.parametrize("words", [*FILES, *FOLDERS])
def test_two_runs_with_one_output_do_not_mix(words, places, zoo_cli):
    folder, files = places
    output = folder / "shared.npz"
    holding, done = threading.Event(), threading.Event()

    def other() -> None:
        with (exclusive_folder if words in FOLDERS and words != "export" else exclusive)(output):
            holding.set()
            done.wait()

    run = threading.Thread(target=other)
    run.start()
    try:
        assert holding.wait(60)
        status, _, err = zoo_cli(*command(words, output, files))
    finally:
        done.set()
        run.join()
    assert status == 1
    assert "another run is writing it" in err
    assert not output.exists()


@pytest.mark.process
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["info", "activity_gru_course"], ["--version"]])
@pytest.mark.parametrize("where", ["full", "closed"])
def test_standard_output_that_takes_nothing_is_named(arguments, where):
    shell = f"exec {sys.executable} -m zoo {' '.join(arguments)} " + (">/dev/full" if where == "full" else ">&-")
    run = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("zoo: standard output")
    assert len(run.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def quota(tmp_path_factory):
    """What gives a command a quota, which root does not have."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    library = tmp_path_factory.mktemp("quota") / "quota.so"
    source = Path(__file__).with_name("quota.c")
    subprocess.run(["gcc", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


TRAIN = "train activity_gru_course --data DATA --epochs 1 --set validation_by=time --out NEW"


@pytest.mark.process
@pytest.mark.parametrize(("kind", "size", "command"), [
    ("limit", 5_120, "data simulate text --sentences 3000 -o NEW"),
    ("limit", 5_120, TRAIN),
    # More than is reserved to begin with.
    ("quota", 4_400_000, "data simulate activity --subjects 60 --seconds 20 -o NEW"),
    ("quota", 20_000, TRAIN),
])  # fmt: skip
def test_a_limit_or_a_quota_that_is_used_up_is_named_and_nothing_is_left(
    kind, size, command, quota, materials, tmp_path
):
    folder = tmp_path / "mine"
    folder.mkdir()
    places = {"NEW": str(folder / "new"), "DATA": str(materials.windows)}
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
    held = {"LD_PRELOAD": str(quota), "ZOO_QUOTA": str(size), "ZOO_QUOTA_ROOT": str(folder)}
    words = [places.get(word, word) for word in command.split()]
    run = subprocess.run(
        [sys.executable, "-m", "zoo", *words], capture_output=True, text=True, check=False,
        preexec_fn=limit if kind == "limit" else None, env=os.environ | (held if kind == "quota" else {}),
    )  # fmt: skip
    assert run.returncode == 1, run.stderr
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("zoo: ")
    assert {"limit": "the file is larger than `ulimit -f`", "quota": "your quota of the disk is used up"}[kind] in last
    assert kind == "limit" or str(folder / "new") in last
    assert not list(folder.iterdir())
