"""Many processes on this machine: the same trials as in one, whichever of them is killed."""

import os
import signal
import stat
from pathlib import Path

import pytest

from zoo import ZooError
from zoo.search import run, search, workers
from zoo.search.records import TRIALS, Records
from zoo.search.study import Study
from zoo.search.trials import Trainer


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_and_chief_lose_nothing_and_two_workers_run_the_trials_of_one(leaves, tmp_path):
    """Two workers, of which one is killed in the middle of a trial together with the chief."""
    settings = {
        "pixels": 64, "batch_size": 32, "hidden_units": 16, "sparsity_target": 0.05, "sparsity_weight": 1.0,
        "weight_decay": 1e-4, "optimizer": "adam", "schedule": "constant",
    }  # fmt: skip
    study = Study("sparse_autoencoder", leaves, "random", 4, 300, settings=settings, halving=False)
    folder, alone = tmp_path / "out", tmp_path / "alone"
    study.open(folder)
    records, killed, sockets = Records(folder / TRIALS), [], []

    def kill():
        if killed or not any(record["status"] == "running" and record["epochs"] for record in records.all()):
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

    workers.run_workers(study, folder, 2, kill)
    assert sorted(killed) == ["chief", "worker-0"]
    assert [record["status"] for record in records.all()] == ["scored"] * 4
    study.open(alone)
    search.run(study, alone, Trainer(study, alone))
    for one, other in zip(Records(alone / TRIALS).all(), records.all(), strict=True):
        assert one["values"] == other["values"]
        assert one["recipe"] == other["recipe"]
        assert one["score"] == pytest.approx(other["score"], rel=1e-3)
    assert not sockets[0].parent.exists()


def test_an_error_in_a_worker_is_the_error_of_the_search(leaves, tmp_path, monkeypatch):
    study = Study("sparse_autoencoder", leaves, "random", 4, 1)
    study.open(tmp_path / "out")
    script = "import sys; print('zoo: data1.h5: the disk is full', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(workers.jobs, "python", lambda *_: [workers.sys.executable, "-c", script])
    for count in (1, 2):
        with pytest.raises(ZooError, match=r"^data1\.h5: the disk is full$"):
            workers.run_workers(study, tmp_path / "out", count, lambda: None)


def test_a_process_runs_the_study_that_has_claimed_the_folder(leaves, tmp_path, monkeypatch):
    study = Study("sparse_autoencoder", leaves, "random", 1, 1, settings={"pixels": 64, "batch_size": 32}, seed=3)
    study.open(tmp_path / "out")
    again = Study.reopen(tmp_path / "out", leaves, 1)
    again.open(tmp_path / "out")
    assert again.outline == study.outline
    monkeypatch.setattr(run.sys, "argv", ["run", str(tmp_path / "out"), str(leaves), "1"])
    monkeypatch.setattr(run.jobs, "die_with_parent", lambda: None)
    run.main()
    assert [record["recipe"]["seed"] for record in Records(tmp_path / "out" / TRIALS).all()] == [4]
    monkeypatch.setattr(run.sys, "argv", ["run", str(tmp_path / "out"), "missing.h5", "2"])
    with pytest.raises(SystemExit, match=r"^zoo: missing\.h5"):
        run.main()


def test_a_worker_is_named_after_its_index_in_the_cluster(monkeypatch):
    for name in ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ZooError, match="role worker: pass --chief HOST:PORT"):
        workers.take_role("worker", None)
    with pytest.raises(ZooError, match="role 'boss': expected chief or worker"):
        workers.take_role("boss", None)
    with pytest.raises(ZooError, match="--chief node1: expected HOST:PORT"):
        workers.take_role("worker", "node1")
    monkeypatch.setenv("SLURM_PROCID", "3")
    for name in ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    workers.take_role("worker", "node1:8790")
    assert workers.name() == "worker-3"
