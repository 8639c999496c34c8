"""Models on a hub: what was pushed comes back as it was, and what is damaged or missing is one line.

The hub is that of the guide's notebook: it speaks the protocol of huggingface.co as far as `huggingface_hub` uses it.
"""

import json
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from running import ROOT, message, python

from zoo import ActivityGRU, hub
from zoo.catalog import PRESETS_FOLDER, find_folder

PRESET = PRESETS_FOLDER / "activity_gru_course"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """The hub of the guide, to which somebody has logged in. The library reads its environment when it is imported."""
    pytest.importorskip("huggingface_hub")
    found, environment = runpy.run_path(str(ROOT / "examples" / "guides" / "hub.py"))["start"](tmp_path / "cache")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    yield found
    found.shutdown()
    found.server_close()


def test_what_was_pushed_comes_back_as_it_was(server):
    address = hub.push(PRESET, "hf://somebody/walks")
    assert re.fullmatch(r"hf://somebody/walks@[0-9a-f]{40}", address)
    held = server.repos["somebody/walks"][address.partition("@")[2]]
    assert {"model.keras", "config.json", "metrics.json", "README.md", "LICENSE"} <= set(held)
    assert {"model.float32.tflite", "model.dynamic.tflite", "confusion.png", "training.png"} <= set(held)
    for name in ("hf://somebody/walks", "hf://somebody/walks@main", address):
        folder = find_folder(name)
        assert (folder / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()
    # What somebody else put there stays there.
    assert not (folder / "README.md").exists()


def test_a_private_model_is_created_as_one(server, zoo_cli, monkeypatch):
    from huggingface_hub import HfApi

    create, asked = HfApi.create_repo, []
    monkeypatch.setattr(HfApi, "create_repo", lambda *a, **named: asked.append(named["private"]) or create(*a, **named))
    for options in ([], ["--private"]):
        status, _, error = zoo_cli("push", "activity_gru_course", "hf://somebody/walks", *options)
        assert status == 0, error
    assert asked == [False, True]


@pytest.mark.process
def test_a_model_of_the_hub_stands_where_a_preset_can(server, simulated, tmp_path, zoo_cli):
    import numpy as np

    import zoo

    hub.push(PRESET, "hf://somebody/walks")
    ours, theirs = zoo.Model.from_preset("activity_gru_course"), zoo.Model.from_preset("hf://somebody/walks")
    window = np.random.default_rng(0).normal(size=(1, 150, 3)).astype(np.float32)
    np.testing.assert_array_equal(ours(window), theirs(window))
    for command in (
        ("finetune", "hf://somebody/walks", "--data", simulated, "--epochs", 1, "--out", tmp_path / "mine"),
        ("info", "hf://somebody/walks"),
    ):
        status, _, error = zoo_cli(*command)
        assert status == 0, error


def test_the_card_has_the_header_of_the_hub_and_links_to_nothing_that_is_not_there():
    page = hub.card(PRESET, "somebody/walks")
    header = dict(line.split(": ", 1) for line in page.split("---")[1].strip().splitlines())
    assert (header["license"], header["library_name"]) == ('"mit"', '"keras"')
    assert json.loads(header["tags"])[:2] == ["pocket-zoo", "keras"]
    assert "](../" not in page
    assert 'Model.from_preset("hf://somebody/walks")' in page


def test_the_license_of_a_model_is_what_its_owner_states(server, tmp_path):
    model = ActivityGRU(units=2, frame=25, provenance={"license": "CC BY 4.0"})
    model.save_to_preset(tmp_path)
    commit = hub.push(tmp_path, "hf://somebody/walks").partition("@")[2]
    held = server.repos["somebody/walks"][commit]
    # Neither the license of the zoo nor that of the training data is that of the model.
    assert "LICENSE" not in held
    assert b'license: "other"\nlicense_name: "not stated"' in held["README.md"]
    (tmp_path / "LICENSE").write_text("For friends only.")
    commit = hub.push(tmp_path, "hf://somebody/walks").partition("@")[2]
    held = server.repos["somebody/walks"][commit]
    assert held["LICENSE"] == b"For friends only."
    assert b'license_link: "LICENSE"' in held["README.md"]


def test_a_push_between_two_downloads_changes_nothing(server, monkeypatch):
    import huggingface_hub

    hub.push(PRESET, "hf://somebody/walks")
    download, places = huggingface_hub.hf_hub_download, []

    def downloads_and_moves(*arguments, **options):
        places.append(download(*arguments, **options))
        if len(places) == 1:
            held = server.repos["somebody/walks"]
            held["2" * 40] = {"model.keras": (PRESET / "model.keras").read_bytes()}
        return places[-1]

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", downloads_and_moves)
    folder = find_folder("hf://somebody/walks")
    assert (folder / "config.json").read_bytes() == (PRESET / "config.json").read_bytes()
    assert {Path(place).parent for place in places} == {folder}


def test_a_revision_means_the_same_files_for_ever(server):
    first = hub.push(PRESET, "hf://somebody/walks")
    second = hub.push(PRESETS_FOLDER / "activity_gru_pocket", "hf://somebody/walks")
    assert (find_folder(first) / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()
    assert find_folder("hf://somebody/walks") == find_folder(second)


def test_a_damaged_file_is_refused_and_fetched_again(server):
    hub.push(PRESET, "hf://somebody/walks")
    server.damaged.add("model.keras")
    refusal = message(lambda: find_folder("hf://somebody/walks"))
    assert re.match(r"hf://somebody/walks: model.keras has the hash \w+; the hub lists \w+: try again", refusal)
    server.damaged.clear()
    assert (find_folder("hf://somebody/walks") / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("hf://somebody/nothing", "no such model, or it is private"),
        ("hf://somebody/walks@v9", "no such revision"),
        ("hf://somebody", "expected hf://owner/name"),
        ("hf://../../etc", "expected hf://owner/name"),
        ("hf://somebody/empty", "holds no model.keras"),
    ],
)
def test_what_is_not_there_is_one_line(address, says, server):
    hub.push(PRESET, "hf://somebody/walks")
    server.repos["somebody/empty"] = {"1" * 40: {"pytorch_model.bin": b"x"}}
    assert says in message(lambda: find_folder(address))


def test_without_a_token_nothing_is_pushed(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "log in with `hf auth login`" in message(lambda: hub.push(PRESET, "hf://somebody/walks"))
    assert server.repos == {}


def test_what_was_fetched_before_is_there_without_the_hub(server):
    hub.push(PRESET, "hf://somebody/walks")
    folder = find_folder("hf://somebody/walks")
    server.shutdown()
    server.server_close()
    assert find_folder("hf://somebody/walks") == folder
    # Damage on the disk is found as well.
    file = (folder / "config.json").resolve()
    file.write_bytes(file.read_bytes()[:-1])
    assert "config.json has the hash" in message(lambda: find_folder("hf://somebody/walks"))


def test_what_was_fetched_before_is_there_while_the_hub_is_out_of_order(server, monkeypatch):
    from huggingface_hub import HfApi

    class BusyError(Exception):
        response = SimpleNamespace(status_code=503)

    def refuse(*given, **named):
        raise BusyError

    hub.push(PRESET, "hf://somebody/walks")
    folder = find_folder("hf://somebody/walks")
    monkeypatch.setattr(HfApi, "model_info", refuse)
    assert find_folder("hf://somebody/walks") == folder


def test_a_hub_that_cannot_be_reached_is_one_line(server):
    server.shutdown()
    server.server_close()
    refusal = message(lambda: find_folder("hf://somebody/walks"))
    assert re.search(rf"{server.url} cannot be reached .*: check the network", refusal)


def test_without_the_package_the_line_says_what_to_install(monkeypatch, zoo_cli):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    status, out, error = zoo_cli("info", "hf://somebody/walks")
    assert (status, out) == (1, "")
    assert error == "zoo: hf:// needs the package huggingface_hub: pip install 'pocket-zoo[hub]'\n"


def test_pushing_prints_what_is_wrong_and_nothing_of_tensorflow():
    run = python("-m", "zoo", "push", "activity_gru_course", "hf://owner")
    assert run.stderr == "zoo: hf://owner: expected hf://owner/name, or hf://owner/name@revision\n"


def test_neither_a_folder_without_a_model_nor_a_revision_is_pushed(tmp_path):
    assert "holds no model.keras and config.json" in message(lambda: hub.push(tmp_path, "hf://somebody/walks"))
    refusal = message(lambda: hub.push(PRESET, "hf://somebody/walks@v1"))
    assert "names a revision; push to hf://somebody/walks" in refusal
