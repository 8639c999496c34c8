"""What tests share: servers and commands that run beside them, and the line with which a call is refused."""

import http.client
import os
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from zoo.errors import ZooError

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


@contextmanager
def zoo_serve(*arguments, page=""):
    """`zoo serve` in a process of its own, on this machine alone."""
    command = [sys.executable, "-c", _PROGRAM, page, "serve", "--host", "127.0.0.1", *arguments]
    process = subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"COLUMNS": "300"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def connect(address, tls=True):
    """A connection that trusts any certificate."""
    if not tls:
        return http.client.HTTPConnection(address, timeout=120)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(address, context=context, timeout=120)


def message(call):
    """The one line with which a call is refused."""
    with pytest.raises(ZooError) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)
