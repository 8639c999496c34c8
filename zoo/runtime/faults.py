"""What no recognizer can judge: a phone that nobody carries, and a signal that is no phone's.

A body moves a phone, if only by its breath and pulse, and such motion is smooth: each sample resembles the one before.
A phone on a table shows the noise of its sensor alone, in which samples have nothing to do with each other. Over five
seconds, the mean correlation of successive samples was 0.15 or more for all 19 people of MotionSense who sat or stood,
and it is within 0.1 of zero for noise. Samples that come fewer than 45 times a second are too far apart to tell, and
some browsers round them to 0.1 m/s^2; a phone is then at rest if its samples are all equal.

Nobody takes more than three and a half steps a second, and a step is no sine: its acceleration does not come back after
0.12 to 0.28 s. That of a hand that shakes a phone does. While people of four studies sat, stood, walked, ran or climbed
for 14 hours, it did for half a second; of simulated shaking with a mean magnitude in range, for 97 % of the time
(benchmarks/shaking.py).
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from zoo.runtime.resampling import Vector, mean_interval

AT_REST, NO_SIGNAL, TOO_SLOW, SHAKEN = "at rest", "no signal", "too slow", "shaken"

_STRETCH = 5.0
"""Seconds without motion after which a phone may be at rest."""

_MOTION = 0.3
"""Change of an axis in m/s^2 that only motion causes. The noise of a phone's sensor is a tenth of it."""

_TURNING = 0.2
"""Rotation rate in rad/s that only motion causes. A gyroscope at rest is off by a tenth of it."""

_NOISE = 0.03
"""Standard deviation in m/s^2 below which noise alone is possible."""

_ROUNDED, _ROUNDED_NOISE = 0.05, 0.06
"""Change of an axis in m/s^2 from which samples are rounded, and the standard deviation that noise may then have."""

_ROUNDING = 1e-10
"""Change, and variance, of numbers that are equal but for the last bits."""

_CORRELATION, _STILL_CORRELATION = 0.1, 0.25
"""Mean correlation of successive samples below which a phone is taken to be at rest, and below which it remains so."""

_FASTEST, _SLOWEST = 1 / 45, 1 / 15
"""Mean interval of samples in seconds up to which their correlation is telling, and up to which activities are."""

LEAST, MOST, LEAST_GRAVITY = 5.0, 25.0, 2.0
"""Range of the mean magnitude of a phone's acceleration in m/s^2, and the least length of its mean vector."""

_SHAKING, _OFTEN = 2.0, 0.5
"""Seconds that are searched for shaking, and between two searches."""

_STRONG, _BACK, _FORTH, _REPEATED = 6.0, (0.12, 0.28), 0.16, 0.5
"""Of shaking: the least deviation of the acceleration in m/s^2, the seconds after which it comes back, those within
which it turns around, and its correlation with itself when it is back."""

_MOST = 1 << 14
"""Samples that are kept at most, to search them for shaking and for noise."""

_MEMORY = 1.0
"""Time constant in seconds of these means, which are judged after twice as long."""


class Signal:
    """Follows samples and says why they cannot be recognized.

    `fault` is `at rest` if no body moves the phone, `no signal` if values are not those of an accelerometer with
    gravity in m/s^2, `too slow` if samples are further apart than 1/15 s, `shaken` if the phone goes back and forth
    faster than anybody steps, and None otherwise. Without `steps`, something faster than steps may be recognized.
    """

    def __init__(self, steps: bool = True) -> None:
        self._steps = steps
        self.fault: str | None = None
        self._first = self._last = self._interval = math.nan
        self._means = (0.0, 0.0, 0.0, 0.0)
        self._shaken = False
        self._recent, self._searched = deque[tuple[float, ...]](maxlen=_MOST), math.nan
        self._begin(math.nan, (math.nan, math.nan, math.nan))

    def _begin(self, time: float, value: Vector, rests: bool = False) -> None:
        # A stretch without motion begins at a sample, to which the others are compared.
        self._rests, self._start, self._from = rests, time, value
        self._stretch = deque([value], maxlen=_MOST)

    def push(self, time: float, value: Sequence[float]) -> None:
        """Adds a sample, later than the previous one: seconds, m/s^2 along x, y, z, and perhaps rad/s about them."""
        x, y, z, *rotation = value
        magnitude = math.sqrt(x * x + y * y + z * z)
        elapsed = time - self._last
        if math.isnan(elapsed):
            self._first, self._means, self._searched = time, (x, y, z, magnitude), time
        else:
            self._interval = mean_interval(self._interval, elapsed)
            share = 1 - math.exp(-elapsed / _MEMORY)
            a, b, c, d = self._means
            self._means = (a + share * (x - a), b + share * (y - b), c + share * (z - c), d + share * (magnitude - d))
        self._last = time
        if any(abs(rate) > _TURNING for rate in rotation):
            self._begin(time, (x, y, z))
        else:
            self._watch_rest(time, (x, y, z))
        if self._steps:
            self._watch_shaking(time, (x, y, z))
        self.fault = SHAKEN if self._shaken else AT_REST if self._rests else None
        if time - self._first >= 2 * _MEMORY:
            *vector, length = self._means
            if not LEAST < length < MOST or math.hypot(*vector) < LEAST_GRAVITY:
                self.fault = NO_SIGNAL
            elif self._interval > _SLOWEST:
                self.fault = TOO_SLOW

    def _watch_rest(self, time: float, value: Vector) -> None:
        """Looks, after a stretch without motion, whether it holds the noise of a sensor alone, or nothing at all."""
        (a, b, c), (x, y, z) = self._from, value
        # Written so that NaN, before the first sample, begins a stretch as well.
        if not (abs(x - a) <= _MOTION and abs(y - b) <= _MOTION and abs(z - c) <= _MOTION):
            self._begin(time, value)
            return
        self._stretch.append(value)
        if time - self._start < _STRETCH:
            return
        moves = np.array(self._stretch) - self._from
        moves, before = moves[1:], moves[:-1]
        squared = moves.mean(axis=0) ** 2
        variance, shared = (moves**2).mean(axis=0) - squared, (moves * before).mean(axis=0) - squared
        changes = np.abs(moves - before)
        step = changes[changes > _ROUNDING].min(initial=math.inf)
        quiet = (variance <= (_NOISE if step < _ROUNDED else _ROUNDED_NOISE) ** 2).all()
        moving, limit = variance > _ROUNDING, _STILL_CORRELATION if self._rests else _CORRELATION
        noise = not moving.any() or (self._interval <= _FASTEST and (shared[moving] / variance[moving]).mean() < limit)
        self._begin(time, value, bool(quiet and noise))

    def _watch_shaking(self, time: float, value: Vector) -> None:
        """Searches the last seconds, every now and then, for motion that goes back and forth faster than steps do."""
        self._recent.append((time, *value))
        if time - self._searched < _OFTEN:
            return
        self._searched, self._shaken = time, False
        while (first := self._recent[0][0]) < time - _SHAKING:
            self._recent.popleft()
        rows = np.array(self._recent)[:, 1:]
        moves = rows - rows.mean(axis=0)
        power = float(np.vdot(moves, moves)) / len(moves)
        if time - first < _SHAKING / 2 or power < _STRONG**2:
            return
        interval = (time - first) / (len(moves) - 1)
        shares = {
            lag * interval: float(np.vdot(moves[lag:], moves[:-lag])) / (len(moves) - lag) / power
            for lag in range(1, math.floor(_BACK[1] / interval + _ROUNDING) + 1)
        }
        back = [share for seconds, share in shares.items() if seconds >= _BACK[0] - _ROUNDING]
        forth = [share for seconds, share in shares.items() if seconds <= _FORTH + _ROUNDING]
        self._shaken = max(back, default=0.0) >= _REPEATED and min(forth, default=0.0) < 0
