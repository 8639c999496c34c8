"""What it costs a simulated person to label an hour: by hand, with proposals, and with proposals that learn.

    zoo data import dsads daily-and-sports-activities.zip --others -o dsads.h5
    git show 2080b86c:saved_models/activity_gru_pocket/model.keras > activity_gru_pocket-0.3.0.keras
    git show fb4b9ee3:saved_models/activity_cnn_pocket/model.keras > activity_cnn_pocket-0.3.0.keras
    python benchmarks/labeling.py --without wisdm --archives ../shared/data/activity
    python benchmarks/labeling.py activity_gru_pocket-0.3.0.keras dsads.h5 activity_cnn_pocket-0.3.0.keras dsads.h5 \
        without_wisdm.keras wisdm.h5 | tee benchmarks/labeling.json
    python benchmarks/labeling.py --page docs/guides/label.md

The hours are those of eight people of a study that the model was not trained on: stretches of half a minute to five of
eight activities, joined in an order that is drawn. In DSADS, the models of 0.3.0 do not know two of them; in WISDM, a
network of the other five studies does not know three ball games, and stairs have no direction. Nobody made the
decisions: a program knows the truth, and does what the page offers, one stretch after the other.

    by hand     for each activity: a key that moves the view, a click at its end, S, and the key of its label; and a
                look at each two minutes of the hour, as nothing says where the changes are
    proposals   Enter where at least nine tenths of a stretch are what is proposed, else the key of another label;
                where a stretch holds several activities of more than five seconds, a click and S at each change first
    learning    the same in the order of the queue, and a click on "Learn from these" after every 20 answers
    sure ones   as before, but all that is sure is accepted at once without a look, before the first question

Then one in twelve of the labels of the second way, of stretches of 8 s or more, becomes another label of the hour. The
list of doubted labels is counted: how many of the wrong ones are in it, and how many stretches it asks about. The
confidence and the length from which a label is doubted were chosen on the same hours with other wrong labels.

How many answers are enough: in the order of the queue, the last layer learns from the labels of one person so far,
after every 10 answers, and its proposals for the hours of the other seven are compared with the truth.

benchmarks/labeling_page.py lets the same program act on the page itself.

A look at a stretch is said to take 1.5 s, a key .5 s, a click at a place 2 s, and a new word 3 s.
"""

import os
import sys
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

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

from zoo.activity.recordings import Recording, read_recordings
from zoo.activity.studies import STUDIES
from zoo.labeling.day import SURE, Day, Stretch, disputed, renewed
from zoo.labeling.proposals import Proposer, Read
from zoo.presets import PRESETS
from zoo.report import markdown

WAYS = ("by hand", "proposals", "learning", "sure ones")
NETWORK = "activity_gru_pocket"
EVERY, ENOUGH_SHARE = 10, 0.95
"""Answers between two looks at what was learned from them, and the share of the last score that is enough."""

NEARLY = 0.9
"""Confidence below that from which a proposal need not be checked."""

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


def effort(proposer: Proposer, people: Sequence[tuple[Recording, Truth, list[Read]]], place: int) -> dict[str, Any]:
    """How right proposals for other people are after so many actions of one, who answers in the order of the queue."""
    recording, truth, reads = people[place]
    others = [each for number, each in enumerate(people) if number != place]

    def score(learner: Proposer) -> float:
        said = [[(one.start, one.end, one.guess) for one in learner.propose(read)] for *_, read in others]
        return float(np.mean([agreement(one, true) for one, (_, true, _) in zip(said, others, strict=True)]))

    learner, bounds = copy(proposer), [(0.0, round(recording.seconds, 3))]
    person, day = Person(truth, list(proposer.classes)), renewed((), proposer.propose(reads), bounds)
    points, answers = [(0, score(proposer))], 0
    while any(one.label is None for one in day):
        day, answers = person.decide(day, person.next(day, listed=True)), answers + 1
        if answers % EVERY == 0 or all(one.label is not None for one in day):
            learner.learn([reads], [day])
            day = renewed(day, learner.propose(reads), bounds)
            points.append((sum(person.counts.values()) - person.counts["looks"], score(learner)))
    enough = next(actions for actions, right in points if right >= ENOUGH_SHARE * points[-1][1])
    return {"person": recording.subject, "enough": enough, "points": [(n, round(right, 4)) for n, right in points]}


def share(proposals: Sequence[Stretch], truth: Truth, name: str, least: float, below: float = 2.0) -> dict[str, float]:
    """Seconds of proposals of a confidence, and in how many of them they are right."""
    chosen, did = [one for one in proposals if least <= one.confidence < below], Person(truth, []).did
    agreed = [part for one in chosen for part in did(one.start, one.end) if part[2] == one.guess]
    seconds, right = sum(one.seconds for one in chosen), sum(end - start for start, end, _ in agreed)
    return {name: round(seconds, 1), f"{name}_right": round(right, 1)}


def measure(
    proposer: Proposer, recording: Recording, truth: Truth, reads: list[Read]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each way to label the hour of a person, and what is found of wrong labels."""
    rows, bounds = list[dict[str, Any]](), [(0.0, round(recording.seconds, 3))]
    proposals, words = proposer.propose(reads), list(proposer.classes)
    shares = {**share(proposals, truth, "sure", SURE), **share(proposals, truth, "nearly", NEARLY, SURE)}

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
            **shares,
        })  # fmt: skip
        print(rows[-1], file=sys.stderr)
        if way == "proposals":
            labeled = day
    return rows, checks(proposer, reads, labeled, recording.subject)


def costs(document: dict[str, Any]) -> str:
    """What each way to label costs in each study, what accepting rests on, and how many actions are enough."""
    rows, notes = [], []
    for found in document["models"]:
        study = found["study"].upper()
        names = ("sure", "sure_right", "nearly", "nearly_right")
        sure, right, nearly, also = (sum(row[name] for row in found["hours"]) / 60 / len(WAYS) for name in names)
        notes.append(
            f"In {study}, `{found['model']}` was at least 95% sure of {sure:.0f} minutes in all, and right in "
            f"{right / sure:.1%} of them;\nof the {nearly:.0f} minutes of which it was 90 to 95% sure, in "
            f"{also / nearly:.1%}."
        )
        if "enough" not in found:
            continue
        for way in WAYS:
            hours = [row for row in found["hours"] if row["way"] == way]
            mean = {key: np.mean([row[key] for row in hours]) for key in ("minutes", *COSTS, "right")}
            cells = (f"{mean['minutes']:.1f}", *(f"{mean[key]:.0f}" for key in COSTS), f"{mean['right']:.1%}")
            rows.append((study, way, *cells))
        first = np.mean([row["points"][0][1] for row in found["enough"]])
        all_of, last = np.mean([row["points"][-1] for row in found["enough"]], axis=0)
        enough = np.mean([row["enough"] for row in found["enough"]])
        notes.append(
            f"Its proposals for the other seven people are right for {first:.1%} of the time before it learns, and for "
            f"{last:.1%}\nonce it has learned from all labels of one person, which take {all_of:.0f} keys, clicks and "
            f"words; {enough:.0f} are enough for 95% of that."
        )
    return markdown.table(("study", "way", "minutes", *COSTS, "right"), rows) + "\n\n" + "\n".join(notes)


def doubts(document: dict[str, Any]) -> str:
    """What is found of wrong labels in each study, in sentences."""
    lines = []
    for found in (model for model in document["models"] if "enough" in model):
        labels, wrong, right, asked = (
            sum(row[key] for row in found["checks"]) for key in ("labels", "wrong", "found", "asked")
        )
        lines.append(
            f"Of {labels} labels of {found['study'].upper()}, {wrong} were made wrong. The list asked about {asked} "
            f"stretches,\nand {right} of the wrong labels were among them."
        )
    return "\n".join(lines)


def leave_out(study: str, archives: Path) -> None:
    """Trains the network of a preset on all studies but one, by its recipe, and imports the one that is left out."""
    import make

    import zoo

    source, folder = PRESETS[NETWORK].data, Path(f"without_{study}")
    studies = [name for name in source.studies if name != study]
    others = {label for name in studies for label in STUDIES[name].others.values()}
    folder.mkdir()
    windows = make.cut(studies, archives, folder, [name for name in source.other if name in others])
    zoo.train(NETWORK, windows).model.save(f"without_{study}.keras")
    make.import_study(study, archives, Path(f"{study}.h5"))


def measured(pairs: Sequence[str]) -> str:
    """The document of what is measured with each model on the hours of its study."""
    models, studies = list[dict[str, Any]](), set[str]()
    for name, recordings in zip(pairs[::2], pairs[1::2], strict=True):
        proposer, study = Proposer(name), next(iter(read_recordings(Path(recordings)))).study
        people = [(*hour, list(proposer.read([hour[0]]))) for hour in hours(Path(recordings))]
        rows, checked = zip(*(measure(proposer, *person) for person in people), strict=True)
        found: dict[str, Any] = {"study": study, "hours": [row for part in rows for row in part], "checks": checked}
        if study not in studies:
            found["enough"] = [effort(proposer, people, place) for place in range(len(people))]
            print(found["enough"], file=sys.stderr)
        studies.add(study)
        models.append({**model_named(name), **found})
    return to_document(__file__, pairs, costs=COSTS, seed=SEED, models=models)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("pairs", nargs="*", help="models and recordings of the studies that they were trained without")
    parser.add_argument("--without", help="train a network without this study, and import the study")
    parser.add_argument("--archives", type=Path, default=Path("../shared/data/activity"))
    options = parser.parse_args()
    if options.without:
        leave_out(options.without, options.archives)
    elif options.page:
        pages.fill(options.page, __file__, {"labeling": costs, "doubts": doubts})
    else:
        print(measured(options.pairs))


if __name__ == "__main__":
    main()
