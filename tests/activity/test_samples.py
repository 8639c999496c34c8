"""Samples come out of lines of CSV, each as soon as its line is there."""

import pytest

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
