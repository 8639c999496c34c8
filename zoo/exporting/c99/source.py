"""A network as C: its layers, its functions, literals of numbers, tables and texts, and the files of all that.

The compiler of this machine, where there is one, compiles and runs them.
"""

import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting import embedding
from zoo.files import temporary_folder
from zoo.runtime.metadata import Metadata

HEADER, SOURCE, TEST = "model.h", "model.c", "model_test.c"

NO_COMPILER = "not compared with Keras: no C compiler found; install gcc or clang, or set CC to one"

_SECONDS = 300

OPTIONS = ("-std=c99", "-O3")
"""Options of the compiler."""

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
    """An argument of a function in C: an array of a type and a shape, or a structure of arrays of floats."""

    kind: str
    shape: tuple[int, ...] = ()
    members: Mapping[str, int] = field(default_factory=dict)


_TYPES = {"float": "=f4", "int32_t": "=i4"}


@dataclass(frozen=True)
class Function:
    """The call of a public function in C, and the arguments that it reads and writes. Some are among both."""

    call: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


@dataclass(frozen=True)
class Network:
    """A network as C code: tables of its layers and `constants`, and the functions in `code`.

    `facts` are constants of `model.h`, value and comment by name without the prefix, and `header` its declarations;
    `functions` are the public ones by signature, and `files` the sources of `native` that come with the code.
    """

    layers: Mapping[str, Layer]
    constants: Mapping[str, NDArray[Any]]
    code: Sequence[str]
    facts: Mapping[str, tuple[str, str]]
    header: Sequence[str]
    functions: Mapping[str, Function]
    files: Sequence[str] = ()


def dense(layer: Any) -> Layer:
    """The weights of a Keras layer with a kernel and a bias."""
    if layer.quantization_mode is not None and layer.kernel.dtype == "int8":
        raise ZooError(f"layer {layer.name} is quantized by Keras; export the model as it was before, as c99_int8")
    kernel, bias = (np.asarray(value, np.float32) for value in (layer.kernel, layer.bias))
    # The rows of a frame follow each other in memory.
    return Layer(kernel.reshape(-1, kernel.shape[-1]), bias)


def activation_of(layer: Any, values: str, count: int) -> list[str]:
    """The statement that applies the activation of a Keras layer, if it has one."""
    name = layer.activation.__name__
    if name not in ACTIVATIONS:
        raise ZooError(
            f"layer {layer.name}: activation {name!r} is not written in C; expected {', '.join(ACTIVATIONS)}"
        )
    function = ACTIVATIONS[name]
    return [] if function is None else [f"{function}({values}, {count});"]


def native(name: str, /, **values: object) -> str:
    """A source of `zoo/exporting/native`; one that is a template is filled with values."""
    text = (embedding.NATIVE / name).read_text(encoding="utf-8").strip()
    return Template(text).substitute(values) if values else text


def defined(values: Mapping[str, object]) -> str:
    """The definitions of constants, by their names without the prefix."""
    return "\n".join(f"#define ZOO_{name} {value}" for name, value in values.items())


def function(head: str, statements: Sequence[str]) -> str:
    """The definition of a function of this file alone."""
    return "\n".join([f"static void {head}", "{", *(f"    {line}" for line in statements), "}"])


def number(value: float) -> str:
    """The literal of a number: `50.0F` of a float, `5` of an integer."""
    return f"{value!r}F" if isinstance(value, float) else str(value)


def table(name: str, values: NDArray[np.generic]) -> str:
    """The definition of an array in C."""
    kind, suffix = ("float", "F") if values.dtype == np.float32 else (f"{values.dtype}_t", "")
    # The shortest decimals of a float32 are the same float32 again.
    numbers, margin = " ".join(f"{value!s}{suffix}," for value in values.ravel()), 4 * " "
    lines = wrap(numbers, 120, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
    return "\n".join([f"static const {kind} {name}[{values.size}] = {{", *lines, "};"])


def identifiers(labels: Sequence[str]) -> list[str]:
    """Different identifiers in capitals for labels, the ends of names of constants.

    Example:
        >>> identifiers(["walking", "going up", "going-up", "8 steps", "über", "走る"])
        ['WALKING', 'GOING_UP', 'GOING_UP_2', '8_STEPS', 'UBER', '6']
    """
    names: list[str] = []
    for number, label in enumerate(labels, 1):
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        name = re.sub(r"\W+", "_", plain).strip("_").upper() or str(number)
        others = (f"{name}_{count}" for count in range(2, len(labels) + 2))
        names.append(next(free for free in (name, *others) if free not in names))
    return names


def texts(name: str, values: Sequence[str]) -> str:
    """The definition of an array of texts."""
    lines = ",\n    ".join(map(text, values))
    return f"const char *const {name}[{len(values)}] = {{\n    {lines},\n}};"


def text(value: str) -> str:
    r"""A string literal of C.

    Example:
        >>> print(text('say "hi"??/'), text("ü"))
        "say \"hi\"\?\?/" "\303\274"
    """
    plain = {'"': '\\"', "\\": "\\\\", "?": "\\?"}
    return '"' + "".join(
        plain.get(chr(byte), chr(byte)) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in value.encode("utf-8")
    ) + '"'  # fmt: skip


class Arithmetic(NamedTuple):
    """Numbers of a format: their file in `native`, a comment, and the largest error that `model_test.c` accepts."""

    kernel: str
    text: str
    limit: float


INT8 = "c99_int8"

FORMATS = {
    "c99": Arithmetic("c99_float32.c", "Weights and arithmetic: float.", 1e-5),
    INT8: Arithmetic(
        "c99_int8.c",
        "Weights: 8-bit integers, with a scale for each output; sums of integers, states in float.", 0.25,
    ),
}  # fmt: skip
"""Arithmetic by the name of the format."""


def quantized(kernel: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights `(inputs, outputs)`, rounded to 8 bits, and the scale of each output."""
    scales = np.abs(kernel).max(axis=0) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(kernel / scales).astype(np.int8), scales


def _tables(name: str, layer: Layer, kind: str) -> list[str]:
    """The tables of a layer and its structure, which has 0 in place of a table that the layer lacks."""
    weights, scales = quantized(layer.kernel) if kind == INT8 else (layer.kernel, None)
    arrays = {"weights": weights, **({} if scales is None else {"scales": scales}), "bias": layer.bias}
    members = ["0" if values is None else f"{name}_{part}" for part, values in arrays.items()]
    return [
        *(table(f"{name}_{part}", values) for part, values in arrays.items() if values is not None),
        f"static const zoo_layer {name} = {{{', '.join([*members, *map(str, layer.kernel.shape)])}}};",
    ]


def write(network: Network, metadata: Metadata, kind: str, golden: Mapping[str, NDArray[Any]], folder: Path) -> None:
    """Writes the files of a network; `golden` is a row of each input and output of the first function, by Keras."""
    arithmetic, head = FORMATS[kind], "\n".join(embedding.head(metadata))
    identity = {"MODEL": (text(metadata.preset), ""), "WEIGHTS_SHA256": (text(metadata.weights_sha256), "")}
    facts = [
        f"#define ZOO_{name} {value}" + (f" /* {why} */" if why else "")
        for name, (value, why) in {**identity, **network.facts}.items()
    ]
    code = [
        *(table(name, values) for name, values in network.constants.items()),
        *map(native, (arithmetic.kernel, "c99_product.c", "c99_layers.c")),
        *(part for name, layer in network.layers.items() for part in _tables(name, layer, kind)), *network.code,
    ]  # fmt: skip
    first = next(iter(network.functions.values()))
    ((read, array),), ((answer, result),) = first.inputs.items(), first.outputs.items()
    texts = {
        HEADER: native(
            "c99_model.h", head=head, arithmetic=arithmetic.text, facts="\n".join(facts),
            declarations="\n\n".join(network.header),
        ),
        SOURCE: native(
            "c99_model.c", head=head, code="\n\n".join(part.strip() for part in code),
            most=max(len(layer.kernel) for layer in network.layers.values() if layer.bias is not None),
        ),
        TEST: native(
            "c99_model_test.c", input=table(read, golden[read].astype(_TYPES[array.kind])),
            expected=table("expected", golden[answer]), size=int(np.prod(result.shape)),
            call=re.sub(rf"\b{answer}\b", "found", first.call), limit=repr(arithmetic.limit),
        ),
        **{name: native(name) for name in network.files},
    }  # fmt: skip
    folder.mkdir()
    for name, content in texts.items():
        (folder / name).write_text(content + "\n", encoding="utf-8")


def find_compiler() -> list[str] | None:
    """The command of the C compiler: that in the environment variable CC, or cc, gcc or clang; None without."""
    named = (command := os.environ.get("CC", "")).split()
    if named:
        if shutil.which(named[0]) is None:
            raise ZooError(f"CC is {command!r}, which is not installed; expected the name of a C compiler")
        return named
    return next(([name] for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def run(
    network: Network, folder: Path, inputs: Mapping[str, Mapping[str, NDArray[Any]]], options: Sequence[str] = OPTIONS
) -> dict[str, dict[str, NDArray[Any]]] | None:
    """Compiles a network's code in a folder, and runs its test program and its functions on inputs `(N, ...)`.

    Returns the outputs `(N, ...)` by signature and name, with the `seconds (N,)` of each call; None without a compiler.
    """
    command = find_compiler()
    if command is None:
        return None
    compiler, outputs = [*command, *options], dict[str, dict[str, NDArray[Any]]]()
    with temporary_folder() as scratch:
        compile_c(compiler, ["-c", folder / SOURCE], scratch / "model.o")
        compile_c(compiler, [folder / TEST, scratch / "model.o", "-lm"], scratch / "test")
        _execute([scratch / "test"], f"{folder.name}/{TEST}")
        for name, function in network.functions.items():
            runner, program = scratch / f"{name}.c", scratch / name
            declared = [
                f"    static {array.kind} {key}" + (f"[{int(np.prod(array.shape))}];" if array.shape else ";")
                for key, array in {**function.inputs, **function.outputs}.items()
            ]
            runner.write_text(native(
                "c99_runner.c", call=function.call, declarations="\n".join(declared),
                reads=" && ".join(f"fread(&{key}, sizeof {key}, 1, stdin) == 1" for key in function.inputs),
                writes="\n".join(f"        fwrite(&{key}, sizeof {key}, 1, stdout);" for key in function.outputs),
            ), encoding="utf-8")  # fmt: skip
            compile_c(compiler, [f"-I{folder}", runner, scratch / "model.o", "-lm"], program)
            rows = np.zeros(len(next(iter(inputs[name].values()))), memory_layout(function.inputs))
            for part in rows.dtype.names or ():
                rows[part] = inputs[name][part]
            content = _execute([program], f"the compiled {name}", rows.tobytes())
            found = np.frombuffer(content, [*memory_layout(function.outputs), ("seconds", "=f8")])
            outputs[name] = {part: found[part] for part in found.dtype.names or ()}
    return outputs


def memory_layout(arguments: Mapping[str, Array]) -> list[tuple[str, str, tuple[int, ...]]]:
    """The arguments of a function, and the members of structures, as they follow each other in memory."""
    layout: list[tuple[str, str, tuple[int, ...]]] = []
    for name, array in arguments.items():
        layout += [(member, "=f4", (size,)) for member, size in array.members.items()]
        layout += [] if array.members else [(name, _TYPES[array.kind], array.shape)]
    return layout


def compile_c(compiler: Sequence[str], arguments: Sequence[str | Path], program: Path) -> None:
    """Compiles or links C code."""
    _execute([*compiler, *arguments, "-o", program], compiler[0])


def _execute(command: Sequence[str | Path], what: str, content: bytes = b"") -> bytes:
    """What a command writes. The message of a failure is its first error, or else its last line."""
    try:
        child = subprocess.run(
            [*map(str, command)], input=content, capture_output=True, check=False, timeout=_SECONDS
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ZooError(f"{what} took more than {_SECONDS} s and was stopped") from None
    except OSError as error:
        raise ZooError(f"{what} cannot be run: {error.strerror}") from error
    if child.returncode:
        said = (child.stdout + child.stderr).decode(errors="replace").strip().splitlines() or ["no message"]
        reason = next((line for line in said if "error:" in line or "undefined" in line), said[-1])
        raise ZooError(f"{what} fails with status {child.returncode}: {reason}")
    return child.stdout
