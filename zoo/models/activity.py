r"""What all recognizers of activity share: which windows they read, and what their answers mean.

One window is x of shape (T, C): T rows (150, three seconds at 50 Hz) of C channels; by default the axes x y z of the
acceleration in m/s^2, gravity included, with Android's sign.

    n_t = (x_t - mean) / sqrt(variance)          each channel, statistics of the training windows, if known
    n_t = [n_t, min(|x_t|^2 / g^2, 6) - 1]       with `magnitude`: of the acceleration, whatever way the phone is turned

A family turns the rows n_t into features, and the last layer into logits of K classes:

    logits = features W_y + b_y

Loss: cross-entropy of softmax(logits), mean over the batch. Calibrated probabilities are softmax(logits / temperature).
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypedDict

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.layers import Magnitude
from zoo.losses import CrossEntropy, accuracy
from zoo.metadata import AXES, CLASSES, CONVENTION, UNIT
from zoo.models.model import Model, check_sizes

INERTIAL = (*AXES, "gyro_x", "gyro_y", "gyro_z")
"""Channels of acceleration and rotation rate together."""


class Facts(TypedDict, total=False):
    """Arguments that every recognizer has; `ActivityRecognizer` says what they mean."""

    classes: int | Sequence[str]
    window: int
    rate: float
    channels: int | Sequence[str]
    magnitude: bool
    mean: Sequence[float] | None
    variance: Sequence[float] | None
    temperature: float
    carry_state: bool
    provenance: Mapping[str, Any] | None
    seed: int
    dtype: Any
    name: str | None


DEFAULTS: Facts = {
    "classes": CLASSES, "window": 150, "rate": 50.0, "channels": AXES, "magnitude": False, "mean": None,
    "variance": None, "temperature": 1.0, "carry_state": False, "provenance": None, "seed": 0, "dtype": None,
    "name": None,
}  # fmt: skip


class ActivityRecognizer(Model):
    """A recognizer of activities: maps windows `(batch, window, channels)` to logits `(batch, classes)`.

    Use one of its families, such as `ActivityGRU`; all take these arguments besides their own.

    Args:
        classes: K, labels in the order of the logits, or how many there are.
        window: T, rows a window.
        rate: Hz of the rows.
        channels: C, names of the channels, or how many there are; the first three are the acceleration.
        magnitude: Whether each row also carries the length of its acceleration.
        mean: Of each channel over the training rows; no normalization where None.
        variance: Of each channel.
        temperature: What logits are divided by before the softmax, so that probabilities are calibrated.
        carry_state: Whether the network was trained to continue from any state, so that a stream never restarts it.
        provenance: Where the weights come from, as training records it: `source`, `simulated`, `license`,
            `data_sha256`, `subjects`, `split_by`.
        seed: Of the initial weights and of dropout.
        dtype: A Keras dtype policy, such as `mixed_float16`; Keras's own by default.
        name: Of the model.

    Raises:
        ZooError: If an argument is outside its range.
    """

    unit: ClassVar[str] = UNIT
    convention: ClassVar[str] = CONVENTION
    classes: tuple[str, ...]
    window: int
    rate: float
    channels: tuple[str, ...]
    magnitude: bool
    mean: tuple[float, ...] | None
    variance: tuple[float, ...] | None
    temperature: float
    carry_state: bool
    provenance: Mapping[str, Any] | None
    frame: int = 1
    """Rows that the network reads in one step."""

    @property
    def states(self) -> dict[str, int]:
        """Names of the states that `step` carries, and how many numbers each has; empty for a network without."""
        return {}

    @classmethod
    def argument_names(cls) -> list[str]:
        """Names of the constructor's arguments."""
        return [*super().argument_names(), *DEFAULTS]

    def default_loss(self) -> keras.losses.Loss:
        """Cross-entropy of logits and class numbers."""
        return CrossEntropy()

    def default_metrics(self) -> list[keras.metrics.Metric]:
        """Accuracy."""
        return [keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")]

    def _transfer(self, other: Self) -> None:
        super()._transfer(other)
        shared = [label for label in other.classes if label in self.classes]
        mine, theirs = self.get_layer("logits"), other.get_layer("logits")
        if mine.kernel.shape[0] != theirs.kernel.shape[0]:
            return
        rows, places = ([model.classes.index(label) for label in shared] for model in (self, other))
        for old, new in ((mine.kernel, theirs.kernel), (mine.bias, theirs.bias)):
            values = np.array(keras.ops.convert_to_numpy(new))
            values[..., places] = keras.ops.convert_to_numpy(old)[..., rows]
            new.assign(values)


def checked(facts: Facts) -> dict[str, Any]:
    """All facts of a recognizer, defaults filled in, labels and channels by name.

    Raises:
        ZooError: If one is unknown or outside its range.

    Example:
        >>> checked({"classes": 2, "rate": 100})["classes"]
        ('class 0', 'class 1')
    """
    for name in facts:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, [*DEFAULTS, "num_layers"], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"unexpected keyword argument {name!r}{hint}")
    found: dict[str, Any] = {**DEFAULTS, **facts}
    classes, channels = found["classes"], found["channels"]
    if isinstance(classes, int):
        check_sizes(classes=classes)
        classes = [f"class {number}" for number in range(classes)]
    if isinstance(channels, int):
        check_sizes(channels=channels)
        channels = {3: AXES, 6: INERTIAL}.get(channels, [f"channel {number}" for number in range(channels)])
    for name, values in (("classes", classes), ("channels", channels)):
        named = isinstance(values, list | tuple) and all(isinstance(value, str) and value for value in values)
        if not named or not values or len(set(values)) < len(values):
            raise ZooError(f"{name} is {found[name]!r}; expected different names, or how many there are")
        found[name] = tuple(values)
    check_sizes(window=found["window"])
    for name in ("rate", "temperature"):
        if not 0 < found[name] < np.inf:
            raise ZooError(f"{name} is {found[name]!r}; expected a number above 0")
    if found["magnitude"] and len(channels) < 3:
        raise ZooError(f"magnitude needs the three axes of the acceleration; channels are {', '.join(channels)}")
    for name in ("mean", "variance"):
        if found[name] is not None:
            found[name] = tuple(float(value) for value in found[name])
            if len(found[name]) != len(channels):
                raise ZooError(f"{name} has {len(found[name])} numbers for {len(channels)} channels")
    return found


def reading_layers(facts: Mapping[str, Any]) -> dict[str, keras.layers.Layer]:
    """The layers before a family's own, by name: normalization, magnitude, and what joins them."""
    layers: dict[str, keras.layers.Layer] = {}
    if facts["mean"] is not None and facts["variance"] is not None:
        layers["normalization"] = keras.layers.Normalization(
            mean=list(facts["mean"]), variance=list(facts["variance"]), name="normalization"
        )
    if facts["magnitude"]:
        layers["magnitude"] = Magnitude(name="magnitude")
        layers["rows"] = keras.layers.Concatenate(name="rows")
    return layers


def read(layers: Mapping[str, keras.layers.Layer], rows: Any) -> Any:
    """Rows as a family's own layers read them, `(batch, steps, numbers)`."""
    x = layers["normalization"](rows) if "normalization" in layers else rows
    if "magnitude" in layers:
        x = layers["rows"]([x, layers["magnitude"](rows[..., : len(AXES)])])
    return layers["frame"](x) if "frame" in layers else x
