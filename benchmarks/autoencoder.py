"""Training time of the course's autoencoder, compared with the same arithmetic in NumPy.

    python benchmarks/autoencoder.py --data data1.h5

Measures the seconds of 200 epochs of the preset's recipe (SGD with momentum, batch 32), as `zoo train` runs it, with
compilation and validation. NumPy runs in float32 on one core, since a second thread is slower where it has to wait for
a core. Its forward and backward pass are written by hand, without validation, for 20 epochs, multiplied by ten. Both
reach about the same cost.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from zoo.patches import data as patches
from zoo.patches.data import Scale
from zoo.provenance import versions
from zoo.training import Training

NUMPY_EPOCHS = 20


def with_numpy(x: np.ndarray, epochs: int) -> tuple[float, float]:
    """Seconds, and the squared error that it ends at."""
    H, rho, beta, decay, rate, momentum, batch = 64, 0.04, 1.0, 5e-4, 0.01, 0.85, 32
    random = np.random.default_rng(0)
    limit = np.sqrt(6 / (x.shape[1] + H))
    W = random.uniform(-limit, limit, (x.shape[1], H)).astype(np.float32)
    b, c = (random.uniform(-limit, limit, size).astype(np.float32) for size in (H, x.shape[1]))
    velocity = [np.zeros_like(p) for p in (W, b, c)]
    start = time.perf_counter()
    for _ in range(epochs):
        order = random.permutation(len(x))
        for first in range(0, len(x) - batch + 1, batch):
            d = x[order[first : first + batch]]
            h = 1 / (1 + np.exp(-(d @ W + b)))
            y = 1 / (1 + np.exp(-(h @ W.T + c)))
            r = h.mean(axis=0)
            d2 = (y - d) / batch * y * (1 - y)
            d1 = (d2 @ W + beta / batch * (-rho / r + (1 - rho) / (1 - r))) * h * (1 - h)
            gradients = (d.T @ d1 + d2.T @ h + 2 * decay * W, d1.sum(axis=0), d2.sum(axis=0))
            for parameter, v, g in zip((W, b, c), velocity, gradients, strict=True):
                v *= momentum
                v -= rate * g
                parameter += v
    seconds = time.perf_counter() - start
    h = 1 / (1 + np.exp(-(x @ W + b)))
    y = 1 / (1 + np.exp(-(h @ W.T + c)))
    return seconds, float(0.5 * ((x - y) ** 2).sum(axis=1).mean())


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data1.h5"))
    path = parser.parse_args().data
    plan = Training.of("sparse_autoencoder_course")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        start = time.perf_counter()
        summary = replace(plan, out=folder).run(path).summary
        seconds = time.perf_counter() - start
        history = json.loads((folder / "history.json").read_text())
    data = patches.from_file(path)
    kept, _ = patches.hold_out(data, plan.recipe.validation, plan.recipe.seed)
    vectors = Scale.fit(kept).apply(kept.arrays()[0])
    with threadpool_limits(1):
        by_hand, error = with_numpy(vectors, NUMPY_EPOCHS)
    result = {
        "epochs": summary["epochs"], "patches": len(kept),
        "seconds": {"zoo": round(seconds, 1), "numpy": round(by_hand * summary["epochs"] / NUMPY_EPOCHS, 1)},
        f"squared_error_after_{NUMPY_EPOCHS}_epochs": {
            "zoo": round(history[NUMPY_EPOCHS - 1]["error"], 4), "numpy": round(error, 4)
        },
        "versions": versions(),
    }  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
