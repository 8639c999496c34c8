"""Sources for apps hold the constants of the file. That they stream as `zoo.runtime` does: tests/streams."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from running import refused

from zoo.activity.device import groups_of
from zoo.catalog import PRESETS_FOLDER
from zoo.exporting import embedding
from zoo.runtime import Recognizer
from zoo.runtime.metadata import INERTIAL, Streaming, embed

FILE = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"
LANGUAGES = {"kt": embedding.KOTLIN, "swift": embedding.SWIFT}


def metadata(**changes):
    return replace(Recognizer(FILE).metadata, **changes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sources_hold_what_the_file_says(language, tmp_path):
    paths = LANGUAGES[language].write(FILE, tmp_path)
    names = [f"{name}.{language}" for name in ("Model", "Stream", "ActivityRecognizer")]
    assert [path.name for path in paths] == [*names, FILE.name]
    known, text = metadata(), paths[0].read_text()
    numbers = dict(re.findall(r"(?:const val|static let) (\w+) = ([\d.]+)", text))
    numbers = {name.lower(): float(value) for name, value in numbers.items()}
    frame = known.frame
    expected = {"rate": known.rate, "frame": frame, "advance": frame, "channels": 3, "threshold": known.threshold}
    expected |= {"other": known.other_class, "steps": 1}
    assert numbers == expected | {name: value for name, value in vars(known.streaming).items() if name != "groups"}
    assert dict(re.findall(r'(?i)(signature|input) = "(\w+)"', text.lower())) == {"signature": "step", "input": "frame"}
    assert re.findall(r'"(\w+)"', re.search(r"(?i)labels = (.*)", text).group(1)) == list(known.classes)
    assert re.findall(r'"(\w+)"(?: to|:) (\d+)', text) == [(name, str(size)) for name, size in known.states.items()]
    assert known.weights_sha256 in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_a_user_stays_text(language):
    classes = ('say "hi"', "a\\b", "${rate} \\(rate)", "two\nlines")
    facts = {"source": "two\nlines", "preset": "x\nimport evil", "license": "a\u2028b", "simulated": True}
    text = LANGUAGES[language].constants(metadata(classes=classes, **facts), "my.tflite")
    head = text.splitlines()[:3]
    assert all(line.startswith("//") for line in head)
    assert [line for line in text.splitlines() if "evil" in line] == [head[0]]
    lines = r'"two\nlines"' if language == "kt" else r'"two\u{a}lines"'
    for part in ("two lines", "SIMULATED", r'"say \"hi\""', r'"a\\b"', r"\\(rate)", lines):
        assert part in text
    assert (r"\${rate}" in text) == (language == "kt")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_without_states_reads_windows(language, convolutional_files):
    text = (convolutional_files / f"Model.{language}").read_text().lower()
    numbers = dict(re.findall(r"(?:const val|static let) (\w+) = ([\d.]+)", text))
    expected = {"frame": "40", "advance": "20", "copies": "1", "warmup": "0", "restart": "0"}
    assert {name: numbers[name] for name in expected} == expected
    assert dict(re.findall(r'(signature|input) = "(\w+)"', text)) == {"signature": "window", "input": "window"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_groups_are_a_line_each_and_a_gyroscope_is_named(language):
    lines = {
        "kt": ["Group(intArrayOf(0, 0, 1), 20.0, doubleArrayOf(30.0, 30.0)),",
               "Group(intArrayOf(0, 1, -1), 3.0, doubleArrayOf(30.0, 30.0))"],
        "swift": ["Group(part: [0, 0, 1], evidence: 20.0, stay: [30.0, 30.0]),",
                  "Group(part: [0, 1, -1], evidence: 3.0, stay: [30.0, 30.0])"],
    }  # fmt: skip
    classes = ("sitting", "standing", "walking")
    grouped = metadata(classes=classes, streaming=Streaming(groups=groups_of(classes)), axes=INERTIAL)
    alone = metadata(classes=("only",), streaming=Streaming())
    text, other = (LANGUAGES[language].constants(each, "my.tflite") for each in (grouped, alone))
    assert [line.strip() for line in text.splitlines() if " Group(" in line] == lines[language]
    assert re.search(r"(?i)channels = 6 +// x, y, z, gyro_x, gyro_y, gyro_z\n", text)
    assert "// Rotation rate in rad/s about the same axes, by the right-hand rule." in text
    assert " Group(" not in other
    assert "Rotation" not in other


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_of_another_unit_is_refused(language, tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(FILE.read_bytes())
    embed(file, metadata(unit="g"))
    says = r"model\.tflite: metadata: 'unit' is \"g\"; expected \"m/s\^2\""
    refused(says, LANGUAGES[language].write, file, tmp_path / "out")


def test_the_android_app_has_the_files_that_it_names_and_calls_what_they_define(tmp_path):
    app = Path(__file__).parents[2] / "examples" / "android"
    readme, manifest = (app / "README.md").read_text(), (app / "src/main/AndroidManifest.xml").read_text()
    service = (app / "src/main/java/pocketzoo/RecognitionService.kt").read_text()
    written = {path.name: path for path in embedding.KOTLIN.write(FILE, tmp_path)}
    assert set(re.findall(r"^\| `([\w.]+)` \|", readme, re.MULTILINE)) == {*written}
    for file in [*re.findall(r"\]\(([^)]+)\)", readme), "build.gradle.kts", "src/main/AndroidManifest.xml"]:
        assert (app / file).is_file(), file
    for file in re.findall(r"`(tests/[^`]*)`", readme):
        assert (app.parents[1] / file).is_file(), file
    (library,) = re.findall(r"`(implementation\(.*?\))`", readme)
    assert library in (app / "build.gradle.kts").read_text()
    called = set(re.findall(r"recognizer\.(\w+)\(", service))
    recognizer = written["ActivityRecognizer.kt"].read_text()
    assert called == {"start", "close"} <= set(re.findall(r"fun (\w+)\(", recognizer))
    assert "class ActivityRecognizer(context: Context, private val onPrediction: (Prediction) -> Unit)" in recognizer
    assert "ActivityRecognizer(this) { prediction -> show(prediction.label ?:" in service
    # Android starts no service of a type that the manifest lacks, or without the permission for it.
    assert "FOREGROUND_SERVICE_TYPE_HEALTH" in service
    for part in (
        'foregroundServiceType="health"',
        "FOREGROUND_SERVICE_HEALTH",
        "HIGH_SAMPLING_RATE_SENSORS",
        "WAKE_LOCK",
    ):
        assert part in manifest, part


def test_export_writes_them_next_to_the_file(convolutional_files):
    sources = {f"{name}.{end}" for name in ("Model", "Stream", "ActivityRecognizer") for end in LANGUAGES}
    files = {"model.float32.tflite", "model.int8.tflite"}
    assert {path.name for path in convolutional_files.iterdir()} == sources | files
