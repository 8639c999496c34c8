"""What `zoo.label` does: keeps what a person decides, answers the page on which they do, and writes recordings."""

import json
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import count, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.activity.annotations import TRACKS, Answers, Span, answers_text, read_answers, track_text
from zoo.activity.columns import CsvColumns
from zoo.activity.sources import all_read_as, find_sources
from zoo.activity.tables import close_archive, digest, is_zip
from zoo.errors import COMMAND, StorageError, ZooError
from zoo.files import atomic_write, new_file, read_json, sha256, write_json
from zoo.jobs import Terminated
from zoo.labeling.day import Day, Stretch, apply, disputed, queue, renewed, spans, with_notes
from zoo.labeling.signal import Signal, open_signal
from zoo.report.screen import quiet, say, warn
from zoo.runtime.metadata import CLASSES
from zoo.serving.certificate import LOCAL
from zoo.serving.collection import check_name, file_name
from zoo.serving.server import LABEL, PAGE_FOLDER, Answer, PageServer, Refusal, Routes, built_files

if TYPE_CHECKING:
    from zoo.labeling.proposals import Proposer, Read

ENOUGH = 20
"""Answers from which the model learns."""
Change = tuple[list[Span], list[Span]]
"""What an answer took out of a journal, and what it put there."""
_MOST_COLUMNS = 8192
_UNDO = ".undo.json"

Event = Callable[[dict[str, Any]], None]


@dataclass
class Track:
    """A recording that is being labeled: its signal, its person, the days so far, where they are kept, and proposals.

    `version` counts what happened to it: who has seen another one decides nothing. `changes` are those of the journal
    since nothing was decided, also before this session. `seen` is what the page enlarges, unless that is most of it.
    """

    signal: Signal
    columns: CsvColumns
    modified: tuple[int, int]
    subject: str
    days: tuple[Day, ...] = ((),)
    version: int = 0
    journal: Path | None = None
    changes: list[Change] = field(default_factory=list)
    proposals: list[Stretch] = field(default_factory=list)
    reads: "list[Read]" = field(default_factory=list)
    seen: list[tuple[float, float]] = field(default_factory=list)

    @property
    def day(self) -> Day:
        """The day as it is now."""
        return self.days[-1]


class Session:
    """What several recordings are labeled as. Each change is in a folder before it is answered.

    Threads of the server share it. `drawn` is set as soon as a page draws a signal.
    """

    def __init__(
        self, signals: Sequence[tuple[Signal, CsvColumns]], folder: Path, out: Path | None, force: bool
    ) -> None:  # fmt: skip
        self._folder, self.out, self._force = folder, out, force
        self._lock, self._learning, self.drawn = threading.RLock(), threading.Lock(), threading.Event()
        self.tracks = [Track(signal, how, _modified(signal.file), signal.subject) for signal, how in signals]
        self.model, self.state = "", "loading the model"
        self._proposer: Proposer | None = None
        self.words: list[str] = []
        self._add_words(CLASSES)
        self._add_words(note.activity for track in self.tracks for note in track.signal.notes)
        for track in self.tracks:
            self._renew(track, [])
        self.doubts = self._resume([track for track in self.tracks if track.subject])

    def _add_words(self, words: Any) -> None:
        self.words += [word for word in dict.fromkeys(words) if word and word not in self.words]

    def name_person(self, subject: str) -> list[str]:
        """Says whose the recordings are that do not say so, and takes up what was decided about them earlier.

        Returns what is doubtful, such as answers about a recording that has changed.
        """
        check_name("person", subject)
        with self._lock:
            if not (unnamed := [track for track in self.tracks if not track.subject]):
                raise ZooError(
                    f"these recordings are of {', '.join(sorted({track.subject for track in self.tracks}))} already"
                )
            for track in unnamed:
                track.subject = subject
            doubts = all_read_as("subject", subject, [track.signal.file for track in unnamed])
            return [*doubts, *self._resume(unnamed)]

    def _resume(self, tracks: Sequence[Track]) -> list[str]:
        """Takes up the answers about recordings, wherever these lie by now."""
        doubts = list[str]()
        for track in tracks:
            check_name(f"{track.signal.file}: person", track.subject)
            folder, doubt = self._folder / file_name(track.subject), ""
            for path in sorted(folder.glob("*.csv")):
                answers = read_answers(path)
                if answers is None or answers.subject != track.subject:
                    continue
                if answers.sha256 == track.signal.sha256:
                    track.journal, track.changes, doubt = path, _changes_of(path), ""
                    self._add_words(span.activity for span in answers.spans)
                    track.days = (_as_of(track, answers.spans),)
                    break
                if answers.file.resolve() == track.signal.file.resolve():
                    doubt = f"{track.signal.file}: has changed since it was labeled in {path}, which is kept"
            doubts += [doubt] if doubt else []
        return doubts

    def _journal_of(self, track: Track) -> Path:
        if track.journal is not None:
            return track.journal
        began, signal = datetime.fromtimestamp(track.modified[0] / 1e9), track.signal
        if signal.date and signal.clock is not None:
            began = datetime.fromisoformat(signal.date) + timedelta(seconds=signal.clock)
        folder, name = self._folder / file_name(track.subject), f"{began:%Y-%m-%d-%H%M%S}"
        names = (f"{name}-{number}" if number > 1 else name for number in count(1))
        return next(path for path in (folder / f"{each}.csv" for each in names) if not path.exists())

    def _keep(self, track: Track, days: tuple[Day, ...], *, undone: bool = False) -> None:
        """Writes the answers about a recording, or none if nothing is decided, and goes on with them."""
        before, decided = spans(track.day), spans(days[-1])
        if decided != before:
            change = sorted({*before} - {*decided}), sorted({*decided} - {*before})
            self._write(track, decided, track.changes[:-1] if undone else [*track.changes, change])
        track.days, track.version = days, track.version + 1

    def _write(self, track: Track, decided: tuple[Span, ...], changes: list[Change]) -> None:
        if _modified(track.signal.file) != track.modified and digest(track.signal.file) != track.signal.sha256:
            raise ZooError(f"{track.signal.file}: has changed since it was opened: start `zoo label` again")
        path = self._journal_of(track)
        if decided:
            file = track.signal.file
            answers = Answers(file, track.signal.sha256, track.subject, track.columns, decided)
            with atomic_write(path) as temporary:
                temporary.write_text(answers_text(answers, path.parent), encoding="utf-8")
                # The journal gets its name last. If it gets none, the changes do not belong to the one that is there.
                write_json(path.with_suffix(_UNDO), {"journal_sha256": sha256(temporary), "changes": changes})
        else:
            path.unlink(missing_ok=True)
            path.with_suffix(_UNDO).unlink(missing_ok=True)
        track.journal, track.changes = path if decided else None, changes

    def act(self, number: str | int, action: Mapping[str, Any]) -> dict[str, Any]:
        """Does what a person wants to a recording, and returns it as it is then."""
        with self._lock:
            track = self._track(number)
            if not track.subject:
                raise ZooError("nobody has said whose recording this is: name the person first")
            if action.get("version") != track.version:
                raise Refusal(HTTPStatus.CONFLICT, "something changed meanwhile, as in another tab: look again")
            wanted = {name: value for name, value in action.items() if name != "version"}
            undone = wanted.get("do") == "undo"
            self._keep(track, _undone(track) if undone else (*track.days, apply(track.day, wanted)), undone=undone)
            self._add_words(one.label for one in track.day)
            return self.shown(number)

    def _track(self, number: str | int) -> Track:
        if (found := {str(place): track for place, track in enumerate(self.tracks)}.get(str(number))) is None:
            raise ZooError(f"recording {str(number)[:20]!r}: expected a number below {len(self.tracks)}")
        return found

    def _renew(self, track: Track, proposals: Sequence[Stretch], judged: Sequence[Stretch] | None = None) -> None:
        """Proposes anew what is not decided, and asks about what is, if that was judged."""
        whole = renewed((), proposals, track.signal.bounds)
        words = self.words if self._proposer is None else self._proposer.classes
        track.proposals = with_notes(whole, track.signal.notes, words)
        days = [renewed(disputed(day, judged or ()), track.proposals, track.signal.bounds) for day in track.days]
        # What is learned from answers of this session is undone before them.
        self._keep(track, (*(track.days if judged is not None and len(days) > 1 else days[:-1]), days[-1]))

    def propose(self, model: str | os.PathLike[str], *, at_once: bool = True) -> None:
        """Loads a model, and proposes labels for one recording after the other, first for what is in view."""
        # A page that is being drawn would wait for the imports of a model.
        self.drawn.wait(0 if at_once else None)
        try:
            from zoo.labeling.proposals import Proposer

            proposer = Proposer(model)
            self.model = proposer.name
            for number, track in enumerate(self.tracks, 1):
                self.state = f"reading recording {number} of {len(self.tracks)}"
                for span in (*track.seen, (0.0, np.inf)):
                    reads = list(proposer.read(track.signal.between(*span)))
                    proposals = proposer.propose(reads)
                    with self._lock:
                        track.reads, self._proposer = reads, proposer
                        self._renew(track, proposals)
            self._add_words(proposer.classes)
            self.state = ""
        except Exception as error:
            # Labels can be given without proposals.
            self.state = f"no proposals: {error}"

    def learn(self) -> dict[str, Any]:
        """Trains the last layer on what was decided, which is judged, and proposes anew what was not."""
        with self._learning:
            with self._lock:
                proposer, days = self._proposer, [track.day for track in self.tracks]
            if proposer is None or self.state:
                raise ZooError(f"the model is not ready: {self.state or 'wait a moment'}")
            if self.answers < ENOUGH:
                raise ZooError(f"{self.answers} answers; the model learns from {ENOUGH} or more")
            reads = [track.reads for track in self.tracks]
            learned, judged = proposer.learn(reads, days), proposer.judge(reads, days)
            proposals = [proposer.propose(read) for read in reads]
            with self._lock:
                for parts in zip(self.tracks, proposals, judged, strict=True):
                    self._renew(*parts)
                return learned | {"disputed": sum(one.disputed for track in self.tracks for one in track.day)}

    def save(self) -> dict[str, Any]:
        """Writes what is decided as recordings; returns their file, number, and what is doubtful."""
        # It needs h5py, which nothing else here does.
        from zoo.activity.importing import import_csv

        if self.out is None:
            raise ZooError("no file was named for recordings: the answers are in the folder, which can be cut as it is")
        with self._lock:
            labeled = [track.journal for track in self.tracks if track.journal and any(one.label for one in track.day)]
        if not labeled:
            raise ZooError("nothing has a label yet: decide about some stretches first")
        made = import_csv([(path, CsvColumns()) for path in labeled], self.out, force=self._force)
        self._force = True
        return {"saved": str(self.out), "recordings": made.recordings, "warnings": made.doubts}

    def write_tracks(self, programs: Sequence[str]) -> Iterator[Path]:
        """Writes what is decided for other programs, next to the answers; returns each file that is written."""
        for track, program in product((each for each in self.tracks if each.journal), programs):
            path = self._journal_of(track).with_suffix(TRACKS[program])
            with atomic_write(path) as temporary:
                temporary.write_text(track_text(spans(track.day), program), encoding="utf-8")
            yield path

    @property
    def answers(self) -> int:
        """The number of stretches that are decided."""
        return sum(one.label is not None for track in self.tracks for one in track.day)

    def overview(self) -> dict[str, Any]:
        """What the page shows of all recordings."""
        return {
            "recordings": [
                {"file": str(one.file), "subject": track.subject, "line": one.line, "date": one.date,
                 "clock": one.clock, "seconds": one.seconds, "parts": one.bounds, **one.marks()}
                for track in self.tracks for one in [track.signal]
            ],
            "folder": str(self._folder), "out": None if self.out is None else str(self.out), "enough": ENOUGH,
        }  # fmt: skip

    def shown(self, number: str | int) -> dict[str, Any]:
        """What the page shows of one recording."""
        with self._lock:
            track = self._track(number)
            return {
                "version": track.version, "subject": track.subject, "words": self.words, "state": self.state,
                "model": self.model, "answers": self.answers, "undo": bool(len(track.days) > 1 or track.changes),
                "threshold": 0.0 if self._proposer is None else self._proposer.metadata.threshold or 0.0,
                "stretches": [{**vars(one), "sure": one.sure, "contradicts": one.contradicts} for one in track.day],
                "queue": queue(track.day),
            }  # fmt: skip

    def routes(self, token: str) -> Routes:
        """What the page may ask a server."""

        def answer(respond: Callable[[str, dict[str, Any]], Mapping[str, Any]]) -> tuple[str, Answer]:
            def answering(name: str, body: bytes, _: str) -> Mapping[str, Any]:
                try:
                    return respond(name, _document(body))
                except StorageError as error:
                    raise Refusal(HTTPStatus.INSUFFICIENT_STORAGE, f"{error}: nothing was changed") from None
                except ZooError as error:
                    raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None

            return token, answering

        return {
            ("GET", "/label/recordings"): answer(lambda *_: self.overview()),
            ("GET", "/label/day/*"): answer(lambda name, _: self.shown(name)),
            ("PUT", "/label/day/*"): answer(self.act),
            ("GET", "/label/signal/*"): answer(lambda name, _: self._envelope(name)),
            ("PUT", "/label/person"): answer(lambda _, told: {"doubts": self.name_person(str(told.get("person", "")))}),
            ("POST", "/label/learning"): answer(lambda *_: self.learn()),
            ("POST", "/label/saving"): answer(lambda *_: self.save()),
        }

    def _envelope(self, name: str) -> Mapping[str, Any]:
        try:
            number, *numbers = name.split(":")
            start, end, columns = map(float, numbers)
        except ValueError:
            raise ZooError(f"signal {name[:40]!r}: expected NUMBER:START:END:COLUMNS") from None
        if not (np.isfinite([start, end]).all() and start < end and 1 <= columns <= _MOST_COLUMNS):
            raise ZooError(f"signal {name[:40]!r}: expected a span, and 1 to {_MOST_COLUMNS} columns")
        track = self._track(number)
        track.seen = [(start, end)] if end - start < track.signal.seconds / 2 else []
        self.drawn.set()
        return track.signal.envelope(start, end, int(columns))


def _as_of(track: Track, decided: Iterable[Span]) -> Day:
    """A day of which this is decided."""
    labeled = tuple(Stretch(one.start, one.end, label=one.activity, decided=one.decided) for one in decided)
    return renewed(labeled, track.proposals, track.signal.bounds)


def _undone(track: Track) -> tuple[Day, ...]:
    """The days before the last action; of an earlier session, the journal's changes alone are known."""
    if len(track.days) > 1:
        return track.days[:-1]
    if not track.changes:
        raise ZooError("nothing to undo")
    removed, added = track.changes[-1]
    return (_as_of(track, sorted({*spans(track.day)} - {*added} | {*removed})),)


def _changes_of(journal: Path) -> list[Change]:
    """The changes up to a journal; none if somebody else has written it since."""
    try:
        document = read_json(journal.with_suffix(_UNDO))
        if document["journal_sha256"] != sha256(journal):
            return []
        changes = document["changes"]
        return [([Span(*row) for row in removed], [Span(*row) for row in added]) for removed, added in changes]
    except (ZooError, LookupError, TypeError, ValueError):
        return []


def _document(body: bytes) -> dict[str, Any]:
    """What a request says; one without a body says nothing."""
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ZooError("the request is no JSON document")
    return document


def _modified(file: Path) -> tuple[int, int]:
    """When a file, or the zip file that it is in, was last changed, and its size."""
    real = next(filter(is_zip, file.parents), file)
    with suppress(OSError):
        return (state := real.stat()).st_mtime_ns, state.st_size
    return 0, 0


def open_session(
    recordings: Sequence[str | Path], columns: CsvColumns, folder: Path, out: Path | None, *, force: bool = False,
    layout: str | None = None,
) -> tuple[Session, list[str]]:  # fmt: skip
    """Opens recordings, each with what was decided about it, and what is doubtful about them; `out` must be free."""
    with nullcontext() if out is None else new_file(out, force):
        # It is written at the end.
        pass
    sources, doubts = find_sources([*recordings], columns, layout)
    files = [(file, how) for file, how in sources if isinstance(file, Path)]
    # The folder of answers may lie among the recordings.
    opened = [(open_signal(file, how, folder), how) for file, how in files if read_answers(file) is None]
    close_archive()
    session = Session(opened, folder, out, force)
    return session, [*doubts, *session.doubts]


def serve(
    session: Session, model: str | os.PathLike[str], port: int, *, tracks: Sequence[str], on_event: Event | None
) -> None:
    """Serves the page until an interruption, and then writes the recordings; arguments are those of `zoo.label`."""
    files = {path: file for path, file in built_files().items() if path.startswith(("/assets/", "/icons/"))}
    files[f"/{LABEL}"] = PAGE_FOLDER / f"{LABEL}.html"

    token = secrets.token_urlsafe(18)
    # For this computer alone, and for who knows the token of the address.
    with PageServer(files, LOCAL[1], port, None, session.routes(token)) as server:
        server.hosts = frozenset(f"{name}:{server.port}" for name in LOCAL[:2])
        for track in session.tracks:
            say(track.signal.line, "note")
        url = f"http://{LOCAL[1]}:{server.port}/{LABEL}#{token}"
        (on_event or _show_address)({"url": url, "recordings": len(session.tracks)})
        sys.stdout.flush()
        threading.Thread(target=session.propose, args=[model], kwargs={"at_once": False}, daemon=True).start()
        try:
            # What the libraries of the model print meanwhile is of no use to anybody.
            with quiet() if COMMAND in os.environ else nullcontext():
                server.serve_forever()
        except KeyboardInterrupt as stop:
            if session.out is not None and any(one.label for track in session.tracks for one in track.day):
                (on_event or _show_saved)(session.save())
            elif session.out is not None:
                say(f"nothing has a label yet: {session.out} is not written", "note")
            for path in session.write_tracks(tracks):
                say(f"wrote {path}", "note")
            say("stopped")
            if isinstance(stop, Terminated):
                raise SystemExit(stop.status) from None


def _show_address(document: dict[str, Any]) -> None:
    print(f"Open {document['url']} in a browser on this computer.\nEvery answer is kept. Ctrl-C stops.")


def _show_saved(document: dict[str, Any]) -> None:
    for warning in document["warnings"]:
        warn(warning)
    say(f"{document['recordings']} recordings in {document['saved']}", "ok")
