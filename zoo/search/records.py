"""Records of trials, one JSON file each, which are the only state of a trial.

keras-tuner writes no files about trials. An interrupted search is restored from the records: trials that have ended are
not run again, and a running trial resumes from its checkpoint.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import read_json, write_json
from zoo.recipe import Recipe
from zoo.training import Training

Record = dict[str, Any]

ENDED = ("scored", "stopped", "failed", "refused")
"""Final states of a trial: scored after its last epoch; stopped early, because others were better; failed, with a
reason; refused and not trained, because its model exceeds a limit."""

TRIALS = "trials"
"""The folder of a search's records."""


def new_record(number: int, plan: Training, values: Mapping[str, Any], name: str = "") -> Record:
    """Creates the record of a new trial.

    Args:
        number: Number of the trial.
        plan: Plan of the training.
        values: Values of the hyperparameters.
        name: Name for display. The number by default.
    """
    return {
        "trial": number, "name": name or str(number), "status": "running", "reason": None, "score": None,
        "values": dict(values), "family": plan.family, "arguments": plan.arguments, "recipe": plan.recipe.to_json(),
        "epochs": 0, "rungs": {}, "history": [], "started": time.time(), "seconds": 0.0, "attempts": 0,
        "oom_kills": 0, "parameters": None, "file": None, "bytes": None, "milliseconds": None,
    }  # fmt: skip


class Records:
    """The records in a folder.

    Args:
        folder: Folder of the records.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ended: dict[int, Record] = {}

    def path(self, number: int) -> Path:
        """Returns the file of a record."""
        return self.folder / f"{number:04d}.json"

    def checkpoint(self, number: int, part: int) -> Path:
        """Returns the checkpoint of a running trial on one part of the data."""
        return self.folder / f"{number:04d}.{part}.npz"

    def __contains__(self, number: int) -> bool:
        return self.path(number).is_file()

    def read(self, number: int) -> Record:
        """Returns the record of a trial."""
        if number in self._ended:
            return self._ended[number]
        record: Record = read_json(self.path(number))
        if record["status"] in ENDED:
            self._ended[number] = record
        return record

    def all(self) -> list[Record]:
        """Returns all records, ordered by number."""
        return [self.read(int(path.stem)) for path in sorted(self.folder.glob("[0-9]*.json"))]

    def write(self, record: Record) -> None:
        """Writes a record."""
        write_json(self.path(record["trial"]), record)
        self._ended.pop(record["trial"], None)

    def delete(self, number: int) -> None:
        """Deletes the record of a trial."""
        self.path(number).unlink(missing_ok=True)


def plan_of(record: Record, name: str) -> Training:
    """Returns the plan of a trial."""
    return Training(name, record["family"], record["arguments"], Recipe.from_json(record["recipe"]))
