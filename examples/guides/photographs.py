"""Writes photographs that stand in for yours: those of scikit-learn, in halves."""

from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images

Path("photographs").mkdir(exist_ok=True)
for number, picture in enumerate(load_sample_images().images):
    for side in (0, 1):
        half = picture[:, 320 * side : 320 * (side + 1)]
        Image.fromarray(half).save(f"photographs/{number}{side}.png")
