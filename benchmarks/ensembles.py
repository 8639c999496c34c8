r"""How much better several networks are together: what one network that is distilled from them could learn.

    python benchmarks/ensembles.py --others build/activity_cnn_pocket build/activity_gru_tiny \
        > benchmarks/ensembles.json
    python benchmarks/ensembles.py --page docs/research/activity.md  # writes its table into the page

`--scratch` is the folder of `make.py activity_gru_phone --seeds 3`, and `--others` are those of `make.py --streams
studies` of other presets. The networks of an ensemble, each trained without the people or the study that it answers,
read the same windows, and the mean of their probabilities is the answer. Scores are macro-F1 over the windows of all
people, of known activities, and for each study left out the share of its windows that is right, by the labels that it
tells apart; no filter over time.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray
from pairs import PRESET, STUDIES

from zoo.files import read_arrays
from zoo.provenance import versions
from zoo.report import markdown

SEEDS = 3
ONE, SEVERAL, ALL = "one network, mean of three", "three seeds", "three seeds and other networks"
Probabilities = NDArray[np.float64]


def answers(files: Iterable[Path], shape: tuple[int, int]) -> Probabilities:
    """What the networks of the folds of a cross-validation answer to the windows that each was trained without."""
    from scipy.special import softmax

    found = np.full(shape, np.nan)
    for file in files:
        arrays = read_arrays(file)
        found[arrays["rows"]] = softmax(arrays["logits"].astype(np.float64), axis=1)
    if np.isnan(found).any():
        raise SystemExit("windows without an answer: finish the cross-validations first")
    return found


def measure(scratch: Path, others: Sequence[Path]) -> dict[str, Any]:
    """Scores of each network, and of ensembles of them."""
    from zoo.activity import metrics
    from zoo.activity.task import TASK
    from zoo.runtime.labels import resolve

    data = TASK.load_data(scratch / "windows.h5")
    labels, sets, other = data.train.labels, data.train.label_sets, data.other_class
    shape = len(labels), len(data.classes)

    def people(scores: Probabilities) -> dict[str, float]:
        truth = resolve(labels, scores, sets)
        known, predicted = metrics.of_known(truth, scores.argmax(axis=1), other)
        return {"macro_f1": metrics.macro_f1(truth[known], predicted[known])}

    def studies(scores: Probabilities) -> dict[str, float]:
        found = metrics.by_study(labels, scores, data.train.studies, sets, other)
        return {name: row["accuracy"] for name, row in found.items()}

    rows: list[dict[str, Any]] = []
    for split, score in (("people", people), ("studies", studies)):
        seeds = [
            answers((scratch / split).glob(f"folds/{PRESET}.*.{seed}.*.npz"), shape) for seed in range(SEEDS)
        ]  # fmt: skip
        each = [score(scores) for scores in seeds]
        rows.append({"split": split, "of": ONE} | {key: fmean(row[key] for row in each) for key in each[0]})
        rows.append({"split": split, "of": SEVERAL} | score(np.mean(seeds, axis=0)))
        if split == "studies":
            kinds = [answers(folder.glob("studies/folds/*.npz"), shape) for folder in others]
            rows.append({"split": split, "of": ALL} | score(np.mean([*seeds, *kinds], axis=0)))
        print(rows[-1], file=sys.stderr, flush=True)
    return {"preset": PRESET, "seeds": SEEDS, "others": [folder.name for folder in others], "rows": rows}


def table(document: Mapping[str, Any]) -> str:
    """A row for each ensemble."""
    scores: dict[str, dict[str, float]] = {}
    for row in document["rows"]:
        scores.setdefault(row["of"], {}).update(row)
    lines = [
        [name, f"{row['macro_f1']:.3f}" if "macro_f1" in row else "", *(f"{row[study]:.1%}" for study in STUDIES)]
        for name, row in scores.items()
    ]  # fmt: skip
    return markdown.table(["answers of", "new people, macro-F1", *STUDIES], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    parser.add_argument("--others", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"ensembles": table})
        return
    found = measure(options.scratch, options.others)
    command = "python benchmarks/ensembles.py --others build/activity_cnn_pocket build/activity_gru_tiny"
    print(json.dumps({"command": command, **found, "versions": versions()}, indent=1))


if __name__ == "__main__":
    main()
