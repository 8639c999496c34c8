"""Makes a notebook of each part: `# %%` begins a cell, `# %% [markdown]` one of text.

python examples/course/notebooks.py
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = "https://github.com/pocket-zoo/pocket-zoo"
COLAB = REPOSITORY.replace("https://github.com", "https://colab.research.google.com/github")


def notebook(name: str, script: str) -> dict[str, Any]:
    """The notebook of a script: a badge and its docstring first, then its cells.

    Args:
        name: Name of the part.
        script: Its text.
    """
    badge = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    colab = f"{badge}({COLAB}/blob/main/examples/course/{name}.ipynb)"
    install = "%cd pocket-zoo/examples/course\n%pip install --quiet ../.."
    first = f"On Colab, run this in a cell before all others:\n\n```\n!git clone --depth 1 {REPOSITORY}\n{install}\n```"
    docstring = ast.get_docstring(ast.parse(script)) or ""
    cells = [_cell("markdown", f"{colab}\n\n{docstring}\n\n{first}")]
    for kind, text in re.findall(r"^# %%( \[markdown\])?\n(.*?)(?=^# %%|\Z)", script, re.MULTILINE | re.DOTALL):
        if kind:
            cells.append(_cell("markdown", re.sub(r"^# ?", "", text.strip(), flags=re.MULTILINE)))
        else:
            # A notebook's cells have no docstring of the module.
            cells.append(_cell("code", text.strip().replace("options(__doc__, ", "options(None, ")))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, text: str) -> dict[str, Any]:
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True), **code}


if __name__ == "__main__":
    for path in sorted(HERE.glob("part*.py")):
        text = json.dumps(notebook(path.stem, path.read_text(encoding="utf-8")), indent=1) + "\n"
        path.with_suffix(".ipynb").write_text(text, encoding="utf-8")
