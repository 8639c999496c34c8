"""Windows of activities: their file, the course's data3.h5, and how they are divided.

`trX (N, T, C)` holds windows of T consecutive rows of three axes, m/s^2, gravity included, Android's sign, or of six
channels, of which the last three are the rotation rate in rad/s; `trY (N, K)` one-hot labels in the order of the
attribute `classes`; `tstX`, `tstY` the same for test; `trS`, `tstS` the subject of each window, where it is known;
`trStudy`, `tstStudy`, `trPosition`, `tstPosition` its study and where the phone was. Inside the zoo a label is a class
number from 0.

A label may be a set of classes: where a study knows only stairs, rows of `trY` hold a 1 for upstairs and a 1 for
downstairs. The attribute `label_sets` lists such sets, as in `downstairs+upstairs`; inside the zoo they are the labels
from K on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.activity import checks
from zoo.activity.checks import OVERSHOT, check_convention, check_lengths, check_range, is_within
from zoo.data import LAYOUTS, OF_WINDOWS, hdf5
from zoo.data.dataset import Data, DataSet, sort_names
from zoo.errors import ZooError, option, shown, unknown_name
from zoo.runtime.interpreter import lengths_of
from zoo.runtime.labels import allowed_classes
from zoo.runtime.metadata import AXES, INERTIAL, STANDARD_GRAVITY, UNIT, other_of

SCHEMA = LAYOUTS["activity"]
_ROWS = 1 << 16
_FEW_PEOPLE = 3
"""So few subjects are all needed for training."""
_ENOUGH = 5
"""Rows that two windows share at least, for an overlap that is not by chance."""
_DRAWS = 100
AXES_OF = {len(axes): axes for axes in (AXES, INERTIAL)}
"""The channels that windows may have, by their number."""
CHANNELS_LAST = "channels come last: transpose windows with x.transpose(0, 2, 1)"
"""Advice for windows `(N, channels, rows)`."""


def split(windows: DataSet, fraction: float, seed: int, by: str = "subject") -> tuple[DataSet, DataSet]:
    """Divides windows into those for training and a fraction in (0, 1) for validation.
    By `subject`, the latter are those of whole subjects: as by `time` if there are three or fewer, or if no draw leaves
    all classes for training. By `time`, they are the last ones of each class of each subject; by `window`, random ones.
    """
    random, labels = np.random.default_rng([seed, 3]), windows.labels
    held_out = np.zeros(len(windows), bool)
    if by == "subject" and "subject" in windows.columns:
        people, lost = draw_people(random, windows.subjects, labels, fraction)
        if lost or len(windows.people()) <= _FEW_PEOPLE:
            return split(windows, fraction, seed, "time")
        held_out = np.isin(windows.subjects, people)
    elif by != "time":
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            held_out[random.permutation(rows)[: round(fraction * len(rows))]] = True
    parts = _split_by_time(windows, fraction) if by == "time" else (windows.where(~held_out), windows.where(held_out))
    training, validation = parts
    if by == "time" and not len(validation):
        raise ZooError("no recording is long enough for validation: record longer, or set validation to 0")
    if set(training.labels.tolist()) != set(labels.tolist()) or len(validation) == 0:
        raise ZooError(f"validation fraction {fraction:g} leaves a class without windows: choose another")
    return training, validation


def folds(windows: DataSet, fraction: float, seed: int) -> list[tuple[DataSet, DataSet]]:
    """Training and validation windows of the folds that validate a model of few people, who are all trained on.
    Each leaves one person out, or where a class is of one person alone, the last windows. Empty of more than three.
    """
    names, people, labels = windows.people(), np.asarray(windows.subjects), windows.labels
    if not 1 <= len(names) <= _FEW_PEOPLE:
        return []
    parts = [(windows.where(people != name), windows.where(people == name)) for name in names]
    apart = all(set(others.labels.tolist()) == set(labels.tolist()) for others, _ in parts)
    return parts if apart else [split(windows, fraction, seed, "time")]


def _split_by_time(windows: DataSet, fraction: float) -> tuple[DataSet, DataSet]:
    """The last windows of each class of each subject, and those before that share no row with them."""
    part, labels, people = np.zeros(len(windows), np.int8), windows.labels, windows.subjects
    people = np.full(len(windows), "") if people is None else people
    overlapping = -(-windows.inputs.shape[1] // hop_of(windows)) - 1
    for person, label in sorted(set(zip(people.tolist(), labels.tolist(), strict=True))):
        rows = np.flatnonzero((people == person) & (labels == label))
        # Of a recording too short for both parts, training has all.
        count = max(0, min(max(1, round(fraction * len(rows))), len(rows) - 1 - overlapping))
        part[rows[len(rows) - count :]] = 2
        # Even where no overlap is found, one window between them is left out: a few rows may be shared.
        between = max(overlapping, int(len(rows) - count > 1)) if count else 0
        part[rows[len(rows) - count - between : len(rows) - count]] = 1
    return windows.where(part == 0), windows.where(part == 2)


def hop_of(windows: DataSet) -> int:
    """The rows from one window to the next that repeats its end, as most of some neighbors do; else the length."""
    length = windows.inputs.shape[1]
    neighbors = np.flatnonzero(np.diff(windows.rows) == 1)
    hops = []
    for place in windows.rows[neighbors[np.linspace(0, len(neighbors) - 1, min(64, len(neighbors))).astype(int)]]:
        one, other = windows.inputs[int(place) : int(place) + 2]
        # Rows of a phone at rest may be equal by chance, and a few rows of any.
        shared = (hop for hop in range(1, length - _ENOUGH) if np.array_equal(one[hop:], other[: length - hop]))
        hops.append(next((hop for hop in shared if np.ptp(one[hop:], axis=0).any()), length))
    return int(np.median(hops)) if hops else length


_CONFOUNDED = 0.8
"""How much of what the most common activity leaves to be known, people or studies say, where they are confounded."""


def confounded(
    labels: ArrayLike, people: ArrayLike | None, studies: ArrayLike | None = None, amounts: ArrayLike | None = None
) -> list[str]:
    """A sentence about activities that are known by who did them or in which study; `amounts` weigh labels `(N,)`."""
    names, activities = np.unique(np.asarray(labels), return_inverse=True)
    # Who is in one study alone gives away what the study does.
    for kind, owners, cure in (
        ("study", studies, "add studies that have the same activities"),
        ("person", people, "record several activities of each person"),
    ):
        if owners is None or len(names) < 2:
            continue
        _, places = np.unique(np.asarray(owners), return_inverse=True)
        table = np.zeros((places.max() + 1, len(names)))
        np.add.at(table, (places, activities), 1.0 if amounts is None else np.asarray(amounts))
        common, given = table.sum(axis=0).max() / table.sum(), table.max(axis=1).sum() / table.sum()
        if given - common >= _CONFOUNDED * (1 - common):
            return [
                f"{kind} and activity are confounded: the {kind} alone gives the activity of {given:.0%}; a model may "
                f"learn to tell a {kind}, or a phone, by its signal, and score high without knowing activities: {cure}"
            ]
    return []


def draw_people(
    random: np.random.Generator, owners: ArrayLike, labels: ArrayLike, fraction: float
) -> tuple[list[str], int]:  # fmt: skip
    """Of a hundred draws of a share of the people the first that leaves the most labels, and how many it takes."""
    owners, labels = np.asarray(owners), np.asarray(labels)
    people, wanted = np.array(sort_names(owners)), set(labels.tolist())
    drawn, fewest = people[:0], len(wanted) + 1
    for _ in range(_DRAWS):
        draw = random.permutation(people)[: max(1, min(round(fraction * len(people)), len(people) - 1))]
        lost = len(wanted - set(labels[~np.isin(owners, draw)].tolist()))
        drawn, fewest = (draw, lost) if lost < fewest else (drawn, fewest)
        if not lost:
            break
    return sort_names(drawn), fewest


def test_windows(data: Data) -> DataSet:
    """The test set; refuses data without one."""
    if not len(data.test):
        cure = (
            "cut other people's recordings for it with `zoo data windows --test-subjects`, or measure on another file"
            if data.path else "pass a pair, ((x, y), (x, y)), with the windows of other people"
        )  # fmt: skip
        raise ZooError(f"{data.name}: has no test set: {cure}")
    return data.test


def from_file(path: Path, *, allow_leak: bool = False) -> Data:
    """Opens a file in the course's layout, whose windows stay on the disk; `allow_leak` accepts a leak of people."""
    sizes = hdf5.check_layout(path, "activity")
    facts = _facts(path, sizes)
    train = _part(path, "train", facts)
    # Where the other of the two is there, the missing one is named.
    has_test = any(hdf5.has(path, key) for key in ("tstX", "tstY"))
    test = _part(path, "test", facts) if has_test else train.empty()
    if len(test) and ("subject" in train.columns) != ("subject" in test.columns):
        missing = "tstS" if "subject" in train.columns else "trS"
        raise ZooError(f"{path}: no key '{missing}' though the other part has subject ids: add it, or leave both out")
    data = Data.of("activity", {"train": train, "test": test}, str(path), path=path)
    return _checked(data, {"train": "key 'trX'", "test": "key 'tstX'"}, allow_leak=allow_leak)


def from_arrays(splits: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any], **about: Any) -> Data:
    """Makes activity data of arrays, by split: `input (N, T, 3)` or `(N, T, 6)`, `target (N,)`, and perhaps `subject`.
    The facts are `classes`, by default the labels; `rate` in Hz; `unit`, `m/s^2` or `g`; and `other`, as of files.
    """
    rate, unit = facts.get("rate"), facts.get("unit") or UNIT
    if rate is None or isinstance(rate, bool) or SCHEMA.fact("rate").problem(rate):
        raise ZooError(f"rate {shown(rate)}: expected the sampling rate in Hz, above 0")
    if unit not in (UNIT, "g"):
        raise ZooError(f"unit {shown(unit)}: expected {UNIT} or g")
    for split, columns in splits.items():
        cure = "name the activity of each window, or leave these out"
        _require_all("y" if split == "train" else f"{split} y", np.asarray(columns["target"]), cure)
    classes = facts.get("classes") or sort_names(np.asarray(splits["train"]["target"]).ravel().tolist())
    if SCHEMA.fact("classes").problem(list(classes)) or any("," in name for name in classes):
        raise ZooError(f"classes: {shown(list(classes))}; expected different names, without commas")
    if not facts.get("classes") and (doubts := checks.spelled_twice(classes, ())):
        alike = doubts[0].partition(":")[0]
        raise ZooError(f"y: {alike}: give it one name, or confirm with {option('classes', shown(list(classes)))}")
    # A table of `to_frame` states how many of its last labels are sets; of other names, all may be.
    stated = facts.get("label_sets")
    named = classes if stated is None else classes[len(classes) - len(stated) :]
    members = {name: name.split("+") for name in named if "+" in name and set(name.split("+")) <= set(classes)}
    classes = tuple(name for name in classes if name not in members)
    sets = tuple(tuple(map(classes.index, parts)) for parts in members.values())
    facts = {"classes": classes, "rate": float(rate), "other": bool(facts.get("other")), "label_sets": sets}
    parts = {name: _of_arrays(name, columns, facts, unit) for name, columns in splits.items()}
    train, test = parts["train"], parts.get("test", parts["train"].empty())
    for place, what in ((1, "rows"), (2, "channels")):
        if test.inputs.shape[place] != train.inputs.shape[place]:
            raise ZooError(f"test x: windows of {test.inputs.shape[place]} {what}; x has {train.inputs.shape[place]}")
    data = Data.of("activity", {"train": train, "test": test}, **about)
    return _checked(data, {"train": "x", "test": "test x"})


def _of_arrays(split: str, columns: Mapping[str, Any], facts: Mapping[str, Any], unit: str) -> DataSet:
    part = "" if split == "train" else f"{split} "
    inputs = np.asarray(columns["input"], np.float32)
    if inputs.ndim != 3 or inputs.shape[2] not in AXES_OF or 0 in inputs.shape:
        advice = f": {CHANNELS_LAST}" if inputs.ndim == 3 and inputs.shape[1] in AXES_OF else ""
        expected = "at least one window" if inputs.ndim == 3 and not len(inputs) else (
            f"(windows, rows, 3), or 6 with a gyroscope{advice}")  # fmt: skip
        raise ZooError(f"{part}x: has shape {inputs.shape}; expected {expected}")
    if unit == "g":
        # Rotation rate has a unit of its own.
        inputs = inputs * np.where(np.arange(inputs.shape[2]) < len(AXES), STANDARD_GRAVITY, 1).astype(np.float32)
    names = {name: np.asarray(values) for name, values in columns.items()
             if name not in ("input", "target") and values is not None}  # fmt: skip
    for name, values in names.items():
        if values.shape != (len(inputs),):
            raise ZooError(f"{part}{name}s: have shape {values.shape}; expected ({len(inputs)},), one per window")
    _require_all(f"{part}subjects", names.get("subject", ()), "name the person of each window, or leave subjects out")
    texts = {name: np.array(list(map(str, values))) for name, values in names.items()}
    rows = DataSet.of({"input": inputs, **texts}, axes=AXES_OF[inputs.shape[2]], **facts)
    labels = _class_numbers(f"{part}y", np.asarray(columns["target"]), len(inputs), rows.label_names)
    return rows.with_columns({"target": labels})


def _require_all(where: str, names: NDArray[Any] | Sequence[Any], cure: str) -> None:
    """Refuses a name that is missing. One may be "None" or "nan"; what is no text and reads so is missing."""
    # Among whole numbers, of which there may be many, nothing is.
    for row, name in enumerate(() if np.asarray(names).dtype.kind in "iub" else np.ravel(names)):
        if not str(name).strip() or (not isinstance(name, str) and str(name) in ("None", "nan", "NaT", "<NA>")):
            raise ZooError(f"{where}: none in window {row} ({str(name).strip() or 'empty'}); {cure}")


def _class_numbers(where: str, labels: NDArray[Any], count: int, classes: Sequence[str]) -> NDArray[np.int64]:
    if labels.shape != (count,):
        advice = ": pass y.argmax(axis=1)" if labels.shape == (count, len(classes)) else ""
        raise ZooError(f"{where}: has shape {labels.shape}; expected ({count},), one label per window{advice}")
    if labels.dtype.kind in "SUO":
        names, numbers = list(map(str, labels.tolist())), {name: number for number, name in enumerate(classes)}
        if unknown := sorted(set(names) - set(classes)):
            raise unknown_name(f"label of {where}", unknown[0], list(classes))
        return np.array([numbers[name] for name in names])
    lowest, highest, last = labels.min(), labels.max(), len(classes) - 1
    if labels.dtype.kind not in "iu" or lowest < 0 or highest > last:
        advice = ": subtract 1" if (lowest, highest) == (1, last + 1) else ", or names"
        advice = advice if labels.dtype.kind in "iu" else ": convert them with y.astype(int)"
        raise ZooError(f"{where}: holds {labels.dtype} from {lowest} to {highest}; expected class numbers from 0 to "
                       f"{last}, which are {', '.join(classes):.200}{advice}")  # fmt: skip
    return labels.astype(np.int64)


def _checked(data: Data, keys: Mapping[str, str], *, allow_leak: bool = False) -> Data:
    """Refuses values that no sensor measures, a class without training, a leak of people; `keys` name the inputs."""
    for split, windows in data.splits().items():
        where = f"{data.name}: {keys[split]}" if data.path else keys[split]
        lengths, done = list[NDArray[Any]](), 0
        for inputs, _ in windows.blocks():
            with np.errstate(all="ignore"):
                lengths.append(lengths_of(inputs))
            if not (valid := is_within(inputs, OVERSHOT).all(axis=(1, 2))).all():
                if np.isfinite(inputs).all():
                    # Where most are too large, they are in another unit.
                    check_lengths(where, np.median(lengths[-1], axis=0)[None])
                row = int(np.argmin(valid))
                check_range(f"{where} window {done + row}", inputs[row])
            done += len(inputs)
        check_lengths(where, np.concatenate(lengths))
    present = set(data.train.labels.tolist())
    if missing := [name for number, name in enumerate(data.classes) if number not in present]:
        where = f"{data.name}: key 'trY'" if data.path else f"{data.name}: training"
        raise ZooError(f"{where} has no window of class {', '.join(missing)}: add some or leave the class out")
    # A table with numbers that are missing elsewhere has 1.0 for 1.
    known = {name.strip().removesuffix(".0") for name in data.test.people()}
    both = [name for name in data.train.people() if name.strip().removesuffix(".0") in known]
    if both and not allow_leak:
        where = "training and in test: pass all windows of a person in one of them"
        if data.path:
            where = "training (trS) and in test (tstS): split by person with `zoo data windows --test-subjects`"
        raise ZooError(f"{data.name}: subject {', '.join(both)} is in {where}")
    return data


def _facts(path: Path, sizes: Mapping[str, int]) -> dict[str, Any]:
    """The facts of a file. Refuses another unit, sign or other channels than the zoo's; six must be named."""
    stated, count = hdf5.attributes(path), sizes["C"]
    if count not in AXES_OF:
        advice = CHANNELS_LAST if sizes["T"] in AXES_OF else "make it with `zoo data windows`"
        raise ZooError(
            f"{path}: key 'trX' has {count} channels; expected {','.join(AXES)}, or {','.join(INERTIAL)}: {advice}"
        )
    # Three axes need no names, six do.
    check_convention(path, {**({} if count == len(AXES) else {"axes": None}), **stated}, AXES_OF[count])
    facts = hdf5.read_facts(path, "activity")
    classes, text = facts["classes"], str(stated.get("label_sets", ""))
    if len(classes) != sizes["K"]:
        raise ZooError(f"{path}: key 'trY' has {sizes['K']} columns for {len(classes)} classes {','.join(classes)}")
    sets = [name.split("+") for name in text.split(",") if name]
    if any(len(set(names) & set(classes)) < max(2, len(names)) for names in sets):
        raise ZooError(f"{path}: attribute 'label_sets' is {shown(text)}; expected sets of {','.join(classes)}")
    numbers = tuple(tuple(sorted(classes.index(name) for name in names)) for names in sets)
    # A file of an older `zoo data windows` does not state it; there, the name had this meaning.
    other = other_of(classes, facts.get("other", "hop" in stated)) is not None
    return {**facts, "axes": AXES_OF[count], "label_sets": numbers, "other": other}


def _part(path: Path, split: str, facts: Mapping[str, Any]) -> DataSet:
    keys = {column.name: SCHEMA.in_file(column, split).key for column in SCHEMA.columns}
    names = dict[str, NDArray[np.str_]]()
    for name in ("subject", *OF_WINDOWS):
        if hdf5.has(path, keys[name]):
            # In as few bytes as the longest name has: NumPy takes 44 for any number.
            values, places = np.unique(hdf5.read_column(path, keys[name]), return_inverse=True)
            different = list(map(str, values.tolist()))
            names[name] = np.array(different)[places]
            if name == "subject" and not all(map(str.strip, different)):
                raise ZooError(f"{path}: key '{keys[name]}' holds an empty subject id; expected a name or number for "
                               "each window")  # fmt: skip
    key, classes, sets = keys["target"], facts["classes"], facts["label_sets"]
    rows, allowed = hdf5.open_column(path, key), allowed_classes(len(classes), sets)
    labels = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        binary: NDArray[np.bool_] = np.asarray(np.isin(block, (0, 1)).all(axis=1))
        # Rows equal a row of `allowed` where they agree in all columns.
        clean = np.where(binary[:, None], block, 0)
        agree = clean @ allowed.T + (1 - clean) @ (1 - allowed.T) == len(classes)
        valid = agree.any(axis=1) & binary
        if not valid.all():
            row = int(np.argmin(valid))
            expected = f"expected one 1 and {len(classes) - 1} zeros" + (", or a set of label_sets" if sets else "")
            raise ZooError(f"{path}: key '{key}' row {start + row} is {block[row].tolist()}; {expected}")
        labels[start : start + _ROWS] = agree.argmax(axis=1)
    return DataSet.of({"input": hdf5.open_column(path, keys["input"]), "target": labels, **names}, **facts)
