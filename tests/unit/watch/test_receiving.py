"""The address at which alerts come in, asked over a real socket."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing

import pytest
import uvicorn

from ladder_graph.errors import UnknownQuestion
from ladder_graph.trust.deeds import Severity
from ladder_graph.watch import mistakes
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

    def report(one):
        if one.action.startswith("ffff"):
            raise UnknownQuestion("there is no such action")
        delivered.append(one)
        return {"action": one.action}

    config = uvicorn.Config(create_app(deliver, TOKEN, report), port=0, log_level="critical", lifespan="off", ws="none")
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


WRONG = {"action": "4dec1a0ae966", "severity": "S2", "class": "wrong_order", "by": "ana"}


def incident(port, said, **headers):
    """Report a mistake; the status of its answer."""
    return post(port, json.dumps(said).encode(), "/incidents", **headers)


def test_an_incident_is_handed_on(port, delivered):
    """200, and it is there by then."""
    assert incident(port, WRONG) == 200
    (one,) = delivered
    assert (one.action, one.severity, one.kind, one.by) == ("4dec1a0ae966", Severity.REAL, "wrong_order", "ana")


def test_an_incident_needs_the_token_an_action_and_all_of_its_words(port, delivered):
    """401 without the token, 404 for no action, 400 for what can't be read, 413 for what is too large, 405."""
    assert incident(port, WRONG, Authorization="Bearer wrong") == 401
    assert incident(port, {**WRONG, "action": "ffffffff"}) == 404
    assert incident(port, {**WRONG, "severity": "bad"}) == 400
    assert post(port, b"{", "/incidents") == 400
    assert incident(port, {**WRONG, "text": "x" * mistakes.LARGEST}) == 413
    assert post(port, b"", "/incidents", method="GET") == 405
    assert delivered == []


def test_where_nobody_takes_incidents_there_is_no_address_for_them():
    """An app that was given nothing to report to has only the address for alerts."""
    assert [route.path for route in create_app(list.clear, TOKEN).routes] == ["/signals"]
