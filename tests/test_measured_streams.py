"""What `measured_streams` counts of the streams and of the windows of people whom networks never saw."""

import measured_streams
import numpy as np
import pytest

from zoo.activity.streaming import StreamResult
from zoo.crossval import Fold
from zoo.data.dataset import Data, DataSet

KNOWN = ("sitting", "walking", "downstairs", "upstairs", "stairs")


def stream(labels, begins=(0.0,), activities=("walking",)):
    times = 1.0 + np.arange(len(labels))
    return StreamResult(times, np.array(labels), np.array(begins), np.array(activities))


def test_a_study_is_scored_by_known_activities_and_others_by_what_is_shown_for_them():
    alone = [
        stream(["sitting"] * 5 + ["walking"] * 7 + ["upstairs", "stairs", ""]),
        stream(["sitting"] * 15, activities=("sitting",)),
        stream(["walking"] * 10 + [""] * 5, activities=("kicking_ball",)),
    ]
    found = measured_streams.scores(alone, [], KNOWN)
    # Ten settled answers of each: of walking, two are stairs and one is none.
    assert found["right"] == 17 / 20
    assert found["walking_as_stairs"] == 2 / 10
    assert found["shown_as_known"] == {"kicking_ball": 5 / 10}
    assert "delay" not in found


def test_delays_of_changes_between_still_and_moving_are_apart_from_others():
    labels = ["sitting"] * 22 + ["walking"] * 21 + ["upstairs"] * 10 + ["walking"] * 7
    turns = stream(labels, (0.0, 20.0, 40.0), ("sitting", "walking", "upstairs"))
    found = measured_streams.scores([stream(["walking"] * 10)], [turns], KNOWN)
    assert (found["delay"], found["other_delay"]) == (3.0, 4.0)
    assert found["false_per_hour"] == pytest.approx(60)


def test_what_integers_lose_is_an_interval_over_people():
    labels = np.tile([0, 1], 20)
    floats = np.eye(2)[labels]
    part = {"labels": labels, "people": np.repeat(list("abcde"), 8), "floats": floats, "integers": floats.copy()}
    same = measured_streams.lost([part], None, ())
    assert (same["loss"], same["interval"], same["agreement"]) == (0.0, [0.0, 0.0], 1.0)
    part["integers"][:4] = part["integers"][:4, ::-1]
    worse = measured_streams.lost([part], None, ())
    assert worse["agreement"] == 0.9
    assert worse["loss"] == pytest.approx(0.1)
    assert worse["interval"][0] == 0.0
    assert worse["interval"][1] > 0.1


def test_streams_of_a_study_that_is_left_out_are_calibrated_without_it(tmp_path):
    random = np.random.default_rng(0)
    labels, studies = np.tile([0, 1], 400), np.repeat(["one", "two"], 400)
    # In one study the network is right about half of its certain answers, in the other about all.
    told = np.where((studies == "one") & (random.uniform(size=800) < 0.5), 1 - labels, labels)
    columns = {"input": np.zeros((800, 5, 3), np.float32), "target": labels, "subject": studies, "study": studies}
    data = Data.of("activity", {"train": DataSet.of(columns, classes=("a", "b"), rate=50.0)}, "a.h5")
    found = {"preset": "activity_gru", "split_by": "subject", "recipe": {"rejection_rate": 0.02}, "folds": []}
    for group, rows in enumerate((np.arange(400), np.arange(400, 800))):
        file = Fold("activity_gru", "subject", 0, group).file(tmp_path, "npz")
        file.parent.mkdir(exist_ok=True)
        np.savez(file, rows=rows, logits=4 * np.eye(2)[told[rows]], labels=labels[rows], predicted=told[rows])
        found["folds"].append({"seed": 0, "group": group, "status": "scored"})
    doubtful, sure = (measured_streams.without(study, tmp_path, found, data) for study in ("two", "one"))
    assert doubtful["temperature"] > 10
    assert sure["temperature"] < 1
    assert doubtful["threshold"] < sure["threshold"]
