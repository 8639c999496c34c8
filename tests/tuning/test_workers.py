"""Many processes on this machine: the same trials as one, whoever dies."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tuning import workers
from zoo import ZooError


def test_two_workers_finish_the_same_trials_as_one(command, begun, tmp_path):
    alone = [str(tmp_path / "alone") if word == str(tmp_path / "out") else word for word in command]
    subprocess.run(alone, check=True, capture_output=True)
    many = subprocess.run([*command, "--workers", "2"], capture_output=True, text=True, check=False)
    assert many.returncode == 0, many.stderr
    theirs = [json.loads(path.read_text()) for path in sorted((tmp_path / "alone" / "trials").glob("[0-9]*.json"))]
    for one, other in zip(theirs, begun(), strict=True):
        assert one["values"] == other["values"]
        assert one["recipe"] == other["recipe"]
        assert one["score"] == pytest.approx(other["score"], rel=1e-3)
    assert json.loads(many.stdout)["objective"] == "cost"


def children(process):
    """Process numbers by the names that keras-tuner knows them by."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            status = (entry / "status").read_text()
            words = (entry / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        if f"PPid:\t{process.pid}\n" in status:
            names = [word.partition(b"=")[2].decode() for word in words if word.startswith(b"KERASTUNER_TUNER_ID=")]
            found |= dict.fromkeys(names, int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_worker_and_the_chief_killed_in_mid_trial_lose_nothing(command, begun, background):
    search = background([*command, "--workers", "2"])
    for victim in ("worker-0", "chief"):
        while search.poll() is None and not any(r["status"] == "running" and r["epochs"] for r in begun()):
            time.sleep(0.01)
        os.kill(children(search)[victim], signal.SIGKILL)
        time.sleep(0.5)
    assert search.wait(timeout=300) == 0
    assert [record["status"] for record in begun()] == ["scored"] * 4


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_workers_die_with_the_process_that_supervises_them_and_the_same_command_goes_on(command, begun, background):
    search = background([*command, "--workers", "2"])
    while search.poll() is None and not any(record["epochs"] for record in begun()):
        time.sleep(0.01)
    family = children(search)
    assert set(family) == {"chief", "worker-0", "worker-1"}
    os.kill(search.pid, signal.SIGKILL)
    search.wait()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert not any(Path(f"/proc/{number}").exists() for number in family.values())
    assert [record["status"] for record in begun()] == ["scored"] * 4


def test_a_worker_takes_its_name_from_the_cluster(monkeypatch):
    for name in ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ZooError, match="role worker: name --chief HOST:PORT"):
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
