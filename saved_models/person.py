"""Makes the demonstration of a real person: a minute of one of MotionSense's people, and weights trained without them.

    python saved_models/person.py --data ../shared/data/activity

The network is `activity_gru_pocket`, trained with its recipe on everyone in four studies but this person, who is the
test set. Person and stretches were chosen before anything was recognized: the first person, and of each activity
the middle of the first long trial.

The minute is from MotionSense, MIT license (examples/phone/LICENSE.motionsense): Malekzadeh, Clegg, Cavallaro, Haddadi,
Mobile Sensor Data Anonymization, IoTDI 2019.
"""

import argparse
import base64
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from make import ARCHIVES, LONG, STAIRS

import zoo
from zoo.activity import recordings
from zoo.runtime.metadata import CLASSES

PHONE = Path(__file__).parents[1] / "examples" / "phone"
PERSON, ACTIVITIES = "1", ("walking", "standing", "upstairs", "downstairs", "jogging", "sitting")
STUDIES = ("motionsense", "wisdm", "geotec", "oxford")
SECONDS, RATE, UNIT = 10, 50, 0.02
"""Of each activity; rows a second; and what a whole number stands for, in m/s^2."""


def minute(file: Path) -> dict[str, object]:
    """The document that the page plays: rows of whole numbers in 16 bits, and the activity of each stretch."""
    own = [each for each in recordings.read_recordings(file) if each.subject == PERSON]
    parts = []
    for activity in ACTIVITIES:
        longest = max((each for each in own if each.activity == activity), key=lambda each: each.seconds)
        rows = longest.resampled(RATE)
        start = (len(rows) - SECONDS * RATE) // 2
        parts.append(rows[start : start + SECONDS * RATE])
    whole = np.rint(np.concatenate(parts) / UNIT).astype("<i2")
    return {
        "simulated": False, "source": "MotionSense, a person of its study; MIT license", "rate": RATE,
        "seconds": SECONDS, "activities": ACTIVITIES, "channels": 3, "unit": UNIT,
        "rows": base64.b64encode(whole.tobytes()).decode(),
    }  # fmt: skip


def main() -> None:
    """Writes `src/signal/person.json` and `person.tflite` of the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the four archives")
    archives = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        files = {study: Path(folder) / f"{study}.h5" for study in STUDIES}
        for study, file in files.items():
            zoo.import_study(study, archives / ARCHIVES[study], file)
        document = minute(files["motionsense"])
        # As the preset's windows: longer than it reads, for training cuts and stretches them.
        cut = zoo.cut_windows(
            [*files.values()], Path(folder) / "windows.h5", window=LONG.window, hop=LONG.hop,
            test_subjects=[f"motionsense/{PERSON}"], classes=CLASSES, merge=STAIRS,
        )  # fmt: skip
        assert f"motionsense/{PERSON}" not in cut.data.train.people()
        zoo.train("activity_gru_pocket", cut.path, out=Path(folder) / "model")
        found = zoo.evaluate(Path(folder) / "model", cut.path, baselines=False)
        print(f"windows of this person: accuracy {found['accuracy']:.3f}")
        zoo.export(Path(folder) / "model", Path(folder) / "exported", ["float16"], data=cut.path)
        shutil.copy(Path(folder) / "exported" / "model.float16.tflite", PHONE / "person.tflite")
    written = json.dumps(document, separators=(",", ":")) + "\n"
    (PHONE / "src" / "signal" / "person.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
