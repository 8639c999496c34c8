"""Options and report that the three parts share. The report is written to a folder, and shown in notebooks as well."""

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from zoo.files import write_json
from zoo.provenance import versions
from zoo.report import drawing, markdown
from zoo.report.screen import quiet

# Without what TensorFlow prints as it loads, and its advice to those who write a model.
with quiet("loading TensorFlow"):
    import_module("tensorflow")
    import_module("keras")
logging.getLogger("tensorflow").setLevel(logging.ERROR)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
  img {{ max-width: 100%; height: auto; }}
  img:not(:only-child) {{ width: 49%; min-width: 20rem; }}
  table {{ border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }}
  th, td {{ padding: .25rem .75rem; border-bottom: 1px solid #ddd; }}
  h2 {{ margin-top: 2.5rem; }}
  hr {{ border: 0; border-top: 1px solid #ddd; margin-top: 3rem; }}
  hr ~ p {{ color: #666; font-size: 14px; }}
  blockquote {{ margin: 0; padding: .1rem 1rem; border-left: .3rem solid #e65100; }}
  /* Figures are drawn on white: in the dark their lightness is turned around, and hues stay. */
  @media (prefers-color-scheme: dark) {{
    body {{ background: #121212; color: #e4e4e4; }}
    a {{ color: #4fc3b3; }}
    th, td, hr {{ border-color: #444; }}
    hr ~ p {{ color: #aaa; }}
    img:not([src*="patches"], [src*="features"], [src*="grid"], [src*="reconstruction"]) {{
      filter: invert(1) hue-rotate(180deg);
    }}
  }}
</style>
{body}
</html>
"""

_TRIAL = "> **A trial run of a few epochs**: its numbers are not results. Run it without `--quick`."


def options(description: str | None, data: str, out: str) -> argparse.Namespace:
    """Reads the options of a part: `data`, `out`, `quick`. A notebook has them in the variable COURSE_OPTIONS.

    Args:
        description: Of the part.
        data: Its file.
        out: Folder of its report.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(data), help="in the course's layout")
    parser.add_argument("--out", type=Path, default=Path(out), help="folder of the report")
    parser.add_argument("--quick", action="store_true", help="a trial run of a few epochs")
    found = parser.parse_args(_words())
    if not found.data.is_file():
        parser.error(f"{found.data}: no such file: name it with --data, or simulate one as README.md shows")
    return found


def _words() -> list[str]:
    return shlex.split(os.environ.get("COURSE_OPTIONS", "")) if _in_notebook() else sys.argv[1:]


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None


class Report:
    """Collects sections, tables and figures, and writes them at the end.

    In a notebook each is also shown as it comes.

    Args:
        folder: Where to.
        title: Of the page.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title
        # The numbers of a trial run are no results.
        self.parts = [f"# {title}", *([_TRIAL] if "--quick" in _words() else [])]
        self.numbers: dict[str, Any] = {}

    def text(self, *paragraphs: str) -> None:
        """Adds paragraphs of Markdown. A terminal shows the headings, to say how far it is."""
        self.parts += paragraphs
        for paragraph in paragraphs:
            if paragraph.startswith("#") and not _in_notebook():
                print(paragraph.lstrip("# "), file=sys.stderr)
        # The headings of sections are cells of a notebook already.
        _show("Markdown", "\n\n".join(each for each in paragraphs if not each.startswith("## ")))

    def headline(self, text: str) -> None:
        """Puts what was found above everything but the title and the mark of a trial run."""
        self.parts.insert(2 if _TRIAL in self.parts else 1, text)
        _show("Markdown", text)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Adds a table, its first column text and the others numbers."""
        self.text(markdown.table(head, rows))

    def figure(self, name: str, figure: Figure, caption: str, *, beside: bool = False) -> None:
        """Writes a figure and shows it, below the previous part or next to it."""
        drawing.save(figure, self.folder / name)
        before = f"{self.parts.pop()}\n" if beside else ""
        self.parts.append(f"{before}![{caption}]({name})")
        _show("Image", str(self.folder / name))

    def write(self) -> Path:
        """Writes `report.md`, `report.html` and `report.json` (the numbers), and returns the path of the page."""
        made = versions()
        command = shlex.join(["python", *sys.argv])
        self.parts += [
            "---",
            f"Made by `{command}` with pocket-zoo {made['pocket-zoo']}, TensorFlow {made['tensorflow']}, Keras "
            f"{made['keras']}, on {made['machine']}. All numbers: [report.json](report.json).",
        ]
        text = "\n\n".join(self.parts) + "\n"
        body = MarkdownIt("commonmark").enable("table").render(text)
        for name, content in (("report.md", text), ("report.html", _PAGE.format(title=self.title, body=body))):
            markdown.write(self.folder / name, content)
        write_json(self.folder / "report.json", {"command": command, "versions": made, **self.numbers})
        return self.folder / "report.html"


def _show(kind: str, content: str) -> None:
    if content and _in_notebook():
        from IPython import display

        display.display(getattr(display, kind)(content))
