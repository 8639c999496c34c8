"""Streams in C, TypeScript, Kotlin and Swift are those of `zoo.runtime`, in numbers and in what they drop."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from running import bundled
from streams import golden

from zoo import ActivityCNN, ActivityGRU
from zoo.exporting import c99, embedding
from zoo.runtime.streaming import SOMETHING_ELSE

HERE = Path(__file__).parent
MODELS, STREAMS = golden.read()

STRICT = (
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)  # fmt: skip

JAVA = os.environ.get("JAVACMD", "java")


def _java_version():
    found = subprocess.run([JAVA, "-version"], capture_output=True, text=True, check=True).stderr
    return int(re.search(r'version "(\d+)', found)[1])


def _model(metadata):
    """A model in C of which only the header counts."""
    arguments = {"classes": metadata.classes}
    if metadata.states:
        return c99.families.recurrent(ActivityGRU(units=4, frame=5, **arguments), metadata)
    return c99.families.convolutional(ActivityCNN(filters=2, num_blocks=1, **arguments), metadata)


def write_c(metadata, folder):
    """Writes the sources of a program in C."""
    described = _model(metadata)
    window = described.functions["window"]
    numbers = {name: np.zeros(each.shape, "float32") for name, each in {**window.inputs, **window.outputs}.items()}
    c99.source.write(described, metadata, "c99", numbers, folder)
    shutil.copyfile(HERE / "main.c", folder / "main.c")


def compile_c(folder, *options):
    """Compiles it; returns its command."""
    if (compiler := c99.source.find_compiler()) is None:
        pytest.skip("needs a C compiler")
    files = [folder / "main.c", folder / "zoo_stream.c", "-lm", "-o", folder / "main"]
    subprocess.run([*compiler, *STRICT, *options, *files], check=True)
    return [folder / "main"]


def build_c(root):
    programs = {}
    for number, (name, metadata) in enumerate(MODELS.items()):
        write_c(metadata, root / str(number))
        programs[name] = compile_c(root / str(number), "-DZOO_REAL=double", "-DZOO_RECENT=2048*ZOO_STEPS")
    return programs


def build_kotlin(root):
    """A package for each model, all compiled at once: the compiler takes longer to start than to compile one."""
    if shutil.which("kotlinc") is None:
        pytest.skip("needs Kotlin; Debian has it: apt-get install kotlin")
    if _java_version() < 21:
        pytest.skip("Debian's kotlinc needs Java 21: apt-get install openjdk-21-jre-headless, and name it in JAVACMD")
    jar = str(root / "main.jar")
    for number, metadata in enumerate(MODELS.values()):
        sources = {
            "Model": embedding.KOTLIN.constants(metadata, "model.tflite"),
            **{path.stem: path.read_text() for path in (embedding.NATIVE / "Stream.kt", HERE / "Main.kt")},
        }
        for source, text in sources.items():
            (root / f"{source}{number}.kt").write_text(text.replace("package pocketzoo", f"package model{number}"))
    subprocess.run(["kotlinc", "-nowarn", *map(str, root.glob("*.kt")), "-include-runtime", "-d", jar], check=True)
    return {name: [JAVA, "-cp", jar, f"model{number}.Main{number}Kt"] for number, name in enumerate(MODELS)}


def build_swift(root):
    if shutil.which("swiftc") is None:
        pytest.skip("needs Swift; Debian has it: apt-get install swiftlang (650 MB)")
    programs = {}
    for number, (name, metadata) in enumerate(MODELS.items()):
        folder = root / str(number)
        folder.mkdir()
        (folder / "Model.swift").write_text(embedding.SWIFT.constants(metadata, "model.tflite"))
        for source in (embedding.NATIVE / "Stream.swift", HERE / "main.swift"):
            shutil.copyfile(source, folder / source.name)
        subprocess.run(["swiftc", "-wmo", *map(str, folder.glob("*.swift")), "-o", str(folder / "main")], check=True)
        programs[name] = [folder / "main"]
    return programs


def build_typescript(root):
    program, programs = bundled(HERE / "main.ts", root), {}
    for number, (name, metadata) in enumerate(MODELS.items()):
        document = root / f"{number}.json"
        document.write_text(json.dumps(metadata.to_json()))
        programs[name] = ["node", program, document]
    return programs


BUILD = {"c": build_c, "typescript": build_typescript, "kotlin": build_kotlin, "swift": build_swift}


@pytest.fixture(scope="module", params=BUILD)
def programs(request, tmp_path_factory):
    """The commands of the programs in one language, by the name of the model."""
    return BUILD[request.param](tmp_path_factory.mktemp(request.param))


def ask(command, streams, metadata):
    """What a program answers to streams, as `golden.follow` returns it."""
    run = subprocess.run(command, input=golden.lines(streams), capture_output=True, text=True, check=True)
    return golden.answers(run.stdout, metadata)


def agree(found, wanted, what, tolerance=1e-5):
    (rows, dropped), (expected, lost) = found, wanted
    assert rows.shape == expected.shape, what
    if len(rows):
        np.testing.assert_allclose(rows[:, 0], expected[:, 0], rtol=0, atol=1e-6, err_msg=what)
        np.testing.assert_array_equal(rows[:, 1], expected[:, 1], err_msg=what)
        np.testing.assert_allclose(rows[:, 2:], expected[:, 2:], rtol=0, atol=tolerance, err_msg=what)
    assert dropped == lost, what


def test_the_golden_file_is_what_the_runtime_predicts():
    assert {name for name, *_ in STREAMS} == set(MODELS)
    for number, (name, samples, predictions, dropped) in enumerate(STREAMS):
        agree(golden.follow(MODELS[name], samples), (predictions, dropped), f"stream {number}", 1e-6)
    # It holds what can go wrong: each reason to drop a sample and to show no label, and predictions with a label.
    assert len(set().union(*(dropped for *_, dropped in STREAMS))) == 6
    reasons = {-1 - number for number in range(len(golden.REASONS))}
    assert reasons < {label for *_, predictions, _ in STREAMS for label in predictions[:, 1]}
    for name, metadata in MODELS.items():
        labels = {row[1] for each, _, predictions, _ in STREAMS if each == name for row in predictions}
        assert len(labels) > 1 or len(metadata.classes) == 1
    # The last one ends in other movements.
    assert STREAMS[-1][2][-1, 1] == -1 - golden.REASONS.index(SOMETHING_ELSE)


@cache
def random_streams():
    """More than three hundred streams, and what the runtime predicts, by the name of the model."""
    random, count = np.random.default_rng(1), -(-300 // len(MODELS))
    found = {}
    for name, metadata in MODELS.items():
        shares = random.choice(golden.FAULTS, count)
        streams = [golden.drawn(random, metadata, random.uniform(0.1, 8), share) for share in shares]
        streams += [golden.unjudged(random, metadata, random.choice(golden.UNJUDGED)) for _ in range(count // 3)]
        found[name] = [(samples, golden.follow(metadata, samples)) for samples in streams]
    return found


@pytest.mark.process
def test_programs_follow_the_golden_and_three_hundred_random_streams(programs):
    for name, metadata in MODELS.items():
        streams = [(samples, (rows, dropped)) for model, samples, rows, dropped in STREAMS if model == name]
        streams += random_streams()[name]
        found = ask(programs[name], [samples for samples, _ in streams], metadata)
        for number, (each, (_, (rows, dropped))) in enumerate(zip(found, streams, strict=True)):
            agree(each, (rows, dropped), f"{name}, stream {number}")


def in_floats(name, times, values, folder):
    """The answers of a program that computes in floats, and those in doubles, to samples without a fault."""
    samples, metadata = np.column_stack([times, values]), MODELS[name]
    write_c(metadata, folder / "float")
    ((rounded, dropped),) = ask(compile_c(folder / "float", "-Wdouble-promotion"), [samples], metadata)
    wanted, lost = golden.follow(metadata, samples)
    assert not dropped
    assert not lost
    return rounded, wanted


@pytest.mark.process
def test_floats_in_c_round_no_more_after_hours_than_at_the_start(tmp_path):
    random = np.random.default_rng(0)
    times = 1e6 + np.cumsum(random.uniform(0.02, 0.06, 180_000))
    values = random.normal((0, 9.8, 0), 3, (len(times), 3)).astype(np.float32)
    rounded, wanted = in_floats("a tree of groups", times, values, tmp_path)
    assert len(wanted) > 71_000
    np.testing.assert_allclose(rounded[:, 0], wanted[:, 0], rtol=0, atol=1e-6)
    errors = np.abs(rounded[:, 3:] - wanted[:, 3:]).max(axis=1)
    first, last = (np.quantile(part, 0.5) for part in (errors[:20_000], errors[-20_000:]))
    assert first < 1e-3
    assert last < 1.5 * first


@pytest.mark.process
def test_the_filter_in_floats_is_that_in_doubles(tmp_path):
    # At the rate of the model, rows are the samples, so that the network answers the same.
    values = np.random.default_rng(2).normal(0, 4, (20_000, 3)).astype(np.float32)
    found, wanted = in_floats("windows", np.arange(len(values)) / MODELS["windows"].rate, values, tmp_path)
    assert len(found) == len(wanted) > 1_000
    np.testing.assert_allclose(found[:, 2:], wanted[:, 2:], rtol=0, atol=1e-4)
