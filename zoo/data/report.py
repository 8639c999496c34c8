"""What data files contain, and how CSV files were read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zoo.report import markdown as md
from zoo.report.markdown import Document

_READ = (
    "read_as", "axes", "gravity", "unit", "sign", "rotation", "rotation_unit", "time", "time_unit",
)  # fmt: skip
_FILE = ("file", "subjects", "activities", "rate_hz", "rows", "seconds", "gaps")
_SIZES: Mapping[str, Mapping[str, str]] = {
    "activity": {
        "N": "training windows", "M": "test windows", "T": "rows per window", "C": "channels",
    },
    "text": {"N": "training rows", "M": "validation rows", "L": "test rows", "V": "words"},
    "patches": {"N": "patches", "S": "pixels per side", "P": "photographs"},
    "recordings": {"M": "recordings", "R": "rows"},
}  # fmt: skip
"""What the letters of a layout count."""

_PARTS = {"train": "training", "validation": "validation", "test": "test"}


def description(found: Document) -> str:
    """Renders what a file contains: one row per fact, then how it was read, its studies and its problems.

    Args:
        found: Result of `zoo.data.describe.describe`, and what the command that wrote the file counted.
    """
    read = md.records(found.get("read", ()), text=8)
    problems = _list("Problems", found["problems"])
    return md.page(md.facts(_facts(found)), read, _studies(found), problems, *map(md.note, found.get("notes", ())))


def dry_run(found: Document) -> str:
    """Renders how CSV files would be read, what is in each, and what is wrong with those that would be refused."""
    counts = {"recordings": md.show(found["recordings"]), "left out": _counts(found["dropped"])}
    return md.page(
        md.records(summary(found["files"]), text=8),
        md.records([{key: row[key] for key in _FILE} for row in found["files"]], text=3),
        md.facts(counts | ({} if found["problems"] else {"problems": "none"})),
        _list("Problems", found["problems"]),
    )


def summary(files: Sequence[Document]) -> list[dict[str, Any]]:
    """Counts the files and rows of each way in which files were read."""
    kinds: dict[str, dict[str, Any]] = {}
    for file in files:
        kind = {name: file[name] for name in _READ if name in file}
        row = kinds.setdefault(str(kind), kind | {"files": 0, "rows": 0})
        row["files"] += 1
        row["rows"] += file["rows"]
    return list(kinds.values())


def _facts(found: Document) -> dict[str, str]:
    names = _SIZES.get(found["layout"], {})
    facts = {"file": md.escape(found["file"]), "layout": found["layout"]}
    facts |= {name: md.show(found["sizes"][size]) for size, name in names.items() if size in found["sizes"]}
    for name, part in found.get("parts", {}).items():
        facts |= _part(_PARTS[name], part)
    facts |= {md.label(key): show(found[key]) for key, show in _SHOWN.items() if key in found}
    stated = {name: value for name, value in found["attributes"].items() if name not in _STATED}
    facts |= {_STATEMENTS.get(name, md.label(name)): md.show(value, form="g") for name, value in stated.items()}
    return facts if found["problems"] else facts | {"problems": "none"}


def _part(name: str, part: Document) -> dict[str, str]:
    if "windows" not in part:
        return {f"{name} rows": md.show(part["rows"])}
    return {
        f"{name} windows": f"{part['windows']:,} ({md.show(part['classes'])})" if part["windows"] else "0",
        f"{name} subjects": md.show(part["subjects"]),
    }


def _counts(counts: Mapping[str, int]) -> str:
    """Counts by reason or name.

    Example:
        >>> _counts({"gaps": 2}), _counts({})
        ('gaps (2)', 'nothing')
    """
    return ", ".join(f"{md.escape(name)} ({count:,})" for name, count in counts.items()) or "nothing"


def _leaks(leaks: Document) -> str:
    return ", ".join(f"{md.label(name)} {md.show(value)}" for name, value in leaks.items() if value) or "none"


def _shares(found: Mapping[str, Any]) -> str:
    """Shares as split, and what they would have been with shuffled rows."""
    texts = [
        f"{share:.1%}" if isinstance(share, float) else f"{share['rows']:.1%}, contexts {share['contexts']:.1%}"
        for share in (found["as_split"], found["shuffled"])
    ]
    return f"{texts[0]} (if all rows had been shuffled: {texts[1]})"


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "recordings": md.show, "subjects": md.show, "seconds": lambda seconds: md.show(seconds, form=".6g"),
    "patches": md.show, "photographs": md.show,
    "words": md.show, "most_frequent": md.show, "rates_hz": lambda rates: md.show(rates, form="g"),
    "rate_hz": lambda rate: md.show(rate, form="g"), "split_by": md.show, "leaks": _leaks, "in_training": _shares,
    "test_overlaps_training": _shares, "text_rows": md.show, "rows_left_out": md.show, "flat_patches_refused": md.show,
    "written": md.show, "dropped": _counts, "simulated": md.show,
}  # fmt: skip
"""The facts in their order, and what formats each."""

_STATED = ("classes", "rate_hz", "simulated", "text_rows", "left_out_rows")
"""Attributes that a file repeats."""


_STATEMENTS = {name: f"{name.replace('_', ' ')} of the text" for name in ("validation_rows", "test_rows")}
"""Names of attributes that mean something else than the fact of the same name."""


def _studies(found: Document) -> str:
    amount = "windows" if "parts" in found else "seconds"
    studies = found.get("studies", {})
    labels = sorted({label for row in studies.values() for label in row[amount]})
    rows = [
        {"study": name, "people": row["people"],
         **{label: md.show(row[amount].get(label), form=".1f") for label in labels},
         "Hz": " to ".join(f"{rate:g}" for rate in dict.fromkeys(row["rate_hz"])),
         "tilt": ", ".join(map(str, row["tilt_deg"] or ())) or None,
         "steps/s": md.show(row["cadence_hz"], form=".2f")}
        for name, row in studies.items()
    ]  # fmt: skip
    note = (
        f"{amount.capitalize()} per class and rates. For walking: the tilt, which is the angle in "
        "degrees between the y axis of the phone and up (10th, 50th and 90th percentiles), and the median cadence."
    )
    return md.section("Studies", md.records(rows), note if studies else "")


def _list(heading: str, lines: Sequence[str]) -> str:
    return md.section(heading, "\n".join(f"- {md.prose(line)}" for line in lines))
