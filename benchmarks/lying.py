r"""What a recognizer shows of a phone whose owner lies on a bed, and of one that lies on a table (simulated).

    python saved_models/make.py activity_gru_pocket --data DATA --streams studies --scratch build/activity_gru_pocket
    python benchmarks/lying.py --scratch build/activity_gru_pocket | tee benchmarks/lying.json
    python benchmarks/lying.py --page docs/splits.md  # writes its table into the page

Nobody's recordings of lying are in a training. Those of selfBACK and DSADS are streamed by the networks of
`activity_gru_pocket` without the study, with the calibration of the card: what is shown later than five seconds after
the start. A table is simulated: ten minutes in each of six poses, with white noise of a sensor and an offset of each
axis of up to 0.2 m/s^2, as the published file shows it from its start.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from pairs import STUDIES, Row

from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import STANDARD_GRAVITY

PRESET, LYING = "activity_gru_pocket", "lying"
NOISES = (0.01, 0.02, 0.04)
"""Standard deviations in m/s^2 of the noise of a simulated sensor."""
SECONDS, OFFSET, POSES = 600, 0.2, np.concatenate([np.eye(3), -np.eye(3)]) * STANDARD_GRAVITY
NO_LABEL = "without a label"


def of_bed(scratch: Path, study: str, calibration: Mapping[str, float]) -> Row:
    """The share of the settled time of lying of a study for which the network without it shows each label."""
    import zoo
    from zoo.activity import recordings, streaming
    from zoo.activity.cutting import Windowing
    from zoo.files import temporary_folder
    from zoo.loading import load
    from zoo.runtime import Recognizer

    network = scratch / "studies" / "folds" / f"{PRESET}.study.0.{STUDIES.index(study)}.keras"
    counts, people = Counter[str](), set[str]()
    with temporary_folder() as folder:
        zoo.export(load(network).keras_model.copy(**calibration), folder / "files", ["float32"])
        recognizer = Recognizer(folder / "files" / "model.float32.tflite")
        for recording in recordings.read_recordings(scratch / f"{study}.h5").selected(recognizer.metadata.axes):
            if recording.activity == LYING:
                stretch = LYING, Windowing(rate=recognizer.metadata.rate).rows(recording)
                stream = streaming.streamed(recognizer, None, [stretch], {}, recording.subject)
                counts.update(label or NO_LABEL for label in stream.labels[stream.settled].tolist())
                people.add(recording.subject)
    return {"signal": f"lying, {study}", "people": len(people), "shares": shares(counts)}


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
    parser.add_argument("--scratch", type=Path, default=Path("build") / PRESET)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"lying": table})
        return
    fitted = preset_metrics(PRESET)["streams_of_studies"]["calibrations"]
    rows = [of_bed(options.scratch, study, fitted[study]) for study in ("selfback", "dsads")]
    rows += [of_table(noise) for noise in NOISES]
    command = f"python benchmarks/lying.py --scratch build/{PRESET}"
    print(json.dumps({"command": command, "preset": PRESET, "versions": versions(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
