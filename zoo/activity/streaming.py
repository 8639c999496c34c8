"""Continuous recognition: in a signal that arrives row by row, and its evaluation on people that a model does not know.

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

import io
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from zoo.activity.report import minutes
from zoo.catalog import joined_names
from zoo.data.dataset import sort_names
from zoo.errors import ZooError, option, shown
from zoo.provenance import already_seen
from zoo.report.screen import say
from zoo.runtime import Prediction, Recognizer
from zoo.runtime.metadata import CLASSES, INERTIAL, Streaming
from zoo.runtime.streaming import predict_recording

if TYPE_CHECKING:
    import pandas as pd

    from zoo.activity.columns import CsvColumns

_SINCE_1970 = 1e8
"""Seconds from which time stamps are taken to count from 1970."""
_LONGEST_LINE = 1 << 16
"""Letters of the longest line of a stream."""
GRACE = 5.0
"""Seconds after a change of activity during which a wrong label counts as a delay, not as a false alarm."""
LENGTHS = (15.0, 60.0)
"""Shortest and longest stretch of one activity, in seconds."""
_PARTS, _HOUR = 6, 3600.0

Stretch = tuple[str, NDArray[np.float32]]
"""An activity and its rows `(N, C)`. A stream is a sequence of them."""


class Simulated:
    """Predictions for a simulated person, every half second; arguments are those of `zoo.stream`."""

    def __init__(
        self, file: Path, model: str, activities: Sequence[str], *, seconds: float = 10.0, speed: float = 1.0,
        seed: int = 1, threshold: float | None = None,
    ) -> None:  # fmt: skip
        from zoo.activity.simulate import walk_through

        self._recognizer, self._speed, self._threshold = Recognizer(file), speed, threshold
        self._each, metadata = seconds, self._recognizer.metadata
        possible = [name for name in metadata.classes if name in CLASSES]
        if unknown := [name for name in activities if name not in possible]:
            advice = f"expected {', '.join(possible)}, which {model} knows"
            if not possible:
                labels = ", ".join(metadata.classes)
                advice = f"{model} recognizes {labels}, none of which can be simulated; stream recordings with "
                advice += option("csv", "FILE")
            raise ZooError(f"activity {shown(unknown[0])}: {advice}")
        gyroscope = metadata.axes == INERTIAL
        self._rows, self._truth = walk_through(activities, seconds, metadata.rate, seed, gyroscope=gyroscope)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for moment in self._moments():
            yield {key: value for key, value in moment.items() if key != "window"}

    def _moments(self) -> Iterator[dict[str, Any]]:
        metadata, rows = self._recognizer.metadata, self._rows
        stream = self._recognizer.stream(threshold=self._threshold)
        hop = max(1, round(metadata.rate / 2))
        for stop in range(hop, len(rows) + 1, hop):
            start = time.perf_counter()
            samples = [(i / metadata.rate, *rows[i].tolist()) for i in range(stop - hop, stop)]
            predictions = list(stream.feed(samples))
            milliseconds = 1e3 * (time.perf_counter() - start)
            if self._speed:
                time.sleep(max(0.0, hop / metadata.rate / self._speed - milliseconds / 1e3))
            if predictions:
                window = rows[max(0, stop - metadata.window) : stop]
                yield _document(predictions[-1], metadata.classes) | {
                    "truth": self._truth[stop - 1], "milliseconds": milliseconds, "window": window,
                }  # fmt: skip

    def show(self) -> None:
        """Prints the signal and the predictions, and how many were right."""
        from zoo.report.progress import StreamBoard

        console, right = Console(), dict[tuple[float, float], bool]()
        with StreamBoard(console).shown() as board:
            for moment in self._moments():
                board.update(moment)
                # By the number of the activity, and the seconds since it began.
                right[divmod(moment["time"] - 1e-6, self._each)] = moment["label"] == moment["truth"]
        grace = min(GRACE, self._each / 2)
        settled = [is_right for (_, since), is_right in right.items() if since > grace]
        delays = [
            next((f"{at[1]:.1f} s" for at, is_right in right.items() if is_right and at[0] == place), "never")
            for place in range(1, round(len(self._rows) / self._recognizer.metadata.rate / self._each))
        ]
        late = f"; changes were recognized after {', '.join(delays)}" if delays else ""
        console.print(
            f"simulated person: {sum(settled)} of {len(settled)} moments right that lie {grace:g} s or more after a "
            f"change{late}", highlight=False, soft_wrap=not console.is_terminal,
        )  # fmt: skip


class Followed:
    """Predictions for lines of CSV as they arrive, or for a DataFrame; arguments are those of `zoo.stream`."""

    def __init__(
        self, file: Path, csv: "str | pd.DataFrame", columns: "CsvColumns", every: bool, threshold: float | None
    ) -> None:  # fmt: skip
        self._recognizer, self._csv, self._every, self._threshold = Recognizer(file), csv, every, threshold
        self._columns = columns.replace(gyroscope=self._recognizer.metadata.axes == INERTIAL)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every prediction."""
        for prediction in self._predictions():
            yield _document(prediction, self._recognizer.metadata.classes)

    def _predictions(self) -> Iterator[Prediction]:
        from zoo.activity.columns import read_samples
        from zoo.activity.tables import exists, lines_of, name_of

        stream, warned, none = self._recognizer.stream(threshold=self._threshold), 0, True
        name, source = name_of(self._csv), self._csv
        name = "standard input" if name == "-" else name
        if isinstance(source, str) and source != "-" and exists(Path(source)):
            source = Path(source)
        lines = _lines(source, name) if isinstance(source, str) else lines_of(source)
        # After the last prediction, None: what is still to be said.
        for prediction in chain(stream.feed(read_samples(lines, name, self._columns)), [None]):
            for warning in stream.warnings[warned:]:
                say(warning if prediction is None else f"{_moment(prediction.time).strip()}: {warning}", "warning")
            warned = len(stream.warnings)
            if prediction is not None:
                none = False
                yield prediction
        for reason, count in stream.skipped.items():
            say(f"left out: {reason} ({count})", "warning")
        if none:
            seconds = stream.metadata.window / stream.metadata.rate
            short = "" if stream.skipped else f": the signal is too short; the model reads windows of {seconds:g} s"
            say(f"no prediction{short}", "warning")

    def show(self) -> None:
        """Prints a line for each change, or with `every` for each prediction, and at the end the minutes of each."""
        shown, counts, metadata = "", Counter[str](), self._recognizer.metadata
        for prediction in self._predictions():
            label = str(prediction.label or prediction.reason)
            counts[label] += 1
            if self._every or label != shown:
                print(f"{_moment(prediction.time)}  {label:<12} {prediction.probability:4.0%}", flush=True)
                shown = label
        if counts:
            step = (metadata.frame if metadata.states else metadata.hop) / metadata.rate
            say(f"minutes: {minutes(counts.elements(), step)}")


def _document(prediction: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "time": prediction.time, "label": prediction.label, "reason": prediction.reason,
        "probability": prediction.probability,
        "probabilities": dict(zip(classes, prediction.probabilities.tolist(), strict=True)),
    }  # fmt: skip


def _moment(seconds: float) -> str:
    """A time stamp: seconds, or the local time of day where they count from 1970."""
    if seconds < _SINCE_1970:
        return f"{seconds:9.2f} s"
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-4]


def _lines(csv: str, name: str) -> Iterator[str]:
    """The lines of standard input, a pipe or a device, as they arrive."""
    if csv == "-" and isinstance(sys.stdin, io.TextIOWrapper):
        # In some locales, Python reads undecodable bytes as characters.
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    try:
        with nullcontext(sys.stdin) if csv == "-" else Path(csv).open(encoding="utf-8-sig") as file:
            # Of a line without end, no more than this is held.
            yield from iter(lambda: file.readline(_LONGEST_LINE), "")
    except OSError as error:
        raise ZooError(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from None


def evaluate(
    recognizer: Recognizer, path: Path, *, subjects: Sequence[str] | None = None, settings: Streaming | None = None,
    seconds: float = _HOUR, seed: int = 0, merge: Mapping[str, str | Sequence[str]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Evaluates a file on single recordings, and on streams of changing activities spliced from them.

    Subjects are by default all that the model was not trained on; each has a spliced stream of some seconds. Where a
    label means one of several classes, as `merge` says in `{"stairs": "upstairs+downstairs"}`, each is right.

    Returns `recordings` (each streamed from its start) and `spliced` (None if nobody has two activities), each with the
    metrics of `measure` and the `window_accuracy` on whole windows of the same rows; `timelines` of each person's
    activities in turn; `subjects`, `trained_on`, `dropped`, ...
    """
    # `zoo stream` needs none of what reads files.
    from zoo.activity import recordings
    from zoo.activity.cutting import Windowing

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
        "dropped": dict(dropped),
        "simulated": index.provenance["simulated"],
        "settings": {**asdict(settings or metadata.streaming), "threshold": metadata.stream_threshold},
    }


def _people(
    path: Path, index: Any, metadata: Any, subjects: Sequence[str] | None
) -> tuple[list[str], list[str]]:  # fmt: skip
    """The people to evaluate on, by default all that the model was not trained on, and who of them were trained on."""
    from zoo.activity.cutting import require_people

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
    from zoo.activity.cutting import Windowing

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
    # `zoo stream` needs none of what fits baselines.
    from zoo.activity.metrics import pooled_share

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
