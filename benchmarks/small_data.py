r"""How recognizers learn from little data: training and fine-tuning beside two baselines on the same splits by person.

    python saved_models/make.py activity_gru_phone --data DATA --seeds 3 --scratch build/seeds
    python benchmarks/small_data.py --wisdm wisdm-dataset.zip \
        --start build/seeds/studies/folds/activity_gru_phone.study.1.5.keras --selfback selfback-thigh.zip \
        --other-start build/seeds/studies/folds/activity_gru_phone.study.0.4.keras | tee benchmarks/small_data.json
    python benchmarks/small_data.py --page docs/small-data.md  # writes the table of small_data.json into the page

With `--known small_data.json`, only what is missing there is measured; after a change of one method, add `--methods
train` to measure it again on the same windows.

A cell is a number of people to train on, of activities, and of minutes that each person recorded in all. It is measured
several times; each draw takes other people to train on. Test people are drawn as well, so that an error over draws is
one over test people too. Those of WISDM are always the same six, since settings of the recipes were chosen on the
others. Every method learns from the same windows and is scored on the same windows, by macro-F1. Simulated people are
of `zoo data simulate`; real ones of WISDM (phone in the pocket, 20 Hz resampled to 50) and of selfBACK. `train` is `zoo
train --model activity_gru`. `finetune` is `zoo finetune activity_gru_phone`; on WISDM and selfBACK, which that preset
was trained on, the same recipe trained on the five other studies takes its place. All with their defaults.
"""

import io
import json
import multiprocessing
import os
import shlex
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray

import zoo
from zoo.activity import metrics, simulate
from zoo.activity.cutting import Windowing
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.metrics import fit_baseline
from zoo.activity.recordings import Recording
from zoo.activity.studies import read_study
from zoo.data.dataset import Data, DataSet
from zoo.data.loading import load_data
from zoo.files import sha256
from zoo.provenance import versions
from zoo.report import markdown

SEED, TEST_PEOPLE = 0, 6
CUT = Windowing()
PRESET = "activity_gru_phone"
CELLS = [(2, 2, 1, 12), (3, 4, 3, 6), (6, 6, 1, 6), (12, 8, 20, 3)]
"""People, activities, minutes, draws. Simulated people have six activities at most."""
MOST_PEOPLE = max(people for people, *_ in CELLS)

WISDM = {
    "A": "walking", "B": "jogging", "D": "sitting", "M": "kicking", "R": "clapping", "C": "stairs", "E": "standing",
    "P": "dribbling",
}  # fmt: skip
SIMULATED = ("walking", "jogging", "sitting", "upstairs", "standing", "downstairs")


def read_wisdm(path: Path) -> Iterable[Recording]:
    """Recordings of the phones of WISDM, people in the order of their numbers."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(name for name in archive.namelist() if "accel_phone" in name):
            text = archive.read(name).decode().replace(";", "")
            table = np.genfromtxt(io.StringIO(text), delimiter=",", dtype=None, encoding="utf-8")
            for letter, activity in WISDM.items():
                rows = table[table["f1"] == letter]
                if len(rows) < 100:
                    continue
                rate = 1e9 / float(np.median(np.diff(rows["f2"])))
                acceleration = np.stack([rows[f"f{axis}"] for axis in (3, 4, 5)], axis=1).astype(np.float32)
                yield Recording(name, str(rows["f0"][0]), activity, rate, acceleration)


Method = Callable[[Data, str], tuple[NDArray[np.int64], dict[str, Any]]]
"""From data, and the model to fine-tune, to class numbers of the test windows, and details."""


def windows_of(recordings: Iterable[Recording], classes: tuple[str, ...]) -> DataSet:
    """All windows of all people, the recordings of a person one after another."""
    parts = [(recording, CUT.windows(recording)) for recording in recordings if recording.activity in classes]
    labels = [np.full(len(inputs), classes.index(recording.activity)) for recording, inputs in parts]
    people = [np.full(len(inputs), recording.subject) for recording, inputs in parts]
    inputs = [inputs for _, inputs in parts]
    columns = zip(("input", "target", "subject"), map(np.concatenate, (inputs, labels, people)), strict=True)
    return DataSet.of(dict(columns))


def cell(
    windows: DataSet, classes: tuple[str, ...], people: int, activities: int, minutes: float, draw: int, fixed: bool
) -> Data:  # fmt: skip
    """The first windows of some activities of people drawn at random for training, and of six others for test.

    If the test people are `fixed`, they are the first six in every draw.
    """
    chosen, names, random = classes[:activities], windows.people(), np.random.default_rng([SEED, draw])
    kept = TEST_PEOPLE if fixed else 0
    names = [*names[:kept], *random.permutation(names[kept:])]
    inputs, labels, subjects = windows.inputs[:], windows.labels, windows.subjects
    assert subjects is not None
    most = max(2, round(60 * minutes / activities * CUT.rate / CUT.hop))
    picked: dict[bool, list[NDArray[np.int64]]] = {True: [], False: []}
    for test, drawn in ((True, names[:TEST_PEOPLE]), (False, names[TEST_PEOPLE : TEST_PEOPLE + people])):
        for name in drawn:
            for label in range(activities):
                rows = np.flatnonzero((subjects == name) & (labels == label))
                picked[test].append(rows[: 40 if test else most])
    train, test_rows = (np.concatenate(picked[key]) for key in (False, True))
    pair = tuple((inputs[rows], labels[rows]) for rows in (train, test_rows))
    return load_data(pair, classes=chosen, rate=CUT.rate, subjects=(subjects[train], subjects[test_rows]))


def baseline(name: str) -> Method:
    """A baseline that is fitted to features."""
    return lambda data, _: (fit_baseline(name, data.train, seed=SEED, jobs=1)(data.test).argmax(axis=1), {})


def network(fit: Callable[[Data, str], Any]) -> Method:
    """A network, with what its summary says of its training and validation."""

    def measure(data: Data, start: str) -> tuple[NDArray[np.int64], dict[str, Any]]:
        result = fit(data, start)
        logits, _ = answers(lambda inputs: keras_logits(result.model, inputs), data.test)
        known = {name: result.summary[name] for name in ("epochs", "steps_per_epoch", "best_epoch")}
        validation = result.summary["validation"] or {"by": None, "macro_f1": None}
        return logits.argmax(axis=1), known | {"by": validation["by"], "validation": validation["macro_f1"]}

    return measure


METHODS = {
    "random_forest": baseline("random_forest"),
    "minirocket": baseline("minirocket"),
    "train": network(lambda data, _: zoo.train("activity_gru", data)),
    "finetune": network(lambda data, start: zoo.finetune(start, data)),
}


def measure(data: Data, methods: Iterable[str], start: str) -> dict[str, Any]:
    """Macro-F1 of each method on the test people; `start` is the model that is fine-tuned."""
    found: dict[str, Any] = {}
    for name in methods:
        started = time.perf_counter()
        predicted, details = METHODS[name](data, start)
        found[name] = {
            "macro_f1": round(metrics.macro_f1(data.test.labels, predicted), 4),
            "seconds": round(time.perf_counter() - started, 1), **details,
        }  # fmt: skip
    print(f"{len(data.train)} windows, {len(data.classes)} activities", found, file=sys.stderr, flush=True)
    return found


def table(document: dict[str, Any]) -> str:
    """Macro-F1 of each method, one row per cell: the mean, and the least in parentheses."""
    names = list(METHODS)

    def scores(row: dict[str, Any], name: str) -> str:
        found = [draw[name]["macro_f1"] for draw in row["draws"]]
        return f"{fmean(found):.3f} ({min(found):.3f})"

    head = f"| data | people | activities | minutes each | windows | {' | '.join(map(markdown.label, names))} |\n"
    head += "|---|" + "---:|" * (4 + len(names)) + "\n"
    rows = [
        f"| {row['data']} | {row['people']} | {row['activities']} | {row['minutes']} | {row['windows']:,} | "
        + " | ".join(scores(row, name) for name in names) + " |\n"
        for row in document["cells"]
    ]  # fmt: skip
    return head + "".join(rows)


def ahead(document: dict[str, Any]) -> str:
    """How many points of macro-F1 networks are ahead: the mean over draws, and its standard error."""
    pairs = [
        ("train", "random_forest"), ("train", "minirocket"), ("finetune", "random_forest"), ("finetune", "minirocket"),
        ("finetune", "train"),
    ]  # fmt: skip

    def points(row: dict[str, Any], method: str, other: str) -> str:
        found = [100 * (draw[method]["macro_f1"] - draw[other]["macro_f1"]) for draw in row["draws"]]
        return f"{fmean(found):+.1f} ± {stdev(found) / len(found) ** 0.5:.1f}"

    head = ["data", "people", "draws", *(f"{method}, ahead of {markdown.label(other)}" for method, other in pairs)]
    rows = [
        [row["data"], str(row["people"]), str(len(row["draws"])), *(points(row, *pair) for pair in pairs)]
        for row in document["cells"]
    ]  # fmt: skip
    return markdown.table(head, rows)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--wisdm", type=Path, default=Path("wisdm-dataset.zip"))
    parser.add_argument("--start", type=Path, default=Path("start"), help="recipe of the preset without WISDM, trained")
    parser.add_argument("--selfback", type=Path, default=Path("selfback-thigh.zip"))
    parser.add_argument("--other-start", type=Path, default=Path("other_start"), help="the same without selfBACK")
    parser.add_argument("--methods", help="to measure; by default those that are not in --known")
    parser.add_argument("--cells", help="numbers of cells, from 0; all by default")
    parser.add_argument("--workers", type=int, default=1, help="draws that are measured at once")
    parser.add_argument("--known", type=Path, help="an earlier result, whose numbers are kept")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"small data": table, "ahead": ahead})
        return
    started = time.perf_counter()
    real = tuple(WISDM.values())
    simulated = simulate.simulate(TEST_PEOPLE + 2 * MOST_PEOPLE, SEED, seconds=240)
    sources = {
        "simulated": (windows_of(simulated, SIMULATED), SIMULATED, PRESET),
        "WISDM": (windows_of(read_wisdm(options.wisdm), real), real, str(options.start)),
        "selfBACK": (
            windows_of(read_study("selfback", options.selfback), SIMULATED), SIMULATED, str(options.other_start),
        ),
    }  # fmt: skip
    numbers = range(len(CELLS)) if options.cells is None else [int(number) for number in options.cells.split(",")]
    earlier = json.loads(options.known.read_text()) if options.known else {"cells": []}
    known = {
        tuple(row[key] for key in ("data", "people", "activities", "minutes")): row["draws"] for row in earlier["cells"]
    }
    rows, work = [], []
    for name, (windows, classes, start) in sources.items():
        for people, most, minutes, draws in [CELLS[number] for number in numbers]:
            activities = min(most, len(classes))
            drawn = [
                cell(windows, classes, people, activities, minutes, draw, fixed=name == "WISDM")
                for draw in range(draws)
            ]
            found = [*known.get((name, people, activities, minutes), []), *({} for _ in drawn)][:draws]
            rows.append({
                "data": name, "people": people, "activities": activities, "minutes": minutes,
                "windows": len(drawn[0].train), "test_windows": len(drawn[0].test), "draws": found,
            })  # fmt: skip
            chosen = options.methods.split(",") if options.methods else METHODS
            work += [
                (draw, data, [method for method in chosen if options.methods or method not in draw], start)
                for draw, data in zip(found, drawn, strict=True)
            ]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, spawn, max_tasks_per_child=1) as pool:
        measuring = [
            (draw, pool.submit(measure, data, missing, start)) for draw, data, missing, start in work if missing
        ]
        for draw, future in measuring:
            draw |= future.result()
    own = versions()
    document = {
        "command": shlex.join(["python", "benchmarks/small_data.py", *sys.argv[1:]]), "seed": SEED,
        "wisdm_sha256": sha256(options.wisdm), "cells": rows, "seconds": round(time.perf_counter() - started, 1),
        "machine": own.pop("machine"), "versions": own,
        # What was measured before and is kept.
        **pages.measured_before(earlier),
    }  # fmt: skip
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
