"""Capture: the environment of a tool call is that of the model that really proposed it, and of no other."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from ladder_graph.fingerprint import Environment, diff
from ladder_graph.hosts.capture import Capture
from ladder_graph.scale import Rung
from ladder_graph.testing import ScriptedModel, calls, says, tool_call
from ladder_graph.trust.standing import standing
from tests.hosts.runs import ASK, RUNS, SEND, agent_with, found, run_ainvoke, run_invoke, scripted, send

# --- real graphs, each way of running them -----------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_each_way_of_running_a_graph_is_captured(run):
    """Sync, async and every stream mode leave the same environment, found by the message's id in the state."""
    capture = Capture()
    messages = run(agent_with(capture, scripted(model_name="gpt-5", reported="gpt-5-2025-08-07", temperature=0)))
    (env,) = found(capture, messages)
    assert env is not None
    assert (env.provider, env.requested, env.reported) == ("scripted", "gpt-5", "gpt-5-2025-08-07")
    assert env.parameters == '{"temperature":0}'
    assert list(env.tools) == ["read", "send"]
    assert capture.knows(messages[1].id)


def test_the_environment_is_there_before_the_tool_runs():
    """In sync and async graphs, a tool finds its own call's environment already taken down."""
    capture = Capture()
    seen = []

    @tool
    def look(to: str) -> str:
        """Look."""
        seen.append(next(iter(capture._calls.values())).environment)
        return to

    for run in (run_invoke, run_ainvoke):
        model = ScriptedModel(answers=[calls("look", SEND), "Done."])
        run(create_agent(model, [look]).with_config(callbacks=[capture]))
    assert [env.model for env in seen] == ["scripted-1", "scripted-1"]


async def test_async_answers_are_taken_down_on_the_event_loop():
    """No thread is borrowed for it, so that a busy pool can't hold a model up."""
    threads = []

    class Watched(Capture):
        def on_llm_end(self, response, *, run_id, **kwargs):
            threads.append(threading.get_ident())

    await scripted().ainvoke("hi", config={"callbacks": [Watched()]})
    assert threads == [threading.get_ident()]


def test_callers_callbacks_and_outer_graphs_leave_it_in_place():
    """Callbacks of one run, and a graph around this one, don't push the capture out."""
    capture = Capture()
    graph = agent_with(capture, scripted())
    assert found(capture, graph.invoke(ASK, {"callbacks": [Capture()]})["messages"]) != [None]
    inner = agent_with(capture, scripted(reported="inner"))
    outer = StateGraph(MessagesState).add_node("agent", inner).add_edge(START, "agent").compile()
    (env,) = found(capture, outer.invoke(ASK, {"callbacks": [Capture()]})["messages"])
    assert env is not None
    assert env.reported == "inner"


def test_a_fallback_model_is_its_own_environment():
    """When the first model fails, the call belongs to the one that answered."""
    capture = Capture()

    def fails(messages: list[Any]) -> AIMessage:
        raise TimeoutError

    first = ScriptedModel(answers=[fails, "Done."], model_name="first")
    second = ScriptedModel(answers=[calls("send", SEND), "Done."], model_name="second")
    graph = agent_with(capture, first, middleware=[ModelFallbackMiddleware(second)])
    (env,) = found(capture, graph.invoke(ASK)["messages"])
    assert env is not None
    assert env.model == "second"
    assert not capture._requests


# --- attribution -------------------------------------------------------------------------------------------------


def test_a_message_rewritten_in_the_state_is_nobodys():
    """A call that `update_state` changed has no environment, under the old message id and under a new one."""
    capture = Capture()
    graph = agent_with(capture, scripted(), checkpointer=InMemorySaver(), interrupt_before=["tools"])
    config = {"configurable": {"thread_id": "t"}}
    graph.invoke(ASK, config)
    said = graph.get_state(config).values["messages"][-1]
    (call,) = said.tool_calls
    for message_id in (said.id, "another", None):
        forged = said.model_copy(update={"id": message_id, "tool_calls": [{**call, "args": {"to": "everybody"}}]})
        graph.update_state(config, {"messages": [forged]})
        assert found(capture, [graph.get_state(config).values["messages"][-1]]) == [None]
    assert found(capture, [said]) != [None]


def test_id_name_and_arguments_must_all_be_the_models():
    """Another id, tool or argument is another call, and no model proposed it; key order doesn't matter."""
    capture = Capture()
    model = ScriptedModel(answers=[calls("send", {"to": "ana", "n": 1}, id="c1")])
    said = model.invoke("hi", config={"callbacks": [capture]})
    assert capture.environment(said.id, "c1", "send", {"n": 1, "to": "ana"}) is not None
    for wrong in [("c2", "send", {"to": "ana", "n": 1}), ("c1", "read", {"to": "ana", "n": 1}),
                  ("c1", "send", {"to": "ana"}), (None, "send", {"to": "ana", "n": 1}),
                  ("c1", "send", {"to": float("nan")})]:  # fmt: skip
        assert capture.environment(said.id, *wrong) is None


def test_a_message_with_a_new_id_is_found_by_its_calls():
    """Middleware that hands the message on under another id doesn't lose its calls; a known id never falls back."""
    capture = Capture()
    model = ScriptedModel(answers=[calls("send", SEND, id="c1"), calls("send", SEND, id="c2")])
    first, second = (model.invoke("hi", config={"callbacks": [capture]}) for _ in range(2))
    assert capture.environment("renamed", "c1", "send", SEND) is not None
    assert capture.environment(None, "c1", "send", SEND) is not None
    assert capture.environment(second.id, "c1", "send", SEND) is None
    assert capture.environment(first.id, "c1", "send", SEND) is not None


def test_the_same_call_from_two_environments_is_told_apart_by_message_or_not_at_all():
    """Servers that number calls from nought repeat ids; without the message's id nobody knows which model it was."""
    capture = Capture()
    said = [
        ScriptedModel(answers=[calls("send", SEND, id="call_0")], model_name=name).invoke(
            "hi", config={"callbacks": [capture]}
        )
        for name in ("one", "two")
    ]
    assert [capture.environment(m.id, "call_0", "send", SEND).model for m in said] == ["one", "two"]
    assert capture.environment(None, "call_0", "send", SEND) is None


def test_parallel_calls_share_their_message():
    """Each of several calls in one answer has the environment of that answer."""
    capture = Capture()
    model = ScriptedModel(answers=[says(tool_call("send", SEND), tool_call("read", {"path": "a"})), "Done."])
    one, two = found(capture, agent_with(capture, model).invoke(ASK)["messages"])
    assert one is not None
    assert one == two


def test_it_forgets_the_oldest_and_then_knows_nothing():
    """Memory is bounded; what was forgotten is unknown, not trusted."""
    capture = Capture(keep=2)
    model = ScriptedModel(answers=[calls("send", SEND)] * 3)
    said = [model.invoke("hi", config={"callbacks": [capture]}) for _ in range(3)]
    assert [env is not None for env in found(capture, said)] == [False, True, True]


def test_an_answer_without_its_request_is_unknown():
    """Where taking down the request failed, the answer is remembered for nobody."""
    capture = Capture()
    message = calls("send", SEND, id="c1")
    capture.on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]), run_id=uuid.uuid4())
    assert capture.environment(None, "c1", "send", SEND) is None


def test_a_schema_that_cannot_be_read_makes_the_environment_unknown(caplog):
    """The model is still asked, the failure is logged, and the call has no environment."""
    capture = Capture()
    model = scripted().bind(tools=[{"name": "send", "input_schema": {"default": object()}}])
    said = model.invoke("hi", config={"callbacks": [capture]})
    assert found(capture, [said]) == [None]
    assert "Capture.on_chat_model_start" in caplog.text


def test_many_threads_share_one_capture():
    """Answers that come at the same time keep their own environments."""
    capture = Capture()
    wrong: list[str] = []

    def work(name: str) -> None:
        model = ScriptedModel(answers=[calls("send", SEND)] * 20, model_name=name)
        for _ in range(20):
            said = model.invoke("hi", config={"callbacks": [capture]})
            wrong.extend(name for env in found(capture, [said]) if env is None or env.model != name)

    threads = [threading.Thread(target=work, args=(f"m{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- what the environment holds ----------------------------------------------------------------------------------


def environment_of(model: Any, messages: Any = "hi", **bound: Any) -> Environment:
    """The environment of the first call a model proposes."""
    capture = Capture()
    said = model.bind(**bound).invoke(messages, config={"callbacks": [capture]})
    (env,) = found(capture, [said])
    assert env is not None
    return env


def test_system_text_counts_and_conversation_does_not():
    """The prompt is the system text of messages and parameters, and no other message."""
    one = environment_of(scripted(), [SystemMessage("Be careful."), HumanMessage("a")])
    two = environment_of(scripted(), [SystemMessage([{"type": "text", "text": "Be careful."}]), HumanMessage("b")])
    three = environment_of(scripted(), [ChatMessage("Be careful.", role="developer"), HumanMessage("c")])
    four = environment_of(scripted(), instructions="Be careful.")
    assert one.prompt == two.prompt == three.prompt == four.prompt
    assert environment_of(scripted()).prompt == "none"
    assert environment_of(scripted(), [SystemMessage("Be bold.")]).prompt != one.prompt


def test_a_model_that_shows_no_tools_has_an_unknown_tool_set():
    """Tool calls from a request without tools mean that the tools went another way, not that there are none."""
    assert environment_of(scripted()).toolset is None
    assert environment_of(scripted().bind_tools([send])).toolset is not None


def test_a_model_that_reports_nothing_is_not_certain():
    """An alias whose answer bears no id stays uncertain, and caps the rung."""
    env = environment_of(scripted(reported="").bind_tools([send]))
    assert (env.requested, env.reported, env.certain) == ("scripted-1", None, False)
    assert standing(Rung.REPORT, env, env, "send").rung is Rung.BOUNDED


def test_a_doubled_id_is_unfolded_with_what_is_known():
    """The requested, given and earlier reported ids help to read a doubled one."""
    capture = Capture(known=["gpt-5-2025-08-07"])
    model = scripted(model_name="gpt-5", reported="gpt-5-2025-08-07" * 2)
    (env,) = found(capture, [model.invoke("hi", config={"callbacks": [capture]})])
    assert env is not None
    assert env.reported == "gpt-5-2025-08-07"


class Stopping(Capture):
    """Takes a request down and stops it before anything is sent."""

    raise_error = True

    def on_chat_model_start(self, serialized, messages, *, run_id, **kwargs):
        """Take down, keep, stop."""
        super().on_chat_model_start(serialized, messages, run_id=run_id, **kwargs)
        self.taken = self._requests[run_id][0].environment
        raise InterruptedError


def request_of(model: Any, tools: list[Any], **bound: Any) -> Environment:
    """What a real model class would send."""
    capture = Stopping()
    with pytest.raises(InterruptedError):
        model.bind_tools(tools).bind(**bound).invoke("hi", config={"callbacks": [capture]})
    return capture.taken


def test_real_model_classes_are_read_in_their_own_forms():
    """OpenAI, Anthropic and Gemini requests give provider, model, parameters, tools and provider tools."""
    gpt = request_of(ChatOpenAI(model="gpt-4.1", api_key="sk", temperature=0), [send, {"type": "web_search"}])
    claude = request_of(
        ChatAnthropic(model="claude-opus-4-7", api_key="sk", max_tokens=100),
        [send, {"type": "web_search_20250305", "name": "web_search"}],
    )
    gemini = request_of(ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="sk", temperature=0.3), [send])
    assert [(e.provider, e.model) for e in (gpt, claude, gemini)] == [
        ("openai", "gpt-4.1"), ("anthropic", "claude-opus-4-7"), ("google_genai", "gemini-2.5-flash"),
    ]  # fmt: skip
    assert [e.parameters for e in (gpt, claude, gemini)] == [
        '{"temperature":0}',
        '{"max_tokens":100}',
        '{"temperature":0.3}',
    ]
    assert gpt.tools == claude.tools == gemini.tools != {}
    assert [e.provider_tools for e in (gpt, claude, gemini)] == [("web_search",), ("web_search_20250305",), ()]


GPT = {"model": "gpt-5", "api_key": "sk"}
CLAUDE = {"model": "claude-opus-4-7", "api_key": "sk"}


@pytest.mark.parametrize(
    "asked",
    [
        lambda text: request_of(ChatAnthropic(**CLAUDE), [send], system=[{"type": "text", "text": text}]),
        lambda text: request_of(ChatAnthropic(**CLAUDE, model_kwargs={"system": text}), [send]),
        lambda text: request_of(ChatOpenAI(**GPT, extra_body={"instructions": text}), [send]),
        lambda text: request_of(ChatOpenAI(**GPT), [send], prompt={"id": "pmpt_1", "version": text}),
        lambda text: request_of(ChatOpenAI(**GPT), [send], system_instruction={"parts": [{"text": text}]}),
    ],
    ids=["blocks", "model_kwargs", "extra_body", "stored", "parts"],
)
def test_system_text_counts_whatever_carries_it(asked):
    """Blocks of it, what the model object was made with, and a prompt that the provider keeps."""
    first, again, second = (asked(text) for text in ("Be kind.", "Be kind.", "Be bold."))
    assert first == again
    assert [change.component for change in diff(first, second, "send")] == ["prompt"]


@pytest.mark.parametrize(
    "bound",
    [{"prompt": {"id": "pmpt_1"}}, {"cached_content": "cachedContents/1"}, {"system": {"type": "file", "id": "1"}}],
    ids=str,
)
def test_system_text_that_nobody_can_read_is_not_known(bound):
    """It is never taken for none, nor for the same."""
    env = request_of(ChatOpenAI(**GPT), [send], **bound)
    assert env.prompt is None
    assert standing(Rung.REPORT, env, env, "send").rung is Rung.BOUNDED


def test_an_empty_block_of_system_text_is_one():
    """It says nothing, and hides nothing."""
    blocks = [{"type": "text", "text": ""}, {"type": "text", "text": "Be kind."}]
    env = request_of(ChatAnthropic(**CLAUDE), [send], system=blocks)
    assert env.prompt == request_of(ChatAnthropic(**CLAUDE), [send], system="Be kind.").prompt is not None


class Odd(BaseModel):
    """Has no JSON schema."""

    call: Callable[[], None]


def test_a_class_without_a_schema_is_a_parameter_by_its_name():
    """It makes nothing unknown."""
    env = request_of(ChatOpenAI(**GPT), [send], response_format=Odd)
    assert env.parameters == '{"response_format":"Odd"}'


class Verdict(BaseModel):
    """What an answer is made of."""

    good: bool


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"response_format": {"type": "json_object"}}, {"response_format": Verdict}),
        ({"extra_body": {"guided_json": {"a": 1}}}, {"extra_body": {"guided_json": {"a": 2}}}),
        ({"container": {"skills": [{"version": "1"}]}}, {"container": {"skills": [{"version": "2"}]}}),
        ({"text": {"verbosity": "low"}}, {"text": {"verbosity": "high"}}),
    ],
    ids=["response_format", "guided_json", "container", "text"],
)
def test_what_bears_on_the_answer_is_a_parameter(one, two):
    """Wherever a request carries it."""
    first, second = (request_of(ChatOpenAI(**GPT), [send], **bound) for bound in (one, two))
    assert [change.component for change in diff(first, second, "send")] == ["parameters"]


def test_a_container_that_is_used_again_is_no_parameter():
    """Its id is another one in each conversation."""
    first, second = (request_of(ChatOpenAI(**GPT), [send], container=name) for name in ("c_1", "c_2"))
    assert first == second


def test_another_host_is_another_provider():
    """The same id at another address may be another model; a password in the address is not kept."""
    local = request_of(ChatOpenAI(model="gpt-5", api_key="sk", base_url="http://me:pw@llm.lan:8000/v1"), [send])
    assert local.provider == "openai at llm.lan:8000"
    usual = request_of(ChatOpenAI(model="gpt-5", api_key="sk", base_url="https://api.openai.com/v1"), [send])
    assert usual.provider == "openai"
