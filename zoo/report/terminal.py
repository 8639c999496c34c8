"""Markdown on a terminal."""

import re
from collections.abc import Sequence
from itertools import dropwhile
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import BlockQuote, CodeBlock, Heading, Markdown, TableElement
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from zoo.report.screen import MARKS, marked

_THEME = Theme({
    "markdown.h1": "bold", "markdown.h2": "bold", "markdown.h3": "bold", "markdown.code": "none", "markdown.em": "cyan",
    "markdown.strong": "bold", "markdown.block_quote": "none", "markdown.link_url": "none",
})  # fmt: skip
_IMAGE = re.compile(r"(?:!\[[^\]]*\]\([^)]*\)[ \t]*)+\n*")
_GAP = 2  # blank columns between two columns of a table


def show(text: str, console: Console | None = None) -> None:
    """Prints Markdown without images: formatted on a terminal, unchanged in a pipe."""
    console = console or Console()
    if console.is_terminal:
        console.print(Page(text))
    else:
        console.file.write(_IMAGE.sub("", text).rstrip("\n") + "\n")


class Page:
    """Markdown as a Rich renderable."""

    def __init__(self, text: str) -> None:
        self.text = _IMAGE.sub("", text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lays the page out for the width of the console."""
        with console.use_theme(_THEME):
            # Rich starts a page with a blank line if it starts with a table.
            yield from dropwhile(lambda part: part.text == "\n", console.render(_Markdown(self.text), options))


class _Heading(Heading):
    LEVEL_ALIGN = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _Code(CodeBlock):
    # Indented lines without colors.
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Padding(Text(str(self.text).rstrip(), overflow="fold"), (0, 0, 0, 4))


class _Note(BlockQuote):
    """Paragraphs after the marks of their kinds."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        paragraphs: Any = self.elements
        for text in (paragraph.text for paragraph in paragraphs):
            kind, colon, _ = text.plain.partition(": ")
            is_kind = colon and kind in MARKS
            yield marked(text[len(kind) + 2 :] if is_kind else text, kind if is_kind else "note", console)


class _Table(TableElement):
    """A table without truncation: text and headers wrap, and columns that do not fit follow in another table."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        assert self.header is not None
        assert self.header.row is not None
        rows = [self.header.row, *(self.body.rows if self.body else ())]
        columns = list(zip(*([cell.content for cell in row.cells] for row in rows), strict=True))
        sizes = [_sizes(*column) for column in columns]
        text = max(1, next((place for place, (name, *_) in enumerate(columns) if name.justify == "right"), 1))
        if sum(least + _GAP for least, _ in sizes[: text + 1]) - _GAP > options.max_width:
            text = 1
        for place, part in enumerate(parts([least for least, _ in sizes], options.max_width, text)):
            yield from [""] if place else []
            yield _grid([columns[i] for i in part], widths([sizes[i] for i in part], options.max_width))


def _sizes(name: Text, *cells: Text) -> tuple[int, int]:
    """The least and the natural width of a column. Numbers are not wrapped."""
    longest = max((cell.cell_len for cell in cells), default=0)
    wrapped = [name] if name.justify == "right" else [name, *cells]
    word = max((len(word) for text in wrapped for word in text.plain.split()), default=0)
    return max(word, longest if name.justify == "right" else 0), max(longest, name.cell_len)


def _grid(columns: Sequence[Sequence[Text]], chosen: Sequence[int]) -> Table:
    named = any(name.plain for name, *_ in columns)
    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=named, header_style="bold")
    for (name, *_), width in zip(columns, chosen, strict=True):
        grid.add_column(name, width=width, justify=name.justify or "left", vertical="top", overflow="fold")
    for cells in list(zip(*columns, strict=True))[1:]:
        # A row whose first cell is bold is bold; another cell that is bold is good.
        bold = named and _is_bold(cells[0])
        good = [Text.assemble(cell, style="green") if named and not bold and _is_bold(cell) else cell for cell in cells]
        grid.add_row(*good, style="bold" if bold else "")
    return grid


def _is_bold(cell: Text) -> bool:
    return any(isinstance(span.style, Style) and span.style.bold for span in cell.spans)


def parts(least: Sequence[int], width: int, text: int = 1) -> list[list[int]]:
    """Splits columns of least widths into parts that fit a width; each part repeats the first `text` columns.

    Example:
        >>> parts([10, 6, 6, 6], 26), parts([10, 6, 6, 6], 40)
        ([[0, 1, 2], [0, 3]], [[0, 1, 2, 3]])
    """
    repeated = list(range(text))
    split = [repeated]
    for place in range(text, len(least)):
        together = [*split[-1], place]
        if split[-1] != repeated and sum(least[i] + _GAP for i in together) - _GAP > width:
            split.append([*repeated, place])
        else:
            split[-1] = together
    return split


def widths(columns: Sequence[tuple[int, int]], width: int) -> list[int]:
    """Fits columns, each with its least and its natural width, into a width by narrowing the widest first.

    Example:
        >>> widths([(5, 30), (4, 8)], 20)
        [10, 8]
    """
    fitted = [natural for _, natural in columns]
    while sum(fitted) + _GAP * (len(fitted) - 1) > width:
        wide = [place for place, (least, _) in enumerate(columns) if fitted[place] > least]
        # A word alone may be wider than the terminal: it is folded, which loses nothing.
        fitted[max(wide or range(len(fitted)), key=fitted.__getitem__)] -= 1
    return fitted


class _Markdown(Markdown):
    elements = Markdown.elements | {
        "heading_open": _Heading, "table_open": _Table, "blockquote_open": _Note, "fence": _Code, "code_block": _Code,
    }  # fmt: skip
