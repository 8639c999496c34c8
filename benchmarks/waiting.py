r"""What makes a change late where there is a class for other movements, and what makes it sooner.

    python saved_models/make.py activity_gru_phone --data DATA --seeds 3 --scratch build/seeds
    python benchmarks/waiting.py --scratch build/seeds | tee benchmarks/waiting.json
    python benchmarks/waiting.py --page docs/splits.md  # writes its tables into the page

The networks of `activity_gru_phone` without each study answer its streams once; then other movements are made less
probable in these answers, or the threshold is lowered, before they pass the filter, as with `prior` and `threshold` of
a recognizer. Calibrated as in `benchmarks/left_out.py`; no phone is checked for rest. The first table is of the
trainings of `benchmarks/pairs.py`, with the class and without.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import left_out
import numpy as np
import pages
import pairs
from pairs import PRESET, Row, in_workers
from predecessor import DELAYS

from zoo.files import sha256
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES, OTHER

LESS: dict[str, tuple[float, float]] = {
    "as in the zoo": (1, 0), "other movements half as probable": (0.5, 0), "a fifth": (0.2, 0),
    "a twentieth": (0.05, 0), "never": (0, 0), "a threshold that is 0.1 lower": (1, 0.1), "0.2 lower": (1, 0.2),
    "no threshold": (1, 1), "a fifth, and 0.2 lower": (0.2, 0.2),
}  # fmt: skip
"""By name, the factor of the probability of other movements, and what is taken from the threshold."""


def measure(file: Path, calibrations: Mapping[str, Mapping[str, float]], scratch: Path) -> list[Row]:
    """What the streams of the study show that the network in a file does not know, in each way."""
    import measured_streams

    from zoo.files import read_json

    study = read_json(file.with_suffix(".json"))["study"]
    model, metadata, record, files = pairs.fold_of(scratch, file, calibrations[study])
    signals = measured_streams.signals_of(metadata, {study: files[study]}, record["subjects"], record["group"])
    answered = [*pairs.answers_of(model, metadata, signals)]
    rows = []
    for name, (factor, lower) in LESS.items():
        factors = np.where(np.array(metadata.classes) == OTHER, factor, 1).astype(np.float32)
        weighted = [one.answers * factors for one in answered]
        others = [
            replace(one, answers=answers / answers.sum(axis=1, keepdims=True))
            for one, answers in zip(answered, weighted, strict=True)
        ]
        threshold = max(0.0, metadata.stream_threshold - lower)
        scores = measured_streams.by_study(pairs.shown(others, metadata, threshold), [*CLASSES, "stairs"])[study]
        rows.append({"study": study, "way": name, **pairs.brief(scores)})
    print(study, file=sys.stderr, flush=True)
    return rows


KEYS = (*DELAYS, "false changes an hour", "no label", "other movements shown as known")


def means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What is shown of studies, each of `KEYS` as the mean of those that have it."""
    values: dict[str, list[float]] = {key: [] for key in KEYS}
    for row in rows:
        for kind in DELAYS:
            values[kind].append(row["turns"]["delays"][kind]["delay_median"])
        values["false changes an hour"].append(row["turns"]["false_per_hour"])
        values["no label"].append(row["settled"]["unlabeled"])
        if row["shown_as_known"]:
            values["other movements shown as known"].append(fmean(row["shown_as_known"].values()))
    return {key: fmean(found) for key, found in values.items() if found}


FORMS = {**dict.fromkeys(DELAYS, ".1f"), "false changes an hour": ".0f"}
HEAD = [*(f"{kind}, s" for kind in DELAYS), *KEYS[len(DELAYS) :]]


def table(document: Mapping[str, Any]) -> str:
    """A row for each way: the means of the studies with more than walking."""
    rows = [row for row in document["rows"] if "turns" in row]
    lines = [
        [name, *(f"{mean:{FORMS.get(key, '.1%')}}" for key, mean in means(own).items())]
        for name in LESS if (own := [row for row in rows if row["way"] == name])
    ]  # fmt: skip
    return markdown.table(["shown", *HEAD], lines)


def of_the_class(_: Mapping[str, Any]) -> str:
    """The delays and false changes of studies without the class / with it, as means of their pairs."""
    found, lines = pages.measured(pairs.__file__)["rows"], []
    for study in pairs.STUDIES:
        without, with_it = (
            [row["studies"][study] for row in found if row["candidate"] == name and study in row["left_out"]]
            for name in ("unchanged", "with other movements")
        )
        if all("turns" in row for row in without):
            both = means(without), means(with_it)
            lines.append([study, *(" / ".join(f"{one[key]:{form}}" for one in both) for key, form in FORMS.items())])
    return markdown.table(["study left out", *HEAD[: len(FORMS)]], lines)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    parser.add_argument("--seed", type=int, default=0, help="of the networks")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"waiting": table, "waiting, class": of_the_class})
        return
    calibrations = pages.measured(left_out.__file__)["calibrations"]
    files = sorted(options.scratch.glob(f"studies/folds/{PRESET}.study.{options.seed}.*.keras"))
    rows: list[Row] = []
    for found in in_workers(partial(measure, calibrations=calibrations, scratch=options.scratch), files):
        rows += found
    networks = {file.stem: sha256(file) for file in files}
    document = {"command": f"python benchmarks/waiting.py --scratch build/seeds --seed {options.seed}",
                "networks": networks, "versions": versions(), "rows": rows}  # fmt: skip
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
