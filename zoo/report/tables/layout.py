"""How tables look on the terminal, and any document as one."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Document = Mapping[str, Any]


def table(title: str, *columns: str) -> Table:
    """A plain table whose first column is text and whose others are numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(column, justify="right" if place else "left", no_wrap=True)
    return made


def number(value: Any, digits: int = 3) -> str:
    """A number for people; `-` for None."""
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def interval(bounds: Sequence[float]) -> str:
    """Two bounds for people."""
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def duration(seconds: float) -> str:
    """A time for people."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def document(console: Console, content: Document) -> None:
    """Any document, nested keys as a path."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in _flat(content):
        shown.add_row(name, value)
    console.print(shown)


def _flat(content: Document, above: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, Mapping) and value and any(isinstance(v, Mapping) for v in value.values()):
            rows += _flat(value, f"{above}{name}.")
        elif isinstance(value, Mapping):
            rows.append((above + name, "  ".join(f"{k} {_plain(v)}" for k, v in value.items()) or "none"))
        else:
            rows.append((above + name, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
