"""People who do not exist: the same for the same seed, at rest under gravity, and labelled as simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import activity, gait, leaks
from zoo.errors import ZooError
from zoo.metadata import CLASSES


def test_each_person_does_each_activity_twice():
    people = list(gait.simulate(3, seed=0, seconds=4, rate=25))
    assert [(r.subject, r.activity) for r in people] == [(who, what) for who in "123" for what in CLASSES for _ in "12"]
    assert {r.acceleration.shape for r in people} == {(100, 3)}
    assert {r.acceleration.dtype for r in people} == {np.dtype("float32")}
    assert {r.rate for r in people} == {25}


@pytest.mark.parametrize("seconds", [4.0, 1.0, 0.4])
def test_a_recording_is_as_long_as_it_should_be(seconds):
    assert {len(r.acceleration) for r in gait.simulate(1, seed=0, seconds=seconds)} == {round(50 * seconds)}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_seed_decides_everything_and_more_people_change_nobody(seed, people):
    few = [r.acceleration for r in gait.simulate(people, seed, seconds=2)]
    more = [r.acceleration for r in gait.simulate(people + 1, seed, seconds=2)]
    for a, b in zip(few, more, strict=False):
        np.testing.assert_array_equal(a, b)
    assert (few[0] != next(gait.simulate(1, seed + 1, seconds=2)).acceleration).any()


def test_a_phone_at_rest_feels_gravity_and_a_jogging_one_much_more():
    for recording in gait.simulate(5, seed=1, seconds=10):
        length = np.linalg.norm(recording.acceleration, axis=1)
        if recording.activity in ("sitting", "standing"):
            np.testing.assert_allclose(length, 9.80665, atol=1.0)
        elif recording.activity == "jogging":
            assert length.std() > 3


def test_sitting_differs_from_standing_by_the_direction_of_gravity():
    directions = {
        r.activity: r.acceleration.mean(axis=0) / np.linalg.norm(r.acceleration.mean(axis=0))
        for r in gait.simulate(1, seed=0, seconds=10)
    }
    angle = np.degrees(np.arccos(directions["sitting"] @ directions["standing"]))
    assert 60 < angle < 100


def test_simulated_windows_are_a_file_of_the_course_that_says_so(simulated):
    data = activity.read(simulated)
    assert data.simulated
    assert data.source == "simulated by pocket-zoo"
    assert data.classes == CLASSES
    assert data.split_by == "subject"
    assert sorted(data.train.people() + data.test.people()) == ["1", "2", "3", "4"]
    assert len(data.test.people()) == 1
    assert data.train.inputs.shape[1:] == (150, 3)
    assert not leaks.find(data.train, data.test).found


def test_one_person_alone_cannot_be_trained_and_tested(tmp_path):
    with pytest.raises(ZooError, match="1 subjects; a test by person needs 2 or more"):
        gait.write_simulated(tmp_path / "a.h5", subjects=1, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_too_short_for_a_window_leaves_no_file(tmp_path):
    with pytest.raises(ZooError, match=r"is long enough: the longest lasts 2.0 s"):
        gait.write_simulated(tmp_path / "a.h5", subjects=2, seed=0, seconds=2)
    assert list(tmp_path.iterdir()) == []


def test_a_walk_through_tells_the_activity_of_each_row():
    rows, truth = gait.walk_through(["sitting", "walking", "sitting"], seconds=3, rate=50, seed=0)
    assert rows.shape == (450, 3)
    assert truth == ["sitting"] * 150 + ["walking"] * 150 + ["sitting"] * 150
    assert rows[:150].std(axis=0).max() < 1 < rows[150:300].std(axis=0).max()
