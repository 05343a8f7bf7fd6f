"""Fingerprints: what counts, what is unknown, and what changed."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder_graph.components import (
    LONGEST_PLAIN,
    parameters_component,
    prompt_component,
    schema_component,
    toolset_component,
    unfolded,
)
from ladder_graph.errors import PolicyError
from ladder_graph.fingerprint import EVERYWHERE, UNREAD, Environment, diff
from ladder_graph.hosts import requests, toolset
from ladder_graph.prompts import NO_PROMPT

TOOLS = {"send": schema_component("Send it.", {"to": "string"}), "read": schema_component("Read it.", {})}
ENV = Environment(
    provider="openai",
    requested="gpt-5",
    reported="gpt-5-2025-08-07",
    prompt=prompt_component(["You are careful."]),
    parameters='{"temperature":0}',
    toolset=toolset_component(TOOLS),
    tools=TOOLS,
    weights="aaa",
    implementations={"send": "1", "read": "1"},
    middleware=("A:1", "B:0"),
    graph="g1",
    data={EVERYWHERE: "1", "send": "1"},
)


def with_tools(env: Environment, tools: dict[str, str], *hosted: str) -> Environment:
    """The same environment with another tool set, its hash put right."""
    return replace(env, tools=tools, provider_tools=hosted, toolset=toolset_component(tools, hosted))


# --- the key of a cell -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        replace(ENV, provider="azure"),
        replace(ENV, reported="gpt-5-2025-11-20"),
        replace(ENV, prompt=prompt_component(["You are bold."])),
        replace(ENV, parameters='{"temperature":1}'),
        with_tools(ENV, {**TOOLS, "send": schema_component("Send it!", {})}),
        with_tools(ENV, {"send": TOOLS["send"]}),
        with_tools(ENV, TOOLS, "web_search"),
        replace(ENV, weights="bbb"),
        replace(ENV, implementations={"send": "2"}),
        replace(ENV, middleware=("Polite:1",)),
        replace(ENV, middleware=()),
        replace(ENV, graph="g2"),
        replace(ENV, data={EVERYWHERE: "2", "send": "1"}),
        replace(ENV, data={EVERYWHERE: "1", "send": "2"}),
    ],
    ids=[
        "provider",
        "model",
        "prompt",
        "parameters",
        "schema",
        "toolset",
        "provider tool",
        "weights",
        "code",
        "middleware",
        "no middleware",
        "graph",
        "data",
        "data of the tool",
    ],
)
def test_each_component_makes_another_cell(other):
    """A change of any component gives the tool another key, so evidence doesn't carry over."""
    assert other.key("send") != ENV.key("send")


def test_the_requested_alias_is_not_in_the_key():
    """The same reported model is the same model, whatever name it was asked for by."""
    assert replace(ENV, requested="gpt-5-2025-08-07").key("send") == ENV.key("send")


def test_an_unknown_model_has_no_key():
    """There is no evidence about an unknown model, so it has no cell."""
    assert replace(ENV, requested=None, reported=None).key("send") is None
    assert Environment().key("send") is None


def test_tools_have_their_own_keys():
    """Two tools of one environment are two cells."""
    assert ENV.key("send") != ENV.key("read")


@pytest.mark.parametrize(
    ("requested", "reported", "certain"),
    [
        ("gpt-5", "gpt-5-2025-08-07", True),
        ("gpt-5", None, False),
        ("gpt-5-2025-08-07", None, True),
        ("anthropic.claude-sonnet-4-20250514-v1:0", None, True),
        ("claude-3-5-sonnet@20240620", None, True),
        ("model-20259999", None, False),
        (None, None, False),
    ],
)
def test_a_model_is_certain_when_it_was_reported_or_asked_for_by_date(requested, reported, certain):
    """An alias without a reported id may be any model; a dated id is one model."""
    assert Environment(requested=requested, reported=reported).certain is certain


def test_it_says_itself_in_words():
    """A person reads which model it was, and by which name it was asked for."""
    assert str(ENV) == "gpt-5-2025-08-07 by openai, asked for as gpt-5"
    assert str(Environment()) == "an unknown model"


def test_an_environment_is_a_value():
    """Equal components make equal environments; nobody changes the tools of one from outside."""
    mine = dict(TOOLS)
    env = replace(ENV, tools=mine)
    mine["drop"] = "x"
    assert env == ENV
    assert hash(env) == hash(ENV)
    with pytest.raises(TypeError):
        env.tools["drop"] = "x"


# --- plain JSON --------------------------------------------------------------------------------------------------

texts = st.none() | st.text(min_size=1, max_size=8)


@given(
    env=st.builds(
        Environment, provider=texts, requested=texts, reported=texts, prompt=texts, parameters=texts,
        tools=st.dictionaries(st.text(min_size=1, max_size=5), st.text(min_size=1, max_size=5), max_size=3),
        provider_tools=st.lists(st.text(min_size=1, max_size=5), max_size=3).map(tuple),
    ),
    known=st.booleans(),
)  # fmt: skip
def test_json_and_back_is_the_same(env, known):
    """What is written to the lock file is read back as the same environment."""
    env = replace(env, toolset=toolset_component(env.tools, env.provider_tools) if known else None)
    assert Environment.from_json(json.loads(json.dumps(env.to_json()))) == env


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("text", "must be an object, and is str"),
        ({"modle": "x"}, "modle: no such component"),
        ({"reported": 5}, "reported: must be text or null, and is 5"),
        ({"reported": ""}, "reported: must be text or null"),
        ({"tools": ["send"]}, "tools: must map"),
        ({"tools": {"send": None}}, "tools: must map"),
        ({"provider_tools": "web"}, "provider_tools: must be a list"),
        ({"tools": {"send": "0" * 64}}, "toolset: is not the hash of these tools"),
    ],
)
def test_a_broken_environment_is_refused(broken, said):
    """A lock file that was cut or edited by hand is refused with the component's name, never half believed."""
    value = {**ENV.to_json(), **broken} if isinstance(broken, dict) else broken
    with pytest.raises(PolicyError, match=said):
        Environment.from_json(value)


def test_a_missing_component_is_named():
    """A component that isn't there is a problem, not an unknown one."""
    value = ENV.to_json()
    del value["prompt"]
    with pytest.raises(PolicyError, match=r"^ops\.lock: 1 problem.*\nprompt: is missing"):
        Environment.from_json(value, "ops.lock")


# --- components --------------------------------------------------------------------------------------------------


def test_only_what_bears_on_the_tokens_counts_as_a_parameter():
    """Keys, headers, streaming flags and metadata never make another environment."""
    noise = {
        "api_key": "sk",
        "stream": True,
        "stream_options": {},
        "metadata": {"user": "u"},
        "timeout": 3,
        "model": "m",
    }
    assert parameters_component(noise) == parameters_component({}) == "{}"
    assert parameters_component({**noise, "temperature": 0.0, "seed": None}) == '{"temperature":0}'


def test_parameters_are_found_inside_others_and_overridden_by_later_sources():
    """`model_kwargs` and `extra_body` carry sampling parameters too, and a bound value beats the object's own."""
    first = {"temperature": 0.2, "top_p": 0.9, "extra_body": {"min_p": 0.1, "user": "u"}}
    assert parameters_component(first, {"temperature": 1}) == '{"min_p":0.1,"temperature":1,"top_p":0.9}'


def test_a_number_of_numpys_is_that_number():
    """And what has no form in JSON isn't known, though it is made of bytes."""
    numbers = np.linspace(0, 1, 6)
    assert parameters_component({"temperature": numbers[1]}) == parameters_component({"temperature": 0.2})
    assert parameters_component({"stop": np.str_("x")}) == parameters_component({"stop": "x"})
    assert parameters_component({"logit_bias": numbers}) is None
    assert parameters_component({"stop": bytearray(b"x")}) is None


def test_parameters_that_change_in_place_are_read_anew():
    """A dict that a program keeps and changes is no other one by its identity."""
    given = {"temperature": 0.2, "extra_body": {"min_p": 0.1}}
    before = parameters_component(given)
    given["extra_body"]["min_p"] = 0.2
    assert parameters_component(given) != before


@pytest.mark.parametrize("carrier", ["extra_body", "model_kwargs", "options", "generation_config"])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"use_beam_search": True}, {"use_beam_search": False}),
        ({"length_penalty": 2.0}, {"length_penalty": 1}),
        ({"min_tokens": 30}, {}),
        ({"bad_words": ["no"]}, {"bad_words": ["no", "yes"]}),
        ({"provider": {"quantizations": ["int4"]}}, {"provider": {"quantizations": ["fp8"]}}),
        ({"lora_request": {"lora_name": "refunds-2026-08-07"}}, {"lora_request": {"lora_name": "refunds-2026-11-20"}}),
        ({"lora_request": {"model": "a"}}, {"lora_request": {"model": "b"}}),
    ],
)
def test_whatever_a_provider_has_of_its_own_is_a_parameter(carrier, one, two):
    """Nobody can list them: what surely bears on nothing is left out, and not the other way round."""
    first, second = (parameters_component({carrier: given}) for given in (one, two))
    assert None not in {first, second}
    assert first != second


@pytest.mark.parametrize("carrier", ["extra_body", "model_kwargs"])
def test_no_request_makes_another_environment_by_its_ids_and_times(carrier):
    """By their names, as a metadata's, or as a whole by their form; they may stand inside of others."""

    def sent(n):
        made = {"run": str(uuid.UUID(int=n)), "at": f"2026-11-23T10:00:{n:02}Z", "since": 1795428000.5 + n}
        named = {"metadata": {"n": n}, "user": f"u{n}", "request_id": f"r{n}", "extra_headers": {"x": n}, "timeout": n}
        return parameters_component({carrier: {**named, **made, "nested": [made], "min_tokens": 3}})

    assert sent(1) == sent(2)
    assert '"min_tokens":3' in sent(1)


def test_what_is_another_component_is_no_parameter():
    """Nor what comes with every request: the text of the prompt, the model's name, the tools, the address."""
    names = {*requests.MODEL_IDS, *requests.ENDPOINTS, *requests.PROMPTS, requests.STORED, requests.CACHED}
    aside = {*names, *toolset.CARRIERS, "container", "messages", "api_key", "stream", "tool_choice"}
    assert parameters_component({"extra_body": dict.fromkeys(aside, "x")}) == "{}"


def test_what_nobody_knows_is_kept_as_a_hash_since_it_may_be_a_secret():
    """Numbers stay readable; an object of some class makes nothing unknown, and is the same in each process."""
    found = parameters_component({"extra_body": {"vendor": "sk-secret", "steps": 4}})
    assert re.fullmatch(r'{"steps":4,"vendor":"[0-9a-f]{16}"}', found)
    assert parameters_component({"extra_body": {"hook": object()}}) == '{"hook":"object"}'
    written = {"lc": 1, "type": "not_implemented", "id": ["a", "Hook"], "repr": "<Hook at 0x7f01>"}
    assert parameters_component({"model_kwargs": {"hook": written}}) == parameters_component(
        {"model_kwargs": {"hook": {**written, "repr": "<Hook at 0x7f02>"}}}
    )


def test_what_a_carrier_holds_may_be_bound_anew_beside_it():
    """The later one counts; without a carrier a name that nobody knows is LangChain's own."""
    assert parameters_component({"model_kwargs": {"min_tokens": 3}}, {"min_tokens": 4}) == '{"min_tokens":4}'
    assert parameters_component({"min_tokens": 4, "container": {"id": "c_1"}}) == "{}"


def test_long_parameters_become_a_hash_and_unreadable_ones_unknown():
    """The lock file stays readable, and what has no JSON form isn't guessed."""
    assert len(parameters_component({"stop": ["x" * LONGEST_PLAIN]}) or "") == 64
    assert parameters_component({"stop": object()}) is None


def test_a_request_without_system_text_has_a_known_empty_prompt():
    """No prompt is a prompt that is known; it isn't the same as not knowing."""
    assert prompt_component([]) == prompt_component([""]) == NO_PROMPT
    assert prompt_component(["a", "b"]) != prompt_component(["ab"])


def test_the_order_of_tools_does_not_matter():
    """A tool set is a set."""
    assert toolset_component({"a": "1", "b": "2"}, ["x", "y"]) == toolset_component({"b": "2", "a": "1"}, ["y", "x"])


@pytest.mark.parametrize(
    ("reported", "requested", "known", "read"),
    [
        ("gpt-5gpt-5", "gpt-5", (), "gpt-5"),
        ("gpt-5gpt-5gpt-5", "gpt-5", (), "gpt-5"),
        ("gpt-5-2025-08-07gpt-5-2025-08-07", "gpt-5", ("gpt-5-2025-08-07",), "gpt-5-2025-08-07"),
        ("gpt-5-2025-08-07gpt-5-2025-08-07", "gpt-5", (), "gpt-5-2025-08-07gpt-5-2025-08-07"),
        ("aaaa", "alias", (), "aaaa"),
        ("gpt-5gpt-5x", "gpt-5", (), "gpt-5gpt-5x"),
        ("gpt-5", "gpt-5", (), "gpt-5"),
        ("", "gpt-5", (), None),
        (None, "gpt-5", (), None),
    ],
)
def test_a_doubled_model_id_is_unfolded_only_where_it_is_known(reported, requested, known, read):
    """Merged stream chunks may double an id; only the requested or a known id is taken out of it."""
    assert unfolded(reported, requested, known) == read


@pytest.mark.parametrize(
    ("requested", "certain"),
    [
        ("gpt-5", False), ("gpt-5-2025-08-07", True), ("claude-opus-4-7", True), ("claude-opus-4-6", True),
        ("claude-opus-5-0", True), ("claude-opus-4-1", False), ("claude-sonnet-4-0", False),
        ("gemini-flash-latest", False),
    ],
)  # fmt: skip
def test_an_id_that_can_move_is_not_certain(requested, certain):
    """Where nothing was reported, a date pins an id, and so does Anthropic's numbering from 4.6 on."""
    assert Environment("p", requested).certain is certain


def test_ollama_is_certain_by_its_weights_alone():
    """It reports whatever tag was asked for, so that the tag says nothing."""
    silent = Environment("ollama at llm.lan:11434", "llama3", "llama3")
    assert not silent.certain
    assert replace(silent, weights="aaa").certain
    assert replace(silent, provider="ollamatic").certain


# --- differences -------------------------------------------------------------------------------------------------


def test_the_same_environment_has_no_changes():
    """Nothing changed is an empty tuple."""
    assert diff(ENV, ENV, "send") == ()


@pytest.mark.parametrize(
    ("after", "component", "klass", "said"),
    [
        (replace(ENV, provider="azure"), "provider", "A", "provider changed from openai to azure"),
        (replace(ENV, reported="gpt-5-2025-11-20"), "model", "A", "from gpt-5-2025-08-07 to gpt-5-2025-11-20"),
        (replace(ENV, prompt=prompt_component(["x"])), "prompt", "B", "the system prompt changed from "),
        (
            replace(ENV, parameters='{"temperature":1}'),
            "parameters",
            "B",
            'from {"temperature":0} to {"temperature":1}',
        ),
        (with_tools(ENV, {**TOOLS, "drop": "1"}), "toolset", "B", "drop came"),
        (with_tools(ENV, {"send": TOOLS["send"]}), "toolset", "B", "read went"),
        (with_tools(ENV, {**TOOLS, "read": "1"}), "toolset", "B", "read is another one"),
        (with_tools(ENV, TOOLS, "web_search"), "toolset", "B", "web_search came"),
        (with_tools(ENV, {**TOOLS, "send": "1"}), "tool", "A", "the description or arguments of send changed from "),
        (replace(ENV, weights="bbb"), "weights", "A", "the weights behind gpt-5-2025-08-07 changed from aaa to bbb"),
        (replace(ENV, implementations={"send": "2", "read": "1"}), "implementation", "A", "the code of send changed"),
        (replace(ENV, implementations={"send": "1", "read": "2"}), "implementation", "C", "the code of read changed"),
        (replace(ENV, middleware=("B:1", "C:1")), "middleware", "B", "changed: A went, B is set up otherwise, C came"),
        (replace(ENV, middleware=("A:1", "B:0", "B:0")), "middleware", "B", "another number or order"),
        (replace(ENV, graph="g2"), "graph", "B", "the graph changed from g1 to g2"),
        (replace(ENV, data={EVERYWHERE: "2", "send": "1"}), "data", "B", "the data changed from 1 to 2"),
        (replace(ENV, data={EVERYWHERE: "1", "send": "2"}), "data", "B", "the data of send changed from 1 to 2"),
    ],
)
def test_a_change_is_named_in_words(after, component, klass, said):
    """Exactly the component that changed is named, with what it was and what it is."""
    (change,) = diff(ENV, after, "send")
    assert (change.component, change.klass) == (component, klass)
    assert said in change.text


@pytest.mark.parametrize(
    ("component", "unknown"),
    [
        *((name, None) for name in ("provider", "prompt", "parameters", "toolset", "weights", "middleware", "graph")),
        ("implementations", {}), ("data", {}), ("data", {EVERYWHERE: UNREAD}), ("prompt", "dynamic"),
    ],
)  # fmt: skip
def test_unknown_is_never_a_change(component, unknown):
    """A component that one side doesn't know has not changed."""
    hole = replace(ENV, **{component: unknown})
    assert diff(ENV, hole, "send") == diff(hole, ENV, "send") == ()


def test_an_alias_without_a_reported_model_has_not_changed():
    """The same alias with no reported id may be the same model; another alias is another model."""
    silent = replace(ENV, reported=None)
    assert diff(ENV, silent) == diff(silent, ENV) == ()
    (change,) = diff(ENV, replace(silent, requested="gpt-4"))
    assert change.text == "the model changed from gpt-5-2025-08-07 to gpt-4"


def test_a_tool_that_was_not_there_is_another_tool():
    """A grant made before the tool existed isn't a grant for it."""
    (change,) = diff(with_tools(ENV, {"read": TOOLS["read"]}), ENV, "send")
    assert (change.component, change.klass) == ("tool", "A")
    assert change.text == "send was not among the agent's tools before"


def test_without_a_tool_all_tools_are_compared():
    """The lock file's diff shows each tool that changed."""
    (change,) = diff(ENV, with_tools(ENV, {**TOOLS, "send": "1"}))
    assert change.text == "the tool set changed: send is another one"
