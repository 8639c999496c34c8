"""Kills commands at each call that changes a file, and checks that the same command then ends in the same bytes.

    python tests/hostile/kills.py                      # some 240 points, in some minutes on two cores
    python tests/hostile/kills.py train export --points 100 --processes 4

A process that has imported TensorFlow forks a command, in a folder of its own, under `kills.c`: at one of its calls
that change a file there, it is killed with SIGKILL, or a child of it with it. Half of a write may have reached the
file. What a killed command leaves must be enough to end as if nothing had happened: the same command again, with
--resume or --force where its message says so, must leave the files of a run that nobody killed, and nothing else.
Files are compared byte for byte, but for the times, dates and places that `lasting` takes out.
"""

import argparse
import atexit
import ctypes
import hashlib
import io
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.jobs import limit_threads

HERE = Path(__file__).parent
STATE = struct.Struct("lll")
LIBRARY, SHARED, ROOT = "ZOO_KILL_LIBRARY", "ZOO_KILL_STATE", "ZOO_KILL_ROOT"

CNN = ["--model", "activity_cnn", "--set", "filters=2", "--set", "epochs=1", "--set", "patience=null"]
CODES = ["--model", "sparse_autoencoder", "--set", "pixels=64", "--hidden-units", "8", "--data", "data1.h5"]
LABELS = ["--layout", "{subject}/{activity}.csv", "--unit", "m/s^2"]


class Case(NamedTuple):
    """A command to kill, with paths below the working folder: what it reads, of what `make_inputs` makes; what to add
    where the message of the second run names it; the number of kills, fewer of what starts processes, each of which
    imports TensorFlow; and the seconds after which it hangs.
    """

    arguments: Sequence[str]
    inputs: Sequence[str]
    then: Sequence[str] = ()
    points: int = 60
    seconds: float = 300.0


CASES: dict[str, Case] = {
    "import": Case(["data", "import", "csv", "csv", "-o", "out/recordings.h5", *LABELS], ["csv"], ["--force"]),
    "windows": Case(["data", "windows", "recordings.h5", "-o", "out/data3.h5"], ["recordings.h5"], ["--force"]),
    "build": Case(["data", "build", "zoo_activity/course", "--from", "data3.h5", "--to", "out"], ["data3.h5"]),
    "train": Case(["train", *CODES, "--epochs", "3", "--out", "out/model"], ["data1.h5"], ["--resume"]),
    "save": Case(["SAVE", "model", "out/model"], ["model"]),
    "export": Case(["export", "model", "--to", "out/exported", "--data", "data1.h5"], ["model", "data1.h5"], points=12),
    "crossval": Case(["crossval", *CNN, "--data", "data3.h5", "--groups", "2", "--baselines", "nearest_neighbor",
                      "--out", "out/crossval"], ["data3.h5"], points=6),
    "tune": Case(["tune", "sparse_autoencoder", "--data", "data1.h5", "--strategy", "random", "--trials", "2",
                  "--epochs", "1", "--best", "1", "--seeds", "1", "--out", "out/search"], ["data1.h5"], points=6),
}  # fmt: skip
"""SAVE stands for the call that writes a model's folder, which no command does alone."""


def make_inputs(folder: Path) -> None:
    from zoo.activity import simulate as gait
    from zoo.patches import simulate

    gait.write_simulated(folder / "data3.h5", subjects=4, seed=0, seconds=12)
    simulate.write_simulated(folder / "data1.h5", count=300, size=8, pictures=4, seed=0)
    for person, subject in enumerate(("ann", "ben", "eve")):
        (folder / "csv" / subject).mkdir(parents=True)
        for number, activity in enumerate(("walking", "sitting")):
            lines = [
                f"{i / 50},{0.1 * (i % 7) * number},{9.7 + 0.05 * person - 0.2 * (i % 5)},{0.3 * (i % 3)}"
                for i in range(1200)
            ]
            (folder / "csv" / subject / f"{activity}.csv").write_text("\n".join(["time,x,y,z", *lines, ""]))
    for arguments in (
        ["data", "import", "csv", "csv", "-o", "recordings.h5", *LABELS],
        ["train", *CODES, "--epochs", "1", "--out", "model"],
    ):
        status, said = Run(folder, arguments).wait()
        assert status == 0, said


class Run:
    """A command line in a fork of this process and a folder of its own, killed at the call of number `last`, if any."""

    def __init__(self, folder: Path, arguments: Sequence[str], last: int = 0) -> None:
        self.folder, self.log = folder, folder.with_name(f"{folder.name}.log")
        self.file = folder.with_name(f"{folder.name}.state")
        self.started = time.monotonic()
        self.file.write_bytes(STATE.pack(0, last, 0))
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            status = 99
            try:
                self._run(list(arguments))
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 0
            except BaseException:
                traceback.print_exc()
            # TensorFlow deletes its temporary files at the exit.
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _run(self, arguments: list[str]) -> None:
        os.setsid()
        os.chdir(self.folder)
        (self.folder / "tmp").mkdir(exist_ok=True)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # Python would leave the compiled form of modules that TensorFlow writes there, and deletes.
        tempfile.tempdir, sys.dont_write_bytecode = None, True
        os.environ |= {"TMPDIR": str(self.folder / "tmp"), SHARED: str(self.file), ROOT: str(self.folder)}
        with self.file.open("r+b") as file, mmap.mmap(file.fileno(), STATE.size) as shared:
            calls, last, _ = STATE.unpack(shared[:])
            shared[:] = STATE.pack(calls, last, os.getpid())
        library = ctypes.CDLL(os.environ[LIBRARY])
        library.zoo_arm(str(self.file).encode(), str(self.folder).encode())
        if arguments[0] == "SAVE":
            from zoo.models.model import Model

            Model.from_preset(arguments[1]).save_to_preset(arguments[2])
            sys.exit()
        sys.argv = ["zoo", *arguments]
        from zoo.cli import main

        main()

    def wait(self, seconds: float = 120.0) -> tuple[int, str]:
        """Waits until the process and all its children have ended. Returns its status and what it printed."""
        status: int | None = None
        with suppress(ProcessLookupError):
            while True:
                if status is None:
                    process, found = os.waitpid(self.process, os.WNOHANG)
                    status = os.waitstatus_to_exitcode(found) if process else None
                else:
                    # Fails where nothing of the group is left.
                    os.killpg(self.process, 0)
                if time.monotonic() - self.started > seconds:
                    os.killpg(self.process, signal.SIGKILL)
                    if status is not None:
                        return 98, "a child outlived the command"
                time.sleep(0.01)
        return status, self.log.read_text(errors="replace")

    @property
    def calls(self) -> int:
        return int(STATE.unpack(self.file.read_bytes())[0])


LEFT_BY_LIBRARIES = (
    "tmp/__autograph_generated_file*", "tmp/tmp*", "tmp/????????", "tmp/.zoo-*tfds", "*/events.out.tfevents.*",
    "*/.config/incomplete.*",
)  # fmt: skip
"""Temporary files of Python, TensorFlow, Keras and TFDS, the last deleted after a minute; logs named by the time."""

JOURNALS = ("log*.txt", "report.md", "oracle.json", "fingerprint.pb", "*.log")
"""Files with times or random numbers in them, of which only the name is compared."""

VOLATILE = {"seconds", "started", "date_saved", "created", "machine", "memory_mb", "milliseconds", "command"}
"""Keys of JSON documents whose values differ from run to run."""


def lasting(value: Any) -> Any:
    """Takes out of a document what differs from run to run."""
    if isinstance(value, dict):
        return {key: lasting(item) for key, item in value.items() if key not in VOLATILE}
    return [lasting(item) for item in value] if isinstance(value, list) else value


def contents(name: str, data: bytes) -> Any:
    """What is compared of a file: its bytes, but for what differs from run to run."""
    if any(fnmatch(name, pattern) for pattern in JOURNALS):
        return "journal"
    # Half of a file under a temporary name is neither.
    with suppress(ValueError, zipfile.BadZipFile):
        if name.endswith(".json"):
            return lasting(json.loads(data))
        if name.endswith(".keras"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {member: contents(member, archive.read(member)) for member in archive.namelist()}
    return hashlib.sha256(data).hexdigest()[:16]


def tree(folder: Path) -> dict[str, Any]:
    """Everything below a folder by its path: of files what is compared, of folders None."""
    paths = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))}
    return {
        name: contents(path.name, path.read_bytes()) if path.is_file() else None
        for name, path in paths.items()
        if not any(fnmatch(name, pattern) for pattern in LEFT_BY_LIBRARIES)
    }


def different(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """How two trees differ, in one line; empty if they are the same."""
    names = [name for name in {**expected, **found} if found.get(name, "missing") != expected.get(name, "missing")]
    return ", ".join(
        f"{name} {'differs' if name in found and name in expected else 'is missing' if name in expected else 'is left'}"
        for name in names[:4]
    )


def check(folder: Path, call: int, case: Case, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Kills a command at a call, and repeats it until it ends as it would have without. Returns what became of it."""
    status, said = Run(folder, case.arguments, call).wait(case.seconds)
    steps: list[str] = []
    found = {"call": call, "steps": steps, "problem": ""}
    if status != -signal.SIGKILL:
        return found | {"problem": f"was not killed: status {status}, {said[-300:]}"}
    arguments = list(case.arguments)
    for _ in range(3):
        status, said = Run(folder, arguments).wait(case.seconds)
        line = said.strip().splitlines()[-1] if said.strip() else ""
        steps.append(f"{status}: {line[:200]}" if status else "ended")
        difference = different(tree(folder), expected)
        if status == 0 or not difference:
            # Where it fails, it was killed after its last word to the disk: there is nothing left to do.
            return found | {"problem": difference}
        more = [option for option in case.then if option in line and option not in arguments]
        if status >= 64 or "Traceback" in said or not more:
            break
        arguments += more
    return found | {"problem": "does not end"}


def prepare(folder: Path, inputs: Path, case: Case) -> Path:
    folder.mkdir(parents=True)
    for name in case.inputs:
        (shutil.copytree if (inputs / name).is_dir() else shutil.copy2)(inputs / name, folder / name)
    return folder


def attempt(root: Path, name: str, call: int, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Kills a command at a call, in a folder that is kept where it did harm."""
    folder = prepare(root / name / str(call), root / "inputs", CASES[name])
    outcome = check(folder, call, CASES[name], expected)
    if not outcome["problem"]:
        shutil.rmtree(folder)
    return outcome


def campaign(root: Path, counts: Mapping[str, int], processes: int) -> dict[str, Any]:
    """Kills each command at a number of points. Returns what was found, by command."""
    inputs = root / "inputs"
    inputs.mkdir()
    make_inputs(inputs)
    found: dict[str, Any] = {}
    for name, count in counts.items():
        case, begin = CASES[name], time.monotonic()
        whole = Run(prepare(root / name / "whole", inputs, case), case.arguments)
        status, said = whole.wait(case.seconds)
        assert status == 0, f"{name}: {said}"
        seconds, expected = time.monotonic() - begin, tree(whole.folder)
        # All calls, or evenly spread ones with the first and the last.
        calls = {round(call) for call in np.linspace(1, whole.calls, min(whole.calls, count))}
        jobs = [(root, name, call, expected) for call in sorted(calls)]
        # Forks have imported TensorFlow already.
        with get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
            outcomes = pool.starmap(attempt, jobs, chunksize=1)
        found[name] = {
            "calls": whole.calls, "kills": len(outcomes), "seconds_of_the_command": round(seconds, 1),
            "seconds": round(time.monotonic() - begin), "same": sum(not each["problem"] for each in outcomes),
            "by_option": sum(len(each["steps"]) > 1 for each in outcomes),
            "problems": [each for each in outcomes if each["problem"]],
        }  # fmt: skip
        print(f"{name}: {json.dumps(found[name])}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Runs the campaign and prints one JSON document. The exit status is 1 if a kill did harm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", help=f"of {', '.join(CASES)}, or COMMAND=POINTS; all by default")
    parser.add_argument("--points", type=int, help="kills of each command; more of the quick ones by default")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--eager", action="store_true", help="train step by step, without compiling")
    parser.add_argument("--folder", type=Path, help="where the folders of failed points are kept")
    options = parser.parse_args()
    if LIBRARY not in os.environ:
        with tempfile.TemporaryDirectory() as scratch:
            library = f"{scratch}/kills.so"
            source = HERE / "kills.c"
            subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
            environment = {**os.environ, **limit_threads(1), "LD_PRELOAD": library, LIBRARY: library}
            sys.exit(subprocess.run([sys.executable, __file__, *sys.argv[1:]], env=environment).returncode)
    # What the commands import is imported once.
    import pandas  # noqa: F401
    import tensorflow as tf
    import tensorflow_datasets  # noqa: F401

    import zoo.cli
    import zoo.training  # noqa: F401

    tf.config.run_functions_eagerly(options.eager)
    root = (options.folder or Path(tempfile.mkdtemp())).resolve()
    named = dict(word.partition("=")[::2] for word in options.commands or CASES)
    counts = {name: int(count or options.points or CASES[name].points) for name, count in named.items()}
    found = campaign(root, counts, options.processes)
    if not options.folder:
        shutil.rmtree(root)
    keys = ("calls", "kills", "same", "by_option", "seconds")
    total = {key: sum(each[key] for each in found.values()) for key in keys}
    print(json.dumps({"total": total, "commands": found}, indent=2))
    sys.exit(total["same"] < total["kills"])


if __name__ == "__main__":
    main()
