"""Makes `src/signal/recording.json`, which the page replays where there is no sensor: simulated, nobody's recording.

Rows are those of `zoo.activity.simulate`, rounded as browsers round acceleration. Command:

    python examples/phone/recording.py
"""

import base64
import json
from pathlib import Path

import numpy as np

from zoo.activity.simulate import walk_through

FILE = Path(__file__).parent / "src" / "signal" / "recording.json"
RATE = 50.0
SECONDS = 9.0
ACTIVITIES = ("walking", "upstairs", "standing", "walking", "sitting")
SEED = 7
"""Of a person whom the recognizers of the zoo understand well."""

DECIMALS, UNIT = (1, 1, 1, 2, 2, 2), 0.01
"""Of each column: acceleration in m/s^2, rotation rate in rad/s; and what a whole number stands for."""


def recording() -> dict[str, object]:
    """Returns the document: rows of whole numbers in 16 bits, and the activity of each stretch of `seconds`."""
    rows, _ = walk_through(ACTIVITIES, SECONDS, RATE, SEED, gyroscope=True)
    rounded = [np.round(column, decimals) for column, decimals in zip(rows.T, DECIMALS, strict=True)]
    whole = np.rint(np.stack(rounded, axis=1) / UNIT).astype("<i2")
    return {
        "simulated": True, "rate": RATE, "seconds": SECONDS, "activities": ACTIVITIES,
        "channels": len(DECIMALS), "unit": UNIT, "rows": base64.b64encode(whole.tobytes()).decode(),
    }  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(json.dumps(recording(), separators=(",", ":")) + "\n")
