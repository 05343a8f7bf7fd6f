"""Signed answers through the graph: they count where a mere name doesn't, for their own question, and once."""

from __future__ import annotations

import hashlib

import pytest
from langgraph.types import Command

from ladder_graph import answer_to, sign
from ladder_graph.testing import FrozenClock, calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions

SECRET = "a key that nobody knows"  # noqa: S105  # of these tests
HIGH = {"rung": "confirm", "impact": "high", "confirm": {"not_requester": True}}


@pytest.fixture
def key(monkeypatch):
    """The key is in the environment of the agent's process."""
    monkeypatch.setenv("LADDER_INBOX_KEY", SECRET)


def asked(way, rule=HIGH, turns=1):
    """A graph that waits for an answer."""
    world, clock = World(), FrozenClock()
    ladder = ladder_of({"a": rule}, clock=clock, keys={"inbox": {"env": "LADDER_INBOX_KEY"}})
    answers = [*(calls("a", {"x": str(n)}) for n in range(turns)), "Done."]
    graph = ladder.wrap(agent_of(answers, [world.tool("a")]))
    out = way.invoke(graph, GO, on(ladder_requester="bo"))
    return world, clock, ladder, graph, out


def signed(out, clock, verdict="approve", by="ana", **more):
    """An answer as an inbox signs it."""
    answer = answer_to(out["__interrupt__"][0], verdict, by=by, **{"typed": "a", **more})
    return sign(answer, key="inbox", secret=SECRET, at=clock())


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_signed_answer_counts_above_low_impact(way, key):
    """It is recorded with who, and that it was signed; the requester's own is refused, signed or not."""
    world, clock, ladder, graph, out = asked(way)
    out = way.invoke(graph, Command(resume=signed(out, clock, by="bo")), on())
    assert "their own run proposed it" in questions(out)[0]["complaint"]
    way.invoke(graph, Command(resume=signed(out, clock)), on())
    assert world.ran == [("a", "0")]
    (entry,) = [entry for entry in ladder.log() if entry.kind == "approved"]
    assert (entry.body["by"], entry.body["auth"]) == ("ana", "signed")
    assert SECRET not in str([one.body for one in ladder.log()])


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_replayed_one_answers_nothing(way, key):
    """The same envelope after the next question was asked is for another question."""
    world, clock, _, graph, out = asked(way, turns=2)
    envelope = signed(out, clock)
    way.invoke(graph, Command(resume=envelope), on())
    out = way.invoke(graph, Command(resume=envelope), on())
    assert "another question" in questions(out)[0]["complaint"]
    assert world.ran == [("a", "0")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_forged_one_is_asked_again(way, key, monkeypatch):
    """Changed, made with another key, too old, or where the key is missing: complained about, never raised."""
    world, clock, _, graph, out = asked(way)
    good = signed(out, clock)
    for bad, words in (
        ({**good, "by": "cy"}, "signature is wrong"),
        ({**good, "nonce": hashlib.sha256(b"guess").hexdigest()[:32]}, "signature is wrong"),
        ({**good, "signed": {**good["signed"], "key": "other"}}, "no key 'other'"),
        ({**good, "signed": "yes"}, "signature is incomplete"),
    ):
        out = way.invoke(graph, Command(resume=bad), on())
        assert words in questions(out)[0]["complaint"]
    clock.advance(301)
    out = way.invoke(graph, Command(resume=good), on())
    assert "signed more than 300 seconds" in questions(out)[0]["complaint"]
    monkeypatch.delenv("LADDER_INBOX_KEY")
    out = way.invoke(graph, Command(resume=signed(out, clock)), on())
    assert "LADDER_INBOX_KEY isn't set" in questions(out)[0]["complaint"]
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_signed_edit(way, key):
    """Other arguments can be signed too, and no others run."""
    world, clock, ladder, graph, out = asked(way)
    edit = signed(out, clock, "edit", arguments={"x": "9"})
    forged = {**edit, "edited_action": {"name": "a", "args": {"x": "10"}}}
    out = way.invoke(graph, Command(resume=forged), on())
    assert "signature is wrong" in questions(out)[0]["complaint"]
    way.invoke(graph, Command(resume=edit), on())
    assert world.ran == [("a", "9")]
    assert ladder.verify().ok


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_signed_people_make_a_quorum(way, key):
    """Two signed answers by two people are two approvals; one envelope sent twice is one."""
    world, clock, _, graph, out = asked(way, {"rung": "confirm", "confirm": {"quorum": 2}})
    first = signed(out, clock)
    out = way.invoke(graph, Command(resume=first), on())
    out = way.invoke(graph, Command(resume=first), on())
    assert "ana has approved already" in questions(out)[0]["complaint"]
    way.invoke(graph, Command(resume=signed(out, clock, by="cy")), on())
    assert world.ran == [("a", "0")]
