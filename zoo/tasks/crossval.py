"""Cross-validation over groups of people: how good a recipe is on people it never saw, and how sure that is.

Each fold is trained in a process of its own (`folds`) and leaves a record and its answers in the folder of the
cross-validation, so that a run killed at any moment goes on where it was. Baselines are measured on the same folds.
"""

import importlib.metadata
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import processes
from zoo.data.activity import ActivityData
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.evaluation import activity as metrics
from zoo.evaluation import baselines, pooling
from zoo.families import find_family
from zoo.files import claim_folder, locked, write_json
from zoo.tasks.activity import Prepared
from zoo.tasks.folds import MARK, ONE_THREAD, SUBJECT, WINDOW, Answers, Fold, Record, left_out, people_of
from zoo.tasks.provenance import versions
from zoo.tasks.running import Plan

LOSO = "loso"
"""Leave one subject out: as many groups as people."""

RESULTS = "results.json"

Records = dict[Fold, Record]

_ATTEMPTS = 3
_LOOK_SECONDS = 0.2
_LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class Protocol:
    """How a recipe is cross-validated.

    Args:
        groups: How many groups the people are divided into, 2 or more; or `loso`, one a person.
        seeds: How many times all folds are trained, with seeds counted up from the recipe's.
        baselines: Keys of `evaluation.baselines.BASELINES`, measured on the same folds.
        random: Whether to measure as well what windows drawn at random, in place of people, would have claimed.
        everyone: Whether the people of the test part are in the groups as well, who are not touched without.

    Raises:
        ZooError: If a number is outside its range, or a baseline is unknown or not installed.

    Example:
        >>> Protocol(groups=1)
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: groups is 1; expected 2 or more, or loso
    """

    groups: int | str = 5
    seeds: int = 1
    baselines: Sequence[str] = ()
    random: bool = False
    everyone: bool = False

    def __post_init__(self) -> None:
        if self.groups != LOSO and (isinstance(self.groups, str) or self.groups < 2):
            raise ZooError(f"groups is {self.groups}; expected 2 or more, or {LOSO}")
        if self.seeds < 1:
            raise ZooError(f"seeds is {self.seeds}; expected 1 or more")
        for name in self.baselines:
            baselines.require(name)

    def count(self, data: ActivityData) -> int:
        """How many groups that are, of the people in a file.

        Raises:
            ZooError: If the people are unknown or too few.
        """
        people = len(data.train.people())
        if not people:
            if self.random and self.groups != LOSO:
                return int(self.groups)
            raise ZooError(
                f"{data}: no subject ids (key 'trS'), so nobody can be left out: add them; or give a number of "
                "groups and `--also random` for windows drawn at random alone, which claims too much"
            )
        groups = people if self.groups == LOSO else int(self.groups)
        if groups > people or people < 2:
            where = "training and test (keys 'trS', 'tstS')" if self.everyone else "training (key 'trS')"
            raise ZooError(
                f"{data}: {people} people in {where} for {groups} groups: each needs one; ask for "
                f"2 to {people} groups, or record more people"
            )
        return groups

    def folds(self, plan: Plan, data: ActivityData) -> list[Fold]:
        """All trainings that it takes, in the order in which they are run."""
        groups, first = self.count(data), plan.recipe.seed
        splits = [*([SUBJECT] if data.train.people() else []), *([WINDOW] if self.random else [])]
        return [
            Fold(method, split, seed, group)
            for split in splits
            for method in (plan.name, *self.baselines)
            for seed in range(first, first + (1 if method in baselines.SEEDLESS else self.seeds))
            for group in range(groups)
        ]


def prepare(path: Path, groups: int) -> list[Prepared]:
    """Reads a file of windows once, and leaves out one group of people after another for validation.

    Args:
        path: A file in the course's layout, with subject ids.
        groups: How many groups the people of the training part are divided into, 2 or more.

    Raises:
        ZooError: If the file has no subject ids, or fewer people than groups.
    """
    data = load_as(ActivityData, path)
    groups = Protocol(groups).count(data)
    windows = data.train.in_memory()
    return [Prepared(data, windows.where(~aside), windows.where(aside)) for aside in left_out(windows, SUBJECT, groups)]


def crossval(
    plan: Plan,
    path: Path,
    folder: Path,
    protocol: Protocol,
    *,
    workers: int = 1,
    watch: Callable[[Records], None] = lambda records: None,
    command: str = "",
) -> dict[str, Any]:
    """Cross-validates over groups of people: of the training part, or with `everyone` of the whole file.

    A fold is what `zoo train` does with the windows outside it, validation included, and what `zoo evaluate` does with
    those inside. Killed at any moment, the same call goes on: folds with a score are not run again.

    Args:
        plan: What and how.
        path: A file in the course's layout.
        folder: A new one, or that of the same cross-validation.
        protocol: Groups, seeds and what stands beside.
        workers: How many folds are trained at once; the result does not depend on it.
        watch: Called again and again with what has become of each fold.
        command: What was typed, for the record.

    Returns:
        `macro_f1`, `accuracy` (of all windows, each predicted by models that never saw its person), their interval and
        deviations, `per_subject`, `confusion`, `folds`, ...; the same of each of the `baselines`, and `random`; also in
        the folder as `results.json`.

    Raises:
        ZooError: If the data, the protocol or the folder is not as it should be, or no fold of the network has a score.
    """
    if workers < 1:
        raise ZooError(f"workers is {workers}; expected 1 or more")
    if find_family(plan.family).task != "activity":
        raise ZooError(f"{plan.name}: folds by person mean nothing for it; name a recognizer of activities")
    data = people_of(path, protocol.everyone)
    digest = data.sha256
    folds = protocol.folds(plan, data)
    made = asdict(plan) | {"groups": protocol.groups, "everyone": protocol.everyone, "data_sha256": digest}
    claim_folder(folder / MARK, made, "cross-validation")
    with locked(folder / "lock", _LOCK_SECONDS, f"{folder}: its cross-validation runs already, in another process"):
        records = {fold: fold.record(folder) for fold in folds}
        _run(folder, path, records, workers, watch)
        whole = _results(plan, data, folder, protocol, records)
        own = versions() | ({"aeon": importlib.metadata.version("aeon")} if "minirocket" in protocol.baselines else {})
        result = {
            "command": command, "preset": plan.name, "data": path.name, "data_sha256": digest, **whole,
            "seed": plan.recipe.seed, "arguments": plan.arguments, "recipe": plan.recipe.to_json(),
            "machine": own.pop("machine"), "versions": own,
        }  # fmt: skip
        write_json(folder / RESULTS, result)
    return result


def _run(folder: Path, path: Path, records: Records, workers: int, watch: Callable[[Records], None]) -> None:
    """Runs the folds without a score, several at once, until each has one or has failed."""
    waiting = deque(fold for fold, record in records.items() if record["status"] != "scored")
    running: dict[Fold, processes.Process] = {}
    attempts: Counter[Fold] = Counter()
    with processes.ended(running):
        while waiting or running:
            while waiting and len(running) < workers:
                fold = waiting.popleft()
                attempts[fold] += 1
                fold.file(folder, "json").unlink(missing_ok=True)
                program = [sys.executable, "-m", "zoo.tasks.folds", str(folder), str(path), fold.name]
                running[fold] = processes.start(program, fold.file(folder, "log"), ONE_THREAD)
                records[fold] = {"status": "running", "epochs": 0, "started": time.time()}
            watch(records)
            time.sleep(_LOOK_SECONDS)
            for fold, process in list(running.items()):
                status = processes.status(process)
                records[fold] = fold.record(folder) | ({"status": "running"} if status is None else {})
                if status is None:
                    continue
                del running[fold]
                if records[fold]["status"] in ("scored", "failed"):
                    continue
                if status < 0 and attempts[fold] < _ATTEMPTS:
                    waiting.appendleft(fold)
                    continue
                records[fold] |= {"status": "failed", "reason": _death(status, fold.file(folder, "log"))}
                write_json(fold.file(folder, "json"), records[fold])
    watch(records)


def _death(status: int, log: Path) -> str:
    """Why a process left no score."""
    how = f"was killed by signal {-status}, {_ATTEMPTS} times" if status < 0 else f"ended with status {status}"
    return f"its process {how}; see {log}"


def _results(plan: Plan, data: ActivityData, folder: Path, protocol: Protocol, records: Records) -> dict[str, Any]:
    """What all folds came to."""
    summaries: dict[str, dict[str, Any]] = {}
    for split in dict.fromkeys(fold.split for fold in records):
        for method in (plan.name, *protocol.baselines):
            part = {fold: record for fold, record in records.items() if (fold.method, fold.split) == (method, split)}
            if any(record["status"] == "scored" for record in part.values()):
                summaries.setdefault(split, {})[method] = _summary(data, folder, part)
    first = next(iter(records)).split
    beside = summaries.get(first, {})
    own: dict[str, Any] | None = beside.pop(plan.name, None)
    if own is None:
        raise ZooError(f"{folder}: {plan.name} failed in every fold, the last time for this reason: {_why(records)}")
    if first == SUBJECT:
        for found in beside.values():
            found["behind"] = pooling.behind(own["per_subject"], found["per_subject"])
    random = summaries.get(WINDOW) if first == SUBJECT else None
    return own | {
        "simulated": data.simulated, "source": data.source, "split_by": first, "people": len(data.train.people()),
        "everyone": protocol.everyone, "groups": protocol.count(data), "seeds": protocol.seeds, "baselines": beside,
        "random": random, "notes": _notes(plan, data, protocol, first, records),
    }  # fmt: skip


def _summary(data: ActivityData, folder: Path, records: Records) -> dict[str, Any]:
    """One method's folds of one split together, of which at least one has a score."""
    scored = [fold for fold, record in records.items() if record["status"] == "scored"]
    answers = [Answers.read(fold.file(folder, "npz")) for fold in scored]
    # A row is one window.
    rows = np.concatenate([part.rows for part in answers])
    predicted = np.concatenate([part.predicted for part in answers])
    seeds = np.repeat([fold.seed for fold in scored], [len(part.rows) for part in answers])
    labels = np.asarray(data.train.targets[:])[rows]
    by_person = scored[0].split == SUBJECT
    subjects = data.train.subjects[rows] if by_person and data.train.subjects is not None else None
    found = metrics.classification(labels, predicted, data.classes, subjects)
    if subjects is not None:
        found |= pooling.people(found["per_subject"], labels == predicted, subjects, rows, seeds)
    logits = [part.logits for part in answers if part.logits is not None]
    if logits:
        temperatures = [records[fold]["temperature"] for fold in scored]
        found |= pooling.calibration(labels, logits, temperatures)
    return {
        **found,
        **pooling.spread({(fold.seed, fold.group): records[fold]["macro_f1"] for fold in scored}),
        "folds": [{"seed": fold.seed, "group": fold.group, **record} for fold, record in records.items()],
    }


def _why(records: Records) -> str:
    reasons = [record["reason"] for record in records.values() if record["status"] == "failed"]
    return str(reasons[-1])


def _notes(plan: Plan, data: ActivityData, protocol: Protocol, split: str, records: Records) -> list[str]:
    notes = []
    if protocol.everyone:
        notes.append("the people of the test part are in the folds: what is chosen by this cannot be tested on them")
    if data.simulated:
        notes.append("simulated data: no person made these windows")
    if split == WINDOW:
        notes.append("no subject ids: windows of one person are learned from and measured on, so this claims too much")
    failed = [fold for fold, record in records.items() if record["status"] == "failed"]
    if failed:
        notes.append(
            f"{len(failed)} of {len(records)} folds failed, and their windows are missing in what they were for, the "
            f"last one for this reason: {_why(records)}"
        )
    if not plan.recipe.validation:
        notes.append("the recipe sets nothing aside for validation, so no fold has a temperature of its own")
    return notes
