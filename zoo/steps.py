"""The training step: what the gradients of some rows are, and what is done with them.

    rows -> micro-batches of equal size -> gradients of each, side by side -> their mean -> one update

XLA computes on several cores what does not depend on each other; a small network alone leaves all but one idle.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


def gradients(model: keras.Model, inputs: tf.Tensor, targets: tf.Tensor, micro_batches: int) -> list[tf.Tensor]:
    """Differentiates the loss, and counts the rows into the model's metrics.

    Args:
        model: A compiled model.
        inputs: Rows.
        targets: What is wanted of them.
        micro_batches: How many the rows are divided into.

    Returns:
        Means over the micro-batches: of the gradient by each trainable variable, and last of the loss.
    """
    divided = zip(tf.split(inputs, micro_batches), tf.split(targets, micro_batches), strict=True)
    found = zip(*(_differentiate(model, *rows) for rows in divided), strict=True)
    return [values[0] if micro_batches == 1 else tf.add_n(values) / micro_batches for values in found]


def _differentiate(model: keras.Model, inputs: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, outputs)
    model.compute_metrics(inputs, targets, outputs)
    # The gradient of an embedding comes as the rows that were looked up.
    return [*map(tf.convert_to_tensor, tape.gradient(loss, model.trainable_variables)), loss]


def update(model: keras.Model, means: Sequence[tf.Tensor]) -> None:
    """Applies the mean gradients that `gradients` gives, and counts its loss into the number of the epoch."""
    model.optimizer.apply(means[:-1], model.trainable_variables)
    # What training stops at where it is not finite.
    model._loss_tracker.update_state(means[-1])


def several_steps(model: keras.Model, steps: int, micro_batches: int, jit_compile: bool) -> Callable[[Any], Any]:
    """Several training steps in one compiled loop, on the rows of one large batch.

    Keras's own `steps_per_execution` fetches each batch from the pipeline between two compiled steps, which costs more
    than a step of a small network. Here the rows of all steps come at once, and the loop over them is compiled whole.

    Args:
        model: A compiled model with a built optimizer.
        steps: How many.
        micro_batches: How many the rows of a step are divided into.
        jit_compile: Whether XLA compiles the loop.

    Returns:
        What Keras calls with its iterator, as `Model.train_function`.
    """

    def run(*rows: tf.Tensor) -> Any:
        inputs, targets = (tf.reshape(part, (steps, part.shape[0] // steps, *part.shape[1:])) for part in rows)

        def step(number: tf.Tensor) -> tuple[tf.Tensor]:
            update(model, gradients(model, inputs[number], targets[number], micro_batches))
            return (number + 1,)

        tf.while_loop(lambda number: number < steps, step, (tf.constant(0),))
        return model.get_metrics_result()

    compiled = tf.function(run, jit_compile=jit_compile, reduce_retracing=True, autograph=False)
    return lambda iterator: compiled(*next(iterator))
