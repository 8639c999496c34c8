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
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pages
from pairs import SEED, Row, in_workers

from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown

PRESET, GROUPS, PLAIN = "activity_gru_pocket", 10, "as it is"
RECIPE = PRESETS[PRESET].recipe
CHANGES: dict[str, dict[str, Any]] = {
    "twice as long": {key: 2 * getattr(RECIPE, key) for key in ("steps", "parts")},
    "48 units": {"units": 48},
    "48 units, half the learning rate": {"units": 48, "learning_rate": RECIPE.learning_rate / 2},
}
"""What each idea changes, in the order in which they are tried."""


def folds_of(recipe: str, scratch: Path) -> Any:
    """The cross-validation of a recipe over all people."""
    from zoo import crossval
    from zoo.activity.task import TASK
    from zoo.training import Training

    plan = Training.of(PRESET, {"validation": 0.0, "seed": SEED, **CHANGES.get(recipe, {})})
    folder = scratch / ("people" if recipe == PLAIN else recipe.replace(" ", "_"))
    return crossval.Folds(folder, (plan,), TASK.load_data(scratch / "windows.h5"), crossval.Protocol(GROUPS))


def fold_of(group: int) -> Any:
    """The fold that leaves out a group of people, by its name the same of each recipe."""
    from zoo import crossval

    return crossval.Fold(PRESET, crossval.SUBJECT, SEED, group)


def train(task: tuple[int, str], scratch: Path) -> None:
    """Trains a fold of a changed recipe, if it is not there."""
    group, recipe = task
    folds, fold = folds_of(recipe, scratch), fold_of(group)
    fold.file(folds.folder, "json").parent.mkdir(parents=True, exist_ok=True)
    record = folds.run([fold], workers=0)[fold]
    if record["status"] != "scored":
        raise RuntimeError(f"{folds.folder}: {record['reason']}")
    print(recipe, group, record["macro_f1"], record["seconds"], file=sys.stderr, flush=True)


def answered(recipe: str, groups: int, scratch: Path) -> tuple[Any, Any, Any]:
    """Labels, answers and people of the windows of known activities that some folds leave out."""
    from zoo import crossval
    from zoo.activity.metrics import of_known

    folds = folds_of(recipe, scratch)
    records = {fold: fold.record(folds.folder) for fold in map(fold_of, range(groups))}
    arrays = crossval.fold_arrays(folds.folder, records)
    known, predicted = of_known(arrays["labels"], arrays["predicted"], folds.data.other_class)
    return arrays["labels"][known], predicted[known], folds.data.train.subjects[arrays["rows"]][known]


def table(document: Mapping[str, Any]) -> str:
    """A row for each recipe."""
    lines = []
    for row in document["rows"]:
        cells = ["", "", ""]
        if difference := row.get("difference"):
            points, low, high = (100 * each for each in (difference["macro_f1"], *difference["interval"]))
            cells = [f"{points:+.1f} ({low:+.1f} to {high:+.1f})", difference["people"], difference["worse"]]
        lines.append([row["recipe"], f"{row['macro_f1']:.3f}", *map(str, cells)])
    return markdown.table(["recipe", "macro-F1", "points", "people better", "worse"], lines)


def main() -> None:
    """Trains what is missing and prints one JSON document."""
    from zoo.activity.metrics import macro_f1, paired_difference

    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build") / PRESET)
    parser.add_argument("--groups", type=int, default=GROUPS, help="so many of the ten")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"recipes": table})
        return
    for _ in in_workers(partial(train, scratch=options.scratch), product(range(options.groups), CHANGES)):
        pass
    plain, rows = answered(PLAIN, options.groups, options.scratch), list[Row]()
    for recipe in (PLAIN, *CHANGES):
        found = plain if recipe == PLAIN else answered(recipe, options.groups, options.scratch)
        rows.append({"recipe": recipe, "macro_f1": macro_f1(*found[:2]), "windows": len(found[0])})
        if recipe != PLAIN:
            rows[-1]["difference"] = paired_difference(found, plain)
    command = "python benchmarks/recipes.py" + (f" --groups {options.groups}" if options.groups != GROUPS else "")
    document = {"command": command, "preset": PRESET, "seed": SEED, "groups": options.groups, "versions": versions()}
    print(json.dumps(document | {"rows": rows}, indent=1))


if __name__ == "__main__":
    main()
