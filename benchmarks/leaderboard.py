"""The networks of the zoo, and published ones of examples/networks, on the same folds of people.

    python benchmarks/leaderboard.py --data DATA/activity --scratch build/leaderboard  # all boards, or those named
    python benchmarks/leaderboard.py --page docs/leaderboard.md  # writes its tables and figures into the page

All are trained from scratch with the recipe of `activity_gru_phone` and one seed, with windows of 150 rows cut from
200, and scored on groups of people, each left out once: ten of MotionSense, and three of the six studies of the
preset, without its other movements, where the best two also have three seeds. `zoo benchmark` does the same for
anyone's networks. DeepConvLSTM, of 359,000 parameters, would take as long as all others together, and is left out. A
board that is measured takes its place in leaderboard.json, and the others stay.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import pages
from rich.console import Console

from zoo.activity.figures import critical_difference, methods
from zoo.activity.task import TASK
from zoo.crossval import Protocol, costs_of, cross_validate
from zoo.files import read_json, write_json
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import drawing, markdown
from zoo.report.progress import FoldBoard
from zoo.training import Training

COMMAND = "python benchmarks/leaderboard.py --data DATA/activity"
RESULTS = Path(__file__).with_suffix(".json")
WORKERS, WINDOW, TIMES = 2, 150, 3
RECIPE = PRESETS["activity_gru_phone"].recipe.replace(validation=0.0)
OWN = ("activity_gru_tiny", "activity_gru_pocket", "activity_gru_phone", "activity_cnn_pocket")
PUBLISHED = ("st_gmp", "st_ign", "transformer", "tinyhar", "tcn")
BASELINES = ("random_forest", "nearest_neighbor", "minirocket")


@dataclass(frozen=True)
class Board:
    """What is compared on whom, in which folder, and the names of its figures: of the scores and of the ranks, or none.

    All `networks` and `baselines` by default, with one seed.
    """

    folder: str
    studies: tuple[str, ...]
    groups: int
    figures: tuple[str, ...]
    networks: tuple[str, ...] = (*OWN, *PUBLISHED)
    baselines: tuple[str, ...] = BASELINES
    seeds: int = 1


SIX = PRESETS["activity_gru_phone"].data.studies
BOARDS = {
    "MotionSense": Board("motionsense", ("motionsense",), 10, ("leaderboard", "leaderboard-ranks")),
    "six studies": Board("studies", SIX, 3, ("leaderboard-studies", "leaderboard-studies-ranks")),
    "three seeds": Board("seeds", SIX, 3, (), ("activity_gru_phone", "tinyhar"), (), 3),
}


def windows_of(plan: Board, archives: Path, scratch: Path) -> Path:
    """The windows of all people of a board."""
    # Filling the page needs no import of studies.
    import make

    folder = scratch / plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    return make.cut(plan.studies, archives, folder)


def measure(board: str, data: Path) -> dict[str, Any]:
    """Trains what has no score yet."""
    plan = BOARDS[board]
    networks, protocol = [training(name) for name in plan.networks], Protocol(plan.groups, plan.seeds, plan.baselines)
    progress = FoldBoard(Console(stderr=True), WORKERS)
    with progress.shown():
        found = cross_validate(
            networks, data, data.parent / "folds", protocol, workers=WORKERS, on_progress=progress.update
        )
    # Their sums by person are kept.
    methods_of = {name: {key: row[key] for key in row if key != "folds"} for name, row in found["methods"].items()}
    return found | {"command": COMMAND, "data": board, "methods": methods_of}


def training(name: str) -> Training:
    """How a network is trained."""
    if name in OWN:
        return Training.of(name, recipe=RECIPE)
    return Training.of(f"examples/networks/{name}.py:build", {"window": WINDOW}, RECIPE)


def timed(found: dict[str, Any], data: Path, networks: Sequence[str]) -> dict[str, Any]:
    """The same with the least of several `milliseconds`, as other programs take some of the time."""
    known, methods_of = TASK.load_data(data), dict(found["methods"])
    for name in networks:
        costs = [costs_of(training(name), known) for _ in range(TIMES)]
        methods_of[name] |= costs[0] | {"milliseconds": min(cost["milliseconds"] for cost in costs)}
    return found | {"timed_on": versions()["machine"], "methods": methods_of}


def link(name: str) -> str:
    """The name of a method, with a link to its card or its file."""
    if name in OWN:
        return f"[{name}](../saved_models/{name}/card.md)"
    return f"[{name}](../examples/networks/{name}.py)" if name in PUBLISHED else markdown.label(name)


def table(boards: dict[str, Any], board: str) -> str:
    """A row for each method, the best first."""
    keys = ("macro_f1", "macro_f1_interval", "difference.macro_f1", "difference.standard_error", "difference.p:.2g",
            "seed_deviation", "worst.accuracy", "bytes", "milliseconds:.2g", "streams")  # fmt: skip
    found = boards[board]["methods"]
    rows = {link(name): row | {"difference": row["difference"] or {}} for name, row in found.items()}
    return markdown.columns([*rows.items()], keys, "network")


def main() -> None:
    """Measures boards, and writes them into the document."""
    parser = pages.parser(__doc__)
    parser.add_argument("boards", nargs="*", default=[], metavar="BOARD", help="all by default")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--time", action="store_true", help="time the networks again, and train none")
    parser.add_argument("--scratch", type=Path, default=Path("build/leaderboard"))
    options = parser.parse_args()
    if options.page:
        boards = read_json(RESULTS)
        pages.fill(options.page, __file__, {board: partial(table, board=board) for board in boards})
        for board, document in boards.items():
            if names := BOARDS[board].figures:
                for name, draw in zip(names, (methods, critical_difference), strict=True):
                    drawing.save(draw(document), options.page.parent / "assets" / f"{name}.png")
        return
    for board in options.boards or BOARDS:
        data, known = windows_of(BOARDS[board], options.data, options.scratch), read_json(RESULTS)
        found = known[board] if options.time else measure(board, data)
        write_json(RESULTS, known | {board: timed(found, data, BOARDS[board].networks)})


if __name__ == "__main__":
    main()
