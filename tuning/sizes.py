"""How large and how slow a model is on a device, before it is trained."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.export.parity import Tolerance
from zoo.tasks import exporting
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan


class Sizes:
    """Measures architectures, each once.

    Size and latency hang on the architecture alone, so a model is converted untrained, and what the file answers is
    not compared.

    Args:
        task: Of the family.
    """

    def __init__(self, task: Any) -> None:
        self.task = task
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, plan: Plan, model: Any, prepared: Any) -> dict[str, Any]:
        """The smallest file that a model can be written as: `file`, `bytes`, and `milliseconds` a call.

        Args:
            plan: The model's.
            model: With any weights.
            prepared: The data that it is for.
        """
        key = architecture(plan, model)
        if key not in self._known:
            loaded = Loaded(plan.name, model)
            family = self.task.exportable(loaded, None)
            kind = "int8" if "int8" in family.formats else "dynamic"
            family = replace(family, tolerances={kind: Tolerance(np.inf)})
            with tempfile.TemporaryDirectory() as scratch:
                (made,) = exporting.export(loaded, family, Path(scratch) / "files")
            self._known[key] = {name: made[name] for name in ("file", "bytes", "milliseconds")}
        return self._known[key]


def architecture(plan: Plan, model: Any) -> str:
    """What a model is apart from its numbers."""
    free = ("seed", "name", "mean", "variance", "scale", "temperature", "provenance")
    arguments = {name: value for name, value in model.get_config().items() if name not in free}
    return json.dumps([plan.family, arguments], sort_keys=True)
