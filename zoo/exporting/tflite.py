"""Conversion to TFLite, with built-in operations only.

The converter runs in a child process, since it leaks memory and can crash its process, as it does when it quantizes a
recurrent graph with a loop. A crash becomes an error with a reason.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting import saved_model
from zoo.exporting.signatures import Signature
from zoo.files import temporary_folder

FORMATS = {
    "float32": "model.float32.tflite",
    "float16": "model.float16.tflite",
    "dynamic": "model.dynamic.tflite",
    "int8": "model.int8.tflite",
    "int16x8": "model.int16x8.tflite",
    "personal": "model.personal.tflite",
}
"""Formats and the names of their files: float32 throughout; 16-bit weights; 8-bit weights with float arithmetic; 8-bit
weights and arithmetic; 8-bit weights and 16-bit arithmetic; float32 with a trainable last layer. Inputs and outputs are
floats in all formats."""

_INTEGERS = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}

_SECONDS = 300

Samples = Mapping[str, Mapping[str, NDArray[Any]]]
"""Inputs `(N, ...)` by the names of signature and input."""


def convert(
    signatures: Sequence[Signature],
    files: Mapping[str, Path],
    batch: int | None = None,
    samples: Samples | None = None,
    signatures_of_format: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Converts signatures to TFLite files, one per format.

    Args:
        signatures: Signatures of the files.
        files: Path to write to by format, a key of `FORMATS`.
        batch: Fixed batch size, without which recurrent networks would need Flex operations.
        samples: Inputs to calibrate integer arithmetic on.
        signatures_of_format: Names of the signatures by format, for formats that contain only some of them.

    Raises:
        ZooError: If the converter fails or crashes.
    """
    with temporary_folder() as folder:
        saved_model.write(signatures, folder / "saved_model", batch)
        named = {f"{name}/{key}": rows for name, inputs in (samples or {}).items() for key, rows in inputs.items()}
        np.savez(f"{folder}/samples.npz", **named)  # type: ignore[arg-type]  # a name could be an option of savez
        every = [signature.name for signature in signatures]
        job = {
            "folder": str(folder),
            "signatures": {name: list(signatures_of_format.get(name, every)) for name in files},
            "small": [name for name in signatures_of_format if name == "int8"],
            "files": {name: str(path) for name, path in files.items()},
        }
        _run_in_child(job)


def _run_in_child(job: dict[str, Any]) -> None:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "zoo.exporting.tflite", json.dumps(job)],
            capture_output=True, text=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ZooError(f"conversion to TFLite took more than {_SECONDS} s and was stopped") from None
    if child.returncode:
        raise ZooError(f"conversion to TFLite failed: {_reason(child.returncode, child.stderr)}")


def _reason(status: int, output: str) -> str:
    if status < 0:
        return f"the converter crashed with {signal.Signals(-status).name}, as on graphs that it cannot quantize"
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"the converter exited with status {status}"


def _run(job: dict[str, Any]) -> None:
    import tensorflow as tf

    with np.load(f"{job['folder']}/samples.npz") as saved:
        samples = {name: saved[name] for name in saved}
    for name, path in job["files"].items():
        converter = tf.lite.TFLiteConverter.from_saved_model(
            f"{job['folder']}/saved_model", signature_keys=job["signatures"][name]
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if name == "personal":
            converter.experimental_enable_resource_variables = True
        elif name != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if name == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if name in _INTEGERS:
            converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, _INTEGERS[name])]
            converter.representative_dataset = partial(_representative, job["signatures"][name], samples)
        if name in job["small"]:
            # Scales per unit of dense layers would take a fifth of such a file and hardly change any prediction.
            converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        Path(path).write_bytes(converter.convert())


def _representative(
    signatures: Sequence[str], samples: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    for signature in signatures:
        inputs = {key.split("/")[1]: rows for key, rows in samples.items() if key.split("/")[0] == signature}
        for i in range(len(next(iter(inputs.values())))):
            yield signature, {name: rows[i : i + 1] for name, rows in inputs.items()}


if __name__ == "__main__":
    _run(json.loads(sys.argv[1]))
