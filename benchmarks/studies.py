r"""What each added person and each added study brings to people and phones that training never saw.

    zoo data import motionsense A_DeviceMotion_data.zip -o motionsense.h5   # and wisdm, geotec, oxford-steps
    zoo data windows motionsense.h5 wisdm.h5 geotec.h5 oxford-steps.h5 -o windows.h5 --window 200 --hop 100 \
        --classes downstairs,jogging,sitting,standing,upstairs,walking --merge stairs=upstairs+downstairs
    python benchmarks/studies.py --data windows.h5 | tee benchmarks/studies.json
    python benchmarks/studies.py --page docs/splits.md  # writes tables and figures into the page

Network and recipe are those of `activity_gru_phone`; scores are means of two seeds.

People: a fifth of the people of each study is held out, and an eighth, a quarter, a half and all of the others are
trained on. Studies: each study is held out as a whole, and the largest, the two largest, and all of the other three are
trained on.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from zoo.activity import metrics
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.task import TASK
from zoo.data.dataset import Data, DataSet
from zoo.data.loading import load_data
from zoo.provenance import versions
from zoo.report import drawing
from zoo.runtime.labels import forgive, indistinct, resolve
from zoo.task import Split
from zoo.training import Training, fit

PRESET, SEEDS = "activity_gru_phone", (0, 1)
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)


def people_of(windows: DataSet, study: str) -> NDArray[np.str_]:
    """The people of a study, in an order that the first seed draws."""
    assert windows.studies is not None
    assert windows.subjects is not None
    return np.random.default_rng(SEEDS[0]).permutation(np.unique(windows.subjects[windows.studies == study]))


def fifth_of(people: NDArray[np.str_]) -> NDArray[np.str_]:
    """The people of a study who are held out."""
    return people[: -(-len(people) // 5)]


def more_people(windows: DataSet, studies: list[str]) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Masks of the windows to train on and of those held out: more and more people of each study."""
    people = {study: people_of(windows, study) for study in studies}
    fifth = {study: len(fifth_of(names)) for study, names in people.items()}
    held_out = np.concatenate([fifth_of(names) for names in people.values()])
    for share in SHARES:
        some = [
            names[fifth[study] :][: max(1, round(share * (len(names) - fifth[study])))]
            for study, names in people.items()
        ]
        train = np.concatenate(some)
        yield f"{len(train)} people", np.isin(windows.subjects, train), np.isin(windows.subjects, held_out)


def more_studies(windows: DataSet, studies: list[str]) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Masks of the windows to train on, those of more and more of the other studies, and of those held out."""
    for study in studies:
        others = [other for other in studies if other != study]
        for count in range(1, len(others) + 1):
            yield " + ".join(others[:count]), np.isin(windows.studies, others[:count]), windows.studies == study


def measure(data: Data, train: DataSet, test: DataSet) -> dict[str, Any]:
    """Trains the recipe on some windows and tests it on others: scores of each study, as means over the seeds."""
    started = time.perf_counter()
    runs = [scores_by_study(data, train, test, seed) for seed in SEEDS]
    return {
        "train_people": len(train.people()), "train_windows": len(train), "test_people": len(test.people()),
        "studies": {
            study: {name: None if value is None else round(mean(run[study][name] for run in runs), 4)
                    for name, value in first.items()} | {"by_seed": [round(score(run[study]), 4) for run in runs]}
            for study, first in runs[0].items()
        },
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def scores_by_study(data: Data, train: DataSet, test: DataSet, seed: int) -> dict[str, dict[str, Any]]:
    """Scores of one training, study by study."""
    plan = Training.of(PRESET, {"validation": 0.0, "seed": seed})
    split = Split(data, train, None)
    model = TASK.build(plan, split)
    fit(model, plan.recipe, TASK.feed(model, split, plan.recipe))
    logits, known = answers(partial(keras_logits, model), test)
    same = indistinct(train.labels, len(data.classes), train.label_sets)
    predicted = forgive(resolve(known, logits, test.label_sets), logits.argmax(axis=1), same)
    assert test.studies is not None
    found = metrics.by_study(known, np.eye(len(data.classes))[predicted], test.studies, test.label_sets)
    walking, *stairs = (data.classes.index(name) for name in ("walking", "upstairs", "downstairs"))
    rows = {}
    for study, scores in found.items():
        walked = predicted[(test.studies == study) & (known == walking)]
        rows[study] = {
            "windows": scores["windows"], "macro_f1": scores["macro_f1"],
            "walking_recall": float((walked == walking).mean()),
            "walking_as_stairs": float(np.isin(walked, stairs).mean()),
        }  # fmt: skip
    return rows


def score(found: dict[str, Any]) -> float:
    """Macro-F1, or the recall of walking where a study has nothing else."""
    return float(found["walking_recall"] if found["macro_f1"] is None else found["macro_f1"])


def table(rows: list[dict[str, Any]]) -> str:
    """A table of runs: macro-F1 of each study, or the recall of walking if the study has nothing else."""
    studies = sorted({study for row in rows for study in row["studies"]})

    def cell(found: dict[str, Any] | None) -> str:
        if found is None:
            return ""
        return f"{score(found):.3f} ({found['walking_as_stairs']:.0%})"

    head = f"| trained on | windows | {' | '.join(studies)} |\n|---|---:|{'---:|' * len(studies)}\n"
    return head + "".join(
        f"| {row['trained_on']} | {row['train_windows']:,} | "
        f"{' | '.join(cell(row['studies'].get(study)) for study in studies)} |\n"
        for row in rows
    )


def curves(rows: list[dict[str, Any]], places: list[int], unit: str) -> Figure:
    """The score of each study, and the share of its walking that is taken for stairs, against what was trained on."""
    studies = sorted({study for row in rows for study in row["studies"]})
    with drawing.subplots(drawing.WIDTH, 5.4, rows=2, sharex=True) as (figure, (above, below)):
        for study in studies:
            own = [(place, row["studies"][study]) for place, row in zip(places, rows, strict=True)
                   if study in row["studies"]]  # fmt: skip
            x, found = zip(*own, strict=True)
            above.plot(x, [score(row) for row in found], marker="o", markersize=4, label=study)
            below.plot(x, [row["walking_as_stairs"] for row in found], marker="o", markersize=4, label=study)
        above.set(xscale="log" if places[-1] > 4 else "linear", ylim=(0, 1))
        above.set_title("macro-F1 (geotec, oxford: walking recognized)")
        below.set(ylim=(0, 1), xlabel=unit)
        below.set_title("walking that is taken for stairs")
        below.set_xticks(sorted(set(places)), [f"{place}" for place in sorted(set(places))])
        below.minorticks_off()
        for axis in (above, below):
            drawing.name_lines(axis)
        below.yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def write_page(page: Path) -> None:
    """Puts the tables into the page, between their marks, and draws its figures."""
    tables = {"people": lambda found: table(found["people"]), "studies": lambda found: table(found["studies"])}
    pages.fill(page, __file__, tables)
    measured = pages.measured(__file__)
    people, studies = measured["people"], measured["studies"]
    assets = page.parent / "assets"
    assets.mkdir(exist_ok=True)
    drawing.save(curves(people, [row["train_people"] for row in people], "people"), assets / "people.png")
    counts = [row["trained_on"].count("+") + 1 for row in studies]
    drawing.save(curves(studies, counts, "studies, the largest first; tested on another one"), assets / "studies.png")


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("windows.h5"))
    options = parser.parse_args()
    if options.page:
        write_page(options.page)
        return
    data = load_data(options.data).everyone()
    windows = data.train.in_memory()
    assert windows.studies is not None
    names, counts = np.unique(windows.studies, return_counts=True)
    studies = names[np.argsort(-counts)].tolist()
    result: dict[str, Any] = {
        "command": "python benchmarks/studies.py --data windows.h5", "seeds": SEEDS, "preset": PRESET,
        "data": {"sha256": data.sha256, "people": len(windows.people()), "windows": len(windows)},
    }  # fmt: skip
    for name, runs in (("people", more_people), ("studies", more_studies)):
        result[name] = []
        for trained_on, train, held_out in runs(windows, studies):
            row = measure(data, windows.where(train), windows.where(held_out))
            result[name].append({"trained_on": trained_on} | row)
            print(name, result[name][-1], file=sys.stderr)
    print(json.dumps(result | {"versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
