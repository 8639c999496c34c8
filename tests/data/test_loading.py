"""All data comes through one call, whatever holds it, and goes to NumPy or to Keras."""

import pickle

import numpy as np
import pandas as pd
import pytest
from running import data_of, message, refused

from zoo import ActivityGRU, describe, evaluate, load_data, predict, simulate, train
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


def test_data_can_be_sent_to_another_process_and_splits_that_a_file_lacks_are_empty(data):
    copy = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copy.train.arrays()[0], data.train.arrays()[0])
    empty = [split for split in (data.validation, data.test) if not len(split)]
    assert len(empty) == {"activity": 1, "patches": 2, "text": 0}[data.task]
    for inputs, targets in (split.arrays() for split in empty):
        assert (inputs.shape, len(targets)) == ((0, *data.train.inputs.shape[1:]), 0)


def test_simulated_data_replaces_a_file_of_its_layout_by_force_alone(tmp_path):
    path, notes = tmp_path / "a.h5", tmp_path / "notes.txt"
    simulate("text", path, sentences=300)
    refused("exists already", simulate, "text", path, sentences=300)
    simulate("text", path, sentences=310, force=True)
    notes.write_text("mine")
    for file, task, words in ((path, "activity", "text, not activity"), (notes, "text", "something else, not text")):
        before = file.read_bytes()
        refused(f"^{file}: holds {words}", simulate, task, file, force=True, **SIZES[task])
        assert file.read_bytes() == before


def test_windows_never_replace_their_recordings(tmp_path):
    path, link = tmp_path / "recordings.h5", tmp_path / "same.h5"
    recordings.write_recordings(path, gait.simulate(2, seed=0, seconds=10), source="a test")
    before = path.read_bytes()
    link.hardlink_to(path)
    for output in (path, link):
        says = f"^{output}: is the input; choose another name for the output$"
        refused(says, write_windows, recordings.read_recordings(path), output, Windowing(), ["1"])
    assert path.read_bytes() == before


def test_recordings_and_data_of_another_task_are_refused(tmp_path, data):
    recordings.write_recordings(tmp_path / "r.h5", gait.simulate(1, seed=0, seconds=4), source="a test")
    refused("r.h5: holds recordings; cut them into windows first, with `zoo data", load_data, tmp_path / "r.h5")
    wrong = "patches" if data.task == "activity" else "activity"
    refused(f"^{data}: holds {data.task} data; expected {wrong} data, such as data", load, data, task=wrong)
    assert load(data.path, task=data.task).sha256 == data.sha256
    for source in (data.path, data):
        refused("data_dir: requires tfds:NAME", load_data, source, data_dir=tmp_path)
    refused("does not apply to data in memory", load_data, data, levels=255)
    if data.task != "patches":
        refused("levels are for patches alone", load_data, data.path, levels=255)


X = np.random.default_rng(0).normal([0, 0, 9.8], 1.0, (6, 20, 3)).astype(np.float32)


Y, WHO = [1, 0] * 3, [1, 1, 2, 2, 10, 10]
WORDS = {"words": ("it", "is", "here")}
CONTEXTS, NEXT = np.array([[0, 1, 2], [1, 2, 0]]), np.array([1, 0])
PATCHES = np.random.default_rng(0).uniform(size=(6, 3, 8, 8)).astype(np.float32)


def test_arrays_of_ones_own_are_data_as_well():
    made, again = (
        data_of(X, y, ("sit", "run"), 25.0, WHO, test=(X[:2], [0, 1], [3, 3])) for y in (["run", "sit"] * 3, Y)
    )
    assert made.train.labels.tolist() == Y
    assert (made.train.people(), made.test.people(), made.split_by) == (["1", "2", "10"], ["3"], "subject")
    assert (made.rate, made.classes, made.path, str(made)) == (25.0, ("sit", "run"), None, "arrays")
    np.testing.assert_array_equal(made.train.arrays()[0], X)
    assert made.sha256 == again.sha256 != data_of(X + 1, Y, ("sit", "run"), 25.0).sha256
    assert describe(made)["parts"]["train"]["windows"] == 6
    five = load_data((np.concatenate([X, X[:4]]), ["b", "a"] * 5), rate=25, subjects=sorted([1, 2, 3, 4, 5] * 2))
    assert (five.classes, len(five.test)) == (("a", "b"), 0)
    training, validation = divide(five.train, 0.3, seed=0)
    assert not set(training.people()) & set(validation.people())


def test_windows_in_g_and_patches_to_255_are_converted():
    both = np.concatenate([X / 9.80665, X / 10], axis=2)
    converted = load_data((both, Y), rate=25, unit="g").train.arrays()[0]
    np.testing.assert_allclose(converted, np.concatenate([X, X / 10], axis=2), rtol=1e-5)
    np.testing.assert_allclose(load_data(255 * PATCHES, levels=255).train.arrays()[0], PATCHES, rtol=1e-5)
    for levels in (1023, 65535):
        refused(f"not up to {levels}: pass levels=255", load_data, 255 * PATCHES, levels=levels)


@pytest.mark.parametrize(
    ("source", "facts", "task", "people"),
    [
        ((X, Y), {"rate": 25.0}, "activity", WHO), ((CONTEXTS, NEXT), WORDS, "text", None),
        (PATCHES, {}, "patches", ["a", "b"] * 3), ((PATCHES, PATCHES), {}, "patches", None),
    ],
)  # fmt: skip
def test_the_shape_tells_the_task_and_a_table_of_the_rows_is_the_same_data(source, facts, task, people):
    data = load_data(source, subjects=people, **facts)
    again = load_data(data.train.to_frame(), task=task, **facts)
    assert (data.task, again.task, again.train.columns.keys()) == (task, task, data.train.columns.keys())
    for one, two in zip(data.train.arrays(), again.train.arrays(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert again.sha256 == data.sha256
    assert len(data.train.where(np.arange(len(data.train)) < 1).to_frame()) == 1


def test_a_table_of_windows_keeps_sets_of_labels_and_the_class_of_other_movements():
    labels = ["sit", "run", "run+sit", "sit", "other", "run"]
    data = load_data((X, labels), classes=("sit", "run", "other", "run+sit"), rate=25.0)
    data = data.with_facts(other=True, simulated=True)
    assert (data.classes, data.label_sets) == (("sit", "run", "other"), ((1, 0),))
    again = load_data(data.train.to_frame())
    assert again.train.labels.tolist() == data.train.labels.tolist() == [0, 1, 3, 0, 2, 1]
    for name in ("classes", "label_sets", "rate", "other_class", "simulated"):
        assert getattr(again, name) == getattr(data, name)


def test_a_class_that_is_called_like_a_set_stays_a_class_in_a_table_of_windows():
    data = load_data((X, [0, 1, 2, 0, 1, 2]), classes=("a", "b", "c"), rate=25.0).with_facts(classes=("a", "b", "a+b"))
    again = load_data(data.train.to_frame())
    assert (again.classes, again.label_sets) == (("a", "b", "a+b"), ())
    assert again.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert load_data(data.train.to_frame(), classes=("b", "a", "a+b")).label_sets == ((1, 0),)


def test_a_pair_of_tables_of_a_sensor_is_a_training_and_a_test_set():
    tables = [
        pd.concat(
            pd.DataFrame(one.acceleration, columns=list("xyz")).assign(who=f"{seed}/{one.subject}", label=one.activity)
            for one in gait.simulate(2, seed=seed, seconds=8)
        )
        for seed in (0, 1)
    ]
    data = load_data(tuple(tables), rate=50.0)
    assert (data.train.people(), data.test.people(), data.rate) == (["0/1", "0/2"], ["1/1", "1/2"], 50.0)


def test_people_of_another_simulation_or_table_are_not_those_of_the_training(tmp_path):
    seeds = [simulate("activity", tmp_path / f"{seed}.h5", seed=seed, subjects=3, seconds=10) for seed in (0, 1)]
    arrays = [data_of(X + number, Y, ("sit", "run"), 25.0, [1, 1, 2, 2, 3, 3]) for number in (0, 1)]
    frames = [load(one.train.to_frame(), rate=25.0) for one in arrays]
    for known, other in (seeds, frames, (frames[0], arrays[0])):
        model = ActivityGRU(units=2, provenance={"source": known.source, "subjects": known.train.people()})
        metadata = task_of(model).metadata(model)
        assert already_seen(known.train.people(), known.source, metadata) == known.train.people()
        assert already_seen(other.train.people(), other.source, metadata) == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((X[0], [0, 1], "ab", 50.0), "x: has shape (20, 3); expected (windows, rows, 3)"),
        ((X.transpose(0, 2, 1), Y, "ab", 50.0), "x: has shape (6, 3, 20); expected (windows, rows, 3), or 6"),
        ((X, [0, 1], "ab", 50.0), "y: has shape (2,); expected (6,), one label per window"),
        ((X, np.eye(2)[Y], "ab", 50.0), "y: has shape (6, 2); expected (6,), one label per window: pass y.argmax"),
        ((X, Y, "ab", 50.0, [1]), "subjects: have shape (1,); expected (6,)"),
        ((X, [0, 2] * 3, "ab", 50.0), "y: holds int64 from 0 to 2; expected class numbers from 0 to 1"),
        ((X, [1, 2] * 3, "ab", 50.0), "y: holds int64 from 1 to 2; expected class numbers from 0"),
        ((X, ["sit", "walkign"] * 3, ("sit", "walking"), 50.0), "unknown label of y 'walkign': did you mean walking?"),
        ((X, [0.0, 1.0] * 3, "ab", 50.0), "y: holds float64 from 0.0 to 1.0; expected class numbers from 0 to 1"),
        ((X, Y, "ab", 50.0, None, (X, ["a", "c"] * 3)), "unknown label of test y 'c': known are a, b"),
        ((X, Y, "abc", 50.0), "arrays: training has no window of class c: add some or leave the class out"),
        ((X / 9.8, Y, "ab", 50.0), "x has a mean magnitude of 1.0"),
        ((X * np.nan, Y, "ab", 50.0), "x window 0 holds NaN or infinity"),
        ((X.astype(str), Y, "ab", 50.0), "x: holds str"),
        (([[1, 2], [3]], Y, "ab", 50.0), "x: is no array (setting"),
        ((X, Y, "ab", 0.0), "rate 0.0: expected the sampling rate in Hz"),
        ((X, Y, "ab", "50"), "rate '50': expected the sampling rate in Hz"),
        ((X, Y, "aa", 50.0), "classes: ['a', 'a']; expected different names"),
        ((X, Y, ("a", "b,c"), 50.0), "classes: ['a', 'b,c']; expected different names, without commas"),
        ((X, Y, (0, 1), 50.0), "classes: [0, 1]; expected different names"),
        ((X, Y, "ab", 50.0, None, (X[:, :9], [0] * 6)), "test x: windows of 9 rows; x has 20"),
        ((X, Y, "ab", 50.0, [1] * 6, (X, [0] * 6, [1] * 6)), "arrays: subject 1 is in training and in test"),
    ],
)
def test_arrays_that_are_not_as_they_should_be_are_refused(arguments, line):
    assert message(lambda: data_of(*arguments)).startswith(line)


@pytest.mark.parametrize(
    ("source", "options", "line"),
    [
        (3, {}, "data is of the type int; expected a path, `tfds:NAME`, arrays (x, y), a DataFrame"),
        ((X,), {}, "data has 1 parts; expected x, (x, y), or ((x, y), (x, y))"),
        (X, {}, "arrays: expected (x, y), inputs and targets"),
        (X[0, 0], {}, "x: has shape (3,); expected (N, T, C) for activity, (N, 3) for text, (N, 3, S, S) for patches"),
        ((X, Y), {}, "rate None: expected the sampling rate"),
        ((X, Y), {"rate": 50, "words": "ab"}, "words: does not apply to activity"),
        ((X, Y), {"rate": 50, "unit": "mg"}, "unit 'mg': expected m/s^2 or g"),
        ((X, Y), {"rate": 50, "data_dir": "."}, "data_dir: requires tfds:NAME"),
        (((X, Y), (X, Y)), {"rate": 50, "subjects": [1, 2, 3]}, "subjects: expected a pair"),
        ((X, Y), {"task": "txt"}, "task 'txt': expected activity"),
        ((CONTEXTS, NEXT), {}, "words: expected the vocabulary"),
        ((CONTEXTS, NEXT + 5), WORDS, "y: holds numbers from 5 to 6; expected 0 to 2"),
        ((CONTEXTS[:, :2], NEXT), WORDS, "x: has shape (2, 2); expected (N, T, C) for activity, (N, 3) for text"),
        ((CONTEXTS, NEXT), {"words": ("it", "it", "is")}, "words holds 'it'; expected different entries"),
        ((PATCHES, Y), {}, "patches: expected x alone"),
        (255 * PATCHES, {}, "x holds values from "),
        (PATCHES.transpose(0, 2, 3, 1), {}, "x: has shape (6, 8, 8, 3); expected (N, 3, S, S): transpose"),
        ("data3.h5", {"rate": 50}, "rate: applies to arrays alone"),
    ],
)
def test_arrays_of_which_too_little_is_said_are_refused_with_what_is_missing(source, options, line):
    assert message(lambda: load(source, **options)).startswith(line)


def test_text_without_validation_or_test_rows_is_trained_and_says_what_it_lacks():
    random = np.random.default_rng(0)
    data = load_data((random.integers(0, 9, (300, 3)), random.integers(0, 9, 300)), words=[f"w{i}" for i in range(9)])
    result = train("trigram_lm", data, {"epochs": 1}, verbose=False)
    assert result.summary["validation"] is None
    refused("no test rows", evaluate, result.model, data)
    refused("no test rows", predict, result.model, data=data)


@pytest.mark.parametrize("missing", [None, "", float("nan"), pd.NA])
def test_a_window_without_a_person_or_a_label_is_named(missing):
    x, y, says = X[:4], [0, 1, 0, 1], "subjects: none in window 2"
    people = ["ann", "ann", missing, "ben"]
    for given in (people, np.array(people, object)):
        refused(says, load_data, (x, y), rate=50, subjects=given)
    data = load_data((x, y), rate=50, subjects=np.array(["ann", "ann", "None", "nan"], object))
    assert data.train.people() == ["None", "ann", "nan"]
    table = data.train.to_frame().assign(study=["a", "a", missing, "b"])
    assert load_data(table, rate=50).train.studies.tolist() == ["a", "a", "", "b"]
    refused(says, load_data, table.assign(subject=people), rate=50)
    labels = ["sit", "run", missing, "run"]
    for given in (labels, np.array(labels, object)):
        refused(r"y: none in window 2 \((None|empty|nan|<NA>)\); name the activity", load_data, (x, given), rate=50)


def test_one_activity_spelled_in_two_ways_is_a_question():
    labels = ["sit", "run", "sit ", "run", "sit", "Run"]
    refused("y: labels Run, run may be one activity.*confirm with classes=", load_data, (X, labels), rate=25.0)
    assert len(load_data((X, labels), rate=25.0, classes=("Run", "run", "sit", "sit ")).classes) == 4


def test_a_person_whose_number_has_become_a_decimal_is_the_same_in_the_test_set():
    both = ((X[:2], Y[:2]), (X[2:4], Y[2:4]))
    refused("subject 1 is in training and in test", load_data, both, rate=25.0, subjects=([1, 1], [1.0, 1.0]))


def test_a_rate_does_not_replace_the_time_stamps_of_a_table():
    recording = next(gait.simulate(1, seed=0, seconds=8))
    table = pd.DataFrame(recording.acceleration, columns=list("xyz")).assign(subject="1", activity="walking")
    refused("rate: the DataFrame has time stamps in 'time'", load_data, table.assign(time=table.index / 50), rate=100.0)


def test_masks_are_not_ignored_and_texts_of_h5py_are_texts():
    masked = np.ma.masked_where(np.arange(6) == 2, Y)
    refused("y: has masked values", load_data, (X, masked), rate=50)
    refused("x: has masked values", load_data, (np.ma.masked_where(X.mean() < X, X), Y), rate=50)
    refused("subjects: has masked values", load_data, (X, Y), rate=50, subjects=masked)
    refused(r"subjects: have shape \(6, 1\)", load_data, (X, Y), rate=50, subjects=np.arange(6.0)[:, None])
    assert load_data((X, np.array([b"sit", b"run"] * 3, object)), rate=50).classes == ("run", "sit")
