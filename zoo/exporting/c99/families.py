"""The families as C: recurrent recognizers, whole windows and single steps; convolutional ones; encoders; words.

A convolutional recognizer consists of blocks that keep no more rows than their filters read. A block that has read
enough passes a row on to the next one, so that a window needs a few kilobytes of stack.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo.exporting import embedding
from zoo.exporting.c99.source import (
    Array,
    Floats,
    Function,
    Layer,
    Network,
    activation_of,
    defined,
    dense,
    function,
    identifiers,
    native,
    number,
    texts,
)
from zoo.runtime.metadata import STANDARD_GRAVITY, ActivityMetadata, AutoencoderMetadata, TrigramMetadata

_SMALLEST = 1e-7
"""Smallest standard deviation by which Keras divides."""

_STREAM = ("zoo_stream.h", "zoo_stream.c")
"""Sources that are the same for all recognizers."""


def recurrent(model: Any, metadata: ActivityMetadata) -> Network:
    """A recurrent recognizer."""
    constants, reading, columns = _reading(model)
    layers, buffers, statements = _advance(model, columns)
    names = metadata.states
    sizes = ", ".join(f"{name}[{size}]" for name, size in buffers.items())
    code = [
        defined({"LAST": f"h_{model.num_layers}"}),
        # Reads a frame: ZOO_FRAME rows of ZOO_CHANNELS values, and updates the state.
        function(
            "zoo_advance(const float *restrict frame, zoo_state *restrict state)", [f"float {sizes};", *statements]
        ),
        native("c99_recurrent.c"),
    ]
    members = "".join(f"    float {name}[{size}];\n" for name, size in names.items())
    comment = "/* What the network remembers. Every signal needs one of its own. */"
    declared = f"{comment}\ntypedef struct {{\n{members}}} zoo_state;"
    state = {"state": Array("zoo_state", members=names)}
    window, step = _function("window", metadata.window, metadata), _function("frame", metadata.frame, metadata)
    functions = {
        "window": window,
        "step": Function("zoo_step(frame, &state, probabilities)", {**step.inputs, **state}, {**step.outputs, **state}),
    }
    return Network(
        layers | {"zoo_logits": _logits(model)}, constants, [*reading, *code], _facts(metadata),
        [_declared(metadata), declared, native("c99_recurrent.h")], functions, _STREAM,
    )  # fmt: skip


def convolutional(model: Any, metadata: ActivityMetadata) -> Network:
    """A convolutional recognizer."""
    constants, reading, columns = _reading(model)
    layers, functions = {"zoo_logits": _logits(model)}, list[str]()
    parts, start, end = list[str](), list[str](), list[str]()
    rows, channels, filters = model.window, columns, model.filters
    for place in range(1, model.num_blocks + 1):
        block = model.get_layer(f"block_{place}")
        depthwise, pointwise, bias = (np.asarray(value, np.float32) for value in block.get_weights())
        layers[f"zoo_filters_{place}"] = Layer(depthwise[:, :, 0])
        layers[f"zoo_features_{place}"] = Layer(pointwise[0], bias)
        # As many rows of zeros, most of them after the others, as Keras pads with `same`.
        padding = max((-(-rows // 2) - 1) * 2 + model.kernel_size - rows, 0)
        before, after, size = padding // 2, padding - padding // 2, model.kernel_size * channels
        parts += [f"float rows_{place}[{size}];", f"int filled_{place};"]
        start += [f"zoo_zero(blocks->rows_{place}, {size});", f"blocks->filled_{place} = {before};"]
        end += [f"for (int i = 0; i < {after}; ++i)", f"    zoo_block_{place}(blocks, zeros);"] if after else []
        pass_on = [f"zoo_block_{place + 1}(blocks, features);"]
        if place == model.num_blocks:
            pass_on = [f"for (int j = 0; j < {filters}; ++j)", "    blocks->sum[j] += features[j];"]
        lines = [*activation_of(block, "features", filters), *pass_on]
        functions.insert(0, native(
            "c99_block.c", place=place, channels=channels, filters=filters, pass_on="\n    ".join(lines),
        ))  # fmt: skip
        rows, channels = -(-rows // 2), filters
    members = "\n    ".join([*parts, f"float sum[{filters}];"])
    zeros = [f"static const float zeros[{max(columns, filters)}] = {{0.0F}};"] if end else ["(void)blocks;"]
    code = [
        f"typedef struct {{\n    {members}\n}} zoo_blocks;", *functions,
        defined({"COLUMNS": columns, "FILTERS": filters, "ROWS": f"{rows}.0F"}),
        function("zoo_begin(zoo_blocks *blocks)", [*start, f"zoo_zero(blocks->sum, {filters});"]),
        function("zoo_end(zoo_blocks *blocks)", [*zeros, *end]),
        native("c99_convolutional.c"),
    ]  # fmt: skip
    return Network(
        layers, constants, [*reading, *code], _facts(metadata), [_declared(metadata)],
        {"window": _function("window", metadata.window, metadata)}, _STREAM,
    )  # fmt: skip


def _function(read: str, rows: int, metadata: ActivityMetadata) -> Function:
    sensor = Array("float", (rows, len(metadata.axes)))
    answer = Array("float", (len(metadata.classes),))
    return Function(f"zoo_{read}({read}, probabilities)", {read: sensor}, {"probabilities": answer})


def _facts(metadata: ActivityMetadata) -> dict[str, tuple[str, str]]:
    """Values and comments of the constants of `model.h`, by name."""
    settings = {name: (value, why) for name, value, why in embedding.numbers(metadata)}
    constants = {name.upper(): (number(value), why) for name, (value, why) in settings.items()}
    below = "probability of a window below which there is no answer; 0: always"
    return {
        "WINDOW": (number(metadata.window), f"rows, {metadata.window / metadata.rate:g} s"),
        "CLASSES": (number(len(metadata.classes)), ""),
        "ANSWER_THRESHOLD": (number(float(metadata.threshold or 0)), below),
        **constants,
        # A float would make the clock of a stream drift.
        "RATE": (repr(float(metadata.rate)), "Hz"),
        "RECURRENT": (number(int(bool(metadata.states))), "1 for a model with states"),
        **_groups(metadata, settings["advance"][0] / metadata.rate),
    }


def _groups(metadata: ActivityMetadata, seconds: float) -> dict[str, tuple[str, str]]:
    """The table of groups that `zoo_stream.c` follows, for the seconds from one answer to the next."""

    def listed(values: Iterable[float]) -> str:
        return f"{{{', '.join(map(number, values))}}}"

    groups = embedding.groups(metadata)
    rows = [
        f"{{{number(evidence * seconds)}, {len(stay)}, {listed(-math.expm1(-seconds / mean) for mean in stay)}, "
        f"{listed(mean / sum(stay) for mean in stay)}, {listed(parts)}}}"
        for parts, evidence, stay in groups
    ]
    # C has no empty tables: of a single label, the other part is never true.
    lines = ", \\\n    ".join(rows or ["{0.0F, 2, {0.0F, 0.0F}, {1.0F, 0.0F}, {0}}"])
    return {
        "GROUPS": (number(max(1, len(groups))), "of labels, in each of which a stream follows which part is true"),
        "PARTS": (number(max((len(stay) for *_, stay in groups), default=2)), "of a group, at most"),
        "GROUP_TABLE": (f"{{ \\\n    {lines} \\\n}}", ""),
    }


def _declared(metadata: ActivityMetadata) -> str:
    """The declarations of labels, and of what reads windows."""
    names = ",\n    ".join(f"ZOO_LABEL_{name}" for name in identifiers(metadata.classes))
    rotation = embedding.rotation_comment(metadata).replace("//", "  ")
    gravity = "gravity included; a phone at rest, face up, reads z = +9.81."
    comment = f"/* Acceleration in {metadata.unit}, {gravity}{rotation} */"
    return f"{comment}\nenum {{\n    {names},\n}};\n\n{native('c99_recognizer.h')}"


def _reading(model: Any) -> tuple[dict[str, Floats], list[str], int]:
    """Tables, the labels and the definition of `zoo_read`, and the number of values that it makes of a row."""
    constants, value = dict[str, Floats](), "row[i]"
    if model.mean is not None and model.variance is not None:
        constants["zoo_mean"] = np.array(model.mean, np.float32)
        deviation = np.maximum(np.sqrt(np.array(model.variance, np.float32)), np.float32(_SMALLEST))
        constants["zoo_scale"] = (1 / deviation).astype(np.float32)
        value = "(row[i] - zoo_mean[i]) * zoo_scale[i]"
    columns = len(model.channels)
    comment = "Normalizes a row"
    lines = ["for (int i = 0; i < ZOO_CHANNELS; ++i)", f"    values[i] = {value};"]
    if model.magnitude:
        comment += ", and adds min(|x|^2 / g^2, 6) - 1"
        lines += [
            *(f"const float {axis} = row[{i}] * {1 / STANDARD_GRAVITY:.9g}F;" for i, axis in enumerate("xyz")),
            "const float square = x * x + y * y + z * z;",
            f"values[{columns}] = (square < 6.0F ? square : 6.0F) - 1.0F;",
        ]
    read = function("zoo_read(const float *restrict row, float *restrict values)", lines)
    code = [texts("zoo_labels", model.classes), native("c99_recognizer.c"), f"/* {comment}. */\n{read}"]
    return constants, code, columns + bool(model.magnitude)


def _logits(model: Any) -> Layer:
    """The last layer, with the temperature and the prior in its weights."""
    layer, temperature = model.get_layer("logits"), np.float32(model.temperature)
    kernel, bias = dense(layer).kernel, np.asarray(layer.bias, np.float32)
    shift = np.array(0 if model.prior is None else model.prior_shift, np.float32)
    return Layer(kernel / temperature, bias / temperature + shift)


def _advance(model: Any, columns: int) -> tuple[dict[str, Layer], dict[str, int], list[str]]:
    """The layers that read a frame, the sizes of the buffers that they need, and the statements."""
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
    for place in range(1, model.num_layers + 1):
        if place > 1:
            statements.append(f"zoo_copy(read, state->h_{place - 1}, {model.units});")
            buffers["read"] = max(buffers["read"], 2 * model.units)
        matrices, call = _cell(model.get_layer(f"cell_{place}"), place)
        layers |= matrices
        statements.append(call)
    if model.gates == 1:
        del buffers["gates"]
    return layers, buffers, statements


def _cell(layer: Any, number: int) -> tuple[dict[str, Layer], str]:
    """The matrices of a cell, each of which reads the input and the state after it, and the call of its step."""
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


def encoder(model: Any, metadata: AutoencoderMetadata, luminance: list[float]) -> Network:
    """The encoder of an autoencoder; `luminance` are the weights of red, green and blue."""
    tied, (limit, low, high) = model.get_layer("tied"), metadata.scale
    constants = dict(zip(("RED", "GREEN", "BLUE"), luminance, strict=True))
    constants |= {"LIMIT": limit, "LOW": low, "SPREAD": high - low}
    code = [
        defined({name: number(value) for name, value in constants.items()}),
        function("zoo_activate(float *code)", activation_of(tied, "code", metadata.hidden_units) or ["(void)code;"]),
        native("c99_encoder.c"),
    ]
    facts = {
        "SIZE": (number(metadata.size), "pixels, width and height of a patch"),
        "CODE": (number(metadata.hidden_units), "values of a code"),
    }
    rgb = {"rgb": Array("float", (3, metadata.size, metadata.size))}
    encode = Function("zoo_encode(rgb, code)", rgb, {"code": Array("float", (metadata.hidden_units,))})
    return Network({"zoo_tied": dense(tied)}, {}, code, facts, [native("c99_encoder.h")], {"encode": encode})


def language_model(model: Any, metadata: TrigramMetadata) -> Network:
    """A language model."""
    table = model.get_layer("embedding").embeddings.numpy()
    layers = {"zoo_embedding": Layer(table), "zoo_logits": dense(model.get_layer("logits"))}
    units, statements = model.hidden_units, list[str]()
    for place in range(1, model.num_layers + 1):
        layer, name = model.get_layer(f"hidden_{place}"), f"zoo_hidden_{place}"
        layers[name] = dense(layer)
        statements += [f"zoo_copy(read, hidden, {units});"] if place > 1 else []
        statements += [f"zoo_dense(&{name}, read, hidden);", *activation_of(layer, "hidden", units)]
    widest = max(metadata.context * model.embedding, units)
    code = [
        texts("zoo_words", metadata.words),
        defined({"READ": widest, "HIDDEN": units, "EMBEDDING": model.embedding}),
        function("zoo_hidden(float *restrict read, float *restrict hidden)", statements),
        native("c99_words.c"),
    ]
    facts = {
        "WORDS": (number(len(metadata.words)), "of the vocabulary"),
        "CONTEXT": (number(metadata.context), "words"),
    }
    probabilities = {"probabilities": Array("float", (len(metadata.words),))}
    ids = {"ids": Array("int32_t", (metadata.context,))}
    next_word = Function("zoo_next_word(ids, probabilities)", ids, probabilities)
    return Network(layers, {}, code, facts, [native("c99_words.h")], {"next_word": next_word})
