"""Augmented windows are what another pocket, phone or person would have recorded; disturbances are known changes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo.activity.augmentation import DISTURBANCES, Augmentation

SEEDS = st.tuples(st.integers(0, 2**31), st.integers(0, 2**31))
EVERYTHING = Augmentation(
    pace=0.2, mirror=0.5, half_turn=0.5, spin=20.0, tilt=10.0, scale=0.05, intensity=0.2, noise=0.1
)  # fmt: skip
WINDOWS = np.random.default_rng(0).normal([1, 2, 9.8], 2.0, (32, 20, 3)).astype(np.float32)


def augmented(augmentation, windows=WINDOWS, seed=(0, 0)):
    return np.asarray(augmentation(tf.constant(windows, tf.float32), tf.constant(seed, tf.int64)))


def length(windows):
    return np.linalg.norm(windows, axis=-1)


def angles_to_windows(turned):
    """The degrees by which rows were turned."""
    return np.degrees(np.arccos(np.clip((turned * WINDOWS).sum(axis=-1) / length(WINDOWS) ** 2, -1, 1)))


def test_nothing_is_changed_unless_asked_for():
    np.testing.assert_array_equal(augmented(Augmentation()), WINDOWS)


@given(SEEDS)
def test_the_seed_decides_everything(seed):
    first, same = augmented(EVERYTHING, seed=seed), augmented(EVERYTHING, seed=seed)
    np.testing.assert_array_equal(first, same)
    assert np.isfinite(first).all()
    assert (first != augmented(EVERYTHING, seed=(seed[0], seed[1] + 1))).any()
    assert (first != augmented(EVERYTHING, seed=(seed[0] + 1, seed[1]))).any()


@given(SEEDS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 180), st.floats(0, 180))
def test_turning_and_mirroring_keep_every_magnitude_and_every_angle(seed, mirror, half_turn, spin, tilt):
    turned = augmented(Augmentation(mirror=mirror, half_turn=half_turn, spin=spin, tilt=tilt), seed=seed)
    np.testing.assert_allclose(length(turned), length(WINDOWS), rtol=1e-4)
    gram, expected = (w @ np.swapaxes(w, 1, 2) for w in (turned, WINDOWS))
    np.testing.assert_allclose(gram, expected, atol=1e-3 * np.abs(expected).max())


def test_a_mirror_changes_the_sign_of_x_alone():
    assert augmented(Augmentation(mirror=1.0), [[[1, 2, 3], [-4, 5, 6]]]).tolist() == [[[-1, 2, 3], [4, 5, 6]]]
    mirrored = augmented(Augmentation(mirror=0.5), np.ones((400, 2, 3)))
    assert (mirrored[:, :, 1:] == 1).all()
    assert 100 < (mirrored[:, 0, 0] == -1).sum() < 300


def test_a_quarter_turn_exchanges_the_axes_of_the_screen_of_some_windows():
    turned = augmented(Augmentation(quarter_turn=0.5), np.tile([1.0, 2.0, 3.0], (300, 2, 1)))[:, 0]
    across, kept = (np.isclose(turned, row, atol=1e-5).all(axis=1) for row in ([-2, 1, 3], [1, 2, 3]))
    assert (across | kept).all()
    assert 100 < across.sum() < 200


def test_a_half_turn_changes_two_signs_and_each_pair_of_them():
    turned = augmented(Augmentation(half_turn=1.0), np.ones((300, 2, 3)))
    ways, counts = np.unique(turned[:, 0], axis=0, return_counts=True)
    assert ways.tolist() == [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]
    assert counts.min() > 50


def test_some_windows_keep_their_pose_apart_from_a_tilt():
    turned = augmented(Augmentation(mirror=1.0, half_turn=1.0, spin=180.0, keep_pose=0.5), np.ones((300, 2, 3)))
    assert 100 < (turned == 1).all(axis=(1, 2)).sum() < 200
    tilted = augmented(Augmentation(half_turn=1.0, keep_pose=1.0, tilt=30.0), np.ones((300, 2, 3)))
    assert (tilted.sum(axis=2) > np.cos(np.radians(30.01)) * 3).all()
    assert (tilted != 1).any()


def test_a_spin_leaves_the_long_axis_and_stays_within_its_angle_as_a_tilt_does():
    spun = augmented(Augmentation(spin=30.0), np.tile([0.0, 5.0, 1.0], (200, 2, 1)))
    np.testing.assert_allclose(spun[:, :, 1], 5, rtol=1e-6)
    angles = np.degrees(np.arctan2(spun[:, 0, 0], spun[:, 0, 2]))
    assert -30.01 < angles.min() < -20
    assert 20 < angles.max() < 30.01
    tilted = augmented(Augmentation(tilt=15.0))
    assert angles_to_windows(tilted).max() < 15.1
    assert (np.abs(tilted - WINDOWS).max(axis=(1, 2)) > 0).all()


def test_a_gain_is_one_number_a_window_within_its_range():
    gains = augmented(Augmentation(scale=0.1)) / WINDOWS
    np.testing.assert_allclose(gains, np.broadcast_to(gains[:, :1, :1], gains.shape), rtol=1e-5)
    assert 0.9 <= gains.min() < 0.95
    assert 1.05 < gains.max() <= 1.1001


def test_intensity_keeps_the_mean_and_scales_the_rest():
    changed = augmented(Augmentation(intensity=0.5))
    np.testing.assert_allclose(changed.mean(axis=1), WINDOWS.mean(axis=1), atol=1e-5)
    factors = changed.std(axis=1) / WINDOWS.std(axis=1)
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1], factors.shape), rtol=1e-4)
    assert np.exp(-0.5) * 0.999 <= factors.min() < 1 < factors.max() <= np.exp(0.5) * 1.001


def test_noise_has_no_direction_and_differs_from_window_to_window():
    noise = augmented(Augmentation(noise=0.5), np.zeros((100, 200, 3)))
    spread = noise.std(axis=(1, 2))
    assert spread.max() < 0.55
    assert spread.min() < 0.1
    assert abs(noise.mean()) < 0.01


@given(SEEDS, st.floats(0.01, 1.0))
def test_a_changed_pace_reads_a_straight_line_more_slowly_and_never_past_its_ends(seed, pace):
    line = np.tile(np.arange(20.0)[:, None], (8, 1, 3))
    slower = augmented(Augmentation(pace=pace), line, seed)
    steps = np.diff(slower, axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-4)
    assert 1 / (1 + pace) - 1e-4 <= steps.min() <= steps.max() <= 1 + 1e-4
    assert -1e-4 <= slower.min() <= slower.max() <= 19 + 1e-4


def test_windows_of_a_batch_are_changed_one_by_one():
    same = augmented(EVERYTHING, np.tile(WINDOWS[:1], (32, 1, 1)))
    assert len(np.unique(same[:, 0, 0])) == 32


@pytest.mark.parametrize(("carry", "before"), [(1.0, np.roll(WINDOWS, 1, axis=0)), (1e-9, WINDOWS)])
def test_what_is_carried_over_is_another_window_or_the_window_itself(carry, before):
    found = augmented(Augmentation(carry=carry))
    np.testing.assert_array_equal(found, np.concatenate([before, WINDOWS], axis=1))


def six_axes(augmentation, seed=(0, 0), windows=None):
    """Acceleration and rotation rate, before and after."""
    rate = np.random.default_rng(1).normal(0, 2, WINDOWS.shape).astype(np.float32)
    both = np.concatenate([WINDOWS, rate], axis=2) if windows is None else windows
    found = augmented(augmentation, both, seed)
    return both[..., :3], both[..., 3:], found[..., :3], found[..., 3:]


def test_both_sensors_are_turned_alike_and_acceleration_as_if_alone():
    turned = Augmentation(half_turn=0.5, spin=180.0, tilt=60.0)
    before, rate_before, after, rate_after = six_axes(turned)
    assert (np.abs(after - before).max(axis=(1, 2)) > 0).all()
    turns = [np.linalg.lstsq(old, new, rcond=None)[0] for old, new in zip(before, after, strict=True)]
    np.testing.assert_allclose(rate_after, rate_before @ np.stack(turns), atol=1e-3)
    # The acceleration is what it would be alone.
    np.testing.assert_allclose(after, augmented(turned), atol=1e-5)


def test_a_mirror_reverses_the_sense_of_rotations_but_not_about_its_own_axis():
    found = augmented(Augmentation(mirror=1.0), [[[1, 2, 3, 4, 5, 6], [1, 2, 3, -4, 5, 6]]])
    assert found.tolist() == [[[-1, 2, 3, 4, -5, -6], [-1, 2, 3, -4, -5, -6]]]


def test_a_window_that_keeps_its_pose_keeps_that_of_both_sensors():
    change = Augmentation(mirror=1.0, half_turn=1.0, spin=180.0, keep_pose=0.5)
    before, rate_before, after, rate_after = six_axes(change)
    kept = (after == before).all(axis=(1, 2))
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal((rate_after == rate_before).all(axis=(1, 2)), kept)


def test_each_sensor_has_its_own_gain_and_noise_and_the_accelerometer_alone_ends_at_2_g():
    before, rate_before, after, rate_after = six_axes(Augmentation(scale=0.1))
    gains, rate_gains = after / before, rate_after / rate_before
    for found in (gains, rate_gains):
        np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1], found.shape), rtol=1e-4)
    assert np.abs(gains[:, 0, 0] - rate_gains[:, 0, 0]).min() > 0
    for noise, noisy in (({"noise": 1.0}, 0), ({"gyroscope_noise": 1.0}, 1)):
        before, rate_before, after, rate_after = six_axes(Augmentation(**noise))
        changed = (after != before, rate_after != rate_before)
        assert changed[noisy].any(axis=(1, 2)).all()
        assert not changed[1 - noisy].any()
    *_, after, rate = six_axes(Augmentation(clip=1.0), windows=np.full((4, 20, 6), 30.0))
    assert (after.max(), rate.min(), rate.max()) == (pytest.approx(2 * 9.80665), 30, 30)


BY_NAME = {disturbance.name: disturbance for disturbance in DISTURBANCES}


def disturbed(name, windows, seed=0):
    return BY_NAME[name].apply(np.asarray(windows, np.float32), 50.0, np.random.default_rng(seed))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_disturbance_keeps_the_shape_and_changes_the_windows(name):
    windows = np.random.default_rng(0).normal(0, 3, (2, 150, 3))
    assert disturbed(name, windows).shape == windows.shape
    assert not np.allclose(disturbed(name, windows), windows, atol=1e-3)


@pytest.mark.parametrize("axis", "xyz")
def test_a_half_turn_of_the_phone_keeps_its_axis_and_flips_the_others(axis):
    turned = disturbed(f"turned_{axis}", np.ones((1, 1, 3)))[0, 0]
    assert turned.tolist() == [1.0 if a == axis else -1.0 for a in "xyz"]


def test_a_tilted_phone_keeps_the_length_of_each_row_and_turns_it_by_at_most_20_degrees():
    tilted = disturbed("tilted", WINDOWS)
    np.testing.assert_allclose(length(tilted), length(WINDOWS), rtol=1e-5)
    assert angles_to_windows(tilted).max() < 20.01


def test_a_sensor_twice_as_fast_shows_half_the_time_and_a_lost_sample_repeats_the_one_before():
    ramp = np.tile(np.arange(100.0)[None, :, None], (1, 1, 3))
    np.testing.assert_allclose(disturbed("rate_100hz", ramp)[0, :, 0], np.arange(100) / 2)
    steps = np.diff(disturbed("lost", ramp)[0, :, 0])
    assert 2 <= (steps == 0).sum() <= 25
    assert (steps >= 0).all()
