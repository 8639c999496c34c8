r"""How the filter over time balances walking and stairs: short flights, as in a house, against walking shown as stairs.

    python saved_models/make.py --data DATA --scratch build/phone --streams activity_gru_phone   # trains the networks
    python benchmarks/flights.py --scratch build/phone | tee benchmarks/flights.json
    python benchmarks/flights.py --page docs/splits.md  # writes its tables into the page

The networks of two cross-validations (of those folds that are finished) answer the streams of people, and of studies,
that they were not trained on, and each balance filters the same answers. Balances differ in the group of walking and
stairs alone: more evidence; walking that lasts for a shorter time, by which a stream begins less sure of it; and a
person's own share of walking, as the filter itself saw it so far, in place of the fixed one. In the last one, answers
are divided by the share of each class in training before they are filtered, as they hold it.

With `--balances NAME ...`, only these are measured, and the rows of the others are kept, if they are of the same
networks.

For each study, a balance is chosen by the mean cost of the others, so that the choice has not seen the study. The cost
is the share of wrong time of somebody who walks for so many seconds for each second on stairs, in flights of 6 to 15 s
between walks of 20 s. All the time of walks counts, also their first seconds.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
import pairs
from numpy.typing import NDArray

from zoo.activity.metrics import FEWEST
from zoo.report import markdown

WALKING_PER_STAIRS, PRIOR_SECONDS = (3, 10, 30), 120.0
"""Seconds of walking for each on stairs, and what the fixed share of walking is worth where it follows the stream."""
COMPARED = ("as in the zoo", "evidence 0.6")
DRAWS = 1000
"""Draws of people for an interval."""
WALKING_ONLY = "walking"
WALKING = ("walking",)
"""The part by which the group of walking and stairs is known."""


@dataclass(frozen=True)
class Balance:
    """Changes of the group of walking and stairs: its evidence, the seconds of each part, and whether it follows; and
    whether answers are divided by the prior of the training.
    """

    evidence: float = 0.3
    stay: tuple[float, float] = (120.0, 20.0)
    follows: bool = False
    divided: bool = False


BALANCES = {
    "as in the zoo": Balance(),
    "evidence 0.45": Balance(0.45),
    "evidence 0.6": Balance(0.6),
    "evidence 0.9": Balance(0.9),
    "walks of 60 s": Balance(stay=(60.0, 20.0)),
    "walks of 30 s": Balance(stay=(30.0, 20.0)),
    "evidence 0.6, walks of 240 s": Balance(0.6, (240.0, 20.0)),
    "the share so far": Balance(follows=True),
    "divided by the prior": Balance(divided=True),
}
Row = dict[str, Any]


def filtered(one: pairs.Answered, metadata: Any, balance: Balance) -> list[Any]:
    """The predictions of a stream with a balance."""
    from zoo.runtime.streaming import Shown

    groups = list(metadata.streaming.groups)
    place = next(number for number, group in enumerate(groups) if WALKING in group.parts and len(group.parts) == 2)
    walking = groups[place].parts.index(WALKING)
    stay = balance.stay if walking == 0 else balance.stay[::-1]
    groups[place] = replace(groups[place], evidence=balance.evidence, stay=stay)
    seconds = metadata.frame / metadata.rate
    settings = replace(metadata.streaming, groups=tuple(groups))
    states = Shown(metadata, settings, metadata.stream_threshold, seconds)
    found, inner, passed = [], states._filter, PRIOR_SECONDS
    members = [metadata.classes.index(name) for part in groups[place].parts for name in part]
    share = stay[walking] / sum(stay)
    # A chain of two parts forgets at this rate, wherever it settles.
    rate = sum(1 / each for each in stay)
    answers = one.answers.astype(np.float64)
    if balance.divided:
        answers /= np.array(metadata.prior)
        answers /= answers.sum(axis=1, keepdims=True)
    for time, answer in zip(one.times.tolist(), answers, strict=True):
        found.append(states.update(time, answer))
        if balance.follows:
            on_foot = seconds * float(answer[members].sum())
            passed += on_foot
            share += on_foot / passed * (inner._belief[place, walking] - share)
            leaves = np.array([1 - share, share] if walking == 0 else [share, 1 - share])
            inner._leave[place, :2] = -np.expm1(-seconds * rate * leaves)
    return found


def counted(
    answered: Sequence[pairs.Answered], metadata: Any, alike: Sequence[Sequence[int]], names: Sequence[str]
) -> Iterator[Row]:
    """The sums of each balance, study and person, of recordings of walking or stairs and of flights between walks."""
    import measured_streams

    from zoo.activity.streaming import judged

    allowed = measured_streams.right_labels(metadata.classes, alike)
    on_foot = {"walking", *measured_streams.ANY_STAIRS}
    some = [one for one in answered if {activity for activity, _ in one.stretches} <= on_foot and one.kind != "turns"]
    for name in names:
        sums: dict[tuple[str, str], dict[str, Any]] = {}
        for one in some:
            stream = judged(filtered(one, metadata, BALANCES[name]), metadata.rate, one.stretches, allowed, one.person)
            walking, climbing = stream.truth == "walking", measured_streams.on_stairs(stream)
            if one.kind == "alone":
                key, wrong = WALKING_ONLY, np.isin(stream.labels, measured_streams.ANY_STAIRS)
                parts = [walking, walking & stream.settled]
                counts = [count for part in parts for count in ((wrong & part).sum(), part.sum())]
            else:
                # After each walk, but the last, comes a flight.
                key, late = one.kind.rpartition(" ")[2], stream.delays()[::2]
                counts = [(stream.right & climbing).sum(), climbing.sum(), np.isinf(late).sum(), len(late)]
            own = sums.setdefault((one.study, one.person), {})
            own[key] = np.add(own.get(key, 0), counts)
        for (study, person), own in sums.items():
            found = {key: counts.tolist() for key, counts in own.items()}
            yield {"balance": name, "study": study, "person": person, "sums": found}


def measure(scratch: Path, file: Path, names: Sequence[str]) -> list[Row]:
    """The sums of a finished fold of a cross-validation, whose network is beside its record."""
    import measured_streams

    model, metadata, record, files = pairs.fold_of(scratch, file)
    signals = measured_streams.signals_of(metadata, files, record["subjects"], record["group"])
    answered = [*pairs.answers_of(model, metadata, signals)]
    return [*counted(answered, metadata, record.get("indistinct", ()), names)]


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    parser.add_argument("--balances", nargs="+", choices=BALANCES, default=[*BALANCES], metavar="NAME")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, TABLES)
        return
    command = "python benchmarks/flights.py --scratch build/phone"
    found, names = pairs.of_folds(command, partial(measure, names=options.balances), options.scratch), options.balances
    if len(names) < len(BALANCES):
        known = pages.measured(__file__)
        if known["networks"] != found["networks"]:
            raise ValueError("flights.json is of other networks: measure all balances")
        found["rows"] = [row for row in known["rows"] if row["balance"] not in names] + found["rows"]
    print(json.dumps(found))


Counts = dict[str, NDArray[np.float64]]
"""By `WALKING_ONLY`: moments of walking shown as stairs, and all of them, then both of what is settled. By seconds of a
flight: moments that are right, and all of them, then flights that are never shown, and all of them."""


def summed(rows: Sequence[Row], split: str) -> dict[str, dict[str, Counts]]:
    """The sums over the people of each study, by balance."""
    found: dict[str, dict[str, Counts]] = {name: {} for name in BALANCES}
    for row in rows:
        if row["split"] == split:
            own = found[row["balance"]].setdefault(row["study"], {})
            for key, counts in row["sums"].items():
                own[key] = np.add(own.get(key, 0), counts)
    return found


def walking_as_stairs(sums: Counts, *, settled: bool = False) -> float:
    """The share of walking that is shown as stairs: of all time, or later than five seconds after its start."""
    wrong, of = sums[WALKING_ONLY][2:] if settled else sums[WALKING_ONLY][:2]
    return float(wrong / of)


def climbs(sums: Counts) -> dict[str, float]:
    """The share of the time of flights that is right, by their seconds; empty for a study without stairs."""
    lengths = sorted(sums.keys() - {WALKING_ONLY}, key=float)
    return {seconds: float(sums[seconds][0] / sums[seconds][1]) for seconds in lengths if sums[seconds][1]}


def cost(studies: Sequence[Counts], walks: float) -> float:
    """The share of wrong time, where people walk for so many seconds for each on stairs."""
    wrong = fmean(walking_as_stairs(sums) for sums in studies)
    missed = fmean(1 - fmean(found.values()) for sums in studies if (found := climbs(sums)))
    return (walks * wrong + missed) / (walks + 1)


def chosen(found: Mapping[str, Mapping[str, Counts]], study: str, walks: float) -> str:
    """The balance with the least cost on all studies but one."""
    others = {name: [sums for other, sums in of.items() if other != study] for name, of in found.items()}
    return min(others, key=lambda name: cost(others[name], walks))


def table(document: Mapping[str, Any], *, split: str) -> str:
    """Walking as stairs, and the share of flights of 6, 10 and 15 s that is right; a row for each balance."""
    found = summed(document["rows"], split)
    studies = sorted(found["as in the zoo"])
    lines = []
    for name, of in found.items():
        cells = []
        for study in studies:
            flights = climbs(of[study])
            shares = [f"{share:.0%}" for share in (flights[key] for key in ("6", "10", "15"))] if flights else []
            cells.append(" / ".join([f"{walking_as_stairs(of[study], settled=True):.1%}", *shares]))
        lines.append([name, *cells])
    return markdown.table(["walking or stairs", *studies], lines)


def choices(document: Mapping[str, Any]) -> str:
    """Which balance the other studies choose for each study, and what it costs there beside that of the zoo."""
    lines = []
    for split, words in pairs.SPLITS.items():
        found = summed(document["rows"], split)
        for walks in WALKING_PER_STAIRS:
            picks = {study: chosen(found, study, walks) for study in sorted(found["as in the zoo"])}
            costs = [cost([found[pick or picks[study]][study] for study in picks], walks)
                     for pick in (*COMPARED, "")]  # fmt: skip
            counts = Counter(picks.values()).most_common()
            names = "; ".join(f"{name} ({count})" for name, count in counts)
            lines.append([words, f"{walks}", *(f"{each:.2%}" for each in costs), names])
    head = [
        "network and", "seconds of walking for one on stairs", "wrong, as in the zoo", f"wrong, {COMPARED[1]}",
        "wrong, as chosen", "chosen, for how many studies",
    ]  # fmt: skip
    return markdown.table(head, lines)


def gains(document: Mapping[str, Any]) -> str:
    """What a balance gains and costs, in points with intervals over the people of a study, or those of each person."""
    lines = []
    for split, words in pairs.SPLITS.items():
        people: dict[tuple[str, str], dict[str, Any]] = {}
        for row in document["rows"]:
            if row["split"] == split and row["balance"] in COMPARED:
                people.setdefault((row["study"], row["person"]), {})[row["balance"]] = row["sums"]
        for study in sorted({name for name, _ in people}):
            own = [sums for (name, _), sums in sorted(people.items(), key=itemgetter(0)) if name == study]
            lengths = sorted(set().union(*(sums[COMPARED[0]] for sums in own)) - {WALKING_ONLY}, key=float)
            cells = []
            for keys, places in ((lengths, (0, 1)), ([WALKING_ONLY], (2, 3))):
                # Of each person, balance and key: what is counted, and of how much.
                counts = np.array([[[[sums[name].get(key, [0] * 4)[place] for place in places] for key in keys]
                                    for name in COMPARED] for sums in own], float)  # fmt: skip
                cells.append(_gain(counts) if keys and counts[..., 1].any() else "")
            lines.append([words, study, f"{len(own)}", *cells])
    return markdown.table(["network and", "study", "people", "flights right", "walking as stairs"], lines)


def _gain(counts: NDArray[np.float64]) -> str:
    """The difference in points of the last balance from the first; counts `(people, balances, keys, 2)`."""

    def points(some: NDArray[np.float64]) -> float:
        hits, of = np.moveaxis(some.sum(axis=0), -1, 0)
        return float(100 * np.diff((hits / np.maximum(of, 1)).mean(axis=1))[0])

    random, found = np.random.default_rng(0), f"{points(counts):+.1f}"
    if len(counts) < FEWEST:
        each = (points(counts[[place]]) for place in np.flatnonzero(counts[:, 0, 0, 1]))
        return f"{found} ({', '.join(f'{gain:+.1f}' for gain in each)})"
    drawn = [points(counts[random.integers(len(counts), size=len(counts))]) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{found} ({low:+.1f} to {high:+.1f})"


def few_people(document: Mapping[str, Any]) -> str:
    """The shares of each person of studies with fewer than ten, by the balances that are compared."""
    people: dict[tuple[str, str, str], list[Counts]] = {}
    for row in sorted(document["rows"], key=lambda row: str(row["person"])):
        if row["balance"] in COMPARED:
            people.setdefault((row["split"], row["study"], row["balance"]), []).append(row["sums"])
    lines = []
    for (split, study, name), own in sorted(people.items(), key=lambda item: item[0][:2]):
        if len(own) < FEWEST:
            walks = ", ".join(f"{100 * walking_as_stairs(sums, settled=True):.1f}" for sums in own)
            flights = [
                ", ".join(f"{100 * climbs(sums)[seconds]:.0f}" for sums in own if climbs(sums))
                for seconds in ("6", "10", "15")
            ]  # fmt: skip
            lines.append([pairs.SPLITS[split], study, name, walks, *flights])
    head = ["network and", "study", "walking or stairs", "walking as stairs, %", *(f"{each} s" for each in (6, 10, 15))]
    return markdown.table(head, lines)


TABLES = {
    **{f"flights, {split}": partial(table, split=split) for split in pairs.SPLITS},
    "flights, few people": few_people,
    "flights, chosen": choices,
    "flights, gains": gains,
}


if __name__ == "__main__":
    main()
