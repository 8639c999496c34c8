"""Writes recordings that stand in for yours: those of simulated people, five of them with a gyroscope."""

import csv
from pathlib import Path

import numpy as np

from zoo.activity.simulate import Walker
from zoo.runtime.metadata import CLASSES

random = np.random.default_rng(0)
for name in ("ann", "ben", "cleo", "dan", "eve", "fay", "gil", "hal", "ida", "jon"):
    person, gyroscope = Walker.draw(name, random), name >= "fay"
    axes = ("ax", "ay", "az", "gx", "gy", "gz") if gyroscope else ("x", "y", "z")
    with Path(f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *axes, "who", "label"])
        time = 0.0
        for label in CLASSES:
            for row in person.record(label, 20, 50.0, random, gyroscope=gyroscope).rows:
                writer.writerow([f"{time:.2f}", *(f"{value:.3f}" for value in row), name, label])
                time += 1 / 50
