"""What `measured_streams` counts of the streams and of the windows of people whom networks never saw."""

import measured_streams
import numpy as np
import pytest

from zoo import crossval
from zoo.activity.streaming import StreamResult
from zoo.crossval import Fold
from zoo.data.dataset import Data, DataSet
from zoo.training import Training

KNOWN = ("sitting", "walking", "downstairs", "upstairs", "stairs")


def stream(labels, begins=(0.0,), activities=("walking",), person="1"):
    times = 1.0 + np.arange(len(labels))
    return StreamResult(times, np.array(labels), np.array(begins), np.array(activities), person)


def test_a_study_is_scored_by_known_activities_and_others_by_what_is_shown_for_them():
    alone = [
        stream(["sitting"] * 5 + ["walking"] * 7 + ["upstairs", "stairs", ""]),
        stream(["sitting"] * 15, activities=("sitting",), person="2"),
        stream(["walking"] * 10 + [""] * 5, activities=("kicking_ball",)),
    ]
    found = measured_streams.scores({"alone": alone}, KNOWN)
    # Of walking, five answers come before it is settled; of those later, two are stairs and one is none.
    assert found["settled"]["right"]["by_person"] == {"1": 7 / 10, "2": 1.0}
    assert found["all"]["right"]["share"] == 22 / 30
    assert found["settled"]["walking_as_stairs"]["share"] == 2 / 10
    assert found["all"]["unlabeled"]["share"] == 1 / 30
    assert found["settled"]["stairs_as_walking"]["share"] is None
    assert found["shown_as_known"] == {"kicking_ball": 5 / 10}
    assert found["seconds"] == {"all": 30.0, "settled": 20.0}
    assert not {"turns", "flights"} & found.keys()


def test_delays_are_apart_by_the_kind_of_change_and_what_is_never_shown_is_counted():
    labels = ["sitting"] * 22 + ["walking"] * 21 + ["upstairs"] * 10 + ["walking"] * 17 + ["jogging"] * 10
    activities = ("sitting", "walking", "upstairs", "walking", "downstairs", "jogging")
    turns = stream(labels, (0.0, 20.0, 40.0, 52.0, 62.0, 68.0), activities)
    turned = measured_streams.scores({"alone": [stream(["walking"] * 10)], "turns": [turns]}, KNOWN)["turns"]
    late = {kind: (row["changes"], row["missed"], row["delay_median"]) for kind, row in turned["delays"].items()}
    assert late == {
        "others": (1, 0, 3.0), "stairs to walking": (1, 0, 2.0), "still or moving": (1, 0, 3.0),
        "walking to stairs": (2, 1, None),
    }  # fmt: skip
    # Half of the walks to stairs is missed: the median of the others would be 4 s.
    assert turned["delays"]["walking to stairs"]["delay_p95"] is None
    assert turned["missed"]["by_person"] == {"1": 1 / 5}


def test_a_figure_of_changes_has_an_interval_over_people_or_the_value_of_each_of_a_few():
    few = measured_streams.over_people({"ann": [2.0, 3.0, 9.0], "bob": [4.0, np.inf, np.inf]}, measured_streams.median)
    assert few == {"people": 2, "interval": None, "by_person": {"ann": 3.0, "bob": None}}
    # Of twelve people, one is slow: no draw makes a median of that one, and one in forty has a mean of three of them.
    many = {f"{number}": [(1 + 9 * (number == 0), 1.0)] for number in range(12)}
    (low, high) = measured_streams.over_people(many, measured_streams.per_hour)["interval"]
    assert (low, high) == (1.0, (9 + 3 * 10) / 12)


def test_a_stream_that_never_leaves_walking_misses_every_flight_of_stairs():
    rate, walk, climb = 10.0, np.zeros((400, 3), np.float32), np.ones((90, 3), np.float32)
    parts = [("walking", walk), ("stairs", climb)]
    random = np.random.default_rng(0)
    assert measured_streams.flights(parts, rate, 10.0, random) == []
    stretches = measured_streams.flights(parts, rate, 6.0, random)
    assert [name for name, _ in stretches] == ["walking", "stairs"] * 10 + ["walking"]
    assert {(name, len(rows)) for name, rows in stretches} == {("walking", 200), ("stairs", 60)}
    begins = np.cumsum([0, *(len(rows) for _, rows in stretches[:-1])]) / rate
    names = [name for name, _ in stretches]
    flat = stream(["walking"] * (10 * 26 + 20), begins, names)
    found = measured_streams.scores({"alone": [stream(["walking"] * 10)], "flights of 6": [flat]}, KNOWN)["flights"]
    assert (found["6"]["changes"], found["6"]["missed"], found["6"]["right"]["share"]) == (10, 10, 0.0)
    assert found["6"]["stairs_as_walking"]["share"] == 1.0


def test_shares_have_intervals_over_ten_people_and_each_persons_value_below():
    streams = [stream(["walking"] * (4 + place), person=str(place)) for place in range(10)]
    streams[0] = stream([""] * 10, person="0")
    whole = measured_streams.shares(streams, measured_streams.everything)["right"]
    assert whole["people"] == 10
    assert whole["interval"][0] < whole["share"] < whole["interval"][1]
    few = measured_streams.shares(streams[:9], measured_streams.everything)["right"]
    assert few["interval"] is None
    assert few["by_person"] == {"0": 0.0} | dict.fromkeys("12345678", 1.0)


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


def test_streams_of_a_study_that_is_left_out_are_calibrated_by_a_network_that_does_not_know_it(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    labels, studies = np.tile([0, 1], 600), np.repeat(["one", "two"], 600)
    people = np.repeat([f"{study}-{person}" for study in ("one", "two") for person in range(6)], 100)
    # In one study the network is right about half of its certain answers, in the other about all.
    told = np.where((studies == "one") & (random.uniform(size=1200) < 0.5), 1 - labels, labels)
    columns = {"input": np.zeros((1200, 5, 3), np.float32), "target": labels, "subject": people, "study": studies}
    data = Data.of("activity", {"train": DataSet.of(columns, classes=("a", "b"), rate=50.0)}, "a.h5")
    known = {}

    def train_without(training, data, held, name, folder, workers):
        known[name] = {*people[~held]}
        file = (fold := Fold("activity_gru", "study", 0, 0)).file(folder, "npz")
        file.parent.mkdir(parents=True)
        rows = np.flatnonzero(held)
        np.savez(file, rows=rows, logits=4 * np.eye(2)[told[rows]], labels=labels[rows], predicted=told[rows])
        return fold, {"status": "scored"}

    monkeypatch.setattr(measured_streams, "train_without", train_without)
    training = Training.of("activity_gru")
    doubtful, sure = (measured_streams.without(training, data, tmp_path, study) for study in ("two", "one"))
    assert known["two, people"] == {"one-1", "one-2", "one-4", "one-5"}
    assert doubtful["temperature"] > 10
    assert sure["temperature"] < 1
    assert doubtful["threshold"] < sure["threshold"]


def test_what_is_held_out_is_in_no_training_and_is_trained_without_once(tmp_path):
    random = np.random.default_rng(0)
    people = np.repeat(["ann", "bo", "cy", "di"], 24)
    columns = {
        "input": random.normal(size=(96, 20, 3)).astype(np.float32), "target": np.tile([0, 1], 48),
        "subject": people, "study": np.full(96, "one"),
    }  # fmt: skip
    data = Data.of(
        "activity", {"train": DataSet.of(columns, classes=("a", "b"), rate=50.0, axes=("x", "y", "z"))}, "a.h5"
    )
    training = Training.of("activity_gru", {"units": 4, "window": 20, "steps": 2, "validation": 0.0})
    held = people == "cy"
    fold, record = measured_streams.train_without(training, data, held, "new", tmp_path)
    assert (record["subjects"], record["study"], record["train_windows"]) == (["cy"], "new", 72)
    assert crossval.fold_arrays(tmp_path, {fold: record})["rows"].tolist() == np.flatnonzero(held).tolist()
    assert measured_streams.train_without(training, data, held, "new", tmp_path) == (fold, record)
