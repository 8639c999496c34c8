"""The server gives the page's files and nothing else, whatever it is asked."""

import gzip
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import zoo
from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError
from zoo.runtime.metadata import extract
from zoo.serving import PageServer, certificate, page_files

MODEL = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page as small as a page can be, in a folder beside which a secret lies."""
    root = tmp_path_factory.mktemp("served")
    page = root / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>" + 1000 * " ")
    (page / "assets" / "page-1.js").write_text("let page;")
    (page / "module.wasm").write_bytes(b"\0asm")
    (page / "manifest.webmanifest").write_text("{}")
    (root / "secret.txt").write_text("secret")
    (page / "link.txt").symlink_to(root / "secret.txt")
    return page


@pytest.fixture(scope="module")
def server(folder):
    context = certificate.tls_context(["localhost", "127.0.0.1"])
    with PageServer(page_files(MODEL, folder), "127.0.0.1", 9543, context) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def trusting():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(server, path, method="GET", **headers):
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusting(), timeout=120)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def send(server, request):
    """What comes back for bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as plain:
        connection = trusting().wrap_socket(plain)
        try:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionError, ssl.SSLError):
            return b""


@pytest.mark.parametrize(
    ("path", "kind", "lasting"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html?source=code", "text/html; charset=utf-8", "no-cache"),
        ("/assets/page-1.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/module.wasm", "application/wasm", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/model.tflite", "application/octet-stream", "no-cache"),
    ],
)
def test_a_file_comes_with_its_type_and_how_long_it_lasts(server, path, kind, lasting):
    status, headers, _ = ask(server, path)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, kind, lasting)


def test_the_model_is_the_one_that_was_named(server):
    assert ask(server, "/model.tflite")[2] == MODEL.read_bytes()


def test_several_models_are_listed_with_the_first_to_start_with(folder, tmp_path):
    own = tmp_path / "own.tflite"
    own.write_bytes(b"own")
    phone = PRESETS_FOLDER / "activity_gru_phone"
    chosen = [MODEL, phone / "model.float32.tflite", phone / "model.dynamic.tflite", own]
    with PageServer(page_files(chosen, folder), "127.0.0.1", 9543, certificate.tls_context(["127.0.0.1"])) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        status, headers, body = ask(found, "/models.json")
        listed = json.loads(body)
        assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "application/json", "no-cache")
        assert [each["name"] for each in listed] == [
            "activity_gru_pocket", "activity_gru_phone/model.float32", "activity_gru_phone/model.dynamic", "own"
        ]  # fmt: skip
        assert listed[0]["file"] == "model.tflite"
        for model, each in zip(chosen, listed, strict=True):
            assert ask(found, f"/{each['file']}")[2] == model.read_bytes()
        found.shutdown()


def test_a_file_that_is_named_runs_and_in_a_folder_float32_comes_first(tmp_path):
    from zoo.cli.device import _recognizer_of_page

    names, metadata = ["model.dynamic.tflite", "model.float32.tflite"], extract(MODEL)
    for name in names:
        file = tmp_path / name
        file.write_bytes((MODEL.parent / name).read_bytes())
        # Each is preferred to those before it.
        assert _recognizer_of_page(str(tmp_path)) == (file, metadata)
    for name in names:
        assert _recognizer_of_page(str(tmp_path / name)) == (tmp_path / name, metadata)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match=r"empty: holds none of .*tflite: write one with `zoo export`"):
        _recognizer_of_page(str(tmp_path / "empty"))


def test_what_is_large_comes_compressed_and_unchanged_files_do_not_come_again(server, folder):
    status, headers, body = ask(server, "/", Accept_Encoding="br, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 100
    assert gzip.decompress(body) == (folder / "index.html").read_bytes()
    status, _, body = ask(server, "/", If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"")
    assert ask(server, "/", "HEAD")[2] == b""


@pytest.mark.parametrize("path", ["/", "/nothing", "/model.tflite"])
def test_every_answer_carries_the_rules_for_browsers(server, path):
    headers = ask(server, path)[1]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize("page", ["index.html", "collect.html"])
def test_a_page_asks_for_the_same_rules_where_another_host_serves_it(page, server):
    source = (Path(__file__).parents[2] / "examples" / "phone" / page).read_text()
    (policy,) = re.findall(r'content="(default-src [^"]*)"', source)
    assert ask(server, "/")[1]["Content-Security-Policy"] == f"{policy}; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/assets/../../secret.txt",
        "//secret.txt", "/..\\secret.txt", "/secret.txt", "/link.txt", "/assets", "/assets/", "/.", "/index.html%00.js",
        "/%ff", "/etc/passwd", "//etc/passwd", "https://127.0.0.1/../secret.txt", "*", "/assets/page-1.js/..",
    ],
)  # fmt: skip
def test_tricks_with_paths_and_folders_are_not_found(server, path):
    status, _, body = ask(server, path)
    assert status == 404
    assert b"secret" not in body.replace(path.encode(), b"")
    assert b"page-1.js" not in body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + 70_000 * b"a" + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nX: " + 70_000 * b"a" + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + 200 * b"X: a\r\n" + b"\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET  /  HTTP/1.1 x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", b"501"),
        (b"DELETE /model.tflite HTTP/1.1\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nContent-Length: nonsense\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\nContent-Length: 60\r\n\r\nGET /secret.txt HTTP/1.1\r\nConnection: close\r\n\r\n", b"200"),
    ],
    ids=[
        "long path",
        "long header",
        "many headers",
        "nonsense",
        "version",
        "words",
        "post",
        "delete",
        "length",
        "body",
    ],
)
def test_oversized_and_malformed_requests_are_refused_and_others_go_on(server, request_bytes, status):
    answer = send(server, request_bytes)
    assert answer.split(b" ")[1] == status
    assert answer.count(b"HTTP/1.") == 1
    assert ask(server, "/")[0] == 200


def plainly(server, request):
    """The head of the answer to bytes without TLS."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as plain:
        plain.sendall(request)
        return b"".join(iter(lambda: plain.recv(65536), b"")).decode().partition("\r\n\r\n")[0]


@pytest.mark.parametrize("host", ["192.168.1.2:8443", "localhost:8443", "[::1]:8443", "laptop.local"])
def test_a_mistyped_scheme_leads_to_the_same_address_with_tls(server, host):
    answer = plainly(server, f"GET /index.html?a=b HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.split()[1] == "307"
    assert f"Location: https://{host}/index.html?a=b" in answer.splitlines()


@pytest.mark.parametrize("host", ["", "a b", "evil.example/path", "user@evil.example", "a\\b"])
def test_without_tls_a_host_that_is_none_is_refused(server, host):
    answer = plainly(server, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.split()[1] == "400"
    assert "Location" not in answer


def test_a_client_that_says_nothing_or_speaks_no_tls_holds_up_nobody(server):
    with (
        socket.create_connection(("127.0.0.1", server.port)) as silent,
        socket.create_connection(("127.0.0.1", server.port)) as plain,
    ):
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert ask(server, "/")[0] == 200
        assert silent.fileno() >= 0


def test_a_taken_port_gives_the_next_free_one(server, folder):
    with PageServer(page_files(MODEL, folder), "127.0.0.1", server.port, None) as other:
        assert server.port < other.port < server.port + 100


def test_a_host_of_another_machine_is_named(folder):
    with pytest.raises(ZooError, match="no address of this machine"):
        PageServer(page_files(MODEL, folder), "192.0.2.77", 9543, None)


def test_the_certificate_lasts_for_weeks(server):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509

    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    certificate_ = x509.load_pem_x509_certificate(pem.encode())
    now = datetime.now(UTC)
    assert certificate_.not_valid_before_utc < now - timedelta(hours=23)
    assert now + timedelta(days=29) < certificate_.not_valid_after_utc < now + timedelta(days=31)


def test_the_command_says_that_everyone_in_the_network_can_open_the_page(capsys, monkeypatch):
    from zoo.cli.device import _show_address

    monkeypatch.setenv("COLUMNS", "300")
    for host, said in {"0.0.0.0": True, "192.168.1.2": False}.items():
        _show_address({"url": "https://192.168.1.2:8443/", "model": "m.tflite", "models": ["m.tflite"], "host": host})
        assert ("Everyone on this network can open it" in capsys.readouterr().out) == said


def test_the_certificate_is_for_the_names_that_it_was_made_for(server):
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    context = ssl.create_default_context(cadata=pem)
    # The certificate itself is trusted, not the authority that signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for name in ("localhost", "127.0.0.1"):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    with socket.create_connection(("127.0.0.1", server.port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="example.org")


def test_a_page_that_is_not_built_is_one_line(tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "examples" / "phone").mkdir(parents=True)
    with pytest.raises(ZooError, match=rf"the page is not built; build it once with `make -C {checkout} page`"):
        page_files(MODEL, checkout / "zoo" / "page")
    with pytest.raises(ZooError, match=r"the page is not built; install a wheel that was made by `make wheel`"):
        page_files(MODEL, tmp_path)


PROGRAM = """
import signal
import sys
from pathlib import Path
# A suite that runs in the background has SIGINT ignored, and its children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from zoo import serving
from zoo.serving import page
folder = Path(sys.argv.pop(1))
serving.page_files = lambda model: page.page_files(model, folder)
from zoo.cli import main
main()
"""


def serve(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), "serve", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_command_says_where_and_ends_cleanly_on_ctrl_c(folder):
    process = serve(folder, "activity_gru_pocket", "--host", "127.0.0.1", "--port", "9643")
    try:
        line = process.stdout.readline()
        url = re.fullmatch(r"serving .*model.float32.tflite at https://127.0.0.1:(\d+)/\n", line)
        connection = http.client.HTTPSConnection("127.0.0.1", int(url.group(1)), context=trusting(), timeout=120)
        connection.request("GET", "/model.tflite")
        assert connection.getresponse().read() == MODEL.read_bytes()
        process.send_signal(signal.SIGINT)
        output, errors = process.stdout.read(), process.stderr.read()
        process.wait(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0
    assert errors == "stopped\n"
    assert output.startswith("Open it in a browser on this machine; phones cannot reach this address. The certificate")
    assert "█" not in output


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"host": "0.0.0.0"}, "Everyone on this network can open it; --host 127.0.0.1 limits it to this machine. "),
        ({"host": "192.0.2.7"}, ""),
        ({"host": "0.0.0.0", "collect": "recorded"}, "Only phones with this code can send recordings. "),
    ],
)
def test_an_address_that_phones_can_reach_has_a_code(changes, who, capsys):
    from zoo.cli.device import _show_address

    _show_address({"url": "https://192.0.2.7:8443/", "model": "a.tflite", "models": ["a.tflite"], **changes})
    output = capsys.readouterr().out
    code = [line for line in output.splitlines() if line and set(line) <= set("█▀▄ ")]
    assert len({len(line) for line in code}) == 1
    assert len(code[0]) in (2 * len(code), 2 * len(code) - 1)
    assert set(code[0]) == {"█"}
    assert f"Open it on a phone that is on the same network. {who}The certificate is self-signed" in output


@pytest.mark.process
def test_the_command_ends_cleanly_on_sigterm(folder):
    process = serve(folder, "--host", "127.0.0.1", "--port", "9645", "--json")
    try:
        document = json.loads(process.stdout.readline())
        assert document["host"] == "127.0.0.1"
        # Without a name it serves every recognizer of the zoo.
        names = [Path(file).parent.name for file in document["models"]]
        assert (names[0], set(names)) == ("activity_gru_phone", set(zoo.list_presets("activity")))
        process.terminate()
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 143
    assert errors == "stopped\n"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("sparse_autoencoder_course", "not an activity recognizer"),
        ("nothing.tflite", "nothing.tflite: no such file"),
        (str(PRESETS_FOLDER / "activity_gru_pocket" / "model.personal.tflite"), "has no signature 'step'"),
    ],
)
def test_a_model_that_the_page_cannot_run_is_one_line(model, message):
    from zoo.cli.device import serve

    with pytest.raises(ZooError, match=message) as raised:
        serve([model])
    assert len(str(raised.value).splitlines()) == 1
