"""Provenance of models and results: hashes, versions, machine."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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


class Source(Protocol):
    """Properties of checked data."""

    @property
    def simulated(self) -> bool:
        """Whether the data is synthetic."""
        ...

    @property
    def source(self) -> str:
        """Source of the data."""
        ...


def origin(model: "keras.Model", name: str, data: Source, data_sha256: str) -> dict[str, Any]:
    """Returns the fields of the metadata that all models share.

    Args:
        model: Trained model.
        name: Name of the preset or model.
        data: Training data.
        data_sha256: SHA-256 of the data file.
    """
    return {
        "family": type(model).__name__, "preset": name, "simulated": data.simulated, "source": data.source,
        "data_sha256": data_sha256, "weights_sha256": weights_sha256(model), "version": zoo.__version__,
    }  # fmt: skip


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
