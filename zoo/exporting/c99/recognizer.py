"""What all recognizers in C share: constants, labels, reading of rows, the last layer."""

import math
from typing import Any

import numpy as np

from zoo.exporting import native
from zoo.exporting.c99.literals import identifiers, number, text
from zoo.exporting.c99.network import FLOATS, Array, Floats, Function, Layer, Numbers, dense
from zoo.runtime.metadata import STANDARD_GRAVITY, ActivityMetadata

_SMALLEST = 1e-7
"""Smallest standard deviation by which Keras divides."""

_LABELS = """
/* Acceleration in {unit}, gravity included; a phone at rest, face up, reads z = +9.81.{rotation}{integers} */
enum {{
    {names},
}};

extern const char *const zoo_labels[ZOO_CLASSES];

/* The number of the most probable label, or -1 where it is less probable than the threshold. */
int zoo_answer(const {answer} *probabilities, {answer} threshold);
""".strip()

_LABELS_CODE = """
const char *const zoo_labels[ZOO_CLASSES] = {{
    {labels},
}};

int zoo_answer(const {answer} *probabilities, {answer} threshold)
{{
    int best = 0;
    for (int i = 1; i < ZOO_CLASSES; ++i)
        if (probabilities[i] > probabilities[best])
            best = i;
    return probabilities[best] < threshold ? -1 : best;
}}
""".strip()

STREAM = ("zoo_stream.h", "zoo_stream.c")
"""Sources that are the same for all recognizers."""

_WINDOW = """
/* Reads ZOO_WINDOW rows of ZOO_CHANNELS values, and writes ZOO_CLASSES probabilities. */
void zoo_window(const {value} *window, {answer} *probabilities);
""".strip()


def facts(metadata: ActivityMetadata, numbers: Numbers = FLOATS) -> dict[str, tuple[str, str]]:
    """Returns values and comments of the constants of `model.h`, by name."""
    settings = {name: (value, why) for name, value, why in native.numbers(metadata)}
    constants = {name.upper(): (number(value), why) for name, (value, why) in settings.items()}
    seconds = settings["advance"][0] / metadata.rate
    decay = math.exp(-seconds / metadata.streaming.smoothing) if metadata.streaming.smoothing else 0.0
    below = "probability of a window below which there is no answer; 0: always"
    threshold = metadata.threshold or 0
    return {
        "WINDOW": (number(metadata.window), f"rows, {metadata.window / metadata.rate:g} s"),
        "CLASSES": (number(len(metadata.classes)), ""),
        "ANSWER_THRESHOLD": (number(float(threshold) if numbers.one == 1 else round(threshold * numbers.one)), below),
        **constants,
        # A float would make the clock of a stream drift.
        "RATE": (repr(float(metadata.rate)), "Hz"),
        "DECAY": (number(decay), "of past probabilities, from one answer to the next"),
        "RECURRENT": (number(int(bool(metadata.states))), "1 for a model with states"),
        **(
            {}
            if numbers.one == 1
            else {
                "SENSOR": (number(numbers.sensor), "units of sensor values in m/s^2 and in rad/s"),
                "ONE": (number(numbers.one), "units of a probability of 1"),
            }
        ),
    }


def labels(metadata: ActivityMetadata, numbers: Numbers = FLOATS) -> tuple[str, str]:
    """Returns the declarations of labels and `zoo_answer`, and their definitions."""
    names = ",\n    ".join(f"ZOO_LABEL_{name}" for name in identifiers(metadata.classes))
    rotation = "".join(line.replace("//", "\n  ") for line in native.rotation_comment(metadata))
    integers = "" if numbers.one == 1 else "\n   Sensor values are integers, in units of 1 / ZOO_SENSOR."
    return (
        _LABELS.format(unit=metadata.unit, rotation=rotation, names=names, integers=integers, answer=numbers.answer),
        _LABELS_CODE.format(labels=",\n    ".join(map(text, metadata.classes)), answer=numbers.answer),
    )


def reading(model: Any) -> tuple[dict[str, Floats], str, int]:
    """Describes how a recognizer reads a row: normalization and magnitude.

    Returns:
        Tables by name, the definition of `zoo_read`, and the number of values that it makes of a row.
    """
    constants, value = dict[str, Floats](), "row[i]"
    if model.mean is not None and model.variance is not None:
        constants["zoo_mean"] = np.array(model.mean, np.float32)
        deviation = np.maximum(np.sqrt(np.array(model.variance, np.float32)), np.float32(_SMALLEST))
        constants["zoo_scale"] = (1 / deviation).astype(np.float32)
        value = "(row[i] - zoo_mean[i]) * zoo_scale[i]"
    columns = len(model.channels)
    lines = [
        "/* Normalizes a row. */",
        "static void zoo_read(const float *restrict row, float *restrict values)",
        "{",
        "    for (int i = 0; i < ZOO_CHANNELS; ++i)",
        f"        values[i] = {value};",
    ]
    if model.magnitude:
        lines[0] = "/* Normalizes a row, and adds min(|x|^2 / g^2, 6) - 1. */"
        lines += [
            *(f"    const float {axis} = row[{i}] * {1 / STANDARD_GRAVITY:.9g}F;" for i, axis in enumerate("xyz")),
            "    const float square = x * x + y * y + z * z;",
            f"    values[{columns}] = (square < 6.0F ? square : 6.0F) - 1.0F;",
        ]
    return constants, "\n".join([*lines, "}"]), columns + bool(model.magnitude)


def logits_of(model: Any) -> Layer:
    """Reads the last layer, with the temperature and the prior in its weights."""
    layer, temperature = model.get_layer("logits"), np.float32(model.temperature)
    kernel, bias = dense(layer).kernel, np.asarray(layer.bias, np.float32)
    shift = np.array(0 if model.prior is None else model.prior_shift, np.float32)
    return Layer(kernel / temperature, bias / temperature + shift)


def window(metadata: ActivityMetadata, numbers: Numbers = FLOATS) -> tuple[str, dict[str, Function]]:
    """Returns the declaration of the function that reads a whole window, and the function."""
    rows = {"window": sensor(metadata, metadata.window, numbers)}
    function = Function("zoo_window(window, probabilities)", rows, {"probabilities": probabilities(metadata, numbers)})
    return _WINDOW.format(**vars(numbers)), {"window": function}


def sensor(metadata: ActivityMetadata, rows: int, numbers: Numbers) -> Array:
    """Returns the argument for some rows of a sensor."""
    return Array(numbers.value, (rows, len(metadata.axes)), units={"": numbers.sensor})


def probabilities(metadata: ActivityMetadata, numbers: Numbers) -> Array:
    """Returns the argument for probabilities."""
    return Array(numbers.answer, (len(metadata.classes),), units={"": numbers.one})
