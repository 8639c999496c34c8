"""Figures of autoencoders: patches, cost, reconstructions, filters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zoo.report.figures.drawing import STYLE, marker, save_all, whole_epochs

Floats = NDArray[np.floating[Any]]
_BARE = STYLE | {"axes.grid": False}


def evaluation(
    report: Mapping[str, Any], history: Sequence[Mapping[str, float]], pictures: Mapping[str, Any], folder: Path
) -> list[Path]:
    """Draws all figures of an evaluation.

    Args:
        report: What `tasks.autoencoder.evaluate` gives.
        history: Epochs of the training; may be empty.
        pictures: What `tasks.autoencoder.pictures` gives.
        folder: Where to.

    Returns:
        The files.
    """
    drawn = {
        "patches.png": patches(pictures["rgb"], pictures["patches"]),
        "reconstruction.png": reconstructions(pictures["patches"], pictures["reconstructions"], report),
        "features.png": features(pictures["kernel"], report),
        "sparsity.png": sparsity(report),
    }
    if history:
        drawn["cost.png"] = cost(history)
    return save_all(drawn, folder)


def tiled(pictures: Floats, columns: int, gap: int = 1) -> Floats:
    """Pictures side by side in rows, on one canvas.

    Args:
        pictures: `(N, S, S)` or `(N, S, S, 3)`.
        columns: Pictures a row.
        gap: White pixels between them.

    Example:
        >>> tiled(np.zeros((3, 4, 4)), columns=2).shape
        (9, 9)
    """
    count, side = pictures.shape[:2]
    rows = -(-count // columns)
    canvas = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap, *pictures.shape[3:]), np.nan)
    if pictures.ndim == 4:
        canvas[:] = 1.0
    for place, picture in enumerate(pictures):
        top, left = place // columns * (side + gap), place % columns * (side + gap)
        canvas[top : top + side, left : left + side] = picture
    return canvas


def _upright(vectors: Floats) -> Floats:
    """Vectors of pixels, column by column, as upright pictures."""
    side = round(vectors.shape[1] ** 0.5)
    return vectors.reshape(-1, side, side).transpose(0, 2, 1)


def _show(axis: Axes, canvas: Floats, title: str, **options: Any) -> None:
    axis.imshow(canvas, interpolation="nearest", **{"cmap": "gray"} | options)
    axis.set_title(title)
    axis.set_axis_off()


def patches(rgb: Floats, vectors: Floats) -> Figure:
    """Patches in color above what the model reads of them.

    Args:
        rgb: `(N, 3, S, S)`.
        vectors: `(N, S * S)` in [0.1, 0.9].
    """
    with plt.rc_context(_BARE):
        figure, axes = plt.subplots(2, 1, figsize=(7, 6.2), layout="constrained")
        columns = min(20, len(rgb))
        _show(axes[0], tiled(np.clip(rgb, 0, 1).transpose(0, 3, 2, 1), columns), f"{len(rgb)} random patches")
        _show(axes[1], tiled(_upright(vectors), columns), "as the model reads them: grey, in [0.1, 0.9]",
              vmin=0.1, vmax=0.9)  # fmt: skip
    return figure


def reconstructions(vectors: Floats, found: Floats, report: Mapping[str, Any], count: int = 12) -> Figure:
    """Patches above their reconstructions.

    Args:
        vectors: `(N, S * S)`.
        found: `(N, S * S)`.
        report: For the title.
        count: How many to show.
    """
    with plt.rc_context(_BARE):
        figure, axes = plt.subplots(2, 1, figsize=(7, 1.8), layout="constrained")
        for axis, rows, title in zip(axes, (vectors, found), ("patches", "reconstructions"), strict=True):
            _show(axis, tiled(_upright(rows[:count]), count), title, vmin=0.1, vmax=0.9)
        figure.suptitle(_headline(report), fontsize=9)
    return figure


def _headline(report: Mapping[str, Any]) -> str:
    kind = "SIMULATED, " if report["simulated"] else ""
    return f"{kind}{report['split']}: mean squared error a pixel {report['mse']:.5f}, R^2 {report['r2']:.3f}"


def grid(units: int) -> int:
    """Columns of a tiled picture of all units: 5 of 10, 8 of 64, 10 of 100.

    Example:
        >>> [grid(n) for n in (10, 64, 100, 7)]
        [5, 8, 10, 4]
    """
    root = int(np.ceil(units**0.5))
    return max(root, 5) if units == 10 else next((n for n in range(root, root + 3) if units % n == 0), root + 1)


def features(kernel: Floats, report: Mapping[str, Any] | None = None) -> Figure:
    """The filters of the first layer as pictures, each in its own range about grey zero.

    Args:
        kernel: `(S * S, H)`.
        report: For the title, where there is one.
    """
    with plt.rc_context(_BARE):
        columns = grid(kernel.shape[1])
        rows = -(-kernel.shape[1] // columns)
        figure, axis = plt.subplots(figsize=(0.55 * columns + 0.4, 0.55 * rows + 0.6), layout="constrained")
        title = f"{kernel.shape[1]} filters"
        if report:
            title += f", {report['gabor_share']:.0%} of them Gabor functions"
        _show(axis, _filters(kernel, columns), title, vmin=-1, vmax=1)
    return figure


def _filters(kernel: Floats, columns: int) -> Floats:
    scaled = kernel.T / np.maximum(np.abs(kernel).max(axis=0)[:, None], 1e-12)
    return tiled(_upright(scaled), columns)


def cost(history: Sequence[Mapping[str, float]]) -> Figure:
    """The cost against the epoch, its three terms apart.

    Args:
        history: With the parts `error`, `weights` and `sparsity`, of the training patches at the end of each epoch.
    """
    epochs = [row["epoch"] for row in history]
    parts = (("error", "squared error", "C0"), ("weights", "weight decay", "C1"), ("sparsity", "sparsity", "C2"))
    total = [sum(row[key] for key, *_ in parts) for row in history]
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.6, 3.6), layout="constrained")
        axis.plot(epochs, total, color="black", linewidth=2, label="J")
        for key, label, color in parts:
            values = [row[key] for row in history]
            axis.plot(epochs, values, color=color, linewidth=1.2, label=label, marker=marker(history))
        if "val_loss" in history[0]:
            axis.plot(epochs, [row["val_loss"] for row in history], color="black", linestyle=":", label="J, held out")
        axis.set_yscale("log")
        # A term that began at almost nothing does not stretch the picture over many decades.
        ends = [history[-1][key] for key, *_ in parts if history[-1][key] > 0]
        axis.set_ylim(bottom=min(ends) / 10)
        axis.set(ylabel="cost", title="cost and its terms")
        whole_epochs(axis)
        figure.legend(loc="outside right center")
    return figure


def sparsity(report: Mapping[str, Any]) -> Figure:
    """Mean activation of each unit, and what was asked."""
    means = sorted(report["mean_activation"])
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(5.6, 2.8), layout="constrained")
        axis.bar(range(1, len(means) + 1), means, color="C0", width=0.8)
        axis.axhline(report["sparsity_target"], color="black", linewidth=1, linestyle="--", label="wanted")
        axis.set(xlabel="hidden units, sorted", ylabel="mean activation", title="sparsity")
        axis.set_xlim(0, len(means) + 1)
        axis.legend(loc="upper left")
    return figure


def comparison(kernels: Mapping[tuple[int, float], Floats]) -> Figure:
    """Filters for several numbers of units (rows) and weight decays (columns).

    Args:
        kernels: `(S * S, H)` by hidden units and weight decay.
    """
    units = sorted({key[0] for key in kernels})
    decays = sorted({key[1] for key in kernels})
    with plt.rc_context(_BARE):
        # Rows as high as their grids are for a column's width.
        heights = [-(-number // grid(number)) / grid(number) for number in units]
        figure, axes = plt.subplots(
            len(units), len(decays), figsize=(2.6 * len(decays), sum(2.6 * height + 0.3 for height in heights)),
            squeeze=False, layout="constrained", height_ratios=heights,
        )  # fmt: skip
        for i, number in enumerate(units):
            for j, decay in enumerate(decays):
                _show(axes[i, j], _filters(kernels[number, decay], grid(number)), f"{number} units, decay {decay:g}",
                      vmin=-1, vmax=1)  # fmt: skip
    return figure


def frontier(points: Sequence[Mapping[str, float]], chosen: float) -> Figure:
    """Error against sparsity: what each weight of the sparsity term gives.

    Args:
        points: With `sparsity_weight`, `mse`, `max_activation_error` and `train_max_activation_error`.
        chosen: The weight that was taken.
    """
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
        ordered = sorted(points, key=lambda point: point["sparsity_weight"])
        y = [point["mse"] for point in ordered]
        shown = {
            "train_max_activation_error": "photographs learned from",
            "max_activation_error": "photographs held out",
        }
        for place, (key, label) in enumerate(shown.items()):
            x = [point[key] for point in ordered]
            axis.plot(x, y, color=f"C{place}", marker="o", markersize=4, label=label)
            for point, left, top in zip(ordered, x, y, strict=True):
                if point["sparsity_weight"] == chosen:
                    axis.plot([left], [top], color="C3", marker="o", markersize=8, linestyle="none",
                              label=None if place else "chosen")  # fmt: skip
                if key == "max_activation_error":
                    axis.annotate(f"{point['sparsity_weight']:g}", (left, top), textcoords="offset points",
                                  xytext=(6, 5), fontsize=8)  # fmt: skip
        axis.axvline(0.01, color="gray", linestyle="--", linewidth=1)
        axis.set_xlim(0)
        axis.set(xlabel="largest distance of a unit's mean activation from 0.04", ylabel="held-out error a pixel",
                 title="error against sparsity; numbers are weights of the term")  # fmt: skip
        axis.legend()
    return figure
