"""Constructors refuse arguments out of their ranges, by name."""

import pytest

from zoo import ActivityCNN, ActivityGRU, SparseAutoencoder, TrigramLM, ZooError

CASES = [
    (ActivityGRU, {"units": 0}, "units is 0; expected a whole number, 1 or more"),
    (ActivityGRU, {"num_layers": 1.5}, "num_layers is 1.5; expected a whole number"),
    (ActivityGRU, {"frame": 7}, "window 150 is not a multiple of frame 7"),
    (ActivityGRU, {"dropout": 1.0}, "dropout is 1; expected 0 or more, below 1"),
    (ActivityGRU, {"initializer": "he"}, "initializer 'he': expected keras or course"),
    (ActivityGRU, {"mean": [0.0], "variance": [1.0]}, "mean has 1 numbers for 3 channels"),
    (ActivityGRU, {"classes": ("a", "a")}, "classes is .*; expected different names"),
    (ActivityGRU, {"threshold": 1.0}, "threshold is 1.0; expected 0 or more, below 1"),
    (ActivityGRU, {"rate": 0}, "rate is 0; expected a number above 0"),
    (ActivityCNN, {"filters": 0}, "filters is 0; expected a whole number, 1 or more"),
    (ActivityCNN, {"window": 15}, "window 15: 4 blocks need 16 rows or more"),
    (ActivityCNN, {"dropout": 1.0}, "dropout is 1; expected 0 or more, below 1"),
    (SparseAutoencoder, {"hidden_units": 0}, "hidden_units is 0; expected a whole number"),
    (SparseAutoencoder, {"sparsity_target": 1.0}, "sparsity target 1: expected a number between 0 and 1"),
    (SparseAutoencoder, {"sparsity_weight": -1.0}, "sparsity weight -1: expected 0 or more"),
    (SparseAutoencoder, {"weight_decay": -1.0}, "weight decay -1: expected 0 or more"),
    (SparseAutoencoder, {"scale": (1.0,)}, "scale has 1 numbers; expected 3"),
    (TrigramLM, {"vocabulary": 0}, "vocabulary is 0; expected a whole number, 1 or more"),
    (TrigramLM, {"embedding": 2.5}, "embedding is 2.5; expected a whole number"),
    (TrigramLM, {"context": 0}, "context is 0; expected a whole number"),
    (TrigramLM, {"embedding_dropout": -0.1}, "embedding_dropout is -0.1; expected 0 or more, below 1"),
    (TrigramLM, {"word_dropout": float("nan")}, "word_dropout is nan; expected 0 or more, below 1"),
    (TrigramLM, {"activation": "sigmoyd"}, "activation is 'sigmoyd'; expected the name of a Keras activation"),
    (TrigramLM, {"initializer": "he"}, "initializer 'he': expected keras or wide or course"),
]


@pytest.mark.parametrize(("model", "arguments", "message"), CASES)
def test_an_argument_outside_its_range_is_refused(model, arguments, message):
    with pytest.raises(ZooError, match=message):
        model(**arguments)
