"""The trials of a search, with the strategies of keras-tuner. This is the only module that imports keras-tuner.

keras-tuner selects the values, and the zoo trains. The state of the search is written atomically, and trials are
restored from their records, so a search can be interrupted at any time: no trial is lost or run twice.
"""

import functools
import time
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

from zoo.errors import ZooError
from zoo.files import read_json, write_json
from zoo.search import spaces, workers
from zoo.search.records import TRIALS, Records, new_record
from zoo.search.spaces import Pinned
from zoo.search.study import Study
from zoo.search.trials import Trainer

_TRIALS_PER_PROCESS = 50
_STATE = Path("oracle", "oracle.json")
_IDLE_SECONDS = 0.5
_UNLIMITED = 10**9
_REFUSED = 20
"""A search stops after this many models above the limits per trial that it may score."""

_STATUSES = {
    "running": "RUNNING", "scored": "COMPLETED", "stopped": "FAILED", "failed": "FAILED", "refused": "FAILED",
}  # fmt: skip
"""keras-tuner's status for each status of a record."""


class _Resumable(kt.Oracle):  # type: ignore[misc]  # keras-tuner has no types
    """An oracle that resumes from the records of trials.

    Args:
        study: Study to search.
        folder: Folder of the search.
        **options: Arguments of the oracle of keras-tuner.
    """

    ongoing_trials: dict[str, Any]
    end_order: list[str]

    def __init__(self, study: Study, folder: Path, **options: Any) -> None:
        space = kt.HyperParameters()
        spaces.find(study.task.name, study.space)(Pinned(space, study.pinned))
        super().__init__(
            objective=kt.Objective(study.measure, study.direction), hyperparameters=space, seed=study.first_seed + 1,
            max_consecutive_failed_trials=_UNLIMITED, **options,
        )  # fmt: skip
        self.study, self.records, self.state = study, Records(folder / TRIALS), folder / _STATE
        self.max_trials = study.trials
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Selects the values of a trial. The first one is the preset, as far as the space contains its values."""
        if self.start_order:
            return super().populate_space(trial_id)  # type: ignore[no-any-return]
        drawn: dict[str, Any] = super().populate_space(trial_id)
        hp = self.hyperparameters.copy()
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
        trial = super().create_trial(tuner_id)
        lost = [owner for owner in self.ongoing_trials if owner not in self.tuner_ids]
        if trial.status != "RUNNING" and lost:
            trial = self.ongoing_trials[tuner_id] = self.ongoing_trials.pop(lost[0])
            self.tuner_ids.add(tuner_id)
            self.save()
        return trial

    def save(self) -> None:
        write_json(self.state, self.get_state())

    def _save_trial(self, trial: Any) -> None:
        """Writes the record of a new trial, which the worker then updates."""
        number, hp = int(trial.trial_id), trial.hyperparameters
        if number not in self.records:
            plan = self.study.plan(hp, self.study.first_seed + 1 + number, hp.values.get("tuner/epochs"))
            self.records.write(new_record(number, plan, hp.values))

    def reload(self) -> None:
        """Restores the state and the trials."""
        state = read_json(self.state)
        records = {record["trial"]: record for record in self.records.all()}
        for trial_id in state["start_order"]:
            record, hp = records.pop(int(trial_id)), self.hyperparameters.copy()
            hp.values = record["values"]
            trial = kt.engine.trial.Trial(hp, trial_id, _STATUSES[record["status"]])
            trial.score = record["score"]
            self.trials[trial_id] = trial
        for number in records:
            # The process died before it saved the state; the trial will be drawn again.
            self.records.delete(number)
        self.set_state(state)
        running = {trial_id for trial_id, trial in self.trials.items() if trial.status == "RUNNING"}
        self.ongoing_trials = {key: trial for key, trial in self.ongoing_trials.items() if trial.trial_id in running}
        self._retry_queue = [*running - {trial.trial_id for trial in self.ongoing_trials.values()}]
        self.end_order = [trial_id for trial_id in self.end_order if trial_id not in running]
        self.end_order += [trial_id for trial_id in self.start_order if trial_id not in {*self.end_order, *running}]


def _admits(parameter: Any, value: Any) -> bool:
    """Returns whether a hyperparameter can have a value."""
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
        last = [*self.records.read(int(trial.trial_id))["rungs"].values()][-1:]
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


_ORACLES = {"random": _Random, "hyperband": _Hyperband, "bayesian": _Bayesian, "grid": _Grid}


def restore(study: Study, folder: Path) -> Any:
    """Returns the oracle of a search, with the trials so far."""
    options = {
        "hyperband": {"max_epochs": study.epochs, "hyperband_iterations": _UNLIMITED},
        # keras-tuner's default, three random trials for each of two dozen dimensions, would be all of them.
        "bayesian": {"num_initial_points": max(3, study.trials // 3)},
    }
    oracle = _ORACLES[study.strategy](study, folder, **options.get(study.strategy, {}))
    if oracle.state.is_file():
        oracle.reload()
    return oracle


def run(study: Study, folder: Path, trainer: Trainer) -> None:
    """Runs or resumes the trials of a study, as chief or worker if the variables of keras-tuner are set.

    Args:
        study: Study to search.
        folder: Folder of the search.
        trainer: Trainer that runs the trials.

    Raises:
        ZooError: If the data is invalid for a search, or this machine fails, for example because the disk is full.
    """
    # keras-tuner imports these late as well, since they need its version of protobuf.
    from keras_tuner.src.distribute.oracle_chief import start_server
    from keras_tuner.src.distribute.oracle_client import OracleClient

    name = workers.name()
    if name == workers.CHIEF:
        start_server(restore(study, folder))
        return
    trainer.study.parts  # noqa: B018  # read before the first trial, so that invalid data is not a failure of a trial
    try:
        _run_trials(restore(study, folder) if name is None else OracleClient(None), name or "tuner0", trainer)
    except grpc.RpcError:
        # The chief crashed and is started again.
        workers.recycle()
        raise


def _run_trials(oracle: Any, name: str, trainer: Trainer) -> None:
    """Runs the trials that an oracle assigns to this process."""
    ended = 0
    while (trial := oracle.create_trial(name)).status != "STOPPED":
        if trial.status == "IDLE":
            time.sleep(_IDLE_SECONDS)
            continue
        try:
            record = trainer.run(int(trial.trial_id))
        except OSError as error:
            raise ZooError(str(error)) from error
        trial.status = _STATUSES[record["status"]]
        if record["status"] == "scored":
            oracle.update_trial(trial.trial_id, {trainer.study.measure: record["score"]})
        oracle.end_trial(trial)
        ended += 1
        if ended == _TRIALS_PER_PROCESS:
            workers.recycle()
