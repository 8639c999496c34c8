"""The recognizers against their equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo import ActivityGRU, ActivityLSTM, ActivityRNN, Model, ZooError

CELLS = (ActivityRNN, ActivityLSTM, ActivityGRU)


def sigma(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(x, h, c, W, U, b):
    return np.tanh(x @ W + h @ U + b), c


def lstm_step(x, h, c, W, U, b):
    i, f, g, o = np.split(x @ W + h @ U + b, 4, axis=1)
    c = sigma(f) * c + sigma(i) * np.tanh(g)
    return sigma(o) * np.tanh(c), c


def gru_step(x, h, c, W, U, b):
    (W_z, W_r, W_h), (U_z, U_r, U_h), (b_z, b_r, b_h) = (np.split(m, 3, axis=-1) for m in (W, U, b))
    z = sigma(x @ W_z + h @ U_z + b_z)
    r = sigma(x @ W_r + h @ U_r + b_r)
    candidate = np.tanh(x @ W_h + (r * h) @ U_h + b_h)
    return z * h + (1 - z) * candidate, c


STEPS = {ActivityRNN: rnn_step, ActivityLSTM: lstm_step, ActivityGRU: gru_step}


def forward(model, windows):
    """The equations of the module's docstring, in float64."""
    weights = {v.path: v.numpy().astype(np.float64) for v in model.weights}
    config = model.get_config()
    x = windows.astype(np.float64)
    if config["mean"] is not None:
        x = (x - config["mean"]) / np.sqrt(config["variance"])
    if config["magnitude"]:
        squares = (windows.astype(np.float64) ** 2).sum(axis=-1, keepdims=True) / 9.80665**2
        x = np.concatenate([x, np.minimum(squares, 6) - 1], axis=-1)
    if config["frame"] > 1:
        frames = x.reshape(len(x), -1, config["frame"] * x.shape[-1])
        kernel = weights["frame/kernel"]
        x = frames @ kernel.reshape(-1, kernel.shape[-1]) + weights["frame/bias"]
    for layer in range(1, config["num_layers"] + 1):
        W, U, b = (
            next(w for p, w in weights.items() if p.startswith(f"cell_{layer}/") and p.endswith(f"/{kind}"))
            for kind in ("kernel", "recurrent_kernel", "bias")
        )
        h = c = np.zeros((len(x), config["units"]))
        states = []
        for t in range(x.shape[1]):
            h, c = STEPS[type(model)](x[:, t], h, c, W, U, b)
            states.append(h)
        x = np.stack(states, axis=1)
    return x[:, -1] @ weights["logits/kernel"] + weights["logits/bias"]


@pytest.mark.parametrize("cell", CELLS)
def test_the_course_network_computes_the_course_equations(cell):
    windows = np.random.default_rng(0).normal(0, 3, (4, 150, 3)).astype("float32")
    model = cell(units=16, initializer="course", seed=1)
    np.testing.assert_allclose(np.asarray(model(windows)), forward(model, windows), atol=2e-5)


@pytest.mark.parametrize("magnitude", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_framing_layers_and_normalization_compute_their_equations(cell, magnitude):
    windows = np.random.default_rng(0).normal(0, 3, (4, 60, 3)).astype("float32")
    model = cell(
        units=8, num_layers=2, frame=5, frame_units=7, window=60, mean=[0.1, -8.0, 1.0], variance=[20.0, 40.0, 24.0],
        magnitude=magnitude,
    )  # fmt: skip
    np.testing.assert_allclose(np.asarray(model(windows)), forward(model, windows), atol=1e-5)


@given(
    cell=st.sampled_from(CELLS), units=st.integers(1, 24), num_layers=st.integers(1, 3),
    frame=st.sampled_from([1, 2, 5]),
    frame_units=st.none() | st.integers(1, 9), classes=st.integers(2, 7), channels=st.sampled_from([3, 6]),
    magnitude=st.booleans(),
)  # fmt: skip
def test_the_number_of_parameters_is_that_of_the_formula(
    cell, units, num_layers, frame, frame_units, classes, channels, magnitude
):
    G, H, K, C = cell.gates, units, classes, channels + magnitude
    V = C if frame == 1 else frame_units or units
    count = (0 if frame == 1 else (frame * C + 1) * V) + (H + 1) * K
    count += sum(G * (inputs + H + 1) * H for inputs in (V, *[H] * (num_layers - 1)))
    sizes = {"units": units, "num_layers": num_layers, "frame": frame, "frame_units": frame_units, "window": 20}
    assert cell.parameter_formula(**sizes, classes=classes, channels=channels, magnitude=magnitude) == count


def test_the_course_start_is_uniform_within_the_course_limits():
    model = ActivityGRU(units=32, initializer="course")
    weights = {v.path.split("/")[-1] if "gru" in v.path else v.path: v.numpy() for v in model.weights}
    limits = {"kernel": np.sqrt(6 / 35), "recurrent_kernel": np.sqrt(6 / 64), "logits/kernel": np.sqrt(6 / 38)}
    for name, limit in limits.items():
        assert 0.9 * limit < np.abs(weights[name]).max() <= limit, name
    assert not weights["bias"].any()
    lstm = ActivityLSTM(units=64, initializer="course")
    bias = next(v for v in lstm.weights if v.path.endswith("lstm_cell/bias")).numpy()
    assert 0.8 * np.sqrt(6 / 131) < np.abs(bias).max() <= np.sqrt(6 / 131)


@pytest.mark.parametrize("rows", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_step_computes_in_the_dtype_of_the_model_whatever_that_of_its_rows(dtype, rows):
    model = ActivityGRU(units=4, frame=2, frame_activation="relu", window=4, dtype=dtype)
    window = np.random.default_rng(0).normal(0, 6, (3, 4, 3)).astype(rows)
    states = {"h_1": np.zeros((3, 4), "float32")}
    for frame in np.split(window, 2, axis=1):
        logits, states = model.step(frame, states)
    expected = model(window)
    assert logits.dtype == expected.dtype
    np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("classes", [("walking", "cycling"), ("rowing", "walking", "cycling"), ("walking", "sitting")])
def test_labels_in_common_keep_their_weights_and_new_ones_start_anew(classes):
    model = ActivityGRU(units=4, classes=("sitting", "walking"))
    model.get_layer("logits").set_weights([np.ones((4, 2)) * [1, 2], np.array([1, 2])])
    kernel, bias = model.copy(classes=classes).get_layer("logits").get_weights()
    fresh, _ = ActivityGRU(units=4, classes=classes).get_layer("logits").get_weights()
    for place, label in enumerate(classes):
        known = {"sitting": 1, "walking": 2}.get(label)
        np.testing.assert_array_equal(kernel[:, place], fresh[:, place] if known is None else [known] * 4)
        assert bias[place] == (known or 0)


def test_a_copy_with_fewer_layers_is_frozen_where_it_has_the_layer():
    model = ActivityGRU(units=4, num_layers=2)
    for layer in (model.get_layer("cell_1"), model.get_layer("cell_2")):
        layer.trainable = False
    copy = model.copy(num_layers=1)
    assert [layer.name for layer in copy.layers if layer.weights and layer.trainable] == ["logits"]


def test_another_class_than_the_saved_one_is_refused(tmp_path):
    ActivityLSTM(units=4).save_to_preset(tmp_path / "mine")
    with pytest.raises(ZooError, match="holds ActivityLSTM; expected ActivityGRU"):
        ActivityGRU.from_preset(tmp_path / "mine")


def test_of_a_folder_of_exported_files_one_is_to_be_chosen(tmp_path):
    (tmp_path / "model.int8.tflite").touch()
    with pytest.raises(ZooError, match=r"pass one of them, such as .*model.int8.tflite"):
        Model.from_preset(tmp_path)
