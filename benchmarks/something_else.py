"""What a class `other` finds, of movements that a recognizer has learned and of those that it has not.

    python benchmarks/something_else.py --data DATA/activity --scratch build/something-else
    python benchmarks/something_else.py --page docs/splits.md  # writes its tables into the page

The recipe of `activity_gru_phone` is trained on six studies without half of the people of DSADS and WISDM, which alone
have other movements, and without a fifth of those of the other studies: without the class, with all movements in it,
and with all but one kind, each kind of the whole body in turn. The people who are held out are read as streams of one
movement each; shares are of the time later than five seconds after a start.

A recognizer without the class can be silent, too, where it is not sure. Its threshold is therefore raised until it
shows no label for as much of the known activities as the one with the class does.

DSADS and WISDM were recorded at 25 and 20 Hz, so a network might learn to tell these studies from the others by what
is missing above 10 Hz. In one more training all signals are low-passed there, also those of the people held out.
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
import pairs
from numpy.typing import NDArray
from pairs import MOVEMENTS, PRESET, SEED, STUDIES

from zoo.files import read_json, write_json
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

KINDS = ("jumping", "rowing", "cycling", "stepper", "cross_trainer", "basketball")
"""Movements of the whole body, each of which is once left out of the training."""
WITHOUT, WITH, LOW = "without the class", "with the class", "low-passed"
TRAININGS = {WITHOUT: (), WITH: MOVEMENTS, LOW: MOVEMENTS} | {
    f"without {kind}": tuple(name for name in MOVEMENTS if name != kind) for kind in KINDS
}
"""What the class consists of in each training."""
PARTS = {"dsads": 2, "wisdm": 2}
"""The part of the people of a study that is held out; a fifth of the others."""
CUTOFF = 10.0
RESULTS = Path(__file__).with_suffix(".json")

Row = dict[str, Any]


def held_people(studies: NDArray[np.str_], people: NDArray[np.str_]) -> list[str]:
    """Every second, or fifth, person of each study."""
    return [
        person
        for study in np.unique(studies)
        for person in np.unique(people[studies == study])[:: PARTS.get(str(study), 5)].tolist()
    ]


def low_passed(rows: NDArray[np.floating], rate: float) -> NDArray[np.float32]:
    """Signals `(..., rows, channels)` without what is above the cutoff."""
    from scipy.signal import butter, sosfiltfilt

    return np.asarray(sosfiltfilt(butter(8, CUTOFF, fs=rate, output="sos"), rows, axis=-2), np.float32)


def train(name: str, scratch: Path) -> Row:
    """Trains with some movements in the class, and measures what is shown of the people who are held out."""
    import measured_streams

    from zoo.activity.task import TASK
    from zoo.training import Training

    folder = scratch / name.replace(" ", "_")
    data = TASK.load_data((scratch / WITH.replace(" ", "_") if name == LOW else folder) / "windows.h5")
    windows = data.train.in_memory()
    assert windows.studies is not None
    assert windows.subjects is not None
    change = partial(low_passed, rate=data.rate) if name == LOW else lambda rows: rows
    windows = replace(windows, inputs=change(windows.inputs))
    held = np.isin(windows.subjects, held_people(windows.studies, windows.subjects))
    training = Training.of(PRESET, {"validation": 0.0, "seed": SEED})
    model, record = pairs.trained(training, replace(data, train=windows), held, "held out", folder)
    metadata = TASK.metadata(model)
    files = {study: scratch / f"{study}.h5" for study in STUDIES}
    signals = (
        (study, kind, person, [(activity, change(rows)) for activity, rows in stretches])
        for study, kind, person, stretches in measured_streams.signals_of(metadata, files, record["subjects"], 0)
        if kind == "alone"
    )
    answered = [*pairs.answers_of(model, metadata, signals)]
    show = partial(shares, answered, metadata)
    kept = {"people": len(record["subjects"]), **{key: record[key] for key in ("windows", "macro_f1", "seconds")}}
    found = {"training": name, **kept, **show(metadata.stream_threshold)}
    if name == WITHOUT:
        # Each share without a label that another training may have, by the threshold that gives it.
        found["by_threshold"] = [show(threshold) | {"threshold": threshold} for threshold in np.arange(0.3, 1, 0.05)]
    return found


def shares(answered: Sequence[pairs.Answered], metadata: Any, threshold: float) -> Row:
    """Right and unlabeled time of known activities by study, and how much of each movement is shown as one of them."""
    known: dict[str, list[tuple[float, float, float]]] = {}
    others: dict[str, list[tuple[float, float]]] = {}
    for study, _, stream in pairs.shown(answered, metadata, threshold):
        labels, activity = stream.labels[stream.settled], str(stream.activities[0])
        if activity in (*CLASSES, "stairs"):
            right = (labels == stream.truth[stream.settled]).sum()
            known.setdefault(study, []).append((right, (labels == "").sum(), len(labels)))
        else:
            others.setdefault(activity, []).append(((labels != "").sum(), len(labels)))
    sums = {study: np.sum(rows, axis=0) for study, rows in known.items()}
    every = np.sum([*sums.values()], axis=0)
    return {
        "unlabeled": float(every[1] / every[2]),
        "known": {study: {"right": float(row[0] / row[2]), "unlabeled": float(row[1] / row[2])}
                  for study, row in sorted(sums.items())},
        "shown_as_known": {name: float(np.divide(*np.sum(rows, axis=0))) for name, rows in sorted(others.items())},
    }  # fmt: skip


def row_of(document: Row, name: str) -> Row:
    """The results of a training."""
    return next(row for row in document["rows"] if row["training"] == name)


def as_silent(document: Row) -> Row:
    """The results without the class, at the threshold by which as much known time has no label as with it."""
    wanted = row_of(document, WITH)["unlabeled"]
    found: Row = min(row_of(document, WITHOUT)["by_threshold"], key=lambda row: abs(row["unlabeled"] - wanted))
    return found


def movements_table(document: Row) -> str:
    """How much of each movement is shown as a known activity."""
    columns = [row_of(document, WITHOUT), as_silent(document), row_of(document, WITH), row_of(document, LOW)]
    lines, left_out = [], []
    for name in columns[0]["shown_as_known"]:
        cells = [f"{column['shown_as_known'][name]:.0%}" for column in columns]
        if name in KINDS:
            left_out.append(row_of(document, f"without {name}")["shown_as_known"][name])
        never = f"{left_out[-1]:.0%}" if name in KINDS else "" if name in MOVEMENTS else cells[2]
        lines.append([name.replace("_", " "), *cells, never])
    middle = [median(column["shown_as_known"][kind] for kind in KINDS) for column in columns]
    lines.append(["**median of six**", *(f"{share:.0%}" for share in (*middle, median(left_out)))])
    head = ["movement", "no class", "no class, as silent", "learned", "learned, below 10 Hz", "this kind not learned"]
    return markdown.table(head, lines)


def known_table(document: Row) -> str:
    """What the class costs of the known activities of each study."""
    names = (WITHOUT, WITH, LOW)
    rows = [row_of(document, name)["known"] for name in names]
    cells = [
        [study, *(f"{row[study]['right']:.3f}, {row[study]['unlabeled']:.1%}" for row in rows)] for study in rows[0]
    ]
    return markdown.table(["study: right, without a label", *names], cells)


def cut(archives: Path, scratch: Path) -> None:
    """Cuts the windows of each training, once."""
    import make

    scratch.mkdir(parents=True, exist_ok=True)
    for name, other in TRAININGS.items():
        folder = scratch / name.replace(" ", "_")
        if name == LOW or (folder / "windows.h5").exists():
            continue
        folder.mkdir(exist_ok=True)
        for study in STUDIES:
            if (file := scratch / f"{study}.h5").exists() and not (folder / file.name).exists():
                (folder / file.name).hardlink_to(file)
        make.cut(STUDIES, archives, folder, other)
        for study in STUDIES:
            if not (scratch / f"{study}.h5").exists():
                (scratch / f"{study}.h5").hardlink_to(folder / f"{study}.h5")


def main() -> None:
    """Trains what is missing; each finished training is written at once."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build/something-else"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"other": movements_table, "other, known": known_table})
        return
    os.environ |= pairs.ONE_THREAD
    document = read_json(RESULTS) if RESULTS.exists() else {"rows": []}
    document |= {"command": "python benchmarks/something_else.py --data DATA/activity", "seed": SEED, "preset": PRESET}
    done = [row["training"] for row in document["rows"]]
    cut(options.data, options.scratch)
    with ProcessPoolExecutor(pairs.WORKERS, max_tasks_per_child=1) as pool:
        for row in pool.map(partial(train, scratch=options.scratch), [name for name in TRAININGS if name not in done]):
            document["rows"].append(row)
            write_json(RESULTS, document | {"versions": versions()})
            print(row["training"], row["unlabeled"], row["shown_as_known"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
