"""Searches from end to end: every strategy, kills, failures, and bad input."""

import errno
import itertools
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from zoo import ZooError
from zoo.files import write_json
from zoo.recipe import Limits
from zoo.search import finals, search
from zoo.search import records as records_module
from zoo.search.records import TRIALS, Records
from zoo.search.study import Study
from zoo.search.trials import Trainer

SETTINGS = {
    "pixels": 64, "batch_size": 256, "hidden_units": 16, "sparsity_target": 0.05, "sparsity_weight": 1.0,
    "weight_decay": 1e-4, "optimizer": "adam", "schedule": "constant",
}  # fmt: skip
"""One architecture and optimizer; the learning rate is searched."""

pytestmark = pytest.mark.usefixtures("uncompiled")


def settings_without(name):
    return {key: value for key, value in SETTINGS.items() if key != name}


def study(data, **changes):
    options = {"strategy": "random", "trials": 3, "epochs": 2, "settings": SETTINGS, "halving": False} | changes
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


def end(oracle, trial):
    """Scores a trial, as a worker does."""
    oracle.records.write(oracle.records.read(int(trial.trial_id)) | {"status": "scored", "score": 1.0})
    oracle.update_trial(trial.trial_id, {oracle.study.measure: 1.0})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def test_the_grid_of_the_course_has_nine_trials(leaves, tmp_path):
    settings = {"pixels": 64, "batch_size": 128}
    for trials in (5, 100):
        oracle = search.restore(
            study(leaves, strategy="grid", space="course", trials=trials, epochs=1, settings=settings), tmp_path
        )
        while (trial := oracle.create_trial("worker-0")).status == "RUNNING":
            end(oracle, trial)
    values = [record["values"] for record in Records(tmp_path / TRIALS).all()]
    assert len(values) == 9
    assert {(value["hidden_units"], value["weight_decay"]) for value in values} == {
        (units, decay) for units in (10, 64, 100) for decay in (0.0, 1e-3, 5e-4)
    }


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


class Killed(BaseException):
    """The end of a process, as seen from inside."""


@pytest.mark.parametrize("strategy", ["random", "hyperband", "grid"])
def test_a_search_killed_at_any_write_loses_nothing_and_runs_nothing_twice(strategy, leaves, tmp_path, monkeypatch):
    """Killed before and after every file that a search writes, each time in another place."""
    what, folder = study(leaves, strategy=strategy, trials=4, epochs=1), tmp_path / "out"
    what.open(folder)
    what.parts  # noqa: B018
    ended, trained, kills, trainer = {}, [], 0, Trainer(what, folder)
    train = Trainer._train

    def counted(self, plan, record, *rest):
        train(self, plan, record, *rest)
        trained.append(record["trial"])

    monkeypatch.setattr(Trainer, "_train", counted)
    for limit in itertools.count(1):
        writes = 0

        def write(path, document, after, limit=limit):
            nonlocal writes
            writes += 1
            if writes == limit and not after:
                raise Killed
            write_json(path, document)
            if writes == limit:
                raise Killed

        for module in (search, records_module):
            monkeypatch.setattr(module, "write_json", partial(write, after=limit % 2))
        try:
            search.run(what, folder, trainer)
            break
        except Killed:
            kills += 1
        for record in Records(folder / TRIALS).all():
            assert ended.get(record["trial"], record) == record
            if record["status"] != "running":
                ended[record["trial"]] = record
    records = Records(folder / TRIALS).all()
    assert kills > 4
    assert [record["status"] for record in records] == ["scored"] * 4
    assert [records[number] for number in ended] == list(ended.values())
    assert len({json.dumps(record["values"], sort_keys=True) for record in records}) == 4
    # A trial is trained again only where the process died before its score was written.
    assert set(trained) == {0, 1, 2, 3}
    assert [path.name for path in (folder / "oracle").rglob("*.json")] == ["oracle.json"]


def test_trials_of_a_worker_that_does_not_come_back_are_run_by_another(leaves, tmp_path):
    what = study(leaves, trials=3, epochs=1)
    oracle = search.restore(what, tmp_path)
    assert [oracle.create_trial(f"worker-{number}").trial_id for number in (0, 1)] == ["0", "1"]
    oracle, run = search.restore(what, tmp_path), []
    while (trial := oracle.create_trial("worker-1")).status == "RUNNING":
        run.append(trial.trial_id)
        end(oracle, trial)
    assert run == ["1", "2", "0"]


def test_a_full_disk_ends_the_search_and_its_trial_is_run_again(leaves, tmp_path, monkeypatch):
    what, folder = study(leaves, trials=3), tmp_path / "out"
    savez, checkpoints = np.savez, []

    def full(file, *arrays, **named):
        checkpoints.append(file)
        # Two for each trial: after its first epoch and after its last.
        if len(checkpoints) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        savez(file, *arrays, **named)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(ZooError, match="the disk is full"):
        searched(what, folder)
    assert [record["status"] for record in Records(folder / TRIALS).all()] == ["scored", "running"]
    monkeypatch.setattr(np, "savez", savez)
    records, _ = searched(what, folder)
    assert [record["status"] for record in records] == ["scored"] * 3


def test_a_trial_that_fails_is_recorded_with_its_reason_and_the_search_goes_on(leaves, tmp_path):
    # So large a rate that the loss stops being finite, where SGD is drawn.
    settings = settings_without("optimizer") | {"sgd_learning_rate": 1e38, "batch_size": 32}
    what = study(leaves, trials=6, settings=settings)
    records, _ = searched(what, tmp_path / "out")
    failed = [record for record in records if record["status"] == "failed"]
    assert len(records) == 6
    assert 0 < len(failed) < 6
    assert all("became" in record["reason"] and record["score"] is None for record in failed)
    assert all(record["values"]["optimizer"] == "sgd" for record in failed)
    assert finals.ranked(what, records)[0]["status"] == "scored"


def test_a_search_without_a_scored_trial_is_an_error(leaves, tmp_path):
    what = study(leaves, settings=SETTINGS | {"optimizer": "sgd", "sgd_learning_rate": 1e38, "batch_size": 256})
    records, _ = searched(what, tmp_path / "out")
    assert [record["status"] for record in records] == ["failed"] * 3
    with pytest.raises(ZooError, match=r"none of 3 trials has a score, .* became"):
        finals.repeat(what, tmp_path / "out")
    assert not (tmp_path / "out" / "result.json").exists()


def test_models_above_a_limit_are_refused_and_do_not_count(leaves, tmp_path):
    what = study(leaves, limits=Limits(parameters=3000), trials=4, settings=settings_without("hidden_units"))
    records, _ = searched(what, tmp_path / "out")
    refused = [record for record in records if record["status"] == "refused"]
    assert refused
    assert sum(record["status"] == "scored" for record in records) == 4
    assert all(record["reason"].endswith("parameters; the limit is 3,000") for record in refused)
    assert all(record["parameters"] <= 3000 for record in records if record["status"] == "scored")


def test_a_trial_below_the_median_is_stopped_early_and_the_best_is_not(leaves, tmp_path):
    records, _ = searched(study(leaves, trials=6, epochs=8, halving=True), tmp_path / "out")
    stopped = [record for record in records if record["status"] == "stopped"]
    assert stopped
    assert all(record["epochs"] < 8 and "the median of" in record["reason"] for record in stopped)
    best = finals.ranked(study(leaves), records)[0]
    assert best["epochs"] == 8
    for record in stopped:
        rung, score = list(record["rungs"].items())[-1]
        assert record["epochs"] == int(rung)
        # At the rung where it stopped, at least half of the trials that were scored there by then were better.
        others = [other["rungs"][rung] for other in records[: record["trial"]] if rung in other["rungs"]]
        assert len(others) >= 3
        assert score > np.median(others)


def test_every_group_of_people_is_left_out_in_a_trial(simulated, tmp_path):
    what = Study(
        "activity_gru", simulated, "random", 1, 2, groups=2,
        settings={"frame": 75, "units": 8, "num_layers": 1, "ema_decay": 0.0, "batch_size": 128},
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
        settings={
            "frame": 10, "units": 8, "num_layers": 1, "batch_size": 128, "magnitude": True, "frame_activation": "tanh",
        },
    )  # fmt: skip
    (record,), trainer = searched(what, tmp_path / "out")
    assert record["status"] == "scored"
    assert record["file"] in ("model.int8.tflite", "model.dynamic.tflite")
    assert record["parameters"] < record["bytes"] < 200_000
    assert 0 < record["milliseconds"] < 1000
    tight = replace(what, limits=Limits(latency=1e-6))
    tight.open(tmp_path / "tight")
    refusing = Trainer(tight, tmp_path / "tight")
    # An architecture is measured once, whatever its dropout.
    refusing.sizes = trainer.sizes
    search.run(tight, tmp_path / "tight", refusing)
    refused = refusing.records.all()
    assert len({record["values"]["dropout"] for record in refused}) > 1
    assert {record["status"] for record in refused} == {"refused"}
    assert refused[0]["reason"].endswith("ms; the limit is 1e-06")
    assert len(trainer.sizes._known) < len(refused)
