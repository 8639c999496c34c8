"""A network as C: its layers, its functions, and what they read and return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

Floats = NDArray[np.float32]

ACTIVATIONS = {
    "linear": None, "relu": "zoo_relu", "relu6": "zoo_relu6", "leaky_relu": "zoo_leaky_relu", "elu": "zoo_elu",
    "sigmoid": "zoo_sigmoid", "tanh": "zoo_tanh", "silu": "zoo_silu", "softsign": "zoo_softsign",
}  # fmt: skip
"""Functions in C of the activations of Keras, by name."""


@dataclass(frozen=True)
class Layer:
    """Weights of a layer that computes input * kernel + bias.

    Args:
        kernel: Weights `(inputs, outputs)`.
        bias: Biases `(outputs,)`.
    """

    kernel: Floats
    bias: Floats


@dataclass(frozen=True)
class Array:
    """An argument of a function in C.

    Args:
        kind: Type in C, such as `float`, or `zoo_state`.
        shape: Shape of the NumPy array of a row. Empty for a structure.
        members: Names and sizes of the members of a structure, all floats.
    """

    kind: str
    shape: tuple[int, ...] = ()
    members: Mapping[str, int] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a row in memory."""
        if self.members:
            return np.dtype([(name, "=f4", (size,)) for name, size in self.members.items()])
        return np.dtype(("=i4" if self.kind == "int32_t" else "=f4", self.shape))


@dataclass(frozen=True)
class Function:
    """A public function, under the name of the signature whose outputs it computes.

    Args:
        call: The call in C, with the names of the arguments.
        inputs: Arguments that it reads, by name.
        outputs: Arguments that it writes, by name. One that it also reads is among both.
    """

    call: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Network:
    """A network as C code.

    Args:
        layers: Layers by the names of their tables.
        constants: Other tables by name.
        code: Definitions of functions, which call those of `zoo/formats/native`.
        header: Declarations of the public functions, with comments.
        functions: The public functions by the names of their signatures.
    """

    layers: Mapping[str, Layer]
    constants: Mapping[str, Floats]
    code: Sequence[str]
    header: Sequence[str]
    functions: Mapping[str, Function]


def dense(layer: Any) -> Layer:
    """Reads the weights of a Keras layer with a kernel and a bias.

    Raises:
        ZooError: If the layer is quantized.
    """
    if layer.quantization_mode is not None:
        raise ZooError(f"layer {layer.name} is quantized by Keras; export the model as it was before, as c99_int8")
    kernel, bias = (np.asarray(value, np.float32) for value in (layer.kernel, layer.bias))
    # The rows of a frame follow each other in memory.
    return Layer(kernel.reshape(-1, kernel.shape[-1]), bias)


def activation_of(layer: Any, values: str, count: int) -> list[str]:
    """Returns the statement that applies the activation of a Keras layer, if it has one.

    Raises:
        ZooError: If the activation is not written in C.
    """
    name = layer.activation.__name__
    if name not in ACTIVATIONS:
        raise ZooError(
            f"layer {layer.name}: activation {name!r} is not written in C; expected {', '.join(ACTIVATIONS)}"
        )
    function = ACTIVATIONS[name]
    return [] if function is None else [f"{function}({values}, {count});"]
