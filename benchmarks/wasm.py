"""What a recognizer costs in a browser: compiled to WebAssembly, run by the phone page itself, and by LiteRT.js.

    make page && python benchmarks/wasm.py

The files are those of `zoo export --formats wasm,wasm_int8,float32`, which needs clang with wasm-ld. For each way, the
page is opened in headless Chromium with an empty cache, on this machine and as on the slow phone of
`benchmarks/phone.py`. Steps are taken in one page, by the code of the phone page, in turns of many steps each, since
the clock of the browser has a resolution of a tenth of a millisecond. All times are medians over loads or turns.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pages
import phone

from zoo.activity.simulate import walk_through
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import extract
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.page import PAGE_FOLDER

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SOURCES = Path(__file__).parents[1] / "examples" / "phone"
PRESET, PORT = "activity_gru_phone", 9443
SECONDS, LOADS, TURNS, CALLS = 60, 3, 9, 2000
WAYS = {
    "wasm": ("model.wasm", ""),
    "wasm_int8": ("model.int8.wasm", ""),
    "page": ("model.float32.tflite", ""),
    "litert": ("model.float32.tflite", "?engine=litert"),
}
"""The file and the end of the page's address, by the way in which the network is run."""
TITLES = ["`model.wasm`", "`model.int8.wasm`", "`model.float32.tflite`, the page", "`model.float32.tflite`, LiteRT.js"]
COMPARE = """
async ([ways, rows, turns, calls]) => {
  const opened = {};
  for (const [name, [content, query]] of Object.entries(ways)) {
    history.replaceState(null, '', query || '?');
    const file = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    opened[name] = await Recognizer.open(file, () => {});
  }
  const {states} = opened.page.metadata;
  const zeros = () =>
    Object.fromEntries(Object.entries(states).map(([name, units]) => [name, new Float32Array(units)]));
  const signal = rows.map(row => Float32Array.from(row));
  const answers = {}, stepped = {};
  for (const [name, recognizer] of Object.entries(opened)) {
    let carried = zeros();
    [answers[name], stepped[name]] = [[], []];
    for (const row of signal) {
      const {probabilities, states} = await recognizer.step(row, carried);
      carried = states;
      answers[name].push(...probabilities);
    }
  }
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, recognizer] of Object.entries(opened)) {
      let carried = zeros();
      const start = performance.now();
      for (let i = 0; i < calls; i += 1) {
        ({states: carried} = await recognizer.step(signal[i % signal.length], carried));
      }
      stepped[name].push((performance.now() - start) / calls);
    }
  }
  const differences = Object.fromEntries(Object.entries(answers).map(([name, found]) => [
    name, Math.max(...found.map((p, i) => Math.abs(p - answers.page[i]))),
  ]));
  const engines = Object.fromEntries(Object.entries(opened).map(([name, {engine}]) => [name, engine.name]));
  return {engines, stepped, differences};
}
"""


def exported(folder: Path) -> dict[str, Path]:
    """The file of each way."""
    from zoo import Model, export

    export(Model.from_preset(PRESET), folder, ["wasm", "wasm_int8", "float32"])
    return {way: folder / file for way, (file, _) in WAYS.items()}


def bundled(folder: Path) -> str:
    """The code of the page that opens and runs files."""
    (folder / "entry.ts").write_text(
        f"import {{Recognizer}} from '{SOURCES}/src/recognizer'; self.Recognizer = Recognizer;"
    )
    bundler = SOURCES / "node_modules" / ".bin" / "rolldown"
    options = [folder / "entry.ts", "--format", "iife", "--no-codeSplitting", "-o", folder / "bundle.js"]
    subprocess.run([bundler, *options], cwd=SOURCES, check=True, capture_output=True)
    package = json.loads((SOURCES / "node_modules" / "@litertjs" / "core" / "package.json").read_text())
    # As the build of the page defines them.
    constants = f"self.__LITERT_VERSION__ = '{package['version']}'; self.__LITERT_BYTES__ = null;"
    return constants + (folder / "bundle.js").read_text()


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The address of the page with a file, while it is served."""
    with PageServer(page_files(file), "127.0.0.1", PORT, certificate.tls_context(["127.0.0.1"])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.port}/"
        server.shutdown()


def load(browser: "Browser", file: Path, query: str) -> dict[str, Any]:
    """Bytes and seconds of the first load of the page with a file."""
    seconds = {}
    with served(file) as url:
        for name, slow in (("here", False), ("slow_phone", True)):
            times = []
            for _ in range(LOADS):
                page, sizes, ready = phone.first_load(browser, url + query, slow=slow)
                page.context.close()
                times.append(ready)
            seconds[name] = round(median(times), 2)
    return {"file_bytes": file.stat().st_size, "first_load_bytes": sum(sizes.values()), "seconds_to_ready": seconds}


def compare(browser: "Browser", files: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Milliseconds of a step of each way, and the largest differences from the page, all in one page."""
    metadata = extract(files["page"])
    rows = walk_through(["walking"], SECONDS, metadata.rate, seed=1)[0]
    frames = rows.reshape(-1, metadata.frame * rows.shape[1]).tolist()
    ways = {way: [base64.b64encode(file.read_bytes()).decode(), WAYS[way][1]] for way, file in files.items()}
    # The rules of the page allow no other code.
    context = browser.new_context(ignore_https_errors=True, service_workers="block", bypass_csp=True)
    with served(files["page"]) as url:
        page = context.new_page()
        # A page of the server that runs no network itself.
        page.goto(f"{url}collect")
        page.add_script_tag(content=bundled(folder))
        found: dict[str, Any] = page.evaluate(COMPARE, [ways, frames, TURNS, CALLS])
        context.close()
    return found


def measure() -> dict[str, Any]:
    """All that is measured."""
    from playwright.sync_api import sync_playwright

    if not (PAGE_FOLDER / "index.html").is_file():
        raise SystemExit("the page is not built: make page")
    with TemporaryDirectory() as name, sync_playwright() as engine:
        files = exported(Path(name) / "out")
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=phone.SWITCHES.split())
        found = compare(browser, files, Path(name))
        ways = {
            way: load(browser, file, WAYS[way][1]) | {
                "run_by": found["engines"][way], "milliseconds_per_step": round(median(found["stepped"][way]), 4),
                "largest_difference": found["differences"][way],
            } for way, file in files.items()
        }  # fmt: skip
        chromium = browser.version
        browser.close()
    return {
        "command": "python benchmarks/wasm.py", "model": PRESET, "versions": versions() | {"chromium": chromium},
        "loads": LOADS, "turns": TURNS, "steps_per_turn": CALLS, "ways": ways,
    }  # fmt: skip


def table(measured: dict[str, Any]) -> str:
    """The costs of each way."""
    ways = [measured["ways"][way] for way in WAYS]
    rows = [
        ["file", *(f"{way['file_bytes'] / 1000:,.0f} kB" for way in ways)],
        ["first load, compressed", *(f"{way['first_load_bytes'] / 1000:,.0f} kB" for way in ways)],
        ["ready", *(f"{way['seconds_to_ready']['here']:.1f} s" for way in ways)],
        ["ready on a slow phone", *(f"{way['seconds_to_ready']['slow_phone']:.1f} s" for way in ways)],
        ["a step", *(f"{way['milliseconds_per_step']:.3f} ms" for way in ways)],
    ]
    return markdown.table([f"`{measured['model']}`", *TITLES], rows)


def main() -> None:
    parser = pages.parser(__doc__)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"wasm": table})
        return
    json.dump(measure(), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
