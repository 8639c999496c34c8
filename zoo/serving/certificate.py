"""A self-signed certificate, since browsers allow access to the motion sensor over HTTPS only."""

import base64
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import trustme
from cryptography import x509

from zoo.errors import StorageError, ZooError
from zoo.files import atomic_write, require_file

_DAYS = 30

CERTIFICATE = ".server.pem"
"""File of the key in the folder of a collection."""

ALL_INTERFACES = ("0.0.0.0", "::", "")
"""Hosts that stand for all addresses of a machine."""
LOCAL = ("localhost", "127.0.0.1", "::1")
"""Hosts that no other machine can reach."""


def tls_context(names: Sequence[str], file: Path | None = None) -> ssl.SSLContext:
    """A TLS context for a server of these names, with a key that is new or that of a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if file is None:
        _issue(names).configure_cert(context)
    else:
        context.load_cert_chain(file)
    return context


def kept_certificate(file: Path, names: Sequence[str], owner: bool = False) -> str:
    """Keeps a key and its certificate in a file, so that phones trust a server that was started again.

    Only its owner can read the file. It is replaced if it is damaged, for other names, not valid yet, or about to
    expire. Returns a secret of sixteen letters that follows from the key: that of phones, or that of the `owner`.
    """
    try:
        now, fits = datetime.now(UTC), False
        with suppress(FileNotFoundError, ValueError, ssl.SSLError, x509.ExtensionNotFound):
            certified, since, until = _read(file)
            # It is not valid yet where the clock was wrong when it was made.
            fits = {*certified} == {*names} and since <= now and until >= now + timedelta(days=1)
        if not fits:
            with atomic_write(file) as new:
                # Nobody else may open it, not even before it is filled.
                new.unlink()
                new.touch(0o600)
                new.write_bytes(_issue(names).private_key_and_cert_chain_pem.bytes())
        digest = sha256((b"owner" if owner else b"token") + file.read_bytes()).digest()
    except OSError as error:
        raise StorageError(f"{file}: the key of the server cannot be kept ({error.strerror})") from error
    return base64.urlsafe_b64encode(digest[:12]).decode()


def _read(file: Path) -> tuple[list[str], datetime, datetime]:
    """The names in the certificate of a file, which holds its key as well, and the times between which it is valid."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password="")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names], certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _issue(names: Sequence[str]) -> trustme.LeafCert:
    now = datetime.now(UTC)
    # Clocks of phones differ, and some phones reject certificates that are valid for years.
    try:
        return trustme.CA(organization_name="pocket-zoo").issue_cert(
            *names, organization_name="pocket-zoo", not_before=now - timedelta(days=1),
            not_after=now + timedelta(days=_DAYS),
        )  # fmt: skip
    except UnicodeError as error:
        raise ZooError(f"host {names[0]!r}: no certificate can be made for it ({error}): pass an address") from None


def name_in(file: Path) -> str:
    """The first name in the certificate of a file, by which phones reach the server, if it is valid now."""
    require_file(file)
    try:
        certified, since, until = _read(file)
    except (ValueError, ssl.SSLError, x509.ExtensionNotFound) as error:
        reason = getattr(error, "reason", None) or str(error).split(".")[0]
        raise ZooError(f"{file}: expected a private key, its certificate and a name in it, as PEM ({reason})") from None
    if not since <= datetime.now(UTC) <= until:
        valid = f"from {since:%Y-%m-%d} to {until:%Y-%m-%d}"
        raise ZooError(f"{file}: the certificate is valid {valid}: set the clock, or renew it")
    for name in certified:
        if not name.startswith("*"):
            return name
    raise ZooError(f"{file}: the certificate is for no single host: make one for the name of this machine")


def names_of(host: str) -> list[str]:
    """The names of a server that listens on an address of this machine, first the one that phones can reach."""
    local = [name for name in LOCAL if ":" not in name or ":" in host]
    if host not in ALL_INTERFACES:
        return [host, *(name for name in local if name != host)]
    elsewhere = {socket.AF_INET: "192.0.2.1"} | ({socket.AF_INET6: "2001:db8::1"} if ":" in host else {})
    for family, address in elsewhere.items():
        # Sends nothing, but asks the system which interface a packet would use.
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return [str(probe.getsockname()[0]), *local]
    return local
