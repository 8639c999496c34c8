"""Continuous recognition is measured by prediction, at changes, and over time."""

import numpy as np
import pytest

from zoo.activity.streaming import GRACE, StreamResult, measure


def stream_result(labels, begins=(0.0, 10.0), activities=("sitting", "walking"), step=1.0):
    times = step * (1 + np.arange(len(labels)))
    return StreamResult(times, np.array(labels), np.array(begins), np.array(activities))


def test_a_change_is_seen_at_the_first_right_answer():
    found = measure([stream_result(["sitting"] * 12 + ["walking"] * 8)])
    assert (found["changes"], found["missed"], found["delay_median"]) == (1, 0, 3.0)
    # Answers at 10, 11 and 12 s are late by then.
    assert found["accuracy"] == pytest.approx(17 / 20)
    assert found["settled_accuracy"] == 1.0


@pytest.mark.parametrize(("labels", "begins", "delays"), [
    (["sitting"] * 12 + ["walking"] * 8, (0.0, 10.0), [3.0]),
    (["sitting"] * 20, (0.0, 10.0), [np.inf]),
    # A right answer after the next change does not count.
    (["sitting"] * 14 + ["walking"] * 6, (0.0, 5.0, 10.0), [np.inf, 0.0]),
])  # fmt: skip
def test_a_change_that_is_never_seen_is_missed_and_its_delay_infinite(labels, begins, delays):
    stream = stream_result(labels, begins, ("sitting", "walking", "sitting")[: len(begins)])
    assert stream.delays().tolist() == delays
    found = measure([stream])
    assert (found["missed"], found["delay_p95"]) == (delays.count(np.inf), 3.0 if delays == [3.0] else None)


@pytest.mark.parametrize(("labels", "alarms"), [
    (["sitting"] * 7 + ["jogging", "jogging", "sitting"], 1),
    (["sitting"] * 2 + ["jogging"] + ["sitting"] * 7, 0),
    (["sitting"] * 7 + ["", "", "sitting"], 0),
])  # fmt: skip
def test_a_turn_to_what_nobody_does_is_an_alarm_only_after_the_grace_and_once(labels, alarms):
    stream = stream_result(labels, begins=(0.0,), activities=("sitting",))
    assert GRACE > 3
    assert stream.false_alarms() == alarms
    assert measure([stream])["coverage"] == pytest.approx(1 - labels.count("") / 10)


def test_what_drifts_shows_by_time():
    found = measure([stream_result(["sitting"] * 30 + ["walking"] * 30, begins=(0.0,), activities=("sitting",))])
    assert found["accuracy_by_time"] == [1, 1, 1, 0, 0, 0]
    assert found["hours"] == pytest.approx(1 / 60)


def test_streams_too_short_to_settle_have_no_such_scores():
    short = stream_result(["sitting"] * 4, begins=(0.0,), activities=("sitting",))
    found = measure([short])
    assert (found["accuracy"], found["settled_accuracy"], found["accuracy_by_time"]) == (1.0, None, None)
    long = stream_result(["sitting"] * 12, begins=(0.0,), activities=("sitting",))
    assert measure([short, long])["accuracy_by_time"] == [1.0] * 6


@pytest.mark.parametrize(("labels", "expected"), [
    # An event of ten seconds after another, each second labeled.
    ("ssssssssss wwwwwwwwww", {"true": 2}),
    ("ssssssssss wwwsssswww", {"true": 2, "fragmented": 1, "inserted": 1}),
    ("ssssssssss ssssssssss", {"true": 2, "deleted": 1}),
    ("ssssssssss sswwwwwwww", {"true": 2}),
    ("sssssssjjs wwwwwwwwww", {"true": 2, "fragmented": 1, "inserted": 1}),
    ("ss??ssssss wwwwwwwwww", {"true": 2, "fragmented": 1}),
])  # fmt: skip
def test_events_are_lost_broken_and_made_up(labels, expected):
    names = {"s": "sitting", "w": "walking", "j": "jogging", "?": ""}
    stream = stream_result([names[letter] for letter in labels.replace(" ", "")], begins=(0.0, 10.5))
    assert {name: count for name, count in stream.events().items() if count} == expected


def test_one_label_that_joins_two_events_merges_them():
    stream = stream_result(
        ["sitting"] * 30, begins=(0.0, 10.5, 20.5), activities=("sitting", "walking", "sitting")
    )  # fmt: skip
    assert stream.events() == {"true": 3, "deleted": 1, "fragmented": 0, "merged": 2, "inserted": 0}
    assert measure([stream, stream])["events"]["merged"] == 4
    assert stream.timeline() == {
        "seconds": 30.0, "true": [(0.0, "sitting"), (10.5, "walking"), (20.5, "sitting")], "shown": [(1.0, "sitting")],
    }  # fmt: skip
