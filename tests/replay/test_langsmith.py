"""Runs of LangSmith as its client sends and lists them."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from ladder_graph.replay import CRITICAL, Decided

RECORDED = gzip.decompress((Path(__file__).parents[1] / "data" / "traces" / "langsmith.jsonl.gz").read_bytes()).decode()


def test_a_real_run_with_a_persons_answers_is_read(reading):
    """It spreads over three traces of a thread; the rejected call was never run, and the edited one in another form."""
    (run, failed), told = reading(RECORDED)
    assert (run.id, run.said, told) == ("thread-7", ("Tell ana@x.org how web and db are doing.",), [])
    assert [(call.turn, call.tool, call.fate, call.decided, call.matched) for call in run.calls] == [
        (0, "read_status", "done", None, "id"),
        (0, "read_status", "done", None, "id"),
        (1, "send_mail", "edited", Decided(answer="edit"), "id"),
        (2, "send_mail", "declined", Decided(answer="decline"), "id"),
    ]
    assert [call.arguments for call in run.calls] == [
        {"service": "web"},
        {"service": "db"},
        {"to": "ana@x.org", "text": "Both are up."},
        {"to": "bob@x.org", "text": "Both are up."},
    ]
    assert [call.output for call in run.calls[:3]] == ["web is up", "db is up", "sent to ana@x.org"]
    assert {call.model for call in run.calls} == {"scripted-1"}
    assert [(call.fate, call.silent) for call in failed.calls] == [("failed", True)]


def test_any_order_and_each_envelope_is_read_alike(reading):
    """Lines, an array, and what the API answers; texts in place of objects, as exports of tables have them."""
    rows = [json.loads(line) for line in RECORDED.splitlines()]
    expected = {run.id: run.calls for run in reading(RECORDED)[0]}
    random.Random(1).shuffle(rows)  # noqa: S311  # any order will do
    texts = [{key: json.dumps(one) if isinstance(one, dict) else one for key, one in row.items()} for row in rows]
    for form in (json.dumps(rows), json.dumps({"runs": rows}), json.dumps({"data": rows}, indent=1)):
        assert {run.id: run.calls for run in reading(form)[0]} == expected
    assert {run.id: run.calls for run in reading(*texts)[0]} == expected


def row(kind="tool", *, trace="t1", id_="r1", at=1, until=2, **more):
    """A run, at seconds after an hour; in UTC, as LangSmith writes it, without saying so."""
    return {
        "id": id_,
        "trace_id": trace,
        "run_type": kind,
        "name": "send",
        "start_time": f"2026-11-23T10:00:{at:02}",
        "end_time": None if until is None else f"2026-11-23T10:00:{until:02}",
        "inputs": {"to": "ana"},
        "outputs": {"output": "sent"},
        **more,
    }


@pytest.mark.parametrize(
    ("feedback", "labels"),
    [
        (None, None),
        ({"helpfulness": {"n": 1, "avg": 1.0}}, None),
        ({"Critical": {"n": 2, "avg": 0.5}}, {CRITICAL}),
        ({"wrong": {"n": 1, "avg": 1}, "unsafe": {"n": 1, "avg": 0}}, {CRITICAL}),
        ({"critical": {"n": 3, "avg": 0.0}}, frozenset()),
        ({"critical": {"n": 3, "avg": None}}, None),
        ({"critical": "yes"}, None),
    ],
)
def test_feedback_on_a_call_is_its_label(reading, feedback, labels):
    """Only by the keys that are documented; where nobody looked there is none."""
    (run,), _ = reading(row(feedback_stats=feedback))
    assert run.calls[0].labels == labels


@pytest.mark.parametrize(
    ("feedback", "solved", "harmed"),
    [
        ({}, None, False),
        ({"correctness": {"avg": 0.5}}, True, False),
        ({"solved": {"avg": 1}, "success": {"avg": 0.2}}, False, False),
        ({"attack_success": {"avg": 0.1}}, None, True),
    ],
)
def test_feedback_on_a_whole_run_is_its_verdict(reading, feedback, solved, harmed):
    """That of the run that has no parent."""
    whole = row("chain", id_="root", feedback_stats=feedback)
    (run,), _ = reading(whole, row(parent_run_id="root", feedback_stats={"solved": {"avg": 1}}))
    assert (run.solved, run.harmed) == (solved, harmed)


def test_a_text_alone_under_input_isnt_taken_for_arguments(reading):
    """It may be all that a tool was called with, or its one argument; nobody can tell."""
    (run,), told = reading(
        row(inputs={"input": "ana"}), row(id_="r2", at=3, until=4, inputs={"input": "ana", "to": "x"})
    )
    assert [call.arguments for call in run.calls] == [None, {"input": "ana", "to": "x"}]
    assert told[0].startswith(":t1: call 1, send: its arguments are no JSON")


def test_hidden_inputs_arent_taken_for_none(reading):
    """LangSmith writes an empty object where it was told to hide them, or wasn't asked for them."""
    (run,), told = reading(row(inputs={}))
    assert run.calls[0].arguments is None
    assert told[0] == ":t1: call 1, send: its arguments aren't recorded"


def test_a_call_that_waits_has_not_failed(reading):
    """Where a person is asked within the tool, it raises, and goes on later in the same thread."""
    about = {"extra": {"tool_call_id": "c1", "metadata": {"thread_id": "s"}}}
    waits = row(error="GraphInterrupt((Interrupt(value=...),))", outputs=None, **about)
    (run,), told = reading(waits, row(trace="t2", id_="r2", at=5, until=6, **about))
    assert [(call.fate, call.output) for call in run.calls] == [("done", "sent")]
    assert (run.id, told) == ("s", [])


def test_openais_answers_are_read_too(reading):
    """As LangSmith's wrapper of OpenAI's client traces them."""
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "function": {"name": "send", "arguments": '{"to": "ana"}'}}],
    }
    asked = row(
        "llm",
        id_="r0",
        at=0,
        until=1,
        inputs={"messages": [{"role": "user", "content": "Write to Ana."}]},
        outputs={"choices": [{"message": message}]},
        prompt_tokens=3,
        completion_tokens=4,
    )
    (run,), told = reading(asked, row(extra={"tool_call_id": "c1"}))
    (call,) = run.calls
    assert (run.said, call.arguments, call.matched, call.tokens, told) == (
        ("Write to Ana.",), {"to": "ana"}, "id", (3, 4), [],
    )  # fmt: skip


@pytest.mark.parametrize("type_", [{"id": "1", "name": "Bug"}, ["string", "null"], 7])
def test_what_a_tool_answers_may_have_a_type_of_its_own(reading, type_):
    """As a Jira issue and a JSON Schema have one: it is no message, and the whole of it is the result."""
    runs, _ = reading(row(outputs={"output": {"type": type_, "content": "broken"}}), row(trace="t2", id_="r2"))
    assert [call.output for run in runs for call in run.calls] == [
        json.dumps({"content": "broken", "type": type_}), "sent",
    ]  # fmt: skip


def test_what_is_no_run_is_told_and_the_rest_goes_on(reading):
    """With its line."""
    (run,), told = reading(row(), {"run_type": "tool"}, "[1]", '{"id": "r9", "run', row(id_="r2", at=3, until=4))
    assert len(run.calls) == 2
    assert [text.split(":")[1] for text in told[:3]] == ["2", "3", "4"]
