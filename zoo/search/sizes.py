"""Size and latency of models, before they are trained."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from zoo.exporting import artifacts
from zoo.exporting.parity import Tolerance
from zoo.files import temporary_folder
from zoo.loading import Loaded
from zoo.training import Training


class Sizes:
    """Measures each architecture once.

    Size and latency depend only on the architecture, so models are converted untrained, and their outputs are not
    compared.

    Args:
        task: Task of the family.
    """

    def __init__(self, task: Any) -> None:
        self.task = task
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, plan: Training, model: Any) -> dict[str, Any]:
        """Returns `file`, `bytes`, and `milliseconds` per call, of the smallest file of a model with any weights."""
        key = architecture(plan, model)
        if key not in self._known:
            loaded = Loaded(plan.name, model)
            family = self.task.exportable(loaded, None)
            kind = "int8" if "int8" in family.formats else "dynamic"
            family = replace(family, tolerances={kind: Tolerance(np.inf)})
            with temporary_folder() as scratch:
                (artifact,) = artifacts.export(loaded, family, scratch / "files")
            self._known[key] = {name: artifact[name] for name in ("file", "bytes", "milliseconds")}
        return self._known[key]


def architecture(plan: Training, model: Any) -> str:
    """Returns a string that identifies the architecture of a model."""
    free = ("seed", "name", "dropout", "mean", "variance", "scale", "temperature", "provenance")
    arguments = {name: value for name, value in model.get_config().items() if name not in free}
    return json.dumps([plan.family, arguments], sort_keys=True)
