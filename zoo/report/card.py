"""Cards of presets: the parts that all tasks share."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.families import task_named
from zoo.presets import Preset
from zoo.report import for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages, fill_in

SIZES = ("parameters", "bytes", "milliseconds")
"""Last columns of the tables of presets: parameters of the model, size and latency of its smallest TFLite file."""

_MODELS = Path(__file__).parents[1] / "models"
_PARTS = Pages("report/parts.md.j2")


def card(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders a card. All numbers are from the documents of the preset.

    Args:
        name: Name of the preset.
        preset: Row of the preset.
        metrics: Content of `metrics.json`.
        config: Content of `config.json`.

    Returns:
        A page of Markdown.
    """
    task, records = for_task(metrics["kind"]), metrics["artifacts"]
    recipe = {key: value for key, value in config["recipe"].items() if value not in (None, False)}
    # Only recognizers can be validated on people or on windows, and those trained on everyone are not validated.
    if "by" not in (metrics["training"]["validation"] or {}):
        recipe.pop("validation_by", None)
    hashes = {record["format"]: record["sha256"] for record in records}
    subject = task_named(metrics["kind"])
    page = fill_in(
        f"{subject}/card.md.j2", **task.pages.names, subject=subject,
        name=name, preset=preset, metrics=metrics, config=config, test=metrics["test"], known=facts(config), task=task,
        overview=head(name, preset, metrics, config), recipe=recipe, equations=_equations(config),
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
    """Renders the overview of a trained model.

    Args:
        name: Name of its folder.
        config: Content of `config.json`.
    """
    return _PARTS.folder(name, config, task=for_task(config["metadata"]["task"]), known=facts(config))


def smallest(metrics: Document) -> Document:
    """Returns the record of the smallest TFLite file that was timed, or of the smallest file if none was."""
    records = metrics["artifacts"]
    timed = [row for row in records if row["file"].endswith(".tflite") and row["milliseconds"] is not None]
    return dict(min(timed or records, key=lambda row: row["bytes"]))


def _equations(config: Document) -> str:
    """Renders the equations in the docstrings of a model's modules, with the sizes of the model.

    Modules are parsed, not imported, since that would import Keras. Modules of base classes come first. A line that
    contains `with` and an argument that is off is left out. Of lines that begin with the name of a variant, only those
    remain whose variant is in the first line of the class's docstring.
    """
    known: dict[str, tuple[Path, ast.Module, ast.ClassDef]] = {}
    for path in sorted(_MODELS.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        known |= {node.name: (path, tree, node) for node in tree.body if isinstance(node, ast.ClassDef)}
    chain = list(_bases(config["class"], known))
    if not chain:
        return f"A network of the class `{config['class']}`."
    words = re.findall(r"\w+", (ast.get_docstring(chain[-1][2]) or "").partition("\n")[0])
    specifications = dict.fromkeys(ast.get_docstring(tree, clean=False) or "" for _, tree, _ in chain)
    blocks: list[list[str]] = []
    for specification in specifications:
        displayed = specification.partition("\nNumber of parameters")[0].split("\n\n")
        own = [_own(part.splitlines(), words, config["arguments"]) for part in displayed if part.startswith("    ")]
        # Definitions of a derived class replace those of its base classes.
        again = {line.partition(" = ")[0] for block in own for line in block if line[:1].strip()}
        blocks = [[line for line in block if line.partition(" = ")[0] not in again] for block in blocks] + own
    arguments = "\n".join(ast.get_docstring(node) or "" for _, _, node in chain)
    symbols = ", ".join(_symbols(arguments, "\n".join(specifications), config["arguments"]))
    name = chain[-1][0].name
    return md.page(
        "```text\n" + "\n\n".join("\n".join(block) for block in blocks if block) + "\n```",
        f"Here {symbols}. Symbols, shapes and sources: [`zoo/models/{name}`](../../zoo/models/{name}).",
    )


def _bases(name: str, known: Mapping[str, tuple[Path, ast.Module, ast.ClassDef]]) -> Iterator[Any]:
    """Yields the definition of a class, after those of its base classes."""
    if name in known:
        for base in known[name][2].bases:
            yield from _bases(getattr(base, "id", ""), known)
        yield known[name]


def _own(block: Sequence[str], words: Sequence[str], arguments: Document) -> list[str]:
    """Selects the lines of a block of equations that apply to a model."""
    lines = [line.removeprefix("    ").rstrip() for line in block]
    lines = [line for line in lines if all(arguments.get(name, True) for name in re.findall(r"with `(\w+)`", line))]
    if not any(line.split()[0] in words for line in lines if line[:1].strip()):
        return lines
    own, shown = [], False
    for line in lines:
        shown = line.split()[0] in words if line[:1].strip() else shown
        own += [line] if shown else []
    return own


def _symbols(docstring: str, specification: str, arguments: Document) -> Iterator[str]:
    """Yields symbols of the equations with their values, from arguments documented as `name: SYMBOL, description`."""
    for name, symbol, rest in re.findall(r"^    (\w+): (\w+)[,:] (.*(?:\n        .*)*)", docstring, re.MULTILINE):
        unused = re.search(r"Unused with `(\w+)=(\w+)`", rest)
        default = re.search(r"`(\w+)` by default", rest)
        value = arguments.get(name)
        if value is None and default:
            value = arguments.get(default[1])
        if value is None or (unused and str(arguments.get(unused[1])) == unused[2]):
            continue
        if re.search(rf"\b{symbol}\b", specification):
            yield f"{symbol} = {len(value) if isinstance(value, list | tuple) else value}"


def artifacts(records: Sequence[Document], scores: Sequence[str], *, timed: bool = True) -> str:
    """Renders exported files, with their differences from Keras and the time per call.

    Args:
        records: Records of the files. If they name their presets, these are the first column.
        scores: Names of the scores to show.
        timed: Whether to name the signature that was timed.
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
