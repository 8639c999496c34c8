"""A day of continuous recognition in a minute: ten million samples, with everything that goes wrong.

    python benchmarks/day.py --samples 10000000
    python benchmarks/day.py --against ../another-checkout

A day of 50 Hz has 4.3 million samples; these are of 25, 50 and 100 Hz in turns, with jitter. A share of them has values
that are no acceleration, time stamps that repeat, go back or lie hours ahead, and there are gaps. Each fault is drawn
by the script, which knows how often each must be counted. Measured are samples per second of one core (CPU time), the
memory after a quarter and at the end, and how late the last prediction is.
With --against, the same is measured with the code of another checkout.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Prediction, Recognizer, Stream

RATES, CHANGE = (50.0, 100.0, 25.0), 2000
"""Rates in Hz, and the number of samples after which the next one begins."""

PART = 100_000
"""Samples that are drawn at once, in which a fault of each kind is this often:"""

FAULTS = {"not finite": 80, "beyond 160 m/s^2": 60, "not later than the one before": 100,
          "time stamps that no other confirms": 40, "gaps": 20}  # fmt: skip


def draw(count: int, seed: int, start: float) -> tuple[np.ndarray, Counter[str]]:
    """Draws samples `(count, 4)` with faults after `start`, and the number of each that must be counted."""
    random = np.random.default_rng(seed)
    rates = np.resize(np.repeat(RATES, CHANGE), count)
    steps = random.uniform(0.6, 1.4, count) / rates
    share = count / PART
    numbers = {name: round(many * share) for name, many in FAULTS.items()}
    # Apart from one another, so that each is what it is called: two stamps an hour ahead would be a set clock.
    places = iter(1 + 4 * random.permutation((count - 8) // 4)[: sum(numbers.values())])
    at = {name: np.array([next(places) for _ in range(many)], int) for name, many in numbers.items()}
    steps[at["gaps"]] += random.choice([1.5, 60.0, 3600.0], len(at["gaps"]))
    times = start + np.cumsum(steps)
    turns = 2 * np.pi * 1.9 * times
    gravity = [3 * np.sin(turns), 9.8 + 2 * np.cos(turns), np.sin(2 * turns)]
    samples = np.column_stack([times, *gravity]) + np.append(0.0, random.normal(0, 0.3, 3))
    samples[at["not finite"], random.integers(0, 4, len(at["not finite"]))] = np.nan
    samples[at["beyond 160 m/s^2"], random.integers(1, 4, len(at["beyond 160 m/s^2"]))] = -1e30
    again = at["not later than the one before"]
    samples[again, 0] = samples[again - 1, 0] - random.choice([0.0, 0.5], len(again))
    lost = at["time stamps that no other confirms"]
    samples[lost, 0] += random.choice([-7200.0, 7200.0], len(lost))
    return samples, Counter(numbers)


def day(samples: int, seed: int) -> Iterator[tuple[np.ndarray, Counter[str]]]:
    """Yields the day in parts."""
    start = 1.7e9
    for number, first in enumerate(range(0, samples, PART)):
        part, counts = draw(min(PART, samples - first), seed + number, start)
        start = float(np.nanmax(part[-4:, 0]))
        yield part, counts


def measure(samples: int, seed: int) -> dict[str, Any]:
    """Streams the day through the pocket recognizer."""
    stream: Stream = Recognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite").stream()
    expected: Counter[str] = Counter()
    seconds, predictions, memory = 0.0, 0, list[int]()
    last: Prediction | None = None
    for part, counts in day(samples, seed):
        begin = time.process_time()
        found = list(stream.feed(part))
        seconds += time.process_time() - begin
        predictions, last = predictions + len(found), found[-1]
        expected += counts
        memory.append(resident())
    assert last is not None
    return {
        "samples": samples, "predictions": predictions, "samples_per_second": round(samples / seconds),
        "faults": dict(expected), "counted": dict(stream.skipped), "all_counted": stream.skipped == expected,
        "warnings": stream.warnings, "finite": bool(np.isfinite(last.probabilities).all()),
        "late_by_seconds": round(float(part[-1, 0] - last.time), 3), "label": last.label,
        "mb_after_a_quarter": memory[len(memory) // 4], "mb_at_the_end": memory[-1],
    }  # fmt: skip


def resident() -> int:
    """Returns the megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").is_file() else 0
    return round(pages * resource.getpagesize() / 1e6)


def main() -> None:
    """Runs the measurement and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", type=Path, help="another checkout, for a comparison in one run")
    options = parser.parse_args()
    document = measure(options.samples, options.seed)
    if options.against:
        command = [sys.executable, __file__, "--samples", str(10 * PART), "--seed", str(options.seed)]
        environment = {**os.environ, "PYTHONPATH": str(options.against.resolve())}
        document["against"] = json.loads(
            subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        )
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
