"""The training step of several workers, under `tf.distribute.MultiWorkerMirroredStrategy`.

Keras 3 cannot `fit` under that strategy (keras#20585), and its mirrored variables are what stands in the way. So each
worker keeps the whole model in variables of its own, made from the same seed or checkpoint, and only gradients go
through the strategy: each worker computes those of its share of a batch, compiled as ever, an all-reduce averages
them, and each applies the same average. Weights stay equal on all workers, bit by bit.

The batch of the recipe is divided, not multiplied, so a recipe gives the same model on any number of workers, but for
what is no mean over rows: dropout draws other numbers, and the sparsity of an autoencoder is that of each share.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from zoo.cluster import Cluster
from zoo.errors import ZooError
from zoo.steps import gradients, update


@contextlib.contextmanager
def connected(cluster: Cluster | None, identity: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """Connects the workers of a cluster while the block runs. Must come before any other work of TensorFlow's.

    Args:
        cluster: All of them; with None nothing happens.
        identity: What this one is about to train, as JSON types.
        seconds: How long to wait for the others.

    Raises:
        ZooError: If they do not come, do not agree, or see several devices each.
        WorkerLostError: If one is gone.
    """
    if cluster is None:
        yield
        return
    with cluster.met(identity, seconds, _abort):
        try:
            cluster.strategy = tf.distribute.MultiWorkerMirroredStrategy()
            if cluster.strategy.num_replicas_in_sync != len(cluster):
                raise ZooError(
                    f"{cluster.name(cluster.index)}: sees several GPUs; start a worker for each, which sees that alone "
                    "(CUDA_VISIBLE_DEVICES)"
                )
            yield
        except (tf.errors.OpError, RuntimeError) as error:
            if isinstance(error, tf.errors.OpError) or cluster.lost:
                raise cluster.explain() from error
            raise


def _abort() -> None:
    """Lets operations fail that wait for a worker who is gone; TensorFlow itself notices only broken connections."""
    from tensorflow.python.eager import context

    context.context().abort_collective_ops(tf.errors.UNAVAILABLE, "a worker is gone")


def shared_steps(
    cluster: Cluster, model: keras.Model, steps: int, batch_size: int, micro_batches: int, jit_compile: bool
) -> Callable[[Any], Any]:
    """Training steps of which this worker computes its share.

    Args:
        cluster: All workers, connected.
        model: A compiled model with a built optimizer.
        steps: How many take their rows from one batch of the pipeline, which is the same on all workers.
        batch_size: Rows a step, over all workers.
        micro_batches: How many a worker's share is divided into.
        jit_compile: Whether XLA compiles what lies between two all-reduces.

    Returns:
        What Keras calls with its iterator, as `Model.train_function`.

    Raises:
        ZooError: If the batch cannot be divided equally.
    """
    share, rest = divmod(batch_size, len(cluster) * micro_batches)
    if rest:
        among = f"{len(cluster)} workers" + (f" in {micro_batches} micro-batches" if micro_batches > 1 else "")
        raise ZooError(f"batches of {batch_size} rows cannot be divided among {among}: change it")
    share *= micro_batches

    def compute_share(inputs: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
        return gradients(model, inputs, targets, micro_batches)

    def apply_means(*means: tf.Tensor) -> None:
        # All workers see the same loss, and stop together where it is not finite.
        update(model, list(means))

    compute, apply = (tf.function(part, jit_compile=jit_compile) for part in (compute_share, apply_means))
    step = tf.function(lambda inputs, targets: apply(*_average(cluster, compute(inputs, targets))))

    def run(iterator: Any) -> Any:
        inputs, targets = next(iterator)
        for number in range(steps):
            start = number * batch_size + cluster.index * share
            step(inputs[start : start + share], targets[start : start + share])
        return model.get_metrics_result()

    return run


def _average(cluster: Cluster, values: list[tf.Tensor]) -> list[tf.Tensor]:
    """The means over all workers."""

    def reduce(values: list[tf.Tensor]) -> Any:
        # Identities are on a device, which the all-reduce asks of what it is given.
        there = [tf.identity(value) for value in values]
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, there)

    return list(cluster.strategy.run(reduce, args=(values,)))


def draw_apart(cluster: Cluster, model: keras.Model) -> None:
    """Gives each worker other random numbers; the chief keeps those of a single worker."""
    for variable in model.variables:
        if "seed_generator" in variable.path:
            variable.assign(variable + keras.ops.cast([cluster.index, 0], variable.dtype))


class Agreement(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Averages the numbers of each epoch over the workers, so that all decide the same on them.

    Args:
        cluster: All workers, connected.
    """

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster
        self.average = tf.function(lambda values: _average(cluster, [values])[0])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: D102
        if logs:
            values = self.average(tf.constant(list(logs.values()), tf.float32)).numpy()
            logs.update(zip(logs, values.tolist(), strict=True))
