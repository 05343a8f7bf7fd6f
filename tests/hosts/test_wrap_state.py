"""`wrap` on a raw `StateGraph`: every kind of state, of what is sent to the tools, and of what they answer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.types import Command, Send
from pydantic import BaseModel

from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import (
    GO,
    READ,
    WAYS,
    Wider,
    World,
    agent_of,
    model_node,
    plain,
    raw_graph,
    texts,
    told,
)
from tests.hosts.test_wrap_graph import PAIR, both


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
