"""The public functions from Python: what they check before they begin, and what their results know."""

import copy
import json
import os

import numpy as np
import pytest

import zoo
from zoo.errors import ArgumentError


def test_a_path_that_looks_like_an_option_is_named_as_it_is():
    with pytest.raises(zoo.ZooError, match=r"^a/--train\.h5: no such file"):
        zoo.load_data("a/--train.h5")


def test_an_error_knows_parameter_value_and_expectation(tmp_path):
    with pytest.raises(ArgumentError) as error:
        zoo.train("activity_gru", tmp_path / "data3.h5", {"batch_size": 0})
    assert (error.value.parameter, error.value.value, error.value.expected) == ("batch_size", 0, "1 or more")


def test_scalars_of_numpy_are_numbers(tmp_path):
    data = zoo.simulate("activity", tmp_path / "data3.h5", subjects=np.int64(3), seconds=np.float32(6))
    assert len(data.train.people()) == 2
    assert zoo.Recipe(epochs=np.int64(3), learning_rate=np.float32(0.5)).to_json()["epochs"] == 3


def test_what_was_written_can_be_copied(tmp_path):
    made = zoo.make_patches(out=tmp_path / "data1.h5", count=100, size=8)
    assert copy.deepcopy(made).to_json() == made.to_json()


@pytest.mark.parametrize("old", ["trigram", "autoencoder"])
def test_the_older_name_of_a_task_is_answered_with_its_name(old, tmp_path):
    with pytest.raises(zoo.ZooError, match=r"it is called '(text|patches)'"):
        zoo.simulate(old, tmp_path / "data.h5")


def test_a_result_is_the_document_that_json_prints_and_its_markdown(simulated, zoo_cli):
    for result, command in (
        (zoo.list_presets("sparse"), ("list", "--family", "sparse")),
        (zoo.info("activity_gru_course"), ("info", "activity_gru_course")),
        (zoo.describe(simulated), ("data", "describe", simulated)),
        (zoo.doctor(self_test=False), ("doctor", "--no-self-test")),
    ):
        assert json.loads(zoo_cli(*command, "--json").out) == json.loads(json.dumps(result.to_json()))
        assert repr(result).strip() == zoo_cli(*command).out.strip()


def test_the_scores_of_an_evaluation_are_a_table(recognizer, simulated):
    evaluation = zoo.evaluate(recognizer, simulated)
    frame = evaluation.to_frame()
    assert list(frame.index) == ["model", *evaluation["baselines"]]
    assert frame.loc["model", "macro_f1"] == evaluation["macro_f1"]


def test_names_may_be_an_array_and_a_path_anything_that_stands_for_one(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal([0, 0, 9.8], 1, (4, 50, 3))
    data = zoo.load_data((x, [0, 1, 1, 0]), rate=50, classes=np.array(["sit", "walk"]), subjects=[1, 1, 2, 2])
    assert data.classes == ("sit", "walk")
    zoo.simulate("text", tmp_path / "data2.h5", sentences=200)
    (entry,) = os.scandir(tmp_path)
    assert zoo.load_data(entry).name == str(tmp_path / "data2.h5")
