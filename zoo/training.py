"""Training: the one function that follows a recipe.

`fit` compiles a Keras model as its recipe says, feeds it shuffled batches, restores the best weights, and writes
checkpoints between epochs, so that a run killed at any moment and started again ends at the same weights.
"""

import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.cluster import Cluster
from zoo.distributed import AverageLogs, offset_seeds, shared_steps
from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.losses import CrossEntropy, HalfSquaredError, hits
from zoo.recipes import Recipe
from zoo.steps import several_steps

CHECKPOINT = "checkpoint.npz"
"""Name of the file in the output folder that a killed run goes on from."""

_GROUPED = 64
"""Steps a call from Python, at most."""

_CHECKPOINT_SECONDS = 2.0
"""A checkpoint is written after an epoch if the last one is older than this: flushing to the disk can cost more than a
short epoch."""


def compile_model(
    model: keras.Model, recipe: Recipe, steps_per_epoch: int, class_weights: Sequence[float] | None = None,
    steps_per_execution: int = 1, jit_compile: bool = True,
) -> None:  # fmt: skip
    """Compiles a model as a recipe says.

    Args:
        model: What to compile.
        recipe: Optimizer, rates and loss.
        steps_per_epoch: Batches an epoch, for the schedule.
        class_weights: Weight of each class in the loss; all 1 by default.
        steps_per_execution: Batches a call from Python.
        jit_compile: Whether XLA compiles the step, which makes recurrent networks two to four times faster.
    """
    rate = Cosine(*_cosine(recipe, steps_per_epoch)) if recipe.schedule == "cosine" else recipe.learning_rate
    options: dict[str, Any] = {"clipvalue": recipe.clip_value, "global_clipnorm": recipe.clip_norm}
    if recipe.ema_decay is not None:
        options |= {"use_ema": True, "ema_momentum": recipe.ema_decay}
    optimizers = {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=recipe.momentum, **options),
        "adam": lambda: keras.optimizers.Adam(rate, **options),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **options),
    }
    losses: dict[str, Callable[[], tuple[keras.losses.Loss, keras.metrics.Metric]]] = {
        "cross_entropy": lambda: (
            CrossEntropy(recipe.label_smoothing, class_weights),
            keras.metrics.MeanMetricWrapper(hits, name="accuracy"),
        ),
        "half_squared_error": lambda: (HalfSquaredError(), keras.metrics.MeanSquaredError(name="mse")),
    }
    loss, metric = losses[recipe.loss]()
    optimizer = optimizers[recipe.optimizer]()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=[metric],
        jit_compile=jit_compile,
        steps_per_execution=steps_per_execution,
    )


def _cosine(recipe: Recipe, steps_per_epoch: int) -> tuple[float, int, int]:
    warmup = recipe.warmup_epochs * steps_per_epoch
    return recipe.learning_rate, warmup, max(1, recipe.epochs * steps_per_epoch - warmup)


@keras.saving.register_keras_serializable(package="zoo")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """A rate that rises linearly from 0, then falls to 0 as a cosine does.

    Its numbers are variables, so that one compiled step serves any of them.

    Args:
        rate: The highest.
        warmup: Steps of rising.
        decay: Steps of falling.

    Example:
        >>> [round(float(Cosine(0.1, 2, 4)(step)), 3) for step in range(7)]
        [0.0, 0.05, 0.1, 0.085, 0.05, 0.015, 0.0]
    """

    def __init__(self, rate: float, warmup: int, decay: int) -> None:
        super().__init__()
        self.numbers = keras.Variable([0.0, 0.0, 0.0], trainable=False, name="cosine")
        self.set(rate, warmup, decay)

    def set(self, rate: float, warmup: int, decay: int) -> None:
        """Takes other numbers."""
        self.numbers.assign([rate, warmup, decay])

    def __call__(self, step: Any) -> Any:  # noqa: D102
        rate, warmup, decay = (self.numbers[place] for place in range(3))
        step = keras.ops.cast(step, "float32")
        share = keras.ops.clip((step - warmup) / decay, 0.0, 1.0)
        return rate * keras.ops.where(step < warmup, step / warmup, 0.5 * (1 + keras.ops.cos(np.pi * share)))

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        rate, warmup, decay = self.numbers.numpy().tolist()
        return {"rate": rate, "warmup": round(warmup), "decay": round(decay)}


def program(recipe: Recipe, class_weights: Sequence[float] | None = None) -> str:
    """What of a recipe is compiled into the training step: with the same, and batches of one shape, a step is reused.

    Example:
        >>> program(Recipe(learning_rate=0.1, epochs=3)) == program(Recipe(learning_rate=0.2, seed=7))
        True
    """
    free = ("learning_rate", "warmup_epochs", "epochs", "patience", "validation", "validation_by", "augmentation",
            "merge_contexts", "normalize", "seed", "split_seed")  # fmt: skip
    compiled = {name: value for name, value in recipe.to_json().items() if name not in free}
    return json.dumps([compiled, list(class_weights or [])])


def _restart(optimizer: keras.optimizers.Optimizer, recipe: Recipe, steps_per_epoch: int) -> None:
    """Makes an optimizer what it was before its first step, with the numbers of another recipe."""
    for variable in optimizer.variables:
        variable.assign(np.zeros(variable.shape))
    if recipe.schedule == "cosine":
        optimizer._learning_rate.set(*_cosine(recipe, steps_per_epoch))
    else:
        optimizer.learning_rate = recipe.learning_rate


class LossNotFiniteError(ZooError):
    """The loss became NaN or infinite; the model has the weights of the best, or else the last good epoch."""


@dataclass(frozen=True)
class Fitted:
    """What training gives beside the weights.

    Args:
        history: One record an epoch: `epoch`, `loss`, `accuracy` or `mse`, the same of validation as `val_loss` and so
            on, where there is any, and what callbacks add.
        best_epoch: The epoch, from 1, whose weights the model has.
        seconds: Wall time of this and of resumed runs, compilation included.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float


def fit(
    model: keras.Model,
    recipe: Recipe,
    train: Callable[[int, int], tf.data.Dataset],
    rows: int,
    validation: tf.data.Dataset | None = None,
    *,
    class_weights: Sequence[float] | None = None,
    checkpoint: Path | None = None,
    identity: dict[str, Any] | None = None,
    deterministic: bool = False,
    tensorboard: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    cluster: Cluster | None = None,
) -> Fitted:
    """Trains a model.

    A model that was trained before by the same `program` is trained from the weights that it has, as if it were new,
    without being compiled again.

    Args:
        model: Changed in place.
        recipe: How.
        train: Gives endless batches, from the epoch (from 0) at which they begin and the rows that each shall have;
            several steps take their rows from one batch. The same ones each time.
        rows: Training rows an epoch.
        validation: Batches for the validation loss.
        class_weights: Weight of each class in the loss.
        checkpoint: A file that is written after epochs, every few seconds; if it exists, training goes on from it.
        identity: Of model and data, as JSON types: a checkpoint of another identity or recipe is refused.
        deterministic: Makes this and all later operations of the process repeat bit by bit on any machine load, slower
            and without XLA.
        tensorboard: A folder for TensorBoard's logs.
        callbacks: Further Keras callbacks.
        cluster: All workers, connected, where several train this model; each gives the same arguments, but that the
            chief's checkpoint counts.

    Returns:
        The history. The model has the best weights if the recipe has patience, else the last ones.

    Raises:
        ZooError: If there are fewer rows than a batch.
        LossNotFiniteError: If the loss stops being finite; the model then has the last good weights.
    """
    steps = rows // recipe.batch_size
    if steps == 0:
        raise ZooError(f"{rows} training rows are fewer than a batch of {recipe.batch_size}: add data or lower it")
    # A call from Python costs about a millisecond, as much as several steps: group steps, but never across epochs.
    grouped = max(d for d in range(1, min(steps, _GROUPED) + 1) if steps % d == 0)
    if deterministic:
        keras.utils.set_random_seed(recipe.seed)
        tf.config.experimental.enable_op_determinism()
    compiled = f"{program(recipe, class_weights)} {grouped} {deterministic}"
    if getattr(model, "compiled_program", None) == compiled:
        _restart(model.optimizer, recipe, steps)
    else:
        compile_model(model, recipe, steps, class_weights, grouped, jit_compile=not deterministic)
        model.optimizer.build(model.trainable_variables)
        model.train_function = (
            several_steps(model, grouped, recipe.micro_batches, jit_compile=not deterministic)
            if cluster is None
            else shared_steps(
                cluster, model, grouped, recipe.batch_size, recipe.micro_batches, jit_compile=not deterministic
            )
        )
        # A pass over the validation rows takes less time than compiling it.
        model.jit_compile = False
        model.compiled_program = compiled
    run = _Run(recipe, checkpoint, {"recipe": recipe.to_json()} | (identity or {}))
    run.set_model(model)
    agreement = []
    if cluster is not None:
        if cluster.state:
            run.resume(io.BytesIO(cluster.state))
        offset_seeds(cluster, model)
        agreement = [AverageLogs(cluster)]
    elif checkpoint is not None and checkpoint.is_file():
        run.resume(checkpoint)
    if tensorboard and find_spec("tensorboard") is None:
        raise ZooError("TensorBoard is not installed: pip install tensorboard")
    extra = [keras.callbacks.TensorBoard(tensorboard)] if tensorboard else []
    if run.next_epoch < recipe.epochs and not run.finished:
        model.fit(
            train(run.next_epoch, grouped * recipe.batch_size),
            validation_data=validation,
            epochs=recipe.epochs,
            initial_epoch=run.next_epoch,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            # What callbacks add to the numbers of an epoch belongs to its record.
            callbacks=[*agreement, *callbacks, run, *extra],
        )
    run.finish()
    return Fitted(run.history, run.best_epoch, run.seconds)


class _Run(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """History, early stopping, the guard against losses that are not finite, and the checkpoint of all that."""

    def __init__(self, recipe: Recipe, checkpoint: Path | None, identity: dict[str, Any]) -> None:
        super().__init__()
        self.recipe, self.checkpoint = recipe, checkpoint
        self.identity = json.loads(json.dumps(identity))
        self.history: list[dict[str, float]] = []
        self.best_epoch, self.best_loss, self.finished = 0, np.inf, False
        self.best: list[NDArray[Any]] = []
        self.earlier_seconds, self.started, self.saved = 0.0, time.perf_counter(), -np.inf

    @property
    def next_epoch(self) -> int:
        return len(self.history)

    @property
    def seconds(self) -> float:
        return self.earlier_seconds + time.perf_counter() - self.started

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._check("loss", (logs or {}).get("loss", 0.0))

    def _check(self, name: str, value: float) -> None:
        if np.isfinite(value):
            return
        self._restore(self.best or self.good)
        raise LossNotFiniteError(
            f"the {name} became {value} in epoch {self.next_epoch + 1}: lower the learning rate "
            f"({self.recipe.learning_rate:g}) or clip gradients; the last good weights are kept"
        )

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.good = self._weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            self._check(name, value)
        weights = self._weights()
        self._check("weights", sum(float(np.abs(value).sum()) for value in weights))
        self.good = weights
        self.history.append({"epoch": epoch + 1} | {name: float(value) for name, value in (logs or {}).items()})
        patience = self.recipe.patience
        if patience is not None:
            loss = self.history[-1]["val_loss"]
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.best = loss, epoch + 1, weights
            elif epoch + 1 - self.best_epoch >= patience:
                self.finished = self.model.stop_training = True
        done = self.model.stop_training or len(self.history) == self.recipe.epochs
        if self.checkpoint is not None and (done or time.perf_counter() - self.saved > _CHECKPOINT_SECONDS):
            self._save(self.checkpoint)
            self.saved = time.perf_counter()

    def finish(self) -> None:
        if self.recipe.patience is not None:
            self._restore(self.best)
            return
        if self.recipe.ema_decay is not None and self.history:
            # Keras does so at the end of `fit`, but not for a checkpoint that was complete already.
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        self.best_epoch = len(self.history)

    def _weights(self) -> list[NDArray[Any]]:
        return [variable.numpy() for variable in self.model.variables]

    def _restore(self, weights: list[NDArray[Any]]) -> None:
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)

    def _save(self, path: Path) -> None:
        # Variables of the model include the states of its random generators; with those of the optimizer they are
        # all that the next epoch depends on.
        arrays: dict[str, Any] = {f"model_{i}": value for i, value in enumerate(self.good)}
        arrays |= {f"optimizer_{i}": v.numpy() for i, v in enumerate(self.model.optimizer.variables)}
        arrays |= {f"best_{i}": value for i, value in enumerate(self.best)}
        state = {
            "identity": self.identity, "history": self.history, "best_epoch": self.best_epoch,
            "best_loss": self.best_loss, "finished": self.finished, "seconds": self.seconds,
        }  # fmt: skip
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, state=np.array(json.dumps(state)), **arrays)

    def resume(self, checkpoint: Path | io.BytesIO) -> None:
        """Takes up a checkpoint."""
        with np.load(checkpoint) as saved:
            state = json.loads(str(saved["state"]))
            if state["identity"] != self.identity:
                differs = [key for key, value in self.identity.items() if state["identity"].get(key) != value]
                name = self.checkpoint or CHECKPOINT
                raise ZooError(f"{name}: was made with another {' and '.join(differs)}: resume with the same")
            self._restore([saved[f"model_{i}"] for i in range(len(self.model.variables))])
            for i, variable in enumerate(self.model.optimizer.variables):
                variable.assign(saved[f"optimizer_{i}"])
            self.best = [saved[f"best_{i}"] for i in range(sum(name.startswith("best_") for name in saved))]
        self.history, self.best_epoch, self.best_loss = (
            state["history"],
            state["best_epoch"],
            state["best_loss"],
        )
        self.finished, self.earlier_seconds = state["finished"], state["seconds"]
