"""Sources for apps say what the file says; where there is a compiler, they follow a signal as `zoo.runtime` does."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError
from zoo.export import kotlin, swift
from zoo.metadata import Streaming, embed
from zoo.runtime import Recognizer, Stream

FILE = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"
LANGUAGES = {"kt": kotlin, "swift": swift}

SETTINGS = {
    "as trained": Streaming(),
    "one state for ever": Streaming(restart=0, copies=1, warmup=0),
    "no smoothing": Streaming(restart=60, copies=4, warmup=15, smoothing=0.0, margin=0.0, threshold=0.3),
}


def metadata(**changes):
    return replace(Recognizer(FILE).metadata, **changes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sources_hold_what_the_file_says(language, tmp_path):
    paths = LANGUAGES[language].write(FILE, tmp_path)
    assert [path.name for path in paths] == [
        f"Model.{language}", f"Stream.{language}", f"ActivityRecognizer.{language}", FILE.name
    ]  # fmt: skip
    known, text = metadata(), paths[0].read_text()
    numbers = dict(re.findall(r"(?:const val|static let) (\w+) = ([\d.]+)", text))
    numbers = {name.lower(): float(value) for name, value in numbers.items()}
    assert numbers == {"rate": known.rate, "frame": known.frame, "channels": 3, **vars(known.streaming)}
    assert re.findall(r'"(\w+)"', re.search(r"(?i)labels = (.*)", text).group(1)) == list(known.classes)
    assert re.findall(r'"(\w+)"(?: to|:) (\d+)', text) == [(name, str(size)) for name, size in known.states.items()]
    assert known.weights_sha256 in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_of_a_user_stays_text(language):
    classes = ('say "hi"', "a\\b", "${rate} \\(rate)")
    text = LANGUAGES[language].constants(metadata(classes=classes, source="two\nlines", simulated=True), "my.tflite")
    assert all(line.startswith("//") for line in text.splitlines()[:3])
    assert "two lines" in text
    assert "SIMULATED" in text
    assert r'"say \"hi\""' in text
    assert r'"a\\b"' in text
    assert (r"\${rate}" in text) == (language == "kt")
    assert r"\\(rate)" in text


def test_a_model_of_another_unit_is_refused(tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(FILE.read_bytes())
    embed(file, metadata(unit="g"))
    with pytest.raises(ZooError, match=r"reads x, y, z in g .* expected x, y, z in m/s\^2"):
        kotlin.write(file, tmp_path / "out")


def samples():
    """A signal with jitter, two rates, a gap, and a sample that comes twice."""
    random = np.random.default_rng(0)
    steps = np.concatenate([random.uniform(0.012, 0.021, 400), [1.5], random.uniform(0.005, 0.011, 600)])
    rows = np.cumsum(random.normal(0, 1, (len(steps), 3)), axis=0).astype(np.float32)
    signal = np.column_stack([np.cumsum(steps), rows]).tolist()
    return [*signal[:100], signal[50], *signal[100:]]


def step(frame, states):
    """A network that can be written in a line of any language."""
    signal = np.float32(0.9) * states["h_1"][:, :1] + np.abs(frame[:, 0, :1])
    scores = np.abs(np.sin(np.float64(signal[0, 0]) * np.arange(1, 7)))
    return (scores / scores.sum()).astype(np.float32)[None], {"h_1": np.repeat(signal, 32, 1), "h_2": states["h_2"]}


def expected(settings):
    known = metadata(streaming=settings)
    zeros = {name: np.zeros((1, size), np.float32) for name, size in known.states.items()}
    return list(Stream(known, step, lambda: dict(zeros), settings).feed(samples()))


KOTLIN = """
import kotlin.math.abs
import kotlin.math.sin
import pocketzoo.*

fun main() {
    val stream = Stream { frame, states ->
        val signal = 0.9f * states.getValue("h_1")[0] + abs(frame[0])
        val scores = DoubleArray(6) { abs(sin(signal.toDouble() * (it + 1))) }
        val sum = scores.sum()
        Pair(FloatArray(6) { (scores[it] / sum).toFloat() },
             mapOf("h_1" to FloatArray(32) { signal }, "h_2" to states.getValue("h_2")))
    }
    for (line in generateSequence(::readLine)) {
        val (time, x, y, z) = line.split(" ").map { it.toDouble() }
        for (answer in stream.push(time, x.toFloat(), y.toFloat(), z.toFloat())) {
            println("${answer.seconds} ${answer.label} ${answer.probability} ${answer.probabilities.joinToString(" ")}")
        }
    }
}
"""

SWIFT = """
let stream = Stream { frame, states in
    let signal = Float(0.9) * states["h_1"]![0] + abs(frame[0])
    let scores = (1...6).map { abs(sin(Double(signal) * Double($0))) }
    let sum = scores.reduce(0, +)
    return (scores.map { Float($0 / sum) }, ["h_1": Array(repeating: signal, count: 32), "h_2": states["h_2"]!])
}
while let line = readLine() {
    let n = line.split(separator: " ").map { Double($0)! }
    for answer in try stream.push(seconds: n[0], x: n[1], y: n[2], z: n[3]) {
        let numbers = answer.probabilities.map { String($0) }.joined(separator: " ")
        print(answer.seconds, answer.label ?? "null", answer.probability, numbers)
    }
}
"""


def build_kotlin(folder):
    (folder / "Main.kt").write_text(KOTLIN)
    sources = [str(folder / name) for name in ("Model.kt", "Stream.kt", "Main.kt")]
    subprocess.run(["kotlinc", "-nowarn", *sources, "-include-runtime", "-d", str(folder / "main.jar")], check=True)
    return ["java", "-jar", str(folder / "main.jar")]


def build_swift(folder):
    (folder / "main.swift").write_text("import Foundation\n" + SWIFT)
    sources = [str(folder / name) for name in ("Model.swift", "Stream.swift", "main.swift")]
    subprocess.run(["swiftc", *sources, "-o", str(folder / "main")], check=True)
    return [str(folder / "main")]


COMPILERS = {"kotlinc": (kotlin, build_kotlin), "swiftc": (swift, build_swift)}


@pytest.mark.parametrize("case", SETTINGS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_compiled_sources_follow_a_signal_as_the_runtime_does(compiler, case, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    file = tmp_path / "model.tflite"
    file.write_bytes(FILE.read_bytes())
    embed(file, metadata(streaming=SETTINGS[case]))
    language, build = COMPILERS[compiler]
    language.write(file, tmp_path)
    lines = "\n".join(" ".join(map(repr, sample)) for sample in samples()) + "\n"
    run = subprocess.run(build(tmp_path), input=lines, capture_output=True, text=True, check=True)
    found = [line.split() for line in run.stdout.splitlines()]
    answers = expected(SETTINGS[case])
    assert [line[1] for line in found] == [answer.label or "null" for answer in answers]
    numbers = np.array([[float(line[0]), *map(float, line[2:])] for line in found])
    wanted = [[answer.time, answer.probability, *answer.probabilities] for answer in answers]
    assert np.abs(numbers - wanted).max() < 1e-6


def test_export_writes_them_beside_the_file(tmp_path):
    from zoo.tasks import exporting, loading
    from zoo.tasks.activity import TASK as ACTIVITY

    loaded = loading.load("activity_gru_pocket")
    records = exporting.export(loaded, ACTIVITY.exportable(loaded, None), tmp_path / "out", ["kotlin", "swift"])
    assert [record["file"] for record in records] == ["Model.kt", "Model.swift"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "Model.kt", "Stream.kt", "ActivityRecognizer.kt", "Model.swift", "Stream.swift", "ActivityRecognizer.swift",
        "model.float32.tflite",
    }  # fmt: skip
    json.dumps(records)
