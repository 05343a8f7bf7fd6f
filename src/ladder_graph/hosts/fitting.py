"""A tool's schema and code: whether arguments fit it, and which version of it this is."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import ToolInvocationError
from pydantic import BaseModel, ValidationError
from pydantic.v1 import BaseModel as OldModel

from ladder_graph.calls import Call, digest_of, normalise
from ladder_graph.errors import ArgumentsError
from ladder_graph.hosts.making import functions_of
from ladder_graph.hosts.reading import Schema, Untold, as_read, runs_code
from ladder_graph.hosts.sealing import seal_of
from ladder_graph.hosts.spellings import aliases_of, unread
from ladder_graph.references import code_of
from ladder_graph.turns.deciding import Fitting
from ladder_graph.waiting import waits

PLAIN = (bool, int, float, str)
"""The types of values that JSON has as they are, so that a schema's own form of them can be put into a call."""


def complaint_about(tool: BaseTool | None, arguments: dict[str, Any]) -> str | None:
    """Why these arguments don't fit the tool's schema, in the words of a ToolNode; None where they do.

    A call is held against the schema before anybody is asked about it. A schema that is a plain JSON Schema (as MCP
    tools have) is checked by the tool's own server.
    """
    if tool is None or not isinstance(tool.args_schema, type):
        return None
    schema = _model_of(tool)
    if schema is not None and runs_code(schema):
        waits()
    try:
        complaint = None if schema is None else _misfit(tool, schema, arguments)
        names = () if complaint else unread(tool.args_schema, arguments)
    except Exception as wrong:  # noqa: BLE001  # a validator of the tool author's
        return f"REFUSED: the arguments of {tool.name} can't be checked: {type(wrong).__name__}: {wrong}. Nothing ran."
    if names:
        return (
            f"REFUSED: {tool.name} would leave {', '.join(names)} unread, since it takes that argument by another "
            f"name. Nothing ran; call it again with each argument once, by the name in its schema."
        )
    return complaint


def _misfit(tool: BaseTool, schema: type[BaseModel], arguments: dict[str, Any]) -> str | None:
    """What a schema has against arguments, but for those that the graph fills in."""
    injected = fields_of(schema) - fields_of(tool.tool_call_schema)
    try:
        schema.model_validate(arguments)
    except ValidationError as wrong:
        errors = [error for error in wrong.errors() if not (error["loc"] and error["loc"][0] in injected)]
        placed = [error for error in errors if error["loc"]]
        return ToolInvocationError(tool.name, wrong, arguments, placed or None).message if errors else None
    return None


def fitting(tool: BaseTool | None) -> Fitting:
    """How a person's arguments for this tool are typed and checked."""
    return functools.partial(fitted, tool)


def fitted(
    tool: BaseTool | None, call: Call, arguments: Mapping[str, Any], *, strict: bool = True
) -> Call | str:  # fmt: skip
    """The call with arguments that a person put in, typed by the tool's schema; or why they don't fit, in words.

    Unlike a model's, an argument that the tool doesn't have is refused: whoever put it in means something by it. So is
    one that the graph fills in.

    Args:
        tool: The tool; None where it isn't known, and what fits it neither.
        call: The call that they are for.
        arguments: All of its arguments.
        strict: Whether they are a person's. A model's, which were looked at before, become what the tool's own code
            will read; or it is said why that can't be told.
    """
    given, schema = dict(arguments), _model_of(tool)
    if not strict:
        try:
            given = read_by(tool, given)
        except Untold as wrong:
            return f"{wrong}"
    elif tool is not None and schema is not None:
        known = fields_of(tool.tool_call_schema) | aliases_of(schema)
        strange = sorted(str(name) for name in given.keys() - known)
        if strange and schema.model_config.get("extra") != "allow":
            return f"{tool.name} has no argument {', '.join(strange)}; it has {', '.join(sorted(known))}"
        complaint = complaint_about(tool, given)
        if complaint is not None:
            return " ".join(complaint.split())
        given = _typed(schema, given)
    try:
        return replace(call, arguments=given)
    except ArgumentsError as wrong:
        return f"{wrong}"


def read_by(tool: BaseTool | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as the tool's own code will read them, as far as its schema is known here.

    Raises:
        Untold: That can't be told before it runs.
    """
    schema = _schema_of(tool)
    return dict(arguments) if tool is None or schema is None else as_read(tool, schema, arguments)


def _typed(schema: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the values that the schema makes of them, where these are plain; `"4"` may become `4`."""
    try:
        parsed = schema.model_validate(given)
    except Exception:  # noqa: BLE001  # what the graph fills in is missing here, which is no matter of the person's
        return given
    values = {
        key: getattr(parsed, name, None) for name, field in schema.model_fields.items() for key in (name, field.alias)
    }
    return {name: values[name] if type(values.get(name)) in PLAIN else value for name, value in given.items()}


def defaults_of(tool: BaseTool | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the tool takes for arguments that a call leaves out, where its schema says so in JSON."""
    schema: Any = None if tool is None else tool.tool_call_schema
    fields = getattr(schema, "model_fields", None)
    if fields is None:
        listed = schema.get("properties") if isinstance(schema, dict) else None
        listed = listed if isinstance(listed, dict) else {}
        found = {name: one["default"] for name, one in listed.items() if isinstance(one, dict) and "default" in one}
    else:
        found = {
            field.alias or name: field.get_default(call_default_factory=False)
            for name, field in fields.items() if not field.is_required()
        }  # fmt: skip
    return {name: value for name, value in found.items() if name not in given and _plain(value)}


def form_of(tool: BaseTool | None) -> dict[str, Any]:
    """What the tool's schema says of each argument, as JSON Schema; nothing where it can't be written as such."""
    found = {} if tool is None else schema_of(tool)
    try:
        return dict(json.loads(json.dumps(_resolved(found.get("properties") or {}, found.get("$defs") or {}))))
    except (TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _resolved(fields: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Each field with what it refers to in its place, one level deep."""
    return {
        name: named.get(str(field.get("$ref", "")).rpartition("/")[2], field) if isinstance(field, dict) else field
        for name, field in fields.items()
    }


def _plain(value: object) -> bool:
    try:
        normalise(value)
    except (ArgumentsError, RecursionError):
        return False
    return True


def _model_of(tool: BaseTool | None) -> type[BaseModel] | None:
    """The schema as a pydantic model of the present kind; None where it has another form."""
    schema = _schema_of(tool)
    return schema if schema is not None and issubclass(schema, BaseModel) else None


def _schema_of(tool: BaseTool | None) -> Schema | None:
    """The schema as a pydantic model of either major version; None where it has another form."""
    # The schema of the calls alone would leave out the author's own validators.
    schema: Any = tool.get_input_schema() if tool is not None and isinstance(tool.args_schema, type) else None
    return schema if isinstance(schema, type) and issubclass(schema, BaseModel | OldModel) else None


def fields_of(schema: Any) -> set[str]:
    """The fields of a pydantic model, of either major version."""
    fields = getattr(schema, "model_fields", None)
    # A tool without arguments has no fields; only the older models have none under this name.
    return set(getattr(schema, "__fields__", {}) if fields is None else fields)


def version_of(tool: BaseTool) -> str:
    """Which version of a tool this is: a digest over its name, its argument schema and its code.

    An approval is for one version. Where the code can't be read, its import path stands for it; a tool whose meaning
    changes elsewhere (on a server, in a function that it calls) says so with `Declaration(version=...)`.
    """
    seal = seal_of(tool)
    original = tool if seal is None else seal.tool
    return digest_of("tool", original.name, _schema_text(original), *map(code_of, functions_of(original)))


def schema_of(tool: BaseTool) -> dict[str, Any]:
    """What a call of the tool may hold, as JSON Schema; empty where its author's schema has no such form."""
    schema: Any = tool.tool_call_schema
    try:
        return dict(schema if isinstance(schema, dict) else schema.model_json_schema())
    except Exception:  # noqa: BLE001  # a schema of the author's that JSON Schema has no form for
        return {}


def _schema_text(tool: BaseTool) -> str:
    schema: Any = tool.tool_call_schema
    try:
        return repr(schema if isinstance(schema, dict) else schema.model_json_schema())
    except Exception:  # noqa: BLE001  # a schema of the author's that JSON Schema has no form for
        return repr(sorted(tool.args))
