"""Provenance of models and results: hashes, versions, machine."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import zoo

if TYPE_CHECKING:
    import keras


def versions() -> dict[str, str]:
    """Returns the versions of pocket-zoo, Python and libraries, and the machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": machine(),
    }


def weights_sha256(model: "keras.Model") -> str:
    """Computes the SHA-256 of the trainable weights, in the order of the model, as little-endian float32."""
    digest = hashlib.sha256()
    for weight in model.trainable_weights:
        digest.update(np.ascontiguousarray(weight.numpy(), "<f4").tobytes())
    return digest.hexdigest()


def machine() -> str:
    """Describes this machine, such as `x86_64, 2 x AMD EPYC`."""
    return f"{platform.machine()}, {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"
