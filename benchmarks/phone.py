"""Costs of the page in a browser: bytes of the first load, seconds until it is ready, milliseconds per step and per
second of the main thread, memory.

    make page && python benchmarks/phone.py

The page is served as by `zoo serve` and opened in headless Chromium with an empty cache, once with the program that
it runs small networks with and once with LiteRT.js. A slow phone is one with a line of 1.6 Mbit/s and 150 ms, and a
processor four times slower than this machine's. The page receives a minute of a simulated walk as DeviceMotion events.
The clock of the browser has a resolution of a tenth of a millisecond, so the time per step is a mean. What the main
thread does while the page plays its simulated recording is what costs battery; it is the median of several turns, since
other programs disturb each. Two builds of the page are compared in turn:

    python benchmarks/phone.py --folder zoo/page --against FOLDER
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages

from zoo.activity.simulate import walk_through
from zoo.provenance import versions
from zoo.report import markdown
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.server import PAGE_FOLDER

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWITCHES = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
ENGINES = {"typescript": "", "litert": "?engine=litert"}
"""What the address of the page is followed by to choose what runs the network."""
PHONE = {"ignore_https_errors": True, "service_workers": "block", "has_touch": True}
SECONDS, HERTZ, STARTS = 60, 60, 100
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
"""1.6 Mbit/s down, 0.75 up, in bytes per second."""
SLOWER = 4
TURNS, WATCHED, PROCESSORS = 3, 20, (1, 6)
"""How often and for how many seconds the main thread is watched, on processors so many times slower than this one."""
SCREEN = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
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
FEEL = """
([rows, hertz]) => {
  for (const [i, [x, y, z]] of rows.entries()) {
    const event = new DeviceMotionEvent('devicemotion', {accelerationIncludingGravity: {x, y, z}});
    Object.defineProperty(event, 'timeStamp', {value: 1000 * i / hertz});
    dispatchEvent(event);
  }
}
"""


def first_load(browser: "Browser", url: str, *, slow: bool) -> tuple["Page", dict[str, int], float]:
    """Opens the page with an empty cache. Returns it, the bytes of each file, and the seconds until it is ready."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    if slow:
        network.send("Network.emulateNetworkConditions", LINE)
        network.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: dict[str, int] = {}
    names: dict[str, str] = {}
    network.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
    network.on(
        "Network.loadingFinished",
        lambda e: sizes.update({urlsplit(names[e["requestId"]]).path: round(e["encodedDataLength"])}),
    )
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#start:enabled", timeout=120_000)
    seconds = time.perf_counter() - start
    page.wait_for_load_state("networkidle")
    return page, sizes, seconds


def steps(page: "Page", rows: list[list[float]]) -> dict[str, Any]:
    """Milliseconds of a run of the network in a minute of walking, without the slowest hundredth, which was held up."""
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    found = np.sort(page.evaluate(PLAY, [rows, HERTZ]))
    return {
        "count": len(found), "milliseconds": round(float(found[: -len(found) // 100].mean()), 3),
        "p95": round(float(np.percentile(found, 95)), 1),
    }  # fmt: skip


def heap(browser: "Browser", url: str, rows: list[list[float]]) -> dict[str, int]:
    """Bytes of JavaScript's heap before the first start and after many, each with three seconds of signal."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    # Buttons ignore taps for a while after they have changed.
    page.clock.install()
    page.goto(url)
    page.wait_for_selector("#start:enabled", timeout=120_000)
    session = context.new_cdp_session(page)

    def used() -> int:
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Runtime.getHeapUsage")["usedSize"])

    before = used()
    for _ in range(STARTS):
        page.clock.run_for(700)
        page.evaluate("document.getElementById('start').click()")
        page.wait_for_selector("body[data-state=running]")
        page.evaluate(FEEL, [rows, HERTZ])
        page.clock.run_for(700)
        page.evaluate("document.getElementById('stop').click()")
        page.wait_for_selector("#start:visible")
    after = used()
    context.close()
    return {"starts": STARTS, "before": before, "after": after}


def busy(browser: "Browser", url: str, slower: int) -> float:
    """Milliseconds of a second for which the main thread is busy while the page plays its simulated recording."""
    context = browser.new_context(**PHONE, **SCREEN)
    page = context.new_page()
    session = context.new_cdp_session(page)
    page.goto(url + ("&" if "?" in url else "?") + "replay")
    page.wait_for_selector("#signal-axes span", timeout=120_000)
    session.send("Performance.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.wait_for_timeout(1000)

    def metrics() -> tuple[float, float]:
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return found["TaskDuration"], found["Timestamp"]

    before, begun = metrics()
    page.wait_for_timeout(1000 * WATCHED)
    after, ended = metrics()
    context.close()
    return 1000 * (after - before) / (ended - begun)


def main_thread(browser: "Browser", urls: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Medians of what `busy` finds, of pages that take turns, with the processor's factor."""
    found: dict[str, dict[int, list[float]]] = {name: {slower: [] for slower in PROCESSORS} for name in urls}
    for _, slower, name in product(range(TURNS), PROCESSORS, urls):
        found[name][slower].append(busy(browser, urls[name], slower))
    return {
        name: {f"{slower}x": round(float(np.median(times)), 1) for slower, times in each.items()}
        for name, each in found.items()
    }


def measure(browser: "Browser", url: str, rows: list[list[float]]) -> dict[str, Any]:
    """All that is measured of the page with one engine."""
    slow, _, late = first_load(browser, url, slow=True)
    slow.context.close()
    page, sizes, early = first_load(browser, url, slow=False)
    found = {
        "first_load": {"bytes": sum(sizes.values()), "requests": len(sizes), "files": sizes},
        "seconds_to_ready": {"here": round(early, 2), "slow_phone": round(late, 1)},
        "step": steps(page, rows),
    }
    page.context.close()
    return found | {"heap": heap(browser, url, rows[: 3 * HERTZ])}


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """The address of a built page while it is served."""
    files = page_files(folder / "model.tflite", folder)
    with PageServer(files, "127.0.0.1", port, certificate.tls_context(["127.0.0.1"])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.port}/"
        server.shutdown()


def table(measured: dict[str, Any]) -> str:
    """The costs with each engine."""
    engines = [measured["engines"][name] for name in ENGINES]
    load, ready = ([engine[key] for engine in engines] for key in ("first_load", "seconds_to_ready"))
    growth = [(engine["heap"]["after"] - engine["heap"]["before"]) / 1000 for engine in engines]
    rows = [
        ["first load, compressed", *(f"{one['bytes'] / 1000:,.0f} kB in {one['requests']} requests" for one in load)],
        ["ready", *(f"{one['here']:.1f} s" for one in ready)],
        ["ready on a slow phone", *(f"{one['slow_phone']:.1f} s" for one in ready)],
        [f"a step of `{measured['model']}`", *(f"{one['step']['milliseconds']:.2f} ms" for one in engines)],
        *(
            [f"main thread in a second{end}", *(f"{one['main_thread'][name]:.0f} ms" for one in engines)]
            for name, end in {"1x": "", "6x": ", processor six times slower"}.items()
        ),
        [f"memory after {STARTS} starts", *(f"{kilobytes:+,.0f} kB" for kilobytes in growth)],
    ]
    return markdown.table(["", "the page itself", "LiteRT.js"], rows)


def main() -> None:
    parser = pages.parser(__doc__)
    parser.add_argument("--folder", type=Path, default=PAGE_FOLDER, help="of the built page")
    parser.add_argument("--against", type=Path, help="another build: compares the main thread in turn, nothing else")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"phone": table})
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine, serving(options.folder, 9443) as url:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=SWITCHES.split())
        if options.against:
            with serving(options.against, 9543) as other:
                found = main_thread(browser, {str(options.folder): url, str(options.against): other})
            print(json.dumps(found, indent=2))
            return
        rows = walk_through(["walking"], SECONDS, HERTZ, seed=1)[0].tolist()
        models = json.loads((options.folder / "models.json").read_text())
        urls = {name: url + query for name, query in ENGINES.items()}
        engines = {name: measure(browser, each, rows) for name, each in urls.items()}
        for name, times in main_thread(browser, urls).items():
            engines[name]["main_thread"] = times
        found = {
            "command": "python benchmarks/phone.py", "model": models[0]["name"],
            "versions": versions() | {"chromium": browser.version}, "engines": engines,
        }  # fmt: skip
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
