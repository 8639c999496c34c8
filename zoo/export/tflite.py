"""TFLite: conversion in a child process, built-in operations only.

The converter can kill its process (quantizing a looped recurrent graph does), and it leaks memory at every
conversion. So it runs in a child, and the child's death is an error with a reason.
"""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import keras

from zoo.errors import ZooError
from zoo.export import saved_model

FORMATS = {"float32": "model.float32.tflite", "dynamic": "model.dynamic.tflite"}
"""Quantizations and the names of their files: float32 throughout, or 8-bit weights with float arithmetic."""

_SECONDS = 300


def convert(model: keras.Model, temperature: float, files: dict[str, Path]) -> None:
    """Converts a model to one TFLite file for each quantization, signature `window` of batch 1.

    Args:
        model: Windows in, logits out.
        temperature: What the logits are divided by before the softmax.
        files: Where to write each of `FORMATS`.

    Raises:
        ZooError: If the converter fails or dies.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A dynamic batch would bring Flex operations, which no device runs.
        saved_model.write(model, Path(folder) / "saved_model", temperature, batch=1)
        job = {
            "saved_model": f"{folder}/saved_model",
            "files": {name: str(path) for name, path in files.items()},
        }
        try:
            child = subprocess.run(
                [sys.executable, "-m", "zoo.export.tflite", json.dumps(job)],
                capture_output=True, text=True, check=False, timeout=_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ZooError(f"conversion to TFLite took more than {_SECONDS} s and was stopped") from None
    if child.returncode:
        raise ZooError(f"conversion to TFLite failed: {_reason(child.returncode, child.stderr)}")


def _reason(status: int, output: str) -> str:
    if status < 0:
        return f"the converter died of {signal.Signals(-status).name}, as it does on graphs that it cannot quantize"
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"the converter ended with status {status}"


def _child(job: dict[str, dict[str, str] | str]) -> None:
    import tensorflow as tf

    files = job["files"]
    assert isinstance(files, dict)
    for name, path in files.items():
        converter = tf.lite.TFLiteConverter.from_saved_model(job["saved_model"], signature_keys=["window"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if name == "dynamic":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        Path(path).write_bytes(converter.convert())


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))
