"""Results: plain data that knows its Markdown. The terminal prints `to_json()` with `--json`, else the Markdown.

What is not a result is said on standard error.
"""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console

from zoo.errors import printable

err = Console(stderr=True, markup=False, emoji=False, highlight=False)
"""Standard error. Text is printed as it is: names of files may look like markup."""


def say(text: str, style: str = "") -> None:
    """Prints one line on standard error. Only with a style is it broken: else it may hold a command to be copied."""
    err.print(printable(text), style=style or None, soft_wrap=not (style and err.is_terminal))


def warn(text: str) -> None:
    """Prints a warning of one line on standard error."""
    say(f"zoo: warning: {text}", style="yellow")


class Result:
    """What the results of public functions have in common.

    Attributes:
        warnings: What may be wrong, a sentence each; the terminal prints them on standard error.
        next: Where things are, and the command that comes next; likewise.
        failure: Why the command ends with status 1 although there is a result; empty where it does not.
    """

    warnings: Sequence[str] = ()
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
