"""Early stopping of trials: asynchronous successive halving.

A trial is scored at an eighth, a quarter and half of its epochs. It continues if its score is in the better half of the
scores that other trials have had there.

Source: Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020, arXiv:1810.05934, with rungs
that halve and with stopping in place of pausing.
"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import keras

from tuning.records import Record

_FEWEST = 3
"""Number of other scores below which no trial is stopped."""


class StoppedError(Exception):
    """A trial is stopped early, because its score is worse than the median."""


def rungs(epochs: int) -> list[int]:
    """Returns the epochs after which a trial is scored.

    Example:
        >>> rungs(40), rungs(3)
        ([5, 10, 20], [1, 2])
    """
    return sorted({-(-epochs // share) for share in (8, 4, 2)} - {epochs})


def in_better_half(score: float, others: Sequence[float], maximize: bool) -> bool:
    """Returns whether a score is in the better half of others, or there are too few others.

    Example:
        >>> in_better_half(0.7, [0.5, 0.6, 0.9], True), in_better_half(0.7, [0.5, 0.8, 0.9], True)
        (True, False)
    """
    if len(others) < _FEWEST:
        return True
    return score >= median(others) if maximize else score <= median(others)


class Halving(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stops a trial whose score is in the worse half.

    Args:
        record: Record of the trial, whose `rungs` receive the scores.
        epochs: Number of epochs of the trial.
        score: Function that scores the network that is being trained.
        others: Function that returns the records of all trials.
        maximize: Whether a greater score is better.

    Raises:
        StoppedError: From `fit`, if the trial is stopped.
    """

    def __init__(
        self, record: Record, epochs: int, score: Callable[[Any], float], others: Callable[[], list[Record]],
        maximize: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.record, self.rungs, self.score, self.others, self.maximize = record, rungs(epochs), score, others, maximize

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: D102
        if epoch + 1 not in self.rungs:
            return
        rung = str(epoch + 1)
        mine = self.record["rungs"][rung] = self.score(self.model)
        others = [
            record["rungs"][rung]
            for record in self.others()
            if record["trial"] != self.record["trial"] and rung in record["rungs"]
        ]
        if not in_better_half(mine, others, self.maximize):
            raise StoppedError(f"{mine:.4f} after epoch {rung}; the median of {len(others)} trials was better")
