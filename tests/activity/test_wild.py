"""Recordings of the wild: what could be read in two ways is a question, and what a sensor did wrong is counted."""

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from running import archive, message

import zoo
from zoo.activity import recordings
from zoo.activity.checks import Faults
from zoo.activity.columns import time_reader
from zoo.activity.simulate import simulate
from zoo.recipe import Columns
from zoo.runtime.metadata import STANDARD_GRAVITY

RATE = 50
WALK = next(each for each in simulate(1, seed=0, seconds=20) if each.activity == "walking").rows.astype(float)
TIMES = np.arange(len(WALK)) / RATE
ANN = {"subject": "=ann", "activity": "=walking"}
YEAR_2024 = 1_704_067_200


def csv_of(names, *columns):
    lines = (",".join(f"{value:.9g}" if isinstance(value, float) else str(value) for value in row)
             for row in zip(*(list(column) for column in columns), strict=True))  # fmt: skip
    return "\n".join([names, *lines]) + "\n"


def acceleration(rows=WALK):
    return [axis.tolist() for axis in rows.T]


def imported(tmp_path, text, **named):
    """What an import of a file wrote, and its recordings."""
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    columns = {name: named.pop(name) for name in Columns.model_fields if name in named}
    made = zoo.import_csv(path, tmp_path / "out.h5", columns=columns, force=True, **named)
    return made, list(recordings.read_recordings(made.path))


def question(tmp_path, text, **named):
    return message(lambda: imported(tmp_path, text, **named))


# Time stamps

FILETIME, TICKS = (YEAR_2024 + 11_644_473_600) * 10**7, (YEAR_2024 + 62_135_596_800) * 10**7
DATED = {
    "FILETIME": [FILETIME + 200_000 * i for i in range(len(WALK))],
    "ticks of .NET": [TICKS + 200_000 * i for i in range(len(WALK))],
    "microseconds of Chrome": [FILETIME // 10 + 20_000 * i for i in range(len(WALK))],
    "nanoseconds of Unix": [YEAR_2024 * 10**9 + 20_000_000 * i for i in range(len(WALK))],
}


@pytest.mark.parametrize("clock", DATED)
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_the_epochs_of_clocks_show_the_unit_of_their_time_stamps(tmp_path, clock, scale):
    # A phone at rest does not show it by its movement.
    rows = WALK.mean(axis=0) + scale * (WALK - WALK.mean(axis=0))
    made, (found,) = imported(tmp_path, csv_of("time,x,y,z", DATED[clock], *acceleration(rows)), **ANN)
    assert (found.rate, made.warnings) == (50.0, [])


FRACTIONS = {
    "decimals without zeros at their end": lambda ms: f".{ms:03d}".rstrip("0").rstrip("."),
    "milliseconds without zeros": lambda ms: f".{ms}",
    "milliseconds after a colon": lambda ms: f":{ms:03d}",
    "milliseconds after a colon, without zeros": lambda ms: f":{ms}",
    "hundredths without zeros": lambda ms: f",{ms // 10}",
    "hundredths after a colon": lambda ms: f":{ms // 10:02d}",
    "hundredths after a colon, without zeros": lambda ms: f":{ms // 10}",
}


@pytest.mark.parametrize("day", ["", "2024-06-10 ", "10.06.2024 "])
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_fractions_of_clocks_are_read_with_and_without_zeros(tmp_path, fraction, day):
    times = [divmod(20 * row, 1000) for row in range(len(WALK))]
    stamps = [f"{day}9:05:{second:02d}{FRACTIONS[fraction](ms)}".replace("10 9", "10 09") for second, ms in times]
    quoted = [f'"{stamp}"' for stamp in stamps]
    made, (found,) = imported(tmp_path, csv_of("time,x,y,z", quoted, *acceleration()), **ANN)
    assert (found.rate, len(found.rows), made.warnings) == (50.0, len(WALK), [])


def test_what_fractions_of_clocks_are_is_not_decided_by_few_or_shuffled_stamps():
    notes = ["9:05:01:5", "9:06:30:120", "9:07:00:45"]
    np.testing.assert_allclose(np.diff(time_reader(notes, comma=False)[0](notes)), [89.115, 29.925])
    times = np.random.default_rng(0).permutation(300) / 50
    stamps = [f"9:05:{time:06.3f}".rstrip("0").rstrip(".") for time in times]
    np.testing.assert_allclose(time_reader(stamps, comma=False)[0](stamps) - 32_700, times)
    counted = [f"9:05:{second:02d}.{ms}" for second in range(4) for ms in range(0, 1000, 20)]
    read = time_reader(["9:05:00", *counted[:7], "n/a", *counted[7:]], comma=False)[0](counted)
    np.testing.assert_allclose(np.diff(read), 0.02)


@pytest.mark.parametrize(
    ("unit", "stamps", "answer"),
    [
        ("tenths of milliseconds", 10_000 * TIMES, "make 5 Hz, less than most phones do"),
        ("tenths of microseconds", 10_000_000 * TIMES, "make 5 Hz, less than most phones do"),
        ("tenths of milliseconds at 200 Hz", 2500 * TIMES, "nobody moves as slowly"),
        ("minutes at 10 Hz", np.arange(len(WALK)) / 600, "make 600 Hz, more than most phones do"),
        ("minutes at 5 Hz", np.arange(len(WALK)) / 300, "make 300 Hz, more than most phones do"),
        ("hundredths of seconds", 100 * TIMES, "make 500 Hz, more than most phones do"),
        (
            "ticks since 1980, which may be microseconds since 1601",
            200_000 * np.arange(len(WALK)) + 14 * 10**15,
            "make 5 Hz, less than most phones do",
        ),
    ],
)
def test_a_unit_of_time_or_a_rate_that_no_app_writes_is_a_question(tmp_path, unit, stamps, answer):
    found = question(tmp_path, csv_of("time,x,y,z", stamps.tolist(), *acceleration()), **ANN)
    assert answer in found
    assert "or confirm with time_unit=" in found


def test_a_rate_is_proposed_only_for_a_unit_that_some_clock_counts(tmp_path):
    stamps = 2000 * np.arange(len(WALK))
    text = csv_of("time,x,y,z", stamps, *acceleration())
    assert "pass rate, or confirm with time_unit=" in question(tmp_path, text, **ANN)


@pytest.mark.parametrize(
    ("unit", "step", "packet"),
    [("s", 0.001, 10), ("ms", 1.0, 5), ("ms", 5.0, 10), ("time_ms", 2.0, 10), ("dated ms", 2.0, 4), ("s", 0.001, 2)],
)
def test_rows_that_came_in_packets_are_a_question_with_their_rate_on_average(tmp_path, unit, step, packet):
    number = np.arange(len(WALK))
    stamps = (number - number % packet) / RATE * (1 if unit == "s" else 1000) + step * (number % packet)
    stamps += 1000 * YEAR_2024 if unit.startswith("dated") else 0
    head = unit if "_" in unit else "time"
    text = csv_of(f"{head},x,y,z", (f"{stamp:.3f}" for stamp in stamps), *acceleration())
    found = question(tmp_path, text, **ANN)
    assert f"a.csv: rows come in bursts of about {packet}, with pauses between them" in found
    (rate,) = re.findall(rf"rate \(([\d.]+), if stamps are {unit[-2:].strip()}\)", found)
    assert float(rate) == pytest.approx(RATE, rel=0.02)


@pytest.mark.parametrize(("first", "rows"), [(0, 999), (0, 1000), (1, 999), (1, 1000)])
def test_pairs_of_rows_are_packets_wherever_they_begin_and_end(tmp_path, first, rows):
    number = np.arange(first, first + rows)
    stamps = (40 * (number // 2) + 5 * (number % 2)) / 1000
    text = csv_of("time,x,y,z", stamps.tolist(), *acceleration(WALK[:rows]))
    assert "rows come in bursts of about 2" in question(tmp_path, text, **ANN)


@pytest.mark.parametrize("steps", ["uniform", "exponential", "slower"])
def test_steps_of_any_length_are_no_packets(tmp_path, steps):
    random = np.random.default_rng(0)
    lengths = {
        "uniform": random.uniform(0, 0.04, len(WALK)), "exponential": random.exponential(0.02, len(WALK)),
        "slower": np.repeat([0.01, 0.03], [300, len(WALK) - 300]),
    }[steps]  # fmt: skip
    text = csv_of("time,x,y,z", (f"{stamp:.4f}" for stamp in np.cumsum(lengths)), *acceleration())
    imported(tmp_path, text, **ANN)


def test_rows_that_are_lost_in_packets_are_gaps(tmp_path):
    there = np.resize(np.repeat([True, False], [16, 5]), len(WALK))
    text = csv_of("time,x,y,z", (f"{stamp:.3f}" for stamp in TIMES[there]), *acceleration(WALK[there]))
    assert {one.rate for one in imported(tmp_path, text, **ANN)[1]} == {RATE}


@pytest.mark.parametrize(("rate", "start"), [(5, YEAR_2024), (1000, YEAR_2024), (1000, 7200)])
def test_the_slowest_and_the_fastest_rate_are_read_in_spite_of_rounding(tmp_path, rate, start):
    stamps = (f"{start + place / rate:.4f}" for place in range(len(WALK)))
    named = {} if start == YEAR_2024 else {"time_unit": "s"}
    assert imported(tmp_path, csv_of("time,x,y,z", stamps, *acceleration()), **named, **ANN)[1][0].rate == rate


def test_tenths_of_microseconds_can_be_named(tmp_path):
    text = csv_of("time,x,y,z", np.round(1e7 * TIMES).astype(int), *acceleration())
    assert imported(tmp_path, text, time_unit="100ns", **ANN)[1][0].rate == 50.0


def test_a_time_stamp_without_end_is_lost_alone(tmp_path):
    stamps = [f"{stamp:.2f}" for stamp in TIMES]
    stamps[9] = "inf"
    made, (found,) = imported(tmp_path, csv_of("time,x,y,z", stamps, *acceleration()), **ANN)
    assert len(found.acceleration) == len(WALK) - 1
    assert not made.changed


# Columns and values

TWO = {
    "capitals": ("x,y,z,X,Y,Z", "x,y,z and X,Y,Z"),
    "two words": ("accel_x,accel_y,accel_z,acc_x,acc_y,acc_z", "accel_x,accel_y,accel_z and acc_x,acc_y,acc_z"),
    "two units": ("x (g),y (g),z (g),x (m/s^2),y (m/s^2),z (m/s^2)", "x (g),y (g),z (g) and x (m/s^2),y (m/s^2)"),
    "gravity": ("x,y,z,ax,ay,az", "x,y,z and ax,ay,az"),
    "copies of pandas": ("x,y,z,x.1,y.1,z.1", "x,y,z and x.1,y.1,z.1"),
    "one axis": ("x,y,z,Z,b,c", "x,y,z and x,y,Z"),
    "two apps": ("x,y,z,gFx,gFy,gFz", "gFx,gFy,gFz and x,y,z"),
    "an iPhone": (
        "ax,ay,az,accelerometerAccelerationX,accelerometerAccelerationY,accelerometerAccelerationZ",
        "accelerometerAccelerationX,accelerometerAccelerationY,accelerometerAccelerationZ and ax,ay,az",
    ),
}


@pytest.mark.parametrize("case", TWO)
def test_two_sensors_in_one_file_are_a_question_that_names_both(tmp_path, case):
    names, both = TWO[case]
    six = np.hstack([WALK, WALK[::-1]])
    text = csv_of(f"time,{names}", TIMES.tolist(), *acceleration(six))
    found = question(tmp_path, text, **ANN)
    assert f"columns {both}" in found
    assert "channels=" in found
    chosen = ",".join(names.split(",")[:3])
    assert len(imported(tmp_path, text, channels=chosen, unit="m/s^2", **ANN)[1][0].rows) == len(WALK)


def test_linear_acceleration_that_an_app_writes_as_well_is_no_second_sensor(tmp_path):
    names = "time,gFx,gFy,gFz,ax,ay,az"
    text = csv_of(names, TIMES.tolist(), *acceleration(np.hstack([WALK / STANDARD_GRAVITY, WALK - WALK.mean(axis=0)])))
    np.testing.assert_allclose(imported(tmp_path, text, **ANN)[1][0].rows, WALK, atol=1e-4)


@pytest.mark.parametrize(
    ("field", "names"),
    [("activity", "activity(txt),label(N)"), ("activity", "label,class"), ("subject", "subject,user")],
)
def test_two_columns_of_people_or_activities_are_a_question_that_names_both(tmp_path, field, names):
    columns = [["1"] * len(WALK), ["2"] * len(WALK)]
    text = csv_of(f"time,x,y,z,{names}", TIMES.tolist(), *acceleration(), *columns)
    given = {name: value for name, value in ANN.items() if name != field}
    found = question(tmp_path, text, **given)
    assert f"columns {names.replace(',', ' and ')} may both be the {field}: pass the one that is with {field}" in found
    (walk,) = imported(tmp_path, text, **given, **{field: names.partition(",")[2]})[1]
    assert getattr(walk, field) == "2"


@pytest.mark.parametrize("head", ["time|x|y|z", "time x y z", "Device: Pixel 7", "0.00,0.1,9.8,0.2", "// made by,hand"])
def test_what_is_to_be_done_where_the_first_line_has_no_names(tmp_path, head):
    found = question(tmp_path, f"{head}\n" + csv_of("time,x,y,z", TIMES.tolist(), *acceleration()), **ANN)
    assert found.endswith(
        "write the names of the columns into the first line, with commas, semicolons or tabs between them"
    )


@pytest.mark.parametrize("name", ["ts", "times", "timestamps", "time_ms", "time s"])
@pytest.mark.parametrize("factor", [1, 1000])
def test_times_are_no_seconds_by_their_plural(tmp_path, name, factor):
    text = csv_of(f"{name},x,y,z", (factor * TIMES).round(2).tolist(), *acceleration())
    if (name, factor) in (("time_ms", 1), ("time s", 1000)):
        assert "expected 5 to 1000 Hz: are they" in question(tmp_path, text, **ANN)
    else:
        assert imported(tmp_path, text, **ANN)[1][0].rate == RATE


@pytest.mark.parametrize("column", ["sensor", "side", "Body part"])
def test_two_sensors_by_turns_are_a_question_whatever_their_column_is_called(tmp_path, column):
    text = csv_of(f"time,x,y,z,{column}", (TIMES / 2).tolist(), *acceleration(), ["left", "right"] * (len(WALK) // 2))
    assert f"column {column!r} says left, right by turns" in question(tmp_path, text, **ANN)


@pytest.mark.parametrize("before", ["device", "position", "note"])
@pytest.mark.parametrize("column", ["sensor", "side"])
@pytest.mark.parametrize("start", [0, 1100])
def test_two_sensors_by_turns_are_a_question_wherever_these_begin(tmp_path, before, column, start):
    rows = np.resize(WALK, (2400, 3))
    turns = ["left"] * start + ["right", "left"] * (len(rows) // 2 - start // 2)
    columns = (np.arange(len(rows)) / 100).tolist(), ["pocket"] * len(rows), turns, *acceleration(rows)
    text = csv_of(f"time,{before},{column},x,y,z", *columns)
    assert "by turns: write a file for each sensor" in question(tmp_path, text, **ANN)


@pytest.mark.parametrize("names", [("Accelerometer", "Gravity"), ("TYPE_GRAVITY", "TYPE_ACCELEROMETER")])
def test_gravity_below_acceleration_is_no_movement(tmp_path, names):
    gravity = WALK.mean(axis=0) + np.random.default_rng(0).normal(0, 0.1, WALK.shape)
    rows = np.concatenate([WALK, gravity] if "Gravity" in names else [gravity, WALK])
    sensors = np.repeat(names, len(WALK)).tolist()
    text = csv_of("time,sensor,x,y,z", [*TIMES.tolist(), *TIMES.tolist()], sensors, *acceleration(rows))
    assert "column 'sensor' says" in question(tmp_path, text, **ANN)


@pytest.mark.parametrize(("scale", "is_doubted"), [(1.0, False), (0.93, False), (0.6, True), (0.8, True), (1.3, True)])
def test_a_walk_that_is_weaker_or_stronger_than_gravity_is_a_problem(tmp_path, scale, is_doubted):
    made, _ = imported(tmp_path, csv_of("time,x,y,z", TIMES.tolist(), *acceleration(scale * WALK)), **ANN)
    problems = zoo.describe(made.path).to_json()["problems"]
    assert ["acceleration of ann is not about 9.8" in problem for problem in problems] == [True] * is_doubted


def test_a_person_whose_number_is_written_in_another_way_in_another_file_is_doubted(tmp_path):
    files, path, both = [], tmp_path / "a.csv", tmp_path / "all.h5"
    for number, who in enumerate(("1", "2", "1.0")):
        path.write_text(csv_of("time,x,y,z", TIMES.tolist(), *acceleration(WALK * (1 + number / 100))))
        files.append(tmp_path / f"{number}.h5")
        named = {"subject": f"={who}", "activity": "=walking"}
        assert zoo.import_csv(path, files[-1], **named).warnings == []
        added = zoo.import_csv(path, both, **named, append=True)
    (doubt,) = zoo.cut_windows(files, tmp_path / "w.h5", classes="walking", test_subjects="1.0").warnings
    assert added.warnings == [doubt]
    assert "subjects 1, 1.0 may be one person, who would be in training and in test" in doubt


@pytest.mark.parametrize("names", [("1", "1.0", "10"), ("P1", "P01", "P10"), ("1_1", "01_01", "1_10")])
def test_a_person_whose_number_is_written_in_another_way_is_doubted(tmp_path, names):
    text = csv_of("time,x,y,z,subject", TIMES[:900].tolist(), *acceleration(WALK[:900]), np.repeat(names, 300))
    made, _ = imported(tmp_path, text, activity="=walking")
    assert [doubt.partition(" may")[0] for doubt in made.warnings] == [f"subjects {', '.join(sorted(names[:2]))}"]
    (problem,) = (each for each in zoo.describe(made.path)["problems"] if "may be" in each)
    assert problem == made.warnings[0]


@pytest.mark.parametrize("start", [0.0, 300.0, float(YEAR_2024)])
def test_rows_that_are_twice_in_a_file_are_refused_as_those_of_two_files_are(tmp_path, start):
    stamps = np.concatenate([TIMES, TIMES + start])
    found = question(tmp_path, csv_of("time,x,y,z", stamps.tolist(), *acceleration(np.vstack([WALK, WALK]))), **ANN)
    assert "has the same rows as" in found


def test_rows_that_an_app_sent_again_are_dropped_and_counted(tmp_path):
    order = np.r_[0:600, 540 : len(WALK)]
    text = csv_of("time,x,y,z", TIMES[order].tolist(), *acceleration(WALK[order]))
    made, (found,) = imported(tmp_path, text, **ANN)
    assert made.dropped == {"rows whose time stamp does not rise": 60}
    np.testing.assert_allclose(found.rows, WALK, atol=1e-4)


def test_rows_that_are_there_again_with_other_time_stamps_are_doubted(tmp_path):
    rows = np.vstack([WALK, WALK[200:600]])
    made, _ = imported(tmp_path, csv_of("time,x,y,z", np.arange(len(rows)) / RATE, *acceleration(rows)), **ANN)
    (problem,) = zoo.describe(made.path)["problems"]
    assert "1 recording has rows of a second or more twice" in problem
    assert len(made.warnings) == 1


def test_even_rows_before_odd_rows_are_a_question_where_stamps_have_a_date(tmp_path):
    order = np.argsort(np.arange(len(WALK)) % 2, kind="stable")
    stamps = (1000 * (YEAR_2024 + TIMES[order])).round().astype(int)
    found = question(tmp_path, csv_of("time,x,y,z", stamps, *acceleration(WALK[order])), **ANN)
    assert "sort them by time" in found


@pytest.mark.parametrize("later", [0.0, 0.007])
@pytest.mark.parametrize("batch", [20, 250])
def test_two_sensors_in_batches_are_no_clock_that_restarts(tmp_path, batch, later):
    starts = range(0, len(WALK), batch)
    order = np.concatenate([np.r_[start : start + batch, start : start + batch] for start in starts])
    is_other = np.concatenate([np.repeat([0, 1], batch) for _ in starts])
    rows = np.where(is_other[:, None], WALK[::-1][order], WALK[order])
    found = question(tmp_path, csv_of("time,x,y,z", TIMES[order] + later * is_other, *acceleration(rows)), **ANN)
    assert "measured between others, as by two sensors: write a file for each sensor" in found


@pytest.mark.parametrize("stamps", [np.repeat(TIMES[::2], 2), TIMES])
def test_people_by_turns_are_a_question_in_place_of_an_advice_that_drops_all_rows(tmp_path, stamps):
    text = csv_of("time,x,y,z,subject", stamps.tolist(), *acceleration(), ["ann", "ben"] * (len(WALK) // 2))
    found = question(tmp_path, text, activity="=walking")
    assert "rows of ann, walking and ben, walking by turns: sort them by 'subject'" in found
    text = csv_of("time,x,y,z,label", stamps.tolist(), *acceleration(), ["walk", ""] * (len(WALK) // 2))
    assert "by turns: sort them by 'label'" in question(tmp_path, text, subject="=ann")


def packed(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name in members:
            info = zipfile.ZipInfo("a")
            info.filename = name
            file.writestr(info, csv_of("time,x,y,z", TIMES.tolist(), *acceleration(WALK * (1 + len(name) / 100))))
    return path


def test_folders_of_a_zip_file_of_windows_are_folders(tmp_path):
    path = packed(tmp_path / "w.zip", ["ann\\walk.csv", "ben\\walk_2.csv"])
    made = zoo.import_csv(path, tmp_path / "out.h5", layout="{subject}/{activity}*.csv")
    assert [(each.subject, each.activity) for each in recordings.read_recordings(made.path)] == [
        ("ann", "walk"), ("ben", "walk"),
    ]  # fmt: skip


def test_a_layout_that_does_not_fit_the_path_is_a_question(tmp_path):
    path, layout = packed(tmp_path / "w.zip", ["walk.csv"]), "{subject}/{activity}*.csv"
    assert "takes w.zip for a name" in message(lambda: zoo.import_csv(path, tmp_path / "out.h5", layout=layout))
    path = packed(tmp_path / "v.zip", ["ann/walk.csv", "ben/day2/sitting.csv"])
    found = message(lambda: zoo.import_csv(path, tmp_path / "out.h5", layout=layout))
    assert "ann/walk.csv and" in found
    assert "different depth" in found


def test_zip_files_are_read_by_several_threads(tmp_path):
    def read(name):
        made = zoo.import_csv(tmp_path / f"{name}.zip", tmp_path / f"{name}.h5", layout="{subject}/{activity}.csv")
        return made.recordings

    for name in "abcd":
        packed(tmp_path / f"{name}.zip", [f"ann{name}/walk{'x' * number}.csv" for number in range(5)])
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, "abcd")) == [5] * 4


# Faults of a sensor


def broken(kind):
    rows = WALK.copy()
    if kind == "zeros":
        rows[200:360] = 0
    elif kind == "frozen":
        rows[200:720] = rows[200]
    elif kind == "an axis":
        rows[:, 2] = 0.0
    elif kind == "two axes":
        rows[:, 2] = rows[:, 1]
    elif kind == "lost":
        rows[::6] = 0
    elif kind == "held":
        rows = rows[np.arange(len(rows)) // 4 * 4]
    elif kind in ("pairs", "pairs, later"):
        rows = rows[(np.arange(len(rows)) + (kind != "pairs")) // 2 * 2 % len(rows)]
    elif kind == "turns":
        rows[::2] = rows[::2, [2, 0, 1]]
    elif kind == "counts":
        rows = np.array([0.5, 8.0, 0.5]) + 0.01 * rows
    else:
        rows[:, 0] = 60 * np.sin(4 * np.pi * TIMES)
        rows = np.clip(rows, -19.6, 19.6)
    return rows


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("zeros", "has 3 s of zeros or more"), ("lost", "has 3 s of zeros or more"),
        ("held", "has most rows equal to the one before"), ("turns", "has rows of several sensors by turns"),
        ("pairs", "has most rows equal to the one before"), ("pairs, later", "has most rows equal to the one before"),
        ("frozen", "has 10 s or more without a change"),
        ("an axis", "has an axis without a change"), ("two axes", "has one column in two axes"),
        ("limit", "has most rows at one limit, 19.6 m/s^2"),
        ("counts", "has at rest an acceleration that is not gravity (9.8 m/s^2)"),
    ],
)  # fmt: skip
def test_what_a_broken_sensor_leaves_is_doubted_by_the_import_and_by_describe(tmp_path, kind, says):
    made, _ = imported(tmp_path, csv_of("time,ax,ay,az", TIMES, *acceleration(broken(kind))), **ANN)
    assert any(f"1 recording {says}" in doubt and "a.csv" in doubt for doubt in made.warnings), made.warnings
    assert any(f"1 recording {says}" in problem for problem in zoo.describe(made.path)["problems"])


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (0 * WALK, "10 s of zeros or more"), (WALK[:, :1].repeat(3, axis=1) / 9, "one column in two axes"),
        (np.r_[WALK[:300], WALK[300:301].repeat(len(WALK) - 300, axis=0)] / 9, "10 s or more without a change"),
    ],
)  # fmt: skip
def test_what_a_broken_gyroscope_leaves_is_doubted_too(tmp_path, turn, says):
    text = csv_of("time,x,y,z,gx,gy,gz", TIMES, *acceleration(np.hstack([WALK, turn])))
    made, _ = imported(tmp_path, text, gyroscope=True, rotation_unit="rad/s", **ANN)
    doubts = [*made.warnings, *zoo.describe(made.path)["problems"]]
    assert [f"1 recording has {says} in the rotation rate, as" in doubt for doubt in doubts] == [True, True]


def test_a_sound_recording_has_no_doubts(tmp_path):
    made, _ = imported(tmp_path, csv_of("time,ax,ay,az", TIMES, *acceleration()), **ANN)
    assert not made.warnings


# Encodings


NAMES = {
    "cp1251": "\u0420\u0443\u0431\u0435\u043d",
    "cp1250": "Ji\u0159\u00ed",
    "gbk": "\u738b\u4f1f",
    "mac_roman": "Zo\u00eb",
}


@pytest.mark.parametrize("encoding", NAMES)
def test_a_name_whose_encoding_is_not_known_is_a_question_and_is_read_by_its_encoding(tmp_path, encoding):
    rows = csv_of("time,ax,ay,az,subject", TIMES, *acceleration(), [NAMES[encoding]] * len(TIMES))
    says = question(tmp_path, rows.encode(encoding), activity="=walking")
    assert "a.csv: column 'subject', row 1 below the names: not in UTF-8; it is" in says
    assert "encoding" in says
    if encoding in ("cp1250", "cp1251"):
        assert f"{NAMES[encoding]!r} in {encoding}" in says
    for text in (rows.encode(encoding), rows.encode("utf-8"), rows.encode("utf-16")):
        _, (walk,) = imported(tmp_path, text, activity="=walking", encoding=encoding)
        assert walk.subject == NAMES[encoding]


def test_a_table_of_files_is_read_by_its_encoding(tmp_path):
    (tmp_path / "a.csv").write_text(csv_of("time,ax,ay,az", TIMES, *acceleration()))
    manifest = tmp_path / "files.csv"
    manifest.write_bytes(f"file,subject,activity\na.csv,{NAMES['cp1251']},walking\n".encode("cp1251"))
    says = message(lambda: zoo.import_csv(manifest=manifest, out=tmp_path / "out.h5"))
    assert "files.csv: row 1 below the names: subject: not in UTF-8" in says
    made = zoo.import_csv(manifest=manifest, out=tmp_path / "out.h5", encoding="cp1251")
    assert [walk.subject for walk in recordings.read_recordings(made.path)] == [NAMES["cp1251"]]


def named_by(tmp_path, name):
    """A zip file with the walk of a person, whose name of bytes is not said to be UTF-8."""
    path = archive(tmp_path / "w.zip", {f"{'x' * len(name)}/walk.csv": csv_of("time,ax,ay,az", TIMES, *acceleration())})
    path.write_bytes(path.read_bytes().replace(b"x" * len(name) + b"/", name + b"/"))
    return {"files": path, "out": tmp_path / "out.h5", "layout": "{subject}/{activity}.csv"}


@pytest.mark.parametrize("encoding", [*NAMES, "cp437"])
def test_the_name_of_a_packed_file_is_a_question_and_is_read_by_its_encoding(tmp_path, encoding):
    name = NAMES.get(encoding, NAMES["mac_roman"])
    call = named_by(tmp_path, name.encode(encoding))
    says = message(lambda: zoo.import_csv(**call))
    assert "walk.csv: not in UTF-8; it is" in says
    if encoding.startswith("cp"):
        assert f"{name!r} in {encoding}" in says
    made = zoo.import_csv(**call, encoding=encoding)
    assert [walk.subject for walk in recordings.read_recordings(made.path)] == [name]


def test_a_packed_file_whose_name_is_utf8_is_read_as_such_though_nothing_says_so(tmp_path):
    made = zoo.import_csv(**named_by(tmp_path, NAMES["gbk"].encode()))
    assert [walk.subject for walk in recordings.read_recordings(made.path)] == [NAMES["gbk"]]


def test_signs_of_units_and_numbers_need_no_encoding(tmp_path):
    text = csv_of("time (s),x (m/s\u00b2),y (m/s\u00b2),z (m/s\u00b2)", TIMES, *acceleration())
    assert len(imported(tmp_path, text.encode("cp1252"), **ANN)[1]) == 1


def test_an_encoding_that_nobody_knows_is_named(tmp_path):
    assert question(tmp_path, "x", encoding="cp99").startswith("encoding 'cp99': expected one of Python")


@pytest.mark.parametrize(
    "text", ['[{"x": 1.5}, ' + '{"x": 2.5, "y": 1}, ' * 400, "\x0b".join(["time,x,y,z", *["0,1,2,3"] * 400])]
)
def test_a_file_that_is_no_table_is_not_shown_whole(tmp_path, text):
    found = question(tmp_path, text, **ANN)
    assert "a.csv: no column for" in found
    assert len(found) < 1000


def test_a_sensor_that_lies_still_for_most_of_the_time_is_not_doubted():
    times = np.arange(0, 100, 0.02)
    moves = np.where(times % 10 > 6, 1.0, 0.0)
    rows = np.stack([4 * np.sin(9 * times) * moves, 9.81 + 3 * np.cos(7 * times) * moves, 0.4 + moves], axis=1)
    turns = np.stack([1.2 * (np.sin(11 * times) > 0.5), 0.9 * (np.sin(5 * times) > 0.7), 0 * times], axis=1)
    turns[:, 2] = turns[:, 0] * np.sin(times)
    faults = Faults()
    faults.find("coarse", np.concatenate([0.15 * np.round(rows / 0.15), turns], axis=1), 50.0)
    assert not faults.sentences()
