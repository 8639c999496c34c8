"""How figures look and how they are written: whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoo.files import atomic_write

STYLE: dict[Any, Any] = {
    "figure.dpi": 120, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.alpha": 0.25, "axes.titlesize": 10, "legend.frameon": False,
}  # fmt: skip


def whole_epochs(axis: Axes) -> None:
    """Labels an axis of epochs, with whole numbers alone."""
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def marker(history: Sequence[Any]) -> str | None:
    """Points for a few epochs, of which a line alone would show little or, of one, nothing."""
    return "o" if len(history) < 5 else None


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
