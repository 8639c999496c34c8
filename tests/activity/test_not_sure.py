"""When not to answer: a threshold from validation windows, in the model, in its files, and in all that runs them."""

import json
import re

import numpy as np
import pytest
from running import refused

import zoo
from zoo import loading
from zoo.activity import data as windows_of
from zoo.activity.metrics import measured, rejection_threshold
from zoo.activity.task import TASK as ACTIVITY
from zoo.catalog import PRESETS_FOLDER
from zoo.files import read_json
from zoo.runtime import Recognizer
from zoo.runtime.metadata import STREAM_THRESHOLD, Metadata, extract

RANDOM = np.random.default_rng(0)
PROBABILITIES = RANDOM.dirichlet([1.0] * 3, 200)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_a_threshold_refuses_the_stated_share_of_the_windows_that_it_was_calibrated_on(rate):
    threshold = rejection_threshold(PROBABILITIES, rate)
    found = measured(PROBABILITIES.argmax(axis=1), np.log(PROBABILITIES), threshold=threshold)["answered"]
    assert found["refused"] == pytest.approx(rate, abs=1 / 200)
    assert found["accuracy"] == 1.0
    # A rate of zero sets none, and where all are refused, there is no accuracy.
    assert rejection_threshold(PROBABILITIES, 0.0) is None
    assert measured(np.zeros(200, int), np.log(PROBABILITIES), threshold=1.1)["answered"]["accuracy"] is None


def test_training_sets_it_on_the_validation_windows_and_shows_it(recognizer):
    known, summary = loading.load(str(recognizer)), read_json(recognizer / "config.json")["training"]
    found = summary["validation"]["answered"]
    assert found["threshold"] == known.metadata.threshold == known.metadata.stream_threshold
    # One window of the few more or less.
    assert found["refused"] == pytest.approx(0.05, abs=1 / summary["validation"]["windows"])
    assert found["threshold"] > 0
    text = ACTIVITY.report.training(summary)
    assert re.search(r"Not sure \(below 0\.\d+\): \d+\.\d% of windows; accuracy of the others \d", text)


def test_training_sets_none_without_validation_or_at_a_rate_of_zero(simulated):
    recipe = zoo.Recipe(validation=0.4, validation_by="time")
    split = ACTIVITY.split(simulated, recipe)
    model = zoo.ActivityGRU(units=4, frame=10, classes=split.data.classes, threshold=0.9)
    assert ACTIVITY.finish(model, split, recipe)["validation"]["answered"]["threshold"] == model.threshold
    assert "answered" not in ACTIVITY.finish(model, split, recipe.replace(rejection_rate=0.0))["validation"]
    assert model.threshold is None
    whole = recipe.replace(validation=0.0)
    model.threshold = 0.9
    ACTIVITY.finish(model, ACTIVITY.split(simulated, whole), whole)
    assert model.threshold is None
    assert ACTIVITY.metadata(model).stream_threshold == STREAM_THRESHOLD


@pytest.fixture(scope="module")
def sure(export_once, recognizer, simulated):
    """The files of the small recognizer, which refuse many windows."""
    formats = ("--formats", "float32,keras", "--threshold", 0.9)
    return export_once("sure", recognizer, "--data", simulated, *formats)


def test_exported_files_state_it_and_refuse_windows(sure, simulated, zoo_cli, zoo_json):
    recognizer = Recognizer(sure / "model.float32.tflite")
    metadata = recognizer.metadata
    assert metadata.threshold == metadata.stream_threshold == 0.9
    assert loading.load(str(sure)).metadata == metadata
    windows = windows_of.from_file(simulated).test.arrays()[0]
    probabilities = recognizer.predict(windows)
    refused = probabilities.max(axis=1) < 0.9
    assert 0 < refused.mean() < 1
    names = np.array(metadata.classes)[probabilities.argmax(axis=1)].tolist()
    expected = [None if no else name for no, name in zip(refused, names, strict=True)]
    command = ("predict", recognizer.path, "--data", simulated)
    for labels, options, words in ((expected, {}, ()), (names, {"threshold": 0}, ("--threshold", 0))):
        assert recognizer.recognize(windows, **options) == labels
        assert zoo.predict(sure, windows, **options).labels.tolist() == labels
        assert [row["label"] for row in zoo_json(*command, *words)] == labels
    assert zoo_cli(*command).out.count("not sure") == refused.sum()


def test_exported_files_are_scored_on_all_windows_and_on_those_that_they_answer(sure, simulated, zoo_cli):
    windows, labels = windows_of.from_file(simulated).test.arrays()
    found = zoo.evaluate(sure / "model.float32.tflite", simulated, baselines=False)
    probabilities = Recognizer(sure / "model.float32.tflite").predict(windows)
    kept = probabilities.max(axis=1) >= 0.9
    right = probabilities.argmax(axis=1) == labels
    assert found["answered"]["refused"] == pytest.approx(1 - kept.mean())
    assert found["answered"]["accuracy"] == pytest.approx(right[kept].mean())
    assert found["accuracy"] == pytest.approx(right.mean())
    text = zoo_cli("evaluate", sure, "--data", simulated, "--no-baselines").out
    assert "Not sure (below 0.900)" in text


def test_a_stream_shows_no_label_below_it_unless_told_otherwise(sure, zoo_cli):
    simulated = ("--simulate", "walking,upstairs,standing", "--speed", 0)
    command = ("stream", sure / "model.float32.tflite", *simulated, "--json")
    own, always = (
        [(row["label"], row["probability"]) for row in map(json.loads, zoo_cli(*command, *options).out.splitlines())]
        for options in ((), ("--threshold", 0))
    )
    assert any(label is None for label, _ in own)
    assert all(probability >= 0.9 for label, probability in own if label is not None)
    assert all(label is not None for label, _ in always)
    status, _, err = zoo_cli(*command, "--threshold", 1.5)
    assert (status, "--threshold is 1.5; expected below 1" in err) == (2, True)


def test_what_has_no_threshold_always_answers(zoo_cli, language_model):
    recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_course" / "model.dynamic.tflite")
    windows = RANDOM.normal(0, 4, (20, 150, 3)).astype("float32")
    assert recognizer.metadata.threshold is None
    assert None not in recognizer.recognize(windows)
    refused("threshold is -1; expected 0 or more, below 1", recognizer.recognize, windows, threshold=-1)
    status, _, err = zoo_cli("predict", language_model, "the", "--threshold", 0.5)
    assert (status, "--threshold: does not apply to" in err) == (1, True)


@pytest.mark.parametrize(
    ("stated", "windows", "streams"),
    [
        pytest.param({"threshold": 0.9}, 0.9, 0.9, id="in one place"),
        pytest.param({}, None, 0.4, id="none"),
        pytest.param({"streaming": 0.4}, None, 0.4, id="none, in an older file"),
        pytest.param({"streaming": 0.7}, 0.7, 0.7, id="of streams, in an older file"),
        pytest.param({"threshold": 0.9, "streaming": 0.9}, 0.9, 0.9, id="twice, in an older file"),
    ],
)
def test_files_state_one_threshold_and_older_ones_are_read(stated, windows, streams):
    document = extract(PRESETS_FOLDER / "activity_gru_course" / "model.dynamic.tflite").to_json()
    assert "threshold" not in document["streaming"]
    if "threshold" in stated:
        document["threshold"] = stated["threshold"]
    if "streaming" in stated:
        document["streaming"]["threshold"] = stated["streaming"]
    found = Metadata.from_json(document, "file")
    assert (found.threshold, found.stream_threshold) == (windows, streams)
    assert Metadata.from_json(found.to_json(), "file") == found
