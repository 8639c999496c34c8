"""What happens to a phone, on windows whose answer is known."""

import numpy as np
import pytest

from zoo.activity.augmentation import DISTURBANCES

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda d: d.name)
def test_a_disturbance_keeps_the_shape_and_changes_the_windows(disturbance):
    windows = RANDOM.normal(0, 3, (2, 150, 3)).astype("float32")
    disturbed = disturbance.apply(windows, 50.0, np.random.default_rng(0))
    assert disturbed.shape == windows.shape
    assert not np.allclose(disturbed, windows, atol=1e-3)


@pytest.mark.parametrize("axis", "xyz")
def test_a_half_turn_keeps_its_axis_and_flips_the_others(axis):
    turn = next(d for d in DISTURBANCES if d.name == f"turned_{axis}")
    turned = turn.apply(np.ones((1, 1, 3), "float32"), 50.0, np.random.default_rng(0))[0, 0]
    assert turned.tolist() == [1.0 if a == axis else -1.0 for a in "xyz"]


def test_a_tilt_keeps_the_length_of_each_row_and_turns_it_by_at_most_20_degrees():
    tilt = next(d for d in DISTURBANCES if d.name == "tilted")
    windows = RANDOM.normal(0, 3, (5, 20, 3))
    tilted = tilt.apply(windows, 50.0, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(tilted, axis=2), np.linalg.norm(windows, axis=2))
    cosines = (tilted * windows).sum(axis=2) / np.linalg.norm(windows, axis=2) ** 2
    assert cosines.min() > np.cos(np.radians(20)) - 1e-9


def test_a_sensor_twice_as_fast_shows_half_the_time():
    fast = next(d for d in DISTURBANCES if d.name == "rate_100hz")
    ramp = np.tile(np.arange(10.0)[None, :, None], (1, 1, 3))
    np.testing.assert_allclose(fast.apply(ramp, 50.0, RANDOM)[0, :, 0], np.arange(10) / 2)


def test_a_lost_sample_repeats_the_one_before():
    lost = next(d for d in DISTURBANCES if d.name == "lost")
    ramp = np.tile(np.arange(100.0)[None, :, None], (1, 1, 3))
    found = lost.apply(ramp, 50.0, np.random.default_rng(0))[0, :, 0]
    assert 2 <= (np.diff(found) == 0).sum() <= 25
    assert (np.diff(found) >= 0).all()
