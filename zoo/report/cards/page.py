"""The parts that every card has: what was trained on what, files, how to use it, how it was made."""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, the first column text and the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def trained(config: Document, metrics: Document) -> str:
    """Data and recipe."""
    recipe = config["recipe"]
    changed = ", ".join(f"{key} {_words(value)}" for key, value in recipe.items() if value not in (None, False))
    return (
        f"**Data**: {metrics['made']['data']}; license {metrics['made']['license']}. **Recipe**: {changed}. Trained "
        f"for {metrics['training']['epochs']} epochs, {metrics['training']['seconds']:.0f} s, weights of epoch "
        f"{metrics['training']['best_epoch']}.\n"
    )


def _words(value: Any) -> str:
    return f"({', '.join(f'{k} {v}' for k, v in value.items())})" if isinstance(value, Mapping) else str(value)


def files(metrics: Document, scores: Mapping[str, str], row: str) -> str:
    """The artefacts.

    Args:
        metrics: `metrics.json`.
        scores: Headings by the names of the records' own numbers.
        row: What one row is, such as a window.
    """
    records = metrics["artefacts"]
    agreement = any(record["agreement"] is not None for record in records)
    head = ("file", "kB", "largest error", *(["same answer"] if agreement else []), *scores.values(), f"ms a {row}")
    lines = [
        (
            record["file"], f"{record['bytes'] / 1000:.1f}", f"{record['largest_error']:.1e}",
            *([f"{record['agreement']:.2%}"] if agreement else []), *(f"{record[name]:.4f}" for name in scores),
            "-" if record["milliseconds"] is None else f"{record['milliseconds']:.3f}",
        )
        for record in records
    ]  # fmt: skip
    refused = "\n".join(f"No {kind} file: {why}." for kind, why in metrics.get("refused", {}).items())
    return "\n".join([
        "\n## Files\n",
        table(head, lines),
        f"\n{refused}" if refused else "",
        f"\nCompared with Keras on {records[0]['rows']:,} rows of test data; times are medians on one thread of "
        f"{metrics['made']['versions']['machine']}.",
    ])  # fmt: skip


def use(name: str, program: str, device: str, metrics: Document) -> str:
    """How to load it, how to train it again, and how its numbers were made.

    Args:
        name: Of the preset.
        program: Lines of Python that use the Keras model.
        device: Lines of Python that use a `.tflite` file.
        metrics: `metrics.json`.
    """
    made = metrics["made"]
    versions = made["versions"]
    return f"""
## Use

```python
{program}
```

```python
{device}
```

Train it on your own data: `zoo train {name} --data FILE --out FOLDER`. These weights and all numbers above:

    {made["command"]}

from training data with sha256 `{made["data_sha256"][:16]}...`,

with pocket-zoo {versions["pocket-zoo"]}, TensorFlow {versions["tensorflow"]}, Keras {versions["keras"]}, Python \
{versions["python"]}, on {versions["machine"]}. Test data: sha256 `{metrics["test"]["data_sha256"][:16]}...`.
"""
