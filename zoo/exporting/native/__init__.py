"""Sources for apps: code that is the same for all models, as files in this folder, and generated constants."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.runtime import Recognizer
from zoo.runtime.metadata import INERTIAL, ROTATION_UNIT, ActivityMetadata, Metadata

_HERE = Path(__file__).parent

INPUTS = {"step": "frame", "window": "window"}
"""Names of the inputs of the signatures that an app can run."""


def write(
    file: Path, folder: Path, name: str, constants: Callable[[ActivityMetadata, str], str], code: Sequence[str]
) -> list[Path]:
    """Writes the sources of an app for a `.tflite` file.

    Args:
        file: `.tflite` file with the signature `step`, or `window` if the model has no states.
        folder: Folder to write to.
        name: Name of the source with the model's constants.
        constants: Function from the metadata and the name of the file to the content of that source.
        code: Names of the sources that are the same for all models.

    Returns:
        Paths of all files: constants first, `.tflite` file last.

    Raises:
        ZooError: If the unit, sign or order of axes differs from a phone's sensor, or if the signature is missing.
    """
    recognizer = Recognizer(file)
    metadata, needed = recognizer.metadata, signature(recognizer.metadata)
    if needed not in recognizer.signatures:
        raise ZooError(f"{file}: has no signature {needed!r}; export it again as float32")
    with atomic_write(folder / name) as temporary:
        temporary.write_text(constants(metadata, file.name), encoding="utf-8")
    for source in code:
        shutil.copyfile(_HERE / source, folder / source)
    return [folder / name, *(folder / source for source in code), file]


def code(name: str) -> str:
    """Reads a source that is the same for all models."""
    return (_HERE / name).read_text(encoding="utf-8")


def signature(metadata: ActivityMetadata) -> str:
    """Returns the signature that an app runs: `step`, or `window` if the model has no states."""
    return "step" if metadata.states else "window"


def head(metadata: Metadata) -> list[str]:
    """Returns comment lines with the model and its training data."""
    data = f"{metadata.source}; license {metadata.license}" + ("; SIMULATED" if metadata.simulated else "")
    lines = [
        f"{metadata.preset} ({metadata.family}), written by pocket-zoo {metadata.version}; do not edit.",
        f"Weights SHA-256 {metadata.weights_sha256}",
        f"Training data: {data}",
    ]
    # A line break in a value would end the comment; in C, a backslash at its end would continue it on the next line.
    return [f"// {' '.join(line.split())}".rstrip("\\ ") for line in lines]


def rotation_comment(metadata: ActivityMetadata) -> list[str]:
    """Returns the comment on the gyroscope, if the model reads it."""
    if metadata.axes != INERTIAL:
        return []
    return [f"// Rotation rate in {ROTATION_UNIT} about the same axes, by the right-hand rule."]


def numbers(metadata: ActivityMetadata) -> list[tuple[str, float, str]]:
    """Returns names, values and descriptions of the constants that the code needs."""
    streaming = metadata.streaming
    # A model without states is treated as one whose frame is a window, with overlapping frames and no restarts.
    recurrent = bool(metadata.states)
    return [
        ("rate", float(metadata.rate), "Hz"),
        ("frame", metadata.frame if recurrent else metadata.window, "rows that one call reads"),
        ("advance", metadata.frame if recurrent else min(max(1, metadata.hop), metadata.window), "rows to the next"),
        ("channels", len(metadata.axes), ", ".join(metadata.axes)),
        ("restart", streaming.restart if recurrent else 0, "rows after which a state restarts; 0 for never"),
        ("copies", streaming.copies if recurrent else 1, "parallel states, their restarts staggered"),
        ("warmup", streaming.warmup if recurrent else 0, "rows that a state reads before it answers"),
        ("smoothing", float(streaming.smoothing), "seconds"),
        ("margin", float(streaming.margin), "by which another label must be more probable"),
        ("threshold", float(metadata.stream_threshold), "below which no label is shown"),
    ]
