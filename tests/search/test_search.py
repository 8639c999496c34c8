"""Searches from end to end: every strategy, kills, failures, limits."""

import errno
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import Limits, ZooError
from zoo.activity.task import ActivityTask
from zoo.catalog import PRESETS_FOLDER, preset_names
from zoo.exporting.artifacts import Tolerance, export
from zoo.loading import Loaded
from zoo.search import trials
from zoo.search.trials import expected_bytes

from .conftest import GRU, SETTINGS, Search

MEASURED, INT8 = ("file", "bytes", "milliseconds"), "model.int8.tflite"

pytestmark = pytest.mark.usefixtures("uncompiled")


def settings_without(name):
    return {key: value for key, value in SETTINGS.items() if key != name}


class Killed(BaseException):
    """The end of a process, as seen from inside."""


@pytest.mark.slow
def test_a_search_killed_at_any_write_has_the_trials_of_one_that_is_not(patches, leaves, tmp_path, monkeypatch):
    """Killed before and after every file that its trials write, each time in another place, and then in the finals.

    That trials of all strategies are the same ones after a kill is shown by test_oracle.py, without training any.
    """
    study, ended, replace = patches.study(trials=3, epochs=1), {}, Path.replace
    study.open(patches.folder)
    for limit in itertools.count(1):
        writes = 0

        def write(path, target, limit=limit):
            nonlocal writes
            writes += path.suffix == ".json"
            if writes == limit and limit % 2 and path.suffix == ".json":
                raise Killed
            replace(path, target)
            if writes == limit or Path(target).parent.name == "finals":
                raise Killed

        monkeypatch.setattr(Path, "replace", write)
        with pytest.raises(Killed):
            patches.run(study=study)
        for record in patches.records():
            assert ended.get(record["trial"], record) == record
            if record["status"] != "running":
                ended[record["trial"]] = record
        if (patches.folder / "finals").is_dir():
            break
    assert limit > 4
    monkeypatch.setattr(Path, "replace", replace)
    records = patches.run(trials=4, epochs=1)
    # The report adds size and latency.
    assert all(records[number] == ended[number] | {k: records[number][k] for k in MEASURED} for number in range(3))
    assert [(record["trial"], record["status"]) for record in records] == [(number, "scored") for number in range(4)]
    assert len({json.dumps([record["values"], record["epochs"]], sort_keys=True) for record in records}) == 4
    # Each trial has its own seed, and all have the same split.
    assert [record["recipe"]["seed"] - record["recipe"]["split_seed"] for record in records] == [1, 2, 3, 4]
    whole = Search(leaves, tmp_path / "whole")
    assert [record["values"] for record in whole.run(trials=4, epochs=1)] == [record["values"] for record in records]
    assert whole.result["chosen"] == patches.result["chosen"]


@pytest.mark.slow
def test_a_grid_that_starts_at_a_preset_has_every_cell(patches):
    settings = {"pixels": 64, "batch_size": 256}
    records = patches.try_out(
        target="sparse_autoencoder_course", strategy="grid", space="course", trials=100, epochs=1, settings=settings
    )
    assert (records[0]["values"]["hidden_units"], records[0]["values"]["weight_decay"]) == (64, 5e-4)
    assert len(records) == 9
    assert {(record["values"]["hidden_units"], record["values"]["weight_decay"]) for record in records} == {
        (units, decay) for units in (10, 64, 100) for decay in (0.0, 1e-3, 5e-4)
    }


@pytest.mark.slow
def test_a_full_disk_ends_the_search_and_its_trial_is_run_again(patches, monkeypatch):
    savez, checkpoints = np.savez, []

    def full(file, *arrays, **named):
        checkpoints.append(file)
        # Two for each trial: after its first epoch and after its last.
        if len(checkpoints) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        savez(file, *arrays, **named)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(ZooError, match="the disk is full"):
        patches.try_out()
    assert [record["status"] for record in patches.records()] == ["scored", "running"]
    monkeypatch.setattr(np, "savez", savez)
    assert [record["status"] for record in patches.try_out()] == ["scored"] * 3


@pytest.mark.slow
def test_a_trial_that_fails_is_recorded_with_its_reason_and_the_search_goes_on(patches):
    # So large a rate that the loss stops being finite, where SGD is drawn.
    records = patches.run(trials=6, settings=settings_without("optimizer") | {"sgd_learning_rate": 1e38})
    failed = [record for record in records if record["status"] == "failed"]
    assert len(records) == 6
    assert 0 < len(failed) < 6
    assert all("became" in record["reason"] and record["score"] is None for record in failed)
    assert all(record["values"]["optimizer"] == "sgd" for record in failed)
    assert patches.result["chosen"] not in [record["trial"] for record in failed]
    assert "became" in (patches.folder / "report.md").read_text()


@pytest.mark.slow
def test_a_search_without_a_scored_trial_is_an_error(patches):
    with pytest.raises(ZooError, match=r"none of 3 trials has a score, .* became"):
        patches.run(settings=SETTINGS | {"optimizer": "sgd", "sgd_learning_rate": 1e38})
    assert not (patches.folder / "result.json").exists()


@pytest.mark.slow
def test_models_above_a_limit_are_refused_and_do_not_count(patches):
    records = patches.try_out(
        strategy="bayesian", limits=Limits(parameters=3000), trials=4, epochs=1,
        settings=settings_without("hidden_units"),
    )  # fmt: skip
    refused = [record for record in records if record["status"] == "refused"]
    assert refused
    assert sum(record["status"] == "scored" for record in records) == 4
    assert all("parameters" in record["reason"] and "3,000" in record["reason"] for record in refused)
    assert all(record["parameters"] <= 3000 for record in records if record["status"] == "scored")


@pytest.mark.parametrize("preset", [name for name in preset_names() if (PRESETS_FOLDER / name / INT8).is_file()])
def test_the_size_of_a_file_is_known_before_it_is_written(preset):
    file = (PRESETS_FOLDER / preset / INT8).stat().st_size
    assert expected_bytes(zoo.Model.from_preset(preset)) == pytest.approx(file, rel=0.05)


SIZED = {
    "gru": lambda: zoo.ActivityGRU(units=48, num_layers=3, frame=10, magnitude=True, dropout=0.2),
    "lstm": lambda: zoo.ActivityLSTM(units=24, num_layers=2, frame=10),
    "rnn": lambda: zoo.ActivityRNN(units=16, num_layers=1, frame=5),
    "cnn": lambda: zoo.ActivityCNN(filters=16, kernel_size=3, num_blocks=3),
    "patches": lambda: zoo.SparseAutoencoder(hidden_units=144, scale=(0.5, -0.5, 0.5)),
    "text": lambda: zoo.TrigramLM(vocabulary=[f"w{i}" for i in range(200)], embedding=16, hidden_units=64),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", SIZED)
def test_the_size_of_an_untrained_file_is_known_before_it_is_written(family, tmp_path):
    loaded = Loaded(family, SIZED[family]())
    # Biases that are 0, as before a training, are left out of a file.
    for weight in loaded.model.weights:
        weight.assign(np.where(weight.name == "bias", np.linspace(0.1, 0.2, weight.shape[-1]), weight))
    # Nothing was trained, so integers may name another class than Keras.
    exportable = replace(loaded.task.exportable(loaded, None), tolerances={"int8": Tolerance(np.inf)})
    (artifact,) = export(loaded, exportable, tmp_path / "files")
    assert expected_bytes(loaded.model) == pytest.approx(artifact["bytes"], rel=0.05)


@pytest.mark.slow
def test_sizes_far_from_the_limit_are_not_exported(simulated, tmp_path):
    options = {"target": "activity_gru", "trials": 1, "epochs": 1}
    large = Search(simulated, tmp_path / "large")
    with pytest.raises(ZooError, match=r"bytes or more; the limit is 20,000"):
        large.run(**options, settings=GRU | {"units": 96}, limits=Limits(bytes=20_000))
    assert {record["file"] for record in large.records()} == {None}
    roomy = Search(simulated, tmp_path / "roomy")
    (record,) = roomy.run(**options, settings=GRU, limits=Limits(bytes=100_000))
    # The best trials are measured at the end.
    assert record["parameters"] < record["bytes"] < 20_000
    assert record["steps"] >= record["epochs"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("unknown", ["task", "layer"])
def test_a_file_whose_size_no_formula_tells_is_exported(unknown, simulated, tmp_path, monkeypatch):
    if unknown == "task":
        monkeypatch.setattr(ActivityTask, "int8_bytes", None)
    else:
        monkeypatch.delitem(trials._LAYERS, "GRU")
    measured = Search(simulated, tmp_path / "measured")
    # Each weight takes a byte, so that parameters alone refuse nothing here.
    with pytest.raises(ZooError, match=r"bytes; the limit is 2,000"):
        measured.run(target="activity_gru", trials=1, epochs=1, settings=GRU, limits=Limits(bytes=2_000))
    assert all(record["parameters"] < 2_000 < record["bytes"] for record in measured.records())


@pytest.mark.slow
def test_every_group_of_people_is_left_out_in_a_trial(simulated, tmp_path):
    people = Search(simulated, tmp_path / "out")
    study = people.study("activity_gru", trials=1, epochs=1, groups=2, settings=GRU | {"frame": 75})
    (record,) = people.try_out(study)
    assert record["status"] == "scored"
    assert len(record["parts"]) == 2
    assert record["score"] == pytest.approx(sum(record["parts"]) / 2)
    left_out = [set(part.validation.people()) for part in study.parts]
    assert not left_out[0] & left_out[1]


@pytest.mark.slow
def test_size_and_latency_are_of_the_exported_file(simulated, tmp_path):
    roomy = Search(simulated, tmp_path / "out")
    options = {"target": "activity_gru", "trials": 1, "epochs": 1, "settings": GRU}
    (record,) = roomy.try_out(**options, limits=Limits(bytes=200_000, latency=1000.0))
    assert record["status"] == "scored"
    assert record["file"] in ("model.int8.tflite", "model.dynamic.tflite")
    assert record["parameters"] < record["bytes"] < 200_000
    assert 0 < record["milliseconds"] < 1000
    tight = Search(simulated, tmp_path / "tight")
    with pytest.raises(ZooError, match=r"none of 5 trials has a score, .* ms; the limit is 1e-06"):
        tight.run(**options, limits=Limits(latency=1e-6))
    # An architecture is measured once, whatever its dropout.
    refused = tight.records()
    assert len({record["values"]["dropout"] for record in refused}) == 5
    assert len({record["milliseconds"] for record in refused}) == 1
