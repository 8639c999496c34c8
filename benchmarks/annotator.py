"""What the benchmarks of labeling share: a simulated person who knows the truth about an hour and labels it, hours of
the people of DSADS and WISDM, `zoo label` in a process, and the document of what was measured.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from zoo.activity.recordings import Recording, read_recordings
from zoo.activity.streaming import splice
from zoo.files import sha256
from zoo.labeling.day import Day, apply, queue
from zoo.labeling.session import ENOUGH
from zoo.loading import load
from zoo.provenance import versions, weights_sha256

_KNOWN = ("sitting", "standing", "walking", "jogging")
ACTIVITIES = {
    "dsads": (*_KNOWN, "upstairs", "downstairs", "cycling", "rowing"),
    "wisdm": (*_KNOWN, "stairs", "catching_ball", "dribbling_ball", "kicking_ball"),
}
"""Of which hours consist, by study."""
PEOPLE, SECONDS, LENGTHS, SEED = 8, 3600.0, (30.0, 300.0), 0
COSTS = {"looks": 1.5, "keys": 0.5, "clicks": 2.0, "words": 3.0}
"""Seconds of each action."""
PORT = 8931
_PURE, _SHORT, _VIEW = 0.9, 5.0, 120.0

Truth = list[tuple[float, float, str]]
"""Start and end in seconds, and activity."""


def hours(path: Path) -> list[tuple[Recording, Truth]]:
    """An hour of each of eight people of a study, and what they did."""
    found, joined = list(read_recordings(path)), list[tuple[Recording, Truth]]()
    activities, rate = ACTIVITIES[found[0].study], float(np.median([one.rate for one in found]))
    for person in sorted({one.subject for one in found})[:PEOPLE]:
        parts = [
            (one.activity, one.acceleration) for one in found
            if one.subject == person and one.activity in activities and one.seconds > LENGTHS[0]
            and not one.position.startswith("left")
        ]  # fmt: skip
        stretches = splice(parts, rate, SECONDS, np.random.default_rng([SEED, int(person)]), LENGTHS)
        edges = np.cumsum([0, *(len(rows) for _, rows in stretches)]) / rate
        truth = [(start, end, name) for start, end, (name, _) in zip(edges, edges[1:], stretches, strict=False)]
        rows = np.concatenate([rows for _, rows in stretches])
        joined.append((Recording(f"person {person}", person, "-", rate, rows), truth))
    return joined


class Person:
    """A simulated person, who knows the truth, and counts what it takes to say it."""

    def __init__(self, truth: Truth, known: list[str]) -> None:
        self.truth, self.words, self.counts = truth, list(known), Counter[str](looks=0, keys=0, clicks=0, words=0)

    def did(self, start: float, end: float) -> list[tuple[float, float, str]]:
        """What was done between two times."""
        return [(max(a, start), min(b, end), name) for a, b, name in self.truth if a < end and b > start]

    def act(self, day: Day, action: dict[str, Any]) -> Day:
        """Does something to a stretch."""
        return apply(day, action)

    def next(self, day: Day, *, listed: bool) -> int:
        """The number of the stretch to look at: the first that is listed to be checked, or the first of the day."""
        open_ones = [at for at, one in enumerate(day) if one.label is None]
        return ((queue(day) if listed else []) or open_ones)[0]

    def label(self, day: Day, at: int, label: str) -> Day:
        """Gives a stretch a label: by a key, by the button of a word beyond the ninth, or by a new word."""
        self.counts["keys" if label in self.words[:9] else "clicks" if label in self.words else "words"] += 1
        day = self.act(day, {"do": "label", "at": at, "label": label})
        self.words += [] if label in self.words else [label]
        return day

    def split(self, day: Day, at: int, moment: float) -> Day:
        """Clicks at a change and divides a stretch there."""
        self.counts.update(clicks=1, keys=1)
        return self.act(day, {"do": "split", "at": at, "time": moment})

    def decide(self, day: Day, at: int) -> Day:
        """Looks at a stretch and says what it is, or what its parts are."""
        self.counts["looks"] += 1
        one = day[at]
        done = self.did(one.start, one.end)
        parts = [part for part in done if part[1] - part[0] > _SHORT] or [max(done, key=lambda part: part[1] - part[0])]
        lengths = Counter[str]()
        for start, end, name in parts:
            lengths[name] += end - start
        name, longest = lengths.most_common(1)[0]
        if longest >= _PURE * one.seconds or len(parts) == 1:
            if one.proposal != name:
                return self.label(day, at, name)
            self.counts["keys"] += 1
            return self.act(day, {"do": "accept", "at": at})
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


def with_proposals(
    person: Person, day: Day, *, learn: Callable[[Day], Day] | None = None, sure: bool = False, listed: bool = False
) -> Day:
    """Answers about each stretch; first about those that are listed, as always if the model learns from answers."""
    if sure:
        # Zooming out to the whole recording, and Shift+Enter.
        person.counts["keys"] += 9
        day = person.act(day, {"do": "accept_all", "start": 0.0, "end": SECONDS * 2})
    answers = sum(one.label is not None for one in day) if sure else 0
    asked = 0
    while any(one.label is None for one in day):
        at = person.next(day, listed=listed or learn is not None)
        day, asked = person.decide(day, at), asked + 1
        if learn and asked + answers >= ENOUGH and asked % ENOUGH == 0:
            person.counts["clicks"] += 1
            day = learn(day)
    return day


def agreement(one: Truth, other: Truth) -> float:
    """The share of the time in which two persons say the same, every tenth of a second."""
    moments = np.arange(0.05, other[-1][1], 0.1)
    said = [
        np.array([name for *_, name in spans])[np.searchsorted([start for start, *_ in spans], moments, "right") - 1]
        for spans in (one, other)
    ]  # fmt: skip
    return float((said[0] == said[1]).mean())


def labels(day: Day) -> Truth:
    """What is said about a day."""
    return [(one.start, one.end, one.label or "") for one in day]


def model_named(name: str) -> dict[str, str]:
    """A model as a document names it."""
    return {"model": Path(name).stem, "weights_sha256": weights_sha256(load(name).keras_model.weights)}


def to_document(script: str, arguments: Sequence[str | Path], **measured: Any) -> str:
    """What was measured with models on hours of recordings, as the JSON document that a script prints."""
    paths = [Path(argument) for argument in arguments]
    head = {"command": " ".join(["python", f"benchmarks/{Path(script).name}", *(path.name for path in paths)])}
    hashes = {path.name: sha256(path) for path in paths if path.suffix == ".h5"}
    about = {"versions": versions(), "data_sha256": hashes, "simulated": True}
    return json.dumps({**head, **about, **measured}, indent=2)


@contextmanager
def served(*arguments: str | Path) -> Iterator[str]:
    """Runs `zoo label`, and gives the address that it prints."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "zoo", "label", *map(str, arguments), "--json", "--port", str(PORT)]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(root)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()
