"""The runtime for devices, which needs LiteRT and NumPy only.

recognizer = Recognizer("model.dynamic.tflite")
recognizer.predict(windows)  # windows (N, 150, 3): probabilities (N, 6)

stream = recognizer.stream()  # samples as they arrive, at any rate, with jitter and gaps
for time, x, y, z in samples:
    for prediction in stream.push(time, x, y, z):
        print(prediction.time, prediction.label, prediction.probability)
"""

from zoo.runtime.interpreter import Interpreter
from zoo.runtime.personal import PersonalRecognizer
from zoo.runtime.recognizer import Recognizer
from zoo.runtime.streaming import Prediction, Stream

__all__ = ["Interpreter", "PersonalRecognizer", "Prediction", "Recognizer", "Stream"]
