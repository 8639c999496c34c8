"""What the projector of a class sees: all that has arrived, for nobody but its owner, and a model trained on it."""

import json
import resource
import shutil
import signal
import subprocess
import threading
from contextlib import closing, contextmanager
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import running
from running import connect, zoo_collect
from serving.test_collecting import ask, class_of, files, minute, put, serving

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import extract
from zoo.serving import session
from zoo.serving.classroom import EVENTS, TRAINING, Classroom

OWNER = "only the owner"
PRESET = PRESETS_FOLDER / "activity_gru_phone" / "model.float32.tflite"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "class"


@contextmanager
def projecting(folder, labels=()):
    """A server that collects into a folder, and shows it."""
    with serving(folder, labels, show=lambda event: room.tell(event)) as server:
        room = Classroom(OWNER, "https://192.0.2.7/collect#x", server.collection, lambda number, file: "")
        server.routes = {**server.routes, **room.routes()}
        with closing(room):
            yield server


@contextmanager
def looking(server, token=OWNER, secure=False, address=None):
    """The states that are sent, one after the other."""
    connection = connect(address or f"127.0.0.1:{server.port}", tls=secure)
    connection.request("GET", EVENTS, headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"})
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
    yield (json.loads(line.removeprefix(b"data: ")) for line in response if line.startswith(b"data: "))
    connection.close()


def until(states, holds):
    """The first state of which something holds."""
    return next(state for state in states if holds(state))


def test_what_arrives_is_shown_without_being_asked_for(folder):
    with projecting(folder) as server, looking(server) as states:
        empty = next(states)
        assert (empty["people"], empty["labels"], empty["newest"]) == ([], [], None)
        assert empty["missing"] == ["2 more people", "2 more activities"]
        put(server, minute("Otter 27", "walking"), "0000000000000001")
        state = until(states, lambda state: state["recordings"])
        assert state["people"] == [{"name": "Otter 27", "seconds": {"walking": 12.0}}]
        assert state["missing"] == ["1 more person", "1 more activity"]
        times, *axes = zip(*state["newest"]["rows"], strict=True)
        assert 0 <= min(times) < 0.1 < 4.9 < max(times) <= 5
        assert [sum(axis) / len(axis) for axis in axes] == pytest.approx([0.4, 9.7, 1.0], abs=0.1)
        assert len(times) <= 250
        put(server, minute("Otter 27", "walking", seed=1), "0000000000000002")
        put(server, minute("Heron 64", "sitting"), "0000000000000003")
        state = until(states, lambda state: state["recordings"] == 3)
        assert state["people"][0]["seconds"] == {"walking": 24.0}
        assert (state["labels"], state["missing"]) == (["walking", "sitting"], [])
        # What its owner deletes is shown no more.
        next(folder.glob("Heron 64/*.csv")).unlink()
        assert until(states, lambda state: state["recordings"] == 2)["labels"] == ["walking"]


def test_labels_that_are_named_are_shown_before_anybody_does_them(folder):
    with projecting(folder, ["sitting", "rowing"]) as server, looking(server) as states:
        assert next(states)["labels"] == ["sitting", "rowing"]


def test_what_is_refused_is_shown_until_its_phone_sends_something_else_or_for_minutes(folder, monkeypatch):
    with projecting(folder) as server, looking(server) as states:
        for number in (1, 2):
            put(server, minute(scale=0.01))
            (said,) = until(states, lambda state: state["refused"])["refused"]
            assert said.endswith(". The computer cannot use it: record again, or ask its owner why.")
            if number == 1:
                put(server, minute(), "0000000000000002")
            else:
                monkeypatch.setattr("zoo.serving.classroom._ALARM_SECONDS", 0.0)
            assert until(states, lambda state: not state["refused"])["recordings"] == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_who_knows_the_code_of_phones_sees_and_starts_nothing(method, folder):
    class_of(folder)
    with projecting(folder) as server:
        for token in (server.token, "", OWNER[:-1], OWNER + "x"):
            status, answer = ask(server, method, EVENTS if method == "GET" else TRAINING, token=token)
            assert (status, [*answer]) == (403, ["error"])
        with looking(server) as states:
            assert next(states)["training"] is None
        # And the owner's opens nothing that is for phones.
        assert ask(server, "GET", "/recordings/", token=OWNER)[0] == 403


def test_the_answers_to_phones_name_nobody(folder):
    class_of(folder, people=("Ann", "Ben"))
    with projecting(folder) as server:
        assert put(server, minute("Cleo"))[0] == 200
        paths = ["/recordings/", "/class", EVENTS, TRAINING, *(f"/{name}" for name in files(folder))]
        for method, path in product(("GET", "PUT", "POST", "DELETE"), paths):
            connection = connect(f"127.0.0.1:{server.port}", tls=False)
            connection.request(method, path, headers={"Authorization": f"Bearer {server.token}"})
            answer = connection.getresponse().read()
            assert not [name for name in (b"Ann", b"Ben", b"Cleo") if name in answer], (method, path)


def test_each_phone_is_given_a_pseudonym_that_nobody_has(folder):
    with projecting(folder) as server:
        given = [ask(server, "GET", "/recordings/")[1]["pseudonym"] for _ in range(60)]
        # As many as there are animals with two digits, and more.
        given += [server.routes["GET", "/recordings/"][1]("", b"", "")["pseudonym"] for _ in range(5240)]
        assert len({*given} - {""}) == 5300
        # It is a name that is taken.
        assert put(server, minute(given[0]))[0] == 200


def test_a_training_begins_when_nothing_is_missing_and_can_be_canceled(folder):
    with projecting(folder) as server, looking(server) as states:
        status, answer = ask(server, "POST", TRAINING, token=OWNER)
        assert (status, answer) == (409, {"error": "missing: 2 more people, 2 more activities"})
        for number, person in enumerate(("Ann", "Ben", "Cleo")):
            for place, activity in enumerate(("sitting", "walking")):
                put(server, minute(person, activity, 20), f"{number:015}{place}")
        assert ask(server, "POST", TRAINING, token=OWNER)[0] == 200
        assert ask(server, "POST", TRAINING, token=OWNER) == (409, {"error": "a training is running"})
        until(states, lambda state: (state["training"] or {}).get("step") == 1)
        assert (folder.parent / "class-trained-1").is_dir()
        # It goes on receiving.
        assert put(server, minute("Dan"), "1" * 16)[0] == 200
        assert ask(server, "DELETE", TRAINING, token=OWNER)[0] == 200
        assert until(states, lambda state: state["training"] is None)["recordings"] == 7
    assert [path.name for path in folder.parent.iterdir()] == ["class"]


def test_a_second_training_has_a_folder_and_an_address_of_its_own_and_the_first_keeps_its(folder, monkeypatch):
    measured = dict.fromkeys(("classes", "confusion", "windows", "accuracy"), 0) | {"per_subject": {"Ann": {}}}

    def command(module, *words):
        # What libraries print comes before the document and after it, and may look like one.
        says = f"echo 'a warning of {{' >&2; echo '{json.dumps(measured)}'; echo 'another one of {{' >&2"
        file = Path(words[words.index("--to") + 1]) / "model.float32.tflite" if "--to" in words else None
        return ["sh", "-c", f"mkdir {file.parent}; echo {file} > {file}" if file else says]

    monkeypatch.setattr(session, "page_files", lambda model: {"/model": model})
    monkeypatch.setattr("zoo.serving.classroom.python", command)
    class_of(folder)
    for count in (1, 2):
        with serving(folder) as server:
            # The second begins with what was trained before.
            room, addresses = session.begin_class(server, server.collection, ["::1"], extract(PRESET), [].append)
            owner = addresses["projector"].partition("#")[2]
            with closing(room), looking(server, owner) as states:
                assert ask(server, "POST", TRAINING, token=owner)[0] == 200
                until(states, lambda state: (state["training"] or {}).get("status") == "running")
                done = until(states, lambda state: state["training"]["status"] != "running")["training"]
            assert (done["status"], done["folder"], done["people"]) == ("done", f"class-trained-{count}", ["Ann"])
            assert done["address"].endswith(f"/trained/{count}/")
            for number in range(1, count + 1):
                connection = connect(f"127.0.0.1:{server.port}", tls=False)
                connection.request("GET", f"/trained/{number}/model")
                assert f"class-trained-{number}/" in connection.getresponse().read().decode()


@pytest.mark.parametrize("scores", ["{}", "[1]", "{", '{"per_subject": 1}'])
def test_scores_that_are_none_keep_no_server_from_starting_and_no_projector_waiting(scores, folder, monkeypatch):
    class_of(folder)
    trained = folder.with_name("class-trained-1")
    (trained / "exported").mkdir(parents=True)
    (trained / "exported" / "model.float32.tflite").touch()
    (trained / "evaluate.log").write_text(scores)

    def command(module, *words):
        return [
            "sh",
            "-c",
            f"cp -r {trained}/exported {words[words.index('--to') + 1]}" if "--to" in words else f"echo '{scores}'",
        ]

    monkeypatch.setattr("zoo.serving.classroom.python", command)
    with projecting(folder) as server, looking(server) as states:
        assert next(states)["training"] is None
        ask(server, "POST", TRAINING, token=OWNER)
        state = until(states, lambda state: (state["training"] or {}).get("status") == "failed")
    assert "class-trained-2/evaluate.log: expected what zoo evaluate prints" in state["training"]["reason"]


@pytest.mark.slow
def test_a_training_that_fails_says_why(folder):
    with projecting(folder) as server, looking(server) as states:
        for number, person in enumerate(("Ann", "Ben")):
            for place, activity in enumerate(("sitting", "walking")):
                # Shorter than a window.
                put(server, minute(person, activity, 2), f"{number:015}{place}")
        ask(server, "POST", TRAINING, token=OWNER)
        state = until(states, lambda state: (state["training"] or {}).get("status") == "failed")
    assert "class" in state["training"]["reason"]
    assert len(state["training"]["reason"].splitlines()) == 1


@contextmanager
def class_served(folder, **options):
    """`zoo serve --collect` in a process of its own, and its addresses."""
    with zoo_collect(folder, **options) as (process, document):
        address, _, owner = document["projector"].removeprefix("https://").partition("/class#")
        yield process, address, document["url"].partition("#")[2], owner


def call(*request):
    return running.ask(*request)[0]


def send_class(address, token):
    for number, person in enumerate(("Ann", "Ben")):
        for place, activity in enumerate(("sitting", "walking")):
            assert call(address, "PUT", f"/recordings/{number:015}{place}", token, minute(person, activity, 20)) == 200


@pytest.mark.process
def test_of_a_server_that_is_killed_during_a_training_the_recordings_are_left_and_no_process(folder):
    with class_served(folder) as (process, address, token, owner):
        assert len({token, owner}) == 2
        send_class(address, token)
        kept = files(folder)
        assert call(address, "POST", TRAINING, owner) == 200
        with looking(None, owner, True, address) as states:
            until(states, lambda state: (state["training"] or {}).get("step") == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    gone = threading.Event()
    while subprocess.run(["pgrep", "-f", f"{folder}-trained"], capture_output=True, check=False).stdout:
        gone.wait(0.1)
    with class_served(folder) as (_, again, same_token, same_owner):
        assert (again, same_token, same_owner, files(folder)) == (address, token, owner, kept)
        with looking(None, owner, True, again) as states:
            state = next(states)
    assert (state["recordings"], state["training"]) == (4, None)


@pytest.mark.process
def test_a_disk_that_takes_no_more_ends_the_training_and_loses_nothing(folder):
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (120_000, 120_000))
    with class_served(folder, preexec_fn=limit) as (_, address, token, owner):
        send_class(address, token)
        kept = files(folder)
        with looking(None, owner, True, address) as states:
            call(address, "POST", TRAINING, owner)
            state = until(states, lambda state: (state["training"] or {}).get("status") == "failed")
        assert "ulimit" in state["training"]["reason"]
        assert files(folder) == kept
        shutil.rmtree(f"{folder}-trained-1")
        assert call(address, "PUT", f"/recordings/{7:016}", token, minute("Cleo", "walking", 20)) == 200
