"""Proposals of a network for a whole recording at once, and what it learns from answers.

The network reads windows half a second apart, in batches, up to its last layer: these features are computed once. The
last layer, which learns, makes probabilities of them. They pass the filter of the stream, forward and backward, as both
ends of a recording are known; the mean of the two logarithms has its changes where they are, not some seconds late:

    log p = (log forward + log backward) / 2 + constant

The confidence of a stretch is the mean probability that the network itself gives its label: the filter is sure within
seconds, also of movements that the network does not know. benchmarks/labeling.py counts how often it is right.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.activity.cutting import Windowing
from zoo.activity.evaluation import BATCH, recognizer_of
from zoo.activity.finetuning import fitted_head
from zoo.activity.recordings import Recording
from zoo.errors import ZooError
from zoo.labeling.day import DIGITS, Day, Stretch, runs
from zoo.loading import load
from zoo.runtime.filtering import Filter
from zoo.runtime.metadata import AXES
from zoo.runtime.personal import SHARES, held_back, helpful_share

_EVERY = 0.5
"""Seconds between two windows."""
_MOST_WINDOWS = 2000
"""Windows from which a last layer learns: more of a long stretch say the same again."""
_PARTS = 5
"""Parts of the only recording, each of which is judged by what is learned from the others."""
_TINY = 1e-30

Floats = NDArray[np.floating[Any]]
Head = tuple[Floats, Floats]
"""The kernel `(F, K)` and the bias `(K,)` of a last layer."""


@dataclass
class Read:
    """What the network read of a part of a recording: `features (N, F)` at `times (N,)`, the centers of windows."""

    start: float
    end: float
    times: Floats
    features: Floats

    def between(self, start: float, end: float) -> "Read":
        """What was read of windows with their center between two times."""
        inside = (self.times >= start) & (self.times < end)
        return Read(start, end, self.times[inside], self.features[inside])


class Proposer:
    """Proposes labels, and learns new ones.

    Args:
        model: A preset, a folder or a `.keras` file of a recognizer of three channels.

    Raises:
        ZooError: If there is no such recognizer.
    """

    def __init__(self, model: str | os.PathLike[str]) -> None:
        loaded = load(model)
        network = recognizer_of(loaded)
        self.name, self.metadata = loaded.name, loaded.metadata
        if network.channels != AXES:
            raise ZooError(f"{loaded.name}: reads {', '.join(network.channels)}; expected a model of {', '.join(AXES)}")
        self._features = keras.Model(network.input, network.get_layer("logits").input)
        kernel, bias = (weights.astype(np.float64) for weights in network.last_weights)
        # What a prior adds is added after the division by the temperature.
        self._known: Head = (kernel, bias + network.temperature * network.prior_shift)
        self._head: Head = self._known
        self._temperature, self._share = network.temperature, 1.0
        self.classes = self._base = list(network.classes)
        self._windowing = Windowing(network.window, max(1, round(_EVERY * network.rate)), network.rate, trim=0)

    def read(self, recordings: Sequence[Recording]) -> Iterator[Read]:
        """Reads the parts of a recording, each as soon as it is asked for."""
        windowing = self._windowing
        for recording in recordings:
            rows, parts = recording.resampled(windowing.rate), [np.zeros((0, len(self._head[0])), np.float32)]
            # Windows overlap: all of a day would fill the memory.
            for first in range(0, len(rows) - windowing.window + 1, BATCH * windowing.hop):
                part = rows[first : first + (BATCH - 1) * windowing.hop + windowing.window]
                parts.append(np.asarray(self._features.predict_on_batch(windowing.cut(part))))
            start, end = round(recording.start, DIGITS), round(recording.start + recording.seconds, DIGITS)
            features = np.concatenate(parts)
            centers = np.arange(len(features)) * windowing.hop + windowing.window / 2
            yield Read(start, end, start + centers / windowing.rate, features)

    def _probabilities(self, features: Floats, kernel: Floats, bias: Floats) -> Floats:
        return np.asarray(softmax((features @ kernel + bias) / self._temperature, axis=1))

    def propose(self, parts: Sequence[Read]) -> list[Stretch]:
        """The stretches that are proposed for a recording."""
        return [stretch for part in parts for stretch in self._of_part(part, self._head)]

    def _of_part(self, part: Read, head: Head) -> list[Stretch]:
        if not len(part.times):
            return [Stretch(part.start, part.end)]
        answers = self._probabilities(part.features, *head)
        groups = self.metadata.streaming.groups if [*self.metadata.classes] == self.classes else ()

        def filtered(rows: Floats) -> Floats:
            states = Filter(self.classes, groups, _EVERY)
            return np.log(np.maximum([states.update(row) for row in rows], _TINY))

        both = softmax((filtered(answers) + filtered(answers[::-1])[::-1]) / 2, axis=1)
        best = both.argmax(axis=1)
        edges = np.concatenate([[part.start], (part.times[1:] + part.times[:-1]) / 2, [part.end]]).round(DIGITS)
        labels = [self.classes[number] for number in best]
        return runs(edges.tolist(), labels, answers[np.arange(len(best)), best].tolist())

    def learn(self, parts: Sequence[Sequence[Read]], days: Sequence[Day]) -> dict[str, Any]:
        """Learns the last layer from what was decided in several recordings; new labels get outputs of their own.

        As much of it is kept as helps on windows that were held back, as on the phone; if a label is new, all of it is.
        Returns `windows`, `labels` and `share`.
        """
        features, labels = _answered(parts, days)
        if len(set(labels)) < 2:
            raise ZooError("all that has a label has the same one: decide about two activities or more")
        new = sorted({*labels} - {*self._base})
        self.classes = [*self._base, *new]
        # Of a new label there is nothing to keep.
        truth = self._numbers(labels)
        self._share = 1.0 if new else self._helpful(features, truth)
        self._head = self._learned(features, truth)(self._share)
        return {"windows": len(labels), "labels": sorted(set(labels)), "share": self._share}

    def judge(self, parts: Sequence[Sequence[Read]], days: Sequence[Day]) -> list[list[Stretch]]:
        """What is guessed of stretches with a label, for each recording, by last layers that learned without them.

        Each recording is left out once; of one alone, each of some parts. A label that is nowhere else is not judged.
        """
        labeled = [(number, one) for number, day in enumerate(days) for one in day if one.label]
        several = len({number for number, _ in labeled}) > 1
        folds = [number if several else _PARTS * place // len(labeled) for place, (number, _) in enumerate(labeled)]
        judged: list[list[Stretch]] = [[] for _ in days]
        for fold in sorted(set(folds)):
            out = [one for one, its in zip(labeled, folds, strict=True) if its == fold]
            rest = [[one for one in day if (number, one) not in out] for number, day in enumerate(days)]
            # A rest without a whole window teaches nothing.
            with suppress(ZooError):
                features, labels = _answered(parts, rest)
                head = self._learned(features, self._numbers(labels))(self._share)
                for number, one in out:
                    pieces = (part.between(one.start, one.end) for part in parts[number] if one.label in labels)
                    judged[number] += [found for piece in pieces for found in self._of_part(piece, head)]
        return judged

    def _learned(self, features: Floats, truth: NDArray[np.int64]) -> Callable[[float], Head]:
        """What is learned from windows: the last layer by the share of it, from 0, what was known, to 1."""
        missing = len(self.classes) - len(self._base)
        kernel, bias = (np.pad(w, [(0, 0)] * (w.ndim - 1) + [(0, missing)]) for w in self._known)
        learned, added = fitted_head(features, truth, kernel, bias)
        return lambda share: (kernel + share * (learned - kernel), bias + share * (added - bias))

    def _helpful(self, features: Floats, truth: NDArray[np.int64]) -> float:
        """The share of what is learned that helps on windows that are held back."""
        if not (parts := held_back(truth, folds=3)):
            return 1.0
        tried = list[Floats]()
        for part in parts:
            head = self._learned(features[~part], truth[~part])
            tried.append(np.stack([self._probabilities(features[part], *head(share)) for share in (0.0, *SHARES)]))
        return helpful_share(np.concatenate(tried, axis=1), np.concatenate([truth[part] for part in parts]))

    def _numbers(self, labels: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.classes.index(label) for label in labels], np.int64)


def _answered(parts: Sequence[Sequence[Read]], days: Sequence[Sequence[Stretch]]) -> tuple[Floats, list[str]]:
    """Features and labels of windows that lie in stretches with a label, not more of each label than suffice."""
    found = [
        (inside, str(one.label)) for reads, day in zip(parts, days, strict=True)
        for one, part in product((one for one in day if one.label), reads)
        if len(inside := part.between(one.start, one.end).features)
    ]  # fmt: skip
    if not found:
        raise ZooError("nothing has a label yet: decide about some stretches first")
    features = np.concatenate([rows for rows, _ in found])
    labels = np.repeat([label for _, label in found], [len(rows) for rows, _ in found])
    by_label = [np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())]
    most = max(1, _MOST_WINDOWS // len(by_label))
    chosen = [places[np.linspace(0, len(places) - 1, min(most, len(places))).astype(int)] for places in by_label]
    return features[np.concatenate(chosen)], labels[np.concatenate(chosen)].tolist()
