"""Figures of activity recognizers: confusion, reliability, subjects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.report.figures.drawing import History, save_all, simulated, subplots, training
from zoo.report.markdown import label

_MOST = 24
"""Subjects in a figure of an evaluation."""


def evaluation(report: Mapping[str, Any], history: History, pictures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws all figures of an evaluation.

    Args:
        report: Result of the evaluation.
        history: Records of the epochs of the training. May be empty.
        pictures: Unused.
        folder: Folder to write to.

    Returns:
        Paths of the figures.
    """
    drawn = {"confusion.png": confusion(report)}
    if "reliability" in report:
        drawn["reliability.png"] = reliability(report)
    if report["per_subject"]:
        drawn["subjects.png"] = subjects(report)
    if history:
        drawn["training.png"] = training(history)
    return save_all(drawn, folder)


def crossval(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws all figures of a cross-validation."""
    drawn = {"confusion.png": confusion(result)}
    if result["split_by"] != "window":
        drawn["subjects.png"] = people(result)
    return save_all(drawn, folder)


def confusion(report: Mapping[str, Any]) -> Figure:
    """Draws the confusion matrix. Colors are fractions of each true class, numbers are windows."""
    counts = np.array(report["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = report["classes"]
    with subplots(5.2, 4.6, grid=False) as (figure, axis):
        picture = axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        axis.set_xticks(range(len(classes)), classes, rotation=35, ha="right")
        axis.set_yticks(range(len(classes)), classes)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        axis.spines[:].set_visible(False)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if shares[row, column] > 0.5 else "black"
                axis.text(column, row, f"{count:,}", ha="center", va="center", color=color, fontsize=8)
        axis.set_title(f"{simulated(report)}{report['split']}, split by {report['split_by']}")
        figure.colorbar(picture, ax=axis, label="share of the true class", shrink=0.8)
    return figure


def reliability(report: Mapping[str, Any]) -> Figure:
    """Draws the reliability diagram: accuracy against confidence, before and after temperature scaling."""
    with subplots(4.6, 4.2) as (figure, axis):
        axis.plot([0, 1], [0, 1], color="gray", linewidth=1, linestyle="--", label="perfectly calibrated")
        for key, color in (("before", "C0"), ("after", "C1")):
            bins = report["reliability"][key]
            places = [row["confidence"] for row in bins], [row["accuracy"] for row in bins]
            axis.plot(*places, color=color, linewidth=1, label=f"{key} scaling (error {report['ece'][key]:.3f})")
            axis.scatter(*places, s=[8 + 300 * row["share"] for row in bins], color=color, alpha=0.6, linewidth=0)
        axis.set(xlim=(0, 1.05), ylim=(0, 1.05), xlabel="confidence", ylabel="accuracy")
        axis.set_title("calibration; point areas are shares of the windows")
        axis.legend(loc="lower right")
    return figure


def subjects(report: Mapping[str, Any]) -> Figure:
    """Draws the score of each subject, or of the worst of many, with the worst one marked.

    People of several studies do not all do the same activities, so theirs is the accuracy, else the macro-F1.
    """
    people, key = report["per_subject"], "accuracy" if "per_study" in report else "macro_f1"
    order = sorted(people, key=lambda name: people[name][key])[:_MOST]
    scores = [people[name][key] for name in order]
    with subplots(5.2, 0.9 + 0.26 * len(order)) as (figure, axis):
        bars = axis.barh(order, scores, color=["C3"] + ["C0"] * (len(order) - 1))
        axis.bar_label(bars, [f"{score:.3f}" for score in scores], padding=3, fontsize=8)
        axis.axvline(report[key], color="gray", linewidth=1, linestyle="--")
        shown = "subject" if len(order) == len(people) else f"{len(order)} worst of {len(people)} subjects"
        axis.set(xlim=(0, 1.12), xlabel=f"{label(key)} (dashed: all windows)", ylabel=shown)
        axis.grid(visible=False, axis="y")
    return figure


def people(result: Mapping[str, Any]) -> Figure:
    """Draws the accuracy of each subject in a cross-validation, with a point per seed, and the baselines."""
    own = result["per_subject"]
    order = sorted(own, key=lambda name: own[name]["accuracy"], reverse=True)
    places = np.arange(len(order))
    with subplots(6.4, 1.3 + 0.26 * len(order)) as (figure, axis):
        for number, (name, row) in enumerate(result["baselines"].items()):
            scores = [row["per_subject"].get(who, {}).get("accuracy", np.nan) for who in order]
            axis.plot(scores, places, linestyle="none", marker="^sDv"[number % 4], markersize=5, color="0.55",
                      markerfacecolor="none", label=label(name))  # fmt: skip
        for place, who in zip(places, order, strict=True):
            seeds = own[who]["accuracy_by_seed"]
            axis.plot([min(seeds), max(seeds)], [place, place], color="C0", linewidth=1, alpha=0.6)
            axis.plot(seeds, [place] * len(seeds), linestyle="none", marker=".", color="C0", alpha=0.5)
        axis.plot([own[who]["accuracy"] for who in order], places, linestyle="none", marker="o", color="C0",
                  label=result["preset"])  # fmt: skip
        axis.axvline(result["accuracy"], color="C0", linewidth=1, linestyle="--", label="all windows")
        axis.set_yticks(places, order)
        groups = "studies" if result["split_by"] == "study" else "groups of subjects"
        axis.set(xlabel="accuracy on the subject's windows", ylabel="subject",
                 title=f"{simulated(result)}cross-validation over {result['groups']} {groups}")  # fmt: skip
        axis.set_xlim(right=1.01)
        figure.legend(loc="outside lower center", ncols=3)
    return figure
