"""A search for a language model, to copy and edit: `python tuning/search_text.py`. The same command resumes it."""

from typing import Any

import zoo

SEARCH: dict[str, Any] = {
    "target": "trigram_lm_best", "data": "data2.h5", "strategy": "bayesian", "trials": 30, "epochs": 16,
    "limits": {"parameters": 500_000},
    # Not searched: values of the space, arguments of the model, fields of the recipe.
    "settings": {"activation": "gelu"},
}  # fmt: skip

if __name__ == "__main__":
    print(zoo.tune(**SEARCH, out="search", workers=1)["report"])
