"""Tools of a request: one name and one hash, whatever the provider's form; and what the provider runs by itself."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from ladder_graph.hosts.toolset import shown, shown_tools
from ladder_graph.testing import ScriptedModel
from tests.hosts.runs import send

OPENAI = {"type": "function", "function": {"name": "send", "description": "Send it.", "parameters": {"a": 1}}}
FORMS = {
    "openai": OPENAI,
    "responses": {
        "type": "function",
        "name": "send",
        "description": "Send it.",
        "parameters": {"a": 1},
        "strict": True,
    },
    "anthropic": {"name": "send", "description": "Send it.", "input_schema": {"a": 1}, "cache_control": {}},
    "anthropic custom": {"type": "custom", "name": "send", "description": "Send it.", "input_schema": {"a": 1}},
    "gemini": {"function_declarations": [{"name": "send", "description": "Send it.", "parameters": {"a": 1}}]},
    "bedrock": {"toolSpec": {"name": "send", "description": "Send it.", "inputSchema": {"a": 1}}},
    "namespace": {"type": "namespace", "name": "mail", "tools": [OPENAI]},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_tool_is_one_name_and_one_hash(form):
    """Whatever provider the request is for, a tool is its name and a hash of description and schema."""
    assert shown_tools({"tools": [form]}) == shown_tools({"tools": [OPENAI]})


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"tools": [{"type": "web_search"}, OPENAI]}, ("web_search",)),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, ("web_search_20250305",)),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, ("code_interpreter",)),
        (
            {"tools": [{"type": "mcp", "server_label": "jira", "server_url": "https://u:p@j.io"}]},
            ("mcp:jira at j.io",),
        ),
        ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "jira"}]}, ("mcp_toolset:jira",)),
        ({"tools": [{"google_search": {}, "code_execution": None}]}, ("google_search",)),
        ({"tools": [{"google_search": {}, "function_declarations": [OPENAI["function"]]}]}, ("google_search",)),
        ({"tools": [{"cachePoint": {"type": "default"}}]}, ()),
        ({"tools": [42]}, ("unrecognised int",)),
        ({"web_search_options": {}}, ("web_search",)),
        ({"plugins": [{"id": "web"}, "other"]}, ("plugin", "plugin:web")),
        ({"plugins": True}, ("plugin",)),
        ({"search_parameters": {"mode": "auto"}}, ("web_search",)),
        ({"search_parameters": {"mode": "off"}}, ()),
        ({"mcp_servers": [{"name": "jira", "url": "https://j.io"}]}, ("mcp:jira at j.io",)),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, ()),
        ({}, ()),
    ],
)
def test_tools_of_the_provider_are_named(params, names):
    """What the provider runs by itself never reaches a rung, so it is told apart and named."""
    assert shown_tools(params)[1] == names


def test_built_in_tools_that_come_back_as_calls_are_tools():
    """Anthropic's bash tool is run by the agent, by name."""
    assert list(shown_tools({"tools": [{"type": "bash_20250124", "name": "bash"}]})[0]) == ["bash"]


def test_tools_that_are_still_objects_are_read_too():
    """A model that binds tool objects, or a provider's classes, shows the same tools as one that binds JSON."""

    class Hosted(BaseModel):
        type: str = "web_search"

    bound = ScriptedModel().bind_tools([send])
    assert shown({"tools": [send, Hosted()]})[:2] == (shown(bound.kwargs)[0], ("web_search",))


@pytest.mark.parametrize("schema", [{"maximum": 2**70}, {"enum": [0.1, 1e300, "\x7fé"]}, {1: "one"}, {}])
def test_a_set_that_was_shown_before_is_known_again(schema):
    """Whatever is in its schemas; what JSON would make of it is what counts."""
    given = {"tools": [{"name": "send", "input_schema": schema}]}
    assert shown(given)[:2] == shown_tools(json.loads(json.dumps(given)))
    assert shown(given) is shown(given)
