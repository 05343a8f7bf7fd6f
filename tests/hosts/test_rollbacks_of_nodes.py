"""Rolling threads back in which the agents are nodes of a graph: each goes back to where its own turn began."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Annotated, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, convert_to_messages
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send
from langgraph_swarm import create_handoff_tool, create_swarm

from ladder_graph import ForkRefused, Ladder, Policy
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.steps import RULES, Things

CONFIG = {"configurable": {"thread_id": "t1"}}


def puts(place):
    """A turn that puts something there."""
    return calls("put", {"place": place})


def agent(things, name, *answers):
    """An agent that is to be a node."""
    return create_agent(ScriptedModel(answers=[*answers]), things.tools, name=name)


def pipeline(things, *agents, asks=lambda one: one, state=MessagesState):
    """One after the other; `asks` makes a node of each."""
    built = StateGraph(state)
    for one, before in zip(agents, (START, *(one.name for one in agents)), strict=False):
        built.add_node(one.name, asks(one))
        built.add_edge(before, one.name)
    return things.ladder.wrap(built, checkpointer=InMemorySaver())


def by_function(one):
    """A node that runs an agent in a function."""
    return lambda state: {"messages": one.invoke(state)["messages"]}


def went(graph, text="Go."):
    """Let the agents work."""
    return graph.invoke({"messages": [("user", text)]}, CONFIG)


def back(things, graph, place):
    """Roll back to before the call that was about a place; the plan says the same beforehand."""
    key = next(one.key for one in things.ladder.actions() if (one.arguments or {}).get("place") == place)
    planned = things.ladder.rollback_plan("t1", to=key, graph=graph)
    done = things.ladder.rollback("t1", to=key, by="ana", reason="wrong", graph=graph)
    assert len(planned.undo) == len([one for one in done.members if one.came == "undone"])
    return done


def said(graph):
    """Whatever stands in the conversation as text."""
    return [one.text.partition(" by ana")[0] for one in graph.get_state(CONFIG).values["messages"] if one.text]


@pytest.mark.parametrize("asks", [lambda one: one, by_function], ids=["graph", "function"])
def test_an_earlier_turn_stays(things, asks):
    """Back in the second turn, what the first one did stays, and so does what the user said."""
    bob = agent(things, "bob", puts("a"), "One.", puts("b"), "Two.", "Sorry.")
    graph = pipeline(things, bob, asks=asks)
    went(graph, "First.")
    went(graph, "Second.")
    assert back(things, graph, "b").whole
    assert things.values == {"a": "new"}
    assert (said(graph), graph.get_state(CONFIG).next) == (
        ["First.", "put new in a", "One.", "Second.", "ROLLED BACK"], ("bob",),
    )  # fmt: skip
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


def test_the_first_turn_of_all(things):
    """Nobody had proposed anything before it, and it can be gone back to."""
    graph = pipeline(things, agent(things, "bob", puts("a"), "Done.", "Sorry."))
    went(graph)
    back(things, graph, "a")
    assert (things.values, said(graph)) == ({}, ["Go.", "ROLLED BACK"])
    assert graph.invoke(None, CONFIG)["messages"][-1].text == "Sorry."


@pytest.mark.parametrize("place", ["c", "d"])
def test_what_an_agent_before_it_did_stays(things, place):
    """In a pipeline the second agent begins its turn anew: all of that is undone, and nothing of the first one's."""
    alice = agent(things, "alice", puts("a"), puts("b"), "Alice done.", "Alice again.")
    bob = agent(things, "bob", puts("c"), puts("d"), "Bob done.", "Bob again.")
    graph = pipeline(things, alice, bob)
    went(graph)
    back(things, graph, place)
    assert (things.values, things.order) == ({"a": "new", "b": "new"}, ["d", "c"])
    assert graph.get_state(CONFIG).next == ("bob",)
    graph.invoke(None, CONFIG)
    assert said(graph)[-3:] == ["Alice done.", "ROLLED BACK", "Bob again."]


@pytest.mark.parametrize("place", ["b", "c"])
@pytest.mark.parametrize(
    "clocks",
    [(0, 0, -60, -60), (0, -60, 0, -60), (0, 60, 0, 0), (0, -60, -120, -180)],
    ids=["the clock was set back", "one agent is behind", "one turn was ahead", "each machine is behind the last one"],
)
def test_turns_go_back_together_whatever_their_clocks_said(things, clocks, place):
    """The conversation knows which turns came after it; an agent's chain knows the order of its own calls only."""
    alice = agent(things, "alice", puts("a"), "One.", puts("c"), "Two.", "Sorry.")
    bob = agent(things, "bob", puts("b"), "One.", puts("d"), "Two.", "Sorry.")
    graph = pipeline(things, alice, bob)
    things.ladder.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=clocks[min(3, len(things.values))])
    for text in ("First.", "Second."):
        went(graph, text)
    things.ladder.clock = lambda: dt.datetime.now(dt.UTC)
    assert back(things, graph, place).whole
    kept = "a" if place == "b" else "ab"
    assert (set(things.values), "".join(things.order)) == (set(kept), "dcb"[: 4 - len(kept)])


def test_agents_side_by_side_go_back_together(things):
    """Their turns began at one checkpoint, so both begin anew, and what both did is undone."""
    built = StateGraph(MessagesState)
    for name, place in (("alice", "a"), ("bob", "b")):
        built.add_node(name, agent(things, name, puts(place), f"{name} done.", f"{name} again."))
        built.add_edge(START, name)
    graph = things.ladder.wrap(built, checkpointer=InMemorySaver())
    went(graph)
    back(things, graph, "b")
    assert (things.values, set(graph.get_state(CONFIG).next)) == ({}, {"alice", "bob"})
    graph.invoke(None, CONFIG)
    assert sorted(said(graph)) == ["Go.", "ROLLED BACK", "alice again.", "bob again."]


def test_twice_is_harmless_and_a_second_one_goes_on_from_the_first(things):
    """What was done in the turn that began anew is rolled back like any other."""
    graph = pipeline(things, agent(things, "bob", puts("a"), "One.", puts("b"), "Two.", puts("c"), "Three.", "Sorry."))
    went(graph, "First.")
    went(graph, "Second.")
    back(things, graph, "b")
    graph.invoke(None, CONFIG)
    assert back(things, graph, "c").whole
    assert things.values == {"a": "new"}
    assert said(graph)[-3:] == ["Second.", "ROLLED BACK", "ROLLED BACK"]
    graph.invoke(None, CONFIG)
    key = next(one.key for one in things.ladder.actions() if (one.arguments or {}).get("place") == "c")
    assert things.ladder.rollback("t1", to=key, by="ana", graph=graph).again
    assert said(graph)[-1] == "Sorry."


def test_a_node_that_was_sent_something_is_not_gone_back_to(things):
    """What it would read is the packet, in which nothing can be said to it. Nothing is undone."""
    built = StateGraph(MessagesState)
    built.add_node("bob", agent(things, "bob", puts("a"), "Done."))
    built.add_conditional_edges(START, lambda state: [Send("bob", state)], ["bob"])
    graph = things.ladder.wrap(built, checkpointer=InMemorySaver())
    went(graph)
    with pytest.raises(ForkRefused, match=r"bob, in which put .* was sent something of its own"):
        back(things, graph, "a")
    assert things.values == {"a": "new"}


@pytest.mark.parametrize("kept", [list, Annotated[list, lambda _, after: after]], ids=["last", "reducer"])
@pytest.mark.parametrize(
    "given",
    [HumanMessage("Go."), ("user", "Go."), {"role": "user", "content": "Go."}],
    ids=["message", "pair", "mapping"],
)
@pytest.mark.parametrize("asks", [lambda one: one, by_function], ids=["graph", "function"])
def test_a_state_that_adds_nothing_up_keeps_its_conversation(things, asks, given, kept):
    """Where a write takes the place of all messages, these are written with the new one; in whatever form they are."""
    bob = agent(things, "bob", puts("a"), "Done.", "Sorry.")
    graph = pipeline(things, bob, asks=asks, state=TypedDict("State", {"messages": kept}))
    graph.invoke({"messages": [given]}, CONFIG)
    back(things, graph, "a")
    first, told = convert_to_messages(graph.get_state(CONFIG).values["messages"])
    assert (first.text, told.text[:11], things.values) == ("Go.", "ROLLED BACK", {})
    assert [one.text for one in graph.invoke(None, CONFIG)["messages"]][::2] == ["Go.", "Sorry."]


def test_an_agent_with_a_memory_of_its_own_is_not_gone_back_to(things):
    """Its memory would still tell of the call, and it is said so. Nothing is undone until no graph is given."""
    model = ScriptedModel(answers=[puts("a"), "Done."])
    graph = pipeline(things, create_agent(model, things.tools, name="bob", checkpointer=True))
    went(graph)
    with pytest.raises(ForkRefused, match=r"the agent in bob, in which put .* keeps a memory of its own"):
        back(things, graph, "a")
    assert things.values == {"a": "new"}
    back(things, None, "a")
    assert things.values == {}


def swarm(things):
    """Alice, who hands over to Bob, who hands back; a model of each."""
    hands = {name: create_handoff_tool(agent_name=name) for name in ("alice", "bob")}
    alice = [puts("a"), calls("transfer_to_bob", {}), puts("d"), "Done.", "Alice again."]
    bob = [puts("b"), puts("c"), calls("transfer_to_alice", {}), "Bob again."]
    agents = [
        create_agent(ScriptedModel(answers=answers), [*things.tools, hands[other]], name=name)
        for name, answers, other in (("alice", alice, "bob"), ("bob", bob, "alice"))
    ]
    return things.ladder.wrap(create_swarm(agents, default_active_agent="alice"), checkpointer=InMemorySaver())


@pytest.mark.parametrize(
    ("place", "left", "undone", "next_one"),
    [("c", {"a"}, ["d", "c", "b"], "bob"), ("d", {"a", "b", "c"}, ["d"], "alice"), ("a", set(), [*"dcba"], "alice")],
)
def test_a_swarm(things, place, left, undone, next_one):
    """Whoever was active begins that turn anew; a hand-over has no effect, and is no point of no return."""
    graph = swarm(things)
    went(graph)
    assert back(things, graph, place).whole
    assert (set(things.values), things.order, graph.get_state(CONFIG).next) == (left, undone, (next_one,))
    graph.invoke(None, CONFIG)
    assert said(graph)[-2:] == ["ROLLED BACK", f"{next_one.capitalize()} again."]


def test_a_hand_over_is_known_where_the_agents_are_not_mounted(tmp_path):
    """By the policy that it ran by: nothing else runs without an entry. Under another policy nobody knows."""
    things = Things(tmp_path / "ladder.db")
    went(swarm(things))
    first = things.ladder.actions()[0].key
    things.ladder.close()
    other = {name: rule for name, rule in RULES.items() if name != "pay"}
    for rules, stay in ((RULES, []), (other, ["transfer_to_alice", "put", "put", "transfer_to_bob", "put"])):
        with closing(Ladder(policy=Policy.from_rungs("ops", rules), ledger=tmp_path / "ladder.db")) as ladder:
            assert [one.tool for one in ladder.rollback_plan("t1", to=first).stays] == stay
