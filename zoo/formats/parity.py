"""Parity: an artifact is published only if its outputs match those of the Keras model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Tolerance:
    """How far an artifact may differ from Keras.

    Args:
        error: Largest difference of a number.
        agreement: Smallest share of rows with the same most probable class.
    """

    error: float
    agreement: float = 0.0


EXACT = {
    "keras": Tolerance(1e-6, 1.0),
    "saved_model": Tolerance(1e-5, 1.0),
    "float32": Tolerance(1e-5, 1.0),
}
"""Tolerances of formats without rounding, for every family."""


class ParityError(ZooError):
    """An artifact differs from Keras by more than its tolerance."""


@dataclass(frozen=True)
class Parity:
    """How far an artifact is from Keras on golden inputs.

    Args:
        largest_error: Of a number.
        mean_error: Of a number.
        agreement: Share of rows with the same most probable class; None where outputs are no probabilities.
        rows: Number of rows compared.
    """

    largest_error: float
    mean_error: float
    agreement: float | None
    rows: int


def compare(what: str, expected: Mapping[str, Outputs], found: Mapping[str, Outputs], tolerance: Tolerance) -> Parity:
    """Compares the outputs of an artifact with those of Keras.

    Args:
        what: The artifact, for messages.
        expected: Outputs `(N, ...)` of Keras by signature and name; those named `probabilities`, `(N, ..., K)`, count
            for the agreement. Integers are not compared.
        found: The outputs of the artifact; all expected ones must be there.
        tolerance: How far they may differ.

    Raises:
        ZooError: If a signature or an output is missing, shapes differ, or a number is not finite.
        ParityError: If they differ by more than the tolerance.

    Example:
        >>> outputs = {"window": {"probabilities": np.eye(2)}}
        >>> compare("a.tflite", outputs, outputs, EXACT["float32"]).agreement
        1.0
    """
    differences, agreements, rows = [], [], 0
    for signature, outputs in expected.items():
        if signature not in found:
            raise ZooError(f"{what}: lacks the signature {signature!r}; not written")
        missing = sorted(set(outputs) - set(found[signature]))
        if missing:
            raise ZooError(f"{what}: signature {signature!r} lacks the output {', '.join(missing)}; not written")
        for name, wanted in outputs.items():
            if not np.issubdtype(wanted.dtype, np.floating):
                continue
            output = found[signature][name]
            if output.shape != wanted.shape or not np.isfinite(output).all():
                raise ZooError(
                    f"{what}: {signature} returns {name} of shape {output.shape}, not all finite or not "
                    f"{wanted.shape}; not written"
                )
            rows = max(rows, len(wanted))
            differences.append(np.abs(output.astype(np.float64) - wanted).ravel())
            if name == "probabilities":
                agreements.append(_agreement(wanted, output))
    error = np.concatenate(differences)
    agreement = min(agreements) if agreements else None
    parity = Parity(float(error.max()), float(error.mean()), agreement, rows)
    if parity.largest_error > tolerance.error or (agreement is not None and agreement < tolerance.agreement):
        limit = f" (allowed {tolerance.error:g})" if tolerance.error < 1 else ""
        share = "" if agreement is None else f", classes agree on {agreement:.2%} (at least {tolerance.agreement:.2%})"
        raise ParityError(
            f"{what}: differs from Keras by {parity.largest_error:.2g}{limit}{share} of {rows} rows; not written: "
            "leave this format out with --formats"
        )
    return parity


def _agreement(expected: NDArray[Any], found: NDArray[Any]) -> float:
    # Two classes that are equally probable to the tolerance are not a disagreement.
    chosen = np.take_along_axis(expected, found.argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
    same = (found.argmax(axis=-1) == expected.argmax(axis=-1)) | (expected.max(axis=-1) - chosen < 1e-6)
    return float(same.mean())
