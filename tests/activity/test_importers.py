"""What people have becomes recordings: m/s^2, gravity included, Android's sign, one stretch each; or samples."""

import gzip
import zipfile

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import archive, message, refused

import zoo
from zoo.activity import recordings
from zoo.activity.columns import CsvColumns, read_samples
from zoo.activity.importing import read_csv
from zoo.activity.recordings import Findings
from zoo.activity.simulate import simulate
from zoo.activity.studies import read_study
from zoo.runtime.metadata import CLASSES

MOTIONSENSE = ",attitude.roll,gravity.x,gravity.y,gravity.z,userAcceleration.x,userAcceleration.y,userAcceleration.z\n"
HEADER = "time,x,y,z,subject,activity\n"


def motionsense(path, texts):
    findings = Findings()
    return list(read_study("motionsense", archive(path, texts), findings)), findings.to_json()["dropped"]


def table(path, text, columns=None):
    path.write_text(text, encoding="utf-8")
    findings = Findings()
    return list(read_csv(path, columns or CsvColumns(), findings)), dict(findings.dropped + findings.changed)


def called(change):
    """A table in which Ann walks, with names for all columns but those of the signal."""
    return CsvColumns(**{"time": None, "rate": 50.0, "subject": "=ann", "activity": "=walking"} | change)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # iOS: gravity points down, (0, 0, -1) g. Android: the table pushes up, +9.80665 m/s^2.
        ("0,0.1,0,0,-1,0,0,0\n", [0, 0, 9.80665]),
        ("0,9,0.1,0.2,0.3,1,2,3\n", [-9.80665 * 1.1, -9.80665 * 2.2, -9.80665 * 3.3]),
    ],
)
def test_motionsense_is_gravity_and_user_acceleration_in_the_convention_of_the_zoo(tmp_path, row, expected):
    (recording,), dropped = motionsense(tmp_path / "a.zip", {"A/sit_5/sub_7.csv": MOTIONSENSE + row * 60})
    np.testing.assert_allclose(recording.acceleration, [expected] * 60, rtol=1e-6)
    assert recording.acceleration.dtype == np.float32
    assert (recording.subject, recording.activity, recording.rate) == ("7", "sitting", 50.0)
    assert (recording.name, dropped) == ("A/sit_5/sub_7.csv", {})


def test_motionsense_is_six_activities_and_counts_others(tmp_path):
    rows = MOTIONSENSE + "0,0,0,0,-1,0,0,0\n" * 60
    folders = ("dws_1", "fly_1", "jog_9", "sit_5", "std_6", "ups_3", "wlk_7")
    texts = {f"A/{folder}/sub_12.csv": rows for folder in folders}
    found, dropped = motionsense(tmp_path / "a.zip", texts | {"__MACOSX/A/sit_1/sub_1.csv": "x"})
    assert [each.activity for each in found] == sorted(CLASSES)
    assert dropped == {"files of another activity": 1}


LONG = 400_000


def long_table():
    """Seconds, x, y, z, the person and the activity, of a recording that pauses once and changes its person once."""
    random = np.random.default_rng(0)
    times = np.arange(LONG) / 100 + np.where(np.arange(LONG) >= 250_000, 5.0, 0.0)
    rows = random.normal([0, 9.8, 0], 1, (LONG, 3)).round(6)
    return times.round(2), rows, np.where(np.arange(LONG) < 130_000, "NA", "007"), np.full(LONG, "walking")


@pytest.fixture(scope="module")
def long_file(make_once):
    """The same as a CSV file of 14 MB, which is read in blocks."""

    def fill(folder):
        columns = zip(*(column.tolist() for column in long_table()), strict=True)
        lines = [f"{time},{x!r},{y!r},{z!r},{name},{label}" for time, (x, y, z), name, label in columns]
        lines[7::1000] = [line.replace("walking", '"walking"') for line in lines[7::1000]]
        (folder / "long.csv").write_text(HEADER + "\n".join(lines))

    return make_once("long_csv", fill) / "long.csv"


def test_recordings_are_whole_across_the_blocks_in_which_a_file_is_read(long_file):
    times, rows, *_ = long_table()
    bounds = [(0, 130_000, "NA"), (130_000, 250_000, "007"), (250_000, LONG, "007")]
    for found, (start, stop, name) in zip(read_csv(long_file, CsvColumns()), bounds, strict=True):
        assert (found.subject, found.rate, len(found.rows)) == (name, 100.0, stop - start)
        grid = np.linspace(times[start], times[stop - 1], stop - start)
        expected = np.stack([np.interp(grid, times[start:stop], axis) for axis in rows[start:stop].T], axis=1)
        np.testing.assert_allclose(found.acceleration, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("place", [3, 390_000])
def test_the_row_of_a_wrong_field_is_that_of_the_file(request, tmp_path, place):
    short = [HEADER.strip(), *(f"{i / 100},0,9.8,0,ann,walking" for i in range(10))]
    lines = short if place < 10 else request.getfixturevalue("long_file").read_text().split("\n")
    for change, words in (("fast", f"row {place} below the names: 'fast'"), ("1,2", f"row {place} below them has 7")):
        fields = lines[place].split(",")
        fields[2] = change
        (tmp_path / "a.csv").write_text("\n".join([*lines[:place], ",".join(fields), *lines[place + 1 :]]))
        assert words in message(lambda: list(read_csv(tmp_path / "a.csv", CsvColumns())))


def test_a_dataframe_is_read_like_a_file(tmp_path):
    stamps = pandas.date_range("2026-01-01", periods=200, freq="20ms")
    frame = pandas.DataFrame({"time": stamps, "x": 0.1, "y": np.linspace(9, 10, 200), "z": np.float32(0.2)})
    frame = frame.assign(subject=["007"] * 100 + ["NA"] * 100, activity="sit, or stand")
    frame.loc[150, "x"] = np.nan
    refused("activity', row 1 below the names: 'sit, or stand'", list, read_csv(frame, CsvColumns()))
    findings = Findings()
    found = list(read_csv(frame, CsvColumns(activity="=sitting"), findings))
    assert [(each.name, each.subject, each.rate, len(each.rows)) for each in found] == [
        ("DataFrame", name, 50.0, 100) for name in ("007", "NA")
    ]
    np.testing.assert_allclose(found[0].acceleration[:, 1], frame["y"][:100], rtol=1e-6)
    unread = "rows whose column 'activity' is not read, as the activity is given"
    changed = {unread: 200, "rows with lost values, interpolated": 1}
    assert findings.to_json() == {"dropped": {}, "changed": changed}
    refused("column 'y', row 1 below the names: 'high'", list, read_csv(frame.assign(y="high"), CsvColumns()))
    # Versions of pandas before 3 slice by labels that are numbers with a point.
    frame = frame.set_index(1e6 + 0.25 * frame.index)
    imported = zoo.import_csv(frame.drop(index=1e6 + 37.5).assign(y=9.8), tmp_path / "a.h5", activity="=sitting")
    assert (imported.recordings, imported.files[0]["file"], len(imported.warnings)) == (2, "DataFrame", 3)


def test_of_several_dataframes_each_has_a_number(tmp_path):
    good, bad, other = (
        pandas.DataFrame(np.random.default_rng(seed).normal([0, 9.8, 1], 1, (200, 3)), columns=list("xyz"))
        .assign(time=np.arange(200) / 50, who=f"p{seed}", label="walk") for seed in range(3)
    )  # fmt: skip
    frames = [good, bad[["x", "time"]], good.assign(who="p3"), other]
    made = zoo.import_csv(frames, tmp_path / "a.h5", skip_unreadable=True)
    assert [file["file"] for file in made.files] == ["DataFrame 1", "DataFrame 4"]
    assert "(2) DataFrame 3: has the same rows as DataFrame 1: import each recording once" in made.warnings[-1]


def test_a_table_of_another_library_is_refused_in_one_line(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    files = pyarrow.table({"x": [0.0]})
    refused("files is of the type Table; expected a DataFrame", zoo.import_csv, files, tmp_path / "a.h5")


def test_a_dataframe_is_data():
    frame = pandas.concat(
        pandas.DataFrame(each.acceleration, columns=["x", "y", "z"]).assign(
            time=np.arange(len(each.acceleration)) / 50, who=each.subject, label=each.activity
        )
        for each in simulate(2, seed=0, seconds=8)
    )
    data = zoo.load_data(frame)
    assert (data.classes, data.train.people(), len(data.test)) == (tuple(sorted(CLASSES)), ["1", "2"], 0)
    # What is wrong is worded by what `load_data` takes.
    for wrong, words in (
        (frame.drop(columns="time"), r"^DataFrame: no column for time \(time\); .*: import it with `zoo.import_csv`"),
        (frame.assign(**{axis: frame[axis] / 9.80665 for axis in "xyz"}), r"\(about 9.8\): pass unit=g$"),
        (pandas.concat([frame, frame[:200].assign(who="ben", y=9.0)]), "^DataFrame: no recording of ben lasts 5 s, a"),
        (frame.assign(label=frame["label"].where(frame.index % 50 == 0)), "left out were rows without a label"),
        (frame[:4].assign(label=list("abcd")), "nothing is left of it: left out were rows alone"),
    ):
        refused(words, zoo.load_data, wrong)
    # An index that has a name is a column.
    indexed = frame.set_index("time")
    refused("rate: the DataFrame has time stamps in 'time'", zoo.load_data, indexed, rate=25.0)
    for same in (frame, indexed, frame.set_index("time", drop=False)):
        assert zoo.describe(same)["parts"]["train"]["windows"] == len(data.train)
    recipe = zoo.Recipe(epochs=1, validation=0.0)
    for learn, model in ((zoo.train, "activity_cnn"), (zoo.finetune, "activity_gru_tiny")):
        assert learn(model, frame, recipe=recipe, verbose=False).model.classes == data.classes


@pytest.mark.parametrize("field", ["x", "time"])
def test_only_people_and_activities_are_given_for_all_rows(field, tmp_path):
    frame = pandas.DataFrame({"time": [0.0, 0.02], "x": 0.0, "y": 9.8, "z": 0.0, "subject": "ann", "activity": "hop"})
    refused(rf"no column '={field}' \({field}\)", zoo.import_csv, frame, tmp_path / "a.h5", **{field: f"={field}"})


def test_what_a_dataframe_loses_and_what_is_doubtful_in_it_is_said_as_of_a_file(tmp_path, capsys):
    values = np.random.default_rng(0).normal([0.1, 8.0, 0.2], 0.02, (2000, 3))
    frame = pandas.DataFrame(values, columns=["x", "y", "z"]).assign(time=np.arange(2000) / 50, who="ann")
    frame["label"] = ["sitting"] * 900 + [None] * 200 + ["standing"] * 900
    zoo.load_data(frame)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "zoo: warning: DataFrame: left out: rows without a label (200)"
    assert "2 recordings have at rest an acceleration that is not gravity (9.8 m/s^2), as DataFrame (8)" in lines[1]
    assert zoo.import_csv(frame, tmp_path / "a.h5").dropped == {"rows without a label": 200}


def test_a_name_is_one_however_its_accents_are_written(tmp_path):
    rows = "".join(f"{i / 50},0,0,9.8,{name},sitting\n" for i, name in enumerate(["Zoe\u0308"] * 5 + ["Zo\u00eb"] * 5))
    for text, columns in ((HEADER + rows, None), ("x,y,z\n0,0,9.8\n0,0,9.8\n", called({"subject": "=Zoe\u0308"}))):
        (recording,), _ = table(tmp_path / "a.csv", text, columns)
        assert recording.subject == "Zo\u00eb"


LINES = [HEADER.strip(), *(f"{i / 50},{i},0.5,9.8,J\u00f6rg \u20ac,sitting" for i in range(10))]


def stamped(day):
    """The lines with times of day after a day."""
    times = (f"{day}19:21:58.{i * 20:03d}" for i in range(10))
    return [LINES[0], *(f"{time},{line.partition(',')[2]}" for time, line in zip(times, LINES[1:], strict=True))]


TEXT = "\n".join(LINES)
COMMAS = [",".join(f'"{field}"' for field in line.split(",")) for line in LINES]
WRITTEN = {
    "Windows-1252": TEXT.encode("cp1252"),
    "UTF-16 of Excel": TEXT.encode("utf-16"),
    "UTF-16, high bytes first": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "a separator": ("sep=;\n" + TEXT.replace(",", ";")).encode(),
    "a quoted separator in capitals, and decimal commas": (
        '"SEP=;"\r\n' + TEXT.replace(",", ";").replace(".", ",").replace("\n", "\r\n")).encode("utf-8-sig"),
    "comments": ("# Pixel 7\n\n#rate: 50\n" + "\n".join([*LINES[:5], "# a pause", *LINES[5:]])).encode(),
    "a comment before times of day": "\n".join([LINES[0], "# started", *stamped("")[1:]]).encode(),
    "coordinates that are called position": "\n".join(
        f"{line},{i / 10 if i else 'position'}" for i, line in enumerate(LINES)).encode(),
    "names in a comment": (
        "# a phone\n# t,x,y,z\n" + "\n".join(line.rpartition(",J")[0] for line in LINES[1:])).encode(),
    "a comment of one letter": f"#\n{TEXT}".encode(),
    "quoted decimal commas": "\n".join(line.replace(".", ",") for line in COMMAS).encode(),
    "German dates": "\n".join(
        line.replace(",", ";").replace(".", ",") for line in stamped("DAY ")).replace("DAY", "10.06.2024").encode(),
    "dates with a space": "\n".join(stamped("2024-06-10 ")).encode(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "packed"), [*((name, "") for name in WRITTEN), ("UTF-16 of Excel", ".gz"), ("a separator", ".zip")]
)
def test_texts_are_read_as_programs_write_and_pack_them(tmp_path, name, packed):
    path, content = tmp_path / f"a.csv{packed}", WRITTEN[name]
    if packed == ".zip":
        path = tmp_path / "a.zip"
        archive(path, {"folder/a.csv": content, "__MACOSX/folder/a.csv": b"\0", "b.png": b"\x89PNG"})
    else:
        path.write_bytes(gzip.compress(content) if packed else content)
    named = {"subject": "=J\u00f6rg \u20ac", "activity": "=sitting"} if name == "names in a comment" else {}
    zoo.import_csv(path, tmp_path / "out.h5", encoding="cp1252" if name == "Windows-1252" else "", **named)
    (recording,) = recordings.read_recordings(tmp_path / "out.h5")
    assert (recording.subject, recording.activity, recording.rate) == ("J\u00f6rg \u20ac", "sitting", 50.0)
    np.testing.assert_allclose(recording.acceleration, [[i, 0.5, 9.8] for i in range(10)], atol=1e-4)


def test_a_zip_file_that_holds_a_file_twice_or_is_damaged_is_named(tmp_path):
    twice = archive(tmp_path / "twice.zip", {"a.csv": TEXT})
    with zipfile.ZipFile(twice, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("a.csv", TEXT)
    short = archive(tmp_path / "short.zip", {"b.csv": TEXT})
    short.write_bytes(short.read_bytes()[:-30])
    archive(tmp_path / "outside.zip", {"../b.csv": TEXT})
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(TEXT.encode())[:-20])
    for name, words in (
        ("twice.zip", "holds a.csv twice"), ("short.zip", "cannot be unpacked"),
        ("outside.zip", "holds ../b.csv, which lies outside"), ("c.csv.gz", "cannot be unpacked"),
    ):  # fmt: skip
        assert f"{name}: {words}" in message(zoo.import_csv, tmp_path / name, tmp_path / "out.h5")


@pytest.mark.parametrize("rate", [50.0, 12.5, 1024.0])
@pytest.mark.parametrize(
    ("unit", "convention", "factor"),
    [("m/s^2", "android", 1), ("m/s^2", "ios", -1), ("g", "android", 9.80665), ("g", "ios", -9.80665)],
)
def test_unit_and_sign_become_those_of_the_zoo_and_a_rate_is_kept(tmp_path, unit, convention, factor, rate):
    columns = called({"rate": rate, "unit": unit, "convention": convention})
    (recording,), _ = table(tmp_path / "a.csv", "x,y,z\n1,2,3\n4,5,6\n", columns)
    np.testing.assert_allclose(recording.acceleration, factor * np.array([[1, 2, 3], [4, 5, 6]]), rtol=1e-6)
    assert (recording.subject, recording.activity, recording.rate) == ("ann", "walking", rate)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("opening", ["", "\N{BYTE ORDER MARK}"])
def test_columns_may_stand_in_any_order_between_any_separator(tmp_path, separator, opening):
    rows = [["who", "ax", "ay", "az", "t", "what"], ["ann", 1, 2, 3, 0, "run"], ["ann", 4, 5, 6, 20, "run"]]
    text = opening + "".join(separator.join(map(str, row)) + "\r\n" for row in rows)
    columns = CsvColumns(x="ax", y="ay", z="az", time="t", subject="who", activity="what")
    (recording,), _ = table(tmp_path / "a.csv", text, columns)
    assert recording.acceleration.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (recording.subject, recording.activity, recording.rate) == ("ann", "run", 50.0)


@pytest.mark.parametrize("unit", ["auto", "named"])
@pytest.mark.parametrize(("name", "scale"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_the_rate_is_that_of_the_time_stamps_in_any_unit(tmp_path, name, scale, unit):
    text = HEADER + "".join(f"{i / 50 * scale},0,0,9.8,1,sitting\n" for i in range(6))
    (recording,), _ = table(tmp_path / "a.csv", text, CsvColumns(time_unit=name if unit == "named" else "auto"))
    assert recording.rate == 50.0


def test_rows_are_put_on_the_even_grid_of_their_time_stamps(tmp_path):
    # x is the time itself, so on the even grid it rises by 1/50.
    stamps = [0, 0.021, 0.039, 0.06, 0.08]
    text = HEADER + "".join(f"{t},{t},0,0,1,sitting\n" for t in stamps)
    (recording,), _ = table(tmp_path / "a.csv", text, CsvColumns())
    np.testing.assert_allclose(recording.acceleration[:, 0], [0, 0.02, 0.04, 0.06, 0.08], atol=1e-7)


def test_a_recording_is_split_at_a_gap_and_where_the_person_or_the_activity_changes(tmp_path):
    text = HEADER + "".join(f"{t},{t},0,0,1,sitting\n" for t in [0, 0.02, 0.04, 0.06, 0.2, 0.22, 0.24])
    found, dropped = table(tmp_path / "a.csv", text)
    assert [(len(r.acceleration), r.start) for r in found] == [(4, 0), (3, pytest.approx(0.2))]
    assert dropped == {"gaps at which a recording was split": 1}
    whose = ["ann,run", "ann,run", "bob,run", "bob,sit", "bob,sit", "ann,sit"]
    found, dropped = table(tmp_path / "a.csv", HEADER + "".join(f"{i / 50},{i},0,0,{w}\n" for i, w in enumerate(whose)))
    split = [(r.subject, r.activity, r.acceleration[:, 0].tolist()) for r in found]
    assert split == [("ann", "run", [0, 1]), ("bob", "sit", [3, 4])]
    assert dropped == {"rows alone between two others of another person or activity": 2}


@given(st.lists(st.sampled_from(["ann run", "ann sit", "bob run"]), min_size=1, max_size=20))
def test_no_row_is_lost_or_changes_its_person(tmp_path_factory, who):
    # Of the last two rows, a recording is left in any case.
    who = [*who, "zoe sit", "zoe sit"]
    text = "i,y,z,subject,activity\n" + "".join(f"{i},0,0,{w.replace(' ', ',')}\n" for i, w in enumerate(who))
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    found, dropped = table(path, text, CsvColumns(x="i", time=None, rate=50.0))
    for recording in found:
        numbers = recording.acceleration[:, 0]
        assert {who[int(i)] for i in numbers} == {f"{recording.subject} {recording.activity}"}
        assert set(np.diff(numbers)) == {1}
    assert sum(len(r.acceleration) for r in found) + sum(dropped.values()) == len(who)


@given(
    st.lists(st.tuples(*[st.floats(-100, 100, width=32)] * 3), min_size=2, max_size=20),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_numbers_are_read_as_they_were_written(tmp_path_factory, rows, separator):
    text = "".join(separator.join(map(str, row)) + "\n" for row in [("x", "y", "z"), *rows])
    (recording,), _ = table(tmp_path_factory.mktemp("csv") / "a.csv", text, called({}))
    np.testing.assert_array_equal(recording.acceleration, np.array(rows, np.float32))


INTERPOLATED = "rows with lost values, interpolated"
LOST = "rows with a value that is not finite, or that no sensor measures"
SPLIT = {LOST: 5, "gaps at which a recording was split": 1}
UNREAD = {"rows read at 50 Hz in place of their time stamps in 'time'": 12}


@pytest.mark.parametrize(
    ("lost", "stamps", "missing", "kept", "counts"),
    [
        ("nan", True, [4], [12], {INTERPOLATED: 1}),
        ("nan", True, [2, 3, 4, 5, 9], [12], {INTERPOLATED: 5}),
        ("nan", True, [0, 1, 11], [9], {LOST: 3}),
        ("nan", True, [3, 4, 5, 6, 7], [3, 4], SPLIT),
        ("inf", True, [3, 4, 5, 6, 7], [3, 4], SPLIT),
        # No sensor measures that.
        ("2e4", True, [3, 4, 5, 6, 7], [3, 4], SPLIT),
        ("", True, [3, 4, 5, 6, 7], [3, 4], SPLIT),
        ("", False, [3, 4, 5, 6, 7], [3, 4], SPLIT | UNREAD),
    ],
)
def test_a_few_lost_samples_are_interpolated_and_more_end_a_recording(tmp_path, lost, stamps, missing, kept, counts):
    lines = [f"{i / 50},{i},{i / 2},{lost if i in missing else i}" for i in range(12)]
    columns = CsvColumns(subject="=a", activity="=b", **({} if stamps else {"rate": 50.0}))
    found, dropped = table(tmp_path / "a.csv", "\n".join(["time,x,y,z", *lines]), columns)
    assert [len(each.acceleration) for each in found] == kept
    assert dropped == counts
    for each in found:
        # x, y and z are lines, so that what is made up is where it would have been.
        x, y, z = each.acceleration.T
        np.testing.assert_allclose([y, z], [x / 2, x], atol=1e-5)


@pytest.mark.parametrize("start", [0.0, 0.005, 100.0, 1_704_067_200.0])
def test_two_rows_that_are_missing_are_no_gap_whatever_the_time_stamps_begin_with(tmp_path, start):
    lines = [f"{start + i / 50:.3f},{i},{i / 2},{i}" for i in range(49) if i not in (20, 21)]
    text = "\n".join(["time,x,y,z", *lines])
    found, dropped = table(tmp_path / "a.csv", text, CsvColumns(subject="=a", activity="=b"))
    assert len(found) == 1
    assert not dropped


def test_samples_lost_here_and_there_do_not_shatter_a_recording(tmp_path):
    random = np.random.default_rng(0)
    rows = random.normal([0, 9.8, 0], 1, (4500, 3))
    for share in (0.01, 0.03):
        cells = np.where(random.random(rows.shape) < share, "", rows.round(4).astype(str))
        text = "\n".join(["time,x,y,z", *(",".join([f"{i / 50:.2f}", *row]) for i, row in enumerate(cells))])
        (recording,), dropped = table(tmp_path / "a.csv", text, CsvColumns(subject="=a", activity="=b"))
        assert len(recording.acceleration) > 4490
        np.testing.assert_allclose(recording.acceleration.mean(axis=0), [0, 9.8, 0], atol=0.1)
        assert dropped["rows with lost values, interpolated"] > 4500 * share


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty; expected a line of column names, and rows"),
        (HEADER, "no rows below the line of column names"),
        (f"{HEADER}# nothing\n", "no rows below the line of column names"),
        ("p,x,y,z,subject,activity\n0,1,2,3,a,b\n", "no column for time (time); found p, x, y, z, subject, activity: "),
        ("time,x,y,subject,activity\n0,1,2,a,b\n", "no column for z (z); found time, x, y, subject, activity: "),
        ("time,x,y,z\n0,1,2,3\n", "no column for subject (subject), for activity (activity); found time, x, y, z: "),
        ("a,b\n0,1\n", "no column for x (x), for y (y), for z (z), for time (time), for subject (subject), "),
        (HEADER + "0,1,2,3,a,b\n0.02,1,2\n", "6 column names, but row 2 below them has 3 fields"),
        (HEADER + "0,1,2,3,a,b,c\n", "6 column names, but row 1 below them has 7 fields"),
        (HEADER + "0,1,2,3,a,b\n0.02,1,2,3,,b\n", "column 'subject', row 2 below the names: is empty: fill it in"),
        (HEADER + "0,1,up,3,a,b\n", "column 'y', row 1 below the names: 'up'; expected a number"),
        (HEADER + "noon,1,2,3,a,b\n", "column 'time', row 1 below the names: 'noon'; expected a number"),
        (HEADER + "0,1,2,3,a,b\n0.5,1,2,3,a,b\n", "time stamps 0.5 apart give no rate between 5 and 1000 Hz: pass"),
        (HEADER + "0,1,2,3,a,b\n0,1,2,3,a,b\n", "no time stamp is later than the first one, so that"),
    ],
)  # fmt: skip
def test_a_csv_file_that_is_not_in_order_is_named(tmp_path, text, words):
    assert message(table, tmp_path / "a.csv", text).startswith(f"{tmp_path / 'a.csv'}: {words}")


def test_a_file_without_labels_can_be_labeled(tmp_path):
    assert "=NAME for all rows, or use `zoo label`" in message(table, tmp_path / "a.csv", "time,x,y,z\n0,1,2,3\n")


def test_a_fixed_rate_needs_no_time_and_ios_is_turned():
    lines = ["x,y,z", "0,0,-1", "0,0,-1"]
    found = list(read_samples(lines, "here", CsvColumns(rate=4.0, unit="g", convention="ios")))
    assert found == [(0.0, 0.0, 0.0, 9.80665), (0.25, 0.0, 0.0, 9.80665)]


def test_a_sample_is_given_before_the_next_line_is_there():
    def lines():
        yield from ("\N{BYTE ORDER MARK}sep=,", "# Pixel 7\n", "\n", "time,x,y,z")
        # Milliseconds, as is noticed.
        yield from (f"{20 * i},0,9.8,{i}" for i in range(12))
        raise AssertionError("reads on without need")

    samples = read_samples(lines(), "here", CsvColumns())
    assert [next(samples) for _ in range(12)] == [pytest.approx((i / 50, 0, 9.8, i)) for i in range(12)]


@pytest.mark.parametrize("column", ["sensor", "side"])
def test_two_sensors_by_turns_are_a_question(column):
    lines = [f"time,x,y,z,{column}", *(f"{0.02 * i},0,9.8,0,{('left', 'right')[i % 2]}" for i in range(20))]
    samples = read_samples(lines, "here", CsvColumns())
    refused(f"^here: column {column!r} says left, right by turns", list, samples)


def test_few_numbers_by_turns_are_those_of_a_sensor_at_rest():
    lines = ["time;x;y;z", *(f"{0.02 * i};{('0,1', '0,2')[i % 2]};9,8;0".replace(".", ",") for i in range(20))]
    assert [x for _, x, _, _ in read_samples(lines, "here", CsvColumns())] == [0.1, 0.2] * 10


def test_a_row_of_too_many_fields_is_lost():
    lines = ["time,x,y,z", *["0,1,2,3", "0.02,1,5,2,5,3,5", "0.04,1,2,3,"]]
    assert np.isnan(list(read_samples(lines, "here", CsvColumns(time_unit="s")))).any(axis=1).tolist() == [0, 1, 0]
