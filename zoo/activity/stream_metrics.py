"""Metrics of continuous recognition: by prediction, at changes of activity, and over time.

The stream of one person has predictions at times t_1 < t_2 < ..., each with or without a label, and consecutive
stretches of one true activity each.

    accuracy          fraction of predictions whose label is the true activity; no label counts as wrong
    settled accuracy  the same for predictions later than `GRACE` after a change
    coverage          fraction of predictions with a label
    delay             time from a change of activity to the first prediction of the new activity; infinite if there is
                      none before the next change
    false alarms      changes to a wrong label later than `GRACE` after a change of activity
    accuracy by time  accuracy in equal parts of the stream, from first to last; it decreases if the network drifts
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRACE = 5.0
"""Seconds after a change of activity during which a wrong label counts as a delay, not as a false alarm."""

_PARTS = 6


@dataclass(frozen=True)
class StreamResult:
    """Predictions for the stream of one person, and its true activities.

    Args:
        times: Time of each prediction in seconds, `(N,)`, ascending.
        labels: Predicted labels `(N,)`, empty strings for no label.
        starts: Start of each stretch in seconds, `(M,)`. A stretch ends where the next one starts.
        activities: True activity of each stretch, `(M,)`. Consecutive ones differ.
    """

    times: NDArray[np.float64]
    labels: NDArray[np.str_]
    starts: NDArray[np.float64]
    activities: NDArray[np.str_]

    @property
    def _stretch(self) -> NDArray[np.intp]:
        """Index of the stretch of each prediction, `(N,)`."""
        return np.searchsorted(self.starts, self.times, side="right") - 1

    @property
    def truth(self) -> NDArray[np.str_]:
        """True activity at each prediction, `(N,)`."""
        return self.activities[self._stretch]

    @property
    def seconds(self) -> float:
        """Length of the stream in seconds."""
        return float(self.times[-1] - self.starts[0])

    def delays(self) -> NDArray[np.float64]:
        """Returns the seconds from each change to the first prediction of the new activity, `(M - 1,)`.

        Example:
            >>> times = np.array([1.0, 2.0, 3.0, 4.0])
            >>> labels = np.array(["sitting", "sitting", "sitting", "walking"])
            >>> stream = StreamResult(times, labels, np.array([0.0, 2.5]), np.array(["sitting", "walking"]))
            >>> stream.delays().tolist()
            [1.5]
        """
        ends = np.append(self.starts[1:], np.inf)
        delays = []
        for start, end, activity in zip(self.starts[1:], ends[1:], self.activities[1:], strict=True):
            right = (self.times >= start) & (self.times < end) & (self.labels == activity)
            delays.append(float(self.times[right][0] - start) if right.any() else np.inf)
        return np.array(delays)

    @property
    def since_change(self) -> NDArray[np.float64]:
        """Seconds from the last change of activity to each prediction, `(N,)`."""
        return self.times - self.starts[self._stretch]

    def false_alarms(self) -> int:
        """Counts the changes to a wrong label."""
        changed = np.append(True, self.labels[1:] != self.labels[:-1])
        wrong = (self.labels != "") & (self.labels != self.truth)
        return int((changed & wrong & (self.since_change > GRACE)).sum())


def report(streams: Sequence[StreamResult]) -> dict[str, Any]:
    """Computes the metrics of the streams of several people.

    Args:
        streams: Streams, one or more.

    Returns:
        `accuracy`, `settled_accuracy`, `coverage`, `hours`, `changes`, `missed` (changes that were not recognized),
        `delay_median` and `delay_p95` in seconds (None for infinite), `false_alarms_per_hour`, `accuracy_by_time`.
    """
    right = [stream.labels == stream.truth for stream in streams]
    settled = [part[stream.since_change > GRACE] for part, stream in zip(right, streams, strict=True)]
    delays = np.concatenate([stream.delays() for stream in streams])
    hours = sum(stream.seconds for stream in streams) / 3600
    parts = [[float(part.mean()) for part in np.array_split(row, _PARTS)] for row in right]
    return {
        "accuracy": float(np.concatenate(right).mean()),
        "settled_accuracy": float(np.concatenate(settled).mean()),
        "coverage": float(np.concatenate([stream.labels != "" for stream in streams]).mean()),
        "hours": hours,
        "changes": len(delays),
        "missed": int(np.isinf(delays).sum()),
        "delay_median": _quantile(delays, 0.5),
        "delay_p95": _quantile(delays, 0.95),
        "false_alarms_per_hour": sum(stream.false_alarms() for stream in streams) / hours,
        "accuracy_by_time": np.mean(parts, axis=0).tolist(),
    }


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    value = float(np.quantile(values, share, method="higher")) if len(values) else np.inf
    return value if np.isfinite(value) else None
