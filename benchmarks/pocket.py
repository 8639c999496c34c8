"""What the phone page tells without a network, against recordings: steps, and whether the phone is in a pocket.

    make page && python benchmarks/pocket.py --data DATA/activity

The programs of the page (`steps.ts`, `faults.ts` and `placement.ts` in `examples/phone/src/signal`) run in Node on
recordings as a browser sends them: 60 samples per second, rounded to 0.1 m/s^2. True counts of steps are those of a
second device in the twelve recordings of Oxford's validation, all walking; the constants of the counter were chosen on
`user1` alone. For jogging and stairs there are no counts. The rules for places were chosen on MotionSense, WISDM and
Oxford, so that only GeoTec is a test of them. No study shakes phones, so that is simulated.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pages

from zoo.activity import simulate
from zoo.activity.studies import read_study
from zoo.provenance import versions
from zoo.report import markdown

PHONE = Path(__file__).parents[1] / "examples" / "phone"
PROGRAM = """
import {createInterface} from 'node:readline';
import {Faults} from 'PHONE/src/signal/faults';
import {isHeld} from 'PHONE/src/signal/placement';
import {StepCounter} from 'PHONE/src/signal/steps';
const metadata = {unit: 'm/s^2', axes: ['x', 'y', 'z'], convention: 'android'};
for await (const line of createInterface({input: process.stdin})) {
  const counter = new StepCounter(), faults = new Faults(1, true), samples = [], places = [], cadences = [];
  JSON.parse(line).forEach((value, i) => {
    counter.push(i / HERTZ, Math.hypot(...value));
    faults.push(i / HERTZ, value);
    samples.push({time: i / HERTZ, value});
    if (samples.length > 5 * HERTZ) samples.shift();
    if (i % HERTZ || i < 5 * HERTZ) return;
    places.push(faults.fault ?? (isHeld(samples, faults, metadata) ? 'hand' : null));
    cadences.push(counter.cadence);
  });
  console.log(JSON.stringify({steps: counter.count, places, cadences}));
}
"""
HERTZ = 60
PLACES = ("at rest", "hand", "shaken", "no signal")
STUDIES = {
    "motionsense": "A_DeviceMotion_data.zip", "geotec": "sp-sw-har-dataset.zip", "oxford": "oxford-step-counter.zip",
    "wisdm": "wisdm-dataset.zip",
}  # fmt: skip


def run(recordings: list[np.ndarray]) -> list[dict[str, Any]]:
    """What the page tells of recordings at 60 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "program.ts"
        source.write_text(PROGRAM.replace("PHONE", str(PHONE)).replace("HERTZ", str(HERTZ)))
        bundle = [PHONE / "node_modules" / ".bin" / "rolldown", source, "--platform", "node", "--format", "esm"]
        subprocess.run([*bundle, "-d", Path(folder) / "out"], cwd=PHONE, check=True, capture_output=True)
        lines = "\n".join(json.dumps(np.round(rows, 1).tolist()) for rows in recordings)
        command = ["node", Path(folder) / "out" / "program.js"]
        found = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in found.stdout.splitlines()]


def resampled(times: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows at the rate of a browser."""
    moments = np.arange(times[0], times[-1], 1 / HERTZ)
    return np.stack([np.interp(moments, times, axis) for axis in rows.T], axis=-1)


def counted(archive: Path) -> Iterator[dict[str, Any]]:
    """The recordings of the validation, with the true count of the stretch that is kept."""
    with zipfile.ZipFile(archive) as file:
        for name in sorted(name for name in file.namelist() if "/validation/user" in name):
            user, position, _ = Path(name).stem.split("_")
            table = np.loadtxt(file.read(name).decode().splitlines(), delimiter=",")
            times = (table[:, 0] - table[0, 0]) / 1e9
            steps = int(table[-1, 5] - table[0, 5])
            yield {"user": user, "position": position, "true": steps, "rows": resampled(times, table[:, 1:4])}


def measure_steps(archive: Path) -> list[dict[str, Any]]:
    """Counted and true steps of each recording."""
    recordings = list(counted(archive))
    found = run([each.pop("rows") for each in recordings])
    return [
        each | {"counted": page["steps"], "error": round(page["steps"] / each["true"] - 1, 4)}
        for each, page in zip(recordings, found, strict=True)
    ]


def measure_places(folder: Path) -> dict[str, dict[str, Any]]:
    """The share of seconds of each study, position and activity without a label, by the reason."""
    places, cadences = defaultdict(list), defaultdict(list)
    bouts = [*simulate.shaken(60, 20 * HERTZ, HERTZ, np.random.default_rng(0))]
    for page in run(bouts):
        places["simulated, hand, shaking"] += page["places"]
        cadences["simulated, hand, shaking"] += page["cadences"]
    for study, name in STUDIES.items():
        recordings = list(read_study(study, folder / name))
        rows = [resampled(np.arange(len(each.acceleration)) / each.rate, each.acceleration) for each in recordings]
        for each, page in zip(recordings, run(rows), strict=True):
            key = f"{study}, {each.position or 'pocket'}, {each.activity}"
            places[key] += page["places"]
            cadences[key] += page["cadences"]
    return {
        key: {
            "seconds": len(found), **{name: round(found.count(name) / len(found), 4) for name in PLACES},
            "cadence": round(float(np.median(cadences[key])), 1),
        }
        for key, found in sorted(places.items()) if found
    }  # fmt: skip


def table(measured: dict[str, Any]) -> str:
    """Counted and true steps."""
    rows = [[each["user"], each["position"], str(each["true"]), str(each["counted"]), f"{100 * each['error']:+.1f} %"]
            for each in measured["steps"]]  # fmt: skip
    return markdown.table(["person", "where the phone is", "true steps", "counted", "error"], rows)


def main() -> None:
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the studies' archives")
    parser.add_argument("--steps", action="store_true", help="leave the places out")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"steps": table})
        return
    found: dict[str, Any] = {
        "command": "python benchmarks/pocket.py --data DATA/activity",
        "versions": versions(),
        "hertz": HERTZ,
    }
    found["steps"] = measure_steps(options.data / STUDIES["oxford"])
    if not options.steps:
        found["places"] = measure_places(options.data)
    json.dump(found, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
