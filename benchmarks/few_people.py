"""What training on everybody, and validating by leaving one person out, is worth with one to three people.

    python benchmarks/few_people.py | tee benchmarks/few_people.json
    python benchmarks/few_people.py --known few_people.json  # measures the forest again, and nothing else
    python benchmarks/few_people.py --page docs/small-data.md  # writes the table of few_people.json into the page

Each cell draws people of a study to train on, three minutes of six activities each, and six others to test on. The
network is `activity_gru` with frames of five rows and the family's recipe, in one thread. Rows of a cell:

- `forest`: a random forest of everybody's windows;
- `held_out`: the last fifth of each activity of each person is for validation and calibration, and not trained on;
- `everyone`: all windows are trained on, with the recipe's steps times `share`; no temperature;
- `folds`: leave one person out, with the recipe's steps times `share`: scores of all folds together, the epoch with the
  lowest mean validation loss, and `calibrated`: the scores of `everyone` with the temperature of the folds.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from small_data import CUT, WISDM, read_wisdm, windows_of

from zoo.activity import metrics
from zoo.activity.data import folds, split
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.studies import read_study
from zoo.activity.task import TASK
from zoo.data.dataset import Data, DataSet
from zoo.data.loading import load_data
from zoo.provenance import versions
from zoo.recipe import Recipe
from zoo.report import markdown
from zoo.task import Split
from zoo.training import Training, fit

MINUTES, TEST_PEOPLE, TEST_WINDOWS = 3, 6, 40
MOTIONSENSE = ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
PLAN = Training.of("activity_gru", {"frame": 5, "num_layers": 1, "frame_activation": None, "magnitude": False})

Logits = tuple[NDArray[np.float32], NDArray[np.int64]]


def cell(windows: DataSet, classes: tuple[str, ...], people: int, seed: int) -> Data:
    """The first windows of each activity of people drawn by the seed; the test people depend on the seed alone."""
    inputs, labels, subjects = windows.inputs[:], windows.labels, np.asarray(windows.subjects)
    names = np.random.default_rng(seed).permutation(np.unique(subjects))

    def first(chosen: NDArray[np.str_], most: int) -> NDArray[np.int64]:
        return np.concatenate([
            np.flatnonzero((subjects == name) & (labels == label))[:most]
            for name in chosen for label in range(len(classes))
        ])  # fmt: skip

    train = first(names[:people], round(60 * MINUTES / len(classes) * CUT.rate / CUT.hop))
    test = first(names[-TEST_PEOPLE:], TEST_WINDOWS)
    pair = tuple((inputs[rows], labels[rows]) for rows in (train, test))
    return load_data(pair, classes=classes, rate=CUT.rate, subjects=(subjects[train], subjects[test]))


def scores(found: Logits, temperature: float) -> dict[str, float]:
    """Macro-F1, and cross-entropy and calibration error at a temperature."""
    logits, labels = found[0].astype(np.float64), found[1]
    likelihood = log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels]
    return {
        "macro_f1": round(metrics.macro_f1(labels, logits.argmax(axis=1)), 4),
        "cross_entropy": round(-float(likelihood.mean()), 4),
        "ece": round(metrics.expected_calibration_error(labels, softmax(logits / temperature, axis=1)), 4),
        "temperature": round(temperature, 3),
    }  # fmt: skip


def fitted(
    data: Data, train: DataSet, validation: DataSet | None, recipe: Recipe, asked: list[DataSet]
) -> tuple[list[Logits], list[float]]:
    """Trains a network; returns its answers to other windows, and its validation loss by epoch."""
    split = Split(data, train, validation)
    model = TASK.build(replace(PLAN, recipe=recipe), split)
    history = fit(model, recipe, TASK.feed(model, split, recipe)).history
    return (
        [answers(partial(keras_logits, model), windows) for windows in asked],
        [round(row["val_loss"], 4) for row in history if "val_loss" in row],
    )


def of_forest(data: Data, seed: int) -> float:
    """Macro-F1 of a random forest of everybody's windows, on other people."""
    forest = metrics.fit_baseline("random_forest", data.train, seed=seed, jobs=1)
    return round(metrics.macro_f1(data.test.labels, forest(data.test).argmax(axis=1)), 4)


def of_forests(data: Data, seed: int) -> float:
    """Macro-F1 of a random forest of each fold, on all people that were left out."""
    parts = [
        (one.labels, metrics.fit_baseline("random_forest", others, seed=seed, jobs=1)(one).argmax(axis=1))
        for others, one in folds(data.train, PLAN.recipe.validation, seed)
    ]
    return round(metrics.macro_f1(*map(np.concatenate, zip(*parts, strict=True))), 4)


def rows(data: Data, seed: int, shares: list[float]) -> Iterator[dict[str, Any]]:
    """All methods of a cell."""
    whole = PLAN.recipe.replace(seed=seed)
    assert whole.steps is not None
    recipes = {
        share: whole.replace(parts=round(share * whole.length), steps=round(share * whole.steps))
        for share in shares
    }  # fmt: skip
    yield {"method": "forest", "test": {"macro_f1": of_forest(data, seed)}}
    train, validation = split(data.train, whole.validation, seed, "time")
    (known, found), _ = fitted(data, train, validation, whole, [validation, data.test])
    temperature = metrics.fit_temperature(known[1], known[0])
    yield {"method": "held_out", "validation": scores(known, temperature), "test": scores(found, temperature)}
    of_all: dict[float, Logits] = {}
    for share, recipe in recipes.items():
        [of_all[share]], _ = fitted(data, data.train, None, recipe, [data.test])
        yield {"method": "everyone", "share": share, "test": scores(of_all[share], 1.0)}
    for share, recipe in recipes.items():
        divided = folds(data.train, recipe.validation, seed)
        if len(divided) == 1:
            # Nobody can be left out.
            return
        parts = [fitted(data, others, one, recipe, [one]) for others, one in divided]
        pooled = tuple(np.concatenate(column) for column in zip(*[found for [found], _ in parts], strict=True))
        temperature = metrics.fit_temperature(pooled[1], pooled[0])
        curve = np.mean([losses for _, losses in parts], axis=0)
        yield {
            "method": "folds", "share": share, "validation": scores(pooled, temperature),
            "calibrated": scores(of_all[1.0], temperature), "forest": of_forests(data, seed),
            "loss": {
                "lowest": round(float(curve.min()), 4), "epoch": int(curve.argmin()) + 1, "last": round(curve[-1], 4),
            },
        }  # fmt: skip


def table(measured: list[dict[str, Any]]) -> str:
    """Means over the seeds, a row for each study and number of people."""

    def mean(cell: list[dict[str, Any]], method: str, part: str, key: str) -> str:
        found = [row[part][key] for row in cell if row["method"] == method and row.get("share", 1) == 1]
        return f"{fmean(found):.3f}" if found else ""

    columns = {
        "random forest": ("forest", "test", "macro_f1"), "a fifth held out": ("held_out", "test", "macro_f1"),
        "everyone": ("everyone", "test", "macro_f1"), "shown: held-out fifth": ("held_out", "validation", "macro_f1"),
        "shown: folds": ("folds", "validation", "macro_f1"), "ECE, by fifth": ("held_out", "test", "ece"),
        "ECE, none": ("everyone", "test", "ece"), "ECE, by folds": ("folds", "calibrated", "ece"),
    }  # fmt: skip
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in measured:
        cells.setdefault((row["study"], row["people"]), []).append(row)
    lines = [
        (f"{study}, {people}", str(len({row["seed"] for row in cell})), *(mean(cell, *key) for key in columns.values()))
        for (study, people), cell in sorted(cells.items())
    ]
    return markdown.table(("people", "seeds", *columns), lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--motionsense", type=Path, default=Path("A_DeviceMotion_data.zip"))
    parser.add_argument("--wisdm", type=Path, default=Path("wisdm-dataset.zip"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", default="1,0.5,0.25")
    parser.add_argument("--known", type=Path, help="an earlier result, in which the forest alone is measured again")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"few people": lambda found: table(found["rows"])})
        return
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    classes = tuple(WISDM.values())[:6]
    studies = {
        "MotionSense": (windows_of(read_study("motionsense", options.motionsense), MOTIONSENSE), MOTIONSENSE),
        "WISDM": (windows_of(read_wisdm(options.wisdm), classes), classes),
    }
    earlier = json.loads(options.known.read_text()) if options.known else {}
    measured = earlier.get("rows", [])
    for row in measured:
        data = cell(*studies[row["study"]], row["people"], row["seed"])
        if row["method"] == "forest":
            row["test"] = {"macro_f1": of_forest(data, row["seed"])}
        elif "forest" in row:
            row["forest"] = of_forests(data, row["seed"])
    for seed in range(0 if earlier else options.seeds):
        for study, (windows, names) in studies.items():
            for people in (1, 2, 3):
                data = cell(windows, names, people, seed)
                known = {"study": study, "people": people, "seed": seed, "windows": len(data.train)}
                for row in rows(data, seed, [float(share) for share in options.shares.split(",")]):
                    measured.append(known | row)
                    print(measured[-1], file=sys.stderr)
    own = versions()
    document = {"command": shlex.join(["python", *sys.argv]), "machine": own.pop("machine"), "versions": own}
    print(json.dumps(document | pages.measured_before(earlier) | {"rows": measured}, indent=1))


if __name__ == "__main__":
    main()
