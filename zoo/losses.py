"""Losses that Keras lacks."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


@keras.saving.register_keras_serializable(package="zoo")
class CrossEntropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy of logits `(batch, K)` and class numbers `(batch,)`, or weighted distributions `(batch, K)`.

        -sum_k t_k log softmax(logits)_k,  t = (1 - smoothing) one_hot + smoothing / K, or the distribution in its place

    A distribution that sums to w weighs as w examples.

    Label smoothing: Szegedy et al., Rethinking the inception architecture, 2015, arXiv:1512.00567.

    Args:
        smoothing: Share of the target spread over all classes, in [0, 1).
        class_weights: Factor on the loss of each class; all 1 by default.
        **options: Of `keras.losses.Loss`.

    Example:
        >>> float(CrossEntropy()(np.array([1]), np.array([[0.0, 0.0]])))
        0.6931471824645996
    """

    def __init__(self, smoothing: float = 0.0, class_weights: Sequence[float] | None = None, **options: Any) -> None:
        super().__init__(**{"name": "cross_entropy"} | options)
        self.smoothing = smoothing
        self.class_weights = None if class_weights is None else list(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        plain, total = _distributions(y_true, y_pred)
        wanted = (1 - self.smoothing) * keras.ops.sum(plain * y_pred, axis=-1)
        if self.smoothing:
            wanted += self.smoothing * total * keras.ops.mean(y_pred, axis=-1)
        losses = total * keras.ops.logsumexp(y_pred, axis=-1) - wanted
        if self.class_weights is None:
            return losses
        return losses * keras.ops.matmul(plain, keras.ops.convert_to_tensor(self.class_weights, losses.dtype))

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {**super().get_config(), "smoothing": self.smoothing, "class_weights": self.class_weights}


@keras.saving.register_keras_serializable(package="zoo")  # type: ignore[untyped-decorator]  # Keras has no types
def hits(y_true: Any, y_pred: Any) -> Any:
    """Of each example, the share of its target on the most probable class: 1 or 0 where it is a class number.

    Of classes that are equally probable each is the most probable one.

    Example:
        >>> hits(np.array([0, 1]), np.array([[0.2, 0.1], [0.2, 0.1]])).numpy().tolist()
        [1.0, 0.0]
    """
    plain, _ = _distributions(y_true, y_pred)
    # An argmax takes as long as a tenth of the training step of a small network.
    top = keras.ops.cast(y_pred >= keras.ops.max(y_pred, axis=-1, keepdims=True), y_pred.dtype)
    return keras.ops.sum(plain * top, axis=-1)


def _distributions(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets as distributions `(batch, K)`, and the sum of each."""
    if len(y_true.shape) == 2 and y_true.shape[-1] == y_pred.shape[-1]:
        plain = keras.ops.cast(y_true, y_pred.dtype)
        return plain, keras.ops.sum(plain, axis=-1)
    labels = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,))
    return keras.ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype), 1.0


def balanced(labels: NDArray[np.int64], classes: int) -> list[float]:
    """Weights that make all classes count the same, with mean 1 over the examples.

    Example:
        >>> balanced(np.array([0, 0, 0, 1]), 2)
        [0.6666666666666666, 2.0]
    """
    counts = np.bincount(labels, minlength=classes)
    return [float(len(labels) / (np.count_nonzero(counts) * count)) if count else 0.0 for count in counts]


@keras.saving.register_keras_serializable(package="zoo")
class HalfSquaredError(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Half the squared distance of each example, `1/2 sum_k (d_k - y_k)^2`, mean over the batch.

    Example:
        >>> float(HalfSquaredError()(np.array([[0.0, 0.0]]), np.array([[1.0, 2.0]])))
        2.5
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"name": "half_squared_error"} | options)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        return 0.5 * keras.ops.sum(keras.ops.square(y_true - y_pred), axis=-1)
