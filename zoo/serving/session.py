"""What `zoo.serve` does: serves the page with models, takes recordings of phones, and shows both."""

import io
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import segno
from rich.console import Console

from zoo.catalog import START, exported_file, preset_names
from zoo.errors import ZooError, option
from zoo.exporting.embedding import signature
from zoo.families import FAMILIES
from zoo.files import exclusive_folder
from zoo.jobs import Terminated
from zoo.presets import PRESETS
from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.progress import Board
from zoo.report.screen import say
from zoo.runtime import Recognizer
from zoo.runtime.metadata import ActivityMetadata
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.certificate import ALL_INTERFACES, CERTIFICATE, LOCAL, kept_certificate
from zoo.serving.classroom import Classroom
from zoo.serving.collection import Collection, Inbox, event_of
from zoo.serving.server import CLASS, COLLECT, origin

Event = Callable[[dict[str, Any]], None]


def serve(
    recognizers: Mapping[Path, ActivityMetadata], host: str, port: int, collect: Path | None, labels: Sequence[str],
    cert: Path | None, on_event: Event | None,
) -> None:  # fmt: skip
    """Serves the page until an interruption; arguments are those of `zoo.serve`, but for the checked models."""
    host = host.strip("[]")
    hosts, files = certificate.names_of(host) if cert is None else [certificate.name_in(cert)], list(recognizers)
    with ExitStack() as stack:
        # Before a certificate is made for a host that is none.
        server = stack.enter_context(PageServer(page_files(files), host, port, None))
        board = CollectionBoard(Console(emoji=False))
        show = on_event or board.add
        if collect is not None:
            stack.enter_context(
                exclusive_folder(collect, "a server collects into it already: use that one, or choose another folder")
            )
            collection = Collection(collect, labels)
            kept_certificate(collect / CERTIFICATE, hosts)
        server.context = certificate.tls_context(hosts, cert or (collect and collect / CERTIFICATE))
        document = {
            "url": f"{origin(hosts[0], server.port)}/", "model": str(files[0]), "models": [*map(str, files)],
            "host": host, **({} if cert is None else {"cert": str(cert)}),
        }  # fmt: skip
        if collect is not None:
            room, addresses = begin_class(server, collection, hosts, recognizers[files[0]], show)
            stack.enter_context(closing(room))
            document |= addresses
        try:
            (on_event or _show_address)(document)
            sys.stdout.flush()
            if collect is not None and on_event is None:
                stack.enter_context(board.shown())
                board.add(*map(event_of, collection.minutes.values()))
            server.serve_forever()
        except KeyboardInterrupt as stop:
            say("stopped")
            if isinstance(stop, Terminated):
                raise SystemExit(stop.status) from None


def begin_class(
    server: PageServer, collection: Collection, hosts: Sequence[str], metadata: ActivityMetadata, show: Event
) -> tuple[Classroom, dict[str, str]]:
    """Lets a server take recordings, and show them on a projector; returns what is shown, and the addresses of both."""
    base, port = origin(hosts[0], server.port), server.port
    token, owner = (kept_certificate(collection.folder / CERTIFICATE, hosts, owner=owner) for owner in (False, True))
    address = f"{base}/{COLLECT}#{token}"

    def publish(number: int, model: Path) -> str:
        place = f"/trained/{number}"
        server.files = {**server.files, **{f"{place}{path}": file for path, file in page_files(model).items()}}
        return f"{base}{place}/"

    def tell(event: dict[str, Any]) -> None:
        room.tell(event)
        show(event)

    # What checks a recording is loaded before the first one arrives, while the address is shown.
    Thread(target=import_module, args=["zoo.activity.importing"], daemon=True).start()
    room = Classroom(owner, address, collection, publish)
    inbox = Inbox(token, collection, metadata.classes[: metadata.other_class], metadata.axes, tell)
    server.routes = {**inbox.routes(), **room.routes()}
    # Where it listens on all addresses, on that of this machine alone: what is shown goes over no network.
    here = LOCAL[1] if server.server_address[0] in ALL_INTERFACES and LOCAL[1] in hosts else hosts[0]
    projector = f"{origin(here, port)}/{CLASS}#{owner}"
    return room, {"url": address, "collect": str(collection.folder), "projector": projector}


def recognizers(models: Sequence[str | Path]) -> dict[Path, ActivityMetadata]:
    """Files of models with their metadata, checked for the page. By default all presets that it can run."""
    checked = {}
    if not models:
        presets = [name for name in preset_names() if FAMILIES[PRESETS[name].family].task == "activity"]
        models = sorted(presets, key=lambda name: name != START)
    for model in models:
        # 8-bit rounding differs between processors, and compared with the runtime a float file is hardly larger.
        recognizer = Recognizer(exported_file(model, ("model.float32.tflite", "model.dynamic.tflite")))
        needed = signature(recognizer.metadata)
        if needed not in recognizer.signatures:
            raise ZooError(
                f"{recognizer.path}: has no signature {needed!r}, which the page needs: export it with `zoo export`"
            )
        checked[recognizer.path] = recognizer.metadata
    return checked


def _show_address(document: dict[str, Any]) -> None:
    """Prints the addresses, each on a line of its own, and a QR code. A terminal of 24 lines shows all of it."""
    console = Console()
    others = f" and {more} more" if (more := len(document["models"]) - 1) else ""
    served = f"serving {document['model']}{others}"
    lines = [f"collecting into {document['collect']}" if "collect" in document else served]
    where = "Open it in a browser on this machine; phones cannot reach this address. "
    if urlsplit(document["url"]).hostname not in LOCAL:
        code = io.StringIO()
        # Of the lowest level, which makes the fewest lines: what a screen shows is not dirty.
        segno.make(document["url"], error="l").terminal(code, border=2, compact=True)
        lines.append(code.getvalue().removesuffix("\n"))
        where = "Open it on a phone on the same network. "
        if "collect" in document:
            where = "Only phones with this code can send recordings. "
        elif document["host"] in ALL_INTERFACES:
            where += f"Everyone on this network can open it; {option('host', '127.0.0.1')} limits it to this machine. "
    lines.append(f"Phones: {document['url']}")
    if "projector" in document:
        lines.append(f"Projector: {document['projector']}")
    if "cert" not in document:
        where += "Browsers warn once of the self-signed certificate: accept it. "
    print("\n".join(lines))
    console.print(f"{where}Ctrl-C stops the server.", markup=False, highlight=False, soft_wrap=not console.is_terminal)


_PEOPLE, _PROBLEMS, _ABOVE = 8, 2, 27
"""Lines of the screen: of people at most, of refused recordings, and of what is above, as a QR code shall stay."""


class CollectionBoard(Board):
    """The recordings of a collection: a row per person on a terminal, a line per recording elsewhere.

    A state holds an event for each recording, with `time`, `person`, `activity`, `seconds`, `rate_hz` and `file`, or
    if it was refused, with `time`, `address` and `reason`.
    """

    counts = False

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._events: list[Document] = []

    def add(self, *events: Document) -> None:
        """Shows further events. Those of the first call were there before."""
        self._events += events
        self.update(self._events)
        sys.stdout.flush()

    def screen(self, state: Sequence[Document]) -> str:
        """The summary, a table of the people who sent something last, and the last problems."""
        taken, most = dict[str, list[Document]](), min(_PEOPLE, max(0, self.console.height - _ABOVE))
        for event in reversed([event for event in state if "reason" not in event]):
            taken.setdefault(event["person"], []).insert(0, event)
        rows = [
            {"person": person, "recordings": _counted(events),
             "seconds": round(sum(event["seconds"] for event in events)), "last": events[-1]["time"]}
            for person, events in [*taken.items()][:most]
        ]  # fmt: skip
        more = f"and {md.count(len(taken) - most, 'other')}" if len(taken) > most > 0 else ""
        notes = [
            md.note(f"{event['time']}, {event['address']}: {event['reason']}", "refused")
            for event in [event for event in state if "reason" in event][-_PROBLEMS:]
        ]
        return md.page(f"**{md.escape(self.summary(state))}**", md.records(rows, text=2), more, *notes)

    def lines(self, state: Sequence[Document]) -> Mapping[Any, str]:
        """A line for each recording, and for each that was refused."""
        return {
            place: f"{event['time']}  refused from {event['address']}: {event['reason']}" if "reason" in event else
            f"{event['time']}  {event['person']}  {event['activity']}  {event['seconds']:.0f} s at "
            f"{event['rate_hz']:.0f} Hz  {event['file']}"
            for place, event in enumerate(state)
        }  # fmt: skip

    def summary(self, state: Sequence[Document]) -> str:
        """The number of people, of recordings and of each activity."""
        taken = [event for event in state if "reason" not in event]
        people = len({event["person"] for event in taken})
        if not taken:
            return "no recordings yet"
        words = f"{people:,} {'person' if people == 1 else 'people'}, {md.count(len(taken), 'recording')}"
        return f"{words}, {md.duration(sum(event['seconds'] for event in taken))}: {_counted(taken)}"


def _counted(events: Sequence[Document]) -> str:
    counts = Counter(event["activity"] for event in events)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
