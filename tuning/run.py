"""A whole search: trials, finals and report, in this process or in several.

    python -m tuning.run FOLDER DATA TRIALS

runs trials of the search in a folder, as a child process of a search.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console

from tuning import finals, report, search, workers
from tuning.records import TRIALS, Record, Records
from tuning.study import Study
from tuning.trials import Trainer
from zoo import jobs
from zoo.errors import ZooError
from zoo.files import locked
from zoo.report.live import TrialBoard

_MEASURED = 20
"""Number of the best trials whose size and latency are measured."""

_LOCK_SECONDS = 30.0
"""Time for the processes of a search that was killed to end."""


def run_search(
    study: Study, folder: Path | None = None, *, processes: int = 0, best: int = 3, seeds: int = 3,
    console: Console | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Runs or resumes a search.

    If the environment variables of keras-tuner are set, this process is the chief, which assigns trials and then runs
    the finals, or a worker, which runs trials.

    Args:
        study: Study to search.
        folder: New folder, or folder of the same search. A new temporary folder by default.
        processes: Number of processes on this machine that run trials. 0 runs them in this process.
        best: Number of trials to train again.
        seeds: Number of seeds with which each of them is trained.
        console: Console that shows progress. None by default.

    Returns:
        The result of `finals.decide`, and the paths of the `report` and the `model`. Empty for a worker.

    Raises:
        ZooError: If the study or the folder is invalid, or no trial has a score.
    """
    for what, value in (("best", best), ("seeds", seeds)):
        if value < 1:
            raise ZooError(f"{what} is {value}; expected 1 or more")
    folder = folder or Path(tempfile.mkdtemp(prefix="zoo-search-")) / "search"
    study.open(folder)
    name = workers.name()
    if name not in (None, workers.CHIEF):
        _run_trials(study, folder)
        return {}
    with _exclusive(folder, "search"):
        if not (folder / finals.RESULT).is_file():
            title = f"{study.target}, {study.strategy}, {study.measure}"
            board = TrialBoard(console or Console(quiet=True), title, study.trials, study.maximize, processes)
            with board.shown():
                _trials(study, folder, processes if name is None else 0, board.update)
        trials, records = Records(folder / TRIALS), Records(folder / finals.FINALS)
        count = len(finals.ranked(study, trials.all())[:best])
        board = TrialBoard(console or Console(quiet=True), f"the best {count} again", count * seeds, study.maximize)
        with board.shown():
            result = finals.decide(study, folder, best, seeds, lambda record: board.update(records.all()))
        if not (folder / report.REPORT).is_file():
            Trainer(study, folder).measure(trials, finals.ranked(study, trials.all())[:_MEASURED])
            report.write(study, folder, result)
    return result | {"report": str(folder / report.REPORT), "model": str(folder / finals.BEST)}


def _trials(study: Study, folder: Path, processes: int, show: Callable[[Sequence[Record]], None]) -> None:
    records = Records(folder / TRIALS)
    if processes:
        workers.run_workers(study, folder, processes, lambda: show(records.all()))
    else:
        _run_trials(study, folder, lambda record: show(records.all()))


def _run_trials(study: Study, folder: Path, on_change: Callable[[Record], None] = lambda record: None) -> None:
    with _exclusive(folder, workers.name() or workers.CHIEF):
        if not (folder / finals.RESULT).is_file():
            search.run(study, folder, Trainer(study, folder, on_change))


def _exclusive(folder: Path, name: str) -> AbstractContextManager[None]:
    return locked(folder / "locks" / name, _LOCK_SECONDS, f"{folder}: its {name} runs already, in another process")


def main() -> None:
    """Runs trials of the search that the arguments name."""
    jobs.die_with_parent()
    folder, data, trials = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        _run_trials(Study.reopen(folder, data, trials), folder)
    except ZooError as error:
        sys.exit(f"zoo: {error}")


if __name__ == "__main__":
    main()
