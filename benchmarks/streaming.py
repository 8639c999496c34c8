"""Comparison of methods for continuous recognition: restarts of the state, training on carried states, and both.

    python benchmarks/streaming.py --zip A_DeviceMotion_data.zip

A recognizer that was trained on windows has not been trained on the states that arise after minutes of signal. For each
of two groups of the training people, models are trained on the others, with the recipe of the pocket recognizer for one
study, which starts half of the windows from the state of another window, and without it. Then the people of the group
are streamed: whole recordings, and twenty minutes of activities in turn. The test people are not used. The settings in
the metadata of the published files were chosen by these results, which were measured when streams averaged
probabilities over 0.5 s, or 0.25 where the name says "less smoothing", in place of a filter.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.activity import recordings, streaming
from zoo.activity.cutting import Windowing, write_windows
from zoo.activity.data import from_file
from zoo.activity.studies import read_study
from zoo.activity.task import TASK
from zoo.data.dataset import Data
from zoo.exporting import formats, signatures
from zoo.provenance import versions
from zoo.runtime import Recognizer
from zoo.runtime.metadata import ActivityMetadata, Streaming, embed
from zoo.task import Split, task_of
from zoo.training import Training, fit

TEST_SUBJECTS, GROUPS, WHICH = ["2", "9", "15", "21"], 5, (0, 2)
SECONDS = 1200.0
SETTINGS = {
    "carried for ever": Streaming(restart=0, copies=1),
    "two in turns, 3 s": Streaming(restart=150, copies=2),
    "three in turns, 3 s": Streaming(restart=150, copies=3),
    "two in turns, 6 s": Streaming(restart=300, copies=2),
    "three in turns, 6 s": Streaming(restart=300, copies=3),
}
KEPT = ("accuracy", "settled_accuracy", "window_accuracy", "delay_median", "delay_p95", "false_alarms_per_hour")


def recipes() -> dict[str, Training]:
    """A recipe for front pockets, and the same on windows that all begin with a state of zero."""
    changes = {"steps": 2000, "parts": 40, "batch_size": 64, "validation": 0.0}
    plan = Training.of("activity_gru_pocket", changes)
    carried = {**(plan.recipe.augmentation or {}), "half_turn": 0.75, "quarter_turn": 0.0}
    return {
        name: replace(plan, recipe=plan.recipe.replace(augmentation={**carried, "carry": carry}))
        for name, carry in (("windows", 0.0), ("carried states", carried["carry"]))
    }


def exported(plan: Training, data: Data, group: np.ndarray, folder: Path) -> Recognizer:
    """Trains on everybody outside the group and exports."""
    assert data.train.subjects is not None
    train = data.train.where(~np.isin(data.train.subjects, group))
    split = Split(data, train)
    model = TASK.build(plan, split)
    fit(model, plan.recipe, TASK.feed(model, split, plan.recipe))
    file, metadata = folder / "model.tflite", task_of(model).metadata(model)
    assert isinstance(metadata, ActivityMetadata)
    formats.convert(signatures.activity(model, metadata.chunk), {"float32": file}, batch=1)
    embed(file, metadata)
    return Recognizer(file)


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, default=Path("A_DeviceMotion_data.zip"))
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        raw, cut = Path(scratch) / "recordings.h5", Path(scratch) / "windows.h5"
        recordings.write_recordings(raw, read_study("motionsense", options.zip), source="MotionSense")
        write_windows(recordings.read_recordings(raw), cut, Windowing(window=200, hop=100), TEST_SUBJECTS)
        data = from_file(cut)
        people = np.random.default_rng(0).permutation(np.array(data.train.people()))
        for name, plan in recipes().items():
            for number in WHICH:
                group = np.array_split(people, GROUPS)[number]
                recognizer = exported(plan, data, group, Path(scratch))
                for setting, how in SETTINGS.items():
                    found = streaming.evaluate(recognizer, raw, subjects=group.tolist(), settings=how, seconds=SECONDS)
                    rows.append({
                        "trained on": name, "subjects": found["subjects"], "settings": setting, **asdict(how),
                        "recordings": {key: found["recordings"][key] for key in KEPT},
                        "spliced": {key: found["spliced"][key] for key in KEPT},
                    })  # fmt: skip
                    print(rows[-1], file=sys.stderr, flush=True)
    print(json.dumps({"rows": rows, "versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
