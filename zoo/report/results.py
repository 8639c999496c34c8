"""The results of all presets, read from their `metrics.json`: rows for the terminal, a page and a file of CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zoo.catalog import preset_metrics, preset_names, unknown_name
from zoo.errors import ZooError
from zoo.families import FAMILIES
from zoo.presets import PRESETS
from zoo.report.cards import headline
from zoo.report.cards.page import table

Row = Mapping[str, Any]

SCORES = {"activity": "macro_f1", "autoencoder": "mse", "trigram": "cross_entropy"}
"""What presets of a kind are compared by."""

_BEST_FIRST = {"macro_f1": -1, "mse": 1, "cross_entropy": 1}
_HEADINGS = {
    "activity": "Activity recognizers",
    "autoencoder": "Sparse autoencoders",
    "trigram": "Language models",
}


def presets(families: Sequence[str] = (), sort: str | None = None) -> list[dict[str, Any]]:
    """A row a preset.

    Args:
        families: Names of families, or how they begin, such as `activity`; all where empty.
        sort: `name`, `parameters`, `bytes`, `milliseconds` or `score` (kinds apart, the best first); in the order of
            `zoo.presets` without.

    Returns:
        Of each `preset`, `family`, `kind`, `description`, `license`, `parameters`, `measured` and `beside` (in words),
        `score` (its name is that of `SCORES`), `file`, `bytes` and `milliseconds` of its smallest TFLite file, and
        `test`, every number of the test part. What was not measured is None.

    Raises:
        ZooError: If a family or a way of sorting is unknown.

    Example:
        >>> [row["preset"] for row in presets(["activity_gru"], sort="parameters")]
        ['activity_gru_course', 'activity_gru_pocket']
    """
    return _sorted([_preset(name) for name in _chosen(families)], sort, ("name", "parameters", *_COSTS, "score"))


def artifacts(families: Sequence[str] = (), sort: str | None = None) -> list[dict[str, Any]]:
    """A row for each file of each preset.

    Args:
        families: As of `presets`.
        sort: `name`, `bytes`, `milliseconds` or `largest_error`; preset by preset without.

    Returns:
        Of each `preset`, `family`, `kind`, `parameters`, and the record of `metrics.json`: `file`, `format`, `bytes`,
        `milliseconds`, `timed`, `largest_error`, `agreement` and the file's own scores.

    Raises:
        ZooError: If a family or a way of sorting is unknown.
    """
    rows = [
        {key: row[key] for key in ("preset", "family", "kind", "parameters")} | dict(record)
        for row in map(_preset, _chosen(families))
        for record in row["artifacts"]
    ]
    return _sorted(rows, sort, ("name", *_COSTS, "largest_error"))


_COSTS = ("bytes", "milliseconds")


def _chosen(families: Sequence[str]) -> list[str]:
    for wanted in families:
        if not wanted or not any(name.startswith(wanted) for name in FAMILIES):
            raise unknown_name("family", wanted, list(FAMILIES))
    return [
        name for name, preset in PRESETS.items() if not families or preset.family.startswith(tuple(families))
    ]  # fmt: skip


def _preset(name: str) -> dict[str, Any]:
    preset = PRESETS[name]
    metrics = preset_metrics(name) if name in preset_names() else {}
    measured, beside = headline(metrics) if metrics else (None, None)
    files = [row for row in metrics.get("artifacts", []) if row["file"].endswith(".tflite") and row["milliseconds"]]
    small: Row = min(files, key=lambda row: row["bytes"], default={})
    test, kind = metrics.get("test", {}), metrics.get("kind")
    return {
        "preset": name, "family": preset.family, "kind": kind, "description": preset.description,
        "license": preset.license, "parameters": metrics.get("training", {}).get("parameters"), "measured": measured,
        "beside": beside, "score": test.get(SCORES.get(str(kind), "")), "file": small.get("file"),
        "bytes": small.get("bytes"), "milliseconds": small.get("milliseconds"), "test": numbers(test),
        "artifacts": metrics.get("artifacts", []),
    }  # fmt: skip


def numbers(document: Row, above: str = "") -> dict[str, float]:
    """The numbers of a document, keys below one another joined by a dot; lists and baselines left out.

    Example:
        >>> numbers({"accuracy": 0.5, "ece": {"before": 0.25}, "classes": ["a"], "simulated": False})
        {'accuracy': 0.5, 'ece.before': 0.25}
    """
    found: dict[str, float] = {}
    for key, value in document.items():
        if isinstance(value, Mapping) and key not in ("baselines", "orientations", "frequencies"):
            found |= numbers(value, f"{above}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[above + key] = value
    return found


def _sorted(rows: list[dict[str, Any]], sort: str | None, known: Sequence[str]) -> list[dict[str, Any]]:
    if sort is None:
        return rows
    if sort not in known:
        raise ZooError(f"sort {sort!r}: expected {', '.join(known)}")
    column = "preset" if sort == "name" else sort
    measured = [row for row in rows if row[column] is not None]
    return sorted(measured, key=lambda row: _rank(row, column)) + [row for row in rows if row[column] is None]


def _rank(row: Row, column: str) -> Any:
    if column != "score":
        return row[column]
    kinds = list(SCORES)
    return kinds.index(row["kind"]), _BEST_FIRST[SCORES[row["kind"]]] * row["score"]


def as_csv() -> str:
    """Every file of every preset with every number: of the file itself, and as `test.` of its preset on test data."""
    tests = {row["preset"]: {f"test.{key}": value for key, value in row["test"].items()} for row in presets()}
    rows = [row | tests[row["preset"]] for row in artifacts()]
    # Columns in the order in which they are first met.
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def page() -> str:
    """The page of all results, in Markdown."""
    parts = [
        "# Results\n",
        "Every number is one of the presets' `metrics.json`, measured on test data that no training saw; "
        "`python saved_models/make.py none` renders this page, the cards and [results.csv](results.csv), which holds "
        "every file of every preset with every number. `zoo list` shows the same on the terminal.\n",
    ]
    for kind, heading in _HEADINGS.items():
        parts += [f"## {heading}\n", _measured(kind), "", "### Their files\n", _files(kind), ""]
    return "\n".join(parts)


def _measured(kind: str) -> str:
    """The presets of a kind, the best first."""
    heads, cells = _COLUMNS[kind]
    lines = []
    for row in (row for row in presets(sort="score") if row["kind"] == kind):
        file = f"`{row['file']}`, {row['bytes'] / 1000:.1f} kB, {row['milliseconds']:.3f} ms"
        numbers_of = cells(preset_metrics(row["preset"])["test"])
        lines.append((f"[{row['preset']}]({row['preset']}/card.md)", file, f"{row['parameters']:,}", *numbers_of))
    return table(("preset", "smallest TFLite file", "parameters", *heads), lines, text=2)


def _recognition(test: Row) -> tuple[str, ...]:
    low, high = test["macro_f1_interval"]
    forest = test["baselines"]["random_forest"]["macro_f1"]
    return f"{test['accuracy']:.3f}", f"{test['macro_f1']:.3f}", f"{low:.3f} to {high:.3f}", f"{forest:.3f}"


def _reconstruction(test: Row) -> tuple[str, ...]:
    errors = (test["mse"], test["max_activation_error"], test["pca_mse"])
    return f"{test['r2']:.3f}", *(f"{value:.5f}" for value in errors)


def _language(test: Row) -> tuple[str, ...]:
    beside = test["baselines"]["kneser_ney"]["cross_entropy"]
    shares = (f"{test[key]:.2%}" for key in ("top1", "top5"))
    return f"{test['cross_entropy']:.3f}", f"{test['perplexity']:.2f}", *shares, f"{beside:.3f}"


_COLUMNS: Mapping[str, tuple[Sequence[str], Callable[[Row], tuple[str, ...]]]] = {
    "activity": (("accuracy", "macro-F1", "95 % over people", "macro-F1 of a random forest"), _recognition),
    "autoencoder": (("R^2", "error a pixel", "farthest unit", "error of PCA, not sparse"), _reconstruction),
    "trigram": (("cross-entropy", "perplexity", "top-1", "top-5", "cross-entropy of Kneser-Ney"), _language),
}
"""By kind, the headings of its numbers and how they are read from the test part."""


def _files(kind: str) -> str:
    rows = [row for row in artifacts() if row["kind"] == kind]
    scores = [name for name in ("accuracy", "macro_f1", "r2", "cross_entropy", "top1") if name in rows[0]]
    lines = [
        (
            row["preset"], f"`{row['file']}`", f"{row['bytes'] / 1000:.1f}", f"{row['largest_error']:.1e}",
            "-" if row["agreement"] is None else f"{row['agreement']:.2%}", *(f"{row[name]:.4f}" for name in scores),
            "-" if row["milliseconds"] is None else f"{row['milliseconds']:.3f}", row.get("timed") or "-",
        )
        for row in rows
    ]  # fmt: skip
    head = ("preset", "file", "kB", "largest error", "same answer", *(s.replace("_", " ") for s in scores), "ms", "of")
    return table(head, lines, text=2)
