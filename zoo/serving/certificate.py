"""A self-signed certificate for one run, since browsers allow access to the motion sensor over HTTPS only."""

import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import trustme

_DAYS = 30

ALL_INTERFACES = ("0.0.0.0", "")
"""Hosts that stand for all addresses of a machine."""


def tls_context(names: Sequence[str]) -> ssl.SSLContext:
    """Creates a TLS context for a server, with a new key and certificate.

    Args:
        names: Host names and IP addresses of the certificate, at least one.

    Returns:
        The context. The key exists only in this process.

    Example:
        >>> tls_context(["localhost", "127.0.0.1"]).minimum_version.name
        'TLSv1_2'
    """
    now = datetime.now(UTC)
    # Clocks of phones differ, and some phones reject certificates that are valid for years.
    certificate = trustme.CA(organization_name="pocket-zoo").issue_cert(
        *names,
        organization_name="pocket-zoo",
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=_DAYS),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate.configure_cert(context)
    return context


def names_of(host: str) -> list[str]:
    """Returns the names of a server that listens on an address of this machine, first the one that phones can reach."""
    local = ["localhost", "127.0.0.1"]
    if host not in ALL_INTERFACES:
        return [host, *(name for name in local if name != host)]
    return [*_addresses(), *local]


def _addresses() -> list[str]:
    """Returns the address of this machine in its network, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing, but asks the system which interface a packet would use.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [str(probe.getsockname()[0])]
