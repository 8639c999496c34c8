"""The trials of a search, with the strategies of keras-tuner. This is the only module that imports keras-tuner.

keras-tuner selects the values, and the zoo trains. The state of the search is written atomically, and trials are
restored from their records, so a search can be interrupted at any time: no trial is lost or run twice.
"""

import contextlib
import functools
import io
import os
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
from tuning.records import TRIALS, Records, new_record
from tuning.spaces import Pinned
from tuning.study import Study
from tuning.trials import Trainer
from zoo.errors import ZooError
from zoo.files import read_json, write_json

# The record of a trial that fails has the reason; keras-tuner would print each with a traceback.
config.DEBUG = False

_TRIALS_PER_PROCESS = 50
_FOLDER = "oracle"
_UNLIMITED = 10**9
_REFUSED = 20
"""A search stops after this many models above the limits per trial that it may score."""

_STATUSES = {
    "running": "RUNNING", "scored": "COMPLETED", "stopped": "FAILED", "failed": "FAILED", "refused": "FAILED",
}  # fmt: skip
"""keras-tuner's status for each status of a record."""


class _Resumable:
    """An oracle that resumes from the records of trials.

    Args:
        study: Study to search.
        folder: Folder of the search.
        **options: Arguments of the oracle of keras-tuner.
    """

    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]
    tuner_ids: set[str]
    start_order: list[str]
    end_order: list[str]

    def __init__(self, study: Study, folder: Path, **options: Any) -> None:
        space = kt.HyperParameters()
        spaces.find(study.task.name, study.space)(Pinned(space, study.pinned))
        super().__init__(
            objective=kt.Objective(study.measure, study.direction), hyperparameters=space, seed=study.first_seed + 1,
            max_consecutive_failed_trials=_UNLIMITED, **options,
        )  # type: ignore[call-arg]  # fmt: skip
        self.study, self.records = study, Records(folder / TRIALS)
        self.max_trials = study.trials
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Selects the values of a trial. The first one is the preset, as far as the space contains its values."""
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
        """Returns the unfinished trial of this worker, else a new one, else one of a worker that has not returned."""
        refused = sum(record["status"] == "refused" for record in self.records.all())
        self.max_trials = self.study.trials + min(refused, _REFUSED * self.study.trials)
        trial = super().create_trial(tuner_id)  # type: ignore[misc]
        lost = [owner for owner in self.ongoing_trials if owner not in self.tuner_ids]
        if trial.status != "RUNNING" and lost:
            trial = self.ongoing_trials[tuner_id] = self.ongoing_trials.pop(lost[0])
            self.tuner_ids.add(tuner_id)
            self.save()
        return trial

    def save(self) -> None:
        write_json(Path(self._get_oracle_fname()), self.get_state())  # type: ignore[attr-defined]

    def _save_trial(self, trial: Any) -> None:
        """Writes the record of a new trial, which the worker then updates."""
        number, hp = int(trial.trial_id), trial.hyperparameters
        if self.records.find(number) is None:
            plan = self.study.plan(hp, self.study.first_seed + 1 + number, hp.values.get("tuner/epochs"))
            self.records.write(new_record(number, plan, hp.values))

    def reload(self) -> None:
        """Restores the state and the trials."""
        state = read_json(Path(self._get_oracle_fname()))  # type: ignore[attr-defined]
        records = {record["trial"]: record for record in self.records.all()}
        for trial_id in state["start_order"]:
            record, hp = records.pop(int(trial_id)), self.hyperparameters.copy()  # type: ignore[attr-defined]
            hp.values = record["values"]
            trial = kt.engine.trial.Trial(hp, trial_id, _STATUSES[record["status"]])
            trial.score = record["score"]
            self.trials[trial_id] = trial
        for number in records:
            # The process died before it saved the state; the trial will be drawn again.
            self.records.delete(number)
        self.set_state(state)  # type: ignore[attr-defined]
        running = {trial_id for trial_id, trial in self.trials.items() if trial.status == "RUNNING"}
        self.ongoing_trials = {key: trial for key, trial in self.ongoing_trials.items() if trial.trial_id in running}
        self._retry_queue = [*running - {trial.trial_id for trial in self.ongoing_trials.values()}]
        self.end_order = [trial_id for trial_id in self.end_order if trial_id not in running]
        self.end_order += [trial_id for trial_id in self.start_order if trial_id not in {*self.end_order, *running}]


def _admits(parameter: Any, value: Any) -> bool:
    """Returns whether a hyper-parameter can have a value."""
    if value is None:
        return False
    if isinstance(parameter, kt.engine.hyperparameters.Choice):
        return value in parameter.values
    return bool(parameter.min_value <= value <= parameter.max_value)


class _Random(_Resumable, RandomSearchOracle):  # type: ignore[misc]  # keras-tuner has no types
    pass


class _Hyperband(_Resumable, HyperbandOracle):  # type: ignore[misc]
    pass


class _Bayesian(_Resumable, BayesianOptimizationOracle):  # type: ignore[misc]
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Selects values. Trials without a score count as no better than the worst, so that the search avoids them."""
        scores = [trial.score for trial in self.trials.values() if trial.status == "COMPLETED"]
        if not scores:
            return super().populate_space(trial_id)
        unscored = [trial for trial in self.trials.values() if trial.status == "FAILED"]
        for trial in unscored:
            trial.status, trial.score = "COMPLETED", self._assumed_score(trial, scores)
        try:
            return super().populate_space(trial_id)
        finally:
            for trial in unscored:
                trial.status, trial.score = "FAILED", None

    def _assumed_score(self, trial: Any, scores: list[float]) -> float:
        """Returns the worst score, or the last score of a stopped trial if that is worse."""
        record = self.records.find(int(trial.trial_id)) or {}
        last = list(record.get("rungs", {}).values())[-1:]
        worst: float = (min if self.study.maximize else max)([*scores, *last])
        return worst


class _Grid(_Resumable, GridSearchOracle):  # type: ignore[misc]
    def reload(self) -> None:
        """Restores the position in the grid, which keras-tuner does not save."""
        super().reload()
        values = {trial_id: trial.hyperparameters.values for trial_id, trial in self.trials.items()}

        def compare(a: str, b: str) -> int:
            return int(self._compare(values[a], values[b]))

        self._populate_next = sorted(values, key=functools.cmp_to_key(compare))
        for trial_id in self._populate_next:
            self._ordered_ids.insert(trial_id)


def _oracle(study: Study, folder: Path) -> Any:
    oracles: Mapping[str, Callable[[], Any]] = {
        "random": lambda: _Random(study, folder),
        "hyperband": lambda: _Hyperband(study, folder, max_epochs=study.epochs, hyperband_iterations=_UNLIMITED),
        # keras-tuner's default, three random trials for each of two dozen dimensions, would be all of them.
        "bayesian": lambda: _Bayesian(study, folder, num_initial_points=max(3, study.trials // 3)),
        "grid": lambda: _Grid(study, folder),
    }
    return oracles[study.strategy]()


class _Tuner(kt.Tuner):  # type: ignore[misc]
    """Runs the trials of an oracle."""

    def __init__(self, oracle: Any, trainer: Trainer, folder: Path) -> None:
        self.trainer, self._waiting, self._ended = trainer, False, 0
        # keras-tuner prints that it reloads.
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(oracle, directory=str(folder), project_name=_FOLDER)

    def run_trial(self, trial: Any, *arguments: Any, **options: Any) -> dict[str, float]:
        record = self.trainer.records.find(int(trial.trial_id))
        assert record is not None
        try:
            record = self.trainer.run(record)
        except (OSError, ZooError) as error:
            raise kt.errors.FatalError(str(error)) from error
        if record["status"] != "scored":
            raise kt.errors.FailedTrialError(record["reason"])
        return {self.trainer.study.measure: record["score"]}

    def pre_create_trial(self) -> None:
        # keras-tuner polls without a pause while there is nothing to do.
        if self._waiting:
            time.sleep(0.5)
        self._waiting = True

    def on_trial_begin(self, trial: Any) -> None:
        self._waiting = False

    def on_trial_end(self, trial: Any) -> None:
        super().on_trial_end(trial)
        self._ended += 1
        if self._ended == _TRIALS_PER_PROCESS:
            workers.recycle()

    # The oracle has the whole state of a search.

    def _get_tuner_fname(self) -> str:
        return str(Path(self.project_dir) / "oracle.json")

    def save(self) -> None:
        if not self._is_worker():
            self.oracle.save()

    def reload(self) -> None:
        if not self._is_worker():
            self.oracle.reload()


def run(study: Study, folder: Path, trainer: Trainer) -> None:
    """Runs or resumes the trials of a study, as chief or worker if the variables of keras-tuner are set.

    Args:
        study: Study to search.
        folder: Folder of the search.
        trainer: Trainer that runs the trials.

    Raises:
        ZooError: If the data is invalid for a search, or this machine fails, for example because the disk is full.
    """
    if "chief" not in os.environ.get("KERASTUNER_TUNER_ID", ""):
        trainer.study.parts  # noqa: B018  # read before the first trial, so that invalid data is not a failure of a trial
    try:
        _Tuner(_oracle(study, folder), trainer, folder).search()
    except kt.errors.FatalError as error:
        raise ZooError(str(error)) from error
    except grpc.RpcError:
        # The chief crashed and is started again.
        workers.recycle()
        raise
