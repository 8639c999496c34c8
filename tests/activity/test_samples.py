"""Samples come out of lines of CSV, each as soon as its line is there."""

import numpy as np
import pytest

from zoo import ZooError
from zoo.activity.columns import CsvColumns
from zoo.activity.csv import read_samples

LINES = ["time,x,y,z", *(f"{i / 50},0,9.8,{i}" for i in range(30))]


@pytest.mark.parametrize("above", [[], ["\N{BYTE ORDER MARK}sep=,"], ["# Pixel 7\n", "\n"]])
def test_each_line_below_the_names_is_a_sample(above):
    assert list(read_samples([*above, *LINES], "here", CsvColumns()))[3] == (0.06, 0.0, 9.8, 3.0)


def test_time_in_milliseconds_is_noticed_and_ios_is_turned():
    lines = ["t,x,y,z", *(f"{1000 + 20 * i},0,-1,0" for i in range(30))]
    found = list(read_samples(lines, "here", CsvColumns(time="t", unit="g", convention="ios")))
    assert found[1] == pytest.approx((1.02, 0.0, 9.80665, 0.0))


def test_a_fixed_rate_needs_no_time():
    assert [time for time, *_ in read_samples(["x,y,z", "0,0,1", "0,0,1"], "here", CsvColumns(rate=4.0))] == [0, 0.25]


def test_a_sample_is_given_before_the_next_line_is_there():
    def lines():
        yield from LINES[:13]
        raise AssertionError("reads on without need")

    samples = read_samples(lines(), "here", CsvColumns())
    assert [next(samples)[3] for _ in range(12)] == list(range(12))


def test_what_is_no_number_is_nan_and_a_short_line_too():
    found = list(read_samples([*LINES, "0.6,lost,0,0", "0.62,1"], "here", CsvColumns()))
    assert np.isnan(found[-2][1])
    assert np.isnan(found[-1][2])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], r"here: no column for x \(--x\), for y \(--y\), .*; found nothing"),
        (["time,a,y,z", "0,0,0,0"], r"here: no column for x \(--x\); found time, a, y, z: pass its name"),
        (["time,x,y,z", "0,0,0,0", "900,0,0,0"], "here: time stamps 900 apart give no rate"),
    ],
)
def test_lines_that_are_no_samples_are_refused(lines, said):
    with pytest.raises(ZooError, match=said):
        list(read_samples(lines, "here", CsvColumns(time_unit="auto")))
