"""Augmentation and disturbances: changes of windows that do not alter their label, for training and for evaluation.

`Augmentation` shows what another pocket, phone or person would have recorded: first the pace of the person changes,
then the pose of the phone, then its sensors. Turning a phone at random would make sitting and standing the same, since
they differ by the direction of gravity alone; so the poses are those that a pocket allows. It acts on training batches
only, in TensorFlow operations.

A `Disturbance` is what may happen to a phone that a recognizer has to bear. A phone turns as a whole, with all its
sensors; noise and errors of scale are those of the accelerometer.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from zoo.errors import ZooError
from zoo.recipe import Amount, Settings, Share
from zoo.runtime.metadata import STANDARD_GRAVITY

Floats = NDArray[np.floating[Any]]


class Augmentation(Settings):
    """Random changes of windows of acceleration, with or without rotation rate; 0 leaves a change out."""

    label = "augmentation"

    pace: Share = 0.0
    """Largest relative change of speed, in [0, 1]: cadence is divided or multiplied by up to 1 + pace. Speeding a
    window up needs more rows than the model reads, so it is limited by how much longer the window is."""
    smooth: Share = 0.0
    """Probability of a low-pass filter, as of a sensor with a lower rate."""
    mirror: Share = 0.0
    """Probability that left and right are exchanged: the pocket of the other leg."""
    half_turn: Share = 0.0
    """Probability of a turn by 180 degrees about x, y or z: upside down, screen facing out, or both."""
    quarter_turn: Share = 0.0
    """Probability of a turn by 90 degrees about z, after `spin`: the phone lies across the pocket."""
    spin: Amount = 0.0
    """Largest angle in degrees about the phone's long axis y."""
    keep_pose: Share = 0.0
    """Probability that a window keeps the pose in which it was recorded: only `tilt` changes it. Where all phones are
    worn alike, the pose helps to recognize the activities of new people."""
    tilt: Amount = 0.0
    """Largest angle in degrees about a random axis."""
    scale: Share = 0.0
    """Largest relative error of a sensor's gain."""
    intensity: Amount = 0.0
    """Largest change, as a natural logarithm, of how vigorously somebody moves: deviations from the mean of the window
    are multiplied by up to exp(intensity) or divided by it."""
    clip: Share = 0.0
    """Probability that the accelerometer's range ends at 2 g."""
    noise: Amount = 0.0
    """Largest standard deviation of noise added to acceleration, m/s^2; each window draws its own."""
    gyroscope_noise: Amount = 0.0
    """The same for noise added to the rotation rate, rad/s."""
    shaken: Share = 0.0
    """Simulated windows of a phone that is shaken by hand, as a share of the training windows. They are examples of the
    label `other`, and left out for a model that does not have it as its last label."""
    carry: Share = 0.0
    """Probability that a window is preceded by another window of the batch; otherwise it is preceded by a copy of
    itself. The network thus learns to continue from any state. With 0, nothing precedes a window, and the state begins
    at zero."""

    def __call__(self, windows: tf.Tensor, seed: tf.Tensor, rows: int | None = None) -> tf.Tensor:
        """Changes a batch `(batch, window, 3 or 6)`; returns windows of `rows` rows, of twice as many with `carry`.
        The same `seed`, `(2,)` int64, returns the same batch. Longer windows are cut at a random place.
        """
        batch, rows, axes = tf.shape(windows)[0], rows or windows.shape[1], windows.shape[2]
        if axes not in (3, 6):
            raise ZooError(f"augmentation: windows have {axes} axes; expected acceleration, or rotation rate as well")
        draw = _Draws(seed)
        if self.pace or rows < windows.shape[1]:
            change = draw.uniform((batch,), -np.log1p(self.pace), np.log1p(self.pace))
            windows = _cut(windows, rows, tf.exp(change), draw.uniform((batch,), 0, 1))
        if self.smooth:
            weight = draw.uniform((batch,), 0.05, 0.25) * draw.chance((batch,), self.smooth)
            windows = _low_pass(_low_pass(windows, weight), weight)
        pose = self._pose(draw, batch)
        # A reflection turns an axis of rotation as it turns a vector, and reverses the sense of the rotation.
        poses = [pose, tf.sign(tf.linalg.det(pose))[:, None, None] * pose] if axes == 6 else [pose]
        if self.scale:
            poses = [pose * draw.uniform((batch, 1, 1), 1 - self.scale, 1 + self.scale) for pose in poses]
        sensors = [
            tf.matmul(part, pose, transpose_b=True)
            for part, pose in zip(tf.split(windows, axes // 3, axis=2), poses, strict=True)
        ]
        if self.intensity:
            factor = tf.exp(draw.uniform((batch, 1, 1), -self.intensity, self.intensity))
            means = [tf.reduce_mean(part, axis=1, keepdims=True) for part in sensors]
            sensors = [mean + factor * (part - mean) for mean, part in zip(means, sensors, strict=True)]
        if self.clip:
            limit = tf.where(draw.chance((batch, 1, 1), self.clip) > 0, 2 * STANDARD_GRAVITY, np.inf)
            sensors[0] = tf.clip_by_value(sensors[0], -limit, limit)
        for number, noise in enumerate((self.noise, self.gyroscope_noise)[: axes // 3]):
            if noise:
                sensors[number] += draw.uniform((batch, 1, 1), 0, noise) * draw.normal((batch, rows, 3))
        windows = tf.ensure_shape(tf.concat(sensors, axis=2), (None, rows, axes))
        if self.carry:
            another = draw.chance((batch, 1, 1), self.carry)
            before = another * tf.roll(windows, 1, axis=0) + (1 - another) * windows
            windows = tf.concat([before, windows], axis=1)
        return windows

    def _pose(self, draw: "_Draws", batch: tf.Tensor) -> tf.Tensor:
        """A rotation matrix for each window, mirrored for some."""
        signs = tf.ones((batch, 3))
        if self.mirror:
            signs *= 1 - 2 * draw.chance((batch, 1), self.mirror) * tf.constant([1.0, 0.0, 0.0])
        if self.half_turn:
            turned = tf.cast(draw.chance((batch,), self.half_turn), tf.int32)
            # The four ways: as it is, or half a turn about x, y or z.
            ways = tf.constant([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], tf.float32)
            signs *= tf.gather(ways, turned * draw.integers((batch,), 1, 4))
        pose = tf.linalg.diag(signs)
        if self.spin:
            angle = draw.uniform((batch,), -self.spin, self.spin)
            pose = _rotation(tf.tile([[0.0, 1.0, 0.0]], (batch, 1)), angle) @ pose
        if self.quarter_turn:
            turned = draw.chance((batch,), self.quarter_turn)
            pose = _rotation(tf.tile([[0.0, 0.0, 1.0]], (batch, 1)), 90 * turned) @ pose
        if self.keep_pose:
            kept = draw.chance((batch, 1, 1), self.keep_pose)
            pose = kept * tf.eye(3) + (1 - kept) * pose
        if self.tilt:
            axis = tf.math.l2_normalize(draw.normal((batch, 3)), axis=1)
            pose = _rotation(axis, draw.uniform((batch,), 0, self.tilt)) @ pose
        return pose


class _Draws:
    """Random numbers that depend on a seed and on the number of earlier draws alone."""

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
    """Reads `rows` rows, `speed` rows apart, linearly interpolated; `moment` in [0, 1] places them in the window."""
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


class Disturbance(NamedTuple):
    """Something that happens to a phone: its key, what it means, and what the phone would have recorded."""

    name: str
    meaning: str
    apply: Callable[[Floats, float, np.random.Generator], Floats]
    """`(windows, rate, random) -> windows`, in the same shape."""


def _turned(axis: str, windows: Floats, _rate: float, _random: np.random.Generator) -> Floats:
    signs = np.array([1.0 if name == axis else -1.0 for name in "xyz"], np.float32)
    return windows * np.tile(signs, windows.shape[2] // 3)


def _tilted(windows: Floats, _rate: float, random: np.random.Generator) -> Floats:
    axes = random.standard_normal((len(windows), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    turns = Rotation.from_rotvec(np.radians(20) * axes).as_matrix()
    sensors = np.split(windows, windows.shape[2] // 3, axis=2)
    return np.concatenate([np.einsum("ntc,ndc->ntd", sensor, turns) for sensor in sensors], axis=2)


def _sampled_at(hz: float, windows: Floats, rate: float, _random: np.random.Generator) -> Floats:
    time = np.arange(windows.shape[1]) / rate
    if hz > rate:
        # Nobody resamples: the model gets as many rows of a shorter time.
        return _interpolate(np.arange(len(time)) / hz, time, windows)
    coarse = np.arange(0, time[-1] + 1 / hz, 1 / hz)
    return _interpolate(time, coarse, _interpolate(coarse, time, windows))


def _interpolate(to: Floats, at: Floats, windows: Floats) -> Floats:
    """Rows at the times `to` from rows at the times `at`, linearly; constant beyond the ends."""
    right = np.clip(np.searchsorted(at, to), 1, len(at) - 1)
    share = np.clip((to - at[right - 1]) / (at[right] - at[right - 1]), 0, 1)[:, None]
    return windows[:, right - 1] * (1 - share) + windows[:, right] * share


def _lost(windows: Floats, _rate: float, random: np.random.Generator) -> Floats:
    kept = random.random(windows.shape[:2]) >= 0.1
    kept[:, 0] = True
    last = np.maximum.accumulate(np.where(kept, np.arange(windows.shape[1]), 0), axis=1)
    return np.take_along_axis(windows, last[:, :, None], axis=1)


def _noisy(windows: Floats, _rate: float, random: np.random.Generator) -> Floats:
    acceleration, others = windows[..., :3], windows[..., 3:]
    return np.concatenate([acceleration + 0.5 * random.standard_normal(acceleration.shape), others], axis=2)


def _scaled(factor: float, windows: Floats, _rate: float, _random: np.random.Generator) -> Floats:
    return np.concatenate([factor * windows[..., :3], windows[..., 3:]], axis=2)


DISTURBANCES = (
    *(Disturbance(f"turned_{a}", f"phone turned by 180 degrees about {a}", partial(_turned, a)) for a in "xyz"),
    Disturbance("tilted", "phone turned by 20 degrees about a random axis", _tilted),
    Disturbance("rate_20hz", "sensor at 20 Hz, interpolated to the model's rate", partial(_sampled_at, 20.0)),
    Disturbance("rate_100hz", "sensor at 100 Hz, its rows taken as they come", partial(_sampled_at, 100.0)),
    Disturbance("lost", "a tenth of the samples lost, the last one held", _lost),
    Disturbance("noise", "noise of 0.5 m/s^2 added", _noisy),
    Disturbance("scaled_up", "sensor reads 10% too much", partial(_scaled, 1.1)),
    Disturbance("scaled_down", "sensor reads 10% too little", partial(_scaled, 0.9)),
)
"""What an evaluation tries."""
