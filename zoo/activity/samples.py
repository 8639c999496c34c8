"""Sensor samples from lines of CSV, one at a time, such as from a phone or a pipe."""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from zoo.activity.columns import SECONDS, CsvColumns, resolve, time_unit_of
from zoo.activity.csv import number, separator
from zoo.errors import ZooError

Sample = tuple[float, ...]
"""Seconds, and x, y, z in m/s^2, Android's sign; with a gyroscope, also rotation rate about x, y, z in rad/s."""

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
    filled = (line for line in lines if line.strip())
    first_line = next(filled, "").removeprefix("\N{BYTE ORDER MARK}")
    mark = separator(first_line)
    header = [field.strip() for field in _fields(first_line, mark)]
    found, _ = resolve(name, header, columns, labels=False)
    gravity, rotation = found.gravity or (), found.rotation or ()
    if columns.gyroscope and not rotation:
        raise ZooError(f"{name}: no columns of rotation rate; found {', '.join(header)}: pass all six with "
                       "--channels, such as ax,ay,az,gx,gy,gz")  # fmt: skip
    order = [header.index(column) for column in (*found.axes, *gravity, *rotation, *filter(None, [found.time]))]

    def sample(row: list[str]) -> list[float]:
        fields = iter(_number(row[place], mark) if place < len(row) else np.nan for place in order)
        values = list(islice(fields, 3))
        added = list(islice(fields, 3)) if gravity else [0.0] * 3
        axes = [found.factor * (value + more) for value, more in zip(values, added, strict=True)]
        return [*axes, *(found.rotation_factor * value for value in islice(fields, len(rotation))), *fields]

    numbers = (sample(_fields(line, mark)) for line in filled)
    if columns.rate:
        for count, values in enumerate(numbers):
            yield count / columns.rate, *values
        return
    first = list(islice(numbers, _FIRST))
    unit = found.time_unit
    if len(first) > 1:
        unit = time_unit_of(name, np.array([row[-1] for row in first]), unit)
    for *values, time in chain(first, numbers):
        yield time * SECONDS.get(unit, 1.0), *values


def _fields(line: str, mark: str) -> list[str]:
    """The fields of one line. A quote that is not closed must not swallow the lines after it."""
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return []


def _number(field: str, mark: str) -> float:
    try:
        return number(field, mark)
    except ValueError:
        return np.nan
