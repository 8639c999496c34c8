"""Requests that no browser makes: the server answers each with a status, and serves on."""

import socket
import time
from contextlib import suppress

import pytest
from running import running

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import AXES
from zoo.serving import PageServer, page_files
from zoo.serving.collection import Collection, Inbox

pytestmark = pytest.mark.hostile

MODEL = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"


def serving(files, routes=None):
    return running(PageServer(files, "127.0.0.1", 9643, None, routes or {}))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of a page in a folder with secrets, beside another."""
    root = tmp_path_factory.mktemp("served")
    (page := root / "page").mkdir()
    (page / "index.html").write_text("<!doctype html><title>page</title>" + 1000 * " ")
    (page / "link.txt").symlink_to(root / "secret")
    for name in ("page/.env", "page/.git/config", "page/assets/.page", "secret"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("secret")
    with serving(page_files(MODEL, page)) as server:
        yield server


def ask(server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        answer = b""
        # The connection of who sends more than the server reads is reset, sometimes before the answer arrives.
        with suppress(ConnectionError):
            connection.sendall(request)
            # Not connected any more is no ConnectionError.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                answer += part
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def request(path="/", method="GET", header="X: x") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n".encode()


PATHS = [
    "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/....//secret", "//etc/passwd", "/etc/passwd", "/.env", "/%2eenv",
    "/.git/config", "/index.html/", "/index.html%00", "/INDEX.HTML", "/%", "/%zz", "/%ff", "/\\..\\secret", "/~root",
    "/model.keras", "/assets", "/assets/", "/" + "a" * 5000, "/?" * 300 + "x", "/index.html;x", "/./index.html", "*",
    "/assets/../../secret", "//secret", "/secret", "/link.txt", "/.", "/index.html%00.js", "/index.html/..",
    "https://127.0.0.1/../secret", "http://[", "//[",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:30])
def test_nothing_but_the_files_of_the_page_is_served(path, server):
    answer = ask(server, request(path))
    # What is after a question mark is no part of the name.
    assert status(answer) in ((200, 404) if path.startswith("/?") else (400, 404, 414))
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2].replace(path.encode(), b"")
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X", "GET" * 100]
)
def test_another_method_is_refused(method, server):
    assert 400 <= status(ask(server, request(method=method))) <= 505


RAW = {
    "nothing": (b"", 0), "a line break": (b"\r\n\r\n", 0), "noise": (bytes(range(128, 256)) * 9 + b"\r\n\r\n", 400),
    "nonsense": (b"nonsense\r\n\r\n", 400), "too many words": (b"GET  /  HTTP/1.1 x\r\n\r\n", 400),
    "another version": (b"GET / HTTP/9.9\r\n\r\n", 505), "no version": (b"GET /\r\n\r\n", 200),
    "version of text": (b"GET / HTTP/x\r\n\r\n", 400),
    "a line of 100 kB": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a header of 100 kB": (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "1,000 headers": (b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % i for i in range(1000)) + b"\r\n", 431),
    "a header without a colon": (b"GET / HTTP/1.1\r\nConnection close\r\n\r\n", 200),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400),
    "an HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a negative length": (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 200),
    "a length of text": (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 200),
    "a chunked body": (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n", 200),
    "smuggled": (b"GET / HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /.env HTTP/1.1\r\n\r\n", 200),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_what_is_no_request_is_refused_and_others_are_answered(name, server):
    sent, expected = RAW[name]
    answer = ask(server, sent)
    # The connection of who sends more than is read may be reset before the answer arrives.
    assert status(answer) in ((expected, 0) if len(sent) > 9999 else (expected,))
    assert b"secret" not in answer
    assert b"Traceback" not in answer
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert status(ask(server, request())) == 200


ENCODINGS = {
    "gzip": True, "gzip;q=0": False, "gzip; q=0": False, "gzip;q=0.0": False, "identity": False, "": False,
    "*;q=0": False, "deflate, gzip;q=0.5": True, "notgzip": False, "gzip;q=x": False,
}  # fmt: skip


@pytest.mark.parametrize("accept", ENCODINGS)
def test_a_compressed_answer_is_one_that_was_accepted(accept, server):
    answer = ask(server, request(header=f"Accept-Encoding: {accept}"))
    assert status(answer) == 200
    assert (b"Content-Encoding: gzip" in answer) == ENCODINGS[accept]


def test_a_range_is_answered_with_the_whole_file(server):
    answer = ask(server, request(header="Range: bytes=0-9"))
    assert (status(answer), len(answer.partition(b"\r\n\r\n")[2])) == (200, 1034)


@pytest.fixture(scope="module")
def collecting(tmp_path_factory):
    """A server that takes recordings, and its folder."""
    folder = tmp_path_factory.mktemp("class")
    inbox = Inbox("secret", Collection(folder), [], AXES, lambda event: None)
    with serving({}, inbox.routes()) as server:
        yield server, folder


PUT = b"PUT /recordings/1234567890123456 HTTP/1.1\r\nHost: x\r\n"
KNOWN = PUT + b"Authorization: Bearer secret\r\n"
UPLOADS = {
    "no token": (PUT + b"Content-Length: 1\r\n\r\nx", 403),
    "a token without its kind": (PUT + b"Authorization: secret\r\nContent-Length: 1\r\n\r\nx", 403),
    "a token of another kind": (PUT + b"Authorization: Basic secret\r\nContent-Length: 1\r\n\r\nx", 403),
    "a token in the address": (PUT.replace(b" HTTP", b"?token=secret HTTP") + b"Content-Length: 1\r\n\r\nx", 403),
    "a token of noise": (PUT + b"Authorization: Bearer \xff\x00\r\nContent-Length: 1\r\n\r\nx", 403),
    "no length": (KNOWN + b"\r\n", 411),
    "a length of text": (KNOWN + b"Content-Length: x\r\n\r\n", 411),
    "a length with an underscore": (KNOWN + b"Content-Length: 1_0\r\n\r\n", 411),
    "a length of 3 MB": (KNOWN + b"Content-Length: 3145728\r\n\r\n", 413),
    "a length of full-width digits": (KNOWN + "Content-Length: \uff11\r\n\r\n".encode(), 411),
    "chunks": (KNOWN + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 411),
    "nothing": (KNOWN + b"Content-Length: 0\r\n\r\n", 422),
    "noise": (KNOWN + b"Content-Length: 256\r\n\r\n" + bytes(range(256)), 422),
    "a quote that is not closed": (KNOWN + b'Content-Length: 28\r\n\r\ntime,x,y,z,subject,activity"', 422),
    "one line of 200 kB": (KNOWN + b"Content-Length: 200000\r\n\r\n" + b"x" * 200_000, 422),
    "half of it": (KNOWN + b"Content-Length: 100\r\n\r\ntime,x", 0),
    "a path": (KNOWN.replace(b"1234567890123456", b"../../../tmp/x") + b"Content-Length: 1\r\n\r\nx", 404),
    "an escaped path": (KNOWN.replace(b"1234567890123456", b"%2e%2e%2fx") + b"Content-Length: 1\r\n\r\nx", 404),
    "no number": (KNOWN.replace(b"1234567890123456", b"") + b"Content-Length: 1\r\n\r\nx", 422),
    "another file": (KNOWN.replace(b"/recordings/", b"/") + b"Content-Length: 1\r\n\r\nx", 404),
    "a second request in the body": (KNOWN + b"Content-Length: 0\r\n\r\n" + KNOWN + b"Content-Length: 0\r\n\r\n", 422),
}  # fmt: skip


@pytest.mark.parametrize("name", UPLOADS)
def test_a_recording_that_is_none_leaves_nothing(name, collecting):
    server, folder = collecting
    sent, expected = UPLOADS[name]
    answer = ask(server, sent)
    assert status(answer) == expected
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b"Traceback" not in answer
    assert [path.name for path in folder.rglob("*")] == []
    assert status(ask(server, request("/recordings/", header="Authorization: Bearer secret"))) == 200


def test_a_client_that_sends_byte_after_byte_is_cut_off(server, monkeypatch):
    monkeypatch.setattr("zoo.serving.server._REQUEST_SECONDS", 0.5)
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    # Its line does not end, and each byte arrives long before an idle connection is closed.
    with connection, pytest.raises(OSError):  # noqa: PT012
        for _ in range(400):
            connection.sendall(b"G")
            time.sleep(0.05)
