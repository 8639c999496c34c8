"""Oxford step counter: walking alone, with the phone in eight places, at 100 to 406 Hz.

Files of `optimisation` have no names of columns: nanoseconds, accuracy, x, y, z in m/s^2 with Android's sign. Files of
`validation` have a time stamp, x, y, z and three counts of steps. Some clocks count microseconds. The phone is put away
for up to 9 s and taken out for up to 12 s (a bag: 14; one pocket: 18): 12 s are left out at both ends.

It is not documented whether `user1` and `user2` of the validation are among the other three. Keep all five on one side
of a split.
"""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from zoo.activity.recordings import Recording, enough_rows, steady_length, typical_rate
from zoo.activity.studies.reading import Source
from zoo.runtime.metadata import STANDARD_GRAVITY

_POSITIONS = {
    "inhand": "hand", "hand": "hand", "swingingarm": "swinging arm", "frontpocket": "front pocket",
    "backpocket": "back pocket", "purse": "purse", "bag": "bag", "neckpouch": "neck pouch", "armband": "armband",
}  # fmt: skip
_OPTIMISATION = ("time", "accuracy", "x", "y", "z")
_VALIDATION = ("time", "x", "y", "z", "steps of the algorithm", "true steps", "steps of the phone")


def read(source: Source) -> Iterator[Recording]:
    """Reads walking."""
    for name, text in source.texts():
        if found := re.search(r"validation/(user\d+)_([a-z]+)_", name):
            subject, position, device = found[1], found[2], "Samsung Galaxy S6"
            values = source.numbers(name, source.rows(name, text, _VALIDATION), 0, 1, 2, 3)
        else:
            device, subject, _, position, *_ = name.split("/")[-2].split("_")
            values = source.numbers(name, source.rows(name, text, _OPTIMISATION), 0, 2, 3, 4)
        position = _POSITIONS.get(position.lower(), position.lower())
        times = source.seconds(name, values[:, 0], "ns", "us")
        yield from source.recordings(
            name,
            subject.lower(),
            "walking",
            times,
            _in_meters(source, values[:, 1:], times),
            position=position,
            device=device,
        )


def _in_meters(source: Source, rows: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Converts rows of a file that is in g to m/s^2."""
    rate = typical_rate(times)
    if not enough_rows(rows, rate) or not 0.8 < steady_length(rows, rate) < 1.25:
        return rows
    source.dropped["files in g, converted to m/s^2"] += 1
    return rows * STANDARD_GRAVITY
