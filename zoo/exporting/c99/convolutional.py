"""The convolutional recognizer as C: blocks that keep no more rows than their filters read.

A block that has read enough rows passes one on to the next block, so that a window needs a few kilobytes of stack.
"""

from typing import Any

import numpy as np

from zoo.exporting.c99 import recognizer
from zoo.exporting.c99.network import Layer, Network, activation_of
from zoo.runtime.metadata import ActivityMetadata

_BLOCK = """
static void zoo_block_{number}(zoo_blocks *restrict blocks, const float *restrict row)
{{
    float read[{channels}], features[{filters}];
    if (!zoo_push(blocks->rows_{number}, &blocks->filled_{number}, row, &zoo_filters_{number}))
        return;
    zoo_depthwise(&zoo_filters_{number}, blocks->rows_{number}, read);
    zoo_advance_two(blocks->rows_{number}, &blocks->filled_{number}, &zoo_filters_{number});
    zoo_dense(&zoo_features_{number}, read, features);
    {activation}
    {pass_on}
}}
""".strip()

_WINDOW = """
void zoo_window(const float *restrict window, float *restrict probabilities)
{{
    {zeros}zoo_blocks blocks;
    float row[{columns}];
    {start}
    for (int i = 0; i < ZOO_WINDOW; ++i) {{
        zoo_read(window + i * ZOO_CHANNELS, row);
        zoo_block_1(&blocks, row);
    }}
    {end}
    for (int j = 0; j < {filters}; ++j)
        blocks.sum[j] /= {last}.0F;
    zoo_dense(&zoo_logits, blocks.sum, probabilities);
    zoo_softmax(probabilities, ZOO_CLASSES);
}}
""".strip()


def network(model: Any, metadata: ActivityMetadata) -> Network:
    """Describes a convolutional recognizer.

    Args:
        model: Keras model.
        metadata: Its metadata.
    """
    constants, read, columns = recognizer.reading(model)
    layers, functions = {"zoo_logits": recognizer.logits_of(model)}, list[str]()
    members, start, end = list[str](), list[str](), list[str]()
    rows, channels, filters = model.window, columns, model.filters
    for number in range(1, model.num_blocks + 1):
        block = model.get_layer(f"block_{number}")
        depthwise, pointwise, bias = (np.asarray(value, np.float32) for value in block.get_weights())
        layers[f"zoo_filters_{number}"] = Layer(depthwise[:, :, 0])
        layers[f"zoo_features_{number}"] = Layer(pointwise[0], bias)
        before, after = _padding(rows, model.kernel_size)
        size = model.kernel_size * channels
        members += [f"float rows_{number}[{size}];", f"int filled_{number};"]
        start += [f"zoo_zero(blocks.rows_{number}, {size});", f"blocks.filled_{number} = {before};"]
        end += [f"for (int i = 0; i < {after}; ++i)", f"    zoo_block_{number}(&blocks, zeros);"] if after else []
        pass_on = f"zoo_block_{number + 1}(blocks, features);"
        if number == model.num_blocks:
            pass_on = f"for (int j = 0; j < {filters}; ++j)\n        blocks->sum[j] += features[j];"
        functions.insert(0, _BLOCK.format(
            number=number, channels=channels, filters=filters, pass_on=pass_on,
            activation=activation_of(block, "features", filters)[0],
        ))  # fmt: skip
        rows, channels = -(-rows // 2), filters
    blocks = "\n    ".join([*members, f"float sum[{filters}];"])
    window = _WINDOW.format(
        zeros=f"static const float zeros[{max(columns, filters)}] = {{0.0F}};\n    " if end else "",
        columns=columns, filters=filters, last=rows,
        start="\n    ".join([*start, f"zoo_zero(blocks.sum, {filters});"]), end="\n    ".join(end),
    )  # fmt: skip
    declared, defined = recognizer.labels(metadata)
    window_declared, functions_of = recognizer.window(metadata)
    return Network(
        layers, constants, [defined, read, f"typedef struct {{\n    {blocks}\n}} zoo_blocks;", *functions, window],
        recognizer.facts(metadata), [declared, window_declared], functions_of, recognizer.STREAM,
    )  # fmt: skip


def _padding(rows: int, size: int) -> tuple[int, int]:
    """Returns the numbers of rows of zeros before and after the rows that a block reads, as Keras pads with `same`."""
    total = max((-(-rows // 2) - 1) * 2 + size - rows, 0)
    return total // 2, total - total // 2
