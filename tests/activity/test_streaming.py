"""Continuous recognition: recordings are followed, and measured by prediction, at changes, and over time."""

import csv
import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from running import refused

import zoo
from zoo.activity import recordings, report, simulate, streaming
from zoo.activity.streaming import GRACE, StreamResult, measure
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer

POCKET, COURSE = (
    PRESETS_FOLDER / name / "model.dynamic.tflite" for name in ("activity_gru_pocket", "activity_gru_course")
)


def write(path, *several):
    recordings.write_recordings(path, several, source="simulated", simulated=True)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("recordings") / "recordings.h5", *simulate.simulate(2, seed=0, seconds=20))


ONE = list(simulate.simulate(1, seed=0, seconds=20))
"""The recordings of one person, two of each activity."""


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
    refused("no subject 99; found", streaming.evaluate, recognizer, file, subjects=["99"])


def test_neighbors_in_a_spliced_stream_do_different_things():
    parts = [(name, np.zeros((5000, 3), np.float32)) for name in ("sitting", "walking", "walking")]
    stretches = streaming.splice(parts, 50.0, 600, np.random.default_rng(0))
    names = [name for name, _ in stretches]
    assert all(a != b for a, b in pairwise(names))
    assert sum(len(rows) for _, rows in stretches) >= 600 * 50


def test_people_of_one_activity_are_streamed_but_not_spliced(tmp_path):
    path = write(tmp_path / "a.h5", *(one for one in ONE if one.activity == "walking"))
    found = streaming.evaluate(Recognizer(POCKET), path)
    assert found["recordings"]["hours"] > 0
    assert found["spliced"] is None
    assert "Nobody recorded two activities" in report.streaming(found)


def test_a_label_that_means_one_of_several_classes_is_right_if_any_of_them_is_recognized(tmp_path):
    def streamed(activity, merge):
        some = (replace(one, activity="stairs") for one in ONE if one.activity == activity)
        path = write(tmp_path / f"{activity}.h5", *some)
        return streaming.evaluate(Recognizer(POCKET), path, merge=merge)["recordings"]

    stairs = {"stairs": "upstairs+downstairs"}
    assert streamed("downstairs", stairs)["accuracy"] > 0.8
    assert streamed("downstairs", stairs)["window_accuracy"] > 0.8
    assert streamed("walking", stairs)["accuracy"] < 0.5
    refused("stairs=up: no class up; expected classes of downstairs", streamed, "sitting", {"stairs": "up"})


def test_recordings_that_are_left_out_are_counted_and_said(tmp_path):
    short = replace(ONE[0], acceleration=ONE[0].acceleration[:200])
    path = write(tmp_path / "a.h5", *ONE[2:], short, replace(ONE[1], activity="swimming"))
    found = streaming.evaluate(Recognizer(POCKET), path, seconds=30)
    assert found["dropped"] == {"recordings no longer than one window": 1, "recordings of swimming": 1}
    assert "Left out: recordings of swimming (1)." in report.streaming(found)


def test_recordings_of_labels_that_the_model_does_not_know_are_refused_with_the_option_that_explains_them(tmp_path):
    path = write(tmp_path / "a.h5", *(replace(one, activity="stairs") for one in ONE))
    says = r"no recording of 1 is longer than a window, 3 s, and of downstairs.*merge"
    refused(says, streaming.evaluate, Recognizer(POCKET), path)


def stream_result(labels, begins=(0.0, 10.0), activities=("sitting", "walking"), step=1.0):
    times = step * (1 + np.arange(len(labels)))
    return StreamResult(times, np.array(labels), np.array(begins), np.array(activities))


@pytest.mark.parametrize(("labels", "begins", "delays"), [
    (["sitting"] * 12 + ["walking"] * 8, (0.0, 10.0), [3.0]),
    (["sitting"] * 20, (0.0, 10.0), [np.inf]),
    # A right answer after the next change does not count.
    (["sitting"] * 14 + ["walking"] * 6, (0.0, 5.0, 10.0), [np.inf, 0.0]),
])  # fmt: skip
def test_a_change_is_seen_at_the_first_right_answer_or_missed(labels, begins, delays):
    stream = stream_result(labels, begins, ("sitting", "walking", "sitting")[: len(begins)])
    assert stream.delays().tolist() == delays
    found = measure([stream])
    assert (found["changes"], found["missed"]) == (len(delays), delays.count(np.inf))
    if delays == [3.0]:
        # Answers at 10, 11 and 12 s are late by then.
        assert (found["accuracy"], found["settled_accuracy"]) == (pytest.approx(17 / 20), 1.0)
        assert found["delay_median"] == found["delay_p95"] == 3.0
    else:
        assert found["delay_p95"] is None


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


def test_false_alarms_are_per_hour_of_the_time_in_which_they_can_happen():
    stream = stream_result(["sitting"] * 10 + ["jogging"] + ["sitting"] * 9, begins=(0.0,), activities=("sitting",))
    found = measure([stream])
    assert found["settled_hours"] == pytest.approx(15 / 3600)
    assert found["false_alarms_per_hour"] == pytest.approx(3600 / 15)


def test_delays_are_apart_by_the_activities_of_a_change():
    activities = ("sitting", "walking", "sitting", "walking")
    labels = ["sitting"] * 12 + ["walking"] * 8 + ["walking"] * 10 + ["walking"] * 10
    found = measure([stream_result(labels, (0.0, 10.0, 20.0, 30.0), activities)])["delays"]
    assert {before: [*row] for before, row in found.items()} == {"sitting": ["walking"], "walking": ["sitting"]}
    assert found["walking"]["sitting"] == {"changes": 1, "missed": 1, "delay_median": None, "delay_p95": None}
    assert (found["sitting"]["walking"]["changes"], found["sitting"]["walking"]["delay_p95"]) == (2, 3.0)


def test_what_drifts_shows_by_time():
    found = measure([stream_result(["sitting"] * 30 + ["walking"] * 30, begins=(0.0,), activities=("sitting",))])
    assert found["accuracy_by_time"] == [1, 1, 1, 0, 0, 0]
    assert found["hours"] == pytest.approx(1 / 60)


def test_streams_too_short_to_settle_have_no_such_scores():
    short, long = (stream_result(["sitting"] * count, (0.0,), ("sitting",)) for count in (4, 12))
    found = measure([short])
    assert (found["accuracy"], found["settled_accuracy"], found["accuracy_by_time"]) == (1.0, None, None)
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
    stream = stream_result(["sitting"] * 30, (0.0, 10.5, 20.5), ("sitting", "walking", "sitting"))
    assert stream.events() == {"true": 3, "deleted": 1, "fragmented": 0, "merged": 2, "inserted": 0}
    assert measure([stream, stream])["events"]["merged"] == 4
    assert stream.timeline() == {
        "seconds": 30.0, "true": [(0.0, "sitting"), (10.5, "walking"), (20.5, "sitting")], "shown": [(1.0, "sitting")],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["dates", "dates in UTC", "UTF-16", "packed", "decimal commas"])
def test_a_stream_reads_the_files_that_an_import_reads(kind, tmp_path):
    frame = pd.DataFrame({"time": np.arange(300) / 50, "x": 0.1, "y": 9.8, "z": 0.2})
    expected, options, begin = next(iter(zoo.stream(POCKET, frame))), {}, 0.0
    if kind.startswith("dates"):
        zone = "Z" if kind == "dates in UTC" else ""
        start = datetime.fromisoformat(f"2026-06-10T23:59:58{zone}")
        moments = (start + timedelta(seconds=seconds) for seconds in frame["time"])
        frame["time"] = [f"{moment:%Y-%m-%d %H:%M:%S.%f}{zone}" for moment in moments]
        begin = start.timestamp()
    elif kind == "UTF-16":
        options = {"encoding": "utf-16"}
    elif kind == "decimal commas":
        options = {"decimal": ",", "quoting": csv.QUOTE_ALL}
    path = tmp_path / ("a.csv.gz" if kind == "packed" else "a.csv")
    frame.to_csv(path, index=False, **options)
    found = next(iter(zoo.stream(POCKET, path)))
    assert found["label"] == expected["label"]
    assert found["time"] == pytest.approx(begin + expected["time"])


def test_a_rate_in_place_of_time_stamps_is_mentioned(zoo_cli, tmp_path):
    frame = pd.DataFrame({"time": np.arange(600) / 50, "x": 0.1, "y": 9.8, "z": 0.2})
    says = "DataFrame: rows read at 100 Hz in place of their time stamps in 'time' (600)"
    assert says in zoo.predict(POCKET, frame, rate=100.0).warnings
    assert zoo.predict(POCKET, frame.drop(columns="time"), rate=100.0).warnings == []
    frame.to_csv(tmp_path / "a.csv", index=False)
    said = zoo_cli("stream", POCKET, "--csv", tmp_path / "a.csv", "--rate", "100").err
    assert "a.csv: rows read at 100 Hz in place of their time stamps in 'time'" in said


def test_a_stream_and_the_predictions_of_a_csv_file_end_with_minutes_of_each_activity(zoo_cli, zoo_json, tmp_path):
    several = {one.activity: one.rows for one in simulate.simulate(1, seed=0, seconds=60)}
    signal = np.vstack([several["walking"], several["sitting"]])
    frame = pd.DataFrame({"time": np.arange(len(signal)) / 50, **dict(zip("xyz", signal.T, strict=True))})
    frame.to_csv(tmp_path / "a.csv", index=False)
    for model in ("activity_gru_phone", "activity_cnn_pocket"):
        said = {
            "stream": zoo_cli("stream", model, "--csv", tmp_path / "a.csv").err.splitlines()[-1],
            "predict": zoo_cli("predict", model, "--csv", tmp_path / "a.csv", "--hop", "50").out.splitlines()[-1],
        }
        for command, line in said.items():
            found = dict(re.findall(r"(\w+) (\d+\.\d)", line))
            # The first prediction comes at the end of a window.
            assert {name: float(found[name]) for name in ("walking", "sitting")} == pytest.approx(
                {"walking": 1, "sitting": 1}, abs=0.25
            ), (command, line)
    rows = zoo_json("predict", "activity_gru_phone", "--csv", tmp_path / "a.csv")
    assert {*rows[0]} == {"window", "time", "label", "probability", "probabilities"}


def test_a_table_is_streamed_as_its_file_is(tmp_path):
    rows = ONE[0].rows
    frame = pd.DataFrame(
        {"t": np.arange(len(rows)) / 50, **dict(zip(("ax", "ay", "az"), rows.T / 9.80665, strict=True))}
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    streams = [list(zoo.stream(POCKET, each, columns={"unit": "g"})) for each in (frame, tmp_path / "a.csv")]
    assert streams[0] == streams[1] != []
    refused("^DataFrame: no column for x", list, zoo.stream(POCKET, frame[["t"]]))
