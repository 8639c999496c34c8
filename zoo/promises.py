"""What a network must promise to go the whole way to a device: `zoo check`.

    builds -> repeats, finite, gradients -> loads in a new process -> converts, and agrees

The second group is checked before each training of a network of one's own as well (`zoo.models.network`). Where a check
fails, the groups after it are left out.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity.task import TASK
from zoo.errors import ZooError
from zoo.exporting import artifacts
from zoo.files import temporary_folder
from zoo.loading import Loaded, is_foreign, load
from zoo.models.function import Function
from zoo.models.model import names_of
from zoo.models.network import adopt, soundness
from zoo.models.recognizer import ActivityRecognizer

_ANSWER = """
import sys
import numpy as np
from zoo.loading import load
windows = np.load(sys.argv[2])
np.save(sys.argv[2], load(sys.argv[1]).keras_model(windows, training=False))
"""
_CLOSE = 1e-5


def examine(named: Any, facts: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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
    with temporary_folder() as folder:
        for check, run in (("loads in a new process, without its code", _loads), ("converts, and agrees", _converts)):
            try:
                run(model, folder)
            except ZooError as error:
                yield check, str(error)
                return
            yield check, ""


def _built(named: Any, facts: Mapping[str, Any], options: Mapping[str, Any]) -> ActivityRecognizer:
    """The recognizer of a function, of a Keras model, or of what bears a name."""
    if (function := Function.of(named)) is not None:
        return function(**facts, **options)
    if options:
        raise ZooError(f"settings: {next(iter(options))} applies to functions alone; leave it out")
    if is_foreign(named):
        labels = names_of("classes", int(named.output_shape[-1]), "class {}")
        # It says itself how long its windows are, or else reads any.
        rows = None if (getattr(named, "input_shape", None) or (None, None))[1] else facts["window"]
        return adopt(named, labels, facts["rate"], rows, in_g=False, name=None)
    model: ActivityRecognizer = load(named).keras_model
    if not isinstance(model, ActivityRecognizer):
        raise ZooError(f"{named}: is no recognizer of activities, which are all that is checked")
    return model


def _loads(model: ActivityRecognizer, folder: Path) -> None:
    rows = folder / "rows.npy"
    windows = np.random.default_rng(1).normal(0, 5, (2, model.window, len(model.channels))).astype(np.float32)
    np.save(rows, windows)
    model.save(folder / "model.keras")
    command = [sys.executable, "-c", _ANSWER, str(folder / "model.keras"), str(rows)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ZooError(next(iter(ended.stderr.strip().splitlines()[::-1]), "it ended without a word"))
    expected = np.asarray(model(windows, training=False))
    error = float(np.abs(np.load(rows) - expected).max())
    if not error < _CLOSE * max(1.0, float(np.abs(expected).max())):
        raise ZooError(f"it answers otherwise there, by {error:.2g}: state in get_config all that it computes with")


def _converts(model: ActivityRecognizer, folder: Path) -> None:
    loaded = Loaded(model.name, model)
    artifacts.export(loaded, TASK.exportable(loaded, None), folder / "files", ["float32"])
