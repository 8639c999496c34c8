"""How much a recognizer depends on the way in which a phone of another study is turned.

    python benchmarks/pairs.py --data DATA/activity --scratch build/pairs "with other movements"
    python benchmarks/turns.py --scratch build/pairs | tee benchmarks/turns.json
    python benchmarks/turns.py --page docs/splits.md  # writes its table into the page

The networks are those that benchmarks/pairs.py trained without two studies, with other movements. They read windows of
these two, as they are and turned as if the phone were carried in another way: simulated turns of real signals. Scores
are means over the pairs of a study.

Is it the training that makes a network read a phone upside down, which turns and mirrors windows? The pairs of DSADS
and another study in which people climb stairs are trained again by the same recipe without its turns, and without its
mirrored windows: no network of theirs knows the study with a sensor on each thigh.
"""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from pairs import CHOSEN, ONE_THREAD, PAIRS, PRESET, SEED, STUDIES, WORKERS, trained

from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown

MOST, CLIMBED = 2500, ("dsads", "motionsense", "selfback", "wisdm")
WITHOUT = {
    "as in the zoo": (),
    "not turned": ("spin", "tilt", "half_turn", "quarter_turn"),
    "not mirrored": ("mirror",),
}
"""What the training leaves out of its augmentation."""
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
    folder = scratch / (training if WITHOUT[training] else CHOSEN).replace(" ", "_") / joint
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


def table(document: dict[str, Any]) -> str:
    """Windows that are right, and walking taken for stairs, of each study and turn."""
    lines = []
    for turn in TURNS:
        cells = []
        for study in STUDIES:
            wanted = {"study": study, "turn": turn, "training": "as in the zoo"}
            own = [row for row in document["rows"] if wanted.items() <= row.items()]
            cells.append(" / ".join(f"{fmean(row[key] for row in own):.0%}" for key in ("right", "walking_as_stairs")))
        lines.append([turn, *cells])
    return markdown.table(["windows right / walking as stairs", *STUDIES], lines)


def by_training(document: dict[str, Any]) -> str:
    """The same of pairs with DSADS, as the mean over their studies, by what training turned."""
    lines = []
    for training in WITHOUT:
        cells = []
        for turn in TURNS:
            wanted = {"training": training, "turn": turn}
            own = [row for row in document["rows"] if wanted.items() <= row.items() and tuple(row["left_out"]) in AGAIN]
            cells.append(" / ".join(f"{fmean(row[key] for row in own):.0%}" for key in ("right", "walking_as_stairs")))
        lines.append([training, *cells])
    return markdown.table(["trained", *TURNS], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/pairs"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"turns": table, "turns, training": by_training})
        return
    os.environ |= ONE_THREAD
    jobs = [(pair, "as in the zoo") for pair in PAIRS]
    jobs += [(pair, training) for training in (*WITHOUT,)[1:] for pair in AGAIN]
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        rows = [*chain.from_iterable(pool.map(partial(measure, options.scratch), *zip(*jobs, strict=True)))]
    result = {"command": "python benchmarks/turns.py --scratch build/pairs", "seed": SEED, "candidate": CHOSEN}
    print(json.dumps(result | {"rows": rows, "versions": versions()}, indent=1))


if __name__ == "__main__":
    main()
