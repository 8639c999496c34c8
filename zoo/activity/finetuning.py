"""Fine-tuning: the weights of a trained model as the start of a training on other data, with other labels.

new head (weights of shared labels reused) -> head fitted on the features -> all weights trained at a low rate
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from zoo.activity.task import TASK
from zoo.data.dataset import Data, DataSet, center_crop
from zoo.loading import Loaded
from zoo.models.model import Model
from zoo.models.recognizer import ActivityRecognizer
from zoo.provenance import already_seen, known_of, with_parent
from zoo.recipe import Recipe

_DECAY = 1e-2
"""Weight of the squared distance of a fitted head from where it starts."""

FINETUNE = Recipe(
    optimizer="adam", learning_rate=3e-3, schedule="cosine", clip_norm=1.0, ema_decay=0.999, batch_size=32, steps=1000,
    parts=20, validation=0.2, start_share=0.25,
)  # fmt: skip
"""Default recipe of `finetune`, of any task."""

_START_PEOPLE = 2
"""Weights from which fine-tuning starts count as much as what it learned from so many people: docs/small-data.md."""

Floats = NDArray[np.floating]


def recipe_for(loaded: Loaded, data: Data, changes: Recipe | Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of a fine-tuning: the more people, the less remains of the weights from which it starts."""
    if isinstance(changes, Recipe):
        loaded.task.check_recipe(changes, (), loaded.name, built=True)
        return changes
    learned = loaded.config.get("recipe") or loaded.task.recipe.to_json()
    start = {name: learned[name] for name in ("augmentation", "label_smoothing") if name in learned}
    if data.task != "activity":
        start["epochs"] = FINETUNE.parts
    if people := len(data.train.people()) if data.task == "activity" else 0:
        start["start_share"] = _START_PEOPLE / (_START_PEOPLE + people)
    recipe = FINETUNE.replace(**start).replace(**(changes or {}))
    loaded.task.check_recipe(recipe, changes or {}, loaded.name, built=True)
    return recipe


def familiar(loaded: Loaded, data: Data) -> str | None:
    """Why fine-tuning says nothing new, as the model was trained on this file or on all of its people; else None."""
    known = "from which fine-tuning learns nothing new; did you mean data of your own?"
    if data.sha256 in [training["data_sha256"] for training in with_parent(known_of(loaded.keras_model))]:
        return f"{data}: is the file that {loaded.name} was trained on, {known}"
    people = data.train.people()
    if people and already_seen(people, data.source, loaded.metadata) == people:
        return f"{data}: {loaded.name} was trained on all of its people, {known}"
    return None


def with_labels(loaded: Loaded, data: Data) -> ActivityRecognizer:
    """A copy of a recognizer for the labels of data, with its weights for shared labels, and its statistics."""
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    TASK.match(data, loaded.name, {"window": model.window, "rate": model.rate, "channels": model.channels})
    return model.copy(classes=data.classes, temperature=1.0)


@contextmanager
def frozen_layers(model: Model, names: Sequence[str]) -> Iterator[None]:
    """Freezes layers for a training; those that their owner has frozen, also inside of them, stay so."""
    parts = [part for name in names for part in model.get_layer(name)._flatten_layers()]
    before = [part.trainable for part in parts]
    try:
        for part in parts:
            part.trainable = False
        yield
    finally:
        for part, trainable in zip(parts, before, strict=True):
            part.trainable = trainable


def fit_head(model: ActivityRecognizer, train: DataSet) -> None:
    """Fits the last layer alone, on windows whose label is one class; it stays near where it starts."""
    head = model.get_layer("logits")
    network = keras.Model(model.input, head.input)
    parts = [
        (np.asarray(network.predict_on_batch(center_crop(inputs, model.window))), labels)
        for inputs, labels in train.of_one_class(len(model.classes)).blocks()
    ]
    features, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    fitted = fitted_head(features, labels, *model.last_weights, with_bias=head.use_bias)
    for weight, values in zip(head.weights, fitted, strict=False):
        weight.assign(values if weight.constraint is None else weight.constraint(values))


def fitted_head(
    features: Floats, labels: NDArray[np.int64], kernel: Floats, bias: Floats, *, with_bias: bool = True
) -> tuple[Floats, Floats]:
    """Minimizes the cross-entropy of a softmax layer by L-BFGS, from a kernel `(F, K)` and a bias `(K,)`; returns both.

    Without `with_bias`, the bias stays as it is.

    Example:
        >>> kernel, bias = fitted_head(np.array([[-1.0], [1.0]]), np.array([0, 1]), np.zeros((1, 2)), np.zeros(2))
        >>> (np.array([[-1.0], [1.0]]) @ kernel + bias).argmax(axis=1)
        array([0, 1])
    """
    rows = np.column_stack([features.astype(np.float64), np.full(len(features), float(with_bias))])
    start = np.concatenate([kernel, bias[None]]).astype(np.float64)
    truth = np.eye(len(bias))[labels]

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(start.shape)
        logarithms = log_softmax(rows @ weights, axis=1)
        change = weights - start
        gradient = rows.T @ (np.exp(logarithms) - truth) / len(rows) + _DECAY * change
        return float(-(truth * logarithms).sum() / len(rows) + _DECAY / 2 * (change**2).sum()), gradient.ravel()

    fitted = minimize(cost, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(start.shape)
    return fitted[:-1], fitted[-1]
