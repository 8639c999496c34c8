r"""Activity recognizers: the input, the output and the arguments that all of them share.

A window x has shape (T, C): T rows (150, three seconds at 50 Hz) of C channels. By default the channels are the axes
x y z of the acceleration in m/s^2, gravity included, with Android's sign convention.

    n_t = (x_t - mean) / sqrt(variance)          per channel, with the statistics of the training windows, if known
    n_t = [n_t, min(|x_t|^2 / g^2, 6) - 1]       with `magnitude`: does not depend on the orientation of the phone

A family computes features from the rows n_t; the last layer computes the logits of K classes:

    logits = features W_y + b_y

Loss: cross-entropy of softmax(logits), mean over the batch. Calibrated probabilities are softmax(logits / temperature);
with `prior`, softmax(logits / temperature + log(prior) - log(frequencies in training)).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import keras
import numpy as np
from annotated_types import Ge, Le
from keras import ops
from numpy.typing import NDArray

from zoo.errors import ZooError, shown
from zoo.models.layers import Magnitude
from zoo.models.model import Model, Numbers, PositiveNumbers, names_of
from zoo.recipe import Fraction, Positive, Seed, python_number
from zoo.runtime.labels import complete_prior, prior_shift
from zoo.runtime.metadata import AXES, CLASSES, CONVENTION, INERTIAL, UNIT, other_of, plain

_OF_CLASSES = ("prior", "threshold")

Window = Annotated[int, Ge(2), Le(100_000)]
Rate = Annotated[float, Ge(0.1), Le(100_000)]

UNKNOWN_PRIOR = (
    "the class frequencies of its training data are not known, so they cannot be changed: train it again, or state "
    "them as class_frequencies in its provenance"
)
"""Message for a prior of a model that does not state which one it assumes."""


class ActivityRecognizer(Model):
    """Activity recognizer: maps windows `(batch, window, channels)` to logits `(batch, classes)`.

    This is the base class of all recognizers. Use a subclass such as `ActivityGRU`; each takes these arguments in
    addition to its own, by name.

    Args:
        network: Function from the rows n_t `(batch, steps, features)` and the number of classes to the logits. It is
            called when all other arguments have been checked.
        classes: K, labels in the order of the logits, or their number.
        window: T, number of rows per window.
        rate: Sampling rate of the rows in Hz.
        channels: C, names of the channels, or their number. The first three are the acceleration; of six, the
            other three are the rotation rate in rad/s.
        magnitude: Whether to add the squared magnitude of the acceleration to each row as a further input.
        mean: Mean of each channel over the training rows. None for no normalization.
        variance: Variance of each channel over the training rows, above 0. None for no normalization.
        temperature: Divisor of the logits before the softmax, which calibrates the probabilities.
        prior: Class frequencies that the probabilities assume, by label. Classes that are not named share the rest in
            the proportion of the training data. None for the frequencies of the training data.
        threshold: Probability below which the answer is "not sure", in [0, 1). None if none was calibrated.
        carry_state: Whether the network was trained from arbitrary initial states, so that its states need no resets in
            a continuous signal.
        provenance: Origin of the weights, as recorded in training: `source`, `simulated`, `license`, `data_sha256`,
            `subjects`, `split_by`, `class_frequencies`, `still` (the labels without movement), `other`
            (whether the last class stands for all other movements), `parents` (earlier trainings of the weights),
            `weights_sha256` (of the weights that it describes: if they are others by now, their training is not known).
        seed: Random seed of the initial weights and of dropout.
        dtype: Keras dtype policy, such as `mixed_float16`. The global policy of Keras by default.
        name: Name of the model.

    Raises:
        ZooError: If an argument is out of range.
    """

    unit: ClassVar[str] = UNIT
    convention: ClassVar[str] = CONVENTION
    loss_name: ClassVar[str] = "cross_entropy"
    frame: int = 1
    """Number of rows that the network reads in one step."""

    def __init__(
        self,
        network: Callable[[Any, int], Any],
        *,
        classes: int | Sequence[str] = CLASSES,
        window: Window = 150,
        rate: Rate = 50.0,
        channels: int | Sequence[str] = AXES,
        magnitude: bool = False,
        mean: Numbers | None = None,
        variance: PositiveNumbers | None = None,
        temperature: Positive = 1.0,
        prior: Mapping[str, float] | None = None,
        threshold: Fraction | None = None,
        carry_state: bool = False,
        provenance: Mapping[str, Any] | None = None,
        seed: Seed = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        window, rate, magnitude, mean, variance, temperature = ActivityRecognizer.checked(
            window=window, rate=rate, magnitude=magnitude, mean=mean, variance=variance, temperature=temperature
        )
        threshold, carry_state, provenance, seed, dtype, name = ActivityRecognizer.checked(
            threshold=threshold, carry_state=carry_state, provenance=provenance, seed=seed, dtype=dtype, name=name
        )
        labels, channels = names_of("classes", classes, "class {}"), python_number(channels)
        axes = {3: AXES, 6: INERTIAL}.get(channels, ()) if isinstance(channels, int) else tuple(channels)
        if axes not in (AXES, INERTIAL):
            raise ZooError(f"channels is {shown(channels)}; expected 3 or 6: {', '.join(INERTIAL)}")
        if (mean is None) != (variance is None):
            raise ZooError(f"mean is {mean}, variance {variance}; expected both, or neither")
        for argument, numbers in (("mean", mean), ("variance", variance)):
            if numbers is not None and len(numbers) != len(axes):
                raise ZooError(f"{argument} has {len(numbers)} numbers for {len(axes)} channels")

        # By name, as `step` finds them again: it reads single frames with the same layers.
        layers: dict[str, keras.layers.Layer] = {}
        if mean is not None and variance is not None:
            layers["normalization"] = keras.layers.Normalization(
                mean=list(mean), variance=list(variance), dtype=dtype, name="normalization"
            )
        if magnitude:
            layers["magnitude"] = Magnitude(dtype=dtype, name="magnitude")
            layers["rows"] = keras.layers.Concatenate(dtype=dtype, name="rows")
        inputs = keras.Input((window, len(axes)), name="window")
        logits = network(read(layers, inputs), len(labels))
        super().__init__(inputs, logits, provenance=provenance, seed=seed, dtype=dtype, name=name)

        self.classes, self.window, self.rate, self.channels = labels, window, rate, axes
        self.magnitude, self.mean, self.variance = magnitude, mean, variance
        self.temperature, self.threshold, self.carry_state = temperature, threshold, carry_state
        if prior is not None and not self.train_prior:
            raise ZooError(f"{name or 'the model'}: {UNKNOWN_PRIOR}")
        self.prior = None if prior is None else complete_prior(prior, labels, self.train_prior)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, without a prior or a threshold that is None, as in older files."""
        config = {
            "classes": self.classes, "window": self.window, "rate": self.rate, "channels": self.channels,
            "magnitude": self.magnitude, "mean": self.mean, "variance": self.variance, "temperature": self.temperature,
            "prior": self.prior, "threshold": self.threshold, "carry_state": self.carry_state,
        }  # fmt: skip
        config = {name: value for name, value in config.items() if value is not None or name not in _OF_CLASSES}
        return {**plain(config), **super().get_config()}

    @property
    def states(self) -> dict[str, int]:
        """Names and sizes of the recurrent states of `step`. Empty if the network is not recurrent."""
        return {}

    def copy(self, **changes: Any) -> Self:
        """Returns a copy of the model with some arguments changed.

        A prior and a threshold apply only to the classes they were made for: a copy with other classes has neither.
        """
        return super().copy(**(dict.fromkeys(_OF_CLASSES) if "classes" in changes else {}) | changes)

    @property
    def last_weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The kernel `(F, K)` and the bias `(K,)` of the last layer, zeros if it has none."""
        kernel, *bias = self.get_layer("logits").get_weights()
        return kernel, bias[0] if bias else np.zeros(len(self.classes), np.float32)

    @property
    def other_class(self) -> int | None:
        """The number of the class that stands for all other movements, the last one. None if there is none."""
        known = self.provenance or {}
        return other_of(self.classes, known.get("other")) if {"other", "data_sha256"} & set(known) else None

    @property
    def train_prior(self) -> dict[str, float]:
        """Class frequencies that training recorded, by label, in the order of the classes. Empty if unknown."""
        shares = (self.provenance or {}).get("class_frequencies") or {}
        return {label: float(shares[label]) for label in self.classes} if set(shares) == set(self.classes) else {}

    @property
    def prior_shift(self) -> NDArray[np.float64]:
        """What the prior adds to the logits after their division by the temperature, `(classes,)`."""
        if self.prior is None:
            return np.zeros(len(self.classes))
        return prior_shift([*self.prior.values()], [self.train_prior[label] for label in self.prior])

    def _transfer(self, other: Self) -> None:
        mine, theirs = self.get_layer("logits"), other.get_layer("logits")
        initial = theirs.get_weights()
        super()._transfer(other)
        if self.classes == other.classes or mine.kernel.shape[0] != theirs.kernel.shape[0]:
            return
        # As many labels in another order, or with new ones, have been copied by their places.
        theirs.set_weights(initial)
        shared = [label for label in other.classes if label in self.classes]
        rows, places = ([model.classes.index(label) for label in shared] for model in (self, other))
        for old, new in zip(mine.weights, theirs.weights, strict=True):
            values = np.array(keras.ops.convert_to_numpy(new))
            values[..., places] = keras.ops.convert_to_numpy(old)[..., rows]
            new.assign(values)


class SteppedRecognizer(ActivityRecognizer):
    """Activity recognizer that also runs step by step, if it has `states`: a frame in, logits and new states out.

    A subclass says which `states` it has, and `_advance`s them by a frame.
    """

    def step(self, frame: Any, states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Runs one step.

        Args:
            frame: Rows `(batch, frame, channels)` in m/s^2.
            states: Arrays `(batch, units)` by name, as in the property `states`. Start with zeros.

        Returns:
            Logits `(batch, classes)` and the new states.

        Example:
            >>> from zoo import ActivityGRU
            >>> model = ActivityGRU(units=8, frame=5)
            >>> logits, states = model.step(np.ones((1, 5, 3), "float32"), {"h_1": np.zeros((1, 8), "float32")})
            >>> logits.shape, states["h_1"].shape
            (TensorShape([1, 6]), TensorShape([1, 8]))
        """
        self._check_rows("frame", frame, self.frame, states)
        layers = {layer.name: layer for layer in self.layers}
        features = layers.pop("frame", None)
        x = read(layers, frame)
        if features is None:
            return self._advance(x[:, 0], states)
        # A convolution that moves by whole frames is a matrix product, which makes a smaller file.
        rows = ops.cast(ops.reshape(x, (ops.shape(x)[0], -1)), features.compute_dtype)
        kernel = ops.cast(ops.reshape(features.kernel, (-1, features.filters)), features.compute_dtype)
        x = ops.add(ops.matmul(rows, kernel), ops.cast(features.bias, features.compute_dtype))
        return self._advance(features.activation(x), states)

    def chunk(self, frames: Any, states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Runs several steps in one call.

        Args:
            frames: Rows `(batch, n * frame, channels)` in m/s^2.
            states: The same as for `step`.

        Returns:
            Logits `(batch, n, classes)` after each frame, and the states after the last one.
        """
        self._check_rows("frames", frames, None, states)
        rows = read({layer.name: layer for layer in self.layers}, frames)
        loop = keras.layers.RNN(_Step(self), return_sequences=True, return_state=True)
        logits, *last = loop(rows, initial_state=[states[name] for name in self.states], training=False)
        return logits, dict(zip(self.states, last, strict=True))

    def _check_rows(self, name: str, rows: Any, count: int | None, states: Mapping[str, Any]) -> None:
        """Refuses rows and states of other shapes, of which TensorFlow would speak in words of its own."""
        axes, shape = len(self.channels), getattr(rows, "shape", None)
        length = shape[1] if shape is not None and len(shape) == 3 and shape[2] == axes else 0
        # An exported signature may leave the number of frames open.
        if length is not None and (length < 1 or length % self.frame or length != (count or length)):
            raise ZooError(f"{name} has shape {shape}; expected (batch, {count or f'n * {self.frame}'}, {axes})")
        for state, size in self.states.items():
            shape = getattr(states.get(state), "shape", None)
            if shape is None or tuple(shape)[1:] != (size,):
                raise ZooError(f"state {state} has shape {shape}; expected (batch, {size}), at first zeros")

    def _advance(self, x: Any, states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The logits and the new states after one more frame, of which the network reads `x` `(batch, features)`."""
        raise NotImplementedError


class _Step(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """All cells and the last layer of a recognizer as one cell, so that a chunk needs only one loop."""

    def __init__(self, model: SteppedRecognizer) -> None:
        super().__init__()
        # Not the model itself: Keras would track it as a sublayer and give each weight a second name.
        self._advance = model._advance
        self._names, self.state_size = list(model.states), list(model.states.values())
        self.output_size = model.output_shape[-1]

    def call(self, x: Any, states: Sequence[Any], training: bool = False) -> tuple[Any, list[Any]]:
        logits, last = self._advance(x, dict(zip(self._names, states, strict=True)))
        return logits, list(last.values())


def read(layers: Mapping[str, keras.layers.Layer], rows: Any) -> Any:
    """The output of the input layers for rows, `(batch, steps, features)`."""
    x = layers["normalization"](rows) if "normalization" in layers else rows
    if "magnitude" in layers:
        # A slice of all channels would stay in exported files.
        acceleration = rows if rows.shape[-1] == len(AXES) else rows[..., : len(AXES)]
        x = layers["rows"]([x, layers["magnitude"](acceleration)])
    return layers["frame"](x) if "frame" in layers else x
