"""What tests share: servers and programs that run beside them, files, and the line with which a call is refused."""

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zoo.errors import ZooError

ROOT = Path(__file__).parents[1]
SHOTS = ROOT / "build" / "screenshots"
PHONE_PAGE = ROOT / "examples" / "phone"
"""The sources of the phone page, and the packages that it is built with."""

AXE = PHONE_PAGE / "node_modules" / "axe-core" / "axe.min.js"
PORT = 20_000 + os.getpid() % 10_000
"""Of this process alone: a server comes back to it, and another port would be another origin to a browser."""

# A suite that runs in the background has SIGINT ignored, and its children inherit that. The page is PAGE, or empty.
_PROGRAM = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from zoo.serving import server, session
folder = sys.argv.pop(1)
session.page_files = lambda models: server.page_files(models, Path(folder)) if folder else {}
from zoo.cli import main
main()
"""


def python(*arguments, cwd=None, **environment):
    """Runs Python in a process of its own; returns its status, and what it printed."""
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | environment
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def parameters_of(words):
    """The arguments and options of a command, as its help shows them."""
    from zoo.cli import app

    command = app
    for word in words.split():
        command = command[word]
    return command.assemble_argument_collection()


@contextmanager
def running(server):
    """Serves in a thread, until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextmanager
def host(folder, tls=None):
    """Serves a folder as any static host does, without TLS or with that of a context; gives the port."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        yield server.server_port


def miss(reason):
    """Says what a test in the browser lacks: it fails where these tests must run, as in CI, else it is skipped."""
    (pytest.fail if os.environ.get("ZOO_BROWSER_TESTS") else pytest.skip)(reason)


@contextmanager
def zoo_serve(*arguments, page="", **options):
    """`zoo serve` in a process of its own, on this machine alone."""
    command = [sys.executable, "-c", _PROGRAM, page, "serve", "--host", "127.0.0.1", *arguments]
    process = subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"COLUMNS": "300"}, **options,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def zoo_collect(folder, *arguments, port=PORT, **options):
    """`zoo serve --collect`, and the document that it prints."""
    with zoo_serve("--collect", folder, "--port", port, "--json", *arguments, **options) as process:
        yield process, json.loads(process.stdout.readline())


def connect(address, tls=True):
    """A connection that trusts any certificate."""
    if not tls:
        return http.client.HTTPConnection(address, timeout=120)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(address, context=context, timeout=120)


def ask(address, method, path, token, content=None, tls=True):
    """The status and the document that come back."""
    connection = connect(address, tls)
    connection.request(method, path, content, {"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    return response.status, json.loads(response.read() or b"null")


def send(url, content, number):
    """Sends a recording as a phone does that has scanned the code of an address; returns the status of the answer."""
    address, _, token = url.removeprefix("https://").partition("/collect#")
    return ask(address, "PUT", f"/recordings/{number:016}", token, content)[0]


def bundled(source, folder):
    """The program that a file of TypeScript makes for Node."""
    bundler, program = PHONE_PAGE / "node_modules" / ".bin" / "rolldown", folder / f"{source.stem}.js"
    if shutil.which("node") is None or not bundler.exists():
        pytest.skip("needs Node and the packages of the page: make page")
    command = [bundler, source, "--dir", folder, "--platform", "node", "--format", "esm"]
    subprocess.run(command, cwd=PHONE_PAGE, check=True, capture_output=True)
    return program


def data_of(x, y, classes, rate, subjects=None, test=None):
    """Activity data of arrays: of `x` and `y`, and of `test`, `(x, y)` or `(x, y, subjects)`."""
    from zoo.data.loading import load_data

    if test is None:
        return load_data((x, y), task="activity", classes=classes, rate=rate, subjects=subjects)
    owners = None if subjects is None else (subjects, [*test, None][2])
    return load_data(((x, y), test[:2]), classes=classes, rate=rate, subjects=owners)


def message(call, *arguments, **options):
    """The one line with which a call is refused."""
    try:
        call(*arguments, **options)
    except ZooError as error:
        line = str(error)
    else:
        pytest.fail("it is not refused")
    assert "\n" not in line
    return line


def refused(says, call, *arguments, **options):
    """Checks that a call is refused with one line in which a pattern is found."""
    line = message(call, *arguments, **options)
    assert re.search(says, line), line


def write_h5(path, attributes=None, **keys):
    """A file of HDF5; a key that is None is left out."""
    # After `conftest` has limited the threads of NumPy.
    import h5py

    with h5py.File(path, "w") as file:
        for key, value in keys.items():
            if value is not None:
                file[key] = value
        file.attrs.update(attributes or {})
    return path


def archive(path, texts):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in texts.items():
            file.writestr(name, text)
    return path
