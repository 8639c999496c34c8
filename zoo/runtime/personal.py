"""Recognizers that adapt to their owner by training the last layer on the device."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.runtime.recognizer import Recognizer


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
        rate: float = 0.02, seed: int = 0,
    ) -> list[float]:  # fmt: skip
        """Trains the last layer with one window per step, reshuffled in each epoch.

        Args:
            windows: Windows of the owner, `(N, window, channels)`.
            labels: Class indices `(N,)`. Include all classes, or the recognizer unlearns the others.
            epochs: Number of passes over the windows.
            rate: Learning rate, above 0.
            seed: Random seed of the shuffling.

        Returns:
            The mean loss of each epoch.
        """
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

    def save(self, path: Path) -> None:
        """Saves the learned weights, a few hundred numbers, to a `.npz` file."""
        learned = self.run("save")
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, kernel=learned["kernel"], bias=learned["bias"])

    def restore(self, path: Path) -> None:
        """Loads weights written by `save`.

        Raises:
            ZooError: If the file is missing, or is not one of learned weights.
        """
        try:
            with np.load(path) as saved:
                kernel, bias = saved["kernel"], saved["bias"]
        except (OSError, KeyError, ValueError) as error:
            raise ZooError(f"{path}: holds no learned weights ({error})") from error
        self.run("restore", new_kernel=kernel, new_bias=bias)
