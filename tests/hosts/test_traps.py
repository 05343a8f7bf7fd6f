"""The known traps of approvals in LangGraph: each does harm without the ladder, and none with it.

Every test sets its trap twice: for the plain graph, to show that it is one, and then for the same under the ladder.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from deepagents import create_deep_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    hook_config,
)
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, raw_graph, told
from tests.hosts.mounts import BOUNDED, MOUNTS, NO, YES, Between

ROOT = Path(__file__).parents[2]


def hitl(*tools):
    """LangChain's own way of asking, for these tools."""
    return HumanInTheLoopMiddleware(dict.fromkeys(tools, True))


def states(ladder):
    """The state of each action, by its argument."""
    return {action.arguments["x"]: action.state for action in ladder.actions()}


# --- several calls in one task -----------------------------------------------------------------------------------


def test_several_calls_in_one_task():
    """Two tools ask in one task, and the first is slower the next time: the yes to mailing pays."""
    world, paying = World(), threading.Event()

    def mail(x):
        if "resumed" in world.ran:
            paying.wait(5)
        answer = interrupt(f"mail {x}?")
        world.ran.append(("mailed", answer))
        return "mailed"

    def pay(x):
        if "resumed" not in world.ran:
            paying.wait(0.2)
        answer = interrupt(f"pay {x}?")
        paying.set()
        world.ran.append(("paid", answer))
        return "paid"

    turn = says(tool_call("mail", {"x": "Ana"}), tool_call("pay", {"x": "999"}))
    tools = [world.tool("mail", acts=mail), world.tool("pay", acts=pay)]
    graph = raw_graph([turn, "Done."], tools).compile(checkpointer=InMemorySaver())
    (asked,) = graph.invoke(GO, on())["__interrupt__"]
    assert asked.value == "mail Ana?"
    world.ran.append("resumed")
    graph.invoke(Command(resume={asked.id: "yes, mail"}), on())
    assert ("paid", "yes, mail") in world.ran

    world, ladder = World(), ladder_of({"mail": "confirm", "pay": "confirm"})
    tools = [world.tool("mail"), world.tool("pay")]
    graph = ladder.wrap(raw_graph([turn, "Done."], tools), checkpointer=InMemorySaver())
    out = graph.invoke(GO, on())
    asked = {i.value["action_requests"][0]["name"]: i.id for i in out["__interrupt__"]}
    graph.invoke(Command(resume={asked["mail"]: YES}), on())
    assert world.ran == [("mail", "Ana")]
    assert states(ladder) == {"Ana": State.DONE, "999": State.ASKED}


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_finished_call_in_a_shared_task(way):
    """A task that two calls share starts over as a whole: what had finished runs again when the other is answered."""

    def ask(x):
        return interrupt(f"pay {x}?")

    turn = says(tool_call("book", {"x": "1"}), tool_call("pay", {"x": "2"}))
    world = World()
    tools = [world.tool("book"), world.tool("pay", acts=ask)]
    graph = raw_graph([turn, "Done."], tools).compile(checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume="yes"), on())
    assert world.ran.count(("book", "1")) == 2

    world, ladder = World(), ladder_of({"book": BOUNDED, "pay": "confirm"})
    tools = [world.tool("book"), world.tool("pay")]
    graph = ladder.wrap(raw_graph([turn, "Done."], tools), checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("book", "1"), ("pay", "2")]


# --- jump_to="tools" after a rejection ---------------------------------------------------------------------------


class Jumping(AgentMiddleware):
    """Has seen enough and jumps to the tools, with whatever the model said last."""

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state, runtime):
        """Jump."""
        said = [message for message in state["messages"] if isinstance(message, AIMessage)][-1]
        return {"jump_to": "tools"} if said.tool_calls else None


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_a_jump_to_the_tools_after_a_rejection(mount, way):
    """A call that was just rejected is executed, where anybody's middleware jumps to the tools."""
    world, answers = World(), [calls("pay", {"x": "1"}), "Done."]
    graph = agent_of(answers, [world.tool("pay")], middleware=[Jumping(), hitl("pay")])
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume={"decisions": [{"type": "reject", "message": "no"}]}), on())
    assert world.ran == [("pay", "1")]

    world, ladder = World(), ladder_of({"pay": "confirm"})
    answers = [calls("pay", {"x": "1"}), calls("pay", {"x": "1"}, id="again"), "Done."]
    graph = mount(ladder, answers, [world.tool("pay")], Jumping())
    way.invoke(graph, GO, on())
    out = way.invoke(graph, Command(resume=NO), on())
    assert world.ran == []
    assert [text.startswith("DECLINED by ana: no") for _, text in told(out)] == [True, True]
    assert [entry.kind for entry in ladder.log()].count("question") == 1


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_a_jump_with_several_calls(mount, way):
    """The jump puts all calls into one task; they are taken apart or refused, and never run on each other's answer."""
    world, ladder = World(), ladder_of({"pay": "confirm"})
    turn = says(tool_call("pay", {"x": "1"}), tool_call("pay", {"x": "2"}))
    graph = mount(ladder, [turn, "Done."], [world.tool("pay")], Jumping())
    out = way.invoke(graph, GO, on())
    assert world.ran == []
    if mount is MOUNTS["wrap"]:
        assert len(out["__interrupt__"]) == 2
    else:
        assert [text.startswith("REFUSED: several calls") for _, text in told(out)] == [True, True]


# --- update_state between ask and answer -------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_arguments_swapped_between_ask_and_answer(mount, way):
    """A person is shown 3, somebody rewrites the message, and the yes pays 999999."""

    def rewrite(graph):
        last = graph.get_state(on()).values["messages"][-1]
        swapped = {**last.tool_calls[0], "args": {"x": "999999"}}
        graph.update_state(on(), {"messages": [AIMessage("", id=last.id, tool_calls=[swapped])]}, as_node="model")

    world, answers = World(), [calls("pay", {"x": "3"}), "Done."]
    graph = agent_of(answers, [world.tool("pay")], middleware=[hitl("pay")])
    (asked,) = way.invoke(graph, GO, on())["__interrupt__"]
    assert asked.value["action_requests"][0]["args"] == {"x": "3"}
    last = graph.get_state(on()).values["messages"][-1]
    swapped = AIMessage("", id=last.id, tool_calls=[{**last.tool_calls[0], "args": {"x": "999999"}}])
    way.invoke(graph, Command(resume={"decisions": [{"type": "approve"}]}, update={"messages": [swapped]}), on())
    assert world.ran == [("pay", "999999")]

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = mount(ladder, answers, [world.tool("pay")])
    way.invoke(graph, GO, on())
    rewrite(graph)
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == []
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "999999"}
    assert {question.call.arguments["x"] for question in ladder.pending()} == {"3", "999999"}
    for question in ladder.pending():
        verdict = ladder.approve if question.call.arguments["x"] == "3" else ladder.decline
        verdict(question.id, by="ana", **({} if verdict == ladder.approve else {"reason": "not that"}))
    way.invoke(graph, None, on())
    assert world.ran == []
    assert states(ladder) == {"3": State.APPROVED, "999999": State.DECLINED}


# --- ids ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_a_duplicate_id(mount, way):
    """The same call twice under one id, as some providers send it after a hiccup, is executed twice."""
    turn = says(tool_call("pay", {"x": "1"}, id="same"), tool_call("pay", {"x": "1"}, id="same"))
    world = World()
    way.invoke(agent_of([turn, "Done."], [world.tool("pay")]), GO, on())
    assert world.ran == [("pay", "1")] * 2

    world, ladder = World(), ladder_of({"pay": BOUNDED})
    out = way.invoke(mount(ladder, [turn, "Done."], [world.tool("pay")]), GO, on())
    assert world.ran == [("pay", "1")]
    assert told(out) == [("pay", "pay 1")] * 2


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_a_missing_id(mount, way):
    """A call without an id has its effect, and only then falls over, so that nobody ever hears of it."""
    turn = says(tool_call("pay", {"x": "1"}, id=None))
    world = World()
    with pytest.raises(TypeError):
        way.invoke(agent_of([turn, "Done."], [world.tool("pay")]), GO, on())
    assert world.ran == [("pay", "1")]

    world, ladder = World(), ladder_of({"pay": BOUNDED})
    out = way.invoke(mount(ladder, [turn, "Done."], [world.tool("pay")]), GO, on())
    assert told(out)[0][1].startswith("REFUSED: the call of pay has no id")
    assert world.ran == []


# --- a sub-agent's tool ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", ["guard", "wrap"])
def test_a_sub_agents_tool(mount, way):
    """Middleware of a deep agent doesn't reach its sub-agents, whose tools run unseen."""
    seen: list[str] = []

    def note(request):
        seen.append(request.tool_call["name"])
        return request

    answers = [
        calls("task", {"description": "Pay.", "subagent_type": "general-purpose"}),
        calls("pay", {"x": "1"}), "paid", "Done.",
    ]  # fmt: skip
    world = World()
    graph = create_deep_agent(
        ScriptedModel(answers=answers), [world.tool("pay")], middleware=[Between(note)], checkpointer=InMemorySaver()
    )
    way.invoke(graph, GO, on())
    assert (seen, world.ran) == (["task"], [("pay", "1")])

    world, ladder = World(), ladder_of({"pay": "confirm", "task": BOUNDED})
    tools = [ladder.guard(world.tool("pay")) if mount == "guard" else world.tool("pay")]
    graph = create_deep_agent(ScriptedModel(answers=answers), tools, checkpointer=InMemorySaver())
    graph = ladder.wrap(graph) if mount == "wrap" else graph
    assert way.invoke(graph, GO, on())["__interrupt__"]
    assert world.ran == []
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("pay", "1")]
