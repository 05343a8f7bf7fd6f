"""What can't be put under the ladder is refused when it is wrapped, by name and with a way out."""

from __future__ import annotations

import functools
from contextlib import closing
from typing import Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph.errors import MountError, NoCheckpointer
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, model_node, on, raw_graph, told

BOUNDED = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 3}]}


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ("confirm", True), ({"rung": "confirm", "read_only": True}, True), (BOUNDED, True),
        ({**BOUNDED, "read_only": True}, True), (READ, False), ("draft", False), ("suggest", False),
    ],
)  # fmt: skip
def test_no_checkpointer(rule, asks):
    """A tool that asks, or falls back to asking, needs a checkpointer; one that never does needs none."""
    agent = agent_of([calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=None)
    ladder = ladder_of({"a": rule, "elsewhere": "confirm"})
    if asks:
        with pytest.raises(NoCheckpointer, match=r"^a may have to ask a person, .* pass wrap\(graph, checkpointer="):
            ladder.wrap(agent)
        assert ladder.wrap(agent, checkpointer=InMemorySaver()).checkpointer is not None
        assert ladder.wrap(agent, checkpointer="host").checkpointer is None
    else:
        assert told(ladder.wrap(agent).invoke(GO))


def test_a_checkpointer_that_is_switched_off():
    """A graph compiled with checkpointer=False can't wait for an answer."""
    with pytest.raises(NoCheckpointer):
        ladder_of({"a": "confirm"}).wrap(raw_graph([], [World().tool("a")]).compile(checkpointer=False))


def test_no_tool_node():
    """A graph without a ToolNode has nothing to gate, with or without graphs inside it."""
    builder = StateGraph(MessagesState)
    builder.add_node("talk", lambda state: {"messages": [AIMessage("Hello.")]})
    builder.add_edge(START, "talk")
    with pytest.raises(MountError, match="the graph ops has no ToolNode"):
        ladder_of({}).wrap(builder)
    outer = StateGraph(MessagesState)
    outer.add_node("inner", builder.compile())
    outer.add_edge(START, "inner")
    with pytest.raises(MountError, match="the graph ops has no ToolNode"):
        ladder_of({}).wrap(outer)


def test_neither_a_graph_nor_a_builder():
    """Anything else is refused by its type."""
    with pytest.raises(MountError, match="a RunnableLambda can't be wrapped"):
        ladder_of({}).wrap(RunnableLambda(lambda x: x))


def test_wrapped_already():
    """A wrapped graph isn't wrapped again; as a part of another graph it stays as it is."""
    ladder, world = ladder_of({"a": "confirm"}), World()
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    with pytest.raises(MountError, match="under a ladder already; wrap the original one"):
        ladder.wrap(graph)
    with pytest.raises(MountError, match="under a ladder already"):
        ladder.wrap(graph.with_config(tags=["x"]))
    inner = ladder.wrap(
        agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=None), checkpointer="host"
    )
    outer = StateGraph(MessagesState)
    outer.add_node("inner", inner)
    outer.add_edge(START, "inner")
    wrapped = ladder.wrap(outer, checkpointer=InMemorySaver())
    wrapped.invoke(GO, on())
    assert len(ladder.pending()) == 1
    assert world.ran == []


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_nobody_brings_the_checkpointer(way):
    """A question that nobody could answer isn't asked; what needs no answer runs as it would."""
    world = World()
    ladder = ladder_of({"a": "confirm", "b": READ})
    agent = agent_of(
        [calls("b", {"x": "1"}), calls("a", {"x": "2"}), "Done."], [world.tool("a"), world.tool("b")], checkpointer=None
    )
    with pytest.raises(NoCheckpointer, match=r"a call has to ask a person, and this run has no .* and none did"):
        way.invoke(ladder.wrap(agent, checkpointer="host"), GO)
    assert world.ran == [("b", "1")]
    assert ladder.pending() == []


def test_a_node_that_waits_for_the_tools_and_others():
    """A barrier over the tools and another node can't be kept with six rungs in their place."""
    builder = raw_graph([], [World().tool("a")])
    builder.add_node("other", lambda state: {})
    builder.add_node("both", lambda state: {})
    builder.add_edge("agent", "other")
    builder.add_edge(["tools", "other"], "both")
    with pytest.raises(MountError, match="the node both waits for tools together with others"):
        ladder_of({"a": READ}).wrap(builder)


def test_a_barrier_before_the_tools_is_fine():
    """A barrier that leads to the tools leads to the gate."""
    world = World()
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node([calls("a", {"x": "1"})], [world.tool("a")]))
    builder.add_node("other", lambda state: {})
    builder.add_node("tools", ToolNode([world.tool("a")]))
    builder.add_edge(START, "agent")
    builder.add_edge(START, "other")
    builder.add_edge(["agent", "other"], "tools")
    builder.add_edge("tools", END)
    assert told(ladder_of({"a": READ}).wrap(builder).invoke(GO)) == [("a", "a 1")]


class Bare(TypedDict):
    """A state whose messages have no reducer."""

    messages: list


def test_messages_without_a_reducer():
    """Answers of several tasks can't be put together without one; that is said before any of them has run."""
    with pytest.raises(MountError, match="the state's messages has no reducer"):
        ladder_of({"a": READ}).wrap(raw_graph([], [World().tool("a")], schema=Bare))


def test_a_retried_tool_node():
    """A node that retries its ToolNode would run effects again."""
    builder = raw_graph([], [World().tool("a")])
    node = builder.nodes.pop("tools").runnable
    builder.add_node("tools", node.with_retry())
    with pytest.raises(MountError, match="the node tools retries its ToolNode"):
        ladder_of({"a": READ}).wrap(builder)


def test_a_tool_node_with_a_fallback():
    """A fallback around a ToolNode would answer for the gate."""
    builder = raw_graph([], [World().tool("a")])
    node = builder.nodes.pop("tools").runnable
    builder.add_node("tools", node.with_fallbacks([RunnableLambda(lambda state: {})]))
    with pytest.raises(MountError, match="the node tools has a fallback around its ToolNode"):
        ladder_of({"a": READ}).wrap(builder)


def by_hand(kind: str, node: ToolNode) -> Any:
    """A node that runs a ToolNode by itself, past any gate."""

    def run(state: MessagesState) -> dict[str, Any]:
        return node.invoke(state)

    async def arun(state: MessagesState) -> dict[str, Any]:
        return await node.ainvoke(state)

    return {
        "function": run, "async function": arun, "lambda": RunnableLambda(run), "partial": functools.partial(run),
        "sequence": RunnableLambda(lambda state: state) | node,
    }[kind]  # fmt: skip


@pytest.mark.parametrize("kind", ["function", "async function", "lambda", "partial", "sequence"])
def test_a_tool_node_run_by_hand(kind):
    """A node that runs a ToolNode of its own, beside one that is gated, is refused by name."""
    builder = raw_graph([], [World().tool("a")])
    builder.add_node("sneaky", by_hand(kind, ToolNode([World().tool("b")])))
    builder.add_edge("agent", "sneaky")
    with pytest.raises(MountError, match="the node sneaky runs a ToolNode by itself"):
        ladder_of({"a": READ}).wrap(builder)


def test_an_agent_in_a_function():
    """An agent that a node's function runs is gated under the node's name, and may be wrapped by itself before."""
    world, ladder = World(), ladder_of({"a": READ})
    given = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=None)

    def around(inner):
        builder = raw_graph(["Done."], [world.tool("a")])
        builder.add_node("sneaky", lambda state: {"messages": inner.invoke(state)["messages"]})
        builder.add_edge("agent", "sneaky")
        return builder

    assert told(ladder.wrap(around(given)).invoke(GO)) == [("a", "a 1")]
    assert [(action.agent, action.tool) for action in ladder.actions()] == [("ops/sneaky", "a")]
    world.ran.clear()
    given = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=None)
    assert told(ladder.wrap(around(ladder.wrap(given))).invoke(GO)) == [("a", "a 1")]
    assert world.ran == [("a", "1")]


HIDDEN = create_agent(ScriptedModel(answers=[]), [World().tool("a")])


def test_an_agent_in_a_global():
    """A tool that runs an agent from a module's global is refused by name."""

    @tool
    def ask(question: str) -> str:
        """Ask."""
        return HIDDEN.invoke({"messages": [("user", question)]})["messages"][-1].text

    with pytest.raises(MountError, match="the tool ask runs an agent from a module's global"):
        ladder_of({"ask": READ}).wrap(agent_of([], [ask]))


def test_a_mount_is_written_down():
    """What a mount found around each tool is in the ledger, where another process's status reads it."""
    ladder = ladder_of({"a": READ, "b": "confirm"})
    ladder.wrap(agent_of([], [World().tool("a"), World().tool("b")]))
    assert {cell.tool: cell.route.rung.word for cell in ladder.status()} == {"a": "report", "b": "confirm"}


def test_a_tool_without_an_undo_is_named_when_it_is_mounted(caplog):
    """The policy wants it on rollback and it brings nothing for that; nobody waits for its first call to say so."""
    with closing(ladder_of({"send": {"rung": "rollback", "bounds": [{"kind": "volume", "limit": 1}]}})) as ladder:
        ladder.wrap(agent_of([], [World().tool("send")]))
    assert "send of ops stands below rollback: it declares no undo, so it counts as irreversible" in caplog.messages


@pytest.mark.parametrize("name", ["other", "opsy", "ops/"])
@pytest.mark.parametrize("mount", ["wrap", "shadow", "middleware", "guard"])
def test_a_name_that_is_not_below_the_policys(mount, name):
    """Nobody would find its questions, so it is refused with the name to say; one below is taken."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    given = {"middleware": [], "guard": [world.tool("send")]}.get(mount, [agent_of(["Done."], [world.tool("send")])])
    with pytest.raises(MountError, match=r"policy is for the agent ops, and nobody would find .* say agent=\"ops/"):
        getattr(ladder, mount)(*given, agent=name)
    assert getattr(ladder, mount)(*given, agent="ops/other")
    ladder.close()
