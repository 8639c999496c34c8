"""A whole search: trials, finals, report; in this process or in many."""

from pathlib import Path
from typing import Any

from rich.console import Console

from tuning import finals, search, workers
from tuning.records import TRIALS, Record, Records
from tuning.study import Study
from tuning.trials import Trainer
from zoo.errors import ZooError
from zoo.files import locked
from zoo.report.trials import Board

_SECONDS = 30.0
"""How long the processes of a search that was killed may take to end."""


def conduct(
    study: Study, folder: Path, *, processes: int = 1, best: int = 3, seeds: int = 3, console: Console | None = None
) -> dict[str, Any]:
    """Searches, or goes on with a search, to its end.

    Under keras-tuner's variables this process is the chief, which gives out trials and makes the end, or a worker,
    which runs trials and gives nothing.

    Args:
        study: What is searched.
        folder: Of the search: a new one, or that of the same search.
        processes: Workers on this machine.
        best: How many trials are trained again.
        seeds: How often each.
        console: Where the trials are shown; nowhere by default.

    Returns:
        What `finals.decide` gives; of a worker nothing.

    Raises:
        ZooError: If the study or the folder is not as it should be, or no trial has a score.
    """
    for what, value in (("workers", processes), ("best", best), ("seeds", seeds)):
        if value < 1:
            raise ZooError(f"{what} is {value}; expected 1 or more")
    study.open(folder)
    name, records = workers.name(), Records(folder / TRIALS)
    if workers.supervised():
        workers.die_with_parent()
    if name is not None and (workers.supervised() or name != workers.CHIEF):
        with _alone(folder, name):
            search.run(study, folder, Trainer(study, folder))
        return {}
    with _alone(folder, "search"):
        if not (folder / finals.RESULT).is_file():
            title = f"{study.target}, {study.strategy}, {study.measure}"
            board = Board(console or Console(quiet=True), title, study.trials, study.maximize, processes)

            def look(record: Record | None = None) -> None:
                board.update(records.all())

            with board.shown():
                if processes > 1 and name is None:
                    workers.supervise(folder, processes, look)
                else:
                    with _alone(folder, workers.CHIEF):
                        search.run(study, folder, Trainer(study, folder, look))
        return finals.decide(study, folder, best, seeds, console)


def _alone(folder: Path, name: str) -> Any:
    return locked(folder / "locks" / name, _SECONDS, f"{folder}: its {name} runs already, in another process")
