"""Early stopping of trials that others are ahead of: successive halving without waiting.

At an eighth, a quarter and half of its epochs a trial is scored. It goes on where its score is in the better half of
all that trials had there so far.

Source: Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020, arXiv:1810.05934, with rungs
that halve and with stopping in place of pausing.
"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import keras

from tuning.records import Record

_RIVALS = 3
"""A median of fewer scores says nothing."""


class StoppedError(Exception):
    """A trial is left before its end, because others are ahead of it."""


def rungs(epochs: int) -> list[int]:
    """After which epochs a trial is scored.

    Example:
        >>> rungs(40), rungs(3)
        ([5, 10, 20], [1, 2])
    """
    return sorted({-(-epochs // share) for share in (8, 4, 2)} - {epochs})


def ahead(score: float, others: Sequence[float], maximize: bool) -> bool:
    """Whether a score is in the better half of others, or nobody can tell yet.

    Example:
        >>> ahead(0.7, [0.5, 0.6, 0.9], maximize=True), ahead(0.7, [0.5, 0.8, 0.9], maximize=True)
        (True, False)
    """
    if len(others) < _RIVALS:
        return True
    return score >= median(others) if maximize else score <= median(others)


class Halving(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stops a training that others are ahead of.

    Args:
        record: Of the trial; gets its score at each rung.
        epochs: Of the trial.
        score: Scores the network that is trained, as it is.
        others: Gives the records of all trials.
        maximize: Whether a greater score is better.

    Raises:
        StoppedError: From `fit`, where the trial is left.
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
        if not ahead(mine, others, self.maximize):
            raise StoppedError(f"{mine:.4f} after epoch {rung}; the median of {len(others)} trials was ahead")
