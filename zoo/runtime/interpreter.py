"""Runs `.tflite` files of the zoo. This is the only module that runs LiteRT."""

import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError, shown
from zoo.runtime.metadata import SENSORS, Metadata, extract


def open_file(path: Path) -> Any:
    """Opens any `.tflite` file on one thread, and allocates its tensors."""
    from ai_edge_litert.interpreter import Interpreter as LiteRT

    interpreter = LiteRT(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _does_not_run(path: Path, error: Exception, what: str = "") -> ZooError:
    return ZooError(f"{path}: {what}does not run ({(str(error).strip() or type(error).__name__).splitlines()[0]})")


def numbers(what: str, values: Any, kinds: str = "biuf") -> NDArray[Any]:
    """An array of numbers, or of other kinds by NumPy's letters; anything else is refused."""
    if np.ma.is_masked(values):
        raise ZooError(f"{what}: has masked values: leave these rows out, or fill them")
    try:
        rows = np.asarray(values)
    except ValueError as error:
        raise ZooError(f"{what}: is no array ({error}); expected rows of one length") from None
    except RuntimeError as error:
        # Such as a tensor of PyTorch that requires a gradient.
        raise ZooError(f"{what}: is no array ({str(error).partition('. ')[0]})") from None
    if rows.dtype.kind not in kinds:
        raise ZooError(f"{what}: holds {rows.dtype.type.__name__.removesuffix('_')}; expected an array of numbers")
    return rows


def floats(what: str, values: Any) -> NDArray[np.float32]:
    """Numbers as float32; refuses NaN and infinity, to which a network of integers would give an answer."""
    rows = numbers(what, values)
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        raise ZooError(f"{what}: holds NaN or infinity: drop those rows first")
    return rows


def measured(what: str, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows `(N, window, channels)`; refuses values that no sensor measures, which a stream drops."""
    for channels, limit, unit in SENSORS:
        part = windows[..., channels]
        if (beyond := part[np.abs(part) > limit]).size:
            raise ZooError(f"{what}: holds {beyond[0]:g}, beyond {limit:g} {unit}: drop the rows or convert the unit")
    return windows


def norms(vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The lengths `(...)` of vectors `(..., axes)`."""
    # `norm` would need four times the memory.
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)))


def lengths_of(windows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Of each window the mean length of acceleration, the length of its mean, and that of rotation rate: `(N, 3)`."""
    acceleration, rotation = windows[..., :3], windows[..., 3:]
    moving, turning = (norms(part).mean(axis=1) for part in (acceleration, rotation))
    return np.stack([moving, norms(acceleration.mean(axis=1)), turning], axis=1)


class Interpreter:
    """Runs a `.tflite` file of the zoo on one thread. Several threads that share it wait for each other.

    Args:
        path: Path of the file.

    Raises:
        ZooError: If the file is missing or damaged, has no metadata of the zoo, or needs operations that this runtime
            lacks.

    Example:
        >>> Interpreter("missing.tflite")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: missing.tflite: no such file
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.metadata: Metadata = extract(self.path)
        # Two threads in one interpreter of LiteRT end the process: one waits for the other. A thread may take it again,
        # for several calls that no other may come between.
        self._lock = threading.RLock()
        # Looked up once, since a lookup takes longer than a step of a small network.
        self._inputs: dict[str, dict[str, tuple[tuple[int, ...], np.dtype[Any]]]] = {}
        try:
            self._interpreter = open_file(self.path)
            self.signatures: Mapping[str, Any] = self._interpreter.get_signature_list()
            self._runners = {name: self._interpreter.get_signature_runner(name) for name in self.signatures}
            for name, runner in self._runners.items():
                self._inputs[name] = inputs = {}
                for key, detail in runner.get_input_details().items():
                    shape = detail["shape_signature"].tolist()
                    if self.metadata.batch is None:
                        shape = [-1, *detail["shape"].tolist()[1:]]
                    inputs[key] = tuple(shape), np.dtype(detail["dtype"])
        except (RuntimeError, ValueError) as error:
            # Such as a name that is not UTF-8.
            raise _does_not_run(self.path, error) from error

    def inputs(self, signature: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        """Returns shapes and types of the inputs of a signature. -1 stands for any size."""
        return dict(self._inputs[signature])

    def run(self, signature: str, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Runs a signature.

        Args:
            signature: Name of the signature.
            **inputs: Input arrays by name, of the shapes that the file expects, without NaN and infinity.

        Returns:
            Output arrays by name.

        Raises:
            ZooError: If the file lacks the signature, an input is missing, has another shape or is not finite, or the
                file is damaged.
        """
        if signature not in self._runners:
            raise ZooError(f"{self.path}: no signature {shown(signature)}; found {', '.join(self._runners)}")
        for name, (expected, dtype) in self._inputs[signature].items():
            if name not in inputs:
                raise ZooError(f"{self.path}: signature {signature!r} needs the input {name!r}")
            shape, kind = np.shape(inputs[name]), getattr(inputs[name], "dtype", np.dtype(object)).kind
            fits = len(shape) == len(expected) and all(size in (-1, shape[axis]) for axis, size in enumerate(expected))
            if shape != expected and not fits:
                raise ZooError(f"{self.path}: input {name!r} has shape {shape}; expected {expected}")
            if dtype == np.float32:
                inputs[name] = floats(f"{self.path}: input {name!r}", inputs[name])
            elif kind not in "iu":
                floats(f"{self.path}: input {name!r}", inputs[name])
        return self._call(signature, inputs)

    def _call(self, signature: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs a signature on inputs that were checked."""
        # In some versions of LiteRT, outputs are views that the next call overwrites.
        with self._lock:
            try:
                outputs = self._runners[signature](**inputs)
            except (RuntimeError, ValueError) as error:
                raise _does_not_run(self.path, error, f"signature {signature!r} ") from error
            outputs = {name: value if value.flags.owndata else value.copy() for name, value in outputs.items()}
        for name, value in outputs.items():
            # States are inputs as well: what is wrong with them shows in the probabilities.
            if name not in inputs and not np.isfinite(value).all():
                raise ZooError(
                    f"{self.path}: signature {signature!r} returns NaN or infinity as {name}: the weights or inputs "
                    "are out of range; export a model whose outputs are finite"
                )
        return outputs

    def run_rows(self, signature: str, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Runs a signature on N rows, in batches of the size that the file takes.

        Args:
            signature: Name of the signature.
            **inputs: Input arrays `(N, ...)` by name, with the same N of 1 or more.

        Returns:
            Output arrays `(N, ...)` by name.

        Raises:
            ZooError: If the file lacks the signature, or an input is missing or has another shape.

        Example:
            >>> from zoo.catalog import PRESETS_FOLDER
            >>> recognizer = Interpreter(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite")
            >>> recognizer.run_rows("window", window=np.zeros((5, 150, 3), np.float32))["probabilities"].shape
            (5, 7)
        """
        size = self.metadata.batch
        if size is None:
            return self.run(signature, **inputs)
        outputs = [
            self.run(signature, **{name: rows[i : i + size] for name, rows in inputs.items()})
            for i in range(0, len(next(iter(inputs.values()))), size)
        ]
        return {name: np.concatenate([output[name] for output in outputs]) for name in outputs[0]}

    def activation_bytes(self, signature: str) -> int:
        """Returns the peak size of the live activations of a signature, without weights.

        This is the least that any runtime needs; each adds its own bookkeeping.
        """
        return _peak(self._flatbuffer, self._subgraph(signature))

    def operations(self, signature: str) -> list[str]:
        """Lists the operations of a signature in order, without those inside loops."""
        from ai_edge_litert.tools import flatbuffer_utils

        graph = self._flatbuffer.subgraphs[self._subgraph(signature)]
        return [flatbuffer_utils.opcode_to_name(self._flatbuffer, op.opcodeIndex) for op in graph.operators]

    def multiply_adds(self, signature: str, steps: int = 1) -> int:
        """Counts the multiply-adds of dense and convolution operations in one run.

        Args:
            signature: Name of the signature.
            steps: Number of iterations of its loop, if it has one.
        """
        return _multiply_adds(self._flatbuffer, self._subgraph(signature), steps)

    @cached_property
    def _flatbuffer(self) -> Any:
        from ai_edge_litert.tools import flatbuffer_utils

        return flatbuffer_utils.read_model(str(self.path))

    def _subgraph(self, signature: str) -> int:
        named = {entry.signatureKey.decode(): entry.subgraphIndex for entry in self._flatbuffer.signatureDefs}
        return int(named[signature])


_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}
"""Bytes per number by the type code of the flatbuffer: floats, integers and booleans."""


def _peak(model: Any, index: int) -> int:
    """The largest total size of live tensors over the operations of a subgraph and of those that it calls."""
    graph = model.subgraphs[index]
    last = {tensor: place for place, op in enumerate(graph.operators) for tensor in op.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.operators))
    sizes = [
        int(np.prod(np.maximum(tensor.shape, 1))) * _BYTES.get(tensor.type, 4)
        if model.buffers[tensor.buffer].data is None else 0
        for tensor in graph.tensors
    ]  # fmt: skip
    alive, peak = set(graph.inputs), 0
    for place, op in enumerate(graph.operators):
        alive |= set(op.outputs)
        inside = max((_peak(model, called) for called in _called(op)), default=0)
        peak = max(peak, sum(sizes[tensor] for tensor in alive) + inside)
        alive = {tensor for tensor in alive if last.get(tensor, -1) > place}
    return peak


def _multiply_adds(model: Any, index: int, steps: int) -> int:
    from ai_edge_litert.tools import flatbuffer_utils

    graph, total = model.subgraphs[index], 0
    for op in graph.operators:
        name = flatbuffer_utils.opcode_to_name(model, op.opcodeIndex)
        if name in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"):
            weights, output = graph.tensors[op.inputs[1]].shape, graph.tensors[op.outputs[0]].shape
            # The last axis of the output is the units, which are an axis of the weights as well.
            total += int(np.prod(weights)) * int(np.prod(output[:-1]))
        total += steps * sum(_multiply_adds(model, called, 1) for called in _called(op))
    return total


def _called(operation: Any) -> list[int]:
    """The subgraphs of the condition and the body of a loop."""
    options = operation.builtinOptions
    return [getattr(options, name) for name in ("condSubgraphIndex", "bodySubgraphIndex") if hasattr(options, name)]
