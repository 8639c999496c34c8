"""Writes what the phones of a class would have sent: recordings of simulated people."""

from pathlib import Path

import numpy as np

from zoo.activity.simulate import Walker
from zoo.serving.collection import Collection

random, collection = np.random.default_rng(0), Collection(Path("class"))
for number, name in enumerate(("Ann", "Ben", "Cleo", "Dan", "7")):
    person = Walker.draw(name, random)
    for place, label in enumerate(("walking", "sitting", "stairs")):
        activity = "upstairs" if label == "stairs" else label
        rows = person.record(activity, 20, 50.0, random).acceleration.tolist()
        lines = [f"{i / 50:.2f},{x:.3f},{y:.3f},{z:.3f},{name},{label}\n" for i, (x, y, z) in enumerate(rows)]
        collection.add(f"{number:08}{place:08}", "".join(["time,x,y,z,subject,activity\n", *lines]).encode())
