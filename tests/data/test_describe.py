"""A description tells what is inside a data file, and what is wrong with it."""

import json
from collections import Counter

import h5py
import numpy as np
import pytest
from running import data_of, refused, write_h5

import zoo
from zoo.activity import recordings, simulate
from zoo.errors import ZooError
from zoo.report import results
from zoo.runtime.metadata import CLASSES


def describe(source):
    return zoo.describe(source).to_json()


def windows(count, seed):
    return np.random.default_rng(seed).normal([0, 0, 9.8], 2.0, (count, 50, 3)).astype(np.float32)


ONE_HOT = np.eye(6, dtype=np.float32)


def trigrams(path, **changes):
    content = {f"{name}{part}": np.ones((4, 3) if part == "x" else 4, "i4") for name in ("train", "val", "test")
               for part in "xd"}  # fmt: skip
    return write_h5(path, **(content | {"words": [b"he", b"is"]} | changes))


@pytest.mark.parametrize(("several", "said"), [
    ([("ann", "sit"), ("Ann", "sit"), ("ben", "sit")],
     "subjects Ann, ann may be one person, who would be in training and in test"),
    ([("ann", "go up"), ("ann", "Go_up"), ("ann", "walk")],
     "labels Go_up, go up may be one activity, which a model would learn as two"),
    ([("Zo\u00eb", "sit"), ("Zoe", "sit"), ("ben", "sit")], "subjects Zoe, Zo\u00eb may be one person"),
    ([("ann", "null"), ("ben", "null"), ("ann", "walk")], "labels null may stand for none: leave these rows out"),
    ([("ann", "-"), ("ben", "unknown"), ("ann", "walk")], "labels -, unknown may stand for none: leave these rows out"),
    ([("ann", "NA"), ("ben", "."), ("ann", "walk")], "labels ., NA may stand for none: leave these rows out"),
])  # fmt: skip
def test_names_that_may_be_one_or_none_are_a_problem(several, said, tmp_path):
    rows = np.random.default_rng(0).normal([0, 0, 9.8], 1, (400, 3)).astype(np.float32)
    people = [recordings.Recording(f"{i}", who, what, 50.0, rows + i / 4) for i, (who, what) in enumerate(several)]
    recordings.write_recordings(tmp_path / "recordings.h5", people, source="a test")
    classes = [*{what: what for _, what in several}]
    cut = zoo.cut_windows(tmp_path / "recordings.h5", tmp_path / "data3.h5", test_fraction=0, classes=classes)
    for found in (describe(tmp_path / "recordings.h5"), describe(tmp_path / "data3.h5"), cut.to_json()):
        (line,) = found["problems"]
        assert line.startswith(said)


def test_simulated_windows_have_no_problem(simulated):
    found = describe(simulated)
    assert (found["layout"], found["problems"]) == ("activity", [])
    assert found["leaks"] == {"shared_rows": 0, "near_duplicates": 0, "subjects": []}
    assert (found["split_by"], found["rate_hz"], found["simulated"]) == ("subject", 50.0, True)
    assert sorted(found["parts"]["train"]["subjects"] + found["parts"]["test"]["subjects"]) == ["1", "2", "3", "4", "5"]
    for name, letter in (("train", "N"), ("test", "M")):
        part = found["parts"][name]
        assert list(part["classes"]) == list(CLASSES)
        assert sum(part["classes"].values()) == part["windows"] == found["sizes"][letter]
    assert json.loads(json.dumps(found)) == found
    page = results.description(found)
    assert page.startswith("> ok: no problems found\n")
    shown = rows(page)
    assert (shown["rows per window"], shown["leaks"], shown["simulated"]) == ("150", "none", "yes")
    assert "walking " in shown["training windows"]


def test_all_problems_of_a_file_of_windows_are_told(tmp_path):
    train = windows(10, seed=0)
    test = np.stack([train[0], np.roll(train[1], -20, axis=0), windows(1, seed=1)[0]])
    found = describe(write_h5(
        tmp_path / "a.h5", trX=train, trY=ONE_HOT[[0, 0, 0, 0, 0, 1, 2, 3, 4, 5]], trS=np.arange(10) % 4,
        tstX=test, tstY=ONE_HOT[[0, 0, 1]], tstS=[3, 7, 7],
    ))  # fmt: skip
    assert found["leaks"] == {"shared_rows": 2, "near_duplicates": 1, "subjects": ["3"]}
    *leaks, untested = found["problems"]
    assert untested.startswith("no test window of sitting (recorded by 2); standing (recorded by 3); upstairs")
    assert leaks == [
        "subject 3 is in training and in test",
        "2 test windows share rows with training windows",
        "1 test windows nearly equal a training window",
    ]
    found = describe(write_h5(tmp_path / "b.h5", trX=windows(6, 0), trY=ONE_HOT, tstX=windows(6, 1), tstY=ONE_HOT))
    assert found["split_by"] == "window"
    assert found["problems"] == ["no subject ids: whether a person is in training and in test cannot be known"]


def test_recordings_are_counted_in_seconds(tmp_path):
    people = simulate.simulate(2, seed=0, seconds=5, rate=40)
    recordings.write_recordings(tmp_path / "a.h5", people, source="a test", simulated=True)
    found = describe(tmp_path / "a.h5")
    assert (found["layout"], found["recordings"]) == ("recordings", 24)
    assert (found["subjects"], found["simulated"]) == (["1", "2"], True)
    assert (found["rates_hz"], found["problems"]) == ([40.0], [])
    assert found["seconds"] == dict.fromkeys(CLASSES, 20.0)
    assert json.loads(json.dumps(found)) == found


def test_recordings_and_windows_have_a_table_of_minutes_of_people_and_activities(tmp_path):
    random = np.random.default_rng(0)
    several = [("ann", "walk", 90), ("ben", "walk", 60), ("ben", "sit", 30), ("cleo", "sit", 45), ("cleo", "walk", 30)]
    people = [
        recordings.Recording(who, who, what, 50.0, random.normal([0, 0, 9.8], 1, (50 * seconds, 3)).astype(np.float32))
        for who, what, seconds in several
    ]
    recordings.write_recordings(tmp_path / "a.h5", people, source="a test")
    found = describe(tmp_path / "a.h5")
    minutes = {"ann": {"walk": 1.5}, "ben": {"sit": 0.5, "walk": 1.0}, "cleo": {"sit": 0.75, "walk": 0.5}}
    assert found["minutes"] == minutes
    page = results.description(found)
    assert "| subject | sit | walk |\n| --- | ---: | ---: |\n| ann | - | 1.5 |\n| ben | 0.5 | 1.0 |" in page
    cut = zoo.cut_windows(tmp_path / "a.h5", tmp_path / "b.h5", test_subjects="ann", trim=0)
    shares = [row[label] / minutes[who][label] for who, row in cut.to_json()["minutes"].items() for label in row]
    # Of each recording, less than a window at its end is lost.
    assert len(shares) == 5
    assert 0.9 < min(shares) <= max(shares) <= 1.0


def test_labels_that_differ_in_capital_letters_alone_have_columns_of_their_own(tmp_path):
    rows = np.random.default_rng(0).normal([0, 0, 9.8], 1, (3000, 3)).astype(np.float32)
    both = [recordings.Recording(label, "ann", label, 50.0, rows) for label in ("Walk", "walk")]
    recordings.write_recordings(tmp_path / "a.h5", both, source="a test")
    assert "| subject | Walk | walk |" in results.description(describe(tmp_path / "a.h5"))


def test_figures_of_a_description_have_the_format_that_is_asked_for(simulated, zoo_cli, tmp_path):
    drawn = tmp_path / "figures"
    zoo_cli("data", "describe", simulated, "--figures", drawn, "--figure-format", "svg")
    found = zoo.describe(simulated, figures=drawn)
    assert found.written == f"figures in {drawn}"
    found.figures(drawn, "pdf")
    starts = {path.name: path.read_bytes()[:4] for path in drawn.iterdir()}
    assert starts == {
        f"{name}.{form}": start for name in ("minutes", "signals")
        for form, start in (("png", b"\x89PNG"), ("svg", b"<?xm"), ("pdf", b"%PDF"))
    }  # fmt: skip
    refused("figure_format is '?bmp'?; expected png, svg or pdf", found.figures, drawn, "bmp")
    nobody = data_of(windows(5, 0), [0, 1, 2, 1, 0], ["sit", "hop", "walk"], 50.0)
    with pytest.raises(ZooError, match="applies to activities of known people alone"):
        zoo.describe(nobody, figures=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_for_figures_only_rows_are_read_again(tmp_path, monkeypatch):
    recordings.write_recordings(tmp_path / "a.h5", simulate.simulate(2, seed=0, seconds=5, rate=40), source="a test")
    read = []

    class File(h5py.File):
        def __getitem__(self, key):
            read.append(key)
            return super().__getitem__(key)

    monkeypatch.setattr(h5py, "File", File)
    zoo.describe(tmp_path / "a.h5")
    without, read[:] = read[:], []
    zoo.describe(tmp_path / "a.h5", figures=tmp_path / "figures")
    assert {*(Counter(read) - Counter(without))} == {"acceleration"}


def test_a_label_without_a_test_window_is_a_problem_that_names_who_recorded_it(tmp_path):
    test = (windows(2, 1), [0, 2], ["d", "d"])
    found = describe(data_of(windows(5, 0), [0, 1, 2, 1, 0], ["sit", "hop", "walk"], 50.0, list("abcca"), test))
    (problem,) = found["problems"]
    assert problem.startswith("no test window of hop (recorded by b, c): ")
    assert "test_subjects" in problem
    nobody = describe(data_of(windows(5, 0), [0, 1, 2, 1, 0], ["sit", "hop", "walk"], 50.0, list("abcca")))
    assert nobody["problems"] == []


def test_the_slowest_rate_and_the_shortest_windows_are_described(tmp_path):
    rows = np.random.default_rng(0).normal([0, 9.8, 0], 1, (2, 20, 3)).astype(np.float32)
    studies = [recordings.Recording(lab, lab, "walking", 0.12, rows[i], study=lab) for i, lab in enumerate("ab")]
    recordings.write_recordings(tmp_path / "a.h5", studies, source="a test")
    assert describe(tmp_path / "a.h5")["studies"]["a"]["cadence_hz"] is None
    test = (windows(2, 1)[:, :5], [0, 1], ["c", "d"])
    data = data_of(windows(4, 0)[:, :5], [0, 1, 0, 1], "ab", 50.0, list("abab"), test)
    assert describe(data)["leaks"]["shared_rows"] == 0


def test_patches_outside_their_range_are_a_problem(tmp_path):
    patches = np.full((5, 3, 8, 8), 1.2, np.float32)
    patches[3, :, 0] = -0.1
    found = describe(write_h5(tmp_path / "a.h5", data=patches))
    assert (found["layout"], found["patches"]) == ("patches", 5)
    outside, unnamed = found["problems"]
    assert outside == "values from -0.100 to 1.200 overshoot [0, 1]"
    assert unnamed == "no photographs named: patches of one may be on both sides of a split"


def test_trigrams_are_counted_and_what_of_the_test_is_in_training_is_told(tmp_path):
    found = describe(trigrams(tmp_path / "a.h5", traind=[1, 2, 2, 2], testx=[[1, 1, 1], [2, 2, 2]], testd=[1, 1]))
    assert (found["layout"], found["words"], found["simulated"], found["problems"]) == ("text", 2, False, [])
    assert found["parts"] == {"train": {"rows": 4}, "validation": {"rows": 4}, "test": {"rows": 2}}
    assert found["most_frequent"] == {"is": 3, "he": 1}
    assert found["in_training"]["as_split"] == {"rows": 0.5, "contexts": 0.5}
    assert json.loads(json.dumps(found)) == found


def test_numbers_that_are_no_words_and_words_without_rows_are_problems(tmp_path):
    (problem,) = describe(trigrams(tmp_path / "b.h5", testx=np.full((4, 3), 3)))["problems"]
    assert problem.startswith(f"{tmp_path / 'b.h5'}: key 'testx' holds numbers from 3 to 3; expected 1 to 2: ")
    assert describe(trigrams(tmp_path / "c.h5"))["problems"] == ["1 words are in no training row, such as 'is'"]


@pytest.mark.real
@pytest.mark.parametrize("name", ["activity/data3.h5", "text/data2.h5", "images/data1.h5"])
def test_the_real_files_have_no_problem(real, name):
    assert describe(real / name)["problems"] == []


def rows(page):
    """The facts of a page by name."""
    lines = [line.split(" | ") for line in page.splitlines() if line.startswith("| **")]
    names = [name.removeprefix("| **").removesuffix("**") for name, _ in lines]
    assert len(set(names)) == len(names)
    return dict(zip(names, (value.removesuffix(" |") for _, value in lines), strict=True))


def test_attributes_of_a_file_are_shown_and_replace_no_count(simulated_trigrams):
    found = describe(simulated_trigrams)
    shown = rows(results.description(found | {"attributes": {"words": 3, "layout": "x", "a|b*c": "d"}}))
    assert (shown["words"], shown["layout"], shown[r"a\|b\*c"]) == (str(found["words"]), "text", "d")
    shown = rows(results.description(found))
    assert shown["test rows"] == f"{found['sizes']['L']:,}"
    assert shown["test rows of the text"] == found["attributes"]["test_rows"]
    assert "(if all rows had been shuffled: " in shown["test rows also in training"]


def test_problems_come_before_the_facts_as_warnings_in_which_commands_stay_as_they_are():
    problems = ["labels Walk, walk may be one: join them with `zoo data windows --classes`", "few windows"]
    page = results.dry_run({"files": [], "recordings": 0, "dropped": {}, "changed": {}, "problems": problems})
    assert page.startswith(f"> warning: {problems[0]}\n>\n> warning: few windows\n")
    assert "no problems" not in page


def _walks(change):
    """The problems of windows of two people, three each of two activities, of which `change` changes some."""
    x = np.random.default_rng(0).normal([0, 0, 9.8], 2.0, (12, 200, 3)).astype(np.float32)
    labels, people = np.tile(["sit", "run"], 6), np.repeat(["ann", "ben"], 6)
    change(x)
    return describe(zoo.load_data((x, labels), subjects=people, rate=50))["problems"]


@pytest.mark.parametrize(("change", "said"), [
    (lambda x: x[..., 2].fill(9.8), "4 recordings have an axis without a change, as ann, sit"),
    (lambda x: np.copyto(x[6:], x[:6]), "6 of 12 training windows repeat another one"),
    (lambda x: np.multiply(x[6:], 0.5, out=x[6:]), "acceleration of ben is not about 9.8 m/s^2"),
    (lambda x: np.copyto(x, [0, 9.8, 0]), "4 recordings have 10 s or more without a change"),
])  # fmt: skip
def test_what_no_phone_measures_is_a_problem_of_windows(change, said):
    assert _walks(change)[0].startswith(said)


def test_words_that_may_be_counted_from_one_are_a_problem():
    x, y = np.array([[1, 2, 3], [2, 3, 1]]), np.array([1, 2])
    refused("x: holds numbers from 1 to 3; expected 0 to 2: if yours count from 1, subtract 1",
            zoo.load_data, (x, y), words=["a", "b", "c"])  # fmt: skip
    found = describe(zoo.load_data((x, y), words=["a", "b", "c", "d"]))
    assert "word number 0, 'a', is among them: if your numbers count from 1, subtract 1" in found["problems"][-1]
    assert "in_training" not in found, "there is no test to be in training"
