"""What it costs a simulated person to label an hour: by hand, with proposals, and with proposals that learn.

    zoo data import dsads daily-and-sports-activities.zip --others -o dsads.h5
    python benchmarks/labeling.py --recordings dsads.h5 | tee benchmarks/labeling.json

The hours are those of the eight people of DSADS, on whom `activity_gru_pocket` was not trained: stretches of half a
minute to five of eight activities, two of which it does not know, joined in an order that is drawn. Nobody made the
decisions: a program knows the truth, and does what the page offers, one stretch after the other.

    by hand     for each activity: a key that moves the view, a click at its end, S, and the key of its label; and a
                look at each two minutes of the hour, as nothing says where the changes are
    proposals   Enter where at least nine tenths of a stretch are what is proposed, else the key of another label;
                where a stretch holds several activities of more than five seconds, a click and S at each change first
    learning    the same in the order of the queue, and a click on "Learn from these" after every 20 answers
    sure ones   as before, but all that is sure is accepted at once without a look, before the first question

A look at a stretch is said to take 1.5 s, a key .5 s, a click at a place 2 s, and a new word 3 s.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.activity import recordings
from zoo.activity.streaming import splice
from zoo.files import sha256
from zoo.labeling.day import Day, Stretch, apply, queue, renewed
from zoo.labeling.proposals import Proposer
from zoo.labeling.session import ENOUGH
from zoo.provenance import machine, versions

PRESET = "activity_gru_pocket"
ACTIVITIES = ("sitting", "standing", "walking", "jogging", "upstairs", "downstairs", "cycling", "rowing")
SECONDS, LENGTHS, SEED = 3600.0, (30.0, 300.0), 0
RATE = 25.0
COSTS = {"looks": 1.5, "keys": 0.5, "clicks": 2.0, "words": 3.0}
"""Seconds of each action."""
WAYS = ("by hand", "proposals", "learning", "sure ones")
_PURE, _SHORT, _VIEW = 0.9, 5.0, 120.0

Truth = list[tuple[float, float, str]]
"""Start and end in seconds, and activity."""


def hours(path: Path) -> list[tuple[recordings.Recording, Truth]]:
    """An hour of each person of DSADS, and what they did."""
    found, joined = list(recordings.read_recordings(path)), []
    for person in sorted({one.subject for one in found}):
        parts = [
            (one.activity, one.acceleration) for one in found
            if one.subject == person and one.activity in ACTIVITIES and one.seconds > LENGTHS[0]
            and one.position.startswith("right")
        ]  # fmt: skip
        stretches = splice(parts, RATE, SECONDS, np.random.default_rng([SEED, int(person)]), LENGTHS)
        edges = np.cumsum([0, *(len(rows) for _, rows in stretches)]) / RATE
        truth = [(start, end, name) for start, end, (name, _) in zip(edges, edges[1:], stretches, strict=False)]
        rows = np.concatenate([rows for _, rows in stretches])
        joined.append((recordings.Recording(f"person {person}", person, "-", RATE, rows), truth))
    return joined


class Person:
    """A simulated person, who knows the truth, and counts what it takes to say it."""

    def __init__(self, truth: Truth, known: list[str]) -> None:
        self.truth, self.words, self.counts = truth, list(known), Counter[str](looks=0, keys=0, clicks=0, words=0)

    def did(self, start: float, end: float) -> list[tuple[float, float, str]]:
        """What was done between two times."""
        return [(max(a, start), min(b, end), name) for a, b, name in self.truth if a < end and b > start]

    def label(self, day: Day, at: int, label: str) -> Day:
        """Gives a stretch a label: by a key, or by a new word."""
        self.counts["keys" if label in self.words[:9] else "words"] += 1
        self.words += [] if label in self.words else [label]
        return apply(day, {"do": "label", "at": at, "label": label})

    def split(self, day: Day, at: int, moment: float) -> Day:
        """Clicks at a change and divides a stretch there."""
        self.counts.update(clicks=1, keys=1)
        return apply(day, {"do": "split", "at": at, "time": moment})

    def decide(self, day: Day, at: int) -> Day:
        """Looks at a stretch and says what it is, or what its parts are."""
        self.counts["looks"] += 1
        one = day[at]
        done = self.did(one.start, one.end)
        parts = [part for part in done if part[1] - part[0] > _SHORT] or done
        lengths = Counter[str]()
        for start, end, name in parts:
            lengths[name] += end - start
        name, longest = lengths.most_common(1)[0]
        if longest >= _PURE * one.seconds or len(parts) == 1:
            if one.proposal != name:
                return self.label(day, at, name)
            self.counts["keys"] += 1
            return apply(day, {"do": "accept", "at": at})
        for (_, end, before), (_, _, after) in pairwise(parts):
            if before != after:
                day = self.split(day, at, end)
                day = self.label(day, at, before)
                at += 1
        return self.label(day, at, parts[-1][2])


def by_hand(person: Person, day: Day) -> Day:
    """Divides what is one stretch at each change of activity."""
    person.counts["looks"] += round(person.truth[-1][1] / _VIEW)
    for place, (_, end, name) in enumerate(person.truth):
        person.counts.update(looks=1, keys=1)
        if place + 1 < len(person.truth):
            day = person.split(day, place, end)
        day = person.label(day, place, name)
    return day


def with_proposals(person: Person, day: Day, *, learn: Callable[[Day], Day] | None = None, sure: bool = False) -> Day:
    """Answers about each stretch; first about those to check, if the model learns from them."""
    if sure:
        # Zooming out to the whole recording, and Shift+Enter.
        person.counts["keys"] += 9
        day = apply(day, {"do": "accept_all", "start": 0.0, "end": SECONDS * 2})
    answers = sum(one.label is not None for one in day) if sure else 0
    asked = 0
    while open_ones := [at for at, one in enumerate(day) if one.label is None]:
        at = (queue(day) or open_ones)[0] if learn else open_ones[0]
        day, asked = person.decide(day, at), asked + 1
        if learn and asked + answers >= ENOUGH and asked % ENOUGH == 0:
            person.counts["clicks"] += 1
            day = learn(day)
    return day


def right(day: Day, truth: Truth) -> float:
    """The share of the time whose label is the truth."""
    moments = np.arange(0.05, truth[-1][1], 0.1)
    said = np.array([one.label for one in day])[np.searchsorted([one.start for one in day], moments, "right") - 1]
    done = np.array([name for *_, name in truth])[np.searchsorted([start for start, *_ in truth], moments, "right") - 1]
    return float((said == done).mean())


def measure(recording: recordings.Recording, truth: Truth) -> list[dict[str, Any]]:
    """A row for each way to label the hour of a person."""
    proposer, rows = Proposer(PRESET), list[dict[str, Any]]()
    reads = list(proposer.read([recording]))
    bounds = [(0.0, round(recording.seconds, 3))]
    proposals, words = proposer.propose(reads), list(proposer.classes)
    sure = [one for one in proposals if one.sure]
    done = Person(truth, words).did
    agreed = [part for one in sure for part in done(one.start, one.end) if part[2] == one.guess]

    def learn(day: Day) -> Day:
        proposer.learn([reads], [day])
        return renewed(day, proposer.propose(reads), bounds)

    for way in WAYS:
        person = Person(truth, words)
        if way == "by hand":
            day = by_hand(person, renewed((), [Stretch(*bounds[0])], bounds))
        else:
            proposer.forget()
            teach = None if way == "proposals" else learn
            day = with_proposals(person, renewed((), proposals, bounds), learn=teach, sure=way == "sure ones")
        seconds = sum(COSTS[name] * count for name, count in person.counts.items())
        rows.append({
            "person": recording.subject, "way": way, "activities": len(truth), **person.counts,
            "minutes": round(seconds / 60, 2), "right": round(right(day, truth), 4),
            "sure": round(sum(one.seconds for one in sure), 1),
            "sure_right": round(sum(end - start for start, end, _ in agreed), 1),
        })  # fmt: skip
        print(rows[-1], file=sys.stderr)
    return rows


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, default=Path("dsads.h5"))
    options = parser.parse_args()
    print(json.dumps({
        "command": "python benchmarks/labeling.py --recordings dsads.h5", "machine": machine(), "versions": versions(),
        "preset": PRESET, "data_sha256": sha256(options.recordings), "costs": COSTS, "seed": SEED,
        "simulated": True,
        "hours": [row for recording, truth in hours(options.recordings) for row in measure(recording, truth)],
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
