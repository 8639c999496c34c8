"""The baseline `augmented_random_forest`: a random forest that learns from augmented windows, as the networks do."""

from typing import Any, Self

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier

from zoo.activity.augmentation import Augmentation
from zoo.activity.metrics import features
from zoo.presets import PRESETS

TREES, BATCH = 400, 1024


class AugmentedForest(ClassifierMixin, BaseEstimator):
    """The forest of `zoo crossval`, on windows as they are and a copy of each, augmented as by `activity_gru_phone`.

    Each tree learns from as many windows as there are without copies, which are drawn from all of them, so trees see
    the same window in two ways, and no tree takes longer.

    Args:
        random_state: Seed of the forest and of the augmentation.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, windows: NDArray[np.float32], labels: NDArray[np.int64]) -> Self:
        """Learns from windows `(N, T, 3)` and their labels."""
        rows = np.concatenate([features(windows), features(self._augmented(windows))])
        self.forest_ = RandomForestClassifier(
            TREES, random_state=self.random_state, n_jobs=1, class_weight="balanced_subsample", max_samples=len(windows)
        )
        self.forest_.fit(rows, np.tile(labels, 2))
        self.classes_ = self.forest_.classes_
        return self

    def _augmented(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        change = Augmentation(**PRESETS["activity_gru_phone"].recipe.augmentation)
        parts = np.split(windows, range(BATCH, len(windows), BATCH))
        seeds = tf.constant([[self.random_state, number] for number in range(len(parts))], tf.int64)
        return np.concatenate([change(tf.constant(part), seed) for part, seed in zip(parts, seeds, strict=True)])

    def predict_proba(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """The share of the trees for each class."""
        shares: NDArray[np.float64] = self.forest_.predict_proba(features(windows))
        return shares

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.int64]:
        """The class of most trees."""
        return self.classes_[self.predict_proba(windows).argmax(axis=1)]
