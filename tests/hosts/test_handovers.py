"""Handing over to another agent: it runs unasked where it is known to be nothing else, unless the policy says so."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from langgraph_supervisor import create_supervisor
from langgraph_supervisor.handoff import create_forward_message_tool
from langgraph_swarm import create_handoff_tool, create_swarm

from ladder_graph.calls import Call
from ladder_graph.facts import Outcome
from ladder_graph.hosts.handovers import hands_over
from ladder_graph.scale import Rung
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from ladder_graph.tools import NOTHING
from ladder_graph.turns.hosting import Alone
from tests.hosts.graphs import GO, READ, WAYS, World, ladder_of, on, questions, told
from tests.hosts.mounts import NO, YES

TO_BOB = calls("transfer_to_bob", {})
SEND = calls("send", {"x": "1"})
MANY = {"kind": "volume", "limit": 100}


def swarm(world: World, first: Any, *, model: str = "scripted-1", to_bob: Any = None) -> Any:
    """Alice, who makes this first turn, and Bob, who sends something."""
    hand = to_bob or create_handoff_tool(agent_name="bob")
    alice = create_agent(
        ScriptedModel(answers=[first, "Alice done."], model_name=model), [world.tool("send"), hand], name="alice"
    )
    bob = create_agent(ScriptedModel(answers=[SEND, "Bob done."]), [world.tool("send")], name="bob")
    return create_swarm([alice, bob], default_active_agent="alice")


def transfer_to_bob(
    state: Annotated[dict, InjectedState], tool_call_id: Annotated[str, InjectedToolCallId]
) -> Command[Any]:
    """Hand over to Bob."""
    done = ToolMessage("Over to Bob.", name="transfer_to_bob", tool_call_id=tool_call_id)
    return Command(goto="bob", graph=Command.PARENT, update={"messages": [*state["messages"], done]})


# --- by default --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_nobody_is_asked_about_a_hand_over(way):
    """No entry is for it, and it runs, and is on record; it is no cell, since nothing is earned by it."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    graph = ladder.wrap(swarm(world, TO_BOB), checkpointer=InMemorySaver())
    out = way.invoke(graph, GO, on())
    assert [(one.agent, one.tool, one.rung, one.state) for one in ladder.actions()] == [
        ("ops/alice", "transfer_to_bob", Rung.BOUNDED, State.DONE),
        ("ops/bob", "send", Rung.CONFIRM, State.ASKED),
    ]
    assert len(questions(out)) == 1
    assert "transfer_to_bob" not in {cell.tool for cell in ladder.status()}
    assert ladder.explain("transfer_to_bob", {}, agent="ops/alice").route.rung is Rung.BOUNDED
    assert ladder.verify().ok


@pytest.mark.parametrize(
    ("rungs", "said"),
    [
        ({"transfer_to_bob": "confirm"}, None),
        ({"*": "confirm"}, None),
        ({"transfer_to_bob": "suggest"}, "SUGGESTED"),
        ({"transfer_to_*": "draft"}, "DRAFTED"),
    ],
)
def test_the_policy_has_the_last_word(rungs, said):
    """Any entry that is for a hand-over counts, as for every other tool."""
    world, ladder = World(), ladder_of({"send": "confirm", **rungs})
    graph = ladder.wrap(swarm(world, TO_BOB), checkpointer=InMemorySaver())
    out = graph.invoke(GO, on())
    if said is None:
        (question,) = ladder.pending()
        assert (question.call.agent, question.call.tool) == ("ops/alice", "transfer_to_bob")
        out = graph.invoke(Command(resume=NO), on())
        said = "DECLINED"
    assert told(out)[0][1].startswith(said)
    assert world.ran == []


def test_another_model_may_hand_over_too():
    """A hand-over is granted to no model, so that nobody is asked about it after a switch either."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    for model in ("one", "two"):
        graph = ladder.wrap(swarm(world, TO_BOB, model=model), checkpointer=InMemorySaver())
        graph.invoke(GO, on(model))
    assert [one.rung for one in ladder.actions() if one.tool == "transfer_to_bob"] == [Rung.BOUNDED] * 2


def test_what_only_looks_like_a_hand_over_suggests():
    """A name and metadata are what a server may say, too: a tool is known by its code, and by nothing else."""
    world = World()
    forged = world.tool("transfer_to_bob", metadata={"__handoff_destination": "bob"})
    ladder = ladder_of({"send": "confirm"})
    out = ladder.wrap(swarm(world, calls("transfer_to_bob", {"x": "1"}), to_bob=forged), checkpointer="host").invoke(GO)
    assert told(out)[0][1].startswith("SUGGESTED, NOT RUN")
    assert world.ran == []


def test_what_is_wrapped_around_a_hand_over_suggests():
    """`functools.wraps` lends a function the module of another one, and its own code does what it likes."""
    hand = create_handoff_tool(agent_name="bob")

    @functools.wraps(hand.func)
    def more(*given: Any, **named: Any) -> Any:
        return hand.func(*given, **named)

    for functions in ({"func": more}, {"func": hand.func, "coroutine": more}):
        assert not hands_over(hand.model_copy(update=functions))


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_hand_over_is_no_step_of_a_scope(way):
    """It has no effect that could be undone, so it is no point of no return for what was done before it."""
    world, ladder = World(), ladder_of({"put": {"rung": "bounded", "bounds": [MANY]}})
    hand = create_handoff_tool(agent_name="bob")
    alice = create_agent(ScriptedModel(answers=[TO_BOB, "Alice done."]), [hand], name="alice")
    bob = create_agent(ScriptedModel(answers=[calls("put", {"x": "1"}), "Bob done."]), [world.tool("put")], name="bob")
    graph = ladder.wrap(create_swarm([alice, bob], default_active_agent="alice"), checkpointer=InMemorySaver())
    with ladder.saga("move") as saga:
        way.invoke(graph, GO, on())
    assert [one.tool for one in ladder.saga_view(saga.id).members] == ["put"]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_one_that_was_written_by_hand_gets_an_entry(way):
    """The hand-over of the LangGraph tutorials suggests like any unknown tool, until the policy says that it reads."""
    hand = StructuredTool.from_function(transfer_to_bob)
    assert not hands_over(hand)
    for rungs, tools in (({}, []), ({"transfer_to_bob": READ}, ["send"])):
        world, ladder = World(), ladder_of({"send": "confirm", **rungs})
        way.invoke(ladder.wrap(swarm(world, TO_BOB, to_bob=hand), checkpointer=InMemorySaver()), GO, on())
        assert [question.call.tool for question in ladder.pending()] == tools


def test_the_tools_of_the_libraries_are_known():
    """Each tool that langgraph-supervisor, langgraph-swarm and deepagents make to hand over, and none beside them."""
    from langgraph_supervisor import create_handoff_tool as supervised

    world = World()
    known = [create_handoff_tool(agent_name="b"), supervised(agent_name="b"), create_forward_message_tool()]
    assert all(map(hands_over, known))
    assert not hands_over(world.tool("task"))
    (task,) = [one for one in _deep(world).builder.nodes["tools"].runnable.tools_by_name.values() if one.name == "task"]
    assert hands_over(task)


def _deep(world: World, *subagents: Any) -> Any:
    turn = calls("task", {"description": "Send it.", "subagent_type": "writer"})
    writer = {
        "name": "writer", "description": "Writes.", "system_prompt": "Write.", "tools": [world.tool("send")],
        "model": ScriptedModel(answers=[SEND, "Sent."]),
    }  # fmt: skip
    return create_deep_agent(
        ScriptedModel(answers=[turn, "Done."]), subagents=[*subagents, writer], checkpointer=InMemorySaver()
    )


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_the_task_of_a_deep_agent(way):
    """`task` runs unasked, since every call of every sub-agent is gated."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    out = way.invoke(ladder.wrap(_deep(world)), GO, on())
    assert [(one["tool_call_id"] != "", world.ran) for one in questions(out)] == [(True, [])]
    assert ladder.pending()[0].call.agent == "ops/writer"


def test_a_task_that_runs_something_else_suggests():
    """Where one of the sub-agents is no graph, nobody can say what `task` does, and it stands as the policy has it."""
    other = {"name": "odd", "description": "Is a function.", "runnable": RunnableLambda(lambda state: state)}
    world, ladder = World(), ladder_of({"send": "confirm"})
    out = ladder.wrap(_deep(world, other)).invoke(GO, on())
    assert told(out)[0][1].startswith("SUGGESTED, NOT RUN")


@pytest.mark.parametrize("rungs", [{}, {"transfer_to_bob": "suggest", "task": "suggest"}], ids=["unnamed", "named"])
def test_a_shadow_says_of_a_hand_over_what_the_gate_does(rungs):
    """Free where no entry is for it, and else as the policy has it."""
    bounded = {"send": {"rung": "bounded", "bounds": [MANY]}}
    for graph, tool in ((swarm(World(), TO_BOB).compile(), "transfer_to_bob"), (_deep(World()), "task")):
        ladder = ladder_of({**bounded, **rungs})
        ladder.shadow(graph).invoke(GO, on())
        ladder.shadowing.flush()
        (tally,) = [one for one in ladder.shadowed().tools if one.tool == tool]
        assert dict(tally.verdicts) == {"held" if rungs else "free": 1}
        ladder.close()


# --- beside other calls ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("answer", [YES, NO], ids=["yes", "no"])
def test_calls_beside_a_hand_over_come_first(way, answer):
    """The agent is left only when nothing of its turn waits any more, so that no question is left behind."""
    turn = says(tool_call("transfer_to_bob", {}, id="t"), tool_call("send", {"x": "9"}, id="s"))
    world, ladder = World(), ladder_of({"send": "confirm"})
    graph = ladder.wrap(swarm(world, turn), checkpointer=InMemorySaver())
    way.invoke(graph, GO, on())
    assert [(one.call.agent, one.call.arguments) for one in ladder.pending()] == [("ops/alice", {"x": "9"})]
    out = way.invoke(graph, Command(resume=answer), on())
    assert world.ran == ([("send", "9")] if answer is YES else [])
    assert [name for name, _ in told(out)] == ["send", "transfer_to_bob"]
    assert [(one.call.agent, one.call.arguments) for one in ladder.pending()] == [("ops/bob", {"x": "1"})]


def test_calls_beside_a_hand_over_that_run_unasked():
    """The same where nobody is asked: what the calls beside it answered goes along."""
    turn = says(tool_call("transfer_to_bob", {}, id="t"), tool_call("send", {"x": "9"}, id="s"))
    world, ladder = World(), ladder_of({"send": READ})
    out = ladder.wrap(swarm(world, turn)).invoke(GO)
    assert [name for name, _ in told(out)] == ["send", "transfer_to_bob", "send"]
    assert world.ran == [("send", "9"), ("send", "1")]


# --- supervisors and nodes of one's own --------------------------------------------------------------------------


def _workers(world: World) -> list[Any]:
    return [
        create_agent(ScriptedModel(answers=[SEND, f"{name} done."]), [world.tool("send")], name=name)
        for name in ("alpha", "beta")
    ]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_supervisor(way):
    """The agents of langgraph-supervisor stand in functions of its own, and are gated there under their names."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    turns = [calls("transfer_to_alpha", {}), calls("transfer_to_beta", {}), "All done."]
    graph = ladder.wrap(
        create_supervisor(_workers(world), model=ScriptedModel(answers=turns)), checkpointer=InMemorySaver()
    )
    out, asked = way.invoke(graph, GO, on()), []
    while "__interrupt__" in out:
        asked.append(ladder.pending()[0].call.agent)
        out = way.invoke(graph, Command(resume={out["__interrupt__"][0].id: YES}), on())
    assert asked == ["ops/alpha", "ops/beta"]
    assert world.ran == [("send", "1")] * 2
    assert {one.agent for one in ladder.actions()} == {"ops/supervisor", "ops/alpha", "ops/beta"}
    assert out["messages"][-1].text == "All done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_nodes_that_call_an_agent_and_go_on_by_a_command(way):
    """The supervisor of the LangGraph tutorials: a router, and nodes that run an agent and go back by a Command."""
    world, ladder = World(), ladder_of({"send": "confirm"})
    alpha, beta = _workers(world)

    def router(state: MessagesState) -> Command[Any]:
        done = {message.name for message in state["messages"]}
        return Command(goto=next((name for name in ("alpha", "beta") if name not in done), "__end__"))

    def to(agent: Any, name: str) -> Any:
        def call(state: MessagesState) -> Command[Any]:
            said = agent.invoke({"messages": state["messages"][:1]})["messages"][-1]
            return Command(goto="router", update={"messages": [HumanMessage(said.text, name=name)]})

        async def acall(state: MessagesState) -> Command[Any]:
            said = (await agent.ainvoke({"messages": state["messages"][:1]}))["messages"][-1]
            return Command(goto="router", update={"messages": [HumanMessage(said.text, name=name)]})

        return acall if repr(way) == "async" else call

    builder = StateGraph(MessagesState)
    builder.add_node("router", router)
    builder.add_node("alpha", to(alpha, "alpha"), destinations=("router",))
    builder.add_node("beta", to(beta, "beta"), destinations=("router",))
    builder.add_edge(START, "router")
    graph = ladder.wrap(builder, checkpointer=InMemorySaver())
    out, asked = way.invoke(graph, GO, on()), []
    while "__interrupt__" in out:
        asked.append(ladder.pending()[0].call.agent)
        out = way.invoke(graph, Command(resume={out["__interrupt__"][0].id: YES}), on())
    assert asked == ["ops/alpha", "ops/beta"]
    assert world.ran == [("send", "1")] * 2


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_supervisor_that_calls_agents_as_tools(way):
    """The tutorials' other supervisor: its agents are tools, and what they do is gated under the tools' names."""
    world, ladder = World(), ladder_of({"send": "confirm", "ask_*": READ})
    tools = [_asking(f"ask_{agent.name}", agent) for agent in _workers(world)]
    turn = says(*(tool_call(one.name, {"question": "Well?"}) for one in tools))
    graph = ladder.wrap(create_agent(ScriptedModel(answers=[turn, "All done."]), tools, checkpointer=InMemorySaver()))
    out = way.invoke(graph, GO, on())
    assert sorted(one.call.agent for one in ladder.pending()) == ["ops/ask_alpha", "ops/ask_beta"]
    way.invoke(graph, Command(resume={one.id: YES for one in out["__interrupt__"]}), on())
    assert world.ran == [("send", "1")] * 2


def _asking(name: str, agent: Any) -> StructuredTool:
    def ask(question: str) -> str:
        return str(agent.invoke({"messages": [("user", question)]})["messages"][-1].text)

    async def aask(question: str) -> str:
        return str((await agent.ainvoke({"messages": [("user", question)]}))["messages"][-1].text)

    return StructuredTool.from_function(ask, aask, name=name, description="Ask it.")


def test_a_hand_over_is_repeated_after_a_crash():
    """It has no effect, so a graph that goes on from before it hands over again, whatever became of the first one."""
    ladder, ran = ladder_of({}), []
    ladder.seat("transfer_to_bob", NOTHING, agent="ops", can_ask=True, hands_over=True)

    class Here(Alone):
        def execute(self, call: Call, *, again: bool = False) -> Outcome:
            ran.append(again)
            return Outcome("done", reply="Over to Bob.")

    call = Call("ops", "t1", "c1", "transfer_to_bob", {})
    for _ in range(2):
        assert ladder.run(call, None, Here()).state is State.DONE
    assert len(ran) == 2
