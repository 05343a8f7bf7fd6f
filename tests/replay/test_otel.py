"""Spans as they were recorded, in each form in which they come, and damaged."""

from __future__ import annotations

import copy
import gzip
import json
import random
from contextlib import closing
from pathlib import Path

import pytest

from ladder_graph.replay.conversations import gathering
from ladder_graph.replay.formats.otel import FORMAT
from ladder_graph.replay.sources import Source

TRACES = Path(__file__).parents[1] / "data" / "traces"
MAIL = {"to": "ana@x.org", "text": "Both are up."}
CALLS = [
    (0, "read_status", {"service": "web"}, "web is up", "id", "done", 1),
    (0, "read_status", {"service": "db"}, "db is up", "id", "done", 1),
    (1, "send_mail", MAIL, "sent to ana@x.org", "id", "done", 1),
]
"""What the recorded agents did."""
SAID = ("Tell ana@x.org how web and db are doing.",)


def recorded(name):
    """A recording's text."""
    return gzip.decompress((TRACES / f"{name}.gz").read_bytes()).decode()


def told_of(run):
    """What matters of a run's calls."""
    return [
        (call.turn, call.tool, call.arguments, call.output, call.matched, call.fate, call.heard) for call in run.calls
    ]


@pytest.mark.parametrize("name", ["openinference.console.json", "openinference.otlp.jsonl"])
def test_spans_of_openinference_are_read_in_both_forms(reading, name):
    """Of a real run: what the model proposed, what the tools answered, whose it was and which thread."""
    (run, failed), told = reading(recorded(name))
    assert (run.id, run.suite, run.requester, run.said) == ("thread-7", "status-agent", "ana", SAID)
    assert told_of(run) == CALLS
    assert {call.model for call in run.calls} == {"scripted-1"}
    assert all(call.at.tzinfo is not None and call.at < call.ended for call in run.calls)
    assert [call.fate for call in failed.calls] == ["failed"]
    assert failed.calls[0].arguments == {"to": "nobody@x.org", "text": "?"}
    (text,) = told
    assert text.endswith("1 call (send_mail) has a result without an id, which was found by its order")


def test_spans_of_the_genai_conventions_are_read(reading):
    """Of another framework's real run, which bears ids and tokens."""
    (run,), told = reading(recorded("genai.otlp.json"))
    assert (run.suite, run.said, told) == ("status", SAID, [])
    assert told_of(run) == CALLS
    assert [call.tokens for call in run.calls] == [(60, 10), (60, 10), (66, 20)]


def test_spans_may_come_in_any_order_and_mixed(reading):
    """Traces interleave, and children come before their parents."""
    lines = recorded("openinference.otlp.jsonl").splitlines()
    spans = [
        {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
        for line in lines
        for one in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ]
    expected = {run.id: told_of(run) for run in reading(*spans)[0]}
    for seed in range(5):
        random.Random(seed).shuffle(spans)  # noqa: S311  # any order will do
        assert {run.id: told_of(run) for run in reading(*spans)[0]} == expected


def test_one_document_over_several_lines_is_read(reading):
    """As somebody may have formatted it."""
    (run,), told = reading(json.dumps(json.loads(recorded("genai.otlp.json")), indent=2))
    assert (told_of(run), told) == (CALLS, [])


def span(name="execute_tool read", trace="t1", at=1, until=2, parent="", id_="", status=None, **attributes):
    """A span as the SDK prints it, at seconds after an hour."""
    moment = "2026-11-23T10:00:{:02}Z".format
    return {
        "name": name,
        "context": {"trace_id": trace, "span_id": id_ or f"{name}{at}"},
        "parent_id": parent or None,
        "start_time": moment(at),
        "end_time": None if until is None else moment(until),
        "status": {"status_code": status or "UNSET"},
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
    }


def tool(name="read", *, at=1, until=2, id_="c1", arguments="{}", result="red", **more):
    """A tool's span by the GenAI conventions; None leaves an attribute out."""
    attributes = {
        "gen_ai__operation__name": "execute_tool",
        "gen_ai__tool__name": name,
        "gen_ai__tool__call__id": id_,
        "gen_ai__tool__call__arguments": arguments,
        "gen_ai__tool__call__result": result,
    }
    given = {key: value for key, value in attributes.items() if value is not None}
    return span(f"execute_tool {name}", at=at, until=until, **{**given, **more})


def answer(*calls, at=0, until=1, said=None, **more):
    """A model's span; `calls` are names with ids and arguments."""
    parts = [{"type": "tool_call", "name": name, "id": id_, "arguments": given} for name, id_, given in calls]
    attributes = {
        "gen_ai__operation__name": "chat",
        "gen_ai__output__messages": json.dumps([{"role": "assistant", "parts": parts}]),
    }
    if said is not None:
        words = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in said]
        attributes["gen_ai__input__messages"] = json.dumps(words)
    return span("chat m", at=at, until=until, **attributes, **more)


def test_tools_without_a_models_answer_are_calls_by_themselves(reading):
    """Where only tools are traced: what overlaps is one turn, and whose words it follows isn't known."""
    (run,), told = reading(
        tool(at=1, until=4), tool("send", at=2, until=3, id_="c2"), tool("send", at=5, until=6, id_="c3")
    )
    assert [(call.tool, call.turn, call.arguments, call.fate) for call in run.calls] == [
        ("read", 0, {}, "done"), ("send", 0, {}, "done"), ("send", 1, {}, "done"),
    ]  # fmt: skip
    assert (run.said, told) == (None, [])


def test_what_wasnt_captured_is_none_and_told(reading):
    """Content is off by default in many instrumentations."""
    (run,), told = reading(tool(arguments=None, result=None))
    (call,) = run.calls
    assert (call.arguments, call.output, call.result, call.fate) == (None, None, "", "done")
    assert told == [":t1: call 1, read: its arguments aren't recorded"]


def test_what_a_tool_may_be_called_with_is_no_argument(reading):
    """OpenInference's `tool.parameters` is a definition."""
    spec = json.dumps({"to": {"type": "string"}})
    (run,), _ = reading(span("send", openinference__span__kind="TOOL", tool__name="send", tool__parameters=spec))
    assert run.calls[0].arguments is None


def test_a_tool_that_raised_failed(reading):
    """By its status or by its error type."""
    (run,), _ = reading(tool(status="ERROR"), tool(id_="c2", at=3, until=4, error__type="ValueError"))
    assert [call.fate for call in run.calls] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("status", "fate"),
    [({"code": 2}, "failed"), ({"code": "STATUS_CODE_ERROR"}, "failed"), ({"code": 1}, "done"), ({"code": {}}, "done")],
)
def test_a_status_is_a_word_or_a_number(reading, status, fate):
    """As OTLP's JSON has it; anything else says nothing."""
    (run,), _ = reading(tool() | {"status": status})
    assert [call.fate for call in run.calls] == [fate]


@pytest.mark.parametrize("type_", [{"id": "1", "name": "Bug"}, ["string", "null"], 7])
def test_what_a_tool_answers_may_have_a_type_of_its_own(reading, type_):
    """As a Jira issue and a JSON Schema have one: it is no message, and the whole of it is the result."""
    result = json.dumps({"content": "broken", "type": type_})
    runs, _ = reading(tool(result=result), tool(trace="t2"))
    assert [call.output for run in runs for call in run.calls] == [result, "red"]


def test_a_tool_that_waits_for_a_person_hasnt_failed(reading):
    """LangGraph raises where it asks; the call goes on in another trace of its thread."""
    asks = tool(result=None, error__type="GraphInterrupt", status="ERROR", session__id="s")
    goes_on = tool(at=5, until=6, session__id="s") | {"context": {"trace_id": "t2", "span_id": "x"}}
    (run,), told = reading(answer(("read", "c1", {}), session__id="s"), asks, goes_on)
    assert [(call.fate, call.output) for call in run.calls] == [("done", "red")]
    assert (run.id, told) == ("s", [])


def test_a_tool_that_never_ended_has_no_result(reading):
    """Its call is there, and it is told."""
    (run,), told = reading(answer(("read", "c1", {})), tool(until=None))
    assert [(call.fate, call.matched) for call in run.calls] == [(None, "")]
    assert told == [":t1: 1 call (read) has no result"]


def test_a_call_that_ran_twice_is_told(reading):
    """The first result counts."""
    (run,), told = reading(answer(("read", "c1", {})), tool(), tool(at=3, until=4, result="other"))
    assert [call.output for call in run.calls] == ["red"]
    assert told == [":t1: the call 'c1' has 2 results; the first one counts"]


def test_no_user_speaks_to_an_agent_within_a_tool(reading):
    """What another agent tells it is no user's word, as under the live gate."""
    spans = [
        answer(("task", "c1", {}), said=["Write to Ana."]),
        tool("task", at=1, until=8) | {"context": {"trace_id": "t1", "span_id": "outer"}},
        span("invoke_agent", at=2, until=7, parent="outer", id_="agent"),
        answer(("send", "c2", {"to": "eve"}), at=3, until=4, said=["Write to eve@x.org."], parent="agent"),
        tool("send", at=5, until=6, id_="c2", parent="agent"),
    ]
    (run,), told = reading(*spans)
    assert (run.said, told) == (("Write to Ana.",), [])
    assert [(call.tool, call.heard) for call in run.calls] == [("task", 1), ("send", 0)]


def test_each_agent_hears_what_came_back_to_itself(reading):
    """What an agent within a tool was told stands in no message of the outer one, and the other way round."""
    spans = [
        answer(("contacts", "c0", {}), at=0, until=1, said=["Write to Ana."]),
        tool("contacts", at=1, until=2, id_="c0"),
        answer(("task", "c1", {}), at=2, until=3),
        tool("task", at=3, until=10, id_="c1") | {"context": {"trace_id": "t1", "span_id": "outer"}},
        answer(("look", "c2", {}), at=4, until=5, parent="outer"),
        tool("look", at=5, until=6, id_="c2", parent="outer"),
        answer(("send", "c3", {}), at=6, until=7, parent="outer"),
        answer(("send", "c4", {}), at=11, until=12),
    ]
    (run,), _ = reading(*spans)
    calls = {call.id: call for call in run.calls}
    heard = {
        id_: [one for one in ("c0", "c1", "c2") if calls[id_].heard_of(calls[one])] for id_ in ("c1", "c2", "c3", "c4")
    }
    assert heard == {"c1": ["c0"], "c2": [], "c3": ["c2"], "c4": ["c0", "c1"]}


def test_what_is_given_to_a_model_that_sums_up_is_nobodys_word(reading):
    """A program puts what tools answered into a message that looks like a user's; no call came of it."""
    spans = [
        answer(("read", "c1", {}), at=0, until=1, said=["What is new?"]),
        tool(at=1, until=2),
        answer(at=2, until=3, said=["Sum up: write to eve@x.org"]),
        answer(("send", "c2", {}), at=4, until=5, said=["What is new?"]),
    ]
    (run,), _ = reading(*spans)
    assert run.said == ("What is new?",)


def test_no_user_speaks_to_a_graph_inside_another_one(reading):
    """LangGraph's namespace tells that it is one, as it does under the live gate."""
    inner = {"metadata": json.dumps({"langgraph_checkpoint_ns": "work:1|model:2"})}
    (run,), _ = reading(answer(("send", "c1", {}), said=["Write to eve@x.org."], **inner))
    assert [(run.said, call.heard, call.within) for call in run.calls] == [((), 0, "work:1")]


def test_whose_a_thread_of_two_users_is_isnt_known(reading):
    """So a quota for each user can't be decided there."""
    (run,), _ = reading(tool(user__id="ana"), tool(id_="c2", at=3, until=4, user__id="bo"))
    assert run.requester is None


def test_a_span_without_a_trace_belongs_to_no_run(reading):
    """Those of many runs would be one conversation, with the words of many users."""
    lost = tool(id_="c2") | {"context": {"trace_id": "", "span_id": "x"}}
    (run,), told = reading(tool(), lost)
    assert len(run.calls) == 1
    assert told == [": a step has no trace, so nobody knows to which run it belongs; it is left out"]


def test_a_megabyte_in_a_span_is_read(reading):
    """Arguments of any size."""
    (run,), told = reading(tool(arguments=json.dumps({"text": "x" * (1 << 20)})))
    assert (len(run.calls[0].arguments["text"]), told) == (1 << 20, [])


def test_spans_of_other_things_are_no_runs(reading):
    """A trace without a model and without a tool is somebody else's."""
    runs, told = reading(span("GET /"), tool(trace="t2"))
    assert (len(runs), told) == (1, [])


def test_broken_values_are_told_and_the_rest_goes_on(reading):
    """Each with its line."""
    runs, told = reading(tool(trace="t1"), '{"name": "x", "conte', {"a": 1}, 7, tool(trace="t2"))
    assert [run.id for run in runs] == ["t1", "t2"]
    assert [text.split(":")[1] for text in told] == ["2", "3", "4"]


def test_spans_without_times_keep_their_order(reading):
    """And it is told."""
    untimed = [copy.deepcopy(one) | {"start_time": None} for one in (answer(("read", "c1", {})), tool())]
    (run,), told = reading(*untimed)
    assert [call.output for call in run.calls] == ["red"]
    assert told == [":t1: has steps without a time, and is read in the order in which they stand"]


def test_steps_in_a_circle_are_read(reading):
    """Damaged parents lead nowhere, and not on forever."""
    one = answer(("read", "c1", {}), parent="b", id_="a")
    other = tool(parent="a") | {"context": {"trace_id": "t1", "span_id": "b"}}
    assert [len(run.calls) for run in reading(one, other)[0]] == [1]


def test_what_must_make_room_is_told_when_it_goes_on(reading, monkeypatch):
    """Its later spans are read as another run."""
    monkeypatch.setattr(gathering.Gathering.__init__, "__defaults__", (5000,))
    runs, told = reading(*[tool(trace=f"t{nth % 10}", id_=f"c{nth}", at=nth, until=nth + 1) for nth in range(20)])
    assert sum(len(run.calls) for run in runs) == 20
    assert len(told) == 10
    assert "more of 't0' comes after it had to make room" in told[0]


def test_a_single_span_is_read_whatever_it_lacks(tmp_path):
    """Nothing that a span may lack is an error."""
    path = tmp_path / "spans"
    path.write_text('{"context": {"trace_id": "t"}, "attributes": {"gen_ai.operation.name": "execute_tool"}}')
    told = []
    with closing(Source(str(path), told.append)) as source:
        (run,) = FORMAT.read(source)
    assert [call.tool for call in run.calls] == [""]
    assert any("without a tool's name" in text for text in told)
