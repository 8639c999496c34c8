"""Figures of activity recognizers: confusion, reliability, subjects, timelines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from zoo.activity.description import examples
from zoo.activity.following import GRACE
from zoo.errors import ArgumentError
from zoo.report.drawing import BLUE, GRAY, ORANGE, WIDTH, Figures, History, subplots, title, training
from zoo.report.markdown import count, label
from zoo.report.palette import ACCENT, WARN, activity_colors
from zoo.runtime.metadata import AXES, UNIT

_MOST = 24
"""Subjects in a figure of an evaluation, and rows of a timeline."""
_BIN = ("confidence", "accuracy", "share")
"""Means of a bin of the reliability diagram, and its share of the windows."""
_SCALINGS = [("before", ORANGE, "s"), ("after", BLUE, "o")]
"""What the reliability diagram compares, with colors and markers."""
_BINS = 15
"""Bins of equal width in a reliability diagram, those of `zoo.activity.metrics.reliability`."""
_BAR = 0.4 / _BINS
"""Width of a bar in its lower panel."""
_ROW = 10
"""Minutes of a row of a timeline."""
_NONE = "#dddddd"
"""Color of no answer."""
_SHOWN = 2
"""Seconds of the signal of an activity."""
_FEW = 0.01
"""Share of the windows below which the accuracy of a bin says little."""

_Span = tuple[float, float, str]
"""Start and length in minutes, and a label."""


def evaluation(report: Mapping[str, Any], history: History, pictures: Mapping[str, Any]) -> Figures:
    """Draws all figures of an evaluation. `pictures` is for other tasks."""
    drawn = {"confusion": confusion(report)}
    if "reliability" in report:
        drawn["reliability"] = reliability(report)
    if len(report["per_subject"]) > 1:
        drawn["subjects"] = subjects(report)
    if history:
        drawn["training"] = training(history, report)
    return drawn


def crossval(result: Mapping[str, Any]) -> Figures:
    """Draws all figures of a cross-validation."""
    return {"confusion": confusion(result), "subjects": people(result)}


def benchmark(result: Mapping[str, Any]) -> Figures:
    """Draws the scores of the methods of a benchmark and, if there are any, their ranks and their learning curves."""
    drawn = {"scores": methods(result)}
    if "mean" in result["ranks"]:
        drawn["ranks"] = critical_difference(result)
    if "learning_curve" in result["methods"][result["best"]]:
        drawn["learning_curve"] = learning_curve(result)
    return drawn


def learning_curve(result: Mapping[str, Any]) -> Figure:
    """Draws the score of each method against the number of people on whom it was trained."""
    with subplots(WIDTH, 4.4) as (figure, axis):
        title(figure, {**result, "model": "macro-F1"}, "by people in training", count(result["people"], "subject"))
        for number, (name, method) in enumerate(result["methods"].items()):
            points = [(row["people"], row["macro_f1"]) for row in method["learning_curve"].values() if row]
            color = BLUE if "parameters" in method else GRAY
            axis.plot(*zip(*points, strict=True), label=name, linewidth=1.5, marker="os^Dv"[number % 5], color=color)
        axis.set(xlabel="people in training", ylabel="macro-F1")
        axis.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def methods(result: Mapping[str, Any]) -> Figure:
    """Draws the score of each method with its interval, and below it how far each is behind the best."""
    rows, who = list(result["methods"].values()), count(result["people"], "subject")
    gaps = [row["difference"] or {"macro_f1": 0.0, "interval": None} for row in rows]
    over = ", 95% over people" if rows[0]["macro_f1_interval"] else ""
    panels = (rows, "macro_f1_interval", f"macro-F1{over}"), (gaps, "interval", f"behind {result['best']}{over}")
    with subplots(WIDTH, 1.9 + 0.56 * len(rows), rows=2) as (figure, axes):
        title(figure, {**result, "model": "macro-F1"}, "networks blue, baselines gray", who)
        for axis, (part, key, text) in zip(axes, panels, strict=True):
            for place, (row, method) in enumerate(zip(part, rows, strict=True)):
                color = BLUE if "parameters" in method else GRAY
                axis.plot(row[key] or [row["macro_f1"]] * 2, [place, place], color=color, linewidth=1.5)
                axis.plot(row["macro_f1"], place, marker="o", color=color)
            axis.set_yticks(range(len(rows)), result["methods"])
            axis.set(xlabel=text, ylim=(len(rows) - 0.5, -0.5))
    return figure


def critical_difference(result: Mapping[str, Any]) -> Figure:
    """Draws the mean ranks of methods on a line, with bars below that join those that are not told apart."""
    mean, critical, who = result["ranks"]["mean"], result["ranks"]["critical_difference"], result["ranks"]["people"]
    order, groups = sorted(mean, key=mean.__getitem__), result["ranks"]["alike"]
    half, low = (len(order) + 1) // 2, 0.35 * (len(groups) + 1)
    with subplots(1.4 * WIDTH, 1.7 + 0.3 * half + 0.12 * len(groups), grid=False) as (figure, axis):
        title(figure, {**result, "model": "mean ranks"}, "by the accuracy of each person", count(who, "subject"))
        for place, name in enumerate(order):
            side, depth = ("right", place) if place < half else ("left", len(order) - 1 - place)
            end = 0.8 if side == "right" else len(order) + 0.2
            axis.plot([mean[name], mean[name], end], [0, low + depth, low + depth], color=GRAY, linewidth=1)
            axis.text(end, low + depth, f" {name} {mean[name]:.2f} ", ha=side, va="center")
        for place, group in enumerate(groups):
            axis.plot(
                [mean[group[0]] - 0.03, mean[group[-1]] + 0.03], [0.35 * (place + 1)] * 2, color=BLUE, linewidth=3
            )
        axis.plot([1, 1 + critical], [-0.9, -0.9], color="black", marker="|")
        axis.text(1, -1.1, f"critical difference {critical:.2f}")
        axis.set(
            xlim=(0.8, len(order) + 0.2), ylim=(low + half - 0.5, -1.6), xticks=range(1, len(order) + 1), yticks=[]
        )
        axis.xaxis.tick_top()
        axis.spines[["left", "bottom"]].set_visible(False)
        axis.spines["top"].set(visible=True, position=("data", 0))
    return figure


def streaming(report: Mapping[str, Any]) -> Figures:
    """Draws all figures of an evaluation of continuous recognition."""
    return {"timeline": timelines(report)} if report["timelines"] else {}


def _who(report: Mapping[str, Any]) -> str:
    """Of how many people a report is, of how many studies, and whether their other windows were trained on."""
    studies, split = len(report.get("per_study", ())), report.get("split_by")
    known = f", split by {split}" if split not in (None, "subject", "study") else ""
    return f"{count(len(report['per_subject']), 'subject')}{f' of {studies} studies' if studies > 1 else ''}{known}"


def described(description: Mapping[str, Any], data: Any) -> Figures:
    """Draws the figures of a description of data."""
    if "minutes" not in description:
        raise ArgumentError("figures", ": applies to activities of known people alone; leave it out")
    # Recordings may all be too short for one.
    found = examples(data)
    return {"minutes": minutes(description)} | ({"signals": signals(description, found)} if found else {})


def signals(description: Mapping[str, Any], found: Mapping[str, tuple[float, NDArray[Any]]]) -> Figure:
    """Draws x, y and z of two seconds of each activity, of which the rate and the rows of a window were found."""
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    with subplots(WIDTH, 1.5 + 1.15 * rows, rows, columns, sharey=True, squeeze=False) as (figure, axes):
        title(figure, description, f"{_SHOWN} s of each activity", Path(description["file"]).name)
        for axis in axes.flat[len(found) :]:
            axis.set_visible(False)
        for axis, (name, (rate, window)) in zip(axes.flat, found.items(), strict=False):
            part = window[: round(_SHOWN * rate)]
            lines = axis.plot(np.arange(len(part)) / rate, part, linewidth=1)
            axis.set_title(fill(name, 24), fontsize=9)
            axis.set(xlim=(0, _SHOWN), xticks=range(_SHOWN + 1))
        figure.supxlabel("seconds", fontsize=10)
        figure.supylabel(UNIT, fontsize=10)
        figure.legend(lines, AXES, loc="outside upper right", ncols=3)
    return figure


def minutes(description: Mapping[str, Any]) -> Figure:
    """Draws how many minutes there are of each person and activity."""
    people: Mapping[str, Mapping[str, float]] = description["minutes"]
    activities = sorted({name for row in people.values() for name in row})
    table = np.array([[row.get(name, 0.0) for name in activities] for row in people.values()])
    longest = max(map(len, activities))
    with subplots(WIDTH, 0.9 + 0.05 * longest + 0.3 * len(people), grid=False) as (figure, axis):
        axis.imshow(1 - (table / table.max())[..., None] * (1 - np.array(to_rgb(ACCENT))), aspect="auto")
        _name_cells(axis, activities, [*people])
        for (row, column), found in np.ndenumerate(table):
            text, color = f"{found:.{int(found < 10)}f}", "white" if found > 0.6 * table.max() else "black"
            axis.text(column, row, text if found else "", ha="center", va="center", color=color)
        title(figure, description, "minutes of each person and activity", Path(description["file"]).name)
    return figure


def _name_cells(axis: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    axis.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(rows)), rows)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)


def timelines(report: Mapping[str, Any]) -> Figure:
    """Draws the activities of people in rows of ten minutes: what they did above, what was shown below, and where that
    was wrong. The ten minutes with the most of it are enlarged.
    """
    lanes = {name: _lanes(day) for name, day in report["timelines"].items()}
    rows = [(name, at) for name, day in report["timelines"].items() for at in np.arange(0, day["seconds"] / 60, _ROW)]
    wrong = [sum(max(0, min(at + lasts, start + _ROW) - max(at, start)) for at, lasts, _ in lanes[name][2])
             for name, start in rows]  # fmt: skip
    ranked = np.argsort(wrong, kind="stable")[::-1].tolist()
    drawn = [rows[number] for number in sorted(ranked[:_MOST])]
    heights = [1.5 * (len(rows) > 1 and max(wrong) > 0) + 0.01, 0.42 * len(drawn)]
    colors = activity_colors(report["classes"]) | {"": _NONE, "wrong": "black"}
    shown = "all rows" if len(drawn) == len(rows) else f"the {len(drawn)} worst of {len(rows)} rows"
    with subplots(WIDTH, 1.9 + sum(heights), rows=2, grid=False, height_ratios=heights) as (figure, axes):
        for axis, part in zip(axes, ([rows[ranked[0]]], drawn), strict=True):
            for place, (name, start) in enumerate(part):
                # What lies outside of the row is outside of the axis.
                for lane, low, high in zip(lanes[name], (0.02, 0.36, 0.7), (0.32, 0.32, 0.12), strict=True):
                    bars = [(at - start, lasts) for at, lasts, _ in lane]
                    axis.broken_barh(bars, (place + low, high), color=[colors[label] for *_, label in lane])
            names = [f"{label(name)}{f', from {start:.0f} min' if start else ''}" for name, start in part]
            axis.set_yticks(np.arange(len(part)) + 0.35, names, fontsize=8)
            axis.tick_params(axis="y", length=0)
            axis.spines["left"].set_visible(False)
            axis.set(xlim=(0, _ROW), ylim=(len(part) - 0.15, 0))
        axes[0].set_visible(heights[0] > 1)
        axes[0].set_title(f"the worst {_ROW} minutes")
        axes[1].set_title(f"{shown} of {_ROW} minutes")
        axes[1].set_xlabel("minutes")
        title(figure, report, "above what was done, below what was shown", count(len(lanes), "subject"))
        seen = {label for parts in lanes.values() for part in parts for *_, label in part}
        said = {"": "no answer", "wrong": f"wrong {GRACE:g} s after a change or later"}
        handles = [Patch(color=color, label=said.get(name, name)) for name, color in colors.items() if name in seen]
        figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8, handlelength=1)
    return figure


def _lanes(day: Mapping[str, Any]) -> tuple[list[_Span], list[_Span], list[_Span]]:
    """What was done, what was shown, and when that was wrong for longer than the delay of a change."""
    true, shown = (_spans(day[part], day["seconds"]) for part in ("true", "shown"))
    settled = [(start + GRACE / 60, start + length, name) for start, length, name in true]
    return true, shown, [
        (max(start, at), min(end, at + lasts) - max(start, at), "wrong")
        for start, end, name in settled for at, lasts, label in shown
        if label != name and max(start, at) < min(end, at + lasts)
    ]  # fmt: skip


def _spans(stretches: Sequence[tuple[float, str]], seconds: float) -> list[_Span]:
    ends = [*(start for start, _ in stretches[1:]), seconds]
    return [(start / 60, (end - start) / 60, name) for (start, name), end in zip(stretches, ends, strict=True)]


def confusion(report: Mapping[str, Any]) -> Figure:
    """Draws the confusion matrix. Colors and percentages are of each true class, numbers are windows."""
    counts = np.array(report["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = report["classes"]
    with subplots(WIDTH, 1.1 + 0.62 * len(classes), grid=False) as (figure, axis):
        # What is right in the page's green, what is wrong in its brown, as on the board of a class.
        ends = np.where(np.eye(len(classes), dtype=bool)[..., None], to_rgb(ACCENT), to_rgb(WARN))
        axis.imshow(1 - shares[..., None] * (1 - ends), aspect="auto")
        _name_cells(axis, classes, classes)
        axis.set(xlabel="predicted", ylabel="true")
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.6 else "black"
                axis.text(column, row - 0.14, f"{shares[row, column]:.0%}", ha="center", va="center", color=color)
                axis.text(column, row + 0.22, f"{count:,}", ha="center", va="center", color=color, fontsize=7.5)
        title(figure, report, f"macro-F1 {report['macro_f1']:.3f}", _who(report))
    return figure


def reliability(report: Mapping[str, Any]) -> Figure:
    """Draws accuracy against confidence, before and after temperature scaling; below, the share of windows of a bin."""
    before, after = (
        np.array([[row[name] for name in _BIN] for row in report["reliability"][key]]) for key, _, _ in _SCALINGS
    )
    # Of a temperature near 1, one curve would hide the other.
    same = before.shape == after.shape and np.allclose(before, after, atol=0.005)
    shown = _SCALINGS[1:] if same else _SCALINGS
    notes = [
        (f"{'with or without' if same else key} scaling, calibration error {report['ece'][key]:.3f}", color)
        for key, color, _ in shown
    ]
    notes.append((f"hollow: under {_FEW:.0%} of the windows", GRAY))
    with subplots(WIDTH, 5.6, rows=2, sharex=True, height_ratios=(3, 1)) as (figure, (axis, below)):
        title(figure, report, "how right it is when it is sure", _who(report))
        axis.plot([0, 1], [0, 1], color=GRAY, linewidth=1, linestyle="--")
        axis.text(0.02, 0.02, "perfectly calibrated", color=GRAY, va="bottom", rotation=45, rotation_mode="anchor",
                  transform_rotates_text=True)  # fmt: skip
        for place, (key, color, marker) in enumerate(shown):
            confidence, accuracy, share = (before if key == "before" else after).T
            many = share >= _FEW
            axis.plot(confidence[many], accuracy[many], color=color, linewidth=1)
            axis.scatter(confidence[many], accuracy[many], s=24, marker=marker, color=color, zorder=3)
            axis.scatter(confidence[~many], accuracy[~many], s=18, marker=marker, color="none", edgecolor=color)
            # The bars of all series are in the middle of their bin, whatever the mean confidence in it.
            centers = (np.floor(confidence * _BINS).clip(max=_BINS - 1) + 0.5) / _BINS
            below.bar(centers + _BAR * (place - (len(shown) - 1) / 2), share, width=_BAR, color=color)
        for height, (text, color) in enumerate(reversed(notes)):
            axis.annotate(text, (0, 1), (2, 4 + 14 * height), xycoords="axes fraction", textcoords="offset points",
                          color=color)  # fmt: skip
        axis.set(xlim=(0, 1.01), ylim=(-0.03, 1.03), ylabel="accuracy", yticks=np.linspace(0, 1, 6))
        below.set(xlabel="confidence", ylabel="windows")
        for scale in (axis.yaxis, below.yaxis, below.xaxis):
            scale.set_major_formatter(PercentFormatter(1, 0))
    return figure


def subjects(report: Mapping[str, Any]) -> Figure:
    """Draws the score of each subject, or of the worst of many, with the worst one marked.
    People of several studies do not all do the same activities, so theirs is the accuracy, else the macro-F1.
    """
    people, key = report["per_subject"], "accuracy" if "per_study" in report else "macro_f1"
    order = sorted(people, key=lambda name: people[name][key])[:_MOST]
    scores = [people[name][key] for name in order]
    with subplots(WIDTH, 1.4 + 0.26 * len(order)) as (figure, axis):
        title(figure, report, f"{label(key)} of each person", _who(report))
        bars = axis.barh(order, scores, color=[ORANGE] + [BLUE] * (len(order) - 1), height=0.75)
        for score, bar in zip(scores, bars, strict=True):
            # At the left end of a bar, away from the line; next to a bar that is too short.
            place, color = (0.0, "white") if score > 0.2 else (score, "black")
            axis.text(place + 0.015, bar.get_y() + bar.get_height() / 2, f"{score:.3f}", fontsize=8, va="center",
                      color=color)  # fmt: skip
        axis.axvline(report[key], color="black", linewidth=1, linestyle="--")
        axis.annotate(f"all windows {report[key]:.3f}", (report[key], 1), (0, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="right")  # fmt: skip
        shown = "subject" if len(order) == len(people) else f"{len(order)} worst of {len(people)} subjects"
        axis.set(xlim=(0, 1.0), xlabel=label(key), ylabel=shown)
        axis.margins(y=0.01)
        axis.grid(visible=False, axis="y")
    return figure


def people(result: Mapping[str, Any]) -> Figure:
    """Draws the accuracy of each subject in a cross-validation, with a point per seed, and the baselines."""
    scored = result["per_subject"]
    order = sorted(scored, key=lambda name: scored[name]["accuracy"], reverse=True)
    places = np.arange(len(order))
    with subplots(WIDTH, 2.0 + 0.26 * len(order)) as (figure, axis):
        title(figure, result, "accuracy of each person", _who(result))
        for number, (name, row) in enumerate(result["baselines"].items()):
            scores = [row["per_subject"].get(who, {}).get("accuracy", np.nan) for who in order]
            axis.plot(scores, places, linestyle="none", marker="^sDv"[number % 4], markersize=5, color="0.55",
                      markerfacecolor="none", label=label(name))  # fmt: skip
        for place, who in zip(places, order, strict=True):
            seeds = scored[who]["accuracy_by_seed"]
            axis.plot([min(seeds), max(seeds)], [place, place], color=BLUE, linewidth=1, alpha=0.6)
            axis.plot(seeds, [place] * len(seeds), linestyle="none", marker=".", color=BLUE, alpha=0.5)
        axis.plot([scored[who]["accuracy"] for who in order], places, linestyle="none", marker="o", color=BLUE,
                  label=result["preset"])  # fmt: skip
        axis.axvline(result["accuracy"], color=BLUE, linewidth=1, linestyle="--", label="all windows")
        axis.set_yticks(places, order)
        groups = "studies" if result["split_by"] == "study" else "groups of subjects"
        axis.set(xlabel="accuracy on the subject's windows", ylabel="subject",
                 title=f"cross-validation over {result['groups']} {groups}")  # fmt: skip
        axis.set_xlim(right=1.01)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
