r"""Which walking recognizers take for stairs, and what helps, on people and studies that training never saw.

    python saved_models/make.py --data DATA --streams --scratch build/phone activity_gru_phone     # or other presets
    python benchmarks/walkers.py build/phone | tee benchmarks/walkers.json
    python benchmarks/walkers.py --page docs/splits.md  # writes its tables into the page

Read are the answers to single windows of networks that were trained without a tenth of the people, or without a study.
A window is walking or stairs in truth; it is taken for stairs if "upstairs" or "downstairs" is the most probable label.
What helps is decided on each study left out in turn: nothing in a row was chosen or fitted on the study that is shown.

- *faster*: the same window read 1.15 times as fast.
- *over twelve seconds*: the mean log-odds of stairs against walking over up to five windows in a row.
- *and how one moves*: a logistic regression of these log-odds, cadence, strength and regularity, fitted on the windows
  of the other studies, as answered by the networks that were trained without them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pages
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo import loading
from zoo.activity import metrics
from zoo.activity.description import cadence
from zoo.data.dataset import Data, center_crop
from zoo.data.loading import load_data
from zoo.files import read_arrays, read_json
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

STAIRS, WALKING = (CLASSES.index("downstairs"), CLASSES.index("upstairs")), CLASSES.index("walking")
FASTER, IN_A_ROW = 1.15, 5
MOVES = {"cadence": (1.5, 1.7, 1.9, 2.1), "strength": (1.0, 1.5, 2.0, 3.0), "regularity": (0.4, 0.6, 0.8)}
"""Borders of the columns: steps per second; the standard deviation of |a| in m/s^2; see `regularity`."""
FEWEST = 50
KINDS = ("people", "studies")
"""New people of the studies, and a study left out."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """Windows of walking and stairs, in the order of the file, and what networks answer that were trained without them.

    Args:
        study: The study of each.
        person: The person of each.
        walks: Whether each is of walking.
        follows: Whether each is the next of the same person and activity.
        odds: Log-odds of stairs against walking.
        faster: The same, read faster.
        stairs: Whether one of the stairs is the most probable label of all.
        moves: Cadence, strength and regularity, `(N, 3)`.
    """

    study: NDArray[np.str_]
    person: NDArray[np.str_]
    walks: NDArray[np.bool_]
    follows: NDArray[np.bool_]
    odds: Floats
    faster: Floats
    stairs: NDArray[np.bool_]
    moves: Floats


def main() -> None:
    """Prints what was measured, or writes it into a page."""
    parser = pages.parser(__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("build/phone"), help="scratch folder of make.py --streams"
    )
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, TABLES)
        return
    found = {"command": f"python benchmarks/walkers.py {options.folder}", **measured(options.folder)}
    print(json.dumps(found | {"versions": versions()}))


def measured(folder: Path) -> dict[str, Any]:
    """Shares of walking taken for stairs, for a preset's cross-validations."""
    data, preset = load_data(folder / "windows.h5"), read_json(folder / "people" / "results.json")["preset"]
    found = {kind: answered(folder / kind, data, preset) for kind in KINDS}
    return {
        "preset": preset, "moves": {kind: by_moves(windows) for kind, windows in found.items()},
        "ideas": ideas(found["studies"]),
    }  # fmt: skip


def answered(folder: Path, data: Data, preset: str) -> Answered:
    """The windows of walking and stairs of all folds."""
    train = data.train
    logits, faster = (np.zeros((len(train), len(data.classes))) for _ in range(2))
    inputs, labels = train.arrays()
    for file in sorted((folder / "folds").glob(f"{preset}.*.npz")):
        fold = read_arrays(file)
        logits[fold["rows"]] = fold["logits"]
        network = loading.load(file.with_suffix(".keras")).keras_model
        faster[fold["rows"]] = network.predict(paced(inputs[fold["rows"]], network.window), batch_size=512, verbose=0)
    names = np.array(data.label_names)[labels]
    kept = np.isin(names, ["walking", "upstairs", "downstairs", "downstairs+upstairs"])
    who = np.char.add(np.char.add(train.subjects, "/"), names)[kept]
    assert train.studies is not None
    windows = center_crop(inputs[kept], 150).astype(np.float64)
    strength = np.linalg.norm(windows, axis=2).std(axis=1)
    return Answered(
        train.studies[kept], train.subjects[kept], names[kept] == "walking", np.append(False, who[1:] == who[:-1]),
        log_odds(logits[kept]), log_odds(faster[kept]), np.isin(logits[kept].argmax(axis=1), STAIRS),
        np.stack([cadence(windows, data.rate), strength, regularity(windows, data.rate)], axis=1),
    )  # fmt: skip


def paced(windows: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """The middle of windows `(N, T, 3)`, read faster."""
    places = (windows.shape[1] - 1) / 2 + FASTER * (np.arange(rows) - (rows - 1) / 2)
    before, part = places.astype(int), (places % 1)[:, None].astype(np.float32)
    return (1 - part) * windows[:, before] + part * windows[:, before + 1]


def log_odds(logits: Floats) -> Floats:
    """Of stairs, either way, against walking."""
    return np.asarray(logsumexp(logits[:, STAIRS], axis=1) - logits[:, WALKING])


def regularity(windows: Floats, rate: float) -> Floats:
    """The greatest autocorrelation of |a| at lags of .8 to 1.6 s, as long as a stride: at most 1."""
    strides = np.linalg.norm(windows, axis=2)
    strides = strides - strides.mean(axis=1, keepdims=True)
    power = np.maximum((strides**2).mean(axis=1), 1e-9)
    lags = range(round(0.8 * rate), round(1.6 * rate) + 1)
    return np.asarray(np.max([(strides[:, lag:] * strides[:, :-lag]).mean(axis=1) / power for lag in lags], axis=0))


def by_moves(windows: Answered) -> dict[str, Any]:
    """For each study and way of moving, the windows of walking, and the share taken for stairs, over people."""
    found: dict[str, Any] = {}
    for study in np.unique(windows.study).tolist():
        here = windows.walks & (windows.study == study)
        row: dict[str, Any] = {"all": cell(windows, here)}
        for place, (name, borders) in enumerate(MOVES.items()):
            columns = np.digitize(windows.moves[:, place], borders)
            row[name] = [cell(windows, here & (columns == column)) for column in range(len(borders) + 1)]
        found[study] = row
    return found


def cell(windows: Answered, here: NDArray[np.bool_]) -> dict[str, Any]:
    """The share of some windows that is taken for stairs, over people; see `metrics.pooled_share`."""
    people = np.unique(windows.person[here])
    parts = ((person, windows.stairs, here & (windows.person == person)) for person in people.tolist())
    return {"windows": int(here.sum()), **metrics.pooled_share(parts)}


def ideas(windows: Answered) -> dict[str, Any]:
    """By study, for each idea, the share of walking taken for stairs, and of stairs for walking."""
    longer = np.array([*averaged(windows.odds, windows.follows)])
    seen = np.column_stack([longer, windows.moves])
    found: dict[str, Any] = {}
    for study in np.unique(windows.study).tolist():
        here = windows.study == study
        # Each study that has both, and each activity in it, weighs the same.
        others = ~here & np.isin(windows.study, np.unique(windows.study[~windows.walks & ~here]))
        weights = np.zeros(len(here))
        for each in np.unique(windows.study[others]):
            for walks in (True, False):
                rows = others & (windows.study == each) & (windows.walks == walks)
                weights[rows] = 1 / max(rows.sum(), 1)
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=1e6))
        fitted.fit(
            seen[others], ~windows.walks[others], logisticregression__sample_weight=weights[others] * others.sum()
        )
        rows = {
            "window by window": windows.odds > 0, "faster": windows.faster > 0, "over twelve seconds": longer > 0,
            "and how one moves": fitted.decision_function(seen) > 0,
        }  # fmt: skip
        found[study] = {
            name: {"walking_as_stairs": share(stairs[here & windows.walks]),
                   "stairs_as_walking": share(~stairs[here & ~windows.walks])}
            for name, stairs in rows.items()
        }  # fmt: skip
    return found


def averaged(odds: Floats, follows: NDArray[np.bool_]) -> Iterator[float]:
    """The mean over a window and up to four before it, of the same person and activity."""
    start = 0
    for place in range(len(odds)):
        start = max(start, place - IN_A_ROW + 1) if follows[place] else place
        yield float(odds[start : place + 1].mean())


def share(of: NDArray[np.bool_]) -> float | None:
    """The share that is true; None of nothing."""
    return float(of.mean()) if len(of) else None


def moves_table(document: dict[str, Any]) -> str:
    """Markdown: a row for each way of moving, of new people / of a new study; empty where there are few windows."""
    moves = document["moves"]
    lines = [["all", *cells(moves, lambda row: row["all"])]]
    for name, borders in MOVES.items():
        between = [f"{low} to {high}" for low, high in pairwise(borders)]
        for column, words in enumerate([f"below {borders[0]}", *between, f"above {borders[-1]}"]):
            lines.append([f"{name} {words}", *cells(moves, lambda row, at=(name, column): row[at[0]][at[1]])])
    return markdown.table(["windows of walking", *moves["people"]], lines)


def cells(moves: dict[str, Any], of: Any) -> Iterator[str]:
    """One row: of each study, its new people / the study left out."""
    for study in moves["people"]:
        found = [of(moves[kind][study]) for kind in KINDS]
        few = found[0]["windows"] < FEWEST
        yield "" if few else " / ".join(f"{row['share']:.1%}" for row in found)


def people_table(document: dict[str, Any]) -> str:
    """Markdown: walking taken for stairs of each study, with the interval over people, or the value of each."""
    lines = []
    for study in document["moves"]["people"]:
        row = [study]
        for kind in KINDS:
            found = document["moves"][kind][study]["all"]
            spread = [*(found["interval"] or sorted(found["by_person"].values()))]
            shown = [f"{each:.1%}" for each in spread]
            row.append(f"{found['share']:.1%} ({' to '.join(shown) if found['interval'] else ', '.join(shown)})")
        lines.append([*row, f"{found['people']}"])
    return markdown.table(["study", "new people", "a new study", "people"], lines)


def ideas_table(document: dict[str, Any]) -> str:
    """Markdown: walking taken for stairs / stairs for walking, of each study left out."""
    studies, lines = document["ideas"], []
    for name in next(iter(studies.values())):
        row = [name]
        for found in studies.values():
            shares = (found[name][key] for key in ("walking_as_stairs", "stairs_as_walking"))
            row.append(" / ".join(f"{each:.1%}" for each in shares if each is not None))
        lines.append(row)
    return markdown.table(["", *studies], lines)


TABLES = {"walkers": moves_table, "walkers, people": people_table, "walkers, ideas": ideas_table}


if __name__ == "__main__":
    main()
