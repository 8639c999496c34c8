"""A label may be a set of classes: in the loss, in files, in training, and in every score."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from running import refused
from scipy.special import softmax

import zoo
from zoo import describe
from zoo.activity import data as activity
from zoo.activity import metrics, recordings
from zoo.activity.cutting import Windowing, choose_classes, write_windows
from zoo.activity.finetuning import fit_head
from zoo.activity.metrics import by_study, measured
from zoo.activity.simulate import simulate
from zoo.activity.task import TASK, _weighted
from zoo.data.dataset import Data
from zoo.models.losses import CrossEntropy, accuracy, balanced_weights
from zoo.runtime.labels import COUNTED, forgive, indistinct, resolve
from zoo.task import Split
from zoo.training import Training

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(60, 4)).astype("float32")
SETS = [(0, 1), (1, 2, 3)]
LABELS = RANDOM.integers(0, 6, 60)
MEMBERS = [[0], [1], [2], [3], [0, 1], [1, 2, 3]]


def test_the_loss_of_a_set_is_the_negative_logarithm_of_the_sum_of_its_probabilities():
    probabilities = softmax(LOGITS.astype("float64"), axis=1)
    smoothing, weights = 0.1, np.array([0.5, 1.0, 2.0, 0.25, 0.75, 3.0])
    expected = [
        weights[label] * -((1 - smoothing) * np.log(row[MEMBERS[label]].sum()) + smoothing * np.log(row).mean())
        for row, label in zip(probabilities, LABELS, strict=True)
    ]
    found = CrossEntropy(smoothing, weights.tolist(), SETS, reduction=None)(LABELS, LOGITS)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    found = measured(LABELS, LOGITS, label_sets=SETS)["cross_entropy"]
    assert found == pytest.approx(float(CrossEntropy(label_sets=SETS)(LABELS, LOGITS)), rel=1e-5)


def test_a_prediction_in_the_set_is_right():
    expected = [row.argmax() in MEMBERS[label] for row, label in zip(LOGITS, LABELS, strict=True)]
    np.testing.assert_array_equal(accuracy(LABELS, LOGITS, SETS), expected)
    np.testing.assert_array_equal(resolve(LABELS, LOGITS, SETS) == LOGITS.argmax(axis=1), expected)


def test_without_sets_the_loss_is_that_of_before_and_its_config_builds_it_again():
    loss = CrossEntropy(0.1, label_sets=SETS)
    assert float(CrossEntropy.from_config(loss.get_config())(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))
    without = float(CrossEntropy(0.1)(LABELS % 4, LOGITS))
    assert float(loss(LABELS % 4, LOGITS)) == pytest.approx(without, rel=1e-6)


def test_weights_follow_the_root_of_the_frequencies():
    weights = np.array(balanced_weights(np.array([16, 4, 0]), 0.5))
    assert weights[1] / weights[0] == pytest.approx(2)
    assert weights[2] == 0
    assert (16 * weights[0] + 4 * weights[1]) / 20 == pytest.approx(1)


def test_a_study_is_scored_by_the_labels_that_it_tells_apart():
    scores = np.eye(3)[[0, 1, 0, 2, 0, 1, 2]]
    labels, studies = np.array([3, 3, 2, 2, 0, 1, 0]), np.array(["coarse"] * 4 + ["fine"] * 2 + ["one"])
    found = by_study(labels, scores, studies, [(0, 1)])
    # Of the coarse study, one window of class 2 is taken for the set.
    assert found["coarse"] == {"windows": 4, "accuracy": 0.75, "macro_f1": pytest.approx((0.8 + 2 / 3) / 2)}
    assert found["fine"]["macro_f1"] == 1.0
    assert found["one"] == {"windows": 1, "accuracy": 0.0, "macro_f1": None}


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory) -> Path:
    """Two files of recordings: one tells stairs apart, the other calls both stairs."""
    folder = tmp_path_factory.mktemp("studies")
    for name, seed in (("fine", 1), ("coarse", 2)):
        people = [replace(r, subject=f"{name}{r.subject}", study=name) for r in simulate(4, seed=seed, seconds=20)]
        if name == "coarse":
            people = [replace(r, activity=re.sub("^(up|down)", "", r.activity)) for r in people]
        recordings.write_recordings(folder / f"{name}.h5", people, source=name, simulated=True)
    return folder


SMALL = {"units": 4, "num_layers": 1, "frame": 25}
PLAN = Training.of("activity_gru", SMALL)


def joined(folder):
    """The recordings of both studies, and the classes of their labels."""
    index = recordings.join(*(recordings.read_recordings(folder / f"{name}.h5") for name in ("fine", "coarse")))
    return index, choose_classes("both", index.activities, None, {"stairs": "upstairs+downstairs"})


@pytest.fixture(scope="module")
def data(two_studies) -> Data:
    """The windows of both studies, which tests only read."""
    index, classes = joined(two_studies)
    people = sorted({str(name) for name in index.subjects})
    write_windows(index, two_studies / "data3.h5", Windowing(50, 50), [people[0], people[-1]], classes)
    return activity.from_file(two_studies / "data3.h5")


def test_a_file_keeps_the_sets(data):
    assert data.classes == ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
    assert data.label_names[6:] == ("downstairs+upstairs",)
    coarse = data.train.studies == "coarse"
    assert set(data.train.labels[coarse].tolist()) == {1, 2, 3, 5, 6}
    assert 6 not in data.train.labels[~coarse]
    with h5py.File(data.path) as file:
        rows = file["trY"][:]
    np.testing.assert_array_equal(rows[data.train.labels == 6][0], [1, 0, 0, 0, 1, 0])
    found = zoo.load_data(data.path)
    assert found.train.where(data.train.labels == 6).label_sets == ((0, 4),)


@pytest.mark.slow
def test_training_evaluation_and_a_fresh_load_know_the_sets(data, tmp_path, uncompiled):
    recipe = zoo.Recipe(epochs=2, validation=0.25, validation_by="window", class_weights="balanced")
    trained = zoo.train("activity_gru", data.path, recipe, settings=SMALL, out=tmp_path / "model")
    found = zoo.evaluate(tmp_path / "model", data)
    assert set(found["per_study"]) == {"fine", "coarse"}
    assert found["windows"] == len(data.test)
    assert found["baselines"]["random_forest"]["macro_f1"] > 0
    assert trained.summary["validation"]["macro_f1"] > 0


def test_a_test_part_of_a_study_without_sets_lacks_nothing(two_studies, tmp_path):
    index, classes = joined(two_studies)
    someone = next(str(name) for name in index.subjects if str(name).startswith("fine"))
    write_windows(index, tmp_path / "data3.h5", Windowing(50, 50), [someone], classes)
    found = describe(tmp_path / "data3.h5")
    assert found["parts"]["test"]["classes"]["downstairs+upstairs"] == 0
    assert not [problem for problem in found["problems"] if "downstairs+upstairs" in problem]


def test_the_last_layer_is_fitted_to_the_windows_of_a_known_class(data):
    heads = []
    for windows in (data.train, data.train.of_one_class(6)):
        fit_head(model := TASK.build(PLAN, Split(data, data.train)), windows)
        heads.append(model.get_layer("logits").get_weights()[0])
    assert 6 in data.train.labels
    np.testing.assert_allclose(*heads, atol=1e-5)


def test_windows_of_sets_alone_are_scored_with_their_baselines(data):
    stairs = data.train.where(data.train.labels == 6)
    split = Split(data, data.train, stairs)
    model = TASK.build(PLAN, split)
    validation = TASK.finish(model, split, PLAN.recipe)["validation"]
    assert TASK.scores(model, split)["cross_entropy"] == pytest.approx(validation["cross_entropy"])
    found = zoo.evaluate(model, replace(data, test=stairs))
    # Of the set the forest prefers one class, which is then right.
    assert found["baselines"]["random_forest"]["accuracy"] > 0.5
    # Predictions of a class of the set are in the scores.
    assert "no window of jogging, sitting, standing, walking: macro-F1 leaves it out" in found["notes"]
    assert found["windows"] == len(stairs)
    assert "## Studies" in repr(found)


def test_a_row_of_a_set_that_is_not_declared_is_refused(data, tmp_path):
    with h5py.File(shutil.copy(data.path, tmp_path / "data3.h5"), "a") as file:
        del file.attrs["label_sets"]
    refused(r"key 'trY' row \d+ is .*; expected one 1 and 5 zeros", activity.from_file, tmp_path / "data3.h5")


def test_a_class_known_only_from_sets_is_refused():
    says = r"upstairs=stairs\+ramp: expected different classes of sitting, walking"
    refused(says, choose_classes, "a.h5", ["walking", "sitting", "upstairs"], None, {"upstairs": "stairs+ramp"})


@pytest.mark.slow
def test_studies_are_held_out_in_turn(data, tmp_path, capsys, uncompiled, monkeypatch):
    fitted, fit_baseline = [], metrics.fit_baseline

    def counted(name, train, *arguments, **options):
        fitted.append(len(train))
        return fit_baseline(name, train, *arguments, **options)

    monkeypatch.setattr(metrics, "fit_baseline", counted)
    found = zoo.cross_validate(
        "activity_gru", data.path, groups="study", recipe=zoo.Recipe(epochs=1, validation=0.0), settings=SMALL,
        baselines="random_forest", workers=0, out=tmp_path / "out", verbose=True,
    )  # fmt: skip
    assert "study coarse, seed 0: macro-F1" in capsys.readouterr().err
    assert found["split_by"] == "study"
    assert COUNTED in found["notes"]
    for fold in found["folds"]:
        assert fold["macro_f1"] == pytest.approx(found["per_study"][fold["study"]]["macro_f1"])
    # A baseline learns from every window that the network learns from, stairs of unknown direction included.
    others = [int((data.train.studies != fold["study"]).sum()) for fold in found["folds"]]
    assert fitted == [fold["train_windows"] for fold in found["folds"]] == others
    page = (tmp_path / "out" / "report.md").read_text()
    assert not re.search("worst group|mean of folds", page)
    assert all((tmp_path / "out" / name).is_file() for name in re.findall(r"\((\w+\.png)\)", page))
    assert [fold["study"] for fold in found["folds"]] == ["coarse", "fine"]
    # Without the study that tells stairs apart, training knows only the set, and neither does the score ask for more.
    assert [fold["indistinct"] for fold in found["folds"]] == [[], [[0, 4]]]
    assert set(found["per_study"]) == {"coarse", "fine"}
    assert set(found["baselines"]["random_forest"]["per_study"]) == {"coarse", "fine"}
    assert np.sum(found["confusion"]) == found["per_study"]["coarse"]["windows"] + found["per_study"]["fine"]["windows"]


def test_the_labels_of_a_model_that_knows_more_classes(data):
    wider = data.with_classes(("walking", "other", *data.classes[:-1]))
    assert wider.label_names[-1] == "downstairs+upstairs"
    for part in ("train", "test"):
        one, two = ([of.label_names[label] for label in of.splits()[part].labels] for of in (data, wider))
        assert one == two
    assert data.with_classes(data.classes) is data


def test_a_file_of_one_study_cannot_be_held_out_by_study(two_studies, tmp_path):
    path = tmp_path / "data3.h5"
    write_windows(recordings.read_recordings(two_studies / "fine.h5"), path, Windowing(50, 50), [])
    says = r"of fine .*, so no study can be held out"
    refused(says, zoo.cross_validate, "activity_gru", path, groups="study")


def test_what_training_cannot_tell_apart_is_forgiven():
    assert indistinct(np.array([0, 1, 3]), 3, [(0, 1)]) == []
    assert forgive(np.array([0, 1, 2]), np.array([1, 1, 0]), [[0, 1]]).tolist() == [0, 1, 0]


def test_each_label_has_the_same_weight_and_studies_share_it(data):
    train = data.train
    weighted, weights = _weighted(train, 6, "balanced")
    of_window = np.array(weights)[weighted.labels]
    assert of_window.mean() == pytest.approx(1)
    for label in set(train.labels.tolist()):
        studies = [of_window[(train.labels == label) & (train.studies == study)].sum() for study in ("fine", "coarse")]
        assert sum(studies) == pytest.approx(len(train) / 7)
        assert 0 in studies or studies[0] == pytest.approx(studies[1])
        assert weights[label] == pytest.approx(of_window[train.labels == label].mean())
    # What a label means is as before.
    meant, before = (
        [set(part.label_sets[label - 6]) if label > 5 else {label} for label in part.labels.tolist()]
        for part in (weighted, train)
    )
    assert meant == before
