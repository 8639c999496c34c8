"""Evaluation of continuous recognition, on recordings of people that a model was not trained on.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity import recordings
from zoo.activity.cutting import Windowing
from zoo.data.examples import sort_names
from zoo.errors import ZooError
from zoo.provenance import is_among, share_a_study
from zoo.runtime import Recognizer
from zoo.runtime.metadata import Streaming
from zoo.runtime.streaming import predict_recording

GRACE = 5.0
"""Seconds after a change of activity during which a wrong label counts as a delay, not as a false alarm."""

_PARTS = 6

_STRETCH = (15.0, 60.0)
"""Shortest and longest stretch of one activity, in seconds."""

_HOUR = 3600.0

Stretch = tuple[str, NDArray[np.float32]]
"""An activity and its rows `(N, C)`. A stream is a sequence of them."""


def evaluate(
    recognizer: Recognizer, path: Path, *, subjects: Sequence[str] | None = None, settings: Streaming | None = None,
    seconds: float = _HOUR, seed: int = 0, merge: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Evaluates a file on single recordings, and on streams of changing activities spliced from them.

    Args:
        recognizer: Exported file.
        path: File of recordings.
        subjects: Subjects to evaluate. By default all that are not among the training subjects.
        settings: Restarts, smoothing and margin. Those of the file by default.
        seconds: Length of the spliced stream of each person.
        seed: Random seed of the splicing.
        merge: Labels that mean one of several classes, as in `{"stairs": "upstairs+downstairs"}`. Each is then right.

    Returns:
        `recordings` (each streamed from its start) and `spliced`, each with the metrics of `measure` and the
        `window_accuracy` on whole windows of the same rows; and `subjects`, `simulated`, `settings`. `spliced` is None
        if nobody has two activities.

    Raises:
        ZooError: If no subject is left, a subject is not in the file, or no recording is long enough and of an activity
            that the model knows.
    """
    metadata = recognizer.metadata
    index = recordings.read(path).selected(metadata.axes)
    people = _people(path, index, metadata, subjects)
    allowed = _allowed(metadata.classes, merge or {})
    edge = round(Windowing().trim * metadata.rate)
    by_person: dict[str, list[Stretch]] = {name: [] for name in people}
    for recording in index:
        if recording.subject in by_person and recording.activity in allowed:
            rows = recording.resampled(metadata.rate)
            if not recording.trimmed:
                rows = rows[edge : len(rows) - edge]
            if len(rows) > metadata.window:
                by_person[recording.subject].append((recording.activity, rows))
    if not any(by_person.values()):
        length = metadata.window / metadata.rate
        raise ZooError(
            f"{path}: no recording of {', '.join(people)} is longer than a window, {length:g} s, and of "
            f"{', '.join(metadata.classes)}: pass the labels that mean several of these with --merge"
        )
    random = np.random.default_rng([seed, 5])
    alone = [[part] for parts in by_person.values() for part in parts]
    several = [parts for parts in by_person.values() if len({activity for activity, _ in parts}) > 1]
    spliced = [_spliced(parts, metadata.rate, seconds, random) for parts in several]
    return {
        "recordings": _scores(recognizer, settings, alone, allowed),
        "spliced": _scores(recognizer, settings, spliced, allowed) if spliced else None,
        "subjects": people,
        "simulated": index.simulated,
        "settings": {**vars(settings or metadata.streaming), "threshold": metadata.stream_threshold},
    }


def _people(path: Path, index: Any, metadata: Any, subjects: Sequence[str] | None) -> list[str]:
    """The people to evaluate on: those that were asked for, or all that the model was not trained on."""
    sources = metadata.source, index.provenance["source"]
    # Equal ids are the same person where the recordings may be those of the training.
    same = len(set(sources)) == 1 or share_a_study(*sources)
    everyone = sort_names(index.subjects)
    unseen = [name for name in everyone if not (same and is_among(name, metadata.train_subjects))]
    people = unseen if subjects is None else sort_names(subjects)
    unknown = sorted(set(people) - set(everyone))
    if unknown or not people:
        who = f"no subject {', '.join(unknown)}" if unknown else "this model was trained on all subjects"
        raise ZooError(f"{path}: {who}; found {', '.join(everyone)}: choose others with --subjects")
    return people


def _allowed(classes: Sequence[str], merge: Mapping[str, str]) -> dict[str, list[str]]:
    """The classes that are right for each label.

    Example:
        >>> _allowed(["up", "down"], {"stairs": "up+down"})
        {'up': ['up'], 'down': ['down'], 'stairs': ['up', 'down']}
    """
    allowed = {label: [label] for label in classes}
    for label, meaning in merge.items():
        allowed[label] = meaning.split("+")
        if unknown := [name for name in allowed[label] if name not in classes]:
            raise ZooError(
                f"{label}={meaning}: no class {', '.join(unknown)}; expected classes of {', '.join(classes)}"
            )
    return allowed


def _spliced(parts: Sequence[Stretch], rate: float, seconds: float, random: np.random.Generator) -> list[Stretch]:
    """Splices random stretches of a person's recordings. Consecutive activities differ."""
    stretches: list[Stretch] = []
    while sum(len(rows) for _, rows in stretches) < seconds * rate:
        others = [part for part in parts if not stretches or part[0] != stretches[-1][0]]
        activity, rows = others[random.integers(len(others))]
        count = min(len(rows), round(random.uniform(*_STRETCH) * rate))
        start = random.integers(len(rows) - count + 1)
        stretches.append((activity, rows[start : start + count]))
    return stretches


def _scores(
    recognizer: Recognizer, settings: Streaming | None, streams: Sequence[Sequence[Stretch]],
    allowed: Mapping[str, Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """Computes the metrics of streams, and the accuracy on whole windows of the same rows."""
    metadata = recognizer.metadata
    cut = Windowing(metadata.window, metadata.hop, metadata.rate, trim=0.0)
    results, right = [], []
    for stretches in streams:
        for activity, rows in stretches:
            predicted = recognizer.predict(cut.cut(rows)).argmax(axis=1)
            right.append(np.isin(np.array(metadata.classes)[predicted], allowed[activity]))
        rows = np.concatenate([rows for _, rows in stretches])
        found = predict_recording(recognizer.stream(settings), rows, metadata.rate)
        starts = np.cumsum([0, *(len(rows) for _, rows in stretches[:-1])]) / metadata.rate
        times, activities = np.array([each.time for each in found]), np.array([name for name, _ in stretches])
        truth = activities[np.searchsorted(starts, times, side="right") - 1]
        # A label that is right is the truth, whatever the truth is called.
        labels = [
            name if each.label in allowed[name] else each.label or "" for each, name in zip(found, truth, strict=True)
        ]
        results.append(StreamResult(times, np.array(labels), starts, activities))
    return measure(results) | {"window_accuracy": float(np.concatenate(right).mean())}


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
    def truth(self) -> NDArray[np.str_]:
        """True activity at each prediction, `(N,)`."""
        return self.activities[self._stretch]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Whether each prediction is later than `GRACE` after a change of activity, `(N,)`."""
        return self.times - self.starts[self._stretch] > GRACE

    @property
    def _stretch(self) -> NDArray[np.intp]:
        return np.searchsorted(self.starts, self.times, side="right") - 1

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

    def false_alarms(self) -> int:
        """Counts the changes to a wrong label."""
        changed = np.append(True, self.labels[1:] != self.labels[:-1])
        wrong = (self.labels != "") & (self.labels != self.truth)
        return int((changed & wrong & self.settled).sum())


def measure(streams: Sequence[StreamResult]) -> dict[str, Any]:
    """Computes the metrics of the streams of several people.

    Args:
        streams: Streams, one or more.

    Returns:
        `accuracy`, `settled_accuracy`, `coverage`, `hours`, `changes`, `missed` (changes that were not recognized),
        `delay_median` and `delay_p95` in seconds (None for infinite), `false_alarms_per_hour`, `accuracy_by_time`.
    """
    right = [stream.labels == stream.truth for stream in streams]
    delays = np.concatenate([stream.delays() for stream in streams])
    hours = sum(float(stream.times[-1] - stream.starts[0]) for stream in streams) / _HOUR
    parts = [[float(part.mean()) for part in np.array_split(row, _PARTS)] for row in right]
    return {
        "accuracy": float(np.concatenate(right).mean()),
        "settled_accuracy": float(
            np.concatenate([part[stream.settled] for part, stream in zip(right, streams, strict=True)]).mean()
        ),
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
