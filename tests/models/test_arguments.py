"""Constructors refuse arguments out of their ranges, by name."""

import re

import numpy as np
import pytest
import tensorflow as tf
from running import message

from zoo import ActivityCNN, ActivityGRU, CrossEntropy, KLSparsity, SparseAutoencoder, TrigramLM

NAN = float("nan")

CASES = [
    (ActivityGRU, {"units": 0}, "units is 0; expected 1 or more"),
    (ActivityGRU, {"units": 10**30}, "units is 1000.*; expected at most 16384"),
    (ActivityGRU, {"units": True}, "units is True; expected a whole number"),
    (ActivityGRU, {"num_layers": 1.5}, "num_layers is 1.5; expected a whole number"),
    (ActivityGRU, {"frame": 7}, "window 150 is not a multiple of frame 7"),
    (ActivityGRU, {"dropout": -1}, "dropout is -1; expected 0 or more"),
    (ActivityGRU, {"dropout": 1.0}, "dropout is 1.0; expected below 1"),
    (ActivityGRU, {"initializer": "he"}, "initializer is 'he'; expected keras or course"),
    (ActivityGRU, {"mean": [0.0], "variance": [1.0]}, "mean has 1 numbers for 3 channels"),
    (ActivityGRU, {"classes": ("a", "a")}, "classes is .*; expected different names"),
    (ActivityGRU, {"threshold": 1.0}, "threshold is 1.0; expected below 1"),
    (ActivityGRU, {"rate": 0}, "rate is 0; expected 0.1 or more"),
    (ActivityGRU, {"rate": NAN}, "rate is nan; expected a number"),
    (ActivityGRU, {"window": 1}, "window is 1; expected 2 or more"),
    (ActivityGRU, {"classes": ("a\nb", "c")}, "classes is .*; expected different names"),
    (ActivityGRU, {"classes": "abc"}, "classes is 'abc'; expected different names"),
    (ActivityGRU, {"classes": []}, r"classes is \[\]; expected different names"),
    (ActivityGRU, {"channels": "a"}, "channels is 'a'; expected 3 or 6"),
    (ActivityGRU, {"mean": [0] * 3}, "expected both, or neither"),
    (ActivityGRU, {"dtype": "nonsense"}, "dtype is 'nonsense'; expected a policy"),
    (ActivityGRU, {"name": "x" * 201}, "name is .*; expected at most 200 of the characters a-z"),
    (CrossEntropy, {"label_sets": [()]}, "label_sets is .*; expected the classes of each"),
    (ActivityGRU, {"mean": [NAN] * 3}, r"mean is nan; expected a number"),
    (ActivityGRU, {"mean": "abc"}, "mean is 'abc'; expected a number"),
    (ActivityGRU, {"mean": [0] * 3, "variance": [1, 0, 1]}, r"variance is 0; expected above 0"),
    (ActivityGRU, {"magnitude": 3}, "magnitude is 3; expected true or false"),
    (ActivityGRU, {"seed": -1}, "seed is -1; expected 0 or more"),
    (ActivityGRU, {"name": 3}, "name is 3; expected text"),
    (ActivityGRU, {"name": "my model"}, "name is 'my model'; expected at most 200 of the characters"),
    (ActivityGRU, {"name": "a\nb"}, "name is .*; expected at most 200 of the characters"),
    (ActivityGRU, {"provenance": 7}, "provenance is 7; expected names and values"),
    (ActivityCNN, {"window": 15}, "window 15: 4 blocks need 16 rows or more"),
    (SparseAutoencoder, {"hidden_units": 0}, "hidden_units is 0; expected 1 or more"),
    (SparseAutoencoder, {"sparsity_target": 1.0}, "sparsity_target is 1.0; expected below 1"),
    (SparseAutoencoder, {"sparsity_weight": -1.0}, "sparsity_weight is -1.0; expected 0 or more"),
    (SparseAutoencoder, {"weight_decay": -1.0}, "weight_decay is -1.0; expected 0 or more"),
    (SparseAutoencoder, {"scale": (1.0,)}, "scale is .*; expected 3 numbers"),
    (SparseAutoencoder, {"scale": (1, 1, 1)}, r"scale is .*; expected 3 numbers: a limit above 0"),
    (SparseAutoencoder, {"pixels": 200}, "pixels is 200; expected a square, such as 256"),
    (CrossEntropy, {"label_smoothing": 2.0}, "label_smoothing is 2.0; expected below 1"),
    (CrossEntropy, {"class_weights": [-1.0]}, "class_weights is -1.0; expected 0 or more"),
    (KLSparsity, {"target": "a"}, "target is 'a'; expected a number"),
    (TrigramLM, {"vocabulary": "abc"}, "vocabulary is 'abc'; expected different names, or how many"),
    (TrigramLM, {"vocabulary": 0}, "vocabulary is 0; expected 1 or more"),
    (TrigramLM, {"context": 0}, "context is 0; expected 1 or more"),
    (TrigramLM, {"word_dropout": NAN}, "word_dropout is nan; expected a number"),
    (TrigramLM, {"activation": "sigmoyd"}, "activation is 'sigmoyd'; expected the name of a Keras activation"),
    (TrigramLM, {"initializer": "he"}, "initializer is 'he'; expected keras, wide or course"),
]


@pytest.mark.parametrize(("model", "arguments", "refusal"), CASES)
def test_an_argument_outside_its_range_is_refused(model, arguments, refusal):
    assert re.search(refusal, message(lambda: model(**arguments)))


def test_numbers_of_numpy_are_numbers():
    model = ActivityGRU(np.int64(4), classes=np.int32(2), window=np.int64(20), mean=np.zeros(3), variance=np.ones(3))
    again = ActivityGRU.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert model.get_config()["mean"] == [0.0, 0.0, 0.0]


ONE = np.zeros((1, 4), "float32")
ROWS = [
    ("step", np.ones((1, 3, 3)), {"h_1": ONE}, r"frame has shape \(1, 3, 3\); expected \(batch, 5, 3\)"),
    ("step", [[1, 2, 3]], {"h_1": ONE}, r"frame has shape None"),
    ("step", np.ones((1, 5, 3)), {}, r"state h_1 has shape None; expected \(batch, 4\), at first zeros"),
    ("step", np.ones((1, 5, 3)), {"h_1": ONE[:, :2]}, r"state h_1 has shape \(1, 2\); expected \(batch, 4\)"),
    ("chunk", np.ones((1, 7, 3)), {"h_1": ONE}, r"frames has shape \(1, 7, 3\); expected \(batch, n \* 5, 3\)"),
]


@pytest.mark.parametrize(("method", "rows", "states", "refusal"), ROWS)
def test_rows_of_another_shape_are_refused_by_a_step(method, rows, states, refusal):
    model = ActivityGRU(units=4, frame=5, window=20)
    assert re.search(refusal, message(lambda: getattr(model, method)(rows, states)))


X = np.random.default_rng(0).normal(0, 4, (8, 20, 3)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("bad", [(X[:, :5], np.zeros(8)), (X, [None] * 8), (X, np.full(8, 7))])
def test_a_model_is_usable_after_a_fit_that_failed(bad):
    model = ActivityGRU(units=4, classes=3, window=20)
    model.compile()
    for call in (model.fit, model.evaluate):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            call(*bad, verbose=0)
    labels = np.arange(8) % 3
    assert np.isfinite(model.fit(X, labels, verbose=0).history["loss"]).all()
    assert np.isfinite(model.evaluate(X, labels, verbose=0)).all()
