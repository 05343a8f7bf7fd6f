"""Telling people: what goes out by each way, what is never in it, and what becomes of what isn't taken."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import threading
from email.utils import format_datetime

import pytest

from ladder_graph.ledger.people.outgoing import Message
from ladder_graph.notifying.sending import Busy, NotSent, send, signature
from ladder_graph.policy.ways import Apprise, File, Webhook
from ladder_graph.testing import FrozenClock
from tests.unit.reads import HOUR, reads

BODY = {"title": "ops: report to read", "text": "To be read by ana."}
MESSAGE = Message("m1", "filed", "ops", "d1", "reports", {}, BODY, 0, 1, "")
NOW = FrozenClock()()
KEY = "a key that both of them know"


def hooked(url, name):
    """A webhook, whose key is in the environment variable of that name."""
    return Webhook(url=url, secret_env=name)


@pytest.fixture
def hook():
    """A receiver on this machine: what it got, and what it answers."""
    got, answer = [], {"status": 204}

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer["status"])
            if "retry_after" in answer:
                self.send_header("Retry-After", answer["retry_after"])
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got, answer
    server.shutdown()
    server.server_close()


def test_a_webhook_is_signed(hook, monkeypatch):
    """Time and raw body are under the signature, and the id is the same each time."""
    url, got, _ = hook
    monkeypatch.setenv("HOOK_KEY", KEY)
    for _ in range(2):
        send(hooked(f"{url}/x", "HOOK_KEY"), MESSAGE, NOW)
    (path, headers, body), again = got
    assert (path, body) == ("/x", again[2])
    assert headers["X-Ladder-Signature"] == signature(KEY, int(headers["X-Ladder-Timestamp"]), body)
    assert (headers["X-Ladder-Id"], json.loads(body)["id"]) == ("m1", "m1")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (hooked("http://127.0.0.1:9/x", "NO_KEY"), "NO_KEY isn't set here"),
        (hooked("http://127.0.0.1:9/x", "SHORT"), r"\$SHORT is too short"),
        (hooked("http://169.254.169.254/x", "HOOK_KEY"), "is not public"),
        (Apprise(env="NO_KEY"), "NO_KEY isn't set here"),
        (Apprise(env="HOOK_KEY"), "holds no URL that apprise knows"),
        (File(path="/nowhere/at/all.log"), "No such file or directory"),
    ],
)
def test_what_can_not_be_sent_says_why_without_the_secret(monkeypatch, target, said):
    """A missing or short key, an address inside, a place that isn't there."""
    monkeypatch.setenv("HOOK_KEY", KEY)
    monkeypatch.setenv("SHORT", "abc")
    with pytest.raises(NotSent, match=said) as refused:
        send(target, MESSAGE, NOW)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "said", "after"),
    [
        (429, "7", 7), (503, "7", 7), (429, "0.4", 1), (429, "0", 1), (503, "9" * 400, 3600), (429, "86400", 3600),
        (503, format_datetime(NOW + dt.timedelta(seconds=90), usegmt=True), 90),
        (503, format_datetime(NOW - dt.timedelta(seconds=90), usegmt=True), 1),
        (503, format_datetime(NOW + dt.timedelta(days=90), usegmt=True), 3600),
        (429, None, None), (429, "-7", None), (429, "soon", None), (500, "7", None), (302, "7", None),
        (429, "Mon, 01 Jan 99999999999999 00:00:00 GMT", None), (429, "Mon, 01 Jan 2035 00:00:00 -0000", None),
    ],
)  # fmt: skip
def test_a_webhook_says_when_it_takes_more(hook, monkeypatch, status, said, after):
    """In seconds or by a date, where it is busy and no other answer; at least a second, and at most an hour."""
    url, _, answer = hook
    monkeypatch.setenv("HOOK_KEY", KEY)
    answer |= {"status": status} | ({} if said is None else {"retry_after": said})
    with pytest.raises(NotSent) as refused:
        send(hooked(url, "HOOK_KEY"), MESSAGE, NOW)
    assert getattr(refused.value, "after", None) == after
    assert isinstance(refused.value, Busy) == (after is not None)
    assert str(refused.value) == f"{url} answered {status}" + (
        f", to be tried again in {after} s" if after is not None else ""
    )


def test_apprise_gets_title_and_text(hook, monkeypatch):
    """Its URL comes from the environment."""
    url, got, _ = hook
    monkeypatch.setenv("OPS_URL", url.replace("http://", "json://"))
    send(Apprise(env="OPS_URL"), MESSAGE, NOW)
    said = json.loads(got[0][2])
    assert (said["title"], said["message"]) == (BODY["title"], BODY["text"])


def test_a_dead_channel_takes_rung_5_away_until_it_is_heard(hook, monkeypatch, tmp_path):
    """It is tried again, each time later; after an hour nobody would hear of what runs unasked."""
    url, got, answer = hook
    monkeypatch.setenv("HOOK_KEY", KEY)
    answer["status"] = 500
    ways = [{"kind": "webhook", "url": url, "secret_env": "HOOK_KEY"}]
    with reads(tmp_path / "ladder.db", notify=ways, sla="40h") as world:
        world.call(item="s3cret argument")
        world.clock.advance(12 * HOUR)
        world.ladder.sweep_reports()
        (waits,) = world.ladder.untold()
        assert (waits.kind, waits.tries, waits.error) == ("filed", 1, f"{url} answered 500")
        assert world.rung(world.call()) == "report"
        for _ in range(4):
            world.clock.advance(HOUR / 3)
            world.ladder.sweep_reports()
        assert world.rung(world.call()) == "rollback"
        assert "nobody hears of its reports" in world.ladder.status()[0].route.why
        answer["status"] = 200
        world.clock.advance(HOUR)
        world.ladder.sweep_reports()
        assert world.ladder.untold() == []
        assert world.rung(world.call()) == "report"
        assert len({headers["X-Ladder-Id"] for _, headers, _ in got}) == 1
        assert all(b"s3cret" not in body for _, _, body in got)


def test_what_was_read_needs_no_reminder(tmp_path):
    """What still waited to be sent of it is dropped."""
    with reads(tmp_path / "ladder.db", notify=[{"kind": "apprise", "env": "NOT_SET"}]) as world:
        world.call()
        digest = world.made()
        assert [one.kind for one in world.ladder.untold()] == ["filed"]
        world.read(digest)
        assert world.ladder.untold() == []
