r"""Whether a branch without phase helps on studies that a network was trained without.

    python benchmarks/branches.py --scratch build/phone | tee benchmarks/branches.json
    python benchmarks/branches.py --page docs/research/activity.md  # writes its table into the page

In DAGHAR (Napoli et al., 2024) models of spectra keep more of their score on another study than models of the signal
itself. Here a network like that of `activity_gru_phone` has a branch beside its last state:

    u   = mean of x_t / its length                        the direction of gravity over the window
    v_t = x_t u,  h_t = sqrt(|x_t|^2 - v_t^2)             along it, and across
    s   = log(|DFT of v, h under a window of Hann|^2 + 1)  `BINS`, up to 10 Hz, of each
    logits = [state, relu(W s + b)] W_y + b_y

All networks have the recipe and the seed of `activity_gru_phone` and the same folds, each without one study. Scores are
those of windows.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pages
from keras import ops
from rich.console import Console

from zoo.models.network import ActivityNetwork
from zoo.presets import PRESETS
from zoo.report import markdown
from zoo.report.progress import FoldBoard
from zoo.runtime.metadata import STANDARD_GRAVITY
from zoo.training import Training

PRESET, UNITS, FRAME, BRANCH, WORKERS = "activity_gru_phone", 64, 5, 16, 2
SCALE = 5.0
"""Acceleration is divided by it, in place of statistics of the training, so that gravity can be told in the network."""
BINS = np.arange(1, 31)
NETWORKS = ("plain", "spectral")
RECIPE = PRESETS[PRESET].recipe.replace(validation=0.0, normalize=False)

# Like other recurrent networks.
ActivityNetwork.fast_with_xla = True


def plain(window: int, channels: int, classes: list[str]) -> keras.Model:
    """The network of the preset, of acceleration in units of `SCALE`."""
    return _network(window, channels, classes, None)


def spectral(window: int, channels: int, classes: list[str]) -> keras.Model:
    """The same with logarithms of power beside its last state."""
    angles = 2 * np.pi * np.outer(np.arange(window), BINS) / window
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * np.hanning(window)[:, None]

    def features(x: Any) -> Any:
        real, imaginary = ops.split(ops.matmul(x, waves.astype("float32")), 2, axis=-1)
        return ops.log(real**2 + imaginary**2 + 1) / 5

    return _network(window, channels, classes, features)


def _network(window: int, channels: int, classes: list[str], features: Any) -> keras.Model:
    inputs = keras.Input((window, channels))
    squared = ops.sum(inputs**2, axis=-1, keepdims=True)
    x = ops.concatenate([inputs / SCALE, ops.minimum(squared / STANDARD_GRAVITY**2, 6) - 1], axis=-1)
    x = keras.layers.Conv1D(UNITS, FRAME, strides=FRAME, activation="leaky_relu")(x)
    x = keras.layers.GRU(UNITS, reset_after=False, return_sequences=True)(x)
    x = keras.layers.GRU(UNITS, reset_after=False)(x)
    if features is not None:
        gravity = ops.mean(inputs, axis=1, keepdims=True)
        gravity = gravity / ops.sqrt(ops.sum(gravity**2, axis=-1, keepdims=True) + 1e-3)
        along = ops.sum(inputs * gravity, axis=-1, keepdims=True)
        across = ops.sqrt(ops.maximum(squared - along**2, 0) + 1e-3)
        parts = ops.transpose(ops.concatenate([along, across], axis=-1), (0, 2, 1))
        own = features(parts - ops.mean(parts, axis=-1, keepdims=True))
        own = keras.layers.Dense(BRANCH, activation="relu")(keras.layers.Flatten()(own))
        x = ops.concatenate([x, own], axis=-1)
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x))


def plan(name: str) -> Training:
    """How a network of this file is trained."""
    return Training.of(f"benchmarks/branches.py:{name}", {"window": 150}, RECIPE)


def measure(scratch: Path) -> dict[str, Any]:
    """Trains what has no score yet."""
    from zoo.crossval import Protocol, cross_validate

    plans = [plan(name) for name in NETWORKS]
    board = FoldBoard(Console(stderr=True), WORKERS)
    with board.shown():
        return cross_validate(
            plans, scratch / "windows.h5", scratch / "branches", Protocol("study"), workers=WORKERS,
            on_progress=board.update,
        )  # fmt: skip


def table(document: dict[str, Any]) -> str:
    """Macro-F1 of each network and study; of walking alone, the share of windows that is right."""
    lines = []
    studies = sorted(next(iter(document["methods"].values()))["per_study"])
    for name, row in document["methods"].items():
        cells = []
        for study in studies:
            found = row["per_study"][study]
            cells.append(f"{found['accuracy'] if found['macro_f1'] is None else found['macro_f1']:.3f}")
        lines.append([name, *cells, f"{row['macro_f1']:.3f}", f"{row['parameters']:,}"])
    return markdown.table(["network", *studies, "all", "parameters"], lines)


def main() -> None:
    """Trains all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"branches": table})
        return
    found = measure(options.scratch)
    methods = {name: {key: row[key] for key in row if key != "folds"} for name, row in found["methods"].items()}
    command = "python benchmarks/branches.py --scratch build/phone"
    print(json.dumps(found | {"command": command, "methods": methods}, indent=2))


if __name__ == "__main__":
    main()
