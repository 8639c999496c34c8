"""Studies are read from their official layout, and what is not of the study is refused or counted."""

import gc
import re
import tracemalloc
import zipfile
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from running import archive, message, refused

import zoo
from zoo import crossval, describe
from zoo.activity import data as windows
from zoo.activity import recordings, simulate
from zoo.activity.cutting import Windowing, write_windows
from zoo.activity.recordings import Findings, Recording
from zoo.activity.studies import STUDIES, read_study
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer
from zoo.runtime.streaming import predict_recording

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "studies.md"


def read(name, path, **options):
    findings = Findings()
    found = list(read_study(name, path, findings, **options))
    return found, findings.dropped + findings.changed


def wisdm(codes="A", seconds=20, rate=20, subject=1600, up=(9.8,), start=252207666810782, unit=1e-3):
    """Lines of WISDM: x counts the samples, y is gravity."""
    lines = []
    for number, code in enumerate(codes):
        first = start + number * 10**12
        lines += [
            f"{subject},{code},{first + round(i * 1e9 / rate)},{i * unit:.7g},{up[i % len(up)]},0.5;"
            for i in range(seconds * rate)
        ]
    return "\n".join(lines) + "\n"


WISDM = "wisdm-dataset/raw/phone/accel/data_1600_accel_phone.txt"
GEOTEC = "sp-sw-har-dataset/DATA/s01/s01_02_sp.csv"
EXECUTIONS = "sp-sw-har-dataset/DATA/executions_info.csv"
ORIENTATIONS = "execution_id,orientation,first_turn,second_turn\ns01_02,back_inv,l,r\n"
MOTIONSENSE = "A/wlk_7/sub_1.csv"
SELFBACK = "raw/9_class/thigh34/walk_mod/026.csv"
DSADS = "data/a09/p1/s01.txt"
PIXEL = "DataSet/optimisation/data/Pixel_Jamie_Carpet_InHand_4/accelerometer.csv"


def geotec(labels, rate=100):
    """A sequence of GeoTec: x counts the samples, and the time stamps of each five samples are those of the last."""
    lines = ["x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label"]
    for i, label in enumerate(label for label, seconds in labels for _ in range(round(seconds * rate))):
        late = (i // 5 * 5 + 4) * 1000 // rate
        lines.append(f"{i / 1000},-9.8,0.5,0.1,0.2,0.3,{1657544336429 + late},{label}")
    return "\n".join(lines) + "\n"


SEQUENCE = geotec([("SEATED", 2.5), ("STANDING_UP", 1), ("WALKING", 2.5), ("TURNING", 1), ("WALKING", 2.5),
                   ("TURNING", 1), ("SITTING_DOWN", 1.2), ("SEATED", 0.5)])  # fmt: skip


def oxford(seconds=40, rate=200, unit=1e9, up=(9.8,), columns=5):
    """A file of the Oxford step counter."""
    between, after = (",3", "") if columns == 5 else ("", ",0,0,0")
    return "".join(
        f"{578088287369021 + round(i * unit / rate)}{between},{i / 10000},{up[i % len(up)]},0.5{after}\n"
        for i in range(seconds * rate)
    )  # fmt: skip


def selfback(seconds=10, rate=100, down=-1.0):
    """A file of selfBACK: y counts the samples, x is gravity."""
    lines = [f"2016-05-17 13:43:{i / rate:06.3f},{down},{-i / 1000},0.1,walk_mod" for i in range(seconds * rate)]
    return "\n".join(["time,x,y,z,class", *lines]) + "\n"


def dsads(part=1, zeros=0, scale=1.0):
    """A part of DSADS, whose last rows are zeros: the right leg counts the samples in y, the left one in z."""
    rows = np.zeros((125, 45))
    count = scale * (125 * (part - 1) + np.arange(125)) / 1000
    rows[:, 27:30] = np.stack([0 * count - 9.8, count, 0 * count + 0.5], axis=1)
    rows[:, 36:39] = np.stack([0 * count - 9.8, 0 * count + 0.5, count], axis=1)
    rows[len(rows) - zeros :] = 0
    return "".join(f"{','.join(f'{value:.5g}' for value in row)}\n" for row in rows)


@pytest.mark.parametrize("others", [False, True])
def test_wisdm_is_activities_without_their_first_ten_and_last_two_seconds(tmp_path, others):
    found, dropped = read("wisdm", archive(tmp_path / "a.zip", {WISDM: wisdm("ABCDEFS")}), others=others)
    assert [r.activity for r in found] == [
        "walking", "jogging", "stairs", "sitting", "standing", *["typing", "folding_clothes"] * others,
    ]  # fmt: skip
    walk = found[0]
    assert (walk.study, walk.subject, walk.position, walk.rate) == ("wisdm", "1600", "trouser pocket", 20.0)
    np.testing.assert_allclose(walk.acceleration[[0, -1]], [[0.2, 9.8, 0.5], [0.359, 9.8, 0.5]], atol=1e-6)
    assert walk.trimmed == 2
    assert dropped["performances of other activities"] == (0 if others else 2)
    assert dropped["seconds at the ends of walking"] == 12


def test_a_clock_that_stalls_ends_a_recording_and_its_rows_and_lines_that_are_no_samples_are_counted(tmp_path):
    lines = wisdm("A", seconds=30).splitlines()
    # From row 300, ten rows bear the time of the one before.
    stamp = lines[299].split(",")[2]
    lines[300:310] = [",".join([*line.split(",")[:2], stamp, *line.split(",")[3:]]) for line in lines[300:310]]
    lines.insert(1, "1600,A,252;")
    found, dropped = read("wisdm", archive(tmp_path / "a.zip", {WISDM: "\n".join(lines) + "\n"}))
    assert [len(r.acceleration) for r in found] == [100, 250]
    for what, count in (
        ("rows whose time stamp does not rise", 10), ("gaps at which a recording was split", 1),
        ("lines that are not samples", 1),
    ):  # fmt: skip
        assert dropped[what] == count


def test_geotec_is_walks_with_their_turn_and_sitting(tmp_path):
    found, dropped = read("geotec", archive(tmp_path / "a.zip", OFFICIAL["geotec"]))
    sitting, walking = found
    assert (sitting.activity, walking.activity) == ("sitting", "walking")
    assert (walking.study, walking.subject, walking.device) == ("geotec", "s01", "Xiaomi Poco X2")
    assert (walking.position, walking.orientation) == ("left front pocket", "back_inv")
    # Half a second is left out at both ends: of 6 s that begin at 3.5 s, those from 4 s to 9 s.
    np.testing.assert_allclose(walking.acceleration[[0, -1], 0], [0.4, 0.899], atol=2e-3)
    # Samples that were delivered late are even.
    np.testing.assert_allclose(np.diff(walking.acceleration[:, 0]), 0.001, atol=1e-6)
    assert walking.rate == pytest.approx(100, abs=1)
    assert "rows whose time stamp does not rise" not in dropped
    assert dropped["transitions: turning"] == 1
    assert dropped["stretches of sitting shorter than the ends that are left out"] == 1


def test_oxford_is_walking_of_named_people_with_the_phone_in_named_places(tmp_path):
    texts = {
        PIXEL: oxford(),
        PIXEL.replace("Pixel_Jamie_Carpet_InHand_4", "mine"): "",
        "DataSet/validation/user2_neckpouch_1506423094931.csv": oxford(rate=100, columns=7),
    }
    found, _ = read("oxford", archive(tmp_path / "a.zip", texts))
    assert [(r.subject, r.position, r.device, r.rate) for r in found] == [
        ("jamie", "hand", "Pixel", 200.0), ("user2", "neck pouch", "Samsung Galaxy S6", 100.0),
    ]  # fmt: skip
    assert {(r.study, r.activity) for r in found} == {("oxford", "walking")}
    # Twelve of 40 seconds are left out at both ends.
    np.testing.assert_allclose(found[0].acceleration[[0, -1], 0], [0.24, 0.56], atol=1e-3)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"unit": 1e6}, "files with time stamps in us in place of ns, read as such"),
        ({"up": (1.0,)}, "files in g, converted to m/s^2"),
    ],
)
def test_a_file_of_oxford_in_another_unit_is_converted_and_counted(tmp_path, odd, reason):
    (walk,), dropped = read("oxford", archive(tmp_path / "a.zip", {PIXEL: oxford(**odd)}))
    assert walk.rate == 200.0
    assert walk.acceleration[0, 1] == pytest.approx(9.80665 if "up" in odd else 9.8)
    assert dropped[reason] == 1


def test_selfback_is_turned_to_a_phone_in_a_front_pocket_and_lacks_whom_its_authors_leave_out(tmp_path):
    texts = {SELFBACK.replace("026", name): selfback() for name in ("026", "035")}
    texts[SELFBACK.replace("walk_mod", "lying")] = selfback()
    (walk,), dropped = read("selfback", archive(tmp_path / "a.zip", texts))
    assert (walk.activity, walk.subject, walk.position, walk.device) == ("walking", "026", "thigh", "Axivity AX3")
    assert walk.rate == pytest.approx(100, abs=0.1)
    # A phone's x, y, z are -y, -x, -z of the sensor, in g.
    np.testing.assert_allclose(walk.acceleration[-1] / 9.80665, [0.999, 1.0, -0.1], atol=1e-3)
    assert dropped["files of people whom the authors leave out"] == 1
    assert dropped["performances of other activities"] == 1


def test_dsads_is_both_legs_in_parts_without_zeros_and_without_copies_of_another_person(tmp_path):
    parts = {f"data/a09/p1/s{part:02}.txt": dsads(part, zeros=25 * (part == 2)) for part in (1, 2, 3)}
    copy = {f"data/a17/p{person}/s01.txt": dsads(9, scale=7) for person in (4, 8)}
    found, dropped = read("dsads", archive(tmp_path / "a.zip", parts | copy), others=True)
    assert [(r.subject, r.activity, r.position, len(r.acceleration)) for r in found] == [
        ("1", "walking", "right thigh", 225), ("1", "walking", "right thigh", 125),
        ("1", "walking", "left thigh", 225), ("1", "walking", "left thigh", 125),
        ("4", "rowing", "right thigh", 125), ("4", "rowing", "left thigh", 125),
    ]  # fmt: skip
    # Of a phone on the right leg x, y, z are -z, -x, y of the sensor, and on the left one z, -x, -y.
    np.testing.assert_allclose(found[0].acceleration[[0, -1]], [[-0.5, 9.8, 0], [-0.5, 9.8, 0.224]], atol=1e-5)
    np.testing.assert_allclose(found[2].acceleration[[0, -1]], [[0, 9.8, -0.5], [0.224, 9.8, -0.5]], atol=1e-5)
    assert dropped["recordings that are those of another person"] == 2


OFFICIAL = {
    "motionsense": {MOTIONSENSE: ",gravity.x,gravity.y,gravity.z,userAcceleration.x,userAcceleration.y,"
                    "userAcceleration.z\n" + "0,0,1,0,0,0,0\n" * 200},
    "wisdm": {WISDM: wisdm("A")},
    "geotec": {GEOTEC: SEQUENCE, EXECUTIONS: ORIENTATIONS},
    "oxford": {PIXEL: oxford()},
    "selfback": {SELFBACK: selfback()},
    "dsads": {DSADS: dsads()},
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_read_from_a_folder_as_from_a_zip_file(tmp_path, name):
    for member, text in OFFICIAL[name].items():
        (tmp_path / "folder" / member).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / member).write_text(text)
    (zipped, dropped), (found, of_folder) = (
        read(name, path) for path in (archive(tmp_path / "a.zip", OFFICIAL[name]), tmp_path / "folder")
    )
    assert found
    assert dropped == of_folder
    for one, other in zip(zipped, found, strict=True):
        assert one.study == other.study == name
        assert one.position
        np.testing.assert_array_equal(one.acceleration, other.acceleration)


@pytest.mark.parametrize("name", STUDIES)
def test_two_copies_of_a_study_are_refused(tmp_path, name):
    copies = {f"{copy}/{member}": text for copy in "ab" for member, text in OFFICIAL[name].items()}
    refused(r"a\.zip: holds a/.* and b/.*, two copies of one file", read, name, archive(tmp_path / "a.zip", copies))


def test_a_zip_file_is_closed_once_it_was_read_or_refused(tmp_path):
    path, faulty = archive(tmp_path / "a.zip", OFFICIAL["motionsense"]), archive(tmp_path / "b.zip", {WISDM: "1,A;\n"})
    read("motionsense", path)
    message(lambda: read("wisdm", faulty))
    zoo.import_csv(path, tmp_path / "a.h5", subject="=1", activity="=walking", rate=50.0)
    kept = [each.filename for each in gc.get_objects() if type(each) is zipfile.ZipFile and each.fp]
    assert not {str(path), str(faulty)} & {*kept}


def test_a_study_whose_files_name_nobody_replaces_no_recordings(tmp_path):
    out, good = tmp_path / "out.h5", archive(tmp_path / "a.zip", OFFICIAL["oxford"])
    zoo.import_study("oxford", good, out)
    before = out.read_bytes()
    nobody = archive(tmp_path / "b.zip", {PIXEL.replace("Jamie", ""): oxford()})
    refused("b.zip: no files optimisation/data/", zoo.import_study, "oxford", nobody, out, force=True)
    assert out.read_bytes() == before


@pytest.mark.slow
def test_a_file_of_a_study_may_be_larger_than_the_memory_that_reading_it_takes(tmp_path):
    lines = wisdm("A", seconds=3_500, unit=1e-5).replace(";", f"{'0' * 1000};")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(WISDM, lines)
    size = len(lines)
    assert size > 70e6
    del lines
    tracemalloc.start()
    try:
        (recording,), _ = read("wisdm", tmp_path / "a.zip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert recording.seconds == pytest.approx(3_488, abs=1)
    assert peak < size / 2


@pytest.mark.parametrize(("name", "other"), permutations(STUDIES, 2))
def test_the_zip_file_of_another_study_is_named(tmp_path, name, other):
    path = archive(tmp_path / "a.zip", OFFICIAL[other])
    line = message(read, name, path)
    wanted = "DATA/executions_info.csv" if name == "geotec" else " or ".join(STUDIES[name].layouts)
    assert line.startswith(f"{path}: no files {wanted} in it; ")
    command = STUDIES[other].command or other
    assert line.endswith(f"; it looks like {STUDIES[other].title}: use `zoo data import {command}`")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("motionsense", {MOTIONSENSE: ""}, "empty; expected"),
        ("motionsense", {MOTIONSENSE: "a,gravity.x\n"}, "no column 'userAcceleration.x' (x), "),
        ("wisdm", {WISDM: wisdm("A")[:-20]}, "ends within line 400, "),
        ("wisdm", {WISDM: ""}, "holds no rows; expected lines of id,activity,time,x,y,z;"),
        ("wisdm", {WISDM: wisdm("A", rate=2000)}, "time stamps in ns make 2e+03 Hz; expected 10 to 210 Hz in WISDM"),
        ("wisdm", {WISDM: wisdm("A").replace(",9.8,", ",up,")}, "column 'y', row 1 below the names: 'up'"),
        ("wisdm", {WISDM: wisdm("A", up=(1.0,))}, "as in g; expected m/s^2 (about 9.8); WISDM is m/s^2 with gravity"),
        ("wisdm", {WISDM: wisdm("A", up=(4, -4))}, "so gravity (9.8) is missing"),
        ("geotec", {EXECUTIONS: "a,b\n1,2\n"}, "no column 'execution_id'; found a, b"),
        ("geotec", {GEOTEC: SEQUENCE[:-12]}, "row 1220 below them has 7 fields"),
        ("geotec", {GEOTEC: SEQUENCE.replace("x_acc", "ax")}, "no column 'x_acc' (x); found ax, y_acc, "),
        ("geotec", {GEOTEC: geotec([("WALKING", 20)], rate=1)}, " Hz; expected 90 to 115 Hz in GeoTec: copy"),
        ("oxford", {PIXEL: oxford()[:-8]}, "ends within line 8000, "),
        ("oxford", {PIXEL: oxford(unit=1e11)}, "time stamps in ns make 2 Hz; expected 80 to 450 Hz"),
        ("oxford", {PIXEL: oxford(up=(4, -4))}, "so gravity (9.8) is missing"),
        ("selfback", {SELFBACK: selfback(rate=50)}, " Hz; expected 90 to 110 Hz in selfBACK: copy"),
        ("selfback", {SELFBACK: selfback(down=-9.8)}, "selfBACK is m/s^2 with gravity"),
        ("dsads", {DSADS: dsads()[:-20]}, "ends within line 125, "),
    ],
)  # fmt: skip
def test_a_file_of_a_study_that_is_not_in_order_is_named(tmp_path, name, change, words):
    path = archive(tmp_path / "a.zip", OFFICIAL[name] | change)
    line = message(read, name, path)
    assert line.startswith(f"{path}: {next(iter(change))}")
    assert words in line


def test_the_page_of_the_studies_says_what_the_table_says():
    rows = re.findall(r"^\| \[?(.*?)\]?(?:\(.*?\))? \| `(.*?)` \| (\d+) \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    assert [(title, command, int(people), license) for title, command, people, license in rows] == [
        (study.title, study.command or name, study.people, study.license) for name, study in STUDIES.items()
    ]
    text = " ".join(PAGE.read_text().split())
    for study in STUDIES.values():
        assert study.citation in text


def of(study, subject, what="walking", tilted=0.0, **changes):
    """A recording of somebody who takes 1.8 steps per second, with the phone tilted by an angle in degrees."""
    time, angle = np.arange(3000) / 100, np.radians(tilted)
    noise = np.random.default_rng([len(study), int(subject)]).normal(0, 0.1, len(time))
    up = 9.8 + 3 * np.sin(2 * np.pi * 1.8 * time) + noise
    rows = np.stack([0 * up, up * np.cos(angle), up * np.sin(angle)], axis=1).astype(np.float32)
    return Recording(f"{study} {subject}", subject, what, 100.0, rows, study=study, **changes)


def file(path, *several):
    recordings.write_recordings(path, several, source="a test")
    return recordings.read_recordings(path)


def test_what_is_known_of_a_recording_is_kept_in_its_file(tmp_path):
    known = {"position": "hand", "device": "Pixel", "orientation": "back", "trimmed": 0.5}
    (one, two) = file(tmp_path / "a.h5", of("oxford", "1", **known), of("oxford", "2"))
    assert {name: getattr(one, name) for name in known} == known
    assert (one.study, two.study, two.position, two.trimmed) == ("oxford", "oxford", "", 0.0)


def test_what_is_wrong_with_a_recording_names_the_file_that_holds_it(tmp_path):
    good = file(tmp_path / "good.h5", of("wisdm", "1"), of("wisdm", "2", "sitting"))
    file(tmp_path / "in_g.h5", replace(of("oxford", "1"), acceleration=of("oxford", "1").acceleration / 9.80665))
    file(tmp_path / "copy.h5", of("wisdm", "1"))
    for name, words in (
        ("in_g", "recording oxford 1 has a mean magnitude of 1.0"),
        ("copy", f"recording wisdm 1: has the same rows as wisdm 1 of {good.path}: import each recording once"),
    ):
        files = [good.path, tmp_path / f"{name}.h5"]
        assert f"{name}.h5: {words}" in message(zoo.cut_windows, files, tmp_path / "data3.h5", same_people=False)


@pytest.mark.parametrize(
    ("second", "merge", "doubts"),
    [
        ("climbing", None, "downstairs, upstairs in a.h5; climbing in b.h5"),
        ("climbing", {"climbing": "upstairs+downstairs"}, None),
        ("climbing", {"climbing": ["upstairs", "downstairs"]}, None),
        ("upstairs", None, None),
    ],
)
def test_labels_that_may_mean_several_of_another_study_are_pointed_out(tmp_path, second, merge, doubts):
    ours = [of("one", str(who), what) for who in (1, 2) for what in ("walking", "upstairs", "downstairs")]
    file(tmp_path / "a.h5", *(replace(each, acceleration=each.acceleration * 1.01) for each in ours))
    file(tmp_path / "b.h5", *(of("two", str(who), what) for who in (1, 2) for what in ("walking", second)))
    made = zoo.cut_windows([tmp_path / "a.h5", tmp_path / "b.h5"], tmp_path / "windows.h5", merge=merge)
    assert [doubts in doubt for doubt in made.warnings] == [True] * bool(doubts)
    assert made.data.label_names[len(made.data.classes) :] == (("downstairs+upstairs",) if merge else ())


def test_one_name_may_be_a_text(tmp_path):
    file(tmp_path / "a.h5", *(of("one", str(who), what) for who in (1, 2) for what in ("walking", "upstairs")))
    data = zoo.cut_windows(tmp_path / "a.h5", tmp_path / "b.h5", test_subjects="2", classes="upstairs").data
    assert (data.test.people(), data.classes) == (["2"], ("upstairs",))


def windows_of_two(tmp_path):
    wisdm = [of("wisdm", str(who), what, position="trouser pocket", trimmed=2.0)
             for who in (1, 2) for what in ("walking", "stairs")]  # fmt: skip
    index = recordings.join(file(tmp_path / "a.h5", *wisdm), file(tmp_path / "b.h5", of("oxford", "1", tilted=180.0)))
    write_windows(index, tmp_path / "windows.h5", Windowing(), ["wisdm/2"])
    return tmp_path / "windows.h5"


def test_windows_keep_their_study_and_where_the_phone_was(tmp_path):
    data = windows.from_file(windows_of_two(tmp_path))
    for person, study, position in (("wisdm/1", "wisdm", "trouser pocket"), ("oxford/1", "oxford", "")):
        part = data.train.where(data.train.subjects == person)
        assert ({*part.studies}, {*part.column("position")}) == ({study}, {position})
        assert len(part.studies) == len(part) > 0
    everyone = data.everyone().train
    assert everyone.studies.tolist() == [name.partition("/")[0] for name in everyone.subjects.tolist()]
    write_windows(file(tmp_path / "c.h5", of("", "1"), of("", "1", "stairs")), tmp_path / "d.h5", Windowing(), [])
    train = windows.from_file(tmp_path / "d.h5").train
    assert (train.studies, train.column("position")) == (None, None)


def test_an_importer_that_has_left_out_the_ends_leaves_nothing_to_trim():
    whole, trimmed = of("wisdm", "1"), of("wisdm", "1", trimmed=2.0)
    cut = Windowing(window=150, hop=150, trim=3.0)
    assert [len(cut.windows(recording)) for recording in (whole, trimmed)] == [8, 10]


def test_studies_of_one_file_are_measured_side_by_side(tmp_path):
    assert describe(windows_of_two(tmp_path))["studies"] == {
        name: {
            "people": people, "windows": counts, "rate_hz": [50, 50], "tilt_deg": [tilt] * 3,
            "cadence_hz": pytest.approx(1.8, abs=0.03),
        }
        for name, people, counts, tilt in (
            ("oxford", 1, {"walking": 17}, 180), ("wisdm", 2, {"stairs": 38, "walking": 38}, 0),
        )
    }  # fmt: skip


def test_recordings_of_several_studies_are_measured_in_seconds(tmp_path, zoo_cli):
    found = describe(file(tmp_path / "a.h5", of("wisdm", "1"), of("", "2", "stairs")).path)["studies"]
    assert (found["wisdm"]["seconds"], found["none"]["seconds"]) == ({"walking": 30.0}, {"stairs": 30.0})
    assert (found["none"]["tilt_deg"], found["none"]["cadence_hz"]) == (None, None)
    assert "studies" not in describe(file(tmp_path / "one.h5", of("wisdm", "1"), of("wisdm", "2")).path)
    short = replace(of("wisdm", "1"), acceleration=of("wisdm", "1").acceleration[:200])
    file(tmp_path / "short.h5", short, of("", "2"))
    status, out, _ = zoo_cli("data", "describe", tmp_path / "short.h5")
    assert (status, "| wisdm | 1 | 2.0 | 100 | - | - |" in out) == (0, True)


def lab(folder, seed):
    """The files of two people who both labs call S1 and S2."""
    random = np.random.default_rng(seed)
    for name in ("S1", "S2"):
        person = simulate.Walker.draw(name, random)
        (folder / name).mkdir(parents=True)
        for label in ("walking", "sitting"):
            rows = person.record(label, 8, 50.0, random).acceleration.tolist()
            lines = ["time,x,y,z", *(f"{i / 50},{x},{y},{z}" for i, (x, y, z) in enumerate(rows))]
            (folder / name / f"{label}.csv").write_text("\n".join(lines))
    return folder


def labs(tmp_path, out="{}.h5", **options):
    """Two labs that imported their files as studies, to a file each or to the same one."""
    for seed, name in enumerate(("lab_a", "lab_b")):
        options |= {"layout": "{subject}/{activity}.csv", "study": name}
        zoo.import_csv(lab(tmp_path / name, seed), tmp_path / out.format(name), **options)
    return sorted(tmp_path.glob("*.h5"))


@pytest.mark.parametrize("together", [False, True])
def test_csv_files_of_two_labs_are_two_studies(tmp_path, together):
    files = labs(tmp_path, "both.h5", append=True) if together else labs(tmp_path)
    assert len(files) == (1 if together else 2)
    if together:
        found = describe(*files)
        assert found["subjects"] == ["lab_a/S1", "lab_a/S2", "lab_b/S1", "lab_b/S2"]
        assert list(found["studies"]) == ["lab_a", "lab_b"]
    data = zoo.cut_windows(files, tmp_path / "data3.h5", test_subjects="lab_b/S1").data
    assert (data.train.people(), data.test.people()) == (["lab_a/S1", "lab_a/S2", "lab_b/S2"], ["lab_b/S1"])
    assert {name: study["people"] for name, study in describe(data)["studies"].items()} == {"lab_a": 2, "lab_b": 2}
    held_out = crossval.held_out(data.train, crossval.STUDY, crossval.STUDY)
    assert [data.train.where(mask).people() for mask in held_out] == [["lab_a/S1", "lab_a/S2"], ["lab_b/S2"]]
    assert crossval.Protocol(crossval.STUDY).count(data) == 2


def test_one_lab_keeps_its_ids_and_asks_about_those_that_come_again(tmp_path):
    path, _ = labs(tmp_path)
    assert describe(path)["subjects"] == ["S1", "S2"]
    again, options = lab(tmp_path / "again", seed=7), {"layout": "{subject}/{activity}.csv", "append": True}
    refused("subject S1 is in", zoo.import_csv, again, path, study="lab_a", **options)
    zoo.import_csv(again, path, study="lab_a", same_people=True, **options)
    assert set(recordings.read_recordings(path).column("study").tolist()) == {"lab_a"}
    # Without the name of the study, nobody knows whether S1 is lab_a's.
    zoo.import_csv(lab(tmp_path / "others", seed=8), path, **options)
    assert describe(path)["subjects"] == ["S1", "S2", "lab_a/S1", "lab_a/S2"]


@pytest.mark.parametrize("name", ["", " ", "lab/a", "a, b", "a\n"])
def test_a_study_with_a_name_that_ids_cannot_begin_with_is_refused(tmp_path, name):
    line = message(zoo.import_csv, tmp_path, tmp_path / "a.h5", study=name)
    assert line == f"study {name!r}: expected a name such as lab_a, without / , ; ( )"


def test_a_study_is_imported_and_joined_on_the_command_line(zoo_cli, zoo_json, tmp_path):
    files = [tmp_path / "wisdm.h5", tmp_path / "oxford.h5"]
    for file, name in zip(files, ("wisdm", "oxford"), strict=True):
        path = archive(file.with_suffix(".zip"), OFFICIAL[name])
        assert zoo_json("data", "import", STUDIES[name].command or name, path, "-o", file)["written"] == 1
    status, out, _ = zoo_cli("data", "windows", *files, "--classes", "walking",
              "--test-subjects", "oxford/jamie", "-o", tmp_path / "windows.h5")  # fmt: skip
    assert status == 0
    for line in (
        "oxford/jamie", "| study | people | walking | Hz | tilt | steps/s |", "| oxford | 1 | 9 | 50 | 3, 4, 4 |",
        "| wisdm | 1 | 4 | 50 | 3, 3, 3 |",
    ):  # fmt: skip
        assert line in out


FACTS = {
    "wisdm": ("wisdm-dataset.zip", 113, 22, {"jogging": 3520, "sitting": 3688, "stairs": 3687, "standing": 3687,
              "walking": 3687}, (19.9, 49.6)),
    "geotec": ("sp-sw-har-dataset.zip", 230, 23, {"sitting": 8, "walking": 1209}, (102, 103)),
    "oxford": ("oxford-step-counter.zip", 62, 5, {"walking": 8625}, (100, 406)),
    "selfback": ("selfback-thigh.zip", 264, 33, {"downstairs": 2394, "jogging": 7838, "sitting": 5820,
                 "standing": 6014, "upstairs": 2609, "walking": 17711}, (97.1, 102)),
    "dsads": ("daily-and-sports-activities.zip", 616, 8, {"downstairs": 4560, "jogging": 4800, "sitting": 4800,
              "standing": 9600, "upstairs": 4560, "walking": 14400}, (25, 25)),
    "motionsense": ("A_DeviceMotion_data.zip", 285, 19, {"downstairs": 2119, "jogging": 2168, "sitting": 5442,
                    "standing": 4824, "upstairs": 2540, "walking": 5519}, (50, 50)),
}  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("name", STUDIES)
def test_a_real_study_holds_what_its_page_says(real, tmp_path, name):
    file, count, people, seconds, rates = FACTS[name]
    path = tmp_path / "a.h5"
    written = recordings.write_recordings(path, read_study(name, real / "activity" / file), source="a test")
    found = describe(path)
    assert (written, len(found["subjects"])) == (count, people)
    assert {label: round(value) for label, value in found["seconds"].items()} == pytest.approx(seconds, abs=1)
    assert (found["rates_hz"][0], found["rates_hz"][-1]) == rates
    gravity = []
    for recording in recordings.read_recordings(path):
        seconds = np.array_split(recording.acceleration, round(recording.seconds) or 1)
        gravity.append(np.median([np.linalg.norm(second.mean(axis=0)) for second in seconds]))
    assert np.median(gravity) == pytest.approx(9.8, rel=0.05)
    # Of one who jogs, the phone turns in the pocket even within a second.
    assert gravity == pytest.approx([9.8] * count, rel=0.4)


@pytest.mark.real
def test_a_folder_of_three_people_with_phyphox_is_imported_cut_and_recognized(real, tmp_path):
    """Files as phyphox exports them, of phones that were in no study; nothing of the package was fitted to them."""
    with zipfile.ZipFile(real / "activity" / "phyphox-390.zip") as file:
        file.extractall(tmp_path)
    folder, layout = tmp_path / "test_dir", "{subject}/{activity}_*.csv"
    made = zoo.import_csv(folder, tmp_path / "a.h5", layout=layout)
    # A hand that swings as far as in jumping jacks feels twice gravity in its quietest seconds.
    assert (made.recordings, len(made.files)) == (35, 35)
    cut = zoo.cut_windows(tmp_path / "a.h5", tmp_path / "b.h5", test_fraction=0)
    data = zoo.load_data(cut.path)
    assert (list(data.classes), data.train.people()) == (["jumping", "stairs", "walking"], ["brant", "chris", "sophia"])
    recognizer = Recognizer(PRESETS_FOLDER / "activity_gru_phone" / "model.dynamic.tflite")
    right = {}
    for recording in recordings.read_recordings(tmp_path / "a.h5"):
        rows = Windowing(rate=recognizer.metadata.rate).rows(recording)
        labels = [str(each.label) for each in predict_recording(recognizer.stream(), rows, recognizer.metadata.rate)]
        wanted = {"stairs": ("upstairs", "downstairs")}.get(recording.activity, (recording.activity,))
        right[recording.name.rpartition("/")[2]] = np.isin(labels, wanted).mean()
    in_pockets = {name: share for name, share in right.items() if "walking" in name and "_pocket" in name}
    # One of them walks through snow.
    assert len(in_pockets) == 7
    assert min(in_pockets.values()) > 0.95
    assert min(share for name, share in right.items() if "stairs" in name) > 0.85
