"""The interrupt's payload: each inbox finds its own form in it, and the ladder reads what each of them sends back."""

from __future__ import annotations

import json

import pytest
from langchain.agents.middleware import human_in_the_loop as hitl
from langgraph.types import Command
from pydantic import TypeAdapter

from ladder_graph import answer_to, answers
from ladder_graph.hosts.payload import interrupt_payload
from ladder_graph.testing import calls
from tests.hosts.graphs import GO, WAYS, World, agent_of, ladder_of, on, questions
from tests.unit.walking import CALL, question

VALUE = interrupt_payload(question())
ALL = ["approve", "reject", "edit", "respond"]


def test_langchains_own_types_read_it():
    """The batched request and the one per call, as the installed LangChain defines them, both fit."""
    batched = TypeAdapter(hitl.HITLRequest).validate_python(VALUE)
    assert [(one["name"], one["args"]) for one in batched["action_requests"]] == [("send_email", CALL.arguments)]
    assert batched["review_configs"] == [{"action_name": "send_email", "allowed_decisions": ALL}]
    single = TypeAdapter(hitl.ToolApprovalRequest).validate_python(VALUE)
    assert (single["tool_call_id"], single["name"], single["args"]) == (CALL.id, "send_email", CALL.arguments)
    assert single["description"] == batched["action_requests"][0]["description"]


def test_each_inbox_finds_what_it_reads():
    """agent-chat-ui and deep-agents-ui: `args` and both spellings of the decisions; Agent Inbox: `arguments`."""
    (request,), (config,) = VALUE["action_requests"], VALUE["review_configs"]
    assert request["args"] == request["arguments"] == CALL.arguments
    assert config["allowed_decisions"] == config["allowedDecisions"] == ALL
    assert config["action_name"] == config["actionName"] == "send_email"
    assert json.loads(json.dumps(VALUE)) == VALUE


@pytest.mark.parametrize(
    ("allowed", "told"),
    [(("approve", "decline"), ["approve", "reject"]), (("decline", "respond"), ["reject", "respond"])],
)
def test_what_a_rule_allows_is_told(allowed, told):
    """In LangChain's words for the inboxes, and in ours for programs."""
    value = interrupt_payload(question(decisions=allowed))
    assert value["review_configs"][0]["allowedDecisions"] == told
    assert value["ladder"]["decisions"] == list(allowed)


DECISIONS = [
    hitl.ApproveDecision(type="approve"),
    hitl.EditDecision(type="edit", edited_action=hitl.Action(name="send_email", args={"to": "bo"})),
    hitl.RejectDecision(type="reject", message="no"),
    hitl.RespondDecision(type="respond", message="Ask me tomorrow."),
]
MEANT = [("approve", ""), ("edit", ""), ("decline", "no"), ("respond", "Ask me tomorrow.")]


@pytest.mark.parametrize("shape", [lambda one: one, lambda one: hitl.HITLResponse(decisions=[one])])
@pytest.mark.parametrize(("decision", "meant"), list(zip(DECISIONS, MEANT, strict=True)))
def test_langchains_own_decisions_are_read(shape, decision, meant):
    """Each decision that LangChain knows, alone as in `per_call`, and in a response as in `batched`."""
    found = answers.read(shape(decision))
    assert (found.verdict, found.reason) == meant
    assert found.arguments == ({"to": "bo"} if meant[0] == "edit" else None)


@pytest.mark.parametrize(
    ("response", "meant"),
    [
        ({"type": "accept", "args": None}, ("approve", "", None)),
        ({"type": "accept", "args": {"action": "send_email", "args": CALL.arguments}}, ("approve", "", CALL.arguments)),
        ({"type": "edit", "args": {"action": "send_email", "args": {"to": "bo"}}}, ("edit", "", {"to": "bo"})),
        ({"type": "response", "args": "Ask me tomorrow."}, ("respond", "Ask me tomorrow.", None)),
        ({"type": "ignore", "args": None}, ("decline", "", None)),
    ],
)
def test_agent_inboxes_responses_are_read(response, meant):
    """Each of the four responses of Agent Inbox, which come in a list of one."""
    found = answers.read([response])
    assert (found.verdict, found.reason, found.arguments) == meant


@pytest.mark.parametrize("verdict", ["approve", "decline", "edit", "respond"])
def test_what_answer_to_builds_is_what_it_says(verdict):
    """The public way to build an answer makes one that LangChain's own schema of decisions would take as well."""
    built = answer_to(VALUE, verdict, by="ana", reason="text", arguments={"to": "bo"} if verdict == "edit" else None)
    read = answers.read(built)
    assert (read.verdict, read.by, read.named) == (verdict, "ana", True)
    assert read.arguments == ({"to": "bo"} if verdict == "edit" else None)


@pytest.mark.parametrize("way", WAYS, ids=repr)
def test_an_accept_that_carries_other_arguments_is_no_yes(way):
    """An inbox that says accept and sends changed arguments along is asked what it means."""
    world = World()
    ladder = ladder_of({"a": "confirm"})
    graph = ladder.wrap(agent_of([calls("a", {"x": "1"}), "Done."], [world.tool("a")]))
    way.invoke(graph, GO, on())
    changed = [{"type": "accept", "by": "ana", "args": {"action": "a", "args": {"x": "2"}}}]
    out = way.invoke(graph, Command(resume=changed), on())
    assert "carries other arguments" in questions(out)[0]["complaint"]
    way.invoke(
        graph, Command(resume=[{"type": "accept", "by": "ana", "args": {"action": "a", "args": {"x": "1"}}}]), on()
    )
    assert world.ran == [("a", "1")]


def test_tagged_values_come_back_whole():
    """What JSON has no form for is shown with a tag; an inbox that sends it back unchanged, or edits it, means it."""
    before = {"id": 2**60, "to": "ana", "deep": {"$odd": [2**60]}, "n": 3}
    shown = interrupt_payload(question(call=type(CALL)("ops", "t1", "c", "a", before)))["args"]
    assert answers.retyped(before, shown) == before
    assert answers.retyped(before, {**shown, "to": "bo", "n": "4"}) == {**before, "to": "bo", "n": 4}
    assert answers.retyped(before, {"deep": {"$$odd": [{"$int": str(2**61)}]}})["deep"] == {"$odd": [2**61]}
    assert answers.retyped(before, {"id": {"$int": str(2**61)}})["id"] == 2**61
    assert answers.retyped(before, {"id": {"$int": "x"}})["id"] == {"$int": "x"}
