"""The address at which alerts come in, asked over a real socket."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing

import pytest
import uvicorn

from ladder_graph.watch.alertmanager import LARGEST
from ladder_graph.watch.receiving import create_app
from tests.unit.watch.test_alertmanager import DELIVERY

TOKEN = "correct horse battery staple"  # noqa: S105  # no secret, it opens a server of this test
BODY = json.dumps(DELIVERY).encode()


@pytest.fixture
def delivered():
    """What the app handed on."""
    return []


@pytest.fixture
def port(delivered):
    """The port of a real server that runs the app."""

    def deliver(signals):
        if len(delivered) > 9:
            raise OSError("disk full")
        delivered.extend(signals)

    config = uvicorn.Config(create_app(deliver, TOKEN), port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    listening.listen()  # from here on a connection waits, also before the server runs
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def post(port, body=BODY, path="/signals", method="POST", **headers):
    """Send a request; the status of its answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **headers})
        return connection.getresponse().status


def test_it_says_so_after_the_alerts_were_handed_on(port, delivered):
    """204, and both alerts are there by then."""
    assert post(port) == 204
    assert [one.fingerprint for one in delivered] == ["c6eadffa33fcdf37", "0a"]


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_taken(port, delivered, shown):
    """401, whatever else is right."""
    assert post(port, Authorization=shown) == 401
    assert delivered == []


def test_what_cannot_be_read_is_not_taken(port, delivered):
    """400 for what is no delivery, 404 and 405 for what isn't asked for."""
    assert post(port, BODY[:-1]) == 400
    assert post(port, path="/other") == 404
    assert post(port, b"", method="GET") == 405
    assert delivered == []


def test_what_is_too_large_is_not_taken(port, delivered):
    """413, also where no header says how long it is."""
    assert post(port, b" " * (LARGEST + 1)) == 413
    assert post(port, iter([b" " * 600_000] * 2)) == 413
    assert delivered == []


def test_what_could_not_be_stored_is_to_be_sent_again(port, delivered, caplog):
    """503, and the log says why."""
    delivered.extend([None] * 10)
    assert post(port) == 503
    assert "disk full" in caplog.text


def test_a_token_that_can_be_guessed_is_none():
    """A variable that is empty, or holds a word, opens no address."""
    for token in ("", "secret"):
        with pytest.raises(ValueError, match="can be guessed"):
            create_app(list.clear, token)
