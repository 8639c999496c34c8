"""Style and writing of figures, and a figure that several tasks draw."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from zoo.files import atomic_write

Figures = dict[str, Figure]
History = Sequence[Mapping[str, float]]
"""Records of the epochs of a training run."""

BLUE, ORANGE, GREEN, PURPLE, GRAY = "#0072b2", "#c04f00", "#00795a", "#aa4499", "#6b6b6b"
"""Colors that color-blind people can tell apart (after Okabe and Ito), and one for what is compared with."""

# Names such as `C0` would be resolved when a figure is written, without the style.
COLORS = (BLUE, ORANGE, GREEN, PURPLE, GRAY)

WIDTH = 4.8  # inches: on a phone, letters are as large as a page's small print

STYLE: dict[Any, Any] = {
    "figure.dpi": 160, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.alpha": 0.25, "axes.titlesize": 10.5, "axes.titlelocation": "left", "axes.axisbelow": True,
    "legend.frameon": False, "axes.prop_cycle": cycler(color=COLORS), "text.parse_math": False,
}  # fmt: skip
"""The style of all figures: lines are named at their ends, axes have units, and what is compared shares a scale."""

_GAP = 0.085  # least distance between the names of two lines, as a share of the height of the axes


@contextlib.contextmanager
def subplots(
    width: float, height: float, rows: int = 1, columns: int = 1, *, grid: bool = True, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Creates a figure of a size in inches, in the common style, with its axes."""
    with mpl.rc_context(STYLE | {"axes.grid": grid}):
        # Without pyplot, whose figures depend on the backend that a notebook has chosen.
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, **options)


def title(figure: Figure, report: Mapping[str, Any] | None, shown: str, who: str = "", **options: Any) -> None:
    """Heads a figure so that it stands alone: what is shown of which model, and below it on which data, and of whom."""
    report = report or {}
    name, data = report.get("model") or report.get("preset") or "", Path(str(report.get("data", ""))).name
    where = ": ".join(filter(None, [", ".join(filter(None, [data, report.get("split")])), who]))
    lines = ": ".join(filter(None, [name, shown])), f"{'SIMULATED, ' if report.get('simulated') else ''}{where}"
    figure.suptitle("\n".join(lines).strip(), x=0.01, ha="left", fontsize=10.5, **options)


def training(history: History, report: Mapping[str, Any] | None = None) -> Figure:
    """Draws loss and accuracy of training and, if there is one, validation against the epoch."""
    with subplots(WIDTH, 4.8, rows=2, sharex=True) as (figure, axes):
        title(figure, {**(report or {}), "split": "training"}, f"{history[-1]['epoch']:,.0f} epochs")
        for axis, key in zip(axes, ("loss", "accuracy"), strict=True):
            curves(axis, history, {key: "training", f"val_{key}": "validation"})
            axis.set_title(key)
            name_lines(axis)
        axes[0].set_xlabel("")
        axes[1].yaxis.set_major_formatter(PercentFormatter(1))
    return figure


def name_lines(axis: Axes) -> None:
    """Writes the name of each line next to its end, in its color, instead of a legend."""
    lines = [line for line in axis.lines if not str(line.get_label()).startswith("_")]
    axis.autoscale_view()
    axis.set(xlim=axis.get_xlim(), ylim=axis.get_ylim())
    ends = [(np.asarray(line.get_xdata())[-1], np.asarray(line.get_ydata())[-1]) for line in lines]
    to_axes = axis.transData + axis.transAxes.inverted()
    places = to_axes.transform(np.array(ends, float).reshape(-1, 2))
    heights = np.array(apart([y for _, y in places]))
    rank = heights.argsort().argsort()
    # Names stay next to the axes, in their order.
    heights = heights.clip(0.02 + _GAP * rank, 0.98 - _GAP * (len(rank) - 1 - rank))
    for line, (x, _), y in zip(lines, places, heights, strict=True):
        axis.annotate(
            str(line.get_label()), (x, y), (6, 0), xycoords="axes fraction", textcoords="offset points",
            color=line.get_color(), va="center", annotation_clip=False,
        )  # fmt: skip


def apart(heights: Sequence[float], gap: float = _GAP) -> list[float]:
    """Moves heights apart by at least `gap`, as little as it takes in least squares, in their order.

    Example:
        >>> apart([0.5, 0.5, 0.9], 0.1)
        [0.45, 0.55, 0.9]
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(order))
    moved = np.empty(len(order))
    # Without the steps between them, what is at least a gap apart merely rises.
    if len(order):
        moved[order] = isotonic_regression(np.asarray(heights, float)[order] - steps).x + steps
    return [round(float(height), 6) for height in moved]


def curves(axis: Axes, history: History, labels: Mapping[str, str], **style: Any) -> None:
    """Draws numbers of a history, those that it has, against the epoch."""
    epochs = [row["epoch"] for row in history]
    # So few epochs that a line alone would show little or nothing are points.
    marker = "o" if len(history) < 5 else None
    for key, label, line in zip(labels, labels.values(), ("-", "--", ":"), strict=False):
        if key in history[0]:
            axis.plot(
                epochs, [row[key] for row in history], **{"linestyle": line, "label": label, "marker": marker} | style
            )
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def save(figure: Figure, path: Path) -> None:
    """Writes a figure atomically, in the format that the name of the file ends in: png, svg or pdf."""
    # Without the version of the software and the date, the same numbers yield the same bytes.
    unsaid = {".png": "Software", ".svg": "Date", ".pdf": "CreationDate"}[path.suffix]
    with atomic_write(path) as temporary, mpl.rc_context({"svg.hashsalt": "zoo"}):
        figure.savefig(temporary, bbox_inches="tight", metadata={unsaid: None})


def save_all(figures: Mapping[str, Figure], folder: Path, figure_format: str = "png") -> list[Path]:
    """Writes figures by their names, in the format png, svg or pdf, and returns the paths of the files."""
    paths = [folder / f"{name}.{figure_format}" for name in figures]
    for path, figure in zip(paths, figures.values(), strict=True):
        save(figure, path)
    return paths
