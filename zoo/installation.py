"""Checks of an installation: versions, what is missing for what, and whether a tiny model converts and runs."""

import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import zoo
from zoo.catalog import preset_names
from zoo.errors import ZooError
from zoo.provenance import machine
from zoo.serving.server import INDEX, PAGE_FOLDER
from zoo.startup import import_keras

DISTRIBUTION, STEPS = "pocket-zoo", ("load", "convert")


def examine(self_test: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Checks this installation; `self_test` is called as each step of the self-test begins, None for no self-test."""
    if _version(DISTRIBUTION) is None:
        raise ZooError(f"{DISTRIBUTION} is not installed: run `pip install .` in its folder")
    page, problems = (PAGE_FOLDER / INDEX).is_file(), [*_packages()]
    if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) != "tensorflow":
        breaks = "zoo train, export and tune need TensorFlow; models load, predict, and fit by Keras"
        problems.append((f"KERAS_BACKEND is {backend}", breaks, "`unset KERAS_BACKEND`", True))
    if not page:
        problems.append(("no page", "needed for zoo serve", "`make page`, with Node.js 20.19 or newer", False))
    done, output = (None, []) if self_test is None else _self_test(self_test)
    if output:
        problems.append((f"self-test ended at {STEPS[len(done or ())]}", output[-1], "send this whole report", True))
    return {
        "pocket_zoo": zoo.__version__, "python": platform.python_version(), "platform": platform.platform(),
        "machine": machine(), "presets": len(preset_names()), "page": page,
        "packages": {row.name: _version(row.name) for row in _requirements(DISTRIBUTION)},
        "problems": [dict(zip(("what", "breaks", "mend", "fatal"), row, strict=True)) for row in problems],
        "self_test": done, "self_test_output": output, "sound": not any(fatal for *_, fatal in problems),
    }  # fmt: skip


def _version(name: str) -> str | None:
    return next((package.version for package in importlib.metadata.distributions(name=name)), None)


def _requirements(distribution: str, extra: str = "") -> Iterator[Requirement]:
    for row in map(Requirement, importlib.metadata.requires(distribution) or []):
        if extra in str(row.marker) and (row.marker is None or row.marker.evaluate({"extra": extra})):
            yield row


def _unfit(distribution: str, extra: str = "") -> Iterator[tuple[str, Requirement]]:
    for row in _requirements(distribution, extra):
        if not (version := _version(row.name)) or not row.specifier.contains(version, prereleases=True):
            yield f"{row.name} {version}" if version else f"no {row.name}", row


def _packages() -> Iterator[tuple[str, str, str, bool]]:
    """What pocket-zoo, the packages that it needs, and its extras lack: what, what it breaks, a cure, whether fatal."""
    for name in (DISTRIBUTION, *(row.name for row in _requirements(DISTRIBUTION) if _version(row.name))):
        for what, row in _unfit(name):
            breaks = "needed for everything" if name == DISTRIBUTION else f"{name} {_version(name)} needs {row}"
            yield what, breaks, f"`pip install '{row.name}{row.specifier}'`", True
    for extra in importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []:
        if extra != "dev" and (unfit := ", ".join(what for what, _ in _unfit(DISTRIBUTION, extra))):
            yield unfit, f"needed for {extra}", f"`pip install '{DISTRIBUTION}[{extra}]'`", False


def _self_test(begin: Callable[[str], None]) -> tuple[list[dict[str, Any]], list[str]]:
    """Completed steps and last lines of output, in a process of its own: TensorFlow crashes on some processors."""
    begin(" and ".join(STEPS))
    command = [sys.executable, "-m", "zoo.installation"]
    child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = [line for line in child.stdout.splitlines() if line.strip()]
    done = [json.loads(line) for line in lines if line.startswith('{"step"')]
    if child.returncode < 0:
        lines.append(f"it crashed with {signal.Signals(-child.returncode).name}")
    return done, lines[-20:] if child.returncode else []


def main() -> None:
    """Loads TensorFlow, converts a tiny model and runs it; prints a JSON document per step."""
    start = time.perf_counter()
    import_keras()
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo import ActivityGRU, loading, runtime
    from zoo.exporting import formats, signatures
    from zoo.runtime.metadata import embed

    _say(STEPS[0], start, f"TensorFlow {tf.__version__}, Keras {keras.__version__}, NumPy {np.__version__}")
    start, model = time.perf_counter(), ActivityGRU(units=4, num_layers=1, frame=30)
    # This process is a child already; another one would import TensorFlow once more.
    formats.Converter.in_child = False
    with tempfile.TemporaryDirectory() as folder:
        formats.convert(signatures.activity(model, 1)[:1], {"float32": (file := Path(folder, "a.tflite"))}, batch=1)
        embed(file, loading.load(model).metadata)
        windows = np.random.default_rng(0).normal(0, 5, (1, model.window, 3)).astype(np.float32)
        error = float(np.abs(runtime.Recognizer(file).predict(windows) - keras.ops.softmax(model(windows))).max())
    if not error < 1e-4:
        raise ZooError(f"a converted model differs from Keras by {error:.0e}; expected at most 1e-4")
    _say(STEPS[1], start, f"a converted model runs in LiteRT and differs from Keras by {error:.0e}")


def _say(step: str, start: float, result: str) -> None:
    print(json.dumps({"step": step, "seconds": round(time.perf_counter() - start, 2), "found": result}), flush=True)


if __name__ == "__main__":
    main()
