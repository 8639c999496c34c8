"""Progress of a training: a bar on a terminal, a line an epoch elsewhere."""

import contextlib
from collections.abc import Iterator

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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
