"""What proposed a call decides its cell and its rung, before the call runs: real clients, and providers that move."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

import httpx
import pytest
import respx
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelFallbackMiddleware, ToolRetryMiddleware, dynamic_prompt
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import StructuredTool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from ladder_graph import Ladder
from ladder_graph.hosts import weights
from ladder_graph.testing import ScriptedModel, calls
from tests.hosts.cells import OPEN, Cell, Office, cells, policy
from tests.hosts.runs import SEND
from tests.hosts.test_model_switch import NEW, OLD, URL, completion, done, real_client, streamed


@pytest.fixture(autouse=True)
def _closed():
    """Whatever a test opened is closed after it."""
    yield
    while OPEN:
        OPEN.pop().close()


# --- OpenAI and its like, through respx --------------------------------------------------------------------------


def plain(answer: dict[str, Any]) -> httpx.Response:
    """An answer in one piece."""
    return httpx.Response(200, json=answer)


def asked_once(*models: str, reply=plain):
    """The endpoint answers by what it is asked: a call to a question, and the end to an outcome."""
    turn = iter(models)
    last = {}

    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)["messages"]
        if sent[-1]["role"] == "tool":
            return reply(done(last["model"]))
        last["model"] = next(turn)
        return reply(completion(last["model"], len(sent)))

    return respx.post(URL).mock(side_effect=answer)


@respx.mock
def test_an_alias_that_moves_is_another_cell_at_once():
    """The same alias with another snapshot behind it asks, from the first call of its first message on."""
    asked_once(OLD, OLD, NEW)
    office = Office(real_client("gpt-5"))
    first, second, third = office.ask(), office.ask(), office.ask()
    assert first == second
    assert (first.rung, first.codes) == ("report", ())
    assert (third.rung, third.codes) == ("confirm", ("model_changed",))
    assert third.env not in {None, first.env}


@respx.mock
def test_there_and_back_finds_the_known_cell():
    """A, B and A again: the same cell as at first, on its rung, and nothing is said a second time."""
    asked_once(OLD, NEW, OLD, NEW, OLD)
    office = Office(real_client("gpt-5"))
    seen = [office.ask() for _ in range(5)]
    assert [one.rung for one in seen] == ["report", "confirm", "report", "confirm", "report"]
    assert len({one.env for one in seen}) == 2
    kinds = [entry.kind for entry in office.ladder.log(limit=500)]
    assert (kinds.count("pinned"), kinds.count("environment")) == (1, 1)
    known = office.ladder.sightings()
    assert [(one.environment.reported, one.granted, one.stands["send"].rung.word) for one in known] == [
        (OLD, True, "report"),
        (NEW, False, "confirm"),
    ]


@respx.mock
def test_a_fallback_model_is_a_cell_of_its_own():
    """When the first model is down, the call belongs to the one that answered."""
    fell = "gpt-4.1-2025-04-14"

    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        if sent["model"] == "gpt-5" and down:
            return httpx.Response(503, json={"error": {"message": "down"}})
        made = done if sent["messages"][-1]["role"] == "tool" else lambda model: completion(model, 1)
        return plain(made(OLD if sent["model"] == "gpt-5" else fell))

    respx.post(URL).mock(side_effect=answer)
    fallback = ModelFallbackMiddleware(real_client(fell))
    office = Office(real_client("gpt-5"), options={"middleware": [fallback]})
    down: list[int] = []
    first = office.ask()
    down.append(1)
    second = office.ask()
    assert (first.rung, second.rung, second.codes) == ("report", "confirm", ("model_changed",))
    assert office.ladder.sightings()[0].environment.model == fell


class Router(AgentMiddleware):
    """Hands each request to the model that its question names."""

    def __init__(self, models: dict[str, Any]) -> None:
        super().__init__()
        self.models = models

    def wrap_model_call(self, request, handler):
        """Choose."""
        return handler(request.override(model=self.models[request.messages[0].text]))


@respx.mock
def test_a_router_has_a_cell_for_each_model_and_nothing_flaps():
    """Three models in turn are three cells; each is found again, and no change is told twice."""
    names = ["gpt-5-2025-08-07", "gpt-4.1-2025-04-14", "o3-2025-04-16"]

    def answer(request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        ended = sent["messages"][-1]["role"] == "tool"
        return plain(done(sent["model"]) if ended else completion(sent["model"], 1))

    respx.post(URL).mock(side_effect=answer)
    router = Router({name: real_client(name) for name in names})
    office = Office(real_client(names[0]), options={"middleware": [router]})
    seen = [office.ask(name) for name in names * 3]
    assert [one.rung for one in seen] == ["report", "confirm", "confirm"] * 3
    assert [one.env for one in seen] == [one.env for one in seen[:3]] * 3
    assert len({one.env for one in seen}) == 3
    assert [entry.kind for entry in office.ladder.log(limit=500)].count("environment") == 2


@respx.mock
def test_a_stream_without_metadata_caps_and_is_no_change():
    """An answer that names no model leaves the alias uncertain: bounded, and never taken for another model."""

    def nameless(answer: dict[str, Any]) -> httpx.Response:
        return streamed({**answer, "model": ""})

    asked_once(OLD, OLD, reply=nameless)
    office = Office(real_client("gpt-5", streaming=True))
    first = office.ask()
    assert (first.rung, first.codes) == ("bounded", ("model_unreported",))
    assert office.ask() == first


@respx.mock
def test_a_doubled_id_is_the_same_cell():
    """A server whose finish chunk comes twice makes `gpt-5gpt-5` of `gpt-5`, and no other cell."""
    times = iter([1, 1, 2, 2])
    asked_once(*["gpt-5"] * 2, reply=lambda answer: streamed(answer, next(times)))
    office = Office(real_client("gpt-5", streaming=True))
    first, second = office.ask(), office.ask()
    assert first == second
    assert first.rung == "report"


@respx.mock
def test_what_flaps_behind_a_model_is_kept_and_makes_no_cell():
    """The fingerprint of the provider's machines and the tier are shown with when they were seen, and lower nothing."""
    prints = iter(["fp_a", "fp_a", "fp_b", "fp_b", "fp_a", "fp_a"])
    asked_once(
        *[OLD] * 3,
        reply=lambda answer: plain({**answer, "system_fingerprint": next(prints), "service_tier": "default"}),
    )
    office = Office(real_client("gpt-5"))
    assert len({office.ask() for _ in range(3)}) == 1
    (known,) = office.ladder.sightings()
    assert list(known.beside["system_fingerprint"]) == ["fp_a", "fp_b"]
    assert list(known.beside["service_tier"]) == ["default"]
    assert "langchain-core" in next(iter(known.beside["versions"]))


@respx.mock
def test_a_vllm_server_tells_its_weights_apart():
    """The fingerprint of a vLLM server belongs to the key: under the same name, other weights ask."""
    url = "http://llm.lan:8000/v1"
    prints = iter(["vllm-0.9-h100-tp2-aa"] * 2 + ["vllm-0.9-h100-tp2-bb"] * 2)
    turn = asked_once("llama-3", "llama-3", reply=lambda a: plain({**a, "system_fingerprint": next(prints)}))
    respx.post(f"{url}/chat/completions").mock(side_effect=turn.side_effect)
    office = Office(real_client("llama-3", base_url=url))
    first, second = office.ask(), office.ask()
    assert (first.rung, second.rung, second.codes) == ("report", "confirm", ("model_changed",))
    env = office.ladder.sightings()[0].environment
    assert (env.provider, env.weights) == ("openai at llm.lan:8000", "vllm-0.9-h100-tp2-bb")


# --- other providers, over a local server ------------------------------------------------------------------------


@contextmanager
def served(answer) -> Iterator[str]:
    """A server that answers each request by its path and body: JSON, or a text as it is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # the base class's name
            length = int(self.headers.get("content-length") or 0)
            said = answer(self.path, json.loads(self.rfile.read(length) or b"{}"))
            body = said if isinstance(said, str) else json.dumps(said)
            self.send_response(500 if said is None else 200)
            self.send_header("content-type", "text/event-stream" if isinstance(said, str) else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST  # noqa: N815  # as above

        def log_message(self, *said):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def claude(model: str, *, ended: bool) -> dict[str, Any]:
    """A message of Anthropic's."""
    said = {"type": "text", "text": "Done."} if ended else {
        "type": "tool_use", "id": "toolu_1", "name": "send", "input": SEND,
    }  # fmt: skip
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [said],
            "stop_reason": "end_turn" if ended else "tool_use", "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip


def claude_stream(model: str, *, ended: bool) -> str:
    """The same as events."""
    whole = claude(model, ended=ended)
    (block,) = whole["content"]
    start = {**block, "input": {}} if block["type"] == "tool_use" else {**block, "text": ""}
    delta = {"type": "text_delta", "text": "Done."} if ended else {
        "type": "input_json_delta", "partial_json": json.dumps(SEND),
    }  # fmt: skip
    events = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"]}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_names_its_snapshot(stream):
    """Behind an alias of Anthropic's, another snapshot is another cell, streamed or not."""
    turn = iter(["claude-next-20250514", "claude-next-20260101"])
    now: list[str] = []

    def answer(path, body):
        ended = body["messages"][-1]["content"] != "Go."
        now.append(now[-1] if ended else next(turn))
        return (claude_stream if stream else claude)(now[-1], ended=ended)

    with served(answer) as url:
        office = Office(ChatAnthropic(model="claude-next-latest", api_key="x", base_url=url, streaming=stream))
        first, second = office.ask(), office.ask()
    assert (first.rung, second.rung, second.codes) == ("report", "confirm", ("model_changed",))


def test_anthropic_without_usage_names_none():
    """`stream_usage=False` leaves no model in the answer: an alias caps, and an id that can't move doesn't."""
    with served(lambda path, body: claude_stream("x", ended=body["messages"][-1]["content"] != "Go.")) as url:
        options = {"api_key": "x", "base_url": url, "streaming": True, "stream_usage": False}
        alias = Office(ChatAnthropic(model="claude-next-latest", **options)).ask()
        fixed = Office(ChatAnthropic(model="claude-opus-4-7", **options)).ask()
    assert (alias.rung, alias.codes) == ("bounded", ("model_unreported",))
    assert fixed.rung == "report"


@pytest.mark.parametrize("stream", [False, True])
def test_google_names_the_version_behind_latest(stream):
    """Gemini's `modelVersion` is the model, in the last chunk too where the answer is streamed."""
    turn = iter(["gemini-2.5-flash-preview-09-2025", "gemini-3-flash-preview-12-2025"])
    now: list[str] = []

    def answer(path, body):
        ended = len(body["contents"]) > 1
        now.append(now[-1] if ended else next(turn))
        part = {"text": "Done."} if ended else {"functionCall": {"name": "send", "args": SEND}}
        said = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
                "modelVersion": now[-1], "usageMetadata": {"totalTokenCount": 1}}  # fmt: skip
        return f"data: {json.dumps(said)}\r\n\r\n" if "stream" in path else said

    with served(answer) as url:
        model = ChatGoogleGenerativeAI(
            model="gemini-flash-latest", google_api_key="x", base_url=url, streaming=stream, max_retries=1
        )
        office = Office(model)
        first, second = office.ask(), office.ask()
    assert (first.rung, second.rung, second.codes) == ("report", "confirm", ("model_changed",))


def ollama(digests: dict[str, str | None]):
    """An Ollama server whose tag points to what the dict says at the moment."""

    def answer(path, body):
        if path == "/api/ps":
            return {"models": []}
        if path == "/api/tags":
            found = digests["llama3"]
            return None if found is None else {"models": [{"model": "llama3:latest", "digest": found}]}
        ended = body["messages"][-1]["role"] == "tool"
        call = {} if ended else {"tool_calls": [{"function": {"name": "send", "arguments": SEND}}]}
        message = {"role": "assistant", "content": "Done." if ended else "", **call}
        return json.dumps({"model": "llama3", "message": message, "done": True, "done_reason": "stop"}) + "\n"

    return answer


def test_a_tag_of_ollama_that_moves_is_another_cell(monkeypatch):
    """The digest behind the tag belongs to the key; what a silent server doesn't say caps, and is no change."""
    monkeypatch.setattr(weights, "FRESH", 0.0)
    monkeypatch.setattr(weights, "BACKOFF", 0.0)
    digests: dict[str, str | None] = {"llama3": "aaa"}
    with served(ollama(digests)) as url:
        office = Office(ChatOllama(model="llama3", base_url=url, temperature=0, num_ctx=4096))
        seen = []
        for digest in ("aaa", "bbb", "aaa", None):
            digests["llama3"] = digest
            seen.append(office.ask())
        known = next(one.environment for one in office.ladder.sightings() if one.granted)
    assert [one.rung for one in seen] == ["report", "confirm", "report", "bounded"]
    assert seen[0] == seen[2]
    assert seen[1].codes == ("model_changed",)
    assert set(seen[3].codes) == {"model_unreported", "environment_unknown"}
    assert (known.weights, known.parameters) == ("aaa", '{"num_ctx":4096,"temperature":0}')


# --- the prompt --------------------------------------------------------------------------------------------------


def says(*prompts: str, **more: Any) -> Office:
    """An agent that is told each of these in turn."""
    turn = iter(prompts)
    said: dict[str, str] = {}

    @dynamic_prompt
    def prompt(request):
        thread = request.messages[0].text
        said[thread] = said.get(thread) or next(turn)
        return said[thread]

    answers = [calls("send", SEND), "Done."] * len(prompts)
    return Office(ScriptedModel(answers=answers), options={"system_prompt": None, "middleware": [prompt]}, **more)


def asked(office: Office, times: int) -> list[Cell]:
    """Where its calls were put, one for each prompt."""
    return [office.ask(f"Go {nth}.") for nth in range(times)]


def test_a_prompt_with_the_date_in_it_stays_the_same_prompt():
    """Another day, hour, id or address is no other prompt; other words are."""
    office = says(
        "Today is Monday, 5 January 2026, 09:15. Ticket 3f2b8c1e-9d47-4a6b-8f10-2c5d7e9a1b34 of ana@example.org.",
        "Today is Tuesday, 6 January 2026, 17:40. Ticket 9a1b7c2d-0e34-4f5a-b6c7-d8e9f0a1b2c3 of bo@example.net.",
        "Today is Friday, 9 January 2026, 08:00. Drop ticket 9a1b7c2d-0e34-4f5a-b6c7-d8e9f0a1b2c3 of bo@example.net.",
    )
    first, second, third = asked(office, 3)
    assert first == second
    assert (first.rung, third.rung, third.codes) == ("report", "bounded", ("prompt_changed",))


def test_an_edit_that_hides_behind_a_mask_is_told():
    """A date in a rule that changes is the same cell, and the ledger says which words changed to which."""
    office = says("Pay bills before 2024-01-01.", "Pay bills before 2025-01-01.", "Pay bills before 2025-01-01.")
    first, second, _ = asked(office, 3)
    assert first == second
    told = [entry.body["text"] for entry in office.ladder.log(limit=500) if entry.kind == "prompt"]
    assert told == [
        "a system prompt of ops as it was first sent",
        "in the system prompt, Pay bills before ….: 2024-01-01 became 2025-01-01",
    ]
    found = office.ladder.difference()
    assert [text for _, text in found.hidden] == told[1:]


def test_a_bare_year_is_no_date():
    """`before 2024` that became `before 2025` is another prompt, with the lines to see it by."""
    office = says("Be kind.\nPay bills before 2024.", "Be kind.\nPay bills before 2025.")
    first, second = asked(office, 2)
    assert (first.rung, second.rung, second.codes) == ("report", "bounded", ("prompt_changed",))
    assert office.ladder.difference().prompt == (" Be kind.", "-Pay bills before 2024.", "+Pay bills before 2025.")


def test_a_clock_in_the_prompt_is_told_a_few_times_and_then_no_more():
    """What changes at every call costs the ledger nothing in the long run."""
    office = says(*[f"It is 10:{nth:02}." for nth in range(12)])
    assert len(set(asked(office, 12))) == 1
    assert len([entry for entry in office.ladder.log(limit=500) if entry.kind == "prompt"]) == 9


def test_a_prompt_that_keeps_changing_is_said_to_be_dynamic():
    """The sixth other prompt in a row makes it one cell at most at bounded, with what to do, and no cell for each."""
    office = says(*[f"You serve customer {name}." for name in "ABCDEFGHI"])
    seen = asked(office, 9)
    assert [one.rung for one in seen] == ["report"] + ["bounded"] * 8
    assert [one.codes for one in seen[5:]] == [("dynamic_prompt",)] * 4
    assert len({one.env for one in seen[5:]}) == 1
    (reason, *_) = office.ladder.sightings()[0].stands["send"].reasons
    assert "declare a template" in reason.text


def test_a_dynamic_prompt_stays_one_in_the_next_process(tmp_path):
    """A restart begins no new count."""
    office = says(*[f"You serve customer {name}." for name in "ABCDEFG"], ledger=tmp_path / "ladder.db")
    asked(office, 7)
    office.ladder.close()
    later = says("You serve customer H.", ledger=tmp_path / "ladder.db")
    assert asked(later, 1)[0].codes == ("dynamic_prompt",)


def test_a_declared_template_is_known_whatever_fills_it():
    """Its slots may hold anything, its own words and what stands around it may not change."""
    prompts = [f"You serve {name}.\nRefund at most $50." for name in ("Ana Bell", "Bo", "the whole of Acme, Inc")]
    declared = policy(prompts=["You serve {customer}.\nRefund at most $50."])
    first, second, third, fourth, fifth = asked(
        says(*prompts, prompts[0] + "\nAnd hurry.", prompts[0].replace("50", "500"), policy=declared), 5
    )
    assert first == second == third
    assert (fourth.rung, fourth.codes) == ("bounded", ("prompt_changed",))
    assert (fifth.rung, fifth.codes) == ("bounded", ("prompt_changed",))


def test_declared_values_of_the_run_are_masked():
    """Names that the policy gives are looked up in the run's config, and stand for whatever they hold there."""
    declared = policy(prompt_values=["customer"])
    office = says("You serve Ana Bell.", "You serve Bo.", policy=declared)
    seen = []
    for customer in ("Ana Bell", "Bo"):
        config = {"configurable": {"thread_id": customer, "customer": customer}}
        office.graph.invoke({"messages": customer}, config)
        seen.append(cells(office.ladder)[-1])
    assert seen[0] == seen[1]


# --- the tool, the middleware, the graph, the data ---------------------------------------------------------------


def agent_of(tool, ledger, **more: Any) -> Cell:
    """Where a call of this tool is put, in a process of its own."""
    office = Office(ScriptedModel(answers=[calls("send", SEND), "Done."]), tool=tool, ledger=ledger, **more)
    office.threads = count(len(cells(office.ladder)))
    found = office.ask()
    office.ladder.close()
    return found


def send_one(to: str) -> str:
    """Send it."""
    return f"sent to {to}"


def send_two(to: str) -> str:
    """Send it."""
    return f"sent to {to} and to everybody"


def made(function, text: str = "Send it."):
    """A tool of that name."""
    return StructuredTool.from_function(function, name="send", description=text)


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (made(send_one, "Send it, and don't ask."), "the description or arguments of send changed"),
        (made(send_two), "the code of send changed"),
    ],
    ids=["docstring", "body"],
)
def test_another_docstring_or_body_is_another_tool(tmp_path, after, why):
    """Either asks in the next process, and the old one is found again when it comes back."""
    ledger = tmp_path / "ladder.db"
    first, second, third = (agent_of(tool, ledger) for tool in (made(send_one), after, made(send_one)))
    assert (first.rung, second.rung, second.codes) == ("report", "confirm", ("tool_changed",))
    assert third == first
    assert second.env != first.env
    ladder = Ladder(policy=policy(), ledger=ledger)
    (other,) = (one for one in ladder.sightings() if not one.granted)
    (fallen,) = ladder.difference(None, other.key).tools
    ladder.close()
    assert fallen.changes[0].text.startswith(why)


def test_the_body_of_another_tool_lowers_nothing(tmp_path):
    """It is told as a change from far, and the cell stays the same."""
    seen = []
    for other in (send_one, send_two):
        read = StructuredTool.from_function(other, name="read", description="Read it.")
        ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
        agent = create_agent(ScriptedModel(answers=[calls("send", SEND), "Done."]), [made(send_one), read])
        thread = {"configurable": {"thread_id": str(len(seen))}}
        ladder.wrap(agent, checkpointer=InMemorySaver()).invoke({"messages": "Go."}, thread)
        seen.append(cells(ladder)[-1])
        changes = [change for fallen in ladder.difference().tools for change in fallen.changes]
        ladder.close()
    assert seen[0] == seen[1]
    assert seen[0].rung == "report"
    assert [(change.klass, change.text) for change in changes] == [("C", "the code of read changed")]


class Polite(AgentMiddleware):
    """Has a setting."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = words

    def wrap_model_call(self, request, handler):
        """Ask as it is."""
        return handler(request)


@pytest.mark.parametrize("mount", ["wrap", "middleware"])
def test_middleware_belongs_to_the_environment(tmp_path, mount):
    """Another setting of a middleware, or one more of them, is another cell at most at bounded."""
    seen = []
    for others in ([Polite(1)], [Polite(1)], [Polite(2)], [Polite(1), ToolRetryMiddleware()]):
        ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
        ours = ladder.middleware(*others) if mount == "middleware" else others
        model = ScriptedModel(answers=[calls("send", SEND), "Done."])
        agent = create_agent(model, [made(send_one)], middleware=ours, checkpointer=InMemorySaver())
        graph = ladder.wrap(agent) if mount == "wrap" else agent
        graph.invoke({"messages": "Go."}, {"configurable": {"thread_id": str(len(seen))}})
        seen.append(cells(ladder)[-1])
        ladder.close()
    assert seen[0] == seen[1]
    assert [one.rung for one in seen] == ["report", "report", "bounded", "bounded"]
    assert all("middleware_changed" in one.codes for one in seen[2:])


def looped(model, tool, *, between: bool = False):
    """A graph by hand, with a step between the model and its tools if wanted."""

    def agent(state):
        return {"messages": [model.bind_tools([tool]).invoke(state["messages"])]}

    def onwards(state):
        return "tools" if state["messages"][-1].tool_calls else END

    builder = StateGraph(MessagesState).add_node(agent).add_node("tools", ToolNode([tool]))
    if between:
        builder.add_node("pause", lambda state: {}).add_edge("agent", "pause")
    builder.add_conditional_edges("pause" if between else "agent", onwards, ["tools", END])
    return builder.add_edge(START, "agent").add_edge("tools", "agent")


def test_the_shape_of_the_graph_belongs_to_the_environment(tmp_path):
    """A step more is another graph, and at most bounded."""
    seen = []
    for between in (False, True, False):
        ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
        builder = looped(ScriptedModel(answers=[calls("send", SEND), "Done."]), made(send_one), between=between)
        thread = {"configurable": {"thread_id": str(len(seen))}}
        ladder.wrap(builder, checkpointer=InMemorySaver()).invoke({"messages": "Go."}, thread)
        seen.append(cells(ladder)[-1])
        ladder.close()
    assert [one.rung for one in seen] == ["report", "bounded", "report"]
    assert (seen[1].codes, seen[0]) == (("graph_changed",), seen[2])


def test_a_declared_data_version_belongs_to_the_environment(caplog):
    """Another version, told by a function or by the tool's rule, is at most bounded; so is one that can't be read."""
    told: list[str] = ["2026-01"]
    office = Office(ScriptedModel(answers=[calls("send", SEND), "Done."] * 3), data_version=lambda: told[-1])
    first = office.ask()
    told.append("2026-02")
    second = office.ask()
    told.clear()
    third = office.ask()
    assert (first.rung, second.rung, second.codes) == ("report", "bounded", ("data_changed",))
    assert (third.rung, third.codes) == ("bounded", ("environment_unknown",))
    assert "the declared data version can't be read" in caplog.text
    assert len({first.env, second.env, third.env}) == 3


def test_the_data_version_of_a_rule_is_that_tools_alone(tmp_path):
    """It belongs to the key of its tool."""
    seen = []
    for version in ("a", "b", "a"):
        rules = {"send": {"rung": "report", "read_only": True, "egress": False, "data_version": version}}
        seen.append(agent_of(made(send_one), tmp_path / "ladder.db", policy=policy(tools=rules)))
    assert [one.rung for one in seen] == ["report", "bounded", "report"]
    assert seen[1].codes == ("data_changed",)


# --- another process ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_message_that_was_not_routed_yet_is_known_after_a_restart(tmp_path, asynchronous):
    """The thread stops between the model and the gate; whoever resumes it finds what proposed the call."""
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    model = ScriptedModel(answers=[calls("send", SEND), "Done."], model_name="gpt-5", reported=OLD)
    seen = []
    for given in ({"messages": "Go."}, None):
        ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
        graph = ladder.wrap(looped(model, made(send_one), between=True), checkpointer=saver)
        stop = ["pause"] if given else None
        if asynchronous:
            await graph.ainvoke(given, thread, interrupt_before=stop)
        else:
            graph.invoke(given, thread, interrupt_before=stop)
        seen.append(cells(ladder))
        known = ladder.sightings()
        ladder.close()
    assert seen[0] == []
    ((last,),) = seen[1:]
    assert (last.rung, last.codes) == ("report", ())
    assert [one.environment.reported for one in known] == [OLD]


@pytest.mark.parametrize(
    ("graph", "rows"),
    [
        (lambda model, tool: create_agent(model, [tool]), 0),
        (looped, 0),
        (lambda model, tool: looped(model, tool, between=True), 1),
    ],
    ids=["create_agent", "loop", "step between"],
)
def test_nothing_is_kept_where_calls_are_routed_at_once(tmp_path, graph, rows):
    """The ledger holds who gave an answer only where another process may have to know."""
    ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
    wrapped = ladder.wrap(
        graph(ScriptedModel(answers=[calls("send", SEND), "Done."]), made(send_one)), checkpointer=InMemorySaver()
    )
    wrapped.invoke({"messages": "Go."}, {"configurable": {"thread_id": "1"}})
    ladder.close()
    with closing(sqlite3.connect(tmp_path / "ladder.db")) as database:
        assert database.execute("SELECT count(*) FROM proposal").fetchone() == (rows,)


def test_a_call_that_was_changed_meanwhile_is_nobodys(tmp_path):
    """Other arguments under the same message have no environment, and ask."""
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    model = ScriptedModel(answers=[calls("send", SEND, id="c1"), "Done."])
    ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
    graph = ladder.wrap(looped(model, made(send_one), between=True), checkpointer=saver)
    graph.invoke({"messages": "Go."}, thread, interrupt_before=["pause"])
    ladder.close()
    ladder = Ladder(policy=policy(), ledger=tmp_path / "ladder.db")
    graph = ladder.wrap(looped(model, made(send_one), between=True), checkpointer=saver)
    said = graph.get_state(thread).values["messages"][-1]
    forged = said.model_copy(update={"tool_calls": [{**said.tool_calls[0], "args": {"to": "everybody"}}]})
    graph.update_state(thread, {"messages": [forged]}, as_node="agent")
    graph.invoke(None, thread)
    (last,) = cells(ladder)
    assert (last.env, last.rung, last.codes) == (None, "confirm", ("environment_unknown",))
    ladder.close()


def test_an_asked_call_of_the_middleware_mount_keeps_its_cell_after_a_restart(tmp_path):
    """The gate in the tool node starts over on resume, in another process too, and knows what proposed the call."""
    saver, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    model = ScriptedModel(answers=[calls("send", SEND), "Done."], model_name="gpt-5", reported=OLD)
    rules = policy(tools={"send": {"rung": "confirm"}})
    for given in ({"messages": "Go."}, None):
        ladder = Ladder(policy=rules, ledger=tmp_path / "ladder.db")
        agent = create_agent(model, [made(send_one)], middleware=ladder.middleware(), checkpointer=saver)
        agent.invoke(given, thread)
        if given:
            (question,) = ladder.pending()
            ladder.approve(question.id, by="ana")
        known = ladder.sightings()
        codes = [one.codes for one in cells(ladder)]
        ladder.close()
    assert [one.environment.reported for one in known] == [OLD]
    assert codes == [()]
