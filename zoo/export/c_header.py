"""C++ sources of a recognizer's integer file, for TFLite Micro: the array, and all that a firmware must know of it.

    model.h    names, labels, rate, the order of inputs and outputs, the arena, the operations to register
    model.cc   the aligned array, and golden vectors: frames of a window and what the file answers to them

A firmware keeps the states between two calls: it copies each output `h_1` into the input `h_1`, and so on.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.export import native
from zoo.files import atomic_write
from zoo.runtime import Recognizer

HEADER, SOURCE = "model.h", "model.cc"

_GOLDEN = 3
_A_LINE = 20

_BOOKKEEPING = 320, 4096
"""Bytes that TFLite Micro needs for an operation and for itself, generously: on a 64-bit host it took 220 and 2,000."""


def write(file: Path, window: NDArray[np.float32], folder: Path) -> list[Path]:
    """Writes `model.cc` and `model.h`.

    Args:
        file: A `.tflite` file whose only signature is `step`.
        window: `(T, C)` whose first frames are the golden ones.
        folder: Where to.

    Returns:
        Both paths.
    """
    recognizer = Recognizer(file)
    texts = {folder / SOURCE: _source(recognizer, window), folder / HEADER: _header(recognizer)}
    for path, text in texts.items():
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(texts)


def read_array(source: Path) -> bytes:
    """The `.tflite` file inside a `model.cc`."""
    body = source.read_text(encoding="utf-8").partition("kModel[] = {")[2].partition("}")[0]
    return bytes(int(value) for value in re.findall(r"\d+", body))


def _header(recognizer: Recognizer) -> str:
    metadata, order = recognizer.metadata, recognizer.order("step")
    operations = sorted(set(recognizer.operations("step")))
    inputs, outputs = order
    each, fixed = _BOOKKEEPING
    arena = recognizer.activation_bytes("step") + each * len(recognizer.operations("step")) + fixed
    states = list(metadata.states.items())
    lines = [
        *native.head(metadata),
        "#ifndef POCKET_ZOO_MODEL_H_",
        "#define POCKET_ZOO_MODEL_H_",
        "",
        "namespace pocket_zoo {",
        "",
        f"// Acceleration in {metadata.unit}, gravity included; a phone at rest, face up, reads z = +9.81.",
        f"constexpr float kRateHz = {float(metadata.rate)!r}f;",
        f"constexpr int kFrame = {metadata.frame};  // rows that one step reads",
        f"constexpr int kChannels = {len(metadata.axes)};  // {', '.join(metadata.axes)}",
        f"constexpr int kClasses = {len(metadata.classes)};",
        "extern const char* const kLabels[kClasses];",
        "",
        "// States begin at zero; after each step every output is copied into the input of its name.",
        f"constexpr int kStates = {len(states)};",
        f"constexpr int kStateSizes[kStates] = {{{', '.join(str(size) for _, size in states)}}};"
        f"  // {', '.join(name for name, _ in states)}",
        f"constexpr int kInputFrame = {inputs['frame']};",
        f"constexpr int kInputStates[kStates] = {{{', '.join(str(inputs[name]) for name, _ in states)}}};",
        f"constexpr int kOutputProbabilities = {outputs['probabilities']};",
        f"constexpr int kOutputStates[kStates] = {{{', '.join(str(outputs[name]) for name, _ in states)}}};",
        f"constexpr int kRestartRows = {metadata.streaming.restart};  // a state starts anew after so many; 0: never",
        f"constexpr int kCopies = {metadata.streaming.copies};  // states carried in turns",
        "",
        "// Enough on a 64-bit host; MicroInterpreter::arena_used_bytes() tells what a target takes.",
        f"constexpr int kArenaBytes = {-(-arena // 16) * 16};",
        "",
        "alignas(16) extern const unsigned char kModel[];",
        "extern const unsigned int kModelSize;",
        "",
        "// Registers what the file needs: tflite::MicroMutableOpResolver<kOperations>.",
        f"constexpr int kOperations = {len(operations)};",
        "template <class Resolver>",
        "void AddOperations(Resolver& resolver) {",
        *(f"  resolver.{_adder(name)}();" for name in operations),
        "}",
        "",
        "// The first frames of a window from zero states, and what the file answers.",
        f"constexpr int kGoldenSteps = {_GOLDEN};",
        "extern const float kGoldenFrames[kGoldenSteps][kFrame * kChannels];",
        "extern const float kGoldenProbabilities[kGoldenSteps][kClasses];",
        "",
        "}  // namespace pocket_zoo",
        "",
        "#endif  // POCKET_ZOO_MODEL_H_",
    ]
    return "\n".join(lines) + "\n"


def _source(recognizer: Recognizer, window: NDArray[np.float32]) -> str:
    metadata, content = recognizer.metadata, recognizer.path.read_bytes()
    frames, answers, states = [], [], recognizer.zeros()
    for start in range(0, _GOLDEN * metadata.frame, metadata.frame):
        frame = window[None, start : start + metadata.frame]
        probabilities, states = recognizer.step(frame, states)
        frames.append(frame.ravel())
        answers.append(probabilities[0])
    rows = [content[i : i + _A_LINE] for i in range(0, len(content), _A_LINE)]
    labels = ", ".join(f'"{name}"' for name in metadata.classes)
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
        *_table("const float kGoldenProbabilities[kGoldenSteps][kClasses]", answers),
        "",
        "}  // namespace pocket_zoo",
        "",
    ])  # fmt: skip


def _table(declaration: str, rows: Sequence[Iterable[float]]) -> list[str]:
    inside = ["    {" + ", ".join(f"{value:.9e}f" for value in row) + "}," for row in rows]
    return [f"{declaration} = {{", *inside, "};"]


def _adder(operation: str) -> str:
    """The method of a resolver that registers an operation: `AddFullyConnected` of `FULLY_CONNECTED`."""
    return "Add" + "".join(part.capitalize() for part in operation.split("_")).replace("2d", "2D")
