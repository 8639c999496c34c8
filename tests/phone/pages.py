"""What tests of the page share: samples as a phone sends them, and a look at a page in all sizes."""

from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
PHONE = {"width": 390, "height": 844}
HERTZ = 60
SHOTS = ROOT / "build" / "screenshots"
AXE = ROOT / "examples" / "phone" / "node_modules" / "axe-core" / "axe.min.js"

HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
"""Sends the page to the background, or brings it back."""

WAKE_LOCKS = """
window.locks = [];
navigator.wakeLock.request = async kind => {
  const lock = {kind, release: async () => { lock.released = true; }};
  locks.push(lock);
  return lock;
};
"""
"""Notes which locks keep the screen on."""


def standing(start, stop, hertz=HERTZ):
    """Samples of somebody who stands, between two times in seconds: gravity, and a tremor."""
    random = np.random.default_rng(0)
    times = np.arange(round(start * hertz), round(stop * hertz)) / hertz
    return np.column_stack([times, random.normal([-0.4, -9.7, 1.0], 0.05, (len(times), 3))]).tolist()


def lying(start, stop):
    """Samples of a phone that lies on its side, as in a pocket of somebody who sits."""
    return [[time, 0.5, -1.0, 9.7] for time, *_ in standing(start, stop)]


def rowing(start, stop):
    """Samples of a phone in a rowing boat, about which the model knows nothing."""
    return [[time, x + 4 * np.sin(3 * time), 4.0, 7.0 + z] for time, x, _, z in standing(start, stop)]


def gather_two(page, play):
    """Records two activities as lessons."""
    page.click("#teach-open")
    for activity, samples in (("standing", standing(0, 36)), ("rowing", rowing(0, 36))):
        play.gather(page, activity, samples)


def learn(page):
    """Learns the lessons, and waits for the end."""
    page.click("#learn")
    page.wait_for_selector("#learned-text:has-text('Learned.')")


SIZES = {
    "": (390, 844), "-320": (320, 568), "-landscape": (844, 390), "-desktop": (1440, 900), "-200-percent": (320, 568),
}  # fmt: skip
"""Viewports of a state, by the end of the name of its screenshot."""


CUT = """[...document.querySelectorAll('main *, footer *')]
    .filter(e => e.id !== 'said' && !e.closest('svg, .scroll > *') && e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 80))"""
"""What sticks out at the right of the page, and cannot be scrolled into view by itself."""


def look(page, name, sizes=SIZES, settle=120):
    """Keeps a screenshot of each size, in none of which anything is cut off at the side, and asks axe."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for end, (width, height) in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", "200%" * end.endswith("percent"))
        # A chart is drawn ten times a second of the page's clock, and fitted to its place a frame later.
        for _ in range(10):
            page.clock.run_for(settle)
            page.screenshot(path=SHOTS / f"{name}{end}.png")
            if not (cut := page.evaluate(CUT)):
                break
        assert cut == [], end
        assert page.evaluate("document.documentElement.scrollWidth") <= width, end
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size(PHONE)
    page.evaluate(AXE.read_text())
    page.evaluate("void axe.run().then(found => { window.axed = found.violations.map(v => v.id + v.nodes[0].html); })")
    while page.evaluate("window.axed === undefined"):
        page.clock.run_for(1)
    assert (violations := page.evaluate("axed")) == [], violations
    page.evaluate("delete window.axed")
