"""The server gives the page's files and nothing else, whatever it is asked."""

import errno
import gzip
import json
import re
import signal
import socket
import ssl
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from running import PHONE_PAGE, connect, message, running, zoo_serve

import zoo
from zoo.catalog import PRESETS_FOLDER
from zoo.serving import PageServer, certificate, page_files

MODEL = PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page as small as a page can be."""
    page = tmp_path_factory.mktemp("served") / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>page</title>" + 1000 * " ")
    (page / "assets" / "page-1.js").write_text("let page;")
    (page / "module.wasm").write_bytes(b"\0asm")
    (page / "manifest.webmanifest").write_text("{}")
    return page


def serving(models, folder, names=("localhost", "127.0.0.1")):
    return running(PageServer(page_files(models, folder), "127.0.0.1", 9543, certificate.tls_context(names)))


@pytest.fixture(scope="module")
def server(folder):
    with serving(MODEL, folder) as server:
        yield server


def ask(server, path, method="GET", **headers):
    connection = connect(f"127.0.0.1:{server.port}")
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


TYPES = {
    "/": "text/html; charset=utf-8",
    "/index.html?source=code": "text/html; charset=utf-8",
    "/assets/page-1.js": "text/javascript; charset=utf-8",
    "/module.wasm": "application/wasm",
    "/manifest.webmanifest": "application/manifest+json",
    "/model.tflite": "application/octet-stream",
    "/models.json": "application/json",
}


@pytest.mark.parametrize("path", TYPES)
def test_a_file_comes_with_its_type_and_how_long_it_lasts(server, path):
    status, headers, _ = ask(server, path)
    lasting = "public, max-age=31536000, immutable" if path.startswith("/assets") else "no-cache"
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, TYPES[path], lasting)


def test_several_models_are_listed_with_the_first_to_start_with(folder, tmp_path):
    own = tmp_path / "own.tflite"
    own.write_bytes(b"own")
    phone = PRESETS_FOLDER / "activity_gru_phone"
    chosen = [MODEL, phone / "model.float32.tflite", phone / "model.dynamic.tflite", own]
    with serving(chosen, folder) as server:
        listed = json.loads(ask(server, "/models.json")[2])
        assert [entry["name"] for entry in listed] == [
            "activity_gru_pocket", "activity_gru_phone/model.float32", "activity_gru_phone/model.dynamic", "own"
        ]  # fmt: skip
        assert listed[0]["file"] == "model.tflite"
        for model, entry in zip(chosen, listed, strict=True):
            assert ask(server, f"/{entry['file']}")[2] == model.read_bytes()


def test_a_file_that_is_named_is_served_and_of_a_folder_float32_first(serve, tmp_path):
    # A folder that holds integers alone is served as well.
    for name in ("model.int8.tflite", "model.dynamic.tflite", "model.float32.tflite"):
        (tmp_path / name).write_bytes((MODEL.parent / name).read_bytes())
        for given in (tmp_path, tmp_path / name):
            assert json.loads(serve(given, "--json")[0].out)["models"] == [str(tmp_path / name)]


UNFIT = {
    "sparse_autoencoder_course": "not an activity recognizer",
    "nothing.tflite": "nothing.tflite: no such file",
    str(MODEL.with_name("model.personal.tflite")): "zoo export",
    "empty folder": "zoo export",
}


@pytest.mark.parametrize("model", UNFIT)
def test_a_model_that_the_page_cannot_run_is_one_line(model, serve, tmp_path):
    (status, out, error), _ = serve(tmp_path if model == "empty folder" else model)
    assert (status, out, len(error.splitlines())) == (1, "", 1)
    assert UNFIT[model] in error


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
    assert "default-src 'none'" in (policy := headers["Content-Security-Policy"])
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert "Python" not in headers["Server"]


@pytest.mark.parametrize("page", ["index.html", "collect.html"])
def test_a_page_asks_for_the_same_rules_where_another_host_serves_it(page, server):
    source = (PHONE_PAGE / page).read_text()
    (policy,) = re.findall(r'content="(default-src [^"]*)"', source)
    assert ask(server, "/")[1]["Content-Security-Policy"] == f"{policy}; frame-ancestors 'none'"


def plainly(server, request, address="127.0.0.1"):
    """The head of the answer to bytes without TLS."""
    with socket.create_connection((address, server.port), timeout=120) as plain:
        plain.sendall(request)
        return b"".join(iter(lambda: plain.recv(65536), b"")).decode().partition("\r\n\r\n")[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8443", "localhost", "laptop.local", "evil.example", "evil.example/x", ""])
def test_a_mistyped_scheme_leads_to_the_address_that_was_reached_and_to_no_other(server, host):
    status, *lines = plainly(server, f"GET /index.html?a=b HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).splitlines()
    assert status.split()[1] == "307"
    expected = f"Location: https://127.0.0.1:{server.port}/index.html?a=b"
    assert [line for line in lines if line.startswith("Location")] == [expected]


@pytest.fixture
def needs_ipv6():
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return
    pytest.skip("needs an address of IPv6")


@pytest.mark.parametrize(("host", "reached"), [("::1", ["::1"]), ("::", ["::1", "127.0.0.1"])])
def test_an_address_of_ipv6_is_served_and_all_of_them_are_those_of_ipv4_too(host, reached, folder, needs_ipv6):
    with running(PageServer(page_files(MODEL, folder), host, 9543, certificate.tls_context(["::1"]))) as server:
        for address in reached:
            place = f"[{address}]:{server.port}" if ":" in address else f"{address}:{server.port}"
            connection = connect(place)
            connection.request("GET", "/model.tflite")
            assert connection.getresponse().read() == MODEL.read_bytes()
            head = plainly(server, b"GET /a HTTP/1.1\r\n\r\n", address)
            assert f"Location: https://{place}/a" in head.splitlines()


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_the_command_prints_an_address_of_ipv6_in_brackets(host, serve, needs_ipv6):
    (status, output, _), _ = serve("activity_gru_pocket", "--host", host)
    assert (status, "\nPhones: https://[::1]:" in output, "phones cannot reach this address" in output) == (
        0,
        True,
        True,
    )


@pytest.fixture
def narrow(folder, monkeypatch):
    """A server that answers two connections of an address at the same time, and accepts four."""
    monkeypatch.setattr("zoo.serving.server._PLACES_OF_ADDRESS", 2)
    monkeypatch.setattr("zoo.serving.server._MOST_FILES", 58)
    monkeypatch.setattr("zoo.serving.server._QUEUE_SECONDS", 0.5)
    with serving(MODEL, folder) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        yield server, lambda: stack.enter_context(socket.create_connection(address, 60))


def test_a_client_that_finds_no_place_is_asked_to_come_back_and_soon_finds_one(narrow, monkeypatch):
    server, connected = narrow
    with monkeypatch.context() as patch:
        # None is closed for its silence.
        patch.setattr("zoo.serving.server._CROWDED_SECONDS", 900)
        silent = [connected(), connected()]
        status, headers, body = ask(server, "/")
        assert (status, headers["Retry-After"], headers["Connection"]) == (503, "3", "close")
        # A browser asks again by itself.
        assert b"http-equiv=refresh content=3" in body
    for connection in silent:
        connection.close()
    while ask(server, "/")[0] != 200:
        pass


def test_who_keeps_a_place_without_a_request_gives_it_to_who_waits(narrow, monkeypatch):
    monkeypatch.setattr("zoo.serving.server._CROWDED_SECONDS", 0.1)
    monkeypatch.setattr("zoo.serving.server._QUEUE_SECONDS", 60)
    server, connected = narrow
    silent, kept = connected(), connect(f"127.0.0.1:{server.port}")
    kept.request("GET", "/")
    kept.getresponse().read()
    assert ask(server, "/")[0] == 200
    # One of them was enough.
    kept.close()
    silent.close()


def test_connections_beyond_those_that_can_be_accepted_are_closed(narrow):
    connected = narrow[1]
    silent = [connected() for _ in range(5)]
    assert silent[-1].recv(1) == b""


def test_a_file_that_cannot_be_opened_for_now_is_not_said_to_be_missing(server, monkeypatch):
    def full(path):
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", full)
        assert ask(server, "/")[0] == 503
    assert ask(server, "/")[0] == 200
    assert ask(server, "/nothing")[0] == 404


def test_a_taken_port_gives_the_next_free_one_and_a_host_of_another_machine_is_named(server, folder):
    files = page_files(MODEL, folder)
    with PageServer(files, "127.0.0.1", server.port, None) as other:
        assert server.port < other.port < server.port + 100
    assert "192.0.2.77" in message(lambda: PageServer(files, "192.0.2.77", 9543, None))


def test_the_certificate_lasts_for_weeks_and_is_for_the_names_that_it_was_made_for(server):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509

    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    made, now = x509.load_pem_x509_certificate(pem.encode()), datetime.now(UTC)
    assert made.not_valid_before_utc < now - timedelta(hours=23)
    assert now + timedelta(days=29) < made.not_valid_after_utc < now + timedelta(days=31)
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
    for page, cure in ((checkout / "zoo" / "page", f"make -C {checkout} page"), (tmp_path, "make wheel")):
        assert cure in message(lambda page=page: page_files(MODEL, page))


@pytest.mark.parametrize("way", [pytest.param(signal.SIGINT, id="ctrl-c"), signal.SIGTERM])
def test_the_command_says_where_and_ends_cleanly(way, folder):
    named = ["activity_gru_pocket"] if way == signal.SIGINT else ["--json"]
    with zoo_serve("--port", 9643, *named, page=folder) as process:
        line = process.stdout.readline()
        if way == signal.SIGINT:
            assert re.fullmatch(r"serving .*model.float32.tflite\n", line)
            port = re.fullmatch(r"Phones: https://127.0.0.1:(\d+)/\n", process.stdout.readline()).group(1)
            connection = connect(f"127.0.0.1:{port}")
            connection.request("GET", "/model.tflite")
            assert connection.getresponse().read() == MODEL.read_bytes()
        else:
            # Without a name it serves every recognizer of the zoo.
            names = [Path(file).parent.name for file in json.loads(line)["models"]]
            assert (names[0], set(names)) == ("activity_gru_phone", set(zoo.list_presets("activity")))
        process.send_signal(way)
        # What `readline` has read ahead is lost to `communicate`.
        output, errors = process.stdout.read(), process.stderr.read()
        process.wait(timeout=120)
    assert (process.returncode, errors) == (0 if way == signal.SIGINT else 143, "stopped\n")
    assert ("phones cannot reach this address" in output) == (way == signal.SIGINT)
    assert "█" not in output


@pytest.mark.parametrize("collects", [False, True])
def test_an_address_that_phones_can_reach_has_a_code_and_says_who_can_use_it(collects, serve, tmp_path, monkeypatch):
    monkeypatch.setattr(certificate, "names_of", lambda host: ["192.0.2.7"])
    (status, output, _), _ = serve(*(["--collect", tmp_path / "recorded"] if collects else ["activity_gru_pocket"]))
    code = [line for line in output.splitlines() if line and set(line) <= set("█▀▄ ")]
    assert status == 0
    assert len({len(line) for line in code}) == 1
    assert len(code[0]) in (2 * len(code), 2 * len(code) - 1)
    assert ("Everyone on this network can open it" in output) == (not collects)
    assert ("Only phones with this code can send recordings" in output) == collects


def test_a_terminal_of_24_lines_shows_the_code_and_each_address_whole_on_a_line(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(certificate, "names_of", lambda host: ["192.168.178.123"])
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (status, output, _), _ = serve("--collect", "recorded")
    lines = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", output).rstrip().splitlines()
    assert status == 0
    assert max(map(len, lines)) <= 80
    # What is below is drawn in its place.
    assert next(number for number, line in enumerate(lines, 1) if "no recordings yet" in line) < 24
    at = r"https://192\.168\.178\.123:\d+"
    for whole in (rf"Phones: {at}/collect#[\w-]{{16}}", rf"Projector: {at}/class#[\w-]+"):
        assert len([line for line in lines if re.fullmatch(whole, line)]) == 1


def own_certificate(file, *names, days=30):
    """A PEM file of a key and a certificate; returns what trusts it."""
    from datetime import UTC, datetime, timedelta

    import trustme

    authority = trustme.CA()
    until = datetime.now(UTC) + timedelta(days=days)
    made = authority.issue_cert(*names, not_before=until - timedelta(days=60), not_after=until)
    file.write_bytes(made.private_key_and_cert_chain_pem.bytes())
    return authority


def test_a_certificate_of_ones_own_is_shown_to_phones_and_names_the_address(tmp_path, folder):
    authority = own_certificate(tmp_path / "own.pem", "class.example", "127.0.0.1")
    with zoo_serve("--port", 9743, "--cert", tmp_path / "own.pem", "--json", page=folder) as process:
        port = int(re.search(r"https://class\.example:(\d+)/", json.loads(process.stdout.readline())["url"]).group(1))
        context = ssl.create_default_context()
        authority.configure_trust(context)
        with socket.create_connection(("127.0.0.1", port)) as plain:
            # A browser that trusts the authority shows no warning.
            context.wrap_socket(plain, server_hostname="class.example").close()


CERTIFICATES = {
    "no file": (lambda file: file.unlink(), "no such file"),
    "no certificate": (lambda file: file.write_text("-----BEGIN"), "expected a private key"),
    "no key": (
        lambda file: file.write_text(file.read_text().partition("KEY-----\n")[2].partition("KEY-----\n")[2]),
        "private key",
    ),
    "expired": (lambda file: own_certificate(file, "class.example", days=-1), "the certificate is valid from"),
    "no single host": (lambda file: own_certificate(file, "*.example"), "is for no single host"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_cannot_be_used_is_one_line(case, serve, tmp_path):
    file, (spoil, says) = tmp_path / "own.pem", CERTIFICATES[case]
    own_certificate(file, "class.example")
    spoil(file)
    (status, out, error), _ = serve("activity_gru_pocket", "--cert", file)
    assert (status, out, len(error.splitlines())) == (1, "", 1)
    assert f"{file}: " in error
    assert says in error
