r"""The simulated person of benchmarks/labeling.py at the page of `zoo label`, in Chromium.

    python benchmarks/labeling_page.py activity_gru_pocket-0.3.0.keras --recordings dsads.h5 \
        | tee benchmarks/labeling_page.json
    python benchmarks/labeling_page.py --page docs/guides/label.md

The person labels the same hours with the same proposals, and takes the stretches as the page asks about them: those to
check, then the others. The page is touched by keys and clicks alone. The same code labels the same hour as plain data,
in the same order, so that answers and actions can be compared. A key is one that is pressed: a new word takes A, its
letters and Enter. Each hour is labeled twice: with proposals alone, and with *Learn from these* after every 20 answers,
which also asks about labels that the model doubts.
"""

import json
import os
import sys
from copy import copy
from dataclasses import fields
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from annotator import (
    COSTS,
    Person,
    Truth,
    agreement,
    hours,
    labels,
    model_named,
    served,
    to_document,
    with_proposals,
)

from zoo.activity.recordings import Recording
from zoo.labeling.day import Day, Stretch, disputed, renewed
from zoo.labeling.proposals import Proposer
from zoo.report import markdown

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MINUTES = 10
"""That a busy machine takes to load a model."""


class Visitor(Person):
    """A person who sees the stretches that the page gets, and acts by keys and clicks, which are counted."""

    def __init__(self, truth: Truth, page: "Page", address: str) -> None:
        super().__init__(truth, [])
        self.page, self.pressed, self.clicked = page, 0, 0
        self._host, _, self._token = address.removeprefix("http://").partition("/label#")

    def see(self) -> Day:
        """The day, when the page has done what it was asked for."""
        self.page.wait_for_selector("#work[aria-busy=false]")
        connection = HTTPConnection(self._host)
        connection.request("GET", "/label/day/0", headers={"Authorization": f"Bearer {self._token}"})
        shown, names = json.load(connection.getresponse()), {field.name for field in fields(Stretch)}
        # In the page's order, in which each word keeps its key.
        self.words = self.page.locator("#words .word > span:not(.letter)").all_inner_texts()
        return tuple(Stretch(**{key: one[key] for key in one.keys() & names}) for one in shown["stretches"])

    def next(self, day: Day, *, listed: bool) -> int:
        """The number of the stretch that the page asks about."""
        start, end = self.page.inner_text("#details").split(" \N{MIDDLE DOT} ")[0].split(" to ")
        return [(_clock(one.start), _clock(one.end)) for one in day].index((start, end))

    def act(self, day: Day, action: dict[str, Any]) -> Day:
        """Does something to the stretch that the page asks about."""
        if (at := self.next(day, listed=True)) != action["at"]:
            raise ValueError(f"the page asks about stretch {at}; expected {action['at']}")
        if action["do"] == "accept":
            self._press("Enter")
        elif action["do"] == "split":
            self._click(action["time"])
            self._press("s")
        elif action["label"] in self.words[:9]:
            self._press(str(self.words.index(action["label"]) + 1))
        else:
            self._press("a", *action["label"], "Enter")
        return self.see()

    def learn(self, day: Day) -> Day:
        """Lets the model learn from the answers."""
        self.page.click("#learn")
        self.page.wait_for_selector("#work[aria-busy=false]", timeout=60_000 * _MINUTES)
        return self.see()

    def _press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_selector("#work[aria-busy=false]")
        self.pressed += len(keys)

    def _click(self, moment: float) -> None:
        marks = self.page.locator("#close-ruler span")
        times = [_seconds(text) for text in marks.all_inner_texts()]
        slope, zero = np.polyfit(times, marks.evaluate_all("all => all.map(e => parseFloat(e.style.left))"), 1)
        box = self.page.locator("#close").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + zero + slope * moment, box["y"] + 0.3 * box["height"])
        self.page.wait_for_selector("#work[aria-busy=false]")
        self.clicked += 1


def _clock(moment: float) -> str:
    """A moment as the page writes it, of a recording without a time of day."""
    whole = int(moment + 1e-6)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _seconds(text: str) -> float:
    """A moment of the ruler, which has seconds where these differ."""
    return float(np.dot([3600, 60, 1], [*map(int, text.split(":")), 0][:3]))


def measure(
    page: "Page", model: str, proposer: Proposer, recording: Recording, truth: Truth, *, learns: bool
) -> dict[str, Any]:
    """What the hour of a person takes, and which labels it gets, as plain data and on the page."""
    reads, bounds = list(proposer.read([recording])), [(0.0, round(recording.seconds, 3))]
    learner = copy(proposer)

    def learn(day: Day) -> Day:
        learner.learn([reads], [day])
        judged = learner.judge([reads], [day])[0]
        return renewed(disputed(day, judged), learner.propose(reads), bounds)

    person = Person(truth, proposer.classes)
    day = renewed((), proposer.propose(reads), bounds)
    expected = with_proposals(person, day, learn=learn if learns else None, listed=True)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hour.csv"
        rows = np.column_stack([np.arange(len(recording.acceleration)) / recording.rate, recording.acceleration])
        np.savetxt(file, rows, "%.9g", ",", header="time,x,y,z", comments="")
        with served(
            file, "--subject", recording.subject, "--model", model, "--folder", Path(folder) / "labeled"
        ) as url:
            page.goto("about:blank")
            page.goto(url)
            page.wait_for_selector("#work:visible")
            page.wait_for_selector("#state", state="hidden", timeout=60_000 * _MINUTES)
            # While proposals arrive, the page stays where it is. Opened then, it begins with the first to check.
            page.reload()
            page.wait_for_selector("#work:visible")
            visitor = Visitor(truth, page, url)
            found = with_proposals(visitor, visitor.see(), learn=visitor.learn if learns else None, listed=True)
    said, wanted = labels(found), labels(expected)
    return {
        "person": recording.subject, "seconds": round(recording.seconds, 1), "stretches": [len(wanted), len(said)],
        "decisions": [dict(person.counts), dict(visitor.counts)],
        "pressed": visitor.pressed, "clicked": visitor.clicked,
        "right": [round(agreement(one, truth), 4) for one in (wanted, said)],
        "equal": round(agreement(said, wanted), 5),
    }  # fmt: skip


def table(document: dict[str, Any]) -> str:
    """Means over the hours, as plain data and on the page."""
    measured, rows = document["hours"], []
    for way, each in (("", measured), (", learning", document.get("learning", []))):
        for place, name in enumerate(("as plain data", "in Chromium") if each else ()):
            counts = [f"{np.mean([hour['decisions'][place][key] for hour in each]):.1f}" for key in COSTS]
            right = f"{np.mean([hour['right'][place] for hour in each]):.1%}"
            rows.append((name + way, f"{np.mean([hour['stretches'][place] for hour in each]):.1f}", *counts, right))
    apart = np.mean([(1 - hour["equal"]) * hour["seconds"] for hour in measured])
    pressed, clicked = (np.mean([hour[key] for hour in measured]) for key in ("pressed", "clicked"))
    return (
        f"{markdown.table(('the same person', 'stretches', *COSTS, 'right'), rows)}\n\n"
        f"In Chromium, {pressed:.0f} keys were pressed in an hour, those of words included, and {clicked:.0f} places\n"
        f"were clicked. The labels of both differ in {apart:.1f} s of an hour: a click is as exact as a pixel."
    )


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--recordings", type=Path, default=Path("dsads.h5"))
    parser.add_argument("model", nargs="?", help="a model that was trained without these people")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"labeling page": table})
        return
    from playwright.sync_api import sync_playwright

    proposer = Proposer(options.model)
    found: dict[str, list[dict[str, Any]]] = {"hours": [], "learning": []}
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for recording, truth in hours(options.recordings):
            for way, measured in found.items():
                learns = way == "learning"
                measured.append(measure(page, options.model, proposer, recording, truth, learns=learns))
                print(way, measured[-1], file=sys.stderr)
        browser.close()
    arguments = [options.model, "--recordings", options.recordings]
    print(to_document(__file__, arguments, **model_named(options.model), **found))


if __name__ == "__main__":
    main()
