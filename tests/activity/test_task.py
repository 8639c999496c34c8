"""Recognizers that learn from a file that is read once."""

from dataclasses import replace

import numpy as np
import pytest
from running import data_of, refused

from zoo import ActivityGRU, Recipe, ZooError, evaluate, loading, predict
from zoo.activity import recordings, simulate
from zoo.activity.cutting import Windowing, write_windows
from zoo.activity.evaluation import predictions_of
from zoo.activity.task import TASK as ACTIVITY
from zoo.exporting import artifacts
from zoo.runtime import Recognizer
from zoo.training import Training


def test_scores_of_a_split_file_are_those_of_its_validation_windows(recognizer, simulated):
    loaded = loading.load(str(recognizer))
    recipe = Training.of("activity_gru", {"validation_by": "time"}).recipe
    scores = ACTIVITY.scores(loaded.keras_model, ACTIVITY.split(simulated, recipe))
    report = ACTIVITY.evaluate(loaded, simulated, split="validation", baselines=False)
    for name in ("macro_f1", "accuracy"):
        assert scores[name] == pytest.approx(report[name])


def test_a_stream_s_states_are_as_old_as_the_windows_that_were_trained_on():
    for window, known in ((150, (150, 75, 3)), (300, (300, 150, 3)), (50, (50, 25, 3))):
        streaming = ACTIVITY.metadata(ActivityGRU(units=4, window=window)).streaming
        assert (streaming.restart, streaming.warmup, streaming.copies) == known
    carried = ACTIVITY.metadata(ActivityGRU(units=4, window=50, carry_state=True)).streaming
    assert (carried.restart, carried.warmup, carried.copies) == (0, 25, 1)


def test_nothing_set_aside_cannot_be_scored(simulated):
    split = ACTIVITY.split(simulated, Recipe(validation=0.0))
    refused("nothing is held out to score on: set validation above 0", ACTIVITY.scores, None, split)


def test_a_file_is_predicted_by_its_own_probabilities(exported_recognizer, simulated):
    file = exported_recognizer / "model.float32.tflite"
    windows = ACTIVITY.load_data(simulated).test.arrays()[0][:5]
    found = ACTIVITY.predict(loading.load(file), windows)
    np.testing.assert_array_equal(found.probabilities, Recognizer(file).predict(windows))
    calibration = ACTIVITY.evaluate(loading.load(file), simulated, baselines=False)["ece"]
    assert (calibration["before"], calibration["temperature"]) == (calibration["after"], 1.0)


@pytest.mark.parametrize("shape", [(150, 3), (1, 2, 150, 3), ()])
def test_what_is_no_stack_of_windows_is_one_line(shape):
    says = r"input: has shape .*; expected any number of windows of shape \(150, 3\)"
    refused(says, ACTIVITY.predict, loading.load(ActivityGRU(units=4)), np.zeros(shape))


def test_a_model_whose_outputs_are_not_finite_is_refused_with_the_cause(simulated):
    model = ActivityGRU(units=4, frame=10)
    model.get_layer("logits").bias.assign(np.full(6, np.nan))
    refused("outputs of the network are not finite: its weights are damaged", evaluate, model, simulated)


def test_training_and_export_on_another_backend_are_one_line(monkeypatch, simulated, tmp_path):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    training, loaded = Training.of("activity_gru_course"), loading.load("activity_gru_course")
    refused("training by a recipe needs TensorFlow; KERAS_BACKEND is jax: unset it", training.run, simulated)
    family = ACTIVITY.exportable(loaded, None)
    refused("export needs TensorFlow; KERAS_BACKEND is jax", artifacts.export, loaded, family, tmp_path / "out")


def test_a_model_is_evaluated_on_a_lab_that_recorded_some_of_its_classes():
    random = np.random.default_rng(0)
    model = ActivityGRU(units=4, num_layers=1, frame=5, window=20, classes=("a", "b", "c"))
    x, labels = random.normal([0, 0, 9.8], 1, (12, 20, 3)).astype("float32"), np.arange(12) % 2
    lab, other = (data_of(x, labels, names, 50.0, np.arange(12) // 3) for names in (("c", "a"), ("a", "d")))
    found = evaluate(model, lab, split="all")
    right = predict(model, x).labels == np.array(["c", "a"])[labels]
    assert (found["windows"], found["accuracy"]) == (12, right.mean())
    assert [found["per_class"][name]["windows"] for name in "abc"] == [6, 0, 6]
    assert "baselines" not in found
    assert "> warning: no window of b: macro-F1 leaves it out" in repr(found)
    refused(r"activity_gru\w* does not know d, but a, b, c: rename or select", evaluate, model, other, split="all")
    refused("does not say what it was trained on: only split=test or all", evaluate, model, lab, split="train")


# The last of the module, so that no file that others share is exported step by step.
@pytest.mark.slow
def test_windows_longer_than_the_model_s_are_read_in_their_middle_where_it_was_trained_on_them(tmp_path, uncompiled):
    raw = tmp_path / "recordings.h5"
    recordings.write_recordings(raw, simulate.simulate(4, seed=0, seconds=20), source="simulated", simulated=True)
    index = recordings.read_recordings(raw)
    for name, rows in (("long", 200), ("other", 180)):
        write_windows(index, tmp_path / f"{name}.h5", Windowing(rows, rows), index.subjects[:1])
    changes = {"units": 6, "num_layers": 1, "frame": 50, "window": 150, "epochs": 1, "validation": 0.0}
    plan = Training.of("activity_gru", changes)
    replace(plan, out=tmp_path / "model").run(tmp_path / "long.h5")
    loaded = loading.load(str(tmp_path / "model"))
    report = ACTIVITY.evaluate(loaded, tmp_path / "long.h5", baselines=False)
    assert "windows of 200 rows: the center 150 are read" in report["notes"]
    rows = predictions_of(loaded, ACTIVITY.load_data(tmp_path / "long.h5"))
    assert np.mean([row["label"] == row["true"] for row in rows]) == pytest.approx(report["accuracy"])
    with pytest.raises(ZooError, match=r"other.h5: key 'tstX': windows of shape \(180, 3\); .* expects \(150, 3\)"):
        ACTIVITY.evaluate(loaded, tmp_path / "other.h5")
