"""Progress of what takes long: a bar on a terminal, some lines elsewhere."""

import contextlib
from collections.abc import Iterator

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class ProgressBar(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Shows loss, accuracy and time left: a bar on a terminal, a line an epoch elsewhere.

    Args:
        console: Where to.
        epochs: How many at most.
    """

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__()
        self.console, self.epochs = console, epochs
        self.bar = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(), console=console, transient=True,
        )  # fmt: skip

    @contextlib.contextmanager
    def shown(self) -> Iterator["ProgressBar"]:
        """Shows the bar while the block runs."""
        if not self.console.is_terminal:
            yield self
            return
        with self.bar:
            self.task = self.bar.add_task("training", total=self.epochs, numbers="compiling")
            yield self

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: D102
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        if self.console.is_terminal:
            self.bar.update(self.task, completed=epoch + 1, numbers=numbers)
        else:
            self.console.print(f"epoch {epoch + 1}/{self.epochs}  {numbers}", highlight=False, soft_wrap=True)


class RowCount:
    """Shows how many rows of each split are written: in place on a terminal, a line a split elsewhere.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("writing {task.description}"), SpinnerColumn(), TextColumn("{task.completed:,} rows"),
            console=console, transient=True,
        )  # fmt: skip
        self.tasks: dict[str, TaskID] = {}

    @contextlib.contextmanager
    def shown(self) -> Iterator["RowCount"]:
        """Shows the count while the block runs."""
        with self.bar if self.console.is_terminal else contextlib.nullcontext():
            yield self

    def rows(self, split: str, count: int) -> None:
        """Tells that a row of a split is written."""
        if split not in self.tasks:
            self.tasks[split] = self.bar.add_task(split, total=None)
            if not self.console.is_terminal:
                self.console.print(f"writing {split}", highlight=False)
        if count % 100 == 0:
            self.bar.update(self.tasks[split], completed=count)
