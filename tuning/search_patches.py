"""The nine autoencoders of the course by grid, to copy and edit: `python tuning/search_patches.py` also resumes."""

from typing import Any

import zoo

SEARCH: dict[str, Any] = {
    "target": "sparse_autoencoder_course", "data": "data1.h5", "strategy": "grid", "space": "course", "trials": 9,
    "epochs": 200,
}  # fmt: skip

if __name__ == "__main__":
    print(zoo.tune(**SEARCH, out="search", workers=1)["report"])
