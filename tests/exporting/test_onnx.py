"""ONNX files answer in ONNX Runtime what the model answers in Keras, and say what they are."""

import json
import signal
import sys

import keras
import numpy as np
import pytest
from keras import layers
from running import python, refused

import zoo
from zoo.runtime.metadata import Metadata, extract

onnxruntime = pytest.importorskip("onnxruntime")

RANDOM = np.random.default_rng(3)


def answers(file, **inputs):
    """What a file returns, by name; each of its inputs is given."""
    session = onnxruntime.InferenceSession(file)
    assert {tensor.name for tensor in session.get_inputs()} == set(inputs)
    assert all(tensor.shape[0] == "batch" for tensor in (*session.get_inputs(), *session.get_outputs()))
    return dict(zip([tensor.name for tensor in session.get_outputs()], session.run(None, inputs), strict=True))


def in_steps(file, model, windows):
    """The probabilities after the last frame of windows, which are read frame by frame."""
    states = {name: np.zeros((len(windows), size), "float32") for name, size in model.states.items()}
    for start in range(0, model.window, model.frame):
        found = answers(file, frame=windows[:, start : start + model.frame], **states)
        assert set(found) == {"probabilities", *(f"new_{name}" for name in states)}
        states = {name: found[f"new_{name}"] for name in states}
    return found["probabilities"]


@pytest.mark.slow
@pytest.mark.parametrize("preset", zoo.list_presets())
def test_the_files_of_each_preset_answer_what_keras_answers(preset, tmp_path):
    (artifact,) = zoo.export(preset, tmp_path / "out", "onnx")
    assert artifact.file == tmp_path / "out" / "onnx"
    assert artifact.largest_error <= 1e-5
    model, files = zoo.Model.from_preset(preset), {path.stem: path for path in artifact.file.glob("*.onnx")}
    if preset.startswith("activity"):
        windows = RANDOM.normal((0, 0, 9.8), 4, (5, model.window, 3)).astype("float32")
        expected = zoo.predict(preset, windows).probabilities
        assert set(files) == ({"window", "step"} if model.states else {"window"})
        np.testing.assert_allclose(answers(files["window"], window=windows)["probabilities"], expected, atol=1e-5)
        if model.states:
            np.testing.assert_allclose(in_steps(files["step"], model, windows), expected, atol=1e-5)
    elif preset.startswith("sparse"):
        rgb = RANDOM.random((5, 3, 16, 16), "float32")
        code = answers(files["encode"], rgb=rgb)["code"]
        whole = answers(files["reconstruct"], rgb=rgb)
        np.testing.assert_allclose(code, zoo.predict(preset, rgb).codes, atol=1e-5)
        np.testing.assert_allclose(answers(files["decode"], code=code)["patch"], whole["patch"], atol=1e-5)
        assert whole["luminance"].shape == (5, 16, 16)
    else:
        ids = RANDOM.integers(0, 250, (5, 3)).astype("int32")
        found = answers(files["next_word"], ids=ids)
        np.testing.assert_allclose(found["probabilities"], zoo.predict(preset, ids).probabilities, atol=1e-5)
        np.testing.assert_array_equal(found["top_ids"][:, 0], found["probabilities"].argmax(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["convolutions", "lstm"])
def test_a_network_of_ones_own_is_exported_with_its_normalization_and_gelu(kind, tmp_path):
    body = {
        "convolutions": [layers.Conv1D(8, 5, activation="gelu"), layers.GlobalMaxPooling1D()],
        "lstm": [layers.LSTM(6, return_sequences=True), layers.LSTM(6)],
    }[kind]
    # More numbers than TensorFlow stores in a graph by itself.
    mean, variance = RANDOM.normal(size=(40, 6)), RANDOM.uniform(5, 9, (40, 6))
    normalization = layers.Normalization(axis=(1, 2), mean=mean.tolist(), variance=variance.tolist())
    network = keras.Sequential([keras.Input((40, 6)), normalization, *body, layers.Dense(3, activation="softmax")])
    adopted = zoo.adopt(network, classes=["lie", "sit", "walk"], rate=50.0)
    adopted.save(tmp_path / "mine.keras")
    # One that was loaded has not been called yet.
    (artifact,) = zoo.export(tmp_path / "mine.keras", tmp_path / "out", "onnx")
    windows = RANDOM.normal(0, 4, (7, 40, 6)).astype("float32")
    found = answers(artifact.file / "window.onnx", window=windows)["probabilities"]
    np.testing.assert_allclose(found, network(windows), atol=1e-5)


def test_each_file_and_the_document_beside_it_say_what_a_tflite_file_says(tmp_path):
    model = zoo.ActivityRNN(
        units=3, frame=25, window=50, rate=20.0, classes=("ä", "b"), mean=(0.0, 0.0, 9.8), variance=(4.0, 4.0, 4.0),
        provenance={"subjects": ["wisdm/1", "wisdm/2"]},
    )  # fmt: skip
    zoo.export(model, tmp_path / "out", "onnx,float32")
    known = extract(tmp_path / "out" / "model.float32.tflite")
    assert (known.classes, known.rate, known.unit) == (("ä", "b"), 20.0, "m/s^2")
    for name in ("window", "step"):
        session = onnxruntime.InferenceSession(tmp_path / "out" / "onnx" / f"{name}.onnx")
        document = json.loads(session.get_modelmeta().custom_metadata_map["pocket_zoo"])
        assert Metadata.from_json(document, name) == known
    assert json.loads((tmp_path / "out" / "onnx" / "metadata.json").read_text()) == document


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)  # as if it were not installed
    says = r"format onnx needs tf2onnx: pip install 'pocket-zoo\[onnx\]'"
    refused(says, zoo.export, "activity_gru_tiny", tmp_path / "out", ["keras", "onnx"])
    assert not (tmp_path / "out").exists()


def test_a_network_that_cannot_be_converted_is_named_with_the_operation_and_the_rest_is_written(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Bessel(layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.math.bessel_i0(x)

    network = keras.Sequential([keras.Input((4, 3)), Bessel(), layers.Flatten(), layers.Dense(2)])
    adopted = zoo.adopt(network, classes=["a", "b"], rate=50.0)
    says = "onnx: the signature 'window' cannot be .*BesselI0.*leave this format out.*written without it: keras"
    refused(says, zoo.export, adopted, tmp_path / "out", ["onnx", "keras"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model.keras", "config.json"}


KILLED = """
import os, signal, sys
from tf2onnx import tfonnx

convert, done = tfonnx.process_tf_graph, []

def killed(*arguments, **options):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(True)
    return convert(*arguments, **options)

tfonnx.process_tf_graph = killed
import zoo
zoo.export("activity_gru_tiny", sys.argv[1], "keras,onnx")
"""


@pytest.mark.process
def test_of_a_conversion_that_is_killed_after_the_first_file_nothing_is_left(tmp_path):
    run = python("-c", KILLED, tmp_path / "out")
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert not (tmp_path / "out").exists()
    zoo.export("activity_gru_tiny", tmp_path / "out", "onnx")
    assert {path.name for path in (tmp_path / "out" / "onnx").iterdir()} == {
        "window.onnx",
        "step.onnx",
        "metadata.json",
    }


@pytest.mark.parametrize("command", ["predict", "evaluate", "info", "stream --simulate walking"])
def test_commands_that_read_models_name_the_files_that_they_read(command, tmp_path, zoo_cli):
    (tmp_path / "window.onnx").write_bytes(b"\x08\x08")
    words = command.split()
    status, out, err = zoo_cli(words[0], tmp_path / "window.onnx", *words[1:])
    assert (status, out) == (1, "")
    assert "window.onnx: expected a" in err
    assert ".tflite file" in err
