"""Cards of presets: the parts that all tasks share."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.presets import Preset
from zoo.report import for_task
from zoo.report import markdown as md
from zoo.report.markdown import Document

SECTIONS = (
    "Intended use", "Evaluation", "Limitations", "What it computes", "Training", "Files", "Usage", "Reproduction",
)  # fmt: skip
"""Headings of all cards, in this order. Headings that a task adds come before the files."""

SIZES = ("parameters", "bytes", "milliseconds")
"""Last columns of the tables of presets: parameters of the model, size and latency of its smallest TFLite file."""

_MODELS = Path(__file__).parents[1] / "models"
_LIBRARIES = {
    "pocket-zoo": "pocket-zoo", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy",
    "ai-edge-litert": "LiteRT", "scikit-learn": "scikit-learn", "python": "Python",
}  # fmt: skip


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
    own = for_task(metrics["kind"]).card(name, preset, metrics, facts(config))
    shared = {
        "What it computes": _equations(config),
        "Training": _training(preset, metrics, config),
        "Files": _files(metrics),
        "Reproduction": _reproduction(name, metrics),
    }
    files = SECTIONS.index("Files")
    order = [*SECTIONS[:files], *(heading for heading in own if heading not in SECTIONS), *SECTIONS[files:]]
    sections = {heading: md.section(heading, shared.get(heading, ""), *own.get(heading, ())) for heading in order}
    equations = order.index("What it computes")
    folded = [heading for heading in order[equations:] if sections[heading]]
    # On the docs site, `markdown` makes what is folded be rendered as well.
    return md.page(
        head(name, preset, metrics, config), _load(name, metrics["kind"]),
        *(sections[heading] for heading in order[:equations]),
        f"<details markdown=\"1\">\n<summary>{', '.join(folded).capitalize()}</summary>",
        *(sections[heading] for heading in folded), "</details>",
    ) + "\n"  # fmt: skip


def _load(name: str, kind: str) -> str:
    start = "finetune" if kind == "activity" else "train"
    return f"""```python
from zoo import Model

model = Model.from_preset("{name}")  # a keras.Model, with its weights
```

```bash
zoo {start} {name} --data FILE --out FOLDER
```"""


def facts(config: Document) -> dict[str, Any]:
    """Returns the arguments of a model, together with its metadata."""
    return dict(config["arguments"]) | dict(config.get("metadata", {}))


def head(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders title, description and overview."""
    task, file = for_task(metrics["kind"]), smallest(metrics)
    arguments = ", ".join(f"{key}={value!r}".replace("'", '"') for key, value in preset.arguments.items())
    overview = {
        "model": f"`{config['class']}({arguments})`, {md.count(metrics['training']['parameters'], 'parameter')}",
        **task.interface(facts(config)),
        "test score": "; baseline: ".join(task.headline(metrics["test"])),
        "smallest file": f"{md.code(file['file'])}, {file['bytes'] / 1000:.1f} kB, "
        f"{md.show(file['milliseconds'])} ms per call to `{file['timed']}`",
        "data": preset.data,
        "data license": preset.license,
    }
    return md.page(f"# {name}", f"{preset.description}.", md.facts(overview))


def folder(name: str, config: Document) -> str:
    """Renders the overview of a trained model.

    Args:
        name: Name of its folder.
        config: Content of `config.json`.
    """
    task, known = for_task(config["metadata"]["task"]), facts(config)
    simulated = " (SIMULATED)" if known.get("simulated") else ""
    overview = {
        "model": f"`{config['class']}`, {md.count(config['training']['parameters'], 'parameter')}",
        **task.interface(known), "data": md.escape(f"{config['data']['file']}: {config['data']['source']}{simulated}"),
    }  # fmt: skip
    return md.page(
        f"# {md.escape(name)}", md.facts(overview), md.section("Training", task.training(config["training"])),
        f"All settings: `zoo info {md.escape(name)} --json`.",
    )  # fmt: skip


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


def _training(preset: Preset, metrics: Document, config: Document) -> str:
    """Renders data, recipe, and duration of the training."""
    training = metrics["training"]
    settings = {key: value for key, value in config["recipe"].items() if value not in (None, False)}
    # Only recognizers can be validated on people or on windows, and those trained on everyone are not validated.
    if "by" not in (training["validation"] or {}):
        settings.pop("validation_by", None)
    recipe = [f"`{key}={_compact(value)}`" for key, value in settings.items()]
    return md.page(
        f"Data: {preset.data}. License: {preset.license}.",
        f"Recipe: {', '.join(recipe)}.",
        f"Trained for {md.count(training['epochs'], 'epoch')} in {training['seconds']:.0f} s. The weights are those of "
        f"epoch {training['best_epoch']}.",
    )


def _compact(value: Any) -> str:
    return f"({', '.join(f'{k} {v}' for k, v in value.items())})" if isinstance(value, Mapping) else str(value)


def artifacts(records: Sequence[Document], scores: Sequence[str]) -> str:
    """Renders exported files, with their differences from Keras and the time per call.

    Args:
        records: Records of the files. If they name their presets, these are the first column.
        scores: Names of the scores to show.
    """
    keys = ["bytes", "largest_error", "agreement", *(f"{score}:.4f" for score in scores), "milliseconds", "timed"]
    if "preset" not in records[0]:
        return md.columns([(_name(row), row) for row in records], keys, "file")
    rows = [(row["preset"], {**row, "file": row["file"]}) for row in records]
    return md.columns(rows, ["file", *keys], "preset", text=1)


def _name(record: Document) -> str:
    """The file of a record, and how many more are in its size."""
    more = len(record.get("files", ())) - 1
    return f"{md.code(record['file'])} + {md.count(more, 'file')}" if more > 0 else md.code(record["file"])


def _files(metrics: Document) -> str:
    records, made = metrics["artifacts"], metrics["made"]
    agreement = any(record["agreement"] is not None for record in records)
    scores = for_task(metrics["kind"]).FILE_SCORES
    scored = ", and scored," if any(record.get(score) is not None for record in records for score in scores) else ""
    same = "; agreement is the share of outputs with the same most probable answer" if agreement else ""
    # Weights that are scored by cross-validation were trained on everyone.
    part = "training" if metrics["test"].get("split") == "cross-validation" else "test"
    noun = for_task(metrics["kind"]).EXAMPLE
    hashes = {record["format"]: record["sha256"] for record in records}
    unchanged = hashes.get("dynamic") is not None and hashes["dynamic"] == hashes.get("float32")
    return md.page(
        artifacts(records, scores),
        "The `dynamic` file is the same as the `float32` file: TensorFlow quantizes only matrices of 1,024 weights or "
        "more, and this network has none."
        if unchanged
        else "",
        *(_refused(kind, found, noun) for kind, found in metrics.get("refused", {}).items()),
        f"Outputs are compared with Keras{scored} on {md.count(records[0]['rows'], noun)} of {part} data{same}. "
        f"Times are medians per call on {made.get('timed_on', made['versions']['machine'])}; TFLite files run on one "
        "thread.",
    )


def _refused(kind: str, found: Document, noun: str) -> str:
    """Why a preset has no file of a format: its difference from Keras, and the limits that are not trivial."""
    limits = found["tolerance"]
    allowed = f" (at most {limits['error']:g} is allowed)" if limits["error"] < 1 else ""
    text = f"No `{kind}` file: its outputs would differ from Keras by up to {found['largest_error']:.2g}{allowed}"
    if found["agreement"] is not None:
        text += (
            f", and its most probable answer would be the same for {found['agreement']:.2%} of "
            f"{md.count(found['rows'], noun)}; at least {100 * limits['agreement']:g}% is required"
        )
    return f"{text}."


def usage(name: str, metrics: Document, keras: str, call: str, typed: str) -> str:
    """Renders code that runs a model in Keras, with LiteRT, and on a web page.

    Args:
        name: Name of the preset.
        metrics: Content of `metrics.json`.
        keras: Last line of the code for Keras, which uses `model`.
        call: Call of a signature in Python, such as `window(window=x)["probabilities"]`.
        typed: Input in JavaScript: a typed array and its shape.
    """
    signature, argument, output = re.match(r'(\w+)\((\w+)=.*\["(\w+)"\]$', call).groups()  # type: ignore[union-attr]
    files = {row["format"]: row["file"] for row in metrics["artifacts"]}
    small, plain = files.get("dynamic", files["float32"]), files["float32"]
    return md.page(
        f"""Keras:

```python
import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
{keras}
```""",
        f"""LiteRT, with only `ai-edge-litert` and NumPy installed:

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

{signature} = Interpreter("saved_models/{name}/{small}").get_signature_runner("{signature}")
print({call})
```""",
        f"""A web page, with `@litertjs/core`. Serve its `wasm` folder and the model file next to the page:

```javascript
import {{ loadAndCompile, loadLiteRt, Tensor }} from "@litertjs/core";
await loadLiteRt("wasm/");
const model = await loadAndCompile("{plain}", {{ accelerator: "wasm" }});
const result = await model.run("{signature}", {{ {argument}: new Tensor({typed}) }});
console.log(result.{output}.toTypedArray());
```""",
    )


def _hashes(metrics: Document) -> str:
    """Renders the hashes of the data. One file usually contains the training set and the test set."""
    training, test = (metrics[part]["data_sha256"] for part in ("made", "test"))
    if training != test:
        return f"Training data: sha256 `{training[:16]}...`; test data: sha256 `{test[:16]}...`"
    crossed = metrics["test"].get("split") == "cross-validation"
    parts = "no test set; scored by cross-validation" if crossed else "training and test set"
    return f"Data file ({parts}): sha256 `{training[:16]}...`"


def _reproduction(name: str, metrics: Document) -> str:
    made, versions = metrics["made"], metrics["made"]["versions"]
    return md.page(
        f"Train on your own data:\n\n```bash\nzoo train {name} --data FILE --out FOLDER\n```",
        f"Reproduce these weights and numbers:\n\n```bash\n{made['command']}\n```",
        f"`DATA` is a folder that contains {', '.join(map(md.code, made['files']))}.",
        f"{_hashes(metrics)}; seed {made['seed']}; "
        f"{', '.join(f'{title} {versions[key]}' for key, title in _LIBRARIES.items())}, on {versions['machine']}.",
    )
