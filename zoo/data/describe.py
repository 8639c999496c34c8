"""The contents of a data set, for people: layout, sizes, balance, problems."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity import leaks, recordings
from zoo.activity.recordings import Index
from zoo.activity.studies.comparison import compare
from zoo.activity.windows import ActivityData, Windows
from zoo.data import hdf5, loading
from zoo.data.examples import Data, sort_names
from zoo.errors import ZooError
from zoo.patches.data import PatchData
from zoo.runtime.metadata import CLASSES
from zoo.text import data as trigrams
from zoo.text.data import TrigramData


def describe(source: str | Path | Data, data_dir: Path | None = None) -> dict[str, Any]:
    """Describes a file in any of the zoo's layouts, or a build of TensorFlow Datasets.

    Args:
        source: The file, `tfds:NAME`, or what `load_data` returned.
        data_dir: Where builds are.

    Returns:
        `file`, `layout`, `sizes`, `attributes`, the contents, and `problems`, a list of sentences.

    Raises:
        ZooError: If the file cannot be read or has none of the layouts.
    """
    if isinstance(source, Data) or loading.build_name(source) or Path(source).is_dir():
        data = loading.load_data(source, data_dir=data_dir, allow_leak=True)
        attributes = {"source": data.source, "simulated": data.simulated}
        found = {"file": data.name, "layout": data.layout, "sizes": _sizes(data), "attributes": attributes}
        return found | {"problems": []} | _details(data)
    path = Path(source)
    layout = hdf5.identify(path)
    found = {
        "file": str(path), "layout": layout, "sizes": hdf5.check(path, layout), "attributes": hdf5.attributes(path),
        "problems": [],
    }  # fmt: skip
    if layout == "recordings":
        return found | _details(recordings.read(path))
    try:
        return found | _details(loading.load_data(path, allow_leak=True))
    except ZooError as error:
        return found | {"problems": [str(error)]}


def _sizes(data: Data) -> dict[str, int]:
    """The sizes that `hdf5.check` finds in a file of the same data."""
    rows, shape = len(data.train), data.train.inputs.shape
    if isinstance(data, ActivityData):
        return {"N": rows, "T": shape[1], "C": shape[2], "K": len(data.classes), "M": len(data.test)}
    if isinstance(data, TrigramData):
        return {"N": rows, "M": len(data.validation), "L": len(data.test), "V": len(data.words)}
    return {"N": rows, "S": shape[-1]}


@singledispatch
def _details(data: Any) -> dict[str, Any]:
    raise TypeError(type(data))


@_details.register
def _(data: ActivityData) -> dict[str, Any]:
    found = leaks.find(data.train, data.test)
    parts = {name: _balance(part, data.label_names) for name, part in (("train", data.train), ("test", data.test))}
    problems = []
    if found.subjects:
        problems.append(f"subject {', '.join(found.subjects)} is in training and in test")
    if found.shared_rows:
        problems.append(f"{found.shared_rows} test windows share rows with training windows")
    if found.near_duplicates:
        problems.append(f"{found.near_duplicates} test windows nearly equal a training window")
    if data.split_by == "window":
        problems.append("no subject ids: whether a person is in training and in test cannot be known")
    few = [f"{count} of {name}" for name, count in parts["train"]["classes"].items() if count < _FEW]
    if few:
        problems.append(f"few training windows: {', '.join(few)}; expected {_FEW} or more: record more of them")
    if len(parts["train"]["subjects"]) == 1:
        problems.append(
            f"{parts['train']['subjects'][0]} is the only person in training: how a model does on others stays unknown"
        )
    amounts = Counter(parts["train"]["classes"]) + Counter(parts["test"]["classes"])
    problems += _named_wrongly(amounts, [*data.train.people(), *data.test.people()])
    if len(data.classes) == 1:
        problems.append(f"{data.classes[0]} is the only class: a recognizer needs two or more")
    for name, part in parts.items():
        # A set is a label of some studies only.
        counts = {label: count for label, count in part["classes"].items() if count or label in data.classes}
        if min(counts.values()) * 3 < max(counts.values()):
            rare = min(counts, key=lambda label: counts[label])
            problems.append(f"{name}: {counts[rare]} windows of {rare}, {max(counts.values())} of the most frequent")
    return {
        "parts": parts, "split_by": data.split_by, "rate_hz": data.rate, "simulated": data.simulated,
        "leaks": {"shared_rows": found.shared_rows, "near_duplicates": found.near_duplicates,
                  "subjects": found.subjects},
        "problems": problems,
    } | _several(data)  # fmt: skip


def _several(data: ActivityData | Index) -> dict[str, Any]:
    """`studies`, where there are several."""
    studies = compare(data)
    return {"studies": studies} if studies else {}


def _named_wrongly(amounts: Mapping[str, float], people: Sequence[str]) -> list[str]:
    """Sentences about names of labels, with their windows or seconds, and of people that look wrong."""
    labels = list(amounts)
    return [*_spelled_alike(labels, people), *_misspelled(amounts), *_swapped(labels, people)]


def _spelled_alike(labels: Sequence[str], people: Sequence[str]) -> list[str]:
    """Sentences about names that differ in case, spaces and signs alone.

    Example:
        >>> _spelled_alike(["walk", "Walk", "run"], ["ann", "ben"])
        ['labels Walk, walk may be one activity: join them by --classes Walk=walk,walk of `zoo data windows`']
    """
    found = []
    for kind, names in (("labels", labels), ("subjects", people)):
        spellings: dict[str, set[str]] = {}
        for name in names:
            spellings.setdefault(re.sub(r"[\W_]+", "", name.casefold()), set()).add(name)
        for several in (sorted(each) for key, each in spellings.items() if key and len(each) > 1):
            text = f"{kind} {', '.join(several)} may be one"
            last = several[-1]
            renamed = ",".join([*(f"{name}={last}" for name in several[:-1]), last])
            found.append(
                f"{text} activity: join them by --classes {renamed} of `zoo data windows`" if kind == "labels"
                else f"{text} person, who would be in training and in test: import them under one name"
            )  # fmt: skip
    return found


_RARE = 5
"""How many times as frequent a label is as another one that may be a typo of it."""


def _misspelled(amounts: Mapping[str, float]) -> list[str]:
    """Sentences about rare labels that are one edit away from a frequent one.

    Args:
        amounts: Windows or seconds of each label.

    Example:
        >>> _misspelled({"walking": 300.0, "running": 300.0, "runing": 12.0})[0].partition(": ")[2]
        'did you mean running? join them by --classes runing=running,running,walking of `zoo data windows`'
        >>> _misspelled({"walk_1": 300.0, "walk_2": 12.0})
        []
    """
    found = []
    for rare, few in sorted(amounts.items()):
        for usual, many in amounts.items():
            if 0 < few * _RARE <= many and _one_edit(rare, usual):
                classes = ",".join(f"{label}={usual}" if label == rare else label for label in sorted(amounts))
                found.append(
                    f"label {rare} is rare: did you mean {usual}? join them by --classes {classes} of `zoo data "
                    "windows`"
                )
    return found


def _one_edit(one: str, other: str) -> bool:
    """Whether a letter that is missing, added or another one, or two that are swapped, make one word of the other.

    Example:
        >>> [_one_edit(word, "running") for word in ("runing", "runnning", "rumning", "runnign", "running", "ruining")]
        [True, True, True, True, False, True]
    """
    pairs = enumerate(zip(one, other, strict=False))
    start = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    # Names that differ in case or a number alone are not typos.
    if one.casefold() == other.casefold() or not (a[:1] + b[:1]).isalpha() or min(len(one), len(other)) < _SHORT:
        return False
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


_SHORT = 4
"""Letters below which words such as sit and sat are different ones."""

_ACTIVITIES = {*CLASSES, "walk", "run", "running", "jog", "sit", "stand", "lying", "stairs", "cycling", "biking"}


def _swapped(labels: Sequence[str], people: Sequence[str]) -> list[str]:
    """A sentence about people all of whom are called like activities, where no activity is.

    Example:
        >>> _swapped(["ann", "ben"], ["walking", "sitting"])
        ['the people are called sitting, walking, and activities ann, ben: are {subject} and {activity} swapped?']
    """
    names = {name.casefold().rpartition("/")[2] for name in people}
    if not names or not names <= _ACTIVITIES or _ACTIVITIES & {label.casefold() for label in labels}:
        return []
    who, what = (", ".join(sort_names(several)[:3]) for several in (people, labels))
    return [f"the people are called {who}, and activities {what}: are {{subject}} and {{activity}} swapped?"]


_FEW = 10
"""Windows of a class below which training has next to nothing to learn from: 15 s, overlapping by half."""


def _balance(windows: Windows, labels: tuple[str, ...]) -> dict[str, Any]:
    counts = np.bincount(windows.labels, minlength=len(labels))
    return {
        "windows": len(windows),
        "classes": {name: int(count) for name, count in zip(labels, counts, strict=True)},
        "subjects": windows.people(),
    }


@_details.register
def _(index: Index) -> dict[str, Any]:
    seconds: Counter[str] = Counter()
    for start, stop, rate, name in zip(
        index.offsets[:-1], index.offsets[1:], index.rates, index.activities, strict=True
    ):
        seconds[str(name)] += (stop - start) / rate
    return {
        "recordings": len(index),
        "subjects": sort_names(index.subjects),
        "seconds": {name: round(total, 1) for name, total in sorted(seconds.items())},
        "rates_hz": sorted(set(index.rates.tolist())),
        "simulated": index.simulated,
        "problems": _named_wrongly(seconds, index.subjects.tolist()),
    } | _several(index)


@_details.register
def _(data: PatchData) -> dict[str, Any]:
    names = [] if data.photographs is None else data.photographs.tolist()
    return {
        "patches": len(data.patches),
        "photographs": dict(sorted(Counter(names).items())),
        "simulated": data.simulated,
        "problems": list(data.notes),
    }


@_details.register
def _(data: TrigramData) -> dict[str, Any]:
    counts = np.bincount(data.train.next_words, minlength=len(data.words))
    known = np.union1d(data.train.contexts, data.train.next_words)
    unused = [data.words[number] for number in np.setdiff1d(np.arange(len(data.words)), known)]
    some = ", ".join(f"'{word}'" for word in unused[:5])
    return {
        "words": len(data.words),
        "parts": {name: {"rows": len(rows)} for name, rows in data.splits().items()},
        "most_frequent": {
            data.words[number]: int(counts[number]) for number in np.argsort(-counts, kind="stable")[:10]
        },
        "in_training": trigrams.leaks(data),
        "simulated": data.simulated,
        "problems": [f"{len(unused)} words are in no training row, such as {some}"] if unused else [],
    }
