"""What a minute of an owner's windows changes, for each person of several studies, whom training never saw.

    python benchmarks/personal.py --data windows.h5 | tee benchmarks/personal.json
    python benchmarks/personal.py --page docs/guides/deploy.md  # writes the table into the page

The windows are those of benchmarks/streaming_studies.py, the recipe is that of `activity_gru_phone` with 48 units, half
the work. The people of each study are divided in two halves. The recipe is trained on one half, with the temperature of
`activity_gru_phone`, and the `model.personal.tflite` of the resulting model learns from a minute of each person of the
other half, the first windows of each class in turn; then the other way around. It is tested on the other windows of
that person, once with all that it learned and once with what helps on windows held back, the default. All this is done
for two divisions. Windows that are known only as "stairs" are left out, and people with fewer than three activities.
The rule for what is kept was chosen on other divisions, with the seeds 0 to 2.
"""

import json
import os
import sys
import tempfile
from functools import partialmethod
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray
from streaming_studies import PRESET

import zoo
from zoo.activity import metrics
from zoo.activity.task import TASK
from zoo.data.dataset import Data, DataSet, center_crop
from zoo.data.loading import load_data
from zoo.provenance import versions
from zoo.runtime import PersonalRecognizer
from zoo.runtime.personal import rank_in_class
from zoo.task import Split
from zoo.training import Training, fit

SMALLER = {"units": 48, "epochs": 20}
"""Half the work of training the preset."""
SEEDS = (3, 4)
"""Of the divisions, and of the weights."""
ACTIVITIES = 3
SECONDS = 60.0
"""Length of what is learned."""


class Credulous(PersonalRecognizer):
    """Keeps all that it learns."""

    learn = partialmethod(PersonalRecognizer.learn, folds=0)


def file_of(data: Data, train: DataSet, seed: int, folder: Path) -> Path:
    """Trains the recipe, and writes a file that can learn."""
    plan = Training.of(PRESET, {**SMALLER, "validation": 0.0, "seed": seed})
    split = Split(data, train, None)
    model = TASK.build(plan, split)
    fit(model, plan.recipe, TASK.feed(model, split, plan.recipe))
    # As published. Without it, learning would lower the loss of any owner by being more certain alone.
    model.temperature = zoo.Model.from_preset(PRESET).temperature
    zoo.export(model, folder, ["personal"])
    return folder / "model.personal.tflite"


def learn_and_test(
    recognizer: PersonalRecognizer, windows: NDArray[np.floating[Any]], labels: NDArray[np.int64]
) -> tuple[int, float, float]:
    """Trains a recognizer on a person's first windows of each class in turn.

    Returns:
        The number of the other windows, and the macro-F1 on them before and after.
    """
    count = round(SECONDS * recognizer.metadata.rate / recognizer.metadata.window)
    # The first windows of all classes come first.
    order = np.lexsort((labels, rank_in_class(labels)))
    learned, rest = order[:count], order[count:]
    before = metrics.macro_f1(labels[rest], recognizer.predict(windows[rest]).argmax(axis=1))
    recognizer.learn(windows[learned], labels[learned])
    after = metrics.macro_f1(labels[rest], recognizer.predict(windows[rest]).argmax(axis=1))
    return len(rest), round(before, 4), round(after, 4)


def rows_of(file: Path, windows: DataSet, classes: int) -> list[dict[str, Any]]:
    """What a minute changes for each person."""
    rows = []
    known = windows.of_one_class(classes)
    assert known.subjects is not None
    for person in known.people():
        inputs, labels = known.where(known.subjects == person).arrays()
        if len(np.unique(labels)) < ACTIVITIES:
            continue
        inputs = center_crop(inputs, PersonalRecognizer(file).metadata.window)
        tested, before, everything = learn_and_test(Credulous(file), inputs, labels)
        what_helps = learn_and_test(PersonalRecognizer(file), inputs, labels)[-1]
        rows.append({
            "person": person, "tested": tested, "before": before, "everything": everything, "what_helps": what_helps,
        })  # fmt: skip
        print(rows[-1], file=sys.stderr)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Changes of macro-F1 in points: mean, mean of the tenth that was worst before learning, worst and best."""
    before = np.array([row["before"] for row in rows])
    worst = np.argsort(before)[: max(1, len(rows) // 10)]
    people = len({row["person"] for row in rows})
    text = (
        f"| {len(rows)} results ({people} people, {len(SEEDS)} divisions) | mean change | mean change, worst tenth "
        f"| largest loss | largest gain | lose over half a point, of {len(rows)} |\n"
        "|---|---:|---:|---:|---:|---:|\n"
    )
    for name, words in (("everything", "everything learned"), ("what_helps", "only what helps")):
        # Scores have four digits.
        change = (100 * (np.array([row[name] for row in rows]) - before)).round(2)
        points = (change.mean(), change[worst].mean(), change.min(), change.max())
        text += f"| {words} | {' | '.join(f'{value:+.1f}' for value in points)} | {int((change < -0.5).sum())} |\n"
    return text


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("windows.h5"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"personal": lambda found: table(found["people"])})
        return
    data = load_data(options.data).everyone()
    windows = data.train.in_memory()
    assert windows.subjects is not None
    assert windows.studies is not None
    rows = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        half = np.concatenate([
            people[: len(people) // 2]
            for study in np.unique(windows.studies)
            for people in [random.permutation(np.unique(windows.subjects[windows.studies == study]))]
        ])  # fmt: skip
        for mask in (np.isin(windows.subjects, half), ~np.isin(windows.subjects, half)):
            with tempfile.TemporaryDirectory() as scratch:
                file = file_of(data, windows.where(mask), seed, Path(scratch) / "exported")
                found = rows_of(file, windows.where(~mask), len(data.classes))
            rows += [{"seed": seed, **row} for row in found]
    print(json.dumps({
        "command": "python benchmarks/personal.py --data windows.h5", "seeds": SEEDS, "preset": PRESET,
        "seconds": SECONDS, "data_sha256": data.sha256, "people": rows, "versions": versions(),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
