"""An hour of a person who does not exist, for docs/guides/label.md, as Sensor Logger exports it, with notes.

    python examples/guides/label.py

writes the folder `hour`, and what comes of it if that person accepts all notes: `labeled` and `ours.h5`; and the folder
`tuesday`, ten minutes of another person who does not exist, in place of another day.
"""

from pathlib import Path

import numpy as np

from zoo.activity.columns import CsvColumns
from zoo.activity.simulate import walk_through
from zoo.labeling.session import open_session

PARTS = (
    ("sitting", 540), ("walking", 420), ("upstairs", 40), ("standing", 180), ("downstairs", 40), ("walking", 300),
    ("jogging", 480), ("walking", 240), ("standing", 120), ("sitting", 900), ("walking", 340),
)  # fmt: skip
"""Activities and their seconds: an hour."""
RATE = 100
STARTED = 1_748_937_600
"""Seconds since 1970."""


def record(folder: Path, shorter: int = 1, seed: int = 7, hours: int = 1) -> None:
    """Writes the hour into a folder, one that is shorter by a factor, or several hours of the same parts."""
    folder.mkdir(exist_ok=True)
    parts = [(activity, max(20, seconds // shorter)) for activity, seconds in PARTS * hours]
    rows = np.concatenate(
        [
            walk_through([activity], float(seconds), RATE, seed + place // len(PARTS))[0]
            for place, (activity, seconds) in enumerate(parts)
        ]
    )  # fmt: skip
    lines, notes = ["time,seconds_elapsed,z,y,x"], ["time,seconds_elapsed,text,millisecond_press_duration"]
    for number, (x, y, z) in enumerate(rows.tolist()):
        lines.append(f"{(STARTED * RATE + number) * 10**9 // RATE},{number / RATE:.2f},{z:.4f},{y:.4f},{x:.4f}")
    elapsed = 0.0
    for activity, seconds in parts:
        # Whoever walks takes some seconds to write that down.
        noted = elapsed + 3
        notes.append(f"{int((STARTED + noted) * 10**9)},{noted:.1f},{activity},80")
        elapsed += seconds
    (folder / "TotalAcceleration.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "Annotation.csv").write_text("\n".join(notes) + "\n", encoding="utf-8")


def label(folder: Path, out: Path) -> None:
    """Accepts all notes of the hour, as its person does on the page."""
    session, _ = open_session([folder], CsvColumns(subject="=ann"), Path("labeled"), out)
    for at, stretch in enumerate(session.shown(0)["stretches"]):
        if stretch["note"]:
            session.act(0, {"do": "accept", "at": at, "version": session.shown(0)["version"]})
    session.save()


if __name__ == "__main__":
    record(Path("hour"))
    label(Path("hour"), Path("ours.h5"))
    record(Path("tuesday"), shorter=6, seed=8)
