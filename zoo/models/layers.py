"""Layers and regularizers that Keras lacks: a dense layer with tied weights, a sparsity penalty on mean activations,
the squared magnitude of acceleration, and faster versions of two layers of Keras.

They work in any Keras model, on every backend, with every dtype policy, and propagate masks.
"""

from typing import Annotated, Any

import keras
from annotated_types import Gt, Lt
from keras import ops

from zoo.errors import ZooError
from zoo.recipe import Amount, Count, checked
from zoo.runtime.metadata import STANDARD_GRAVITY


@keras.saving.register_keras_serializable(package="zoo")
class TiedDense(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Dense layer that applies the same kernel in both directions, as encoder and decoder.

        forward      y = activation(x W + b)
        transposed   x = transposed_activation(y W^T + c)

    Both directions train the same kernel, and a saved model stores it once. `quantize("int8")` stores the kernel as
    8-bit integers with one scale per unit; the computation stays in floating point.

    Args:
        units: Size of the output of the forward direction, 1 or more.
        activation: Activation of the forward direction: the name of a Keras activation, or a function.
        transposed_activation: Activation of the transposed direction.
        kernel_initializer: Initializer of W, `(features, units)`.
        bias_initializer: Initializer of b, `(units,)`.
        transposed_bias_initializer: Initializer of c, `(features,)`.
        kernel_regularizer: Regularizer of W, added to the loss once.
        **options: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, ..., features)`; with `transpose=True`, `(batch, ..., units)`.
        transpose: Whether to apply the transposed direction. The first call must be in the forward direction, since it
            determines the number of features.

    Raises:
        ZooError: If `units` is not an integer of 1 or more, the transposed direction is called before the layer is
            built, or the last axis of the inputs has the wrong size.

    Example:
        >>> layer = TiedDense(2)
        >>> codes = layer(ops.ones((5, 3)))
        >>> tuple(layer(codes, transpose=True).shape)
        (5, 3)
        >>> [tuple(weight.shape) for weight in layer.weights]
        [(3, 2), (2,), (3,)]

    Source: Vincent et al., Stacked denoising autoencoders, 2010, section 2.2 (tied weights).
    """

    dtype_policy: Any

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
        self.units = checked("units", Count, units)
        self.activation = keras.activations.get(activation)
        self.transposed_activation = keras.activations.get(transposed_activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.transposed_bias_initializer = keras.initializers.get(transposed_bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:  # noqa: D102
        features = input_shape[-1]
        if self.quantization_mode is None:
            self._kernel = self.add_weight(
                name="kernel", shape=(features, self.units), initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
            )  # fmt: skip
        else:
            self.quantized_build((features, self.units), self.quantization_mode)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=self.bias_initializer)
        self.transposed_bias = self.add_weight(
            name="transposed_bias", shape=(features,), initializer=self.transposed_bias_initializer
        )

    @property
    def kernel(self) -> Any:
        """W, `(features, units)`."""
        if self.quantization_mode is None:
            return self._kernel
        return ops.cast(ops.cast(self._kernel, self._kernel_scale.dtype) / self._kernel_scale, self.compute_dtype)

    def __call__(self, inputs: Any, transpose: bool = False, **options: Any) -> Any:  # noqa: D102
        # Checked here, before Keras builds the layer from the shape of its first input.
        if transpose and not self.built:
            raise ZooError(f"{self.name}: transpose=True before the layer is built; call it forward first")
        expected = None if not self.built else self.units if transpose else self._kernel.shape[0]
        if expected not in (None, inputs.shape[-1]):
            raise ZooError(f"{self.name}: expected axis -1 to have {expected} features, got {inputs.shape[-1]}")
        return super().__call__(inputs, transpose=transpose, **options)

    def call(self, inputs: Any, transpose: bool = False) -> Any:  # noqa: D102
        if transpose:
            outputs = ops.add(ops.matmul(inputs, ops.transpose(self.kernel)), self.transposed_bias)
            return self.transposed_activation(outputs)
        return self.activation(ops.add(ops.matmul(inputs, self.kernel), self.bias))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the output shape of the forward direction. `compute_output_spec` handles both directions."""
        return (*input_shape[:-1], self.units)

    def compute_output_spec(self, inputs: Any, transpose: bool = False) -> keras.KerasTensor:  # noqa: D102
        size = self._kernel.shape[0] if transpose else self.units
        return keras.KerasTensor((*inputs.shape[:-1], size), self.compute_dtype)

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> None:
        """Quantizes the kernel to 8 bits. `keras.Model.quantize` calls this. Only the mode `int8` is supported."""
        if mode != "int8" or (type_check and type(self) is not TiedDense):
            raise NotImplementedError(f"{type(self).__name__} cannot be quantized to {mode}; TiedDense can, to int8")
        kernel, scale = keras.quantizers.abs_max_quantize(self._kernel, axis=0, to_numpy=True)
        shape = self._kernel.shape
        del self._kernel
        self.quantized_build(shape, mode)
        self._kernel.assign(kernel)
        self._kernel_scale.assign(scale[0])
        if self.quantization_mode is None:
            self.dtype_policy = keras.dtype_policies.get(f"int8_from_{self.dtype_policy.name}")

    def quantized_build(self, kernel_shape: tuple[int | None, int], mode: str) -> None:  # noqa: D102
        self._kernel = self.add_weight(
            name="kernel", shape=kernel_shape, initializer="zeros", dtype="int8", trainable=False
        )
        # Mixed precision would round the scale.
        self._kernel_scale = self.add_weight(
            name="kernel_scale", shape=kernel_shape[1:], initializer="ones", trainable=False, autocast=False
        )
        self._is_quantized = True

    _int8_call = call

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


def kl_sparsity(activations: Any, target: float, weight: float, mask: Any = None) -> Any:
    """Computes the sparsity penalty of activations h `(batch, ..., units)` in (0, 1), a scalar.

        weight * sum_j [rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j))],   r_j = mean over the batch of h_j

    It is computed in float32 or higher precision, and finite where a unit is 0 or 1 for the whole batch. Positions that
    are False in a mask `(batch, ...)` are left out of the mean.

    Source: Ng, Sparse autoencoder, CS294A lecture notes, 2011, section 3.
    """
    h = ops.cast(activations, keras.backend.result_type(activations.dtype, "float32"))
    h = ops.reshape(h, (-1, h.shape[-1]))
    if mask is None:
        mean = ops.mean(h, axis=0)
    else:
        mask = ops.reshape(ops.cast(mask, "bool"), (-1, 1))
        count = ops.sum(ops.cast(mask, h.dtype))
        mean = ops.sum(ops.where(mask, h, ops.zeros_like(h)), axis=0) / ops.maximum(count, 1)
        mean = ops.where(count > 0, mean, ops.full_like(mean, target))
    mean = ops.clip(mean, keras.config.epsilon(), 1 - keras.config.epsilon())
    return weight * ops.sum(target * ops.log(target / mean) + (1 - target) * ops.log((1 - target) / (1 - mean)))


Target = Annotated[float, Gt(0), Lt(1)]
"""Of the mean activation of a unit."""


@keras.saving.register_keras_serializable(package="zoo")
class KLSparsity(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Identity layer that adds the sparsity penalty `kl_sparsity` of its input to the loss of the model.

    Masked positions do not count.

    Args:
        target: rho, target for the mean activation of each unit, in (0, 1).
        weight: Factor of the penalty, 0 or more.
        **options: Arguments of `keras.layers.Layer`.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> layer = KLSparsity(target=0.25)
        >>> _ = layer(ops.full((32, 4), 0.25))
        >>> float(layer.losses[0])
        0.0
    """

    def __init__(self, target: float = 0.04, weight: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.target, self.weight = checked("target", Target, target), checked("weight", Amount, weight)
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any, mask: Any = None) -> Any:  # noqa: D102
        # Keras divides what an activity regularizer returns by the batch size, but not an added loss.
        self.add_loss(kl_sparsity(inputs, self.target, self.weight, mask))
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {**super().get_config(), "target": self.target, "weight": self.weight}


@keras.saving.register_keras_serializable(package="zoo")
class KLSparsityRegularizer(keras.regularizers.Regularizer):  # type: ignore[misc]  # Keras has no types
    """The sparsity penalty `kl_sparsity` as an `activity_regularizer` for any Keras layer.

    It adds the same value to the loss as `KLSparsity`, at every batch size. Keras does not pass masks to regularizers:
    use `KLSparsity` for padded inputs.

    Args:
        target: rho, target for the mean activation of each unit, in (0, 1).
        weight: Factor of the penalty, 0 or more.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> layer = keras.layers.Dense(4, "sigmoid", activity_regularizer=KLSparsityRegularizer(0.04))
        >>> _ = layer(ops.ones((32, 8)))
        >>> len(layer.losses)
        1
    """

    def __init__(self, target: float = 0.04, weight: float = 1.0) -> None:
        self.target, self.weight = checked("target", Target, target), checked("weight", Amount, weight)

    def __call__(self, x: Any) -> Any:  # noqa: D102
        penalty = kl_sparsity(x, self.target, self.weight)
        # Keras divides what a regularizer returns by the batch size (keras#22018).
        return penalty * ops.cast(ops.shape(x)[0], penalty.dtype)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {"target": self.target, "weight": self.weight}


@keras.saving.register_keras_serializable(package="zoo")
class Magnitude(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Squared magnitude of acceleration vectors: m_t = min(|x_t|^2 / g^2, 6) - 1 with g = 9.80665 m/s^2.

    It does not depend on the orientation of the phone, and is 0 at rest. It is computed without a square root and
    clipped at 2.4 g, the impact of a hard step, so that its small range suits 8-bit arithmetic on a microcontroller.
    Maps `(..., channels)` in m/s^2 to `(..., 1)`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:  # noqa: D102
        scaled = inputs * (1 / STANDARD_GRAVITY)
        # The sum is a product with ones, since the 8-bit sum kernels of different LiteRT releases disagree.
        return ops.relu6(ops.matmul(scaled * scaled, ops.ones((inputs.shape[-1], 1), inputs.dtype))) - 1.0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:  # noqa: D102
        return (*input_shape[:-1], 1)


@keras.saving.register_keras_serializable(package="zoo")
class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """`keras.layers.Dropout` that is fast in training steps compiled by XLA for a CPU.

    With the TensorFlow backend, Keras lets the device choose the random number generator. In a compiled step on a CPU,
    the default generator takes four times as long as the rest of a small recurrent network. This layer uses Philox.
    With other backends it is the same as `keras.layers.Dropout`.

    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011 (Philox).
    """

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        if not training or not 0 < self.rate < 1 or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training)
        import tensorflow as tf

        # Keras keeps seeds as int64; TensorFlow draws from int32.
        seed = tf.cast(tf.math.floormod(self.seed_generator.next(), tf.int32.max - 1), tf.int32)
        shape = [fixed or size for fixed, size in zip(self.noise_shape or inputs.shape, ops.shape(inputs), strict=True)]
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed, noise_shape=shape, rng_alg="philox")


@keras.saving.register_keras_serializable(package="zoo")
class SimpleRNN(keras.layers.SimpleRNN):  # type: ignore[misc]
    """`keras.layers.SimpleRNN` that trains faster: one matrix product of all steps computes the gradient of U.

        h_t = tanh(a_t + h_(t-1) U),   da_t = (dh_t + da_(t+1) U^T) * (1 - h_t^2),   dU = sum_t h_(t-1)^T da_t

    The gradient of Keras's loop is the same, but is added up step by step. Training with the TensorFlow backend, with
    tanh, forward in time, and without dropout and masks is computed like this; all else is left to Keras.
    """

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:  # noqa: D102
        plain = self.activation is keras.activations.tanh and not (
            self.dropout or self.recurrent_dropout or self.go_backwards or self.unroll
        )
        if not training or not plain or mask is not None or keras.backend.backend() != "tensorflow":
            return super().inner_loop(sequences, initial_state, mask, training)
        a = ops.matmul(sequences, self.cell.kernel)
        if self.use_bias:
            a = ops.add(a, self.cell.bias)
        (start,) = keras.tree.flatten(initial_state)
        recurrent_kernel = ops.cast(self.cell.recurrent_kernel, a.dtype)
        h = _recur(ops.transpose(a, (1, 0, 2)), ops.cast(start, a.dtype), recurrent_kernel)
        return h[-1], ops.transpose(h, (1, 0, 2)), [h[-1]]


def _recur(a: Any, start: Any, kernel: Any) -> Any:
    """h_t of a `SimpleRNN`, `(time, batch, units)`, from a_t of the same shape, h_0 `(batch, units)` and U."""
    import tensorflow as tf

    def run(a: Any, start: Any, kernel: Any) -> tuple[Any, Any]:
        h = tf.scan(lambda h, a_t: tf.tanh(a_t + tf.matmul(h, kernel)), a, start)

        def gradient(dh: Any) -> tuple[Any, Any, Any]:
            transposed = tf.transpose(kernel)
            da = tf.scan(
                lambda da, at_t: (at_t[0] + tf.matmul(da, transposed)) * (1 - at_t[1] ** 2),
                (dh, h), tf.zeros_like(start), reverse=True,
            )  # fmt: skip
            before = tf.concat([start[None], h[:-1]], axis=0)
            units = tf.shape(kernel)[0]
            product = tf.matmul(tf.reshape(before, (-1, units)), tf.reshape(da, (-1, units)), transpose_a=True)
            return da, tf.matmul(da[0], transposed), product

        return h, gradient

    return tf.custom_gradient(run)(a, start, kernel)
