"""A recognizer without states has one signature, in every format, and reads a continuous signal by windows."""

import keras
import numpy as np
import pytest
from running import refused
from scipy.special import softmax

import zoo
from zoo.benchmarking import bench
from zoo.catalog import PRESETS_FOLDER
from zoo.exporting import signatures
from zoo.runtime import PersonalRecognizer, Recognizer
from zoo.runtime.filtering import Filter

WINDOWS = np.random.default_rng(1).normal(0, 4, (20, 40, 3)).astype("float32")


def test_its_only_signature_is_the_window(convolutional):
    (signature,) = signatures.activity(convolutional, 10)
    expected = softmax(np.asarray(convolutional(WINDOWS), np.float64) / 1.3, axis=1)
    assert signature.name == "window"
    np.testing.assert_allclose(signature(window=WINDOWS)["probabilities"], expected, atol=1e-6)


def test_full_integer_arithmetic_reads_the_whole_window(convolutional_files):
    exact = Recognizer(convolutional_files / "model.float32.tflite")
    rounded = Recognizer(convolutional_files / "model.int8.tflite")
    assert list(exact.signatures) == list(rounded.signatures) == ["window"]
    # No operation computes in floats: those at the ends convert.
    assert rounded.operations("window")[0] == "QUANTIZE"
    assert rounded.operations("window")[-1] == "DEQUANTIZE"
    np.testing.assert_allclose(rounded.predict(WINDOWS), exact.predict(WINDOWS), atol=0.05)


def test_it_is_streamed_by_overlapping_windows(convolutional_files):
    recognizer = Recognizer(convolutional_files / "model.float32.tflite")
    rows = np.random.default_rng(2).normal(0, 4, (120, 3)).astype("float32")
    stream = recognizer.stream()
    found = list(stream.feed((i / 50, *map(float, row)) for i, row in enumerate(rows)))
    assert [prediction.time for prediction in found] == pytest.approx([39 / 50, 59 / 50, 79 / 50, 99 / 50, 119 / 50])
    followed = Filter(stream.metadata.classes, stream.settings.groups, seconds=20 / 50)
    for prediction, start in zip(found, range(0, 100, 20), strict=True):
        answer = recognizer.predict(rows[None, start : start + 40])[0]
        np.testing.assert_allclose(prediction.probabilities, followed.update(answer), atol=1e-6)


def test_it_has_no_steps_and_is_measured(convolutional_files):
    file = convolutional_files / "model.float32.tflite"
    recognizer = Recognizer(file)
    assert recognizer.zeros() == {}
    refused("no signature 'step'; found window", recognizer.step, np.zeros((1, 1, 3), np.float32), {})
    # At 20 and then at 10 positions, a kernel of 5 rows for each channel, and a mixture of the channels; and the head.
    found = bench(file, calls=5)["signatures"]["window"]["multiply_adds"]
    assert found == 20 * (5 * 3 + 3 * 8) + 10 * (5 * 8 + 8 * 8) + 8 * 6


def test_a_loop_has_no_integers_and_the_other_formats_are_written(tmp_path):
    layers = [keras.layers.Conv1D(4, 5), keras.layers.GRU(4), keras.layers.Dense(3)]
    network = keras.Sequential([keras.Input((40, 3)), *layers])
    model, left_out = zoo.adopt(network, classes=("lie", "sit", "walk"), rate=50.0), {}
    made = zoo.export(model, tmp_path / "files", formats="float32,int8", refused=left_out)
    assert [artifact.format for artifact in made] == ["float32"]
    assert "int8: TFLite cannot compute a loop" in str(left_out["int8"])
    layers[1].unroll = True
    model = zoo.adopt(network, classes=("lie", "sit", "walk"), rate=50.0)
    assert not signatures.has_loop(model)


def test_a_file_that_learns_is_streamed_by_windows_too():
    stream = PersonalRecognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.personal.tflite").stream()
    found = list(stream.feed((i / 50, 0.1 * (i % 3), 9.8, 0.2 * (i % 2)) for i in range(300)))
    assert [prediction.time for prediction in found] == pytest.approx([149 / 50, 224 / 50, 299 / 50])
    assert {prediction.label for prediction in found} == {"standing"}
