r"""What streams of studies left out showed before the recommended recognizer learned from six studies.

    git show 2080b86c:saved_models/activity_gru_phone/model.float32.tflite > build/activity_gru_phone-0.3.0.tflite
    python benchmarks/predecessor.py build/activity_gru_phone-0.3.0.tflite --data DATA/activity \
        --scratch build/predecessor | tee benchmarks/predecessor.json
    python benchmarks/predecessor.py --page docs/splits.md  # writes its table into the page

Version 0.3.0 of `activity_gru_phone` learned from MotionSense, WISDM, GeoTec and the Oxford step counter, without other
movements; its recipe is today's. It is trained again without each of these, and calibrated by networks that know
neither the study nor those who calibrate, as the networks of `saved_models/metrics.json` are; selfBACK and DSADS,
which it never saw, are read by the published file. Both read the same signals, by `saved_models/measured_streams.py`.
"""

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import pages
from pairs import PRESET, STUDIES, WORKERS

from zoo.catalog import preset_metrics
from zoo.files import sha256
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

FOUR = ("motionsense", "wisdm", "geotec", "oxford")
DELAYS = ("walking to stairs", "stairs to walking", "still or moving", "others")


def measure(file: Path, archives: Path, scratch: Path) -> dict[str, Any]:
    """What the streams of each study show to networks of four studies that do not know it."""
    # Filling the page needs no TensorFlow.
    import make
    import measured_streams

    from zoo.activity import recordings
    from zoo.crossval import Protocol
    from zoo.runtime import Recognizer
    from zoo.training import Training

    scratch.mkdir(parents=True, exist_ok=True)
    plan, data = Training.of(PRESET, {"validation": 0.0}), make.cut(FOUR, archives, scratch)
    found = make.cross_validated(plan, data, scratch / "studies", Protocol("study", models=True))
    fitted = measured_streams.nested(plan, data, scratch)
    held, streams = list[measured_streams.Held](), measured_streams.Streams()
    for fold, record in measured_streams.folds_of(found).items():
        # The signals are drawn by the number of the study, as those of today's networks.
        study, number = record["study"], STUDIES.index(record["study"])
        files = {study: scratch / f"{study}.h5"}
        held.append(measured_streams.Held(scratch / "studies", fold, record, data, fitted[study], files, number))
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        for part, _ in pool.map(partial(measured_streams.measured, integers=False), held):
            streams += part
    for study in set(STUDIES) - {*FOUR}:
        if not (raw := scratch / f"{study}.h5").exists():
            make.import_study(study, archives, raw)
        people = {f"{study}/{person}" for person in recordings.read_recordings(raw).subjects.tolist()}
        streams += measured_streams.streams_of(Recognizer(file), {study: raw}, people, STUDIES.index(study))
    scores = measured_streams.by_study(streams, [*CLASSES, "stairs"])
    return {"calibrations": fitted, "studies": {study: scores[study] for study in STUDIES}}


def cells(row: Mapping[str, Any]) -> dict[str, str]:
    """What the spliced signals of a study show."""
    turns, delays = row["turns"], row["turns"]["delays"]
    return {
        "false changes per hour": f"{turns['false_per_hour']:.0f}", "missed": f"{turns['missed']['share']:.1%}",
        **{kind: f"{delays[kind]['delay_median']:.1f}" for kind in DELAYS if kind in delays},
    }  # fmt: skip


def table(document: Mapping[str, Any]) -> str:
    """Four studies in training, and six, by study."""
    now, rows = preset_metrics(PRESET)["streams_of_studies"]["studies"], []
    for study, row in document["studies"].items():
        if "turns" in row:
            before, after = cells(row), cells(now[study])
            rows.append([study, *(f"{before[key]} / {after[key]}" for key in before)])
    return markdown.table(
        ["study left out", "false changes an hour", "missed", *(f"{kind}, s" for kind in DELAYS)], rows
    )


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="the exported file of version 0.3.0")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build/predecessor"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"predecessor": table})
        return
    found = measure(options.file, options.data, options.scratch)
    command = "python benchmarks/predecessor.py FILE --data DATA/activity"
    print(json.dumps({"command": command, "sha256": sha256(options.file), **found, "versions": versions()}, indent=1))


if __name__ == "__main__":
    main()
