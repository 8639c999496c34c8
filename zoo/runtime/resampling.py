"""Conversion of samples of any rate, with jitter, to rows of one rate.

The signal is interpolated linearly between samples and read at the rate of the rows. If samples arrive at more than
four thirds of that rate, each row is the mean of the interpolated signal since the previous row, which removes
frequencies that are too high for the rate.
"""

import math

Vector = tuple[float, ...]

_FASTER = 0.75
"""Fraction of the interval between rows. Samples that arrive at shorter intervals are averaged."""

_EARLY = 1e-9
"""Seconds by which a row may be later than the sample that completes it, for the rounding of time stamps."""

_FOLDED = 16
"""Number of points from which on their area is added up, so that a burst of samples takes no memory."""


class Resampler:
    """Converts samples to rows of a rate in Hz."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._averaged = _FASTER / rate
        self.first = self.last = self.interval = math.nan
        self.value: Vector = ()
        self.rows = 0
        # The area under the line since the previous row, up to `_corner`, and the points after that.
        self._nothing: Vector = ()
        self._area: Vector = ()
        self._span = 0.0
        self._corner: tuple[float, Vector] = (math.nan, ())
        self._points: list[tuple[float, Vector]] = []

    def push(self, time: float, value: Vector) -> list[tuple[float, Vector]]:
        """The rows that a sample, later than the previous one, completes, with their times."""
        if not self.rows:
            self.first, self.rows, self._nothing = time, 1, (0.0,) * len(value)
            self._start(time, value)
            self.last, self.value = time, value
            return [(time, value)]
        last, start = self.last, self.value
        elapsed = time - last
        self.interval = mean_interval(self.interval, elapsed)
        rows = []
        while (moment := self.first + self.rows / self.rate) <= time + _EARLY:
            share = min(1.0, (moment - last) / elapsed)
            row = point = tuple([x + share * (u - x) for x, u in zip(start, value, strict=True)])
            if self.interval < self._averaged:
                self._points.append((moment, point))
                self._fold()
                row = tuple([a / self._span for a in self._area])
            rows.append((moment, row))
            self._start(moment, point)
            self.rows += 1
        self._points.append((time, value))
        if len(self._points) > _FOLDED:
            self._fold()
        self.last, self.value = time, value
        return rows

    def _start(self, time: float, value: Vector) -> None:
        self._area, self._span, self._corner = self._nothing, 0.0, (time, value)
        self._points = []

    def _fold(self) -> None:
        # The area under the line between the points.
        last, start = self._corner
        for time, value in self._points:
            width = time - last
            half = width / 2
            self._area = tuple([a + half * (x + u) for a, x, u in zip(self._area, start, value, strict=True)])
            self._span += width
            last, start = time, value
        self._corner = (last, start)
        self._points.clear()


def mean_interval(interval: float, elapsed: float) -> float:
    """The mean interval after another one; NaN before the second sample."""
    return 0.9 * interval + 0.1 * elapsed if interval >= 0 else elapsed
