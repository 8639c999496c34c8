"""Who has sent which recordings, while phones send them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.progress import Board

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
