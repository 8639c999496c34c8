"""Markdown from documents, by templates of Jinja2 that lie next to their subjects.

A template holds macros, each of which renders one kind of document. Values are formatted as `markdown.show` does, which
escapes what is Markdown in them; filters such as `count` give them another form. Lines of a paragraph may be broken
and indented anywhere: they are joined.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Undefined
from markupsafe import Markup

from zoo.report import markdown as md

_PACKAGE = Path(__file__).parents[1]
_OWN_LINE = re.compile(r"\||#+ |- |>|<|```")  # starts of lines that do not continue what is above them
_WHOLE_LINE = re.compile(r"\|.*\|$|#+ |<|```|>?$")  # lines that do not continue below


class Pages:
    """The macros of a template of the package, as functions that return Markdown. `names` are what the template calls.

    Example:
        >>> print(Pages("text/report.md.j2").predictions({"text": "in the right way", "added": []}))
        in the right way
    """

    def __init__(self, template: str, **names: Any) -> None:
        self._template, self.names = template, names

    def __getattr__(self, macro: str) -> Callable[..., str]:
        def render(*documents: Any, **more: Any) -> str:
            module = _environment().get_template(self._template).make_module(dict(self.names))
            return tidy(getattr(module, macro)(*documents, **more))

        return render


def fill_in(template: str, **values: Any) -> str:
    """Renders a whole template of the package with values and functions by name."""
    return tidy(_environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(_PACKAGE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        # With it, macros return what is not escaped again; `finalize` leaves nothing to escape for HTML.
        autoescape=True, finalize=_finalize,
    )  # fmt: skip
    functions: dict[str, Callable[..., str]] = {
        function.__name__: function
        for function in (
            md.show, md.count, md.code, md.label, md.say, md.span, md.duration, md.prose, md.records, md.subjects
        )
    }  # fmt: skip
    functions |= {"number": lambda value, form: md.show(value, form=form), "columns": _columns}
    # What they return is Markdown, which is not escaped again.
    marked: dict[str, Any] = {
        name: lambda *values, function=function, **options: Markup(function(*values, **options))
        for name, function in functions.items()
    }
    found.filters |= marked
    found.globals |= marked | {"methods": methods, "zip": zip}
    return found


def _columns(rows: Any, keys: Sequence[str], first: str = "", text: int = 0) -> str:
    pairs = rows.items() if isinstance(rows, Mapping) else rows
    return md.columns([(_finalize(name), row) for name, row in pairs], keys, first, text)


def methods(report: Mapping[str, Any], name: str = "this model") -> list[tuple[str, Any]]:
    """Returns a model and its baselines by name, for a table."""
    baselines = report.get("baselines", {})
    return [(Markup(f"**{md.escape(name)}**"), report), *((md.label(key), row) for key, row in baselines.items())]


def _finalize(value: Any) -> Any:
    if isinstance(value, Undefined):
        # An `if` without `else` renders as nothing; what is missing raises.
        return "" if str(value._undefined_message).startswith("the inline if-expression") else str(value)
    return value if isinstance(value, Markup) else Markup(md.show(value))


def tidy(text: str) -> str:
    r"""Joins the lines of a paragraph or of a row of a table, and leaves single blank lines. Code remains as it is.

    Example:
        >>> tidy("# Title\n\n\n   A line\nthat goes on.\n| a\n| b |\n")
        '# Title\n\nA line that goes on.\n| a | b |'
    """
    lines, fenced = [""], False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            line, above = " ".join(line.split()), lines[-1]
            row = above.startswith("|")
            if line and not _WHOLE_LINE.match(above) and (row or not _OWN_LINE.match(line)):
                lines[-1] = f"{above} {line}"
                continue
            if not line and not above:
                continue
        lines.append(line)
    return "\n".join(lines).strip("\n")
