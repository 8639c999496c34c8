"""Tables of all families: presets, training, artefacts."""

from collections.abc import Sequence

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def presets(console: Console, rows: Sequence[Document]) -> None:
    """Presets, a row each."""
    shown = table("", "preset", "parameters", "measured on test data", "beside it")
    for column in shown.columns[2:]:
        column.justify, column.no_wrap = "left", False
    for row in rows:
        shown.add_row(row["preset"], number(row["parameters"]), row["measured"] or "-", row["beside"] or "-")
    console.print(shown)


def artefacts(console: Console, document: Document) -> None:
    """What was exported, and how near it is to Keras."""
    records = document["artefacts"]
    scores = [name for name in ("r2", "cross_entropy", "accuracy", "macro_f1") if name in records[0]]
    agreement = any(row["agreement"] is not None for row in records)
    shown = table(
        f"artefacts in {document['folder']}, compared with Keras on {records[0]['rows']:,} rows of "
        f"{document['compared_on']}",
        "file", "kB", "largest error", *(["same answer"] if agreement else []), *scores, "ms a row",
    )  # fmt: skip
    for row in records:
        same = [] if not agreement else ["-" if row["agreement"] is None else f"{row['agreement']:.2%}"]
        shown.add_row(
            row["file"], f"{row['bytes'] / 1000:.1f}", f"{row['largest_error']:.1e}", *same,
            *(number(row[name], 4) for name in scores), number(row["milliseconds"]),
        )  # fmt: skip
    console.print(shown)
