"""The training step.

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
        targets: Of each row.
        micro_batches: Parts that the rows are divided into.

    Returns:
        Means over the micro-batches: of the gradient by each trainable variable, and last of the loss.
    """
    divided = zip(tf.split(inputs, micro_batches), tf.split(targets, micro_batches), strict=True)
    parts = zip(*(_differentiate(model, *rows) for rows in divided), strict=True)
    return [values[0] if micro_batches == 1 else tf.add_n(values) / micro_batches for values in parts]


def _differentiate(model: keras.Model, inputs: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, outputs)
    model.compute_metrics(inputs, targets, outputs)
    # The gradient of an embedding comes as the rows that were looked up.
    return [*map(tf.convert_to_tensor, tape.gradient(loss, model.trainable_variables)), loss]


def update(model: keras.Model, means: Sequence[tf.Tensor]) -> None:
    """Applies the mean gradients that `gradients` returns, and counts its loss into that of the epoch."""
    model.optimizer.apply(means[:-1], model.trainable_variables)
    average = getattr(model, "moving_average", None)
    if average is not None:
        average.update()
    # Training stops where it is not finite.
    model._loss_tracker.update_state(means[-1])


class MovingAverage:
    """Exponential moving average of a model's trainable weights, which follows the number of steps t.

        d_t = min(decay, (1 + t) / (10 + t)),  average = d_t average + (1 - d_t) weights,  t = 1, 2, ...

    After t steps it covers about the last t / 9 of them, until it covers the last 1 / (1 - decay): a short run does not
    average over its random start. Between calls of the training step the model has the averages, so validation,
    callbacks and checkpoints see what will be saved.

    Args:
        model: A compiled model, which is trained from the weights that it has.
        decay: The greatest, in (0, 1).

    Attributes:
        variables: Between calls of the training step, the weights that the optimizer updates; during a call, the
            averages.
    """

    def __init__(self, model: keras.Model, decay: float) -> None:
        self.model, self.decay = model, decay
        self.variables = [keras.Variable(weight, trainable=False) for weight in model.trainable_variables]

    def update(self) -> None:
        """Follows a step of the optimizer. Part of the compiled step."""
        steps = tf.cast(self.model.optimizer.iterations, tf.float32)
        decay = tf.minimum(self.decay, (1 + steps) / (10 + steps))
        for average, weight in zip(self.variables, self.model.trainable_variables, strict=True):
            average.assign(decay * average + (1 - decay) * weight)

    def around(self, train_function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A train function that finds and leaves the averages in the model."""

        def run(iterator: Any) -> Any:
            self._swap()
            try:
                return train_function(iterator)
            finally:
                self._swap()

        return run

    def _swap(self) -> None:
        for one, other in zip(self.variables, self.model.trainable_variables, strict=True):
            value = tf.convert_to_tensor(one)
            one.assign(other)
            other.assign(value)


def several_steps(model: keras.Model, steps: int, micro_batches: int, jit_compile: bool) -> Callable[[Any], Any]:
    """Several training steps in one compiled loop, on the rows of one large batch.

    Keras's own `steps_per_execution` fetches each batch from the pipeline between two compiled steps, which costs more
    than a step of a small network. Here the rows of all steps come at once, and the loop over them is compiled whole.

    Args:
        model: A compiled model with a built optimizer.
        steps: Training steps a call.
        micro_batches: Parts that the rows of a step are divided into.
        jit_compile: Whether XLA compiles the loop.

    Returns:
        A function of Keras's iterator, for `Model.train_function`.
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
