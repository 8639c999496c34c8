"""What `zoo.label` does: keeps what a person decides, answers the page on which they do, and writes recordings."""

import json
import os
import secrets
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import count, product, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.activity import annotations
from zoo.activity.annotations import Answers, Change, Span, read_answers
from zoo.activity.checks import folded
from zoo.activity.columns import CsvColumns
from zoo.activity.importing import import_csv, marks_of_copy
from zoo.activity.sources import all_read_as, find_sources, has_acceleration
from zoo.activity.tables import close_archive, digest, modified
from zoo.errors import COMMAND, ZooError, option
from zoo.files import new_file, sha256
from zoo.jobs import Terminated
from zoo.labeling.day import Day, Stretch, apply, disputed, queue, renewed, spans, with_notes
from zoo.labeling.signal import Signal, open_signal
from zoo.report import markdown
from zoo.report.screen import quiet, say, warn
from zoo.runtime.metadata import CLASSES
from zoo.serving.certificate import LOCAL
from zoo.serving.collection import check_name, file_name
from zoo.serving.server import LABEL, PAGE_FOLDER, Answer, PageServer, Refusal, Routes, built_files

if TYPE_CHECKING:
    from zoo.labeling.proposals import Proposer, Read

ENOUGH = 20
"""Answers from which the model learns."""
_TIMES = {"rate", "time", "time_unit"}
"""What of the columns says when a row was measured."""
_SAVED = ".saved"
"""The file in the folder of answers with the digest of the recordings that were written last."""

Event = Callable[[dict[str, Any]], None]
Journals = Sequence[tuple[Path, Answers]]
"""Tables of answers that are in the folder of answers already."""


@dataclass
class Track:
    """A recording that is being labeled: its signal, its person, the days so far, where they are kept, and proposals.

    `version` counts what happened to it: who has seen another one decides nothing. `changes` are those of the journal
    since nothing was decided, also before this session. `whole` is proposed by the model alone, and `proposals` with
    the notes. `seen` is what the page enlarges, unless that is most of it.
    """

    signal: Signal
    subject: str
    modified: float
    folder: Path
    days: tuple[Day, ...] = ((),)
    version: int = 0
    journal: Path | None = None
    changes: list[Change] = field(default_factory=list)
    whole: Day = ()
    proposals: list[Stretch] = field(default_factory=list)
    reads: "list[Read]" = field(default_factory=list)
    seen: list[tuple[float, float]] = field(default_factory=list)

    @property
    def day(self) -> Day:
        """The day as it is now."""
        return self.days[-1]

    def keep(self, days: tuple[Day, ...], *, undone: bool = False) -> None:
        """Writes what is decided into the folder of a person, or nothing if nothing is, and goes on with the days."""
        before, decided = {*spans(self.day)}, {*spans(days[-1])}
        if decided != before:
            signal, change = self.signal, (sorted(before - decided), sorted(decided - before))
            if modified(signal.file) != self.modified and digest(signal.file) != signal.sha256:
                raise ZooError(f"{signal.file}: has changed since it was opened: start `zoo label` again")
            changes, path = self.changes[:-1] if undone else [*self.changes, change], self.journal or self._path()
            answers = Answers(signal.file, signal.sha256, self.subject, signal.columns, spans(days[-1]))
            annotations.write_answers(path, answers, changes)
            self.journal, self.changes = path if decided else None, changes
        self.days, self.version = days, self.version + 1

    def _path(self) -> Path:
        """A new journal, which bears the time at which the recording began."""
        began, signal = datetime.fromtimestamp(self.modified), self.signal
        if signal.date and signal.clock is not None:
            began = datetime.fromisoformat(signal.date) + timedelta(seconds=signal.clock)
        names = (f"{began:%Y-%m-%d-%H%M%S}{f'-{number}' * (number > 1)}.csv" for number in count(1))
        return next(path for name in names if not (path := self.folder / file_name(self.subject) / name).exists())

    def resume(self, journals: Journals) -> None:
        """Takes up earlier answers of its person. Those that somebody else has written since cannot be undone."""
        for path, answers in journals:
            if not self.journal and (answers.subject, answers.sha256) == (self.subject, self.signal.sha256):
                self.journal, self.days, self.changes = path, (self._of(answers.spans),), annotations.read_changes(path)

    def _of(self, decided: Iterable[Span]) -> Day:
        """A day of which this is decided."""
        labeled = tuple(Stretch(one.start, one.end, label=one.activity, decided=one.decided) for one in decided)
        return renewed(labeled, self.proposals, self.signal.bounds)

    def undone(self) -> tuple[Day, ...]:
        """The days before the last action; of an earlier session, the journal's changes alone are known."""
        if len(self.days) > 1:
            return self.days[:-1]
        if not self.changes:
            raise ZooError("nothing to undo")
        removed, added = self.changes[-1]
        return (self._of(sorted({*spans(self.day)} - {*added} | {*removed})),)


class Session:
    """What several recordings are labeled as. Each change is in a folder before it is answered.

    Threads of the server share it. `drawn` is set as soon as a page has drawn a signal.
    """

    def __init__(self, signals: Sequence[Signal], kept: Journals, folder: Path, out: Path | None, force: bool) -> None:
        self.folder, self.out, self._force, self._kept = folder, out, force, kept
        self._lock, self._learning, self.drawn = threading.RLock(), threading.Lock(), threading.Event()
        self.tracks = [Track(signal, signal.subject, modified(signal.file), folder) for signal in signals]
        self.state = "loading the model"
        self._proposer: Proposer | None = None
        # The keyboard of a phone begins a note with a capital letter.
        self._words = {name: name for name in CLASSES}
        for signal in signals:
            spelled = [self._words.setdefault(folded(note.activity), note.activity) for note in signal.notes]
            signal.notes = [note._replace(activity=word) for note, word in zip(signal.notes, spelled, strict=True)]
        for track in self.tracks:
            self._renew(track, [])
            people = {answers.subject for _, answers in kept if answers.sha256 == track.signal.sha256}
            track.subject = track.subject or (people.pop() if len(people) == 1 else "")
            if track.subject:
                check_name(f"{track.signal.file}: person", track.subject)
                track.resume(kept)

    def name_person(self, subject: str) -> list[str]:
        """Says whose the recordings are that do not say so, and takes up what was decided about them earlier.

        Returns what is doubtful, such as names of files that say otherwise.
        """
        check_name("person", subject)
        with self._lock:
            if not (unnamed := [track for track in self.tracks if not track.subject]):
                raise ZooError(f"these recordings are of {self.tracks[0].subject} already")
            for track in unnamed:
                track.subject = subject
                track.resume(self._kept)
            return all_read_as("subject", subject, [track.signal.file for track in unnamed])

    def act(self, number: str, action: Mapping[str, Any]) -> dict[str, Any]:
        """Does what a person wants to a recording, and returns it as it is then."""
        with self._lock:
            track, wanted = self.tracks[int(number)], dict(action)
            if not track.subject:
                raise ZooError("nobody has said whose recording this is: name the person first")
            if wanted.pop("version") != track.version:
                raise Refusal(HTTPStatus.CONFLICT, "something changed meanwhile, as in another tab: look again")
            undone = wanted["do"] == "undo"
            days = track.undone() if undone else (*track.days, apply(track.day, wanted))
            track.keep(days, undone=undone)
            return self.shown(number)

    def see(self, number: str, view: Mapping[str, float]) -> dict[str, Any]:
        """Notes what a page has drawn, which is proposed first, and returns the recording as it is now."""
        track, seen = self.tracks[int(number)], (view["start"], view["end"])
        track.seen = [seen] if seen[1] - seen[0] < track.signal.seconds / 2 else []
        self.drawn.set()
        return self.shown(number)

    def _renew(self, track: Track, proposals: Sequence[Stretch], judged: Sequence[Stretch] | None = None) -> None:
        """Proposes anew what is not decided, and asks about what is, if that was judged."""
        track.whole = renewed((), proposals, track.signal.bounds)
        track.proposals = with_notes(track.whole, track.signal.notes, self._proposer.classes if self._proposer else ())
        days = [renewed(disputed(day, judged or ()), track.proposals, track.signal.bounds) for day in track.days]
        # What is learned from answers of this session is undone before them.
        earlier = track.days if judged is not None and len(days) > 1 else days[:-1]
        track.keep((*earlier, days[-1]))

    def propose(self, model: str | os.PathLike[str], *, at_once: bool = True) -> None:
        """Loads a model, and proposes labels for one recording after the other, first for what is in view."""
        # A page that is being drawn would wait for the imports of a model.
        self.drawn.wait(0 if at_once else None)
        try:
            from zoo.labeling.proposals import Proposer

            proposer = Proposer(model)
            for number, track in enumerate(self.tracks, 1):
                self.state = f"reading recording {number} of {len(self.tracks)}"
                for span in (*track.seen, (0.0, np.inf)):
                    reads = list(proposer.read(track.signal.between(*span)))
                    proposals = proposer.propose(reads)
                    with self._lock:
                        track.reads, self._proposer = reads, proposer
                        self._renew(track, proposals)
            self.state = ""
        except Exception as error:
            # Labels can be given without proposals.
            self.state = f"no proposals: {error}"

    def learn(self) -> dict[str, Any]:
        """Trains the last layer on what was decided, which is judged, and proposes anew what was not."""
        with self._learning:
            proposer, days = self._proposer, [track.day for track in self.tracks]
            if proposer is None or self.state:
                raise ZooError(f"the model is not ready: {self.state or 'wait a moment'}")
            reads = [track.reads for track in self.tracks]
            learned, judged = proposer.learn(reads, days), proposer.judge(reads, days)
            proposals = [proposer.propose(read) for read in reads]
            with self._lock:
                for parts in zip(self.tracks, proposals, judged, strict=True):
                    self._renew(*parts)
                return learned | {"disputed": sum(one.disputed for track in self.tracks for one in track.day)}

    @property
    def labeled(self) -> list[Path]:
        """The journals in which something has a label."""
        return [each.journal for each in self.tracks if each.journal and any(one.label for one in each.day)]

    def save(self) -> dict[str, Any]:
        """Writes what is decided as recordings; returns their file, number, and what is doubtful."""
        if not (labeled := self.labeled):
            raise ZooError("nothing has a label yet: decide about some stretches first")
        assert self.out is not None
        # The page may save while the command ends.
        with self._lock:
            made = import_csv([(path, CsvColumns()) for path in labeled], self.out, force=self._force)
            self._force = True
            (self.folder / _SAVED).write_text(sha256(self.out))
        return {"saved": str(self.out), "recordings": made.recordings, "warnings": made.doubts}

    def write_tracks(self, programs: Sequence[str]) -> Iterator[Path]:
        """Writes what is decided for other programs, next to the answers; returns each file that is written."""
        for track, program in product(self.tracks, programs):
            if track.journal:
                yield annotations.write_track(track.journal, spans(track.day), program)

    def overview(self) -> dict[str, Any]:
        """What the page shows of all recordings."""
        about = [track.signal.about | {"subject": track.subject} for track in self.tracks]
        return {"recordings": about, "folder": str(self.folder), "out": self.out and str(self.out)}

    def shown(self, number: str | int) -> dict[str, Any]:
        """What the page shows of one recording."""
        with self._lock:
            track, model = self.tracks[int(number)], self._proposer
            labels = [stretch.label for each in self.tracks for stretch in each.day]
            words = [*dict.fromkeys([*self._words.values(), *(model.classes if model else ()), *filter(None, labels)])]
            return {
                "version": track.version, "subject": track.subject, "words": words, "state": self.state,
                "missing": max(0, min(labels.count(None), ENOUGH - len(labels) + labels.count(None))),
                "threshold": (model and model.metadata.threshold) or 0.0,
                "undo": bool(len(track.days) > 1 or track.changes),
                "stretches": [{**vars(one), "sure": one.sure, "contradicts": one.contradicts} for one in track.day],
                "whole": [vars(one) for one in track.whole], "queue": queue(track.day),
            }  # fmt: skip

    def routes(self, token: str) -> Routes:
        """What the page may ask a server."""

        def answer(respond: Callable[[str, dict[str, Any]], Mapping[str, Any] | bytes]) -> tuple[str, Answer]:
            return token, lambda name, body, _: respond(name, json.loads(body or b"{}"))

        return {
            ("GET", "/label/recordings"): answer(lambda *_: self.overview()),
            ("GET", "/label/signal/*"): answer(lambda number, _: self.tracks[int(number)].signal.rows()),
            ("GET", "/label/day/*"): answer(lambda number, _: self.shown(number)),
            ("PUT", "/label/day/*"): answer(self.act),
            ("PUT", "/label/view/*"): answer(self.see),
            ("PUT", "/label/person"): answer(lambda _, told: {"doubts": self.name_person(told["person"])}),
            ("POST", "/label/learning"): answer(lambda *_: self.learn()),
            ("POST", "/label/saving"): answer(lambda *_: self.save()),
        }


def open_session(
    recordings: Sequence[str | Path], columns: CsvColumns, folder: Path, out: Path | None, *, force: bool = False,
    layout: str | None = None,
) -> tuple[Session, list[str]]:  # fmt: skip
    """Opens recordings, each with what was decided about it, and what is doubtful about them.

    `out` must be new, or what these answers were saved as. Files that are not named are left out if they are no tables.
    """
    if out is not None:
        mark = folder / _SAVED
        # It is written at the end.
        with new_file(out, force=True):
            force = force or (out.is_file() and mark.is_file() and mark.read_text() == sha256(out))
        if out.is_file() and not force:
            cure = f"choose another name, or pass {option('force')}; answers in {folder} are kept"
            raise ZooError(f"{out}: exists already, and was not saved from {folder}: {cure}")
    sources, doubts = find_sources([*recordings], columns, layout)
    # The folder of answers may lie among the recordings.
    files = [(file, how) for file, how in sources if isinstance(file, Path) and read_answers(file) is None]
    strange = [file for file, how in files if file not in map(Path, recordings) and not has_acceleration(file, how)]
    if 0 < len(strange) < len(files):
        files = [(file, how) for file, how in files if file not in strange]
        doubts.append(f"left out, as no acceleration can be read in them: {len(strange)}, such as {strange[0]}")
    opened = [open_signal(file, how, folder) for file, how in sorted(files, key=marks_of_copy)]
    close_archive()
    first = {signal.sha256: signal for signal in reversed(opened)}
    copies = [signal for signal in opened if signal is not first[signal.sha256]]
    doubts += [f"{one.file}: left out, as it is a copy of {first[one.sha256].file}" for one in copies]
    signals = [signal for signal in opened if signal is first[signal.sha256]]
    journals = [(path, found) for path in sorted(folder.glob("*/*.csv")) if (found := read_answers(path))]
    return Session(signals, journals, folder, out, force), [*doubts, *_doubts(signals, journals)]


def _doubts(signals: Sequence[Signal], journals: Journals) -> list[str]:
    """What is doubtful about earlier answers; refuses recordings with other times, to which their labels would move."""
    doubts, labeled = list[str](), {answers.sha256 for _, answers in journals}
    for signal, (path, answers) in product(signals, journals):
        if answers.sha256 == signal.sha256 and signal.subject in ("", answers.subject):
            made, now = (one.columns.model_dump(include=_TIMES, exclude_defaults=True) for one in (answers, signal))
            if made != now:
                given = " ".join(starmap(option, made.items())) or f"no {' '.join(map(option, now))}"
                raise ZooError(f"{signal.file}: was labeled in {path} with {given}: pass the same, or labels may move")
        elif signal.sha256 not in labeled and answers.file.resolve() == signal.file.resolve():
            doubts.append(f"{signal.file}: has changed since it was labeled in {path}, which is kept")
    return doubts


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
            begun = "continued" if track.journal else "new" if track.subject else "of whom the page asks"
            say(f"{track.signal.line}; answers in {session.folder.resolve()}: {begun}", "note")
        url = f"http://{LOCAL[1]}:{server.port}/{LABEL}#{token}"
        (on_event or _show_address)({"url": url, "recordings": len(session.tracks)})
        sys.stdout.flush()
        threading.Thread(target=session.propose, args=[model], kwargs={"at_once": False}, daemon=True).start()
        try:
            # What the libraries of the model print meanwhile is of no use to anybody.
            with quiet() if COMMAND in os.environ else nullcontext():
                server.serve_forever()
        except KeyboardInterrupt as stop:
            # What keeps the one from being written does not keep the other.
            try:
                for path in session.write_tracks(tracks):
                    say(f"wrote {path}", "note")
            finally:
                if session.out is not None and session.labeled:
                    (on_event or _show_saved)(session.save())
                elif session.out is not None:
                    say(f"nothing has a label yet: {session.out} is not written", "note")
            say("stopped")
            if isinstance(stop, Terminated):
                raise SystemExit(stop.status) from None


def _show_address(document: dict[str, Any]) -> None:
    print(f"Open {document['url']} in a browser on this computer.\nEvery answer is kept. Ctrl-C stops.")


def _show_saved(document: dict[str, Any]) -> None:
    for warning in document["warnings"]:
        warn(warning)
    say(f"{markdown.count(document['recordings'], 'labeled stretch')} in {document['saved']}", "ok")
    say(f"next: zoo data windows {shlex.quote(document['saved'])} -o data3.h5 --test-fraction 0", "note")
