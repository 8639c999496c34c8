"""Results: plain data that knows its Markdown. The terminal prints `to_json()` with `--json`, else the Markdown.

What is not a result is said on standard error.
"""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zoo.errors import printable

err = Console(stderr=True, markup=False, emoji=False, highlight=False)
"""Standard error. Text is printed as it is: names of files may look like markup."""


MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "warning": ("!", "yellow"), "broken": ("✗", "red")}
"""Marks of messages on a terminal, with their colors, by the kind of message."""


def marked(text: str | Text, kind: str, console: Console) -> Table:
    """A message after the mark of its kind, broken between words."""
    mark, color = MARKS[kind]
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    plain = "x" if kind == "broken" else "-"
    grid.add_row(Text(plain if console.options.ascii_only and not mark.isascii() else mark, f"bold {color}"), text)
    return grid


def say(text: str, kind: str = "") -> None:
    """Prints one line on standard error. On a terminal, one of a kind has a mark; others may hold commands to copy."""
    text = printable(text)
    if kind and err.is_terminal:
        err.print(marked(Text(text), kind, err))
    else:
        err.print(text, soft_wrap=True)


def warn(text: str) -> None:
    """Prints a warning of one line on standard error."""
    say(text if err.is_terminal else f"zoo: warning: {text}", "warning")


def finish(written: str, then: str) -> None:
    """Prints on standard error where things are, and the command that comes next."""
    if not err.is_terminal:
        say("; ".join(part for part in (written, then and f"next: {then}") if part))
        return
    err.print()
    if written:
        say(written, "ok")
    if then:
        # A command is not broken: it is to be copied.
        err.print(Text.assemble("  next: ", (printable(then), "bold")), soft_wrap=True)


class Result:
    """What the results of public functions have in common.

    Attributes:
        warnings: What may be wrong, a sentence each; the terminal prints them on standard error.
        written: Where things are; likewise.
        next: The command that comes next; likewise.
        failure: Why the command ends with status 1 although there is a result; empty where it does not.
    """

    warnings: Sequence[str] = ()
    written: str = ""
    next: str = ""
    failure: str = ""
    _render: Callable[[Any], str]

    def to_json(self) -> Any:
        """Returns the result as JSON types, as `--json` prints it."""
        raise NotImplementedError

    def _repr_markdown_(self) -> str:
        return str(self._render(self.to_json()))

    def __repr__(self) -> str:
        return self._repr_markdown_()


class Document(Result, dict[str, Any]):
    """A result that is a `dict` of JSON types, which `render` turns into Markdown. `details` are those of `Result`.

    Example:
        >>> found = Document({"rate": 50.0}, lambda found: f"{found['rate']} Hz")
        >>> found["rate"], found
        (50.0, 50.0 Hz)
    """

    def __init__(self, content: dict[str, Any], render: Callable[[Any], str], **details: Any) -> None:
        super().__init__(content)
        self._render = render
        vars(self).update(details)

    def to_json(self) -> dict[str, Any]:
        """Returns the document."""
        return dict(self)


class Records(Result, list[Any]):
    """A result that is a `list`, such as of records. `document` is printed where it says more than the list."""

    def __init__(
        self, content: Sequence[Any], render: Callable[[Any], str], document: Any = None, **details: Any
    ) -> None:  # fmt: skip
        super().__init__(content)
        self._render, self._document = render, document
        vars(self).update(details)

    def to_json(self) -> Any:
        """Returns the document."""
        return list(self) if self._document is None else self._document
