"""Fixtures: simulated data for everywhere, real data where a checkout has it beside it."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

REAL = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated data3.h5 of four people."""
    from zoo.data import gait

    path = tmp_path_factory.mktemp("simulated") / "data3.h5"
    gait.write_simulated(path, subjects=4, seed=0, seconds=20)
    return path


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data."""
    if not REAL.is_dir():
        # Where CI is set, real data is a part of what must pass.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no real data in {REAL}")
    return REAL
