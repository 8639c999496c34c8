"""Searches of the quickest model there is to train: an autoencoder of simulated patches of 64 pixels."""

import pytest

from zoo.patches import simulate


@pytest.fixture(scope="session")
def leaves(tmp_path_factory):
    """A file of simulated patches."""
    path = tmp_path_factory.mktemp("leaves") / "data1.h5"
    simulate.write_simulated(path, count=300, size=8, pictures=4, seed=0)
    return path
