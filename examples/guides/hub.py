"""Starts a small hub on this computer, which needs no account, and trains a model to push to it."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def blob(content):
    """The hash by which git, and so a hub, knows a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """The protocol of huggingface.co as far as a model needs it: `server.repos[name][commit]` are files."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Prints nothing."""

    def _answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reply(self, document, status=200):
        self._answer(status, json.dumps(document).encode(), Content_Type="application/json")

    def _missing(self, code):
        self._answer(404, b"{}", X_Error_Code=code, X_Error_Message="not there", Content_Type="application/json")

    def _files(self, repo, revision):
        commits = self.server.repos.get(repo)
        if commits is None:
            self._missing("RepoNotFound")
            return None, None
        commit = list(commits)[-1] if revision in ("main", None) else revision
        if commit not in commits:
            self._missing("RevisionNotFound")
            return None, None
        return commit, commits[commit]

    def do_HEAD(self):
        """Answers like `do_GET`, without the content."""
        self.do_GET()

    def do_GET(self):
        """Lists the files of a model, or returns one of them."""
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/(.+))?", path):
            commit, held = self._files(found[1], found[2])
            if held is not None:
                siblings = [{"rfilename": name, "size": len(content), "blobId": blob(content)} for name, content in
                            held.items()]  # fmt: skip
                self._reply({"id": found[1], "sha": commit, "siblings": siblings})
        elif found := re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", path):
            commit, held = self._files(found[1], found[2])
            if held is None:
                return
            if found[3] not in held:
                self._missing("EntryNotFound")
                return
            content = held[found[3]]
            served = content[:-1] + b"!" if found[3] in self.server.damaged else content
            self._answer(200, served, ETag=f'"{blob(content)}"', X_Repo_Commit=commit)
        else:
            self._missing("EntryNotFound")

    def do_POST(self):
        """Creates a model, or adds a commit to it, for those who send the right token."""
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
            self._answer(401, b"{}", X_Error_Message="Invalid username or password.", Content_Type="application/json")
        elif path == "/api/repos/create":
            asked = json.loads(body)
            repo = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.server.repos.setdefault(repo, {"0" * 40: {}})
            self._reply({"url": f"{self.server.url}/{repo}", "name": repo})
        elif path == "/api/validate-yaml":
            self._reply({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            self._reply({"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]})
        elif found := re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)/commit/main", path):
            lines = [json.loads(line)["value"] for line in body.splitlines() if json.loads(line)["key"] == "file"]
            held = {line["path"]: base64.b64decode(line["content"]) for line in lines}
            commit = hashlib.sha1(body).hexdigest()
            self.server.repos[found[1]][commit] = held
            self._reply({"commitUrl": f"{self.server.url}/{found[1]}/commit/{commit}", "commitOid": commit})
        else:
            self._missing("EntryNotFound")


def start(cache):
    """Starts a hub, and returns it with the environment of somebody who has logged in to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.repos, server.damaged, server.url = {}, set(), f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    return server, {
        "HF_ENDPOINT": server.url, "HF_HOME": str(cache), "HF_TOKEN": "hf_right", "HF_HUB_DISABLE_XET": "1",
    }  # fmt: skip


if __name__ == "__main__":
    import os
    from pathlib import Path

    import zoo

    server, environment = start(Path("hub").resolve())
    os.environ |= environment
    data = zoo.simulate("activity", "data3.h5", subjects=6, seconds=20)
    zoo.finetune("activity_gru_phone", data, recipe=zoo.Recipe(epochs=3), out="mine")
