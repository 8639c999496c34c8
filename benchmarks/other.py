"""How well a class "other" covers movements, among them those that it was not trained on.

    python benchmarks/other.py --data DATA | tee benchmarks/other.json
    python benchmarks/other.py --page docs/guides/probabilities.md  # writes its table into the page

Windows, halves of the people and known activities are those of benchmarks/abstention.py, the network and its recipe
those of `activity_cnn_pocket`, in one thread. It learns from one half of the people the known activities alone, or a
sixth class as well: all four movements of WISDM, or three of them. It is tested on the other half. A window is labeled
if the most probable class is a known activity, with at least the probability that 95% of the windows of known
activities reach in validation, with a fifth of the people who are learned from.
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import abstention
import numpy as np
from abstention import CLASSES, CUT, MOVEMENTS, STATED, share
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.activity.data import split as divide
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.task import TASK
from zoo.data.loading import load_data
from zoo.report import markdown
from zoo.task import Split
from zoo.training import Training, fit

OTHER = "other"
PLAN = Training.of("activity_cnn_pocket")
TRAININGS = {"known alone": (), "all": MOVEMENTS} | {
    f"without {name}": tuple(other for other in MOVEMENTS if other != name) for name in MOVEMENTS
}
"""What the class "other" consists of in each training."""


def labels_of(
    windows: abstention.Floats, activities: NDArray[np.str_], people: NDArray[np.str_], learned: NDArray[np.bool_],
    others: tuple[str, ...],
) -> NDArray[np.str_]:  # fmt: skip
    """Trains on some people, and returns the labels of the windows of the others: a known activity, other, or empty."""
    classes = (*CLASSES, OTHER) if others else CLASSES
    names = np.where(np.isin(activities, others), OTHER, activities)
    chosen = learned & np.isin(names, classes)
    numbers = np.array([classes.index(name) for name in names[chosen]])
    data = load_data((windows[chosen], numbers), classes=classes, rate=CUT.rate, subjects=people[chosen])
    train, validation = divide(data.train, 0.2, 0)
    split = Split(data, train, validation)
    model = TASK.build(PLAN, split)
    fit(model, PLAN.recipe, TASK.feed(model, split, PLAN.recipe))
    (held_out, truth), (asked, _) = (
        answers(partial(keras_logits, model), part) for part in (validation, abstention.unlabeled(windows[~learned]))
    )
    known = softmax(held_out[truth < len(CLASSES)], axis=1).max(axis=1)
    found = softmax(asked, axis=1)
    labels = np.array(classes)[found.argmax(axis=1)]
    return np.where((labels == OTHER) | (found.max(axis=1) >= np.quantile(known, STATED)), labels, "")


def measure(folder: Path) -> dict[str, Any]:
    """A row for each training, of both halves together."""
    windows, activities, people = abstention.read(folder)
    names, rows = np.unique(people), []
    halves = [np.isin(people, chosen) for chosen in (names[::2], names[1::2])]
    truth = np.concatenate([activities[~learned] for learned in halves])
    known = np.isin(truth, CLASSES)
    for name, others in TRAININGS.items():
        found = np.concatenate([labels_of(windows, activities, people, learned, others) for learned in halves])
        labeled = np.isin(found, CLASSES)
        rows.append({
            "training": name, "known_rejected": share(found[known] == ""), "known_other": share(found[known] == OTHER),
            "accuracy": share((found == truth)[known & labeled]),
            "labeled": {movement: share(labeled[truth == movement]) for movement in MOVEMENTS},
        })  # fmt: skip
        print(rows[-1], file=sys.stderr)
    return {"trainings": rows}


def table(document: dict[str, Any]) -> str:
    """How many windows of each movement get the label of a known activity, and what becomes of known ones."""
    trained = {row["training"]: row for row in document["trainings"]}
    alone, everything, rows = trained["known alone"], trained["all"], []
    for name in MOVEMENTS:
        three = (alone, trained[f"without {name}"], everything)
        rows.append((name.replace("_", " "), *(f"{row['labeled'][name]:.0%}" for row in three)))
    without = [trained[f"without {name}"] for name in MOVEMENTS]
    for key, words in (
        ("known_rejected", "not sure"),
        ("known_other", "other"),
        ("accuracy", "accuracy of the labels"),
    ):
        mean = float(np.mean([row[key] for row in without]))
        rows.append(
            (f"known activities: {words}", *(f"{number:.1%}" for number in (alone[key], mean, everything[key])))
        )
    head = ("share of the windows", "no such class", "the other three movements", "all four movements")
    return markdown.table(head, rows)


if __name__ == "__main__":
    abstention.main(__doc__, __file__, PLAN, measure, {"other": table})
