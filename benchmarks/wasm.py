"""What a recognizer costs in a browser: run by the program of the phone page, and compiled to WebAssembly.

    make page && python benchmarks/wasm.py

Both run in one page of headless Chromium, in turns: the `.tflite` file by the program of the page, and the file of
`zoo export --formats wasm`, which needs clang with wasm-ld. Times are medians over the turns, of many steps each, since
the clock of the browser has a resolution of a tenth of a millisecond.
"""

import argparse
import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


import pages

from zoo.catalog import PRESETS_FOLDER
from zoo.data.gait import walk_through
from zoo.metadata import extract
from zoo.report import markdown
from zoo.tasks.provenance import versions

PHONE = Path(__file__).parents[1] / "examples" / "phone"
PRESET = "activity_gru_phone"
SECONDS, TURNS, CALLS = 60, 9, 5000
COMPARE = """
async ([tflite, wasm, rows, states, classes, turns, calls]) => {
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const [file, code] = [bytes(tflite), bytes(wasm)];
  const opened = {page: [], wasm: []}, stepped = {page: [], wasm: []};
  const clock = async (times, work) => {
    const start = performance.now(), result = await work();
    times.push(performance.now() - start);
    return result;
  };
  let graph, compiled;
  for (let turn = 0; turn < turns; turn += 1) {
    graph = await clock(opened.page, () => new Graph(file, 'step'));
    compiled = await clock(opened.wasm, () => WebAssembly.instantiate(code));
  }
  const {memory, zoo_init, zoo_step} = compiled.instance.exports;
  const width = rows[0].length;
  const frame = memory.buffer.byteLength;
  const state = frame + 4 * width;
  const answer = state + 4 * Object.values(states).reduce((sum, units) => sum + units, 0);
  memory.grow(1);
  const input = new Float32Array(memory.buffer, frame, width);
  const output = new Float32Array(memory.buffer, answer, classes);
  zoo_init(state);
  let carried = Object.fromEntries(Object.entries(states).map(([name, units]) => [name, new Float32Array(units)]));
  const steps = {
    page: row => {
      const {probabilities, ...next} = graph.call({...carried, frame: row});
      carried = next;
      return probabilities;
    },
    wasm: row => {
      input.set(row);
      zoo_step(frame, state, answer);
      return output.slice();
    },
  };
  const signal = rows.map(row => Float32Array.from(row));
  let difference = 0;
  for (const row of signal) {
    const [one, other] = [steps.page(row), steps.wasm(row)];
    one.forEach((p, i) => { difference = Math.max(difference, Math.abs(p - other[i])); });
  }
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, step] of Object.entries(steps)) {
      await clock(stepped[name], () => { for (let i = 0; i < calls; i += 1) step(signal[i % signal.length]); });
    }
  }
  return {opened, stepped, difference};
}
"""


def compiled(folder: Path) -> bytes:
    """The network as WebAssembly."""
    from zoo import Model, export

    export(Model.from_preset(PRESET), folder, ["wasm"])
    return (folder / "model.wasm").read_bytes()


def bundled(folder: Path) -> str:
    """The program of the page that reads and runs `.tflite` files."""
    (folder / "entry.ts").write_text(f"import {{Graph}} from '{PHONE}/src/graph'; globalThis.Graph = Graph;")
    bundler = PHONE / "node_modules" / ".bin" / "rolldown"
    options = [folder / "entry.ts", "--format", "iife", "-d", folder / "out"]
    subprocess.run([bundler, *options], cwd=PHONE, check=True, capture_output=True)
    return (folder / "out" / "entry.js").read_text()


def measure() -> dict[str, Any]:
    """Compares both in one page."""
    from playwright.sync_api import sync_playwright

    tflite = PRESETS_FOLDER / PRESET / "model.float32.tflite"
    metadata = extract(tflite)
    rows = walk_through(["walking"], SECONDS, metadata.rate, seed=1)[0]
    frames = rows.reshape(-1, metadata.frame * rows.shape[1]).tolist()
    with TemporaryDirectory() as name, sync_playwright() as engine:
        files = {"page": tflite.read_bytes(), "wasm": compiled(Path(name))}
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=bundled(Path(name)))
        encoded = [base64.b64encode(content).decode() for content in files.values()]
        sizes = [dict(metadata.states), len(metadata.classes), TURNS, CALLS]
        found = page.evaluate(COMPARE, [*encoded, frames, *sizes])
        chromium = browser.version
        browser.close()
    ways = {
        way: {
            "compressed_bytes": len(gzip.compress(content)),
            "milliseconds_to_open": round(median(found["opened"][way]), 2),
            "milliseconds_per_step": round(median(found["stepped"][way]) / CALLS, 4),
        } for way, content in files.items()
    }  # fmt: skip
    return {
        "command": "python benchmarks/wasm.py", "model": PRESET, "versions": versions() | {"chromium": chromium},
        "turns": TURNS, "steps_per_turn": CALLS, "largest_difference": found["difference"], **ways,
    }  # fmt: skip


def table(measured: dict[str, Any]) -> str:
    """The costs of both."""
    ways = [measured["page"], measured["wasm"]]
    rows = [
        ["file, compressed", *(f"{way['compressed_bytes'] / 1000:,.0f} kB" for way in ways)],
        ["opened in", *(f"{way['milliseconds_to_open']:.1f} ms" for way in ways)],
        ["a step", *(f"{way['milliseconds_per_step']:.3f} ms" for way in ways)],
    ]
    return markdown.table([f"`{measured['model']}`", "`model.float32.tflite`, in the page", "`model.wasm`"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pages.add_page(parser)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"wasm": table})
        return
    json.dump(measure(), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
