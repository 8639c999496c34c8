"""Figures of autoencoders: patches, cost, reconstructions, filters."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zoo.report import markdown
from zoo.report.drawing import BLUE, COLORS, GRAY, WIDTH, Figures, History, curves, name_lines, subplots, title

Floats = NDArray[np.floating[Any]]

_TITLE = "#7a7a7a"
"""Color of the titles of pictures, which can be read on white and on black."""


def evaluation(report: Mapping[str, Any], history: History, pictures: Mapping[str, Any]) -> Figures:
    """Draws all figures of an evaluation, with `pictures` those of the task if there are any."""
    drawn = {"sparsity": sparsity(report)}
    if pictures:
        drawn |= {
            "patches": patches(pictures["rgb"], pictures["patches"], report),
            "reconstruction": reconstructions(pictures["patches"], pictures["reconstructions"], report),
            "features": features(pictures["kernel"], report),
        }
    if history:
        drawn["cost"] = cost(history, report)
    return drawn


def tiled(pictures: Floats, columns: int, gap: int = 1) -> Floats:
    """Tiles pictures `(N, S, S)` or `(N, S, S, 3)` on one canvas, with transparent gaps."""
    count, side = pictures.shape[:2]
    rows = -(-count // columns)
    if pictures.ndim == 4:
        pictures = np.concatenate([pictures, np.ones_like(pictures[..., :1])], axis=3)
    # NaN is drawn as nothing, and so is an opacity of 0.
    empty = np.nan if pictures.ndim == 3 else 0.0
    canvas = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap, *pictures.shape[3:]), empty)
    for place, picture in enumerate(pictures):
        top, left = place // columns * (side + gap), place % columns * (side + gap)
        canvas[top : top + side, left : left + side] = picture
    return canvas


def grid(units: int) -> int:
    """The number of columns for a tiled picture of all units: 5 for 10, 8 for 64, 10 for 100, 4 for 7."""
    root = int(np.ceil(units**0.5))
    return max(root, 5) if units == 10 else next((n for n in range(root, root + 3) if units % n == 0), root + 1)


@contextlib.contextmanager
def _pictures(width: float, height: float, **options: Any) -> Iterator[tuple[Figure, Any]]:
    """Creates a figure of pictures, without a background: a dark page cannot invert their lightness."""
    with subplots(width, height, grid=False, **options) as (figure, axes):
        figure.set_facecolor("none")
        yield figure, axes


def _show(axis: Axes, canvas: Floats, title: str, **options: Any) -> None:
    axis.imshow(canvas, interpolation="nearest", **options)
    axis.set_title(title, color=_TITLE)
    axis.set_axis_off()


def _show_gray(axis: Axes, vectors: Floats, columns: int, title: str, low: float = 0.1, high: float = 0.9) -> None:
    """Draws vectors of pixels, which are column by column, as upright pictures."""
    side = round(vectors.shape[1] ** 0.5)
    canvas = tiled(vectors.reshape(-1, side, side).transpose(0, 2, 1), columns)
    _show(axis, canvas, title, cmap="gray", vmin=low, vmax=high)


def patches(rgb: Floats, vectors: Floats, report: Mapping[str, Any] | None = None) -> Figure:
    """Draws patches `(N, 3, S, S)` in color, and below them preprocessed, `(N, S * S)` in [0.1, 0.9]."""
    columns = min(20, len(rgb))
    with _pictures(WIDTH, 5.8, rows=2) as (figure, axes):
        title(figure, report, "what it reads", _photographs(report), color=_TITLE)
        _show(axes[0], tiled(np.clip(rgb, 0, 1).transpose(0, 3, 2, 1), columns), f"{len(rgb)} random patches")
        _show_gray(axes[1], vectors, columns, "preprocessed: gray, scaled to [0.1, 0.9]")
    return figure


def _photographs(report: Mapping[str, Any] | None) -> str:
    return markdown.count(len(report["photographs"]), "photograph") if report and report["photographs"] else ""


def reconstructions(vectors: Floats, decoded: Floats, report: Mapping[str, Any], count: int = 12) -> Figure:
    """Draws preprocessed patches and their reconstructions, both `(N, S * S)`, with the R² of an evaluation."""
    with _pictures(WIDTH, 2.0, rows=2) as (figure, axes):
        title(figure, report, f"R² {report['r2']:.3f}", _photographs(report), color=_TITLE)
        _show_gray(axes[0], vectors[:count], count, "patches, gray")
        _show_gray(axes[1], decoded[:count], count, "reconstructions")
    return figure


def features(kernel: Floats, report: Mapping[str, Any] | None = None) -> Figure:
    """Draws the filters of the first layer, `kernel (S * S, H)`, each scaled to its own range, with zero as gray."""
    columns = grid(kernel.shape[1])
    rows = -(-kernel.shape[1] // columns)
    gabor = f", {report['gabor_share']:.0%} Gabor functions" if report else ""
    with _pictures(0.55 * columns + 0.4, 0.55 * rows + 0.9) as (figure, axis):
        title(figure, {"model": report and report["model"]}, f"{kernel.shape[1]} filters{gabor}", color=_TITLE)
        _filters(axis, kernel, "")
    return figure


def _filters(axis: Axes, kernel: Floats, title: str) -> None:
    scaled = kernel.T / np.maximum(np.abs(kernel).max(axis=0)[:, None], 1e-12)
    _show_gray(axis, scaled, grid(kernel.shape[1]), title, low=-1, high=1)


def comparison(kernels: Mapping[tuple[int, float], Floats]) -> Figure:
    """Draws filters, kernels `(S * S, H)`, for several numbers of units (rows) and weight decays (columns)."""
    units, decays = (sorted({key[place] for key in kernels}) for place in (0, 1))
    # Rows as high as their grids are for a column's width.
    heights = [-(-int(number) // grid(int(number))) / grid(int(number)) for number in units]
    size = 2.6 * len(decays), sum(2.6 * height + 0.3 for height in heights)
    options: dict[str, Any] = {"squeeze": False, "height_ratios": heights}
    with _pictures(*size, rows=len(units), columns=len(decays), **options) as (figure, axes):
        for row, number in zip(axes, units, strict=True):
            for axis, decay in zip(row, decays, strict=True):
                _filters(axis, kernels[int(number), decay], f"{number} units, decay {decay:g}")
    return figure


def cost(history: History, report: Mapping[str, Any] | None = None) -> Figure:
    """Draws the cost and its terms on training patches, `error`, `weights` and `sparsity`, against the epoch."""
    names = {"error": "squared error", "weights": "weight decay", "sparsity": "sparsity"}
    parts = {key: name for key, name in names.items() if history[-1][key] > 0}
    with subplots(WIDTH, 3.4) as (figure, axis):
        # A term that starts near zero must not stretch the axis over many decades.
        axis.set_yscale("log")
        sums = [{**row, "cost": sum(row[key] for key in parts)} for row in history]
        curves(axis, sums, {"cost": "cost J"}, color="black", linewidth=2)
        # A term has its color whether the others are drawn or not.
        for (key, name), color in zip(names.items(), COLORS, strict=False):
            if key in parts:
                curves(axis, history, {key: name}, linewidth=1.2, color=color)
        curves(axis, history, {"val_loss": "J, validation"}, color=GRAY, linestyle=":")
        axis.set_ylim(bottom=min(history[-1][key] for key in parts) / 10)
        title(figure, {**(report or {}), "split": "training"}, "cost J and its terms, per patch")
        name_lines(axis)
    return figure


def sparsity(report: Mapping[str, Any]) -> Figure:
    """Draws the mean activation of each unit, and the target."""
    means, target = sorted(report["mean_activation"]), report["sparsity_target"]
    with subplots(WIDTH, 3.2) as (figure, axis):
        title(figure, report, "activation of its units", _photographs(report))
        axis.bar(range(1, len(means) + 1), means, color=BLUE, width=0.8)
        axis.axhline(target, color="black", linewidth=1, linestyle="--")
        axis.annotate(f"target {target:g}", (1, target), (4, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center")  # fmt: skip
        axis.set(xlabel="hidden unit, sorted", ylabel="mean activation", xlim=(0, len(means) + 1))
        axis.set_ylim(top=max(*means, target) * 1.2)
    return figure
