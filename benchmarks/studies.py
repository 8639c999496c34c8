r"""What each added person and each added study brings to people and phones that training never saw.

    python benchmarks/studies.py --scratch build/phone | tee benchmarks/studies.json
    python benchmarks/studies.py --page docs/splits.md  # writes tables and figures into the page

The folder is that of `saved_models/make.py --streams --scratch build/phone activity_gru_phone`, which has the windows
of six studies and the networks of each study left out. Network and recipe are those of this preset, with one seed.

People: each of three groups of people is held out in turn, and an eighth, a quarter, a half and all of the others are
trained on, drawn from all studies together, as in `zoo benchmark --learning-curve`.

Studies: the largest, the two largest and all of the other studies are trained on. A training without several studies is
tested on each of them for which it has those that it should.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pairs import ONE_THREAD, PRESET, SEED, STUDIES, WORKERS, Row, trained
from sklearn.metrics import f1_score

from zoo.activity import metrics
from zoo.data.dataset import Data
from zoo.files import read_arrays
from zoo.provenance import versions
from zoo.report import drawing, markdown

GROUPS, SHARES = 3, (1 / 8, 1 / 4, 1 / 2)
COUNTS = (1, 2)
"""How many of the other studies are trained on, besides all of them."""
Answers = Mapping[str, NDArray[Any]]


def people(data: Data, scratch: Path) -> list[Row]:
    """A row for each number of people that folds are trained on."""
    from zoo.crossval import SUBJECT, Fold, Folds, Protocol
    from zoo.training import Training

    known = len(data.train.people()) * (1 - 1 / GROUPS)
    curve = [round(known * share) for share in SHARES]
    plan = Training.of(PRESET, {"validation": 0.0, "seed": SEED})
    folder, protocol = scratch / "learning-curve", Protocol(GROUPS, curve=curve)
    Folds(folder, (plan,), data, protocol).run(protocol.folds((plan,), data), workers=WORKERS)
    rows = []
    for number in (*curve, None):
        folds = [Fold(PRESET, SUBJECT, SEED, group, number) for group in range(GROUPS)]
        windows = round(np.mean([fold.record(folder)["train_windows"] for fold in folds]))
        rows.append(
            {"people": number or round(known), "train_windows": windows, "studies": scores(data, joined(folder, folds))}
        )
    return rows


def more_studies(data: Data, scratch: Path) -> list[Row]:
    """A row for each number of other studies that are trained on."""
    from zoo.crossval import STUDY, Fold

    names, windows = np.unique(data.train.studies, return_counts=True)
    largest = names[np.argsort(-windows)].tolist()
    others = {study: [other for other in largest if other != study] for study in STUDIES}
    sets = {tuple(others[study][:count]) for study in STUDIES for count in COUNTS}
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        answered = dict(zip(sorted(sets), pool.map(partial(trained_on, scratch=scratch), sorted(sets)), strict=True))
    rows = []
    for count in COUNTS:
        found = {study: scores(data, answered[tuple(others[study][:count])], study) for study in STUDIES}
        rows.append({"count": count, "studies": {study: own[study] for study, own in found.items()}})
    answers = joined(scratch / "studies", [Fold(PRESET, STUDY, SEED, group) for group in range(len(STUDIES))])
    return [*rows, {"count": len(STUDIES) - 1, "studies": scores(data, answers)}]


def joined(folder: Path, folds: Sequence[Any]) -> Answers:
    """What the networks of folds answer, in a folder of a cross-validation."""
    parts = [read_arrays(fold.file(folder, "npz")) for fold in folds]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def trained_on(studies: Sequence[str], scratch: Path) -> Answers:
    """What a network that knows some studies answers to the windows of all others."""
    from zoo.activity.task import TASK
    from zoo.training import Training

    data = TASK.load_data(scratch / "windows.h5")
    training = Training.of(PRESET, {"validation": 0.0, "seed": SEED})
    folder = scratch / "some-studies" / "+".join(studies)
    trained(training, data, ~np.isin(data.train.studies, studies), "others", folder)
    print(*studies, file=sys.stderr, flush=True)
    (file,) = folder.glob("folds/*.npz")
    return read_arrays(file)


def scores(data: Data, answers: Answers, study: str | None = None) -> dict[str, Row]:
    """The scores of known activities of a study, or of each, with what is said of people.

    Where all is walking, `score` is the share of it that is recognized, else the macro-F1 by the labels that the study
    tells apart.
    """
    windows = data.train
    assert windows.subjects is not None
    assert windows.studies is not None
    walking, *stairs = (data.classes.index(name) for name in ("walking", "upstairs", "downstairs"))
    rows, labels, predicted = (answers[name] for name in ("rows", "labels", "predicted"))
    found = {}
    for name in [study] if study else STUDIES:
        own = (labels != data.other_class) & (windows.studies[rows] == name)
        shown, persons = predicted[own], windows.subjects[rows[own]]
        answered = np.eye(len(data.classes))[shown]
        truth, labeled = metrics.study_labels(windows.labels[rows[own]], answered, data.label_sets)
        labeled = metrics.of_known(truth, labeled, data.other_class)[1]
        walks = labels[own] == walking
        whose = [(person, persons == person) for person in np.unique(persons).tolist()]
        share = partial(share_of, whose, walks)
        row: Row = {"people": len(whose), "walking_as_stairs": share(np.isin(shown, stairs))}
        if walks.all():
            row["score"] = share(shown == walking)
        else:
            whole = metrics.scores(truth, labeled, persons)
            row["score"] = {"share": whole["macro_f1"], "interval": whole["macro_f1_interval"]}
            if row["score"]["interval"] is None:
                row["score"]["by_person"] = own_scores(truth, labeled, persons)
        found[name] = row
    return found


def own_scores(
    truth: NDArray[np.int64], answers: NDArray[np.int64], owners: NDArray[np.str_]
) -> dict[str, float]:  # fmt: skip
    """Each person's macro-F1, of the activities that they have done."""
    return {
        person: f1_score(truth[own], answers[own], labels=np.unique(truth[own]), average="macro")
        for person, own in ((name, owners == name) for name in np.unique(owners).tolist())
    }


def share_of(
    whose: Iterable[tuple[str, NDArray[np.bool_]]], counted: NDArray[np.bool_], hits: NDArray[np.bool_]
) -> Row:
    """The share of hits in what is counted, over people."""
    found: Row = metrics.pooled_share((person, hits, counted & theirs) for person, theirs in whose)
    return found


def spread(found: Row) -> tuple[float, float]:
    """The interval of a share over people, or else its lowest and highest person."""
    low, high = found["interval"] or sorted(found["by_person"].values())[:: len(found["by_person"]) - 1]
    return low, high


def cell(found: Row, form: str) -> str:
    """A share with its spread."""
    low, high = spread(found)
    return f"{found['share']:{form}} ({low:{form}} to {high:{form}})"


def table(rows: Sequence[Row], key: str, form: str, name: str) -> str:
    """One kind of score of each study, by what was trained on."""
    lines = [[name_of(row), *(cell(row["studies"][study][key], form) for study in STUDIES)] for row in rows]
    return markdown.table([name, *STUDIES], lines)


def name_of(row: Row) -> str:
    """What was trained on."""
    if "people" in row:
        return f"{row['people']} people"
    return "one study" if row["count"] == 1 else f"{row['count']} studies"


def curves(rows: Sequence[Row], places: Sequence[int], unit: str) -> Figure:
    """The score of each study, and its walking taken for stairs, with what is said of people."""
    lines = {"score": "score", "walking_as_stairs": "walking taken for stairs"}
    options = {"sharex": True, "sharey": True}
    with drawing.subplots(drawing.WIDTH, 5.2, rows=2, columns=3, **options) as (figure, axes):
        for axis, study in zip(axes.flat, STUDIES, strict=True):
            for key, name in lines.items():
                found = [row["studies"][study][key] for row in rows]
                low, high = np.array([spread(each) for each in found]).T
                axis.fill_between(places, low, high, alpha=0.25, linewidth=0)
                axis.plot(places, [each["share"] for each in found], marker="o", markersize=4, label=name)
            axis.set_title(study)
        axes[0, 0].set(xscale="log" if places[-1] > len(STUDIES) else "linear", ylim=(0, 1))
        axes[0, 0].set_xticks(places, [f"{place}" for place in places])
        axes[0, 0].minorticks_off()
        for axis in axes[1]:
            axis.set_xlabel(unit)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(lines))
    return figure


def write_page(page: Path) -> None:
    """Puts the tables into the page, between their marks, and draws its figures."""
    pages.fill(page, __file__, {
        f"{what}{mark}": lambda found, what=what, key=key, form=form: table(found[what], key, form, "trained on")
        for what in ("people", "studies")
        for mark, key, form in (("", "score", ".3f"), (" as stairs", "walking_as_stairs", ".0%"))
    })  # fmt: skip
    measured, assets = pages.measured(__file__), page.parent / "assets"
    assets.mkdir(exist_ok=True)
    for what, key, unit in (
        ("people", "people", "people"), ("studies", "count", "studies"),
    ):  # fmt: skip
        rows = measured[what]
        drawing.save(curves(rows, [row[key] for row in rows], unit), assets / f"{what}.png")


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    options = parser.parse_args()
    if options.page:
        write_page(options.page)
        return
    from zoo.activity.task import TASK

    os.environ |= ONE_THREAD
    data = TASK.load_data(options.scratch / "windows.h5")
    print(json.dumps({
        "command": "python benchmarks/studies.py --scratch build/phone", "seed": SEED, "preset": PRESET,
        "data": {"sha256": data.sha256, "people": len(data.train.people()), "windows": len(data.train)},
        "people": people(data, options.scratch), "studies": more_studies(data, options.scratch), "versions": versions(),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
