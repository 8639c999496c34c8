"""Charts of the results: the score of each preset against the size of its smallest file, as SVG inside the page.

Colors are those of the page, and each point is a link to its card.
"""

import math
from typing import Any

from zoo.report import markdown as md

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 440, 260, 46, 14, 22, 40
_Box = tuple[float, float, float, float]


def chart(section: dict[str, Any], cards: str) -> str:
    """The chart of a task, as a figure that is good to the upper left. Empty if there are fewer than three presets."""
    rows = [row for row in section["rows"] if row["score"] is not None]
    if len(rows) < 3:
        return ""
    # A preset of other people may have none yet.
    name, rival = next((row["baseline_name"], row["baseline_score"]) for row in rows if row["baseline_name"])
    sizes, scores = [row["bytes"] / 1000 for row in rows], [*(row["score"] for row in rows), rival]
    (first, last), (worst, best) = _span([math.log(size) for size in sizes]), _span(scores)
    if not section["maximize"]:
        worst, best = best, worst

    def across(size: float) -> float:
        return _LEFT + (math.log(size) - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def down(score: float) -> float:
        return _HEIGHT - _BOTTOM - (score - worst) / (best - worst) * (_HEIGHT - _TOP - _BOTTOM)

    label, base = md.label(section["score"]), _HEIGHT - _BOTTOM
    better = "higher" if section["maximize"] else "lower"
    parts = [_line(_LEFT, base, _WIDTH - _RIGHT, base), _line(_LEFT, _TOP, _LEFT, base)]
    for size in _ticks(min(sizes), max(sizes)):
        parts.append(_text(across(size), base + 16, f"{size:g}", "middle"))
    low, high = sorted((worst, best))
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / step <= 5)
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        parts.append(_text(_LEFT - 6, down(number * step) + 4, f"{number * step:.2f}".rstrip("0"), "end"))
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, "kB of the smallest file", "middle"))
    head = (_LEFT + 6, 12, f"{label}, {better} is better", "start")
    parts.append(_text(*head))
    parts.append(f'<g class="rival">{_line(_LEFT, down(rival), _WIDTH - _RIGHT, down(rival))}</g>')
    places = [(across(row["bytes"] / 1000), down(row["score"])) for row in rows]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    taken.append(_box(*head))
    words, ends = f"{name} {rival:.3f}", ((_WIDTH - _RIGHT, "end"), (_LEFT + 6, "start"))
    spots = [(x, down(rival) + below, words, anchor) for below in (-5, 14) for x, anchor in ends]
    spot = next((spot for spot in spots if _is_free(_box(*spot), taken)), spots[0])
    parts.append(_text(*spot))
    taken += [(_LEFT, down(rival) - 1, _WIDTH, down(rival) + 1), _box(*spot)]
    prefix = len(rows[0]["family"].partition("_")[0]) + 1
    for row, (x, y) in zip(rows, places, strict=True):
        name, mark = row["preset"][prefix:], "better" if row["better"] else "behind"
        text, box = _label(name, x, y, taken)
        taken.append(box)
        parts.append(
            f'<a href="{cards}{row["preset"]}/"><title>{row["preset"]}: {label} {row["score"]:.3f}, '
            f'{row["bytes"] / 1000:.1f} kB</title><circle class="{mark}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>{text}</a>'
        )
    # A picture, role="img", would hide its links from screen readers.
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="group" aria-label="{label} against kilobytes"'
    return f'<svg class="chart" {size}>{"".join(parts)}</svg>'


def _label(name: str, x: float, y: float, taken: list[_Box]) -> tuple[str, _Box]:
    """The name of a point to its right or left, below or above it, where nothing else is."""
    sides = [("start", 9.0, 4.0), ("end", -9.0, 4.0), ("middle", 0.0, 18.0), ("middle", 0.0, -9.0)]
    for anchor, aside, below in (*sides, sides[0]):
        box = _box(x + aside, y + below, name, anchor)
        if box[0] > _LEFT and box[2] < _WIDTH and _is_free(box, taken):
            break
    return _text(x + aside, y + below, name, anchor), box


def _box(x: float, y: float, text: str, anchor: str) -> _Box:
    """The place that a text takes, left, top, right and bottom."""
    wide = 6.5 * len(text)
    left = x - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
    return left, y - 10, left + wide, y + 3


def _is_free(box: _Box, taken: list[_Box]) -> bool:
    left, top, right, bottom = box
    return not any(left < other[2] and other[0] < right and top < other[3] and other[1] < bottom for other in taken)


def _span(values: list[float]) -> tuple[float, float]:
    margin = (max(values) - min(values)) * 0.08
    return min(values) - margin, max(values) + margin


def _ticks(least: float, most: float) -> list[float]:
    return [tick * ten for ten in (1, 10, 100) for tick in (1, 2, 5) if least <= tick * ten <= most]


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
