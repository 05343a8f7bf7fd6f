"""A real client and a scripted provider: the model behind an alias moves, and the ladder sees it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import respx
from langchain_openai import ChatOpenAI

from ladder_graph.fingerprint import diff
from ladder_graph.hosts.capture import Capture
from ladder_graph.scale import Rung
from ladder_graph.trust.standing import standing
from tests.hosts.runs import RUNS, SEND, agent_with, found, run_astream, run_astream_events, run_stream_tokens, send

URL = "https://api.openai.com/v1/chat/completions"


def real_client(model: str, **options: Any) -> ChatOpenAI:
    """The real client; it brings another httpx than respx knows, and takes this one just as well."""
    clients = {"http_client": httpx.Client(), "http_async_client": httpx.AsyncClient()}
    return ChatOpenAI(model=model, api_key="sk", max_retries=0, stream_usage=False, **clients, **options)


def completion(model: str, nth: int) -> dict[str, Any]:
    """An answer of the chat endpoint with one tool call."""
    call = {"id": f"call_{nth}", "type": "function", "function": {"name": "send", "arguments": json.dumps(SEND)}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": f"chatcmpl-{nth}", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}


def done(model: str) -> dict[str, Any]:
    """The answer that ends a run."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Done."}, "finish_reason": "stop"}
    return {"id": "chatcmpl-x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}


def streamed(answer: dict[str, Any], times: int = 1) -> httpx.Response:
    """The answer as server-sent events, the finish chunk as often as some servers send it."""
    (choice,) = answer["choices"]
    delta = {**choice["message"]}
    if calls_made := delta.get("tool_calls"):
        delta["tool_calls"] = [{**call, "index": i} for i, call in enumerate(calls_made)]
    head = {**answer, "object": "chat.completion.chunk"}
    first = {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in (first, *[last] * times)]
    return httpx.Response(
        200, text="".join([*lines, "data: [DONE]\n\n"]), headers={"content-type": "text/event-stream"}
    )


OLD, NEW = "gpt-5-2025-08-07", "gpt-5-2025-11-20"
ANSWERS = [completion(OLD, 1), completion(NEW, 2), done(NEW)]


@pytest.mark.parametrize("run", RUNS)
@respx.mock
def test_an_alias_that_moves_between_two_answers_demotes_the_second(run):
    """The real client asks for one alias; the calls of the answer with the new snapshot stand at confirm."""
    streams = run in {run_stream_tokens, run_astream, run_astream_events}
    replies = [streamed(a) if streams else httpx.Response(200, json=a) for a in ANSWERS]
    respx.post(URL).mock(side_effect=replies)
    capture = Capture()
    model = real_client("gpt-5")
    first, second = found(capture, run(agent_with(capture, model)))
    assert first is not None
    assert second is not None
    assert (first.requested, first.reported, second.reported) == ("gpt-5", OLD, NEW)
    assert [change.text for change in diff(first, second, "send")] == [f"the model changed from {OLD} to {NEW}"]
    assert standing(Rung.REPORT, first, first, "send").rung is Rung.REPORT
    lowered = standing(Rung.REPORT, first, second, "send")
    assert (lowered.rung, lowered.reasons[0].code) == (Rung.CONFIRM, "model_changed")


@respx.mock
def test_a_compatible_server_that_finishes_twice_is_read_as_one_model():
    """Merging two finish chunks doubles the id, and the requested id takes it apart again."""
    respx.post(URL).mock(side_effect=[streamed(completion(OLD, 1), times=2), streamed(done(OLD))])
    capture = Capture()
    model = real_client(OLD)
    messages = run_stream_tokens(agent_with(capture, model))
    assert messages[1].response_metadata["model_name"] == OLD + OLD
    (env,) = found(capture, messages)
    assert env is not None
    assert env.reported == OLD


def response(model: str) -> dict[str, Any]:
    """An answer of the responses endpoint with one tool call."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "send", "arguments": json.dumps(SEND),
            "status": "completed"}  # fmt: skip
    return {"id": f"resp_{model}", "object": "response", "created_at": 1, "status": "completed", "model": model,
            "output": [call], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}  # fmt: skip


@respx.mock
def test_the_responses_api_is_read_too():
    """OpenAI's other endpoint reports its model under another name, with a message id of its own."""
    respx.post("https://api.openai.com/v1/responses").mock(return_value=httpx.Response(200, json=response(OLD)))
    capture = Capture()
    model = real_client("gpt-5", use_responses_api=True, reasoning={"effort": "low"})
    said = model.bind_tools([send]).invoke("hi", config={"callbacks": [capture]})
    (env,) = found(capture, [said])
    assert env is not None
    assert (env.reported, env.parameters) == (OLD, '{"reasoning":{"effort":"low"}}')
