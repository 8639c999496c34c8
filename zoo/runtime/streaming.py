"""Continuous recognition: samples in as they arrive, a stable label out.

    sample (t, x, y, z)  ->  rows at the model's rate  ->  network  ->  smoothed label

Rows: the signal is interpolated linearly between two samples and read at the model's rate. Where samples arrive faster
than four thirds of that rate, a row is the mean of the interpolated signal since the row before, which filters out
what is too fast for the model's rate.

Network: a recurrent one reads a frame at a time. It was trained on windows and has never seen the states that minutes
of signal leave behind, so `copies` of its states run in parallel; each restarts from zero every `restart` rows, at
staggered times, and the oldest one answers. A network without states reads the last `window` rows every `hop` rows.

Label: probabilities are averaged over the past with weights exp(-age / smoothing). Another label replaces the current
one when it is more probable by `margin`; no label is shown while the current one is less probable than `threshold`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.metadata import STANDARD_GRAVITY, ActivityMetadata, Streaming

Floats = NDArray[np.float32]
Step = Callable[[Floats, Mapping[str, Floats]], tuple[Floats, dict[str, Floats]]]
Vector = tuple[float, float, float]

GAP = 1.0
"""Seconds without a sample after which the signal starts anew."""

LIMIT = 160.0
"""m/s^2 an axis: phones measure up to 16 g, so a larger value is a fault."""

_FASTER = 0.75
"""Share of the model's interval: samples that arrive in less are averaged."""

_CHECKED = 2.0
"""Seconds of rows over which the signal is checked."""


@dataclass(frozen=True)
class Prediction:
    """What a person is doing now.

    Args:
        time: Seconds, on the clock of the samples: when the last row was read.
        label: The activity, or None where the network is not sure enough.
        probability: Of that label, or of the most probable one, averaged over the past.
        probabilities: Of all classes, averaged over the past.

    Example:
        >>> prediction = Prediction(3.0, "walking", 0.75, np.array([0.25, 0.75]))
        >>> f"{prediction.time:.1f} s {prediction.label} {prediction.probability:.0%}"
        '3.0 s walking 75%'
    """

    time: float
    label: str | None
    probability: float
    probabilities: NDArray[np.float64]


class Resampler:
    """Converts samples of any rate, with jitter, to rows of one rate.

    Args:
        rate: Hz of the rows.

    Example:
        >>> resampler = Resampler(2.0)
        >>> _ = resampler.push(0.0, (0.0, 0.0, 0.0))
        >>> resampler.push(0.75, (3.0, 3.0, 6.0))
        [(0.5, (2.0, 2.0, 4.0))]
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.restart()

    def restart(self) -> None:
        """Forgets all samples."""
        self.first = self.last = self.interval = math.nan
        self.value: Vector = (0.0, 0.0, 0.0)
        self.area: Vector = (0.0, 0.0, 0.0)
        self.span = 0.0
        self.rows = 0

    def push(self, time: float, value: Vector) -> list[tuple[float, Vector]]:
        """Adds a sample.

        Args:
            time: Seconds, later than the sample before.
            value: x, y, z.

        Returns:
            The rows that it completes, with their times.
        """
        if not self.rows:
            self.first = self.last = time
            self.value, self.rows = value, 1
            return [(time, value)]
        last, start = self.last, self.value
        elapsed = time - last
        # Not a number before the second sample.
        self.interval = 0.9 * self.interval + 0.1 * elapsed if self.interval >= 0 else elapsed
        found = []
        while (moment := self.first + self.rows / self.rate) <= time + 1e-9:
            share = min(1.0, (moment - last) / elapsed)
            row = (
                start[0] + share * (value[0] - start[0]),
                start[1] + share * (value[1] - start[1]),
                start[2] + share * (value[2] - start[2]),
            )
            self._integrate(moment, row)
            if self.interval < _FASTER / self.rate:
                x, y, z = self.area
                row = (x / self.span, y / self.span, z / self.span)
            found.append((moment, row))
            self.area, self.span = (0.0, 0.0, 0.0), 0.0
            self.rows += 1
        self._integrate(time, value)
        return found

    def _integrate(self, time: float, value: Vector) -> None:
        """Adds the area under the line from the last point to this one."""
        width = time - self.last
        half, (a, b, c), (x, y, z), (u, v, w) = width / 2, self.area, self.value, value
        self.area = (a + half * (x + u), b + half * (y + v), c + half * (z + w))
        self.span += width
        self.last, self.value = time, value


class StaggeredStates:
    """Rows in, probabilities out: of the oldest of several states that restart at staggered times.

    A network without states is the case of one that reads `size` rows at once and advances by fewer.

    Args:
        step: Runs the network.
        metadata: Its states, frame, window and hop.
        settings: How states restart.
    """

    def __init__(self, step: Step, metadata: ActivityMetadata, settings: Streaming) -> None:
        self.step, self.states = step, metadata.states
        frame = metadata.frame
        self.size = frame if self.states else metadata.window
        self.advance = frame if self.states else min(max(1, metadata.hop), metadata.window)
        self.period = max(1, settings.restart // frame) if settings.restart and self.states else 0
        self.copies = settings.copies if self.period else 1
        self.warmup = -(-settings.warmup // frame) if self.states else 0
        self.restart()

    def restart(self) -> None:
        """Forgets all rows."""
        self.frames = 0
        self.rows: list[Vector] = []
        self.carried: list[dict[str, Floats] | None] = [None] * self.copies
        self.ages = [0] * self.copies

    def push(self, row: Vector) -> NDArray[np.float64] | None:
        """Probabilities `(classes,)`; None until enough rows have been read."""
        self.rows.append(row)
        if len(self.rows) < self.size:
            return None
        frame = np.array([self.rows], np.float32)
        del self.rows[: self.advance]
        probabilities: dict[int, Floats] = {}
        for copy in range(self.copies):
            since = self.frames - copy * self.period // self.copies
            if since == 0 or (since > 0 and self.period and since % self.period == 0):
                self.carried[copy], self.ages[copy] = self._zeros(), 0
            states = self.carried[copy]
            if states is not None:
                found, self.carried[copy] = self.step(frame, states)
                self.ages[copy] += 1
                probabilities[self.ages[copy]] = found[0]
        self.frames += 1
        oldest = max(probabilities)
        return probabilities[oldest].astype(np.float64) if oldest >= self.warmup else None

    def _zeros(self) -> dict[str, Floats]:
        return {name: np.zeros((1, size), np.float32) for name, size in self.states.items()}


class Stream:
    """Samples in, predictions out; made by `Recognizer.stream`.

    Faulty samples are dropped and counted in `skipped`: values that are not finite or beyond 160 m/s^2, and time stamps
    that are not later than the one before. A single stamp more than a second away is dropped as well; when the next
    sample confirms it, the signal starts anew. `warnings` names each problem with the signal itself once.

    Args:
        metadata: Of the recognizer; without states its network reads whole windows.
        step: Runs the network: a frame (or a window) and states in, probabilities and new states out.
        settings: How labels are made; those of the metadata by default.
    """

    def __init__(self, metadata: ActivityMetadata, step: Step, settings: Streaming | None = None) -> None:
        self.metadata, self.settings = metadata, settings or metadata.streaming
        self.skipped: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._resampler = Resampler(metadata.rate)
        self._network = StaggeredStates(step, metadata, self.settings)
        self._monitor = _Monitor(metadata.rate)
        seconds = self._network.advance / metadata.rate
        self._decay = math.exp(-seconds / self.settings.smoothing) if self.settings.smoothing else 0.0
        self._pending: tuple[float, Vector] | None = None
        self._restart()

    def _restart(self) -> None:
        self._resampler.restart()
        self._network.restart()
        self._mean: NDArray[np.float64] | None = None
        self._shown: int | None = None

    def push(self, time: float, x: float, y: float, z: float) -> list[Prediction]:
        """Adds one sample.

        Args:
            time: Seconds, on any clock.
            x: m/s^2, in the convention of the metadata.
            y: The same of the second axis.
            z: The same of the third axis.

        Returns:
            The predictions that it completes: none, one, or several where samples are slower than frames.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> from zoo.runtime import Recognizer
            >>> file = PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite"
            >>> stream = Recognizer(file).stream()
            >>> predictions = [found for i in range(200) for found in stream.push(i / 50, 0.1, 9.8, 0.2)]
            >>> predictions[-1].label
            'standing'
        """
        # False for what is not a number, too.
        if not (-LIMIT <= x <= LIMIT and -LIMIT <= y <= LIMIT and -LIMIT <= z <= LIMIT and math.isfinite(time)):
            finite = all(map(math.isfinite, (time, x, y, z)))
            self.skipped[f"beyond {LIMIT:g} m/s^2" if finite else "not finite"] += 1
            return []
        elapsed = time - self._resampler.last
        if 0 < elapsed <= GAP:
            if self._pending:
                self._drop_pending()
        # Not a number before the first sample.
        elif not math.isnan(elapsed):
            return self._unexpected(time, (x, y, z), elapsed)
        return self._read(time, (x, y, z))

    def feed(self, samples: Iterable[tuple[float, float, float, float]]) -> Iterator[Prediction]:
        """Adds samples `(time, x, y, z)` one after another and yields predictions as they are made."""
        for sample in samples:
            yield from self.push(*sample)

    def _unexpected(self, time: float, value: Vector, elapsed: float) -> list[Prediction]:
        """A sample whose time stamp does not follow the last one."""
        late = elapsed if abs(elapsed) <= GAP or not self._pending else time - self._pending[0]
        if -GAP <= late <= 0:
            self.skipped["not later than the one before"] += 1
            self.warnings += self._monitor.repeated()
            return []
        if self._pending and late <= GAP and late > 0:
            # Two samples agree on the new time: it was a gap, or the clock was set.
            before, self._pending = self._pending, None
            self.skipped["gaps"] += 1
            self._restart()
            return self._read(*before) + self._read(time, value)
        if self._pending:
            self._drop_pending()
        self._pending = (time, value)
        return []

    def _drop_pending(self) -> None:
        self._pending = None
        self.skipped["time stamps that no other confirms"] += 1

    def _read(self, time: float, value: Vector) -> list[Prediction]:
        predictions = []
        for moment, row in self._resampler.push(time, value):
            self.warnings += self._monitor.check(row, self._resampler.interval)
            probabilities = self._network.push(row)
            if probabilities is not None:
                predictions.append(self._smoothed(moment, probabilities))
        return predictions

    def _smoothed(self, time: float, probabilities: NDArray[np.float64]) -> Prediction:
        mean = probabilities if self._mean is None else probabilities + self._decay * (self._mean - probabilities)
        best = int(mean.argmax())
        if self._shown is None or mean[best] - mean[self._shown] >= self.settings.margin:
            self._shown = best
        self._mean = mean
        sure = mean[self._shown] >= self.settings.threshold
        label = self.metadata.classes[self._shown] if sure else None
        return Prediction(time, label, float(mean[self._shown if sure else best]), mean)


class _Monitor:
    """Checks whether the signal can be a phone's; reports each problem once."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.count = round(_CHECKED * rate)
        self.rows: list[Vector] = []
        self.repeats = 0
        self.reported: set[str] = set()

    def check(self, row: Vector, interval: float) -> list[str]:
        self.rows.append(row)
        if len(self.rows) < self.count:
            return []
        rows, self.rows, self.repeats = np.array(self.rows), [], 0
        magnitude = float(np.linalg.norm(rows, axis=1).mean())
        still = [axis for axis, column in zip("xyz", rows.T, strict=True) if np.ptp(column) == 0]
        problems = {
            "unit": (0.5 < magnitude < 2, f"mean magnitude {magnitude:.2f}, as in g; expected m/s^2: multiply by "
                     f"{STANDARD_GRAVITY}"),
            "magnitude": (not 0.5 < magnitude < 2 and not 5 < magnitude < 25, f"mean magnitude {magnitude:.1f} m/s^2; "
                          f"expected about {STANDARD_GRAVITY:.1f}, gravity included"),
            "still": (bool(still), f"axis {', '.join(still)} has not moved for {_CHECKED:g} s: is the sensor on?"),
            "rate": (interval > 1.25 / self.rate, f"samples come at {1 / interval:.1f} Hz; the model was trained on "
                     f"{self.rate:g} Hz"),
        }  # fmt: skip
        return [found for name, (wrong, text) in problems.items() if wrong for found in self._once(name, text)]

    def repeated(self) -> list[str]:
        """Counts a time stamp that is not later than the one before."""
        self.repeats += 1
        if self.repeats < self.count / 2:
            return []
        return self._once("stamps", "many time stamps repeat or go back: expected seconds with decimals, one a sample")

    def _once(self, name: str, text: str) -> list[str]:
        if name in self.reported:
            return []
        self.reported.add(name)
        return [text]


def predict_recording(stream: Stream, rows: NDArray[np.floating[Any]], rate: float) -> list[Prediction]:
    """Predictions for a whole recording.

    Args:
        stream: A new stream.
        rows: `(N, 3)`, m/s^2.
        rate: Hz of the rows.
    """
    return list(stream.feed((i / rate, *row) for i, row in enumerate(rows.tolist())))
