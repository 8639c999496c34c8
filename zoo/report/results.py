"""Pages that all tasks share: cards and the table of presets, exported files, benchmarks, data files."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zoo.catalog import preset_metrics
from zoo.families import FAMILIES, TASKS, task_named, unknown_family
from zoo.files import flatten
from zoo.presets import PRESETS, Preset
from zoo.recipe import Recipe
from zoo.report import for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document, Pages, fill_in

_PARTS = Pages("report/parts.md.j2")


def card(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders the card of a preset, whose numbers are all from its `metrics.json` and its `config.json`."""
    task, records = for_task(metrics["kind"]), metrics["artifacts"]
    recipe = Recipe.from_json(config["recipe"]).to_json()
    named = (*config["recipe"], "steps", "parts")
    settings = {key: value for key, value in recipe.items() if key in named and value not in (None, False)}
    # Only recognizers can be validated on people or on windows, and those trained on everyone are not validated.
    if "by" not in (metrics["training"]["validation"] or {}):
        settings.pop("validation_by", None)
    hashes = {record["format"]: record["sha256"] for record in records}
    subject = task_named(metrics["kind"])
    module = FAMILIES[preset.family].module.replace(".", "/") + ".py"
    page = fill_in(
        f"{subject}/card.md.j2", **task.pages.names, subject=subject, module=module,
        name=name, preset=preset, metrics=metrics, config=config, test=metrics["test"], facts=_facts(config), task=task,
        overview=preset_overview(name, preset, metrics, config), recipe=settings,
        files=artifacts(records, task.FILE_SCORES),
        scored=any(record.get(score) is not None for record in records for score in task.FILE_SCORES),
        unchanged=hashes.get("dynamic") is not None and hashes["dynamic"] == hashes.get("float32"),
    )  # fmt: skip
    return page + "\n"


def _facts(config: Document) -> dict[str, Any]:
    return dict(config["arguments"]) | dict(config.get("metadata", {}))


def preset_overview(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders title, description and overview of a preset."""
    task, file = for_task(metrics["kind"]), smallest(metrics)
    return _PARTS.macro("overview")(name, preset, metrics, config, task=task, facts=_facts(config), file=file)


def folder_overview(name: str, config: Document) -> str:
    """Renders the overview of the model in a folder that `zoo train` wrote."""
    return _PARTS.macro("folder")(name, config, task=for_task(config["metadata"]["task"]), facts=_facts(config))


def recipe(settings: Document) -> str:
    """Renders the fields of a recipe, as `--set` takes them, with their values and meanings."""
    fields = Recipe.from_json(settings).to_json()
    values = {name: "none" if value is None else md.show(value, form=".6g") for name, value in fields.items()}
    meanings = {name: meaning for name, meaning in Recipe.meanings().items() if name in values}
    rows = [(md.code(name), values[name], md.prose(meaning)) for name, meaning in meanings.items()]
    return f"\n\n## Recipe\n\n{md.table(('setting', 'value', 'meaning'), rows, text=3)}"


def smallest(metrics: Document) -> Document:
    """The record of the smallest TFLite file that was timed, or of the smallest file if none was."""
    records = metrics["artifacts"]
    timed = [row for row in records if row["file"].endswith(".tflite") and row["milliseconds"] is not None]
    return dict(min(timed or records, key=lambda row: row["bytes"]))


def artifacts(records: Sequence[Document], scores: Sequence[str], *, timed: bool = True) -> str:
    """Renders exported files: differences from Keras, scores, the time per call, and the signature that was `timed`."""
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


_LEFT_OUT = {"baselines", "orientations", "frequencies"}


def presets(families: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A row per preset of the families with these prefixes, or of all families; what was not measured is None."""
    for wanted in families:
        if not wanted or not any(name.startswith(wanted) for name in FAMILIES):
            raise unknown_family(wanted)
    return [_preset(name) for name, row in PRESETS.items() if not families or row.family.startswith(tuple(families))]


def _preset(name: str) -> dict[str, Any]:
    preset = PRESETS[name]
    metrics = preset_metrics(name)
    kind, test = task_named(metrics.get("kind")), metrics.get("test", {})
    task = for_task(FAMILIES[preset.family].task)
    measured, baseline = task.headline(test) if metrics else (None, None)
    rival, rival_score = task.baseline(test) if metrics else (None, None)
    best = (row for row in test.get("baselines", {}).values() if row.get(task.SCORE) == rival_score)
    small: Document = smallest(metrics) if metrics else {}
    return {
        "preset": name, "family": preset.family, "kind": kind, "description": preset.description,
        "license": preset.data.license, "parameters": metrics.get("training", {}).get("parameters"),
        "measured": measured,
        "baseline": baseline, "score": test[task.SCORE] if metrics else None,
        "interval": test.get(f"{task.SCORE}_interval"), "baseline_name": rival, "baseline_score": rival_score,
        "difference": next((row.get("difference") for row in best), None),
        "cross_validated": test.get("split") == "cross-validation",
        "streams": any(record["timed"] == "step" for record in metrics.get("artifacts", [])),
        **{key: small.get(key) for key in ("file", "bytes", "milliseconds", "timed")}, "test": numbers(test),
        "artifacts": metrics.get("artifacts", []),
    }  # fmt: skip


def numbers(document: Document) -> dict[str, float]:
    """The numbers of a document, such as `ece.before`, without lists and baselines."""
    return {
        key: value
        for key, value in flatten(document).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and _LEFT_OUT.isdisjoint(key.split("."))
    }


def _folders(rows: Sequence[Document]) -> dict[str, list[tuple[str, Document]]]:
    """The files of a benchmark, with their names, by their folders: by the paths of those of one name."""
    folders: dict[Path, list[tuple[str, Document]]] = {}
    for row in rows:
        path = Path(row["file"])
        folders.setdefault(path.parent, []).append((path.name, row))
    names = [folder.name for folder in folders]
    return {path.name if names.count(path.name) == 1 else str(path): files for path, files in folders.items()}


def _calls(files: Sequence[tuple[str, Document]]) -> list[tuple[str, Document]]:
    """The signatures of files, with the names of the files."""
    return [
        (name, {"signature": signature, **cost})
        for name, row in files
        for signature, cost in row.get("signatures", {"window": row} if "median_ms" in row else {}).items()
    ]


def sections(rows: Sequence[Document]) -> list[dict[str, Any]]:
    """The rows of `presets` by task, the best first, and the presets of each baseline, that of most presets first."""
    parts = []
    for name in TASKS:
        task, of_task, baselines = for_task(name), list[Document](), dict[str, list[str]]()
        sign = 1 if task.MAXIMIZE else -1
        for row in (row for row in rows if FAMILIES[row["family"]].task == name):
            letters = ", ".join(re.findall(r"MIT|CC BY [\d.]+|CC0", row["license"])) or "none stated"
            better = row["difference"] is not None and row["difference"]["interval"][0] > 0
            of_task.append({**row, "better": better, "license": letters})
        of_task.sort(key=lambda row: -sign * row["score"] if row["score"] is not None else float("inf"))
        for row in of_task:
            if row["baseline_name"]:
                baselines.setdefault(row["baseline_name"], []).append(row["preset"])
        most_first = dict(sorted(baselines.items(), key=lambda item: -len(item[1])))
        how = {"title": task.TITLE, "keys": task.COLUMNS, "score": task.SCORE, "maximize": task.MAXIMIZE}
        parts += [{**how, "rows": of_task, "baselines": most_first}] if of_task else []
    return parts


_PAGES = Pages("report/results.md.j2", artifacts=artifacts, folders=_folders, calls=_calls, sections=sections)
preset_table, exported, costs, doctor = map(_PAGES.macro, ("preset_table", "exported", "costs", "doctor"))


_READ = ("read_as", "axes", "gravity", "unit", "sign", "rotation", "rotation_unit", "time", "time_unit", "labels")
_FILE = ("file", "subjects", "activities", "rate_hz", "rows", "seconds", "gaps")
_SIZES = {"T": "rows per window", "C": "channels", "S": "pixels per side", "R": "rows"}
"""Sizes that no other fact tells, by their letter in a layout."""

_SHOWN = (
    "recordings", "subjects", "seconds", "patches", "photographs", "words", "most_frequent", "rates_hz", "rate_hz",
    "split_by", "leaks", "in_training", "test_overlaps_training", "text_rows", "rows_left_out", "flat_patches_refused",
    "written", "dropped", "changed", "simulated",
)  # fmt: skip
"""The facts in their order."""

_REPEATED = ("classes", "rate_hz", "simulated", "text_rows", "left_out_rows")
"""Attributes that a file repeats."""

_STATEMENTS = {name: f"{name.replace('_', ' ')} of the text" for name in ("validation_rows", "test_rows")}
"""Names of attributes that mean something else than the fact of the same name."""


def files_read(files: Sequence[Document]) -> list[dict[str, Any]]:
    """Counts the files and rows of each way in which files were read."""
    kinds: dict[str, dict[str, Any]] = {}
    for file in files:
        kind = {name: file[name] for name in _READ if name in file}
        row = kinds.setdefault(str(kind), kind | {"files": 0, "rows": 0})
        row["files"] += 1
        row["rows"] += file["rows"]
    return list(kinds.values())


def facts(description: Document) -> dict[str, Any]:
    """The facts of a description by name."""
    facts = {"file": description["file"], "layout": description["layout"]}
    for name, part in description.get("parts", {}).items():
        name = "training" if name == "train" else name
        if "windows" in part:
            facts[f"{name} windows"] = part["windows"] and Markup(f"{part['windows']:,} ({md.show(part['classes'])})")
            facts[f"{name} subjects"] = part["subjects"]
        else:
            facts[f"{name} rows"] = part["rows"]
    sizes = description["sizes"]
    # Where the rest could not be read, the sizes are all that is known.
    is_whole = "simulated" in description
    facts |= {name: sizes[size] for size, name in _SIZES.items() if size in sizes} if is_whole else {"sizes": sizes}
    facts |= {
        md.label(key): _FORMATS.get(key, lambda value: value)(description[key])
        for key in _SHOWN if key in description and (description[key] or key != "changed")
    }  # fmt: skip
    stated = {
        _STATEMENTS.get(key, md.label(key)): value
        for key, value in description["attributes"].items()
        if key not in _REPEATED
    }
    # What was counted, no attribute of the same name replaces.
    return facts | {name: value for name, value in stated.items() if name not in facts}


def _counts(counts: Mapping[str, int]) -> Markup:
    return Markup(", ".join(f"{md.escape(name)} ({count:,})" for name, count in counts.items()) or "nothing")


def _leaks(leaks: Document) -> str:
    return ", ".join(f"{md.label(name)} {md.show(value)}" for name, value in leaks.items() if value) or "none"


def _shares(shares: Mapping[str, Any]) -> str:
    """Shares as split, and what they would have been with shuffled rows."""
    split, shuffled = (
        f"{share:.1%}" if isinstance(share, float) else f"{share['rows']:.1%}, contexts {share['contexts']:.1%}"
        for share in (shares["as_split"], shares["shuffled"])
    )
    return f"{split} (if all rows had been shuffled: {shuffled})"


_FORMATS = {
    "leaks": _leaks, "in_training": _shares, "test_overlaps_training": _shares, "dropped": _counts, "changed": _counts,
}  # fmt: skip

_DATA = Pages(
    "report/data.md.j2", facts=facts, summary=files_read, counts=_counts,
    columns=lambda files: [{key: file[key] for key in _FILE} for file in files],
)  # fmt: skip
description, dry_run = _DATA.macro("description"), _DATA.macro("dry_run")
