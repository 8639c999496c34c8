"""GeoTec: getting up, walking, turning and sitting down, with the phone in the left front pocket, four ways around.

A line of `s<id>_<execution>_sp.csv` is a sample of the accelerometer (m/s^2, Android's sign) and the gyroscope, with
the time at which it was delivered, in ms, and a label. The samples are even, at 102.4 Hz; they are delivered in groups,
up to 0.12 s late. A turn between two walks is a part of the walk: without it, no walk is as long as a window. Half a
second at both ends of a stretch, in which one movement becomes the other, is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from zoo.activity.recordings import Recording
from zoo.activity.studies.reading import Source

_ACTIVITIES = {"SEATED": "sitting", "WALKING": "walking"}
_EXECUTIONS = ("execution_id", "orientation", "first_turn", "second_turn")
_COLUMNS = ("x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro", "timestamp", "label")


def read(source: Source) -> Iterator[Recording]:
    """Reads sitting and walking."""
    ((where, table),) = source.texts("DATA/executions_info.csv")
    orientations = {row[0]: row[1] for row in source.rows(where, table, _EXECUTIONS, header=True)}
    for name, text in source.texts():
        execution = name.rpartition("/")[2].removesuffix("_sp.csv")
        rows = source.rows(name, text, _COLUMNS, header=True)
        values = source.numbers(name, rows, 0, 1, 2, 6)
        stamps = source.seconds(name, values[:, 3], "ms")
        times = np.linspace(stamps[0], stamps[-1], len(stamps))
        start = 0
        for label, group in groupby(_with_turns([row[7].strip() for row in rows])):
            part = slice(start, start := start + len(list(group)))
            if label not in _ACTIVITIES:
                source.dropped[f"transitions: {label.lower().replace('_', ' ')}"] += 1
                continue
            yield from source.recordings(
                name, execution.partition("_")[0], _ACTIVITIES[label], times[part], values[part, :3],
                position="left front pocket", device="Xiaomi Poco X2", orientation=orientations.get(execution, ""),
            )  # fmt: skip


def _with_turns(labels: Sequence[str]) -> list[str]:
    """Labels of rows, with WALKING for each TURNING between two of them.

    Example:
        >>> _with_turns(["WALKING", "TURNING", "WALKING", "TURNING", "SITTING_DOWN"])
        ['WALKING', 'WALKING', 'WALKING', 'TURNING', 'SITTING_DOWN']
    """
    runs = [(label, len(list(group))) for label, group in groupby(labels)]
    around = list(zip([("", 0), *runs[:-1]], runs, [*runs[1:], ("", 0)], strict=True))
    return [
        "WALKING" if (before, label, after) == ("WALKING", "TURNING", "WALKING") else label
        for (before, _), (label, count), (after, _) in around for _ in range(count)
    ]  # fmt: skip
