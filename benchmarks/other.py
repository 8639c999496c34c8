"""What a class for other movements finds of kinds that it has never seen, and whether it knows movements or studies.

    python benchmarks/other.py --data DATA/activity --scratch build/phone | tee benchmarks/other.json
    python benchmarks/other.py --page docs/splits.md  # writes its tables into the page

Network and recipe are those of `activity_gru_phone`, with one seed.

Kinds: DSADS has six movements of the whole body. Each is left out of training in turn, with one half of the people of
DSADS and then with the other; so are four and five of all nine kinds at a time, and the class as a whole. What these
people do is then recognized as a stream (`saved_models/measured_streams.py`), with the temperature and the threshold of
the preset. A network without the class gets the threshold by which it is silent for as much of the time of known
activities as those with the class.

Studies: only WISDM (20 Hz) and DSADS (25 Hz) have other movements, so a network could learn these studies in their
place. It would take known activities of theirs for other movements, or need what their sensors cannot record. The
networks of two cross-validations in the folder of `make.py --scratch`, over people and over studies, therefore read the
windows that they do not know as they are, and without what is above 10 Hz.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from pairs import (
    MOVEMENTS,
    PRESET,
    SEED,
    SPLITS,
    STUDIES,
    WORKERS,
    Answered,
    Row,
    answers_of,
    cut_with,
    fold_of,
    of_folds,
    shown,
    trained,
)
from scipy.signal import butter, sosfiltfilt

from zoo.files import temporary_folder
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

STUDY, HALVES = "dsads", (0, 1)
KINDS = ("basketball", "cross_trainer", "cycling", "jumping", "rowing", "stepper")
HALF_OF_THEM = (MOVEMENTS[::2], MOVEMENTS[1::2])
FEW, THIS = "the class, four or five other kinds", "the class, this kind"
LEARNED = {0: "without the class", 4: FEW, 5: FEW, len(MOVEMENTS) - 1: "the class, eight other kinds"}
"""How many other kinds a network has learned that has not learned a kind."""
COLUMNS = (*dict.fromkeys(LEARNED.values()), THIS)
HALVED = 8
"""How often the interval of thresholds is halved."""
BELOW = 10.0
"""Hz above which a signal of WISDM has nothing."""


def without_kinds(
    kinds: Sequence[str] | None, half: int, silent: float | None, archives: Path, scratch: Path
) -> Row:  # fmt: skip
    """Trains without half of the people of DSADS and some kinds, or without the class, and measures these people.

    Args:
        kinds: The kinds. None for a network without the class.
        half: Which half of the people is held out.
        silent: Share of the time of known activities to be without a label. None for the threshold of the preset.
        archives: The folder of the archives.
        scratch: A folder with the recordings of each study.
    """
    # Filling the page needs no TensorFlow.
    import measured_streams

    from zoo.activity.task import TASK
    from zoo.training import Training

    others = [name for name in MOVEMENTS if name not in kinds] if kinds else []
    with temporary_folder() as folder:
        data = TASK.load_data(cut_with(scratch, archives, folder, others))
        assert data.train.studies is not None
        assert data.train.subjects is not None
        people = np.unique(data.train.subjects[data.train.studies == STUDY])[half :: len(HALVES)].tolist()
        training = Training.of(PRESET, {"validation": 0.0, "seed": SEED})
        held = np.isin(data.train.subjects, people)
        model, record = trained(training, data, held, f"{STUDY}, half {half}", folder / "trained")
        metadata = TASK.metadata(model)
        signals = measured_streams.signals_of(metadata, {STUDY: scratch / f"{STUDY}.h5"}, people, half)
        answered = [*answers_of(model, metadata, alone(signals))]
    threshold = metadata.stream_threshold if silent is None else as_silent(answered, metadata, silent)
    found = scores(answered, metadata, threshold)
    return {
        "without": kinds, "half": half, "people": len(people), "seconds": record["seconds"], "threshold": threshold,
        "settled": {name: share["share"] for name, share in found["settled"].items()},
        "shown_as_known": found["shown_as_known"],
    }  # fmt: skip


def alone(signals: Iterable[Any]) -> Iterator[Any]:
    """The streams of one activity."""
    return (one for one in signals if one[1] == "alone")


def scores(answered: Sequence[Answered], metadata: Any, threshold: float) -> Row:
    """The scores of streams with a threshold."""
    import measured_streams

    found: Row = measured_streams.by_study(shown(answered, metadata, threshold), CLASSES)[STUDY]
    return found


def as_silent(answered: Sequence[Answered], metadata: Any, silent: float) -> float:
    """The threshold by which so much of the time of known activities is without a label."""
    known = [one for one in answered if one.stretches[0][0] in CLASSES]
    low, high = 0.0, 1.0
    for _ in range(HALVED):
        middle = (low + high) / 2
        if scores(known, metadata, middle)["settled"]["unlabeled"]["share"] < silent:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def all_kinds(archives: Path, scratch: Path) -> list[Row]:
    """A row for each half of the people and what is left out, and one without the class."""
    rows = []
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        measured = partial(without_kinds, archives=archives, scratch=scratch)
        for each in ([(kind,) for kind in KINDS], [None], HALF_OF_THEM):
            jobs = []
            for half in HALVES:
                found = [row["settled"]["unlabeled"] for row in rows if row["half"] == half]
                silent = fmean(found) if each == [None] else None
                jobs += [pool.submit(measured, kinds, half, silent) for kinds in each]
            for job in jobs:
                rows.append(job.result())
                print(rows[-1], file=sys.stderr, flush=True)
    return rows


def of_fold(scratch: Path, file: Path) -> list[Row]:
    """What a network of a cross-validation calls another movement, of windows that it does not know."""
    from zoo.activity.evaluation import answers, keras_logits
    from zoo.activity.task import TASK
    from zoo.runtime.labels import resolve

    model, metadata, record, _ = fold_of(scratch, file)
    data = TASK.load_data(scratch / "windows.h5")
    windows = data.train.where(np.isin(data.train.subjects, record["subjects"])).in_memory()
    assert windows.studies is not None
    lowpass, rows = butter(8, BELOW, fs=metadata.rate, output="sos"), []
    for low in (False, True):
        inputs = sosfiltfilt(lowpass, windows.inputs, axis=1).astype(np.float32) if low else windows.inputs
        logits, labels = answers(partial(keras_logits, model), windows.with_columns({"input": inputs}))
        truth, found = resolve(labels, logits, windows.label_sets), logits.argmax(axis=1)
        for study in np.unique(windows.studies):
            for known in (True, False):
                own = (windows.studies == study) & ((truth != data.other_class) == known)
                if own.any():
                    rows.append({
                        "study": study, "below_10_hz": low, "known": known, "windows": int(own.sum()),
                        "other": int((found[own] == data.other_class).sum()), "right": int((found == truth)[own].sum()),
                    })  # fmt: skip
    return rows


def by_kind(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """How much of the time of each kind is shown as a known activity, by what a network has learned."""
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    for kind, row in product(KINDS, rows):
        without = row["without"] or MOVEMENTS
        if kind in without or len(without) == 1:
            which = LEARNED[len(MOVEMENTS) - len(without)] if kind in without else THIS
            found[kind].setdefault(which, []).append(row["shown_as_known"][kind])
    return {kind: {which: fmean(shares[which]) for which in COLUMNS} for kind, shares in found.items()}


def unseen(document: Row) -> str:
    """A row for each kind."""
    rows = [
        [kind.replace("_", " "), *(f"{shares[which]:.0%}" for which in COLUMNS)]
        for kind, shares in document["by_kind"].items()
    ]
    return markdown.table(["movement", *COLUMNS], rows)


def studies(document: Row) -> str:
    """How many windows of known activities, and of other movements, are called another movement in each study."""
    lines = []
    for study in STUDIES:
        cells = []
        for known in (True, False):
            for split in SPLITS:
                shares = []
                for low in (False, True):
                    asked = {"study": study, "known": known, "split": split, "below_10_hz": low}
                    own = [row for row in document["studies"] if asked.items() <= row.items()]
                    if own:
                        shares.append(sum(row["other"] for row in own) / sum(row["windows"] for row in own))
                cells.append(" / ".join(f"{share:.1%}" for share in shares))
        lines.append([study, *cells])
    head = [f"{what}, {whom}" for what in ("known activities", "other movements") for whom in SPLITS.values()]
    return markdown.table(["study", *head], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"unseen kinds": unseen, "other by study": studies})
        return
    command = "python benchmarks/other.py --data DATA/activity --scratch build/phone"
    document = of_folds(command, of_fold, options.scratch)
    document["studies"] = document.pop("rows")
    rows = all_kinds(options.data, options.scratch)
    print(json.dumps(document | {"seed": SEED, "kinds": rows, "by_kind": by_kind(rows)}, indent=2))


if __name__ == "__main__":
    main()
