"""A whole search: trials, finals, report; in this process or in many."""

from pathlib import Path
from typing import Any

from rich.console import Console

from tuning import finals, report, search, workers
from tuning.records import TRIALS, Record, Records
from tuning.study import Study
from tuning.trials import Trainer
from zoo.errors import ZooError
from zoo.files import locked
from zoo.processes import die_with_parent
from zoo.report.live import TrialBoard

_MEASURED = 20
"""Of how many of the best trials size and latency are measured."""

_SECONDS = 30.0
"""How long the processes of a search that was killed may take to end."""


def conduct(
    study: Study, folder: Path, *, processes: int = 0, best: int = 3, seeds: int = 3, console: Console | None = None
) -> dict[str, Any]:
    """Searches, or goes on with a search, to its end.

    Under keras-tuner's variables this process is the chief, which gives out trials and makes the end, or a worker,
    which runs trials and gives nothing.

    Args:
        study: What is searched.
        folder: Of the search: a new one, or that of the same search.
        processes: Processes on this machine that run trials; 0 runs them in this one.
        best: How many trials are trained again.
        seeds: How often each.
        console: Where the trials are shown; nowhere by default.

    Returns:
        What `finals.decide` gives, and the paths of the `report` and the `model`; of a worker nothing.

    Raises:
        ZooError: If the study or the folder is not as it should be, or no trial has a score.
    """
    for what, value in (("best", best), ("seeds", seeds)):
        if value < 1:
            raise ZooError(f"{what} is {value}; expected 1 or more")
    study.open(folder)
    if workers.supervised():
        die_with_parent()
    name = workers.name()
    if workers.supervised() or name not in (None, workers.CHIEF):
        with _alone(folder, name or workers.CHIEF):
            if not (folder / finals.RESULT).is_file():
                search.run(study, folder, Trainer(study, folder))
        return {}
    with _alone(folder, "search"):
        if not (folder / finals.RESULT).is_file():
            _trials(study, folder, processes if name is None else 0, console or Console(quiet=True))
        result = finals.decide(study, folder, best, seeds, console)
        if not (folder / report.REPORT).is_file():
            records = Records(folder / TRIALS)
            Trainer(study, folder).measure(records, finals.ranked(study, records.all())[:_MEASURED])
            report.write(study, folder, result)
        return result | {"report": str(folder / report.REPORT), "model": str(folder / finals.BEST)}


def _trials(study: Study, folder: Path, processes: int, console: Console) -> None:
    records = Records(folder / TRIALS)
    title = f"{study.target}, {study.strategy}, {study.measure}"
    board = TrialBoard(console, title, study.trials, study.maximize, processes)

    def look(record: Record | None = None) -> None:
        board.update(records.all())

    with board.shown():
        if processes:
            workers.supervise(folder, processes, look)
        else:
            with _alone(folder, workers.CHIEF):
                search.run(study, folder, Trainer(study, folder, look))


def _alone(folder: Path, name: str) -> Any:
    return locked(folder / "locks" / name, _SECONDS, f"{folder}: its {name} runs already, in another process")
