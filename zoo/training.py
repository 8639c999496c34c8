"""Training: the one function that follows a recipe.

`fit` compiles a Keras model as its recipe says, feeds it shuffled batches, restores the best weights, and writes
checkpoints between epochs, so that a run killed at any moment and resumed ends at the same weights.
"""

import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.models.losses import loss_and_metrics
from zoo.recipe import Recipe
from zoo.steps import MovingAverage, several_steps

CHECKPOINT = "checkpoint.npz"
"""Name of the file in the output folder from which a killed run is resumed."""

_GROUPED = 64
"""Steps a call from Python, at most."""

_CHECKPOINT_SECONDS = 2.0
"""A checkpoint is written after an epoch if the last one is older than this: flushing to the disk can cost more than a
short epoch."""


def compile_model(
    model: keras.Model, recipe: Recipe, steps_per_epoch: int, class_weights: Sequence[float] | None = None,
    label_sets: Sequence[Sequence[int]] = (), steps_per_execution: int = 1, jit_compile: bool = True,
) -> None:  # fmt: skip
    """Compiles a model as a recipe says; its moving average is a part of `fit` alone.

    Args:
        model: What to compile.
        recipe: Optimizer, learning rate and loss.
        steps_per_epoch: Batches per epoch, for the schedule.
        class_weights: Weight of each class in the loss, and then of each set; all 1 by default.
        label_sets: The classes of each label that is a set; none by default.
        steps_per_execution: Batches per call from Python.
        jit_compile: Whether XLA compiles the step, which makes recurrent networks two to four times faster.
    """
    rate = _cosine(recipe, steps_per_epoch) if recipe.schedule == "cosine" else recipe.learning_rate
    options: dict[str, Any] = {"clipvalue": recipe.clip_value, "global_clipnorm": recipe.clip_norm}
    optimizers = {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=recipe.momentum, **options),
        "adam": lambda: keras.optimizers.Adam(rate, **options),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **options),
    }
    optimizer = optimizers[recipe.optimizer]()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    loss, metrics = loss_and_metrics(recipe.loss, recipe.label_smoothing, class_weights, label_sets)
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=metrics,
        jit_compile=jit_compile,
        steps_per_execution=steps_per_execution,
    )


def _cosine(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    steps = recipe.epochs * steps_per_epoch
    warmup = min(recipe.warmup_epochs * steps_per_epoch, steps // 2)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
    )


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Reports the end of each epoch, also of the trainings of folds, in which other callbacks have no part.

    Args:
        report: Called with the epoch from 0, its numbers, and which fold is trained, or an empty string.
        fold: Such as `fold 1 of 3`.
    """

    def __init__(self, report: Callable[[int, Mapping[str, float] | None, str], None], fold: str = "") -> None:
        super().__init__()
        self.report, self.fold = report, fold

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Calls `report`."""
        self.report(epoch, logs, self.fold)


class LossNotFiniteError(ZooError):
    """The loss became NaN or infinite; the model has the weights of the best, or else of the last good epoch."""


@dataclass(frozen=True)
class Fitted:
    """The result of a training.

    Args:
        history: One record per epoch: `epoch`, `loss`, `accuracy` or `mse`, the same of validation as `val_loss` and so
            on, where there is any, and what callbacks add. Losses are those of the recipe, with label smoothing and
            class weights where it has any; validation is of the weights that would be saved after the epoch.
        best_epoch: The epoch, from 1, whose weights the model has.
        seconds: Wall time of this and of resumed runs, compilation included.
        batch_size: Rows per step: the recipe's, or all rows of an epoch where there are fewer.
        steps: Steps per epoch.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    batch_size: int
    steps: int


def fit(
    model: keras.Model,
    recipe: Recipe,
    train: Callable[[int, int], tf.data.Dataset],
    rows: int,
    validation: tf.data.Dataset | None = None,
    *,
    class_weights: Sequence[float] | None = None,
    label_sets: Sequence[Sequence[int]] = (),
    checkpoint: Path | None = None,
    identity: dict[str, Any] | None = None,
    deterministic: bool = False,
    tensorboard: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Fitted:
    """Trains a model.

    Args:
        model: Changed in place.
        recipe: How to train it.
        train: Returns endless batches, from the epoch (from 0) at which they begin and the rows that each shall have;
            several steps take their rows from one batch. The same ones each time.
        rows: Training rows per epoch, of all its passes.
        validation: Batches for the validation loss.
        class_weights: Weight of each class in the loss, and then of each set.
        label_sets: The classes of each label that is a set.
        checkpoint: A file that is written after epochs, every few seconds; if it exists, training resumes from it.
        identity: Of model and data, as JSON types: a checkpoint of another identity or recipe is refused.
        deterministic: Makes this and all later operations of the process repeat bit by bit on any machine load, slower
            and without XLA.
        tensorboard: A folder for TensorBoard's logs.
        callbacks: Further Keras callbacks.

    Returns:
        The history. The model has the best weights if the recipe has patience, else the last ones; their moving average
        if it has a decay.

    Raises:
        ZooError: If there are no rows, or no validation although the recipe has patience.
        LossNotFiniteError: If the loss stops being finite; the model then has the last good weights.
    """
    if not rows:
        raise ZooError("no training rows: add data")
    if recipe.patience is not None and validation is None:
        raise ZooError("no validation rows, which patience needs: add data, or set patience to none")
    batch_size = min(recipe.batch_size, rows)
    if not recipe.epochs:
        return Fitted([], 0, 0.0, batch_size, 0)
    micro_batches = 1 if batch_size % recipe.micro_batches else recipe.micro_batches
    steps = rows // batch_size
    # A call from Python costs about a millisecond, as much as several steps: group steps, but never across epochs.
    grouped = max(d for d in range(1, min(steps, _GROUPED) + 1) if steps % d == 0)
    jit_compile = not deterministic and getattr(model, "fast_with_xla", True)
    if deterministic:
        keras.utils.set_random_seed(recipe.seed)
        tf.config.experimental.enable_op_determinism()
    compile_model(model, recipe, steps, class_weights, label_sets, grouped, jit_compile)
    model.optimizer.build(model.trainable_variables)
    averaged = recipe.ema_decay is not None or recipe.start_share
    model.moving_average = MovingAverage(model, recipe.ema_decay or 0.0, recipe.start_share) if averaged else None
    step = several_steps(model, grouped, micro_batches, jit_compile)
    model.train_function = model.moving_average.around(step) if model.moving_average else step
    # A pass over the validation rows takes less time than compiling it.
    model.jit_compile = False
    run = _Run(model, recipe, checkpoint, {"recipe": recipe.to_json()} | (identity or {}))
    if checkpoint is not None and checkpoint.is_file():
        run.resume(checkpoint)
    if tensorboard and find_spec("tensorboard") is None:
        raise ZooError("TensorBoard is not installed: pip install tensorboard")
    extra = [keras.callbacks.TensorBoard(tensorboard)] if tensorboard else []
    try:
        if len(run.history) < recipe.epochs and not run.finished:
            model.fit(
                train(len(run.history), grouped * batch_size),
                validation_data=validation,
                epochs=recipe.epochs,
                initial_epoch=len(run.history),
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                # What callbacks add to the numbers of an epoch belongs to its record.
                callbacks=[*callbacks, run, *extra],
            )
    finally:
        # The model can be fitted again as any other.
        model.train_function, model.moving_average, model.jit_compile = None, None, jit_compile
    if recipe.patience is not None:
        run.restore(run.best)
    return Fitted(run.history, run.best_epoch, run.seconds, batch_size, steps)


class _Run(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """History, early stopping, the guard against losses that are not finite, and the checkpoint of all that."""

    def __init__(self, model: keras.Model, recipe: Recipe, checkpoint: Path | None, identity: dict[str, Any]) -> None:
        super().__init__()
        self.set_model(model)
        self.recipe, self.checkpoint = recipe, checkpoint
        self.identity = json.loads(json.dumps(identity))
        self.history: list[dict[str, float]] = []
        self.best_epoch, self.best_loss, self.finished = 0, np.inf, False
        self.best: list[NDArray[Any]] = []
        self.earlier_seconds, self.started, self.saved = 0.0, time.perf_counter(), -np.inf

    @property
    def seconds(self) -> float:
        return self.earlier_seconds + time.perf_counter() - self.started

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.good = self._weights()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._require_finite("loss", (logs or {}).get("loss", 0.0))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            self._require_finite(name, value)
        weights = self._weights()
        self._require_finite("weights", sum(float(np.abs(value).sum()) for value in weights))
        self.good = weights
        self.history.append({"epoch": epoch + 1} | {name: float(value) for name, value in (logs or {}).items()})
        if self.recipe.patience is None:
            self.best_epoch = epoch + 1
        elif self.history[-1]["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch, self.best = self.history[-1]["val_loss"], epoch + 1, weights
        elif epoch + 1 - self.best_epoch >= self.recipe.patience:
            self.finished = self.model.stop_training = True
        done = self.model.stop_training or len(self.history) == self.recipe.epochs
        if self.checkpoint is not None and (done or time.perf_counter() - self.saved > _CHECKPOINT_SECONDS):
            self._save(self.checkpoint)
            self.saved = time.perf_counter()

    def _require_finite(self, name: str, value: float) -> None:
        if np.isfinite(value):
            return
        self.restore(self.best or self.good)
        raise LossNotFiniteError(
            f"the {name} became {value} in epoch {len(self.history) + 1}: lower the learning rate "
            f"({self.recipe.learning_rate:g}) or clip gradients"
        )

    def _weights(self) -> list[NDArray[Any]]:
        return [variable.numpy() for variable in self.model.variables]

    def restore(self, weights: Sequence[NDArray[Any]]) -> None:
        """Sets the model's variables."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)

    def _state(self) -> list[Any]:
        # Variables of the model include the states of its random generators; with those of the optimizer and the
        # average they are all that the next epoch depends on.
        average = self.model.moving_average
        return [*self.model.variables, *self.model.optimizer.variables, *(average.variables if average else ())]

    def _save(self, path: Path) -> None:
        arrays: dict[str, Any] = {f"state_{i}": variable.numpy() for i, variable in enumerate(self._state())}
        arrays |= {f"best_{i}": value for i, value in enumerate(self.best)}
        facts = {
            "identity": self.identity, "history": self.history, "best_epoch": self.best_epoch,
            "best_loss": self.best_loss, "finished": self.finished, "seconds": self.seconds,
        }  # fmt: skip
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, facts=np.array(json.dumps(facts)), **arrays)

    def resume(self, checkpoint: Path) -> None:
        """Continues from a checkpoint."""
        try:
            self._restore(checkpoint)
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise ZooError(f"{checkpoint}: damaged ({error}): delete it, and start without --resume") from error

    def _restore(self, checkpoint: Path) -> None:
        with np.load(checkpoint) as saved:
            facts = json.loads(str(saved["facts"]))
            if facts["identity"] != self.identity:
                differs = [key for key, value in self.identity.items() if facts["identity"].get(key) != value]
                raise ZooError(f"{checkpoint}: was made with another {' and '.join(differs)}: resume with the same")
            for i, variable in enumerate(self._state()):
                variable.assign(saved[f"state_{i}"])
            self.best = [saved[f"best_{i}"] for i in range(sum(name.startswith("best_") for name in saved))]
        self.history, self.best_epoch, self.best_loss = facts["history"], facts["best_epoch"], facts["best_loss"]
        self.finished, self.earlier_seconds = facts["finished"], facts["seconds"]
