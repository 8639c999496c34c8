"""A live view of a cross-validation: a row for each group of people, a column for each method and seed."""

import contextlib
import time
from collections.abc import Iterator
from statistics import mean

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from zoo.report.tables.layout import duration, table
from zoo.tasks.folds import SUBJECT, Fold, Record, Records

_COLORS = {"waiting": "dim", "running": "cyan", "scored": "", "failed": "red"}
_SUBJECTS = 20
"""Columns of the terminal for the subjects of a group, at most."""


class FoldBoard:
    """Shows what has become of the folds: a table on a terminal, a line for each fold that ends elsewhere.

    Args:
        console: Where to.
        epochs: Of a network, at most.
        workers: How many folds run at once.
    """

    def __init__(self, console: Console, epochs: int, workers: int) -> None:
        self.console, self.epochs, self.workers = console, epochs, workers
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")
        self._told: set[Fold] | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator["FoldBoard"]:
        """Shows the table while the block runs."""
        with self._live if self.console.is_terminal else contextlib.nullcontext():
            yield self

    def update(self, records: Records) -> None:
        """Shows what has become of the folds."""
        if self.console.is_terminal:
            self._live.update(Group(*self._screen(records)), refresh=True)
            return
        ended = [fold for fold, record in records.items() if record["status"] in ("scored", "failed")]
        if self._told is None:
            # Of a run that goes on, only what is new is told.
            self._told = {fold for fold in ended if records[fold]["status"] == "scored"}
            if self._told:
                self._say(self._summary(records))
        for fold in ended:
            if fold not in self._told:
                self._told.add(fold)
                self._say(f"{_line(fold, records[fold])}; {self._summary(records)}")

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _summary(self, records: Records) -> str:
        scored = [fold for fold, record in records.items() if record["status"] == "scored"]
        failed = sum(record["status"] == "failed" for record in records.values())
        words = [f"{len(scored)} of {len(records)} folds", *([f"{failed} failed"] if failed else [])]
        left = [fold for fold, record in records.items() if record["status"] in ("waiting", "running")]
        if scored and left:
            seconds = sum(_seconds(fold, scored, records) for fold in left)
            words.append(f"{duration(seconds / self.workers)} left")
        return ", ".join(words)

    def _screen(self, records: Records) -> Iterator[RenderableType]:
        yield Text(f"cross-validation: {self._summary(records)}", "bold")
        running = [fold for fold, record in records.items() if record["status"] == "running"]
        # What is over, or has not begun, is shown in the end, when nothing moves any more.
        for split in dict.fromkeys(fold.split for fold in running or records):
            folds = [fold for fold in records if fold.split == split]
            columns = list(dict.fromkeys((fold.method, fold.seed) for fold in folds))
            left = "subjects\nleft out" if split == SUBJECT else "windows\nat random"
            shown = table("", left, *(f"{_words(method)}\nseed {seed}" for method, seed in columns))
            for group in dict.fromkeys(fold.group for fold in folds):
                row = [records[Fold(method, split, seed, group)] for method, seed in columns]
                shown.add_row(_who(group, row), *map(self._cell, row))
            yield shown

    def _cell(self, record: Record) -> Text:
        status = record["status"]
        if status == "scored":
            words = f"{record['macro_f1']:.3f}"
        elif status == "running":
            epochs, started = record.get("epochs"), record.get("started", time.time())
            words = f"{epochs}/{self.epochs}" if epochs else f"{time.time() - started:.0f} s"
        else:
            words = {"waiting": "·", "failed": "failed"}[status]
        return Text(words, _COLORS[status])


def _seconds(fold: Fold, scored: list[Fold], records: Records) -> float:
    """What a fold takes, as others of its method did, or of any where there is none yet."""
    alike = [other for other in scored if other.method == fold.method]
    return float(mean(records[other]["seconds"] for other in alike or scored))


def _words(method: str) -> str:
    """A name of several words, one a line: columns of numbers are narrow."""
    return method.replace("_", "\n")


def _who(group: int, records: list[Record]) -> str:
    """Who is left out, as soon as a fold has told it."""
    names = next((", ".join(record["subjects"]) for record in records if record.get("subjects")), f"group {group + 1}")
    return names if len(names) <= _SUBJECTS else f"{names[: _SUBJECTS - 1]}…"


def _line(fold: Fold, record: Record) -> str:
    who = f"subjects {', '.join(record['subjects'])}" if record.get("subjects") else f"random windows {fold.group + 1}"
    if record["status"] == "failed":
        return f"{fold.method}, {who}, seed {fold.seed} failed: {record['reason']}"
    return f"{fold.method}, {who}, seed {fold.seed}: macro-F1 {record['macro_f1']:.3f} in {record['seconds']:.0f} s"
