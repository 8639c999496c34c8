"""C++ sources hold the file, compile, and run in TFLite Micro to the same answers."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from zoo.export import c_header
from zoo.export.parity import Tolerance
from zoo.runtime import Recognizer
from zoo.tasks import exporting, loading
from zoo.tasks.activity import TASK as ACTIVITY
from zoo.tasks.activity import golden


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    loaded = loading.load("activity_gru_pocket")
    folder = tmp_path_factory.mktemp("c") / "out"
    family = ACTIVITY.exportable(loaded, None)
    # Simulated people are strangers to this recognizer: it is unsure of many of their windows.
    family = replace(family, tolerances=dict(family.tolerances) | {"int8": Tolerance(1.0, 0.9)})
    exporting.export(loaded, family, folder, ["int8", "c"])
    return folder


def test_the_array_is_the_file(exported):
    assert c_header.read_array(exported / "model.cc") == (exported / "model.int8.tflite").read_bytes()


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_sources_compile_and_say_what_the_metadata_says(exported, tmp_path):
    metadata = Recognizer(exported / "model.int8.tflite").metadata
    (tmp_path / "main.cc").write_text(
        """
#include <cstdio>
#include "model.h"
struct Resolver {
  int count = 0;
  template <class... T> void Any(T...) { ++count; }
"""
        + "".join(
            f"  void {line.strip().removeprefix('resolver.').removesuffix('();')}() {{ ++count; }}\n"
            for line in (exported / "model.h").read_text().splitlines()
            if line.strip().startswith("resolver.")
        )
        + """};
int main() {
  Resolver resolver;
  pocket_zoo::AddOperations(resolver);
  std::printf("%d %d %u %g %s %d", resolver.count, pocket_zoo::kOperations, pocket_zoo::kModelSize,
              pocket_zoo::kRateHz, pocket_zoo::kLabels[5], pocket_zoo::kStateSizes[0]);
}
"""
    )
    program = str(tmp_path / "main")
    subprocess.run(
        ["g++", "-std=c++17", "-Wall", "-Werror", f"-I{exported}", str(tmp_path / "main.cc"),
         str(exported / "model.cc"), "-o", program], check=True,
    )  # fmt: skip
    found = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    size = (exported / "model.int8.tflite").stat().st_size
    assert found[0] == found[1]
    assert found[2:] == [str(size), "50", metadata.classes[5], str(metadata.states["h_1"])]


def micro(path, arena=None):
    """TFLite Micro's interpreter of a file."""
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the package tflite-micro")
    return runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=arena)


def test_tflite_micro_runs_the_file_in_the_arena_that_the_header_names(exported):
    header = (exported / "model.h").read_text()
    arena = int(header.partition("kArenaBytes = ")[2].partition(";")[0])
    recognizer = Recognizer(exported / "model.int8.tflite")
    interpreter = micro(recognizer.path, arena)
    inputs, outputs = recognizer.order("step")
    windows = golden(loading.load("activity_gru_pocket"), None)[0][:20]
    differences = []
    for window in windows:
        states = recognizer.zeros()
        for frame in np.split(window, 30):
            interpreter.set_input(frame[None], inputs["frame"])
            for name, value in states.items():
                interpreter.set_input(value, inputs[name])
            interpreter.invoke()
            probabilities, states = recognizer.step(frame[None], states)
            differences.append(np.abs(interpreter.get_output(outputs["probabilities"]) - probabilities).max())
    # One step from the same state: the runtimes' kernels round a little differently.
    assert np.mean(differences) < 1 / 256
    assert np.max(differences) < 0.1
