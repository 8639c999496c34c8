"""Scores of a split by random windows, compared with a split by people: the same windows, models and folds.

    python benchmarks/splits.py --zip A_DeviceMotion_data.zip
    python benchmarks/splits.py --page docs/splits.md  # writes the table of splits.json into the page

All windows of MotionSense are divided into five folds, each predicted by a model that was trained on the other four.
The macro-F1 is that of all predictions. There are three kinds of splits: by people; by random windows; and by random
windows that overlap by half, as they often do, so that consecutive ones share rows. A fourth split, by people with
another seed, shows the variation. The random forest is that of `zoo evaluate`; the GRU has 32 units and reads five rows
per step. After a change of one model, `--known splits.json --models random_forest` measures it alone.
"""

import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from types import SimpleNamespace

import numpy as np
import pages
from numpy.typing import NDArray

from zoo.activity import evaluation, metrics, recordings, task
from zoo.activity.cutting import Windowing
from zoo.activity.studies import read_study
from zoo.data.dataset import DataSet
from zoo.files import sha256
from zoo.provenance import versions
from zoo.runtime.metadata import CLASSES
from zoo.task import Split
from zoo.training import Training, fit

FOLDS, EPOCHS, SEED = 5, 12, 0
Answer = Callable[[DataSet, DataSet], NDArray[np.int64]]


def windows_of(index: recordings.Index, cut: Windowing) -> DataSet:
    """All windows of all people."""
    parts = [(recording, cut.windows(recording)) for recording in index]
    inputs = np.concatenate([windows for _, windows in parts])
    labels = np.concatenate([np.full(len(windows), CLASSES.index(r.activity)) for r, windows in parts])
    people = np.concatenate([np.full(len(windows), r.subject) for r, windows in parts])
    return DataSet.of({"input": inputs, "target": labels.astype(np.int64), "subject": people})


def by_people(windows: DataSet, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Whole people are set aside."""
    assert windows.subjects is not None
    for group in np.array_split(np.random.default_rng(seed).permutation(windows.people()), FOLDS):
        yield np.isin(windows.subjects, group)


def by_windows(windows: DataSet, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Windows are set aside, whoever made them."""
    fold = np.random.default_rng(seed).permutation(len(windows)) % FOLDS
    for number in range(FOLDS):
        yield fold == number


def forest(train: DataSet, test: DataSet) -> NDArray[np.int64]:
    """What a random forest answers."""
    return metrics.fit_baseline("random_forest", train)(test).argmax(axis=1)


def gru(train: DataSet, test: DataSet) -> NDArray[np.int64]:
    """What a small GRU answers after a few epochs."""
    changes = {
        "units": 32, "num_layers": 1, "frame": 5, "frame_activation": None, "magnitude": False, "epochs": EPOCHS,
        "validation": 0.0, "patience": None,
    }  # fmt: skip
    plan = Training.of("activity_gru", changes)
    split = Split(SimpleNamespace(classes=CLASSES, rate=50.0), train)
    model = task.TASK.build(plan, split)
    fit(model, plan.recipe, task.TASK.feed(model, split, plan.recipe))
    logits, _ = evaluation.answers(partial(evaluation.keras_logits, model), test)
    return logits.argmax(axis=1)


MODELS: dict[str, Answer] = {"random_forest": forest, "activity_gru": gru}


def measure(windows: DataSet, folds: Iterator[NDArray[np.bool_]], answer: Answer) -> dict[str, Any]:
    """Macro-F1 of all windows, each answered by a model that did not learn from it."""
    labels, answers, scores = windows.labels, np.zeros(len(windows), np.int64), []
    started = time.perf_counter()
    for aside in folds:
        answers[aside] = answer(windows.where(~aside), windows.where(aside))
        scores.append(metrics.macro_f1(labels[aside], answers[aside]))
    owners = np.asarray(windows.subjects)
    people = [metrics.macro_f1(labels[owners == name], answers[owners == name]) for name in windows.people()]
    return {
        "macro_f1": round(metrics.macro_f1(labels, answers), 4),
        "accuracy": round(float((labels == answers).mean()), 4),
        "worst_fold": round(min(scores), 4),
        "worst_person": round(min(people), 4),
        "seconds": round(time.perf_counter() - started, 1),
    }


ROWS = {
    "people": "people",
    "other_people": "people, divided differently",
    "windows": "random windows",
    "overlapping_windows": "random windows, overlapping by half",
}


def table(measured: dict[str, Any]) -> str:
    """The table of the page: macro-F1, and that of the worst person."""

    def cell(row: dict[str, float]) -> str:
        return f"{row['macro_f1']:.3f} ({row['worst_person']:.3f})"

    rows = [
        f"| {words} | {cell(measured[name]['random_forest'])} | {cell(measured[name]['activity_gru'])} |\n"
        for name, words in ROWS.items()
    ]
    return "| split by | random forest | GRU |\n|---|---:|---:|\n" + "".join(rows)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--zip", type=Path, default=Path("A_DeviceMotion_data.zip"))
    parser.add_argument("--models", default=",".join(MODELS), help="to measure; all by default")
    parser.add_argument("--known", type=Path, help="an earlier result, whose other numbers are kept")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"splits": table})
        return
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "recordings.h5"
        recordings.write_recordings(raw, read_study("motionsense", options.zip), source="MotionSense")
        index = recordings.read_recordings(raw)
        apart, overlapping = windows_of(index, Windowing(hop=150)), windows_of(index, Windowing(hop=75))
    splits = {
        "people": (apart, by_people, SEED),
        "windows": (apart, by_windows, SEED),
        "overlapping_windows": (overlapping, by_windows, SEED),
        "other_people": (apart, by_people, SEED + 1),
    }
    known = json.loads(options.known.read_text()) if options.known else {}
    result: dict[str, Any] = {
        "command": shlex.join(["python", "benchmarks/splits.py", *sys.argv[1:]]), "seed": SEED, "folds": FOLDS,
        "gru": {"units": 32, "frame": 5, "epochs": EPOCHS},
        "data": {"source": "MotionSense", "sha256": sha256(options.zip), "people": len(apart.people()),
                 "windows": len(apart), "overlapping_windows": len(overlapping)},
    }  # fmt: skip
    if known and known["data"] != result["data"]:
        parser.error(f"{options.known}: was measured on other data")
    for name, (windows, divide, seed) in splits.items():
        found = {model: measure(windows, divide(windows, seed), MODELS[model]) for model in options.models.split(",")}
        result[name] = known.get(name, {}) | found
        print(name, result[name], file=sys.stderr)
    print(json.dumps(result | {"versions": versions()} | pages.measured_before(known), indent=2))


if __name__ == "__main__":
    main()
