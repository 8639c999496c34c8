"""Runs recognizers: on whole windows, frame by frame, or on a continuous signal."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.runtime.interpreter import Interpreter, floats, lengths_of, measured
from zoo.runtime.metadata import STANDARD_GRAVITY, WEAK_SHARE, ActivityMetadata, Streaming, is_in_g
from zoo.runtime.streaming import Stream

States = dict[str, NDArray[np.float32]]
"""Recurrent states `(1, units)` by name, as in the metadata."""


def labels_of(
    probabilities: NDArray[np.floating[Any]], metadata: ActivityMetadata, threshold: float | None = None
) -> list[str | None]:
    """The most probable labels of probabilities `(N, classes)`; None where they are below the threshold."""
    limit = (metadata.threshold or 0.0) if threshold is None else _checked(threshold)
    return [metadata.classes[row.argmax()] if row.max() >= limit else None for row in probabilities]


def _checked(threshold: float) -> float:
    if not 0 <= threshold < 1:
        raise ZooError(f"threshold is {threshold:g}; expected 0 or more, below 1")
    return threshold


class Recognizer(Interpreter):
    """Recognizes activities with a `.tflite` file.

    Threads may share it, each with streams of its own: they wait for each other.

    Args:
        path: Path of the file.

    Raises:
        ZooError: If the file cannot run, or is not a recognizer.

    Example:
        >>> from zoo.catalog import PRESETS_FOLDER
        >>> recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite")
        >>> recognizer.predict(np.zeros((2, 150, 3), np.float32)).shape
        (2, 7)
    """

    metadata: ActivityMetadata

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        if self.metadata.task != "activity":
            raise ZooError(f"{self.path}: holds {self.metadata.family}, which is not an activity recognizer")
        self._whole = next((name for name in ("window", "infer") if name in self.signatures), "")

    def predict(self, windows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Predicts calibrated probabilities of windows.

        Files with only the signature `step`, such as integer files of recurrent networks, read windows frame by frame.

        Args:
            windows: Windows `(N, window, channels)`, with the units and the sign convention of the metadata.

        Returns:
            Probabilities `(N, classes)`.

        Raises:
            ZooError: If the windows have another shape, are in g, or hold NaN, infinity, or values beyond 160 m/s^2 or
                100 rad/s.
        """
        run = self._run_window if self._whole else self._run_steps
        rows = [run(window[None])[0] for window in self._read(windows)]
        return np.concatenate(rows) if rows else np.empty((0, len(self.metadata.classes)), np.float32)

    def _read(self, windows: Any) -> NDArray[np.float32]:
        rows = floats(f"{self.path}: windows", windows)
        expected = (self.metadata.window, len(self.metadata.axes))
        if rows.ndim != 3 or rows.shape[1:] != expected:
            raise ZooError(f"{self.path}: windows of shape {rows.shape}; expected (N, {expected[0]}, {expected[1]})")
        lengths = lengths_of(measured(f"{self.path}: windows", rows))
        # Most of a window may be zeros of a sensor that was off: what is left is as weak as in g.
        is_on = rows[..., :3].any(axis=2).mean(axis=1) > 0.5
        weak = lengths[[on and is_in_g(*pair) for on, pair in zip(is_on, lengths[:, :2].tolist(), strict=True)]]
        if len(weak) > WEAK_SHARE * len(rows):
            problem = f"{len(weak)} of {len(rows)} have a mean magnitude of {weak[:, 0].mean():.2f}, as in g"
            raise ZooError(f"{self.path}: windows: {problem}; expected m/s^2: multiply these by {STANDARD_GRAVITY}")
        return rows

    def recognize(self, windows: NDArray[np.floating[Any]], threshold: float | None = None) -> list[str | None]:
        """Recognizes the activity in windows.

        Args:
            windows: Windows `(N, window, channels)`, as for `predict`.
            threshold: Probability below which the answer is None, "not sure"; 0 for always answering. That of the file
                by default.

        Returns:
            N labels.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite")
            >>> still = np.full((1, 150, 3), (0.1, 9.8, 0.2), np.float32)
            >>> recognizer.recognize(still), recognizer.recognize(still, threshold=0.9999)
            (['standing'], [None])
        """
        return labels_of(self.predict(windows), self.metadata, threshold)

    def _run_window(
        self, window: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]] | None = None
    ) -> tuple[NDArray[np.float32], States]:
        return self._call(self._whole, {"window": window})["probabilities"], {}

    def _run_steps(self, window: NDArray[np.float32]) -> tuple[NDArray[np.float32], States]:
        states, frame = self.zeros(), self.metadata.frame
        for start in range(0, window.shape[1], frame):
            probabilities, states = self._step(window[:, start : start + frame], states)
        return probabilities, states

    def zeros(self) -> States:
        """Returns the states at the start of a window, which are zeros."""
        return {name: np.zeros((1, size), np.float32) for name, size in self.metadata.states.items()}

    def step(
        self, frame: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], States]:
        """Runs one step of the network.

        Args:
            frame: Rows `(1, frame, channels)`.
            states: States returned by the previous step, or `zeros()`.

        Returns:
            Probabilities `(1, classes)` and the new states.

        Raises:
            ZooError: If a shape is not what the file expects, a number is not finite, or the network has no states.
        """
        outputs = self.run("step", frame=frame, **states)
        return outputs.pop("probabilities"), outputs

    def _step(
        self, frame: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], States]:
        outputs = self._call("step", {"frame": frame, **states})
        return outputs.pop("probabilities"), outputs

    def chunk(
        self, frames: NDArray[np.float32], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], States]:
        """Runs several steps in one call.

        Args:
            frames: Rows `(1, chunk * frame, channels)`.
            states: States returned by the previous call, or `zeros()`.

        Returns:
            Probabilities after each frame, `(1, chunk, classes)`, and the states after the last one.
        """
        outputs = self.run("chunk", frames=frames, **states)
        return outputs.pop("probabilities"), outputs

    def stream(self, settings: Streaming | None = None, threshold: float | None = None) -> Stream:
        """Creates a stream, which recognizes activities in a continuous signal.

        Files with the signature `step` keep their states between frames. Other files read overlapping windows, one
        every `hop` rows, as in the metadata.

        Args:
            settings: Restarts, groups of labels and margin. Those of the file by default.
            threshold: Probability below which no label is shown; 0 to always show one. That of the file by default.

        Returns:
            A stream that takes samples and returns predictions.

        Raises:
            ZooError: If the threshold is not 0 or more and below 1.
        """
        limit = None if threshold is None else _checked(threshold)
        if "step" in self.signatures:
            return Stream(self.metadata, self._step, settings, limit)
        return Stream(replace(self.metadata, states={}), self._run_window, settings, limit)
