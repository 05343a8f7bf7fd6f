"""Agents that no gate can be put into: on servers, or made of functions. They are refused, or said, by name."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command

from ladder_graph.errors import MountError
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, World, agent_of, ladder_of, on, raw_graph, told
from tests.hosts.mounts import YES

pytestmark = pytest.mark.filterwarnings("ignore:The 'config' parameter")  # LangGraph's, of its own `invoke` as a node

FAR = RemoteGraph("far", url="http://127.0.0.1:9")


@entrypoint()
def functional(messages: Any) -> Any:
    """An agent made of functions."""
    return messages


def beside(node: Any) -> Any:
    """A graph with a gateable tool, and this node."""
    builder = raw_graph(["Done."], [World().tool("a")])
    builder.add_node("odd", node)
    builder.add_edge("agent", "odd")
    return builder


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        (FAR, "RemoteGraph"),
        (functional, "Pregel"),
        (FAR.invoke, "RemoteGraph"),
        (functools.partial(lambda graph, state: graph.invoke(state), FAR), "RemoteGraph"),
    ],
    ids=["on a server", "functions", "its method", "in a partial"],
)
def test_a_node_is_refused_by_name(node, kind):
    """As a node nothing of it would stand on a rung; the error says what to do."""
    with pytest.raises(MountError, match=rf"the node odd runs a {kind}, .* call it from here by a tool"):
        ladder_of({"a": "confirm"}).wrap(beside(node), checkpointer="host")


def test_a_tool_is_gated_and_what_it_cannot_see_is_said(caplog):
    """A call of the tool asks; that nobody sees what is done on the server is said when it is mounted."""

    def ask_far(question: str) -> str:
        """Ask far away."""
        return str(FAR.invoke({"messages": [("user", question)]}))

    ladder = ladder_of({"ask_far": "confirm"})
    agent = agent_of([calls("ask_far", {"question": "Well?"}), "Done."], [StructuredTool.from_function(ask_far)])
    ladder.wrap(agent).invoke(GO, on())
    assert [question.call.tool for question in ladder.pending()] == ["ask_far"]
    assert any("ask_far of ops runs a RemoteGraph: " in said and "no gate" in said for said in caplog.messages)


def test_async_sub_agents(caplog):
    """Deepagents' sub-agents on a server: starting one is a call like any other; that is all that is seen of them."""
    far: Any = {"name": "far", "description": "Far away.", "graph_id": "far", "url": "http://127.0.0.1:9"}
    turn = calls("start_async_task", {"description": "Work.", "subagent_type": "far"})
    agent = create_deep_agent(ScriptedModel(answers=[turn, "Done."]), subagents=[far], checkpointer=InMemorySaver())
    ladder = ladder_of({"start_async_task": "confirm"})
    graph = ladder.wrap(agent)
    graph.invoke(GO, on())
    assert [question.call.tool for question in ladder.pending()] == ["start_async_task"]
    said = [message for message in caplog.messages if "runs agents on a server" in message]
    assert sorted(message.split()[0] for message in said) == ["start_async_task", "update_async_task"]
    told_of = told(graph.invoke(Command(resume={"type": "decline", "by": "ana", "reason": "no"}), on()))
    assert told_of[0][1].startswith("DECLINED")


class Desk:
    """Keeps an agent in an attribute."""

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    def node(self, state: Any) -> Any:
        """Run it."""
        return {"messages": self.agent.invoke(state)["messages"]}

    def __call__(self, state: Any) -> Any:
        """Run it."""
        return self.node(state)


def by_default(agent: Any) -> Any:
    """A node whose default is the agent."""

    def node(state: Any, agent: Any = agent) -> Any:
        return {"messages": agent.invoke(state)["messages"]}

    return node


@pytest.mark.parametrize(
    "hide",
    [
        by_default,
        lambda agent: functools.partial(lambda held, state: {"messages": held.invoke(state)["messages"]}, agent),
        lambda agent: agent.invoke,
    ],
    ids=["a default", "a partial", "its method"],
)
def test_an_agent_that_a_function_is_given_is_gated(hide):
    """Wherever a function has its agent from, the agent's calls are gated."""
    world, ladder = World(), ladder_of({"b": "confirm"})
    inner = agent_of([calls("b", {"x": "1"}), "Inner done."], [world.tool("b")], checkpointer=None)
    builder = StateGraph(MessagesState)
    builder.add_node("odd", hide(inner))
    builder.add_edge(START, "odd")
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    graph.invoke(GO, on())
    assert [question.call.agent for question in ladder.pending()] == ["ops/odd"]
    graph.invoke(Command(resume=YES), on())
    assert world.ran == [("b", "1")]


def test_an_agent_in_an_attribute_is_refused():
    """A method's object isn't the mount's to change, so its agent has to be wrapped by itself."""
    inner = agent_of([], [World().tool("b")], checkpointer=None)
    with pytest.raises(MountError, match=r"the node odd keeps an agent in a method, .* ladder\.wrap"):
        ladder_of({"a": "confirm"}).wrap(beside(Desk(inner).node), checkpointer="host")


HIDDEN = agent_of([], [World().tool("b")], checkpointer=None)


def _ask(state: Any) -> Any:
    return HIDDEN.invoke(state)


def _node(state: Any) -> Any:
    return {"messages": _ask(state)["messages"]}


def test_an_agent_in_a_global_is_refused():
    """So is one that a module's global holds, also where another function of the module uses it."""
    with pytest.raises(MountError, match=r"the node odd runs an agent .* ladder\.wrap"):
        ladder_of({"a": "confirm"}).wrap(beside(_node), checkpointer="host")


def test_an_agent_that_has_the_ladders_middleware():
    """Wrapped as well it would ask twice, and is refused; inside another graph it stays as it is, and asks once."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    inner = agent_of(
        [calls("a", {"x": "1"}), "Done."], [world.tool("a")], middleware=ladder.middleware(agent="ops/inner"),
        checkpointer=None,
    )  # fmt: skip
    with pytest.raises(MountError, match="have a ladder's middleware around them already"):
        ladder.wrap(inner, checkpointer="host")
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner)
    builder.add_edge(START, "inner")
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    graph.invoke(GO, on())
    assert [question.call.agent for question in ladder.pending()] == ["ops/inner"]
    graph.invoke(Command(resume=YES), on())
    assert world.ran == [("a", "1")]


def test_a_sub_agent_without_middleware():
    """Where an agent has the ladder's middleware and one of its sub-agents has none, `task` is refused by name."""
    world, ladder = World(), ladder_of({"a": "confirm"})
    writer: Any = {
        "name": "writer", "description": "Writes.", "system_prompt": "Write.", "tools": [world.tool("a")],
        "model": ScriptedModel(answers=[]), "middleware": ladder.middleware(agent="ops/writer"),
    }  # fmt: skip
    turn = calls("task", {"description": "Work.", "subagent_type": "general-purpose"})
    agent = create_deep_agent(
        ScriptedModel(answers=[turn]), tools=[world.tool("a")], subagents=[writer], middleware=ladder.middleware(),
        checkpointer=InMemorySaver(),
    )  # fmt: skip
    with pytest.raises(MountError, match="the tool task runs an agent of its own"):
        agent.invoke(GO, on())
    assert world.ran == []
