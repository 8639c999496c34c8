"""What phones send arrives whole, once, and under names that the server chose; nothing else arrives."""

import errno
import json
import os
import re
import signal
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import running
import trustme
from running import PORT, send, zoo_collect, zoo_serve

import zoo
from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError
from zoo.runtime.metadata import AXES, INERTIAL, Streaming, embed, extract
from zoo.serving import PageServer, certificate
from zoo.serving.certificate import CERTIFICATE, kept_certificate
from zoo.serving.collection import _MOST_A_MINUTE, _TURN_SECONDS, PATH, Collection, Inbox
from zoo.serving.server import _BODY_SECONDS, _QUEUE_SECONDS, MOST_BYTES

NUMBER = "4821930577120934"


def minute(person="Ann", activity="walking", seconds=12, seed=0, axes=AXES, hertz=60, scale=1.0):
    """A recording as the page writes it."""
    random, lines = np.random.default_rng(seed), [",".join(["time", *axes, "subject", "activity"])]
    for place in range(round(seconds * hertz) + 1):
        row = [*(scale * random.normal([0.4, 9.7, 1.0], 0.3)), *random.normal(0, 0.2, 3)][: len(axes)]
        lines.append(f"{100 + place / hertz:.4f},{','.join(f'{value:.4f}' for value in row)},{person},{activity}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "class"


@contextmanager
def serving(folder, labels=(), context=None, axes=AXES, show=lambda event: print(json.dumps(event))):
    """A server that collects into a folder, and prints events."""
    folder.mkdir(exist_ok=True)
    token, collection = kept_certificate(folder / CERTIFICATE, ["localhost"]), Collection(folder, labels)
    inbox = Inbox(token, collection, ["sitting", "walking"], axes, show)
    with running.running(PageServer({}, "127.0.0.1", 9743, context, inbox.routes())) as server:
        server.token, server.collection = token, collection
        yield server


def ask(server, method, path, content=None, token=None):
    """Returns the status and the document that come back."""
    token = server.token if token is None else token
    return running.ask(f"127.0.0.1:{server.port}", method, path, token, content, tls=False)


def put(server, content, number=NUMBER, token=None):
    return ask(server, "PUT", f"/recordings/{number}", content, token)


def welcome(server, token=None):
    """What a phone is told, but for the pseudonym, which is drawn."""
    status, document = ask(server, "GET", "/recordings/", token=token)
    document.pop("pseudonym", None)
    return status, document


def files(folder):
    """All files of a collection but the key of the server."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pem"
    )


def test_a_recording_is_on_the_disk_when_it_is_acknowledged(folder, capsys):
    with serving(folder) as server:
        assert put(server, minute()) == (200, {"seconds": 12.0, "new": True})
        assert (folder / "Ann" / f"walking-{NUMBER}.csv").read_bytes() == minute()
    event = json.loads(capsys.readouterr().out)
    assert event.pop("time").count(":") == 2
    assert event == {
        "person": "Ann", "activity": "walking", "seconds": 12.0, "rows": 721, "rate_hz": 60.0, "address": "127.0.0.1",
        "file": str(folder / "Ann" / f"walking-{NUMBER}.csv"),
    }  # fmt: skip


def test_what_phones_sent_is_as_private_as_the_umask_wants(folder):
    before = os.umask(0o077)
    try:
        with serving(folder) as server:
            assert put(server, minute())[0] == 200
    finally:
        os.umask(before)
    assert [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077] == []


def test_a_recording_that_is_sent_again_is_acknowledged_and_kept_once(folder, capsys):
    with serving(folder) as server:
        put(server, minute())
        assert put(server, minute()) == (200, {"seconds": 12.0, "new": False})
        # The number decides: with another recording it is a mistake, and nothing is overwritten.
        assert put(server, minute("Ben")) == (409, {"error": "Another recording has this number."})
    with serving(folder) as server:
        assert put(server, minute()) == (200, {"seconds": 12.0, "new": False})
    assert files(folder) == [f"Ann/walking-{NUMBER}.csv"]
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_recording_that_was_deleted_stays_deleted(folder):
    with serving(folder) as server:
        put(server, minute())
        (folder / "Ann" / f"walking-{NUMBER}.csv").unlink()
        assert put(server, minute())[0] == 200
    assert files(folder) == []


def test_without_the_token_nothing_is_told(folder):
    with serving(folder) as server:
        assert {welcome(server, "x")[0], put(server, minute(), token=server.token[:-1])[0]} == {403}
    assert files(folder) == []


def test_a_phone_is_told_labels_and_channels_and_nothing_about_people(folder):
    with serving(folder, axes=INERTIAL) as server:
        put(server, minute(activity="climbing"))
        labels = ["sitting", "walking", "climbing"]
        assert welcome(server) == (200, {"labels": labels, "any_label": True, "axes": list(INERTIAL)})
    with serving(folder, ["walking"]) as server:
        assert welcome(server)[1] == {"labels": ["walking"], "any_label": False, "axes": list(AXES)}
        assert put(server, minute(activity="rowing"), "0000000000000001") == (422, {"error": NAME})


NAME = "The computer takes no such name or activity: choose another one."
UNUSABLE = "The computer cannot use it: record again, or ask its owner why."
"""What a phone is told, in words for who holds it."""

REFUSED = {
    "a path": (minute("../../etc", "walking"), "name '../../etc': expected up to 40 letters"),
    "a path in the label": (minute("Ann", "..\\walking"), "label '..\\\\walking': expected"),
    "a formula": (minute("=cmd", "walking"), "name '=cmd': expected"),
    "a hidden name": (minute(".ssh", "walking"), "name '.ssh': expected"),
    "a long name": (minute("n" * 41, "walking"), "expected up to 40"),
    "no name": (minute("", "walking"), "name '': expected"),
    "two spellings of a letter": (minute("Zoe\u0308", "walking"), "expected up to 40"),
    "a line break": (minute('"An\nn"', "walking"), "expected up to 40"),
    "another order": (minute().replace(b"x,y,z", b"z,y,x", 1), "has the columns time, z, y, x"),
    "one row": (b"\n".join(minute().split(b"\n")[:2]), "expected seconds that rise"),
    "nothing": (b"", "empty; expected a line of column names"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "expected time, x, y, z, subject, activity"),
    "a name that is no UTF-8": (minute("Zo\u00eb").replace(b"\xc3\xab", b"\xeb"), "expected up to 40"),
    "two people": (minute() + minute("Ben").split(b"\n", 1)[1], "holds 2 people or activities"),
    "a row too short": (minute() + b"1,2,3\n", "6 column names, but row 722 below them has 3 fields"),
    "text for a number": (minute().replace(b"100.0167,", b"100.0167,x", 1), "column 'x', row 2"),
    "time that is no number": (minute() + b"nan,1,2,3,Ann,walking\n", "expected seconds that rise"),
    "g": (minute(scale=1 / 9.81), "as in g"),
    "no gravity": (minute(scale=0.01), "gravity (9.8) is missing"),
    "a second part of zeros": (
        minute() + b"".join(b"%.4f,0,0,0,Ann,walking\n" % (130 + place / 60) for place in range(360)),
        "gravity",
    ),
    "time that goes back": (b"\n".join([minute().split(b"\n")[0], *minute().split(b"\n")[-2:0:-1]]), "rise"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_be_imported_is_refused_and_the_terminal_has_the_reason(case, folder, capsys):
    content, reason = REFUSED[case]
    with serving(folder) as server:
        said = NAME if reason.startswith(("name", "label", "expected up to")) else UNUSABLE
        assert put(server, content) == (422, {"error": said})
    assert files(folder) == []
    told = json.loads(capsys.readouterr().out)
    assert told["address"] == "127.0.0.1"
    assert reason in told["reason"]
    assert len(told["reason"].splitlines()) == 1
    assert str(folder) not in told["reason"]


NAMES = {
    "Zoë O'Neill": "Zoë O_Neill", "7": "7", "A.B. 3": "A_B_ 3", "李小龙": "李小龙", "con": "con_", "nul": "nul_",
    "हिन्दी": "हिन्दी", "n" * 40: "n" * 40,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_in_the_file_and_the_server_names_its_folder(name, folder):
    with serving(folder) as server:
        assert put(server, minute(name, "go up"))[0] == 200
    assert files(folder) == [f"{NAMES[name]}/go up-{NUMBER}.csv"]
    assert zoo.import_csv(folder, folder.parent / "recordings.h5").recordings == 1


def head(server, length, token=None):
    return (
        f"PUT /recordings/{NUMBER} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token or server.token}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def answer_to(server, *parts):
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        for part in parts:
            connection.sendall(part)
        return connection.recv(65536)


def test_who_sends_all_with_a_wrong_token_gets_the_answer(folder):
    with serving(folder) as server:
        statuses = {put(server, bytes(1 << 20), token="wrong")[0] for _ in range(5)}
    assert statuses == {403}


def test_who_sends_too_slowly_is_cut_off(folder, monkeypatch):
    monkeypatch.setattr("zoo.serving.server._BODY_SECONDS", 0.2)
    with serving(folder) as server, socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
        connection.sendall(head(server, 1000) + b"time,")
        assert connection.recv(100) == b""
        assert files(folder) == []


def test_an_address_may_send_so_much_a_minute(folder, monkeypatch):
    monkeypatch.setattr("zoo.serving.collection._MOST_A_MINUTE", 2)
    with serving(folder) as server:
        statuses = [put(server, minute(seed=place), f"{place:016}")[0] for place in range(4)]
        answer = answer_to(server, head(server, len(minute())), minute())
    assert statuses == [200, 200, 429, 429]
    assert 0 < int(re.search(rb"Retry-After: (\d+)", answer)[1]) <= 60
    assert len(files(folder)) == 2


def test_the_limits_are_those_of_the_guide(folder):
    assert (MOST_BYTES, _MOST_A_MINUTE, _BODY_SECONDS) == (2 * 1024**2, 240, 60)
    assert _QUEUE_SECONDS + _TURN_SECONDS < 15
    with serving(folder) as server:
        assert b" 413 " in answer_to(server, head(server, MOST_BYTES + 1))
        # A comment is no recording, but it is read.
        assert put(server, b"#".ljust(MOST_BYTES))[0] == 422


def test_by_default_all_addresses_are_listened_on_and_labels_of_the_model_are_suggested(
    folder, tmp_path, serve, zoo_cli, monkeypatch
):
    def look(server):
        welcome = server.routes["GET", PATH][1]("", b"", "")
        seen.append((server.server_address[0], welcome["labels"], welcome["any_label"]))
        raise KeyboardInterrupt

    source, seen = PRESETS_FOLDER / "activity_gru_course" / "model.float32.tflite", []
    (tmp_path / "mine.tflite").write_bytes(source.read_bytes())
    mine = tuple(f"own {number}" for number in range(6))
    embed(tmp_path / "mine.tflite", replace(extract(source), classes=mine, streaming=Streaming()))
    monkeypatch.setattr(PageServer, "serve_forever", look)
    for model in ([], [tmp_path / "mine.tflite", "activity_gru_phone"]):
        assert serve(*model, "--collect", folder)[0].status == 0
    phone = extract(PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite").classes
    # Of the class of all other movements nobody records a minute by accident.
    assert phone[-1] == "other"
    assert seen == [("0.0.0.0", [*phone[:-1]], True), ("0.0.0.0", [*mine], True)]


def together(*calls):
    """Calls functions at the same time."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def status_of(server, content, number):
    connection = running.connect(f"127.0.0.1:{server.port}")
    connection.request("PUT", f"/recordings/{number}", content, {"Authorization": f"Bearer {server.token}"})
    return connection.getresponse().status


def test_a_class_that_sends_at_once_has_answers_and_loses_nothing(folder, monkeypatch):
    monkeypatch.setattr("zoo.serving.server._PLACES_OF_ADDRESS", 6)
    monkeypatch.setattr("zoo.serving.server._QUEUE_SECONDS", 0.02)
    monkeypatch.setattr("zoo.serving.collection._TURN_SECONDS", 0.02)
    answers = []

    def phone(place):
        for number in range(2):
            content = minute(f"person {place}", "walking", seed=10 * place + number)
            # The second time is the retry of an answer that was lost.
            for _ in range(2):
                while (status := status_of(server, content, f"{place:08}{number:08}")) != 200:
                    answers.append(status)

    # All are of one address.
    with serving(folder, context=certificate.tls_context(["localhost"])) as server:
        together(*(partial(phone, place) for place in range(15)))
    # They were asked to come back.
    assert {*answers} == {503}
    assert zoo.import_csv(folder, folder.parent / "recordings.h5").recordings == 30


def test_one_number_from_two_phones_at_once_is_one_recording(folder):
    with serving(folder) as server:
        statuses = []
        together(*(lambda name=name: statuses.append(put(server, minute(name))[0]) for name in ("Ann", "Ben")))
    assert sorted(statuses) == [200, 409]
    assert len(files(folder)) == 1


def test_a_full_disk_is_told_to_the_owner_and_nothing_is_left(folder, monkeypatch, capsys):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with serving(folder) as server:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            assert put(server, minute()) == (507, {"error": "The computer cannot store it: tell its owner."})
        assert files(folder) == []
        assert "the disk is full; nothing was written" in json.loads(capsys.readouterr().out)["reason"]
        # There is room again.
        assert put(server, minute())[0] == 200


def test_what_lies_in_the_way_is_not_overwritten(folder):
    folder.mkdir()
    (folder / "Ann").write_text("mine")
    with serving(folder) as server:
        assert put(server, minute())[0] == 507
    assert (folder / "Ann").read_text() == "mine"


def test_a_damaged_recording_is_named_at_the_start(folder):
    (folder / "Ann").mkdir(parents=True)
    (folder / "Ann" / f"walking-{NUMBER}.csv").write_text("time,x")
    with pytest.raises(ZooError, match=rf"walking-{NUMBER}.csv: .*x, y, z"):
        Collection(folder)


def test_the_key_is_kept_for_its_owner_and_the_token_follows_from_it(tmp_path):
    file = tmp_path / "server.pem"
    token = kept_certificate(file, ["localhost", "127.0.0.1"])
    assert re.fullmatch(r"[\w-]{16}", token)
    assert file.stat().st_mode & 0o777 == 0o600
    assert kept_certificate(file, ["127.0.0.1", "localhost"]) == token
    # For another address, or after damage, both are new.
    assert (other := kept_certificate(file, ["localhost", "192.168.1.2"])) != token
    file.write_bytes(file.read_bytes()[:700])
    assert kept_certificate(file, ["localhost", "192.168.1.2"]) not in (token, other)
    with pytest.raises(ZooError, match="host 'my_host': no certificate"):
        kept_certificate(tmp_path / "other.pem", ["my_host"])
    with pytest.raises(ZooError, match=r"server\.pem"):
        kept_certificate(file / "server.pem", ["localhost"])


def test_a_certificate_that_is_not_valid_yet_is_renewed(tmp_path):
    file, now = tmp_path / "server.pem", datetime.now(UTC)
    later = {"not_before": now + timedelta(days=2), "not_after": now + timedelta(days=30)}
    trustme.CA().issue_cert("localhost", **later).private_key_and_cert_chain_pem.write_to_path(file)
    with pytest.raises(ZooError, match=r"server\.pem: the certificate is valid from .*: set the clock"):
        certificate.name_in(file)
    before = file.read_bytes()
    kept_certificate(file, ["localhost"])
    assert file.read_bytes() != before
    assert certificate.name_in(file) == "localhost"


def test_without_tls_nothing_is_taken_where_the_server_has_it(folder):
    with serving(folder, context=certificate.tls_context(["localhost"])) as server:
        put = head(server, len(minute()))
        for method in (b"PUT", b"POST", b"DELETE"):
            assert b" 426 " in answer_to(server, put.replace(b"PUT", method, 1))
    assert files(folder) == []


def class_of(folder, people=("Ann", "Ben", "Cleo"), axes=AXES):
    collection = Collection(folder)
    for place, person in enumerate(people):
        for number, activity in enumerate(("sitting", "walking")):
            collection.add(f"{place:08}{number:08}", minute(person, activity, 20, 10 * place + number, axes))


def test_the_folder_is_a_data_file(folder, tmp_path, zoo_cli):
    class_of(folder)
    status, _, error = zoo_cli("data", "windows", folder, "-o", tmp_path / "ours.h5")
    assert status == 0, error
    data = zoo.load_data(tmp_path / "ours.h5")
    assert data.classes == ("sitting", "walking")
    assert sorted({*data.train.people(), *data.test.people()}) == ["Ann", "Ben", "Cleo"]
    imported = zoo.import_csv(folder, tmp_path / "recordings.h5").path
    again = zoo.cut_windows(imported, tmp_path / "again.h5").data
    np.testing.assert_array_equal(again.train.arrays()[0], data.train.arrays()[0])
    # Messages call the recordings by the folder.
    status, _, error = zoo_cli("data", "windows", folder, "-o", tmp_path / "x.h5", "--classes", "sitting,rowing")
    assert (status, error) == (1, f"zoo: {folder}: no recording of rowing; found sitting, walking\n")


def test_a_rotation_rate_that_all_phones_sent_is_kept(folder, tmp_path):
    class_of(folder, axes=INERTIAL)
    assert zoo.cut_windows(folder, tmp_path / "six.h5").data.train.arrays()[0].shape[2] == 6
    Collection(folder).add(NUMBER, minute("Dan", "walking", 20, 99))
    assert zoo.cut_windows(folder, tmp_path / "three.h5").data.train.arrays()[0].shape[2] == 3


@pytest.mark.process
def test_in_a_pipe_each_recording_is_a_line(folder):
    with zoo_serve("--collect", folder, "--port", PORT) as process:
        assert process.stdout.readline() == f"collecting into {folder}\n"
        at = re.fullmatch(r"Phones: (https://127.0.0.1:\d+/collect#[\w-]{16})\n", process.stdout.readline())
        assert re.fullmatch(r"Projector: https://127.0.0.1:\d+/class#\S+\n", process.stdout.readline())
        assert send(at.group(1), minute("Ann B", "walking"), int(NUMBER)) == 200
        lines = iter(process.stdout.readline, "")
        line = next(line for line in lines if "Ann B" in line)
        file = f"{folder}/Ann B/walking-{NUMBER}.csv"
        assert re.fullmatch(rf"\d\d:\d\d:\d\d  Ann B  walking  12 s at 60 Hz  {file}\n", line)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0


@pytest.mark.process
def test_two_servers_never_collect_into_one_folder(folder, zoo_cli, monkeypatch):
    monkeypatch.setattr("zoo.serving.session.page_files", lambda models: {})
    with zoo_collect(folder):
        status, _, error = zoo_cli("serve", "--collect", folder, "--host", "127.0.0.1")
    assert status == 1
    assert f"{folder}: a server collects into it already: use that one, or choose another folder" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--labels", "walking"), "--labels: requires --collect DIR"),
        (("--collect", "{file}"), "is a file; expected a folder"),
        (("--collect", "{folder}", "--labels", "a/b"), "label 'a/b': expected up to 40 letters"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(arguments, message, folder, tmp_path, zoo_cli, monkeypatch):
    monkeypatch.setattr("zoo.serving.session.page_files", lambda models: {})
    (tmp_path / "file").write_text("mine")
    status, out, error = zoo_cli(
        "serve", "--host", "127.0.0.1", *(text.format(file=tmp_path / "file", folder=folder) for text in arguments)
    )
    assert (status in (1, 2), out) == (True, "")
    assert message in error
    assert len(error.splitlines()) == 1
    assert not folder.exists()
