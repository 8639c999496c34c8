"""Conversion of samples of any rate, with jitter, to rows of one rate.

The signal is interpolated linearly between samples and read at the rate of the rows. If samples arrive at more than
four thirds of that rate, each row is the mean of the interpolated signal since the previous row, which removes
frequencies that are too high for the rate.
"""

import math
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, ...]
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

_FASTER = 0.75
"""Fraction of the interval between rows. Samples that arrive at shorter intervals are averaged."""

_EARLY = 1e-9
"""Seconds by which a row may be later than the sample that completes it, for the rounding of time stamps."""

_FOLDED = 16
"""Number of points from which on their area is added up, so that a burst of samples takes no memory."""


class Rows(NamedTuple):
    """Rows that a block of samples completes: times in seconds `(N,)`, values `(N, channels)`, the mean intervals
    between samples at each row, in seconds `(N,)`, and the numbers of the samples that complete them, `(N,)`.
    """

    times: Numbers
    values: Numbers
    intervals: Numbers
    samples: Places


class Resampler:
    """Converts samples to rows of a rate in Hz, one at a time or in blocks. Both give the same rows to the last bit.

    Example:
        >>> resampler = Resampler(2.0)
        >>> _ = resampler.push(0.0, (0.0, 0.0, 0.0))
        >>> resampler.push(0.75, (3.0, 3.0, 6.0))
        [(0.5, (2.0, 2.0, 4.0))]
        >>> resampler.push_block(np.array([1.0, 1.5]), np.array([[4.0, 4.0, 8.0], [4.0, 4.0, 0.0]])).values.tolist()
        [[4.0, 4.0, 8.0], [4.0, 4.0, 0.0]]
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._averaged = _FASTER / rate
        self.restart()

    def restart(self) -> None:
        """Discards all samples."""
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
        """Adds a sample, later than the previous one. Returns the rows that it completes, with their times."""
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
        """Starts a new area at a point of the line."""
        self._area, self._span, self._corner = self._nothing, 0.0, (time, value)
        self._points = []

    def _fold(self) -> None:
        """Adds the area under the line between the points."""
        last, start = self._corner
        for time, value in self._points:
            width = time - last
            half = width / 2
            self._area = tuple([a + half * (x + u) for a, x, u in zip(self._area, start, value, strict=True)])
            self._span += width
            last, start = time, value
        self._corner = (last, start)
        self._points.clear()

    def push_block(self, times: Numbers, values: Numbers) -> Rows:
        """Adds one or more samples `(N,)` and `(N, channels)`, as `push` does one after another."""
        if not self.rows:
            self.push(float(times[0]), tuple(values[0].tolist()))
            first = Rows(times[:1], values[:1], np.array([math.nan]), np.array([0]))
            if len(times) == 1:
                return first
            others = self.push_block(times[1:], values[1:])
            joined = map(np.concatenate, zip(first, others._replace(samples=others.samples + 1), strict=True))
            return Rows._make(joined)
        before, starts = np.append(self.last, times[:-1]), np.vstack([self.value, values[:-1]])
        elapsed = times - before
        intervals = np.fromiter(accumulate(elapsed.tolist(), mean_interval, initial=self.interval), float)[1:]
        moments = self._moments(float(times[-1]))
        # Of each row, the sample that completes it.
        which = np.searchsorted(times + _EARLY, moments)
        share = np.minimum(1.0, (moments - before[which]) / elapsed[which])[:, None]
        points = starts[which] + share * (values[which] - starts[which])
        means = self._means(times, values, moments, points, which)
        averaged = intervals[which] < self._averaged
        self.rows += len(moments)
        self.interval = float(intervals[-1])
        self.last, self.value = float(times[-1]), tuple(values[-1].tolist())
        return Rows(moments, np.where(averaged[:, None], means, points), intervals[which], which)

    def _moments(self, end: float) -> Numbers:
        """Returns the times of the rows up to the last sample."""
        most = int((end + _EARLY - self.first) * self.rate) + 2
        moments = self.first + np.arange(self.rows, max(most, self.rows)) / self.rate
        return moments[moments <= end + _EARLY]

    def _means(self, times: Numbers, values: Numbers, moments: Numbers, points: Numbers, which: Places) -> Numbers:
        """Returns the mean of the signal since the previous row for each row, and keeps the area after the last one."""
        self._fold()
        last, start = self._corner
        # Samples and rows in the order of `push`: a row before the sample that completes it.
        rows = np.arange(len(moments)) + which
        line, clock = np.empty((len(times) + len(moments), values.shape[1])), np.empty(len(times) + len(moments))
        others = np.ones(len(clock), bool)
        others[rows] = False
        line[rows], clock[rows], line[others], clock[others] = points, moments, values, times
        widths = np.diff(clock, prepend=last)
        areas = (widths / 2)[:, None] * (np.vstack([start, line[:-1]]) + line)
        # The row that each stretch of the line belongs to. `bincount` adds one after another, as `_fold` does.
        row = np.append(0, np.cumsum(~others) - ~others)
        total = np.stack([
            np.bincount(row, np.append(carried, part), len(moments) + 1)
            for carried, part in zip((*self._area, self._span), (*areas.T, widths), strict=True)
        ], axis=1)  # fmt: skip
        self._area, self._span = tuple(total[-1, :-1].tolist()), float(total[-1, -1])
        self._corner = (float(times[-1]), tuple(values[-1].tolist()))
        with np.errstate(divide="ignore", invalid="ignore"):
            return total[:-1, :-1] / total[:-1, -1:]


def mean_interval(interval: float, elapsed: float) -> float:
    """Returns the mean interval after another one. It is NaN before the second sample."""
    return 0.9 * interval + 0.1 * elapsed if interval >= 0 else elapsed
