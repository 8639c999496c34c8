"""Copies of recordings under another name, at other times, are found by their values."""

import re

import numpy as np
import pandas as pd
import pytest
from running import refused

import zoo
from zoo.activity import recordings
from zoo.activity.recordings import Recording

RANDOM = np.random.default_rng(33)
WALK = np.round(RANDOM.normal([0.5, 9.0, 3.0], 1.5, (600, 3)), 4)
TIMES = np.cumsum(np.round(RANDOM.uniform(0.017, 0.023, 600), 4))


def table(path, times=TIMES, rows=WALK, **others):
    frame = pd.DataFrame({"time_s": times, **dict(zip("xyz", rows.T, strict=True)), **others})
    frame.to_csv(path, index=False)
    return path


COPIES = {
    "shifted in time": {"times": TIMES + 1_700_000_000.25},
    "on another clock": {"times": np.cumsum(RANDOM.uniform(0.008, 0.012, 600))},
    "cut at both ends": {"times": TIMES[:400] + 7, "rows": WALK[111:511]},
    "within more": {"times": np.arange(900) / 50, "rows": np.vstack([WALK[300:0:-1] + 0.3, WALK])},
}


@pytest.mark.parametrize("kind", COPIES)
def test_the_same_values_of_two_people_are_refused_whatever_their_times(kind, tmp_path):
    for person, change in (("ann", {}), ("ben", COPIES[kind])):
        (tmp_path / person).mkdir()
        table(tmp_path / person / "walk.csv", **change)
    says, layout = r"ben/walk\.csv: has the same rows as .*ann/walk\.csv", "{subject}/{activity}.csv"
    refused(says, zoo.import_csv, tmp_path, tmp_path / "raw.h5", layout=layout)
    assert not (tmp_path / "raw.h5").exists()


@pytest.mark.parametrize(
    "copy", ["a (1).csv", "a - Copy.csv", "a - Kopie (2).csv", "a (Kopie).csv", "Copy of a.csv", "0_copy.csv"]
)
def test_of_two_equal_files_that_is_refused_whose_name_says_that_it_is_a_copy(copy, tmp_path):
    for name in (copy, "walk.csv"):
        table(tmp_path / name)
    said, files = {"subject": "=ann", "activity": "=walk"}, [tmp_path / "walk.csv", tmp_path / copy]
    for order in (files, files[::-1]):
        says = rf"{re.escape(copy)}: has the same rows as .*/walk\.csv: import each recording once"
        refused(says, zoo.import_csv, order, tmp_path / "raw.h5", **said)
        made = zoo.import_csv(order, tmp_path / "one.h5", **said, skip_unreadable=True, force=True)
        assert [file["file"] for file in made.files] == [str(tmp_path / "walk.csv")]


@pytest.mark.parametrize("who", [["ann"] * 600 + ["ben"] * 600, ["ann"] * 1200])
def test_rows_that_are_twice_in_one_file_are_refused(who, tmp_path):
    times, label = np.concatenate([TIMES, TIMES + 20]), ["walk"] * 600 + ["run"] * 600
    twice = table(tmp_path / "all.csv", times, np.vstack([WALK, WALK]), subject=who, activity=label)
    refused(r"all\.csv, row 601 .*: has the same rows as", zoo.import_csv, twice, tmp_path / "raw.h5")


def test_a_copy_that_is_appended_at_other_times_is_refused(tmp_path):
    raw, again = tmp_path / "raw.h5", table(tmp_path / "later.csv", TIMES + 86_400)
    zoo.import_csv(table(tmp_path / "walk.csv"), raw, subject="=ann", activity="=walk")
    before = raw.read_bytes()
    refused("has the same rows as", zoo.import_csv, again, raw, subject="=ben", activity="=walk", append=True)
    assert raw.read_bytes() == before


def test_a_file_that_holds_a_copy_is_described_as_such(tmp_path):
    people = [
        Recording(f"{who}.csv", who, "walk", 50.0, rows.astype(np.float32))
        for who, rows in (("ann", WALK), ("ben", WALK[::-1]), ("cem", WALK[90:]))
    ]
    recordings.write_recordings(tmp_path / "raw.h5", people, source="a lab")
    (problem,) = zoo.describe(tmp_path / "raw.h5")["problems"]
    assert [who in problem for who in ("ann", "ben", "cem")] == [True, False, True]


def test_two_equal_recordings_of_one_person_are_described_as_such(tmp_path):
    same = [
        Recording(name, "ann", "walk", 50.0, rows.astype(np.float32))
        for name, rows in (("a.csv", WALK), ("b.csv", WALK[::-1]), ("c.csv", WALK))
    ]
    recordings.write_recordings(tmp_path / "raw.h5", same, source="a lab")
    (problem,) = zoo.describe(tmp_path / "raw.h5")["problems"]
    assert [name in problem for name in ("a.csv", "b.csv", "c.csv")] == [True, False, True]
    assert "recordings of one person with the same rows" in problem
