"""A search for a recognizer that fits a phone, to copy and edit.

    python tuning/search_activity.py --data data3.h5 --out search

After a kill, the same command resumes. From the command line: `zoo tune activity_gru_pocket`.
"""

import argparse
from pathlib import Path

from rich.console import Console

from tuning.run import run_search
from tuning.study import Limits, Study


def main() -> None:
    """Searches, and prints where the report is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    parser.add_argument("--out", type=Path, default=Path("search"))
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    study = Study(
        "activity_gru_pocket",
        options.data,
        strategy="bayesian",
        trials=options.trials,
        epochs=options.epochs,
        limits=Limits(bytes=32_000),
        # Not searched: values of the space, arguments of the model, fields of the recipe.
        settings={"num_layers": 1},
    )
    result = run_search(study, options.out, processes=1, console=Console(stderr=True))
    print(result["report"])


if __name__ == "__main__":
    main()
