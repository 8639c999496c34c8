"""A `.tflite` file of the zoo, ready to run: the one door to LiteRT."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.metadata import Metadata, extract


class Interpreter:
    """A `.tflite` file of the zoo, ready to run on one thread.

    Args:
        path: The file.

    Raises:
        ZooError: If the file is missing, damaged, foreign, or needs operations that this runtime lacks.

    Example:
        >>> Interpreter("missing.tflite")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: missing.tflite: no such file
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
        # Asked once: the answer costs more than a step of a small network. -1 stands for any size.
        self._shapes = {
            name: {key: tuple(detail["shape_signature"].tolist()) for key, detail in runner.get_input_details().items()}
            for name, runner in self._runners.items()
        }

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
        for name, expected in self._shapes[signature].items():
            if name not in inputs:
                raise ZooError(f"{self.path}: signature {signature!r} needs the input {name!r}")
            if not _fits(inputs[name].shape, expected):
                raise ZooError(f"{self.path}: input {name!r} has shape {inputs[name].shape}; expected {expected}")
        # The runner's outputs are views that the next call overwrites.
        return {name: np.array(value) for name, value in self._runners[signature](**inputs).items()}

    def activation_bytes(self, signature: str) -> int:
        """Bytes of the numbers that are alive at once while a signature runs, at the most; weights not counted.

        What a runtime with a perfect plan of its arena needs for them; each adds its own bookkeeping.
        """
        from ai_edge_litert.tools import flatbuffer_utils

        model = flatbuffer_utils.read_model(str(self.path))
        (wanted,) = (found for found in model.signatureDefs if found.signatureKey.decode() == signature)
        return _peak(model, wanted.subgraphIndex)


def _peak(model: Any, index: int) -> int:
    """Largest sum of the sizes of live tensors over the operations of a subgraph, and of those that it calls."""
    graph = model.subgraphs[index]
    last = {tensor: place for place, op in enumerate(graph.operators) for tensor in op.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.operators))
    alive, peak = set(graph.inputs), 0
    for place, op in enumerate(graph.operators):
        alive |= set(op.outputs)
        options = op.builtinOptions
        called = [
            getattr(options, name) for name in ("condSubgraphIndex", "bodySubgraphIndex") if hasattr(options, name)
        ]
        inside = max((_peak(model, other) for other in called), default=0)
        peak = max(peak, sum(_size(model, graph.tensors[tensor]) for tensor in alive) + inside)
        alive = {tensor for tensor in alive if last.get(tensor, -1) > place}
    return peak


_CALLS = ("condSubgraphIndex", "bodySubgraphIndex")
"""Options of an operation that name the subgraphs of its loop."""

_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}
"""Of a number, by the flatbuffer's number of its type: floats, integers, and truth values."""


def _size(model: Any, tensor: Any) -> int:
    constant = model.buffers[tensor.buffer].data is not None
    return 0 if constant else int(np.prod([max(1, size) for size in tensor.shape])) * _BYTES.get(tensor.type, 4)


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return len(shape) == len(expected) and all(want in (-1, have) for have, want in zip(shape, expected, strict=True))
