"""Parity: an artifact answers what the Keras model answers, or it gets no name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Tolerance:
    """What an artifact may differ by.

    Args:
        error: Largest difference of a number.
        agreement: Least share of rows with the same most probable answer.
    """

    error: float
    agreement: float = 0.0


EXACT = {
    "keras": Tolerance(1e-6, 1.0),
    "saved_model": Tolerance(1e-5, 1.0),
    "float32": Tolerance(1e-5, 1.0),
}
"""What every family asks of formats that round nothing."""


class ParityError(ZooError):
    """An artifact differs from Keras by more than its tolerance."""


@dataclass(frozen=True)
class Parity:
    """How far an artifact is from Keras on golden inputs.

    Args:
        largest_error: Of a number.
        mean_error: Of a number.
        agreement: Share of rows with the same most probable answer; None where answers are no probabilities.
        rows: How many were compared.
    """

    largest_error: float
    mean_error: float
    agreement: float | None
    rows: int


def compare(what: str, expected: Mapping[str, Outputs], found: Mapping[str, Outputs], tolerance: Tolerance) -> Parity:
    """Compares what an artifact answers with what Keras answers, over all signatures.

    Args:
        what: The artifact, for messages.
        expected: Outputs `(N, ...)` by signature and name; those named `probabilities`, `(N, ..., K)`, count for the
            agreement.
        found: The same of the artifact, for the signatures that it has; numbers that are no integers are compared.
        tolerance: What they may differ by.

    Raises:
        ZooError: If shapes differ, or a number is not finite.
        ParityError: If they differ by more than the tolerance.

    Example:
        >>> answers = {"window": {"probabilities": np.eye(2)}}
        >>> compare("a.tflite", answers, answers, EXACT["float32"]).agreement
        1.0
    """
    differences, agreements, rows = [], [], 0
    for signature, outputs in found.items():
        for name, answer in outputs.items():
            wanted = expected[signature][name]
            if not np.issubdtype(wanted.dtype, np.floating):
                continue
            if answer.shape != wanted.shape or not np.isfinite(answer).all():
                raise ZooError(
                    f"{what}: {signature} gives {name} of shape {answer.shape}, not all finite or not {wanted.shape}; "
                    "not written"
                )
            rows = max(rows, len(wanted))
            differences.append(np.abs(answer.astype(np.float64) - wanted).ravel())
            if name == "probabilities":
                agreements.append(_agreement(wanted, answer))
    error = np.concatenate(differences)
    agreement = min(agreements) if agreements else None
    parity = Parity(float(error.max()), float(error.mean()), agreement, rows)
    if parity.largest_error > tolerance.error or (agreement is not None and agreement < tolerance.agreement):
        limit = f" (allowed {tolerance.error:g})" if tolerance.error < 1 else ""
        share = "" if agreement is None else f", answers agree on {agreement:.2%} (at least {tolerance.agreement:.2%})"
        raise ParityError(
            f"{what}: differs from Keras by {parity.largest_error:.2g}{limit}{share} of {rows} rows; not written: "
            "leave this format out with --formats"
        )
    return parity


def _agreement(expected: NDArray[Any], found: NDArray[Any]) -> float:
    # Two answers that are as probable as each other to the tolerance are not a disagreement.
    chosen = np.take_along_axis(expected, found.argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
    same = (found.argmax(axis=-1) == expected.argmax(axis=-1)) | (expected.max(axis=-1) - chosen < 1e-6)
    return float(same.mean())
