"""Makes pictures in docs/assets: of the phone page, the moving one of the README among them, and of the guides.

    make site && python docs/.site/pictures.py [phone] [guides] [film]

The page is served by `zoo serve`'s own server to Chromium, whose clock is turned by hand: it plays the simulated
recording. Pictures of guides are outputs of their notebooks, the page of `zoo serve --collect`, and a card of the site.
The class on the projector is simulated. Each picture of a page keeps the text that it shows, and a test compares it
with that of the page.
"""

import base64
import io
import json
import re
import runpy
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

import film
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from zoo.activity.simulate import walk_through
from zoo.catalog import PRESETS_FOLDER
from zoo.serving import PageServer, certificate, page_files

ROOT = Path(__file__).parents[2]
ASSETS, SITE = ROOT / "docs" / "assets", ROOT / "build" / "site"
MODEL = PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite"
FILM, SHOWN = ASSETS / "teaching.gif", "Description"
"""The moving picture, and the text of a PNG file that has what it shows."""

EVERY = 0.5
"""Seconds for which the clock is turned at once."""

WALKING, END = 5.0, 50.0
"""Seconds of the recording at the picture of walking, and at the summary."""

NOTEBOOKS = {
    "collect": (0, 0),
    "compare": (-1, 1),
    "compare-curve": (0, 0),
    "compare-ranks": (-1, 0),
    "recordings": (-1, 0),
    "recordings-minutes": (0, 0),
    "recordings-signals": (1, 1),
    "recordings-training": (2, 2),
    "keras": (0, 0),
    "keras-reliability": (0, 1),
    "photographs-features": (0, 1),
    "text": (0, 0),
}
"""Guides with a picture from their notebook: which of its cells with pictures, and which of the pictures."""

RECORDED = [
    (person, activity)
    for person, activities in {
        "Otter 27": ("walking", "sitting", "stairs"),
        "Heron 64": ("walking", "sitting"),
        "Lynx 58": ("sitting", "stairs"),
        "Badger 31": ("walking", "walking", "stairs"),
        "Robin 12": ("walking",),
    }.items()
    for activity in activities
]
"""Who has recorded what when the picture of the projector is taken."""

_RATE, WALKED = 50, 34.0
"""Hz of these recordings, and seconds of a walk that the phone of another picture feels, the countdown among them."""

_SCREEN: ViewportSize = {"width": 390, "height": 900}

_VISIBLE = """() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = new Range();
  while (texts.nextNode()) {
    range.selectNodeContents(texts.currentNode);
    const {top, bottom, left, right} = range.getBoundingClientRect(), parent = texts.currentNode.parentElement;
    const inside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth && right > left;
    if (inside && parent.checkVisibility({visibilityProperty: true}) && !parent.closest('.unseen')) {
      found.push(texts.currentNode.textContent);
    }
  }
  return found.join(' ').split(/\\s+/).join(' ').trim();
}"""


def of_notebook(name: str) -> bytes:
    """A picture of a guide, as its notebook has it."""
    guide, (cell, number) = name.partition("-")[0], NOTEBOOKS[name]
    notebook = json.loads((ROOT / "examples" / "guides" / f"{guide}.ipynb").read_text(encoding="utf-8"))
    shown = [
        [output["data"]["image/png"] for output in each.get("outputs", ()) if "image/png" in output.get("data", {})]
        for each in notebook["cells"]
    ]
    return base64.b64decode([pictures for pictures in shown if pictures][cell][number])


def of_guides(browser: Browser, site: Path) -> Iterator[tuple[str, Page]]:
    """Gives the pages of pictures in guides, with the names of the pictures."""
    page = browser.new_page(viewport={"width": 1012, "height": 760})
    page.goto((site / "presets" / "activity_gru_pocket" / "index.html").as_uri())
    yield "card", page
    yield from of_class(browser)
    yield from of_label(browser)


def of_label(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Gives the page of `zoo label` with an hour of a simulated person, while it is labeled and when all is decided."""
    example = runpy.run_path(str(ROOT / "examples" / "guides" / "label.py"))
    with tempfile.TemporaryDirectory() as folder:
        example["record"](Path(folder) / "hour")
        command = [str(Path(sys.executable).with_name("zoo")), "label", "hour", "--subject", "ann", "-o", "ours.h5"]
        with _running([*command, "--json"], cwd=folder) as printed:
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.goto(json.loads(printed.readline())["url"])
            page.wait_for_selector("#work:visible")
            page.wait_for_selector("#state", state="hidden", timeout=600_000)
            for _ in range(4):
                _answer(page)
            yield "label", page
            while page.is_hidden("#done"):
                _answer(page)
            page.click("#save")
            page.wait_for_selector("#saved:has-text('ours.h5')")
            yield "label-saved", page


@contextmanager
def _running(command: list[str], **options: Any) -> Iterator[IO[str]]:
    """What a command prints, which ends with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.terminate()


def _answer(page: Page) -> None:
    page.keyboard.press("Enter")
    page.wait_for_selector("#work[aria-busy=false]")


def of_class(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Gives the page of a phone in a class, before and in a recording, and that of its projector, with their names."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("zoo")), "serve", "--collect", folder, "--host", "127.0.0.1"]
        command += ["--labels", "walking,sitting,stairs"]
        with _running(command, stderr=subprocess.STDOUT) as printed:
            addresses = (found for line in printed if (found := re.search(r"https://127\S+/\w+#\S+", line)))
            phones, projector = next(addresses)[0], next(addresses)[0]
            page = _phone(browser, {"width": 390, "height": 700})
            page.clock.install()
            page.goto(phones)
            page.fill("#name", "Otter 27")
            yield "phone-collect", page
            page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
            page.check("#choices input[value=walking]")
            page.click("#record")
            page.wait_for_selector("body[data-state=countdown]")
            walk, phone = walk_through(["walking"], WALKED, film.HERTZ, seed=0)[0], film.Phone(page)
            for rows in np.split(walk, round(WALKED / film.HALF)):
                phone.feel(np.column_stack([phone.time + np.arange(len(rows)) / film.HERTZ, rows]))
            yield "phone-recording", page
            for number, (person, activity) in enumerate(RECORDED):
                _record(phones, person, activity, number)
            page = browser.new_page(viewport={"width": 1200, "height": 840}, ignore_https_errors=True)
            page.goto(projector)
            page.wait_for_selector("#newest-card:visible")
            # It has a secret that is drawn at random.
            page.evaluate("document.getElementById('address').remove()")
            yield "class", page


def _record(phones: str, person: str, activity: str, number: int) -> None:
    """Sends a simulated minute, as a phone does."""
    rows = enumerate(walk_through(["upstairs" if activity == "stairs" else activity], 60.0, _RATE, seed=number)[0])
    lines = [f"{i / _RATE},{x:.3f},{y:.3f},{z:.3f},{person},{activity}" for i, (x, y, z) in rows]
    server, _, token = phones.partition("/collect#")
    request = Request(f"{server}/recordings/{number:016}", "\n".join(["time,x,y,z,subject,activity", *lines]).encode())
    request.method, request.headers = "PUT", {"Authorization": f"Bearer {token}"}
    urlopen(request, context=ssl._create_unverified_context()).close()


def of_phone(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Gives the phone page at the moments of its pictures, with their names."""
    with _served() as address:
        yield "phone-start", _opened(browser, address, "#start:enabled")
        page = _opened(browser, f"{address}?replay", "#signal-axes span")
        _turn(page, WALKING)
        yield "phone-walking", page
        _turn(page, END - WALKING)
        page.click("#stop")
        _turn(page, EVERY)
        yield "phone-summary", page


@contextmanager
def to_teach(browser: Browser) -> Iterator[Page]:
    """Opens the phone page for the moving picture."""
    with _served() as address:
        yield _opened(browser, address, "#start:enabled", film.SCREEN, film.SCALE)


def visible(page: Page) -> str:
    """The text that a picture of a page shows."""
    found: str = page.evaluate(_VISIBLE)
    return found


def save(name: str, page: Page) -> None:
    """Writes a picture of a page."""
    text = PngInfo()
    text.add_itxt(SHOWN, visible(page))
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(128)
    picture.save(ASSETS / f"{name}.png", pnginfo=text)


@contextmanager
def _served() -> Iterator[str]:
    """The address of the phone page while it is served."""
    server = PageServer(page_files(MODEL), "127.0.0.1", 0, certificate.tls_context(["127.0.0.1"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.port}/"
    server.shutdown()


def _phone(browser: Browser, screen: ViewportSize, scale: float = 1) -> Page:
    return browser.new_page(
        viewport=screen, device_scale_factor=scale, ignore_https_errors=True, service_workers="block", has_touch=True,
        is_mobile=True,
    )  # fmt: skip


def _opened(browser: Browser, address: str, ready: str, screen: ViewportSize = _SCREEN, scale: float = 1) -> Page:
    """The phone page when it is ready; from then on its clock stands still where it is not turned."""
    page = _phone(browser, screen, scale)
    page.clock.install()
    page.goto(address)
    page.wait_for_selector(ready)
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    return page


def _turn(page: Page, seconds: float) -> None:
    """Turns the clock of a page. What the network computes arrives between two turns."""
    for _ in range(round(seconds / EVERY)):
        page.clock.run_for(round(1000 * EVERY))
        page.wait_for_timeout(50)


def main() -> None:
    """Writes the pictures."""
    wanted = sys.argv[1:] or ["phone", "guides", "film"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if "phone" in wanted:
            for name, page in of_phone(browser):
                save(name, page)
        if "guides" in wanted:
            for name in NOTEBOOKS:
                (ASSETS / f"guide-{name}.png").write_bytes(of_notebook(name))
            for name, page in of_guides(browser, SITE):
                save(name, page)
        if "film" in wanted:
            with to_teach(browser) as page:
                film.film(page, FILM)


if __name__ == "__main__":
    main()
