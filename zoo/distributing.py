"""The training step, on one device, on several GPUs of this machine, or on several hosts by `tf.distribute`.

Of several devices, each replica has the whole model and the whole batch, and computes the gradients of its share of the
rows; all apply their mean. The batch of the recipe is divided, not multiplied, so a recipe ends at nearly the same
weights on any number of replicas, with three exceptions: dropout and augmentation draw other numbers, and the sparsity
of an autoencoder is that of each share.

Hosts are those of TensorFlow's environment variable TF_CONFIG. TensorFlow's servers listen on all interfaces and
neither authenticate nor encrypt: use them in a trusted network only.

Keras cannot `fit` under `MultiWorkerMirroredStrategy` (keras#20585), hence the loop here.
"""

import functools
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.errors import ZooError, option

VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


def train_step(
    model: keras.Model, inputs: tf.Tensor, targets: tf.Tensor, average: "MovingAverage | None",
    reduce: Callable[[list[tf.Tensor]], Sequence[tf.Tensor]] = list,
) -> None:  # fmt: skip
    """Updates weights and metrics. `reduce` makes means over replicas of the gradients and, last, the loss."""
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, outputs)
        # In float16, small gradients would be zero; the optimizer divides them again.
        scaled = model.optimizer.scale_loss(loss)
    model.compute_metrics(inputs, targets, outputs)
    # The gradient of an embedding is sparse: only the rows that were looked up.
    gradients = map(tf.convert_to_tensor, tape.gradient(scaled, model.trainable_variables))
    *means, loss = reduce([*gradients, loss])
    model.optimizer.apply(means, model.trainable_variables)
    if average is not None:
        average.update()
    # Training stops if the loss is not finite.
    model._loss_tracker.update_state(loss)


class MovingAverage:
    """Exponential moving average of a model's trainable weights, with a decay that depends on the number of steps t.

        d_t = min(decay, (1 + t) / (10 + t)),  average = d_t average + (1 - d_t) weights,  t = 1, 2, ...

    After t steps it averages over about the last t / 9 of them, and later over the last 1 / (1 - decay), so a short run
    does not average over its random initial weights. Between calls of the training step the weights of the model are
    the averages, so validation, callbacks and checkpoints see what will be saved. With a share s of the start they are

        s start + (1 - s) average

    as by Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022, arXiv:2109.01903.

    Args:
        model: Compiled model, with the weights of the start.
        decay: Largest decay, in [0, 1).
        start_share: Share of the start, in [0, 1).

    Attributes:
        variables: The weights that the optimizer updates, and then the averages.
    """

    def __init__(self, model: keras.Model, decay: float, start_share: float = 0.0) -> None:
        self.model, self.decay, self.start_share = model, decay, start_share
        self.start = [weight.numpy() for weight in model.trainable_variables]
        self.weights, self.averages = (
            [keras.Variable(value, trainable=False, aggregation="only_first_replica") for value in self.start]
            for _ in range(2)
        )
        self.variables = [*self.weights, *self.averages]

    def update(self) -> None:
        """Updates the averages after a step of the optimizer. Part of the compiled step."""
        steps = tf.cast(self.model.optimizer.iterations, tf.float32)
        decay = tf.minimum(self.decay, (1 + steps) / (10 + steps))
        for average, weight in zip(self.averages, self.model.trainable_variables, strict=True):
            average.assign(decay * average + (1 - decay) * weight)

    def around(self, train_function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Wraps a train function, so that the model has the averages before and after each call."""

        def run(iterator: Any) -> Any:
            for shown, weight in zip(self.model.trainable_variables, self.weights, strict=True):
                shown.assign(weight)
            try:
                return train_function(iterator)
            finally:
                parts = zip(self.model.trainable_variables, self.weights, self.averages, self.start, strict=True)
                for shown, weight, average, start in parts:
                    weight.assign(shown)
                    share = self.start_share
                    shown.assign(share * start + (1 - share) * average if share else average)

        return run


# CPU seconds of an epoch against `Model.fit` with 28 `steps_per_execution`, with or without XLA, whichever is faster
# (2,688 windows, 10,240 patches, 40,000 rows of text; the lowest of four, two cores under load): GRU of 32 units 0.57
# and 0.48, two layers on frames 0.42 and 0.34, LSTM of 64 1.52 and 1.46, SimpleRNN 0.72 and 0.68, CNN 0.59 and 0.58,
# autoencoder 0.051 and 0.067, language model 0.33 and 0.40. Wall seconds on an idle machine: GRU 0.21 and 0.24, LSTM
# 0.57 and 0.62 to 1.41, CNN 0.19 and 0.30, as Keras alternates between the pipeline and the step. Keras has
# no average that is corrected for the first steps.
def several_steps(
    model: keras.Model, batch_size: int, jit_compile: bool, average: MovingAverage | None
) -> Callable[[Any], Any]:
    """A `Model.train_function` that runs several training steps in one compiled loop, on the rows of one large batch.

    With `steps_per_execution`, Keras fetches each batch from the pipeline between two compiled steps, which takes
    longer than a step of a small network. Here the rows of all steps are fetched at once.
    """

    def run(*rows: tf.Tensor) -> Any:
        steps = rows[0].shape[0] // batch_size
        inputs, targets = (tf.reshape(part, (steps, batch_size, *part.shape[1:])) for part in rows)

        def step(number: tf.Tensor) -> tuple[tf.Tensor]:
            train_step(model, inputs[number], targets[number], average)
            return (number + 1,)

        tf.while_loop(lambda number: number < steps, step, (tf.constant(0),))
        return model.get_metrics_result()

    # Retraced for the shorter last call of an epoch, if there is one.
    compiled = tf.function(run, jit_compile=jit_compile, autograph=False)
    return lambda iterator: compiled(*next(iterator))


@functools.cache
def strategy() -> tf.distribute.Strategy | None:
    """Connects the hosts of TF_CONFIG, or finds the GPUs of this machine. None where there is one device."""
    if not os.environ.get(VARIABLE):
        return tf.distribute.MirroredStrategy() if len(tf.config.list_physical_devices("GPU")) > 1 else None
    is_chief()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ZooError(f"{VARIABLE}: {error}; start the training in a new process, before other work") from error


def is_chief() -> bool:
    """Returns whether this process writes the files: worker 0 of TF_CONFIG, or any process without it."""
    text = os.environ.get(VARIABLE)
    if not text:
        return True
    try:
        document = json.loads(text)
        workers, kind, index = document["cluster"]["worker"], document["task"]["type"], document["task"]["index"]
        valid = set(document["cluster"]) == {"worker"} and kind == "worker" and 0 <= index < len(workers)
    except (ValueError, TypeError, KeyError):
        valid = False
    if not valid:
        raise ZooError(f"{VARIABLE} is {text}; expected {_EXAMPLE}")
    return bool(index == 0)


def shared_step(
    model: keras.Model, shared: tf.distribute.Strategy, average: MovingAverage | None
) -> Callable[[Any], Any]:
    """A `Model.train_function` whose rows are divided among the replicas; the model is made in the strategy's scope."""
    replicas = shared.num_replicas_in_sync

    def on_replica(inputs: tf.Tensor, targets: tf.Tensor) -> None:
        if inputs.shape[0] % replicas:
            raise ZooError(
                f"batches of {inputs.shape[0]} rows cannot be divided among {replicas} replicas: set batch_size to "
                f"a multiple of {replicas}"
            )
        context = tf.distribute.get_replica_context()
        inputs, targets = (
            tf.reshape(part, (replicas, part.shape[0] // replicas, *part.shape[1:]))[context.replica_id_in_sync_group]
            for part in (inputs, targets)
        )

        def reduce(parts: list[tf.Tensor]) -> list[tf.Tensor]:
            # Keras divides the loss by the number of replicas, so the sum is the mean. The optimizer clips, and then
            # sums over the replicas once more.
            *sums, loss = context.all_reduce(tf.distribute.ReduceOp.SUM, parts)
            return [*(total / replicas for total in sums), loss]

        train_step(model, inputs, targets, average, reduce)

    step = tf.function(lambda *rows: shared.run(on_replica, args=rows), autograph=False)
    return lambda iterator: step(*next(iterator))


def fit(
    model: keras.Model, batches: tf.data.Dataset, *, validation_data: tf.data.Dataset | None, epochs: int,
    initial_epoch: int, steps_per_epoch: int, callbacks: Sequence[keras.callbacks.Callback], **_: Any,
) -> None:  # fmt: skip
    """Does what `Model.fit` does, in the scope of a strategy: each process reads all batches."""
    shared = tf.distribute.get_strategy()
    evaluate = tf.function(lambda *rows: shared.run(model.test_step, args=(rows,)), autograph=False)
    watching = keras.callbacks.CallbackList(list(callbacks), model=model)
    model.stop_training, iterator = False, iter(batches)
    watching.on_train_begin()
    try:
        for epoch in range(initial_epoch, epochs):
            watching.on_epoch_begin(epoch)
            model.reset_metrics()
            for number in range(steps_per_epoch):
                model.train_function(iterator)
                watching.on_train_batch_end(number)
            logs = _metrics(model)
            if validation_data is not None:
                model.reset_metrics()
                for rows in validation_data:
                    evaluate(*rows)
                logs |= {f"val_{name}": value for name, value in _metrics(model).items()}
            watching.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        raise ZooError(
            f"another worker is gone ({type(error).__name__}): start all of them again with {option('resume')}"
        ) from None
    watching.on_train_end()


def _metrics(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
