"""Draws docs/assets/layers.svg, the layers of the package, from the contract in setup.cfg that import-linter checks.

python docs/.site/layers.py
"""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACT = "importlinter:contract:layers"
WIDTH, HEIGHT, LEFT, STEP, GAP = 500, 32, 16, 42, 8

_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 {height}" width="560" height="{height}" role="img" \
aria-label="The layers of the package: imports point down only">
<style>
  text {{ font-family: system-ui, sans-serif; font-size: 15px; fill: #1f2933; text-anchor: middle }}
  rect {{ fill: #e0f2f1; stroke: #00897b; stroke-width: 1.5 }}
  .paper {{ fill: #ffffff; stroke: none }}
  path {{ stroke: #52606d; stroke-width: 1.5; fill: none }}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">\
<path style="fill: #52606d; stroke: none" d="M0 0L8 4L0 8z"/></marker></defs>
<rect class="paper" width="560" height="{height}" rx="10"/>
"""


def layers() -> list[list[str]]:
    """Returns the names in each layer, from the top down."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    rows = config[CONTRACT]["layers"].strip().splitlines()
    return [[name.strip() for name in row.split("|")] for row in rows]


def drawing() -> str:
    """Returns the figure as SVG."""
    rows = layers()
    height = 2 * LEFT + STEP * len(rows) - (STEP - HEIGHT)
    parts = [_HEAD.format(height=height)]
    for row, names in enumerate(rows):
        y, width = LEFT + STEP * row, (WIDTH - GAP * (len(names) - 1)) / len(names)
        for place, name in enumerate(names):
            x = LEFT + place * (width + GAP)
            parts.append(
                f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{HEIGHT}" rx="6"/>'
                f'<text x="{x + width / 2:.0f}" y="{y + 21}">{name}</text>\n'
            )
    parts.append(f'<path d="M538 {LEFT}V{height - LEFT}" marker-end="url(#head)"/>\n</svg>\n')
    return "".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "assets" / "layers.svg").write_text(drawing(), encoding="utf-8")
