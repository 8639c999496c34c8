"""Fixtures: the command line in this process, simulated data and models made of it, real data where there is some.

What takes seconds to make is made once for all processes of a run: see `make_once`.
"""

import gc
import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
from filelock import FileLock
from running import ROOT, miss

# Before TensorFlow is imported, here or in a process that a test starts: there is one process for each core.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what runs in the background, and every process that a test starts would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL = ROOT.parent / "shared" / "data"

hypothesis.settings.register_profile(
    "zoo",
    max_examples=12,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("zoo")

MARKED_BY_FIXTURE = {"real": "real", "browser": "browser"}
"""A test that asks for the fixture has the marker."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by the fixtures that they ask for."""
    for item in items:
        for fixture, marker in MARKED_BY_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Spares the collector what was imported, which lives as long as the process: a twelfth of the time of tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Converts to TFLite in this process, unless the test is one of processes: a child takes five seconds to start."""
    if formats := sys.modules.get("zoo.exporting.formats"):
        formats.Converter.in_child = item.get_closest_marker("process") is not None


class Finished(NamedTuple):
    """A command that has ended: its status and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def zoo_cli() -> Callable[..., Finished]:
    """Runs a command in this process: `zoo_cli("list", "--json") -> (status, out, err)`."""

    def run(*arguments: object) -> Finished:
        from zoo.cli import main

        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
            with pytest.raises(SystemExit) as end:
                main()
        return Finished(int(end.value.code or 0), out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def zoo_json(zoo_cli) -> Callable[..., Any]:
    """Runs a command that succeeds: `zoo_json("list") -> document`."""

    def run(*arguments: object) -> Any:
        status, out, err = zoo_cli(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    return run


@pytest.fixture(scope="module")
def uncompiled():
    """Trains step by step, without tracing or compiling, which takes seconds: for what happens around a training."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def make_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Fills a folder once a run: `make_once("name", fill) -> folder`, after `fill(folder)` in the first process to ask.

    Tests only read what is in there.
    """
    root = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        # Each process of pytest-xdist has a folder of its own in that of the run.
        root = root.parent
    # `make test-all` consists of several runs.
    root = Path(os.environ.get("ZOO_MADE_ONCE", root))

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder = root / "once" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                unfinished = folder.with_suffix(".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                fill(unfinished)
                unfinished.rename(folder)
        return folder

    return make


def _simulated(task: str, file: str, **sizes: int):
    """A fixture: the simulated data of a task, the same for all tests."""

    @pytest.fixture(scope="session")
    def data(make_once) -> Path:
        simulate = importlib.import_module(f"zoo.{task}.simulate")
        return make_once(task, lambda folder: simulate.write_simulated(folder / file, seed=0, **sizes)) / file

    return data


# Of five people: with four to train on, validation needs no folds.
simulated = _simulated("activity", "data3.h5", subjects=5, seconds=20)
simulated_patches = _simulated("patches", "data1.h5", count=600, size=8, pictures=5)
simulated_trigrams = _simulated("text", "data2.h5", sentences=1500)


@pytest.fixture(scope="session")
def train_once(make_once, zoo_cli) -> Callable[..., Path]:
    """Trains a model once a run: `train_once("name", "--model", "activity_gru", ...) -> folder`."""

    def train(name: str, *arguments: object) -> Path:
        def fill(folder: Path) -> None:
            import tensorflow as tf

            # It takes minutes step by step, as where a module that is `uncompiled` asks first.
            step_by_step = tf.config.functions_run_eagerly()
            tf.config.run_functions_eagerly(False)
            status, _, err = zoo_cli("train", *arguments, "--out", folder)
            tf.config.run_functions_eagerly(step_by_step)
            assert status == 0, err

        return make_once(name, fill)

    return train


@pytest.fixture(scope="session")
def export_once(make_once, zoo_cli) -> Callable[..., Path]:
    """Exports a model once a run, as `zoo export` does; its list of artifacts is the file `NAME.json` next to them."""

    def export(name: str, *arguments: object) -> Path:
        def fill(folder: Path) -> None:
            status, out, err = zoo_cli("export", *arguments, "--to", folder, "--json")
            assert status == 0, err
            folder.with_suffix(".json").write_text(out)

        return make_once(name, fill)

    return export


def _trained(name: str, data: str, settings: str):
    """A fixture: the folder of a small model, trained on simulated data."""

    @pytest.fixture(scope="session")
    def model(train_once, request) -> Path:
        return train_once(name, *settings.split(), "--data", request.getfixturevalue(data))

    return model


def _exported(name: str, data: str):
    """A fixture: the folder of what such a model was exported to."""

    @pytest.fixture(scope="session")
    def files(export_once, request) -> Path:
        model, file = map(request.getfixturevalue, (name, data))
        return export_once(f"exported_{name}", model, "--data", file)

    return files


recognizer = _trained(
    "recognizer", "simulated", "--model activity_gru --units 8 --frame 5 --epochs 30 --set validation_by=time"
)
autoencoder = _trained(
    "autoencoder", "simulated_patches", "sparse_autoencoder_course --set pixels=64 --hidden-units 12 --epochs 4"
)
language_model = _trained(
    "language_model", "simulated_trigrams",
    "--model trigram_lm --hidden-units 24 --set embedding=8 --epochs 8 --batch-size 32",
)  # fmt: skip
exported_recognizer = _exported("recognizer", "simulated")
exported_autoencoder = _exported("autoencoder", "simulated_patches")
exported_language_model = _exported("language_model", "simulated_trigrams")


@pytest.fixture(scope="session")
def real() -> Path:
    if not REAL.is_dir():
        # Where CI is set, real data is a part of what must pass.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no real data in {REAL}")
    return REAL


@pytest.fixture(scope="session")
def site(make_once) -> Path:
    zensical = shutil.which("zensical", path=str(Path(sys.executable).parent)) or shutil.which("zensical")
    if zensical is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs zensical: pip install '.[docs]'")

    def build(folder):
        command = [sys.executable, ROOT / "docs" / ".site" / "build.py"]
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout + built.stderr
        shutil.copytree(ROOT / "build" / "site", folder, dirs_exist_ok=True)

    return make_once("site", build)


_SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--ignore-certificate-errors",
    # A name that is not this machine's own, and so not secure without TLS.
    "--host-resolver-rules=MAP phone.test 127.0.0.1",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """Chromium, gone before tests of other modules run: its event loop is not theirs."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        miss("needs the package playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        miss("needs Chromium: apt-get install chromium")
    with sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=chromium, args=_SWITCHES)
        yield found
        found.close()


@pytest.fixture
def serve(zoo_cli, monkeypatch, tmp_path):
    """`zoo serve`, interrupted as soon as it serves: `serve("exported") -> (finished, files)`.

    Its page is as small as a page can be, in place of the built one, which only some machines have.
    """
    from zoo.serving import PageServer, page_files, session

    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<!doctype html><title>page</title>")
    served = {}

    def interrupt(server):
        served.update(server.files)
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "page_files", partial(page_files, folder=tmp_path / "page"))
    monkeypatch.setattr(PageServer, "serve_forever", interrupt)
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: (zoo_cli("serve", "--port", 9743, *arguments), served)
