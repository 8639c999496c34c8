"""Trials: each is trained by the zoo's own way, and leaves a record that says what became of it.

A record is one JSON file, written whole, that outlives whoever wrote it: a trial whose record has ended is never run
again, and one that was running when its process died is run again from its checkpoint.
"""

import gc
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tuning.study import Study
from zoo.errors import ZooError
from zoo.export.parity import Tolerance
from zoo.files import read_json, write_json
from zoo.recipes import Recipe
from zoo.tasks import exporting
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan

Record = dict[str, Any]
ENDED = ("scored", "failed", "refused")
"""What can become of a trial: it has a score; it has none, and a reason; or its model is above a limit."""

TRIALS = "trials"
"""The folder of a search's records."""

_ATTEMPTS = 10
_GOLDEN = 100
_SHOWN_SECONDS = 1.0


class RefusedError(ZooError):
    """A model is above a limit; it is not trained."""


class Records:
    """Records, a file each.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ended: dict[Path, Record] = {}

    def path(self, number: int) -> Path:
        """Where the record of a trial lies."""
        return self.folder / f"{number:04d}.json"

    def find(self, number: int) -> Record | None:
        """The record of a trial, or None where it has not begun."""
        path = self.path(number)
        return self._read(path) if path.is_file() else None

    def all(self) -> list[Record]:
        """All records in the order of their numbers."""
        return [self._read(path) for path in sorted(self.folder.glob("[0-9]*.json"))]

    def write(self, record: Record) -> None:
        """Writes a record whole."""
        write_json(self.path(record["trial"]), record)

    def _read(self, path: Path) -> Record:
        if path not in self._ended:
            record: Record = read_json(path)
            if record["status"] not in ENDED:
                return record
            self._ended[path] = record
        return self._ended[path]


class Trainer:
    """Runs trials one after another; data is read once.

    Args:
        study: What is searched.
        folder: Of the search.
        watch: Called with the record of a trial whenever it changes.
    """

    def __init__(self, study: Study, folder: Path, watch: Callable[[Record], None] = lambda record: None) -> None:
        self.study, self.watch = study, watch
        self.records = Records(folder / TRIALS)
        self._measured: dict[str, Record] = {}

    @cached_property
    def prepared(self) -> Any:
        """The data, read and split.

        Raises:
            ZooError: If the file cannot be read, or nobody in it can be set aside for validation.
        """
        study = self.study
        recipe = study.outline.recipe
        if not recipe.validation:
            raise ZooError("validation is 0: a search needs something to score on, such as --set validation=0.2")
        prepared = study.task.prepare(study.data, recipe, **({} if study.levels is None else {"levels": study.levels}))
        if study.task.KIND == "activity" and recipe.validation_by == "subject" and not prepared.validation.people():
            raise ZooError(
                f"{study.data}: no subject ids (trS), so nobody can be set aside for validation: add them, or "
                "--set validation_by=window, which claims too much"
            )
        return prepared

    def run(self, number: int, plan: Plan, values: Mapping[str, Any], records: Records | None = None) -> Record:
        """Runs a trial, unless its record says how it ended.

        Args:
            number: Of the trial.
            plan: What to train.
            values: The hyper-parameters, as they were drawn.
            records: Where its record lies; those of the search by default.

        Returns:
            The record.
        """
        records = records or self.records
        before = records.find(number)
        if before and before["status"] in ENDED:
            return before
        record: Record = {
            "trial": number, "status": "running", "reason": None, "score": None, "values": dict(values),
            "family": plan.family, "arguments": plan.arguments, "recipe": plan.recipe.to_json(), "epochs": 0,
            "started": time.time(), "seconds": 0.0, "attempts": 1, "oom_kills": _oom_kills(),
        }  # fmt: skip
        checkpoint = records.path(number).with_suffix(".npz")
        if before and not checkpoint.is_file():
            record["attempts"] = before["attempts"] + 1
        note = partial(self._note, records)
        note(record)
        try:
            self._check_attempts(record, before)
            record |= self._train(plan, _Progress(record, note), checkpoint) | {"status": "scored"}
        except RefusedError as error:
            record |= {"status": "refused", "reason": str(error)}
        except (MemoryError, tf.errors.ResourceExhaustedError):
            record |= {"status": "failed", "reason": "out of memory"}
        except ZooError as error:
            record |= {"status": "failed", "reason": str(error)}
        except Exception as error:
            # Whatever a strange combination brings about is its own failure, not the search's.
            reason = " ".join(str(error).split())[:300]
            record |= {"status": "failed", "reason": f"{type(error).__name__}: {reason}"}
        record["seconds"] = round(time.time() - record["started"], 2)
        note(record)
        checkpoint.unlink(missing_ok=True)
        keras.backend.clear_session()
        gc.collect()
        return record

    def _note(self, records: Records, record: Record) -> None:
        records.write(record)
        self.watch(record)

    def _check_attempts(self, record: Record, before: Record | None) -> None:
        """Gives up a trial that takes its process with it."""
        if before and before["oom_kills"] < record["oom_kills"]:
            raise MemoryError
        if record["attempts"] > _ATTEMPTS:
            raise ZooError(f"its process died {_ATTEMPTS} times before the first epoch ended")

    def _train(self, plan: Plan, progress: "_Progress", checkpoint: Path) -> Record:
        limits, prepared = self.study.limits, self.prepared
        model = prepared.build(plan)
        found: Record = {"parameters": model.count_params(), "file": None, "bytes": None, "milliseconds": None}
        _require("parameters", found["parameters"], limits.parameters)
        # A weight takes a byte or more, so nothing need be converted to know this.
        _require("bytes or more", found["parameters"], limits.bytes)
        if limits.bytes is not None or limits.latency is not None:
            found |= self.measured(plan, model)
            _require("bytes", found["bytes"], limits.bytes)
            _require("ms", found["milliseconds"], limits.latency)
        progress.record |= found
        identity = {"arguments": model.get_config(), "data": prepared.sha256}
        fitted = prepared.fit(plan.recipe, model, checkpoint=checkpoint, identity=identity, callbacks=[progress])
        scores = prepared.scores(model)
        score = scores[self.study.measure]
        if not np.isfinite(score):
            raise ZooError(f"{self.study.measure} is {score}")
        return {
            **found, "scores": scores, "score": score, "epochs": len(fitted.history), "best_epoch": fitted.best_epoch,
            "training_seconds": round(fitted.seconds, 2), "history": fitted.history,
        }  # fmt: skip

    def measured(self, plan: Plan, model: Any) -> Record:
        """Size and latency of the smallest file that the model can be written as: `file`, `bytes`, `milliseconds`.

        They hang on the architecture alone, so each is converted once, untrained, and not compared.
        """
        architecture = {k: v for k, v in model.get_config().items() if k not in ("seed", "name", "mean", "variance")}
        key = json.dumps([plan.family, architecture], sort_keys=True)
        if key not in self._measured:
            loaded = Loaded(plan.name, self.prepared.metadata(plan, model), {}, model)
            family = self.study.task.exportable(loaded, None)
            kind = "int8" if "int8" in family.formats else "dynamic"
            golden = {name: {k: rows[:_GOLDEN] for k, rows in inputs.items()} for name, inputs in family.golden.items()}
            family = replace(family, golden=golden, tolerances={kind: Tolerance(np.inf)}, score=lambda outputs: {})
            with tempfile.TemporaryDirectory() as scratch:
                (made,) = exporting.export(loaded, family, Path(scratch) / "files")
            self._measured[key] = {name: made[name] for name in ("file", "bytes", "milliseconds")}
        return self._measured[key]


def _require(what: str, value: float, most: float | None) -> None:
    if most is not None and value > most:
        raise RefusedError(f"{value:,} {what}; at most {most:,} are wanted")


def plan_of(record: Record, name: str) -> Plan:
    """The plan that a record's trial trained."""
    return Plan(name, record["family"], record["arguments"], Recipe.from_json(record["recipe"]))


def _oom_kills() -> int:
    """How many processes the kernel has killed for want of memory, in this container where there is one."""
    for path in (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        counts = [int(line.split()[1]) for line in lines if line.startswith("oom_kill ")]
        if counts:
            return counts[0]
    return 0


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Notes in the record how far a trial is, at most once a second."""

    def __init__(self, record: Record, note: Callable[[Record], None]) -> None:
        super().__init__()
        self.record, self.note, self.noted = record, note, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.record["epochs"] = epoch + 1
        if time.monotonic() - self.noted > _SHOWN_SECONDS:
            self.note(self.record)
            self.noted = time.monotonic()
