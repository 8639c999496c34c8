"""The card of a preset, rendered from its measured numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.presets import Preset

Document = Mapping[str, Any]


def card(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders a card in Markdown.

    Args:
        name: Of the preset.
        preset: Its row.
        metrics: Its `metrics.json`: `made`, `training`, `seeds`, `crossval`, `test`, `artefacts`.
        config: Its `config.json`.

    Returns:
        The page. Every number on it is one of `metrics`.
    """
    test = metrics["test"]
    parts = [
        f"# {name}\n\n{preset.description}.",
        _what(name, config, metrics),
        "## How it was measured\n",
        _table(
            ("on the test people", "accuracy", "macro-F1", "95 % over people"),
            [("**this model**", *_scores(test))]
            + [(key.replace("_", " "), *_scores(row)) for key, row in test["baselines"].items()],
        ),
        f"\n{test['windows']:,} windows of subjects {', '.join(test['per_subject'])}, in no training or validation "
        f"window. Calibration error {test['ece']['before']:.3f}, after temperature {test['ece']['temperature']:.2f}: "
        f"{test['ece']['after']:.3f}.",
        _seeds(metrics),
        _crossval(metrics),
        f"\n{preset.note}\n" if preset.note else "",
        "## Where it fails\n",
        _failures(test),
        "![confusion](confusion.png)\n",
        "## When the phone differs\n",
        _table(
            ("disturbance", "macro-F1", "drop"),
            [
                (row["meaning"], f"{row['macro_f1']:.3f}", f"{row['drop']:+.3f}")
                for row in test["robustness"].values()
            ],
        ),
        "\n## Files\n",
        _table(
            ("file", "kB", "largest error", "same label", "ms a window"),
            [
                (
                    row["file"], f"{row['bytes'] / 1000:.1f}", f"{row['largest_error']:.1e}",
                    f"{row['agreement']:.2%}",
                    "-" if row["milliseconds"] is None else f"{row['milliseconds']:.3f}",
                )
                for row in metrics["artefacts"]
            ],
        ),
        _refused(metrics),
        f"\nCompared with Keras on {metrics['artefacts'][0]['windows']:,} test windows; times are medians on one "
        f"thread of {metrics['made']['versions']['machine']}.",
        _use(name, preset, metrics),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _scores(row: Document) -> tuple[str, str, str]:
    low, high = row["macro_f1_interval"]
    return f"{row['accuracy']:.3f}", f"{row['macro_f1']:.3f}", f"{low:.3f} to {high:.3f}"


def _what(name: str, config: Document, metrics: Document) -> str:
    arguments, metadata, recipe = config["arguments"], config["metadata"], config["recipe"]
    changed = ", ".join(f"{key} {_words(value)}" for key, value in recipe.items() if value not in (None, False))
    return f"""
{config["class"]} with {metrics["training"]["parameters"]:,} parameters: units {arguments["units"]}, layers \
{arguments["layers"]}, frame {arguments["frame"]}. It reads {metadata["window"]} rows at {metadata["rate"]:g} Hz in \
{metadata["unit"]}, gravity included, axes {", ".join(metadata["axes"])} in \
{metadata["convention"].title()}'s sign, and tells {", ".join(metadata["classes"])}. Its equations stand in \
`zoo/models/activity.py`.

**Data**: {metrics["made"]["data"]}; license {metrics["made"]["license"]}. **Recipe**: {changed}. Trained for \
{metrics["training"]["epochs"]} epochs, {metrics["training"]["seconds"]:.0f} s, weights of epoch \
{metrics["training"]["best_epoch"]}.

**Intended use**: a phone in a trouser pocket, to teach, to count and to log what its owner does. Not for medical or \
safety decisions.
"""


def _words(value: Any) -> str:
    return f"({', '.join(f'{k} {v}' for k, v in value.items())})" if isinstance(value, Mapping) else str(value)


def _refused(metrics: Document) -> str:
    return "\n" + "\n".join(f"No {kind} file: {why}." for kind, why in metrics.get("refused", {}).items())


def _seeds(metrics: Document) -> str:
    runs = metrics.get("seeds")
    if not runs:
        return ""
    scores = [run["test_accuracy"] for run in runs]
    chosen = next(run for run in runs if run["chosen"])
    return (
        f"\nTrained with seeds {', '.join(str(run['seed']) for run in runs)}; the one with the lowest validation loss, "
        f"seed {chosen['seed']}, is kept. Test accuracy over all seeds: {min(scores):.3f} to {max(scores):.3f}, mean "
        f"{sum(scores) / len(scores):.3f}.\n"
    )


def _crossval(metrics: Document) -> str:
    found = metrics.get("crossval")
    if not found:
        return ""
    low, high = found["macro_f1_interval"]
    return (
        f"\nCross-validation over {found['groups']} groups of the training people, {found['seeds']} seeds: macro-F1 "
        f"{found['macro_f1']:.3f} ({low:.3f} to {high:.3f} over people), deviation {found['group_deviation']:.3f} over "
        f"groups and {found['seed_deviation']:.3f} over seeds, worst group {found['worst_group']:.3f}, worst person "
        f"{found['worst_subject']} ({found['per_subject'][found['worst_subject']]['macro_f1']:.3f}).\n"
    )


def _failures(test: Document) -> str:
    classes = test["per_class"]
    worst = min(classes, key=lambda label: classes[label]["f1"])
    row = test["confusion"][test["classes"].index(worst)]
    mistaken = sorted(
        ((count, label) for count, label in zip(row, test["classes"], strict=True) if label != worst and count),
        reverse=True,
    )[:2]
    taken = ", ".join(f"{label} {count} times" for count, label in mistaken) or "nothing else"
    person = test["worst_subject"]
    return (
        f"The worst class is {worst} (F1 {classes[worst]['f1']:.3f}), taken for {taken}. The worst person is subject "
        f"{person} (macro-F1 {test['per_subject'][person]['macro_f1']:.3f}).\n"
    )


def _use(name: str, preset: Preset, metrics: Document) -> str:
    return f"""
## Use

```python
from zoo import Model

model = Model.from_preset("{name}")
logits = model(windows)  # (batch, 150, 3) m/s^2
```

```python
from zoo.runtime import Interpreter

recognizer = Interpreter("saved_models/{name}/{metrics["artefacts"][-1]["file"]}")
probabilities = recognizer.probabilities(windows)
```

Train it on your own windows: `zoo train {name} --data FILE --out FOLDER`. These weights and all numbers above:

    {metrics["made"]["command"]}

from training data with sha256 `{metrics["made"]["data_sha256"][:16]}...`,

with pocket-zoo {metrics["made"]["versions"]["pocket-zoo"]}, TensorFlow {metrics["made"]["versions"]["tensorflow"]}, \
Keras {metrics["made"]["versions"]["keras"]}, Python {metrics["made"]["versions"]["python"]}, on \
{metrics["made"]["versions"]["machine"]}. Test data: sha256 `{metrics["test"]["data_sha256"][:16]}...`.
"""
