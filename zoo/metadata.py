"""What a model says of itself: which numbers it expects, what its answers mean, where it comes from.

The same document lies in a model's folder (`config.json`, key `metadata`) and inside its `.tflite` files, as the
flatbuffer's metadata entry `pocket_zoo` (JSON, UTF-8), where every runtime that ignores it still runs the file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from zoo.errors import ZooError

SCHEMA = 1
"""Version of the document; readers refuse another."""

_ENTRY = "pocket_zoo"


@dataclass(frozen=True)
class Metadata:
    """The document of an activity recognizer.

    Args:
        family: Class name of the model.
        preset: Name of the preset, or of the folder where it is nobody's preset.
        classes: Labels, in the order of the probabilities.
        rate: Hz of the rows.
        window: Rows a window.
        frame: Rows that the recurrent cell reads in one step.
        unit: Of the acceleration.
        axes: Of the phone, in the order of the channels.
        convention: Sign of the axes: `android` gives +9.81 on z for a phone at rest, face up.
        temperature: What logits are divided by before the softmax, so that probabilities are calibrated.
        simulated: Whether the training data was simulated.
        split_by: `subject` or `window`: how the measured test data was kept apart.
        source: Where its training data comes from.
        train_subjects: Who made the training windows; empty where that is unknown.
        data_sha256: Hash of the file that the model was trained on.
        version: Of the zoo.
        schema: Of this document.
    """

    family: str
    preset: str
    classes: tuple[str, ...]
    rate: float
    window: int
    frame: int
    unit: str
    axes: tuple[str, ...]
    convention: str
    temperature: float
    simulated: bool
    split_by: str
    source: str
    train_subjects: tuple[str, ...]
    data_sha256: str
    version: str
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """The document as JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: str) -> "Metadata":
        """Reads the document.

        Args:
            document: What `to_json` gave.
            where: The file it comes from, for messages.

        Raises:
            ZooError: If its schema is unknown or a key is missing.
        """
        if document.get("schema") != SCHEMA:
            raise ZooError(
                f"{where}: metadata of schema {document.get('schema')!r}; this version reads schema {SCHEMA}: use "
                f"the version of pocket-zoo that wrote it ({document.get('version', 'not stated')})"
            )
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in document]
        if missing:
            raise ZooError(f"{where}: metadata lacks {', '.join(missing)}")
        values: dict[str, Any] = {name: document[name] for name in names}
        for name in ("classes", "axes", "train_subjects"):
            values[name] = tuple(values[name])
        return cls(**values)


def embed(path: Path, metadata: Metadata) -> None:
    """Puts the document into a `.tflite` file, in place of an older one.

    Args:
        path: The file, changed in place.
        metadata: The document.
    """
    from ai_edge_litert.tools import flatbuffer_utils as flat

    model = flat.read_model(str(path))
    entries = [entry for entry in model.metadata or [] if entry.name != _ENTRY.encode()]
    buffer = flat.schema_fb.BufferT()
    buffer.data = list(json.dumps(metadata.to_json()).encode("utf-8"))
    entry = flat.schema_fb.MetadataT()
    entry.name, entry.buffer = _ENTRY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*entries, entry]
    flat.write_model(model, str(path))


def extract(path: Path) -> Metadata:
    """Reads the document out of a `.tflite` file.

    Raises:
        ZooError: If the file is missing, is not TFLite, or says nothing of itself.
    """
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb

    if not path.is_file():
        raise ZooError(f"{path}: no such file")
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise ZooError(f"{path}: not a TFLite file")
    try:
        model = schema_fb.Model.GetRootAsModel(content, 0)
        for i in range(model.MetadataLength()):
            entry = model.Metadata(i)
            if entry.Name() == _ENTRY.encode():
                data = model.Buffers(entry.Buffer()).DataAsNumpy()
                return Metadata.from_json(json.loads(bytes(data)), str(path))
    except (ValueError, TypeError, IndexError, AttributeError, __import__("struct").error) as error:
        raise ZooError(f"{path}: truncated or damaged TFLite file ({error})") from error
    raise ZooError(f"{path}: carries no metadata of the zoo; export it again with `zoo export`")
