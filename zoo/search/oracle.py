"""Which values a trial has: keras-tuner's oracles, by their public names. The only module that imports keras-tuner.

keras-tuner selects the values, and the zoo trains. An oracle is never saved: a search that is resumed has a new oracle
with the same seed, which gets the recorded trials again in their order. So nothing can be half written, or differ from
the records. A replay of 60 trials takes half a minute for Bayesian optimization, and no time for the other strategies.
"""

from pathlib import Path
from typing import Any

import keras_tuner as kt

from zoo.search.trials import Record, Trials

REFUSED = 20
"""A search stops after this many models above the limits per trial that it may score."""

_UNLIMITED = 10**9
_ORACLES = {
    "random": kt.oracles.RandomSearchOracle, "hyperband": kt.oracles.HyperbandOracle,
    "bayesian": kt.oracles.BayesianOptimizationOracle, "grid": kt.oracles.GridSearchOracle,
}  # fmt: skip


class Oracle:
    """Begins trials, each of which one of several processes runs. It writes nothing to `scratch` that is read again."""

    def __init__(self, trials: Trials, scratch: Path, processes: int = 1) -> None:
        self.trials, self.study, self.processes = trials, trials.study, processes
        space = kt.HyperParameters()
        self.study.plan(space, self.study.first_seed)
        options: dict[str, Any] = {
            "hyperband": {"max_epochs": self.study.epochs, "hyperband_iterations": _UNLIMITED},
            # keras-tuner's default, three random trials for each of two dozen dimensions, would be all of them.
            "bayesian": {"num_initial_points": max(3, self.study.trials // 3)},
        }.get(self.study.strategy, {})
        self._oracle = _ORACLES[self.study.strategy](
            objective=kt.Objective(self.study.measure, "max" if self.study.maximize else "min"), hyperparameters=space,
            seed=self.study.first_seed + 1, max_consecutive_failed_trials=_UNLIMITED, **options,
        )  # fmt: skip
        # A tuner gives the oracle the folder without which it cannot end a trial.
        kt.engine.base_tuner.BaseTuner(self._oracle, directory=scratch, project_name="keras-tuner")
        self._oracle.verbose = 0
        self._oracle.max_trials = self.study.trials
        self._running: dict[int, Any] = {}
        self._ended: list[int] = []
        self._replay()

    def _replay(self) -> None:
        """Repeats what the oracle was asked and told in the order of the records."""
        for record in self.trials.all():
            # Records of earlier versions do not name the trials that had ended.
            self._tell(record.get("after", [*self._running]))
            if self._begin(record.get("process", 0)) is None:
                break
        # There may be fewer processes now.
        for place, number in enumerate(self._running):
            record = self.trials.read(str(number))
            if record["status"] == "running":
                self.trials.write(record | {"process": place % self.processes})

    def running(self) -> list[Record]:
        """The trials to run now, at most one for each process. None are left when the search has ended."""
        self._tell([*self._running])
        running = [self.trials.read(str(number)) for number in self._running]
        for process in {*range(self.processes)} - {record["process"] for record in running}:
            if record := self._begin(process):
                running.append(record)
        return running

    def _begin(self, process: int) -> Record | None:
        """Begins the next trial, unless the oracle waits for scores or has no more trials."""
        number = len(self._oracle.trials)
        # Each trial has its own name of a tuner, since a tuner has one trial at a time.
        trial = self._oracle.create_trial(str(number))
        if trial.status != "RUNNING":
            return None
        hp = trial.hyperparameters
        if number == 0:
            # The values of the preset. Hyperband's own values say for how long they are trained.
            hp.values |= {parameter.name: parameter.default for parameter in hp.space}
            hp.ensure_active_values()
        plan = self.study.plan(hp, self.study.first_seed + 1 + number, hp.values.get("tuner/epochs"))
        record = self.trials.begin(str(number), number, plan, hp.values, after=self._ended, process=process)
        # What was trained counts, also where another version of a library draws other values.
        hp.values = dict(record["values"])
        self._running[number], self._ended = trial, []
        return record

    def _tell(self, numbers: list[int]) -> None:
        """Gives the oracle the scores of those trials that have ended."""
        for number in numbers:
            record = self.trials.read(str(number))
            if record["status"] == "running":
                continue
            trial = self._running.pop(number)
            score, scores = record["score"], [t.score for t in self._oracle.trials.values() if t.score is not None]
            if score is None and scores and self.study.strategy == "bayesian":
                # As it learns nothing from a failure, it would draw the same values again and again.
                score = (min if self.study.maximize else max)(scores)
            if score is not None:
                self._oracle.update_trial(trial.trial_id, {self.study.measure: score})
            trial.status = "FAILED" if score is None else "COMPLETED"
            self._oracle.end_trial(trial)
            self._ended.append(number)
            if record["status"] == "refused":
                self._oracle.max_trials = min(self._oracle.max_trials + 1, (1 + REFUSED) * self.study.trials)
