"""A `.tflite` file that recognizes activities: from whole windows, frame by frame, or from a signal without end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.metadata import ActivityMetadata, Streaming
from zoo.runtime.interpreter import Interpreter
from zoo.runtime.streaming import Stream

States = dict[str, NDArray[np.float32]]
"""Each `(1, units)`, by the names in the metadata."""


class Recognizer(Interpreter):
    """A `.tflite` file that recognizes activities.

    Args:
        path: The file.

    Raises:
        ZooError: If the file cannot run, or is no recognizer of activities.

    Example:
        >>> from zoo.catalog import PRESETS_FOLDER
        >>> recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite")
        >>> recognizer.predict(np.zeros((2, 150, 3), np.float32)).shape
        (2, 6)
    """

    metadata: ActivityMetadata

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        if not isinstance(self.metadata, ActivityMetadata):
            raise ZooError(f"{self.path}: holds {self.metadata.family}, which is no recognizer of activities")

    def predict(self, windows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Calibrated probabilities of windows, one after another.

        A file that can only step, as those of integer arithmetic, reads each window frame by frame.

        Args:
            windows: `(N, window, 3)`, m/s^2 in the convention of the metadata.

        Returns:
            `(N, classes)`.

        Raises:
            ZooError: If the windows are of another shape.
        """
        expected = (self.metadata.window, len(self.metadata.axes))
        if windows.ndim != 3 or windows.shape[1:] != expected:
            raise ZooError(f"{self.path}: windows of shape {windows.shape}; expected (N, {expected[0]}, {expected[1]})")
        answer = self._window if {"window", "infer"} & set(self.signatures) else self._steps
        rows = [answer(window[None].astype(np.float32)) for window in windows]
        return np.concatenate(rows) if rows else np.empty((0, len(self.metadata.classes)), np.float32)

    def _window(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.run("window" if "window" in self.signatures else "infer", window=window)["probabilities"]

    def _steps(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        states, frame = self.zeros(), self.metadata.frame
        for start in range(0, window.shape[1], frame):
            probabilities, states = self.step(window[:, start : start + frame], states)
        return probabilities

    def zeros(self) -> States:
        """The states that a window begins with."""
        return {name: np.zeros((1, size), np.float32) for name, size in self.metadata.states.items()}

    def step(
        self, frame: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], States]:
        """One step of the recurrent cells.

        Args:
            frame: `(1, frame, 3)`, m/s^2.
            states: What the step before gave, or `zeros()`.

        Returns:
            Probabilities `(1, classes)` and the new states.

        Raises:
            ZooError: If a shape is not what the file was made for.
        """
        return self._go_on("step", {"frame": frame, **states})

    def chunk(
        self, frames: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], States]:
        """Several steps at once.

        Args:
            frames: `(1, chunk * frame, 3)`, m/s^2.
            states: What was given before, or `zeros()`.

        Returns:
            Probabilities after each frame, `(1, chunk, classes)`, and the last states.
        """
        return self._go_on("chunk", {"frames": frames, **states})

    def _go_on(self, signature: str, inputs: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], States]:
        found = self.run(signature, **inputs)
        return found.pop("probabilities"), found

    def stream(self, settings: Streaming | None = None) -> Stream:
        """Follows a signal without end.

        Args:
            settings: How; those of the file by default.

        Returns:
            What takes samples and gives answers.
        """
        return Stream(self.metadata, self.step, self.zeros, settings or self.metadata.streaming)
