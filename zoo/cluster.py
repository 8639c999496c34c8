"""Workers that train one model together: addresses, connections, and messages.

A worker is a process, here or on another host. The environment variable TF_CONFIG of TensorFlow lists the addresses of
all workers and the index of this one. Worker 0 is the chief, which listens on its address and is the only one to write
files. The others connect to it, prove that they know the key, agree on what is trained, and receive the checkpoint to
resume from. The same connections then exchange gradients. If a connection breaks, the worker is lost.

The collective operations of TensorFlow are not used, since their server listens on all interfaces and does not
authenticate. Connections are those of `multiprocessing`, and transfer only bytes and JSON, so nothing is unpickled.
"""

import contextlib
import errno
import ipaddress
import json
import os
import secrets
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files import flatten
from zoo.jobs import Job, Terminated, run_jobs, share_cores

VARIABLE = "TF_CONFIG"
KEY = "ZOO_CLUSTER_KEY"
"""Environment variable of the secret that all workers share."""

_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
_HANDSHAKE_SECONDS = 10.0
_GRACE_SECONDS = 20.0
"""Time for the other workers to end by themselves after one has failed."""

_DATA, _ERROR = b"d", b"e"


class WorkerLostError(ZooError):
    """Another worker ended during the training, which can resume once all workers are back."""

    status = os.EX_TEMPFAIL


class _Peer:
    """An authenticated connection to another worker.

    Args:
        connected: Connected socket.
        key: Shared secret.
        server: Whether this process accepted the connection.
        seconds: Time limit for each message in seconds.
    """

    def __init__(self, connected: socket.socket, key: bytes, server: bool, seconds: float) -> None:
        connected.settimeout(None)
        self.socket, self.connection = connected, Connection(os.dup(connected.fileno()))
        self._set_timeout(_HANDSHAKE_SECONDS)
        try:
            for challenge in (deliver_challenge, answer_challenge)[:: 1 if server else -1]:
                challenge(self.connection, key)
        except BaseException:
            self.close()
            raise
        self._set_timeout(seconds)

    def _set_timeout(self, seconds: float) -> None:
        timeout = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)

    def send(self, data: bytes, kind: bytes = _DATA) -> None:
        self.connection.send_bytes(kind + data)

    def receive(self) -> bytes:
        """Returns the next message.

        Raises:
            WorkerLostError: If it is an error.
            OSError, EOFError: If there is none.
        """
        message = self.connection.recv_bytes()
        if message[:1] == _ERROR:
            raise WorkerLostError(message[1:].decode())
        return message[1:]

    def wait_without_limit(self) -> None:
        """Waits for messages without a time limit, but notices within seconds that a host no longer answers."""
        self._set_timeout(0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limits = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
        for option, value in limits.items():
            if hasattr(socket, option):
                self.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def finish(self, error: str) -> None:
        """Sends a last error, if any, and closes the connection once the other side has read it."""
        with contextlib.suppress(OSError, EOFError):
            if error:
                self.send(error.encode(), _ERROR)
            self.socket.shutdown(socket.SHUT_WR)
            self._set_timeout(_HANDSHAKE_SECONDS)
            while True:
                self.connection.recv_bytes()
        self.close()

    def close(self) -> None:
        self.connection.close()
        self.socket.close()


@dataclass
class Cluster:
    """All workers of a training, seen from one of them.

    Args:
        addresses: Addresses of all workers, as `host:port`.
        index: Index of this worker. 0 is the chief.
        key: Shared secret.
        state: Checkpoint of the chief at the start, empty if there is none. All workers have it once connected.
    """

    addresses: tuple[str, ...]
    index: int
    key: bytes = field(default=b"", repr=False)
    state: bytes = field(default=b"", repr=False)
    _peers: dict[int, _Peer] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Cluster | None":
        """Reads the cluster from TF_CONFIG. Returns None if it is not set.

        Args:
            environment: Environment variables. Those of this process by default.

        Raises:
            ZooError: If TF_CONFIG is invalid, or workers on several hosts have no key.

        Example:
            >>> config = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
            >>> Cluster.from_environment({"TF_CONFIG": config, "ZOO_CLUSTER_KEY": "secret"}).name(1)
            'worker 1 (b:1)'
        """
        variables = os.environ if environment is None else environment
        text = variables.get(VARIABLE, "")
        if not text.strip():
            return None
        try:
            document = json.loads(text)
            addresses, task = document["cluster"]["worker"], document["task"]
            kind, index = task["type"], int(task["index"])
        except (ValueError, TypeError, KeyError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ZooError(f"{VARIABLE}: {what}; expected {_EXAMPLE}") from None
        if others := sorted({*document["cluster"], kind} - {"worker"}):
            raise ZooError(f"{VARIABLE}: task type {others[0]!r}; expected workers alone: {_EXAMPLE}")
        _check_addresses(addresses)
        if not 0 <= index < len(addresses):
            raise ZooError(f"{VARIABLE}: index {index} of {len(addresses)} workers; expected 0 to {len(addresses) - 1}")
        key = variables.get(KEY, "")
        remote = [address for address in addresses if not _is_loopback(_split(address)[0])]
        if remote and not key:
            raise ZooError(
                f"{KEY}: not set, and {remote[0]} can be reached over the network; set the same secret for all "
                "workers, such as the output of `openssl rand -hex 32`"
            )
        return cls(tuple(addresses), index, key.encode())

    @property
    def chief(self) -> bool:
        """Whether this worker writes the files."""
        return self.index == 0

    def __len__(self) -> int:
        return len(self.addresses)

    def name(self, index: int) -> str:
        """Returns the name of a worker in messages."""
        return f"worker {index} ({self.addresses[index]})"

    @contextlib.contextmanager
    def connected(self, identity: Mapping[str, Any], seconds: float) -> Iterator[None]:
        """Connects all workers within a `with` block, after checking that they train the same model.

        Args:
            identity: Description of what this worker trains, as JSON types.
            seconds: Time to wait for the other workers.

        Raises:
            ZooError: If a worker is missing, has another key or trains something else, or if the port is in use.
            WorkerLostError: If a worker ends before the block does.
        """
        flat = flatten({"workers": list(self.addresses)} | json.loads(json.dumps(identity)))
        stop = time.monotonic() + seconds
        if self.chief:
            self._accept_all(flat, stop)
        else:
            self._connect(flat, stop, seconds)
        error = ""
        try:
            for peer in self._peers.values():
                peer.wait_without_limit()
            yield
        except BaseException as raised:
            reason = str(raised) if isinstance(raised, ZooError) else type(raised).__name__
            error = reason if isinstance(raised, WorkerLostError) else f"{self.name(self.index)}: {reason}"
            raise
        finally:
            self._finish(error)

    def send(self, data: bytes) -> None:
        """Sends data from the chief to all workers, or from another worker to the chief.

        Raises:
            WorkerLostError: If a worker is gone.
        """
        for index, peer in self._peers.items():
            try:
                peer.send(data)
            except OSError:
                self._receive(index)
                raise WorkerLostError(f"{self.name(index)} is gone") from None

    def receive(self) -> list[bytes]:
        """Receives the next data from all workers, or on another worker from the chief.

        Raises:
            WorkerLostError: If a worker is gone, or ended with an error. The message contains the error.
        """
        return [self._receive(index) for index in self._peers]

    def _receive(self, index: int) -> bytes:
        try:
            return self._peers[index].receive()
        except (OSError, EOFError):
            raise WorkerLostError(f"{self.name(index)} is gone") from None

    def _finish(self, error: str) -> None:
        for peer in self._peers.values():
            peer.finish(error)
        self._peers.clear()

    def _accept_all(self, identity: dict[str, Any], stop: float) -> None:
        """Waits for the other workers and sends them the checkpoint. Runs on the chief."""
        rejected = 0
        with _listen(self.name(0), self.addresses[0], stop) as server:
            try:
                while len(self._peers) < len(self) - 1:
                    server.settimeout(max(0.01, stop - time.monotonic()))
                    try:
                        self._accept(server.accept()[0], identity)
                    except TimeoutError:
                        missing = ", ".join(self.name(i) for i in range(1, len(self)) if i not in self._peers)
                        keys = f" ({rejected} failed authentication: is {KEY} the same?)" if rejected else ""
                        raise ZooError(
                            f"{missing} did not connect in time{keys}: start it, or wait longer with --wait"
                        ) from None
                    except AuthenticationError:
                        rejected += 1
            except ZooError as error:
                self._finish(str(error))
                raise
        self.send(self.state)

    def _accept(self, connected: socket.socket, mine: dict[str, Any]) -> None:
        try:
            peer = _Peer(connected, self.key, server=True, seconds=_HANDSHAKE_SECONDS)
        except (OSError, EOFError, AssertionError):
            # Not a worker, but for example a port scanner.
            return
        try:
            hello = json.loads(peer.receive())
            index, theirs = int(hello["worker"]), dict(hello["identity"])
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            peer.close()
            return
        if not 0 < index < len(self) or index in self._peers:
            peer.finish(f"worker {index} is connected already, or not in {VARIABLE}")
            return
        self._peers[index] = peer
        names = [name for name in sorted({*mine, *theirs}) if mine.get(name) != theirs.get(name)]
        if names:
            values = ", ".join(f"{name} {theirs.get(name)!r}, not {mine.get(name)!r}" for name in names[:3])
            raise ZooError(
                f"{self.name(index)} is set to train something different from {self.name(0)}: {values}; start all "
                "workers with the same command, data and version"
            )

    def _connect(self, identity: dict[str, Any], stop: float, seconds: float) -> None:
        """Connects to the chief, and receives the checkpoint."""
        chief = self.name(0)
        while True:
            try:
                connected = socket.create_connection(
                    _split(self.addresses[0]), timeout=max(0.1, stop - time.monotonic())
                )
                break
            except OSError as error:
                if time.monotonic() > stop:
                    raise ZooError(
                        f"{chief} did not answer in time ({error.strerror or error}): start it, or wait longer with "
                        "--wait"
                    ) from None
                time.sleep(0.1)
        try:
            # The chief waits for the last worker, and reports one that does not come.
            self._peers[0] = peer = _Peer(connected, self.key, server=False, seconds=seconds + 30)
            peer.send(json.dumps({"worker": self.index, "identity": identity}).encode())
            self.state = peer.receive()
        except AuthenticationError:
            raise ZooError(f"{chief}: authentication failed; set the same {KEY} for all workers") from None
        except WorkerLostError as error:
            raise ZooError(str(error)) from None
        except (OSError, EOFError, AssertionError):
            raise ZooError(f"{chief} ended before all workers had connected: see its output") from None


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_addresses(addresses: Any) -> None:
    if not isinstance(addresses, list) or not addresses:
        raise ZooError(f"{VARIABLE}: workers {addresses!r}; expected {_EXAMPLE}")
    for address in addresses:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ZooError(f"{VARIABLE}: worker {address!r}; expected HOST:PORT, such as host0:2222")
        if addresses.count(address) > 1:
            raise ZooError(f"{VARIABLE}: worker {address} is listed twice; expected an address for each")


def _listen(name: str, address: str, stop: float) -> socket.socket:
    """Returns a socket that listens on the address of a worker, and on no other address."""
    reasons = {
        errno.EADDRINUSE: "the port is in use: end the program that listens there",
        errno.EACCES: "the port is not allowed",
        errno.EADDRNOTAVAIL: "is no address of this machine: start worker 0 there",
    }
    host, port = _split(address)
    while True:
        try:
            family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            return socket.create_server(where[:2], family=family, backlog=128)
        except socket.gaierror as error:
            # The name of a pod can be resolved only a moment after the pod has started.
            if time.monotonic() > stop:
                raise ZooError(f"{name}: {error.strerror}; use an address that can be resolved") from None
            time.sleep(0.2)
        except OSError as error:
            if error.errno not in reasons:
                raise
            raise ZooError(f"{name}: {reasons[error.errno]}, or use another") from None


def free_ports(count: int) -> list[int]:
    """Finds free ports of this machine."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def run_workers(count: int) -> int:
    """Runs the command of this process in several workers on this machine.

    The chief shares standard output and error. The output of the others is discarded; their errors appear in the last
    line of the chief.

    Args:
        count: Number of workers.

    Returns:
        The exit status of the chief.

    Raises:
        WorkerLostError: If the chief was killed, or does not end after another worker was.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    shared = share_cores(count) | {KEY: secrets.token_hex(32)}
    workers = []
    for index, address in enumerate(addresses):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = shared | {VARIABLE: json.dumps(config)}
        log = None if index == 0 else Path(os.devnull)
        workers.append(Job(f"worker {index} ({address})", sys.orig_argv, environment, log))
    statuses: dict[Job, int] = {}
    stop = float("inf")

    def on_exit(worker: Job, status: int) -> bool:
        nonlocal stop
        statuses[worker] = status
        if status:
            stop = min(stop, time.monotonic() + _GRACE_SECONDS)
        return False

    def watch() -> None:
        if time.monotonic() > stop:
            raise TimeoutError

    # Ctrl-C reaches all workers, which end by themselves. The message of the chief says how to resume.
    interrupt = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with contextlib.suppress(TimeoutError):
            run_jobs(workers, at_once=count, on_exit=on_exit, watch=watch, interval=0.05)
    except Terminated as stop:
        # The chief got the signal from `run_jobs`, and has printed how to resume.
        return stop.status
    finally:
        signal.signal(signal.SIGINT, interrupt)
    status = statuses.get(workers[0], -signal.SIGTERM)
    if status < 0:
        how = f"was killed by {signal.Signals(-status).name}; the same command resumes from its last checkpoint"
        raise WorkerLostError(f"{workers[0].name} {how}")
    return status
