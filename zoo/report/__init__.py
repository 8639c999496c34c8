"""Reports: Markdown and figures, rendered from the documents that `--json` prints.

One folder per task (`activity`, `patches`, `text`) renders documents as Markdown, with the same functions in
each: `training`, `evaluation`, `predictions`, `headline`, `interface`, and `card`, which returns the sections that
`zoo.report.card` adds to those of all tasks. `RESULTS` are the columns of the task's table of presets, and `EXAMPLE` is
what one example of its data is called. The terminal, the card and the report show the same Markdown.
"""

from importlib import import_module
from types import ModuleType

from zoo.families import task_named


def for_task(task: str) -> ModuleType:
    """Returns the module that renders the results of a task.

    Example:
        >>> for_task("text").TITLE
        'Language models'
    """
    return import_module(f"zoo.{task_named(task)}.report")


def figures_for(task: str) -> ModuleType:
    """Returns the module that draws the results of a task."""
    return import_module(f"zoo.{task_named(task)}.figures")
