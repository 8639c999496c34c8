"""All data comes through one call, whatever holds it, and goes to NumPy or to Keras."""

import pickle

import numpy as np
import pytest
from running import data_of, message

from zoo import ActivityGRU, describe, load_data, simulate
from zoo.activity import recordings
from zoo.activity import simulate as gait
from zoo.activity.cutting import Windowing, write_windows
from zoo.activity.data import split as divide
from zoo.data.dataset import DataSet
from zoo.data.loading import load_data as load
from zoo.files import sha256
from zoo.patches.data import Scale
from zoo.provenance import already_seen
from zoo.task import task_of

SIZES = {
    "activity": {"subjects": 3, "seconds": 10}, "patches": {"count": 40, "size": 8, "pictures": 3},
    "text": {"sentences": 300},
}  # fmt: skip


@pytest.fixture(scope="module", params=list(SIZES))
def data(request, tmp_path_factory):
    """Simulated data of each task."""
    return simulate(request.param, str(tmp_path_factory.mktemp("data") / "data.h5"), seed=1, **SIZES[request.param])


def test_simulated_data_is_opened_and_is_that_of_its_file(data):
    again = load_data(str(data.path))
    assert again.task == data.task
    assert again.sha256 == data.sha256 == sha256(data.path)
    assert data.simulated
    assert "simulated by pocket-zoo" in data.source
    assert load_data(again) is again
    assert str(data) == str(data.path)
    assert f"<{data.task} data of {data.path}, simulated\n  train: <{len(data.train)} rows" in repr(data)


def test_arrays_and_batches_hold_the_same_examples_in_the_same_order(data):
    for split in data.splits().values():
        inputs, targets = split.arrays()
        if data.task == "patches":
            # Batches are what a model is fitted on.
            inputs = targets = Scale.fit(DataSet.of({"input": inputs})).apply(inputs)
        assert len(inputs) == len(targets) == len(split)
        assert isinstance(inputs, np.ndarray)
        batches = list(split.dataset(7).as_numpy_iterator())
        assert len(batches) == len(split.dataset(7)) == -(-len(split) // 7)
        np.testing.assert_array_equal(np.concatenate([batch[0] for batch in batches]), inputs)
        np.testing.assert_array_equal(np.concatenate([batch[1] for batch in batches]), targets)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": "32"}, {"seed": -1}, {"epochs": 0}])
def test_batches_that_cannot_be_are_refused(data, wrong):
    (name,) = wrong
    assert message(lambda: data.train.dataset(**{"batch_size": 4} | wrong)).startswith(f"{name} is")


def test_data_can_be_sent_to_another_process(data):
    copy = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copy.train.arrays()[0], data.train.arrays()[0])


def test_a_file_without_a_split_has_an_empty_one(data):
    empty = [split for split in (data.validation, data.test) if not len(split)]
    assert len(empty) == {"activity": 1, "patches": 2, "text": 0}[data.task]
    for split in empty:
        inputs, targets = split.arrays()
        assert inputs.shape == (0, *data.train.inputs.shape[1:])
        assert len(targets) == 0


def test_simulated_data_replaces_a_file_of_its_layout_by_force_alone(tmp_path):
    path = tmp_path / "a.h5"
    simulate("text", path, sentences=300)
    assert "exists already" in message(lambda: simulate("text", path, sentences=300))
    simulate("text", path, sentences=310, force=True)
    before = path.read_bytes()
    assert message(lambda: simulate("activity", path, force=True, **SIZES["activity"])) == (
        f"{path}: holds text, not activity: choose another name or delete it first"
    )
    assert path.read_bytes() == before
    (tmp_path / "notes.txt").write_text("mine")
    assert "notes.txt: holds something else, not text" in message(
        lambda: simulate("text", tmp_path / "notes.txt", force=True, sentences=300)
    )
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_windows_never_replace_their_recordings(tmp_path):
    path = tmp_path / "recordings.h5"
    recordings.write_recordings(path, gait.simulate(2, seed=0, seconds=10), source="a test")
    before, link = path.read_bytes(), tmp_path / "same.h5"
    link.hardlink_to(path)
    for output in (path, link):
        index = recordings.read_recordings(path)
        refused = message(lambda index=index, output=output: write_windows(index, output, Windowing(), ["1"]))
        assert refused == f"{output}: is the input; choose another name for the output"
    assert path.read_bytes() == before


def test_recordings_and_data_of_another_task_are_refused(tmp_path, data):
    recordings.write_recordings(tmp_path / "r.h5", gait.simulate(1, seed=0, seconds=4), source="a test")
    assert message(lambda: load_data(tmp_path / "r.h5")) == (
        f"{tmp_path / 'r.h5'}: holds recordings; cut them into windows first, with `zoo data windows`"
    )
    wrong = "patches" if data.task == "activity" else "activity"
    expected = f"{data}: holds {data.task} data; expected {wrong} data, such as data"
    assert message(lambda: load(data, task=wrong)).startswith(expected)
    assert load(data.path, task=data.task).sha256 == data.sha256
    assert "data_dir: goes with tfds:NAME" in message(lambda: load_data(data.path, data_dir=tmp_path))
    for unused in ({"data_dir": tmp_path}, {"levels": 255}):
        assert "that is loaded already" in message(lambda unused=unused: load_data(data, **unused))
    if data.task != "patches":
        assert "levels are for patches alone" in message(lambda: load_data(data.path, levels=255))


# Arrays of one's own


X = np.random.default_rng(0).normal([0, 0, 9.8], 1.0, (6, 20, 3)).astype(np.float32)


def test_arrays_of_ones_own_are_data_as_well():
    made = data_of(X, ["run", "sit"] * 3, ("sit", "run"), 25.0, [1, 1, 2, 2, 10, 10], test=(X[:2], [0, 1], [3, 3]))
    assert made.train.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert (made.train.people(), made.test.people(), made.split_by) == (["1", "2", "10"], ["3"], "subject")
    assert (made.rate, made.classes, made.path, str(made)) == (25.0, ("sit", "run"), None, "arrays")
    np.testing.assert_array_equal(made.train.arrays()[0], X)
    five = data_of(np.concatenate([X, X[:4]]), [1, 0] * 5, ("sit", "run"), 25.0, sorted([1, 2, 3, 4, 5] * 2))
    training, validation = divide(five.train, 0.3, seed=0)
    assert not set(training.people()) & set(validation.people())
    assert (
        made.sha256
        == data_of(X, [1, 0] * 3, ("sit", "run"), 25.0, [1, 1, 2, 2, 10, 10], test=(X[:2], [0, 1], [3, 3])).sha256
    )
    assert made.sha256 != data_of(X + 1, [1, 0] * 3, ("sit", "run"), 25.0).sha256
    assert describe(made)["parts"]["train"]["windows"] == 6
    assert not len(data_of(X, [1, 0] * 3, ("sit", "run"), 25.0).test)


def test_people_of_another_simulation_or_table_are_not_those_of_the_training(tmp_path):
    seeds = [simulate("activity", tmp_path / f"{seed}.h5", seed=seed, subjects=3, seconds=10) for seed in (0, 1)]
    tables = [
        data_of(X + number, [1, 0] * 3, ("sit", "run"), 25.0, [1, 1, 2, 2, 3, 3]).train.to_frame() for number in (0, 1)
    ]
    frames = [load(table, rate=25.0) for table in tables]
    for known, other in (seeds, frames, (frames[0], data_of(X, [1, 0] * 3, ("sit", "run"), 25.0, [1, 1, 2, 2, 3, 3]))):
        model = ActivityGRU(units=2, provenance={"source": known.source, "subjects": known.train.people()})
        metadata = task_of(model).metadata(model)
        assert already_seen(known.train.people(), known.source, metadata) == known.train.people()
        assert already_seen(other.train.people(), other.source, metadata) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((X[0], [0, 1], "ab", 50.0), "x: has shape (20, 3); expected (windows, rows, 3)"),
        (
            (X.transpose(0, 2, 1), [0, 1] * 3, "ab", 50.0),
            "x: has shape (6, 3, 20); expected (windows, rows, 3), or 6 "
            "with a gyroscope: channels come last: transpose windows with x.transpose(0, 2, 1)",
        ),
        ((X, [0, 1], "ab", 50.0), "y: has shape (2,); expected (6,), one label per window"),
        (
            (X, np.eye(2)[[0, 1] * 3], "ab", 50.0),
            "y: has shape (6, 2), as one-hot labels have; expected (6,): pass y.argmax(axis=1)",
        ),
        ((X, [0, 1] * 3, "ab", 50.0, [1]), "x: subjects have shape (1,); expected (6,)"),
        (
            (X, [0, 2] * 3, "ab", 50.0),
            "y: holds numbers from 0 to 2; expected class numbers from 0 to 1, which are a, b",
        ),
        ((X, [1, 2] * 3, "ab", 50.0), "y: holds numbers from 1 to 2; expected class numbers from 0 to 1: subtract 1"),
        ((X, ["a", "c"] * 3, "ab", 50.0), "y: unknown label c; expected a, b"),
        (
            (X, ["sitting", "walkign"] * 3, ("sitting", "walking"), 50.0),
            "y: unknown label walkign; expected sitting, walking: did you mean walking?",
        ),
        (
            (X, [0.0, 1.0] * 3, "ab", 50.0),
            "y: holds float64 values such as 0.0; expected class numbers from 0 to 1, or "
            "names: convert numbers with y.astype(int)",
        ),
        ((X, [0, 1] * 3, "ab", 50.0, None, (X, ["a", "c"] * 3)), "test y: unknown label c; expected a, b"),
        ((X, [0, 1] * 3, "abc", 50.0), "arrays: training has no window of class c: add some or leave the class out"),
        ((X / 9.8, [0, 1] * 3, "ab", 50.0), "x has a mean magnitude of 1.0"),
        ((X * np.nan, [0, 1] * 3, "ab", 50.0), "x window 0 holds NaN or infinity"),
        ((X, [0, 1] * 3, "ab", 0.0), "rate 0.0: expected the sampling rate in Hz"),
        ((X, [0, 1] * 3, "ab", "50"), "rate '50': expected the sampling rate in Hz"),
        ((X, [0, 1] * 3, "aa", 50.0), "classes: ['a', 'a']; expected different names"),
        ((X, [0, 1] * 3, ("a", "b,c"), 50.0), "classes: ['a', 'b,c']; expected different names, without commas"),
        ((X, [0, 1] * 3, (0, 1), 50.0), "classes: [0, 1]; expected different names"),
        ((X, [0, 1] * 3, "ab", 50.0, None, (X[:, :9], [0] * 6)), "test x: windows of 9 rows; x has 20"),
        ((X, [0, 1] * 3, "ab", 50.0, [1] * 6, (X, [0] * 6, [1] * 6)), "arrays: subject 1 is in training and in test"),
    ],
)
def test_arrays_that_are_not_as_they_should_be_are_refused(arguments, line):
    assert message(lambda: data_of(*arguments)).startswith(line)
