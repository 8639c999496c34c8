"""Progress displays: training runs, written rows, folds, trials, and simulated signals."""

import time
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.terminal import Board

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BEST, _LATEST = 5, 5
_ENDED = ("scored", "stopped", "failed")

Folds = Mapping[Any, Document]
"""Records by fold. A fold has a `method`, a `split`, a `seed` and a `group`."""


class TrainingBoard(Board[Mapping[int, str]]):
    """The epochs of a training: a bar with the time left on a terminal, one line per epoch elsewhere.

    Args:
        console: Where to.
        epochs: How many at most.
    """

    transient = True

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__(console, resumes=False)
        self.epochs, self._fold, self._ended, self._times = epochs, "", dict[int, str](), list[float]()
        self._live.update(self.screen({}))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None, fold: str = "") -> None:
        """Shows the end of an epoch, counted from 0, of the training or of a fold, such as `fold 1 of 3`."""
        if fold != self._fold:
            self._fold, self._ended, self._times = fold, {}, []
        self._times.append(time.monotonic())
        self._ended[epoch] = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        self.update(self._ended)

    def screen(self, state: Mapping[int, str]) -> RenderableType:
        """Returns a progress bar and the metrics of the last epoch."""
        done = max(state, default=-1) + 1
        bar = Table.grid(padding=(0, 1))
        left = ""
        if done == self.epochs:
            left = "measuring"
        elif len(self._times) > 1:
            # The first epoch includes compilation, so its time is not representative.
            seconds = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
            left = f"{md.duration(seconds * (self.epochs - done))} left"
        bar.add_row(
            self._fold or "training", ProgressBar(self.epochs, done, width=30), f"epoch {done}/{self.epochs}", left
        )
        return Group(bar, Text(state[done - 1] if state else "compiling", "dim"))

    def lines(self, state: Mapping[int, str]) -> Mapping[Any, str]:
        """Returns the metrics of each epoch; of a fold, those of its last one."""
        if self._fold:
            return {self._fold: f"{self._fold}  {state[self.epochs - 1]}"} if self.epochs - 1 in state else {}
        return {epoch: f"epoch {epoch + 1}/{self.epochs}  {text}" for epoch, text in state.items()}


class RowBoard(Board[Mapping[str, int]]):
    """The number of rows that have been written to each split.

    Args:
        console: Console to print to.
        noun: What a row is.
        every: Number of rows after which a terminal shows the next count.
    """

    transient = True

    def __init__(self, console: Console, noun: str = "row", every: int = 100) -> None:
        super().__init__(console, resumes=False)
        self.noun, self.every = noun, every
        self._counts: dict[str, int] = {}

    def rows(self, split: str, count: int) -> None:
        """Shows the number of written rows of a split."""
        if split not in self._counts or count % self.every == 0:
            self._counts[split] = count
            self.update(self._counts)

    def screen(self, state: Mapping[str, int]) -> RenderableType:
        """Returns a line per split."""
        return Text("\n".join(f"writing {split}: {md.count(count, self.noun)}" for split, count in state.items()))

    def lines(self, state: Mapping[str, int]) -> Mapping[str, str]:
        """Returns a line per split."""
        return {split: f"writing {split}" for split in state}


_LEFT_OUT = {"subject": "subjects left out", "study": "study left out", "window": "windows at random"}


class FoldBoard(Board[Folds]):
    """The folds of a cross-validation, with a row per group of people and a column per method and seed.

    Args:
        console: Console to print to.
        epochs: Maximum number of epochs of a network.
        workers: Number of folds that run in parallel; 0 for one at a time in this process.
    """

    def __init__(self, console: Console, epochs: int, workers: int) -> None:
        super().__init__(console)
        self.epochs, self.workers = epochs, max(1, workers)

    def screen(self, state: Folds) -> str:
        """Returns the summary, and a table of the running folds, or at the end of all folds."""
        running = [fold for fold, record in state.items() if record["status"] == "running"]
        splits = dict.fromkeys(fold.split for fold in running or state)
        return md.page(f"**cross-validation: {self.summary(state)}**", *(self._table(split, state) for split in splits))

    def _table(self, split: str, state: Folds) -> str:
        folds = {(fold.method, fold.seed, fold.group): record for fold, record in state.items() if fold.split == split}
        methods = list(dict.fromkeys((method, seed) for method, seed, _ in folds))
        rows = []
        for group in dict.fromkeys(group for *_, group in folds):
            records = [folds[method, seed, group] for method, seed in methods]
            known = next((record for record in records if record.get("subjects")), {})
            who = known.get("study") if split == "study" else known.get("subjects")
            rows.append((md.show(who) if who else f"group {group + 1}", *map(self._cell, records)))
        several = len({seed for _, seed in methods}) > 1
        names = (md.label(method) + (f" seed {seed}" if several else "") for method, seed in methods)
        return md.table((_LEFT_OUT[split], *names), rows)

    def _cell(self, record: Document) -> str:
        if record["status"] == "scored":
            return f"{record['macro_f1']:.3f}"
        if record["status"] != "running":
            return {"waiting": "·", "failed": "**failed**"}[record["status"]]
        epochs, started = record.get("epochs"), record.get("started", time.time())
        return f"*{epochs}/{self.epochs}*" if epochs else f"*{time.time() - started:.0f} s*"

    def lines(self, state: Folds) -> Mapping[Any, str]:
        """Returns a line for each fold that has ended."""
        ended = {fold: record for fold, record in state.items() if record["status"] in ("scored", "failed")}
        return {fold: f"{_fold(fold, record)}; {self.summary(state)}" for fold, record in ended.items()}

    def summary(self, state: Folds) -> str:
        """Returns the number of scored folds and the estimated time left."""
        scored = [fold for fold, record in state.items() if record["status"] == "scored"]
        failed = sum(record["status"] == "failed" for record in state.values())
        left = len(state) - len(scored) - failed
        words = [f"{len(scored)} of {len(state)} folds", *([f"{failed} failed"] if failed else [])]
        if scored and left:
            seconds = sum(
                # The mean time of the folds with the same method, or of all folds if there is none yet.
                mean(state[s]["seconds"] for s in [s for s in scored if s.method == fold.method] or scored)
                for fold, record in state.items()
                if record["status"] in ("waiting", "running")
            )
            words.append(f"{md.duration(seconds / self.workers)} left")
        return ", ".join(words)


def _fold(fold: Any, record: Document) -> str:
    who = f"random windows {fold.group + 1}"
    if record.get("subjects"):
        who = f"study {record['study']}" if record.get("study") else f"subjects {', '.join(record['subjects'])}"
    name = f"{fold.method}, {who}, seed {fold.seed}"
    if record["status"] == "failed":
        return f"{name} failed: {record['reason']}"
    return f"{name}: macro-F1 {record['macro_f1']:.3f} in {record['seconds']:.0f} s"


class TrialBoard(Board[Sequence[Document]]):
    """The trials of a search: the best, the latest, and the running ones.

    Args:
        console: Console to print to.
        title: Title of the display.
        count: Number of trials to run.
        maximize: Whether a greater score is better.
        processes: Number of trials that run in parallel.
    """

    def __init__(self, console: Console, title: str, count: int, maximize: bool, processes: int = 1) -> None:
        super().__init__(console)
        self.title, self.count, self.maximize = title, count, maximize
        self.processes = max(1, processes)

    def screen(self, state: Sequence[Document]) -> str:
        """Returns the summary, a table, the best values and the last failure."""
        best = self._ranked(state)[:_BEST]
        others = [record for record in state if record not in best]
        running = [record for record in others if record["status"] == "running"]
        latest = [record for record in others if record["status"] != "running"][-_LATEST:]
        names = [f"**{record['name']}**" if place == 0 else record["name"] for place, record in enumerate(best)]
        names += [record["name"] for record in latest] + [f"*{record['name']}*" for record in running]
        rows = [(name, _trial(record)) for name, record in zip(names, [*best, *latest, *running], strict=True)]
        failed = [record for record in state if record["status"] == "failed"][-1:]
        keys = ("score:.4f", "epochs", "s:.0f", "parameters", "bytes", "milliseconds")
        return md.page(
            f"**{self.title}: {self.summary(state)}**",
            md.columns(rows, keys, "trial") if rows else "",
            *(f"best: {md.show(record['values'], form='.3g')}" for record in best[:1]),
            *(md.note(f"{record['name']}: {record['reason']}", "failed") for record in failed),
        )

    def _ranked(self, state: Sequence[Document]) -> list[Document]:
        scored = [record for record in state if record["status"] == "scored"]
        return sorted(scored, key=lambda record: record["score"], reverse=self.maximize)

    def lines(self, state: Sequence[Document]) -> Mapping[Any, str]:
        """Returns a line for each trial that has ended."""
        return {
            record["trial"]: f"trial {record['name']} {record['status']} after {record['seconds']:.1f} s: "
            f"{record['reason'] or md.show(record['score'], form='.4f')}; {self.summary(state)}"
            for record in state
            if record["status"] != "running"
        }

    def summary(self, state: Sequence[Document]) -> str:
        """Returns the number of trials by status, the best score, and the estimated time left."""
        counts = {name: sum(record["status"] == name for record in state) for name in (*_ENDED, "refused")}
        left = self.count - sum(counts[name] for name in _ENDED)
        others = [f"{counts[name]} {name}" for name in ("stopped", "failed", "refused") if counts[name]]
        words = [f"{self.count - left} of {self.count} done", f"{counts['scored']} scored", *others]
        words += [f"best {record['score']:.4f} of trial {record['name']}" for record in self._ranked(state)[:1]]
        seconds = [record["seconds"] for record in state if record["status"] in _ENDED]
        if seconds and left > 0:
            words.append(f"{md.duration(left * mean(seconds) / self.processes)} left")
        return ", ".join(words)


def _trial(record: Document) -> dict[str, Any]:
    scored, running = record["status"] == "scored", record["status"] == "running"
    return {
        **record, "score": record["score"] if scored else record["status"],
        "s": float(time.time() - record["started"] if running else record["seconds"]),
    }  # fmt: skip


class StreamBoard(Board[Document]):
    """A simulated signal and the recognized activity. Without a terminal, one line per prediction.

    A state has `time`, `label` (None where unsure), `probability`, `probabilities`, `truth`, `milliseconds` and
    `window`, the rows whose acceleration is shown.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console, resumes=False)

    def screen(self, state: Document) -> RenderableType:
        """Returns bars of the probabilities above the signal."""
        bars, signals = Table.grid(padding=(0, 1)), Table.grid(padding=(0, 1))
        for name, share in state["probabilities"].items():
            style = "bold green" if name == state["label"] else "dim"
            bars.add_row(Text(name, style), Text("█" * round(30 * share), style), Text(f"{share:4.0%}", style))
        for name, axis in zip("xyz", state["window"].T[:3], strict=True):
            signals.add_row(Text(name, "cyan"), Text(_spark(axis), "cyan"), Text(f"{axis[-1]:+6.1f} m/s^2", "dim"))
        head = Text.assemble((state["label"] or "?", "bold green"), f"   simulated: {state['truth']}")
        foot = Text(f"{state['time']:5.1f} s   {state['milliseconds']:.2f} ms for half a second of signal", "dim")
        screen = Group(head, Text(), bars, Text(), signals, foot)
        return Panel(screen, title="SIMULATED signal, exported file", width=76)

    def lines(self, state: Document) -> Mapping[float, str]:
        """Returns a line for the prediction."""
        found = f"{state['time']:5.1f} s  {state['label'] or '?':<11} {state['probability']:4.0%}"
        return {state["time"]: f"{found}  (really {state['truth']}, {state['milliseconds']:.2f} ms)"}


def _spark(axis: NDArray[np.float32], width: int = 48) -> str:
    means = np.array([float(part.mean()) for part in np.array_split(axis, width)])
    places = np.clip((means + 25) / 50 * (len(_BLOCKS) - 1), 0, len(_BLOCKS) - 1).astype(int)
    return "".join(_BLOCKS[place] for place in places)
