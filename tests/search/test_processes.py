"""Many processes on this machine: the same trials as in one, whichever of them is killed."""

import os
import signal
from pathlib import Path

import pytest

from zoo import ZooError
from zoo.search import run

from .conftest import SETTINGS, Search


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_loses_nothing_and_two_workers_run_the_trials_of_one(patches, leaves, tmp_path):
    """Two workers, of which one is killed in the middle of a trial, of the study that has claimed the folder."""
    study = patches.study(trials=4, epochs=300, seed=3, settings=SETTINGS | {"batch_size": 32})
    study.open(patches.folder)
    killed = []

    def kill(records):
        if killed or not any(record["status"] == "running" and record["epochs"] for record in records):
            return
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        (killed[:],) = [
            [int(process)] for process in children
            if Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[-2:] == [b"0", b""]
        ]  # fmt: skip
        os.kill(killed[0], signal.SIGKILL)

    run.run_trials(study, patches.folder, 2, kill)
    assert len(killed) == 1
    assert [record["status"] for record in patches.records()] == ["scored"] * 4
    assert {record["process"] for record in patches.records()} == {0, 1}
    alone = Search(leaves, tmp_path / "alone")
    for one, other in zip(alone.run(study=study), patches.records(), strict=True):
        assert one["values"] == other["values"]
        assert one["recipe"] == other["recipe"]
        assert one["score"] == pytest.approx(other["score"], rel=1e-3)


@pytest.mark.slow
def test_an_error_in_a_worker_is_the_error_of_the_search(patches, monkeypatch):
    script = "import sys; print('zoo: data1.h5: the disk is full', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(run.jobs, "python", lambda *_: [run.sys.executable, "-c", script])
    for count in (1, 2):
        with pytest.raises(ZooError, match=r"^data1\.h5: the disk is full$"):
            run.search(patches.study(), patches.folder, processes=count)


def test_a_worker_without_its_data_says_so_in_a_line(patches, monkeypatch):
    patches.study(trials=1, epochs=1).open(patches.folder)
    monkeypatch.setattr(run.jobs, "die_with_parent", lambda: None)
    monkeypatch.setattr("sys.argv", ["run", str(patches.folder), "missing.h5", "2", "0"])
    with pytest.raises(SystemExit, match=r"^zoo: missing\.h5"):
        run.main()
