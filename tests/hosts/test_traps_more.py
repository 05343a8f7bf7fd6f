"""More of the known traps: each does harm without the ladder, and none with it.

Every test sets its trap twice: for the plain graph, to show that it is one, and then for the same under the ladder.
"""

from __future__ import annotations

import pytest
from deepagents import create_deep_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, hook_config
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, told
from tests.hosts.mounts import BOUNDED, MOUNTS, NO, YES, Between

BOTH = pytest.mark.parametrize("way", WAYS, ids=repr)
EACH = pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
APPROVE, REJECT = {"type": "approve"}, {"type": "reject", "message": "no"}


def hitl(*tools):
    """LangChain's own way of asking, for these tools."""
    return HumanInTheLoopMiddleware(dict.fromkeys(tools, True))


def states(ladder):
    """The state of each action, by its argument."""
    return {action.arguments["x"]: action.state for action in ladder.actions()}


def swapped(graph):
    """The message that proposed a payment, with another amount in it."""
    last = graph.get_state(on()).values["messages"][-1]
    return {"messages": [AIMessage("", id=last.id, tool_calls=[{**last.tool_calls[0], "args": {"x": "999999"}}])]}


# --- the state changes between ask and answer --------------------------------------------------------------------


@BOTH
def test_an_update_of_the_state_before_the_answer(way):
    """`update_state` after the question takes it away, and the yes to 3 is taken for the one that is asked next."""
    world, answers = World(), [calls("pay", {"x": "3"}), "Done."]
    graph = agent_of(answers, [world.tool("pay")], middleware=[hitl("pay")])
    (asked,) = way.invoke(graph, GO, on())["__interrupt__"]
    assert asked.value["action_requests"][0]["args"] == {"x": "3"}
    graph.update_state(on(), swapped(graph), as_node="model")
    way.invoke(graph, Command(resume={"decisions": [APPROVE]}), on())
    assert world.ran == [("pay", "999999")]

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = ladder.wrap(agent_of(answers, [world.tool("pay")]))
    way.invoke(graph, GO, on())
    graph.update_state(on(), swapped(graph), as_node="model")
    out = way.invoke(graph, Command(resume=YES), on())
    assert out["__interrupt__"][0].value["action_requests"][0]["args"] == {"x": "999999"}
    assert world.ran == []


@BOTH
@EACH
def test_an_update_that_comes_with_the_answer(mount, way):
    """One command says yes, and puts something else in the place of what was asked."""
    world, answers = World(), [calls("pay", {"x": "3"}), "Done."]
    graph = agent_of(answers, [world.tool("pay")], middleware=[hitl("pay")])
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume={"decisions": [APPROVE]}, update=swapped(graph)), on())
    assert world.ran == [("pay", "999999")]

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = mount(ladder, answers, [world.tool("pay")])
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume=YES, update=swapped(graph)), on())
    assert ("pay", "999999") not in world.ran
    assert states(ladder).get("999999") in {None, State.ASKED}


# --- jump_to="tools" with several calls --------------------------------------------------------------------------


class Jumping(AgentMiddleware):
    """Jumps to the tools with whatever the model said last."""

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state, runtime):
        """Jump."""
        said = [message for message in state["messages"] if isinstance(message, AIMessage)][-1]
        return {"jump_to": "tools"} if said.tool_calls else None


@BOTH
@EACH
def test_a_jump_after_one_of_two_was_rejected(mount, way):
    """The jump puts both calls into one task, and the one that was rejected runs beside the other."""
    turn = says(tool_call("pay", {"x": "1"}), tool_call("pay", {"x": "2"}))
    world = World()
    graph = agent_of([turn, "Done."], [world.tool("pay")], middleware=[Jumping(), hitl("pay")])
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume={"decisions": [REJECT, APPROVE]}), on())
    assert sorted(world.ran) == [("pay", "1"), ("pay", "2")]

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = mount(ladder, [turn, "Done."], [world.tool("pay")], Jumping())
    out = way.invoke(graph, GO, on())
    if mount is not MOUNTS["wrap"]:  # Only a graph that was wrapped can be taken apart again.
        assert [text.startswith("REFUSED: several calls") for _, text in told(out)] == [True, True]
        assert world.ran == []
        return
    asked = {one.value["action_requests"][0]["args"]["x"]: one.id for one in out["__interrupt__"]}
    way.invoke(graph, Command(resume={asked["1"]: NO, asked["2"]: YES}), on())
    assert world.ran == [("pay", "2")]
    assert states(ladder) == {"1": State.DECLINED, "2": State.DONE}


# --- a fork at the head ------------------------------------------------------------------------------------------


@BOTH
@EACH
def test_a_fork_at_the_head(mount, way):
    """Going on from the newest checkpoint by its id, while a question is open, runs the finished sibling again."""
    turn = says(tool_call("book", {"x": "1"}), tool_call("pay", {"x": "2"}))

    def ask(x):
        return interrupt(f"pay {x}?")

    def fork(graph):
        return way.invoke(graph, None, graph.get_state(on()).config)

    world = World()
    graph = agent_of([turn, "Done."], [world.tool("book"), world.tool("pay", acts=ask)])
    way.invoke(graph, GO, on())
    fork(graph)
    assert world.ran.count(("book", "1")) == 2

    world, ladder = World(), ladder_of({"book": BOUNDED, "pay": "confirm"})
    graph = mount(ladder, [turn, "Done."], [world.tool("book"), world.tool("pay")])
    way.invoke(graph, GO, on())
    fork(graph)
    assert world.ran == [("book", "1")]
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("book", "1"), ("pay", "2")]


# --- one id for two calls ----------------------------------------------------------------------------------------


@BOTH
def test_one_id_for_two_calls(way):
    """Two payments under one id: the no to one of them is taken for both; under the ladder each has its own answer."""
    turn = says(tool_call("pay", {"x": "1"}, id="same"), tool_call("pay", {"x": "999"}, id="same"))
    world = World()
    graph = agent_of([turn, "Done."], [world.tool("pay")], middleware=[hitl("pay")])
    way.invoke(graph, GO, on())
    way.invoke(graph, Command(resume={"decisions": [APPROVE, REJECT]}), on())
    assert world.ran == []

    world, ladder = World(), ladder_of({"pay": "confirm"})
    graph = ladder.wrap(agent_of([turn, "Done."], [world.tool("pay")]))
    out = way.invoke(graph, GO, on())
    asked = {one.value["action_requests"][0]["args"]["x"]: one.id for one in out["__interrupt__"]}
    way.invoke(graph, Command(resume={asked["1"]: YES, asked["999"]: NO}), on())
    assert world.ran == [("pay", "1")]
    assert states(ladder) == {"1": State.DONE, "999": State.DECLINED}


# --- a declared sub-agent's tool ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("mount", ["guard", "wrap"])
def test_a_declared_sub_agents_own_tool(mount, way):
    """Middleware of a deep agent doesn't reach a sub-agent that was declared with tools of its own, either."""
    seen: list[str] = []

    def note(request):
        seen.append(request.tool_call["name"])
        return request

    answers = [
        calls("task", {"description": "Pay.", "subagent_type": "payer"}),
        calls("pay", {"x": "1"}), "paid", "Done.",
    ]  # fmt: skip

    def deep(tool, **options):
        payer = {"name": "payer", "description": "Pays.", "system_prompt": "Pay.", "tools": [tool]}
        model = ScriptedModel(answers=answers)
        return create_deep_agent(model, [], subagents=[payer], checkpointer=InMemorySaver(), **options)

    world = World()
    way.invoke(deep(world.tool("pay"), middleware=[Between(note)]), GO, on())
    assert (seen, world.ran) == (["task"], [("pay", "1")])

    world, ladder = World(), ladder_of({"pay": "confirm", "task": BOUNDED})
    graph = deep(ladder.guard(world.tool("pay")) if mount == "guard" else world.tool("pay"))
    graph = ladder.wrap(graph) if mount == "wrap" else graph
    assert way.invoke(graph, GO, on())["__interrupt__"]
    assert world.ran == []
    way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("pay", "1")]
