"""Speed and memory of reading windows from a file, compared with alternatives.

    python benchmarks/reading.py [--windows 100000]

Reports the median rates of five passes, in turns, with batches of 64 windows of (150, 3) float32, shuffled where
stated. Peak memory is that of a separate process, for a file and for one ten times as large.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH = 64
ROUNDS = 5


def make(path: Path, windows: int) -> None:
    """Writes random windows in the course's layout, as `zoo data windows` writes them."""
    import numpy as np

    from zoo.data import hdf5

    random = np.random.default_rng(0)
    with hdf5.create(path) as file:
        for start in range(0, windows, 2000):
            count = min(2000, windows - start)
            inputs = random.standard_normal((count, 150, 3), np.float32)
            labels = np.eye(6, dtype=np.float32)[random.integers(0, 6, count)]
            hdf5.add_rows(file, "activity", {"input": inputs, "target": labels})


def zoo_batches(path: Path, windows: int) -> Iterator[object]:
    """The zoo's reader: shuffled blocks."""
    from zoo.data import hdf5
    from zoo.data.dataset import DataSet
    from zoo.data.pipeline import training_batches

    labels = hdf5.read_column(path, "trY").argmax(axis=1)
    rows = DataSet.of({"input": hdf5.open_column(path, "trX"), "target": labels})
    return iter(training_batches(rows, BATCH, seed=0).take(windows // BATCH))


def row_by_row(path: Path, windows: int) -> Iterator[object]:
    """The usual generator: one window at a time, not shuffled."""
    import h5py
    import tensorflow as tf

    def rows() -> Iterator[tuple[object, object]]:
        with h5py.File(path) as file:
            for row in range(windows):
                yield file["trX"][row], file["trY"][row]

    signature = (tf.TensorSpec((150, 3), tf.float32), tf.TensorSpec((6,), tf.float32))
    dataset = tf.data.Dataset.from_generator(rows, output_signature=signature)
    return iter(dataset.batch(BATCH).prefetch(tf.data.AUTOTUNE))


def blocks_alone(path: Path, windows: int) -> Iterator[object]:
    """What the zoo's reader reads and shuffles, without TensorFlow."""
    from zoo.data import hdf5
    from zoo.data.dataset import DataSet

    labels = hdf5.read_column(path, "trY").argmax(axis=1)
    return DataSet.of({"input": hdf5.open_column(path, "trX"), "target": labels}).blocks((0, 0))


def nothing_read(path: Path, windows: int) -> Iterator[object]:
    """The same batch again and again: the time that a loop in Python takes over a data set of TensorFlow."""
    import tensorflow as tf

    batch = tf.zeros((BATCH, 150, 3)), tf.zeros(BATCH, tf.int64)
    return iter(tf.data.Dataset.from_tensors(batch).repeat(windows // BATCH))


def rate(reader: object, path: Path, windows: int) -> float:
    """Windows per second of one pass."""
    start = time.perf_counter()
    count = sum(int(batch[0].shape[0]) for batch in reader(path, windows))
    return count / (time.perf_counter() - start)


def peak(path: Path, windows: int) -> float:
    """Highest memory in megabytes of a process of its own that reads the file; most of it is TensorFlow itself."""
    program = [sys.executable, __file__, "--peak", str(path), "--windows", str(windows)]
    return float(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--peak", type=Path)
    options = parser.parse_args()
    if options.peak:
        rate(zoo_batches, options.peak, options.windows)
        # Not getrusage: its maximum counts what the parent had in memory before exec.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        print(int(status["VmHWM"].split()[0]) / 1024)
        return
    from zoo.provenance import versions

    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.h5", Path(folder) / "small.h5"
        make(large, options.windows)
        make(small, options.windows // 10)
        slow_windows = options.windows // 20
        rates: dict[str, list[float]] = {"zoo": [], "row_by_row": [], "blocks_alone": [], "nothing_read": []}
        for _ in range(ROUNDS):
            rates["zoo"].append(rate(zoo_batches, large, options.windows))
            rates["row_by_row"].append(rate(row_by_row, large, slow_windows))
            rates["blocks_alone"].append(rate(blocks_alone, large, options.windows))
            rates["nothing_read"].append(rate(nothing_read, large, options.windows))
        ratios = [a / b for a, b in zip(rates["zoo"], rates["row_by_row"], strict=True)]
        result = {
            "windows_a_second": {name: round(median(values)) for name, values in rates.items()},
            "ratio": round(median(ratios), 1),
            "peak_megabytes": {
                f"{options.windows // 10} windows": round(peak(small, options.windows // 10), 1),
                f"{options.windows} windows": round(peak(large, options.windows), 1),
            },
            "file_megabytes": round(large.stat().st_size / 1e6),
            "versions": versions(),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
