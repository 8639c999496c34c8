"""A signal without end: samples as they come in, a label that can be shown out.

    sample (t, x, y, z)  ->  rows at the model's rate  ->  frames  ->  steps of a few states  ->  smoothed label

Rows: the line between two samples, read at the moments of the model's rate. Where samples come faster than four thirds
of that rate, a row is the mean of that line since the row before, so that what is too quick for the model's rate does
not come back as something slow.

States: a network that was trained on windows has never seen what its state becomes after minutes. So `copies` of the
state are carried side by side; each starts anew at zero every `restart` rows, in turns, and the oldest one answers.

Label: probabilities are averaged over the past with weights exp(-age / smoothing). Another label is shown when it is
more probable than the one shown by `margin`, and none while the one shown is less probable than `threshold`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.metadata import STANDARD_GRAVITY, ActivityMetadata, Streaming

Floats = NDArray[np.float32]
Step = Callable[[Floats, Mapping[str, Floats]], tuple[Floats, dict[str, Floats]]]

GAP = 1.0
"""Seconds without a sample after which the signal begins anew."""

_FASTER = 0.75
"""Share of the model's interval: samples that come in less are averaged."""

_WATCHED = 2.0
"""Seconds of rows in which an axis that stands still is noticed."""


@dataclass(frozen=True)
class Answer:
    """What a person is doing now.

    Args:
        time: Seconds, in the time of the samples: of the last row that was read.
        label: The activity, or None where the network is not sure enough.
        probability: Of that label, or of the most probable one, averaged over the past.
        probabilities: Of all classes, averaged over the past.

    Example:
        >>> answer = Answer(3.0, "walking", 0.75, np.array([0.25, 0.75]))
        >>> f"{answer.time:.1f} s {answer.label} {answer.probability:.0%}"
        '3.0 s walking 75%'
    """

    time: float
    label: str | None
    probability: float
    probabilities: NDArray[np.float64]


class Resampler:
    """Samples of any rate and with jitter to rows of one rate.

    Args:
        rate: Hz of the rows.

    Example:
        >>> resampler = Resampler(2.0)
        >>> _ = resampler.push(0.0, np.zeros(3))
        >>> [(time, row.tolist()) for time, row in resampler.push(0.75, np.full(3, 3.0))]
        [(0.5, [2.0, 2.0, 2.0])]
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.restart()

    def restart(self) -> None:
        """Forgets all samples."""
        self.first = self.last = np.nan
        self.value = np.zeros(3)
        self.rows = 0
        self.interval = np.nan
        self.area, self.span = np.zeros(3), 0.0

    def push(self, time: float, value: NDArray[np.float64]) -> list[tuple[float, NDArray[np.float64]]]:
        """Takes a sample, later than the one before.

        Args:
            time: Seconds.
            value: `(3,)`.

        Returns:
            The rows that are complete with it, and their times.
        """
        if np.isnan(self.first):
            self.first = self.last = time
            self.value, self.rows = value, 1
            return [(time, value)]
        elapsed = time - self.last
        self.interval = elapsed if np.isnan(self.interval) else 0.9 * self.interval + 0.1 * elapsed
        found = []
        while (moment := self.first + self.rows / self.rate) <= time + 1e-9:
            at = self.value + (moment - self.last) / (time - self.last) * (value - self.value)
            self._draw(moment, at)
            found.append((moment, self.area / self.span if self.interval < _FASTER / self.rate else at))
            self.area, self.span = np.zeros(3), 0.0
            self.rows += 1
        self._draw(time, value)
        return found

    def _draw(self, time: float, value: NDArray[np.float64]) -> None:
        """Draws the line from the last point to this one, and adds what lies under it."""
        width = time - self.last
        self.area = self.area + width * (self.value + value) / 2
        self.span += width
        self.last, self.value = time, value


class _Follower:
    """Frames in, probabilities out, of the oldest of a few states that start anew in turns."""

    def __init__(self, step: Step, zeros: Callable[[], dict[str, Floats]], settings: Streaming, frame: int) -> None:
        self.step, self.zeros, self.settings = step, zeros, settings
        self.period = max(1, settings.restart // frame) if settings.restart else 0
        self.copies = settings.copies if self.period else 1
        self.warmup = -(-settings.warmup // frame)
        self.restart()

    def restart(self) -> None:
        self.frames = 0
        self.states: list[dict[str, Floats] | None] = [None] * self.copies
        self.ages = [0] * self.copies

    def read(self, frame: Floats) -> NDArray[np.float64] | None:
        """Probabilities `(classes,)`, or None where no state has read enough."""
        answers = {}
        for copy in range(self.copies):
            since = self.frames - copy * self.period // self.copies
            if since >= 0 and (since == 0 or (self.period and since % self.period == 0)):
                self.states[copy], self.ages[copy] = self.zeros(), 0
            state = self.states[copy]
            if state is not None:
                probabilities, self.states[copy] = self.step(frame, state)
                self.ages[copy] += 1
                answers[self.ages[copy]] = probabilities[0]
        self.frames += 1
        oldest = max(answers)
        return answers[oldest].astype(np.float64) if oldest >= self.warmup else None


class Stream:
    """Samples as they come in, answers out; made by `Recognizer.stream`.

    A sample that is not finite or not later than the one before is left out and counted in `skipped`. After a gap the
    signal begins anew. What looks wrong with the signal itself is said once in `warnings`.

    Args:
        metadata: Of the recognizer.
        step: One step of its cells.
        zeros: Makes the states to begin with.
        settings: How labels are made.
    """

    def __init__(
        self, metadata: ActivityMetadata, step: Step, zeros: Callable[[], dict[str, Floats]], settings: Streaming
    ) -> None:
        self.metadata, self.settings = metadata, settings
        self.skipped: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._resampler = Resampler(metadata.rate)
        self._follower = _Follower(step, zeros, settings, metadata.frame)
        self._signal = _Signal(metadata.rate)
        self._forget = (
            float(np.exp(-metadata.frame / metadata.rate / settings.smoothing)) if settings.smoothing else 0.0
        )
        self._restart()

    def _restart(self) -> None:
        self._resampler.restart()
        self._follower.restart()
        self._rows: list[NDArray[np.float64]] = []
        self._mean: NDArray[np.float64] | None = None
        self._shown: int | None = None

    def push(self, time: float, x: float, y: float, z: float) -> list[Answer]:
        """Takes one sample.

        Args:
            time: Seconds, on any clock that does not run backwards.
            x: m/s^2, in the convention of the metadata.
            y: The same of the second axis.
            z: The same of the third axis.

        Returns:
            The answers that it completes: none, one, or several where the samples are slower than the frames.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> from zoo.runtime import Recognizer
            >>> file = PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite"
            >>> stream = Recognizer(file).stream()
            >>> answers = [answer for i in range(200) for answer in stream.push(i / 50, 0.1, 9.8, 0.2)]
            >>> answers[-1].label
            'standing'
        """
        value = np.array([x, y, z], np.float64)
        if not (np.isfinite(time) and np.isfinite(value).all()):
            self.skipped["not finite"] += 1
            return []
        if time <= self._resampler.last:
            self.skipped["not later than the one before"] += 1
            return []
        if time - self._resampler.last > GAP:
            self.skipped["gaps"] += 1
            self._restart()
        answers = []
        for moment, row in self._resampler.push(time, value):
            self.warnings += self._signal.watch(row, self._resampler.interval)
            self._rows.append(row)
            if len(self._rows) == self.metadata.frame:
                frame = np.array([self._rows], np.float32)
                self._rows = []
                probabilities = self._follower.read(frame)
                if probabilities is not None:
                    answers.append(self._answer(moment, probabilities))
        return answers

    def feed(self, samples: Iterable[tuple[float, float, float, float]]) -> Iterator[Answer]:
        """Takes samples `(time, x, y, z)` one after another, and gives answers as they come."""
        for sample in samples:
            yield from self.push(*sample)

    def _answer(self, time: float, probabilities: NDArray[np.float64]) -> Answer:
        mean = probabilities if self._mean is None else probabilities + self._forget * (self._mean - probabilities)
        best = int(mean.argmax())
        if self._shown is None or mean[best] - mean[self._shown] >= self.settings.margin:
            self._shown = best
        self._mean = mean
        sure = mean[self._shown] >= self.settings.threshold
        return Answer(
            time, self.metadata.classes[self._shown] if sure else None, float(mean[self._shown if sure else best]), mean
        )


class _Signal:
    """Notices what a phone's signal cannot be; says each thing once."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.rows: list[NDArray[np.float64]] = []
        self.said: set[str] = set()

    def watch(self, row: NDArray[np.float64], interval: float) -> list[str]:
        self.rows.append(row)
        if len(self.rows) < _WATCHED * self.rate:
            return []
        rows, self.rows = np.array(self.rows), []
        magnitude = float(np.linalg.norm(rows, axis=1).mean())
        still = [axis for axis, column in zip("xyz", rows.T, strict=True) if np.ptp(column) == 0]
        found = {
            "unit": (0.5 < magnitude < 2, f"mean magnitude {magnitude:.2f}, as in g; expected m/s^2: multiply by "
                     f"{STANDARD_GRAVITY}"),
            "magnitude": (not 0.5 < magnitude < 2 and not 5 < magnitude < 25, f"mean magnitude {magnitude:.1f} m/s^2; "
                          f"expected about {STANDARD_GRAVITY:.1f}, gravity included"),
            "still": (bool(still), f"axis {', '.join(still)} has not moved for {_WATCHED:g} s: is the sensor on?"),
            "rate": (interval > 1.25 / self.rate, f"samples come at {1 / interval:.1f} Hz; the model was trained on "
                     f"{self.rate:g} Hz"),
        }  # fmt: skip
        new = [name for name, (wrong, _) in found.items() if wrong and name not in self.said]
        self.said.update(new)
        return [found[name][1] for name in new]


def follow(stream: Stream, rows: NDArray[np.floating[Any]], rate: float) -> list[Answer]:
    """All answers to a recording.

    Args:
        stream: A new stream.
        rows: `(N, 3)`, m/s^2.
        rate: Hz of the rows.
    """
    samples = ((i / rate, float(x), float(y), float(z)) for i, (x, y, z) in enumerate(rows))
    return list(stream.feed(samples))
