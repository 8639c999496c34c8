"""The address of a served page, for people who read it and for cameras."""

import io

import segno

from zoo.report import markdown as md
from zoo.report.markdown import Document


def address(found: Document) -> str:
    """The `url` of a served `model`, its QR code, and what the phone will ask."""
    return md.page(
        f"Serving {md.code(found['model'])} at {found['url']}",
        f"```text\n{qr_code(found['url'])}\n```",
        "Open it on a phone in the same network. The certificate was made for this run, so the browser warns once: "
        "continue anyway. Ctrl-C stops the server.",
    )


def qr_code(text: str) -> str:
    """A QR code as lines of half blocks, to be read from a dark terminal.

    Example:
        >>> print(qr_code("https://192.168.1.2:8443/").splitlines()[1])
        ██ ▄▄▄▄▄ █ ▄▀▄▄ ██▀█ ▄▄▄▄▄ ██
    """
    out = io.StringIO()
    segno.make(text, error="m").terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")
