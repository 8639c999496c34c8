"""The six lines of README for one's own recordings, up to the page that shows one's own labels."""

import re
import shlex

import numpy as np
from phone.pages import play
from running import ROOT, zoo_serve

from zoo.activity import simulate
from zoo.serving.server import PAGE_FOLDER

README = (ROOT / "README.md").read_text(encoding="utf-8")
LABELS = {"strolling": "walking", "lounging": "sitting", "running": "jogging"}
"""One's own words for what the simulated people do."""


def commands():
    section = README.partition("## Your own recordings")[2]
    block = re.search(r"(?:^    .+\n)+", section, re.MULTILINE).group()
    return [shlex.split(line)[1:] for line in block.splitlines()]


def record(folder):
    """CSV files of five people, in the layout that README names."""
    random = np.random.default_rng(0)
    for name in ("ann", "ben", "cleo", "dan", "eve"):
        person = simulate.Walker.draw(name, random)
        for label, activity in LABELS.items():
            rows = person.record(activity, 12, 50.0, random).acceleration.tolist()
            lines = [f"{number / 50:.2f},{x:.3f},{y:.3f},{z:.3f}" for number, (x, y, z) in enumerate(rows)]
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{label}_1.csv").write_text("\n".join(["time,x,y,z", *lines]))


def test_the_lines_for_own_recordings_lead_to_a_page_with_own_labels(open_page, zoo_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "recordings")
    *first, last = commands()
    assert [line[0] for line in first] == ["data", "data", "finetune", "evaluate", "export"]
    for line in first:
        # A pass in place of twenty.
        status, _, error = zoo_cli(*line, *(["--epochs", 1] if line[0] == "finetune" else []))
        assert status == 0, error
    assert (last[0], (tmp_path / "figures" / "confusion.png").is_file()) == ("serve", True)
    with zoo_serve(*last[1:], page=PAGE_FOLDER) as process:
        address = next(line for line in process.stdout if line.startswith("Phones: "))
        page = open_page(address.split()[1])
        page.wait_for_selector("#start:enabled")
        assert page.locator("#known .chip").all_inner_texts() == sorted(LABELS)
        rows = np.random.default_rng(0).normal([0.4, 9.7, 1.0], 0.05, (480, 3)).tolist()
        (*_, prediction) = play(page, [[number / 60, *row] for number, row in enumerate(rows)], 40)
        assert len(prediction["probabilities"]) == len(LABELS)
