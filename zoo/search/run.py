"""A whole search: trials, finals and report. The only module that imports keras-tuner.

keras-tuner's oracles select the values of trials, and the zoo trains. An oracle is never saved: a search that is
resumed has a new oracle with the same seed, which gets the recorded trials again in their order. So nothing can be half
written, or differ from the records. A replay of 60 trials takes half a minute for Bayesian optimization, and no time
for the other strategies.

The best score of many trials is partly luck. So the best trials are trained again with other seeds, the choice is made
by the mean, and only the chosen model is evaluated on test data, once.

    python -m zoo.search.run WORK PROCESS

is a child process of a search, which runs the trials that the search gives it; the study is pickled in the file WORK.
"""

import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner as kt
import numpy as np
from rich.console import Console

from zoo import files, jobs, loading
from zoo.data.dataset import Data
from zoo.errors import ZooError
from zoo.models.function import run_code
from zoo.report.progress import TrainingBoard, TrialBoard
from zoo.search import report
from zoo.search.spaces import Study
from zoo.search.trials import TRIALS, Record, Trials, plan_of, ranked
from zoo.training import Training

BEST, FINALS, RESULT = "best", "finals", "result.json"
"""In the folder of a search: the chosen model, the records of the best trials with other seeds, and the result."""

RECYCLED = 75
"""Exit status of a process that wants to be started again."""

_MEASURED = 20
"""Number of the best trials whose size and latency are measured."""

_TRIALS_PER_PROCESS, _DEATHS = 50, 100
_IDLE_SECONDS = 0.2

_LOCK_SECONDS = 30.0
"""Time for the processes of a search that was killed to end."""

REFUSED = 20
"""A search stops after this many models above the limits per trial that it may score."""

_UNLIMITED = 10**9
_ORACLES = {
    "random": kt.oracles.RandomSearchOracle, "hyperband": kt.oracles.HyperbandOracle,
    "bayesian": kt.oracles.BayesianOptimizationOracle, "grid": kt.oracles.GridSearchOracle,
}  # fmt: skip


def search(
    study: Study, folder: Path | None = None, *, processes: int = 0, best: int = 3, seeds: int = 3,
    preset: Path | None = None, logged: Callable[[Path], AbstractContextManager[Console]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Runs or resumes a search in `processes`, or with 0 in this one; `logged` hides what libraries print in a file."""
    folder = folder or Path(tempfile.mkdtemp(prefix="zoo-search-")) / "search"
    with ExitStack() as stack:
        stack.enter_context(files.exclusive_folder(folder))
        study.open(folder)
        console = Console(quiet=True) if logged is None else stack.enter_context(logged(folder / "log.txt"))
        if preset is not None and not _is_copy(preset, folder / BEST):
            files.require_empty(preset)
        trials = Trials(study, folder / TRIALS)
        if not (folder / RESULT).is_file():
            title = f"{study.name}, {study.strategy}, {study.measure}"
            board = TrialBoard(console, title, study.trials, study.maximize, processes)
            with board.shown():
                run_trials(study, folder, processes, board.update)
            _decide(trials, folder, best, seeds, console)
        result: dict[str, Any] = files.read_json(folder / RESULT)
        for name, asked in (("trials", study.trials), ("best", best), ("seeds", seeds)):
            # Older results name the trials alone.
            if asked > result.get(name, asked):
                raise ZooError(
                    f"{folder}: {name} is {asked}, and the search ended with {result[name]}: its model was measured "
                    "on test data; choose another folder for more"
                )
        result |= {"report": str(folder / report.REPORT), "model": str(folder / BEST)}
        if not (folder / report.REPORT).is_file():
            with console.status("measuring the size and the latency of the best trials"):
                trials.measure(ranked(trials.all(), study.maximize)[:_MEASURED])
                report.write(study, folder, trials.all(), result)
        if preset is not None:
            result["preset"] = str(preset)
            if not _is_copy(preset, folder / BEST):
                with files.atomic_folder(preset) as temporary:
                    shutil.copytree(folder / BEST, temporary, dirs_exist_ok=True)
        return result


def _is_copy(preset: Path, model: Path) -> bool:
    configs = [folder / "config.json" for folder in (preset, model)]
    return all(config.is_file() for config in configs) and files.read_json(configs[0]) == files.read_json(configs[1])


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


def run_trials(
    study: Study, folder: Path, processes: int = 0, show: Callable[[Sequence[Record]], None] = lambda records: None
) -> None:
    """Runs or resumes the trials of a search; `show` is called with all records about once a second."""
    trials = Trials(study, folder / TRIALS, show)
    with files.temporary_folder() as scratch:
        oracle = Oracle(trials, scratch, max(1, processes))
        if not processes:
            # Read before the first trial, so that invalid data is not a failure of a trial.
            study.parts  # noqa: B018
            while running := oracle.running():
                trials.run(running[0]["name"])
            return
        progress, deaths = jobs.throttled(lambda: show(trials.all())), 0

        def watch() -> bool:
            progress()
            return not oracle.running()

        def on_exit(job: jobs.Job, status: int) -> bool:
            nonlocal deaths
            deaths += status < 0
            if (status > 0 and status != RECYCLED) or deaths > _DEATHS:
                raise jobs.failure(job, status)
            return True

        threads = jobs.limit_threads(max(1, (os.cpu_count() or 1) // processes))
        # Without what the study has read. The data may be in memory alone; of a file, only its name is in the pickle.
        (scratch / "work").write_bytes(pickle.dumps((folder, replace(study))))
        work = [
            jobs.Job(f"worker-{number}", jobs.python("zoo.search.run", scratch / "work", number), threads,
                     folder / f"log.worker-{number}.txt")
            for number in range(processes)
        ]  # fmt: skip
        jobs.run_jobs(work, at_once=processes, on_exit=on_exit, watch=watch)
        show(trials.all())


def _leaders(trials: Trials) -> list[Record]:
    """The trials that have a score, the best first; at least one."""
    records = trials.all()
    leaders = ranked(records, trials.study.maximize)
    if not leaders:
        reasons = [record["reason"] for record in records if record["reason"]]
        last = f", the last one for this reason: {reasons[-1]}" if reasons else ""
        raise ZooError(f"{trials.folder.parent}: none of {len(records)} trials has a score{last}")
    return leaders


def best_training(
    target: Any, settings: Mapping[str, Any], count: int, data: Data, seed: int, folder: Path
) -> Training:  # fmt: skip
    """The training of the best of some trials on validation people; it resumes in the folder."""
    study = Study(target, data, trials=count, settings=settings, seed=seed)
    run_trials(study, folder)
    return plan_of(_leaders(Trials(study, folder / TRIALS))[0], study)


def _decide(trials: Trials, folder: Path, best: int, seeds: int, console: Console) -> None:
    """Trains the best trials again and chooses one, trains the model that is saved, and evaluates it on test data."""
    study, records, leaders = trials.study, trials.all(), _leaders(trials)[:best]
    title = "the best again" if len(leaders) == 1 else f"the best {len(leaders)} again"
    board = TrialBoard(console, title, len(leaders) * seeds, study.maximize)
    again = Trials(study, folder / FINALS, board.update)
    with board.shown():
        finals = [_repeat(again, record, seeds) for record in leaders]
    finals = [final for final in finals if len(final["scores"]) == seeds]
    if not finals:
        raise ZooError(f"{folder}: none of the best {len(leaders)} trials could be trained again with {seeds} seeds")
    chosen, *_ = finals = sorted(finals, key=lambda final: final["mean"], reverse=study.maximize)
    seed = chosen["seeds"][int((np.argmax if study.maximize else np.argmin)(chosen["scores"]))]
    plan = plan_of(again.read(f"{chosen['trial']}, seed {seed}"), study)
    saved, training = folder / BEST, TrainingBoard(console, plan.recipe.length)
    if not (saved / "model.keras").is_file():
        with training.shown():
            resume = (saved / files.CHECKPOINT).is_file()
            replace(plan, out=saved, resume=resume, report=training.on_epoch_end).run(study.checked)
    loaded = loading.load(str(saved))
    result = {
        "task": study.task.name, "trials": study.trials, "best": best, "seeds": seeds, "objective": study.measure,
        "direction": "max" if study.maximize else "min", "finals": finals, "chosen": chosen["trial"], "seed": seed,
        **next({"default_score": record["score"], "default_reason": record.get("reason")}
               for record in records if record["trial"] == 0),
        "training": loaded.config["training"], "test": study.task.evaluate(loaded, study.checked, baselines=False),
    }  # fmt: skip
    files.write_json(folder / RESULT, result)


def _repeat(finals: Trials, record: Record, count: int) -> dict[str, Any]:
    """Trains a trial with other seeds: its `score`, the new `scores`, and their `mean` and `deviation`."""
    study, plan = finals.study, plan_of(record, finals.study)
    # Above the seeds of all trials.
    first = study.first_seed + max(10_000, (1 + REFUSED) * study.trials + 1)
    seeds, scores = list(range(first, first + count)), []
    for seed in seeds:
        name, again = f"{record['trial']}, seed {seed}", replace(plan, recipe=plan.recipe.replace(seed=seed))
        finals.begin(name, record["trial"], again, record["values"])
        ended = finals.run(name)
        scores += [ended["score"]] if ended["status"] == "scored" else []
    return {
        "trial": record["trial"], "score": record["score"], "values": record["values"], "seeds": seeds,
        "scores": scores, "mean": float(np.mean(scores)) if scores else None,
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
    }  # fmt: skip


def main() -> None:
    """Runs one trial after another that the search of the arguments gives to this process, until it is ended."""
    jobs.die_with_parent()
    run_code()
    folder, study = pickle.loads(Path(sys.argv[1]).read_bytes())
    process = int(sys.argv[2])
    try:
        with jobs.terminable_job(), files.exclusive(folder / f"worker-{process}", "search", _LOCK_SECONDS):
            # Read before the first trial, so that invalid data is not a failure of a trial.
            study.parts  # noqa: B018
            trials, ended = Trials(study, folder / TRIALS), 0
            while ended < _TRIALS_PER_PROCESS:
                mine = [r for r in trials.all() if r["status"] == "running" and r.get("process") == process]
                for record in mine:
                    trials.run(record["name"])
                    ended += 1
                time.sleep(0 if mine else _IDLE_SECONDS)
    except ZooError as error:
        sys.exit(f"zoo: {error}")
    # TensorFlow never frees the memory of compiled functions.
    sys.exit(RECYCLED)


if __name__ == "__main__":
    main()
