"""Self-test: trains, exports and runs a tiny recognizer of simulated people.

`python -m zoo.self_test FOLDER` prints a JSON document per step. `zoo doctor` runs it in a separate process,
since it can crash, for example on a processor that TensorFlow was not built for.
"""

import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zoo.errors import ZooError

STEPS = ("load", "simulate", "train", "export", "run")
"""Names of the steps, in order."""


def findings(folder: Path) -> Iterator[str]:
    """Runs the steps one by one and yields the result of each.

    Args:
        folder: Empty folder for files.

    Raises:
        ZooError: If a step fails.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo import planning
    from zoo.activity import simulate
    from zoo.activity import windows as windows_of
    from zoo.activity.task import TASK
    from zoo.exporting import artifacts
    from zoo.files import read_json
    from zoo.loading import load
    from zoo.runtime import Recognizer

    yield f"TensorFlow {tf.__version__}, Keras {keras.__version__}, NumPy {np.__version__}"

    data = folder / "data3.h5"
    simulate.write_simulated(data, subjects=2, seed=0, seconds=12)
    train = windows_of.read(data).train
    yield f"{len(train):,} windows of a simulated person"

    settings = {"units": 8, "frame": 10, "epochs": 6, "batch_size": 8, "learning_rate": 1e-2, "validation": 0.0}
    replace(planning.plan("activity_gru", settings), out=folder / "model").run(TASK.read(data))
    losses = [epoch["loss"] for epoch in read_json(folder / "model" / "history.json")]
    if not all(map(math.isfinite, losses)) or losses[-1] >= losses[0]:
        raise ZooError(f"training did not lower the loss: {losses[0]:.3f} to {losses[-1]:.3f}")
    yield f"loss {losses[0]:.3f} to {losses[-1]:.3f}"

    loaded = load(folder / "model")
    exported = artifacts.export(loaded, TASK.exportable(loaded, None), folder / "exported", ["float32"])[0]
    size, error = exported["bytes"] / 1000, exported["largest_error"]
    yield f"{exported['file']}, {size:.1f} kB, differs from Keras by {error:.1e}"

    recognizer = Recognizer(folder / "exported" / exported["file"])
    windows = np.zeros((1, recognizer.metadata.window, 3), np.float32)
    probability = recognizer.predict(windows).max()
    yield f"probability {probability:.2f}, {exported['milliseconds']:.2f} ms per window"


def main() -> None:
    """Prints the result of each step and its time in seconds."""
    results = findings(Path(sys.argv[1]))
    for step in STEPS:
        start = time.perf_counter()
        # Standard output is for the report, so what libraries print there goes to standard error.
        with contextlib.redirect_stdout(sys.stderr):
            finding = next(results)
        seconds = round(time.perf_counter() - start, 2)
        print(json.dumps({"step": step, "seconds": seconds, "found": finding}), flush=True)


if __name__ == "__main__":
    main()
