"""Evaluation of continuous recognition, on recordings of people that a model was not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity import recordings, stream_metrics
from zoo.activity.stream_metrics import StreamResult
from zoo.activity.windows import Windowing
from zoo.data.examples import sort_names
from zoo.errors import ZooError
from zoo.provenance import is_among, share_a_study
from zoo.runtime import Recognizer
from zoo.runtime.metadata import Streaming
from zoo.runtime.streaming import predict_recording

_STRETCH = (15.0, 60.0)
"""Shortest and longest stretch of one activity, in seconds."""

Stretch = tuple[str, NDArray[np.float32]]
"""An activity and its rows `(N, C)`."""

Stretches = Sequence[Stretch]
"""A stream: consecutive stretches."""

_HOUR = 3600.0


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
        `recordings` (each streamed from its start) and `spliced`, each with the metrics of
        `evaluation.streaming.report` and the `window_accuracy` on whole windows of the same rows; and `subjects`,
        `simulated`, `settings`. `spliced` is None if nobody has two activities.

    Raises:
        ZooError: If no subject is left, a subject is not in the file, or no recording is long enough and of an activity
            that the model knows.
    """
    index = recordings.read(path).selected(recognizer.metadata.axes)
    trained_on = recognizer.metadata.train_subjects
    sources = recognizer.metadata.source, index.provenance["source"]
    # Equal ids are the same person where the recordings may be those of the training.
    same = len(set(sources)) == 1 or share_a_study(*sources)
    everyone = sort_names(index.subjects)
    unseen = [name for name in everyone if not (same and is_among(name, trained_on))]
    people = unseen if subjects is None else sort_names(subjects)
    unknown = sorted(set(people) - set(everyone))
    if unknown or not people:
        who = f"no subject {', '.join(unknown)}" if unknown else "this model was trained on all subjects"
        raise ZooError(f"{path}: {who}; found {', '.join(everyone)}: choose others with --subjects")
    metadata = recognizer.metadata
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
        "recordings": _measured(recognizer, settings, alone, allowed),
        "spliced": _measured(recognizer, settings, spliced, allowed) if spliced else None,
        "subjects": people,
        "simulated": index.simulated,
        "settings": {**vars(settings or metadata.streaming), "threshold": metadata.stream_threshold},
    }


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


def _measured(
    recognizer: Recognizer, settings: Streaming | None, streams: Sequence[Stretches],
    allowed: Mapping[str, Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """Computes the metrics of streams, and of whole windows of the same rows.

    Args:
        recognizer: Exported file.
        settings: See `evaluate`.
        streams: Streams of one or more stretches.
        allowed: The classes that are right for the label of a stretch.
    """
    metadata = recognizer.metadata
    cut = Windowing(metadata.window, metadata.hop, metadata.rate, trim=0.0)
    right = []
    for activity, rows in (stretch for stretches in streams for stretch in stretches):
        predicted = recognizer.predict(cut.cut(rows)).argmax(axis=1)
        right.append(np.isin(np.array(metadata.classes)[predicted], allowed[activity]))
    report = stream_metrics.report([_result(recognizer, settings, stretches, allowed) for stretches in streams])
    return report | {"window_accuracy": float(np.concatenate(right).mean())}


def _result(
    recognizer: Recognizer, settings: Streaming | None, stretches: Stretches, allowed: Mapping[str, Sequence[str]]
) -> StreamResult:
    rate = recognizer.metadata.rate
    rows = np.concatenate([rows for _, rows in stretches])
    predictions = predict_recording(recognizer.stream(settings), rows, rate)
    lengths = [len(rows) for _, rows in stretches]
    result = StreamResult(
        np.array([prediction.time for prediction in predictions]),
        np.array([prediction.label or "" for prediction in predictions]),
        np.cumsum([0, *lengths[:-1]]) / rate,
        np.array([activity for activity, _ in stretches]),
    )
    truth = result.truth
    right = [label in allowed[activity] for label, activity in zip(result.labels, truth, strict=True)]
    return replace(result, labels=np.where(right, truth, result.labels))
