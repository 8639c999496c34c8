"""Recurrent recognizers as C: SimpleRNN, LSTM and GRU, whole windows and single steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.formats.c99.network import Array, Floats, Function, Layer, Network, activation_of, dense
from zoo.metadata import STANDARD_GRAVITY, ActivityMetadata

_SMALLEST = 1e-7
"""Smallest standard deviation by which Keras divides."""

_STEP = """
/* Reads a frame: ZOO_FRAME rows of ZOO_CHANNELS values, and updates the state. */
static void zoo_advance(const float *restrict frame, zoo_state *restrict state)
{{
    {buffers}
    {statements}
}}

static void zoo_answer_state(const zoo_state *restrict state, float *restrict probabilities)
{{
    zoo_dense(&zoo_logits, state->{last}, probabilities);
    zoo_softmax(probabilities, ZOO_CLASSES);
}}

void zoo_init(zoo_state *state)
{{
    {zeros}
}}

void zoo_step(const float *restrict frame, zoo_state *restrict state, float *restrict probabilities)
{{
    zoo_advance(frame, state);
    zoo_answer_state(state, probabilities);
}}

void zoo_window(const float *restrict window, float *restrict probabilities)
{{
    zoo_state state;
    zoo_init(&state);
    for (int row = 0; row < ZOO_WINDOW; row += ZOO_FRAME)
        zoo_advance(window + row * ZOO_CHANNELS, &state);
    zoo_answer_state(&state, probabilities);
}}
""".strip()

_HEADER = """
/* What the network remembers. Every signal needs one of its own. */
typedef struct {{
    {members}
}} zoo_state;

/* Sets a state to the start of a signal. */
void zoo_init(zoo_state *state);

/* Reads ZOO_FRAME rows of ZOO_CHANNELS values, and writes ZOO_CLASSES probabilities. */
void zoo_step(const float *frame, zoo_state *state, float *probabilities);

/* Reads ZOO_WINDOW rows of ZOO_CHANNELS values, and writes ZOO_CLASSES probabilities. */
void zoo_window(const float *window, float *probabilities);
""".strip()


def network(model: Any, metadata: ActivityMetadata) -> Network:
    """Describes a recurrent recognizer.

    Args:
        model: Keras model.
        metadata: Its metadata.

    Raises:
        ZooError: If a layer has no counterpart in C.
    """
    constants, read, columns = reading(model)
    layers, statements = {"zoo_logits": logits_of(model)}, []
    buffers = {"read": model.units + columns, "gates": model.gates * model.units}
    if model.frame > 1:
        frame = model.get_layer("frame")
        layers["zoo_frame"], buffers["rows"] = dense(frame), model.frame * columns
        features = frame.kernel.shape[-1]
        buffers["read"] = model.units + features
        statements += [
            "for (int row = 0; row < ZOO_FRAME; ++row)",
            f"    zoo_read(frame + row * ZOO_CHANNELS, rows + row * {columns});",
            "zoo_dense(&zoo_frame, rows, read);",
            *activation_of(frame, "read", features),
        ]
    else:
        statements += ["zoo_read(frame, read);"]
    for number in range(1, model.num_layers + 1):
        if number > 1:
            statements.append(f"zoo_copy(read, state->h_{number - 1}, {model.units});")
            buffers["read"] = max(buffers["read"], 2 * model.units)
        matrices, call = _cell(model.get_layer(f"cell_{number}"), number)
        layers |= matrices
        statements.append(call)
    if model.gates == 1:
        del buffers["gates"]
    names = metadata.states
    code = _STEP.format(
        buffers=f"float {', '.join(f'{name}[{size}]' for name, size in buffers.items())};",
        statements="\n    ".join(statements), last=f"h_{model.num_layers}",
        zeros="\n    ".join(f"zoo_zero(state->{name}, {size});" for name, size in names.items()),
    )  # fmt: skip
    header = _HEADER.format(members="\n    ".join(f"float {name}[{size}];" for name, size in names.items()))
    return Network(layers, constants, [read, code], [header], _functions(metadata))


def reading(model: Any) -> tuple[dict[str, Floats], str, int]:
    """Describes how a recognizer reads a row: normalization and magnitude.

    Returns:
        Tables by name, the definition of `zoo_read`, and the number of values that it makes of a row.
    """
    constants, value = dict[str, Floats](), "row[i]"
    if model.mean is not None and model.variance is not None:
        constants["zoo_mean"] = np.float32(model.mean)
        constants["zoo_scale"] = 1 / np.maximum(np.sqrt(np.float32(model.variance)), np.float32(_SMALLEST))
        value = "(row[i] - zoo_mean[i]) * zoo_scale[i]"
    columns = len(model.channels)
    lines = [
        "/* Normalizes a row. */",
        "static void zoo_read(const float *restrict row, float *restrict values)",
        "{",
        "    for (int i = 0; i < ZOO_CHANNELS; ++i)",
        f"        values[i] = {value};",
    ]
    if model.magnitude:
        lines[0] = "/* Normalizes a row, and adds min(|x|^2 / g^2, 6) - 1. */"
        lines += [
            f"    const float x = row[0] * {1 / STANDARD_GRAVITY:.9g}F;",
            f"    const float y = row[1] * {1 / STANDARD_GRAVITY:.9g}F;",
            f"    const float z = row[2] * {1 / STANDARD_GRAVITY:.9g}F;",
            "    const float square = x * x + y * y + z * z;",
            f"    values[{columns}] = (square < 6.0F ? square : 6.0F) - 1.0F;",
        ]
    return constants, "\n".join([*lines, "}"]), columns + bool(model.magnitude)


def logits_of(model: Any) -> Layer:
    """Reads the last layer, with the temperature and the prior in its weights."""
    layer = dense(model.get_layer("logits"))
    shift = np.float32(0 if model.prior is None else model.prior_shift)
    temperature = np.float32(model.temperature)
    return Layer(layer.kernel / temperature, layer.bias / temperature + shift)


def _cell(layer: Any, number: int) -> tuple[dict[str, Layer], str]:
    """Reads the matrices of a cell, each of which reads the input and the state after it, and the call of its step."""
    kernel, recurrent, bias = (
        np.asarray(value, np.float32)
        for value in (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)
    )  # fmt: skip
    both, name = np.concatenate([kernel, recurrent]), f"zoo_cell_{number}"
    kind, units = type(layer).__name__, recurrent.shape[0]
    if kind == "SimpleRNN":
        return {name: Layer(both, bias)}, f"zoo_simple_rnn(&{name}, read, state->h_{number});"
    if kind == "LSTM":
        # Keras: i, f, candidate, o. Gates with the same activation next to each other need one call.
        order = np.concatenate([np.arange(units) + gate * units for gate in (0, 1, 3, 2)])
        call = f"zoo_lstm(&{name}, read, gates, state->h_{number}, state->c_{number});"
        return {name: Layer(both[:, order], bias[order])}, call
    split = 2 * units
    matrices = {name: Layer(both[:, :split], bias[:split]), f"{name}_reset": Layer(both[:, split:], bias[split:])}
    return matrices, f"zoo_gru(&{name}, &{name}_reset, read, gates, state->h_{number});"


def _functions(metadata: ActivityMetadata) -> Mapping[str, Function]:
    channels = len(metadata.axes)
    probabilities = {"probabilities": Array("float", (len(metadata.classes),))}
    state = {"state": Array("zoo_state", members=metadata.states)}
    window = {"window": Array("float", (metadata.window, channels))}
    frame = {"frame": Array("float", (metadata.frame, channels))}
    return {
        "window": Function("zoo_window(window, probabilities)", window, probabilities),
        "step": Function("zoo_step(frame, &state, probabilities)", frame | state, probabilities | state),
    }
