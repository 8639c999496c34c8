r"""Which score tells movements that a network has never learned from known activities, in a study that is new to it.

    python benchmarks/unseen.py --scratch build/seeds | tee benchmarks/unseen.json
    python benchmarks/unseen.py --page docs/splits.md  # writes its table into the page

`--scratch` is the folder of `make.py activity_gru_phone --seeds 3`. DSADS and WISDM alone have other movements: where
one of them is left out, the class `other` holds the movements of the other one, and its own are unseen. Windows of both
kinds are read. For each score, the share of unseen movements is told that passes a threshold which 95% of the known
activities of the same study pass: by chance it is 95%. No filter over time. The scores:

    probability   the highest of a known activity, `other` being one of the classes: what the zoo uses
    energy        logsumexp of the logits of known activities (Liu et al., 2020, arXiv:2010.03759)
    distance      to the nearest mean of a known activity in the last features, with the covariance of all (Mahalanobis;
                  Lee et al., 2018, arXiv:1807.03888), of training windows
    neighbors     to the 50th nearest training window of a known activity, of features of length 1 (Sun et al., 2022,
                  arXiv:2204.06507)
    ensemble      the probability, as the mean of three networks
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from numpy.typing import NDArray
from pairs import PRESET, Row
from scipy.special import logsumexp, softmax

from zoo.files import read_json
from zoo.provenance import versions
from zoo.report import markdown

SEEDS, STUDIES = 3, ("dsads", "wisdm")
KNOWN, NEIGHBORS, DRAWN, BATCH = 0.95, 50, 20_000, 1024
ENSEMBLE = "ensemble"
Floats = NDArray[np.float64]


def features_and_logits(file: Path, windows: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """What the last layer of a network reads and answers, for windows or the middle of longer ones."""
    import keras

    from zoo import loading
    from zoo.data.dataset import center_crop

    model = loading.load(file).keras_model
    last = model.get_layer("logits")
    both = keras.Model(model.input, [last.input, last.output])
    parts = [
        both.predict_on_batch(center_crop(windows[start : start + BATCH], model.window))
        for start in range(0, len(windows), BATCH)
    ]
    features, logits = (np.concatenate(found).astype(np.float64) for found in zip(*parts, strict=True))
    return features, logits


def probability(logits: Floats, other: int) -> Floats:
    """The highest probability of a known activity."""
    return softmax(logits, axis=1)[:, :other]


def scores_of(
    train: tuple[Floats, NDArray[np.int64]], test: tuple[Floats, Floats], other: int
) -> dict[str, Floats]:  # fmt: skip
    """Each score of test windows, higher where they are more like known activities."""
    from sklearn.covariance import LedoitWolf
    from sklearn.neighbors import NearestNeighbors

    (learned, labels), (features, logits) = train, test
    means = np.stack([learned[labels == label].mean(axis=0) for label in range(other)])
    precision = LedoitWolf(assume_centered=True).fit(learned - means[labels]).precision_
    apart = features[:, None] - means
    distance = np.einsum("ncf,fg,ncg->nc", apart, precision, apart).min(axis=1)
    near = NearestNeighbors(n_neighbors=NEIGHBORS).fit(unit(learned))
    return {
        "probability": probability(logits, other).max(axis=1),
        "energy": logsumexp(logits[:, :other], axis=1),
        "distance": -distance,
        "neighbors": -near.kneighbors(unit(features))[0][:, -1],
    }


def unit(features: Floats) -> Floats:
    """Features of length 1."""
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def passing(score: Floats, is_other: NDArray[np.bool_]) -> float:
    """The share of other movements that passes the threshold which most known activities pass."""
    return float((score[is_other] >= np.quantile(score[~is_other], 1 - KNOWN)).mean())


def measure(scratch: Path) -> list[Row]:
    """A row for each study left out, seed and score."""
    from zoo.activity.task import TASK

    data = TASK.load_data(scratch / "windows.h5")
    windows, other = data.train, data.other_class
    assert windows.studies is not None
    assert other is not None
    rows: list[Row] = []
    for study in STUDIES:
        held = windows.studies == study
        test, is_other = windows.where(held).arrays()[0], windows.labels[held] == other
        drawn = np.random.default_rng(0).permutation(np.flatnonzero(~held & (windows.labels < other)))[:DRAWN]
        places = np.isin(np.arange(len(windows)), drawn)
        (known, labels), together = windows.where(places).arrays(), []
        for seed in range(SEEDS):
            folds = scratch.glob(f"studies/folds/{PRESET}.study.{seed}.*.json")
            (file,) = (path for path in folds if read_json(path)["study"] == study)
            learned, _ = features_and_logits(file.with_suffix(".keras"), known)
            found = features_and_logits(file.with_suffix(".keras"), test)
            together.append(probability(found[1], other))
            scores = scores_of((learned, labels), found, other)
            rows += [
                {"study": study, "seed": seed, "score": name, "passing": passing(score, is_other)}
                for name, score in scores.items()
            ]  # fmt: skip
            print(rows[-len(scores) :], file=sys.stderr, flush=True)
        mean = np.mean(together, axis=0).max(axis=1)
        rows.append({"study": study, "seed": None, "score": ENSEMBLE, "passing": passing(mean, is_other)})
    return rows


def table(document: Mapping[str, Any]) -> str:
    """A row for each score: what passes of the unseen movements of each study, as the mean over seeds."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in document["rows"]:
        found.setdefault(row["score"], {}).setdefault(row["study"], []).append(row["passing"])
    lines = [[name, *(f"{fmean(own[study]):.0%}" for study in STUDIES)] for name, own in found.items()]
    return markdown.table(["score", *(f"movements of {study}" for study in STUDIES)], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"unseen": table})
        return
    rows = measure(options.scratch)
    command = "python benchmarks/unseen.py --scratch build/seeds"
    print(json.dumps({"command": command, "preset": PRESET, "versions": versions(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
