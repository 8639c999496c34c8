"""Results of all presets, from their `metrics.json`: rows, tables, a page and a CSV file."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.catalog import preset_metrics, preset_names
from zoo.errors import ZooError
from zoo.families import FAMILIES, task_named, unknown_family
from zoo.files import flatten
from zoo.presets import PRESETS
from zoo.report import card, for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document

_COSTS = ("bytes", "milliseconds")
_LEFT_OUT = {"baselines", "orientations", "frequencies"}


def presets(families: Sequence[str] = (), sort: str | None = None) -> list[dict[str, Any]]:
    """Returns a row per preset.

    Args:
        families: Names or prefixes of families, such as `activity`. All families if empty.
        sort: `name`, `parameters`, `bytes`, `milliseconds` or `score` (task by task, the best first). The order of
            `zoo.presets` by default.

    Returns:
        For each `preset`: `family`, `kind` (the task), `description`, `license`, `parameters`, `measured` and
        `baseline` (as text), `score`, `file`, `bytes`, `milliseconds` and `timed` of its smallest TFLite file, `test`
        (all numbers of the evaluation), and `artifacts`. Missing values are None.

    Raises:
        ZooError: If a family or a sort key is unknown.

    Example:
        >>> [row["preset"] for row in presets(["activity_gru"], sort="parameters")]
        ['activity_gru_tiny', 'activity_gru_course', 'activity_gru_pocket', 'activity_gru_phone']
    """
    return _sorted([_preset(name) for name in _chosen(families)], sort, ("name", "parameters", *_COSTS, "score"))


def artifacts(families: Sequence[str] = (), sort: str | None = None) -> list[dict[str, Any]]:
    """Returns a row per file of each preset.

    Args:
        families: The same as for `presets`.
        sort: `name`, `bytes`, `milliseconds` or `largest_error`. Grouped by preset by default.

    Returns:
        For each file: `preset`, `family`, `kind`, `parameters`, and its record in `metrics.json`: `file`, `format`,
        `bytes`, `milliseconds`, `timed`, `largest_error`, `agreement` and scores.

    Raises:
        ZooError: If a family or a sort key is unknown.
    """
    rows = [
        {key: row[key] for key in ("preset", "family", "kind", "parameters")} | dict(record)
        for row in map(_preset, _chosen(families))
        for record in row["artifacts"]
    ]
    return _sorted(rows, sort, ("name", *_COSTS, "largest_error"))


def _chosen(families: Sequence[str]) -> list[str]:
    for wanted in families:
        if not wanted or not any(name.startswith(wanted) for name in FAMILIES):
            raise unknown_family(wanted)
    return [name for name, row in PRESETS.items() if not families or row.family.startswith(tuple(families))]


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
    """Returns the numbers of a document, with nested keys joined by dots, without lists and baselines.

    Example:
        >>> numbers({"accuracy": 0.5, "ece": {"before": 0.25}, "classes": ["a"], "simulated": False})
        {'accuracy': 0.5, 'ece.before': 0.25}
    """
    return {
        key: value
        for key, value in flatten(document).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and _LEFT_OUT.isdisjoint(key.split("."))
    }


def _sorted(rows: list[dict[str, Any]], sort: str | None, known: Sequence[str]) -> list[dict[str, Any]]:
    if sort is None:
        return rows
    if sort not in known:
        raise ZooError(f"sort {sort!r}: expected {', '.join(known)}")
    column = "preset" if sort == "name" else sort
    measured = [row for row in rows if row[column] is not None]
    return sorted(measured, key=lambda row: _rank(row, column)) + [row for row in rows if row[column] is None]


def _rank(row: Document, column: str) -> Any:
    if column != "score":
        return row[column]
    return row["kind"], -row["score"] if for_task(row["kind"]).MAXIMIZE else row["score"]


def as_csv() -> str:
    """Renders all files of all presets with all numbers, and with those of the evaluation under `test.`, as CSV."""
    tests = {row["preset"]: {f"test.{key}": value for key, value in row["test"].items()} for row in presets()}
    rows = [row | tests[row["preset"]] for row in artifacts()]
    # Columns in the order of their first use.
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def preset_table(rows: Sequence[Document], cards: str | None = None) -> str:
    """Renders a table of presets.

    Args:
        rows: Result of `presets`.
        cards: Path of the folders with the cards, relative to the page that links to them. No links if None.
    """
    named = [
        (row["preset"] if cards is None else f"[{row['preset']}]({cards}{row['preset']}/card.md)",
         {**row, "test score": row["measured"]})
        for row in rows
    ]  # fmt: skip
    return md.page(
        md.columns(named, ("test score", "baseline", *card.SIZES), "preset", text=2),
        "kB: size of the smallest TFLite file. ms: time per call of that file from Python; for recognizers, a call "
        "reads one frame (one or a few rows), or a whole window if the recognizer has no state. In parentheses: 95% "
        "interval over subjects. Sparsity error: largest difference between the mean activation of a hidden unit and "
        "its target.",
    )


def everyone_table() -> str:
    """Renders the presets of several studies and their baselines, on the same people left out, study by study."""
    tests = {name: preset_metrics(name)["test"] for name, preset in PRESETS.items() if preset.everyone}
    methods = tests | {md.label(name): row for test in tests.values() for name, row in test["baselines"].items()}
    # Where a study knows one activity, the share of its windows that are recognized.
    rows = [
        (name, {**row, **{study: own["macro_f1"] or own["accuracy"] for study, own in row["per_study"].items()}})
        for name, row in sorted(methods.items(), key=lambda method: -method[1]["macro_f1"])
    ]
    studies = [f"{study}:.3f" for study in rows[0][1]["per_study"]]
    return md.columns(rows, ("macro_f1", "macro_f1_interval", *studies), "method")


def artifact_table(rows: Sequence[Document]) -> str:
    """Renders a table of files of presets."""
    scores = dict.fromkeys(score for row in rows for score in for_task(row["kind"]).FILE_SCORES)
    return card.artifacts(rows, list(scores))


def artifact_tables(rows: Sequence[Document]) -> str:
    """Renders a table of files for each preset, narrow enough for a terminal."""
    return md.page(*(
        md.section(preset, _files([row for row in rows if row["preset"] == preset]))
        for preset in dict.fromkeys(row["preset"] for row in rows)
    ))  # fmt: skip


def _files(records: Sequence[Document]) -> str:
    """Renders the files of one model, without what they share or what macro-F1 says as well."""
    scores = ("macro_f1", "r2", "cross_entropy", "top1")
    rows = [{key: value for key, value in row.items() if key != "preset"} for row in records]
    timed = {row["timed"] for row in rows if row["timed"] is not None}
    if len(timed) != 1:
        return card.artifacts(rows, scores)
    return md.page(
        card.artifacts([row | {"timed": None} for row in rows], scores), f"ms: time per call of {md.code(*timed)}."
    )


def results_page() -> str:
    """Renders the page of all results."""
    rows, files = [row for row in presets(sort="score") if row["kind"] is not None], artifacts()
    parts = [
        "# Results",
        "Every number comes from the `metrics.json` of a preset. It was measured on test data that was not used in "
        "training or, where the published weights were trained on everyone, by cross-validation. "
        "`python saved_models/make.py none` renders this page, the cards, and [results.csv](results.csv), which lists "
        "every file of every preset with all its numbers. `zoo list` shows the same in the terminal.",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own, task = [row for row in rows if row["kind"] == kind], for_task(kind)
        tests = [
            (f"[{row['preset']}]({row['preset']}/card.md)", {**row, **preset_metrics(row["preset"])["test"]})
            for row in own
        ]
        of_task = artifact_table([row for row in files if row["kind"] == kind])
        scores = md.columns(tests, (*task.RESULTS, "baseline", *card.SIZES), "preset")
        parts.append(md.section(task.TITLE, scores, md.section("Files", of_task, level=3)))
    return md.page(*parts) + "\n"


def exported(document: Document) -> str:
    """Renders exported files and their differences from Keras."""
    records = document["artifacts"]
    rows = md.count(max(row["rows"] for row in records), "row")
    return md.page(
        f"Artifacts in {md.escape(document['folder'])}, compared with Keras on {rows} of "
        f"{md.escape(document['compared_on'])}",
        _files(records),
        *(md.note(row["note"], row["file"]) for row in records if "note" in row),
    )


def costs(rows: Sequence[Document]) -> str:
    """Renders the benchmark of files and their signatures, folder by folder."""
    folders: dict[str, list[tuple[str, Document]]] = {}
    for row in rows:
        path = Path(row["file"])
        folders.setdefault(md.escape(path.parent.name), []).append((md.escape(path.name), row))
    return md.page(
        *(md.section(folder or "Files", _costs(files)) for folder, files in folders.items()),
        "MB: peak memory of a new process that predicts one window, Python included. Times are per call, on one "
        "thread; live bytes are the most that is held between two operations.",
    )


def _costs(files: Sequence[tuple[str, Document]]) -> str:
    calls = [
        (name, {"signature": signature, **cost})
        for name, row in files
        for signature, cost in row.get("signatures", {"window": row} if "median_ms" in row else {}).items()
    ]
    return md.page(
        md.columns(files, ("bytes", "load_ms", "process_mb"), "file"),
        md.columns(calls, ("signature", "median_ms", "p99_ms", "multiply_adds", "activation_bytes"), "file", text=1),
        *(md.note(row["error"], f"{name} fails") for name, row in files if "error" in row),
    )
