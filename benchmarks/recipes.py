r"""Whether another recipe of activity_gru_pocket knows new people better.

    python saved_models/make.py activity_gru_pocket --data DATA --streams people --scratch build/activity_gru_pocket
    python benchmarks/recipes.py --groups 3 | tee benchmarks/recipes.json
    python benchmarks/recipes.py --page docs/research/activity.md  # writes its table into the page

Three ideas, with one seed, on the folds over people of the card, or on the first of these: trained for twice as long;
half as many units more, which is a larger file; and these with half the learning rate, which is that of the larger
`activity_gru_phone`. Scores are macro-F1 over the windows of known activities of everyone in these folds.
"""

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pages
from pairs import ONE_THREAD, SEED, WORKERS, Row

from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown

PRESET, GROUPS, PLAIN = "activity_gru_pocket", 10, "as it is"
_TWICE = {key: 2 * getattr(PRESETS[PRESET].recipe, key) for key in ("steps", "parts")}
CHANGES: dict[str, dict[str, Any]] = {
    "twice as long": _TWICE, "48 units": {"units": 48},
    "48 units, half the learning rate": {"units": 48, "learning_rate": PRESETS[PRESET].recipe.learning_rate / 2},
}  # fmt: skip
"""What each idea changes, in the order in which they are tried."""


def folds_of(change: str, group: int, folder: Path, scratch: Path) -> tuple[Any, Any]:
    """The cross-validation of a recipe over all people, and one of its folds."""
    from zoo import crossval
    from zoo.activity.task import TASK
    from zoo.training import Training

    plan = Training.of(PRESET, {"validation": 0.0, "seed": SEED, **CHANGES.get(change, {})})
    data = TASK.load_data(scratch / "windows.h5")
    folds = crossval.Folds(folder, (plan,), data, crossval.Protocol(GROUPS))
    return folds, crossval.Fold(plan.name, crossval.SUBJECT, SEED, group)


def train(task: tuple[int, str], scratch: Path) -> None:
    """Trains a fold of a changed recipe, if it is not there."""
    group, change = task
    folds, fold = folds_of(change, group, folder_of(change, scratch), scratch)
    fold.file(folds.folder, "json").parent.mkdir(parents=True, exist_ok=True)
    record = folds.run([fold], workers=0)[fold]
    print(
        change, group, {key: record.get(key) for key in ("macro_f1", "seconds", "reason")}, file=sys.stderr, flush=True
    )


def folder_of(change: str, scratch: Path) -> Path:
    """The folder of a recipe's folds."""
    return scratch / ("people" if change == PLAIN else change.replace(" ", "_"))


def score(change: str, groups: int, scratch: Path) -> tuple[Row, Any]:
    """The score of a recipe on the people of some folds, and the labels, answers and people that it is of."""
    from zoo import crossval
    from zoo.activity.metrics import macro_f1, of_known

    folds, first = folds_of(change, 0, folder_of(change, scratch), scratch)
    records = {}
    for group in range(groups):
        fold = crossval.Fold(first.method, first.split, first.seed, group)
        records[fold] = fold.record(folds.folder)
    arrays = crossval.fold_arrays(folds.folder, records)
    known, predicted = of_known(arrays["labels"], arrays["predicted"], folds.data.other_class)
    of = arrays["labels"][known], predicted[known], folds.data.train.subjects[arrays["rows"]][known]
    return {"recipe": change, "macro_f1": macro_f1(*of[:2]), "windows": len(of[0])}, of


def table(document: Mapping[str, Any]) -> str:
    """A row for each recipe."""
    lines = []
    for row in document["rows"]:
        cells = ["", "", ""]
        if row["recipe"] != PLAIN:
            low, high = (100 * end for end in row["interval"])
            cells = [
                f"{100 * row['difference']:+.1f} ({low:+.1f} to {high:+.1f})",
                f"{row['people']}",
                f"{row['worse']}",
            ]
        lines.append([row["recipe"], f"{row['macro_f1']:.3f}", *cells])
    return markdown.table(["recipe", "macro-F1", "points", "people better", "worse"], lines)


def main() -> None:
    """Trains what is missing and prints one JSON document."""
    from zoo.activity.metrics import paired_difference

    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build") / PRESET)
    parser.add_argument("--groups", type=int, default=GROUPS, help="so many of the ten")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"recipes": table})
        return
    os.environ |= ONE_THREAD
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        list(pool.map(partial(train, scratch=options.scratch), product(range(options.groups), CHANGES)))
    (plain, known), rows = score(PLAIN, options.groups, options.scratch), list[Row]()
    for change in CHANGES:
        row, found = score(change, options.groups, options.scratch)
        difference = paired_difference(found, known)
        rows.append(row | difference | {"macro_f1": row["macro_f1"], "difference": difference["macro_f1"]})
    command = "python benchmarks/recipes.py" + (f" --groups {options.groups}" if options.groups != GROUPS else "")
    document = {"command": command, "preset": PRESET, "seed": SEED, "groups": options.groups, "versions": versions()}
    print(json.dumps(document | {"rows": [plain, *rows]}, indent=1))


if __name__ == "__main__":
    main()
