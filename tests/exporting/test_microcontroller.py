"""The example for microcontrollers runs on emulated ones, and recognizes what its recording holds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "microcontroller"
ARM = ("arm-none-eabi-gcc", "qemu-system-arm")
TOOLS = {
    "m0": ARM, "m3": ARM, "m4": ARM, "m7": ARM, "hifive1": ("riscv64-unknown-elf-gcc", "qemu-system-riscv32"),
}  # fmt: skip


@pytest.fixture(scope="module")
def pocket(export_once):
    """The preset as C code."""
    return export_once("pocket_in_c", "activity_gru_pocket", "--formats", "c99_int8") / "c99_int8"


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed; examples/microcontroller/README.md says which packages have it")


def make(goal, **variables):
    variables["PYTHON"] = sys.executable
    command = ["make", "-s", "-C", EXAMPLE, goal, *(f"{name}={value}" for name, value in variables.items())]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def follows(labels):
    """Whether the recording was recognized; at a change, another label may be shown for a moment."""
    remaining = iter(labels)
    return labels[-1] == "jogging" and all(name in remaining for name in ("walking", "sitting", "jogging"))


@pytest.mark.process
@pytest.mark.parametrize("board", TOOLS)
def test_a_recording_is_recognized_on_the_board(board, pocket, tmp_path):
    need("make", *TOOLS[board])
    output = make("run", MODEL=pocket, BOARD=board, BUILD=tmp_path)
    labels = [label for label in re.findall(r"^\d+ s: (.*)$", output, re.MULTILINE) if label != "not sure"]
    assert follows(labels)
    costs = {name: int(count) for name, count in re.findall(r"^(\w+ ?.*): (\d+)$", output, re.MULTILINE)}
    assert costs["bytes of state"] + costs["bytes of stack of a step"] < 1700
    # Counted, not timed. Without a floating-point unit, floats take a multiple.
    if board in ("m4", "m7"):
        assert costs["instructions a step"] < 60_000


BOARDS = Path(__file__).parent / "boards"
"""Headers that stand in for those of Arduino and Zephyr, on an emulated board that replays a recording."""

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-Werror")
APPLICATIONS = {
    "arduino/recognizer/recognizer.ino": (
        "arm-none-eabi-g++", "-x", "c++", "-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"
    ),
    "zephyr/src/main.c": ("arm-none-eabi-gcc", "-std=c99"),
}  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("application", APPLICATIONS)
def test_applications_print_labels_on_a_board_of_an_arduino_or_with_zephyr(application, pocket, tmp_path):
    compiler, *options = APPLICATIONS[application]
    need("make", compiler, *ARM)
    places = {"MODEL": pocket, "BOARD": "m4", "BUILD": tmp_path}
    make("recording", **places)
    processor = ("-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-O2")
    folders = [f"-I{folder}" for folder in (BOARDS, EXAMPLE, pocket, tmp_path)]
    source = ["-c", EXAMPLE / application, "-o", tmp_path / "application.o"]
    subprocess.run([compiler, *options, *processor, *WARNINGS, *folders, *source], check=True)
    labels = make("run", **places, APPLICATION=tmp_path / "application.o").split("\n")
    assert follows([label for label in labels if label and label != "not sure"])
