"""An epoch of the course's language model (32, 256), batch 200, beside plain `fit` of Keras, in one run.

    python benchmarks/language.py --data data2.h5

Medians of five epochs of all 372,500 rows, in turns, after a first one that compiles.
"""

import argparse
import json
import os
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from clock import Clock

from zoo import TrigramLM, training
from zoo.data import pipeline, trigrams
from zoo.data.examples import Examples
from zoo.presets import PRESETS
from zoo.tasks.provenance import versions

EPOCHS = 6


def with_zoo(rows: trigrams.Rows) -> list[float]:
    """The preset's own way."""
    recipe = training.Recipe.from_json(
        PRESETS["trigram_lm_course"].recipe.to_json() | {"epochs": EPOCHS, "patience": None, "validation": 0.0}
    )
    examples, clock = Examples.all(rows.contexts, rows.targets), Clock()
    training.fit(
        TrigramLM(), recipe,
        lambda epoch, size: pipeline.training_batches(examples, size, seed=0, first_epoch=epoch), len(examples),
        callbacks=[clock],
    )  # fmt: skip
    return clock.seconds[1:]


def with_keras_defaults(rows: trigrams.Rows) -> list[float]:
    """The same network from Keras, `fit` on arrays."""
    model = keras.Sequential([
        keras.Input((3,), dtype="int32"), keras.layers.Embedding(250, 32), keras.layers.Flatten(),
        keras.layers.Dense(256, "sigmoid"), keras.layers.Dense(250),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.15, momentum=0.85), loss, metrics=["accuracy"])
    clock = Clock()
    model.fit(rows.contexts, rows.targets, batch_size=200, epochs=EPOCHS, verbose=0, callbacks=[clock])
    return clock.seconds[1:]


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data2.h5"))
    rows = trigrams.read(parser.parse_args().data).train
    seconds = {"zoo": with_zoo(rows), "keras_defaults": with_keras_defaults(rows)}
    seconds["zoo"] += with_zoo(rows)
    medians = {name: round(median(found), 3) for name, found in seconds.items()}
    ratio = round(medians["keras_defaults"] / medians["zoo"], 2)
    print(json.dumps({"seconds_an_epoch": medians, "times_as_fast": ratio, "versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
