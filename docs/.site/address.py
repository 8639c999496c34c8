"""The address at which the site is published, `site_url` in zensical.toml, and its QR code."""

import re
import tomllib
from pathlib import Path

import segno

ROOT = Path(__file__).parents[2]
CODE = "docs/assets/code.svg"


def published(settings: Path = ROOT / "zensical.toml") -> str:
    """Returns the address with a slash at its end, or nothing where it is not set."""
    address: str = tomllib.loads(settings.read_text(encoding="utf-8"))["project"].get("site_url", "")
    return address and f"{address.rstrip('/')}/"


def code(address: str) -> str:
    """The QR code of an address, as SVG inside a page."""
    drawn: str = segno.make(address, error="m").svg_inline(
        scale=3, border=4, light="#fff", svgclass="code", title=address
    )
    return drawn


def announce(page: Path, address: str) -> None:
    """Shows the address of the phone page and its code in README.md, between two comments, or takes them out."""
    text = page.read_text(encoding="utf-8")
    shown = ""
    if address:
        there = f"{address}phone/"
        (page.parent / CODE).parent.mkdir(parents=True, exist_ok=True)
        (page.parent / CODE).write_text(code(there), encoding="utf-8")
        shown = f'<a href="{there}"><img src="{CODE}" width="120" alt="QR code"><br>Try it on your phone: {there}</a>'
    changed = re.sub(r"(<!-- address -->).*(<!-- /address -->)", rf"\1{shown}\2", text)
    if changed != text:
        page.write_text(changed, encoding="utf-8")
