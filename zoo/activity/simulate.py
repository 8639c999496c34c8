"""A simulator of people who carry a phone in a pocket.

Simulated recordings are for demonstrations, tests and teaching; every file made from them is marked `simulated`. A
gait repeats itself once a stride (two steps). In the frame of the thigh (x across, y along it and up, z through its
front) the acceleration is

    a(t) = (0, g, 0) + sum_k Re[C_k(t) exp(2 pi i k f t)] + e(t)

with f the strides per second and harmonics `C_k` `(3,)` in m/s^2, k = 1..16. A person is drawn along the principal
components in which people differ; along those of the strides of one person, `C_k(t)` wanders around the person's mean.
The rest e(t), which does not repeat, is strongest where the foot strikes. All of these are statistics of MotionSense,
which `benchmarks/strides.py` measures and `strides.json` holds. At rest only gravity and a tremor are left; a sitting
thigh is nearly horizontal. The pose of the phone in the pocket turns the acceleration, and its sensor adds noise.

A gyroscope feels the thigh swing once a stride by an angle s:

    w(t) = (2 pi f s cos(2 pi f t), 0, 0)                 which the acceleration above leaves out
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from zoo.activity import recordings
from zoo.activity.cutting import Windowing, choose_test_subjects, write_windows
from zoo.activity.recordings import Recording
from zoo.errors import ZooError
from zoo.files import temporary_folder
from zoo.runtime.metadata import CLASSES, STANDARD_GRAVITY

_HARMONICS = np.arange(1, 17)
_MEASURED_RATE = 50.0
"""Hz of the recordings whose correlation from row to row was measured."""
_SWINGS = {"walking": 20.0, "upstairs": 28.0, "downstairs": 14.0, "jogging": 32.0}
"""Degrees by which the thigh swings forward and back."""
_GYROSCOPE_NOISE = 0.02
"""Standard deviation in rad/s."""

Floats = NDArray[np.float64]


@cache
def _statistics() -> dict[str, Any]:
    statistics: dict[str, Any] = json.loads((Path(__file__).parent / "strides.json").read_text(encoding="utf-8"))
    return statistics


@dataclass(frozen=True)
class Walker:
    """A simulated person, the same in all activities.
    `style` `(6,)`, `slant` of the thigh and `roll` of the phone are deviations in units of the spread of people; `pose`
    turns the phone, relative to the thigh; `noise` is the standard deviation of the sensor in m/s^2.
    """

    name: str
    style: Floats
    slant: float
    roll: float
    right: bool
    pose: Rotation
    noise: float

    @classmethod
    def draw(cls, name: str, random: np.random.Generator) -> "Walker":
        """Draws a random walker."""
        # Upright or upside down, screen to the body or away from it, and never quite straight.
        half_turns = Rotation.from_euler("xyz", np.pi * random.integers(0, 2, 3))
        crooked = Rotation.from_rotvec(np.radians(8) * random.standard_normal(3))
        components = len(_statistics()["walking"]["people"]["strides_a_second"])
        slant, roll, *style = random.standard_normal(2 + components)
        return cls(
            name, np.array(style), float(slant), float(roll), bool(random.integers(2)), crooked * half_turns,
            noise=random.uniform(0.01, 0.05),
        )  # fmt: skip

    def record(
        self, activity: str, seconds: float, rate: float, random: np.random.Generator, *, gyroscope: bool = False
    ) -> Recording:
        """Simulates a recording of `seconds` at `rate` Hz; `random` draws what differs from one to another."""
        rows = round(seconds * rate)
        if rows < 2:
            raise ZooError(f"{seconds:g} s at {rate:g} Hz are fewer than two rows")
        moves = self._rest if activity in ("sitting", "standing") else self._gait
        thigh, swinging = moves(_statistics()[activity], rows, rate, random)
        if not self.right:
            thigh *= [-1.0, 1.0, 1.0]
        shifted = Rotation.from_rotvec(np.radians(4) * random.standard_normal(3)) * self.pose
        sensed = shifted.apply(thigh) + self.noise * random.standard_normal(thigh.shape)
        rotation = None
        if gyroscope:
            turning = np.zeros_like(thigh)
            turning[:, 0] = np.radians(_SWINGS.get(activity, 0.0)) * swinging
            # From a generator of its own, so that acceleration is the same with and without.
            noise = _GYROSCOPE_NOISE * random.spawn(1)[0].standard_normal(turning.shape)
            rotation = (shifted.apply(turning) + noise).astype(np.float32)
        name = f"simulated {self.name} {activity}"
        return Recording(name, self.name, activity, rate, sensed.astype(np.float32), rotation=rotation)

    def _gait(self, gait: dict[str, Any], rows: int, rate: float, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Acceleration of the thigh, and the rate at which it swings, for an angle of 1 rad."""
        usual, harmonics = (
            np.array(gait["mean"][name]) + self.style @ np.array(gait["people"][name])
            for name in ("strides_a_second", "harmonics")
        )
        # No two strides take equally long, nor are they equally strong.
        frequency = usual + gait["wander"] * _wandering(1, rows, rate, random)[:, 0]
        turns = np.exp(1j * (2 * np.pi * np.cumsum(frequency) / rate + random.uniform(0, 2 * np.pi)))
        resolved = _HARMONICS[_HARMONICS * usual < rate / 2]
        changes = np.array(gait["changes"])
        harmonics = harmonics + _wandering(len(changes), rows, rate, random) @ changes
        cosines, sines = np.split(harmonics.reshape(-1, 32, 3), 2, axis=1)
        waves = turns[:, None] ** resolved
        repeats = np.einsum("tkx,tk->tx", (cosines - 1j * sines)[:, : len(resolved)], waves).real
        cosine, sine = gait["left"]["course"]
        strength = 1 + (turns[:, None] ** np.arange(1, 7) @ (np.array(cosine) - 1j * np.array(sine))).real
        left = _noise(rows, gait["left"]["memory"], rate, random) * np.sqrt(np.maximum(strength, 0.05))[:, None]
        thigh = np.asarray([0.0, STANDARD_GRAVITY, 0.0] + repeats + gait["left"]["size"] * left)
        return thigh, 2 * np.pi * frequency * turns.real

    def _rest(self, rest: dict[str, Any], rows: int, rate: float, random: np.random.Generator) -> tuple[Floats, Floats]:
        slant, roll = (
            rest[name]["mean"] + rest[name]["people"] * person
            for name, person in (("slant", self.slant), ("roll", self.roll))
        )
        movement = rest["movement"]
        size = movement["median"] * np.exp(movement["log_spread"] * random.standard_normal())
        thigh = [0.0, STANDARD_GRAVITY, 0.0] + size * _noise(rows, movement["memory"], rate, random)
        return np.asarray(Rotation.from_euler("xy", [slant, roll], degrees=True).apply(thigh)), np.zeros(rows)


_SHAKES = 3.0, 7.0
"""Hz. A hand turns back and forth up to 6 or 7 times a second (Freund, Physiological Reviews 63, 1983); gait has steps
at 1.3 to 3.3 Hz."""
_STROKES = 0.01, 0.1
"""Half the length of the path in m."""
_STRENGTHS = 12.0, 70.0
"""Largest acceleration in m/s^2: from what apps take for a shake, to twice that of a vigorous one."""


def shaken(count: int, rows: int, rate: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Simulates windows `(count, rows, 3)` of a phone that is shaken by hand, in m/s^2 with gravity.

    The hand moves back and forth along an axis that turns by and by, on a path that bends towards the elbow:

        a(t) = g + A(t) sin(phi(t)) d(t) + (b A(t) cos(2 phi(t)) / 2) n(t) + e(t)

    with phi' = 2 pi f(t), f of 3 to 7 Hz, A = (2 pi f)^2 s for half a stroke s of 1 to 10 cm, if that is 12 to 70
    m/s^2; a bend b of 0.1 to 0.6, n across d, and noise e of a tenth of the movement. f and A wander within a window.
    """
    windows = np.empty((count, rows, 3), np.float32)
    for window in windows:
        usual = random.uniform(*_SHAKES)
        low, high = np.clip((2 * np.pi * usual) ** 2 * np.array(_STROKES), *_STRENGTHS)
        strength = np.exp(random.uniform(np.log(low), np.log(high)))
        wander = _wandering(8, rows, rate, random)
        phase = random.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(usual * np.exp(0.1 * wander[:, 0])) / rate
        size = strength * np.exp(0.2 * wander[:, 1])
        along, across = (random.standard_normal(3) + 0.3 * wander[:, part] for part in (slice(2, 5), slice(5, 8)))
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        across = np.cross(along, across)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        gravity = random.standard_normal(3) + 0.3 * _wandering(3, rows, rate, random)
        gravity *= STANDARD_GRAVITY / np.linalg.norm(gravity, axis=1, keepdims=True)
        bend = random.uniform(0.1, 0.6) / 2
        forth = (size * np.sin(phase))[:, None] * along + (bend * size * np.cos(2 * phase))[:, None] * across
        window[:] = gravity + forth + 0.1 * strength * _noise(rows, 0.5, rate, random)
    return windows


def _wandering(count: int, rows: int, rate: float, random: np.random.Generator) -> Floats:
    """Smooth noise `(rows, count)` of variance 1 that changes within a second."""
    time = np.arange(rows) / rate
    values = random.standard_normal((int(time[-1]) + 2, count))
    place, share = time.astype(int), (time % 1)[:, None] * np.pi / 2
    # The squares of the weights add to 1, so that the variance is the same everywhere.
    return np.asarray(np.cos(share) * values[place] + np.sin(share) * values[place + 1])


def _noise(rows: int, memory: float, rate: float, random: np.random.Generator) -> Floats:
    """Noise `(rows, 3)` of variance 1; `memory` is the correlation of a row with the next at the measured rate."""
    kept = memory ** (_MEASURED_RATE / rate)
    start = kept * random.standard_normal((1, 3))
    fresh = np.sqrt(1 - kept**2) * random.standard_normal((rows, 3))
    return np.asarray(lfilter([1.0], [1.0, -kept], fresh, axis=0, zi=start)[0])


def simulate(
    subjects: int, seed: int, *, seconds: float = 60.0, rate: float = 50.0, gyroscope: bool = False
) -> Iterator[Recording]:
    """Simulates recordings of several people, each doing each of the six activities twice.

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
    """Writes windows of two or more simulated people in the course's layout; a quarter of them are for test."""
    with temporary_folder() as folder:
        raw = folder / "recordings.h5"
        people = simulate(subjects, seed, seconds=seconds, gyroscope=gyroscope)
        # People of another seed are others, though they have the same names.
        recordings.write_recordings(raw, people, source=f"simulated by pocket-zoo, seed {seed}", simulated=True)
        index = recordings.read_recordings(raw)
        write_windows(index, path, Windowing(), choose_test_subjects(index.subjects, 0.25, seed))


def walk_through(
    activities: Sequence[str], seconds: float, rate: float, seed: int, *, gyroscope: bool = False
) -> tuple[NDArray[np.float32], list[str]]:
    """Rows `(N, 3)` in m/s^2, or `(N, 6)`, of one person doing activities in turn, and the activity of each row."""
    random = np.random.default_rng([seed, 99])
    walker = Walker.draw("demo", random)
    parts = [walker.record(name, seconds, rate, random, gyroscope=gyroscope).rows for name in activities]
    truth = [name for name, part in zip(activities, parts, strict=True) for _ in part]
    return np.concatenate(parts), truth
