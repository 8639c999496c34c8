"""Samples come out of lines of CSV, each as soon as its line is there."""

import numpy as np
import pytest
from running import message

from zoo.activity.columns import CsvColumns, read_samples


def test_a_fixed_rate_needs_no_time_and_ios_is_turned():
    lines = ["x,y,z", "0,0,-1", "0,0,-1"]
    found = list(read_samples(lines, "here", CsvColumns(rate=4.0, unit="g", convention="ios")))
    assert found == [(0.0, 0.0, 0.0, 9.80665), (0.25, 0.0, 0.0, 9.80665)]


def test_a_sample_is_given_before_the_next_line_is_there():
    def lines():
        yield from ("\N{BYTE ORDER MARK}sep=,", "# Pixel 7\n", "\n", "time,x,y,z")
        # Milliseconds, as is noticed.
        yield from (f"{20 * i},0,9.8,{i}" for i in range(12))
        raise AssertionError("reads on without need")

    samples = read_samples(lines(), "here", CsvColumns())
    assert [next(samples) for _ in range(12)] == [pytest.approx((i / 50, 0, 9.8, i)) for i in range(12)]


@pytest.mark.parametrize("column", ["sensor", "side"])
def test_two_sensors_by_turns_are_a_question(column):
    lines = [f"time,x,y,z,{column}", *(f"{0.02 * i},0,9.8,0,{('left', 'right')[i % 2]}" for i in range(20))]
    found = message(lambda: list(read_samples(lines, "here", CsvColumns())))
    assert found.startswith(f"here: column {column!r} says left, right by turns")


def test_few_numbers_by_turns_are_those_of_a_sensor_at_rest():
    lines = ["time;x;y;z", *(f"{0.02 * i};{('0,1', '0,2')[i % 2]};9,8;0".replace(".", ",") for i in range(20))]
    assert [x for _, x, _, _ in read_samples(lines, "here", CsvColumns())] == [0.1, 0.2] * 10


def test_a_row_of_too_many_fields_is_lost():
    lines = ["time,x,y,z", *["0,1,2,3", "0.02,1,5,2,5,3,5", "0.04,1,2,3,"]]
    assert np.isnan(list(read_samples(lines, "here", CsvColumns(time_unit="s")))).any(axis=1).tolist() == [0, 1, 0]
