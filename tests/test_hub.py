"""Models on a hub: what was pushed comes back as it was, and what is damaged or missing is one line.

The hub here speaks the protocol of huggingface.co as far as `huggingface_hub` uses it.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from zoo import hub
from zoo.catalog import PRESETS_FOLDER, find_folder
from zoo.errors import ZooError

PRESET = PRESETS_FOLDER / "activity_gru_course"


def blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """The repositories of a hub: `server.repos[name][commit]` are files."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def tell(self, document, status=200):
        self.answer(status, json.dumps(document).encode(), Content_Type="application/json")

    def missing(self, code):
        self.answer(404, b"{}", X_Error_Code=code, X_Error_Message="not there", Content_Type="application/json")

    def files(self, repo, revision):
        commits = self.server.repos.get(repo)
        if commits is None:
            self.missing("RepoNotFound")
            return None, None
        commit = list(commits)[-1] if revision in ("main", None) else revision
        if commit not in commits:
            self.missing("RevisionNotFound")
            return None, None
        return commit, commits[commit]

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/(.+))?", path):
            commit, held = self.files(found[1], found[2])
            if held is not None:
                siblings = [{"rfilename": name, "size": len(content), "blobId": blob(content)} for name, content in
                            held.items()]  # fmt: skip
                self.tell({"id": found[1], "sha": commit, "siblings": siblings})
        elif found := re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", path):
            commit, held = self.files(found[1], found[2])
            if held is None:
                return
            if found[3] not in held:
                self.missing("EntryNotFound")
                return
            content = held[found[3]]
            served = content[:-1] + b"!" if found[3] in self.server.damaged else content
            self.answer(200, served, ETag=f'"{blob(content)}"', X_Repo_Commit=commit)
        else:
            self.missing("EntryNotFound")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        if self.headers.get("Authorization") != "Bearer hf_right":
            self.answer(401, b"{}", X_Error_Message="Invalid username or password.", Content_Type="application/json")
        elif path == "/api/repos/create":
            asked = json.loads(body)
            repo = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.server.repos.setdefault(repo, {"0" * 40: {}})
            self.tell({"url": f"{self.server.url}/{repo}", "name": repo})
        elif path == "/api/validate-yaml":
            self.tell({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            self.tell({"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]})
        elif found := re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)/commit/main", path):
            lines = [json.loads(line)["value"] for line in body.splitlines() if json.loads(line)["key"] == "file"]
            held = {line["path"]: base64.b64decode(line["content"]) for line in lines}
            commit = hashlib.sha1(body).hexdigest()
            self.server.repos[found[1]][commit] = held
            self.tell({"commitUrl": f"{self.server.url}/{found[1]}/commit/{commit}", "commitOid": commit})
        else:
            self.missing("EntryNotFound")


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.repos, server.damaged, server.url = {}, set(), f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A hub of one's own, to which somebody has logged in. The library reads its environment when it is imported."""
    pytest.importorskip("huggingface_hub")
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_right")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        for name in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
            monkeypatch.delitem(sys.modules, name)
        yield found


def test_what_was_pushed_comes_back_as_it_was(server):
    address = hub.push(PRESET, "hf://somebody/walks")
    assert re.fullmatch(r"hf://somebody/walks@[0-9a-f]{40}", address)
    held = server.repos["somebody/walks"][address.partition("@")[2]]
    assert {"model.keras", "config.json", "metrics.json", "README.md", "LICENSE"} <= set(held)
    for name in ("hf://somebody/walks", "hf://somebody/walks@main", address):
        folder = find_folder(name)
        assert (folder / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()
    # What somebody else put there stays there.
    assert not (folder / "README.md").exists()


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


def test_a_revision_means_the_same_files_for_ever(server):
    first = hub.push(PRESET, "hf://somebody/walks")
    second = hub.push(PRESETS_FOLDER / "activity_gru_pocket", "hf://somebody/walks")
    assert (find_folder(first) / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()
    assert find_folder("hf://somebody/walks") == find_folder(second)


def test_a_damaged_file_is_refused_and_fetched_again(server):
    hub.push(PRESET, "hf://somebody/walks")
    server.damaged.add("model.keras")
    with pytest.raises(
        ZooError, match=r"hf://somebody/walks: model.keras has the hash \w+; the hub lists \w+: try again"
    ):
        find_folder("hf://somebody/walks")
    server.damaged.clear()
    assert (find_folder("hf://somebody/walks") / "model.keras").read_bytes() == (PRESET / "model.keras").read_bytes()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf://somebody/nothing", "no such model, or it is private"),
        ("hf://somebody/walks@v9", "no such revision"),
        ("hf://somebody", "expected hf://owner/name"),
        ("hf://../../etc", "expected hf://owner/name"),
        ("hf://somebody/empty", "holds no model.keras"),
    ],
)
def test_what_is_not_there_is_one_line(address, message, server):
    hub.push(PRESET, "hf://somebody/walks")
    server.repos["somebody/empty"] = {"1" * 40: {"pytorch_model.bin": b"x"}}
    with pytest.raises(ZooError, match=message) as raised:
        find_folder(address)
    assert len(str(raised.value).splitlines()) == 1


def test_without_a_token_nothing_is_pushed(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ZooError, match="log in with `hf auth login`"):
        hub.push(PRESET, "hf://somebody/walks")
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
    with pytest.raises(ZooError, match=r"config.json has the hash"):
        find_folder("hf://somebody/walks")


def test_a_hub_that_cannot_be_reached_is_one_line(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(ZooError, match=rf"{server.url} cannot be reached .*: check the network") as raised:
        find_folder("hf://somebody/walks")
    assert len(str(raised.value).splitlines()) == 1


def test_without_the_package_the_line_says_what_to_install(monkeypatch, zoo_cli):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    status, out, error = zoo_cli("info", "hf://somebody/walks")
    assert (status, out) == (1, "")
    assert error == "zoo: hf:// needs the package huggingface_hub: pip install 'pocket-zoo[hub]'\n"


def test_pushing_prints_what_is_wrong_and_nothing_of_tensorflow():
    command = [sys.executable, "-m", "zoo", "push", "activity_gru_course", "hf://owner"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == "zoo: hf://owner: expected hf://owner/name, or hf://owner/name@revision\n"


def test_a_folder_without_a_model_is_not_pushed(tmp_path):
    with pytest.raises(ZooError, match=r"holds no model.keras and config.json"):
        hub.push(tmp_path, "hf://somebody/walks")
    with pytest.raises(ZooError, match=r"names a revision; push to hf://somebody/walks"):
        hub.push(PRESET, "hf://somebody/walks@v1")
