r"""Streams of a study that was left out: how they are calibrated, and what an inclined treadmill costs.

    python saved_models/make.py --data DATA --streams --seeds 3 --scratch build/phone activity_gru_phone
    python benchmarks/pairs.py --data DATA/activity --scratch build/pairs
    python benchmarks/left_out.py --scratch build/phone --pairs build/pairs | tee benchmarks/left_out.json
    python benchmarks/left_out.py --page docs/method.md  # writes its table into the page

The networks of `activity_gru_phone` without each of six studies, with three seeds, answer the streams of the study.
Their temperature and threshold are those of the card, fitted on predictions for the people of the other studies by
networks that knew the study, or nested: fitted on predictions for each other study by a network that was trained
without it and without the study. Walking of DSADS is on level ground, on a level treadmill and on one inclined by 15
degrees: all of it, and without the last. As in `benchmarks/pairs.py`, no phone is checked for rest.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from external import is_level
from pairs import ONE_THREAD, PRESET, STUDIES, WORKERS, Row, answers_of, fold_of, shown

from zoo.files import read_arrays, read_json, sha256
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

SEEDS, LEVEL = 3, "dsads, level"
CARD, NESTED = "as on the card", "nested"
OF_PAIRS = "with_other_movements"
"""The folder of the networks of pairs that have the recipe of the preset."""


def calibrations(scratch: Path, pairs: Path) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Each study, and both temperatures and thresholds of the networks that are trained without it."""
    import measured_streams

    from zoo import crossval
    from zoo.activity.task import TASK

    data, found = TASK.load_data(scratch / "windows.h5"), read_json(scratch / "people" / "results.json")
    rate = PRESETS[PRESET].recipe.rejection_rate
    for study in STUDIES:
        parts = []
        for file in sorted((pairs / OF_PAIRS).glob("*/folds/*.npz")):
            if study in (left_out := file.parents[1].name.split("+")):
                (other,) = {*left_out} - {study}
                arrays = read_arrays(file)
                own = data.train.studies[arrays["rows"]] == other
                parts.append((data.train.labels[arrays["rows"][own]], arrays["logits"][own].astype(np.float64)))
        assert len(parts) == len(STUDIES) - 1, study
        labels, logits = (np.concatenate(column) for column in zip(*parts, strict=True))
        fitted = crossval.calibration(
            labels, logits, np.full(len(labels), np.nan), rate, data.other_class, data.label_sets
        )
        nested = {name: fitted[name] for name in ("temperature", "threshold")}
        yield study, {CARD: measured_streams.without(study, scratch / "people", found, data), NESTED: nested}


def level_only(scratch: Path) -> Path:
    """The recordings of DSADS without those on the inclined treadmill."""
    from zoo.activity import recordings

    index, file = recordings.read_recordings(scratch / "dsads.h5"), scratch / "dsads-level.h5"
    if not file.exists():
        recordings.write_recordings(file, filter(is_level, index), source=index.provenance["source"])
    return file


def measure(scratch: Path, file: Path, ways: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """What the streams of the study that a network does not know show, by each calibration."""
    import measured_streams

    model, metadata, record, files = fold_of(scratch, file)
    study = record["study"]
    variants = {study: files[study]} | ({LEVEL: scratch / "dsads-level.h5"} if study == "dsads" else {})
    rows = []
    for name, path in variants.items():
        signals = measured_streams.signals_of(metadata, {study: path}, record["subjects"], record["group"])
        alone = [signal for signal in signals if signal[1] == "alone" and signal[3][0][0] in (*CLASSES, "stairs")]
        answered = [*answers_of(model, metadata, alone)]
        for way, calibration in ways.items():
            # Probabilities of another temperature are powers of these.
            power = model.temperature / calibration["temperature"]
            powers = [one.answers.astype(np.float64) ** power for one in answered]
            again = [
                replace(one, answers=values / values.sum(axis=1, keepdims=True))
                for one, values in zip(answered, powers, strict=True)
            ]
            streams = [*shown(again, metadata, calibration["threshold"])]
            scores = measured_streams.by_study(streams, [*CLASSES, "stairs"])[study]
            rows.append({"study": name, "calibration": way, "seed": int(file.stem.split(".")[2]), **scores["settled"]})
    return rows


def table(document: Mapping[str, Any]) -> str:
    """A row for each study: both calibrations, and what they show, as means over seeds."""
    lines = []
    for study in sorted({row["study"] for row in document["rows"]}):
        line = [study]
        for way in (CARD, NESTED):
            own = [row for row in document["rows"] if (row["study"], row["calibration"]) == (study, way)]
            fitted = document["calibrations"][study.split(",")[0]][way]
            line.append(f"{fitted['temperature']:.2f}, {fitted['threshold']:.2f}")
            shares = [[row[key]["share"] for row in own] for key in ("right", "walking_as_stairs", "unlabeled")]
            # A study of walking alone has no share that is right.
            right, *wrong = (f"{fmean(values):.1%}" for values in shares)
            line.append(" / ".join(wrong if own[0]["stairs_as_walking"]["share"] is None else [right, *wrong]))
        lines.append(line)
    head = [f"{way}{what}" for way in (CARD, NESTED) for what in ("", ": shows")]
    return markdown.table(["study left out", *head], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    parser.add_argument("--pairs", type=Path, default=Path("build/pairs"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"left out": table})
        return
    os.environ |= ONE_THREAD
    fitted = dict(calibrations(options.scratch, options.pairs))
    level_only(options.scratch)
    folds = product(range(SEEDS), range(len(STUDIES)))
    files = [options.scratch / "studies" / "folds" / f"{PRESET}.study.{seed}.{group}.keras" for seed, group in folds]
    rows: list[Row] = []
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        ways = [fitted[read_json(file.with_suffix(".json"))["study"]] for file in files]
        for found in pool.map(measure, [options.scratch] * len(files), files, ways):
            rows += found
            print(len(rows), "rows", file=sys.stderr, flush=True)
    document = {
        "command": "python benchmarks/left_out.py", "preset": PRESET, "seeds": SEEDS, "calibrations": fitted,
        "networks": {file.stem: sha256(file) for file in files}, "versions": versions(), "rows": rows,
    }  # fmt: skip
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
