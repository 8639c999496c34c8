"""Checks of an installation: versions, what is missing for which command, and whether a tiny model converts and runs.

Requirements are read from the metadata of the installed distribution. No library is imported to read its version.

`python -m zoo.installation FOLDER STEP...` is the self-test, and prints a JSON document per step. `zoo doctor` runs it
in a separate process, since it can crash, for example on a processor that TensorFlow was not built for.
"""

import contextlib
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import zoo
from zoo.catalog import preset_names
from zoo.errors import ZooError
from zoo.provenance import machine
from zoo.serving.server import INDEX, PAGE_FOLDER
from zoo.startup import import_keras

DISTRIBUTION = "pocket-zoo"

STEPS, FULL = ("load", "convert"), ("load", "convert", "train", "export", "run")
"""Names of the steps of the self-test, and of the full one, in order."""

PURPOSES = {
    "baselines": "baselines of crossval",
    "datasets": "TensorFlow Datasets",
    "docs": "make docs",
    "hub": "zoo push and hf:// models",
    "photographs": "photographs of scikit-image",
    "tuning": "zoo tune",
}
"""Purposes of the extras, except those for developers."""

_SAME = 1e-4
"""Largest difference of a probability from Keras."""

_SECONDS, _LINES = 300, 20
"""Time limit of the self-test, and number of lines of its output that are shown if it fails."""

Problem = dict[str, Any]
"""`what` is wrong or missing, what it `breaks`, how to `mend` it, and whether it is `fatal`."""


def examine(self_test: Callable[[str], None] | None = None, steps: Sequence[str] = STEPS) -> dict[str, Any]:
    """Checks this installation.

    Args:
        self_test: Function that is called with the name of each step of the self-test as it begins. None for no
            self-test.
        steps: The steps.

    Returns:
        A document of JSON types: `pocket_zoo`, `python`, `platform`, `machine`, `presets` (number), `page` (whether it
        is built), `packages` (versions by name, None if not installed), `problems` (see `Problem`), `self_test`
        (`step`, `seconds`, `found`; None if it was not run), `self_test_output` (last lines of a failed one) and
        `sound` (whether there is no fatal problem).
    """
    if _version(DISTRIBUTION) is None:
        raise ZooError(f"{DISTRIBUTION} is not installed: run `pip install .` in its folder")
    page = (PAGE_FOLDER / INDEX).is_file()
    packages, problems = {}, [*_environment(), *_packages()]
    for requirement in _requirements(DISTRIBUTION):
        packages[requirement.name] = _version(requirement.name)
    if not page:
        mend = "`make page` in a checkout, with Node.js 20.19 or newer"
        problems.append(_problem("no page", "needed for zoo serve", mend, fatal=False))
    done, failure, output = (None, [], []) if self_test is None else _self_test(self_test, steps)
    problems += failure
    return {
        "pocket_zoo": zoo.__version__, "python": platform.python_version(), "platform": platform.platform(),
        "machine": machine(), "presets": len(preset_names()), "page": page, "packages": packages,
        "problems": problems, "self_test": done, "self_test_output": output,
        "sound": not any(problem["fatal"] for problem in problems),
    }  # fmt: skip


def _problem(what: str, breaks: str, mend: str, *, fatal: bool) -> Problem:
    return {"what": what, "breaks": breaks, "mend": mend, "fatal": fatal}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements(distribution: str, extra: str = "") -> Iterator[Requirement]:
    """Yields the requirements of a distribution, or of one of its extras, that apply to this interpreter."""
    for requirement in map(Requirement, importlib.metadata.requires(distribution) or []):
        of_extra = requirement.marker is not None and "extra" in str(requirement.marker)
        if of_extra == bool(extra) and (requirement.marker is None or requirement.marker.evaluate({"extra": extra})):
            yield requirement


def _environment() -> Iterator[Problem]:
    python = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if not Requirement(f"python{python}").specifier.contains(platform.python_version(), prereleases=True):
        breaks = "TensorFlow has no release for it that was tried"
        yield _problem(f"Python {platform.python_version()}", breaks, f"use Python {python}", fatal=True)
    if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) != "tensorflow":
        breaks = "zoo train, export and tune need TensorFlow; models load, predict, and fit by Keras"
        yield _problem(f"KERAS_BACKEND is {backend}", breaks, "`unset KERAS_BACKEND`", fatal=True)
    cache = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    there = next(each for each in (cache.expanduser(), *cache.expanduser().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        what = f"no permission to write to {there}"
        yield _problem(what, "needed for hf:// models", "set HF_HOME to another folder", fatal=False)


def _packages() -> Iterator[Problem]:
    """Yields packages that are missing or have another version than is needed, by pocket-zoo or by each other."""
    extras = importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    needed = {extra: list(_requirements(DISTRIBUTION, extra)) for extra in ["", *extras] if extra != "dev"}
    known = {canonicalize_name(each.name) for requirements in needed.values() for each in requirements}
    for extra, requirements in needed.items():
        unfit = [each for each in requirements if not _fits(each)]
        purpose = f"needed for {PURPOSES.get(extra, extra) or 'everything'}"
        for each in unfit if not extra else []:
            yield _problem(_found(each), purpose, f"`pip install '{each.name}{each.specifier}'`", fatal=True)
        if extra and unfit:
            what, mend = ", ".join(map(_found, unfit)), f"`pip install '{DISTRIBUTION}[{extra}]'`"
            yield _problem(what, purpose, mend, fatal=False)
        for row in requirements:
            for each in _requirements(row.name) if _version(row.name) else []:
                listed = _version(each.name) is None and canonicalize_name(each.name) in known
                if not listed and not _fits(each):
                    wanted = f"{each.name}{each.specifier}"
                    needs = f"{row.name} {_version(row.name)} needs {wanted}"
                    yield _problem(_found(each), needs, f"`pip install '{wanted}'`", fatal=not extra)


def _fits(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _found(requirement: Requirement) -> str:
    version = _version(requirement.name)
    return f"{requirement.name} {version}" if version else f"no {requirement.name}"


def _self_test(
    begin: Callable[[str], None], steps: Sequence[str]
) -> tuple[list[dict[str, Any]], list[Problem], list[str]]:
    """The completed steps, the problem that stopped the self-test, if any, and the last lines of its output then."""
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, "-m", "zoo.installation", folder, *steps]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True) as child:
            watch = threading.Timer(_SECONDS, child.kill)
            watch.start()
            try:
                begin(steps[0])
                for line in child.stdout or ():
                    done.append(json.loads(line))
                    if len(done) < len(steps):
                        begin(steps[len(done)])
                status = child.wait()
            finally:
                watch.cancel()
                child.kill()
        output.seek(0)
        lines = [line.rstrip() for line in output if line.strip()]
    if len(done) == len(steps):
        return done, [], []
    why = lines[-1] if lines else f"it exited with status {status} without a message"
    if status < 0:
        why = f"it crashed with {signal.Signals(-status).name}"
    what = f"self-test ended at {steps[len(done)]}"
    return done, [_problem(what, why, "send this whole report", fatal=True)], lines[-_LINES:]


def findings(folder: Path) -> Iterator[str]:
    """Runs the steps one by one in an empty folder, and yields the result of each."""
    import_keras()
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo import ActivityGRU
    from zoo.exporting import formats, signatures
    from zoo.loading import load
    from zoo.runtime import Recognizer
    from zoo.runtime.metadata import embed

    yield f"TensorFlow {tf.__version__}, Keras {keras.__version__}, NumPy {np.__version__}"

    # This process is a child already; another one would import TensorFlow once more.
    formats.Converter.in_child = False
    model, file = ActivityGRU(units=4, num_layers=1, frame=30), folder / "model.tflite"
    formats.convert(signatures.activity(model, 1)[:1], {"float32": file}, batch=1)
    embed(file, load(model).metadata)
    windows = np.random.default_rng(0).normal(0, 5, (1, model.window, 3)).astype(np.float32)
    error = float(np.abs(Recognizer(file).predict(windows) - keras.ops.softmax(model(windows))).max())
    if not error < _SAME:
        raise ZooError(f"{file.name} differs from Keras by {error:.0e}; expected at most {_SAME:.0e}")
    yield f"{file.name}, {file.stat().st_size / 1000:.1f} kB, runs in LiteRT and differs from Keras by {error:.0e}"

    yield from _workflow(folder)


def _workflow(folder: Path) -> Iterator[str]:
    """Trains, exports and runs a recognizer of simulated people."""
    import numpy as np

    from zoo.activity import simulate
    from zoo.activity.task import TASK
    from zoo.exporting import artifacts
    from zoo.files import read_json
    from zoo.loading import load
    from zoo.runtime import Recognizer
    from zoo.training import Training

    simulate.write_simulated(folder / "data3.h5", subjects=2, seed=0, seconds=12)
    settings = {"units": 4, "num_layers": 1, "frame": 30, "epochs": 6, "learning_rate": 0.01, "validation": 0.0}
    plan = replace(Training.of("activity_gru", settings | {"batch_size": 8}), out=folder / "model")
    plan.run(TASK.load_data(folder / "data3.h5"))
    first, *_, last = (epoch["loss"] for epoch in read_json(folder / "model" / "history.json"))
    if not last < first:
        raise ZooError(f"training did not lower the loss: {first:.3f} to {last:.3f}")
    yield f"loss {first:.3f} to {last:.3f}"

    loaded = load(folder / "model")
    exported = artifacts.export(loaded, TASK.exportable(loaded, None), folder / "exported", ["float32"])[0]
    size, error = exported["bytes"] / 1000, exported["largest_error"]
    yield f"{exported['file']}, {size:.1f} kB, differs from Keras by {error:.0e}"

    recognizer = Recognizer(folder / "exported" / exported["file"])
    windows = np.zeros((1, recognizer.metadata.window, 3), np.float32)
    probability = recognizer.predict(windows).max()
    yield f"probability {probability:.2f}, {exported['milliseconds']:.2f} ms per window"


def main() -> None:
    """Prints the result of each step and its time in seconds."""
    results = findings(Path(sys.argv[1]))
    for step in sys.argv[2:]:
        start = time.perf_counter()
        # Standard output is for the report, so what libraries print there goes to standard error.
        with contextlib.redirect_stdout(sys.stderr):
            finding = next(results)
        seconds = round(time.perf_counter() - start, 2)
        print(json.dumps({"step": step, "seconds": seconds, "found": finding}), flush=True)


if __name__ == "__main__":
    main()
