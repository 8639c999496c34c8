"""Many processes on this machine: the same trials as in one, whichever of them is killed."""

import os
import signal
import stat
from pathlib import Path

import pytest

from zoo import ZooError
from zoo.search import oracles, run

from .conftest import SETTINGS, Search

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_and_chief_lose_nothing_and_two_workers_run_the_trials_of_one(patches, leaves, tmp_path):
    """Two workers, of which one is killed in the middle of a trial together with the chief."""
    study = patches.study(trials=4, epochs=300, settings=SETTINGS | {"batch_size": 32})
    study.open(patches.folder)
    killed, sockets = [], []

    def kill():
        if killed or not any(record["status"] == "running" and record["epochs"] for record in patches.records()):
            return
        for process in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
            words = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
            known = dict(word.split(b"=", 1) for word in words if b"=" in word)
            name = known.get(b"KERASTUNER_TUNER_ID", b"").decode()
            if name in ("chief", "worker-0"):
                sockets.append(Path(known[b"KERASTUNER_ORACLE_PORT"].decode()))
                killed.append(name)
                os.kill(int(process), signal.SIGKILL)
        assert stat.S_ISSOCK(sockets[0].stat().st_mode)
        assert stat.S_IMODE(sockets[0].parent.stat().st_mode) == 0o700

    run.run_processes(study, patches.folder, 2, kill)
    assert sorted(killed) == ["chief", "worker-0"]
    assert not sockets[0].parent.exists()
    assert [record["status"] for record in patches.records()] == ["scored"] * 4
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


@pytest.mark.slow
def test_a_process_runs_the_study_that_has_claimed_the_folder(patches, leaves, monkeypatch):
    study = patches.study(trials=1, epochs=1, seed=3)
    study.open(patches.folder)
    monkeypatch.setattr(run.jobs, "die_with_parent", lambda: None)
    monkeypatch.setattr("sys.argv", ["run", str(patches.folder), str(leaves), "1"])
    run.main()
    assert [record["recipe"]["seed"] for record in patches.records()] == [4]
    monkeypatch.setattr("sys.argv", ["run", str(patches.folder), "missing.h5", "2"])
    with pytest.raises(SystemExit, match=r"^zoo: missing\.h5"):
        run.main()


def test_a_worker_is_named_after_its_index_in_the_cluster_until_its_search_ends(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for role, chief, words in (
        ("worker", None, "role worker: pass --chief HOST:PORT"),
        ("boss", None, "role 'boss': expected chief or worker"),
        ("worker", "node1", "chief node1: expected HOST:PORT"),
    ):
        with pytest.raises(ZooError, match=words), oracles.take_role(role, chief):
            pass
    monkeypatch.setenv("SLURM_PROCID", "3")
    with oracles.take_role("worker", "node1:8790"):
        assert [os.environ[name] for name in VARIABLES] == ["worker-3", "node1", "8790"]
    assert oracles.role() is None
