"""Parity: an artefact answers what the Keras model answers, or it gets no name."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError


@dataclass(frozen=True)
class Tolerance:
    """What an artefact may differ by.

    Args:
        error: Largest difference of a probability.
        agreement: Least share of windows with the same label.
    """

    error: float
    agreement: float


TOLERANCES = {
    "keras": Tolerance(1e-6, 1.0),
    "saved_model": Tolerance(1e-5, 1.0),
    "float32": Tolerance(1e-5, 1.0),
    "dynamic": Tolerance(1.0, 0.995),
}
"""Of each format. 8-bit weights move probabilities near a boundary between classes, so the label counts there."""


class ParityError(ZooError):
    """An artefact differs from Keras by more than its tolerance."""


@dataclass(frozen=True)
class Parity:
    """How far an artefact is from Keras on golden windows.

    Args:
        largest_error: Of a probability.
        mean_error: Of a probability.
        agreement: Share of windows with the same label.
        windows: How many were compared.
    """

    largest_error: float
    mean_error: float
    agreement: float
    windows: int


def compare(
    what: str, expected: NDArray[np.floating[Any]], found: NDArray[np.floating[Any]], tolerance: Tolerance
) -> Parity:
    """Compares probabilities `(N, K)` with those of Keras.

    Raises:
        ZooError: If their shapes differ, or one is not finite.
        ParityError: If they differ by more than the tolerance.

    Example:
        >>> compare("a.tflite", np.eye(2), np.eye(2), TOLERANCES["float32"]).agreement
        1.0
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise ZooError(f"{what}: answers of shape {found.shape}, not all finite or not {expected.shape}; not written")
    difference = np.abs(found.astype(np.float64) - expected)
    # Two labels that are as probable as each other to the tolerance are not a disagreement.
    chosen = np.take_along_axis(expected, found.argmax(axis=1)[:, None], axis=1)[:, 0]
    same = (found.argmax(axis=1) == expected.argmax(axis=1)) | (expected.max(axis=1) - chosen < 1e-6)
    parity = Parity(float(difference.max()), float(difference.mean()), float(same.mean()), len(found))
    if parity.largest_error > tolerance.error or parity.agreement < tolerance.agreement:
        limit = f" (allowed {tolerance.error:g})" if tolerance.error < 1 else ""
        raise ParityError(
            f"{what}: differs from Keras by {parity.largest_error:.2g}{limit}, labels agree on "
            f"{parity.agreement:.2%} of {parity.windows} windows (at least {tolerance.agreement:.2%}); not written: "
            "leave this format out with --formats"
        )
    return parity
