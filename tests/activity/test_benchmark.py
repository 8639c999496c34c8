"""A benchmark: several networks on the same folds, compared over people; what it writes, and what it refuses."""

import csv
import json
import os
import signal
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster
from running import ROOT, python, refused
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import zoo
from zoo.activity import comparison, simulate

pytestmark = pytest.mark.usefixtures("uncompiled")

RECIPE = {"epochs": 1, "validation": 0.0, "batch_size": 64}


KILLED = "KILLED_AT_SEED"
"""Environment variable with the seed at which a training kills its process."""


def dense(window, channels, classes, seed, units=4):
    """A network of one's own."""
    if str(seed) == os.environ.get(KILLED):
        os.kill(os.getpid(), signal.SIGKILL)
    layers = [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(units), keras.layers.Dense(len(classes))]
    return keras.Sequential([keras.Input((window, channels)), *layers])


def narrow():
    return zoo.ActivityGRU(units=2, frame=75)


READ = []


class Mean(ClassifierMixin, BaseEstimator):
    """Answers always the most frequent class; what its clones have read is in `READ`."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        self.often_ = np.bincount(labels).argmax()
        READ.append((id(self), self.random_state, rows.shape, float(rows.mean())))
        return self

    def predict(self, rows):
        return np.full(len(rows), self.often_)


class Reader(Mean):
    """The same; the windows that its clones have read are in `SEEN`."""

    def fit(self, rows, labels):
        SEEN.append({row.tobytes() for row in rows})
        return super().fit(rows, labels)


SEEN = []


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Windows of people who do not exist, of whom ten are in training."""
    path = tmp_path_factory.mktemp("people") / "data3.h5"
    simulate.write_simulated(path, subjects=13, seed=1, seconds=6)
    assert len(zoo.load_data(path).train.people()) == 10
    return path


def compared(data, out=None, **options):
    """A benchmark in this process."""
    options = {"groups": 2, "baselines": "nearest_neighbor", "workers": 0, "recipe": RECIPE, "verbose": False} | options
    return zoo.benchmark({"gru": narrow(), "dense": dense}, data, out=out, **options)


@pytest.fixture(scope="module")
def whole(people, tmp_path_factory):
    """A benchmark with two seeds, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    return compared(people, folder, seeds=2), folder


def test_a_network_has_the_scores_of_its_own_cross_validation(whole, people):
    result, _ = whole
    alone = zoo.cross_validate(
        dense, people, groups=2, seeds=2, recipe=RECIPE, baselines="nearest_neighbor", workers=0, verbose=False
    )
    mine = result["methods"]["dense"]
    assert mine["confusion"] == alone["confusion"]
    assert (mine["seed_deviation"], mine["mean"]) == (alone["seed_deviation"], alone["mean"])
    assert result["methods"]["nearest_neighbor"]["macro_f1"] == alone["baselines"]["nearest_neighbor"]["macro_f1"]
    gap = next(row for row in result["pairs"] if {row["one"], row["other"]} == {"dense", "nearest_neighbor"})
    assert abs(gap["macro_f1"]) == pytest.approx(abs(alone["baselines"]["nearest_neighbor"]["difference"]["macro_f1"]))
    # Nearest neighbors have no seed.
    assert {name: len(row["folds"]) for name, row in result["methods"].items()} == {
        "gru": 4, "dense": 4, "nearest_neighbor": 2
    }  # fmt: skip


def test_the_best_comes_first_and_differences_are_corrected_over_all_pairs(whole):
    result, _ = whole
    scores = [row["macro_f1"] for row in result["methods"].values()]
    assert scores == sorted(scores, reverse=True)
    assert result["best"] == next(iter(result["methods"]))
    assert result["methods"][result["best"]]["difference"] is None
    assert len(result["pairs"]) == 3
    for row in result["pairs"]:
        assert row["standard_error"] > 0
        assert row["of"] == 10
        assert row["p_alone"] <= row["p"] <= min(1.0, 3 * row["p_alone"])
    assert set(result["ranks"]["mean"]) == set(result["methods"])
    assert sum(result["ranks"]["mean"].values()) == pytest.approx(6)
    notes = " ".join(result["notes"])
    assert "simulated" in notes
    assert "only" in notes  # few steps


def test_the_folder_has_tables_figures_and_one_document(whole):
    result, folder = whole
    document = json.loads(json.dumps(result.to_json()))
    times = [row.pop("milliseconds", None) for row in document["methods"].values()]
    assert json.loads((folder / "benchmark.json").read_text()) == document
    assert {path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."} == {
        "benchmark.json", "methods.json", "report.md", "table.csv", "table.tex", "scores.svg", "scores.pdf",
        "ranks.svg", "ranks.pdf",
    }  # fmt: skip
    rows = {row["method"]: row for row in csv.DictReader((folder / "table.csv").read_text().splitlines())}
    frame = result.to_frame()
    for name, row in result["methods"].items():
        assert float(rows[name]["macro_f1"]) == row["macro_f1"]
        assert frame.loc[name, "f1_walking"] == row["per_class"]["walking"]["f1"]
        assert frame.loc[name, "worst_accuracy"] == min(each["accuracy"] for each in row["per_subject"].values())
    assert result["methods"]["dense"]["parameters"] == (3 + 1) * 4 + (4 + 1) * len(result["classes"])
    assert result["methods"]["dense"]["bytes"] > 1000
    assert sorted(filter(None, times)) == sorted(frame["milliseconds"].dropna())
    assert frame["milliseconds"].notna().to_dict() == {"gru": True, "dense": True, "nearest_neighbor": False}
    assert frame["streams"].to_dict() == {"gru": True, "dense": False, "nearest_neighbor": None}
    assert "parameters" not in result["methods"]["nearest_neighbor"]
    report = (folder / "report.md").read_text()
    for words in ("SIMULATED", "± seeds", "all 3 pairs of methods", "Critical difference", "p (Holm)", "walking"):
        assert words in report
    table = (folder / "table.tex").read_text()
    assert r"nearest\_neighbor" in table
    assert r"\end{tabular}" in table
    assert [path.suffix for path in result.figures(folder / "png")] == [".png", ".png"]


DRIVER = """
import sys
import tensorflow as tf
sys.path[:0] = sys.argv[3:]
import test_benchmark
tf.config.run_functions_eagerly(True)
test_benchmark.compared(sys.argv[1], sys.argv[2], seeds=2)
"""


@pytest.mark.process
def test_a_benchmark_that_is_killed_and_resumed_ends_with_the_same_bytes(whole, people, tmp_path):
    folder = tmp_path / "out"
    run = python("-c", DRIVER, people, folder, ROOT / "tests", ROOT / "tests" / "activity", **{KILLED: "1"})
    assert run.returncode == -signal.SIGKILL, run.stderr
    kept = {path.name: path.read_bytes() for path in (folder / "folds").glob("*.npz")}
    assert len(kept) == 6
    compared(people, folder, seeds=2)
    for name in ("benchmark.json", "scores.svg", "ranks.pdf"):
        assert (folder / name).read_bytes() == (whole[1] / name).read_bytes(), name
    tables = [pd.read_csv(out / "table.csv").drop(columns="milliseconds") for out in (folder, whole[1])]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert all((folder / "folds" / name).read_bytes() == was for name, was in kept.items())


@pytest.mark.process
def test_a_cluster_ends_with_the_same_bytes_as_one_machine(people, tmp_path, zoo_cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["activity_cnn", "--data", people, "--groups", 2, "--baselines", "nearest_neighbor", "--set", "epochs=1"]
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        status, _, err = zoo_cli("benchmark", *options, "--out", "there", "--workers", cluster.scheduler_address)
        assert status == 0, err
        assert "4 of 4 folds" in err
        with cluster.get_client() as client:
            refused("out: a cluster needs a folder", zoo.benchmark, "activity_cnn", people, workers=client)
            assert zoo.cross_validate("activity_cnn", people, groups=2, baselines="none", recipe=RECIPE,
                                      workers=client, out="alone", verbose=False)["groups"] == 2  # fmt: skip
    assert zoo_cli("benchmark", *options, "--out", "here", "--workers", 2).status == 0
    there, here = (json.loads((tmp_path / name / "benchmark.json").read_text()) for name in ("there", "here"))
    assert there | {"command": ""} == here | {"command": ""}


@pytest.mark.parametrize("workers", ["abc", "tcp://127.0.0.1:1", -1, 2000])
def test_what_is_no_number_of_workers_and_no_scheduler_is_refused(workers, people, tmp_path):
    refused(r"workers=.*: expected", compared, people, tmp_path / "out", workers=workers)
    assert not (tmp_path / "out").exists()


def test_a_method_that_comes_later_is_trained_alone_and_another_network_of_the_name_is_refused(people, tmp_path):
    folder = tmp_path / "out"
    first = zoo.benchmark([dense], people, groups=2, recipe=RECIPE, baselines={"mean": Mean()}, out=folder, workers=0,
                          verbose=False)  # fmt: skip
    before = {path: path.stat().st_mtime_ns for path in (folder / "folds").glob("*.npz")}
    assert len(before) == 4
    options = {"groups": 2, "recipe": RECIPE, "workers": 0, "verbose": False, "out": folder}
    second = zoo.benchmark({"dense": dense, "gru": narrow()}, people, baselines=("nearest_neighbor",), **options)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert set(second["methods"]) == {"dense", "gru", "nearest_neighbor"}
    assert second["methods"]["dense"]["confusion"] == first["methods"]["dense"]["confusion"]
    says = r"holds another .*methods.gru.arguments.units 2, now 3"
    refused(says, zoo.benchmark, {"gru": zoo.ActivityGRU(units=3, frame=75)}, people, **options)
    refused("estimator 'Mean\\(\\)', now", zoo.benchmark, [dense], people, baselines={"mean": SVC()}, **options)
    refused("groups 2, now 3", zoo.benchmark, [dense], people, **options | {"groups": 3})


def test_a_learning_curve_trains_all_on_the_same_few_people_who_are_among_the_more(people, tmp_path):
    SEEN.clear()
    readers = {name: make_pipeline(FunctionTransformer(), Reader()) for name in ("one", "other")}
    options = {"groups": 2, "recipe": RECIPE, "baselines": readers, "workers": 0, "verbose": False}
    result = zoo.benchmark([dense], people, learning_curve=(3, 1), out=tmp_path / "out", **options)
    # Of each number of people, the two folds of one method come first, then those of the other.
    everyone, alone, three = SEEN[:4], SEEN[4:8], SEEN[8:]
    for part in (everyone, alone, three):
        assert part[:2] == part[2:]
    assert all(one < few < all_ for one, few, all_ in zip(alone, three, everyone, strict=True))
    for row in result["methods"].values():
        assert {name: part["people"] for name, part in row["learning_curve"].items()} == {"1": 1, "3": 3, "all": 5}
        assert row["learning_curve"]["all"]["macro_f1"] == row["macro_f1"]
    assert result.to_frame()["people_3"]["dense"] == result["methods"]["dense"]["learning_curve"]["3"]["macro_f1"]
    assert "| method | 1 | 3 | all |" in (tmp_path / "out" / "report.md").read_text()
    assert (tmp_path / "out" / "learning_curve.svg").is_file()
    # A folder can get one later, or more of it; the scores of whole folds are the same.
    plain = zoo.benchmark([dense], people, out=tmp_path / "out", **options)
    for name, row in plain["methods"].items():
        expected = result["methods"][name]
        assert {**row, "milliseconds": 0} == {**{key: expected[key] for key in row}, "milliseconds": 0}
    assert "fewer people are fewer steps" in " ".join(result["notes"])
    assert len(SEEN) == 12
    says = "learning_curve=5: a fold trains on 5 people: ask for fewer"
    refused(says, zoo.benchmark, [dense], people, learning_curve=[5], **options)
    refused("learning_curve holds 0", zoo.benchmark, [dense], people, learning_curve=[0], **options)


def test_an_estimator_is_cloned_for_each_fold_and_seed_and_reads_what_it_says(people):
    READ.clear()
    mean, scaled = Mean(), make_pipeline(StandardScaler(), SVC(probability=False))
    raw = make_pipeline(FunctionTransformer(), Mean())
    found = zoo.cross_validate(
        dense, people, groups=2, seeds=2, recipe=RECIPE | {"validation": 0.3}, workers=0, verbose=False,
        baselines=["nearest_neighbor", mean, scaled],
    )  # fmt: skip
    assert list(found["baselines"]) == ["nearest_neighbor", "Mean", "standardscaler-svc"]
    assert not hasattr(mean, "classes_")
    assert not hasattr(scaled[0], "mean_")
    assert [state for _, state, _, _ in READ] == [0, 0, 1, 1]
    # Each clone has read the windows of its own fold.
    means = [value for *_, value in READ]
    assert means[0] == means[2] != means[1]
    assert {len(shape) for _, _, shape, _ in READ} == {2}
    # Each has read what the network has, those of people for validation among it.
    assert [shape[0] for _, _, shape, _ in READ] == [fold["train_windows"] for fold in found["folds"]]
    # A scaler that was fitted on all people at once would be of use as well, but far fewer scores: this one is right.
    assert found["baselines"]["standardscaler-svc"]["macro_f1"] > 0.5 > found["baselines"]["Mean"]["macro_f1"]
    READ.clear()
    zoo.benchmark([dense], people, groups=2, recipe=RECIPE, baselines={"raw": raw}, workers=0, verbose=False)
    assert {shape[1:] for _, _, shape, _ in READ} == {(150, 3)}


def test_functions_of_one_name_are_told_apart_by_their_files(people, tmp_path, zoo_cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "import keras\ndef build(window, channels, classes):\n    return keras.Sequential([keras.Input((window, "
    code += (
        "channels)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense({}), keras.layers.Dense(len(classes))])"
    )
    for name, units in (("small", 2), ("large", 3)):
        (tmp_path / f"{name}.py").write_text(code.format(units))
    status, out, err = zoo_cli(
        "benchmark", "small.py:build", "large.py:build", "--data", people, "--groups", "2", "--epochs", "1",
        "--baselines", "none", "--workers", "0", "--set", "validation=0", "--out", "o", "--json",
    )  # fmt: skip
    assert status == 0, err
    result = json.loads(out)
    assert set(result["methods"]) == {"small", "large"}
    assert result["ranks"] == {"people": 10, "refused": "no ranks of 2 methods: from 3 on"}
    assert "no ranks of 2 methods" in (tmp_path / "o" / "report.md").read_text()
    assert not (tmp_path / "o" / "ranks.svg").exists()


MISTAKES = {
    "one method": (([dense],), {"baselines": ()}, "nothing to compare: name two networks"),
    "twice the same": ((["activity_gru", "activity_gru"],), {}, "'activity_gru': two methods have this name"),
    "the name of a baseline": (({"random_forest": dense},), {"baselines": "random_forest"}, "two methods have this"),
    "twice the same to be searched": ((["activity_gru"] * 2,), {"trials": 1}, "two methods have this name"),
    "two estimators of a class": (([dense],), {"baselines": [SVC(C=1), SVC(C=2)]}, "'SVC': two methods have this name"),
    "a name that is a path": (({"a/b": dense},), {}, "'a/b': expected a-z"),
    "an exported file": ((["model.tflite"],), {}, "`zoo bench` times it"),
    "a folder": (([os.curdir],), {}, "is a file or folder"),
    "a function alone": ((dense,), {}, "models is of the type function"),
    "a class": (([dense],), {"baselines": [SVC]}, "baselines holds"),
    "a regression": (([dense],), {"baselines": [LinearRegression()]}, "LinearRegression: is a regressor"),
    "an unknown baseline": (([dense],), {"baselines": "forest"}, "unknown baseline 'forest'"),
    "a network of patches": ((["sparse_autoencoder", dense],), {}, "has no people to hold out"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_before_anything_is_trained(mistake, people, tmp_path):
    models, options, says = MISTAKES[mistake]
    refused(says, zoo.benchmark, *models, people, verbose=False, workers=0, out=tmp_path / "out", **options)
    assert not list(tmp_path.rglob("*.npz"))


def test_what_other_processes_cannot_import_is_said_before_they_start(people, monkeypatch):
    monkeypatch.setattr(Mean, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Mean", Mean, raising=False)
    options = {"baselines": {"mean": Mean()}, "recipe": RECIPE, "groups": 2, "verbose": False}
    refused("mean: no other process can import", zoo.benchmark, ["activity_cnn"], people, workers=1, **options)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options |= {"baselines": (), "loss": lambda labels, logits: loss(labels, logits)}
    refused("loss: no other process can import", zoo.cross_validate, "activity_cnn", people, workers=1, **options)


def test_a_baseline_with_the_name_of_the_network_is_refused(people):
    named = {"activity_cnn": Mean()}
    says = "'activity_cnn': two methods have this name"
    refused(says, zoo.cross_validate, "activity_cnn", people, baselines=named, verbose=False, workers=0)


def test_holms_correction_is_that_of_a_case_by_hand():
    # In order: 4 x 0.005 = 0.02, 3 x 0.01 = 0.03, 2 x 0.03 = 0.06, and 1 x 0.04, which is not less than the one before.
    assert comparison.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert comparison.holm([0.6, 0.7]) == [1.0, 1.0]
    assert comparison.holm([]) == []


def answers(right, people):
    """Answers of a method: for each person, how many of ten windows of two classes are right."""
    labels = np.tile([0, 1], 5 * people)
    wrong = np.concatenate([np.arange(10) >= count for count in right])
    return labels, np.where(wrong, 1 - labels, labels), np.repeat([f"p{who}" for who in range(people)], 10)


def test_a_difference_that_all_people_share_is_significant_and_one_of_a_single_person_is_not():
    found = comparison.pairs({
        "good": answers([9] * 12, 12), "poor": answers([5, 6] * 6, 12), "odd": answers([9] * 11 + [5], 12)
    })  # fmt: skip
    by = {(row["one"], row["other"]): row for row in found}
    assert by["good", "poor"]["p"] < 0.001
    assert by["good", "odd"]["macro_f1"] > 0
    assert by["good", "odd"]["p"] > 0.2
    assert by["good", "odd"]["worse"] == 0
    few = comparison.pairs({"a": answers([9] * 5, 5), "b": answers([5] * 5, 5)})
    assert (few[0]["p"], few[0]["standard_error"], few[0]["interval"]) == (None, None, None)


def test_ranks_are_over_people_and_refused_of_five_people_or_two_methods():
    def scores(*rows):
        return {f"p{who}": score for who, score in enumerate(rows)}

    methods = {"a": scores(9, 9, 9, 9, 9, 9), "b": scores(8, 9, 8, 8, 8, 1), "c": scores(1, 1, 1, 1, 1, 8)}
    found = comparison.ranks(methods)
    # For the second person, a and b share the ranks 1 and 2.
    assert found["mean"] == pytest.approx({"a": 6.5 / 6, "b": (2 + 1.5 + 2 + 2 + 2 + 3) / 6, "c": 17 / 6})
    # 2.343 is in table 5 of Demsar, 2006.
    assert found["critical_difference"] == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 6)), abs=1e-3)
    assert found["friedman"] < 0.05
    five = {name: {who: row[who] for who in list(row)[:5]} for name, row in methods.items()}
    assert comparison.ranks(five) == {"people": 5, "refused": "no ranks of 5 people: from 6 on"}
    assert "refused" in comparison.ranks({name: methods[name] for name in "ab"})
    assert found["alike"] == [["a", "b"], ["b", "c"]]


def test_a_search_in_each_fold_is_a_method_of_its_own(simulated, tmp_path):
    pytest.importorskip("keras_tuner")
    plan = {
        "groups": 2,
        "recipe": {"steps": 4, "parts": 1, "batch_size": 64},
        "baselines": "none",
        "workers": 0,
        "out": tmp_path,
    }
    found = zoo.benchmark(["activity_cnn"], simulated, trials=2, **plan, verbose=False)
    assert sorted(found["methods"]) == ["activity_cnn", "activity_cnn.2trials"]
    chosen = [fold["training"] for fold in found["methods"]["activity_cnn.2trials"]["folds"]]
    assert [(one["recipe"]["steps"], one["recipe"]["batch_size"]) for one in chosen] == [(4, 64)] * 2
    assert "training" not in found["methods"]["activity_cnn"]["folds"][0]
    assert "activity_cnn.2trials: each fold has a recipe of its own" in found["notes"]
    assert not [*tmp_path.rglob("*search*")]


@pytest.mark.parametrize(("models", "changes", "says"), [
    (["activity_cnn"], {"recipe": zoo.Recipe(epochs=1)}, "trials: a whole recipe leaves nothing to choose"),
    ([keras.Sequential([keras.Input((150, 3)), keras.layers.Flatten()])], {}, "of a Keras model"),
    (["activity_cnn"], {"recipe": {"validation": 0}}, "trials are compared on validation people"),
    ([lambda window, channels, classes: narrow()], {}, "other processes cannot import it"),
])  # fmt: skip
def test_a_search_without_a_choice_is_refused(models, changes, says, simulated):
    pytest.importorskip("keras_tuner")
    refused(
        says, zoo.benchmark, models, simulated, trials=1, **{"baselines": "nearest_neighbor", "groups": 2} | changes
    )
