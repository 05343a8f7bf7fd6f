"""LangChain's human-in-the-loop middleware that was left in an agent under a ladder."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langgraph.types import Command

from ladder_graph.testing import calls
from tests.hosts.graphs import GO, World, agent_of, ladder_of, on, questions
from tests.hosts.mounts import INNER, MOUNTS, YES, by_guard

GIVE = calls("a", {"x": "1"})
EDIT = {"type": "edit", "edited_action": {"name": "a", "args": {"x": "2"}}}
SAID = "human-in-the-loop middleware behind the gate"


def asking(**tools):
    """The middleware."""
    return HumanInTheLoopMiddleware(tools or {"a": True})


def first(ladder, answers, tools, *outside):
    """The middleware before the ladder's."""
    return agent_of(answers, tools, middleware=[*outside, *ladder.middleware()])


@pytest.mark.parametrize("mount", INNER)
def test_behind_the_gate_it_is_said(mount, caplog):
    """Once, at the mount, with the tools; and what was edited there is refused."""
    world = World()
    with closing(ladder_of({"a": "confirm"})) as ladder, caplog.at_level(logging.WARNING):
        graph = INNER[mount](ladder, [GIVE, "Done."], [world.tool("a"), world.tool("b")], asking(a=True, b=False))
        (said,) = [one.getMessage() for one in caplog.records if SAID in one.getMessage()]
        assert said.startswith("ops has")
        assert "for a: what a person approves there is asked here again" in said
        graph.invoke(GO, on())
        out = graph.invoke(Command(resume={"decisions": [EDIT]}), on())
        assert len(questions(out)) == 1
        graph.invoke(Command(resume=YES), on())
    assert world.ran == []


@pytest.mark.parametrize("mount", [first, by_guard])
def test_before_the_gate_it_goes_together(mount, caplog):
    """What was edited there is what is asked about here, and nothing is said."""
    world = World()
    with closing(ladder_of({"a": "confirm"})) as ladder, caplog.at_level(logging.WARNING):
        graph = mount(ladder, [GIVE, "Done."], [world.tool("a")], asking())
        graph.invoke(GO, on())
        out = graph.invoke(Command(resume={"decisions": [EDIT]}), on())
        assert [one.call.arguments for one in ladder.pending()] == [{"x": "2"}]
        assert len(questions(out)) == 1
        graph.invoke(Command(resume=YES), on())
    assert world.ran == [("a", "2")]
    assert SAID not in caplog.text


class Named(AgentMiddleware):
    """Somebody's own, with a table of that name."""

    interrupt_on = {"a": ["words"]}  # noqa: RUF012  # as somebody may write it

    def after_model(self, state, runtime):
        """Do nothing."""


def test_a_table_of_the_same_name(caplog):
    """It is LangChain's middleware that is meant."""
    with closing(ladder_of({"a": "confirm"})) as ladder, caplog.at_level(logging.WARNING):
        ladder.wrap(agent_of([GIVE], [World().tool("a")], middleware=[Named()]))
    assert SAID not in caplog.text


@pytest.mark.parametrize("mount", MOUNTS)
def test_other_middleware_and_other_tools(mount, caplog):
    """Nothing is said without it, nor under `wrap` where it asks about none of the agent's tools."""
    with closing(ladder_of({"a": "confirm"})) as ladder, caplog.at_level(logging.WARNING):
        MOUNTS[mount](ladder, [GIVE], [World().tool("a")])
        ladder.wrap(agent_of([GIVE], [World().tool("a")], middleware=[asking(b=True)]))
    assert SAID not in caplog.text
