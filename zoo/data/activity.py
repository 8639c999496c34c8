"""Windows of six activities: the course's data3.h5, its reader and its builder.

`trX (N, T, 3)` holds windows of T consecutive rows of three axes, m/s^2, gravity included, Android's sign; `trY (N, K)`
one-hot labels in the order of the attribute `classes`; `tstX`, `tstY` the same for test; `trS`, `tstS` who made each
window, where that is known. Inside the zoo a label is a class number from 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data import hdf5
from zoo.data.examples import Examples, Joined
from zoo.data.recordings import Dropped, Index, Recording, check_unit
from zoo.errors import ZooError
from zoo.files import sha256
from zoo.metadata import AXES, CLASSES, CONVENTION, UNIT

_MEMORY = 1 << 28

_ROWS = 1 << 16

_KEYS = {"train": ("trX", "trY", "trS"), "test": ("tstX", "tstY", "tstS")}


@dataclass(frozen=True)
class Windows:
    """Some windows of a file: where they lie, what they are, who made them.

    Args:
        examples: Inputs `(window, channels)` float32 and labels.
        subjects: `(len(examples),)` who made each window, or None where the file does not tell.
    """

    examples: Examples
    subjects: NDArray[np.str_] | None

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def labels(self) -> NDArray[np.int64]:
        """`(len(self),)` class numbers from 0."""
        return np.asarray(self.examples.targets[self.examples.rows])

    def people(self) -> list[str]:
        """Who made the windows, in the order of their numbers or names."""
        return [] if self.subjects is None else sort_subjects(self.subjects)

    def where(self, keep: NDArray[np.bool_]) -> "Windows":
        """The windows for which `keep`, `(len(self),)`, is true."""
        subjects = None if self.subjects is None else self.subjects[keep]
        return Windows(replace(self.examples, rows=self.examples.rows[keep]), subjects)

    def joined(self, other: "Windows") -> "Windows":
        """These windows and others, all of whose rows are meant."""
        inputs, targets = self.examples.inputs, self.examples.targets
        examples = Examples.all(
            Joined(inputs, other.examples.inputs), np.concatenate([targets, other.examples.targets])
        )
        known = None if self.subjects is None or other.subjects is None else (self.subjects, other.subjects)
        return Windows(examples, known and np.concatenate(known))

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs and labels of all windows, in memory."""
        parts = list(self.examples.blocks())
        return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])

    def in_memory(self) -> "Windows":
        """The same windows, read once where all of their file take at most `_MEMORY` bytes; else as they are."""
        inputs = self.examples.inputs
        if 4 * int(np.prod(inputs.shape)) > _MEMORY:
            return self
        return replace(self, examples=replace(self.examples, inputs=inputs[0 : len(inputs)]))

    def split(self, fraction: float, seed: int, by: str = "subject") -> tuple["Windows", "Windows"]:
        """Sets aside validation windows: whole people where people are known, else windows drawn at random.

        Args:
            fraction: Share of the people, or of the windows of each class, to set aside, in (0, 1).
            seed: Decides who.
            by: `subject`, or `window` to draw windows at random even where people are known.

        Returns:
            What is left for training, and what is set aside.

        Raises:
            ZooError: If a class would have no window left for training.
        """
        random = np.random.default_rng([seed, 3])
        if by == "subject" and len(self.people()) == 1:
            raise ZooError(f"only subject {self.people()[0]} is in training: validation by person needs two or more")
        if by == "subject" and self.subjects is not None:
            people = np.array(self.people())
            chosen = random.permutation(people)[: max(1, min(round(fraction * len(people)), len(people) - 1))]
            aside = np.isin(self.subjects, chosen)
        else:
            labels = self.labels
            aside = np.zeros(len(labels), bool)
            for label in np.unique(labels):
                rows = np.flatnonzero(labels == label)
                aside[random.permutation(rows)[: round(fraction * len(rows))]] = True
        training, validation = self.where(~aside), self.where(aside)
        if set(np.unique(training.labels)) != set(np.unique(self.labels)) or len(validation) == 0:
            raise ZooError(f"validation fraction {fraction:g} leaves a class without windows: choose another")
        return training, validation

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and variance of each axis over all rows of all windows, read in blocks."""
        total = rows = squares = np.zeros(self.examples.inputs.shape[-1])
        for inputs, _ in self.examples.blocks():
            flat = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
            rows = rows + len(flat)
            total = total + flat.sum(axis=0)
            squares = squares + (flat**2).sum(axis=0)
        mean = total / rows
        return mean.tolist(), (squares / rows - mean**2).tolist()


@dataclass(frozen=True)
class ActivityData:
    """A checked file of windows.

    Args:
        path: The file.
        train: The windows to learn from.
        test: The windows to measure on.
        classes: Names of the labels.
        rate: Hz of the rows, as the file says or the 50 Hz of the course.
        simulated: Whether no person made the windows.
        source: Where the windows come from, as the file says.
    """

    path: Path
    train: Windows
    test: Windows
    classes: tuple[str, ...]
    rate: float
    simulated: bool
    source: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return sha256(self.path)

    @property
    def split_by(self) -> str:
        """How training and test are told apart: `subject`, or `window` where the file has no subjects."""
        return "subject" if self.train.subjects is not None and self.test.subjects is not None else "window"

    def everyone(self) -> "ActivityData":
        """The same with all windows, those of the test part last, in the training part."""
        return replace(self, train=self.train.joined(self.test))


def read(path: Path, *, allow_leak: bool = False) -> ActivityData:
    """Checks a file in the course's layout and opens it; its windows stay on the disk.

    Args:
        path: data3.h5 or a file built like it.
        allow_leak: Opens a file with a person in training and in test all the same, to describe it.

    Returns:
        The checked file.

    Raises:
        ZooError: If a key, a shape, a type, a label or a value is not what the layout says; if the values look like
            g; if a person is in training and in test.
    """
    sizes = hdf5.check(path, "activity")
    attributes = hdf5.attributes(path)
    classes = _classes(path, attributes, sizes["K"])
    train, test = (_part(path, name, classes) for name in ("train", "test"))
    empty = [name for i, name in enumerate(classes) if i not in set(train.labels)]
    if empty:
        raise ZooError(f"{path}: key 'trY' has no window of class {', '.join(empty)}: add some or leave the class out")
    if (train.subjects is None) != (test.subjects is None):
        missing = "trS" if train.subjects is None else "tstS"
        raise ZooError(f"{path}: no key '{missing}' though the other part has subject ids: add it, or leave both out")
    both = sorted(set(train.people()) & set(test.people()))
    if both and not allow_leak:
        raise ZooError(
            f"{path}: subject {', '.join(both)} is in training (trS) and in test (tstS): split by person with "
            "`zoo data windows --test-subjects`"
        )
    return ActivityData(
        path, train, test, classes, _rate(path, attributes), bool(attributes.get("simulated", False)),
        str(attributes.get("source", "not stated")),
    )  # fmt: skip


def _rate(path: Path, attributes: dict[str, Any]) -> float:
    """Hz as the file says, after a check that it says nothing else than the zoo's unit and sign."""
    expected = {"unit": UNIT, "convention": CONVENTION, "axes": ",".join(AXES)}
    for name, want in expected.items():
        if name in attributes and not str(attributes[name]).startswith(want):
            raise ZooError(f"{path}: attribute '{name}' is {attributes[name]!r}; expected {want}: import it again")
    rate = attributes.get("rate_hz", 50.0)
    if not isinstance(rate, int | float) or not 0 < rate < np.inf:
        raise ZooError(f"{path}: attribute 'rate_hz' is {rate!r}; expected a number above 0")
    return float(rate)


def _classes(path: Path, attributes: dict[str, Any], count: int) -> tuple[str, ...]:
    named = tuple(str(attributes["classes"]).split(",")) if "classes" in attributes else CLASSES
    if len(named) != count:
        raise ZooError(f"{path}: key 'trY' has {count} columns for {len(named)} classes {','.join(named)}")
    return named


def _part(path: Path, name: str, classes: Sequence[str]) -> Windows:
    inputs_key, labels_key, subjects_key = _KEYS[name]
    examples = Examples.all(hdf5.Rows(path, inputs_key), _class_numbers(path, labels_key, len(classes)))
    _check_values(path, inputs_key, examples)
    return Windows(examples, _subjects(path, subjects_key) if hdf5.has(path, subjects_key) else None)


def _class_numbers(path: Path, key: str, count: int) -> NDArray[np.int64]:
    """Class numbers of one-hot rows, of which a block is in memory at a time."""
    one_hot = hdf5.Rows(path, key)
    numbers = np.empty(len(one_hot), np.int64)
    for start in range(0, len(one_hot), _ROWS):
        block = one_hot[start : start + _ROWS]
        valid = np.isin(block, (0, 1)).all(axis=1) & (block.sum(axis=1) == 1)
        if not valid.all():
            row = int(np.argmin(valid))
            raise ZooError(
                f"{path}: key '{key}' row {start + row} is {block[row].tolist()}; expected one 1 and {count - 1} zeros"
            )
        numbers[start : start + _ROWS] = block.argmax(axis=1)
    return numbers


def _subjects(path: Path, key: str) -> NDArray[np.str_]:
    """Who made each window, in as few bytes as the longest name has: NumPy has 44 for any number."""
    names, places = np.unique(hdf5.read(path, key), return_inverse=True)
    return np.array([str(name) for name in names.tolist()])[places]


def _check_values(path: Path, key: str, examples: Examples) -> None:
    magnitude, done = 0.0, 0
    for inputs, _ in examples.blocks():
        finite = np.isfinite(inputs).all(axis=(1, 2))
        if not finite.all():
            row = done + int(np.flatnonzero(~finite)[0])
            raise ZooError(f"{path}: key '{key}' window {row} holds NaN or infinity: drop it or import again")
        magnitude += float(np.linalg.norm(inputs, axis=2).mean(axis=1).sum())
        done += len(inputs)
    check_unit(f"{path}: key '{key}'", magnitude / done)


def all_rows(windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Inputs and labels of all windows, in memory."""
    parts = list(windows.examples.blocks())
    return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])


def center_crop(windows: Any, rows: int) -> Any:
    """The middle of windows that are longer than what the model reads."""
    start = (windows.shape[1] - rows) // 2
    return windows[:, start : start + rows]


def sort_subjects(subjects: Iterable[Any]) -> list[str]:
    """Each subject once; numbers by value, before names by letter.

    Example:
        >>> sort_subjects(["10", "2", "ann", "2"])
        ['2', '10', 'ann']
    """
    return sorted(
        {str(name) for name in subjects}, key=lambda s: (not s.isdecimal(), int(s) if s.isdecimal() else 0, s)
    )


@dataclass(frozen=True)
class Windowing:
    """How recordings are cut into windows.

    Args:
        window: Rows a window.
        hop: Rows from the start of one window to the start of the next.
        rate: Hz that all recordings are resampled to.
        trim: Seconds left out at both ends of a recording, where the phone is put away and taken out.
    """

    window: int = 150
    hop: int = 75
    rate: float = 50.0
    trim: float = 1.0

    def __post_init__(self) -> None:
        for name in ("window", "hop", "rate"):
            if not 0 < getattr(self, name) < np.inf:
                raise ZooError(f"{name} {getattr(self, name):g}: expected a number above 0")
        if not 0 <= self.trim < np.inf:
            raise ZooError(f"trim {self.trim:g} s: expected 0 or more")

    def windows(self, recording: Recording) -> NDArray[np.float32]:
        """All windows of one recording, `(count, window, 3)`; none where it is too short.

        Example:
            >>> rows = np.zeros((400, 3), np.float32)
            >>> Windowing(trim=1).windows(Recording("a", "1", "sitting", 50.0, rows)).shape
            (3, 150, 3)
        """
        rows = recording.resampled(self.rate)
        edge = round(self.trim * self.rate)
        rows = rows[edge : len(rows) - edge]
        starts = np.arange(0, len(rows) - self.window + 1, self.hop)
        return rows[starts[:, None] + np.arange(self.window)] if len(starts) else rows[:0].reshape(0, self.window, 3)


def choose_test_subjects(subjects: Iterable[str], fraction: float, seed: int) -> list[str]:
    """Draws whole people for the test part.

    Args:
        subjects: All people.
        fraction: Share of them, in (0, 1).
        seed: Decides who.
    """
    people = sort_subjects(subjects)
    if len(people) < 2:
        raise ZooError(f"only subject {', '.join(people)} is here; a test by subject needs two or more")
    if not 0 < fraction < 1:
        raise ZooError(f"test fraction {fraction:g}: expected a number between 0 and 1")
    count = max(1, min(round(fraction * len(people)), len(people) - 1))
    return sort_subjects(np.random.default_rng(seed).permutation(people)[:count])


def write_windows(
    recordings: Index, path: Path, cut: Windowing, test_subjects: Sequence[str], classes: Sequence[str] = CLASSES
) -> Dropped:
    """Cuts recordings into windows and writes them in the course's layout, plus who made each.

    Args:
        recordings: What to cut.
        path: The file, written whole or not at all.
        cut: Window, hop, rate and trim.
        test_subjects: Who is in the test part; all others are in the training part.
        classes: Labels and their order; recordings of another activity are left out.

    Returns:
        What was left out.

    Raises:
        ZooError: If a test subject is not in the recordings, or a part would be empty.
    """
    people = sort_subjects(recordings.subjects)
    strangers = [name for name in test_subjects if name not in people]
    if strangers:
        raise ZooError(f"{recordings.path}: no subject {', '.join(strangers)}; found {', '.join(people)}")
    dropped = Dropped()
    attributes = {
        "classes": ",".join(classes), "rate_hz": cut.rate, "unit": UNIT, "axes": ",".join(AXES),
        "convention": CONVENTION, "hop": cut.hop, "simulated": recordings.simulated,
        "source": str(hdf5.attributes(recordings.path).get("source", "not stated")),
    }  # fmt: skip

    def parts() -> Iterator[Part]:
        for recording in recordings:
            if recording.activity not in classes:
                dropped.add(f"recordings of {recording.activity}")
                continue
            windows = cut.windows(recording)
            if not len(windows):
                dropped.add("recordings shorter than one window")
                continue
            split = "test" if recording.subject in test_subjects else "train"
            labels = np.full(len(windows), classes.index(recording.activity))
            yield split, windows, labels, np.full(len(windows), recording.subject)

    write_parts(path, parts(), cut.window, classes, people, attributes)
    return dropped


Part = tuple[str, NDArray[np.float32], NDArray[np.integer[Any]], NDArray[np.str_]]
"""`train` or `test`, windows `(n, window, 3)`, class numbers `(n,)`, who made them `(n,)`."""


def write_parts(
    path: Path, parts: Iterable[Part], window: int, classes: Sequence[str], people: Sequence[str] | None,
    attributes: Mapping[str, Any],
) -> None:  # fmt: skip
    """Writes windows in the course's layout, a part after the other.

    Args:
        path: The file, written whole or not at all.
        parts: In the order of the file; one is in memory.
        window: Rows a window.
        classes: Labels in their order.
        people: All who made windows; None where that is not known, and then the file does not tell.
        attributes: Of the file.

    Raises:
        ZooError: If training or test would be empty, or training has no window of a class.
    """
    # Numbers as the course writes them, where nothing of a name is lost.
    numbered = people is not None and all(n.isdecimal() and str(int(n)) == n and int(n) < 2**31 for n in people)
    with hdf5.create(path) as file:
        for inputs, labels, subjects in _KEYS.values():
            hdf5.growing(file, inputs, (window, len(AXES)), "f4")
            hdf5.growing(file, labels, (len(classes),), "f4", chunk=1024)
            if people is not None:
                hdf5.growing(file, subjects, (), "i4" if numbered else hdf5.text_type(), chunk=1024)
        for split, windows, numbers, names in parts:
            inputs, labels, subjects = _KEYS[split]
            hdf5.append(file[inputs], windows)
            hdf5.append(file[labels], np.eye(len(classes), dtype=np.float32)[numbers])
            if people is not None:
                hdf5.append(file[subjects], names.astype(np.int32) if numbered else names.astype(object))
        _require_windows(path, {name: file[labels][:].sum(axis=0) for name, (_, labels, _) in _KEYS.items()}, classes)
        file.attrs.update(attributes)


def _require_windows(path: Path, counts: dict[str, NDArray[Any]], classes: Sequence[str]) -> None:
    """Refuses a part without windows, and a training part without windows of a class."""
    for part, count in counts.items():
        if not count.sum():
            raise ZooError(f"{path}: the {part} part would have no window: choose other test subjects")
    empty = [name for name, count in zip(classes, counts["train"], strict=True) if not count]
    if empty:
        raise ZooError(
            f"{path}: the train part would have no window of {', '.join(empty)}: add some, or name --classes"
        )
