"""A simulator of people who carry a phone in a pocket.

Simulated recordings are for demonstrations, tests and teaching; every file made from them is marked `simulated`. A
walker has a cadence, a strength of step and a way to carry the phone; an activity scales them. In the frame of the body
(x right, y up, z forward) the acceleration of a periodic gait is

    a(t) = (0, g, 0) + sum_k A_k sin(2 pi k f t + p_k)

with f the frequency of a stride (two steps), k = 1..6 harmonics, amplitudes A_k (3,) in m/s^2: even harmonics, the
steps, dominate up and down, odd ones sway to the side. Heel strikes add a short pulse at each step. The pose of the
phone rotates the acceleration, and its sensor adds noise. A gyroscope feels the thigh swing once a stride by an angle
s:

    w(t) = (2 pi f s cos(2 pi f t), 0, 0)                 which the acceleration above leaves out
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from zoo.data import recordings
from zoo.data.activity import Windowing, choose_test_subjects, write_windows
from zoo.data.recordings import Recording
from zoo.errors import ZooError
from zoo.files import temporary_folder
from zoo.metadata import CLASSES, STANDARD_GRAVITY

_HARMONICS = np.arange(1, 7)

_SWINGS = {"walking": 20.0, "upstairs": 28.0, "downstairs": 14.0, "jogging": 32.0}
"""Degrees by which the thigh swings forward and back."""

_GYROSCOPE_NOISE = 0.02
"""Standard deviation in rad/s."""

# Factors of an activity on strides a second, strength, heel strike and forward push, and the slant of the trunk in
# degrees.
_GAITS = {
    "walking": (1.00, 1.0, 1.0, 0.8, 0.0),
    "upstairs": (0.78, 0.75, 0.35, 1.3, 9.0),
    "downstairs": (0.92, 1.15, 1.9, 0.5, -6.0),
    "jogging": (1.42, 2.3, 4.5, 0.9, 4.0),
}


@dataclass(frozen=True)
class Walker:
    """A simulated person.

    Args:
        name: Subject id.
        cadence: Strides a second when walking.
        strength: Factor on all amplitudes.
        harmonics: `(6, 3)` amplitudes in m/s^2 of right, up, forward.
        phases: `(6, 3)` in radians.
        pose: The phone's orientation in the pocket, relative to the thigh.
        noise: Standard deviation of the sensor in m/s^2.
    """

    name: str
    cadence: float
    strength: float
    harmonics: NDArray[np.float64]
    phases: NDArray[np.float64]
    pose: Rotation
    noise: float

    @classmethod
    def draw(cls, name: str, random: np.random.Generator) -> "Walker":
        """Draws a random walker."""
        step, sway = (_HARMONICS % 2 == 0), (_HARMONICS % 2 == 1)
        typical = np.stack([1.8 * sway + 0.4, 3.8 * step + 0.7, 2.4 * step + 0.8], axis=1) / np.sqrt(
            _HARMONICS[:, None]
        )
        # Upright or upside down, screen to the body or away from it, and never quite straight.
        half_turns = Rotation.from_euler("xyz", np.pi * random.integers(0, 2, 3))
        crooked = Rotation.from_rotvec(np.radians(8) * random.standard_normal(3))
        return cls(
            name,
            cadence=random.normal(0.93, 0.06),
            strength=float(np.exp(random.normal(0, 0.15))),
            harmonics=typical * np.exp(random.normal(0, 0.25, typical.shape)),
            phases=np.pi * np.array([0.0, 0.5, 1.0]) + random.normal(0, 0.35, typical.shape),
            pose=crooked * half_turns,
            noise=random.uniform(0.03, 0.1),
        )

    def record(
        self, activity: str, seconds: float, rate: float, random: np.random.Generator, *, gyroscope: bool = False
    ) -> Recording:
        """Simulates a recording.

        Args:
            activity: One of the six classes.
            seconds: Duration.
            rate: Sampling rate in Hz.
            random: The source of what differs from one recording to the next.
            gyroscope: Whether the rotation rate is recorded as well.

        Returns:
            A recording of `round(seconds * rate)` rows.
        """
        if not 0 < seconds < np.inf:
            raise ZooError(f"{seconds:g} s: expected a duration above 0")
        time = np.arange(round(seconds * rate)) / rate
        if len(time) < 2:
            raise ZooError(f"{seconds:g} s at {rate:g} Hz are fewer than two rows")
        if activity in _GAITS:
            body, turning = self._gait(activity, time, random)
        else:
            body, turning = self._rest(activity, time, random), np.zeros((len(time), 3))
        shifted = Rotation.from_rotvec(np.radians(4) * random.standard_normal(3)) * self.pose
        sensed = shifted.apply(body) + self.noise * random.standard_normal(body.shape)
        rotation = None
        if gyroscope:
            # From a generator of its own, so that acceleration is the same with and without.
            noise = _GYROSCOPE_NOISE * random.spawn(1)[0].standard_normal(turning.shape)
            rotation = (shifted.apply(turning) + noise).astype(np.float32)
        name = f"simulated {self.name} {activity}"
        return Recording(name, self.name, activity, rate, sensed.astype(np.float32), rotation=rotation)

    def _gait(
        self, activity: str, time: NDArray[np.float64], random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Acceleration and rotation rate in the frame of the body."""
        pace, strength, strike, push, slant = _GAITS[activity]
        # No two strides take equally long: the frequency varies by a few percent.
        wander = 8 * _smooth_noise(len(time), 64, random)
        frequency = self.cadence * pace * random.normal(1, 0.03) * (1 + 0.02 * wander)
        phase = 2 * np.pi * np.cumsum(frequency) * (time[1] - time[0])
        waves = np.sin(phase[:, None, None] * _HARMONICS[:, None] + self.phases)
        body = (waves * self.harmonics).sum(axis=1) * strength * self.strength * np.array([1.0, 1.0, push])
        pulse = np.exp(8 * (np.cos(2 * phase) - 1))
        body += strike * self.strength * pulse[:, None] * np.array([0.3, 5.0, -1.3])
        body += [0.0, STANDARD_GRAVITY, 0.0]
        turning = np.zeros_like(body)
        turning[:, 0] = 2 * np.pi * frequency * np.radians(_SWINGS[activity]) * np.cos(phase)
        return np.asarray(Rotation.from_euler("x", slant, degrees=True).apply(body)), turning

    def _rest(self, activity: str, time: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        # A sitting thigh is horizontal: the phone's vertical axis points forward.
        angle = random.normal(-78, 6) if activity == "sitting" else random.normal(0, 4)
        tremor = _smooth_noise(len(time), 32, random)
        body = np.tile([0.0, STANDARD_GRAVITY, 0.0], (len(time), 1))
        body += 0.25 * self.strength * tremor[:, None] * np.array([1.0, 0.4, 1.0])
        return np.asarray(Rotation.from_euler("x", angle, degrees=True).apply(body))


def _smooth_noise(rows: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Mean of `width` neighboring normal numbers, for each row."""
    return np.convolve(random.standard_normal(rows + width - 1), np.ones(width) / width, mode="valid")


def simulate(
    subjects: int, seed: int, *, seconds: float = 60.0, rate: float = 50.0, gyroscope: bool = False
) -> Iterator[Recording]:
    """Simulates recordings of several people, each doing each activity twice.

    Args:
        subjects: Number of people.
        seed: The source of all randomness.
        seconds: Duration of a recording.
        rate: Sampling rate in Hz.
        gyroscope: Whether the rotation rate is recorded as well.

    Returns:
        `subjects * 6 * 2` recordings, one after another.

    Example:
        >>> first = next(simulate(1, seed=0, seconds=4))
        >>> first.activity, first.acceleration.shape
        ('downstairs', (200, 3))
    """
    for number in range(1, subjects + 1):
        random = np.random.default_rng([seed, number])
        walker = Walker.draw(str(number), random)
        for activity in CLASSES:
            for _ in range(2):
                yield walker.record(activity, seconds, rate, random, gyroscope=gyroscope)


def write_simulated(
    path: Path, subjects: int = 12, seed: int = 0, seconds: float = 60.0, gyroscope: bool = False
) -> None:
    """Writes windows of simulated people in the course's layout; a quarter of the people are for test.

    Args:
        path: The file.
        subjects: Number of people, 2 or more.
        seed: The source of all randomness.
        seconds: Duration of a recording.
        gyroscope: Whether the rotation rate is recorded as well.

    Raises:
        ZooError: If there are fewer than two people.
    """
    if subjects < 2:
        raise ZooError(f"{subjects} subjects; a test by person needs 2 or more")
    with temporary_folder() as folder:
        raw = folder / "recordings.h5"
        people = simulate(subjects, seed, seconds=seconds, gyroscope=gyroscope)
        recordings.write(raw, people, source="simulated by pocket-zoo", simulated=True)
        index = recordings.read(raw)
        write_windows(index, path, Windowing(), choose_test_subjects(index.subjects, 0.25, seed))


def walk_through(
    activities: Sequence[str], seconds: float, rate: float, seed: int, *, gyroscope: bool = False
) -> tuple[NDArray[np.float32], list[str]]:
    """Simulates one person doing one activity after another.

    Args:
        activities: Which, in order.
        seconds: Duration of each.
        rate: Sampling rate in Hz.
        seed: The source of all randomness.
        gyroscope: Whether the rotation rate is recorded as well.

    Returns:
        Rows `(N, 3)` in m/s^2, or `(N, 6)` with rad/s, and the activity of each row.
    """
    random = np.random.default_rng([seed, 99])
    walker = Walker.draw("demo", random)
    parts = [walker.record(name, seconds, rate, random, gyroscope=gyroscope).rows for name in activities]
    truth = [name for name, part in zip(activities, parts, strict=True) for _ in part]
    return np.concatenate(parts), truth
