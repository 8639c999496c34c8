"""Each preset's card: whole, true to its numbers, and its programs run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.catalog import PRESETS_FOLDER
from zoo.files import read_json
from zoo.presets import PRESETS
from zoo.report.cards import SECTIONS, card

ROOT = Path(__file__).parents[1]
ONE_A_FAMILY = ("activity_gru_pocket", "sparse_autoencoder_course", "trigram_lm_course_8_64")


@pytest.fixture(params=PRESETS)
def preset(request):
    return request.param


def text(preset):
    return (PRESETS_FOLDER / preset / "card.md").read_text(encoding="utf-8")


def sections(page):
    """The text below each heading, by its words."""
    return dict(re.findall(r"^## ([^\n]+)\n\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))


def missing(page, folder):
    """What a card lacks; empty where it is whole."""
    found, records = sections(page), read_json(folder / "metrics.json")["artifacts"]
    lacks = [heading for heading in SECTIONS if not found.get(heading, "").strip()]
    lacks += [
        record["file"] for record in records if f"| `{record['file']}` | {record['bytes'] / 1000:.1f} |" not in page
    ]
    lacks += [name for name in re.findall(r"!\[\w+\]\((.+?)\)", page) if not (folder / name).is_file()]
    lacks += [word for word in ("```text", "```python", "```javascript", "zoo train") if word not in page]
    lacks += [path for path in re.findall(r"\]\((\.\./.+?)\)", page) if not (folder / path).is_file()]
    return lacks + [word for word in ("None", "nan", "inf ") if re.search(rf"\b{word}\b", page)]


def test_a_card_is_the_rendering_of_its_numbers(preset):
    folder = PRESETS_FOLDER / preset
    metrics, config = (read_json(folder / name) for name in ("metrics.json", "config.json"))
    assert text(preset) == card(preset, PRESETS[preset], metrics, config)


def test_a_card_has_every_section_file_and_picture_in_its_order(preset):
    page = text(preset)
    assert missing(page, PRESETS_FOLDER / preset) == []
    assert [heading for heading in sections(page) if heading in SECTIONS] == list(SECTIONS)
    assert page.count("![") >= 2
    assert "\n\n\n" not in page


@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_an_incomplete_card_is_seen(name):
    page, folder = text(name), PRESETS_FOLDER / name
    assert "Where it fails" in missing(re.sub(r"## Where it fails\n\n.*?(?=## )", "", page, flags=re.DOTALL), folder)
    assert "model.keras" in missing(re.sub(r"\| `model.keras`.*\n", "", page), folder)
    assert missing(page.replace("(training.png)", "(lost.png)").replace("(cost.png)", "(lost.png)"), folder) == [
        "lost.png"
    ]


def test_a_card_names_what_it_is_worst_at(preset):
    test, found = read_json(PRESETS_FOLDER / preset / "metrics.json")["test"], sections(text(preset))["Where it fails"]
    if "per_class" in test:
        worst = min(test["per_class"], key=lambda label: test["per_class"][label]["f1"])
        assert f"The worst class is {worst} " in found
        assert f"The worst person is subject {test['worst_subject']} " in found
    elif "per_photograph" in test:
        assert f"The worst photograph is {test['worst_photograph']}" in found
    else:
        assert all(f"| `{row['word']}` |" in found for row in test["hardest_words"])


@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_the_python_programs_of_a_card_run(name):
    programs = re.findall(r"```python\n(.*?)```", text(name), re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        assert len([line for line in program.splitlines() if line]) <= 5
        run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert run.stdout.strip()
    assert set(re.findall(r"^(?:from|import) (\w+)", programs[1], re.MULTILINE)) == {"numpy", "ai_edge_litert"}
