"""The report of a search: a page of Markdown with the study, the results, their reliability, and figures."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import planning
from zoo.recipe import Recipe
from zoo.report import drawing
from zoo.report import markdown as md
from zoo.search import figures, summary
from zoo.search.finals import BEST, ranked
from zoo.search.importance import importance, searched
from zoo.search.records import TRIALS, Record, Records, plan_of
from zoo.search.study import Study
from zoo.training import Training

REPORT = "report.md"
_LEADERS, _AXES, _FEWEST = 10, 12, 3


def write(study: Study, folder: Path, result: Mapping[str, Any]) -> Path:
    """Writes `report.md` and its figures into the folder of a search that has ended.

    Args:
        study: Study that was searched.
        folder: Folder of the search.
        result: Result of the search, as in its `result.json`.

    Returns:
        Path of the page.
    """
    records = Records(folder / TRIALS).all()
    leaders, mattered = ranked(study, records), importance(records, study.maximize)
    chosen = next(record for record in records if record["trial"] == result["chosen"])
    drawn = _drawn(study, records, leaders, mattered, result["chosen"])
    drawing.save_all(drawn, folder)
    failed = Counter(record["reason"] for record in records if record["status"] == "failed")
    text = md.page(
        f"# Search of {study.target}",
        _searched(study, records),
        md.section(
            "Results", summary.finals(result), summary.against_default(result),
            _choice(study, result, plan_of(chosen, study.base.name)),
        ),
        md.section("Leaderboard", _leaderboard(study, leaders)),
        md.section("Progress", "![progress](progress.png)"),
        *(_sides() if "parallel.png" in drawn else ()),
        md.section("Importance of the hyperparameters", _mattered(mattered)),
        md.section(
            "Failed trials",
            md.columns([(md.escape(why), {"trials": number}) for why, number in failed.most_common()], ["trials"],
                       "reason") if failed else "",
        ),
    )  # fmt: skip
    return md.write(folder / REPORT, text)


def _searched(study: Study, records: Sequence[Record]) -> str:
    counts = Counter(record["status"] for record in records)
    limits = {"parameters": study.limits.parameters, "bytes": study.limits.bytes, "ms per call": study.limits.latency}
    bounded = [f"at most {limit:,} {unit}" for unit, limit in limits.items() if limit is not None]
    on = f"{study.groups} groups of people, each left out in turn" if study.groups > 1 else "one split"
    fixed = study.pinned | dict(study.settings)
    return (
        f"{study.strategy.capitalize()} search of the space `{study.space or 'full'}` on {md.escape(study.data.name)} "
        f"for the {'highest' if study.maximize else 'lowest'} {md.label(study.measure)} on validation ({on}, split "
        f"seed {study.first_seed}), {', '.join([f'up to {study.epochs} epochs per trial', *bounded])}. "
        f"{md.count(len(records), 'trial')}: {', '.join(f'{number} {name}' for name, number in counts.most_common())}; "
        f"{md.duration(sum(record['seconds'] for record in records))} of training. Stopped trials were ended early "
        "because others were better; refused trials are above a limit and were not trained. Fixed: "
        f"{md.show(fixed) if fixed else 'nothing'}."
    )


def _choice(study: Study, result: Mapping[str, Any], plan: Training) -> str:
    training = result["training"]
    validation = training["validation"] or {}
    scores = [key for key, value in validation.items() if isinstance(value, float)]
    people = f" on {md.subjects(validation['subjects'])}" if validation.get("subjects") else ""
    return (
        f"Trial {result['chosen']} was chosen and trained once more with seed {result['seed']}; the model is in "
        f"`{BEST}/`: {md.count(training['parameters'], 'parameter')}, validation {md.say(validation, *scores)}"
        f"{people}. The test data were used once, after all choices: {summary.test_score(result)}.\n\n"
        f"Train it again:\n\n    {command(plan, study)}\n\nAs a row of `zoo/presets.py`:\n\n```python\n{row(plan)}\n```"
    )


def command(plan: Training, study: Study) -> str:
    """Returns the command that trains a plan."""
    usual = planning.plan(plan.family).recipe.to_json()
    changed = {name: value for name, value in plan.recipe.to_json().items() if value != usual[name]}
    settings = {**plan.arguments, **changed}
    words = [f"--set {name}={shlex.quote(json.dumps(value).strip(chr(34)))}" for name, value in settings.items()]
    return f"zoo train --model {plan.family} --data {study.data.name} --out model {' '.join(words)}"


def row(plan: Training) -> str:
    """Renders a plan as Python code."""
    usual = Recipe().to_json()
    changed = [f"{name}={value!r}" for name, value in plan.recipe.to_json().items() if value != usual[name]]
    return f"family={plan.family!r}, arguments={plan.arguments!r},\nrecipe=Recipe({', '.join(changed)}),"


def _leaderboard(study: Study, leaders: Sequence[Record]) -> str:
    names = searched(leaders)
    keys = ("score:.4f", "epochs", "parameters", "bytes", "milliseconds", *(f"{name}:.3g" for name in names))
    rows = [(str(record["trial"]), {**record["values"], **record}) for record in leaders[:_LEADERS]]
    return md.page(f"The score is the {md.label(study.measure)} on validation.", md.columns(rows, keys, "trial"))


def _drawn(
    study: Study, records: Sequence[Record], leaders: Sequence[Record], mattered: Mapping[str, Any], chosen: int
) -> dict[str, Any]:
    """Draws the figures, by the names of their files."""
    measure, maximize = study.measure, study.maximize
    drawn = {"progress.png": figures.progress(records, measure, maximize)}
    if len(leaders) >= _FEWEST:
        names = [*mattered["parameters"]] or searched(leaders)
        trials = [*leaders, *(record for record in records if record["status"] == "stopped")]
        order = [name for name in searched(trials) if name in names[:_AXES]]
        drawn["parallel.png"] = figures.parallel(trials, order, measure)
        drawn["pareto.png"] = figures.pareto(leaders, measure, maximize, chosen)
    if mattered["parameters"]:
        drawn["importance.png"] = figures.importance(mattered)
    return drawn


def _sides() -> list[str]:
    return [
        md.section("Trials", "![A line for each trial through the values it tried, down to its score](parallel.png)"),
        md.section(
            "Score against size and latency",
            "![Score of each trial against its size and its time per call, the best trials joined](pareto.png)",
            "The front consists of the trials that no smaller, or faster, trial beats. Sizes are those of the int8 "
            "file, or of the dynamic-range file if the family has none. Times are medians per call on one thread of "
            "this machine; a call of a recognizer's int8 file reads one frame. They are measured for the best trials, "
            "and for all trained trials if the search limits them.",
        ),
    ]


def _mattered(mattered: Mapping[str, Any]) -> str:
    if not mattered["parameters"]:
        return f"{md.count(mattered['trials'], 'trial')} are too few to estimate it."
    return md.page(
        "![importance](importance.png)",
        "Permutation importance in a random forest that predicts the rank of a trial from its hyperparameters; trials "
        "that were stopped early rank below all scores, by when they were stopped. On held-out trials the forest "
        f"explains {max(0.0, mattered['explained']):.0%} of the variance of the ranks, which limits how reliable the "
        "importance is. It applies only within the bounds of the search.",
    )
