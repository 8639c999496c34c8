"""Trials: each is trained by the zoo's own way, on data that is read once, and leaves a record."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tuning import hparams
from tuning.halving import Halving, StoppedError, rungs
from tuning.records import ENDED, TRIALS, Record, Records, plan_of
from tuning.sizes import Sizes
from tuning.study import Study
from zoo.errors import ZooError
from zoo.tasks.running import Plan

_ATTEMPTS = 10
_SHOWN_SECONDS = 1.0


class RefusedError(ZooError):
    """A model is above a limit; it is not trained."""


class Trainer:
    """Runs trials one after another.

    Args:
        study: What is searched.
        folder: Of the search.
        watch: Called with the record of a trial whenever it changes.
    """

    def __init__(self, study: Study, folder: Path, watch: Callable[[Record], None] = lambda record: None) -> None:
        self.study, self.folder, self.watch = study, folder, watch
        self.records, self.sizes = Records(folder / TRIALS), Sizes(study.task)

    def run(
        self, number: int, plan: Plan, values: Mapping[str, Any], records: Records | None = None, name: str = ""
    ) -> Record:
        """Runs a trial, unless its record says how it ended.

        Args:
            number: Of the trial.
            plan: What to train.
            values: The hyper-parameters, as they were drawn.
            records: Where its record lies; by default among those of the search, which may stop it early.
            name: What people call it; its number by default.

        Returns:
            The record.
        """
        halving = records is None and self.study.halving and self.study.strategy != "hyperband"
        records = records or self.records
        before = records.find(number)
        if before and before["status"] in ENDED:
            return before
        record: Record = {
            "trial": number, "name": name or str(number), "status": "running", "reason": None, "score": None,
            "values": dict(values), "family": plan.family, "arguments": plan.arguments,
            "recipe": plan.recipe.to_json(), "epochs": 0, "rungs": before["rungs"] if before else {},
            "history": before["history"] if before else [], "started": time.time(), "seconds": 0.0, "attempts": 1,
            "oom_kills": _oom_kills(), "parameters": None, "file": None, "bytes": None, "milliseconds": None,
        }  # fmt: skip
        checkpoints = [records.checkpoint(number, part) for part in range(self.study.groups)]
        if before and not checkpoints[0].is_file():
            record["attempts"] = before["attempts"] + 1
        note = partial(self._note, records)
        note(record)
        try:
            self._check_attempts(record, before)
            self._train(plan, record, checkpoints, note, halving)
            record["status"] = "scored"
        except RefusedError as error:
            record |= {"status": "refused", "reason": str(error)}
        except StoppedError as error:
            record |= {"status": "stopped", "reason": str(error)}
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
        if records is self.records:
            hparams.log(record, self.folder / hparams.LOGS, self.study.measure)
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
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

    def _train(
        self, plan: Plan, record: Record, checkpoints: list[Path], note: Callable[[Record], None], halving: bool
    ) -> None:
        """Trains and scores on each part, and puts into the record what came of it."""
        found = []
        for place, (prepared, checkpoint) in enumerate(zip(self.study.parts, checkpoints, strict=True)):
            model = prepared.build(plan)
            measure = partial(self._measure, plan, model, record)
            callbacks: list[Any] = [_Progress(record, note)]
            if not place:
                self._count(model, record)
                if halving:
                    score, others = partial(self._score, prepared, model), self.records.all
                    callbacks.append(Halving(record, plan.recipe.epochs, score, others, self.study.maximize))
                    # A conversion takes as long as the epochs before the first rung, where most trials end.
                    callbacks.append(_After(rungs(plan.recipe.epochs)[:1], measure))
                else:
                    measure()
            fitted = prepared.fit(
                plan.recipe, model, checkpoint=checkpoint, callbacks=callbacks,
                identity={"arguments": model.get_config(), "data": prepared.data.sha256},
            )  # fmt: skip
            measure()
            found.append(prepared.scores(model))
            record |= {"best_epoch": fitted.best_epoch, "history": record["history"] if place else fitted.history}
        scores = {name: float(np.mean([part[name] for part in found])) for name in found[0]}
        if not np.isfinite(scores[self.study.measure]):
            raise ZooError(f"{self.study.measure} is {scores[self.study.measure]}")
        record |= {
            "scores": scores, "score": scores[self.study.measure],
            "parts": [part[self.study.measure] for part in found],
        }  # fmt: skip

    def _score(self, prepared: Any, model: Any, learner: Any) -> float:
        # A network that reads more rows in training has its weights apart.
        if learner is not model:
            model.set_weights(learner.get_weights())
        return float(prepared.scores(model)[self.study.measure])

    def _count(self, model: Any, record: Record) -> None:
        """Refuses a model that is too large whatever it is written as."""
        limits, count = self.study.limits, model.count_params()
        record |= {"parameters": count}
        _require("parameters", count, limits.parameters)
        # A weight takes a byte or more.
        _require("bytes or more", count, limits.bytes)

    def _measure(self, plan: Plan, model: Any, record: Record) -> None:
        """Refuses a model whose file is too large or too slow, where that is limited."""
        limits = self.study.limits
        if record["bytes"] is None and (limits.bytes is not None or limits.latency is not None):
            found = self.sizes.of(plan, model, self.study.parts[0])
            record |= found
            _require("bytes", found["bytes"], limits.bytes)
            _require("ms", found["milliseconds"], limits.latency)

    def measure(self, records: Records, leaders: Sequence[Record]) -> None:
        """Puts size and latency into the records of trials where they are not known yet."""
        for record in leaders:
            if record["bytes"] is None:
                plan = plan_of(record, self.study.base.name)
                records.write(record | self.sizes.of(plan, self.study.parts[0].build(plan), self.study.parts[0]))


def _require(what: str, value: float, most: float | None) -> None:
    if most is not None and value > most:
        raise RefusedError(f"{value:,} {what}; at most {most:,} are wanted")


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


class _After(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Does something after some epochs."""

    def __init__(self, epochs: Sequence[int], what: Callable[[], None]) -> None:
        super().__init__()
        self.epochs, self.what = epochs, what

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 in self.epochs:
            self.what()


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Notes in the record how far a trial is: after its first epoch, then at most once a second."""

    def __init__(self, record: Record, note: Callable[[Record], None]) -> None:
        super().__init__()
        self.record, self.note, self.noted = record, note, -np.inf
        self.before = record["epochs"]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.record["epochs"] = self.before + epoch + 1
        if not self.before:
            earlier = [row for row in self.record["history"] if row["epoch"] <= epoch]
            self.record["history"] = [*earlier, {"epoch": epoch + 1} | {k: float(v) for k, v in (logs or {}).items()}]
        if time.monotonic() - self.noted > _SHOWN_SECONDS:
            self.note(self.record)
            self.noted = time.monotonic()
