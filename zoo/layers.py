"""Layers and regularizers that Keras lacks: a dense layer read in both directions, a sparsity of mean activations, the
length of a vector, and a dropout that is quick under XLA.

All work in any Keras model.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo.errors import ZooError
from zoo.metadata import STANDARD_GRAVITY


@keras.saving.register_keras_serializable(package="zoo")
class TiedDense(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """One kernel, read in two directions: `x W + b`, and with `transpose=True` back, `h W^T + c`.

    One layer owns the kernel, so both directions train the same numbers and a saved model holds them once.

    Args:
        units: H, what the forward direction gives, 1 or more.
        activation: Of the forward direction; the name of a Keras activation or a function.
        transposed_activation: Of the way back.
        kernel_initializer: Of W `(features, units)`.
        bias_initializer: Of b `(units,)`.
        transposed_bias_initializer: Of c `(features,)`.
        kernel_regularizer: Of W, counted once.
        **options: Of `keras.layers.Layer`.

    Raises:
        ZooError: If `units` is not a whole number of 1 or more, or the way back is called first.

    Example:
        >>> layer = TiedDense(2)
        >>> layer(layer(ops.ones((5, 3))), transpose=True).shape
        TensorShape([5, 3])
        >>> [tuple(weight.shape) for weight in layer.weights]
        [(3, 2), (2,), (3,)]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        transposed_activation: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        transposed_bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not isinstance(units, int) or units < 1:
            raise ZooError(f"units is {units!r}; expected a whole number, 1 or more")
        self.units = units
        self.activation = keras.activations.get(activation)
        self.transposed_activation = keras.activations.get(transposed_activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.transposed_bias_initializer = keras.initializers.get(transposed_bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:  # noqa: D102
        features = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(features, self.units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=self.bias_initializer)
        self.transposed_bias = self.add_weight(
            name="transposed_bias", shape=(features,), initializer=self.transposed_bias_initializer
        )

    def call(self, inputs: Any, transpose: bool = False) -> Any:  # noqa: D102
        if transpose:
            return self.transposed_activation(inputs @ ops.transpose(self.kernel) + self.transposed_bias)
        return self.activation(inputs @ self.kernel + self.bias)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "transposed_activation": keras.activations.serialize(self.transposed_activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "transposed_bias_initializer": keras.initializers.serialize(self.transposed_bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def kl_sparsity(activations: Any, target: float, weight: float) -> Any:
    """The sparsity term of a batch of activations.

        weight * sum_j [rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j))],   r_j = mean over the batch of h_j

    Ng, Sparse autoencoder, CS294A lecture notes, 2011, section 3.

    Args:
        activations: `(batch, ..., units)`, in (0, 1), as a sigmoid gives them.
        target: rho, in (0, 1).
        weight: beta, 0 or more.

    Returns:
        A scalar, free of the batch size.

    Example:
        >>> float(kl_sparsity(ops.full((7, 3), 0.25), target=0.25, weight=1.0))
        0.0
    """
    mean = ops.mean(ops.reshape(activations, (-1, activations.shape[-1])), axis=0)
    # A unit that is off or on for the whole batch in float32 would cost infinity.
    mean = ops.clip(mean, keras.config.epsilon(), 1 - keras.config.epsilon())
    return weight * ops.sum(target * ops.log(target / mean) + (1 - target) * ops.log((1 - target) / (1 - mean)))


def _check_sparsity(target: float, weight: float) -> None:
    if not 0 < target < 1:
        raise ZooError(f"sparsity target {target:g}: expected a number between 0 and 1")
    if not weight >= 0:
        raise ZooError(f"sparsity weight {weight:g}: expected 0 or more")


@keras.saving.register_keras_serializable(package="zoo")
class KLSparsity(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Passes its input on and adds `kl_sparsity` of it to the model's loss.

    Args:
        target: rho, the mean activation that each unit should have, in (0, 1).
        weight: beta, 0 or more.
        **options: Of `keras.layers.Layer`.

    Raises:
        ZooError: If an argument is outside its range.

    Example:
        >>> layer = KLSparsity(target=0.25)
        >>> _ = layer(ops.full((32, 4), 0.25))
        >>> float(layer.losses[0])
        0.0
    """

    def __init__(self, target: float = 0.04, weight: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        _check_sparsity(target, weight)
        self.target, self.weight = target, weight

    def call(self, inputs: Any) -> Any:  # noqa: D102
        # Keras divides what an activity regularizer gives by the batch size, but not this.
        self.add_loss(kl_sparsity(inputs, self.target, self.weight))
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {**super().get_config(), "target": self.target, "weight": self.weight}


@keras.saving.register_keras_serializable(package="zoo")
class KLSparsityRegularizer(keras.regularizers.Regularizer):  # type: ignore[misc]  # Keras has no types
    """`kl_sparsity` as the `activity_regularizer` of any Keras layer.

    Keras divides what an activity regularizer gives by the batch size. This term is on a mean and must not be, so it
    multiplies by the batch size first: what reaches the loss is the number that `KLSparsity` adds.

    Args:
        target: rho, in (0, 1).
        weight: beta, 0 or more.

    Raises:
        ZooError: If an argument is outside its range.

    Example:
        >>> layer = keras.layers.Dense(4, "sigmoid", activity_regularizer=KLSparsityRegularizer(0.04))
    """

    def __init__(self, target: float = 0.04, weight: float = 1.0) -> None:
        _check_sparsity(target, weight)
        self.target, self.weight = target, weight

    def __call__(self, x: Any) -> Any:  # noqa: D102
        term = kl_sparsity(x, self.target, self.weight)
        return term * ops.cast(ops.shape(x)[0], term.dtype)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {"target": self.target, "weight": self.weight}


@keras.saving.register_keras_serializable(package="zoo")
class Magnitude(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """How long each row's vector is: m_t = min(|x_t|^2 / g^2, 6) - 1 with g = 9.80665 m/s^2.

    It is the same however a phone is turned, and 0 where a phone is at rest. The square needs no root, and its bound
    (2.4 g, a hard step) keeps its range small: both let it be computed in 8-bit arithmetic on a microcontroller. Maps
    `(..., channels)` in m/s^2 to `(..., 1)`.

    Example:
        >>> twice = Magnitude()(ops.convert_to_tensor([[0.0, 2 * STANDARD_GRAVITY, 0.0]]))
        >>> round(float(twice[0, 0]), 5)
        3.0
    """

    def call(self, inputs: Any) -> Any:  # noqa: D102
        scaled = inputs * (1 / STANDARD_GRAVITY)
        # A sum as a product with ones: the 8-bit kernels for sums of the LiteRT releases do not agree with each other.
        return ops.relu6(ops.matmul(scaled * scaled, ops.ones((inputs.shape[-1], 1), inputs.dtype))) - 1.0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:  # noqa: D102
        return (*input_shape[:-1], 1)


@keras.saving.register_keras_serializable(package="zoo")
class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Keras's dropout, with random numbers by an algorithm that is named.

    Keras leaves the choice to TensorFlow, and what that comes to in a step that XLA compiles takes a CPU four times as
    long as all the rest of a recurrent network.

    Example:
        >>> kept = Dropout(0.5, seed=0)(ops.ones((1, 1000)), training=True)
        >>> sorted(set(kept.numpy().ravel().tolist()))
        [0.0, 2.0]
    """

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        if not training or not self.rate:
            return inputs
        # Keras keeps seeds as int64; TensorFlow draws from int32.
        seed = tf.cast(tf.math.floormod(self.seed_generator.next(), tf.int32.max - 1), tf.int32)
        shape = [fixed or size for fixed, size in zip(self.noise_shape or inputs.shape, ops.shape(inputs), strict=True)]
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed, noise_shape=shape, rng_alg="philox")
