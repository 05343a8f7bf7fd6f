"""`wrap` on a raw `StateGraph` with a ToolNode, in every shape that people build."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import CachePolicy, Command, RetryPolicy

from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from ladder_graph.tools import reversible
from tests.hosts.graphs import (
    GO,
    READ,
    WAYS,
    World,
    agent_of,
    ladder_of,
    model_node,
    on,
    plain,
    questions,
    raw_graph,
    texts,
    told,
)
from tests.hosts.mounts import BOUNDED

PAIR = says(tool_call("a", {"x": "1"}), tool_call("b", {"x": "2"}))
YES = Command(resume={"type": "approve", "by": "ana"})


def both(way, build, rungs, value=GO, **options):
    """What the plain graph says and what the wrapped one says, each with its own model."""
    plain_one = build().compile(checkpointer=InMemorySaver())
    wrapped = ladder_of(rungs).wrap(build(), checkpointer=InMemorySaver())
    return [way.invoke(graph, value, on(), **options) for graph in (plain_one, wrapped)]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_tools_condition(way):
    """The tutorial's graph: unlike without a ladder, a finished sibling isn't run again when the other is answered."""
    world = World()
    ladder = ladder_of({"a": READ, "b": "confirm"})
    graph = ladder.wrap(raw_graph([PAIR, "Done."], [world.tool("a"), world.tool("b")]), checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("confirm",)
    out = way.invoke(graph, YES, on())
    assert told(out) == [("a", "a 1"), ("b", "b 2")]
    assert world.ran == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_own_edge_with_a_path_map(way):
    """An edge of one's own, with names of its own for where it goes, may be sync or async."""
    world = World()

    def build():
        tools = [world.tool("a"), world.tool("b")]
        builder = StateGraph(MessagesState)
        builder.add_node("agent", model_node([PAIR, "Done."], tools))
        builder.add_node("act", ToolNode(tools))
        builder.add_node("sum up", lambda state: {"messages": [AIMessage("In sum.")]})
        builder.add_edge(START, "agent")

        async def route(state: MessagesState) -> str:
            return "work" if state["messages"][-1].tool_calls else "end"

        def route_sync(state: MessagesState) -> str:
            return "work" if state["messages"][-1].tool_calls else "end"

        builder.add_conditional_edges(
            "agent", route if repr(way) == "async" else route_sync, {"work": "act", "end": "sum up"}
        )
        builder.add_edge("act", "agent")
        builder.add_edge("sum up", END)
        return builder

    one, other = both(way, build, {"a": READ, "b": READ})
    assert plain(one["messages"]) == plain(other["messages"])
    assert texts(other)[-1] == "In sum."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_static_edge_to_the_tools(way):
    """Where an edge always leads to the tools, the gate sends what waits and passes on where nothing does."""
    world = World()

    def build():
        tools = [world.tool("a"), world.tool("b")]
        builder = StateGraph(MessagesState)
        builder.add_node("agent", model_node([PAIR, "Nothing to do.", "Done."], tools))
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_edge("agent", "tools")
        builder.add_conditional_edges("tools", lambda state: END if state["messages"][-1].type == "ai" else "agent")
        return builder

    one, other = both(way, build, {"a": READ, "b": READ})
    assert plain(one["messages"]) == plain(other["messages"])
    assert texts(other)[-1] == "Nothing to do."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_way_on_is_decided_once(way):
    """An edge after the tools that looks at all their answers sees all of them, though each ran in its own task."""
    world, seen = World(), []

    def build():
        tools = [world.tool("a"), world.tool("b")]
        builder = StateGraph(MessagesState)
        builder.add_node("agent", model_node([PAIR, "Done."], tools))
        builder.add_node("tools", ToolNode(tools))
        builder.add_node("many", lambda state: {"messages": [AIMessage("Many.")]})
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", tools_condition)

        def enough(state: MessagesState) -> Literal["agent", "many"]:
            answers = [m for m in state["messages"] if isinstance(m, ToolMessage)]
            seen.append(len(answers))
            return "many" if len(answers) > 1 else "agent"

        builder.add_conditional_edges("tools", enough)
        builder.add_edge("many", END)
        return builder

    one, other = both(way, build, {"a": READ, "b": READ})
    assert plain(one["messages"]) == plain(other["messages"])
    assert texts(other)[-1] == "Many."
    assert seen == [2, 2]
    graph = ladder_of({"a": READ, "b": "confirm"}).wrap(build(), checkpointer=InMemorySaver())
    way.invoke(graph, GO, on("2"))
    assert texts(way.invoke(graph, YES, on("2")))[-1] == "Many."
    assert seen == [2, 2, 2]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_one_call_costs_no_superstep_more(way):
    """With an edge before and after the tools, a single call goes as fast as without the ladder."""

    def steps(wrapped):
        tools = [World().tool("a")]
        builder = raw_graph([calls("a", {"x": "1"}), "Done."], tools)
        builder.edges.discard(("tools", "agent"))
        builder.add_conditional_edges("tools", lambda state: "agent", ["agent"])
        graph = ladder_of({"a": READ}).wrap(builder) if wrapped else builder.compile()
        return max(part["step"] for part in way.stream(graph, GO, stream_mode="debug"))

    assert steps(wrapped=True) == steps(wrapped=False)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_command_goto_tools(way):
    """A node that goes to the tools by a Command comes to the gate."""
    world = World()
    tools = [world.tool("a"), world.tool("b")]
    model = ScriptedModel(answers=[PAIR, "Done."]).bind_tools(tools)

    def agent(state: MessagesState) -> Command[Literal["tools", "__end__"]]:
        answer = model.invoke(state["messages"])
        return Command(update={"messages": [answer]}, goto="tools" if answer.tool_calls else END)

    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "agent")
    builder.add_edge("tools", "agent")
    graph = ladder_of({"a": READ, "b": "confirm"}).wrap(builder, checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("confirm",)
    assert told(way.invoke(graph, YES, on())) == [("a", "a 1"), ("b", "b 2")]
    assert world.ran == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_two_tool_nodes(way):
    """Each of two tool nodes gets six rungs of its own, named after it."""
    world = World()
    reads, writes = [world.tool("a")], [world.tool("b")]
    builder = StateGraph(MessagesState)
    builder.add_node("agent", model_node([calls("a", {"x": "1"}), calls("b", {"x": "2"}), "Done."], reads + writes))
    builder.add_node("reading", ToolNode(reads))
    builder.add_node("writing", ToolNode(writes))
    builder.add_edge(START, "agent")

    def route(state: MessagesState) -> Literal["reading", "writing", "__end__"]:
        found = state["messages"][-1].tool_calls
        return ("reading" if found[0]["name"] == "a" else "writing") if found else END

    builder.add_conditional_edges("agent", route)
    builder.add_edge("reading", "agent")
    builder.add_edge("writing", "agent")
    graph = ladder_of({"a": READ, "b": "confirm"}).wrap(builder, checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("writing.confirm",)
    assert texts(way.invoke(graph, YES, on()))[-1] == "Done."
    assert world.ran == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_node_that_has_a_rungs_name(way):
    """Where a node is called draft already, the rungs bear the tool node's name too."""
    world = World()
    builder = raw_graph([calls("a", {"x": "1"}), "Done."], [world.tool("a")])
    builder.add_node("draft", lambda state: {})
    builder.add_edge("agent", "draft")
    graph = ladder_of({"a": "confirm"}).wrap(builder, checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    assert way.next(graph, on()) == ("tools.confirm",)
    assert "draft" in graph.builder.nodes


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_start_conditional_to_the_tools(way):
    """A graph that may start at its tools is gated there, though its input isn't a state yet."""
    world = World()
    tools = [world.tool("a"), world.tool("b")]
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(tools))
    builder.add_conditional_edges(START, lambda state: "tools", ["tools"])
    builder.add_edge("tools", END)
    ladder = ladder_of({"a": "confirm", "b": "confirm"})
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    turn = says(tool_call("a", {"x": "1"}, id="c1"))
    way.invoke(graph, {"messages": [turn]}, on())
    assert way.next(graph, on()) == ("confirm",)
    assert told(way.invoke(graph, YES, on())) == [("a", "a 1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_subgraph_as_a_node(way):
    """The tools of a graph that stands as a node are gated too, under its name, and its questions can be answered."""
    world = World()
    inner = agent_of([PAIR, "Inner done."], [world.tool("a"), world.tool("b")], checkpointer=None)
    builder = StateGraph(MessagesState)
    builder.add_node("research", inner)
    builder.add_edge(START, "research")
    ladder = ladder_of({"a": READ, "b": "confirm"})
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    out = way.invoke(graph, GO, on())
    assert world.ran == [("a", "1")]
    assert len(questions(out)) == 1
    assert ladder.pending()[0].call.agent == "ops/research"
    out = way.invoke(graph, YES, on())
    assert texts(out)[-1] == "Inner done."
    assert world.ran == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_tools_of_one_name(way):
    """Two agents may have tools of one name; what one of them declares isn't believed of the other, nor run for it."""
    world = World()

    @reversible(prepare=lambda args: 1, undo=lambda state: None)
    def outer_put(x: str) -> str:
        """Put it."""
        return f"outer {x}"

    tools = [StructuredTool.from_function(outer_put, name="put")]
    inner = agent_of([calls("put", {"x": "1"}), "Done."], [world.tool("put")], checkpointer=None)
    builder = raw_graph(["Over to you."], tools)
    builder.add_node("research", inner)
    builder.add_edge("agent", "research")
    ladder = ladder_of({"put": "draft"})
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    assert ladder.seat_of("ops", "put").declaration.reversible
    assert not ladder.seat_of("ops/research", "put").declaration.reversible
    way.invoke(graph, GO, on())
    (draft,) = ladder.drafts()
    reply = ladder.accept(draft.action.key, by="ana")
    assert reply.outcome.reply.text == "put 1"
    assert world.ran == [("put", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_node_defaults_and_policies(way):
    """What a graph says for all its nodes goes to its nodes, and not to the rungs, where nothing is tried again."""
    attempts = []

    def a(x: str) -> str:
        """Try."""
        attempts.append(x)
        raise ConnectionError("no")

    builder = raw_graph([calls("a", {"x": "1"}), "Done."], [StructuredTool.from_function(a)])
    builder.set_node_defaults(retry_policy=RetryPolicy(initial_interval=0.0, jitter=False, max_attempts=3))
    rule = {"rung": "bounded", "bounds": [{"kind": "volume", "limit": 3}]}
    graph = ladder_of({"a": rule}).wrap(builder, checkpointer=InMemorySaver())
    assert graph.nodes["agent"].retry_policy
    assert not graph.nodes["bounded"].retry_policy
    out = way.invoke(graph, GO, on())
    assert attempts == ["1"]
    assert "Nobody knows whether it took effect" in told(out)[0][1]


def deferring(log, *, joined):
    """A graph whose last node waits for the tools, and for a branch beside them."""
    graph = StateGraph(MessagesState)
    tools = [World().tool("a")]
    graph.add_node("agent", model_node([calls("a", {"x": "1"}), "Done."], tools))
    graph.add_node("tools", ToolNode(tools))
    graph.add_node("research", lambda state: {})
    graph.add_node("report", lambda state: log.append(len(state["messages"])), defer=True)
    graph.add_edge(START, "agent")
    graph.add_edge(START, "research")
    graph.add_edge("tools", "agent")
    if joined:
        graph.add_conditional_edges("agent", tools_condition)
        graph.add_edge(["agent", "research"], "report")
    else:
        graph.add_conditional_edges("agent", tools_condition, {"tools": "tools", END: "report"})
        graph.add_edge("research", "report")
    return graph


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("rule", [BOUNDED, "confirm"], ids=["runs", "asks"])
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_deferred_node_waits_for_the_tools(way, rule, joined):
    """It runs once, after them and after whoever is asked, as in the plain graph."""
    plainly, log = [], []
    way.invoke(deferring(plainly, joined=joined).compile(), GO, on())
    graph = ladder_of({"a": rule}).wrap(deferring(log, joined=joined), checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    if rule == "confirm":
        assert log == []
        way.invoke(graph, YES, on())
    assert log == plainly == [4]


@pytest.mark.parametrize("asked", [None, "set_node_defaults"], ids=["of the node", "of all nodes"])
async def test_an_error_handler_of_the_tool_node_hears_of_its_time(asked):
    """A rung that runs out of the node's time is handled as the tool node would have been, with the state."""

    @tool
    async def slow(x: str) -> str:
        """Take a while."""
        await asyncio.sleep(5)
        return x

    def handled(state):
        (call,) = state["messages"][-1].tool_calls
        return Command(update={"messages": [ToolMessage("It took too long.", tool_call_id=call["id"])]}, goto="agent")

    graph = StateGraph(MessagesState)
    graph.add_node("agent", model_node([calls("slow", {"x": "1"}), "Done."], [slow]))
    if asked:
        graph.add_node("tools", ToolNode([slow]), timeout=0.3)
        graph.set_node_defaults(error_handler=handled)
    else:
        graph.add_node("tools", ToolNode([slow]), timeout=0.3, error_handler=handled)
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    ladder = ladder_of({"slow": BOUNDED})
    state = await ladder.wrap(graph, checkpointer=InMemorySaver()).ainvoke(GO, on())
    assert [message.text for message in state["messages"]][-2:] == ["It took too long.", "Done."]
    assert [action.state for action in ladder.actions()] == ["started"]


@pytest.mark.parametrize("config", [None, {}, {"configurable": {}}], ids=repr)
@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_thread_that_was_forgotten(way, config):
    """LangGraph says what is missing, as it does without the ladder; a graph that has one of its own needs no other."""
    plain = agent_of(["Hello."] * 2, [StructuredTool.from_function(lambda x: x, name="a", description="A.")])
    graph = ladder_of({"a": BOUNDED}).wrap(plain)
    for one in (plain, graph):
        with pytest.raises(ValueError, match="thread_id"):
            way.invoke(one, GO, config)
    assert way.invoke(graph.with_config(configurable={"thread_id": "1"}), GO, config)["messages"][-1].text == "Hello."


async def test_what_is_set_on_a_compiled_graph():
    """It is the wrapped one's too, and its policies go to all nodes but those of ours."""

    @tool
    async def a(x: str) -> str:
        """Take long."""
        await asyncio.sleep(30)
        return x

    given = agent_of([calls("a", {"x": "1"})], [a])
    given.step_timeout, given.stream_mode, given.stream_eager = 0.2, "updates", True
    given.retry_policy, given.cache_policy = RetryPolicy(max_attempts=2), CachePolicy(ttl=1)
    ladder = ladder_of({"a": BOUNDED})
    graph = ladder.wrap(given)
    assert (graph.step_timeout, graph.stream_mode, graph.stream_eager) == (0.2, "updates", True)
    assert (graph.nodes["model"].retry_policy, graph.nodes["model"].cache_policy) == (
        (given.retry_policy,), given.cache_policy,
    )  # fmt: skip
    assert not any(graph.nodes[name].retry_policy or graph.nodes[name].cache_policy for name in ("tools", "bounded"))
    with pytest.raises(TimeoutError):
        await graph.ainvoke(GO, on())
    ladder.close()


@pytest.mark.filterwarnings("ignore:create_react_agent")
@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_react_agent(way, version):
    """LangGraph's own prebuilt agent, which hands its tools all calls at once or each by itself, is gated in both."""
    world = World()
    turn = says(*[tool_call(name, {"x": "1"}) for name in "abc"])

    def build():
        tools = [world.tool("a"), world.tool("b"), world.tool("c", return_direct=True)]
        model = ScriptedModel(answers=[turn, "Done."])
        return create_react_agent(model, tools, checkpointer=InMemorySaver(), version=version)

    bare = way.invoke(build(), GO, on())
    world.ran.clear()
    graph = ladder_of({"a": READ, "b": "confirm", "c": READ}).wrap(build())
    way.invoke(graph, GO, on())
    assert sorted(world.ran) == [("a", "1"), ("c", "1")]
    out = way.invoke(graph, YES, on())
    assert plain(out["messages"]) == plain(bare["messages"])
    assert sorted(world.ran) == [("a", "1"), ("b", "1"), ("c", "1")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_inside_a_graph_that_isnt_wrapped(way):
    """A wrapped agent that stands in somebody else's graph asks through it, and is answered through it."""
    world = World()
    inner = agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")], checkpointer=None)
    builder = StateGraph(MessagesState)
    builder.add_node("inner", ladder_of({"a": "confirm"}).wrap(inner, checkpointer="host"))
    builder.add_edge(START, "inner")
    graph = builder.compile(checkpointer=InMemorySaver())
    assert questions(way.invoke(graph, GO, on()))
    assert texts(way.invoke(graph, YES, on()))[-1] == "Done."
    assert world.ran == [("a", "1")]
