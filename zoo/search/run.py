"""A whole search: trials, finals and report, in this process or in several.

    python -m zoo.search.run FOLDER DATA TRIALS

runs trials of the search in a folder, as a child process of a search.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from zoo import jobs
from zoo.errors import ZooError
from zoo.files import exclusive, exclusive_folder
from zoo.report.progress import TrainingBoard, TrialBoard
from zoo.search import finals, report, search, workers
from zoo.search.records import TRIALS, Records
from zoo.search.study import Study
from zoo.search.trials import Show, Trainer
from zoo.training import Progress

_MEASURED = 20
"""Number of the best trials whose size and latency are measured."""

_LOCK_SECONDS = 30.0
"""Time for the processes of a search that was killed to end."""


@contextmanager
def claimed(study: Study, folder: Path) -> Iterator[None]:
    """Claims a folder for a study, and keeps other runs out of it while the block runs.

    Workers on other hosts share the folder with their chief.

    Args:
        study: The study.
        folder: New folder, or folder of the same search.

    Raises:
        ZooError: If another run uses the folder, or it contains something else or another study.
    """
    if workers.name() not in (None, workers.CHIEF):
        study.open(folder)
        yield
        return
    with exclusive_folder(folder):
        study.open(folder)
        yield


def run_search(
    study: Study, folder: Path | None = None, *, processes: int = 0, best: int = 3, seeds: int = 3,
    preset: Path | None = None, console: Console | None = None,
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
        preset: New folder for a copy of the chosen model. None by default.
        console: Console that shows progress. None by default.

    Returns:
        The result of `finals.decide`; `default_score`, the score of the trial with the default values (None if it has
        no score); and the paths of the `report`, the `model` and the `preset`, if any. Empty for a worker.

    Raises:
        ZooError: If the study or the folder is invalid, or no trial has a score.
    """
    for what, value in (("best", best), ("seeds", seeds)):
        if value < 1:
            raise ZooError(f"{what} is {value}; expected 1 or more")
    folder = folder or Path(tempfile.mkdtemp(prefix="zoo-search-")) / "search"
    with claimed(study, folder):
        return _run_search(study, folder, processes, best, seeds, preset, console or Console(quiet=True))


def _run_search(
    study: Study, folder: Path, processes: int, best: int, seeds: int, preset: Path | None, console: Console
) -> dict[str, Any]:
    if preset is not None:
        finals.require_room(folder, preset)
    name = workers.name()
    if name not in (None, workers.CHIEF):
        _run_trials(study, folder)
        return {}
    result = finals.known(study, folder)
    if result is None:
        title = f"{study.target}, {study.strategy}, {study.measure}"
        board = TrialBoard(console, title, study.trials, study.maximize, processes)
        with board.shown():
            if processes and name is None:
                records = Records(folder / TRIALS)
                workers.run_workers(study, folder, processes, lambda: board.update(records.all()))
            else:
                _run_trials(study, folder, board.update)
    leaders = finals.ranked(study, Records(folder / TRIALS).all())
    if result is None:
        result = _decide(study, folder, len(leaders[:best]), seeds, console)
    result |= {"default_score": Records(folder / TRIALS).read(0)["score"]}
    if not (folder / report.REPORT).is_file():
        with console.status("measuring the size and the latency of the best trials"):
            Trainer(study, folder).measure(leaders[:_MEASURED])
            report.write(study, folder, result)
    if preset is not None:
        finals.save_preset(folder, preset)
    copied = {} if preset is None else {"preset": str(preset)}
    return result | {"report": str(folder / report.REPORT), "model": str(folder / finals.BEST)} | copied


def _decide(study: Study, folder: Path, best: int, seeds: int, console: Console) -> dict[str, Any]:
    """Trains the best trials again, then the model that is saved."""
    title = "the best again" if best == 1 else f"the best {best} again"
    board = TrialBoard(console, title, best * seeds, study.maximize)
    with board.shown():
        repeated = finals.repeat(study, folder, best, seeds, board.update)
    plan = finals.plan_of_chosen(study, folder, repeated)
    training = TrainingBoard(console, plan.recipe.epochs)
    with training.shown():
        return finals.decide(study, folder, repeated, plan, [Progress(training.on_epoch_end)])


def run_script(study: Study, description: str | None) -> None:
    """Runs a search as a script, whose options replace data, trials and epochs of the study.

    Prints the path of the report.

    Args:
        study: Study to search.
        description: Description of the script.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=study.data)
    parser.add_argument("--out", type=Path, default=Path("search"))
    parser.add_argument("--trials", type=int, default=study.trials)
    parser.add_argument("--epochs", type=int, default=study.epochs)
    options = vars(parser.parse_args())
    out = options.pop("out")
    result = run_search(replace(study, **options), out, processes=1, console=Console(stderr=True))
    print(result["report"])


def _run_trials(study: Study, folder: Path, show: Show = lambda records: None) -> None:
    with exclusive(folder / (workers.name() or workers.CHIEF), "search", _LOCK_SECONDS):
        if not (folder / finals.RESULT).is_file():
            search.run(study, folder, Trainer(study, folder, show=show))


def main() -> None:
    """Runs trials of the search that the arguments name."""
    jobs.die_with_parent()
    folder, data, trials = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        with jobs.terminable_job():
            _run_trials(Study.reopen(folder, data, trials), folder)
    except ZooError as error:
        sys.exit(f"zoo: {error}")


if __name__ == "__main__":
    main()
