"""Descriptions of windows and recordings.

A description counts, finds what test windows share with training windows, and compares studies.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct
from scipy.spatial import cKDTree

from zoo.activity.checks import POWERS, Copies, Faults, row_hashes, spelled_twice
from zoo.activity.data import confounded, hop_of
from zoo.activity.data import from_file as windows_from
from zoo.catalog import joined_names
from zoo.data import hdf5
from zoo.data.dataset import Data, DataSet, sort_names
from zoo.errors import option
from zoo.runtime.interpreter import lengths_of
from zoo.runtime.labels import allowed_classes
from zoo.runtime.metadata import UNIT

if TYPE_CHECKING:
    from zoo.activity.recordings import Index, Recording


def describe(data: "Data | Index") -> dict[str, Any]:
    """Counts windows by part and class, or seconds of recordings by activity; finds leaks, and compares studies."""
    description = _describe_windows(data) if isinstance(data, Data) else _describe_recordings(data)
    studies = compare(data)
    return description | ({"studies": studies} if studies else {})


def from_file(path: Path) -> "Data | Index":
    """Opens a file of recordings, or of windows, whose leaks are described and not refused."""
    # A training, which reads windows by this module as well, needs no recordings.
    from zoo.activity import recordings

    is_raw = hdf5.identify(path) == "recordings"
    return recordings.read_recordings(path) if is_raw else windows_from(path, allow_leak=True)


def examples(data: "Data | Index") -> dict[str, tuple[float, NDArray[Any]]]:
    """The rate and the rows, `(N, 3)`, of a window of each label: of one in the middle of those of each person or
    recording, the one that moves as much as most do.
    """
    found = dict[str, list[tuple[float, float, NDArray[Any]]]]()
    for _, _, label, rate, windows, _ in _pieces(data):
        for window in windows[len(windows) // 2 :][:1, :, :3]:
            found.setdefault(label, []).append((float(np.linalg.norm(window, axis=1).std()), rate, window))
    return {label: sorted(found[label], key=itemgetter(0))[len(found[label]) // 2][1:] for label in sorted(found)}


def _describe_windows(data: Data) -> dict[str, Any]:
    leaks, names, both = find_leaks(data.train, data.test), data.label_names, data.everyone().train
    applies = {
        f"subject {', '.join(leaks['subjects'])} is in training and in test": leaks["subjects"],
        f"{leaks['shared_rows']} test windows share rows with training windows": leaks["shared_rows"],
        f"{leaks['near_duplicates']} test windows nearly equal a training window": leaks["near_duplicates"],
        "no subject ids: whether a person is in training and in test cannot be known": data.split_by == "window",
    }
    problems = [problem for problem, true in applies.items() if true]
    problems += spelled_twice(names, [*data.train.people(), *data.test.people()])
    problems += confounded(both.labels, both.subjects, both.studies)
    problems += [*_strange(data), *_untested(data)]
    minutes = {}
    if both.subjects is not None:
        labels, seconds = np.array(names)[both.labels], np.full(len(both), hop_of(both) / data.rate)
        minutes = {"minutes": _minutes(both.subjects, labels, seconds)}
    return {
        "parts": {"train": _balance(data.train, names), "test": _balance(data.test, names)},
        "split_by": data.split_by, "rate_hz": data.rate, "simulated": data.simulated,
        "leaks": leaks, "problems": problems, **minutes,
    }  # fmt: skip


_NAMED = 3
"""People who are named at most."""


def _untested(data: Data) -> list[str]:
    """A sentence about classes without a test window, and who recorded them for training."""
    allowed = allowed_classes(len(data.classes), data.test.label_sets)[np.unique(data.test.labels)]
    absent = [place for place, tested in enumerate(allowed.any(axis=0)) if not tested]
    if not len(data.test) or not absent:
        return []
    people, labels, names = data.train.subjects, data.train.labels, list[str]()
    for place in absent:
        owners = [] if people is None else sort_names(people[labels == place])
        more = f" and {len(owners) - _NAMED} more" if len(owners) > _NAMED else ""
        names.append(data.classes[place] + f" (recorded by {', '.join(owners[:_NAMED])}{more})" * bool(owners))
    cure = f"choose test people who recorded it with {option('test_subjects')}, or record it with others"
    return [f"no test window of {'; '.join(names)}: no score shows how well it is recognized: {cure}"]


_EQUAL, _GRAVITY = 0.01, (8.3, 11.3)
"""Share of windows that repeat others in no sound file: 0.3 % did in data3.h5, none in three other studies. And the
range in m/s^2 of the length of a person's typical mean vector, which is 9.2 to 10.4 for 110 people of six studies."""


def _strange(data: Data) -> list[str]:
    """Sentences about windows of a broken sensor or another unit, and about windows that repeat others."""
    faults, lengths = Faults(), dict[str, list[float]]()
    step = max(1, data.train.inputs.shape[1] // hop_of(data.train))
    for _, who, label, rate, windows, _ in _pieces(data):
        faults.find(f"{who}, {label}".removeprefix(", "), np.concatenate(windows[::step]), rate)
        lengths.setdefault(who or "all windows", []).extend(lengths_of(windows)[:, 1])
    problems, seen = faults.sentences(), {hash(row.tobytes()) for rows, _ in data.train.blocks() for row in rows}
    if (again := len(data.train) - len(seen)) > _EQUAL * len(data.train):
        problems.append(f"{again} of {len(data.train)} training windows repeat another one: leave them out")
    return problems + _unlike_gravity(lengths)


def _unlike_gravity(lengths: Mapping[str, Sequence[float]]) -> list[str]:
    """A sentence about people whose mean vectors, of these lengths, are those of another unit."""
    wrong = [who for who, each in lengths.items() if each and not _GRAVITY[0] < np.median(each) < _GRAVITY[1]]
    what = f"acceleration of {joined_names(wrong)} is not about 9.8 {UNIT} on average: convert its unit"
    return [what] if wrong else []


def _minutes(people: ArrayLike, labels: ArrayLike, seconds: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Minutes by person and label."""
    totals = dict[str, Counter[str]]()
    for person, label, duration in zip(np.asarray(people).tolist(), np.asarray(labels).tolist(), seconds, strict=True):
        totals.setdefault(person, Counter())[label] += duration / 60
    return {
        person: {label: round(float(total), 2) for label, total in sorted(totals[person].items())}
        for person in sort_names(totals)
    }


def _balance(windows: DataSet, labels: tuple[str, ...]) -> dict[str, Any]:
    counts = np.bincount(windows.labels, minlength=len(labels)).tolist()
    return {
        "windows": len(windows), "classes": dict(zip(labels, counts, strict=True)), "subjects": windows.people(),
    }  # fmt: skip


def _describe_recordings(index: "Index") -> dict[str, Any]:
    seconds = {name: index.seconds[index.activities == name].sum() for name in np.unique(index.activities).tolist()}
    copies, pairs, faults, lengths = Copies(), dict[tuple[str, str], str](), Faults(), dict[str, list[float]]()
    for number, recording in enumerate(index):
        lengths.setdefault(recording.subject, []).extend(lengths_of(_blocks(recording))[:, 1])
        faults.find(index.where(number), recording.rows, recording.rate)
        if first := copies.find(recording.subject, index.where(number), recording.acceleration):
            pairs.setdefault((first[0], recording.subject), f"{index.where(number)} and {first[1]}")
    problems = [*spelled_twice(seconds, index.subjects.tolist()), *faults.sentences(copies.repeated)]
    if pairs:
        people, example = "; ".join(f"{one} and {other}" for one, other in pairs), next(iter(pairs.values()))
        problems.append(f"people with the same rows: {people}, as in {example}: leave one of the two out")
    if copies.equal:
        problems.append(f"recordings of one person with the same rows: {'; '.join(copies.equal)}: count one of the two")
    problems += confounded(index.activities, index.subjects, index.column("study"), index.seconds)
    problems += _unlike_gravity(lengths)
    return {
        "recordings": len(index), "subjects": sort_names(index.subjects),
        "seconds": {name: round(total, 1) for name, total in seconds.items()},
        "rates_hz": sorted(set(index.column("rate").tolist())), "simulated": index.provenance["simulated"],
        "problems": problems, "minutes": _minutes(index.subjects, index.activities, index.seconds),
    }  # fmt: skip


_RUN = 8
"""Consecutive equal rows by which two windows are found to share rows."""

_NEAR = 0.05
"""Windows are near duplicates if their difference is below this share of the test window's spread."""

_WAVES = 4
"""Projections of each axis, the lowest frequencies, by which near duplicates are searched."""


def find_leaks(train: DataSet, test: DataSet) -> dict[str, Any]:
    """Counts test windows that share rows with training windows, and near duplicates; lists people in both parts.
    A shared run of 8 rows that change is found by its hash. Any 15 shared rows hold a run that starts at a multiple of
    eight in the training window, so those are stored, and looked up at every offset of the test windows.
    """
    if not len(test):
        return {"shared_rows": 0, "near_duplicates": 0, "subjects": []}
    known = np.unique(np.concatenate(list(_runs(train, step=_RUN))))
    shared = [np.isin(hashes, known, assume_unique=False).any(axis=1) for hashes in _runs(test, step=1)]
    return {
        "shared_rows": int(np.concatenate(shared).sum()),
        "near_duplicates": int(_near_duplicates(train, test).sum()),
        "subjects": sorted(set(train.people()) & set(test.people())),
    }


def _runs(windows: DataSet, step: int) -> Iterator[NDArray[np.uint64]]:
    """Hashes of runs of rows, `(windows of a block, runs)`; 0 for a run whose rows are all equal."""
    for inputs, _ in windows.blocks():
        # The bits of -0.0 are not those of 0.0, to which it is equal, but its sum with 0.0 is 0.0.
        rows = row_hashes(np.ascontiguousarray(inputs + 0.0, np.float32).view(np.uint32))
        run = min(_RUN, rows.shape[1])
        runs = sliding_window_view(rows, run, axis=1)[:, ::step]
        hashes, moves = np.einsum("nrk,k->nr", runs, POWERS[:run]), (runs != runs[..., :1]).any(axis=2)
        yield np.where(moves, hashes, np.uint64(0)) if step == 1 else hashes[moves]


def _near_duplicates(train: DataSet, test: DataSet) -> NDArray[np.bool_]:
    """Which test windows differ from a training window by less than a share of their spread.
    Two windows are no closer than their projections; a tree of these finds the few pairs that are compared by row.
    """
    found = np.zeros(len(test), bool)
    tree = cKDTree(np.concatenate([_project(inputs) for inputs, _ in train.blocks()]))
    done = 0
    for inputs, _ in test.blocks():
        # In float64: the difference of windows at rest is far below the square of gravity.
        limits = _NEAR**2 * inputs.shape[1] * inputs.var(axis=1, dtype=np.float64).sum(axis=1)
        radii = np.where(limits > _LEAST, np.sqrt(limits), -1.0)
        near = tree.query_ball_point(_project(inputs), radii)
        for number, candidates in enumerate(near):
            if radii[number] < 0 or not candidates:
                continue
            others, _ = replace(train, rows=train.rows[np.sort(candidates)]).arrays()
            squares = ((others.astype(np.float64) - inputs[number]) ** 2).sum(axis=(1, 2))
            found[done + number] = (squares < limits[number]).any()
        done += len(inputs)
    return found


_LEAST = 1e-9
"""The square of a spread below which a window is constant."""


def _project(windows: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Windows `(n, rows, axes)` projected on the lowest frequencies of each axis, `(n, waves * axes)`."""
    waves = dct(windows.astype(np.float64), axis=1, norm="ortho")[:, :_WAVES]
    return np.asarray(waves).reshape(len(windows), -1)


_BLOCK_SECONDS = 4.0
"""A recording is measured in blocks of this length, in which a person takes four steps or more."""

_STEPS = (1.2, 3.0)
"""Hz between which people walk."""


def compare(data: "Data | Index") -> dict[str, dict[str, Any]]:
    """Measures each study of data of several, else none: people, amounts by class, rates; and the walking.
    Its tilt has the 10th, 50th and 90th percentiles, far apart where people carry the phone either way around.
    """
    if not isinstance(data, Data):
        unit, studies = "seconds", set(data.column("study").tolist())
    else:
        parts = [part for part in (data.train, data.validation, data.test) if len(part)]
        known = [{""} if part.studies is None else set(part.studies.tolist()) for part in parts]
        unit, studies = "windows", set().union(*known)
    if len(studies) < 2:
        return {}
    pieces, amounts = dict[str, list[tuple[str, float, NDArray[np.float64]]]](), dict[str, Counter[str]]()
    for study, who, label, rate, windows, amount in _pieces(data):
        walk = windows[: len(windows) if label == "walking" else 0, :, :3].astype(np.float64)
        pieces.setdefault(study, []).append((who, rate, np.stack([tilt(walk), cadence(walk, rate)])))
        amounts.setdefault(study, Counter()).update({label: amount})
    compared = dict[str, dict[str, Any]]()
    for study in sort_names(pieces):
        people, rates, walks = zip(*pieces[study], strict=True)
        tilts, steps = np.concatenate(walks, axis=1)
        compared[study or "none"] = {
            "people": len({*people} - {""}),
            unit: {label: round(amount, 1) for label, amount in sorted(amounts[study].items())},
            "rate_hz": [min(rates), max(rates)],
            "tilt_deg": [round(float(angle)) for angle in np.percentile(tilts, (10, 50, 90))] if len(tilts) else None,
            "cadence_hz": round(float(np.nanmedian(steps)), 2) if np.isfinite(steps).any() else None,
        }
    return compared


def _pieces(data: "Data | Index") -> Iterator[tuple[str, str, str, float, NDArray[Any], float]]:
    """Study, person, label, rate, windows of one length, and how many windows or seconds these are."""
    if not isinstance(data, Data):
        for one in data:
            yield one.study, one.subject, one.activity, one.rate, _blocks(one), one.seconds
        return
    for part in (data.train, data.validation, data.test):
        done, unknown = 0, np.full(len(part), "")
        studies = unknown if part.studies is None else part.studies
        people = unknown if part.subjects is None else part.subjects
        for inputs, _ in part.blocks():
            here = slice(done, done := done + len(inputs))
            keys = list(zip(studies[here].tolist(), people[here].tolist(), part.labels[here].tolist(), strict=True))
            for key in dict.fromkeys(keys):
                chosen = inputs[[other == key for other in keys]]
                yield key[0], key[1], data.label_names[key[2]], data.rate, chosen, len(chosen)


def _blocks(recording: "Recording") -> NDArray[Any]:
    """The acceleration of a recording in blocks, `(blocks, rows, 3)`."""
    rows = max(1, round(_BLOCK_SECONDS * recording.rate))
    count = len(recording.acceleration) // rows
    return recording.acceleration[: count * rows].reshape(count, rows, 3)


def tilt(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angle between the y axis of the phone and up, in degrees: 0 upright, 90 flat, 180 upside down."""
    mean = windows.mean(axis=1)
    upright = mean[:, 1] / np.maximum(np.linalg.norm(mean, axis=1), 1e-9)
    return np.asarray(np.degrees(np.arccos(np.clip(upright, -1, 1))))


def cadence(windows: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Steps per second: the strongest frequency of the magnitude from 1.2 to 3 Hz; NaN where windows are too short."""
    magnitude = np.linalg.norm(windows, axis=2)
    magnitude = (magnitude - magnitude.mean(axis=1, keepdims=True)) * np.hanning(magnitude.shape[1])
    size = 1 << int(np.ceil(np.log2(8 * magnitude.shape[1])))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    band = (frequencies >= _STEPS[0]) & (frequencies <= _STEPS[1])
    if not band.any():
        return np.full(len(windows), np.nan)
    strongest = np.abs(np.fft.rfft(magnitude, size, axis=1))[:, band].argmax(axis=1)
    return np.asarray(frequencies[band][strongest])
