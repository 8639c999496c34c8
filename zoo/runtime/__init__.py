"""The runtime for devices, which needs LiteRT and NumPy only.

recognizer = Recognizer("model.dynamic.tflite")
recognizer.predict(windows)  # windows (N, 150, 3): probabilities (N, 6)

stream = recognizer.stream()  # samples as they arrive, at any rate, with jitter and gaps
for time, x, y, z in samples:
    for prediction in stream.push(time, x, y, z):
        print(prediction)  # such as 3.0 s walking 75%
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.runtime.interpreter import Interpreter
    from zoo.runtime.personal import PersonalRecognizer
    from zoo.runtime.recognizer import Recognizer
    from zoo.runtime.streaming import Prediction, Stream

__all__ = ["Interpreter", "PersonalRecognizer", "Prediction", "Recognizer", "Stream"]

_HOMES = {
    "Interpreter": "interpreter", "PersonalRecognizer": "personal", "Prediction": "streaming",
    "Recognizer": "recognizer", "Stream": "streaming",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # On first use: what needs the metadata alone imports no interpreter.
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo.runtime' has no attribute {name!r}")
    return getattr(import_module(f"zoo.runtime.{_HOMES[name]}"), name)
