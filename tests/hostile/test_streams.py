"""Streams of samples with faults: each fault is counted, and every answer is finite."""

import io
import json
import math
import sys
from itertools import pairwise

import pytest

pytestmark = pytest.mark.hostile

ROWS = [[f"{i / 50:.2f}", "0.1", "9.8", "0.3"] for i in range(500)]


def table(change) -> str:
    rows = [row.copy() for row in ROWS]
    change(rows)
    return "time,x,y,z\n" + "".join(",".join(row) + "\n" for row in rows)


BAD = ["1e30", "1e308", "-1e30", "nan", "inf", "-inf", "", "fast", "\uff19", "1_0", "1e400", "161", '"', "0x1"]
CASES = [*(("x", value) for value in BAD), ("y", "fast"), ("z", "nan"), ("z", "1,2")]


@pytest.fixture
def answers(materials, zoo_cli, monkeypatch):
    """Streams text from standard input, and returns the answers and what standard error says."""

    def run(text: str) -> tuple[list[dict], str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        status, out, err = zoo_cli("stream", materials.exported, "--csv", "-", "--json")
        assert status == 0, err
        return [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()], err

    return run


@pytest.mark.parametrize(("column", "value"), CASES, ids=[f"{column}={value!a}" for column, value in CASES])
@pytest.mark.parametrize("place", [0, 200])
def test_a_bad_value_is_counted_and_ruins_no_answer(column, value, place, answers):
    found, err = answers(table(lambda rows: rows[place].__setitem__(["time", "x", "y", "z"].index(column), value)))
    assert "(1)" in err
    assert len(found) > 50
    assert all(math.isfinite(share) for each in found for share in each["probabilities"].values())
    assert all(before["time"] < after["time"] for before, after in pairwise(found))


JUMPS = {
    "an hour ahead": 3600.0, "an hour back": -3600.0, "a year ahead": 3.2e7, "a second ahead": 1.5,
    "to the epoch": 1.8e9,
}  # fmt: skip


@pytest.mark.parametrize("name", JUMPS)
def test_one_stamp_elsewhere_silences_nothing(name, answers):
    found, _ = answers(table(lambda rows: rows[200].__setitem__(0, f"{4 + JUMPS[name]:.2f}")))
    sound, _ = answers(table(lambda rows: None))
    assert len(found) >= len(sound) - 2


@pytest.mark.parametrize("name", JUMPS)
def test_a_clock_that_was_set_restarts_the_stream(name, answers):
    def change(rows):
        for row in rows[200:]:
            row[0] = f"{float(row[0]) + JUMPS[name]:.2f}"

    found, err = answers(table(change))
    assert len([each for each in found if abs(each["time"] - JUMPS[name]) < 11]) > 10
    assert "gaps" in err


REFUSED = {
    "nothing": "", "blank lines": "\n\n\n", "a BOM alone": "\ufeff", "noise": "\x00\x01\x02\n\x03",
    "names of other columns": "a,b,c\n1,2,3\n", "a name twice": "time,x,y,z,x\n" + "0,1,2,3,4\n" * 20,
    "stamps of whole seconds": "time,x,y,z\n" + "".join(f"{i // 50},0,9.8,0\n" for i in range(300)),
    "reversed stamps": "time,x,y,z\n" + "".join(f"{9 - i / 50:.2f},0,9.8,0\n" for i in range(300)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_stream_that_is_none_is_named(name, materials, monkeypatch, refused):
    monkeypatch.setattr(sys, "stdin", io.StringIO(REFUSED[name]))
    refused(["stream", materials.exported, "--csv", "-"], "standard input")


def test_binary_noise_on_standard_input_is_named(materials, monkeypatch, refused):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(range(256)) * 8), encoding="utf-8"))
    refused(["stream", materials.exported, "--csv", "-"], "standard input: not UTF-8")


def test_a_quote_that_is_not_closed_costs_one_row(answers):
    sound, _ = answers(table(lambda rows: None))
    found, err = answers(table(lambda rows: rows[100].__setitem__(1, '"0.1')))
    assert "(1)" in err
    assert len(found) >= len(sound) - 1
