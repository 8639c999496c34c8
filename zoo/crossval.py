"""Cross-validation over people or studies: the score of a recipe on those it was not trained on, and its spread.

    folds -> each trained and scored in a process of its own -> a record and its predictions -> one result

A fold is trained on the windows outside it as `zoo train` does, and scored on those inside as `zoo evaluate` does: the
network, its normalization, early stopping and temperature, or a baseline with its scaling, are all fitted outside. Each
fold leaves its record and predictions in the folder, so that a killed run resumes where it was; a fold itself resumes
from its checkpoint.

    python -m zoo.crossval FOLDER DATA METHOD SPLIT SEED GROUP

trains one fold. Its process has one thread, so that results do not depend on how many run at once. The processes are
those of `jobs`, as in a search: in joblib's pool, one worker that is killed for lack of memory ends all other folds.
"""

import importlib.metadata
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.model_selection import GroupKFold

from zoo import jobs
from zoo.activity import baselines, metrics
from zoo.data.dataset import Data, DataSet
from zoo.data.loading import load_data
from zoo.errors import ZooError
from zoo.families import find_family
from zoo.files import (
    atomic_write,
    claim_folder,
    exclusive,
    exclusive_folder,
    read_arrays,
    read_record,
    temporary_folder,
    write_json,
)
from zoo.provenance import versions
from zoo.recipe import Recipe
from zoo.runtime.labels import COUNTED, allowed_classes, forgive, indistinct, resolve

if TYPE_CHECKING:
    from zoo.task import Split
    from zoo.training import Training

CONFIG, RESULTS = "crossval.json", "results.json"
"""In the folder: the file that describes the cross-validation, and its result."""

SUBJECT, STUDY = "subject", "study"
"""What is held out: whole people, or whole studies."""

LOSO = "loso"
"""Leave one subject out: as many groups as people."""

_FITTED = (
    "mean", "variance", "temperature", "prior", "threshold", "carry_state", "provenance", "seed", "name", "frozen",
    "quantized",
)  # fmt: skip
"""Arguments of a model that its training, or the recipe, decides, and what is done to its layers afterward."""

_ATTEMPTS, _WORST = 3, 3
_LOCK_SECONDS = 3600.0

Record = dict[str, Any]
"""The state of a fold. `status` is `waiting`, `running`, `scored`, or `failed`, which has a `reason`."""


@dataclass(frozen=True)
class Fold:
    """One training, and the windows that it is scored on.

    Args:
        method: Name of a baseline, or of the network.
        split: `subject` or `study`: what is held out.
        seed: Of the training.
        group: Which group is held out, from 0.
    """

    method: str
    split: str
    seed: int
    group: int

    @property
    def name(self) -> str:
        """The stem of its files, such as `random_forest.subject.0.3`."""
        return f"{self.method}.{self.split}.{self.seed}.{self.group}"

    def file(self, folder: Path, suffix: str) -> Path:
        """One of its files in the folder of a cross-validation."""
        return folder / "folds" / f"{self.name}.{suffix}"

    def record(self, folder: Path) -> Record:
        """Its current state."""
        path = self.file(folder, "json")
        if not path.is_file():
            return {"status": "waiting"}
        record = read_record(path, "status")
        return record if record["status"] != "scored" else read_record(path, "macro_f1", "accuracy")


Records = dict[Fold, Record]


@dataclass(frozen=True)
class Protocol:
    """How a recipe is cross-validated.

    Args:
        groups: Number of groups into which the people are divided; or `loso`, one group per person; or `study`.
        seeds: How many times all folds are trained, with consecutive seeds from the recipe's.
        baselines: Keys of `baselines.BASELINES`, scored on the same folds.
        everyone: Whether the people of the test set are divided into the groups as well.
        models: Whether the network of each fold stays in the folder, as `folds/NAME.keras`.

    Example:
        >>> Protocol(groups=1)
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: groups is 1; expected 2 or more, loso or study
    """

    groups: int | str = 5
    seeds: int = 1
    baselines: Sequence[str] = ()
    everyone: bool = False
    models: bool = False

    def __post_init__(self) -> None:
        if self.groups not in (LOSO, STUDY) and not (type(self.groups) is int and self.groups >= 2):
            raise ZooError(f"groups is {self.groups}; expected 2 or more, {LOSO} or {STUDY}")
        for name in self.baselines:
            baselines.require(name)

    def count(self, data: Data) -> int:
        """The number of groups for the people, or the studies, in a file; refuses too few."""
        studies = [] if data.train.studies is None else np.unique(data.train.studies).tolist()
        if self.groups == STUDY and len(studies) < 2:
            found = f"only {studies[0] or 'recordings of no study'}" if studies else "no studies (key 'trStudy')"
            raise ZooError(
                f"{data}: {found}, so no study can be held out: import several with `zoo data import STUDY`, and cut "
                "them together with `zoo data windows`"
            )
        people = len(data.train.people())
        if not people:
            raise ZooError(f"{data}: no subject ids (key 'trS'), so no person can be held out: add them")
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

    def config(self, training: "Training", data: Data) -> dict[str, Any]:
        """What the processes of the folds read from `crossval.json`."""
        return training.to_json() | {
            "groups": self.groups, "everyone": self.everyone, "data_sha256": data.sha256,
            **({"models": True} if self.models else {}),
        }  # fmt: skip

    def folds(self, training: "Training", data: Data) -> list[Fold]:
        """All folds, in the order in which they are run."""
        groups, first = self.count(data), training.recipe.seed
        split = STUDY if self.groups == STUDY else SUBJECT
        return [
            Fold(method, split, seed, group)
            for method in (training.name, *self.baselines)
            for seed in range(first, first + (1 if method in baselines.SEEDLESS else self.seeds))
            for group in range(groups)
        ]


def read_people(path: Path, everyone: bool) -> Data:
    """Reads windows to cross-validate as the training set: the file's own training set, or all of its windows."""
    data = load_data(path, task="activity")
    return data.everyone() if everyone else data


def held_out(windows: DataSet, split: str, groups: int | str) -> list[NDArray[np.bool_]]:
    """Which windows each fold holds out, as masks `(len(windows),)`; each window is held out exactly once.

    `subject` divides people into groups, of which `loso` are as many as people; `study` holds out one study after
    another, in the order of their names.
    """
    if split == STUDY:
        assert windows.studies is not None
        return [windows.studies == study for study in np.unique(windows.studies)]
    count = len(windows.people()) if groups == LOSO else int(groups)
    parts = GroupKFold(count, shuffle=True, random_state=0).split(windows.labels, groups=windows.subjects)
    return [np.isin(np.arange(len(windows)), rows) for _, rows in parts]


def prepare(path: Path, groups: int) -> list["Split"]:
    """Reads a file of windows once, and holds out one group of people after another for validation."""
    from zoo.task import Split

    data = load_data(path, task="activity")
    groups = Protocol(groups).count(data)
    windows = data.train.in_memory()
    return [Split(data, windows.where(~mask), windows.where(mask)) for mask in held_out(windows, SUBJECT, groups)]


def cross_validate(
    training: "Training",
    path: Path,
    folder: Path | None = None,
    protocol: Protocol | None = None,
    *,
    workers: int = 1,
    on_progress: Callable[[Records], None] = lambda records: None,
    command: str = "",
) -> dict[str, Any]:
    """Cross-validates over groups of people: of the training set, or with `everyone` of the whole file.

    Where three people or fewer are left outside a fold, all of them are trained on, and the fold has no temperature.
    After a kill, the same call resumes: folds that have a score are not run again. The result does not depend on the
    number of `workers`, processes that train at once; 0 trains in this process.

    Returns:
        `macro_f1`, `accuracy` (of all windows, each predicted by a model that did not see its person), their interval
        and deviations, `per_subject`, `confusion`, `folds`, ...; the same for each of the `baselines`.
        Also written to the folder as `results.json`.
    """
    if find_family(training.family).task != "activity":
        raise ZooError(f"{training.name}: has no people to hold out; choose an activity recognizer")
    protocol = protocol or Protocol()
    from zoo.activity.task import TASK

    # Of a trained model, each fold takes what it is, not what it has learned from people whom the fold leaves out.
    arguments = {name: value for name, value in training.arguments.items() if name not in _FITTED}
    data = TASK.match(read_people(path, protocol.everyone), training.name, arguments)
    training = replace(training, arguments=arguments | ({"classes": data.classes} if "classes" in arguments else {}))
    folds = protocol.folds(training, data)
    with ExitStack() as stack:
        folder = folder or stack.enter_context(temporary_folder()) / "crossval"
        stack.enter_context(exclusive_folder(folder))
        claim_folder(folder / CONFIG, protocol.config(training, data), "cross-validation")
        records = run_folds(folder, path, folds, workers=workers, on_progress=on_progress)
        own = versions() | ({"aeon": importlib.metadata.version("aeon")} if "minirocket" in protocol.baselines else {})
        result = {
            "command": command, "preset": training.name, "data": path.name, "data_sha256": data.sha256,
            **_results(training, data, folder, protocol, records), "seed": training.recipe.seed,
            "arguments": training.arguments, "recipe": training.recipe.to_json(), "machine": own.pop("machine"),
            "versions": own,
        }  # fmt: skip
        write_json(folder / RESULTS, result)
    return result


def run_folds(
    folder: Path,
    path: Path,
    folds: Sequence[Fold],
    *,
    workers: int = 1,
    on_progress: Callable[[Records], None] = lambda records: None,
) -> Records:
    """Runs folds until each has a score or has failed; a process that is killed by a signal is started again."""
    waiting = [fold for fold in folds if fold.record(folder)["status"] != "scored"]
    for fold in waiting:
        fold.file(folder, "json").unlink(missing_ok=True)

    def watch() -> None:
        on_progress({fold: fold.record(folder) for fold in folds})

    if not workers:
        for fold in waiting:
            run_fold(folder, path, fold)
            watch()
        return {fold: fold.record(folder) for fold in folds}
    attempts: Counter[jobs.Job] = Counter()
    work = {
        jobs.Job(fold.name, jobs.python("zoo.crossval", folder, path, *vars(fold).values()), jobs.limit_threads(1),
                 fold.file(folder, "log")): fold
        for fold in waiting
    }  # fmt: skip

    def on_exit(job: jobs.Job, status: int) -> bool:
        attempts[job] += 1
        record = work[job].record(folder)
        if record["status"] in ("scored", "failed"):
            return False
        if status < 0 and attempts[job] < _ATTEMPTS:
            return True
        how = f"was killed by signal {-status}, {_ATTEMPTS} times" if status < 0 else f"ended with status {status}"
        reason = f"its process {how}; see {job.log}"
        write_json(work[job].file(folder, "json"), record | {"status": "failed", "reason": reason})
        return False

    jobs.run_jobs(work, at_once=workers, on_exit=on_exit, watch=watch)
    return {fold: fold.record(folder) for fold in folds}


def main() -> None:
    """Runs the fold of the arguments, once no other process does."""
    jobs.die_with_parent()
    folder, path, method, split, seed, group = sys.argv[1:]
    fold = Fold(method, split, int(seed), int(group))
    with jobs.terminable_job(), exclusive(fold.file(Path(folder), "json"), "fold", _LOCK_SECONDS):
        if fold.record(Path(folder))["status"] != "scored":
            run_fold(Path(folder), Path(path), fold)


def run_fold(folder: Path, path: Path, fold: Fold) -> None:
    """Trains and scores a fold in this process, and writes its record and predictions."""
    record: Record = {"status": "running", "epochs": 0, "started": time.time()}

    def note(**news: Any) -> None:
        record.update(news)
        write_json(fold.file(folder, "json"), record)

    note()
    try:
        scores = _train_and_score(folder, path, fold, note)
        note(**scores, status="scored", seconds=round(time.time() - record["started"], 1))
    except Exception as error:
        # A failure of one fold does not end the others.
        note(status="failed", reason=jobs.reason(error))
    fold.file(folder, "npz.checkpoint").unlink(missing_ok=True)


def _train_and_score(folder: Path, path: Path, fold: Fold, note: Callable[..., None]) -> Record:
    config = read_record(folder / CONFIG, "everyone", "arguments", "groups")
    data = read_people(path, config["everyone"])
    data = data.with_classes(tuple(config["arguments"].get("classes", data.classes)))
    windows = data.train.in_memory()
    mask = held_out(windows, fold.split, config["groups"])[fold.group]
    train, test = windows.where(~mask), windows.where(mask)
    classes = len(data.classes)
    # What training cannot tell apart is not told apart in the scores.
    alike = indistinct(train.labels, classes, train.label_sets)
    note(
        subjects=test.people(), windows=len(test), train_windows=len(train),
        study=str(test.studies[0]) if fold.split == STUDY and test.studies is not None else None, indistinct=alike,
    )  # fmt: skip
    details: Record = {}
    arrays: dict[str, Any] = {"rows": test.rows}
    if fold.method in baselines.BASELINES:
        rows = config["arguments"].get("window") or train.inputs.shape[1]
        fit = baselines.BASELINES[fold.method]
        predict = fit(*train.of_one_class(classes).centers(rows), seed=fold.seed, jobs=1)
        # A baseline is sure of its answers.
        scores: metrics.Floats = np.eye(classes)[predict(test.centers(rows)[0])]
    else:
        checkpoint = fold.file(folder, "npz.checkpoint")
        outside = replace(data, train=train)
        scores, details = _network(fold, outside, test, config, checkpoint, note)
        arrays["logits"] = scores
    labels = resolve(test.labels, scores, test.label_sets)
    predicted = forgive(labels, scores.argmax(axis=1), alike)
    with atomic_write(fold.file(folder, "npz")) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays, labels=labels, predicted=predicted)
    if fold.split == STUDY:
        labels, predicted = metrics.study_labels(test.labels, np.eye(classes)[predicted], test.label_sets)
    return details | metrics.score(labels, predicted, data.other_class)


def _network(
    fold: Fold, data: Data, test: DataSet, config: Record, checkpoint: Path, note: Callable[..., None]
) -> tuple[NDArray[np.float32], Record]:
    # Baselines do not need TensorFlow, which takes longer to import than they take to fit.
    import keras

    from zoo.activity.evaluation import answers, keras_logits
    from zoo.activity.task import TASK
    from zoo.training import Training, fit

    recipe = Recipe.from_json(config["recipe"]).replace(seed=fold.seed)
    # By the rule of every training: of few people all are trained on, and none of them calibrates the model.
    split = replace(TASK.split(data, recipe, folds=True), folds=())
    model = TASK.build(Training(fold.method, config["family"], config["arguments"], recipe), split)
    progress = jobs.throttled(lambda epoch, logs: note(epochs=epoch + 1))
    fitted = fit(
        model, recipe, TASK.feed(model, split, recipe), checkpoint=checkpoint,
        identity={"arguments": model.get_config(), "data": config["data_sha256"], "fold": fold.name},
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=progress)],
    )  # fmt: skip
    TASK.finish(model, split, recipe)
    if config.get("models"):
        model.save(checkpoint.with_name(checkpoint.name.removesuffix("npz.checkpoint") + "keras"))
    temperature = None if split.validation is None else model.temperature
    logits, _ = answers(partial(keras_logits, model), test)
    return logits, {"epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "temperature": temperature}


def _results(training: "Training", data: Data, folder: Path, protocol: Protocol, records: Records) -> dict[str, Any]:
    summaries: dict[str, dict[str, Any]] = {}
    for method in (training.name, *protocol.baselines):
        part = {fold: record for fold, record in records.items() if fold.method == method}
        if any(record["status"] == "scored" for record in part.values()):
            summaries[method] = summarize(training.recipe, data, folder, part)
    network: dict[str, Any] | None = summaries.pop(training.name, None)
    if network is None:
        why = _why(records)
        raise ZooError(f"{folder}: {training.name} failed in every fold, the last time for this reason: {why}")
    for summary in summaries.values():
        summary["difference"] = paired_difference(network["per_subject"], summary["per_subject"])
    split = next(iter(records)).split
    return network | {
        "split": "cross-validation", "simulated": data.simulated, "source": data.source,
        "split_by": split, "people": len(data.train.people()),
        "everyone": protocol.everyone, "groups": protocol.count(data), "seeds": protocol.seeds,
        "baselines": summaries, "notes": _notes(training, data, protocol, split, records),
    }  # fmt: skip


def summarize(recipe: Recipe, data: Data, folder: Path, records: Records) -> dict[str, Any]:
    """Scores one method on all folds together, of which at least one has a score."""
    scored = [fold for fold, record in records.items() if record["status"] == "scored"]
    parts = [read_arrays(fold.file(folder, "npz")) for fold in scored]
    # A row is one window.
    rows = np.concatenate([part["rows"] for part in parts])
    sizes = [len(part["rows"]) for part in parts]
    seeds = np.repeat([fold.seed for fold in scored], sizes)
    known, windows = data.train.labels[rows], data.train
    labels, predicted = (np.concatenate([part[name] for part in parts]) for name in ("labels", "predicted"))
    assert windows.subjects is not None
    subjects = windows.subjects[rows]
    other = data.other_class
    of_known = labels != other
    classified = metrics.classification(labels, predicted, data.classes, subjects, other)
    summary = {"windows": int(of_known.sum())} | classified
    if windows.studies is not None:
        own = np.eye(len(data.classes))[predicted]
        summary["per_study"] = metrics.by_study(known, own, windows.studies[rows], data.label_sets, other)
    right, people = labels == predicted, summary["per_subject"]
    for name, row in people.items():
        own = subjects == name
        # With several seeds, each row occurs several times.
        row["windows"] = len(np.unique(rows[own & of_known]))
        row["accuracy_by_seed"] = [
            float(right[own & of_known & (seeds == seed)].mean()) for seed in np.unique(seeds[own])
        ]
    summary["worst_subjects"] = sorted(people, key=lambda name: people[name]["macro_f1"])[:_WORST]
    if logits := [part["logits"] for part in parts if "logits" in part]:
        temperatures = [records[fold]["temperature"] for fold in scored]
        whole = np.concatenate(logits).astype(np.float64)
        summary |= _calibration(
            known, whole, np.repeat(temperatures, sizes).astype(float), recipe.rejection_rate, other
        )
    return {
        **summary,
        **spread({(fold.seed, fold.group): records[fold]["macro_f1"] for fold in scored}),
        "folds": [{"seed": fold.seed, "group": fold.group, **record} for fold, record in records.items()],
    }


def spread(scores: Mapping[tuple[int, int], float]) -> dict[str, float | None]:
    """The mean over folds, its deviation over groups and over seeds (None if there is only one), and the `worst_group`.

    Example:
        >>> spread({(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.75, (1, 1): 0.25})["worst_group"]
        0.375
    """
    seeds, groups = (sorted({key[place] for key in scores}) for place in (0, 1))
    table = np.array([[scores.get((seed, group), np.nan) for group in groups] for seed in seeds])
    by_group, by_seed = np.nanmean(table, axis=0), np.nanmean(table, axis=1)
    deviations = [float(means.std(ddof=1)) if len(means) > 1 else None for means in (by_group, by_seed)]
    return {
        "mean": float(np.nanmean(table)), "group_deviation": deviations[0], "seed_deviation": deviations[1],
        "worst_group": float(by_group.min()),
    }  # fmt: skip


def _calibration(
    labels: metrics.Labels, logits: metrics.Floats, temperatures: metrics.Floats, rejection_rate: float,
    other: int | None,
) -> dict[str, Any]:  # fmt: skip
    """The calibration on people that the models were not trained on, by the windows of a known class.

    Where other movements are one of the classes, it is that of the others, given that one of them is right.
    `temperatures` are those of each window's fold, NaN where a fold has none.

    Returns:
        `ece`: the error `before` and `after` temperature scaling with each fold's own temperature, and the mean
        `temperature`. `temperature` and `threshold`: fitted on the logits of all folds, for a model that is trained on
        all people.
    """
    among = logits[:, :other]
    single = labels < among.shape[1]

    def error(divisor: Any) -> float:
        return metrics.expected_calibration_error(labels[single], softmax(among[single] / divisor, axis=1))

    missing, temperature = np.isnan(temperatures), metrics.fit_temperature(labels[single], among[single])
    ece = {
        "before": error(1.0), "after": None if missing.any() else error(temperatures[single, None]),
        "temperature": None if missing.all() else float(np.mean(np.unique(temperatures[~missing]))),
    }  # fmt: skip
    answers = softmax(logits[labels != other] / temperature, axis=1)
    return {
        "ece": ece, "temperature": temperature, "threshold": metrics.rejection_threshold(answers, rejection_rate),
    }  # fmt: skip


def paired_difference(leader: Mapping[str, Any], other: Mapping[str, Any], draws: int = 1000) -> dict[str, Any]:
    """The mean difference in macro-F1 over people, its 95% interval, and for how many of them it is positive.

    Example:
        >>> one, two = ({"ann": {"macro_f1": a}, "bob": {"macro_f1": b}} for a, b in ((0.75, 1.0), (0.5, 1.0)))
        >>> paired_difference(one, two)
        {'macro_f1': 0.125, 'interval': [0.0, 0.25], 'people': 1, 'of': 2}
    """
    gaps = np.array([leader[name]["macro_f1"] - other[name]["macro_f1"] for name in leader if name in other])
    means = gaps[np.random.default_rng(0).integers(0, len(gaps), (draws, len(gaps)))].mean(axis=1)
    return {
        "macro_f1": float(gaps.mean()), "interval": np.percentile(means, [2.5, 97.5]).tolist(),
        "people": int((gaps > 0).sum()), "of": len(gaps),
    }  # fmt: skip


def _of_one_study(data: Data) -> list[str]:
    """The classes that a single study has, by themselves or in a set: where it is left out, nothing teaches them."""
    assert data.train.studies is not None
    allowed = allowed_classes(len(data.classes), data.label_sets)
    known = [
        allowed[np.unique(data.train.labels[data.train.studies == study])].any(axis=0)
        for study in np.unique(data.train.studies)
    ]
    found = zip(data.classes, np.sum(known, axis=0), strict=True)
    return [name for place, (name, studies) in enumerate(found) if studies == 1 and place != data.other_class]


def _why(records: Records) -> str:
    reasons = [record["reason"] for record in records.values() if record["status"] == "failed"]
    return reasons[-1] if reasons else ""


def _notes(training: "Training", data: Data, protocol: Protocol, split: str, records: Records) -> list[str]:
    failed = sum(record["status"] == "failed" for record in records.values())
    own = [record for fold, record in records.items() if fold.method == training.name]
    alone = sum(record["status"] == "scored" and record["temperature"] is None for record in own)
    lonely = _of_one_study(data) if split == STUDY else []
    applies = {
        "the people of the test set are in the folds: what is chosen by this cannot be tested on them":
            protocol.everyone,
        "simulated data: these windows are synthetic": data.simulated,
        f"{failed} of {len(records)} folds failed, so their windows are missing from the scores; the last one for this "
        f"reason: {_why(records)}": failed,
        "the recipe has no validation set, so no fold has a temperature of its own": not training.recipe.validation,
        COUNTED: bool(data.label_sets),
        f"no other study has {', '.join(lonely)}, so none of their windows can be recognized": bool(lonely),
        f"{alone} of {len(own)} folds train on three people or fewer, all of them, so they have no temperature of "
        "their own": training.recipe.validation and alone,
    }  # fmt: skip
    return [note for note, true in applies.items() if true]


if __name__ == "__main__":
    main()
