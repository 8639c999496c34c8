"""Metrics against values computed by hand and by scikit-learn, and what a recognizer has to beat."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from running import refused
from scipy.spatial.transform import Rotation
from scipy.special import softmax
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from zoo.activity import metrics
from zoo.activity.augmentation import DISTURBANCES
from zoo.data.dataset import DataSet
from zoo.runtime.labels import resolve

RANDOM = np.random.default_rng(0)


def rows(windows, labels, classes=("a", "b"), subject=None, **facts):
    """A data set of windows."""
    columns = {"input": windows, "target": labels} | ({} if subject is None else {"subject": subject})
    return DataSet.of(columns, classes=classes, **facts)


def test_macro_f1_is_that_of_scikit_learn_and_its_interval_contains_it():
    labels, predicted = RANDOM.integers(0, 4, 300), RANDOM.integers(0, 4, 300)
    subjects = np.array(list("abcdefghijkl"))[RANDOM.integers(0, 12, 300)]
    score = metrics.macro_f1(labels, predicted)
    assert score == pytest.approx(f1_score(labels, predicted, average="macro"))
    low, high = metrics.scores(labels, predicted, subjects)["macro_f1_interval"]
    assert low < score < high


def test_the_interval_over_people_is_wider_than_over_windows_when_people_differ_and_nine_people_have_none():
    labels = np.tile([0, 1], 100)
    predicted = np.where(np.arange(200) < 100, labels, 1 - labels)
    number = np.arange(200) // 20
    owners = number.astype(str), None, np.minimum(number, 8).astype(str)
    by_person, by_window, of_nine = (metrics.scores(labels, predicted, who)["macro_f1_interval"] for who in owners)
    assert by_person[0] < 0.3 < 0.7 < by_person[1]
    assert 0.4 < by_window[0] < 0.5 < by_window[1] < 0.6
    assert of_nine is None


def test_a_difference_is_that_of_the_pooled_scores_of_people_who_may_have_one_class_each():
    # Of each pair of people one has class 0 alone, the other class 1, and each is right about all but one in ten.
    people = np.repeat([f"p{number:02}" for number in range(20)], 10)
    labels = np.repeat(np.arange(20) % 2, 10)
    wrong = np.arange(200) % 10 == 0
    one, other = np.where(wrong, 1 - labels, labels), labels
    found = metrics.paired_difference((labels, one, people), (labels, other, people))
    assert found["macro_f1"] == pytest.approx(-0.1)
    low, high = found["interval"]
    assert -0.13 < low < -0.1 <= high < -0.09
    assert (found["people"], found["worse"], found["of"]) == (0, 20, 20)
    assert 0 < found["standard_error"] < 0.02
    # Those whom both have are compared.
    few = people < "p05"
    found = metrics.paired_difference((labels[few], one[few], people[few]), (labels, other, people))
    assert (found["of"], found["interval"]) == (5, None)
    assert found["macro_f1"] == pytest.approx(metrics.macro_f1(labels[few], one[few]) - 1)


def test_calibration_error_is_the_weighted_distance_of_confidence_and_accuracy():
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 6)
    labels = np.array([0, 0, 0, 1, 0, 0, 0, 1, 1, 1])
    expected = 0.4 * abs(0.75 - 0.9) + 0.6 * abs(0.5 - 0.6)
    assert metrics.expected_calibration_error(labels, probabilities) == pytest.approx(expected)


def test_temperature_scaling_finds_the_temperature_that_was_applied():
    logits = RANDOM.normal(0, 2, (20000, 3))
    labels = np.array([RANDOM.choice(3, p=p) for p in softmax(logits, axis=1)])
    assert metrics.fit_temperature(labels, logits * 2.5) == pytest.approx(2.5, rel=0.05)


def test_a_model_that_is_right_about_a_few_windows_is_not_certain_of_everything():
    labels = np.arange(10) % 2
    # 11 in 12, and 1,001 in 1,002.
    for times, share in ((1, 11 / 12), (100, 1001 / 1002)):
        temperature = metrics.fit_temperature(np.tile(labels, times), np.tile(np.eye(2)[labels] * 4, (times, 1)))
        assert 1 / (1 + np.exp(-4 / temperature)) == pytest.approx(share, abs=1e-3)


def test_the_report_names_the_worst_person_and_counts_every_window():
    labels = np.array([0, 1, 0, 1])
    logits = np.array([[2.0, 0], [0, 2.0], [0, 1.0], [0, 3.0]])
    people = np.array(["ann", "ann", "bob", "bob"])
    report = metrics.classification(labels, logits.argmax(axis=1), ("sit", "walk"), people)
    assert report["confusion"] == [[1, 1], [0, 2]]
    assert report["accuracy"] == 0.75
    assert report["worst_subject"] == "bob"
    assert report["per_subject"]["ann"] == {"windows": 2, "accuracy": 1.0, "macro_f1": 1.0}
    assert report["per_class"]["sit"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "windows": 2}


def test_robustness_reports_the_drop_from_the_undisturbed_score():
    labels = np.array([0, 1])
    windows = np.stack([np.full((10, 3), -2.0), np.full((10, 3), 2.0)])
    results = metrics.robustness(lambda w: (w[:, 0, 0] > 0).astype(int), windows, labels, 50.0, DISTURBANCES)
    assert results["turned_x"]["drop"] == 0.0
    assert results["turned_y"] == {"meaning": "phone turned by 180 degrees about y", "macro_f1": 0.0, "drop": 1.0}


@pytest.mark.parametrize("shape", [(150, 3), (150, 6), (2, 3)])
def test_features_are_finite_even_for_a_frozen_sensor(shape):
    windows = np.concatenate([RANDOM.normal(0, 1, (3, *shape)), np.zeros((1, *shape))])
    assert np.isfinite(metrics.features(windows)).all()


def test_features_but_for_the_pose_stay_whichever_way_the_phone_lies():
    windows = RANDOM.normal([0, 0, 9.8, 0, 0, 0], [1, 2, 3, 1, 1, 1], (20, 60, 6))
    turn = Rotation.from_euler("xyz", [20, 130, -70], degrees=True).as_matrix()
    turned = np.concatenate([windows[..., :3] @ turn.T, windows[..., 3:] @ turn.T], axis=2)
    one, other = metrics.features(windows), metrics.features(turned)
    pose = metrics.POSE
    np.testing.assert_allclose(other[:, :-pose], one[:, :-pose], atol=1e-6)
    np.testing.assert_allclose(other[:, -pose : 3 - pose], one[:, -pose : 3 - pose] @ turn.T, atol=1e-9)


def test_the_forest_recognizes_shaking_in_a_pose_that_it_was_not_shown():
    labels = np.repeat([0, 1], 40)
    rhythm = np.where(labels, 2.0, 5.0)[:, None] * np.linspace(0, 6, 150) * np.pi
    windows = RANDOM.normal([0, 0, 9.8], 0.5, (80, 150, 3))
    windows[:, :, 2] += 3 * np.sin(rhythm + RANDOM.uniform(0, 6, (80, 1)))
    found = metrics.fit_baseline("random_forest", rows(windows, labels))(
        rows(windows[:, :, [2, 0, 1]] * [1, -1, -1], labels)
    )
    assert (found.argmax(axis=1) == labels).mean() > 0.95


def test_baselines_are_fitted_on_training_and_measured_on_test():
    labels = np.repeat([0, 1], [40, 20])
    windows = RANDOM.normal(0, 1, (60, 50, 3)) + 3 * labels[:, None, None]
    scores = metrics.baseline_scores(rows(windows, labels), rows(windows, labels), 50)
    assert scores["majority_class"]["accuracy"] == pytest.approx(40 / 60)
    assert scores["random_forest"]["accuracy"] == 1.0


@pytest.mark.parametrize("name", metrics.BASELINES)
def test_every_baseline_tells_apart_what_differs_and_says_the_same_with_the_same_seed(name):
    if name == "minirocket":
        pytest.importorskip("aeon")
    labels = np.repeat([0, 1], 30)
    windows = RANDOM.normal(0, 1, (60, 50, 3)).astype(np.float32)
    windows[30:] *= np.sin(np.arange(50))[:, None]
    train, test = (rows(windows[start::2], labels[start::2]) for start in (0, 1))
    answers = [metrics.fit_baseline(name, train, seed=3, jobs=jobs)(test) for jobs in (1, 2)]
    assert (answers[0].argmax(axis=1) == test.labels).mean() > 0.9
    np.testing.assert_allclose(*answers)


@pytest.mark.parametrize("name", metrics.BASELINES)
def test_a_baseline_learns_from_windows_whose_label_is_a_set(name):
    # Half of the walkers on stairs climb slowly, half fast, and only for the former it is known which way.
    if name == "minirocket":
        pytest.importorskip("aeon")
    labels, people = np.tile(np.arange(3), 40), np.repeat([f"p{number}" for number in range(12)], 10)
    turns = np.array([2.0, 5.0, 9.0])[labels] + np.where(np.arange(120) < 60, 0, 0.4)
    windows = np.sin(turns[:, None] * np.linspace(0, 2 * np.pi, 60))[:, :, None] * [1, 0.5, 2] + [0, 0, 9.8]
    windows = (windows + RANDOM.normal(0, 0.3, windows.shape)).astype(np.float32)
    given = np.where((np.arange(120) >= 60) & (labels < 2), 3, labels)
    train = rows(windows, given, ("up", "down", "rest"), subject=people, label_sets=((0, 1),))
    fits: list[np.ndarray] = []
    read, fit = metrics.BASELINES[name](windows, 3, 0, 1)

    def counted(described, labels, people):
        fits.append(labels)
        return fit(described, labels, people)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(metrics.BASELINES, name, lambda *_: (read, counted))
        answers = metrics.fit_baseline(name, train)(train)
    assert [len(part) for part in fits] == [80, 120]
    assert (fits[1] == labels).mean() > 0.95
    assert (answers.argmax(axis=1) == labels).mean() > 0.95


def test_a_class_of_a_set_that_is_never_alone_is_the_first_one_of_it():
    windows = RANDOM.normal(0, 1, (40, 50, 3)) + 3 * np.repeat([0, 1], 20)[:, None, None]
    train = rows(windows, np.repeat([2, 3], 20), ("up", "down", "rest"), label_sets=((0, 1),))
    found = metrics.fit_baseline("random_forest", train)(train)
    assert found.argmax(axis=1).tolist() == [2] * 20 + [0] * 20
    assert (found[:, 1] == -np.inf).all()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", [RidgeClassifier(), SVC(decision_function_shape="ovo")], ids=["each", "pairs"])
def test_an_estimator_without_probabilities_answers_by_its_decision_values(estimator, classes):
    # Of a set of classes, the likelier one is found also where another class is the likeliest.
    labels = np.arange(60) % classes
    windows = (RANDOM.normal(0, 1, (60, 50, 3)) + labels[:, None, None]).astype(np.float32)
    train = rows(windows, labels, ("up", "down", "rest")[:classes])
    found = metrics.fit_baseline(estimator, train)(train)
    assert (found.argmax(axis=1) == labels).mean() > 0.8
    assert (found[:, 0] != found[:, 1]).all()


@pytest.mark.parametrize(
    "baseline",
    ["random_forest", VotingClassifier([("a", DecisionTreeClassifier())])],
    ids=["forest", "predictions alone"],
)
def test_where_no_class_of_a_set_is_predicted_the_more_frequent_one_is_preferred(baseline):
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    windows = (RANDOM.normal(0, 0.1, (60, 50, 3)) + 9 * labels[:, None, None]).astype(np.float32)
    # The last five are at rest, but labeled up or down: so in the first fit, which says what they teach the second one.
    given = np.where(np.arange(60) < 55, labels, 3)
    learned: list[np.ndarray] = []
    name = baseline if isinstance(baseline, str) else "own"
    made = metrics.BASELINES.get(name, partial(metrics.of_estimator, baseline))
    read, fit = made(windows, 3, 0, 1)

    def recorded(described, labels, people):
        learned.append(labels)
        return fit(described, labels, people)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(metrics.BASELINES, name, lambda *_: (read, recorded))
        train = rows(windows, given, ("up", "down", "rest"), label_sets=((0, 1),))
        metrics.fit_baseline(name, train)
        assert learned[1][-5:].tolist() == [1] * 5
        known = rows(windows, labels, ("up", "down", "rest"), label_sets=((0, 1),))
        found = metrics.fit_baseline(name, known)(rows(windows[-5:], np.full(5, 3), ("up", "down", "rest")))
    assert found.argmax(axis=1).tolist() == [2] * 5
    assert resolve(np.full(5, 3), found, ((0, 1),)).tolist() == [1] * 5


@pytest.mark.skipif(find_spec("aeon") is not None, reason="aeon is installed")
def test_a_baseline_that_is_not_installed_says_what_to_do():
    refused(r"minirocket needs aeon: pip install 'pocket-zoo\[baselines\]'", metrics.require_baseline, "minirocket")
