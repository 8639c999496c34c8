"""Every published `.tflite` file returns the same in each of LiteRT's runtimes, for each of its signatures: with the
default kernels, with the reference kernels, and in `CompiledModel`.
"""

import numpy as np
import pytest
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from zoo.catalog import PRESETS_FOLDER

TOLERANCES = {"float32": 1e-5, "float16": 1e-3, "personal": 1e-5, "dynamic": 0.05, "int8": 0.05, "int16x8": 0.01}
"""Of a file, by its arithmetic: kernels may round integers differently."""

STATE, STATE_ON_AVERAGE = 0.5, 0.1
"""Of a state after an 8-bit step, any unit and the mean of all. Kernels may round half a step up or down, and the sums
before the gate and the candidate are stored in steps of up to 0.25, since recorded jolts drive them to 28: a step in
each moves a unit by twice as much. The kernels differ on a plain Keras GRU too, by 0.055 where its inputs deviate
by 1."""


def interpreter(path, kernels):
    model = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kernels)
    # The outputs of a runner are views that the next call overwrites.
    return lambda name, inputs: {
        key: np.array(rows) for key, rows in model.get_signature_runner(name)(**inputs).items()
    }


def compiled(path):
    model = CompiledModel.from_file(str(path))

    def run(signature, inputs):
        details = model.get_output_tensor_details(signature)
        read = {name: model.create_input_buffer_by_name(signature, name) for name in inputs}
        written = {name: model.create_output_buffer_by_name(signature, name) for name in details}
        for name, rows in inputs.items():
            read[name].write(rows)
        model.run_by_name(signature, read, written)
        return {
            name: written[name]
            .read(int(np.prod(detail["shape"])), np.dtype(detail["dtype"]).type)
            .reshape(detail["shape"])
            for name, detail in details.items()
        }

    return run


def inputs_of(path, signature):
    """Inputs in the range of each: accelerations, colors, activations, ids, and the weights of a head."""
    random = np.random.default_rng(0)
    rows = {}
    details = Interpreter(str(path)).get_signature_runner(signature).get_input_details()
    for name, detail in sorted(details.items()):
        shape = tuple(detail["shape"])
        if np.issubdtype(detail["dtype"], np.integer):
            rows[name] = random.integers(0, 6, shape).astype(detail["dtype"])
        elif name in ("window", "frame", "frames"):
            rows[name] = random.normal((0, 9.8, 0), 1, shape).astype("float32")
        elif name.startswith(("h_", "c_")):
            # A stream begins so.
            rows[name] = np.zeros(shape, "float32")
        else:
            rows[name] = random.uniform(0, 1, shape).astype("float32")
    return rows


FILES = sorted(PRESETS_FOLDER.glob("*/*.tflite"))


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}/{path.name}" for path in FILES])
def test_other_runtimes_return_what_the_interpreter_returns(path):
    run, file_format = interpreter(path, OpResolverType.BUILTIN), path.name.split(".")[1]
    others = {"reference": interpreter(path, OpResolverType.BUILTIN_REF), "compiled": compiled(path)}
    for signature in Interpreter(str(path)).get_signature_list():
        inputs = inputs_of(path, signature)
        expected = run(signature, inputs)
        for runtime, other in others.items():
            found, where = other(signature, inputs), f"{signature}, {runtime}"
            assert found.keys() == expected.keys(), where
            for name, rows in expected.items():
                tolerance = TOLERANCES[file_format]
                if name.startswith(("h_", "c_")) and file_format == "int8":
                    tolerance = STATE
                    assert np.abs(found[name] - rows).mean() < STATE_ON_AVERAGE, f"{where}: {name}"
                if np.issubdtype(rows.dtype, np.floating):
                    np.testing.assert_allclose(found[name], rows, atol=tolerance, err_msg=f"{where}: {name}")
                else:
                    # Ids follow from probabilities, of which some are nearly equal.
                    assert found[name].shape == rows.shape, where
