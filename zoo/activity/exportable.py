"""What the export of a recognizer must know: its signatures, windows to compare files on, tolerances, source code."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity import metrics, simulate
from zoo.activity.cutting import Windowing
from zoo.activity.evaluation import chunk_of, for_model, metadata_of, recognizer_of, some
from zoo.activity.windows import ActivityData, center_crop
from zoo.exporting import embedding, parity, signatures
from zoo.exporting.artifacts import Exportable
from zoo.exporting.c99 import fixed, recognizers
from zoo.exporting.parity import Outputs, Tolerance
from zoo.loading import Loaded
from zoo.runtime import Recognizer
from zoo.runtime.metadata import INERTIAL


def encountered_states(
    model: Any, windows: NDArray[np.float32], frames: int
) -> dict[str, NDArray[np.float32]]:  # fmt: skip
    """Frames and the states in which a recognizer encounters them while it streams windows, one from each of them.

    `frame` (or `frames`, if several are read at once) `(N, frames * model.frame, channels)`, each state `(N, units)`.
    """
    size = model.frame
    places = np.arange(len(windows)) % (windows.shape[1] // size - frames + 1)
    states = {name: np.zeros((len(windows), units), np.float32) for name, units in model.states.items()}
    found_states = {name: value.copy() for name, value in states.items()}
    rows = np.stack([window[at : at + frames * size] for window, at in zip(windows, places * size, strict=True)])
    for place in range(int(places.max()) + 1):
        here = places == place
        for name, value in states.items():
            found_states[name][here] = value[here]
        _, found = model.step(windows[:, place * size : (place + 1) * size], states)
        states = {name: np.asarray(value) for name, value in found.items()}
    return {"frame" if frames == 1 else "frames": rows, **found_states}


def clipped(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limits values to the range of 99.8 % of them."""
    return np.clip(rows, *np.quantile(rows, (0.001, 0.999))).astype(np.float32)


def golden(
    loaded: Loaded, data: ActivityData | None
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, NDArray[np.float32]]:
    """Windows to compare artifacts on and their labels, and windows to calibrate on.

    From the test and the training set of data; from the latter alone, without labels, where there is no test set;
    simulated ones, without labels, where there is no data.
    """
    metadata = metadata_of(loaded)
    if data is None:
        cut = Windowing(metadata.window, metadata.hop, metadata.rate)
        gyroscope = metadata.axes == INERTIAL
        # Long enough for a few windows of any length.
        seconds = max(30.0, 3 * metadata.window / metadata.rate)
        people = simulate.simulate(8, seed=7, seconds=seconds, rate=metadata.rate, gyroscope=gyroscope)
        windows = np.concatenate([cut.windows(recording) for recording in people])
        return windows[: len(windows) // 2], None, windows[len(windows) // 2 :]
    data = for_model(loaded, data)
    train, test = (part.of_one_class(len(data.classes)) for part in (data.train, data.test))
    windows, labels = some(test if len(test) else train).arrays()
    calibration, _ = some(data.train).arrays()
    # Scores of training windows would pass for those of a test.
    return (
        center_crop(windows, metadata.window),
        labels if len(test) else None,
        center_crop(calibration, metadata.window),
    )


def exportable(loaded: Loaded, data: ActivityData | None) -> Exportable:
    """What export must know of a recognizer."""
    model = recognizer_of(loaded)
    windows, labels, calibration = golden(loaded, data)
    states = encountered_states(model, calibration, 1) if model.states else {}

    def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
        if labels is None:
            return {}
        found = outputs["window"]["probabilities"].argmax(axis=1)
        return {"accuracy": float((found == labels).mean()), "macro_f1": metrics.macro_f1(labels, found)}

    inputs: dict[str, Mapping[str, NDArray[np.float32]]] = {"window": {"window": windows}}
    if model.states:
        inputs |= {
            "step": encountered_states(model, windows, 1),
            "chunk": encountered_states(model, windows, chunk_of(model)),
        }
    described = recognizers.recurrent if model.states else recognizers.convolutional
    code = dict.fromkeys(("c99", "c99_int8"), partial(described, metadata=metadata_of(loaded)))
    if model.states:
        code["c99_int16x8"] = partial(
            fixed.network, metadata=metadata_of(loaded), windows=calibration, states=states
        )  # fmt: skip
    return Exportable(
        lambda model: signatures.activity(model, chunk_of(model)),
        inputs,
        # Rounding moves probabilities near a boundary between classes, so the label counts there.
        parity.EXACT | {
            "float16": Tolerance(1.0, 0.995), "dynamic": Tolerance(1.0, 0.995), "int8": Tolerance(1.0, 0.97),
            "int16x8": Tolerance(1.0, 0.99), "personal": parity.EXACT["float32"],
            **dict.fromkeys(code, Tolerance(1.0, 0.97)), "c99": parity.EXACT["float32"],
        },
        # Quantizing a loop kills the converter, and a step has none.
        signatures_of_format={"int8": ("step",), "int16x8": ("step",)} if model.states else {},
        derived_outputs=lambda file: {"window": {"probabilities": Recognizer(file).predict(windows)}},
        # A jolt in one of thousands of frames would widen the steps of 8 bits for all others. Without the largest
        # values, integers name another class than Keras for 1.0 % of windows of 26 people, with them for 2.3 %.
        calibration={"step": states | {"frame": clipped(states["frame"])}} if model.states
        else {"window": {"window": calibration}},
        extra_formats={"personal": signatures.personal},
        sources={"kotlin": embedding.kotlin, "swift": embedding.swift},
        code=code,
        score=score,
        simulated=data is None,
    )  # fmt: skip
