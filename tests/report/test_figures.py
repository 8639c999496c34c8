"""Figures: what a person must be able to read is there and does not overlap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from zoo.activity import figures
from zoo.activity.metrics import reliability
from zoo.patches import figures as autoencoder
from zoo.report import drawing
from zoo.text import figures as trigram


@settings(max_examples=20, deadline=None)
@given(count=st.integers(2, 40), seed=st.integers(0, 99))
def test_boxes_that_overlap_are_moved_apart_and_others_stay(count, seed):
    random = np.random.default_rng(seed)
    centers, sizes = random.uniform(0, 5, (count, 2)), random.uniform(0.1, 1, (count, 2))
    moved = trigram.without_overlaps(np.vstack([centers, [[99.0, 99.0]]]), np.vstack([sizes, [[1.0, 1.0]]]))
    np.testing.assert_array_equal(moved[-1], [99.0, 99.0])
    moved = moved[:-1]
    gaps = np.abs(moved[:, None] - moved) - (sizes[:, None] + sizes) / 2
    assert (gaps.max(axis=2) > -1e-6)[~np.eye(count, dtype=bool)].all()


def test_words_at_the_same_place_are_all_to_be_read():
    figure = trigram.words(["he", "she", "it"], np.zeros((3, 2)))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].texts] == ["he", "she", "it"]
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(3) for j in range(i))
    plt.close(figure)


def test_a_single_epoch_is_a_point_at_a_whole_number():
    figure = drawing.training([{"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4}])
    figure.canvas.draw()
    for axis in figure.axes:
        assert axis.lines[0].get_marker() == "o"
        low, high = axis.get_xlim()
        assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [1]
    plt.close(figure)


def test_no_term_of_the_cost_is_below_the_picture_in_the_end():
    history = [{"epoch": e, "error": 1.0, "weights": 0.05, "sparsity": 10.0 ** (-6 + e)} for e in range(1, 4)]
    figure = autoencoder.cost(history)
    bottom, _ = figure.axes[0].get_ylim()
    assert 0 < bottom < 1e-3
    plt.close(figure)


def test_a_term_of_the_cost_keeps_its_color_where_another_is_not_drawn():
    def color(weights):
        axis = autoencoder.cost([{"epoch": 1, "error": 1.0, "weights": weights, "sparsity": 0.1}]).axes[0]
        return next(line.get_color() for line in axis.lines if line.get_label() == "sparsity")

    assert color(0.0) == color(0.5) == drawing.GREEN
    plt.close("all")


@given(heights=st.lists(st.floats(0, 1), max_size=6))
def test_names_of_lines_are_moved_apart_in_their_order(heights):
    moved = drawing.apart(heights, 0.1)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    assert all(moved[b] - moved[a] >= 0.1 - 1e-5 for a, b in pairwise(order))
    assert sum(moved) == pytest.approx(sum(heights), abs=1e-4)


def test_lines_are_named_at_their_ends_in_their_colors():
    history = [
        {"epoch": e, "loss": 1.0 / e, "accuracy": 0.5, "val_loss": 1.0 / e, "val_accuracy": 0.6} for e in (1, 2, 3)
    ]
    figure = drawing.training(history)
    figure.canvas.draw()
    for axis in figure.axes:
        assert axis.get_legend() is None
        names = {text.get_text(): text for text in axis.texts}
        assert set(names) == {"training", "validation"}
        assert {line.get_label(): line.get_color() for line in axis.lines} == {
            name: text.get_color() for name, text in names.items()
        }
        boxes = [text.get_window_extent() for text in names.values()]
        assert not boxes[0].overlaps(boxes[1])
    plt.close(figure)


def test_a_confusion_has_counts_and_shares_of_the_true_class():
    report = {"confusion": [[3, 1], [0, 2]], "classes": ["up", "down"], "split": "test", "split_by": "subject"}
    figure = figures.confusion(report)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["75%", "3", "25%", "1", "100%", "2"]
    plt.close(figure)


def test_bins_of_few_windows_are_hollow_and_all_bins_have_their_size():
    rows = [{"confidence": 0.5, "accuracy": 0.1, "share": 0.001}, {"confidence": 0.9, "accuracy": 0.9, "share": 0.999}]
    surer = [rows[0], {**rows[1], "confidence": 0.95}]
    report = {"reliability": {"before": rows, "after": surer}, "ece": {"before": 0.1, "after": 0.05}}
    figure = figures.reliability(report)
    axis, below = figure.axes
    assert [len(line.get_xdata()) for line in axis.lines] == [2, 1, 1]
    assert sorted(round(bar.get_height(), 3) for bar in below.patches) == [0.001, 0.001, 0.999, 0.999]
    plt.close(figure)


def test_two_curves_of_reliability_that_are_the_same_are_one():
    rows = [{"confidence": 0.9, "accuracy": 0.8, "share": 1.0}]
    nearly = [{**rows[0], "confidence": 0.901}]
    figure = figures.reliability(
        {"reliability": {"before": nearly, "after": rows}, "ece": {"before": 0.1, "after": 0.1}}
    )
    axis, below = figure.axes
    assert len(below.patches) == 1
    assert [text.get_text() for text in axis.texts if "calibration error" in text.get_text()] == [
        "with or without scaling, calibration error 0.100"
    ]
    plt.close(figure)


def test_no_bars_of_neighboring_bins_overlap_and_what_is_perfect_runs_along_its_line():
    # A window in the lowest and the highest place of each bin.
    confidence = np.linspace(0.5, 0.9999, 3000)
    probabilities = np.column_stack([confidence, 1 - confidence])
    low, high = confidence * 15 % 1 < 0.1, confidence * 15 % 1 > 0.9
    bins = {
        key: reliability(np.zeros(where.sum(), int), probabilities[where])
        for key, where in (("before", high), ("after", low))
    }
    report = {"reliability": bins, "ece": {"before": 0.1, "after": 0.05}}
    figure = figures.reliability(report)
    figure.canvas.draw()
    axis, below = figure.axes
    assert len(below.patches) == sum(map(len, bins.values())) > 10
    bars = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in below.patches)
    assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(bars))
    (text,) = (text for text in axis.texts if text.get_text() == "perfectly calibrated")
    (x, y), (right, top) = axis.transData.transform([(0, 0), (1, 1)])
    assert text.get_rotation() == pytest.approx(np.degrees(np.arctan2(top - y, right - x)))
    plt.close(figure)


def test_the_line_of_all_windows_strikes_no_score_through():
    people = {f"p{i}": {"macro_f1": score} for i, score in enumerate((0.1, 0.3, 0.8, 0.83, 0.9))}
    figure = figures.subjects({"per_subject": people, "macro_f1": 0.8})
    figure.canvas.draw()
    (axis,) = figure.axes
    x, _ = axis.transData.transform((0.8, 0))
    scores = [text for text in axis.texts if text.get_text() in {f"{row['macro_f1']:.3f}" for row in people.values()}]
    assert len(scores) == len(people)
    assert not any(text.get_window_extent().x0 <= x <= text.get_window_extent().x1 for text in scores)
    plt.close(figure)
