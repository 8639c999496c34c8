"""Recordings of people are followed alone and one after another."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from zoo import ZooError
from zoo.catalog import PRESETS_FOLDER
from zoo.data import gait, recordings
from zoo.runtime import Recognizer
from zoo.tasks import streaming

POCKET = PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "recordings.h5"
    recordings.write(path, gait.simulate(2, seed=0, seconds=40), source="simulated", simulated=True)
    return path


def test_streams_are_spliced_by_seed_to_the_length_that_was_asked(file):
    recognizer = Recognizer(POCKET)
    people = recordings.read(file).subjects.tolist()[:1]
    found = streaming.evaluate(recognizer, file, subjects=people, seconds=120)
    assert found == streaming.evaluate(recognizer, file, subjects=people, seconds=120)
    assert 120 <= 3600 * found["spliced"]["hours"] < 180
    assert found["spliced"]["changes"] >= 2
    assert found["recordings"]["changes"] == 0
    assert found["simulated"] is True
    assert 0 <= found["recordings"]["window_accuracy"] <= 1


def test_people_of_the_training_are_known_by_their_ids_in_joined_studies_as_well(tmp_path):
    people = (replace(one, subject=f"motionsense/{one.subject}9") for one in gait.simulate(2, seed=0, seconds=20))
    recordings.write(tmp_path / "a.h5", people, source="MotionSense (a test)", simulated=True)
    recognizer = Recognizer(POCKET)
    assert "19" in recognizer.metadata.train_subjects
    assert streaming.evaluate(recognizer, tmp_path / "a.h5", seconds=30)["subjects"] == ["motionsense/29"]


def test_neighbors_in_a_spliced_stream_do_different_things():
    parts = [(name, np.zeros((5000, 3), np.float32)) for name in ("sitting", "walking", "walking")]
    stretches = streaming._spliced(parts, 50.0, 600, np.random.default_rng(0))
    names = [name for name, _ in stretches]
    assert all(a != b for a, b in pairwise(names))
    assert sum(len(rows) for _, rows in stretches) >= 600 * 50


def test_only_people_who_were_not_in_training_are_streamed_unless_named(file):
    recognizer = Recognizer(POCKET)
    with pytest.raises(ZooError, match="no subject 99; found"):
        streaming.evaluate(recognizer, file, subjects=["99"])
