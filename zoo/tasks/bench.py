"""What an exported recognizer costs: bytes, time to load, time and arithmetic of each signature, memory."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.runtime import Recognizer
from zoo.runtime.interpreter import open_file

_CALLS, _LOADS = 1000, 20


def bench(path: Path, *, calls: int = _CALLS) -> dict[str, Any]:
    """Measures one file on one thread of this machine.

    Args:
        path: A `.tflite` file.
        calls: Of each signature, after a tenth as many that are not counted.

    Returns:
        `file`, `bytes`, `load_ms` (median over loads in a process that has loaded one before), `signatures`: for each
        `median_ms`, `p99_ms`, `multiply_adds`, `activation_bytes`; and `process_mb`, the peak memory of a new process
        that imports the runtime and predicts one window, where the system tells.
    """
    recognizer, loads = Recognizer(path), []
    for _ in range(_LOADS):
        start = time.perf_counter()
        recognizer = Recognizer(path)
        loads.append(1e3 * (time.perf_counter() - start))
    metadata, states = recognizer.metadata, recognizer.zeros()
    axes = len(metadata.axes)
    rows = np.random.default_rng(0).normal(0, 3, (1, metadata.window, axes)).astype(np.float32)
    many = np.resize(rows, (1, metadata.chunk * metadata.frame, axes))
    ask: dict[str, Callable[[], Any]] = {
        "window": lambda: recognizer.run("window", window=rows),
        "step": lambda: recognizer.step(rows[:, : metadata.frame], states),
        "chunk": lambda: recognizer.chunk(many, states),
    }
    # A loop runs as often as there are frames; arithmetic is counted in one of them.
    steps = {"window": metadata.window // metadata.frame, "step": 1, "chunk": metadata.chunk}
    found = {}
    for name in sorted(recognizer.signatures, key=list(ask).index):
        median, worst = _timed(ask[name], calls)
        found[name] = {
            "median_ms": median, "p99_ms": worst, "multiply_adds": steps[name] * recognizer.multiply_adds("step"),
            "activation_bytes": recognizer.activation_bytes(name),
        }  # fmt: skip
    return {
        "file": str(path), "bytes": path.stat().st_size, "load_ms": float(np.median(loads)), "signatures": found,
        "process_mb": _process_mb(path),
    }  # fmt: skip


def _timed(call: Callable[[], Any], calls: int) -> tuple[float, float]:
    """Median and 99th percentile of a call, in milliseconds."""
    times = np.empty(calls)
    for place in range(-calls // 10, calls):
        start = time.perf_counter()
        call()
        if place >= 0:
            times[place] = time.perf_counter() - start
    return 1e3 * float(np.median(times)), 1e3 * float(np.quantile(times, 0.99))


_ALONE = """
import sys
import numpy as np
from zoo.runtime import Recognizer
recognizer = Recognizer(sys.argv[1])
recognizer.predict(np.zeros((1, recognizer.metadata.window, 3), np.float32))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _process_mb(path: Path) -> float | None:
    if not Path("/proc/self/status").is_file():
        return None
    child = subprocess.run([sys.executable, "-c", _ALONE, str(path)], capture_output=True, text=True, check=False)
    if child.returncode:
        raise ZooError(f"{path}: does not run in a process of its own ({child.stderr.strip().splitlines()[-1]})")
    return int(child.stdout) / 1024


def keras_default(model: Any) -> dict[str, Any]:
    """What Keras's own export to LiteRT gives for the same network.

    Args:
        model: A Keras model of windows.

    Returns:
        `bytes`, and `median_ms` where the file runs, else `error`: what the runtime says.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(path, format="litert", verbose=False)
        found: dict[str, Any] = {"bytes": path.stat().st_size}
        try:
            interpreter = open_file(path)
        except ZooError as error:
            return found | {"error": str(error).partition(": ")[2]}
        median, _ = _timed(interpreter.invoke, 100)
        return found | {"median_ms": median}
