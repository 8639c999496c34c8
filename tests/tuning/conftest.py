"""Searches of the quickest thing there is to train: simulated patches of 64 pixels."""

import json
import subprocess
import sys

import pytest

from tuning.records import TRIALS
from zoo.data import dead_leaves


@pytest.fixture(scope="session")
def leaves(tmp_path_factory):
    """A file of simulated patches."""
    path = tmp_path_factory.mktemp("leaves") / "data1.h5"
    dead_leaves.write_simulated(path, count=300, size=8, pictures=4, seed=0)
    return path


@pytest.fixture
def command(leaves, tmp_path):
    """A search of four trials as a person types it, into the folder `out`.

    An epoch takes milliseconds here. A trial lasts for seconds, so that a test can do something in the middle of one.
    """
    return [
        sys.executable, "-m", "zoo.cli", "tune", "sparse_autoencoder", "--strategy", "random", "--trials", "4",
        "--epochs", "600", "--set", "pixels=64", "--set", "batch_size=32", "--set", "optimizer=adam", "--best", "1",
        "--seeds", "1", "--no-halving", "--json", "--data", str(leaves), "--out", str(tmp_path / "out"),
    ]  # fmt: skip


@pytest.fixture
def begun(tmp_path):
    """Reads the records of the trials in the folder `out` as they are."""
    return lambda: [json.loads(path.read_text()) for path in sorted((tmp_path / "out" / TRIALS).glob("[0-9]*.json"))]


@pytest.fixture
def background():
    """Starts processes that end with the test."""
    started = []

    def start(command, **options):
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
