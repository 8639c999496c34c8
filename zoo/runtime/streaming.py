"""Continuous recognition: from samples as they arrive to a stable label.

    sample (t, x, y, z)  ->  rows at the model's rate  ->  network  ->  filter over time  ->  label

A sample of a model that also reads a gyroscope is (t, x, y, z, gyro_x, gyro_y, gyro_z).

Rows: see `zoo.runtime.resampling`.

Network: a recurrent network reads one frame at a time. It was trained on windows, not on the states that arise after
minutes of signal, so `copies` of its states run in parallel. Each restarts from zero every `restart` rows, at staggered
times; the prediction is that of the oldest. A network without states reads the last `window` rows every `hop` rows.

Filter: see `zoo.runtime.filtering`.

Label: another label replaces the current one when its probability is higher by `margin`. No label is shown while the
probability is below `threshold`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import le
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.runtime.faults import LEAST, LEAST_GRAVITY, MOST, Signal
from zoo.runtime.filtering import Filter
from zoo.runtime.metadata import SENSORS, STANDARD_GRAVITY, ActivityMetadata, Streaming, is_in_g
from zoo.runtime.resampling import Resampler, Vector

Numbers = NDArray[np.float64]
Floats = NDArray[np.float32]
Step = Callable[[Floats, Mapping[str, Floats]], tuple[Floats, dict[str, Floats]]]

GAP = 1.0
"""Seconds without a sample after which the stream restarts."""

NOT_SURE = "not sure"
"""Reason for no label where no probability is high enough."""

SOMETHING_ELSE = "something else"
"""Reason for no label where the network has a class for other movements, and this one is recognized."""

_FASTEST = 20.0
"""Mean rotation rate in rad/s that no phone has."""

_CHECKED = 2.0
"""Length in seconds of the blocks in which the signal is checked."""

_MOST_SAMPLES = 1000
"""Samples in a second that no phone gives."""

_STAMPS = "expected seconds with decimals, one per sample"


@dataclass(frozen=True)
class Prediction:
    """The activity that is recognized at one time.

    Args:
        time: Time of the last row in seconds, on the clock of the samples.
        label: Activity, or None if there is no answer.
        probability: Probability of the label, or of the most probable class if there is no label.
        probabilities: Probabilities of all classes `(classes,)`, given the signal so far.
        reason: Why there is no label: `not sure` if its probability is too low, `something else` if the class of other
            movements is recognized, or what keeps the signal from being recognized, see `zoo.runtime.faults`: `at
            rest`, `no signal`, `too slow`, `shaken`. None if there is a label.

    Example:
        >>> print(Prediction(3.0, "walking", 0.75, np.array([0.25, 0.75])))
        3.0 s walking 75%
        >>> print(Prediction(3.1, None, 0.5, np.array([0.5, 0.5]), "not sure"))
        3.1 s not sure 50%
    """

    time: float
    label: str | None
    probability: float
    probabilities: Numbers
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.time:.1f} s {self.label or self.reason} {self.probability:.0%}"


class StaggeredStates:
    """Predicts probabilities from rows, with several copies of the states that restart at staggered times.

    A network without states is treated as one that reads a whole window per step and advances by `hop` rows.
    """

    def __init__(self, step: Step, metadata: ActivityMetadata, settings: Streaming) -> None:
        self.step, self.states = step, metadata.states
        frame = metadata.frame
        self.size = frame if self.states else metadata.window
        self.advance = frame if self.states else min(max(1, metadata.hop), metadata.window)
        self.period = max(1, settings.restart // frame) if settings.restart and self.states else 0
        self.copies = settings.copies if self.period else 1
        self.warmup = -(-settings.warmup // frame) if self.states else 0
        if self.period and self.warmup > self.period:
            raise ZooError(
                f"streaming: states restart after {settings.restart} rows and answer after {settings.warmup}; expected "
                "a warm-up that is not longer"
            )
        self.frames = 0
        self.rows: list[Vector] = []
        self.carried: list[dict[str, Floats] | None] = [None] * self.copies
        self.ages = [0] * self.copies

    def push(self, row: Vector) -> Numbers | None:
        """Adds a row. Returns probabilities `(classes,)`, or None until a frame and the warm-up are complete."""
        self.rows.append(row)
        if len(self.rows) < self.size:
            return None
        frame, probabilities = np.array([self.rows], np.float32), dict[int, Floats]()
        del self.rows[: self.advance]
        for copy in range(self.copies):
            since = self.frames - copy * self.period // self.copies
            if since == 0 or (since > 0 and self.period and since % self.period == 0):
                self.carried[copy] = {name: np.zeros((1, size), np.float32) for name, size in self.states.items()}
                self.ages[copy] = 0
            states = self.carried[copy]
            if states is not None:
                outputs, self.carried[copy] = self.step(frame, states)
                self.ages[copy] += 1
                probabilities[self.ages[copy]] = outputs[0]
        self.frames += 1
        oldest = max(probabilities)
        return probabilities[oldest].astype(np.float64) if oldest >= self.warmup else None


class Shown:
    """What is shown of a network's answers: they are filtered over time, and the label changes by a margin.

    Args:
        metadata: Metadata of the recognizer.
        settings: Groups of labels and margin.
        threshold: Probability below which no label is shown.
        seconds: Time between two answers.
    """

    def __init__(self, metadata: ActivityMetadata, settings: Streaming, threshold: float, seconds: float) -> None:
        self.metadata, self.margin, self.threshold = metadata, settings.margin, threshold
        self._filter = Filter(metadata.classes, settings.groups, seconds)
        self._label: int | None = None

    def update(self, moment: float, answer: Numbers, fault: str | None = None) -> Prediction:
        """The prediction after an answer `(classes,)`; a `fault` of the signal is shown in place of a label."""
        filtered = self._filter.update(answer)
        probabilities, best = filtered.tolist(), int(filtered.argmax())
        if self._label is None or probabilities[best] - probabilities[self._label] >= self.margin:
            self._label = best
        reason = fault
        if reason is None and probabilities[self._label] < self.threshold:
            reason = NOT_SURE
        elif reason is None and self._label == self.metadata.other_class:
            reason = SOMETHING_ELSE
        label = self.metadata.classes[self._label] if reason is None else None
        return Prediction(moment, label, probabilities[best if label is None else self._label], filtered, reason)


class Stream:
    """Recognizes activities in a continuous signal. Created by `Recognizer.stream`.

    Faulty samples are dropped and counted in `skipped`: values that are not finite or exceed 160 m/s^2 or
    100 rad/s, and time stamps that are not later than the previous one. A sample more than a second away from the
    previous one is dropped as well, unless the next sample confirms its time: then the stream restarts there.
    `warnings` lists each problem with the signal itself once.

    Args:
        metadata: Metadata of the recognizer. If it has no states, `step` reads whole windows.
        step: Function that runs the network: from a frame (or a window) and states to probabilities and new states.
        settings: Restarts, groups of labels and margin. Those of the metadata by default.
        threshold: Probability below which no label is shown. That of the metadata by default.
    """

    def __init__(
        self, metadata: ActivityMetadata, step: Step, settings: Streaming | None = None, threshold: float | None = None
    ) -> None:
        if not isinstance(settings, Streaming | None):
            raise ZooError(f"settings: {type(settings).__name__}; expected a `zoo.runtime.metadata.Streaming`")
        self.metadata, self.settings = metadata, settings or metadata.streaming
        self.threshold = metadata.stream_threshold if threshold is None else threshold
        self._limits = [limit for channels, limit, _ in SENSORS for _ in metadata.axes[channels]]
        self.skipped: Counter[str] = Counter()
        self._monitor = _Monitor(metadata.rate)
        self._step = step
        self._pending: tuple[float, Vector] | None = None
        self._restart()

    def _restart(self) -> None:
        metadata = self.metadata
        self._resampler = Resampler(metadata.rate)
        self._network = StaggeredStates(self._step, metadata, self.settings)
        self._shown = Shown(metadata, self.settings, self.threshold, self._network.advance / metadata.rate)
        self._signal, self._samples = Signal(metadata.steps_only), 0

    @property
    def warnings(self) -> list[str]:
        """Problems with the signal itself."""
        return [*self._monitor.problems.values()]

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
        if len(values) != len(self._limits):
            axes = ", ".join(self.metadata.axes)
            raise ZooError(f"a sample of {len(values)} values; {self.metadata.preset} reads {axes}")
        try:
            elapsed = time - self._resampler.last
            # NaN is within no limit.
            is_next = 0 < elapsed <= GAP and self._pending is None and all(map(le, map(abs, values), self._limits))
            is_finite = is_next or all(map(math.isfinite, (time, *values)))
        except (TypeError, ValueError, OverflowError):
            raise self._no_sample((time, *values)) from None
        if is_next:
            return self._read(time, values)
        if not is_finite:
            return self._skip("not finite")
        for channels, limit, unit in SENSORS:
            if max(map(abs, values[channels]), default=0.0) > limit:
                return self._skip(f"beyond {limit:g} {unit}")
        if 0 < elapsed <= GAP:
            self._drop_pending()
        # NaN before the first sample.
        elif not math.isnan(elapsed):
            return self._unexpected(time, values, elapsed)
        return self._read(time, values)

    def _no_sample(self, sample: Any) -> ZooError:
        return ZooError(f"a sample is {sample!r:.60}; expected numbers: {', '.join(['time', *self.metadata.axes])}")

    def _skip(self, reason: str) -> list[Prediction]:
        self.skipped[reason] += 1
        return []

    def feed(self, samples: Iterable[Sequence[float]]) -> Iterator[Prediction]:
        """Adds samples in order, each with the arguments of `push`, and yields the predictions that they complete.

        Args:
            samples: Samples, such as an array `(N, 1 + channels)`; those of an iterator are read as they arrive.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> from zoo.runtime import Recognizer
            >>> stream = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite").stream()
            >>> samples = np.column_stack([np.arange(200) / 50, np.tile([0.1, 9.8, 0.2], (200, 1))])
            >>> [f"{prediction.time:.2f} {prediction.label}" for prediction in stream.feed(samples)][-1]
            '3.98 standing'
        """
        names, columns = ["time", *self.metadata.axes], list(getattr(samples, "columns", ()))
        if {*names[1:]} <= {*columns} and columns[1:] != names[1:]:
            raise ZooError(
                f"samples: columns {', '.join(map(str, columns))}; expected {', '.join(names)}: choose them in this "
                "order, or pass the DataFrame to `zoo.stream`"
            )
        if isinstance(samples, list | tuple) or hasattr(samples, "__array__"):
            with suppress(ValueError, TypeError):
                samples = np.asarray(samples, np.float64)
                if samples.size and samples.ndim != 2:
                    raise ZooError(f"samples of shape {samples.shape}; expected (N, {len(names)}): time and values")
        if not isinstance(samples, Iterable):
            raise self._no_sample(samples)
        for sample in samples:
            values = None
            with suppress(ValueError, TypeError):
                # Python's floats are the fastest. None, which JSON has in place of NaN, becomes NaN.
                values = np.asarray(sample, np.float64).tolist()
            if not isinstance(values, list):
                raise self._no_sample(sample)
            yield from self.push(*values)

    def _unexpected(self, time: float, value: Vector, elapsed: float) -> list[Prediction]:
        """Takes a sample whose time stamp is not within a second after the previous one."""
        late = elapsed if abs(elapsed) <= GAP or not self._pending else time - self._pending[0]
        if -GAP <= late <= 0:
            self.skipped["not later than the one before"] += 1
            self._monitor.repeated()
            return []
        if self._pending and late <= GAP and late > 0:
            # Two samples agree on the new time, so there was a gap or the clock was set.
            before, self._pending = self._pending, None
            self.skipped["gaps"] += 1
            self._restart()
            return self._read(*before) + self._read(time, value)
        self._drop_pending()
        self._pending = (time, value)
        return []

    def _drop_pending(self) -> None:
        if self._pending is not None:
            self._pending = None
            self._monitor.repeated()
            self._skip("time stamps that no other confirms")

    def _read(self, time: float, value: Vector) -> list[Prediction]:
        predictions, self._samples = [], self._samples + 1
        if self._samples > _MOST_SAMPLES and time - self._resampler.first < 1.0:
            wrong = f"time stamps of more than {_MOST_SAMPLES} samples lie within a second: {_STAMPS}"
            self._monitor.problems.setdefault("stamps", wrong)
        self._signal.push(time, value)
        for moment, row in self._resampler.push(time, value):
            self._monitor.check(row, self._resampler.interval)
            answer = self._network.push(row)
            if answer is not None:
                predictions.append(self._shown.update(moment, answer, self._signal.fault))
        return predictions


class _Monitor:
    """Checks whether the signal is plausible for a phone. `problems` are those so far, in words by name."""

    def __init__(self, rate: float) -> None:
        self.rate, self.count = rate, max(1, round(_CHECKED * rate))
        self.rows: list[Vector] = []
        self.repeats = 0
        self.problems: dict[str, str] = {}

    def check(self, row: Vector, interval: float) -> None:
        self.rows.append(row)
        if len(self.rows) < self.count:
            return
        rows, self.rows, self.repeats = np.array(self.rows), [], 0
        acceleration, rotation = rows[:, :3], rows[:, 3:]
        magnitude, turning = (float(np.linalg.norm(part, axis=1).mean()) for part in (acceleration, rotation))
        gravity = math.hypot(*acceleration.mean(axis=0).tolist())
        in_g = is_in_g(magnitude, gravity)
        moves = (acceleration.max(axis=0) > acceleration.min(axis=0)).tolist()
        still = [axis for axis, moving in zip("xyz", moves, strict=True) if not moving]
        problems = {
            "unit": (in_g, f"mean magnitude {magnitude:.2f}, as in g; expected m/s^2: multiply by "
                     f"{STANDARD_GRAVITY}, as `zoo stream --unit g` does"),
            "magnitude": (not in_g and gravity >= LEAST_GRAVITY and not LEAST < magnitude < MOST,
                          f"mean magnitude {magnitude:.1f} m/s^2; expected about {STANDARD_GRAVITY:.1f}, gravity "
                          "included"),
            "gravity": (not in_g and gravity < LEAST_GRAVITY, f"gravity is missing: mean acceleration {gravity:.1f} "
                        "m/s^2; record acceleration with gravity"),
            "still": (bool(still), f"axis {', '.join(still)} has not moved for {_CHECKED:g} s: is the sensor on?"),
            "rotation": (turning > _FASTEST, f"mean rotation rate {turning:.0f}, as in deg/s; expected rad/s: divide "
                         "by 57.3"),
            "rate": (interval > 1.25 / self.rate, f"samples come at {1 / interval:.1f} Hz; the model was trained on "
                     f"{self.rate:g} Hz"),
        }  # fmt: skip
        for name, (wrong, text) in problems.items():
            if wrong:
                self.problems.setdefault(name, text)

    def repeated(self) -> None:
        """Counts a time stamp that is not later than the previous one, or later than that by more than a gap."""
        self.repeats += 1
        if self.repeats >= self.count / 2:
            self.problems.setdefault("stamps", f"many time stamps repeat, go back or leap: {_STAMPS}")


def predict_recording(stream: Stream, rows: NDArray[np.floating[Any]], rate: float) -> list[Prediction]:
    """Runs a new stream on the rows `(N, channels)` of a whole recording, at their rate in Hz."""
    return list(stream.feed(np.column_stack([np.arange(len(rows)) / rate, rows])))
