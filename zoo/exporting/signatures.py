"""Signatures of exported files, as functions of a Keras model.

Models return logits, and some read preprocessed input. Signatures add the softmax with the temperature and the prior,
and the preprocessing, so that artifacts take raw input and return results that are ready to use.

| task | signature | inputs | outputs |
|---|---|---|---|
| activity | `window` | `window (B, T, C)` m/s^2 | `probabilities (B, K)` |
| | `step` | `frame (B, F, C)`, states `(B, H)` each | `probabilities (B, K)`, the new states |
| | `chunk` | `frames (B, n F, C)`, states | `probabilities (B, n, K)` after each frame, the last states |
| | `infer`, `train`, `save`, `restore` | training on the device, see `personal` | |
| autoencoder | `encode` | `rgb (B, 3, S, S)` in [0, 1] | `code (B, H)` |
| | `decode` | `code (B, H)` | `patch (B, S * S)` preprocessed |
| | `reconstruct` | `rgb (B, 3, S, S)` | `patch (B, S * S)`, `luminance (B, S, S)` in [0, 1] |
| trigram | `next_word` | `ids (B, C)` from 0 | `probabilities (B, V)`, `top_ids (B, k)`, `top_probabilities (B, k)` |
| | `complete` | `words (B, C)` strings | `top_words (B, k)` strings, `top_probabilities (B, k)` |

A recognizer without states, such as a convolutional one, has only the signature `window`. Only SavedModels have
`complete`, which raises an error for words outside the vocabulary. k is 10, or V if that is less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Signature:
    """A named function of an artifact, from tensors in the order of `inputs` to tensors by name.

    The batch axis of an input is None for any size. TFLite has no inputs that are `text`.
    """

    name: str
    function: Callable[..., Arrays]
    inputs: tuple[tf.TensorSpec, ...]
    text: bool = False

    def __call__(self, **inputs: Any) -> Arrays:  # noqa: D102
        return self.function(*(inputs[spec.name] for spec in self.inputs))


def activity(model: Any, chunk: int) -> list[Signature]:
    """The signatures of a recognizer; states are inputs and outputs of the same name, kept by the caller."""

    def window(window: tf.Tensor) -> Arrays:
        return _probabilities(model, model(window, training=False))

    def step(frame: tf.Tensor, *states: tf.Tensor) -> Arrays:
        logits, last = model.step(frame, dict(zip(model.states, states, strict=True)))
        return {**_probabilities(model, logits), **last}

    def several(frames: tf.Tensor, *states: tf.Tensor) -> Arrays:
        logits, last = model.chunk(frames, dict(zip(model.states, states, strict=True)))
        # LiteRT's CompiledModel refuses outputs that come straight out of a loop, so an operation follows it: one that
        # changes no value, and that the converter does not remove.
        return _probabilities(model, logits) | {name: tf.maximum(value, value - 1) for name, value in last.items()}

    whole = Signature("window", window, (tf.TensorSpec(model.input_shape, tf.float32, "window"),))
    if not model.states:
        return [whole]
    frame, channels = model.frame, model.input_shape[-1]
    states = [tf.TensorSpec((None, size), tf.float32, name) for name, size in model.states.items()]
    return [
        whole,
        Signature("step", step, (tf.TensorSpec((None, frame, channels), tf.float32, "frame"), *states)),
        Signature("chunk", several, (tf.TensorSpec((None, chunk * frame, channels), tf.float32, "frames"), *states)),
    ]


def has_loop(model: Any) -> bool:
    """Whether a recurrent layer of a recognizer runs over a window in a loop of the graph, and in no `step`."""
    layers = model._flatten_layers()
    return not model.states and any(isinstance(layer, keras.layers.RNN) and not layer.unroll for layer in layers)


def _probabilities(model: Any, logits: tf.Tensor) -> Arrays:
    """Calibrated probabilities of a recognizer, with the prior that it assumes."""
    scaled = logits / model.temperature
    if model.prior is not None:
        scaled += tf.constant(model.prior_shift, scaled.dtype)
    return {"probabilities": tf.nn.softmax(scaled)}


def personal(model: Any) -> list[Signature]:
    """The signatures of a recognizer whose last layer is trained on the device.

    TFLite has no automatic differentiation, so the gradient of the cross-entropy is explicit: with p = softmax(h W + b)
    and the one-hot label t, dW = h^T (p - t) and db = p - t. `infer` applies temperature and prior, as `window` does.
    """
    features = keras.Model(model.input, model.get_layer("logits").input)
    kernel, bias = (tf.Variable(weight, name=name) for weight, name in zip(
        model.last_weights, ("kernel", "bias"), strict=True))  # fmt: skip

    def infer(window: tf.Tensor) -> Arrays:
        logits = features(window, training=False) @ kernel + bias
        return _probabilities(model, logits)

    def train(window: tf.Tensor, label: tf.Tensor, rate: tf.Tensor) -> Arrays:
        hidden = features(window, training=False)
        probabilities = tf.nn.softmax(hidden @ kernel + bias)
        target = tf.one_hot(label, bias.shape[0])
        error = probabilities - target
        kernel.assign(kernel - rate * tf.matmul(hidden, error, transpose_a=True))
        bias.assign(bias - rate * tf.reduce_sum(error, axis=0))
        return {"loss": -tf.reduce_sum(target * tf.math.log(probabilities), axis=-1)}

    def save() -> Arrays:
        return {"kernel": kernel.read_value(), "bias": bias.read_value()}

    def restore(new_kernel: tf.Tensor, new_bias: tf.Tensor) -> Arrays:
        kernel.assign(new_kernel)
        bias.assign(new_bias)
        return save()

    window = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, "window")
    label, rate = tf.TensorSpec((1,), tf.int32, "label"), tf.TensorSpec((), tf.float32, "rate")
    shapes = [tf.TensorSpec(v.shape, tf.float32, name) for v, name in ((kernel, "new_kernel"), (bias, "new_bias"))]
    return [
        Signature("infer", infer, (window,)),
        Signature("train", train, (window, label, rate)),
        Signature("save", save, ()),
        Signature("restore", restore, tuple(shapes)),
    ]


def patches(model: Any, size: int, scale: Sequence[float], luminance: Sequence[float]) -> list[Signature]:
    """The signatures of an autoencoder; `scale` has limit, low, high, and `luminance` weighs red, green and blue."""
    limit, low, high = scale

    def preprocess(rgb: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # A matrix product instead of a sum over channels, since 8-bit sum kernels of different runtimes disagree.
        pixels = tf.reshape(tf.transpose(tf.reshape(rgb, (-1, 3, size * size)), (0, 2, 1)), (-1, 3))
        gray = tf.reshape(tf.matmul(pixels, tf.constant(luminance, tf.float32, (3, 1))), (-1, size * size))
        mean = tf.reduce_mean(gray, axis=1, keepdims=True)
        return 0.1 + 0.8 * (tf.clip_by_value(gray - mean, -limit, limit) - low) / (high - low), mean

    def encode(rgb: tf.Tensor) -> Arrays:
        return {"code": model.encode(preprocess(rgb)[0])}

    def decode(code: tf.Tensor) -> Arrays:
        return {"patch": model.decode(code)}

    def reconstruct(rgb: tf.Tensor) -> Arrays:
        vectors, mean = preprocess(rgb)
        patch = model.decode(model.encode(vectors))
        gray = low + (patch - 0.1) / 0.8 * (high - low) + mean
        return {"patch": patch, "luminance": tf.reshape(gray, (-1, size, size))}

    rgb = tf.TensorSpec((None, 3, size, size), tf.float32, "rgb")
    code = tf.TensorSpec((None, model.hidden_units), tf.float32, "code")
    return [
        Signature("encode", encode, (rgb,)),
        Signature("decode", decode, (code,)),
        Signature("reconstruct", reconstruct, (rgb,)),
    ]


def text(model: keras.Model, words: Sequence[str]) -> list[Signature]:
    """The signatures of a language model."""
    top = min(10, len(words))

    def next_word(ids: tf.Tensor) -> Arrays:
        probabilities = tf.nn.softmax(model(ids, training=False))
        best = tf.math.top_k(probabilities, top)
        return {"probabilities": probabilities, "top_ids": best.indices, "top_probabilities": best.values}

    def complete(words: tf.Tensor) -> Arrays:
        same = words[..., None] == vocabulary
        known = tf.debugging.assert_equal(
            tf.reduce_any(same, axis=-1), True, "a word is not in the vocabulary: look at the model's words"
        )
        with tf.control_dependencies([known]):
            best = next_word(tf.argmax(tf.cast(same, tf.int32), axis=-1, output_type=tf.int32))
        return {"top_words": tf.gather(vocabulary, best["top_ids"]), "top_probabilities": best["top_probabilities"]}

    vocabulary = tf.constant(list(words))
    context = model.input_shape[1]
    return [
        Signature("next_word", next_word, (tf.TensorSpec((None, context), tf.int32, "ids"),)),
        Signature("complete", complete, (tf.TensorSpec((None, context), tf.string, "words"),), text=True),
    ]
