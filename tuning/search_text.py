"""A search for a language model of three words, to copy and edit.

    python tuning/search_text.py --data data2.h5 --out search

After a kill, the same command resumes. From the command line: `zoo tune trigram_lm_best`.
"""

from pathlib import Path

from zoo.recipe import Limits
from zoo.search.run import run_script
from zoo.search.study import Study

STUDY = Study(
    "trigram_lm_best",
    Path("data2.h5"),
    strategy="bayesian",
    trials=30,
    epochs=16,
    limits=Limits(parameters=500_000),
    # Not searched: values of the space, arguments of the model, fields of the recipe.
    settings={"activation": "gelu"},
)

if __name__ == "__main__":
    run_script(STUDY, __doc__)
