"""Metadata of models: the input they expect, the meaning of their output, and their origin.

Each `.tflite` file contains this document, as the flatbuffer's metadata entry `pocket_zoo` (JSON, UTF-8); runtimes that
ignore the entry still run the file. `config.json` in the folder of a trained model contains it as well.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from zoo.errors import StorageError, ZooError
from zoo.families import TASKS, task_named
from zoo.files import require_file
from zoo.runtime.filtering import Group
from zoo.schema import Field, Rule, Schema

SCHEMA = 1
"""Version of the document. Readers reject other versions."""

STANDARD_GRAVITY = 9.80665
"""Standard gravity in m/s^2."""

STEADY_SHARE = 0.4
"""Share of the mean magnitude, and of gravity, above which the length of the mean vector over a second or more is due
to gravity: movement cancels out, gravity does not. With gravity, it is above 0.5 even for people who run."""

WEAK_SHARE = 0.05
"""Share of windows, or seconds, that may be as weak as in g: nobody falls freely for one."""


def is_in_g(magnitude: float, steady: float, share: float = STEADY_SHARE) -> bool:
    """Whether acceleration is in g, not in m/s^2 without gravity, whose magnitude may be the same.

    `magnitude` is the mean length of the vector, `steady` the length of the mean vector over a second or more.
    """
    return 0.5 < magnitude < 2.0 and steady > share * magnitude


def were_in_g(mean: Sequence[float], variance: Sequence[float]) -> bool:
    """Whether input statistics are of acceleration in g."""
    steady = math.hypot(*mean[: len(AXES)])
    # Where phones lie in many ways, gravity cancels out in the mean, but for a rest: .34 of it in the four studies.
    return is_in_g(math.sqrt(steady**2 + sum(variance[: len(AXES)])), steady, share=0.1)


UNIT, AXES, CONVENTION = "m/s^2", ("x", "y", "z"), "android"
"""Unit, axes and sign convention of acceleration in the zoo. Gravity is included: at rest and face up, z is +9.81."""

INERTIAL, ROTATION_UNIT = (*AXES, "gyro_x", "gyro_y", "gyro_z"), "rad/s"
"""Channels of an accelerometer and a gyroscope; rotation rate follows the right-hand rule about the same axes."""

ACCELERATION_LIMIT = 160.0
"""Limit of each axis in m/s^2. Phones measure up to 16 g, so a larger value is a fault."""

ROTATION_LIMIT = 100.0
"""Limit of each axis of the gyroscope in rad/s. Phones measure up to 70, which are 4,000 degrees per second."""

SENSORS = (slice(0, 3), ACCELERATION_LIMIT, UNIT), (slice(3, None), ROTATION_LIMIT, ROTATION_UNIT)
"""Of each sensor the channels, their limit, and its unit."""

STREAM_THRESHOLD = 0.4
"""Probability below which a stream shows no label, if the file has no threshold."""

CLASSES = ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
"""The six activities of the course, in its order."""

OTHER = "other"
"""Last label of a recognizer that knows of movements outside its other labels."""


def other_of(classes: Sequence[str], stated: bool | None) -> int | None:
    """The number of the class of all other movements, the last one; None if there is none.

    Files of version 0.3 do not state whether it is that: there, a last class of this name is.
    """
    return len(classes) - 1 if classes[-1] == OTHER and stated is not False else None


ENTRY = "pocket_zoo"
"""Name of the metadata in exported files."""

_DIGEST_ENTRY, _DIGEST, _UNKNOWN = "pocket_zoo_sha256", b"pocket_zoo_sha256:", b"0" * 64
"""Name and start of the entry with the SHA-256 of the file, computed with zeros in its place."""


_MILLION = 1e6
_SIZE = {"kind": "integer", "least": 1, "most": _MILLION}


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata that all models share; each task has a subclass, here or in the module `metadata` of its folder.

    The class attribute `batch` is the batch size of exported files, None for any; `rules` hold across fields. What a
    field may hold is its metadata, in the words of `zoo.schema.Field`; one with a default may be missing.

    Args:
        family: Class name of the model.
        preset: Name of the preset, or of the model if it is not a preset.
        simulated: Whether the training data was simulated.
        source: Source of the training data.
        data_sha256: SHA-256 of the file that the model was trained on.
        weights_sha256: SHA-256 of the trained weights.
        license: License of the training data, or `not stated`.
        version: Version of pocket-zoo that wrote the document.
        schema: Version of the format of this document.
    """

    task: ClassVar[str]
    batch: ClassVar[int | None] = None
    rules: ClassVar[tuple[Rule, ...]] = ()
    family: str = field(metadata={"kind": "name"})
    preset: str = field(metadata={"kind": "name"})
    simulated: bool = field(metadata={"kind": "flag"})
    source: str = field(metadata={"kind": "text"})
    data_sha256: str = field(metadata={"kind": "text"})
    weights_sha256: str = field(metadata={"kind": "text"})
    version: str = field(metadata={"kind": "name"})
    license: str = field(default="not stated", metadata={"kind": "text"})
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """The document as JSON types, without what is None."""
        values: dict[str, Any] = plain(asdict(self))
        return {"task": self.task} | {name: value for name, value in values.items() if value is not None}

    @staticmethod
    def from_json(document: Mapping[str, Any], where: str) -> "Metadata":
        """Reads a document into the metadata of its task. `where` is the file that contains it, for messages."""
        task, version = task_named(document.get("task")), document.get("version", "not stated")
        if document.get("schema") != SCHEMA or task not in TASKS:
            raise ZooError(
                f"{where}: metadata of schema {document.get('schema')!r}, task {task!r}; this version reads schema "
                f"{SCHEMA}, {' or '.join(TASKS)}: use the version of pocket-zoo that wrote it ({version})"
            )
        if not any(kind.task == task for kind in Metadata.__subclasses__()):
            import_module(f"zoo.{task}.metadata")
        kind = next(kind for kind in Metadata.__subclasses__() if kind.task == task)
        states, settings = document.get("states"), document.get("streaming") or {}
        # A schema has no names and values in a field: sizes of states are a list, and settings are facts of their own.
        lists = {"states": [*states.values()] if isinstance(states, Mapping) else None} if "states" in document else {}
        settings = settings if isinstance(settings, Mapping) else {"streaming": settings}
        stated = {**document, **lists, **{f"streaming.{name}": value for name, value in settings.items()}}
        facts = (*_facts(kind), *_facts(Streaming, "streaming."))
        if wrong := Schema(task, facts=facts, rules=kind.rules).problem(stated):
            raise ZooError(f"{where}: metadata: {wrong}: export it again with `zoo export`")
        values: dict[str, Any] = {
            part.name: tuple(value) if isinstance(value := document[part.name], list) else value
            for part in fields(kind)
            if part.name in document
        }
        if task == "activity":
            older = settings.get("threshold", STREAM_THRESHOLD)
            values.setdefault("threshold", None if older == STREAM_THRESHOLD else older)
            key = "streaming"
            try:
                groups = [
                    Group(**{**group, "parts": tuple(map(tuple, group["parts"])), "stay": tuple(group["stay"])})
                    for group in settings.get("groups", ())
                ]
                # Older files hold a threshold, which is that of the model, and the time of an average: not used.
                kept = {name: settings[name] for name in settings if name not in ("threshold", "smoothing")}
                values["streaming"] = Streaming(**{**kept, "groups": tuple(groups)})
                key = "parents"
                values["parents"] = tuple(map(Parent.from_json, values.get("parents", ()))) or None
            except (KeyError, TypeError) as error:
                raise ZooError(
                    f"{where}: metadata: {key!r} does not fit ({error}); written by pocket-zoo {version}: read it with "
                    "that version or newer"
                ) from None
            values["train_subjects"] = _complete(values["train_subjects"])
        metadata: Metadata = kind(**values)
        return metadata


def _brief(people: Sequence[str]) -> list[str]:
    """People by their names, each without that of the study if it is the study of the one before."""
    studies = ["", *(f"{person.rpartition('/')[0]}/" for person in people)]
    return [
        person[len(study) - 1 :] if study > "/" and person.startswith(study) else person
        for person, study in zip(people, studies, strict=False)
    ]


def _complete(names: Sequence[str]) -> tuple[str, ...]:
    """What `_brief` made brief."""
    people: list[str] = []
    for person in names:
        study = people[-1].rpartition("/")[0] if people and person.startswith("/") else ""
        people.append(study + person)
    return tuple(people)


def _facts(kind: Any, prefix: str = "") -> tuple[Field, ...]:
    """What a document may hold in the fields of a dataclass, names first: as many as there are, others must be."""
    facts = (
        Field(prefix + part.name, **{"optional": part.default is not MISSING, **part.metadata})
        for part in fields(kind)
        if part.metadata
    )
    return tuple(sorted(facts, key=lambda stated: stated.kind != "name"))


def plain(value: Any) -> Any:
    """A value as JSON types."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, kw_only=True)
class Streaming:
    """Settings of continuous recognition, see `zoo.runtime.streaming`.

    Args:
        restart: Number of rows after which a state restarts from zero. 0 for never.
        copies: Number of states that run in parallel, with evenly staggered restarts. Predictions are those of the
            oldest.
        warmup: Number of rows that a state must read before its predictions are used.
        margin: Amount by which the probability of another label must exceed that of the current label to replace it.
        groups: Tree of groups of the labels, in each of which a filter follows what is true over time, see
            `zoo.runtime.filtering`. Empty for one group of all labels, each of which lasts 60 s.
    """

    restart: int = field(default=150, metadata={"kind": "integer", "least": 0, "most": 1e9})
    copies: int = field(default=3, metadata={"kind": "integer", "least": 1, "most": 100})
    warmup: int = field(default=75, metadata={"kind": "integer", "least": 0, "most": 1e9})
    margin: float = field(default=0.1, metadata={"least": 0, "most": 1})
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        if wrong := Schema("streaming", facts=_facts(Streaming)).problem(vars(self)):
            raise ZooError(f"streaming: {wrong}")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """An earlier training of the weights of a recognizer, from which it was fine-tuned.

    Args:
        source: Source of its training data.
        data_sha256: SHA-256 of the file that was trained on. Empty if that is not known.
        train_subjects: Subjects of its training windows.
    """

    source: str
    data_sha256: str
    train_subjects: tuple[str, ...]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Parent":
        """Reads a parent of a document."""
        return cls(**{**document, "train_subjects": _complete(document["train_subjects"])})


@dataclass(frozen=True, kw_only=True)
class ActivityMetadata(Metadata):
    """Metadata of an activity recognizer.

    Args:
        classes: Labels, in the order of the probabilities.
        rate: Sampling rate of the rows in Hz.
        window: Number of rows per window.
        hop: Number of rows from the start of one window to the start of the next when a recording is cut into windows.
        frame: Number of rows that the signature `step` reads.
        chunk: Number of frames that the signature `chunk` reads.
        states: Names and sizes of the states that `step` and `chunk` take and return.
        mean: Mean of each channel in its unit, which the network subtracts. Empty for no normalization.
        variance: Variance of each channel; the network divides by its square root. Empty for no normalization.
        unit: Unit of the acceleration.
        axes: Channels, in order: x, y, z of the acceleration; then, if the model reads a gyroscope, gyro_x, gyro_y,
            gyro_z, the rotation rate in rad/s about the same axes.
        convention: Sign convention of the axes. With `android`, z is +9.81 for a phone at rest, face up.
        temperature: Divisor of the logits before the softmax, which calibrates the probabilities.
        streaming: Settings of continuous recognition.
        prior: Class frequencies that the probabilities assume, in the order of the classes. Empty if unknown.
        threshold: Probability below which the answer is "not sure", for a window and in a stream. None if none was
            calibrated: then every window gets an answer, and streams use 0.4.
        split_by: How test data was separated from training data: by `subject` or by `window`.
        other: Whether the last class, which is called so, stands for all other movements. None if none is called so, or
            in a file of version 0.3, where it does.
        train_subjects: Subjects of the training windows. Empty if unknown. A `.tflite` file, in which each byte counts,
            names a study once: after `wisdm/1600`, `/1601` is another subject of the same study.
        parents: Earlier trainings of the weights. None if there were none.
    """

    task: ClassVar[str] = "activity"
    batch: ClassVar[int | None] = 1
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(("classes",), bool, "1 entry or more"),
        Rule(("axes",), lambda axes: tuple(axes) in (AXES, INERTIAL), f"{list(AXES)} or {list(INERTIAL)}"),
        Rule(("frame", "window"), lambda frame, window: frame <= window, "a frame no longer than the window"),
    )
    classes: tuple[str, ...] = field(metadata={"kind": "name", "shape": "K", "distinct": True})
    rate: float = field(metadata={"least": 0.1, "most": 100_000})
    window: int = field(metadata=_SIZE)
    hop: int = field(metadata=_SIZE)
    frame: int = field(metadata=_SIZE)
    chunk: int = field(metadata=_SIZE)
    states: Mapping[str, int] = field(metadata=_SIZE | {"shape": "S"})
    mean: tuple[float, ...] = field(default=(), metadata={"shape": "C", "least": -_MILLION, "most": _MILLION})
    variance: tuple[float, ...] = field(default=(), metadata={"shape": "C", "positive": True, "most": _MILLION})
    unit: str = field(metadata={"kind": "text", "choices": (UNIT,)})
    axes: tuple[str, ...] = field(metadata={"kind": "name", "shape": "C"})
    convention: str = field(metadata={"kind": "text", "choices": (CONVENTION,)})
    temperature: float = field(metadata={"positive": True, "most": _MILLION})
    streaming: Streaming
    split_by: str = field(metadata={"kind": "text", "choices": ("subject", "window", "not stated")})
    train_subjects: tuple[str, ...] = field(metadata={"kind": "name", "shape": "P"})
    prior: tuple[float, ...] = field(default=(), metadata={"shape": "K", "positive": True, "most": 1})
    threshold: float | None = field(default=None, metadata={"least": 0, "most": 1})
    other: bool | None = field(default=None, metadata={"kind": "flag"})
    parents: tuple[Parent, ...] | None = None

    @property
    def trainings(self) -> "tuple[ActivityMetadata | Parent, ...]":
        """This training, and those from which it started."""
        return self, *(self.parents or ())

    @property
    def other_class(self) -> int | None:
        """The number of the class of all other movements. None if the model has none."""
        return other_of(self.classes, self.other)

    @property
    def steps_only(self) -> bool:
        """Whether no label is of a movement that is faster than steps are, as one of a user's own may be."""
        return {*self.classes} <= {*CLASSES, "stairs", OTHER}

    @property
    def stream_threshold(self) -> float:
        """Probability below which a stream shows no label."""
        return STREAM_THRESHOLD if self.threshold is None else self.threshold


@dataclass(frozen=True, kw_only=True)
class AutoencoderMetadata(Metadata):
    """Metadata of an autoencoder.

    Args:
        size: Width and height of the patches in pixels.
        hidden_units: Size of the code.
        sparsity_target: Target for the mean activation of each hidden unit.
        scale: Constants of the preprocessing: limit, low, high. The luminance of each pixel, minus the mean of its
            patch, is clipped to [-limit, limit] and scaled linearly, so that low becomes 0.1 and high 0.9.
        held_out: Photographs that were held out of the training data. Empty if unknown.
    """

    task: ClassVar[str] = "patches"
    size: int = field(metadata=_SIZE)
    hidden_units: int = field(metadata=_SIZE)
    sparsity_target: float = field(metadata={"least": 0, "most": 1})
    scale: tuple[float, ...] = field(metadata={"shape": "3", "least": -_MILLION, "most": _MILLION})
    held_out: tuple[str, ...] = field(metadata={"kind": "name", "shape": "P", "distinct": True})


@dataclass(frozen=True, kw_only=True)
class TrigramMetadata(Metadata):
    """Metadata of a language model.

    Args:
        words: Vocabulary, in the order of the probabilities. Word ids count from 0.
        context: Number of words that the model reads.
    """

    task: ClassVar[str] = "text"
    rules: ClassVar[tuple[Rule, ...]] = (Rule(("words",), bool, "1 entry or more"),)
    words: tuple[str, ...] = field(metadata={"kind": "name", "shape": "W", "distinct": True})
    context: int = field(metadata=_SIZE)


def embed(path: Path, metadata: Metadata) -> None:
    """Writes metadata into a `.tflite` file, in place of earlier metadata.

    Also removes what no runtime needs, such as the names of internal tensors and duplicates of equal constants, which
    makes a small file a seventh smaller. The marks of dynamic batch sizes are removed as well: LiteRT.js rejects files
    that have them, and other runtimes can resize inputs without them.
    """
    from ai_edge_litert.tools import flatbuffer_utils as flat

    model = flat.read_model(str(path))
    if not model.signatureDefs:
        raise ZooError(f"{path}: has no signatures; convert the model again with `zoo export`")
    values = metadata.to_json()
    if isinstance(metadata, ActivityMetadata):
        # Each byte counts.
        for training in (values, *values.get("parents", ())):
            training["train_subjects"] = _brief(training["train_subjects"])
    document = json.dumps(values, separators=(",", ":")).encode("utf-8")
    replaced = (ENTRY.encode(), _DIGEST_ENTRY.encode(), b"CONVERSION_METADATA")
    model.metadata = [entry for entry in model.metadata or [] if entry.name not in replaced]
    for name, content in ((ENTRY, document), (_DIGEST_ENTRY, _DIGEST + _UNKNOWN)):
        buffer, entry = flat.schema_fb.BufferT(), flat.schema_fb.MetadataT()
        buffer.data = list(content)
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
    entry_points = {signature.subgraphIndex for signature in model.signatureDefs}
    for place, graph in enumerate(model.subgraphs):
        named = {*graph.inputs, *graph.outputs} if place in entry_points else set()
        graph.name = graph.name if place in entry_points else None
        for number, tensor in enumerate(graph.tensors):
            if number not in named:
                tensor.name = None
            if tensor.quantization is not None and tensor.quantization.scale is None:
                tensor.quantization = None
            if metadata.batch is None:
                tensor.shapeSignature = None
    _share_buffers(model)
    _put_first(model)
    flat.write_model(model, str(path))
    _, unsigned = _split_digest(path.read_bytes())
    path.write_bytes(unsigned.replace(_DIGEST + _UNKNOWN, _DIGEST + hashlib.sha256(unsigned).hexdigest().encode()))


def _split_digest(content: bytes) -> tuple[bytes, bytes]:
    """The digest that a file states, empty without, and the file with zeros in its place."""
    start = content.rfind(_DIGEST) + len(_DIGEST)
    if start < len(_DIGEST):
        return b"", content
    stop = start + len(_UNKNOWN)
    return content[start:stop], content[:start] + _UNKNOWN + content[stop:]


_FIRST = (b"window", b"infer", b"encode", b"next_word")
"""Signatures that read the input of a task as a whole."""


def _put_first(model: Any) -> None:
    """Puts the subgraph that reads a whole input first: runtimes that know no signatures run the first one."""
    model.signatureDefs.sort(key=lambda signature: signature.signatureKey not in _FIRST)
    place = model.signatureDefs[0].subgraphIndex
    order = [place, *(other for other in range(len(model.subgraphs)) if other != place)]
    model.subgraphs = [model.subgraphs[place] for place in order]
    moved = {before: now for now, before in enumerate(order)}
    options = [operator.builtinOptions for graph in model.subgraphs for operator in graph.operators]
    for owner in (*model.signatureDefs, *filter(None, options)):
        for name in filter(lambda name: name.lower().endswith("subgraphindex"), vars(owner)):
            setattr(owner, name, moved.get(getattr(owner, name), -1))


def _share_buffers(model: Any) -> None:
    """Merges buffers with the same content. The first buffer is empty, as the schema requires."""
    users = [*(tensor for graph in model.subgraphs for tensor in graph.tensors), *model.metadata]
    content = [bytes(buffer.data) if buffer.data is not None else b"" for buffer in model.buffers]
    places = {b"": 0}
    for user in users:
        user.buffer = places.setdefault(content[user.buffer], len(places))
    unique = dict(zip(content, model.buffers, strict=True)) | {b"": model.buffers[0]}
    model.buffers = [unique[data] for data in places]


def extract(path: Path) -> Metadata:
    """Reads the metadata of a `.tflite` file.

    Raises:
        ZooError: If the file is missing or damaged, is no TFLite file, has no metadata of the zoo, or does not state
            its SHA-256. What LiteRT opens must be what the zoo wrote: a damaged file can end the process.
    """
    require_file(path)
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise ZooError(f"{path}: not a TFLite file")
    if ENTRY.encode() not in content:
        raise ZooError(f"{path}: has no metadata of the zoo; export it again with `zoo export`")
    digest, unsigned = _split_digest(content)
    if not digest:
        raise ZooError(
            f"{path}: does not state its SHA-256, so it may hold anything: export it again with `zoo export`, or write "
            "its metadata with `zoo.runtime.metadata.embed`"
        )
    if digest != hashlib.sha256(unsigned).hexdigest().encode():
        raise StorageError(f"{path}: truncated or damaged TFLite file (its SHA-256 is another): copy it again")
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb

    model = schema_fb.Model.GetRootAsModel(content, 0)
    entries = [model.Metadata(place) for place in range(model.MetadataLength())]
    place = next(entry.Buffer() for entry in entries if entry.Name() == ENTRY.encode())
    return Metadata.from_json(json.loads(bytes(model.Buffers(place).DataAsNumpy())), str(path))
