"""Figures of activity recognizers: confusion, reliability, subjects, timelines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from zoo.report.drawing import BLUE, GRAY, ORANGE, WIDTH, History, save_all, simulated, subplots, training
from zoo.report.markdown import label

_MOST = 24
"""Subjects in a figure of an evaluation."""
_BIN = ("confidence", "accuracy", "share")
"""Means of a bin of the reliability diagram, and its share of the windows."""
_SCALINGS = [("before", ORANGE, "s"), ("after", BLUE, "o")]
"""What the reliability diagram compares, with colors and markers."""
_BINS = 15
"""Bins of equal width in a reliability diagram, those of `zoo.activity.metrics.reliability`."""
_BAR = 0.4 / _BINS
"""Width of a bar in its lower panel."""
_GRACE = 5.0
"""Seconds after a change that a wrong label is a delay, as in `zoo.activity.streaming`."""
_FEW = 0.01
"""Share of the windows below which the accuracy of a bin says little."""


def evaluation(report: Mapping[str, Any], history: History, pictures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws all figures of an evaluation, and returns their paths. `pictures` is for other tasks."""
    drawn = {"confusion.png": confusion(report)}
    if "reliability" in report:
        drawn["reliability.png"] = reliability(report)
    if len(report["per_subject"]) > 1:
        drawn["subjects.png"] = subjects(report)
    if history:
        drawn["training.png"] = training(history)
    return save_all(drawn, folder)


def crossval(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws all figures of a cross-validation."""
    return save_all({"confusion.png": confusion(result), "subjects.png": people(result)}, folder)


def streaming(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws all figures of an evaluation of continuous recognition, and returns their paths."""
    return save_all({"timeline.png": timelines(report)}, folder) if report["timelines"] else []


def timelines(report: Mapping[str, Any]) -> Figure:
    """Draws the activities of people in turn: what they did above, what was shown below, and where that was wrong."""
    people = [*report["timelines"].items()][:_MOST]
    names = sorted({name for _, day in people for part in ("true", "shown") for _, name in day[part] if name})
    colors = dict(zip(names, mpl.color_sequences["okabe_ito"][1:] * len(names), strict=False)) | {"": "white"}
    with subplots(WIDTH, 1.3 + 0.5 * len(people), grid=False) as (figure, axis):
        for place, (_, day) in enumerate(people):
            spans = {part: _spans(day[part], day["seconds"]) for part in ("true", "shown")}
            for part, low in (("true", 0.02), ("shown", 0.35)):
                bars, labels = zip(*((span, name) for *span, name in spans[part]), strict=True)
                axis.broken_barh(bars, (place + low, 0.28), color=[colors[name] for name in labels])
            wrong = _wrong(spans["true"], spans["shown"])
            axis.broken_barh(wrong, (place + 0.66, 0.12), color="black")
        axis.set_yticks(np.arange(len(people)) + 0.4, [label(name) for name, _ in people])
        axis.set(ylim=(len(people), 0), xlabel="minutes")
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.set_title(f"{simulated(report)}above what was done, below what was shown")
        handles = [Patch(color=colors[name], label=name) for name in names]
        handles.append(Patch(color="black", label=f"wrong {_GRACE:g} s after a change or later"))
        figure.legend(handles=handles, loc="outside upper left", ncols=3, fontsize=8, handlelength=1)
    return figure


def _spans(stretches: Sequence[tuple[float, str]], seconds: float) -> list[tuple[float, float, str]]:
    ends = [*(start for start, _ in stretches[1:]), seconds]
    return [(start / 60, (end - start) / 60, name) for (start, name), end in zip(stretches, ends, strict=True)]


def _wrong(
    true: Sequence[tuple[float, float, str]], shown: Sequence[tuple[float, float, str]]
) -> list[tuple[float, float]]:
    """Start and length of each time when what was shown was not true, for longer than the delay of a change."""
    settled = [(start + _GRACE / 60, start + length, name) for start, length, name in true]
    return [
        (max(start, at), min(end, at + lasts) - max(start, at))
        for start, end, name in settled for at, lasts, label in shown
        if label != name and max(start, at) < min(end, at + lasts)
    ]  # fmt: skip


def confusion(report: Mapping[str, Any]) -> Figure:
    """Draws the confusion matrix. Colors and percentages are of each true class, numbers are windows."""
    counts = np.array(report["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = report["classes"]
    with subplots(WIDTH, 1.1 + 0.62 * len(classes), grid=False) as (figure, axis):
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        axis.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(classes)), classes)
        axis.set(xlabel="predicted", ylabel="true")
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axis.text(column, row - 0.14, f"{shares[row, column]:.0%}", ha="center", va="center", color=color)
                axis.text(column, row + 0.22, f"{count:,}", ha="center", va="center", color=color, fontsize=7.5)
        split = f", split by {report['split_by']}" if report["split_by"] else ""
        axis.set_title(f"{simulated(report)}{report['split']}{split}")
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
    with subplots(WIDTH, 5.2, rows=2, sharex=True, height_ratios=(3, 1)) as (figure, (axis, below)):
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
    with subplots(WIDTH, 1.0 + 0.26 * len(order)) as (figure, axis):
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
    with subplots(WIDTH, 1.6 + 0.26 * len(order)) as (figure, axis):
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
                 title=f"{simulated(result)}cross-validation over {result['groups']} {groups}")  # fmt: skip
        axis.set_xlim(right=1.01)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
