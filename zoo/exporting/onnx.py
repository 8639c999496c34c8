"""ONNX files, one for each signature: a graph of ONNX has one set of inputs and outputs.

A folder has `NAME.onnx` for each signature, and `metadata.json`, the document that each file also has in its
`metadata_props` as `pocket_zoo`: ONNX Runtime Web does not show those. Inputs and outputs have the names that they have
in TFLite, but for new states: no two tensors of a graph have the same name, so `h_1` comes out as `new_h_1`. Any number
of rows is read at once.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from tf2onnx import optimizer, tf_loader, tfonnx

from zoo.errors import ZooError, option
from zoo.exporting.signatures import Signature
from zoo.files import write_json
from zoo.runtime.metadata import ENTRY, Metadata

_NEW = "new_"
"""What the name of a state begins with where it is an output."""

# What it cannot convert is in the error of ONNX Runtime, in one line.
logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)


def write(signatures: Sequence[Signature], metadata: Metadata, folder: Path) -> None:
    """Writes a file for each signature into a new folder."""
    folder.mkdir()
    document = metadata.to_json()
    write_json(folder / "metadata.json", document)
    for signature in signatures:
        with _in_one_line(signature.name):
            model = _converted(signature)
        onnx.helper.set_model_props(model, {ENTRY: json.dumps(document)})
        onnx.save(model, folder / f"{signature.name}.onnx")


def load(folder: Path) -> dict[str, Callable[..., dict[str, Any]]]:
    """Loads the files of a folder by the names of their signatures, to run in one thread, as LiteRT does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    runs = dict[str, Callable[..., dict[str, Any]]]()
    for file in folder.glob("*.onnx"):
        with _in_one_line(file.stem):
            session = onnxruntime.InferenceSession(file.read_bytes(), options, ["CPUExecutionProvider"])
        runs[file.stem] = partial(_run, file.stem, session)
    return runs


def _run(signature: str, session: onnxruntime.InferenceSession, **inputs: Any) -> dict[str, Any]:
    names = [output.name.removeprefix(_NEW) for output in session.get_outputs()]
    with _in_one_line(signature):
        return dict(zip(names, session.run(None, inputs), strict=True))


@contextmanager
def _in_one_line(signature: str) -> Iterator[None]:
    """Makes an error of what tf2onnx and ONNX Runtime raise of a network of one's own, which may be anything."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        advice = f"leave this format out with {option('formats')}"
        raise ZooError(f"onnx: the signature {signature!r} cannot be converted or run ({reason}): {advice}") from error


def _converted(signature: Signature) -> onnx.ModelProto:
    """A signature as a graph of ONNX with weights in it."""
    given = {spec.name for spec in signature.inputs}

    def renamed(*tensors: tf.Tensor) -> dict[str, Any]:
        outputs = signature.function(*tensors)
        return {f"{_NEW}{name}" if name in given else name: value for name, value in outputs.items()}

    traced = tf.function(renamed, input_signature=signature.inputs).get_concrete_function()
    # What follows the inputs are variables and constants. `tf2onnx.convert.from_function`, and with it Keras' own
    # export, takes the mean and the scale of a Normalization for inputs of the graph.
    inputs = {tensor.name: spec.name for tensor, spec in zip(traced.inputs, signature.inputs, strict=False)}
    outputs = {tensor.name: name for name, tensor in traced.structured_outputs.items()}
    frozen = tf_loader.from_function(traced, [*inputs], [*outputs])
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen, name="")
        converted = tfonnx.process_tf_graph(
            graph, input_names=[*inputs], output_names=[*outputs], tensors_to_rename=inputs | outputs,
            custom_op_handlers={"Erfc": (_erfc, [])},
        )  # fmt: skip
    model = optimizer.optimize_graph(converted).make_model(signature.name)
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def _erfc(graph: Any, node: Any, name: str, arguments: Any) -> None:
    """1 - erf(x): tf2onnx 1.17 knows no erfc, by which TensorFlow computes GELU."""
    outputs = node.output
    graph.remove_node(name)
    one, erf = graph.make_const(f"{name}/one", np.float32(1)), graph.make_node("Erf", node.input)
    graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=outputs)
