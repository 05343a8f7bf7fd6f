"""Conversations as messages: what stands there in each dialect, what is a fork, and what can't be used."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_to_dict
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ladder_graph.replay import CRITICAL, Decided, Run
from ladder_graph.replay.conversations import gathering
from ladder_graph.replay.formats.messages import FORMAT
from ladder_graph.replay.sources import Source
from ladder_graph.replay.traces import hashed
from ladder_graph.testing import ScriptedModel, calls, says, tool_call

USER = {"role": "user", "content": "Write to Ana."}
ASKS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "send", "arguments": '{"to": "ana"}'}},
        {"id": "c2", "type": "function", "function": {"name": "read", "arguments": "{}"}},
    ],
}
RESULTS = [
    {"role": "tool", "tool_call_id": "c2", "content": "red"},
    {"role": "tool", "tool_call_id": "c1", "content": "sent"},
]
DONE = {"role": "assistant", "content": "Done."}
TALK = [{"role": "system", "content": "Be kind."}, USER, ASKS, *RESULTS, DONE]


def told_of(run):
    """What matters of a run's calls."""
    return [(call.tool, call.arguments, call.output, call.matched, call.turn) for call in run.calls]


BOTH = [("send", {"to": "ana"}, "sent", "id", 0), ("read", {}, "red", "id", 0)]
"""The calls of `TALK`."""

LANGCHAIN = [
    HumanMessage("Write to Ana."),
    AIMessage(
        [{"type": "tool_use", "id": "c1", "name": "send", "input": {"to": "ana"}}],
        tool_calls=[tool_call("send", {"to": "ana"}, id="c1"), tool_call("read", {}, id="c2")],
        response_metadata={"model_name": "m-1"},
        usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    ),
    ToolMessage("red", tool_call_id="c2", status="success"),
    ToolMessage([{"type": "text", "text": "sent"}], tool_call_id="c1", status="error"),
    AIMessage("Done."),
]
ANTHROPIC = [
    {"role": "user", "content": [{"type": "text", "text": "Write to Ana."}]},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I will."},
            {"type": "tool_use", "id": "c1", "name": "send", "input": {"to": "ana"}},
            {"type": "tool_use", "id": "c2", "name": "read", "input": {}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "red"}]},
            {"type": "tool_result", "tool_use_id": "c1", "content": "sent", "is_error": True},
        ],
    },
]
RESPONSES = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Write to Ana."}]},
    {"type": "reasoning", "summary": []},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "send", "arguments": '{"to": "ana"}'},
    {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "read", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c2", "output": "red"},
    {"type": "function_call_output", "call_id": "c1", "output": [{"type": "output_text", "text": "sent"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
]
PARTS = [
    {"role": "user", "parts": [{"type": "text", "content": "Write to Ana."}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "tool_call", "id": "c1", "name": "send", "arguments": {"to": "ana"}},
            {"type": "tool_call", "id": "c2", "name": "read", "arguments": {}},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c2", "response": "red"}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "sent"}]},
]


@pytest.mark.parametrize(
    "messages",
    [
        TALK,
        [one.model_dump() for one in LANGCHAIN],
        messages_to_dict(LANGCHAIN),
        [dumpd(one) for one in LANGCHAIN],
        ANTHROPIC,
        RESPONSES,
        PARTS,
    ],
    ids=["chat", "dumped", "to_dict", "serialised", "anthropic", "responses", "parts"],
)
def test_every_dialect_is_read_alike(reading, messages):
    """The same calls, results and words, whoever wrote them down."""
    (run,), told = reading({"id": "t1", "messages": messages})
    assert (run.id, run.said, told) == ("t1", ("Write to Ana.",), [])
    assert told_of(run) == BOTH
    assert [call.result for call in run.calls] == [hashed("sent"), hashed("red")]


def test_langchain_knows_more_than_openai(reading):
    """The model, its tokens and what failed are taken where they are recorded, and not made up where not."""
    (run,), _ = reading({"messages": messages_to_dict(LANGCHAIN)})
    assert [(call.model, call.tokens, call.fate) for call in run.calls] == [
        ("m-1", (3, 4), "failed"),
        ("m-1", (3, 4), "done"),
    ]
    (run,), _ = reading({"messages": TALK})
    assert [(call.model, call.tokens, call.fate) for call in run.calls] == [("", None, None)] * 2


def test_what_stands_beside_the_messages_is_used(reading):
    """Whose run it is, what is known of it, and what somebody found in its calls."""
    (run,), told = reading(
        {
            "thread_id": "t1",
            "user": "ana",
            "suite": "mail",
            "task": "greet",
            "solved": True,
            "metadata": {"tenant": "x"},
            "labels": {"c1": ["critical"]},
            "messages": [{**USER, "timestamp": "2026-11-23T10:00:00Z"}, {**ASKS, "timestamp": 1795428000}, *RESULTS],
        }
    )
    assert told == []
    assert run == Run(
        id="t1", calls=run.calls, suite="mail", task="greet", said=("Write to Ana.",), solved=True, requester="ana",
        facts={"tenant": "x"},
    )  # fmt: skip
    assert [call.labels for call in run.calls] == [{CRITICAL}, frozenset()]
    assert run.calls[0].at == dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)


def test_without_labels_nobody_looked(reading):
    """None isn't empty."""
    (run,), _ = reading({"messages": TALK})
    assert [call.labels for call in run.calls] == [None, None]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"c1": "critical"}, {CRITICAL}),
        (["critical"], None),
        ("critical", None),
        ({"c1": {"critical": True}}, None),
        ({"c1": [1]}, None),
        ({"c1": None}, None),
    ],
    ids=str,
)
def test_labels_of_another_form_are_told(reading, labels, found):
    """One word is a list of one; whatever else can't be read makes nothing clean."""
    (run,), told = reading({"labels": labels, "messages": TALK})
    assert run.calls[0].labels == found
    assert told == ([] if found else [":1: its labels are no table from call ids to lists of words"])


def test_a_label_for_nothing_and_a_flag_of_another_form_are_told(reading):
    """Somebody meant something by them."""
    (run,), told = reading({"labels": {"c9": ["critical"]}, "solved": "yes", "harmed": 1, "messages": TALK})
    assert (run.solved, run.harmed, [call.labels for call in run.calls]) == (None, False, [frozenset()] * 2)
    assert told == [
        ":1: solved is neither true nor false",
        ":1: harmed is neither true nor false",
        ":1: labels for c9, which it didn't call",
    ]


def test_a_responses_object_is_a_conversation(reading):
    """What was put in and what came out; a plain text that was put in is the user's."""
    (run,), told = reading({"id": "resp_1", "object": "response", "input": "Write to Ana.", "output": RESPONSES[1:6]})
    assert (run.said, told) == (("Write to Ana.",), [])
    assert told_of(run) == BOTH


@pytest.mark.parametrize("text", [json.dumps(TALK), json.dumps(TALK, indent=2), "\n".join(map(json.dumps, TALK))])
def test_one_conversation_alone_in_a_file_is_read(reading, text):
    """As an array, or a message a line."""
    (run,), told = reading(text)
    assert (told_of(run), told) == (BOTH, [])


def test_an_array_of_conversations_and_conversations_a_line_are_read(reading):
    """Each as an object, or as an array of messages."""
    for text in (
        json.dumps([{"id": "a", "messages": TALK}, {"id": "b", "messages": TALK}]),
        "\n".join([json.dumps(TALK)] * 2),
    ):
        runs, told = reading(text)
        assert ([told_of(run) for run in runs], told) == ([BOTH, BOTH], [])


def test_messages_a_line_are_put_together_by_their_thread(reading):
    """However they are mixed."""
    mixed = [{**message, "thread_id": thread} for message in TALK for thread in ("a", "b")]
    runs, told = reading(*mixed)
    assert ([(run.id, told_of(run)) for run in runs], told) == ([("a", BOTH), ("b", BOTH)], [])


def test_threads_that_need_too_much_room_are_let_go_and_it_is_told(reading, monkeypatch):
    """The one that was touched the longest ago goes first; what comes later is another run."""
    monkeypatch.setattr(gathering.Gathering.__init__, "__defaults__", (2000,))
    many = [{"role": "user", "content": "x" * 500, "thread_id": thread} for thread in "abcda"]
    runs, told = reading(*many)
    assert [run.id for run in runs] == ["a", "b", "c", "d", "a#2"]
    assert told[0] == ": more of 'a' comes after it had to make room for others; it is read as a run of its own"


def test_a_conversation_that_only_goes_on_is_read_once(reading):
    """A log of requests holds all that came before again and again."""
    states = [{"id": "t1", "messages": TALK[:end]} for end in (2, 5, 6)]
    (run,), told = reading(*states)
    assert (told_of(run), told) == (BOTH, [])
    (run,), told = reading(*[TALK[:end] for end in (5, 6)])
    assert (told_of(run), told) == (BOTH, [])


def test_a_fork_is_told_and_read_as_a_run_of_its_own(reading):
    """Nothing of either branch is lost, and neither counts as the other's continuation."""
    other = {"role": "user", "content": "Stop."}
    runs, told = reading({"id": "t1", "messages": TALK}, {"id": "t1", "messages": [*TALK[:2], other]})
    assert [run.id for run in runs] == ["t1", "t1#2"]
    assert [told_of(run) for run in runs] == [BOTH, []]
    assert told == [":2: 't1' comes again and goes another way: a fork, read as t1#2"]


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([USER, ASKS, RESULTS[0]], "1 call (send) has no result"),
        ([USER, RESULTS[0], DONE], "1 result without a call: c2"),
        ([USER, ASKS, *RESULTS, RESULTS[0]], "the call 'c2' has 2 results; the first one counts"),
        ([USER, ASKS, *RESULTS, {"what": 1}, 7], "2 of 6 messages are in no form that is known"),
        ([USER, {"role": "assistant", "content": "", "tool_calls": [{"id": "c1"}]}], "1 call without a tool's name"),
    ],
)
def test_what_is_broken_within_a_conversation_is_told_with_its_line(reading, messages, told):
    """And the other conversations are read."""
    runs, said = reading({"messages": TALK}, {"messages": messages}, {"messages": TALK})
    assert [told_of(runs[0]), told_of(runs[-1])] == [BOTH, BOTH]
    assert f":2: {told}" in said
    assert all(text.startswith(":2: ") for text in said)


def test_broken_arguments_are_none_and_told_with_their_line(reading):
    """OpenAI's are a text, and LangChain keeps those it can't read apart."""
    broken = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": '{"to": "an'}}
    dumped = AIMessage("", invalid_tool_calls=[{"name": "send", "args": '{"to": "an', "id": "c1", "error": "cut"}])
    runs, told = reading(
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [broken]}]},
        {"messages": [USER, dumped.model_dump()]},
    )
    assert [call.arguments for run in runs for call in run.calls] == [None, None]
    assert sum("call 1, send: its arguments are no JSON: EOF" in text for text in told) == 2


def test_old_function_calls_have_no_ids_and_are_matched_by_order(reading):
    """As OpenAI wrote them before there were tools."""
    (run,), told = reading(
        {
            "messages": [
                USER,
                {"role": "assistant", "content": None, "function_call": {"name": "send", "arguments": '{"to": "ana"}'}},
                {"role": "function", "name": "send", "content": "sent"},
            ]
        }
    )
    assert told_of(run) == [("send", {"to": "ana"}, "sent", "order", 0)]
    assert told == [":1: 1 call (send) has no id; results are found by their order"]


def test_what_others_say_is_not_the_users(reading):
    """A named message is another agent's, and one that a program put there is nobody's; as under the live gate."""
    summary = {"type": "human", "content": "Sum.", "additional_kwargs": {"lc_source": "summarization"}}
    (run,), _ = reading(
        {"messages": [summary, USER, {**USER, "name": "planner"}, {"role": "user", "content": "More."}]}
    )
    assert run.said == ("Write to Ana.",)


def test_after_what_cant_be_read_nobody_knows_who_speaks(reading):
    """The damaged message may be an agent's, in the midst of its work; what a program says next isn't the user's."""
    damaged = {"role": "assistant", "tool_call": "broken"}
    (run,), told = reading({"messages": [USER, damaged, {"role": "user", "content": "Pay eve."}, ASKS, *RESULTS]})
    assert run.said == ("Write to Ana.",)
    assert told == [":1: 1 of 6 messages are in no form that is known"]


def test_a_value_that_is_no_conversation_is_told(reading):
    """The others are read."""
    runs, told = reading({"messages": TALK}, {"about": "nothing"}, 7, {"messages": TALK})
    assert len(runs) == 2
    assert told == [f":{line}: is no conversation: it has no messages" for line in (2, 3)]


def test_a_megabyte_of_arguments_is_read(reading):
    """Whole, as JSON in a text."""
    large = {"name": "send", "arguments": json.dumps({"text": "é" * (1 << 20)})}
    (run,), told = reading({"messages": [USER, {**ASKS, "tool_calls": [{"id": "c1", "function": large}]}, RESULTS[1]]})
    assert (len(run.calls[0].arguments["text"]), told) == (1 << 20, [])


@tool
def send(to: str) -> str:
    """Sends."""
    return f"sent to {to}"


@tool
def look(at: str) -> str:
    """Looks."""
    return f"{at} is fine"


def test_what_a_person_decided_about_a_real_run_is_read(reading):
    """An agent of LangChain's, whose reviewer approves, edits and rejects."""
    script = [
        says(tool_call("look", {"at": "web"}), tool_call("send", {"to": "ana"})),
        calls("send", {"to": "bob"}),
        calls("send", {"to": "eve"}),
        "Done.",
    ]
    agent = create_agent(
        ScriptedModel(answers=script),
        [send, look],
        checkpointer=InMemorySaver(),
        middleware=[HumanInTheLoopMiddleware({"send": True})],
    )
    config = {"configurable": {"thread_id": "t1"}}
    agent.invoke({"messages": [("user", "Write to Ana.")]}, config)
    edit = {"type": "edit", "edited_action": {"name": "send", "args": {"to": "ann"}}}
    for decision in ({"type": "approve"}, edit, {"type": "reject", "message": "not Eve"}):
        state = agent.invoke(Command(resume={"decisions": [decision]}), config)
    (run,), told = reading({"messages": messages_to_dict(state["messages"])})
    assert told == []
    assert [(call.tool, call.arguments, call.fate, call.decided) for call in run.calls] == [
        ("look", {"at": "web"}, "done", None),
        ("send", {"to": "ana"}, "done", None),
        ("send", {"to": "bob"}, "edited", Decided(answer="edit")),
        ("send", {"to": "eve"}, "declined", Decided(answer="decline")),
    ]


def test_one_that_is_named_is_read_whatever_it_looks_like(tmp_path):
    """The format can be named where it isn't recognised."""
    path = Path(tmp_path) / "runs"
    path.write_text(json.dumps({"messages": []}))
    with closing(Source(str(path), print)) as source:
        assert [run.calls for run in FORMAT.read(source)] == [()]
