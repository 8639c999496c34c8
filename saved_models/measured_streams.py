"""Measures the networks of a cross-validation as a phone would use them: on the streams of those they never saw."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import crossval, loading
from zoo.activity import metrics, recordings
from zoo.activity.cutting import Windowing
from zoo.activity.device import AT_REST
from zoo.activity.streaming import StreamResult, Stretch, splice, streamed
from zoo.activity.task import TASK
from zoo.data.dataset import Data, center_crop
from zoo.exporting import artifacts
from zoo.exporting.artifacts import ParityError
from zoo.files import read_arrays, temporary_folder
from zoo.models.recognizer import ActivityRecognizer
from zoo.runtime import Recognizer
from zoo.runtime.labels import resolve

Document = dict[str, Any]

SECONDS, LENGTHS = 900.0, (15.0, 40.0)
"""Length of each person's stream of activities in turn, and of each of these."""

WORKERS = 2
MOVEMENTS = ("catching_ball", "dribbling_ball", "kicking_ball", "folding_clothes")
"""What people of WISDM do besides, other than at rest."""

STAIRS = ("downstairs", "upstairs")
INTEGERS, FLOATS = "model.int8.tflite", "model.float32.tflite"


@dataclass(frozen=True)
class Held:
    """What one network of a cross-validation is measured on, and how it is calibrated.

    Args:
        folder: The folder of the cross-validation.
        fold: The fold.
        record: What it recorded.
        data: The file of windows.
        calibration: Arguments of the model.
        files: The file of recordings of each study.
    """

    folder: Path
    fold: crossval.Fold
    record: Document
    data: Path
    calibration: Mapping[str, float]
    files: Mapping[str, Path]


def measured(held: Held, *, integers: bool) -> tuple[list[tuple[str, bool, StreamResult]], Document]:
    """Streams of those whom a fold holds out: study, whether activities take turns, result. What integers answer."""
    data = TASK.load_data(held.data)
    model = loading.load(held.fold.file(held.folder, "keras")).keras_model
    assert isinstance(model, ActivityRecognizer)
    found: Document = {}
    with temporary_folder() as scratch:
        model.copy(**held.calibration).save(scratch / "model.keras")
        loaded = loading.load(scratch / "model.keras")
        own = replace(data, train=data.train.where(~_windows(data, held)))
        kinds, refused = ["float32", "int8"] if integers else ["float32"], dict[str, ParityError]()
        artifacts.export(loaded, TASK.exportable(loaded, own), scratch / "files", kinds, refused)
        if integers and not refused:
            found = _integers(held, scratch / "files" / INTEGERS, data)
        recognizer = Recognizer(scratch / "files" / FLOATS)
        return [*_streams(held, recognizer)], found


def _windows(data: Data, held: Held) -> NDArray[np.bool_]:
    """Which windows the fold holds out."""
    return np.isin(np.arange(len(data.train)), read_arrays(held.fold.file(held.folder, "npz"))["rows"])


def _integers(held: Held, file: Path, data: Data) -> Document:
    """Labels, people, and what the network and its file of integers predict."""
    part, windows = read_arrays(held.fold.file(held.folder, "npz")), data.train.where(_windows(data, held))
    inputs, labels = windows.arrays()
    recognizer = Recognizer(file)
    answers = recognizer.predict(center_crop(inputs, recognizer.metadata.window))
    return {"labels": labels, "people": windows.subjects, "floats": part["logits"], "integers": answers}


def _streams(held: Held, recognizer: Recognizer) -> Iterator[tuple[str, bool, StreamResult]]:
    rate, classes = recognizer.metadata.rate, recognizer.metadata.classes
    allowed = {name: [name] for name in classes} | {"stairs": [*STAIRS]}
    for members in held.record.get("indistinct", ()):
        # What training cannot tell apart is not told apart in the scores.
        allowed |= {classes[place]: [classes[each] for each in members] for place in members}
    random = np.random.default_rng([held.fold.group, 5])
    for study, file in held.files.items():
        people: dict[str, list[Stretch]] = {}
        for recording in recordings.read_recordings(file).selected(recognizer.metadata.axes):
            if f"{study}/{recording.subject}" not in held.record["subjects"]:
                continue
            rows = Windowing(rate=rate).rows(recording)
            if recording.activity in (*allowed, *MOVEMENTS) and len(rows) > recognizer.metadata.window:
                yield study, False, streamed(recognizer, None, [(recording.activity, rows)], allowed)
                if recording.activity in allowed:
                    people.setdefault(recording.subject, []).append((recording.activity, rows))
        for parts in people.values():
            if len({activity for activity, _ in parts}) > 1:
                yield study, True, streamed(recognizer, None, splice(parts, rate, SECONDS, random, LENGTHS), allowed)


def scores(streams: Sequence[StreamResult], turns: Sequence[StreamResult], known: Sequence[str]) -> Document:
    """What a study's streams show later than five seconds after a change, and how fast and how often it changes.

    Shares of the signal: `right`; `walking_as_stairs`; of each other movement, `shown_as_known`. Of activities in turn:
    median `delay` of changes between still and moving, `other_delay`, `false_per_hour`.
    """
    found: Document = {}
    by_activity: dict[str, list[NDArray[np.str_]]] = {}
    for stream in streams:
        by_activity.setdefault(str(stream.activities[0]), []).append(stream.labels[stream.settled])
    labels = {name: np.concatenate(parts) for name, parts in by_activity.items()}
    right = [part == name for name, part in labels.items() if name in known]
    found["right"] = float(np.concatenate(right).mean())
    found["walking_as_stairs"] = float(np.isin(labels["walking"], (*STAIRS, "stairs")).mean())
    found["shown_as_known"] = {name: float((part != "").mean()) for name, part in labels.items() if name not in known}
    if turns:
        delays: dict[bool, list[float]] = {True: [], False: []}
        for stream in turns:
            still = np.isin(stream.activities, AT_REST)
            for changed, delay in zip(still[1:] != still[:-1], stream.delays().tolist(), strict=True):
                delays[bool(changed)].append(delay)
        found["delay"], found["other_delay"] = (float(np.median(delays[each])) for each in (True, False))
        hours = sum(float(stream.times[-1]) for stream in turns) / 3600
        found["false_per_hour"] = sum(stream.false_alarms() for stream in turns) / hours
    return found


def of(
    found: Mapping[str, Document], data: Path, folder: Path, calibration: Mapping[str, float], *, integers: bool
) -> Document:
    """Streams of the networks of two cross-validations in a folder, over people and over studies.

    With `integers`, those over people are exported in 8 bits as well, and read the windows of the people. Those over
    people are calibrated as what is published is, those over studies without the study that they leave out.
    """
    whole = TASK.load_data(data)

    def calibrated(record: Document) -> Mapping[str, float]:
        return without(str(record["study"]), folder / "people", found["people"], whole)

    return {
        f"streams_of_{what}": of_folds(
            folder / what, result, data, calibrated if what == "studies" else lambda record: calibration,
            integers=integers and what == "people",
        )
        for what, result in found.items()
    }  # fmt: skip


def without(study: str, folder: Path, found: Document, data: Data) -> Document:
    """The temperature and the threshold that the predictions for people of all other studies ask for."""
    arrays = crossval.fold_arrays(folder, folds_of(found))
    rows, logits = arrays["rows"], arrays["logits"]
    assert data.train.studies is not None
    kept = data.train.studies[rows] != study
    fitted = crossval.calibration(
        data.train.labels[rows][kept], logits[kept].astype(np.float64), np.full(kept.sum(), np.nan),
        found["recipe"]["rejection_rate"], data.other_class, data.label_sets,
    )  # fmt: skip
    return {name: fitted[name] for name in ("temperature", "threshold")}


def folds_of(found: Document) -> crossval.Records:
    """The folds of a network in the result of a cross-validation."""
    return {
        crossval.Fold(found["preset"], found["split_by"], record["seed"], record["group"]): record
        for record in found["folds"]
    }


def of_folds(
    folder: Path, found: Document, data: Path, calibration: Callable[[Document], Mapping[str, float]], *, integers: bool
) -> Document:
    """Scores of each study's streams; with `integers` what files of 8 bits lose on windows of the same people."""
    files = {study: data.parent / f"{study}.h5" for study in found["per_study"]}
    held = [Held(folder, fold, record, data, calibration(record), files) for fold, record in folds_of(found).items()]
    with ProcessPoolExecutor(WORKERS) as pool:
        results = [*pool.map(partial(measured, integers=integers), held)]
    streams = [stream for part, _ in results for stream in part]
    data_of_folds = TASK.load_data(data)
    other = data_of_folds.other_class
    known = [*found["classes"][:other], "stairs"]
    result: Document = {}
    for study in files:
        own = [(spliced, stream) for name, spliced, stream in streams if name == study]
        if own:
            result[study] = scores(*([each for turns, each in own if turns == kind] for kind in (False, True)), known)
    windows = {key: found[key] for key in ("windows", "macro_f1", "macro_f1_interval")}
    document: Document = {"seconds": SECONDS, "of_windows": windows, "studies": result}
    if parts := [part for _, part in results if part]:
        document["int8"] = lost(parts, other, data_of_folds.label_sets)
    return document


def lost(parts: Sequence[Document], other: int | None, label_sets: Sequence[Sequence[int]]) -> Document:
    """What integers lose in macro-F1, with its interval over people, and how often both answer the same."""
    labels, people, floats, integers = (
        np.concatenate([part[key] for part in parts]) for key in ("labels", "people", "floats", "integers")
    )
    rows = []
    for answers in (floats, integers):
        truth = resolve(labels, answers, label_sets)
        known, predicted = metrics.of_known(truth, answers.argmax(axis=1), other)
        rows.append((truth[known], predicted[known], people[known]))
    drawn = [metrics.bootstrap(*row) for row in rows]
    scored = [metrics.macro_f1(truth, predicted) for truth, predicted, _ in rows]
    return {
        "macro_f1": dict(zip(("float", "int8"), scored, strict=True)), "loss": scored[0] - scored[1],
        "interval": np.percentile(drawn[0] - drawn[1], [2.5, 97.5]).tolist(),
        "agreement": float((floats.argmax(axis=1) == integers.argmax(axis=1)).mean()),
    }  # fmt: skip
