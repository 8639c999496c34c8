"""Runs a preset as a device does, with NumPy and LiteRT alone: a phone that stands still is standing or sitting."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from zoo.runtime import Recognizer  # noqa: E402

stream = Recognizer(ROOT / "saved_models" / "activity_gru_pocket" / "model.float32.tflite").stream()
labels = {found.label for row in range(300) for found in stream.push(row / 50, 0.0, -9.8, 0.5)}
print(sorted(label or "not sure" for label in labels))
if not labels or not labels <= {"standing", "sitting", None}:
    sys.exit("expected standing or sitting")
if "tensorflow" in sys.modules:
    sys.exit("TensorFlow was imported")
