"""Metrics against values computed by hand and by scikit-learn."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from zoo.activity import metrics
from zoo.activity.augmentation import DISTURBANCES

RANDOM = np.random.default_rng(0)


def test_macro_f1_is_that_of_scikit_learn_and_its_interval_contains_it():
    labels, predicted = RANDOM.integers(0, 4, 300), RANDOM.integers(0, 4, 300)
    subjects = np.array(["a", "b", "c"])[RANDOM.integers(0, 3, 300)]
    score = metrics.macro_f1(labels, predicted)
    assert score == pytest.approx(f1_score(labels, predicted, average="macro"))
    low, high = metrics.scores(labels, predicted, subjects)["macro_f1_interval"]
    assert low < score < high


def test_the_interval_over_people_is_wider_than_over_windows_when_people_differ_and_one_person_has_none():
    labels = np.tile([0, 1], 100)
    predicted = np.where(np.arange(200) < 100, labels, 1 - labels)
    owners = np.array(["right"] * 100 + ["wrong"] * 100), None, np.array(["ann"] * 200)
    by_person, by_window, of_one = (metrics.scores(labels, predicted, who)["macro_f1_interval"] for who in owners)
    assert by_person == pytest.approx([0.0, 1.0])
    assert 0.4 < by_window[0] < 0.5 < by_window[1] < 0.6
    assert of_one is None


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
    few, many = (metrics.fit_temperature(np.tile(labels, n), np.tile(np.eye(2)[labels] * 4, (n, 1))) for n in (1, 100))
    # 11 in 12, and 1,001 in 1,002.
    assert 1 / (1 + np.exp(-4 / few)) == pytest.approx(11 / 12, abs=1e-3)
    assert 1 / (1 + np.exp(-4 / many)) == pytest.approx(1001 / 1002, abs=1e-3)


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
