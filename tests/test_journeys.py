"""A newcomer's recordings, as two apps and a spreadsheet write them, up to the page that `zoo serve` answers with.

A journey is data: who writes the files, with which labels, at which rate; and command lines with what each prints.
"""

import shlex
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from zoo.activity import simulate
from zoo.runtime.metadata import AXES, INERTIAL, STANDARD_GRAVITY, extract

pytestmark = pytest.mark.docs

PEOPLE = ("ann", "ben", "cleo", "dan", "eve")
SECONDS = 14.0
START = 1_767_225_600
"""A second of the year 2026."""


def write(path, names, columns, mark=",", comma=False):
    """Writes a CSV file, or adds to it, with decimal commas where they are asked for."""
    texts = [[f"{value:.5f}" if isinstance(value, float) else str(value) for value in column] for column in columns]
    if comma:
        texts = [[text.replace(".", ",") for text in column] for column in texts]
    lines = [mark.join(row) for row in zip(*texts, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join([*([] if file.tell() else [mark.join(names)]), *lines, ""]))


def sensor_logger(folder, who, label, seconds, rows):
    """A folder for each recording, with a file for each sensor."""
    stamps = [START * 10**9 + round(second * 1e9) for second in seconds]
    still = rows[:, :3] - rows[:, :3].mean(axis=0)
    for sensor, part in (("TotalAcceleration", rows[:, :3]), ("Accelerometer", still), ("Gyroscope", rows[:, 3:])):
        x, y, z = part.T.tolist()
        columns = [stamps, seconds, z, y, x]
        write(folder / who / f"{label}-2026-01-01" / f"{sensor}.csv", ["time", "seconds_elapsed", *"zyx"], columns)


def spreadsheet(folder, who, label, seconds, rows):
    """One file of everybody, in g, with semicolons, decimal commas and milliseconds."""
    columns = [[who] * len(rows), [label] * len(rows), [round(1000 * second) for second in seconds]]
    columns += (rows[:, :3] / STANDARD_GRAVITY).T.tolist()
    names = ["who", "label", "time_ms", "ax", "ay", "az"]
    write(folder / "study.csv", names, columns, mark=";", comma=True)


def phone_page(folder, who, label, seconds, rows):
    """A file for each recording, as the zoo's page downloads it with a model that reads a gyroscope."""
    columns = [seconds, *rows.T.tolist(), [who] * len(rows), [label] * len(rows)]
    write(folder / f"{label}-{who}.csv", ["time", *INERTIAL, "subject", "activity"], columns)


class Journey(NamedTuple):
    """From files to a page: `record` writes recordings at a rate in Hz of one's own labels, each by what the simulated
    people do; command lines are followed by what they print (an error begins with `zoo:`); and the page gets a model
    with such labels, rate and channels.
    """

    record: Callable[..., None]
    rate: float
    activities: dict[str, str]
    steps: tuple[tuple[str, ...], ...]
    shown: tuple[tuple[str, ...], float, tuple[str, ...]]


QUICK = "--set steps=120 --set parts=12 --set batch_size=8 --set augmentation=null --set learning_rate=0.01"
FOLDERS = "--layout '{subject}/{activity}-*/TotalAcceleration.csv'"

JOURNEYS = {
    "Sensor Logger": Journey(
        sensor_logger, 100.0, {"strolling": "walking", "lounging": "sitting", "running": "jogging"},
        (
            ("data import csv recordings --dry-run", "no column for subject (--subject), for activity (--activity)",
             "found time, seconds_elapsed, z, y, x: pass their names, --layout if folders", "zoo: some files would"),
            (f"data import csv recordings {FOLDERS} --dry-run", "| Sensor Logger | x, y, z | m/s^2 | android |",
             "/running-2026-01-01/TotalAcceleration.csv | ann | running | 100.000 | 1,400 |", "**recordings** | 15"),
            (f"data import csv recordings {FOLDERS} -o recordings.h5", "ann, ben, cleo, dan, eve",
             "lounging 70, running 70, strolling 70", "**rates (Hz)** | 100"),
            ("data windows recordings.h5 -o data3.h5 --test-subjects dan", "(lounging 28, running 28, strolling 28)",
             "**training subjects** | ann, ben, cleo, eve", "**test subjects** | dan", "**leaks** | none"),
            (f"train --model activity_gru --units 8 --frame 5 {QUICK} --data data3.h5 --out mine",
             "12 epochs of", "Validation: macro-F1 ",
             "model in mine; next: zoo evaluate mine --data data3.h5"),
            ("evaluate mine --data data3.h5", "21 windows, test set, split by subject", "| random forest |",
             "| lounging | 7 |"),
            ("export mine --data data3.h5 --formats float32 --to exported", "`model.float32.tflite`",
             "compared with Keras on 21 rows of data3.h5"),
            ("predict exported/model.float32.tflite --csv recordings/dan/lounging-2026-01-01/TotalAcceleration.csv",
             "| 9.000 | lounging |"),
        ),
        (("lounging", "running", "strolling"), 50.0, AXES),
    ),
    "spreadsheet": Journey(
        spreadsheet, 25.0, {"treppauf": "upstairs", "rennen": "jogging", "stehen": "standing"},
        (
            ("data import csv recordings/study.csv -o recordings.h5", "zoo: recordings/study.csv: ann, treppauf has a "
             "mean magnitude of 1.", "as in g; expected m/s^2 (about 9.8)", "pass --unit g, or multiply"),
            ("data import csv recordings/study.csv --unit g -o recordings.h5", "| time_ms | ms |",
             "rennen 70, stehen 70, treppauf 70", "**rates (Hz)** | 25"),
            ("data windows recordings.h5 -o data3.h5 --rate 25 --window 75 --hop 25 --test-subjects ben",
             "120 (rennen 40, stehen 40, treppauf 40)", "**rate (Hz)** | 25"),
            ("finetune activity_gru_phone --data data3.h5 --out mine", "zoo: data3.h5: windows of 75 rows at 25 Hz; "
             "activity_gru_phone reads 150 at 50 Hz", "`zoo data windows RECORDINGS --rate 50 --window 150`"),
            (f"train --model activity_cnn {QUICK} --data data3.h5 --out mine", "12 epochs of", "Validation: macro-F1 "),
            ("evaluate mine --data data3.h5", "30 windows, test set", "| rennen |"),
            ("export mine --formats float32 --to exported", "`model.float32.tflite`", "rows of simulated data"),
            ("predict exported/model.float32.tflite --csv recordings/study.csv --unit g", "| stehen |"),
        ),
        (("rennen", "stehen", "treppauf"), 25.0, AXES),
    ),
    "the zoo's page": Journey(
        phone_page, 60.0, {"bike": "jogging", "train": "standing"},
        (
            ("data import csv recordings --gyroscope -o recordings.h5", "| gyro_x, gyro_y, gyro_z | rad/s |",
             "bike 70, train 70", "**axes** | x,y,z,gyro_x,gyro_y,gyro_z"),
            ("data windows recordings.h5 -o data3.h5 --test-fraction 0", "**channels** | 6",
             "no test set: measure by cross-"),
            (f"train --model activity_gru --units 8 --frame 5 {QUICK} --data data3.h5 --out mine",
             "Validation: macro-F1 ", "model in mine; next: zoo export mine --data data3.h5"),
            ("evaluate mine --data data3.h5", "zoo: data3.h5: has no test set: cut other people's recordings"),
            ("export mine --data data3.h5 --formats float32 --to exported", "`model.float32.tflite`"),
            ("predict exported/model.float32.tflite --csv recordings/train-eve.csv", "| 9.000 | train |"),
        ),
        (("bike", "train"), 50.0, INERTIAL),
    ),
}  # fmt: skip


def record(journey, folder):
    """Writes the recordings of all people, each doing everything once."""
    random = np.random.default_rng(0)
    seconds = (np.arange(round(SECONDS * journey.rate)) / journey.rate).tolist()
    for who in PEOPLE:
        person = simulate.Walker.draw(who, random)
        for label, activity in journey.activities.items():
            rows = person.record(activity, SECONDS, journey.rate, random, gyroscope=True).rows.astype(float)
            journey.record(folder, who, label, seconds, rows)


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_newcomer_comes_from_files_to_a_page_with_own_labels(name, zoo_cli, serve, tmp_path, monkeypatch):
    journey = JOURNEYS[name]
    monkeypatch.chdir(tmp_path)
    record(journey, tmp_path / "recordings")
    for line, *printed in journey.steps:
        status, out, err = zoo_cli(*shlex.split(line))
        text = " ".join(f"{out} {err}".split())
        assert status == any(part.startswith("zoo: ") for part in printed), f"zoo {line}: {text}"
        assert [part for part in printed if part not in text] == [], f"zoo {line}: {text}"
    finished, files = serve("exported", "--host", "127.0.0.1")
    assert (finished.status, finished.err) == (0, "stopped\n")
    assert "serving exported/model.float32.tflite\nPhones: https://127.0.0.1:" in finished.out
    known = extract(files["/model.tflite"])
    assert (known.classes, known.rate, known.axes) == journey.shown
