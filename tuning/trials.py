"""Trials of a search, which train models as `zoo train` does, on data that is read once, and write records."""

import gc
import time
from collections.abc import Callable, Sequence
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
from zoo.errors import StorageError, ZooError
from zoo.tasks.running import Plan

_ATTEMPTS = 10
_SHOWN_SECONDS = 1.0


class RefusedError(ZooError):
    """A model exceeds a limit and is not trained."""


class Trainer:
    """Runs trials one after another.

    Args:
        study: Study to search.
        folder: Folder of the search.
        on_change: Function that is called with the record of a trial whenever it changes.
    """

    def __init__(self, study: Study, folder: Path, on_change: Callable[[Record], None] = lambda record: None) -> None:
        self.study, self.folder, self.on_change = study, folder, on_change
        self.records, self.sizes = Records(folder / TRIALS), Sizes(study.task)

    def run(self, record: Record, records: Records | None = None) -> Record:
        """Runs a trial, unless it has ended.

        Args:
            record: Record of the trial.
            records: Records to write to. Those of the search by default, whose trials may be stopped early.

        Returns:
            The final record.

        Raises:
            ZooError: If this machine fails, for example because the disk is full. The trial runs again when the search
                is resumed.
        """
        halving = records is None and self.study.halving and self.study.strategy != "hyperband"
        records = records or self.records
        if record["status"] in ENDED:
            return record
        checkpoints = [records.checkpoint(record["trial"], part) for part in range(self.study.groups)]
        earlier, kills = record["attempts"], _oom_kills()
        killed = bool(earlier) and kills > record["oom_kills"]
        record |= {
            "epochs": 0, "started": time.time(), "oom_kills": kills,
            "attempts": 1 if checkpoints[0].is_file() else earlier + 1,
        }  # fmt: skip
        note = partial(self._note, records)
        note(record)
        try:
            _check_attempts(record["attempts"], killed)
            self._train(plan_of(record, self.study.base.name), record, checkpoints, note, halving)
            record["status"] = "scored"
        except RefusedError as error:
            record |= {"status": "refused", "reason": str(error)}
        except StoppedError as error:
            record |= {"status": "stopped", "reason": str(error)}
        except (MemoryError, tf.errors.ResourceExhaustedError):
            record |= {"status": "failed", "reason": "out of memory"}
        except (OSError, StorageError):
            # The machine fails, not the trial.
            raise
        except ZooError as error:
            record |= {"status": "failed", "reason": str(error)}
        except Exception as error:
            # A failure of one combination of values does not end the search.
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
        self.on_change(record)

    def _train(
        self, plan: Plan, record: Record, checkpoints: list[Path], note: Callable[[Record], None], halving: bool
    ) -> None:
        """Trains and scores a model on each part of the data, and records the scores."""
        parts = []
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
            parts.append(prepared.scores(model))
            record |= {"best_epoch": fitted.best_epoch, "history": record["history"] if place else fitted.history}
        scores = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        if not np.isfinite(scores[self.study.measure]):
            raise ZooError(f"{self.study.measure} is {scores[self.study.measure]}")
        record |= {
            "scores": scores, "score": scores[self.study.measure],
            "parts": [part[self.study.measure] for part in parts],
        }  # fmt: skip

    def _score(self, prepared: Any, model: Any, learner: Any) -> float:
        # A network that reads more rows in training is another model with its own weights.
        if learner is not model:
            model.set_weights(learner.get_weights())
        return float(prepared.scores(model)[self.study.measure])

    def _count(self, model: Any, record: Record) -> None:
        """Checks the number of parameters, which limits the size in any format."""
        limits, count = self.study.limits, model.count_params()
        record |= {"parameters": count}
        _require("parameters", count, limits.parameters)
        # A weight takes a byte or more.
        _require("bytes or more", count, limits.bytes)

    def _measure(self, plan: Plan, model: Any, record: Record) -> None:
        """Checks size and latency of the exported file, if they are limited."""
        limits = self.study.limits
        if record["bytes"] is None and (limits.bytes is not None or limits.latency is not None):
            sizes = self.sizes.of(plan, model, self.study.parts[0])
            record |= sizes
            _require("bytes", sizes["bytes"], limits.bytes)
            _require("ms", sizes["milliseconds"], limits.latency)

    def measure(self, records: Records, leaders: Sequence[Record]) -> None:
        """Records size and latency of trials where they have not been measured."""
        for record in leaders:
            if record["bytes"] is None:
                plan = plan_of(record, self.study.base.name)
                records.write(record | self.sizes.of(plan, self.study.parts[0].build(plan), self.study.parts[0]))


def _check_attempts(attempts: int, killed: bool) -> None:
    """Gives up a trial that crashes its process every time."""
    if killed:
        raise MemoryError
    if attempts > _ATTEMPTS:
        raise ZooError(f"its process died {_ATTEMPTS} times before the first epoch ended")


def _require(what: str, value: float, limit: float | None) -> None:
    if limit is not None and value > limit:
        raise RefusedError(f"{value:,} {what}; the limit is {limit:,}")


def _oom_kills() -> int:
    """Counts the processes that the kernel has killed for lack of memory, in this container if there is one."""
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
    """Calls a function after some epochs."""

    def __init__(self, epochs: Sequence[int], function: Callable[[], None]) -> None:
        super().__init__()
        self.epochs, self.function = epochs, function

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 in self.epochs:
            self.function()


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Records the epoch that a trial has reached: after its first epoch, then at most once a second."""

    def __init__(self, record: Record, note: Callable[[Record], None]) -> None:
        super().__init__()
        self.record, self.note, self.last_noted = record, note, -np.inf
        self.before = record["epochs"]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.record["epochs"] = self.before + epoch + 1
        if not self.before:
            earlier = [row for row in self.record["history"] if row["epoch"] <= epoch]
            self.record["history"] = [*earlier, {"epoch": epoch + 1} | {k: float(v) for k, v in (logs or {}).items()}]
        if time.monotonic() - self.last_noted > _SHOWN_SECONDS:
            self.note(self.record)
            self.last_noted = time.monotonic()
