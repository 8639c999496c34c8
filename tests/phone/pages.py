"""What tests of the page share: samples as a phone sends them, what its owner does, and a look at it in all sizes."""

import time

import numpy as np
import pytest
from running import AXE, SHOTS

from zoo.catalog import PRESETS_FOLDER

PHONE = {"width": 390, "height": 844}
MODEL = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"
"""What the page runs where no other model is named."""

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

PATIENT = """
const {setTimeout: usual} = window;
window.setTimeout = (done, delay, ...rest) => usual(done, [1000, 2000].includes(delay) ? 60000 : delay, ...rest);
"""
"""The page takes a sensor that is silent for its first two seconds for none, and blanks the label after a second
without a sample: a busy machine needs longer for a call."""

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
    """Samples of somebody who stands, between two times in seconds: gravity, a tremor, and a breath, without which a
    phone is on a table."""
    random = np.random.default_rng(0)
    times = np.arange(round(start * hertz), round(stop * hertz)) / hertz
    rows = random.normal([-0.4, -9.7, 1.0], 0.05, (len(times), 3)) + breath(times)[:, None]
    return np.column_stack([times, rows]).tolist()


def breath(time):
    """What a body that is still adds to each axis, in m/s^2."""
    return 0.15 * np.sin(1.5 * time)


def lying(start, stop):
    """Samples of a phone that lies on its side, as in a pocket of somebody who sits."""
    return [[time, 0.5 + breath(time), -1.0, 9.7] for time, *_ in standing(start, stop)]


def rowing(start, stop):
    """Samples of a phone in a rowing boat, about which the model knows nothing."""
    return [[time, x + 4 * np.sin(3 * time), 4.0, 7.0 + z] for time, x, _, z in standing(start, stop)]


_SEND = """
([samples, sign]) => {
  const degrees = rate => rate * 180 / Math.PI;
  for (const [time, x, y, z, ...turning] of samples) {
    const felt = {accelerationIncludingGravity: {x: sign * x, y: sign * y, z: sign * z}, interval: 16};
    const [alpha, beta, gamma] = turning.map(degrees);
    if (turning.length) felt.rotationRate = {alpha, beta, gamma};
    const event = new DeviceMotionEvent('devicemotion', felt);
    Object.defineProperty(event, 'timeStamp', {value: 1000 * time});
    dispatchEvent(event);
  }
}
"""

_PLAY = """
async ([samples, options]) => {
  const found = [], count = options.predictions, sign = options.sign ?? 1;
  document.addEventListener('prediction', ({detail}) => found.push(detail));
  const wait = () => new Promise(done => setTimeout(done, 5));
  for (let i = 0; document.body.dataset.state !== 'running'; i += 1) {
    if (i >= 4000) throw new Error(`the page does not run: ${document.body.innerText}`);
    await wait();
  }
  (SEND)([samples, sign]);
  for (let i = 0; found.length < count && i < 4000; i += 1) await wait();
  return found;
}
"""


def until(page, expression, argument=None):
    """Waits until an expression is true.

    What does not hold at once, `page.wait_for_function` evaluates again in the page, whose policy forbids `eval`.
    """
    deadline = time.monotonic() + 60
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)


def send(page, samples):
    """Sends samples, whatever the page does: `(time, x, y, z)`, and of a gyroscope the rotation rate in rad/s."""
    page.evaluate(_SEND, [samples, 1])


def play(page, samples, count, sign=1):
    """Taps Start if the page does not run, and sends samples; returns the predictions when there are `count`.

    A test that has tapped Start itself waits for `body[data-state=running]` first: a second tap finds no button.
    """
    if page.is_visible("#start"):
        # A tap right after another one is none.
        page.clock.run_for(700)
        page.click("#start")
    return page.evaluate(_PLAY.replace("SEND", _SEND), [samples, {"predictions": count, "sign": sign}])


def stop(page, milliseconds=900):
    """Holds Stop, for as long as it wants by default."""
    page.hover("#stop")
    page.mouse.down()
    page.clock.run_for(milliseconds)
    page.mouse.up()


def gather(page, activity, samples):
    """Records half a minute to teach the page, after the countdown."""
    count = page.locator("#lesson-list li").count()
    page.fill("#lesson-activity", activity)
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-cancel:visible")
    page.clock.run_for(5100)
    send(page, samples)
    until(page, "count => document.querySelectorAll('#lesson-list li').length > count", count)
    # A tap right after a recording is none.
    page.clock.run_for(700)


def gather_two(page, other="rowing"):
    """Records two activities as lessons: standing, and rowing under some name."""
    page.click("#teach-open")
    for activity, samples in (("standing", standing(0, 36)), (other, rowing(0, 36))):
        gather(page, activity, samples)


KEPT = """
() => new Promise(done => {
  indexedDB.open('pocket-zoo-taught').onsuccess = ({target}) => {
    target.result.transaction('kept').objectStore('kept').getAll().onsuccess = e => done(e.target.result);
  };
})
"""
"""What was taught, as the browser keeps it."""


def forget(page):
    """Forgets everything, which is asked for twice."""
    for _ in range(2):
        page.clock.run_for(700)
        page.click("#lesson-reset")
    page.wait_for_selector("#lesson-said:text-is('All forgotten.')")


def learn(page):
    page.click("#learn")
    page.wait_for_selector("#learned-text:has-text('Learned.')")
    # What follows is filled.
    assert page.locator("#lessons button.primary").evaluate_all("all => all.map(each => each.id)") == [
        "lesson-record",
        "try",
    ]


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
