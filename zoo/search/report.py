"""The report of a search: a page of Markdown, by the template `report.md.j2`, and its figures."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import colormaps
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from zoo.recipe import Recipe
from zoo.report import drawing, for_task
from zoo.report import markdown as md
from zoo.report.drawing import BLUE, ORANGE, WIDTH, Figures, subplots
from zoo.report.markdown import Pages
from zoo.search.spaces import Study
from zoo.search.trials import TRIALS, Record, Trials, plan_of, ranked
from zoo.training import Training

REPORT = "report.md"
_LEADERS, _AXES, _FEWEST, _BOLD = 10, 12, 3, 3

_COSTS = ("epochs", "steps", "parameters", "bytes", "milliseconds")
"""Columns of the leaderboard, where they differ."""

_LETTER = 0.021
"""Width of a letter in a row of parallel coordinates, whose values go from 0 to 1."""

_UNUSED = -0.15
"""Where a value that is not used lies, left of the values from 0 to 1."""

_WIDE = 80.0
"""Where the greatest cost is so many times the least, only powers of ten are ticks, for others would collide."""

_LOGARITHMIC = 8.0
"""An axis whose greatest number is this many times its least is logarithmic."""


# Only the task knows the names of scores on test data.
_PAGES = Pages(
    "search/report.md.j2", score=lambda result: Markup(f"**{for_task(result['task']).headline(result['test'])[0]}**")
)
result = _PAGES.macro("result")


def figures(study: Study, result: Mapping[str, Any]) -> Figures:
    """Draws the figures of a search that has ended with a result, by the records of its trials."""
    records = Trials(study, Path(result["report"]).with_name(TRIALS)).all()
    leaders = ranked(records, study.maximize)
    facts = {"model": str(study.name), "data": study.data_name, "split": "validation"}
    facts["simulated"] = result["test"].get("simulated")
    drawn = {"progress": progress(records, study.measure, study.maximize, facts)}
    if len(leaders) >= _FEWEST:
        drawn["parallel"] = parallel(leaders, searched(leaders)[:_AXES], study.measure, facts)
        drawn["pareto"] = pareto(leaders, study.measure, study.maximize, result["chosen"], facts)
    return drawn


def write(study: Study, folder: Path, records: Sequence[Record], result: Mapping[str, Any]) -> None:
    """Writes `report.md` and its figures into the folder of a search that has ended with a result."""
    leaders, drawn = ranked(records, study.maximize), drawing.save_all(figures(study, result), folder)
    plan = plan_of(next(record for record in records if record["trial"] == result["chosen"]), study)
    rows = [(str(record["trial"]), {**record["values"], **record}) for record in leaders[:_LEADERS]]
    text = {
        "counts": Counter(record["status"] for record in records).most_common(),
        "failed": Counter(record["reason"] for record in records if record["status"] == "failed").most_common(),
        "seconds": sum(record["seconds"] for record in records), "fixed": study.pinned | dict(study.settings),
        "leaders": rows, "keys": ["score:.4f", *_COSTS, *map("{}:.3g".format, searched(leaders[:_LEADERS]))],
        "figures": len(drawn) > 1, "command": _command(plan, study), "row": "" if plan.function else _row(plan),
    }  # fmt: skip
    md.write(folder / REPORT, _PAGES.macro("page")(study, result, text))


def _command(plan: Training, study: Study) -> str:
    """The command that trains a plan."""
    usual = Training.of(plan.family).recipe.to_json()
    changed = {name: value for name, value in plan.recipe.to_json().items() if value != usual[name]}
    settings = {**plan.arguments, **changed}
    words = [f"--set {name}={shlex.quote(json.dumps(value).strip(chr(34)))}" for name, value in settings.items()]
    name = plan.function.source if plan.function else plan.family
    return f"zoo train --model {name} --data {shlex.quote(study.data_name)} --out model {' '.join(words)}"


def _row(plan: Training) -> str:
    """A plan as Python code."""
    usual = Recipe().to_json()
    changed = [f"{name}={value!r}" for name, value in plan.recipe.to_json().items() if value != usual[name]]
    return f"family={plan.family!r}, arguments={plan.arguments!r},\nrecipe=Recipe({', '.join(changed)}),"


def searched(records: Sequence[Record]) -> list[str]:
    """The hyperparameters with more than one value, in the order of the space."""
    names = dict.fromkeys(name for record in records for name in record["values"] if not name.startswith("tuner/"))
    return [name for name in names if len({repr(record["values"].get(name)) for record in records}) > 1]


def progress(
    records: Sequence[Record], measure: str, maximize: bool, report: Mapping[str, Any] | None = None
) -> Figure:
    """Draws the score of each trial in the order of the trials, and the best so far."""
    scored = [record for record in records if record["status"] == "scored"]
    numbers, scores = [record["trial"] for record in scored], [record["score"] for record in scored]
    best = (np.maximum if maximize else np.minimum).accumulate(scores)
    with subplots(WIDTH, 3.6) as (figure, axis):
        drawing.title(figure, report, f"{len(records)} trials")
        axis.scatter(numbers, scores, s=22, color=BLUE, label="trials", zorder=3)
        axis.step([*numbers, records[-1]["trial"]], [*best, best[-1]], where="post", color=ORANGE, label="best so far")
        axis.set(xlabel="trial", ylabel=f"{md.label(measure)} on validation")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return figure


def parallel(
    records: Sequence[Record], names: Sequence[str], measure: str, report: Mapping[str, Any] | None = None
) -> Figure:
    """Draws parallel coordinates: a row for each hyperparameter and the score, a line for each trial."""
    axes = [_axis([record["values"].get(name) for record in records]) for name in names]
    axes.append(_axis([record["score"] for record in records]))
    colors = colormaps["viridis"](np.linspace(0, 0.9, len(records)))
    with subplots(WIDTH, 1.3 + 0.55 * len(axes), grid=False) as (figure, drawn):
        drawing.title(figure, report, f"{len(records)} trials")
        for place, line in enumerate(np.column_stack([places for places, _ in axes])):
            width, order = (2.4, 5) if place < _BOLD else (1.0, 3)
            drawn.plot(line, range(len(axes)), color=colors[place], linewidth=width, zorder=order)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
        for row, (name, (places, ticks)) in enumerate(zip([*names, measure], axes, strict=True)):
            drawn.axhline(row, color="0.75", linewidth=0.8, zorder=0)
            # Above its axis, a long name takes no room from the values.
            drawn.text(_UNUSED - 0.1, row - 0.4, md.label(name), fontsize=9, va="center", zorder=6, bbox=box)
            end = -1.0
            for x, words in sorted([*ticks, *([(_UNUSED, "not used")] if _UNUSED in places else [])]):
                # Where two would collide, the second is left out.
                if x - _LETTER * len(words) / 2 < end:
                    continue
                end = x + _LETTER * (len(words) / 2 + 1)
                drawn.text(x, row, words, fontsize=8, ha="center", va="center", zorder=6, bbox=box)
        drawn.set(xlim=(_UNUSED - 0.1, 1.1), ylim=(len(axes) - 0.7, -0.6), xticks=[], yticks=[])
        drawn.spines[:].set_visible(False)
        drawn.set_xlabel(f"from the best trial (dark; {min(_BOLD, len(records))} bold) to the worst (light)")
    return figure


def _axis(values: Sequence[Any]) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Values scaled to [0, 1], or `_UNUSED`, and tick labels."""
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in known):
        names = sorted(set(known))
        at = {name: (place + 0.5) / len(names) for place, name in enumerate(names)}
        places = np.array([at.get(value, _UNUSED) for value in values])
        room = max(2, int(1 / len(names) / _LETTER) - 1)
        short = {name: name if len(name) <= room else f"{name[: room - 1]}…" for name in names}
        return places, [(x, short[name].replace("_", " ")) for name, x in at.items()]
    choices = np.unique(np.array(known, float))
    least, most = choices[0], choices[-1]
    scale = (LogNorm if least > 0 and most / least > _LOGARITHMIC else Normalize)(least, most)
    shown = choices if len(choices) <= 6 else scale.inverse(np.linspace(0, 1, 4))
    places = np.array([_UNUSED if value is None else float(scale(value)) for value in values])
    return places, [(float(scale(value)), f"{value:,.0f}" if value >= 1000 else f"{value:.3g}") for value in shown]


def pareto(
    records: Sequence[Record],
    measure: str,
    maximize: bool,
    chosen: int | None = None,
    report: Mapping[str, Any] | None = None,
) -> Figure:
    """Draws the score against parameters, kilobytes and milliseconds, with the Pareto front."""
    panels = [("parameters", "parameters", 1.0), ("bytes", "kB", 1e-3), ("milliseconds", "ms per call", 1.0)]
    panels = [panel for panel in panels if sum(record.get(panel[0]) is not None for record in records) > 1]
    scores = np.array([record["score"] for record in records])
    marked = [place for place, record in enumerate(records) if record["trial"] == chosen]
    # Below each other: a phone is narrow.
    with subplots(WIDTH, 0.5 + 2.5 * len(panels), rows=len(panels), squeeze=False) as (figure, axes):
        drawing.title(figure, report, f"{len(records)} trials")
        for axis, (name, title, factor) in zip(axes[:, 0], panels, strict=True):
            costs = np.array([np.nan if record.get(name) is None else factor * record[name] for record in records])
            known = np.flatnonzero(~np.isnan(costs))
            front = known[pareto_front(costs[known], scores[known] if maximize else -scores[known])]
            axis.scatter(costs, scores, s=18, color="0.65")
            axis.plot(
                costs[front], scores[front], "s-", color=ORANGE, markersize=5, linewidth=1.2, label="Pareto front"
            )
            axis.plot(
                costs[marked], scores[marked], "o", color="none", markeredgecolor="black", markersize=12, label="chosen"
            )
            axis.set(xscale="log", xlabel=title, ylabel=f"{md.label(measure)} on validation")
            wide = np.nanmax(costs) > _WIDE * np.nanmin(costs)
            axis.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
            axis.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x >= 100 else f"{x:.3g}")
            axis.minorticks_off()
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def pareto_front(costs: NDArray[np.float64], gains: NDArray[np.float64]) -> list[int]:
    """Indices of the Pareto front, by increasing cost: nothing that costs less gains as much."""
    front: list[int] = []
    for place in np.lexsort((-gains, costs)).tolist():
        if not front or gains[place] > gains[front[-1]]:
            front.append(place)
    return front
