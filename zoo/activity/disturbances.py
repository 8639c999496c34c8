"""Disturbances of windows: what may happen to a phone that a recognizer has to bear.

A phone turns as a whole, with all its sensors; noise and errors of scale are those of the accelerometer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Disturbance:
    """Something that happens to a phone.

    Args:
        name: Key in the report.
        meaning: For people.
        change: `(windows (N, T, C), rate, random) -> windows`.
    """

    name: str
    meaning: str
    change: Callable[[Floats, float, np.random.Generator], Floats]

    def apply(self, windows: Floats, rate: float, random: np.random.Generator) -> Floats:
        """What the phone would have recorded, in the shape of `windows`.

        Args:
            windows: `(N, T, 3)`, m/s^2; or `(N, T, 6)`, followed by rad/s.
            rate: Hz of the rows.
            random: Decides what is random.

        Example:
            >>> turned = DISTURBANCES[0].apply(np.ones((1, 1, 3)), 50.0, np.random.default_rng(0))
            >>> turned.tolist()
            [[[1.0, -1.0, -1.0]]]
        """
        return self.change(windows, rate, random)


def _turn(axis: str) -> Callable[[Floats, float, np.random.Generator], Floats]:
    signs = np.array([1.0 if name == axis else -1.0 for name in "xyz"], np.float32)
    return lambda windows, _rate, _random: windows * np.tile(signs, windows.shape[2] // 3)


def _tilt(windows: Floats, _rate: float, random: np.random.Generator) -> Floats:
    axes = random.standard_normal((len(windows), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    turns = Rotation.from_rotvec(np.radians(20) * axes).as_matrix()
    sensors = np.split(windows, windows.shape[2] // 3, axis=2)
    return np.concatenate([np.einsum("ntc,ndc->ntd", sensor, turns) for sensor in sensors], axis=2)


def _sampled_at(hz: float) -> Callable[[Floats, float, np.random.Generator], Floats]:
    def change(windows: Floats, rate: float, _random: np.random.Generator) -> Floats:
        time = np.arange(windows.shape[1]) / rate
        if hz > rate:
            # Nobody resamples: the model gets as many rows of a shorter time.
            return _interpolate(np.arange(len(time)) / hz, time, windows)
        coarse = np.arange(0, time[-1] + 1 / hz, 1 / hz)
        return _interpolate(time, coarse, _interpolate(coarse, time, windows))

    return change


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


def _noise(windows: Floats, _rate: float, random: np.random.Generator) -> Floats:
    acceleration, others = windows[..., :3], windows[..., 3:]
    return np.concatenate([acceleration + 0.5 * random.standard_normal(acceleration.shape), others], axis=2)


def _scaled(factor: float) -> Callable[[Floats, float, np.random.Generator], Floats]:
    return lambda windows, _rate, _random: np.concatenate([factor * windows[..., :3], windows[..., 3:]], axis=2)


DISTURBANCES = (
    *(Disturbance(f"turned_{a}", f"phone turned by 180 degrees about {a}", _turn(a)) for a in "xyz"),
    Disturbance("tilted", "phone turned by 20 degrees about a random axis", _tilt),
    Disturbance("rate_20hz", "sensor at 20 Hz, interpolated to the model's rate", _sampled_at(20.0)),
    Disturbance("rate_100hz", "sensor at 100 Hz, its rows taken as they come", _sampled_at(100.0)),
    Disturbance("lost", "a tenth of the samples lost, the last one held", _lost),
    Disturbance("noise", "noise of 0.5 m/s^2 added", _noise),
    Disturbance("scaled_up", "sensor reads 10% too much", _scaled(1.1)),
    Disturbance("scaled_down", "sensor reads 10% too little", _scaled(0.9)),
)
"""What an evaluation tries."""
