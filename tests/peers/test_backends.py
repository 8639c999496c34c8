"""Layers work on every backend of Keras that is installed, and models predict the same on each."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = [HERE / "test_keras_layers.py", HERE.parent / "models" / "test_layers.py"]


@pytest.fixture(params=["jax", "torch", "numpy"])
def backend(request):
    # Keras' NumPy backend takes a few operations from JAX.
    needed = {"numpy": ["jax"]}.get(request.param, [request.param])
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        pytest.skip(f"the {request.param} backend of Keras needs {', '.join(missing)}, which is not installed")
    return request.param


def test_layers_pass_their_tests_on_every_backend(backend):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *TESTS],
        env=os.environ | {"KERAS_BACKEND": backend}, cwd=HERE.parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-5000:]
