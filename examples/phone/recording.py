"""Makes `src/signal/recording.json`, which the page replays where there is no sensor: simulated, nobody's recording.

Rows are those of `zoo.activity.simulate`, rounded as browsers round acceleration. Command:

    python examples/phone/recording.py
"""

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

UNITS = (0.1, 0.1, 0.1, 0.01, 0.01, 0.01)
"""What a whole number stands for in each column: acceleration in m/s^2, rotation rate in rad/s."""


def recording() -> dict[str, object]:
    """Returns the document: columns of whole numbers, and the activity of each stretch of `seconds`."""
    rows, _ = walk_through(ACTIVITIES, SECONDS, RATE, SEED, gyroscope=True)
    columns = np.round(rows / np.array(UNITS)).astype(int).T.tolist()
    return {
        "simulated": True, "rate": RATE, "seconds": SECONDS, "activities": ACTIVITIES, "units": UNITS,
        "columns": columns,
    }  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(json.dumps(recording(), separators=(",", ":")) + "\n")
