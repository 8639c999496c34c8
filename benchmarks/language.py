"""Time per epoch of the course's language model (32, 256), batch 200, compared with plain `fit` of Keras.

    python benchmarks/language.py --data data2.h5

Both train epochs of all 372,500 rows in turns of three, of which the first is a warm-up. Reports medians over the
turns, and the median, minimum and maximum of the ratio in the same turn.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from functools import partial

import keras
from clock import Clock

from zoo import TrigramLM, training
from zoo.data import pipeline
from zoo.data.dataset import DataSet
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.task import Feed
from zoo.text import data as trigrams

EPOCHS = 3
Way = Callable[[Clock], object]


def with_zoo(rows: DataSet) -> Way:
    """The preset's own way."""
    recipe = training.Recipe.from_json(
        PRESETS["trigram_lm_course"].recipe.to_json() | {"epochs": EPOCHS, "patience": None, "validation": 0.0}
    )
    model, feed = TrigramLM(), Feed(partial(pipeline.training_batches, rows, seed=0), len(rows))
    return lambda clock: training.fit(model, recipe, feed, callbacks=[clock])


def with_keras_defaults(rows: DataSet) -> Way:
    """The same network from Keras, `fit` on arrays."""
    model = keras.Sequential([
        keras.Input((3,), dtype="int32"), keras.layers.Embedding(250, 32), keras.layers.Flatten(),
        keras.layers.Dense(256, "sigmoid"), keras.layers.Dense(250),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.15, momentum=0.85), loss, metrics=["accuracy"])
    return lambda clock: model.fit(*rows.arrays(), batch_size=200, epochs=EPOCHS, verbose=0, callbacks=[clock])


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data2.h5"))
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    rows = trigrams.from_file(options.data).train
    ways = {"zoo": with_zoo(rows), "keras_defaults": with_keras_defaults(rows)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.turns):
        for name, way in ways.items():
            clock = Clock()
            way(clock)
            seconds[name].append(mean(clock.seconds[1:]))
    ratios = [slow / fast for slow, fast in zip(seconds["keras_defaults"], seconds["zoo"], strict=True)]
    result = {
        "seconds_an_epoch": {name: round(median(found), 3) for name, found in seconds.items()},
        "times_as_fast": round(median(ratios), 2),
        "least_and_greatest": [round(min(ratios), 2), round(max(ratios), 2)],
        "turns": options.turns, "versions": versions(),
    }  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
