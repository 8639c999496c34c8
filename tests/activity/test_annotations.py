"""Notes that an app took next to a recording become labels; so do tables of answers, and files of Audacity and ELAN."""

import re
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest

import zoo
from zoo.errors import ZooError

RATE = 50


def signal(seconds, names="seconds_elapsed,x,y,z", begin=0.0, factor=1.0):
    """Rows of a phone that is carried, from `begin` on."""
    random = np.random.default_rng(0)
    lines = [names]
    for number, row in enumerate(random.normal([0, -9.7, 1], 0.5, (seconds * RATE, 3)).tolist()):
        lines.append(f"{factor * (begin + number / RATE):.2f},{','.join(f'{value:.4f}' for value in row)}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def walk(tmp_path):
    """Writes a recording of 60 s and notes next to it: `walk(notes) -> folder`."""

    def write(notes, name="Annotation", **options):
        folder = tmp_path / "walk"
        folder.mkdir(exist_ok=True)
        (folder / "TotalAcceleration.csv").write_text(signal(60, **options))
        (folder / f"{name}.csv").write_text(notes)
        return folder

    return write


def labels(folder, **options):
    """The label, the seconds and who decided of each recording of an import."""
    out = folder.parent / "recordings.h5"
    zoo.import_csv(folder, out, subject="=ann", force=True, **options)
    with h5py.File(out) as file:
        rows = np.diff(file["offsets"][:]) / RATE
        decided = file["decided"].asstr()[:].tolist() if "decided" in file else [""] * len(rows)
        return [*zip(file["activity"].asstr()[:].tolist(), rows.tolist(), decided, strict=True)]


NOTES = (
    "time,seconds_elapsed,text,millisecond_press_duration\n"
    "1700000005000000000,5,walking,80\n1700000025000000000,25,bike,70\n1700000040000000000,40,Stop,70\n"
)


def test_a_note_holds_until_the_next_and_stop_begins_nothing(walk):
    assert labels(walk(NOTES)) == [("walking", 20.0, ""), ("bike", 15.0, "")]


def test_notes_count_from_the_first_time_that_is_known_and_are_in_the_encoding_that_is_asked_for(walk):
    folder = walk("")
    (folder / "Annotation.csv").write_bytes(NOTES.replace("walking", "ходьба").encode("cp1251"))
    file = folder / "TotalAcceleration.csv"
    file.write_text(file.read_text().replace("\n0.00,", "\n,", 1))
    assert labels(folder, encoding="cp1251") == [("ходьба", 20.0, ""), ("bike", 15.0, "")]


def test_a_comma_in_a_note_is_read_as_a_space(walk):
    assert labels(walk('seconds_elapsed,text\n5,"walking, slowly"\n')) == [("walking slowly", 55.0, "")]


def test_notes_taken_at_the_end_name_what_was_before_them(walk):
    assert labels(walk(NOTES), annotations="end") == [("walking", 5.0, ""), ("bike", 20.0, "")]
    assert labels(walk("seconds_elapsed,text\n-5,sit\n20,row\n"), annotations="end") == [("row", 20.0, "")]


@pytest.mark.parametrize("ending", ["", "end", "stop"])
def test_an_empty_note_ends_an_activity_too(walk, ending):
    assert labels(walk(f"seconds_elapsed,text\n10,row\n30,{ending}\n")) == [("row", 20.0, "")]


def test_notes_out_of_order_and_the_same_label_again_are_read_by_their_times(walk):
    notes = "seconds_elapsed,text\n30,sit\n0,sit\n50,walk\n"
    assert labels(walk(notes)) == [("sit", 50.0, ""), ("walk", 10.0, "")]


def test_notes_after_the_end_of_the_recording_are_doubted(walk):
    folder = walk("seconds_elapsed,text\n0,walk\n10000,sit\n20000,walk\n")
    made = zoo.import_csv(folder, folder.parent / "a.h5", subject="=ann")
    (doubt,) = made.warnings
    assert f"{folder / 'Annotation.csv'}: 2 of 3 labels begin after the end at" in doubt


def test_tags_in_milliseconds_are_on_the_clock_of_the_recording(walk):
    notes = "timestamp (ms),tag\n110000,walk\n130000,sit\n"
    folder = walk(notes, name="Tags", names="timestamp (ms),x,y,z", begin=100.0, factor=1000)
    assert labels(folder) == [("walk", 20.0, ""), ("sit", 30.0, "")]


def test_a_column_of_activities_and_an_option_go_before_notes(walk):
    folder = walk(NOTES)
    assert labels(folder, activity="=sitting") == [("sitting", 60.0, "")]
    text = (folder / "TotalAcceleration.csv").read_text().replace("\n", ",standing\n")
    (folder / "TotalAcceleration.csv").write_text(text.replace("z,standing", "z,activity", 1))
    assert labels(folder) == [("standing", 60.0, "")]


@pytest.mark.parametrize(
    ("notes", "says"),
    [
        ("seconds_elapsed,text\n100,walk\n", "Annotation.csv: no row of .* has a label; expected times between 0"),
        ("seconds_elapsed,what\n1,walk\n", "Annotation.csv: no column 'text'; found seconds_el"),
        ("seconds_elapsed,text\n1,'a,b'\n", "Annotation.csv: 2 column names, but row 1 below them has 3 fields"),
        ("seconds_elapsed,text\nsoon,walk\n", "Annotation.csv: column 'seconds_elapsed'.*expected a number"),
        ("seconds_elapsed,text\n5,sit\n5,walk\n", "Annotation.csv: 'sit' and 'walk' are both at 5 s; expected one"),
        ("date,text\n2026-01-01 10:00:00,walk\n", "column 'date' is on another clock than 'seconds_elapsed'"),
        ("seconds_elapsed,tag,label\n2,1,walk\n8,2,sit\n", "Annotation.csv: columns tag and label may both be"),
    ],
)  # fmt: skip
def test_notes_that_cannot_be_placed_are_refused_in_one_line(walk, notes, says):
    folder = walk(notes)
    with pytest.raises(ZooError, match=says) as error:
        labels(folder)
    assert "\n" not in str(error.value)
    assert not (folder.parent / "recordings.h5").exists()


def test_times_in_minutes_are_asked_about_unless_the_column_says_seconds(walk):
    minutes = "time,text\n0,sit\n0.4,walk\n0.9,stop\n"
    with pytest.raises(ZooError, match=r"Annotation.csv: column 'time': the last note is at 0.9 s of 60 s"):
        labels(walk(minutes, names="time,x,y,z"))
    stated = minutes.replace("time", "seconds_elapsed")
    assert [label for label, *_ in labels(walk(stated, names="time,x,y,z"))] == ["sit", "walk"]
    # Notes that end long before the recording, or with it, are seconds.
    for last in (0.3, 59):
        assert len(labels(walk(f"time,text\n0,sit\n{last},walk\n", names="time,x,y,z"))) == 2
    # Dates count no minutes.
    dated = "time,text\n1700000000,sit\n1700000000.9,walk\n"
    assert len(labels(walk(dated, names="time,x,y,z", begin=1.7e9))) == 2


@pytest.mark.parametrize(
    ("notes", "options", "says"),
    [
        ("time,text\n2,walk\n8,sit\n", {"begin": 100.0}, "all 2 labels begin before the first row, the last one 92 s"),
        ("time,text\n2,walk\n8,sit\n", {"factor": 1000}, "the last note is at 0.008 s of 60 s; expected seconds"),
        ("time,text\n1699992800,walk\n1699992808,sit\n", {"begin": 1.7e9}, "all 2 labels begin before the first row"),
    ],
)  # fmt: skip
def test_notes_on_another_clock_do_not_label_all_rows_as_the_last_of_them(walk, notes, options, says):
    with pytest.raises(ZooError, match=rf"Annotation.csv: .*{says}"):
        labels(walk(notes, names="time,x,y,z", **options))
    # A single note may have been taken before the recording.
    if "begin" in options:
        one = notes.replace("\n8,sit", "").replace("\n1699992808,sit", "")
        assert [label for label, *_ in labels(walk(one, names="time,x,y,z", **options))] == ["walk"]


def test_notes_in_small_letters_that_label_several_recordings_are_doubted(tmp_path):
    for who, names in (("ann", "seconds_elapsed,x,y,z"), ("ben", "seconds_elapsed,y,z,x")):
        (tmp_path / f"{who}.csv").write_text(signal(20, names=names))
    (tmp_path / "tags.csv").write_text("seconds_elapsed,label,note\n2,walk,\n8,sit,\n")
    made = zoo.import_csv(tmp_path, tmp_path / "a.h5", layout="{subject}.csv")
    (doubt,) = made.warnings
    assert f"notes in {tmp_path / 'tags.csv'} label 2 recordings" in doubt


@pytest.mark.parametrize(
    ("recording", "notes"),
    [(None, ""), (None, "Z"), (None, "+01:00"), ("", ""), ("", "Z"), ("", "+01:00"), ("Z", ""), ("Z", "+00:00")],
)
def test_dates_with_a_time_zone_and_dates_without_are_not_taken_for_one_clock(walk, recording, notes):
    folder = walk(f"time,text\n2023-11-14 22:13:28{notes},sit\n", names="time,x,y,z", begin=1.7e9)
    if recording is not None:
        file = folder / "TotalAcceleration.csv"
        names, *rows = file.read_text().splitlines()
        times = [f"{datetime.fromtimestamp(float(row.split(',')[0]), UTC):%F %T.%f}{recording}" for row in rows]
        rows = [",".join([moment, *row.split(",")[1:]]) for moment, row in zip(times, rows, strict=True)]
        file.write_text("\n".join([names, *rows]))
    if bool(notes) != (recording != ""):
        says = "column 'time': states " + ("a time zone, and the" if notes else "no time zone")
        with pytest.raises(ZooError, match=says):
            labels(folder)
    else:
        assert labels(folder)[0][:2] == ("sit", 60 - (8 if notes != "+01:00" else 0))


def test_a_missing_first_time_says_nothing_of_time_zones(walk):
    folder = walk("time,text\n2023-11-14 22:13:28,sit\n", names="time,x,y,z", begin=1.7e9)
    file = folder / "TotalAcceleration.csv"
    names, *rows = file.read_text().splitlines()
    times = ["", *(f"{datetime.fromtimestamp(float(row.split(',')[0]), UTC):%F %T.%f}" for row in rows[1:])]
    rows = [",".join([moment, *row.split(",")[1:]]) for moment, row in zip(times, rows, strict=True)]
    file.write_text("\n".join([names, *rows]))
    assert labels(folder)[0][0] == "sit"


def test_times_of_day_do_not_place_notes_among_dates(walk):
    folder = walk("time,text\n10:00:08,sit\n", names="time,x,y,z", begin=1.7e9)
    with pytest.raises(ZooError, match="'time' is on another clock than 'time': pass time"):
        labels(folder)


TRACK = "5.000000\t25.000000\twalking\n25.000000\t40.000000\tbike\n\\\t100.0\t200.0\n45.000000\t50.000000\tstop\n"
ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="ann" DATE="2026-01-01T10:00:00+00:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="5000"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="25000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="40000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="default">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE>bike</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>walking</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""
OTHER_TIER = """<TIER TIER_ID="remarks"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3">
    <ANNOTATION_VALUE>it rains</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER><LINGUISTIC_TYPE"""


@pytest.fixture
def track(tmp_path):
    """Writes a recording of 60 s and a file of another program next to it: `track(".eaf", text) -> folder`."""

    def write(ending, text):
        folder = tmp_path / "walk"
        folder.mkdir(exist_ok=True)
        (folder / "walk.csv").write_text(signal(60, begin=1000.0))
        (folder / f"walk{ending}").write_text(text)
        return folder

    return write


@pytest.mark.parametrize(("ending", "text"), [(".txt", TRACK), (".eaf", ELAN)])
def test_stretches_of_another_program_are_labels_in_place_of_notes(track, ending, text):
    folder = track(ending, text)
    (folder / "Annotation.csv").write_text("seconds_elapsed,text\n1000,rowing\n")
    assert labels(folder) == [("walking", 20.0, ""), ("bike", 15.0, "")]


def test_labels_of_another_program_are_in_the_encoding_that_is_asked_for(track):
    folder, walking = track(".txt", ""), "ходьба"
    (folder / "walk.txt").write_bytes(f"5\t25\t{walking}\n".encode("cp1251"))
    with pytest.raises(ZooError, match=rf"walk\.txt: line 1: not in UTF-8; it is .*'{walking}'"):
        labels(folder)
    assert labels(folder, encoding="cp1251") == [(walking, 20.0, "")]


def test_points_of_a_label_track_are_notes_and_among_stretches_remarks(track):
    points = "5.0\t5.0\twalking\n25.0\t25.0\tbike\n40\t40\t\n"
    assert labels(track(".txt", points)) == [("walking", 20.0, ""), ("bike", 15.0, "")]
    assert labels(track(".txt", points), annotations="end") == [("walking", 5.0, ""), ("bike", 20.0, "")]
    assert labels(track(".txt", f"{points}50\t60\trowing\n")) == [("rowing", 10.0, "")]


def test_a_table_that_ends_as_a_label_track_is_a_recording(track):
    folder = track(".txt", signal(60, names="seconds_elapsed,x,y,z").replace(",", "\t"))
    (folder / "walk.csv").unlink()
    assert labels(folder, activity="=walking") == [("walking", 60.0, "")]


def test_of_several_tiers_that_of_activities_is_read(track):
    several = ELAN.replace("<LINGUISTIC_TYPE", OTHER_TIER, 1)
    assert labels(track(".eaf", several.replace('"default"', '"activity"')))[0] == ("walking", 20.0, "")
    with pytest.raises(ZooError, match="has labels in the tiers default, remarks: name the one to read activity"):
        labels(track(".eaf", several))


BOMB = '<!DOCTYPE a [<!ENTITY a "walking"><!ENTITY b "&a;&a;&a;&a;">]>\n<ANNOTATION_DOCUMENT'


@pytest.mark.parametrize(
    ("ending", "text", "says"),
    [
        (".txt", "5\t25\twalking\n20\t30\tbike\n", "'walking' until 25 s and 'bike' from 20 s overlap"),
        (".txt", "5\t25\twalking\n30 40 bike\n", "walk.txt: line 2: expected start, end and label with tabs"),
        (".txt", "25\t5\twalking\n", "walk.txt: 'walking' is from 25 to 5 s; expected a start before"),
        (".txt", "100\t200\twalking\n", "walk.txt: no row of .* has a label; expected times between 0"),
        (".eaf", ELAN.replace("<ANNOTATION_DOCUMENT", BOMB, 1), "walk.eaf: has a document type, which ELAN does not"),
        (".eaf", ELAN[:900], "walk.eaf: not a file of ELAN"),
        (".eaf", "", "walk.eaf: not a file of ELAN"),
        (".eaf", ELAN.replace(' TIME_VALUE="5000"', ""), "walk.eaf: 'walking' is from nan to 25 s; expected a start"),
        (".eaf", ELAN.replace("ALIGNABLE", "REF"), "walk.eaf: no row of .* has a label"),
    ],
)  # fmt: skip
def test_files_of_another_program_that_cannot_be_read_are_refused_in_one_line(track, ending, text, says):
    folder = track(ending, text)
    with pytest.raises(ZooError, match=says) as error:
        labels(folder)
    assert "\n" not in str(error.value)


ANSWERS = "file,sha256,subject,start,end,activity,decided\n"


def answered(folder, *rows, digest=None, described=""):
    """A table of answers next to a folder: `start,end,activity,decided`."""
    from zoo.files import sha256

    file = folder / "TotalAcceleration.csv"
    path = folder.parent / "labeled" / "ann" / "2026-01-01-100000.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    named = f"../../walk/TotalAcceleration.csv,{digest or sha256(file)},ann"
    path.write_text(described + ANSWERS + "".join(f"{named},{row}\n" for row in rows))
    return path.parents[1]


def test_answers_are_imported_and_cut_with_who_decided(walk):
    folder = walk("")
    (folder / "Annotation.csv").unlink()
    rows = ("0,20,walking,person", "20,30,walking,person", "30,35,,person", "35,60,sitting,proposal 0.93")
    place = answered(folder, *rows)
    expected = [("walking", 30.0, "person"), ("sitting", 25.0, "proposal 0.93")]
    assert labels(place) == expected
    data = zoo.cut_windows(place, folder.parent / "data3.h5", test_fraction=0).data
    assert data.classes == ("sitting", "walking")
    decided = data.train.column("decided")
    assert dict(zip(*np.unique(decided, return_counts=True), strict=True)) == {"person": 17, "proposal 0.93": 14}


def test_answers_say_how_their_recording_is_read(walk):
    folder = walk("", names="clock,right,up,front")
    how = '# {"x": "right", "y": "up", "z": "front", "time": "clock"}\n'
    assert labels(answered(folder, "0,20,walking,person", described=how)) == [("walking", 20.0, "person")]


def test_answers_are_of_the_study_that_is_asked_for(walk):
    out = (place := answered(walk(""), "0,20,walking,person")).parent / "recordings.h5"
    zoo.import_csv(place, out, study="lab")
    with h5py.File(out) as file:
        assert file["study"].asstr()[:].tolist() == ["lab"]


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (["0,20,walking,person"], {"digest": 64 * "0"}, "TotalAcceleration.csv: has changed since it was labeled in"),
        (["20,0,walking,person"], {}, "row 1 below the names: 20 to 0 s; expected stretches in their order"),
        (["0,20,walking,person", "10,30,sit,person"], {}, "row 2 below the names: 10 to 30 s; expected stretches in"),
        (["x,20,walking,person"], {}, "row 1 below the names: start or end is no number"),
        (["0,20,walking,person"], {"described": "# [1]\n"}, "the first line does not say how the recording is read"),
        (["0,20,,person"], {}, "no row of .* has a label"),
    ],
)  # fmt: skip
def test_answers_that_do_not_fit_are_refused_in_one_line(walk, rows, options, says):
    place = answered(walk(""), *rows, **options)
    with pytest.raises(ZooError, match=says):
        labels(place)


def test_answers_about_a_missing_recording_name_it(walk):
    folder = walk("")
    place = answered(folder, "0,20,walking,person")
    (folder / "TotalAcceleration.csv").unlink()
    with pytest.raises(ZooError, match=re.escape("no such file") + ".*TotalAcceleration.csv"):
        labels(place)
