"""A small HTTPS server for a fixed set of files, those of the page, which may also take recordings of phones."""

import errno
import gzip
import json
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from zoo.errors import ZooError
from zoo.serving.classroom import EVENTS, TRAINING, Classroom
from zoo.serving.collection import PATH, Inbox, Reply, knows

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""Folder of the page, built by `make page` and stored in the repository but for LiteRT.js and a model.

Files that the page's own interpreter runs need neither.
"""

INDEX, MODEL, MODELS = "index.html", "model.tflite", "models.json"

Content = Path | bytes
"""A file, or what there is no file of."""

COLLECT, CLASS = "collect", "class"
"""Addresses of the page that records for a class, short, for it is in a QR code, and of the page for its projector.

Their files are `collect.html` and `class.html`.
"""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tflite": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""Content types by suffix. Systems differ for `.js` and `.wasm`, and browsers reject wrong types."""

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(self), gyroscope=(self), magnetometer=(self), screen-wake-lock=(self), "
    "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_FOREVER = ("/assets/", "/litert/")  # folders of files whose names change with their content: they can be cached
_SECONDS = 10  # idle time after which a connection is closed
_REQUEST_SECONDS = 20.0  # to send the lines of a request, however many bytes per second arrive
_BODY_SECONDS = 60.0  # to send a recording
_LINGER_SECONDS = 5.0  # to read what belongs to a refused request: who is still sending does not see an answer
_PORTS = 100  # that are tried, starting with the requested one
# Systems open at least 256 files for a process. A browser has up to six connections.
_MOST_CONNECTIONS, _MOST_OF_ADDRESS = 200, 100
_GZIP = re.compile(r"(^|,)\s*gzip\s*(;\s*q=(0?\.0*[1-9]\d*|1(\.0*)?)\s*)?(,|$)", re.IGNORECASE)  # not with q=0
_HANDSHAKE = b"\x16"  # first byte of a TLS connection


def page_files(models: Path | Sequence[Path], folder: Path = PAGE_FOLDER) -> dict[str, Content]:
    """Returns the files of the built page by URL path, with models to choose from, first the one to start with."""
    if not (folder / INDEX).is_file():
        checkout = folder.parents[1]
        if (checkout / "examples" / "phone").is_dir():
            how = f"build it once with `make -C {checkout} page`, which needs Node 20.19 or newer"
        else:
            how = "install a wheel that was made by `make wheel`, which has the page inside"
        raise ZooError(f"{folder}: the page is not built; {how}")
    inside = (
        path for path in sorted(folder.rglob("*"))
        # Hidden files, such as those of editors and of version control, are no part of the page.
        if path.is_file() and not path.is_symlink() and "/." not in f"/{path.relative_to(folder).as_posix()}"
    )  # fmt: skip
    files: dict[str, Content] = {f"/{path.relative_to(folder).as_posix()}": path for path in inside}
    # The given models take the place of the one that was built in.
    files.pop(f"/{MODEL}", None)
    first, *others = chosen = [models] if isinstance(models, Path) else list(models)
    places = [f"model{first.suffix}", *(f"models/{n}{model.suffix}" for n, model in enumerate(others, 2))]
    listed = [{"name": name, "file": place} for name, place in zip(_titles(chosen), places, strict=True)]
    files |= {f"/{place}": model for place, model in zip(places, chosen, strict=True)}
    pages = {"/": folder / INDEX} | {f"/{name}": folder / f"{name}.html" for name in (COLLECT, CLASS)}
    return files | pages | {f"/{MODELS}": json.dumps(listed).encode()}


def _titles(models: Sequence[Path]) -> list[str]:
    """The presets or folders of models, or their files where these say more.

    Example:
        >>> _titles([Path("mine/model.float32.tflite"), Path("a.tflite")])
        ['mine', 'a']
    """
    short = [model.parent.name if model.name.startswith("model.") else model.stem for model in models]
    whole = [f"{model.parent.name}/{model.name.removesuffix('.tflite')}" for model in models]
    return [full if short.count(name) > 1 else name for name, full in zip(short, whole, strict=True)]


def require_host(host: str) -> None:
    """Checks that a host is a name or an address, before a certificate is made for it."""
    try:
        socket.getaddrinfo(host or None, 443)
    except (OSError, UnicodeError):
        raise ZooError(f"host {host!r}: no name or address of this machine; 127.0.0.1 is always one") from None


class PageServer(ThreadingHTTPServer):
    """Serves files by URL path, and nothing else, over HTTPS until it is closed.

    Of the ports from `port` on, the first free one is used. Without a `context` of TLS it is plain HTTP; without an
    `inbox`, no recordings are taken; without a `classroom`, nothing is shown of them.
    """

    daemon_threads = True
    # A class scans the code at the same moment.
    request_queue_size = 128

    def __init__(
        self, files: Mapping[str, Content], host: str, port: int, context: ssl.SSLContext | None,
        inbox: Inbox | None = None,
    ) -> None:  # fmt: skip
        self.files, self.context, self.inbox = files, context, inbox
        self.classroom: Classroom | None = None
        self._open, self._lock = Counter[str](), threading.Lock()
        for number in range(port, min(port + _PORTS, 65536)):
            try:
                super().__init__((host, number), _Handler)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                if error.errno == errno.EACCES:
                    raise ZooError(f"port {number}: only an administrator may use it; choose one above 1023") from error
                raise ZooError(f"host {host}: no address of this machine ({error.strerror})") from error
            return
        raise ZooError(f"port {port}: in use, as are those after it; choose another port")

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Binds the socket without looking up the name of this machine, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def server_close(self) -> None:
        """Closes the socket, and ends what goes on for the class."""
        super().server_close()
        if self.classroom is not None:
            self.classroom.close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Counts a connection, or returns False where there is no room for another."""
        address = client_address[0]
        with self._lock:
            room = self._open.total() < _MOST_CONNECTIONS and self._open[address] < _MOST_OF_ADDRESS
            self._open[address] += room
        return room

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers a connection, and counts it no more."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open[client_address[0]] -= 1
                self._open += Counter()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answers a connection in its thread, so that slow clients block no others. One without TLS is redirected."""
        if self.context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_SECONDS)
        if request.recv(1, socket.MSG_PEEK) not in (b"", _HANDSHAKE):
            _Redirect(request, client_address, self)
            return
        secure = self.context.wrap_socket(request, server_side=True)
        try:
            super().finish_request(secure, client_address)
        finally:
            self.shutdown_request(secure)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that disconnect or do not use TLS."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    # Requests without a version are answered with headers, unlike in HTTP/0.9.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "pocket-zoo", ""
    timeout = _SECONDS

    def handle_one_request(self) -> None:
        """Answers a request, or closes the connection if its lines do not arrive in time."""
        self._start_deadline(_REQUEST_SECONDS)
        try:
            super().handle_one_request()
        finally:
            self._deadline.cancel()

    def parse_request(self) -> bool:
        """Reads the headers. The answer may take longer than the request."""
        parsed = super().parse_request()
        self._deadline.cancel()
        return parsed

    def _start_deadline(self, seconds: float) -> None:
        self._deadline = threading.Timer(seconds, self._cut_off)
        self._deadline.daemon = True
        self._deadline.start()

    def _cut_off(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_PUT(self) -> None:
        # What is left of a body is no request.
        self.close_connection = True
        if self.server.inbox is None:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)
            return
        bodies: list[bytes] = []

        def read(length: int) -> bytes:
            self._start_deadline(_BODY_SECONDS)
            # What a client that was cut off has sent is no recording.
            with suppress(OSError):
                bodies.append(self.rfile.read(length))
            self._deadline.cancel()
            return b"".join(bodies)

        reply = self.server.inbox.put(self.path, self.headers, self.client_address[0], read)
        if reply is not None:
            self._reply(reply)
            if not bodies:
                self._start_deadline(_LINGER_SECONDS)
                while self.rfile.read1(1 << 16):
                    pass

    def do_POST(self) -> None:
        # A body is not read.
        self.close_connection = True
        room = self.server.classroom
        if room is None or self.path != TRAINING:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)
        elif not knows(self.headers, room.token):
            self._reply((HTTPStatus.FORBIDDEN, {"error": "not the address that zoo serve printed"}))
        elif self.command == "DELETE":
            room.training.cancel()
            self._reply((HTTPStatus.OK, {}))
        else:
            reason = room.train()
            self._reply((HTTPStatus.CONFLICT, {"error": reason}) if reason else (HTTPStatus.OK, {}))

    def do_DELETE(self) -> None:
        self.do_POST()

    def _stream(self, room: Classroom) -> None:
        """Sends what has arrived as long as somebody looks on."""
        self.close_connection = True
        if not knows(self.headers, room.token):
            self._reply((HTTPStatus.FORBIDDEN, {"error": "not the address that zoo serve printed"}))
            return
        if not room.streams.acquire(blocking=False):
            self._reply((HTTPStatus.SERVICE_UNAVAILABLE, {"error": "too many are looking on"}))
            return
        try:
            headers = {"Cache-Control": "no-store", "Content-Type": "text/event-stream", "Connection": "close"}
            self._send(HTTPStatus.OK, headers, None)
            for event in room.events():
                self.wfile.write(event)
        finally:
            room.streams.release()

    def _reply(self, reply: Reply) -> None:
        status, document = reply
        closing = {"Connection": "close"} if self.close_connection else {}
        headers = {"Cache-Control": "no-store", "Content-Type": _TYPES[".json"], **closing}
        self._send(status, headers, json.dumps(document, ensure_ascii=False, allow_nan=False).encode())

    def _send(self, status: HTTPStatus, headers: Mapping[str, str], content: bytes | None = b"") -> None:
        self.send_response(status)
        if content is not None:
            headers = {**headers, "Content-Length": str(len(content))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if content and self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        # The body of a request is not read, so the connection cannot be used again.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        name = unquote(urlsplit(self.path).path)
        if name == PATH and self.server.inbox is not None and self.command == "GET":
            self._reply(self.server.inbox.get(self.headers))
            return
        if name == EVENTS and self.server.classroom is not None and self.command == "GET":
            self._stream(self.server.classroom)
            return
        file = self.server.files.get(name)
        try:
            content = file.read_bytes() if isinstance(file, Path) else file
        except OSError as error:
            # Where too many files are open, the page is there all the same.
            gone = isinstance(error, FileNotFoundError)
            self.send_error(HTTPStatus.NOT_FOUND if gone else HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        headers = {
            "ETag": f'"{sha256(content).hexdigest()[:32]}"', "Vary": "Accept-Encoding",
            "Cache-Control": "public, max-age=31536000, immutable" if name.startswith(_FOREVER) else "no-cache",
        }  # fmt: skip
        if self.headers.get("If-None-Match") == headers["ETag"]:
            self._send(HTTPStatus.NOT_MODIFIED, headers, None)
            return
        suffix = PurePosixPath(name).suffix or ".html"
        headers["Content-Type"] = _TYPES.get(suffix, "application/octet-stream")
        if _GZIP.search(self.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"], content = "gzip", _gzipped(content)
        self._send(HTTPStatus.OK, headers, content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def end_headers(self) -> None:
        for name, value in _SECURITY.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Does not log requests."""


_gzipped = cache(partial(gzip.compress, compresslevel=6, mtime=0))


class _Redirect(_Handler):
    """Sends clients that speak HTTP to the same address with HTTPS: a scheme is easily mistyped."""

    def do_PUT(self) -> None:
        # Nothing is taken that others could read on its way.
        self.close_connection = True
        self.send_error(HTTPStatus.UPGRADE_REQUIRED)

    def do_POST(self) -> None:
        self.do_PUT()

    def do_GET(self) -> None:
        self.close_connection = True
        # The address that was reached: the header Host can name any other.
        host, port = self.connection.getsockname()
        path = self.path if self.path.startswith("/") else "/"
        self._send(HTTPStatus.TEMPORARY_REDIRECT, {"Location": f"https://{host}:{port}{path}"})
