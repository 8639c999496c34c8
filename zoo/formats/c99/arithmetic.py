"""How C code stores the weights of a layer, and in which numbers it computes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.formats.c99.network import Floats, Layer

_A_LINE = 120


@dataclass(frozen=True)
class Arithmetic:
    """Numbers of a format.

    Args:
        kernels: File in `zoo/formats/native` that defines a layer.
        text: What the comment of `model.h` says of it.
        tables: Function from the name of a layer and the layer to the definitions of its tables.
        golden: Largest difference from Keras that `model_test.c` accepts.
    """

    kernels: str
    text: str
    tables: Callable[[str, Layer], list[str]]
    golden: float


def quantized(kernel: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Rounds weights `(inputs, outputs)` to 8 bits, with the scale of each output.

    Example:
        >>> weights, scales = quantized(np.array([[0.5, 2.0], [-1.27, 1.0]], np.float32))
        >>> weights.tolist(), scales.round(3).tolist()
        ([[50, 127], [-127, 64]], [0.01, 0.016])
    """
    scales = np.abs(kernel).max(axis=0) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(kernel / scales).astype(np.int8), scales


def table(name: str, kind: str, values: NDArray[np.generic]) -> str:
    """Returns the definition of an array in C.

    Example:
        >>> print(table("zoo_bias", "float", np.array([0.1, -2], np.float32)))
        static const float zoo_bias[2] = {
            0.1F, -2.0F,
        };
    """
    # The shortest decimals of a float32 are the same float32 again.
    texts = [str(value) + ("F" if kind == "float" else "") for value in values.ravel()]
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > _A_LINE:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([f"static const {kind} {name}[{values.size}] = {{", *lines, line, "};"])


def _layer(name: str, layer: Layer, members: Sequence[str]) -> str:
    inputs, outputs = layer.kernel.shape
    return f"static const zoo_layer {name} = {{{', '.join(members)}, {inputs}, {outputs}}};"


def _float32(name: str, layer: Layer) -> list[str]:
    weights, bias = f"{name}_weights", f"{name}_bias"
    return [
        table(weights, "float", layer.kernel), table(bias, "float", layer.bias),
        _layer(name, layer, [weights, bias]),
    ]  # fmt: skip


FLOAT32 = Arithmetic("c99_float32.c", "Weights and arithmetic: float.", _float32, 1e-5)

FORMATS = {"c99": FLOAT32}
"""Arithmetic by the name of the format."""
