"""Records of trials, one JSON file each: the only copy of what is known of a trial.

keras-tuner keeps no file of its own about a trial: a killed search is read from its records. A trial whose record has
ended is not run again; one that was running resumes from its checkpoint.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import read_json, write_json
from zoo.recipes import Recipe
from zoo.tasks.running import Plan

Record = dict[str, Any]

ENDED = ("scored", "stopped", "failed", "refused")
"""Final states of a trial: trained to its end, with a score; stopped early, as others did better; without a score, for
a reason; not trained, since its model is above a limit."""

TRIALS = "trials"
"""The folder of a search's records."""


def new_record(number: int, plan: Plan, values: Mapping[str, Any], name: str = "") -> Record:
    """The record of a trial that has not been started.

    Args:
        number: Of the trial.
        plan: What to train.
        values: The hyper-parameters, as they were drawn.
        name: Shown to people; the number by default.
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
        folder: Of the records.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ended: dict[Path, Record] = {}

    def path(self, number: int) -> Path:
        """The file of a record."""
        return self.folder / f"{number:04d}.json"

    def checkpoint(self, number: int, part: int) -> Path:
        """The checkpoint of a running trial on one part of the data."""
        return self.folder / f"{number:04d}.{part}.npz"

    def find(self, number: int) -> Record | None:
        """The record of a trial, or None where there is none."""
        path = self.path(number)
        return self._read(path) if path.is_file() else None

    def all(self) -> list[Record]:
        """All records, ordered by number."""
        return [self._read(path) for path in sorted(self.folder.glob("[0-9]*.json"))]

    def write(self, record: Record) -> None:
        """Writes a record."""
        path = self.path(record["trial"])
        write_json(path, record)
        self._ended.pop(path, None)

    def delete(self, number: int) -> None:
        """Deletes the record of a trial."""
        self.path(number).unlink(missing_ok=True)

    def _read(self, path: Path) -> Record:
        if path not in self._ended:
            record: Record = read_json(path)
            if record["status"] not in ENDED:
                return record
            self._ended[path] = record
        return self._ended[path]


def plan_of(record: Record, name: str) -> Plan:
    """The plan that a trial trains."""
    return Plan(name, record["family"], record["arguments"], Recipe.from_json(record["recipe"]))
