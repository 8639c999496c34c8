"""One training on several GPUs of this machine, or on several hosts, by `tf.distribute`.

Each replica has the whole model and the whole batch, and computes the gradients of its share of the rows; all apply
their mean. The batch of the recipe is divided, not multiplied, so a recipe ends at nearly the same weights on any
number of replicas, with two exceptions that are not means over rows: dropout draws other numbers, and the sparsity of
an autoencoder is that of each share.

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

from zoo.errors import ZooError
from zoo.steps import gradients, update

VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


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


def shared_step(model: keras.Model, shared: tf.distribute.Strategy, micro_batches: int) -> Callable[[Any], Any]:
    """A `Model.train_function` whose rows are divided among the replicas; the model is made in the strategy's scope."""
    replicas = shared.num_replicas_in_sync

    def on_replica(inputs: tf.Tensor, targets: tf.Tensor) -> None:
        if inputs.shape[0] % (replicas * micro_batches):
            raise ZooError(
                f"batches of {inputs.shape[0]} rows cannot be divided among {replicas} replicas in {micro_batches} "
                f"parts: set batch_size to a multiple of {replicas * micro_batches}"
            )
        context = tf.distribute.get_replica_context()
        own, labels = (
            tf.reshape(part, (replicas, part.shape[0] // replicas, *part.shape[1:]))[context.replica_id_in_sync_group]
            for part in (inputs, targets)
        )
        # Keras divides the loss by the number of replicas, so the sum is the mean.
        *means, loss = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients(model, own, labels, micro_batches))
        # The optimizer clips, and then sums over the replicas once more.
        update(model, [*(mean / replicas for mean in means), loss])

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
            f"another worker is gone ({type(error).__name__}): start all of them again with --resume"
        ) from None
    watching.on_train_end()


def _metrics(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
