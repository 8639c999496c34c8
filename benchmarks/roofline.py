"""Share of the speed of large matrix products that the trainings of the course reach, and what bounds them.

    python benchmarks/roofline.py --data ../shared/data

Floating-point operations are counted by formula from the shapes of the matrix products: 2 m k n for each, forward, and
for the gradients of weights and of inputs. Nothing else counts, so a share is that of time well spent. Speeds to
compare with are those of NumPy's float32 products on one core, where XLA runs most of these products: of large square
matrices, and of the shape of the training's most frequent product, which can be faster. Such a speed is the best of
many; that of a training is the median of its epochs without the first one, which includes compilation.
"""

import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# BLAS reads it once. TensorFlow has its own threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pages
from clock import Clock

from zoo.provenance import versions
from zoo.report import markdown
from zoo.task import task_of
from zoo.training import Training, fit

LARGE, EPOCHS = 2048, 6
STEPS, CLASSES, CHANNELS = 150, 6, 3
Shape = tuple[int, int, int]
"""m, k, n of a product of (m, k) by (k, n)."""

FREQUENT: dict[str, Shape] = {
    "activity_rnn_course": (32, 128, 128),
    "activity_lstm_course": (32, 64, 256),
    "activity_gru_course": (32, 32, 64),
    "sparse_autoencoder_course": (32, 256, 64),
    "trigram_lm_course": (100, 256, 250),
}
"""The product that each training computes most often; the language model was measured with version 0.3, whose
preset computed the halves of its 200 rows side by side."""


def products(*shapes: Shape, of_data: int = 0) -> int:
    """Operations a row of dense layers in training: forward, and two gradients, of which `of_data` layers need one."""
    return sum(2 * k * n * m * (2 if place < of_data else 3) for place, (m, k, n) in enumerate(shapes))


def recurrent(units: int, gates: int) -> int:
    """Operations a window of a recurrent recognizer in training."""
    step = products((1, CHANNELS, gates * units), (1, units, gates * units), of_data=1)
    return STEPS * step + products((1, units, CLASSES))


OPERATIONS = {
    "activity_rnn_course": recurrent(128, 1),
    "activity_lstm_course": recurrent(64, 4),
    "activity_gru_course": recurrent(32, 3),
    "sparse_autoencoder_course": products((1, 256, 64), (1, 64, 256), of_data=1),
    # The embedding looks up rows; the gradient of the first layer's input is that of the embedding.
    "trigram_lm_course": products((1, 96, 256), (1, 256, 250)),
}
"""Operations a row."""


def peak(shape: Shape, seconds: float = 2.0) -> float:
    """Operations per second of NumPy's product of two matrices, the best of many."""
    m, k, n = shape
    random = np.random.default_rng(0)
    a, b, out = random.random((m, k), np.float32), random.random((k, n), np.float32), np.empty((m, n), np.float32)
    repeats = max(1, 1_000_000 // (m * k * n))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        for _ in range(repeats):
            np.matmul(a, b, out=out)
        times.append((time.perf_counter() - start) / repeats)
    return 2 * m * k * n / min(times)


def rows_a_second(name: str, data: Path) -> float:
    """Rows per second of a preset's training."""
    task, clock = task_of(name.removesuffix("_course")), Clock()
    folders = {"activity": "activity", "patches": "images", "text": "text"}
    plan = Training.of(name, {"epochs": EPOCHS, "patience": None})
    read = task.load_data(data / folders[task.name] / task.data_file)
    split = task.split(read, plan.recipe, folds=True)
    model = task.build(plan, split)
    fitted = fit(model, plan.recipe, task.feed(model, split, plan.recipe), callbacks=[clock])
    return fitted.steps * fitted.batch_size / median(clock.seconds[1:])


def gigaflops(value: float) -> float:
    """Thousands of millions of operations per second."""
    return round(value / 1e9, 1)


def table(document: dict[str, Any]) -> str:
    """Renders the table of the page."""
    rows = [
        (f"`{name}`", f"{row['gigaflops']:.1f}", " x ".join(map(str, row["shape"])), f"{row['small']:.1f}",
         f"{row['share_of_small']:.0%}", f"{row['share_of_large']:.0%}")
        for name, row in document["trainings"].items()
    ]  # fmt: skip
    heads = (
        "training", "Gflop/s", "product m x k x n", "Gflop/s of the product", "share of that",
        "share of large products",
    )  # fmt: skip
    return markdown.table(heads, rows)


def main() -> None:
    """Measures and prints one JSON document, or writes the page."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"roofline": table})
        return
    large = peak((LARGE, LARGE, LARGE))
    trainings = {}
    for name, operations in OPERATIONS.items():
        small, reached = peak(FREQUENT[name]), operations * rows_a_second(name, options.data)
        trainings[name] = {
            "flops_a_row": operations, "gigaflops": gigaflops(reached), "shape": FREQUENT[name],
            "small": gigaflops(small), "share_of_small": round(reached / small, 3),
            "share_of_large": round(reached / large, 3),
        }  # fmt: skip
    print(json.dumps({
        "command": "python benchmarks/roofline.py", "large": LARGE, "peak_gigaflops": gigaflops(large),
        "trainings": trainings, "versions": versions(),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
