"""Makes docs/assets/phone.gif: the phone page in Chromium, which plays the simulated recording.

    make page && python docs/.site/pictures.py

The page is served by `zoo serve`'s own server. Two pictures a second are taken for eight seconds, and each is shown for
half a second.
"""

import io
import shutil
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from zoo.catalog import PRESETS_FOLDER
from zoo.serving import PageServer, certificate, page_files

ROOT = Path(__file__).parents[2]
MODEL = PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite"
SIZE, SECONDS, EVERY, AFTER = {"width": 390, "height": 830}, 8, 0.5, 3.0


def main() -> None:
    """Writes the moving picture."""
    frames = [Image.open(io.BytesIO(shot)).convert("RGB").resize((300, 638)) for shot in _shots()]
    # One palette for all frames, so that what stands still is stored once.
    palette = frames[-1].quantize(64)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    file = ROOT / "docs" / "assets" / "phone.gif"
    first.save(file, save_all=True, append_images=others, duration=round(1000 * EVERY), loop=0, optimize=True)
    print(f"{file}: {len(frames)} frames, {file.stat().st_size / 1000:.0f} kB")


def _shots() -> list[bytes]:
    server = PageServer(page_files(MODEL), "127.0.0.1", 0, certificate.tls_context(["127.0.0.1"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, ignore_https_errors=True, service_workers="block")
        page.clock.install()
        page.goto(f"https://127.0.0.1:{server.port}/?replay")
        page.wait_for_selector("#signal-axes span")
        found = []
        for number in range(round((AFTER + SECONDS) / EVERY)):
            page.clock.run_for(round(1000 * EVERY))
            # What the network computes arrives between two turns of the clock.
            page.wait_for_timeout(100)
            if number * EVERY >= AFTER:
                found.append(page.screenshot())
        browser.close()
    server.shutdown()
    return found


if __name__ == "__main__":
    main()
