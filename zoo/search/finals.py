"""The last part of a search: the best trials are trained again with several seeds, and one is chosen and tested.

The best score of many trials is partly luck. So the best trials are trained again with other seeds, the choice is made
by the mean, and only the chosen model is evaluated on test data, once.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import loading
from zoo.errors import ZooError
from zoo.files import atomic_folder, read_json, require_empty, write_json
from zoo.search.records import TRIALS, Record, Records, new_record, plan_of
from zoo.search.study import Study
from zoo.search.trials import Show, Trainer
from zoo.training import CHECKPOINT, Training

RESULT = "result.json"
BEST = "best"
FINALS = "finals"
"""In the folder of a search: the result, the chosen model, and the records of the best trials with other seeds."""

_SEEDS = 10_000
"""Offset from the study's seed to those of the finals, above the seeds of all trials."""


def ranked(study: Study, records: list[Record]) -> list[Record]:
    """Returns the scored trials, the best first. Of trials with equal values only the best is included."""
    scored = [record for record in records if record["status"] == "scored"]
    scored.sort(key=lambda record: record["score"], reverse=study.maximize)
    unique: dict[str, Record] = {}
    for record in scored:
        drawn = {name: value for name, value in record["values"].items() if not name.startswith("tuner/")}
        unique.setdefault(repr(sorted(drawn.items())), record)
    return list(unique.values())


def known(study: Study, folder: Path) -> dict[str, Any] | None:
    """Returns the result of a search that has ended, or None.

    Raises:
        ZooError: If it ended after fewer trials than the study has.
    """
    if not (folder / RESULT).is_file():
        return None
    result: dict[str, Any] = read_json(folder / RESULT)
    if study.trials > result["trials"]:
        raise ZooError(
            f"{folder}: ended after {result['trials']} trials, and its model was measured on test data: choose another "
            "folder for more"
        )
    return result


def repeat(
    study: Study, folder: Path, best: int = 3, seeds: int = 3, show: Show = lambda records: None
) -> list[dict[str, Any]]:
    """Trains the best trials again.

    Args:
        study: Study that was searched.
        folder: Folder of the search.
        best: Number of trials to train again.
        seeds: Number of seeds with which each of them is trained.
        show: Function that is called with all records of the finals whenever one changes.

    Returns:
        One record for each of the best trials, with the `mean` and `deviation` of its `scores`. The first one is
        chosen.

    Raises:
        ZooError: If no trial has a score, or none of the best could be trained again with all seeds.
    """
    records = Records(folder / TRIALS).all()
    leaders = ranked(study, records)[:best]
    if not leaders:
        reasons = [record["reason"] for record in records if record["reason"]]
        last = f", the last one for this reason: {reasons[-1]}" if reasons else ""
        raise ZooError(f"{folder}: none of {len(records)} trials has a score{last}")
    trainer = Trainer(study, folder, FINALS, show)
    finals = [_repeat(trainer, record, seeds) for record in leaders]
    whole = [final for final in finals if len(final["scores"]) == seeds]
    if not whole:
        raise ZooError(f"{folder}: none of the best {len(finals)} trials could be trained again with {seeds} seeds")
    return sorted(whole, key=lambda final: final["mean"], reverse=study.maximize)


def plan_of_chosen(study: Study, folder: Path, finals: Sequence[dict[str, Any]]) -> Training:
    """Returns the plan of the chosen trial, with the seed that scored best.

    Args:
        study: Study that was searched.
        folder: Folder of the search.
        finals: The result of `repeat`.
    """
    scores = finals[0]["scores"]
    place = int(np.argmax(scores) if study.maximize else np.argmin(scores))
    return plan_of(Records(folder / FINALS).read(_number(finals[0]["trial"], place)), study.base.name)


def decide(
    study: Study, folder: Path, finals: Sequence[dict[str, Any]], plan: Training,
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[str, Any]:  # fmt: skip
    """Trains the model that is saved, and evaluates it on test data once.

    Args:
        study: Study that was searched.
        folder: Folder of the search.
        finals: The result of `repeat`.
        plan: The result of `plan_of_chosen`.
        callbacks: Keras callbacks of the training.

    Returns:
        `finals`, the `chosen` trial, and `training` and `test` of the saved model. Also written to the folder as
        `result.json`.
    """
    saved = folder / BEST
    if not (saved / "model.keras").is_file():
        resume = (saved / CHECKPOINT).is_file()
        replace(plan, out=saved, resume=resume, callbacks=callbacks).run(study.checked)
    loaded = loading.load(str(saved))
    result = {
        "task": study.task.name, "trials": study.trials, "objective": study.measure, "direction": study.direction,
        "finals": list(finals), "chosen": finals[0]["trial"], "seed": plan.recipe.seed,
        "training": loaded.config["training"],
        "test": study.task.evaluate(loaded, study.checked, baselines=False),
    }  # fmt: skip
    write_json(folder / RESULT, result)
    return result


def _repeat(trainer: Trainer, record: Record, seeds: int) -> dict[str, Any]:
    """Trains a trial with other seeds. Returns its `score`, the new `scores`, and their `mean` and `deviation`."""
    plan, scores = plan_of(record, trainer.study.base.name), []
    for place in range(seeds):
        recipe = plan.recipe.replace(seed=trainer.study.first_seed + _SEEDS + place)
        number, name = _number(record["trial"], place), f"{record['trial']}, seed {recipe.seed}"
        if number not in trainer.records:
            trainer.records.write(new_record(number, replace(plan, recipe=recipe), record["values"], name))
        ended = trainer.run(number)
        scores += [ended["score"]] if ended["status"] == "scored" else []
    return {
        "trial": record["trial"], "score": record["score"], "values": record["values"], "scores": scores,
        "mean": float(np.mean(scores)) if scores else None,
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
    }  # fmt: skip


def _number(trial: int, place: int) -> int:
    """Returns the number of the record of a trial that is trained again."""
    return 100 * trial + place


def require_room(folder: Path, preset: Path) -> None:
    """Checks that a folder for the chosen model is empty or contains that model already.

    Raises:
        ZooError: If it contains something else.
    """
    if not _is_saved(folder, preset):
        require_empty(preset)


def _is_saved(folder: Path, preset: Path) -> bool:
    own, saved = folder / BEST / "config.json", preset / "config.json"
    return own.is_file() and saved.is_file() and bool(read_json(own) == read_json(saved))


def save_preset(folder: Path, preset: Path) -> None:
    """Copies the chosen model of a search to a folder for `Model.from_preset`, unless it is there already.

    Args:
        folder: Folder of the search.
        preset: New folder.
    """
    if not _is_saved(folder, preset):
        with atomic_folder(preset) as temporary:
            shutil.copytree(folder / BEST, temporary, dirs_exist_ok=True)
