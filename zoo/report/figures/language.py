"""Figures of language models: training, and the words in two dimensions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray

from zoo.report.figures.drawing import STYLE, save_all
from zoo.report.figures.recognition import training


def evaluation(
    report: Mapping[str, Any], history: Sequence[Mapping[str, float]], pictures: Mapping[str, Any], folder: Path
) -> list[Path]:
    """Draws all figures of an evaluation.

    Args:
        report: What `tasks.trigram.evaluate` gives.
        history: Epochs of the training; may be empty.
        pictures: What `tasks.trigram.pictures` gives.
        folder: Where to.

    Returns:
        The files.
    """
    drawn = {}
    if history:
        drawn["training.png"] = training(history)
    if pictures:
        drawn["embedding.png"] = words(pictures["words"], pictures["places"])
    return save_all(drawn, folder)


def words(names: Sequence[str], places: NDArray[np.floating[Any]]) -> Figure:
    """Words at their places in the plane.

    Args:
        names: V words.
        places: `(V, 2)`.
    """
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, axis = plt.subplots(figsize=(9, 9), layout="constrained")
        axis.set_xlim(places[:, 0].min() - 1, places[:, 0].max() + 1)
        axis.set_ylim(places[:, 1].min() - 1, places[:, 1].max() + 1)
        for name, (x, y) in zip(names, places, strict=True):
            axis.text(x, y, name, fontsize=8, ha="center", va="center")
        axis.set_axis_off()
        axis.set_title("words by their embedding (t-SNE of cosines)")
    return figure
