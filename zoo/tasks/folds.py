"""Folds of a cross-validation: what is left out, and one fold from reading to answers, in a process of its own.

    python -m zoo.tasks.folds FOLDER DATA NAME

trains one fold of the cross-validation in a folder. Whatever is fitted, the network, its normalization, the epoch at
which it stops and its temperature, or a baseline with its scaling, is fitted on windows outside the fold. A fold that
is killed and started again goes on from its checkpoint. A process has one thread, so that a result does not depend on
how many run at once.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from zoo.data.activity import ActivityData, Windows, center_crop
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.evaluation import activity as metrics
from zoo.evaluation.baselines import BASELINES
from zoo.files import atomic_write, locked, read_json, write_json
from zoo.processes import die_with_parent
from zoo.recipes import Recipe

MARK = "crossval.json"
"""The file that says what the cross-validation in a folder is."""

SUBJECT, WINDOW = "subject", "window"
"""What is left out: whole people; or windows drawn at random, whose neighbors are then learned from."""

_THREADED = ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OMP_NUM", "OPENBLAS_NUM", "NUMBA_NUM")
ONE_THREAD = {f"{library}_THREADS": "1" for library in _THREADED}
"""Variables of the environment that give each library one thread."""

_NOTED_SECONDS = 1.0
_LOCK_SECONDS = 60.0

Record = dict[str, Any]
"""What became of a fold: its `status` is `waiting`, `running`, `scored` or `failed`, which has a `reason`."""


@dataclass(frozen=True)
class Fold:
    """One training, and the windows that it is measured on.

    Args:
        method: A baseline's name, or that of the network.
        split: `subject` or `window`: what is left out.
        seed: Of the training.
        group: Which of the groups is left out, from 0.
    """

    method: str
    split: str
    seed: int
    group: int

    @property
    def name(self) -> str:
        """Of its files.

        Example:
            >>> Fold("random_forest", "subject", 0, 3).name
            'random_forest.subject.0.3'
        """
        return f"{self.method}.{self.split}.{self.seed}.{self.group}"

    @classmethod
    def of(cls, name: str) -> "Fold":
        """The inverse of `name`."""
        method, split, seed, group = name.split(".")
        return cls(method, split, int(seed), int(group))

    def file(self, folder: Path, suffix: str) -> Path:
        """One of its files in the folder of a cross-validation."""
        return folder / "folds" / f"{self.name}.{suffix}"

    def record(self, folder: Path) -> Record:
        """What has become of it so far."""
        path = self.file(folder, "json")
        return read_json(path) if path.is_file() else {"status": "waiting"}


def people_of(path: Path, everyone: bool) -> ActivityData:
    """A file of windows whose training part is what is cross-validated: its own, or everyone's."""
    data = load_as(ActivityData, path)
    return data.everyone() if everyone else data


def left_out(windows: Windows, split: str, groups: int) -> list[NDArray[np.bool_]]:
    """Which windows each fold leaves out; each window is left out once.

    Args:
        windows: All windows.
        split: `subject` divides people into groups; `window` draws windows of each class at random.
        groups: How many folds.

    Returns:
        A mask `(len(windows),)` for each fold.
    """
    if split == WINDOW:
        labels = windows.labels
        drawn = StratifiedKFold(groups, shuffle=True, random_state=0).split(labels, labels)
        return [np.isin(np.arange(len(labels)), rows) for _, rows in drawn]
    assert windows.subjects is not None
    people = np.random.default_rng(0).permutation(windows.people())
    return [np.isin(windows.subjects, group) for group in np.array_split(people, groups)]


@dataclass(frozen=True)
class Answers:
    """What a fold's model says of the windows that it never saw.

    Args:
        rows: `(N,)` their row numbers among all that are cross-validated.
        predicted: `(N,)` class numbers.
        logits: `(N, K)`, of a network.
    """

    rows: NDArray[np.int64]
    predicted: NDArray[np.int64]
    logits: NDArray[np.float32] | None = None

    def write(self, path: Path) -> None:
        """Writes them whole."""
        arrays = {name: value for name, value in vars(self).items() if value is not None}
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def read(cls, path: Path) -> "Answers":
        """The inverse of `write`."""
        with np.load(path) as arrays:
            return cls(**arrays)


def run(folder: Path, path: Path, fold: Fold) -> None:
    """Trains and measures a fold, and leaves its record and its answers.

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
        found = _measured(folder, path, fold, note)
        note(**found, status="scored", seconds=round(time.time() - record["started"], 1))
    except MemoryError:
        note(status="failed", reason="out of memory")
    except ZooError as error:
        note(status="failed", reason=str(error))
    except Exception as error:
        # One fold's failure is not that of the others.
        reason = " ".join(str(error).split())[:300]
        note(status="failed", reason=f"{type(error).__name__}: {reason}")
    fold.file(folder, "npz.checkpoint").unlink(missing_ok=True)


def _measured(folder: Path, path: Path, fold: Fold, note: Callable[..., None]) -> Record:
    """The numbers of a fold's record; its answers are written."""
    made = read_json(folder / MARK)
    data = people_of(path, made["everyone"])
    windows = data.train.in_memory()
    people = len(windows.people())
    groups = people if made["groups"] == "loso" else made["groups"]
    aside = left_out(windows, fold.split, groups)[fold.group]
    outside, inside = windows.where(~aside), windows.where(aside)
    note(subjects=inside.people() if fold.split == SUBJECT else [], windows=len(inside), train_windows=len(outside))
    found: Record = {}
    if fold.method in BASELINES:
        answers = _baseline(fold, outside, inside, made["arguments"].get("window"))
    else:
        answers, found = _network(fold, data, outside, inside, made, fold.file(folder, "npz.checkpoint"), note)
    answers.write(fold.file(folder, "npz"))
    labels = inside.labels
    return found | {
        "macro_f1": metrics.macro_f1(labels, answers.predicted),
        "accuracy": float((labels == answers.predicted).mean()),
    }


def _baseline(fold: Fold, outside: Windows, inside: Windows, rows: int | None) -> Answers:
    (learned, labels), (asked, _) = outside.arrays(), inside.arrays()
    length = rows or learned.shape[1]
    predict = BASELINES[fold.method](center_crop(learned, length), labels, seed=fold.seed, jobs=1)
    return Answers(inside.rows, predict(center_crop(asked, length)))


def _network(
    fold: Fold, data: ActivityData, outside: Windows, inside: Windows, made: Record, checkpoint: Path,
    note: Callable[..., None],
) -> tuple[Answers, Record]:  # fmt: skip
    # Baselines need no TensorFlow, which takes longer to start than they to fit.
    import keras

    from zoo.tasks.activity import Prepared, answers, hold_out, keras_logits
    from zoo.tasks.running import Plan

    recipe = replace(Recipe.from_json(made["recipe"]), seed=fold.seed)
    plan = Plan(fold.method, made["family"], made["arguments"], recipe)
    prepared = Prepared(data, *hold_out(outside, recipe))
    model = prepared.build(plan)
    noted = -np.inf

    def progress(epoch: int, logs: Any) -> None:
        nonlocal noted
        if time.monotonic() - noted > _NOTED_SECONDS:
            note(epochs=epoch + 1)
            noted = time.monotonic()

    fitted = prepared.fit(
        recipe, model, checkpoint=checkpoint, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=progress)],
        identity={"arguments": model.get_config(), "data": made["data_sha256"], "fold": fold.name},
    )  # fmt: skip
    temperature = None
    if prepared.validation is not None:
        logits, labels = answers(partial(keras_logits, model), prepared.validation)
        temperature = metrics.fit_temperature(labels, logits)
    logits, _ = answers(partial(keras_logits, model), inside)
    return Answers(inside.rows, logits.argmax(axis=1), logits), {
        "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "temperature": temperature,
    }  # fmt: skip


def main() -> None:
    """Runs the fold that the command line names, unless another process does."""
    die_with_parent()
    folder, path, fold = Path(sys.argv[1]), Path(sys.argv[2]), Fold.of(sys.argv[3])
    with locked(fold.file(folder, "lock"), _LOCK_SECONDS, f"{fold.name}: runs already, in another process"):
        if fold.record(folder)["status"] != "scored":
            run(folder, path, fold)


if __name__ == "__main__":
    main()
