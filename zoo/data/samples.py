"""Sensor samples from lines of CSV, one at a time, such as from a phone or a pipe."""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from zoo.data.importers import CsvColumns, seconds_of
from zoo.errors import ZooError

Sample = tuple[float, float, float, float]
"""Seconds, and x, y, z in m/s^2, Android's sign."""

_FIRST = 10
"""Lines from which the unit of the time stamps is detected."""


def read_samples(lines: Iterable[str], name: str, columns: CsvColumns) -> Iterator[Sample]:
    """Reads samples from lines of CSV, each as soon as its line arrives.

    A field that is not a number becomes NaN, which streaming counts as a bad sample.

    Args:
        lines: The first one names the columns.
        name: The source, for messages.
        columns: Which column is what; subject and activity are ignored.

    Raises:
        ZooError: If there is no line of column names, a column is missing, or the first time stamps give no rate.

    Example:
        >>> lines = ["time,x,y,z", "0.00,0,0,1", "0.02,0,0,lost"]
        >>> list(read_samples(lines, "here", CsvColumns(unit="g")))
        [(0.0, 0.0, 0.0, 9.80665), (0.02, 0.0, 0.0, nan)]
    """
    rows = csv.reader(line for line in lines if line.strip())
    header = [field.strip() for field in next(rows, [])]
    wanted = [columns.x, columns.y, columns.z] + ([] if columns.rate else [columns.time or "time"])
    missing = [column for column in wanted if column not in header]
    if missing:
        raise ZooError(
            f"{name}: no column {missing[0]!r}; found {', '.join(header) or 'nothing'}: name it with an option"
        )
    places = [header.index(column) for column in wanted]
    numbers = ([_number(row[place]) if place < len(row) else np.nan for place in places] for row in rows)
    if columns.rate:
        for count, (x, y, z) in enumerate(numbers):
            yield count / columns.rate, x * columns.factor, y * columns.factor, z * columns.factor
        return
    first = list(islice(numbers, _FIRST))
    unit = seconds_of(name, np.array([row[3] for row in first]), columns.time_unit) if len(first) > 1 else 1.0
    for x, y, z, time in chain(first, numbers):
        yield time * unit, x * columns.factor, y * columns.factor, z * columns.factor


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return np.nan
