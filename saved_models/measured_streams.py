"""Measures the networks of a cross-validation as a phone would use them: on the streams of those they never saw.

Three kinds of streams, of each person that a network was trained without:

    alone     each recording of one activity, from its start
    turns     `SECONDS` of all activities in turn, of random lengths between `LENGTHS`, cut from recordings
    flights   walks of `BETWEEN` seconds, and between them stairs of each length of `FLIGHTS`, as they are in a house

Shares are those of the time of all people together, with intervals over people. WISDM and others have a single label
for stairs, for which upstairs and downstairs are right. A study of walking alone has no share that is right, since a
label that never changes would be, but walking shown as stairs and the seconds that it rests on.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import crossval, loading
from zoo.activity import metrics, recordings
from zoo.activity.cutting import Windowing
from zoo.activity.device import AT_REST
from zoo.activity.streaming import StreamResult, Stretch, delays, splice, streamed
from zoo.activity.task import TASK
from zoo.data.dataset import Data, center_crop
from zoo.exporting import artifacts
from zoo.exporting.artifacts import ParityError
from zoo.files import read_arrays, temporary_folder
from zoo.models.recognizer import ActivityRecognizer
from zoo.runtime import Recognizer
from zoo.runtime.labels import resolve
from zoo.runtime.metadata import ActivityMetadata
from zoo.training import Training

Document = dict[str, Any]

SECONDS, LENGTHS = 900.0, (15.0, 40.0)
"""Length of each person's stream of activities in turn, and of each of these."""

FLIGHTS, BETWEEN, REPEATED = (6.0, 8.0, 10.0, 15.0), 20.0, 10
"""Lengths of flights of stairs and of the walks between them, and how many of each length a person climbs."""

WORKERS = 2
MOVEMENTS = (
    "catching_ball", "dribbling_ball", "kicking_ball", "folding_clothes", "stepper", "cross_trainer", "cycling",
    "rowing", "jumping", "basketball",
)  # fmt: skip
"""What people of WISDM and DSADS do besides, other than at rest."""

STAIRS = ("downstairs", "upstairs")
ANY_STAIRS = (*STAIRS, "stairs")
Labels = NDArray[np.str_]
Mask = Callable[[Labels, Labels], NDArray[np.bool_]]
SHARES: dict[str, tuple[Mask, Mask]] = {
    "right": (lambda true, shown: shown == true, lambda true, shown: true != ""),
    "walking_as_stairs": (lambda true, shown: np.isin(shown, ANY_STAIRS), lambda true, shown: true == "walking"),
    "stairs_as_walking": (lambda true, shown: shown == "walking", lambda true, shown: np.isin(true, ANY_STAIRS)),
    "unlabeled": (lambda true, shown: shown == "", lambda true, shown: true != ""),
}
"""Shares of time: what is counted, and of which moments, by the true and the shown activity of each."""
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
        seed: What the spliced signals are drawn by, in place of the number of the fold.
    """

    folder: Path
    fold: crossval.Fold
    record: Document
    data: Path
    calibration: Mapping[str, float]
    files: Mapping[str, Path]
    seed: int | None = None


Streams = list[tuple[str, str, StreamResult]]
"""Study, kind and result of streams."""


def measured(held: Held, *, integers: bool) -> tuple[Streams, Document]:
    """The streams of those whom a fold holds out, and what integers answer to their windows."""
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
        # What training cannot tell apart is not told apart in the scores.
        alike = held.record.get("indistinct", ())
        seed = held.fold.group if held.seed is None else held.seed
        return [*streams_of(recognizer, held.files, held.record["subjects"], seed, alike)], found


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


def streams_of(
    recognizer: Recognizer, files: Mapping[str, Path], people: Container[str], seed: int,
    alike: Sequence[Sequence[int]] = (),
) -> Iterator[tuple[str, str, StreamResult]]:  # fmt: skip
    """Study, kind and result of each stream of some people, in files by study. Classes that are `alike` are one."""
    classes = recognizer.metadata.classes
    allowed = right_labels(classes, alike)
    for study, kind, person, stretches in signals_of(recognizer.metadata, files, people, seed):
        yield study, kind, streamed(recognizer, None, stretches, allowed, person)


def right_labels(classes: Sequence[str], alike: Sequence[Sequence[int]] = ()) -> dict[str, list[str]]:
    """The labels that are right for each activity that is told apart; classes that are `alike` are one."""
    same = {classes[place]: [classes[each] for each in members] for members in alike for place in members}
    return {name: [name] for name in classes} | {"stairs": [*STAIRS]} | same


def signals_of(
    metadata: ActivityMetadata, files: Mapping[str, Path], people: Container[str], seed: int
) -> Iterator[tuple[str, str, str, list[Stretch]]]:
    """Study, kind, person and stretches of the streams of some people, at the rate of a recognizer."""
    rate, known = metadata.rate, right_labels(metadata.classes)
    random, climbed = (np.random.default_rng([seed, number]) for number in (5, 6))
    for study, file in files.items():
        parts: dict[str, list[Stretch]] = {}
        for recording in recordings.read_recordings(file).selected(metadata.axes):
            if f"{study}/{recording.subject}" not in people:
                continue
            rows = Windowing(rate=rate).rows(recording)
            if recording.activity in (*known, *MOVEMENTS) and len(rows) > metadata.window:
                part = recording.activity, rows
                yield study, "alone", recording.subject, [part]
                if recording.activity in known:
                    parts.setdefault(recording.subject, []).append(part)
        for person, own in parts.items():
            kinds = {f"flights of {seconds:g}": flights(own, rate, seconds, climbed) for seconds in FLIGHTS}
            if len({activity for activity, _ in own}) > 1:
                kinds["turns"] = splice(own, rate, SECONDS, random, LENGTHS)
            for kind, stretches in kinds.items():
                if stretches:
                    yield study, kind, person, stretches


def flights(parts: Sequence[Stretch], rate: float, seconds: float, random: np.random.Generator) -> list[Stretch]:
    """A person's walks, each but the last followed by a flight of stairs of some seconds; empty without such parts."""
    stretches: list[Stretch] = []
    kinds = {"walking": ("walking",), "stairs": ANY_STAIRS}
    lengths = {"walking": round(BETWEEN * rate), "stairs": round(seconds * rate)}
    long = {
        kind: [part for part in parts if part[0] in names and len(part[1]) >= lengths[kind]]
        for kind, names in kinds.items()
    }
    if not all(long.values()):
        return []
    for kind in ("walking", "stairs") * REPEATED + ("walking",):
        activity, rows = long[kind][random.integers(len(long[kind]))]
        start = random.integers(len(rows) - lengths[kind] + 1)
        stretches.append((activity, rows[start : start + lengths[kind]]))
    return stretches


def kind_of(before: str, after: str) -> str:
    """The kind of a change, by which delays are reported."""
    stairs = [name in ANY_STAIRS for name in (before, after)]
    if (before in AT_REST) != (after in AT_REST):
        return "still or moving"
    if "walking" in (before, after) and any(stairs):
        return "walking to stairs" if stairs[1] else "stairs to walking"
    return "others"


def everything(stream: StreamResult) -> NDArray[np.bool_]:
    """All moments of a stream."""
    return np.full(len(stream.times), True)


def settled(stream: StreamResult) -> NDArray[np.bool_]:
    """The moments of a stream later than five seconds after a change."""
    return stream.settled


def on_stairs(stream: StreamResult) -> NDArray[np.bool_]:
    """The moments of a stream in which a person is on stairs."""
    return np.isin(stream.truth, ANY_STAIRS)


def shares(streams: Sequence[StreamResult], moments: Callable[[StreamResult], NDArray[np.bool_]]) -> Document:
    """Each of `SHARES` of some moments, over people."""
    return {
        name: metrics.pooled_share(
            (one.person, counted(one.truth, one.labels), among(one.truth, one.labels) & moments(one)) for one in streams
        )
        for name, (counted, among) in SHARES.items()
    }


def scores(streams: Mapping[str, Sequence[StreamResult]], known: Sequence[str]) -> Document:
    """What the streams of a study show, by their kind.

    `all` and `settled` are shares of the time of single activities, `shown_as_known` that of each other movement for
    which a known one is shown. Of `turns`, `delays` by kind of change, the share of changes that is `missed`, false
    changes per hour of what is settled, and the shares of all their time. Of `flights`, by seconds, the share of their
    time that is right, how many there are, and how many are never shown.
    """
    alone = [stream for stream in streams["alone"] if stream.activities[0] in known]
    others: dict[str, list[NDArray[np.bool_]]] = {}
    for stream in streams["alone"]:
        if stream.activities[0] not in known:
            others.setdefault(str(stream.activities[0]), []).append(stream.labels[stream.settled] != "")
    found: Document = {
        "people": len({stream.person for stream in alone}),
        "seconds": {"all": sum(float(stream.times[-1]) for stream in alone),
                    "settled": sum(stream.settled_seconds for stream in alone)},
        "all": shares(alone, everything), "settled": shares(alone, settled),
        "shown_as_known": {name: float(np.concatenate(parts).mean()) for name, parts in others.items()},
    }  # fmt: skip
    if turns := streams.get("turns"):
        by_kind: dict[str, dict[str, list[float]]] = {}
        for stream in turns:
            for before, after, delay in stream.changes():
                by_kind.setdefault(kind_of(before, after), {}).setdefault(stream.person, []).append(delay)
        false = {stream.person: [(stream.false_alarms(), stream.settled_seconds / 3600)] for stream in turns}
        counts = np.concatenate([*false.values()])
        found["turns"] = {
            "people": len(turns), "all": shares(turns, everything),
            "hours": float(counts[:, 1].sum()),
            "delays": {
                kind: delays(np.concatenate([*own.values()]).tolist()) | {"median_of_people": over_people(own, median)}
                for kind, own in sorted(by_kind.items())
            },
            "missed": metrics.pooled_share(
                (one.person, np.isinf(one.delays()), np.full(len(one.starts) - 1, True)) for one in turns
            ),
            "false_per_hour": per_hour(counts),
            "false_of_people": over_people(false, per_hour),
        }  # fmt: skip
    for kind, climbed in streams.items():
        if kind.startswith("flights"):
            late = [delay for one in climbed for _, after, delay in one.changes() if after != "walking"]
            found.setdefault("flights", {})[kind.rpartition(" ")[2]] = shares(climbed, on_stairs) | delays(late)
    return found


def over_people(values: Mapping[str, Sequence[Any]], figure: Callable[[NDArray[Any]], float]) -> Document:
    """The 95% bootstrap interval over people of a figure of the values of all of them; infinite bounds are None.

    Of fewer than ten people it is None, and `by_person` has the figure of each.
    """
    own = {person: np.array(theirs) for person, theirs in values.items()}
    if len(own) < metrics.FEWEST:
        by_person = {person: finite(figure(theirs)) for person, theirs in own.items()}
        return {"people": len(own), "interval": None, "by_person": by_person}
    parts, random = [*own.values()], np.random.default_rng(0)
    draws = random.integers(0, len(parts), (1000, len(parts)))
    drawn = [figure(np.concatenate([parts[place] for place in draw])) for draw in draws]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest").tolist()
    return {"people": len(own), "interval": [finite(low), finite(high)]}


def finite(number: float) -> float | None:
    """A number, or None for infinity."""
    return number if np.isfinite(number) else None


def median(seconds: NDArray[np.float64]) -> float:
    """The median delay, infinite where half of the changes are missed, as `delays` has it."""
    return float(np.quantile(seconds, 0.5, method="higher"))


def per_hour(counts: NDArray[np.float64]) -> float:
    """Events per hour, of counts and hours `(N, 2)`."""
    events, hours = counts.sum(axis=0)
    return float(events / hours)


def by_study(streams: Iterable[tuple[str, str, StreamResult]], known: Sequence[str]) -> dict[str, Document]:
    """The `scores` of each study."""
    kinds: dict[str, dict[str, list[StreamResult]]] = {}
    for study, kind, stream in streams:
        kinds.setdefault(study, {}).setdefault(kind, []).append(stream)
    return {study: scores(own, known) for study, own in kinds.items()}


def of(
    found: Mapping[str, Document], training: Training, data: Path, folder: Path, calibration: Mapping[str, float], *,
    integers: bool,
) -> Document:  # fmt: skip
    """Streams of the networks of cross-validations in a folder, over people, over studies, or both.

    With `integers`, those over people are exported in 8 bits as well, where these answer as floats do often enough, and
    read the windows of the people. Those over people are calibrated as what is published is.
    """
    streams = {}
    if people := found.get("people"):
        own = of_folds(folder / "people", people, data, lambda record: calibration, integers=integers)
        streams["streams_of_people"] = own
    if studies := found.get("studies"):
        streams["streams_of_studies"] = of_studies(studies, nested(training, data, folder), data, folder)
    return streams


def of_studies(found: Document, fitted: Mapping[str, Mapping[str, float]], data: Path, folder: Path) -> Document:
    """Streams of the networks over studies, each with the calibration of its study that `nested` has fitted."""
    streams = of_folds(folder / "studies", found, data, lambda record: fitted[record["study"]], integers=False)
    return {"calibrations": fitted, **streams}


def nested(training: Training, data: Path, folder: Path) -> dict[str, dict[str, float]]:
    """The temperature and the threshold of each study, by `without`, whose networks stay in a folder."""
    studies = TASK.load_data(data).train.names("study")
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        return dict(zip(studies, pool.map(partial(without, training, data, folder), studies), strict=True))


def without(training: Training, file: Path, folder: Path, study: str) -> dict[str, float]:
    """The temperature and the threshold that new people of all other studies ask for.

    They are every third of each of these, and a network is trained without them and without the study.
    """
    data = TASK.load_data(file)
    windows = data.train
    assert windows.studies is not None
    own = windows.studies == study
    new = [person for other in np.unique(windows.studies[~own])
           for person in windows.where(windows.studies == other).people()[::3]]  # fmt: skip
    held = own | np.isin(windows.subjects, new)
    fold, record = train_without(training, data, held, f"{study}, people", folder / "nested" / study, workers=1)
    arrays = crossval.fold_arrays(folder / "nested" / study, {fold: record})
    kept = ~own[arrays["rows"]]
    fitted = crossval.calibration(
        windows.labels[arrays["rows"]][kept], arrays["logits"][kept].astype(np.float64), np.full(kept.sum(), np.nan),
        training.recipe.rejection_rate, data.other_class, data.label_sets,
    )  # fmt: skip
    return {name: fitted[name] for name in ("temperature", "threshold")}


def train_without(
    training: Training, data: Data, held: NDArray[np.bool_], name: str, folder: Path, workers: int = 0
) -> tuple[crossval.Fold, crossval.Record]:
    """Trains without some windows, and scores these, which are held out as if they were one study of a `name`.

    What is finished in the folder is not trained again. By default this process trains.
    """
    studies = np.where(held, name, data.train.studies)
    column = np.full(len(data.train.inputs), "", studies.dtype)
    column[data.train.rows] = studies
    data = replace(data, train=data.train.with_columns({"study": column}))
    folds = crossval.Folds(folder, (training,), data, crossval.Protocol(crossval.STUDY, models=True))
    group = np.unique(studies).tolist().index(name)
    fold = crossval.Fold(training.name, crossval.STUDY, training.recipe.seed, group)
    fold.file(folder, "json").parent.mkdir(parents=True, exist_ok=True)
    record = folds.run([fold], workers=workers)[fold]
    if record["status"] != "scored":
        raise RuntimeError(f"{folder}: {record['reason']}")
    return fold, record


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
    # TensorFlow may have run here, and a fork of it would wait for ever.
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        results = [*pool.map(partial(measured, integers=integers), held)]
    data_of_folds = TASK.load_data(data)
    other = data_of_folds.other_class
    result = by_study((stream for part, _ in results for stream in part), [*found["classes"][:other], "stairs"])
    windows = {key: found[key] for key in ("windows", "macro_f1", "macro_f1_interval")}
    document: Document = {"seconds": SECONDS, "of_windows": windows, "studies": result}
    if parts := [part for _, part in results if part]:
        groups = {"groups": len(parts), "of": len(results)}
        document["int8"] = lost(parts, other, data_of_folds.label_sets) | groups
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
