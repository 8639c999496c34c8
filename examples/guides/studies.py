"""Writes files that stand in for the downloads: simulated people in the layouts of WISDM and of Oxford."""

from zipfile import ZipFile

import numpy as np

from zoo.activity.simulate import Walker

random = np.random.default_rng(0)
codes = {"A": "walking", "B": "jogging", "C": "upstairs", "D": "sitting", "E": "standing"}
with ZipFile("wisdm-dataset.zip", "w") as file:
    for who in (1600, 1604, 1606, 1607):
        person, lines = Walker.draw(str(who), random), []
        for code, label in codes.items():
            for x, y, z in person.record(label, 30, 20.0, random).acceleration:
                lines.append(f"{who},{code},{len(lines) * 50_000_000},{x:.4f},{y:.4f},{z:.4f};\n")
        file.writestr(f"wisdm-dataset/raw/phone/accel/data_{who}_accel_phone.txt", "".join(lines))
with ZipFile("DataSet.zip", "w") as file:
    walk = Walker.draw("jamie", random).record("walking", 60, 200.0, random).acceleration
    lines = [f"{i * 5_000_000},3,{x:.4f},{y:.4f},{z:.4f}\n" for i, (x, y, z) in enumerate(walk)]
    file.writestr("DataSet/optimisation/data/Pixel_Jamie_Hard_FrontPocket_1/accelerometer.csv", "".join(lines))
