"""What nobody can recognize is told from what somebody does."""

import numpy as np
import pytest

from zoo.activity import simulate
from zoo.runtime.faults import Signal


def faults(rows, rate=50.0, signal=None):
    signal = signal or Signal()
    found = []
    for number, row in enumerate(rows.tolist()):
        signal.push(number / rate, row)
        found.append(signal.fault)
    return found


def table(seed, noise, rate=50.0, step=0.0, seconds=20):
    """A phone on a table, in any pose."""
    random = np.random.default_rng(seed)
    gravity = random.normal(size=3)
    rows = 9.8 * gravity / np.linalg.norm(gravity) + random.normal(0, noise, (round(rate * seconds), 3))
    return np.round(rows / step) * step if step else rows


@pytest.mark.parametrize(("noise", "step", "rate"), [
    (0.003, 0.0, 50.0), (0.01, 0.0, 50.0), (0.01, 0.0048, 50.0), (0.02, 0.01, 50.0), (0.003, 0.1, 50.0),
    (0.01, 0.0048, 100.0), (0.01, 0.0048, 200.0),
])  # fmt: skip
def test_the_noise_of_a_sensor_is_rest(noise, step, rate):
    found = [faults(table(seed, noise, rate, step), rate) for seed in range(5)]
    settled = [fault for each in found for fault in each[round(5.1 * rate) :]]
    assert np.mean([fault == "at rest" for fault in settled]) > 0.97
    assert {fault for each in found for fault in each[: round(4.9 * rate)]} == {None}


def test_a_body_is_not():
    people = simulate.simulate(3, seed=3, seconds=30, rate=50.0)
    moving = [each.rows for each in people if each.activity not in ("sitting", "standing")]
    assert {fault for rows in moving for fault in faults(rows)} == {None}
    # Breath: a few hundredths of m/s^2, as smooth as motion is.
    turns = 2 * np.pi * np.arange(0, 60, 1 / 50)
    breath = np.stack([0 * turns, 9.8 + 0.02 * np.sin(0.3 * turns), 0.02 * np.sin(turns)], axis=1)
    assert set(faults(breath + np.random.default_rng(0).normal(0, 0.01, breath.shape))) == {None}


def test_what_is_picked_up_is_no_longer_at_rest():
    signal = Signal()
    assert faults(table(0, 0.01, seconds=10), signal=signal)[-1] == "at rest"
    signal.push(10.0, (4.0, 4.0, 4.0))
    assert signal.fault is None


SPIN = np.outer(np.arange(0, 10, 1 / 50), (9, 9, 14)) + np.array([0, np.pi / 2, 0])


@pytest.mark.parametrize(("rows", "fault"), [
    (np.zeros((500, 3)), "no signal"), (np.tile([0.0, 0.0, 1.0], (500, 1)), "no signal"),
    (np.tile([0.0, 0.0, 98.0], (500, 1)), "no signal"), (np.tile([0.0, 0.0, 9.8], (500, 1)), "at rest"),
    (12 * np.sin(SPIN), "no signal"),
], ids=["dead", "in g", "ten times as much", "at rest", "without gravity"])  # fmt: skip
def test_a_dead_sensor_another_unit_and_acceleration_without_gravity_are_no_signal(rows, fault):
    assert faults(rows)[-1] == fault


@pytest.mark.parametrize(("rate", "fault"), [(10.0, "too slow"), (20.0, None)])
def test_a_sensor_may_be_too_slow_and_a_slow_one_on_a_table_is_at_rest_only_where_it_never_moves(rate, fault):
    times = np.arange(0, 10, 1 / rate)
    rows = np.stack([3 * np.sin(12 * times), 9.8 + 0 * times, 3 * np.cos(12 * times)], axis=1)
    assert faults(rows, rate)[-1] == fault
    if rate == 20.0:
        assert [faults(table(0, noise, rate), rate)[-1] for noise in (0.01, 0.0)] == [None, "at rest"]


@pytest.mark.parametrize("rate", [25.0, 50.0, 100.0])
def test_a_phone_that_a_hand_shakes_is_told_from_one_that_somebody_carries(rate):
    bouts = simulate.shaken(40, round(8 * rate), rate, np.random.default_rng(0))
    # After two seconds, in which the shaking begins.
    found = [fault for rows in bouts for fault in faults(rows, rate)[round(2 * rate) :]]
    assert np.mean([fault in ("shaken", "no signal") for fault in found]) > 0.93
    assert "shaken" in found
    people = simulate.simulate(3, seed=5, seconds=30, rate=rate)
    assert not any("shaken" in faults(person.rows, rate) for person in people)


def test_shaking_is_a_movement_where_a_label_may_be_one():
    (rows,) = simulate.shaken(1, 400, 50.0, np.random.default_rng(3))
    assert set(faults(rows / 4, signal=Signal(steps=False))) <= {None, "no signal"}


def test_shaking_ends_when_it_ends():
    random = np.random.default_rng(4)
    walk = next(each for each in simulate.simulate(1, 0, seconds=20, rate=50.0) if each.activity == "walking").rows
    (shaking,) = simulate.shaken(1, 300, 50.0, random)
    found = faults(np.concatenate([walk[:300], shaking, walk[:400]]))
    assert set(found[:300]) == {None}
    assert set(found[450:600]) <= {"shaken", "no signal"}
    assert set(found[-200:]) == {None}
