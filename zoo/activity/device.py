"""What a recognizer takes to a device: the groups by which its stream is filtered, and all that export compares."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import runtime
from zoo.activity import metrics
from zoo.activity.evaluation import for_model, metadata_of, recognizer_of
from zoo.data.dataset import Data, DataSet
from zoo.errors import ZooError
from zoo.families import OWN, family_of
from zoo.loading import Loaded
from zoo.runtime.filtering import Group
from zoo.runtime.metadata import AXES, INERTIAL, STANDARD_GRAVITY, ActivityMetadata, were_in_g

if TYPE_CHECKING:
    from zoo.exporting.artifacts import Exportable, Outputs

STILL = 0.5
"""Standard deviation of |a| in m/s^2 below which a window is without movement."""

AT_REST = ("sitting", "standing")
_IN_MOTION = ("walking", "upstairs", "downstairs", "jogging")
_GOLDEN = 600
"""Windows that artifacts are compared on, at most."""
_LOOPED = (
    "TFLite cannot compute a loop over recurrent layers in integers, and these layers do not run step by step: use "
    "dynamic, whose weights have 8 bits, or build the layers with unroll=True, which makes a large file"
)
"""Why a network has no integer formats."""


def still_classes(train: DataSet, classes: Sequence[str]) -> list[str]:
    """The labels whose typical training window is without movement. Labels without windows are not among them."""
    spreads = [np.empty(0)] * len(classes)
    for inputs, labels in train.of_one_class(len(classes)).blocks():
        spread = np.linalg.norm(inputs[..., : len(AXES)], axis=-1).std(axis=1)
        spreads = [np.append(before, spread[labels == label]) for label, before in enumerate(spreads)]
    return [name for name, spread in zip(classes, spreads, strict=True) if len(spread) and np.median(spread) < STILL]


def groups_of(classes: Sequence[str], still: Collection[str] = (), other_class: int | None = None) -> tuple[Group, ...]:
    """The groups of the labels of a model; none for a single label.
    Labels without movement are `still`, as sitting and standing always are, and the course's other activities never.
    """
    other = [] if other_class is None else [classes[other_class]]
    further = [name for name in classes if name not in (*AT_REST, *_IN_MOTION, *other)]
    at_rest = [*AT_REST, *(name for name in further if name in still)]
    in_motion = ["jogging", *(name for name in further if name not in still)]
    stairs, on_foot = ["upstairs", "downstairs"], ["walking", "upstairs", "downstairs"]
    moving = [*on_foot, *in_motion]
    # The evidence of each group, and its parts with the mean seconds for which each lasts.
    divisions: list[tuple[float, list[tuple[list[str], float]]]] = [
        (2.0, [(at_rest + moving, 120.0), (other, 20.0)]),
        (20.0, [(at_rest, 30.0), (moving, 30.0)]),
        (3.0, [([name], 30.0) for name in at_rest]),
        (3.0, [(on_foot, 30.0), *(([name], 30.0) for name in in_motion)]),
        (0.3, [(["walking"], 120.0), (stairs, 20.0)]),
        (1.5, [([name], 15.0) for name in stairs]),
    ]
    groups = []
    for evidence, parts in divisions:
        present = {tuple(name for name in classes if name in part): stay for part, stay in parts}
        present.pop((), None)
        # Of one part alone, nothing is divided.
        if len(present) > 1:
            groups.append(Group(parts=tuple(present), evidence=evidence, stay=tuple(present.values())))
    return tuple(groups)


def golden_windows(windows: DataSet) -> DataSet:
    """The windows to compare artifacts on: of each class its share, evenly spaced."""
    by_class = np.argsort(windows.labels, kind="stable")
    chosen = by_class[np.linspace(0, len(by_class) - 1, min(_GOLDEN, len(by_class))).astype(int)]
    return windows.where(np.isin(np.arange(len(windows)), chosen))


def encountered_states(
    model: Any, windows: NDArray[np.float32], *counts: int
) -> list[dict[str, NDArray[np.float32]]]:  # fmt: skip
    """Frames, and the states in which a recognizer encounters them as it streams windows, one from each window.
    For each count of frames: `frame` or `frames`, `(N, count * model.frame, channels)`, and each state `(N, units)`.
    """
    size, steps = model.frame, windows.shape[1] // model.frame
    states = {name: np.zeros((len(windows), units), np.float32) for name, units in model.states.items()}
    places = [np.arange(len(windows)) % (steps - count + 1) for count in counts]
    encountered = list[dict[str, Any]]()
    for at, count in zip(places, counts, strict=True):
        rows = windows[np.arange(len(windows))[:, None], size * at[:, None] + np.arange(count * size)]
        start = {name: value.copy() for name, value in states.items()}
        encountered.append({"frame" if count == 1 else "frames": rows} | start)
    for step in range(1, max(int(at.max()) for at in places) + 1):
        _, last = model.step(windows[:, (step - 1) * size : step * size], states)
        states = {name: np.asarray(value) for name, value in last.items()}
        for inputs, at in zip(encountered, places, strict=True):
            for name, value in states.items():
                inputs[name][at == step] = value[at == step]
    return encountered


def clipped(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limits values to the range of 99.8 % of them."""
    return np.clip(rows, *np.quantile(rows, (0.001, 0.999))).astype(np.float32)


def golden(
    loaded: Loaded, data: Data | None
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, NDArray[np.float32]]:
    """Windows to compare artifacts on, their labels, and windows to calibrate on: of the test and the training set.
    Training windows, where there is no test set, and simulated ones, without any data, have no labels.
    """
    metadata = metadata_of(loaded)
    if data is None:
        from zoo.activity import simulate
        from zoo.activity.cutting import Windowing

        cut = Windowing(metadata.window, metadata.hop, metadata.rate)
        gyroscope = metadata.axes == INERTIAL
        # Long enough for a few windows of any length.
        seconds = max(30.0, 3 * metadata.window / metadata.rate)
        people = simulate.simulate(8, seed=7, seconds=seconds, rate=metadata.rate, gyroscope=gyroscope)
        windows = np.concatenate([cut.windows(recording) for recording in people])
        return windows[: len(windows) // 2], None, windows[len(windows) // 2 :]
    data = for_model(loaded, data)
    train, test = (part.of_one_class(len(data.classes)) for part in (data.train, data.test))
    windows, labels = golden_windows(test if len(test) else train).centers(metadata.window)
    calibration, _ = golden_windows(data.train).centers(metadata.window)
    # Scores of training windows would pass for those of a test.
    return windows, labels if len(test) else None, calibration


def _require_unit(name: str, metadata: ActivityMetadata) -> None:
    """Refuses a model whose normalization was fitted on data in g: files state m/s^2, and phones measure it."""
    if were_in_g(metadata.mean, metadata.variance):
        raise ZooError(
            f"{name}: the normalization is of data in g; expected {metadata.unit}: multiply the windows by "
            f"{STANDARD_GRAVITY} and train again"
        )


def exportable(loaded: Loaded, data: Data | None) -> "Exportable":
    """What export must know of a recognizer."""
    # Exporters are imported by those who need them.
    from zoo.exporting import embedding, signatures
    from zoo.exporting.artifacts import EXACT, Exportable, Tolerance
    from zoo.exporting.c99 import families

    model, metadata = recognizer_of(loaded), metadata_of(loaded)
    _require_unit(loaded.name, metadata)
    windows, labels, calibration = golden(loaded, data)
    (states,) = encountered_states(model, calibration, 1) if model.states else ({},)

    def score(outputs: Mapping[str, "Outputs"]) -> dict[str, float]:
        if labels is None or (labels == model.other_class).all():
            return {}
        return metrics.score(labels, outputs["window"]["probabilities"].argmax(axis=1), model.other_class)

    inputs: dict[str, Mapping[str, NDArray[np.float32]]] = {"window": {"window": windows}}
    if model.states:
        inputs["step"], inputs["chunk"] = encountered_states(model, windows, 1, metadata.chunk)
    described = families.recurrent if model.states else families.convolutional
    # Plain C is written for networks whose layers are known.
    in_c = () if family_of(model) == OWN else ("c99", "c99_int8")
    code = dict.fromkeys(in_c, partial(described, metadata=metadata))
    return Exportable(
        lambda model: signatures.activity(model, metadata.chunk),
        inputs,
        # Rounding moves probabilities near a boundary between classes, so the label counts as well. The largest
        # errors of the presets are .014, .09, .31, .43 and .03, in this order.
        EXACT | {
            "float16": Tolerance(0.05, 0.995), "dynamic": Tolerance(0.2, 0.995), "int16x8": Tolerance(0.5, 0.99),
            "int8": Tolerance(0.6, 0.97), "personal": EXACT["float32"], **dict.fromkeys(code, Tolerance(0.2, 0.97)),
            **({"c99": EXACT["float32"]} if code else {}),
        },
        # Quantizing a loop kills the converter, and a step has none. A call of ONNX Runtime is cheap without a chunk.
        signatures_of_format={"int8": ("step",), "int16x8": ("step",), "onnx": ("window", "step")}
        if model.states else {},
        impossible=dict.fromkeys(("int8", "int16x8"), _LOOPED) if signatures.has_loop(model) else {},
        derived_outputs=lambda file: {"window": {"probabilities": runtime.Recognizer(file).predict(windows)}},
        # A jolt in one of thousands of frames would widen the steps of 8 bits for all others. Without the largest
        # values, integers name another class than Keras for 1.0 % of windows of 26 people, with them for 2.3 %; of
        # `activity_cnn_pocket`, for 0.9 and 3.4 % of the windows of people whom networks had not seen.
        calibration={"step": states | {"frame": clipped(states["frame"])}} if model.states
        else {"window": {"window": clipped(calibration)}},
        extra_formats={"personal": signatures.personal},
        sources={"kotlin": embedding.KOTLIN.write, "swift": embedding.SWIFT.write},
        code=code,
        score=score,
        simulated=data is None,
    )  # fmt: skip
