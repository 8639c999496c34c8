"""Child processes: folds of a cross-validation, on this machine or on a Dask cluster, and trials of a search."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, option

CODE = "ZOO_CODE"
"""The environment variable with the files that `--code` names, which child processes run as well."""
_SUPERVISED = "ZOO_SUPERVISED"
_LIBRARIES = ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OMP_NUM", "OPENBLAS_NUM", "NUMBA_NUM")
_TERMINATION_SECONDS = 30.0
_AGAIN_SECONDS = 0.1
_CONNECTION_SECONDS = 10

MOST_WORKERS = 1024
"""Processes that may run at once on this machine."""


@dataclass(frozen=True, eq=False)
class Job:
    """A command to run in its own process, which must call `die_with_parent`.

    Standard output and error are appended to the `log`, if there is one; the former to `output`, if there is that.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    output: Path | None = None


class Child(subprocess.Popen[bytes]):
    """The process of a job, on this machine."""

    def __init__(self, job: Job, folder: Path = Path()) -> None:
        # What this process imports, its children import, also modules next to a script.
        paths = os.pathsep.join(map(str, sys.path))
        environment = {**os.environ, "PYTHONPATH": paths, **job.environment, _SUPERVISED: "1"}
        with ExitStack() as stack:
            streams: dict[str, Any] = {}
            if job.log is not None:
                places = {"stdout": folder / (job.output or job.log), "stderr": folder / job.log}
                places["stderr"].parent.mkdir(parents=True, exist_ok=True)
                streams = {name: stack.enter_context(place.open("ab")) for name, place in places.items()}
            super().__init__(job.command, stdin=subprocess.PIPE, env=environment, cwd=folder, **streams)

    def close(self, seconds: float = 0.0) -> None:
        """Waits for the process to end, and kills it if it does not."""
        try:
            self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
        assert self.stdin is not None
        self.stdin.close()


class Remote:
    """The process of a job, on a worker of a Dask cluster. One that runs already is not ended by `terminate`."""

    def __init__(self, job: Job, client: Any) -> None:
        named = {CODE: os.environ[CODE]} if CODE in os.environ else {}
        job = replace(job, environment={**job.environment, **named})
        self._future = client.submit(_run_here, job, Path.cwd(), pure=False)

    def poll(self) -> int | None:
        """The exit status, once it has ended: that of SIGKILL if its worker was lost."""
        if not self._future.done():
            return None
        return int(self._future.result()) if self._future.status == "finished" else -signal.SIGKILL

    def terminate(self) -> None:
        """Takes it from the queue."""
        self._future.cancel()

    def close(self, seconds: float = 0.0) -> None:
        """Waits for nothing."""


def _run_here(job: Job, folder: Path) -> int:
    """Runs a job on a worker, in a folder that it shares, with the Python of the worker; returns the exit status."""
    child = Child(replace(job, command=[sys.executable, *job.command[1:]]), folder)
    try:
        return child.wait()
    finally:
        child.close()


def connected(workers: Any) -> AbstractContextManager[Any]:
    """A number of workers, or the client of a Dask cluster, in place of the address of which one is connected."""
    if isinstance(workers, int) and not 0 <= workers <= MOST_WORKERS:
        raise ZooError(f"{option('workers', workers)}: expected 0 to {MOST_WORKERS}")
    if not isinstance(workers, str):
        return nullcontext(workers)
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ZooError("a cluster needs Dask: pip install 'pocket-zoo[dask]'") from None
    try:
        client: AbstractContextManager[Any] = distributed.Client(workers, timeout=_CONNECTION_SECONDS)
    except (OSError, ValueError, ImportError) as error:
        words = "expected a number, or the address of a Dask scheduler that runs, such as tcp://10.0.0.5:8786"
        raise ZooError(f"{option('workers', workers)}: {words} ({reason(error)})") from None
    return client


def count(workers: Any) -> int:
    """How many processes run at once: the number itself, or that of the threads of a cluster."""
    return workers if isinstance(workers, int) else sum(workers.nthreads().values())


def run_jobs(
    jobs: Iterable[Job],
    *,
    at_once: Any,
    on_exit: Callable[[Job, int], bool],
    watch: Callable[[], bool | None] = lambda: None,
    interval: float = 0.2,
) -> None:
    """Runs jobs in parallel until all have ended, or `watch` says that the work is done. No process outlives the call.

    With the client of a Dask cluster `at_once`, its scheduler has all jobs, and those that run end by themselves.
    `on_exit` gets each job that ends and its exit status, negative after a signal; if it returns True, the job runs
    again, and if it raises an exception, the others are ended. `watch` is called every `interval` seconds.
    """
    waiting, running = deque(jobs), dict[Job, Child | Remote]()
    start: Callable[[Job], Child | Remote] = Child
    if not isinstance(at_once, int):
        start, at_once = partial(Remote, client=at_once), len(waiting)
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.popleft()
                running[job] = start(job)
            if watch():
                break
            time.sleep(interval)
            for job, process in list(running.items()):
                status = process.poll()
                if status is not None:
                    running.pop(job).close()
                    if on_exit(job, status):
                        waiting.appendleft(job)
    finally:
        for process in running.values():
            process.terminate()
        stop = time.monotonic() + _TERMINATION_SECONDS
        for process in running.values():
            process.close(max(0.0, stop - time.monotonic()))
    watch()


def supervised() -> bool:
    """Returns whether this process was started by `run_jobs`."""
    return _SUPERVISED in os.environ


def die_with_parent() -> None:
    """Ends this process when its parent ends, even by SIGKILL: the pipe to standard input is then closed."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class Terminated(KeyboardInterrupt):
    """SIGTERM. What cleans up and reports after Ctrl-C does the same after SIGTERM."""

    status = 128 + signal.SIGTERM


@contextmanager
def terminable() -> Iterator[None]:
    """Raises `Terminated` in the block when this process gets SIGTERM, unless it was started to ignore it.

    One that arrives during the cleanup after another is ignored: a process group and its supervisor may each send one.
    """
    before, again = signal.getsignal(signal.SIGTERM), None
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        nonlocal again
        if _is_handled(Terminated):
            return
        # In a finalizer or a callback of C Python ignores what is raised: then it is raised once more.
        again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if again is not None:
            again.cancel()
        signal.signal(signal.SIGTERM, before)


def _is_handled(kind: type[BaseException]) -> bool:
    """Whether the code that is interrupted cleans up after an exception of a kind."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, kind):
        error = error.__context__
    return error is not None


@contextmanager
def terminable_job() -> Iterator[None]:
    """Like `terminable`, for a process of `run_jobs`: after cleanup, SIGTERM ends it without a traceback."""
    try:
        with terminable():
            yield
    except Terminated:
        # `run_jobs` distinguishes processes that a signal ended from those that failed.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def limit_threads(count: int) -> dict[str, str]:
    """Environment variables that limit the threads of TensorFlow, BLAS and Numba in a process."""
    return {f"{library}_THREADS": str(count) for library in _LIBRARIES}


def python(module: str, *arguments: object) -> list[str]:
    """Returns the command that runs a module that needs Keras with this interpreter."""
    return [sys.executable, "-m", "zoo.startup", module, *map(str, arguments)]


def throttled(function: Callable[..., None], seconds: float = 1.0) -> Callable[..., None]:
    """Returns a function that calls another one, at most once per interval."""
    last = float("-inf")

    def call(*arguments: Any) -> None:
        nonlocal last
        if time.monotonic() - last > seconds:
            function(*arguments)
            last = time.monotonic()

    return call


def reason(error: BaseException) -> str:
    """Why a job failed, in one line."""
    if isinstance(error, ZooError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "out of memory"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def failure(job: Job, status: int) -> ZooError:
    """Why a job with a log failed: the last error of the command line in it, or else its exit status."""
    lines = [] if job.log is None else reversed(job.log.read_text(errors="replace").splitlines())
    said = next((line.removeprefix("zoo: ") for line in lines if line.startswith("zoo: ")), "")
    return ZooError(said or f"{job.name} ended with status {status}; see {job.log}")
