"""Where a model comes from, and what a measured number depends on beside model, data and seed."""

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
    """What a measured number depends on: versions and machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": machine(),
    }


class Source(Protocol):
    """What every checked data file tells."""

    @property
    def simulated(self) -> bool:
        """Whether nobody recorded, photographed or wrote it."""
        ...

    @property
    def source(self) -> str:
        """Where it comes from."""
        ...


def origin(model: "keras.Model", name: str, data: Source, data_sha256: str) -> dict[str, Any]:
    """What the metadata of every trained model says of where it comes from.

    Args:
        model: The trained model.
        name: Of the preset, or of the user's own model.
        data: What it was trained on.
        data_sha256: Hash of that file.
    """
    return {
        "family": type(model).__name__, "preset": name, "simulated": data.simulated, "source": data.source,
        "data_sha256": data_sha256, "weights_sha256": weights_sha256(model), "version": zoo.__version__,
    }  # fmt: skip


def weights_sha256(model: "keras.Model") -> str:
    """Hash of the trained weights, in the order of the model, as little-endian float32."""
    digest = hashlib.sha256()
    for weight in model.trainable_weights:
        digest.update(np.ascontiguousarray(weight.numpy(), "<f4").tobytes())
    return digest.hexdigest()


def machine() -> str:
    """This machine, such as `x86_64, 2 x AMD EPYC`."""
    return f"{platform.machine()}, {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"
