"""Provenance of models and results: hashes, versions, machine."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import zoo
from zoo.runtime.metadata import ActivityMetadata, Metadata

if TYPE_CHECKING:
    import keras


def versions() -> dict[str, str]:
    """The versions of pocket-zoo, Python and libraries, and the machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": machine(),
    }


def weights_sha256(model: "keras.Model") -> str:
    """SHA-256 of the trainable weights, in the order of the model, as little-endian float32."""
    digest = hashlib.sha256()
    for weight in model.trainable_weights:
        digest.update(np.ascontiguousarray(weight.numpy(), "<f4").tobytes())
    return digest.hexdigest()


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


def already_seen(
    people: Iterable[str], source: str, metadata: Metadata, parents: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """The people of a file with this source who were in the training of the model with these metadata.

    `parents` are the `source` and `subjects` of the models from which it was fine-tuned.
    """
    if not isinstance(metadata, ActivityMetadata):
        return []
    trainings = [(metadata.source, metadata.train_subjects), *((row["source"], row["subjects"]) for row in parents)]
    # Ids of another study may be the same by chance.
    shared = [subjects for other, subjects in trainings if share_a_study(other, source)]
    return [person for person in people if any(is_among(person, subjects) for subjects in shared)]


def machine() -> str:
    """Describes this machine, such as `x86_64, 2 x AMD EPYC`."""
    path, processor = Path("/proc/cpuinfo"), platform.processor() or "unknown processor"
    lines = path.read_text().splitlines() if path.is_file() else []
    if names := [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]:
        processor = f"{len(names)} x {names[0]}"
    return f"{platform.machine()}, {processor}"
