"""The scripts of the course make every figure and table of its report, from its own files and from stand-ins."""

import json
import re

import h5py
import pytest
from running import ROOT, python

from zoo.activity import simulate as gait
from zoo.patches import simulate
from zoo.text import simulate as grammar

COURSE = ROOT / "examples" / "course"


def windows(path):
    """As the course's own file: nobody's subject ids, no attributes."""
    gait.write_simulated(path, subjects=3, seed=0, seconds=15)
    with h5py.File(path, "a") as file:
        del file["trS"], file["tstS"]
        for name in list(file.attrs):
            del file.attrs[name]


def photographs(path):
    """As the course's own file: further keys, nothing of photographs, values a little beyond white."""
    simulate.write_simulated(path, 400, 16, 4, seed=0)
    with h5py.File(path, "a") as file:
        del file["source"], file["source_names"]
        file["data"][0, 0, 0, 0] = 1.02
        file["xForm"] = file["invXForm"] = [[1.0, 0.0], [0.0, 1.0]]


def sentences(path):
    """A stand-in, as the zoo makes it."""
    grammar.write_simulated(path, 3000, seed=0)


PARTS = {
    "part1": (photographs, ["a_patches", "b_cost", "b_reconstruction", "c_features", "d_grid"],
              ["| 10, 0 |", "| 64, 0.001 |", "| 100, 0.0005 |"]),
    "part2": (sentences, ["a_trigram_lm_course", "a_trigram_lm_course_16_128", "a_trigram_lm_course_8_64", "b_words"],
              ["36.91%", "34.36%", "31.95%", "simulated: nobody wrote it"]),
    "part3": (windows, [f"{letter}_{name}" for letter in "abc" for name in ("training", "test", "train")],
              ["57.33%", "81.00%", "82.33%", "27 s", "126 s", "47 s", "has no subject ids",
               "| random forest, for comparison |", "A guess among 6 activities is right in 16.7% of the windows"]),
}  # fmt: skip


@pytest.mark.docs
@pytest.mark.parametrize("part", PARTS)
def test_a_part_makes_its_figures_and_tables(part, tmp_path):
    make, figures, words = PARTS[part]
    make(tmp_path / "data.h5")
    options = ("--data", "data.h5", "--out", "report", "--quick")
    run = python(COURSE / f"{part}.py", *options, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert run.returncode == 0, run.stderr
    report = (tmp_path / "report" / "report.md").read_text()
    shown = re.findall(r"!\[[^]]*\]\((.*?)\.png\)", report)
    assert shown == figures
    assert {path.stem for path in (tmp_path / "report").glob("*.png")} == set(figures)
    title, mark, headline, *_ = report.split("\n\n")
    assert title.startswith("# Part")
    assert mark.startswith("> **A trial run of a few epochs**")
    assert re.match(r"\*\*.*\d.*\*\*", headline)
    for word in words:
        assert word in report
    assert {"command", "versions", "seed"} <= set(json.loads((tmp_path / "report" / "report.json").read_text()))
    assert (tmp_path / "report" / "report.html").read_text().count("<img") == len(figures)
