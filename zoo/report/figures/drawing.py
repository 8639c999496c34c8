"""How figures look, how they are written, and the one that several tasks draw."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.files import atomic_write

History = Sequence[Mapping[str, float]]
"""The numbers of each epoch."""

STYLE: dict[Any, Any] = {
    "figure.dpi": 120, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.alpha": 0.25, "axes.titlesize": 10, "legend.frameon": False,
}  # fmt: skip


@contextlib.contextmanager
def subplots(
    width: float, height: float, rows: int = 1, columns: int = 1, *, grid: bool = True, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """A figure in the style of all, of so many inches, with its axes."""
    with plt.rc_context(STYLE | {"axes.grid": grid}):
        yield plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


def training(history: History) -> Figure:
    """Loss and accuracy of the training and, where there is one, of the validation against the epoch."""
    epochs = [row["epoch"] for row in history]
    with subplots(7, 2.8, columns=2) as (figure, axes):
        for axis, key in zip(axes, ("loss", "accuracy"), strict=True):
            for name, label in ((key, "training"), (f"val_{key}", "validation")):
                if name in history[0]:
                    axis.plot(epochs, [row[name] for row in history], marker=marker(history), label=label)
            axis.set_title(key)
            whole_epochs(axis)
            axis.legend()
    return figure


def whole_epochs(axis: Axes) -> None:
    """Labels an axis of epochs with whole numbers."""
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def marker(history: History) -> str | None:
    """Points for a few epochs, of which a line alone would show little or, of one, nothing."""
    return "o" if len(history) < 5 else None


def simulated(report: Mapping[str, Any]) -> str:
    """What a title begins with where data are simulated."""
    return "SIMULATED, " if report.get("simulated") else ""


def save(figure: Figure, path: Path) -> None:
    """Writes a figure whole and closes it."""
    with atomic_write(path) as temporary:
        # Without the software's version, the same numbers give the same bytes.
        figure.savefig(temporary, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def save_all(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Writes figures by the names of their files."""
    for name, figure in figures.items():
        save(figure, folder / name)
    return [folder / name for name in figures]
