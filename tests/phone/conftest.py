"""A real browser on the built page, as `zoo serve` serves it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from phone.pages import MODEL, PATIENT, PHONE, play
from running import miss, running

from zoo.serving import PageServer, certificate, page_files
from zoo.serving.server import PAGE_FOLDER


@pytest.fixture(scope="session")
def built():
    """What needs the page is left out where it is not built."""
    if not (PAGE_FOLDER / "litert").is_dir():
        miss(f"no LiteRT.js in {PAGE_FOLDER}: make page")


@pytest.fixture(scope="session")
def convolutional_file(tmp_path_factory) -> Path:
    """An untrained recognizer without states: it has the signature `window` alone. Next to it is its personal file."""
    from zoo import ActivityCNN
    from zoo.exporting import formats, signatures

    # Windows of an odd and of an even number of rows, which differ in their padding.
    sizes = {"filters": 8, "num_blocks": 3, "kernel_size": 4, "window": 42}
    model = ActivityCNN(**sizes, seed=0, name="convolutional", temperature=0.7)
    path = tmp_path_factory.mktemp("convolutional") / "model.tflite"
    formats.convert(signatures.personal(model), {"personal": path.with_name("model.personal.tflite")})
    return _published(model, path, hop=20)


@pytest.fixture(scope="session")
def inertial_file(tmp_path_factory) -> Path:
    """An untrained recognizer that reads a gyroscope as well, with a temperature and a prior of its own."""
    from zoo import ActivityGRU

    model = ActivityGRU(
        units=8, frame=5, channels=6, window=50, classes=("still", "turning"), seed=0, name="inertial", temperature=0.7,
        prior={"still": 0.8}, provenance={"class_frequencies": {"still": 0.5, "turning": 0.5}},
    )  # fmt: skip
    return _published(model, tmp_path_factory.mktemp("inertial") / "model.tflite")


def _published(model, path, **facts):
    from zoo.activity.task import TASK
    from zoo.exporting import formats, signatures
    from zoo.runtime.metadata import embed

    formats.convert(signatures.activity(model, 10), {"float32": path}, batch=1)
    for file in path.parent.iterdir():
        embed(file, replace(TASK.metadata(model), **facts))
    return path


@contextmanager
def _serving(*models: Path) -> Iterator[str]:
    context = certificate.tls_context(["127.0.0.1"])
    with running(PageServer(page_files(list(models)), "127.0.0.1", 9443, context)) as server:
        yield f"https://127.0.0.1:{server.port}/"


@pytest.fixture(scope="session")
def serve_page():
    """The address of a page while it is served with other models than the pocket one."""
    return _serving


@pytest.fixture(scope="module")
def address(browser, built) -> Iterator[str]:
    with _serving(MODEL) as found:
        yield found


@pytest.fixture(scope="module")
def inertial_address(browser, built, inertial_file) -> Iterator[str]:
    """Of the page with a model that reads a gyroscope as well."""
    with _serving(inertial_file) as found:
        yield found


@pytest.fixture
def open_page(pages_of) -> Iterator[Callable]:
    """Opens the page on a phone's viewport; fails where it asked another origin or broke its own rules.

    Its clock goes on by itself, and `page.clock.run_for` turns it forward.
    """
    with pages_of() as open_one:
        yield open_one


@pytest.fixture(scope="module")
def pages_of(browser, address):
    """What `open_page` gives, for as long as a block: `with pages_of() as open_page`."""
    return partial(_opening, browser, address)


@contextmanager
def _opening(browser, address):
    contexts, complaints = [], []

    def open_one(url=None, *, before=None, patient=True, **options):
        phone = {
            "viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "ignore_https_errors": True,
            "service_workers": "block",
        }  # fmt: skip
        context = browser.new_context(**phone | options)
        contexts.append(context)
        # Twice what is usual: a busy machine needs longer.
        context.set_default_timeout(60_000)
        page = context.new_page()
        here = url or address
        page.on("request", lambda request: _foreign(request.url, here) and complaints.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: "Content Security" in line.text and complaints.append(line.text))
        page.clock.install()
        if patient:
            page.add_init_script(PATIENT)
        if before:
            page.add_init_script(before)
        page.goto(here)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def run(open_page):
    """Opens the page and plays samples: `run(samples, count, url, **options) -> page`."""

    def start(samples, count, url=None, **options):
        page = open_page(url, **options)
        play(page, samples, count)
        return page

    return start


def _foreign(url: str, page: str) -> bool:
    """Whether a request leaves the host of the page; a scheme may be mistyped."""
    host = re.match(r"https?(://[^/]+/)", page).group(1)
    return not url.startswith((f"https{host}", f"http{host}", "blob:"))
