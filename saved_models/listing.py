"""Renders the results of all presets from their `metrics.json`: `README.md` and `results.csv` of this folder."""

import csv
import io
from typing import Any

from zoo.activity.report import with_summaries
from zoo.catalog import preset_metrics
from zoo.presets import PRESETS
from zoo.report import for_task, results
from zoo.report import markdown as md

HEAD = """# Results

Every number comes from the `metrics.json` of a preset. Scores were measured on people and photographs that were not \
used in training, and on the end of a text, or, where the published weights were trained on everyone, by \
cross-validation; how far files differ from Keras, on windows of the training. `python saved_models/make.py none` \
renders this page, the cards, and [results.csv](results.csv), which lists every file of every preset with all its \
numbers. `zoo list` shows the same in the terminal. A random forest is ahead of activity_gru_tiny and the recognizers \
of the course, and where windows of other movements count, of all recognizers of several studies: [new \
people](../docs/results.md#new-people). Two thirds of the test rows of the language models also occur in their \
training ([method](../docs/method.md))."""


def artifacts() -> list[dict[str, Any]]:
    """Returns a row per file of each preset: facts of the preset, and the record of the file in `metrics.json`."""
    return [
        {key: row[key] for key in ("preset", "family", "kind", "parameters")} | dict(record)
        for row in results.presets()
        for record in row["artifacts"]
    ]


def as_csv() -> str:
    """Renders all files of all presets with all numbers, and with those of the evaluation under `test.`, as CSV."""
    tests = {row["preset"]: {f"test.{key}": value for key, value in row["test"].items()} for row in results.presets()}
    rows = [row | tests[row["preset"]] for row in artifacts()]
    # Columns in the order of their first use.
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def everyone_table() -> str:
    """Renders the presets of several studies and their baselines, on the same people left out, study by study."""
    tests = {name: preset_metrics(name)["test"] for name, preset in PRESETS.items() if preset.data.studies}
    methods = tests | {
        md.label(name): row for test in tests.values() for name, row in test["baselines"].items()
    }  # fmt: skip
    # Where a study knows one activity, the share of its windows that are recognized.
    rows = [
        (name, {**row, **{study: own["macro_f1"] or own["accuracy"] for study, own in row["per_study"].items()}})
        for name, row in with_summaries(sorted(methods.items(), key=lambda method: -method[1]["macro_f1"]))
    ]
    studies = sorted({f"{study}:.3f" for _, row in rows for study in row["per_study"]})
    return md.columns(
        rows, ("macro_f1", "macro_f1_interval", "stairs_as_one", "all_classes", "other.recall", *studies), "method"
    )


def few_people_table(without: str) -> str:
    """Renders what is shown of each person of studies with fewer than ten, settled: right, and walking as stairs."""
    metrics = {name: preset_metrics(name) for name, preset in PRESETS.items() if preset.data.studies}
    rows: dict[tuple[str, str], list[str]] = {}
    for found in metrics.values():
        for study, row in sorted(found[without]["studies"].items()):
            for person, wrong in sorted(row["settled"]["walking_as_stairs"].get("by_person", {}).items()):
                # Of walking alone, a label that never changes would be right.
                right = f"{row['settled']['right']['by_person'][person]:.1%} / " if "turns" in row else ""
                rows.setdefault((study, person), []).append(f"{right}{wrong:.1%}")
    return md.table(["study", "person", *metrics], [[*names, *cells] for names, cells in rows.items()])


def results_page() -> str:
    """Renders the page of all results, each task's presets from the best to the worst."""
    rows, files = [row for row in results.presets() if row["kind"] is not None], artifacts()
    sections = [HEAD]
    for kind in sorted({row["kind"] for row in rows}):
        task = for_task(kind)
        own = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["score"], reverse=task.MAXIMIZE)
        tests = with_summaries([
            (f"[{row['preset']}]({row['preset']}/card.md)", {**row, **preset_metrics(row["preset"])["test"]})
            for row in own
        ])  # fmt: skip
        scores = md.columns(tests, (*task.RESULTS, "baseline", "parameters", "bytes", "milliseconds"), "preset")
        of_task = [row for row in files if row["kind"] == kind]
        sections.append(md.page(f"## {task.TITLE}", scores, "### Files", results.artifacts(of_task, task.FILE_SCORES)))
    return md.page(*sections) + "\n"
