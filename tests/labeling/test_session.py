"""What is decided is on the disk before it is shown, is continued after anything, and is told to nobody else."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import running

import zoo
from zoo.activity.annotations import COLUMNS
from zoo.activity.columns import CsvColumns
from zoo.activity.simulate import walk_through
from zoo.errors import ZooError
from zoo.files import read_arrays, write_arrays
from zoo.labeling.session import open_session
from zoo.serving import PageServer
from zoo.serving.server import Refusal

STARTED = 1_748_937_600
"""Seconds since 1970."""


def recorded(file, *activities, seconds=30.0, rate=50, gap=None, seed=1):
    """A recording of a simulated person, as Sensor Logger writes it; without the seconds of a gap."""
    rows = walk_through(activities, seconds, rate, seed)[0]
    lines = ["time,seconds_elapsed,z,y,x"]
    for number, (x, y, z) in enumerate(rows.tolist()):
        time = number / rate
        if gap is None or not gap[0] <= time < gap[1]:
            lines.append(f"{(STARTED * rate + number) * 10**9 // rate},{time:.2f},{z:.4f},{y:.4f},{x:.4f}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture
def hour(tmp_path):
    """A folder as Sensor Logger shares it, with notes."""
    recorded(tmp_path / "hour" / "TotalAcceleration.csv", "sitting", "walking", "sitting", gap=(40, 45))
    notes = "time,seconds_elapsed,text,millisecond_press_duration\n1,0,sitting,1\n1,31,walking,1\n1,61,sitting,1\n"
    (tmp_path / "hour" / "Annotation.csv").write_text(notes)
    return tmp_path / "hour"


@pytest.fixture
def opened(hour, tmp_path):
    """Opens the recordings again and again: `opened() -> session`, of ann."""

    def once(source=hour, subject="ann", out=None, **columns):
        who = None if subject is None else f"={subject}"
        session, once.doubts = open_session([source], CsvColumns(subject=who, **columns), tmp_path / "labeled", out)
        return session

    return once


def act(session, number=0, **action):
    return session.act(number, {**action, "version": session.shown(number)["version"]})


def journal(tmp_path):
    (path,) = (tmp_path / "labeled").rglob("*.csv")
    return path


def labels(shown):
    return [stretch["label"] for stretch in shown["stretches"]]


def test_each_answer_is_in_the_folder_and_continued(opened, tmp_path):
    session = opened()
    first = session.shown(0)
    # Edges of notes and those of the gap.
    assert [(one["start"], one["end"]) for one in first["stretches"]] == [(0, 31), (31, 40), (45, 61), (61, 90)]
    assert [one["note"] for one in first["stretches"]] == ["sitting", "walking", "walking", "sitting"]
    act(session, do="accept", at=0)
    path = journal(tmp_path)
    assert path.relative_to(tmp_path / "labeled") == Path("ann") / path.name
    lines = path.read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].split(",")[2:] == ["ann", "0.000", "31.000", "sitting", "note"]
    act(session, do="label", at=1, label="strolling")
    act(session, do="leave", at=2)
    again = opened().shown(0)
    assert labels(again) == ["sitting", "strolling", "", None]
    assert "strolling" in again["words"]


def test_undo_goes_back_to_nothing_and_leaves_no_file(opened, tmp_path):
    session = opened()
    act(session, do="accept", at=0)
    act(session, do="split", at=3, time=70.0)
    act(session, do="label", at=3, label="rowing")
    assert labels(act(session, do="undo")) == ["sitting", None, None, None, None]
    act(session, do="undo")
    shown = act(session, do="undo")
    assert (labels(shown), shown["undo"]) == ([None] * 4, False)
    assert not [*(tmp_path / "labeled" / "ann").iterdir()]
    with pytest.raises(ZooError, match="nothing to undo"):
        act(session, do="undo")


def test_what_earlier_sessions_decided_is_undone_as_well(opened, tmp_path):
    kept = []
    for action in (
        {"do": "accept", "at": 1}, {"do": "split", "at": 1, "time": 35.1234},
        {"do": "label", "at": 2, "label": "rowing"}, {"do": "leave", "at": 0},
        {"do": "edge", "at": 1, "by": 0.1}, {"do": "label", "at": 2, "label": "walking"},
    ):  # fmt: skip
        act(opened(), **action)
        kept.append(journal(tmp_path).read_bytes())
    # An answer that is undone at once is no other one, and what is not in the journal is undone in its session alone.
    session = opened()
    act(session, do="accept", at=4)
    act(session, do="undo")
    for before in reversed(kept[:-1]):
        session = opened()
        act(session, do="undo")
        assert journal(tmp_path).read_bytes() == before
    assert act(session, do="undo")["undo"] is False
    # What was undone is proposed again.
    assert [one["note"] for one in session.shown(0)["stretches"]] == ["sitting", "walking", "walking", "sitting"]
    assert not [*(tmp_path / "labeled" / "ann").iterdir()]


@pytest.mark.parametrize("damage", ["changed journal", "no undo", "broken undo"])
def test_answers_that_cannot_be_undone_are_kept(opened, tmp_path, damage):
    act(opened(), do="accept", at=0)
    undo = journal(tmp_path).with_suffix(".undo.json")
    if damage == "changed journal":
        journal(tmp_path).write_text(journal(tmp_path).read_text().replace("sitting", "resting"))
    else:
        undo.write_text("{") if damage == "broken undo" else undo.unlink()
    session = opened()
    assert labels(session.shown(0))[0] == ("resting" if damage == "changed journal" else "sitting")
    assert session.shown(0)["undo"] is False
    assert act(session, do="leave", at=3)["undo"] is True


def test_a_second_tab_changes_nothing_that_it_has_not_seen(opened, tmp_path):
    session = opened()
    seen = session.shown(0)["version"]
    act(session, do="accept", at=0)
    before = journal(tmp_path).read_bytes()
    with pytest.raises(Refusal, match="something changed meanwhile, as in another tab"):
        session.act(0, {"do": "leave", "at": 0, "version": seen})
    assert journal(tmp_path).read_bytes() == before


def test_nothing_is_decided_before_the_person_is_named(hour, tmp_path):
    session, _ = open_session([hour], CsvColumns(), tmp_path / "labeled", None)
    with pytest.raises(ZooError, match="name the person first"):
        act(session, do="accept", at=0)
    for name in ("../ann", "", "=cmd"):
        with pytest.raises(ZooError, match="person"):
            session.name_person(name)
    session.name_person("p1")
    with pytest.raises(ZooError, match="are of p1 already"):
        session.name_person("p2")


def test_the_person_of_earlier_answers_is_not_asked_for_again(opened, hour):
    session = opened(subject=None)
    session.name_person("ann")
    act(session, do="accept", at=0)
    again = opened(subject=None).shown(0)
    assert (again["subject"], again["stretches"][0]["label"]) == ("ann", "sitting")
    # Where the answers of two people lie there, nobody knows.
    act(opened(subject="ben"), do="accept", at=0)
    assert opened(subject=None).shown(0)["subject"] == ""


def test_a_recording_that_changed_is_named_and_its_answers_are_kept(opened, hour, tmp_path):
    session = opened()
    act(session, do="accept", at=0)
    kept = journal(tmp_path).read_bytes()
    file = hour / "TotalAcceleration.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-5]) + "\n")
    with pytest.raises(ZooError, match=r"TotalAcceleration.csv: has changed since it was opened"):
        act(session, do="accept", at=1)
    assert journal(tmp_path).read_bytes() == kept
    session = opened()
    assert "has changed since it was labeled in" in opened.doubts[0]
    act(session, do="accept", at=1)
    assert len([*(tmp_path / "labeled").rglob("*.csv")]) == 2
    # A copy that was moved is known by what it holds.
    with pytest.raises(ZooError, match="has changed since it was labeled in"):
        zoo.import_csv(tmp_path / "labeled", tmp_path / "r.h5")


def test_answers_follow_a_recording_that_was_moved(opened, hour, tmp_path):
    act(opened(), do="accept", at=0)
    shutil.move(hour, tmp_path / "elsewhere")
    session = opened(tmp_path / "elsewhere")
    assert labels(session.shown(0))[0] == "sitting"
    act(session, do="accept", at=3)
    assert "../../elsewhere/" in journal(tmp_path).read_text()


def test_a_copy_of_a_recording_is_left_out_and_named(opened, hour, tmp_path):
    file = hour / "TotalAcceleration.csv"
    copy = hour / "TotalAcceleration (1).csv"
    shutil.copy(file, copy)
    session = opened(out=tmp_path / "ours.h5")
    assert [one["file"] for one in session.overview()["recordings"]] == [str(file)]
    assert opened.doubts == [f"{copy}: left out, as it is a copy of {file}"]
    for at in (0, 1):
        act(session, do="accept", at=at)
    assert session.save()["recordings"] == 2
    # What is decided about one of them is decided about the other.
    assert labels(opened(copy).shown(0))[:2] == ["sitting", "walking"]


def test_labels_stay_at_their_rows_as_other_times_are_refused(opened, tmp_path):
    act(opened(rate=50.0), do="accept", at=0)
    kept = journal(tmp_path).read_bytes()
    for columns in ({"rate": 100.0}, {}, {"time": "seconds_elapsed"}):
        # Also before the person is named.
        for subject in ("ann", None):
            with pytest.raises(
                ZooError, match=r"TotalAcceleration.csv: was labeled in .*\.csv with rate=50.0: pass the"
            ):
                opened(subject=subject, **columns)
    assert labels(opened(rate=50.0, convention="android").shown(0))[0] == "sitting"
    assert journal(tmp_path).read_bytes() == kept
    journal(tmp_path).unlink()
    act(opened(), do="accept", at=0)
    with pytest.raises(ZooError, match=r"was labeled in .* with no rate: pass the same"):
        opened(rate=100.0)


def shown_signal(session):
    """All that the page gets of a recording."""
    (_, rows) = session.routes("token")["GET", "/label/signal/*"]
    return session.overview()["recordings"], rows("0", b"", "")


def kept_signal(tmp_path):
    (path,) = (tmp_path / "labeled").glob(".signal-*.npz")
    return path


def test_what_was_read_is_kept_as_long_as_the_recording_stays_as_it_is(opened, hour, tmp_path):
    first = shown_signal(session := opened())
    act(session, do="accept", at=0)
    answers = journal(tmp_path).read_bytes()
    kept = kept_signal(tmp_path)
    assert shown_signal(opened()) == first
    # Notes are read anew.
    (hour / "Annotation.csv").write_text("seconds_elapsed,text\n0,resting\n")
    assert {one["note"] for one in opened().shown(0)["stretches"]} == {"", "resting"}
    # What is read is what was kept.
    arrays = read_arrays(kept)
    write_arrays(kept, **{**arrays, "rows": 2 * arrays["rows"]})
    assert shown_signal(opened())[1] != first[1]
    # A recording that is read in another way, or holds something else, is read anew, and kept in place of the other.
    assert shown_signal(opened(convention="android"))[1] == first[1]
    file = hour / "TotalAcceleration.csv"
    before = file.stat()
    file.write_text(file.read_text().replace("-9.", "-8.", 500))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = shown_signal(opened())
    assert changed[1] != first[1]
    assert kept_signal(tmp_path) == kept
    assert journal(tmp_path).read_bytes() == answers
    # Notes in minutes are asked about, as by an import.
    (hour / "Annotation.csv").write_text("time,text\n0,sitting\n1.4,walking\n")
    with pytest.raises(ZooError, match=r"Annotation.csv: column 'time': the last note is at 1.4 s of 90 s"):
        opened()


@pytest.mark.parametrize("damage", ["cut off", "no archive", "a wrong byte", "empty", "other arrays", "a folder"])
def test_a_kept_signal_that_is_damaged_is_made_again(opened, tmp_path, damage):
    first = shown_signal(session := opened())
    act(session, do="accept", at=0)
    kept, answers = kept_signal(tmp_path), journal(tmp_path).read_bytes()
    content = kept.read_bytes()
    if damage == "other arrays":
        write_arrays(kept, rows=np.zeros(3))
    elif damage == "a folder":
        kept.unlink()
        kept.mkdir()
    else:
        middle = len(content) // 2
        wrong = {
            "cut off": content[:middle], "no archive": b"nothing", "empty": b"",
            "a wrong byte": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        }  # fmt: skip
        kept.write_bytes(wrong[damage])
    session = opened()
    assert shown_signal(session) == first
    assert (labels(session.shown(0))[0], journal(tmp_path).read_bytes()) == ("sitting", answers)
    assert shown_signal(opened()) == first
    assert damage == "a folder" or kept.read_bytes() == content


def test_what_is_in_view_is_proposed_first(tmp_path):
    recorded(tmp_path / "day" / "TotalAcceleration.csv", *["sitting", "walking", "jogging"] * 8, seconds=20.0)
    session, _ = open_session([tmp_path / "day"], CsvColumns(), tmp_path / "labeled", None)
    session.name_person("ann")
    # The page enlarges a minute of the eight, and what is beside it.
    session.see("0", {"start": 0.0, "end": 480.0})
    session.see("0", {"start": 170.3, "end": 252.0})
    proposing = Thread(target=session.propose, args=["activity_gru_pocket"])
    proposing.start()
    guesses = []
    while not guesses:
        assert proposing.is_alive()
        day = session.shown(0)
        guesses = [one for one in day["stretches"] if one["guess"]]
    expected = ["sitting", "walking", "jogging"] * 8
    assert [one["guess"] for one in guesses] == expected[8:13]
    assert (guesses[0]["start"], guesses[-1]["end"]) == (170, 252)
    # What is decided meanwhile stays, and is what is undone.
    act(session, do="accept", at=day["stretches"].index(guesses[2]))
    proposing.join()
    found = session.shown(0)
    assert [one["label"] or one["guess"] for one in found["stretches"]] == expected
    assert [at for at, label in enumerate(labels(found)) if label] == [10]
    undone = act(session, do="undo")
    assert ([one["guess"] for one in undone["stretches"]], {*labels(undone)}, undone["undo"]) == (
        expected,
        {None},
        False,
    )


def test_files_among_the_recordings_that_hold_no_acceleration_are_left_out_and_named(opened, hour, tmp_path):
    (hour / "my_memory.txt").write_text("I walked, then I sat.\n")
    (hour / "yesterday.zip").write_bytes(b"PK\x03\x04")
    assert [Path(one["file"]).name for one in opened(hour).overview()["recordings"]] == ["TotalAcceleration.csv"]
    why = "left out, as no acceleration can be read in them"
    assert opened.doubts == [f"{why}: 2, such as {hour / 'my_memory.txt'}"]
    # A file that is named is to be read, and so is one of several if there is no other.
    with pytest.raises(ZooError, match=r"my_memory.txt: no column for x"):
        opened(hour / "my_memory.txt")
    (tmp_path / "texts").mkdir()
    shutil.copy(hour / "my_memory.txt", tmp_path / "texts")
    with pytest.raises(ZooError, match=r"my_memory.txt: no column for x"):
        opened(tmp_path / "texts")


def test_a_last_note_that_holds_by_far_longest_is_doubted(opened, tmp_path):
    recorded(tmp_path / "day" / "TotalAcceleration.csv", *["walking", "sitting"] * 14, rate=20)
    for notes, doubtful in [("0,sitting\n60,walking\n120,sitting\n", 120), ("0,sitting\n60,walking\n120,stop\n", None)]:
        (tmp_path / "day" / "Annotation.csv").write_text("seconds_elapsed,text\n" + notes)
        assert opened(tmp_path / "day").overview()["recordings"][0]["doubtful"] == doubtful
        made = zoo.import_csv(tmp_path / "day", tmp_path / "r.h5", subject="=ann", force=True)
        assert [*made.warnings] == ([] if doubtful is None else [
            f"{tmp_path / 'day' / 'Annotation.csv'}: the last note, sitting at 120 s, holds to the end, 12 minutes: "
            "if it ended earlier, add a note stop there"
        ])  # fmt: skip


def test_the_model_can_learn_as_soon_as_everything_is_decided(opened):
    session = opened()
    assert session.shown(0)["missing"] == 4
    for at in range(4):
        act(session, do="label", at=at, label=["sitting", "walking"][at % 2])
    assert session.shown(0)["missing"] == 0
    act(session, do="split", at=0, time=10)
    # Whatever a person does, at most 20 answers are needed.
    assert session.shown(0)["missing"] == 0


def test_a_word_whose_answer_was_undone_is_no_word_any_more(opened):
    session = opened()
    assert act(session, do="label", at=0, label="rowing")["words"][-1] == "rowing"
    assert "rowing" not in act(session, do="undo")["words"]


def test_what_the_model_proposes_is_shown_for_what_is_decided_as_well(opened):
    session = opened()
    act(session, do="label", at=0, label="rowing")
    assert {one["guess"] for one in session.shown(0)["whole"]} == {""}
    session.propose("activity_gru_pocket")
    shown = session.shown(0)
    assert shown["stretches"][0]["label"] == "rowing"
    assert [one["guess"] for one in shown["whole"] if one["start"] < 25] == ["sitting"]


def test_answers_among_the_recordings_are_no_recordings(opened, tmp_path):
    act(opened(tmp_path), do="accept", at=0)
    session = opened(tmp_path)
    assert [Path(one["file"]).name for one in session.overview()["recordings"]] == ["TotalAcceleration.csv"]
    assert labels(session.shown(0))[0] == "sitting"


def test_answers_are_written_for_other_programs_which_are_read_again(opened, hour, tmp_path):
    session = opened()
    for at, label in enumerate(["sitting", "rise & fall"]):
        act(session, do="label", at=at, label=label)
    act(session, do="leave", at=2)
    audacity, elan = session.write_tracks(["audacity", "elan"])
    assert audacity.read_text() == "0.000\t31.000\tsitting\n31.000\t40.000\trise & fall\n"
    # They lie next to the answers, and are none themselves.
    assert zoo.import_csv(tmp_path / "labeled", tmp_path / "r.h5").recordings == 2
    for path in (audacity, elan):
        shutil.copy(path, hour / f"TotalAcceleration{path.suffix}")
        found = opened(subject="ben").shown(0)
        assert [one["note"] for one in found["stretches"]] == ["sitting", "rise & fall", ""]
        (hour / f"TotalAcceleration{path.suffix}").unlink()


def test_a_model_that_does_not_exist_is_refused_before_the_page_is_served(hour, zoo_cli):
    found = zoo_cli("label", hour, "--model", "activity_gru_fone", "--subject", "ann")
    assert (found.status, "activity_gru_phone" in found.err) == (1, True)


def test_a_full_disk_changes_nothing(opened, tmp_path):
    session = opened()
    act(session, do="accept", at=0)
    folder = journal(tmp_path).parent
    shutil.rmtree(folder)
    folder.write_text("no folder")
    with served(session) as server:
        action = {"do": "accept", "at": 1, "version": session.shown(0)["version"]}
        status, answer = ask(server, "PUT", "/label/day/0", action)
    assert (status, "not a folder" in answer["error"]) == (507, True)
    assert labels(session.shown(0)) == ["sitting", None, None, None]
    folder.unlink()
    act(session, do="accept", at=1)
    assert labels(opened().shown(0)) == ["sitting", "walking", None, None]


def test_what_is_saved_is_cut_into_windows_and_says_who_decided(opened, tmp_path):
    session = opened(out=tmp_path / "ours.h5")
    with pytest.raises(ZooError, match="nothing has a label yet"):
        session.save()
    for at in range(3):
        act(session, do="accept", at=at)
    act(session, do="label", at=3, label="resting")
    assert session.save() | {"warnings": []} == {"saved": str(tmp_path / "ours.h5"), "recordings": 4, "warnings": []}
    act(session, do="undo")
    # It may be saved again.
    assert session.save()["recordings"] == 3
    for source in (tmp_path / "ours.h5", tmp_path / "labeled"):
        data = zoo.cut_windows(source, tmp_path / "data3.h5", test_fraction=0, force=True).data
        assert data.classes == ("sitting", "walking")
        assert {*data.train.column("decided")} == {"note"}
        assert data.train.people() == ["ann"]


def test_an_evaluation_says_how_many_labels_are_accepted_proposals(opened, hour, tmp_path):
    session = opened()
    for at in (0, 1):
        act(session, do="accept", at=at)
    path = journal(tmp_path)
    path.write_text(path.read_text().replace("sitting,note", "sitting,proposal 0.93"))
    zoo.cut_windows(tmp_path / "labeled", tmp_path / "data3.h5", test_fraction=0)
    evaluated = zoo.evaluate("activity_gru_tiny", tmp_path / "data3.h5", split="all", baselines=False)
    # 18 windows of 29 s, and 3 of 9 s.
    assert any(note.startswith("86% of the labels are proposals") for note in evaluated.to_json()["notes"])


def test_a_zip_file_and_units_of_an_app_are_read_as_an_import_reads_them(opened, tmp_path):
    recorded(tmp_path / "one" / "TotalAcceleration.csv", "walking", seconds=20.0)
    text = (tmp_path / "one" / "TotalAcceleration.csv").read_text().replace("z,y,x", "c,b,a")
    with zipfile.ZipFile(tmp_path / "walk.zip", "w") as file:
        file.writestr("walk/TotalAcceleration.csv", text)
        file.writestr("walk/Annotation.csv", "seconds_elapsed,text\n0,walking\n")
    session = opened(tmp_path / "walk.zip", x="a", y="b", z="c")
    act(session, do="accept", at=0)
    # The table of answers says how the recording is read.
    assert zoo.import_csv(tmp_path / "labeled", tmp_path / "r.h5").recordings == 1


def test_a_note_is_spelled_as_the_model_and_earlier_notes_spell_it(opened, hour, tmp_path):
    notes = "time,seconds_elapsed,text,millisecond_press_duration\n1,0,Sitting,1\n1,31,Sawing,1\n1,61,sawing,1\n"
    (hour / "Annotation.csv").write_text(notes)
    shown = opened().shown(0)
    assert {stretch["note"] for stretch in shown["stretches"]} - {""} == {"sitting", "Sawing"}
    assert shown["words"][-1] == "Sawing"
    assert len({word.lower() for word in shown["words"]}) == len(shown["words"])


def test_labels_of_a_column_come_in_as_proposals(opened, tmp_path):
    rows = walk_through(["walking"], 30.0, 50, 1)[0].tolist()
    lines = ["time,x,y,z,subject,activity"]
    for number, (x, y, z) in enumerate(rows):
        label = "walking" if number < 1000 else "resting" if number >= 1250 else ""
        lines.append(f"{number / 50:.2f},{x:.4f},{y:.4f},{z:.4f},bob,{label}")
    (tmp_path / "labeled.csv").write_text("\n".join(lines) + "\n")
    session = opened(tmp_path / "labeled.csv", subject=None)
    shown = session.shown(0)
    assert [(one["start"], one["end"], one["note"]) for one in shown["stretches"]] == [
        (0, 20, "walking"), (20, 25, ""), (25, 30, "resting")
    ]  # fmt: skip
    # So does a column of people, unless another person is named.
    assert ("resting" in shown["words"], shown["subject"]) == (True, "bob")
    with pytest.raises(ZooError, match="are of bob already"):
        session.name_person("ann")
    assert opened(tmp_path / "labeled.csv", subject="ann").shown(0)["subject"] == "ann"
    # An import leaves out what has no label.
    made = zoo.import_csv(tmp_path / "labeled.csv", tmp_path / "r.h5")
    assert (made.recordings, made.dropped["rows without a label"]) == (2, 250)


def test_recordings_of_several_people_in_one_folder_have_answers_apart(opened, tmp_path):
    for number, name in enumerate(["ann_walking", "ann_sitting", "ben_walking"]):
        recorded(tmp_path / "flat" / f"{name}.csv", name[4:], seed=number)
    # One person is asked for, and doubted where names of files say otherwise.
    session, doubts = open_session([tmp_path / "flat"], CsvColumns(), tmp_path / "labeled", None)
    (doubt,) = session.name_person("ann")
    assert ("including ben_walking.csv" in doubt, "{subject}_{activity}*.csv" in doubt, doubts) == (True, True, [])
    session, _ = open_session(
        [tmp_path / "flat"], CsvColumns(), tmp_path / "labeled", tmp_path / "r.h5", layout="{subject}_{activity}*.csv"
    )
    shown = [session.shown(number) for number in range(3)]
    assert [(day["subject"], day["stretches"][0]["note"]) for day in shown] == [
        ("ann", "sitting"), ("ann", "walking"), ("ben", "walking")
    ]  # fmt: skip
    for number in range(3):
        act(session, number, do="accept", at=0)
    folders = [path.parent.name for path in (tmp_path / "labeled").rglob("*.csv")]
    assert sorted(folders) == ["ann", "ann", "ben"]
    session.save()
    minutes = zoo.describe(tmp_path / "r.h5")["minutes"]
    assert {who: [*row] for who, row in minutes.items()} == {"ann": ["sitting", "walking"], "ben": ["walking"]}


def test_a_file_of_several_people_is_refused_in_one_line(opened, tmp_path):
    rows = "".join(f"{number / 50:.2f},0,0,9.8,{'ann' if number < 100 else 'ben'}\n" for number in range(200))
    (tmp_path / "both.csv").write_text(f"time,x,y,z,who\n{rows}")
    with pytest.raises(ZooError, match=r"both.csv: is of ann and ben; expected one person"):
        opened(tmp_path / "both.csv", subject=None)


@pytest.mark.parametrize("back", [5, 20])
def test_a_clock_restarts_on_the_page_where_it_does_in_an_import(opened, tmp_path, back):
    rows = walk_through(["walking"], 30.0, 50, 1)[0].tolist()
    times = [*range(750), *range(750 - back, 1500 - back)]
    lines = [f"{time / 50:.2f},{x:.4f},{y:.4f},{z:.4f}" for time, (x, y, z) in zip(times, rows, strict=True)]
    file = tmp_path / "day.csv"
    file.write_text("\n".join(["time,x,y,z", *lines]) + "\n")
    made = zoo.import_csv(file, tmp_path / "r.h5", subject="=ann", activity="=walking")
    if back == 5:
        # A few rows that come late are left out, and end no recording.
        assert (made.recordings, sum(made.dropped.values()), len(opened(file).tracks[0].signal.parts)) == (1, back, 1)
        return
    assert (made.recordings, made.changed["restarts of the clock at which a recording was split"]) == (2, 1)
    with pytest.raises(ZooError, match=r"day\.csv: its clock restarts"):
        opened(file)


def test_the_page_gets_all_rows_between_gaps_in_hundredths(opened, tmp_path):
    session = opened()
    ((recording,), content) = shown_signal(session)
    assert recording["parts"] == [(0.0, 50.0, 2000), (45.0, 50.0, 2250)]
    lines = (tmp_path / "hour" / "TotalAcceleration.csv").read_text().splitlines()[1:]
    said = np.array([line.split(",")[:1:-1] for line in lines], float)
    assert np.abs(np.frombuffer(content, "<i2").reshape(-1, 3) - 100 * said).max() <= 1
    with served(session) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/label/signal/0", headers={"Authorization": "Bearer only here"})
        assert connection.getresponse().read() == content
    facts = "2 min, 50 Hz, 1 gap, m/s^2, Android's sign, read as Sensor Logger, 3 notes"
    assert recording["line"].endswith(f"TotalAcceleration.csv: {facts}")


@contextmanager
def served(session, token="only here"):
    with running.running(PageServer({}, "127.0.0.1", running.PORT, None, session.routes(token))) as server:
        server.hosts = frozenset([f"127.0.0.1:{server.port}"])
        yield server


def ask(server, method, path, content=None, token="only here", host=None):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} | ({"Host": host} if host else {})
    connection.request(method, path, None if content is None else json.dumps(content), headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read() or b"null")


PATHS = [
    ("GET", "/label/recordings"), ("GET", "/label/day/0"), ("GET", "/label/signal/0"), ("PUT", "/label/day/0"),
    ("PUT", "/label/view/0"), ("PUT", "/label/person"), ("POST", "/label/learning"), ("POST", "/label/saving"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_who_lacks_the_token_or_comes_by_another_name_is_told_nothing(opened, method, path):
    session = opened()
    with served(session) as server:
        before = session.shown(0)["version"]
        for options in ({"token": "another"}, {"token": ""}, {"host": "evil.example"}, {"host": "localhost"}):
            status, answer = ask(server, method, path, {"do": "accept", "at": 0, "version": before}, **options)
            assert (status, [*answer]) == (403, ["error"]), options
        assert session.shown(0)["version"] == before


def test_the_page_is_told_in_one_line_what_is_not_possible(opened, tmp_path):
    session = opened()
    now = session.shown(0)["version"]
    with served(session) as server:
        for method, path, content, expected in [
            ("PUT", "/label/day/0", {"do": "accept", "at": 99, "version": now}, (422, "stretch 99")),
            ("PUT", "/label/day/0", {"do": "accept", "at": 0, "version": -1}, (409, "something changed meanwhile")),
            ("PUT", "/label/day/0", {"do": "undo", "version": now}, (422, "nothing to undo")),
            ("PUT", "/label/person", {"person": "../ann"}, (422, "person '../ann'")),
            ("POST", "/label/learning", None, (422, "the model is not ready")),
            ("POST", "/label/saving", None, (422, "nothing has a label yet")),
        ]:
            status, answer = ask(server, method, path, content)
            assert (status, answer["error"].startswith(expected[1])) == (expected[0], True), (path, answer)
            assert "\n" not in answer["error"]
        assert not [*(tmp_path / "labeled").rglob("*.csv")]


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    """A session with proposals of a preset, of eight minutes in 24 stretches."""
    folder = tmp_path_factory.mktemp("proposed")
    recorded(folder / "day" / "TotalAcceleration.csv", *["sitting", "walking", "jogging"] * 8, seconds=20.0)
    session, _ = open_session([folder / "day"], CsvColumns(), folder / "labeled", None)
    session.name_person("ann")
    session.propose("activity_gru_pocket")
    return session


def test_a_preset_proposes_what_a_simulated_person_does(proposed):
    shown = proposed.shown(0)
    assert shown["state"] == ""
    expected = ["sitting", "walking", "jogging"] * 8
    assert [one["guess"] for one in shown["stretches"]] == expected
    edges = np.array([one["start"] for one in shown["stretches"][1:]])
    # Within two seconds of the truth, as both ends are known.
    assert np.abs(edges - 20.0 * np.arange(1, 24)).max() <= 2


def test_a_model_learns_a_word_of_ones_own_and_leaves_alone_what_is_decided(proposed):
    shown = proposed.shown(0)
    with pytest.raises(ZooError, match="nothing has a label yet"):
        proposed.learn()
    for at, stretch in enumerate(shown["stretches"][:21]):
        word = {"jogging": "skipping"}.get(stretch["guess"], stretch["guess"])
        act(proposed, do="label", at=at, label=word)
    before = labels(proposed.shown(0))
    learned = proposed.learn()
    assert learned["labels"] == ["sitting", "skipping", "walking"]
    after = proposed.shown(0)
    assert labels(after)[:21] == before[:21]
    assert [one["guess"] for one in after["stretches"][21:]] == ["sitting", "walking", "skipping"]
    # The renewal is undone as a decision is.
    assert [one["guess"] for one in act(proposed, do="undo")["stretches"]] == ["sitting", "walking", "jogging"] * 8


@pytest.mark.parametrize("recordings", [1, 2])
def test_wrong_labels_are_found_and_asked_about_once(tmp_path, recordings):
    done = ["sitting", "walking", "jogging"] * (8 // recordings)
    for number in range(recordings):
        recorded(tmp_path / "day" / f"{number}" / "TotalAcceleration.csv", *done, seconds=20.0, seed=number)
    session, _ = open_session([tmp_path / "day"], CsvColumns(), tmp_path / "labeled", None)
    session.name_person("ann")
    session.propose("activity_gru_pocket")
    # A label that is nowhere else can be right.
    said = [*done[:4], "jogging", "hopping", *done[6:9], "walking", *done[10:]]
    for number in range(recordings):
        for at, word in enumerate(said if not number else done):
            act(session, number, do="label", at=at, label=word)
    assert session.learn()["disputed"] == 2
    shown = session.shown(0)
    wrong = shown["queue"]
    asked = [(one["label"], one["guess"]) for one in map(shown["stretches"].__getitem__, wrong)]
    assert sorted(asked) == [("jogging", "walking"), ("walking", "sitting")]
    truth = shown["stretches"][wrong[0]]["guess"]
    assert act(session, do="accept", at=wrong[0])["queue"] == wrong[1:]
    kept = act(session, do="label", at=wrong[1], label=shown["stretches"][wrong[1]]["label"])
    assert (kept["queue"], kept["stretches"][wrong[0]]["label"]) == ([], truth)
    # What was kept is not asked about again, in this session or in a later one.
    assert session.learn()["disputed"] == 0
    later, _ = open_session([tmp_path / "day"], CsvColumns(), tmp_path / "labeled", None)
    later.propose("activity_gru_pocket")
    assert later.learn()["disputed"] == 0
    assert [act(session, do="undo")["queue"] for _ in range(3)] == [[], wrong[1:], wrong]


@contextmanager
def zoo_label(*arguments, cwd):
    """`zoo label` in a process of its own, and the address that it prints."""
    command = [sys.executable, "-m", "zoo", "label", *map(str, arguments), "--json", "--port", str(running.PORT)]
    environment = os.environ | {"PYTHONPATH": str(running.ROOT)}
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        document = json.loads(process.stdout.readline() or json.dumps({"error": process.stderr.read()}))
        yield process, document
    finally:
        process.kill()
        process.wait()


def asked(document, method, path, content=None):
    address, _, token = document["url"].removeprefix("http://").partition("/label#")
    return running.ask(address, method, path, token, content and json.dumps(content), tls=False)


def again(*arguments, cwd):
    return running.python("-m", "zoo", "label", *arguments, cwd=cwd, PYTHONPATH=str(running.ROOT))


@pytest.mark.process
def test_a_kill_loses_nothing_and_ctrl_c_writes_the_recordings(hour, tmp_path):
    arguments = (hour, "--subject", "ann", "-o", "ours.h5", "--tracks", "elan")
    with zoo_label(*arguments, cwd=tmp_path) as (process, document):
        assert document["url"].startswith("http://127.0.0.1:")
        shown = asked(document, "GET", "/label/day/0")[1]
        for at in (0, 1):
            status, shown = asked(
                document, "PUT", "/label/day/0", {"do": "accept", "at": at, "version": shown["version"]}
            )
            assert status == 200
        # A second run finds the folder taken.
        second = again(hour, "--subject", "ann", cwd=tmp_path)
        assert (second.returncode, "is open already: see the address in the other" in second.stderr) == (1, True)
        process.kill()
        process.wait()
    with zoo_label(*arguments, cwd=tmp_path) as (process, document):
        status, shown = asked(document, "GET", "/label/day/0")
        assert labels(shown)[:2] == ["sitting", "walking"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, json.loads(out)["recordings"]) == (0, 2), err
        assert len([*tmp_path.glob("labeled/ann/*.eaf")]) == 1
    assert zoo.describe(tmp_path / "ours.h5")["recordings"] == 2
    assert not [path for path in tmp_path.rglob(".zoo*") if path.name != ".zoo-lock"]
    # The same command goes on, and replaces what it saved; what something else has written is refused.
    with zoo_label(*arguments, cwd=tmp_path) as (process, document):
        shown = asked(document, "GET", "/label/day/0")[1]
        asked(document, "PUT", "/label/day/0", {"do": "accept", "at": 2, "version": shown["version"]})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, json.loads(out)["recordings"]) == (0, 3), err
        assert f"; answers in {tmp_path / 'labeled'}: continued\n" in err
    (tmp_path / "ours.h5").write_text("of somebody else")
    refused = again(hour, "-o", "ours.h5", cwd=tmp_path)
    assert (refused.returncode, "ours.h5: exists already, and was not saved from labeled" in refused.stderr) == (
        1,
        True,
    )
    assert "answers in labeled are kept" in refused.stderr


@pytest.mark.process
def test_tracks_are_written_where_recordings_cannot_be_saved(hour, tmp_path):
    arguments = (hour, "--subject", "ann", "-o", "ours.h5", "--tracks", "elan")
    with zoo_label(*arguments, cwd=tmp_path) as (process, document):
        shown = asked(document, "GET", "/label/day/0")[1]
        asked(document, "PUT", "/label/day/0", {"do": "accept", "at": 0, "version": shown["version"]})
        (tmp_path / "ours.h5").mkdir()
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=120)[1]
        assert (process.returncode, "ours.h5: is a folder; expected a file" in err) == (1, True)
    assert len([*tmp_path.glob("labeled/ann/*.eaf")]) == 1
