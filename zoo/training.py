"""Training: from a preset or a family, a recipe and data to a folder with a trained model.

    Training        what is trained, how, and where it is kept
    Training.run    data -> split -> model -> fit -> calibrate, record, evaluate -> folder -> TrainResult
    fit             compile -> step -> epochs, each with a checkpoint -> best weights

A task provides what depends on the kind of data: how it is split, which model is built, which batches are read, and
what is measured at the end. A run that is killed at any moment and resumed ends at the same weights.
"""

import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo import distributing, presets
from zoo.errors import ArgumentError, ZooError, option, refuse, unknown_name
from zoo.families import FAMILIES, OWN, family_of, find_family
from zoo.files import CHECKPOINT, atomic_write, exclusive_folder, require_startable, write_arrays, write_json
from zoo.loading import check_named, is_foreign, load
from zoo.models.function import Function, measure, own_loss
from zoo.models.losses import loss_and_metrics
from zoo.models.model import Model
from zoo.models.network import config_of
from zoo.provenance import known_of, spelled, versions, without_numbers
from zoo.recipe import Recipe, checked
from zoo.results import TrainResult
from zoo.runtime.labels import resolve
from zoo.task import Feed, Split, Task, require_tensorflow, task_of

# A checkpoint is written after an epoch if the last one is older than this: flushing to the disk can cost more than a
# short epoch.
_CHECKPOINT_SECONDS = 2.0

_RESUMED = ("history", "best_epoch", "best_loss", "finished", "seconds")
"""Attributes of `Fitted` that are in a checkpoint, beside the identity and the variables."""

# How many times fewer steps a fold makes at least than the training that it validates: benchmarks/few_people.py.
_FOLD_STEPS = 2

# Half the default of 2,000 steps cost 1 to 6 points on other people (benchmarks/few_people.py); fine-tuning has 1,000.
_FEW_STEPS = 500

_OF_LOSS = ("label_smoothing", "class_weights")
"""Fields of a recipe in whose place a loss of a user's own stands."""


@dataclass(frozen=True)
class Training:
    """What is trained, how, and where it is kept.

    `out` must be empty unless its checkpoint is resumed; without it, nothing is written. A `deterministic` training
    repeats bit by bit on any machine load, slower and without XLA. `callbacks` have no part in the trainings of folds.
    `report` is called after each epoch with its number from 0, its losses, and the fold, such as `fold 1 of 3`, or an
    empty text. A `loss` of a user's own takes the place of what the recipe says of it; `metrics` are measured on the
    validation windows after each epoch.
    """

    name: str
    family: str
    arguments: dict[str, Any]
    recipe: Recipe
    out: Path | None = None
    resume: bool = False
    deterministic: bool = False
    callbacks: Sequence[keras.callbacks.Callback] = ()
    report: Callable[[int, Mapping[str, float] | None, str], None] | None = None
    function: Function | None = None
    loss: Callable[..., Any] | None = None
    metrics: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, model: Any, changes: Mapping[str, Any] | None = None,
        recipe: Recipe | Mapping[str, Any] | None = None, *, loss: Callable[..., Any] | None = None,
        metrics: Mapping[str, Callable[..., Any]] | None = None,
    ) -> "Training":  # fmt: skip
        """A training of what a user names: a preset, a family, a function, or a model whose arguments are taken.

        `changes` of arguments and of fields of the recipe replace those of the preset or the family.
        """
        changes, fields = dict(changes or {}), {} if isinstance(recipe, Recipe) else dict(recipe or {})
        function, config, base = Function.of(model), None, None
        if function is not None:
            name, family = function.name, OWN
        elif is_foreign(model):
            name, family, config = model.name, OWN, config_of(model)
        else:
            check_named(model)
            name, family = (model.name, family_of(model)) if isinstance(model, Model) else (str(model), str(model))
            base = None if family in FAMILIES else presets.find(name, (*FAMILIES,))
            family = family if base is None else base.family
        task = task_of(family)
        accepted = (function or find_family(family).load()).argument_types()
        for change, value in changes.items():
            if change not in accepted and change not in Recipe.model_fields:
                raise unknown_name(f"setting of {name}", change, [*accepted, *Recipe.model_fields])
            if change in accepted:
                checked(change, accepted[change], value)
        # Among the changes, a name that both have means the model's, but the seed of a run is its recipe's.
        own = {key: value for key, value in changes.items() if key in accepted and key != "seed"}
        others = {key: value for key, value in changes.items() if key not in own}
        refuse("is decided by training", **{key: value for key, value in own.items() if key in task.fitted})
        if isinstance(model, Model) and own:
            raise ArgumentError(next(iter(own)), f": {name} is built already; leave it out")
        usual = recipe if isinstance(recipe, Recipe) else task.recipe if base is None else base.recipe
        if config is not None or (isinstance(model, Model) and getattr(model, "mean", True) is None):
            # What is built reads windows as they are, also where folds build it again.
            usual = usual.replace(normalize=False)
        whole = usual.replace(**{**fields, **others})
        named = [field for field in {**fields, **changes} if field not in accepted]
        if loss is not None:
            refuse("has no effect with a loss of your own", **{key: whole for key in _OF_LOSS if key in named})
            whole = whole.replace(label_smoothing=0.0, class_weights=None)
        if task.name != "activity":
            refuse(f"does not apply to {name}, which is no recognizer", loss=loss, metrics=metrics or None)
        task.check_recipe(whole.require_epochs(), named, name, built=isinstance(model, Model))
        if isinstance(model, Model):
            arguments = model.get_config()
        elif base is not None:
            arguments = base.arguments
        elif family == OWN:
            arguments = {} if config is None else {"network": config}
        else:
            arguments = {key: value for key, value in task.arguments.items() if key in accepted}
        return cls(name, family, {**arguments, **own}, whole, function=function, loss=loss, metrics=metrics or {})

    @property
    def task(self) -> Task:
        """Task of the family."""
        return task_of(self.family)

    @property
    def make(self) -> Any:
        """What makes the model of its arguments: the class of the family, or a function of the user's own."""
        return self.function or find_family(self.family).load()

    def to_json(self) -> dict[str, Any]:
        """Returns what decides the result, as JSON types."""
        arguments = {
            name: without_numbers(value) if name == "network" or callable(value) else value
            for name, value in self.arguments.items()
        }  # fmt: skip
        return {
            "name": self.name, "family": self.family, "arguments": arguments, "recipe": self.recipe.to_json(),
            **self.written,
        }  # fmt: skip

    @property
    def written(self) -> dict[str, Any]:
        """The function and the loss of a user's own, if there are any, as files name them."""
        parts = {"function": self.function, "loss": Function.of(self.loss)}
        return {name: part.to_json() for name, part in parts.items() if part is not None}

    def match(self, data: Any, arguments: Mapping[str, Any]) -> Any:
        """Refuses data that a model with these arguments, or the loss, does not read; returns it with its labels."""
        data = self.task.match(self.task.load_data(data), self.name, arguments)
        own_loss(self.loss, data)
        if self.metrics:
            measure(self.metrics, numbers := np.arange(len(data.classes)), numbers, np.eye(len(numbers)))
        return data

    def feed(self, model: Model, split: Any, recipe: Recipe) -> Feed:
        """What the model is fitted on, with a loss and metrics of a user's own."""
        scores = partial(measure, self.metrics, other=split.data.other_class) if self.metrics else None
        return replace(self.task.feed(model, split, recipe), loss=own_loss(self.loss, split.data), metrics=scores)

    def identity(self, model: Model, data: Any) -> dict[str, Any]:
        """What a checkpoint belongs to. Layers that a function makes may have other names the next time."""
        arguments = {
            name: value for name, value in model.get_config().items() if not self.function or name != "network"
        }
        if self.function:
            arguments |= {name: spelled(repr(self.arguments.get(name))) for name in self.function.options}
        return {"arguments": arguments, "data": data.sha256, **self.written}

    def run(
        self, data: Any, start: Any = None, *,
        begin: Callable[[Split, Model], None] = lambda split, model: None,
        calibration: Mapping[str, float | None] | None = None,
    ) -> "TrainResult":  # fmt: skip
        """Trains a new model, or one to `start` from, and writes it to the folder.

        `begin` gets each split and its model before the training. A `calibration` replaces the fitted one.
        """
        require_tensorflow("training by a recipe")
        kind = type(start)
        if self.out is not None and start is not None and keras.saving.get_registered_name(kind) == kind.__name__:
            raise ZooError(
                f"{kind.__name__} is not registered with Keras, which could not load the model that is saved: decorate "
                "the class with keras.saving.register_keras_serializable()"
            )
        # Before anything else uses TensorFlow, as several hosts must be connected first.
        distributing.strategy()
        # Of several processes, one writes.
        out = self.out if distributing.is_chief() else None
        with nullcontext() if out is None else exclusive_folder(out):
            if out is not None:
                require_startable(out, self.resume)
            task, arguments = self.task, self.arguments if start is None else start.get_config()
            data = self.match(data, arguments)
            split = task.split(data, self.recipe, folds=True)
            # Before the training changes the weights from which the folds start as well.
            learners = [task.build(self, fold) if start is None else start.copy() for fold in split.folds]
            model = task.build(self, split) if start is None else start
            model.provenance = known_of(model) or None
            for part, learner in zip((split, *split.folds), (model, *learners), strict=True):
                begin(part, learner)
            feed = self.feed(model, split, self.recipe)
            fitted = self._fit(
                model, self.recipe, feed,
                checkpoint=None if self.out is None else self.out / CHECKPOINT,
                identity=self.identity(model, data), strategy=distributing.strategy(),
            )  # fmt: skip
            # The folds come last: they change nothing in the model's weights, and a resumed run may train them again.
            validated = self._validated(split, learners, len(fitted.history))
            details = task.finish(model, split, self.recipe, learners) | feed.details
            for name, value in (calibration or {}).items():
                setattr(model, name, value)
            result = self._result(model, fitted, validated, details)
            if out is not None:
                write_json(out / "history.json", result.history)
                model.save_to_preset(
                    out,
                    preset=self.name, family=self.family, recipe=self.recipe.to_json(),
                    metadata=task.metadata(model).to_json(),
                    data={"file": Path(str(data)).name, "sha256": data.sha256, "source": data.source},
                    training=result.summary, versions=versions(),
                    **self.written
                    | ({"function": self.function.to_json() | {"code": self.function.code}} if self.function else {}),
                )  # fmt: skip
                # Compares what was written with the trained model: its arguments, and its weights by their hash.
                load(out)
                (out / CHECKPOINT).unlink(missing_ok=True)
        return result

    def _validated(self, split: Split, learners: Sequence[Model], epochs: int) -> list["Fitted"]:
        """Trains a model for each fold of a split, for as many epochs as were trained: a callback may have stopped."""
        recipe = self.recipe
        if recipe.steps is not None:
            # After half the steps, the scores of folds are much the same.
            recipe = recipe.replace(steps=max(1, recipe.steps // _FOLD_STEPS))
        return [
            self._fit(learner, recipe, replace(self.feed(learner, fold, recipe), epochs=epochs),
                      f"fold {number} of {len(learners)}")
            for number, (fold, learner) in enumerate(zip(split.folds, learners, strict=True), 1)
        ]  # fmt: skip

    def _result(
        self, model: Model, fitted: "Fitted", validated: Sequence["Fitted"], details: Mapping[str, Any]
    ) -> TrainResult:
        """The history, with the means of the folds' validation numbers of the same epoch, and the summary."""
        history, recipe = fitted.history, self.recipe
        if validated:
            history = [
                record | {
                    name: fmean(row[name] for row in rows) for name in rows[0]
                    if name.startswith("val_") and all(name in row for row in rows)
                }
                for record, *rows in zip(history, *(fold.history for fold in validated), strict=True)
            ]  # fmt: skip
        summary = {
            "epochs": len(history), "steps_per_epoch": fitted.steps, "best_epoch": fitted.best_epoch,
            "seconds": round(sum(part.seconds for part in (fitted, *validated)), 2), "parameters": model.count_params(),
            **({"batch_size": fitted.batch_size} if fitted.batch_size < recipe.batch_size else {}),
            **({"start_share": recipe.start_share} if recipe.start_share and history else {}),
            **details,
        }  # fmt: skip
        warnings = few_steps(recipe, fitted.steps)
        # One epoch says nothing.
        if len(history) > 1 and not history[-1]["loss"] < history[0]["loss"]:
            warnings.append(
                f"the training loss did not fall: {history[0]['loss']:.4g} in the first epoch, "
                f"{history[-1]['loss']:.4g} in the last: lower the learning rate of {recipe.learning_rate:g}"
            )
        if warnings:
            summary["warnings"] = warnings
        return TrainResult(self, model, history, summary)

    def _fit(self, model: Model, recipe: Recipe, feed: Feed, fold: str = "", **options: Any) -> "Fitted":
        """Fits the model, or that of a fold, of which nothing is kept but its scores."""
        callbacks: list[keras.callbacks.Callback] = [] if fold else [*self.callbacks]
        if (report := self.report) is not None:
            callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: report(epoch, logs, fold)))
        try:
            return fit(model, recipe, feed, deterministic=self.deterministic, callbacks=callbacks, **options)
        except LossNotFiniteError as error:
            if fold:
                cure = "or set validation to 0, which trains no fold: the training itself did not diverge"
                raise ZooError(f"validation, {fold}: {error}; {cure}") from error
            if self.out is None or not distributing.is_chief():
                raise
            path = self.out / "last_good.keras"
            with atomic_write(path) as temporary:
                model.save(temporary)
            raise ZooError(f"{error}; the last good weights are kept in {path}") from error


def few_steps(recipe: Recipe, steps_per_epoch: int) -> list[str]:
    """A warning if a recipe makes too few steps for its scores to say what it can reach."""
    steps = recipe.length * steps_per_epoch
    few = f"only {steps:,} steps from the first to the last, where 2,000 are usual from scratch: train for more epochs"
    return [few] if 0 < steps < _FEW_STEPS else []


class LossNotFiniteError(ZooError):
    """The loss became NaN or infinite; the model has the weights of the best, or else of the last good epoch."""


def fit(
    model: keras.Model, recipe: Recipe, feed: Feed, *, checkpoint: Path | None = None,
    identity: Mapping[str, Any] | None = None, deterministic: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (), strategy: tf.distribute.Strategy | None = None,
) -> "Fitted":  # fmt: skip
    """Trains a model in place.

    It ends with the best weights if the recipe has patience, else with the last ones; their moving average if it has a
    decay. Where the loss stops being finite (`LossNotFiniteError`), it has the last good ones. A checkpoint is resumed
    if it has the same recipe and `identity`. What is `deterministic` stays so for the life of the process.
    """
    if not feed.rows:
        raise ZooError("no training rows: add data")
    if recipe.patience is not None and feed.validation is None:
        raise ZooError("no validation rows, which patience needs: add data, or set patience to none")
    batch_size = min(recipe.batch_size, feed.rows // feed.passes)
    steps = feed.rows // batch_size
    if not recipe.length:
        return Fitted(model, recipe, batch_size, 0)
    if deterministic:
        keras.utils.set_random_seed(recipe.seed)
        tf.config.experimental.enable_op_determinism()
    jit_compile = strategy is None and not deterministic and getattr(model, "fast_with_xla", True)
    calls = _calls(steps) if strategy is None else [1] * steps
    learner = feed.learner or model
    with nullcontext() if strategy is None else strategy.scope():
        learner = learner if strategy is None else learner.copy()
        replicas = 1 if strategy is None else strategy.num_replicas_in_sync
        compile_model(learner, recipe, steps, feed, calls[0], jit_compile, replicas)
        averaged = recipe.ema_decay is not None or recipe.start_share
        average = distributing.MovingAverage(learner, recipe.ema_decay or 0.0, recipe.start_share) if averaged else None
        step = distributing.shared_step(learner, strategy, average) if strategy else (
            distributing.several_steps(learner, batch_size, jit_compile, average))  # fmt: skip
        learner.train_function = average.around(step) if average else step
        # A pass over the validation rows takes less time than compiling it.
        learner.jit_compile = False
        state = [*learner.variables, *learner.optimizer.variables, *(average.variables if average else ())]
        fitted = Fitted(learner, recipe, batch_size, steps, state, checkpoint, dict(identity or {}) | feed.identity)
        # Other callbacks see its numbers.
        own = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(_measured(learner, feed)))]
        try:
            if len(fitted.history) < recipe.length and not fitted.finished:
                (distributing.fit if strategy else keras.Model.fit)(
                    learner,
                    feed.batches([batch_size * count for count in calls], first_epoch=len(fitted.history)),
                    validation_data=feed.validation,
                    epochs=feed.epochs or recipe.length,
                    initial_epoch=len(fitted.history),
                    steps_per_epoch=steps,
                    shuffle=False,
                    verbose=0,
                    # What callbacks add to the numbers of an epoch belongs to its record.
                    callbacks=[*(own if feed.metrics and feed.validation else ()), *feed.callbacks, *callbacks, fitted],
                )
            if recipe.patience is not None:
                fitted.restore(fitted.best)
        finally:
            # The model can be fitted again as any other.
            learner.train_function, learner.jit_compile = None, jit_compile
            if feed.loss is not None:
                # A file of the model needs no code of a user's own.
                compile_model(learner, recipe, steps, replace(feed, loss=None), 1, jit_compile, replicas)
            if learner is not model:
                model.set_weights(learner.get_weights())
    return fitted


def _measured(model: keras.Model, feed: Feed) -> dict[str, float | None]:
    """Metrics of a user's own, of the validation windows."""
    parts = [(model.predict_on_batch(inputs), labels) for inputs, labels in feed.validation or ()]
    logits, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    found = feed.metrics(resolve(labels, logits, feed.label_sets), logits.argmax(axis=1), logits)
    return {f"val_{name}": value for name, value in found.items() if value is not None}


def compile_model(
    model: keras.Model, recipe: Recipe, steps_per_epoch: int, feed: Feed | None = None, steps_per_execution: int = 1,
    jit_compile: bool = True, replicas: int = 1,
) -> None:  # fmt: skip
    """Compiles a model as a recipe says; its moving average is a part of `fit` alone.

    `feed` names the weights of classes and labels that are sets, `replicas` the number of equal gradients that the
    optimizer sums. XLA makes the step of recurrent networks two to four times faster.
    """
    rate, steps = recipe.learning_rate, recipe.length * steps_per_epoch
    if recipe.schedule == "cosine":
        warmup = min(recipe.warmup_epochs * steps_per_epoch, steps // 2)
        start = {"warmup_target": rate, "warmup_steps": warmup} if warmup else {}
        rate = keras.optimizers.schedules.CosineDecay(0.0 if warmup else rate, steps - warmup, **start)
    options: dict[str, Any] = {
        "clipvalue": recipe.clip_value and recipe.clip_value / replicas,
        "global_clipnorm": recipe.clip_norm and recipe.clip_norm / replicas,
    }
    optimizers = {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=recipe.momentum, **options),
        "adam": lambda: keras.optimizers.Adam(rate, **options),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **options),
    }
    optimizer = optimizers[recipe.optimizer]()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    class_weights, label_sets = (feed.class_weights, feed.label_sets) if feed else (None, ())
    loss, metrics = loss_and_metrics(model.loss_name, recipe.label_smoothing, class_weights, label_sets)
    loss = (feed and feed.loss) or loss
    keras.Model.compile(
        model, optimizer, loss, metrics=metrics, jit_compile=jit_compile, steps_per_execution=steps_per_execution
    )
    model.optimizer.build(model.trainable_variables)


def _calls(steps: int) -> list[int]:
    """How many steps of an epoch each call from Python runs: of 128, `[64, 64]`, and of 67, `[34, 33]`.

    A call costs about a millisecond, as much as several steps of a small network. Equal calls of up to 64 steps compile
    once. Where no number from 16 to 64 divides the epoch, as where its steps are a prime number, the last call is
    shorter and compiles a second time, which costs a second or two.
    """
    most = max(size for size in range(1, min(steps, 64) + 1) if steps % size == 0)
    if most < min(steps, 16):
        most = -(-steps // -(-steps // 64))
    return [min(most, steps - start) for start in range(0, steps, most)]


class Fitted(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """What a training has reached: its history, and its checkpoint. Stops it early, and where the loss is not finite.

    A record of the history has the losses of the weights that would be saved after its epoch. The model has the weights
    of `best_epoch`, which counts from 1. `seconds` include those of resumed runs. `batch_size` may be less than the
    recipe's.
    """

    def __init__(
        self, model: keras.Model, recipe: Recipe, batch_size: int, steps: int, state: Sequence[Any] = (),
        checkpoint: Path | None = None, identity: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.set_model(model)
        self.recipe, self.batch_size, self.steps, self.checkpoint = recipe, batch_size, steps, checkpoint
        # Variables of the model include the states of its random generators; with those of the optimizer and the
        # average they are all that the next epoch depends on.
        self.state = state
        self.identity = json.loads(json.dumps({"recipe": recipe.to_json()} | dict(identity or {})))
        self.history: list[dict[str, float]] = []
        self.best_epoch, self.best_loss, self.finished, self.seconds = 0, np.inf, False, 0.0
        self.best: list[NDArray[Any]] = []
        self.started, self.saved = time.perf_counter(), -np.inf
        try:
            if checkpoint is not None and checkpoint.is_file():
                self._resume(checkpoint)
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise ZooError(
                f"{checkpoint}: damaged ({error}): delete it, and start without {option('resume')}"
            ) from error
        finally:
            self.good = [variable.numpy() for variable in model.variables]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: D102
        self._require_finite("loss", (logs or {}).get("loss", 0.0))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Records the epoch, decides whether it is the last one, and writes the checkpoint."""
        for name, value in (logs or {}).items():
            self._require_finite(name, value)
        weights = [variable.numpy() for variable in self.model.variables]
        self._require_finite("weights", sum(float(np.abs(value).sum()) for value in weights))
        self.good = weights
        self.history.append({"epoch": epoch + 1} | {name: float(value) for name, value in (logs or {}).items()})
        if self.recipe.patience is None:
            self.best_epoch = epoch + 1
        elif self.history[-1]["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch, self.best = self.history[-1]["val_loss"], epoch + 1, weights
        elif epoch + 1 - self.best_epoch >= self.recipe.patience:
            self.model.stop_training = True
        # Where a callback has stopped it, a resumed run does not go on either.
        self.finished = bool(self.model.stop_training)
        now = time.perf_counter()
        self.seconds, self.started = self.seconds + now - self.started, now
        done = self.model.stop_training or len(self.history) == self.recipe.length
        if self.checkpoint is None or not (done or now - self.saved > _CHECKPOINT_SECONDS):
            return
        if distributing.is_chief():
            arrays = {f"state_{i}": variable.numpy() for i, variable in enumerate(self.state)}
            arrays |= {f"best_{i}": value for i, value in enumerate(self.best)}
            facts = {name: getattr(self, name) for name in ("identity", *_RESUMED)}
            write_arrays(self.checkpoint, facts=np.array(json.dumps(facts)), **arrays)
        self.saved = time.perf_counter()

    def _require_finite(self, name: str, value: float) -> None:
        if np.isfinite(value):
            return
        self.restore(self.best or self.good)
        raise LossNotFiniteError(
            f"the {name} became {value} in epoch {len(self.history) + 1}: lower the learning rate "
            f"({self.recipe.learning_rate:g}) or clip gradients"
        )

    def restore(self, weights: Sequence[NDArray[Any]]) -> None:
        """Sets the model's variables."""
        for variable, value in zip(self.model.variables, weights, strict=True):
            variable.assign(value)

    def _resume(self, checkpoint: Path) -> None:
        with np.load(checkpoint) as saved:
            facts = json.loads(str(saved["facts"]))
            if facts["identity"] != self.identity:
                was, now = facts["identity"], self.identity
                differs = [key for key in was | now if was.get(key) != now.get(key)]
                raise ZooError(f"{checkpoint}: was made with another {' and '.join(differs)}: resume with the same")
            for i, variable in enumerate(self.state):
                variable.assign(saved[f"state_{i}"])
            self.best = [saved[f"best_{i}"] for i in range(sum(name.startswith("best_") for name in saved))]
        for name in _RESUMED:
            setattr(self, name, facts[name])
