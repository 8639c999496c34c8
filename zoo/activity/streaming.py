"""Evaluation of continuous recognition, on people that a model does not know.

The stream of one person has predictions at times t_1 < t_2 < ..., each with or without a label, and consecutive
stretches of one true activity each.

    accuracy          fraction of predictions whose label is the true activity; no label counts as wrong
    settled accuracy  the same for predictions later than `GRACE` after a change
    coverage          fraction of predictions with a label
    delay             time from a change of activity to the first prediction of the new activity; infinite, and the
                      change missed, if there is none before the next change
    false alarms      changes to a wrong label later than `GRACE` after a change of activity, per hour of such time
    accuracy by time  accuracy in equal parts of the stream, from first to last; it decreases if the network drifts
    events            stretches of an activity and stretches of a label, compared as in Ward, Lukowicz, Gellersen:
                      Performance Metrics for Activity Recognition, ACM TIST 2(1), 2011, doi 10.1145/1889681.1889687.
                      A true event without the label is deleted, one with several labeled stretches fragmented. A
                      labeled stretch that joins several true events merges them; one that overlaps none, and lasts for
                      longer than `GRACE` after the change before it, is inserted
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity import recordings
from zoo.activity.cutting import Windowing, require_people
from zoo.activity.following import GRACE
from zoo.activity.metrics import pooled_share
from zoo.catalog import joined_names
from zoo.data.dataset import sort_names
from zoo.errors import ZooError, option
from zoo.provenance import already_seen, of_namesakes
from zoo.runtime import Prediction, Recognizer
from zoo.runtime.metadata import Streaming
from zoo.runtime.streaming import predict_recording

LENGTHS = (15.0, 60.0)
"""Shortest and longest stretch of one activity, in seconds."""
_PARTS, _HOUR = 6, 3600.0

Stretch = tuple[str, NDArray[np.float32]]
"""An activity and its rows `(N, C)`. A stream is a sequence of them."""


def evaluate(
    recognizer: Recognizer, path: Path, *, subjects: Sequence[str] | None = None, settings: Streaming | None = None,
    seconds: float = _HOUR, seed: int = 0, merge: Mapping[str, str | Sequence[str]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Evaluates a file on single recordings, and on streams of changing activities spliced from them.

    Subjects are by default all that the model was not trained on; each has a spliced stream of some seconds. Where a
    label means one of several classes, as `merge` says in `{"stairs": "upstairs+downstairs"}`, each is right.

    Returns `recordings` (each streamed from its start) and `spliced` (None if nobody has two activities), each with the
    metrics of `measure` and the `window_accuracy` on whole windows of the same rows; `timelines` of each person's
    activities in turn; `subjects`, who of them was `trained_on`, a note on `namesakes`, `dropped`, ...
    """
    metadata = recognizer.metadata
    windowing = Windowing(rate=metadata.rate)
    index = recordings.read_recordings(path).selected(metadata.axes)
    people, trained_on = _people(path, index, metadata, subjects)
    allowed = _allowed(metadata.classes, merge or {})
    by_person: dict[str, list[Stretch]] = {name: [] for name in people}
    dropped = Counter[str]()
    for recording in index:
        if recording.subject not in by_person:
            continue
        if recording.activity not in allowed:
            dropped[f"recordings of {recording.activity}"] += 1
            continue
        rows = windowing.rows(recording)
        if len(rows) > metadata.window:
            by_person[recording.subject].append((recording.activity, rows))
        else:
            dropped["recordings no longer than one window"] += 1
    if not any(by_person.values()):
        length = metadata.window / metadata.rate
        what = f"no recording of {', '.join(people)} is longer than a window, {length:g} s"
        cure = f"pass labels that mean several with {option('merge')}"
        raise ZooError(f"{path}: {what}, and of {', '.join(metadata.classes)}: {cure}")
    random = np.random.default_rng([seed, 5])
    alone = [(name, [part]) for name, parts in by_person.items() for part in parts]
    several = {name: parts for name, parts in by_person.items() if len({activity for activity, _ in parts}) > 1}
    spliced = [(name, splice(parts, metadata.rate, seconds, random)) for name, parts in several.items()]
    streams, of_spliced = _measured(recognizer, settings, spliced, allowed) if spliced else ([], None)
    return {
        "model": metadata.preset or recognizer.path.stem,
        "data": path.name,
        "classes": [*metadata.classes, *(name for name in allowed if name not in metadata.classes)],
        "recordings": _measured(recognizer, settings, alone, allowed)[1],
        "spliced": of_spliced,
        "timelines": {name: stream.timeline() for name, stream in zip(several, streams, strict=True)},
        "subjects": people,
        "trained_on": trained_on,
        "namesakes": of_namesakes(people, metadata, trained_on),
        "dropped": dict(dropped),
        "simulated": index.provenance["simulated"],
        "settings": {**asdict(settings or metadata.streaming), "threshold": metadata.stream_threshold},
    }


def _people(
    path: Path, index: Any, metadata: Any, subjects: Sequence[str] | None
) -> tuple[list[str], list[str]]:  # fmt: skip
    """The people to evaluate on, by default all that the model was not trained on, and who of them were trained on."""
    everyone = sort_names(index.subjects)
    seen = already_seen(everyone, index.provenance["source"], metadata)
    unseen = [name for name in everyone if name not in seen]
    people = unseen if subjects is None else sort_names(subjects)
    require_people(index, people)
    if not people:
        raise ZooError(f"{path}: this model was trained on all of {joined_names(everyone)}: pass {option('subjects')}")
    return people, [name for name in people if name not in unseen]


def _allowed(classes: Sequence[str], merge: Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    """The classes that are right for each label."""
    allowed = {label: [label] for label in classes}
    for label, meaning in merge.items():
        allowed[label] = meaning.split("+") if isinstance(meaning, str) else list(meaning)
        if unknown := [name for name in allowed[label] if name not in classes]:
            what = f"no class {', '.join(unknown)}; expected classes of {', '.join(classes)}"
            raise ZooError(f"{label}={'+'.join(allowed[label])}: {what}")
    return allowed


def splice(
    parts: Sequence[Stretch], rate: float, seconds: float, random: np.random.Generator,
    lengths: tuple[float, float] = LENGTHS,
) -> list[Stretch]:  # fmt: skip
    """Random stretches of a person's recordings one after another, whose activities differ; `lengths` in seconds."""
    stretches: list[Stretch] = []
    while sum(len(rows) for _, rows in stretches) < seconds * rate:
        others = [part for part in parts if not stretches or part[0] != stretches[-1][0]]
        activity, rows = others[random.integers(len(others))]
        count = min(len(rows), round(random.uniform(*lengths) * rate))
        start = random.integers(len(rows) - count + 1)
        stretches.append((activity, rows[start : start + count]))
    return stretches


def streamed(
    recognizer: Recognizer, settings: Streaming | None, stretches: Sequence[Stretch],
    allowed: Mapping[str, Sequence[str]], person: str = "",
) -> "StreamResult":  # fmt: skip
    """The result of one stream; `allowed` are the labels that are right for each activity, none where it has no key."""
    rows, rate = np.concatenate([rows for _, rows in stretches]), recognizer.metadata.rate
    return judged(predict_recording(recognizer.stream(settings), rows, rate), rate, stretches, allowed, person)


def judged(
    predictions: Sequence[Prediction], rate: float, stretches: Sequence[Stretch],
    allowed: Mapping[str, Sequence[str]], person: str = "",
) -> "StreamResult":  # fmt: skip
    """The result of predictions for the stretches of a stream, as of `streamed`."""
    activities, parts = zip(*stretches, strict=True)
    times = np.array([prediction.time for prediction in predictions])
    labels = np.array([prediction.label or "" for prediction in predictions])
    result = StreamResult(times, labels, np.cumsum([0, *map(len, parts[:-1])]) / rate, np.array(activities), person)
    # A label that is right is the truth, whatever the truth is called.
    pairs = zip(labels, result.truth, strict=True)
    return replace(result, labels=np.array([true if name in allowed.get(true, ()) else name for name, true in pairs]))


def _measured(
    recognizer: Recognizer, settings: Streaming | None, streams: Sequence[tuple[str, Sequence[Stretch]]],
    allowed: Mapping[str, Sequence[str]],
) -> tuple[list["StreamResult"], dict[str, Any]]:  # fmt: skip
    metadata, results, right = recognizer.metadata, list[StreamResult](), list[NDArray[np.bool_]]()
    windowing, classes = Windowing(metadata.window, metadata.hop, metadata.rate), np.array(metadata.classes)
    for person, stretches in streams:
        results.append(streamed(recognizer, settings, stretches, allowed, person))
        for activity, rows in stretches:
            answers = classes[recognizer.predict(windowing.cut(rows)).argmax(axis=1)]
            right.append(np.isin(answers, allowed[activity]))
    return results, measure(results) | {"window_accuracy": float(np.concatenate(right).mean())}


@dataclass(frozen=True)
class StreamResult:
    """Predictions at `times` in seconds, with labels, empty where there is none, for the stream of one person.
    Its true activities, each other than the one before, have their starts in seconds.
    """

    times: NDArray[np.float64]
    labels: NDArray[np.str_]
    starts: NDArray[np.float64]
    activities: NDArray[np.str_]
    person: str = ""

    @property
    def truth(self) -> NDArray[np.str_]:
        """True activity at each prediction, `(N,)`."""
        return self.activities[self._stretch]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Whether each prediction is later than `GRACE` after a change of activity, `(N,)`."""
        return self.times - self.starts[self._stretch] > GRACE

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each label is the true activity, `(N,)`."""
        return np.asarray(self.labels == self.truth)

    @property
    def settled_seconds(self) -> float:
        """The length in seconds of what is settled."""
        return float(np.diff(self.times, prepend=self.starts[0])[self.settled].sum())

    @property
    def _changed(self) -> NDArray[np.bool_]:
        return np.append(True, self.labels[1:] != self.labels[:-1])

    @property
    def _stretch(self) -> NDArray[np.intp]:
        return np.searchsorted(self.starts, self.times, side="right") - 1

    def delays(self) -> NDArray[np.float64]:
        """The seconds from each change to the first prediction of the new activity, `(M - 1,)`."""
        ends = np.append(self.starts[1:], np.inf)
        delays = []
        for start, end, activity in zip(self.starts[1:], ends[1:], self.activities[1:], strict=True):
            right = (self.times >= start) & (self.times < end) & (self.labels == activity)
            delays.append(float(self.times[right][0] - start) if right.any() else np.inf)
        return np.array(delays)

    def changes(self) -> list[tuple[str, str, float]]:
        """The activities before and after each change, and its delay."""
        before, after = self.activities[:-1].tolist(), self.activities[1:].tolist()
        return [*zip(before, after, self.delays().tolist(), strict=True)]

    def shown(self) -> list[tuple[float, str]]:
        """Start in seconds and label of each stretch of one label; an empty string where there is none."""
        return [(float(self.times[place]), str(self.labels[place])) for place in np.flatnonzero(self._changed)]

    def timeline(self) -> dict[str, Any]:
        """`seconds` in all; `true` and `shown`: start in seconds and label of each stretch."""
        true = [(float(start), str(name)) for start, name in zip(self.starts, self.activities, strict=True)]
        return {"seconds": float(self.times[-1]), "true": true, "shown": self.shown()}

    def events(self) -> dict[str, int]:
        """Counts true events, and those deleted, fragmented, merged and inserted."""
        starts, labels = map(np.array, zip(*self.shown(), strict=True))
        ends, until = np.append(self.starts[1:], np.inf), np.append(starts[1:], np.inf)
        together = (self.starts[:, None] < until) & (starts < ends[:, None])
        overlap = together & (self.activities[:, None] == labels)
        of_true, of_shown = overlap.sum(axis=1), overlap.sum(axis=0)
        changed = self.starts[np.maximum(np.searchsorted(self.starts, starts, side="right") - 1, 0)]
        inserted = (of_shown == 0) & (labels != "") & (until - changed > GRACE)
        return {
            "true": len(of_true), "deleted": int((of_true == 0).sum()), "fragmented": int((of_true > 1).sum()),
            "merged": int(of_shown[of_shown > 1].sum()), "inserted": int(inserted.sum()),
        }  # fmt: skip

    def false_alarms(self) -> int:
        """Counts the changes to a wrong label."""
        return int((self._changed & (self.labels != "") & ~self.right & self.settled).sum())


def delays(seconds: Sequence[float]) -> dict[str, int | float | None]:
    """How many `changes` there are and how many are `missed`, and quantiles of the delays, None if those are missed."""
    late = [np.quantile(seconds, share, method="higher") if len(seconds) else np.inf for share in (0.5, 0.95)]
    median, slow = (float(delay) if np.isfinite(delay) else None for delay in late)
    missed = int(np.isinf(seconds).sum())
    return {"changes": len(seconds), "missed": missed, "delay_median": median, "delay_p95": slow}


def measure(streams: Sequence[StreamResult]) -> dict[str, Any]:
    """The metrics of the streams of several people. Delays are in seconds, None where a change is not recognized.

    `delays` are those of each change, by the activity before and after. Intervals are over people; for fewer than ten
    they are None, and `by_person` has the accuracy of each. What is settled is None where all streams are too short for
    it, as is `accuracy_by_time`.
    """
    by_change: dict[str, dict[str, list[float]]] = {}
    for stream in streams:
        for before, after, delay in stream.changes():
            by_change.setdefault(before, {}).setdefault(after, []).append(delay)
    parts = [[part.mean() for part in np.array_split(one.right, _PARTS)] for one in streams if len(one.times) >= _PARTS]
    events = [stream.events() for stream in streams]
    hours = sum(float(stream.times[-1] - stream.starts[0]) for stream in streams) / _HOUR
    settled_hours = sum(stream.settled_seconds for stream in streams) / _HOUR
    all_time, settled = (
        pooled_share((one.person, one.right, kept) for one, kept in zip(streams, moments, strict=True))
        for moments in ([np.full(len(one.times), True) for one in streams], [one.settled for one in streams])
    )
    return {
        "accuracy": all_time["share"],
        "accuracy_interval": all_time["interval"],
        "settled_accuracy": settled["share"],
        "settled_accuracy_interval": settled["interval"],
        "by_person": all_time.get("by_person"),
        "coverage": float(np.concatenate([stream.labels != "" for stream in streams]).mean()),
        "hours": hours,
        "settled_hours": settled_hours,
        **delays([delay for row in by_change.values() for group in row.values() for delay in group]),
        "delays": {
            before: {after: delays(group) for after, group in sorted(row.items())}
            for before, row in sorted(by_change.items())
        },
        "false_alarms_per_hour": (
            sum(stream.false_alarms() for stream in streams) / settled_hours if settled_hours else None
        ),
        "events": {name: sum(counts[name] for counts in events) for name in events[0]},
        "accuracy_by_time": np.mean(parts, axis=0).tolist() if parts else None,
    }
