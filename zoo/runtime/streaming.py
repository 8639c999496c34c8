"""Continuous recognition: from samples as they arrive to a stable label.

    sample (t, x, y, z)  ->  rows at the model's rate  ->  network  ->  smoothed label

A sample of a model that also reads a gyroscope is (t, x, y, z, gyro_x, gyro_y, gyro_z).

Rows: the signal is interpolated linearly between samples and read at the model's rate. If samples arrive at more than
four thirds of that rate, each row is the mean of the interpolated signal since the previous row, which removes
frequencies that are too high for the model's rate.

Network: a recurrent network reads one frame at a time. It was trained on windows, not on the states that arise after
minutes of signal, so `copies` of its states run in parallel. Each restarts from zero every `restart` rows, at staggered
times; the prediction is that of the oldest. A network without states reads the last `window` rows every `hop` rows.

Label: probabilities are averaged over the past with weights exp(-age / smoothing). Another label replaces the current
one when its probability is higher by `margin`. No label is shown while the probability is below `threshold`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.metadata import STANDARD_GRAVITY, ActivityMetadata, Streaming

Floats = NDArray[np.float32]
Step = Callable[[Floats, Mapping[str, Floats]], tuple[Floats, dict[str, Floats]]]
Vector = tuple[float, ...]

GAP = 1.0
"""Seconds without a sample after which the stream restarts."""

LIMIT = 160.0
"""Limit of each axis in m/s^2. Phones measure up to 16 g, so a larger value is a fault."""

ROTATION_LIMIT = 100.0
"""Limit of each axis of the gyroscope in rad/s. Phones measure up to 70, which are 4,000 degrees a second."""

_FASTER = 0.75
"""Fraction of the model's sampling interval. Samples that arrive at shorter intervals are averaged."""

_FASTEST = 20.0
"""Mean rotation rate in rad/s that no phone has."""

_CHECKED = 2.0
"""Length in seconds of the blocks in which the signal is checked."""


@dataclass(frozen=True)
class Prediction:
    """The activity that is recognized at one time.

    Args:
        time: Time of the last row in seconds, on the clock of the samples.
        label: Activity, or None if its probability is too low.
        probability: Probability of the label, or of the most probable class if there is no label.
        probabilities: Probabilities of all classes `(classes,)`, averaged over the past.

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
        rate: Rate of the rows in Hz.

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
        """Discards all samples."""
        self.first = self.last = self.interval = math.nan
        self.value: Vector = ()
        self.area: Vector = ()
        self.span = 0.0
        self.rows = 0

    def push(self, time: float, value: Vector) -> list[tuple[float, Vector]]:
        """Adds a sample.

        Args:
            time: Time in seconds, later than that of the previous sample.
            value: Values of all channels.

        Returns:
            The rows that the sample completes, with their times.
        """
        if not self.rows:
            self.first = self.last = time
            self.value, self.rows = value, 1
            self.area = (0.0,) * len(value)
            return [(time, value)]
        last, start = self.last, self.value
        elapsed = time - last
        # NaN before the second sample.
        self.interval = 0.9 * self.interval + 0.1 * elapsed if self.interval >= 0 else elapsed
        rows = []
        while (moment := self.first + self.rows / self.rate) <= time + 1e-9:
            share = min(1.0, (moment - last) / elapsed)
            row = tuple(x + share * (u - x) for x, u in zip(start, value, strict=True))
            self._integrate(moment, row)
            if self.interval < _FASTER / self.rate:
                row = tuple(a / self.span for a in self.area)
            rows.append((moment, row))
            self.area, self.span = (0.0,) * len(value), 0.0
            self.rows += 1
        self._integrate(time, value)
        return rows

    def _integrate(self, time: float, value: Vector) -> None:
        """Adds the area under the line from the previous point to this one."""
        width = time - self.last
        half = width / 2
        self.area = tuple(a + half * (x + u) for a, x, u in zip(self.area, self.value, value, strict=True))
        self.span += width
        self.last, self.value = time, value


class StaggeredStates:
    """Predicts probabilities from rows, with several copies of the states that restart at staggered times.

    A network without states is treated as one that reads a whole window per step and advances by `hop` rows.

    Args:
        step: Function that runs the network.
        metadata: Metadata with its states, frame, window and hop.
        settings: Settings of the restarts.
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
        """Discards all rows and states."""
        self.frames = 0
        self.rows: list[Vector] = []
        self.carried: list[dict[str, Floats] | None] = [None] * self.copies
        self.ages = [0] * self.copies

    def push(self, row: Vector) -> NDArray[np.float64] | None:
        """Adds a row. Returns probabilities `(classes,)`, or None until a frame and the warm-up are complete."""
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
                outputs, self.carried[copy] = self.step(frame, states)
                self.ages[copy] += 1
                probabilities[self.ages[copy]] = outputs[0]
        self.frames += 1
        oldest = max(probabilities)
        return probabilities[oldest].astype(np.float64) if oldest >= self.warmup else None

    def _zeros(self) -> dict[str, Floats]:
        return {name: np.zeros((1, size), np.float32) for name, size in self.states.items()}


class Stream:
    """Recognizes activities in a continuous signal. Created by `Recognizer.stream`.

    Faulty samples are dropped and counted in `skipped`: values that are not finite or exceed 160 m/s^2 or
    100 rad/s, and time stamps that are not later than the previous one. A sample more than a second away from the
    previous one is dropped as well, unless the next sample confirms its time: then the stream restarts there.
    `warnings` lists each problem with the signal itself once.

    Args:
        metadata: Metadata of the recognizer. If it has no states, `step` reads whole windows.
        step: Function that runs the network: from a frame (or a window) and states to probabilities and new states.
        settings: Restarts, smoothing and thresholds. Those of the metadata by default.
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

    def push(self, time: float, *values: float) -> list[Prediction]:
        """Adds one sample.

        Args:
            time: Time in seconds, on any clock.
            *values: Acceleration along x, y and z in m/s^2, with the sign convention of the metadata. For a model with
                six channels, then the rotation rate about x, y and z in rad/s, by the right-hand rule.

        Returns:
            The predictions that the sample completes: none, one, or several if samples are slower than frames.

        Raises:
            ZooError: If the model has another number of channels.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> from zoo.runtime import Recognizer
            >>> file = PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite"
            >>> stream = Recognizer(file).stream()
            >>> predictions = [p for i in range(200) for p in stream.push(i / 50, 0.1, 9.8, 0.2)]
            >>> predictions[-1].label
            'standing'
        """
        if len(values) != len(self.metadata.axes):
            axes = ", ".join(self.metadata.axes)
            raise ZooError(f"a sample of {len(values)} values; {self.metadata.preset} reads {axes}")
        if not all(map(math.isfinite, (time, *values))):
            return self._skip("not finite")
        if max(map(abs, values[:3])) > LIMIT:
            return self._skip(f"beyond {LIMIT:g} m/s^2")
        if max(map(abs, values[3:]), default=0.0) > ROTATION_LIMIT:
            return self._skip(f"beyond {ROTATION_LIMIT:g} rad/s")
        elapsed = time - self._resampler.last
        if 0 < elapsed <= GAP:
            if self._pending:
                self._drop_pending()
        # NaN before the first sample.
        elif not math.isnan(elapsed):
            return self._unexpected(time, values, elapsed)
        return self._read(time, values)

    def _skip(self, reason: str) -> list[Prediction]:
        self.skipped[reason] += 1
        return []

    def feed(self, samples: Iterable[Sequence[float]]) -> Iterator[Prediction]:
        """Adds samples, each the arguments of `push`, in order and yields the predictions that they complete."""
        for sample in samples:
            yield from self.push(*sample)

    def _unexpected(self, time: float, value: Vector, elapsed: float) -> list[Prediction]:
        """Handles a sample whose time stamp is not within a second after the previous one."""
        late = elapsed if abs(elapsed) <= GAP or not self._pending else time - self._pending[0]
        if -GAP <= late <= 0:
            self.skipped["not later than the one before"] += 1
            self.warnings += self._monitor.repeated()
            return []
        if self._pending and late <= GAP and late > 0:
            # Two samples agree on the new time, so there was a gap or the clock was set.
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
    """Checks whether the signal is plausible for a phone. Reports each problem once."""

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
        rows, rotation = rows[:, :3], rows[:, 3:]
        magnitude = float(np.linalg.norm(rows, axis=1).mean())
        turning = float(np.linalg.norm(rotation, axis=1).mean())
        gravity = float(np.linalg.norm(rows.mean(axis=0)))
        still = [axis for axis, column in zip("xyz", rows.T, strict=True) if np.ptp(column) == 0]
        problems = {
            "unit": (0.5 < magnitude < 2, f"mean magnitude {magnitude:.2f}, as in g; expected m/s^2: multiply by "
                     f"{STANDARD_GRAVITY}"),
            "magnitude": (not 0.5 < magnitude < 2 and not 5 < magnitude < 25, f"mean magnitude {magnitude:.1f} m/s^2; "
                          f"expected about {STANDARD_GRAVITY:.1f}, gravity included"),
            "gravity": (5 < magnitude < 25 and gravity < 2, f"gravity is missing: mean acceleration {gravity:.1f} "
                        "m/s^2; record acceleration with gravity"),
            "still": (bool(still), f"axis {', '.join(still)} has not moved for {_CHECKED:g} s: is the sensor on?"),
            "rotation": (turning > _FASTEST, f"mean rotation rate {turning:.0f}, as in deg/s; expected rad/s: divide "
                         "by 57.3"),
            "rate": (interval > 1.25 / self.rate, f"samples come at {1 / interval:.1f} Hz; the model was trained on "
                     f"{self.rate:g} Hz"),
        }  # fmt: skip
        return [line for name, (wrong, text) in problems.items() if wrong for line in self._once(name, text)]

    def repeated(self) -> list[str]:
        """Counts a time stamp that is not later than the previous one."""
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
    """Runs a stream on a whole recording and returns its predictions.

    Args:
        stream: New stream.
        rows: Rows `(N, channels)`.
        rate: Sampling rate of the rows in Hz.
    """
    return list(stream.feed((i / rate, *row) for i, row in enumerate(rows.tolist())))
