"""CSV files and zip files that no app writes."""

import io
import os
import zipfile

import pytest

pytestmark = pytest.mark.hostile

ROWS = [f"{i / 50:.2f},{0.1 * (i % 7):.3f},{9.8 + 0.2 * (i % 5):.3f},{0.3 * (i % 3):.3f}" for i in range(300)]
HEAD = "time,x,y,z"


def table(head: str = HEAD, rows: list[str] | None = None) -> bytes:
    return ("\n".join([head, *(ROWS if rows is None else rows)]) + "\n").encode()


def with_field(field: str, number: int = 150) -> bytes:
    time, x, _, z = ROWS[number].split(",")
    return table(rows=[*ROWS[:number], f"{time},{x},{field},{z}", *ROWS[number + 1 :]])


def stamped(stamps: list[object]) -> bytes:
    return table(rows=[f"{stamp},{row.split(',', 1)[1]}" for stamp, row in zip(stamps, ROWS, strict=True)])


def by_turns(column: str, run: int, *names: str) -> bytes:
    return table(f"time,{column},x,y,z", [row.replace(",", f",{names[i // run % len(names)]},", 1)
                                          for i, row in enumerate(ROWS)])  # fmt: skip


CONTENTS = {
    "blank lines": (b"\n\n\n\n", "empty"),
    "a BOM alone": (b"\xef\xbb\xbf", "empty"),
    "noise": (bytes(range(256)) * 16, "not text"),
    "Latin-1": (table("time,x,y,z,h\xf6he").decode().encode("latin-1"), "row 1"),
    "NUL bytes": (with_field("9.8\0"), "row 151"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + bytes(64), "not text"),
    "JSON": (b'{"time": [0, 1], "x": 1}', "no column"),
    "HTML": (b"<html>\n<body>404</body>\n</html>\n", "no column"),
    "a field of 200 kB": (with_field("9" * 200_000), "131072"),
    "a quoted field of 200 kB": (with_field('"' + "9" * 200_000 + '"'), "131072"),
    "names of 200 kB": (table("time,x,y," + "z" * 200_000), "131072"),
    "an unclosed quote": (with_field('"9.8'), "quote"),
    "an unclosed quote in the first row": (with_field('"9.8', 0), "quote"),
    "an unclosed quote in the names": (table('time,x,"y,z'), "quote"),
    "two columns x": (table("time,x,y,z,x", [f"{row},1" for row in ROWS]), "'x' twice"),
    "two columns time": (table("time,x,y,z,time", [f"{row},1" for row in ROWS]), "'time' twice"),
    "an empty name": (table("time,,y,z"), "no column"),
    "no names": (table(ROWS[0]), "no column"),
    "full-width digits": (with_field("\uff19"), "row 151"),
    "Arabic digits": (with_field("\u0669"), "row 151"),
    "an underscore": (with_field("1_000"), "row 151"),
    "hexadecimal": (with_field("0x10"), "row 151"),
    "a comma for a point": (with_field('"9,8"'), "row 151"),
    "a formula": (with_field("=1+1"), "row 151"),
    "1e400": (table(rows=[f"{row.split(',')[0]},1e400,0,0" for row in ROWS]), ""),
    "all 1e38": (table(rows=[f"{row.split(',')[0]},1e38,1e38,1e38" for row in ROWS]), "no known unit fits"),
    "all NaN": (table(rows=[f"{row.split(',')[0]},nan,nan,nan" for row in ROWS]), ""),
    "all empty": (table(rows=[f"{row.split(',')[0]},,," for row in ROWS]), ""),
    "partly in g": (table(rows=[*ROWS[:250], *(f"{i / 50},0,1,0" for i in range(250, 300))]), "1 of 6 seconds"),
    "of two sensors": (by_turns("sensor", 1, "accelerometer", "gyroscope"), "'sensor' says accelerometer, gyroscope"),
    "of two devices": (by_turns("Device ID", 3, "phone", "watch"), "'Device ID' says phone, watch by turns"),
    "a date for a time": (stamped(["2024-06-10"] * 300), "no time stamp is later"),
    "one row": (table(rows=ROWS[:1]), ""),
    "stamps of NaN": (stamped(["nan"] * 300), "time"),
    "stamps of infinity": (stamped(["inf"] * 300), "time"),
    "empty stamps": (stamped([""] * 300), "time"),
    "stamps of 1e300": (stamped([f"{i}e300" for i in range(300)]), ""),
    "dates that are none": (stamped(["2024-13-45T00:00:00"] * 300), "'time'"),
    "a row of another date format": (stamped(["2024-01-01T00:00:00.00"] * 299 + ["yesterday"]), "row 300"),
}  # fmt: skip
READERS = {
    "import": ["data", "import", "csv", "--subject", "=ann", "--activity", "=walk", "-o", "{out}", "{path}"],
    "predict": ["predict", "{recognizer}", "--csv", "{path}"],
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CONTENTS)
def test_a_table_that_no_app_writes_is_named(reader, name, materials, tmp_path, refused):
    content, says = CONTENTS[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    places = materials._asdict() | {"path": path, "out": tmp_path / "out.h5"}
    refused([each.format(**places) for each in READERS[reader]], str(path), says)


LABELED = {
    "an empty id": ",walk",
    "a blank id": "  ,walk",
    "a label with a comma": 'ann,"walk,fast"',
    "a label with a newline": 'ann,"walk\nfast"',
    "a label with a control character": "ann,walk\x07",
    "an id of 2,000 letters": f"{'a' * 2000},walk",
}


@pytest.mark.parametrize("name", LABELED)
def test_ids_and_labels_that_no_file_can_keep_are_refused(name, tmp_path, refused):
    path = tmp_path / "table.csv"
    rows = [f"{row},{LABELED[name] if i < 150 else 'ann,sit'}" for i, row in enumerate(ROWS)]
    path.write_bytes(table(f"{HEAD},subject,activity", rows))
    refused(["data", "import", "csv", path, "-o", tmp_path / "out.h5"], str(path), "row 1")


MANIFESTS = {
    "nothing": b"",
    "noise": bytes(range(256)),
    "names alone": b"file,subject,activity\n",
    "no column file": b"path,subject,activity\na,b,c\n",
    "an empty file": b"file,subject,activity\n,ann,walk\n",
    "an empty subject": b"file,subject,activity\ntable.csv,,walk\n",
    "a file that is missing": b"file,subject,activity\nno.csv,ann,walk\n",
    "a file of 300 letters": b"file,subject,activity\n" + 300 * b"n" + b",ann,walk\n",
    "a field of 200 kB": b"file,subject,activity\n" + 200_000 * b"n" + b",ann,walk\n",
    "a folder": b"file,subject,activity\n.,ann,walk\n",
    "a device": b"file,subject,activity\n/dev/zero,ann,walk\n",
    "a field less": b"file,subject,activity\ntable.csv\n",
    "an unclosed quote": b'file,subject,activity\n"table.csv,ann,walk\n',
    "the file twice": b"file,file,activity\na,b,c\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_is_none_is_named(name, tmp_path, refused):
    (tmp_path / "table.csv").write_bytes(table())
    path = tmp_path / "manifest.csv"
    path.write_bytes(MANIFESTS[name])
    refused(["data", "import", "csv", "--manifest", path, "-o", tmp_path / "out.h5"], str(path))


STUDIES = {
    "motionsense": "wlk_7/sub_1.csv",
    "wisdm": "raw/phone/accel/data_1600_accel_phone.txt",
    "geotec": "subject_01/s01.csv",
    "oxford-steps": "p1.1_Female_20-29_170-179cm_Hand_held.out/video.csv",
    "selfback": "raw/9_class/thigh34/walk_mod/026.csv",
    "dsads": "data/a09/p1/s01.txt",
}


def archive(member: str, content: bytes, **options: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, content, **options)
    return buffer.getvalue()


def encrypted(member: str) -> bytes:
    content = bytearray(archive(member, table()))
    # The flag of encryption, in the header of the member and in the directory.
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def lying(member: str) -> bytes:
    """A member that declares 4 GB."""
    content = bytearray(archive(member, table()))
    start = content.rindex(b"PK\x01\x02")
    content[start + 24 : start + 28] = (2**32 - 2).to_bytes(4, "little")
    return bytes(content)


ZIPS = {
    "nothing": lambda member: b"",
    "noise": lambda member: bytes(range(256)) * 16,
    "an empty archive": lambda member: b"PK\x05\x06" + bytes(18),
    "cut": lambda member: archive(member, table())[:-30],
    "cut in the middle": lambda member: archive(member, table())[:600],
    "another member": lambda member: archive("readme.txt", b"hello"),
    "an encrypted member": encrypted,
    "an unknown method": lambda member: bytes(archive(member, table())).replace(b"\x08\x00", b"\x63\x00"),
    "a member that lies about its size": lying,
    "a member of 100 MB of zeros": lambda member: archive(member, bytes(100 << 20)),
    "a member of noise": lambda member: archive(member, bytes(range(256))),
    "an empty member": lambda member: archive(member, b""),
    "a member of names alone": lambda member: archive(member, b"a,b,c\n"),
    "a member above the folder": lambda member: archive(f"../../{member}", b"a,b,c\n"),
    "a zip in a zip": lambda member: archive(member, archive("a", b"a")),
}


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_file_that_is_no_study_is_named(study, name, tmp_path, refused):
    path = tmp_path / "study.zip"
    path.write_bytes(ZIPS[name](STUDIES[study]))
    refused(["data", "import", study, path, "-o", tmp_path / "out.h5"], path.name)


@pytest.mark.timeout(60, func_only=True)
@pytest.mark.parametrize("study", STUDIES)
def test_a_study_with_a_fifo_for_a_file_does_not_hang(study, tmp_path, refused):
    file = tmp_path / "study" / STUDIES[study]
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    refused(["data", "import", study, tmp_path / "study", "-o", tmp_path / "out.h5"], "study")
