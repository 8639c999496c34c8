"""Makes notebooks of guides, with their outputs. The guides in docs/guides are the only source.

    python examples/guides/notebooks.py [NAME ...]

needs nbclient and ipykernel, and runs each notebook in an empty folder, as a test does.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
REPOSITORY = "https://github.com/pocket-zoo/pocket-zoo"
COLAB = REPOSITORY.replace("https://github.com", "https://colab.research.google.com/github")

_INSTALL = f"""import importlib.util

if importlib.util.find_spec("zoo") is None:
    %pip install --quiet git+{REPOSITORY}"""
_BOOK = """# A text that stands in for yours.
from pathlib import Path

from zoo.data import grammar

Path("book.txt").write_text("\\n".join(grammar.sentences(2000, seed=0)))"""
_PHOTOGRAPHS = """# Photographs that stand in for yours: those of scikit-learn.
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

Path("photographs").mkdir(exist_ok=True)
for number, picture in enumerate(load_sample_images().images):
    for side in (0, 1):
        half = picture[:, 320 * side : 320 * (side + 1)]
        Image.fromarray(half).save(f"photographs/{number}{side}.png")"""

GUIDES = {"keras": "", "text": _BOOK, "photographs": _PHOTOGRAPHS, "probabilities": ""}
"""Guides with notebooks, and the code that makes what their reader has already."""

_LINES = 60
"""Lines of a long output that are kept."""

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]*)\")?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(name: str, page: str) -> dict[str, Any]:
    """The notebook of a guide, without outputs.

    Args:
        name: Name of the guide.
        page: Its text.
    """
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB}/blob/main/"
    cells = [_cell("markdown", f"{badge}examples/guides/{name}.ipynb)"), _cell("code", _INSTALL)]
    if GUIDES[name]:
        cells.append(_cell("code", GUIDES[name]))
    place = 0
    for fence in _FENCE.finditer(page):
        language, title, text = fence.groups()
        cells.append(_cell("markdown", _linked(page[place : fence.start()])))
        place = fence.end()
        if title or language not in ("bash", "python"):
            cells.append(_cell("markdown", fence[0]))
        else:
            cells.append(_cell("code", f"%%bash -e\n{text}" if language == "bash" else text))
    cells.append(_cell("markdown", _linked(page[place:])))
    cells = [cell for cell in cells if cell["source"]]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def run(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook after a run of all its cells in a folder, without what it printed on standard error."""
    import nbformat
    from nbclient import NotebookClient

    # Commands of the notebook are those next to this Python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    node = nbformat.reads(json.dumps(document), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(node, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    finished: dict[str, Any] = json.loads(nbformat.writes(node))  # type: ignore[no-untyped-call]
    for cell in finished["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"] = _outputs(cell["outputs"])
    finished["metadata"] = document["metadata"]
    return finished


def _outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs with what was printed as one text, without its colors."""
    printed = "".join("".join(output["text"]) for output in outputs if output.get("name") == "stdout")
    plain = re.sub(r" +$", "", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", printed), flags=re.MULTILINE)
    lines = [line for line in plain.splitlines(keepends=True) if not line.startswith(("INFO:", "WARNING:"))]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"... {len(lines) - _LINES} more lines\n"]
    text = {"name": "stdout", "output_type": "stream", "text": lines}
    shown = (output for output in outputs if output["output_type"] != "stream" and " at 0x" not in str(output))
    return [*([text] if lines else []), *shown]


def _linked(text: str) -> str:
    """Markdown whose links to other pages lead to the repository."""
    return re.sub(r"\]\((?!https?:|#)([^)]*)", lambda found: f"]({_address(found[1])}", text.strip())


def _address(target: str) -> str:
    path = os.path.normpath(f"docs/guides/{target.partition('#')[0]}")
    anchor = target.partition("#")[2]
    return f"{REPOSITORY}/blob/main/{path}" + (f"#{anchor}" if anchor else "")


def _cell(kind: str, text: str) -> dict[str, Any]:
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text.strip().splitlines(keepends=True), **code}


if __name__ == "__main__":
    for each in sys.argv[1:] or GUIDES:
        made = notebook(each, (DOCS / "guides" / f"{each}.md").read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as scratch:
            made = run(made, Path(scratch))
        (HERE / f"{each}.ipynb").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
