"""C++ sources of a recognizer for TFLite Micro: its integer file as an array, and the constants that firmware needs.

    model.h    names, labels, rate, the order of inputs and outputs, the arena, the operations to register
    model.cc   the aligned array, and golden vectors: frames of a window and the outputs of the file

The firmware keeps the states between calls: it copies the output `h_1` to the input `h_1`, and so on. A model without
states reads a whole window per call.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.exporting import native
from zoo.files import atomic_write
from zoo.runtime import Recognizer
from zoo.runtime.metadata import ActivityMetadata

HEADER, SOURCE = "model.h", "model.cc"

_GOLDEN = 3
_ANSWER = """
// The number of the most probable label, or -1 where it is less probable than the threshold.
inline int Answer(const float* probabilities, float threshold = kThreshold) {
  int best = 0;
  for (int i = 1; i < kClasses; ++i)
    if (probabilities[i] > probabilities[best]) best = i;
  return probabilities[best] < threshold ? -1 : best;
}
""".strip()
_A_LINE = 20

_BOOKKEEPING = 320, 4096
"""Upper estimates of the bytes that TFLite Micro needs per operation and in total: measured on a 64-bit host were 220
and 2,000."""


def write(file: Path, window: NDArray[np.float32], folder: Path) -> list[Path]:
    """Writes `model.cc` and `model.h`.

    Args:
        file: `.tflite` file whose only signature is `step`, or `window` if the model has no states.
        window: Window `(T, C)` from which golden frames are taken.
        folder: Folder to write to.

    Returns:
        Paths of both files.
    """
    recognizer = Recognizer(file)
    texts = {folder / SOURCE: _source(recognizer, window), folder / HEADER: _header(recognizer)}
    for path, text in texts.items():
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(texts)


def read_array(source: Path) -> bytes:
    """Extracts the `.tflite` file from a `model.cc`."""
    body = source.read_text(encoding="utf-8").partition("kModel[] = {")[2].partition("}")[0]
    return bytes(int(value) for value in re.findall(r"\d+", body))


def _header(recognizer: Recognizer) -> str:
    metadata, signature = recognizer.metadata, native.signature(recognizer.metadata)
    inputs, outputs = recognizer.order(signature)
    operations = sorted(set(recognizer.operations(signature)))
    each, fixed = _BOOKKEEPING
    arena = recognizer.activation_bytes(signature) + each * len(recognizer.operations(signature)) + fixed
    constants = {name: value for name, value, _ in native.numbers(metadata)}
    lines = [
        *native.head(metadata),
        "#ifndef POCKET_ZOO_MODEL_H_",
        "#define POCKET_ZOO_MODEL_H_",
        "",
        "namespace pocket_zoo {",
        "",
        f"// Acceleration in {metadata.unit}, gravity included; a phone at rest, face up, reads z = +9.81.",
        *native.rotation_comment(metadata),
        f"constexpr float kRateHz = {float(metadata.rate)!r}f;",
        f"constexpr int kFrame = {constants['frame']};  // rows that one call reads",
        f"constexpr int kAdvance = {constants['advance']};  // rows to the start of the next call's",
        f"constexpr int kChannels = {len(metadata.axes)};  // {', '.join(metadata.axes)}",
        f"constexpr int kClasses = {len(metadata.classes)};",
        "extern const char* const kLabels[kClasses];",
        f"constexpr float kThreshold = {constants['threshold']!r}f;  // below which there is no answer; 0: always one",
        "",
        _ANSWER,
        "",
        f"constexpr int kInputFrame = {inputs[native.INPUTS[signature]]};",
        f"constexpr int kOutputProbabilities = {outputs['probabilities']};",
        *_states(list(metadata.states.items()), inputs, outputs),
        f"constexpr int kRestartRows = {constants['restart']};  // rows after which a state restarts; 0: never",
        f"constexpr int kCopies = {constants['copies']};  // parallel states, their restarts staggered",
        "",
        "// Enough on a 64-bit host; MicroInterpreter::arena_used_bytes() returns the need of a target.",
        f"constexpr int kArenaBytes = {-(-arena // 16) * 16};",
        "",
        "alignas(16) extern const unsigned char kModel[];",
        "extern const unsigned int kModelSize;",
        "",
        "// Registers the operations of the file: tflite::MicroMutableOpResolver<kOperations>.",
        f"constexpr int kOperations = {len(operations)};",
        "template <class Resolver>",
        "void AddOperations(Resolver& resolver) {",
        *(f"  resolver.{_adder(name)}();" for name in operations),
        "}",
        "",
        "// The first frames of a window from zero states, and the outputs of the file.",
        f"constexpr int kGoldenSteps = {_golden_steps(metadata)};",
        "extern const float kGoldenFrames[kGoldenSteps][kFrame * kChannels];",
        "extern const float kGoldenProbabilities[kGoldenSteps][kClasses];",
        "",
        "}  // namespace pocket_zoo",
        "",
        "#endif  // POCKET_ZOO_MODEL_H_",
    ]
    return "\n".join(lines) + "\n"


def _states(states: Sequence[tuple[str, int]], inputs: Mapping[str, int], outputs: Mapping[str, int]) -> list[str]:
    """Returns sizes and indices of the states, if any: C++ does not allow empty arrays."""
    if not states:
        return ["constexpr int kStates = 0;"]
    return [
        "",
        "// States start at zero; after each call every output is copied into the input of its name.",
        f"constexpr int kStates = {len(states)};",
        f"constexpr int kStateSizes[kStates] = {{{', '.join(str(size) for _, size in states)}}};"
        f"  // {', '.join(name for name, _ in states)}",
        f"constexpr int kInputStates[kStates] = {{{', '.join(str(inputs[name]) for name, _ in states)}}};",
        f"constexpr int kOutputStates[kStates] = {{{', '.join(str(outputs[name]) for name, _ in states)}}};",
    ]


def _golden_steps(metadata: ActivityMetadata) -> int:
    return _GOLDEN if metadata.states else 1


def _source(recognizer: Recognizer, window: NDArray[np.float32]) -> str:
    metadata, content = recognizer.metadata, recognizer.path.read_bytes()
    size = metadata.frame if metadata.states else metadata.window
    frames, outputs, states = [], [], recognizer.zeros()
    for start in range(0, _golden_steps(metadata) * size, size):
        frame = window[None, start : start + size]
        if metadata.states:
            probabilities, states = recognizer.step(frame, states)
        else:
            probabilities = recognizer.predict(frame)
        frames.append(frame.ravel())
        outputs.append(probabilities[0])
    rows = [content[i : i + _A_LINE] for i in range(0, len(content), _A_LINE)]
    labels = ", ".join(json.dumps(name, ensure_ascii=False) for name in metadata.classes)
    return "\n".join([
        f'#include "{HEADER}"',
        "",
        "namespace pocket_zoo {",
        "",
        f"const char* const kLabels[kClasses] = {{{labels}}};",
        "",
        "alignas(16) const unsigned char kModel[] = {",
        *("    " + ", ".join(str(value) for value in row) + "," for row in rows),
        "};",
        f"const unsigned int kModelSize = {len(content)};",
        "",
        *_table("const float kGoldenFrames[kGoldenSteps][kFrame * kChannels]", frames),
        "",
        *_table("const float kGoldenProbabilities[kGoldenSteps][kClasses]", outputs),
        "",
        "}  // namespace pocket_zoo",
        "",
    ])  # fmt: skip


def _table(declaration: str, rows: Sequence[Iterable[float]]) -> list[str]:
    inside = ["    {" + ", ".join(f"{value:.9e}f" for value in row) + "}," for row in rows]
    return [f"{declaration} = {{", *inside, "};"]


_IRREGULAR = {"BATCH_MATMUL": "AddBatchMatMul", "CUMSUM": "AddCumSum", "PADV2": "AddPadV2", "SPLIT_V": "AddSplitV"}


def _adder(operation: str) -> str:
    """Returns the resolver's method for an operation, such as `AddFullyConnected` for `FULLY_CONNECTED`."""
    regular = "Add" + "".join(part.capitalize() for part in operation.split("_")).replace("2d", "2D")
    return _IRREGULAR.get(operation, regular)
