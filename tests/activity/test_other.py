"""A class for movements outside the other labels: how it is cut, learned, scored and shown."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from running import data_of, refused

import zoo
from zoo import Recipe
from zoo.activity import metrics, recordings, simulate
from zoo.activity.cutting import choose_classes
from zoo.activity.task import OTHER_SHARE
from zoo.activity.task import TASK as ACTIVITY
from zoo.loading import load
from zoo.runtime.metadata import Metadata, Streaming
from zoo.runtime.streaming import SOMETHING_ELSE, Stream
from zoo.task import Split

CLASSES = ("sitting", "walking", "other")
KNOWN = ("sitting", "walking")
RECIPE = Recipe(learning_rate=0.01, batch_size=16, epochs=10, validation=0.0, augmentation={"shaken": 0.2})


def windows(classes, people=4, each=20):
    """Windows that are still, that swing slowly, and that are jolted."""
    random = np.random.default_rng(0)
    labels = np.tile(np.repeat(np.arange(len(classes)), each), people)
    swing = np.sin(2 * np.pi * 2 * np.arange(50) / 50 + random.uniform(0, 6, (len(labels), 1)))
    spread = np.array([0.1, 3.0, 20.0])[labels][:, None]
    along = spread * (swing + 0.1 * random.standard_normal((len(labels), 50)))
    rows = np.stack([along, along / 2, 9.8 + along], axis=2)
    owners = np.repeat([f"p{i}" for i in range(people)], each * len(classes))
    return data_of(rows, labels, classes, 50.0, owners).with_facts(other=len(classes) == 3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("other") / "model"
    zoo.train(zoo.ActivityGRU(units=8, frame=5, window=50, classes=CLASSES), windows(CLASSES), RECIPE, out=out)
    return out


@pytest.fixture
def raw(tmp_path):
    """Recordings of two simulated people."""
    path = tmp_path / "recordings.h5"
    recordings.write_recordings(path, simulate.simulate(2, seed=0, seconds=20), source="nobody", simulated=True)
    return path


def test_movements_become_the_last_class_whatever_their_names(raw, tmp_path):
    cut = zoo.cut_windows(raw, tmp_path / "a.h5", other=["jogging", "downstairs"], test_fraction=0).data
    assert cut.classes == ("sitting", "standing", "upstairs", "walking", "other")
    labels = np.bincount(cut.train.labels)
    assert labels[-1] == 2 * labels[0]
    names = {"jogging": "other", "walking": "walking"}
    named = zoo.cut_windows(raw, tmp_path / "b.h5", classes=names, other="upstairs", test_fraction=0)
    assert named.data.classes == ("walking", "other")
    options = {"classes": ["walking", "sitting"], "other": "walking", "test_fraction": 0}
    refused("other: walking is a class already", zoo.cut_windows, raw, tmp_path / "c.h5", **options)


def test_a_person_of_other_movements_alone_cannot_be_held_out():
    data = windows(CLASSES)
    keep = (data.train.subjects != "p3") | (data.train.labels == 2)
    data = replace(data, train=data.train.where(keep))
    options = {"groups": "loso", "recipe": RECIPE, "verbose": False, "workers": 0}
    refused("p3: has other movements alone", zoo.cross_validate, "activity_gru", data, **options)


def test_a_label_that_is_called_other_is_one_as_any_other_without_the_option(raw, tmp_path):
    out, names = tmp_path / "model", {"sitting": "sitting", "walking": "walking", "jogging": "other"}
    cut = zoo.cut_windows(raw, tmp_path / "a.h5", classes=names, test_subjects=["2"]).data
    assert (cut.facts["other"], cut.other_class) == (False, None)
    zoo.train("activity_cnn", cut, {"epochs": 1, "validation": 0.0}, out=out, verbose=False)
    found = zoo.evaluate(out, cut, baselines=False)
    assert found["windows"] == len(cut.test)
    assert "other" not in found
    assert load(out).metadata.other is False
    labels = ["other", "sit", "dance"]
    refused(r"other: .*classes=other=NAME", choose_classes, "r.h5", labels, labels[:2], other=["dance"])


def test_files_of_an_older_version_do_not_state_the_class_and_its_name_means_it(trained, raw, tmp_path):
    metadata = load(trained).metadata.to_json()
    assert metadata.pop("other") is True
    assert Metadata.from_json(metadata, "file").other_class == 2
    older = load(trained).keras_model
    known = {name: value for name, value in older.provenance.items() if name != "other"}
    assert older.copy(provenance=known).other_class == 2
    path = tmp_path / "a.h5"
    assert zoo.cut_windows(raw, path, other="jogging", test_fraction=0).data.other_class == 5
    with h5py.File(path, "r+") as file:
        del file.attrs["other"]
    assert zoo.load_data(path).other_class == 5


def test_what_is_answered_counts_the_windows_of_the_scores():
    probabilities = np.array([[0.9, 0.1, 0], [0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0, 0, 1]])
    found = metrics.measured(np.array([0, 1, 2, 2]), np.log(probabilities + 1e-9), other=2, threshold=0.6)
    assert found["answered"] == {"threshold": 0.6, "refused": 0.0, "accuracy": 0.5}


def test_a_known_window_that_is_called_other_is_wrong_and_others_are_in_no_score():
    labels, predicted = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 2, 1, 1, 2, 0])
    people = np.array(["a", "b", "a", "b", "a", "b"])
    found = metrics.classification(labels, predicted, CLASSES, people, 2)
    # Sitting is found once of twice, walking always; the movement that is called sitting is not counted.
    assert found["accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["confusion"][2] == [1, 0, 1]
    assert found["other"] == {"windows": 2, "recall": 0.5}
    assert [found["per_subject"][name]["windows"] for name in "ab"] == [2, 2]
    ten = np.repeat(list("abcdefghij"), 3)
    low, high = metrics.classification(np.tile(labels, 5), np.tile(predicted, 5), CLASSES, ten, 2)["macro_f1_interval"]
    assert low <= found["macro_f1"] <= high
    studies = metrics.by_study(labels, np.eye(3)[predicted], np.repeat(["s"], 6), other=2)
    assert studies["s"] == {"windows": 4, "accuracy": 0.75, "macro_f1": found["macro_f1"]}


def test_calibration_is_that_of_known_activities_given_that_one_of_them_is_right():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 100)
    logits = 2 * np.eye(3)[labels] + random.standard_normal((300, 3))
    # However much the network believes in other movements.
    shifted = logits + np.array([0, 0, 50])
    reports = [metrics.measured(labels, each, other=2) for each in (logits, shifted)]
    assert reports[0]["windows"] == 200
    assert reports[0]["ece"] == reports[1]["ece"]
    assert reports[0]["cross_entropy"] == pytest.approx(reports[1]["cross_entropy"])
    assert reports[1]["accuracy"] == 0.0


def test_sets_of_classes_are_scored_beside_other_movements():
    labels = np.array([3, 0, 2])
    logits = np.array([[1.0, 3.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    found = metrics.measured(labels, logits, label_sets=[(0, 1)], other=2)
    alone = metrics.measured(np.array([2, 0]), logits[:2, :2], label_sets=[(0, 1)])
    assert found["cross_entropy"] == pytest.approx(alone["cross_entropy"])
    assert (found["windows"], found["accuracy"]) == (2, 1.0)


@pytest.mark.slow
def test_a_network_learns_other_movements_as_if_they_were_rare(trained):
    prior = load(trained).keras_model.train_prior
    assert prior["other"] == pytest.approx(OTHER_SHARE)
    assert prior["sitting"] == pytest.approx(prior["walking"])
    assert zoo.predict(trained, windows(KNOWN).train.arrays()[0][:1]).labels.tolist() == ["sitting"]
    alone = zoo.train(zoo.ActivityGRU(units=8, frame=5, window=50, classes=KNOWN), windows(KNOWN), RECIPE)
    assert alone.summary["train_windows"] == 160
    assert alone.model.train_prior["sitting"] == pytest.approx(0.5)


def test_a_shaken_phone_is_an_example_of_it_in_training_alone(trained):
    shaken = simulate.shaken(40, 50, 50.0, np.random.default_rng(1))
    found = zoo.predict(trained, shaken, threshold=0)
    assert (found.labels == "other").mean() > 0.8
    assert load(trained).config["training"]["train_windows"] == 240
    assert "shaken" not in load(trained).metadata.train_subjects


def test_shaking_is_stronger_and_faster_than_gait():
    for rate in (25.0, 50.0, 100.0):
        found = simulate.shaken(50, round(4 * rate), rate, np.random.default_rng(0)).astype(np.float64)
        assert np.abs(found).max() < 160
        moving = found - found.mean(axis=1, keepdims=True)
        assert np.sqrt((moving**2).sum(axis=2).mean(axis=1)).min() > 6
        power = (np.abs(np.fft.rfft(moving, axis=1)) ** 2).sum(axis=2)
        peaks = np.fft.rfftfreq(found.shape[1], 1 / rate)[power[:, 1:].argmax(axis=1) + 1]
        assert np.quantile(peaks, 0.1) > 2.5
        assert np.quantile(peaks, 0.9) < 8


def test_fine_tuning_drops_it_unless_the_data_has_it(trained):
    for classes in (KNOWN, CLASSES):
        out = trained.parent / f"tuned_{len(classes)}"
        zoo.finetune(trained, windows(classes), recipe={"epochs": 0}, out=out)
        assert load(out).keras_model.classes == classes


def test_a_stream_shows_something_else_in_its_place(trained):
    answers = iter([[0.0, 1.0, 0.0]] * 40 + [[0.0, 0.05, 0.95]] * 60)
    metadata = replace(load(trained).metadata, streaming=Streaming(restart=0, copies=1))
    stream = Stream(metadata, lambda frame, states: (np.array([next(answers)], np.float32), dict(states)))
    random = np.random.default_rng(0)
    samples = np.column_stack([np.arange(500) / 50, 9.8 + random.standard_normal((500, 3))])
    found = list(stream.feed(samples.tolist()))
    shown = [each.label or each.reason for each in found]
    assert list(dict.fromkeys(shown)) == ["walking", SOMETHING_ELSE]
    assert (found[-1].label, found[-1].probability) == (None, found[-1].probabilities[-1])
    assert str(found[-1]).endswith("something else 100%")


def test_scores_are_those_of_known_activities_with_and_without_others_in_the_data(trained):
    data = windows(CLASSES)
    both = replace(data, test=windows(CLASSES, people=2).train)
    report = zoo.evaluate(trained, both, robustness=True)
    assert report["windows"] == 80
    assert report["per_class"]["other"]["windows"] == 40
    # Four windows in six are of known activities, half of them of each.
    assert report["baselines"]["random_forest"]["macro_f1"] == 1.0
    assert report["baselines"]["majority_class"]["accuracy"] == 0.5
    known = replace(both, test=both.test.where(both.test.labels != 2))
    without = zoo.evaluate(trained, known, baselines=False, robustness=True)
    for name in ("macro_f1", "robustness"):
        assert without[name] == report[name]
    assert not [note for note in without["notes"] if "no window of" in note]


def test_windows_of_the_training_are_said_to_be_too_optimistic_and_a_forest_is_no_rival_on_them(trained):
    found = zoo.evaluate(trained, windows(CLASSES), split="all", baselines=False)
    assert "the model was trained on some of these windows, so this is too optimistic" in found["notes"]
    model, lazy = zoo.ActivityGRU(units=2, frame=5, window=50, classes=CLASSES), RECIPE.replace(epochs=1)
    model = zoo.train(model, windows(CLASSES), lazy.replace(learning_rate=1e-9), verbose=False).model
    known = zoo.evaluate(model, windows(CLASSES), split="train")
    assert known["macro_f1"] < known["baselines"]["random_forest"]["macro_f1"] == 1.0
    assert not [note for note in known["notes"] if "below that of" in note]


def test_windows_of_other_movements_alone_have_no_score_and_validate_nothing(trained):
    data = windows(CLASSES)
    others = data.train.labels == 2
    only = replace(data, test=data.train.where(others))
    refused("split 'test' holds other movements alone", zoo.evaluate, trained, only)
    # Whoever is held out did nothing else.
    kept = data.train.where(others | (data.train.subjects == data.train.people()[0]))
    says = "validation would hold other movements alone"
    refused(says, ACTIVITY.split, replace(data, train=kept), Recipe(validation=0.25))


def test_shaken_windows_count_among_those_that_were_learned():
    split = Split(data := windows(CLASSES), data.train, None)
    model = zoo.ActivityGRU(units=4, frame=5, window=50, classes=CLASSES)
    bias, shifts = model.get_layer("logits").bias, []
    for share in (0.0, 0.5):
        bias.assign(np.zeros(3))
        ACTIVITY.finish(model, split, Recipe(validation=0.0, augmentation={"shaken": share}))
        shifts.append(float(bias.numpy()[-1]))
    # 80 of 240 windows, and 200 of 360.
    assert shifts[0] - shifts[1] == pytest.approx(np.log(200 / 160) - np.log(80 / 160))
