"""Many processes: keras-tuner's chief gives out trials, workers run them, here or on other hosts.

keras-tuner's own variables say who a process is: `KERASTUNER_TUNER_ID`, which is `chief` or the worker's name, and
`KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`, where the chief listens. All of them see the folder of the search.
A worker that comes back under its name gets the trial that it had.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from zoo import processes
from zoo.cluster import loopback
from zoo.errors import ZooError
from zoo.processes import Process

CHIEF = "chief"
_SUPERVISED = "ZOO_TUNE_SUPERVISED"
RECYCLED = 75
"""The status of a process that wants to be started again."""

_ALONE = "trials"
_DEATHS = 100
_INDICES = ("SLURM_PROCID", "JOB_COMPLETION_INDEX", "HOSTNAME")


def name() -> str | None:
    """This process's name in a search of many, `chief` or a worker's; None in a search of one."""
    return os.environ.get("KERASTUNER_TUNER_ID") if "KERASTUNER_ORACLE_IP" in os.environ else None


def supervised() -> bool:
    """Whether this process was started by `supervise`."""
    return _SUPERVISED in os.environ


def take_role(role: str, chief: str | None) -> None:
    """Sets keras-tuner's variables for this process, where they are not set.

    Args:
        role: `chief` or `worker`. A worker's name follows from Slurm's or Kubernetes' number of it, or from the host.
        chief: `host:port` of the chief.

    Raises:
        ZooError: If the role is unknown, or nothing says where the chief is.
    """
    if role not in (CHIEF, "worker"):
        raise ZooError(f"role {role!r}: expected chief or worker")
    if chief is not None:
        host, colon, port = chief.rpartition(":")
        if not colon or not port.isdecimal():
            raise ZooError(f"--chief {chief}: expected HOST:PORT, such as node1:8790")
        os.environ["KERASTUNER_ORACLE_IP"], os.environ["KERASTUNER_ORACLE_PORT"] = host, port
    if not {"KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"} <= set(os.environ):
        raise ZooError(f"role {role}: name --chief HOST:PORT, where the chief listens")
    if role == CHIEF:
        os.environ["KERASTUNER_TUNER_ID"] = CHIEF
    else:
        number = next((os.environ[key] for key in _INDICES if key in os.environ), socket.gethostname())
        os.environ.setdefault("KERASTUNER_TUNER_ID", f"worker-{number}")


def recycle() -> None:
    """Ends this process where another takes its place: compiled programs are memory that TensorFlow never frees."""
    if supervised() or name() is not None:
        sys.exit(RECYCLED)


def supervise(folder: Path, count: int, look: Callable[[], None]) -> None:
    """Runs trials in other processes of this machine until all have ended: one, or a chief and several workers.

    Each is this process's own command again, told by variables who it is. One that dies is started again under its
    name; all die with this process.

    Args:
        folder: Of the search; gets their output, a file each.
        count: Workers.
        look: Called about once a second.

    Raises:
        ZooError: If a process ends with an error, or dies again and again, with its last words.
    """
    shared = {_SUPERVISED: "1"} | (_shared(count) if count > 1 else {})
    names = [CHIEF, *(f"worker-{number}" for number in range(count))] if count > 1 else [_ALONE]
    running = {name: _start(folder, name, shared) for name in names}
    deaths = 0
    try:
        with processes.ended(running):
            while any(name != CHIEF for name in running):
                look()
                time.sleep(1.0)
                for name, process in list(running.items()):
                    status = processes.status(process)
                    if status is None:
                        continue
                    del running[name]
                    if status == 0 and name != CHIEF:
                        continue
                    deaths += status < 0
                    if status not in (0, RECYCLED) and (status > 0 or deaths > _DEATHS):
                        words = processes.last_words(log(folder, name))
                        raise ZooError(words or f"{name} ended with status {status}")
                    running[name] = _start(folder, name, shared)
    finally:
        look()


def _shared(count: int) -> dict[str, str]:
    """What the processes of a search on this machine are told."""
    ports, told = loopback(count)
    return told | {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(ports[0])}


def log(folder: Path, name: str | None) -> Path:
    """Where a process of a search, or its only one, writes what libraries say."""
    return folder / (f"log.{name}.txt" if name else "log.txt")


def _start(folder: Path, name: str, shared: Mapping[str, str]) -> Process:
    told = {} if name == _ALONE else {"KERASTUNER_TUNER_ID": name}
    return processes.start(sys.orig_argv, log(folder, name), {**shared, **told})
