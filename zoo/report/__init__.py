"""Reports: Markdown and figures, rendered from the documents that `--json` prints.

Each task has in its folder a `report.md.j2`, whose macros render its documents, a `card.md.j2` with the parts of a card
that only it has, and a module `report` with `headline` and the constants of its tables. The terminal, the card and the
report show the same Markdown.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from zoo.families import task_named


def for_task(task: str, part: str = "report") -> ModuleType:
    """Returns the module that renders the results of a task, or another module in the folder of the task.

    Example:
        >>> for_task("text").TITLE
        'Language models'
    """
    return import_module(f"zoo.{task_named(task)}.{part}")


class Document(dict[str, Any]):
    """A result: a `dict` of JSON types, which is shown as Markdown.

    Args:
        content: What `--json` prints.
        render: Returns the Markdown.

    Example:
        >>> Document({"macro_f1": 0.9}, lambda found: f"macro-F1 {found['macro_f1']}")
        macro-F1 0.9
    """

    def __init__(self, content: Mapping[str, Any], render: Callable[[Mapping[str, Any]], str]) -> None:
        super().__init__(content)
        self._render = render

    def to_json(self) -> dict[str, Any]:
        """Returns the plain content."""
        return dict(self)

    def _repr_markdown_(self) -> str:
        return self._render(self)

    def __repr__(self) -> str:
        return self._repr_markdown_()
