"""What it costs a simulated person to label an hour: by hand, with proposals, and with proposals that learn.

    zoo data import dsads daily-and-sports-activities.zip --others -o dsads.h5
    git show 2080b86c:saved_models/activity_gru_pocket/model.keras > activity_gru_pocket-0.3.0.keras
    git show fb4b9ee3:saved_models/activity_cnn_pocket/model.keras > activity_cnn_pocket-0.3.0.keras
    python benchmarks/labeling.py activity_gru_pocket-0.3.0.keras activity_cnn_pocket-0.3.0.keras \
        --recordings dsads.h5 | tee benchmarks/labeling.json
    python benchmarks/labeling.py --page docs/guides/label.md

The hours are those of the eight people of DSADS, on whom neither model was trained: stretches of half a minute to five
of eight activities, two of which they do not know, joined in an order that is drawn. Nobody made the decisions: a
program knows the truth, and does what the page offers, one stretch after the other.

    by hand     for each activity: a key that moves the view, a click at its end, S, and the key of its label; and a
                look at each two minutes of the hour, as nothing says where the changes are
    proposals   Enter where at least nine tenths of a stretch are what is proposed, else the key of another label;
                where a stretch holds several activities of more than five seconds, a click and S at each change first
    learning    the same in the order of the queue, and a click on "Learn from these" after every 20 answers
    sure ones   as before, but all that is sure is accepted at once without a look, before the first question

Then one in twelve of the labels of the second way, of stretches of 8 s or more, becomes another label of the hour. The
list of doubted labels is counted: how many of the wrong ones are in it, and how many stretches it asks about. The
confidence and the length from which a label is doubted were chosen on the same hours with other wrong labels.

benchmarks/labeling_page.py lets the same program act on the page itself.

A look at a stretch is said to take 1.5 s, a key .5 s, a click at a place 2 s, and a new word 3 s.
"""

import os
import sys
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages
from annotator import (
    COSTS,
    SEED,
    Person,
    Truth,
    agreement,
    by_hand,
    hours,
    labels,
    model_named,
    to_document,
    with_proposals,
)

from zoo.activity.recordings import Recording
from zoo.labeling.day import Day, Stretch, disputed, renewed
from zoo.labeling.proposals import Proposer, Read
from zoo.report import markdown

WAYS = ("by hand", "proposals", "learning", "sure ones")
WRONG, WRONG_SECONDS = 12, 8.0
"""Of so many labels one is wrong, and of what length at least its stretch is."""


def checks(proposer: Proposer, reads: list[Read], day: Day, person: str) -> dict[str, Any]:
    """How many labels that were made wrong are doubted, and how many others."""
    random, names = np.random.default_rng([SEED, int(person), 1]), sorted({one.label or "" for one in day})
    places = [at for at, one in enumerate(day) if one.seconds >= WRONG_SECONDS]
    wrong = random.choice(places, max(1, len(places) // WRONG), replace=False).tolist()
    said = list(day)
    for at in wrong:
        said[at] = replace(day[at], label=str(random.choice([name for name in names if name != day[at].label])))
    learner = copy(proposer)
    learner.learn([reads], [tuple(said)])
    asked = [one for one in disputed(tuple(said), learner.judge([reads], [tuple(said)])[0]) if one.disputed]
    found = [at for at in wrong if any(day[at].start <= one.start < day[at].end for one in asked)]
    return {"person": person, "labels": len(day), "wrong": len(wrong), "found": len(found), "asked": len(asked)}


def measure(model: str, recording: Recording, truth: Truth) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each way to label the hour of a person, and what is found of wrong labels."""
    proposer, rows = Proposer(model), list[dict[str, Any]]()
    reads = list(proposer.read([recording]))
    bounds = [(0.0, round(recording.seconds, 3))]
    proposals, words = proposer.propose(reads), list(proposer.classes)
    sure = [one for one in proposals if one.sure]
    done = Person(truth, words).did
    agreed = [part for one in sure for part in done(one.start, one.end) if part[2] == one.guess]

    for way in WAYS:
        learner = copy(proposer)

        def learn(day: Day, learner: Proposer = learner) -> Day:
            learner.learn([reads], [day])
            return renewed(day, learner.propose(reads), bounds)

        person = Person(truth, words)
        if way == "by hand":
            day = by_hand(person, renewed((), [Stretch(*bounds[0])], bounds))
        else:
            teach = None if way == "proposals" else learn
            day = with_proposals(person, renewed((), proposals, bounds), learn=teach, sure=way == "sure ones")
        seconds = sum(COSTS[name] * count for name, count in person.counts.items())
        rows.append({
            "person": recording.subject, "way": way, "activities": len(truth), **person.counts,
            "minutes": round(seconds / 60, 2), "right": round(agreement(labels(day), truth), 4),
            "sure": round(sum(one.seconds for one in sure), 1),
            "sure_right": round(sum(end - start for start, end, _ in agreed), 1),
        })  # fmt: skip
        print(rows[-1], file=sys.stderr)
        if way == "proposals":
            labeled = day
    return rows, checks(proposer, reads, labeled, recording.subject)


def costs(document: dict[str, Any]) -> str:
    """What each way to label costs with the first model, and what accepting rests on with each."""
    rows, notes = [], []
    for way in WAYS:
        hours = [row for row in document["models"][0]["hours"] if row["way"] == way]
        mean = {key: np.mean([row[key] for row in hours]) for key in ("minutes", *COSTS, "right")}
        rows.append((way, f"{mean['minutes']:.1f}", *(f"{mean[key]:.0f}" for key in COSTS), f"{mean['right']:.1%}"))
    for found in document["models"]:
        sure, right = (sum(row[key] for row in found["hours"]) for key in ("sure", "sure_right"))
        minutes = f"{sure / 60 / len(WAYS):.0f} minutes in all, and right in {right / sure:.1%} of them"
        notes.append(f"`{found['model']}` was at least 95% sure of {minutes}.")
    return markdown.table(("way", "minutes", *COSTS, "right"), rows) + "\n\n" + "\n".join(notes)


def doubts(document: dict[str, Any]) -> str:
    """What is found of wrong labels, in a sentence."""
    checked = document["models"][0]["checks"]
    total = {key: sum(row[key] for row in checked) for key in ("labels", "wrong", "found", "asked")}
    return (
        f"Of {total['labels']} labels in these hours, {total['wrong']} were made wrong. The list asked about "
        f"{total['asked']} stretches,\nand {total['found']} of the wrong labels were among them.\n"
    )


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--recordings", type=Path, default=Path("dsads.h5"))
    parser.add_argument("models", nargs="*", help="models that were trained without these people")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"labeling": costs, "doubts": doubts})
        return
    models = []
    for name in options.models:
        measured = [measure(name, recording, truth) for recording, truth in hours(options.recordings)]
        hours_of, found = [row for rows, _ in measured for row in rows], [checked for _, checked in measured]
        models.append({**model_named(name), "hours": hours_of, "checks": found})
    print(to_document(__file__, options.models, options.recordings, costs=COSTS, seed=SEED, models=models))


if __name__ == "__main__":
    main()
