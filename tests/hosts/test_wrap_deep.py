"""`wrap` on `create_deep_agent`: the tools of its sub-agents are gated too, whichever way they came in."""

from __future__ import annotations

from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph.testing import FrozenClock, ScriptedModel, calls, says, tool_call
from tests.hosts.graphs import GO, READ, WAYS, World, ladder_of, on, questions, texts, told

YES = {"type": "approve", "by": "ana"}
RUNGS = {"task": READ, "look": READ, "send": "confirm"}
WORK = says(tool_call("look", {"x": "1"}), tool_call("send", {"x": "2"}))


def delegate(*names: str) -> Any:
    """A turn that hands work to sub-agents."""
    return says(*[tool_call("task", {"description": "Work.", "subagent_type": name}) for name in names])


def deep(world: World, *, to: tuple[str, ...], declared: int = 1) -> Any:
    """A deep agent with the general-purpose sub-agent, a declared one and a compiled one."""
    tools = [world.tool("look"), world.tool("send")]
    general = [delegate(*to), *[WORK, "General done."] * ("general-purpose" in to), "All done."]
    compiled = create_agent(ScriptedModel(answers=[WORK, "Compiled done."]), tools)
    subagents: list[Any] = [
        {"name": "writer", "description": "Writes.", "system_prompt": "Write.", "tools": tools,
         "model": ScriptedModel(answers=[WORK, "Writer done."] * declared)},
        {"name": "packed", "description": "Is compiled.", "runnable": compiled},
    ]  # fmt: skip
    return create_deep_agent(
        ScriptedModel(answers=general), tools=tools, subagents=subagents, checkpointer=InMemorySaver()
    )


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("name", ["general-purpose", "writer", "packed"])
def test_a_sub_agents_tools_are_gated(way, name):
    """A question inside a sub-agent comes out with its name, is answered and resumed; its sibling isn't run again."""
    world = World()
    ladder = ladder_of(RUNGS)
    graph = ladder.wrap(deep(world, to=(name,)))
    out = way.invoke(graph, GO, on())
    assert world.ran == [("look", "1")]
    (question,) = questions(out)
    (pending,) = ladder.pending()
    assert (pending.id, pending.call.agent) == (question["question"], f"ops/{name}")
    assert way.next(graph, on()) == ("report",)
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("look", "1"), ("send", "2")]
    assert texts(out)[-1] == "All done."
    assert ladder.verify().ok
    assert {cell.agent for cell in ladder.status()} >= {"ops", f"ops/{name}"}


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_approved_elsewhere(way):
    """A sub-agent's question may be approved through the ladder, and the thread resumed with nothing."""
    world = World()
    ladder = ladder_of(RUNGS)
    graph = ladder.wrap(deep(world, to=("writer",)))
    way.invoke(graph, GO, on())
    ladder.approve(ladder.pending()[0].id, by="ana")
    out = way.invoke(graph, None, on())
    assert world.ran == [("look", "1"), ("send", "2")]
    assert texts(out)[-1] == "All done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_two_sub_agents_at_once(way):
    """Two sub-agents that ask at the same time are answered each by itself."""
    world = World()
    ladder = ladder_of(RUNGS)
    graph = ladder.wrap(deep(world, to=("writer", "packed")))
    out = way.invoke(graph, GO, on())
    asked = {interrupt.value["ladder"]["question"]: interrupt.id for interrupt in out["__interrupt__"]}
    by_agent = {question.call.agent: asked[question.id] for question in ladder.pending()}
    assert set(by_agent) == {"ops/writer", "ops/packed"}
    no = {"type": "decline", "by": "ana", "reason": "not this one"}
    out = way.invoke(graph, Command(resume={by_agent["ops/writer"]: no}), on())
    assert len(out["__interrupt__"]) == 1
    out = way.invoke(graph, Command(resume={by_agent["ops/packed"]: YES}), on())
    assert world.ran.count(("send", "2")) == 1
    assert world.ran.count(("look", "1")) == 2
    assert texts(out)[-1] == "All done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_a_question_about_the_delegation_itself(way):
    """Where handing over needs a yes and the sub-agent's tool another, the first answer isn't taken for the second."""
    world = World()
    ladder = ladder_of({**RUNGS, "task": "confirm"})
    graph = ladder.wrap(deep(world, to=("writer",)))
    way.invoke(graph, GO, on())
    assert [question.call.tool for question in ladder.pending()] == ["task"]
    way.invoke(graph, Command(resume=YES), on())
    assert [question.call.tool for question in ladder.pending()] == ["send"]
    assert world.ran == [("look", "1")]
    # LangGraph keeps that answer with the checkpoint, and gives it to whatever is asked at the next resume.
    way.invoke(graph, None, on())
    assert [question.call.tool for question in ladder.pending()] == ["send"]
    assert world.ran == [("look", "1")]
    out = way.invoke(graph, Command(resume={"type": "decline", "by": "ana", "reason": "no"}), on())
    assert world.ran == [("look", "1")]
    assert texts(out)[-1] == "All done."


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_agent_as_a_tool(way):
    """An agent that a hand-written tool runs is gated under the tool's name; the given tool is left as it is."""
    from langchain_core.tools import tool

    world = World()
    inner = create_agent(ScriptedModel(answers=[WORK, "Inner done."] * 2), [world.tool("look"), world.tool("send")])

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        return inner.invoke({"messages": [("user", question)]})["messages"][-1].text

    if repr(way) == "async":

        @tool("ask_expert")
        async def ask_expert(question: str) -> str:
            """Ask the expert."""
            return (await inner.ainvoke({"messages": [("user", question)]}))["messages"][-1].text

    ladder = ladder_of({**RUNGS, "ask_expert": READ})
    outer = create_agent(
        ScriptedModel(answers=[calls("ask_expert", {"question": "Well?"}), "Done."]),
        [ask_expert],
        checkpointer=InMemorySaver(),
    )
    graph = ladder.wrap(outer)
    way.invoke(graph, GO, on())
    assert ladder.pending()[0].call.agent == "ops/ask_expert"
    out = way.invoke(graph, Command(resume=YES), on())
    assert world.ran == [("look", "1"), ("send", "2")]
    assert told(out) == [("ask_expert", "Inner done.")]


def test_the_same_steps_as_without_a_ladder():
    """A deep agent on top of the ladder reads the same from its file tools, and of a tool that isn't there."""
    names = ["no_such_tool", "ls", "read_file", "write_file", "edit_file", "glob", "grep"]

    def run(wrapped):
        turn = says(
            tool_call("write_file", {"file_path": "/a.txt", "content": "one\ntwo"}),
            tool_call("no_such_tool", {"x": "1"}),
        )
        script = [turn, calls("read_file", {"file_path": "/a.txt"}), calls("ls", {"path": "/"}), "Done."]
        agent = create_deep_agent(ScriptedModel(answers=script), checkpointer=InMemorySaver())
        graph = ladder_of(dict.fromkeys(names, READ)).wrap(agent) if wrapped else agent
        return graph.invoke(GO, on())

    one, other = run(wrapped=False), run(wrapped=True)
    assert told(one) == told(other)
    assert list(one["files"]) == list(other["files"])
    assert len(told(other)) == 4


def test_a_sub_agent_that_would_be_built_at_run_time():
    """A setting that makes deepagents build a sub-agent past the gate is refused; nothing runs."""
    world = World()
    graph = ladder_of(RUNGS).wrap(deep(world, to=("writer",)))
    schema = {"title": "Out", "type": "object", "properties": {"x": {"type": "string"}}}
    out = graph.invoke(GO, on(__deepagents_subagent_response_format=schema))
    assert world.ran == []
    assert "an agent that no gate sees" in told(out)[0][1]


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_parallel_sub_agents_with_one_question_at_a_time(way):
    """Two sub-agents are set to work at once; where one question is asked at a time, the second one waits for it."""
    world, clock = World(), FrozenClock()
    ladder = ladder_of(RUNGS, ask="one", clock=clock)
    graph = ladder.wrap(deep(world, to=("writer", "packed")))
    out = way.invoke(graph, GO, on())
    agents = []
    while "__interrupt__" in out:
        (pending,) = ladder.pending()
        assert len(out["__interrupt__"]) == 1
        agents.append(pending.call.agent)
        clock.advance(1)
        out = way.invoke(graph, Command(resume={"decisions": [YES]}), on())
    assert agents == ["ops/writer", "ops/packed"]
    assert sorted(world.ran) == [("look", "1")] * 2 + [("send", "2")] * 2
    assert texts(out)[-1] == "All done."
