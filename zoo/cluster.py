"""Several workers that train one model: who they are, how they meet, and how each notices that another is gone.

A worker is a process, here or on another host; TF_CONFIG, TensorFlow's own variable, names all of them and says which
one this is. Worker 0 is the chief: it alone writes files. Before TensorFlow connects them, the others come to the
chief's address, say what they are about to train, and get the checkpoint to go on from. These connections stay open for
as long as the training lasts: one that closes too early is a worker that died.

Standard library alone, so that the process that supervises workers needs no TensorFlow.
"""

import base64
import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ZooError

VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
_SUPERVISED = "ZOO_TRAIN_SUPERVISED"
_GRACE = 20.0
"""Seconds that the others have to end by themselves when a supervised worker is gone."""


class WorkerLostError(ZooError):
    """Another worker ended in the middle of the training; it can go on when all are there again."""

    status = os.EX_TEMPFAIL


class _Line:
    """A connection to another worker, on which a message is a line of JSON."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.connection = connection
        self.connection.settimeout(seconds)
        self.lines = connection.makefile("rb")

    def send(self, **message: Any) -> None:
        """Sends a message; whom it does not reach is noticed by who listens."""
        with contextlib.suppress(OSError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            OSError: If there is none in time, or no more.
            ValueError: If it is no message.
        """
        line = self.lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError(errno.ECONNRESET, "closed")
        return dict(json.loads(line))

    def keep(self) -> None:
        """Waits for messages without end, but notices within seconds that a host has fallen silent."""
        self.connection.settimeout(None)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                self.connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def end(self) -> None:
        """Tells that nothing more will come."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hangs up."""
        self.lines.close()
        self.connection.close()


@dataclass
class Cluster:
    """All workers of a training, seen from one of them.

    Args:
        addresses: `host:port` of each.
        index: Which of them this is; 0 is the chief.
        state: The chief's checkpoint at the start, empty where there is none; known to all once they have met.
        lost: Why the training cannot go on, as soon as that is known.
        strategy: What TensorFlow's collective operations go through, once connected.
    """

    addresses: tuple[str, ...]
    index: int
    state: bytes = b""
    lost: str = ""
    strategy: Any = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Cluster | None":
        """The cluster that TF_CONFIG describes; None where it is not set.

        Raises:
            ZooError: If it is not as it should be.

        Example:
            >>> told = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
            >>> Cluster.from_environment({"TF_CONFIG": told}).name(1)
            'worker 1 (b:1)'
        """
        text = (os.environ if environment is None else environment).get(VARIABLE, "")
        if not text.strip():
            return None
        try:
            document = json.loads(text)
            addresses, task = document["cluster"]["worker"], document["task"]
            kind, index = task["type"], int(task["index"])
        except (ValueError, TypeError, KeyError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ZooError(f"{VARIABLE}: {what}; expected {_EXAMPLE}") from None
        if strangers := sorted({*document["cluster"], kind} - {"worker"}):
            raise ZooError(f"{VARIABLE}: a {strangers[0]}; expected workers alone: {_EXAMPLE}")
        _check_addresses(addresses)
        if not 0 <= index < len(addresses):
            raise ZooError(f"{VARIABLE}: index {index} of {len(addresses)} workers; expected 0 to {len(addresses) - 1}")
        return cls(tuple(addresses), index)

    @property
    def chief(self) -> bool:
        """Whether this worker writes the files."""
        return self.index == 0

    def __len__(self) -> int:
        return len(self.addresses)

    def name(self, index: int) -> str:
        """A worker for messages."""
        return f"worker {index} ({self.addresses[index]})"

    @contextlib.contextmanager
    def met(self, identity: Mapping[str, Any], seconds: float, on_loss: Callable[[], None]) -> Iterator[None]:
        """Waits for all workers, makes sure that they train the same, and watches them while the block runs.

        Args:
            identity: What this worker is about to train, as JSON types.
            seconds: How long to wait for the others.
            on_loss: Called, in another thread, when one of them is gone.

        Raises:
            ZooError: If one does not come, trains something else, or has its port in use.
            WorkerLostError: If one ends before the block does.
        """
        flat = _flat({"workers": list(self.addresses)} | dict(identity))
        peers = self._gather(flat, seconds) if self.chief else {0: self._come(flat, seconds)}
        for index in peers:
            threading.Thread(target=self._listen, args=(index, peers, on_loss), daemon=True).start()
        last: dict[str, Any] = {"done": True}
        try:
            yield
        except BaseException as error:
            words = str(error) if isinstance(error, ZooError) else type(error).__name__
            last = {"error": self.lost or f"{self.name(self.index)}: {words}"}
            raise
        finally:
            for peer in peers.values():
                peer.send(**last)
                peer.end()

    def explain(self, seconds: float = 5.0) -> WorkerLostError:
        """What to say where TensorFlow lost a connection: the watch knows whose, or will in a moment."""
        stop = time.monotonic() + seconds
        while not self.lost and time.monotonic() < stop:
            time.sleep(0.05)
        return WorkerLostError(self.lost or "the connection to another worker broke")

    def _gather(self, identity: dict[str, Any], seconds: float) -> dict[int, _Line]:
        """The chief's side: connections to all others, who train the same."""
        stop = time.monotonic() + seconds
        came: dict[int, _Line] = {}
        with _listening(self.name(0), self.addresses[0]) as server:
            try:
                while len(came) < len(self) - 1:
                    index, theirs, peer = self._accept(server, stop, came)
                    came[index] = peer
                    self._require_agreement(index, identity, theirs)
            except ZooError as error:
                for peer in came.values():
                    peer.send(error=str(error))
                raise
        for peer in came.values():
            peer.send(checkpoint=base64.b64encode(self.state).decode())
        return came

    def _require_agreement(self, index: int, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        names = [name for name in sorted({*mine, *theirs}) if mine.get(name) != theirs.get(name)]
        if names:
            values = ", ".join(f"{name} {theirs.get(name)!r}, not {mine.get(name)!r}" for name in names[:3])
            raise ZooError(
                f"{self.name(index)} is about to train something else than {self.name(0)}: {values}; start all with "
                "the same command, data and version"
            )

    def _accept(
        self, server: socket.socket, stop: float, came: Mapping[int, _Line]
    ) -> tuple[int, dict[str, Any], _Line]:
        """The next worker that comes: its number, what it trains, the connection."""
        while True:
            server.settimeout(max(0.01, stop - time.monotonic()))
            try:
                peer = _Line(server.accept()[0], seconds=10)
            except TimeoutError:
                missing = ", ".join(self.name(i) for i in range(1, len(self)) if i not in came)
                raise ZooError(f"{missing} did not come in time: start it, or wait longer with --wait") from None
            try:
                message = peer.receive()
                index, identity = int(message["worker"]), dict(message["identity"])
            except (OSError, ValueError, KeyError, TypeError):
                # Somebody who only looks whether the port is open.
                peer.close()
                continue
            if not 0 < index < len(self) or index in came:
                peer.send(error=f"worker {index} is here already, or not expected: look at {VARIABLE}")
                peer.close()
                continue
            return index, identity, peer

    def _come(self, identity: dict[str, Any], seconds: float) -> _Line:
        """The other workers' side: a connection to the chief, who agreed."""
        with _listening(self.name(self.index), self.addresses[self.index]):
            pass
        stop = time.monotonic() + seconds
        host, _, port = self.addresses[0].rpartition(":")
        while True:
            try:
                connection = socket.create_connection((host, int(port)), timeout=max(0.1, stop - time.monotonic()))
                break
            except OSError as error:
                if time.monotonic() > stop:
                    raise ZooError(
                        f"{self.name(0)} did not answer in time ({error.strerror or error}): start it, or wait longer "
                        "with --wait"
                    ) from None
                time.sleep(0.1)
        # The chief waits as long for the last worker, and tells if it does not come.
        peer = _Line(connection, seconds + 30)
        peer.send(worker=self.index, identity=identity)
        try:
            answer = peer.receive()
        except (OSError, ValueError):
            raise ZooError(f"{self.name(0)} ended before all workers had come: look at what it said") from None
        if "error" in answer:
            raise ZooError(answer["error"])
        self.state = base64.b64decode(answer["checkpoint"])
        return peer

    def _listen(self, index: int, peers: Mapping[int, _Line], on_loss: Callable[[], None]) -> None:
        """Waits for what another says: that it is done, why it ends, or nothing because it died."""
        peers[index].keep()
        try:
            message = peers[index].receive()
        except (OSError, ValueError):
            message = {"error": f"{self.name(index)} is gone"}
        if "error" not in message or self.lost:
            return
        self.lost = message["error"]
        for other, connection in peers.items():
            if other != index:
                connection.send(error=self.lost)
        on_loss()


def _check_addresses(addresses: Any) -> None:
    if not isinstance(addresses, list) or not addresses:
        raise ZooError(f"{VARIABLE}: workers {addresses!r}; expected {_EXAMPLE}")
    for address in addresses:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ZooError(f"{VARIABLE}: worker {address!r}; expected HOST:PORT, such as host0:2222")
        if addresses.count(address) > 1:
            raise ZooError(f"{VARIABLE}: worker {address} is there twice; expected an address for each")


@contextlib.contextmanager
def _listening(name: str, address: str) -> Iterator[socket.socket]:
    """A socket that listens on a worker's port, which TensorFlow takes afterwards."""
    port = int(address.rpartition(":")[2])
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("", port))
            server.listen(128)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                why = "is in use: end what listens there" if error.errno == errno.EADDRINUSE else "is not allowed"
                raise ZooError(f"port {port} of {name} {why}, or name another") from None
            raise
        yield server


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in json.loads(json.dumps(document)).items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def supervised() -> bool:
    """Whether this process was started by `supervise`."""
    return _SUPERVISED in os.environ


def loopback(count: int) -> tuple[list[int], dict[str, str]]:
    """Free ports of this machine, and what processes that share it are told."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1] for probe in probes]
    threads = str(max(1, (os.cpu_count() or 1) // count))
    return ports, {"NO_PROXY": "127.0.0.1", "TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}


def supervise(count: int) -> int:
    """Runs this process's own command in several workers of this machine.

    The chief shows what it does and prints the result; what the others say is in the chief's last line. All die with
    this process.

    Args:
        count: Workers.

    Returns:
        The status of the chief.

    Raises:
        WorkerLostError: If the chief was killed.
    """
    ports, told = loopback(count)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    with tempfile.TemporaryFile() as unheard:
        running = []
        for index in range(count):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            output = None if index == 0 else unheard
            running.append(subprocess.Popen(
                sys.orig_argv, stdin=subprocess.PIPE, stdout=output, stderr=output,
                env={**os.environ, **told, _SUPERVISED: "1", VARIABLE: json.dumps(task)},
            ))  # fmt: skip
        # Ctrl-C reaches all workers, who end by themselves, and the chief says how to go on.
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            _wait_for_all(running)
        finally:
            signal.signal(signal.SIGINT, interrupt)
    status = running[0].returncode
    if status < 0:
        how = f"was killed by {signal.Signals(-status).name}; the same command goes on from its last checkpoint"
        raise WorkerLostError(f"worker 0 ({addresses[0]}) {how}")
    return status


def _wait_for_all(running: Sequence["subprocess.Popen[bytes]"]) -> None:
    stop = float("inf")
    try:
        while any(process.poll() is None for process in running):
            time.sleep(0.05)
            if any(process.returncode for process in running):
                stop = min(stop, time.monotonic() + _GRACE)
            if time.monotonic() > stop:
                break
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
