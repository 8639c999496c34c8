"""C++ sources hold the file, compile, and compute the same in TFLite Micro."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from zoo import loading
from zoo.activity.task import TASK as ACTIVITY
from zoo.activity.task import golden
from zoo.exporting import artifacts, c_header
from zoo.exporting.parity import Tolerance
from zoo.report import results
from zoo.runtime import Recognizer


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the files, and their records."""
    loaded = loading.load("activity_gru_pocket")
    folder = tmp_path_factory.mktemp("c") / "out"
    family = ACTIVITY.exportable(loaded, None)
    # This recognizer has not seen simulated people: it is unsure of many of their windows.
    family = replace(family, tolerances=dict(family.tolerances) | {"int8": Tolerance(1.0, 0.9)})
    return folder, artifacts.export(loaded, family, folder, ["int8", "c"])


@pytest.fixture(scope="module")
def exported(made):
    return made[0]


def test_the_size_of_several_files_is_shown_as_their_sum(made):
    folder, (_, code) = made
    size = {name: (folder / name).stat().st_size for name in ("model.cc", "model.h")}
    assert (code["file"], code["files"], code["bytes"]) == ("model.cc", [*size], sum(size.values()))
    page = results.exported({"folder": str(folder), "compared_on": "simulated windows", "artifacts": [code]})
    assert f"| `model.cc` + 1 file | {sum(size.values()) / 1000:.1f} |" in page


def test_the_array_is_the_file(exported):
    assert c_header.read_array(exported / "model.cc") == (exported / "model.int8.tflite").read_bytes()


METHODS = [
    "AddAbs", "AddAdd", "AddAddN", "AddArgMax", "AddArgMin", "AddAveragePool2D", "AddBatchMatMul",
    "AddBatchToSpaceNd", "AddBroadcastTo", "AddCast", "AddCeil", "AddConcatenation", "AddConv2D", "AddCos",
    "AddCumSum", "AddDepthToSpace", "AddDepthwiseConv2D", "AddDequantize", "AddDiv", "AddElu", "AddEqual", "AddExp",
    "AddExpandDims", "AddFill", "AddFloor", "AddFloorDiv", "AddFloorMod", "AddFullyConnected", "AddGather",
    "AddGatherNd", "AddGreater", "AddGreaterEqual", "AddHardSwish", "AddIf", "AddL2Normalization", "AddL2Pool2D",
    "AddLeakyRelu", "AddLess", "AddLessEqual", "AddLog", "AddLogicalAnd", "AddLogicalNot", "AddLogicalOr",
    "AddLogistic", "AddLogSoftmax", "AddMaximum", "AddMaxPool2D", "AddMean", "AddMinimum", "AddMirrorPad", "AddMul",
    "AddNeg", "AddNotEqual", "AddPack", "AddPad", "AddPadV2", "AddPrelu", "AddQuantize", "AddReduceMax",
    "AddReduceMin", "AddRelu", "AddRelu6", "AddReshape", "AddResizeBilinear", "AddResizeNearestNeighbor", "AddRound",
    "AddRsqrt", "AddSelectV2", "AddShape", "AddSin", "AddSlice", "AddSoftmax", "AddSpaceToBatchNd", "AddSpaceToDepth",
    "AddSplit", "AddSplitV", "AddSqrt", "AddSquare", "AddSquaredDifference", "AddSqueeze", "AddStridedSlice",
    "AddSub", "AddSum", "AddSvdf", "AddTanh", "AddTranspose", "AddTransposeConv", "AddUnidirectionalSequenceLSTM",
    "AddUnpack", "AddVarHandle", "AddWhile", "AddZerosLike",
]  # fmt: skip
"""Methods of TFLite Micro's MicroMutableOpResolver, as its header declares them."""

MAIN = """
#include <cstdio>
#include "model.h"
struct Resolver {
  int count = 0;
METHODS
};
int main() {
  Resolver resolver;
  pocket_zoo::AddOperations(resolver);
  const float sure[] = {0, 0, 1, 0, 0, 0}, unsure[] = {0.2, 0.3, 0.1, 0.1, 0.1, 0.2};
  std::printf("%d %d %u %g %s %d %d %d %d %d", resolver.count, pocket_zoo::kOperations, pocket_zoo::kModelSize,
              pocket_zoo::kRateHz, pocket_zoo::kLabels[5], pocket_zoo::kStates, pocket_zoo::kFrame,
              pocket_zoo::Answer(sure), pocket_zoo::Answer(unsure), pocket_zoo::Answer(unsure, 0));
}
"""


@pytest.fixture(params=["recurrent", "without states"])
def sources(request, exported, convolutional_files):
    """Folders of C++ sources."""
    return exported if request.param == "recurrent" else convolutional_files


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_sources_compile_against_the_methods_of_tflite_micro(sources, tmp_path):
    metadata = Recognizer(sources / "model.int8.tflite").metadata
    methods = "".join(f"  void {name}() {{ ++count; }}\n" for name in METHODS)
    (tmp_path / "main.cc").write_text(MAIN.replace("METHODS", methods))
    program = str(tmp_path / "main")
    subprocess.run(
        ["g++", "-std=c++17", "-Wall", "-Werror", f"-I{sources}", str(tmp_path / "main.cc"),
         str(sources / "model.cc"), "-o", program], check=True,
    )  # fmt: skip
    found = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    size = (sources / "model.int8.tflite").stat().st_size
    rows = metadata.frame if metadata.states else metadata.window
    assert found[0] == found[1]
    assert found[2:7] == [str(size), "50", metadata.classes[5], str(len(metadata.states)), str(rows)]
    # Below the threshold of the file there is no answer, unless it is switched off.
    assert 0.3 < metadata.stream_threshold < 1
    assert found[7:] == ["2", "-1", "1"]


def test_every_operation_has_the_method_of_tflite_micro():
    names = [
        "FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "BATCH_MATMUL", "PADV2", "SPLIT_V", "RELU6", "MAX_POOL_2D",
        "UNPACK", "STRIDED_SLICE", "LEAKY_RELU", "ADD_N", "SELECT_V2", "SPACE_TO_BATCH_ND", "CUMSUM", "ARG_MAX",
    ]  # fmt: skip
    assert {c_header._adder(name) for name in names} <= set(METHODS)


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
    assert np.mean(differences) < 2 / 256
    assert np.max(differences) < 0.1
