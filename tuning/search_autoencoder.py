"""A search for a sparse autoencoder, to copy and edit: the nine of the course, by grid.

    python tuning/search_autoencoder.py --data data1.h5 --out search

After a kill, the same command resumes. From the command line:
`zoo tune sparse_autoencoder_course --space course --strategy grid`.
"""

import argparse
from pathlib import Path

from rich.console import Console

from tuning.run import run_search
from tuning.study import Study


def main() -> None:
    """Searches, and prints where the report is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data1.h5"))
    parser.add_argument("--out", type=Path, default=Path("search"))
    parser.add_argument("--trials", type=int, default=9)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args()
    study = Study(
        "sparse_autoencoder_course",
        options.data,
        strategy="grid",
        space="course",
        trials=options.trials,
        epochs=options.epochs,
        # Every cell of the grid is trained to its end.
        halving=False,
    )
    result = run_search(study, options.out, processes=1, console=Console(stderr=True))
    print(result["report"])


if __name__ == "__main__":
    main()
