r"""Continuous recognition of people of several studies, none of whom training saw.

    zoo data import motionsense A_DeviceMotion_data.zip -o motionsense.h5   # and wisdm, geotec, oxford-steps
    zoo data windows motionsense.h5 wisdm.h5 geotec.h5 oxford-steps.h5 -o windows.h5 --window 200 --hop 100 \
        --classes downstairs,jogging,sitting,standing,upstairs,walking --merge stairs=upstairs+downstairs
    python benchmarks/streaming_studies.py --data windows.h5 --recordings motionsense.h5 wisdm.h5 geotec.h5 \
        oxford-steps.h5 | tee benchmarks/streaming_studies.json
    python benchmarks/streaming_studies.py --page docs/splits.md  # writes the table into the page

The recipe of `activity_gru_phone` is trained without a fifth of the people of each study. Then their recordings are
streamed by the exported file, each from its start, and an hour of each person's activities in turn. Where people only
walk, or the label says only "stairs", either is right.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray
from streaming import exported

from zoo.activity import recordings, streaming
from zoo.data.dataset import Data, DataSet
from zoo.data.loading import load_data
from zoo.provenance import versions
from zoo.training import Training

PRESET, SEEDS = "activity_gru_phone", (0, 1)
STAIRS = {"stairs": "upstairs+downstairs"}
RIGHT = ("window_accuracy", "accuracy", "settled_accuracy")
COLUMNS = {
    "hours": ("hours", ".1f"), "window_accuracy": ("accuracy by window", ".3f"), "accuracy": ("by row", ".3f"),
    "settled_accuracy": ("settled", ".3f"), "delay_median": ("median delay, s", ".1f"),
    "delay_p95": ("95% delay, s", ".1f"), "false_alarms_per_hour": ("false alarms per hour", ".0f"),
}  # fmt: skip


def people_of(windows: DataSet, study: str) -> NDArray[np.str_]:
    """The people of a study, in an order that the first seed draws."""
    assert windows.studies is not None
    assert windows.subjects is not None
    return np.random.default_rng(SEEDS[0]).permutation(np.unique(windows.subjects[windows.studies == study]))


def fifth_of(people: NDArray[np.str_]) -> NDArray[np.str_]:
    """The people of a study who are held out."""
    return people[: -(-len(people) // 5)]


def measure(data: Data, files: list[Path]) -> dict[str, Any]:
    """Streams the held-out people of each study."""
    windows = data.train
    assert windows.studies is not None
    held_out = {study: fifth_of(people_of(windows, study)) for study in np.unique(windows.studies).tolist()}
    plan = Training.of(PRESET, {"validation": 0.0, "seed": SEEDS[0]})
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        recognizer = exported(plan, data, np.concatenate([*held_out.values()]), Path(scratch))
        for file in files:
            index = recordings.read_recordings(file)
            study = next(study for study in held_out if study in index.column("study"))
            people = [name.removeprefix(f"{study}/") for name in held_out[study]]
            merge = STAIRS if "stairs" in index.activities else None
            found[study] = streaming.evaluate(recognizer, file, subjects=people, merge=merge)
            found[study].pop("timelines")
            print(study, found[study], file=sys.stderr)
    return found


def table(studies: dict[str, Any]) -> str:
    """A table of the studies, with a row of each kind of stream."""
    head = f"| study | people | signal | {' | '.join(name for name, _ in COLUMNS.values())} |\n"
    rows = [
        f"| {study} | {len(found['subjects'])} | {signal} | "
        + " | ".join(
            # Of walking alone, a label that never changes would be right.
            "" if part == "recordings" and (key.startswith("delay") or (key in RIGHT and not found["spliced"]))
            else "never" if found[part][key] is None
            else format(found[part][key], form) for key, (_, form) in COLUMNS.items()
        ) + " |\n"
        for study, found in studies.items()
        for part, signal in (("recordings", "each recording"), ("spliced", "activities in turn")) if found[part]
    ]  # fmt: skip
    return head + f"|---|---:|---|{'---:|' * len(COLUMNS)}\n" + "".join(rows)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("windows.h5"))
    parser.add_argument("--recordings", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"streaming studies": lambda found: table(found["studies"])})
        return
    data = load_data(options.data).everyone()
    result = {
        "command": "python benchmarks/streaming_studies.py --data windows.h5 --recordings motionsense.h5 wisdm.h5 "
        "geotec.h5 oxford-steps.h5",
        "seed": SEEDS[0], "preset": PRESET, "data_sha256": data.sha256, "studies": measure(data, options.recordings),
    }  # fmt: skip
    print(json.dumps(result | {"versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
