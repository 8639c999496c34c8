"""Processes of jobs: run to their end, started again, and ended together."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo import jobs
from zoo.jobs import Job, Terminated, run_jobs, terminable

pytestmark = pytest.mark.process


def script(code, name="job", **options):
    return Job(name, [sys.executable, "-c", f"import os, sys, time\n{code}"], **options)


def ends(pid):
    """Whether a process ends within a minute, as on a busy machine."""
    for _ in range(6000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_jobs_run_at_most_so_many_at_once_and_those_that_are_wanted_again_run_again(tmp_path):
    code = f"folder = {str(tmp_path)!r}; name = sys.argv[1] if sys.argv[1:] else ''\n"
    code += "open(f'{folder}/{os.getpid()}', 'w').close(); time.sleep(0.2); os.unlink(f'{folder}/{os.getpid()}')"
    counts, statuses = [], []

    def on_exit(job, status):
        statuses.append((job.name, status))
        return statuses.count(("a", 0)) == 1 and job.name == "a"

    run_jobs(
        [script(code, name) for name in "abcd"], at_once=2, on_exit=on_exit, interval=0.01,
        watch=lambda: counts.append(len(list(tmp_path.iterdir()))),
    )  # fmt: skip
    assert max(counts) <= 2
    assert sorted(statuses) == [(name, 0) for name in "aabcd"]


def test_a_job_imports_modules_from_where_this_process_does(tmp_path, monkeypatch):
    (tmp_path / "next_to_the_script.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    statuses = []
    run_jobs([script("import next_to_the_script, zoo")], at_once=1, on_exit=lambda _, status: statuses.append(status))
    assert statuses == [0]


def test_an_exception_ends_all_processes_and_a_job_that_ignores_the_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "_TERMINATION_SECONDS", 0.2)
    log = tmp_path / "logs" / "log"
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True)\ntime.sleep(60)"
    )

    def watch():
        if log.is_file() and log.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([script(deaf, log=log)], at_once=1, on_exit=lambda *_: False, watch=watch, interval=0.01)
    assert ends(int(log.read_text()))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_children_end_with_a_parent_that_is_killed(tmp_path):
    log = tmp_path / "log"
    parent = (
        "import sys\nfrom pathlib import Path\nfrom zoo.jobs import Job, run_jobs\n"
        "child = 'import os, time; from zoo.jobs import die_with_parent; die_with_parent();' "
        "'print(os.getpid(), flush=True); time.sleep(60)'\n"
        f"run_jobs([Job('c', [sys.executable, '-c', child], log=Path({str(log)!r}))], at_once=1, on_exit=print)"
    )
    run = subprocess.Popen([sys.executable, "-c", parent])
    while not (log.is_file() and log.read_text().endswith("\n")):
        assert run.poll() is None
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert ends(int(log.read_text()))


def test_sigterm_interrupts_a_block_once_and_not_where_it_is_ignored():
    before = signal.getsignal(signal.SIGTERM)
    cleaned = False

    @contextmanager
    def work():
        nonlocal cleaned
        try:
            yield
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned = True

    with pytest.raises(KeyboardInterrupt) as stop, terminable(), work():
        os.kill(os.getpid(), signal.SIGTERM)
    assert cleaned
    assert isinstance(stop.value, Terminated)
    assert stop.value.status == 143
    assert signal.getsignal(signal.SIGTERM) is before
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with terminable():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_in_a_finalizer_whose_errors_python_ignores_is_raised_after_it(monkeypatch):
    # That of pytest takes so long on a busy machine that the signal comes again within it.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)

    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def work():
        with terminable():
            Finalized()
            time.sleep(20)

    with pytest.raises(Terminated):
        work()


def test_a_job_cleans_up_when_it_is_terminated_and_prints_nothing(tmp_path):
    code = (
        "from pathlib import Path; from zoo.files import atomic_write; from zoo.jobs import terminable_job\n"
        f"with terminable_job(), atomic_write(Path({str(tmp_path)!r}) / 'a.txt'):\n"
        "    print('begun', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log" / "log"

    def watch():
        if log.is_file() and log.read_text():
            raise Terminated

    job = script(code, log=log)
    with pytest.raises(Terminated):
        run_jobs([job], at_once=1, on_exit=lambda *_: False, watch=watch, interval=0.01)
    assert log.read_text() == "begun\n"
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    process = subprocess.Popen(job.command, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.terminate()
    assert process.wait() == -signal.SIGTERM
