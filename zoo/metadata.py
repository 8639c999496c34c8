"""What a model says of itself: which numbers it expects, what its answers mean, where it comes from.

The same document lies in a model's folder (`config.json`, key `metadata`) and inside its `.tflite` files, as the
flatbuffer's metadata entry `pocket_zoo` (JSON, UTF-8), where every runtime that ignores it still runs the file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from zoo.errors import ZooError

SCHEMA = 1
"""Version of the document; readers refuse another."""

STANDARD_GRAVITY = 9.80665
"""m/s^2 in one g."""

UNIT, AXES, CONVENTION = "m/s^2", ("x", "y", "z"), "android"
"""What acceleration is measured in everywhere in the zoo: gravity included; at rest and face up, z is +9.81."""

CLASSES = ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
"""The course's six activities in the course's order."""

_ENTRY = "pocket_zoo"


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What every model says; each kind of model adds to it.

    Files of a kind read as many rows in a call as its `batch` says; None stands for any number.

    Args:
        family: Class name of the model.
        preset: Name of the preset, or of the folder where it is nobody's preset.
        simulated: Whether the training data was simulated.
        source: Where its training data comes from.
        data_sha256: Hash of the file that the model was trained on.
        weights_sha256: Hash of the trained weights.
        license: Of the training data; `not stated` where nobody said.
        version: Of the zoo.
        schema: Of this document.
    """

    task: ClassVar[str]
    batch: ClassVar[int | None] = None
    family: str
    preset: str
    simulated: bool
    source: str
    data_sha256: str
    weights_sha256: str
    version: str
    license: str = "not stated"
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """The document as JSON types."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {"task": self.task, **values}

    @staticmethod
    def from_json(document: Mapping[str, Any], where: str) -> "Metadata":
        """Reads the document.

        Args:
            document: What `to_json` gave.
            where: The file it comes from, for messages.

        Returns:
            The metadata of the document's kind.

        Raises:
            ZooError: If its schema or kind is unknown, or a key is missing.
        """
        if document.get("schema") != SCHEMA:
            raise ZooError(
                f"{where}: metadata of schema {document.get('schema')!r}; this version reads schema {SCHEMA}: use "
                f"the version of pocket-zoo that wrote it ({document.get('version', 'not stated')})"
            )
        tasks: dict[str, Any] = {each.task: each for each in (ActivityMetadata, AutoencoderMetadata, TrigramMetadata)}
        if document.get("task") not in tasks:
            raise ZooError(f"{where}: metadata of task {document.get('task')!r}; expected {' or '.join(tasks)}")
        kind = tasks[document["task"]]
        names = [field.name for field in fields(kind)]
        missing = [name for name in names if name not in document]
        if missing:
            raise ZooError(f"{where}: metadata lacks {', '.join(missing)}")
        values: dict[str, Any] = {name: tuple(v) if isinstance(v := document[name], list) else v for name in names}
        if "streaming" in values:
            values["streaming"] = Streaming(**values["streaming"])
        metadata: Metadata = kind(**values)
        return metadata


@dataclass(frozen=True, kw_only=True)
class Streaming:
    """How a recognizer follows a signal without end.

    Args:
        restart: Rows after which a state starts anew at zero; 0 for never.
        copies: States carried side by side, their restarts evenly staggered; the oldest one answers.
        warmup: Rows that a state has read before it may answer.
        smoothing: Seconds in which the mean over past probabilities forgets all but 1/e; 0 for none.
        margin: By how much another label's probability must exceed that of the label shown, before it is shown.
        threshold: Probability below which no label is shown.
    """

    restart: int = 150
    copies: int = 3
    warmup: int = 75
    smoothing: float = 0.5
    margin: float = 0.1
    threshold: float = 0.4


@dataclass(frozen=True, kw_only=True)
class ActivityMetadata(Metadata):
    """The document of an activity recognizer.

    Args:
        classes: Labels, in the order of the probabilities.
        rate: Hz of the rows.
        window: Rows a window.
        hop: Rows from the start of one window to the start of the next, where a recording is cut into windows.
        frame: Rows that the recurrent cell reads in one step, and so the least that the signature `step` takes.
        chunk: Frames that the signature `chunk` takes.
        states: Names of the states that `step` and `chunk` take and give, and how many numbers each has.
        mean: Of each axis over the training rows, m/s^2, as the network subtracts it; empty where it does not.
        variance: Of each axis, (m/s^2)^2, as the network divides by its root.
        unit: Of the acceleration.
        axes: Of the phone, in the order of the channels.
        convention: Sign of the axes: `android` gives +9.81 on z for a phone at rest, face up.
        temperature: What logits are divided by before the softmax, so that probabilities are calibrated.
        streaming: How its answers become a label that can be shown.
        split_by: `subject` or `window`: how the measured test data was kept apart.
        train_subjects: Who made the training windows; empty where that is unknown.
    """

    task: ClassVar[str] = "activity"
    batch: ClassVar[int | None] = 1
    classes: tuple[str, ...]
    rate: float
    window: int
    hop: int
    frame: int
    chunk: int
    states: Mapping[str, int]
    mean: tuple[float, ...]
    variance: tuple[float, ...]
    unit: str
    axes: tuple[str, ...]
    convention: str
    temperature: float
    streaming: Streaming
    split_by: str
    train_subjects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AutoencoderMetadata(Metadata):
    """The document of an autoencoder of patches.

    Args:
        size: Pixels a side.
        hidden_units: Numbers in a code.
        sparsity_target: Mean activation that each of them was trained to have.
        scale: Constants of the preprocessing: limit, low, high.
        held_out: Photographs that no training patch was cut from; empty where they are not known.
    """

    task: ClassVar[str] = "autoencoder"
    size: int
    hidden_units: int
    sparsity_target: float
    scale: tuple[float, ...]
    held_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TrigramMetadata(Metadata):
    """The document of a language model.

    Args:
        words: The vocabulary, in the order of the probabilities; ids count from 0.
        context: Words that it reads.
    """

    task: ClassVar[str] = "trigram"
    words: tuple[str, ...]
    context: int


def embed(path: Path, metadata: Metadata) -> None:
    """Puts the document into a `.tflite` file, in place of an older one.

    What no runtime needs, such as the names of tensors inside the graph and the second of two equal constants, is taken
    out: a seventh of a small file. So is the mark of an open batch: LiteRT.js refuses files that have it, and other
    runtimes resize an input without it.

    Args:
        path: The file, changed in place.
        metadata: The document.
    """
    from ai_edge_litert.tools import flatbuffer_utils as flat

    model = flat.read_model(str(path))
    buffer = flat.schema_fb.BufferT()
    buffer.data = list(json.dumps(metadata.to_json(), separators=(",", ":")).encode("utf-8"))
    entry = flat.schema_fb.MetadataT()
    entry.name, entry.buffer = _ENTRY, len(model.buffers)
    model.buffers.append(buffer)
    replaced = (_ENTRY.encode(), b"CONVERSION_METADATA")
    model.metadata = [*(known for known in model.metadata or [] if known.name not in replaced), entry]
    asked = {signature.subgraphIndex for signature in model.signatureDefs}
    for place, graph in enumerate(model.subgraphs):
        named = {*graph.inputs, *graph.outputs} if place in asked else set()
        graph.name = graph.name if place in asked else None
        for number, tensor in enumerate(graph.tensors):
            if number not in named:
                tensor.name = None
            if tensor.quantization is not None and tensor.quantization.scale is None:
                tensor.quantization = None
            if metadata.batch is None:
                tensor.shapeSignature = None
    _share_buffers(model)
    flat.write_model(model, str(path))


def _share_buffers(model: Any) -> None:
    """Keeps one of the buffers that hold the same bytes; the first one is empty, as the schema wants it."""
    users = [*(tensor for graph in model.subgraphs for tensor in graph.tensors), *model.metadata]
    content = [bytes(buffer.data) if buffer.data is not None else b"" for buffer in model.buffers]
    places = {b"": 0}
    for user in users:
        user.buffer = places.setdefault(content[user.buffer], len(places))
    kept = dict(zip(content, model.buffers, strict=True)) | {b"": model.buffers[0]}
    model.buffers = [kept[held] for held in places]


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
