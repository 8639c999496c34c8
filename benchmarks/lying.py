r"""What a recognizer shows of a phone whose owner lies on a bed, and of one that lies on a table (simulated).

    python saved_models/make.py activity_gru_pocket --data DATA --streams studies --scratch build/activity_gru_pocket
    python benchmarks/lying.py --data DATA/activity --scratch build/activity_gru_pocket | tee benchmarks/lying.json
    python benchmarks/lying.py --page docs/splits.md  # writes its table into the page

Nobody's recordings of lying are in a training. Those of selfBACK and DSADS are streamed by the networks of
`activity_gru_pocket` without the study, with the calibration of the card: what is shown later than five seconds after
the start. Could lying be one of the other movements? The same recipe learns it so of one of the two studies, and is
shown what people of the other one do who lie, sit or stand. A table is simulated: ten minutes in each of six poses,
with white noise of a sensor and an offset of each axis of up to 0.2 m/s^2, as the published file shows it from its
start.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from pairs import MOVEMENTS, STUDIES, Row, cut_with, in_workers

from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import STANDARD_GRAVITY

PRESET, LYING = "activity_gru_pocket", "lying"
STILL = (LYING, "sitting", "standing")
BEDS = {"selfback": "DSADS", "dsads": "selfBACK"}
"""The studies in which people lie, and how the other one is called."""
NOISES = (0.01, 0.02, 0.04)
"""Standard deviations in m/s^2 of the noise of a simulated sensor."""
SECONDS, OFFSET, POSES = 600, 0.2, np.concatenate([np.eye(3), -np.eye(3)]) * STANDARD_GRAVITY
NO_LABEL = "without a label"


def of_beds(study: str, archives: Path, scratch: Path) -> list[Row]:
    """Rows of a study, of a network without it that has not learned to lie, and of one that has."""
    # Filling the page needs no TensorFlow.
    import measured_streams

    from zoo.activity.task import TASK
    from zoo.training import Training

    calibration = preset_metrics(PRESET)["streams_of_studies"]["calibrations"][study]
    known = scratch / "studies" / "folds" / f"{PRESET}.study.0.{STUDIES.index(study)}.keras"
    rows = [of_still(f"{{}}, {study}", scratch, study, known, calibration)]
    folder = scratch / LYING / study
    data = TASK.load_data(cut_with(scratch, archives, folder, (*MOVEMENTS, LYING)))
    held = data.train.studies == study
    fold, _ = measured_streams.train_without(Training.of(PRESET, {"validation": 0.0}), data, held, study, folder)
    signal = f"{{}}, {study}; learned of {BEDS[study]}"
    rows.append(of_still(signal, scratch, study, fold.file(folder, "keras"), calibration))
    return [*chain.from_iterable(zip(*rows, strict=True))]


def of_still(signal: str, scratch: Path, study: str, network: Path, calibration: Mapping[str, float]) -> list[Row]:
    """The share of the settled time of lying, sitting and standing of a study for which a network shows each label."""
    import zoo
    from zoo.activity import recordings, streaming
    from zoo.activity.cutting import Windowing
    from zoo.files import temporary_folder
    from zoo.loading import load
    from zoo.runtime import Recognizer

    counts = {activity: Counter[str]() for activity in STILL}
    people: dict[str, set[str]] = {activity: set() for activity in STILL}
    with temporary_folder() as folder:
        zoo.export(load(network).keras_model.copy(**calibration), folder / "files", ["float32"])
        recognizer = Recognizer(folder / "files" / "model.float32.tflite")
        for recording in recordings.read_recordings(scratch / f"{study}.h5").selected(recognizer.metadata.axes):
            if recording.activity in counts:
                stretch = recording.activity, Windowing(rate=recognizer.metadata.rate).rows(recording)
                stream = streaming.streamed(recognizer, None, [stretch], {}, recording.subject)
                counts[recording.activity].update(label or NO_LABEL for label in stream.labels[stream.settled].tolist())
                people[recording.activity].add(recording.subject)
    return [
        {"signal": signal.format(activity), "people": len(people[activity]), "shares": shares(counts[activity])}
        for activity in STILL
    ]


def of_table(noise: float) -> Row:
    """The share of the time of a table for which the published file shows each label."""
    from zoo.runtime import Recognizer

    recognizer, random = Recognizer(PRESETS_FOLDER / PRESET / "model.float32.tflite"), np.random.default_rng(0)
    counts: Counter[str] = Counter()
    for pose in POSES:
        rate = recognizer.metadata.rate
        rows = pose + random.uniform(-OFFSET, OFFSET, 3) + random.normal(0, noise, (round(SECONDS * rate), 3))
        stream = recognizer.stream()
        for number, row in enumerate(rows.tolist()):
            counts.update(each.label or NO_LABEL for each in stream.push(number / rate, *row))
    return {"signal": f"a table, noise of {noise:g} m/s^2", "people": None, "shares": shares(counts)}


def shares(counts: Counter[str]) -> dict[str, float]:
    """Counts as shares of their sum, the largest first."""
    return {label: count / counts.total() for label, count in counts.most_common()}


def table(document: Mapping[str, Any]) -> str:
    """A row for each signal, with the share of its time without a label, and those of the labels."""
    lines = []
    for row in document["rows"]:
        labels = [
            f"{label} {share:.1%}" for label, share in row["shares"].items() if label != NO_LABEL and share >= 5e-4
        ]
        lines.append([row["signal"], f"{row['shares'].get(NO_LABEL, 0.0):.1%}", ", ".join(labels)])
    return markdown.table(["signal", NO_LABEL, "labels that are shown"], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build") / PRESET)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"lying": table})
        return
    found = in_workers(partial(of_beds, archives=options.data, scratch=options.scratch), BEDS)
    rows = [*chain.from_iterable(found), *map(of_table, NOISES)]
    command = f"python benchmarks/lying.py --data DATA/activity --scratch build/{PRESET}"
    print(json.dumps({"command": command, "preset": PRESET, "versions": versions(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
