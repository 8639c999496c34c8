"""What tests of the page share: samples as a phone sends them, and a look at a page in all sizes."""

import numpy as np
import pytest
from running import AXE, SHOTS

PHONE = {"width": 390, "height": 844}
HERTZ = 60

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"
SYSTEMS = pytest.mark.parametrize(("phone", "sign"), [({}, 1), ({"user_agent": IPHONE}, -1)], ids=["android", "iphone"])
"""Options of a browser, and the sign in which such a phone measures acceleration."""

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

LOUD = """
window.tones = []; window.pulses = [];
const {start} = OscillatorNode.prototype;
OscillatorNode.prototype.start = function (...when) {
  tones.push(this.frequency.value);
  return start.apply(this, when);
};
navigator.vibrate = pulse => pulses.push(pulse);
"""
"""Notes the frequencies of tones, and vibrations."""


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


def gather_two(page, play, other="rowing"):
    """Records two activities as lessons: standing, and rowing under some name."""
    page.click("#teach-open")
    for activity, samples in (("standing", standing(0, 36)), (other, rowing(0, 36))):
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


def look(page, name, sizes=SIZES, settle=120, dark=False):
    """Keeps a screenshot of each size, in none of which anything is cut off at the side, and asks axe.

    In the dark only colors are others: on request, a phone's screen and their contrast are looked at there as well.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    for end, (width, height) in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("size => { document.documentElement.style.fontSize = size; }", "200%" * end.endswith("percent"))
        # A chart is drawn ten times a second of the page's clock, and fitted to its place a frame later.
        for _ in range(10):
            page.clock.run_for(settle)
            page.screenshot(path=SHOTS / f"{name}{end}.png", scale="css")
            if not (cut := page.evaluate(CUT)):
                break
        assert cut == [], end
        assert page.evaluate("document.documentElement.scrollWidth") <= width, end
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size(PHONE)
    assert (violations := _violations(page)) == [], violations
    if dark:
        page.emulate_media(color_scheme="dark")
        page.clock.run_for(settle)
        page.screenshot(path=SHOTS / f"{name}-dark.png", scale="css")
        assert (violations := _violations(page, ["color-contrast"])) == [], violations
        page.emulate_media(color_scheme="light")


def _violations(page, checks=None):
    """What axe finds: all, or what some of its checks find."""
    if page.evaluate("window.axe === undefined"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(
        """checks => {
          delete window.axed;
          void axe.run(checks ? {runOnly: checks} : {}).then(
            found => { window.axed = found.violations.map(v => v.id + v.nodes[0].html); });
        }""",
        checks,
    )
    while page.evaluate("window.axed === undefined"):
        page.clock.run_for(1)
    return page.evaluate("axed")
