"""Makes the pictures of the phone page in docs/assets: the moving one of the README, and the three of the home page.

    make page && python docs/.site/pictures.py

The page is served by `zoo serve`'s own server to Chromium, whose clock is turned by hand: it plays the simulated
recording.
"""

import io
import shutil
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from zoo.catalog import PRESETS_FOLDER
from zoo.serving import PageServer, certificate, page_files

ASSETS = Path(__file__).parents[1] / "assets"
MODEL = PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite"
EVERY, FIRST, LAST = 0.5, 3.0, 11.0
"""Seconds between two frames of the moving picture, and its first and last second of the recording."""

WALKING, END = 9.0, 40.0
"""Seconds of the recording at the picture of walking, and at the summary."""


def main() -> None:
    """Writes the pictures."""
    server = PageServer(page_files(MODEL), "127.0.0.1", 0, certificate.tls_context(["127.0.0.1"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"https://127.0.0.1:{server.port}/"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])

        def opened(height: int, where: str = "") -> Page:
            page = browser.new_page(
                viewport={"width": 390, "height": height}, ignore_https_errors=True, service_workers="block",
                has_touch=True, is_mobile=True,
            )  # fmt: skip
            page.clock.install()
            page.goto(address + where)
            return page

        page = opened(844)
        page.wait_for_selector("#start:enabled")
        save(page, "start")
        page = opened(844, "?replay")
        page.wait_for_selector("#signal-axes span")
        turn(page, WALKING)
        save(page, "walking")
        turn(page, END - WALKING)
        page.click("#stop")
        page.wait_for_timeout(500)
        save(page, "summary")
        move(opened(830, "?replay"))
        browser.close()
    server.shutdown()


def turn(page: Page, seconds: float) -> None:
    """Turns the clock of a page. What the network computes arrives between two turns."""
    for _ in range(round(seconds / EVERY)):
        page.clock.run_for(round(1000 * EVERY))
        page.wait_for_timeout(100)


def save(page: Page, name: str) -> None:
    """Writes a picture of a page."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(128).save(ASSETS / f"phone-{name}.png")


def move(page: Page) -> None:
    """Writes the moving picture of a page that plays the recording."""
    page.wait_for_selector("#signal-axes span")
    turn(page, FIRST)
    frames = []
    for _ in range(round((LAST - FIRST) / EVERY)):
        turn(page, EVERY)
        frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize((300, 638)))
    # One palette for all frames, so that what stands still is stored once.
    palette = frames[-1].quantize(64)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(
        ASSETS / "phone.gif", save_all=True, append_images=others, duration=round(1000 * EVERY), loop=0, optimize=True
    )


if __name__ == "__main__":
    main()
