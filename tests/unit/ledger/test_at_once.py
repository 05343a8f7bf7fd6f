"""An everyday call on a server: as few round trips as there are moments, and the very same ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from ladder_graph import Ladder
from ladder_graph.calls import Call
from ladder_graph.errors import LadderError
from ladder_graph.facts import Outcome
from ladder_graph.fingerprint import Environment, toolset_component
from ladder_graph.ledger.database.wire import Wire, WireCursor
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone

TOOLS = {"send": "0" * 64}
MODEL = Environment("scripted", "m-1", "m-1-2026-01-01", "none", "{}", toolset_component(TOOLS), TOOLS)


class Sends(Alone):
    """Runs a tool that counts how often it ran."""

    def __init__(self):
        self.ran = []

    def execute(self, call, *, again=False):
        """The effect."""
        self.ran.append(call.id)
        return Outcome("done", "sent")

    def encode(self, reply):
        """As bytes that no text could be."""
        return b"\x00\xff" + reply.encode()


@pytest.fixture
def bounds():
    """One counter of a day."""
    return [{"kind": "volume", "limit": 40}]


@pytest.fixture
def ladder(postgres, bounds):
    """A ladder on a server, whose counters have opened their windows."""
    with closing(
        Ladder(agent="shop", rungs={"send": {"rung": "bounded", "bounds": bounds}}, ledger=postgres)
    ) as opened:
        opened.seat("send", NOTHING, agent="shop", can_ask=True)
        assert run(opened, 0).state == "done"
        yield opened


def proposed(number):
    """A call whose arguments a hash might stumble over."""
    return Call("shop", "t", f"call_{number}", "send", {"n": number, "text": 'ü "quoted" \\ 100 %'})


def run(ladder, number, host=None, found=None):
    """One call through its whole life."""
    return ladder.run(proposed(number), MODEL, host or Sends(), found=found)


def asks(ladder, number, host):
    """Whether a call waits for a person in the end."""
    try:
        return run(ladder, number, host).state != "done"
    except LadderError as nobody:
        return "nobody here to ask" in str(nobody)


def counters(ladder):
    """What is used and what is held of each counter."""
    return ladder.store.read(
        lambda cursor: [tuple(row) for row in cursor.execute("SELECT used, reserved FROM quota ORDER BY 1").fetchall()]
    )


def test_a_call_takes_two_round_trips(ladder, monkeypatch):
    """One for the claim with its flush, and one for the record; what to look for is remembered."""
    sync, waited = Wire.sync, []

    def counted(self):
        waited.extend([self] * bool(self._sent))
        return sync(self)

    monkeypatch.setattr(Wire, "sync", counted)
    assert run(ladder, 1).state == "done"
    assert len(waited) == 2
    monkeypatch.undo()
    assert ladder.verify().ok
    assert counters(ladder) == [(2, 0)]
    assert [entry.kind for entry in ladder.log()][:4].count("started") == 2


@pytest.mark.parametrize("bounds", [[{"kind": "volume", "limit": 40}, {"kind": "volume", "limit": 9, "per": "hour"}]])
def test_several_counters(ladder, bounds, monkeypatch):
    """All of them are drawn on at once, and settled."""
    hoped, hope = [], WireCursor.hope
    monkeypatch.setattr(WireCursor, "hope", lambda self, *args: (hoped.append(args[2]), hope(self, *args)))
    assert run(ladder, 1).state == "done"
    assert [one.held for one in hoped] == [True, True]
    assert counters(ladder) == [(2, 0)] * len(bounds)
    assert ladder.verify().ok


@pytest.mark.parametrize("bounds", [[{"kind": "volume", "limit": 2}]])
def test_what_is_hoped_for_in_vain_asks(ladder):
    """A counter that is full holds nothing more and runs nothing; the call asks."""
    host = Sends()
    assert [asks(ladder, number, host) for number in (1, 2)] == [False, True]
    assert host.ran == ["call_1"]
    assert counters(ladder) == [(2, 0)]
    assert ladder.verify().ok


def test_the_same_call_twice_at_once_runs_once(ladder):
    """Of those who claim the same action one gets it, and the others hear of its outcome."""
    host = Sends()
    with ThreadPoolExecutor(4) as pool:
        replies = [done.result() for done in [pool.submit(run, ladder, 7, host) for _ in range(4)]]
    assert host.ran == ["call_7"]
    assert {reply.state for reply in replies} == {"done"}
    assert ladder.store.owner._running == set()


def test_many_threads_share_commits_and_never_draw_too_much(ladder):
    """Forty are allowed, one has run, and sixty come at once."""
    host = Sends()
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda number: asks(ladder, number, host), range(1, 61)))
    assert (len(host.ran), sum(asked)) == (39, 21)
    assert counters(ladder) == [(40, 0)]
    assert ladder.verify().ok
    assert ladder.store.owner._running == set()


@pytest.mark.parametrize("reached", [True, False])
@pytest.mark.parametrize("nth", [1, 2], ids=["claim", "record"])
def test_the_answer_to_a_hope_is_lost(ladder, monkeypatch, reached, nth):
    """Cut at the COMMIT of the claim or of the record, whether or not it got there: one effect, one of each entry."""
    execute, ends, host = WireCursor.execute, [], Sends()

    def cutting(self, statement, parameters=None):
        if statement != "COMMIT":
            return execute(self, statement, parameters)
        ends.append(statement)
        if len(ends) != nth:
            return execute(self, statement, parameters)
        if reached:
            execute(self, statement).sync()
        ladder.store.database.writer.close()
        raise psycopg.OperationalError("the connection was cut")

    monkeypatch.setattr(WireCursor, "execute", cutting)
    assert run(ladder, 1, host).state == "done"
    assert host.ran == ["call_1"]
    assert sorted(entry.kind for entry in ladder.log() if entry.action) == ["done", "done", "started", "started"]
    assert counters(ladder) == [(2, 0)]
    assert ladder.verify().ok


@pytest.mark.parametrize("demoted", [False, True])
def test_a_claim_looks_again_at_what_it_goes_by(ladder, monkeypatch, demoted):
    """It holds in one statement where nothing has changed; after a demotion its route is found anew."""
    found = ladder.find(proposed(1), MODEL)
    assert found.routed[2].mark
    if demoted:
        ladder.demote("send", "suggest", by="ana", reason="it went wrong")
    hoped, hope, host = [], WireCursor.hope, Sends()
    monkeypatch.setattr(WireCursor, "hope", lambda self, *args: (hoped.append(args[2]), hope(self, *args)))
    reply = run(ladder, 1, host, found)
    assert (reply.state, host.ran) == (("suggested", []) if demoted else ("done", ["call_1"]))
    assert [one.held for one in hoped] == ([False] if demoted else [True, True])
    assert ladder.verify().ok


def test_a_role_that_may_not_flush_waits_at_each_commit(ladder, monkeypatch):
    """Where the server forbids messages in its log, the COMMIT itself waits for the disk."""
    monkeypatch.setattr(ladder.store.database, "_flushes", False)
    sent, execute = [], WireCursor.execute

    def listening(self, statement, parameters=None):
        sent.append((parameters or {}).get("level"))
        return execute(self, statement, parameters)

    monkeypatch.setattr(WireCursor, "execute", listening)
    assert run(ladder, 1).state == "done"
    assert [level for level in sent if level] == ["on", "off"]
