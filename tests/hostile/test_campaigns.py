"""A part of each campaign of docs/reliability.md: damaged bytes, kills, and a day of stream."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from running import ROOT, python

HERE = Path(__file__).parent
FUZZ = HERE / "fuzz.py"
INPUTS = {
    "hdf5": 150, "csv": 250, "lines": 60, "stream": 30, "text": 500, "image": 400, "metadata": 500, "tflite": 250,
    "arrays": 200, "http": 500, "zip": 200,
}  # fmt: skip
"""Inputs for each target: some two seconds on an idle machine, and as many on a busy one."""


@pytest.mark.hostile
def test_damaged_bytes_are_refused_in_one_line(tmp_path):
    targets = [f"{target}={count}" for target, count in INPUTS.items()]
    ended = python(FUZZ, *targets, "--keep", tmp_path, "--seed", 0)
    kept = [file.name for file in tmp_path.rglob("*") if file.is_file()]
    assert ended.returncode == 0, f"{ended.stderr[-3000:]} {kept}"
    assert {target: found["inputs"] for target, found in json.loads(ended.stdout).items()} == INPUTS


def test_the_crashes_that_are_kept_are_those_of_the_page():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = page.partition("| reader |")[2].partition("| total")[0]
    counts = [int(count) for count in re.findall(r" (\d+) \|$", rows, re.MULTILINE)]
    targets = runpy.run_path(str(FUZZ))["TARGETS"]
    assert counts == [len([*(HERE / "crashes" / target).glob("*")]) for target in targets]


@pytest.mark.hostile
def test_any_bytes_as_samples_leave_the_stream_in_c_whole(export_once, tmp_path):
    compiler = next((name for name in ("clang-19", "clang") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("needs clang with libFuzzer: apt-get install clang-19 libclang-rt-19-dev")
    code = export_once("pocket_in_c", "activity_gru_pocket", "--formats", "c99_int8") / "c99_int8"
    options = ["-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", f"-I{code}"]
    sources = [HERE / "stream.c", code / "model.c", code / "zoo_stream.c", "-lm", "-o", tmp_path / "stream"]
    built = subprocess.run([compiler, *options, *sources], capture_output=True, text=True, check=False)
    if "libclang_rt" in built.stderr:
        pytest.skip("needs libFuzzer: apt-get install libclang-rt-19-dev")
    assert built.returncode == 0, built.stderr
    (tmp_path / "seeds").mkdir()
    for rate in (20, 50, 200):
        times = np.arange(300) / rate
        samples = np.zeros(300, [("seconds", "=f8"), ("axes", "=f4", 3)])
        samples["seconds"], samples["axes"] = times, np.stack([np.sin(times), 9.8 + np.cos(9 * times), times], axis=1)
        (tmp_path / "seeds" / str(rate)).write_bytes(samples.tobytes())
    limits = ["-runs=2000", f"-artifact_prefix={tmp_path}/", "-max_len=8000", "-print_final_stats=1", "-seed=1"]
    ended = subprocess.run(
        [tmp_path / "stream", *limits, tmp_path / "seeds"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert int(ended.stderr.partition("number_of_executed_units:")[2].split()[0]) >= 2000


KILLS = {"import": 6, "windows": 6, "build": 6, "save": 6, "train": 3, "export": 2}


@pytest.mark.hostile
@pytest.mark.skipif(shutil.which("gcc") is None or sys.platform != "linux", reason="compiles a library for Linux")
def test_the_same_command_after_a_kill_ends_in_the_same_bytes(tmp_path):
    commands = [f"{command}={points}" for command, points in KILLS.items()]
    ended = python(HERE / "kills.py", *commands, "--processes", 1, "--folder", tmp_path, "--eager")
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    total = json.loads(ended.stdout)["total"]
    assert total["same"] == total["kills"] == sum(KILLS.values())


@pytest.mark.hostile
def test_every_fault_of_a_stream_is_counted_and_nothing_grows_or_drifts():
    found = json.loads(python(ROOT / "benchmarks" / "day.py", "--samples", 300_000, "--seed", 0).stdout)
    assert found["counted"] == found["faults"]
    assert found["finite"]
    # A frame of five rows of 50 Hz, and samples of 25 Hz.
    assert 0 <= found["late_by_seconds"] < 0.2
    assert found["mb_at_the_end"] < found["mb_after_a_quarter"] + 30
