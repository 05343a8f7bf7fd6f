"""A call that is done, and a conversation that has lost it: the same call under a new id isn't run unasked."""

from __future__ import annotations

from itertools import count, pairwise

import pytest
from langchain.agents import create_agent
from langchain_core.messages import RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph.testing import ScriptedModel, memory_ladder, says, tool_call

BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 100}]}
CONFIG = {"configurable": {"thread_id": "t1"}}
NUMBERS = count()


def paying(cents=3, times=1):
    """A message that pays, under ids that were never used before, as a provider gives them."""
    return says(*(tool_call("pay", {"cents": cents}, id=f"call_{next(NUMBERS)}") for _ in range(times)))


@pytest.fixture
def ran():
    """What took effect."""
    return []


@pytest.fixture
def agent(ran):
    """An agent that pays; `agent(answers)` has nothing but the checkpointer it is given, and one ledger."""
    with_ladder = []

    def pay(cents: int) -> str:
        """Pay."""
        ran.append(cents)
        return "paid"

    def build(saver, *answers):
        ladder = with_ladder[0] if with_ladder else memory_ladder(rungs={"pay": BOUNDED})
        with_ladder[:] = [ladder]
        return ladder.wrap(create_agent(ScriptedModel(answers=[*answers]), [pay], checkpointer=saver))

    yield build
    with_ladder[0].close()


def the_question(state):
    """The one question that is open."""
    (interrupt,) = state["__interrupt__"]
    return interrupt.value


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_conversation_that_is_gone(agent, ran, durability):
    """Planned anew after its end was lost, the same call becomes a question that says so, and a person decides."""
    agent(InMemorySaver(), paying(), "done").invoke({"messages": "go"}, CONFIG, durability=durability)
    assert ran == [3]
    graph = agent(InMemorySaver(), paying(), "done")
    state = graph.invoke({"messages": "go"}, CONFIG, durability=durability)
    assert "the very same call ran before in this thread" in the_question(state)["action_requests"][0]["description"]
    assert ran == [3]
    answer = {"type": "approve", "by": "ana"}
    assert graph.invoke(Command(resume=answer), CONFIG)["messages"][-1].text == "done"
    assert ran == [3, 3]


def test_other_arguments_are_another_call(agent, ran):
    """What is lost is one call, and not the tool."""
    agent(InMemorySaver(), paying(), "done").invoke({"messages": "go"}, CONFIG)
    agent(InMemorySaver(), paying(4), "done").invoke({"messages": "go"}, CONFIG)
    assert ran == [3, 4]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_conversation_that_knows(agent, ran, durability):
    """A call that is made again on purpose runs: in the same run, in a later one, and twice in one message."""
    graph = agent(InMemorySaver(), paying(), paying(), "done", paying(times=2), "done")
    graph.invoke({"messages": "go"}, CONFIG, durability=durability)
    assert ran == [3, 3]
    graph.invoke({"messages": "again"}, CONFIG, durability=durability)
    assert ran == [3, 3, 3, 3]


def test_a_conversation_that_was_cut_short_knows(agent, ran):
    """Messages that were taken out on purpose are no lost conversation: its checkpoints are still there."""
    graph = agent(InMemorySaver(), paying(), "done", paying(), "done")
    graph.invoke({"messages": "go"}, CONFIG)
    messages = graph.get_state(CONFIG).values["messages"]
    assert all(one.id != other.id for one, other in pairwise(messages))
    graph.update_state(CONFIG, {"messages": [RemoveMessage(message.id) for message in messages]})
    graph.invoke({"messages": "again"}, CONFIG)
    assert ran == [3, 3]


def test_a_call_that_stands_there_unanswered(agent, ran):
    """Its answer alone is lost, as it may be with durability "async": the same call under a new id is a question."""
    graph = agent(InMemorySaver(), paying(), "done", paying(), "done")
    graph.invoke({"messages": "go"}, CONFIG)
    last = graph.get_state(CONFIG).values["messages"][-2:]
    graph.update_state(CONFIG, {"messages": [RemoveMessage(message.id) for message in last]})
    state = graph.invoke({"messages": "again"}, CONFIG)
    assert "the very same call ran before" in the_question(state)["description"]
    assert ran == [3]


async def test_on_an_event_loop(agent, ran):
    """The same, where the agent is async."""
    await agent(InMemorySaver(), paying(), "done").ainvoke({"messages": "go"}, CONFIG)
    graph = agent(InMemorySaver(), paying(), "done")
    state = await graph.ainvoke({"messages": "go"}, CONFIG)
    assert "the conversation that asked for it is lost" in the_question(state)["action_requests"][0]["description"]
    assert ran == [3]
