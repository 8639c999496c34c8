"""Notebooks of guides: made from the guide alone, with the outputs of a run, and to be run from the first cell on."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "guides"


@pytest.fixture(scope="module")
def notebooks():
    """The module that makes them."""
    spec = importlib.util.spec_from_file_location("guide_notebooks", FOLDER / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(notebooks, name):
    return notebooks.notebook(name, (ROOT / "docs" / "guides" / f"{name}.md").read_text(encoding="utf-8"))


def test_each_notebook_is_that_of_its_guide_with_a_badge_and_outputs(notebooks):
    # After a change: python examples/guides/notebooks.py NAME
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(notebooks.GUIDES)
    for name in notebooks.GUIDES:
        stored = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in stored["cells"]]
        assert sources == [(cell["cell_type"], "".join(cell["source"])) for cell in made(notebooks, name)["cells"]]
        assert f"blob/main/examples/guides/{name}.ipynb" in sources[0][1]
        assert sum(bool(cell.get("outputs")) for cell in stored["cells"]) >= 3
        assert "Traceback" not in json.dumps(stored)


@pytest.mark.docs
def test_a_notebook_runs_from_its_first_cell_to_its_last(notebooks, tmp_path, monkeypatch):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    finished = notebooks.run(made(notebooks, "text"), tmp_path)
    shown = json.dumps([cell.get("outputs") for cell in finished["cells"]])
    assert "Kneser-Ney" in shown
    assert (tmp_path / "words.files" / "model.dynamic.tflite").is_file()
