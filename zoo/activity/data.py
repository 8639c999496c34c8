"""Windows and recordings of activity: reads a file of windows, and describes either."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity import leaks, recordings
from zoo.activity.recordings import Index
from zoo.activity.studies.comparison import compare
from zoo.activity.windows import ActivityData, Windows
from zoo.activity.windows import read as read
from zoo.data import hdf5
from zoo.data.examples import sort_names


def describe(source: Path | ActivityData) -> dict[str, Any]:
    """Counts windows by part and class, or seconds of recordings by activity; finds leaks, and compares studies.

    Args:
        source: Windows, or a file of windows or recordings.
    """
    if isinstance(source, ActivityData):
        return _describe_windows(source)
    if hdf5.identify(source) == "recordings":
        return _describe_recordings(recordings.read(source))
    return _describe_windows(read(source, allow_leak=True))


def _describe_windows(data: ActivityData) -> dict[str, Any]:
    found = leaks.find(data.train, data.test)
    problems = []
    if found.subjects:
        problems.append(f"subject {', '.join(found.subjects)} is in training and in test")
    if found.shared_rows:
        problems.append(f"{found.shared_rows} test windows share rows with training windows")
    if found.near_duplicates:
        problems.append(f"{found.near_duplicates} test windows nearly equal a training window")
    if data.split_by == "window":
        problems.append("no subject ids: whether a person is in training and in test cannot be known")
    problems += _one_person_twice([*data.train.people(), *data.test.people()])
    names = data.label_names
    return {
        "parts": {"train": _balance(data.train, names), "test": _balance(data.test, names)},
        "split_by": data.split_by, "rate_hz": data.rate, "simulated": data.simulated,
        "leaks": {"shared_rows": found.shared_rows, "near_duplicates": found.near_duplicates,
                  "subjects": found.subjects},
        "problems": problems,
    } | _several(data)  # fmt: skip


def _several(data: ActivityData | Index) -> dict[str, Any]:
    studies = compare(data)
    return {"studies": studies} if studies else {}


def _one_person_twice(people: list[str]) -> list[str]:
    """Sentences about people whose names differ in case, spaces and signs alone.

    Example:
        >>> _one_person_twice(["ann", "Ann", "ben"])[0].partition(",")[0]
        'subjects Ann'
    """
    spellings: dict[str, set[str]] = {}
    for name in people:
        spellings.setdefault("".join(filter(str.isalnum, name.casefold())), set()).add(name)
    return [
        f"subjects {', '.join(sorted(several))} may be one person, who would be in training and in test: import them "
        "under one name"
        for key, several in spellings.items() if key and len(several) > 1
    ]  # fmt: skip


def _balance(windows: Windows, labels: tuple[str, ...]) -> dict[str, Any]:
    counts = np.bincount(windows.labels, minlength=len(labels)).tolist()
    return {
        "windows": len(windows), "classes": dict(zip(labels, counts, strict=True)), "subjects": windows.people(),
    }  # fmt: skip


def _describe_recordings(index: Index) -> dict[str, Any]:
    seconds: Counter[str] = Counter()
    for start, stop, rate, name in zip(
        index.offsets[:-1], index.offsets[1:], index.rates, index.activities, strict=True
    ):
        seconds[str(name)] += (stop - start) / rate
    return {
        "recordings": len(index), "subjects": sort_names(index.subjects),
        "seconds": {name: round(total, 1) for name, total in sorted(seconds.items())},
        "rates_hz": sorted(set(index.rates.tolist())), "simulated": index.simulated,
        "problems": _one_person_twice(index.subjects.tolist()),
    } | _several(index)  # fmt: skip
