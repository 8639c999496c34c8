"""Makes pictures in docs/assets: of the phone page, the moving one of the README among them, and of the guides.

    make site && python docs/.site/pictures.py [guides]

The page is served by `zoo serve`'s own server to Chromium, whose clock is turned by hand: it plays the simulated
recording. Pictures of guides are outputs of their notebooks, the page of `zoo serve --collect`, and a card of the site.
"""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from zoo.catalog import PRESETS_FOLDER
from zoo.serving import PageServer, certificate, page_files

ASSETS = Path(__file__).parents[1] / "assets"
MODEL = PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite"
EVERY, FIRST, LAST = 0.5, 3.0, 11.0
"""Seconds between two frames of the moving picture, and its first and last second of the recording."""

WALKING, END = 9.0, 40.0
"""Seconds of the recording at the picture of walking, and at the summary."""


NOTEBOOKS = {"recordings": (-1, 0), "keras": (0, 0), "photographs-features": (0, 1), "text": (0, 0)}
"""Guides with a picture from their notebook: which of its cells with pictures, and which of the pictures."""


def of_notebook(name: str) -> bytes:
    """A picture of a guide, as its notebook has it."""
    guide, (cell, number) = name.partition("-")[0], NOTEBOOKS[name]
    notebook = json.loads((ASSETS.parents[1] / "examples" / "guides" / f"{guide}.ipynb").read_text(encoding="utf-8"))
    shown = [
        [output["data"]["image/png"] for output in each.get("outputs", ()) if "image/png" in output.get("data", {})]
        for each in notebook["cells"]
    ]
    return base64.b64decode([pictures for pictures in shown if pictures][cell][number])


def of_guides(browser: Browser) -> None:
    """Writes the pictures of the guides."""
    for name in NOTEBOOKS:
        (ASSETS / f"guide-{name}.png").write_bytes(of_notebook(name))
    page = browser.new_page(viewport={"width": 1012, "height": 760})
    page.goto((ASSETS.parents[1] / "build" / "site" / "presets" / "activity_gru_pocket" / "index.html").as_uri())
    save(page, "card")
    with tempfile.TemporaryDirectory() as folder:
        command = [Path(sys.executable).with_name("zoo"), "serve", "--collect", folder, "--host", "127.0.0.1"]
        command += ["--labels", "walking,sitting,stairs"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
            assert serving.stdout
            address = next(
                found for line in serving.stdout if (found := re.search(r"https://127\S+/collect#\S+", line))
            )
            page = browser.new_page(
                viewport={"width": 390, "height": 700}, ignore_https_errors=True, has_touch=True, is_mobile=True
            )
            page.goto(address[0])
            page.fill("#name", "Otter 27")
            save(page, "phone-collect")
            serving.terminate()


def main() -> None:
    """Writes the pictures."""
    if "guides" in sys.argv[1:]:
        with sync_playwright() as play:
            of_guides(play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"]))
        return
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
        save(page, "phone-start")
        page = opened(844, "?replay")
        page.wait_for_selector("#signal-axes span")
        turn(page, WALKING)
        save(page, "phone-walking")
        turn(page, END - WALKING)
        page.click("#stop")
        page.wait_for_timeout(500)
        save(page, "phone-summary")
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
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(128).save(ASSETS / f"{name}.png")


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
