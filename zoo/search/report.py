"""The report of a search: a page of Markdown, by the template `report.md.j2`."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.recipe import Recipe
from zoo.report import drawing, for_task
from zoo.report import markdown as md
from zoo.report.pages import Pages
from zoo.search import figures
from zoo.search.study import Study
from zoo.search.trials import Record, plan_of, ranked
from zoo.training import Training

REPORT = "report.md"
_LEADERS, _AXES, _FEWEST = 10, 12, 3
_PAGES = Pages("search/report.md.j2")


def result(found: Mapping[str, Any]) -> str:
    """Renders the result of a search."""
    return _PAGES.result(found, _finals(found), _test_score(found))


def write(study: Study, folder: Path, records: Sequence[Record], found: Mapping[str, Any]) -> None:
    """Writes `report.md` and its figures into the folder of a search that has ended with a result."""
    leaders = ranked(records, study.maximize)
    drawn = {"progress.png": figures.progress(records, study.measure, study.maximize)}
    if len(leaders) >= _FEWEST:
        drawn["parallel.png"] = figures.parallel(leaders, searched(leaders)[:_AXES], study.measure)
        drawn["pareto.png"] = figures.pareto(leaders, study.measure, study.maximize, found["chosen"])
    drawing.save_all(drawn, folder)
    plan = plan_of(next(record for record in records if record["trial"] == found["chosen"]), study.base.name)
    counts = Counter(record["status"] for record in records)
    limits = {"parameters": study.limits.parameters, "bytes": study.limits.bytes, "ms per call": study.limits.latency}
    failed = Counter(record["reason"] for record in records if record["status"] == "failed")
    validation = found["training"]["validation"] or {}
    scores = [key for key, value in validation.items() if isinstance(value, float)]
    people = f" on {md.subjects(validation['subjects'])}" if validation.get("subjects") else ""
    keys = ("score:.4f", "epochs", "parameters", "bytes", "milliseconds", *(f"{key}:.3g" for key in searched(leaders)))
    text = {
        "split": f"{study.groups} groups of people, each left out in turn" if study.groups > 1 else "one split",
        "limits": "".join(f", at most {limit:,} {unit}" for unit, limit in limits.items() if limit is not None),
        "trials": f"{md.count(len(records), 'trial')}: {', '.join(f'{n} {name}' for name, n in counts.most_common())}",
        "seconds": sum(record["seconds"] for record in records), "fixed": study.pinned | dict(study.settings),
        "validation": md.say(validation, *scores) + people, "command": _command(plan, study), "row": _row(plan),
        "leaderboard": md.columns(
            [(str(record["trial"]), {**record["values"], **record}) for record in leaders[:_LEADERS]], keys, "trial"
        ),
        "figures": len(leaders) >= _FEWEST,
        "failed": failed and md.columns(
            [(md.escape(why), {"trials": number}) for why, number in failed.most_common()], ["trials"], "reason"
        ),
    }  # fmt: skip
    md.write(folder / REPORT, _PAGES.page(study, found, _finals(found), _test_score(found), text))


def _finals(found: Mapping[str, Any]) -> str:
    rows = [
        (f"**{final['trial']} (chosen)**" if final["trial"] == found["chosen"] else str(final["trial"]), final)
        for final in found["finals"]
    ]
    return md.columns(rows, ("score:.4f", "mean:.4f", "deviation:.4f", "scores:.4f"), "trial")


def _test_score(found: Mapping[str, Any]) -> str:
    measured = for_task(found["task"]).headline(found["test"])[0]
    return f"**{measured}**{' on SIMULATED data' if found['test']['simulated'] else ''}"


def _command(plan: Training, study: Study) -> str:
    """Returns the command that trains a plan."""
    usual = Training.of(plan.family).recipe.to_json()
    changed = {name: value for name, value in plan.recipe.to_json().items() if value != usual[name]}
    settings = {**plan.arguments, **changed}
    words = [f"--set {name}={shlex.quote(json.dumps(value).strip(chr(34)))}" for name, value in settings.items()]
    return f"zoo train --model {plan.family} --data {study.data.name} --out model {' '.join(words)}"


def _row(plan: Training) -> str:
    """Renders a plan as Python code."""
    usual = Recipe().to_json()
    changed = [f"{name}={value!r}" for name, value in plan.recipe.to_json().items() if value != usual[name]]
    return f"family={plan.family!r}, arguments={plan.arguments!r},\nrecipe=Recipe({', '.join(changed)}),"


def searched(records: Sequence[Record]) -> list[str]:
    """Lists the hyperparameters with more than one value, in the order of the space."""
    names = dict.fromkeys(name for record in records for name in record["values"] if not name.startswith("tuner/"))
    return [name for name in names if len({repr(record["values"].get(name)) for record in records}) > 1]
