"""Damaged bytes end in one line of error; those that once did not are read again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzz.py")
SECONDS = os.environ.get("ZOO_FUZZ_SECONDS", "3")
"""Seconds for each target; CI may give more."""


@pytest.mark.hostile
@pytest.mark.parametrize(
    "target", ["hdf5", "csv", "lines", "stream", "text", "image", "metadata", "tflite", "arrays", "http", "zip"]
)
def test_damaged_bytes_are_refused_in_one_line(target, tmp_path):
    command = [sys.executable, SCRIPT, target, "--seconds", SECONDS, "--keep", tmp_path]
    if not os.environ.get("CI"):
        # Other inputs in each run, and the same ones in CI.
        command += ["--seed", str(int.from_bytes(os.urandom(4)))]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    kept = [file.name for file in tmp_path.rglob("*") if file.is_file()]
    assert ended.returncode == 0, f"{ended.stderr[-3000:]} {kept}"
    assert json.loads(ended.stdout)[target]["inputs"] > 20
