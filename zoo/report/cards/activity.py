"""The card of a recognizer."""

from zoo.presets import Preset
from zoo.report.cards import page
from zoo.report.cards.page import Document, table

_CELLS = {"ActivityRNN": "SimpleRNN", "ActivityLSTM": "LSTM", "ActivityGRU": "GRU"}


def card(name: str, preset: Preset, metrics: Document, config: Document) -> list[str]:
    """The parts of the page, in order."""
    test = metrics["test"]
    return [
        page.head(name, preset, _glance(config, metrics), metrics),
        _equations(config),
        "## Intended use\n\nA phone in a trouser pocket: to teach, to count and to log what its owner does. Not for "
        "medical or safety decisions, nor to watch people who were not asked.\n",
        page.trained(config, metrics),
        "## How it was measured\n",
        table(
            ("on the test people", "accuracy", "macro-F1", "95 % over people"),
            [("**this model**", *_scores(test))]
            + [(key.replace("_", " "), *_scores(row)) for key, row in test["baselines"].items()],
        ),
        f"\nSplit by person: {test['windows']:,} windows of subjects {', '.join(test['per_subject'])}, in no "
        f"training or validation window. Calibration error {test['ece']['before']:.3f}, after temperature "
        f"{test['ece']['temperature']:.2f}: {test['ece']['after']:.3f}.",
        _seeds(metrics),
        _crossval(metrics),
        f"\n{preset.note}\n" if preset.note else "",
        "![training](training.png)\n",
        "## Where it fails\n",
        _failures(test),
        "![confusion](confusion.png) ![subjects](subjects.png)\n",
        "## When the phone differs\n",
        table(
            ("disturbance", "macro-F1", "drop"),
            [(row["meaning"], f"{row['macro_f1']:.3f}", f"{row['drop']:+.3f}") for row in test["robustness"].values()],
        ),
        "",
        page.files(metrics, {"accuracy": "accuracy", "macro_f1": "macro-F1"}, "call"),
        "\nA call reads a whole window, or one frame where the file holds only `step` (int8, int16x8).\n",
        _streaming(metrics),
        _personal(metrics),
        _use(name, metrics, config),
        page.again(name, metrics),
    ]


def headline(test: Document) -> tuple[str, str]:
    """What was measured, and what stands beside it."""
    low, high = test["macro_f1_interval"]
    forest = test["baselines"]["random_forest"]["macro_f1"]
    return f"macro-F1 {test['macro_f1']:.3f} ({low:.3f} to {high:.3f})", f"random forest {forest:.3f}"


def _scores(row: Document) -> tuple[str, str, str]:
    low, high = row["macro_f1_interval"]
    return f"{row['accuracy']:.3f}", f"{row['macro_f1']:.3f}", f"{low:.3f} to {high:.3f}"


def _glance(config: Document, metrics: Document) -> dict[str, str]:
    arguments, metadata = config["arguments"], config["metadata"]
    return {
        "model": f"{config['class']}, {metrics['training']['parameters']:,} parameters: units {arguments['units']}, "
        f"layers {arguments['num_layers']}, frame {arguments['frame']}",
        "reads": f"{metadata['window']} rows at {metadata['rate']:g} Hz in {metadata['unit']}, gravity included, axes "
        f"{', '.join(metadata['axes'])} in {metadata['convention'].title()}'s sign",
        "tells": ", ".join(metadata["classes"]),
        "measured": "{}, beside it {}".format(*headline(metrics["test"])),
    }


def _equations(config: Document) -> str:
    """The lines of the network and of its one kind of cell."""
    arguments = config["arguments"]
    network, cells, *_ = page.specification("activity_rnn")
    lines = [line for line in network if arguments["magnitude"] or "`magnitude`" not in line]
    first = next(i for i, line in enumerate(cells) if line.startswith(_CELLS[config["class"]]))
    rest = [i for i, line in enumerate(cells) if i > first and not line.startswith(" ")]
    symbols = [f"T = {arguments['window']}", f"C = {len(arguments['channels'])}", f"F = {arguments['frame']}"]
    if arguments["frame"] > 1:
        symbols += [f"V = {arguments['frame_units'] or arguments['units']}", f"phi = {arguments['frame_activation']}"]
    layers = f"{arguments['num_layers']} layers of" if arguments["num_layers"] > 1 else "one layer of"
    symbols += [f"{layers} H = {arguments['units']}", f"K = {len(arguments['classes'])}"]
    return page.computes([*lines, "", *cells[first : rest[0] if rest else None]], ", ".join(symbols), "activity_rnn")


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


def _streaming(metrics: Document) -> str:
    found = metrics.get("streaming")
    if not found:
        return ""
    rows = []
    for kind, report in found.items():
        alone, spliced = report["recordings"], report["spliced"]
        rows.append((
            f"model.{kind}.tflite", *(f"{alone[key]:.3f}" for key in ("window_accuracy", "accuracy")),
            *(f"{spliced[key]:.3f}" for key in ("window_accuracy", "settled_accuracy", "accuracy")),
            f"{spliced['delay_median']:.1f} s", f"{spliced['delay_p95']:.1f} s",
            f"{spliced['false_alarms_per_hour']:.1f}",
        ))  # fmt: skip
    first = next(iter(found.values()))
    how, spliced = first["settings"], first["spliced"]
    states = (
        f"{how['copies']} states start anew every {how['restart']} rows, in turns" if how["restart"]
        else "One state is carried from the first row to the last"
    )  # fmt: skip
    by_time = ", ".join(f"{value:.3f}" for value in spliced["accuracy_by_time"])
    return "\n".join([
        "## Streamed without end\n",
        f"The recordings of subjects {', '.join(first['subjects'])}, each from its start, and {spliced['hours']:.1f} "
        f"hours of their activities in turn, {spliced['changes']} changes. {states}; "
        f"probabilities are averaged over {how['smoothing']:g} s. Settled: later than 5 s after a change.\n",
        table(("file", "recordings: windows", "by row", "in turn: windows", "settled", "by row", "change seen after",
               "95 %", "false alarms an hour"), rows),
        f"\nBy row, from the first to the last sixth of an hour: {by_time}.\n",
    ])  # fmt: skip


def _personal(metrics: Document) -> str:
    if not metrics.get("personal"):
        return ""
    rows = [
        (f"subject {row['subject']}", str(row["learned"]), str(row["tested"]), *(
            f"{row[when][key]:.3f}" for key in ("accuracy", "macro_f1") for when in ("before", "after")))
        for row in metrics["personal"]
    ]  # fmt: skip
    return "\n".join(
        [
            "## After learning a minute of its owner\n",
            "`model.personal.tflite` trains its last layer on the device. One minute of each test person's windows, "
            "the first of each class in turn, is learned; the rest of that person is tested.\n",
            table(("", "windows learned", "tested", "accuracy before", "after", "macro-F1 before", "after"), rows),
            "",
        ]
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


def _use(name: str, metrics: Document, config: Document) -> str:
    metadata, small = config["metadata"], page.portable(metrics, "dynamic", "float32")
    shape = (1, metadata["window"], len(metadata["axes"]))
    keras = f"""import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
print(model(np.zeros({shape}, "float32")))  # logits of windows in {metadata["unit"]}"""
    litert = f"""import numpy as np
from ai_edge_litert.interpreter import Interpreter

recognize = Interpreter("saved_models/{name}/{small}").get_signature_runner("window")
print(recognize(window=np.zeros({shape}, "float32"))["probabilities"])"""
    array = f"new Float32Array({metadata['window'] * len(metadata['axes'])})"
    web = page.javascript(page.portable(metrics, "float32"), "window", "window", array, shape, "probabilities")
    after = (
        "The probabilities are those of the activities above, in their order. `zoo.runtime.Recognizer` runs the same "
        "files and follows samples as they come, of any rate: `Recognizer(file).stream()`."
    )
    return page.use(keras, litert, web, after)
