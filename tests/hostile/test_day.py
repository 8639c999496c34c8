"""A part of a day of stream: every fault is counted, and nothing grows or drifts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "day.py"


@pytest.mark.hostile
def test_every_fault_is_counted_and_nothing_grows():
    command = [sys.executable, str(SCRIPT), "--samples", "300000", "--seed", "0"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert found["counted"] == found["faults"]
    assert found["finite"]
    # A frame of five rows of 50 Hz, and samples of 25 Hz.
    assert 0 <= found["late_by_seconds"] < 0.2
    assert found["mb_at_the_end"] < found["mb_after_a_quarter"] + 30
