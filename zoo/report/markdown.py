"""Markdown: its building blocks, and documents as pages, by templates of Jinja2 that lie next to their subjects.

The key of a number decides its name and its format. A template holds macros, each of which renders one kind of
document. Values are formatted as `show` does, which escapes what is Markdown in them; filters such as `count` give them
another form. Lines of a paragraph may be broken and indented anywhere: they are joined.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zoo.files import atomic_write

if TYPE_CHECKING:
    from jinja2 import Environment

Document = Mapping[str, Any]

_LABELS = {
    "cross_entropy": "cross-entropy", "f1": "F1", "kneser_ney": "Kneser-Ney", "macro_f1": "macro-F1",
    "macro_f1_interval": "95% interval", "max_activation_error": "sparsity error", "minirocket": "MiniRocket",
    "mse": "MSE per pixel", "r2": "R²", "top1": "top-1", "top5": "top-5", "top10": "top-10",
    "bytes": "kB", "milliseconds": "ms", "timed": "signature", "largest_error": "max error", "load_ms": "load ms",
    "median_ms": "median ms", "p99_ms": "99% ms", "process_mb": "MB", "activation_bytes": "live bytes",
    "multiply_adds": "multiply-adds", "seen.cross_entropy": "seen", "unseen.cross_entropy": "unseen",
    "rate_hz": "rate (Hz)", "rates_hz": "rates (Hz)", "dropped": "left out", "changed": "read, but changed",
    "written": "recordings written", "in_training": "test rows also in training",
    "test_overlaps_training": "test rows that overlap training rows", "most_frequent": "most frequent words",
    "text_rows": "rows of the text", "split_by": "split by", "other.recall": "recall of other",
    "near_duplicates": "nearly equal windows", "shared_rows": "windows that share rows",
    "group_deviation": "± groups", "seed_deviation": "± seeds", "gabor_share": "Gabor filters",
    "stairs_as_one": "macro-F1, stairs as one", "all_classes": "macro-F1 with other movements",
    "worst.accuracy": "worst accuracy", "worst.subject": "of subject",
    "difference.macro_f1": "behind", "difference.standard_error": "standard error", "difference.p": "p (Holm)",
    "difference.interval": "95% interval", "difference.worse": "better for",
}  # fmt: skip
_FORMATS = {
    "agreement": ".2%", "top1": ".2%", "top5": ".2%", "top10": ".2%",
    "probability": ".1%", "gabor_share": ".0%", "mse": ".5f", "perplexity": ".2f", "largest_error": ".1e",
    "max_activation_error": ".4f", "sparsity_weight": "g", "load_ms": ".1f", "process_mb": ".0f", "hours": ".2f",
    "drop": "+.3f",
}  # fmt: skip
_LONG = 40  # items of a list that are shown
_PACKAGE = Path(__file__).parents[1]
_OWN_LINE = re.compile(r"\||#+ |- |>|<|```")  # starts of lines that do not continue what is above them
_WHOLE_LINE = re.compile(r"\|.*\|$|#+ |<|```|>?$")  # lines that do not continue below


def label(key: str) -> str:
    """The name of a metric, a baseline or any other key, such as `random forest`."""
    return _LABELS.get(key, key.replace("_", " "))


def show(value: Any, key: str = "", form: str | None = None) -> str:
    r"""Formats a number, a text, a list or a mapping, as its key or `form` wants it. None is shown as `-`.

    Example:
        >>> show(0.5), show(0.5, "top1"), show(1234), show(None), show([0.5, 0.75], "macro_f1_interval"), show("*")
        ('0.500', '50.00%', '1,234', '-', '0.500 to 0.750', '\\*')
        >>> show([{"parts": [["sitting"], ["up", "down"]], "evidence": 20.0}], form=".0f")
        '(parts (sitting), (up, down), evidence 20)'
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{escape(name)} {show(item, form=form)}" for name, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        if key.endswith("interval"):
            return " to ".join(show(bound, form=form) for bound in value)
        more = f", ... ({len(value):,} in all)" if len(value) > _LONG else ""
        items = [show(item, key, form) for item in value[: _LONG if more else None]]
        nested = any(isinstance(item, Mapping | list | tuple) for item in value)
        return (", ".join(f"({item})" if nested else item for item in items) or "-") + more
    if not isinstance(value, int | float):
        return escape(value)
    if key == "bytes":
        return f"{value / 1000:.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:{form or _FORMATS.get(key, '.3f')}}"


def say(document: Document, *keys: str) -> str:
    """Formats numbers of a document for a sentence, such as `macro-F1 0.500, accuracy 0.250`."""
    return ", ".join(f"{label(key)} {show(document[key], key)}" for key in keys)


def span(rows: Sequence[Document], key: str) -> str:
    """Formats the range of a number in several documents: a single number if they do not differ as shown."""
    values = [row[key] for row in rows]
    return " to ".join(dict.fromkeys((show(min(values), key), show(max(values), key))))


def count(number: int, noun: str) -> str:
    """Formats a number with its noun, such as `1 seed`, `2,300 windows` and `2 patches`."""
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('tch') else 's'}"


def subjects(names: Sequence[str]) -> str:
    """Formats the names of people, such as `subjects 2, 5`."""
    return f"subject{'' if len(names) == 1 else 's'} {show(list(names))}"


def duration(seconds: float) -> str:
    """Formats a duration, such as `42 s`, `12 min` and `1 h 57 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def escape(value: Any) -> str:
    r"""Escapes text such as labels or paths for Markdown.

    Example:
        >>> print(escape("data_3.h5 *"), escape("__x"))
        data_3.h5 \* \_\_x
    """
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])|[*`<|\[\]\\]", r"\\\g<0>", str(value))


def code(value: str) -> str:
    """Formats a word or the name of a file as code."""
    return f"`{value}`" if "`" not in value else f"`` {value} ``"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> str:
    """Renders a table whose first `text` columns are text. The others are numbers, aligned to the right."""
    lines = [head, [*["---"] * text, *["---:"] * (len(head) - text)], *rows]
    cells = [[re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def columns(
    rows: Sequence[tuple[str, Document]], keys: Sequence[str], first: str = "", text: int = 0, constant: bool = True
) -> str:
    """Renders documents as a table with a row per document and a column per key that any of them has.

    A key is `name` or `name:format`, with dots for a key of an entry; the first `text` keys are text. Without
    `constant`, a column after the first in which all rows have the same value is left out.
    """
    pairs = [(key.partition(":")[0], key.partition(":")[2] or None) for key in keys]
    pairs = [(key, form) for key, form in pairs if any(_entry(row, key) is not None for _, row in rows)]
    if not constant and len(rows) > 1:
        values = [{repr(_entry(row, key)) for _, row in rows} for key, _ in pairs]
        pairs = [pair for pair, found in zip(pairs, values, strict=True) if pair == pairs[0] or len(found) > 1]
    cells = [(name, *(show(_entry(row, key), key, form) for key, form in pairs)) for name, row in rows]
    return table((first, *(label(key) for key, _ in pairs)), cells, text + 1)


def _entry(row: Document, key: str) -> Any:
    first, _, rest = key.partition(".")
    return _entry(row.get(first, {}), rest) if rest else row.get(key)


def records(rows: Sequence[Document], text: int = 1) -> str:
    """Renders flat documents as a table with a column per key."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[show(row.get(key), key) for key in keys] for row in rows]
    return table([label(key) for key in keys], cells, text) if keys else ""


def document(content: Document) -> str:
    """Renders any document as names and values, with nested keys joined by dots."""
    rows = [(f"**{escape(label(key))}**", show(value, form=".6g")) for key, value in _flat(content)]
    return table(("", ""), rows, text=2)


def _flat(content: Document, above: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in content.items():
        nested = isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values())
        rows += _flat(value, f"{above}{key}.") if nested else [(above + key, value)]
    return rows


def note(text: str, kind: str = "note") -> str:
    """Renders a note as a block quote."""
    return f"> {kind}: {prose(text)}"


def prose(text: str) -> str:
    """Escapes a sentence, except for the commands in it."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if number % 2 else escape(part) for number, part in enumerate(parts))


def page(*parts: str) -> str:
    """Joins headings, paragraphs and tables by blank lines. Empty parts are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip("\n"))


def write(path: Path, text: str) -> Path:
    """Writes a page atomically and returns its path."""
    with atomic_write(path) as temporary:
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return path


class Pages:
    """The macros of a template of the package, as functions that return Markdown; the template calls the `names`."""

    def __init__(self, template: str, **names: Any) -> None:
        self._template, self.names = template, names

    def macro(self, name: str) -> Callable[..., str]:
        """The function that renders a macro."""

        def render(*documents: Any, **more: Any) -> str:
            module = _environment().get_template(self._template).make_module(dict(self.names))
            return tidy(getattr(module, name)(*documents, **more))

        return render


def fill_in(template: str, **values: Any) -> str:
    """Renders a whole template of the package with values and functions by name."""
    return tidy(_environment().get_template(template).render(values))


@cache
def _environment() -> "Environment":
    # Help is shown without it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PACKAGE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        # With it, macros return what is not escaped again; `finalize` leaves nothing to escape for HTML.
        autoescape=True, finalize=_finalize,
    )  # fmt: skip
    functions: dict[str, Callable[..., str]] = {
        function.__name__: function
        for function in (show, count, code, label, say, span, duration, prose, records, subjects)
    }
    functions |= {"number": lambda value, form: show(value, form=form), "columns": _columns}
    # What they return is Markdown, which is not escaped again.
    marked: dict[str, Any] = {
        name: lambda *values, function=function, **options: Markup(function(*values, **options))
        for name, function in functions.items()
    }
    environment.filters |= marked
    environment.globals |= marked | {"methods": methods, "zip": zip}
    return environment


def _columns(rows: Any, keys: Sequence[str], first: str = "", text: int = 0, constant: bool = True) -> str:
    pairs = rows.items() if isinstance(rows, Mapping) else rows
    return columns([(_finalize(name), row) for name, row in pairs], keys, first, text, constant)


def methods(report: Mapping[str, Any], name: str = "this model") -> list[tuple[str, Any]]:
    """A model and its baselines by name, for a table."""
    baselines = report.get("baselines", {})
    return [(Markup(f"**{escape(name)}**"), report), *((label(key), row) for key, row in baselines.items())]


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else Markup(show(value))


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
