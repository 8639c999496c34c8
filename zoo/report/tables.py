"""Results as tables on the terminal. Each function takes a console and the document that `--json` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Document = Mapping[str, Any]


def _table(title: str, *columns: str) -> Table:
    """A plain table whose first column is text and whose others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    return table


def _number(value: Any, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _interval(bounds: Sequence[float]) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def presets(console: Console, rows: Sequence[Document]) -> None:
    """Presets, a row each."""
    table = _table("", "preset", "parameters", "test macro-F1", "what it is")
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    for row in rows:
        table.add_row(row["preset"], _number(row["parameters"]), _number(row["macro_f1"]), row["description"])
    console.print(table)


def document(console: Console, content: Document) -> None:
    """Any document, nested keys as a path."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _flat(content):
        table.add_row(name, value)
    console.print(table)


def _flat(content: Document, above: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, Mapping) and value and any(isinstance(v, Mapping) for v in value.values()):
            rows += _flat(value, f"{above}{name}.")
        elif isinstance(value, Mapping):
            rows.append((above + name, "  ".join(f"{k} {_plain(v)}" for k, v in value.items()) or "none"))
        else:
            rows.append((above + name, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def training(console: Console, summary: Document) -> None:
    """What a training came to."""
    console.print(
        f"{summary['parameters']:,} parameters, {summary['train_windows']:,} windows, {summary['epochs']} epochs in "
        f"{summary['seconds']:.1f} s, weights of epoch {summary['best_epoch']}",
        highlight=False,
    )
    found = summary["validation"]
    if found is None:
        console.print("no validation: probabilities are not calibrated", highlight=False)
        return
    by_subject = found["by"] == "subject"
    who = f"subjects {', '.join(found['subjects'])}" if by_subject else "random windows, which claim too much"
    console.print(
        f"validation: macro-F1 {found['macro_f1']:.3f}, accuracy {found['accuracy']:.3f}, calibration error "
        f"{found['ece']['before']:.3f} before and {found['ece']['after']:.3f} after scaling by temperature "
        f"{found['ece']['temperature']:.2f} ({found['windows']:,} windows; {who})",
        highlight=False,
    )


def evaluation(console: Console, report: Document) -> None:
    """All tables of one evaluation."""
    simulated = ", SIMULATED" if report["simulated"] else ""
    people = len(report["per_subject"])
    over = f"95 % over {people} subjects" if people else f"95 % over {report['windows']} windows"
    table = _table(
        f"{report['model']} on {report['data']} ({report['split']}, split by {report['split_by']}{simulated})",
        "model", "accuracy", "macro-F1", over,
    )  # fmt: skip
    own = {"this model": report}
    for name, row in (own | dict(report.get("baselines", {}))).items():
        table.add_row(
            name.replace("_", " "), _number(row["accuracy"]), _number(row["macro_f1"]),
            # One person drawn again and again says nothing about others.
            "-" if people == 1 else _interval(row["macro_f1_interval"]), style="bold" if row is report else "",
        )  # fmt: skip
    console.print(table)
    _classes(console, report)
    _subjects(console, report)
    ece = report["ece"]
    console.print(
        f"\ncalibration error {ece['before']:.3f}, after temperature {ece['temperature']:.2f}: {ece['after']:.3f}; "
        f"{report['windows']:,} windows",
        highlight=False,
    )
    if report.get("robustness"):
        table = _table("\nrobustness", "disturbance", "macro-F1", "drop")
        for row in report["robustness"].values():
            table.add_row(row["meaning"], _number(row["macro_f1"]), _number(row["drop"]))
        console.print(table)
    for note in report["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False)


def _classes(console: Console, report: Document) -> None:
    confusion = _table("\nconfusion (rows: true)", "", *report["classes"])
    scores = _table("\nby class", "class", "windows", "precision", "recall", "F1")
    for name, row in zip(report["classes"], report["confusion"], strict=True):
        confusion.add_row(name, *(str(count) if count else "." for count in row))
        own = report["per_class"][name]
        scores.add_row(name, *(_number(own[key]) for key in ("windows", "precision", "recall", "f1")))
    console.print(confusion)
    console.print(scores)


def _subjects(console: Console, report: Document) -> None:
    if not report["per_subject"]:
        return
    table = _table("\nby subject", "subject", "windows", "accuracy", "macro-F1", "")
    for name, row in report["per_subject"].items():
        worst = name == report["worst_subject"]
        table.add_row(
            name,
            _number(row["windows"]),
            _number(row["accuracy"]),
            _number(row["macro_f1"]),
            "worst" if worst else "",
        )
    console.print(table)


def fold(record: Document) -> str:
    """One fold in one line."""
    return (
        f"subjects {', '.join(record['subjects'])}  seed {record['seed']}  macro-F1 {record['macro_f1']:.3f}  "
        f"{record['seconds']:.0f} s"
    )


def crossval(console: Console, result: Document) -> None:
    """Folds and their sum."""
    table = _table("cross-validation over groups of people", "subjects", "seed", "windows", "accuracy", "macro-F1")
    for fold in result["folds"]:
        table.add_row(
            ", ".join(fold["subjects"]), str(fold["seed"]), _number(fold["windows"]), _number(fold["accuracy"]),
            _number(fold["macro_f1"]),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"\nall windows: macro-F1 {result['macro_f1']:.3f} ({_interval(result['macro_f1_interval'])} over subjects), "
        f"accuracy {result['accuracy']:.3f}; deviation {result['group_deviation']:.3f} over groups, "
        f"{result['seed_deviation']:.3f} over seeds; worst group {result['worst_group']:.3f}, worst subject "
        f"{result['worst_subject']}; temperature {result['temperature']:.2f}",
        highlight=False,
    )


def predictions(console: Console, rows: Sequence[Document]) -> None:
    """A line a window."""
    true = bool(rows) and "true" in rows[0]
    timed = bool(rows) and rows[0]["time"] is not None
    table = _table("", "time" if timed else "window", "label", "probability", *(["true"] if true else []))
    table.columns[1].justify = "left"
    for row in rows:
        table.add_row(
            f"{row['time']:.2f}" if timed else str(row["window"]),
            row["label"],
            _number(row["probability"]),
            *([row["true"]] if true else []),
        )
    console.print(table)


def artefacts(console: Console, document: Document) -> None:
    """What was exported, and how near it is to Keras."""
    table = _table(
        f"artefacts in {document['folder']}, compared with Keras on {document['windows']} windows",
        "file", "kB", "largest error", "same label", "ms a window",
    )  # fmt: skip
    for row in document["artefacts"]:
        table.add_row(
            row["file"], f"{row['bytes'] / 1000:.1f}", f"{row['largest_error']:.1e}", f"{row['agreement']:.2%}",
            _number(row["milliseconds"]),
        )  # fmt: skip
    console.print(table)
