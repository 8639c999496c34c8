"""How many windows of activities that a recognizer does not know are answered, against how many real ones are refused.

    python benchmarks/abstention.py --data DATA | tee benchmarks/abstention.json
    python benchmarks/abstention.py --page docs/guides/probabilities.md  # writes its tables into the page

The people of MotionSense and of WISDM are divided into halves. The network of `activity_gru_pocket`, with its recipe in
one thread, learns jogging, sitting, stairs, standing and walking from one half, and is measured on the other; then the
other way around. A fifth of the people of the first half is for validation: it gives the temperature and, for each
share of real windows to be refused, the threshold of two scores. One is the highest probability. The other is the
energy, logsumexp of the logits (Liu, Wang, Owens, Li: Energy-based out-of-distribution detection, 2020,
arXiv:2010.03759). It also gives the threshold of conformal sets, which shall have the right label for a share of the
windows (split conformal prediction; Sadinle, Lei, Wasserman: Least ambiguous set-valued classifiers with bounded error
levels, 2019, doi 10.1080/01621459.2017.1395341).

Of the thirteen other activities of WISDM, nine are done sitting or standing still, with the phone in the pocket: there
`sitting` or `standing` is right of the posture. The four others are movements.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax
from sklearn.metrics import roc_auc_score

from zoo.activity import metrics
from zoo.activity.cutting import Windowing
from zoo.activity.data import split as divide
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.studies import read_study
from zoo.activity.task import TASK
from zoo.data.dataset import DataSet
from zoo.data.loading import load_data
from zoo.files import sha256
from zoo.provenance import versions
from zoo.report import markdown
from zoo.task import Split
from zoo.training import Training, fit

CLASSES = ("jogging", "sitting", "stairs", "standing", "walking")
MOVEMENTS = ("catching_ball", "dribbling_ball", "folding_clothes", "kicking_ball")
CUT = Windowing(window=200, hop=200, rate=50.0)
"""Longer than the 150 rows that the network reads: training cuts each at a random place, at a random pace."""
STUDIES = {"motionsense": "A_DeviceMotion_data.zip", "wisdm": "wisdm-dataset.zip"}
STAIRS = {"upstairs": "stairs", "downstairs": "stairs"}
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of real windows to be refused."""
STATED = 0.05
"""The share that the table of activities is for."""
LEVELS = (0.9, 0.95, 0.99)
"""Shares of windows whose set shall have the right label."""
PLAN = Training.of("activity_gru_pocket")

Floats = NDArray[np.floating[Any]]
SCORES: dict[str, Callable[[Floats, float], Floats]] = {
    "probability": lambda logits, temperature: softmax(logits / temperature, axis=1).max(axis=1),
    "energy": lambda logits, temperature: logsumexp(logits, axis=1),
}


def read(folder: Path) -> tuple[Floats, NDArray[np.str_], NDArray[np.str_]]:
    """Windows of all activities of both studies, their activities and their people."""
    parts = [
        (f"{study}/{one.subject}", STAIRS.get(one.activity, one.activity), CUT.windows(one))
        for study, archive in STUDIES.items()
        for one in read_study(study, folder / archive, others=study == "wisdm")
    ]
    counts = [len(windows) for _, _, windows in parts]
    return (
        np.concatenate([windows for _, _, windows in parts]),
        np.repeat([activity for _, activity, _ in parts], counts),
        np.repeat([person for person, _, _ in parts], counts),
    )


def half(
    windows: Floats, activities: NDArray[np.str_], people: NDArray[np.str_], learned: NDArray[np.bool_]
) -> tuple[dict[str, Floats], dict[str, Floats], float, Floats, Floats]:
    """Trains on some people.

    Returns:
        Scores of validation and of test, the temperature, the probabilities of the right labels in validation, and
        those of all labels in test.
    """
    real = np.isin(activities, CLASSES)
    labels = np.searchsorted(CLASSES, activities[learned & real])
    data = load_data((windows[learned & real], labels), classes=CLASSES, rate=CUT.rate, subjects=people[learned & real])
    train, validation = divide(data.train, 0.2, 0)
    split = Split(data, train, validation)
    model = TASK.build(PLAN, split)
    fit(model, PLAN.recipe, TASK.feed(model, split, PLAN.recipe))
    (held_out, truth), (asked, _) = (
        answers(partial(keras_logits, model), part) for part in (validation, unlabeled(windows[~learned]))
    )
    temperature = metrics.fit_temperature(truth, held_out)
    held_out, asked = held_out.astype(np.float64), asked.astype(np.float64)
    right = softmax(held_out / temperature, axis=1)[np.arange(len(truth)), truth]
    return (
        {name: score(held_out, temperature) for name, score in SCORES.items()},
        {name: score(asked, temperature) for name, score in SCORES.items()},
        temperature,
        right,
        softmax(asked / temperature, axis=1),
    )


def unlabeled(windows: Floats) -> DataSet:
    """Windows to ask a model about."""
    return DataSet.of({"input": windows, "target": np.zeros(len(windows), np.int64)})


def measure(folder: Path) -> dict[str, Any]:
    """Scores of both halves together: a row for each score and share, and one for each activity at the stated share."""
    windows, activities, people = read(folder)
    names = np.unique(people)
    answered: dict[tuple[str, float], list[NDArray[np.bool_]]] = {}
    asked, predicted, scores = [], [], {name: list[Floats]() for name in SCORES}
    temperatures, tested, sets = [], [], {level: list[NDArray[np.bool_]]() for level in LEVELS}
    for chosen in (names[::2], names[1::2]):
        learned = np.isin(people, chosen)
        validation, test, temperature, right, probabilities = half(windows, activities, people, learned)
        temperatures.append(round(temperature, 3))
        asked.append(activities[~learned])
        tested.append(people[~learned])
        predicted.append(np.array(CLASSES)[probabilities.argmax(axis=1)])
        for level in LEVELS:
            sets[level].append(probabilities >= np.sort(right)[int((1 - level) * (len(right) + 1)) - 1])
        for name in SCORES:
            # The halves' energies are of different networks: ranks among the validation windows are comparable.
            scores[name].append(np.searchsorted(np.sort(validation[name]), test[name]) / len(validation[name]))
            for share in SHARES:
                threshold = np.quantile(validation[name], share)
                answered.setdefault((name, share), []).append(test[name] >= threshold)
        print(temperature, len(validation["energy"]), file=sys.stderr)
    truth, found = np.concatenate(asked), np.concatenate(predicted)
    real, moving = np.isin(truth, CLASSES), np.isin(truth, MOVEMENTS)
    groups = {"movements": moving, "still": ~real & ~moving}
    rows = []
    for (name, share), parts in answered.items():
        kept = np.concatenate(parts)
        rows.append({
            "score": name, "share": share, "real_refused": share(~kept[real]),
            "accuracy": share((found == truth)[real]), "accuracy_answered": share((found == truth)[real & kept]),
            **{f"{group}_answered": share(kept[mask]) for group, mask in groups.items()},
        })  # fmt: skip
    return {
        "temperatures": temperatures, "rows": rows,
        "auroc": {
            name: {group: round(float(roc_auc_score(real[real | mask], np.concatenate(parts)[real | mask])), 3)
                   for group, mask in groups.items()}
            for name, parts in scores.items()
        },
        "sets": [_coverage(level, np.concatenate(sets[level])[real], truth[real], np.concatenate(tested)[real])
                 for level in LEVELS],
        "activities": [
            {
                "activity": name, "windows": int((truth == name).sum()),
                "answered": {score: share(np.concatenate(answered[score, STATED])[truth == name]) for score in SCORES},
                "answers": _answers(found[(truth == name) & np.concatenate(answered["probability", STATED])]),
            }
            for name in np.unique(truth).tolist()
        ],
    }  # fmt: skip


def _coverage(level: float, sets: NDArray[np.bool_], truth: NDArray[np.str_], people: NDArray[np.str_]) -> Any:
    """How many sets of labels have the right one, of all, by study and by person, and how many labels they have."""
    covered = sets[np.arange(len(sets)), np.searchsorted(CLASSES, truth)]
    each = {name: share(covered[people == name]) for name in np.unique(people).tolist()}
    return {
        "level": level, "coverage": share(covered), "labels": round(float(sets.sum(axis=1).mean()), 3),
        "single": share(sets.sum(axis=1) == 1),
        "studies": {study: share(covered[np.char.startswith(people, study)]) for study in STUDIES}, "people": each,
    }  # fmt: skip


def share(mask: NDArray[np.bool_]) -> float:
    """The share of what is true, rounded."""
    return round(float(mask.mean()), 4)


def _answers(found: NDArray[np.str_]) -> dict[str, float]:
    names, counts = np.unique(found, return_counts=True)
    order = np.argsort(-counts)[:2]
    return {str(names[place]): round(float(counts[place] / counts.sum()), 3) for place in order}


def curve(document: dict[str, Any]) -> str:
    """What is answered, against what is rejected: a row for each score and each share that it was set to reject."""
    columns = ("real_refused", "accuracy_answered", "movements_answered", "still_answered")
    rows = [
        (score, f"{row['share']:.0%}", *(f"{row[key]:.1%}" for key in columns))
        for score in SCORES
        for row in document["rows"]
        if row["score"] == score
    ]  # fmt: skip
    head = (
        "score", "set to reject", "known rejected", "accuracy on the rest", "unknown movements labeled",
        "unknown at rest labeled",
    )  # fmt: skip
    return markdown.table(head, rows)


def coverage(document: dict[str, Any]) -> str:
    """Coverage of the sets of each level."""
    rows = []
    for row in document["sets"]:
        shares = np.array([*row["people"].values()])
        rows.append((
            f"{row['level']:.0%}", *(f"{share:.1%}" for share in (row["coverage"], *row["studies"].values())),
            f"{np.quantile(shares, 0.1):.0%}", f"{shares.min():.0%}", f"{row['labels']:.2f}", f"{row['single']:.0%}",
        ))  # fmt: skip
    head = (
        "level", "covered", "MotionSense", "WISDM", "10th percentile of people", "worst person", "labels",
        "single labels",
    )  # fmt: skip
    return markdown.table(head, rows)


def activities(document: dict[str, Any]) -> str:
    """What becomes of the windows of each activity at the share of 5%."""
    rows = [
        (
            row["activity"].replace("_", " "),
            ", ".join(f"{name} {share:.0%}" for name, share in row["answers"].items()),
            f"{row['windows']:,}", *(f"{row['answered'][score]:.0%}" for score in SCORES),
        )
        for row in document["activities"]
    ]  # fmt: skip
    head = ("activity", "most frequent answers", "windows", *(f"labeled by {score}" for score in SCORES))
    return markdown.table(head, rows, text=2)


def main() -> None:
    """Measures all and prints one JSON document, or writes its tables into a page."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"), help="folder of the two archives")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"abstention": curve, "activities": activities, "sets": coverage})
        return
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    own = versions()
    document = {
        "command": shlex.join(["python", *sys.argv]), "machine": own.pop("machine"), "versions": own,
        "data_sha256": {study: sha256(options.data / archive) for study, archive in STUDIES.items()},
        "recipe": PLAN.recipe.to_json(), "arguments": PLAN.arguments,
    }  # fmt: skip
    print(json.dumps(document | measure(options.data), indent=1))


if __name__ == "__main__":
    main()
