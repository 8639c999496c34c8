"""Cross-validation by person: honest folds, runs that go on after a kill, and a report."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import refused

import zoo
from zoo import crossval
from zoo.activity import data as activity
from zoo.activity import figures, report, simulate
from zoo.crossval import Fold, Protocol
from zoo.data.dataset import Data, DataSet
from zoo.training import Training

pytestmark = pytest.mark.usefixtures("uncompiled")

SETTINGS = {"units": 4, "frame": 25, "epochs": 2, "validation": 0.4, "validation_by": "time", "patience": None}
PLAN = Training.of("activity_gru", SETTINGS)
QUICK = ("nearest_neighbor", "random_forest")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Windows of six simulated people, four of them for training."""
    path = tmp_path_factory.mktemp("people") / "data3.h5"
    simulate.write_simulated(path, subjects=6, seed=1, seconds=8)
    return path


@pytest.fixture(scope="module")
def whole(people, tmp_path_factory):
    """A cross-validation in this process, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    protocol = Protocol(groups=2, baselines=QUICK)
    return crossval.cross_validate(PLAN, people, folder, protocol, workers=0, command="zoo crossval"), folder


def planned_seconds(people, folder, workers=1, **changes):
    """How long a cross-validation says that it will take before it starts, which is then interrupted."""

    def stop(trainings, seconds):
        said.append(seconds)
        raise InterruptedError

    said, plan = [], Training.of("activity_gru", SETTINGS | changes)
    with pytest.raises(InterruptedError):
        crossval.cross_validate(plan, people, folder, Protocol(2), workers=workers, on_start=stop)
    return said[0]


def test_the_time_that_is_announced_grows_with_the_plan_and_falls_with_the_workers(people, tmp_path):
    seconds = planned_seconds(people, tmp_path / "a")
    assert 10 < seconds < 60
    assert planned_seconds(people, tmp_path / "a", workers=2) == seconds / 2
    long = planned_seconds(people, tmp_path / "b", epochs=20_000)
    assert long > 20 * seconds
    assert planned_seconds(people, tmp_path / "c", epochs=20_000, units=256) > 3 * long


def lasting(result):
    """A result without what differs from run to run."""
    if isinstance(result, dict):
        return {k: lasting(v) for k, v in result.items() if k not in ("seconds", "started", "command")}
    return [lasting(item) for item in result] if isinstance(result, list) else result


def windows_of(subjects):
    columns = {"input": np.zeros((len(subjects), 2, 3), np.float32), "target": np.arange(len(subjects)) % 2}
    return DataSet.of({**columns, "subject": np.array(subjects, dtype=np.str_)})


@settings(max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=8, max_size=60).filter(lambda who: len(set(who)) > 2), st.integers(2, 3))
def test_no_person_is_on_both_sides_of_a_fold_and_every_window_is_held_out_once(subjects, groups):
    windows = windows_of(subjects)
    masks = crossval.held_out(windows, crossval.SUBJECT, groups)
    assert np.sum(masks, axis=0).tolist() == [1] * len(windows)
    for mask in masks:
        assert mask.any()
        assert not set(windows.where(mask).people()) & set(windows.where(~mask).people())


def test_studies_without_people_are_refused():
    columns = {**windows_of([1, 2, 3, 4]).columns, "study": np.array(list("aabb"))}
    del columns["subject"]
    data = Data.of("activity", {"train": DataSet.of(columns, classes=("a", "b"), rate=50.0)}, "a.h5")
    refused("no subject ids", Protocol(crossval.STUDY).folds, [PLAN], data)


def arrays_of(folder, fold):
    """The predictions that a fold has written."""
    with np.load(fold.file(folder, "npz")) as file:
        return dict(file)


@pytest.mark.slow
def test_nothing_in_a_fold_is_fitted_on_the_people_that_it_leaves_out(whole, people, tmp_path):
    # Its answers for some windows do not depend on the other windows that it holds out.
    mask = crossval.held_out(activity.from_file(people).train, crossval.SUBJECT, 2)[0]
    changed = np.flatnonzero(mask)[::2]
    others = tmp_path / "others.h5"
    others.write_bytes(people.read_bytes())
    with h5py.File(others, "r+") as file:
        for row in changed:
            file["trX"][row] = 30 + 5 * file["trX"][row]
    crossval.cross_validate(PLAN, others, tmp_path / "out", Protocol(2, baselines=QUICK), workers=0)
    for method in (PLAN.name, *QUICK):
        fold = Fold(method, crossval.SUBJECT, 0, 0)
        one, other = (arrays_of(folder, fold) for folder in (whole[1], tmp_path / "out"))
        same = ~np.isin(one["rows"], changed)
        for name in one:
            np.testing.assert_array_equal(one[name][same], other[name][same])
        assert fold.record(whole[1]).get("temperature") == fold.record(tmp_path / "out").get("temperature")
    assert Fold(PLAN.name, crossval.SUBJECT, 0, 0).record(whole[1])["temperature"] > 0


def test_who_has_one_person_is_told_what_to_do(tmp_path):
    simulate.write_simulated(tmp_path / "data3.h5", subjects=2, seed=1, seconds=8)
    data = activity.from_file(tmp_path / "data3.h5")
    for groups in (5, "loso"):
        refused("one person in training .*: name several days as people, as ann-monday", Protocol(groups).count, data)


@pytest.mark.slow
def test_of_few_people_a_fold_trains_on_all_as_any_training_does(people, tmp_path):
    plan = Training.of("activity_gru", SETTINGS | {"validation_by": "subject"})
    result = crossval.cross_validate(plan, people, tmp_path / "out", Protocol(2), workers=0)
    count = len(activity.from_file(people).train)
    assert [fold["windows"] + fold["train_windows"] for fold in result["folds"]] == [count, count]
    assert (result["ece"]["after"], [each["temperature"] for each in result["folds"]]) == (None, [None, None])
    assert "2 of 2 folds train on three people or fewer, all of them" in result["notes"][-1]
    assert "temperature (on" not in report.cross_validation(result)


def test_the_result_has_its_numbers_and_where_they_come_from(whole, people):
    result, folder = whole
    assert result == json.loads((folder / "results.json").read_text())
    assert {
        "macro_f1", "accuracy", "macro_f1_interval", "per_subject", "worst_subjects", "confusion", "folds", "mean",
        "group_deviation", "seed_deviation", "ece", "temperature", "threshold", "command", "seed", "versions",
        "machine", "data_sha256",
    } <= set(result)  # fmt: skip
    windows = activity.from_file(people).train
    assert np.sum(result["confusion"]) == sum(row["windows"] for row in result["per_subject"].values()) == len(windows)
    in_folds = {name for fold in result["folds"] for name in fold["subjects"]}
    assert in_folds == set(result["per_subject"]) == set(windows.people())
    assert all(fold["temperature"] > 0 for fold in result["folds"])
    assert result["seed_deviation"] is None
    assert set(result["baselines"]) == set(QUICK)
    assert result["baselines"]["random_forest"]["difference"]["of"] == 4
    assert any("simulated" in note for note in result["notes"])
    text = report.cross_validation(result)
    for words in ("SIMULATED data", f"{result['macro_f1']:.3f}", "## Subjects"):
        assert words in text
    assert set(figures.crossval(result)) == {"subjects", "confusion"}
    # Every window is answered by the fold that left it out.
    for group, mask in enumerate(crossval.held_out(windows, crossval.SUBJECT, 2)):
        rows = arrays_of(folder, Fold("random_forest", crossval.SUBJECT, 0, group))["rows"]
        assert rows.tolist() == np.flatnonzero(mask).tolist()


DRIVER = """
import sys
from pathlib import Path
from zoo.activity.data import from_file
from zoo.crossval import Fold, Folds, Protocol
from zoo.training import Training
folds = [Fold(method, "subject", 0, group) for method in ("nearest_neighbor", "random_forest") for group in (0, 1)]
Folds(Path(sys.argv[1]), [Training.of("activity_gru")], from_file(Path(sys.argv[2])), Protocol(2)).run(folds)
"""


def baseline_folds():
    return [Fold(method, crossval.SUBJECT, 0, group) for method in QUICK for group in (0, 1)]


@pytest.mark.process
def test_folds_that_are_killed_with_their_parent_resume_and_none_runs_twice(whole, people, tmp_path):
    folder = tmp_path / "out"
    run = subprocess.Popen([sys.executable, "-c", DRIVER, str(folder), str(people)])
    first = baseline_folds()[0]
    while first.record(folder)["status"] != "scored":
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    kept = {fold: fold.record(folder) for fold in baseline_folds()}
    network, shown = Fold(PLAN.name, crossval.SUBJECT, 0, 1), []
    folds = crossval.Folds(folder, [PLAN], activity.from_file(people), Protocol(2))
    records = folds.run(
        [network, *baseline_folds()], workers=2, on_progress=lambda records: shown.append(records[network]["status"])
    )
    assert [record["status"] for record in records.values()] == ["scored"] * 5, records
    assert records[first] == kept[first]
    for fold in baseline_folds():
        assert lasting(records[fold]) == lasting(fold.record(whole[1]))
    assert {"waiting", "running", "scored"} == set(shown)
    # A network is as good as the same in this process.
    here, there = (arrays_of(place, network) for place in (whole[1], folder))
    np.testing.assert_array_equal(here["rows"], there["rows"])
    np.testing.assert_allclose(here["logits"], there["logits"], atol=1e-4)


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_fold_whose_process_is_killed_each_time_is_recorded_with_its_reason_and_tried_again(whole, people, tmp_path):
    folder, victim = tmp_path / "out", Fold("nearest_neighbor", crossval.SUBJECT, 0, 1)
    shutil.copytree(whole[1], folder)
    victim.file(folder, "json").unlink()

    def kill(records):
        if records[victim]["status"] != "failed":
            for process in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
                os.kill(int(process), signal.SIGKILL)

    protocol = Protocol(2, baselines=QUICK)
    result = crossval.cross_validate(PLAN, people, folder, protocol, on_progress=kill)
    states = [fold["status"] for fold in result["baselines"]["nearest_neighbor"]["folds"]]
    assert states == ["scored", "failed"]
    assert "killed by signal 9, 3 times" in result["baselines"]["nearest_neighbor"]["folds"][1]["reason"]
    assert any("1 of 6 folds failed" in note for note in result["notes"])
    assert "## Failed folds" in report.cross_validation(result)
    again = crossval.cross_validate(PLAN, people, folder, protocol, workers=0)
    assert lasting(again["baselines"]) == lasting(whole[0]["baselines"])


def test_without_a_folder_nothing_is_left(people, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plan = Training.of("activity_gru", {"units": 4, "frame": 75, "epochs": 1, "validation": 0.0})
    assert crossval.cross_validate(plan, people, None, Protocol(2), workers=0)["groups"] == 2
    assert not list(tmp_path.glob(".zoo*"))


def test_a_recipe_that_fails_in_every_fold_is_one_line_with_its_reason(people, tmp_path):
    plan = Training.of("activity_gru", {"units": 4, "frame": 25, "epochs": 1, "learning_rate": 1e38})
    says, out = r"activity_gru failed in every fold, .*became (nan|inf) in epoch 1", tmp_path / "out"
    refused(says, crossval.cross_validate, plan, people, out, Protocol(2), workers=0)
    records = [json.loads(path.read_text()) for path in (out / "folds").glob("*.json")]
    assert [record["status"] for record in records] == ["failed"] * 2


def test_a_folder_of_another_run_is_refused_with_what_differs(whole, people):
    longer = Training.of("activity_gru", SETTINGS | {"epochs": 3})
    for plan, groups, differs in ((longer, 2, r"\(recipe.epochs 2, now 3\): choose"), (PLAN, "loso", "2, now 'loso'")):
        says = f"holds another cross-validation .*{differs}"
        refused(says, crossval.cross_validate, plan, people, whole[1], Protocol(groups))


def test_the_data_that_is_passed_is_cross_validated_not_what_its_file_holds(people, tmp_path):
    data = zoo.load_data(people)
    renamed = np.char.add("new ", data.train.columns["subject"])
    changed = replace(data, train=data.train.with_columns({"subject": renamed}))
    changed = replace(changed, train=changed.train.where(changed.train.subjects != changed.train.people()[0]))
    changed = changed.with_facts(source="mine")
    options = {"groups": 2, "baselines": "none", "recipe": {"epochs": 1, "validation": 0.0}, "verbose": False}
    options |= {"settings": {"units": 4, "frame": 75}}
    for workers in (0, 2):
        out = tmp_path / str(workers)
        result = zoo.cross_validate("activity_gru", changed, **options, out=out, workers=workers)
        assert set(result["per_subject"]) == set(changed.train.people())
        assert result["source"] == "mine"
    everyone = zoo.cross_validate("activity_gru", data.everyone(), **options, workers=0)
    assert set(everyone["per_subject"]) == {*data.train.people(), *data.test.people()}
    refused("holds another cross-validation", zoo.cross_validate, "activity_gru", data, **options, out=tmp_path / "0")


@pytest.mark.slow
def test_with_everyone_the_test_people_are_left_out_in_turn_as_well(people, tmp_path):
    data, protocol = activity.from_file(people), Protocol(2, baselines=QUICK[:1], everyone=True)
    result = crossval.cross_validate(PLAN, people, tmp_path / "out", protocol, workers=0)
    assert set(result["per_subject"]) == {*data.train.people(), *data.test.people()}
    by_label = np.bincount([*data.train.labels, *data.test.labels], minlength=6)
    assert np.sum(result["confusion"], axis=1).tolist() == by_label.tolist()
    assert "6 subjects of both sets of" in report.cross_validation(result)
    alone = replace(protocol, everyone=False)
    refused("everyone True, now False", crossval.cross_validate, PLAN, people, tmp_path / "out", alone)


def test_loso_has_a_fold_for_each_person_and_seeds_repeat_what_is_random(people):
    planned = Protocol("loso", seeds=2, baselines=QUICK).folds([PLAN], activity.from_file(people))
    assert Counter(fold.method for fold in planned) == {PLAN.name: 8, "nearest_neighbor": 4, "random_forest": 8}


@pytest.mark.parametrize("name", [crossval.CONFIG, "folds/nearest_neighbor.subject.0.0.json"])
def test_a_record_that_is_cut_off_is_named_with_its_cure(name, whole, people, tmp_path):
    shutil.copytree(whole[1], folder := tmp_path / "out")
    (folder / name).write_text((folder / name).read_text()[:50])
    protocol = Protocol(2, baselines=QUICK)
    refused(rf"{name}: .*copy the file again", crossval.cross_validate, PLAN, people, folder, protocol)


def test_the_calibration_error_counts_windows_whose_label_is_a_set_by_their_most_probable_class():
    # Half of the stairs are certain to be stairs, and half are called walking.
    labels, logits = np.array([0, 3, 3]), np.array([[2.0, 0, 0], [0, 2.0, 0], [0, 0, 2.0]])
    none = np.full(3, np.nan)
    share = float(np.exp(2) / (np.exp(2) + 2))
    found = crossval.calibration(labels, logits, none, 0.0, None, [(0, 1)])
    assert found["ece"]["before"] == pytest.approx(share - 2 / 3)
    assert found["ece"]["after"] is None
    assert found["temperature"] == crossval.calibration(labels[:1], logits[:1], none[:1], 0.0, None)["temperature"]
