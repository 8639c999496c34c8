"""What the C code of recognizers costs on emulated microcontrollers.

    python benchmarks/microcontroller.py --data data3.h5 | tee benchmarks/microcontroller.json
    python benchmarks/microcontroller.py --page docs/guides/c.md  # writes the table into the page
    python benchmarks/microcontroller.py --metrics                # writes the costs into the metrics of the presets

`examples/microcontroller` runs the code on a Cortex-M0, M3, M4F, M7 and the RISC-V processor of a HiFive1 of QEMU,
which executes an instruction each nanosecond of its own clock: instructions are counted exactly, cycles are not known.
Flash is that of `model.c`, code and weights; memory is the state, and the stack of a step. `activity_gru_pocket` is
measured on all of them, the other recognizers on the M4F, each in the formats that its export accepts on real windows.
What the code costs on a computer: `benchmarks/inference.py`.

TFLite Micro comes as a Python package, a build for x86_64, which tells how large an arena it needs for the same network
in `model.int8.tflite`, and not how large its own code is on a microcontroller.
"""

import bisect
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pages

import zoo
from zoo.catalog import find_folder
from zoo.exporting.artifacts import ParityError
from zoo.files import read_json, write_json
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown

ON_ALL, FORMATS = "activity_gru_pocket", ("c99", "c99_int8")
# Those that take steps.
RECOGNIZERS = [name for name, row in PRESETS.items() if row.family in ("activity_rnn", "activity_lstm", "activity_gru")]
BOARDS = {
    "m0": "Cortex-M0", "m3": "Cortex-M3", "m4": "Cortex-M4F", "m7": "Cortex-M7", "hifive1": "RISC-V RV32IMAC",
}  # fmt: skip
BOARD_OF_ALL = "m4"
COMPILERS = ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")
EXAMPLE = Path(__file__).parents[1] / "examples" / "microcontroller"


def accepted(preset: str, data: Path, out: Path) -> list[str]:
    """Exports a preset; the formats in which it gives the labels of the Keras model."""
    with suppress(ParityError):
        zoo.export(preset, out, FORMATS, data=data)
    return [kind for kind in FORMATS if (out / kind).is_dir()]


def measure(preset: str, kind: str, board: str, scratch: Path) -> dict[str, Any]:
    """Builds and runs the example with a model. Returns `flash`, `state`, `stack`, `instructions`, and the labels."""
    code = scratch / preset / kind
    variables = {"MODEL": code, "BOARD": board, "BUILD": scratch / board / preset / kind, "PYTHON": sys.executable}
    command = ["make", "-s", "-C", EXAMPLE, *(f"{name}={value}" for name, value in variables.items())]
    output, sizes = (
        subprocess.run([*command, goal], capture_output=True, text=True, check=True).stdout for goal in ("run", "size")
    )
    numbers = {name: int(count) for name, count in re.findall(r"^(.*): (\d+)$", output, re.MULTILINE)}
    flash = next(line.split() for line in sizes.splitlines() if line.endswith("/model.o"))
    return {
        "preset": preset, "board": board, "format": kind, "flash": int(flash[0]) + int(flash[1]),
        "state": numbers["bytes of state"], "stack": numbers["bytes of stack of a step"],
        "instructions": numbers["instructions a step"],
        "labels": re.findall(r"^\d+ s: (.*)$", output, re.MULTILINE),
    }  # fmt: skip


def arena(path: Path) -> int:
    """Bytes of the smallest arena in which TFLite Micro opens a file, to the next 16."""
    from tflite_micro import runtime

    def suffices(size: int) -> bool:
        try:
            runtime.Interpreter.from_file(str(path), arena_size=size)
        except RuntimeError:
            return False
        return True

    return 16 * bisect.bisect_left(range(1 << 16), True, key=lambda count: suffices(16 * count))


def table(document: dict[str, Any]) -> str:
    """Renders the table of the page."""
    rows = [
        (BOARDS[row["board"]], f"`{row['format']}`", f"{row['flash'] / 1000:.1f}",
         f"{(row['state'] + row['stack']) / 1000:.2f}", f"{row['instructions']:,}")
        for row in document["boards"] if row["preset"] == ON_ALL
    ]  # fmt: skip
    micro = document["tflite_micro"]
    rows.append((
        micro["processor"], "TFLite Micro, `model.int8.tflite`",
        f"{micro['model'] / 1000:.1f}, plus the interpreter's code", f"{micro['arena'] / 1000:.1f}", "-",
    ))  # fmt: skip
    return markdown.table(("processor", "format", "flash, kB", "memory, kB", "instructions per step"), rows, text=2)


def write_metrics(document: dict[str, Any]) -> None:
    """Writes the costs of each recognizer into the metrics of its preset, for its card."""
    for name in RECOGNIZERS:
        metrics = find_folder(name) / "metrics.json"
        rows = [row for row in document["boards"] if (row["preset"], row["board"]) == (name, BOARD_OF_ALL)]
        kept = ("format", "flash", "state", "stack", "instructions")
        # Without the build and the date in its version.
        compiler = re.sub(r" \(.*?\)| \d{8}$", "", document["compilers"][0])
        costs = {"processor": BOARDS[BOARD_OF_ALL], "compiler": compiler,
                 "formats": [{key: row[key] for key in kept} for row in rows]}  # fmt: skip
        write_json(metrics, read_json(metrics) | {"plain_c": costs})


def main() -> None:
    """Measures, or writes the page."""
    parser = pages.parser("Costs of C code on microcontrollers.")
    parser.add_argument("--data", type=Path, default=Path("data3.h5"), help="windows for the check of exports")
    parser.add_argument("--metrics", action="store_true", help="write the metrics of presets, and measure nothing")
    options = parser.parse_args()
    if options.page or options.metrics:
        if options.page:
            pages.fill(options.page, __file__, {"microcontroller": table})
        if options.metrics:
            write_metrics(pages.measured(__file__))
        return
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        formats = {name: accepted(name, options.data, scratch / name) for name in RECOGNIZERS}
        boards = [
            measure(name, kind, board, scratch)
            for name in (ON_ALL, *(name for name in RECOGNIZERS if name != ON_ALL))
            for board in BOARDS if name == ON_ALL or board == BOARD_OF_ALL
            for kind in formats[name]
        ]  # fmt: skip
    compilers = [
        subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for name in COMPILERS
    ]
    file = find_folder(ON_ALL) / "model.int8.tflite"
    micro = {"processor": platform.machine(), "model": file.stat().st_size, "arena": arena(file),
             "version": importlib.metadata.version("tflite-micro")}  # fmt: skip
    print(json.dumps({
        "command": "python benchmarks/microcontroller.py --data data3.h5", "preset": ON_ALL, "compilers": compilers,
        "versions": versions(), "processors": BOARDS, "boards": boards, "tflite_micro": micro,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
