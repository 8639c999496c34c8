"""Recordings keep their rows, in a file and at another rate."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import refused

from zoo.activity import recordings
from zoo.activity.checks import check_signal
from zoo.activity.recordings import Recording
from zoo.data import hdf5


def still(rows, **changes):
    fields = {"name": "a", "subject": "1", "activity": "sitting", "rate": 50.0} | changes
    return Recording(acceleration=np.full((rows, 3), 9.8, np.float32), **fields)


def sine(frequency, rate, seconds=10):
    time = np.arange(seconds * rate) / rate
    return np.tile(np.sin(2 * np.pi * frequency * time)[:, None], 3).astype(np.float32)


def test_equal_rows_of_two_files_are_refused_but_a_study_may_repeat_itself():
    moved, other = (Recording(name, name, "walking", 50.0, sine(2, 50)) for name in "ab")
    assert len(list(recordings.distinct([moved, other], [still(60), still(60)], [still(60)]))) == 5
    refused("^b: has the same rows as a: import each", list, recordings.distinct([moved], [other]))


def test_a_recording_of_a_day_is_put_on_its_grid_with_little_more_memory():
    rows, random = 2_000_000, np.random.default_rng(0)
    times = np.arange(rows) / 50 + random.uniform(0, 0.005, rows)
    values = random.standard_normal((rows, 3))
    tracemalloc.start()
    try:
        (found,) = recordings.stretches("a", "1", "walking", times, values, None, recordings.Findings())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Time and three axes have 32 bytes, and the recording 12.
    assert peak < 50 * rows
    grid = times[0] + (times[-1] - times[0]) / (rows - 1) * np.arange(rows)
    np.testing.assert_array_equal(found.acceleration[:, 1], np.interp(grid, times, values[:, 1]).astype(np.float32))


@pytest.mark.parametrize("rate", [20, 50, 400])
def test_movement_cancels_out_over_a_second_at_any_rate(rate):
    swinging, falling = 8 * sine(2, rate), np.full((10 * rate, 3), [0, 0, 9.8])
    missing = r"^a.csv: averaged over a second, acceleration is 0.0 m/s\^2, so gravity \(9.8\) is missing"
    refused(missing, check_signal, "a.csv", swinging, rate)
    check_signal("a.csv", np.hstack([swinging + falling, swinging]), rate)
    both = np.hstack([falling, falling])
    refused("averaged over a second, rotation rate is 9.8 rad/s", check_signal, "a.csv", both, rate)


def test_resampling_keeps_a_slow_sine_and_removes_one_that_the_lower_rate_cannot_hold():
    # Taken row by row, 40 Hz at a rate of 50 Hz would pose as 10 Hz.
    slow, fast = (Recording("a", "1", "walking", 100.0, sine(hertz, 100)).resampled(50.0) for hertz in (2, 40))
    assert (slow.shape, slow.dtype) == ((500, 3), np.float32)
    # At both ends the filter has to guess what came before and after; `Windowing.trim` leaves the ends out.
    np.testing.assert_allclose(slow[10:-10], sine(2, 50)[10:-10], atol=1e-2)
    assert np.abs(sine(40, 100)[::2]).max() > 0.9
    assert np.abs(fast[20:-20]).max() < 1e-2


@given(st.sampled_from([20.0, 25.0, 50.0, 52.0, 99.5, 100.0, 200.0]), st.integers(2, 300))
def test_a_phone_at_rest_stays_at_rest_at_any_rate(rate, rows):
    resampled = still(rows, rate=rate).resampled(50.0)
    np.testing.assert_allclose(resampled, 9.8, rtol=1e-3)
    assert abs(len(resampled) - rows * 50 / rate) <= 1


def test_a_recording_at_the_wanted_rate_is_left_as_it_is_and_a_rate_that_none_has_is_refused():
    recording = still(10)
    assert recording.resampled(50.0) is recording.acceleration
    assert recording.seconds == 0.2
    for rate in (0.02, 1e9):
        refused(r"expected 0\.1 to 100000", recording.resampled, rate)


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.text("aé1 _").filter(str.strip), st.sampled_from([25.0, 50.0, 99.5])),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_recordings_come_back_as_they_were_written(tmp_path_factory, several):
    random, path = np.random.default_rng(0), tmp_path_factory.mktemp("recordings") / "a.h5"
    written = [
        Recording(f"file {i}", who, "sitting", rate, random.normal(0, 9, (rows, 3)).astype(np.float32))
        for i, (rows, who, rate) in enumerate(several)
    ]
    assert recordings.write_recordings(path, iter(written), source="a test") == len(written)
    for a, b in zip(written, recordings.read_recordings(path), strict=True):
        assert (a.name, a.subject, a.activity, a.rate) == (b.name, b.subject, b.activity, b.rate)
        np.testing.assert_array_equal(a.acceleration, b.acceleration)


def test_a_file_of_recordings_says_what_it_holds(tmp_path):
    recordings.write_recordings(tmp_path / "a.h5", [still(5)], source="a test", simulated=True)
    assert recordings.read_recordings(tmp_path / "a.h5").provenance["simulated"]
    assert hdf5.attributes(tmp_path / "a.h5") == {
        "unit": "m/s^2", "axes": "x,y,z", "convention": "android", "source": "a test", "simulated": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("several", "says"), [([], r"a\.h5: nothing to write: the source holds no"), ([still(0)], "^a: has no rows$")]
)
def test_nothing_to_write_leaves_no_file(several, says, tmp_path):
    refused(says, recordings.write_recordings, tmp_path / "a.h5", several, source="a test")
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_long_recording_is_where_its_clock_says(tmp_path):
    rate, seconds = 100.49, 900
    times = np.arange(int(rate * seconds)) / rate
    signal = np.where(times < 800, 1.0, 0.0)
    rows = np.stack([signal] * 3, axis=1)
    (found,) = recordings.stretches("a.csv", "ann", "walking", times, rows, None, recordings.Findings())
    assert found.rate == 100.0
    assert found.seconds == pytest.approx(seconds, abs=0.02)
    assert np.argmin(found.acceleration[:, 0]) / found.rate == pytest.approx(800, abs=0.02)
