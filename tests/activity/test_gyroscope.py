"""Accelerometer and gyroscope from end to end: two made-up people whose activities only the gyroscope tells apart."""

import io
import json
import sys

import numpy as np
import pandas
import pytest
from running import refused

from zoo import loading, predict
from zoo.activity.device import golden
from zoo.runtime import Recognizer
from zoo.runtime.metadata import INERTIAL, STANDARD_GRAVITY, extract

CHANNELS = "ax,ay,az,gx,gy,gz"
RADIANS = ("--rotation-unit", "rad/s")
RATE = 50


def study(folder):
    """Two people who rest, and who turn the phone about its z axis, in which the accelerometer lies."""
    for number, who in enumerate(("ann", "ben")):
        random, times = np.random.default_rng(number), np.arange(60 * RATE) / RATE
        rows = random.normal([0, 0, STANDARD_GRAVITY, 0, 0, 0], 0.3, (len(times), 6))
        rows[:, 5] += (times >= 30) * 4 * np.sin(2 * np.pi * times)
        table = pandas.DataFrame(rows.round(4), columns=CHANNELS.split(",")).assign(who=who)
        table = table.assign(time=times, label=np.where(times < 30, "still", "turning"))
        table.to_csv(folder / f"{who}.csv", index=False)


@pytest.fixture(scope="module")
def lab(make_once, zoo_cli):
    """The folder of the study: recordings, windows, a trained model and its exported files."""

    def fill(folder):
        study(folder)

        def run(*arguments):
            status, _, err = zoo_cli(*arguments)
            assert status == 0, err

        raw, data = folder / "recordings.h5", folder / "data3.h5"
        people = (folder / "ann.csv", folder / "ben.csv")
        run("data", "import", "csv", *people, "--channels", CHANNELS, *RADIANS, "-o", raw)
        cut = ("data", "windows", raw, "--window", 50, "--hop", 25, "--test-subjects", "ben")
        run(*cut, "-o", data)
        run(*cut, "--channels", "x,y,z", "-o", folder / "three.h5")
        plain = ("--set", "ema_decay=null", "--set", "augmentation=null", "--set", "label_smoothing=0")
        # One person is trained on: validation would be a second training.
        once = ("--set", "steps=400", "--set", "parts=40", "--set", "validation=0")
        sizes = ("--model", "activity_gru", "--units", 8, "--frame", 5)
        run("train", *sizes, *once, *plain, "--data", data, "--out", folder / "model")
        formats = ("--formats", "dynamic,float32,int8,kotlin,swift")
        run("export", folder / "model", "--data", data, *formats, "--to", folder / "exported")

    return make_once("gyroscope", fill)


def rows_of(lab, who, label):
    """Seconds and six values of one person doing one thing."""
    table = pandas.read_csv(lab / f"{who}.csv")
    return table[table["label"] == label][["time", *CHANNELS.split(",")]].to_numpy()


def test_the_model_recognizes_a_person_whom_it_never_saw(lab, zoo_json):
    found = zoo_json("evaluate", lab / "model", "--data", lab / "data3.h5", "--robustness")
    for scores in (found, found["baselines"]["random_forest"]):
        assert scores["accuracy"] > 0.95
    assert found["robustness"]["turned_z"]["macro_f1"] > 0.95


def test_its_sources_read_a_gyroscope(lab):
    for name, sensor in (("ActivityRecognizer.kt", "TYPE_GYROSCOPE"), ("ActivityRecognizer.swift", "startGyroUpdates")):
        assert sensor in (lab / "exported" / name).read_text()


@pytest.mark.parametrize("kind", ["dynamic", "float32", "int8"])
def test_files_say_what_they_read_and_a_stream_of_samples_becomes_a_label(kind, lab):
    file = lab / "exported" / f"model.{kind}.tflite"
    known = extract(file)
    assert (known.axes, len(known.mean), known.unit) == (INERTIAL, 6, "m/s^2")
    for label in ("still", "turning"):
        stream = Recognizer(file).stream()
        predictions = list(stream.feed(rows_of(lab, "ben", label)))
        assert (predictions[-1].label, stream.skipped, stream.warnings) == (label, {}, [])


def test_a_stream_takes_six_values_and_leaves_out_faults(lab):
    stream = Recognizer(lab / "exported" / "model.dynamic.tflite").stream()
    refused(r"a sample of 3 values; .* reads x, y, z, gyro_x, gyro_y, gyro_z", stream.push, 0.0, 0.0, 0.0, 9.8)
    faults = [(0, 0, 9.8, 101, 0, 0), (0, 0, 161, 0, 0, 0), (0, 0, 9.8, 0, float("nan"), 0)]
    assert [stream.push(0.0, *fault) for fault in faults] == [[], [], []]
    assert stream.skipped == {"beyond 100 rad/s": 1, "beyond 160 m/s^2": 1, "not finite": 1}
    rows = np.random.default_rng(0).normal([0, 0, 9.8, 60, 0, 0], 0.1, (150, 6)).tolist()
    [*stream.feed([number / RATE, *row] for number, row in enumerate(rows))]
    assert stream.warnings == ["mean rotation rate 60, as in deg/s; expected rad/s: divide by 57.3"]


@pytest.mark.parametrize("named", [(), ("--channels", CHANNELS)])
def test_the_command_line_reads_six_columns_from_a_pipe(named, lab, zoo_cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO((lab / "ben.csv").read_text()))
    model = lab / "exported" / "model.dynamic.tflite"
    status, out, err = zoo_cli("stream", model, "--csv", "-", "--json", *named, *RADIANS)
    assert status == 0, err
    labels = [label for line in out.splitlines() if (label := json.loads(line)["label"])]
    assert (labels[0], labels[-1]) == ("still", "turning")


def test_the_command_line_predicts_windows_of_six_columns(lab, zoo_json):
    found = zoo_json("predict", lab / "exported" / "model.dynamic.tflite", "--csv", lab / "ben.csv", *RADIANS)
    settled = [row for row in found if abs(row["time"] - 30) > 1.1]
    assert np.mean([row["label"] == ("still" if row["time"] < 29 else "turning") for row in settled]) > 0.95


@pytest.mark.slow
def test_recordings_are_streamed_with_their_gyroscope(lab, tmp_path, zoo_json):
    model, options = lab / "exported" / "model.dynamic.tflite", ("--subjects", "ben", "--figures", tmp_path)
    found = zoo_json("evaluate", model, "--streaming", lab / "recordings.h5", *options)
    assert found["recordings"]["settled_accuracy"] > 0.95
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.png"]


def test_a_model_and_data_of_other_channels_are_refused_in_one_line(lab, zoo_cli):
    pocket, six = "activity_gru_pocket", ("--csv", lab / "ben.csv", "--channels", CHANNELS, *RADIANS)
    for command, line in (
        (("evaluate", lab / "model", "--data", lab / "three.h5"),
         f"three.h5: key 'tstX': windows of shape (50, 3); {lab / 'model'} expects (50, 6)"),
        (("finetune", lab / "model", "--data", lab / "three.h5", "--out", lab / "no"),
         f"three.h5: channels x, y, z; {lab / 'model'} reads x, y, z, gyro_x, gyro_y, gyro_z"),
        (("finetune", pocket, "--data", lab / "data3.h5", "--out", lab / "no"),
         f"data3.h5: channels x, y, z, gyro_x, gyro_y, gyro_z; {pocket} reads x, y, z"),
        (("predict", pocket, *six),
         f"input: windows of shape (150, 6); {pocket} expects (150, 3): leave the gyroscope out with --channels"),
        (("stream", pocket, *six), f"a sample of 6 values; {pocket} reads x, y, z"),
    ):  # fmt: skip
        status, _, err = zoo_cli(*command)
        assert status == 1, command
        assert line in " ".join(err.split()), err


@pytest.mark.parametrize("channels", [3, 6])
def test_windows_with_channels_first_are_told_from_those_of_a_gyroscope(channels):
    says = rf"windows of shape \({channels}, 150\); .* transpose windows with x.transpose"
    refused(says, predict, "activity_gru_pocket", np.ones((2, channels, 150)))


def test_a_model_is_compared_on_simulated_people_without_data(lab):
    windows, labels, calibration = golden(loading.load(str(lab / "model")), None)
    assert (windows.shape[1:], calibration.shape[1:], labels) == ((50, 6), (50, 6), None)
    assert np.ptp(windows[..., 3:]) > 1
