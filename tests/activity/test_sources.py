"""Files of several apps and people become recordings of the same acceleration, or a question."""

import gzip
import json
import re
import shutil
import time as clock
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import archive, message, refused

import zoo
from zoo.activity import data as windows
from zoo.activity import recordings
from zoo.activity.columns import CsvColumns
from zoo.activity.importing import read_csv
from zoo.activity.recordings import Findings
from zoo.activity.simulate import simulate
from zoo.activity.sources import find_sources
from zoo.errors import ZooError

G = 9.80665
START = 1_767_225_600  # A second of the year 2026.
ANN = CsvColumns(subject="=ann", activity="=walking")


def walk(seconds=4, rate=50, seed=0):
    """Seconds, movement and gravity of a phone in a pocket, m/s^2, Android's sign."""
    time = np.arange(round(seconds * rate)) / rate
    tilt = 0.3 * np.sin(2 * np.pi * 0.9 * time)
    gravity = G * np.stack([np.sin(tilt), np.cos(tilt), np.full_like(time, 0.0)], axis=1)
    return time, np.random.default_rng(seed).normal(0, 2, (len(time), 3)).round(4), gravity


def csv_of(names, columns, mark=",", comma=False):
    texts = [[f"{value:.9f}" if isinstance(value, float) else str(value) for value in column] for column in columns]
    lines = [mark.join(names), *map(mark.join, zip(*texts, strict=True))]
    return "\n".join(line.replace(".", ",") if comma and number else line for number, line in enumerate(lines)) + "\n"


def page(folder, time, moved, gravity):
    x, y, z = (moved + gravity).T
    text = csv_of(["time", "x", "y", "z", "subject", "activity"],
                  [time, x, y, z, ["ann"] * len(x), ["walking"] * len(x)])  # fmt: skip
    (folder / "walk.csv").write_text(text)


def sensor_logger(folder, time, moved, gravity, names=("TotalAcceleration",), packed=False):
    epoch = [START * 10**9 + round(t * 1e9) for t in time]
    sensors = {"TotalAcceleration": moved + gravity, "Accelerometer": moved, "Gravity": gravity,
               "Gyroscope": moved / 9, "AccelerometerUncalibrated": moved + gravity + 0.1}  # fmt: skip
    for name in names:
        x, y, z = sensors.get(name, moved).T
        text = csv_of(["time", "seconds_elapsed", "z", "y", "x"], [epoch, time, z, y, x]).encode()
        (folder / f"{name}.csv{'.gz' * packed}").write_bytes(gzip.compress(text) if packed else text)


IN_PARTS = ("Accelerometer", "Gravity", "Gyroscope")
UNCALIBRATED = ("Accelerometer", "Gravity", "AccelerometerUncalibrated", "HeadMotion", "Brightness")


def phyphox(folder, time, moved, gravity):
    names = ["Time (s)", *(f"Acceleration {axis} (m/s^2)" for axis in "xyz"), "Absolute acceleration (m/s^2)"]
    x, y, z = (moved + gravity).T
    text = csv_of([f'"{name}"' for name in names], [time, x, y, z, x], mark=";", comma=True)
    (folder / "Raw Data.csv").write_text(text, encoding="utf-8-sig")
    (folder / "meta").mkdir()
    (folder / "meta" / "device.csv").write_text("property;value\nversion;1,1\n")


def physics_toolbox(folder, time, moved, gravity):
    x, y, z = (moved + gravity).T / G
    (folder / "walk.csv").write_text(csv_of(["time", "gFx", "gFy", "gFz", "TgF"], [time, x, y, z, x]))


def core_motion(folder, time, moved, gravity):
    columns = np.concatenate([-moved.T / G, -gravity.T / G])
    names = [f"{kind}.{axis}" for kind in ("userAcceleration", "gravity") for axis in "xyz"]
    stamps = [datetime.fromtimestamp(START + t, UTC).isoformat(timespec="microseconds") for t in time]
    (folder / "walk.csv").write_text(csv_of(["timestamp", *names], [stamps, *columns]))


def milliseconds_with_tabs(folder, time, moved, gravity):
    x, y, z = (moved + gravity).T
    stamps = [START * 1000 + round(1000 * t) for t in time]
    (folder / "walk.txt").write_text(csv_of(["timestamp", "accX", "accY", "accZ"], [stamps, x, y, z], mark="\t"))


def time_of_day(folder, time, moved, gravity):
    x, y, z = (moved + gravity).T
    stamps = [f"10:05:{int(t):02d}:{round(t % 1 * 1000):{'03d' if t < 2 else ''}}" for t in time]
    (folder / "walk.csv").write_text(csv_of(["time", "acc_x", "acc_y", "acc_z"], [stamps, x, y, z]))


@pytest.mark.parametrize(
    ("app", "read_as", "unit"),
    [
        (page, "columns known by their names", "m/s^2"),
        (sensor_logger, "Sensor Logger", "m/s^2"),
        (partial(sensor_logger, names=IN_PARTS), "Sensor Logger with gravity", "m/s^2"),
        (partial(sensor_logger, names=UNCALIBRATED), "Sensor Logger with gravity", "m/s^2"),
        (partial(sensor_logger, names=IN_PARTS, packed=True), "Sensor Logger with gravity", "m/s^2"),
        (partial(sensor_logger, names=(*IN_PARTS, "TotalAcceleration")), "Sensor Logger", "m/s^2"),
        (phyphox, "phyphox", "m/s^2"),
        (physics_toolbox, "Physics Toolbox", "g"),
        (core_motion, "Core Motion", "g"),
        (milliseconds_with_tabs, "columns known by their names", "m/s^2"),
        (time_of_day, "columns known by their names", "m/s^2"),
    ],
)
def test_files_of_every_app_become_the_same_recording(tmp_path, app, read_as, unit):
    time, moved, gravity = walk()
    app(tmp_path, time, moved, gravity)
    findings, sources = Findings(), find_sources([tmp_path], ANN)[0]
    ((recording,),) = ([*read_csv(path, columns, findings)] for path, columns in sources)
    (table,) = findings.files
    np.testing.assert_allclose(recording.acceleration, moved + gravity, atol=0.02)
    assert (recording.subject, recording.activity, recording.rate) == ("ann", "walking", 50.0)
    assert (table["read_as"], table["unit"], table["rows"], table["gaps"]) == (read_as, unit, 200, 0)


ANYBODY = CsvColumns(subject="=a", activity="=b")


def read(folder, text, columns=ANYBODY, findings=None):
    """The recordings of a file of this text."""
    (folder / "a.csv").write_text(text)
    return list(read_csv(folder / "a.csv", columns, findings or Findings()))


def rows(stamps, values, names="time,x,y,z"):
    return csv_of(names.split(","), [stamps, *values.T])


def test_columns_in_whose_place_names_are_given_are_said_to_be_unread(tmp_path):
    labels = np.repeat(["walking", "sitting"], len(TIME) // 2)
    text = csv_of(["time", "x", "y", "z", "label"], [TIME, *TOTAL.T, labels])
    says = "rows whose column 'label' is not read, as the activity is given"
    for columns, changed in ((ANN, {says: len(TIME)}), (ANN.replace(activity=None), {})):
        read(tmp_path, text, columns, findings := Findings())
        assert findings.to_json()["changed"] == changed


def test_a_layout_that_says_other_than_the_files_is_doubted_once(tmp_path):
    # Equal but for how letters and accents are written; and a label that changes after many rows.
    said = {"ann": ("sitting",), "ben": ("walking", "sitting"), "jose\u0301": ("Walking",)}
    for seed, (who, labels) in enumerate(said.items()):
        (file := tmp_path / unicodedata.normalize("NFC", who) / "walking" / "a.csv").parent.mkdir(parents=True)
        time, moved, gravity = walk(seconds=40, seed=seed)
        of_row = np.repeat(labels, len(time) // len(labels))
        columns = [time, *(moved + gravity).T, of_row, [who] * len(time)]
        file.write_text(csv_of(["time", "x", "y", "z", "label", "subject"], columns))
    found = zoo.import_csv(tmp_path, layout="{subject}/{activity}/*.csv", dry_run=True).warnings
    (doubt,) = (line for line in found if " says " in line)
    assert "ann/walking/a.csv: column 'label' says 'sitting', too, but the activity is given as 'walking'" in doubt
    assert "So in 1 more files." in doubt


TIME, MOVED, GRAVITY = walk()
TOTAL = MOVED + GRAVITY
LONG, *_PARTS = walk(seconds=24)
FAR = sum(_PARTS)
ODD = np.where(np.arange(200)[:, None] % 25 == 0, np.nan, TOTAL / G)
SLOW = [datetime.fromtimestamp(START + 2 * i, UTC).isoformat() for i in range(200)]
QUESTIONS = {
    "no gravity": (rows(TIME, MOVED), {}, ": averaged over a second, acceleration is 0."),
    "other seconds": (rows([round(1000 * t) for t in TIME], TOTAL), {"time_unit": "s"}, "? Pass time_unit=ms"),
    "whole seconds": (rows([START + int(t) for t in TIME], TOTAL), {}, ": about 50 rows share a time stamp: pass"),
    "slow dates": (rows(SLOW, TOTAL), {}, "time stamps 2 apart give no rate between 5 and 1000 Hz"),
    "feet": (rows(TIME, 3.28 * TOTAL, "time,ax (ft/s^2),ay (ft/s^2),az (ft/s^2)"), {}, "is in 'ft/s^2'"),
    "a magnet": (rows(TIME, 4 * TOTAL, "time,x (\u00b5T),y (\u00b5T),z (\u00b5T)"), {}, "expected m/s^2 or g"),
    "a gyroscope": (rows(TIME, TOTAL, "time,x (rad/s),y (rad/s),z (rad/s)"), {}, "expected m/s^2 or g"),
    "angles": (rows(TIME, TOTAL, "time,x [deg],y [deg],z [deg]"), {}, "expected m/s^2 or g"),
    "two units": (rows(TIME, TOTAL, "time,x (g),y (g),z (m/s^2)"), {}, "are in different units"),
    "feet without a unit": (rows(TIME, 3.28 * TOTAL), {}, "no known unit fits"),
    "another unit": (rows(TIME, 4.6 * TOTAL), {}, "no known unit fits"),
    "thousandths of g": (rows(TIME, 1000 / G * TOTAL), {"unit": "g"}, "no known unit fits"),
    "not in g": (rows(TIME, TOTAL), {"unit": "g"}, "if these are m/s^2, pass unit=m/s^2"),
    "in g": (rows(TIME, TOTAL / G), {}, "as in g; expected m/s^2"),
    "in g with lost values": (rows(TIME, ODD), {}, "unit=g"),
    "in mm/s^2": (rows(TIME, 1000 * TOTAL), {}, "or choose other columns"),
    "turns a minute": (rows(TIME, np.hstack([TOTAL, MOVED]), "time,x,y,z,gx (rpm),gy (rpm),gz (rpm)"),
        {"gyroscope": True}, "is in 'rpm'; expected rad/s or deg/s"),
    "thousandths": (rows([t / 1000 for t in TIME], TOTAL, "time (s),x,y,z"), {}, "make 50000 Hz; expected 5 to 1000"),
    "ten millions": (rows([2e7 * i for i in range(200)], TOTAL, "time (100ns),x,y,z"), {}, "make 0.5 Hz; expected"),
    "row numbers": (rows(range(1200), FAR), {}, "rise by 1 from row to row, as row numbers do"),
    "two units of time": (rows([t if t < 6 else 1000 * t for t in LONG], FAR), {}, "time stamps in several units"),
    "two clocks by turns": (rows([1000 * t if i % 2 else t for i, t in enumerate(LONG)], FAR), {}, "time goes back in"),
    "no order": (rows(np.random.default_rng(0).permutation(LONG), FAR), {}, "time goes back in"),
    "dashes in times": (rows(["2024-06-10 19-21-58_870"] * 200, TOTAL), {}, "expected a time as in 2024-06-10 19:21"),
    "American dates": (rows(["06/10/2024 7:21 PM"] * 200, TOTAL), {}, "or a time as in 2024-06-10 19:21:58.870"),
}  # fmt: skip


def test_a_phone_in_a_hand_that_swings_far_is_in_no_other_unit(tmp_path):
    """Jumping jacks: a typical second averages 2.5 times gravity, a quiet one less than twice."""
    time, moved, gravity = walk(20)
    pull = np.where(time % 5 < 1, 1.8, 2.5)[:, None]
    assert len(read(tmp_path, rows(time, pull * gravity + moved))) == 1


@pytest.mark.parametrize("case", QUESTIONS)
def test_implausible_files_are_questions_with_their_answer(tmp_path, case):
    text, named, answer = QUESTIONS[case]
    assert answer in message(read, tmp_path, text, ANYBODY.replace(**named))


@pytest.mark.parametrize(
    ("names", "unit", "named"),
    [
        ("time,accelX,accelY,accelZ", "m/s^2", {}),
        ("time,accelerometerX,accelerometerY,accelerometerZ", "m/s^2", {}),
        ("time,x (x),y (y),z (z)", "m/s^2", {}),
        ("time,ax [g],ay [g],az [g]", "g", {}),
        ("time,ax (m/s\u00b2),ay (m/s\u00b2),az (m/s\u00b2)", "m/s^2", {}),
        ("time,x (filtered),y (filtered),z (filtered)", "g", {"unit": "g"}),
    ],
)
@pytest.mark.parametrize("labels", ["person,class", "participant,label", "user,activity"])
def test_columns_are_known_by_other_names_and_units(tmp_path, names, unit, named, labels):
    columns = [TIME, *(TOTAL / (G if unit == "g" else 1)).T, ["ann"] * 200, ["walking"] * 200]
    (recording,) = read(tmp_path, csv_of(f"{names},{labels}".split(","), columns), CsvColumns(**named))
    np.testing.assert_allclose(recording.acceleration, TOTAL, atol=1e-3)
    assert (recording.subject, recording.activity) == ("ann", "walking")


def test_rows_in_disorder_are_sorted_and_counted(tmp_path):
    order = (np.random.default_rng(0).permutation(240)[:, None] * 5 + np.arange(5)).ravel()
    stamps, known = LONG[order].tolist(), order
    for lost in (0, 1):
        if lost:
            stamps[700], known = "", np.delete(order, 700)
        (recording,) = read(tmp_path, rows(stamps, FAR[order]), findings=(findings := Findings()))
        assert len(recording.acceleration) == 1200 - lost
        if not lost:
            np.testing.assert_allclose(recording.acceleration, FAR, atol=1e-3)
        assert findings.changed["rows out of the order of time, sorted"] == (known != np.sort(known)).sum()
        assert findings.dropped["rows with a value that is not finite, or that no sensor measures"] == lost


def test_time_of_day_passes_midnight(tmp_path):
    begin = datetime(2026, 1, 1, 23, 59, 50)
    stamps = [(begin + timedelta(seconds=t)).strftime("%H:%M:%S.%f") for t in LONG[:1000]]
    found = read(tmp_path, rows(stamps, FAR[:1000]), findings=(findings := Findings()))
    assert [len(one.acceleration) for one in found] == [500, 500]
    assert [one.start for one in found] == [0, pytest.approx(10)]
    np.testing.assert_allclose(found[0].acceleration, FAR[:500], atol=1e-3)
    assert findings.to_json() == {
        "dropped": {}, "changed": {"restarts of the clock at which a recording was split": 1},
    }  # fmt: skip


@pytest.mark.parametrize("shift", [0, 0.01, 0.004, -9.9])
def test_two_trials_by_clocks_that_restarted_are_not_mixed(tmp_path, shift):
    time, moved, gravity = walk(seconds=10)
    twice = rows(np.concatenate([time + 100, time + 100 + shift]), np.vstack([moved + gravity, gravity - moved]))
    assert [len(one.acceleration) for one in read(tmp_path, twice)] == [500, 500]


def test_a_few_rows_at_an_implausible_rate_are_left_out_and_counted(tmp_path):
    time, moved, gravity = walk(seconds=10)
    text = rows([*time, 0, 20, 40], np.concatenate([moved + gravity, gravity[:3]]))
    (found,) = read(tmp_path, text, findings=(findings := Findings()))
    assert (found.rate, findings.dropped) == (50.0, {"rows between gaps at an implausible rate": 3})


def test_rows_of_several_files_belong_together_by_their_time_even_if_a_rate_is_given(tmp_path):
    time, moved, gravity = walk()
    sensor_logger(tmp_path, time, moved, gravity, names=IN_PARTS)
    (found,) = read_csv(tmp_path / "Accelerometer.csv", ANN.replace(rate=25.0, gyroscope=True))
    np.testing.assert_allclose(found.acceleration, moved + gravity, atol=1e-3)
    np.testing.assert_allclose(found.rotation, moved / 9, atol=1e-3)
    (dated,) = read_csv(tmp_path / "Accelerometer.csv", ANN.replace(time="time", gyroscope=True))
    np.testing.assert_allclose(dated.acceleration, moved + gravity, atol=1e-3)


def test_a_gyroscope_that_ran_for_a_shorter_time_is_not_made_up(tmp_path):
    time, moved, gravity = walk(seconds=20)
    sensor_logger(tmp_path, time, moved, gravity, names=("TotalAcceleration", "Gyroscope"))
    path, findings = tmp_path / "Gyroscope.csv", Findings()
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *lines[100:400], *lines[500:900]]))
    source, columns = tmp_path / "TotalAcceleration.csv", ANYBODY.replace(gyroscope=True)
    found = list(read_csv(source, columns, findings))
    assert [len(one.acceleration) for one in found] == [300, 400]
    np.testing.assert_allclose(found[0].rotation, moved[100:400] / 9, atol=1e-3)
    assert findings.dropped["rows with a value that is not finite, or that no sensor measures"] == 300
    path.write_text("\n".join([head, *(line.replace(",", ",99", 1) for line in lines)]))
    refused(r"Gyroscope\.csv: has no values at the times of the acceleration", list, read_csv(source, columns))


def test_of_several_people_the_one_in_another_unit_is_named(tmp_path):
    whole = np.tile(TOTAL, (40, 1))
    whole[-400:] /= G
    columns = [np.arange(8000) / 50, *whole.T, ["ann"] * 7600 + ["bob"] * 400]
    text = csv_of(["time", "x", "y", "z", "subject"], columns)
    line = message(read, tmp_path, text, CsvColumns(activity="=walking"))
    assert "a.csv: bob, walking has a mean magnitude of 1." in line


def test_a_file_under_two_names_is_not_two_activities(tmp_path):
    page(tmp_path, *walk())
    (tmp_path / "sit.csv").symlink_to("walk.csv")
    says = r"walk\.csv: is the same file as .*sit\.csv, of another person or activity"
    refused(says, find_sources, tmp_path, CsvColumns(subject="=ann"), "{activity}.csv")
    assert len(find_sources(tmp_path, ANN)[0]) == 1


def test_devices_one_after_another_are_recordings_of_their_own_unless_they_name_people(tmp_path):
    who, labels = ["ann"] * 200 + ["ben"] * 200, [["walk", "sit"][i // 20 % 2] for i in range(400)]
    text = csv_of(["time", "x", "y", "z", "device", "label"], [LONG[:400], *FAR[:400].T, who, labels])
    assert [(one.subject, len(one.acceleration)) for one in read(tmp_path, text, ANN)] == [("ann", 200)] * 2
    found = read(tmp_path, text, CsvColumns(subject="device"))
    assert [(one.subject, one.activity) for one in found] == [(who[20 * i], labels[20 * i]) for i in range(20)]


def test_the_zone_of_the_reader_puts_no_change_of_its_clock_into_a_recording(tmp_path, monkeypatch):
    stamps = [datetime.fromtimestamp(1_711_850_396 + i / 50, UTC).isoformat()[:-6] for i in range(400)]
    monkeypatch.setenv("TZ", "Europe/Berlin")
    clock.tzset()
    try:
        (found,) = read(tmp_path, rows(stamps, FAR[:400]))
    finally:
        monkeypatch.undo()
        clock.tzset()
    assert (len(found.acceleration), found.rate) == (400, 50.0)


def test_gravity_in_columns_of_its_own_is_added(tmp_path):
    columns = ANYBODY.replace(x="ux", y="uy", z="uz", gravity=("gx", "gy", "gz"))
    (recording,) = read(tmp_path, rows(TIME, np.hstack([MOVED, GRAVITY]), "t,ux,uy,uz,gx,gy,gz"), columns)
    np.testing.assert_allclose(recording.acceleration, TOTAL, atol=1e-3)
    twice = np.hstack([MOVED + GRAVITY, GRAVITY])
    refused("acceleration has gravity already", read, tmp_path, rows(TIME, twice, "t,ux,uy,uz,gx,gy,gz"), columns)
    refused("columns ux,uy,uz,ux,uy,uz: expected different ones", columns.replace, gravity=("ux", "uy", "uz"))


def test_gravity_in_a_file_of_its_own_is_not_added_twice(tmp_path):
    time, moved, gravity = walk()
    sensor_logger(tmp_path, time, moved + gravity, gravity, names=IN_PARTS)
    says = rf"Accelerometer.csv: acceleration has gravity already: move {tmp_path / 'Gravity.csv'} away"
    refused(says, list, read_csv(tmp_path / "Accelerometer.csv", ANN))


@pytest.mark.parametrize("other", ["Gravity", "Gyroscope"])
def test_sensors_of_two_sessions_in_a_file_each_are_not_mixed(tmp_path, other):
    time, moved, gravity = walk()
    twice = np.tile(time, 2), np.concatenate([moved, moved[::-1]]), np.concatenate([gravity, -gravity])
    first = "Accelerometer" if other == "Gravity" else "TotalAcceleration"
    sensor_logger(tmp_path, *twice, names=(first, other))
    says = rf"{first}.csv and {tmp_path / other}.csv: a clock restarts, .* split both"
    refused(says, list, read_csv(tmp_path / f"{first}.csv", ANN.replace(gyroscope=other == "Gyroscope")))


@pytest.fixture
def study(tmp_path):
    """Files of two people in folders of their own."""
    for seed, name in enumerate(["ann/walk.csv", "ann/walk_2.csv", "ann/bike 1.csv", "ben/walk.csv", "ben/bike.csv"]):
        time, moved, gravity = walk(8, seed=seed)
        (tmp_path / "study" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "study" / name).write_text(rows(time, moved + gravity))
    return tmp_path / "study"


WHOSE = [("ann", "bike"), ("ann", "walk"), ("ann", "walk"), ("ben", "bike"), ("ben", "walk")]
LAYOUT = "{subject}/{activity}*.csv"


def whose(files, layout=LAYOUT, **options):
    """People and activities as the paths name them."""
    sources, _ = find_sources(files, CsvColumns(), layout, **options)
    return sorted((columns.subject.removeprefix("="), columns.activity.removeprefix("=")) for _, columns in sources)


def doubts(files, layout=LAYOUT, **named):
    return find_sources(files, CsvColumns(**named), layout)[1]


def test_a_spreadsheet_among_the_files_is_named_as_left_out(study):
    for name in ("run.csv.1", "run.csv~", "run.CSV.old", "run.log", "run.xlsx"):
        (file := study / "ben" / name).write_bytes(b"PK")
        assert doubts([study]) == [f"left out, as they are no CSV files: 1, such as {file}"]
        file.unlink()


@pytest.mark.parametrize(
    ("name", "is_packed"),
    [("run.7z", False), ("run.csv.bz2", False), ("run.csv.part", False), ("run.json", True), ("packed.zip", True)],
)
def test_what_may_hold_recordings_and_is_not_read_is_named_in_zip_files_too(study, name, is_packed):
    folder = study
    if is_packed:
        folder = archive(study.parent / "all.zip", {"ann/walk.csv": "time,x,y,z\n", f"ann/{name}": b"PK"})
    else:
        for other in (name, "walk.undo.json", "metadata.json", "photo.jpg"):
            (study / "ann" / other).write_bytes(b"PK")
    (doubt,) = (each for each in doubts([folder]) if "left out" in each)
    assert doubt == f"left out, as they are no CSV files: 1, such as {folder / 'ann' / name}"


def test_links_to_folders_and_to_nothing_are_named_as_left_out(study):
    (study / "ben" / "run.csv").symlink_to("gone.csv")
    (study / "cleo").symlink_to("ben")
    (study / ".cache").symlink_to("ben")
    first = study / "ben" / "run.csv"
    assert doubts([study]) == [f"left out, as they are links to folders, or to nothing: 2, such as {first}"]


def test_a_layout_names_people_and_activities(study, monkeypatch):
    assert whose([study]) == WHOSE
    monkeypatch.chdir(study / "ann")
    assert whose([study / "ann" / "walk.csv", study / "ann"]) == WHOSE[:3]
    for name in ("stairs(up)_1", "stairs(down)_1", "tai'chi_2", "u\u0308bung_1"):
        shutil.copy("walk.csv", f"{name}.csv")
    labels = {label for _, label in whose([study])}
    assert labels == {"walk", "bike", "stairs(up)", "stairs(down)", "tai'chi", "\u00fcbung"}
    files = [study / "ann" / name for name in ("P01_stairs_up.csv", "P01_stairs_up_2.csv")]
    for file in files:
        shutil.copyfile("walk.csv", file)
    assert whose(files, "{subject}_{activity}*.csv") == [("P01", "stairs_up")] * 2
    # The ending of a file is no part of a name.
    assert whose([study / "ann" / "walk.csv"], "{subject}/{activity}") == [("ann", "walk")]


def test_a_manifest_names_them_too(study):
    manifest = study / "files.csv"
    manifest.write_text("file;subject;activity\n# of two people\nann/walk.csv;ann;walk\nben/bike.csv;ben;bike\n")
    assert whose([], None, manifest=manifest) == [("ann", "walk"), ("ben", "bike")]
    # Columns have the names that those of recordings may have.
    for names in ("file,person,label,remark", "file,Subject,Activity,time"):
        manifest.write_text(f"{names}\nann/walk.csv,cleo,run,wet\n")
        assert whose([], None, manifest=manifest) == [("cleo", "run")]
        (note,) = find_sources([], CsvColumns(), manifest=manifest)[1]
        assert note == f"columns of {manifest} that are not read: {names.rpartition(',')[2]}"
    manifest.write_text("file,subject,activity,convention\nann/walk.csv,ann,walk,ios\n")
    refused(rf"^{manifest}: column 'convention' is not read", find_sources, [], CsvColumns(), manifest=manifest)
    manifest.write_text("file,subject\nann/walk.csv,ann\nann/run.csv,ann\nann/jog.csv,ann\n")
    refused(r"no such file: .*ann/run.csv, .*ann/jog.csv", find_sources, [], CsvColumns(), manifest=manifest)


STARS = {
    "P1_1.csv and .*/P2_1.csv are read as one subject, P": (["walk/P1_1", "walk/P2_1"], "{activity}/{subject}*.csv"),
    "walk_S1.csv and .*/walk_S2.csv are read as one subject, S": (["walk_S1", "walk_S2"], "{activity}_{subject}*.csv"),
    "P1_walk.csv and .*/P2_walk.csv are read as one subject, P": (["P1_walk", "P2_walk"], "{subject}*_{activity}.csv"),
    "down.csv and .*/stairs 2 up.csv are read as one activity, stairs": (
        ["ann/stairs 2 down", "ann/stairs 2 up"],
        LAYOUT,
    ),
}


@pytest.mark.parametrize("says", STARS)
def test_a_star_that_leaves_out_what_tells_two_names_apart_is_doubted(tmp_path, says):
    names, layout = STARS[says]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.csv").write_text("")
    (note,) = doubts([tmp_path], layout)
    assert re.search(says, note)
    assert "if that is wrong, leave out the star" in note


def test_numbers_and_dates_of_recordings_are_no_names(study):
    for name in ("walk 2026-01-01 at 10 AM", "walk-2026-05-12 May", "walk (3)"):
        shutil.copy(study / "ann" / "walk.csv", study / "ann" / f"{name}.csv")
    assert doubts([study]) == []


def test_an_activity_that_is_called_like_a_file_of_an_app_is_read(study):
    (study / "ann" / "bike 1.csv").rename(study / "ann" / "light.csv")
    # This one is of an app: it has no acceleration.
    (study / "ben" / "light.csv").write_text("time,seconds_elapsed,lux\n1,0.1,20\n")
    assert whose([study]) == sorted([("ann", "light"), *WHOSE[1:]])
    # Other sensors have x, y and z as well.
    for name in ("Gyroscope", "gravity", "Magnetometer"):
        shutil.copy(study / "ben" / "bike.csv", study / "ben" / f"{name}.csv")
    assert len(whose([study])) == len(WHOSE)


def test_a_manifest_states_the_unit_of_each_file(study, tmp_path):
    manifest = study / "files.csv"
    time, moved, gravity = walk(8, seed=9)
    (study / "ben" / "bike.csv").write_text(rows(time, (moved + gravity) / G))
    # A unit for all of them cannot be right.
    for columns in ({}, {"unit": "g"}):
        line = message(zoo.import_csv, study, tmp_path / "a.h5", layout=LAYOUT, columns=columns)
        assert "unit is that of all files: a table with manifest has that of each; or import the others" in line
    lines = ["file,subject,activity,unit", "ann/walk.csv,ann,walk,", "ben/bike.csv,ben,bike, g"]
    manifest.write_text("\n".join(lines))
    made = zoo.import_csv(manifest=manifest, out=tmp_path / "a.h5")
    assert [file["unit"] for file in made.files] == ["m/s^2", "g"]
    refused(r"^unit='g': is named by the layout or the table", zoo.import_csv, manifest=manifest,
            out=tmp_path / "b.h5", columns={"unit": "g"})  # fmt: skip
    manifest.write_text("\n".join([*lines[:2], "ben/bike.csv,ben,bike,mg"]))
    refused(rf"^{manifest}: row 2 below the names: unit is 'mg'; expected m/s\^2 or g", zoo.import_csv,
            manifest=manifest, out=tmp_path / "b.h5")  # fmt: skip


def test_a_layout_takes_endings_in_capitals_and_no_hidden_folders_and_counts_what_it_leaves_out(study):
    (study / "ben" / "walk.csv").rename(study / "ben" / "walk.CSV")
    for hidden in (".git", "__MACOSX"):
        (study / hidden).mkdir()
        (study / hidden / "walk.csv").write_text("time,x,y,z\n")
    (study / "._ann.zip").write_bytes(b"of the system")
    exact = "{subject}/{activity}.csv"
    assert whose([study], exact) == [("ann", "bike 1"), ("ann", "walk"), ("ann", "walk_2"), *WHOSE[3:]]
    assert not any("left out" in doubt for doubt in doubts([study], exact))
    (doubt,) = doubts([study], "ann/{activity}*.csv")
    assert "does not match: 2, such as" in doubt


def test_a_table_of_people_above_their_folders_is_no_recording_at_another_depth(study, tmp_path):
    (study / "a_people.csv").write_text("id,age\nann,20\n")
    says = "1 of 6 files cannot be read, so nothing was written: .*a_people.csv: no column for x"
    refused(says, zoo.import_csv, study, tmp_path / "a.h5", layout=LAYOUT)
    shutil.copy(study / "ann" / "walk.csv", study)
    refused("walk.csv lie in folders of different depth", whose, [study])


def test_a_layout_names_what_is_in_zip_files(study, tmp_path):
    for name in ("ann", "ben"):
        shutil.make_archive(tmp_path / "packed" / name, "zip", study / name)
    assert whose([tmp_path / "packed"], "{subject}.zip/{activity}*.csv") == WHOSE
    assert whose([tmp_path / "packed" / "ann.zip"], "{subject}.zip/{activity}*.csv") == WHOSE[:3]


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{person}/{activity}.csv", "expected {subject} and {activity}, each once"),
        ("*.csv", "expected {subject} and {activity}, each once"),
        ("{subject}*{activity}*.csv", "each once, with a sign between them, as in"),
        ("{subject}{activity}*.csv", "each once, with a sign between them, as in"),
        ("{subject}_{activity}.csv", "matches layout='{subject}_{activity}.csv': found 5 others, such as"),
        ("*a*a*a*a*a*a*a*a*a*a*/{activity}.csv", "expected at most 3 stars between two slashes"),
        ("**a**b**{subject}.csv", "no file that matches layout='**a**b**{subject}.csv'"),
    ],
)
def test_a_layout_that_matches_nothing_is_refused(study, layout, words):
    (study / "ann" / "walk_2.csv").rename(study / "ann" / "walk2.csv")
    assert words in message(find_sources, [study], CsvColumns(), layout)


def test_a_person_who_is_named_twice_is_refused(study):
    (study / "files.csv").write_text("file,subject\nann/walk.csv,ann\n")
    named = CsvColumns(subject="=zoe", activity="=walk")
    for how in ({"files": [study], "layout": "{subject}/*.csv"}, {"files": [], "manifest": study / "files.csv"}):
        refused(r"^subject='=zoe': is named by the layout or the table", find_sources, columns=named, **how)


def test_one_name_for_files_whose_paths_say_otherwise_is_doubted(study):
    (note,) = doubts([study], None, subject="=ann")
    assert note.startswith("all 5 files of 2 folders are read as the subject ann, including ")
    assert doubts([study / "ann"], None, subject="=ann") == doubts([study]) == []
    # A letter of walk.csv names nobody.
    assert doubts([study / "ann"], None, subject="=a") == []
    (note,) = doubts([study / "ann"], None, subject="=ann", activity="=walk")
    assert "all 3 files are read as the activity walk, including bike 1.csv" in note
    assert "'{activity}*.csv'" in note
    (note,) = doubts([study], "{subject}/{activity}.csv")
    assert note.startswith("bike and bike 1 are read as two activities")


@pytest.mark.parametrize(
    ("file", "layout", "taken", "fitting"),
    [
        ("ann/walk-2026-01-01/TotalAcceleration.csv", LAYOUT, "TotalAcceleration for the activity",
         "{subject}/{activity}-*/TotalAcceleration.csv"),
        ("ann-walk-2026-01-01.zip/Accelerometer.csv", "{subject}.zip/{activity}.csv", "Accelerometer for the activity",
         "{subject}-{activity}*.zip/Accelerometer.csv"),
        ("ann/walk_2026.zip/Raw Data.csv", "{activity}.zip/{subject}.csv", "Raw Data for the subject",
         "{subject}/{activity}_*.zip/Raw Data.csv"),
        ("ann/walk/Accelerometer.csv", LAYOUT, "Accelerometer for the activity",
         "{subject}/{activity}/Accelerometer.csv"),
    ],
)  # fmt: skip
def test_a_layout_that_takes_an_apps_name_for_a_person_or_an_activity_is_refused_with_one_that_fits(
    tmp_path, file, layout, taken, fitting
):
    folder = tmp_path / file.rpartition("/")[0]
    folder.parent.mkdir(parents=True, exist_ok=True)
    texts = {file.rpartition("/")[2]: "time,x,y,z\n0.0,0,9.8,0\n"}
    if folder.suffix == ".zip":
        archive(folder, texts)
    else:
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text)
    line = message(find_sources, [tmp_path], CsvColumns(), layout)
    assert line.startswith(f"{tmp_path / file}: layout={layout!r} takes {taken}, ")
    assert line.endswith(f"as in {fitting!r}")
    assert whose([tmp_path], fitting) == [("ann", "walk")]


def test_where_a_layout_was_passed_none_is_advised(tmp_path):
    for who in ("ann", "ben"):
        for label in ("walk", "bike"):
            (tmp_path / f"{who}-{label}-1").mkdir()
            (tmp_path / f"{who}-{label}-1" / "data.csv").write_text("time,x,y,z\n0.0,0,9.8,0\n")
    for layout in ("{subject}/{activity}*/data.csv", "{subject}-*/{activity}.csv"):
        note = doubts([tmp_path], layout)[0]
        assert note.startswith("all 4 files of 4 folders are read as ")
        assert note.endswith("if that is wrong, change the layout, as to '{subject}-{activity}*/data.csv'")
    refused(r"{activity} in layout if folders and file names say", zoo.import_csv, tmp_path, tmp_path / "a.h5",
            layout="{subject}-*/data.csv")  # fmt: skip


def test_a_dry_run_names_what_an_import_would_refuse_once_for_all_files_of_a_kind(study, zoo_cli):
    lines = (study / "ann" / "walk.csv").read_text().splitlines()
    for name, row in (("one", 5), ("two", 77)):
        (study / "ben" / f"{name}.csv").write_text("\n".join([*lines[:row], "0.1,fast,1,2", *lines[row + 1 :]]))
        (study / "ann" / f"odd_{name}.csv").write_text("a,b\n1,2\n")
    (study / "ben" / "copy.csv").write_text("\n".join(lines))
    status, out, _ = zoo_cli("data", "import", "csv", study, "--layout", LAYOUT, "--dry-run", "--json")
    problems = json.loads(out)["problems"]
    assert (status, len(problems), len(json.loads(out)["files"])) == (1, 3, 5)
    for words in ("copy.csv: has the same rows as", "two.csv: column 'x', row 5 ", "odd_two.csv: no column for x"):
        assert any(words in problem for problem in problems)


def test_an_import_names_all_faulty_files_at_once_and_writes_nothing(study, zoo_cli, tmp_path):
    raw, slow = tmp_path / "recordings.h5", study / "ann" / "slow.csv"
    import_all = ("data", "import", "csv", study, "-o", raw, "--layout", LAYOUT)
    for name in "abcde":
        (study / "ben" / f"odd_{name}.csv").write_text("a,b\n1,2\n")
    status, _, err = zoo_cli(*import_all)
    (line,) = err.splitlines()
    assert (status, raw.exists()) == (1, False)
    names = ", ".join(str(study / "ben" / f"odd_{name}.csv") for name in "abc")
    assert line.startswith(f"zoo: 5 of 10 files cannot be read, so nothing was written: {names} and 2 more: no column")
    slow.write_text((study / "ann" / "walk.csv").read_text().replace("\n0.04", "\nsoon", 1))
    status, _, err = zoo_cli(*import_all)
    assert (status, err.count("no column for x"), raw.exists()) == (1, 1, False)
    assert f"6 of 11 files cannot be read, so nothing was written: (1) {slow}: column " in err
    for name in "abcde":
        (study / "ben" / f"odd_{name}.csv").unlink()
    status, _, err = zoo_cli(*import_all)
    assert status == 1
    assert err.startswith(f"zoo: 1 of 6 files cannot be read, so nothing was written: {slow}: column ")
    slow.unlink()
    assert zoo_cli(*import_all)[0] == 0
    before = raw.read_bytes()
    (study / "ben" / "odd.csv").write_text("a,b\n1,2\n")
    for how in ("--force", "--append"):
        assert zoo_cli(*import_all, how)[0] == 1
    assert raw.read_bytes() == before


def test_files_that_cannot_be_read_can_be_left_out_and_are_counted_and_named(study, zoo_cli, tmp_path):
    raw, odd, slow = tmp_path / "recordings.h5", study / "ben" / "odd.csv", study / "ann" / "slow.csv"
    import_all = ("data", "import", "csv", study, "-o", raw, "--layout", LAYOUT)
    odd.write_text("a,b\n1,2\n")
    # Its first recording is sound, and its second one is in another unit.
    time, moved, gravity = walk(20, seed=7)
    scale = np.where(time > 10, 1 / G, 1.0)[:, None]
    slow.write_text(rows(time + 60 * (time > 10), (moved + gravity) * scale))
    status, _, err = zoo_cli(*import_all)
    assert (status, raw.exists()) == (1, False)
    assert err.rstrip().endswith("; or import the others with --skip-unreadable")
    for how in (("--dry-run",), ()):
        status, out, err = zoo_cli(*import_all, "--skip-unreadable", *how)
        assert (status, "files that cannot be read (2)" in out) == (0, True)
        assert "2 of 7 files cannot be read, and are left out: (1)" in err
        assert str(odd) in err
        assert str(slow) in err
    written = recordings.read_recordings(raw)
    assert (len(written), written.provenance["source"].partition(" #")[0]) == (5, "5 CSV files")
    made = zoo.import_csv(study, raw, layout=LAYOUT, skip_unreadable=True, force=True)
    assert (made.recordings, made.dropped["files that cannot be read"], len(made.warnings)) == (5, 2, 1)
    # What a file held that was left out is no copy in another one.
    (study / "ann" / "whole.csv").write_text(rows(time, moved + gravity))
    assert zoo.import_csv(study, raw, layout=LAYOUT, skip_unreadable=True, force=True).recordings == 6
    slow.unlink()
    status, _, err = zoo_cli(*import_all, "--force")
    assert (status, f"so nothing was written: {odd}: no column" in err) == (1, True)
    assert err.rstrip().endswith("; or import the others with --skip-unreadable")
    refused("^(?!.*skip_unreadable)", zoo.import_csv, odd, raw, layout=LAYOUT, force=True)
    (odd.parent / "odder.csv").write_text("a\n")
    none = [odd, odd.parent / "odder.csv"]
    refused(
        "2 of 2 files cannot be read, so", zoo.import_csv, none, raw, layout=LAYOUT, skip_unreadable=True, force=True
    )
    # A folder that is cut into windows has no such option.
    refused("^(?!.*skip_unreadable).*cannot be read.*zoo data import csv", zoo.cut_windows, study, tmp_path / "w.h5")


def test_a_zip_file_that_is_damaged_is_a_file_that_cannot_be_read(study, tmp_path):
    damaged, out = study / "ann" / "run.zip", tmp_path / "a.h5"
    damaged.write_bytes(b"PK\x03\x04" + bytes(50))
    line = message(zoo.import_csv, study, out, layout=LAYOUT)
    assert f"1 of 6 files cannot be read, so nothing was written: {damaged}: cannot be unpacked" in line
    assert line.endswith("; or import the others with skip_unreadable")
    made = zoo.import_csv(study, out, layout=LAYOUT, skip_unreadable=True)
    assert (made.recordings, made.dropped["files that cannot be read"], len(made.warnings)) == (5, 1, 1)
    assert str(damaged) in made.warnings[0]
    refused("run.zip: cannot be unpacked", zoo.import_csv, damaged, out, subject="=a", activity="=b", force=True)


@pytest.mark.parametrize(
    ("problem", "scale"), [("as in g", 1 / G), ("no known unit fits", 1e6), ("has the same rows as before", 1.0)]
)
def test_a_message_about_several_files_names_each_path_once(problem, scale, study, tmp_path):
    for seed, name in enumerate(("ann", "ben"), 20):
        time, moved, gravity = walk(8, seed=seed)
        again = [time, time + 60] if scale == 1 else [time]
        values = np.vstack([scale * (moved + gravity)] * len(again))
        (study / name / "odd.csv").write_text(rows(np.concatenate(again), values))
    line = message(zoo.import_csv, study, tmp_path / "a.h5", layout=LAYOUT)
    assert f"so nothing was written: {study / 'ann' / 'odd.csv'}, {study / 'ben' / 'odd.csv'}: " in line
    assert problem in line
    assert line.count("odd.csv") == 2


def test_of_several_copies_each_is_named_with_its_original(study):
    for name in ("p1run", "p2run"):
        time, moved, gravity = walk(8, seed=int(name[1]))
        (study / f"{name}.csv").write_text(rows(time, moved + gravity))
        shutil.copy(study / f"{name}.csv", study / f"{name[:2]}walk.csv")
    made = zoo.import_csv(sorted(study.glob("p*")), layout="{subject}.csv", activity="=walk", dry_run=True)
    found = [re.findall(r"p\d\w+", problem) for problem in made.to_json()["problems"]]
    assert found == [["p1walk", "p1run"], ["p2walk", "p2run"]]


@pytest.mark.parametrize("name", ["walk.csv.gz", "walk.csv"])
def test_what_is_packed_within_a_zip_file_and_utf_32_are_read(study, tmp_path, name):
    text = (study / "ann" / "walk.csv").read_text()
    content = gzip.compress(text.encode()) if name.endswith("gz") else text.encode("utf-32")
    packed = archive(tmp_path / "ann.zip", {name: content})
    assert zoo.import_csv(packed, tmp_path / "a.h5", layout="{subject}.zip/{activity}*").recordings == 1


def test_rows_that_were_interpolated_or_sorted_do_not_count_as_left_out(study, zoo_cli, zoo_json, tmp_path):
    names, *rows = (study / "ann" / "walk.csv").read_text().splitlines()
    # Time and what is lost; two rows in the wrong order; and one whose time stamp comes twice.
    rows[10] = rows[10].split(",")[0] + ",,,"
    rows[50], rows[51] = rows[51], rows[50]
    rows.insert(80, rows[80])
    (study / "ann" / "walk.csv").write_text("\n".join([names, *rows]))
    options = ("data", "import", "csv", study, "--layout", LAYOUT)
    for how in (("-o", tmp_path / "a.h5"), ("--dry-run",)):
        found = zoo_json(*options, *how)
        assert found["dropped"] == {"rows whose time stamp does not rise": 1}
        assert found["changed"] == {
            "rows out of the order of time, sorted": 2, "rows with lost values, interpolated": 1,
        }  # fmt: skip
        lines = zoo_cli(*options, *how, *["--force"] * (how[0] == "-o"))[1].splitlines()
        (dropped,) = (line for line in lines if "left out" in line)
        assert "does not rise (1)" in dropped
        assert "interpolated" not in dropped
        assert any("read, but changed" in line for line in lines)


def test_recordings_are_added_to_a_file(study, zoo_cli, tmp_path):
    raw = tmp_path / "recordings.h5"
    add = ("data", "import", "csv", "-o", raw, "--layout", LAYOUT, "--append")
    for file, how, refusal in (
        ("ann/walk.csv", (), ""),
        ("ann/bike 1.csv", (), "subject ann is in"),
        ("ann/bike 1.csv", ("--same-people",), ""),
        ("ben", (), ""),
        ("ann/walk.csv", ("--same-people",), "has the same rows as"),
    ):
        status, _, err = zoo_cli(*add, study / file, *how)
        assert (status, refusal in err, "--same-people" in err) == (bool(refusal), True, "subject" in refusal)
    found = [(one.subject, one.activity) for one in recordings.read_recordings(raw)]
    assert found == [("ann", "walk"), ("ann", "bike"), ("ben", "bike"), ("ben", "walk")]


def test_files_of_recordings_are_joined_and_people_of_different_files_never_share_an_id(study, zoo_cli, tmp_path):
    files = (tmp_path / "a.h5", tmp_path / "b.h5")
    for file, who in zip(files, ("ann", "ben"), strict=True):
        zoo.import_csv(study / who, file, subject="=1", layout="{activity}*.csv")
    cut = ("data", "windows", "-o", tmp_path / "ours.h5")
    status, _, err = zoo_cli(*cut, *files)
    assert status == 1
    assert "subject 1 is in more than one file: pass --same-people" in err
    assert "--different-people for a/1, b/1" in err
    assert zoo_cli(*cut, *files, "--different-people", "--test-subjects", "b/1").status == 0
    data = windows.from_file(tmp_path / "ours.h5")
    assert (data.train.people(), data.test.people(), data.classes) == (["a/1"], ["b/1"], ("bike", "walk"))
    same = recordings.join(*map(recordings.read_recordings, files), same_people=True)
    assert (set(same.subjects.tolist()), len(same), len(list(same))) == ({"1"}, 5, 5)
    np.testing.assert_allclose(same.seconds, 8)
    twice = ([files[0], files[0]], tmp_path / "x.h5")
    refused("has the same rows as", zoo.cut_windows, *twice, same_people=True, test_fraction=0)


STEADY = ["0.1,9.8,0.2", "0.2,9.8,0.1"] * 100
REFUSED = {
    "a rate that no phone has": (["x,y,z", *STEADY], {"rate": 0.01}),
    "thousands with a point": (
        ["time;x;y;z", *(f"{f'{20 * i:,}'.replace(',', '.')};{row.replace(',', ';')}" for i, row in enumerate(STEADY))],
        {"time_unit": "ms"},
    ),
    "a person of 1,500 letters": (["x,y,z", *STEADY], {"rate": 50.0, "subject": "=" + "a" * 1500}),
    "a label with a comma": (["x,y,z", *STEADY], {"rate": 50.0, "activity": "=walk, fast"}),
    "a person who cannot be written": (["x,y,z", *STEADY], {"rate": 50.0, "subject": "=\udcff"}),
}  # fmt: skip


@pytest.mark.parametrize("how", ["append", "force"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_no_command_reads_replaces_no_file(tmp_path, case, how):
    lines, named = REFUSED[case]
    out, good, path = tmp_path / "out.h5", tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("\n".join(["x,y,z", *STEADY]))
    path.write_text("\n".join(lines))
    who = {"subject": "=ann", "activity": "=sitting"}
    zoo.import_csv(good, out, rate=50.0, **who)
    before = out.read_bytes()
    refused(r"bad\.csv|rate", zoo.import_csv, path, out, same_people=True, **{how: True}, **who | named)
    assert out.read_bytes() == before


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(st.floats(0, 1e4, width=32).map(lambda value: round(value, 3)), min_size=2, max_size=30),
    st.text(max_size=30), st.text(max_size=30), st.sampled_from([None, 0.1, 50.0, 1e5]),
)  # fmt: skip
def test_what_is_imported_is_read(tmp_path_factory, stamps, who, what, rate):
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.csv").write_text("\n".join(["time,x,y,z", *(f"{stamp},0,9.8,0" for stamp in stamps)]))
    out = folder / "out.h5"
    try:
        made = zoo.import_csv(folder / "a.csv", out, subject=f"={who}", activity=f"={what}", rate=rate)
    except ZooError:
        assert not out.exists()
    else:
        assert len(recordings.read_recordings(out)) == made.recordings


def test_recordings_too_short_for_a_window_are_pointed_out(tmp_path):
    path, names = tmp_path / "a.csv", ["time", "x", "y", "z", "subject", "activity"]

    def write(seconds):
        stamps = LONG[:400] + 10 * (LONG[:400] // seconds)
        path.write_text(csv_of(names, [stamps, *FAR[:400].T, ["ann"] * 400, ["sitting"] * 400]))

    write(2)
    for how in ({"out": tmp_path / "out.h5"}, {"dry_run": True}):
        (warning,) = zoo.import_csv(path, **how).warnings
        assert warning.startswith("4 of 4 recordings are shorter than 5 s")
    write(6)
    cut = zoo.cut_windows(tmp_path, tmp_path / "data3.h5", classes="sitting", test_fraction=0)
    assert cut.warnings[0].startswith("1 of 2 recordings are shorter than 5 s")


def test_the_source_counts_files_and_does_not_name_them(study):
    out, first, second = (study.parent / "out.h5", study / "ann" / "walk.csv", study / "ann" / "walk_2.csv")
    who = {"subject": "=ann", "activity": "=walking"}
    for files, append, source in (
        (study / "ann", False, r"3 CSV files #\w{8}"),
        ([first, first, second], False, r"2 CSV files #\w{8}"),
        (study / "ann" / "bike 1.csv", True, r"2 CSV files #\w{8}; 1 CSV file #\w{8}"),
    ):
        zoo.import_csv(files, out, **who, force=not append, append=append, same_people=append)
        assert re.fullmatch(source, recordings.read_recordings(out).provenance["source"])
    for file in (first, second):
        zoo.import_csv(file, file.with_suffix(".h5"), **who)
    parts = [recordings.read_recordings(file.with_suffix(".h5")) for file in (first, second)]
    one, other = recordings.join(*parts, same_people=True).provenance["source"].split("; ")
    assert (one.partition("#")[0], one == other) == ("1 CSV file ", False)


def test_the_source_of_a_file_says_what_was_in_it_and_stays_short(tmp_path):
    path, out, many = tmp_path / "a.csv", tmp_path / "out.h5", "; ".join(f"1 CSV file #{n:08x}" for n in range(50))

    def source(who="ann", content=9.8, **how):
        path.write_text("\n".join(["x,y,z", *[f"0,{content},0"] * 200]))
        zoo.import_csv(path, out, subject=f"={who}", activity="=sitting", rate=50.0, **how)
        return recordings.read_recordings(out).provenance["source"]

    first, other, again = (source(content=content, force=True) for content in (9.8, 9.7, 9.8))
    assert (first == again, first == other) == (True, False)
    recordings.write_recordings(out, recordings.read_recordings(out), source=many)
    long = source("ben", append=True)
    assert len(long) <= 1000
    assert "and others, all with the hash #" in long


def test_people_with_a_comma_in_their_name_are_named_in_quotes_or_in_a_list(zoo_cli, tmp_path):
    raw, names = tmp_path / "recordings.h5", ("Doe, Jane", "Doe, John", "ann")
    people = [
        recordings.Recording(f"{who} {label}", who, label, 50.0, FAR[:800].astype(np.float32) + place / 8 + len(label))
        for place, who in enumerate(names)
        for label in ("walk", "still")
    ]
    recordings.write_recordings(raw, people, source="a test")
    cut = ("data", "windows", raw, "--force", "-o", tmp_path / "data3.h5")
    for words in (('"Doe, Jane", "Doe, John"',), ('"Doe, Jane"', "--test-subjects", '"Doe, John"')):
        assert zoo_cli(*cut, "--test-subjects", *words).status == 0
        assert windows.from_file(tmp_path / "data3.h5").test.people() == ["Doe, Jane", "Doe, John"]
    data = zoo.cut_windows(raw, tmp_path / "own.h5", test_subjects=["Doe, Jane"]).data
    assert data.test.people() == ["Doe, Jane"]
    status, _, err = zoo_cli(*cut, "--test-subjects", "Doe, Jane")
    assert (status, '"Doe, Jane"' in err, len(err.splitlines())) == (1, True, 1)


def walked(rate=50.0, seconds=60):
    """Seconds and acceleration of a simulated walk."""
    walk = next(each for each in simulate(1, seed=0, seconds=seconds) if each.activity == "walking")
    values = walk.resampled(rate).astype(float)
    return np.arange(len(values)) / rate, values


@pytest.mark.parametrize(
    ("rate", "answer"), [(50, "make 500 Hz, more than most phones do"), (20, "make 200 Hz"), (10, "make 100 Hz")]
)
def test_hundredths_of_a_second_do_not_pass_as_milliseconds(tmp_path, rate, answer):
    time, values = walked(rate)
    text = rows(list(np.round(100 * time)), values)
    found = message(read, tmp_path, text)
    assert answer in found
    assert re.search(rf"rate \(?{rate}\b", found)
    (recording,) = read(tmp_path, text, ANYBODY.replace(rate=float(rate)))
    assert recording.rate == rate


def test_milliseconds_without_a_unit_are_doubted_where_nobody_moves(tmp_path):
    time, values = walked()
    mean = values.mean(axis=0)
    still = mean + 0.02 * (values - mean)
    for name, header, acceleration, start in (
        ("still", "time", still, 0), ("walk", "time", values, 0), ("stated", "time_ms", still, 0),
        ("dated", "time", still, 1.7e12),
    ):  # fmt: skip
        text = rows(list(np.round(1000 * time + start)), acceleration, f"{header},x,y,z")
        (tmp_path / f"{name}.csv").write_text(text)

    def about_units(*names):
        files = [tmp_path / f"{name}.csv" for name in names]
        found = zoo.import_csv(files, tmp_path / "a.h5", subject="=ann", activity="=b", force=True)
        return [each for each in found.warnings if "unit" in each]

    (doubt,) = about_units("still")
    assert "still.csv" in doubt
    assert "read as ms (50 Hz)" in doubt
    # Movement in a file of the same kind shows that the unit is right.
    for files in (("walk",), ("still", "walk"), ("stated",), ("dated",)):
        assert not about_units(*files)
