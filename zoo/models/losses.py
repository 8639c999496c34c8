"""Losses and metrics that Keras lacks. They work with every backend of Keras."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import BeforeValidator

from zoo.errors import ZooError, shown
from zoo.recipe import Amount, Fraction, checked
from zoo.runtime.labels import allowed_classes


@keras.saving.register_keras_serializable(package="zoo")
class CrossEntropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy of logits `(batch, K)` with class indices `(batch,)` or distributions `(batch, K)`.

        -sum_k t_k log softmax(logits)_k,  t = (1 - smoothing) target + smoothing / K

    where the target is one-hot or the distribution. A distribution that sums to w counts as w examples.

    A label may also be a set of classes: the label K + i means one of `label_sets[i]`, and the log-probability of the
    set, log sum_(k in set) softmax(logits)_k, takes the place of that of a class.

    A label that is neither a class nor a set is an error in TensorFlow. Its loss is NaN with other backends, and where
    XLA compiles the loss.

    Label smoothing: Szegedy et al., Rethinking the inception architecture, 2015, arXiv:1512.00567. Sets of labels: Jin
    and Ghahramani, Learning with multiple labels, 2002.

    Args:
        label_smoothing: Fraction of the target that is spread evenly over all classes, in [0, 1).
        class_weights: Factor on the loss of each class, and then of each set. All 1 by default. That of a distribution
            is their mean over it.
        label_sets: The classes of each label from K on, such as `data.label_sets` of data that `load_data` returned.
            None by default.
        **options: Arguments of `keras.losses.Loss`.

    Raises:
        tensorflow.errors.InvalidArgumentError: If a label is neither a class nor a set.

    Example:
        >>> float(CrossEntropy()(np.array([1]), np.array([[0.0, 0.0]])))
        0.6931471824645996
        >>> float(CrossEntropy(label_sets=[(0, 1)])(np.array([2]), np.array([[0.0, 0.0]])))
        0.0
    """

    def __init__(
        self, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None,
        label_sets: Sequence[Sequence[int]] = (), **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**{"name": "cross_entropy"} | options)
        self.label_smoothing = checked("label_smoothing", Fraction, label_smoothing)
        weights = Annotated[list[Amount], BeforeValidator(list)] | None
        self.class_weights = checked("class_weights", weights, class_weights)
        if any(isinstance(members, int) or not len(members) or min(members) < 0 for members in label_sets):
            raise ZooError(f"label_sets is {shown(label_sets)}; expected the classes of each, such as [(0, 1)]")
        self.label_sets = [list(classes) for classes in label_sets]

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        targets, total = _distributions(y_true, y_pred, self.label_sets)
        if self.label_sets:
            on_target = ops.logsumexp(ops.where(targets > 0, y_pred, -np.inf), axis=-1)
        else:
            on_target = ops.sum(targets * y_pred, axis=-1)
        on_target *= 1 - self.label_smoothing
        if self.label_smoothing:
            on_target += self.label_smoothing * total * ops.mean(y_pred, axis=-1)
        losses = total * ops.logsumexp(y_pred, axis=-1) - on_target
        if self.class_weights is None:
            return losses
        weights = ops.convert_to_tensor(self.class_weights, losses.dtype)
        if self.label_sets:
            return losses * ops.take(weights, ops.reshape(ops.cast(y_true, "int32"), (-1,)))
        # The loss of a distribution has its sum as a factor already.
        return losses * ops.divide_no_nan(ops.matmul(targets, weights), total)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            **super().get_config(), "label_smoothing": self.label_smoothing, "class_weights": self.class_weights,
            "label_sets": self.label_sets,
        }  # fmt: skip


@keras.saving.register_keras_serializable(package="zoo")
class HalfSquaredError(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Half the squared error of each example, `1/2 sum_k (d_k - y_k)^2`, averaged over the batch.

    Args:
        **options: Arguments of `keras.losses.Loss`.

    Example:
        >>> float(HalfSquaredError()(np.array([[0.0, 0.0]]), np.array([[1.0, 2.0]])))
        2.5
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"name": "half_squared_error"} | options)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        return 0.5 * ops.sum(ops.square(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="zoo")  # type: ignore[untyped-decorator]  # Keras has no types
def accuracy(y_true: Any, y_pred: Any, label_sets: Sequence[Sequence[int]] = ()) -> Any:
    """Computes the accuracy of each example `(batch,)`: the weight of the most probable class in the target.

    For a class index, this is 1 or 0; for a set of classes, it is 1 if the set contains the most probable class. Of
    several classes with the greatest logit, the first one counts, as with `argmax`.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    targets, _ = _distributions(ops.convert_to_tensor(y_true), y_pred, label_sets)
    classes = ops.arange(y_pred.shape[-1])
    # argmax would take a tenth of the time of a training step of a small network.
    greatest = ops.max(y_pred, axis=-1, keepdims=True)
    first = ops.min(ops.where(y_pred >= greatest, classes, y_pred.shape[-1]), axis=-1, keepdims=True)
    return ops.sum(ops.where(classes == first, targets, 0.0), axis=-1)


def loss_and_metrics(
    name: str, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None,
    label_sets: Sequence[Sequence[int]] = (),
) -> tuple[keras.losses.Loss, list[keras.metrics.Metric]]:  # fmt: skip
    """Creates the loss `cross_entropy` or `half_squared_error`, and a list with the matching metric."""
    if name == "cross_entropy":
        options = {"label_sets": label_sets} if label_sets else {}
        metric = keras.metrics.MeanMetricWrapper(accuracy, name="accuracy", **options)
        return CrossEntropy(label_smoothing, class_weights, label_sets), [metric]
    return HalfSquaredError(), [keras.metrics.MeanSquaredError(name="mse")]


def balanced_weights(
    counts: NDArray[np.int64], exponent: float = 1.0, sharing: NDArray[np.int64] | None = None
) -> list[float]:
    """Weights of labels proportional to a negative power of their counts, with mean 1 over the examples.

    An exponent of 1 gives all labels the same total weight, or each of `sharing` labels a share of it. A label without
    examples has weight 0.
    """
    divided = counts if sharing is None else counts * sharing
    weights = np.where(counts > 0, np.maximum(divided, 1.0) ** -exponent, 0.0)
    return [float(weight) for weight in weights * counts.sum() / (counts @ weights)]


def _distributions(y_true: Any, y_pred: Any, label_sets: Sequence[Sequence[int]] = ()) -> tuple[Any, Any]:
    """The targets as distributions `(batch, K)`, and the sum of each; a set as 1 for each of its classes."""
    classes = y_pred.shape[-1]
    if not label_sets and len(y_true.shape) == 2 and y_true.shape[-1] == classes:
        targets = ops.cast(y_true, y_pred.dtype)
        return targets, ops.sum(targets, axis=-1)
    labels, count = ops.reshape(ops.cast(y_true, "int32"), (-1,)), classes + len(label_sets)
    valid = ops.logical_and(labels >= 0, labels < count)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        message = (
            f"expected labels from 0 to {count - 1}, found others: if the data has sets of classes as labels, use "
            "zoo.CrossEntropy(label_sets=data.label_sets)"
        )
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(valid), [message])]):
            labels = tf.identity(labels)
    # XLA drops assertions, and other backends have none.
    total = ops.where(valid, ops.ones((), y_pred.dtype), np.nan)
    if label_sets:
        allowed = ops.convert_to_tensor(allowed_classes(classes, label_sets), y_pred.dtype)
        return ops.take(allowed, labels, axis=0), total
    return ops.one_hot(labels, classes, dtype=y_pred.dtype), total
