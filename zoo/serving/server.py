"""A small HTTPS server for a fixed set of files, those of the page, and for who knows the token of a route."""

# Measured in November 2026 with Starlette 1.10 for 25 s: connections that are slow on purpose, each limit set to 5 s.
#
#                                  uvicorn 0.54   aiohttp 3.14   Hypercorn 0.18   here
#     no TLS handshake             held           held           ended            ended
#     silence after a handshake    held           ended          ended            ended
#     headers, byte by byte        held           ended          ended            ended
#     a body, byte by byte         held           held           held             ended
#     connections of one address   no limit       no limit       no limit         limited
#     http:// on the same port     closed         closed         closed           redirected
#
# uvicorn's --limit-concurrency counts requests, not connections. Even with Hypercorn a layer of our own would have to
# accept connections, and that is half of what is specific to `http.server` below. None saves a hundred lines, and each
# brings packages, so the server of the standard library stays.

import errno
import gzip
import hmac
import io
import json
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from socketserver import TCPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote
from weakref import WeakValueDictionary

from zoo.errors import StorageError, ZooError

PAGE_FOLDER = Path(__file__).parents[1] / "page"
"""Folder of the page, built by `make page` and stored in the repository but for LiteRT.js and a model.

Files that the page's own interpreter runs need neither.
"""

INDEX, MODEL, MODELS, LABEL = "index.html", "model.tflite", "models.json", "label"

Content = Path | bytes
"""A file, or what there is no file of."""

MOST_BYTES = 2 << 20
"""Bytes of the largest body of a request."""

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

_BYTES = "application/octet-stream"
_FOREVER = ("/assets/", "/litert/")  # folders of files whose names change with their content: they can be cached
_SECONDS = 10.0  # idle time after which a connection is closed
_REQUEST_SECONDS = 20.0  # to send the lines of a request, however many bytes per second arrive
_BODY_SECONDS = 60.0  # to send a recording
_LINGER_SECONDS = 5.0  # to read what belongs to a refused request: who is still sending does not see an answer
_PORTS = 100  # that are tried, starting with the requested one
# Connections that are answered at the same time, of all addresses and of one. Others wait so many seconds for a place,
# and are then asked to come back after some more; meanwhile nobody keeps a place for long without a request.
_PLACES, _PLACES_OF_ADDRESS = 200, 100
_QUEUE_SECONDS, AGAIN_SECONDS, _CROWDED_SECONDS = 5.0, 3, 2.0
# A browser has up to six connections, a class of 200 phones 1,200. Systems open at least 256 files for a process. What
# is beyond is closed, and so are connections of an address that has half of them.
_MOST_FILES, _OTHER_FILES = 2500, 50
_GZIP = re.compile(r"(^|,)\s*gzip\s*(;\s*q=(0?\.0*[1-9]\d*|1(\.0*)?)\s*)?(,|$)", re.IGNORECASE)  # not with q=0
_HANDSHAKE = b"\x16"  # first byte of a TLS connection
_BUSY = (
    f"<!doctype html><meta http-equiv=refresh content={AGAIN_SECONDS}><title>Busy</title><p>The computer is busy. This "
    f"page is loaded again in {AGAIN_SECONDS} seconds."
).encode()


def built_files(folder: Path = PAGE_FOLDER) -> dict[str, Content]:
    """The files of the built page by URL path."""
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
    return {f"/{path.relative_to(folder).as_posix()}": path for path in inside}


def page_files(models: Path | Sequence[Path], folder: Path = PAGE_FOLDER) -> dict[str, Content]:
    """The files of the built page, with models to choose from, first the one to start with."""
    files = built_files(folder)
    # The given models take the place of the one that was built in.
    files.pop(f"/{MODEL}", None)
    first, *others = chosen = [models] if isinstance(models, Path) else list(models)
    places = [f"model{first.suffix}", *(f"models/{n}{model.suffix}" for n, model in enumerate(others, 2))]
    listed = [{"name": name, "file": place} for name, place in zip(_titles(chosen), places, strict=True)]
    files |= {f"/{place}": model for place, model in zip(places, chosen, strict=True)}
    pages = {"/": folder / INDEX} | {f"/{name}": folder / f"{name}.html" for name in (COLLECT, CLASS)}
    return files | pages | {f"/{MODELS}": json.dumps(listed).encode()}


def _titles(models: Sequence[Path]) -> list[str]:
    """The presets or folders of models, or their files where these say more."""
    short = [model.parent.name if model.name.startswith("model.") else model.stem for model in models]
    whole = [f"{model.parent.name}/{model.name.removesuffix('.tflite')}" for model in models]
    return [full if short.count(name) > 1 else name for name, full in zip(short, whole, strict=True)]


def origin(host: str, port: int) -> str:
    """The beginning of the addresses of a server; an address of IPv6 stands in brackets."""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


class Refusal(Exception):  # noqa: N818
    """A request is answered with a status and a reason, and with the seconds after which it may be sent again."""

    def __init__(self, status: HTTPStatus, reason: str, again: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.again = status, again


def _refused(error: ZooError) -> Refusal:
    is_full = isinstance(error, StorageError)
    return Refusal(HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


Answer = Callable[[str, bytes, str], Mapping[str, Any] | bytes | Iterator[bytes]]
"""Answers by the last part of the path, the body of a PUT and the address of the client.

The answer is a document, bytes, or the bytes of events, as long as somebody looks on. What a `ZooError` says is shown.
"""


Routes = Mapping[tuple[str, str], tuple[str, Answer]]
"""The token and the answer by method and path, of which the last part may be `*`."""


class PageServer(ThreadingHTTPServer):
    """Serves files by URL path, and routes, and nothing else, over HTTPS, on the first free port from `port` on.

    Without a `context` of TLS it is plain HTTP. If it is meant for some `hosts`, such as `127.0.0.1:8443`, a request
    that names another one is refused: a page of another site, whose name leads here, must not read what is served.
    """

    hosts: frozenset[str] = frozenset()

    daemon_threads = True
    # A class scans the code at the same moment.
    request_queue_size = 1024

    def __init__(
        self, files: Mapping[str, Content], host: str, port: int, context: ssl.SSLContext | None,
        routes: Routes = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.files, self.routes, self.context = files, routes, context
        self._connected: list[str] = []  # an address for each open connection
        self._most = _open_files() - _OTHER_FILES
        self._lock, self._places = threading.Lock(), threading.Semaphore(_PLACES)
        self._places_of = WeakValueDictionary[str, threading.Semaphore]()
        self._idle: dict[socket.socket, float] = {}  # since when a connection waits for its client
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for number in range(port, min(port + _PORTS, 65536)):
            try:
                super().__init__((host, number), _Handler)
            except (OSError, UnicodeError, TypeError) as error:
                # A TypeError, where the name is no UTF-8.
                reason = getattr(error, "strerror", error)
                if getattr(error, "errno", None) == errno.EACCES:
                    raise ZooError(f"port {number}: {reason}; choose one above 1023") from None
                if getattr(error, "errno", None) != errno.EADDRINUSE:
                    raise ZooError(f"host {host!r}: no address of this machine ({reason}); 127.0.0.1 is one") from None
            else:
                return
        raise ZooError(f"port {port}: in use, as are those after it; choose another port")

    @property
    def port(self) -> int:
        """The one that it listens on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Does not look up the name of this machine, which can take seconds."""
        if self.address_family == socket.AF_INET6:
            # `::` are all addresses, those of IPv4 as well, on every system.
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Clients of IPv4 have an address of IPv4 wherever the server listens."""
        request, (address, *port) = super().get_request()
        return request, (_plain(address), *port)

    @property
    def crowded(self) -> bool:
        """Whether others may be waiting for a place."""
        return len(self._connected) > _PLACES_OF_ADDRESS

    @contextmanager
    def idling(self, connection: socket.socket) -> Iterator[None]:
        """Notes that a connection waits for its client, and may be closed for another one."""
        self._idle[connection] = time.monotonic()
        try:
            yield
        finally:
            del self._idle[connection]

    def service_actions(self) -> None:
        """Closes connections that keep a place without a request while others wait."""
        for connection, since in self._idle.copy().items() if self.crowded else ():
            if time.monotonic() - since > _CROWDED_SECONDS:
                # Not that of TLS, after which an answer would be sent as plain text.
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answers a connection in its thread, so that slow clients block no others, as soon as there is a place."""
        address, until = client_address[0], time.monotonic() + _QUEUE_SECONDS
        with self._lock:
            self._connected.append(address)
            of_address = self._places_of.setdefault(address, threading.Semaphore(_PLACES_OF_ADDRESS))
            accepted = len(self._connected) <= self._most and self._connected.count(address) <= self._most / 2
        try:
            if not accepted:
                return
            with ExitStack() as taken:
                for places in (of_address, self._places):
                    if not places.acquire(timeout=max(0, until - time.monotonic())):
                        self._answer(request, client_address, _Busy)
                        return
                    taken.callback(places.release)
                self._answer(request, client_address, self.RequestHandlerClass)
        finally:
            self._connected.remove(address)

    def _answer(self, request: socket.socket, client_address: Any, handler: Callable[..., Any]) -> None:
        """Answers in HTTPS. A client without TLS is redirected."""
        if self.context is None:
            handler(request, client_address, self)
            return
        request.settimeout(_SECONDS)
        with self.idling(request):
            first = request.recv(1, socket.MSG_PEEK)
        if first not in (b"", _HANDSHAKE):
            _Redirect(request, client_address, self)
            return
        # The limit of time is that of the whole handshake.
        with self.context.wrap_socket(request, server_side=True) as secure:
            handler(secure, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that disconnect or do not use TLS."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _open_files() -> int:
    """The number of files that this process may open, raised to what a class needs where the system allows it."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return _MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


def _plain(address: str) -> str:
    """An address of IPv4 as such, where a socket of IPv6 has it; without the name of an interface, as in URLs."""
    return address.removeprefix("::ffff:").partition("%")[0]


class _Reader(io.RawIOBase):
    """Reads a connection until a deadline, so that a client that sends byte after byte is cut off too."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self.deadline = connection, 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if (left := self.deadline - time.monotonic()) <= 0:
            raise TimeoutError
        self._connection.settimeout(min(_SECONDS, left))
        try:
            return self._connection.recv_into(buffer)
        finally:
            # The answer may take longer than the request.
            self._connection.settimeout(_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    rfile: io.BufferedReader
    protocol_version = "HTTP/1.1"
    # Requests without a version are answered with headers, unlike in HTTP/0.9.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "pocket-zoo", ""

    def setup(self) -> None:
        super().setup()
        self._reader = _Reader(self.connection)
        self.rfile = io.BufferedReader(self._reader)

    def _wait(self, seconds: float) -> None:
        self._reader.deadline = time.monotonic() + seconds

    def handle_one_request(self) -> None:
        self._wait(_REQUEST_SECONDS)
        with self.server.idling(self.connection):
            self.rfile.peek(1)
        super().handle_one_request()

    def do_GET(self) -> None:
        if self.server.hosts and self.headers.get("Host", "") not in self.server.hosts:
            self.close_connection = True
            self._send_document(HTTPStatus.FORBIDDEN, {"error": "this is not the address that was printed: open that"})
            return
        path, routes = unquote(self.path.partition("?")[0]), self.server.routes
        parent, _, name = path.rpartition("/")
        if route := routes.get((self.command, path)) or routes.get((self.command, f"{parent}/*")):
            self.close_connection = True
            self._send_answer(*route, name)
            return
        # A body is not read, so the connection cannot be used again.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        self._send_file(path if self.command in ("GET", "HEAD") else "")

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _send_answer(self, token: str, answer_to: Answer, name: str) -> None:
        try:
            answer = answer_to(name, self._admit(token), self.client_address[0])
        except (Refusal, ZooError) as error:
            refusal = error if isinstance(error, Refusal) else _refused(error)
            self._send_document(refusal.status, {"error": str(refusal)}, refusal.again)
            self._linger()
            return
        if isinstance(answer, Mapping):
            self._send_document(HTTPStatus.OK, answer)
        elif isinstance(answer, bytes):
            self._send(HTTPStatus.OK, {"Cache-Control": "no-store", "Content-Type": _BYTES}, answer)
        else:
            self._send(HTTPStatus.OK, {"Cache-Control": "no-store", "Content-Type": "text/event-stream"}, None)
            for event in answer:
                self.wfile.write(event)

    def _linger(self) -> None:
        self._wait(_LINGER_SECONDS)
        while self.rfile.read1(1 << 16):
            pass

    def _send_busy(self) -> None:
        """Asks a client to come back, which a browser that shows the answer does by itself."""
        self.close_connection = True
        headers = {"Cache-Control": "no-store", "Content-Type": _TYPES[".html"], "Retry-After": str(AGAIN_SECONDS)}
        self._send(HTTPStatus.SERVICE_UNAVAILABLE, headers, _BUSY)
        self._linger()

    def _admit(self, token: str) -> bytes:
        """Returns the body of a request by who knows a token; others are refused before it is read."""
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise Refusal(HTTPStatus.FORBIDDEN, "the code or address is not valid: scan or open it again")
        if self.command != "PUT":
            return b""
        text = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or "Transfer-Encoding" in self.headers:
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "expected the length of the recording in Content-Length")
        if (length := int(text)) > MOST_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The recording is too large: record again.")
        self._wait(_BODY_SECONDS)
        if len(body := self.rfile.read(length)) < length:
            raise ConnectionAbortedError
        return body

    def _send_file(self, name: str) -> None:
        content = self.server.files.get(name)
        try:
            if isinstance(content, Path):
                content = content.read_bytes()
        except FileNotFoundError:
            content = None
        except OSError:
            # Where too many files are open, the page is there all the same.
            self._send_busy()
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
        headers["Content-Type"] = _TYPES.get(suffix, _BYTES)
        if _GZIP.search(self.headers.get("Accept-Encoding", "")):
            # Once, though a whole class asks for it.
            with _COMPRESSING:
                headers["Content-Encoding"], content = "gzip", _gzipped(content)
        self._send(HTTPStatus.OK, headers, content)

    def _send_document(self, status: HTTPStatus, document: Mapping[str, Any], again: float | None = None) -> None:
        headers = {"Cache-Control": "no-store", "Content-Type": _TYPES[".json"]}
        if again is not None:
            headers["Retry-After"] = f"{again:.0f}"
        self._send(status, headers, json.dumps(document, ensure_ascii=False, allow_nan=False).encode())

    def _send(self, status: HTTPStatus, headers: Mapping[str, str], content: bytes | None) -> None:
        self.send_response(status)
        self.close_connection |= self.server.crowded
        if content is not None:
            headers = {**headers, "Content-Length": str(len(content))}
        if self.close_connection:
            headers = {**headers, "Connection": "close"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if content and self.command != "HEAD":
            self.wfile.write(content)

    def end_headers(self) -> None:
        for name, value in _SECURITY.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


_gzipped, _COMPRESSING = cache(partial(gzip.compress, compresslevel=6, mtime=0)), threading.Lock()


class _Busy(_Handler):
    """Answers whoever has waited long enough for a place."""

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _Handler._send_busy  # noqa: N815


class _Redirect(_Handler):
    """Sends clients that speak HTTP to the same address with HTTPS: a scheme is easily mistyped."""

    def parse_request(self) -> bool:
        if super().parse_request():
            # The address that was reached: the header Host can name any other.
            host, port = self.connection.getsockname()[:2]
            path = self.path if self.path.startswith("/") else "/"
            if self.command in ("GET", "HEAD"):
                self._send(HTTPStatus.TEMPORARY_REDIRECT, {"Location": f"{origin(_plain(host), port)}{path}"}, b"")
            else:
                # Nothing is taken that others could read on its way.
                self.send_error(HTTPStatus.UPGRADE_REQUIRED)
        self.close_connection = True
        return False
