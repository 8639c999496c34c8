"""Searches in several processes: the chief of keras-tuner assigns trials, and workers run them, here or on other hosts.

keras-tuner's own variables say which process this is: `KERASTUNER_TUNER_ID`, which is `chief` or the worker's name, and
`KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`, where the chief listens. All processes share the folder of the
search. A worker that is started again under its name gets its trial back.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from zoo import jobs
from zoo.errors import ZooError
from zoo.jobs import Job
from zoo.search.study import Study

CHIEF = "chief"
RECYCLED = 75
"""Exit status of a process that wants to be started again."""

_DEATHS = 100
_INDICES = ("SLURM_PROCID", "JOB_COMPLETION_INDEX", "HOSTNAME")


def name() -> str | None:
    """Returns the name of this process, `chief` or that of a worker. None if the search has one process."""
    return os.environ.get("KERASTUNER_TUNER_ID") if "KERASTUNER_ORACLE_IP" in os.environ else None


def take_role(role: str, chief: str | None) -> None:
    """Sets keras-tuner's variables for this process, where they are not set.

    Args:
        role: `chief` or `worker`. A worker is named after its index in Slurm or Kubernetes, or after the host.
        chief: `host:port` of the chief.

    Raises:
        ZooError: If the role is unknown, or the address of the chief is.
    """
    if role not in (CHIEF, "worker"):
        raise ZooError(f"role {role!r}: expected chief or worker")
    if chief is not None:
        host, colon, port = chief.rpartition(":")
        if not colon or not port.isdecimal():
            raise ZooError(f"--chief {chief}: expected HOST:PORT, such as node1:8790")
        os.environ["KERASTUNER_ORACLE_IP"], os.environ["KERASTUNER_ORACLE_PORT"] = host, port
    if not {"KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"} <= set(os.environ):
        raise ZooError(f"role {role}: pass --chief HOST:PORT, the address of the chief")
    if role == CHIEF:
        os.environ["KERASTUNER_TUNER_ID"] = CHIEF
    else:
        number = next((os.environ[key] for key in _INDICES if key in os.environ), socket.gethostname())
        os.environ.setdefault("KERASTUNER_TUNER_ID", f"worker-{number}")


def recycle() -> None:
    """Ends this process where another takes its place: TensorFlow never frees the memory of compiled functions."""
    if jobs.supervised() or name() is not None:
        sys.exit(RECYCLED)


def run_workers(study: Study, folder: Path, count: int, watch: Callable[[], None]) -> None:
    """Runs trials in other processes of this machine until all have ended: one, or a chief and several workers.

    A process that dies is started again under its name. The chief listens on a Unix socket in a private folder, so that
    no other user can reach it.

    Args:
        study: What is searched.
        folder: Folder of the search, in which each process has a log.
        count: Number of workers.
        watch: Function that is called about once a second.

    Raises:
        ZooError: If a process ends with an error, which is named, or dies again and again.
    """
    deaths = 0

    def on_exit(job: Job, status: int) -> bool:
        nonlocal deaths
        deaths += status < 0
        if (status > 0 and status != RECYCLED) or deaths > _DEATHS:
            assert job.log is not None
            raise ZooError(jobs.last_error(job.log) or f"{job.name} ended with status {status}; see {job.log}")
        return status != 0 or job.background

    command = jobs.python("zoo.search.run", folder, study.data, study.trials)
    shared = jobs.share_cores(count)
    with tempfile.TemporaryDirectory() as private:
        work = [Job("trials", command, shared, log(folder, "trials"))]
        if count > 1:
            shared |= {"KERASTUNER_ORACLE_IP": "unix", "KERASTUNER_ORACLE_PORT": f"{private}/chief"}
            work = [
                Job(name, command, shared | {"KERASTUNER_TUNER_ID": name}, log(folder, name), name == CHIEF)
                for name in (CHIEF, *(f"worker-{number}" for number in range(count)))
            ]
        jobs.run_jobs(work, at_once=len(work), on_exit=on_exit, watch=watch, interval=1.0)


def log(folder: Path, name: str | None) -> Path:
    """Returns the log of a process, or of the libraries in a search with one process."""
    return folder / (f"log.{name}.txt" if name else "log.txt")
