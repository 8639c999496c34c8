"""What `zoo serve --collect` does: takes recordings of phones, and shows them."""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from zoo.activity.collection import Collection, Minute
from zoo.files import exclusive_folder
from zoo.serving.certificate import kept_certificate
from zoo.serving.collecting import CollectionBoard
from zoo.serving.inbox import Inbox

CERTIFICATE = ".server.pem"
"""File of the key in the folder of a collection."""

_MOST_PROBLEMS = 100
"""Refusals that are remembered."""


class Collector:
    """Takes recordings into a folder, and shows each.

    Args:
        folder: The folder.
        labels: The only labels to take; any by default.
        suggested: Labels that are suggested if any is taken.
        axes: Channels that phones record.
        hosts: Names of the server.
        as_json: Whether to show a JSON document per event.
    """

    def __init__(
        self, folder: Path, labels: Sequence[str], suggested: Sequence[str], axes: Sequence[str], hosts: Sequence[str],
        as_json: bool,
    ) -> None:  # fmt: skip
        self.collection, self.suggested, self.axes = Collection(folder, labels), tuple(suggested), tuple(axes)
        self.certificate = folder / CERTIFICATE
        self.inbox = Inbox(kept_certificate(self.certificate, hosts), self._welcome, self._keep, self._refuse)
        self._board = None if as_json else CollectionBoard(Console(emoji=False))
        self._events = [_event(minute) for minute in self.collection.minutes.values()]
        self._lock = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows what is there, and what arrives while the block runs."""
        if self._board is None:
            yield
            return
        with self._board.shown():
            self._board.update(self._events)
            yield

    def _welcome(self) -> dict[str, Any]:
        """What a phone needs to know."""
        labels = self.collection.labels
        used = (minute.activity for minute in list(self.collection.minutes.values()))
        return {
            "labels": list(labels or dict.fromkeys([*self.suggested, *used])), "any_label": not labels,
            "axes": list(self.axes),
        }  # fmt: skip

    def _keep(self, number: str, content: bytes) -> dict[str, Any]:
        minute, new = self.collection.add(number, content)
        if new:
            self._show(_event(minute))
        return {"seconds": minute.seconds, "new": new}

    def _refuse(self, reason: str, address: str) -> None:
        self._show({"time": f"{datetime.now():%H:%M:%S}", "address": address, "reason": reason})

    def _show(self, event: dict[str, Any]) -> None:
        with self._lock:
            if self._board is None:
                print(json.dumps(event, ensure_ascii=False), flush=True)
                return
            if "reason" in event and sum("reason" in each for each in self._events) >= _MOST_PROBLEMS:
                return
            self._events.append(event)
            self._board.update(self._events)
            sys.stdout.flush()


def _event(minute: Minute) -> dict[str, Any]:
    arrived = datetime.fromtimestamp(minute.file.stat().st_mtime)
    return {
        "time": f"{arrived:%H:%M:%S}", "person": minute.person, "activity": minute.activity, "seconds": minute.seconds,
        "rows": minute.rows, "rate_hz": round((minute.rows - 1) / minute.seconds, 1), "file": str(minute.file),
    }  # fmt: skip


@contextmanager
def collector(folder: Path, *arguments: Any, **options: Any) -> Iterator[Collector]:
    """Makes a `Collector`, and keeps others from collecting into its folder."""
    with exclusive_folder(folder):
        yield Collector(folder, *arguments, **options)
