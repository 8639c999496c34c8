"""Swift sources of a recognizer for an iOS app: the sensor, the stream and LiteRT, and what they must know.

Model.swift               labels, rate, states and how the signal is followed, from the file's metadata
Stream.swift              samples in, answers out, as `zoo.runtime.streaming`
ActivityRecognizer.swift  Core Motion's accelerometer around TensorFlowLiteSwift
"""

import json
from pathlib import Path

from zoo.export import native
from zoo.metadata import ActivityMetadata

CODE = ("Stream.swift", "ActivityRecognizer.swift")


def write(file: Path, folder: Path) -> list[Path]:
    """Writes the sources.

    Args:
        file: A `.tflite` file with the signature `step`.
        folder: Where to.

    Returns:
        Their paths, and that of the file.
    """
    return native.write(file, folder, "Model.swift", constants, CODE)


def constants(metadata: ActivityMetadata, file: str) -> str:
    """`Model.swift`.

    Args:
        metadata: Of the file.
        file: Its name in the app's bundle.
    """
    streaming = metadata.streaming
    states = ", ".join(f"{_text(name)}: {size}" for name, size in metadata.states.items())
    lines = [
        *native.head(metadata),
        "",
        f"/// What the file says of itself. Acceleration: {metadata.unit}, gravity included, with Android's sign.",
        "public enum Model {",
        f"    public static let file = {_text(file)}",
        f"    public static let labels = [{', '.join(map(_text, metadata.classes))}]",
        f"    public static let states: [String: Int] = [{states}]",
        f"    public static let rate = {float(metadata.rate)!r}  // Hz",
        f"    public static let frame = {metadata.frame}  // rows that one step reads",
        f"    public static let channels = {len(metadata.axes)}",
        f"    public static let restart = {streaming.restart}  // rows after which a state starts anew; 0 for never",
        f"    public static let copies = {streaming.copies}  // states side by side, their restarts staggered",
        f"    public static let warmup = {streaming.warmup}  // rows that a state has read before it may answer",
        f"    public static let smoothing = {float(streaming.smoothing)!r}  // seconds",
        f"    public static let margin = {float(streaming.margin)!r}  // by which another label must be ahead",
        f"    public static let threshold = {float(streaming.threshold)!r}  // below which no label is shown",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
