"""A whole search: trials, finals and report, in this process or in several.

The best score of many trials is partly luck. So the best trials are trained again with other seeds, the choice is made
by the mean, and only the chosen model is evaluated on test data, once.

    python -m zoo.search.run FOLDER DATA TRIALS

runs trials of the search in a folder, as a child process of a search.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from zoo import jobs, loading
from zoo.errors import ZooError
from zoo.files import (
    CHECKPOINT,
    atomic_folder,
    exclusive,
    exclusive_folder,
    read_json,
    read_record,
    require_empty,
    write_json,
)
from zoo.jobs import Job
from zoo.report.progress import TrainingBoard, TrialBoard
from zoo.search import oracles, report
from zoo.search.oracles import CHIEF
from zoo.search.spaces import Study
from zoo.search.trials import TRIALS, Record, Records, Show, Trainer, plan_of, ranked

BEST, FINALS, RESULT = "best", "finals", "result.json"
"""In the folder of a search: the chosen model, the records of the best trials with other seeds, and the result."""

_MEASURED = 20
"""Number of the best trials whose size and latency are measured."""

_LOCK_SECONDS = 30.0
"""Time for the processes of a search that was killed to end."""

_DEATHS = 100


def search(
    study: Study, folder: Path | None = None, *, processes: int = 0, best: int = 3, seeds: int = 3,
    preset: Path | None = None, logged: Callable[[Path], AbstractContextManager[Console]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Runs or resumes a search, as `zoo.tune` says: in new `processes` of this machine, or with 0 in this one.

    If the environment variables of keras-tuner are set, this process is the chief, which assigns trials and then runs
    the finals, or a worker, which runs trials and returns nothing. `logged` sends to a file what libraries print, of
    which nobody reads much, and yields the console that shows the progress.
    """
    folder = folder or Path(tempfile.mkdtemp(prefix="zoo-search-")) / "search"
    shown = nullcontext(Console(quiet=True)) if logged is None else logged(log(folder, oracles.role()))
    with claimed(study, folder), shown as console:
        copies = preset is not None and not (
            all((each / "config.json").is_file() for each in (folder / BEST, preset))
            and read_json(folder / BEST / "config.json") == read_json(preset / "config.json")
        )
        if preset is not None and copies:
            require_empty(preset)
        if oracles.role() not in (None, CHIEF):
            _run_trials(study, folder)
            return {}
        if not (folder / RESULT).is_file():
            title = f"{study.target}, {study.strategy}, {study.measure}"
            board = TrialBoard(console, title, study.trials, study.maximize, processes)
            with board.shown():
                if processes and oracles.role() is None:
                    records = Records(folder / TRIALS)
                    run_processes(study, folder, processes, lambda: board.update(records.all()))
                else:
                    _run_trials(study, folder, board.update)
            _decide(study, folder, best, seeds, console)
        result = read_record(folder / RESULT, "trials")
        for name, asked in (("trials", study.trials), ("best", best), ("seeds", seeds)):
            # Older results name the trials alone.
            if asked > result.get(name, asked):
                raise ZooError(
                    f"{folder}: {name} is {asked}, and the search ended with {result[name]}: its model was measured "
                    "on test data; choose another folder for more"
                )
        if not (folder / report.REPORT).is_file():
            with console.status("measuring the size and the latency of the best trials"):
                trainer = Trainer(study, folder / TRIALS)
                trainer.measure(ranked(trainer.records.all(), study.maximize)[:_MEASURED])
                report.write(study, folder, trainer.records.all(), result)
        result |= {"report": str(folder / report.REPORT), "model": str(folder / BEST)}
        if preset is not None:
            result["preset"] = str(preset)
        if preset is not None and copies:
            with atomic_folder(preset) as temporary:
                shutil.copytree(folder / BEST, temporary, dirs_exist_ok=True)
        return result


@contextmanager
def claimed(study: Study, folder: Path) -> Iterator[None]:
    """Claims a folder for a study, and keeps other runs out of it; workers share it with their chief."""
    with exclusive_folder(folder) if oracles.role() in (None, CHIEF) else nullcontext():
        study.open(folder)
        yield


def log(folder: Path, name: str | None) -> Path:
    """The log of a process, or of the libraries in a search with one process."""
    return folder / (f"log.{name}.txt" if name else "log.txt")


def _decide(study: Study, folder: Path, best: int, seeds: int, console: Console) -> None:
    """Trains the best trials again and chooses one, trains the model that is saved, and evaluates it on test data."""
    records = Records(folder / TRIALS).all()
    leaders = ranked(records, study.maximize)[:best]
    if not leaders:
        reasons = [record["reason"] for record in records if record["reason"]]
        last = f", the last one for this reason: {reasons[-1]}" if reasons else ""
        raise ZooError(f"{folder}: none of {len(records)} trials has a score{last}")
    title = "the best again" if len(leaders) == 1 else f"the best {len(leaders)} again"
    board = TrialBoard(console, title, len(leaders) * seeds, study.maximize)
    trainer = Trainer(study, folder / FINALS, board.update)
    with board.shown():
        finals = [_repeat(trainer, record, seeds) for record in leaders]
    finals = [final for final in finals if len(final["scores"]) == seeds]
    if not finals:
        raise ZooError(f"{folder}: none of the best {len(leaders)} trials could be trained again with {seeds} seeds")
    chosen, *_ = finals = sorted(finals, key=lambda final: final["mean"], reverse=study.maximize)
    seed = chosen["seeds"][int((np.argmax if study.maximize else np.argmin)(chosen["scores"]))]
    plan = plan_of(trainer.records.read(_name(chosen["trial"], seed)), study.base.name)
    saved, training = folder / BEST, TrainingBoard(console, plan.recipe.epochs)
    if not (saved / "model.keras").is_file():
        with training.shown():
            resume = (saved / CHECKPOINT).is_file()
            replace(plan, out=saved, resume=resume, report=training.on_epoch_end).run(study.checked)
    loaded = loading.load(str(saved))
    result = {
        "task": study.task.name, "trials": study.trials, "best": best, "seeds": seeds, "objective": study.measure,
        "direction": "max" if study.maximize else "min", "finals": finals, "chosen": chosen["trial"], "seed": seed,
        "default_score": next(record["score"] for record in records if record["trial"] == 0),
        "training": loaded.config["training"], "test": study.task.evaluate(loaded, study.checked, baselines=False),
    }  # fmt: skip
    write_json(folder / RESULT, result)


def _repeat(trainer: Trainer, record: Record, count: int) -> dict[str, Any]:
    """Trains a trial with other seeds: its `score`, the new `scores`, and their `mean` and `deviation`."""
    study, plan = trainer.study, plan_of(record, trainer.study.base.name)
    # Above the seeds of all trials.
    first = study.first_seed + max(10_000, (1 + oracles.REFUSED) * study.trials + 1)
    seeds, scores = list(range(first, first + count)), []
    for seed in seeds:
        name, again = _name(record["trial"], seed), replace(plan, recipe=plan.recipe.replace(seed=seed))
        trainer.records.new(name, record["trial"], again, record["values"])
        ended = trainer.run(name)
        scores += [ended["score"]] if ended["status"] == "scored" else []
    return {
        "trial": record["trial"], "score": record["score"], "values": record["values"], "seeds": seeds,
        "scores": scores, "mean": float(np.mean(scores)) if scores else None,
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
    }  # fmt: skip


def _name(trial: int, seed: int) -> str:
    return f"{trial}, seed {seed}"


def run_processes(study: Study, folder: Path, count: int, watch: Callable[[], None]) -> None:
    """Runs trials in `count` other processes of this machine until all have ended, with a chief if there are several.

    A process that dies is started again under its name. The chief listens on a Unix socket in a private folder, so that
    no other user can reach it. `watch` is called about once a second.
    """
    deaths = 0

    def on_exit(job: Job, status: int) -> bool:
        nonlocal deaths
        deaths += status < 0
        if (status > 0 and status != oracles.RECYCLED) or deaths > _DEATHS:
            assert job.log is not None
            raise ZooError(jobs.last_error(job.log) or f"{job.name} ended with status {status}; see {job.log}")
        return status != 0 or job.background

    command = jobs.python("zoo.search.run", folder, study.data, study.trials)
    shared = jobs.limit_threads(max(1, (os.cpu_count() or 1) // count))
    with tempfile.TemporaryDirectory() as private:
        work = [Job("trials", command, shared, log(folder, "trials"))]
        if count > 1:
            shared |= {"KERASTUNER_ORACLE_IP": "unix", "KERASTUNER_ORACLE_PORT": f"{private}/chief"}
            work = [
                Job(name, command, shared | {"KERASTUNER_TUNER_ID": name}, log(folder, name), name == CHIEF)
                for name in (CHIEF, *(f"worker-{number}" for number in range(count)))
            ]
        jobs.run_jobs(work, at_once=len(work), on_exit=on_exit, watch=watch, interval=1.0)


def _run_trials(study: Study, folder: Path, show: Show = lambda records: None) -> None:
    with exclusive(folder / (oracles.role() or CHIEF), "search", _LOCK_SECONDS):
        if not (folder / RESULT).is_file():
            oracles.run(study, folder, Trainer(study, folder / TRIALS, show))


def main() -> None:
    """Runs trials of the search that the arguments name."""
    folder, data, trials = sys.argv[1:]
    jobs.die_with_parent()
    try:
        with jobs.terminable_job():
            _run_trials(Study.reopen(Path(folder), Path(data), int(trials)), Path(folder))
    except ZooError as error:
        sys.exit(f"zoo: {error}")


if __name__ == "__main__":
    main()
