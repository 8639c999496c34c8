"""Windows of activities: the course's data3.h5 and its reader.

`trX (N, T, C)` holds windows of T consecutive rows of three axes, m/s^2, gravity included, Android's sign, or of six
channels, of which the last three are the rotation rate in rad/s; `trY (N, K)` one-hot labels in the order of the
attribute `classes`; `tstX`, `tstY` the same for test; `trS`, `tstS` the subject of each window, where it is known;
`trStudy`, `tstStudy`, `trPosition`, `tstPosition` its study and where the phone was. Inside the zoo a label is a class
number from 0.

A label may be a set of classes: where a study knows only stairs, rows of `trY` hold a 1 for upstairs and a 1 for
downstairs. The attribute `label_sets` lists such sets, as in `downstairs+upstairs`; inside the zoo they are the labels
from K on.
"""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.activity.checks import (
    HIGHEST_RATE,
    LARGEST,
    LOWEST_RATE,
    check_convention,
    check_lengths,
    check_range,
    lengths_of,
)
from zoo.data import hdf5
from zoo.data.examples import Data, Examples, sort_names
from zoo.errors import ZooError
from zoo.runtime.label_sets import allowed_classes
from zoo.runtime.metadata import AXES, CLASSES, INERTIAL

_ROWS = 1 << 16

_FEW_PEOPLE = 3
"""So few subjects are all needed for training."""

_ENOUGH = 5
"""Rows that two windows share at least, for an overlap that is not by chance."""

_CONSTANT = 1e-9
"""Variance of a constant channel at most, relative to its squared mean: no sensor has so little noise."""

DRAWS = 100
"""Draws of people among which one is looked for that leaves all classes for training."""

AXES_OF = {len(axes): axes for axes in (AXES, INERTIAL)}
"""The channels that windows may have, by their number."""

KEYS = {"train": ("trX", "trY", "trS"), "test": ("tstX", "tstY", "tstS")}

ATTRIBUTES = {"study": ("trStudy", "tstStudy"), "position": ("trPosition", "tstPosition")}
"""Keys of what is kept of the circumstances of a recording, in the training and in the test set."""


@dataclass(frozen=True, repr=False)
class Windows(Examples):
    """Windows `(window, channels)` float32, their labels, and their subjects as groups.

    Args:
        attributes: What else is known of each window, by name: arrays `(len(self),)` such as `study`.
        label_sets: For each label from K on, the classes that it may stand for.
    """

    attributes: Mapping[str, NDArray[np.str_]] = field(default_factory=dict, kw_only=True)
    label_sets: tuple[tuple[int, ...], ...] = field(default=(), kw_only=True)

    @property
    def studies(self) -> NDArray[np.str_] | None:
        """`(len(self),)` the study of each window, empty if it belongs to none; None if studies are not known."""
        return self.attributes.get("study")

    @property
    def positions(self) -> NDArray[np.str_] | None:
        """`(len(self),)` where the phone was, empty where it is not known; None where it is known of no window."""
        return self.attributes.get("position")

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """The windows for which `mask`, `(len(self),)`, is true."""
        attributes = {name: values[mask] for name, values in self.attributes.items()}
        return replace(super().where(mask), attributes=attributes)

    def joined(self, other: Self) -> Self:
        """These windows followed by others."""
        names = [*self.attributes, *(name for name in other.attributes if name not in self.attributes)]
        attributes = {
            name: np.concatenate([part.attributes.get(name, np.full(len(part), "")) for part in (self, other)])
            for name in names
        }
        return replace(super().joined(other), attributes=attributes)

    @property
    def subjects(self) -> NDArray[np.str_] | None:
        """`(len(self),)` the subject of each window; None where subjects are not known."""
        return self.groups

    @property
    def labels(self) -> NDArray[np.int64]:
        """`(len(self),)` class numbers from 0; from K on, sets of classes."""
        return np.asarray(self.targets[:])[self.rows]

    def centers(self, rows: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs `(len(self), rows, C)`, of longer windows their centers, and labels."""
        inputs, labels = self.arrays()
        return center_crop(inputs, rows), labels

    def of_one_class(self, classes: int) -> Self:
        """The windows whose label is one of the K classes, not a set of them."""
        return self.where(self.labels < classes) if self.label_sets else self

    people = Examples.group_names

    def split(self, fraction: float, seed: int, by: str = "subject") -> tuple["Windows", "Windows"]:
        """Divides into training and validation windows.

        Args:
            fraction: Share of the subjects, or of the windows of each class, for validation, in (0, 1).
            seed: Decides which.
            by: `subject`: those of whole subjects (as for `time` if there are three or fewer, or if no draw leaves all
                classes for training; as for `window` if subjects are unknown). `time`: the last ones of each class of
                each subject. `window`: random ones.

        Raises:
            ZooError: If a class would have no window left for training, or validation no window.
        """
        random = np.random.default_rng([seed, 3])
        if by == "subject" and self.subjects is not None:
            held_out = self._people_held_out(random, fraction)
            if held_out is None:
                return self.split(fraction, seed, "time")
            training, validation = self.where(~held_out), self.where(held_out)
        elif by == "time":
            training, validation = self._split_by_time(fraction)
            if not len(validation):
                raise ZooError(
                    "no recording is long enough for validation windows that share no row with training: record "
                    "longer, or set validation to 0"
                )
        else:
            held_out = np.zeros(len(self), bool)
            for label in np.unique(self.labels):
                rows = np.flatnonzero(self.labels == label)
                held_out[random.permutation(rows)[: round(fraction * len(rows))]] = True
            training, validation = self.where(~held_out), self.where(held_out)
        if not self._has_all_classes(training) or len(validation) == 0:
            raise ZooError(f"validation fraction {fraction:g} leaves a class without windows: choose another")
        return training, validation

    def folds(self, fraction: float, seed: int) -> list[tuple["Windows", "Windows"]]:
        """Training and validation windows of the folds that validate a model of few people, who are all trained on.

        Each leaves one person out; of one person, or where a class was recorded by one person alone, a single fold has
        the last windows of each class, as of `split`. Empty of more than three people, or if they are unknown.
        """
        if not 1 <= len(self.people()) <= _FEW_PEOPLE:
            return []
        people = np.asarray(self.groups)
        parts = [(self.where(people != name), self.where(people == name)) for name in self.people()]
        apart = all(self._has_all_classes(others) for others, _ in parts)
        return parts if apart else [self.split(fraction, seed, "time")]

    def _has_all_classes(self, training: "Windows") -> bool:
        return set(training.labels.tolist()) == set(self.labels.tolist())

    def _people_held_out(self, random: np.random.Generator, fraction: float) -> NDArray[np.bool_] | None:
        """The windows of a share of the subjects; None where there are too few subjects."""
        people = self.people()
        for _ in range(DRAWS if len(people) > _FEW_PEOPLE else 0):
            held_out = np.isin(np.asarray(self.groups), draw(random, people, fraction))
            if self._has_all_classes(self.where(~held_out)):
                return held_out
        return None

    def _split_by_time(self, fraction: float) -> tuple["Windows", "Windows"]:
        """The last windows of each class of each subject, and those before that share no row with them."""
        part = np.zeros(len(self), np.int8)
        labels, people = self.labels, np.full(len(self), "") if self.groups is None else self.groups
        length = self.inputs.shape[1]
        overlapping = -(-length // self._hop()) - 1
        for person, label in sorted(set(zip(people.tolist(), labels.tolist(), strict=True))):
            rows = np.flatnonzero((people == person) & (labels == label))
            # Of a recording too short for both parts, training has all.
            count = max(0, min(max(1, round(fraction * len(rows))), len(rows) - 1 - overlapping))
            part[rows[len(rows) - count :]] = 2
            # Even where no overlap is found, one window between them is left out: a few rows may be shared.
            between = max(overlapping, int(len(rows) - count > 1)) if count else 0
            part[rows[len(rows) - count - between : len(rows) - count]] = 1
        return self.where(part == 0), self.where(part == 2)

    def _hop(self) -> int:
        """The rows from one window to the next that repeats its end, as most of some neighbors do; else the length."""
        length = self.inputs.shape[1]
        neighbors = np.flatnonzero(np.diff(self.rows) == 1)
        found = []
        for place in self.rows[neighbors[np.linspace(0, len(neighbors) - 1, min(64, len(neighbors))).astype(int)]]:
            one, other = self.inputs[int(place) : int(place) + 2]
            # Rows of a phone at rest may be equal by chance, and a few rows of any.
            shared = (hop for hop in range(1, length - _ENOUGH) if np.array_equal(one[hop:], other[: length - hop]))
            found.append(next((hop for hop in shared if np.ptp(one[hop:], axis=0).any()), length))
        return int(np.median(found)) if found else length

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and variance of each channel over all rows of all windows, in blocks; 1 for one that is constant."""
        total = rows = squares = np.zeros(self.inputs.shape[-1])
        for inputs, _ in self.blocks():
            flat = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
            rows = rows + len(flat)
            total = total + flat.sum(axis=0)
            squares = squares + (flat**2).sum(axis=0)
        mean = total / rows
        variance = squares / rows - mean**2
        # Rounding leaves a little of a constant channel, even below zero, and divided by it noise would be all.
        return mean.tolist(), np.where(variance > _CONSTANT * np.maximum(mean**2, 1), variance, 1.0).tolist()


_CONFOUNDED = 0.8
"""How much of what the most common activity leaves to be known, people or studies say, where they are confounded."""


def confounded(
    labels: ArrayLike, people: ArrayLike | None, studies: ArrayLike | None = None, amounts: ArrayLike | None = None
) -> list[str]:
    """A sentence about activities that are known by who did them, or in which study: a model may learn these instead.

    Args:
        labels: `(N,)` the label of each window or recording.
        people: `(N,)` whose each is, if that is known.
        studies: `(N,)` its study, if that is known.
        amounts: `(N,)` how much each counts, such as its seconds; 1 by default.

    Example:
        >>> confounded(["sit", "run", "run"], ["ann", "ben", "cem"])
        ['person and activity ...']
        >>> confounded(["sit", "run", "sit", "run"], ["ann", "ann", "ben", "ben"])
        []
    """
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
        common, known = table.sum(axis=0).max() / table.sum(), table.max(axis=1).sum() / table.sum()
        if known - common >= _CONFOUNDED * (1 - common):
            return [
                f"{kind} and activity are confounded: the {kind} alone gives the activity of {known:.0%}; a model may "
                f"learn to tell a {kind}, or a phone, by its signal, and score high without knowing activities: {cure}"
            ]
    return []


def draw(random: np.random.Generator, people: Sequence[str], fraction: float) -> NDArray[np.str_]:
    """A share of the subjects: at least one, but not all."""
    return random.permutation(np.array(people))[: max(1, min(round(fraction * len(people)), len(people) - 1))]


@dataclass(frozen=True, kw_only=True, repr=False)
class ActivityData(Data):
    """Windows for training and test.

    Args:
        classes: Names of the labels.
        rate: Sampling rate in Hz.
    """

    task: ClassVar[str] = "activity"
    file: ClassVar[str] = "data3.h5 of `zoo data windows`"
    train: Windows
    validation: Windows
    test: Windows
    classes: tuple[str, ...]
    rate: float

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the channels: x, y, z, and with a gyroscope gyro_x, gyro_y, gyro_z."""
        return AXES_OF[self.train.inputs.shape[-1]]

    @property
    def sizes(self) -> dict[str, int]:
        """What `hdf5.check` finds in a file of the same data."""
        shape = self.train.inputs.shape
        return {"N": len(self.train), "T": shape[1], "C": shape[2], "K": len(self.classes), "M": len(self.test)}

    @property
    def split_by(self) -> str:
        """How training and test are divided: `subject`, or `window` where subjects are not known."""
        return "subject" if self.train.subjects is not None and self.test.subjects is not None else "window"

    def test_windows(self) -> Windows:
        """The test set; refuses data without one."""
        if not len(self.test):
            raise ZooError(
                f"{self.name}: has no test set: cut other people's recordings for it with `zoo data windows "
                "--test-subjects`, or measure on another file"
            )
        return self.test

    def everyone(self) -> "ActivityData":
        """The same data with the test windows appended to the training windows."""
        return replace(self, train=self.train.joined(self.test)) if len(self.test) else self

    def with_classes(self, classes: Sequence[str]) -> "ActivityData":
        """The same windows with the labels of a model that knows their classes, in any order, and perhaps others."""
        if tuple(classes) == self.classes:
            return self
        places = np.array([classes.index(name) for name in self.classes])
        sets = tuple(tuple(sorted(places[list(members)].tolist())) for members in self.label_sets)
        numbers = np.concatenate([places, len(classes) + np.arange(len(sets))])

        def renumbered(part: Windows) -> Windows:
            return replace(part, targets=numbers[np.asarray(part.targets[:])], label_sets=sets)

        return replace(
            self, classes=tuple(classes), train=renumbered(self.train), validation=renumbered(self.validation),
            test=renumbered(self.test),
        )  # fmt: skip

    @property
    def label_sets(self) -> tuple[tuple[int, ...], ...]:
        """The classes of each label from `len(classes)` on."""
        return self.train.label_sets

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of all labels: the classes, and sets as `downstairs+upstairs`."""
        return (*self.classes, *("+".join(self.classes[place] for place in members) for members in self.label_sets))


def read(path: Path, *, allow_leak: bool = False) -> ActivityData:
    """Checks a file in the course's layout and opens it; its windows stay on the disk.

    `allow_leak` accepts a subject in both training and test, to describe such a file.
    """
    sizes = hdf5.check(path, "activity")
    rate, classes, label_sets = _about(path, sizes)
    train = _part(path, "train", classes, label_sets)
    absent = [key for key in ("tstX", "tstY") if not hdf5.has(path, key)]
    if len(absent) == 1:
        raise ZooError(
            f"{path}: no key '{absent[0]}' in the activity layout though there is the other of tstX, tstY: make it "
            "with `zoo data windows`"
        )
    test = train.empty() if absent else _part(path, "test", classes, label_sets)
    if len(test) and (train.subjects is None) != (test.subjects is None):
        missing = "trS" if train.subjects is None else "tstS"
        raise ZooError(f"{path}: no key '{missing}' though the other part has subject ids: add it, or leave both out")
    data = ActivityData(
        name=str(path), path=path, train=train, validation=train.empty(), test=test, classes=classes,
        rate=rate, **hdf5.provenance(hdf5.attributes(path)),
    )  # fmt: skip
    return check(data, allow_leak=allow_leak)


def from_arrays(
    x: ArrayLike, y: ArrayLike, classes: Sequence[str], rate: float, subjects: ArrayLike | None = None,
    test: tuple[ArrayLike, ...] | None = None, *, source: str = "not stated",
) -> ActivityData:  # fmt: skip
    """Makes activity data from arrays.

    Args:
        x: Training windows `(N, T, 3)`, m/s^2, gravity included, Android's sign; or `(N, T, 6)`, followed by the
            rotation rate in rad/s.
        y: `(N,)` their class numbers from 0, or names.
        classes: Names of the labels in the order of their numbers.
        rate: Sampling rate in Hz.
        subjects: `(N,)` the subject of each window.
        test: The same for test: `(x, y)`, or `(x, y, subjects)`.
        source: Where the windows come from.

    Raises:
        ZooError: If shapes or values are not as described, or a subject is in training and in test.

    Example:
        >>> x = np.random.default_rng(0).normal([0, 0, 9.8], 1, (4, 50, 3))
        >>> from_arrays(x, ["sit", "run", "run", "sit"], ("run", "sit"), 50.0, subjects=[1, 1, 2, 2])
        <activity data of arrays
          train: <4 examples of shape (50, 3), 2 groups>>
    """
    if not _are_names(classes):
        raise ZooError(f"classes: {list(classes)}; expected different names, without commas")
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 0 < rate < np.inf:
        raise ZooError(f"rate {rate!r}: expected Hz above 0")
    train = _from_arrays("", x, y, subjects, classes)
    held_out = train.empty() if test is None else _from_arrays("test ", test[0], test[1], [*test, None][2], classes)
    for place, what in ((1, "rows"), (2, "channels")):
        if held_out.inputs.shape[place] != train.inputs.shape[place]:
            raise ZooError(
                f"test x: windows of {held_out.inputs.shape[place]} {what}; x has {train.inputs.shape[place]}"
            )
    digest = hashlib.sha256()
    for array in (*train.arrays(), train.groups, *held_out.arrays(), held_out.groups):
        digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    data = ActivityData(
        name="arrays", source=source, train=train, validation=train.empty(), test=held_out, classes=tuple(classes),
        rate=float(rate), fingerprint=digest.hexdigest(),
    )  # fmt: skip
    return check(data)


def _from_arrays(part: str, x: ArrayLike, y: ArrayLike, subjects: ArrayLike | None, classes: Sequence[str]) -> Windows:
    inputs, where = np.asarray(x, np.float32), f"{part}x"
    if inputs.ndim != 3 or inputs.shape[2] not in AXES_OF or 0 in inputs.shape:
        advice = f": {CHANNELS_LAST}" if inputs.ndim == 3 and inputs.shape[1] in AXES_OF else ""
        raise ZooError(f"{where}: has shape {inputs.shape}; expected (windows, rows, 3), or 6 with a gyroscope{advice}")
    groups = None if subjects is None else np.asarray(subjects).astype(np.str_)
    if groups is not None and groups.shape != (len(inputs),):
        raise ZooError(f"{where}: subjects have shape {groups.shape}; expected ({len(inputs)},)")
    windows = Windows.all(inputs, _class_numbers(f"{part}y", np.asarray(y), len(inputs), classes), groups)
    _check_values(where, windows)
    return windows


def _are_names(classes: Sequence[Any]) -> bool:
    """Whether classes can be called so: by different names, which commas separate in files."""
    return all(isinstance(name, str) and name.strip() and "," not in name for name in classes) and (
        len(set(classes)) == len(classes)
    )


CHANNELS_LAST = "channels come last: transpose windows with x.transpose(0, 2, 1)"
"""Advice for windows `(N, channels, rows)`."""


def _class_numbers(where: str, labels: NDArray[Any], count: int, classes: Sequence[str]) -> NDArray[np.int64]:
    """Class numbers of `count` labels, which are numbers or names."""
    last = len(classes) - 1
    if labels.shape == (count, len(classes)):
        raise ZooError(f"{where}: has shape {labels.shape}, as one-hot labels have; expected ({count},): pass "
                       "y.argmax(axis=1)")  # fmt: skip
    if labels.shape != (count,):
        raise ZooError(f"{where}: has shape {labels.shape}; expected ({count},), one label per window")
    if labels.dtype.kind in "SUO":
        names, numbers = list(map(str, labels.tolist())), {name: number for number, name in enumerate(classes)}
        if unknown := sorted(set(names) - set(classes)):
            near = difflib.get_close_matches(unknown[0], classes, n=1)
            advice = f": did you mean {near[0]}?" if near else ""
            raise ZooError(f"{where}: unknown label {', '.join(unknown[:5])}; expected {', '.join(classes)}{advice}")
        return np.array([numbers[name] for name in names])
    if labels.dtype.kind not in "iu":
        raise ZooError(f"{where}: holds {labels.dtype} values such as {labels[0]}; expected class numbers from 0 to "
                       f"{last}, or names: convert numbers with y.astype(int)")  # fmt: skip
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest > last:
        advice = ": subtract 1" if (lowest, highest) == (1, last + 1) else f", which are {', '.join(classes)}"
        raise ZooError(f"{where}: holds numbers from {lowest} to {highest}; expected class numbers from 0 to {last}"
                       f"{advice}")  # fmt: skip
    return labels.astype(np.int64)


def check(data: ActivityData, *, allow_leak: bool = False) -> ActivityData:
    """Refuses data without windows of a class for training, or with a subject in both training and test."""
    present = set(data.train.labels.tolist())
    if missing := [name for number, name in enumerate(data.classes) if number not in present]:
        where = f"{data.name}: key 'trY'" if data.path else f"{data.name}: training"
        raise ZooError(f"{where} has no window of class {', '.join(missing)}: add some or leave the class out")
    both = sort_names(set(data.train.people()) & set(data.test.people()))
    if both and not allow_leak:
        where, advice = (" (trS)", " (tstS)") if data.path else ("", "")
        raise ZooError(
            f"{data.name}: subject {', '.join(both)} is in training{where} and in test{advice}: split by person with "
            "`zoo data windows --test-subjects`"
        )
    return data


def _about(
    path: Path, sizes: Mapping[str, int]
) -> tuple[float, tuple[str, ...], tuple[tuple[int, ...], ...]]:  # fmt: skip
    """The rate that a file states, 50 Hz without, its classes, and the sets of them that it has as labels.

    Refuses another unit, sign or other channels than the zoo's; six must be named, for nothing else says what they are.
    """
    attributes, count = hdf5.attributes(path), sizes["C"]
    if count not in AXES_OF:
        advice = CHANNELS_LAST if sizes["T"] in AXES_OF else "make it with `zoo data windows`"
        raise ZooError(
            f"{path}: key 'trX' has {count} channels; expected {','.join(AXES)}, or {','.join(INERTIAL)}: {advice}"
        )
    want, found = ",".join(AXES_OF[count]), attributes.get("axes")
    # Whoever names three axes may add a remark.
    is_other = found is not None and count == len(AXES) and str(found).startswith(",".join(INERTIAL))
    if is_other or not str(want if found is None and count == len(AXES) else found).startswith(want):
        raise ZooError(f"{path}: attribute 'axes' is {found!r}; expected {want}: import it again")
    check_convention(path, attributes)
    rate = attributes.get("rate_hz", 50.0)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ZooError(f"{path}: attribute 'rate_hz' is {rate!r}; expected {LOWEST_RATE:g} to {HIGHEST_RATE:g} Hz")
    stated = attributes.get("classes", list(CLASSES))
    classes = tuple(str(name).strip() for name in (stated if isinstance(stated, list) else str(stated).split(",")))
    if len(classes) != sizes["K"]:
        raise ZooError(f"{path}: key 'trY' has {sizes['K']} columns for {len(classes)} classes {','.join(classes)}")
    if not _are_names(classes):
        raise ZooError(f"{path}: attribute 'classes' is {','.join(classes)!r}; expected different names")
    text = str(attributes.get("label_sets", ""))
    sets = [tuple(name.split("+")) for name in text.split(",") if name]
    for names in sets:
        if not set(names) <= set(classes) or len(set(names)) < max(2, len(names)) or len(set(sets)) < len(sets):
            raise ZooError(f"{path}: attribute 'label_sets' is {text!r}; expected sets such as {'+'.join(classes[:2])}")
    return float(rate), classes, tuple(tuple(sorted(classes.index(name) for name in names)) for names in sets)


def _part(path: Path, name: str, classes: Sequence[str], label_sets: tuple[tuple[int, ...], ...]) -> Windows:
    inputs, labels, subjects = KEYS[name]
    groups = _names(path, subjects) if hdf5.has(path, subjects) else None
    if groups is not None and not all(name.strip() for name in np.unique(groups).tolist()):
        raise ZooError(f"{path}: key '{subjects}' holds an empty subject id; expected a name or number for each window")
    windows = replace(
        Windows.all(hdf5.Rows(path, inputs), _labels(path, labels, len(classes), label_sets), groups),
        label_sets=label_sets,
        attributes={
            attribute: _names(path, keys[name == "test"])
            for attribute, keys in ATTRIBUTES.items() if hdf5.has(path, keys[name == "test"])
        },
    )  # fmt: skip
    _check_values(f"{path}: key '{inputs}'", windows)
    return windows


def _labels(path: Path, key: str, count: int, label_sets: tuple[tuple[int, ...], ...]) -> NDArray[np.int64]:
    """Labels of rows of zeros and ones, of which a block is in memory at a time."""
    rows, allowed = hdf5.Rows(path, key), allowed_classes(count, label_sets)
    labels = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        binary: NDArray[np.bool_] = np.asarray(np.isin(block, (0, 1)).all(axis=1))
        # Rows equal a row of `allowed` where they agree in all columns.
        clean = np.where(binary[:, None], block, 0)
        agree = clean @ allowed.T + (1 - clean) @ (1 - allowed.T) == count
        valid = agree.any(axis=1) & binary
        if not valid.all():
            row = int(np.argmin(valid))
            expected = f"expected one 1 and {count - 1} zeros" + (", or a set of label_sets" if label_sets else "")
            raise ZooError(f"{path}: key '{key}' row {start + row} is {block[row].tolist()}; {expected}")
        labels[start : start + _ROWS] = agree.argmax(axis=1)
    return labels


def _names(path: Path, key: str) -> NDArray[np.str_]:
    """A name for each window, in as few bytes as the longest name has: NumPy takes 44 for any number."""
    names, places = np.unique(hdf5.read(path, key), return_inverse=True)
    return np.array([str(name) for name in names.tolist()])[places]


def _check_values(where: str, windows: Windows) -> None:
    lengths, done = list[NDArray[Any]](), 0
    for inputs, _ in windows.blocks():
        valid = (np.abs(inputs) < np.inf).all(axis=(1, 2)) & (np.abs(inputs).max(axis=(1, 2)) <= LARGEST)
        if not valid.all():
            row = int(np.argmin(valid))
            check_range(f"{where} window {done + row}", inputs[row])
        lengths.append(lengths_of(inputs))
        done += len(inputs)
    check_lengths(where, np.concatenate(lengths))


def center_crop(windows: Any, rows: int) -> Any:
    """The middle of windows that are longer than what the model reads."""
    start = (windows.shape[1] - rows) // 2
    return windows[:, start : start + rows]
