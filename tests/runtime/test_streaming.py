"""Samples as they come in, answers out."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.metadata import Streaming
from zoo.runtime.streaming import GAP, Resampler, Stream, _Follower, follow
from zoo.tasks import loading

RATE = 50.0
METADATA = loading.load("activity_gru_pocket").metadata
QUIET = Streaming(restart=0, copies=1, warmup=0, smoothing=0.0, margin=0.0, threshold=0.0)


def sine(times):
    """One turn a second about gravity, as a phone in a slow hand."""
    return np.stack([3 * np.sin(2 * np.pi * times), 9.8 + 0 * times, 3 * np.cos(2 * np.pi * times)], axis=1)


def resampled(times, rate=RATE):
    resampler = Resampler(rate)
    rows = [row for time, value in zip(times, sine(times), strict=True) for row in resampler.push(time, value)]
    return np.array([time for time, _ in rows]), np.array([value for _, value in rows])


def stream(answer=None, settings=QUIET):
    """A stream whose network says of each frame what `answer` says of it: by default that it walks."""
    walking = np.eye(len(METADATA.classes), dtype=np.float32)[METADATA.classes.index("walking")]

    def step(frame, states):
        return (walking if answer is None else answer(frame))[None], {"h_1": states["h_1"] + 1}

    return Stream(METADATA, step, lambda: {"h_1": np.zeros((1, 1), np.float32)}, settings)


class TestRows:
    def test_samples_at_the_rate_are_the_rows(self):
        times = np.arange(100) / RATE
        found, rows = resampled(times)
        np.testing.assert_allclose(found, times)
        np.testing.assert_allclose(rows, sine(times), atol=1e-9)

    @settings(max_examples=30, deadline=None)
    @given(rate=st.floats(15, 400), jitter=st.floats(0, 0.4), seed=st.integers(0, 100))
    def test_any_rate_and_jitter_gives_even_rows_near_the_signal(self, rate, jitter, seed):
        random = np.random.default_rng(seed)
        times = (np.arange(round(4 * rate)) + random.uniform(0, jitter, round(4 * rate))) / rate
        found, rows = resampled(times)
        np.testing.assert_allclose(np.diff(found), 1 / RATE, atol=1e-9)
        # Half a row of delay where samples are averaged, and the chord of the sine between slow samples.
        assert np.abs(rows - sine(found)).max() < 3 * (2 * np.pi / RATE + (2 * np.pi * 1.4 / rate) ** 2 / 8)

    def test_what_is_too_quick_for_the_rate_does_not_come_back_as_something_slow(self):
        times = np.arange(2000) / 500
        resampler = Resampler(RATE)
        # 51 Hz, read at 50 Hz without averaging, would look like 1 Hz.
        fast = np.stack([5 * np.sin(2 * np.pi * 51 * times)] * 3, axis=1)
        rows = [row for t, value in zip(times, fast, strict=True) for _, row in resampler.push(t, value)]
        assert np.abs(rows[5:]).max() < 0.3


class TestStates:
    def follower(self, restart, copies):
        return _Follower(
            lambda frame, states: (np.array([[states["age"]]]), {"age": states["age"] + 1}),
            lambda: {"age": 0}, Streaming(restart=restart, copies=copies, warmup=0), frame=1,
        )  # fmt: skip

    def ages(self, restart, copies, count=24):
        follower = self.follower(restart, copies)
        return [int(follower.read(np.zeros((1, 1, 3)))[0]) for _ in range(count)]

    def test_one_state_is_carried_on_where_none_restarts(self):
        assert self.ages(0, 1) == list(range(24))

    def test_the_oldest_of_two_states_answers_and_is_never_older_than_the_restart(self):
        ages = self.ages(8, 2)
        assert ages[:8] == list(range(8))
        assert ages[8:] == [4, 5, 6, 7] * 4

    def test_three_states_take_turns(self):
        assert self.ages(9, 3)[9:] == [6, 7, 8] * 5

    def test_nothing_is_said_before_a_state_has_read_enough(self):
        found = list(stream(settings=Streaming(restart=0, copies=1, warmup=50)).feed(_still(1.5)))
        assert found[0].time == pytest.approx(49 / RATE)


def _still(seconds, start=0.0, rate=RATE):
    return [(start + i / rate, 0.1 * (i % 2), 9.8 + 0.1 * (i % 5), 0.1 * (i % 3)) for i in range(round(seconds * rate))]


class TestLabels:
    @staticmethod
    def said(first, second, settings):
        """Labels of a stream whose network changes its mind after two seconds."""
        count = iter(range(1000))
        before = round(2 * RATE / METADATA.frame)
        found = stream(lambda frame: first if next(count) < before else second, settings).feed(_still(4))
        return [answer.label for answer in found], before

    def one_hot(self, name, p=1.0):
        others = (1 - p) / (len(METADATA.classes) - 1)
        return np.array([p if c == name else others for c in METADATA.classes], np.float32)

    def test_a_change_is_shown_after_the_smoothing(self):
        smooth = Streaming(restart=0, copies=1, warmup=0, smoothing=0.5, margin=0.0, threshold=0.0)
        labels, before = self.said(self.one_hot("walking"), self.one_hot("sitting"), smooth)
        # Both means are a half after ln 2 of the smoothing time: 0.35 s, four frames of 0.1 s.
        assert labels.index("sitting") - before == 3

    def test_a_label_stays_until_another_is_more_probable_by_the_margin(self):
        stubborn = Streaming(restart=0, copies=1, warmup=0, smoothing=0.0, margin=0.3, threshold=0.0)
        labels, _ = self.said(self.one_hot("walking", 0.5), self.one_hot("sitting", 0.4), stubborn)
        assert set(labels) == {"walking"}

    def test_no_label_is_shown_below_the_threshold(self):
        careful = Streaming(restart=0, copies=1, warmup=0, smoothing=0.0, margin=0.0, threshold=0.6)
        labels, _ = self.said(self.one_hot("walking", 0.7), self.one_hot("sitting", 0.5), careful)
        assert set(labels) == {"walking", None}


class TestBadSamples:
    def test_a_bad_sample_is_counted_and_the_stream_goes_on(self):
        samples = _still(1)
        samples[10] = (samples[10][0], np.nan, 9.8, 0.0)
        samples[20] = samples[5]
        samples[30] = (np.inf, 0.0, 9.8, 0.0)
        followed = stream()
        answers = list(followed.feed(samples))
        assert followed.skipped == {"not finite": 2, "not later than the one before": 1}
        assert [answer.time for answer in answers] == pytest.approx([4 / RATE + i / 10 for i in range(10)])

    def test_after_a_gap_the_states_begin_anew(self):
        followed = stream(settings=Streaming(restart=0, copies=1, warmup=25, smoothing=0.0, margin=0.0, threshold=0.0))
        answers = list(followed.feed(_still(1) + _still(1, start=2 + GAP)))
        assert followed.skipped == {"gaps": 1}
        assert next(answer.time for answer in answers if answer.time > 1) == pytest.approx(2 + GAP + 24 / RATE)

    @pytest.mark.parametrize(
        ("factor", "rate", "said"),
        [
            (1 / 9.80665, 50, r"mean magnitude 1\.0., as in g; expected m/s\^2: multiply by 9.80665"),
            (5, 50, r"mean magnitude 50\.0 m/s\^2; expected about 9.8"),
            (1, 20, r"samples come at 20.0 Hz; the model was trained on 50 Hz"),
        ],
    )
    def test_a_signal_that_no_pocket_gives_is_said_once_with_the_measured_value(self, factor, rate, said):
        followed = stream()
        for time, x, y, z in _still(20, rate=rate):
            followed.push(time, factor * x, factor * y, factor * z)
        assert len(followed.warnings) == 1
        assert re.search(said, followed.warnings[0])

    def test_an_axis_that_stands_still_is_noticed(self):
        followed = stream()
        list(followed.feed((t, x, 9.8, 0.25) for t, x, _, _ in _still(4)))
        assert followed.warnings == ["axis y, z has not moved for 2 s: is the sensor on?"]


def test_a_recording_is_followed_at_its_own_rate():
    answers = follow(stream(), np.tile([[0.1, 9.8, 0.2]], (100, 1)), 25.0)
    assert answers[-1].time == pytest.approx(3.88)
    assert {answer.label for answer in answers} == {"walking"}
