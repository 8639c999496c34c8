"""The example for microcontrollers runs on emulated ones, and recognizes what its recording holds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "microcontroller"
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm", "make")


@pytest.fixture(scope="module")
def pocket(export_once):
    """The folder of the preset as C code."""
    return export_once("pocket_in_c", "activity_gru_pocket", "--formats", "c99_int8,c99_int16x8")


@pytest.mark.process
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="needs gcc-arm-none-eabi and qemu-system-arm")
@pytest.mark.parametrize(
    ("board", "kind"), [("m0", "c99_int16x8"), ("m3", "c99_int8"), ("m4", "c99_int8"), ("m7", "c99_int16x8")]
)
def test_a_recording_is_recognized_on_the_board(board, kind, pocket, tmp_path):
    variables = {"MODEL": pocket / kind, "BOARD": board, "BUILD": tmp_path, "PYTHON": sys.executable}
    command = ["make", "-s", "-C", EXAMPLE, "run", *(f"{name}={value}" for name, value in variables.items())]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    labels = [label for label in re.findall(r"^\d+ s: (.*)$", output, re.MULTILINE) if label != "not sure"]
    assert labels[-3:] == ["walking", "sitting", "jogging"]
    costs = {name: int(count) for name, count in re.findall(r"^(\w+ ?.*): (\d+)$", output, re.MULTILINE)}
    assert costs["bytes of state"] + costs["bytes of stack of a step"] < 1700
    # Counted, not timed; the M3 computes its floats in software.
    if board != "m3":
        assert costs["instructions a step"] < (120_000 if board == "m0" else 60_000)
