"""Many processes on this machine: the same trials as in one, whichever of them is killed."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from running import refused

import zoo
from zoo.search import run

from .conftest import SETTINGS, Search


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_worker_loses_nothing_and_two_workers_run_the_trials_of_one(patches, leaves, tmp_path):
    """Two workers, of which one is killed in the middle of a trial, of the study that has claimed the folder."""
    study = patches.study(trials=4, epochs=150, seed=3, settings=SETTINGS | {"batch_size": 32})
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
    for one, other in zip(alone.try_out(study), patches.records(), strict=True):
        assert one["values"] == other["values"]
        assert one["recipe"] == other["recipe"]
        assert one["score"] == pytest.approx(other["score"], rel=1e-3)


@pytest.mark.slow
def test_an_error_in_a_worker_is_the_error_of_the_search(patches, monkeypatch):
    script = "import sys; print('zoo: data1.h5: the disk is full', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(run.jobs, "python", lambda *_: [run.sys.executable, "-c", script])
    for count in (1, 2):
        refused(r"^data1\.h5: the disk is full$", run.search, patches.study(), patches.folder, processes=count)


def test_the_data_that_is_passed_is_searched_not_what_its_file_holds(leaves, tmp_path, capsys):
    data = zoo.load_data(leaves)
    half = replace(data, train=data.train.where(np.arange(len(data.train)) < 150))
    options = {"strategy": "random", "trials": 1, "epochs": 1, "best": 1, "seeds": 1, "settings": SETTINGS}
    scores = []
    for workers in (0, 1):
        out, shown = tmp_path / str(workers), workers == 0
        tuned = zoo.tune("sparse_autoencoder", half, out=out, workers=workers, verbose=shown, **options)
        assert ("1 of 1 done" in capsys.readouterr().err) == shown
        training = tuned["training"]
        assert training["train_patches"] + training["held_out_patches"] == 150
        scores.append(json.loads((out / "trials" / "0.json").read_text())["score"])
    assert scores[0] == pytest.approx(scores[1], rel=1e-3)
    options |= {"verbose": False}
    refused("holds another search", zoo.tune, "sparse_autoencoder", data, out=tmp_path / "0", **options)
