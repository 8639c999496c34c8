r"""Whether a recognizer should adapt to a person's walking without labels.

    python saved_models/make.py --data DATA --scratch build/phone --streams activity_gru_phone   # trains the networks
    python benchmarks/adaptation.py --scratch build/phone | tee benchmarks/adaptation.json
    python benchmarks/adaptation.py --page docs/research/activity.md  # writes its tables into the page

The features of a person's walking differ from those of the people of the training. If stairs differ by the same vector
(Fadel et al., 2019), taking it from all features of the person helps. The last layer is linear, so that a vector taken
from its inputs is one taken from its outputs:

    m_p = mean of log p(t) over moments of regular walking of a person so far
    m_0 = the same of the people of the training
    d   = n / (n + prior) (m_p - m_0), of n windows
    p'  = softmax(log p - d)

Walking is what the adapted stream shows as walking; it is regular if the autocorrelation of the magnitude over the last
three seconds has a peak of at least `REGULAR` at the length of a step or of two. `stairs` moves stairs against walking
and no other class, `all` moves every class.

The networks of two cross-validations answer the streams of people, and of studies, that they were not trained on. A
person's recordings of one activity follow each other, walking first or stairs first, and d goes on from one to the
next. Adaptation stays if, over the studies with stairs and equally weighted, the 90% interval of the paired difference
of settled time that is right lies above 0, no study's interval lies wholly below 0, no study of ten or more people
loses over a point, and walking shown as stairs in GeoTec and Oxford does not rise by over a point.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
import pairs
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from zoo.report import markdown

REGULAR, LEAST_MOVEMENT, STEPS = 0.7, 1.0, (0.4, 1.3)
"""Least autocorrelation and standard deviation (m/s^2) of walking that is learned from, and the lags in seconds."""
REFERENCE_SECONDS = 60.0
"""Of each walk of the people of the training, at most."""
NONE = "none"
ORDERS = {"walking first": ("walking",), "stairs first": ("downstairs", "stairs", "upstairs")}
STAIRS_STUDIES = ("dsads", "motionsense", "selfback", "wisdm")
WALKING_STUDIES = ("geotec", "oxford")
DRAWS, ENOUGH, MOST_LOST = 2000, 10, 0.01
"""Draws of people for an interval, how many people it takes, and the share that no study may lose."""


@dataclass(frozen=True)
class Variant:
    """How much the training's walking counts, in windows, and which classes move."""

    prior: float
    moved: str


VARIANTS = {
    f"{moved}, prior {prior:g}": Variant(prior, moved) for moved in ("stairs", "all") for prior in (20.0, 50.0)
}  # fmt: skip
SHARES = ("right", "walking_as_stairs", "stairs_as_walking")
KINDS = ("flights of 6", "flights of 10", "turns")
"""Kinds of streams that are measured beside recordings of one activity."""
SHOWN = {
    "flights of 6 s right": ("flights of 6", "right"), "of 10 s": ("flights of 10", "right"),
    "stairs as walking, in turns": ("turns", "stairs_as_walking"),
    **{f"alone, {order}": (order, "stairs_as_walking") for order in ORDERS},
}  # fmt: skip
"""Columns of the second table: a kind of stream, and a share."""
Numbers = NDArray[np.float64]


@dataclass
class Adapted:
    """A person's walking so far, against that of the training."""

    variant: Variant | None
    reference: Numbers
    classes: Sequence[str]
    total: Numbers = field(init=False)
    windows: float = 0.0

    def __post_init__(self) -> None:
        self.total = np.zeros_like(self.reference)

    def answer(self, logs: Numbers) -> Numbers:
        """Adapted probabilities of log probabilities."""
        if self.variant is not None and self.windows:
            moved = (self.total - self.windows * self.reference) / (self.windows + self.variant.prior)
            if self.variant.moved == "stairs":
                against = moved - moved[self.classes.index("walking")]
                moved = np.where([name in ORDERS["stairs first"] for name in self.classes], against, 0.0)
            logs = logs - moved
        found = np.exp(logs - logs.max())
        return found / found.sum()

    def learn(self, logs: Numbers, windows: float) -> None:
        """Takes in a moment of regular walking that is worth a part of a window."""
        self.total += windows * logs
        self.windows += windows


def regular(one: pairs.Answered, metadata: Any) -> NDArray[np.bool_]:
    """At which moments of a stream the last window is regular movement."""
    rows = np.concatenate([rows for _, rows in one.stretches])[:, :3]
    magnitude = np.linalg.norm(rows, axis=1)
    ends = np.round(one.times * metadata.rate).astype(int)
    size = metadata.window
    found = np.zeros(len(ends), bool)
    whole = ends >= size - 1
    windows = sliding_window_view(magnitude, size)[ends[whole] - size + 1]
    windows = windows - windows.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(windows, 2 * size)
    correlation = np.fft.irfft(spectra * spectra.conj())[:, :size] / np.arange(size, 0, -1)
    first, last = (round(seconds * metadata.rate) for seconds in STEPS)
    peak = correlation[:, first : last + 1].max(axis=1) / np.maximum(correlation[:, 0], 1e-9)
    found[whole] = (peak >= REGULAR) & (correlation[:, 0] >= LEAST_MOVEMENT**2)
    return found


def logs_of(one: pairs.Answered) -> Numbers:
    """Log probabilities of a stream."""
    return np.log(np.maximum(one.answers.astype(np.float64), 1e-12))


def walking_of(answered: Sequence[pairs.Answered], metadata: Any) -> Numbers:
    """The mean log probabilities over people of their regular walking, where the network takes it for walking."""
    people: dict[str, list[Numbers]] = {}
    for one in answered:
        kept = regular(one, metadata) & (one.answers.argmax(axis=1) == metadata.classes.index("walking"))
        if kept.any():
            people.setdefault(f"{one.study}/{one.person}", []).append(logs_of(one)[kept])
    return np.mean([np.concatenate(parts).mean(axis=0) for parts in people.values()], axis=0)


def in_order(answered: Sequence[pairs.Answered], first: Sequence[str]) -> list[pairs.Answered]:
    """A person's recordings, those of some activities first."""
    return sorted(answered, key=lambda one: one.stretches[0][0] not in first)


def counted(
    answered: Sequence[pairs.Answered], metadata: Any, reference: Numbers, alike: Sequence[Sequence[int]]
) -> Iterator[dict[str, Any]]:
    """Of each study, person and kind of stream, the moments of each share, then its hits, for none and each variant."""
    import measured_streams

    from zoo.activity.streaming import judged
    from zoo.runtime.metadata import CLASSES
    from zoo.runtime.streaming import Shown

    allowed = measured_streams.right_labels(metadata.classes, alike)
    known, seconds = {*CLASSES, "stairs"}, metadata.frame / metadata.rate
    worth = metadata.frame / metadata.window
    for (study, person), group in groupby(answered, key=lambda one: (one.study, one.person)):
        own = [*group]
        alone = [one for one in own if one.kind == "alone" and one.stretches[0][0] in known]
        kinds = {name: in_order(alone, first) for name, first in ORDERS.items()}
        kinds |= {one.kind: [one] for one in own if one.kind in KINDS}
        able = {id(one): (logs_of(one), regular(one, metadata)) for parts in kinds.values() for one in parts}
        for kind, parts in kinds.items():
            hits: dict[str, list[int]] = {share: [] for share in SHARES}
            for variant in (None, *VARIANTS.values()):
                adapted, moments = Adapted(variant, reference, metadata.classes), dict.fromkeys(SHARES, 0)
                for counts in hits.values():
                    counts.append(0)
                for one in parts:
                    states = Shown(metadata, metadata.streaming, metadata.stream_threshold, seconds)
                    predictions = []
                    for time, logs, steady in zip(one.times.tolist(), *able[id(one)], strict=True):
                        predictions.append(states.update(time, adapted.answer(logs)))
                        if steady and predictions[-1].label == "walking":
                            adapted.learn(logs, worth)
                    stream = judged(predictions, metadata.rate, one.stretches, allowed, person)
                    counted = measured_streams.on_stairs(stream) if kind.startswith("flights") else stream.settled
                    for share in SHARES:
                        of, among = measured_streams.SHARES[share]
                        kept = among(stream.truth, stream.labels) & counted
                        moments[share] += int(kept.sum())
                        hits[share][-1] += int((of(stream.truth, stream.labels) & kept).sum())
            sums = {share: [moments[share], *hits[share]] for share in SHARES if moments[share]}
            yield {"study": study, "person": person, "kind": kind, "sums": sums}


def measure(scratch: Path, file: Path) -> list[dict[str, Any]]:
    """The sums of a finished fold of a cross-validation, whose network is beside its record."""
    import measured_streams

    model, metadata, record, files = pairs.fold_of(scratch, file)
    everyone = {f"{study}/{person}" for study, person in people_of(files)}
    trained = everyone - set(record["subjects"])
    length = round(REFERENCE_SECONDS * metadata.rate)
    walks = (
        (study, kind, person, [(activity, rows[:length]) for activity, rows in stretches])
        for study, kind, person, stretches in measured_streams.signals_of(metadata, files, trained, record["group"])
        if kind == "alone" and stretches[0][0] == "walking"
    )  # fmt: skip
    reference = walking_of([*pairs.answers_of(model, metadata, walks)], metadata)
    signals = measured_streams.signals_of(metadata, files, record["subjects"], record["group"])
    answered = sorted(pairs.answers_of(model, metadata, signals), key=lambda one: (one.study, one.person))
    return [*counted(answered, metadata, reference, record.get("indistinct", ()))]


def people_of(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Study and person of everyone in some files."""
    from zoo.activity import recordings

    for study, file in files.items():
        for person in {each.subject for each in recordings.read_recordings(file).recordings}:
            yield study, person


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/phone"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, TABLES)
        return
    command = "python benchmarks/adaptation.py --scratch build/phone"
    print(json.dumps(pairs.of_folds(command, measure, options.scratch)))


Sums = Mapping[str, NDArray[np.int64]]
"""By person, the moments of a share, then its hits without and by each variant."""


def of_kind(document: Mapping[str, Any], split: str, kind: str, share: str) -> dict[str, Sums]:
    """The sums of people who have such moments in a kind of stream, by study."""
    found: dict[str, dict[str, NDArray[np.int64]]] = {}
    for row in document["rows"]:
        if (row["split"], row["kind"]) == (split, kind) and share in row["sums"]:
            found.setdefault(row["study"], {})[row["person"]] = np.array(row["sums"][share])
    return found


def pooled(people: Sums) -> Numbers:
    """The shares of the time of all people together, without and by each variant."""
    moments, *hits = np.sum([*people.values()], axis=0)
    return np.array(hits) / moments


@dataclass(frozen=True)
class Verdict:
    """What a variant changes: the mean over studies and of each, with 90% intervals, and walking shown as stairs."""

    gain: float
    interval: tuple[float, float]
    studies: dict[str, tuple[int, float, float]]
    """People, gain, and the upper end of its interval."""
    stairs: dict[str, float]
    worse: int

    @property
    def stays(self) -> bool:
        """Whether the rule is passed."""
        return (
            self.interval[0] > 0
            and all(high >= 0 for _, _, high in self.studies.values())
            and all(gain >= -MOST_LOST for people, gain, _ in self.studies.values() if people >= ENOUGH)
            and all(rise <= MOST_LOST for rise in self.stairs.values())
        )


def judge(document: Mapping[str, Any], split: str, order: str, variant: str) -> Verdict:
    """What a variant changes of recordings of one activity in an order."""
    place, random = 1 + [NONE, *VARIANTS].index(variant), np.random.default_rng(0)
    right = of_kind(document, split, order, "right")
    each = {
        study: np.array([(own[place] - own[1]) / own[0] for own in right[study].values()]) for study in STAIRS_STUDIES
    }
    drawn = {study: own[random.integers(len(own), size=(DRAWS, len(own)))].mean(axis=1) for study, own in each.items()}
    low, high = np.percentile(np.mean([*drawn.values()], axis=0), [5, 95])
    walks = {study: pooled(people) for study, people in of_kind(document, split, order, "walking_as_stairs").items()}
    return Verdict(
        float(np.mean([own.mean() for own in each.values()])), (float(low), float(high)),
        {study: (len(own), float(own.mean()), float(np.percentile(drawn[study], 95))) for study, own in each.items()},
        {study: float(walks[study][place - 1] - walks[study][0]) for study in WALKING_STUDIES},
        sum(int((own < -MOST_LOST).sum()) for own in each.values()),
    )  # fmt: skip


def points(share: float) -> str:
    """A difference of shares in points; zero has one sign."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def verdicts(document: Mapping[str, Any]) -> str:
    """A row for each network, order and variant, in points."""
    lines = []
    for split, words in pairs.SPLITS.items():
        for order in ORDERS:
            for name in VARIANTS:
                found = judge(document, split, order, name)
                low, high = (100 * end for end in found.interval)
                cells = [f"{100 * found.gain:+.2f} ({low:+.2f} to {high:+.2f})"]
                cells += [points(found.studies[study][1]) for study in STAIRS_STUDIES]
                cells += [points(found.stairs[study]) for study in WALKING_STUDIES]
                lines.append([words, order, name, *cells, f"{found.worse}", "yes" if found.stays else "no"])
    head = ["network and", "order", "moves", "right, mean of studies (90%)", *STAIRS_STUDIES,
            *(f"{study}, walking as stairs" for study in WALKING_STUDIES), "people worse by over a point",
            "passes"]  # fmt: skip
    return markdown.table(head, lines)


def short_flights(document: Mapping[str, Any]) -> str:
    """How much of the time of short flights is right, and how much of stairs is shown as walking."""
    lines = []
    for split, words in pairs.SPLITS.items():
        shares = [
            np.mean([pooled(people) for people in of_kind(document, split, kind, share).values()], axis=0)
            for kind, share in SHOWN.values()
        ]
        names = (NONE, *VARIANTS)
        lines += [[words, name, *(f"{own[place]:.1%}" for own in shares)] for place, name in enumerate(names)]
    return markdown.table(["network and", "moves", *SHOWN], lines)


TABLES = {"adaptation": verdicts, "adaptation, flights": short_flights}


if __name__ == "__main__":
    main()
