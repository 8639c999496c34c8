"""What phones may send to a server, if they know its token, and the folder in which it is kept.

A request holds one recording: a labeled minute, which becomes a CSV file in the layout of the phone page, whose columns
name the person and the activity. Its name, such as `Ann/walking-4821930577120934.csv`, only helps to find it; it ends
in sixteen digits that the phone has drawn.
"""

import io
import math
import os
import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from zoo.activity.columns import CsvColumns
from zoo.activity.tables import Table
from zoo.errors import ConflictError, StorageError, ZooError
from zoo.files import atomic_write, read_text, remove_leftovers
from zoo.runtime.metadata import AXES, INERTIAL
from zoo.serving.server import AGAIN_SECONDS, Refusal, Routes

PATH = "/recordings/"
"""A phone asks here for what it needs to know, and puts recordings below."""

_MOST_A_MINUTE = 240  # recordings of one address, behind which a whole class may be: a phone makes one
_TURN_SECONDS = 6.0  # until the computer has checked and written the recordings that came before

MOST_LETTERS = 40  # of a name of a person or an activity

_NUMBER = re.compile(r"\d{16}", re.ASCII)
_FILE = re.compile(r".*-(\d{16})\.csv", re.ASCII)
_LAYOUTS = tuple(["time", *axes, "subject", "activity"] for axes in (AXES, INERTIAL))
_SIGNS = " ._'\N{RIGHT SINGLE QUOTATION MARK}-"
_ANIMALS = (
    "Badger Beaver Bison Bobcat Camel Cheetah Cobra Condor Coyote Crane Dingo Dolphin Eagle Falcon Ferret Fox Gazelle "
    "Gecko Gibbon Giraffe Hare Heron Ibex Ibis Jackal Jaguar Kestrel Koala Lemur Leopard Lynx Magpie Marmot Marten "
    "Moose Narwhal Ocelot Octopus Osprey Otter Panda Panther Pelican Penguin Puffin Puma Quokka Raven Salmon Seal "
    "Stork Swan Tapir Tiger Toucan Turtle Walrus Wolf Wombat Zebra"
)
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE | re.ASCII)  # on Windows


class UnfitNameError(ZooError):
    """A name of a person or an activity is not taken."""


_UNUSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
_SAID = {
    ConflictError: (HTTPStatus.CONFLICT, "Another recording has this number."),
    StorageError: (HTTPStatus.INSUFFICIENT_STORAGE, "The computer cannot store it: tell its owner."),
    UnfitNameError: (_UNUSABLE, "The computer takes no such name or activity: choose another one."),
    ZooError: (_UNUSABLE, "The computer cannot use it: record again, or ask its owner why."),
}
"""What phones and the projector are told, by the kind of error, which itself is for who sees the terminal."""


class Minute(NamedTuple):
    """A recording of a collection: its file, person, label, number of samples, and time from the first to the last."""

    file: Path
    person: str
    activity: str
    rows: int
    seconds: float


class Collection:
    """Adds recordings to a folder, each whole and once. With `labels`, only these are taken."""

    def __init__(self, folder: Path, labels: Sequence[str] = ()) -> None:
        self.folder, self.labels = folder, tuple(check_name("label", label) for label in labels)
        self.minutes: dict[str, Minute] = {}
        for path in sorted(folder.glob("*/")):
            remove_leftovers(path)
        for path in sorted(folder.glob("*/*.csv")):
            if (name := _FILE.fullmatch(path.name)) and path.is_file():
                self.minutes[name[1]] = _minute(Table(str(path), io.StringIO(read_text(path), newline="")))

    def add(self, number: str, content: bytes) -> tuple[Minute, bool]:
        """Adds a CSV file in the layout of the phone page, unless that of its `number` was added before.

        Returns the recording, which is on the disk, and whether it is new. Of one that is refused nothing is kept.
        """
        if not _NUMBER.fullmatch(number):
            raise ZooError(f"number {number[:20]!r}: expected 16 digits")
        # What is no UTF-8 is no name and no number either.
        table = Table("the recording", io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=""))
        minute = _minute(table)
        for what, name in (("name", minute.person), ("label", minute.activity)):
            check_name(what, name)
        if self.labels and minute.activity not in self.labels:
            raise UnfitNameError(f"label {minute.activity!r}: expected one of {', '.join(self.labels)}")
        if (earlier := self.minutes.get(number)) is not None:
            # The owner of the folder may have deleted the recording since.
            if earlier.file.is_file() and earlier.file.read_bytes() != content:
                raise ConflictError(f"number {number} is that of another recording: draw another one")
            return earlier, False
        file = self.folder / file_name(minute.person) / f"{file_name(minute.activity)}-{number}.csv"
        _write(file, content, gyroscope=table.names == _LAYOUTS[1])
        self.minutes[number] = minute._replace(file=file)
        return self.minutes[number], True


def check_name(what: str, text: str) -> str:
    """Lets a name or a label of a phone pass that is not too long, and without signs of paths or formulas."""
    allowed = all(_is_letter(sign) or sign in _SIGNS for sign in text)
    # Equal names are equal bytes.
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    if not text or len(text) > MOST_LETTERS or not _is_letter(text[0]) or not allowed or text != plain:
        raise UnfitNameError(
            f"{what} {text[:MOST_LETTERS]!r}: expected up to {MOST_LETTERS} letters, digits, spaces and . _ ' -, a "
            "letter or digit first"
        )
    return text


def _is_letter(sign: str) -> bool:
    """Whether a sign is a letter, a mark on one, or a digit, of any script."""
    return unicodedata.category(sign)[0] in "LMN"


def file_name(name: str) -> str:
    """A part of a path for a name that `check_name` has let pass."""
    plain = "".join(sign if sign in " -" or _is_letter(sign) else "_" for sign in name)
    return f"{plain}_" if _DEVICES.fullmatch(plain) else plain


def _minute(table: Table) -> Minute:
    """Who did what for how long, by the columns of a file in the layout of the phone page."""
    file = table.where
    if table.names not in _LAYOUTS:
        raise ZooError(f"{file}: has the columns {', '.join(table.names)[:200]}; expected {', '.join(_LAYOUTS[0])}")
    if not (rows := [row for block in table.blocks() for row in block]):
        raise ZooError(f"{file}: expected rows of {len(table.names)} fields")
    if len(whose := {(row[-2], row[-1]) for row in rows}) > 1:
        raise ZooError(f"{file}: holds {len(whose)} people or activities; expected one")
    try:
        seconds = float(rows[-1][0]) - float(rows[0][0])
    except ValueError:
        seconds = 0.0
    # It is kept to the millisecond.
    if not 0.001 <= seconds < math.inf:
        raise ZooError(f"{file}: column 'time': expected seconds that rise from row to row")
    ((person, activity),) = whose
    return Minute(Path(file), person, activity, len(rows), round(seconds, 3))


def _write(file: Path, content: bytes, gyroscope: bool) -> None:
    """Writes a recording that the importer can read, so that it is there even after the power fails."""
    # It needs h5py, which the check of an installation does not import.
    from zoo.activity.importing import read_csv

    with atomic_write(file) as temporary:
        temporary.write_bytes(content)
        try:
            list(read_csv(temporary, CsvColumns(gyroscope=gyroscope)))
        except StorageError:
            raise
        except ZooError as error:
            raise ZooError(str(error).replace(str(temporary), "the recording")) from None
    for folder in (file.parent, file.parent.parent):
        # Where a folder cannot be opened, as on Windows, its entries are flushed with the file.
        with suppress(OSError):
            entry = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(entry)
            finally:
                os.close(entry)


class Inbox:
    """Takes recordings of phones that know a token into a collection, and shows each that is new or was refused.

    Labels are `suggested` where any is taken; phones record the channels `axes`.
    """

    def __init__(
        self, token: str, collection: Collection, suggested: Sequence[str], axes: Sequence[str],
        show: Callable[[dict[str, Any]], object],
    ) -> None:  # fmt: skip
        self._token, self.collection, self._suggested, self._axes, self._show = token, collection, suggested, axes, show
        self._given, self._recent, self._turn = set[str](), list[tuple[float, str]](), threading.Lock()

    def routes(self) -> Routes:
        """What phones may ask a server."""
        return {("GET", PATH): (self._token, self._welcome), ("PUT", f"{PATH}*"): (self._token, self._receive)}

    def _welcome(self, *_: object) -> Mapping[str, Any]:
        """What a phone must know before it records."""
        labels = self.collection.labels
        used = (minute.activity for minute in list(self.collection.minutes.values()))
        return {
            "labels": [*(labels or dict.fromkeys([*self._suggested, *used]))], "any_label": not labels,
            "axes": [*self._axes], "pseudonym": self._pseudonym(),
        }  # fmt: skip

    def _pseudonym(self) -> str:
        """An animal and a number, which nobody has and no other phone was given."""
        taken = {minute.person for minute in list(self.collection.minutes.values())} | self._given
        # Two digits, as long as there are enough of them: each page that is opened is given one.
        numbers = 90
        while (name := f"{secrets.choice(_ANIMALS.split())} {10 + secrets.randbelow(numbers)}") in taken:
            numbers += 1
        self._given.add(name)
        return name

    def _receive(self, number: str, content: bytes, address: str) -> Mapping[str, Any]:
        # One after the other: many that are checked at once would all take as long as all of them.
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy: send it again", AGAIN_SECONDS)
        try:
            self._count(address)
            minute, new = self.collection.add(number, content)
        except ZooError as error:
            status, said = next(answer for kind, answer in _SAID.items() if isinstance(error, kind))
            # A phone draws another number by itself.
            if not isinstance(error, ConflictError):
                told = {"reason": str(error), "said": said}
                self._show({"time": f"{datetime.now():%H:%M:%S}", "address": address, **told})
            raise Refusal(status, said) from None
        else:
            if new:
                self._show(event_of(minute) | {"address": address})
        finally:
            self._turn.release()
        return {"seconds": minute.seconds, "new": new}

    def _count(self, address: str) -> None:
        """Counts a recording of an address, which may send so many a minute."""
        now = time.monotonic()
        self._recent = [(moment, who) for moment, who in self._recent if moment > now - 60]
        sent = [moment for moment, who in self._recent if who == address]
        if len(sent) >= _MOST_A_MINUTE:
            again = math.ceil(sent[0] + 60 - now)
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many recordings in a minute: wait", again)
        self._recent.append((now, address))


def event_of(minute: Minute) -> dict[str, Any]:
    """What is shown of a recording."""
    arrived = datetime.fromtimestamp(minute.file.stat().st_mtime)
    rate = round((minute.rows - 1) / minute.seconds, 1)
    return minute._asdict() | {"time": f"{arrived:%H:%M:%S}", "rate_hz": rate, "file": str(minute.file)}
