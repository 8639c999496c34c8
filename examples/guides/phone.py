"""Writes files that stand in for yours: windows of simulated people, and recordings as the phone page saves them."""

from pathlib import Path

import numpy as np

import zoo
from zoo.activity.simulate import Walker

zoo.simulate("activity", "data3.h5", subjects=6, seconds=20)
random = np.random.default_rng(0)
Path("minutes").mkdir()
for name in ("ann", "ben", "cleo", "dan", "eve"):
    person = Walker.draw(name, random)
    for label in ("walking", "sitting", "upstairs"):
        rows = person.record(label, 60, 50.0, random).acceleration.tolist()
        lines = [f"{i / 50:.2f},{x:.3f},{y:.3f},{z:.3f},{name},{label}\n" for i, (x, y, z) in enumerate(rows)]
        Path(f"minutes/{name}-{label}.csv").write_text("".join(["time,x,y,z,subject,activity\n", *lines]))
