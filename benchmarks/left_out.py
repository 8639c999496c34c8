r"""What the streams of a study that was left out show, with three seeds, and what an inclined treadmill costs.

    python saved_models/make.py activity_gru_phone --data DATA --seeds 3 --streams studies --scratch build/seeds
    python benchmarks/left_out.py --scratch build/seeds | tee benchmarks/left_out.json
    python benchmarks/left_out.py --page docs/splits.md  # writes its table into the page

The networks of `activity_gru_phone` without each of six studies, with three seeds, answer the recordings of the study,
with the temperature and the threshold of the card, fitted to new people of the other studies by a network that knows
neither them nor the study. Walking of DSADS is on level ground, on a level treadmill and on one inclined by
15 degrees: all of it, and without the last. As in `benchmarks/pairs.py`, no phone is checked for rest.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import pages
from external import COLUMNS, is_level
from pairs import PRESET, STUDIES, Row, answers_of, fold_of, in_workers, shown, sums

from zoo.catalog import preset_metrics
from zoo.files import read_json, sha256
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

SEEDS, LEVEL = 3, "dsads, without the inclined treadmill"


def level_only(scratch: Path) -> None:
    """Writes the recordings of DSADS without those on the inclined treadmill."""
    from zoo.activity import recordings

    index, file = recordings.read_recordings(scratch / "dsads.h5"), scratch / "dsads-level.h5"
    if not file.exists():
        recordings.write_recordings(file, filter(is_level, index), source=index.provenance["source"])


def measure(scratch: Path, file: Path, calibration: Mapping[str, float]) -> list[Row]:
    """What is shown of the study that the network in a file does not know: of settled time, and of `all`.

    `people` has the sums of each person over settled time.
    """
    import measured_streams

    model, metadata, record, files = fold_of(scratch, file, calibration)
    study = record["study"]
    variants = {study: files[study]} | ({LEVEL: scratch / "dsads-level.h5"} if study == "dsads" else {})
    rows = []
    for name, path in variants.items():
        signals = measured_streams.signals_of(metadata, {study: path}, record["subjects"], record["group"])
        alone = (signal for signal in signals if signal[1] == "alone" and signal[3][0][0] in (*CLASSES, "stairs"))
        streams = [*shown(answers_of(model, metadata, alone), metadata, metadata.stream_threshold)]
        scores = measured_streams.by_study(streams, [*CLASSES, "stairs"])[study]
        rows.append({
            "study": name, "seed": int(file.stem.split(".")[2]), **scores["settled"], "all": scores["all"],
            "people": sums(streams)[study],
        })  # fmt: skip
    return rows


def table(document: Mapping[str, Any]) -> str:
    """A row for each study: the mean of each share over seeds, with those of the seeds, and that of all time."""
    lines = []
    for study in sorted({row["study"] for row in document["rows"]}):
        own = [row for row in document["rows"] if row["study"] == study]
        line = [study]
        for key in COLUMNS:
            shares = [row[key]["share"] for row in own]
            # A study of walking alone has no share that is right.
            silent = None in shares or (key == "right" and own[0]["stairs_as_walking"]["share"] is None)
            seeds = "" if silent else ", ".join(f"{100 * share:.1f}" for share in shares)
            line.append("" if silent else f"{fmean(shares):.1%} ({seeds}{of_people([row[key] for row in own])})")
        keys = [key for key, cell in zip(COLUMNS, line[1:], strict=True) if cell]
        lines.append([*line, " / ".join(f"{fmean(row['all'][key]['share'] for row in own):.1%}" for key in keys)])
    return markdown.table(["study left out", *COLUMNS.values(), "the same of all time"], lines)


def of_people(shares: Sequence[Mapping[str, Any]]) -> str:
    """The lowest and the highest mean over seeds of a few people; empty for many."""
    if "by_person" not in shares[0]:
        return ""
    means = [fmean(share["by_person"][person] for share in shares) for person in shares[0]["by_person"]]
    return f"; people {100 * min(means):.1f} to {100 * max(means):.1f}"


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"left out": table})
        return
    fitted = preset_metrics(PRESET)["streams_of_studies"]["calibrations"]
    level_only(options.scratch)
    folds = product(range(SEEDS), range(len(STUDIES)))
    files = [options.scratch / "studies" / "folds" / f"{PRESET}.study.{seed}.{group}.keras" for seed, group in folds]
    ways, rows = [fitted[read_json(file.with_suffix(".json"))["study"]] for file in files], list[Row]()
    for found in in_workers(partial(measure, options.scratch), files, ways):
        rows += found
        print(len(rows), "rows", file=sys.stderr, flush=True)
    document = {
        "command": "python benchmarks/left_out.py", "preset": PRESET, "seeds": SEEDS, "calibrations": fitted,
        "networks": {file.stem: sha256(file) for file in files}, "versions": versions(), "rows": rows,
    }  # fmt: skip
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
