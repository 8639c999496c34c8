"""Recurrent recognizers as C: SimpleRNN, LSTM and GRU, whole windows and single steps."""

from typing import Any

import numpy as np

from zoo.exporting.c99 import recognizer
from zoo.exporting.c99.network import FLOATS, INTEGERS, Array, Function, Layer, Network, Numbers, activation_of, dense
from zoo.runtime.metadata import ActivityMetadata

_STEP = """
/* Reads a frame: ZOO_FRAME rows of ZOO_CHANNELS values, and updates the state. */
static void zoo_advance(const {value} *restrict frame, zoo_state *restrict state)
{{
    {buffers}
    {statements}
}}

static void zoo_answer_state(const zoo_state *restrict state, {answer} *restrict probabilities)
{{
    {head}
}}

void zoo_init(zoo_state *state)
{{
    {zeros}
}}

void zoo_step(const {value} *restrict frame, zoo_state *restrict state, {answer} *restrict probabilities)
{{
    zoo_advance(frame, state);
    zoo_answer_state(state, probabilities);
}}

void zoo_window(const {value} *restrict window, {answer} *restrict probabilities)
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
void zoo_step(const {value} *frame, zoo_state *state, {answer} *probabilities);
""".strip()


_HEADS = {
    FLOATS: "zoo_dense(&zoo_logits, state->{last}, probabilities);\n    zoo_softmax(probabilities, ZOO_CLASSES);",
    INTEGERS: "int16_t logits[ZOO_CLASSES];\n    zoo_dense(&zoo_logits, state->{last}, logits);\n    "
    "zoo_softmax(logits, probabilities, ZOO_CLASSES);",
}
"""Statements that turn the last state into probabilities."""


def network(model: Any, metadata: ActivityMetadata, numbers: Numbers = FLOATS) -> Network:
    """Describes a recurrent recognizer.

    Args:
        model: Keras model.
        metadata: Its metadata.
        numbers: Types of numbers. For integers, `zoo.exporting.c99.fixed` chooses their binary places.

    Raises:
        ZooError: If a layer has no counterpart in C.
    """
    constants, read, columns = recognizer.reading(model)
    layers, buffers, statements = _advance(model, columns)
    names, last = metadata.states, f"h_{model.num_layers}"
    code = _STEP.format(
        buffers=f"{numbers.value} {', '.join(f'{name}[{size}]' for name, size in buffers.items())};",
        statements="\n    ".join(statements), head=_HEADS[numbers].format(last=last), **vars(numbers),
        zeros="\n    ".join(f"zoo_zero(state->{name}, {size});" for name, size in names.items()),
    )  # fmt: skip
    members = "\n    ".join(f"{numbers.value} {name}[{size}];" for name, size in names.items())
    stepped = _HEADER.format(members=members, **vars(numbers))
    declared, defined = recognizer.labels(metadata, numbers)
    window_declared, window = recognizer.window(metadata, numbers)
    return Network(
        layers | {"zoo_logits": recognizer.logits_of(model)}, constants, [defined, read, code],
        recognizer.facts(metadata, numbers), [declared, stepped, window_declared],
        window | {"step": _step(metadata, numbers)}, recognizer.STREAM if numbers == FLOATS else (),
    )  # fmt: skip


def _advance(model: Any, columns: int) -> tuple[dict[str, Layer], dict[str, int], list[str]]:
    """Returns the layers that read a frame, the sizes of the buffers that they need, and the statements."""
    layers, statements = dict[str, Layer](), list[str]()
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
    return layers, buffers, statements


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


def _step(metadata: ActivityMetadata, numbers: Numbers) -> Function:
    frame = {"frame": recognizer.sensor(metadata, metadata.frame, numbers)}
    units = dict.fromkeys(metadata.states, numbers.one)
    state = {"state": Array("zoo_state", members=metadata.states, member=numbers.value, units=units)}
    answer = {"probabilities": recognizer.probabilities(metadata, numbers)}
    return Function("zoo_step(frame, &state, probabilities)", frame | state, answer | state)
