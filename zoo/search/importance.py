"""The importance of hyperparameters: permutation importance in a random forest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from zoo.search.records import Record

_FEWEST = 12
_REPEATS = 20
_INACTIVE = -1.0


def searched(records: Sequence[Record]) -> list[str]:
    """Lists the hyperparameters with more than one value, in the order of the space."""
    names = dict.fromkeys(name for record in records for name in record["values"] if not name.startswith("tuner/"))
    return [name for name in names if len({repr(record["values"].get(name)) for record in records}) > 1]


def progress(record: Record, maximize: bool) -> tuple[float, float]:
    """Returns a sort key of trials, by which those that reached a later rung rank above those that were stopped."""
    last = record["score"] if record["status"] == "scored" else [*record["rungs"].values()][-1]
    reached = np.inf if record["status"] == "scored" else float(len(record["rungs"]))
    return reached, last if maximize else -last


def importance(records: Sequence[Record], maximize: bool) -> dict[str, Any]:
    """Computes the importance of hyperparameters: how much worse a forest predicts ranks when one is shuffled.

    Args:
        records: Records of trials. Those without a score at any epoch are left out.
        maximize: Whether a greater score is better.

    Returns:
        `parameters`, each with its `mean` and `deviation`, the greatest first; `explained`, the share of the ranks'
        variance that the forest explains on held-out trials; `trials`. There are no parameters if there are too few
        trials.

    Source: Breiman, Random forests, Machine Learning 45, 2001.
    """
    known = [record for record in records if record["status"] in ("scored", "stopped")]
    names = searched(known)
    if len(known) < _FEWEST or not names:
        return {"parameters": {}, "explained": None, "trials": len(known)}
    order = sorted(range(len(known)), key=lambda place: progress(known[place], maximize))
    ranks = np.empty(len(known))
    ranks[order] = np.linspace(0, 1, len(known))
    inputs = np.column_stack([_column([record["values"].get(name) for record in known]) for name in names])
    forest = RandomForestRegressor(300, min_samples_leaf=3, max_features=0.5, oob_score=True, random_state=0)
    forest.fit(inputs, ranks)
    found = permutation_importance(forest, inputs, ranks, n_repeats=_REPEATS, random_state=0)
    order = np.argsort(-found.importances_mean, kind="stable").tolist()
    return {
        "parameters": {
            names[i]: {"mean": float(found.importances_mean[i]), "deviation": float(found.importances_std[i])}
            for i in order
        },
        "explained": float(forest.oob_score_), "trials": len(known),
    }  # fmt: skip


def _column(values: Sequence[Any]) -> NDArray[np.float64]:
    """Encodes values as numbers: words by their order, and inactive hyperparameters by a value of their own."""
    words = sorted({value for value in values if isinstance(value, str)})
    return np.array([
        _INACTIVE if value is None else float(words.index(value)) if isinstance(value, str) else float(value)
        for value in values
    ])  # fmt: skip
