"""Measures how people move, for the simulator: writes `zoo/activity/strides.json` from the recordings of MotionSense.

A gait repeats once a stride (two steps). Three-second segments of each recording are turned so that gravity points up,
and folded at their period into harmonics. What is kept of an activity is the mean of the harmonics and of the strides a
second, the principal components in which people differ and in which the strides of one person change, and what is left:
its size, its course over a stride and its correlation from row to row. Of rest, the direction of gravity and the size
and correlation of the movement. These are statistics of 15 people, no recordings. The test people of the presets are
left out. Command:

    python benchmarks/strides.py A_DeviceMotion_data.zip
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from zoo.activity.recordings import Recording
from zoo.activity.studies import read_study

HARMONICS = np.arange(1, 17)
COMPONENTS = 6
TEST_PEOPLE = {"2", "9", "15", "21"}
SECONDS = 3.0
TRIM = 4.0
"""Seconds at both ends of a recording, when the phone is put in the pocket and taken out."""
STRIDES = {"walking": (0.75, 1.2), "jogging": (1.15, 1.6), "upstairs": (0.65, 1.1), "downstairs": (0.8, 1.3)}
"""Strides per second to look for."""
ANGLES = np.linspace(0, 2 * np.pi, 180, endpoint=False)
SIGNS = np.array(list(product((1, -1), (1,), (1, -1))))
"""Of the axes x and z: either pocket, and the screen on either side."""

Floats = NDArray[np.float64]
Coefficients = NDArray[np.complex128]
"""`(16, 3)`: the signal is the real part of their sum with `exp(2 pi i k f t)`."""


@dataclass
class Gait:
    """A recording of a gait: its segments, the strides per second of each, and its mean harmonics."""

    subject: str
    rate: float
    parts: list[Floats]
    hertz: list[float]
    mean: Coefficients


def segments(recording: Recording) -> Iterator[Floats]:
    """Segments of a recording without its ends."""
    rows = recording.acceleration[round(TRIM * recording.rate) : -round(TRIM * recording.rate)].astype(np.float64)
    size = round(SECONDS * recording.rate)
    for start in range(0, len(rows) - size + 1, size):
        yield rows[start : start + size]


def turned(rows: Floats, gravity: Floats) -> Floats:
    """Rows of a phone whose long axis is turned by the smallest angle to be vertical, and the right way up."""
    target = np.array([0.0, np.sign(gravity[1]), 0.0])
    axis = np.cross(gravity, target)
    turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.arctan2(np.linalg.norm(axis), gravity @ target))
    half = Rotation.from_euler("z", 180 * (gravity[1] < 0), degrees=True)
    return np.asarray((half * turn).apply(rows))


def fold(rows: Floats, rate: float, hertz: float) -> tuple[Coefficients, Floats]:
    """Harmonics of a segment, and what is left of it."""
    turns = (2 * np.pi * hertz * np.arange(len(rows)) / rate)[:, None] * HARMONICS
    basis = np.concatenate([np.ones((len(rows), 1)), np.cos(turns), np.sin(turns)], axis=1)
    found = np.linalg.lstsq(basis, rows, rcond=None)[0]
    return found[1 : 1 + len(HARMONICS)] - 1j * found[1 + len(HARMONICS) :], rows - basis @ found


def periods(parts: list[Floats], rate: float, limits: tuple[float, float]) -> list[float]:
    """Strides per second of each segment: near that of the whole recording, so that no step is taken for a stride."""
    tried = np.arange(*limits, 0.01)
    left = np.array([[np.square(fold(part, rate, hertz)[1]).sum() for hertz in tried] for part in parts])
    near = np.abs(tried / tried[left.sum(axis=0).argmin()] - 1) < 0.08
    return [float(tried[near][row[near].argmin()]) for row in left]


def moved(found: Coefficients, angle: float) -> Coefficients:
    """Harmonics of the same signal, `angle` of a stride later."""
    return np.asarray(found * np.exp(1j * HARMONICS[:, None] * angle))


def best_angle(found: Coefficients, reference: Coefficients) -> tuple[float, float]:
    """By how much to move harmonics to be as near a reference as possible, and how near they come."""
    together = (found * reference.conj()).sum(axis=1)
    near = (np.exp(1j * ANGLES[:, None] * HARMONICS) * together).real.sum(axis=1)
    return float(ANGLES[near.argmax()]), float(near.max())


def read(recording: Recording, limits: tuple[float, float]) -> Gait | None:
    """A recording of a gait; None if it is too short."""
    parts = [turned(part, recording.acceleration.mean(axis=0).astype(float)) for part in segments(recording)]
    if len(parts) < 3:
        return None
    hertz = periods(parts, recording.rate, limits)
    folded = [fold(part, recording.rate, f)[0] for part, f in zip(parts, hertz, strict=True)]
    mean = folded[0]
    for _ in range(5):
        mean = np.mean([moved(one, best_angle(one, mean)[0]) for one in folded], axis=0)
    return Gait(recording.subject, recording.rate, parts, hertz, mean)


def align(gaits: list[Gait], reference: Coefficients) -> Coefficients:
    """Turns and moves all recordings to be alike; returns their mean harmonics."""
    for _ in range(10):
        for gait in gaits:
            signs = max(SIGNS, key=lambda one: best_angle(one * gait.mean, reference)[1])
            gait.parts = [signs * part for part in gait.parts]
            gait.mean = moved(signs * gait.mean, best_angle(signs * gait.mean, reference)[0])
        reference = np.mean([gait.mean for gait in gaits], axis=0)
    return reference


def components(changes: NDArray[Any]) -> tuple[Floats, float]:
    """Principal components of rows `(N, F)`, each as long as the spread in its direction; their share of variance."""
    _, sizes, directions = np.linalg.svd(changes, full_matrices=False)
    share = np.square(sizes[:COMPONENTS]).sum() / np.square(sizes).sum()
    return sizes[:COMPONENTS, None] * directions[:COMPONENTS] / np.sqrt(len(changes)), float(share)


def as_reals(found: NDArray[Any]) -> Floats:
    """Harmonics `(N, 16, 3)` as rows of real numbers: first the cosines, then the sines."""
    return np.concatenate([found.real.reshape(len(found), -1), -found.imag.reshape(len(found), -1)], axis=1)


def within(gaits: list[Gait]) -> dict[str, Any]:
    """How the strides of one person change, and what does not repeat."""
    changes, left, courses, wander = [], [], [], []
    for gait in gaits:
        wander.append(np.std(gait.hertz))
        for part, hertz in zip(gait.parts, gait.hertz, strict=True):
            found, rest = fold(part, gait.rate, hertz)
            angle, _ = best_angle(found, gait.mean)
            changes.append(moved(found, angle) - gait.mean)
            left.append(rest)
            power = np.square(rest).sum(axis=1, keepdims=True)
            courses.append(moved(fold(power, gait.rate, hertz)[0], angle)[:, 0] / power.mean())
    parts, share = components(as_reals(np.array(changes)))
    rests = np.array(left)
    lost = (1 - share) * np.square(np.abs(changes)).sum(axis=1).mean(axis=0) / 2
    course = np.mean(courses, axis=0)[:6]
    return {
        "wander": _round(np.mean(wander)), "changes": _round(parts, 2),
        "left": {
            "size": _round(np.sqrt(np.square(rests).mean(axis=(0, 1)) + lost)), "memory": _round(memory(rests)),
            "course": _round(np.stack([course.real, -course.imag])),
        },
    }  # fmt: skip


def memory(rows: Floats) -> float:
    """Correlation of a row with the next, of segments `(N, rows, 3)`."""
    return float((rows[:, 1:] * rows[:, :-1]).sum() / np.square(rows[:, 1:]).sum())


def rest(recordings: list[Recording]) -> dict[str, Any]:
    """Statistics of sitting or standing: angles of gravity in degrees, and movement in m/s^2."""
    slant, roll, moving, parts = [], [], [], []
    for recording in recordings:
        for part in segments(recording):
            x, y, z = part.mean(axis=0)
            slant.append(np.degrees(np.arccos(min(1.0, abs(y) / np.linalg.norm([x, y, z])))))
            roll.append(np.degrees(np.arctan2(abs(x), abs(z))))
            moving.append(part.std(axis=0).mean())
            parts.append((part - part.mean(axis=0)) / moving[-1])
    return {
        "slant": {"mean": _round(np.mean(slant)), "people": _round(np.std(slant))},
        "roll": {"mean": _round(np.mean(roll)), "people": _round(np.std(roll))},
        "movement": {
            "median": _round(np.median(moving)), "log_spread": _round(np.log(moving).std()),
            "memory": _round(memory(np.array(parts))),
        },
    }  # fmt: skip


def _round(values: Any, digits: int = 3) -> Any:
    return np.round(values, digits).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path, help="A_DeviceMotion_data.zip")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "zoo" / "data" / "strides.json")
    options = parser.parse_args()
    recordings = [one for one in read_study("motionsense", options.zip) if one.subject not in TEST_PEOPLE]
    people = sorted({one.subject for one in recordings}, key=int)
    gaits: dict[str, list[Gait]] = {}
    reference: Coefficients | None = None
    for activity, limits in STRIDES.items():
        found = [read(one, limits) for one in recordings if one.activity == activity]
        gaits[activity] = [gait for gait in found if gait is not None]
        mean = align(gaits[activity], gaits[activity][0].mean if reference is None else reference)
        reference = mean if reference is None else reference
    # A person's gaits together, so that who walks fast also jogs fast: harmonics, and ten times the strides per second.
    own = np.array([
        np.concatenate([_own([gait for gait in gaits[activity] if gait.subject == who]) for activity in STRIDES])
        for who in people
    ])  # fmt: skip
    parts, share = components(own - own.mean(axis=0))
    print(f"{len(people)} people; the components hold {share:.0%} of how they differ")
    document: dict[str, Any] = {
        "source": "MotionSense, MIT (Malekzadeh, Clegg, Cavallaro, Haddadi, IoTDI 2019)", "people": people,
        "made_by": "benchmarks/strides.py",
    }  # fmt: skip
    columns = np.split(np.concatenate([own.mean(axis=0)[None], parts]), len(STRIDES), axis=1)
    for activity, values in zip(STRIDES, columns, strict=True):
        usual = {"strides_a_second": _round(values[0, 0] / 10), "harmonics": _round(values[0, 1:], 2)}
        differ = {"strides_a_second": _round(values[1:, 0] / 10), "harmonics": _round(values[1:, 1:], 2)}
        document[activity] = {"mean": usual, "people": differ, **within(gaits[activity])}
    for activity in ("sitting", "standing"):
        document[activity] = rest([one for one in recordings if one.activity == activity])
    options.out.write_text(json.dumps(document) + "\n", encoding="utf-8")


def _own(gaits: list[Gait]) -> Floats:
    mean = np.mean([gait.mean for gait in gaits], axis=0)
    hertz = np.mean([np.mean(gait.hertz) for gait in gaits])
    return np.concatenate([[10 * hertz], as_reals(mean[None])[0]])


if __name__ == "__main__":
    main()
