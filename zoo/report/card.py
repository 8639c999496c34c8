"""Cards of presets: the parts that all tasks share."""

from collections.abc import Sequence
from typing import Any

from zoo.families import FAMILIES, task_named
from zoo.presets import Preset
from zoo.report import for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages, fill_in

SIZES = ("parameters", "bytes", "milliseconds")
"""Last columns of the tables of presets: parameters of the model, size and latency of its smallest TFLite file."""

_PARTS = Pages("report/parts.md.j2")


def card(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders the card of a preset, whose numbers are all from its `metrics.json` and its `config.json`."""
    task, records = for_task(metrics["kind"]), metrics["artifacts"]
    recipe = {key: value for key, value in config["recipe"].items() if value not in (None, False)}
    # Only recognizers can be validated on people or on windows, and those trained on everyone are not validated.
    if "by" not in (metrics["training"]["validation"] or {}):
        recipe.pop("validation_by", None)
    hashes = {record["format"]: record["sha256"] for record in records}
    subject = task_named(metrics["kind"])
    module = FAMILIES[preset.family].module.replace(".", "/") + ".py"
    page = fill_in(
        f"{subject}/card.md.j2", **task.pages.names, subject=subject, module=module,
        name=name, preset=preset, metrics=metrics, config=config, test=metrics["test"], known=facts(config), task=task,
        overview=head(name, preset, metrics, config), recipe=recipe,
        files=artifacts(records, task.FILE_SCORES),
        scored=any(record.get(score) is not None for record in records for score in task.FILE_SCORES),
        unchanged=hashes.get("dynamic") is not None and hashes["dynamic"] == hashes.get("float32"),
    )  # fmt: skip
    return page + "\n"


def facts(config: Document) -> dict[str, Any]:
    """Returns the arguments of a model, together with its metadata."""
    return dict(config["arguments"]) | dict(config.get("metadata", {}))


def head(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders title, description and overview of a preset."""
    task, file = for_task(metrics["kind"]), smallest(metrics)
    return _PARTS.overview(name, preset, metrics, config, task=task, known=facts(config), file=file)


def folder(name: str, config: Document) -> str:
    """Renders the overview of the model in a folder that `zoo train` wrote."""
    return _PARTS.folder(name, config, task=for_task(config["metadata"]["task"]), known=facts(config))


def smallest(metrics: Document) -> Document:
    """Returns the record of the smallest TFLite file that was timed, or of the smallest file if none was."""
    records = metrics["artifacts"]
    timed = [row for row in records if row["file"].endswith(".tflite") and row["milliseconds"] is not None]
    return dict(min(timed or records, key=lambda row: row["bytes"]))


def artifacts(records: Sequence[Document], scores: Sequence[str], *, timed: bool = True) -> str:
    """Renders exported files, with their differences from Keras, scores, and the time per call.

    If the records name their presets, these are the first column. `timed` names the signature that was timed.
    """
    keys = ["bytes", "largest_error", "agreement", *(f"{score}:.4f" for score in scores), "milliseconds"]
    keys += ["timed"] if timed else []
    if "preset" in records[0]:
        return md.columns([(row["preset"], row) for row in records], ["file", *keys], "preset", text=1)
    # A format may need more files than the one that names it; they are in its size.
    more = [len(row.get("files", ())) - 1 for row in records]
    names = [f" + {md.count(number, 'file')}" if number > 0 else "" for number in more]
    return md.columns(
        [(md.code(row["file"]) + name, row) for row, name in zip(records, names, strict=True)], keys, "file"
    )
