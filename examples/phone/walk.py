"""Makes `src/walk.json`, the mean stride that the page's simulated walk repeats, of a person of MotionSense.

A walk repeats itself once a stride (two steps), so it is folded at its period, and what is left is its mean and eight
harmonics: 51 numbers, no recording. Command:

    python examples/phone/walk.py A_DeviceMotion_data.zip --subject 3
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.importers import read_motionsense
from zoo.data.recordings import Dropped

HARMONICS = 8
SECONDS = 10
"""Of the stretch of a walk that is folded."""
FREQUENCIES = np.arange(0.7, 1.2, 0.001)
"""Strides a second that people walk with."""


def harmonics(rows: NDArray[np.float64], rate: float, hertz: float) -> tuple[NDArray[np.float64], float]:
    """Coefficients `(1 + 2 * HARMONICS, 3)`: mean, cosines, sines; and the share of variance that they explain."""
    phase = 2 * np.pi * hertz * np.arange(len(rows)) / rate
    turns = phase[:, None] * np.arange(1, HARMONICS + 1)
    basis = np.concatenate([np.ones((len(rows), 1)), np.cos(turns), np.sin(turns)], axis=1)
    coefficients = np.linalg.lstsq(basis, rows, rcond=None)[0]
    return coefficients, 1 - float((rows - basis @ coefficients).var() / (rows - rows.mean(axis=0)).var())


def stride(rows: NDArray[np.float64], rate: float) -> dict[str, object]:
    """The stride that explains most of a stretch of a recording, of its most even stretch."""
    length = round(SECONDS * rate)
    stretches = [rows[start : start + length] for start in range(0, len(rows) - length, length)]
    tried = ((*harmonics(part, rate, hertz), hertz) for part in stretches for hertz in FREQUENCIES)
    coefficients, share, hertz = max(tried, key=lambda found: found[1])
    return {
        "strides_a_second": round(float(hertz), 3), "share_of_variance": round(share, 3),
        "mean": coefficients[0].round(3).tolist(), "cosines": coefficients[1 : 1 + HARMONICS].round(3).tolist(),
        "sines": coefficients[1 + HARMONICS :].round(3).tolist(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zip", type=Path, help="A_DeviceMotion_data.zip")
    parser.add_argument("--subject", default="3")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "src" / "walk.json")
    options = parser.parse_args()
    recordings = (r for r in read_motionsense(options.zip, Dropped()) if r.subject == options.subject)
    walks = [recording for recording in recordings if recording.activity == "walking"]
    longest = max(walks, key=lambda recording: len(recording.acceleration))
    found = {"source": f"MotionSense, subject {options.subject}; MIT", **stride(longest.acceleration, longest.rate)}
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
