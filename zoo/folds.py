"""Folds of a cross-validation: which windows are held out, and the training of one fold in a process of its own.

    python -m zoo.folds FOLDER DATA NAME

trains one fold. The network, its normalization, early stopping and temperature, or a baseline with its scaling, are all
fitted on windows outside the fold. A fold that is killed and started again resumes from its checkpoint. A process has
one thread, so that results do not depend on how many run at once.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedKFold

from zoo import jobs
from zoo.activity import metrics
from zoo.activity.baselines import BASELINES
from zoo.activity.windows import ActivityData, Windows, center_crop
from zoo.data.loading import load_as
from zoo.files import atomic_write, exclusive, read_arrays, read_json, write_json
from zoo.jobs import Job
from zoo.recipe import Recipe
from zoo.runtime.label_sets import forgive, indistinct, resolve

CONFIG = "crossval.json"
"""The file that describes the cross-validation in a folder."""

SUBJECT, STUDY, WINDOW = "subject", "study", "window"
"""What is held out: whole people; whole studies; or random windows, although their neighbors are then trained on."""

LOSO = "loso"
"""Leave one subject out: as many groups as people."""

_ATTEMPTS = 3
_LOCK_SECONDS = 3600.0

Record = dict[str, Any]
"""The state of a fold. `status` is `waiting`, `running`, `scored`, or `failed`, which has a `reason`."""


@dataclass(frozen=True)
class Fold:
    """One training, and the windows that it is scored on.

    Args:
        method: Name of a baseline, or of the network.
        split: `subject`, `study` or `window`: what is held out.
        seed: Of the training.
        group: Which group is held out, from 0.
    """

    method: str
    split: str
    seed: int
    group: int

    @property
    def name(self) -> str:
        """The stem of its files.

        Example:
            >>> Fold("random_forest", "subject", 0, 3).name
            'random_forest.subject.0.3'
        """
        return f"{self.method}.{self.split}.{self.seed}.{self.group}"

    @classmethod
    def from_name(cls, name: str) -> "Fold":
        """The inverse of `name`."""
        method, split, seed, group = name.rsplit(".", 3)
        return cls(method, split, int(seed), int(group))

    def file(self, folder: Path, suffix: str) -> Path:
        """One of its files in the folder of a cross-validation."""
        return folder / "folds" / f"{self.name}.{suffix}"

    def record(self, folder: Path) -> Record:
        """Its current state."""
        path = self.file(folder, "json")
        return read_json(path) if path.is_file() else {"status": "waiting"}

    def fail(self, folder: Path, reason: str) -> None:
        """Records that it failed."""
        write_json(self.file(folder, "json"), self.record(folder) | {"status": "failed", "reason": reason})


Records = dict[Fold, Record]


def read_people(path: Path, everyone: bool) -> ActivityData:
    """Reads windows to cross-validate as the training set: the file's own training set, or all of its windows."""
    data = load_as(ActivityData, path)
    return data.everyone() if everyone else data


def held_out(windows: Windows, split: str, groups: int | str) -> list[NDArray[np.bool_]]:
    """Returns which windows each fold holds out; each window is held out exactly once.

    Args:
        windows: All windows.
        split: `subject` divides people into groups; `study` holds out one study after another, in the order of their
            names; `window` draws windows of each class at random.
        groups: Number of folds; `loso` for as many as people, or `study` for as many as studies. Unused if studies are
            held out.

    Returns:
        A mask `(len(windows),)` for each fold.
    """
    studies = [] if windows.studies is None else np.unique(windows.studies).tolist()
    if split == STUDY:
        return [windows.studies == study for study in studies]
    count = len(windows.people()) if groups == LOSO else len(studies) if groups == STUDY else int(groups)
    if split == SUBJECT:
        parts = GroupKFold(count, shuffle=True, random_state=0).split(windows.labels, groups=windows.subjects)
    else:
        parts = StratifiedKFold(count, shuffle=True, random_state=0).split(windows.labels, windows.labels)
    return [np.isin(np.arange(len(windows)), rows) for _, rows in parts]


@dataclass(frozen=True)
class Predictions:
    """Predictions of a fold's model for the windows that were held out.

    Args:
        rows: `(N,)` row numbers among all windows that are cross-validated.
        labels: `(N,)` predicted class numbers.
        logits: `(N, K)`, of a network.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32] | None = None

    def scores(self, classes: int) -> NDArray[np.floating[Any]]:
        """The logits, or 1 for the predicted class where there are none, `(N, classes)`."""
        return np.eye(classes)[self.labels] if self.logits is None else self.logits

    def write(self, path: Path) -> None:
        """Writes a `.npz` file."""
        arrays = {name: value for name, value in vars(self).items() if value is not None}
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        """The inverse of `write`."""
        return cls(**read_arrays(path))


def run_folds(
    folder: Path,
    path: Path,
    folds: Sequence[Fold],
    *,
    workers: int = 1,
    on_progress: Callable[[Records], None] = lambda records: None,
) -> Records:
    """Runs folds until each has a score or has failed; a process that is killed by a signal is started again.

    Args:
        folder: Of a cross-validation.
        path: Its data.
        folds: Those that have a score already are not run again.
        workers: Number of folds that run at once, each in its own process; 0 runs them in this process.
        on_progress: Called repeatedly with the states of all folds.

    Returns:
        The final states.
    """
    waiting = [fold for fold in folds if fold.record(folder)["status"] != "scored"]
    for fold in waiting:
        fold.file(folder, "json").unlink(missing_ok=True)

    def watch() -> None:
        on_progress({fold: fold.record(folder) for fold in folds})

    if workers:
        _run_in_processes(folder, path, waiting, workers, watch)
    else:
        for fold in waiting:
            run_fold(folder, path, fold)
            watch()
    return {fold: fold.record(folder) for fold in folds}


def _run_in_processes(folder: Path, path: Path, folds: Sequence[Fold], workers: int, watch: Callable[[], None]) -> None:
    work = {
        Job(
            fold.name, jobs.python("zoo.folds", folder, path, fold.name), jobs.limit_threads(1),
            fold.file(folder, "log"),
        ): fold
        for fold in folds
    }  # fmt: skip
    attempts: Counter[Job] = Counter()

    def on_exit(job: Job, status: int) -> bool:
        attempts[job] += 1
        if work[job].record(folder)["status"] in ("scored", "failed"):
            return False
        if status < 0 and attempts[job] < _ATTEMPTS:
            return True
        how = f"was killed by signal {-status}, {_ATTEMPTS} times" if status < 0 else f"ended with status {status}"
        work[job].fail(folder, f"its process {how}; see {job.log}")
        return False

    jobs.run_jobs(work, at_once=workers, on_exit=on_exit, watch=watch)


def run_fold(folder: Path, path: Path, fold: Fold) -> None:
    """Trains and scores a fold in this process, and writes its record and predictions.

    Args:
        folder: Of a cross-validation.
        path: Its data.
        fold: Which.
    """
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
    config = read_json(folder / CONFIG)
    data = read_people(path, config["everyone"])
    windows = data.train.in_memory()
    mask = held_out(windows, fold.split, config["groups"])[fold.group]
    train, test = windows.where(~mask), windows.where(mask)
    classes = len(data.classes)
    note(
        subjects=[] if fold.split == WINDOW else test.people(), windows=len(test), train_windows=len(train),
        study=str(test.studies[0]) if fold.split == STUDY and test.studies is not None else None,
        # What training cannot tell apart is not told apart in the scores.
        indistinct=indistinct(train.labels, classes, train.label_sets),
    )  # fmt: skip
    details: Record = {}
    if fold.method in BASELINES:
        predictions = _baseline(fold, train.of_one_class(classes), test, config["arguments"].get("window"))
    else:
        predictions, details = _network(fold, data, train, test, config, fold.file(folder, "npz.checkpoint"), note)
    predictions.write(fold.file(folder, "npz"))
    labels = resolve(test.labels, predictions.scores(classes), test.label_sets)
    predicted = forgive(labels, predictions.labels, indistinct(train.labels, classes, train.label_sets))
    if fold.split == STUDY:
        labels, predicted = metrics.own_labels(test.labels, np.eye(classes)[predicted], test.label_sets)
    return details | {
        "macro_f1": metrics.macro_f1(labels, predicted), "accuracy": float((labels == predicted).mean())
    }  # fmt: skip


def _baseline(fold: Fold, train: Windows, test: Windows, window: int | None) -> Predictions:
    (inputs, labels), (test_inputs, _) = train.arrays(), test.arrays()
    length = window or inputs.shape[1]
    predict = BASELINES[fold.method](center_crop(inputs, length), labels, seed=fold.seed, jobs=1)
    return Predictions(test.rows, predict(center_crop(test_inputs, length)))


def _network(
    fold: Fold, data: ActivityData, train: Windows, test: Windows, config: Record, checkpoint: Path,
    note: Callable[..., None],
) -> tuple[Predictions, Record]:  # fmt: skip
    # Baselines do not need TensorFlow, which takes longer to import than they take to fit.
    import keras

    from zoo.activity.task import TASK, answers, keras_logits, temperature_of
    from zoo.training import Training, fit

    recipe = Recipe.from_json(config["recipe"]).replace(seed=fold.seed)
    training = Training(fold.method, config["family"], config["arguments"], recipe)
    # By the rule of every training: of few people all are trained on, and none of them calibrates the model.
    split = TASK.split(replace(data, train=train), recipe, folds=True)
    model = TASK.build(training, split)
    progress = jobs.throttled(lambda epoch, logs: note(epochs=epoch + 1))
    fitted = fit(
        model, recipe, TASK.feed(model, split, recipe), checkpoint=checkpoint,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=progress)],
        identity={"arguments": model.get_config(), "data": config["data_sha256"], "fold": fold.name},
    )  # fmt: skip
    temperature = None
    if split.validation is not None:
        logits, labels = answers(partial(keras_logits, model), split.validation)
        temperature = temperature_of(labels, logits)
    logits, _ = answers(partial(keras_logits, model), test)
    return Predictions(test.rows, logits.argmax(axis=1), logits), {
        "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "temperature": temperature,
    }  # fmt: skip


def main() -> None:
    """Runs the fold named by the arguments, once no other process does."""
    jobs.die_with_parent()
    folder, path, fold = Path(sys.argv[1]), Path(sys.argv[2]), Fold.from_name(sys.argv[3])
    with jobs.terminable_job(), exclusive(fold.file(folder, "json"), "fold", _LOCK_SECONDS):
        if fold.record(folder)["status"] != "scored":
            run_fold(folder, path, fold)


if __name__ == "__main__":
    main()
