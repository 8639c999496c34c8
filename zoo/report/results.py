"""Results of all presets, from their `metrics.json`, and tables of exported files and benchmarks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.catalog import preset_metrics, preset_names
from zoo.families import FAMILIES, task_named, unknown_family
from zoo.files import flatten
from zoo.presets import PRESETS
from zoo.report import card, for_task
from zoo.report.markdown import Document
from zoo.report.pages import Pages

_LEFT_OUT = {"baselines", "orientations", "frequencies"}


def presets(families: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns a row per preset of the families with these prefixes, or of all families.

    Each has the score of its `test` as text (`measured`), and size and time of its smallest TFLite file. What was not
    measured is None.
    """
    for wanted in families:
        if not wanted or not any(name.startswith(wanted) for name in FAMILIES):
            raise unknown_family(wanted)
    return [_preset(name) for name, row in PRESETS.items() if not families or row.family.startswith(tuple(families))]


def _preset(name: str) -> dict[str, Any]:
    preset = PRESETS[name]
    metrics = preset_metrics(name) if name in preset_names() else {}
    kind, test = task_named(metrics.get("kind")), metrics.get("test", {})
    measured, baseline = for_task(str(kind)).headline(test) if metrics else (None, None)
    small: Document = card.smallest(metrics) if metrics else {}
    return {
        "preset": name, "family": preset.family, "kind": kind, "description": preset.description,
        "license": preset.license, "parameters": metrics.get("training", {}).get("parameters"), "measured": measured,
        "baseline": baseline, "score": test[for_task(str(kind)).SCORE] if metrics else None,
        **{key: small.get(key) for key in ("file", "bytes", "milliseconds", "timed")}, "test": numbers(test),
        "artifacts": metrics.get("artifacts", []),
    }  # fmt: skip


def numbers(document: Document) -> dict[str, float]:
    """Returns the numbers of a document, such as `ece.before`, without lists and baselines."""
    return {
        key: value
        for key, value in flatten(document).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and _LEFT_OUT.isdisjoint(key.split("."))
    }


def _folders(rows: Sequence[Document]) -> dict[str, list[tuple[str, Document]]]:
    """Returns the files of a benchmark, with their names, by their folders."""
    folders: dict[str, list[tuple[str, Document]]] = {}
    for row in rows:
        path = Path(row["file"])
        folders.setdefault(path.parent.name, []).append((path.name, row))
    return folders


def _calls(files: Sequence[tuple[str, Document]]) -> list[tuple[str, Document]]:
    """Returns the signatures of files, with the names of the files."""
    return [
        (name, {"signature": signature, **cost})
        for name, row in files
        for signature, cost in row.get("signatures", {"window": row} if "median_ms" in row else {}).items()
    ]


_pages = Pages("report/results.md.j2", artifacts=card.artifacts, folders=_folders, calls=_calls)
preset_table, exported, costs, doctor = _pages.preset_table, _pages.exported, _pages.costs, _pages.doctor
