"""Notebooks: made from a guide or a part of the course alone, with the outputs of a run from the first cell on.

The code of a guide is run by `test_docs.py`, on the data that the first cells of its notebook make.
"""

import ast
import json
import runpy
from types import SimpleNamespace

import pytest
from running import ROOT


@pytest.fixture(scope="module")
def notebooks():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "notebooks.py")))


def test_each_notebook_is_that_of_its_source_with_a_badge_and_outputs(notebooks):
    # After a change: python examples/notebooks.py NAME
    names = {*notebooks.GUIDES, *notebooks.COURSE}
    assert {
        path.stem for folder in ("guides", "course") for path in (ROOT / "examples" / folder).glob("*.ipynb")
    } == names
    for name in names:
        path = notebooks.target(name)
        stored = json.loads(path.read_text(encoding="utf-8"))
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in stored["cells"]]
        made = [(cell["cell_type"], "".join(cell["source"])) for cell in notebooks.notebook(name)["cells"]]
        assert sources == made, name
        assert f"blob/main/examples/{path.parent.name}/{name}.ipynb" in sources[0][1]
        assert sum(bool(cell.get("outputs")) for cell in stored["cells"]) >= 2, name
        assert "Traceback" not in json.dumps(stored)


def test_the_notebook_of_a_part_has_the_code_of_its_script(notebooks):
    for name in notebooks.COURSE:
        script = notebooks.source(name).read_text(encoding="utf-8")
        cells = [cell for cell in notebooks.notebook(name)["cells"] if cell["cell_type"] == "code"]
        # Those that fetch the repository and the data are the notebook's own.
        code = "\n".join("".join(cell["source"]) for cell in cells[2:])
        module = ast.parse(script.replace("options(__doc__", "options(None"))
        assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(module.body[1:], []))


@pytest.mark.docs
def test_a_notebook_runs_again_and_beside_files_of_its_names(notebooks, tmp_path, monkeypatch):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    (tmp_path / "data3.h5").write_text("mine")
    for count in (1, 2):
        finished = notebooks.run(notebooks.notebook("studies"), tmp_path)
        assert "wisdm/1604" in json.dumps([cell.get("outputs") for cell in finished["cells"]])
        made = [file.stat().st_size for file in tmp_path.glob("run-*/data3.h5")]
        assert len(made) == count
        assert min(made) > 1000
    assert (tmp_path / "data3.h5").read_text() == "mine"
