"""The moving picture of the README: a movement is taught on the phone page, in eight seconds, the result first.

The sensor is simulated: the page gets the events of a phone that somebody holds, and then rows with.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, ViewportSize

SCREEN: ViewportSize = {"width": 360, "height": 600}
SCALE, COLORS, TENTH = 1.4, 24, 100
"""Pixels of the picture for each of the page's, colors, and milliseconds of a frame."""
RESULT = 10
"""Tenths of a second that the result is shown at first."""

STEPS = ("Gather", "Learn", "Try")
NOTE = "Simulated sensor, in fast motion"
HEAD = 64
INK, PALE, PAPER = "#14211b", "#8b948f", "#ffffff"

HERTZ, HALF = 60, 0.5
"""Samples per second, and seconds that are sent at once."""

STILL, ROWING = "standing", "rowing"

_SEND = """samples => {
  for (const [time, x, y, z] of samples) {
    const felt = {accelerationIncludingGravity: {x, y, z}, interval: 16};
    const event = new DeviceMotionEvent('devicemotion', felt);
    Object.defineProperty(event, 'timeStamp', {value: 1000 * time});
    dispatchEvent(event);
  }
}"""

Take = Callable[[str, int, str], None]
"""Takes a picture for a step of the story: `take(step, tenths of a second, what is tapped)`."""


class Phone:
    """A page whose clock stands still but for what its sensor feels, however long a picture takes."""

    def __init__(self, page: Page) -> None:
        self.page, self.time = page, 0.0
        self._random = np.random.default_rng(0)

    def move(self, movement: str, seconds: float) -> None:
        """Sends what the sensor of a phone feels, in m/s^2, in steps: the page takes a long pause for a fault."""
        for _ in range(round(seconds / HALF)):
            times = self.time + np.arange(round(HALF * HERTZ)) / HERTZ
            felt = self._random.normal([-0.4, -9.7, 1.0], 0.05, (len(times), 3))
            if movement == ROWING:
                felt = np.column_stack([felt[:, 0] + 4 * np.sin(3 * times), np.full(len(times), 4.0), 7 + felt[:, 2]])
            self.feel(np.column_stack([times, felt]))

    def feel(self, samples: NDArray[np.float64]) -> None:
        """Sends half a second of samples: seconds and x, y and z."""
        self.page.evaluate(_SEND, samples.tolist())
        self.page.clock.run_for(round(1000 * HALF))
        self.time += HALF


def story(page: Page, take: Take) -> str:
    """Teaches a page a movement, once it has loaded; returns what it says that it has learned."""
    phone = Phone(page)
    page.click("#teach-open")
    _record(phone, STILL, lambda: None)
    page.fill("#lesson-activity", "")
    _scroll(page, "#lesson", lambda: None)
    take("Gather", 6, "")
    for end in range(1, len(ROWING) + 1):
        page.fill("#lesson-activity", ROWING[:end])
        take("Gather", 1, "")
    take("Gather", 2, "#lesson-record")
    _record(phone, ROWING, lambda: take("Gather", 1, ""))
    take("Gather", 4, "")
    _scroll(page, "#lesson-list li:last-child", lambda: take("Gather", 1, ""))
    take("Learn", 3, "#learn")
    page.click("#learn")
    page.wait_for_selector("#learned-text:has-text('Learned.')")
    take("Learn", 11, "")
    _scroll(page, "#learned", lambda: take("Learn", 1, ""))
    take("Try", 3, "#try")
    page.click("#try")
    page.wait_for_selector("#trying:visible")
    for _ in range(4):
        phone.move(ROWING, 1)
        take("Try", 1, "")
    phone.move(ROWING, 4)
    page.wait_for_selector("#try-label:text-is('Rowing')")
    take("Try", 5, "")
    return page.inner_text("#learned-text")


def _record(phone: Phone, activity: str, seen: Callable[[], None]) -> None:
    """Records half a minute of an activity, after a countdown of five seconds."""
    page = phone.page
    page.fill("#lesson-activity", activity)
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-cancel:visible")
    for seconds in (1, 1, 1, 1, 1, *[3] * 10, 1):
        phone.move(activity, seconds)
        seen()
    page.wait_for_selector(f"#lesson-list strong:has-text('{activity}, 30 s')")


def _scroll(page: Page, to: str, seen: Callable[[], None]) -> None:
    """Scrolls until something is at the top, as a finger does."""
    start = page.evaluate("scrollY")
    end = start + page.locator(to).evaluate("it => it.getBoundingClientRect().top") - 12
    for share in (0.1, 0.35, 0.65, 0.9, 1):
        page.evaluate("y => scrollTo(0, y)", round(start + share * (end - start)))
        seen()


def film(page: Page, file: Path) -> None:
    """Writes the moving picture of a page that has loaded; its comment is what the page has learned."""
    frames: list[Image.Image] = []
    durations: list[int] = []

    def take(step: str, tenths: int, tapped: str) -> None:
        screen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        if tapped:
            _finger(screen, page, tapped)
        frames.append(_headed(screen, step))
        durations.append(TENTH * tenths)

    said = story(page, take)
    frames.insert(0, frames[-1])
    durations.insert(0, RESULT * TENTH)
    # One palette for all frames, so that what stands still is stored once.
    some = frames[::4]
    mosaic = Image.new("RGB", (some[0].width * len(some), some[0].height))
    for number, frame in enumerate(some):
        mosaic.paste(frame, (number * frame.width, 0))
    palette = mosaic.quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=1)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(
        file, save_all=True, append_images=others, duration=durations, loop=0, optimize=True, comment=said.encode()
    )


def _finger(screen: Image.Image, page: Page, tapped: str) -> None:
    """Draws a circle where a finger taps."""
    box = page.locator(tapped).bounding_box()
    assert box
    x, y, radius = SCALE * (box["x"] + 0.8 * box["width"]), SCALE * (box["y"] + box["height"] / 2), 16 * SCALE
    touch = Image.new("RGBA", screen.size)
    ImageDraw.Draw(touch).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(20, 33, 27, 110))
    screen.paste(touch, mask=touch)


def _headed(screen: Image.Image, step: str) -> Image.Image:
    """A picture of the page below the steps of the story and a note that the sensor is simulated."""
    high = round(HEAD * SCALE)
    picture = Image.new("RGB", (screen.width, screen.height + high), PAPER)
    picture.paste(screen, (0, high))
    draw, x = ImageDraw.Draw(picture), 14.0 * SCALE
    bold, plain = (ImageFont.truetype(font_manager.findfont(f"DejaVu Sans:{weight}"), size * SCALE)
                   for weight, size in (("bold", 17), ("regular", 14)))  # fmt: skip
    for number, name in enumerate(STEPS, start=1):
        draw.text((x, 10 * SCALE), f"{number} {name}", INK if name == step else PALE, bold)
        x += draw.textlength(f"{number} {name}", bold) + 18 * SCALE
    draw.text((14 * SCALE, 36 * SCALE), NOTE, INK, plain)
    return picture
