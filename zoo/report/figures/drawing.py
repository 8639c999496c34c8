"""Style and writing of figures, and a figure that several tasks draw."""

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
"""Records of the epochs of a training run."""

STYLE: dict[Any, Any] = {
    "figure.dpi": 120, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.alpha": 0.25, "axes.titlesize": 10, "legend.frameon": False,
}  # fmt: skip


@contextlib.contextmanager
def subplots(
    width: float, height: float, rows: int = 1, columns: int = 1, *, grid: bool = True, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Creates a figure of a size in inches, in the common style, with its axes."""
    with plt.rc_context(STYLE | {"axes.grid": grid}):
        yield plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


def training(history: History) -> Figure:
    """Draws loss and accuracy of training and, if there is one, validation against the epoch."""
    with subplots(7, 2.8, columns=2) as (figure, axes):
        for axis, key in zip(axes, ("loss", "accuracy"), strict=True):
            curves(axis, history, {key: "training", f"val_{key}": "validation"})
            axis.set_title(key)
            axis.legend()
    return figure


def curves(axis: Axes, history: History, labels: Mapping[str, str], **style: Any) -> None:
    """Draws numbers of a history, those that it has, against the epoch."""
    epochs = [row["epoch"] for row in history]
    # So few epochs that a line alone would show little or nothing are points.
    marker = "o" if len(history) < 5 else None
    for key, label in labels.items():
        if key in history[0]:
            axis.plot(epochs, [row[key] for row in history], label=label, marker=marker, **style)
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def simulated(report: Mapping[str, Any]) -> str:
    """Returns the prefix of titles for simulated data."""
    return "SIMULATED, " if report.get("simulated") else ""


def save(figure: Figure, path: Path) -> None:
    """Writes a figure atomically and closes it."""
    with atomic_write(path) as temporary:
        # Without the version of the software, the same numbers yield the same bytes.
        figure.savefig(temporary, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def save_all(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Writes figures, which are given by the names of their files."""
    for name, figure in figures.items():
        save(figure, folder / name)
    return [folder / name for name in figures]
