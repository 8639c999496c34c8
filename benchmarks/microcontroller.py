"""What the C code of a recognizer costs: on emulated microcontrollers, and on this machine.

    python benchmarks/microcontroller.py | tee benchmarks/microcontroller.json
    python benchmarks/microcontroller.py --page docs/guides/c.md  # writes the tables into the page

`examples/microcontroller` runs the code on a Cortex-M0, M3, M4F, M7 and the RISC-V processor of a HiFive1 of QEMU,
which executes an instruction each nanosecond of its own clock: instructions are counted exactly, cycles are not known.
Flash is that of `model.c`, code and weights; memory is the state, and the stack of a step. On this machine, the code
runs on one thread, compiled as by `zoo bench --c99`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import zoo
from zoo.report import markdown
from zoo.tasks import bench, loading
from zoo.tasks.provenance import versions

PRESET, FORMATS = "activity_gru_pocket", ("c99", "c99_int8", "c99_int16x8")
BOARDS = {
    "m0": "Cortex-M0", "m3": "Cortex-M3", "m4": "Cortex-M4F", "m7": "Cortex-M7", "hifive1": "RISC-V RV32IMAC",
}  # fmt: skip
COMPILERS = ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc")
EXAMPLE = Path(__file__).parents[1] / "examples" / "microcontroller"


def measure(code: Path, board: str, scratch: Path) -> dict[str, Any]:
    """Builds and runs the example with a model. Returns `flash`, `state`, `stack`, `instructions`, and the labels."""
    variables = {"MODEL": code, "BOARD": board, "BUILD": scratch / code.name / board, "PYTHON": sys.executable}
    command = ["make", "-s", "-C", EXAMPLE, *(f"{name}={value}" for name, value in variables.items())]
    output, sizes = (
        subprocess.run([*command, goal], capture_output=True, text=True, check=True).stdout for goal in ("run", "size")
    )
    numbers = {name: int(count) for name, count in re.findall(r"^(.*): (\d+)$", output, re.MULTILINE)}
    flash = next(line.split() for line in sizes.splitlines() if line.endswith("/model.o"))
    return {
        "board": board, "format": code.name, "flash": int(flash[0]) + int(flash[1]),
        "state": numbers["bytes of state"], "stack": numbers["bytes of stack of a step"],
        "instructions": numbers["instructions a step"],
        "labels": re.findall(r"^\d+ s: (.*)$", output, re.MULTILINE),
    }  # fmt: skip


def tables(document: dict[str, Any]) -> str:
    """Renders the tables of the page."""
    rows = [
        (BOARDS[row["board"]], f"`{row['format']}`", f"{row['flash'] / 1000:.1f}",
         f"{(row['state'] + row['stack']) / 1000:.2f}", f"{row['instructions']:,}")
        for row in document["boards"]
    ]  # fmt: skip
    here = [
        (f"`{row['file']}`", *(f"{1000 * row['signatures'][name]['median_ms']:.2f}" for name in ("step", "window")))
        for row in document["here"]
    ]
    return markdown.page(
        markdown.table(("processor", "format", "flash, kB", "memory, kB", "instructions per step"), rows, text=2),
        f"On one thread of an {document['versions']['machine']}:",
        markdown.table(("format", "step, µs", "window, µs"), here),
    )


def main() -> None:
    """Measures, or writes the page."""
    parser = argparse.ArgumentParser(description="Costs of C code on microcontrollers and on this machine.")
    parser.add_argument("--page", type=Path, help="write the tables into this page, and measure nothing")
    options = parser.parse_args()
    if options.page:
        document = json.loads(Path(__file__).with_suffix(".json").read_text())
        markdown.fill(options.page, "microcontroller", f"\n{tables(document)}\n\n")
        return
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        zoo.export(PRESET, scratch / "code", FORMATS)
        boards = [measure(scratch / "code" / kind, board, scratch) for board in BOARDS for kind in FORMATS]
    compilers = [
        subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for name in COMPILERS
    ]
    print(json.dumps({
        "command": "python benchmarks/microcontroller.py", "preset": PRESET, "compilers": compilers,
        "versions": versions(), "boards": boards, "here": bench.compiled(loading.load(PRESET)),
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
