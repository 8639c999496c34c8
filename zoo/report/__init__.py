"""Results as people read them: Markdown and figures, made from the documents that `--json` prints.

A module a task (`activity`, `autoencoder`, `trigram`) turns documents into Markdown, under the same names in each:
`training`, `evaluation`, `predictions`, `card`, `headline`, `results`. The terminal, the card and the report show the
same Markdown.
"""

from importlib import import_module
from types import ModuleType


def for_task(task: str) -> ModuleType:
    """The module that reports a task's results.

    Example:
        >>> for_task("trigram").TITLE
        'Language models'
    """
    return import_module(f"zoo.report.{task}")


def figures_for(task: str) -> ModuleType:
    """The module that draws a task's results."""
    return import_module(f"zoo.report.figures.{task}")
