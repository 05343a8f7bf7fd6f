"""The testing kit: what it scripts is what LangChain sees."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from ladder_graph.testing import FrozenClock, ScriptedModel, ScriptedReviewer, ScriptEnded, calls, says, tool_call


@tool
def send(to: str) -> str:
    """Send it."""
    return to


def test_answers_come_in_order_as_messages_texts_or_functions():
    """Each answer is given once; a function sees the conversation."""
    model = ScriptedModel(answers=[calls("send", {"to": "ana"}), "two", lambda messages: f"{len(messages)} so far"])
    first, second, third = (model.invoke([HumanMessage("hi")] * 3) for _ in range(3))
    assert (first.tool_calls[0]["name"], second.text, third.text) == ("send", "two", "3 so far")
    assert model.left == 0
    assert [len(shown) for shown in model.asked] == [3, 3, 3]


async def test_it_answers_the_same_in_async_and_streams():
    """Sync, async and streaming callers get the scripted answer."""
    model = ScriptedModel(answers=[calls("send", {"to": "ana"})] * 4)
    whole = await model.ainvoke("hi")
    streamed = [chunk async for chunk in model.astream("hi")]
    plain = list(model.stream("hi"))
    assert whole.tool_calls[0]["args"] == {"to": "ana"}
    assert streamed[0].tool_calls[0]["args"] == plain[0].tool_calls[0]["args"] == {"to": "ana"}


def test_a_script_that_has_ended_says_so():
    """Asked once more than it has answers, it fails the test with its name and the last message."""
    model = ScriptedModel(answers=["a"], model_name="gpt-5")
    model.invoke("hi")
    with pytest.raises(ScriptEnded, match=r"gpt-5 has 1 answer, and it was asked again: 'more\?'") as error:
        model.invoke("more?")
    assert isinstance(error.value, AssertionError)


def test_ids_are_the_same_in_each_run_and_unique_in_a_thread():
    """Two models with one script give the same call ids; no id comes twice, even where a message object does."""
    answer = says(tool_call("send"), tool_call("send"))
    runs = []
    for _ in range(2):
        model = ScriptedModel(answers=[answer, answer])
        runs.append([call["id"] for text in ("a", "b") for call in model.invoke(text).tool_calls])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 4
    assert all(runs[0])


def test_a_new_model_that_goes_on_with_a_thread_gives_new_ids():
    """In another process the script starts again, and a longer conversation keeps the ids apart."""
    first = ScriptedModel(answers=[calls("send")]).invoke([HumanMessage("hi")])
    second = ScriptedModel(answers=[calls("send")]).invoke([HumanMessage("hi"), first, HumanMessage("on")])
    assert first.tool_calls[0]["id"] != second.tool_calls[0]["id"]


def test_given_ids_are_kept_and_none_stays_none():
    """A test may choose an id, or leave a call without one."""
    said = ScriptedModel(answers=[says(tool_call("send", id="mine"), tool_call("send", id=None))]).invoke("hi")
    assert [call["id"] for call in said.tool_calls] == ["mine", None]


def test_message_ids_are_unique():
    """Messages are told apart by LangChain's own ids."""
    model = ScriptedModel(answers=["a", "a"])
    first, second = model.invoke("hi"), model.invoke("hi")
    assert first.id
    assert first.id != second.id


@pytest.mark.parametrize(("reported", "seen"), [(None, "gpt-5"), ("gpt-5-2025-08-07", "gpt-5-2025-08-07"), ("", None)])
def test_it_reports_the_model_it_is_told_to(reported, seen):
    """The answer bears the reported id, the requested one by default, or none."""
    said = ScriptedModel(answers=["a"], model_name="gpt-5", reported=reported).invoke("hi")
    assert said.response_metadata.get("model_name") == seen


def test_an_answer_with_its_own_metadata_keeps_it():
    """One answer may come from another snapshot than the rest."""
    said = ScriptedModel(answers=[AIMessage("a", response_metadata={"model_name": "x"})]).invoke("hi")
    assert said.response_metadata["model_name"] == "x"


def test_the_schema_of_an_answer_is_a_function():
    """LangChain's own middleware binds one as it is, and it is no tool of the provider's."""
    schema = {"title": "Choice", "description": "Choose.", "type": "object", "properties": {"tool": {"type": "string"}}}
    (bound,) = ScriptedModel(answers=["a"]).bind_tools([schema]).kwargs["tools"]
    assert (bound["type"], bound["function"]["name"]) == ("function", "Choice")


def test_bound_tools_reach_the_request():
    """A tool is shown in OpenAI's form; a provider's own tool passes through as it is."""
    bound = ScriptedModel(answers=["a"]).bind_tools([send, {"type": "web_search"}])
    shown = bound.kwargs["tools"]
    assert [each.get("function", each).get("name", each["type"]) for each in shown] == ["send", "web_search"]


def test_a_script_is_not_changed_by_being_said():
    """The same answer object can stand in several scripts."""
    answer = calls("send")
    ScriptedModel(answers=[answer]).invoke("hi")
    assert (answer.tool_calls[0]["id"], answer.id, answer.response_metadata) == ("", None, {})


def test_a_frozen_clock_moves_only_when_told():
    """Time stands still, goes on by seconds or a timedelta, and always has a zone."""
    clock = FrozenClock(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    assert clock() == clock() == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert clock.advance(60) == clock() == dt.datetime(2026, 3, 1, 0, 1, tzinfo=dt.UTC)
    assert clock.advance(dt.timedelta(days=1)).day == 2
    with pytest.raises(ValueError, match="has no timezone"):
        FrozenClock(dt.datetime(2026, 3, 1))  # noqa: DTZ001  # the point of the test


class Desk:
    """A stand-in for a ladder: it keeps what was answered."""

    def __init__(self, *tools: str) -> None:
        self.open = [
            SimpleNamespace(id=f"q{i}", digest=f"d{i}", typed_value="orders", call=SimpleNamespace(tool=tool))
            for i, tool in enumerate(tools)
        ]
        self.said: list[tuple[object, ...]] = []

    def pending(self):
        """What is open."""
        return list(self.open)

    def approve(self, question, *, by, typed=None, digest=None):
        """Keep a yes."""
        self.said.append(("approve", question, by, typed, digest))
        return question

    def decline(self, question, *, by, reason):
        """Keep a no."""
        self.said.append(("decline", question, by, reason))
        return question


def test_a_reviewer_answers_by_rule_and_leaves_the_rest_open():
    """Approving shows the digest and types what must be typed; a tool without a rule is nobody's business."""
    desk = Desk("drop", "send", "other", "maybe")
    rules = {"drop": "approve", "send": lambda question: "decline", "maybe": lambda question: None}
    assert ScriptedReviewer(desk, "ana", rules, reason="not today").answer() == ["q0", "q1"]
    assert desk.said == [("approve", "q0", "ana", "orders", "d0"), ("decline", "q1", "ana", "not today")]


def test_a_rule_that_makes_no_sense_answers_nothing():
    """An unreadable rule is an error, never a yes."""
    desk = Desk("send")
    with pytest.raises(ValueError, match="the rule for send said 'yes'"):
        ScriptedReviewer(desk, "ana", {"send": "yes"}).answer()
    assert desk.said == []
