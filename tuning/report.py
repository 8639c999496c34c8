"""The report of a search: what was searched, what it came to, and how sure that is; a page of Markdown with figures."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuning.finals import BEST, ranked
from tuning.importance import importance, searched
from tuning.records import TRIALS, Record, Records, plan_of
from tuning.study import Study
from zoo.files import atomic_write
from zoo.recipes import Recipe
from zoo.report.cards.page import table
from zoo.report.figures import drawing
from zoo.report.figures import search as figures
from zoo.report.tables.layout import number
from zoo.tasks import planning
from zoo.tasks.running import Plan

REPORT = "report.md"
_LEADERS, _AXES, _FEWEST = 10, 12, 3


def write(study: Study, folder: Path, result: Mapping[str, Any]) -> Path:
    """Writes `report.md` and its figures into the folder of a search that has ended.

    Args:
        study: What was searched.
        folder: Of the search.
        result: What `finals.decide` gave.

    Returns:
        The page.
    """
    records = Records(folder / TRIALS).all()
    leaders = ranked(study, records)
    mattered = importance(records, study.maximize)
    chosen = next(record for record in records if record["trial"] == result["chosen"])
    parts = [
        f"# Search of {study.target}", _searched(study, records), "## What it came to", _finals(study, result),
        _choice(study, result, plan_of(chosen, study.base.name)), "## Leaderboard", _leaderboard(study, leaders),
        *_drawn(study, folder, records, leaders, mattered, result["chosen"]), *_unscored(records),
    ]  # fmt: skip
    path = folder / REPORT
    with atomic_write(path) as temporary:
        temporary.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path


def _searched(study: Study, records: Sequence[Record]) -> str:
    counts = Counter(record["status"] for record in records)
    seconds = sum(record["seconds"] for record in records)
    limits = [
        f"at most {limit:,} {words}"
        for limit, words in (
            (study.limits.parameters, "parameters"), (study.limits.bytes, "bytes"), (study.limits.latency, "ms a call"),
        )
        if limit is not None
    ]  # fmt: skip
    on = f"{study.groups} groups of people, each left out in turn" if study.groups > 1 else "one split"
    fixed = [f"{name} {value}" for name, value in (study.pinned | dict(study.settings)).items()]
    return (
        f"{study.strategy.capitalize()} search of the space `{study.space or 'full'}` on {study.data.name} "
        f"for the {'highest' if study.maximize else 'lowest'} {study.measure} on validation ({on}, split by seed "
        f"{study.first_seed}), up to {study.epochs} epochs a trial{', ' if limits else ''}{', '.join(limits)}. "
        f"{len(records)} trials: {', '.join(f'{count} {status}' for status, count in counts.most_common())}; "
        f"{seconds / 60:.0f} minutes of training. Stopped trials were left early, as others were ahead of them; "
        f"refused ones are above a limit and were not trained. Fixed: {', '.join(fixed) or 'nothing'}."
    )


def _finals(study: Study, result: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{final['trial']}{' (chosen)' if final['trial'] == result['chosen'] else ''}", f"{final['score']:.4f}",
            f"{final['mean']:.4f}", number(final["deviation"], 4),
            ", ".join(f"{score:.4f}" for score in final["scores"]),
        )
        for final in result["finals"]
    ]  # fmt: skip
    head = ("trial", "in the search", f"mean {study.measure}", "deviation", "each seed")
    return (
        f"The best trials again, with seeds that the search did not use:\n\n{table(head, rows)}\n\n"
        "The score in the search was the best of many and flatters; the mean over the seeds is what counts."
    )


def _choice(study: Study, result: Mapping[str, Any], plan: Plan) -> str:
    training = result["training"]
    validation = training["validation"] or {}
    known = {key: value for key, value in validation.items() if isinstance(value, float)}
    people = f" on subjects {', '.join(validation['subjects'])}" if validation.get("subjects") else ""
    return (
        f"Trial {result['chosen']} was chosen, and trained once more with seed {result['seed']} to be kept, in "
        f"`{BEST}/`: {training['parameters']:,} parameters, validation "
        f"{', '.join(f'{key} {value:.4f}' for key, value in known.items())}{people}. Measured on test data once, "
        f"after all choices: **{_measured(study.task.name, result['test'])}**.\n\nTrain it again:\n\n"
        f"    {command(plan, study)}\n\nAs a row of `zoo/presets.py`:\n\n```python\n{row(plan)}\n```"
    )


def _measured(kind: str, test: Mapping[str, Any]) -> str:
    simulated = ", on SIMULATED data" if test["simulated"] else ""
    if kind == "activity":
        low, high = test["macro_f1_interval"]
        over = "people" if test["per_subject"] else "windows"
        return f"macro-F1 {test['macro_f1']:.3f} ({low:.3f} to {high:.3f} over {over}){simulated}"
    if kind == "autoencoder":
        return f"error a pixel {test['mse']:.5f}{simulated}"
    return f"cross-entropy {test['cross_entropy']:.3f}, top-1 {test['top1']:.2%}{simulated}"


def command(plan: Plan, study: Study) -> str:
    """The command that trains a plan."""
    usual = planning.plan(None, plan.family, {}).recipe.to_json()
    changed = {name: value for name, value in plan.recipe.to_json().items() if value != usual[name]}
    settings = {**plan.arguments, **changed}
    words = [f"--set {name}={shlex.quote(json.dumps(value).strip(chr(34)))}" for name, value in settings.items()]
    return f"zoo train --model {plan.family} --data {study.data.name} --out model {' '.join(words)}"


def row(plan: Plan) -> str:
    """A plan as Python."""
    usual = Recipe().to_json()
    changed = [f"{name}={value!r}" for name, value in plan.recipe.to_json().items() if value != usual[name]]
    return f"family={plan.family!r}, arguments={plan.arguments!r},\nrecipe=Recipe({', '.join(changed)}),"


def _leaderboard(study: Study, leaders: Sequence[Record]) -> str:
    names = searched(leaders)
    head = ("trial", study.measure, "epochs", "parameters", "kB", "ms", *names)
    rows = [
        (
            str(record["trial"]), f"{record['score']:.4f}", str(record["epochs"]), f"{record['parameters']:,}",
            "-" if record["bytes"] is None else f"{record['bytes'] / 1000:.1f}", number(record["milliseconds"]),
            *(_value(record["values"].get(name)) for name in names),
        )
        for record in leaders[:_LEADERS]
    ]  # fmt: skip
    return table(head, rows)


def _value(value: Any) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _drawn(
    study: Study, folder: Path, records: Sequence[Record], leaders: Sequence[Record], mattered: Mapping[str, Any],
    chosen: int,
) -> list[str]:  # fmt: skip
    """Figures, each with what it shows."""
    measure, maximize = study.measure, study.maximize
    parts = ["## Progress", _figure(folder, "progress.png", figures.progress(records, measure, maximize))]
    if len(leaders) >= _FEWEST:
        names = [*mattered["parameters"]] or searched(leaders)
        stopped = [record for record in records if record["status"] == "stopped"]
        order = [name for name in searched([*leaders, *stopped]) if name in names[:_AXES]]
        parts += [
            "## Trials side by side",
            _figure(folder, "parallel.png", figures.parallel([*leaders, *stopped], order, measure)),
            "## Score against size and latency",
            _figure(folder, "pareto.png", figures.pareto(leaders, measure, maximize, chosen)),
            "On the front are the trials that nothing smaller, or faster, beats. Sizes are of the int8 file, or of the "
            "dynamic-range one where the family has none; times are medians of a call on one thread of this machine, "
            "which is a frame for a recognizer's int8 file. They are measured for the best trials, and where they are "
            "limited for all that were trained.",
        ]  # fmt: skip
    parts.append("## What mattered")
    if mattered["parameters"]:
        parts += [
            _figure(folder, "importance.png", figures.importance(mattered)),
            "Permutation importance in a random forest that predicts how far up a trial came: its score, and below all "
            "scores the trials that were stopped early, by where. On trials that it did not see the forest explains "
            f"{max(0.0, mattered['explained']):.0%} of the variance of the ranks, so trust it as far. It says what "
            "mattered within the bounds that were searched.",
        ]
    else:
        parts.append(f"{mattered['trials']} trials are too few to say.")
    return parts


def _figure(folder: Path, name: str, figure: Any) -> str:
    drawing.save(figure, folder / name)
    return f"![{name.removesuffix('.png')}]({name})"


def _unscored(records: Sequence[Record]) -> list[str]:
    reasons = Counter(record["reason"] for record in records if record["status"] == "failed")
    if not reasons:
        return []
    rows = [(reason, str(count)) for reason, count in reasons.most_common()]
    return ["## Trials that failed", table(("reason", "trials"), rows)]
