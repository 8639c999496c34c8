"""Provenance of models and results: hashes, versions, machine."""

import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import zoo
from zoo.runtime.metadata import ActivityMetadata, Metadata

if TYPE_CHECKING:
    import keras

    from zoo.models.model import Model


def versions() -> dict[str, str]:
    """The versions of pocket-zoo, Python and libraries, and the machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": machine(),
    }


def spelled(text: str) -> str:
    """A text without the addresses of objects, which differ from process to process."""
    return re.sub(" at 0x[0-9a-f]+", "", text)


def without_numbers(config: Any) -> Any:
    """A configuration without the numbers of names such as `dense_3`, which Keras counts up, and code by its name."""
    text = json.dumps(config, default=lambda value: spelled(repr(value)))
    return json.loads(re.sub(r'"(\w+?)(_\d+)+"', r'"\1"', text))


def weights_sha256(weights: Iterable["keras.Variable"]) -> str:
    """SHA-256 of weights in their order, as little-endian float32."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(np.ascontiguousarray(weight.numpy(), "<f4").tobytes())
    return digest.hexdigest()


_UNKNOWN: Mapping[str, Any] = {
    "source": "not stated", "data_sha256": "", "subjects": [], "split_by": "not stated", "held_out": [],
}  # fmt: skip


def signed(model: "Model", known: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the training of a model, with the digest of its weights, frozen or not."""
    return {**known, "weights_sha256": weights_sha256(model.weights)}


def known_of(model: "Model") -> dict[str, Any]:
    """What a model knows of its training; if its weights are others by now, that it is a parent of one not known."""
    known = dict(model.provenance or {})
    is_quantized = any(layer.quantization_mode for layer in model.layers)
    if is_quantized or known.get("weights_sha256") in (None, weights_sha256(model.weights)):
        return known
    return {**known, **_UNKNOWN, "parents": with_parent(known)}


def with_parent(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The earlier trainings of weights that are trained further, the last of which is what is known of them."""
    parents = [*known.get("parents", ())]
    if "data_sha256" in known:
        parent = {"source": known.get("source", "not stated"), "data_sha256": known["data_sha256"]}
        parents.append({**parent, "train_subjects": [*known.get("subjects", ())]})
    return parents


def share_a_study(source: str, other: str) -> bool:
    """Returns whether the sources of two files name the same study, whatever years and files follow its name.

    Example:
        >>> joined = "MotionSense (Malekzadeh et al., 2019); WISDM (Weiss et al., 2019)"
        >>> share_a_study(joined, "WISDM"), share_a_study(joined, "GeoTec (Matey-Sanz et al., 2023)")
        (True, False)
    """
    one, two = (
        {study.partition("(")[0].strip().lower() for study in text.split(";")} - {"not stated"}
        for text in (source, other)
    )
    return bool(one & two)


def is_among(person: str, people: Iterable[str]) -> bool:
    """Returns whether an id is one of others. Where studies were joined, the name of the study is before the id.

    Example:
        >>> [is_among(name, ("wisdm/7", "8")) for name in ("wisdm/7", "7", "wisdm/8", "oxford/7")]
        [True, True, True, False]
    """
    return any(
        one == person or (("/" in one) != ("/" in person) and one.rpartition("/")[2] == person.rpartition("/")[2])
        for one in people
    )


def already_seen(people: Iterable[str], source: str, metadata: Metadata, sha256: str | None = None) -> list[str]:
    """The people of a file with this source, or hash, who were in a training of the model with these metadata."""
    if not isinstance(metadata, ActivityMetadata):
        return []
    # Ids of another study may be the same by chance.
    shared = [
        one.train_subjects
        for one in metadata.trainings
        if (sha256 and one.data_sha256 == sha256) or share_a_study(one.source, source)
    ]
    return [person for person in people if any(is_among(person, subjects) for subjects in shared)]


def of_namesakes(people: Iterable[str], metadata: ActivityMetadata, seen: Iterable[str]) -> str:
    """A note on whose name somebody in a training has, besides those who were `seen` there; empty without any."""
    known = {who for one in metadata.trainings for who in one.train_subjects} - {*seen}
    # Numbers are the same by chance, and so are P01 and s1.
    names = [who for who in people if who in known and not re.fullmatch(r"[^\W\d]?\d+", who)]
    what = "people of these names, from other files, were in the training of this model: if they are the same, this is"
    return f"{', '.join(names)}: {what} too optimistic" if names else ""


def machine() -> str:
    """Describes this machine, such as `x86_64, 2 x AMD EPYC`."""
    path, processor = Path("/proc/cpuinfo"), platform.processor() or "unknown processor"
    lines = path.read_text().splitlines() if path.is_file() else []
    if names := [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]:
        processor = f"{len(names)} x {names[0]}"
    return f"{platform.machine()}, {processor}"
