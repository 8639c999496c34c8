"""How C code stores the weights of a layer, and in which numbers it computes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.exporting.c99.literals import table
from zoo.exporting.c99.network import Floats, Layer


@dataclass(frozen=True)
class Arithmetic:
    """Numbers of a format.

    Args:
        kernels: Files in `zoo/exporting/native` that define numbers and a layer, and the functions that compute with
            them, each file by those before it.
        text: What the comment of `model.h` says of it.
        tables: Function from the name of a layer and the layer to the definitions of its tables.
        golden: Largest difference from Keras that `model_test.c` accepts.
    """

    kernels: tuple[str, ...]
    text: str
    tables: Callable[[str, Layer], list[str]]
    golden: float


def quantized(kernel: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Rounds weights `(inputs, outputs)` to 8 bits, with the scale of each output.

    Example:
        >>> weights, scales = quantized(np.array([[0.5, 2.0], [-1.27, 1.1]], np.float32))
        >>> weights.tolist(), [round(scale, 4) for scale in scales.tolist()]
        ([[50, 127], [-127, 70]], [0.01, 0.0157])
    """
    scales = np.abs(kernel).max(axis=0) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(kernel / scales).astype(np.int8), scales


def _float32(name: str, layer: Layer) -> list[str]:
    return _tables(name, layer, [table(f"{name}_weights", layer.kernel)])


def _int8(name: str, layer: Layer) -> list[str]:
    weights, scales = quantized(layer.kernel)
    return _tables(name, layer, [table(f"{name}_weights", weights), table(f"{name}_scales", scales)])


def _tables(name: str, layer: Layer, tables: list[str]) -> list[str]:
    """Adds the bias and the structure of a layer to its other tables."""
    if layer.bias is not None:
        tables = [*tables, table(f"{name}_bias", layer.bias)]
    names = [each.split("[")[0].split()[-1] for each in tables]
    inputs, outputs = layer.kernel.shape
    members = ", ".join([*names, *([] if layer.bias is not None else ["0"]), str(inputs), str(outputs)])
    return [*tables, f"static const zoo_layer {name} = {{{members}}};"]


def _int16x8(name: str, layer: Layer) -> list[str]:
    assert layer.bias is not None
    assert layer.places is not None
    read, written, cell = layer.places
    weights, scales = quantized(layer.kernel)
    factors = scales.astype(np.float64) * 2.0 ** (written - read)
    # As many binary places as 31 bits hold.
    shift = int(np.floor(30 - np.log2(factors.max())))
    tables = [
        table(f"{name}_weights", weights),
        table(f"{name}_factors", np.rint(factors * 2.0**shift).astype(np.int32)),
        table(f"{name}_bias", np.rint(layer.bias * 2.0**written).astype(np.int32)),
    ]
    inputs, outputs = layer.kernel.shape
    members = f"{name}_weights, {name}_factors, {name}_bias, {inputs}, {outputs}, {shift}, {15 - read}, {cell}"
    return [*tables, f"static const zoo_layer {name} = {{{members}}};"]


_OF_8_BITS = "Weights: 8-bit integers, with a scale for each output; sums of integers, states in float."
_INTEGERS = "Integers alone: weights of 8 bits; sensor values, states and probabilities of 16."

FORMATS = {
    "c99": Arithmetic(
        ("c99_float32.c", "c99_product.c", "c99_dense.c", "c99_layers.c"),
        "Weights and arithmetic: float.", _float32, 1e-5,
    ),
    "c99_int8": Arithmetic(
        ("c99_int8.c", "c99_product.c", "c99_int8_dense.c", "c99_layers.c"), _OF_8_BITS, _int8, 0.25
    ),
    "c99_int16x8": Arithmetic(
        ("c99_int16x8.c", "c99_product.c", "c99_dense.c", "c99_int16x8_layers.c"), _INTEGERS, _int16x8, 0.25
    ),
}  # fmt: skip
"""Arithmetic by the name of the format."""
