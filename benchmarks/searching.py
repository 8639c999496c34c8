"""Trials an hour of the activity space, beside plain keras-tuner: `model.fit` on arrays, Keras's defaults, in one run.

    python benchmarks/searching.py --data data3.h5

Both train the same models of the same draws for the same epochs on the same people, with the same patience, one
process each. Plain keras-tuner does not augment, as arrays do not; the zoo does.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner as kt
import numpy as np

from tuning import search, spaces
from tuning.study import Study
from tuning.trials import Trainer
from zoo.tasks.activity import everything_of
from zoo.tasks.provenance import versions

CELLS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}
SEED = 0


class Plain(kt.HyperModel):
    """The activity space as one would write it with Keras and keras-tuner."""

    def build(self, hp: Any) -> keras.Model:
        """A compiled model of layers with their defaults."""
        arguments, recipe = spaces.activity(hp)
        units, layers = arguments["units"], arguments["layers"]
        model = keras.Sequential([keras.Input((150, 3))])
        model.add(
            keras.layers.Conv1D(
                units, arguments["frame"], strides=arguments["frame"], activation=arguments["frame_activation"]
            )
        )
        for layer in range(layers):
            model.add(CELLS[arguments["cell"]](units, return_sequences=layer < layers - 1))
            model.add(keras.layers.Dropout(arguments["dropout"]))
        model.add(keras.layers.Dense(6))
        options = {"global_clipnorm": recipe.clip_norm}
        if recipe.average:
            options |= {"use_ema": True, "ema_momentum": recipe.average}
        rate = recipe.learning_rate
        optimizer = {
            "adam": lambda: keras.optimizers.Adam(rate, **options),
            "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **options),
            "sgd": lambda: keras.optimizers.SGD(rate, momentum=recipe.momentum, **options),
        }[recipe.optimizer]()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
        return model

    def fit(self, hp: Any, model: keras.Model, *arrays: Any, callbacks: Any = (), **options: Any) -> Any:
        """Keras's own, with the batch and the patience that were drawn."""
        _, recipe = spaces.activity(hp)
        stop = [keras.callbacks.EarlyStopping(patience=recipe.patience)] if recipe.patience else []
        return model.fit(*arrays, batch_size=recipe.batch_size, callbacks=[*callbacks, *stop], verbose=0, **options)


def with_zoo(trainer: Trainer, study: Study, folder: Path) -> float:
    """Seconds of a search by the zoo."""
    start = time.perf_counter()
    search.run(study, folder, trainer)
    records = trainer.records.all()
    assert [record["status"] for record in records] == ["scored"] * study.trials, records
    return time.perf_counter() - start


def with_keras_tuner(trainer: Trainer, study: Study, folder: Path) -> float:
    """Seconds of the same search by keras-tuner alone."""
    train, validation = (everything_of(part) for part in (trainer.parts[0].train, trainer.parts[0].validation))
    mean, deviation = (np.asarray(f(train[0], axis=(0, 1))) for f in (np.mean, np.std))
    start = time.perf_counter()
    tuner = kt.RandomSearch(
        Plain(), objective=kt.Objective("val_accuracy", "max"), max_trials=study.trials, seed=SEED + 1,
        directory=folder, project_name="plain",
    )  # fmt: skip
    tuner.search(
        (train[0] - mean) / deviation, train[1], epochs=study.epochs,
        validation_data=((validation[0] - mean) / deviation, validation[1]),
    )  # fmt: skip
    return time.perf_counter() - start


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    study = Study("activity", options.data, "random", options.trials, options.epochs, seed=SEED)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
        trainer = Trainer(study, Path(scratch))
        assert trainer.parts
        seconds = {
            "zoo": with_zoo(trainer, study, Path(scratch)),
            "keras_tuner": with_keras_tuner(trainer, study, Path(scratch)),
        }
        records = trainer.records.all()
    result = {
        "trials_an_hour": {name: round(3600 * study.trials / value, 1) for name, value in seconds.items()},
        "times_as_fast": round(seconds["keras_tuner"] / seconds["zoo"], 2), "trials": study.trials,
        "epochs": study.epochs, "epochs_trained_by_zoo": sum(record["epochs"] for record in records),
        "versions": versions(),
    }  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
