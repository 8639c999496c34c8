"""The strategies of keras-tuner, in one process or in several. This is the only module that imports keras-tuner.

keras-tuner selects the values, and the zoo trains. keras-tuner's own reload does not do for searches that may be killed
at any moment: it writes its files in place, forgets its position in a grid, and runs the trials of live workers again.
So the oracles write their state atomically and restore trials from the zoo's records: no trial is lost or run twice.

keras-tuner's own variables say which process this is: `KERASTUNER_TUNER_ID`, which is `chief` or the worker's name, and
`KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`, where the chief listens. All processes share the folder of the
search. A worker that is started again under its name gets its trial back.
"""

import functools
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import keras_tuner as kt
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle, RandomSearchOracle

from zoo import jobs
from zoo.errors import ZooError
from zoo.files import read_record, write_json
from zoo.search.spaces import Study
from zoo.search.trials import TRIALS, Records, Trainer

CHIEF = "chief"
RECYCLED = 75
"""Exit status of a process that wants to be started again."""

REFUSED = 20
"""A search stops after this many models above the limits per trial that it may score."""

_TRIALS_PER_PROCESS = 50
_STATE = Path("oracle", "oracle.json")
_IDLE_SECONDS = 0.5
_UNLIMITED = 10**9
_VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
_INDICES = ("SLURM_PROCID", "JOB_COMPLETION_INDEX", "HOSTNAME")
_STATUSES = {"running": "RUNNING", "scored": "COMPLETED", "failed": "FAILED", "refused": "FAILED"}


def role() -> str | None:
    """The name of this process, `chief` or that of a worker. None if the search has one process."""
    return os.environ.get("KERASTUNER_TUNER_ID") if "KERASTUNER_ORACLE_IP" in os.environ else None


@contextmanager
def take_role(role: str, chief: str | None) -> Iterator[None]:
    """Makes this process `chief` or `worker`, with the `host:port` of the chief, until the block ends.

    It sets keras-tuner's variables. A worker that has no name there gets its index in Slurm or Kubernetes, or the host.
    """
    if role not in (CHIEF, "worker"):
        raise ZooError(f"role {role!r}: expected chief or worker")
    before = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        if chief is not None:
            host, colon, port = chief.rpartition(":")
            if not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
                raise ZooError(f"chief {chief}: expected HOST:PORT, such as node1:8790")
            os.environ["KERASTUNER_ORACLE_IP"], os.environ["KERASTUNER_ORACLE_PORT"] = host, port
        if not {"KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"} <= set(os.environ):
            raise ZooError(f"role {role}: pass --chief HOST:PORT, the address of the chief")
        if role == CHIEF:
            os.environ["KERASTUNER_TUNER_ID"] = CHIEF
        else:
            number = next((os.environ[key] for key in _INDICES if key in os.environ), socket.gethostname())
            os.environ.setdefault("KERASTUNER_TUNER_ID", f"worker-{number}")
        yield
    finally:
        for name in _VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(before)


def run(study: Study, folder: Path, trainer: Trainer) -> None:
    """Runs or resumes the trials of a study, as chief or worker if the variables of keras-tuner are set."""
    # keras-tuner imports these late as well, since they need its version of protobuf.
    from keras_tuner.src.distribute.oracle_chief import start_server
    from keras_tuner.src.distribute.oracle_client import OracleClient

    name = role()
    if name == CHIEF:
        start_server(restore(study, folder))
        return
    study.parts  # noqa: B018  # read before the first trial, so that invalid data is not a failure of a trial
    oracle, ended = restore(study, folder) if name is None else OracleClient(None), 0
    try:
        while (trial := oracle.create_trial(name or "tuner0")).status != "STOPPED":
            if trial.status == "IDLE":
                time.sleep(_IDLE_SECONDS)
                continue
            try:
                record = trainer.run(str(int(trial.trial_id)))
            except OSError as error:
                raise ZooError(str(error)) from error
            trial.status = _STATUSES[record["status"]]
            if record["status"] == "scored":
                oracle.update_trial(trial.trial_id, {study.measure: record["score"]})
            oracle.end_trial(trial)
            ended += 1
            # TensorFlow never frees the memory of compiled functions.
            if ended == _TRIALS_PER_PROCESS and (jobs.supervised() or role() is not None):
                sys.exit(RECYCLED)
    except grpc.RpcError:
        # The chief crashed and is started again.
        if jobs.supervised() or role() is not None:
            sys.exit(RECYCLED)
        raise


def restore(study: Study, folder: Path) -> Any:
    """The oracle of a search, with the trials so far."""
    options = {
        "hyperband": {"max_epochs": study.epochs, "hyperband_iterations": _UNLIMITED},
        # keras-tuner's default, three random trials for each of two dozen dimensions, would be all of them.
        "bayesian": {"num_initial_points": max(3, study.trials // 3)},
    }
    oracle = _ORACLES[study.strategy](study, folder, **options.get(study.strategy, {}))
    if oracle.state.is_file():
        oracle.reload()
    return oracle


class _Resumable(kt.Oracle):  # type: ignore[misc]  # keras-tuner has no types
    """An oracle that resumes from the records of trials. The first trial has the defaults: the preset's values."""

    ongoing_trials: dict[str, Any]
    end_order: list[str]

    def __init__(self, study: Study, folder: Path, **options: Any) -> None:
        space = kt.HyperParameters()
        study.plan(space, study.first_seed)
        super().__init__(
            objective=kt.Objective(study.measure, "max" if study.maximize else "min"), hyperparameters=space,
            seed=study.first_seed + 1, max_consecutive_failed_trials=_UNLIMITED, **options,
        )  # fmt: skip
        self.study, self.records, self.state = study, Records(folder / TRIALS), folder / _STATE
        self.max_trials = study.trials
        self.verbose = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        drawn: dict[str, Any] = super().populate_space(trial_id)
        if self.start_order or drawn["status"] != "RUNNING":
            return drawn
        hp = self.hyperparameters.copy()
        hp.values = {parameter.name: parameter.default for parameter in hp.space}
        hp.ensure_active_values()
        own = {name: value for name, value in drawn["values"].items() if name.startswith("tuner/")}
        return drawn | {"values": hp.values | own}

    @kt.synchronized  # type: ignore[untyped-decorator]
    def create_trial(self, tuner_id: str) -> Any:
        """The unfinished trial of this worker, else a new one, else one of a worker that has not returned."""
        refused = sum(record["status"] == "refused" for record in self.records.all())
        self.max_trials = self.study.trials + min(refused, REFUSED * self.study.trials)
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
        """Writes the record of a new trial, which the worker then updates: keras-tuner sends it numbers of 32 bits."""
        number, hp = int(trial.trial_id), trial.hyperparameters
        plan = self.study.plan(hp, self.study.first_seed + 1 + number, hp.values.get("tuner/epochs"))
        self.records.new(str(number), number, plan, hp.values)

    def reload(self) -> None:
        """Restores the state and the trials."""
        state = read_record(self.state, "start_order")
        records = {record["trial"]: record for record in self.records.all()}
        for trial_id in state["start_order"]:
            record, hp = records.pop(int(trial_id)), self.hyperparameters.copy()
            hp.values = record["values"]
            trial = kt.engine.trial.Trial(hp, trial_id, _STATUSES[record["status"]])
            trial.score = record["score"]
            self.trials[trial_id] = trial
        for record in records.values():
            # The process died before it saved the state; the trial will be drawn again.
            self.records.path(record["name"]).unlink()
        self.set_state(state)
        running = {trial_id for trial_id, trial in self.trials.items() if trial.status == "RUNNING"}
        self.ongoing_trials = {key: trial for key, trial in self.ongoing_trials.items() if trial.trial_id in running}
        self._retry_queue = [*running - {trial.trial_id for trial in self.ongoing_trials.values()}]
        self.end_order = [trial_id for trial_id in self.end_order if trial_id not in running]
        self.end_order += [trial_id for trial_id in self.start_order if trial_id not in {*self.end_order, *running}]


class _Random(_Resumable, RandomSearchOracle):  # type: ignore[misc]
    pass


class _Hyperband(_Resumable, HyperbandOracle):  # type: ignore[misc]
    pass


class _Bayesian(_Resumable, BayesianOptimizationOracle):  # type: ignore[misc]
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Selects values. Trials without a score count as the worst, or the search would draw them again and again."""
        scores = [trial.score for trial in self.trials.values() if trial.status == "COMPLETED"]
        unscored = [trial for trial in self.trials.values() if trial.status == "FAILED" and scores]
        for trial in unscored:
            trial.status, trial.score = "COMPLETED", (min if self.study.maximize else max)(scores)
        try:
            return super().populate_space(trial_id)
        finally:
            for trial in unscored:
                trial.status, trial.score = "FAILED", None


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
