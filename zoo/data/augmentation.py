"""Augmentation of accelerometer windows: what another pocket, phone or person would have recorded.

Acts on training batches only, in TensorFlow operations, in the order of the fields: the pace of the person, then the
pose of the phone, then its sensor. Turning a phone at random would make sitting and standing the same, since they
differ by the direction of gravity alone; so the poses are those that a pocket allows.
"""

from dataclasses import dataclass, fields

import numpy as np
import tensorflow as tf

from zoo.errors import ZooError
from zoo.metadata import STANDARD_GRAVITY


@dataclass(frozen=True)
class Augmentation:
    """How much of each disturbance; 0 leaves it out.

    Args:
        pace: Largest relative change of speed, in [0, 1): cadence divided or multiplied by up to 1 + pace. A window
            can be read faster only as far as it is longer than what the model wants.
        smooth: Probability of a low-pass, as of a sensor with a lower rate.
        mirror: Probability that x changes its sign: the pocket of the other leg.
        half_turn: Probability of a turn by 180 degrees about x, y or z: upside down, screen outside, or both.
        spin: Largest angle in degrees about the phone's long axis y.
        tilt: Largest angle in degrees about an axis drawn at random.
        scale: Largest relative error of the sensor's gain.
        intensity: Largest change, as a natural logarithm, of the part that is not the window's mean.
        clip: Probability that the sensor ends at 2 g.
        noise: Largest standard deviation of added noise, m/s^2; each window draws its own.
        carry: Probability that another window of the batch comes before a window, else the window itself does, so that
            the network learns to go on from any state; 0: nothing comes before, the state begins at zero.

    Raises:
        ZooError: If a number is negative, or a probability is above 1.
    """

    pace: float = 0.0
    smooth: float = 0.0
    mirror: float = 0.0
    half_turn: float = 0.0
    spin: float = 0.0
    tilt: float = 0.0
    scale: float = 0.0
    intensity: float = 0.0
    clip: float = 0.0
    noise: float = 0.0
    carry: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            highest = np.inf if field.name in ("spin", "tilt", "intensity", "noise") else 1.0
            if not (0 <= value <= highest and value < np.inf):
                raise ZooError(f"augmentation: {field.name} is {value!r}; expected a number from 0 to {highest:g}")

    def __call__(self, windows: tf.Tensor, seed: tf.Tensor, rows: int | None = None) -> tf.Tensor:
        """Disturbs a batch.

        Args:
            windows: `(batch, window, 3)` float32.
            seed: `(2,)` int64: the same seed gives the same batch.
            rows: What the model reads, at most `window`; longer windows are cut at a random place.

        Returns:
            `(batch, rows, 3)` float32; twice the rows with `carry`.

        Example:
            >>> batch = tf.ones((4, 180, 3))
            >>> Augmentation(half_turn=1.0)(batch, tf.constant([0, 0], tf.int64), rows=150).shape
            TensorShape([4, 150, 3])
        """
        batch, rows = tf.shape(windows)[0], rows or windows.shape[1]
        draw = _Draws(seed)
        if self.pace or rows < windows.shape[1]:
            change = draw.uniform((batch,), -np.log1p(self.pace), np.log1p(self.pace))
            windows = _cut(windows, rows, tf.exp(change), draw.uniform((batch,), 0, 1))
        if self.smooth:
            weight = draw.uniform((batch,), 0.05, 0.25) * draw.chance((batch,), self.smooth)
            windows = _low_pass(_low_pass(windows, weight), weight)
        signs = tf.ones((batch, 3))
        if self.mirror:
            signs *= 1 - 2 * draw.chance((batch, 1), self.mirror) * tf.constant([1.0, 0.0, 0.0])
        if self.half_turn:
            turned = tf.cast(draw.chance((batch,), self.half_turn), tf.int32)
            # The four ways: as it is, or half a turn about x, y or z.
            ways = tf.constant([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], tf.float32)
            signs *= tf.gather(ways, turned * draw.integers((batch,), 1, 4))
        turn = tf.linalg.diag(signs)
        if self.spin:
            angle = draw.uniform((batch,), -self.spin, self.spin)
            turn = _rotation(tf.tile([[0.0, 1.0, 0.0]], (batch, 1)), angle) @ turn
        if self.tilt:
            axis = tf.math.l2_normalize(draw.normal((batch, 3)), axis=1)
            turn = _rotation(axis, draw.uniform((batch,), 0, self.tilt)) @ turn
        if self.scale:
            turn *= draw.uniform((batch, 1, 1), 1 - self.scale, 1 + self.scale)
        windows = tf.matmul(windows, turn, transpose_b=True)
        if self.intensity:
            mean = tf.reduce_mean(windows, axis=1, keepdims=True)
            factor = tf.exp(draw.uniform((batch, 1, 1), -self.intensity, self.intensity))
            windows = mean + factor * (windows - mean)
        if self.clip:
            limit = tf.where(draw.chance((batch, 1, 1), self.clip) > 0, 2 * STANDARD_GRAVITY, np.inf)
            windows = tf.clip_by_value(windows, -limit, limit)
        if self.noise:
            windows += draw.uniform((batch, 1, 1), 0, self.noise) * draw.normal((batch, rows, 3))
        windows = tf.ensure_shape(windows, (None, rows, 3))
        if self.carry:
            another = draw.chance((batch, 1, 1), self.carry)
            before = another * tf.roll(windows, 1, axis=0) + (1 - another) * windows
            windows = tf.concat([before, windows], axis=1)
        return windows


class _Draws:
    """Random numbers that are a function of one seed and of how many were drawn before."""

    def __init__(self, seed: tf.Tensor) -> None:
        self.seed, self.count = seed, 0

    def _next(self) -> tf.Tensor:
        self.count += 1
        return tf.random.experimental.stateless_fold_in(self.seed, self.count)

    def uniform(self, shape: tuple[tf.Tensor | int, ...], low: float, high: float) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, self._next(), low, high)

    def chance(self, shape: tuple[tf.Tensor | int, ...], probability: float) -> tf.Tensor:
        """1.0 with a probability, else 0.0."""
        return tf.cast(self.uniform(shape, 0, 1) < probability, tf.float32)

    def integers(self, shape: tuple[tf.Tensor | int, ...], low: int, high: int) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, self._next(), low, high, tf.int32)

    def normal(self, shape: tuple[tf.Tensor | int, ...]) -> tf.Tensor:
        return tf.random.stateless_normal(shape, self._next())


def _cut(windows: tf.Tensor, rows: int, speed: tf.Tensor, moment: tf.Tensor) -> tf.Tensor:
    """Reads `rows` rows at `speed` rows a row, linearly interpolated; `moment` in [0, 1] places them in the window."""
    length = windows.shape[1]
    speed = tf.minimum(speed, (length - 1) / (rows - 1))
    room = (length - 1) - speed * (rows - 1)
    at = (moment * room)[:, None] + speed[:, None] * tf.range(rows, dtype=tf.float32)
    left = tf.clip_by_value(tf.cast(at, tf.int32), 0, length - 2)
    share = (at - tf.cast(left, tf.float32))[:, :, None]
    return (1 - share) * tf.gather(windows, left, batch_dims=1) + share * tf.gather(windows, left + 1, batch_dims=1)


def _low_pass(windows: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """The filter (w, 1 - 2 w, w) along the rows; both ends repeat."""
    padded = tf.concat([windows[:, :1], windows, windows[:, -1:]], axis=1)
    return windows + weight[:, None, None] * (padded[:, :-2] + padded[:, 2:] - 2 * windows)


def _rotation(axis: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Rodrigues' rotation matrices `(batch, 3, 3)`: I + sin(a) K + (1 - cos(a)) K^2."""
    angle = (degrees * np.float32(np.pi / 180))[:, None, None]
    x, y, z = tf.unstack(axis, axis=1)
    zero = tf.zeros_like(x)
    cross = tf.reshape(tf.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1), (-1, 3, 3))
    return tf.eye(3) + tf.sin(angle) * cross + (1 - tf.cos(angle)) * (cross @ cross)
