"""How time and memory grow, as measured by benchmarks/scale.py, and the page that says so."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "scale.py"


def test_the_page_says_what_was_measured(tmp_path, run_script):
    page = ROOT / "docs" / "scale.md"
    (tmp_path / "assets").mkdir()
    copy = tmp_path / "scale.md"
    copy.write_text(page.read_text())
    run_script(SCRIPT, "--page", copy)
    assert copy.read_text() == page.read_text()


def test_time_grew_in_proportion_and_memory_hardly():
    measured = json.loads(SCRIPT.with_suffix(".json").read_text())
    few, many = measured["people"][-2:]
    times = many["people"] / few["people"]
    for step, found in many["steps"].items():
        before = few["steps"][step]
        assert found["cpu_seconds"] < 1.5 * times * before["cpu_seconds"], step
        assert found["megabytes"] < 1.3 * before["megabytes"], step
    assert many["bytes"]["windows"] > 9 * few["bytes"]["windows"]
