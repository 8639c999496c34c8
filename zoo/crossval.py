"""Cross-validation over people or studies: the score of a recipe on those it was not trained on, and its spread.

Each fold is trained in its own process (`folds`) and leaves a record and its predictions in the folder of the
cross-validation, so that a killed run resumes where it was. Baselines are scored on the same folds.
"""

import importlib.metadata
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity import baselines, metrics, pooling
from zoo.activity.windows import ActivityData
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.families import find_family
from zoo.files import claim_folder, exclusive_folder, temporary_folder, write_json
from zoo.folds import CONFIG, LOSO, STUDY, SUBJECT, WINDOW, Fold, Predictions, Records, held_out, read_people, run_folds
from zoo.provenance import versions
from zoo.runtime.label_sets import COUNTED, allowed_classes, forgive, resolve
from zoo.task import Split
from zoo.training import Training

RESULTS = "results.json"


@dataclass(frozen=True)
class Protocol:
    """How a recipe is cross-validated.

    Args:
        groups: Number of groups into which the people are divided, 2 or more; or `loso`, one group per person; or
            `study`, one group per study.
        seeds: How many times all folds are trained, with consecutive seeds from the recipe's.
        baselines: Keys of `evaluation.baselines.BASELINES`, scored on the same folds.
        random: Whether to score random windows, in place of people, as well, which overestimates.
        everyone: Whether the people of the test set are divided into the groups as well.

    Raises:
        ZooError: If a number is outside its range, or a baseline is unknown or not installed.

    Example:
        >>> Protocol(groups=1)
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: groups is 1; expected 2 or more, loso or study
    """

    groups: int | str = 5
    seeds: int = 1
    baselines: Sequence[str] = ()
    random: bool = False
    everyone: bool = False

    def __post_init__(self) -> None:
        if self.groups not in (LOSO, STUDY) and (isinstance(self.groups, str) or self.groups < 2):
            raise ZooError(f"groups is {self.groups}; expected 2 or more, {LOSO} or {STUDY}")
        if self.seeds < 1:
            raise ZooError(f"seeds is {self.seeds}; expected 1 or more")
        for name in self.baselines:
            baselines.require(name)

    def count(self, data: ActivityData) -> int:
        """The number of groups for the people, or the studies, in a file.

        Raises:
            ZooError: If the people are unknown, or they or the studies are too few.
        """
        studies = [] if data.train.studies is None else np.unique(data.train.studies).tolist()
        if self.groups == STUDY and len(studies) < 2:
            found = f"only {studies[0] or 'recordings of no study'}" if studies else "no studies (key 'trStudy')"
            raise ZooError(
                f"{data}: {found}, so no study can be held out: import several with `zoo data import STUDY`, and cut "
                "them together with `zoo data windows`"
            )
        people = len(data.train.people())
        if not people:
            if self.random and not isinstance(self.groups, str):
                return int(self.groups)
            raise ZooError(
                f"{data}: no subject ids (key 'trS'), so no person can be held out: add them; or pass a number of "
                "groups and `--also random` to score random windows alone, which overestimates"
            )
        if self.groups == STUDY:
            return len(studies)
        groups = people if self.groups == LOSO else int(self.groups)
        if groups > people or people < 2:
            where = "training and test (keys 'trS', 'tstS')" if self.everyone else "training (key 'trS')"
            raise ZooError(
                f"{data}: {people} people in {where} for {groups} groups: each needs one; ask for "
                f"2 to {people} groups, or record more people"
            )
        return groups

    def folds(self, plan: Training, data: ActivityData) -> list[Fold]:
        """All folds, in the order in which they are run."""
        groups, first = self.count(data), plan.recipe.seed
        own = STUDY if self.groups == STUDY else SUBJECT
        splits = [*([own] if data.train.people() else []), *([WINDOW] if self.random else [])]
        return [
            Fold(method, split, seed, group)
            for split in splits
            for method in (plan.name, *self.baselines)
            for seed in range(first, first + (1 if method in baselines.SEEDLESS else self.seeds))
            for group in range(groups)
        ]


def prepare(path: Path, groups: int) -> list[Split]:
    """Reads a file of windows once, and holds out one group of people after another for validation.

    Args:
        path: A file in the course's layout, with subject ids.
        groups: Number of groups into which the people of the training set are divided, 2 or more.

    Raises:
        ZooError: If the file has no subject ids, or fewer people than groups.
    """
    data = load_as(ActivityData, path)
    groups = Protocol(groups).count(data)
    windows = data.train.in_memory()
    return [Split(data, windows.where(~mask), windows.where(mask)) for mask in held_out(windows, SUBJECT, groups)]


def cross_validate(
    plan: Training,
    path: Path,
    folder: Path | None = None,
    protocol: Protocol | None = None,
    *,
    workers: int = 1,
    on_progress: Callable[[Records], None] = lambda records: None,
    command: str = "",
) -> dict[str, Any]:
    """Cross-validates over groups of people: of the training set, or with `everyone` of the whole file.

    A fold is trained on the windows outside it as `zoo train` does, validation included, and scored on those inside as
    `zoo evaluate` does; where three people or fewer are left, all of them are trained on, and the fold has no
    temperature. After a kill, the same call resumes: folds that have a score are not run again.

    Args:
        plan: What is trained, and how.
        path: A file in the course's layout.
        folder: A new folder, or that of the same cross-validation; a temporary one by default.
        protocol: Groups, seeds and baselines.
        workers: Number of folds that are trained at once, each in its own process; 0 trains them in this process.
            The result does not depend on it.
        on_progress: Called repeatedly with the states of all folds.
        command: The command line, which is recorded.

    Returns:
        `macro_f1`, `accuracy` (of all windows, each predicted by a model that did not see its person), their interval
        and deviations, `per_subject`, `confusion`, `folds`, ...; the same for each of the `baselines`, and `random`.
        Also written to the folder as `results.json`.

    Raises:
        ZooError: If the data, the protocol or the folder is not valid, or no fold of the network has a score.
    """
    if workers < 0:
        raise ZooError(f"workers is {workers}; expected 0 or more")
    if find_family(plan.family).task != "activity":
        raise ZooError(f"{plan.name}: has no people to hold out; choose an activity recognizer")
    protocol = protocol or Protocol()
    data = read_people(path, protocol.everyone)
    folds = protocol.folds(plan, data)
    config = plan.to_json() | {"groups": protocol.groups, "everyone": protocol.everyone, "data_sha256": data.sha256}
    with ExitStack() as stack:
        folder = folder or stack.enter_context(temporary_folder()) / "crossval"
        stack.enter_context(exclusive_folder(folder))
        claim_folder(folder / CONFIG, config, "cross-validation")
        records = run_folds(folder, path, folds, workers=workers, on_progress=on_progress)
        own = versions() | ({"aeon": importlib.metadata.version("aeon")} if "minirocket" in protocol.baselines else {})
        result = {
            "command": command, "preset": plan.name, "data": path.name, "data_sha256": data.sha256,
            **_results(plan, data, folder, protocol, records), "seed": plan.recipe.seed, "arguments": plan.arguments,
            "recipe": plan.recipe.to_json(), "machine": own.pop("machine"), "versions": own,
        }  # fmt: skip
        write_json(folder / RESULTS, result)
    return result


def _results(plan: Training, data: ActivityData, folder: Path, protocol: Protocol, records: Records) -> dict[str, Any]:
    summaries: dict[str, dict[str, Any]] = {}
    for split in dict.fromkeys(fold.split for fold in records):
        for method in (plan.name, *protocol.baselines):
            part = {fold: record for fold, record in records.items() if (fold.method, fold.split) == (method, split)}
            if any(record["status"] == "scored" for record in part.values()):
                summaries.setdefault(split, {})[method] = _summary(plan, data, folder, part)
    first = next(iter(records)).split
    others = summaries.get(first, {})
    own: dict[str, Any] | None = others.pop(plan.name, None)
    if own is None:
        raise ZooError(f"{folder}: {plan.name} failed in every fold, the last time for this reason: {_why(records)}")
    if first != WINDOW:
        for summary in others.values():
            summary["difference"] = pooling.paired_difference(own["per_subject"], summary["per_subject"])
    return own | {
        "split": "cross-validation", "simulated": data.simulated, "source": data.source,
        "split_by": first, "people": len(data.train.people()),
        "everyone": protocol.everyone, "groups": protocol.count(data), "seeds": protocol.seeds, "baselines": others,
        "random": summaries.get(WINDOW) if first != WINDOW else None,
        "notes": _notes(plan, data, protocol, first, records),
    }  # fmt: skip


def _summary(plan: Training, data: ActivityData, folder: Path, records: Records) -> dict[str, Any]:
    """Scores one method on all folds of one split together, of which at least one has a score."""
    scored = [fold for fold, record in records.items() if record["status"] == "scored"]
    parts = [Predictions.read(fold.file(folder, "npz")) for fold in scored]
    # A row is one window.
    rows = np.concatenate([part.rows for part in parts])
    sizes = [len(part.rows) for part in parts]
    seeds = np.repeat([fold.seed for fold in scored], sizes)
    scores = np.concatenate([part.scores(len(data.classes)) for part in parts])
    known = data.train.labels[rows]
    labels = resolve(known, scores, data.label_sets)
    predicted = np.concatenate([
        forgive(truth, part.labels, records[fold].get("indistinct", ()))
        for fold, part, truth in zip(scored, parts, np.split(labels, np.cumsum(sizes)[:-1]), strict=True)
    ])  # fmt: skip
    windows, by_person = data.train, scored[0].split != WINDOW
    subjects = windows.subjects[rows] if by_person and windows.subjects is not None else None
    summary = {"windows": len(rows)} | metrics.classification(labels, predicted, data.classes, subjects)
    if by_person and windows.studies is not None:
        own = np.eye(len(data.classes))[predicted]
        summary["per_study"] = metrics.by_study(known, own, windows.studies[rows], data.label_sets)
    if subjects is not None:
        summary |= pooling.people(summary["per_subject"], labels == predicted, subjects, rows, seeds)
    logits = [part.logits for part in parts if part.logits is not None]
    if logits:
        summary |= pooling.calibration(
            known, logits, [records[fold]["temperature"] for fold in scored], len(data.classes),
            plan.recipe.rejection_rate,
        )  # fmt: skip
    return {
        **summary,
        **pooling.spread({(fold.seed, fold.group): records[fold]["macro_f1"] for fold in scored}),
        "folds": [{"seed": fold.seed, "group": fold.group, **record} for fold, record in records.items()],
    }


def _of_one_study(data: ActivityData) -> list[str]:
    """The classes that a single study has, by themselves or in a set: where it is left out, nothing teaches them."""
    assert data.train.studies is not None
    allowed = allowed_classes(len(data.classes), data.label_sets)
    known = [
        allowed[np.unique(data.train.labels[data.train.studies == study])].any(axis=0)
        for study in np.unique(data.train.studies)
    ]
    return [name for name, studies in zip(data.classes, np.sum(known, axis=0), strict=True) if studies == 1]


def _why(records: Records) -> str:
    reasons = [record["reason"] for record in records.values() if record["status"] == "failed"]
    return reasons[-1] if reasons else ""


def _notes(plan: Training, data: ActivityData, protocol: Protocol, split: str, records: Records) -> list[str]:
    failed = sum(record["status"] == "failed" for record in records.values())
    own = [record for fold, record in records.items() if (fold.method, fold.split) == (plan.name, split)]
    alone = sum(record["status"] == "scored" and record["temperature"] is None for record in own)
    lonely = _of_one_study(data) if split == STUDY else []
    applies = {
        "the people of the test set are in the folds: what is chosen by this cannot be tested on them":
            protocol.everyone,
        "simulated data: these windows are synthetic": data.simulated,
        "no subject ids: training and test windows are of the same people, so these numbers overestimate":
            split == WINDOW,
        f"{failed} of {len(records)} folds failed, so their windows are missing from the scores; the last one for this "
        f"reason: {_why(records)}": failed,
        "the recipe has no validation set, so no fold has a temperature of its own": not plan.recipe.validation,
        COUNTED: bool(data.label_sets),
        f"no other study has {', '.join(lonely)}, so none of their windows can be recognized": bool(lonely),
        f"{alone} of {len(own)} folds train on three people or fewer, all of them, so they have no temperature of "
        "their own": plan.recipe.validation and alone,
    }  # fmt: skip
    return [note for note, true in applies.items() if true]
