"""Records: what became of each trial, one JSON file each, written whole.

A record outlives whoever wrote it: a trial whose record has ended is never run again, and one that was running when
its process died is run again from its checkpoint.
"""

from pathlib import Path
from typing import Any

from zoo.files import read_json, write_json
from zoo.recipes import Recipe
from zoo.tasks.running import Plan

Record = dict[str, Any]

ENDED = ("scored", "stopped", "failed", "refused")
"""What can become of a trial: it was trained to its end and has a score; it was left early, as others did better; it
has no score, for a reason; its model is above a limit and was not trained."""

TRIALS = "trials"
"""The folder of a search's records."""


class Records:
    """Records, a file each.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ended: dict[Path, Record] = {}

    def path(self, number: int) -> Path:
        """Where the record of a trial lies."""
        return self.folder / f"{number:04d}.json"

    def checkpoint(self, number: int, part: int) -> Path:
        """Where a trial that runs keeps how far it is with one part of the data."""
        return self.folder / f"{number:04d}.{part}.npz"

    def find(self, number: int) -> Record | None:
        """The record of a trial, or None where it has not begun."""
        path = self.path(number)
        return self._read(path) if path.is_file() else None

    def all(self) -> list[Record]:
        """All records in the order of their numbers."""
        return [self._read(path) for path in sorted(self.folder.glob("[0-9]*.json"))]

    def write(self, record: Record) -> None:
        """Writes a record whole."""
        path = self.path(record["trial"])
        write_json(path, record)
        self._ended.pop(path, None)

    def _read(self, path: Path) -> Record:
        if path not in self._ended:
            record: Record = read_json(path)
            if record["status"] not in ENDED:
                return record
            self._ended[path] = record
        return self._ended[path]


def plan_of(record: Record, name: str) -> Plan:
    """The plan that a record's trial trained."""
    return Plan(name, record["family"], record["arguments"], Recipe.from_json(record["recipe"]))
