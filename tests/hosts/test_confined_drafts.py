"""Drafts of tools that take something from their graph: nobody accepts one, since it could never run."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import InjectedToolCallId, StructuredTool, tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime

from ladder_graph import Ladder, Policy
from ladder_graph.errors import AnswerRefused
from ladder_graph.states import State
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.graphs import GO, agent_of, on


class Confined:
    """A ladder on which a tool is drafted that takes something from its graph."""

    def __init__(self, names, middled=False):
        self.ran = []

        def a(x: str, name: Annotated[str, InjectedState("name")], runtime: ToolRuntime) -> str:
            """Do a."""
            self.ran.append(x)
            return f"a {x}"

        def b(x: str, call_id: Annotated[str, InjectedToolCallId]) -> str:
            """Do b."""
            self.ran.append(x)
            return f"b {x}"

        def c(x: str, store: Annotated[Any, InjectedStore()]) -> str:
            """Do c."""
            self.ran.append(x)
            return f"c {x}"

        self.ladder = Ladder(
            policy=Policy(agent="ops", tools={name: {"rung": "draft"} for name in names}), ledger=":memory:"
        )
        tools = [tool(one) for one in (a, b, c)]
        tools.append(StructuredTool(name="d", description="Do d.", func=a, args_schema=SCHEMA))
        turns = [*(calls(name, {"x": "1"}) for name in names), "Done."]
        if middled:
            graph = create_agent(ScriptedModel(answers=turns), tools, middleware=self.ladder.middleware())
        else:
            graph = self.ladder.wrap(agent_of(turns, tools))
        self.out = graph.invoke(GO, on())


SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}


@pytest.mark.parametrize("middled", [False, True], ids=["wrap", "middleware"])
@pytest.mark.parametrize(
    ("name", "filled"), [("a", "name, runtime"), ("b", "call_id"), ("c", "store"), ("d", "name, runtime")]
)
def test_a_draft_that_only_its_graph_can_run_is_not_accepted(caplog, name, filled, middled):
    """Whoever accepts it is told why and what to do, here and where the tool isn't known; it can be rejected."""
    desk = Confined([name], middled)
    ladder = desk.ladder
    assert f"{name} of ops is to be drafted: a draft of {name} can't be accepted" in caplog.text
    (draft,) = ladder.drafts()
    view = ladder.draft(draft.action.key, by="ana")
    assert not view.acceptable
    assert view.will.startswith(f"A draft of {name} can't be accepted, since its graph fills in {filled}")
    said = f'since its graph fills in {filled}, and .* write rung = "confirm" for {name}'
    with pytest.raises(AnswerRefused, match=said):
        ladder.accept(draft.action.key, by="ana")
    ladder.seats, ladder._seats_of = {}, {}  # as on the command line
    with pytest.raises(AnswerRefused, match=said):
        ladder.accept(draft.action.key, by="ana", arguments={"x": "2"})
    assert (desk.ran, ladder.drafts()[0].state) == ([], "waiting")
    ladder.reject(draft.action.key, by="ana", reason="ask instead")
    assert ladder.drafts()[0].state == "rejected"
    ladder.close()


def test_what_was_accepted_and_cannot_run_comes_to_an_end():
    """As one of an earlier release: it is refused where its tool is, and its agent hears why."""
    desk = Confined(["a"])
    ladder = desk.ladder
    (draft,) = ladder.drafts()
    known, ladder.seats, ladder._seats_of = (ladder.seats, ladder._seats_of), {}, {}
    ladder._confined = lambda *_: ""
    assert ladder.accept(draft.action.key, by="ana") is None
    del ladder._confined
    ladder.seats, ladder._seats_of = known
    (reply,) = ladder.run_accepted()
    assert (reply.state, desk.ran, ladder.run_accepted()) == (State.REFUSED, [], [])
    assert reply.text.startswith("NOT RUN: a draft of a can't be accepted, since its graph fills in name, runtime")
    assert ladder.draft(draft.action.key, by="ana").record.ran == "refused"
    ladder.close()
