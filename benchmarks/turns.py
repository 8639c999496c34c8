"""How much a recognizer depends on the way in which a phone of another study is turned.

    python benchmarks/pairs.py --data DATA/activity --scratch build/pairs "with other movements"
    python benchmarks/turns.py --scratch build/pairs     # all trainings, or those named
    python benchmarks/turns.py --page docs/splits.md     # writes its tables into the page

The networks are those that benchmarks/pairs.py trained without two studies, with other movements. They read windows of
these two, as they are and turned as if the phone were carried in another way: simulated turns of real signals. Scores
are means over the pairs of a study.

Is it the training that makes a network read a phone upside down, which turns and mirrors windows? The pairs of DSADS
and another study in which people climb stairs are trained again by the same recipe without its turns, with those of
selfBACK's windows or of all others alone, and without its mirrored windows: no network of theirs knows the study with a
sensor on each thigh.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from pairs import CHOSEN, PAIRS, PRESET, SEED, STUDIES, in_workers, trained

from zoo.files import read_json, write_json
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown

RESULTS = Path(__file__).with_suffix(".json")
MOST, CLIMBED = 2500, ("dsads", "motionsense", "selfback", "wisdm")
PLAIN, POSE = "as in the zoo", ("spin", "tilt", "half_turn", "quarter_turn")
WITHOUT = {
    PLAIN: (),
    "not turned": POSE,
    "selfBACK alone turned": (),
    "all but selfBACK turned": (),
    "not mirrored": ("mirror",),
}
"""What the training leaves out of its augmentation."""
UPRIGHT = {
    "selfBACK alone turned": tuple(study for study in STUDIES if study != "selfback"),
    "all but selfBACK turned": ("selfback",),
}
"""The studies whose windows are not turned in a training."""
AGAIN = [pair for pair in PAIRS if "dsads" in pair and set(pair) <= set(CLIMBED)]
"""The pairs that are trained so."""
TURNS = {
    "as it is": np.eye(3),
    "upside down": np.diag([-1, -1, 1]),
    "screen to the body": np.diag([-1, 1, -1]),
    "left edge down": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "right edge down": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    "flat": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
"""Where x, y and z of a phone come from when it is turned."""


def turn_others(upright: Sequence[str]) -> None:
    """Makes this process turn no windows of some studies in training."""
    from zoo.activity.augmentation import Augmentation
    from zoo.data import pipeline

    batches = pipeline.training_batches
    plain = Augmentation(**(PRESETS[PRESET].recipe.augmentation or {}) | dict.fromkeys(POSE, 0.0))

    def marked(windows: Any, *sizes: Any, augment: partial[Any], **options: Any) -> Any:
        windows = windows.in_memory()
        rows, marks = windows.inputs.shape[1], np.isin(windows.columns["study"][:], upright).astype(np.float32)
        inputs = np.concatenate([windows.inputs, np.tile(marks[:, None, None], (1, rows, 1))], axis=2)

        def augmented(batch: Any, seed: Any) -> Any:
            signal, mark = batch[..., :3], batch[:, :1, 3:]
            return mark * plain(signal, seed, **augment.keywords) + (1 - mark) * augment(signal, seed)

        return batches(windows.with_columns({"input": inputs}), *sizes, augment=augmented, **options)

    pipeline.training_batches = marked


def measure(scratch: Path, pair: Sequence[str], training: str) -> list[dict[str, Any]]:
    """Shares of each study of a pair, and turn: windows that are right, and walking that is taken for stairs."""
    from zoo.activity.evaluation import answers, keras_logits
    from zoo.activity.task import TASK
    from zoo.runtime.labels import resolve
    from zoo.training import Training

    data, random = TASK.load_data(scratch / "other" / "windows.h5"), np.random.default_rng(SEED)
    augmentation = (PRESETS[PRESET].recipe.augmentation or {}) | dict.fromkeys(WITHOUT[training], 0.0)
    plan = Training.of(PRESET, {"validation": 0.0, "seed": SEED, "augmentation": augmentation})
    joint = "+".join(pair)
    if training in UPRIGHT:
        turn_others(UPRIGHT[training])
    folder = scratch / (CHOSEN if training == PLAIN else training).replace(" ", "_") / joint
    network = partial(keras_logits, trained(plan, data, np.isin(data.train.studies, pair), joint, folder)[0])
    windows, rows = data.train.where(data.train.labels != data.other_class).in_memory(), []
    assert windows.studies is not None
    walking, *stairs = (data.classes.index(name) for name in ("walking", "upstairs", "downstairs"))
    for study in pair:
        drawn = random.permutation(np.flatnonzero(windows.studies == study))[:MOST]
        part = windows.where(np.isin(np.arange(len(windows)), drawn))
        for name, turn in TURNS.items():
            turned = part.with_columns({"input": part.inputs @ turn.T.astype(np.float32)})
            logits, labels = answers(network, turned)
            truth, shown = resolve(labels, logits, part.label_sets), logits.argmax(axis=1)
            rows.append({
                "left_out": pair, "study": study, "turn": name, "training": training, "windows": len(part),
                "right": float((truth == shown).mean()),
                "walking_as_stairs": float(np.isin(shown[truth == walking], stairs).mean()),
            })  # fmt: skip
        print(pair, study, training, file=sys.stderr, flush=True)
    return rows


def cell(rows: Sequence[dict[str, Any]], **wanted: str) -> str:
    """Windows that are right, and walking taken for stairs, as means over the rows of some study, turn or training."""
    own = [row for row in rows if wanted.items() <= row.items()]
    return " / ".join(f"{fmean(row[key] for row in own):.0%}" for key in ("right", "walking_as_stairs"))


def table(document: dict[str, Any]) -> str:
    """Windows that are right, and walking taken for stairs, of each study and turn."""
    lines = []
    for turn in TURNS:
        cells = (cell(document["rows"], study=study, turn=turn, training=PLAIN) for study in STUDIES)
        lines.append([turn, *cells])
    return markdown.table(["windows right / walking as stairs", *STUDIES], lines)


def by_training(document: dict[str, Any]) -> str:
    """The same of pairs with DSADS, as the mean over their studies, by what training turned."""
    rows = [row for row in document["rows"] if tuple(row["left_out"]) in AGAIN]
    lines = [[training, *(cell(rows, turn=turn, training=training) for turn in TURNS)] for training in WITHOUT]
    return markdown.table(["trained", *TURNS], lines)


def main() -> None:
    """Measures trainings, and writes their rows into the document."""
    parser = pages.parser(__doc__)
    parser.add_argument("trainings", nargs="*", metavar="TRAINING", help="measured again; all by default")
    parser.add_argument("--scratch", type=Path, default=Path("build/pairs"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"turns": table, "turns, training": by_training})
        return
    trainings = options.trainings or WITHOUT
    jobs = [(pair, training) for training in trainings for pair in (PAIRS if training == PLAIN else AGAIN)]
    known = read_json(RESULTS)
    rows = [row for row in known["rows"] if row["training"] not in trainings]
    rows += chain.from_iterable(in_workers(partial(measure, options.scratch), *zip(*jobs, strict=True)))
    result = {"command": "python benchmarks/turns.py --scratch build/pairs", "seed": SEED, "candidate": CHOSEN}
    write_json(RESULTS, result | pages.measured_before(known) | {"rows": rows, "versions": versions()})


if __name__ == "__main__":
    main()
