"""The trials of a search: their records, and their training as `zoo train` does it, on data that is read once.

A trial has one JSON file, which is its only state: a trial that has ended is not run again, and a running one resumes
from its checkpoint.
"""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import jobs
from zoo.errors import StorageError, ZooError
from zoo.exporting import artifacts
from zoo.exporting.artifacts import Tolerance
from zoo.files import read_json, temporary_folder, write_json
from zoo.loading import Loaded
from zoo.provenance import without_numbers
from zoo.recipe import Recipe
from zoo.search.spaces import Study
from zoo.task import task_of
from zoo.training import Training, fit

_LAYERS = {
    "GRU": (2900, 0), "LSTM": (2900, 0), "SimpleRNN": (840, 0), "Conv1D": (180, 0), "SeparableConv1D": (640, 43.3),
    "Dense": (0, 27), "Embedding": (0, 0), "TiedDense": (0, 27), "Magnitude": (620, 0), "Normalization": (400, 0),
}  # fmt: skip
"""Bytes of a layer beside those of its weights, and of each of its biases, which have scales in the file."""
_ROUGH = 0.05
"""Share by which a file is smaller or larger than `expected_bytes` at most: tests/search/test_search.py."""

Record = dict[str, Any]
"""Its `status` is `running`, `scored`, `failed` with a `reason`, or `refused`: above a limit, so not trained."""

TRIALS = "trials"
"""Folder of the records in the folder of a search."""

_ATTEMPTS = 5
_WEIGHTS = ("seed", "name", "dropout", "mean", "variance", "scale", "temperature", "provenance", "initializer",
            "weight_decay", "sparsity_target", "sparsity_weight")  # fmt: skip
"""Constructor arguments that change neither size nor latency."""


def ranked(records: Sequence[Record], maximize: bool) -> list[Record]:
    """The scored trials, the best first. Of trials with equal values only the best is included."""
    scored = [record for record in records if record["status"] == "scored"]
    unique: dict[str, Record] = {}
    for record in sorted(scored, key=lambda record: record["score"], reverse=maximize):
        drawn = {name: value for name, value in record["values"].items() if not name.startswith("tuner/")}
        unique.setdefault(json.dumps(drawn, sort_keys=True), record)
    return list(unique.values())


def plan_of(record: Record, study: Study) -> Training:
    """The plan of a trial."""
    recipe = Recipe.from_json(record["recipe"])
    return replace(study.outline, family=record["family"], arguments=record["arguments"], recipe=recipe)


def expected_bytes(model: Any) -> float | None:
    """About the size of the int8 file of a model: a weight takes a byte, and each layer its operations and scales.

    None for a task that states no `int8_bytes`, or with weights in other layers.
    """
    task, layers = task_of(model), 0.0
    weighted = {type(layer).__name__ for layer in model.layers if layer.weights}
    if task.int8_bytes is None or not weighted <= _LAYERS.keys():
        return None
    for layer in model.layers:
        fixed, each = _LAYERS.get(type(layer).__name__, (0, 0))
        layers += fixed + each * sum(weight.shape[0] for weight in layer.weights if len(weight.shape) == 1)
    (file, copies), metadata = task.int8_bytes, json.dumps(task.metadata(model).to_json(), separators=(",", ":"))
    return file + len(metadata) + copies * (layers + int(model.count_params()))


class RefusedError(ZooError):
    """A model exceeds a limit and is not trained."""


class Trials:
    """The trials in a folder, by their names: `7`, or `7, seed 10012` for one that is trained again.

    The function `show` is called with all records whenever a trial changes in this process.
    """

    def __init__(
        self, study: Study, folder: Path, show: Callable[[Sequence[Record]], None] = lambda records: None
    ) -> None:
        self.study, self.folder, self.show = study, folder, show
        self._ended: dict[str, Record] = {}
        self._sizes: dict[str, Record] = {}

    def path(self, name: str, suffix: str = ".json") -> Path:
        """A file of a trial."""
        return self.folder / (name.replace(", seed ", "-") + suffix)

    def begin(self, name: str, trial: int, plan: Training, values: Mapping[str, Any], **facts: Any) -> Record:
        """Writes the record of a trial with these values of the hyperparameters, unless there is one; returns it."""
        if not self.path(name).is_file():
            self.write({
                "trial": trial, "name": name, "status": "running", "reason": None, "score": None,
                "values": dict(values), "family": plan.family, "arguments": plan.arguments,
                "recipe": plan.recipe.to_json(), "epochs": 0, "started": time.time(), "seconds": 0.0, "attempts": 0,
                "parameters": None, "file": None, "bytes": None, "milliseconds": None, **facts,
            })  # fmt: skip
        return self.read(name)

    def read(self, name: str) -> Record:
        """The record of a trial."""
        if name not in self._ended:
            record: Record = read_json(self.path(name))
            if record["status"] == "running":
                return record
            self._ended[name] = record
        return self._ended[name]

    def all(self) -> list[Record]:
        """All records, ordered by trial and seed."""
        records = [self.read(path.stem.replace("-", ", seed ")) for path in self.folder.glob("[0-9]*.json")]
        return sorted(records, key=lambda record: (record["trial"], record["recipe"]["seed"]))

    def write(self, record: Record) -> None:
        """Writes a record."""
        write_json(self.path(record["name"]), record)
        self._ended.pop(record["name"], None)

    def _note(self, record: Record) -> None:
        self.write(record)
        self.show(self.all())

    def run(self, name: str) -> Record:
        """Runs a trial that has a record, unless it has ended, and returns its final record."""
        record = self.read(name)
        if record["status"] != "running":
            return record
        checkpoints = [self.path(name, f".{part}.npz") for part in range(self.study.groups)]
        attempts = 1 if checkpoints[0].is_file() else record["attempts"] + 1
        record |= {"epochs": 0, "steps": 0, "started": time.time(), "attempts": attempts}
        self._note(record)
        try:
            self._train(plan_of(record, self.study), record, checkpoints)
            record["status"] = "scored"
        except RefusedError as error:
            record |= {"status": "refused", "reason": str(error)}
        except StorageError:
            # The machine fails, not the trial, which runs again when the search is resumed.
            raise
        except OSError as error:
            raise ZooError(str(error)) from error
        except Exception as error:
            # A failure of one combination of values does not end the search.
            record |= {"status": "failed", "reason": jobs.reason(error)}
        record["seconds"] = round(time.time() - record["started"], 2)
        self._note(record)
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
        gc.collect()
        return record

    def _train(self, plan: Training, record: Record, checkpoints: Sequence[Path]) -> None:
        """Trains and scores a model on each part of the data, and records the scores."""
        if record["attempts"] > _ATTEMPTS:
            raise ZooError(f"its process died {_ATTEMPTS} times before the first epoch ended: perhaps memory is short")
        task, measure, note = self.study.task, self.study.measure, jobs.throttled(self._note)
        parts = []
        for split, checkpoint in zip(self.study.parts, checkpoints, strict=True):
            model, before = task.build(plan, split), record["epochs"]
            if not before:
                self._check(plan, model, record)

            def on_epoch_end(epoch: int, logs: Any, before: int = before) -> None:
                record["epochs"] = before + epoch + 1
                note(record)

            fitted = fit(
                model, plan.recipe, task.feed(model, split, plan.recipe), checkpoint=checkpoint,
                callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
                identity=plan.identity(model, split.data),
            )  # fmt: skip
            record["best_epoch"] = fitted.best_epoch
            record["steps"] += fitted.steps * len(fitted.history)
            parts.append(task.scores(model, split))
        scores = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        if not np.isfinite(scores[measure]):
            raise ZooError(f"{measure} is {scores[measure]}")
        record |= {"scores": scores, "score": scores[measure], "parts": [float(part[measure]) for part in parts]}

    def _check(self, plan: Training, model: Any, record: Record) -> None:
        """Refuses a model above a limit. It is exported only if its latency is limited, or its size near the limit."""
        limits, size, parameters = self.study.limits, expected_bytes(model), model.count_params()
        # A weight takes a byte or more.
        least, most = (parameters, np.inf) if size is None else (round((1 - _ROUGH) * size), (1 + _ROUGH) * size)
        record |= {"parameters": parameters, "least_bytes": least}
        near = limits.bytes if (limits.bytes or np.inf) < most else None
        bounds = [("parameters", limits.parameters, "parameters"), ("least_bytes", limits.bytes, "bytes or more"),
                  ("bytes", near, "bytes"), ("milliseconds", limits.latency, "ms")]  # fmt: skip
        for key, limit, unit in bounds:
            if limit is None:
                continue
            if record[key] is None:
                record |= self._size(plan, model)
            if record[key] > limit:
                raise RefusedError(f"{record[key]:,} {unit}; the limit is {limit:,}")

    def measure(self, leaders: Sequence[Record]) -> None:
        """Records size and latency of trials where they have not been measured."""
        for record in leaders:
            if record["bytes"] is None:
                plan = plan_of(record, self.study)
                self.write(record | self._size(plan, self.study.task.build(plan, self.study.parts[0])))

    def _size(self, plan: Training, model: Any) -> Record:
        """The `file`, `bytes` and `milliseconds` per call of the smallest file, measured once for each architecture."""
        arguments = {name: value for name, value in model.get_config().items() if name not in _WEIGHTS}
        key = json.dumps([plan.family, without_numbers(arguments)], sort_keys=True)
        if key not in self._sizes:
            loaded = Loaded(plan.name, model)
            family = self.study.task.exportable(loaded, None)
            # TFLite has no integers for some layers.
            kind = "dynamic" if "int8" in family.impossible else "int8"
            family = replace(family, tolerances={kind: Tolerance(np.inf)})
            with temporary_folder() as scratch:
                (artifact,) = artifacts.export(loaded, family, scratch / "files")
            self._sizes[key] = {name: artifact[name] for name in ("file", "bytes", "milliseconds")}
        return self._sizes[key]
