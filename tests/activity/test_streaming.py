"""Recordings of people are followed alone and one after another."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from zoo import ZooError
from zoo.activity import recordings, report, simulate, streaming
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer

POCKET, COURSE = (
    PRESETS_FOLDER / name / "model.dynamic.tflite" for name in ("activity_gru_pocket", "activity_gru_course")
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "recordings.h5"
    recordings.write_recordings(path, simulate.simulate(2, seed=0, seconds=20), source="simulated", simulated=True)
    return path


def test_streams_are_spliced_by_seed_to_the_length_that_was_asked(file):
    recognizer = Recognizer(POCKET)
    people = recordings.read_recordings(file).subjects.tolist()[:1]
    found = streaming.evaluate(recognizer, file, subjects=people, seconds=120)
    assert found == streaming.evaluate(recognizer, file, subjects=people, seconds=120)
    assert 120 <= 3600 * found["spliced"]["hours"] < 180
    assert found["spliced"]["changes"] >= 2
    assert found["recordings"]["changes"] == 0
    assert found["simulated"] is True
    assert 0 <= found["recordings"]["window_accuracy"] <= 1


def test_people_of_the_training_are_known_by_their_ids_in_joined_studies_as_well(tmp_path):
    people = (replace(one, subject=f"motionsense/{one.subject}9") for one in simulate.simulate(2, seed=0, seconds=20))
    recordings.write_recordings(tmp_path / "a.h5", people, source="MotionSense (a test)", simulated=True)
    recognizer = Recognizer(COURSE)
    assert "19" in recognizer.metadata.train_subjects
    assert streaming.evaluate(recognizer, tmp_path / "a.h5", seconds=30)["subjects"] == ["motionsense/29"]
    found = streaming.evaluate(recognizer, tmp_path / "a.h5", seconds=30, subjects=["motionsense/19"])
    assert "trained on subject motionsense/19, so this is too optimistic" in report.streaming(found)


@pytest.mark.slow
def test_people_of_other_recordings_may_have_the_ids_of_the_training(file):
    recognizer = Recognizer(COURSE)
    assert "1" in recognizer.metadata.train_subjects
    assert streaming.evaluate(recognizer, file, seconds=30)["subjects"] == ["1", "2"]


def test_neighbors_in_a_spliced_stream_do_different_things():
    parts = [(name, np.zeros((5000, 3), np.float32)) for name in ("sitting", "walking", "walking")]
    stretches = streaming.splice(parts, 50.0, 600, np.random.default_rng(0))
    names = [name for name, _ in stretches]
    assert all(a != b for a, b in pairwise(names))
    assert sum(len(rows) for _, rows in stretches) >= 600 * 50


def test_only_people_who_were_not_in_training_are_streamed_unless_named(file):
    recognizer = Recognizer(POCKET)
    with pytest.raises(ZooError, match="no subject 99; found"):
        streaming.evaluate(recognizer, file, subjects=["99"])


def test_people_of_one_activity_are_streamed_but_not_spliced(tmp_path):
    walks = [one for one in simulate.simulate(1, seed=0, seconds=20) if one.activity == "walking"]
    recordings.write_recordings(tmp_path / "a.h5", walks, source="simulated", simulated=True)
    found = streaming.evaluate(Recognizer(POCKET), tmp_path / "a.h5")
    assert found["recordings"]["hours"] > 0
    assert found["spliced"] is None
    assert "Nobody recorded two activities" in report.streaming(found)


def test_a_label_that_means_one_of_several_classes_is_right_if_any_of_them_is_recognized(tmp_path):
    def streamed(activity, merge):
        some = [
            replace(one, activity="stairs")
            for one in simulate.simulate(1, seed=0, seconds=20)
            if one.activity == activity
        ]
        recordings.write_recordings(tmp_path / f"{activity}.h5", some, source="simulated", simulated=True)
        return streaming.evaluate(Recognizer(POCKET), tmp_path / f"{activity}.h5", merge=merge)["recordings"]

    stairs = {"stairs": "upstairs+downstairs"}
    assert streamed("downstairs", stairs)["accuracy"] > 0.8
    assert streamed("downstairs", stairs)["window_accuracy"] > 0.8
    assert streamed("walking", stairs)["accuracy"] < 0.5
    with pytest.raises(ZooError, match="stairs=up: no class up; expected classes of downstairs"):
        streamed("sitting", {"stairs": "up"})


def test_recordings_that_are_left_out_are_counted_and_said(tmp_path):
    people = list(simulate.simulate(1, seed=0, seconds=20))
    short = [replace(people[0], acceleration=people[0].acceleration[:200])]
    strange = [replace(people[1], activity="swimming")]
    recordings.write_recordings(tmp_path / "a.h5", [*people[2:], *short, *strange], source="simulated", simulated=True)
    found = streaming.evaluate(Recognizer(POCKET), tmp_path / "a.h5", seconds=30)
    assert found["dropped"] == {"recordings no longer than one window": 1, "recordings of swimming": 1}
    assert "Left out: recordings of swimming (1)." in report.streaming(found)


def test_recordings_of_labels_that_the_model_does_not_know_are_refused_with_the_option_that_explains_them(tmp_path):
    others = [replace(one, activity="stairs") for one in simulate.simulate(1, seed=0, seconds=20)]
    recordings.write_recordings(tmp_path / "a.h5", others, source="simulated", simulated=True)
    with pytest.raises(ZooError, match=r"no recording of 1 is longer than a window, 3 s, and of downstairs.*merge"):
        streaming.evaluate(Recognizer(POCKET), tmp_path / "a.h5")
