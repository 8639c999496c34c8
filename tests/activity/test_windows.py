"""Windows of activities: checked when a file is opened, cut from one recording each, split by person."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import data_of, message, refused, write_h5

import zoo
from zoo import cut_windows
from zoo.activity import data as activity
from zoo.activity import recordings, simulate
from zoo.activity.cutting import Windowing, choose_classes, choose_test_subjects, parse_classes, write_windows
from zoo.activity.recordings import Recording
from zoo.data import hdf5
from zoo.data.dataset import Column, DataSet
from zoo.runtime.metadata import CLASSES, STANDARD_GRAVITY

SEEDS = st.integers(0, 2**32 - 1)
NAMES = st.one_of(st.integers(1, 99).map(str), st.text("abcé", min_size=1, max_size=3))


def gravity(windows, rows=10):
    return np.random.default_rng(windows).normal([0, 0, 9.8], 0.5, (windows, rows, 3)).astype(np.float32)


def one_hot(*labels):
    return np.eye(6, dtype=np.float32)[list(labels)]


GOOD = {
    "trX": gravity(6), "trY": one_hot(0, 1, 2, 3, 4, 5), "trS": np.array([1, 1, 2, 2, 10, 10], "i4"),
    "tstX": gravity(2), "tstY": one_hot(5, 0), "tstS": np.array([3, 3], "i4"),
}  # fmt: skip


def data3(path, *, attributes=None, **changes):
    """A file in the course's layout; a key that is None is left out."""
    return write_h5(path, attributes, **GOOD | changes)


def changed(key, place, value):
    array = GOOD[key].copy()
    array[place] = value
    return {key: array}


def windows(labels, subjects=None):
    """Windows whose rows hold their number."""
    inputs = np.tile(np.arange(len(labels), dtype=np.float32)[:, None, None], (1, 4, 3))
    people = None if subjects is None else np.array(subjects)
    return DataSet.of({"input": inputs, "target": np.asarray(labels), "subject": people})


def walk(who, what="walking", rows=400, rate=50.0, number=0):
    """A recording whose rows hold its number and a hundredth of their own."""
    columns = [np.full(rows, number), np.arange(rows) / 100, np.full(rows, 9.8)]
    return Recording(f"{who} {what}", who, what, rate, np.stack(columns, axis=1).astype(np.float32))


def index(path, *several):
    recordings.write_recordings(path, several, source="a test")
    return recordings.read_recordings(path)


def cut(folder, several, *chosen, how=None):
    """Writes the windows of recordings, by test people and classes; returns them and what was left out."""
    dropped = write_windows(index(folder / "r.h5", *several), folder / "a.h5", how or Windowing(), *chosen)
    return activity.from_file(folder / "a.h5"), dropped


def test_a_file_of_the_course_is_opened_with_labels_from_0_and_its_windows_stay_on_the_disk(tmp_path):
    data = activity.from_file(data3(tmp_path / "a.h5", trS=None, tstS=None))
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([0, 1, 2, 3, 4, 5], [5, 0])
    assert (data.classes, data.rate, data.simulated, data.source) == (CLASSES, 50.0, False, "not stated")
    assert (data.split_by, data.train.subjects, data.train.people()) == ("window", None, [])
    assert isinstance(data.train.inputs, Column)
    np.testing.assert_array_equal(data.train.inputs[2:4], GOOD["trX"][2:4])
    for file, stated in (("b.h5", list(CLASSES)), ("c.h5", " , ".join(CLASSES))):
        assert activity.from_file(data3(tmp_path / file, attributes={"classes": stated})).classes == CLASSES


def test_a_file_that_tells_more_is_believed(tmp_path):
    attributes = {"classes": "a,b,c,d,e,f", "rate_hz": 25.0, "simulated": True, "source": "a test"}
    data = activity.from_file(data3(tmp_path / "a.h5", attributes=attributes))
    assert (data.classes, data.train.people()) == (tuple("abcdef"), ["1", "2", "10"])
    assert (data.rate, data.simulated, data.source, data.split_by) == (25.0, True, "a test", "subject")
    for file, names in (("b.h5", ["ann", "bob"]), ("c.h5", [b"ann", b"bob"])):
        named = activity.from_file(data3(tmp_path / file, trS=names * 3, tstS=["cy", "cy"]))
        assert (named.train.people(), named.test.subjects.tolist()) == (["ann", "bob"], ["cy", "cy"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tstY": None}, "no key 'tstY'; found trS, trX, trY, tstS, tstX"),
        ({"trY": one_hot(0, 1, 2, 3, 4, 5)[:, :4], "tstY": one_hot(0, 1)[:, :4]}, "key 'trY' has 4 columns for 6"),
        (changed("trY", (4, 4), 0), "key 'trY' row 4 is [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; expected one 1 and 5 zeros"),
        (changed("trY", (2, 5), 1), "key 'trY' row 2 is [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]; expected one 1 and 5 zeros"),
        (changed("tstY", 1, [0.5, 0.5, 0, 0, 0, 0]), "key 'tstY' row 1 is [0.5, 0.5, 0.0, 0.0, 0.0, 0.0]; expected"),
        (changed("trY", (3, 3), np.nan), "key 'trY' row 3 is [0.0, 0.0, 0.0, nan, 0.0, 0.0]; expected one 1 and 5"),
        ({"trY": one_hot(0, 1, 2, 2, 4, 4)}, "key 'trY' has no window of class standing, walking: add some or"),
        (changed("trX", (3, 7, 1), np.nan), "key 'trX' window 3 holds NaN or infinity: drop it or import again"),
        (changed("tstX", (1, 0, 0), -np.inf), "key 'tstX' window 1 holds NaN or infinity: drop it or import again"),
        (changed("trX", (3, 7, 1), 1e30), "key 'trX' window 3 holds 1e+30; expected at most 160 m/s^2: drop it or"),
        ({"trX": gravity(6) / 9.8}, "key 'trX' has a mean magnitude of 1.0"),
        ({"tstX": gravity(2) / 9.8}, "key 'tstX' has a mean magnitude of 1.0"),
        ({"tstS": np.array([3, 10], "i4")}, "subject 10 is in training (trS) and in test (tstS): split by person with"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named(tmp_path, changes, words):
    path = data3(tmp_path / "a.h5", **changes)
    assert message(activity.from_file, path).startswith(f"{path}: {words}")
    if "tstS" in changes:
        assert activity.from_file(path, allow_leak=True).test.people() == ["3", "10"]


def of_one_class(windows):
    return data_of(windows, np.zeros(len(windows), int), ("moving",), 50.0)


@pytest.fixture(scope="module")
def people():
    """Windows of simulated people by activity: `(N, 150, 3)`."""
    found = {}
    for recording in simulate.simulate(12, seed=3, seconds=12):
        found.setdefault(recording.activity, []).append(Windowing().windows(recording))
    return {name: np.concatenate(windows) for name, windows in found.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_whether_windows_are_in_g_or_lack_gravity_shows_in_each_activity(people, name):
    windows = people[name]
    assert len(of_one_class(windows).train) == len(windows)
    in_g = r"^x has a mean magnitude of [12]\.\d\d, as in g; expected m/s\^2 \(about 9\.8\): multiply by 9\.80665$"
    refused(in_g, of_one_class, windows / STANDARD_GRAVITY)
    without = windows - windows.mean(axis=1, keepdims=True)
    # In m/s^2 or in g, whatever their size, they lack it, if there is any signal.
    magnitude = np.linalg.norm(without, axis=2).mean()
    for factor in (0.6, 1.0, 4.0):
        missing = r"^x: averaged over a window, acceleration is 0\.0 m/s\^2, so gravity \(9\.8\) is missing: record"
        refused(missing, of_one_class, factor / magnitude * without)
    assert len(of_one_class(np.zeros_like(without)).train) == len(without)


def test_statistics_are_those_of_all_rows_of_the_chosen_windows(monkeypatch):
    monkeypatch.setattr(DataSet, "block_rows", lambda _: 32)
    inputs = gravity(100)
    everything = DataSet.of({"input": inputs, "target": np.arange(100) % 2})
    for some in (everything, everything.where(everything.labels == 1)):
        rows = inputs[some.rows].reshape(-1, 3).astype(np.float64)
        mean, variance = some.statistics()
        np.testing.assert_allclose(mean, rows.mean(axis=0))
        np.testing.assert_allclose(variance, rows.var(axis=0))


@given(st.sets(NAMES, min_size=4, max_size=12), st.floats(0.01, 0.99), SEEDS)
def test_a_split_by_subject_is_disjoint_and_complete(people, fraction, seed):
    who = np.repeat(sorted(people), 3)
    everything = windows(np.tile([0, 1, 2], len(people)), who)
    training, validation = activity.split(everything, fraction, seed)
    assert set(training.people()).isdisjoint(validation.people())
    assert set(training.people()) | set(validation.people()) == people
    assert len(validation.people()) == max(1, min(round(fraction * len(people)), len(people) - 1))
    np.testing.assert_array_equal(np.sort(np.concatenate([training.rows, validation.rows])), np.arange(len(who)))
    for part in (training, validation):
        np.testing.assert_array_equal(part.subjects, who[part.rows])


@pytest.mark.parametrize("people", [1, 2, 3])
def test_of_three_people_or_fewer_the_last_windows_of_each_activity_are_for_validation(people):
    who = np.repeat([f"p{number}" for number in range(people)], 20)
    labels = np.tile(np.repeat([0, 1], 10), people)
    training, validation = activity.split(windows(labels, who.tolist()), 0.2, seed=0)
    assert training.people() == validation.people() == sorted(set(who.tolist()))
    # One window between them, which may overlap both, is in neither.
    assert (training.rows % 10).tolist() == list(range(7)) * 2 * people
    assert (validation.rows % 10).tolist() == [8, 9] * 2 * people


def test_an_activity_of_one_person_stays_in_training():
    who, labels = [f"p{number}" for number in range(8) for _ in range(4)], [2, 0, 1, 1] + [0, 0, 1, 1] * 7
    for seed in range(8):
        training, validation = activity.split(windows(np.array(labels), who), 0.3, seed)
        assert set(training.labels.tolist()) == {0, 1, 2}
        assert not set(training.people()) & set(validation.people())


@given(st.lists(st.integers(2, 20), min_size=1, max_size=6), st.floats(0.3, 0.7), SEEDS, st.booleans())
def test_a_split_by_window_takes_the_same_share_of_each_class(counts, fraction, seed, people_known):
    labels = np.repeat(np.arange(len(counts)), counts)
    subjects = np.arange(len(labels)).astype(str) if people_known else None
    training, validation = activity.split(windows(labels, subjects), fraction, seed, by="window")
    np.testing.assert_array_equal(np.sort(np.concatenate([training.rows, validation.rows])), np.arange(len(labels)))
    assert np.bincount(validation.labels, minlength=len(counts)).tolist() == [round(fraction * n) for n in counts]


@pytest.mark.parametrize("subjects", [None, [str(i // 3) for i in range(60)]])
def test_the_seed_decides_who_is_set_aside_and_no_split_leaves_a_class_or_validation_empty(subjects):
    everything = windows(np.arange(60) % 3, subjects)
    chosen = [activity.split(everything, 0.3, seed)[1].rows.tolist() for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    for fraction in (0.9, 0.1):
        says = f"^validation fraction {fraction:g} leaves a class without windows: choose another"
        refused(says, activity.split, windows([0, 0, 1, 1]), fraction, seed=0)


@given(st.sets(NAMES, min_size=2, max_size=12), st.floats(0.01, 0.99), SEEDS)
def test_test_subjects_are_some_but_not_all_and_the_same_for_the_same_seed(people, fraction, seed):
    chosen = choose_test_subjects(people, fraction, seed)
    assert set(chosen) < people
    assert len(set(chosen)) == len(chosen) >= 1
    assert chosen == choose_test_subjects(sorted(people, reverse=True), fraction, seed)
    # They are drawn so that each label remains in training.
    who, what = ["a", "b", "c", "d", "d"], ["walk", "walk", "walk", "walk", "bike"]
    assert "d" not in choose_test_subjects(who, 0.25, seed, what)


@pytest.mark.parametrize(
    ("rows", "cut", "starts"),
    [
        (10, Windowing(window=4, hop=2, trim=0), [0, 2, 4, 6]),
        (10, Windowing(window=4, hop=3, trim=0), [0, 3, 6]),
        (10, Windowing(window=4, hop=5, trim=0), [0, 5]),
        (10, Windowing(window=10, hop=1, trim=0), [0]),
        (9, Windowing(window=10, hop=1, trim=0), []),
        (10, Windowing(window=4, hop=2, trim=0.04), [2, 4]),
        (10, Windowing(window=4, hop=2, trim=1), []),
    ],
)
def test_windows_start_at_every_hop_between_the_trimmed_ends(rows, cut, starts):
    found = cut.windows(walk("1", rows=rows))
    assert found.shape == (len(starts), cut.window, 3)
    assert np.rint(100 * found[:, 0, 1]).tolist() == starts
    # Recordings are resampled before they are cut.
    assert Windowing(window=50, hop=50, rate=50, trim=0).windows(walk("1", rows=400, rate=100.0)).shape == (4, 50, 3)


@settings(max_examples=50)
@given(
    st.lists(st.integers(1, 120), min_size=1, max_size=8),
    st.integers(1, 30), st.integers(1, 40), st.sampled_from([0.0, 0.02, 0.3]),
)  # fmt: skip
def test_a_window_never_crosses_from_one_recording_to_another(tmp_path_factory, lengths, window, hop, trim):
    several = [walk(str(i), rows=rows, number=i) for i, rows in enumerate(lengths)]
    cut = Windowing(window, hop, trim=trim)
    for recording in index(tmp_path_factory.mktemp("cut") / "a.h5", *several):
        rows = len(recording.acceleration) - 2 * round(trim * 50)
        found = cut.windows(recording)
        assert len(found) == max(0, (rows - window) // hop + 1)
        assert (found[:, :, 0] == int(recording.subject)).all()
        assert (np.diff(np.rint(100 * found[:, :, 1]), axis=1) == 1).all()


@pytest.mark.parametrize("files", [1, 2])
def test_recordings_of_some_people_are_used_and_their_windows_are_those_of_all(files, tmp_path, zoo_cli):
    several = [walk(who, what, number=n) for n, (who, what) in enumerate(product("1234", ("walking", "sitting")), 1)]
    paths = [tmp_path / f"{place}.h5" for place in range(files)]
    for place, path in enumerate(paths):
        index(path, *several[place::files])
    options = {"test_subjects": "2", "same_people": True, "force": True}
    everybody = zoo.cut_windows(paths, tmp_path / "all.h5", **options).data
    for chosen in ({"subjects": ["1", "2", "4"]}, {"subjects": "1,2,3,4", "not_subjects": 3}, {"not_subjects": "3"}):
        cut = zoo.cut_windows(paths, tmp_path / "some.h5", **options, **chosen)
        assert (cut.data.train.people(), cut.data.test.people()) == (["1", "4"], ["2"])
        assert cut.dropped == {"recordings of people who are not used": 2}
        kept = everybody.train.where(everybody.train.subjects != "3")
        for split, same in ((cut.data.train, kept), (cut.data.test, everybody.test)):
            for found, wanted in zip(split.arrays(), same.arrays(), strict=True):
                np.testing.assert_array_equal(found, wanted)
    command = ("data", "windows", *paths, "-o", tmp_path / "c.h5", "--same-people", "--subjects", "1,2")
    status, _, err = zoo_cli(*command, "--not-subjects", "1,2")
    assert (status, "nobody of 1, 2, 3, 4 is used: change --subjects" in err) == (1, True)
    assert "no subject 5; found 1, 2, 3, 4" in zoo_cli(*command, "--not-subjects", "5").err
    assert "no subject 4; found 1, 2" in zoo_cli(*command, "--test-subjects", "4").err


def test_windows_are_written_in_the_layout_of_the_course_and_people_keep_names_of_digits(tmp_path):
    people = ("01", "20240101001")
    several = [walk(who, what, number=i) for i, what in enumerate(CLASSES) for who in people]
    data, dropped = cut(tmp_path, several, people[1:])
    assert (data.train.people(), data.test.people(), data.source) == (["01"], ["20240101001"], "a test")
    for part in (data.train, data.test):
        # 400 rows less a second at each end hold three windows of 150 rows, 75 rows apart.
        assert len(part) == 6 * 3
        # The recording's number is its activity's place in the course's order.
        np.testing.assert_array_equal(part.inputs[:][:, 0, 0], part.labels)
    assert dropped == {}
    attributes = hdf5.attributes(tmp_path / "a.h5")
    assert (attributes["classes"], attributes["rate_hz"], attributes["unit"]) == (",".join(CLASSES), 50.0, "m/s^2")
    assert (attributes["convention"], attributes["hop"], attributes["simulated"]) == ("android", 75, False)


def test_recordings_too_short_or_of_another_activity_are_left_out_and_counted(tmp_path):
    several = [walk("1"), walk("2"), walk("1", rows=200), walk("1", "swimming"), walk("2", "swimming")]
    data, dropped = cut(tmp_path, several, ["2"], ["walking"])
    assert dropped == {"recordings shorter than one window": 1, "recordings of swimming": 2}
    assert len(data.train) == 3


@pytest.mark.parametrize(
    ("factor", "place", "words"),
    [
        (np.nan, 5, " holds NaN or infinity"),
        (1e37, 5, " holds 9.8e+37; expected at most 160 m/s^2"),
        (1 / 9.8, slice(None), " has a mean magnitude of 1.00, as in g"),
        (0, slice(None), ": averaged over a second, acceleration is 0."),
    ],
)
def test_a_recording_that_no_sensor_made_is_named(tmp_path, factor, place, words):
    rows = np.tile(np.float32([0, 0, 9.8]), (400, 1))
    rows[place] *= np.float32(factor)
    rows += 0 if factor else np.random.default_rng(0).normal(0, 3, (400, 3)).astype(np.float32)
    line = message(cut, tmp_path, [walk("2"), Recording("b.csv", "1", "walking", 50.0, rows)], ["2"], ["walking"])
    assert line.startswith(f"{tmp_path / 'r.h5'}: recording b.csv{words}")
    assert not (tmp_path / "a.h5").exists()


def test_an_unknown_test_subject_is_refused_with_those_who_are_there(tmp_path):
    a, b = index(tmp_path / "a.h5", walk("S1"), walk("S2")), index(tmp_path / "b.h5", walk("S1", rows=350))
    for files, people, words in (
        ([a.path], "S2,S11,S12", ": no subject S11, S12; found S1, S2"),
        # Of joined files, all are named.
        ([a.path, b.path], "s1", f", {b.path}: no subject s1; found a/S1, a/S2, b/S1: did you mean a/S1 or b/S1?"),
    ):
        options = {"test_subjects": people, "classes": "walking", "same_people": False}
        line = message(zoo.cut_windows, files, tmp_path / "data3.h5", **options)
        assert line.startswith(f"{a.path}{words}")
    assert not (tmp_path / "data3.h5").exists()


@pytest.mark.parametrize(
    ("several", "chosen", "words"),
    [
        ([walk("1"), walk("2")], ["1", "2"], "the train part would have no window: choose other test subjects"),
        ([walk("1"), walk("2"), walk("2", "bike")], ["2"], "bike was recorded only by 2, of the test set"),
        ([walk("1"), walk("2"), walk("1", "bike", rows=200), walk("2", "bike")], ["2"],
         "no recording of bike is long enough: the longest lasts 4.0 s, and a window takes 5.0 s, with trim=1 s at"),
        ([walk("1"), walk("2", rows=100)], ["2"],
         "no recording of the test people 2 is long enough: the longest lasts 2.0 s, and a window takes 5.0 s"),
    ],
)  # fmt: skip
def test_a_part_or_class_without_windows_is_refused_with_its_cause_and_leaves_no_file(tmp_path, several, chosen, words):
    line = message(cut, tmp_path, several, chosen, sorted({one.activity for one in several}))
    assert line.startswith(f"{tmp_path / 'a.h5'}: {words}")
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]


@pytest.mark.parametrize("write", [zoo.cut_windows, zoo.make_text])
def test_a_missing_file_is_named_before_an_existing_output(tmp_path, write):
    (tmp_path / "a.h5").write_bytes(b"mine")
    assert message(write, tmp_path / "r", tmp_path / "a.h5") == f"{tmp_path / 'r'}: no such file"


def test_arrays_are_advised_as_arrays():
    x, y = np.random.default_rng(0).normal([0, 0, 9.8], 1, (4, 50, 3)), ["sit", "run"] * 2
    both = message(lambda: zoo.load_data(((x, y), (x, y)), rate=50, subjects=[[1, 1, 2, 2], [2, 2, 3, 3]]))
    assert both == "arrays: subject 2 is in training and in test: pass all windows of a person in one of them"
    data = zoo.load_data((x, y), rate=50)
    for line, cure in (
        (message(lambda: activity.test_windows(data)), "pass a pair, ((x, y), (x, y))"),
        (message(lambda: zoo.finetune("activity_gru_course", data)), "resample the signal, and cut it anew"),
    ):
        assert cure in line
        assert "zoo data" not in line


def test_one_person_alone_has_windows_for_training_and_none_for_test(tmp_path):
    data, _ = cut(tmp_path, [walk("ann"), walk("ann", "bike")], choose_test_subjects(["ann"], 0, 0))
    assert (len(data.train), len(data.test), list(data.splits())) == (6, 0, ["train"])
    refused("has no test set: cut other people's recordings", activity.test_windows, data)


@pytest.mark.parametrize(
    ("labels", "chosen", "classes", "train", "dropped"),
    [
        (["walk", "bike", "Yoga"], None, ("Yoga", "bike", "walk"), [2] * 3 + [1] * 3 + [0] * 3, {}),
        (["walk", "run", "jog", "sit"], "walk=walking, run=jogging,jog=jogging", ("walking", "jogging"),
         [0] * 3 + [1] * 6, {"recordings of sit": 2}),
    ],
    ids=["the labels that are found", "labels selected, ordered, renamed and merged"],
)  # fmt: skip
def test_classes_are(labels, chosen, classes, train, dropped, tmp_path):
    several = [walk(who, what, number=i) for i, what in enumerate(labels) for who in "12"]
    data, left_out = cut(tmp_path, several, ["2"], *([parse_classes(chosen)] if chosen else []))
    assert (data.classes, data.train.labels.tolist(), left_out) == (classes, train, dropped)


@pytest.mark.parametrize(
    ("found", "classes", "words"),
    [
        (["run", "walk"], "bike,walk", "no recording of bike; found run, walk"),
        (["run", "walk"], "running=run", "no recording of running; .*: the label of the files comes first"),
        ([np.str_("walk")], None, "all recordings are of 'walk'; .*, or pass classes=walk to cut windows all the same"),
    ],
)  # fmt: skip
def test_labels_that_are_not_there_are_named(found, classes, words):
    refused(f"^r.h5: {words}", choose_classes, "r.h5", found, None if classes is None else parse_classes(classes))


@pytest.mark.parametrize("text", ["walk,walk", "walk=", "=walk", "walk,,run", ""])
def test_classes_that_make_no_sense_are_refused(text):
    refused(f"^classes.?{text}: expected different labels, each as LABEL or LABEL=CLASS$", parse_classes, text)


@pytest.mark.parametrize("hop", [10, 40, 75, 149, 150])
def test_a_split_by_time_leaves_no_window_that_shares_a_row_with_validation(hop):
    random, places = np.random.default_rng(0), np.arange(0, 2851, hop)
    # Two people, each with two activities.
    signals = [random.normal([0, 0, 9.8], 1 + label, (3000, 3)) for label in (0, 1, 0, 1)]
    inputs = np.concatenate([rows[places[:, None] + np.arange(150)] for rows in signals])
    starts = (places + 10_000 * np.arange(4)[:, None]).ravel()
    part = np.repeat(np.arange(4), len(places))
    data = data_of(inputs, part % 2, ("a", "b"), 50.0, part // 2)
    train, validation = activity.split(data.train, 0.2, 0, "time")
    assert np.abs(starts[train.rows][:, None] - starts[validation.rows]).min() >= 150
    assert len(validation) == pytest.approx(0.2 * len(starts), abs=4)
    assert len(train) > 0.5 * len(starts)


def test_of_recordings_too_short_for_two_parts_without_a_shared_row_training_has_all():
    rows = np.random.default_rng(0).normal([0, 0, 9.8], 1, (1000, 3))
    windows = rows[np.r_[np.arange(0, 800, 10), 0][:, None] + np.arange(150)]
    data = data_of(windows, np.repeat([0, 1], [70, 11]), ("long", "short"), 50.0, np.ones(81, int))
    train, validation = activity.split(data.train, 0.2, 0, "time")
    assert (train.labels == 1).sum() == 11
    assert set(validation.labels.tolist()) == {0}
    short = data.train.where(data.train.labels == 1)
    refused("no recording is long enough for validation: record longer", activity.split, short, 0.2, 0, "time")


@pytest.mark.parametrize(("options", "line"), [
    ({"rate": 1e-9}, "rate is 1e-09; expected 0.1 or more"),
    ({"window": 1}, "window is 1; expected 2 or more"),
    ({"trim": 1e308}, r"trim is 1e\+308; expected at most 86400"),
    ({"classes": {"walking": 1}}, "classes is .*; expected a text"),
    ({"merge": {"walking": 7}}, "merge is .*; expected a text"),
    ({"classes": []}, "classes : expected different names"),
    ({"classes": {}}, "classes : expected different names"),
    ({"classes": {"walking": "a\nb", "jogging": "c"}}, "expected different names"),
    ({"merge": {"walking": ()}}, "expected different names, and for merge"),
])  # fmt: skip
def test_arguments_that_no_windows_can_be_cut_by_are_one_line(tmp_path, options, line):
    raw = tmp_path / "recordings.h5"
    recordings.write_recordings(raw, simulate.simulate(3, seed=0, seconds=6), source="nobody", simulated=True)
    refused(line, cut_windows, **{"recordings": raw, "out": tmp_path / "data3.h5"} | options)
    assert not (tmp_path / "data3.h5").exists()


@pytest.mark.parametrize(("source", "advice"), [
    ("MotionSense (Malekzadeh et al., 2019)", "zoo train --model activity_gru --data "),
    ("our lab", "zoo finetune activity_gru_phone --data "),
])  # fmt: skip
def test_a_preset_that_was_trained_on_these_people_is_not_advised_as_a_start(tmp_path, source, advice):
    recordings.write_recordings(tmp_path / "a.h5", simulate.simulate(12, seed=0, seconds=6), source=source)
    cut = cut_windows(tmp_path / "a.h5", tmp_path / "data3.h5")
    assert cut.next.startswith(advice)
