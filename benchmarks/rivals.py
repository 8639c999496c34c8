"""Another small network for activities, with the recipe of `activity_gru_phone`, tested on the same folds.

    python benchmarks/rivals.py --data windows.h5 | tee benchmarks/rivals.json
    python benchmarks/rivals.py --page docs/comparison.md  # writes its table into the page

TinyHAR (Zhou, Zhao, Huang, Hefenbrock, Riedel, Beigl: TinyHAR: a lightweight deep learning model designed for human
activity recognition, ISWC 2022, doi 10.1145/3544794.3558467), written from its description: four convolutions over time
within each channel, attention between channels, a dense layer that fuses them, an LSTM, and attention over time. With
32 filters, it has a quarter more parameters than `activity_gru_phone`. It is trained with the recipe of that preset,
and again without augmentation, on windows.h5 of benchmarks/studies.py. It predicts the first three of the ten groups of
people by which the presets of these four studies are cross-validated, with the other nine for training. The other rows
are those of their cross-validations on the same groups.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, ClassVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pages
from keras import ops

from zoo.activity import metrics
from zoo.activity.evaluation import answers, keras_logits
from zoo.activity.task import TASK
from zoo.crossval import held_out
from zoo.data.dataset import Data
from zoo.models.recognizer import ActivityRecognizer
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.labels import resolve
from zoo.task import Split
from zoo.training import Training, fit

PRESET, GROUPS, MEASURED, FILTERS, WINDOW = "activity_gru_phone", 10, 3, 32, 150
PRESETS = Path(__file__).parent.parent / "saved_models"
PUBLISHED = ("activity_cnn_pocket",)


class Gain(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Multiplies by a number that is learned, 0 at first."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Creates the number."""
        self.gain = self.add_weight(name="gain", shape=(), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Returns the product."""
        return self.gain * x


class TinyHAR(ActivityRecognizer):
    """The network.

    Args:
        filters: F, of each convolution; the LSTM has 2 F units.
        **facts: Arguments of `ActivityRecognizer`.
    """

    fast_with_xla: ClassVar[bool] = False

    def __init__(self, filters: int = FILTERS, **facts: Any) -> None:
        def network(x: Any, labels: int) -> Any:
            x = ops.expand_dims(x, -1)
            for stride in (2, 1, 2, 1):
                x = keras.layers.Conv2D(filters, (5, 1), (stride, 1), activation="relu")(x)
                x = keras.layers.BatchNormalization()(x)
            x = x + Gain()(keras.layers.MultiHeadAttention(1, filters, attention_axes=2)(x, x))
            x = keras.layers.Dense(2 * filters)(keras.layers.Reshape((x.shape[1], -1))(x))
            x = keras.layers.LSTM(2 * filters, return_sequences=True)(keras.layers.Dropout(0.1)(x))
            weight = keras.layers.Softmax(axis=1)(
                keras.layers.Dense(1, use_bias=False)(keras.layers.Dense(2 * filters, activation="tanh")(x))
            )
            x = x[:, -1] + Gain()(ops.sum(weight * x, axis=1))
            return keras.layers.Dense(labels, name="logits")(x)

        super().__init__(network, **facts)
        self.filters = filters

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {"filters": self.filters, **super().get_config()}


def measure(data: Data, augmented: bool) -> dict[str, Any]:
    """Macro-F1 of each group of people, by a network that was trained on all others."""
    recipe = Training.of(PRESET, {} if augmented else {"augmentation": None}).recipe
    windows, started = data.train.in_memory(), time.perf_counter()
    scores = []
    for chosen in held_out(windows, "subject", GROUPS)[:MEASURED]:
        keras.utils.set_random_seed(recipe.seed)
        split = Split(data, windows.where(~chosen), None)
        center, variance = split.train.statistics()
        model = TinyHAR(classes=data.classes, window=WINDOW, rate=data.rate, mean=center, variance=variance)
        fit(model, recipe, TASK.feed(model, split, recipe))
        logits, known = answers(partial(keras_logits, model), windows.where(chosen))
        labels = resolve(known, logits, windows.label_sets)
        scores.append(round(metrics.macro_f1(labels, logits.argmax(axis=1)), 4))
        print(f"group {len(scores)}: {scores[-1]}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return {
        "network": "TinyHAR" if augmented else "TinyHAR, not augmented", "parameters": model.count_params(),
        "macro_f1": scores, "seconds": round((time.perf_counter() - started) / MEASURED, 1),
    }  # fmt: skip


def published() -> Iterator[dict[str, Any]]:
    """The same of presets and of the baselines, from their cross-validations."""
    for name in PUBLISHED:
        document = json.loads((PRESETS / name / "metrics.json").read_text())
        link, size = f"[{name}](../saved_models/{name}/card.md)", document["training"]["parameters"]
        yield {"network": link, "parameters": size, "macro_f1": of_groups(document["test"])}
    for name, found in document["test"]["baselines"].items():
        yield {"network": markdown.label(name), "parameters": None, "macro_f1": of_groups(found)}


def of_groups(found: dict[str, Any]) -> list[float]:
    """The macro-F1 of the groups that are measured here."""
    scores = {fold["group"]: fold["macro_f1"] for fold in found["folds"]}
    return [scores[group] for group in range(MEASURED)]


def table(document: dict[str, Any]) -> str:
    """The networks measured here and the published ones, the best first."""
    rows = sorted([*document["networks"], *published()], key=lambda row: -mean(row["macro_f1"]))
    return markdown.table(
        ("network", "parameters", *(f"group {group + 1}" for group in range(MEASURED)), "mean"),
        [
            (row["network"], f"{row['parameters']:,}" if row["parameters"] else "",
             *(f"{score:.3f}" for score in (*row["macro_f1"], mean(row["macro_f1"]))))
            for row in rows
        ],
    )  # fmt: skip


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("windows.h5"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"networks": table})
        return
    data = TASK.load_data(options.data).everyone()
    result = {
        "command": "python benchmarks/rivals.py --data windows.h5", "seed": 0, "preset": PRESET,
        "data_sha256": data.sha256, "networks": [measure(data, augmented) for augmented in (True, False)],
    }  # fmt: skip
    print(json.dumps(result | {"versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
