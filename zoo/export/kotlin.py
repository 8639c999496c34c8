"""Kotlin sources of a recognizer for an Android app: the sensor, the stream and LiteRT, and what they must know.

Model.kt               labels, rate, states and how the signal is followed, from the file's metadata
Stream.kt              samples in, answers out, as `zoo.runtime.streaming`
ActivityRecognizer.kt  the accelerometer's listener around LiteRT
"""

import json
from pathlib import Path

from zoo.export import native
from zoo.metadata import ActivityMetadata

CODE = ("Stream.kt", "ActivityRecognizer.kt")


def write(file: Path, folder: Path) -> list[Path]:
    """Writes the sources.

    Args:
        file: A `.tflite` file with the signature `step`.
        folder: Where to.

    Returns:
        Their paths, and that of the file.
    """
    return native.write(file, folder, "Model.kt", constants, CODE)


def constants(metadata: ActivityMetadata, file: str) -> str:
    """`Model.kt`.

    Args:
        metadata: Of the file.
        file: Its name among the app's assets.
    """
    streaming = metadata.streaming
    states = ", ".join(f"{_text(name)} to {size}" for name, size in metadata.states.items())
    lines = [
        *native.head(metadata),
        "package pocketzoo",
        "",
        f"/** What the file says of itself. Acceleration: {metadata.unit}, gravity included, with Android's sign. */",
        "object Model {",
        f"    const val FILE = {_text(file)}",
        f"    val LABELS = arrayOf({', '.join(map(_text, metadata.classes))})",
        f"    val STATES: Map<String, Int> = linkedMapOf({states})",
        f"    const val RATE = {float(metadata.rate)!r} // Hz",
        f"    const val FRAME = {metadata.frame} // rows that one step reads",
        f"    const val CHANNELS = {len(metadata.axes)}",
        f"    const val RESTART = {streaming.restart} // rows after which a state starts anew; 0 for never",
        f"    const val COPIES = {streaming.copies} // states side by side, their restarts staggered",
        f"    const val WARMUP = {streaming.warmup} // rows that a state has read before it may answer",
        f"    const val SMOOTHING = {float(streaming.smoothing)!r} // seconds",
        f"    const val MARGIN = {float(streaming.margin)!r} // by which another label must be ahead",
        f"    const val THRESHOLD = {float(streaming.threshold)!r} // below which no label is shown",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value).replace("$", "\\$")
