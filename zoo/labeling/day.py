"""A recording that is being labeled, as plain data, and what a person does to it.

A day is divided into stretches without a gap or an overlap, but for the gaps of the recording. Each stretch has a guess
of a model, perhaps a note of the app, and a label as soon as it is decided. What a person does makes a new day of one,
and changes nothing:

    day = apply(day, {"do": "label", "at": 3, "label": "walking"})
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from zoo.activity.annotations import CHECKED, Span
from zoo.activity.recordings import misnamed
from zoo.errors import ZooError

DIGITS = 3
"""Decimals of the edges of stretches in seconds: as many as the journal has."""
SHORTEST = 0.2
"""Seconds of the shortest stretch."""
SURE = 0.95
"""Confidence from which a proposal need not be checked: see `zoo.labeling.proposals`."""
_NEAR = 5.0
"""Seconds by which a note is early or late: it is moved to a change that the model sees."""
_LONG = 3.0
"""Seconds of the shortest stretch that is proposed."""
_DOUBT, _DOUBTED = 0.7, 8.0
"""Confidence in another label, and seconds, from which a label is doubted: see benchmarks/labeling.py."""

PERSON, NOTE, PROPOSAL = "person", "note", "proposal"
"""Who decides; of a person who kept a label or chose one in spite of a model, the journal adds `CHECKED`."""


@dataclass(frozen=True)
class Stretch:
    """A part of a recording, from `start` to `end` in seconds, with one label.

    The model's `guess` has a `confidence`, and the app a `note`; both are empty where there is none. `label` is None
    until it is `decided`, and empty where it is left out. It is `disputed` where a model that has not learned from it
    guesses another label, until a person has decided about that.
    """

    start: float
    end: float
    guess: str = ""
    confidence: float = 0.0
    note: str = ""
    label: str | None = None
    decided: str = ""
    disputed: bool = False

    @property
    def proposal(self) -> str:
        """The label that is proposed: the note's, as its author was there, or the guess."""
        return self.note or self.guess

    @property
    def seconds(self) -> float:
        """The length."""
        return self.end - self.start

    @property
    def contradicts(self) -> bool:
        """Whether the model does not see what the note says."""
        return self.note != "" and self.guess not in ("", self.note)

    @property
    def sure(self) -> bool:
        """Whether a proposal can be accepted without a look."""
        return self.proposal != "" and not self.contradicts and self.confidence >= SURE


Day = tuple[Stretch, ...]
"""Stretches in their order."""

Action = Mapping[str, Any]
"""What a person does: `do` is a name of `ACTIONS`, and the others are its arguments."""


def apply(day: Day, action: Action) -> Day:
    """The day after an action of a person.

    Raises:
        ZooError: If there is no such stretch, or the action is not possible there.

    Example:
        >>> day = (Stretch(0.0, 60.0, "walking", 0.9), Stretch(60.0, 90.0, "sitting", 0.5))
        >>> day = apply(apply(day, {"do": "accept", "at": 0}), {"do": "split", "at": 1, "time": 70.0})
        >>> [(stretch.end, stretch.label) for stretch in day]
        [(60.0, 'walking'), (70.0, None), (90.0, None)]
    """
    arguments = dict(action)
    act, at = ACTIONS[arguments.pop("do")], arguments.get("at", 0)
    if not 0 <= at < len(day):
        raise ZooError(f"stretch {at}: expected a number below {len(day)}")
    return act(day, **arguments)


def _by_person(day: Day, at: int, label: str = "") -> Day:
    how = PERSON + CHECKED * day[at].disputed
    return (*day[:at], replace(day[at], label=label, decided=how, disputed=False), *day[at + 1 :])


def _accepted(stretch: Stretch) -> Stretch:
    if not stretch.proposal:
        raise ZooError("nothing is proposed here: choose a label")
    how = NOTE if stretch.note else f"{PROPOSAL} {stretch.confidence:.2f}"
    return replace(stretch, label=stretch.proposal, decided=how, disputed=False)


def _label(day: Day, at: int, label: str) -> Day:
    label = " ".join(label.split())
    if wrong := misnamed(label, is_label=True):
        raise ZooError(f"label: {wrong}")
    return _by_person(day, at, label)


def _split(day: Day, at: int, time: float) -> Day:
    stretch = day[at]
    if not stretch.start + SHORTEST <= time <= stretch.end - SHORTEST:
        raise ZooError(f"{time:.1f} s is not within this stretch: click where it is to be split")
    time = round(time, DIGITS)
    return (*day[:at], replace(stretch, end=time), replace(stretch, start=time), *day[at + 1 :])


def _with_next(day: Day, at: int) -> Day:
    """A stretch and the next one, which have an edge."""
    if at + 1 == len(day) or day[at].end != day[at + 1].start:
        raise ZooError("nothing follows this stretch without a gap: its end cannot be moved")
    return day[at : at + 2]


def _edge(day: Day, at: int, by: float) -> Day:
    """Moves the end of a stretch, which is the start of the next one."""
    one, other = _with_next(day, at)
    end = round(min(max(one.end + by, one.start + SHORTEST), other.end - SHORTEST), DIGITS)
    if not one.start < end < other.end:
        raise ZooError("both stretches are too short for their edge to be moved")
    return (*day[:at], replace(one, end=end), replace(other, start=end), *day[at + 2 :])


def _join(day: Day, at: int) -> Day:
    """Makes the next stretch a part of this one."""
    one, other = _with_next(day, at)
    return (*day[:at], replace(one, end=other.end), *day[at + 2 :])


def _accept_all(day: Day, start: float, end: float) -> Day:
    """Accepts what is sure, and lies between two times or reaches into them."""
    chosen = [one.label is None and one.sure and one.start < end and one.end > start for one in day]
    if not any(chosen):
        raise ZooError(f"no proposal in view of at least {SURE:.0%}")
    return tuple(_accepted(one) if take else one for one, take in zip(day, chosen, strict=True))


ACTIONS: dict[str, Callable[..., Day]] = {
    "accept": lambda day, at: (*day[:at], _accepted(day[at]), *day[at + 1 :]), "label": _label, "leave": _by_person,
    "split": _split, "edge": _edge, "join": _join, "accept_all": _accept_all,
}  # fmt: skip
"""What a person can do to a stretch, and to all in view."""


def queue(day: Day) -> list[int]:
    """Numbers of the stretches to look at, first where an answer helps most: (1 - confidence) sqrt(length).

    Notes and labels that the model contradicts come before all others; what is sure is left out.

    Example:
        >>> queue((Stretch(0, 9, "a", 0.99), Stretch(9, 13, "a", 0.5), Stretch(13, 29, "b", 0.5)))
        [2, 1]
    """

    def order(at: int) -> tuple[bool, float]:
        one = day[at]
        doubt = one.confidence if one.disputed else 1 - one.confidence
        return not (one.contradicts or one.disputed), -doubt * math.sqrt(one.seconds)

    places = (at for at, one in enumerate(day) if one.disputed or (one.label is None and not one.sure))
    return sorted(places, key=order)


def disputed(day: Day, judged: Sequence[Stretch]) -> Day:
    """The day with questions about its labels, in place of earlier ones.

    `judged` are parts of its stretches, with guesses of a model that has not learned from them. A part of which it is
    sure that the label is another one becomes a stretch to be checked, unless a person has decided about that.

    Example:
        >>> day = disputed((Stretch(0, 90, label="sitting"),), [Stretch(20, 50, "walking", 0.97)])
        >>> [(one.start, one.label, one.guess) for one in day], queue(day)
        ([(0, 'sitting', ''), (20, 'sitting', 'walking'), (50, 'sitting', '')], [1])
    """
    sure, found = [one for one in judged if one.confidence >= _DOUBT and one.seconds >= _DOUBTED], list[Stretch]()
    for stretch in day:
        is_open = stretch.label and not stretch.decided.endswith(CHECKED)
        others = [one for one in sure if is_open and one.guess != stretch.label]
        for piece in _filled(stretch.start, stretch.end, others):
            asked = replace(piece, label=stretch.label, decided=stretch.decided, disputed=True)
            agreed = replace(stretch, start=piece.start, end=piece.end, disputed=False)
            found.append(asked if piece.guess else agreed)
    return tuple(found)


def renewed(day: Day, proposals: Sequence[Stretch], parts: Sequence[tuple[float, float]]) -> Day:
    """The day with other proposals between what is decided, which stays as it is.

    `parts` are what is recorded, from start to end in seconds; `proposals` may leave some of it out.
    """
    filled = list[Stretch]()
    for start, end in parts:
        kept = _within(start, end, [one for one in day if one.label is not None])
        filled += kept
        for one, other in pairwise([Stretch(start, start), *kept, Stretch(end, end)]):
            filled += _filled(one.end, other.start, proposals)
    return tuple(sorted(filled, key=lambda one: one.start))


def _within(start: float, end: float, stretches: Sequence[Stretch]) -> list[Stretch]:
    """What of stretches lies between two times."""
    parts = [replace(one, start=max(one.start, start), end=min(one.end, end)) for one in stretches]
    return [part for part in parts if part.start < part.end]


def _filled(start: float, end: float, proposals: Sequence[Stretch]) -> list[Stretch]:
    """What is proposed between two times; what is too short for a stretch becomes a part of its neighbor."""
    pieces, at = list[Stretch](), start
    for one in _within(start, end, proposals):
        pieces += [Stretch(at, one.start), one] if at < one.start else [one]
        at = one.end
    pieces += [Stretch(at, end)] if at < end else []
    return _joined(pieces, lambda *two: _longer(*two) if min(one.seconds for one in two) < SHORTEST else None)


def with_notes(proposals: Sequence[Stretch], notes: Sequence[Span], classes: Sequence[str]) -> list[Stretch]:
    """Proposals with the notes of an app, whose edges are moved to the nearest change that the model sees; those that
    are `decided` as exact, in another program, are not moved.

    A note of an activity that the model does not know is one stretch, whatever the model takes its parts for.
    """
    changes = [one.start for one in proposals] + [proposals[-1].end]

    def near(time: float) -> float:
        closest = min(changes, key=lambda change: abs(change - time))
        return closest if abs(closest - time) <= _NEAR else round(time, DIGITS)

    spans = list[Span]()
    for note in notes:
        moved = note._replace(start=near(note.start), end=near(note.end))
        # An exact one stays where it is, and so does a short one of which nothing would be left.
        spans.append(moved if not note.decided and moved.start < min(moved.end, changes[-1]) else note)
    pieces = list[Stretch]()
    for one in proposals:
        cuts = {edge for span in spans for edge in span[:2] if one.start < edge < one.end}
        for start, end in pairwise([one.start, *sorted(cuts), one.end]):
            noted = next((span.activity for span in spans if span.start <= start < span.end), "")
            pieces.append(replace(one, start=start, end=end, note=noted))

    def of_one_note(one: Stretch, other: Stretch) -> Stretch | None:
        is_noted = one.note == other.note != "" and one.end == other.start
        return _longer(one, other) if is_noted and (one.note not in classes or one.guess == other.guess) else None

    return _joined(pieces, of_one_note)


def runs(edges: Sequence[float], labels: Sequence[str], confidences: Sequence[float]) -> list[Stretch]:
    """Stretches of one label, of moments between `edges` (N + 1) with a label and its probability each.

    A stretch that is too short becomes a part of its longer neighbor.

    Example:
        >>> [(one.start, one.guess) for one in runs([0, 5, 6, 20, 30], ["a", "b", "a", "c"], [0.8, 0.5, 0.8, 0.9])]
        [(0, 'a'), (20, 'c')]
    """
    moments = zip(edges, edges[1:], labels, confidences, strict=False)
    found = _joined([Stretch(*moment) for moment in moments], _of_one_guess)
    while len(found) > 1 and (least := min(found, key=lambda one: one.seconds)).seconds < _LONG:
        at = found.index(least)
        other = max(found[max(0, at - 1) : at] + found[at + 1 : at + 2], key=lambda one: one.seconds)
        found[at] = replace(least, guess=other.guess, confidence=other.confidence)
        # What is joined is near: a day has thousands of stretches.
        around = slice(max(0, at - 1), at + 2)
        found[around] = _joined(found[around], _of_one_guess)
    return found


def _joined(stretches: Iterable[Stretch], join: Callable[[Stretch, Stretch], Stretch | None]) -> list[Stretch]:
    """Stretches of which two, one after the other, become one with the facts that `join` returns, if it does."""
    joined = list[Stretch]()
    for one in stretches:
        if joined and (facts := join(joined[-1], one)):
            joined[-1] = replace(facts, start=joined[-1].start, end=one.end)
        else:
            joined.append(one)
    return joined


def _longer(one: Stretch, other: Stretch) -> Stretch:
    return max(one, other, key=lambda each: each.seconds)


def _of_one_guess(one: Stretch, other: Stretch) -> Stretch | None:
    share = one.confidence * one.seconds + other.confidence * other.seconds
    return replace(one, confidence=share / (one.seconds + other.seconds)) if one.guess == other.guess else None


def spans(day: Day) -> tuple[Span, ...]:
    """What is decided, as the journal holds it."""
    return tuple(Span(one.start, one.end, one.label, one.decided) for one in day if one.label is not None)
