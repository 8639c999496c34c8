"""The files of a network in C: `model.h`, `model.c` and `model_test.c`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.exporting import native
from zoo.exporting.c99.arithmetic import Arithmetic
from zoo.exporting.c99.literals import table, text
from zoo.exporting.c99.network import Network
from zoo.runtime.metadata import Metadata

HEADER, SOURCE, TEST = "model.h", "model.c", "model_test.c"


def header(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    """Returns the content of `model.h`."""
    facts = {
        "MODEL": (text(metadata.preset), ""),
        "WEIGHTS_SHA256": (text(metadata.weights_sha256), ""),
        **network.facts,
    }
    lines = [
        *native.head(metadata),
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


def source(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    """Returns the content of `model.c`."""
    constants = [table(name, values) for name, values in network.constants.items()]
    tables = [text for name, layer in network.layers.items() for text in arithmetic.tables(name, layer)]
    most = max(len(layer.kernel) for layer in network.layers.values() if layer.bias is not None)
    kernels = "\n\n".join(native.code(name) for name in arithmetic.kernels)
    used = needed([f"#define ZOO_MOST_INPUTS {most}", *kernels.split("\n\n")], "\n".join([*tables, *network.code]))
    parts = ["\n".join(native.head(metadata)), f'#include "{HEADER}"', *constants, *used, *tables, *network.code]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def needed(blocks: Sequence[str], code: str) -> list[str]:
    """Selects the definitions that code uses, directly or through others; a definition may use those above it.

    Example:
        >>> needed(["static int zoo_a(void);", "static int zoo_b(void);"], "int c(void) { return zoo_b(); }")
        ['static int zoo_b(void);']
    """
    found: list[str] = []
    for block in reversed(blocks):
        names = re.findall(r"^(?:static|typedef|\}|#define)[^(;{]*\b((?:zoo|ZOO)_\w+)\b", block, re.MULTILINE)
        if any(re.search(rf"\b{name}\b", "\n".join([code, *found])) for name in names):
            found.insert(0, block)
    return found


def test_program(network: Network, arithmetic: Arithmetic, golden: Mapping[str, NDArray[Any]]) -> str:
    """Returns the content of `model_test.c`.

    Args:
        network: The network.
        arithmetic: Its arithmetic.
        golden: A row of each input and output of the first function, by name.
    """
    function = next(iter(network.functions.values()))
    ((read, array),) = function.inputs.items()
    ((answer, result),) = function.outputs.items()
    size, one = int(np.prod(result.shape)), result.units.get("", 1)
    call = re.sub(rf"\b{answer}\b", "found", function.call)
    value = "found[i]" if one == 1 else f"(float)found[i] / {one}.0F"
    return "\n".join([
        "/* Runs a golden vector of Keras: the first thing to run on a new target. */",
        "#include <stdio.h>",
        "",
        f'#include "{HEADER}"',
        "",
        table(read, array.store(golden[read]).astype(array.dtype.base)),
        "",
        table("expected", golden[answer]),
        "",
        "int main(void)",
        "{",
        "    float largest = 0.0F;",
        f"    {result.kind} found[{size}];",
        f"    {call};",
        f"    for (int i = 0; i < {size}; ++i) {{",
        f"        const float signed_difference = {value} - expected[i];",
        "        const float difference = signed_difference < 0.0F ? -signed_difference : signed_difference;",
        "        largest = difference > largest ? difference : largest;",
        "    }",
        '    printf("largest difference from Keras: %.2g\\n", (double)largest);',
        f"    return largest > {arithmetic.golden!r}F;",
        "}",
        "",
    ])  # fmt: skip


def write(
    network: Network, metadata: Metadata, arithmetic: Arithmetic, golden: Mapping[str, NDArray[Any]], folder: Path
) -> None:
    """Writes the files of a network.

    Args:
        network: The network.
        metadata: Metadata of the model.
        arithmetic: Its arithmetic.
        golden: A row of each input and output of the first function, by name, as computed by Keras.
        folder: Folder to write to. Created.
    """
    folder.mkdir()
    texts = {
        HEADER: header(network, metadata, arithmetic),
        SOURCE: source(network, metadata, arithmetic),
        TEST: test_program(network, arithmetic, golden),
        **{name: native.code(name) for name in network.files},
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
