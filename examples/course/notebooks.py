"""Makes a notebook of each part: `# %%` begins a cell, `# %% [markdown]` one of text.

python examples/course/notebooks.py
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def notebook(script: str) -> dict[str, Any]:
    """The notebook of a script: its docstring first, then its cells.

    Args:
        script: Its text.
    """
    docstring = ast.get_docstring(ast.parse(script)) or ""
    cells = [_cell("markdown", docstring)]
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
        text = json.dumps(notebook(path.read_text(encoding="utf-8")), indent=1) + "\n"
        path.with_suffix(".ipynb").write_text(text, encoding="utf-8")
