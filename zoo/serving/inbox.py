"""What phones may send to a server: one recording per request, if they know its token."""

import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from email.message import Message
from http import HTTPStatus
from typing import Any, NamedTuple

from zoo.errors import ConflictError, StorageError, ZooError

PATH = "/recordings/"
"""A phone asks here for what it needs to know, and puts recordings below."""

_NUMBER = re.compile(r"\d{16}", re.ASCII)

MOST_BYTES = 2 << 20
"""Bytes of the largest recording."""

_MOST_AT_ONCE = 16
"""Recordings that are received at the same time, all in memory."""

_MOST_A_MINUTE = 60
"""Recordings that one address may send in a minute. A phone makes one, and sends at once what has waited."""

_MOST_ADDRESSES = 10_000


class Reply(NamedTuple):
    """An answer: its status, and a document that is sent as JSON."""

    status: HTTPStatus
    document: Mapping[str, Any]


class Inbox:
    """Takes recordings of phones that know the token.

    Args:
        token: What a phone must know.
        welcome: Returns what a phone is told.
        keep: Stores a recording by its number. Returns once it is on the disk, with a document about it. It may raise a
            `ZooError` about the recording, a `ConflictError` about its number, or a `StorageError` about the disk.
        refused: Is told why a recording was not taken, and the address that sent it.
    """

    def __init__(
        self, token: str, welcome: Callable[[], Mapping[str, Any]],
        keep: Callable[[str, bytes], Mapping[str, Any]], refused: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self.token, self._welcome, self._keep, self._refused = token, welcome, keep, refused
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._pace = _Pace(_MOST_A_MINUTE)

    def get(self, headers: Message) -> Reply:
        """Tells a phone what it needs to know."""
        if not self._knows(headers):
            return _no(HTTPStatus.FORBIDDEN, "the code is not valid: scan it again")
        return Reply(HTTPStatus.OK, self._welcome())

    def put(self, path: str, headers: Message, address: str, read: Callable[[int], bytes]) -> Reply | None:
        """Takes a recording.

        Args:
            path: Of the request, which ends in the number of the recording.
            headers: Of the request.
            address: Of the sender.
            read: Returns so many bytes of the body, or fewer if no more arrive.

        Returns:
            The answer; None if the body did not arrive as a whole, and there is nobody to answer to.
        """
        number = path.removeprefix(PATH)
        length = headers.get("Content-Length", "")
        if not _NUMBER.fullmatch(number):
            return _no(HTTPStatus.NOT_FOUND, f"expected {PATH} and 16 digits")
        if not re.fullmatch(r"\d{1,9}", length, re.ASCII) or "Transfer-Encoding" in headers:
            return _no(HTTPStatus.LENGTH_REQUIRED, "expected the length of the recording in Content-Length")
        if int(length) > MOST_BYTES:
            return _no(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MOST_BYTES} bytes")
        if not self._slots.acquire(blocking=False):
            return _no(HTTPStatus.SERVICE_UNAVAILABLE, "too many recordings at once: try again")
        try:
            # Before a refusal as well: who is still sending does not see the answer.
            body = read(int(length))
            if len(body) < int(length):
                return None
            if not self._knows(headers):
                return _no(HTTPStatus.FORBIDDEN, "the code is not valid: scan it again")
            if not self._pace.allows(address):
                return _no(HTTPStatus.TOO_MANY_REQUESTS, "too many recordings in a minute: wait")
            return self._kept(number, body, address)
        finally:
            self._slots.release()

    def _knows(self, headers: Message) -> bool:
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def _kept(self, number: str, body: bytes, address: str) -> Reply:
        try:
            return Reply(HTTPStatus.OK, self._keep(number, body))
        except ConflictError as error:
            return _no(HTTPStatus.CONFLICT, str(error))
        except StorageError as error:
            self._refused(str(error), address)
            return _no(HTTPStatus.INSUFFICIENT_STORAGE, "the computer cannot store it: tell its owner")
        except ZooError as error:
            self._refused(str(error), address)
            return _no(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


class _Pace:
    """Counts what each address has sent in the last minute."""

    def __init__(self, most: int) -> None:
        self.most, self._times, self._lock = most, dict[str, deque[float]](), threading.Lock()

    def allows(self, address: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if len(self._times) >= _MOST_ADDRESSES:
                self._times = {who: times for who, times in self._times.items() if times[-1] > now - 60}
            times = self._times.setdefault(address, deque(maxlen=self.most))
            if len(times) == self.most and times[0] > now - 60:
                return False
            times.append(now)
            return True


def _no(status: HTTPStatus, reason: str) -> Reply:
    return Reply(status, {"error": reason})


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as it is sent."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
