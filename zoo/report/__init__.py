"""Reports: Markdown and figures, rendered from the documents that `--json` prints.

Each task has in its folder a `report.md.j2`, whose macros render its documents, a `card.md.j2` with the parts of a card
that only it has, and a module `report` with `headline` and the constants of its tables. The terminal, the card and the
report show the same Markdown.
"""

from importlib import import_module
from types import ModuleType

from zoo.families import task_named


def for_task(task: str, part: str = "report") -> ModuleType:
    """The module that renders the results of a task, or another module in the folder of the task."""
    return import_module(f"zoo.{task_named(task)}.{part}")
