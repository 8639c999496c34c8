"""How long it takes until `zoo label` shows ten hours of a recording, and how smoothly the page moves through them.

    python benchmarks/ten_hours.py | tee benchmarks/ten_hours.json
    python benchmarks/ten_hours.py --page docs/guides/label.md

The recording is simulated: ten hours at 100 Hz with 110 notes, 188 MB of CSV. Chromium runs already when the command
starts. Of each run are measured, in seconds from the start of the command:

    address     until the command prints the address of the page, which is opened then
    drawn       until the chart of the whole recording has pixels
    in view     until what is enlarged has proposals of the model
    proposals   until everything has

Every second run is the first one in its folder, and the other one finds there what was read. Then keys that move and
zoom the view are pressed 30 times a second, and the times between two frames are measured.
"""

import json
import runpy
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pages
from annotator import served

from zoo.provenance import versions
from zoo.report import markdown

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
HOURS, RUNS = 10, 5
MOMENTS = {"address": "address", "drawn": "day is drawn", "in_view": "proposals in view", "proposals": "all proposals"}
"""What is measured of a run, and what it is called."""
FRAME = 1000 / 30
"""Milliseconds of a frame, which are those between two keys as well."""
KEYS = {
    "zooming": (["-"] * 15 + ["+"] * 15) * 4,
    "moving": (["PageDown"] * 30 + ["PageUp"] * 30) * 2,
}  # fmt: skip

_DRAWN = """() => {
  const canvas = document.getElementById('day');
  if (!canvas?.width || document.getElementById('work').hidden) return false;
  const [top, height] = [0.04, 0.46].map(share => Math.round(share * canvas.height));
  return canvas.getContext('2d').getImageData(0, top, canvas.width, height).data.some(Boolean);
}"""
_PROPOSED = "() => document.getElementById('details').textContent.includes('the model says')"
_ALL = "() => document.getElementById('state').hidden"
_FRAMES = """() => {
  const begun = 'frames_' in window;
  window.frames_ = [];
  const next = moment => { window.frames_.push(moment); requestAnimationFrame(next); };
  if (!begun) requestAnimationFrame(next);
}"""


def opened(
    page: "Page", day: Path, folder: Path, *, move: bool = False
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The moments of a run, and the milliseconds of its frames while the view moves."""
    started, moments = time.perf_counter(), dict[str, float]()

    def until(expression: str) -> float:
        while not page.evaluate(expression):
            time.sleep(0.02)
        return round(time.perf_counter() - started, 2)

    with served(day, "--subject", "ann", "--folder", folder) as address:
        moments["address"] = round(time.perf_counter() - started, 2)
        page.goto("about:blank")
        page.goto(address)
        for name, expression in (("drawn", _DRAWN), ("in_view", _PROPOSED), ("proposals", _ALL)):
            moments[name] = until(expression)
        return moments, {name: frames(page, keys) for name, keys in KEYS.items()} if move else {}


def frames(page: "Page", keys: list[str]) -> list[float]:
    """Milliseconds between two frames while keys are pressed."""
    page.evaluate(_FRAMES)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(FRAME)
    moments = page.evaluate("() => window.frames_")
    return [round(after - before, 1) for before, after in pairwise(moments)]


def measure() -> dict[str, Any]:
    """All runs, and what is known of the frames of the last one."""
    from playwright.sync_api import sync_playwright

    runs: dict[str, list[dict[str, float]]] = {"first": [], "again": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engine:
        day = Path(folder) / "day"
        runpy.run_path(str(ROOT / "examples" / "guides" / "label.py"))["record"](day, hours=HOURS)
        browser = engine.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for number in range(RUNS):
            for name, found in runs.items():
                moments, moved = opened(page, day, Path(folder) / f"labeled{number}", move=name == "again")
                found.append(moments)
                print(name, moments, file=sys.stderr)
        browser.close()
        size = (day / "TotalAcceleration.csv").stat().st_size
    shown = {
        name: {"frames": len(times), "median": statistics.median(times), "longest": max(times),
               "slow": sum(one > FRAME + 1 for one in times)}
        for name, times in moved.items()
    }  # fmt: skip
    return {
        "command": "python benchmarks/ten_hours.py", "versions": versions(), "simulated": True, "hours": HOURS,
        "megabytes": round(size / 1e6), "runs": runs, "frames": shown,
    }  # fmt: skip


def table(document: dict[str, Any]) -> str:
    """Medians of the runs, and the frames, in words."""
    runs, machine = document["runs"], document["versions"]["machine"]

    def median(name: str, key: str) -> str:
        return f"{statistics.median(run[key] for run in runs[name]):.1f}"

    rows = [(title, median("first", key), median("again", key)) for key, title in MOMENTS.items()]
    moved = "; ".join(
        f"while {name}, a frame takes {found['median']:.0f} ms in the median, and {found['slow']} of {found['frames']} "
        "take more than 33 ms"
        for name, found in document["frames"].items()
    )  # fmt: skip
    return (
        f"{markdown.table(('seconds from the command to', 'first time', 'again'), rows)}\n\n"
        f"These are medians of {len(runs['first'])} runs on {machine}, with Chromium. {moved[0].upper()}{moved[1:]}."
    )


def main() -> None:
    """Measures all and prints one JSON document."""
    options = pages.parser(__doc__).parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"ten hours": table})
    else:
        print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
