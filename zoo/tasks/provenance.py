"""What a measured number depends on beside model, data and seed: versions and machine."""

import importlib.metadata
import platform
from pathlib import Path

import zoo


def versions() -> dict[str, str]:
    """What a measured number depends on: versions and machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": f"{platform.machine()}, {_processor()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"
