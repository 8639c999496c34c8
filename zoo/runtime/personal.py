"""Recognizers that adapt to their owner by training the last layer on the device.

A minute of windows can also teach what is wrong for the hours after it. The last layer therefore moves only part of the
way from its earlier weights W to the learned ones W', as far as windows that were held back say that it helps:

    W + s (W' - W),  s in {0, 0.1, 0.25, 0.5, 0.75, 1}

(Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). Each window is held back once. The share s with the
lowest mean cross-entropy of these is taken if it is lower than without learning by more than its standard error.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import atomic_write, read_arrays
from zoo.runtime.recognizer import Recognizer

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the way to the learned weights that are tried."""

Head = dict[str, NDArray[np.float32]]
"""`kernel (H, K)` and `bias (K,)` of the last layer."""


class PersonalRecognizer(Recognizer):
    """Runs and trains a `model.personal.tflite`, as written by `zoo export --personalize`.

    Args:
        path: Path of the file. It is never changed.

    Raises:
        ZooError: If the file cannot be trained.

    Example:
        >>> from zoo.catalog import PRESETS_FOLDER
        >>> recognizer = PersonalRecognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.personal.tflite")
        >>> still = np.full((4, 150, 3), (0.0, 0.0, 9.8), np.float32)
        >>> losses = recognizer.learn(still, np.full(4, recognizer.metadata.classes.index("sitting")), epochs=5)
        >>> losses[-1] < losses[0]
        True
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        if "train" not in self.signatures:
            raise ZooError(f"{self.path}: cannot learn; export one that can with `zoo export --personalize`")

    def learn(
        self, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, epochs: int = 20,
        rate: float = 0.02, seed: int = 0, folds: int = 3,
    ) -> list[float]:  # fmt: skip
        """Trains the last layer with one window per step, reshuffled in each epoch, and keeps what helps.

        Args:
            windows: Windows of the owner, `(N, window, channels)`.
            labels: Class indices `(N,)`. Include all classes, or the recognizer unlearns the others.
            epochs: Number of passes over the windows.
            rate: Learning rate, above 0.
            seed: Random seed of the shuffling.
            folds: Number of parts of the windows, each of which is held back once to decide how much of what was
                learned is kept, possibly nothing. 0 keeps everything, as do windows too few to hold any back.

        Returns:
            The mean loss of each epoch.
        """
        known = self._head()
        share = self._share_that_helps(windows, labels, epochs, rate, seed, folds)
        losses = self._train(windows, labels, epochs, rate, seed)
        self._set_head(_between(known, self._head(), share))
        return losses

    def _share_that_helps(
        self, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], epochs: int, rate: float,
        seed: int, folds: int,
    ) -> float:  # fmt: skip
        """The share of the learned weights that lowers the loss on windows held back, or 0; 1 without any."""
        # The windows of a class are dealt out in turn, so that each part has windows of all classes.
        fold_of = rank_in_class(labels) % max(folds, 1)
        known, losses = self._head(), []
        for fold in range(folds):
            held_back = fold_of == fold
            if held_back.any() and not held_back.all():
                self._train(windows[~held_back], labels[~held_back], epochs, rate, seed)
                learned = self._head()
                losses.append([self._losses(_between(known, learned, share), windows[held_back], labels[held_back])
                               for share in (0.0, *SHARES)])  # fmt: skip
                self._set_head(known)
        if not losses:
            return 1.0
        untaught, *taught = np.concatenate(losses, axis=1)
        best = int(np.argmin([loss.mean() for loss in taught]))
        gains = untaught - taught[best]
        return SHARES[best] if gains.mean() > gains.std() / np.sqrt(len(gains)) else 0.0

    def _train(
        self, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], epochs: int, rate: float, seed: int
    ) -> list[float]:
        random, losses = np.random.default_rng(seed), []
        for _ in range(epochs):
            order = random.permutation(len(windows))
            losses.append(float(np.mean([self._step(windows[i], int(labels[i]), rate) for i in order])))
        return losses

    def _step(self, window: NDArray[np.floating[Any]], label: int, rate: float) -> float:
        outputs = self.run(
            "train", window=window[None].astype(np.float32), label=np.array([label], np.int32),
            rate=np.array(rate, np.float32),
        )  # fmt: skip
        return float(outputs["loss"][0])

    def _losses(
        self, head: Head, windows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
    ) -> NDArray[np.floating[Any]]:
        """The cross-entropy of each window with these weights."""
        self._set_head(head)
        probabilities = self.predict(windows)[np.arange(len(labels)), labels]
        losses: NDArray[np.floating[Any]] = -np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
        return losses

    def _head(self) -> Head:
        """A copy of the weights of the last layer."""
        return {name: np.array(weights) for name, weights in self.run("save").items()}

    def _set_head(self, head: Head) -> None:
        self.run("restore", new_kernel=head["kernel"], new_bias=head["bias"])

    def save(self, path: Path) -> None:
        """Saves the learned weights, a few hundred numbers, to a `.npz` file."""
        learned = self._head()
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, kernel=learned["kernel"], bias=learned["bias"])

    def restore(self, path: Path) -> None:
        """Loads weights written by `save`.

        Raises:
            ZooError: If the file is missing, or is not one of learned weights.
        """
        saved = read_arrays(path)
        if set(saved) != {"kernel", "bias"}:
            raise ZooError(f"{path}: holds no learned weights (arrays {', '.join(sorted(saved)) or 'none'})")
        self._set_head(saved)


def rank_in_class(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How many of the labels before each are the same.

    Example:
        >>> rank_in_class(np.array([3, 5, 3, 3])).tolist()
        [0, 0, 1, 2]
    """
    return np.array([int((labels[:place] == label).sum()) for place, label in enumerate(labels)], np.int64)


def _between(known: Head, learned: Head, share: float) -> Head:
    return {name: known[name] + np.float32(share) * (learned[name] - known[name]) for name in known}
