"""Sources for apps: the code that is the same for every model lies here as files; constants are generated."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.metadata import AXES, CONVENTION, UNIT, ActivityMetadata
from zoo.runtime import Recognizer

_HERE = Path(__file__).parent

INPUTS = {"step": "frame", "window": "window"}
"""Signatures that an app can run, and the names of their inputs."""


def write(
    file: Path, folder: Path, name: str, constants: Callable[[ActivityMetadata, str], str], code: Sequence[str]
) -> list[Path]:
    """Writes the sources of an app around a file.

    Args:
        file: A `.tflite` file with the signature `step`, or `window` where the model has no states.
        folder: Where to.
        name: Of the source with the model's constants.
        constants: Makes that source from the metadata and the file's name.
        code: Names of the sources that are the same for every model.

    Returns:
        All paths, the constants first, the file last.

    Raises:
        ZooError: If the model reads another unit, sign or order of axes than a phone's sensor, or lacks the signature.
    """
    recognizer = Recognizer(file)
    metadata, needed = recognizer.metadata, signature(recognizer.metadata)
    if needed not in recognizer.signatures:
        raise ZooError(f"{file}: has no signature {needed!r}; export it again as float32")
    if (metadata.unit, metadata.axes, metadata.convention) != (UNIT, AXES, CONVENTION):
        raise ZooError(
            f"{file}: reads {', '.join(metadata.axes)} in {metadata.unit} with the sign of {metadata.convention}; "
            f"expected {', '.join(AXES)} in {UNIT} with that of {CONVENTION}"
        )
    with atomic_write(folder / name) as temporary:
        temporary.write_text(constants(metadata, file.name), encoding="utf-8")
    for source in code:
        shutil.copyfile(_HERE / source, folder / source)
    return [folder / name, *(folder / source for source in code), file]


def signature(metadata: ActivityMetadata) -> str:
    """The signature that an app runs: `step`, or `window` where the model has no states."""
    return "step" if metadata.states else "window"


def head(metadata: ActivityMetadata) -> list[str]:
    """Comment lines that name the model and its training data."""
    data = f"{metadata.source}; license {metadata.license}" + ("; SIMULATED" if metadata.simulated else "")
    lines = [
        f"{metadata.preset} ({metadata.family}), written by pocket-zoo {metadata.version}; do not edit.",
        f"Weights SHA-256 {metadata.weights_sha256}",
        f"Training data: {data}",
    ]
    # A line break in any of them would end the comment.
    return [f"// {' '.join(line.split())}" for line in lines]


def numbers(metadata: ActivityMetadata) -> list[tuple[str, float, str]]:
    """Names, values and meanings of the numbers that the code needs."""
    streaming = metadata.streaming
    # A model without states reads a window at once: one state that never restarts, and overlapping frames.
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
        ("threshold", float(streaming.threshold), "below which no label is shown"),
    ]
