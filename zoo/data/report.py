"""What data files contain, and how CSV files are read, by the template `report.md.j2`."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages

_READ = ("read_as", "axes", "gravity", "unit", "sign", "rotation", "rotation_unit", "time", "time_unit")
_FILE = ("file", "subjects", "activities", "rate_hz", "rows", "seconds", "gaps")
_SIZES = {"T": "rows per window", "C": "channels", "S": "pixels per side", "R": "rows"}
"""Sizes that no other fact tells, by their letter in a layout."""

_SHOWN = (
    "recordings", "subjects", "seconds", "patches", "photographs", "words", "most_frequent", "rates_hz", "rate_hz",
    "split_by", "leaks", "in_training", "test_overlaps_training", "text_rows", "rows_left_out", "flat_patches_refused",
    "written", "dropped", "simulated",
)  # fmt: skip
"""The facts in their order."""

_REPEATED = ("classes", "rate_hz", "simulated", "text_rows", "left_out_rows")
"""Attributes that a file repeats."""

_STATEMENTS = {name: f"{name.replace('_', ' ')} of the text" for name in ("validation_rows", "test_rows")}
"""Names of attributes that mean something else than the fact of the same name."""


def summary(files: Sequence[Document]) -> list[dict[str, Any]]:
    """Counts the files and rows of each way in which files were read."""
    kinds: dict[str, dict[str, Any]] = {}
    for file in files:
        kind = {name: file[name] for name in _READ if name in file}
        row = kinds.setdefault(str(kind), kind | {"files": 0, "rows": 0})
        row["files"] += 1
        row["rows"] += file["rows"]
    return list(kinds.values())


def facts(found: Document) -> dict[str, Any]:
    """The facts of a description by name."""
    facts = {"file": found["file"], "layout": found["layout"]}
    for name, part in found.get("parts", {}).items():
        name = "training" if name == "train" else name
        if "windows" in part:
            facts[f"{name} windows"] = part["windows"] and Markup(f"{part['windows']:,} ({md.show(part['classes'])})")
            facts[f"{name} subjects"] = part["subjects"]
        else:
            facts[f"{name} rows"] = part["rows"]
    # Where the rest could not be read, the sizes are all that is known.
    known = "simulated" in found
    facts |= {name: found["sizes"][size] for size, name in _SIZES.items() if size in found["sizes"] and known}
    facts |= {} if known else {"sizes": found["sizes"]}
    facts |= {md.label(key): _FORMATS.get(key, lambda value: value)(found[key]) for key in _SHOWN if key in found}
    facts |= {
        _STATEMENTS.get(key, md.label(key)): value for key, value in found["attributes"].items() if key not in _REPEATED
    }
    return facts if found["problems"] else facts | {"problems": "none"}


def _counts(counts: Mapping[str, int]) -> Markup:
    return Markup(", ".join(f"{md.escape(name)} ({count:,})" for name, count in counts.items()) or "nothing")


def _leaks(leaks: Document) -> str:
    return ", ".join(f"{md.label(name)} {md.show(value)}" for name, value in leaks.items() if value) or "none"


def _shares(found: Mapping[str, Any]) -> str:
    """Shares as split, and what they would have been with shuffled rows."""
    split, shuffled = (
        f"{share:.1%}" if isinstance(share, float) else f"{share['rows']:.1%}, contexts {share['contexts']:.1%}"
        for share in (found["as_split"], found["shuffled"])
    )
    return f"{split} (if all rows had been shuffled: {shuffled})"


_FORMATS = {"leaks": _leaks, "in_training": _shares, "test_overlaps_training": _shares, "dropped": _counts}

_pages = Pages(
    "data/report.md.j2", facts=facts, summary=summary, counts=_counts,
    columns=lambda files: [{key: file[key] for key in _FILE} for file in files],
)  # fmt: skip
description, dry_run = _pages.description, _pages.dry_run
