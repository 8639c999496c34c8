"""Plain `keras_tuner.RandomSearch` runs on every search space, with a hypermodel that knows Keras alone."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo.search.spaces import SPACES

kt = pytest.importorskip("keras_tuner", reason="keras-tuner is not installed")

RANDOM = np.random.default_rng(0)
# The class of each kind of model, small arguments that no space decides, inputs and targets.
SMALL = {
    "activity": (
        lambda arguments: {
            "gru": zoo.ActivityGRU, "lstm": zoo.ActivityLSTM, "rnn": zoo.ActivityRNN
        }[arguments.pop("cell")],
        {"window": 60, "classes": 3}, RANDOM.normal(0, 4, (8, 60, 3)).astype("float32"), RANDOM.integers(0, 3, 8),
    ),
    "patches": (
        lambda _: zoo.SparseAutoencoder, {"pixels": 16},
        *[RANDOM.uniform(0.1, 0.9, (8, 16)).astype("float32")] * 2,
    ),
    "text": (
        lambda _: zoo.TrigramLM, {"vocabulary": 20}, RANDOM.integers(0, 20, (8, 3)), RANDOM.integers(0, 20, 8)
    ),
}  # fmt: skip


class HyperModel(kt.HyperModel):
    """A space as keras-tuner sees it."""

    def __init__(self, kind, space):
        super().__init__()
        self.kind, self.space = kind, space

    def build(self, hp):
        settings = self.space(hp)
        find, small, _, _ = SMALL[self.kind]
        family = find(settings)
        arguments = {name: value for name, value in settings.items() if name in family.argument_names()}
        model = family(**arguments | small)
        loss = "mse" if self.kind == "patches" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = keras.optimizers.get(
            {"class_name": settings["optimizer"], "config": {"learning_rate": settings["learning_rate"]}}
        )
        model.compile(optimizer, loss, run_eagerly=True)
        return model


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, spaces in SPACES.items() for name in spaces])
def test_random_search_runs_on_it(kind, name, tmp_path):
    *_, x, y = SMALL[kind]
    tuner = kt.RandomSearch(
        HyperModel(kind, SPACES[kind][name]), objective=kt.Objective("val_loss", "min"), max_trials=2, seed=0,
        directory=tmp_path, project_name=name,
    )  # fmt: skip
    tuner.search(x, y, validation_data=(x, y), epochs=1, verbose=0)
    # keras-tuner goes on after trials that fail, and names a best one all the same.
    trials = tuner.oracle.trials.values()
    assert [trial.status for trial in trials] == ["COMPLETED"] * 2
    assert all(np.isfinite(trial.score) for trial in trials)
    assert len({json.dumps(trial.hyperparameters.values, sort_keys=True) for trial in trials}) == 2
    best = tuner.get_best_models()[0]
    assert np.isfinite(best.evaluate(x, y, verbose=0))
