"""Progress displays: training runs, written rows, folds, trials, and simulated signals."""

import contextlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from statistics import mean
from typing import Any, Self

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.palette import DARK, activity_colors
from zoo.report.terminal import Page

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ENDED = ("scored", "failed")

Folds = Mapping[Any, Document]
"""Records by fold. A fold has a `method`, a `split`, a `seed` and a `group`."""


@contextlib.contextmanager
def counting(console: Console) -> Iterator[Callable[[str, int], None]]:
    """Yields a function that shows how many rows of a split are written: on a terminal, else that they start."""
    started = set[str]()
    with console.status("") as status:

        def show(split: str, count: int) -> None:
            if split not in started and not console.is_terminal:
                console.print(f"writing {split}", highlight=False, markup=False)
            if split not in started or count % 100 == 0:
                status.update(f"writing {split}: {md.count(count, 'row')}")
            started.add(split)

        yield show


class Board:
    """The progress of a long job: a line per event, and on a terminal a screen below them that is updated in place.

    A job that `resumes` an earlier run prints only the summary of its first state. Where it `counts`, lines elsewhere
    end with the summary; else a terminal gets the screen alone.
    """

    counts = True

    def __init__(self, console: Console, title: str = "", *, resumes: bool = True) -> None:
        self.console, self.title = console, title
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")
        self._printed: set[Hashable] | None = None if resumes else set()

    @contextlib.contextmanager
    def shown(self) -> Iterator[Self]:
        """Shows the board while the block runs."""
        with self._live if self.console.is_terminal else contextlib.nullcontext():
            yield self

    def update(self, state: Any) -> None:
        """Shows a newer state."""
        lines, terminal = self.lines(state), self.console.is_terminal
        news = [line for key, line in lines.items() if self._printed is not None and key not in self._printed]
        if self._printed is None and lines:
            news = [self.summary(state)]
        elif self.counts and not terminal:
            news = [f"{line}; {self.summary(state)}" for line in news]
        for line in news if self.counts or not terminal else ():
            self.console.print(line, highlight=False, markup=False, soft_wrap=not terminal)
        # Events that are tried again may be printed again.
        self._printed = set(lines)
        if terminal:
            screen = self.screen(state)
            self._live.update(Page(screen) if isinstance(screen, str) else screen, refresh=True)

    def lines(self, state: Any) -> Mapping[Any, str]:
        """A line for each event so far, by a key that identifies it."""
        raise NotImplementedError

    def summary(self, state: Any) -> str:
        """The state in one line."""
        raise NotImplementedError

    def screen(self, state: Any) -> RenderableType:
        """The screen for a terminal; a string is Markdown."""
        return Text(f"{self.title}: {self.summary(state)}", "bold")


class TrainingBoard(Board):
    """The epochs of a training: a bar with the time left on a terminal, one line per epoch elsewhere."""

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__(console)
        self.epochs = epochs
        count = TextColumn("epoch {task.completed:.0f}/{task.total:.0f}")
        left = TimeRemainingColumn(compact=True, elapsed_when_finished=True)
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(30), count, left, console=console)
        self._fold, self._task = "", self._progress.add_task("training", total=epochs)
        self._live = Live(self._with("compiling"), console=console, auto_refresh=False, transient=True)

    def _with(self, metrics: str) -> Group:
        # Rich cuts what is beside a bar at the width of the terminal.
        return Group(self._progress, Text(metrics, "dim"))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None, fold: str = "") -> None:
        """Shows the end of an epoch, counted from 0, of the training or of a fold, such as `fold 1 of 3`."""
        if fold != self._fold:
            self._fold = fold
            self._progress.reset(self._task, description=fold)
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        if self.console.is_terminal:
            self._progress.update(self._task, completed=epoch + 1)
            self._live.update(self._with(metrics), refresh=True)
        elif not fold or epoch + 1 == self.epochs:
            line = f"{fold or f'epoch {epoch + 1}/{self.epochs}'}  {metrics}"
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)


class FoldBoard(Board):
    """The folds of a cross-validation, of which `workers` run in parallel; 0 for one at a time in this process."""

    def __init__(self, console: Console, workers: int) -> None:
        super().__init__(console, "cross-validation")
        self.workers = max(1, workers)

    def lines(self, state: Folds) -> Mapping[Any, str]:
        """A line for each fold that has ended."""
        lines = {}
        for fold, record in state.items():
            who = f"group {fold.group + 1}"
            if record.get("subjects"):
                who = f"study {record['study']}" if record.get("study") else f"subjects {', '.join(record['subjects'])}"
            name = f"{fold.method}, {who}, seed {fold.seed}{f', {fold.people} people' if fold.people else ''}"
            if record["status"] == "failed":
                lines[fold] = f"{name} failed: {record['reason']}"
            elif record["status"] in _ENDED:
                lines[fold] = f"{name}: macro-F1 {record['macro_f1']:.3f} in {record['seconds']:.0f} s"
        return lines

    def summary(self, state: Folds) -> str:
        """The number of scored folds and the estimated time left."""
        scored = [fold for fold, record in state.items() if record["status"] == "scored"]
        waiting = [fold for fold, record in state.items() if record["status"] not in _ENDED]
        failed = len(state) - len(scored) - len(waiting)
        words = [f"{len(scored)} of {len(state)} folds", *([f"{failed} failed"] if failed else [])]
        if scored and waiting:
            seconds = sum(
                # The mean time of the folds with the same method, or of all folds if there is none yet.
                mean(state[done]["seconds"] for done in [s for s in scored if s.method == fold.method] or scored)
                for fold in waiting
            )
            words.append(f"{md.duration(seconds / self.workers)} left")
        return ", ".join(words)


class TrialBoard(Board):
    """The trials of a search: `count` in all, of which `processes` run in parallel."""

    def __init__(self, console: Console, title: str, count: int, maximize: bool, processes: int = 1) -> None:
        super().__init__(console, title)
        self.count, self.maximize, self.processes = count, maximize, max(1, processes)

    def lines(self, state: Sequence[Document]) -> Mapping[Any, str]:
        """A line for each trial that has ended."""
        return {
            record["name"]: f"trial {record['name']} {record['status']} after {record['seconds']:.1f} s"
            f"{' and ' + md.count(record['steps'], 'step') if record.get('steps') else ''}: "
            f"{record['reason'] or md.show(record['score'], form='.4f')}"
            for record in state
            if record["status"] != "running"
        }

    def summary(self, state: Sequence[Document]) -> str:
        """The number of trials by status, the best score, and the estimated time left."""
        counts = {name: sum(record["status"] == name for record in state) for name in (*_ENDED, "refused")}
        left = self.count - sum(counts[name] for name in _ENDED)
        others = [f"{counts[name]} {name}" for name in ("failed", "refused") if counts[name]]
        words = [f"{self.count - left} of {self.count} done", f"{counts['scored']} scored", *others]
        scores = {record["name"]: record["score"] for record in state if record["status"] == "scored"}
        if scores:
            best = (max if self.maximize else min)(scores, key=scores.__getitem__)
            words.append(f"best {scores[best]:.4f} of trial {best}")
        seconds = [record["seconds"] for record in state if record["status"] in _ENDED]
        if seconds and left > 0:
            words.append(f"{md.duration(left * mean(seconds) / self.processes)} left")
        return ", ".join(words)


class StreamBoard(Board):
    """A simulated signal and the recognized activity. Without a terminal, one line per prediction.

    A state has `time`, `label` (None where unsure), `probability`, `probabilities`, `truth`, `milliseconds` and
    `window`, the rows whose acceleration is shown.
    """

    counts = False

    def __init__(self, console: Console) -> None:
        super().__init__(console, resumes=False)

    def screen(self, state: Document) -> RenderableType:
        """Bars of the probabilities above the signal."""
        bars, signals = Table.grid(padding=(0, 1)), Table.grid(padding=(0, 1))
        colors = activity_colors(list(state["probabilities"]), DARK)
        for name, share in state["probabilities"].items():
            style = "bold" if name == state["label"] else "dim"
            bars.add_row(Text(name, style), Text("█" * round(30 * share), colors[name]), Text(f"{share:4.0%}", style))
        for name, axis in zip("xyz", state["window"].T[:3], strict=True):
            means = np.array([part.mean() for part in np.array_split(axis, 48)])
            # Eight blocks for -25 to 25 m/s^2.
            places = np.clip((means + 25) / 50 * (len(_BLOCKS) - 1), 0, len(_BLOCKS) - 1).astype(int)
            line = "".join(_BLOCKS[place] for place in places)
            signals.add_row(Text(name, "cyan"), Text(line, "cyan"), Text(f"{axis[-1]:+6.1f} m/s^2", "dim"))
        head = Text.assemble(
            (state["label"] or "?", f"bold {colors.get(state['label'], '')}"), f"   simulated: {state['truth']}"
        )
        foot = Text(f"{state['time']:5.1f} s   {state['milliseconds']:.2f} ms for half a second of signal", "dim")
        screen = Group(head, Text(), bars, Text(), signals, foot)
        return Panel(screen, title="SIMULATED signal, exported file", width=76)

    def lines(self, state: Document) -> Mapping[float, str]:
        """A line for the prediction."""
        answer = f"{state['time']:5.1f} s  {state['label'] or '?':<11} {state['probability']:4.0%}"
        return {state["time"]: f"{answer}  (really {state['truth']}, {state['milliseconds']:.2f} ms)"}
