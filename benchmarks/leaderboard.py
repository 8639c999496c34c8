"""The networks of the zoo, and published ones of examples/networks, on the same folds of people of MotionSense.

    python benchmarks/leaderboard.py --data DATA/activity --scratch build/leaderboard | tee benchmarks/leaderboard.json
    python benchmarks/leaderboard.py --page docs/leaderboard.md  # writes its tables and figures into the page

All are trained from scratch with the recipe of `activity_gru_phone` and one seed, with windows of 150 rows cut
from 200, and scored on the people of five groups, each left out once: `zoo benchmark` does the same for anyone's
networks. DeepConvLSTM, of 359,000 parameters, would take as long as all others together, and is left out.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pages
from rich.console import Console

from zoo.activity.figures import critical_difference, methods
from zoo.api.data import cut_windows, import_study
from zoo.crossval import Protocol, cross_validate
from zoo.presets import PRESETS
from zoo.report import drawing, markdown
from zoo.report.progress import FoldBoard
from zoo.runtime.metadata import CLASSES
from zoo.training import Training

COMMAND = "python benchmarks/leaderboard.py --data DATA/activity"
STUDY, ARCHIVE = "motionsense", "A_DeviceMotion_data.zip"
GROUPS, WORKERS, WINDOW, LONG = 5, 2, 150, 200
RECIPE = PRESETS["activity_gru_phone"].recipe.replace(validation=0.0)
OWN = ("activity_gru_tiny", "activity_gru_pocket", "activity_gru_phone", "activity_cnn_pocket")
PUBLISHED = ("st_gmp", "st_ign", "transformer", "tinyhar", "tcn")
BASELINES = ("random_forest", "nearest_neighbor", "minirocket")


def windows(archives: Path, scratch: Path) -> Path:
    """The windows of all people, without a test set."""
    recordings, file = scratch / f"{STUDY}.h5", scratch / "windows.h5"
    if not file.exists():
        import_study(STUDY, archives / ARCHIVE, recordings, force=True)
        cut_windows([recordings], file, window=LONG, hop=LONG // 2, test_fraction=0.0, classes=CLASSES)
    return file


def measure(archives: Path, scratch: Path) -> dict[str, Any]:
    """Trains what has no score yet."""
    plans = [Training.of(name, recipe=RECIPE) for name in OWN]
    plans += [Training.of(f"examples/networks/{name}.py:build", {"window": WINDOW}, RECIPE) for name in PUBLISHED]
    board = FoldBoard(Console(stderr=True), WORKERS)
    with board.shown():
        return cross_validate(
            plans, windows(archives, scratch), scratch / "folds", Protocol(GROUPS, baselines=BASELINES),
            workers=WORKERS, on_progress=board.update,
        )  # fmt: skip


def link(name: str) -> str:
    """The name of a method, with a link to its card or its file."""
    if name in OWN:
        return f"[{name}](../saved_models/{name}/card.md)"
    return f"[{name}](../examples/networks/{name}.py)" if name in PUBLISHED else markdown.label(name)


def table(document: dict[str, Any]) -> str:
    """A row for each method, the best first."""
    keys = ("macro_f1", "macro_f1_interval", "difference.macro_f1", "difference.standard_error", "difference.p:.2g",
            "worst.accuracy", "parameters", "bytes")  # fmt: skip
    rows = {link(name): row | {"difference": row["difference"] or {}} for name, row in document["methods"].items()}
    return markdown.columns([*rows.items()], keys, "network")


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build/leaderboard"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"MotionSense": table})
        for name, draw in (("leaderboard", methods), ("leaderboard-ranks", critical_difference)):
            drawing.save(draw(pages.measured(__file__)), options.page.parent / "assets" / f"{name}.png")
        return
    found = measure(options.data, options.scratch)
    # Their sums by person are kept.
    methods_of = {name: {key: row[key] for key in row if key != "folds"} for name, row in found["methods"].items()}
    print(json.dumps(found | {"command": COMMAND, "data": "MotionSense", "methods": methods_of}, indent=2))


if __name__ == "__main__":
    main()
