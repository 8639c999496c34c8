r"""How often a phone is said to be shaken: while people move as they do, and while it is (simulated).

    zoo data import motionsense A_DeviceMotion_data.zip -o motionsense.h5   # and wisdm --others, geotec, oxford-steps
    python benchmarks/shaking.py motionsense.h5 wisdm.h5 geotec.h5 oxford-steps.h5 | tee benchmarks/shaking.json

`zoo.runtime.faults` reads each recording of the studies from its start. No study shakes phones, so that is simulated:
sixty bouts of twenty seconds, read by `activity_gru_phone` as a stream, with the rule and without it. The numbers of
the rule were chosen on windows of the same people, and on simulated shaking of other seeds.
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.activity import recordings, simulate
from zoo.catalog import PRESETS_FOLDER
from zoo.provenance import versions
from zoo.runtime import Recognizer
from zoo.runtime.faults import SHAKEN, Signal

PRESET = "activity_gru_phone"
RATE, BOUTS, SECONDS, SEED = 50.0, 60, 20, 11


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path, help="files of recordings, one a study")
    files = parser.parse_args().recordings
    studies = {file.stem: of_recordings(file) for file in files}
    print(json.dumps({"studies": studies, "simulated": of_shaking(), "versions": versions()}, indent=1))


def of_recordings(file: Path) -> dict[str, Any]:
    """By activity, the seconds of its recordings, those that are said to be shaken, and the people of whom."""
    found: dict[str, dict[str, Any]] = {}
    for recording in recordings.read_recordings(file):
        signal, shaken = Signal(), 0
        for number, sample in enumerate(recording.acceleration.tolist()):
            signal.push(number / recording.rate, sample)
            shaken += signal.fault == SHAKEN
        row = found.setdefault(recording.activity, {"seconds": 0.0, "shaken": 0.0, "people": set()})
        row["seconds"] += len(recording.acceleration) / recording.rate
        row["shaken"] += shaken / recording.rate
        row["people"] |= {recording.subject} if shaken else set()
    return {
        name: {"seconds": round(row["seconds"]), "shaken": round(row["shaken"], 1), "people": len(row["people"])}
        for name, row in sorted(found.items())
    }


def of_shaking() -> dict[str, Any]:
    """The share of the time for which a stream shows each label, or each reason for none."""
    recognizer = Recognizer(PRESETS_FOLDER / PRESET / "model.float32.tflite")
    bouts = simulate.shaken(BOUTS, round(SECONDS * RATE), RATE, np.random.default_rng(SEED))
    shown: dict[str, Any] = {"preset": PRESET, "seconds": BOUTS * SECONDS, "seed": SEED}
    for rule in (True, False):
        counts: Counter[str] = Counter()
        for rows in bouts.tolist():
            stream = recognizer.stream()
            stream._signal = Signal(steps=rule)
            for number, row in enumerate(rows):
                counts.update(each.label or str(each.reason) for each in stream.push(number / RATE, *row))
        name = "with the rule" if rule else "without it"
        shown[name] = {word: round(count / counts.total(), 4) for word, count in counts.most_common()}
    return shown


if __name__ == "__main__":
    main()
