"""What a network must promise to go the whole way to a device: `zoo check`.

    builds -> repeats, finite, gradients -> converts, and agrees -> loads in a new process

The second group is checked before each training of a network of one's own as well (`zoo.models.network`). Where a check
fails, the groups after it are left out.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity.task import TASK
from zoo.errors import ZooError
from zoo.exporting import artifacts
from zoo.exporting.formats import Converter
from zoo.files import temporary_folder
from zoo.loading import Loaded, is_foreign, load
from zoo.models.function import Function
from zoo.models.model import names_of
from zoo.models.network import adopt, config_of, shape_of, soundness
from zoo.models.recognizer import ActivityRecognizer

_ANSWER = """
import sys
import numpy as np
from zoo.startup import import_keras
import_keras()
from zoo.loading import load
from zoo.models.function import run_code
run_code()
model, windows, answers = sys.argv[1:]
np.save(answers, load(model).keras_model(np.load(windows), training=False))
"""
_MODEL, _WINDOWS, _ANSWERS = "model.keras", "windows.npy", "answers.npy"
_CLOSE = 1e-5
_CONVERTS, _LOADS = "converts, and agrees", "loads in a new process"


def examine(
    named: Any, facts: Mapping[str, Any], options: Mapping[str, Any], converter: Converter
) -> Iterator[tuple[str, str]]:
    """Each check, with what is wrong or an empty text, until one fails."""
    try:
        model = _built(named, facts, options)
    except ZooError as error:
        yield "builds, with one output for each label", str(error)
        return
    yield "builds, with one output for each label", ""
    found = soundness(model)
    yield from found.items()
    if any(found.values()):
        return
    model, check = artifacts.as_in_files(model), _LOADS
    with temporary_folder() as folder, ExitStack() as stack:
        try:
            # It imports Keras while this process converts.
            process = stack.enter_context(_started(model, folder))
            stack.callback(process.kill)
            for check, run in (
                (_CONVERTS, partial(_converts, model, folder, converter)),
                (_LOADS, partial(_loads, model, folder, process)),
            ):
                run()
                yield check, ""
        except ZooError as error:
            yield check, str(error)


def _built(named: Any, facts: Mapping[str, Any], options: Mapping[str, Any]) -> ActivityRecognizer:
    """The recognizer of a function, of a Keras model, or of what bears a name."""
    if (function := Function.of(named)) is not None:
        return function(**facts, **options)
    if options:
        raise ZooError(f"settings: {next(iter(options))} applies to functions alone; leave it out")
    if is_foreign(named):
        config_of(named)
        # It says itself how long its windows are, or else reads any.
        shape = shape_of(named)
        rows = shape[1] if len(shape) > 1 and shape[1] else facts["window"]
        is_called = len(shape) == 3 and isinstance(shape[2], int)
        answers = named(np.zeros((1, rows, shape[2]), np.float32), training=False) if is_called else None
        # What has no answers that are alike is refused below.
        labels = names_of("classes", int(getattr(answers, "shape", (1, 2))[-1]), "class {}")
        return adopt(named, labels, facts["rate"], rows, in_g=False, name=None)
    model: ActivityRecognizer = load(named).keras_model
    if not isinstance(model, ActivityRecognizer):
        raise ZooError(f"{named}: is no recognizer of activities, which are all that is checked")
    return model


def _started(model: ActivityRecognizer, folder: Path) -> "subprocess.Popen[str]":
    """A new process that writes what a file of the model answers to windows."""
    windows = np.random.default_rng(1).normal(0, 5, (2, model.window, len(model.channels))).astype(np.float32)
    np.save(folder / _WINDOWS, windows)
    model.save(folder / _MODEL)
    command = [sys.executable, "-c", _ANSWER, *(str(folder / name) for name in (_MODEL, _WINDOWS, _ANSWERS))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _loads(model: ActivityRecognizer, folder: Path, process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate()
    if process.returncode:
        last = next(iter(said.strip().splitlines()[::-1]), "it ended without a word")
        raise ZooError(last.removeprefix(f"{ZooError.__module__}.{ZooError.__name__}: {folder / _MODEL}: "))
    expected = np.asarray(model(np.load(folder / _WINDOWS), training=False))
    error = float(np.abs(np.load(folder / _ANSWERS) - expected).max())
    if not error < _CLOSE * max(1.0, float(np.abs(expected).max())):
        raise ZooError(f"it answers otherwise there, by {error:.2g}: state in get_config all that it computes with")


def _converts(model: ActivityRecognizer, folder: Path, converter: Converter) -> None:
    loaded = Loaded(model.name, model)
    artifacts.export(loaded, TASK.exportable(loaded, None), folder / "files", ["float32"], converter=converter)
