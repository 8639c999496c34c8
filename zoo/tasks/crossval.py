"""Cross-validation over groups of people: how good a recipe is on people it never saw, and how sure that is."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import activity
from zoo.errors import ZooError
from zoo.evaluation import recognition
from zoo.files import sha256
from zoo.tasks.activity import Prepared, answers, fit, keras_logits
from zoo.tasks.running import Plan


def prepare(path: Path, groups: int) -> list[Prepared]:
    """Reads a file of windows once, and leaves out one group of people after another for validation.

    Args:
        path: A file in the course's layout, with subject ids.
        groups: How many groups the people of the training part are divided into, 2 or more.

    Raises:
        ZooError: If the file has no subject ids, or fewer people than groups.
    """
    data, digest = activity.read(path), sha256(path)
    windows, people = data.train.in_memory(), np.array(data.train.people())
    if len(people) < groups or groups < 2:
        raise ZooError(f"{path}: {len(people)} people known in training; {groups} groups need 2 or more and one each")
    assert windows.subjects is not None
    drawn = np.array_split(np.random.default_rng(0).permutation(people), groups)
    aside = [np.isin(windows.subjects, group) for group in drawn]
    return [Prepared(data, windows.where(~left_out), windows.where(left_out), digest) for left_out in aside]


def crossval(
    plan: Plan, path: Path, *, groups: int = 5, seeds: int = 1, report: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Cross-validates over groups of the people in the training part; the test part is not touched.

    Args:
        plan: What and how; in each fold it is trained on all people outside the group, for all its epochs.
        path: A file in the course's layout, with subject ids.
        groups: How many groups the people are divided into, 2 or more.
        seeds: How many times all folds are trained, with seeds counted up from the recipe's.
        report: Called with each fold as it ends.

    Returns:
        `macro_f1`, `accuracy` (of all windows, each predicted by a model that never saw its person), their spread
        over groups and seeds, `per_subject`, `confusion`, `folds`, and the `temperature` fitted on those answers.

    Raises:
        ZooError: If the file has no subject ids, or fewer people than groups.
    """
    parts, folds, answered = prepare(path, groups), [], []
    data = parts[0].data
    for seed in range(plan.recipe.seed, plan.recipe.seed + seeds):
        for part in parts:
            assert part.validation is not None
            recipe = replace(plan.recipe, seed=seed, validation=0.0, patience=None)
            model = part.build(replace(plan, recipe=recipe))
            fitted = fit(recipe, model, part.train, None)
            logits, labels = answers(partial(keras_logits, model), part.validation)
            predicted = logits.argmax(axis=1)
            folds.append({
                "seed": seed, "subjects": part.validation.people(), "windows": len(labels),
                "macro_f1": recognition.macro_f1(labels, predicted),
                "accuracy": float((labels == predicted).mean()), "seconds": round(fitted.seconds, 1),
            })  # fmt: skip
            answered.append((labels, logits, part.validation.subjects))
            if report:
                report(folds[-1])
    labels, logits, subjects = (np.concatenate(column) for column in zip(*answered, strict=True))
    temperature = recognition.fit_temperature(labels, logits)
    pooled = recognition.report(labels, logits, data.classes, subjects, temperature)
    scores = np.array([fold["macro_f1"] for fold in folds]).reshape(seeds, groups)
    kept = ("accuracy", "macro_f1", "macro_f1_interval", "classes", "confusion", "per_class", "per_subject",
            "worst_subject", "ece")  # fmt: skip
    return {key: pooled[key] for key in kept} | {
        "temperature": temperature,
        "groups": groups,
        "seeds": seeds,
        "group_deviation": float(scores.mean(axis=0).std()),
        "seed_deviation": float(scores.mean(axis=1).std()),
        "worst_group": float(scores.mean(axis=0).min()),
        "folds": folds,
    }
