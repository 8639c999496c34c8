"""The parts that every card has: what it is, its equations, data and recipe, files, how to use it, how it was made."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.presets import Preset

Document = Mapping[str, Any]

SECTIONS = (
    "What it computes", "Intended use", "Data and recipe", "How it was measured", "Where it fails", "Files", "Use",
    "Train it again",
)  # fmt: skip
"""Headings that every card has, in this order; families add others in between."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> str:
    """A table in Markdown, the first column (or so many) text and the others numbers."""
    lines = [head, [*["---"] * text, *["---:"] * (len(head) - text)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def head(name: str, preset: Preset, rows: Mapping[str, str], metrics: Document) -> str:
    """The title, and what the model is at a glance.

    Args:
        name: Of the preset.
        preset: Its row.
        rows: What the family says: what the model is, reads, gives, and what was measured.
        metrics: `metrics.json`.
    """
    made, file = metrics["made"], smallest(metrics)
    small = (
        f"`{file['file']}`, {file['bytes'] / 1000:.1f} kB, {file['milliseconds']:.3f} ms a call of `{file['timed']}`"
    )
    facts = {**rows, "smallest file": small, "data": f"{made['data']}", "license of the data": made["license"]}
    lines = ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in facts.items())]
    return f"# {name}\n\n{preset.description}.\n\n" + "\n".join(lines) + "\n"


def smallest(metrics: Document) -> Document:
    """The record of the smallest TFLite file that was timed."""
    timed = [row for row in metrics["artifacts"] if row["file"].endswith(".tflite") and row["milliseconds"] is not None]
    return dict(min(timed, key=lambda row: row["bytes"]))


def portable(metrics: Document, *formats: str) -> str:
    """The name of the first file that was written of some formats."""
    files = {row["format"]: row["file"] for row in metrics["artifacts"]}
    return str(next(files[name] for name in formats if name in files))


def specification(module: str) -> list[list[str]]:
    """The displayed equations of a family, a list of lines each, as the docstring of its module gives them.

    The module is read and not imported, which would take Keras.
    """
    source = Path(__file__).parents[2] / "models" / f"{module}.py"
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    paragraphs = [paragraph.splitlines() for paragraph in docstring.split("\n\n")]
    displayed = [lines for lines in paragraphs if all(line.startswith("    ") for line in lines)]
    return [[line.removeprefix("    ") for line in lines] for lines in displayed]


def computes(lines: Sequence[str], symbols: str, module: str) -> str:
    """What the model computes: equations, and the sizes of this one."""
    code = "\n".join(line.rstrip() for line in lines)
    return f"""
## What it computes

```text
{code}
```

Here {symbols}. Symbols, shapes and sources: [`zoo/models/{module}.py`](../../zoo/models/{module}.py).
"""


def trained(config: Document, metrics: Document) -> str:
    """Data and recipe."""
    recipe = config["recipe"]
    changed = ", ".join(f"{key} {_words(value)}" for key, value in recipe.items() if value not in (None, False))
    made, training = metrics["made"], metrics["training"]
    return (
        f"## Data and recipe\n\n{made['data']}; license: {made['license']}.\n\n"
        f"Recipe: {changed}. Trained for {training['epochs']} epochs, {training['seconds']:.0f} s; the weights are "
        f"those of epoch {training['best_epoch']}.\n"
    )


def _words(value: Any) -> str:
    return f"({', '.join(f'{k} {v}' for k, v in value.items())})" if isinstance(value, Mapping) else str(value)


def files(metrics: Document, scores: Mapping[str, str], row: str) -> str:
    """The artifacts.

    Args:
        metrics: `metrics.json`.
        scores: Headings by the names of the records' own numbers.
        row: What one row is, such as a window.
    """
    records = metrics["artifacts"]
    agreement = any(record["agreement"] is not None for record in records)
    head = ("file", "kB", "largest error", *(["same answer"] if agreement else []), *scores.values(), f"ms a {row}")
    lines = [
        (
            f"`{record['file']}`", f"{record['bytes'] / 1000:.1f}", f"{record['largest_error']:.1e}",
            *([f"{record['agreement']:.2%}"] if agreement else []), *(f"{record[name]:.4f}" for name in scores),
            "-" if record["milliseconds"] is None else f"{record['milliseconds']:.3f}",
        )
        for record in records
    ]  # fmt: skip
    refused = [f"No {kind} file: {why}." for kind, why in metrics.get("refused", {}).items()]
    return "\n\n".join([
        "## Files",
        table(head, lines),
        *refused,
        f"Compared with Keras on {records[0]['rows']:,} rows of test data; times are medians, of TFLite files on one "
        f"thread, of {metrics['made']['versions']['machine']}.",
    ])  # fmt: skip


def use(keras: str, litert: str, javascript: str, after: str) -> str:
    """How to run it, five lines each.

    Args:
        keras: Lines of Python on the Keras model.
        litert: Lines of Python on a file, by `ai-edge-litert` alone.
        javascript: Lines of JavaScript on a file, by `@litertjs/core`.
        after: What `zoo.runtime` does besides.
    """
    return f"""
## Use

Keras:

```python
{keras}
```

LiteRT, with `ai-edge-litert` and NumPy alone:

```python
{litert}
```

A web page, with `@litertjs/core`, its folder `wasm` and the file beside it:

```javascript
{javascript}
```

{after}
"""


def javascript(file: str, signature: str, name: str, array: str, shape: Sequence[int], answer: str) -> str:
    """Five lines that ask a file once.

    Args:
        file: The `.tflite` file.
        signature: What it is asked.
        name: Of its input.
        array: The input's typed array, such as `new Float32Array(450)`.
        shape: Of the input.
        answer: The output that is shown.
    """
    return f"""import {{ loadAndCompile, loadLiteRt, Tensor }} from "@litertjs/core";
await loadLiteRt("wasm/");
const model = await loadAndCompile("{file}", {{ accelerator: "wasm" }});
const answer = await model.run("{signature}", {{ {name}: new Tensor({array}, {list(shape)}) }});
console.log(answer.{answer}.toTypedArray());"""


def again(name: str, metrics: Document) -> str:
    """How to train it again, and how its numbers were made."""
    made = metrics["made"]
    versions = made["versions"]
    return f"""
## Train it again

On your own data:

```console
$ zoo train {name} --data FILE --out FOLDER
```

These weights and all numbers above:

```console
$ {made["command"]}
```

from training data with sha256 `{made["data_sha256"][:16]}...`, measured on test data with sha256 \
`{metrics["test"]["data_sha256"][:16]}...`, seed {made["seed"]}, with pocket-zoo {versions["pocket-zoo"]}, TensorFlow \
{versions["tensorflow"]}, Keras {versions["keras"]}, NumPy {versions["numpy"]}, LiteRT {versions["ai-edge-litert"]}, \
scikit-learn {versions["scikit-learn"]}, Python {versions["python"]}, on {versions["machine"]}.
"""
