"""A training run's folder, the same for every family: what it may hold at the start, and what it holds at the end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import keras

from zoo import training
from zoo.data.examples import Data
from zoo.errors import ZooError
from zoo.files import atomic_write, exclusive_folder, require_empty, require_folder, write_json
from zoo.loading import load
from zoo.models.model import Model
from zoo.provenance import versions
from zoo.recipe import Recipe
from zoo.task import Prepared, require_tensorflow, task_of
from zoo.training import CHECKPOINT

_SAME = 0.01
"""Relative difference of a score of the saved and of the trained model that is no cause for a warning."""

_FOLD_STEPS = 2
"""How many times fewer steps a fold makes at least than the training that it validates: benchmarks/few_people.py."""


@dataclass(frozen=True)
class Plan:
    """What to train.

    Args:
        name: Of the preset, or of the user's own model.
        family: A key of `families.FAMILIES`.
        arguments: Of the constructor, without those that the data decides.
        recipe: How.
    """

    name: str
    family: str
    arguments: dict[str, Any]
    recipe: Recipe

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as JSON types."""
        return {**vars(self), "recipe": self.recipe.to_json()}


@dataclass(frozen=True)
class Run:
    """How a training is run, beside what is trained.

    Args:
        folder: Gets `model.keras`, `config.json` and `history.json`; must be empty unless resuming. None: nothing is
            written.
        resume: Continues from the checkpoint in `folder`.
        deterministic: Repeats bit by bit, slower.
        tensorboard: A folder for TensorBoard's logs.
        callbacks: Further Keras callbacks, such as a progress bar.
    """

    folder: Path | None = None
    resume: bool = False
    deterministic: bool = False
    tensorboard: Path | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()

    @property
    def checkpoint(self) -> Path | None:
        """What is written between epochs; None where nothing is."""
        return None if self.folder is None else self.folder / CHECKPOINT

    def exclusive(self) -> AbstractContextManager[None]:
        """Keeps other runs out of the folder while the block runs."""
        return nullcontext() if self.folder is None else exclusive_folder(self.folder)

    def check(self) -> None:
        """Refuses a folder that is not empty, or that has nothing to resume.

        Raises:
            ZooError: Says what to do.
        """
        checkpoint = self.checkpoint
        if self.tensorboard is not None:
            require_folder(self.tensorboard)
        if self.folder is None or checkpoint is None:
            return
        if self.resume and not checkpoint.is_file():
            done = (self.folder / "model.keras").is_file()
            why = "is complete; evaluate it" if done else f"no {CHECKPOINT} to resume from; start without --resume"
            raise ZooError(f"{self.folder}: {why}")
        if not self.resume and checkpoint.is_file():
            raise ZooError(f"{self.folder}: holds an unfinished training: add --resume to go on, or delete it first")
        if not self.resume:
            require_empty(self.folder)

    @contextmanager
    def options(self, model: Model, data_sha256: str) -> Iterator[dict[str, Any]]:
        """Gives the options of `training.fit`, and keeps the last good weights where the loss stops being finite."""
        try:
            yield {
                "checkpoint": self.checkpoint, "deterministic": self.deterministic,
                "tensorboard": self.tensorboard if self.checkpoint else None, "callbacks": self.callbacks,
                "identity": {"arguments": model.get_config(), "data": data_sha256},
            }  # fmt: skip
        except training.LossNotFiniteError as error:
            if self.folder is None or self.checkpoint is None:
                raise
            path = self.folder / "last_good.keras"
            with atomic_write(path) as temporary:
                model.save(temporary)
            raise ZooError(f"{error}; the last good weights are kept in {path}") from error

    def of_fold(self, name: str) -> dict[str, Any]:
        """Returns the options of `training.fit` for a fold, which leaves no trace but its progress."""
        progress = [training.Progress(known.report, name) for known in self.callbacks
                    if isinstance(known, training.Progress)]  # fmt: skip
        return {"deterministic": self.deterministic, "callbacks": progress}

    def save(self, trained: "TrainResult", data: Data) -> None:
        """Writes a trained model with all that is known of it, and ends the run; nothing without a folder.

        Args:
            trained: The model, its history and its summary.
            data: What it was trained on.
        """
        if self.folder is None or self.checkpoint is None:
            return
        model, plan = trained.model, trained.plan
        write_json(self.folder / "history.json", trained.history)
        model.save_to_preset(
            self.folder,
            preset=plan.name, family=plan.family, recipe=plan.recipe.to_json(),
            metadata=task_of(model).metadata(model).to_json(),
            data={"file": Path(str(data)).name, "sha256": data.sha256, "source": data.source},
            training=trained.summary, versions=versions(),
        )  # fmt: skip
        self.checkpoint.unlink(missing_ok=True)


@dataclass(frozen=True, repr=False)
class TrainResult:
    """What a training returns. Prints as its summary.

    Args:
        plan: What was trained, and how.
        model: The trained model.
        history: One record per epoch; where folds validate the model, the validation numbers are their means.
        summary: `parameters`, `epochs`, `steps_per_epoch`, `best_epoch`, `seconds`, `validation`, `warnings`, how much
            data there was, and the `batch_size` where there were fewer rows than the recipe's batch.

    Example:
        >>> from zoo import simulate, train
        >>> import tempfile
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=3, seconds=8)
        >>> result = train("activity_cnn", data, Recipe(epochs=1, validation=0.0))
        >>> len(result.history), result.summary["parameters"]
        (1, 8922)
    """

    plan: Plan
    model: Model
    history: list[dict[str, float]]
    summary: dict[str, Any]

    def _repr_markdown_(self) -> str:
        return str(task_of(self.plan.family).report.training(self.summary))

    def __repr__(self) -> str:
        return f"<{self.plan.name}> {self._repr_markdown_()}"


def train(
    plan: Plan, data: Any, run: Run | None = None, *, model: Model | None = None,
    calibration: Mapping[str, float | None] | None = None,
    begin: Callable[[Any, Any], None] = lambda prepared, model: None,
) -> TrainResult:  # fmt: skip
    """Trains a model on data, and writes it to the folder of the run.

    Args:
        plan: What and how.
        data: Data of the family's task, or the path of a file.
        run: Where to, and how it is run; nothing is written by default.
        model: Whose weights to start from; a new model of the plan by default.
        calibration: `temperature` and `threshold`, where they are known from a cross-validation; fitted on validation
            by default.
        begin: Called with what was prepared and the model before its training, and with each fold and its model.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    require_tensorflow("training by a recipe")
    run = run or Run()
    with run.exclusive():
        run.check()
        return _train(plan, data, run, model, calibration or {}, begin)


def _train(
    plan: Plan, data: Any, run: Run, model: Model | None, calibration: Mapping[str, float | None],
    begin: Callable[[Any, Any], None],
) -> TrainResult:  # fmt: skip
    task = task_of(plan.family)
    task.check(plan.recipe)
    data = task.read(data)
    prepared = task.prepare_training(data, plan.recipe)
    # Before the training changes the weights from which the folds start as well.
    learners = [fold.build(plan) if model is None else _twin(model) for fold in prepared.folds]
    model = prepared.build(plan) if model is None else model
    for part, learner in zip((prepared, *prepared.folds), (model, *learners), strict=True):
        begin(part, learner)
    with run.options(model, data.sha256) as options:
        fitted = prepared.fit(plan.recipe, model, **options)
    # The folds come last: they change nothing in the model's weights, and a resumed run may train them again.
    validated = [
        _fit_fold(plan.recipe, run, fold, learner, f"fold {number} of {len(learners)}")
        for number, (fold, learner) in enumerate(zip(prepared.folds, learners, strict=True), 1)
    ]
    details = prepared.finish(plan.recipe, model, learners)
    for name, value in calibration.items():
        setattr(model, name, value)
    seconds = sum(one.seconds for one in (fitted, *validated))
    summary = {
        "epochs": len(fitted.history), "steps_per_epoch": fitted.steps, "best_epoch": fitted.best_epoch,
        "seconds": round(seconds, 2), "parameters": model.count_params(), **details,
    }  # fmt: skip
    if diverged := _diverged(fitted.history, plan.recipe):
        # More data or more epochs would not help, whatever else the summary warns of.
        summary["warnings"] = [diverged]
    if fitted.batch_size < plan.recipe.batch_size:
        summary["batch_size"] = fitted.batch_size
    trained = TrainResult(plan, model, _with_validation(fitted.history, [fold.history for fold in validated]), summary)
    run.save(trained, data)
    if run.folder is not None and run.checkpoint is not None:
        # Nothing that folds hold out is held out from this model: it is compared on what it was trained on.
        scores = prepared.scores(model) if prepared.folds else summary["validation"]
        summary["warnings"] = [*summary.get("warnings", ()), *_differences(run.folder, prepared, scores)]
    return trained


def _diverged(history: Sequence[Mapping[str, float]], recipe: Recipe) -> str | None:
    """A warning where the training loss ended no lower than it began; None where it fell, or one epoch says nothing."""
    if len(history) < 2 or history[-1]["loss"] < history[0]["loss"]:
        return None
    return (
        f"the training loss did not fall: {history[0]['loss']:.4g} in the first epoch, {history[-1]['loss']:.4g} in "
        f"the last: lower the learning rate of {recipe.learning_rate:g} (`--learning-rate`)"
    )


def _fit_fold(recipe: Recipe, run: Run, fold: Prepared, learner: Model, name: str) -> training.Fitted:
    """Trains the model of a fold, of which nothing is kept but its scores."""
    try:
        return fold.fit(of_folds(recipe), learner, **run.of_fold(name))
    except training.LossNotFiniteError as error:
        raise ZooError(
            f"validation, {name}: {error}; or set validation to 0, which trains no fold: the training itself did not "
            "diverge"
        ) from error


def _twin(model: Model) -> Model:
    """A model of the same weights and frozen layers."""
    twin = model.copy()
    for mine, its in zip(model.layers, twin.layers, strict=True):
        its.trainable = mine.trainable
    return twin


def of_folds(recipe: Recipe) -> Recipe:
    """The recipe of the trainings that validate another: half the steps, after which scores are much the same."""
    return recipe if recipe.min_steps is None else recipe.replace(min_steps=max(1, recipe.min_steps // _FOLD_STEPS))


def _with_validation(
    history: list[dict[str, float]], curves: Sequence[Sequence[dict[str, float]]]
) -> list[dict[str, float]]:
    """The records of a training, with the means of the folds' validation numbers of the same epoch."""
    return [
        record | {name: fmean(row[name] for row in rows) for name in rows[0] if name.startswith("val_")}
        for record, *rows in zip(history, *curves, strict=True)
    ] if curves else history  # fmt: skip


def _differences(folder: Path, prepared: Prepared, scores: Mapping[str, float] | None) -> list[str]:
    """Scores the saved model; a warning where it differs from the scores of the trained one on the same data."""
    if not scores:
        return []
    saved = load(folder)
    name = saved.task.score
    shown, found = scores[name], prepared.scores(saved.keras_model)[name]
    if abs(found - shown) <= _SAME * abs(shown):
        return []
    where = "its training data" if prepared.folds else "validation"
    return [
        f"{folder}: the saved model has {name} {found:.4g} on {where} where training ended with {shown:.4g}: do not "
        "use it; train again into another folder, and report this if it persists"
    ]
