"""Early stopping of trials: asynchronous successive halving.

A trial is scored at an eighth, a quarter and half of its epochs. It continues if its score is in the better half of the
scores that other trials have had there.

Source: Li et al., A system for massively parallel hyperparameter tuning, MLSys 2020, arXiv:1810.05934, with rungs
that halve and with stopping in place of pausing.
"""

from collections.abc import Sequence
from statistics import median

from zoo.search.records import Record

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


def require_better_half(record: Record, rung: int, others: Sequence[Record], maximize: bool) -> None:
    """Stops a trial whose score at a rung is in the worse half.

    Args:
        record: Record of the trial, with its score at the rung.
        rung: Epoch after which the trial was scored.
        others: Records of all trials.
        maximize: Whether a greater score is better.

    Raises:
        StoppedError: If the trial is stopped.
    """
    name = str(rung)
    mine = record["rungs"][name]
    scores = [other["rungs"][name] for other in others if other["trial"] != record["trial"] and name in other["rungs"]]
    if not in_better_half(mine, scores, maximize):
        raise StoppedError(f"{mine:.4f} after epoch {rung}; the median of {len(scores)} trials was better")
