"""A live view of a search: its trials, the best so far, and the time left."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from zoo.report.tables.layout import duration, number, table

Record = Mapping[str, Any]

_BEST, _LATEST = 5, 5
_NUMBERS, _WORDS = 58, 12
"""Columns of the terminal that the numbers of a trial take, and the fewest for its words."""

_COLORS = {"scored": "", "stopped": "dim", "running": "cyan", "failed": "red", "refused": "yellow"}

_COUNTED = ("scored", "stopped", "failed")


class Board:
    """Shows the records of trials: a table on a terminal, a line for each trial that ends elsewhere.

    Args:
        console: Where to.
        title: What is searched, or done.
        count: How many trials are wanted.
        maximize: Whether a greater score is better.
        processes: How many run at once.
    """

    def __init__(self, console: Console, title: str, count: int, maximize: bool, processes: int = 1) -> None:
        self.console, self.title, self.count, self.maximize = console, title, count, maximize
        self.processes = max(1, processes)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")
        self._told: set[int] | None = None

    @contextlib.contextmanager
    def shown(self) -> Iterator["Board"]:
        """Shows the table while the block runs."""
        with self._live if self.console.is_terminal else contextlib.nullcontext():
            yield self

    def update(self, records: Sequence[Record]) -> None:
        """Shows what has become of the trials."""
        if self.console.is_terminal:
            self._live.update(Group(*self._screen(records)), refresh=True)
            return
        ended = [record for record in records if record["status"] != "running"]
        if self._told is None:
            # Of a search that goes on, only what is new is told.
            self._told = {record["trial"] for record in ended}
            if ended:
                self.console.print(self._summary(records), highlight=False, markup=False, soft_wrap=True)
        for record in ended:
            if record["trial"] not in self._told:
                self._told.add(record["trial"])
                what = record["reason"] or number(record["score"], 4)
                line = f"trial {record['name']} {record['status']} after {record['seconds']:.1f} s: {what}; "
                self.console.print(line + self._summary(records), highlight=False, markup=False, soft_wrap=True)

    def _ranked(self, records: Sequence[Record]) -> list[Record]:
        scored = [record for record in records if record["status"] == "scored"]
        return sorted(scored, key=lambda record: record["score"], reverse=self.maximize)

    def _summary(self, records: Sequence[Record]) -> str:
        counts = {status: sum(record["status"] == status for record in records) for status in _COLORS}
        others = [f"{counts[status]} {status}" for status in ("stopped", "failed", "refused") if counts[status]]
        words = [f"{self.count - self._left(counts)} of {self.count} done", f"{counts['scored']} scored", *others]
        best = self._ranked(records)[:1]
        words += [f"best {record['score']:.4f} of trial {record['name']}" for record in best]
        seconds = [record["seconds"] for record in records if record["status"] in _COUNTED]
        left = self._left(counts)
        if seconds and left > 0:
            words.append(f"{duration(left * mean(seconds) / self.processes)} left")
        return ", ".join(words)

    def _left(self, counts: Mapping[str, int]) -> int:
        return self.count - sum(counts[status] for status in _COUNTED)

    def _screen(self, records: Sequence[Record]) -> Iterator[Any]:
        best = self._ranked(records)[:_BEST]
        others = [record for record in records if record not in best]
        running = [record for record in others if record["status"] == "running"]
        latest = [record for record in others if record["status"] != "running"][-_LATEST:]
        yield Text(f"{self.title}: {self._summary(records)}", "bold")
        shown = table("", "trial", "score", "epochs", "s", "parameters", "kB", "ms", "values")
        shown.columns[-1].justify = "left"
        for record in [*best, *latest, *running]:
            style = "bold green" if record in best[:1] else _COLORS[record["status"]]
            *numbers, words = _cells(record)
            room = max(_WORDS, self.console.width - _NUMBERS)
            shown.add_row(*numbers, words if len(words) <= room else f"{words[: room - 1]}…", style=style)
        yield shown
        for record in best[:1]:
            yield Text(f"best: {_values(record)}", "green")


def _cells(record: Record) -> list[str]:
    size = record.get("bytes")
    running = record["status"] == "running"
    return [
        record["name"], number(record["score"], 4) if record["status"] == "scored" else record["status"],
        str(record["epochs"]), f"{time.time() - record['started'] if running else record['seconds']:.0f}",
        number(record.get("parameters")), "-" if size is None else f"{size / 1000:.1f}",
        number(record.get("milliseconds")), record["reason"] or _values(record),
    ]  # fmt: skip


def _values(record: Record) -> str:
    return " ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in record["values"].items()
    )
