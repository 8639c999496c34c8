"""Tables of all families: presets, training, artifacts."""

from collections.abc import Sequence

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def presets(console: Console, rows: Sequence[Document]) -> None:
    """Presets, a row each."""
    shown = table("", "preset", "parameters", "kB", "ms", "measured on test data", "beside it")
    for column in shown.columns[4:]:
        column.justify, column.no_wrap = "left", False
    for row in rows:
        shown.add_row(
            row["preset"], number(row["parameters"]), _kilobytes(row), number(row["milliseconds"]),
            row["measured"] or "-", row["beside"] or "-",
        )  # fmt: skip
    console.print(shown)
    console.print("kB, ms: of the smallest TFLite file, and of one call of it", style="dim", highlight=False)


def artifact_list(console: Console, rows: Sequence[Document]) -> None:
    """Files of presets, a row each."""
    scores = [name for name in ("macro_f1", "r2", "cross_entropy") if any(name in row for row in rows)]
    shown = table("", "preset", "file", "kB", "ms", "largest error", "same answer", *scores)
    shown.columns[1].justify = "left"
    for row in rows:
        same = "-" if row["agreement"] is None else f"{row['agreement']:.2%}"
        shown.add_row(
            row["preset"], row["file"], _kilobytes(row), number(row["milliseconds"]), f"{row['largest_error']:.1e}",
            same, *(number(row.get(name), 4) for name in scores),
        )  # fmt: skip
    console.print(shown)


def _kilobytes(row: Document) -> str:
    return "-" if row["bytes"] is None else f"{row['bytes'] / 1000:.1f}"


def artifacts(console: Console, document: Document) -> None:
    """What was exported, and how near it is to Keras."""
    records = document["artifacts"]
    scores = [name for name in ("r2", "cross_entropy", "accuracy", "macro_f1") if name in records[0]]
    agreement = any(row["agreement"] is not None for row in records)
    shown = table(
        f"artifacts in {document['folder']}, compared with Keras on {records[0]['rows']:,} rows of "
        f"{document['compared_on']}",
        "file", "kB", "largest error", *(["same answer"] if agreement else []), *scores, "ms a row",
    )  # fmt: skip
    for row in records:
        same = [] if not agreement else ["-" if row["agreement"] is None else f"{row['agreement']:.2%}"]
        shown.add_row(
            row["file"], _kilobytes(row), f"{row['largest_error']:.1e}", *same,
            *(number(row[name], 4) for name in scores), number(row["milliseconds"]),
        )  # fmt: skip
    console.print(shown)
