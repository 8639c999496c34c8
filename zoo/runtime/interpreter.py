"""A `.tflite` file of the zoo, ready to run: the one door to LiteRT."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.metadata import Metadata, extract


def open_file(path: Path) -> Any:
    """LiteRT's own interpreter of any `.tflite` file, on one thread, with its tensors allocated.

    Raises:
        ZooError: If the file is damaged, or needs operations that this runtime lacks.
    """
    from ai_edge_litert.interpreter import Interpreter as LiteRT

    try:
        interpreter = LiteRT(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ZooError(f"{path}: does not run ({str(error).strip().splitlines()[0]})") from error
    return interpreter


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
        self.path = Path(path)
        self.metadata: Metadata = extract(self.path)
        self._interpreter = open_file(self.path)
        self.signatures: Mapping[str, Any] = self._interpreter.get_signature_list()
        self._runners = {name: self._interpreter.get_signature_runner(name) for name in self.signatures}
        # Asked once: the answer costs more than a step of a small network.
        self._shapes = {
            name: {key: self._shape(detail) for key, detail in runner.get_input_details().items()}
            for name, runner in self._runners.items()
        }

    def _shape(self, detail: Mapping[str, Any]) -> tuple[int, ...]:
        """Of an input; -1 stands for any size."""
        if self.metadata.batch is None:
            return (-1, *detail["shape"].tolist()[1:])
        return tuple(detail["shape_signature"].tolist())

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

    def run_rows(self, signature: str, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Runs one signature on N rows, in as many calls as the batch of the file takes.

        Args:
            signature: Its name; one that carries nothing from a call to the next.
            **inputs: Arrays `(N, ...)`, N the same for all, 1 or more.

        Returns:
            Its outputs by name, `(N, ...)`.

        Raises:
            ZooError: If the signature or an input is not of this file.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> recognizer = Interpreter(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite")
            >>> recognizer.run_rows("window", window=np.zeros((5, 150, 3), np.float32))["probabilities"].shape
            (5, 6)
        """
        size = self.metadata.batch
        if size is None:
            return self.run(signature, **inputs)
        answers = [
            self.run(signature, **{name: rows[i : i + size] for name, rows in inputs.items()})
            for i in range(0, len(next(iter(inputs.values()))), size)
        ]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    def activation_bytes(self, signature: str) -> int:
        """Bytes of the numbers that are alive at once while a signature runs, at the most; weights not counted.

        What a runtime with a perfect plan of its arena needs for them; each adds its own bookkeeping.
        """
        return _peak(self._flatbuffer, self._definition(signature).subgraphIndex)

    def operations(self, signature: str) -> list[str]:
        """Names of the operations of a signature in their order, loops not entered."""
        from ai_edge_litert.tools import flatbuffer_utils

        graph = self._flatbuffer.subgraphs[self._definition(signature).subgraphIndex]
        return [flatbuffer_utils.opcode_to_name(self._flatbuffer, op.opcodeIndex) for op in graph.operators]

    def multiply_adds(self, signature: str) -> int:
        """Products that are added up in one run: of dense and convolving operations, no loop entered."""
        graph = self._flatbuffer.subgraphs[self._definition(signature).subgraphIndex]
        total = 0
        for name, operation in zip(self.operations(signature), graph.operators, strict=True):
            if name in ("FULLY_CONNECTED", "CONV_2D"):
                weights, answer = (graph.tensors[place].shape for place in (operation.inputs[1], operation.outputs[0]))
                # The last axis of the answer are the units, whose weights the product counts already.
                total += int(np.prod(weights)) * int(np.prod(answer[:-1]))
        return total

    def order(self, signature: str) -> tuple[dict[str, int], dict[str, int]]:
        """Places of the inputs and of the outputs of a signature, for runtimes that number them."""
        definition = self._definition(signature)
        graph = self._flatbuffer.subgraphs[definition.subgraphIndex]
        return (
            {entry.name.decode(): list(graph.inputs).index(entry.tensorIndex) for entry in definition.inputs},
            {entry.name.decode(): list(graph.outputs).index(entry.tensorIndex) for entry in definition.outputs},
        )

    @cached_property
    def _flatbuffer(self) -> Any:
        from ai_edge_litert.tools import flatbuffer_utils

        return flatbuffer_utils.read_model(str(self.path))

    def _definition(self, signature: str) -> Any:
        return next(found for found in self._flatbuffer.signatureDefs if found.signatureKey.decode() == signature)


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
