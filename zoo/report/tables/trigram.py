"""Tables of language models: training, evaluation, answers."""

from collections.abc import Sequence

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def training(console: Console, summary: Document) -> None:
    """What a training came to."""
    console.print(
        f"{summary['parameters']:,} parameters, {summary['train_rows']:,} rows, {summary['epochs']} epochs in "
        f"{summary['seconds']:.1f} s, weights of epoch {summary['best_epoch']}",
        highlight=False,
    )
    found = summary["validation"]
    if found:
        console.print(
            f"validation: cross-entropy {found['cross_entropy']:.3f}, top-1 {found['top1']:.2%}", highlight=False
        )


def evaluation(console: Console, report: Document) -> None:
    """All tables of one evaluation."""
    simulated = ", SIMULATED" if report["simulated"] else ""
    shown = table(
        f"{report['model']} on {report['data']} ({report['split']}, {report['rows']:,} rows{simulated})",
        "model", "cross-entropy", "perplexity", "top-1", "top-5", "top-10", "seen", "unseen",
    )  # fmt: skip
    rows = {"this model": report} | dict(report.get("baselines", {}))
    for name, row in rows.items():
        shown.add_row(
            name.replace("_", " "), number(row["cross_entropy"]), number(row["perplexity"], 2),
            *(f"{row[key]:.2%}" for key in ("top1", "top5", "top10")),
            *("-" if row[key]["top1"] is None else f"{row[key]['top1']:.2%}" for key in ("seen", "unseen")),
            style="bold" if row is report else "",
        )  # fmt: skip
    console.print(shown)
    console.print(
        f"\nseen, unseen: top-1 after the {report['seen']['rows']:,} contexts that training has, and after the "
        f"{report['unseen']['rows']:,} that it has not",
        highlight=False,
    )
    if report["hardest_words"]:
        hardest = table(
            "\nhardest words, of those that follow at least 100 times", "word", "rows", "top-1", "said", "times"
        )
        for row in report["hardest_words"]:
            hardest.add_row(
                row["word"], number(row["rows"]), f"{row['top1']:.1%}", row["taken_for"], number(row["times"])
            )
        console.print(hardest)
    for note in report["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False)


def next_words(console: Console, found: Document) -> None:
    """Words after a context."""
    shown = table(" ".join(found["context"]) + " ...", "word", "probability")
    for row in found["next"]:
        shown.add_row(row["word"], f"{row['probability']:.2%}")
    console.print(shown)


def examples(console: Console, rows: Sequence[Document]) -> None:
    """Random rows of a file, a column each, the wanted word marked."""
    shown = table("five random test rows; * marks the word that followed", *(" ".join(r["context"]) for r in rows))
    for column in shown.columns:
        column.justify = "left"
    for place in range(max(len(row["next"]) for row in rows)):
        cells = []
        for row in rows:
            answer = row["next"][place]
            mark = "*" if answer["word"] == row["wanted"] else " "
            cells.append(f"{mark} {answer['word']} {answer['probability']:.1%}")
        shown.add_row(*cells)
    console.print(shown)
    for row in rows:
        if row["wanted"] not in [answer["word"] for answer in row["next"]]:
            console.print(f"not among them: {' '.join(row['context'])} {row['wanted']}", highlight=False)


def generated(console: Console, found: Document) -> None:
    """A text that was gone on with."""
    console.print(found["text"], highlight=False, markup=False)


def neighbors(console: Console, found: Document) -> None:
    """Near words."""
    shown = table(f"nearest to {found['word']}", "word", "cosine")
    for row in found["nearest"]:
        shown.add_row(row["word"], number(row["cosine"]))
    console.print(shown)
