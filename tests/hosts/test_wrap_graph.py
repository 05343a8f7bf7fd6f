"""`wrap` on a raw `StateGraph` with a ToolNode, in every shape that people build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, Send
from pydantic import BaseModel

from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from ladder_graph.tools import reversible
from tests.hosts.graphs import (
    GO,
    READ,
    WAYS,
    Wider,
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


class ModelState(BaseModel):
    """A pydantic state."""

    messages: Annotated[list[AnyMessage], add_messages] = []
    name: str = "nobody"


@dataclass
class ClassState:
    """A dataclass state."""

    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)
    name: str = "nobody"


class ManagedState(TypedDict):
    """A state with a managed value."""

    messages: Annotated[list[AnyMessage], add_messages]
    name: str
    remaining_steps: RemainingSteps


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("schema", [ModelState, ClassState, Wider, ManagedState])
def test_kinds_of_state(way, schema):
    """A tool is injected the same kind of state, with the same in it, whatever class the state has."""
    seen = []

    def look(x: str, state: Annotated[Any, InjectedState], name: Annotated[str, InjectedState("name")]) -> str:
        """Look."""
        values = state if isinstance(state, dict) else vars(state)
        seen.append((type(state), sorted(values), name, len(values["messages"]), values.get("remaining_steps")))
        return x

    tool = StructuredTool.from_function(look)
    one, other = both(
        way, lambda: raw_graph([calls("look", {"x": "1"}), "Done."], [tool], schema=schema), {"look": READ},
        {**GO, "name": "Ada"},
    )  # fmt: skip
    assert plain(one["messages"]) == plain(other["messages"])
    assert seen[0] == seen[1]


class Chat(TypedDict):
    """A state whose messages have another name."""

    chat: Annotated[list[AnyMessage], add_messages]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_own_messages_key(way):
    """A ToolNode with a messages_key of its own is read and answered there."""
    world = World()

    def build():
        tools = [world.tool("a"), world.tool("b")]
        builder = StateGraph(Chat)
        builder.add_node("agent", model_node([PAIR, "Done."], tools, "chat"))
        builder.add_node("tools", ToolNode(tools, messages_key="chat"))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", lambda state: tools_condition(state, "chat"), ["tools", END])
        builder.add_edge("tools", "agent")
        return builder

    one, other = both(way, build, {"a": READ, "b": READ}, {"chat": [("user", "Go.")]})
    assert plain(one["chat"]) == plain(other["chat"])
    assert told(other, "chat") == [("a", "a 1"), ("b", "b 2")]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_state_that_is_a_list(way):
    """A graph whose state is nothing but its messages keeps them."""
    world = World()

    def build():
        tools = [world.tool("a"), world.tool("b")]
        model = ScriptedModel(answers=[PAIR, "Done."]).bind_tools(tools)
        builder = StateGraph(Annotated[list, add_messages])
        builder.add_node("agent", lambda messages: [model.invoke(messages)])
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")
        builder.add_conditional_edges("agent", tools_condition)
        builder.add_edge("tools", "agent")
        return builder

    one, other = both(way, build, {"a": READ, "b": READ}, [HumanMessage("Go.")])
    assert plain(one) == plain(other)
    assert [m.type for m in other] == ["human", "ai", "tool", "tool", "ai"]


def fan_out(payload):
    """A graph whose edge sends to the tools; `payload` makes what is sent from a call and the state."""

    def build(world):
        tools = [world.tool("a"), world.tool("b")]
        builder = StateGraph(Wider)
        builder.add_node("agent", model_node([PAIR, "Done."], tools))
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge(START, "agent")

        def route(state: Wider):
            message = state["messages"][-1]
            return [Send("tools", payload(call, state)) for call in message.tool_calls] or END

        builder.add_conditional_edges("agent", route, ["tools", END])
        builder.add_edge("tools", "agent")
        return builder

    return build


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize(
    "payload",
    [
        lambda call, state: [call],
        lambda call, state: {"__type": "tool_call_with_context", "tool_call": call, "state": {**state, "name": "sent"}},
        lambda call, state: {"messages": [AIMessage("", tool_calls=[call])], "name": "sent"},
    ],
    ids=["call", "call with state", "state"],
)
def test_send_to_the_tool_node(way, payload):
    """Calls that an edge sends, alone or with a state of their own, are gated, and their tools see that state."""
    world = World()
    build = fan_out(payload)
    one, other = both(way, lambda: build(world), {"a": READ, "b": READ}, {**GO, "name": "graph"})
    assert plain(one["messages"]) == plain(other["messages"])
    assert len(world.ran) == 4
    seen = []

    def a(x: str, name: Annotated[str, InjectedState("name")]) -> str:
        """Look."""
        seen.append(name)
        return x

    world.tool = lambda name: StructuredTool.from_function(a, name=name)
    both(way, lambda: build(world), {"a": READ, "b": READ}, {**GO, "name": "graph"})
    assert seen[:2] == seen[2:]


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
def test_commands_that_go_somewhere(way):
    """A tool may say where its graph goes next, and where the graph around it does."""

    def hand_over(x: str, call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over to the other one."""
        update = {"messages": [ToolMessage("handed over", tool_call_id=call_id, name="hand_over")]}
        return Command(goto="other", update=update, graph=Command.PARENT)

    def jump(x: str, call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Jump."""
        return Command(goto="other", update={"messages": [ToolMessage("jumped", tool_call_id=call_id, name="jump")]})

    def build_inner():
        tool = StructuredTool.from_function(hand_over)
        inner = agent_of([calls("hand_over", {"x": "1"})], [tool], checkpointer=None)
        builder = StateGraph(MessagesState)
        builder.add_node("one", inner)
        builder.add_node("other", lambda state: {"messages": [AIMessage("Other here.")]})
        builder.add_edge(START, "one")
        return builder

    one, other = both(way, build_inner, {"hand_over": READ})
    assert plain(one["messages"]) == plain(other["messages"])
    assert texts(other)[-1] == "Other here."

    def build_flat():
        builder = raw_graph([calls("jump", {"x": "1"}), "Done."], [StructuredTool.from_function(jump)])
        builder.add_node("other", lambda state: {"messages": [HumanMessage("Other here.")]})
        return builder

    one, other = both(way, build_flat, {"jump": READ})
    assert sorted(m.text for m in one["messages"]) == sorted(m.text for m in other["messages"])


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
