"""The service worker in Chromium: a new deployment while the page is open, and a network that hangs."""

import os
import re
import shutil
import threading
import time
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from phone.pages import play, standing, until
from running import Quiet, running

from zoo.serving.server import PAGE_FOLDER


class Host:
    """A static host, whose answers never come while it `hangs`; `deploy` puts another build of the page there."""

    def __init__(self, folder):
        self.folder, self.answered, self.goes = folder, 0, threading.Event()
        self.goes.set()

    def deploy(self, build):
        """The names of scripts and styles change with each build, and with them all that names these."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(PAGE_FOLDER, self.folder)
        parts = [path.stem for path in self.folder.glob("assets/*-????????.*")]
        assert len(parts) > 10
        for path in [*self.folder.rglob("*.js"), *self.folder.rglob("*.css"), *self.folder.glob("*.html")]:
            text = path.read_text(encoding="utf-8")
            for part in parts:
                text = text.replace(part, part[:-8] + build * 8)
            if path.name == "sw.js":
                text, count = re.subn(r"\b[0-9a-f]{12}\b", build * 12, text)
                assert count == 1
            path.write_text(text, encoding="utf-8")
            # A host answers by the second that nothing has changed.
            os.utime(path, (time.time() + 10 * int(build),) * 2)
            if path.stem in parts:
                path.rename(path.with_stem(path.stem[:-8] + build * 8))


@pytest.fixture
def static_host(tmp_path, built):
    found = Host(tmp_path / "page")

    class Answers(Quiet):
        def do_GET(self):  # noqa: N802
            found.goes.wait()
            found.answered += 1
            super().do_GET()

    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, directory=found.folder))) as server:
        found.address = f"http://localhost:{server.server_port}/"
        yield found
        found.goes.set()


BUILD = "/page-(.)\\1{7}\\.js$/.exec(document.querySelector('script[type=module]').src)[1]"
"""The build of a page."""

STORED = """async builds => {
  const {active, waiting, installing} = await navigator.serviceWorker.getRegistration();
  const names = (await caches.keys()).map(name => name.at(-1));
  return !installing && !waiting && active.state === "activated" && `${names.sort()}` === `${builds},t`;
}"""
"""Whether these builds are stored beside what is kept, whose name ends in `t`, and the worker of the last one runs,
which has deleted what is old by then."""


def test_an_open_page_keeps_its_parts_when_another_build_is_deployed_which_runs_after_one_reload(
    static_host, open_page
):
    static_host.deploy("1")
    page = open_page(static_host.address, service_workers="allow")
    page.wait_for_selector("#offline:not([hidden])")
    static_host.deploy("2")
    # As when it is opened once more: the worker of the new build takes over the page that is open.
    other = page.context.new_page()
    other.goto(static_host.address)
    until(other, STORED, ["1", "2"])
    page.click("#person")
    # The host does not have these parts any longer.
    page.wait_for_selector("#simulated:text-is('Recording of a real person')")
    page.wait_for_selector("#signal-axes span")
    assert page.evaluate(BUILD) == "1"
    page.reload()
    page.wait_for_selector("#start:enabled")
    assert page.evaluate(BUILD) == "2"
    static_host.deploy("3")
    page.reload()
    page.wait_for_selector("#start:enabled")
    assert page.evaluate(BUILD) == "3"
    # Of the builds before, only the last one is kept.
    until(page, STORED, ["2", "3"])


def test_on_a_network_that_hangs_a_stored_page_starts(static_host, open_page):
    static_host.deploy("1")
    page = open_page(static_host.address, service_workers="allow")
    page.wait_for_selector("#offline:not([hidden])")
    static_host.goes.clear()
    answered = static_host.answered
    page.reload()
    page.wait_for_selector("#start:enabled")
    play(page, standing(0, 4), 20)
    assert page.inner_text("#label") == "Standing"
    assert static_host.answered == answered
