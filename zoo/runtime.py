"""What runs on a device: LiteRT and NumPy, nothing else.

Example:
    >>> from zoo.runtime import Interpreter
    >>> Interpreter("missing.tflite")
    Traceback (most recent call last):
    ...
    zoo.errors.ZooError: missing.tflite: no such file
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.metadata import ActivityMetadata, Metadata, extract


class Interpreter:
    """A `.tflite` file of the zoo, ready to run on one thread.

    Args:
        path: The file.

    Raises:
        ZooError: If the file is missing, damaged, foreign, or needs operations that this runtime lacks.
    """

    def __init__(self, path: str | Path) -> None:
        from ai_edge_litert.interpreter import Interpreter as LiteRT

        self.path = Path(path)
        self.metadata: Metadata = extract(self.path)
        try:
            self._interpreter = LiteRT(model_path=str(self.path), num_threads=1)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ZooError(f"{self.path}: does not run ({str(error).strip().splitlines()[0]})") from error
        self.signatures: Mapping[str, Any] = self._interpreter.get_signature_list()
        self._runners = {name: self._interpreter.get_signature_runner(name) for name in self.signatures}

    def run(self, signature: str, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Runs one signature.

        Args:
            signature: Its name.
            **inputs: Arrays of the shapes that the file was made for.

        Returns:
            Its outputs by name.

        Raises:
            ZooError: If the signature or an input is not of this file.
        """
        if signature not in self._runners:
            raise ZooError(f"{self.path}: no signature {signature!r}; found {', '.join(self._runners)}")
        runner = self._runners[signature]
        for name, detail in runner.get_input_details().items():
            if name not in inputs:
                raise ZooError(f"{self.path}: signature {signature!r} needs the input {name!r}")
            # -1 stands for any size.
            expected = tuple(detail["shape_signature"].tolist())
            if not _fits(inputs[name].shape, expected):
                raise ZooError(f"{self.path}: input {name!r} has shape {inputs[name].shape}; expected {expected}")
        # The runner's outputs are views that the next call overwrites.
        return {name: np.array(value) for name, value in runner(**inputs).items()}


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return len(shape) == len(expected) and all(want in (-1, have) for have, want in zip(shape, expected, strict=True))


class Recognizer(Interpreter):
    """A `.tflite` file that recognizes activities.

    Args:
        path: The file.

    Raises:
        ZooError: If the file cannot run, or is no recognizer of activities.
    """

    metadata: ActivityMetadata

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        if not isinstance(self.metadata, ActivityMetadata):
            raise ZooError(f"{self.path}: holds {self.metadata.family}, which is no recognizer of activities")

    def predict(self, windows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Calibrated probabilities of windows, one after another.

        Args:
            windows: `(N, window, 3)`, m/s^2 in the convention of the metadata.

        Returns:
            `(N, classes)`.
        """
        rows = [self.run("window", window=window[None].astype(np.float32)) for window in windows]
        if not rows:
            return np.empty((0, len(self.metadata.classes)), np.float32)
        return np.concatenate([row["probabilities"] for row in rows])
