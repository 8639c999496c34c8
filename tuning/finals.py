"""The end of a search: the best few again with several seeds, one choice, and one look at the test part.

A score that was the best of many was lucky, too: the best few are trained again with seeds of their own, the choice is
made on the mean, and only what was chosen is measured on test data, once.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tuning.records import TRIALS, Record, Records, plan_of
from tuning.study import Study
from tuning.trials import Trainer
from zoo.errors import ZooError
from zoo.files import atomic_folder, read_json, require_empty, write_json
from zoo.report.live import TrialBoard
from zoo.tasks import loading
from zoo.tasks.running import Run, train
from zoo.training import CHECKPOINT

RESULT = "result.json"
BEST = "best"
FINALS = "finals"
"""Names in a search's folder: what it came to, the model that it chose, and the records of the best trials again."""

_SEEDS = 10_000
"""Seeds of the finals begin this far above the study's, where no trial's is."""


def ranked(study: Study, records: list[Record]) -> list[Record]:
    """The trials with a score, the best first; of equal values only the best."""
    scored = [record for record in records if record["status"] == "scored"]
    scored.sort(key=lambda record: record["score"], reverse=study.maximize)
    unique: dict[str, Record] = {}
    for record in scored:
        drawn = {name: value for name, value in record["values"].items() if not name.startswith("tuner/")}
        unique.setdefault(repr(sorted(drawn.items())), record)
    return list(unique.values())


def require_scored(study: Study, folder: Path) -> list[Record]:
    """The records of a search, of which at least one has a score.

    Raises:
        ZooError: If none has; names the reason of the last one that failed.
    """
    records = Records(folder / TRIALS).all()
    if not any(record["status"] == "scored" for record in records):
        reasons = [record["reason"] for record in records if record["reason"]]
        last = f", the last one for this reason: {reasons[-1]}" if reasons else ""
        raise ZooError(f"{folder}: none of {len(records)} trials has a score{last}")
    return records


def decide(study: Study, folder: Path, best: int = 3, seeds: int = 3, console: Console | None = None) -> dict[str, Any]:
    """Trains the best trials again, chooses one, trains it to keep, and measures it on test data; each once.

    Args:
        study: What was searched.
        folder: Of the search.
        best: How many trials are trained again.
        seeds: How often each.
        console: Where the trainings are shown; nowhere by default.

    Returns:
        `finals`, one for each of the best trials with the `mean` and `deviation` of its `scores`, the first `chosen`;
        `training` and `test`, of the model that is kept; also in the folder as `result.json`.

    Raises:
        ZooError: If no trial has a score, or no training was repeated without a failure.
    """
    if (folder / RESULT).is_file():
        known: dict[str, Any] = read_json(folder / RESULT)
        if study.trials > known["trials"]:
            raise ZooError(
                f"{folder}: ended after {known['trials']} trials, and its model was measured on test data: name "
                "another folder for more"
            )
        return known
    records = ranked(study, require_scored(study, folder))[:best]
    title, again = f"the best {len(records)} again", Records(folder / FINALS)
    board = TrialBoard(console or Console(quiet=True), title, len(records) * seeds, study.maximize)
    trainer = Trainer(study, folder, lambda record: board.update(again.all()))
    with board.shown():
        finals = [repeat(study, trainer, record, again, seeds) for record in records]
    whole = [final for final in finals if len(final["scores"]) == seeds]
    if not whole:
        raise ZooError(f"{folder}: none of the best {len(finals)} trials could be trained again with {seeds} seeds")
    whole.sort(key=lambda final: final["mean"], reverse=study.maximize)
    chosen = whole[0]
    place = int(np.argmax(chosen["scores"]) if study.maximize else np.argmin(chosen["scores"]))
    record = again.find(_number(chosen["trial"], place))
    assert record is not None
    kept = folder / BEST
    if not (kept / "model.keras").is_file():
        run = Run(kept, resume=(kept / CHECKPOINT).is_file())
        train(plan_of(record, study.base.name), study.checked, run)
    loaded = loading.load(str(kept))
    result = {
        "task": study.task.name, "trials": study.trials, "objective": study.measure, "direction": study.direction,
        "finals": whole, "chosen": chosen["trial"], "seed": record["recipe"]["seed"],
        "training": loaded.config["training"],
        "test": study.task.evaluate(loaded, study.checked, baselines=False),
    }  # fmt: skip
    write_json(folder / RESULT, result)
    return result


def repeat(study: Study, trainer: Trainer, record: Record, again: Records, seeds: int) -> dict[str, Any]:
    """A trial with other seeds: `trial`, `score` of the trial itself, `scores`, their `mean` and `deviation`."""
    plan, scores = plan_of(record, study.base.name), []
    for place in range(seeds):
        recipe = replace(plan.recipe, seed=study.first_seed + _SEEDS + place)
        number = _number(record["trial"], place)
        name = f"{record['trial']}, seed {recipe.seed}"
        found = trainer.run(number, replace(plan, recipe=recipe), record["values"], again, name)
        scores += [found["score"]] if found["status"] == "scored" else []
    return {
        "trial": record["trial"], "score": record["score"], "values": record["values"], "scores": scores,
        "mean": float(np.mean(scores)) if scores else None,
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
    }  # fmt: skip


def _number(trial: int, place: int) -> int:
    """Of the record of a trial's repetition."""
    return 100 * trial + place


def require_room(folder: Path, preset: Path) -> None:
    """Refuses a folder for the chosen model that holds something else than this search's own.

    Raises:
        ZooError: Says what to do.
    """
    kept, saved = folder / BEST / "config.json", preset / "config.json"
    if not (kept.is_file() and saved.is_file() and read_json(kept) == read_json(saved)):
        require_empty(preset)


def save_preset(folder: Path, preset: Path) -> None:
    """Copies the model that a search chose to a folder that `Model.from_preset` takes.

    Args:
        folder: Of the search.
        preset: The new folder.
    """
    require_room(folder, preset)
    with atomic_folder(preset) as temporary:
        shutil.copytree(folder / BEST, temporary, dirs_exist_ok=True)
