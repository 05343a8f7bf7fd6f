"""The tools of a model request, in every provider's form.

What comes back as a tool call reaches a rung. What the provider runs by itself doesn't, so it is told apart here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

import orjson
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from ladder_graph.components import schema_component, toolset_component

SCHEMAS = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parameter_definitions", "format")
"""Where a tool in a provider's form may carry its argument schema."""

WRAPPERS = ("function", "custom", "toolSpec")
"""Keys under which a provider's form may hold the tool itself."""

CARRIERS = ("tools", "web_search_options", "mcp_servers", "plugins", "search_parameters")
"""Where a request may carry tools."""

LISTS = ("function_declarations", "functionDeclarations", "tools")
"""Keys under which a provider's form may hold several tools."""

CALLED_BY_NAME = ("bash_", "text_editor_", "computer_", "memory_")
"""Built-in tools of Anthropic that come back as ordinary tool calls, by the prefix of their type."""


def shown_tools(params: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tools of a request, whatever provider it is for.

    Args:
        params: The invocation parameters.

    Returns:
        Tool name to schema hash for the tools that come back as tool calls; and the names of all others, which the
        provider runs by itself. What has no known form counts among the latter, so that it is reported.

    Raises:
        ArgumentsError: A schema is no JSON.

    Example:
        >>> shown_tools({"tools": [{"name": "send", "input_schema": {}}, {"type": "web_search"}]})[1]
        ('web_search',)
    """
    tools: dict[str, str] = {}
    provider_tools: set[str] = set(_outside_the_list(params))
    for name, schema in _read_all(params.get("tools")):
        if schema is None:
            provider_tools.add(name)
        else:
            tools[name] = schema
    return tools, tuple(sorted(provider_tools))


def shown(params: Mapping[str, Any]) -> tuple[Mapping[str, str], tuple[str, ...], str]:
    """As `shown_tools`, with the hash of the whole set. An agent shows the same tools each time: hashed once."""
    carried = {name: value for name in CARRIERS if (value := params.get(name)) is not None}
    # The second one also writes keys that are no text, and integers of any size.
    for write in (_quickly, json.dumps):
        with suppress(TypeError):
            return _hashed_text(write(carried))
    return _hashed(carried)


_quickly = partial(orjson.dumps, option=orjson.OPT_PASSTHROUGH_DATACLASS)


@lru_cache(maxsize=128)
def _hashed_text(text: str | bytes) -> tuple[Mapping[str, str], tuple[str, ...], str]:
    return _hashed(json.loads(text))


def _hashed(params: Mapping[str, Any]) -> tuple[Mapping[str, str], tuple[str, ...], str]:
    tools, provider_tools = shown_tools(params)
    return tools, provider_tools, toolset_component(tools, provider_tools)


def _outside_the_list(params: Mapping[str, Any]) -> Iterator[str]:
    if params.get("web_search_options") is not None:
        yield "web_search"
    searching = params.get("search_parameters")
    if isinstance(searching, Mapping) and searching.get("mode") != "off":
        yield "web_search"
    plugins = params.get("plugins") or ()
    for plugin in plugins if isinstance(plugins, list | tuple) else (plugins,):
        yield f"plugin:{plugin.get('id')}" if isinstance(plugin, Mapping) else "plugin"
    for server in params.get("mcp_servers") or ():
        yield _server("mcp", server.get("name"), server.get("url")) if isinstance(server, Mapping) else "mcp"


def _server(kind: str, label: object, url: object) -> str:
    """A remote server by its label and host: under one label, another host is another set of tools."""
    host = urlsplit(url).hostname if isinstance(url, str) else None
    return f"{kind}:{label}{f' at {host}' if host else ''}"


def _read_all(tools: object) -> Iterator[tuple[str, str | None]]:
    for tool in tools if isinstance(tools, Sequence) and not isinstance(tools, str) else ():
        yield from _read(_plain(tool))


def _plain(tool: object) -> object:
    if isinstance(tool, BaseTool):
        return convert_to_openai_tool(tool)
    dump = getattr(tool, "model_dump", None)
    return dump(mode="json", exclude_none=True) if callable(dump) else tool


def _read(tool: object) -> Iterator[tuple[str, str | None]]:
    if not isinstance(tool, Mapping):
        yield f"unrecognised {type(tool).__name__}", None
    elif held := [tool[name] for name in LISTS if tool.get(name)]:
        yield from (named for several in held for named in _read_all(several))
        if "type" not in tool:  # Gemini puts its own tools beside the functions, in one object
            yield from ((name, None) for name in _provider_names({k: v for k, v in tool.items() if k not in LISTS}))
    elif wrapped := next((tool[name] for name in WRAPPERS if isinstance(tool.get(name), Mapping)), None):
        yield _function(wrapped)
    elif _is_function(tool):
        yield _function(tool)
    elif set(tool) != {"cachePoint"}:
        yield from ((name, None) for name in _provider_names(tool))


def _is_function(tool: Mapping[str, Any]) -> bool:
    kind = str(tool.get("type", "function"))
    return isinstance(tool.get("name"), str) and (kind in {"function", "custom"} or kind.startswith(CALLED_BY_NAME))


def _function(tool: Mapping[str, Any]) -> tuple[str, str]:
    schema = next((tool[name] for name in SCHEMAS if name in tool), tool.get("type"))
    return str(tool.get("name", "?")), schema_component(tool.get("description"), schema)


def _provider_names(tool: Mapping[str, Any]) -> Iterator[str]:
    kind = tool.get("type") or tool.get("name")
    if label := tool.get("server_label") or tool.get("mcp_server_name"):
        yield _server(str(kind), label, tool.get("server_url"))
    elif kind:
        yield str(kind)
    else:
        yield from (str(key) for key, value in tool.items() if value is not None)
