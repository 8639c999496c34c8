"""A search for a recognizer that fits a phone, to copy and edit.

    python tuning/search_activity.py --data data3.h5 --out search

After a kill, the same command resumes. From the command line: `zoo tune activity_gru_pocket`.
"""

from pathlib import Path

from zoo.recipe import Limits
from zoo.search.run import run_script
from zoo.search.study import Study

STUDY = Study(
    "activity_gru_pocket",
    Path("data3.h5"),
    strategy="bayesian",
    trials=60,
    epochs=40,
    limits=Limits(bytes=32_000),
    # Not searched: values of the space, arguments of the model, fields of the recipe.
    settings={"num_layers": 1},
)

if __name__ == "__main__":
    run_script(STUDY, __doc__)
