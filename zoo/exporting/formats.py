"""SavedModels and TFLite files with the signatures of a family.

The converter to TFLite runs in a child process, since it leaks memory and can crash its process, as it does when it
quantizes a recurrent graph with a loop. A crash becomes an error with a reason. TensorFlow is not imported here: the
child begins to import it before this process does.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.files import temporary_folder
from zoo.startup import import_keras

if TYPE_CHECKING:
    from zoo.exporting.signatures import Signature

FORMATS = {
    "float32": "model.float32.tflite",
    "float16": "model.float16.tflite",
    "dynamic": "model.dynamic.tflite",
    "int8": "model.int8.tflite",
    "int16x8": "model.int16x8.tflite",
    "personal": "model.personal.tflite",
}
"""TFLite formats and the names of their files: float32 throughout; 16-bit weights; 8-bit weights with float arithmetic;
8-bit weights and arithmetic; 8-bit weights and 16-bit arithmetic; float32 with a trainable last layer. Inputs and
outputs are floats in all formats."""

EXTRAS = {"onnx": ("onnx", "onnxruntime", "tf2onnx")}
"""Formats that are written on request alone, and the packages that each needs, of the extra of its name."""

_INTEGERS = {"int8": "TFLITE_BUILTINS_INT8", "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"}

_SECONDS = 300

Samples = Mapping[str, Mapping[str, NDArray[Any]]]
"""Inputs `(N, ...)` by the names of signature and input."""


def write_saved_model(signatures: "Sequence[Signature]", folder: Path, batch: int | None = None) -> None:
    """Writes a SavedModel with an endpoint for each signature, of a fixed batch size if there is one."""
    import keras
    import tensorflow as tf

    # Without ExportArchive.track, which would store all weights twice (keras#23553).
    archive = keras.export.ExportArchive()
    for signature in signatures:
        inputs = [
            spec if batch is None else tf.TensorSpec((batch, *spec.shape[1:]), spec.dtype, spec.name)
            for spec in signature.inputs
        ]
        archive.add_endpoint(signature.name, signature.function, inputs)
    archive.write_out(folder, verbose=False)


def load_saved_model(folder: Path) -> dict[str, Callable[..., dict[str, Any]]]:
    """Loads the endpoints of a SavedModel by name."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))

    # An endpoint needs a reference to the loaded object, or its variables are deleted.
    def call(name: str, **inputs: Any) -> dict[str, Any]:
        return dict(loaded.signatures[name](**{key: tf.constant(value) for key, value in inputs.items()}))

    return {name: partial(call, name) for name in loaded.signatures if name != "serving_default"}


class UnsupportedError(ZooError):
    """TFLite has no integer form of an operation of a network."""


class Converter(contextlib.ExitStack):
    """A process that converts to TFLite: it imports TensorFlow, for seconds, and then writes one file after another.

    Files appear under their names when they are complete, so that this process can compare the first ones meanwhile.
    `in_child` is False in a process that is a child already: another one would import TensorFlow once more.
    """

    in_child = True

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[dict[str, Any]] = []
        self.child: subprocess.Popen[str] | None = None
        # Not a pipe, which a talkative library would fill while nobody reads.
        self._said = self.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115  # closed with the process

    def start(self) -> None:
        """Starts the process, if it is not running yet, before there is anything to convert."""
        if self.in_child and self.child is None:
            command = [sys.executable, "-m", "zoo.exporting.formats"]
            # It may be killed at any moment, and TensorFlow converts in a temporary folder of its own.
            environment = os.environ | {"TMPDIR": str(self.enter_context(temporary_folder()))}
            self.child = self.enter_context(subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said, text=True, env=environment
            ))  # fmt: skip
            self.callback(self.child.kill)

    def add(
        self,
        signatures: "Sequence[Signature]",
        files: Mapping[str, Path],
        folder: Path,
        batch: int | None = None,
        samples: Samples | None = None,
        signatures_of_format: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        """Adds signatures to convert, of which some formats contain only those named; `folder` is a temporary one."""
        write_saved_model(signatures, folder / "saved_model", batch)
        named = {f"{name}/{key}": rows for name, inputs in (samples or {}).items() for key, rows in inputs.items()}
        np.savez(f"{folder}/samples.npz", **named)  # type: ignore[arg-type]  # a name could be an option of savez
        every = [signature.name for signature in signatures]
        self.jobs.append({
            "folder": str(folder),
            "signatures": {name: list(signatures_of_format.get(name, every)) for name in files},
            "small": [name for name in signatures_of_format if name == "int8"],
            "files": {name: str(path) for name, path in files.items()},
        })  # fmt: skip

    def run(self) -> None:
        """Begins to convert all that was added."""
        self.start()
        self._end = time.monotonic() + _SECONDS
        if self.child is None:
            _run(self.jobs)
        elif self.child.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.child.stdin as pipe:
                json.dump(self.jobs, pipe)

    def wait(self, *files: Path) -> None:
        """Waits for files, or raises the reason why they are not written."""
        while missing := [file for file in files if not file.exists()]:
            if self.child is None or self.child.poll() is not None:
                if all(file.exists() for file in missing):
                    return
                reason = self._reason()
                kind = UnsupportedError if "not yet supported for op" in reason else ZooError
                raise kind(f"{missing[0].name}: conversion to TFLite failed: {reason}")
            if time.monotonic() > self._end:
                raise ZooError(f"conversion to TFLite took more than {_SECONDS} s and was stopped")
            time.sleep(0.01)

    def _reason(self) -> str:
        status = self.child.returncode if self.child is not None else 0
        if status < 0:
            return f"the converter crashed with {signal.Signals(-status).name}, as on graphs that it cannot quantize"
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        return lines[-1] if lines else f"the converter exited with status {status}"


def convert(
    signatures: "Sequence[Signature]",
    files: Mapping[str, Path],
    batch: int | None = None,
    samples: Samples | None = None,
) -> None:
    """Converts signatures to TFLite files with built-in operations only, one per format, a key of `FORMATS`.

    Without a fixed batch size, recurrent networks would need Flex operations. Integer arithmetic is calibrated on
    `samples`.
    """
    with Converter() as converter, temporary_folder() as folder:
        converter.add(signatures, files, folder, batch, samples)
        converter.run()
        converter.wait(*files.values())


def _run(jobs: Sequence[Mapping[str, Any]]) -> None:
    import tensorflow as tf

    for job in jobs:
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
            aside = Path(f"{path}.part")
            aside.write_bytes(converter.convert())
            aside.rename(path)


def _representative(
    signatures: Sequence[str], samples: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    for signature in signatures:
        inputs = {key.split("/")[1]: rows for key, rows in samples.items() if key.split("/")[0] == signature}
        for i in range(len(next(iter(inputs.values())))):
            yield signature, {name: rows[i : i + 1] for name, rows in inputs.items()}


if __name__ == "__main__":
    import_keras()  # while the parent process prepares the job

    # Without a job, the parent process has ended.
    if text := sys.stdin.read():
        _run(json.loads(text))
