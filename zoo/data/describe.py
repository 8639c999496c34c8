"""What is inside a data file, for people: layout, sizes, balance, problems."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import activity, hdf5, leaks, patches, recordings, trigrams
from zoo.data.activity import Windows
from zoo.errors import ZooError


def describe(path: Path) -> dict[str, Any]:
    """Describes a file in any of the zoo's layouts.

    Args:
        path: The file.

    Returns:
        `layout`, `sizes`, `attributes`, what the layout holds, and `problems`, a list of sentences.

    Raises:
        ZooError: If the file cannot be read or has none of the layouts.
    """
    layout = hdf5.identify(path)
    sizes = hdf5.check(path, layout)
    description: dict[str, Any] = {
        "file": str(path), "layout": layout, "sizes": sizes, "attributes": hdf5.attributes(path), "problems": [],
    }  # fmt: skip
    details = {"activity": _activity, "recordings": _recordings, "patches": _patches, "trigrams": _trigrams}
    return description | details[layout](path)


def _activity(path: Path) -> dict[str, Any]:
    try:
        data = activity.read(path, allow_leak=True)
    except ZooError as error:
        return {"problems": [str(error)]}
    found = leaks.find_in(data)
    parts = {"train": _balance(data.train, data.classes), "test": _balance(data.test, data.classes)}
    problems = []
    if found.subjects:
        problems.append(f"subject {', '.join(found.subjects)} is in training and in test")
    if found.shared_rows:
        problems.append(f"{found.shared_rows} test windows share rows with training windows")
    if found.near_duplicates:
        problems.append(f"{found.near_duplicates} test windows nearly equal a training window")
    if data.split_by == "window":
        problems.append("no subject ids: whether a person is in training and in test cannot be known")
    for name, part in parts.items():
        counts = part["classes"]
        if min(counts.values()) * 3 < max(counts.values()):
            rare = min(counts, key=lambda label: counts[label])
            problems.append(f"{name}: {counts[rare]} windows of {rare}, {max(counts.values())} of the most frequent")
    return {
        "parts": parts, "split_by": data.split_by, "rate_hz": data.rate, "simulated": data.simulated,
        "leaks": {"shared_rows": found.shared_rows, "near_duplicates": found.near_duplicates,
                  "subjects": found.subjects},
        "problems": problems,
    }  # fmt: skip


def _balance(windows: Windows, classes: tuple[str, ...]) -> dict[str, Any]:
    counts = np.bincount(windows.labels, minlength=len(classes))
    return {
        "windows": len(windows),
        "classes": {name: int(count) for name, count in zip(classes, counts, strict=True)},
        "subjects": windows.people(),
    }


def _recordings(path: Path) -> dict[str, Any]:
    index = recordings.read(path)
    seconds: Counter[str] = Counter()
    for start, stop, rate, name in zip(
        index.offsets[:-1], index.offsets[1:], index.rates, index.activities, strict=True
    ):
        seconds[str(name)] += (stop - start) / rate
    return {
        "recordings": len(index),
        "subjects": activity.sort_subjects(index.subjects),
        "seconds": {name: round(total, 1) for name, total in sorted(seconds.items())},
        "rates_hz": sorted(set(index.rates.tolist())),
        "simulated": index.simulated,
    }


def _patches(path: Path) -> dict[str, Any]:
    try:
        data = patches.read(path)
    except ZooError as error:
        return {"problems": [str(error)]}
    names = [] if data.photographs is None else data.photographs.tolist()
    return {
        "patches": len(data.patches),
        "photographs": dict(sorted(Counter(names).items())),
        "simulated": data.simulated,
        "problems": list(data.notes),
    }


def _trigrams(path: Path) -> dict[str, Any]:
    try:
        data = trigrams.read(path)
    except ZooError as error:
        return {"problems": [str(error)]}
    counts = np.bincount(data.train.targets, minlength=len(data.words))
    known = np.union1d(data.train.contexts, data.train.targets)
    unlearned = [data.words[number] for number in np.setdiff1d(np.arange(len(data.words)), known)]
    some = ", ".join(f"'{word}'" for word in unlearned[:5])
    return {
        "words": len(data.words),
        "parts": {name: {"rows": len(rows)} for name, rows in data.splits.items()},
        "most_frequent": {
            data.words[number]: int(counts[number]) for number in np.argsort(-counts, kind="stable")[:10]
        },
        "in_training": trigrams.leaks(data),
        "simulated": data.simulated,
        "problems": [f"{len(unlearned)} words are in no training row, such as {some}"] if unlearned else [],
    }
