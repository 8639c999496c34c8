"""Samples in as they arrive, predictions out."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import refused
from streams.golden import faulty

from zoo import ActivityGRU, loading
from zoo.runtime.filtering import Group
from zoo.runtime.metadata import ACCELERATION_LIMIT, INERTIAL, Streaming
from zoo.runtime.resampling import Resampler
from zoo.runtime.streaming import GAP, StaggeredStates, Stream, predict_recording

RATE = 50.0
METADATA = loading.load(ActivityGRU(units=12, num_layers=1, frame=5, name="small")).metadata
# From one answer to the next, 0.1 s later, each activity is followed by any with equal probability, and all evidence
# counts: probabilities are those of the last answer.
AT_ONCE = Group(parts=tuple((name,) for name in METADATA.classes), evidence=10.0, stay=(0.1 / math.log(6),) * 6)
QUIET = Streaming(restart=0, copies=1, warmup=0, margin=0.0, groups=(AT_ONCE,))


def sine(times):
    """One turn a second about gravity, as a phone in a slow hand."""
    return np.stack([3 * np.sin(2 * np.pi * times), 9.8 + 0 * times, 3 * np.cos(2 * np.pi * times)], axis=1)


def resampled(times, signal=sine, rate=RATE):
    resampler, samples = Resampler(rate), zip(times, signal(times).tolist(), strict=True)
    rows = [row for time, value in samples for row in resampler.push(time, value)]
    return np.array([time for time, _ in rows]), np.array([value for _, value in rows])


def stream(answer=None, settings=QUIET, threshold=0.0):
    """A stream whose network returns what `answer` returns for a frame: by default that it walks."""
    walking = np.eye(len(METADATA.classes), dtype=np.float32)[METADATA.classes.index("walking")]

    def step(frame, states):
        return (walking if answer is None else answer(frame))[None], {"h_1": states["h_1"] + 1}

    return Stream(METADATA, step, settings, threshold)


def test_samples_at_the_rate_are_the_rows():
    times = np.arange(100) / RATE
    found, rows = resampled(times)
    np.testing.assert_allclose(found, times)
    np.testing.assert_allclose(rows, sine(times), atol=1e-9)


@settings(max_examples=30)
@given(rate=st.floats(15, 400), jitter=st.floats(0, 0.4), seed=st.integers(0, 100))
def test_any_rate_and_jitter_gives_even_rows_near_the_signal(rate, jitter, seed):
    random = np.random.default_rng(seed)
    found, rows = resampled((np.arange(round(4 * rate)) + random.uniform(0, jitter, round(4 * rate))) / rate)
    np.testing.assert_allclose(np.diff(found), 1 / RATE, atol=1e-9)
    # Half a row of delay where samples are averaged, and the chord of the sine between slow samples.
    assert np.abs(rows - sine(found)).max() < 3 * (2 * np.pi / RATE + (2 * np.pi * 1.4 / rate) ** 2 / 8)


def test_what_is_too_quick_for_the_rate_does_not_come_back_as_something_slow():
    # 51 Hz, read at 50 Hz without averaging, would look like 1 Hz.
    _, rows = resampled(np.arange(2000) / 500, lambda times: 5 * np.sin(2 * np.pi * 51 * times[:, None] + [0, 1, 2]))
    assert np.abs(rows[5:]).max() < 0.3


@pytest.mark.parametrize(
    ("restart", "copies", "ages"),
    [(0, 1, [*range(24)]), (8, 2, [*range(8), *[4, 5, 6, 7] * 4]), (9, 3, [*range(9), *[6, 7, 8] * 5])],
)
def test_the_oldest_state_answers_and_is_never_older_than_the_restart(restart, copies, ages):
    states = StaggeredStates(
        lambda frame, states: (states["age"].copy(), {"age": states["age"] + 1}),
        replace(METADATA, states={"age": 1}, frame=1), Streaming(restart=restart, copies=copies, warmup=0),
    )  # fmt: skip
    assert [int(states.push((0.0, 0.0, 0.0))[0]) for _ in range(24)] == ages


def test_a_network_without_states_reads_the_last_window_every_hop():
    found = []
    windows = StaggeredStates(
        lambda window, states: (found.append((window[0, :, 0].tolist(), states)), (np.ones((1, 1)), {}))[1],
        replace(METADATA, states={}, window=4, hop=3), Streaming(),
    )  # fmt: skip
    answered = [windows.push((float(i), 0.0, 0.0)) is not None for i in range(11)]
    assert found == [([0, 1, 2, 3], {}), ([3, 4, 5, 6], {}), ([6, 7, 8, 9], {})]
    assert [i for i, some in enumerate(answered) if some] == [3, 6, 9]


def test_nothing_is_said_before_a_state_has_read_enough():
    found = list(stream(settings=Streaming(restart=0, copies=1, warmup=50)).feed(_still(1.5)))
    assert found[0].time == pytest.approx(49 / RATE)
    refused("restart after 50 rows and answer after 75", stream, settings=Streaming(restart=50))


def _still(seconds, start=0.0, rate=RATE):
    return [(start + i / rate, 0.1 * (i % 2), 9.8 + 0.1 * (i % 5), 0.1 * (i % 3)) for i in range(round(seconds * rate))]


def one_hot(name, p=1.0):
    others = (1 - p) / (len(METADATA.classes) - 1)
    return np.array([p if c == name else others for c in METADATA.classes], np.float32)


def said(first, second, settings, threshold=0.0):
    """Labels of a stream whose network changes its mind after two seconds, and its answers before that."""
    before = round(2 * RATE / METADATA.frame)
    answers = iter([one_hot(*first)] * before + [one_hot(*second)] * 1000)
    found = stream(lambda frame: next(answers), settings, threshold).feed(_still(4))
    return [prediction.label for prediction in found], before


def test_a_change_is_shown_when_the_evidence_outweighs_what_was_believed():
    groups = (Group(parts=AT_ONCE.parts, evidence=5.0, stay=(60.0,) * 6),)
    labels, before = said(("walking",), ("sitting",), replace(QUIET, groups=groups))
    # An answer of 0 divides the odds by ten (0.01 to the power of 5 times 0.1 s), and others are left for sitting
    # with a probability of r / 5 per answer: odds of x = x / 10 + r / 5 before the change. Then they rise tenfold.
    leave = 1 - np.exp(-0.1 / 60)
    odds = leave / 5 / 0.9
    assert labels.index("sitting") - before + 1 == np.ceil(np.log10(1 / odds))


@pytest.mark.parametrize(
    ("first", "second", "margin", "threshold", "shown"),
    [(0.5, 0.4, 0.3, 0.0, {"walking"}), (0.7, 0.5, 0.0, 0.6, {"walking", None})],
    ids=["the margin keeps a label", "below the threshold is no label"],
)
def test_a_label_needs_the_margin_and_the_threshold(first, second, margin, threshold, shown):
    labels, _ = said(("walking", first), ("sitting", second), replace(QUIET, margin=margin), threshold)
    assert set(labels) == shown


def leaky(frame):
    """Probabilities that depend on every number of the frame."""
    scores = np.abs(np.sin(frame.sum() * np.arange(1, len(METADATA.classes) + 1)))
    return (scores / scores.sum()).astype(np.float32)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ((0.2, math.nan, 9.8, 0.0), "not finite"),
        ((0.2, 0.0, 9.8, -math.inf), "not finite"),
        ((math.nan, 0.0, 9.8, 0.0), "not finite"),
        ((0.2, 0.0, 1e30, 0.0), "beyond 160 m/s^2"),
        ((0.2, -161.0, 9.8, 0.0), "beyond 160 m/s^2"),
        ((0.1, 0.0, 9.8, 0.0), "not later than the one before"),
        ((3600.2, 0.0, 9.8, 0.0), "time stamps that no other confirms"),
        ((-3600.0, 0.0, 9.8, 0.0), "time stamps that no other confirms"),
        ((1e300, 0.0, 9.8, 0.0), "time stamps that no other confirms"),
    ],
)
def test_a_faulty_sample_is_counted_and_changes_nothing_else(bad, reason):
    samples = _still(2)
    del samples[10]  # the one whose place the bad sample takes
    sound, spoiled = (stream(leaky, replace(QUIET, groups=())) for _ in range(2))
    expected, found = (
        [(p.time, p.label, *p.probabilities) for p in one.feed(read)]
        for one, read in ((sound, samples), (spoiled, [*samples[:10], bad, *samples[10:]]))
    )
    assert found == expected
    assert spoiled.skipped == {reason: 1}


@pytest.mark.parametrize("jump", [2 + GAP, 3600.0, -3600.0])
def test_after_a_gap_or_a_set_clock_the_states_start_anew(jump):
    found = stream(settings=replace(QUIET, warmup=25))
    predictions = list(found.feed(_still(1) + _still(1, start=jump)))
    assert found.skipped == {"gaps": 1}
    assert next(p.time for p in predictions if abs(p.time - jump) < 1) == pytest.approx(jump + 24 / RATE)


ELAPSED = st.one_of(
    st.floats(0, 0.05), st.floats(-2, 2), st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([5e-324, 1e-12, 1e-9, 1.0, 3600.0, -3600.0]),
)  # fmt: skip
VALUES = st.one_of(st.floats(-20, 20), st.floats(), st.sampled_from([160.0, -160.0, 1e30, 1e308]))


@settings(max_examples=60)
@given(
    samples=st.lists(st.tuples(ELAPSED, VALUES), max_size=80),
    start=st.sampled_from([0.0, 1.7e9, 1.7e12, 1e15, -5.0]),
)
def test_rows_and_means_are_finite_whatever_comes(samples, start):
    rows = []
    found, time = stream(lambda frame: leaky(rows.append(frame) or frame), replace(QUIET, groups=())), start
    for elapsed, value in samples:
        time = time + elapsed if math.isfinite(time + elapsed) else start
        for prediction in found.push(time if elapsed == elapsed else math.nan, value, 9.8, 0.1):
            assert np.isfinite(prediction.probabilities).all()
    assert all((np.abs(frame) <= ACCELERATION_LIMIT * (1 + 1e-6)).all() for frame in rows)
    recovered = list(found.feed(_still(2, start=1000.0)))
    assert recovered[-1].label is not None
    assert np.isfinite(recovered[-1].probabilities).all()


@pytest.mark.slow
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([10, 50, 51.3, 200]), faults=st.floats(0, 0.1))
@pytest.mark.parametrize(
    "model",
    [METADATA, replace(METADATA, states={}, window=40, hop=15), replace(METADATA, axes=INERTIAL)],
    ids=["steps", "windows", "gyroscope"],
)
def test_arrays_and_lists_give_what_single_samples_give(model, seed, rate, faults):
    samples = faulty(np.random.default_rng(seed), 1500, rate, faults, len(model.axes))
    how = Streaming(restart=30, copies=3, warmup=10)

    def read(how_to_feed):
        found = Stream(model, lambda frame, states: (leaky(frame)[None], dict(states)), how)
        predictions = [(p.time, p.label, p.probability, *p.probabilities) for p in how_to_feed(found)]
        return predictions, found.skipped, found.warnings

    expected = read(lambda stream: stream.feed(iter(samples.tolist())))
    assert read(lambda stream: stream.feed(samples)) == expected
    cut = seed % len(samples)
    assert read(lambda stream: [*stream.feed(samples[:cut].tolist()), *stream.feed(samples[cut:])]) == expected


def test_a_sample_of_a_list_that_lacks_a_value_is_refused_after_those_before_it():
    predictions, samples = [], [*_still(1), (1.0, 0.1, 9.8)]
    says = r"a sample of 2 values; small reads x, y, z"
    refused(says, predictions.extend, stream().feed(samples))
    assert len(predictions) == RATE / METADATA.frame


def test_frames_are_fed_as_arrays_are_and_a_single_sample_is_refused():
    frame = pd.DataFrame(_still(1), columns=["t", "x", "y", "z"])
    assert len(list(stream().feed(frame))) == RATE / METADATA.frame
    refused(r"samples of shape \(4,\); expected \(N, 4\)", list, stream().feed(frame.to_numpy()[0]))


def warnings_of(samples):
    found = stream()
    list(found.feed(samples))
    return found.warnings


@pytest.mark.parametrize("stamps", [np.floor, np.zeros_like])
def test_time_stamps_without_decimals_are_noticed(stamps):
    warnings = warnings_of((float(stamps(t)), x, y, z) for t, x, y, z in _still(6))
    assert "many time stamps repeat, go back or leap: expected seconds with decimals, one per sample" in warnings


@pytest.mark.parametrize(
    ("factor", "rate", "says"),
    [
        (1 / 9.80665, 50, r"mean magnitude 1\.0., as in g; expected m/s\^2: multiply by 9.80665"),
        (5, 50, r"mean magnitude 50\.0 m/s\^2; expected about 9.8"),
        (1, 20, r"samples come at 20.0 Hz; the model was trained on 50 Hz"),
    ],
)
def test_a_signal_that_no_pocket_gives_is_said_once_with_the_measured_value(factor, rate, says):
    (warning,) = warnings_of((time, factor * x, factor * y, factor * z) for time, x, y, z in _still(20, rate=rate))
    assert re.search(says, warning)


@pytest.mark.parametrize(
    ("size", "doubted"), [(1.9, True), (4.9, True), (5.1, False), (24.6, False), (24.9, False), (25.1, True)]
)
def test_a_signal_is_doubted_where_the_page_doubts_it(size, doubted):
    # The same in examples/phone/tests/recording.test.ts.
    assert bool(warnings_of((time, x, size + y - 10, z) for time, x, y, z in _still(4))) == doubted


@pytest.mark.parametrize("strength", [1.5, 4, 10])
def test_movement_without_gravity_is_noticed_and_not_taken_for_g(strength):
    times = np.arange(4 * RATE) / RATE
    turns = 4 * np.pi * times
    rows = [strength * np.sin(turns), strength * np.cos(turns), 0.4 + 0.1 * np.sin(turns)]
    (warning,) = warnings_of(np.stack([times, *rows], axis=1))
    assert warning == "gravity is missing: mean acceleration 0.4 m/s^2; record acceleration with gravity"


def test_an_axis_that_stands_still_is_noticed():
    (warning,) = warnings_of((t, x, 9.8, 0.25) for t, x, _, _ in _still(4))
    assert warning == "axis y, z has not moved for 2 s: is the sensor on?"


def test_a_recording_is_stream__at_its_own_rate():
    predictions = predict_recording(stream(), np.tile([[0.1, 9.8, 0.2]], (100, 1)), 25.0)
    assert predictions[-1].time == pytest.approx(3.88)
    assert {prediction.label for prediction in predictions} == {"walking"}


def test_nothing_is_claimed_of_a_phone_that_nobody_carries():
    times = np.arange(600) / RATE
    rows = sine(times)
    rows[300:] = np.random.default_rng(0).normal([0.1, 0.2, 9.8], 0.01, (300, 3))
    samples = np.column_stack([times, rows])
    slow = stream()
    one_by_one = [prediction for sample in samples.tolist() for prediction in slow.push(*sample)]
    found = list(stream().feed(samples))
    assert [each.reason for each in one_by_one] == [each.reason for each in found]
    assert {prediction.label for prediction in found if prediction.time < 10} == {"walking"}
    assert {(each.label, each.reason) for each in found if each.time > 11.2} == {(None, "at rest")}
    assert str(found[-1]).startswith("12.0 s at rest ")


@pytest.mark.parametrize(("changes", "says"), [
    ({"copies": 0}, "'copies' is 0; expected 1 to 100"),
    ({"margin": math.nan}, "'margin' is NaN; expected 0 to 1"),
    ({"restart": "150"}, """'restart' is "150"; expected whole numbers"""),
    ({"groups": (replace(AT_ONCE, evidence=math.nan),)}, r"'streaming.groups\[0\].evidence' is NaN"),
    ({"groups": (replace(AT_ONCE, stay=(0.0,) * 6),)}, r"'streaming.groups\[0\].stay' is .*expected numbers above 0"),
    ({"groups": ({"evidence": None},)}, r"'streaming.groups\[0\].evidence' is null; expected numbers"),
])  # fmt: skip
def test_settings_that_no_filter_can_follow_are_refused(changes, says):
    refused(f"streaming: {says}", lambda: stream(settings=replace(QUIET, **changes)))
    assert replace(QUIET, copies=np.int64(2)).copies == 2


def test_settings_of_another_type_are_refused():
    refused("settings: dict; expected a `zoo.runtime.metadata.Streaming`", stream, settings={"margin": 0.5})


def test_samples_of_a_generator_may_lack_values_as_those_of_a_list_and_others_are_refused():
    samples = [[t, None if i % 20 == 0 else x, y, z] for i, (t, x, y, z) in enumerate(_still(2))]
    one, other = stream(), stream()
    assert len([*one.feed(samples)]) == len([*other.feed(iter(samples))]) > 0
    assert one.skipped == other.skipped == {"not finite": 5}
    refused("a sample is {'time': 0.0}; expected numbers: time, x, y, z", list, stream().feed([{"time": 0.0}]))


@pytest.mark.parametrize(
    "sample", [("0", "1", "9.8", "2"), (0.0, [1], [9.8], [2]), (0.0, None, 9.8, 2.0), (10**400, 0, 1, 2)]
)
def test_what_is_no_number_is_no_sample(sample):
    for before in ([], _still(1)):
        found = stream()
        list(found.feed(before))
        refused(r"^a sample is .*; expected numbers: time, x, y, z$", found.push, *sample)
    for nothing in (None, 5):
        refused(f"^a sample is {nothing}; expected numbers", list, stream().feed(nothing))


def test_columns_of_a_table_in_another_order_are_refused():
    frame = pd.DataFrame(_still(1), columns=["time", "x", "y", "z"])
    says = "samples: columns x, y, z, time; expected time, x, y, z: choose them in this order"
    refused(says, list, stream().feed(frame[["x", "y", "z", "time"]]))


@pytest.mark.parametrize("factor", [1000, 1 / 1000])
def test_time_stamps_in_another_unit_than_seconds_are_noticed(factor):
    (warning,) = warnings_of((factor * t, x, y, z) for t, x, y, z in _still(1200 / RATE))
    assert "expected seconds" in warning
