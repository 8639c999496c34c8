"""Trials of a search, which train models as `zoo train` does, on data that is read once, and write records."""

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo import jobs
from zoo.errors import StorageError, ZooError
from zoo.search import hparams
from zoo.search.halving import StoppedError, require_better_half, rungs
from zoo.search.records import ENDED, TRIALS, Record, Records, plan_of
from zoo.search.sizes import Sizes
from zoo.search.study import Study
from zoo.training import Training, fit

_ATTEMPTS = 10

Show = Callable[[Sequence[Record]], None]
"""A function that is called with all records whenever one changes."""


class RefusedError(ZooError):
    """A model exceeds a limit and is not trained."""


class Trainer:
    """Runs trials one after another.

    Args:
        study: Study to search.
        folder: Folder of the search.
        kind: Folder of the records in it. Only trials of the search itself may be stopped early, and are logged.
        show: Function that is called with all records whenever one changes.
    """

    def __init__(self, study: Study, folder: Path, kind: str = TRIALS, show: Show = lambda records: None) -> None:
        self.study, self.show = study, show
        self.records, self.sizes = Records(folder / kind), Sizes(study.task)
        self.logs = folder / hparams.LOGS if kind == TRIALS else None
        self.halving = kind == TRIALS and study.halving and study.strategy != "hyperband"

    def run(self, number: int) -> Record:
        """Runs a trial, unless it has ended.

        Args:
            number: Number of the trial, which has a record.

        Returns:
            The final record.

        Raises:
            OSError, StorageError: If this machine fails, for example because the disk is full. The trial runs again
                when the search is resumed.
        """
        record = self.records.read(number)
        if record["status"] in ENDED:
            return record
        checkpoints = [self.records.checkpoint(number, part) for part in range(self.study.groups)]
        earlier, kills = record["attempts"], _oom_kills()
        killed = bool(earlier) and kills > record["oom_kills"]
        record |= {
            "epochs": 0, "started": time.time(), "oom_kills": kills,
            "attempts": 1 if checkpoints[0].is_file() else earlier + 1,
        }  # fmt: skip
        self._note(record)
        try:
            _check_attempts(record["attempts"], killed)
            self._train(plan_of(record, self.study.base.name), record, checkpoints)
            record["status"] = "scored"
        except RefusedError as error:
            record |= {"status": "refused", "reason": str(error)}
        except StoppedError as error:
            record |= {"status": "stopped", "reason": str(error)}
        except (OSError, StorageError):
            # The machine fails, not the trial.
            raise
        except Exception as error:
            # A failure of one combination of values does not end the search.
            record |= {"status": "failed", "reason": jobs.reason(error)}
        record["seconds"] = round(time.time() - record["started"], 2)
        self._note(record)
        if self.logs is not None:
            hparams.log(record, self.logs, self.study.measure)
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
        gc.collect()
        return record

    def _note(self, record: Record) -> None:
        self.records.write(record)
        self.show(self.records.all())

    def _train(self, plan: Training, record: Record, checkpoints: Sequence[Path]) -> None:
        """Trains and scores a model on each part of the data, and records the scores."""
        parts = [self._train_part(place, plan, record, checkpoint) for place, checkpoint in enumerate(checkpoints)]
        scores = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
        measure = self.study.measure
        if not np.isfinite(scores[measure]):
            raise ZooError(f"{measure} is {scores[measure]}")
        record |= {"scores": scores, "score": scores[measure], "parts": [part[measure] for part in parts]}

    def _train_part(self, place: int, plan: Training, record: Record, checkpoint: Path) -> dict[str, float]:
        split, task = self.study.parts[place], self.study.task
        model = task.build(plan, split)
        scored = rungs(plan.recipe.epochs) if self.halving and not place else []

        def on_epoch_end(epoch: int, learner: Any) -> None:
            if epoch not in scored:
                return
            # A network that reads more rows in training is another model with its own weights.
            if learner is not model:
                model.set_weights(learner.get_weights())
            record["rungs"][str(epoch)] = float(task.scores(model, split)[self.study.measure])
            require_better_half(record, epoch, self.records.all(), self.study.maximize)
            self._measure(plan, model, record)

        self._count(model, record)
        if not scored:
            # With rungs, a conversion takes as long as the epochs before the first one, where most trials end.
            self._measure(plan, model, record)
        fitted = fit(
            model, plan.recipe, task.feed(model, split, plan.recipe), checkpoint=checkpoint,
            callbacks=[_Progress(record, self._note, on_epoch_end)],
            identity={"arguments": model.get_config(), "data": split.data.sha256},
        )  # fmt: skip
        self._measure(plan, model, record)
        record |= {"best_epoch": fitted.best_epoch, "history": record["history"] if place else fitted.history}
        return task.scores(model, split)

    def _count(self, model: Any, record: Record) -> None:
        """Checks the number of parameters, which limits the size in any format."""
        limits, count = self.study.limits, model.count_params()
        record["parameters"] = count
        _require("parameters", count, limits.parameters)
        # A weight takes a byte or more.
        _require("bytes or more", count, limits.bytes)

    def _measure(self, plan: Training, model: Any, record: Record) -> None:
        """Checks size and latency of the exported file, if they are limited."""
        limits = self.study.limits
        if record["bytes"] is None and (limits.bytes is not None or limits.latency is not None):
            sizes = self.sizes.of(plan, model)
            record |= sizes
            _require("bytes", sizes["bytes"], limits.bytes)
            _require("ms", sizes["milliseconds"], limits.latency)

    def measure(self, leaders: Sequence[Record]) -> None:
        """Records size and latency of trials where they have not been measured."""
        for record in leaders:
            if record["bytes"] is None:
                plan = plan_of(record, self.study.base.name)
                self.records.write(record | self.sizes.of(plan, self.study.task.build(plan, self.study.parts[0])))


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
        for line in path.read_text().splitlines() if path.is_file() else ():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Records the epoch that a trial has reached, after its first epoch and then at most once a second.

    Args:
        record: Record of the trial.
        note: Function that writes it.
        on_end: Function that is then called with the number of epochs and the network that is being trained.
    """

    def __init__(self, record: Record, note: Callable[[Record], None], on_end: Callable[[int, Any], None]) -> None:
        super().__init__()
        self.record, self.note, self.on_end = record, jobs.throttled(note), on_end
        self.before = record["epochs"]

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if not all(np.isfinite(value) for value in (logs or {}).values()):
            # No epoch to record: the training ends here, and says why.
            return
        self.record["epochs"] = self.before + epoch + 1
        if not self.before:
            earlier = [row for row in self.record["history"] if row["epoch"] <= epoch]
            self.record["history"] = [*earlier, {"epoch": epoch + 1} | {k: float(v) for k, v in (logs or {}).items()}]
        self.note(self.record)
        self.on_end(epoch + 1, self.model)
