"""Recurrent recognizers in integers alone, for processors without a floating-point unit.

A number of b binary places stands for its value times 2^b, in 16 bits. States and probabilities have 15 places, the
arguments of a sigmoid 12, of a tanh 13, logits 10. The others are as large as some windows make them, with a margin;
values beyond are limited to the largest that 16 bits hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting.c99 import recognizers
from zoo.exporting.c99.network import INTEGERS, Floats, Layer, Network
from zoo.runtime.metadata import STANDARD_GRAVITY, ActivityMetadata

_SIGMOID, _TANH, _LOGITS, _STATE = 12, 13, 10, 15
_MARGIN, _MOST_INPUTS, _FEWEST = 2.0, 516, 5
_ACTIVATIONS = ("linear", "relu", "leaky_relu")

Table = NDArray[Any]


def network(
    model: Any, metadata: ActivityMetadata, windows: Floats, states: Mapping[str, NDArray[np.floating[Any]]]
) -> Network:
    """Describes a recurrent recognizer in integers.

    Windows `(N, T, C)` and states `(N, H)` by name, from the middle of windows, show how large values become. An
    activation without a form in integers, a layer with too many inputs and a cell state that does not fit are refused.
    """
    described = recognizers.recurrent(model, metadata, INTEGERS)
    features = _places("the input of cell_1", _outputs(model, model.get_layer("cell_1").input, windows), least=1.0)
    rows = features
    if model.frame > 1:
        frame = model.get_layer("frame")
        if frame.activation.__name__ not in _ACTIVATIONS:
            raise ZooError(
                f"layer frame: activation {frame.activation.__name__!r} has no form in integers; expected "
                f"{', '.join(_ACTIVATIONS)}: export c99_int8"
            )
        rows = _places("the rows of windows", _outputs(model, frame.input, windows), least=1.0)
    cells = {name: _places(name, values) for name, values in states.items() if name.startswith("c_")}
    places: dict[str, tuple[Any, ...]] = {"zoo_frame": (rows, features), "zoo_logits": (_STATE, _LOGITS)}
    for number in range(1, model.num_layers + 1):
        for name in (f"zoo_cell_{number}", f"zoo_cell_{number}_reset"):
            if name in described.layers:
                written = _arguments(model.gates, name.endswith("reset"), described.layers[name].kernel.shape[1])
                places[name] = (features if number == 1 else _STATE, written, cells.get(f"c_{number}", 0))
    layers = {name: _layer(layer, *places[name]) for name, layer in described.layers.items()}
    constants, code = _reading(model, rows)
    step = described.functions["step"]
    state = step.inputs["state"]
    known = {"state": replace(state, units=dict(state.units) | {name: 2**cell for name, cell in cells.items()})}
    step = replace(step, inputs=dict(step.inputs) | known, outputs=dict(step.outputs) | known)
    defined, _, stepping = described.code
    return replace(
        described, layers=layers, constants=constants, code=[defined, code, stepping],
        functions=dict(described.functions) | {"step": step},
    )  # fmt: skip


def _outputs(model: Any, tensor: Any, windows: Floats) -> Floats:
    return np.asarray(keras.Model(model.input, tensor)(windows), np.float32)


def _places(what: str, values: NDArray[np.floating[Any]], least: float = 0.0) -> int:
    """Returns the binary places of values with which 16 bits hold them and a margin."""
    largest = max(_MARGIN * float(np.abs(values).max()), least, 2.0**-_STATE)
    places = min(_STATE, int(np.floor(np.log2(32767 / largest))))
    if places < _FEWEST:
        raise ZooError(
            f"{what} reaches {largest / _MARGIN:.0f}; expected below {2 ** (15 - _FEWEST) / _MARGIN:.0f}, so that 16 "
            f"bits hold it with {_FEWEST} binary places: export c99_int8"
        )
    return places


def _arguments(gates: int, reset: bool, outputs: int) -> NDArray[np.int64]:
    """Returns the binary places of the outputs of a cell's layer: arguments of a sigmoid, then of a tanh."""
    tanh = {1: outputs, 4: outputs // 4, 3: outputs if reset else 0}[gates]
    return np.repeat([_SIGMOID, _TANH], [outputs - tanh, tanh])


def _layer(layer: Layer, read: int, written: int | NDArray[np.int64], cell: int = 0) -> Layer:
    inputs, outputs = layer.kernel.shape
    if inputs > _MOST_INPUTS:
        most = f"at most {_MOST_INPUTS}, whose products 32 bits hold"
        raise ZooError(f"a layer has {inputs} inputs; expected {most}: export c99_int8")
    return replace(layer, places=(read, np.broadcast_to(np.asarray(written, np.int64), outputs), cell))


def _reading(model: Any, places: int) -> tuple[dict[str, Table], str]:
    """Returns tables, and the definition of `zoo_read` in integers: normalization and magnitude."""
    channels = len(model.channels)
    known = model.mean is not None and model.variance is not None
    mean = np.array(model.mean) if known else np.zeros(channels)
    deviation = np.maximum(np.sqrt(np.array(model.variance)), 1e-7) if known else np.ones(channels)
    factors = 2.0**places / INTEGERS.sensor / deviation
    # A factor of 14 bits times a value of 16, and the mean, stay within 31.
    shift = int(np.clip(np.floor(13 - np.log2(factors.max())), 1, 24))
    offsets = np.rint(np.clip(mean * INTEGERS.sensor * factors * 2.0**shift, -(2.0**30), 2.0**30))
    constants: dict[str, Table] = {
        "zoo_factors": np.rint(factors * 2.0**shift).astype(np.int32), "zoo_offsets": offsets.astype(np.int32),
        "zoo_sigmoid_table": _table(lambda x: 1 / (1 + np.exp(-x)), np.linspace(-8, 8, 257)),
        "zoo_exp_table": _table(lambda x: np.exp(-x), np.linspace(0, 8, 257)),
    }  # fmt: skip
    lines = [
        "/* Normalizes a row. */",
        "static void zoo_read(const int16_t *restrict row, int16_t *restrict values)",
        "{",
        "    for (int i = 0; i < ZOO_CHANNELS; ++i)",
        f"        values[i] = zoo_limited(zoo_shifted(row[i] * zoo_factors[i] - zoo_offsets[i], {shift}));",
    ]
    if model.magnitude:
        unit = (STANDARD_GRAVITY * INTEGERS.sensor) ** 2
        most = int(6 * unit)
        # Of (square / 2^8), which has 16 bits, a factor of 14 bits.
        down = int(np.floor(13 - np.log2(2.0**places * 2**8 / unit)))
        lines[0] = "/* Normalizes a row, and adds min(|x|^2 / g^2, 6) - 1. */"
        lines += [
            "    uint32_t square = 0;",
            "    for (int i = 0; i < 3; ++i)",
            "        square += (uint32_t)(row[i] * row[i]);",
            f"    square = square < {most} ? square : {most};",
            f"    values[{channels}] = zoo_limited(zoo_shifted((int32_t)(square >> 8) * "
            f"{round(2.0**places * 2**8 / unit * 2.0**down)}, {down}) - {2**places});",
        ]
    return constants, "\n".join([*lines, "}"])


def _table(function: Callable[[Any], Any], places: Table) -> NDArray[np.int16]:
    found: NDArray[np.int16] = np.minimum(np.rint(32768 * function(places)), 32767).astype(np.int16)
    return found
