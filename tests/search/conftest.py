"""Searches of the quickest model there is to train: an autoencoder of simulated patches of 64 pixels."""

import json

import pytest

from zoo.patches import simulate
from zoo.search.run import run_trials, search
from zoo.search.spaces import Study

SETTINGS = {
    "pixels": 64, "batch_size": 256, "hidden_units": 16, "sparsity_target": 0.05, "sparsity_weight": 1.0,
    "optimizer": "adam", "schedule": "constant", "symmetries": False,
}  # fmt: skip
"""One architecture and optimizer; the learning rate and weight decay are searched."""

GRU = {
    "frame": 10, "units": 8, "num_layers": 1, "frame_activation": "tanh", "magnitude": True, "batch_size": 128,
    "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "ema_decay": 0.0, "label_smoothing": 0.1,
    "augmentation": None,
}  # fmt: skip
"""A small recognizer; one of five rates of dropout is searched."""


class Search:
    """A search in a folder, with one final training unless more are asked for."""

    def __init__(self, data, folder):
        self.data, self.folder = data, folder

    def study(self, target="sparse_autoencoder", **options):
        """A study of three trials, unless options say otherwise."""
        options = {"strategy": "random", "trials": 3, "epochs": 2, "settings": SETTINGS} | options
        return Study(target, self.data, **options)

    def try_out(self, study=None, **options):
        """Runs or resumes the trials alone, and returns their records."""
        study = study or self.study(**options)
        study.open(self.folder)
        run_trials(study, self.folder)
        return self.records()

    def run(self, study=None, best=1, seeds=1, **options):
        """Runs or resumes the search with its finals and report, and returns the records of its trials."""
        study = study or self.study(**options)
        self.result = search(study, self.folder, best=best, seeds=seeds)
        return self.records()

    def records(self, kind="trials"):
        """The records in the folder, ordered by trial."""
        found = [json.loads(path.read_text()) for path in (self.folder / kind).glob("[0-9]*.json")]
        return sorted(found, key=lambda record: (record["trial"], record["recipe"]["seed"]))


@pytest.fixture(scope="session")
def leaves(tmp_path_factory):
    """A file of simulated patches."""
    path = tmp_path_factory.mktemp("leaves") / "data1.h5"
    simulate.write_simulated(path, count=300, size=8, pictures=4, seed=0)
    return path


@pytest.fixture
def patches(leaves, tmp_path):
    """A search of simulated patches."""
    return Search(leaves, tmp_path / "out")
