"""Costs of the page in a browser: bytes of the first load, and milliseconds per step.

    make page && python benchmarks/phone.py

The page is served as by `zoo serve` and opened in headless Chromium with an empty cache. It receives a minute of a
simulated walk as DeviceMotion events. The clock of the browser has a resolution of a tenth of a millisecond, so the
time per step is a mean.
"""

import argparse
import json
import os
import shutil
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from playwright.sync_api import sync_playwright

from zoo.data.gait import walk_through
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.page import PAGE_FOLDER
from zoo.tasks.provenance import versions

SWITCHES = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
SECONDS, HERTZ = 60, 60
PLAY = """
async ([rows, hertz]) => {
  const steps = [];
  document.addEventListener('prediction', ({detail}) => steps.push(detail.milliseconds));
  for (const [i, [x, y, z]] of rows.entries()) {
    const event = new DeviceMotionEvent('devicemotion', {accelerationIncludingGravity: {x, y, z}});
    Object.defineProperty(event, 'timeStamp', {value: 1000 * i / hertz});
    dispatchEvent(event);
  }
  let before;
  do {
    before = steps.length;
    await new Promise(done => setTimeout(done, 1000));
  } while (steps.length > before);
  return steps;
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rows = walk_through(["walking"], SECONDS, HERTZ, seed=1)[0].tolist()
    files = page_files(PAGE_FOLDER / "model.tflite")
    with PageServer(files, "127.0.0.1", 9443, certificate.tls_context(["127.0.0.1"])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=SWITCHES.split())
            context = browser.new_context(ignore_https_errors=True, service_workers="block")
            page = context.new_page()
            sizes: dict[str, int] = {}
            network = context.new_cdp_session(page)
            network.send("Network.enable")
            names = {}
            network.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
            network.on(
                "Network.loadingFinished",
                lambda e: sizes.update({names[e["requestId"]].split("/", 3)[3] or "/": round(e["encodedDataLength"])}),
            )
            page.goto(f"https://127.0.0.1:{server.port}/")
            page.wait_for_selector("#start:enabled")
            page.click("#start")
            page.wait_for_selector("body[data-state=running]")
            steps = page.evaluate(PLAY, [rows, HERTZ])
            found = {
                "command": "python benchmarks/phone.py", "versions": versions() | {"chromium": browser.version},
                "first_load": {"bytes": sum(sizes.values()), "files": sizes},
                "step": {"count": len(steps), "milliseconds": round(float(np.mean(steps)), 3),
                         "p95": round(float(np.percentile(steps, 95)), 1)},
            }  # fmt: skip
            browser.close()
        server.shutdown()
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
