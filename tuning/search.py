"""The search itself, by keras-tuner's strategies: the one door to keras-tuner.

keras-tuner draws the values; the zoo trains. What keras-tuner keeps on the disk is written whole, and read again so
that a search that was killed at any moment goes on: trials that were running are given out again, to the worker that
had them where it comes back, and no trial is lost or run twice.
"""

import contextlib
import functools
import io
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import keras_tuner as kt
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)
from keras_tuner.src import config

from tuning import spaces, workers
from tuning.records import TRIALS, Records
from tuning.spaces import Pinned
from tuning.study import Study
from tuning.trials import Trainer
from zoo.files import read_json, write_json

# A trial that fails has a record with its reason; keras-tuner would print each with a traceback.
config.DEBUG = False

_TRIALS_A_PROCESS = 50
_FOLDER = "oracle"
_NEVER = 10**9
_REFUSED = 20
"""A search gives up when it has drawn this many models above the limits for each trial that it may score."""


class _Surviving:
    """An oracle whose files are whole at any moment, and which a killed search goes on from.

    Args:
        study: What is searched.
        folder: Of the search.
        **options: Of keras-tuner's oracle.
    """

    trials: dict[str, Any]
    start_order: list[str]
    end_order: list[str]

    def __init__(self, study: Study, folder: Path, **options: Any) -> None:
        space = kt.HyperParameters()
        spaces.find(study.task.name, study.space)(Pinned(space, study.pinned))
        super().__init__(
            objective=kt.Objective(study.measure, study.direction), hyperparameters=space, seed=study.first_seed + 1,
            max_consecutive_failed_trials=_NEVER, **options,
        )  # type: ignore[call-arg]  # fmt: skip
        self.study, self.records = study, Records(folder / TRIALS)
        self.max_trials = study.trials
        self.verbose = 0
        self._owners: dict[str, str] = {}
        self._requeued: list[str] = []

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The first trial is the preset, as near as the space comes to it."""
        if self.start_order:
            return super().populate_space(trial_id)  # type: ignore[misc,no-any-return]
        drawn: dict[str, Any] = super().populate_space(trial_id)  # type: ignore[misc]
        hp = self.hyperparameters.copy()  # type: ignore[attr-defined]
        known = self.study.first_values()
        hp.values = {p.name: known[p.name] if _admits(p, known.get(p.name)) else p.default for p in hp.space}
        hp.ensure_active_values()
        own = {name: value for name, value in drawn["values"].items() if name.startswith("tuner/")}
        values = {p.name: hp.values[p.name] for p in hp.space if hp.is_active(p)}
        return {"status": drawn["status"], "values": values | own}

    @kt.synchronized  # type: ignore[untyped-decorator]
    def create_trial(self, tuner_id: str) -> Any:
        """Gives out a trial: the one that this worker had when it died, else a new one, else one of a lost worker."""
        refused = sum(record["status"] == "refused" for record in self.records.all())
        self.max_trials = self.study.trials + min(refused, _REFUSED * self.study.trials)
        own = [trial for trial in self._requeued if self._owners.get(trial) == tuner_id]
        self._retry_queue = own
        trial = super().create_trial(tuner_id)  # type: ignore[misc]
        if trial.status != "RUNNING" and self._requeued:
            self._retry_queue = self._requeued[:1]
            trial = super().create_trial(tuner_id)  # type: ignore[misc]
        self._retry_queue = []
        if trial.status == "RUNNING":
            self._requeued = [waiting for waiting in self._requeued if waiting != trial.trial_id]
            self._owners[trial.trial_id] = tuner_id
            self.save()
        return trial

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"owners": self._owners}  # type: ignore[misc,no-any-return]

    def save(self) -> None:
        write_json(Path(self._get_oracle_fname()), self.get_state())  # type: ignore[attr-defined]

    def _save_trial(self, trial: Any) -> None:
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())  # type: ignore[attr-defined]

    def reload(self) -> None:
        """Takes up what was saved; what was begun and not ended waits to be given out again."""
        super().reload()  # type: ignore[misc]
        self._owners = read_json(Path(self._get_oracle_fname()))["owners"]  # type: ignore[attr-defined]
        for trial_id in set(self.trials) - set(self.start_order):
            # Its process died between two files: the oracle does not know it, and will draw it again.
            shutil.rmtree(self._get_trial_dir(trial_id))  # type: ignore[attr-defined]
            del self.trials[trial_id]
        self._retry_queue = []
        self._requeued = [trial_id for trial_id in self.start_order if self.trials[trial_id].status == "RUNNING"]
        self.end_order += [t for t in self.start_order if t not in {*self.end_order, *self._requeued}]


def _admits(parameter: Any, value: Any) -> bool:
    """Whether a hyper-parameter can have a value."""
    if value is None:
        return False
    if isinstance(parameter, kt.engine.hyperparameters.Choice):
        return value in parameter.values
    return bool(parameter.min_value <= value <= parameter.max_value)


class _Random(_Surviving, RandomSearchOracle):  # type: ignore[misc]  # keras-tuner has no types
    pass


class _Hyperband(_Surviving, HyperbandOracle):  # type: ignore[misc]
    pass


class _Bayesian(_Surviving, BayesianOptimizationOracle):  # type: ignore[misc]
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """What has no score counts as no better than the worst, so that the search keeps away from it."""
        scores = [trial.score for trial in self.trials.values() if trial.status == "COMPLETED"]
        if not scores:
            return super().populate_space(trial_id)
        unscored = [trial for trial in self.trials.values() if trial.status == "FAILED"]
        for trial in unscored:
            trial.status, trial.score = "COMPLETED", self._supposed(trial, scores)
        try:
            return super().populate_space(trial_id)
        finally:
            for trial in unscored:
                trial.status, trial.score = "FAILED", None

    def _supposed(self, trial: Any, scores: list[float]) -> float:
        """The last score of a trial that was stopped, where it is worse than all that ran to their end."""
        record = self.records.find(int(trial.trial_id)) or {}
        last = list(record.get("rungs", {}).values())[-1:]
        worst: float = (min if self.study.maximize else max)([*scores, *last])
        return worst


class _Grid(_Surviving, GridSearchOracle):  # type: ignore[misc]
    def reload(self) -> None:
        """Finds its place in the grid again, which keras-tuner does not keep."""
        super().reload()
        values = {trial_id: trial.hyperparameters.values for trial_id, trial in self.trials.items()}

        def compare(a: str, b: str) -> int:
            return int(self._compare(values[a], values[b]))

        self._populate_next = sorted(values, key=functools.cmp_to_key(compare))
        for trial_id in self._populate_next:
            self._ordered_ids.insert(trial_id)


def _oracle(study: Study, folder: Path) -> Any:
    made: Mapping[str, Callable[[], Any]] = {
        "random": lambda: _Random(study, folder),
        "hyperband": lambda: _Hyperband(study, folder, max_epochs=study.epochs, hyperband_iterations=_NEVER),
        # A third at random, as keras-tuner's three for each of two dozen dimensions would leave nothing to learn from.
        "bayesian": lambda: _Bayesian(study, folder, num_initial_points=max(3, study.trials // 3)),
        "grid": lambda: _Grid(study, folder),
    }
    return made[study.strategy]()


class _Tuner(kt.Tuner):  # type: ignore[misc]
    """Runs the trials that the oracle gives out, by the zoo's own training."""

    def __init__(self, oracle: Any, trainer: Trainer, folder: Path) -> None:
        self.trainer, self._waiting, self._ended = trainer, False, 0
        # It tells on standard output that it reloads.
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(oracle, directory=str(folder), project_name=_FOLDER)

    def run_trial(self, trial: Any, *arguments: Any, **options: Any) -> dict[str, float]:
        number, hp = int(trial.trial_id), trial.hyperparameters
        study = self.trainer.study
        plan = study.plan(hp, study.first_seed + 1 + number, hp.values.get("tuner/epochs"))
        record = self.trainer.run(number, plan, hp.values)
        if record["status"] != "scored":
            raise kt.errors.FailedTrialError(record["reason"])
        return {study.measure: record["score"]}

    def pre_create_trial(self) -> None:
        # keras-tuner asks again at once where there is nothing to do yet.
        if self._waiting:
            time.sleep(0.5)
        self._waiting = True

    def on_trial_begin(self, trial: Any) -> None:
        self._waiting = False

    def on_trial_end(self, trial: Any) -> None:
        super().on_trial_end(trial)
        self._ended += 1
        if self._ended == _TRIALS_A_PROCESS:
            workers.recycle()

    # All that a search must remember is the oracle's.

    def _get_tuner_fname(self) -> str:
        return str(Path(self.project_dir) / "oracle.json")

    def save(self) -> None:
        if not self._is_worker():
            self.oracle.save()

    def reload(self) -> None:
        if not self._is_worker():
            self.oracle.reload()


def run(study: Study, folder: Path, trainer: Trainer) -> None:
    """Runs the trials of a study, or goes on with them; under keras-tuner's variables, as a chief or as a worker.

    Args:
        study: What is searched.
        folder: Of the search.
        trainer: Runs the trials.

    Raises:
        ZooError: If the data cannot be searched on.
    """
    if "chief" not in os.environ.get("KERASTUNER_TUNER_ID", ""):
        trainer.study.parts  # noqa: B018  # read before the first trial, so that bad data is no failure of a trial
    try:
        _Tuner(_oracle(study, folder), trainer, folder).search()
    except grpc.RpcError:
        # The chief died in the middle of an answer; it comes back.
        workers.recycle()
        raise
