"""A report in a folder: `report.md` and the same as `report.html`, pictures beside them."""

from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from zoo.files import whole_file
from zoo.report.cards.page import table
from zoo.report.figures import drawing

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
  img {{ max-width: 100%; height: auto; }}
  table {{ border-collapse: collapse; margin: 1rem 0; }}
  th, td {{ padding: .25rem .75rem; border-bottom: 1px solid #ddd; }}
</style>
{body}
</html>
"""


class Report:
    """Collects sections, tables and pictures, and writes them whole at the end.

    Args:
        folder: Where to.
        title: Of the page.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title
        self.parts = [f"# {title}"]

    def text(self, *paragraphs: str) -> None:
        """Adds paragraphs of Markdown."""
        self.parts += paragraphs

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Adds a table, its first column text and the others numbers."""
        self.parts.append(table(head, rows))

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Writes a picture and shows it."""
        drawing.save(figure, self.folder / name)
        self.parts.append(f"![{caption}]({name})")

    def write(self) -> Path:
        """Writes both files; gives the path of the page."""
        text = "\n\n".join(self.parts) + "\n"
        body = MarkdownIt("commonmark").enable("table").render(text)
        for name, content in (("report.md", text), ("report.html", _PAGE.format(title=self.title, body=body))):
            with whole_file(self.folder / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
        return self.folder / "report.html"
