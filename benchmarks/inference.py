"""Time of a step and of a window in C, LiteRT, TFLite Micro, ONNX Runtime and TorchScript, on one core, in one run.

    python benchmarks/inference.py | tee benchmarks/inference.json
    python benchmarks/inference.py --page docs/guides/c.md  # writes the table into the page

All engines run the weights of the preset, and must answer simulated windows and steps as Keras does before they are
timed. Each is called in its cheapest way, with its inputs already in its own memory: C code by a loop in C, and from
Python; LiteRT by the interpreter's own call, without the resizing of its signature runners; ONNX Runtime with bound
inputs and outputs; TorchScript scripted and frozen. TFLite Micro is that of its Python package, a build for x86_64 with
portable kernels. The two rows of C code show what a call from Python costs, which all others pay too. PyTorch's own GRU
resets the state after the product, so it cannot run these weights: its cell is written out.

Rounds of all engines take turns on one core; times are medians over the rounds. `.tflite` files in integers contain
`step` alone.
"""

import ctypes
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pages
from numpy.typing import NDArray

from zoo import loading
from zoo.catalog import find_folder
from zoo.exporting import artifacts, c99
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.interpreter import open_file
from zoo.runtime.metadata import STANDARD_GRAVITY

PRESETS = ("activity_gru_pocket", "activity_gru_course")
ROWS, ROUNDS, SECONDS = 100, 30, 0.01
EXACT = 1e-5
"""Largest difference from Keras of an engine that computes with floats of 32 bits."""
FAST = (*c99.source.OPTIONS, "-march=native", "-ffp-contract=fast")
"""Options for the processor of this machine, whose instructions may round a product and a sum once."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Call:
    """A function of a network in an engine.

    Args:
        feed: Copies inputs by name, a row each, to where the engine reads them.
        run: Runs the function.
        read: Returns the probabilities of the last run.
        time: Returns the seconds of a number of runs.
    """

    feed: Callable[[Arrays], None]
    run: Callable[[], Any]
    read: Callable[[], NDArray[Any]]
    time: Callable[[int], float]


def call(feed: Callable[[Arrays], None], run: Callable[[], Any], read: Callable[[], NDArray[Any]]) -> Call:
    """A function that is called from Python."""
    return Call(feed, run, read, timeit.Timer(run).timeit)


LOOP = """
#include "model.h"
void repeat_window(int count, const float *window, float *probabilities)
{
    while (count-- > 0)
        zoo_window(window, probabilities);
}
void repeat_step(int count, const float *frame, zoo_state *state, float *probabilities)
{
    while (count-- > 0)
        zoo_step(frame, state, probabilities);
}
"""


def in_c(
    loaded: loading.Loaded, family: artifacts.Exportable, kind: str, scratch: Path, golden: Arrays
) -> dict[str, dict[str, Call]]:  # fmt: skip
    """The exported code, compiled for this processor, called from C and from Python."""
    network = family.code[kind](loaded.keras_model)
    c99.source.write(network, loaded.metadata, kind, golden, scratch / kind)
    (scratch / kind / "loop.c").write_text(LOOP)
    library = scratch / f"{kind}.so"
    sources = [str(scratch / kind / name) for name in ("model.c", "loop.c")]
    compiler = [*(c99.source.find_compiler() or ["cc"]), *FAST, "-shared", "-fPIC"]
    c99.source.compile_c(compiler, sources, library)
    code = ctypes.CDLL(str(library))
    found: dict[str, dict[str, Call]] = {"C": {}, "Python": {}}
    for name, function in network.functions.items():
        arguments = dict(function.inputs) | dict(function.outputs)
        memory = {each: np.zeros(1, c99.source.memory_layout({each: array})) for each, array in arguments.items()}

        def feed(inputs: Arrays, memory: Arrays = memory, function: Any = function) -> None:
            for each in function.inputs:
                for name in memory[each].dtype.names or ():
                    memory[each][name] = inputs[name]

        def read(memory: Arrays = memory) -> NDArray[Any]:
            return np.array(memory["probabilities"]["probabilities"][0])

        places = [ctypes.c_void_p(values.ctypes.data) for values in memory.values()]
        direct, repeat = getattr(code, f"zoo_{name}"), getattr(code, f"repeat_{name}")

        def run(direct: Any = direct, places: Sequence[Any] = places) -> None:
            direct(*places)

        def loop(count: int, repeat: Any = repeat, places: Sequence[Any] = places) -> float:
            start = timeit.default_timer()
            repeat(count, *places)
            return timeit.default_timer() - start

        found["C"][name] = Call(feed, run, read, loop)
        found["Python"][name] = call(feed, run, read)
    return found


def in_litert(path: Path) -> dict[str, Call]:
    """The signatures of a `.tflite` file."""
    interpreter, found = open_file(path), {}
    for name in set(interpreter.get_signature_list()) & {"window", "step"}:
        runner = interpreter.get_signature_runner(name)
        output = runner.get_output_details()["probabilities"]["index"]
        own, graph = interpreter._interpreter, runner._subgraph_index

        def feed(rows: Arrays, runner: Any = runner) -> None:
            runner(**{key: values[None] for key, values in rows.items()})

        def run(own: Any = own, graph: int = graph) -> None:
            own.Invoke(graph)

        def read(own: Any = own, graph: int = graph, output: int = output) -> NDArray[Any]:
            return np.array(own.GetTensor(output, graph))[0]

        found[name] = call(feed, run, read)
    return found


def in_tflite_micro(path: Path) -> dict[str, Call]:
    """The function `step` of a `.tflite` file."""
    from tflite_micro import runtime

    # It counts inputs and outputs, and knows no names.
    named = open_file(path)
    runner = named.get_signature_runner("step")
    inputs, outputs = (
        [row["index"] for row in rows] for rows in (named.get_input_details(), named.get_output_details())
    )
    places = {name: inputs.index(row["index"]) for name, row in runner.get_input_details().items()}
    answer = outputs.index(runner.get_output_details()["probabilities"]["index"])
    interpreter = runtime.Interpreter.from_file(str(path))

    def feed(rows: Arrays) -> None:
        for name, place in places.items():
            interpreter.set_input(rows[name][None], place)

    return {"step": call(feed, interpreter.invoke, lambda: interpreter.get_output(answer)[0])}


def weights_of(model: Any) -> dict[str, Any]:
    """The arrays of a GRU recognizer of Keras, whose gates are z, r and the candidate."""

    def arrays(layer: Any, *names: str) -> list[NDArray[Any]]:
        return [np.asarray(getattr(layer, name), np.float32) for name in names]

    cells = [model.get_layer(f"cell_{number}").cell for number in range(1, model.num_layers + 1)]
    kernel, bias = arrays(model.get_layer("logits"), "kernel", "bias")
    found = {
        "cells": [arrays(cell, "kernel", "recurrent_kernel", "bias") for cell in cells],
        "logits": (kernel / np.float32(model.temperature), bias / np.float32(model.temperature)),
    }
    if model.mean is not None:
        found["scale"] = np.array(model.mean, np.float32), 1 / np.sqrt(np.array(model.variance, np.float32))
    if model.frame > 1:
        assert model.frame_activation == "leaky_relu"
        frame, bias = arrays(model.get_layer("frame"), "kernel", "bias")
        found["frame"] = frame.reshape(-1, frame.shape[-1]), bias
    return found


def in_onnx(model: Any) -> dict[str, Call]:
    """The network as an ONNX graph with the operator GRU, one for a window and one for a step."""
    return {"window": _onnx_call(model, model.window, ()), "step": _onnx_call(model, model.frame, tuple(model.states))}


def _onnx_call(model: Any, rows: int, states: Sequence[str]) -> Call:
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    weights, nodes, constants = weights_of(model), [], []
    name = "frame" if states else "window"

    def add(kind: str, *inputs: Any, outputs: Sequence[str] = (), **attributes: Any) -> str:
        names = []
        for each in inputs:
            if not isinstance(each, str):
                constants.append(numpy_helper.from_array(np.asarray(each), f"constant_{len(constants)}"))
                each = constants[-1].name
            names.append(each)
        outputs = outputs or [f"value_{len(nodes)}"]
        nodes.append(helper.make_node(kind, names, outputs, **attributes))
        return outputs[0]

    value = name
    if "scale" in weights:
        mean, scale = weights["scale"]
        value = add("Mul", add("Sub", value, mean), scale)
    if model.magnitude:
        scaled = add("Mul", name, np.float32(1 / STANDARD_GRAVITY))
        square = add("ReduceSum", add("Mul", scaled, scaled), np.array([-1]), keepdims=1)
        limited = add("Clip", square, np.float32(0), np.float32(6))
        value = add("Concat", value, add("Sub", limited, np.float32(1)), axis=-1)
    value = add("Reshape", value, np.array([rows // model.frame, 1, -1]))
    if "frame" in weights:
        kernel, bias = weights["frame"]
        value = add("LeakyRelu", add("Add", add("MatMul", value, kernel), bias), alpha=0.2)
    for number, (kernel, recurrent, bias) in enumerate(weights["cells"], 1):
        last = f"new_h_{number}"
        both = np.concatenate([bias, np.zeros_like(bias)])[None]
        start = ("", states[number - 1]) if states else ()
        every = add("GRU", value, kernel.T[None], recurrent.T[None], both, *start,
                    outputs=(f"every_{number}", last), hidden_size=model.units, linear_before_reset=0)  # fmt: skip
        value = add("Squeeze", every, np.array([1]))
    value = add("Squeeze", last, np.array([0]))
    add("Softmax", add("Gemm", value, *weights["logits"]), outputs=("probabilities",), axis=-1)

    shapes = {name: (1, rows, len(model.channels)), **dict.fromkeys(states, (1, 1, model.units))}
    results = {"probabilities": (1, len(model.classes)), **{f"new_{state}": (1, 1, model.units) for state in states}}
    inputs, outputs = (
        [helper.make_tensor_value_info(each, onnx.TensorProto.FLOAT, shape) for each, shape in some.items()]
        for some in (shapes, results)
    )
    graph = helper.make_graph(nodes, "recognizer", inputs, outputs, constants)
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(built)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(built.SerializeToString(), options, ["CPUExecutionProvider"])
    memory, found = (
        {each: onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)) for each, shape in some.items()}
        for some in (shapes, results)
    )
    binding = session.io_binding()
    for each, place in memory.items():
        binding.bind_ortvalue_input(each, place)
    for each, place in found.items():
        binding.bind_ortvalue_output(each, place)

    def feed(given: Arrays) -> None:
        for each, place in memory.items():
            place.update_inplace(np.ascontiguousarray(given[each].reshape(shapes[each]), np.float32))

    # The wrapper in Python copies nothing, but takes as long as a step.
    own, bound = session._sess, binding._iobinding
    return call(feed, lambda: own.run_with_iobinding(bound, None), lambda: found["probabilities"].numpy()[0].copy())


def in_torchscript(model: Any) -> dict[str, Call]:
    """The network as a scripted module of PyTorch."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    weights = weights_of(model)

    class Cell(torch.nn.Module):
        def __init__(self, kernel: Any, recurrent: Any, bias: Any) -> None:
            super().__init__()
            units = recurrent.shape[0]
            self.units = units
            self.kernel, self.bias = torch.tensor(kernel), torch.tensor(bias)
            self.gates = torch.tensor(recurrent[:, : 2 * units])
            self.candidate = torch.tensor(recurrent[:, 2 * units :])

        def forward(self, x: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            # The inputs of all steps in one product.
            read, every = torch.addmm(self.bias, x, self.kernel), []
            for row in read.unbind(0):
                row = row.unsqueeze(0)
                gates = torch.sigmoid(torch.addmm(row[:, : 2 * self.units], h, self.gates))
                z, r = gates.chunk(2, 1)
                new = torch.tanh(torch.addmm(row[:, 2 * self.units :], r * h, self.candidate))
                h = torch.lerp(new, h, z)
                every.append(h)
            return torch.cat(every), h

    class Recognizer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = torch.nn.ModuleList([Cell(*cell) for cell in weights["cells"]])
            self.frame, self.magnitude, self.scaled = model.frame, bool(model.magnitude), "scale" in weights
            columns = len(model.channels)
            mean, scale = weights.get("scale", (np.zeros(columns, "f4"), np.ones(columns, "f4")))
            kernel, bias = weights.get("frame", (np.zeros((1, 1), "f4"), np.zeros(1, "f4")))
            for name, value in {
                "mean": mean, "scale": scale, "frame_kernel": kernel, "frame_bias": bias,
                "kernel": weights["logits"][0], "bias": weights["logits"][1],
            }.items():  # fmt: skip
                self.register_buffer(name, torch.tensor(value))
            self.gravity = 1 / STANDARD_GRAVITY

        def forward(self, rows: torch.Tensor, states: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
            x = (rows - self.mean) * self.scale if self.scaled else rows
            if self.magnitude:
                square = (rows * self.gravity).square().sum(-1, keepdim=True)
                x = torch.cat([x, square.clamp(0.0, 6.0) - 1.0], -1)
            if self.frame > 1:
                x = torch.addmm(self.frame_bias, x.reshape(rows.shape[0] // self.frame, -1), self.frame_kernel)
                x = torch.nn.functional.leaky_relu(x, 0.2)
            new: list[torch.Tensor] = []
            for number, cell in enumerate(self.cells):
                x, h = cell(x, states[number])
                new.append(h)
            return torch.softmax(torch.addmm(self.bias, new[-1], self.kernel), -1), new

    found = {}
    for name, count in (("window", model.window), ("step", model.frame)):
        script = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.script(Recognizer().eval())))
        rows = torch.zeros(count, len(model.channels))
        states = [torch.zeros(1, model.units) for _ in model.states]
        last: list[Any] = [None]

        def feed(given: Arrays, rows: Any = rows, states: Any = states, name: str = name) -> None:
            rows.copy_(torch.tensor(given["window" if name == "window" else "frame"]))
            for place, state in zip(states, model.states, strict=True):
                place.copy_(torch.tensor(given[state]) if state in given else torch.zeros(model.units))

        def run(script: Any = script, rows: Any = rows, states: Any = states, last: list[Any] = last) -> None:
            last[0] = script(rows, states)

        def read(last: list[Any] = last) -> NDArray[Any]:
            return last[0][0][0].numpy().copy()

        # It compiles for the shapes of the first calls.
        for _ in range(20):
            run()
        found[name] = call(feed, run, read)
    return found


def engines_of(name: str, scratch: Path) -> tuple[dict[str, dict[str, Call]], dict[str, Any], dict[str, Any]]:
    """All engines of a preset by name, and inputs and outputs of Keras by function."""
    loaded = loading.load(name)
    family = loaded.task.exportable(loaded, None)
    signatures = {signature.name: signature for signature in family.signatures(loaded.keras_model)}
    inputs = {key: {each: rows[:ROWS] for each, rows in family.golden[key].items()} for key in ("window", "step")}
    expected = {key: np.asarray(signatures[key](**rows)["probabilities"]) for key, rows in inputs.items()}
    found: dict[str, dict[str, Call]] = {}
    golden = {"window": inputs["window"]["window"][0], "probabilities": expected["window"][0]}
    for kind in ("c99", "c99_int8"):
        for caller, calls in in_c(loaded, family, kind, scratch, golden).items():
            found[f"{kind}, called from {caller}"] = calls
    for kind in ("float32", "dynamic", "int8", "int16x8"):
        file = find_folder(name) / f"model.{kind}.tflite"
        if file.is_file():
            found[f"LiteRT, {kind}"] = in_litert(file)
            if kind == "int8":
                found["TFLite Micro, int8"] = in_tflite_micro(file)
    found["ONNX Runtime, float32"] = in_onnx(loaded.keras_model)
    found["TorchScript, float32"] = in_torchscript(loaded.keras_model)
    return found, inputs, expected


def compared(engine: str, calls: Mapping[str, Call], inputs: Any, expected: Any) -> dict[str, Any]:
    """The differences of an engine from Keras. Leaves the last inputs in its memory."""
    errors, same = [], []
    for name, how in calls.items():
        for place, wanted in enumerate(expected[name]):
            how.feed({each: rows[place] for each, rows in inputs[name].items()})
            how.run()
            found = how.read()
            errors.append(float(np.abs(found - wanted).max()))
            same.append(bool(found.argmax() == wanted.argmax()))
    worst, agreement = max(errors), float(np.mean(same))
    exact = "float32" in engine or engine.startswith("c99,")
    if worst > EXACT if exact else agreement < 0.9:
        sys.exit(f"{engine}: differs from Keras by {worst:g}, with the same label in {agreement:.0%}")
    return {"engine": engine, "largest_error": worst, "agreement": agreement}


def measure(name: str, scratch: Path) -> list[dict[str, Any]]:
    """Compares and times all engines of a preset."""
    engines, inputs, expected = engines_of(name, scratch)
    rows = [compared(engine, calls, inputs, expected) for engine, calls in engines.items()]
    functions = [(row, key, how) for row in rows for key, how in engines[row["engine"]].items()]
    # As many calls as take a hundredth of a second.
    counts = [max(1, int(SECONDS / (how.time(100) / 100))) for _, _, how in functions]
    times: list[list[float]] = [[] for _ in functions]
    for turn in range(ROUNDS):
        order = range(len(functions)) if turn % 2 else range(len(functions) - 1, -1, -1)
        for place in order:
            times[place].append(functions[place][2].time(counts[place]) / counts[place])
    for (row, key, _), seconds in zip(functions, times, strict=True):
        microseconds = 1e6 * np.array(seconds)
        row[key] = {"median_us": float(np.median(microseconds)),
                    "quartiles_us": np.quantile(microseconds, (0.25, 0.75)).tolist()}  # fmt: skip
    return rows


def table(document: dict[str, Any]) -> str:
    """Renders the table of the page."""
    head = ["engine"] + [f"{kind}, {key}, µs" for kind in ("pocket", "course") for key in ("step", "window")]
    models = [{row["engine"]: row for row in document["presets"][name]} for name in PRESETS]
    rows = []
    for engine in dict.fromkeys(engine for model in models for engine in model):
        found = [model.get(engine, {}).get(key) for model in models for key in ("step", "window")]
        times = [None if each is None else each["median_us"] for each in found]
        shown = ["-" if time is None else f"{time:.2f}" if time < 10 else f"{time:,.0f}" for time in times]
        rows.append([re.sub(r"^c99\w*", r"`\g<0>`", engine), *shown])
    software = document["versions"]
    return markdown.page(
        markdown.table(head, rows),
        f"Medians of {document['rounds']} rounds on one core ({software['machine']}), with {document['compiler']}, "
        f"LiteRT {software['ai-edge-litert']}, TFLite Micro {software['tflite-micro']}, "
        f"ONNX Runtime {software['onnxruntime']} and PyTorch {software['torch']}.",
    )


def main() -> None:
    """Measures, or writes the page."""
    parser = pages.parser(__doc__)
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"inference": table})
        return
    compiler = subprocess.run(
        [*(c99.source.find_compiler() or ["cc"]), "--version"], capture_output=True, text=True, check=True
    )
    found = {}
    for name in PRESETS:
        with tempfile.TemporaryDirectory() as scratch:
            found[name] = measure(name, Path(scratch))
    others = {each: importlib.metadata.version(each) for each in ("torch", "onnx", "onnxruntime", "tflite-micro")}
    print(json.dumps({
        "command": "python benchmarks/inference.py", "compiler": compiler.stdout.splitlines()[0],
        "options": " ".join(FAST), "rows": ROWS, "rounds": ROUNDS,
        "seconds_a_round": SECONDS, "versions": versions() | others, "presets": found,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
