"""Commands killed at any call that changes a file, repeated, end in the files of a run that nobody killed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kills.py")


@pytest.mark.hostile
@pytest.mark.skipif(shutil.which("gcc") is None or sys.platform != "linux", reason="compiles a library for Linux")
@pytest.mark.parametrize(
    ("commands", "points"), [(["import", "windows", "build", "save"], 6), (["train"], 3), (["export"], 2)]
)
def test_the_same_command_ends_in_the_same_bytes(commands, points, tmp_path):
    command = [sys.executable, SCRIPT, *commands, "--points", points, "--processes", 1, "--folder", tmp_path, "--eager"]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    total = json.loads(ended.stdout)["total"]
    assert total["same"] == total["kills"] == points * len(commands)
