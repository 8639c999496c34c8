r"""A published recognizer on studies that were in no training and in no choice, as windows and as streams.

    git show 2080b86c:saved_models/activity_gru_phone/model.float32.tflite > activity_gru_phone-0.3.0.tflite
    zoo data import selfback selfback-thigh.zip -o selfback.h5
    zoo data import dsads daily-and-sports-activities.zip -o dsads.h5
    python benchmarks/external.py activity_gru_phone-0.3.0.tflite --recordings selfback.h5 dsads.h5 \
        | tee benchmarks/external.json
    python benchmarks/external.py --page docs/external.md  # writes the tables into the page

The file is that of version 0.3.0; its successor has learned from these people. Everybody is tested on. Windows overlap
by half. As streams, each recording is streamed from its start by the exported file; what is settled is later than five
seconds. Intervals are those of pooled shares over people, who are drawn with replacement; of fewer than ten people
each person's value stands in their place. Each study has several rows. The sensors of selfBACK are off in scale: they
are taken as published, so that a person's own standing makes one g, and so that the quietest tenth of a person's
seconds does, which needs no label. Walking of DSADS is on level ground, on a level
treadmill, and on one inclined by 15 degrees: all of it, and without the last.

Each run that is published is a look at these people. `LOOKS` lists them: who chooses by a look has no external test.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from numpy.typing import NDArray
from studies import own_scores

from zoo.activity import metrics, recordings, streaming
from zoo.activity.cutting import Windowing
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime import Recognizer
from zoo.runtime.metadata import STANDARD_GRAVITY

LOOKS = Path(__file__).with_name("looks.json")
STAIRS = ("downstairs", "upstairs")


def is_level(recording: recordings.Recording) -> bool:
    """Whether a recording of DSADS is not on the inclined treadmill."""
    return "/a11/" not in recording.name


Scale = Callable[[Sequence[recordings.Recording]], float]
"""The factor of a person's recordings."""


def as_published(parts: Sequence[recordings.Recording]) -> float:
    """One."""
    return 1.0


def by_standing(parts: Sequence[recordings.Recording]) -> float:
    """What makes one g of the mean length of a person's acceleration while standing."""
    standing = [np.linalg.norm(part.acceleration, axis=1) for part in parts if part.activity == "standing"]
    return STANDARD_GRAVITY / float(np.concatenate(standing).mean()) if standing else 1.0


def by_quiet(parts: Sequence[recordings.Recording]) -> float:
    """What makes one g of the mean length in the tenth of a person's seconds in which it varies least."""
    seconds = list[tuple[float, float]]()
    for part in parts:
        lengths, second = np.linalg.norm(part.acceleration, axis=1), round(part.rate)
        blocks = lengths[: len(lengths) // second * second].reshape(-1, second)
        seconds += zip(blocks.std(axis=1).tolist(), blocks.mean(axis=1).tolist(), strict=True)
    quiet = sorted(seconds)[: max(1, len(seconds) // 10)]
    return STANDARD_GRAVITY / float(np.mean([mean for _, mean in quiet]))


def measure(
    recognizer: Recognizer, file: Path, *, scale: Scale = as_published,
    wanted: Callable[[recordings.Recording], bool] = lambda recording: True,
) -> dict[str, Any]:  # fmt: skip
    """Scores of windows, and shares of time of streams, of everybody in a file of recordings."""
    # Filling the page needs no TensorFlow.
    import measured_streams

    metadata, index = recognizer.metadata, recordings.read_recordings(file)
    windowing, classes = Windowing(metadata.window, metadata.window // 2, metadata.rate), np.array(metadata.classes)
    allowed = {name: [name] for name in metadata.classes}
    labels, predicted, subjects, scales = list[int](), list[NDArray[np.int64]](), list[str](), dict[str, float]()
    streams: list[streaming.StreamResult] = []
    by_person = attrgetter("subject")
    for person, group in groupby(sorted(index, key=by_person), by_person):
        parts = [part for part in group if part.activity in allowed and wanted(part)]
        scales[person] = scale(parts)
        for part in parts:
            rows = (windowing.rows(part) * scales[person]).astype(np.float32)
            if len(rows) <= metadata.window:
                continue
            windows = windowing.cut(rows)
            predicted.append(recognizer.predict(windows).argmax(axis=1))
            labels += [metadata.classes.index(part.activity)] * len(windows)
            subjects += [person] * len(windows)
            streams.append(streaming.streamed(recognizer, None, [(part.activity, rows)], allowed, person))
    truth, answers, owners = np.array(labels), np.concatenate(predicted), np.array(subjects)
    merged = {name: "stairs" if name in STAIRS else name for name in metadata.classes}
    five = np.unique([merged[name] for name in classes], return_inverse=True)[1]
    scores = metrics.classification(truth, answers, metadata.classes, owners)
    by_person = {} if len(scales) >= metrics.FEWEST else {"by_person": own_scores(truth, answers, owners)}
    return {
        "source": index.provenance["source"], "people": len(scales),
        "scales": None if scale is as_published else scales,
        "windows": {"count": len(truth), **{key: scores[key] for key in ("accuracy", "macro_f1", "macro_f1_interval",
                                                                      "classes", "confusion")}, **by_person,
                    "stairs_as_one": metrics.scores(five[truth], five[answers], owners)},
        "streams": {"hours": round(sum(float(stream.times[-1]) for stream in streams) / 3600, 2),
                    "all": measured_streams.shares(streams, measured_streams.everything),
                    "settled": measured_streams.shares(streams, measured_streams.settled)},
    }  # fmt: skip


ROWS: dict[str, dict[str, dict[str, Any]]] = {
    "selfback": {
        "selfBACK": {},
        "selfBACK, own standing is 1 g": {"scale": by_standing},
        "selfBACK, own quiet seconds are 1 g": {"scale": by_quiet},
    },
    "dsads": {"DSADS": {}, "DSADS, without the inclined treadmill": {"wanted": is_level}},
}
"""The rows of each study, and how they are measured."""

COLUMNS = {
    "right": "right", "walking_as_stairs": "walking shown as stairs", "stairs_as_walking": "stairs shown as walking",
    "unlabeled": "without a label",
}  # fmt: skip


def cell(row: Mapping[str, Any]) -> str:
    """A share with its interval, or its range over a few people."""
    low, high = row.get("interval") or (min(row["by_person"].values()), max(row["by_person"].values()))
    between = f", {row['people']} people" if "by_person" in row else ""
    return f"{row['share']:.1%} ({100 * low:.1f} to {100 * high:.1f}{between})"


def table(document: Mapping[str, Any]) -> str:
    """Scores of windows, and shares of the time of streams."""
    rows = ["| study | people | windows | macro-F1 | stairs as one |", "|---|---:|---:|---:|---:|"]
    for name, row in document["studies"].items():
        windows = row["windows"]
        score = [f"{part['macro_f1']:.3f} ({part['macro_f1_interval'][0]:.3f} to {part['macro_f1_interval'][1]:.3f})"
                 if row["people"] >= metrics.FEWEST else f"{part['macro_f1']:.3f}"
                 for part in (windows, windows["stairs_as_one"])]  # fmt: skip
        rows.append(f"| {name} | {row['people']} | {windows['count']:,} | {' | '.join(score)} |")
    rows += ["", f"| study | time | {' | '.join(COLUMNS.values())} |", f"|---|---|{'---:|' * len(COLUMNS)}"]
    rows += [
        f"| {name} | {time} | {' | '.join(cell(row['streams'][time][key]) for key in COLUMNS)} |"
        for name, row in document["studies"].items() for time in ("all", "settled")
    ]  # fmt: skip
    return "\n".join(rows)


def people(document: Mapping[str, Any]) -> str:
    """The scores of each person of studies with fewer than ten: of windows, and of settled time."""
    lines = []
    for name, row in document["studies"].items():
        settled = row["streams"]["settled"]
        for person, score in row["windows"].get("by_person", {}).items():
            own = [settled[key]["by_person"].get(person) for key in COLUMNS]
            lines.append([name, person, f"{score:.3f}", *("" if share is None else f"{share:.1%}" for share in own)])
    return markdown.table(["study", "person", "macro-F1", *COLUMNS.values()], lines)


def looks(document: Mapping[str, Any]) -> str:
    """Who was looked at when, the first look first."""
    rows = [
        f"| {look['date']} | {', '.join(look['sets'])} | {look['commit']} | {look['what']} |"
        for look in json.loads(LOOKS.read_text())
    ]
    return "\n".join(["| date | studies | commit of the file | what was looked at |", "|---|---|---|---|", *rows])


def confusion(document: Mapping[str, Any]) -> str:
    """Windows of each activity by what they were taken for, of the studies as published."""
    found = {name: document["studies"][name]["windows"] for name in ("selfBACK", "DSADS")}
    lines = [
        [name, true, *(f"{count:,}" for count in row)]
        for name, windows in found.items() for true, row in zip(windows["classes"], windows["confusion"], strict=True)
    ]  # fmt: skip
    return markdown.table(["study", "windows of", *found["DSADS"]["classes"]], lines)


TABLES = {"external test": table, "confusion": confusion, "people": people, "looks": looks}


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.tflite")
    parser.add_argument("--recordings", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, TABLES)
        return
    recognizer, found = Recognizer(options.file), {}
    for file in options.recordings:
        study = recordings.read_recordings(file).recordings[0].study
        for row, how in ROWS[study].items():
            found[row] = measure(recognizer, file, **how)
            print(row, file=sys.stderr)
    result = {
        "command": "python benchmarks/external.py FILE --recordings selfback.h5 dsads.h5", "seed": 0,
        "file": options.file.name, "sha256": hashlib.sha256(options.file.read_bytes()).hexdigest(), "studies": found,
    }  # fmt: skip
    print(json.dumps(result | {"versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
