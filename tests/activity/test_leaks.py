"""What test windows share with training windows is found, and nothing is found where there is nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.activity import recordings
from zoo.activity.data import confounded
from zoo.activity.description import find_leaks
from zoo.activity.simulate import simulate
from zoo.data.dataset import DataSet


def windows(inputs):
    return DataSet.of({"input": np.asarray(inputs, np.float32), "target": np.zeros(len(inputs), np.int64)})


def recording(rows, seed=0):
    return np.random.default_rng(seed).normal([0, 0, 9.8], 2.0, (rows, 3)).astype(np.float32)


def cut(rows, *starts, window=50):
    return [rows[start : start + window] for start in starts]


@settings(max_examples=50)
@given(st.integers(15, 50), st.booleans())
def test_an_overlap_of_15_rows_or_more_is_found(overlap, before):
    rows = recording(200)
    test = windows(cut(rows, 50 + (50 - overlap) * (-1 if before else 1)))
    found = find_leaks(windows(cut(rows, 50)), test)
    assert found["shared_rows"] == 1
    assert found["near_duplicates"] == (overlap == 50)


def test_each_test_window_that_shares_rows_is_counted_once_and_phones_lying_still_are_not():
    rows, flat = recording(400), np.tile(np.float32([0, 0, 9.8]), (3, 50, 1))
    assert find_leaks(windows(cut(rows, 0, 25, 50, 200)), windows(cut(rows, 10, 20, 300)))["shared_rows"] == 2
    for gravity in (flat, flat / 9.8 * 8):
        assert not any(find_leaks(windows(gravity), windows(gravity[:2])).values())


@pytest.mark.parametrize(("noise", "count"), [(0.01, 3), (0.5, 0)])
def test_near_duplicates_are_found_and_lookalikes_are_not(noise, count):
    rows = recording(200)
    train = np.array(cut(rows, 0, 50, 100))
    found = find_leaks(windows(train), windows(train + recording(150, seed=1).reshape(3, 50, 3) * noise / 10))
    # Noise of 1% of gravity is 5% of what moves; what moves has a spread of 2 m/s^2.
    assert (found["shared_rows"], found["near_duplicates"]) == (0, count)


class Counted:
    """An array that counts the rows that are read."""

    def __init__(self, rows):
        self.rows, self.shape, self.count = rows, rows.shape, 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, places):
        self.count += len(self.rows[places])
        return self.rows[places]


def test_twice_as_much_data_is_read_twice_as_often(monkeypatch):
    monkeypatch.setattr(DataSet, "block_rows", lambda _: 32)
    counts = []
    for size in (320, 640):
        rows = np.random.default_rng(size).normal([0, 0, 9.8], 2.0, (2 * size, 30, 3)).astype(np.float32)
        train, test = Counted(rows[:size]), Counted(np.concatenate([rows[:3], rows[size + 3 :]]))
        labels = np.zeros(size, np.int64)
        found = find_leaks(*(DataSet.of({"input": part, "target": labels}) for part in (train, test)))
        assert found["near_duplicates"] == 3
        counts.append(train.count + test.count)
    assert counts[1] < 2.2 * counts[0]


def test_leaks_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr("zoo.data.dataset.BLOCK_BYTES", 1)
    rows, other = recording(50 * 80), recording(50 * 40, seed=1)
    train = windows(rows.reshape(80, 50, 3))
    test = windows([*other.reshape(40, 50, 3), rows[50 * 79 :], rows[:50]])
    assert len(list(train.blocks())) == 3
    assert find_leaks(train, test) == {"shared_rows": 2, "near_duplicates": 2, "subjects": []}


def doing(tmp_path, pairs):
    """A file of recordings of pairs of a person and an activity."""
    several = {(each.subject, each.activity): each for each in simulate(6, seed=1, seconds=12)}
    chosen = [replace(several[str(n), what], subject=who, study=where) for n, (who, what, where) in enumerate(pairs, 1)]
    recordings.write_recordings(tmp_path / "raw.h5", chosen, source="a test", simulated=True)
    return tmp_path / "raw.h5"


CONFOUNDED = {
    "person": [("ann", "sitting", ""), ("ben", "walking", ""), ("cem", "jogging", "")],
    "study": [("ann", "sitting", "a"), ("ben", "sitting", "a"), ("ann", "walking", "b"), ("ben", "walking", "b")],
}


@pytest.mark.parametrize("kind", CONFOUNDED)
def test_activities_that_a_person_or_a_study_gives_away_are_warned_of(kind, tmp_path):
    raw = doing(tmp_path, CONFOUNDED[kind])
    cut = zoo.cut_windows(raw, tmp_path / "data3.h5", test_fraction=0)
    evaluation = zoo.evaluate("activity_gru_phone", cut.path, split="all", baselines=False)
    for sentences in (zoo.describe(raw)["problems"], cut.to_json()["problems"], evaluation["notes"]):
        (warning,) = (each for each in sentences if "confounded" in each)
        assert warning.startswith(f"{kind} and activity are confounded")


def test_people_who_do_several_activities_give_none_away(tmp_path):
    pairs = [(who, label, "") for who in ("ann", "ben") for label in ("sitting", "walking", "jogging")]
    assert not [each for each in zoo.describe(doing(tmp_path, pairs))["problems"] if "confounded" in each]
    people, labels, _ = zip(*pairs, ("cem", "sitting", ""), strict=True)
    assert not confounded(labels, people)


def test_a_score_on_people_whose_names_the_model_knows_from_other_files_says_so(tmp_path):
    random = np.random.default_rng(0)
    names = np.repeat(["ann", "bob", "7"], 20)

    def people(*chosen):
        windows = random.normal(0, 3, (60, 150, 3)).astype(np.float32) + np.float32([0, 9.8, 0])
        kept = np.isin(names, chosen)
        facts = {"classes": ["up", "down"], "rate": 50, "unit": "m/s^2"}
        return zoo.load_data((windows[kept], (np.arange(60) % 2)[kept]), subjects=names[kept], **facts)

    recipe = {"steps": 1, "validation": 0.0}
    zoo.train("activity_gru", people("ann", "7"), recipe=recipe, out=tmp_path / "model", verbose=False)
    for chosen, known in ((("ann", "bob"), ["ann"]), (("bob", "7"), [])):
        notes = zoo.evaluate(tmp_path / "model", people(*chosen), split="all", baselines=False)["notes"]
        found = [note.partition(":")[0] for note in notes if "people of these names, from other files" in note]
        assert found == known
