"""What a health check dials: what the policy means, at an address that was looked at, and no further."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ladder_graph.policy.checks import Http, Prometheus
from ladder_graph.watch import Surroundings, asking, measure, measured
from ladder_graph.watch.addresses import refusal
from ladder_graph.watch.asking import LARGEST, NoAnswer, NotAsked, ask


@contextmanager
def serving(answer, host="127.0.0.1", tls=None):
    """A real server; `answer` gets each request's handler. Yields its port and what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Host"]))
            answer(self)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(status=200, body=b"", **headers):
    """An answer with a status, headers and a body."""

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


# --- which addresses -------------------------------------------------------------------------------------------------

INTERNAL = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "192.88.99.1", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:10.0.0.1", "::ffff:93.184.216.34",
    "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::5db8:d822", "64:ff9b:1::a00:1", "2002:a00:1::1", "2001::1",
    "2001:db8::1", "3fff::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INTERNAL)
def test_a_name_does_not_lead_inside(address):
    """Whatever is not plainly public is refused, also beside a public address and however it is wrapped."""
    assert refusal("name.example", [address], ()) is not None
    assert refusal("name.example", ["93.184.216.34", address], ()) is not None


def test_public_addresses_are_dialled():
    """In both versions; a name without an address isn't."""
    assert refusal("name.example", ["93.184.216.34", "2606:2800:220:1::1"], ()) is None
    assert refusal("name.example", [], ()) is not None


def test_an_internal_address_that_stands_in_the_policy_is_meant():
    """Loopback and private ones; the metadata service of a cloud is nobody's intent, nor is another address."""
    for address in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1"):
        assert refusal(address, [address], ()) is None
    for address in ("169.254.169.254", "0.0.0.0", "fe80::1", "fec0::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"):  # noqa: S104
        assert refusal(address, [address], ()) is not None
    assert refusal("10.0.0.1", ["10.0.0.2"], ()) is not None
    assert refusal("localhost", ["127.0.0.1", "::1"], ()) is None
    assert refusal("localhost", ["10.0.0.1"], ()) is not None


def test_allow_says_which_names_and_networks_are_meant():
    """A name may lead to private addresses then; others only where their network is listed."""
    assert refusal("db.example", ["10.0.0.1"], ["db.example"]) is None
    assert refusal("db.example", ["10.0.0.1"], ["10.0.0.0/8"]) is None
    assert refusal("db.example", ["10.0.0.1"], ["10.1.0.0/16", "other.example"]) is not None
    assert refusal("db.example", ["169.254.169.254"], ["db.example"]) is not None
    assert refusal("db.example", ["169.254.169.254"], ["169.254.169.254/32"]) is None


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localtest.example"])
def test_other_spellings_of_loopback_are_names(host):
    """What only the resolver reads as an address is no address that stands in the policy."""
    with serving(saying()) as (port, asked), pytest.raises(NotAsked, match=r"not public|can't be read"):
        ask(f"http://{host}:{port}/", timeout=2, resolve=lambda *_: ["127.0.0.1"])
    assert asked == []


# --- dialling --------------------------------------------------------------------------------------------------------


def test_a_name_is_resolved_once_and_that_address_is_dialled():
    """A name server that answers otherwise the second time is not asked a second time."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    with serving(saying(204), "127.0.0.2") as (port, asked):
        url = f"http://shop.example:{port}/health?x=1"
        answer = ask(url, timeout=5, allow=["127.0.0.2/32"], resolve=lambda *_: next(answers))
    assert (answer.status, next(answers)) == (204, ["127.0.0.1"])
    assert asked == [("/health?x=1", f"shop.example:{port}")]


def test_one_forbidden_address_is_one_too_many():
    """A name with an address that is meant and one that isn't is not dialled at all."""
    with serving(saying()) as (port, asked), pytest.raises(NotAsked, match=r"leads to 127\.0\.0\.3"):
        ask(
            f"http://shop.example:{port}/",
            timeout=2,
            allow=["127.0.0.1/32"],
            resolve=lambda *_: ["127.0.0.1", "127.0.0.3"],
        )
    assert asked == []


def test_the_next_address_is_dialled_where_one_does_not_answer():
    """All of them were looked at."""
    with serving(saying()) as (port, _):
        found = ask(
            f"http://shop.example:{port}/",
            timeout=5,
            allow=["127.0.0.0/8"],
            resolve=lambda *_: ["127.0.0.9", "127.0.0.1"],
        )
    assert found.status == 200


def test_a_redirect_is_an_answer_and_not_followed():
    """Where it points is never asked."""
    with serving(saying()) as (inside, never):
        location = {"Location": f"http://127.0.0.1:{inside}/secret"}
        with serving(saying(302, **location)) as (port, _):
            url = f"http://127.0.0.1:{port}/"
            assert measure([Http(url=url, count=1)], {}) == f"the health check {url} answered 302 instead of 200"
    assert never == []


def test_no_proxy_is_used(monkeypatch):
    """The environment sends a check nowhere else."""
    with serving(saying()) as (proxy, never), serving(saying()) as (port, asked):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert ask(f"http://127.0.0.1:{port}/", timeout=5).status == 200
    assert (len(asked), never) == (1, [])


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///", "http://u:p@127.0.0.1/", "http://[::1", "file:/etc"])
def test_what_is_no_plain_url_is_not_asked(url):
    """Other schemes, no host, and credentials."""
    with pytest.raises(NotAsked):
        ask(url, timeout=1)


@contextmanager
def certified(tmp_path, name):
    """A TLS context for a server of this name, and the file of who vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), 1, begin, begin.replace(year=2120))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    certificate = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    shown = []
    context.sni_callback = lambda _, name, __: shown.append(name)
    yield context, path, shown


def test_tls_is_for_the_name_and_not_for_the_address(tmp_path, monkeypatch):
    """The name is shown and its certificate is checked, though an address is dialled."""
    with certified(tmp_path, "shop.example") as (context, path, shown), serving(saying(), tls=context) as (port, asked):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        asking._tls.cache_clear()
        answers = {"allow": ["127.0.0.1/32"], "resolve": lambda *_: ["127.0.0.1"]}
        assert ask(f"https://shop.example:{port}/", timeout=5, **answers).status == 200
        assert (shown, asked) == (["shop.example"], [("/", f"shop.example:{port}")])
        with pytest.raises(NoAnswer, match="ConnectError"):
            ask(f"https://other.example:{port}/", timeout=5, **answers)
    asking._tls.cache_clear()
    assert len(asked) == 1


# --- time and size ---------------------------------------------------------------------------------------------------


def test_everything_ends_in_time_together():
    """A byte at a time, each well within the time, is late all the same; so is a name server that hangs."""
    over = threading.Event()

    def drip(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            pass

    with serving(drip) as (port, _):
        with pytest.raises(NoAnswer, match="ReadTimeout"):
            ask(f"http://127.0.0.1:{port}/", timeout=0.3)
        over.set()
    held = threading.Event()
    with pytest.raises(NoAnswer, match="could not be resolved"):
        ask("http://slow.example/", timeout=0.1, resolve=lambda *_: held.wait(30))
    held.set()


def test_a_body_is_read_up_to_a_size():
    """And not at all where only the status counts."""
    with serving(saying(body=b"x" * (LARGEST + 1))) as (port, _):
        assert ask(f"http://127.0.0.1:{port}/", timeout=5).body == b""
        with pytest.raises(NoAnswer, match="more than"):
            ask(f"http://127.0.0.1:{port}/", timeout=5, body=True)


# --- the checks ------------------------------------------------------------------------------------------------------


def test_a_url_with_the_right_status_is_healthy(monkeypatch):
    """The status that the policy names is good health, as often as it must be seen."""
    naps = []
    monkeypatch.setattr("ladder_graph.watch.measuring.time.sleep", naps.append)
    with serving(saying(204)) as (port, asked):
        assert measure([Http(url=f"http://127.0.0.1:{port}/", status=204)], {}) is None
    assert (len(asked), naps) == (3, [0.0, 0.2, 0.2])


@pytest.mark.parametrize("status", [500, 404, 204])
def test_any_other_status_is_bad(status):
    """An error, and a success that isn't the one."""
    with serving(saying(status)) as (port, _):
        url = f"http://127.0.0.1:{port}/"
        assert measure([Http(url=url)], {}) == f"the health check {url} answered {status} instead of 200"


def test_no_answer_is_bad_and_what_may_not_be_asked_is_no_result():
    """Who can't be reached isn't healthy; who wasn't asked is neither."""
    found = measured(Http(url="http://127.0.0.1:9/"), {}, Surroundings())
    assert (found.verdict, found.text) == (
        "bad", "the health check http://127.0.0.1:9/ could not be reached (ConnectError)",
    )  # fmt: skip
    found = measured(Http(url="http://169.254.169.254/"), {}, Surroundings())
    assert (found.verdict, "was not asked" in found.text) == ("inconclusive", True)


def test_ipv6_is_asked_by_its_brackets():
    """The address is dialled without them and named with them."""
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    with serving(saying(), "::1") as (port, asked):
        assert ask(f"http://[::1]:{port}/", timeout=5).status == 200
    assert asked == [("/", f"[::1]:{port}")]


def vector(*values):
    """An instant vector as Prometheus answers it."""
    series = [{"metric": {"n": str(n)}, "value": [1.5, value]} for n, value in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": series}}


SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [1.5, "0.25"]}}
MATRIX = {"status": "success", "data": {"resultType": "matrix", "result": []}}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (vector("0.5"), "good"),
        (vector("0.51"), "bad"),
        (vector("0.1", "0.9"), "bad"),
        (vector("NaN"), "inconclusive"),
        (vector("0.1", "NaN"), "inconclusive"),
        (vector("NaN", "+Inf"), "bad"),
        (vector("-Inf"), "good"),
        (vector(), "inconclusive"),
        (vector("what"), "inconclusive"),
        (vector("0.1") | {"warnings": ["a store did not answer"]}, "inconclusive"),
        (SCALAR, "good"),
        (MATRIX, "inconclusive"),
        ({"status": "error", "error": "parse"}, "inconclusive"),
        ([], "inconclusive"),
    ],
)
def test_a_prometheus_query_must_answer_with_good_values(answer, verdict):
    """Every series counts; no data, NaN, half an answer and another shape are no result."""
    with serving(saying(body=json.dumps(answer).encode())) as (port, asked):
        check = Prometheus(url=f"http://127.0.0.1:{port}/prom/", query='rate(x{a="b"}[5m])', at_most=0.5)
        assert measured(check, {"x": "ignored"}, Surroundings()).verdict == verdict
    path = urlsplit(asked[0][0])
    assert (path.path, parse_qs(path.query)) == ("/prom/api/v1/query", {"query": ['rate(x{a="b"}[5m])']})


def test_a_prometheus_that_does_not_answer_is_no_result():
    """It's the instrument that is broken then, and not what it measures."""
    with serving(saying(503)) as (port, _):
        check = Prometheus(url=f"http://127.0.0.1:{port}", query="up", equals=1)
        assert measured(check, {}, Surroundings()).verdict == "inconclusive"
    assert measured(check, {}, Surroundings()).verdict == "inconclusive"
