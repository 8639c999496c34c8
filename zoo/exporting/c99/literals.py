"""Text of C: literals of numbers and strings, tables, names."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_A_LINE = 120


def number(value: float) -> str:
    """Returns the literal of a number.

    Example:
        >>> number(50.0), number(5)
        ('50.0F', '5')
    """
    return f"{value!r}F" if isinstance(value, float) else str(value)


def table(name: str, values: NDArray[np.generic]) -> str:
    """Returns the definition of an array in C.

    Example:
        >>> print(table("zoo_bias", np.array([0.1, -2], np.float32)))
        static const float zoo_bias[2] = {
            0.1F, -2.0F,
        };
    """
    kind, suffix = ("float", "F") if values.dtype == np.float32 else (f"{values.dtype}_t", "")
    # The shortest decimals of a float32 are the same float32 again.
    texts = [f"{value!s}{suffix}" for value in values.ravel()]
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) + 2 > _A_LINE:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([f"static const {kind} {name}[{values.size}] = {{", *lines, line, "};"])


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
