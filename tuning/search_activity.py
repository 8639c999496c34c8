"""A search for a recognizer, to copy and edit: `python tuning/search_activity.py`. The same command resumes it."""

from typing import Any

import zoo

SEARCH: dict[str, Any] = {
    "target": "activity_gru_pocket", "data": "data3.h5", "strategy": "bayesian", "trials": 60, "epochs": 40,
    "limits": {"bytes": 32_000},
    # Not searched: values of the space, arguments of the model, fields of the recipe.
    "settings": {"num_layers": 1},
}  # fmt: skip

if __name__ == "__main__":
    print(zoo.tune(**SEARCH, out="search", workers=1)["report"])
