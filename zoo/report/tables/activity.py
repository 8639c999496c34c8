"""Tables of recognizers: evaluation, cross-validation, predictions."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from zoo.report.tables.layout import Document, interval, number, table


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
    shown = table(
        f"{report['model']} on {report['data']} ({report['split']}, split by {report['split_by']}{simulated})",
        "model", "accuracy", "macro-F1", over,
    )  # fmt: skip
    own = {"this model": report}
    for name, row in (own | dict(report.get("baselines", {}))).items():
        shown.add_row(
            name.replace("_", " "), number(row["accuracy"]), number(row["macro_f1"]),
            # One person drawn again and again says nothing about others.
            "-" if people == 1 else interval(row["macro_f1_interval"]), style="bold" if row is report else "",
        )  # fmt: skip
    console.print(shown)
    _classes(console, report)
    _subjects(console, report)
    ece = report["ece"]
    console.print(
        f"\ncalibration error {ece['before']:.3f}, after temperature {ece['temperature']:.2f}: {ece['after']:.3f}; "
        f"{report['windows']:,} windows",
        highlight=False,
    )
    if report.get("robustness"):
        shown = table("\nrobustness", "disturbance", "macro-F1", "drop")
        for row in report["robustness"].values():
            shown.add_row(row["meaning"], number(row["macro_f1"]), number(row["drop"]))
        console.print(shown)
    for note in report["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False)


def _classes(console: Console, report: Document) -> None:
    _confusion(console, report)
    scores = table("\nby class", "class", "windows", "precision", "recall", "F1")
    for name in report["classes"]:
        own = report["per_class"][name]
        scores.add_row(name, *(number(own[key]) for key in ("windows", "precision", "recall", "f1")))
    console.print(scores)


def _confusion(console: Console, report: Document) -> None:
    shown = table("\nconfusion (rows: true)", "", *report["classes"])
    for name, row in zip(report["classes"], report["confusion"], strict=True):
        shown.add_row(name, *(str(count) if count else "." for count in row))
    console.print(shown)


def _subjects(console: Console, report: Document) -> None:
    if not report["per_subject"]:
        return
    shown = table("\nby subject", "subject", "windows", "accuracy", "macro-F1", "")
    for name, row in report["per_subject"].items():
        worst = name == report["worst_subject"]
        shown.add_row(
            name,
            number(row["windows"]),
            number(row["accuracy"]),
            number(row["macro_f1"]),
            "worst" if worst else "",
        )
    console.print(shown)


def crossval(console: Console, result: Document) -> None:
    """What a cross-validation came to: methods side by side, people, and what random windows would have claimed."""
    simulated = ", SIMULATED" if result["simulated"] else ""
    by = "groups of people" if result["split_by"] == "subject" else "random windows"
    over = f"95 % over {result['people']} subjects" if result["split_by"] == "subject" else "95 % over windows"
    random = result["random"] or {}
    shown = table(
        f"{result['preset']} on {result['data']}: {result['groups']} {by} left out in turn{simulated}",
        "model", "macro-F1", over, "accuracy", "± groups", "± seeds", "worst group",
        *(["random windows claim"] if random else []),
    )  # fmt: skip
    for name, row in ({result["preset"]: result} | dict(result["baselines"])).items():
        shown.add_row(
            name.replace("_", " "), number(row["macro_f1"]), interval(row["macro_f1_interval"]),
            *(number(row[key]) for key in ("accuracy", "group_deviation", "seed_deviation", "worst_group")),
            *([number(random[name]["macro_f1"])] if name in random else []), style="bold" if row is result else "",
        )  # fmt: skip
    console.print(shown)
    _confusion(console, result)
    _subjects(console, result)
    if random:
        console.print(f"\n{claim(result)}", highlight=False)
    for note in result["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False, markup=False)


def claim(result: Document) -> str:
    """What random windows would have claimed, in plain words."""
    honest, claimed = result["macro_f1"], result["random"][result["preset"]]["macro_f1"]
    told = (
        f"Had windows been drawn at random, in place of people, the same recipe would have claimed a macro-F1 of "
        f"{claimed:.3f}; on people it never saw it has {honest:.3f}. "
    )
    beside = "".join(
        f" The {name.replace('_', ' ')}: {result['random'][name]['macro_f1']:.3f} in place of {row['macro_f1']:.3f}."
        for name, row in result["baselines"].items()
        if name in result["random"]
    )
    if claimed <= honest:
        told += "Here that is no more, but in general it is: windows of a tested person are then learned from."
    else:
        told += (
            "What has seen a person walk, perhaps in rows that the next window shares, recognizes that person: "
            f"{100 * (claimed - honest):.1f} points of the claim say nothing about anybody else."
        )
    return told + beside


def streaming(console: Console, report: Document) -> None:
    """How well signals without end were followed."""
    simulated = ", SIMULATED" if report["simulated"] else ""
    shown = table(
        f"streamed: subjects {', '.join(report['subjects'])}{simulated}",
        "signal", "hours", "whole windows", "by row", "settled", "labelled", "seen after, s", "95 %", "false alarms/h",
    )  # fmt: skip
    for name, meaning in {"recordings": "each recording", "spliced": "activities in turn"}.items():
        row = report[name]
        shown.add_row(
            meaning, *(number(row[key], 2 if key == "hours" else 3) for key in (
                "hours", "window_accuracy", "accuracy", "settled_accuracy", "coverage")),
            *(number(row[key], 1) if row["changes"] else "-" for key in ("delay_median", "delay_p95")),
            number(row["false_alarms_per_hour"], 1),
        )  # fmt: skip
    console.print(shown)
    parts = ", ".join(f"{value:.3f}" for value in report["spliced"]["accuracy_by_time"])
    console.print(
        f"\nactivities in turn, by row, from the first to the last part of the stream: {parts}", highlight=False
    )


def bench(console: Console, rows: Sequence[Document]) -> None:
    """What exported files cost, a line a signature."""
    shown = table("", "file", "kB", "load ms", "MB", "signature", "median ms", "99 % ms", "multiply-adds", "live bytes")
    for row in rows:
        first = [_short(row["file"]), f"{row['bytes'] / 1000:.1f}", number(row.get("load_ms"), 1),
                 number(row.get("process_mb"), 0)]  # fmt: skip
        if "signatures" not in row:
            shown.add_row(*first, "window" if "median_ms" in row else "fails", number(row.get("median_ms")))
        for name, cost in row.get("signatures", {}).items():
            shown.add_row(
                *first, name, number(cost["median_ms"]), number(cost["p99_ms"]), number(cost["multiply_adds"]),
                number(cost["activation_bytes"]),
            )  # fmt: skip
            first = [""] * 4
    console.print(shown)
    console.print("MB: peak memory of a new process that predicts one window, Python included", highlight=False)
    for row in rows:
        if "error" in row:
            console.print(f"{_short(row['file'])}: {row['error']}", highlight=False, markup=False)


def _short(file: str) -> str:
    """The last two parts of a path."""
    return "/".join(Path(file).parts[-2:])


def predictions(console: Console, rows: Sequence[Document]) -> None:
    """A line a window."""
    true = bool(rows) and "true" in rows[0]
    timed = bool(rows) and rows[0]["time"] is not None
    shown = table("", "time" if timed else "window", "label", "probability", *(["true"] if true else []))
    shown.columns[1].justify = "left"
    for row in rows:
        shown.add_row(
            f"{row['time']:.2f}" if timed else str(row["window"]),
            row["label"],
            number(row["probability"]),
            *([row["true"]] if true else []),
        )
    console.print(shown)
