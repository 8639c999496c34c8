"""What `zoo.serve` does: serves the page with models, takes recordings of phones, and shows both."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import segno
from rich.console import Console

from zoo.catalog import exported_file, preset_names
from zoo.errors import ZooError
from zoo.exporting.embedding import signature
from zoo.families import FAMILIES
from zoo.files import exclusive_folder
from zoo.jobs import Terminated
from zoo.presets import PRESETS
from zoo.report import markdown as md
from zoo.report.document import say
from zoo.report.markdown import Document
from zoo.report.progress import Board
from zoo.runtime import Recognizer
from zoo.runtime.metadata import ActivityMetadata
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.certificate import ALL_INTERFACES, LOCAL, kept_certificate
from zoo.serving.collection import Collection, Minute
from zoo.serving.inbox import Inbox
from zoo.serving.page import COLLECT
from zoo.serving.server import require_host

CERTIFICATE = ".server.pem"
"""File of the key in the folder of a collection."""

_MOST_PROBLEMS = 100
"""Refusals that are remembered."""

_FIRST = "activity_gru_phone"
"""The preset that the phone page starts with."""

Event = Callable[[dict[str, Any]], None]


def serve(
    recognizers: Mapping[Path, ActivityMetadata], host: str, port: int, collect: Path | None, labels: Sequence[str],
    on_event: Event | None,
) -> None:  # fmt: skip
    """Serves the page until an interruption; arguments are those of `zoo.serve`, but for the checked models."""
    require_host(host)
    hosts, files = certificate.names_of(host), list(recognizers)
    pages = page_files(files)
    with ExitStack() as stack:
        phones = None
        if collect is not None:
            metadata = recognizers[files[0]]
            stack.enter_context(exclusive_folder(collect))
            phones = Collector(collect, labels, metadata.classes, metadata.axes, hosts, on_event)
        context = certificate.tls_context(hosts, phones.certificate if phones else None)
        server = stack.enter_context(PageServer(pages, host, port, context, phones.inbox if phones else None))
        document = {
            "url": f"https://{hosts[0]}:{server.port}/", "model": str(files[0]), "models": [*map(str, files)],
            "host": host,
        }  # fmt: skip
        if phones:
            document |= {"url": f"{document['url']}{COLLECT}#{phones.inbox.token}", "collect": str(collect)}
        try:
            (on_event or _show_address)(document)
            sys.stdout.flush()
            with phones.shown() if phones else ExitStack():
                server.serve_forever()
        except KeyboardInterrupt as stop:
            say("stopped")
            if isinstance(stop, Terminated):
                raise SystemExit(stop.status) from None


def recognizers(models: Sequence[str]) -> dict[Path, ActivityMetadata]:
    """Files of models with their metadata, checked for the page. By default all presets that it can run."""
    return dict(_recognizer_of_page(model) for model in models or _presets())


def _presets() -> list[str]:
    """The presets that the page can run, first the one to start with."""
    found = [name for name in preset_names() if FAMILIES[PRESETS[name].family].task == "activity"]
    return sorted(found, key=lambda name: name != _FIRST)


def _recognizer_of_page(model: str) -> tuple[Path, ActivityMetadata]:
    """Checks the file of a model that the page runs, and returns it with its metadata."""
    # 8-bit rounding differs between processors, and compared with the runtime a float file is hardly larger.
    recognizer = Recognizer(exported_file(model, ("model.float32.tflite", "model.dynamic.tflite")))
    needed = signature(recognizer.metadata)
    if needed not in recognizer.signatures:
        raise ZooError(
            f"{recognizer.path}: has no signature {needed!r}, which the page needs: export it with `zoo export`"
        )
    return recognizer.path, recognizer.metadata


def _show_address(document: dict[str, Any]) -> None:
    """Prints the address and its QR code."""
    console = Console(soft_wrap=True)
    others = f" and {more} more" if (more := len(document["models"]) - 1) else ""
    served = f"serving {document['model']}{others}"
    what = f"collecting into {document['collect']}" if "collect" in document else served
    console.print(f"{what} at {document['url']}", markup=False, highlight=False)
    where = "Open it in a browser on this machine; phones cannot reach this address. "
    if urlsplit(document["url"]).hostname not in LOCAL:
        segno.make(document["url"], error="m").terminal(sys.stdout, border=2, compact=True)
        where = "Open it on a phone that is on the same network. "
        if "collect" in document:
            where += "Only phones with this code can send recordings. "
        elif document["host"] in ALL_INTERFACES:
            where += "Everyone on this network can open it; --host 127.0.0.1 limits it to this machine. "
    console.print(
        f"{where}The certificate is self-signed, so the browser shows a warning once: accept it. Ctrl-C stops the "
        "server.",
        markup=False, highlight=False,
    )  # fmt: skip


class Collector:
    """Takes recordings into a folder, and shows each.

    Args:
        folder: The folder.
        labels: The only labels to take; any by default.
        suggested: Labels that are suggested if any is taken.
        axes: Channels that phones record.
        hosts: Names of the server.
        on_event: Function that is called with each recording, in place of what is shown.
    """

    def __init__(
        self, folder: Path, labels: Sequence[str], suggested: Sequence[str], axes: Sequence[str], hosts: Sequence[str],
        on_event: Event | None,
    ) -> None:  # fmt: skip
        self.collection, self.suggested, self.axes = Collection(folder, labels), tuple(suggested), tuple(axes)
        self.certificate = folder / CERTIFICATE
        self.inbox = Inbox(kept_certificate(self.certificate, hosts), self._welcome, self._keep, self._refuse)
        self._on_event, self._board = on_event, CollectionBoard(Console(emoji=False))
        self._events = [_event(minute) for minute in self.collection.minutes.values()]
        self._lock = threading.Lock()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows what is there, and what arrives while the block runs."""
        if self._on_event is not None:
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
            if self._on_event is not None:
                self._on_event(event)
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


_PEOPLE, _PROBLEMS = 8, 2
"""Lines of the screen: a QR code above it shall stay."""


class CollectionBoard(Board[Sequence[Document]]):
    """The recordings of a collection: a row per person on a terminal, a line per recording elsewhere.

    A state holds an event for each recording, with `time`, `person`, `activity`, `seconds`, `rate_hz` and `file`, or
    if it was refused, with `time`, `address` and `reason`.

    Example:
        >>> from rich.console import Console
        >>> event = {"time": "10:32:05", "person": "Ann", "activity": "walking", "seconds": 59.98, "rate_hz": 60.0}
        >>> CollectionBoard(Console(width=80)).summary([event | {"file": "class/Ann/walking-4821930577120934.csv"}])
        '1 person, 1 recording, 60 s: walking 1'
    """

    prints = False

    def screen(self, state: Sequence[Document]) -> str:
        """Returns the summary, a table of the people who sent something last, and the last problems."""
        taken, refused = _parted(state)
        people = list(dict.fromkeys(event["person"] for event in reversed(taken)))
        rows = [self._row(who, [event for event in taken if event["person"] == who]) for who in people[:_PEOPLE]]
        more = f"and {md.count(len(people) - _PEOPLE, 'other')}" if len(people) > _PEOPLE else ""
        notes = [md.note(_problem(event), "refused") for event in refused[-_PROBLEMS:]]
        return md.page(f"**{md.escape(self.summary(state))}**", md.records(rows, text=2), more, *notes)

    def _row(self, person: str, taken: Sequence[Document]) -> Document:
        counts = Counter(event["activity"] for event in taken)
        return {
            "person": person, "recordings": ", ".join(f"{name} {count}" for name, count in counts.items()),
            "seconds": round(sum(event["seconds"] for event in taken)), "last": taken[-1]["time"],
        }  # fmt: skip

    def lines(self, state: Sequence[Document]) -> Mapping[Any, str]:
        """Returns a line for each recording, and for each that was refused."""
        return {
            place: _refusal(event) if "reason" in event else
            f"{event['time']}  {event['person']}  {event['activity']}  {event['seconds']:.0f} s at "
            f"{event['rate_hz']:.0f} Hz  {event['file']}"
            for place, event in enumerate(state)
        }  # fmt: skip

    def summary(self, state: Sequence[Document]) -> str:
        """Returns the number of people, of recordings and of each activity."""
        taken, _ = _parted(state)
        counts = Counter(event["activity"] for event in taken)
        people = len({event["person"] for event in taken})
        if not taken:
            return "no recordings yet"
        words = f"{people:,} {'person' if people == 1 else 'people'}, {md.count(len(taken), 'recording')}"
        seconds = md.duration(sum(event["seconds"] for event in taken))
        return f"{words}, {seconds}: {', '.join(f'{name} {count}' for name, count in counts.most_common())}"


def _parted(state: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    return [event for event in state if "reason" not in event], [event for event in state if "reason" in event]


def _refusal(event: Document) -> str:
    return f"{event['time']}  refused from {event['address']}: {event['reason']}"


def _problem(event: Document) -> str:
    return f"{event['time']}, {event['address']}: {event['reason']}"
