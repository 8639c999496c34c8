"""The files of a network in C: `model.h`, `model.c` and `model_test.c`."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.formats import native
from zoo.formats.c99.arithmetic import Arithmetic, table
from zoo.formats.c99.network import Network
from zoo.metadata import ActivityMetadata, Metadata

HEADER, SOURCE, TEST = "model.h", "model.c", "model_test.c"

_ANSWER = """
/* The number of the most probable label, or -1 where it is less probable than the threshold. */
int zoo_answer(const float *probabilities, float threshold);
""".strip()

_ANSWER_CODE = """
int zoo_answer(const float *probabilities, float threshold)
{
    int best = 0;
    for (int i = 1; i < ZOO_CLASSES; ++i)
        if (probabilities[i] > probabilities[best])
            best = i;
    return probabilities[best] < threshold ? -1 : best;
}
""".strip()


def header(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    """Returns the content of `model.h`."""
    facts = {"MODEL": (text(metadata.preset), ""), "WEIGHTS_SHA256": (text(metadata.weights_sha256), "")}
    lines = [
        *native.head(metadata),
        f"// {arithmetic.text}",
        "#ifndef ZOO_MODEL_H",
        "#define ZOO_MODEL_H",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
        "",
        *defines(facts | (_facts(metadata) if isinstance(metadata, ActivityMetadata) else {})),
        *(_labels(metadata) if isinstance(metadata, ActivityMetadata) else []),
        "",
        *("\n\n".join(network.header).splitlines()),
        "",
        "#ifdef __cplusplus",
        "}",
        "#endif",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def defines(facts: Mapping[str, tuple[str, str]]) -> list[str]:
    """Returns constants of the preprocessor by name, each a value and a comment."""
    return [f"#define ZOO_{name} {value}" + (f" /* {why} */" if why else "") for name, (value, why) in facts.items()]


def _facts(metadata: ActivityMetadata) -> dict[str, tuple[str, str]]:
    def number(value: float) -> str:
        return f"{value!r}F" if isinstance(value, float) else str(value)

    constants = {name.upper(): (number(value), why) for name, value, why in native.numbers(metadata)}
    return {
        "WINDOW": (str(metadata.window), f"rows, {metadata.window / metadata.rate:g} s"),
        "CLASSES": (str(len(metadata.classes)), ""),
        "ANSWER_THRESHOLD": (
            number(float(metadata.threshold or 0)), "probability of a window below which there is no answer; 0: always"
        ),
        **constants,
    }  # fmt: skip


def _labels(metadata: ActivityMetadata) -> list[str]:
    names = [f"ZOO_LABEL_{name}" for name in identifiers(metadata.classes)]
    return [
        "",
        f"/* Acceleration in {metadata.unit}, gravity included; a phone at rest, face up, reads z = +9.81. */",
        *(line.replace("// ", "/* ") + " */" for line in native.rotation_comment(metadata)),
        "",
        "enum {",
        *(f"    {name}," for name in names),
        "};",
        "",
        "extern const char *const zoo_labels[ZOO_CLASSES];",
        "",
        *_ANSWER.splitlines(),
    ]


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


def source(network: Network, metadata: Metadata, arithmetic: Arithmetic) -> str:
    """Returns the content of `model.c`."""
    tables = [table(name, "float", values) for name, values in network.constants.items()]
    for name, layer in network.layers.items():
        tables += arithmetic.tables(name, layer)
    code = list(network.code)
    if isinstance(metadata, ActivityMetadata):
        labels = ",\n    ".join(map(text, metadata.classes))
        code = [f"const char *const zoo_labels[ZOO_CLASSES] = {{\n    {labels},\n}};", *code, _ANSWER_CODE]
    kernels = [native.code(name) for name in (arithmetic.kernels, "c99_layers.c")]
    used = needed("\n\n".join(kernels).split("\n\n"), "\n".join([*tables, *code]))
    parts = ["\n".join(native.head(metadata)), f'#include <stdint.h>\n\n#include "{HEADER}"', *used, *tables, *code]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def needed(blocks: Sequence[str], code: str) -> list[str]:
    """Selects the definitions that code uses, directly or through others; a definition may use those above it.

    Example:
        >>> needed(["static int a(void);", "static int b(void);", "int c(void) { return b(); }"], "b();")
        ['static int b(void);']
    """
    found: list[str] = []
    for block in reversed(blocks):
        names = re.findall(r"^(?:static|typedef|\}|#define)[^(;{]*\b(zoo_\w+)\b", block, re.MULTILINE)
        if any(re.search(rf"\b{name}\b", "\n".join([code, *found])) for name in names):
            found.insert(0, block)
    return found


def test_program(network: Network, arithmetic: Arithmetic, golden: Mapping[str, NDArray[Any]]) -> str:
    """Returns the content of `model_test.c`.

    Args:
        network: The network.
        arithmetic: Its arithmetic.
        golden: A row of each input and output of the first function, by name.
    """
    function = next(iter(network.functions.values()))
    ((read, array),) = function.inputs.items()
    ((answer, result),) = function.outputs.items()
    size = int(np.prod(result.shape))
    call = function.call.replace(answer, "found")
    return "\n".join([
        "/* Runs a golden vector of Keras: the first thing to run on a new target. */",
        "#include <stdio.h>",
        "",
        f'#include "{HEADER}"',
        "",
        table(read, array.kind, golden[read]),
        "",
        table("expected", "float", golden[answer]),
        "",
        "int main(void)",
        "{",
        f"    float found[{size}], largest = 0.0F;",
        f"    {call};",
        f"    for (int i = 0; i < {size}; ++i) {{",
        "        const float difference = found[i] > expected[i] ? found[i] - expected[i] : expected[i] - found[i];",
        "        largest = difference > largest ? difference : largest;",
        "    }",
        '    printf("largest difference from Keras: %.2g\\n", (double)largest);',
        f"    return largest > {arithmetic.golden!r}F;",
        "}",
        "",
    ])  # fmt: skip


def write(
    network: Network, metadata: Metadata, arithmetic: Arithmetic, golden: Mapping[str, NDArray[Any]], folder: Path
) -> None:
    """Writes the files of a network.

    Args:
        network: The network.
        metadata: Metadata of the model.
        arithmetic: Its arithmetic.
        golden: A row of each input and output of the first function, by name, as computed by Keras.
        folder: Folder to write to. Created.
    """
    folder.mkdir()
    texts = {
        HEADER: header(network, metadata, arithmetic),
        SOURCE: source(network, metadata, arithmetic),
        TEST: test_program(network, arithmetic, golden),
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
