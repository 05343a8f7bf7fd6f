"""What an agent that a tool or node runs keeps under a ladder: memory, a place to wait, its function's variables."""

from __future__ import annotations

import itertools

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from ladder_graph.errors import NoCheckpointer
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, READ, WAYS, World, agent_of, ladder_of, on, told
from tests.hosts.mounts import MOUNTS


def remembering(world, checkpointer):
    """An agent that says what it was told so far, after one call."""
    ids = itertools.count()

    def answer(messages):
        if isinstance(messages[-1], ToolMessage):
            return ", ".join(one.text for one in messages if isinstance(one, HumanMessage))
        return calls("a", {"x": "1"}, id=f"inner-{next(ids)}")

    return create_agent(ScriptedModel(answers=[answer] * 9), [world.tool("a")], checkpointer=checkpointer)


def asking(inner, config=None):
    """A tool that runs an agent."""

    def ask(x: str) -> str:
        return str(inner.invoke({"messages": [HumanMessage(x)]}, config)["messages"][-1].text)

    return StructuredTool.from_function(ask, name="ask", description="Asks it.")


@pytest.mark.parametrize(
    ("checkpointer", "config"), [(InMemorySaver(), on("its own")), (True, None)], ids=["a thread of its own", "in it"]
)
def test_a_sub_agent_keeps_its_memory(checkpointer, config):
    """An agent that a tool runs remembers under a ladder what it remembers without one."""
    answers = [calls("ask", {"x": "one"}, id="1"), calls("ask", {"x": "two"}, id="2"), "Done."]
    graph = agent_of(answers, [asking(remembering(World(), checkpointer), config)])
    wrapped = ladder_of({"ask": READ, "a": READ}).wrap(graph)
    output = wrapped.invoke(GO, on())
    assert [text for name, text in told(output) if name == "ask"] == ["one", "one, two"]


def around(inner, *, function=False):
    """A graph with an agent as a node, or in a node's function."""

    def run(state):
        return inner.invoke(state)

    builder = StateGraph(MessagesState)
    builder.add_node("inner", run if function else inner)
    builder.add_edge(START, "inner")
    return builder.compile(checkpointer=InMemorySaver())


def by_a_tool(inner):
    """A graph whose tool runs an agent."""
    return agent_of([calls("ask", {"x": "1"}), "Done."], [asking(inner)])


@pytest.mark.parametrize("deeper", [False, True])
@pytest.mark.parametrize("shape", [around, lambda inner: around(inner, function=True), by_a_tool])
def test_nowhere_to_wait_inside(shape, deeper):
    """An agent with checkpointer=False starts over at each answer: tools that ask are refused in it, readers aren't."""
    inner = create_agent(
        ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."]), [World().tool("a")],
        checkpointer=None if deeper else False,
    )  # fmt: skip
    if deeper:
        inner = around(inner).builder.compile(checkpointer=False)
    with pytest.raises(NoCheckpointer, match=r"^a may have to ask a person, and the agent ops/(inner|ask)\S* was"):
        ladder_of({"ask": READ, "a": "confirm"}).wrap(shape(inner))
    assert ladder_of({"ask": READ, "a": READ}).wrap(shape(inner)).invoke(GO, on())["messages"][-1].text == "Done."


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("deeper", [False, True])
@pytest.mark.parametrize("mount", ["middleware", "guard"])
def test_nowhere_to_wait_inside_is_seen_at_the_call(mount, deeper, way):
    """Mounts that see no graph draft what would be asked over and over, as where there is no checkpointer."""
    ladder, saver = ladder_of({"a": "confirm"}), None if deeper else False
    inner = MOUNTS[mount](ladder, [calls("a", {"x": "1"}), "Done."], [World().tool("a")], checkpointer=saver)
    if deeper:
        inner = around(inner).builder.compile(checkpointer=False)
    assert "__interrupt__" not in way.invoke(around(inner), GO, on())
    assert [str(action.state) for action in ladder.actions()] == ["drafted"]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mount", ["middleware", "guard"])
def test_a_question_inside_waits_where_it_can(mount, way):
    """An agent that keeps its parent's checkpoints asks, also where its node has a time limit."""
    ladder, world = ladder_of({"a": "confirm"}), World()
    inner = MOUNTS[mount](ladder, [calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=None)
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner, timeout=60 if str(way) == "async" else None)
    builder.add_edge(START, "inner")
    graph = builder.compile(checkpointer=InMemorySaver())
    assert "__interrupt__" in way.invoke(graph, GO, on())
    (question,) = ladder.pending()
    ladder.approve(question.id, by="ana")
    way.invoke(graph, None, on())
    assert world.ran == [("a", "1")]


async def test_nowhere_to_wait_is_seen_past_a_time_limit():
    """A node with a time limit around an agent hides nothing."""
    ladder = ladder_of({"a": "confirm"})
    tool = ladder.guard(World().tool("a"))
    inner = create_agent(ScriptedModel(answers=[calls("a", {"x": "1"}), "Done."]), [tool])
    middle = StateGraph(MessagesState)
    middle.add_node("inner", inner, timeout=60)
    middle.add_edge(START, "inner")
    assert "__interrupt__" not in await around(middle.compile(checkpointer=False)).ainvoke(GO, on())
    assert [str(action.state) for action in ladder.actions()] == ["drafted"]


# --- what functions share --------------------------------------------------------------------------------------------


def idle():
    """An agent with a tool, which it doesn't use."""
    return create_agent(ScriptedModel(answers=["Hello."] * 9), [World().tool("a")])


def test_tools_that_run_agents_share_what_they_count():
    """Two delegating tools keep to the budget that they share, and the program sees what is left."""
    inner, left = idle(), 2

    def delegate(x: str) -> str:
        nonlocal left
        if not left:
            return "used up"
        left -= 1
        return str(inner.invoke({"messages": x})["messages"][-1].text)

    def other(x: str) -> str:
        return "used up" if not left else delegate(x)

    tools = [StructuredTool.from_function(one, name=one.__name__, description="Asks.") for one in (delegate, other)]
    answers = [calls(name, {"x": "1"}, id=str(n)) for n, name in enumerate(["delegate", "other"] * 2)]
    wrapped = ladder_of({"delegate": READ, "other": READ}).wrap(agent_of([*answers, "Done."], tools))
    texts = [one.text for one in wrapped.invoke(GO, on())["messages"] if one.type == "tool"]
    assert (texts, left) == (["Hello.", "Hello.", "used up", "used up"], 0)


def test_a_variable_that_is_bound_or_changed_after_the_mount():
    """A node's function reads what the program binds later, and what it binds anew."""
    inner, seen = idle(), []

    def clerk(state):
        seen.append(tenant)
        return inner.invoke(state)

    builder = StateGraph(MessagesState)
    builder.add_node("clerk", clerk)
    builder.add_edge(START, "clerk")
    graph = ladder_of({"a": READ}).wrap(builder, checkpointer=InMemorySaver())
    for tenant in ("first", "second"):
        graph.invoke(GO, on(tenant))
    assert seen == ["first", "second"]


def test_functions_that_share_an_agent_share_its_variable():
    """A variable that holds an agent is still one for all functions of a tool that use it."""
    inner = idle()

    def change():
        nonlocal inner
        inner = "another"

    def ask(x: str) -> str:
        change()
        return str(inner)

    wrapped = ladder_of({"ask": READ}).wrap(
        agent_of(
            [calls("ask", {"x": "1"}), "Done."], [StructuredTool.from_function(ask, name="ask", description="Asks.")]
        )
    )
    assert [one.text for one in wrapped.invoke(GO, on())["messages"] if one.type == "tool"] == ["another"]
