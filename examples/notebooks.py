"""Makes notebooks, with their outputs, of guides and of the parts of the course, which are the only sources.

    python examples/notebooks.py NAME ...

`keras` makes `guides/keras.ipynb` of `docs/guides/keras.md`; data that the guide takes for granted comes from a script
next to the notebook, if there is one. A block with the name of a file as its title is written to that file; one whose
title begins with `needs` or `takes` is shown, but not run. What it writes goes to a new folder, so that it can be run
again. `part1` makes `course/part1.ipynb` of `course/part1.py`, in which `# %%` begins a cell and `# %% [markdown]` one
of text; its data is simulated. Each notebook runs in an empty folder, unless all its code is that of the stored one,
whose outputs are then kept; delete the stored one to run it again. Needs nbclient and ipykernel.
"""

import argparse
import ast
import base64
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
PAGES = HERE.parent / "docs" / "guides"
REPOSITORY = "https://github.com/pocket-zoo/pocket-zoo"
COLAB = REPOSITORY.replace("https://github.com", "https://colab.research.google.com/github")

GUIDES = {
    "recordings": "", "phone": "", "collect": "", "studies": "", "keras": "[tuning]", "networks": "[tuning]",
    "compare": "", "lstm": "", "probabilities": "", "tune": "[tuning]", "deploy": "", "c": "", "onnx": "[onnx]",
    "hub": "[hub]", "text": "", "photographs": "",
}  # fmt: skip
"""Guides with notebooks, and the extra that each needs."""

COURSE = {"part1": ("data1.h5", "patches"), "part2": ("data2.h5", "text"), "part3": ("data3.h5", "activity")}
"""Parts of the course, with the file that each reads and the kind of data that is simulated in its place."""

_INSTALL = """import importlib.util
import os
import tempfile

if importlib.util.find_spec("zoo") is None:
    %pip install --quiet "{requirement}"

# A new folder: the notebook can be run again, and files of yours are not in its way.
os.chdir(tempfile.mkdtemp(prefix="run-", dir="."))"""

_CLONE = f"""import importlib.util
from pathlib import Path

if importlib.util.find_spec("zoo") is None:
    !git clone --quiet --depth 1 {REPOSITORY}
    %cd pocket-zoo/examples/course
    %pip install --quiet ../.."""

_SIMULATE = """# A trial run on simulated data. For a full run, upload the file of the course, and leave out --quick.
%env COURSE_OPTIONS=--quick
from zoo import simulate

if not Path("{file}").is_file():
    simulate("{kind}", "{file}")"""

_PICTURES = """from pathlib import Path

from IPython.display import Image, display

for path in sorted(Path("{folder}").glob("*.png")):
    display(Image(path, width=480))"""

_LONGEST, _KEPT = 60, 30
"""Lines of the longest output that is kept, and of a longer one."""

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]*)\")?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def source(name: str) -> Path:
    """The file that a notebook is made of."""
    return HERE / "course" / f"{name}.py" if name in COURSE else PAGES / f"{name}.md"


def target(name: str) -> Path:
    """The file of a notebook."""
    return HERE / ("course" if name in COURSE else "guides") / f"{name}.ipynb"


def notebook(name: str) -> dict[str, Any]:
    """The notebook of a name, without outputs."""
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({COLAB}/blob/main/"
    first = f"{badge}{target(name).relative_to(HERE.parent)})"
    text = source(name).read_text(encoding="utf-8")
    cells = _of_script(name, first, text) if name in COURSE else _of_guide(name, first, text)
    cells = [cell for cell in cells if cell["source"]]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _of_guide(name: str, first: str, page: str) -> list[dict[str, Any]]:
    """The cells of a guide, those that make its data first; figures are shown after the cell that writes them."""
    extra = GUIDES[name]
    # The pictures of a guide are outputs of its notebook, or are on the site alone.
    page = re.sub(r"^!\[.*\n\n", "", page, flags=re.MULTILINE)
    requirement = f"pocket-zoo{extra} @ git+{REPOSITORY}" if extra else f"git+{REPOSITORY}"
    cells = [_cell("markdown", first), _cell("code", _INSTALL.format(requirement=requirement))]
    script = target(name).with_suffix(".py")
    if script.is_file():
        cells.append(_cell("code", _without_docstring(script.read_text(encoding="utf-8"))))
    place = 0
    for fence in _FENCE.finditer(page):
        language, title, text = fence.groups("")
        cells.append(_cell("markdown", _linked(page[place : fence.start()])))
        place = fence.end()
        if title.startswith(("needs ", "takes ")):
            cells.append(_cell("markdown", f"```{language}\n{text}```\n\n*Not run here: it {title}.*"))
            continue
        if title:
            cells.append(_cell("code", f"%%writefile {title}\n{text}"))
            continue
        if language not in ("bash", "python"):
            cells.append(_cell("markdown", fence[0]))
            continue
        # One command per cell, so that each is followed by what it prints.
        codes = [f"%%bash\n{line}" for line in re.split(r"(?<!\\)\n", text.strip())] if language == "bash" else [text]
        cells += [_cell("code", code) for code in codes]
        written = re.search(r"--figures (\w+)|\.figures\(\"(\w+)\"\)", text)
        if written:
            cells.append(_cell("code", _PICTURES.format(folder=written[1] or written[2])))
    return [*cells, _cell("markdown", _linked(page[place:]))]


def _of_script(name: str, first: str, script: str) -> list[dict[str, Any]]:
    """The cells of a script: its docstring, those that fetch it and its data, and its own."""
    file, kind = COURSE[name]
    cells = [
        _cell("markdown", f"{first}\n\n{ast.get_docstring(ast.parse(script))}"),
        _cell("code", _CLONE),
        _cell("code", _SIMULATE.format(file=file, kind=kind)),
    ]
    for marked, text in re.findall(r"^# %%( \[markdown\])?\n(.*?)(?=^# %%|\Z)", script, re.MULTILINE | re.DOTALL):
        if marked:
            cells.append(_cell("markdown", re.sub(r"^# ?", "", text.strip(), flags=re.MULTILINE)))
        else:
            # A notebook's cells have no docstring of the module.
            cells.append(_cell("code", text.replace("options(__doc__, ", "options(None, ")))
    return cells


def _without_docstring(script: str) -> str:
    """A script whose docstring is a comment."""
    docstring = ast.get_docstring(ast.parse(script), clean=False)
    return script.replace(f'"""{docstring}"""', f"# {docstring}", 1)


def run(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The notebook after a run of all its cells in a folder, without what it printed on standard error."""
    import nbformat
    from nbclient import NotebookClient

    # Commands of the notebook are those next to this Python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    node = nbformat.reads(json.dumps(document), as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(node, timeout=1800, resources={"metadata": {"path": str(folder)}}).execute()
    finished: dict[str, Any] = json.loads(nbformat.writes(node))  # type: ignore[no-untyped-call]
    for cell in finished["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"] = _outputs(cell["outputs"])
    finished["metadata"] = document["metadata"]
    return finished


def with_outputs(document: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any] | None:
    """A notebook with the outputs of a stored one; None if their code differs."""
    ours, theirs = ([cell for cell in each["cells"] if cell["cell_type"] == "code"] for each in (document, stored))
    if [cell["source"] for cell in ours] != [cell["source"] for cell in theirs]:
        return None
    for cell, known in zip(ours, theirs, strict=True):
        cell |= {"execution_count": known["execution_count"], "outputs": known["outputs"]}
    return document


def _outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs with what was printed as one text, without its colors."""
    printed = "".join("".join(output["text"]) for output in outputs if output.get("name") == "stdout")
    plain = re.sub(r" +$", "", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", printed), flags=re.MULTILINE)
    lines = [line for line in plain.splitlines(keepends=True) if not line.startswith(("INFO:", "WARNING:"))]
    if len(lines) > _LONGEST:
        lines = [*lines[:_KEPT], f"... {len(lines) - _KEPT} more lines\n"]
    text = {"name": "stdout", "output_type": "stream", "text": lines}
    shown = [output for output in outputs if output["output_type"] != "stream" and " at 0x" not in str(output)]
    for output in shown:
        if "image/png" in output.get("data", {}):
            output["data"]["image/png"] = _smaller(output["data"]["image/png"])
    return [*([text] if lines else []), *shown]


def _smaller(picture: str) -> str:
    """A PNG file in base64 with at most 256 colors, a quarter of its size; the background keeps its color."""
    colors = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")
    few = colors.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette, corner = few.getpalette("RGBA") or [], 4 * int(few.getpixel((0, 0)))
    few.putpalette([*palette[:corner], *colors.getpixel((0, 0)), *palette[corner + 4 :]], "RGBA")
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME", choices=[*GUIDES, *COURSE])
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE / "course"), os.environ.get("PYTHONPATH", "")])
    for name in options.names:
        document, path = notebook(name), target(name)
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"cells": []}
        made = with_outputs(document, stored)
        if made is None:
            with tempfile.TemporaryDirectory() as scratch:
                made = run(document, Path(scratch))
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
