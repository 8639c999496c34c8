"""A search for a sparse autoencoder, to copy and edit: the nine of the course, by grid.

    python tuning/search_patches.py --data data1.h5 --out search

After a kill, the same command resumes. From the command line:
`zoo tune sparse_autoencoder_course --space course --strategy grid`.
"""

from pathlib import Path

from zoo.search.run import run_script
from zoo.search.study import Study

STUDY = Study(
    "sparse_autoencoder_course",
    Path("data1.h5"),
    strategy="grid",
    space="course",
    trials=9,
    epochs=200,
)

if __name__ == "__main__":
    run_script(STUDY, __doc__)
