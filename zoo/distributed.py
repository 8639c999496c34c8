"""The training step of several workers.

Each worker has the whole model, initialized from the same seed or checkpoint. It computes the gradients of its share of
each batch, compiled as usual; the chief averages them over all workers; and each worker applies the same average. The
weights of all workers stay equal, bit by bit. Keras 3 cannot `fit` under `MultiWorkerMirroredStrategy` (keras#20585).

The batch of the recipe is divided, not multiplied, so a recipe yields the same model on any number of workers, with two
exceptions that are not means over rows: dropout draws other numbers, and the sparsity of an autoencoder is that of each
share.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.cluster import Cluster
from zoo.errors import ZooError
from zoo.steps import gradients, update


def shared_steps(
    cluster: Cluster, model: keras.Model, steps: int, batch_size: int, micro_batches: int, jit_compile: bool
) -> Callable[[Any], Any]:
    """Creates training steps that are shared by all workers.

    Args:
        cluster: Connected cluster.
        model: Compiled model with a built optimizer.
        steps: Number of steps with rows from one batch of the pipeline, which is the same on all workers.
        batch_size: Number of rows per step, over all workers.
        micro_batches: Number of parts into which the share of a worker is divided.
        jit_compile: Whether XLA compiles the parts of a step before and after the exchange of gradients.

    Returns:
        A function of the iterator of Keras, for `Model.train_function`.

    Raises:
        ZooError: If the batch cannot be divided equally.
    """
    share, rest = divmod(batch_size, len(cluster) * micro_batches)
    if rest:
        among = f"{len(cluster)} workers" + (f" in {micro_batches} micro-batches" if micro_batches > 1 else "")
        raise ZooError(
            f"batches of {batch_size} rows cannot be divided among {among}: set --batch-size to a "
            f"multiple of {len(cluster) * micro_batches}"
        )
    share *= micro_batches

    def compute_share(inputs: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
        return gradients(model, inputs, targets, micro_batches)

    def apply_means(*means: tf.Tensor) -> None:
        # All workers have the same loss, so they stop together if it is not finite.
        update(model, list(means))

    compute, apply = (tf.function(part, jit_compile=jit_compile) for part in (compute_share, apply_means))

    def run(iterator: Any) -> Any:
        inputs, targets = next(iterator)
        for number in range(steps):
            start = number * batch_size + cluster.index * share
            values = compute(inputs[start : start + share], targets[start : start + share])
            apply(*map(tf.constant, mean(cluster, [value.numpy() for value in values])))
        return model.get_metrics_result()

    return run


def mean(cluster: Cluster, values: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Averages arrays over all workers. Each worker must call this with arrays of the same shapes.

    Args:
        cluster: Connected cluster.
        values: Arrays of this worker.

    Returns:
        Means of the arrays.

    Raises:
        WorkerLostError: If a worker is gone.
    """
    flat = np.concatenate([np.ravel(value) for value in values])
    if cluster.chief:
        flat = sum((np.frombuffer(data, np.float32) for data in cluster.receive()), flat) / np.float32(len(cluster))
        cluster.send(flat.tobytes())
    else:
        cluster.send(flat.tobytes())
        flat = np.frombuffer(cluster.receive()[0], np.float32)
    parts = np.split(flat, np.cumsum([value.size for value in values])[:-1])
    return [part.reshape(value.shape) for part, value in zip(parts, values, strict=True)]


def offset_seeds(cluster: Cluster, model: keras.Model) -> None:
    """Gives each worker its own random numbers. The chief has those of training with one worker."""
    for variable in model.variables:
        if "seed_generator" in variable.path:
            variable.assign(variable + keras.ops.cast([cluster.index, 0], variable.dtype))


class AverageLogs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Averages the metrics of each epoch over the workers, so that all make the same decisions.

    Args:
        cluster: Connected cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: D102
        if logs:
            (values,) = mean(self.cluster, [np.array(list(logs.values()), np.float32)])
            logs.update(zip(logs, values.tolist(), strict=True))
