"""A small HTTPS server of a few files that are known when it starts."""

import errno
import gzip
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from zoo.errors import ZooError

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
"""Written down, since what a system says of `.js` and `.wasm` differs, and browsers refuse a wrong one."""

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

_FOREVER = ("/assets/", "/litert/")
"""Folders whose files change their name with their content."""

_SECONDS = 10
"""Of silence after which a connection is closed."""

_PORTS = 100
"""How many ports are tried, from the one that was asked for."""


class PageServer(ThreadingHTTPServer):
    """Serves files over HTTPS until it is closed.

    Args:
        files: From the path of an address to a file; nothing else can be reached.
        host: Address of the interface to listen on.
        port: The first port to try; where it is taken, the next free one is.
        context: TLS; plain HTTP without.

    Raises:
        ZooError: If no port is free, or the host is none of this machine.
    """

    daemon_threads = True

    def __init__(self, files: Mapping[str, Path], host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.files, self.context = files, context
        for number in range(port, min(port + _PORTS, 65536)):
            try:
                super().__init__((host, number), _Handler)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                if error.errno == errno.EACCES:
                    raise ZooError(f"port {number}: only the system's owner may use it; name one above 1023") from error
                raise ZooError(f"host {host}: no address of this machine ({error.strerror})") from error
            return
        raise ZooError(f"port {port}: taken, as are those after it; name another with --port")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Binds without asking the network for this machine's name, which takes seconds where nobody answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accepts a connection; TLS shakes hands in the connection's own thread, so that nobody can hold up others."""
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that go away or speak no TLS."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    # What does not even name its version is refused with headers, not in the bare way of HTTP/0.9.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "pocket-zoo", ""
    timeout = _SECONDS

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        # Whatever a request carries is not read: the connection ends with it.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        name = unquote(urlsplit(self.path).path)
        file = self.server.files.get(name)
        try:
            if file is None:
                raise FileNotFoundError(name)
            content = file.read_bytes()
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        etag = f'"{sha256(content).hexdigest()[:32]}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self._describe(name, etag)
            self.end_headers()
            return
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        if packed:
            content = _gzipped(content)
        self.send_response(HTTPStatus.OK)
        self._describe(name, etag)
        self.send_header("Content-Type", _TYPES.get(PurePosixPath(file).suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def _describe(self, name: str, etag: str) -> None:
        self.send_header("ETag", etag)
        self.send_header("Vary", "Accept-Encoding")
        lasting = "public, max-age=31536000, immutable" if name.startswith(_FOREVER) else "no-cache"
        self.send_header("Cache-Control", lasting)

    def end_headers(self) -> None:
        for name, value in _SECURITY.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the terminal to the address and its code."""


@cache
def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)
