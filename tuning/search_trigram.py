"""A search for a language model of three words, to copy and edit.

    python tuning/search_trigram.py --data data2.h5 --out search

After a kill, the same command resumes. From the command line: `zoo tune trigram_lm_best`.
"""

import argparse
from pathlib import Path

from rich.console import Console

from tuning.run import run_search
from tuning.study import Limits, Study


def main() -> None:
    """Searches, and prints where the report is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data2.h5"))
    parser.add_argument("--out", type=Path, default=Path("search"))
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=16)
    options = parser.parse_args()
    study = Study(
        "trigram_lm_best",
        options.data,
        strategy="bayesian",
        trials=options.trials,
        epochs=options.epochs,
        limits=Limits(parameters=500_000),
        # Not searched: values of the space, arguments of the model, fields of the recipe.
        settings={"activation": "gelu"},
    )
    result = run_search(study, options.out, processes=1, console=Console(stderr=True))
    print(result["report"])


if __name__ == "__main__":
    main()
