"""The colors of activities, which are those of the phone page: figures and the terminal show each in the same one."""

import re
from collections.abc import Sequence

LIGHT = ("#00734a", "#e0500a", "#40199e", "#cf1f8e", "#5c4a00", "#2a7de1", "#541039", "#9a0cf8")
DARK = ("#2fe08a", "#c98540", "#b07aff", "#ff5fae", "#f5e84a", "#2f9fd8", "#9a6102", "#7245fe")
"""Colors on white and on black paper, told apart with each kind of color vision: `--activity-0` to `-7` of the page."""

ACCENT, WARN = "#0b5d4b", "#8a3b00"
"""What is right, or meant to be seen first, and what is wrong; on white paper."""

# `\b` sees no beginning of a word beside an underscore.
_BEGIN, _END = r"(?<![^\W\d_])", r"(?![^\W\d_])"
_WORDS = {
    _BEGIN + r"(push|sit|pull|chin|press|get|stand)(ting|ing)?[\W_]?ups?" + _END: -1,
    r"down[\W_]?stair|stairs?[\W_]?down|descend|^(going )?down$": 3, r"stair|climb|ascend|^(going )?up$": 2,
    _BEGIN + "(jog|run)": 1, f"walk|stroll|{_BEGIN}hik": 0, _BEGIN + "(sit|loung)": 4, _BEGIN + "(stand|queu)": 5,
}  # fmt: skip
"""Words of names, and the color of what they name; the first that fits decides."""


def activity_colors(classes: Sequence[str], palette: Sequence[str] = LIGHT) -> dict[str, str]:
    """The color of each activity. The six of the zoo have one each; others take those that are left, from the last.

    Example:
        >>> activity_colors(["sitting", "rowing", "climbing stairs"])
        {'sitting': '#5c4a00', 'rowing': '#9a0cf8', 'climbing stairs': '#40199e'}
    """
    places = dict[str, int]()
    for name in classes:
        place = next((place for words, place in _WORDS.items() if re.search(words, name, re.IGNORECASE)), -1)
        if place >= 0 and place not in places.values():
            places[name] = place
    left = [place for place in reversed(range(len(palette))) if place not in places.values()]
    others = [name for name in classes if name not in places]
    places |= {name: left[number % len(left)] for number, name in enumerate(others)}
    return {name: palette[places[name]] for name in classes}
