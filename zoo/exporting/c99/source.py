"""The files of a network in C: `model.h`, `model.c` and `model_test.c`, and the numbers in which they compute."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.exporting import embedding
from zoo.exporting.c99.network import Floats, Layer, Network, native, table, text
from zoo.runtime.metadata import Metadata

HEADER, SOURCE, TEST = "model.h", "model.c", "model_test.c"

_UNUSED = """
/* No network needs all functions below: compilers leave out those that are `static` and that nothing calls. */
#pragma GCC diagnostic ignored "-Wunused-function"
"""


class Arithmetic(NamedTuple):
    """Numbers of a format.

    Args:
        kernels: Files in `zoo/exporting/native`, each of which may use those before it.
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
    return _struct(name, {"weights": layer.kernel, "bias": layer.bias}, *layer.kernel.shape)


def _int8(name: str, layer: Layer) -> list[str]:
    weights, scales = quantized(layer.kernel)
    return _struct(name, {"weights": weights, "scales": scales, "bias": layer.bias}, *layer.kernel.shape)


def _struct(name: str, arrays: Mapping[str, NDArray[Any] | None], *numbers: int) -> list[str]:
    """The tables of a layer and its structure, which has 0 in place of a table that the layer lacks."""
    tables = {f"{name}_{part}": values for part, values in arrays.items()}
    members = [*("0" if values is None else each for each, values in tables.items()), *map(str, numbers)]
    return [
        *(table(each, values) for each, values in tables.items() if values is not None),
        f"static const zoo_layer {name} = {{{', '.join(members)}}};",
    ]


FORMATS = {
    "c99": Arithmetic(
        ("c99_float32.c", "c99_product.c", "c99_layers.c"),
        "Weights and arithmetic: float.", _float32, 1e-5,
    ),
    "c99_int8": Arithmetic(
        ("c99_int8.c", "c99_product.c", "c99_layers.c"),
        "Weights: 8-bit integers, with a scale for each output; sums of integers, states in float.", _int8, 0.25,
    ),
}  # fmt: skip
"""Arithmetic by the name of the format."""


def write(network: Network, metadata: Metadata, kind: str, golden: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Writes the files of a network; `golden` is a row of each input and output of the first function, by Keras."""
    folder.mkdir()
    texts = {
        HEADER: _header(network, metadata, FORMATS[kind]),
        SOURCE: _source(network, metadata, FORMATS[kind]),
        TEST: _test_program(network, FORMATS[kind], golden),
        **{name: native(name) + "\n" for name in network.files},
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")


def _header(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    facts = {
        "MODEL": (text(metadata.preset), ""),
        "WEIGHTS_SHA256": (text(metadata.weights_sha256), ""),
        **network.facts,
    }
    lines = [
        *embedding.head(metadata),
        f"// {arithmetic.text}",
        "#ifndef ZOO_MODEL_H",
        "#define ZOO_MODEL_H",
        "",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        *(f"#define ZOO_{name} {value}" + (f" /* {why} */" if why else "") for name, (value, why) in facts.items()),
        "",
        *"\n\n".join(network.header).splitlines(),
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _source(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    constants = [table(name, values) for name, values in network.constants.items()]
    tables = [text for name, layer in network.layers.items() for text in arithmetic.tables(name, layer)]
    most = max(len(layer.kernel) for layer in network.layers.values() if layer.bias is not None)
    kernels = map(native, arithmetic.kernels)
    parts = [
        "\n".join(embedding.head(metadata)), f'#include "{HEADER}"', _UNUSED, f"#define ZOO_MOST_INPUTS {most}",
        *constants, *kernels, *tables, *network.code,
    ]  # fmt: skip
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _test_program(network: Network, arithmetic: Arithmetic, golden: Mapping[str, NDArray[Any]]) -> str:
    function = next(iter(network.functions.values()))
    ((read, array),) = function.inputs.items()
    ((answer, result),) = function.outputs.items()
    size = int(np.prod(result.shape))
    call = re.sub(rf"\b{answer}\b", "found", function.call)
    return "\n".join([
        "/* Runs a golden vector of Keras: the first thing to run on a new target. */",
        "#include <stdio.h>",
        "",
        f'#include "{HEADER}"',
        "",
        table(read, golden[read].astype(array.dtype.base)),
        "",
        table("expected", golden[answer]),
        "",
        "int main(void)",
        "{",
        "    float largest = 0.0F;",
        f"    {result.kind} found[{size}];",
        f"    {call};",
        f"    for (int i = 0; i < {size}; ++i) {{",
        "        const float signed_difference = found[i] - expected[i];",
        "        const float difference = signed_difference < 0.0F ? -signed_difference : signed_difference;",
        "        largest = difference > largest ? difference : largest;",
        "    }",
        '    printf("largest difference from Keras: %.2g\\n", (double)largest);',
        f"    return largest > {arithmetic.golden!r}F;",
        "}",
        "",
    ])  # fmt: skip
