"""Several studies in one file, measured alike: what differs between them may be the phone, not the people."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.recordings import Index
from zoo.activity.windows import ActivityData, Windows
from zoo.data.examples import sort_names

_BLOCK_SECONDS = 4.0
"""A recording is measured in blocks of this length, in which a person takes four steps or more."""

_STEPS = (1.2, 3.0)
"""Hz between which people walk."""

_WALKING = "walking"


@dataclass
class _Part:
    """Windows of equal length of one person, activity and study."""

    study: str
    subject: str
    activity: str
    rate: float
    windows: NDArray[np.floating[Any]]
    amount: float


@dataclass
class _Sums:
    """What is known of one study so far."""

    people: set[str] = field(default_factory=set)
    amounts: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    rates: set[float] = field(default_factory=set)
    magnitudes: list[float] = field(default_factory=list)
    tilts: list[float] = field(default_factory=list)
    cadences: list[float] = field(default_factory=list)


def compare(data: ActivityData | Index) -> dict[str, dict[str, Any]]:
    """Measures each study of a file.

    Args:
        data: Windows, or recordings.

    Returns:
        Of each study `people`, `windows` or `seconds` per class, `rate_hz` (lowest and highest), `magnitude` (mean, in
        m/s^2), and of walking `tilt_deg` (the angle between the y axis of the phone and up: its 10th, 50th and 90th
        percentiles, which are far apart where people carry the phone either way around) and `cadence_hz` (median steps
        per second). Empty if the data belongs to one study or to none.
    """
    windows = isinstance(data, ActivityData)
    names = _studies(data)
    if len(names) < 2:
        return {}
    studies = {name: _Sums() for name in names}
    for part in _of_windows(data) if isinstance(data, ActivityData) else _of_recordings(data):
        _add(studies[part.study], part)
    return {
        name or "none": {
            "people": len(sums.people),
            "windows" if windows else "seconds": {
                label: int(amount) if windows else round(amount, 1) for label, amount in sorted(sums.amounts.items())
            },
            "rate_hz": [min(sums.rates), max(sums.rates)],
            "magnitude": _rounded(np.mean, sums.magnitudes, 2),
            "tilt_deg": [round(float(tilt)) for tilt in np.percentile(sums.tilts, (10, 50, 90))]
            if sums.tilts
            else None,
            "cadence_hz": _rounded(np.median, sums.cadences, 2),
        }
        for name, sums in studies.items()
    }


def _studies(data: ActivityData | Index) -> list[str]:
    if isinstance(data, Index):
        return sort_names(np.unique(data.studies))
    return sort_names(name for part in _parts(data) for name in np.unique(_study(part)))


def _parts(data: ActivityData) -> tuple[Windows, ...]:
    return data.train, data.validation, data.test


def _study(windows: Windows) -> NDArray[np.str_]:
    return np.full(len(windows), "") if windows.studies is None else windows.studies


def _of_windows(data: ActivityData) -> Iterator[_Part]:
    for part in _parts(data):
        studies, people, labels, done = _study(part), part.groups, part.labels, 0
        for inputs, _ in part.blocks():
            here = slice(done, done + len(inputs))
            who = np.full(len(inputs), "") if people is None else people[here]
            keys = list(zip(studies[here].tolist(), who.tolist(), labels[here].tolist(), strict=True))
            for key in dict.fromkeys(keys):
                chosen = inputs[[other == key for other in keys]]
                yield _Part(key[0], key[1], data.label_names[key[2]], data.rate, chosen, len(chosen))
            done += len(inputs)


def _of_recordings(index: Index) -> Iterator[_Part]:
    for recording in index:
        rows = round(_BLOCK_SECONDS * recording.rate)
        count = len(recording.acceleration) // rows
        blocks = recording.acceleration[: count * rows].reshape(count, rows, 3)
        yield _Part(
            recording.study, recording.subject, recording.activity, recording.rate, blocks, recording.seconds
        )  # fmt: skip


def _add(sums: _Sums, part: _Part) -> None:
    sums.amounts[part.activity] += part.amount
    sums.rates.add(part.rate)
    if part.subject:
        sums.people.add(part.subject)
    if not len(part.windows):
        return
    acceleration = part.windows[..., :3].astype(np.float64)
    sums.magnitudes += np.linalg.norm(acceleration, axis=2).mean(axis=1).tolist()
    if part.activity == _WALKING:
        sums.tilts += tilt(acceleration).tolist()
        sums.cadences += cadence(acceleration, part.rate).tolist()


def tilt(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angle between the y axis of the phone and up, in degrees: 0 upright, 90 flat, 180 upside down.

    Args:
        windows: `(n, rows, 3)` acceleration with gravity.

    Example:
        >>> tilt(np.tile([0.0, -9.8, 0.0], (1, 50, 1))).tolist()
        [180.0]
    """
    mean = windows.mean(axis=1)
    upright = mean[:, 1] / np.maximum(np.linalg.norm(mean, axis=1), 1e-9)
    return np.asarray(np.degrees(np.arccos(np.clip(upright, -1, 1))))


def cadence(windows: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Steps per second: the strongest frequency of the magnitude between 1.2 and 3 Hz.

    Args:
        windows: `(n, rows, 3)` acceleration of people who walk.
        rate: Sampling rate in Hz.

    Example:
        >>> steps = 9.8 + np.sin(2 * np.pi * 1.8 * np.arange(200) / 50)
        >>> cadence(np.stack([0 * steps, steps, 0 * steps], axis=1)[None], 50.0).round(1).tolist()
        [1.8]
    """
    magnitude = np.linalg.norm(windows, axis=2)
    magnitude = (magnitude - magnitude.mean(axis=1, keepdims=True)) * np.hanning(magnitude.shape[1])
    size = 1 << int(np.ceil(np.log2(8 * magnitude.shape[1])))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    band = (frequencies >= _STEPS[0]) & (frequencies <= _STEPS[1])
    if not band.any():
        return np.empty(0)
    strongest = np.abs(np.fft.rfft(magnitude, size, axis=1))[:, band].argmax(axis=1)
    return np.asarray(frequencies[band][strongest])


def _rounded(statistic: Any, values: Iterable[float], digits: int) -> float | None:
    several = list(values)
    return round(float(statistic(several)), digits) if several else None
