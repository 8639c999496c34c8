r"""Which recipe of a recognizer of six studies carries over to studies that it was not chosen on.

    python benchmarks/pairs.py --data DATA/activity --scratch build/pairs     # all candidates, or those named
    python benchmarks/pairs.py --page docs/splits.md                          # writes its tables into the page

Each candidate, a change of the recipe of `activity_gru_phone`, is trained with one seed without each of 15 pairs of
studies. What is shown for a study is of the candidate that is best on the others, by the pairs that it is left out of,
so that no choice has seen the study: the share of settled time that is not right and, once more, that of walking which
is shown as stairs, as means over studies, is least. Scores are those of streams (`saved_models/measured_streams.py`),
with the temperature and the threshold of the preset. The networks answer whole signals at once, as copies of their
states that restart would one frame after another; the answers pass the filter, but no check for a phone at rest or
shaken.

A finished training is a row of pairs.json, with sums by person: where it stands there, it is not trained again.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from numpy.typing import NDArray

from zoo.activity.metrics import FEWEST
from zoo.catalog import preset_metrics
from zoo.files import read_json, sha256, write_json
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import CLASSES

PRESET, SEED = "activity_gru_phone", 0
STUDIES = ("dsads", "geotec", "motionsense", "oxford", "selfback", "wisdm")
PAIRS = tuple(combinations(STUDIES, 2))
MOVEMENTS = PRESETS[PRESET].data.other
CANDIDATES: dict[str, dict[str, Any]] = {
    "unchanged": {},
    "with other movements": {"other": MOVEMENTS},
    "with them, weighted by the root": {"other": MOVEMENTS, "class_weights": "root"},
    "with them, at most 80 windows": {"other": MOVEMENTS, "most": 80},
}
"""Changes of the recipe by name; `other` are movements that are a class of their own, and `most` is how many windows of
an activity of a person are trained on."""
CHOSEN = "with other movements"
"""The recipe of the preset."""
WORKERS, BATCH = 2, 2048
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
"""The environment of a worker."""
SPLITS = {"people": "new people", "studies": "a new study"}
"""Whom a network does not know, by the folder of its cross-validation."""
RESULTS = Path(__file__).with_suffix(".json")
ANSWERS = "answers.npz"
"""In the folder of a training: what its network answers to the streams of the two studies."""

Row = dict[str, Any]


def trained(training: Any, data: Any, held: NDArray[np.bool_], name: str, out: Path) -> tuple[Any, Row]:
    """The network and the record of a training without the windows `held`, which is not done again if it is there."""
    # Filling the page needs no TensorFlow.
    import measured_streams

    from zoo import loading

    fold, record = measured_streams.train_without(training, data, held, name, out)
    published = preset_metrics(PRESET)["test"]
    model = loading.load(fold.file(out, "keras")).keras_model
    return model.copy(**{key: published[key] for key in ("temperature", "threshold")}), record | {"group": fold.group}


def train(candidate: str, pair: tuple[str, str], scratch: Path) -> Row:
    """Trains a candidate without two studies, and measures their people."""
    import measured_streams

    from zoo.activity.task import TASK
    from zoo.training import Training

    changes = dict(CANDIDATES[candidate])
    folder, joint = scratch / ("other" if changes.pop("other", ()) else "known"), "+".join(pair)
    data = TASK.load_data(folder / "windows.h5")
    assert data.train.studies is not None
    if most := changes.pop("most", None):
        few = few_of_each(data.train, most) | np.isin(data.train.studies, pair)
        data = replace(data, train=data.train.where(few))
    training = Training.of(PRESET, {"validation": 0.0, "seed": SEED, **changes})
    # Another pair may have the same number of its group, so each has a folder.
    out = scratch / candidate.replace(" ", "_") / joint
    model, record = trained(training, data, np.isin(data.train.studies, pair), joint, out)
    files = {study: folder / f"{study}.h5" for study in pair}
    metadata = TASK.metadata(model)
    signals = measured_streams.signals_of(metadata, files, record["subjects"], record["group"])
    answered = [*answers_of(model, metadata, signals)]
    save(out / ANSWERS, answered, metadata)
    streams = [*shown(answered, metadata, metadata.stream_threshold)]
    scores = measured_streams.by_study(streams, [*CLASSES, "stairs"])
    return {
        "candidate": candidate, "left_out": list(pair), "seconds": record["seconds"],
        "windows": record["windows"], "train_windows": record["train_windows"], "macro_f1": record["macro_f1"],
        "studies": {study: brief(found) for study, found in scores.items()}, "people": sums(streams),
    }  # fmt: skip


def few_of_each(windows: Any, most: int) -> NDArray[np.bool_]:
    """Which windows to train on: at most so many of each activity of each person, drawn at random."""
    order = np.random.default_rng(SEED).permutation(len(windows))
    kinds = np.unique(np.stack([windows.subjects, windows.labels.astype(str)]), axis=1, return_inverse=True)[1]
    kept = np.zeros(len(windows), bool)
    for kind in np.unique(kinds):
        kept[order[kinds[order] == kind][:most]] = True
    return kept


@dataclass(frozen=True)
class Answered:
    """The answers `(N, classes)` of a network at `times` to a stream of a study, and what is true."""

    study: str
    kind: str
    person: str
    stretches: Sequence[tuple[str, Any]]
    times: NDArray[np.float64]
    answers: NDArray[np.float32]


def answers_of(model: Any, metadata: Any, signals: Iterable[tuple[str, str, str, Any]]) -> Iterator[Answered]:
    """What a network of frames answers to each of the streams of `measured_streams.signals_of`."""
    import tensorflow as tf

    settings, frame = metadata.streaming, metadata.frame
    period = settings.restart // frame
    # Each copy of the states begins so many frames after the one before.
    apart, rest = divmod(period, settings.copies)
    assert not rest

    @tf.function(reduce_retracing=True)
    def segments(windows: Any) -> Any:
        states = {name: tf.zeros((tf.shape(windows)[0], size)) for name, size in model.states.items()}
        return tf.nn.softmax(model.chunk(windows, states)[0] / model.temperature)

    for study, kind, person, stretches in signals:
        rows = np.concatenate([rows for _, rows in stretches]).astype(np.float32)
        moments = np.arange(len(rows) // frame)
        begins = np.arange(0, len(moments), apart)
        places = np.minimum(begins[:, None] * frame + np.arange(period * frame), len(rows) - 1)
        found = np.concatenate(
            [segments(rows[places[start : start + BATCH]]) for start in range(0, len(places), BATCH)]
        )
        # The oldest copy answers, once it has read enough.
        oldest = np.maximum(0, -((period - 1 - moments) // apart))
        ages = moments - oldest * apart
        kept = (ages + 1) * frame >= settings.warmup
        yield Answered(
            study, kind, person, stretches, ((moments + 1) * frame - 1)[kept] / metadata.rate,
            found[oldest[kept], ages[kept]],
        )  # fmt: skip


def fold_of(
    scratch: Path, file: Path, calibration: Mapping[str, float] | None = None
) -> tuple[Any, Any, Row, dict[str, Path]]:  # fmt: skip
    """A finished fold of a cross-validation in a folder, whose network is in a file next to its record.

    Returns the network, by default calibrated as what is published, its metadata, the record with the number of the
    fold as `group`, and the file of recordings of each study.
    """
    from zoo import loading
    from zoo.activity.task import TASK

    record, published = read_json(file.with_suffix(".json")), preset_metrics(PRESET)["test"]
    model = loading.load(file).keras_model
    model = model.copy(**(calibration or {key: published[key] for key in ("temperature", "threshold")}))
    files = {study: scratch / f"{study}.h5" for study in STUDIES}
    return model, TASK.metadata(model), record | {"group": int(file.stem.rpartition(".")[2])}, files


def in_workers(measure: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
    """What a function returns for each row of some columns, in their order, each in a new process with one thread."""
    os.environ |= ONE_THREAD
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        yield from pool.map(measure, *columns)


def of_folds(command: str, measure: Callable[[Path, Path], list[Row]], scratch: Path) -> Row:
    """The document of a benchmark of the finished folds of two cross-validations, over people and over studies.

    Each of the rows that it measures has the `split`.
    """
    files = [(split, file) for split in SPLITS for file in sorted((scratch / split).glob(f"folds/{PRESET}.*.keras"))]
    rows: list[Row] = []
    measured = in_workers(partial(measure, scratch), (file for _, file in files))
    for (split, _), found in zip(files, measured, strict=True):
        rows += [row | {"split": split} for row in found]
        print(split, len(rows), "rows", file=sys.stderr, flush=True)
    networks = {file.stem: sha256(file) for _, file in files}
    return {"command": command, "preset": PRESET, "networks": networks, "versions": versions(), "rows": rows}


def shown(answered: Iterable[Answered], metadata: Any, threshold: float) -> Iterator[tuple[str, str, Any]]:
    """Study, kind and result of each stream, whose answers pass the filter of a recognizer and its threshold."""
    import measured_streams

    from zoo.activity.streaming import judged
    from zoo.runtime.streaming import Shown

    allowed = measured_streams.right_labels(metadata.classes)
    for one in answered:
        states = Shown(metadata, metadata.streaming, threshold, metadata.frame / metadata.rate)
        rows = zip(one.times.tolist(), one.answers.astype(np.float64), strict=True)
        predictions = [states.update(time, answer) for time, answer in rows]
        yield one.study, one.kind, judged(predictions, metadata.rate, one.stretches, allowed, one.person)


def save(file: Path, answered: Sequence[Answered], metadata: Any) -> None:
    """Writes answers and the class frequencies of the training, for filters to be compared on them."""
    about = [
        {"study": one.study, "kind": one.kind, "person": one.person,
         "starts": (np.cumsum([0, *(len(rows) for _, rows in one.stretches[:-1])]) / metadata.rate).tolist(),
         "activities": [activity for activity, _ in one.stretches], "times": one.times[[0, -1]].tolist()}
        for one in answered
    ]  # fmt: skip
    np.savez_compressed(
        file, answers=np.concatenate([one.answers for one in answered]).astype(np.float16), about=json.dumps(about),
        counts=[len(one.times) for one in answered], prior=metadata.prior, classes=metadata.classes,
    )  # fmt: skip


def brief(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of a study without their intervals, which follow from the sums by person."""

    def shares(found: Mapping[str, Any]) -> dict[str, float | None]:
        return {key: found[key]["share"] for key in ("right", "walking_as_stairs", "stairs_as_walking", "unlabeled")}

    kept: dict[str, Any] = {"shown_as_known": scores["shown_as_known"]}
    kept |= {time: shares(scores[time]) for time in ("all", "settled")}
    if "turns" in scores:
        kept["turns"] = {key: scores["turns"][key] for key in ("delays", "false_per_hour", "hours")}
    if "flights" in scores:
        late = ("changes", "missed", "delay_median")
        kept["flights"] = {
            seconds: shares(found) | {key: found[key] for key in late} for seconds, found in scores["flights"].items()
        }
    return kept


def sums(streams: Iterable[tuple[str, str, Any]]) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Of each study and person, the hits and the moments of each share of settled single activities."""
    import measured_streams

    found: dict[str, dict[str, dict[str, list[int]]]] = {}
    for study, kind, stream in streams:
        if kind == "alone" and stream.activities[0] in (*CLASSES, "stairs"):
            own = found.setdefault(study, {}).setdefault(stream.person, {})
            for name, (counted, among) in measured_streams.SHARES.items():
                kept = among(stream.truth, stream.labels) & stream.settled
                before = own.setdefault(name, [0, 0])
                own[name] = [before[0] + int((counted(stream.truth, stream.labels) & kept).sum()),
                             before[1] + int(kept.sum())]  # fmt: skip
    return found


def cost(row: Mapping[str, Any]) -> float:
    """What a choice makes small: the time that is wrong or without a label, and once more walking as stairs."""
    return float(1 - row["settled"]["right"] + row["settled"]["walking_as_stairs"])


def chosen_without(rows: Sequence[Row], study: str) -> tuple[str, dict[str, float]]:
    """The candidate that is best on the other studies of the pairs of one, and the cost of each."""
    costs: dict[str, list[float]] = {}
    for row in rows:
        if study in row["left_out"]:
            (partner,) = set(row["left_out"]) - {study}
            costs.setdefault(row["candidate"], []).append(cost(row["studies"][partner]))
    complete = {name: fmean(found) for name, found in costs.items() if len(found) == len(STUDIES) - 1}
    return min(complete, key=lambda name: complete[name]), complete


def mean_of(rows: Sequence[Row], candidate: str, study: str, key: str) -> float:
    """The mean of a settled share of a study over its pairs."""
    return fmean(
        row["studies"][study]["settled"][key]
        for row in rows if row["candidate"] == candidate and study in row["left_out"]
    )  # fmt: skip


def table(document: Mapping[str, Any]) -> str:
    """Right, walking as stairs and without a label, of each candidate and study, the chosen one marked."""
    rows = document["rows"]
    complete = [
        name for name in CANDIDATES if sum(row["candidate"] == name for row in rows) == len(PAIRS)
    ]  # fmt: skip
    lines = []
    for study in STUDIES:
        chosen, _ = chosen_without(rows, study)
        changes = any("turns" in row["studies"][study] for row in rows if study in row["left_out"])
        cells = []
        for name in complete:
            right = f"{mean_of(rows, name, study, 'right'):.1%} / " if changes else ""
            wrong, silent = (mean_of(rows, name, study, key) for key in ("walking_as_stairs", "unlabeled"))
            text = f"{right}{wrong:.1%} / {silent:.1%}"
            cells.append(f"**{text}**" if name == chosen else text)
        lines.append([study, *cells])
    return markdown.table(["study left out", *complete], lines)


def of_people(rows: Sequence[Row], study: str, key: str) -> list[float]:
    """A settled share of each person of a study, over some trainings; empty for a study of ten people and more."""
    people = [row["people"][study] for row in rows]
    if len(people[0]) >= FEWEST:
        return []
    sums = [np.sum([row[person][key] for row in people], axis=0) for person in sorted(people[0])]
    return [float(hits / of) for hits, of in sums if of]


def few_people(document: Mapping[str, Any]) -> str:
    """The shares of each person, over the pairs of a study with fewer than ten people, by candidate."""
    lines = []
    for study, name in product(STUDIES, CANDIDATES):
        rows = [row for row in document["rows"] if row["candidate"] == name and study in row["left_out"]]
        # Of walking alone, a label that never changes would be right.
        climbs = of_people(rows, study, "stairs_as_walking")
        shares = [of_people(rows, study, key) for key in ("right", "walking_as_stairs", "unlabeled")]
        if shares[0]:
            cells = [", ".join(f"{100 * share:.0f}" for share in of) for of in shares]
            lines.append([study, name, cells[0] if climbs else "", *cells[1:]])
    head = ["study left out", "candidate", "right, %", "walking as stairs, %", "without a label, %"]
    return markdown.table(head, lines)


def brings(document: Mapping[str, Any]) -> str:
    """Right, of studies that have more than walking, and walking as stairs, by the study that is left out as well."""
    found: dict[str, dict[str, str]] = {study: {} for study in STUDIES}
    for row in (row for row in document["rows"] if row["candidate"] == CHOSEN):
        for study, other in zip(row["left_out"], reversed(row["left_out"]), strict=True):
            scores = row["studies"][study]
            right = f"{scores['settled']['right']:.1%} / " if "turns" in scores else ""
            each = of_people([row], study, "walking_as_stairs")
            between = f" ({100 * min(each):.0f} to {100 * max(each):.0f})" if each else ""
            found[study][other] = f"{right}{scores['settled']['walking_as_stairs']:.1%}{between}"
    lines = [[study, *(own.get(other, "") for other in STUDIES)] for study, own in found.items()]
    return markdown.table(["study left out", *(f"without {study}" for study in STUDIES)], lines)


def movements(document: Mapping[str, Any]) -> str:
    """How much of the time of each other movement is shown as a known activity, by networks without its study."""
    found: dict[str, dict[str, list[float]]] = {}
    # Without the only two studies that have other movements, the class is empty.
    for row in (row for row in document["rows"] if row["left_out"] != ["dsads", "wisdm"]):
        for study in row["studies"].values():
            for name, share in study["shown_as_known"].items():
                found.setdefault(name, {}).setdefault(row["candidate"], []).append(share)
    learned = preset_metrics(PRESET)["streams_of_people"]["studies"].values()
    own = {name: share for study in learned for name, share in study["shown_as_known"].items()}
    lines = [
        [name.replace("_", " "), *(f"{fmean(shares[each]):.0%}" for each in ("unchanged", "with other movements")),
         f"{own[name]:.0%}" + ("" if name in MOVEMENTS else ", not learned")]
        for name, shares in sorted(found.items())
    ]  # fmt: skip
    return markdown.table(["movement", "without the class", "the class, other kinds", "the class, this kind"], lines)


def cut_with(recordings: Path, archives: Path, folder: Path, other: Sequence[str]) -> Path:
    """Cuts the windows of all studies into a folder, with some other movements, from the recordings in another one."""
    # Filling the page needs no TensorFlow.
    import make

    folder.mkdir(parents=True, exist_ok=True)
    for study in STUDIES:
        file = folder / f"{study}.h5"
        if not file.exists() and (recordings / file.name).exists():
            file.symlink_to((recordings / file.name).resolve())
    return make.cut(STUDIES, archives, folder, other)


def cut(archives: Path, scratch: Path) -> None:
    """Cuts the windows of all studies, without and with other movements, once."""
    for name, other in (("known", ()), ("other", MOVEMENTS)):
        if not (scratch / name / "windows.h5").exists():
            cut_with(scratch / "known", archives, scratch / name, other)


def main() -> None:
    """Trains what is missing; each finished training is written at once."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/activity"))
    parser.add_argument("--scratch", type=Path, default=Path("build/pairs"))
    parser.add_argument("candidates", nargs="*", default=[*CANDIDATES], metavar="CANDIDATE")
    options = parser.parse_args()
    if options.page:
        tables = {"pairs": table, "pairs, few people": few_people, "brings": brings, "other": movements}
        pages.fill(options.page, __file__, tables)
        return
    os.environ |= ONE_THREAD
    document = read_json(RESULTS) if RESULTS.exists() else {"rows": []}
    document |= {"command": "python benchmarks/pairs.py --data DATA/activity", "seed": SEED, "preset": PRESET}
    done = {(row["candidate"], tuple(row["left_out"])) for row in document["rows"]}
    cut(options.data, options.scratch)
    with ProcessPoolExecutor(WORKERS, max_tasks_per_child=1) as pool:
        jobs = [pool.submit(train, name, pair, options.scratch)
                for name in options.candidates for pair in PAIRS if (name, pair) not in done]  # fmt: skip
        for job in as_completed(jobs):
            row = job.result()
            document["rows"].append(row)
            write_json(RESULTS, document | {"versions": versions()})
            shown = {name: round(cost(found), 4) for name, found in row["studies"].items()}
            print(row["candidate"], row["left_out"], row["seconds"], shown, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
