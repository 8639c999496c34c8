"""Benchmark of exported files: size, time to load, time and arithmetic of each signature, memory."""

import subprocess
import sys
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.catalog import find_folder
from zoo.errors import ZooError
from zoo.runtime import Interpreter
from zoo.runtime.metadata import ActivityMetadata


def files_of(model: str | Path) -> list[Path]:
    """The `.tflite` files of a model: a file, a folder, or a preset."""
    if Path(model).suffix == ".tflite":
        return [Path(model)]
    folder = Path(model) if Path(model).is_dir() else find_folder(model)
    files = sorted(folder.glob("*.tflite"))
    if not files:
        raise ZooError(f"{folder}: holds no .tflite file; write one with `zoo export`")
    return files


def window_ms(interpreter: Interpreter, calls: int = 200) -> float:
    """The median time of an answer to a whole window, or to the input of another model, on one thread."""
    return float(np.median(_milliseconds(_window(interpreter), calls)))


def _window(interpreter: Interpreter) -> Callable[[], Any]:
    """A call with a whole window, or with the input of another model."""
    name = min(interpreter.signatures, key=_order)
    return partial(interpreter.run, name, **random_inputs(interpreter, name))


def bench(path: Path, *, calls: int = 1000) -> dict[str, Any]:
    """Benchmarks a `.tflite` file on one thread of this machine, with a tenth as many warm-up calls before.

    `load_ms` is the median time to load it again, and `process_mb` the peak memory of a new process that runs one
    signature once, None on systems that do not report it.
    """
    interpreter, costs = Interpreter(path), {}
    for name in sorted(interpreter.signatures, key=_order):
        inputs, metadata, steps = random_inputs(interpreter, name), interpreter.metadata, 1
        if isinstance(metadata, ActivityMetadata) and metadata.states:
            # Iterations of a recurrent network's loop.
            steps = metadata.chunk if name == "chunk" else metadata.window // metadata.frame
        times = _milliseconds(partial(interpreter.run, name, **inputs), calls)
        costs[name] = {
            "median_ms": float(np.median(times)), "p99_ms": float(np.quantile(times, 0.99)),
            "multiply_adds": interpreter.multiply_adds(name, steps),
            "activation_bytes": interpreter.activation_bytes(name),
        }  # fmt: skip
    loads = _milliseconds(lambda: Interpreter(path), 20)
    return {
        "file": str(path), "bytes": path.stat().st_size, "load_ms": float(np.median(loads)), "signatures": costs,
        "process_mb": _process_mb(path),
    }  # fmt: skip


def _order(name: str) -> tuple[bool, str]:
    """Sort key that puts whole windows first."""
    return name not in ("window", "infer"), name


def random_inputs(interpreter: Interpreter, signature: str, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Draws normally distributed inputs of a signature. Integer inputs are zero."""
    random = np.random.default_rng(seed)
    inputs = {}
    for name, (shape, kind) in interpreter.inputs(signature).items():
        size = [1 if length == -1 else length for length in shape]
        inputs[name] = random.normal(0, 1, size).astype(kind) if kind.kind == "f" else np.zeros(size, kind)
    return inputs


def _milliseconds(call: Callable[[], Any], calls: int) -> NDArray[np.float64]:
    timer = timeit.Timer(call)
    timer.repeat(calls // 10, 1)
    return 1e3 * np.array(timer.repeat(calls, 1))


def _process_mb(path: Path) -> float | None:
    if not Path("/proc/self/status").is_file():
        return None
    command = [sys.executable, "-m", "zoo.benchmarking", str(path)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode:
        reason = (child.stderr.strip().splitlines() or [f"status {child.returncode}"])[-1]
        raise ZooError(f"{path}: does not run in a process of its own ({reason})")
    return int(child.stdout) / 1024


def _main() -> None:
    """Runs a file once, and prints the peak memory of this process in kB."""
    _window(Interpreter(sys.argv[1]))()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    _main()
