"""Layers work on every backend of Keras that is installed, and models predict the same on each."""

import importlib.util

import pytest
from running import ROOT, python

TESTS = ("tests/peers/test_keras_layers.py", "tests/models/test_layers.py")


@pytest.fixture(params=["jax", "torch", "numpy"])
def backend(request):
    # Keras' NumPy backend takes a few operations from JAX.
    needed = {"numpy": ["jax"]}.get(request.param, [request.param])
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        pytest.skip(f"the {request.param} backend of Keras needs {', '.join(missing)}, which is not installed")
    return request.param


def test_layers_pass_their_tests_on_every_backend(backend):
    options = ("-q", "--no-header", "-p", "no:cacheprovider")
    run = python("-m", "pytest", *options, *TESTS, cwd=ROOT, KERAS_BACKEND=backend)
    assert run.returncode == 0, run.stdout[-5000:]
