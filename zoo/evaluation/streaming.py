"""How well a signal without end is followed: by row, at changes of activity, and after an hour.

A stream of one person has answers at times t_1 < t_2 < ..., each a label or none, and stretches (begin, end, activity)
that say what the person really does.

    accuracy          share of the answers whose label is what the person does then; no label is not right
    settled accuracy  the same of the answers later than `GRACE` after a change
    coverage          share of the answers that have a label
    delay             from a change of activity to the first answer with the new label; infinite where none comes
                      before the next change
    false alarms      answers that turn to what the person does not do then, later than `GRACE` after a change
    accuracy by time  accuracy in equal parts of the stream, from first to last: what drifts falls
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRACE = 5.0
"""Seconds after a change of activity in which a wrong label is a delay and not an alarm."""

_PARTS = 6


@dataclass(frozen=True)
class Followed:
    """The stream of one person, as it was answered.

    Args:
        times: `(N,)` seconds, ascending.
        labels: `(N,)` what was shown; the empty string for no label.
        begins: `(M,)` seconds at which a stretch of one activity begins; it ends where the next one does.
        activities: `(M,)` what the person does in each stretch; neighbors differ.
    """

    times: NDArray[np.float64]
    labels: NDArray[np.str_]
    begins: NDArray[np.float64]
    activities: NDArray[np.str_]

    @property
    def truth(self) -> NDArray[np.str_]:
        """`(N,)` what the person does at each answer."""
        return self.activities[np.searchsorted(self.begins, self.times, side="right") - 1]

    @property
    def seconds(self) -> float:
        """How long the stream lasts."""
        return float(self.times[-1] - self.begins[0])

    def delays(self) -> NDArray[np.float64]:
        """`(M - 1,)` seconds from each change to the first answer with the new label.

        Example:
            >>> times = np.array([1.0, 2.0, 3.0, 4.0])
            >>> labels = np.array(["sitting", "sitting", "sitting", "walking"])
            >>> stream = Followed(times, labels, np.array([0.0, 2.5]), np.array(["sitting", "walking"]))
            >>> stream.delays().tolist()
            [1.5]
        """
        ends = np.append(self.begins[1:], np.inf)
        found = []
        for begin, end, activity in zip(self.begins[1:], ends[1:], self.activities[1:], strict=True):
            right = (self.times >= begin) & (self.times < end) & (self.labels == activity)
            found.append(float(self.times[right][0] - begin) if right.any() else np.inf)
        return np.array(found)

    @property
    def since(self) -> NDArray[np.float64]:
        """`(N,)` seconds from the last change of activity to each answer."""
        return self.times - self.begins[np.searchsorted(self.begins, self.times, side="right") - 1]

    def alarms(self) -> int:
        """How many times the label turned to what the person does not do."""
        turned = np.append(True, self.labels[1:] != self.labels[:-1])
        return int((turned & (self.labels != "") & (self.labels != self.truth) & (self.since > GRACE)).sum())


def report(streams: Sequence[Followed]) -> dict[str, Any]:
    """Measures the streams of several people together.

    Args:
        streams: One or more.

    Returns:
        `accuracy`, `settled_accuracy`, `coverage`, `hours`, `changes`, `missed` (changes that were never seen),
        `delay_median` and `delay_p95` in seconds (None for infinite), `false_alarms_per_hour`, `accuracy_by_time`.
    """
    right = [stream.labels == stream.truth for stream in streams]
    settled = [part[stream.since > GRACE] for part, stream in zip(right, streams, strict=True)]
    delays = np.concatenate([stream.delays() for stream in streams])
    hours = sum(stream.seconds for stream in streams) / 3600
    parts = [[float(part.mean()) for part in np.array_split(found, _PARTS)] for found in right]
    return {
        "accuracy": float(np.concatenate(right).mean()),
        "settled_accuracy": float(np.concatenate(settled).mean()),
        "coverage": float(np.concatenate([stream.labels != "" for stream in streams]).mean()),
        "hours": hours,
        "changes": len(delays),
        "missed": int(np.isinf(delays).sum()),
        "delay_median": _quantile(delays, 0.5),
        "delay_p95": _quantile(delays, 0.95),
        "false_alarms_per_hour": sum(stream.alarms() for stream in streams) / hours,
        "accuracy_by_time": np.mean(parts, axis=0).tolist(),
    }


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    found = float(np.quantile(values, share, method="higher")) if len(values) else np.inf
    return found if np.isfinite(found) else None
