"""Figures of a search: progress, parallel coordinates, importance, score against size and latency."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from zoo.report.drawing import BLUE, ORANGE, WIDTH, subplots
from zoo.report.markdown import label

Record = Mapping[str, Any]

_UNUSED = -0.15

_LOGARITHMIC = 8.0
"""An axis whose greatest number is this many times its least is logarithmic."""


def progress(records: Sequence[Record], measure: str, maximize: bool) -> Figure:
    """The score of each trial in the order of the trials, and the best so far.

    Args:
        records: Of all trials.
        measure: The objective's name.
        maximize: Whether a greater score is better.
    """
    scored = [record for record in records if record["status"] == "scored"]
    stopped = [record for record in records if record["status"] == "stopped"]
    last = [list(record["rungs"].values())[-1] for record in stopped]
    numbers, scores = [record["trial"] for record in scored], [record["score"] for record in scored]
    best = (np.maximum if maximize else np.minimum).accumulate(scores)
    with subplots(WIDTH, 3.2) as (figure, axis):
        axis.scatter(numbers, scores, s=22, color=BLUE, label="trained to the end", zorder=3)
        axis.step([*numbers, records[-1]["trial"]], [*best, best[-1]], where="post", color=ORANGE, label="best so far")
        if stopped:
            left = [record["trial"] for record in stopped]
            axis.scatter(left, last, s=16, marker="x", color="0.6", label="stopped early, last score")
        axis.set(xlabel="trial", ylabel=f"{label(measure)} on validation")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return figure


def parallel(records: Sequence[Record], names: Sequence[str], measure: str, best: int = 3) -> Figure:
    """Parallel coordinates: a row for each hyperparameter, a line for each trial, the best ones bold.

    Args:
        records: Of trials with a score, the best first, and of trials that were stopped.
        names: The rows, from the top; the score is the last.
        measure: The objective's name.
        best: How many lines are bold.
    """
    scored = sum(record["status"] == "scored" for record in records)
    axes = [_axis([record["values"].get(name) for record in records]) for name in names]
    axes.append(_axis([record["score"] for record in records]))
    lines = np.column_stack([places for places, _ in axes])
    rows = range(len(axes))
    with subplots(WIDTH, 1.3 + 0.42 * len(axes), grid=False) as (figure, drawn):
        colors = colormaps["viridis"]
        for place, (line, record) in enumerate(zip(lines, records, strict=True)):
            stopped = record["status"] != "scored"
            color = "0.8" if stopped else colors(0.9 * place / max(1, scored - 1))
            width, order = (2.4, 5) if place < min(best, scored) else (0.7, 2) if stopped else (1.0, 3)
            drawn.plot(line, rows, color=color, linewidth=width, zorder=order)
        for row, (places, ticks) in enumerate(axes):
            drawn.axhline(row, color="0.75", linewidth=0.8, zorder=0)
            for x, words in [*ticks, *([(_UNUSED, "not used")] if _UNUSED in places else [])]:
                drawn.text(
                    x, row, words, fontsize=8, ha="center", va="center", zorder=6,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
                )  # fmt: skip
        drawn.set_yticks(rows, [label(name) for name in [*names, measure]])
        drawn.set_ylim(len(axes) - 0.5, -0.5)
        drawn.set_xticks([])
        drawn.set_xlim(_UNUSED - 0.1, 1.1)
        drawn.spines[:].set_visible(False)
        drawn.tick_params(length=0)
        gray = ", stopped early in gray" if scored < len(records) else ""
        drawn.set_title(f"best {min(best, scored)} of {scored} trials bold{gray}", loc="left")
        shown = ListedColormap(colors(np.linspace(0, 0.9, 256)))
        bar = figure.colorbar(
            ScalarMappable(Normalize(1, max(2, scored)), shown), ax=drawn, orientation="horizontal", shrink=0.6,
            aspect=30, pad=0.02,
        )  # fmt: skip
        bar.set_label("rank")
        bar.ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


def _axis(values: Sequence[Any]) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Returns values scaled to [0, 1], and tick labels; values that are not used lie left of them."""
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in known):
        names = sorted(set(known))
        at = {name: (place + 0.5) / len(names) for place, name in enumerate(names)}
        places = np.array([at.get(value, _UNUSED) for value in values])
        return places, [(y, name.replace("_", " ")) for name, y in at.items()]
    choices = np.unique(np.array(known, float))
    least, most = choices[0], choices[-1]
    scale = (LogNorm if least > 0 and most / least > _LOGARITHMIC else Normalize)(least, most)
    shown = choices if len(choices) <= 6 else scale.inverse(np.linspace(0, 1, 4))
    places = np.array([_UNUSED if value is None else float(scale(value)) for value in values])
    return places, [(float(scale(value)), f"{value:.3g}") for value in shown]


def importance(found: Mapping[str, Any], most: int = 15) -> Figure:
    """Bars of permutation importance, the greatest on top.

    Args:
        found: `parameters`, each with `mean` and `deviation`, and the number of `trials`.
        most: How many bars.
    """
    shown = list(found["parameters"].items())[:most][::-1]
    with subplots(WIDTH, 0.9 + 0.27 * len(shown)) as (figure, axis):
        axis.barh(
            [label(name) for name, _ in shown], [row["mean"] for _, row in shown],
            xerr=[row["deviation"] for _, row in shown], error_kw={"linewidth": 1, "ecolor": "0.4"},
        )  # fmt: skip
        axis.set_xlim(left=0)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel("decrease of explained variance when shuffled")
        axis.set_title(f"importance for the rank of {found['trials']} trials", loc="left")
    return figure


def pareto(records: Sequence[Record], measure: str, maximize: bool, chosen: int | None = None) -> Figure:
    """Score against parameters, kilobytes and milliseconds, with the Pareto front.

    Args:
        records: Of trials with a score.
        measure: The objective's name.
        maximize: Whether a greater score is better.
        chosen: The trial that is marked.
    """
    panels = [("parameters", "parameters", 1.0), ("bytes", "kB", 1e-3), ("milliseconds", "ms per call", 1.0)]
    panels = [panel for panel in panels if sum(record.get(panel[0]) is not None for record in records) > 1]
    trials = [record["trial"] for record in records]
    with subplots(3.4 * len(panels), 3.4, columns=len(panels), sharey=True, squeeze=False) as (figure, axes):
        for axis, (name, title, factor) in zip(axes[0], panels, strict=True):
            costs = np.array([np.nan if record.get(name) is None else factor * record[name] for record in records])
            scores = np.array([record["score"] for record in records])
            known = np.flatnonzero(~np.isnan(costs))
            front = known[pareto_front(costs[known], scores[known] if maximize else -scores[known])]
            axis.scatter(costs, scores, s=18, color="0.65")
            axis.plot(
                costs[front], scores[front], "o-", color=ORANGE, markersize=5, linewidth=1.2, label="Pareto front"
            )
            if chosen in trials:
                place = trials.index(chosen)
                axis.plot(costs[place], scores[place], "o", color="none", markeredgecolor="black", markersize=12,
                          label="chosen")  # fmt: skip
            axis.set_xscale("log")
            axis.set_xlabel(title)
            _plain_ticks(axis, costs[known])
        axes[0][0].set_ylabel(f"{label(measure)} on validation")
        axes[0][0].legend(loc="lower right" if maximize else "upper right", frameon=True, framealpha=0.9)
    return figure


def _plain_ticks(axis: Axes, costs: NDArray[np.float64]) -> None:
    """A few round numbers on a logarithmic axis."""
    low, high = costs.min(), costs.max()
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    round_numbers = np.outer(powers, (1, 2, 5)).ravel()
    if high < 5 * low:
        round_numbers = np.array(MaxNLocator(3).tick_values(low / 1.1, high * 1.1))
    ticks = round_numbers[(round_numbers >= low / 1.1) & (round_numbers <= high * 1.1)]
    ticks = ticks[:: -(-len(ticks) // 4)]
    axis.set_xticks(ticks, [f"{tick:,.0f}" if tick >= 100 else f"{tick:.3g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(low / 1.15, high * 1.15)


def pareto_front(costs: NDArray[np.float64], gains: NDArray[np.float64]) -> list[int]:
    """Indices of the Pareto front, by increasing cost: nothing that costs less gains as much.

    Example:
        >>> pareto_front(np.array([3.0, 1.0, 2.0, 4.0]), np.array([0.9, 0.5, 0.4, 0.9]))
        [1, 0]
    """
    order = np.lexsort((-gains, costs))
    front: list[int] = []
    for place in order.tolist():
        if not front or gains[place] > gains[front[-1]]:
            front.append(place)
    return front
