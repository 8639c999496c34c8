"""Trials per hour in the activity space, compared with plain keras-tuner: `model.fit` on arrays, defaults of Keras.

    python benchmarks/searching.py --data data3.h5

Both search the same space on the same people for at most the same epochs, in turns, as the load of a machine changes:
the zoo by Hyperband, or with `--strategy random` at equal epochs, with one worker per core, including their start, and
plain keras-tuner at random in one process with all cores. The zoo augments windows and computes the macro-F1; plain
keras-tuner does neither.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner as kt
import numpy as np

from zoo.provenance import versions
from zoo.search import spaces
from zoo.search.run import run_trials
from zoo.search.spaces import Study
from zoo.search.trials import TRIALS, Trials

CELLS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}
SEED = 0


class Model(kt.HyperModel):
    """The activity space as one would write it with Keras and keras-tuner."""

    def build(self, hp: Any) -> keras.Model:
        """A compiled model of layers with their defaults."""
        settings = spaces.activity(hp)
        units, num_layers, frame = settings["units"], settings["num_layers"], settings["frame"]
        model = keras.Sequential([keras.Input((150, 3))])
        model.add(keras.layers.Conv1D(units, frame, strides=frame, activation=settings["frame_activation"]))
        for layer in range(num_layers):
            model.add(CELLS[settings["cell"]](units, return_sequences=layer < num_layers - 1))
            model.add(keras.layers.Dropout(settings["dropout"]))
        model.add(keras.layers.Dense(6))
        options = {"global_clipnorm": settings["clip_norm"]}
        if settings["ema_decay"]:
            options |= {"use_ema": True, "ema_momentum": settings["ema_decay"]}
        rate = settings["learning_rate"]
        optimizer = {
            "adam": lambda: keras.optimizers.Adam(rate, **options),
            "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=settings["weight_decay"], **options),
            "sgd": lambda: keras.optimizers.SGD(rate, momentum=settings["momentum"], **options),
        }[settings["optimizer"]]()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
        return model

    def fit(self, hp: Any, model: keras.Model, *arrays: Any, **options: Any) -> Any:
        """Keras's own, with the batch that was drawn."""
        return model.fit(*arrays, batch_size=spaces.activity(hp)["batch_size"], verbose=0, **options)


class Zoo:
    """The search by the zoo, with a worker on each core."""

    def __init__(self, study: Study, folder: Path) -> None:
        self.study, self.folder = study, folder
        study.open(folder)

    def search(self, trials: int) -> None:
        """Resumes until there are as many trials."""
        run_trials(replace(self.study, trials=trials), self.folder, os.cpu_count() or 1)


class Plain:
    """The same search by keras-tuner alone."""

    def __init__(self, study: Study, folder: Path) -> None:
        part = study.parts[0]
        self.train, self.validation = part.train.arrays(), part.validation.arrays()
        self.mean, self.deviation = (np.asarray(f(self.train[0], axis=(0, 1))) for f in (np.mean, np.std))
        self.epochs = study.epochs
        self.tuner = kt.RandomSearch(
            Model(), objective=kt.Objective("val_accuracy", "max"), max_trials=1, seed=SEED + 1, directory=folder,
            project_name="plain",
        )  # fmt: skip

    def search(self, trials: int) -> None:
        """Resumes until there are as many trials."""
        self.tuner.oracle.max_trials = trials
        self.tuner.search(
            (self.train[0] - self.mean) / self.deviation, self.train[1], epochs=self.epochs,
            validation_data=((self.validation[0] - self.mean) / self.deviation, self.validation[1]),
        )  # fmt: skip


def _processor_time() -> float:
    """Seconds of this process and of those that it started."""
    return sum(os.times()[:4])


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    parser.add_argument("--strategy", choices=("random", "hyperband"), default="hyperband")
    parser.add_argument("--trials", type=int, default=54)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    study = Study("activity", options.data, options.strategy, options.trials, options.epochs, seed=SEED)
    seconds, cpu = {"zoo": 0.0, "keras_tuner": 0.0}, {"zoo": 0.0, "keras_tuner": 0.0}
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(sys.stderr):
        folder = Path(scratch)
        searches = {"zoo": Zoo(study, folder / "zoo"), "keras_tuner": Plain(study, folder / "plain")}
        for turn in range(1, options.turns + 1):
            for name, one in searches.items():
                start, began = time.perf_counter(), _processor_time()
                one.search(options.trials * turn // options.turns)
                seconds[name] += time.perf_counter() - start
                cpu[name] += _processor_time() - began
        records = Trials(study, folder / "zoo" / TRIALS).all()
        plain = [trial.score for trial in searches["keras_tuner"].tuner.oracle.get_best_trials(options.trials)]
    scored = [record for record in records if record["status"] == "scored"]
    result = {
        "trials_an_hour": {name: round(3600 * options.trials / value, 1) for name, value in seconds.items()},
        "times_as_fast": round(seconds["keras_tuner"] / seconds["zoo"], 2),
        "times_as_fast_by_processor_time": round(cpu["keras_tuner"] / cpu["zoo"], 2),
        "workers": {"zoo": os.cpu_count(), "keras_tuner": 1}, "strategy": options.strategy,
        "trials": options.trials, "epochs": options.epochs,
        "epochs_trained": {"zoo": sum(r["epochs"] for r in records), "keras_tuner": options.trials * options.epochs},
        "best_validation_accuracy": {"zoo": max(r["scores"]["accuracy"] for r in scored), "keras_tuner": max(plain)},
        "versions": versions(),
    }  # fmt: skip
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
