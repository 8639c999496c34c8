r"""How recognizers learn from little data: training and fine-tuning beside two baselines on the same splits by person.

    zoo data import motionsense A_DeviceMotion_data.zip -o motionsense.h5   # and geotec, oxford-steps
    zoo data windows motionsense.h5 geotec.h5 oxford-steps.h5 -o others.h5 --window 200 --hop 100 --test-fraction 0 \
        --classes downstairs,jogging,sitting,standing,upstairs,walking
    zoo train activity_gru_phone --data others.h5 --set validation=0 --out start
    python benchmarks/small_data.py --wisdm wisdm-dataset.zip --start start | tee benchmarks/small_data.json
    python benchmarks/small_data.py --page docs/small-data.md  # writes the table of small_data.json into the page

After a change of one method, `--methods train --known small_data.json` measures it again on the same windows, and keeps
the numbers of the others.

A cell is a number of people to train on, of activities, and of minutes that each person recorded in all. It is measured
three times, with different people to train on. Every method learns from the same windows and is scored on the same
windows of the same six other people, by macro-F1. Simulated people are of `zoo data simulate`; real ones of WISDM
(phone in the pocket, 20 Hz resampled to 50). `train` is `zoo train --model activity_gru`. `finetune` is `zoo finetune
activity_gru_phone`; on WISDM, which that preset was trained on, the same recipe trained on the other three studies
takes its place. All with their defaults.
"""

import argparse
import io
import json
import os
import shlex
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray

import zoo
from zoo.data import gait
from zoo.data.activity import ActivityData, Windowing, Windows, from_arrays
from zoo.data.recordings import Recording
from zoo.evaluation import activity as metrics
from zoo.evaluation.baselines import minirocket, random_forest
from zoo.files import sha256
from zoo.tasks.activity import answers, keras_logits
from zoo.tasks.provenance import versions

SEED, TEST_PEOPLE, DRAWS = 0, 6, 3
CUT = Windowing()
PRESET = "activity_gru_phone"
CELLS = [(2, 2, 1), (3, 4, 3), (6, 6, 1), (12, 8, 20)]
"""People, activities, minutes. Simulated people have six activities at most."""
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


Method = Callable[[ActivityData, str], tuple[NDArray[np.int64], dict[str, Any]]]
"""From data, and the model to fine-tune, to class numbers of the test windows, and details."""


def windows_of(recordings: Iterable[Recording], classes: tuple[str, ...]) -> Windows:
    """All windows of all people, the recordings of a person one after another."""
    parts = [(recording, CUT.windows(recording)) for recording in recordings if recording.activity in classes]
    return Windows.all(
        np.concatenate([inputs for _, inputs in parts]),
        np.concatenate([np.full(len(inputs), classes.index(r.activity)) for r, inputs in parts]).astype(np.int64),
        np.concatenate([np.full(len(inputs), r.subject) for r, inputs in parts]),
    )


def cell(
    windows: Windows, classes: tuple[str, ...], people: int, activities: int, minutes: float, draw: int
) -> ActivityData:  # fmt: skip
    """The first windows of some activities of people drawn at random, and windows of the first six for test."""
    chosen, names = classes[:activities], windows.people()
    inputs, labels, subjects = windows.inputs[:], windows.labels, windows.subjects
    assert subjects is not None
    most = max(2, round(60 * minutes / activities * CUT.rate / CUT.hop))
    picked: dict[bool, list[NDArray[np.int64]]] = {True: [], False: []}
    learners = np.random.default_rng([SEED, draw]).permutation(names[TEST_PEOPLE:])[:people]
    for test, chosen_people in ((True, names[:TEST_PEOPLE]), (False, learners)):
        for name in chosen_people:
            for label in range(activities):
                rows = np.flatnonzero((subjects == name) & (labels == label))
                picked[test].append(rows[: 40 if test else most])
    train, test_rows = (np.concatenate(picked[key]) for key in (False, True))
    held = (inputs[test_rows], labels[test_rows], subjects[test_rows])
    return from_arrays(inputs[train], labels[train], chosen, CUT.rate, subjects[train], held)


def baseline(fit: Callable[..., Any]) -> Method:
    """A baseline that is fitted to features or random kernels."""
    return lambda data, _: (fit(*data.train.arrays(), seed=SEED, jobs=1)(data.test.arrays()[0]), {})


def network(fit: Callable[[ActivityData, str], Any]) -> Method:
    """A network, with what its summary says of its training and validation."""

    def measure(data: ActivityData, start: str) -> tuple[NDArray[np.int64], dict[str, Any]]:
        result = fit(data, start)
        logits, _ = answers(lambda inputs: keras_logits(result.model, inputs), data.test)
        known = {name: result.summary[name] for name in ("epochs", "steps_per_epoch", "best_epoch")}
        validation = result.summary["validation"] or {"by": None, "macro_f1": None}
        return logits.argmax(axis=1), known | {"by": validation["by"], "validation": validation["macro_f1"]}

    return measure


METHODS = {
    "random_forest": baseline(random_forest),
    "minirocket": baseline(minirocket),
    "train": network(lambda data, _: zoo.train("activity_gru", data)),
    "finetune": network(lambda data, start: zoo.finetune(start, data)),
}


def measure(data: ActivityData, methods: Iterable[str], start: str) -> dict[str, Any]:
    """Macro-F1 of each method on the test people; `start` is the model that is fine-tuned."""
    found: dict[str, Any] = {}
    for name in methods:
        started = time.perf_counter()
        predicted, details = METHODS[name](data, start)
        found[name] = {
            "macro_f1": round(metrics.macro_f1(data.test.labels, predicted), 4),
            "seconds": round(time.perf_counter() - started, 1), **details,
        }  # fmt: skip
        print(name, found[name], file=sys.stderr)
    return found


def table(document: dict[str, Any]) -> str:
    """Macro-F1 of each method, a row a cell: the mean, and the least in parentheses."""
    names = list(METHODS)

    def scores(row: dict[str, Any], name: str) -> str:
        found = [draw[name]["macro_f1"] for draw in row["draws"]]
        return f"{fmean(found):.3f} ({min(found):.3f})"

    head = "| data | people | activities | minutes each | windows | " + " | ".join(names) + " |\n"
    head += "|---|" + "---:|" * (4 + len(names)) + "\n"
    rows = [
        f"| {row['data']} | {row['people']} | {row['activities']} | {row['minutes']} | {row['windows']} | "
        + " | ".join(scores(row, name) for name in names) + " |\n"
        for row in document["cells"]
    ]  # fmt: skip
    return head.replace("_", " ") + "".join(rows)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wisdm", type=Path, default=Path("wisdm-dataset.zip"))
    parser.add_argument("--start", type=Path, default=Path("start"), help="recipe of the preset without WISDM, trained")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--cells", help="numbers of cells, from 0; all by default")
    parser.add_argument("--known", type=Path, help="an earlier result, whose numbers of other methods are kept")
    pages.add_page(parser)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"small data": table})
        return
    started = time.perf_counter()
    real = tuple(WISDM.values())
    simulated = gait.simulate(TEST_PEOPLE + 2 * MOST_PEOPLE, SEED, seconds=240)
    sources = {
        "simulated": (windows_of(simulated, SIMULATED), SIMULATED, PRESET),
        "WISDM": (windows_of(read_wisdm(options.wisdm), real), real, str(options.start)),
    }
    numbers = range(len(CELLS)) if options.cells is None else [int(number) for number in options.cells.split(",")]
    known = {
        tuple(row[key] for key in ("data", "people", "activities", "minutes")): row["draws"]
        for row in (json.loads(options.known.read_text())["cells"] if options.known else [])
    }
    cells = []
    for name, (windows, classes, start) in sources.items():
        for people, most, minutes in [CELLS[number] for number in numbers]:
            activities = min(most, len(classes))
            row = {"data": name, "people": people, "activities": activities, "minutes": minutes}
            draws = []
            for draw in range(DRAWS):
                data = cell(windows, classes, people, activities, minutes, draw)
                print(row, draw, len(data.train), file=sys.stderr)
                earlier = known[tuple(row.values())][draw] if known else {}
                draws.append(earlier | measure(data, options.methods.split(","), start))
            cells.append(row | {"windows": len(data.train), "test_windows": len(data.test), "draws": draws})
    own = versions()
    document = {
        "command": shlex.join(["python", "benchmarks/small_data.py", *sys.argv[1:]]), "seed": SEED,
        "wisdm_sha256": sha256(options.wisdm), "cells": cells, "seconds": round(time.perf_counter() - started, 1),
        "machine": own.pop("machine"), "versions": own,
    }  # fmt: skip
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
