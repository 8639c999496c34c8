"""Comparison of artifacts with Keras: an artifact is published only if its outputs match those of the Keras model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Tolerance:
    """Limits of the difference between an artifact and Keras.

    Args:
        error: Largest absolute error.
        agreement: Smallest fraction of rows with the same most probable class.
    """

    error: float
    agreement: float = 0.0


EXACT = {
    "keras": Tolerance(1e-6, 1.0),
    "saved_model": Tolerance(1e-5, 1.0),
    "float32": Tolerance(1e-5, 1.0),
}
"""Tolerances of the formats with float32 weights, for all families."""


@dataclass(frozen=True)
class Parity:
    """Absolute errors of an artifact, and the fraction of rows with the same most probable class, None without any."""

    largest_error: float
    mean_error: float
    agreement: float | None
    rows: int


class ParityError(ZooError):
    """An artifact differs from Keras by more than its tolerance."""

    def __init__(self, message: str, parity: Parity, tolerance: Tolerance) -> None:
        super().__init__(message)
        self.parity, self.tolerance = parity, tolerance


def compare(what: str, expected: Mapping[str, Outputs], actual: Mapping[str, Outputs], tolerance: Tolerance) -> Parity:
    """Compares the outputs `(N, ...)` of an artifact with those of Keras, by the names of signature and output.

    The agreement is computed from outputs named `probabilities`, `(N, ..., K)`. Integers are not compared.

    Raises:
        ZooError: If a signature or an output is missing, shapes differ, or a number is not finite.
        ParityError: If the difference exceeds the tolerance.

    Example:
        >>> outputs = {"window": {"probabilities": np.eye(2)}}
        >>> compare("a.tflite", outputs, outputs, EXACT["float32"]).agreement
        1.0
    """
    differences, agreements, rows = [], [], 0
    for signature, outputs in expected.items():
        if signature not in actual:
            raise ZooError(f"{what}: lacks the signature {signature!r}; not written")
        missing = sorted(set(outputs) - set(actual[signature]))
        if missing:
            raise ZooError(f"{what}: signature {signature!r} lacks the output {', '.join(missing)}; not written")
        for name, wanted in outputs.items():
            if not np.issubdtype(wanted.dtype, np.floating):
                continue
            output = actual[signature][name]
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
        share = "" if agreement is None else f", classes agree on {agreement:.2%} (at least {tolerance.agreement:.2%})"
        difference = f"{parity.largest_error:.2g} (allowed {tolerance.error:g}){share} of {rows} rows"
        raise ParityError(f"{what}: differs from Keras by {difference}; not written", parity, tolerance)
    return parity


def _agreement(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    # Classes that are equally probable within rounding do not count as a disagreement.
    chosen = np.take_along_axis(expected, actual.argmax(axis=-1, keepdims=True), axis=-1)[..., 0]
    same = (actual.argmax(axis=-1) == expected.argmax(axis=-1)) | (expected.max(axis=-1) - chosen < 1e-6)
    return float(same.mean())
