"""Stepping through a window is the same as reading it whole, and the device needs no TensorFlow for either."""

import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from running import refused

import zoo
from zoo import ActivityGRU, ActivityLSTM, ActivityRNN, loading
from zoo.activity.device import golden
from zoo.activity.task import TASK as ACTIVITY
from zoo.catalog import PRESETS_FOLDER
from zoo.exporting import formats, signatures
from zoo.runtime import Recognizer
from zoo.runtime.metadata import embed

POCKET = PRESETS_FOLDER / "activity_gru_pocket"


def exported(model, folder):
    """A float32 file of an untrained model."""
    file = folder / "model.tflite"
    model.temperature = 1.3
    formats.convert(signatures.activity(model, 10), {"float32": file}, batch=1)
    embed(file, ACTIVITY.metadata(model))
    return file


def stepped(recognizer, window, rows=None):
    """The answer and the states after a window, in steps, or in chunks of as many rows."""
    states, read = recognizer.zeros(), recognizer.chunk if rows else recognizer.step
    for part in np.split(window, len(window) // (rows or recognizer.metadata.frame)):
        probabilities, states = read(part[None], states)
    return probabilities.reshape(-1, probabilities.shape[-1])[-1], states


STATISTICS = {"mean": [0.0, 9.0, 0.0], "variance": [9.0, 16.0, 9.0]}


@pytest.mark.slow
@settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    cell=st.sampled_from([ActivityRNN, ActivityLSTM, ActivityGRU]),
    units=st.integers(1, 24),
    frame=st.sampled_from([1, 2, 3, 5]),
    num_layers=st.integers(1, 3),
    magnitude=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_network_reads_steps_and_chunks_as_a_whole_window(cell, units, frame, num_layers, magnitude, seed):
    arguments = STATISTICS | {"magnitude": magnitude, "seed": seed}
    model = cell(units=units, num_layers=num_layers, frame=frame, window=8 * frame, **arguments)
    windows = np.random.default_rng(seed).normal(0, 6, (2, 8 * frame, 3)).astype("float32")
    zeros = {name: np.zeros((2, size), "float32") for name, size in model.states.items()}
    states = zeros
    for part in np.split(windows, 8, axis=1):
        logits, states = model.step(part, states)
    several, last = model.chunk(windows, zeros)
    np.testing.assert_allclose(logits, model(windows), atol=1e-6)
    np.testing.assert_allclose(several[:, -1], logits, atol=1e-6)
    for name, value in states.items():
        np.testing.assert_allclose(last[name], value, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "frame", "num_layers"),
    [(ActivityRNN, 1, 2), (ActivityLSTM, 3, 2), (ActivityLSTM, 1, 1), (ActivityGRU, 5, 1)],
)
def test_a_file_steps_and_reads_chunks_to_the_answer_of_the_whole_window(cell, frame, num_layers, tmp_path):
    model = cell(units=9, num_layers=num_layers, frame=frame, window=20 * frame, magnitude=frame > 1, **STATISTICS)
    recognizer = Recognizer(exported(model, tmp_path))
    windows = np.random.default_rng(0).normal(0, 6, (5, 20 * frame, 3)).astype("float32")
    for window, whole in zip(windows, recognizer.predict(windows), strict=True):
        (one, states), (many, last) = (stepped(recognizer, window, rows) for rows in (None, 10 * frame))
        np.testing.assert_allclose([one, many], [whole, whole], atol=1e-6)
        for name, value in states.items():
            np.testing.assert_allclose(last[name], value, atol=1e-6)


@pytest.mark.parametrize(("kind", "error"), [("float32", 1e-6), ("dynamic", 0.02)])
def test_the_pocket_recognizer_steps_to_the_answer_of_its_windows(kind, error):
    recognizer = Recognizer(POCKET / f"model.{kind}.tflite")
    windows = golden(loading.load("activity_gru_pocket"), None)[0][:20]
    for window, whole in zip(windows, recognizer.predict(windows), strict=True):
        # Arithmetic on 8-bit weights rounds its inputs, so the two ways differ there by more.
        np.testing.assert_allclose(stepped(recognizer, window)[0], whole, atol=error)


def test_a_file_that_can_only_step_reads_windows_frame_by_frame():
    recognizer, exact = (Recognizer(POCKET / f"model.{kind}.tflite") for kind in ("int16x8", "float32"))
    assert list(recognizer.signatures) == ["step"]
    windows = golden(loading.load("activity_gru_pocket"), None)[0][:20]
    np.testing.assert_allclose(recognizer.predict(windows), exact.predict(windows), atol=0.05)


def test_a_state_or_window_of_another_shape_is_refused_and_numbers_of_any_type_are_read():
    recognizer, integers = (Recognizer(POCKET / f"model.{kind}.tflite") for kind in ("float32", "int8"))
    frame, state = np.zeros((1, 5, 3), np.float32), np.zeros((1, 7), np.float32)
    refused(r"input 'h_1' has shape \(1, 7\); expected \(1, 32\)", recognizer.step, frame, {"h_1": state})
    window = np.zeros((1, 100, 3), np.float32)
    refused(r"windows of shape \(1, 100, 3\); expected \(N, 150, 3\)", recognizer.predict, window)
    for each in (recognizer, integers):
        frames = frame, frame.astype(float), frame.astype(int)
        answers = [each.run("step", frame=one, **each.zeros())["probabilities"] for one in frames]
        np.testing.assert_array_equal(answers[1:], answers[:1] * 2)


DOORS = {
    "predict": lambda recognizer, rows: recognizer.predict(rows[None]),
    "recognize": lambda recognizer, rows: recognizer.recognize(rows[None].tolist()),
    "step": lambda recognizer, rows: recognizer.step(rows[None, :5], recognizer.zeros()),
    "chunk": lambda recognizer, rows: recognizer.chunk(rows[None, :50], recognizer.zeros()),
    "run": lambda recognizer, rows: recognizer.run("step", frame=rows[None, :5], **recognizer.zeros()),
}
CASES = [(kind, door) for kind in ("float32", "int8") for door in DOORS if (kind, door) != ("int8", "chunk")]


@pytest.mark.parametrize(("kind", "door"), CASES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_get_no_answer(kind, door, bad):
    recognizer, rows = Recognizer(POCKET / f"model.{kind}.tflite"), np.full((150, 3), (0, 9.8, 0), np.float32)
    DOORS[door](recognizer, rows)
    rows[3, 1] = bad
    refused(rf"model\.{kind}\.tflite: .*holds NaN or infinity", DOORS[door], recognizer, rows)


@pytest.mark.parametrize("windows", [[["a"]], np.zeros((1, 150, 3), object), [[1.0], [1.0, 2.0]], None])
def test_windows_that_hold_no_numbers_are_refused(windows):
    says = r"windows: (holds \w+; expected an array of numbers|is no array)"
    refused(says, Recognizer(POCKET / "model.float32.tflite").predict, windows)


class _Graded:
    """Stands for a tensor of PyTorch that requires a gradient."""

    def __array__(self, *options, **further):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


@pytest.mark.parametrize(("x", "says"), [
    (_Graded(), "input: is no array .*requires grad"),
    (np.ma.masked_less(np.full((1, 150, 3), (0, 9.8, 0)), 1), "input: has masked values"),
])  # fmt: skip
def test_what_hides_its_numbers_is_refused(x, says):
    refused(says, zoo.predict, str(POCKET / "model.float32.tflite"), x)


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("activity_gru_pocket", np.full((2, 150, 3), np.nan)),
        ("sparse_autoencoder_course", np.full((2, 3, 16, 16), np.inf)),
        ("trigram_lm_course_8_64", np.array([[np.nan, 1.0, 2.0]])),
    ],
)
def test_no_door_of_python_takes_what_is_not_finite(name, x):
    refused(r"input: holds (NaN or infinity|float64)", zoo.predict, name, x)


@pytest.mark.parametrize("name", ["activity_gru_pocket", str(POCKET / "model.float32.tflite")])
@pytest.mark.parametrize("value", [1e30, -161.0])
def test_what_no_sensor_measures_is_no_signal(name, value):
    window = np.full((1, 150, 3), (0, 9.8, 0), np.float32)
    window[0, 3, 1] = value
    for predict in (partial(zoo.predict, name), Recognizer(POCKET / "model.int8.tflite").predict):
        refused(rf"holds {re.escape(f'{value:g}')}, beyond 160 m/s\^2", predict, window)


def test_windows_in_g_are_refused_and_weak_ones_are_not():
    recognizer = Recognizer(POCKET / "model.int8.tflite")
    windows = np.full((2, 150, 3), (0.1, 9.8, 0.2), np.float32)
    one, off = windows[:1], windows[:1] * (np.arange(150) < 20)[:, None]
    for count, mixed in ((2, windows / 9.8), (2, np.concatenate([one / 9.8, one.repeat(9, axis=0), one / 9.8]))):
        says = rf"windows: {count} of {len(mixed)} have a mean magnitude of 1\.00, as in g; expected m/s\^2: multiply"
        refused(says, recognizer.predict, mixed)
    for weak in (np.zeros((1, 150, 3)), np.random.default_rng(0).normal(0, 0.7, (1, 150, 3)), windows[:0], off):
        assert len(recognizer.predict(weak)) == len(weak)


def test_a_file_that_answers_nan_is_refused(tmp_path):
    model = ActivityGRU(units=4, frame=5, window=40)
    model.get_layer("logits").bias.assign(np.full(6, np.nan))
    path = exported(model, tmp_path)
    window = np.full((1, 40, 3), (0, 9.8, 0), np.float32)
    samples = np.column_stack([np.arange(200) / 50, np.tile([0.1, 9.8, 0.2], (200, 1))])
    for call, read in ((zoo.predict, (str(path), window)), (list, (Recognizer(path).stream().feed(samples),))):
        refused(r"model\.tflite: signature '\w+' returns NaN or infinity", call, *read)


SHARED = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from zoo.runtime import Recognizer

sys.setswitchinterval(1e-5)
windows = np.random.default_rng(0).normal((0, 0, 9.8), 3, (24, 150, 3)).astype(np.float32)


def follow(recognizer, start):
    rows = np.roll(windows, start, axis=0)[:3].reshape(-1, 3)
    stream = recognizer.stream()
    return [moment.probabilities.tolist() for moment in stream.feed(np.column_stack([np.arange(450) / 50, rows]))]


for file in sorted(Path(sys.argv[1]).glob("*.tflite")):
    recognizer = Recognizer(file)
    alone, moments = recognizer.predict(windows), [follow(recognizer, start) for start in range(6)]
    with ThreadPoolExecutor(8) as pool:
        rows = [pool.submit(recognizer.predict, windows[i % 24 :][:1]) for i in range(96)]
        streams = [pool.submit(follow, recognizer, start) for start in range(6)]
        assert all((row.result()[0] == alone[i % 24]).all() for i, row in enumerate(rows)), file
        assert [stream.result() for stream in streams] == moments, file
"""


@pytest.mark.process
def test_threads_share_a_recognizer():
    # Without a lock, the process ends by SIGSEGV, or a thread gets the answer to the window of another.
    assert subprocess.run([sys.executable, "-c", SHARED, POCKET], check=False).returncode == 0
