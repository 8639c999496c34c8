"""The address of a served page, for people who read it and for cameras."""

from collections.abc import Mapping

import segno
from rich.console import Console

_BLOCKS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
"""Two modules of a code, one above the other, in light on dark: 1 is a dark one."""

_BORDER = 2


def show(console: Console, found: Mapping[str, str]) -> None:
    """Prints the address, its code, and what the phone will say.

    Args:
        console: Where to.
        found: `url` and `model`.
    """
    console.print(f"serving {found['model']} at {found['url']}", markup=False, highlight=False)
    console.print(code(found["url"]), markup=False, highlight=False)
    console.print(
        "Open it on a phone in the same network. The certificate was made for this run, so the browser warns once: "
        "go on. Ctrl-C ends.",
        markup=False, highlight=False,
    )  # fmt: skip


def code(text: str) -> str:
    """A QR code as lines of half blocks, to be read from a dark terminal.

    Example:
        >>> print(code("https://192.168.1.2:8443/").splitlines()[1])
        ██ ▄▄▄▄▄ █ ▄▀▄▄ ██▀█ ▄▄▄▄▄ ██
    """
    rows = [tuple(row) for row in segno.make(text, error="m").matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append((0,) * len(rows[0]))
    pairs = zip(rows[0::2], rows[1::2], strict=True)
    return "\n".join("".join(_BLOCKS[above, below] for above, below in zip(*pair, strict=True)) for pair in pairs)
