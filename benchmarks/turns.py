"""How much a recognizer depends on the way in which a phone of another study is turned.

    python benchmarks/turns.py --scratch build/pairs | tee benchmarks/turns.json
    python benchmarks/turns.py --page docs/splits.md  # writes its table into the page

The networks are those that benchmarks/pairs.py trained without two studies, with other movements. They read windows of
these two, as they are and turned as if the phone were carried in another way: simulated turns of real signals. Scores
are means over the pairs of a study.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from pairs import ONE_THREAD, PAIRS, SEED, STUDIES

from zoo.provenance import versions
from zoo.report import markdown

CANDIDATE, MOST = "with other movements", 2500
TURNS = {
    "as it is": np.eye(3),
    "upside down": np.diag([-1, -1, 1]),
    "screen to the body": np.diag([-1, 1, -1]),
    "left edge down": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "right edge down": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    "flat": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
"""Where x, y and z of a phone come from when it is turned."""


def measure(scratch: Path) -> list[dict[str, Any]]:
    """Shares of each pair, study and turn: windows that are right, and walking that is taken for stairs."""
    from zoo import loading
    from zoo.activity.evaluation import answers, keras_logits
    from zoo.activity.task import TASK
    from zoo.runtime.labels import resolve

    data, random = TASK.load_data(scratch / "other" / "windows.h5"), np.random.default_rng(SEED)
    windows, rows = data.train.where(data.train.labels != data.other_class).in_memory(), []
    assert windows.studies is not None
    walking, *stairs = (data.classes.index(name) for name in ("walking", "upstairs", "downstairs"))
    for pair in PAIRS:
        (file,) = (scratch / CANDIDATE.replace(" ", "_") / "+".join(pair) / "folds").glob("*.keras")
        network = partial(keras_logits, loading.load(file).keras_model)
        for study in pair:
            drawn = random.permutation(np.flatnonzero(windows.studies == study))[:MOST]
            part = windows.where(np.isin(np.arange(len(windows)), drawn))
            for name, turn in TURNS.items():
                turned = part.with_columns({"input": part.inputs @ turn.T.astype(np.float32)})
                logits, labels = answers(network, turned)
                truth, shown = resolve(labels, logits, part.label_sets), logits.argmax(axis=1)
                rows.append({
                    "left_out": pair, "study": study, "turn": name, "windows": len(part),
                    "right": float((truth == shown).mean()),
                    "walking_as_stairs": float(np.isin(shown[truth == walking], stairs).mean()),
                })  # fmt: skip
            print(pair, study, file=sys.stderr, flush=True)
    return rows


def table(document: dict[str, Any]) -> str:
    """Windows that are right, and walking taken for stairs, of each study and turn."""
    lines = []
    for turn in TURNS:
        cells = []
        for study in STUDIES:
            own = [row for row in document["rows"] if (row["study"], row["turn"]) == (study, turn)]
            cells.append(" / ".join(f"{fmean(row[key] for row in own):.0%}" for key in ("right", "walking_as_stairs")))
        lines.append([turn, *cells])
    return markdown.table(["windows right / walking as stairs", *STUDIES], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/pairs"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"turns": table})
        return
    os.environ |= ONE_THREAD
    result = {"command": "python benchmarks/turns.py --scratch build/pairs", "seed": SEED, "candidate": CANDIDATE}
    print(json.dumps(result | {"rows": measure(options.scratch), "versions": versions()}, indent=1))


if __name__ == "__main__":
    main()
