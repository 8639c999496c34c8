"""Searches from end to end: every strategy, kills, failures, and bad input."""

import json
import os
import signal
import subprocess
import time

import pytest

from tuning import finals, search
from tuning.records import TRIALS, Records
from tuning.study import Limits, Study
from tuning.trials import Trainer
from zoo import ZooError

SMALL = {"pixels": 64, "batch_size": 32}


def study(data, **changes):
    options = {"strategy": "random", "trials": 3, "epochs": 2, "settings": SMALL, "halving": False} | changes
    return Study("sparse_autoencoder", data, **options)


def searched(what, folder):
    what.open(folder)
    trainer = Trainer(what, folder)
    search.run(what, folder, trainer)
    return Records(folder / TRIALS).all(), trainer


@pytest.mark.parametrize("strategy", ["random", "hyperband", "bayesian", "grid"])
def test_every_strategy_scores_its_trials_and_goes_on_with_more(strategy, leaves, tmp_path):
    records, _ = searched(study(leaves, strategy=strategy, trials=4), tmp_path / "out")
    assert [record["status"] for record in records] == ["scored"] * 4
    assert [record["trial"] for record in records] == [0, 1, 2, 3]
    more, _ = searched(study(leaves, strategy=strategy, trials=6), tmp_path / "out")
    assert more[:4] == records
    assert [record["status"] for record in more] == ["scored"] * 6
    drawn = {json.dumps([record["values"], record["epochs"]], sort_keys=True) for record in more}
    assert len(drawn) == 6


def test_the_grid_of_the_course_has_nine_trials(leaves, tmp_path):
    what = study(leaves, strategy="grid", space="course", trials=100, epochs=1)
    searched(study(leaves, strategy="grid", space="course", trials=5, epochs=1), tmp_path / "out")
    records, _ = searched(what, tmp_path / "out")
    pairs = {(record["values"]["hidden_units"], record["values"]["weight_decay"]) for record in records}
    assert len(records) == 9
    assert pairs == {(units, decay) for units in (10, 64, 100) for decay in (0.0, 1e-3, 5e-4)}


def test_each_trial_has_its_own_seed_and_all_the_same_split(leaves, tmp_path):
    records, _ = searched(study(leaves, seed=5), tmp_path / "out")
    assert [record["recipe"]["seed"] for record in records] == [6, 7, 8]
    assert {record["recipe"]["split_seed"] for record in records} == {5}


def test_data_is_read_once(leaves, tmp_path):
    copy = tmp_path / "data1.h5"
    copy.write_bytes(leaves.read_bytes())
    what = study(copy)
    what.open(tmp_path / "out")
    trainer = Trainer(what, tmp_path / "out")
    assert trainer.study.parts[0].data.photographs is not None
    copy.unlink()
    search.run(what, tmp_path / "out", trainer)
    assert [record["status"] for record in trainer.records.all()] == ["scored"] * 3


def test_a_search_killed_with_sigkill_again_and_again_loses_nothing_and_runs_nothing_twice(command, begun, background):
    def lasting(record):
        # The best trials' files are measured when all have ended.
        return {key: value for key, value in record.items() if key not in ("file", "bytes", "milliseconds")}

    ended = {}
    for trial in (0, 1, 2):
        search = background(command)
        while search.poll() is None and not any(r["trial"] == trial and r["epochs"] > 0 for r in begun()):
            time.sleep(0.01)
        os.kill(search.pid, signal.SIGKILL)
        assert search.wait() == -signal.SIGKILL
        for record in begun():
            assert ended.get(record["trial"], record) == record
            if record["status"] != "running":
                ended[record["trial"]] = record
    assert list(ended) == [0, 1]
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    assert [record["status"] for record in begun()] == ["scored"] * 4
    for trial, record in ended.items():
        assert lasting(begun()[trial]) == lasting(record)
    assert json.loads(last.stdout)["objective"] == "cost"
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout) == json.loads(last.stdout)


def test_a_trial_that_fails_is_recorded_with_its_reason_and_the_search_goes_on(leaves, tmp_path):
    # So large a rate that the loss stops being finite, where SGD is drawn.
    what = study(leaves, trials=8, settings=SMALL | {"sgd_learning_rate": 1e38})
    records, _ = searched(what, tmp_path / "out")
    failed = [record for record in records if record["status"] == "failed"]
    assert len(records) == 8
    assert 0 < len(failed) < 8
    assert all("became" in record["reason"] and record["score"] is None for record in failed)
    assert all(record["values"]["optimizer"] == "sgd" for record in failed)
    assert finals.ranked(what, records)[0]["status"] == "scored"


def test_a_search_without_a_scored_trial_is_an_error(leaves, tmp_path):
    what = study(leaves, settings=SMALL | {"batch_size": 5000})
    records, trainer = searched(what, tmp_path / "out")
    assert [record["status"] for record in records] == ["failed"] * 3
    with pytest.raises(ZooError, match=r"none of 3 trials has a score, .* training rows are fewer than a batch"):
        finals.decide(what, tmp_path / "out", trainer)
    assert not (tmp_path / "out" / "result.json").exists()


def test_models_above_a_limit_are_refused_and_do_not_count(leaves, tmp_path):
    what = study(leaves, limits=Limits(parameters=3000), trials=4)
    records, _ = searched(what, tmp_path / "out")
    refused = [record for record in records if record["status"] == "refused"]
    assert refused
    assert sum(record["status"] == "scored" for record in records) == 4
    assert all(record["reason"].endswith("parameters; at most 3,000 are wanted") for record in refused)
    assert all(record["parameters"] <= 3000 for record in records if record["status"] == "scored")


def test_a_trial_that_others_are_ahead_of_is_stopped_early_and_what_is_best_is_not(leaves, tmp_path):
    records, _ = searched(study(leaves, trials=12, epochs=8, halving=True), tmp_path / "out")
    stopped = [record for record in records if record["status"] == "stopped"]
    assert stopped
    assert all(record["epochs"] < 8 and "the median of" in record["reason"] for record in stopped)
    best = finals.ranked(study(leaves), records)[0]
    assert best["epochs"] == 8
    assert all(best["rungs"]["4"] <= record["rungs"]["4"] for record in stopped if "4" in record["rungs"])


def test_every_group_of_people_is_left_out_in_a_trial(simulated, tmp_path):
    what = Study(
        "activity_gru", simulated, "random", 1, 2, groups=2,
        settings={"frame": 10, "units": 8, "num_layers": 1, "ema_decay": 0.0, "batch_size": 32},
    )  # fmt: skip
    records, trainer = searched(what, tmp_path / "out")
    assert [record["status"] for record in records] == ["scored"]
    assert len(records[0]["parts"]) == 2
    assert records[0]["score"] == pytest.approx(sum(records[0]["parts"]) / 2)
    left_out = [set(part.validation.people()) for part in trainer.study.parts]
    assert not left_out[0] & left_out[1]


def test_size_and_latency_are_of_the_exported_file(simulated, tmp_path):
    what = Study(
        "activity_gru", simulated, "random", 1, 1, limits=Limits(bytes=200_000, latency=1000.0),
        settings={"frame": 10, "units": 8, "num_layers": 1, "batch_size": 32},
    )  # fmt: skip
    records, _ = searched(what, tmp_path / "out")
    record = records[0]
    assert record["status"] == "scored"
    assert record["file"] in ("model.int8.tflite", "model.dynamic.tflite")
    assert record["parameters"] < record["bytes"] < 200_000
    assert 0 < record["milliseconds"] < 1000
    tight = Study(what.target, simulated, "random", 1, 1, limits=Limits(latency=1e-6), settings=what.settings)
    refused, _ = searched(tight, tmp_path / "tight")
    assert {record["status"] for record in refused} == {"refused"}
    assert refused[0]["reason"].endswith("ms; at most 1e-06 are wanted")
