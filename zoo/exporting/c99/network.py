"""A network as C: its layers, its functions, what they read and return, and literals of numbers, tables and texts."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting import embedding

Floats = NDArray[np.float32]

ACTIVATIONS = {
    "linear": None, "relu": "zoo_relu", "relu6": "zoo_relu6", "leaky_relu": "zoo_leaky_relu", "elu": "zoo_elu",
    "sigmoid": "zoo_sigmoid", "tanh": "zoo_tanh", "silu": "zoo_silu", "softsign": "zoo_softsign",
}  # fmt: skip
"""Functions in C of the activations of Keras, by name."""


@dataclass(frozen=True)
class Layer:
    """Weights `(inputs, outputs)` of a layer that computes input * kernel + bias."""

    kernel: Floats
    bias: Floats | None = None


@dataclass(frozen=True)
class Array:
    """An argument of a function in C: an array of a type and a shape, or a structure.

    Args:
        kind: Type in C, such as `float`, or `zoo_state`.
        shape: Shape of a row. Empty for a structure.
        members: Names and sizes of the members of a structure, which are arrays of floats.
    """

    kind: str
    shape: tuple[int, ...] = ()
    members: Mapping[str, int] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a row in memory."""
        if self.members:
            return np.dtype([(name, "=f4", (size,)) for name, size in self.members.items()])
        return np.dtype((_DTYPES[self.kind], self.shape))


_DTYPES = {"float": "=f4", "int32_t": "=i4"}


@dataclass(frozen=True)
class Function:
    """The call of a public function in C, and the arguments that it reads and writes. Some are among both."""

    call: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Network:
    """A network as C code.

    Args:
        layers: Layers by the names of their tables.
        constants: Other tables by name.
        code: Definitions of functions, which call those of `zoo/exporting/native`.
        facts: Constants of `model.h` by name, without their prefix: value in C, and comment.
        header: Declarations of `model.h`, with comments.
        functions: The public functions by the names of their signatures.
        files: Names of sources in `zoo/exporting/native` that belong to the code.
    """

    layers: Mapping[str, Layer]
    constants: Mapping[str, NDArray[Any]]
    code: Sequence[str]
    facts: Mapping[str, tuple[str, str]]
    header: Sequence[str]
    functions: Mapping[str, Function]
    files: Sequence[str] = ()


def dense(layer: Any) -> Layer:
    """Reads the weights of a Keras layer with a kernel and a bias."""
    if layer.quantization_mode is not None and layer.kernel.dtype == "int8":
        raise ZooError(f"layer {layer.name} is quantized by Keras; export the model as it was before, as c99_int8")
    kernel, bias = (np.asarray(value, np.float32) for value in (layer.kernel, layer.bias))
    # The rows of a frame follow each other in memory.
    return Layer(kernel.reshape(-1, kernel.shape[-1]), bias)


def activation_of(layer: Any, values: str, count: int) -> list[str]:
    """Returns the statement that applies the activation of a Keras layer, if it has one."""
    name = layer.activation.__name__
    if name not in ACTIVATIONS:
        raise ZooError(
            f"layer {layer.name}: activation {name!r} is not written in C; expected {', '.join(ACTIVATIONS)}"
        )
    function = ACTIVATIONS[name]
    return [] if function is None else [f"{function}({values}, {count});"]


def native(name: str) -> str:
    """Returns a source of `zoo/exporting/native`."""
    return (embedding.NATIVE / name).read_text(encoding="utf-8").strip()


def defined(values: Mapping[str, object]) -> str:
    """Returns the definitions of constants, by their names without the prefix."""
    return "\n".join(f"#define ZOO_{name} {value}" for name, value in values.items())


def function(head: str, statements: Sequence[str]) -> str:
    """Returns the definition of a function of this file alone."""
    return "\n".join([f"static void {head}", "{", *(f"    {line}" for line in statements), "}"])


def number(value: float) -> str:
    """Returns the literal of a number.

    Example:
        >>> number(50.0), number(5)
        ('50.0F', '5')
    """
    return f"{value!r}F" if isinstance(value, float) else str(value)


def table(name: str, values: NDArray[np.generic]) -> str:
    """Returns the definition of an array in C.

    Example:
        >>> print(table("zoo_bias", np.array([0.1, -2], np.float32)))
        static const float zoo_bias[2] = {
            0.1F, -2.0F,
        };
    """
    kind, suffix = ("float", "F") if values.dtype == np.float32 else (f"{values.dtype}_t", "")
    # The shortest decimals of a float32 are the same float32 again.
    texts = [f"{value!s}{suffix}" for value in values.ravel()]
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > 120:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([f"static const {kind} {name}[{values.size}] = {{", *lines, line, "};"])


def identifiers(labels: Sequence[str]) -> list[str]:
    """Turns labels into different identifiers in capitals, the ends of names of constants.

    Example:
        >>> identifiers(["walking", "going up", "going-up", "8 steps", "über", "走る"])
        ['WALKING', 'GOING_UP', 'GOING_UP_2', '8_STEPS', 'UBER', '6']
    """
    found: list[str] = []
    for number, label in enumerate(labels, 1):
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        name = known = re.sub(r"\W+", "_", plain).strip("_").upper() or str(number)
        count = 1
        while name in found:
            count += 1
            name = f"{known}_{count}"
        found.append(name)
    return found


def texts(name: str, values: Sequence[str]) -> str:
    """Returns the definition of an array of texts."""
    lines = ",\n    ".join(map(text, values))
    return f"const char *const {name}[{len(values)}] = {{\n    {lines},\n}};"


def text(value: str) -> str:
    r"""Returns a string literal of C.

    Example:
        >>> print(text('say "hi"??/'), text("ü"))
        "say \"hi\"\?\?/" "\303\274"
    """
    plain = {'"': '\\"', "\\": "\\\\", "?": "\\?"}
    return '"' + "".join(
        plain.get(chr(byte), chr(byte)) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in value.encode("utf-8")
    ) + '"'  # fmt: skip
