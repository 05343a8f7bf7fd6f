"""Replies from the ledger: what can't be written down of them is missing, is named, and replaces nothing."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

import pytest
from langchain.agents import AgentState
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, Send

from ladder_graph.calls import Call
from ladder_graph.facts import Reply
from ladder_graph.hosts.replies import answered, decode, encode
from ladder_graph.states import State
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, ladder_of, on
from tests.hosts.mounts import BOUNDED, MOUNTS

CALL = Call("ops", "1", "1", "load", {})


class Frame:
    """What no JSON holds, and a checkpointer that pickles does."""


class Holding(AgentState[Any]):
    """A state with more in it than messages."""

    frame: Any


def again(graph, way):
    """Run, then once more from before the tools: what the graph gets comes from the ledger."""
    way.invoke(graph, GO, on())
    (before,) = [one for one in graph.get_state_history(on()) if len(one.values.get("messages", ())) == 2]
    return way.invoke(graph, None, before.config)


def pickling():
    """A checkpointer that keeps any object."""
    return InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True))


def recalled(output):
    """What the graph gets of an output that was recorded."""
    return answered(Reply(State.DONE, recorded=encode(output)), CALL)


@pytest.mark.parametrize("way", WAYS, ids=repr)
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_value_that_was_not_kept_replaces_nothing(mount, way):
    """The state holds what it held, and the model reads that the value is missing."""
    ran = []

    @tool
    def load(call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Load."""
        ran.append(call_id)
        return Command(update={"frame": Frame(), "messages": [ToolMessage("2 rows", tool_call_id=call_id)]})

    with closing(ladder_of({"load": BOUNDED})) as ladder:
        options = {"checkpointer": pickling(), "state_schema": Holding}
        graph = MOUNTS[mount](ladder, [calls("load", {}), "Done.", "Done."], [load], **options)
        graph.update_state(on(), {"frame": "held before", "messages": []}, as_node="__start__")
        out = again(graph, way)
    assert len(ran) == 1
    assert out["frame"] == "held before"
    (answer,) = [one.text for one in out["messages"] if isinstance(one, ToolMessage)]
    assert answer.startswith("NOT KEPT of this answer of load")
    assert "what it put into the state as `frame`" in answer
    assert answer.endswith("\n\n2 rows")


@pytest.mark.parametrize("mount", MOUNTS)
def test_an_artifact_that_was_not_kept_is_told(mount):
    """What an app shows isn't there, and the model doesn't believe that it is."""

    @tool(response_format="content_and_artifact")
    def chart() -> tuple[str, Any]:
        """Draw."""
        return "the chart is shown", Frame()

    with closing(ladder_of({"chart": BOUNDED})) as ladder:
        graph = MOUNTS[mount](ladder, [calls("chart", {}), "Done.", "Done."], [chart], checkpointer=pickling())
        out = again(graph, WAYS[0])
    (answer,) = [one for one in out["messages"] if isinstance(one, ToolMessage)]
    assert answer.artifact is None
    assert answer.text.startswith("NOT KEPT of this answer of chart, since it can't be written down: its artifact.")


def test_what_can_be_written_down_is_kept_beside():
    """Other values, other messages, and what else a message carries."""
    message = ToolMessage(
        "ok", tool_call_id="1", artifact=Frame(), additional_kwargs={"a": 1}, response_metadata={"b": 2}
    )
    told = recalled(
        Command(update={"n": 1, "held": [{"a": Frame(), "b": 1}], "messages": [HumanMessage("x"), message]})
    )
    assert told.update["n"] == 1
    assert "held" not in told.update
    said, answer = told.update["messages"]
    assert said.text == "x"
    assert answer.additional_kwargs["a"] == 1
    assert answer.response_metadata == {"b": 2}
    assert "its artifact" in answer.text
    assert "what it put into the state as `held`" in answer.text


def test_a_message_and_a_way_on_that_hold_objects_are_recorded():
    """The effect has happened: nothing in its answer may keep it from being recorded."""
    message = ToolMessage([{"type": "text", "text": "ok"}, {"type": "chart", "of": Frame()}], tool_call_id="1")
    told = recalled(Command(update={"messages": [message]}, goto=[Send("draw", {"frame": Frame()}), "tell"]))
    assert told.goto == ["tell"]
    (answer,) = told.update["messages"]
    assert answer.text.endswith("what its content held beside text.\n\nok")
    assert "what it sent to `draw`" in answer.text


def test_what_is_kept_whole_says_nothing():
    """A recorded answer is the tool's own."""
    output = [
        Command(update={"n": 1}, goto=["tell"]),
        {"messages": [ToolMessage("ok", tool_call_id="1", artifact={"a": 1})]},
    ]
    assert recalled(output) == decode(encode(output)) == output
