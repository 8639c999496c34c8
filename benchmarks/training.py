"""Training time of the course's three networks, compared with the defaults of Keras, PyTorch and NumPy.

    python benchmarks/training.py --data data3.h5

Reports microseconds per window of (150, 3), batch 32: medians of three epochs of 2,688 windows after a first one that
includes compilation. PyTorch is included if it is installed. In NumPy, only the GRU is implemented, with forward and
backward pass written by hand, in float32.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from types import SimpleNamespace

import keras
import numpy as np
from clock import Clock

from zoo.activity import data as activity
from zoo.activity.task import TASK
from zoo.data.dataset import DataSet
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.runtime.metadata import CLASSES
from zoo.task import Split
from zoo.training import Training, fit

# A multiple of the batch, so that all take as many steps.
BATCH, ROWS, EPOCHS = 32, 2688, 4


def with_zoo(name: str, windows: DataSet) -> float:
    """The preset's own way."""
    plan = Training.of(name, {"epochs": EPOCHS, "patience": None, "validation": 0.0})
    clock = Clock()
    split = Split(SimpleNamespace(classes=CLASSES, rate=50.0), windows)
    model = TASK.build(plan, split)
    fit(model, plan.recipe, TASK.feed(model, split, plan.recipe), callbacks=[clock])
    return median(clock.seconds[1:])


def with_keras_defaults(name: str, inputs: np.ndarray, labels: np.ndarray) -> float:
    """The same cell from Keras, `fit` on arrays."""
    cell = {
        "activity_rnn": keras.layers.SimpleRNN,
        "activity_lstm": keras.layers.LSTM,
        "activity_gru": keras.layers.GRU,
    }
    preset = PRESETS[name]
    model = keras.Sequential(
        [keras.Input((150, 3)), cell[preset.family](preset.arguments["units"]), keras.layers.Dense(6)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.SGD(preset.recipe.learning_rate, momentum=preset.recipe.momentum), loss, metrics=["accuracy"]
    )
    clock = Clock()
    model.fit(inputs, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[clock])
    return median(clock.seconds[1:])


def with_torch(name: str, inputs: np.ndarray, labels: np.ndarray) -> float | None:
    """The same cell from PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    preset = PRESETS[name]
    cell = {"activity_rnn": torch.nn.RNN, "activity_lstm": torch.nn.LSTM, "activity_gru": torch.nn.GRU}[preset.family]
    recurrent = cell(3, preset.arguments["units"], batch_first=True)
    head = torch.nn.Linear(preset.arguments["units"], 6)
    parameters = [*recurrent.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, preset.recipe.learning_rate, momentum=preset.recipe.momentum)
    x, y = torch.tensor(inputs), torch.tensor(labels)

    def epoch() -> None:
        order = torch.randperm(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(recurrent(x[rows])[0][:, -1]), y[rows])
            loss.backward()
            optimizer.step()

    return timed(epoch)


def with_numpy(inputs: np.ndarray, labels: np.ndarray) -> float:
    """The course's GRU by hand."""
    units, random = 32, np.random.default_rng(0)
    W, U = (random.uniform(-0.3, 0.3, (n, 3 * units)).astype(np.float32) for n in (3, units))
    b, W_y, b_y = np.zeros(3 * units, np.float32), random.uniform(-0.3, 0.3, (units, 6)).astype(np.float32), np.zeros(6)
    velocity = [np.zeros_like(p) for p in (W, U, b, W_y, b_y)]

    def step(x: np.ndarray, y: np.ndarray) -> None:
        H = units
        h, steps = np.zeros((len(x), H), np.float32), []
        for t in range(x.shape[1]):
            a = x[:, t] @ W + b
            gates = 1 / (1 + np.exp(-(a[:, : 2 * H] + h @ U[:, : 2 * H])))
            z, r = gates[:, :H], gates[:, H:]
            candidate = np.tanh(a[:, 2 * H :] + (r * h) @ U[:, 2 * H :])
            steps.append((h, z, r, candidate))
            h = z * h + (1 - z) * candidate
        logits = h @ W_y + b_y
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(y)), y] -= 1
        d_logits = (p / len(y)).astype(np.float32)
        gradients = [np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), h.T @ d_logits, d_logits.sum(axis=0)]
        dh = d_logits @ W_y.T
        for t in reversed(range(x.shape[1])):
            before, z, r, candidate = steps[t]
            dc = dh * (1 - z) * (1 - candidate**2)
            d_reset = dc @ U[:, 2 * H :].T
            d_a = np.concatenate([dh * (before - candidate) * z * (1 - z), d_reset * before * r * (1 - r), dc], axis=1)
            gradients[0] += x[:, t].T @ d_a
            gradients[1][:, : 2 * H] += before.T @ d_a[:, : 2 * H]
            gradients[1][:, 2 * H :] += (r * before).T @ dc
            gradients[2] += d_a.sum(axis=0)
            dh = dh * z + d_reset * r + d_a[:, : 2 * H] @ U[:, : 2 * H].T
        for parameter, v, g in zip((W, U, b, W_y, b_y), velocity, gradients, strict=True):
            v *= 0.85
            v -= 0.16 * g
            parameter += v.astype(parameter.dtype)

    def epoch() -> None:
        order = random.permutation(len(inputs))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            step(inputs[rows], labels[rows])

    return timed(epoch)


def timed(epoch: Callable[[], None]) -> float:
    """Median seconds of an epoch, the first one left out."""
    seconds = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - start)
    return median(seconds[1:])


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    options = parser.parse_args()
    train = activity.from_file(options.data).train
    inputs, labels = train.inputs[0:ROWS], train.labels[:ROWS]
    windows = DataSet.of({"input": inputs, "target": labels})
    result: dict[str, object] = {}
    for name in ("activity_rnn_course", "activity_lstm_course", "activity_gru_course"):
        seconds = {
            "zoo": with_zoo(name, windows),
            "keras_defaults": with_keras_defaults(name, inputs, labels),
            "pytorch": with_torch(name, inputs, labels),
            "numpy": with_numpy(inputs, labels) if name == "activity_gru_course" else None,
        }
        result[name] = {
            "microseconds_a_window": {key: value and round(1e6 * value / ROWS, 1) for key, value in seconds.items()},
            "times_as_long_as_zoo": {key: value and round(value / seconds["zoo"], 1) for key, value in seconds.items()},
        }
    print(json.dumps(result | {"windows": ROWS, "versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
