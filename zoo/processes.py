"""Processes of our own: each does a part of the work, writes what it says to a file, and ends with its parent."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Process = subprocess.Popen[bytes]


def start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Process:
    """Starts a process, whose program is to call `die_with_parent`.

    Args:
        command: Program and arguments.
        log: The file that its output is added to.
        environment: Its variables, beside those of this process.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=file, stderr=file, env={**os.environ, **environment}
        )


def die_with_parent() -> None:
    """Ends this process when the one that started it is gone, however it went: its end of the pipe closes."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def status(process: Process) -> int | None:
    """How a process ended, negative where a signal killed it; None while it runs."""
    found = process.poll()
    if found is not None and process.stdin is not None:
        process.stdin.close()
    return found


@contextmanager
def ended(processes: Mapping[Any, Process]) -> Iterator[None]:
    """Ends the processes that still run when the block is left.

    Args:
        processes: Looked at in the end, so that the block may add and remove some.
    """
    try:
        yield
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.wait()
            status(process)


def last_words(log: Path) -> str:
    """What the command line said in the end, as far as it said something."""
    lines = log.read_text(errors="replace").splitlines()
    return next((line.removeprefix("zoo: ") for line in reversed(lines) if line.startswith("zoo: ")), "")
