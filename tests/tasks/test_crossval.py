"""Cross-validation by person: honest folds, runs that go on after a kill, and a report."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo import ZooError
from zoo.data import activity, gait
from zoo.data.activity import Windows
from zoo.data.examples import Examples
from zoo.report import crossval as report
from zoo.report.figures import activity as figures
from zoo.tasks import crossval, folds, planning
from zoo.tasks.crossval import Protocol
from zoo.tasks.folds import Answers, Fold

PLAN = planning.plan(None, "activity_gru", {"units": 4, "frame": 25, "epochs": 2, "validation": 0.4, "patience": None})
QUICK = ("nearest_neighbor", "random_forest")
OPTIONS = [f"--set={name}={value}" for name, value in (("units", 4), ("frame", 25), ("validation", 0.4))]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Windows of six simulated people, four of them for training."""
    path = tmp_path_factory.mktemp("people") / "data3.h5"
    gait.write_simulated(path, subjects=6, seed=1, seconds=8)
    return path


@pytest.fixture(scope="module")
def whole(people, tmp_path_factory):
    """A cross-validation that nobody disturbed, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    protocol = Protocol(groups=2, baselines=QUICK, random=True)
    return crossval.crossval(PLAN, people, folder, protocol, workers=2, command="zoo crossval"), folder


def lasting(result):
    """A result without what differs from run to run."""
    if isinstance(result, dict):
        return {k: lasting(v) for k, v in result.items() if k not in ("seconds", "started", "command")}
    return [lasting(item) for item in result] if isinstance(result, list) else result


def windows_of(subjects):
    count = len(subjects)
    examples = Examples.all(np.zeros((count, 2, 3), np.float32), np.arange(count) % 2)
    return Windows(examples, np.array(subjects, dtype=np.str_))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=8, max_size=60).filter(lambda who: len(set(who)) > 2), st.integers(2, 3))
def test_no_person_is_on_both_sides_of_a_fold_and_everybody_is_left_out_once(subjects, groups):
    windows = windows_of(subjects)
    masks = folds.left_out(windows, folds.SUBJECT, groups)
    assert np.sum(masks, axis=0).tolist() == [1] * len(windows)
    for aside in masks:
        assert aside.any()
        assert not set(windows.where(aside).people()) & set(windows.where(~aside).people())


def test_random_windows_are_each_left_out_once_and_people_are_on_both_sides():
    windows = windows_of([1, 2] * 20)
    masks = folds.left_out(windows, folds.WINDOW, 4)
    assert np.sum(masks, axis=0).tolist() == [1] * 40
    assert windows.where(masks[0]).people() == windows.where(~masks[0]).people()


def test_nothing_in_a_fold_is_fitted_on_the_people_that_it_leaves_out(people, tmp_path):
    """What a fold answers about other people does not change when those left out were somebody else."""
    data = activity.read(people)
    aside = folds.left_out(data.train, folds.SUBJECT, 2)[0]
    others = tmp_path / "others.h5"
    others.write_bytes(people.read_bytes())
    with h5py.File(others, "r+") as file:
        file["trX"][:] = np.where(aside[:, None, None], 30 + 5 * file["trX"][:], file["trX"][:])
    fold, fitted = Fold(PLAN.name, folds.SUBJECT, 0, 0), []
    for path in (people, others):
        read = activity.read(path)
        windows = read.train.in_memory()
        # Those left out are asked about themselves as they are in the first file.
        asked = data.train.in_memory().where(aside)
        made = {"recipe": PLAN.recipe.to_json(), "family": PLAN.family, "arguments": PLAN.arguments, "data_sha256": ""}
        answers, found = folds._network(
            fold, read, windows.where(~aside), asked, made, tmp_path / f"{path.name}.checkpoint", lambda **news: None
        )
        neighbor = folds._baseline(Fold("nearest_neighbor", folds.SUBJECT, 0, 0), windows.where(~aside), asked, None)
        fitted.append((answers.logits, found["temperature"], neighbor.predicted))
    for one, other in zip(*fitted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert fitted[0][1] is not None


def test_the_result_has_its_numbers_and_where_they_come_from(whole, people):
    result, folder = whole
    assert result == json.loads((folder / "results.json").read_text())
    assert {
        "macro_f1", "accuracy", "macro_f1_interval", "per_subject", "worst_subjects", "confusion", "folds", "mean",
        "group_deviation", "seed_deviation", "ece", "temperature", "command", "seed", "versions", "machine",
        "data_sha256",
    } <= set(result)  # fmt: skip
    data = activity.read(people)
    assert set(result["per_subject"]) == set(data.train.people())
    assert np.sum(result["confusion"]) == len(data.train)
    assert sum(row["windows"] for row in result["per_subject"].values()) == len(data.train)
    assert {name for fold in result["folds"] for name in fold["subjects"]} == set(data.train.people())
    assert all(fold["temperature"] > 0 for fold in result["folds"])
    assert result["seed_deviation"] is None
    assert set(result["baselines"]) == set(QUICK)
    assert set(result["random"]) == {PLAN.name, *QUICK}
    assert result["baselines"]["random_forest"]["behind"]["of"] == 4
    assert any("simulated" in note for note in result["notes"])


def test_every_window_is_answered_by_the_fold_that_left_it_out(whole, people):
    _, folder = whole
    windows = activity.read(people).train
    for split in (folds.SUBJECT, folds.WINDOW):
        for group, aside in enumerate(folds.left_out(windows, split, 2)):
            rows = Answers.read(Fold("random_forest", split, 0, group).file(folder, "npz")).rows
            assert rows.tolist() == np.flatnonzero(aside).tolist()


def test_the_report_says_in_plain_words_what_random_windows_would_have_claimed(whole):
    result, folder = whole
    text = report.cross_validation(result)
    figures.crossval(result, folder)
    assert "SIMULATED data" in text
    assert "With random windows left out instead of subjects, the same recipe would have reported" in text
    assert f"{result['macro_f1']:.3f}" in text
    assert "## Subjects" in text
    assert all((folder / name).stat().st_size > 5000 for name in ("subjects.png", "confusion.png"))


def command(people, folder, *options):
    return [
        sys.executable, "-m", "zoo.cli", "crossval", "--model", "activity_gru", *OPTIONS, "--epochs", "2",
        "--set=patience=null", "--groups", "2", "--baselines", ",".join(QUICK), "--data", str(people), "--out",
        str(folder), "--json", *options,
    ]  # fmt: skip


def test_one_worker_that_is_killed_again_and_again_ends_where_two_did_and_runs_no_fold_twice(whole, people, tmp_path):
    folder = tmp_path / "out"

    def scored():
        found = {}
        for path in (folder / "folds").glob("*.json"):
            record = json.loads(path.read_text())
            if record["status"] == "scored":
                found[path.name] = record
        return found

    kept = {}
    for count in (1, 4):
        run = subprocess.Popen(command(people, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None and len(scored()) < count:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        kept |= scored()
    assert kept
    end = subprocess.run(command(people, folder), capture_output=True, text=True, check=False)
    assert end.returncode == 0, end.stderr
    assert {name: scored()[name] for name in kept} == kept
    result = json.loads(end.stdout)
    for name in ("macro_f1", "accuracy", "confusion", "per_subject", "temperature", "ece", "baselines"):
        assert lasting(result[name]) == lasting(whole[0][name]), name
    assert (folder / "report.md").is_file()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_fold_whose_process_is_killed_each_time_is_recorded_with_its_reason_and_tried_again(whole, people, tmp_path):
    folder, victim = tmp_path / "out", Fold("random_forest", folds.SUBJECT, 0, 1)
    shutil.copytree(whole[1], folder)
    victim.file(folder, "json").unlink()

    def kill(records):
        for fold, record in records.items():
            if record["status"] == "running" and fold == victim:
                for entry in Path("/proc").glob("[0-9]*"):
                    try:
                        words = (entry / "cmdline").read_bytes().split(b"\0")
                    except OSError:
                        continue
                    if str(folder).encode() in words and victim.name.encode() in words:
                        os.kill(int(entry.name), signal.SIGKILL)

    protocol = Protocol(2, baselines=QUICK)
    result = crossval.crossval(PLAN, people, folder, protocol, watch=kill)
    states = [fold["status"] for fold in result["baselines"]["random_forest"]["folds"]]
    assert states == ["scored", "failed"]
    assert "killed by signal 9, 3 times" in result["baselines"]["random_forest"]["folds"][1]["reason"]
    assert any("1 of 6 folds failed" in note for note in result["notes"])
    assert "## Failed folds" in report.cross_validation(result)
    again = crossval.crossval(PLAN, people, folder, protocol)
    assert lasting(again["baselines"]) == lasting(whole[0]["baselines"])


def test_a_recipe_that_fails_in_every_fold_is_one_line_with_its_reason(people, tmp_path):
    plan = planning.plan(None, "activity_gru", {"units": 4, "frame": 25, "epochs": 1, "batch_size": 100_000})
    with pytest.raises(ZooError, match=r"activity_gru failed in every fold, .*fewer than a batch of 100000"):
        crossval.crossval(plan, people, tmp_path / "out", Protocol(2))
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "folds").glob("*.json")]
    assert [record["status"] for record in records] == ["failed"] * 2


def test_a_folder_of_another_run_is_refused_with_what_differs(whole, people):
    _, folder = whole
    other = planning.plan(
        None, "activity_gru", {"units": 4, "frame": 25, "epochs": 3, "validation": 0.4, "patience": None}
    )
    with pytest.raises(ZooError, match=r"holds another cross-validation \(recipe.epochs 2, now 3\): name another"):
        crossval.crossval(other, people, folder, Protocol(2))
    with pytest.raises(ZooError, match=r"groups 2, now 'loso'"):
        crossval.crossval(PLAN, people, folder, Protocol("loso"))


def test_with_everyone_the_test_people_are_left_out_in_turn_as_well(people, tmp_path):
    data = activity.read(people)
    result = crossval.crossval(
        PLAN, people, tmp_path / "out", Protocol(3, baselines=QUICK[:1], everyone=True), workers=2
    )
    assert set(result["per_subject"]) == {*data.train.people(), *data.test.people()}
    assert np.sum(result["confusion"]) == len(data.train) + len(data.test)
    by_label = np.bincount([*data.train.labels, *data.test.labels], minlength=6)
    assert np.sum(result["confusion"], axis=1).tolist() == by_label.tolist()
    assert "The subjects of the test part are among them" in report.cross_validation(result)
    with pytest.raises(ZooError, match=r"everyone True, now False"):
        crossval.crossval(PLAN, people, tmp_path / "out", Protocol(3, baselines=QUICK[:1]))


def test_joined_windows_are_those_of_both_in_their_order(people):
    data = activity.read(people)
    together = data.everyone().train
    for windows, kept in ((data.train, slice(0, len(data.train))), (data.test, slice(len(data.train), None))):
        inputs, labels = activity.all_rows(windows)
        found = activity.all_rows(together)
        np.testing.assert_array_equal(found[0][kept], inputs)
        np.testing.assert_array_equal(found[1][kept], labels)
        assert together.subjects[kept].tolist() == windows.subjects.tolist()


def without_subjects(people, folder):
    path = folder / "unknown.h5"
    path.write_bytes(people.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["trS"], file["tstS"]
    return path


def test_without_subject_ids_there_are_random_windows_alone_and_that_is_said(people, tmp_path):
    path = without_subjects(people, tmp_path)
    with pytest.raises(ZooError, match=r"no subject ids \(key 'trS'\).*`--also random`"):
        Protocol(2).folds(PLAN, activity.read(path))
    planned = Protocol(2, random=True).folds(PLAN, activity.read(path))
    assert {fold.split for fold in planned} == {folds.WINDOW}
    result = crossval.crossval(PLAN, path, tmp_path / "out", Protocol(2, random=True), workers=2)
    assert result["split_by"] == "window"
    assert result["per_subject"] == {}
    assert any("claims too much" in note for note in result["notes"])
    assert "these scores are too high" in report.cross_validation(result)


def test_leaving_one_subject_out_takes_a_fold_for_each_and_seeds_repeat_what_is_random(people):
    planned = Protocol("loso", seeds=2, baselines=QUICK).folds(PLAN, activity.read(people))
    count = {method: sum(fold.method == method for fold in planned) for method in (PLAN.name, *QUICK)}
    assert count == {PLAN.name: 8, "nearest_neighbor": 4, "random_forest": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": 1}, "groups is 1; expected 2 or more, or loso"),
        ({"groups": "all"}, "groups is all; expected 2 or more, or loso"),
        ({"seeds": 0}, "seeds is 0; expected 1 or more"),
        ({"baselines": ("random_forrest",)}, "unknown baseline 'random_forrest': did you mean random_forest"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ZooError, match=message):
        Protocol(**changes)


def test_fewer_people_than_groups_is_refused_before_anything_is_written(people, tmp_path):
    with pytest.raises(ZooError, match=r"4 people in training \(key 'trS'\) for 5 groups"):
        crossval.crossval(PLAN, people, tmp_path / "out", Protocol(5))
    assert not (tmp_path / "out").exists()
