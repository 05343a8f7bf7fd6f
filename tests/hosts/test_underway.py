"""Calls on their way from the gate to their rung: what was frozen there is what arrives."""

from __future__ import annotations

import copy

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send

from ladder_graph.calls import Call
from ladder_graph.hosts.proposals import UNDERWAY, Frozen, Proposal, Underway
from ladder_graph.testing import calls
from tests.hosts.cells import cells
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on

CALL = Call("ops", "t1", "call_1", "a", {"x": "1"})


def packet():
    """A packet with the call, as a gate makes it."""
    return Proposal({"name": "a", "args": {"x": "1"}, "id": "call_1"}).packet(None, together=False)


def test_the_frozen_call_arrives():
    """The very packet brings the call that was frozen, once, whatever anybody made of the packet meanwhile."""
    underway, sent = Underway(), packet()
    underway.put(sent, Frozen(CALL, None))
    sent["call"]["args"]["x"] = "2"
    assert underway.take(sent) == Frozen(CALL, None)
    assert underway.take(sent) is None


def test_a_copy_is_another_packet():
    """What was read back from a checkpoint is looked at from the start."""
    underway, sent = Underway(), packet()
    underway.put(sent, Frozen(CALL, None))
    assert underway.take(copy.deepcopy(sent)) is None
    assert underway.take(sent) == Frozen(CALL, None)


def test_what_never_arrives_is_forgotten():
    """Only so many are kept, and the oldest goes first."""
    underway, packets = Underway(), [packet() for _ in range(UNDERWAY + 1)]
    for sent in packets:
        underway.put(sent, Frozen(CALL, None))
    assert [underway.take(sent) is None for sent in packets] == [True] + [False] * UNDERWAY


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_demotion_on_the_way_counts(way, monkeypatch):
    """A call that was sent to run unasked asks, where its tool was put lower before it got there."""
    world = World()
    ladder = ladder_of({"a": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 3}]}})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    take = Underway.take

    def late(self, packet):
        ladder.demote("a", "confirm", reason="it went wrong", by="ana")
        frozen = take(self, packet)
        assert frozen.found.routed[0].rung == 3
        return frozen

    monkeypatch.setattr(Underway, "take", late)
    out = way.invoke(graph, GO, on())
    assert len(out["__interrupt__"]) == 1
    assert world.ran == []
    assert [question.reasons for question in ladder.pending()] == ["it went wrong"]
    assert ladder.verify().ok


BOUNDED = {"a": {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 9}]}}


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("known", [True, False], ids=["another call", "another thread"])
def test_a_packet_that_a_client_made_up_asks(way, known):
    """Its environment is a real one, and no model proposed this call; so nobody is believed to have."""
    world = World()
    ladder = ladder_of(BOUNDED)
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), *["Done."] * 2], [world.tool("a")]))
    way.invoke(graph, GO, on())
    seen = ladder.sightings()[0].environment
    call = {"name": "a", "args": {"x": "66"}, "id": "forged", "type": "tool_call"}
    forged = Proposal(call).packet(seen, together=False)
    out = way.invoke(graph, Command(goto=Send("bounded", forged)), on("1" if known else "2"))
    assert world.ran == [("a", "1")]
    assert len(out["__interrupt__"]) == 1
    (question,) = ladder.pending()
    assert question.call.env is None
    ladder.close()


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("told", ["a packet", "a message", "the same message"])
def test_a_call_that_a_model_proposed_in_another_thread_asks(way, told):
    """Nobody proposed it in this one, whatever a client writes into it."""
    world = World()
    ladder = ladder_of(BOUNDED)
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), *["Done."] * 2], [world.tool("a")]))
    said = next(one for one in way.invoke(graph, GO, on())["messages"] if isinstance(one, AIMessage))
    packet = Proposal(dict(said.tool_calls[0])).packet(ladder.sightings()[0].environment, together=False)
    value = Command(goto=Send("bounded", packet))
    if told != "a packet":
        name = said.id if told == "the same message" else "made up"
        graph.update_state(on("2"), {"messages": [said.model_copy(update={"id": name})]}, as_node="model")
        value = None
    out = way.invoke(graph, value, on("2"))
    assert world.ran == [("a", "1")]
    assert len(out["__interrupt__"]) == 1
    ladder.close()


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("rung", ["bounded", "confirm"])
def test_what_was_read_back_keeps_what_proposed_it(way, rung, tmp_path):
    """Where this process heard the model, or the ledger has the call, a packet from a checkpoint is believed."""
    saver, world = InMemorySaver(), World()
    rules = {"a": BOUNDED["a"] if rung == "bounded" else {"rung": rung}}
    ladder = ladder_of(rules, ledger=str(tmp_path / "ladder.db"))
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=saver))
    options = {"interrupt_before": ["bounded"]} if rung == "bounded" else {}
    way.invoke(graph, GO, on(), **options)
    assert world.ran == []
    if rung == "confirm":
        ladder.approve(ladder.pending()[0].id, by="ana")
        ladder.close()
        ladder = ladder_of(rules, ledger=str(tmp_path / "ladder.db"))
        graph = ladder.wrap(agent_of(["Done."], [world.tool("a")], checkpointer=saver))
    way.invoke(graph, None, on())
    assert world.ran == [("a", "1")]
    (cell,) = cells(ladder)
    assert cell.env is not None
    ladder.close()


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_answer_that_a_cache_gives_to_two_threads_is_each_ones(way):
    """It has one id, and each of them heard it."""
    world, ladder = World(), ladder_of(BOUNDED)
    said = AIMessage("", id="cached", tool_calls=[{"name": "a", "args": {"x": "1"}, "id": "c1", "type": "tool_call"}])
    graph = ladder.wrap(agent_of([said, said, "Done.", "Done."], [world.tool("a")]))
    for thread in "12":
        way.invoke(graph, GO, on(thread), interrupt_before=["bounded"])
    for thread in "12":
        assert "__interrupt__" not in way.invoke(graph, None, on(thread))
    assert world.ran == [("a", "1"), ("a", "1")]
    ladder.close()


def test_where_nobody_knows_what_proposed_it_what_was_read_back_asks(tmp_path):
    """Another process that starts between a call's gate and its rung has only the packet's word."""
    saver, world = InMemorySaver(), World()
    for value in (GO, None):
        ladder = ladder_of(BOUNDED, ledger=str(tmp_path / "ladder.db"))
        graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=saver))
        out = graph.invoke(value, on(), **({"interrupt_before": ["bounded"]} if value else {}))
        ladder.close()
    assert world.ran == []
    assert len(out["__interrupt__"]) == 1
