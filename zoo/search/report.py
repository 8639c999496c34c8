"""The report of a search: a page of Markdown, by the template `report.md.j2`."""

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

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


def _score(found: Mapping[str, Any]) -> Markup:
    """The score on test data, of which only the task knows the names."""
    return Markup(f"**{for_task(found['task']).headline(found['test'])[0]}**")


_PAGES = Pages("search/report.md.j2", score=_score)
result = _PAGES.result


def write(study: Study, folder: Path, records: Sequence[Record], found: Mapping[str, Any]) -> None:
    """Writes `report.md` and its figures into the folder of a search that has ended with a result."""
    leaders = ranked(records, study.maximize)
    names = searched(leaders)
    drawn = {"progress.png": figures.progress(records, study.measure, study.maximize)}
    if len(leaders) >= _FEWEST:
        drawn["parallel.png"] = figures.parallel(leaders, names[:_AXES], study.measure)
        drawn["pareto.png"] = figures.pareto(leaders, study.measure, study.maximize, found["chosen"])
    drawing.save_all(drawn, folder)
    plan = plan_of(next(record for record in records if record["trial"] == found["chosen"]), study.base.name)
    text = {
        "counts": Counter(record["status"] for record in records).most_common(),
        "failed": Counter(record["reason"] for record in records if record["status"] == "failed").most_common(),
        "seconds": sum(record["seconds"] for record in records), "fixed": study.pinned | dict(study.settings),
        "leaders": [(str(record["trial"]), {**record["values"], **record}) for record in leaders[:_LEADERS]],
        "keys": ["score:.4f", "epochs", "parameters", "bytes", "milliseconds", *(f"{name}:.3g" for name in names)],
        "figures": len(drawn) > 1, "command": _command(plan, study), "row": _row(plan),
    }  # fmt: skip
    md.write(folder / REPORT, _PAGES.page(study, found, text))


def _command(plan: Training, study: Study) -> str:
    """The command that trains a plan."""
    usual = Training.of(plan.family).recipe.to_json()
    changed = {name: value for name, value in plan.recipe.to_json().items() if value != usual[name]}
    settings = {**plan.arguments, **changed}
    words = [f"--set {name}={shlex.quote(json.dumps(value).strip(chr(34)))}" for name, value in settings.items()]
    return f"zoo train --model {plan.family} --data {study.data.name} --out model {' '.join(words)}"


def _row(plan: Training) -> str:
    """A plan as Python code."""
    usual = Recipe().to_json()
    changed = [f"{name}={value!r}" for name, value in plan.recipe.to_json().items() if value != usual[name]]
    return f"family={plan.family!r}, arguments={plan.arguments!r},\nrecipe=Recipe({', '.join(changed)}),"


def searched(records: Sequence[Record]) -> list[str]:
    """The hyperparameters with more than one value, in the order of the space."""
    names = dict.fromkeys(name for record in records for name in record["values"] if not name.startswith("tuner/"))
    return [name for name in names if len({repr(record["values"].get(name)) for record in records}) > 1]
