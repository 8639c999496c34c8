"""Feeds damaged bytes to the readers, and keeps every input that breaks one.

    python tests/hostile/fuzz.py                           # each target for 5 seconds, after the crashes that are kept
    python tests/hostile/fuzz.py hdf5 csv --seconds 600
    python tests/hostile/fuzz.py csv --seconds 600 --atheris    # guided by coverage; needs `pip install atheris`

A reader must return, or raise a `ZooError` of one line that names the file, within ten seconds and two gigabytes.
Anything else is a crash: another exception, a signal, a hang. Its input is kept in crashes/TARGET, unless --keep names
another folder, and is read again by each run before it looks for others.
"""

import argparse
import faulthandler
import hashlib
import io
import json
import math
import os
import random
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError

KEPT = Path(__file__).with_name("crashes")
POCKET = PRESETS_FOLDER / "activity_gru_pocket" / "model.int8.tflite"
LONGEST = 1 << 16
SECONDS, BYTES = 10, 2 << 30
CSV = "time,x,y,z\n" + "".join(f"{i / 50},{0.1 * i % 3:.2f},9.8,{i % 2}\n" for i in range(40))
MOTION = "attitude.roll,gravity.x,gravity.y,gravity.z,userAcceleration.x,userAcceleration.y,userAcceleration.z\n"


class Target(NamedTuple):
    """A reader: makes sound inputs; reads bytes, which are also in a file; the suffix of that file."""

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[bytes, Path], object]
    suffix: str


def hdf5_seeds() -> list[bytes]:
    from zoo.activity import recordings
    from zoo.activity import simulate as gait
    from zoo.patches import simulate
    from zoo.text import simulate as grammar

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        gait.write_simulated(folder / "a.h5", subjects=2, seed=0, seconds=8)
        simulate.write_simulated(folder / "b.h5", count=20, size=8, pictures=2, seed=0)
        grammar.write_simulated(folder / "c.h5", sentences=60, seed=0)
        rows = np.random.default_rng(0).normal(0, 1, (200, 3)).astype(np.float32)
        sound = [recordings.Recording(str(i), "ann", "walking", 50.0, rows + i) for i in range(2)]
        recordings.write_recordings(folder / "d.h5", sound, source="fuzz")
        return [path.read_bytes() for path in sorted(folder.glob("*.h5"))]


def read_hdf5(data: bytes, path: Path) -> None:
    from zoo import describe
    from zoo.activity import recordings
    from zoo.data.loading import load_data

    json.dumps(describe(path).to_json(), allow_nan=False)
    try:
        loaded = load_data(path)
    except ZooError:
        for recording in recordings.read_recordings(path):
            recording.resampled(50.0)
    else:
        for part in (loaded.train, loaded.validation, loaded.test):
            part.arrays()


def read_csv_file(data: bytes, path: Path) -> None:
    from zoo.activity.columns import CsvColumns
    from zoo.activity.importing import read_csv

    for gyroscope in (False, True):
        columns = CsvColumns(subject="=ann", activity="=walking", gyroscope=gyroscope)
        try:
            for recording in read_csv(path, columns):
                assert np.isfinite(recording.acceleration).all()
        except ZooError as error:
            one_line(error)


def fake_stream() -> Any:
    """A stream of a network that answers by the values of its frame."""
    from zoo.runtime import Stream
    from zoo.runtime.metadata import Streaming, extract

    metadata: Any = extract(POCKET)

    def step(frame: Any, states: Any) -> Any:
        scores = np.abs(np.sin(frame.sum() * np.arange(1, len(metadata.classes) + 1)))
        return (scores / scores.sum())[None].astype(np.float32), dict(states)

    return Stream(metadata, step, Streaming(restart=30, copies=3, warmup=10))


def read_lines_of_samples(data: bytes, path: Path) -> None:
    """Streams lines of CSV, as `zoo stream --csv -` does."""
    from zoo.activity.columns import CsvColumns, read_samples

    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape")
    finite(fake_stream().feed(read_samples(text, str(path), CsvColumns(subject="=me", activity="=no"))))


def finite(predictions: Any) -> list[Any]:
    """Checks predictions, and returns what they say."""
    found = [(each.time, each.label, *each.probabilities.tolist()) for each in predictions]
    assert all(math.isfinite(number) for time, _, *shares in found for number in (time, *shares)), found
    return found


def stream_seeds() -> list[bytes]:
    times = [np.arange(300) / rate for rate in (20, 50, 200)]
    return [np.column_stack([t, np.sin(t), 9.8 + np.cos(9 * t), 0.1 * t]).tobytes() for t in times]


def read_stream(data: bytes, path: Path) -> None:
    """Streams any numbers, of an array and one by one: all predictions are finite, and the same."""
    samples = np.frombuffer(data[: len(data) // 32 * 32]).reshape(-1, 4)
    array, single = fake_stream(), fake_stream()
    with np.errstate(all="raise", under="ignore"):
        expected = finite(single.feed(iter(samples.tolist())))
        assert finite(array.feed(samples)) == expected
    assert array.skipped == single.skipped
    assert sum(single.skipped.values()) <= len(samples)


def zip_seeds() -> list[bytes]:
    found = []
    rows = "".join(f"{i},0.1,-0.9,{0.01 * (i % 5):.2f},0.0,0.1,0.0,{0.02 * (i % 3)}\n" for i in range(150))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in ("A_DeviceMotion_data/wlk_7/sub_1.csv", "A_DeviceMotion_data/sit_5/sub_2.csv"):
                # By its name alone, a member would get the time of day, and no seed would repeat the inputs.
                archive.writestr(zipfile.ZipInfo(name), "," + MOTION + rows, method)
        found.append(file.getvalue())
    return found


def read_zip(data: bytes, path: Path) -> None:
    from zoo.activity.studies import STUDIES, read_study

    for name in STUDIES:
        try:
            for _ in read_study(name, path):
                pass
        except ZooError as error:
            one_line(error)


def reader(module: str, name: str) -> Callable[[bytes, Path], object]:
    return lambda data, path: getattr(import_module(module), name)(path)


def read_text(data: bytes, path: Path) -> None:
    from zoo.text.data import Text, read_lines

    Text.from_lines(read_lines([path]))


def image_seeds() -> list[bytes]:
    from PIL import Image

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 20, 3), np.uint8))
    found = []
    for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        file = io.BytesIO()
        picture.save(file, form)
        found.append(file.getvalue())
    return found


def metadata_seeds() -> list[bytes]:
    from zoo.runtime.metadata import extract

    folders = [PRESETS_FOLDER / name for name in ("activity_gru_pocket", "sparse_autoencoder_course")]
    return [json.dumps(extract(next(folder.glob("*.tflite"))).to_json()).encode() for folder in folders]


def read_metadata(data: bytes, path: Path) -> None:
    from zoo.files import read_json
    from zoo.runtime.metadata import Metadata

    document = read_json(path)
    if isinstance(document, dict):
        Metadata.from_json(document, str(path))


def arrays_seeds() -> list[bytes]:
    file = io.BytesIO()
    np.savez(file, kernel=np.ones((8, 6), np.float32), bias=np.zeros(6, np.float32))
    return [file.getvalue()]


REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /index.html?x=%41#y HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0, br\r\nRange: bytes=0-3\r\n\r\n",
    b'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcdHEAD /a HTTP/1.1\r\nIf-None-Match: "x"\r\n\r\n',
    b"GET /../../etc/passwd HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
]


@cache
def page() -> tuple[Any, list[str]]:
    """Starts a server of one page. Returns it, and the errors of its requests."""
    from zoo.serving.server import PageServer

    errors: list[str] = []

    class Watched(PageServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exc_info()[1], OSError):
                errors.append(traceback.format_exc())

    file = Path(tempfile.mkdtemp()) / "index.html"
    file.write_text("page")
    server = Watched({"/": file, "/index.html": file}, "127.0.0.1", 8500, None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, errors


def read_request(data: bytes, path: Path) -> None:
    """Sends bytes to the server, which answers in HTTP or not at all, and lives on."""
    server, errors = page()
    for sent in (data, b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), SECONDS) as connection:
            answer = b""
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
            except ConnectionError:
                pass
        assert not answer or answer.startswith(b"HTTP/1."), answer
        assert b"root:" not in answer
    assert answer.endswith(b"page"), answer
    assert not errors, errors.pop()


TARGETS: dict[str, Target] = {
    "hdf5": Target(hdf5_seeds, read_hdf5, ".h5"),
    "csv": Target(lambda: [CSV.encode(), CSV.replace(",", ";").encode()], read_csv_file, ".csv"),
    "lines": Target(lambda: [CSV.encode(), CSV.replace("\n", "\r\n").encode()], read_lines_of_samples, ".csv"),
    "stream": Target(stream_seeds, read_stream, ".f64"),
    "zip": Target(zip_seeds, read_zip, ".zip"),
    "text": Target(lambda: ["He doesn't know.\nÜber all — 1,000 “words”.\n".encode()], read_text, ".txt"),
    "image": Target(image_seeds, reader("zoo.patches.data", "open_photograph"), ".png"),
    "metadata": Target(metadata_seeds, read_metadata, ".json"),
    # Header and metadata: what LiteRT does with a damaged file is not in the zoo's hands.
    "tflite": Target(lambda: [POCKET.read_bytes()], reader("zoo.runtime.metadata", "extract"), ".tflite"),
    "arrays": Target(arrays_seeds, reader("zoo.files", "read_arrays"), ".npz"),
    "http": Target(lambda: REQUESTS, read_request, ".txt"),
}

WORDS = [b"nan", b"inf", b"-1", b"1e308", b"1e-320", b"null", b"[]", b"{}", b'"', b"\n", b"\0", b"\xff\xfe", b",,,",
         b"%00", b"../", *(struct.pack(form, number) for form in ("<i", ">i", "<q", "<d")
                           for number in (0, -1, 127, 2**31 - 1)), struct.pack("<d", math.nan)]  # fmt: skip


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """A seed with some bytes changed, as libFuzzer changes them."""
    data = bytearray(chance.choice(seeds))
    for _ in range(2 ** chance.randrange(6)):
        place, size = chance.randrange(len(data) + 1), 2 ** chance.randrange(10)
        match chance.randrange(8):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(data):
                data[place] = chance.randrange(256)
            case 2:
                del data[place : place + size]
            case 3:
                data[place:place] = data[chance.randrange(len(data) + 1) :][:size]
            case 4:
                other = chance.choice(seeds)
                data[place : place + size] = other[chance.randrange(len(other)) :][:size]
            case 5:
                data[place:place] = chance.choice(WORDS)
            case 6:
                word = chance.choice(WORDS)
                data[place : place + len(word)] = word
            case 7 if chance.random() < 0.2:
                del data[place:]
    return bytes(data[: max(LONGEST, max(map(len, seeds)))])


def one_line(error: ZooError) -> None:
    assert "\n" not in str(error), f"more than a line: {error}"
    assert len(str(error)) < 2000, f"a message of {len(str(error))} characters"


_begun: set[str] = set()
"""Suffixes of the files that were read before."""


def attempt(target: Target, data: bytes, path: Path) -> None:
    """Reads an input. What is raised is a crash."""
    path.write_bytes(data)
    # Shows where it hangs, in C as well. The first input waits for imports.
    faulthandler.dump_traceback_later(SECONDS if target.suffix in _begun else 20 * SECONDS, exit=True)
    try:
        target.read(data, path)
    except ZooError as error:
        one_line(error)
        if path.name not in str(error):
            raise AssertionError(f"does not name the file: {error}") from error
    finally:
        _begun.add(target.suffix)
        faulthandler.cancel_dump_traceback_later()


def search(name: str, seconds: float, inputs: int | None, seed: int, keep: Path, report: Path) -> None:
    """Tries a number of inputs, or as many as a time allows, in this process, which a crash may end."""
    target, chance, tried = TARGETS[name], random.Random(seed), Counter[str]()
    seeds = list(target.seeds())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"input{target.suffix}"
        for data in seeds:
            attempt(target, data, path)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + BYTES, size + BYTES))
        # Shows where it was when a signal ends it.
        faulthandler.enable()
        warnings.simplefilter("ignore")
        stop = time.monotonic() + seconds
        while time.monotonic() < stop if inputs is None else tried["inputs"] < inputs:
            data = mutated(seeds, chance)
            report.with_suffix(".input").write_bytes(data)
            tried["inputs"] += 1
            try:
                attempt(target, data, path)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{type(error).__name__} {Path(where.filename).name}:{where.name}"
                tried[kind] += 1
                if tried[kind] == 1:
                    save(keep / name, data, target.suffix)
                    print(f"{name}: {kind}: {str(error)[:200]}", file=sys.stderr, flush=True)
            if tried["inputs"] % 50 == 1:
                report.write_text(json.dumps(tried))
    report.write_text(json.dumps(tried))


def save(folder: Path, data: bytes, suffix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hashlib.sha256(data).hexdigest()[:12]}{suffix}").write_bytes(data)


def with_atheris(name: str, seconds: float, keep: Path) -> None:
    """Searches guided by coverage. The process ends at the first crash."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=["zoo"]):
        pass
    scratch = Path(tempfile.mkdtemp())
    path, corpus = scratch / f"input{target.suffix}", scratch / "corpus"
    for data in target.seeds():
        save(corpus, data, target.suffix)
    (keep / name).mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={round(seconds)}", f"-artifact_prefix={keep / name}/", f"-timeout={SECONDS}",
               f"-max_len={LONGEST}", "-print_final_stats=1", str(corpus)]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], lambda data: attempt(target, data, path))
    atheris.Fuzz()


def again(name: str) -> int:
    """Reads the crashes that were kept, and returns how many there are."""
    target, files = TARGETS[name], sorted(path for path in (KEPT / name).glob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as scratch:
        for file in files:
            attempt(target, file.read_bytes(), Path(scratch) / f"input{target.suffix}")
    return len(files)


def run(name: str, inputs: int | str | None, options: argparse.Namespace) -> dict[str, Any]:
    """Searches in a process of its own; returns what it found."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        arguments = ["--seconds", options.seconds, "--seed", options.seed, "--keep", options.keep, "--report", report]
        arguments += [] if inputs is None else ["--inputs", inputs]
        kept, begin = again(name), time.monotonic()
        status = subprocess.run([sys.executable, __file__, name, *map(str, arguments)]).returncode
        tried = json.loads(report.read_text()) if report.is_file() else {}
        if status:
            tried[f"status {status}"] = 1
            if (last := report.with_suffix(".input")).is_file():
                save(options.keep / name, last.read_bytes(), TARGETS[name].suffix)
    return {"seed": options.seed, "seconds": round(time.monotonic() - begin), "kept": kept, **tried}


def main() -> None:
    """Runs the targets one after another and prints one JSON document. The exit status is 1 after a crash."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}, or TARGET=INPUTS; all by default")
    parser.add_argument("--seconds", type=float, default=5.0, help="time for each target")
    parser.add_argument("--inputs", type=int, help="inputs for each target, in place of a time")
    parser.add_argument("--seed", type=int, help="of an earlier run, to try its inputs again; a new one by default")
    parser.add_argument("--keep", type=Path, default=KEPT, help="folder for the inputs of crashes")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.report:
        search(options.targets[0], options.seconds, options.inputs, options.seed, options.keep, options.report)
        return
    if options.atheris:
        with_atheris(options.targets[0], options.seconds, options.keep)
        return
    if options.seed is None:
        options.seed = random.SystemRandom().getrandbits(32)
    named = dict(word.partition("=")[::2] for word in options.targets or TARGETS)
    found = {name: run(name, inputs or options.inputs, options) for name, inputs in named.items()}
    print(json.dumps(found, indent=2))
    sys.exit(any(set(each) - {"seed", "seconds", "kept", "inputs"} for each in found.values()))


if __name__ == "__main__":
    main()
