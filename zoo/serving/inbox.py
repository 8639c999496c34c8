"""What phones may send to a server: one recording per request, if they know its token."""

import hmac
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.message import Message
from http import HTTPStatus
from typing import Any

from zoo.errors import ConflictError, StorageError, ZooError
from zoo.serving.collection import Collection, Minute

PATH = "/recordings/"
"""A phone asks here for what it needs to know, and puts recordings below."""

MOST_BYTES = 2 << 20
"""Bytes of the largest recording."""

_NUMBER = re.compile(r"\d{16}", re.ASCII)
_MOST_AT_ONCE = 16  # recordings that are received at the same time, all in memory
_MOST_A_MINUTE = 60  # recordings of one address: a phone makes one, and sends at once what has waited
_MOST_ADDRESSES = 10_000

Reply = tuple[HTTPStatus, Mapping[str, Any]]
"""An answer: its status, and a document that is sent as JSON."""


class Inbox:
    """Takes recordings of phones that know a token into a collection.

    Args:
        token: What a phone must know.
        collection: The folder of recordings.
        suggested: Labels that are suggested if any is taken.
        axes: Channels that phones record.
        show: Function that is called with an event for each recording that is new, or that was refused.
    """

    def __init__(
        self, token: str, collection: Collection, suggested: Sequence[str], axes: Sequence[str],
        show: Callable[[dict[str, Any]], object],
    ) -> None:  # fmt: skip
        self.token, self.collection, self._suggested, self._axes = token, collection, suggested, axes
        self._show, self._showing = show, threading.Lock()
        self._slots, self._pace = threading.BoundedSemaphore(_MOST_AT_ONCE), _Pace(_MOST_A_MINUTE)

    def get(self, headers: Message) -> Reply:
        """Tells a phone the labels and the channels."""
        if not self._knows(headers):
            return _no(HTTPStatus.FORBIDDEN, "the code is not valid: scan it again")
        labels = self.collection.labels
        used = (minute.activity for minute in list(self.collection.minutes.values()))
        known = [*(labels or dict.fromkeys([*self._suggested, *used]))]
        return HTTPStatus.OK, {"labels": known, "any_label": not labels, "axes": [*self._axes]}

    def put(self, path: str, headers: Message, address: str, read: Callable[[int], bytes]) -> Reply | None:
        """Takes the recording whose number ends a path.

        `read` returns so many bytes of the body, or fewer if no more arrive; then there is nobody to answer to: None.
        """
        number = path.removeprefix(PATH)
        length = headers.get("Content-Length", "")
        if not _NUMBER.fullmatch(number):
            return _no(HTTPStatus.NOT_FOUND, f"expected {PATH} and 16 digits")
        if not re.fullmatch(r"\d{1,9}", length, re.ASCII) or "Transfer-Encoding" in headers:
            return _no(HTTPStatus.LENGTH_REQUIRED, "expected the length of the recording in Content-Length")
        if int(length) > MOST_BYTES:
            return _no(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than {MOST_BYTES} bytes")
        # Before a slot is taken: who does not know the token must not keep others from sending.
        if not self._knows(headers):
            return _no(HTTPStatus.FORBIDDEN, "the code is not valid: scan it again")
        if not self._slots.acquire(blocking=False):
            return _no(HTTPStatus.SERVICE_UNAVAILABLE, "too many recordings at once: try again")
        try:
            body = read(int(length))
            if len(body) < int(length):
                return None
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
            minute, new = self.collection.add(number, body)
        except ConflictError as error:
            return _no(HTTPStatus.CONFLICT, str(error))
        except ZooError as error:
            self._tell({"time": f"{datetime.now():%H:%M:%S}", "address": address, "reason": str(error)})
            if isinstance(error, StorageError):
                return _no(HTTPStatus.INSUFFICIENT_STORAGE, "the computer cannot store it: tell its owner")
            return _no(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        if new:
            self._tell(event_of(minute))
        return HTTPStatus.OK, {"seconds": minute.seconds, "new": new}

    def _tell(self, event: dict[str, Any]) -> None:
        with self._showing:
            self._show(event)


def event_of(minute: Minute) -> dict[str, Any]:
    """Returns what is shown of a recording."""
    arrived = datetime.fromtimestamp(minute.file.stat().st_mtime)
    return {
        "time": f"{arrived:%H:%M:%S}", "person": minute.person, "activity": minute.activity, "seconds": minute.seconds,
        "rows": minute.rows, "rate_hz": round((minute.rows - 1) / minute.seconds, 1), "file": str(minute.file),
    }  # fmt: skip


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
    return status, {"error": reason}
