"""Figures: what a person must be able to read is there and does not overlap."""

import json
import re
import subprocess
from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from running import PHONE_PAGE, bundled

import zoo
from zoo.activity import figures
from zoo.catalog import preset_metrics
from zoo.report import drawing, palette
from zoo.text import figures as trigram


def epochs(count):
    row = {"accuracy": 0.5, "val_accuracy": 0.6}
    return [{"epoch": number, "loss": 1 / number, "val_loss": 1 / number, **row} for number in range(1, count + 1)]


def test_words_at_the_same_place_are_all_to_be_read():
    names = ["he", "she", "it", *map(str, range(12))]
    figure = trigram.words(names, np.zeros((len(names), 2)))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].texts] == names
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_a_single_epoch_is_a_point_at_a_whole_number_of_a_figure_that_pyplot_does_not_show():
    figure = drawing.training(epochs(1))
    figure.canvas.draw()
    for axis in figure.axes:
        assert axis.lines[0].get_marker() == "o"
        low, high = axis.get_xlim()
        assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [1]
    assert not plt.get_fignums()


def test_lines_differ_in_more_than_color_and_are_named_at_their_ends():
    figure = drawing.training(epochs(3))
    figure.canvas.draw()
    for axis in figure.axes:
        assert axis.get_legend() is None
        assert len({line.get_linestyle() for line in axis.lines}) == 2
        names = {text.get_text(): text for text in axis.texts}
        assert set(names) == {"training", "validation"}
        assert {line.get_label(): line.get_color() for line in axis.lines} == {
            name: text.get_color() for name, text in names.items()
        }
        boxes = [text.get_window_extent() for text in names.values()]
        assert not boxes[0].overlaps(boxes[1])


def test_a_confusion_has_counts_and_shares_of_the_true_class():
    report = {
        "model": "mine", "data": "rooms/data3.h5", "confusion": [[3, 1], [0, 2]], "classes": ["up", "down"],
        "split": "test", "split_by": "subject", "macro_f1": 0.8286, "per_subject": {"a": {}, "b": {}},
    }  # fmt: skip
    figure = figures.confusion(report)
    assert figure.get_suptitle() == "mine: macro-F1 0.829\ndata3.h5, test: 2 subjects"
    random = figures.confusion({**report, "simulated": True, "split_by": "window"})
    assert random.get_suptitle().endswith("\nSIMULATED, data3.h5, test: 2 subjects, split by window")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["75%", "3", "25%", "1", "100%", "2"]


def test_bins_of_few_windows_are_hollow_and_all_bins_have_their_size():
    rows = [{"confidence": 0.5, "accuracy": 0.1, "share": 0.001}, {"confidence": 0.9, "accuracy": 0.9, "share": 0.999}]
    surer = [rows[0], {**rows[1], "confidence": 0.95}]
    report = {
        "reliability": {"before": rows, "after": surer}, "ece": {"before": 0.1, "after": 0.05}, "per_subject": {},
    }  # fmt: skip
    figure = figures.reliability(report)
    axis, below = figure.axes
    assert [len(line.get_xdata()) for line in axis.lines] == [2, 1, 1]
    assert sorted(round(bar.get_height(), 3) for bar in below.patches) == [0.001, 0.001, 0.999, 0.999]


def test_bars_of_a_single_series_are_in_the_middle_of_their_bins():
    rows = [{"confidence": 0.52, "accuracy": 0.1, "share": 0.2}, {"confidence": 0.88, "accuracy": 0.9, "share": 0.8}]
    report = {
        "reliability": {"before": rows, "after": rows}, "ece": {"before": 0.1, "after": 0.1}, "per_subject": {},
    }  # fmt: skip
    below = figures.reliability(report).axes[1]
    # The bins from 7 to 8, and from 13 to 14 fifteenths.
    assert [bar.get_x() + bar.get_width() / 2 for bar in below.patches] == pytest.approx([0.5, 0.9])


def day(*shown):
    return {"seconds": 1200.0, "true": [(0.0, "walking"), (900.0, "rowing")], "shown": list(shown)}


def test_a_day_is_drawn_in_rows_of_ten_minutes_with_the_worst_enlarged():
    report = {
        "model": "mine", "data": "day.h5", "classes": ["sitting", "walking", "rowing"],
        "timelines": {
            "ann": day((3.0, "walking"), (902.0, "rowing")), "bob": day((3.0, "walking"), (903.0, "sitting")),
        },
    }  # fmt: skip
    figure = figures.timelines(report)
    enlarged, rows = figure.axes
    names = [text.get_text() for text in rows.get_yticklabels()]
    assert names == [f"{who}{at}" for who in ("ann", "bob") for at in ("", ", from 10 min")]
    assert [text.get_text() for text in enlarged.get_yticklabels()] == ["bob, from 10 min"]
    # Wrong from five seconds after the change, at 905 s: five minutes and five seconds into this row.
    *_, wrong = enlarged.collections
    start, end = (
        float(edge) for edge in (wrong.get_paths()[0].get_extents().x0, wrong.get_paths()[0].get_extents().x1)
    )
    assert (start, end) == pytest.approx((305 / 60, 10))
    right = figures.timelines({**report, "timelines": {"ann": report["timelines"]["ann"]}})
    assert not right.axes[0].get_visible()


def test_an_activity_has_the_color_of_the_page_in_each_figure_whatever_the_others(tmp_path):
    css = next(PHONE_PAGE.glob("src/**/style.css")).read_text(encoding="utf-8")
    for paper, colors in zip(
        css.split("@media (prefers-color-scheme: dark)"), (palette.LIGHT, palette.DARK), strict=True
    ):
        assert tuple(re.findall(r"--activity-\d: (#\w{6});", paper)) == colors
    assert re.search(r"--accent: (#\w+);", css)[1] == palette.ACCENT
    sets = (["sitting", "rowing", "walking"], ["rowing", "climbing stairs", "going up", "x"], list("abcdefghi"),
            ["fast_run", "pull_ups", "re_sit", "crunches"])  # fmt: skip
    program = tmp_path / "colors.ts"
    source = next(PHONE_PAGE.glob("src/**/activities.ts"))
    program.write_text(
        f'import {{ looks }} from "{source}";\n'
        f"console.log(JSON.stringify({json.dumps(sets)}.map((classes) => looks(classes).map((look) => look.color))));"
    )
    told = subprocess.run(["node", bundled(program, tmp_path)], capture_output=True, check=True, text=True).stdout
    assert json.loads(told) == [
        [f"--activity-{palette.LIGHT.index(color)}" for color in palette.activity_colors(classes).values()]
        for classes in sets
    ]


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_figures_are_written_in_the_format_that_is_asked_for_with_the_same_bytes_each_time(form, start, tmp_path):
    test = preset_metrics("activity_gru_course")["test"]
    once, twice = (drawing.save_all(figures.evaluation(test, epochs(2), {}), tmp_path / name, form) for name in "ab")
    assert [path.name for path in once] == [
        f"{name}.{form}" for name in ("confusion", "reliability", "subjects", "training")
    ]
    assert all(path.read_bytes().startswith(start) for path in once)
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in twice]


def test_one_person_is_no_bar_chart():
    test = preset_metrics("activity_gru_course")["test"]
    alone = {**test, "per_subject": {"9": test["per_subject"]["9"]}}
    for report, drawn in ((alone, False), (test, True)):
        assert ("subjects" in figures.evaluation(report, epochs(2), {})) == drawn


def test_labels_and_people_may_have_dollars(tmp_path):
    x = np.random.default_rng(0).normal([0, 0, 9.8], 2, (4, 100, 3))
    data = zoo.load_data((x, ["$a_{$", "b", "$a_{$", "b"]), rate=50, subjects=["$\\frac{$"] * 2 + ["ann"] * 2)
    zoo.describe(data, figures=tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"minutes.png", "signals.png"}
