"""Sources for apps hold the constants of the file; where a compiler is installed, they stream as `zoo.runtime` does."""

import math
import os
import re
import shutil
import subprocess
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from zoo import ActivityCNN, ActivityGRU
from zoo.activity.groups import groups_of
from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError
from zoo.exporting import c99, embedding
from zoo.runtime import Recognizer, Stream
from zoo.runtime.metadata import CLASSES, INERTIAL, Streaming, embed
from zoo.runtime.streaming import LIMIT

FILE = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"
WRITE = {"kt": embedding.kotlin, "swift": embedding.swift}
CONSTANTS = {"kt": embedding.kotlin_constants, "swift": embedding.swift_constants}

SETTINGS = {
    "as trained": Streaming(),
    "one state for ever": Streaming(restart=0, copies=1, warmup=0),
    "a tree of groups": Streaming(restart=60, copies=4, warmup=15, margin=0.0, groups=groups_of(CLASSES)),
}


def metadata(**changes):
    return replace(Recognizer(FILE).metadata, **changes)


@pytest.mark.parametrize("language", WRITE)
def test_the_sources_hold_what_the_file_says(language, tmp_path):
    paths = WRITE[language](FILE, tmp_path)
    assert [path.name for path in paths] == [
        f"Model.{language}", f"Stream.{language}", f"ActivityRecognizer.{language}", FILE.name
    ]  # fmt: skip
    known, text = metadata(), paths[0].read_text()
    numbers = dict(re.findall(r"(?:const val|static let) (\w+) = ([\d.]+)", text))
    numbers = {name.lower(): float(value) for name, value in numbers.items()}
    frame = known.frame
    expected = {"rate": known.rate, "frame": frame, "advance": frame, "channels": 3, "threshold": known.threshold}
    assert numbers == expected | {name: value for name, value in vars(known.streaming).items() if name != "groups"}
    assert "0, 1, 2, 3, 4, 5" in text
    assert dict(re.findall(r'(?i)(signature|input) = "(\w+)"', text.lower())) == {"signature": "step", "input": "frame"}
    assert re.findall(r'"(\w+)"', re.search(r"(?i)labels = (.*)", text).group(1)) == list(known.classes)
    assert re.findall(r'"(\w+)"(?: to|:) (\d+)', text) == [(name, str(size)) for name, size in known.states.items()]
    assert known.weights_sha256 in text


@pytest.mark.parametrize("language", WRITE)
def test_text_of_a_user_stays_text(language):
    classes = ('say "hi"', "a\\b", "${rate} \\(rate)", "two\nlines")
    foreign = metadata(
        classes=classes, source="two\nlines", preset="x\nimport evil", license="a\u2028b", simulated=True
    )
    text = CONSTANTS[language](foreign, "my.tflite")
    head = text.splitlines()[:3]
    assert all(line.startswith("//") for line in head)
    assert [line for line in text.splitlines() if "evil" in line] == [head[0]]
    assert "two lines" in text
    assert "SIMULATED" in text
    assert r'"say \"hi\""' in text
    assert r'"a\\b"' in text
    assert (r"\${rate}" in text) == (language == "kt")
    assert r"\\(rate)" in text
    assert (r'"two\nlines"' if language == "kt" else r'"two\u{a}lines"') in text


@pytest.mark.parametrize("language", WRITE)
def test_a_model_without_states_reads_windows(language, convolutional_files):
    text = (convolutional_files / f"Model.{language}").read_text().lower()
    numbers = dict(re.findall(r"(?:const val|static let) (\w+) = ([\d.]+)", text))
    expected = {"frame": "40", "advance": "20", "copies": "1", "warmup": "0", "restart": "0"}
    assert {name: numbers[name] for name in expected} == expected
    assert dict(re.findall(r'(signature|input) = "(\w+)"', text)) == {"signature": "window", "input": "window"}


@pytest.mark.parametrize("language", WRITE)
def test_a_model_that_reads_a_gyroscope_says_so(language):
    text = CONSTANTS[language](metadata(axes=INERTIAL), "my.tflite")
    assert re.search(r"(?i)channels = 6 +// x, y, z, gyro_x, gyro_y, gyro_z\n", text)
    assert "// Rotation rate in rad/s about the same axes, by the right-hand rule." in text
    assert "Rotation" not in CONSTANTS[language](metadata(), "my.tflite")


@pytest.mark.parametrize("language", WRITE)
def test_a_file_without_the_signature_is_refused(language, tmp_path):
    file = PRESETS_FOLDER / "activity_gru_pocket" / "model.personal.tflite"
    with pytest.raises(ZooError, match=r"model\.personal\.tflite: has no signature 'step'; export it again as float32"):
        WRITE[language](file, tmp_path)


def test_a_model_of_another_unit_is_refused(tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(FILE.read_bytes())
    embed(file, metadata(unit="g"))
    with pytest.raises(ZooError, match=r"model\.tflite: metadata: 'unit' is \"g\"; expected \"m/s\^2\""):
        embedding.kotlin(file, tmp_path / "out")


def samples():
    """A signal with jitter, two rates, a gap, a clock that is set back, and samples of every fault."""
    random = np.random.default_rng(0)
    steps = np.concatenate(
        [random.uniform(0.012, 0.021, 400), [1.5], random.uniform(0.005, 0.011, 600), [-50.0], [0.015] * 200]
    )
    rows = np.cumsum(random.normal(0, 1, (len(steps), 3)), axis=0).astype(np.float32)
    rows = np.clip(rows, -LIMIT, LIMIT)
    good = np.column_stack([np.cumsum(steps), rows]).tolist()
    time = good[100][0]
    faulty = [
        good[50], [time, 1e30, 0.0, 0.0], [time, 0.0, -161.0, 0.0], [time + 3600, 1.0, 1.0, 1.0],
        [time - 3600, 1.0, 1.0, 1.0], [time, math.nan, 0.0, 0.0], [math.inf, 0.0, 0.0, 0.0],
    ]  # fmt: skip
    return [*good[:100], *faulty, *good[100:]]


def turning(known):
    """The same samples; for a model with a gyroscope, with rotation rates that a float holds, and two more faults."""
    if known.axes != INERTIAL:
        return samples()
    six = [(time, *values, *(value / 8 for value in reversed(values))) for time, *values in samples()]
    # Just after a sample, so that nothing else is wrong with them.
    return [*six[:60], (six[59][0] + 1e-4, 0, 0, 0, 0, 101, 0), (six[59][0] + 1e-4, 0, 0, 0, math.nan, 0, 0), *six[60:]]


def skipped(known):
    more = {"beyond 100 rad/s": 1, "not finite": SKIPPED["not finite"] + 1} if known.axes == INERTIAL else {}
    return SKIPPED | more


SKIPPED = {
    "not later than the one before": 1, "beyond 160 m/s^2": 2, "time stamps that no other confirms": 2,
    "not finite": 2, "gaps": 2,
}  # fmt: skip


def step(frame, states):
    """A network that can be written in a line of any language; with states or without."""
    carried = states["h_1"][:, :1] if states else np.float32(0)
    signal = np.float32(0.9) * carried + np.abs(frame[:, 0, :1]) + np.abs(frame[:, -1, -1:])
    scores = np.abs(np.sin(np.float64(signal[0, 0]) * np.arange(1, 7)))
    return (scores / scores.sum()).astype(np.float32)[None], {name: np.repeat(signal, 32, 1) for name in states}


def expected(known):
    stream = Stream(known, step)
    predictions = list(stream.feed(turning(known)))
    assert stream.skipped == skipped(known)
    return predictions


KOTLIN = """
import kotlin.math.abs
import kotlin.math.sin

fun main() {
    val stream = Stream { frame, states ->
        val signal = 0.9f * (states["h_1"]?.get(0) ?: 0f) + abs(frame[0]) + abs(frame.last())
        val scores = DoubleArray(6) { abs(sin(signal.toDouble() * (it + 1))) }
        val sum = scores.sum()
        Pair(FloatArray(6) { (scores[it] / sum).toFloat() },
             states.mapValues { FloatArray(32) { signal } })
    }
    for (line in generateSequence(::readLine)) {
        val java = line.replace("nan", "NaN").replace("inf", "Infinity")
        val (time, x, y, z) = java.split(" ").map { it.toDouble() }
        val more = java.split(" ").drop(4).map { it.toFloat() }.toFloatArray()
        for (p in stream.push(time, x.toFloat(), y.toFloat(), z.toFloat(), *more)) {
            println("${p.seconds} ${p.label} ${p.probability} ${p.probabilities.joinToString(" ")}")
        }
    }
    for ((reason, count) in stream.skipped) println("$count $reason")
}
"""

SWIFT = """
let stream = Stream { frame, states in
    let signal = Float(0.9) * (states["h_1"]?[0] ?? 0) + abs(frame[0]) + abs(frame.last!)
    let scores = (1...6).map { abs(sin(Double(signal) * Double($0))) }
    let sum = scores.reduce(0, +)
    return (scores.map { Float($0 / sum) }, states.mapValues { _ in Array(repeating: signal, count: 32) })
}
while let line = readLine() {
    let n = line.split(separator: " ").map { Double($0)! }
    let found = n.count == 4
        ? try stream.push(seconds: n[0], x: n[1], y: n[2], z: n[3])
        : try stream.push(seconds: n[0], sample: Array(n.dropFirst()))
    for p in found {
        print(p.seconds, p.label ?? "null", p.probability, p.probabilities.map { String($0) }.joined(separator: " "))
    }
}
for (reason, count) in stream.skipped { print(count, reason) }
"""


JAVA = os.environ.get("JAVACMD", "java")


def build_kotlin(folder):
    """A package for each case, all compiled at once: the compiler takes longer to start than to compile one."""
    sources = []
    for case in folder.iterdir():
        (case / "Main.kt").write_text("package pocketzoo" + KOTLIN)
        for source in case.glob("*.kt"):
            source.write_text(source.read_text().replace("package pocketzoo", f"package {case.name}"))
            sources.append(str(source))
    jar = str(folder / "main.jar")
    subprocess.run(["kotlinc", "-nowarn", *sources, "-include-runtime", "-d", jar], check=True)
    return lambda case: [JAVA, "-cp", jar, f"{case}.MainKt"]


def _java_version():
    found = subprocess.run([JAVA, "-version"], capture_output=True, text=True, check=True).stderr
    return int(re.search(r'version "(\d+)', found)[1])


def build_swift(folder):
    for case in folder.iterdir():
        (case / "main.swift").write_text("import Foundation\n" + SWIFT)
        subprocess.run(["swiftc", *map(str, case.glob("*.swift")), "-o", str(case / "main")], check=True)
    return lambda case: [str(folder / case / "main")]


COMPILERS = {"kotlinc": ("kt", build_kotlin), "swiftc": ("swift", build_swift)}


def cases():
    """Metadata of a model with states, streamed in several ways, and of one without."""
    return {name: metadata(streaming=how) for name, how in SETTINGS.items()} | {
        "windows": metadata(states={}, window=40, hop=15),
        "gyroscope": metadata(axes=INERTIAL),
        "a threshold": metadata(threshold=0.7),
    }


@pytest.mark.process
@pytest.mark.parametrize("compiler", COMPILERS)
def test_compiled_sources_stream_as_the_runtime_does(compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed; Debian has it: apt-get install kotlin swiftlang (650 MB)")
    if compiler == "kotlinc" and _java_version() < 21:
        pytest.skip("Debian's kotlinc needs Java 21: apt-get install openjdk-21-jre-headless, and name it in JAVACMD")
    suffix, build = COMPILERS[compiler]
    for number, known in enumerate(cases().values()):
        folder = tmp_path / f"case{number}"
        folder.mkdir()
        (folder / f"Model.{suffix}").write_text(CONSTANTS[suffix](known, "model.tflite"))
        shutil.copyfile(embedding.NATIVE / f"Stream.{suffix}", folder / f"Stream.{suffix}")
    command = build(tmp_path)
    for number, (case, known) in enumerate(cases().items()):
        lines = "\n".join(" ".join(map(repr, map(float, sample))) for sample in turning(known)) + "\n"
        run = subprocess.run(command(f"case{number}"), input=lines, capture_output=True, text=True, check=True)
        output = run.stdout.splitlines()
        predictions = expected(known)
        found = [line.split() for line in output[: len(predictions)]]
        assert [line[1] for line in found] == [prediction.label or "null" for prediction in predictions], case
        numbers = np.array([[float(line[0]), *map(float, line[2:])] for line in found])
        wanted = [[p.time, p.probability, *p.probabilities] for p in predictions]
        assert np.abs(numbers - wanted).max() < 1e-6, case
        left_out = dict(line.split(" ", 1)[::-1] for line in output[len(predictions) :])
        assert left_out == {reason: str(count) for reason, count in skipped(known).items()}, case


STEP = """
#include <math.h>
#include <stdio.h>
#include "zoo_stream.h"

static void answer(const float *frame, float *state, float *probabilities)
{
    const float signal = 0.9F * *state + fabsf(frame[0]) + fabsf(frame[ZOO_FRAME * ZOO_CHANNELS - 1]);
    double scores[ZOO_CLASSES], sum = 0.0;
    for (int i = 0; i < ZOO_CLASSES; ++i) {
        scores[i] = fabs(sin((double)signal * (i + 1)));
        sum += scores[i];
    }
    for (int i = 0; i < ZOO_CLASSES; ++i)
        probabilities[i] = (float)(scores[i] / sum);
    *state = signal;
}
#if ZOO_RECURRENT
void zoo_init(zoo_state *state)
{
    state->h_1[0] = 0.0F;
}
void zoo_step(const float *frame, zoo_state *state, float *probabilities)
{
    answer(frame, state->h_1, probabilities);
}
#else
void zoo_window(const float *window, float *probabilities)
{
    float state = 0.0F;
    answer(window, &state, probabilities);
}
#endif

static void show(const zoo_prediction *p, void *context)
{
    (void)context;
    printf("%.17g %d %.17g", p->seconds, p->label, (double)p->probability);
    for (int i = 0; i < ZOO_CLASSES; ++i)
        printf(" %.17g", (double)p->probabilities[i]);
    putchar('\\n');
}

int main(void)
{
    double sample[1 + ZOO_CHANNELS];
    zoo_stream stream;
    int predictions = 0;
    zoo_stream_init(&stream);
    stream.on_prediction = show;
    while (fread(sample, sizeof sample, 1, stdin) == 1) {
        float values[ZOO_CHANNELS];
        for (int i = 0; i < ZOO_CHANNELS; ++i)
            values[i] = (float)sample[1 + i];
        predictions += zoo_stream_push(&stream, sample[0], values);
    }
    printf("%d", predictions);
    for (int reason = 0; reason < ZOO_REASONS; ++reason)
        printf(" %u", (unsigned)stream.skipped[reason]);
    return 0;
}
"""
"""A program that streams samples from its input through the network `step`."""

REASONS = (
    "not finite", "beyond 160 m/s^2", "beyond 100 rad/s", "not later than the one before",
    "time stamps that no other confirms", "gaps",
)  # fmt: skip


@pytest.fixture(scope="module")
def stream_in_c(tmp_path_factory):
    """Streams samples in C: `stream_in_c(metadata, samples) -> (predictions, skipped)`, the former as numbers."""
    if (compiler := c99.compiler.find()) is None:
        pytest.skip("needs a C compiler")
    root, programs = tmp_path_factory.mktemp("stream"), {}

    def build(known, options):
        folder = root / str(len(list(root.iterdir())))
        # Of the network, only its header counts.
        model = ActivityGRU(units=4, frame=5) if known.states else ActivityCNN(filters=2, num_blocks=1)
        describe = c99.recognizers.recurrent if known.states else c99.recognizers.convolutional
        described = describe(model, known)
        window = described.functions["window"]
        golden = {name: np.zeros(each.shape, "float32") for name, each in {**window.inputs, **window.outputs}.items()}
        c99.source.write(described, known, "c99", golden, folder)
        (folder / "main.c").write_text(STEP)
        files = [folder / "main.c", folder / "zoo_stream.c", "-lm", "-o", folder / "main"]
        subprocess.run([*compiler, *STRICT, *options, *files], check=True)
        return folder / "main"

    def run(known, samples, options=("-DZOO_REAL=double",)):
        key = repr((known, options))
        if key not in programs:
            programs[key] = build(known, options)
        given = np.array(samples, np.float64).tobytes()
        output = subprocess.run([programs[key]], input=given, capture_output=True, check=True).stdout.decode()
        *rows, counts = [list(map(float, line.split())) for line in output.splitlines()]
        assert counts[0] == len(rows)
        skipped = {reason: int(count) for reason, count in zip(REASONS, counts[1:], strict=True) if count}
        return np.array(rows).reshape(len(rows), 3 + len(known.classes)), skipped

    return run


STRICT = (
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)  # fmt: skip


def rows_of(predictions, known):
    """Predictions as rows of numbers, as the program in C prints them."""
    numbers = {None: -1} | {label: number for number, label in enumerate(known.classes)}
    rows = [[p.time, numbers[p.label], p.probability, *p.probabilities] for p in predictions]
    return np.array(rows).reshape(len(rows), 3 + len(known.classes))


def test_the_stream_in_c_is_that_of_the_runtime(stream_in_c):
    for case, known in cases().items():
        found, counts = stream_in_c(known, turning(known))
        np.testing.assert_allclose(found, rows_of(expected(known), known), atol=1e-6, err_msg=case)
        assert counts == skipped(known), case


NUMBERS = st.floats(-200, 200, width=32) | st.sampled_from([math.nan, math.inf, 160.0, -1e30])
STEPS = [0.02, 0.02, 0.02, 0.017, 0.005, 0.11, 0.0, -0.02, 0.99, 1.0, 1.01, 30.0, -30.0, math.nan]
SAMPLES = st.lists(st.tuples(st.sampled_from(STEPS), NUMBERS, NUMBERS, NUMBERS), min_size=20, max_size=120)


@hypothesis.given(SAMPLES, st.sampled_from(["as trained", "windows", "a tree of groups"]))
def test_any_samples_stream_in_c_as_in_the_runtime(stream_in_c, drawn, case):
    known, time, given = cases()[case], 5.0, []
    for elapsed, *values in drawn:
        given.append((time + elapsed, *values))
        time += 0.0 if math.isnan(elapsed) else elapsed
    stream = Stream(known, step)
    wanted = rows_of(list(stream.feed(given)), known)
    found, counts = stream_in_c(known, given)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert counts == dict(stream.skipped)


@pytest.mark.process
def test_a_million_samples_stream_in_c_as_in_the_runtime(stream_in_c):
    random, known = np.random.default_rng(0), metadata()
    times = 1e6 + np.cumsum(random.uniform(0.004, 0.016, 1_000_000))
    values = random.normal((0, 9.8, 0), 3, (len(times), 3)).astype(np.float32)
    given = np.column_stack([times, values])
    stream = Stream(known, step)
    wanted = rows_of(list(stream.feed(given)), known)
    assert not stream.skipped
    assert len(wanted) > 99_000
    exact, counts = stream_in_c(known, given)
    assert counts == {}
    np.testing.assert_allclose(exact, wanted, atol=1e-6)
    # Floats round each row, and no more after hours than at the start; their clock is a double.
    rounded, counts = stream_in_c(known, given, ("-Wdouble-promotion",))
    assert counts == {}
    np.testing.assert_allclose(rounded[:, 0], wanted[:, 0], rtol=0, atol=1e-6)
    errors = np.abs(rounded[:, 3:] - wanted[:, 3:]).max(axis=1)
    first, last = errors[:20_000], errors[-20_000:]
    assert np.quantile(first, 0.5) < 1e-3
    assert np.quantile(last, 0.5) < 1.5 * np.quantile(first, 0.5)


def test_export_writes_them_next_to_the_file(convolutional_files):
    names = {path.name for path in convolutional_files.iterdir()}
    assert names == {
        "Model.kt", "Stream.kt", "ActivityRecognizer.kt", "Model.swift", "Stream.swift", "ActivityRecognizer.swift",
        "model.float32.tflite", "model.int8.tflite",
    }  # fmt: skip
