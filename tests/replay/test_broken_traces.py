"""Whatever happens to a file of recorded runs: what isn't damaged is read, and nothing is made up."""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladder_graph.errors import LadderError
from ladder_graph.replay.formats import read

NAMES = ("aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd")
"""Runs whose names no damage turns into one another."""


def conversation(name):
    """A run as messages: one call with arguments, one without, one whose arguments are broken."""
    calls = [
        {"id": f"{name}1", "function": {"name": "send", "arguments": json.dumps({"to": name, "n": [1, None]})}},
        {"id": f"{name}2", "function": {"name": "drop"}},
        {"id": f"{name}3", "function": {"name": "pay", "arguments": '{"usd": 1'}},
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in calls]
    asks = {"role": "assistant", "content": None, "tool_calls": calls}
    return [{"id": name, "messages": [{"role": "user", "content": f"Hello {name}."}, asks, *results]}]


def spans(name):
    """A run as spans, printed one by one."""

    def one(nth, **attributes):
        context = {"trace_id": name, "span_id": f"{name}{nth}"}
        times = {"start_time": f"2026-11-23T10:00:0{nth}Z", "end_time": f"2026-11-23T10:00:0{nth + 1}Z"}
        return {"name": "x", "context": context, **times, "attributes": attributes}

    ran = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": "done"}
    asked = [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "send", "arguments": {"to": name}}]}
    ]
    return [
        one(0, **{"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(asked)}),
        one(1, **ran, **{"gen_ai.tool.name": "send", "gen_ai.tool.call.id": "1"}),
        one(2, **ran, **{"gen_ai.tool.name": "drop", "gen_ai.tool.call.id": "2"}),
        one(3, **ran, **{"gen_ai.tool.name": "pay", "gen_ai.tool.call.id": "3", "gen_ai.tool.call.arguments": "{"}),
    ]


def requests(name):
    """The same as OTLP's requests."""

    def typed(attributes):
        return [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]

    def one(span):
        ids = {"traceId": span["context"]["trace_id"], "spanId": span["context"]["span_id"]}
        times = {"startTimeUnixNano": span["start_time"], "endTimeUnixNano": span["end_time"]}
        return {**ids, **times, "name": span["name"], "attributes": typed(span["attributes"])}

    return [{"resourceSpans": [{"scopeSpans": [{"spans": [one(span)]}]}]} for span in spans(name)]


def rows(name):
    """A run as LangSmith lists it."""

    def one(nth, kind, **more):
        times = {"start_time": f"2026-11-23T10:00:0{nth}", "end_time": f"2026-11-23T10:00:0{nth + 1}"}
        return {"id": f"{name}{nth}", "trace_id": name, "run_type": kind, **times, **more}

    message = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "name": "send", "args": {"to": name}}]}
    return [
        one(0, "llm", outputs={"choices": [{"message": message}]}),
        one(1, "tool", name="send", inputs={"to": name}, outputs={"output": "done"}, extra={"tool_call_id": "1"}),
        one(2, "tool", name="drop", outputs={"output": "done"}),
        one(3, "tool", name="pay", inputs={"input": "{"}, outputs={"output": "done"}),
    ]


FORMS = (conversation, spans, requests, rows)


def read_from(content):
    """The runs of a content by their names, with what was told; nothing but our own errors is raised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs"
        path.write_bytes(content)
        told = []
        try:
            runs = list(read(str(path), told.append))
        except LadderError as wrong:
            return {}, [str(wrong)]
    return {run.id: run for run in runs}, told


def content_of(form, names=NAMES, newline=b"\n"):
    """A file of runs, and the place of each one's lines in it."""
    content, places = b"", {}
    for name in names:
        begin = len(content)
        content += b"".join(json.dumps(value, ensure_ascii=False).encode() + newline for value in form(name))
        places[name] = range(begin, len(content) - len(newline))
    return content, places


@st.composite
def damage(draw, size):
    """What is put in place of a piece of so many bytes: where it begins and ends, and what."""
    begin = draw(st.integers(0, size))
    end = draw(st.integers(begin, min(size, begin + draw(st.sampled_from([0, 1, 5, size])))))
    return begin, end, draw(st.binary(max_size=12) | st.sampled_from(INSTEAD))


INSTEAD = [
    *(b"", b"\n", b"\r\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"\x1f\x8b\x08"),
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b",", b"null", b"NaN", b"\\ud800", b"{" * 500, b"[" * 5000),
]
"""What does harm."""


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_within_a_run_leaves_all_others_as_they_were(form, data):
    """Whatever bytes are lost, put in or changed, those before and after are read, each call as it stands."""
    content, places = content_of(form)
    whole, _ = read_from(content)
    assert set(whole) == set(NAMES)
    name = data.draw(st.sampled_from(NAMES))
    place = places[name]
    begin, end, instead = data.draw(damage(len(place)))
    found, told = read_from(content[: place.start + begin] + instead + content[place.start + end :])
    for other in set(NAMES) - {name}:
        assert found.get(other) == whole[other], told


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(data=st.data())
def test_damage_anywhere_raises_nothing_of_its_own(form, data):
    """Several pieces, also across runs, also of what is packed: a line is told, or an error of ours says why."""
    content, _ = content_of(form, NAMES[:2])
    if packed := data.draw(st.booleans()):
        content = gzip.compress(content, mtime=0)
    for _ in range(data.draw(st.integers(1, 3))):
        begin, end, instead = data.draw(damage(len(content)))
        content = content[:begin] + instead + content[end:]
    found, told = read_from(content)
    assert all(text.isprintable() for text in told)
    if packed:
        assert len(found) <= len(NAMES) * 2


def places_of(value):
    """Where each value inside of a JSON value stands, as a path."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, one in inside for path in places_of(one))]


def with_another(value, path, instead):
    """A JSON value with another one in a place."""
    if not path:
        return instead
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = with_another(value[path[0]], path[1:], instead)
    return changed


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_value_of_another_type_costs_its_own_run_at_most(form, data):
    """Where a text is expected, an object or a list may stand: what a tool answers is whatever it is."""
    values = form("aaaaaaaa")
    nth = data.draw(st.sampled_from(range(len(values))))
    path = data.draw(st.sampled_from(places_of(values[nth])))
    instead = data.draw(st.sampled_from([{}, [], 2, True, None, {"type": {"id": "1"}}, [{"type": ["string", "null"]}]]))
    values[nth] = with_another(values[nth], path, instead)
    content, _ = content_of(lambda name: values if name == "aaaaaaaa" else form(name), NAMES[:2])
    expected, _ = read_from(content_of(form)[0])
    found, told = read_from(content)
    assert found.get("bbbbbbbb") == expected["bbbbbbbb"], told


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_file_that_breaks_off_keeps_the_runs_before(form, data):
    """Wherever it ends, also where it is packed."""
    content, places = content_of(form)
    whole, _ = read_from(content)
    cut = data.draw(st.integers(0, len(content)))
    found, _ = read_from(content[:cut])
    for name in NAMES:
        if places[name].stop < cut:
            assert found.get(name) == whole[name]


def said_to_be_called(value):
    """All names with arguments beside them that a JSON value holds, however deeply: an oracle that knows no format."""
    if isinstance(value, list):
        return [one for entry in value for one in said_to_be_called(entry)]
    if not isinstance(value, dict):
        return []
    found = []
    with contextlib.suppress(KeyError, ValueError, TypeError, RecursionError):
        found.append((value.get("name"), json.loads(value["arguments"])))
    return found + [one for entry in value.values() for one in said_to_be_called(entry)]


@settings(max_examples=150)
@given(data=st.data())
def test_no_call_has_arguments_that_dont_stand_beside_its_name(data):
    """What was lost isn't replaced: not by another call's arguments, and not by empty ones."""
    line = json.dumps(conversation("aaaaaaaa")[0]).encode()
    begin, end, instead = data.draw(damage(len(line)))
    broken = line[:begin] + instead + line[end:]
    found, _ = read_from(broken + b"\n" + json.dumps(conversation("bbbbbbbb")[0]).encode())
    found.pop("bbbbbbbb", None)
    known = [one for part in (broken, *broken.split(b"\n")) for one in _of_part(part)]
    for run in found.values():
        for call in run.calls:
            assert call.arguments is None or (call.tool, call.arguments) in [
                (name or "", given) for name, given in known
            ]


def _of_part(part):
    try:
        return said_to_be_called(json.loads(part))
    except (ValueError, RecursionError):
        return []


@pytest.mark.parametrize("form", FORMS)
def test_what_a_call_lacks_is_told_and_undecided(form):
    """A call without arguments, and one with broken ones, have none; each is a line."""
    runs, told = read_from(content_of(form)[0])
    for name in NAMES:
        assert [(call.tool, call.arguments is None) for call in runs[name].calls] == [
            ("send", False), ("drop", True), ("pay", True),
        ]  # fmt: skip
    assert sum("its arguments aren't recorded" in text for text in told) == len(NAMES)
    assert sum("its arguments are no JSON" in text for text in told) == len(NAMES)


@pytest.mark.parametrize("form", FORMS)
def test_other_line_ends_and_encodings_change_nothing(form):
    """Written by a tool of another system."""
    content, _ = content_of(form)
    expected, _ = read_from(content)
    assert read_from(content_of(form, newline=b"\r\n")[0])[0] == expected
    assert read_from(content.decode().encode("utf-16"))[0] == expected
    assert read_from(gzip.compress(b"\xef\xbb\xbf" + content))[0] == expected


@pytest.mark.parametrize("form", FORMS)
def test_a_line_in_latin_1_costs_itself(form):
    """Among lines in UTF-8."""
    content, places = content_of(form)
    expected, _ = read_from(content)
    place = places["bbbbbbbb"].start
    found, told = read_from(content[:place] + '{"name": "café"}\n'.encode("latin-1") + content[place:])
    assert found == expected
    assert any("is no text: 'utf-8' codec can't decode byte 0xe9" in text for text in told)
