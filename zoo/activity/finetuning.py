"""Fine-tuning: the weights of a trained model as the start of a training on other data, with other labels.

new head (weights of shared labels reused) -> head fitted on the features -> all weights trained at a low rate
"""

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from zoo.activity.windows import ActivityData, Windows, center_crop
from zoo.errors import ZooError
from zoo.loading import Loaded
from zoo.models.recognizer import ActivityRecognizer

START, START_WINDOW, START_RATE = "activity_gru_phone", 150, 50.0
"""The preset whose weights are the best start for recordings of any phone, and the windows that it reads."""

_DECAY = 1e-2
"""Weight of the squared distance of a fitted head from where it starts."""

Floats = NDArray[np.floating]


def with_labels(loaded: Loaded, data: ActivityData) -> ActivityRecognizer:
    """A copy of a recognizer for the labels of data, with its weights for shared labels, and its statistics."""
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    rows, channels = data.train.inputs.shape[1:]
    if channels != len(model.channels):
        raise ZooError(f"{data}: {channels} channels; {loaded.name} reads {', '.join(model.channels)}")
    if data.rate != model.rate or rows < model.window:
        raise ZooError(
            f"{data}: windows of {rows} rows at {data.rate:g} Hz; {loaded.name} reads {model.window} at "
            f"{model.rate:g} Hz: cut them anew with `zoo data windows RECORDINGS --rate {model.rate:g} --window "
            f"{model.window}`"
        )
    return model.copy(classes=data.classes, temperature=1.0)


def fit_head(model: ActivityRecognizer, train: Windows) -> None:
    """Fits the last layer alone, on windows whose label is one class; it stays near where it starts."""
    head = model.get_layer("logits")
    network = keras.Model(model.input, head.input)
    parts = [
        (np.asarray(network.predict_on_batch(center_crop(inputs, model.window))), labels)
        for inputs, labels in train.of_one_class(len(model.classes)).blocks()
    ]
    features, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    head.set_weights(fitted_head(features, labels, *head.get_weights()))


def fitted_head(features: Floats, labels: NDArray[np.int64], kernel: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """Minimizes the cross-entropy of a softmax layer by L-BFGS, from a kernel `(F, K)` and a bias `(K,)`; returns both.

    Example:
        >>> kernel, bias = fitted_head(np.array([[-1.0], [1.0]]), np.array([0, 1]), np.zeros((1, 2)), np.zeros(2))
        >>> (np.array([[-1.0], [1.0]]) @ kernel + bias).argmax(axis=1)
        array([0, 1])
    """
    rows = np.column_stack([features.astype(np.float64), np.ones(len(features))])
    start = np.concatenate([kernel, bias[None]]).astype(np.float64)
    truth = np.eye(len(bias))[labels]

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(start.shape)
        logarithms = log_softmax(rows @ weights, axis=1)
        change = weights - start
        gradient = rows.T @ (np.exp(logarithms) - truth) / len(rows) + _DECAY * change
        return float(-(truth * logarithms).sum() / len(rows) + _DECAY / 2 * (change**2).sum()), gradient.ravel()

    found = minimize(cost, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(start.shape)
    return found[:-1], found[-1]
